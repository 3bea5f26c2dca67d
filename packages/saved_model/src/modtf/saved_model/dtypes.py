"""Element types: TensorFlow's numbers for them, their NumPy dtypes, and their bytes in a file.

Files are little-endian. Strings are arrays of objects, each of them `bytes`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from .errors import DataLossError, UnsupportedError
from .protos import tensor_pb2
from .protos.tensor_pb2 import DataType

STRING = np.dtype(object)

_REFERENCE = 100  # DT_FLOAT_REF is DT_FLOAT + 100


class _Type(NamedTuple):
    dtype: np.dtype
    value_field: str
    """The field of TensorProto which holds values of this type one by one."""


_TYPES: dict[int, _Type] = {
    number: _Type(np.dtype(dtype), value_field)
    for number, dtype, value_field in (
        (tensor_pb2.DT_FLOAT, np.float32, "float_val"),
        (tensor_pb2.DT_DOUBLE, np.float64, "double_val"),
        (tensor_pb2.DT_HALF, np.float16, "half_val"),
        (tensor_pb2.DT_BFLOAT16, ml_dtypes.bfloat16, "half_val"),
        (tensor_pb2.DT_FLOAT8_E5M2, ml_dtypes.float8_e5m2, "float8_val"),
        (tensor_pb2.DT_FLOAT8_E4M3FN, ml_dtypes.float8_e4m3fn, "float8_val"),
        (tensor_pb2.DT_FLOAT8_E4M3FNUZ, ml_dtypes.float8_e4m3fnuz, "float8_val"),
        (tensor_pb2.DT_FLOAT8_E4M3B11FNUZ, ml_dtypes.float8_e4m3b11fnuz, "float8_val"),
        (tensor_pb2.DT_FLOAT8_E5M2FNUZ, ml_dtypes.float8_e5m2fnuz, "float8_val"),
        (tensor_pb2.DT_FLOAT4_E2M1FN, ml_dtypes.float4_e2m1fn, "float8_val"),
        (tensor_pb2.DT_COMPLEX64, np.complex64, "scomplex_val"),
        (tensor_pb2.DT_COMPLEX128, np.complex128, "dcomplex_val"),
        (tensor_pb2.DT_BOOL, np.bool_, "bool_val"),
        (tensor_pb2.DT_INT2, ml_dtypes.int2, "int_val"),
        (tensor_pb2.DT_UINT2, ml_dtypes.uint2, "int_val"),
        (tensor_pb2.DT_INT4, ml_dtypes.int4, "int_val"),
        (tensor_pb2.DT_UINT4, ml_dtypes.uint4, "int_val"),
        (tensor_pb2.DT_INT8, np.int8, "int_val"),
        (tensor_pb2.DT_UINT8, np.uint8, "int_val"),
        (tensor_pb2.DT_INT16, np.int16, "int_val"),
        (tensor_pb2.DT_UINT16, np.uint16, "int_val"),
        (tensor_pb2.DT_INT32, np.int32, "int_val"),
        (tensor_pb2.DT_UINT32, np.uint32, "uint32_val"),
        (tensor_pb2.DT_INT64, np.int64, "int64_val"),
        (tensor_pb2.DT_UINT64, np.uint64, "uint64_val"),
        (tensor_pb2.DT_STRING, STRING, "string_val"),
        # Quantized types are integers whose scale stands elsewhere.
        (tensor_pb2.DT_QINT8, np.int8, "int_val"),
        (tensor_pb2.DT_QUINT8, np.uint8, "int_val"),
        (tensor_pb2.DT_QINT16, np.int16, "int_val"),
        (tensor_pb2.DT_QUINT16, np.uint16, "int_val"),
        (tensor_pb2.DT_QINT32, np.int32, "int_val"),
    )
}
# The first type of a dtype is the plain one, so that int8 is DT_INT8, not DT_QINT8.
_NUMBERS: dict[np.dtype, int] = {}
for _number, _type in _TYPES.items():
    _NUMBERS.setdefault(_type.dtype, _number)


def data_type_name(data_type: int) -> str:
    """Returns, for instance, "DT_FLOAT"; the bare number where it names no type."""
    return DataType.Name(data_type) if data_type in DataType.values() else str(data_type)


def numpy_dtype(data_type: int, what: str = "the tensor") -> np.dtype:
    """Returns the NumPy dtype of a DataType number; for a reference type that of the type it refers to.

    Args:
        data_type: the number, such as `tensor_pb2.DT_FLOAT`.
        what: what has this type, for the error.

    Raises:
        UnsupportedError: there is none, as for DT_RESOURCE and DT_VARIANT.
    """
    return _type_of(data_type, what).dtype


def value_field(data_type: int, what: str = "the tensor") -> str:
    """Returns the name of the TensorProto field which holds values of this type one by one, such as "float_val".

    Raises:
        UnsupportedError: arrays cannot be of this type.
    """
    return _type_of(data_type, what).value_field


def _type_of(data_type: int, what: str) -> _Type:
    try:
        return _TYPES[data_type - _REFERENCE if data_type > _REFERENCE else data_type]
    except KeyError:
        raise UnsupportedError(f"{what} is of type {data_type_name(data_type)}, which no array can have.") from None


def data_type_of(dtype: np.dtype, wanted: int | None = None) -> int:
    """Returns the DataType number to store a NumPy dtype of either byte order as.

    Args:
        dtype: the array's dtype.
        wanted: the number to use, for a type that shares its dtype with another (DT_QINT8 with DT_INT8).

    Raises:
        TypeError: TensorFlow has no such type, or `wanted` is stored as a different dtype.
    """
    dtype = dtype.newbyteorder("=")
    if dtype not in _NUMBERS:
        known = ", ".join(str(known) for known in _NUMBERS)
        raise TypeError(f"An array of dtype {dtype} cannot be stored; convert it to one of: {known}.")
    if wanted is None:
        return _NUMBERS[dtype]
    if numpy_dtype(wanted) != dtype:
        raise TypeError(f"{data_type_name(wanted)} is stored as {numpy_dtype(wanted)}, but the array is {dtype}.")
    return wanted


def to_bytes(array: np.ndarray) -> np.ndarray:
    """Returns the little-endian bytes of a numeric array in row-major order, without a copy where they lie so."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8)


def from_bytes(data: bytes | np.ndarray, dtype: np.dtype, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Returns the numeric array whose little-endian bytes are `data`: a view of them where they are aligned.

    Args:
        data: the bytes, or an array of uint8.
        dtype: the dtype of the result.
        shape: the shape of the result.
        what: where the bytes come from, for the error.

    Returns:
        A read-only array.

    Raises:
        DataLossError: there are more or fewer bytes than shape and dtype ask for, or a bool is neither 0 nor 1.
    """
    raw = np.frombuffer(data, np.uint8)
    if raw.size != math.prod(shape) * dtype.itemsize:
        raise DataLossError(f"{what}: {raw.size} bytes, but {dtype} of shape {shape} has a different number.")
    if dtype == np.bool_ and raw.max(initial=0) > 1:
        raise DataLossError(f"{what}: a bool is stored as {raw.max()}, not as 0 or 1.")
    array = raw.view(dtype.newbyteorder("<")).reshape(shape).astype(dtype, copy=False)
    if not array.flags.aligned:
        array = array.copy()
    array.flags.writeable = False
    return array


def string_elements(array: np.ndarray) -> list[bytes]:
    """Returns the elements of an array of strings in row-major order.

    Raises:
        TypeError: an element is not `bytes`.
    """
    elements: list[Any] = array.reshape(-1).tolist()
    for element in elements:
        if not isinstance(element, bytes):
            raise TypeError(f"Strings are stored as bytes, but an element is {element!r}; encode str as UTF-8.")
    return elements


def string_array(elements: list[bytes], shape: tuple[int, ...]) -> np.ndarray:
    """Returns a read-only array of strings; `shape` has as many elements as there are."""
    array = np.empty(len(elements), STRING)
    array[:] = elements
    array.flags.writeable = False
    return array.reshape(shape)


def split_strings(data: bytes, lengths: Iterable[int], shape: tuple[int, ...]) -> np.ndarray:
    """Returns a read-only array of the strings which stand in `data` one after the other; `lengths` sum to its size."""
    ends = list(itertools.accumulate(lengths, initial=0))
    return string_array([data[start:end] for start, end in itertools.pairwise(ends)], shape)
