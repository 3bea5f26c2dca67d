"""Top-level functions that sort, divide, stitch together and count."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.array import shape
from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

__all__ = [
    "argsort", "dynamic_partition", "dynamic_stitch", "edit_distance", "extract_volume_patches", "guarantee_const",
    "histogram_fixed_width", "histogram_fixed_width_bins", "parallel_stack", "sort", "unravel_index",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- order


def _ranked(values: Tensor, axis: int, direction: str, indices: bool) -> Tensor:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(f"Argument `direction` should be one of 'ASCENDING' or 'DESCENDING'. Received: {direction}")
    if not isinstance(axis, (int, np.integer)):
        raise ValueError(f"Argument `axis` must be a constant integer. Received: axis={axis}")
    if values.ndim is None:
        raise ValueError("Sorting needs a tensor of a known rank. Give it a shape with tf.ensure_shape.")
    if not -values.ndim <= axis < values.ndim:
        raise ValueError(f"`axis` must be in [-{values.ndim}, {values.ndim}). Received: axis={axis}")

    def turned(x: Tensor) -> Tensor:
        """What is greatest becomes least; equals remain in order. Of integers by their bits, which cannot overflow."""
        return raw.Invert(x) if x.dtype.is_integer else raw.Neg(x)

    ascending, last = direction == "ASCENDING", axis % values.ndim == values.ndim - 1
    order = np.arange(values.ndim, dtype=np.int32)
    order[[axis, -1]] = order[[-1, axis]]
    x = values if last else raw.Transpose(values, order)
    x = turned(x) if ascending else x
    found, places = raw.TopKV2(x, shape(x)[-1])
    result = places if indices else turned(found) if ascending else found
    return result if last else raw.Transpose(result, order)


def sort(values: Any, axis: int = -1, direction: str = "ASCENDING", name: str | None = None) -> Tensor:
    """Sorts along an axis.

    Args:
        values: A tensor of real numbers of at least one dimension.
        axis: The axis.
        direction: `"ASCENDING"` or `"DESCENDING"`.
        name: Unused; kept for its place.

    Raises:
        ValueError: There is no such axis, or the direction is something else.
    """
    return _ranked(convert_to_tensor(values), axis, direction, indices=False)


def argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> Tensor:
    """Returns the positions that sort a tensor along an axis, int32.

    Args:
        values: A tensor of real numbers of at least one dimension.
        axis: The axis.
        direction: `"ASCENDING"` or `"DESCENDING"`.
        stable: Whether equal elements must keep their order (they always do).
        name: Unused; kept for its place.

    Raises:
        ValueError: There is no such axis, or the direction is something else.
    """
    return _ranked(convert_to_tensor(values), axis, direction, indices=True)


def _approximately(largest: bool, name: str) -> Any:
    def function(
        operand: Any, k: int, reduction_dimension: int = -1, recall_target: float = 0.95,
        reduction_input_size_override: int = -1, aggregate_to_topk: bool = True, name: str | None = None,
    ) -> Any:  # fmt: skip
        return raw.ApproxTopK(
            operand, k=k, reduction_dimension=reduction_dimension, recall_target=recall_target, is_max_k=largest,
            reduction_input_size_override=reduction_input_size_override, aggregate_to_topk=aggregate_to_topk, name=name,
        )  # fmt: skip

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Returns the {"largest" if largest else "least"} elements along an axis, and where they are.

    They are exact here; TensorFlow's kernel for TPUs may miss some of them.

    Args:
        operand: A tensor of float16, bfloat16 or float32.
        k: How many.
        reduction_dimension: The axis.
        recall_target: Not used.
        reduction_input_size_override: Not used.
        aggregate_to_topk: Not used.
        name: A name for the graph node.

    Returns:
        A named tuple of `values` and `indices` (int32), in order.
    """
    return function


approx_max_k = _approximately(True, "approx_max_k")
approx_min_k = _approximately(False, "approx_min_k")

# ------------------------------------------------------------------------------------------------- dividing, stitching


@dispatched
def dynamic_partition(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Tensor]:
    """Divides rows among several tensors.

    Args:
        data: The rows, along as many leading axes as `partitions` has.
        partitions: For each row the number of the tensor that it goes to, int32 in [0, num_partitions).
        num_partitions: How many tensors there are.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A number is out of range, or the shapes do not fit.
    """
    return raw.DynamicPartition(data, partitions, num_partitions=num_partitions, name=name)


def dynamic_stitch(indices: Any, data: Any, name: str | None = None) -> Tensor:
    """Puts rows of several tensors together.

    Args:
        indices: A list of int32 tensors: the place of each row. Of several rows for one place the last is taken; places
            without a row are zero.
        data: A list of tensors, each with the shape of its indices followed by that of a row.
        name: A name for the graph node.

    Returns:
        A tensor with as many rows as the greatest index says.
    """
    return raw.DynamicStitch(indices, data, name=name)


def parallel_stack(values: Any, name: str | None = "parallel_stack") -> Tensor:
    """Stacks tensors of one fully known shape along a new first axis."""
    tensors = [convert_to_tensor(value) for value in values]
    dims = tensors[0].shape.as_list()
    parts = [raw.ExpandDims(tensor, 0) for tensor in tensors]
    return raw.ParallelConcat(parts, shape=[len(tensors), *dims], name=name)


def unravel_index(indices: Any, dims: Any, name: str | None = None) -> Tensor:
    """Returns the coordinates of flat positions in a tensor of sizes `dims`.

    Args:
        indices: int32 or int64, a scalar or a vector.
        dims: The sizes, a vector of that dtype.
        name: A name for the graph node.

    Returns:
        A tensor of shape `[len(dims)]`, or for a vector `[len(dims), len(indices)]`.

    Raises:
        InvalidArgumentError: A position is outside.
    """
    return raw.UnravelIndex(indices, dims, name=name)


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """Returns the permutation that undoes another: a vector of int32 or int64 that holds each number from 0 on once."""
    return raw.InvertPermutation(x, name=name)


def sobol_sample(
    dim: Any, num_results: Any, skip: Any = 0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Returns points of Sobol's sequence, which fill a cube more evenly than random ones; it needs SciPy.

    Args:
        dim: The number of coordinates.
        num_results: The number of points.
        skip: How many points of the sequence to leave out at its beginning.
        dtype: float32 or float64.
        name: A name for the graph node.

    Returns:
        Points in [0, 1), shaped `[num_results, dim]`.
    """
    return raw.SobolSample(dim, num_results, skip, dtype=as_dtype(dtype), name=name)


def guarantee_const(input: Any, name: str | None = None) -> Tensor:
    """Returns `input`; it promises TensorFlow's compiler that it never changes."""
    return raw.GuaranteeConst(input, name=name)


# ------------------------------------------------------------------------------------------------- bins, patches, edits


def histogram_fixed_width(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Counts how many numbers lie in each of `nbins` bins of one width.

    Args:
        values: Numbers: int32, int64, float32 or float64.
        value_range: The lower end of the first bin and the upper end of the last, of the dtype of `values`. What lies
            outside is counted in the first or the last bin.
        nbins: How many bins.
        dtype: int32 or int64, of the counts.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The range is empty or `nbins` not positive.
    """
    return raw.HistogramFixedWidth(values, value_range, nbins, dtype=as_dtype(dtype), name=name)


def histogram_fixed_width_bins(
    values: Any, value_range: Any, nbins: Any = 100, dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Returns for each number the bin that `histogram_fixed_width` counts it in, int32; `dtype` is not used."""
    numbers = convert_to_tensor(values)
    low, high = raw.Unpack(convert_to_tensor(value_range, dtype_hint=numbers.dtype), num=2)
    wide = numbers.dtype if numbers.dtype.is_floating else dtypes.float64
    count = raw.Cast(convert_to_tensor(nbins), DstT=wide)
    share = raw.RealDiv(raw.Cast(numbers - low, DstT=wide), raw.Cast(high - low, DstT=wide))
    places = raw.Maximum(raw.Minimum(raw.Floor(count * share), count - 1), 0)
    return raw.Cast(places, DstT=dtypes.int32, name=name)


def extract_volume_patches(input: Any, ksizes: Any, strides: Any, padding: str, name: str | None = None) -> Tensor:
    """Lays patches of volumes side by side along the channels.

    Args:
        input: Real numbers of shape `[batch, depth, height, width, channels]`.
        ksizes: The patches' size, 5 ints, the first and last of them 1.
        strides: From one patch to the next, 5 ints, the first and last of them 1.
        padding: `"SAME"` or `"VALID"`.
        name: A name for the graph node.
    """
    return raw.ExtractVolumePatches(input, ksizes=list(ksizes), strides=list(strides), padding=padding, name=name)


def edit_distance(hypothesis: Any, truth: Any, normalize: bool = True, name: str | None = "edit_distance") -> Tensor:
    """Returns how many insertions, deletions and replacements make one sequence of another (Levenshtein).

    Args:
        hypothesis: A `tf.SparseTensor`, whose last axis holds the sequences.
        truth: Another of the same rank and dtype.
        normalize: Whether to divide by the length of the true sequence; infinite if that is empty and the other not.
        name: A name for the graph node.

    Returns:
        A float32 tensor of one dimension less.

    Raises:
        TypeError: An argument is not a `SparseTensor`.
    """
    for what, given in (("hypothesis", hypothesis), ("truth", truth)):
        if not hasattr(given, "dense_shape"):
            raise TypeError(f"{what} must be a SparseTensor, not {type(given).__name__}.")
    return raw.EditDistance(
        hypothesis.indices, hypothesis.values, hypothesis.dense_shape, truth.indices, truth.values, truth.dense_shape,
        normalize=normalize, name=name,
    )  # fmt: skip
