"""Indexing of ragged tensors: `rt[2, 1:, ..., tf.newaxis]`."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.indexing import _bound
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.ragged import RaggedTensor, RowPartition
from modtf.core.values.tensors import EagerTensor, Tensor

_EVERYTHING = slice(None)


def getitem(rt: RaggedTensor, key: Any) -> Any:
    """Returns a part of a ragged tensor: `rt[key]`.

    Args:
        rt: The ragged tensor.
        key: An integer, a slice, `...`, `tf.newaxis` (`None`), or a tuple or list of these. Integers and bounds may be
            scalar integer tensors.

    Returns:
        A tensor if no ragged dimension is left, else a ragged tensor.

    Raises:
        IndexError: A row's number is out of bounds.
        ValueError: An integer indexes an inner ragged dimension, where not every row need have an element there.
        TypeError: The key is something else.
    """
    keys = list(key) if isinstance(key, (list, tuple)) else [key]
    keys = [_normal(item) for item in keys]
    return _outer(rt, _without_ellipsis(keys, rt.shape.rank))


def _normal(item: Any) -> Any:
    if item is None or item is ...:
        return item
    if isinstance(item, slice):
        return slice(*(None if bound is None else _bound(bound) for bound in (item.start, item.stop, item.step)))
    return _bound(item)


def _without_ellipsis(keys: list[Any], rank: int | None) -> list[Any]:
    """Puts as many slices of everything in the place of `...` as there are dimensions that no key is for."""
    places = [index for index, item in enumerate(keys) if item is ...]
    if not places:
        return keys
    place = places[0]
    if rank is None:
        raise ValueError("An index may have an ellipsis only if the rank is known.")
    used = sum(item is not None and item is not ... for item in keys)
    rest = [item for item in keys[place + 1 :] if item is not ...]
    return [*keys[:place], *[_EVERYTHING] * max(rank - used, 0), *rest]


def _is_everything(key: Any) -> bool:
    return isinstance(key, slice) and key.start is None and key.stop is None and key.step in (None, 1)


def _apply(value: Any, keys: list[Any]) -> Any:
    """Indexes a tensor or ragged tensor."""
    if all(map(_is_everything, keys)):
        return value
    return _outer(value, keys) if isinstance(value, RaggedTensor) else value[tuple(keys)]


def _outer(rt: RaggedTensor, keys: list[Any]) -> Any:
    """Applies keys, the first of which is for the rows."""
    if not keys:
        return rt
    key, *rest = keys
    if key is None:
        from modtf.core.api.ragged.joining import expand_dims

        return expand_dims(_outer(rt, rest), 0)
    if isinstance(key, slice):
        return _inner(rt if _is_everything(key) else slice_rows(rt, key), rest)
    return _apply(_row(rt, key), rest)


def _row(rt: RaggedTensor, key: Any) -> Any:
    count = rt.row_partition.static_nrows
    if isinstance(key, int) and count is not None:
        if not -count <= key < count:
            raise IndexError(f"Row key {key} out of bounds")
        key %= count
    if isinstance(rt.row_splits, EagerTensor) and isinstance(key, int):
        start, limit = np.asarray(rt.row_splits)[key : key + 2].tolist()
    else:
        start, limit = rt.row_starts()[key], rt.row_limits()[key]
    return rt.values[start:limit]


def _inner(rt: RaggedTensor, keys: list[Any]) -> Any:
    """Applies keys, the first of which is for what is inside the rows."""
    if all(map(_is_everything, keys)):
        return rt
    key, *rest = keys
    if key is None:
        inside = _inner(rt, rest)
        if isinstance(inside, RaggedTensor):
            return RaggedTensor.from_uniform_row_length(inside, 1, rt.nrows(), validate=False)
        return raw.ExpandDims(inside, 1)
    if isinstance(key, slice):
        if not _is_everything(key):
            rt = slice_columns(rt, key)
        if all(map(_is_everything, rest)):
            return rt
        if isinstance(rt.values, RaggedTensor):
            values = _inner(rt.values, rest)
        else:
            values = rt.values[(_EVERYTHING, *rest)]
        return RaggedTensor(values, rt.row_partition)
    return _apply(_column(rt, key), [_EVERYTHING, *rest])


def _column(rt: RaggedTensor, key: Any) -> Any:
    """The same element of every row, where the rows have one length."""
    length = rt.uniform_row_length
    if length is None:
        raise ValueError("Cannot index into an inner ragged dimension.")
    size = constant_value(length)
    if isinstance(key, int) and size is not None and not -size <= key < size:
        raise IndexError(f"Column key {key} out of bounds: the rows' length is {size}")
    offset = convert_to_tensor(key, dtype_hint=length.dtype)
    offset = offset if offset.dtype is length.dtype else raw.Cast(offset, DstT=length.dtype)
    offset = raw.SelectV2(raw.Less(offset, offset * 0), offset + length, offset)
    return gather_rows(rt.values, rt.row_starts() + offset)


# ------------------------------------------------------------------------------------------------- ranges of values


def gather_rows(values: Any, indices: Tensor) -> Any:
    """Returns the rows of a tensor or ragged tensor that indices of any shape name."""
    if not isinstance(values, RaggedTensor):
        return raw.GatherV2(values, indices, 0)
    if indices.ndim is None:
        raise ValueError("Gathering from a ragged tensor needs indices of a known rank.")
    if indices.ndim == 0:
        return values[indices]
    splits, flat = raw.RaggedGather(
        list(values.nested_row_splits),
        values.flat_values,
        indices,
        OUTPUT_RAGGED_RANK=values.ragged_rank + indices.ndim - 1,
    )
    # The axes of the indices are uniform; what the values say of theirs is not carried over.
    result = flat
    for axis, nested in reversed(list(enumerate(splits, 1))):
        length = indices.dims[axis] if indices.dims and axis < indices.ndim else None
        partition = RowPartition(nested)
        result = RaggedTensor(result, partition if length is None else partition.with_uniform_row_length(length))
    return result


def rows_from_ranges(values: Any, starts: Tensor, limits: Tensor, step: Any = 1) -> RaggedTensor:
    """Returns the ragged tensor whose row i is `values[starts[i]:limits[i]:step]`, by exact bounds."""
    stride = convert_to_tensor(step, dtype=starts.dtype) if isinstance(step, int) else raw.Cast(step, DstT=starts.dtype)
    splits, places = raw.RaggedRange(starts, limits, stride, Tsplits=starts.dtype)
    return RaggedTensor(gather_rows(values, places), RowPartition(splits))


def slice_rows(rt: RaggedTensor, key: slice) -> RaggedTensor:
    """Returns the rows that a slice names."""
    starts, limits = rt.row_starts()[key], rt.row_limits()[key]
    length = rt.row_partition.uniform_row_length()
    if key.step is None or (isinstance(key.step, int) and key.step == 1):
        zero = np.zeros(1, starts.dtype.np_dtype)
        start = raw.ConcatV2([starts, zero], 0)[:1]
        end = raw.ConcatV2([start, limits], 0)[-1:]
        values = rt.values[start[0] : end[0]]
        partition = RowPartition(raw.ConcatV2([starts, end], 0) - start, length)
        return RaggedTensor(values, partition)
    rows = rows_from_ranges(rt.values, starts, limits)
    return rows if length is None else RaggedTensor(rows.values, RowPartition(rows.row_splits, length))


def slice_columns(rt: RaggedTensor, key: slice) -> RaggedTensor:
    """Returns, of every row, what a slice names."""
    lengths, offsets = rt.row_partition.row_lengths(), rt.row_starts()
    step = 1 if key.step is None else key.step
    if not isinstance(step, int):
        raise TypeError("The step of a slice of a ragged dimension must be a Python int.")
    if step == 0:
        raise ValueError("slice step cannot be zero")
    zero = lengths * 0
    # The bounds between which Python keeps those of a slice.
    low, high = (zero, lengths) if step > 0 else (zero - 1, lengths - 1)

    def bounded(bound: Any, default: Tensor) -> Tensor:
        if bound is None:
            return default
        given = raw.Cast(convert_to_tensor(bound), DstT=lengths.dtype)
        counted = raw.SelectV2(raw.Less(given, given * 0), given + lengths, given + zero)
        return raw.Minimum(raw.Maximum(counted, low), high)

    start = bounded(key.start, low if step > 0 else high)
    stop = bounded(key.stop, high if step > 0 else low)
    rows = rows_from_ranges(rt.values, offsets + start, offsets + stop, step)
    length = rt.row_partition.static_uniform_row_length
    bounds = (key.start, key.stop)
    if length is None or any(isinstance(bound, Tensor) for bound in bounds):
        return rows
    size = len(range(length)[key])
    return RaggedTensor(rows.values, rows.row_partition.with_uniform_row_length(size))
