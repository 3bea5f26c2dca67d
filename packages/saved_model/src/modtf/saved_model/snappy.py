"""Snappy's compressed blocks (google/snappy, format_description.txt), which old checkpoints consist of."""

from __future__ import annotations

from . import varint
from .errors import DataLossError

_MAX_RATIO = 64  # a copy of at most 64 bytes takes at least two


def decompress(data: bytes, what: str) -> bytes:
    """Returns what a block holds.

    Args:
        data: the block.
        what: where it stands, for errors.

    Raises:
        DataLossError: it is no such block.
    """
    size, at = varint.decode(data, 0, what)
    if size > _MAX_RATIO * len(data):
        raise DataLossError(f"{what}: a compressed block of {len(data)} bytes cannot hold {size}.")
    out = bytearray()
    while at < len(data) and len(out) <= size:
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length, at = _literal(data, at, tag >> 2)
            if at + length > len(data):
                break
            out += data[at : at + length]
            at += length
            continue
        width = (1, 2, 4)[(tag & 3) - 1]
        offset = int.from_bytes(data[at : at + width], "little")
        length = (tag >> 2) + 1
        if width == 1:
            offset |= tag >> 5 << 8
            length = (tag >> 2 & 7) + 4
        at += width
        if not 0 < offset <= len(out) or at > len(data):
            raise DataLossError(f"{what}: a compressed block copies from {offset} bytes before byte {len(out)}.")
        start = len(out) - offset
        if offset >= length:
            out += out[start : start + length]
        else:  # what is copied includes what the copy makes
            out += (out[start:] * (length // offset + 1))[:length]
    if at != len(data) or len(out) != size:
        raise DataLossError(
            f"{what}: a compressed block gives {len(out)} bytes, not {size}; it is truncated or altered."
        )
    return bytes(out)


def _literal(data: bytes, at: int, code: int) -> tuple[int, int]:
    """The length of a literal, and where its bytes begin."""
    if code < 60:
        return code + 1, at
    width = code - 59
    return int.from_bytes(data[at : at + width], "little") + 1, at + width
