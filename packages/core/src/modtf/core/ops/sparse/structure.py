"""Sparse tensors taken apart and put together: to dense, in order, reshaped, sliced, joined, split, rows filled."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, merged, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.array.gathering import scatter
from modtf.core.ops.sparse.coordinates import (
    ascending,
    check_inside,
    check_parts,
    linear,
    parts_dims,
    places_among,
    sparse_dims,
)  # fmt: skip
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- to dense


def _check_ascending(indices: np.ndarray) -> None:
    if len(indices) < 2:
        return
    differ = indices[1:] != indices[:-1]
    first = np.argmax(differ, axis=1)
    rows = np.arange(len(first))
    for bad, why in (
        (~differ.any(axis=1), "repeated"),
        (indices[1:][rows, first] < indices[:-1][rows, first], "out of order"),
    ):
        if bad.any():
            place = int(np.argmax(bad)) + 1
            raise InvalidArgumentError(
                f"indices[{place}] = {indices[place].tolist()} is {why}. Many sparse ops require sorted indices: use "
                "tf.sparse.reorder, or validate_indices=False"
            )


@op(
    "SparseToDense[T, Tindices: index](sparse_indices: Tindices, output_shape: Tindices, sparse_values: T, "
    "default_value: T, *, validate_indices: bool = True) -> (dense: T)",
    shape=lambda sparse_indices, output_shape, sparse_values, default_value, *, validate_indices: dims_from_value(
        output_shape
    ),
    host_inputs=("output_shape",),
)
def sparse_to_dense(
    xp: Any,
    sparse_indices: Any,
    output_shape: np.ndarray,
    sparse_values: Any,
    default_value: Any,
    *,
    validate_indices: bool,
) -> Any:
    dims = tuple(output_shape.tolist())
    if sparse_indices.ndim > 2 or output_shape.ndim != 1 or sparse_values.ndim > 1 or default_value.ndim:
        raise InvalidArgumentError(
            f"sparse_indices must be a scalar, vector or matrix, not of shape {list(sparse_indices.shape)}; output_shape a "
            f"vector, not {list(output_shape.shape)}; sparse_values a scalar or vector, not {list(sparse_values.shape)}; "
            f"default_value a scalar, not {list(default_value.shape)}"
        )
    indices = sparse_indices if sparse_indices.ndim == 2 else xp.reshape(sparse_indices, (-1, 1))
    if indices.shape[1] != len(dims):
        raise InvalidArgumentError(
            f"output_shape has {len(dims)} elements, but sparse_indices are for rank {indices.shape[1]}"
        )
    if sparse_values.ndim and sparse_values.shape[0] != indices.shape[0]:
        raise InvalidArgumentError(
            f"sparse_values has {sparse_values.shape[0]} elements for {indices.shape[0]} sparse_indices"
        )
    check_inside(xp, indices, dims)
    if validate_indices and xp is np:
        _check_ascending(indices)
    base = xp.asarray(xp.broadcast_to(default_value, dims), copy=True)
    return scatter(xp, "set", base, indices, xp.broadcast_to(sparse_values, (indices.shape[0],)))


@sparse_to_dense.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, _, values, _ = call.inputs
    if indices.ndim == 1:
        indices = raw.ExpandDims(indices, -1)
    taken = raw.GatherNd(dy, indices)
    rest = _total(dy) - _total(taken)
    return None, None, _total(taken) if values.ndim == 0 and indices.ndim else taken, rest


def _total(tensor: Tensor) -> Tensor:
    return raw.Sum(tensor, raw.Range(0, raw.Rank(tensor), 1))


# ------------------------------------------------------------------------------------------------- in order


def _reordered_dims(input_indices: Tensor, input_values: Tensor, input_shape: Tensor) -> list[Dims]:
    count, rank = parts_dims(input_indices, input_values, input_shape)
    return [(count, rank), (count,)]


@op(
    "SparseReorder[T](input_indices: int64, input_values: T, input_shape: int64) -> (output_indices: int64, output_values: T)",
    shape=_reordered_dims,
    host_only=True,
)
def sparse_reorder(xp: Any, input_indices: np.ndarray, input_values: np.ndarray, input_shape: np.ndarray) -> Any:
    check_parts(input_indices, input_values, input_shape)
    order = ascending(input_indices)
    return input_indices[order], input_values[order]


@sparse_reorder.gradient
def _(call: Any, _: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, _values, shape = call.inputs
    places = raw.Range(0, raw.Shape(indices)[0], 1)
    _, order = raw.SparseReorder(indices, places, shape)
    return None, raw.GatherV2(dy, raw.InvertPermutation(order), 0), None


# ------------------------------------------------------------------------------------------------- reshaped


def _new_dims(size: int, new_shape: np.ndarray) -> list[int]:
    dims = new_shape.tolist()
    if dims.count(-1) > 1:
        raise InvalidArgumentError(f"only one output dimension may be -1, not {dims.count(-1)} of {dims}")
    if any(dim < -1 for dim in dims):
        raise InvalidArgumentError(f"sizes must be non-negative, not {dims}")
    if -1 in dims:
        known = math.prod(dim for dim in dims if dim != -1)
        if not known:
            raise InvalidArgumentError(
                f"reshape cannot infer the missing size of an empty tensor unless the others are non-zero: {dims}"
            )
        if size % known:
            raise InvalidArgumentError(
                f"The SparseTensor has {size} dense values, but the requested shape requires a multiple of {known}"
            )
        dims[dims.index(-1)] = size // known
    if math.prod(dims) != size:
        raise InvalidArgumentError(
            f"Input to reshape is a tensor with {size} dense values, but the requested shape has {math.prod(dims)}"
        )
    return dims


def _reshaped_dims(input_indices: Tensor, input_shape: Tensor, new_shape: Tensor) -> list[Dims]:
    rows, columns = with_rank(input_indices, 2, "input_indices")
    merged(with_rank(input_shape, 1, "input_shape"), (columns,))
    (rank,) = with_rank(new_shape, 1, "new_shape")
    return [(rows, rank), (rank,)]


@op(
    "SparseReshape(input_indices: int64, input_shape: int64, new_shape: int64) -> (output_indices: int64, output_shape: int64)",
    shape=_reshaped_dims,
    host_inputs=("input_shape", "new_shape"),
)
def sparse_reshape(xp: Any, input_indices: Any, input_shape: np.ndarray, new_shape: np.ndarray) -> Any:
    if (
        input_indices.ndim != 2
        or input_shape.ndim != 1
        or new_shape.ndim != 1
        or input_indices.shape[1] != len(input_shape)
    ):
        raise InvalidArgumentError(
            f"input_indices must be a matrix with {input_shape.size} columns, not of shape {list(input_indices.shape)}"
        )
    before = input_shape.tolist()
    dims = _new_dims(math.prod(before), new_shape)
    check_inside(xp, input_indices, before)
    rest = linear(xp, input_indices, before)
    columns = []
    for size in reversed(dims):
        columns.append(rest % max(size, 1))
        rest = rest // max(size, 1)
    indices = xp.stack(columns[::-1], axis=1) if columns else xp.zeros((input_indices.shape[0], 0), dtype=xp.int64)
    return indices, xp.asarray(np.array(dims, np.int64))


# ------------------------------------------------------------------------------------------------- sliced


@op(
    "SparseSlice[T](indices: int64, values: T, shape: int64, start: int64, size: int64) -> "
    "(output_indices: int64, output_values: T, output_shape: int64)",
    shape=lambda indices, values, shape, start, size: _sliced_dims(indices, values, shape, start, size),
    host_only=True,
)
def sparse_slice(
    xp: Any, indices: np.ndarray, values: np.ndarray, shape: np.ndarray, start: np.ndarray, size: np.ndarray
) -> Any:
    check_parts(indices, values, shape)
    if start.shape != shape.shape or size.shape != shape.shape:
        raise InvalidArgumentError(f"start and size must have {len(shape)} elements, not {start.size} and {size.size}")
    if (start < 0).any() or (size < 0).any():
        raise InvalidArgumentError(f"start and size must not be negative: {start.tolist()}, {size.tolist()}")
    inside = ((indices >= start) & (indices < start + size)).all(axis=1)
    return indices[inside] - start, values[inside], np.clip(shape - start, 0, size)


def _sliced_dims(indices: Tensor, values: Tensor, shape: Tensor, start: Tensor, size: Tensor) -> list[Dims]:
    _, rank = parts_dims(indices, values, shape)
    (rank,) = merged((rank,), with_rank(start, 1, "start"), with_rank(size, 1, "size")) or (None,)
    return sparse_dims(rank)


@sparse_slice.gradient
def _(call: Any, _: Any, dy: Tensor, *__: Any) -> tuple[Tensor | None, ...]:
    indices, _values, _shape, start, _size = call.inputs
    return None, raw.SparseSliceGrad(dy, indices, start, call.outputs[0]), None, None, None


@op(
    "SparseSliceGrad[T: number|quantized](backprop_val_grad: T, input_indices: int64, input_start: int64, "
    "output_indices: int64) -> (val_grad: T)",
    shape=lambda backprop_val_grad, input_indices, input_start, output_indices: (
        with_rank(input_indices, 2, "input_indices")[0],
    ),
    host_only=True,
)
def sparse_slice_grad(
    xp: Any,
    backprop_val_grad: np.ndarray,
    input_indices: np.ndarray,
    input_start: np.ndarray,
    output_indices: np.ndarray,
) -> np.ndarray:
    if backprop_val_grad.shape[:1] != output_indices.shape[:1] or input_indices.shape[1:] != output_indices.shape[1:]:
        raise InvalidArgumentError(
            f"backprop_val_grad {list(backprop_val_grad.shape)}, input_indices {list(input_indices.shape)} and output_indices "
            f"{list(output_indices.shape)} do not fit together"
        )
    places = places_among(input_indices - input_start, output_indices)
    if (places >= 0).sum() < len(output_indices):
        raise InvalidArgumentError(
            f"Only {(places >= 0).sum()} of the {len(output_indices)} output_indices are among those of the input"
        )
    return taken_or_zero(backprop_val_grad, places)


def taken_or_zero(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The values at some places, zero where the place is -1."""
    result = np.zeros(len(places), values.dtype)
    result[places >= 0] = values[places[places >= 0]]
    return result


# ------------------------------------------------------------------------------------------------- joined, split


def _joined_dims(indices: list[Tensor], values: list[Tensor], shapes: list[Tensor], *, concat_dim: int) -> list[Dims]:
    counts, ranks = zip(*map(parts_dims, indices, values, shapes), strict=True)
    (rank,) = merged(*((rank,) for rank in ranks)) or (None,)
    return sparse_dims(rank, None if None in counts else sum(counts))


@op(
    "SparseConcat[T](indices: N * int64, values: N * T, shapes: N * int64, *, concat_dim: int) -> "
    "(output_indices: int64, output_values: T, output_shape: int64)",
    shape=_joined_dims,
    host_only=True,
)
def sparse_concat(
    xp: Any, indices: list[np.ndarray], values: list[np.ndarray], shapes: list[np.ndarray], *, concat_dim: int
) -> Any:
    for parts in zip(indices, values, shapes, strict=True):
        check_parts(*parts)
    rank = len(shapes[0])
    if not -rank <= concat_dim < rank:
        raise InvalidArgumentError(f"Concat dimension must be in range [{-rank}, {rank}), got {concat_dim}")
    axis = concat_dim % rank
    total = shapes[0].copy()
    for number, shape in enumerate(shapes[1:], 1):
        if len(shape) != rank or (np.delete(shape, axis) != np.delete(total, axis)).any():
            raise InvalidArgumentError(
                f"Input shapes must match but for axis {axis}: {shapes[0].tolist()} at 0 and {shape.tolist()} at {number}"
            )
    starts = np.cumsum([0, *(shape[axis] for shape in shapes)])
    moved = [rows + np.eye(1, rank, axis, dtype=np.int64) * start for rows, start in zip(indices, starts, strict=False)]
    total[axis] = starts[-1]
    joined = np.concatenate(moved)
    order = ascending(joined)
    return joined[order], np.concatenate(values)[order], total


sparse_concat.gradient(None)


def _split_dims(split_dim: Tensor, indices: Tensor, values: Tensor, shape: Tensor, *, num_split: int) -> list[Dims]:
    _, rank = parts_dims(indices, values, shape)
    return [dims for dims in sparse_dims(rank) for _ in range(num_split)]


@op(
    "SparseSplit[T](split_dim: int64, indices: int64, values: T, shape: int64, *, num_split: int) -> "
    "(output_indices: num_split * int64, output_values: num_split * T, output_shape: num_split * int64)",
    shape=_split_dims,
    host_only=True,
)
def sparse_split(
    xp: Any, split_dim: np.ndarray, indices: np.ndarray, values: np.ndarray, shape: np.ndarray, *, num_split: int
) -> Any:
    check_parts(indices, values, shape)
    rank = len(shape)
    if split_dim.ndim or not -rank <= int(split_dim.item()) < rank:
        raise InvalidArgumentError(f"Input split_dim should be between {-rank} and rank ({rank}), got {split_dim}")
    check_inside(np, indices, shape)
    axis = int(split_dim.item()) % rank
    size = int(shape[axis])
    if not 1 <= num_split <= size:
        raise InvalidArgumentError(
            f"Input num_split should be between 1 and the splitting dimension size ({size}), got {num_split}"
        )
    least, more = divmod(size, num_split)
    bounds = np.cumsum([0] + [least + (part < more) for part in range(num_split)])
    parts = []
    for start, stop in itertools.pairwise(bounds):
        chosen = (indices[:, axis] >= start) & (indices[:, axis] < stop)
        rows, dims = indices[chosen], shape.copy()
        rows[:, axis] -= start
        dims[axis] = stop - start
        parts.append((rows, values[chosen], dims))
    return [array for column in zip(*parts, strict=True) for array in column]


# ------------------------------------------------------------------------------------------------- rows filled


def _filled_dims(indices: Tensor, values: Tensor, dense_shape: Tensor, default_value: Tensor) -> list[Dims]:
    count, rank = parts_dims(indices, values, dense_shape)
    dims = dims_from_value(dense_shape)
    return [(None, rank), (None,), (dims[0] if dims else None,), (count,)]


@op(
    "SparseFillEmptyRows[T](indices: int64, values: T, dense_shape: int64, default_value: T) -> "
    "(output_indices: int64, output_values: T, empty_row_indicator: bool, reverse_index_map: int64)",
    shape=_filled_dims,
    host_only=True,
)
def sparse_fill_empty_rows(
    xp: Any, indices: np.ndarray, values: np.ndarray, dense_shape: np.ndarray, default_value: np.ndarray
) -> Any:
    check_parts(indices, values, dense_shape)
    if default_value.ndim:
        raise InvalidArgumentError(f"default_value must be a scalar, not of shape {list(default_value.shape)}")
    if not len(dense_shape):
        raise InvalidArgumentError("Dense shape cannot be empty")
    count = int(dense_shape[0])
    rows = indices[:, 0]
    bad = (rows < 0) | (rows >= count)
    if bad.any():
        place = int(np.argmax(bad))
        raise InvalidArgumentError(f"indices({place}, 0) is invalid: {rows[place]} is not in [0, {count})")
    empty = np.bincount(rows, minlength=count)[:count] == 0
    added = np.zeros((np.count_nonzero(empty), indices.shape[1]), np.int64)
    added[:, 0] = np.flatnonzero(empty)
    whole = np.concatenate([indices, added])
    order = np.argsort(whole[:, 0], kind="stable")
    filled = np.empty(len(whole), values.dtype)
    filled[: len(values)], filled[len(values) :] = values, default_value
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return whole[order], filled[order], empty, places[: len(values)]


@sparse_fill_empty_rows.gradient
def _(call: Any, _: Any, dy: Tensor, *__: Any) -> tuple[Tensor | None, ...]:
    to_values, to_default = raw.SparseFillEmptyRowsGrad(call.outputs[3], dy)
    return None, to_values, None, to_default


@op(
    "SparseFillEmptyRowsGrad[T](reverse_index_map: int64, grad_values: T) -> (d_values: T, d_default_value: T)",
    shape=lambda reverse_index_map, grad_values: [with_rank(reverse_index_map, 1, "reverse_index_map"), ()],
)
def sparse_fill_empty_rows_grad(xp: Any, reverse_index_map: Any, grad_values: Any) -> Any:
    if reverse_index_map.ndim != 1 or grad_values.ndim != 1:
        raise InvalidArgumentError("reverse_index_map and grad_values must be vectors")
    check_inside(xp, reverse_index_map[:, None], grad_values.shape)
    taken = xp.take(grad_values, reverse_index_map, axis=0)
    ones = xp.ones_like(reverse_index_map, dtype=xp.int32)
    kept = scatter(xp, "add", xp.zeros(grad_values.shape, dtype=xp.int32), reverse_index_map[:, None], ones) == 0
    rest = xp.sum(xp.where(kept, grad_values, xp.zeros_like(grad_values)), dtype=grad_values.dtype)
    return taken, rest


@sparse_fill_empty_rows_grad.gradient
def _(call: Any, to_values: Tensor, to_default: Tensor) -> tuple[None, Tensor]:
    indices, gradients = call.inputs
    rows = raw.ExpandDims(indices, 1)
    everywhere = raw.Fill(raw.Shape(gradients), to_default)
    return None, raw.TensorScatterUpdate(everywhere, rows, to_values)
