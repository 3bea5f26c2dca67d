"""Crossed features of ragged, sparse and dense columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.api.ragged.broadcasting import to_ragged_or_tensor
from modtf.core.engine import raw
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.dtypes import int32, int64, string
from modtf.core.values.ragged import RaggedTensor

_HASH_KEY = 0xDECAFCAFFE


def cross(inputs: Sequence[Any], name: str | None = None) -> RaggedTensor:
    """Returns, for each row, every combination of one feature of each column, joined by `_X_`.

    Args:
        inputs: The columns: ragged tensors, sparse tensors and tensors of rank 2, of strings or integers.
        name: A name for the graph node.

    Returns:
        A ragged tensor of strings; a row without features in some column is empty.

    Raises:
        ValueError: A column has another dtype or ragged rank.
    """
    return _crossed(inputs, False, 0, 0, name)


def cross_hashed(
    inputs: Sequence[Any], num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> RaggedTensor:
    """Returns what `cross` does, each combination hashed (by FarmHash's Fingerprint64) instead of joined.

    Args:
        inputs: The columns: ragged tensors, sparse tensors and tensors of rank 2, of strings or integers.
        num_buckets: If positive, hashes are taken modulo it.
        hash_key: What hashing starts from.
        name: A name for the graph node.

    Returns:
        A ragged tensor of int64.
    """
    key = _HASH_KEY if hash_key is None else hash_key
    return _crossed(inputs, True, num_buckets, key - 2**64 if key >= 2**63 else key, name)


def _crossed(inputs: Sequence[Any], hashed: bool, num_buckets: int, hash_key: int, name: str | None) -> RaggedTensor:
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"inputs must be a list, not {type(inputs).__name__}.")
    order, columns = "", {"R": [], "S": [], "D": []}  # type: ignore[var-annotated]
    for index, item in enumerate(inputs):
        sparse = isinstance(item, CompositeTensor) and not isinstance(item, RaggedTensor)
        column: Any = item if sparse else to_ragged_or_tensor(item)
        kind = "S" if sparse else "R" if isinstance(column, RaggedTensor) else "D"
        if column.dtype is not string and not column.dtype.is_integer:
            raise ValueError(f"Unexpected dtype for inputs[{index}]: {column.dtype!r}")
        if kind == "R" and column.ragged_rank != 1:
            raise ValueError("tf.ragged.cross only supports inputs with rank=2")
        columns[kind].append(column)
        order += kind
    ragged, sparse_columns, dense = columns["R"], columns["S"], columns["D"]
    narrow = bool(ragged) and all(item.row_partition.dtype is int32 for item in ragged)
    values, splits = raw.RaggedCross(
        [_wide(item.values) for item in ragged],
        [item.row_splits for item in ragged],
        [item.indices for item in sparse_columns],
        [_wide(item.values) for item in sparse_columns],
        [item.dense_shape for item in sparse_columns],
        [_wide(item) for item in dense],
        Nsparse=len(sparse_columns),
        input_order=order,
        hashed_output=hashed,
        num_buckets=num_buckets,
        hash_key=hash_key,
        ragged_values_types=[_wide(item.values).dtype for item in ragged],
        ragged_splits_types=[item.row_partition.dtype for item in ragged],
        sparse_values_types=[_wide(item.values).dtype for item in sparse_columns],
        dense_types=[_wide(item).dtype for item in dense],
        out_values_type=int64 if hashed else string,
        out_row_splits_type=int32 if narrow else int64,
        name=name,
    )
    return RaggedTensor.from_row_splits(values, splits, validate=False)


def _wide(tensor: Any) -> Any:
    return tensor if tensor.dtype in (string, int64) else raw.Cast(tensor, DstT=int64)
