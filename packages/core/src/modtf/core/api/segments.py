"""Functions of `tf.math` over segments of rows, and counting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

__all__ = [
    "bincount", "confusion_matrix", "segment_max", "segment_mean", "segment_min", "segment_prod", "segment_sum",
    "unsorted_segment_max", "unsorted_segment_mean", "unsorted_segment_min", "unsorted_segment_prod",
    "unsorted_segment_sqrt_n", "unsorted_segment_sum",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- ascending segments


def _ascending(op: str, what: str, without: str) -> Callable[..., Tensor]:
    def function(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
        return getattr(raw, op)(data, segment_ids, name=name)

    function.__name__ = function.__qualname__ = f"segment_{op[7:].lower()}"
    function.__doc__ = f"""Returns the {what} of the rows of each segment.

    Args:
        data: A tensor, whose first axis is divided.
        segment_ids: The segment of each row: int32 or int64, ascending, beginning from 0.
        name: A name for the graph node.

    Returns:
        A tensor with a row for each segment up to the last one; {without} where one has no rows.

    Raises:
        InvalidArgumentError: The segments do not ascend, or are not as many as the rows.
    """
    return function


segment_sum = _ascending("SegmentSum", "sum", "0")
segment_mean = _ascending("SegmentMean", "mean", "0")
segment_prod = _ascending("SegmentProd", "product", "1")
segment_max = _ascending("SegmentMax", "maximum", "0")
segment_min = _ascending("SegmentMin", "minimum", "0")


# ------------------------------------------------------------------------------------------------- segments in any order


def _unsorted(op: str, what: str, without: str) -> Callable[..., Tensor]:
    def function(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
        return getattr(raw, op)(data, segment_ids, num_segments, name=name)

    function.__name__ = function.__qualname__ = f"unsorted_segment_{op[15:].lower()}"
    function.__doc__ = f"""Returns the {what} of the rows of each segment, which may stand in any order.

    Args:
        data: A tensor, whose shape begins with that of `segment_ids`.
        segment_ids: The segment of each row: int32 or int64; rows of negative segments are left out.
        num_segments: The number of segments, a scalar.
        name: A name for the graph node.

    Returns:
        A tensor with a row for each segment; {without} where one has no rows.

    Raises:
        InvalidArgumentError: A segment is not below `num_segments`, or the shapes do not fit.
    """
    return dispatched(function)


unsorted_segment_sum = _unsorted("UnsortedSegmentSum", "sum", "0")
unsorted_segment_prod = _unsorted("UnsortedSegmentProd", "product", "1")
unsorted_segment_max = _unsorted("UnsortedSegmentMax", "maximum", "the least number of the dtype")
unsorted_segment_min = _unsorted("UnsortedSegmentMin", "minimum", "the largest number of the dtype")


def _sums_and_sizes(data: Any, segment_ids: Any, num_segments: Any) -> tuple[Tensor, Tensor]:
    """The segments' sums, and their numbers of rows (1 if they have none), shaped so that they broadcast."""
    data, segment_ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
    sums = raw.UnsortedSegmentSum(data, segment_ids, num_segments)
    ones = raw.Cast(raw.OnesLike(segment_ids), DstT=data.dtype)
    sizes = raw.Maximum(raw.UnsortedSegmentSum(ones, segment_ids, num_segments), 1)
    trailing = raw.Fill(raw.ExpandDims(raw.Rank(sums) - 1, 0), 1)
    return sums, raw.Reshape(sizes, raw.ConcatV2([raw.Shape(sizes), trailing], 0))


@dispatched
def unsorted_segment_mean(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Returns the mean of the rows of each segment; arguments as for `unsorted_segment_sum`."""
    sums, sizes = _sums_and_sizes(data, segment_ids, num_segments)
    return raw.RealDiv(sums, sizes, name=name)


@dispatched
def unsorted_segment_sqrt_n(data: Any, segment_ids: Any, num_segments: Any, name: str | None = None) -> Tensor:
    """Returns the sum of the rows of each segment divided by the square root of their number.

    Arguments as for `unsorted_segment_sum`.
    """
    sums, sizes = _sums_and_sizes(data, segment_ids, num_segments)
    return raw.RealDiv(sums, raw.Sqrt(sizes), name=name)


# ------------------------------------------------------------------------------------------------- counting


@dispatched
def bincount(
    arr: Any,
    weights: Any = None,
    minlength: Any = None,
    maxlength: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
    axis: int | None = None,
    binary_output: bool = False,
) -> Tensor:
    """Counts how often each number from 0 on occurs.

    Args:
        arr: A tensor of integers that are not negative.
        weights: What each element counts for instead of 1, of the shape of `arr`.
        minlength: The least length of the result.
        maxlength: The greatest length of the result; larger numbers are not counted.
        dtype: The dtype of the counts, if there are no weights.
        name: A name for the graph node.
        axis: 0 or `None` to count all elements, -1 to count each row of a matrix.
        binary_output: Whether to say only that a number occurs (1) or not (0).

    Returns:
        The counts: a vector, or a matrix for `axis=-1`.

    Raises:
        ValueError: `axis` is another one, or both `weights` and `binary_output` are given.
    """
    if weights is not None and binary_output:
        raise ValueError("Arguments `binary_output` and `weights` are mutually exclusive. Please specify only one.")
    if axis not in (None, 0, -1):
        raise ValueError(f"Unsupported value for argument axis={axis}. Only 0 and -1 are currently supported.")
    numbers = convert_to_tensor(arr)
    if numbers.dtype not in (dtypes.int32, dtypes.int64):
        numbers = raw.Cast(numbers, DstT=dtypes.int32)
    every_axis = raw.Range(0, raw.Rank(numbers), 1)
    one = raw.OnesLike(raw.Max(numbers, every_axis))
    any_there = raw.Cast(raw.Size(numbers) > 0, DstT=numbers.dtype)
    length = any_there * (raw.Max(numbers, every_axis) + one)
    if minlength is not None:
        length = raw.Maximum(convert_to_tensor(minlength, dtype=numbers.dtype), length)
    if maxlength is not None:
        length = raw.Minimum(convert_to_tensor(maxlength, dtype=numbers.dtype), length)
    weighing = convert_to_tensor([], dtype=as_dtype(dtype)) if weights is None else convert_to_tensor(weights)
    if axis != -1:
        numbers, weighing = raw.Reshape(numbers, [-1]), raw.Reshape(weighing, [-1])
    return raw.DenseBincount(numbers, length, weighing, binary_output=binary_output, name=name)


def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    weights: Any = None,
    dtype: Any = dtypes.int32,
    name: str | None = None,
) -> Tensor:
    """Counts how often each class was predicted for each class.

    Args:
        labels: The true classes, a vector of integers from 0.
        predictions: The predicted classes, a vector as long; one of the two may have a last axis of size 1 more.
        num_classes: The number of classes; by default one more than the largest.
        weights: What each prediction counts for instead of 1.
        dtype: The dtype of the counts.
        name: A name for the graph node.

    Returns:
        A matrix [num_classes, num_classes] with a row for each true class and a column for each predicted one.

    Raises:
        InvalidArgumentError: A class is negative or not below `num_classes`.
    """
    true, predicted = convert_to_tensor(labels), convert_to_tensor(predictions)
    if true.ndim is not None and predicted.ndim is not None and true.ndim != predicted.ndim:
        longer = true.ndim - predicted.ndim
        true = raw.Squeeze(true, squeeze_dims=[-1]) if longer == 1 else true
        predicted = raw.Squeeze(predicted, squeeze_dims=[-1]) if longer == -1 else predicted
    true, predicted = raw.Cast(true, DstT=dtypes.int64), raw.Cast(predicted, DstT=dtypes.int64)
    if num_classes is None:
        every_axis = raw.Range(0, raw.Rank(true), 1)
        count = raw.Maximum(raw.Max(predicted, every_axis), raw.Max(true, every_axis)) + 1
    else:
        count = raw.Cast(convert_to_tensor(num_classes), DstT=dtypes.int64)
    wanted = as_dtype(dtype)
    if weights is None:
        values = raw.Cast(raw.OnesLike(predicted), DstT=wanted)
    else:
        values = raw.Cast(convert_to_tensor(weights), DstT=wanted)
    places = raw.Pack([true, predicted], axis=1)
    return raw.ScatterNd(places, values, raw.Pack([count, count], axis=0), name=name)
