"""Conversion between dtypes; the parts of complex numbers."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import broadcast, unchanged
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, op, register
from modtf.core.ops.common import like, unbroadcast
from modtf.core.ops.kinds import dtype_of
from modtf.core.values.dtypes import DType, bfloat16, float64, string
from modtf.core.values.errors import InvalidArgumentError, UnimplementedError
from modtf.core.values.tensors import Tensor


def _dropping_bits(xp: Any, x: Any, target: DType) -> Any:
    """The operand with the bits of its significand cleared that the target has no place for."""
    source = dtype_of(x)
    if not (source.is_floating and target.is_floating and target.size < source.size):
        return x
    if source is float64 and target is bfloat16:  # rounded all the same, as in TensorFlow
        return x
    surplus = ml_dtypes.finfo(source.np_dtype).nmant - ml_dtypes.finfo(target.np_dtype).nmant
    bits = x.view(getattr(xp, f"uint{8 * source.size}"))
    return ((bits >> surplus) << surplus).view(x.dtype)


def cast_to(xp: Any, x: Any, target: DType, truncate: bool = False) -> Any:
    """Converts numbers to another dtype; `truncate` cuts off what a shorter floating dtype cannot hold."""
    if dtype_of(x).is_complex and not target.is_complex:
        x = xp.real(x)
    if truncate:
        x = _dropping_bits(xp, x, target)
    return xp.astype(x, find_kernel_dtype(xp, target))


@op("Cast[SrcT](x: SrcT, *, DstT: type, Truncate: bool = False) -> (y: DstT)", shape=unchanged, quiet=True)
def cast(xp: Any, x: Any, *, DstT: DType, Truncate: bool) -> Any:
    if x.dtype == object and DstT is string:
        return x
    if x.dtype == object or DstT is string:
        raise UnimplementedError("Strings are not cast; see tf.strings.to_number and tf.strings.as_string")
    return cast_to(xp, x, DstT, Truncate)


@cast.gradient
def _(call: Any, dy: Tensor) -> Any:
    source = call.inputs[0].dtype
    return raw.Cast(dy, DstT=source) if source.is_differentiable else None


conjugate = register(
    Op("Conj[T: complex|variant = complex64](input: T) -> (output: T)", kernel="conj", shape=unchanged)
)
conjugate.gradient(lambda call, dy: raw.Conj(dy))


def _part(name: str, function: Any, types: str = "input", output: str = "output", quiet: bool = False) -> Op:
    """An op from complex numbers to real ones; `function(xp, x)`."""
    schema = f"{name}[T: complex = complex64]({types}: T, *, Tout: type(float32|float64) = float32) -> ({output}: Tout)"

    def kernel(xp: Any, x: Any, *, Tout: DType) -> Any:
        if dtype_of(x).real_dtype is not Tout:
            raise InvalidArgumentError(
                f"Tout must be {dtype_of(x).real_dtype.name} for {dtype_of(x).name}, not {Tout.name}"
            )
        return xp.astype(function(xp, x), find_kernel_dtype(xp, Tout))

    return register(Op(schema, kernel=kernel, shape=unchanged, quiet=quiet))


def _complex(real: Tensor, imag: Tensor, like_: Tensor) -> Tensor:
    return raw.Complex(real, imag, Tout=like_.dtype)


_part("Real", lambda xp, x: xp.real(x)).gradient(lambda call, dy: _complex(dy, like(dy, 0), call.inputs[0]))
_part("Imag", lambda xp, x: xp.imag(x)).gradient(lambda call, dy: _complex(like(dy, 0), dy, call.inputs[0]))
absolute = _part("ComplexAbs", lambda xp, x: xp.abs(x), "x", "y", quiet=True)
angle = _part("Angle", lambda xp, x: xp.atan2(xp.imag(x), xp.real(x)), quiet=True)


@absolute.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    x, size = call.inputs[0], call.outputs[0]
    return raw.DivNoNan(_complex(dy, like(dy, 0), x) * x, _complex(size, like(size, 0), x))


@angle.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    x = call.inputs[0]
    real, imag = raw.Real(x, Tout=dy.dtype), raw.Imag(x, Tout=dy.dtype)
    # As TensorFlow defines it: -1 / (im + i re), times the gradient.
    return -_complex(dy, like(dy, 0), x) * raw.Reciprocal(_complex(imag, real, x))


@op(
    "Complex[T: float32|float64 = float32](real: T, imag: T, *, Tout: type(complex) = complex64) -> (out: Tout)",
    shape=broadcast,
)
def make_complex(xp: Any, real: Any, imag: Any, *, Tout: DType) -> Any:
    if dtype_of(real) is not Tout.real_dtype:
        raise InvalidArgumentError(f"Tout {Tout.name} is made of {Tout.real_dtype.name}, not of {dtype_of(real).name}")
    target = find_kernel_dtype(xp, Tout)
    if xp is np:  # a product with 1j would make NaNs of infinities
        out = np.empty(np.broadcast_shapes(real.shape, imag.shape), target)
        out.real, out.imag = real, imag
        return out
    return xp.astype(real, target) + xp.astype(imag, target) * 1j


@make_complex.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    real, imag = call.inputs
    return (
        unbroadcast(raw.Real(dy, Tout=real.dtype), real, imag),
        unbroadcast(raw.Imag(dy, Tout=real.dtype), imag, real),
    )
