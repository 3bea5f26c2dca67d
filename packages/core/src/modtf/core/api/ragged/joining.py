"""Joining, repeating, reversing and reshaping ragged tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.api.ragged.broadcasting import check_splits_dtypes, converted, nest, to_ragged_or_tensor
from modtf.core.api.ragged.checks import require
from modtf.core.api.ragged.gathering import expand_outer, partitioned
from modtf.core.api.ragged.indexing import gather_rows, getitem, rows_from_ranges
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, int32, int64
from modtf.core.values.ragged import RaggedTensor, RowPartition
from modtf.core.values.ragged.tensor import normal_axis
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- joining


def concat(values: Any, axis: Any, name: str | None = None) -> Any:
    """Joins tensors and ragged tensors along an axis; see `tf.concat`."""
    items = converted(values if isinstance(values, (list, tuple)) else [values])
    if not items:
        raise ValueError("rt_inputs may not be empty.")
    rank = _common_rank(items)
    along = normal_axis(int(axis), rank, "axis")
    check_splits_dtypes(items)
    if len(items) == 1:
        return items[0]
    if all(isinstance(item, Tensor) for item in items) and along > 1:
        return raw.ConcatV2(items, along)
    return _concat(items, along, _splits_dtype(items))


def stack(values: Any, axis: int = 0, name: str | None = None) -> Any:
    """Joins tensors and ragged tensors of one rank along a new axis.

    Args:
        values: A list of them; they may have different row lengths, and different numbers of rows.
        axis: Where the new axis stands in the result.
        name: Unused; kept for its place.

    Returns:
        A ragged tensor of a rank higher by 1; a tensor, if all are scalars.

    Raises:
        ValueError: The ranks differ.
    """
    if not isinstance(values, (list, tuple)):
        values = [values]
    if not values:
        raise ValueError("rt_inputs may not be empty.")
    items = converted(values)
    rank = _common_rank(items)
    if rank == 0:
        return raw.Pack(items)
    along = normal_axis(int(axis), rank + 1, "axis")
    check_splits_dtypes(items)
    dtype = _splits_dtype(items)
    if along and rank == 1 and all(isinstance(item, Tensor) for item in items):
        return raw.Pack(items, axis=along)
    if along:
        return _concat([expand_dims(item, along) for item in items], along, dtype)
    if all(isinstance(item, Tensor) for item in items) and rank == 1:
        return RaggedTensor.from_row_lengths(raw.ConcatV2(items, 0), raw.Pack([_rows(item, int32) for item in items]))
    joined = items[0] if len(items) == 1 else _concat(items, 0, dtype)
    if not isinstance(joined, RaggedTensor):
        joined = partitioned(joined, 1, dtype)
    return RaggedTensor.from_row_lengths(joined, raw.Pack([_rows(item, dtype) for item in items]), validate=False)


def _common_rank(items: Sequence[Any]) -> int:
    ranks = {item.shape.rank for item in items} - {None}
    if len(ranks) > 1:
        raise ValueError(f"All inputs must have the same rank; their ranks are {[item.shape.rank for item in items]}.")
    if not ranks:
        raise ValueError("Joining ragged tensors needs operands of known ranks.")
    return ranks.pop()


def _splits_dtype(items: Sequence[Any]) -> DType:
    return next((item.row_partition.dtype for item in items if isinstance(item, RaggedTensor)), int64)


def _rows(item: Any, dtype: DType) -> Tensor:
    return item.nrows(out_type=dtype) if isinstance(item, RaggedTensor) else raw.Shape(item, out_type=dtype)[0]


def _concat(items: Sequence[Any], axis: int, dtype: DType) -> Any:
    if all(isinstance(item, Tensor) for item in items) and axis == 0 and items[0].shape.rank == 1:
        return raw.ConcatV2(list(items), 0)
    depth = max(item.ragged_rank if isinstance(item, RaggedTensor) else 1 for item in items)
    rows = [partitioned(item, depth, dtype) for item in items]
    if axis == 0:
        return _concat_rows(rows)
    if axis == 1:
        return _concat_in_rows(rows, dtype)
    outer = rows[0].row_partition
    for other in rows[1:]:
        splits = outer.row_splits()
        if other.row_splits is not splits:
            same = raw.Equal(splits, other.row_splits, incompatible_shape_error=False)
            require(same, "Inputs must have identical ragged splits", {"splits": splits, "others": other.row_splits})
    inner = [row.values for row in rows]
    if all(isinstance(item, Tensor) for item in inner):
        return RaggedTensor(raw.ConcatV2(inner, axis - 1), outer)
    return RaggedTensor(_concat(inner, axis - 1, dtype), outer)


def _concat_rows(items: Sequence[RaggedTensor]) -> RaggedTensor:
    """Puts the rows of ragged tensors of one ragged rank one after the other."""
    values = [item.values for item in items]
    joined = _concat_rows(values) if isinstance(values[0], RaggedTensor) else raw.ConcatV2(values, 0)
    return RaggedTensor(joined, RowPartition(_joined_splits(items)))


def _joined_splits(items: Sequence[RaggedTensor]) -> Tensor:
    parts, offset = [items[0].row_splits], items[0].nvals()
    for item in items[1:]:
        parts.append(item.row_splits[1:] + offset)
        offset += item.nvals()
    return raw.ConcatV2(parts, 0)


def _concat_in_rows(items: Sequence[RaggedTensor], dtype: DType) -> RaggedTensor:
    """Joins the rows of the same number."""
    counts = [item.row_partition.static_nrows for item in items]
    if len({count for count in counts if count is not None}) > 1:
        raise ValueError(f"Inputs must have the same number of rows to be joined along axis 1, not {counts}.")
    every, count, number = _concat_rows(items), items[0].nrows(), len(items)
    if None in counts:
        for item in items[1:]:
            rows = item.nrows()
            shown = {"one": count, "another": rows}
            require(raw.Equal(count, rows), "Inputs must have the same number of rows to be joined along axis 1", shown)
    # Row 0 of each, then row 1 of each, ...
    ordinals = raw.Range(count * 0, count, count * 0 + 1)
    order = raw.Reshape(raw.Pack([ordinals + count * index for index in range(number)], axis=1), [-1])
    rows = gather_rows(every, order)
    return RaggedTensor(rows.values, RowPartition(rows.row_splits[::number]))


# ------------------------------------------------------------------------------------------------- shapes


def expand_dims(input: Any, axis: Any, name: str | None = None) -> Any:
    """Returns a tensor or ragged tensor with a new axis of size 1; see `tf.expand_dims`."""
    value = to_ragged_or_tensor(input)
    if isinstance(value, Tensor):
        return raw.ExpandDims(value, axis)
    rank = value.shape.rank
    along = normal_axis(int(axis), None if rank is None else rank + 1, "axis")
    if along == 0:
        return expand_outer(value)
    if along == 1:
        return RaggedTensor.from_uniform_row_length(value, 1, value.nrows(), validate=False)
    return RaggedTensor(expand_dims(value.values, along - 1), value.row_partition)


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Any:
    """Returns a ragged tensor without axes of size 1, which must be named; see `tf.squeeze`.

    Raises:
        ValueError: No axis is named.
        InvalidArgumentError: One has another size.
    """
    value = to_ragged_or_tensor(input)
    if isinstance(value, Tensor):
        return raw.Squeeze(value, squeeze_dims=[] if axis is None else np.reshape(axis, -1).tolist())
    if axis is None:
        raise ValueError("Ragged.squeeze must have an axis argument.")
    axes = {normal_axis(int(item), value.shape.rank, "axis") for item in np.reshape(axis, -1)}
    partitions = value.nested_row_partitions
    inner = sorted(item - len(partitions) for item in axes if item > len(partitions))
    flat = raw.Squeeze(value.flat_values, squeeze_dims=inner) if inner else value.flat_values
    kept: list[RowPartition] = list(partitions)
    for item in sorted((item for item in axes if 0 < item <= len(partitions)), reverse=True):
        lengths = kept.pop(item - 1).row_lengths()
        require(
            raw.Equal(lengths, lengths * 0 + 1), f"squeeze: dimension {item} must have size 1", {"lengths": lengths}
        )
    if 0 in axes:
        count = value.nrows()
        require(raw.Equal(count, count * 0 + 1), "squeeze: dimension 0 must have size 1", {"nrows": count})
        if kept:  # one row: what it holds is all
            kept = kept[1:]
        else:
            flat = raw.Squeeze(flat, squeeze_dims=[0])
    return nest(flat, kept)


def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str | None = None
) -> list[Any]:
    """Cuts a ragged tensor along a uniform axis; see `tf.split`.

    Raises:
        ValueError: The axis is ragged, or its size cannot be divided so.
    """
    rt = to_ragged_or_tensor(value)
    along = normal_axis(int(axis), rt.shape.rank, "axis")
    size = rt.shape[along]
    if size is None:
        raise ValueError(
            f"A ragged tensor can only be split along a dimension of known, uniform size; dimension {along} is not."
        )
    given = (
        constant_value(num_or_size_splits) if isinstance(num_or_size_splits, Tensor) else np.asarray(num_or_size_splits)
    )
    if given is None:
        raise ValueError("tf.split of a ragged tensor needs known sizes.")
    if given.ndim == 0:
        if given <= 0:
            raise ValueError(f"num_or_size_splits must be greater than 0, not {given}.")
        if size % int(given):
            raise ValueError(f"Cannot exactly split dimension {along} of size {size} into {given} parts.")
        sizes = [size // int(given)] * int(given)
    else:
        sizes = given.tolist()
        if num is not None and num != len(sizes):
            raise ValueError(f"`num`={num} does not match `num_or_size_splits`={given.tolist()}.")
        if sum(sizes) != size or min(sizes, default=0) < 0:
            raise ValueError(f"The sizes {given.tolist()} do not sum up to the size {size} of dimension {along}.")
    ends = np.cumsum(sizes).tolist()
    lead = [slice(None)] * along
    return [getitem(rt, (*lead, slice(end - length, end))) for end, length in zip(ends, sizes, strict=True)]


# ------------------------------------------------------------------------------------------------- repeating, reversing


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """Returns a ragged tensor repeated along its axes; see `tf.tile`."""
    rt = to_ragged_or_tensor(input)
    times = convert_to_tensor(multiples, dtype_hint=rt.row_partition.dtype)
    rank, count = rt.shape.rank, None if times.dims is None else times.dims[0]
    if rank is None or count != rank:
        raise ValueError(f"multiples must have a length that is the rank of the ragged tensor, {rank}; it is {count}.")
    value = constant_value(times)
    dtype = rt.row_partition.dtype
    each = raw.Cast(times, DstT=dtype)
    numbers = [each[index] if value is None else int(value[index]) for index in range(rank)]
    return _tiled(rt, numbers, dtype)


def _tiled(value: Any, times: Sequence[Any], dtype: DType) -> Any:
    if all(isinstance(number, int) and number == 1 for number in times):
        return value
    if isinstance(value, Tensor):
        return raw.Tile(value, raw.Pack([_number(number, dtype) for number in times]))
    rows, inside, *rest = times
    result = RaggedTensor(_tiled(value.values, [1, *rest], dtype), RowPartition(value.row_splits))
    if not (isinstance(inside, int) and inside == 1):
        result = _repeated_in_rows(result, _number(inside, dtype))
    if not (isinstance(rows, int) and rows == 1):
        count, number = result.nrows(), _number(rows, dtype)
        order = raw.Range(count * 0, count * number, count * 0 + 1)
        result = gather_rows(result, raw.FloorMod(order, raw.Maximum(count, 1)))
    return result


def _repeated_in_rows(rt: RaggedTensor, number: Tensor) -> RaggedTensor:
    count = rt.nrows()
    copies = raw.FloorDiv(raw.Range(count * 0, count * number, count * 0 + 1), raw.Maximum(number, 1))
    starts, limits = raw.GatherV2(rt.row_starts(), copies, 0), raw.GatherV2(rt.row_limits(), copies, 0)
    values = rows_from_ranges(rt.values, starts, limits).values
    return RaggedTensor(values, RowPartition(rt.row_splits * number))


def _number(value: Any, dtype: DType) -> Tensor:
    return value if isinstance(value, Tensor) else convert_to_tensor(np.array(value, dtype.np_dtype))


def reverse(tensor: Any, axis: Any, name: str | None = None) -> Any:
    """Returns a ragged tensor with the order along the given axes (a list) turned round; see `tf.reverse`."""
    rt = to_ragged_or_tensor(tensor)
    axes = {normal_axis(int(item), rt.shape.rank, f"axis[{index}]") for index, item in enumerate(np.reshape(axis, -1))}
    keys = [slice(None, None, -1) if index in axes else slice(None) for index in range(max(axes, default=-1) + 1)]
    return getitem(rt, tuple(keys)) if keys else rt
