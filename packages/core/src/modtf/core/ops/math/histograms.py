"""Numbers by bins and ranks: histograms, buckets, the n-th of each row, the greatest along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, normal_axis, unchanged, with_rank, with_rank_at_least
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import shape_of
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- bins


def _bins_dims(values: Tensor, value_range: Tensor, nbins: Tensor, *, dtype: DType) -> Dims:
    with_rank(value_range, 1, "value_range")
    with_rank(nbins, 0, "nbins")
    count = constant_value(nbins)
    if count is not None and count < 0:
        raise ValueError(f"Dimension size, given by scalar input 2, must be non-negative but is {int(count)}")
    return (None if count is None else int(count),)


@op(
    "HistogramFixedWidth[T: index|float32|float64](values: T, value_range: T, nbins: int32, *, "
    "dtype: type(index) = int32) -> (out: dtype)",
    shape=_bins_dims,
    host_only=True,
    quiet=True,
)
def histogram_fixed_width(
    xp: Any, values: np.ndarray, value_range: np.ndarray, nbins: np.ndarray, *, dtype: DType
) -> np.ndarray:
    if value_range.shape != (2,) or not value_range[0] < value_range[1]:
        raise InvalidArgumentError(f"value_range must be two numbers, the lower first; it is {value_range.tolist()}")
    if nbins.ndim or nbins <= 0:
        raise InvalidArgumentError(f"nbins should be a positive number, but got '{nbins}'")
    low, high = value_range.astype(np.float64)
    count = int(nbins)
    places = np.maximum(values.reshape(-1).astype(np.float64) - low, 0) / ((high - low) / count)
    places = np.minimum(np.nan_to_num(places, nan=0.0), count - 1).astype(np.int64)
    return np.bincount(places, minlength=count).astype(dtype.np_dtype)


@op("Bucketize[T: index|float32|float64](input: T, *, boundaries: list(float)) -> (output: int32)", shape=unchanged)
def bucketize(xp: Any, input: Any, *, boundaries: tuple[float, ...]) -> Any:
    if list(boundaries) != sorted(boundaries):
        raise InvalidArgumentError(f"Expected sorted boundaries, got {list(boundaries)}")
    if not boundaries:
        return xp.zeros(input.shape, dtype=xp.int32)
    wide = xp.astype(xp.reshape(input, (-1,)), xp.float64)
    places = xp.searchsorted(xp.asarray(np.array(boundaries, np.float64)), wide, side="right")
    return xp.astype(xp.reshape(places, input.shape), xp.int32)


bucketize.gradient(None)
histogram_fixed_width.gradient(None)

# ------------------------------------------------------------------------------------------------- ranks


def _nth_dims(input: Tensor, n: Tensor, *, reverse: bool) -> Dims:
    dims, rank = with_rank_at_least(input, 1, "input"), constant_value(n)
    with_rank(n, 0, "n")
    if rank is not None and rank < 0:
        raise ValueError(f"Input n must be non-negative but is {int(rank)}")
    if dims is not None and dims[-1] is not None and rank is not None and dims[-1] <= rank:
        raise ValueError(f"Input must have last dimension > n = {int(rank)} but is {dims[-1]}")
    return None if dims is None else dims[:-1]


@op(
    "NthElement[T: real](input: T, n: int32, *, reverse: bool = False) -> (values: T)",
    shape=_nth_dims,
    host_inputs=("n",),
)
def nth_element(xp: Any, input: Any, n: np.ndarray, *, reverse: bool) -> Any:
    if not len(input.shape):
        raise ValueError("input must be >= 1-D, got shape []")
    size, rank = input.shape[-1], int(n)
    if not 0 <= rank < size:
        raise ValueError(f"input must have at least n+1={rank + 1} columns, and n not be negative; it has {size}")
    return xp.sort(input, axis=-1)[..., size - 1 - rank if reverse else rank]


@nth_element.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    # Shared evenly among equals.
    x = call.inputs[0]
    equal = raw.Cast(raw.Equal(x, raw.ExpandDims(call.outputs[0], -1)), DstT=dy.dtype)
    return equal / raw.Sum(equal, -1, keep_dims=True) * raw.ExpandDims(dy, -1), None


def _top_dims(input: Tensor, *, k: int, reduction_dimension: int, aggregate_to_topk: bool, **attrs: Any) -> list[Dims]:
    dims = with_rank_at_least(input, 1, "input")
    if dims is None:
        return [None, None]
    axis = normal_axis(reduction_dimension, len(dims))
    size = dims[axis]
    if size is not None and size < k:
        raise ValueError(f"input must have last dimension >= k = {k} but was {size}")
    result = (*dims[:axis], k if aggregate_to_topk else None, *dims[axis + 1 :])
    return [result, result]


@op(
    "ApproxTopK[T: bfloat16|float16|float32](input: T, *, k: int, reduction_dimension: int = -1, "
    "recall_target: float = 0.95, is_max_k: bool = True, reduction_input_size_override: int = -1, "
    "aggregate_to_topk: bool = True) -> (values: T, indices: int32)",
    shape=_top_dims,
)
def approx_top_k(
    xp: Any, input: Any, *, k: int, reduction_dimension: int, is_max_k: bool, **attrs: Any
) -> tuple[Any, Any]:
    """Exact, as TensorFlow's is on CPUs."""
    axis = normal_axis(reduction_dimension, len(input.shape))
    if not 0 <= k <= input.shape[axis]:
        raise ValueError(f"input must have at least k = {k} elements along axis {axis}; it has {input.shape[axis]}")
    order = xp.argsort(-input if is_max_k else input, axis=axis, stable=True)
    chosen = order[(slice(None),) * axis + (slice(0, k),)]
    return xp.take_along_axis(input, chosen, axis=axis), xp.astype(chosen, xp.int32)


@approx_top_k.gradient
def _(call: Any, d_values: Tensor, d_indices: Any) -> Tensor:
    x, indices = call.inputs[0], call.outputs[1]
    if x.ndim is None:
        raise ValueError("The gradient of ApproxTopK needs an input of a known rank")
    axis = normal_axis(call["reduction_dimension"], x.ndim)
    shape = raw.Shape(indices)
    coordinates = []
    for other in range(x.ndim):
        along = raw.Reshape(raw.Range(0, shape[other], 1), [-1 if other == place else 1 for place in range(x.ndim)])
        coordinates.append(indices if other == axis else raw.BroadcastTo(along, shape))
    return raw.ScatterNd(raw.Pack(coordinates, axis=-1), d_values, shape_of(x))
