"""Reductions of `tf.math`, running totals, and where the largest element is."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.api.indexing import host_integers
from modtf.core.engine import raw
from modtf.core.engine.vocabulary import Op
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import EagerTensor, Tensor

__all__ = [
    "argmax", "argmin", "count_nonzero", "cumprod", "cumsum", "cumulative_logsumexp", "is_non_decreasing",
    "is_strictly_increasing", "lbeta", "reduce_all", "reduce_any", "reduce_euclidean_norm", "reduce_logsumexp", "reduce_max",
    "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- axes


@functools.cache
def _every_axis(rank: int) -> EagerTensor:
    return host_integers(range(rank), dtypes.int32)


def _axes(tensor: Tensor, axis: Any) -> Any:
    """The axes to reduce, as ops take them; `None` is all of them."""
    if axis is None:
        rank = tensor.ndim
        return _every_axis(rank) if rank is not None else raw.Range(0, raw.Rank(tensor), 1)
    if axis.__class__ is int or (axis.__class__ in (list, tuple) and all([item.__class__ is int for item in axis])):
        return host_integers(axis, dtypes.int32)
    return axis


def _reduced(op: Op, input_tensor: Any, axis: Any, keepdims: Any, name: str | None) -> Tensor:
    tensor = convert_to_tensor(input_tensor)
    return op(tensor, _axes(tensor, axis), keep_dims=bool(keepdims), name=name)


# ------------------------------------------------------------------------------------------------- reductions


@dispatched
def reduce_sum(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns the sum of elements over axes.

    Args:
        input_tensor: A tensor of a numeric dtype.
        axis: An axis or several, negative ones counted from the end; `None` for all.
        keepdims: Whether the reduced axes remain, with size 1.
        name: A name for the graph node.

    Returns:
        A tensor of the same dtype, without the reduced axes.
    """
    return _reduced(raw.Sum, input_tensor, axis, keepdims, name)


@dispatched
def reduce_prod(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns the product of elements over axes; arguments as for `reduce_sum`."""
    return _reduced(raw.Prod, input_tensor, axis, keepdims, name)


@dispatched
def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns the mean of elements over axes, of integers rounded towards zero; arguments as for `reduce_sum`."""
    return _reduced(raw.Mean, input_tensor, axis, keepdims, name)


@dispatched
def reduce_max(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns the largest element over axes, NaN if there is one; arguments as for `reduce_sum`, real numbers only.

    Of no elements it is the least number of the dtype.
    """
    return _reduced(raw.Max, input_tensor, axis, keepdims, name)


@dispatched
def reduce_min(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns the least element over axes, NaN if there is one; arguments as for `reduce_sum`, real numbers only.

    Of no elements it is the largest number of the dtype.
    """
    return _reduced(raw.Min, input_tensor, axis, keepdims, name)


@dispatched
def reduce_all(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns whether all elements over axes are true; arguments as for `reduce_sum`, of bools."""
    return _reduced(raw.All, input_tensor, axis, keepdims, name)


@dispatched
def reduce_any(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns whether any element over axes is true; arguments as for `reduce_sum`, of bools."""
    return _reduced(raw.Any, input_tensor, axis, keepdims, name)


def reduce_euclidean_norm(
    input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
) -> Tensor:
    """Returns the square root of the sum of squares over axes; arguments as for `reduce_sum`."""
    return _reduced(raw.EuclideanNorm, input_tensor, axis, bool(keepdims), name)


@dispatched
def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns the mean squared distance from the mean over axes; arguments as for `reduce_sum`.

    Of complex numbers it is real.

    Raises:
        TypeError: The dtype is neither floating nor complex.
    """
    tensor = convert_to_tensor(input_tensor)
    if not (tensor.dtype.is_floating or tensor.dtype.is_complex):
        raise TypeError(f"Input must be either real or complex. Received integer type {tensor.dtype}.")
    apart = tensor - reduce_mean(tensor, axis, True)
    if tensor.dtype.is_complex:
        squares = raw.Real(raw.Conj(apart) * apart, Tout=tensor.dtype.real_dtype)
    else:
        squares = raw.Square(apart)
    return reduce_mean(squares, axis, keepdims, name)


@dispatched
def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns the square root of `reduce_variance`."""
    return raw.Sqrt(reduce_variance(input_tensor, axis, keepdims), name=name)


def reduce_logsumexp(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Tensor:
    """Returns log(sum(exp(x))) over axes, without overflow; arguments as for `reduce_sum`, floating numbers only."""
    tensor = convert_to_tensor(input_tensor)
    axes = _axes(tensor, axis)
    largest = raw.Max(tensor, axes, keep_dims=True)
    anchor = raw.StopGradient(raw.SelectV2(raw.IsFinite(largest), largest, raw.ZerosLike(largest)))
    result = raw.Log(raw.Sum(raw.Exp(tensor - anchor), axes, keep_dims=bool(keepdims)))
    if not keepdims:
        anchor = raw.Reshape(anchor, raw.Shape(result))
    return raw.AddV2(result, anchor, name=name)


def count_nonzero(
    input: Any, axis: Any = None, keepdims: Any = None, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Returns how many elements over axes are not zero (not empty, of strings).

    Args:
        input: A tensor of numbers, bools or strings.
        axis: An axis or several; `None` for all.
        keepdims: Whether the reduced axes remain, with size 1.
        dtype: The dtype of the result.
        name: A name for the graph node.
    """
    tensor = convert_to_tensor(input)
    there = raw.Cast(raw.NotEqual(tensor, raw.ZerosLike(tensor)), DstT=dtypes.int64)
    return raw.Cast(reduce_sum(there, axis, keepdims), DstT=dtype, name=name)


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """Returns log|Beta(x)| over the last axis: the sum of lgamma(x) less lgamma of the sum."""
    tensor = convert_to_tensor(x)
    return raw.Sub(reduce_sum(raw.Lgamma(tensor), -1), raw.Lgamma(reduce_sum(tensor, -1)), name=name)


def _steps(x: Any) -> Tensor:
    flat = raw.Reshape(convert_to_tensor(x), [-1])
    return flat[1:] - flat[:-1]


def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Returns whether no element is less than the one before it, in row-major order."""
    steps = _steps(x)
    return reduce_all(steps >= raw.ZerosLike(steps), name=name)


def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Returns whether every element is greater than the one before it, in row-major order."""
    steps = _steps(x)
    return reduce_all(steps > raw.ZerosLike(steps), name=name)


# ------------------------------------------------------------------------------------------------- places


def argmax(input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """Returns the index of the largest element along an axis, the first of equal ones.

    Args:
        input: A tensor of real numbers or bools; NaN is passed over.
        axis: The axis; 0 if `None`.
        output_type: int32, int64, int16 or uint16.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: There is no such axis, or it is empty.
    """
    return raw.ArgMax(input, _axis(axis), output_type=as_dtype(output_type), name=name)


def argmin(input: Any, axis: Any = None, output_type: Any = dtypes.int64, name: str | None = None) -> Tensor:
    """Returns the index of the least element along an axis; arguments as for `argmax`, `output_type` int32 or int64."""
    return raw.ArgMin(input, _axis(axis), output_type=as_dtype(output_type), name=name)


def _axis(axis: Any) -> Any:
    axis = 0 if axis is None else axis
    return host_integers(axis, dtypes.int32) if isinstance(axis, (int, np.integer)) else axis


# ------------------------------------------------------------------------------------------------- running totals


@dispatched
def cumsum(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Returns the running sums along an axis.

    Args:
        x: A tensor of a numeric dtype.
        axis: The axis.
        exclusive: Whether each sum leaves out the element at its own place, so that the first is 0.
        reverse: Whether to sum from the end.
        name: A name for the graph node.

    Returns:
        A tensor of the shape and dtype of `x`.
    """
    return raw.Cumsum(x, _axis(axis), exclusive=exclusive, reverse=reverse, name=name)


def cumprod(x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Tensor:
    """Returns the running products along an axis; arguments as for `cumsum`."""
    return raw.Cumprod(x, _axis(axis), exclusive=exclusive, reverse=reverse, name=name)


def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Returns the running log(sum(exp(x))) along an axis; arguments as for `cumsum`, floating numbers only."""
    return raw.CumulativeLogsumexp(x, _axis(axis), exclusive=exclusive, reverse=reverse, name=name)
