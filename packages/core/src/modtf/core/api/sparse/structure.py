"""Sparse tensors made, converted, put in order, reshaped, cut and joined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.api.arguments import host
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values import dtypes
from modtf.core.values.conversion import constant, convert_to_tensor
from modtf.core.values.indexed_slices import IndexedSlices
from modtf.core.values.shapes import TensorShape
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "concat", "expand_dims", "eye", "from_dense", "mask", "reorder", "reset_shape", "reshape", "retain", "slice", "split",
    "to_dense", "to_indicator", "transpose",
]  # fmt: skip


def checked(sp_input: Any) -> SparseTensor:
    """Returns what is a sparse tensor, and refuses anything else.

    Raises:
        TypeError: It is not one.
    """
    if not isinstance(sp_input, SparseTensor):
        raise TypeError(f"Expected a SparseTensor, not {sp_input!r}. tf.sparse.from_dense makes one of a tensor.")
    return sp_input


def _int64(value: Any, what: str) -> Tensor:
    if isinstance(value, Tensor):
        return value if value.dtype is dtypes.int64 else raw.Cast(value, DstT=dtypes.int64)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what} must be an integer, not {value!r}.")
    return convert_to_tensor(int(value), dtype=dtypes.int64)


def _with_shape(made: SparseTensor, shape: TensorShape) -> SparseTensor:
    made.set_shape(shape)
    return made


# ------------------------------------------------------------------------------------------------- made and converted


def from_dense(tensor: Any, name: str | None = None) -> SparseTensor:
    """Returns the elements of a tensor that are not zero (not an empty string, not False).

    Args:
        tensor: A tensor.
        name: A name for the graph node.
    """
    dense = convert_to_tensor(tensor)
    indices = raw.Where(raw.NotEqual(dense, raw.ZerosLike(dense)))
    made = SparseTensor(indices, raw.GatherNd(dense, indices, name=name), raw.Shape(dense, out_type=dtypes.int64))
    return _with_shape(made, dense.shape)


def to_dense(
    sp_input: Any, default_value: Any = None, validate_indices: bool = True, name: str | None = None
) -> Tensor:
    """Returns a sparse tensor as an ordinary one.

    Args:
        sp_input: A sparse tensor.
        default_value: The elements that it does not give; by default 0 (an empty string, False).
        validate_indices: Whether to check that the coordinates ascend and are different.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A coordinate is outside of the shape, out of order or repeated.
    """
    sparse = checked(sp_input)
    if default_value is None:
        default_value = constant(
            np.zeros((), sparse.dtype.np_dtype) if sparse.dtype is not dtypes.string else b"", sparse.dtype
        )
    made = raw.SparseToDense(
        sparse.indices, sparse.dense_shape, sparse.values, default_value, validate_indices=validate_indices, name=name
    )
    if hasattr(made, "set_shape"):
        made.set_shape(sparse.shape)
    return made


def to_indicator(sp_input: Any, vocab_size: Any, name: str | None = None) -> Tensor:
    """Returns which numbers occur in each row of a sparse tensor.

    Args:
        sp_input: A sparse tensor [d0, ..., dn] of int32 or int64 below `vocab_size`.
        vocab_size: The number of numbers, from 0.
        name: A name for the graph node.

    Returns:
        A bool tensor [d0, ..., dn-1, vocab_size].
    """
    sparse = checked(sp_input)
    numbers = raw.Cast(sparse.values, DstT=dtypes.int64)
    size = _int64(vocab_size, "vocab_size")
    indices = raw.ConcatV2([sparse.indices[:, :-1], raw.ExpandDims(numbers, 1)], 1)
    shape = raw.ConcatV2([sparse.dense_shape[:-1], raw.ExpandDims(size, 0)], 0)
    known = constant_value(size)
    whole = SparseTensor(indices, raw.Fill(raw.Shape(numbers), True), shape)
    if sparse.shape.rank is not None:
        whole.set_shape(sparse.shape[:-1].concatenate([None if known is None else int(known)]))
    return to_dense(reorder(whole), default_value=False, validate_indices=False, name=name)


def eye(num_rows: Any, num_columns: Any = None, dtype: Any = dtypes.float32, name: str | None = None) -> SparseTensor:
    """Returns a matrix with ones on its diagonal.

    Args:
        num_rows: The number of rows.
        num_columns: The number of columns; by default as many.
        dtype: The dtype of the ones.
        name: A name for the graph node.
    """
    rows = _int64(num_rows, "num_rows")
    columns = rows if num_columns is None else _int64(num_columns, "num_columns")
    diagonal = raw.Range(np.int64(0), raw.Minimum(rows, columns), np.int64(1))
    ones = raw.Cast(raw.OnesLike(diagonal), DstT=dtype, name=name)
    return SparseTensor(raw.Pack([diagonal, diagonal], axis=1), ones, raw.Pack([rows, columns]))


def mask(a: IndexedSlices, mask_indices: Any, name: str | None = None) -> IndexedSlices:
    """Returns indexed slices without those of some numbers.

    Args:
        a: Indexed slices.
        mask_indices: The numbers to leave out, a vector.
        name: A name for the graph node.
    """
    kept, places = raw.ListDiff(a.indices, mask_indices)
    return IndexedSlices(raw.GatherV2(a.values, places, 0, name=name), kept, a.dense_shape)


# ------------------------------------------------------------------------------------------------- order and shape


def reorder(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Returns a sparse tensor with its elements in the ascending order of their coordinates.

    Args:
        sp_input: A sparse tensor.
        name: A name for the graph node.
    """
    sparse = checked(sp_input)
    indices, values = raw.SparseReorder(sparse.indices, sparse.values, sparse.dense_shape, name=name)
    return _with_shape(SparseTensor(indices, values, sparse.dense_shape), sparse.shape)


def reshape(sp_input: Any, shape: Any, name: str | None = None) -> SparseTensor:
    """Returns the same elements in another shape.

    Args:
        sp_input: A sparse tensor.
        shape: The new shape; one size may be -1, to be found from the others.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The shape does not have as many elements.
        ValueError: The same, if all sizes are known while a function is traced.
    """
    sparse = checked(sp_input)
    sizes = convert_to_tensor(host(shape), dtype_hint=dtypes.int64)
    sizes = raw.Cast(sizes, DstT=dtypes.int64) if sizes.dtype is not dtypes.int64 else sizes
    wanted, size = constant_value(sizes), sparse.shape.num_elements()
    known = None if wanted is None else [None if dim < 0 else dim for dim in wanted.tolist()]
    if known is not None and size is not None and known.count(None) < 2:
        rest = math.prod(dim for dim in known if dim is not None)
        if (rest != size) if None not in known else (rest and size % rest):
            raise ValueError(
                f"Cannot reshape a tensor with {size} elements to the shape {known}, of {rest} elements or a multiple."
            )
        known = [(size // rest if rest else None) if dim is None else dim for dim in known]
    indices, dense_shape = raw.SparseReshape(sparse.indices, sparse.dense_shape, sizes, name=name)
    made = SparseTensor(indices, sparse.values, dense_shape)
    return made if known is None else _with_shape(made, TensorShape(known))


def expand_dims(sp_input: Any, axis: Any = None, name: str | None = None) -> SparseTensor:
    """Returns a sparse tensor with one more axis, of size 1.

    Args:
        sp_input: A sparse tensor.
        axis: Where the new axis shall be, negative ones counted from behind the end; by default the last one.
        name: A name for the graph node.

    Raises:
        ValueError: There is no such place.
    """
    sparse = checked(sp_input)
    rank: Any = sparse.shape.rank
    if rank is None:
        rank = raw.Size(sparse.dense_shape)
    axis = -1 if axis is None else axis
    if not isinstance(axis, Tensor) and not hasattr(axis, "__index__"):
        raise TypeError(f"axis must be an integer in [-rank - 1, rank], not {axis!r}.")
    place: Any = axis
    if isinstance(axis, Tensor):
        axis = raw.Cast(axis, DstT=dtypes.int32)
        place = raw.SelectV2(raw.Less(axis, np.int32(0)), axis + rank + 1, axis)
    elif isinstance(rank, int) and not -rank - 1 <= axis <= rank:
        raise ValueError(f"axis must be in [{-rank - 1}, {rank}], not {axis}.")
    elif axis < 0:
        place = axis + rank + 1
    new = raw.ZerosLike(raw.ExpandDims(sparse.indices[:, 0], 1)) if sparse.shape.rank else _zero_column(sparse.indices)
    indices = raw.ConcatV2([sparse.indices[:, :place], new, sparse.indices[:, place:]], 1)
    one = convert_to_tensor([1], dtype=dtypes.int64)
    shape = raw.ConcatV2([sparse.dense_shape[:place], one, sparse.dense_shape[place:]], 0, name=name)
    made = SparseTensor(indices, sparse.values, shape)
    if isinstance(place, int) and sparse.shape.rank is not None:
        made.set_shape(sparse.shape[:place].concatenate([1]).concatenate(sparse.shape[place:]))
    return made


def _zero_column(indices: Tensor) -> Tensor:
    return raw.Fill(raw.Pack([raw.Shape(indices)[0], 1]), np.int64(0))


def transpose(sp_input: Any, perm: Any = None, name: str | None = None) -> SparseTensor:
    """Returns a sparse tensor with its axes in another order.

    Args:
        sp_input: A sparse tensor.
        perm: The axes in their new order; by default backwards.
        name: A name for the graph node.
    """
    sparse = checked(sp_input)
    rank = sparse.shape.rank
    if perm is None:
        perm = list(range(rank))[::-1] if rank is not None else raw.Range(raw.Size(sparse.dense_shape) - 1, -1, -1)
    order = convert_to_tensor(host(perm))
    made = SparseTensor(
        raw.GatherV2(sparse.indices, order, 1), sparse.values, raw.GatherV2(sparse.dense_shape, order, 0)
    )
    known = constant_value(order)
    if known is not None and rank is not None:
        made.set_shape([sparse.shape[axis] for axis in known.tolist()])
    return reorder(made, name=name)


def reset_shape(sp_input: Any, new_shape: Any = None) -> SparseTensor:
    """Returns the same elements at the same coordinates of a whole of another shape.

    Args:
        sp_input: A sparse tensor.
        new_shape: The shape, of the same rank and at least as large; by default the smallest that has all elements.

    Raises:
        ValueError: It is known to be smaller, or of another rank.
        InvalidArgumentError: It is found to be smaller.
    """
    sparse = checked(sp_input)
    if new_shape is None:
        highest = raw.Max(sparse.indices, [0]) + np.int64(1)
        return SparseTensor(sparse.indices, sparse.values, raw.Maximum(highest, np.int64(0)))
    shape = convert_to_tensor(host(new_shape))
    shape = shape if shape.dtype is dtypes.int64 else raw.Cast(shape, DstT=dtypes.int64)
    (count,) = shape.shape.with_rank(1)
    rank = sparse.shape.rank
    if None not in (count, rank) and count != rank:
        raise ValueError(f"new_shape must have {rank} sizes, one for each axis of {sparse.shape}, not {count}.")
    known = constant_value(shape)
    if known is not None and sparse.shape.is_fully_defined():
        if any(new < old for new, old in zip(known.tolist(), sparse.shape.as_list(), strict=True)):
            raise ValueError(f"new_shape {known.tolist()} must not be smaller than {sparse.shape}.")
    else:
        from modtf.core.api.debugging import assert_less_equal

        assert_less_equal(sparse.dense_shape, shape, message="new_shape must not be smaller than the shape.")
    return SparseTensor(sparse.indices, sparse.values, shape)


# ------------------------------------------------------------------------------------------------- parts


def slice(sp_input: Any, start: Any, size: Any, name: str | None = None) -> SparseTensor:
    """Returns a rectangular part of a sparse tensor.

    Args:
        sp_input: A sparse tensor.
        start: Where the part begins, a coordinate for each axis.
        size: Its size along each axis; what lies outside is left out.
        name: A name for the graph node.
    """
    sparse = checked(sp_input)
    bounds = [convert_to_tensor(value, dtype=dtypes.int64) for value in (start, size)]
    return SparseTensor(*raw.SparseSlice(sparse.indices, sparse.values, sparse.dense_shape, *bounds, name=name))


def split(
    sp_input: Any = None, num_split: int | None = None, axis: Any = None, name: str | None = None
) -> list[SparseTensor]:
    """Splits a sparse tensor along an axis into parts that differ by at most 1 in size, the larger ones first.

    Args:
        sp_input: A sparse tensor.
        num_split: The number of parts, at most as many as the axis is long.
        axis: The axis.
        name: A name for the graph node.

    Raises:
        ValueError: An argument is missing.
    """
    if sp_input is None or num_split is None or axis is None:
        raise ValueError("tf.sparse.split needs sp_input, num_split and axis.")
    sparse = checked(sp_input)
    parts = raw.SparseSplit(
        convert_to_tensor(axis, dtype_hint=dtypes.int64), sparse.indices, sparse.values, sparse.dense_shape,
        num_split=num_split, name=name,
    )  # fmt: skip
    return [SparseTensor(*part) for part in zip(*parts, strict=True)]


def concat(
    axis: int, sp_inputs: Sequence[Any], expand_nonconcat_dims: bool = False, name: str | None = None
) -> SparseTensor:
    """Joins sparse tensors along an axis.

    Args:
        axis: The axis.
        sp_inputs: The sparse tensors; their shapes agree but for the axis.
        expand_nonconcat_dims: Whether the other sizes may differ too, and become the largest.
        name: A name for the graph node.

    Returns:
        A sparse tensor whose elements are in ascending order.

    Raises:
        InvalidArgumentError: The shapes do not agree.
    """
    if not isinstance(sp_inputs, (list, tuple)):
        raise TypeError(f"sp_inputs must be a list of SparseTensors, not {sp_inputs!r}.")
    parts = [checked(item) for item in sp_inputs]
    if len(parts) == 1:
        return parts[0]
    shapes = [part.dense_shape for part in parts]
    if expand_nonconcat_dims:
        widest = raw.Max(raw.Pack(shapes), [0])
        behind = axis + 1 or None
        shapes = [
            raw.ConcatV2([widest[:axis], shape[axis:behind], widest[behind:] if behind else widest[:0]], 0)
            for shape in shapes
        ]
    made = SparseTensor(
        *raw.SparseConcat(
            [part.indices for part in parts], [part.values for part in parts], shapes, concat_dim=axis, name=name
        )
    )
    known = [part.shape for part in parts]
    if all(shape.rank is not None for shape in known):
        columns = list(zip(*(shape.as_list() for shape in known), strict=True))
        sizes = [None if None in column else max(column) for column in columns]
        along = columns[axis]
        sizes[axis] = None if None in along else sum(along)
        made.set_shape(sizes)
    return made


def retain(sp_input: Any, to_retain: Any) -> SparseTensor:
    """Returns a sparse tensor with some of the elements.

    Args:
        sp_input: A sparse tensor with n elements.
        to_retain: A bool vector [n] that says which.
    """
    sparse = checked(sp_input)
    chosen = convert_to_tensor(to_retain)
    (count,) = chosen.shape.with_rank(1)
    (own,) = sparse.values.shape.with_rank(1)
    if None not in (count, own) and count != own:
        raise ValueError(f"to_retain must have an element for each of the {own} values, not {count}.")
    places = raw.Reshape(raw.Where(chosen), [-1])
    made = SparseTensor(
        raw.GatherV2(sparse.indices, places, 0), raw.GatherV2(sparse.values, places, 0), sparse.dense_shape
    )
    return _with_shape(made, sparse.shape)
