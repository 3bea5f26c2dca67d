"""Reductions over axes: sums, products, extremes, logical ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, reduced_dims
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.common import conj
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def reduction_dims(input: Tensor, axis: Tensor, *, keep_dims: bool) -> Dims:  # noqa: A002 (the schema's name)
    """The shape rule of reductions."""
    axes = constant_value(axis)
    return reduced_dims(input.dims, None if axes is None else list(axes.reshape(-1)), keep_dims)


def _axes(axis: np.ndarray) -> tuple[int, ...]:
    return tuple(int(item) for item in np.reshape(axis, -1))


def _reduction(name: str, types: str, function: str, gradient: Any, axis_name: str = "Tidx", keep_dtype: bool = False) -> None:
    schema = (
        f"{name}[{types}{axis_name}: index = int32](input: {'T' if types else 'bool'}, axis: {axis_name}, *, "
        f"keep_dims: bool = False) -> (output: {'T' if types else 'bool'})"
    )

    def kernel(xp: Any, input: Any, axis: np.ndarray, *, keep_dims: bool) -> Any:  # noqa: A002
        axes = _axes(axis)
        if not axes:  # nothing to reduce; an empty tuple means all axes to some namespaces
            return input
        if keep_dtype:
            return getattr(xp, function)(input, axis=axes, keepdims=keep_dims, dtype=input.dtype)
        return getattr(xp, function)(input, axis=axes, keepdims=keep_dims)

    made = register(Op(schema, kernel=kernel, shape=reduction_dims, host_inputs=("axis",), quiet=True))
    made.gradient(gradient)


def kept_shape(call: Any) -> Tensor:
    """The shape of a reduction's output had it kept its axes, as a tensor."""
    input, axis = call.inputs  # noqa: A001
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
    count = raw.Prod(raw.GatherV2(raw.Shape(x), reduced, 0), 0)
    flat = raw.Reshape(moved, raw.Pack([count, -1]))
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


_reduction("Sum", "T: number, ", "sum", _sum_gradient, keep_dtype=True)
_reduction("Prod", "T: number, ", "prod", _prod_gradient, keep_dtype=True)
_reduction("Mean", "T: number, ", "mean", _mean_gradient)
_reduction("Max", "T: real, ", "max", _extreme_gradient)
_reduction("Min", "T: real, ", "min", _extreme_gradient)
_reduction("All", "", "all", None)
_reduction("Any", "", "any", None)
