"""Counting how often numbers occur in the rows of sparse, ragged and dense tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import dims_from_value, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.math.segments import _bins, _check_counting, _size_dim
from modtf.core.ops.sparse.coordinates import check_inside, check_parts, parts_dims, sparse_dims
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- dense counts


def _binned(
    rows: np.ndarray, count: int | None, numbers: np.ndarray, size: np.ndarray, weights: np.ndarray, binary: bool
) -> np.ndarray:
    """The counts of the numbers in each row, of which there are `count`; `None` for one row without an axis."""
    _check_counting(numbers, size, weights)
    length, lines = int(size), 1 if count is None else count
    inside = numbers < length
    places = rows[inside] * length + numbers[inside]
    if binary:
        weights = weights[:0]
    counted = _bins(places, lines * length, weights[inside] if weights.size else weights, weights.dtype)
    if binary:
        counted = np.minimum(counted, 1).astype(counted.dtype)
    return counted if count is None else counted.reshape(lines, length)


@op(
    "SparseBincount[Tidx: index, T: index|float32|float64](indices: int64, values: Tidx, dense_shape: int64, size: Tidx, "
    "weights: T, *, binary_output: bool = False) -> (output: T)",
    shape=lambda indices, values, dense_shape, size, weights, *, binary_output: _sparse_bins_dims(dense_shape, size),
    host_only=True,
)
def sparse_bincount(
    xp: Any, indices: np.ndarray, values: np.ndarray, dense_shape: np.ndarray, size: np.ndarray, weights: np.ndarray,
    *, binary_output: bool,
) -> np.ndarray:  # fmt: skip
    check_parts(indices, values, dense_shape)
    check_inside(np, indices, dense_shape)
    if len(dense_shape) == 1:
        return _binned(np.zeros(len(values), np.int64), None, values, size, weights, binary_output)
    return _binned(indices[:, 0], int(dense_shape[0]), values, size, weights, binary_output)


def _sparse_bins_dims(dense_shape: Tensor, size: Tensor) -> Dims:
    dims = dims_from_value(dense_shape)
    if dims is None:
        return None
    return (_size_dim(size),) if len(dims) == 1 else (dims[0], _size_dim(size))


def _rows_of_splits(splits: np.ndarray, count: int) -> np.ndarray:
    """The row of each of `count` values."""
    if splits.ndim != 1 or not splits.size or splits[0] != 0 or splits[-1] != count or (splits[1:] < splits[:-1]).any():
        raise InvalidArgumentError(
            f"Splits must ascend from 0 to the number of values, {count}; they are {splits.tolist()}"
        )
    return np.repeat(np.arange(len(splits) - 1), np.diff(splits))


@op(
    "RaggedBincount[Tidx: index, T: index|float32|float64](splits: int64, values: Tidx, size: Tidx, weights: T, *, "
    "binary_output: bool = False) -> (output: T)",
    shape=lambda splits, values, size, weights, *, binary_output: (_rows_dim(splits), _size_dim(size)),
    host_only=True,
)
def ragged_bincount(
    xp: Any, splits: np.ndarray, values: np.ndarray, size: np.ndarray, weights: np.ndarray, *, binary_output: bool
) -> np.ndarray:
    rows = _rows_of_splits(splits, values.size)
    flat = weights.reshape(-1)
    return _binned(rows, len(splits) - 1, values.reshape(-1), size, flat, binary_output)


def _rows_dim(splits: Tensor) -> int | None:
    (count,) = with_rank(splits, 1, "splits")
    return None if count is None else count - 1


# ------------------------------------------------------------------------------------------------- sparse counts

_TYPES = "[T: index, output_type: index|float32|float64]"
_ATTRIBUTES = "minlength: int = -1, maxlength: int = -1, binary_output: bool"
_RESULT = "(output_indices: int64, output_values: output_type, output_dense_shape: int64)"


def _counted(
    rows: np.ndarray, leading: Sequence[int], numbers: np.ndarray, weights: np.ndarray,
    *, minlength: int, maxlength: int, binary_output: bool,
) -> Any:  # fmt: skip
    """The counts of the numbers in each row as a sparse tensor's parts."""
    if minlength < -1 or maxlength < -1:
        raise InvalidArgumentError(f"minlength and maxlength must be at least -1, not {minlength} and {maxlength}")
    if weights.size and weights.shape != numbers.shape:
        raise InvalidArgumentError(
            f"Weights must have the shape of the values: {list(weights.shape)} is not {list(numbers.shape)}"
        )
    if (numbers < 0).any():
        raise InvalidArgumentError(f"Input values must all be non-negative; there is {numbers.min()}")
    inside = numbers < maxlength if maxlength >= 0 else np.ones(numbers.shape, bool)
    chosen = np.stack([rows[inside], numbers[inside].astype(np.int64)], axis=1)
    found, places = np.unique(chosen, axis=0, return_inverse=True)
    totals = np.zeros(len(found), weights.dtype)
    if binary_output:
        totals[:] = 1
    else:
        np.add.at(totals, places.reshape(-1), weights[inside] if weights.size else weights.dtype.type(1))
    width = maxlength if maxlength >= 0 else max(int(numbers.max(initial=-1)) + 1, minlength)
    indices = found if leading else found[:, 1:]
    return indices.astype(np.int64), totals, np.array([*leading, width], np.int64)


def _counts_dims(rank: int | None) -> list[Dims]:
    return sparse_dims(rank)


@op(
    f"DenseCountSparseOutput{_TYPES}(values: T, weights: output_type, *, {_ATTRIBUTES}) -> {_RESULT}",
    shape=lambda values, weights, **attrs: _counts_dims(values.ndim),
    host_only=True,
)
def dense_counts(xp: Any, values: np.ndarray, weights: np.ndarray, **attrs: Any) -> Any:
    if values.ndim not in (1, 2):
        raise InvalidArgumentError(f"Input must be a 1 or 2-dimensional tensor. Got shape {list(values.shape)}")
    if 0 in values.shape:
        raise InvalidArgumentError(f"Input must not be empty; its shape is {list(values.shape)}")
    if weights.size and weights.shape != values.shape:
        raise InvalidArgumentError(
            f"Weights must have the shape of the values: {list(weights.shape)} is not {list(values.shape)}"
        )
    leading = values.shape[:-1]
    rows = np.repeat(np.arange(leading[0]), values.shape[1]) if leading else np.zeros(values.size, np.int64)
    return _counted(rows, leading, values.reshape(-1), weights.reshape(-1), **attrs)


@op(
    f"SparseCountSparseOutput{_TYPES}(indices: int64, values: T, dense_shape: int64, weights: output_type, *, "
    f"{_ATTRIBUTES}) -> {_RESULT}",
    shape=lambda indices, values, dense_shape, weights, **attrs: _counts_dims(
        parts_dims(indices, values, dense_shape)[1]
    ),
    host_only=True,
)
def sparse_counts(
    xp: Any, indices: np.ndarray, values: np.ndarray, dense_shape: np.ndarray, weights: np.ndarray, **attrs: Any
) -> Any:
    check_parts(indices, values, dense_shape)
    if len(dense_shape) not in (1, 2):
        raise InvalidArgumentError(f"Input must be of rank 1 or 2, not of shape {dense_shape.tolist()}")
    leading = dense_shape[:-1].tolist()
    check_inside(np, indices, dense_shape)
    rows = indices[:, 0] if leading else np.zeros(len(values), np.int64)
    return _counted(rows, leading, values, weights, **attrs)


@op(
    f"RaggedCountSparseOutput{_TYPES}(splits: int64, values: T, weights: output_type, *, {_ATTRIBUTES}) -> {_RESULT}",
    shape=lambda splits, values, weights, **attrs: _counts_dims(2),
    host_only=True,
)
def ragged_counts(xp: Any, splits: np.ndarray, values: np.ndarray, weights: np.ndarray, **attrs: Any) -> Any:
    return _counted(_rows_of_splits(splits, values.size), [len(splits) - 1], values, weights, **attrs)
