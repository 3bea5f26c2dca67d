"""Crossed features of ragged, sparse and dense columns as a ragged tensor."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.sparse.crossing import concatenated
from modtf.core.ops.strings.hash_functions import fingerprint64
from modtf.core.values.dtypes import DType, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

Column = list[list[Any]]
"""The features of each row."""


def _columns(
    ragged: Sequence[tuple[np.ndarray, np.ndarray]],
    sparse: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]],
    dense: Sequence[np.ndarray],
    order: str,
) -> list[Column]:
    made: dict[str, list[Column]] = {"R": [], "S": [], "D": []}
    for values, splits in ragged:
        bounds, features = splits.tolist(), values.tolist()
        if (
            not bounds
            or bounds[0] != 0
            or bounds[-1] != len(features)
            or any(a > b for a, b in itertools.pairwise(bounds))
        ):
            raise InvalidArgumentError(f"Invalid row splits {bounds} for {len(features)} values")
        made["R"].append([features[start:limit] for start, limit in itertools.pairwise(bounds)])
    for indices, values, shape in sparse:
        if indices.ndim != 2 or len(shape) != 2 or len(indices) != len(values):
            raise InvalidArgumentError("A sparse input must be a matrix with an index for each value")
        column: Column = [[] for _ in range(int(shape[0]))]
        for row, feature in zip(indices[:, 0].tolist(), values.tolist(), strict=True):
            if not 0 <= row < len(column):
                raise InvalidArgumentError(f"A sparse input has a value in row {row}, but only {len(column)} rows")
            column[row].append(feature)
        made["S"].append(column)
    for tensor in dense:
        if tensor.ndim != 2:
            raise InvalidArgumentError(f"A dense input must be a matrix, not of shape {list(tensor.shape)}")
        made["D"].append(tensor.tolist())
    try:
        columns = [made[kind].pop(0) for kind in order]
    except (IndexError, KeyError):
        columns = []
    if not columns or any(made.values()):
        raise InvalidArgumentError(
            f"input_order {order!r} must have an R, S or D for each ragged, sparse and dense input"
        )
    if len({len(column) for column in columns}) > 1:
        raise InvalidArgumentError(
            f"All inputs must have the same number of rows, not {[len(item) for item in columns]}"
        )
    return columns


def _text(feature: Any) -> bytes:
    return feature if isinstance(feature, bytes) else str(feature).encode()


def _hashes(column: Column) -> Column:
    """Strings as their fingerprints, numbers as they are, unsigned."""
    texts = sorted({item for row in column for item in row if isinstance(item, bytes)})
    known = dict(zip(texts, fingerprint64(texts).tolist() if texts else (), strict=True))
    return [[known[item] if isinstance(item, bytes) else item % 2**64 for item in row] for row in column]


def _cross_dims(
    ragged_values: list[Tensor], ragged_row_splits: list[Tensor], sparse_indices: list[Tensor], sparse_values: list[Tensor],
    sparse_shape: list[Tensor], dense_inputs: list[Tensor], **attrs: Any,
) -> list[Dims]:  # fmt: skip
    for tensor in (*ragged_values, *ragged_row_splits, *sparse_values, *sparse_shape):
        with_rank(tensor, 1, "values, row splits and shapes")
    for tensor in (*sparse_indices, *dense_inputs):
        with_rank(tensor, 2, "sparse indices and dense inputs")
    rows = next((tensor.dims for tensor in ragged_row_splits if tensor.dims is not None), (None,))
    return [(None,), rows]


@op(
    "RaggedCross(ragged_values: ragged_values_types, ragged_row_splits: ragged_splits_types, sparse_indices: Nsparse * int64, "
    "sparse_values: sparse_values_types, sparse_shape: Nsparse * int64, dense_inputs: dense_types, *, Nsparse: int, "
    "input_order: string, hashed_output: bool, num_buckets: int, hash_key: int, "
    "ragged_values_types: list(type(int64|string)), ragged_splits_types: list(type(index)), "
    "sparse_values_types: list(type(int64|string)), dense_types: list(type(int64|string)), "
    "out_values_type: type(int64|string), out_row_splits_type: type(index)) "
    "-> (output_values: out_values_type, output_row_splits: out_row_splits_type)",
    shape=_cross_dims,
    host_only=True,
)
def ragged_cross(
    xp: Any, ragged_values: list[np.ndarray], ragged_row_splits: list[np.ndarray], sparse_indices: list[np.ndarray],
    sparse_values: list[np.ndarray], sparse_shape: list[np.ndarray], dense_inputs: list[np.ndarray], *, input_order: str,
    hashed_output: bool, num_buckets: int, hash_key: int, out_values_type: DType, out_row_splits_type: DType, **types: Any,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    columns = _columns(
        list(zip(ragged_values, ragged_row_splits, strict=True)),
        list(zip(sparse_indices, sparse_values, sparse_shape, strict=True)),
        dense_inputs,
        input_order,
    )
    is_hashed = out_values_type is not string  # in TensorFlow, too, it is not hashed_output that decides
    if is_hashed:
        columns = [_hashes(column) for column in columns]
    modulus = num_buckets if num_buckets > 0 else 2**63 - 1

    def combined(features: Sequence[Any]) -> Any:
        if not is_hashed:
            return b"_X_".join(map(_text, features))
        result = hash_key % 2**64
        for feature in features:
            result = concatenated(result, feature)
        return result % modulus

    rows = [[combined(features) for features in itertools.product(*row)] for row in zip(*columns, strict=True)]
    values = np.array([item for row in rows for item in row], out_values_type.np_dtype)
    splits = np.cumsum([0, *map(len, rows)]).astype(out_row_splits_type.np_dtype)
    return values, splits


ragged_cross.gradient(None)
