"""Selecting from ragged tensors: `gather`, `gather_nd`, `where`, masks and partitions."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.ragged.broadcasting import aligned, check_splits_dtypes, converted, nest, to_ragged_or_tensor
from modtf.core.api.ragged.checks import require
from modtf.core.api.ragged.indexing import gather_rows
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import bool_, int64
from modtf.core.values.ragged import RaggedTensor, RowPartition
from modtf.core.values.ragged.tensor import normal_axis
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- gather


def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Returns the slices along an axis that indices name, where either may be ragged; see `tf.gather`."""
    params, indices = to_ragged_or_tensor(params), to_ragged_or_tensor(indices, int64)
    check_splits_dtypes([params, indices])
    rank = indices.shape.rank
    if rank is None:
        raise ValueError("tf.gather of ragged tensors needs indices of a known rank.")
    batch = normal_axis(int(batch_dims), rank + 1, "batch_dims") if batch_dims >= 0 else int(batch_dims) + rank
    along = batch if axis is None else normal_axis(int(axis), params.shape.rank, "axis")
    if batch > along:
        raise ValueError(f"batch_dims ({batch}) must be less than or equal to axis ({along}).")
    if batch > rank:
        raise ValueError(f"batch_dims ({batch}) must not be greater than the rank of indices, {rank}.")
    return _gather(params, indices, along, batch)


def _gather(params: Any, indices: Any, axis: int, batch: int) -> Any:
    if not isinstance(params, RaggedTensor) and not isinstance(indices, RaggedTensor):
        return raw.GatherV2(params, indices, np.int32(axis), batch_dims=batch)
    if axis > batch:
        return _gather(params, _spread(params, indices, axis, batch), axis, axis)
    if batch == 0:
        if isinstance(indices, RaggedTensor):
            return nest(gather_rows(params, indices.flat_values), indices.nested_row_partitions)
        return gather_rows(params, indices)
    if batch > 1:
        params, indices = _both_partitioned(params, indices)
        return RaggedTensor(_gather(params.values, indices.values, axis - 1, batch - 1), indices.row_partition)
    return _gather_in_rows(params, indices)


def _gather_in_rows(params: Any, indices: Any) -> Any:
    """Each row of `indices` names elements of the row of `params` beside it."""
    dtype = next(value.row_partition.dtype for value in (params, indices) if isinstance(value, RaggedTensor))
    if not isinstance(params, RaggedTensor):
        params = partitioned(params, 1, dtype)
    starts, lengths = params.row_starts(), params.row_lengths()
    if isinstance(indices, RaggedTensor):
        rows = indices.row_partition.value_rowids()
        inside = indices.values
        places = _offset(inside, raw.GatherV2(starts, rows, 0), raw.GatherV2(lengths, rows, 0), dtype)
        return RaggedTensor(_gather(params.values, places, 0, 0), indices.row_partition)
    return gather_rows(params.values, _offset(indices, starts, lengths, dtype))


def _offset(indices: Any, starts: Tensor, lengths: Tensor, dtype: Any) -> Any:
    """Adds to each slice of `indices` its start, once it is seen that all lie below its length."""
    if isinstance(indices, RaggedTensor):
        rows = indices.row_partition.value_rowids()
        inner = _offset(indices.values, raw.GatherV2(starts, rows, 0), raw.GatherV2(lengths, rows, 0), dtype)
        return RaggedTensor(inner, indices.row_partition)
    indices = indices if indices.dtype is dtype else raw.Cast(indices, DstT=dtype)
    if indices.ndim is None:
        raise ValueError("tf.gather of ragged tensors needs indices of a known rank.")
    for _ in range(indices.ndim - 1):
        starts, lengths = raw.ExpandDims(starts, -1), raw.ExpandDims(lengths, -1)
    inside = raw.LogicalAnd(raw.GreaterEqual(indices, indices * 0), raw.Less(indices, lengths))
    require(inside, "indices are not all below the lengths of their rows", {"indices": indices, "lengths": lengths})
    return indices + starts


def _spread(params: Any, indices: Any, axis: int, batch: int) -> Any:
    """Repeats indices for all slices of `params` before `axis`, so that these are batch dimensions."""
    if batch > 1:
        params, indices = _both_partitioned(params, indices)
        return RaggedTensor(_spread(params.values, indices.values, axis - 1, batch - 1), indices.row_partition)
    if not isinstance(params, RaggedTensor) or params.ragged_rank < axis - 1:
        dtype = next(value.row_partition.dtype for value in (params, indices) if isinstance(value, RaggedTensor))
        params = partitioned(params, axis - 1, dtype) if axis > 1 else params
    partitions = params.nested_row_partitions[: axis - 1] if isinstance(params, RaggedTensor) else ()
    if batch:  # a row of indices for each row of params: repeat it for all that the row holds
        rows = partitions[0].value_rowids()
        for partition in partitions[1:]:
            rows = raw.GatherV2(rows, partition.value_rowids(), 0)
        return nest(gather_rows(indices, rows), partitions)
    count = partitions[-1].nvals() if partitions else _length(params)
    alone = expand_outer(indices)
    return nest(gather_rows(alone, raw.Fill(raw.ExpandDims(count, 0), count * 0)), partitions)


def expand_outer(value: Any) -> Any:
    """Returns a tensor or ragged tensor with an outer dimension of size 1."""
    if isinstance(value, RaggedTensor):
        return RaggedTensor.from_uniform_row_length(value, value.nrows(), 1, validate=False)
    return raw.ExpandDims(value, 0)


def _length(value: Any) -> Tensor:
    return value.nrows() if isinstance(value, RaggedTensor) else raw.Shape(value, out_type=int64)[0]


def _both_partitioned(params: Any, indices: Any) -> tuple[RaggedTensor, RaggedTensor]:
    """Makes ragged tensors of both, so that their rows can be taken apart together."""
    dtype = next(value.row_partition.dtype for value in (params, indices) if isinstance(value, RaggedTensor))
    params = params if isinstance(params, RaggedTensor) else partitioned(params, 1, dtype)
    indices = indices if isinstance(indices, RaggedTensor) else partitioned(indices, 1, dtype)
    ours, theirs = params.row_splits, indices.row_splits
    if ours is not theirs:
        same = raw.Equal(ours, theirs, incompatible_shape_error=False)
        require(same, "batch shapes from params and indices do not match", {"params": ours, "indices": theirs})
    return params, indices


def partitioned(value: Any, ragged_rank: int, dtype: Any) -> RaggedTensor:
    """Returns a tensor or ragged tensor with the ragged rank raised: uniform dimensions are partitioned too."""
    if not isinstance(value, RaggedTensor):
        return RaggedTensor.from_tensor(value, ragged_rank=ragged_rank, row_splits_dtype=dtype)
    if value.ragged_rank >= ragged_rank:
        return value
    return RaggedTensor(partitioned(value.values, ragged_rank - 1, dtype), value.row_partition)


def gather_nd(
    params: Any, indices: Any, batch_dims: int = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Any:
    """Returns the slices at the coordinates in the last axis of `indices`, where either may be ragged; see `tf.gather_nd`."""
    if not isinstance(batch_dims, int) or batch_dims != 0:
        raise ValueError("batch_dims != 0 is not supported for ragged gather yet.")
    params, indices = to_ragged_or_tensor(params), to_ragged_or_tensor(indices, int64)
    depth = indices.shape[-1]
    if depth is None:
        raise ValueError("indices.shape[-1] may not be None: the coordinates must all have the same, known length.")
    if isinstance(indices, RaggedTensor):
        return nest(gather_nd(params, indices.flat_values), indices.nested_row_partitions)
    if not isinstance(params, RaggedTensor):
        return raw.GatherNd(params, indices)
    if not depth:
        alone = expand_outer(params)
        return gather_rows(alone, raw.Reshape(raw.ZerosLike(indices), raw.Shape(indices)[:-1]))
    dtype = params.row_partition.dtype
    indices = indices if indices.dtype is dtype else raw.Cast(indices, DstT=dtype)
    places, values = indices[..., 0], params
    for column in range(1, depth):
        if not isinstance(values, RaggedTensor):
            rest = raw.ConcatV2([raw.ExpandDims(places, -1), indices[..., column:]], -1)
            return raw.GatherNd(values, rest)
        starts, lengths = raw.GatherV2(values.row_starts(), places, 0), raw.GatherV2(values.row_lengths(), places, 0)
        offsets = indices[..., column]
        inside = raw.LogicalAnd(raw.GreaterEqual(offsets, offsets * 0), raw.Less(offsets, lengths))
        require(inside, "indices are not all below the lengths of their rows", {"indices": offsets, "lengths": lengths})
        places, values = starts + offsets, values.values
    return gather_rows(values, places)


# ------------------------------------------------------------------------------------------------- where, masks


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """Chooses between ragged tensors element by element, or returns the coordinates of true elements; see `tf.where`."""
    if (x is None) != (y is None):
        raise ValueError("x and y must both be non-None or both be None.")
    if x is None:
        return _coordinates(to_ragged_or_tensor(condition, bool_))
    chosen = to_ragged_or_tensor(condition, bool_)
    common = aligned([chosen, *converted([x, y])])
    return common.wrap(raw.SelectV2(*common.values))


def _coordinates(condition: RaggedTensor) -> Tensor:
    found = raw.Where(condition.flat_values)
    places, inner = found[:, 0], found[:, 1:]
    columns = [inner]
    for partition in reversed(condition.nested_row_partitions):
        rows = raw.GatherV2(partition.value_rowids(), places, 0)
        offsets = raw.Cast(places, DstT=partition.dtype) - raw.GatherV2(partition.row_splits(), rows, 0)
        columns.insert(0, raw.ExpandDims(raw.Cast(offsets, DstT=int64), 1))
        places = raw.Cast(rows, DstT=int64)
    return raw.ConcatV2([raw.ExpandDims(places, 1), *columns], 1)


def boolean_mask(data: Any, mask: Any, name: str | None = None) -> Any:
    """Returns what a mask keeps of a tensor, without flattening it.

    Args:
        data: A tensor or ragged tensor.
        mask: Bools, dense or ragged, of the shape that `data` begins with.
        name: Unused; kept for its place.

    Returns:
        A ragged tensor of the rank of `data`, in which the rows of the mask's innermost dimension have lost what is not
        kept; a tensor or ragged tensor with fewer rows, if the mask has rank 1.

    Raises:
        ValueError: The mask is a scalar, or its rank is not known or greater than that of `data`.
        InvalidArgumentError: The shapes do not fit.
    """
    values, chosen = to_ragged_or_tensor(data), to_ragged_or_tensor(mask, bool_)
    check_splits_dtypes([values, chosen])
    if chosen.dtype is not bool_:
        raise TypeError(f"mask must be of dtype bool, not {chosen.dtype.name}.")
    rank = chosen.shape.rank
    if rank is None:
        raise ValueError("mask.shape.ndims must be known statically.")
    if rank == 0:
        raise ValueError("mask cannot be scalar.")
    if values.shape.rank is not None and rank > values.shape.rank:
        raise ValueError(f"mask has rank {rank}, but data only {values.shape.rank}.")
    return _masked(values, chosen, rank)


def _masked(data: Any, mask: Any, rank: int) -> Any:
    if rank == 1:
        if not data.shape[:1].is_compatible_with(mask.shape):
            raise ValueError(f"mask of shape {mask.shape} does not fit data of shape {data.shape}.")
        return gather_rows(data, raw.Squeeze(raw.Where(mask), squeeze_dims=[1]))
    dtype = next((value.row_partition.dtype for value in (data, mask) if isinstance(value, RaggedTensor)), int64)
    data = data if isinstance(data, RaggedTensor) else partitioned(data, 1, dtype)
    mask = mask if isinstance(mask, RaggedTensor) else partitioned(mask, 1, dtype)
    partition = mask.row_partition
    if data.row_splits is not mask.row_splits:
        same = raw.Equal(data.row_splits, mask.row_splits, incompatible_shape_error=False)
        require(same, "mask and data do not have the same rows", {"mask": mask.row_splits, "data": data.row_splits})
    kept = _masked(data.values, mask.values, rank - 1)
    if rank > 2:
        return RaggedTensor(kept, partition)
    counts = raw.UnsortedSegmentSum(raw.Cast(mask.values, DstT=dtype), partition.value_rowids(), partition.nrows())
    return RaggedTensor(kept, RowPartition.from_row_lengths(counts, validate=False))


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: Any, name: str | None = None) -> RaggedTensor:
    """Gathers what `data` holds into rows by number.

    Args:
        data: A tensor or ragged tensor, whose shape begins with that of `partitions`.
        partitions: For each slice of `data` the row that it goes to: int32 or int64 of any known rank, dense or ragged.
        num_partitions: The number of rows.
        name: Unused; kept for its place.

    Returns:
        A ragged tensor of `num_partitions` rows, each with the slices of its number, in order.
    """
    values, numbers = to_ragged_or_tensor(data), to_ragged_or_tensor(partitions, int64)
    check_splits_dtypes([values, numbers])
    rank = numbers.shape.rank
    if rank is None:
        raise ValueError("partitions must have known rank.")
    if rank == 0:  # all goes to one row
        values, numbers = expand_outer(values), raw.ExpandDims(numbers, 0)
    elif rank > 1:
        values, numbers = (
            value.merge_dims(0, rank - 1) if isinstance(value, RaggedTensor) else _merged(value, rank - 1)
            for value in (values, numbers)
        )
    order = raw.Cast(numbers, DstT=int64)
    count = raw.Cast(convert_to_tensor(num_partitions), DstT=int64)
    inside = raw.LogicalAnd(raw.GreaterEqual(order, order * 0), raw.Less(order, count))
    require(inside, "partitions must be between 0 and num_partitions", {"partitions": order, "num_partitions": count})
    places = stable_order(order, count)
    lengths = raw.UnsortedSegmentSum(raw.OnesLike(order), order, count)
    return RaggedTensor.from_row_lengths(gather_rows(values, places), lengths, validate=False)


def stable_order(numbers: Tensor, count: Tensor) -> Tensor:
    """Returns the places of numbers from `[0, count)` in ascending order of these, equal ones in their own order."""
    length = raw.Shape(numbers, out_type=int64)[0]
    places = raw.Range(length * 0, length, length * 0 + 1)
    keys = numbers * length + places  # all different, and in the order wanted
    ordered = raw.Neg(raw.TopKV2(raw.Neg(keys), raw.Cast(length, DstT="int32")).values)
    return raw.FloorMod(ordered, raw.Maximum(length, 1))


def _merged(value: Tensor, inner: int) -> Tensor:
    from modtf.core.values.ragged.tensor import merge_dims

    return merge_dims(value, 0, inner)
