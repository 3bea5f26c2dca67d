"""The largest of each row, and rows by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.arguments import known_rank
from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

__all__ = ["embedding_lookup", "in_top_k", "top_k", "zero_fraction"]


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None) -> Any:
    """Returns the largest elements of the last axis, and where they are.

    Args:
        input: A tensor of numbers of at least one dimension.
        k: How many; at most the size of the last axis.
        sorted: Whether they must come in descending order (they always do). The first of equals comes first.
        index_type: The dtype of the indices: int16, int32 or int64.
        name: A name for the graph node.

    Returns:
        A named tuple of `values` and `indices`, both with a last axis of size `k`.

    Raises:
        InvalidArgumentError: `k` is negative or too large.
    """
    return raw.TopKV2(input, k, sorted=sorted, index_type=as_dtype(index_type), name=name)


def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Says for each row whether the prediction for the target is among the `k` largest.

    Args:
        targets: The right classes, a vector of int32 or int64.
        predictions: Float32, shaped rows and classes.
        k: How many of the largest to look at. All that equal the last of them count as among them.
        name: A name for the graph node.

    Returns:
        A bool for each row; false where a class is out of range or the row is not finite.
    """
    return raw.InTopKV2(predictions, targets, k, name=name)


@dispatched
def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Tensor:
    """Returns the rows of a table that ids name.

    Args:
        params: The table: a tensor or variable, or a list of them that make one table when joined along the first axis.
        ids: Row numbers, int32 or int64 of any shape.
        max_norm: If given, rows that are longer than this (by the Euclidean norm) are shortened to it.
        name: A name for the graph node.

    Returns:
        The rows, shaped as the ids followed by a row.

    Raises:
        ValueError: `params` is empty.
    """
    if isinstance(params, (list, tuple)):
        if not params:
            raise ValueError(f"`params` must be a tensor, a variable or a list of them. Received: params={params}")
        params = params[0] if len(params) == 1 else raw.ConcatV2([convert_to_tensor(part) for part in params], 0)
    ids = convert_to_tensor(ids)
    if hasattr(params, "sparse_read"):
        rows = params.sparse_read(ids, name=name)
    else:
        rows = raw.GatherV2(params, ids, 0, name=name)
    if max_norm is None:
        return rows
    axes = np.arange(known_rank(ids), known_rank(rows), dtype=np.int32)
    norms = raw.Sqrt(raw.Sum(raw.Square(rows), axes, keep_dims=True))
    return rows * max_norm / raw.Maximum(norms, max_norm)


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """Returns the part of the elements that are zero, as a float32 scalar."""
    value = convert_to_tensor(value)
    zero = raw.Cast(raw.Equal(value, raw.ZerosLike(value)), DstT=dtypes.int64)
    total = raw.Sum(raw.Reshape(zero, [-1]), 0)
    return raw.RealDiv(
        raw.Cast(total, DstT=dtypes.float32),
        raw.Cast(raw.Size(value, out_type=dtypes.int64), DstT=dtypes.float32),
        name=name,
    )
