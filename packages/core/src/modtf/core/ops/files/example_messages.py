"""`tf.train.Example` and `SequenceExample`: reading the messages in which data sets are kept.

Example         { Features features = 1 }
SequenceExample { Features context = 1; FeatureLists feature_lists = 2 }
Features        { map<string, Feature> feature = 1 }
FeatureLists    { map<string, FeatureList> feature_list = 1 }
FeatureList     { repeated Feature feature = 1 }
Feature         { one of: BytesList = 1, FloatList = 2, Int64List = 3 }, each { repeated value = 1 }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core.ops.files.wire_format import (
    BYTES,
    FIXED32,
    VARINT,
    DamagedMessage,
    bytes_field,
    fields,
    fixed32_field,
    read_varint,
    read_varints,
    signed,
    varint_field,
)
from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType

Span = tuple[int, int]
"""Where in the data a message starts and ends."""

_DTYPES: dict[int, DType] = {1: dtypes.string, 2: dtypes.float32, 3: dtypes.int64}
_NUMBERS = {dtype: number for number, dtype in _DTYPES.items()}


class Feature(NamedTuple):
    """A feature: its values, a list of bytes or an array of numbers."""

    dtype: DType
    values: Sequence[Any]


def find_features(data: bytes) -> dict[bytes, Span]:
    """Returns where the features of an `Example` are, by name."""
    return _find_in(data, (0, len(data)))


def find_sequence_features(data: bytes) -> tuple[dict[bytes, Span], dict[bytes, Span]]:
    """Returns where the features of a `SequenceExample`'s context, and its lists of features, are by name."""
    context: dict[bytes, Span] = {}
    lists: dict[bytes, Span] = {}
    for number, start, end in _messages(data, (0, len(data))):
        if number in (1, 2):
            _add_entries(data, (start, end), context if number == 1 else lists)
    return context, lists


def _find_in(data: bytes, span: Span) -> dict[bytes, Span]:
    found: dict[bytes, Span] = {}
    for number, start, end in _messages(data, span):
        if number == 1:
            _add_entries(data, (start, end), found)
    return found


def _add_entries(data: bytes, span: Span, entries: dict[bytes, Span]) -> None:
    """Adds the entries of a map; of equal keys the last counts."""
    for number, start, end in _messages(data, span):
        if number == 1:
            key, value = b"", (end, end)
            for part, first, last in _messages(data, (start, end)):
                if part == 1:
                    key = data[first:last]
                elif part == 2:
                    value = (first, last)
            entries[key] = value


def _messages(data: bytes, span: Span) -> Iterator[tuple[int, int, int]]:
    """Yields the fields that are messages or strings."""
    for number, wire_type, start, end in fields(data, *span):
        if wire_type == BYTES:
            yield number, start, end


def find_steps(data: bytes, span: Span) -> list[Span]:
    """Returns where the features of a `FeatureList` are."""
    return [(start, end) for number, start, end in _messages(data, span) if number == 1]


def read_feature(data: bytes, span: Span) -> Feature | None:
    """Reads a `Feature`; `None` if it is of no kind, which counts as missing."""
    found = None
    for number, start, end in _messages(data, span):
        if number in _DTYPES:
            found = number, start, end
    if found is None:
        return None
    number, start, end = found
    read: Any = (_read_bytes, _read_floats, _read_integers)[number - 1]
    return Feature(_DTYPES[number], read(data, (start, end)))


def _read_bytes(data: bytes, span: Span) -> list[bytes]:
    return [data[start:end] for number, start, end in _messages(data, span) if number == 1]


def _read_floats(data: bytes, span: Span) -> np.ndarray:
    parts = []
    for number, wire_type, start, end in fields(data, *span):
        if number == 1 and wire_type in (BYTES, FIXED32):
            if (end - start) % 4:
                raise DamagedMessage(f"{end - start} bytes of floats at byte {start}")
            parts.append(np.frombuffer(data, "<f4", (end - start) // 4, start))
    return _joined(parts, np.float32)


def _read_integers(data: bytes, span: Span) -> np.ndarray:
    parts = []
    for number, wire_type, start, end in fields(data, *span):
        if number == 1 and wire_type == BYTES:
            parts.append(read_varints(data, start, end))
        elif number == 1 and wire_type == VARINT:
            parts.append(np.array([signed(read_varint(data, start, end)[0])], np.int64))
    return _joined(parts, np.int64)


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0, dtype)


def encode_example(features: Mapping[bytes, Feature | None]) -> bytes:
    """Returns an `Example` with these features, every value a field of its own; `None` is a feature of no kind."""
    entries = b"".join(
        bytes_field(1, bytes_field(1, name) + bytes_field(2, _encode_feature(features[name])))
        for name in sorted(features)
    )
    return bytes_field(1, entries)


def _encode_feature(feature: Feature | None) -> bytes:
    if feature is None:
        return b""
    values = feature.values
    if feature.dtype is dtypes.string:
        content = b"".join(bytes_field(1, value) for value in values)
    elif feature.dtype is dtypes.float32:
        content = b"".join(fixed32_field(1, item.tobytes()) for item in np.asarray(values, "<f4"))
    else:
        content = b"".join(varint_field(1, value) for value in values)
    return bytes_field(_NUMBERS[feature.dtype], content)
