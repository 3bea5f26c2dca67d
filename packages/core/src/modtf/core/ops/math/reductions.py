"""Reductions over axes: sums, means, products, norms, extremes and where they are, logical ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, normal_axis, reduced_dims
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, register
from modtf.core.ops.common import conj
from modtf.core.ops.kinds import dtype_of
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def reduction_dims(input: Tensor, reduction_indices: Tensor, *, keep_dims: bool) -> Dims:
    """The shape rule of reductions."""
    axes = constant_value(reduction_indices)
    return reduced_dims(input.dims, None if axes is None else list(axes.reshape(-1)), keep_dims)


def _reduction(name: str, types: str, reduce: Any, gradient: Any) -> None:
    """`reduce(xp, x, axis, keepdims)` reduces over a tuple of axes, which is not empty."""
    kind = "T" if types else "bool"
    schema = (
        f"{name}[{f'T: {types}, ' if types else ''}Tidx: index = int32](input: {kind}, reduction_indices: Tidx, *, "
        f"keep_dims: bool = False) -> (output: {kind})"
    )

    def kernel(xp: Any, input: Any, reduction_indices: np.ndarray, *, keep_dims: bool) -> Any:
        axes = tuple(int(item) for item in np.reshape(reduction_indices, -1))
        if len(axes) > 1 and len({axis % input.ndim for axis in axes}) < len(axes):
            raise ValueError(f"The axes to reduce over must differ; they are {list(axes)}")
        return reduce(xp, input, axes, keep_dims)

    made = register(Op(schema, kernel=kernel, shape=reduction_dims, host_inputs=("reduction_indices",), quiet=True))
    made.gradient(gradient)


def _standard(function: str) -> Any:
    """The namespace's own reduction of that name."""

    def reduce(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        return getattr(xp, function)(x, axis=axes, keepdims=keepdims) if axes else x

    return reduce


def _accumulated(function: str) -> Any:
    """The namespace's sum or product in the dtype of the operand."""

    def reduce(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        return getattr(xp, function)(x, axis=axes, keepdims=keepdims, dtype=x.dtype) if axes else x

    return widened(reduce)


def _extreme(function: str, limit: str) -> Any:
    def reduce(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        if not axes:
            return x
        if any(x.shape[axis] == 0 for axis in axes):  # of nothing, the largest is as small as can be
            dtype = dtype_of(x)
            value = getattr(dtype, limit) if dtype.is_integer else {"min": -np.inf, "max": np.inf}[limit]
            return xp.full(reduced_dims(x.shape, axes, keepdims), value, dtype=x.dtype)
        return getattr(xp, function)(x, axis=axes, keepdims=keepdims)

    return reduce


@widened
def _mean(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    if not axes:
        return x
    count = math.prod(x.shape[axis] for axis in axes)
    total = xp.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype)
    if dtype_of(x).is_integer:  # rounded towards zero
        return xp.astype(xp.trunc(total / max(count, 1)), x.dtype)
    return total / xp.asarray(count, dtype=x.dtype)


@widened
def _euclidean_norm(xp: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    squares = xp.conj(x) * x if dtype_of(x).is_complex else x * x
    total = xp.sum(squares, axis=axes, keepdims=keepdims, dtype=x.dtype) if axes else squares
    root = xp.sqrt(xp.astype(total, xp.float64) if dtype_of(x).is_integer else total)
    return xp.astype(root, x.dtype)


def kept_shape(call: Any) -> Tensor:
    """The shape of a reduction's output had it kept its axes, as a tensor."""
    input, axis = call.inputs
    known = reduction_dims(input, axis, keep_dims=True)
    if known is not None and None not in known:
        return np.array(known, np.int32)  # type: ignore[return-value]
    rank = raw.Rank(input)
    positions = raw.FloorMod(raw.Cast(axis, DstT="int32") + rank, rank)
    return raw.TensorScatterUpdate(
        raw.Shape(input), raw.ExpandDims(raw.Reshape(positions, [-1]), 1), raw.OnesLike(raw.Reshape(positions, [-1]))
    )


def _spread(call: Any, dy: Tensor) -> Tensor:
    """The gradient repeated over the axes that were reduced."""
    return raw.BroadcastTo(raw.Reshape(dy, kept_shape(call)), raw.Shape(call.inputs[0]))


def _sum_gradient(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    return _spread(call, dy), None


def _mean_gradient(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    count = raw.Size(call.inputs[0]) // raw.Maximum(raw.Size(call.outputs[0]), 1)
    return _spread(call, dy) / raw.Cast(count, DstT=dy.dtype), None


def _prod_gradient(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    # Of the product without each element, so that zeros need no division: cumulative products from both sides over
    # the reduced axes brought to the front and made one.
    x, axis = call.inputs
    rank = raw.Rank(x)
    reduced = raw.FloorMod(raw.Reshape(raw.Cast(axis, DstT="int32"), [-1]) + rank, rank)
    kept, _ = raw.ListDiff(raw.Range(0, rank, 1), reduced)
    order = raw.ConcatV2([reduced, kept], 0)
    moved = raw.Transpose(x, order)
    moved_shape = raw.Shape(moved)
    counts = [raw.Prod(raw.GatherV2(raw.Shape(x), axes, 0), 0) for axes in (reduced, kept)]
    flat = raw.Reshape(moved, raw.Pack(counts))
    before = raw.Cumprod(flat, 0, exclusive=True)
    after = raw.Cumprod(flat, 0, exclusive=True, reverse=True)
    others = raw.Transpose(raw.Reshape(conj(before * after), moved_shape), raw.InvertPermutation(order))
    return _spread(call, dy) * others, None


def _extreme_gradient(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    # Shared evenly among equal extremes, as in TensorFlow.
    x, axis = call.inputs
    chosen = raw.Cast(raw.Equal(x, raw.Reshape(call.outputs[0], kept_shape(call))), DstT=x.dtype)
    count = raw.Sum(chosen, axis, keep_dims=True)
    return chosen / count * _spread(call, dy), None


def _euclidean_norm_gradient(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    norm = raw.Reshape(call.outputs[0], kept_shape(call))
    return call.inputs[0] / (norm / raw.Reshape(dy, kept_shape(call))), None


_reduction("Sum", "number|quantized", _accumulated("sum"), _sum_gradient)
_reduction("Prod", "number|quantized", _accumulated("prod"), _prod_gradient)
_reduction("Mean", "number|quantized", _mean, _mean_gradient)
_reduction("EuclideanNorm", "number|quantized", _euclidean_norm, _euclidean_norm_gradient)
_reduction("Max", "real|quantized", _extreme("max", "min"), _extreme_gradient)
_reduction("Min", "real|quantized", _extreme("min", "max"), _extreme_gradient)
_reduction("All", "", _standard("all"), None)
_reduction("Any", "", _standard("any"), None)


# ------------------------------------------------------------------------------------------------- where extremes are


def _place_dims(input: Tensor, dimension: Tensor, *, output_type: DType) -> Dims:
    axis = constant_value(dimension)
    if input.dims is None or axis is None:
        return None if input.ndim is None else (None,) * (input.ndim - 1)
    gone = normal_axis(int(axis), len(input.dims))
    return input.dims[:gone] + input.dims[gone + 1 :]


def _place_of_extreme(name: str, function: str, never: float, axis_types: str, output_types: str) -> None:
    def kernel(xp: Any, input: Any, dimension: np.ndarray, *, output_type: DType) -> Any:
        if dimension.ndim:
            raise ValueError(f"dimension must be a scalar, not of shape {list(dimension.shape)}")
        axis = normal_axis(int(dimension), input.ndim)
        if input.shape[axis] == 0:
            raise ValueError(f"Reduction axis {axis} is empty in shape {list(input.shape)}")
        dtype = dtype_of(input)
        if dtype.is_bool:
            input = xp.astype(input, xp.uint8)
        elif dtype.is_floating:  # NaN is passed over
            input = xp.where(xp.isnan(input), xp.full_like(input, never), input)
        return xp.astype(getattr(xp, function)(input, axis=axis), find_kernel_dtype(xp, output_type), copy=False)

    schema = (
        f"{name}[T: real|quantized|bool, Tidx: {axis_types} = int32](input: T, dimension: Tidx, *, "
        f"output_type: type({output_types}) = int64) -> (output: output_type)"
    )
    register(Op(schema, kernel=kernel, shape=_place_dims, host_inputs=("dimension",))).gradient(None)


_place_of_extreme("ArgMax", "argmax", -np.inf, "int16|index", "int16|uint16|index")
_place_of_extreme("ArgMin", "argmin", np.inf, "index", "index")
