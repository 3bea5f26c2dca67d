"""NumPy arrays as TensorProto and back: constants, attributes, default values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from . import varint
from .dtypes import (
    STRING,
    data_type_name,
    data_type_of,
    from_bytes,
    numpy_dtype,
    split_strings,
    string_array,
    string_elements,
    to_bytes,
    value_field,
)
from .errors import DataLossError
from .protos.tensor_pb2 import TensorProto, TensorShapeProto

# A few stored values may stand for a large array, since the last one repeats. One value that fills the array takes no
# memory (its strides are 0), so only nonsense is refused; several values do take it, more than a few times of what they
# are in the file only up to a limit.
MAX_SPLAT_BYTES = 1 << 31
MAX_FILLED_BYTES = 1 << 26
_MAX_FILLED_RATIO = 8

_MAX_RANK = 64  # NumPy's
_MAX_ELEMENTS = 1 << 58  # so that their bytes can be counted in 64 bits


def make_shape_proto(shape: Sequence[int]) -> TensorShapeProto:
    """Returns the message of a fully known shape."""
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in shape])


def static_shape(proto: TensorShapeProto, what: str = "the tensor") -> tuple[int, ...]:
    """Returns the shape of a tensor that has values.

    Args:
        proto: its message.
        what: what has this shape, for the error.

    Raises:
        DataLossError: a dimension is unknown or negative, or no array can have this shape.
    """
    shape = tuple([dim.size for dim in proto.dim])
    if len(shape) > _MAX_RANK:
        raise DataLossError(f"{what}: no array can have {len(shape)} dimensions.")
    if proto.unknown_rank or any(size < 0 for size in shape):
        raise DataLossError(f"{what}: has values, but a shape that is not known ({shape or 'of unknown rank'}).")
    if math.prod([size or 1 for size in shape]) > _MAX_ELEMENTS:
        raise DataLossError(f"{what}: no array can have {len(shape)} dimensions of sizes {shape}.")
    return shape


def make_ndarray(proto: TensorProto, what: str = "the tensor", may_repeat: bool = True) -> np.ndarray:
    """Returns the array that a message holds.

    Args:
        proto: the message. Its values stand in `tensor_content` or in the field of its type. There the last value
            repeats until the shape is full, and no value at all stands for zeros (or empty strings).
        what: where the message stands, for errors; for instance "node 'Const', attribute 'value'".
        may_repeat: whether fewer values than the shape holds may stand for all.

    Returns:
        A read-only array. It shares the message's bytes where it can, and takes the memory of one element where one
        value fills it.

    Raises:
        DataLossError: the values do not fit the type and shape, or fill more memory than such a message may ask for
            (`MAX_SPLAT_BYTES`, `MAX_FILLED_BYTES`).
        UnsupportedError: the message's type is that of no array, such as DT_RESOURCE.
    """
    dtype = numpy_dtype(proto.dtype, what)
    shape = static_shape(proto.tensor_shape, what)
    if proto.tensor_content:
        if dtype == STRING:
            return _strings_from_content(proto.tensor_content, shape, what)
        return from_bytes(proto.tensor_content, dtype, shape, what)

    values = _stored_values(proto, dtype, what)
    count = math.prod(shape)
    if values.size > count:
        raise DataLossError(f"{what}: has {values.size} values, but shape {shape} holds {count}.")
    if values.size < count and not may_repeat:
        raise DataLossError(f"{what}: has {values.size} values, but shape {shape} holds {count}.")
    limit = MAX_SPLAT_BYTES if values.size <= 1 else max(MAX_FILLED_BYTES, _MAX_FILLED_RATIO * values.nbytes)
    if values.size < count and count * dtype.itemsize > limit:
        raise DataLossError(
            f"{what}: {values.size} values stand for {data_type_name(proto.dtype)} of shape {shape}, "
            f"{count * dtype.itemsize} bytes; at most {limit} are accepted."
        )
    if values.size <= 1:
        zero = string_array([b""], (1,)) if dtype == STRING else np.zeros(1, dtype)
        return np.broadcast_to((values if values.size else zero).reshape(()), shape)
    array = np.empty(count, dtype)
    array[: values.size] = values
    array[values.size :] = values[-1]
    array.flags.writeable = False
    return array.reshape(shape)


def make_tensor_proto(array: np.ndarray, data_type: int | None = None) -> TensorProto:
    """Returns the message that holds `array`.

    Args:
        array: numbers, or objects which are all `bytes`. If all its elements have the same bits, one value is stored.
        data_type: the DataType number to store, for a type which shares its NumPy dtype with another (DT_QINT8).

    Raises:
        TypeError: TensorFlow has no such dtype, or `data_type` is stored as a different one.
    """
    data_type = data_type_of(array.dtype, data_type)
    proto = TensorProto(dtype=data_type, tensor_shape=make_shape_proto(array.shape))  # type: ignore[arg-type]
    if array.size == 0:
        return proto
    if _is_splat(array):
        _store_values(proto, array.flat[:1])
    elif array.dtype == STRING:
        proto.string_val.extend(string_elements(array))
    else:
        proto.tensor_content = to_bytes(array).tobytes()
    return proto


def _strings_from_content(content: bytes, shape: tuple[int, ...], what: str) -> np.ndarray:
    """C++ writes the lengths of all strings, then their bytes."""
    lengths, at = varint.decode_many(content, math.prod(shape), what)
    if at + sum(lengths) != len(content):
        raise DataLossError(f"{what}: {len(content)} bytes do not hold strings of lengths {lengths[:8]}...")
    return split_strings(content[at:], lengths, shape)


def _stored_values(proto: TensorProto, dtype: np.dtype, what: str) -> np.ndarray:
    """Returns the values of the message's typed field, in one dimension; the inverse of `_store_values`."""
    field = value_field(proto.dtype, what)
    values = getattr(proto, field)
    if field == "string_val":
        return string_array(list(values), (len(values),))
    if field == "float8_val":
        return np.frombuffer(values, np.uint8).view(dtype)
    if field == "half_val":
        return np.array(values, np.int32).astype(np.uint16).view(dtype)
    if field in ("scomplex_val", "dcomplex_val"):
        if len(values) % 2:
            raise DataLossError(f"{what}: has {len(values)} parts of complex numbers, but each has two.")
        return np.array(values, dtype.type().real.dtype).view(dtype)
    wire = np.dtype(np.int32) if field == "int_val" else dtype
    return np.array(values, wire).astype(dtype, copy=False)


def _store_values(proto: TensorProto, values: np.ndarray) -> None:
    field = value_field(proto.dtype)
    if field == "float8_val":
        proto.float8_val = values.tobytes()
    elif field == "half_val":
        proto.half_val.extend(values.view(np.uint16).tolist())
    elif field in ("scomplex_val", "dcomplex_val"):
        getattr(proto, field).extend(values.view(values.real.dtype).tolist())
    elif field == "string_val":
        proto.string_val.extend(string_elements(values))
    elif field == "int_val":
        proto.int_val.extend(values.astype(np.int32).tolist())
    else:
        getattr(proto, field).extend(values.tolist())


def _is_splat(array: np.ndarray) -> bool:
    """Whether all elements of a non-empty array have the same bits."""
    if all(size == 1 or stride == 0 for size, stride in zip(array.shape, array.strides, strict=True)):
        return True
    if array.dtype == STRING:
        return False
    elements = to_bytes(array).reshape(array.size, -1)
    return bool((elements == elements[0]).all())
