"""Fourier transforms: of complex numbers, and of real ones to and from the half of the spectrum that says all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, with_rank_at_least
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, register
from modtf.core.ops.common import shape_of
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_FIRST = np.int32(0)

# ------------------------------------------------------------------------------------------------- kernels


def _halved(length: int) -> int:
    """How much of the spectrum of `length` real numbers says all."""
    return length // 2 + 1 if length else 0


def _checked_axes(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """The axes counted from the front."""
    if rank < len(axes):
        raise ValueError(f"Input must have rank of at least {len(axes)}, but its rank is {rank}")
    if any(not -rank <= axis < rank for axis in axes) or len({axis % rank for axis in axes}) < len(axes):
        raise InvalidArgumentError(f"axes must be different axes of a tensor of rank {rank}, but are {list(axes)}")
    return tuple(axis % rank for axis in axes)


def _transform(xp: Any, function: str, x: Any, lengths: Sequence[int], axes: tuple[int, ...], dtype: Any) -> Any:
    """Runs a function of `xp.fft`; what is longer than its length is cut off."""
    if len(lengths) != len(axes):
        raise ValueError(f"fft_length must have shape [{len(axes)}], but it is {list(lengths)}")
    if any(length < 0 for length in lengths):
        raise InvalidArgumentError(f"fft_length must be >= 0, but is {list(lengths)}")
    needed, given = list(lengths), list(x.shape)
    if function == "irfftn" and axes:
        needed[-1] = _halved(lengths[-1])
    for axis, length in zip(axes, needed, strict=True):
        if given[axis] < length and 0 not in given:
            raise InvalidArgumentError(
                f"Input dimension {axis} must have length of at least {length} but got: {given[axis]}"
            )
        given[axis] = length
    if not axes:
        return xp.astype(x, dtype)
    if 0 in x.shape or 0 in given:
        given[axes[-1]] = _halved(lengths[-1]) if function == "rfftn" else lengths[-1]
        return xp.zeros(tuple(given), dtype=dtype)
    return xp.astype(getattr(xp.fft, function)(x, s=tuple(lengths), axes=axes), dtype)


def _integers(array: np.ndarray) -> list[int]:
    return [int(item) for item in np.reshape(array, -1)]


# ------------------------------------------------------------------------------------------------- shapes


def _dims(input: Tensor, lengths: Tensor, axes: Sequence[int] | None, is_halved: bool) -> Dims:
    dims, known = input.dims, dims_from_value(lengths)
    if dims is None:
        return None
    if axes is None:
        return (None,) * len(dims)
    places = _checked_axes(axes, len(dims))
    if known is not None and len(known) != len(places):
        raise ValueError(f"fft_length must have shape [{len(places)}], but has {[len(known)]}")
    result = list(dims)
    for axis, length in zip(places, known or (None,) * len(places), strict=True):
        result[axis] = length
    if is_halved and places and (length := result[places[-1]]) is not None:
        result[places[-1]] = _halved(length)
    return tuple(result)


# ------------------------------------------------------------------------------------------------- gradients


def _back_in_shape(gradient: Tensor, x: Tensor) -> Tensor:
    """The gradient with zeros for what the transform cut off."""
    if gradient.dims == x.dims and gradient.dims is not None and None not in gradient.dims:
        return gradient
    missing = raw.Sub(shape_of(x), shape_of(gradient))
    return raw.Pad(gradient, raw.Pack([raw.ZerosLike(missing), missing], axis=1))


def _weights(lengths: Tensor, axis: int, inside: float, dtype: DType) -> Tensor:
    """Factors for half a spectrum along an axis counted from the back: `inside` where an element stands for two, else 1."""
    length = lengths[-1]
    place = raw.Range(_FIRST, length // 2 + 1, np.int32(1))
    alone = raw.LogicalOr(raw.Equal(place, _FIRST), raw.Equal(place * 2, length))
    weights = raw.Cast(raw.SelectV2(alone, np.float64(1), np.float64(inside)), DstT=dtype)
    return raw.Reshape(weights, np.array([-1] + [1] * (-1 - axis), np.int32))


# ------------------------------------------------------------------------------------------------- the ops

_SCHEMAS = {
    "FFT": "{}[Tcomplex: complex = complex64](input: Tcomplex{}) -> (output: Tcomplex)",
    "RFFT": (
        "{}[Treal: float32|float64 = float32](input: Treal{}, *, Tcomplex: type(complex) = complex64) "
        "-> (output: Tcomplex)"
    ),
    "IRFFT": (
        "{}[Tcomplex: complex = complex64](input: Tcomplex{}, *, Treal: type(float32|float64) = float32) "
        "-> (output: Treal)"
    ),
}
_SCHEMAS["IFFT"] = _SCHEMAS["FFT"]
_BACK = {"FFT": "IFFT", "IFFT": "FFT", "RFFT": "IRFFT", "IRFFT": "RFFT"}


def _register(family: str, suffix: str, rank: int | None) -> None:
    """Registers a transform.

    Args:
        family: `"FFT"`, `"IFFT"`, `"RFFT"` or `"IRFFT"`.
        suffix: What follows it in the op's name.
        rank: How many axes, the last ones, it is of; `None` if the axes are an input.
    """
    function, name = f"{family.lower()}n", f"{family}{suffix}"
    is_real, is_back = "R" in family, family.startswith("I")
    has_lengths = is_real or rank is None
    last_axes = None if rank is None else list(range(-rank, 0))
    inputs = (", fft_length: int32" if has_lengths else "") + (", axes: int32" if rank is None else "")

    def kernel(xp: Any, input: Any, *sizes: np.ndarray, **dtypes: DType) -> Any:
        if any(array.ndim != 1 for array in sizes):
            raise ValueError(f"fft_length and axes must be vectors; the shapes are {[list(a.shape) for a in sizes]}")
        axes = _checked_axes(_integers(sizes[1]) if last_axes is None else last_axes, input.ndim)
        lengths = _integers(sizes[0]) if has_lengths else [input.shape[axis] for axis in axes]
        dtype = input.dtype
        for target in dtypes.values():
            wide = str(input.dtype) in ("float64", "complex128")
            if wide != (target.name in ("float64", "complex128")):
                raise InvalidArgumentError(f"Wrong types for {name}: {input.dtype} in, {target.name} out")
            dtype = find_kernel_dtype(xp, target)
        return _transform(xp, function, input, lengths, axes, dtype)

    def shape(input: Tensor, *sizes: Tensor, **dtypes: DType) -> Dims:
        if not has_lengths:
            return with_rank_at_least(input, rank or 0, "input")
        axes: Sequence[int] | None = last_axes
        if axes is None:
            value = constant_value(sizes[1])
            axes = None if value is None else _integers(value)
        elif with_rank_at_least(input, len(axes), "input") is None:
            return None
        return _dims(input, sizes[0], axes, family == "RFFT")

    host_inputs = [known for known in ("fft_length", "axes") if known in inputs]
    made = register(Op(_SCHEMAS[family].format(name, inputs), kernel=kernel, shape=shape, host_inputs=host_inputs))

    @made.gradient
    def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        x, *sizes = call.inputs
        lengths = sizes[0] if has_lengths else raw.Shape(dy)[-(rank or 0) :]
        size = raw.Cast(raw.Prod(lengths, _FIRST), DstT=x.dtype)
        other = getattr(raw, f"{_BACK[family]}{suffix}")
        if not is_real:
            turned = other(dy, *sizes)
        else:
            axis = -1 if last_axes is not None else _last_axis(sizes[1], x)
            if is_back:
                turned = other(dy, *sizes, Tcomplex=x.dtype) * _weights(lengths, axis, 2, x.dtype)
            else:
                turned = other(dy * _weights(lengths, axis, 0.5, dy.dtype), *sizes, Treal=x.dtype)
        turned = turned / size if is_back else turned * size
        return _back_in_shape(turned, x) if has_lengths else turned, *[None for _ in sizes]


def _last_axis(axes: Tensor, x: Tensor) -> int:
    """The last of the axes, counted from the back."""
    known = constant_value(axes)
    if known is None or x.ndim is None:
        raise NotImplementedError(
            "The gradient of a transform over axes needs to know them, and the rank, while tracing."
        )
    return int(known[-1]) % x.ndim - x.ndim


for _family in _SCHEMAS:
    for _suffix, _rank in (("", 1), ("2D", 2), ("3D", 3), ("ND", None)):
        _register(_family, _suffix, _rank)
