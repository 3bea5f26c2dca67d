"""Crossed features: each combination of a row's features of several columns as one string or hash."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.sparse.coordinates import check_parts, parts_dims, sparse_dims
from modtf.core.ops.strings.hash_functions import fingerprint64, siphash24
from modtf.core.values.dtypes import DType, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_MULTIPLIER = 0xC6A4A7935BD1E995
_WORD = 2**64 - 1


def _mixed(value: int) -> int:
    return value ^ (value >> 47)


def concatenated(first: int, second: int) -> int:
    """The fingerprint of two fingerprints, by the mixing of MurmurHash64A (Austin Appleby, public domain)."""
    result = first ^ _MULTIPLIER ^ (_mixed(second * _MULTIPLIER & _WORD) * _MULTIPLIER & _WORD)
    result = _mixed(result * _MULTIPLIER & _WORD) * _MULTIPLIER & _WORD
    return _mixed(result)


# ------------------------------------------------------------------------------------------------- columns


def _columns(
    indices: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    shapes: Sequence[np.ndarray],
    dense: Sequence[np.ndarray],
) -> tuple[int, list[list[list[Any]]]]:
    """The number of rows, and for each column the features of each row."""
    if not (len(indices) == len(values) == len(shapes)):
        raise InvalidArgumentError(
            f"Expected as many indices as values and shapes, got {len(indices)}, {len(values)} and {len(shapes)}"
        )
    for parts in zip(indices, values, shapes, strict=True):
        check_parts(*parts)
        if len(parts[2]) != 2:
            raise InvalidArgumentError(f"Crossed sparse tensors must have rank 2, not the shape {parts[2].tolist()}")
    for tensor in dense:
        if tensor.ndim != 2:
            raise InvalidArgumentError(f"Crossed dense tensors must be matrices, not of shape {list(tensor.shape)}")
    heights = {*(int(shape[0]) for shape in shapes), *(tensor.shape[0] for tensor in dense)}
    if len(heights) > 1:
        raise InvalidArgumentError(f"All crossed inputs must have the same number of rows, not {sorted(heights)}")
    count = heights.pop() if heights else 0
    columns = []
    for rows, features in zip(indices, values, strict=True):
        if ((rows[:, 0] < 0) | (rows[:, 0] >= count)).any():
            raise InvalidArgumentError(f"Some indices name rows that are not in [0, {count})")
        column: list[list[Any]] = [[] for _ in range(count)]
        for row, feature in zip(rows[:, 0].tolist(), features.tolist(), strict=True):
            column[row].append(feature)
        columns.append(column)
    return count, [*columns, *(tensor.tolist() for tensor in dense)]


def _crossed(count: int, columns: list[list[list[Any]]], combine: Callable[[Sequence[Any]], Any], dtype: Any) -> Any:
    """The combinations of each row as a sparse tensor's parts."""
    indices: list[tuple[int, int]] = []
    values: list[Any] = []
    widest = 0
    for row in range(count):
        made = [combine(features) for features in itertools.product(*(column[row] for column in columns))]
        widest = max(widest, len(made))
        indices += [(row, number) for number in range(len(made))]
        values += made
    return (
        np.array(indices, np.int64).reshape(-1, 2),
        np.array(values, dtype),
        np.array([count, widest], np.int64),
    )


def _text(feature: Any) -> bytes:
    return feature if isinstance(feature, bytes) else str(feature).encode()


def _numbers(columns: list[list[list[Any]]], hashed: Callable[[Sequence[bytes]], np.ndarray]) -> list[list[list[int]]]:
    """The columns with each string replaced by its hash, and each number by itself as an unsigned one."""
    texts = sorted({item for column in columns for row in column for item in row if isinstance(item, bytes)})
    known = dict(zip(texts, hashed(texts).tolist() if texts else (), strict=True))
    return [
        [[known[item] if isinstance(item, bytes) else item & _WORD for item in row] for row in column]
        for column in columns
    ]


def _dims(
    indices: list[Tensor],
    values: list[Tensor],
    shapes: list[Tensor],
    dense_inputs: list[Tensor],
    *others: Tensor,
    **attrs: Any,
) -> list[Dims]:
    for parts in zip(indices, values, shapes, strict=True):
        parts_dims(*parts)
    for tensor in dense_inputs:
        with_rank(tensor, 2, "dense_inputs")
    return sparse_dims(2)


# ------------------------------------------------------------------------------------------------- ops

# The dtypes stand among the attributes, since they say how long the lists are.
_LISTS = "sparse_types: list(type(int64|string)), dense_types: list(type(int64|string))"
_TYPES = f"N: int, {_LISTS}"
_INPUTS = "indices: N * int64, values: sparse_types, shapes: N * int64, dense_inputs: dense_types"


@op(
    f"SparseCrossV2({_INPUTS}, sep: string, *, {_TYPES}) -> (output_indices: int64, output_values: string, output_shape: int64)",
    shape=_dims,
    host_only=True,
)
def sparse_cross_v2(
    xp: Any, indices: Any, values: Any, shapes: Any, dense_inputs: Any, sep: np.ndarray, **types: Any
) -> Any:
    if sep.ndim:
        raise InvalidArgumentError(f"sep must be a scalar, not of shape {list(sep.shape)}")
    separator: bytes = sep.item()
    count, columns = _columns(indices, values, shapes, dense_inputs)
    return _crossed(count, columns, lambda features: separator.join(map(_text, features)), object)


@op(
    f"SparseCrossHashed({_INPUTS}, num_buckets: int64, strong_hash: bool, salt: int64, *, {_TYPES}) -> "
    "(output_indices: int64, output_values: int64, output_shape: int64)",
    shape=_dims,
    host_only=True,
)
def sparse_cross_hashed(
    xp: Any, indices: Any, values: Any, shapes: Any, dense_inputs: Any,
    num_buckets: np.ndarray, strong_hash: np.ndarray, salt: np.ndarray, **types: Any,
) -> Any:  # fmt: skip
    if salt.shape != (2,):
        raise InvalidArgumentError(f"salt must have two elements, not the shape {list(salt.shape)}")
    # As in TensorFlow, the numbers of sparse columns are hashed by their lower four bytes, those of dense ones not at all.
    low = [item if item.dtype == object else _low_bytes(item) for item in values]
    count, columns = _columns(indices, low, shapes, dense_inputs)
    key = (int(salt[0]), int(salt[1]))
    numbers = _numbers(columns, (lambda texts: siphash24(texts, key)) if strong_hash else fingerprint64)

    def combine(features: Sequence[int]) -> int:
        result = features[0]
        for feature in features[1:]:
            result = concatenated(result, feature)
        return _bucket(result, int(num_buckets))

    return _crossed(count, numbers, combine, np.int64)


def _low_bytes(numbers: np.ndarray) -> np.ndarray:
    return np.array([(number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers.tolist()], object)


def _bucket(number: int, count: int) -> int:
    return number % (count if count > 0 else 2**63 - 1)


@op(
    f"SparseCross({_INPUTS}, *, N: int, hashed_output: bool, num_buckets: int, hash_key: int, {_LISTS}, "
    "out_type: type(int64|string), internal_type: type(int64|string)) -> "
    "(output_indices: int64, output_values: out_type, output_shape: int64)",
    shape=_dims,
    host_only=True,
)
def sparse_cross(
    xp: Any, indices: Any, values: Any, shapes: Any, dense_inputs: Any,
    *, num_buckets: int, hash_key: int, out_type: DType, internal_type: DType, **others: Any,
) -> Any:  # fmt: skip
    count, columns = _columns(indices, values, shapes, dense_inputs)
    if internal_type is string and any(tensor.dtype != object for tensor in (*values, *dense_inputs)):
        raise InvalidArgumentError("Features must be strings if internal_type is, but some are int64")
    if out_type is string:  # in TensorFlow, too, it is not hashed_output that decides
        return _crossed(count, columns, lambda features: b"_X_".join(map(_text, features)), object)

    def combine(features: Sequence[int]) -> int:
        result = hash_key & _WORD
        for feature in features:
            result = concatenated(result, feature)
        return _bucket(result, num_buckets)

    return _crossed(count, _numbers(columns, fingerprint64), combine, np.int64)
