"""Sets: rows whose last axis holds their members, dense or sparse, combined with each other and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import with_rank_at_least
from modtf.core.engine.vocabulary import op
from modtf.core.ops.sparse.coordinates import check_inside, check_parts, parts_dims, sparse_dims, whole_dims
from modtf.core.ops.sparse.structure import _check_ascending
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

Sets = dict[tuple[int, ...], np.ndarray]
"""The members of each set, ascending and each once, by its place in the leading axes."""

_MEMBERS = "signed|string|uint16|uint8"


def _of_sparse(indices: np.ndarray, values: np.ndarray, shape: np.ndarray, validate: bool) -> Sets:
    check_parts(indices, values, shape)
    if len(shape) < 1:
        raise InvalidArgumentError("Sets need a last axis for their members; the shape has rank 0")
    check_inside(np, indices, shape)
    if validate:
        _check_ascending(indices)
    members: dict[tuple[int, ...], list[Any]] = {}
    for row, value in zip(indices[:, :-1].tolist(), values, strict=True):
        members.setdefault(tuple(row), []).append(value)
    return {place: np.unique(np.array(found, values.dtype)) for place, found in members.items()}


def _of_dense(tensor: np.ndarray) -> Sets:
    if not tensor.ndim:
        raise InvalidArgumentError("Sets need a last axis for their members; the tensor has rank 0")
    if not tensor.shape[-1]:
        return {}
    return {place: np.unique(tensor[place]) for place in np.ndindex(tensor.shape[:-1])}


_OPERATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "a-b": lambda a, b: np.setdiff1d(a, b, assume_unique=True),
    "b-a": lambda a, b: np.setdiff1d(b, a, assume_unique=True),
    "intersection": lambda a, b: np.intersect1d(a, b, assume_unique=True),
    "union": np.union1d,
}


def _combined(first: Sets, second: Sets, leading: tuple[int, ...], dtype: Any, operation: str) -> Any:
    """The sets' combinations as a sparse tensor's parts."""
    combine = _OPERATIONS.get(operation.lower())
    if combine is None:
        raise InvalidArgumentError(f"Invalid set_operation {operation!r}; expected one of {', '.join(_OPERATIONS)}")
    none = np.zeros(0, dtype)
    indices: list[tuple[int, ...]] = []
    values: list[Any] = []
    widest = 0
    for place in sorted({*first, *second}):
        members = combine(first.get(place, none), second.get(place, none))
        widest = max(widest, len(members))
        indices += [(*place, number) for number in range(len(members))]
        values += members.tolist() if dtype is np.dtype(object) else list(members)
    return (
        np.array(indices, np.int64).reshape(len(indices), len(leading) + 1),
        np.array(values, dtype),
        np.array([*leading, widest], np.int64),
    )


def _check_leading(first: Any, second: Any) -> tuple[int, ...]:
    if len(first) != len(second) or tuple(first[:-1]) != tuple(second[:-1]):
        raise InvalidArgumentError(
            f"Both must have the same shape but for the last axis; they are {list(map(int, first))} and {list(map(int, second))}"
        )
    return tuple(int(size) for size in first[:-1])


def _result_dims(*ranks: int | None) -> list[Dims]:
    return sparse_dims(next((rank for rank in ranks if rank is not None), None))


def _rank_of_dense(tensor: Tensor) -> int | None:
    with_rank_at_least(tensor, 2, "A set")
    return tensor.ndim


_ATTRIBUTES = "set_operation: string, validate_indices: bool = True"
_RESULT = "(result_indices: int64, result_values: T, result_shape: int64)"


@op(
    f"DenseToDenseSetOperation[T: {_MEMBERS}](set1: T, set2: T, *, {_ATTRIBUTES}) -> {_RESULT}",
    shape=lambda set1, set2, **attrs: _result_dims(_rank_of_dense(set1), _rank_of_dense(set2)),
    host_only=True,
)
def dense_to_dense(xp: Any, set1: np.ndarray, set2: np.ndarray, *, set_operation: str, validate_indices: bool) -> Any:
    leading = _check_leading(set1.shape, set2.shape)
    return _combined(_of_dense(set1), _of_dense(set2), leading, set1.dtype, set_operation)


@op(
    f"DenseToSparseSetOperation[T: {_MEMBERS}](set1: T, set2_indices: int64, set2_values: T, set2_shape: int64, *, "
    f"{_ATTRIBUTES}) -> {_RESULT}",
    shape=lambda set1, set2_indices, set2_values, set2_shape, **attrs: _result_dims(
        _rank_of_dense(set1), parts_dims(set2_indices, set2_values, set2_shape)[1]
    ),
    host_only=True,
)
def dense_to_sparse(
    xp: Any,
    set1: np.ndarray,
    set2_indices: np.ndarray, set2_values: np.ndarray, set2_shape: np.ndarray,
    *, set_operation: str, validate_indices: bool,
) -> Any:  # fmt: skip
    second = _of_sparse(set2_indices, set2_values, set2_shape, validate_indices)
    leading = _check_leading(set1.shape, set2_shape)
    return _combined(_of_dense(set1), second, leading, set1.dtype, set_operation)


@op(
    f"SparseToSparseSetOperation[T: {_MEMBERS}](set1_indices: int64, set1_values: T, set1_shape: int64, "
    f"set2_indices: int64, set2_values: T, set2_shape: int64, *, {_ATTRIBUTES}) -> {_RESULT}",
    shape=lambda *parts, **attrs: _result_dims(parts_dims(*parts[:3])[1], parts_dims(*parts[3:])[1]),
    host_only=True,
)
def sparse_to_sparse(
    xp: Any,
    set1_indices: np.ndarray, set1_values: np.ndarray, set1_shape: np.ndarray,
    set2_indices: np.ndarray, set2_values: np.ndarray, set2_shape: np.ndarray,
    *, set_operation: str, validate_indices: bool,
) -> Any:  # fmt: skip
    first = _of_sparse(set1_indices, set1_values, set1_shape, validate_indices)
    second = _of_sparse(set2_indices, set2_values, set2_shape, validate_indices)
    return _combined(first, second, _check_leading(set1_shape, set2_shape), set1_values.dtype, set_operation)


@op(
    f"SetSize[T: {_MEMBERS}](set_indices: int64, set_values: T, set_shape: int64, *, validate_indices: bool = True) -> "
    "(size: int32)",
    shape=lambda set_indices, set_values, set_shape, *, validate_indices: _leading_dims(set_shape),
    host_only=True,
)
def set_size(
    xp: Any, set_indices: np.ndarray, set_values: np.ndarray, set_shape: np.ndarray, *, validate_indices: bool
) -> np.ndarray:
    sizes = np.zeros(set_shape[:-1], np.int32)
    for place, members in _of_sparse(set_indices, set_values, set_shape, validate_indices).items():
        sizes[place] = len(members)
    return sizes


def _leading_dims(set_shape: Tensor) -> Dims:
    dims = whole_dims(set_shape)
    return None if dims is None else dims[:-1]


for _made in (dense_to_dense, dense_to_sparse, sparse_to_sparse, set_size):
    _made.gradient(None)
