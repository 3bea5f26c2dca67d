"""Reductions of ragged tensors, segments of them, running sums, softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api import reductions, segments
from modtf.core.api.elementwise import exp, sqrt, square, truediv
from modtf.core.api.ragged.broadcasting import check_splits_dtypes, to_ragged_or_tensor
from modtf.core.api.ragged.checks import require
from modtf.core.api.ragged.gathering import stable_order
from modtf.core.api.ragged.joining import expand_dims
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import int32, int64
from modtf.core.values.ragged import RaggedTensor, RowPartition
from modtf.core.values.ragged.tensor import normal_axis
from modtf.core.values.tensors import Tensor

Aggregate = Callable[[Tensor, Tensor, Tensor], Tensor]
"""From rows, their segment numbers and the number of segments to a row for each segment."""

# ------------------------------------------------------------------------------------------------- segments


def segmented(aggregate: Aggregate, data: Any, segment_ids: Any, num_segments: Any) -> Any:
    """Reduces the rows of a tensor or ragged tensor that share a segment number.

    Args:
        aggregate: How, for tensors.
        data: The rows. Those of a ragged tensor are laid above each other: elements are reduced that stand at the same
            place in their rows.
        segment_ids: Their segment numbers; for the elements of rows, if it is ragged as `data` is.
        num_segments: The number of segments.
    """
    values, ids = to_ragged_or_tensor(data), to_ragged_or_tensor(segment_ids, int64)
    check_splits_dtypes([values, ids])
    if isinstance(ids, RaggedTensor):
        if not isinstance(values, RaggedTensor):
            raise ValueError("If segment_ids is ragged, then data must be ragged too, with the same rows.")
        if values.row_splits is not ids.row_splits:
            same = raw.Equal(values.row_splits, ids.row_splits, incompatible_shape_error=False)
            shown = {"data": values.row_splits, "segment_ids": ids.row_splits}
            require(same, "segment_ids.shape must be a prefix of data.shape", shown)
        return segmented(aggregate, values.values, ids.values, num_segments)
    if ids.dtype not in (int32, int64):
        raise TypeError(f"segment_ids must be int32 or int64, not {ids.dtype.name}.")
    if not isinstance(values, RaggedTensor):
        return aggregate(values, ids, num_segments)
    dtype = values.row_partition.dtype
    numbers = ids if ids.dtype is dtype else raw.Cast(ids, DstT=dtype)
    count = raw.Cast(convert_to_tensor(num_segments), DstT=dtype)
    longest = raw.UnsortedSegmentMax(values.row_lengths(), numbers, count)
    partition = RowPartition.from_row_lengths(raw.Maximum(longest, longest * 0), validate=False)
    # Each element goes to its place in the result's row.
    segment_of = raw.GatherV2(numbers, values.value_rowids(), 0)
    there = raw.GreaterEqual(segment_of, segment_of * 0)
    starts = raw.GatherV2(partition.row_splits(), raw.Maximum(segment_of, segment_of * 0), 0)
    places = raw.SelectV2(there, starts + values.row_partition.offsets_in_rows(), starts * 0 - 1)
    return RaggedTensor(segmented(aggregate, values.values, places, partition.nvals()), partition)


def _sizes(data: Any) -> Any:
    """Ones for the values, in their dtype or one that counts."""
    return data.with_flat_values(_sizes(data.flat_values)) if isinstance(data, RaggedTensor) else raw.OnesLike(data)


def _map_two(function: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    """Applies a function to the flat values of two ragged tensors with the same rows, or to two tensors."""
    if isinstance(x, RaggedTensor):
        return x.with_flat_values(function(x.flat_values, y.flat_values))
    return function(x, y)


def unsorted_segment(function: Any) -> Callable[..., Any]:
    """What a function such as `tf.math.unsorted_segment_sum` does with ragged tensors."""

    def ragged(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
        return segmented(lambda *args: function(*args), data, segment_ids, num_segments)

    return ragged


def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Returns the means of segments; see `tf.math.unsorted_segment_mean`."""
    values = to_ragged_or_tensor(data)
    totals = segmented(raw.UnsortedSegmentSum, values, segment_ids, num_segments)
    return _map_two(truediv, totals, segmented(raw.UnsortedSegmentSum, _sizes(values), segment_ids, num_segments))


def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Any:
    """Returns the sums of segments over the roots of their sizes; see `tf.math.unsorted_segment_sqrt_n`."""
    values = to_ragged_or_tensor(data)
    totals = segmented(raw.UnsortedSegmentSum, values, segment_ids, num_segments)
    sizes = segmented(raw.UnsortedSegmentSum, _sizes(values), segment_ids, num_segments)
    return _map_two(lambda total, size: truediv(total, sqrt(size)), totals, sizes)


# ------------------------------------------------------------------------------------------------- reductions


def _axes(rt: RaggedTensor, axis: Any) -> list[int] | None:
    """The axes as a list, from the last one; `None` for all."""
    if isinstance(axis, Tensor):
        value = constant_value(axis)
        if value is None:
            raise ValueError("axis must be known at graph construction time.")
        axis = value
    if axis is None:
        return None
    axes = {normal_axis(int(item), rt.shape.rank, "axis") for item in np.reshape(axis, -1)}
    return sorted(axes, reverse=True)


def _reduce_one(aggregate: Aggregate, reduce: Any, rt: Any, axis: int, keepdims: bool) -> Any:
    if isinstance(rt, Tensor):
        return reduce(rt, axis, keepdims)
    partition = rt.row_partition
    if axis == 0:
        lengths = partition.row_lengths()
        longest = raw.Max(raw.ConcatV2([lengths, np.zeros(1, lengths.dtype.np_dtype)], 0), 0)
        result = segmented(aggregate, rt.values, partition.offsets_in_rows(), longest)
        return expand_dims(result, 0) if keepdims else result
    if axis == 1:
        result = segmented(aggregate, rt.values, partition.value_rowids(), partition.nrows())
        return expand_dims(result, 1) if keepdims else result
    return RaggedTensor(_reduce_one(aggregate, reduce, rt.values, axis - 1, keepdims), partition)


def reduction(reduce: Any, aggregate: Aggregate) -> Callable[..., Any]:
    """What a function such as `tf.reduce_sum` does with a ragged tensor.

    Args:
        reduce: The function, for tensors.
        aggregate: The same for segments.
    """

    def ragged(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
        rt = input_tensor
        axes = _axes(rt, axis)
        if axes is None:
            result = reduce(rt.flat_values, None, False)
            return raw.Reshape(result, [1] * rt.shape.rank) if keepdims else result
        for item in axes:
            rt = _reduce_one(aggregate, reduce, rt, item, bool(keepdims))
        return rt

    return ragged


reduce_sum = reduction(reductions.reduce_sum, raw.UnsortedSegmentSum)
reduce_prod = reduction(reductions.reduce_prod, raw.UnsortedSegmentProd)
reduce_max = reduction(reductions.reduce_max, raw.UnsortedSegmentMax)
reduce_min = reduction(reductions.reduce_min, raw.UnsortedSegmentMin)


def _of_bools(reduce: Any, aggregate: Any) -> Callable[..., Any]:
    def in_segments(data: Tensor, segment_ids: Tensor, num_segments: Tensor) -> Tensor:
        found = aggregate(raw.Cast(data, DstT=int32), segment_ids, num_segments)
        return raw.NotEqual(found, found * 0)

    return reduction(reduce, in_segments)


reduce_any = _of_bools(reductions.reduce_any, raw.UnsortedSegmentSum)
reduce_all = _of_bools(reductions.reduce_all, raw.UnsortedSegmentProd)


def reduce_mean(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Returns means of a ragged tensor; NaN for rows without values. See `tf.reduce_mean`."""
    totals = reduce_sum(input_tensor, axis, keepdims)
    return _map_two(truediv, totals, reduce_sum(_sizes(input_tensor), axis, keepdims))


def reduce_variance(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Returns variances of a ragged tensor, as means of squares less squares of means. See `tf.math.reduce_variance`."""
    rt = input_tensor
    of_squares = reduce_mean(rt.with_flat_values(square(rt.flat_values)), axis, keepdims)
    mean = reduce_mean(rt, axis, keepdims)
    return _map_two(lambda a, b: a - b * b, of_squares, mean)


def reduce_std(input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None) -> Any:
    """Returns standard deviations of a ragged tensor. See `tf.math.reduce_std`."""
    variance = reduce_variance(input_tensor, axis, keepdims)
    return _map_two(lambda value, _: sqrt(value), variance, variance)


# ------------------------------------------------------------------------------------------------- within rows


def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None) -> Any:
    """Returns running sums of a ragged tensor along an axis; see `tf.cumsum`.

    Along an axis with ragged ones behind it, elements are added that stand at the same place in these.
    """
    rt = to_ragged_or_tensor(x)
    along = normal_axis(int(axis), rt.shape.rank, "axis")
    flat = rt.flat_values
    if along > rt.ragged_rank:
        return rt.with_flat_values(reductions.cumsum(flat, along - rt.ragged_rank, exclusive, reverse))
    groups = _other_coordinates(rt, along)
    count = raw.Max(raw.ConcatV2([groups, np.array([-1], groups.dtype.np_dtype)], 0), 0) + 1
    order = stable_order(groups, count)
    if reverse:
        order = order[::-1]
    places, ordered = raw.GatherV2(groups, order, 0), raw.GatherV2(flat, order, 0)
    before = reductions.cumsum(ordered, 0, exclusive=True)
    # Where each group begins, the sum of all before it.
    length = raw.Shape(places, out_type=int64)[0]
    firsts = raw.UnsortedSegmentMin(raw.Range(length * 0, length, length * 0 + 1), places, count)
    sums = before - raw.GatherV2(before, raw.GatherV2(firsts, places, 0), 0)
    if not exclusive:
        sums += ordered
    return rt.with_flat_values(raw.GatherV2(sums, raw.InvertPermutation(order), 0))


def _other_coordinates(rt: RaggedTensor, axis: int) -> Tensor:
    """A number for each of the flat values, the same for those that differ in their coordinate along `axis` alone."""
    partitions = [partition.with_dtype(int64) for partition in rt.nested_row_partitions]
    count = partitions[0].nrows()
    numbers = raw.Range(count * 0, count, count * 0 + 1) * (0 if axis == 0 else 1)
    for level, partition in enumerate(partitions, 1):
        lengths = partition.row_lengths()
        longest = raw.Max(raw.ConcatV2([lengths, np.zeros(1, np.int64)], 0), 0)
        numbers = raw.GatherV2(numbers, partition.value_rowids(), 0)
        if level != axis:
            numbers = numbers * longest + partition.offsets_in_rows()
    return numbers


def softmax(logits: Any, axis: Any = None, name: str | None = None) -> Any:
    """Returns the softmax of a ragged tensor along an axis, by default the last one; see `tf.nn.softmax`."""
    along = -1 if axis is None else int(axis)
    powers = exp(logits - reduce_max(logits, along, True))
    return powers / reduce_sum(powers, along, True)


AGGREGATES: dict[Any, Any] = {
    getattr(segments, f"unsorted_segment_{kind}"): unsorted_segment(getattr(segments, f"unsorted_segment_{kind}"))
    for kind in ("sum", "prod", "max", "min")
} | {
    segments.unsorted_segment_mean: unsorted_segment_mean,
    segments.unsorted_segment_sqrt_n: unsorted_segment_sqrt_n,
}
REDUCTIONS: dict[Any, Any] = {
    reductions.reduce_sum: reduce_sum,
    reductions.reduce_prod: reduce_prod,
    reductions.reduce_max: reduce_max,
    reductions.reduce_min: reduce_min,
    reductions.reduce_mean: reduce_mean,
    reductions.reduce_any: reduce_any,
    reductions.reduce_all: reduce_all,
    reductions.reduce_variance: reduce_variance,
    reductions.reduce_std: reduce_std,
    reductions.cumsum: cumsum,
}
