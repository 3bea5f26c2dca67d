"""Strings that are compressed files."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import unchanged
from modtf.core.engine.vocabulary import op
from modtf.core.values.errors import DataLossError, InvalidArgumentError

_WINDOW_BITS = {"ZLIB": 15, "GZIP": 15 | 16}
"""What `zlib` is told to expect: a window of 2**15 bytes, and gzip's header if 16 is added."""


@op(
    "DecodeCompressed(bytes: string, *, compression_type: string = '') -> (output: string)",
    shape=unchanged,
    host_only=True,
)
def decode_compressed(xp: Any, bytes: np.ndarray, *, compression_type: str) -> np.ndarray:
    if compression_type in ("", "NONE"):
        return bytes
    if compression_type not in _WINDOW_BITS:
        raise InvalidArgumentError(f"Only ZLIB, GZIP or NONE are supported compressions, not {compression_type!r}.")
    output = np.empty(bytes.shape, object)
    for index, data in np.ndenumerate(bytes):
        output[index] = _decompressed(data, _WINDOW_BITS[compression_type])
    return output


def _decompressed(data: bytes, window_bits: int) -> bytes:
    """The content of one or more compressed files; of one that is cut off, what there is of it."""
    parts = []
    while data:
        reader = zlib.decompressobj(window_bits)
        try:
            parts.append(reader.decompress(data))
        except zlib.error as error:
            raise DataLossError(f"inflate() failed: {error}") from None
        data = reader.unused_data
    return b"".join(parts)


decode_compressed.gradient(None)
