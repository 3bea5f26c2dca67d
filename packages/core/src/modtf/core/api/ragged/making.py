"""What makes ragged tensors: nested Python lists, ranges, segment numbers."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor, to_array
from modtf.core.values.dtypes import DType, as_dtype, int32, int64
from modtf.core.values.dtypes import string as string_dtype
from modtf.core.values.ragged import RaggedTensor, RowPartition
from modtf.core.values.ragged.partitions import to_partition_tensor
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- nested lists


def constant(
    pylist: Any,
    dtype: Any = None,
    ragged_rank: int | None = None,
    inner_shape: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = int64,
) -> Any:
    """Makes a ragged tensor of nested Python lists.

    Args:
        pylist: Nested lists, tuples or arrays of numbers, bools or strings. All values must be nested equally deep.
        dtype: The dtype; by default what `tf.constant` gives the values.
        ragged_rank: How many dimensions are partitioned; by default all but the first and those of `inner_shape`.
        inner_shape: The shape of the flat values behind their first dimension; by default `()` if `ragged_rank` is not
            given, else what the values have.
        name: Unused; kept for its place.
        row_splits_dtype: The dtype of the row splits.

    Returns:
        A ragged tensor; a tensor, if `ragged_rank` is 0 or the lists are nested less than twice.

    Raises:
        ValueError: Values are nested differently deep, inner ones have different shapes, or kinds are mixed.
    """
    partitions, flat, dims, wanted = _taken_apart(pylist, dtype, ragged_rank, inner_shape)
    values = _flat_tensor(flat, dims, wanted)
    splits_dtype = as_dtype(row_splits_dtype)
    if splits_dtype not in (int32, int64):
        raise ValueError(f"row_splits_dtype must be int32 or int64, not {splits_dtype!r}.")
    result: Any = values
    for lengths in reversed(partitions):
        splits = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        tensor = convert_to_tensor(splits.astype(splits_dtype.np_dtype))
        result = RaggedTensor(result, RowPartition(tensor))
    return result


def _plain(value: Any) -> Any:
    """Arrays as nested lists, all else as it is."""
    if isinstance(value, np.ndarray):
        return (
            value.tolist()
            if value.ndim and value.dtype.kind not in "iufc"
            else list(value)
            if value.ndim
            else value[()]
        )
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _taken_apart(
    pylist: Any, dtype: Any, ragged_rank: int | None, inner_shape: Any
) -> tuple[list[list[int]], Any, tuple[int, ...] | None, DType | None]:
    """Returns the row lengths on each level, the flat values, their inner shape if it is given, and the dtype."""
    top = _plain(pylist)
    wanted = None if dtype is None else as_dtype(dtype)
    inner = None if inner_shape is None else tuple(np.atleast_1d(np.array(inner_shape, np.int64)).tolist())
    if not _is_list(top):
        if ragged_rank:
            raise ValueError(f"Invalid pylist={pylist!r}: incompatible with ragged_rank={ragged_rank}")
        if inner:
            raise ValueError(f"Invalid pylist={pylist!r}: incompatible with inner_shape={inner}")
        return [], top, None, wanted
    if ragged_rank is not None and ragged_rank < 0:
        raise ValueError(f"Invalid ragged_rank={ragged_rank}: must be nonnegative")
    depth, deepest = _depths(top)
    if depth is not None and deepest > depth:
        raise ValueError(f"Invalid pylist={pylist!r}: empty list nesting is greater than scalar value nesting")
    if depth is not None and ragged_rank is not None and deepest < ragged_rank:
        raise ValueError(f"Invalid pylist={pylist!r}, maximum depth is {deepest}, less than ragged_rank={ragged_rank}")
    if inner is not None and ragged_rank is not None:
        expected = ragged_rank + len(inner) + 1
        if (depth is None and expected < deepest) or (depth is not None and expected != depth):
            raise ValueError(
                f"Invalid pylist={pylist!r}: incompatible with ragged_rank={ragged_rank} and dim(inner_shape)={len(inner)}"
            )
    if ragged_rank is None:
        lists = deepest if depth is None else depth
        if deepest - len(inner or ()) < 2:
            ragged_rank = 0
        else:
            ragged_rank = max(1, lists - 1 - (0 if depth is None else len(inner or ())))
            inner = inner or ()
    rows, partitions = list(top), []
    for _ in builtins.range(ragged_rank):
        rows = [_plain(row) for row in rows]
        partitions.append([len(row) for row in rows])
        rows = [item for row in rows for item in row]
    return partitions, rows, inner, wanted


def _depths(value: Any) -> tuple[int | None, int]:
    """How deep values are nested (`None` if there are none), and how deep lists are.

    Raises:
        ValueError: Values are nested differently deep.
    """
    value = _plain(value)
    if not _is_list(value):
        return 0, 0
    scalar_depth, deepest = None, 1
    for item in value:
        inside, depth = _depths(item)
        if inside is not None:
            if scalar_depth is not None and scalar_depth != inside + 1:
                raise ValueError("all scalar values must have the same nesting depth")
            scalar_depth = inside + 1
        deepest = max(deepest, depth + 1)
    return scalar_depth, deepest


def _flat_tensor(flat: Any, inner: tuple[int, ...] | None, dtype: DType | None) -> Tensor:
    """The innermost values as a tensor, of the inner shape if that is given."""
    try:
        array, found = to_array(_listed(flat), dtype)
    except TypeError as error:
        raise ValueError(str(error)) from None
    except ValueError as error:
        if "rectangular" in str(error):
            raise ValueError("inner values have inconsistent shape") from None
        raise
    if inner is not None:
        count = len(flat)
        if not array.size:
            array = (
                np.zeros((count, *inner), array.dtype)
                if found is not string_dtype
                else np.empty((count, *inner), object)
            )
        elif array.shape != (count, *inner):
            raise ValueError(f"inner values have the shape {array.shape[1:]}, which is not inner_shape={inner}")
    return convert_to_tensor(array, dtype=found)


def _listed(value: Any) -> Any:
    value = _plain(value)
    return [_listed(item) for item in value] if _is_list(value) else value


# ------------------------------------------------------------------------------------------------- ranges, segments

_RANGES = ("int32", "int64", "float32", "float64")


def range(
    starts: Any,
    limits: Any = None,
    deltas: Any = 1,
    dtype: Any = None,
    name: str | None = None,
    row_splits_dtype: Any = int64,
) -> RaggedTensor:
    """Returns rows of ascending (or descending) numbers.

    Args:
        starts: The first number of each row, a vector or scalar; if `limits` is `None`, these are the limits and the
            rows start with 0.
        limits: Where each row stops, before it.
        deltas: The step in each row.
        dtype: The dtype; by default the widest of the arguments'.
        name: A name for the graph node.
        row_splits_dtype: The dtype of the row splits.

    Raises:
        InvalidArgumentError: The vectors have different lengths, or a step is 0.
    """
    if limits is None:
        starts, limits = 0, starts
    wanted = None if dtype is None else as_dtype(dtype)
    tensors = [convert_to_tensor(value, dtype_hint=wanted) for value in (starts, limits, deltas)]
    if wanted is None:
        given = [tensor.dtype.name for tensor in tensors]
        unknown = [item for item in given if item not in _RANGES]
        wanted = tensors[given.index(unknown[0])].dtype if unknown else as_dtype(max(given, key=_RANGES.index))
    tensors = [tensor if tensor.dtype is wanted else raw.Cast(tensor, DstT=wanted) for tensor in tensors]
    splits, values = raw.RaggedRange(*tensors, Tsplits=as_dtype(row_splits_dtype), name=name)
    return RaggedTensor(values, RowPartition(splits))


def row_splits_to_segment_ids(splits: Any, name: str | None = None, out_type: Any = None) -> Tensor:
    """Returns the row of each value.

    Args:
        splits: Where rows start and end: int32 or int64 of shape `[nrows + 1]`.
        name: Unused; kept for its place.
        out_type: The dtype of the result; by default that of `splits`.

    Returns:
        Row numbers of shape `[splits[-1]]`.

    Raises:
        ValueError: `splits` is not a vector of int32 or int64, or is empty.
    """
    ids = RowPartition.from_row_splits(_ints(splits, "splits"), validate=False).value_rowids()
    return ids if out_type is None or ids.dtype is as_dtype(out_type) else raw.Cast(ids, DstT=out_type)


def segment_ids_to_row_splits(
    segment_ids: Any, num_segments: Any = None, out_type: Any = None, name: str | None = None
) -> Tensor:
    """Returns where rows start and end.

    Args:
        segment_ids: The row of each value, ascending: int32 or int64 of shape `[nvals]`.
        num_segments: The number of rows; by default one more than the last of `segment_ids`.
        out_type: The dtype of the result; by default that of `segment_ids`.
        name: Unused; kept for its place.

    Returns:
        Row splits of shape `[num_segments + 1]`.
    """
    partition = RowPartition.from_value_rowids(_ints(segment_ids, "segment_ids"), num_segments, validate=False)
    splits = partition.row_splits()
    return splits if out_type is None or splits.dtype is as_dtype(out_type) else raw.Cast(splits, DstT=out_type)


def _ints(value: Any, name: str) -> Tensor:
    if isinstance(value, np.ndarray) and value.dtype not in (np.int32, np.int64):
        raise ValueError(f"{name} must be an integer tensor of int32 or int64, not {value.dtype}.")
    return to_partition_tensor(value, name)
