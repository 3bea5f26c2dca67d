"""TensorFlow's dtypes: one `DType` object each, with its NumPy type and its number in files."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

__all__ = ["DType", "as_dtype"]


class DType:
    """The type of a tensor's elements. There is one instance per type: compare with `==` or `is`.

    Attributes:
        name: TensorFlow's name, e.g. `"float32"`.
        as_numpy_dtype: The NumPy scalar type that holds it (`np.object_` for strings, resources and variants); of a
            quantized type, a structured dtype of one field that carries its name.
        np_dtype: The NumPy dtype of tensors' elements; of a quantized type, that of the plain integers.
        as_datatype_enum: Its number in TensorFlow's files (`DataType` in types.proto).
        is_differentiable: Whether gradients flow through tensors of this type. There are also `is_floating`, `is_complex`,
            `is_integer`, `is_unsigned`, `is_bool`, `is_numeric` and `is_quantized`.
        size: Bytes per element; for strings, resources and variants 1, as in TensorFlow.
        kind: One of `"float"`, `"complex"`, `"int"`, `"uint"`, `"quantized"`, `"bool"`, `"string"`, `"resource"`,
            `"variant"`.
    """

    __slots__ = (
        "as_datatype_enum", "as_numpy_dtype", "is_bool", "is_complex", "is_differentiable", "is_floating", "is_integer",
        "is_numeric", "is_quantized", "is_unsigned", "kind", "name", "np_dtype", "size",
    )  # fmt: skip

    def __init__(self, name: str, numpy_type: type, enum: int, kind: str) -> None:
        self.name = name
        self.as_numpy_dtype: Any = np.dtype([(name, numpy_type)]) if kind == "quantized" else numpy_type
        self.as_datatype_enum = enum
        self.kind = kind
        self.np_dtype = np.dtype(numpy_type)
        self.size = 1 if numpy_type is np.object_ else self.np_dtype.itemsize
        self.is_floating = kind == "float"
        self.is_complex = kind == "complex"
        self.is_integer = kind in ("int", "uint")
        self.is_unsigned = kind == "uint"
        self.is_bool = kind == "bool"
        self.is_numeric = kind in ("float", "complex", "int", "uint", "quantized")
        self.is_quantized = kind == "quantized"
        self.is_differentiable = kind in ("float", "complex", "resource", "variant")

    @property
    def base_dtype(self) -> DType:
        return self

    @property
    def real_dtype(self) -> DType:
        """The type of a complex number's parts; of any other type, the type itself."""
        return {complex64: float32, complex128: float64}.get(self, self)

    @property
    def min(self) -> Any:
        """The smallest (most negative) value."""
        return self._limit("min")

    @property
    def max(self) -> Any:
        """The largest value."""
        return self._limit("max")

    def _limit(self, which: str) -> Any:
        if self.is_bool:
            return which == "max"
        if self.is_integer:
            return getattr(np.iinfo(self.as_numpy_dtype), which)
        if self.is_floating:
            return getattr(ml_dtypes.finfo(self.np_dtype), which)
        raise TypeError(f"{self.name} has no {which}imum value: only integer, floating and bool dtypes have one.")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range of intensities in images of this type: from 0 to the largest integer, or to 1.

        Raises:
            ValueError: There is no custom for this type.
        """
        if self in (float32, float64):
            return 0, 1
        if self in _IMAGE_INTEGERS:
            return 0, self.max
        raise ValueError(f"{self} does not have defined limits.")

    @property
    def is_numpy_compatible(self) -> bool:
        """Whether NumPy arrays hold such values: all but resources and variants."""
        return self.kind not in ("resource", "variant")

    def is_subtype_of(self, other: Any) -> bool:
        """Whether a value of this type stands where `other` is asked for: only if they are the same."""
        return self is other

    def most_specific_common_supertype(self, others: Any) -> DType | None:
        """Returns the type if all `others` are the same, else `None`."""
        return self if all(self is other for other in others) else None

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor of `other` may stand where this dtype is asked for."""
        return self is as_dtype(other)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return self is as_dtype(other)
        except TypeError:
            return NotImplemented

    __hash__ = object.__hash__  # written in C: dtypes are part of every key that eager calls look up

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


float32 = DType("float32", np.float32, 1, "float")
float64 = DType("float64", np.float64, 2, "float")
int32 = DType("int32", np.int32, 3, "int")
uint8 = DType("uint8", np.uint8, 4, "uint")
int16 = DType("int16", np.int16, 5, "int")
int8 = DType("int8", np.int8, 6, "int")
string = DType("string", np.object_, 7, "string")
complex64 = DType("complex64", np.complex64, 8, "complex")
int64 = DType("int64", np.int64, 9, "int")
bool_ = DType("bool", np.bool_, 10, "bool")
bfloat16 = DType("bfloat16", ml_dtypes.bfloat16, 14, "float")
uint16 = DType("uint16", np.uint16, 17, "uint")
complex128 = DType("complex128", np.complex128, 18, "complex")
float16 = DType("float16", np.float16, 19, "float")
resource = DType("resource", np.object_, 20, "resource")
variant = DType("variant", np.object_, 21, "variant")
uint32 = DType("uint32", np.uint32, 22, "uint")
uint64 = DType("uint64", np.uint64, 23, "uint")
float8_e5m2 = DType("float8_e5m2", ml_dtypes.float8_e5m2, 24, "float")
float8_e4m3fn = DType("float8_e4m3fn", ml_dtypes.float8_e4m3fn, 25, "float")
qint8 = DType("qint8", np.int8, 11, "quantized")
quint8 = DType("quint8", np.uint8, 12, "quantized")
qint32 = DType("qint32", np.int32, 13, "quantized")
qint16 = DType("qint16", np.int16, 15, "quantized")
quint16 = DType("quint16", np.uint16, 16, "quantized")

ALL = (
    float32, float64, int32, uint8, int16, int8, string, complex64, int64, bool_, bfloat16, uint16, complex128,
    float16, resource, variant, uint32, uint64, float8_e5m2, float8_e4m3fn, qint8, quint8, qint32, qint16, quint16,
)  # fmt: skip

half = float16
double = float64

_FLOATING = frozenset({bfloat16, float16, float32, float64})
_COMPLEX = frozenset({complex64, complex128})
_SIGNED = frozenset({int8, int16, int32, int64})
_UNSIGNED = frozenset({uint8, uint16, uint32, uint64})
_INTEGER = _SIGNED | _UNSIGNED
_IMAGE_INTEGERS = frozenset({bool_, uint8, uint16, int8, int16, int32, int64})
_QUANTIZED = frozenset({qint8, quint8, qint32, qint16, quint16})

SETS: dict[str, frozenset[DType]] = {
    "floating": _FLOATING,
    "complex": _COMPLEX,
    "signed": _SIGNED,
    "integer": _INTEGER,
    "real": _FLOATING | _INTEGER,
    "number": _FLOATING | _INTEGER | _COMPLEX,
    "quantized": _QUANTIZED,
    "index": frozenset({int32, int64}),
    "any": frozenset(ALL),
    **{dtype.name: frozenset({dtype}) for dtype in ALL},
}
"""The names that a schema may give as a type variable's bound."""

_BY_NAME = {dtype.name: dtype for dtype in ALL} | {"half": float16, "float": float32, "double": float64}
_BY_ENUM = {dtype.as_datatype_enum: dtype for dtype in ALL}
_BY_NUMPY: dict[np.dtype, DType] = {
    np.dtype(dtype.as_numpy_dtype): dtype for dtype in ALL if dtype not in (resource, variant)
}
_BY_PYTHON: dict[Any, DType] = {
    float: float32,
    int: int32,
    bool: bool_,
    complex: complex128,
    str: string,
    bytes: string,
}


def as_dtype(value: Any) -> DType:
    """Returns the `DType` that `value` names.

    Args:
        value: A `DType`, a name such as `"float32"`, a NumPy dtype or scalar type, a Python type (`float` is float32
            and `int` int32, as in TensorFlow), or a `DataType` number.

    Raises:
        TypeError: `value` names no dtype.
    """
    if isinstance(value, DType):
        return value
    try:
        found = _BY_NAME.get(value) if isinstance(value, str) else _BY_PYTHON.get(value)
        if found is None and isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            found = _BY_ENUM.get(int(value))
        if found is None:
            found = from_numpy(np.dtype(value))
    except TypeError:
        found = None
    if found is None:
        raise TypeError(
            f"Cannot convert {value!r} to a dtype. Expected a tf.DType, a name such as 'float32', or a NumPy dtype."
        )
    return found


def from_numpy(np_dtype: np.dtype) -> DType:
    """Returns the `DType` of a NumPy dtype; text and bytes of any length are `string`.

    Raises:
        TypeError: No tensor can hold that dtype.
    """
    found = _BY_NUMPY.get(np_dtype)
    if found is None:
        if np_dtype.kind in "SU":
            return string
        found = _BY_NUMPY.get(np_dtype.newbyteorder("="))
    if found is None:
        raise TypeError(
            f"NumPy dtype {np_dtype} has no tensor dtype. Convert the array to one of: {', '.join(_BY_NAME)}."
        )
    return found
