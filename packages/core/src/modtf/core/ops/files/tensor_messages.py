"""`TensorProto`: the message in which a tensor is kept by itself.

    TensorProto      { DataType dtype = 1; TensorShapeProto tensor_shape = 2; bytes tensor_content = 4; float_val = 5;
                       double_val = 6; int_val = 7; string_val = 8; scomplex_val = 9; int64_val = 10; bool_val = 11;
                       dcomplex_val = 12; half_val = 13; uint32_val = 16; uint64_val = 17; bytes float8_val = 18 }
    TensorShapeProto { repeated Dim dim = 2 { int64 size = 1 }; bool unknown_rank = 3 }

The elements stand in `tensor_content` as they are in memory, little-endian, or in the field of their type. There, the
last one repeats until the shape is full.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.ops.files.wire_format import (
    BYTES,
    VARINT,
    DamagedMessage,
    Field,
    bytes_field,
    fields,
    read_varint,
    read_varints,
    signed,
    varint,
    varint_field,
)
from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType

_CONTENT, _STRINGS, _HALVES, _FLOAT8 = 4, 8, 13, 18
_FIXED_WIDTH = {5: "<f4", 6: "<f8", 9: "<f4", 12: "<f8"}
_VARINTS = frozenset({7, 10, 11, _HALVES, 16, 17})
_LARGEST = 1 << 30
"""Bytes that a tensor may have of which the message has but the first elements."""


def encode_tensor(array: np.ndarray, dtype: DType, strings_as_content: bool = False) -> bytes:
    """Returns the message of an array, its strings as fields of their own or, as some ops write them, as one content."""
    shape = b"".join(bytes_field(2, varint_field(1, size) if size else b"") for size in array.shape)
    head = varint_field(1, dtype.as_datatype_enum) + bytes_field(2, shape)
    if dtype is dtypes.string:
        items = array.reshape(-1).tolist()
        if not strings_as_content:
            return head + b"".join(bytes_field(_STRINGS, item) for item in items)
        lengths = b"".join(varint(len(item)) for item in items)
        return head + bytes_field(_CONTENT, lengths + b"".join(items)) if items else head
    content = _little_endian(array).tobytes()
    return head + bytes_field(_CONTENT, content) if content else head


def decode_tensor(data: bytes) -> tuple[DType, np.ndarray]:
    """Reads a message.

    Raises:
        DamagedMessage: It is none, or its elements do not fit its shape.
    """
    data_type = 0
    shape: tuple[int, ...] = ()
    content = b""
    found: list[Field] = []
    for field in fields(data, 0, len(data)):
        number, wire_type, start, end = field
        if number == 1 and wire_type == VARINT:
            data_type = read_varint(data, start, end)[0]
        elif number == 2 and wire_type == BYTES:
            shape = _read_shape(data, start, end)
        elif number == _CONTENT and wire_type == BYTES:
            content = data[start:end]
        else:
            found.append(field)
    try:
        dtype = dtypes.as_dtype(data_type)
    except TypeError:
        raise DamagedMessage(f"there is no dtype {data_type}") from None
    if dtype.kind in ("resource", "variant"):
        raise DamagedMessage(f"a {dtype.name} cannot be read from a message")
    count = math.prod(shape)
    if content:
        values = _from_content(content, dtype, count)
    else:
        values = _filled(_typed_values(data, found, dtype), dtype, count)
    return dtype, values.reshape(shape)


def _little_endian(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)


def _read_shape(data: bytes, start: int, end: int) -> tuple[int, ...]:
    sizes = []
    for number, wire_type, first, last in fields(data, start, end):
        if number == 2 and wire_type == BYTES:
            size = 0
            for part, kind, begin, stop in fields(data, first, last):
                if part == 1 and kind == VARINT:
                    size = signed(read_varint(data, begin, stop)[0])
            sizes.append(size)
    if len(sizes) > 64 or any(size < 0 for size in sizes) or math.prod(max(size, 1) for size in sizes) >= 1 << 58:
        raise DamagedMessage(f"no tensor can have the shape {sizes}")
    return tuple(sizes)


def _from_content(content: bytes, dtype: DType, count: int) -> np.ndarray:
    if dtype is dtypes.string:
        return _strings_from_content(content, count)
    if len(content) != count * dtype.np_dtype.itemsize:
        raise DamagedMessage(f"{len(content)} bytes are not {count} elements of {dtype.name}")
    array = np.frombuffer(content, dtype.np_dtype.newbyteorder("<")).astype(dtype.np_dtype)
    return array.view(np.uint8).astype(bool) if dtype.is_bool else array


def _strings_from_content(content: bytes, count: int) -> np.ndarray:
    """The lengths of all strings, then their bytes."""
    if count > len(content):
        raise DamagedMessage(f"{len(content)} bytes are not {count} strings")
    at, lengths = 0, []
    for _ in range(count):
        length, at = read_varint(content, at, len(content))
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise DamagedMessage(f"{len(content)} bytes are not {count} strings")
    strings = np.empty(count, object)
    for index, length in enumerate(lengths):
        strings[index] = content[at : at + length]
        at += length
    return strings


_FIELD_OF_KIND = {"string": _STRINGS, "bool": 11}
_FIELD_OF: dict[DType, int] = {
    dtypes.float32: 5,
    dtypes.float64: 6,
    dtypes.complex64: 9,
    dtypes.int64: 10,
    dtypes.complex128: 12,
    dtypes.float16: _HALVES,
    dtypes.bfloat16: _HALVES,
    dtypes.uint32: 16,
    dtypes.uint64: 17,
    dtypes.float8_e5m2: _FLOAT8,
    dtypes.float8_e4m3fn: _FLOAT8,
}


def _typed_values(data: bytes, found: list[Field], dtype: DType) -> np.ndarray:
    """The elements in the field of the tensor's type."""
    wanted = _FIELD_OF_KIND.get(dtype.kind) or _FIELD_OF.get(dtype, 7)
    own = [(start, end) for number, _, start, end in found if number == wanted]
    if wanted == _STRINGS:
        strings = np.empty(len(own), object)
        strings[:] = [data[start:end] for start, end in own]
        return strings
    parts: list[Any] = [np.empty(0, np.int64 if wanted in _VARINTS else _FIXED_WIDTH.get(wanted, np.uint8))]
    for start, end in own:
        if wanted in _VARINTS:
            parts.append(read_varints(data, start, end))
        elif wanted == _FLOAT8:
            parts.append(np.frombuffer(data[start:end], np.uint8))
        else:
            width = np.dtype(_FIXED_WIDTH[wanted]).itemsize
            if (end - start) % width:
                raise DamagedMessage(f"field {wanted} at byte {start} has {end - start} bytes")
            parts.append(np.frombuffer(data[start:end], _FIXED_WIDTH[wanted]))
    values = np.concatenate(parts)
    if wanted == _HALVES:
        return values.astype(np.uint16).view(dtype.np_dtype)
    if wanted == _FLOAT8:
        return values.view(dtype.np_dtype)
    if dtype.is_complex:
        if len(values) % 2:
            raise DamagedMessage(f"{len(values)} parts are no complex numbers")
        return values.astype(values.dtype.newbyteorder("=")).view(dtype.np_dtype)
    return values.astype(dtype.np_dtype)


def _filled(values: np.ndarray, dtype: DType, count: int) -> np.ndarray:
    if len(values) >= count:
        return values[:count]
    if count * dtype.np_dtype.itemsize > _LARGEST:
        raise DamagedMessage(f"{len(values)} elements stand for {count}")
    filled = np.empty(count, dtype.np_dtype)
    filled[: len(values)] = values
    zero: Any = b"" if dtype is dtypes.string else 0
    filled[len(values) :] = values[-1] if len(values) else zero
    return filled
