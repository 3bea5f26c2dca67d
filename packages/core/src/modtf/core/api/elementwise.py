"""Element-wise functions of `tf.math`: arithmetic, comparison, special functions, casts and complex numbers."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.api.operators import true_divide
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

__all__ = [
    "abs", "accumulate_n", "acos", "acosh", "add", "add_n", "angle", "asin", "asinh", "atan", "atan2", "atanh", "cast", "ceil",
    "complex", "conj", "cos", "cosh", "digamma", "divide", "divide_no_nan", "equal", "erf", "erfc", "erfcinv", "erfinv", "exp",
    "expm1", "floor", "floordiv", "floormod", "greater", "greater_equal", "imag", "is_finite", "is_inf", "is_nan", "less",
    "less_equal", "lgamma", "log", "log1p", "log_sigmoid", "logical_and", "logical_not", "logical_or", "logical_xor",
    "maximum", "minimum", "mod", "multiply", "multiply_no_nan", "ndtri", "negative", "nextafter", "not_equal", "polygamma",
    "polyval", "pow", "real", "realdiv", "reciprocal", "reciprocal_no_nan", "rint", "round", "rsqrt", "saturate_cast",
    "scalar_mul", "sign", "sin", "sinh", "sqrt", "square", "squared_difference", "subtract", "tan", "truediv", "truncatediv",
    "truncatemod", "xdivy", "xlog1py", "xlogy", "zeta",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- one op each

_FLOATING = "floating"
_FLOATING_OR_COMPLEX = "floating or complex"
_SIGNED = "floating, signed integer or complex"
_REAL = "floating or integer"
_NUMBER = "floating, integer or complex"


def _documented(
    function: Callable[..., Tensor], operands: int, name: str, summary: str, args: str, returns: str
) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"{summary}\n\n    Args:\n{args}        name: A name for the graph node.\n\n    Returns:\n        {returns}\n"
    )
    return dispatched(elementwise=operands)(function)


def _of_one(op: str, name: str, summary: str, types: str, result: str = "the same dtype") -> Callable[..., Tensor]:
    """A function of one tensor that is one op."""
    call = getattr(raw, op)

    def function(x: Any, name: str | None = None) -> Tensor:
        return call(x, name=name)

    args = f"        x: A tensor, {types}.\n"
    return _documented(function, 1, name, summary, args, f"A tensor of the shape of `x` and {result}.")


def _of_two(op: str, name: str, summary: str, types: str, result: str = "the same dtype") -> Callable[..., Tensor]:
    """A function of two tensors that is one op."""
    call = getattr(raw, op)

    def function(x: Any, y: Any, name: str | None = None) -> Tensor:
        return call(x, y, name=name)

    args = (
        f"        x: A tensor, {types}.\n"
        "        y: A tensor of the same dtype, whose shape broadcasts with that of `x`.\n"
    )
    return _documented(function, 2, name, summary, args, f"A tensor of the broadcast shape and {result}.")


_FLOATING = "floating"
_FLOATING_OR_COMPLEX = "floating or complex"
_REAL = "floating or integer"
_NUMBER = "floating, integer or complex"
_BOOL = "dtype bool"

negative = _of_one("Neg", "negative", "Returns -x.", _NUMBER)
sign = _of_one("Sign", "sign", "Returns -1, 0 or 1 by the sign of `x`; of complex numbers, x / |x|.", _NUMBER)
square = _of_one("Square", "square", "Returns x squared.", _NUMBER)
sqrt = _of_one("Sqrt", "sqrt", "Returns the square root; NaN for negative numbers.", _FLOATING_OR_COMPLEX)
rsqrt = _of_one("Rsqrt", "rsqrt", "Returns 1 / sqrt(x).", _FLOATING_OR_COMPLEX)
reciprocal = _of_one("Reciprocal", "reciprocal", "Returns 1 / x.", _FLOATING_OR_COMPLEX)
exp = _of_one("Exp", "exp", "Returns e to the power x.", _FLOATING_OR_COMPLEX)
expm1 = _of_one("Expm1", "expm1", "Returns exp(x) - 1, exact for small x too.", _FLOATING_OR_COMPLEX)
log = _of_one("Log", "log", "Returns the natural logarithm; NaN for negative numbers.", _FLOATING_OR_COMPLEX)
log1p = _of_one("Log1p", "log1p", "Returns log(1 + x), exact for small x too.", _FLOATING_OR_COMPLEX)
sin = _of_one("Sin", "sin", "Returns the sine of `x` in radians.", _FLOATING_OR_COMPLEX)
cos = _of_one("Cos", "cos", "Returns the cosine of `x` in radians.", _FLOATING_OR_COMPLEX)
tan = _of_one("Tan", "tan", "Returns the tangent of `x` in radians.", _FLOATING_OR_COMPLEX)
asin = _of_one("Asin", "asin", "Returns the inverse sine, in radians.", _FLOATING_OR_COMPLEX)
acos = _of_one("Acos", "acos", "Returns the inverse cosine, in radians.", _FLOATING_OR_COMPLEX)
atan = _of_one("Atan", "atan", "Returns the inverse tangent, in radians.", _FLOATING_OR_COMPLEX)
sinh = _of_one("Sinh", "sinh", "Returns the hyperbolic sine.", _FLOATING_OR_COMPLEX)
cosh = _of_one("Cosh", "cosh", "Returns the hyperbolic cosine.", _FLOATING_OR_COMPLEX)
asinh = _of_one("Asinh", "asinh", "Returns the inverse hyperbolic sine.", _FLOATING_OR_COMPLEX)
acosh = _of_one("Acosh", "acosh", "Returns the inverse hyperbolic cosine; NaN below 1.", _FLOATING_OR_COMPLEX)
atanh = _of_one("Atanh", "atanh", "Returns the inverse hyperbolic tangent; NaN outside [-1, 1].", _FLOATING_OR_COMPLEX)
erf = _of_one("Erf", "erf", "Returns the error function (Cody 1969).", _FLOATING)
erfc = _of_one("Erfc", "erfc", "Returns 1 - erf(x), exact for large x too.", _FLOATING)
erfinv = _of_one(
    "Erfinv", "erfinv", "Returns the inverse of the error function (AS 241); NaN outside [-1, 1].", _FLOATING
)
ndtri = _of_one("Ndtri", "ndtri", "Returns the standard normal distribution's quantile of x (AS 241).", _FLOATING)
lgamma = _of_one("Lgamma", "lgamma", "Returns the logarithm of |gamma(x)| (Lanczos).", _FLOATING)
digamma = _of_one("Digamma", "digamma", "Returns the derivative of `lgamma`; NaN at its poles 0, -1, ...", _FLOATING)
floor = _of_one("Floor", "floor", "Returns the largest whole number that is not above `x`.", _FLOATING)
ceil = _of_one("Ceil", "ceil", "Returns the smallest whole number that is not below `x`.", _FLOATING)
rint = _of_one("Rint", "rint", "Returns the nearest whole number, of two the even one.", _FLOATING)
is_nan = _of_one("IsNan", "is_nan", "Returns whether elements are NaN.", _FLOATING, "dtype bool")
is_inf = _of_one("IsInf", "is_inf", "Returns whether elements are infinite.", _FLOATING, "dtype bool")
is_finite = _of_one(
    "IsFinite", "is_finite", "Returns whether elements are neither infinite nor NaN.", _FLOATING, "dtype bool"
)
logical_not = _of_one("LogicalNot", "logical_not", "Returns whether elements are false.", _BOOL)

subtract = _of_two("Sub", "subtract", "Returns x - y.", _NUMBER)
multiply = _of_two("Mul", "multiply", "Returns x * y.", _NUMBER)
realdiv = _of_two("RealDiv", "realdiv", "Returns x / y.", _FLOATING_OR_COMPLEX)
truncatediv = _of_two("TruncateDiv", "truncatediv", "Returns x / y rounded towards zero.", _REAL)
truncatemod = _of_two(
    "TruncateMod", "truncatemod", "Returns the remainder of `truncatediv`, with the sign of x.", _REAL
)
floordiv = _of_two("FloorDiv", "floordiv", "Returns x / y rounded down.", _REAL)
floormod = _of_two("FloorMod", "floormod", "Returns the remainder of `floordiv`, with the sign of y.", _REAL)
mod = _of_two("FloorMod", "mod", "Returns the remainder of `floordiv`, with the sign of y.", _REAL)
pow = _of_two("Pow", "pow", "Returns x to the power y.", _NUMBER)
maximum = _of_two("Maximum", "maximum", "Returns the larger of x and y; NaN if either is.", _REAL)
minimum = _of_two("Minimum", "minimum", "Returns the smaller of x and y; NaN if either is.", _REAL)
squared_difference = _of_two("SquaredDifference", "squared_difference", "Returns (x - y) squared.", _NUMBER)
multiply_no_nan = _of_two(
    "MulNoNan", "multiply_no_nan", "Returns x * y, and 0 where y is 0 whatever x is.", _FLOATING_OR_COMPLEX
)
xdivy = _of_two("Xdivy", "xdivy", "Returns x / y, and 0 where x is 0 whatever y is.", _FLOATING_OR_COMPLEX)
xlogy = _of_two("Xlogy", "xlogy", "Returns x * log(y), and 0 where x is 0 whatever y is.", _FLOATING_OR_COMPLEX)
xlog1py = _of_two(
    "Xlog1py", "xlog1py", "Returns x * log(1 + y), and 0 where x is 0 whatever y is.", _FLOATING_OR_COMPLEX
)
less = _of_two("Less", "less", "Returns whether x < y.", _REAL, "dtype bool")
less_equal = _of_two("LessEqual", "less_equal", "Returns whether x <= y.", _REAL, "dtype bool")
greater = _of_two("Greater", "greater", "Returns whether x > y.", _REAL, "dtype bool")
greater_equal = _of_two("GreaterEqual", "greater_equal", "Returns whether x >= y.", _REAL, "dtype bool")
equal = _of_two("Equal", "equal", "Returns whether x == y.", "of any dtype", "dtype bool")
not_equal = _of_two("NotEqual", "not_equal", "Returns whether x != y.", "of any dtype", "dtype bool")
logical_and = _of_two("LogicalAnd", "logical_and", "Returns whether both x and y are true.", _BOOL)
logical_or = _of_two("LogicalOr", "logical_or", "Returns whether x or y is true.", _BOOL)

# ------------------------------------------------------------------------------------------------- arithmetic


@dispatched(elementwise=2)
def add(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns x + y; strings are joined.

    Args:
        x: A tensor of numbers or strings.
        y: A tensor of the same dtype, whose shape broadcasts with that of `x`.
        name: A name for the graph node.
    """
    x = convert_to_tensor(x)
    return (raw.Add if x.dtype is dtypes.string else raw.AddV2)(x, y, name=name)


@dispatched(elementwise=1)
def abs(x: Any, name: str | None = None) -> Tensor:
    """Returns the absolute value; of complex numbers, their size in the dtype of their parts."""
    x = convert_to_tensor(x)
    if x.dtype.is_complex:
        return raw.ComplexAbs(x, Tout=x.dtype.real_dtype, name=name)
    return raw.Abs(x, name=name)


@dispatched(elementwise=1)
def round(x: Any, name: str | None = None) -> Tensor:
    """Returns the nearest whole number, of two equally near the even one; integers are returned as they are."""
    x = convert_to_tensor(x)
    return x if x.dtype.is_integer else raw.Round(x, name=name)


@dispatched(elementwise=2)
def truediv(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns x / y as Python's `/` does: integers are made floating first.

    int8, uint8, int16 and uint16 become float32, larger integers float64.

    Raises:
        TypeError: The dtypes differ.
    """
    return true_divide(convert_to_tensor(x), y, name)


@dispatched(elementwise=2)
def divide(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns x / y; see `truediv`."""
    return truediv(x, y, name)


@dispatched(elementwise=2)
def divide_no_nan(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns x / y, and 0 where y is 0; integers are made floating first, as by `truediv`."""
    return true_divide(convert_to_tensor(x), y, name, raw.DivNoNan)


@dispatched(elementwise=1)
def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """Returns 1 / x, and 0 where x is 0."""
    x = convert_to_tensor(x)
    return raw.DivNoNan(convert_to_tensor(1, dtype=x.dtype), x, name=name)


@dispatched(elementwise=2)
def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor:
    """Returns a scalar times a tensor.

    Raises:
        ValueError: `scalar` is not a scalar.
    """
    x = convert_to_tensor(x)
    scalar = convert_to_tensor(scalar, dtype=x.dtype)
    if scalar.ndim not in (0, None):
        raise ValueError(f"The input scalar must be a 0-D value. Received shape {scalar.shape}.")
    return raw.Mul(scalar, x, name=name)


@dispatched(elementwise="list")
def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Adds all tensors of a list, which have one shape and dtype.

    Raises:
        ValueError: The list is empty.
    """
    tensors = [convert_to_tensor(item) for item in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
    if not tensors:
        raise ValueError("tf.add_n needs at least one tensor; got an empty list.")
    return tensors[0] if len(tensors) == 1 else raw.AddN(tensors, name=name)


@dispatched(elementwise="list")
def accumulate_n(inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str | None = None) -> Tensor:
    """Adds all tensors of a list; see `add_n`.

    Args:
        inputs: The tensors.
        shape: The shape that they must have.
        tensor_dtype: The dtype that they must have.
        name: A name for the graph node.

    Raises:
        ValueError: The list is empty, or a tensor has another shape or dtype.
    """
    tensors = [convert_to_tensor(item, dtype=tensor_dtype) for item in inputs]
    for tensor in tensors:
        if shape is not None and not tensor.shape.is_compatible_with(shape):
            raise ValueError(f"tf.math.accumulate_n needs tensors of shape {shape}; got one of {tensor.shape}.")
    return add_n(tensors, name)


def polyval(coeffs: Any, x: Any, name: str | None = None) -> Tensor:
    """Returns a polynomial's value, by Horner's rule.

    Args:
        coeffs: The coefficients, a list of tensors with the highest power's first.
        x: Where to evaluate it.
        name: A name for the graph node.

    Raises:
        ValueError: `coeffs` is not a list.
    """
    if not isinstance(coeffs, (list, tuple)):
        raise ValueError(f"coeffs must be a list of tensors, not {type(coeffs).__name__}.")
    x = convert_to_tensor(x)
    if not coeffs:
        return raw.ZerosLike(x, name=name)
    total = convert_to_tensor(coeffs[0], dtype_hint=x.dtype)
    for coefficient in coeffs[1:]:
        total = convert_to_tensor(coefficient, dtype_hint=x.dtype) + total * x
    return total


# ------------------------------------------------------------------------------------------------- special functions


@dispatched(elementwise=2)
def atan2(y: Any, x: Any, name: str | None = None) -> Tensor:
    """Returns the angle of the point (x, y) from the x axis in radians, in [-pi, pi]."""
    return raw.Atan2(y, x, name=name)


@dispatched(elementwise=2)
def nextafter(x1: Any, x2: Any, name: str | None = None) -> Tensor:
    """Returns the number next to `x1` in the direction of `x2` that the dtype (float32 or float64) can hold."""
    return raw.NextAfter(x1, x2, name=name)


@dispatched(elementwise=1)
def erfcinv(x: Any, name: str | None = None) -> Tensor:
    """Returns the inverse of `erfc`."""
    x = convert_to_tensor(x)
    return raw.Mul(raw.Ndtri(x * 0.5), -math.sqrt(0.5), name=name)


@dispatched(elementwise=2)
def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """Returns the a-th derivative of `digamma` at x, of float32 or float64; a is a whole number."""
    return raw.Polygamma(a, x, name=name)


@dispatched(elementwise=2)
def zeta(x: Any, q: Any, name: str | None = None) -> Tensor:
    """Returns the Hurwitz zeta function, the sum of (q + k)^-x over k from 0, of float32 or float64."""
    return raw.Zeta(x, q, name=name)


@dispatched(elementwise=1)
def log_sigmoid(x: Any, name: str | None = None) -> Tensor:
    """Returns log(1 / (1 + exp(-x))), exact for large negative x too."""
    return raw.Neg(raw.Softplus(-convert_to_tensor(x)), name=name)


@dispatched(elementwise=2)
def logical_xor(x: Any, y: Any, name: str | None = "LogicalXor") -> Tensor:
    """Returns whether exactly one of two bools is true."""
    return raw.LogicalAnd(raw.LogicalOr(x, y), raw.LogicalNot(raw.LogicalAnd(x, y)), name=name)


# ------------------------------------------------------------------------------------------------- casts, complex


@dispatched(elementwise=1)
def cast(x: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Converts to another dtype.

    Fractions are cut off by integers, numbers too large wrap around, and imaginary parts are dropped by real dtypes.

    Args:
        x: A tensor of numbers or bools.
        dtype: The dtype of the result.
        name: A name for the graph node.
    """
    wanted = as_dtype(dtype)
    x = convert_to_tensor(x)
    return x if x.dtype is wanted else raw.Cast(x, DstT=wanted, name=name)


@dispatched(elementwise=1)
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Converts to another dtype; numbers out of its range become its least or greatest."""
    value = convert_to_tensor(value)
    wanted = as_dtype(dtype)
    if value.dtype.is_complex:
        if wanted.is_complex:
            real_part, imag_part = (saturate_cast(part(value), wanted.real_dtype) for part in (real, imag))
            return complex(real_part, imag_part, name)
        value = real(value)
    source, target = value.dtype.np_dtype, wanted.real_dtype
    low = _inside(max(float(value.dtype.min), float(target.min)), int(target.min), source, target.is_integer)
    high = _inside(min(float(value.dtype.max), float(target.max)), int(target.max), source, target.is_integer)
    return cast(raw.ClipByValue(value, low, high), wanted, name)


def _inside(limit: float, exact: int, source: np.dtype, whole: bool) -> np.ndarray:
    """The limit in the source's dtype; the number next to it if that lies outside the target's range."""
    found = (
        np.asarray(limit).astype(source)
        if source.kind not in "iu"
        else np.asarray(max(np.iinfo(source).min, min(np.iinfo(source).max, exact)), source)
    )
    if whole and source.kind not in "iu" and builtins.abs(int(found)) > builtins.abs(exact):
        found = np.nextafter(found, np.zeros_like(found))
    return found


@dispatched(elementwise=2)
def complex(real: Any, imag: Any, name: str | None = None) -> Tensor:
    """Returns complex numbers of their parts.

    Args:
        real: The real parts, float32 or float64.
        imag: The imaginary parts, of the same dtype.
        name: A name for the graph node.

    Returns:
        A tensor of complex64 or complex128.
    """
    real = convert_to_tensor(real)
    imag = convert_to_tensor(imag, dtype_hint=real.dtype)
    wanted = {dtypes.float32: dtypes.complex64, dtypes.float64: dtypes.complex128}.get(real.dtype)
    if wanted is None or imag.dtype is not real.dtype:
        raise TypeError(
            f"real and imag must both be float32 or both float64; got {real.dtype.name} and {imag.dtype.name}."
        )
    return raw.Complex(real, imag, Tout=wanted, name=name)


@dispatched(elementwise=1)
def real(input: Any, name: str | None = None) -> Tensor:
    """Returns the real parts; of a real tensor, the tensor itself."""
    input = convert_to_tensor(input)
    return raw.Real(input, Tout=input.dtype.real_dtype, name=name) if input.dtype.is_complex else input


@dispatched(elementwise=1)
def imag(input: Any, name: str | None = None) -> Tensor:
    """Returns the imaginary parts; of a real tensor, zeros."""
    input = convert_to_tensor(input)
    if input.dtype.is_complex:
        return raw.Imag(input, Tout=input.dtype.real_dtype, name=name)
    return raw.ZerosLike(input)


@dispatched(elementwise=1)
def angle(input: Any, name: str | None = None) -> Tensor:
    """Returns the angles of complex numbers in radians, in [-pi, pi]; of negative real numbers pi, of others 0."""
    input = convert_to_tensor(input)
    if input.dtype.is_complex:
        return raw.Angle(input, Tout=input.dtype.real_dtype, name=name)
    pi = convert_to_tensor(np.asarray(math.pi, input.dtype.np_dtype))
    zeros = raw.ZerosLike(input)
    return raw.SelectV2(input < zeros, pi * raw.OnesLike(input), zeros)


@dispatched(elementwise=1)
def conj(x: Any, name: str | None = None) -> Tensor:
    """Returns the complex conjugates; of a real tensor, the tensor itself.

    Raises:
        TypeError: The dtype is not numeric.
    """
    x = convert_to_tensor(x)
    if x.dtype.is_complex:
        return raw.Conj(x, name=name)
    if x.dtype.is_numeric or x.dtype is dtypes.variant:
        return x
    raise TypeError(f"Expected numeric or variant tensor, got dtype {x.dtype!r}.")
