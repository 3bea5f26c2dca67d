"""Functions of `tf.nn` that combine the embeddings of several ids, given by a sparse tensor, in one vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api import sparse
from modtf.core.api.nn import embedding_lookup
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import bfloat16, float16, float32, int32
from modtf.core.values.ragged import RaggedTensor
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import Tensor

__all__ = ["embedding_lookup_sparse", "safe_embedding_lookup_sparse"]

_COMBINERS = {"sum": sparse.segment_sum, "mean": sparse.segment_mean, "sqrtn": sparse.segment_sqrt_n}


def embedding_lookup_sparse(
    params: Any,
    sp_ids: Any,
    sp_weights: Any,
    combiner: str | None = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """Looks up the embeddings of each row's ids, and combines them.

    Args:
        params: The embeddings, a tensor or variable [count, ...], or a list of such with the rows divided among them.
        sp_ids: The ids, a sparse (or ragged) matrix of int32 or int64.
        sp_weights: The weights, a sparse (or ragged) matrix with the same coordinates; `None` for 1.
        combiner: `"sum"`; `"mean"` (the default), divided by the sum of the weights; or `"sqrtn"`, divided by the root of
            the sum of their squares.
        max_norm: If given, embeddings are scaled down to this norm.
        name: A name for the graph node.
        allow_fast_lookup: Whether ids that occur several times may be looked up each time.

    Returns:
        A tensor [rows, ...]; the last row is the last one with ids, and rows before it without any are zeros.

    Raises:
        TypeError: Ids or weights are not sparse tensors.
        ValueError: The combiner is another, or ids and weights do not fit together.
    """
    combiner = "mean" if combiner is None else combiner
    if combiner not in _COMBINERS:
        raise ValueError(f"combiner must be one of {', '.join(map(repr, _COMBINERS))}, not {combiner!r}.")
    sp_ids, sp_weights = _as_sparse(sp_ids), _as_sparse(sp_weights)
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError(f"sp_ids must be a SparseTensor, not {sp_ids!r}.")
    if sp_weights is not None and not isinstance(sp_weights, SparseTensor):
        raise TypeError(f"sp_weights must be a SparseTensor or None, not {sp_weights!r}.")
    if sp_weights is not None and not sp_weights.values.shape.is_compatible_with(sp_ids.values.shape):
        raise ValueError(f"sp_weights has values {sp_weights.values.shape}, but sp_ids {sp_ids.values.shape}.")
    rows = sp_ids.indices[:, 0]
    single = params if not isinstance(params, (list, tuple)) else params[0] if len(params) == 1 else None
    if single is not None and max_norm is None and (allow_fast_lookup or sp_weights is None):
        embeddings, places = convert_to_tensor(single), sp_ids.values
    else:
        different, places = raw.Unique(sp_ids.values)
        embeddings = embedding_lookup(params, different, max_norm=max_norm)
    if sp_weights is None:
        compact = single is not None and max_norm is None
        return _COMBINERS[combiner](embeddings, places, rows, name=name, sparse_gradient=compact)
    return _weighted(embeddings, places, rows, sp_weights.values, combiner, name)


def _as_sparse(value: Any) -> Any:
    return value.to_sparse() if isinstance(value, RaggedTensor) else value


def _weighted(
    embeddings: Tensor, places: Tensor, rows: Tensor, weights: Tensor, combiner: str, name: str | None
) -> Tensor:
    dtype = embeddings.dtype
    taken = raw.GatherV2(embeddings, places, 0)
    if dtype in (float16, bfloat16):
        taken = raw.Cast(taken, DstT=float32)
    if weights.dtype is not taken.dtype:
        weights = raw.Cast(weights, DstT=taken.dtype)
    ones = raw.Fill(raw.ExpandDims(raw.Rank(taken) - 1, 0), np.int32(1))
    weights = raw.Reshape(weights, raw.ConcatV2([raw.Shape(weights), ones], 0))
    total = raw.SegmentSum(taken * weights, rows)
    if combiner == "mean":
        total = raw.DivNoNan(total, raw.SegmentSum(weights, rows))
    elif combiner == "sqrtn":
        total = raw.DivNoNan(total, raw.Sqrt(raw.SegmentSum(weights * weights, rows)))
    return total if total.dtype is dtype else raw.Cast(total, DstT=dtype, name=name)


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: Any,
    sparse_weights: Any = None,
    combiner: str = "mean",
    default_id: int | None = None,
    max_norm: Any = None,
    name: str | None = None,
    allow_fast_lookup: bool = False,
) -> Tensor:
    """Looks up and combines embeddings as `embedding_lookup_sparse` does, whatever the ids.

    Negative ids are left out, and so are, unless they are summed up, weights that are not positive. Rows without ids give
    the embedding of `default_id`, or zeros.

    Args:
        embedding_weights: The embeddings, a tensor or variable [count, ...], or a list of such.
        sparse_ids: The ids, a sparse (or ragged) tensor [d0, ..., dn].
        sparse_weights: The weights, with the same coordinates; `None` for 1.
        combiner: `"sum"`, `"mean"` or `"sqrtn"`.
        default_id: The id of rows without ids; `None` for zeros.
        max_norm: If given, embeddings are scaled down to this norm.
        name: A name for the graph node.
        allow_fast_lookup: Whether ids that occur several times may be looked up each time.

    Returns:
        A tensor [d0, ..., dn-1, ...].

    Raises:
        ValueError: There are no embeddings.
    """
    tables = list(embedding_weights) if isinstance(embedding_weights, (list, tuple)) else [embedding_weights]
    if not tables or tables[0] is None:
        raise ValueError(f"embedding_weights must be embeddings, or a list of them, not {embedding_weights!r}.")
    sparse_ids, sparse_weights = _as_sparse(sparse_ids), _as_sparse(sparse_weights)
    shape = sparse_ids.dense_shape
    leading = shape[:-1]
    flat = raw.Pack([raw.Prod(leading, 0), shape[-1]])
    ids = sparse.reshape(sparse_ids, flat)
    weights = None if sparse_weights is None else SparseTensor(ids.indices, sparse_weights.values, ids.dense_shape)
    ids, weights = _retained(ids, weights, raw.GreaterEqual(ids.values, raw.ZerosLike(ids.values)))
    if weights is not None and combiner != "sum":
        ids, weights = _retained(ids, weights, raw.Greater(weights.values, raw.ZerosLike(weights.values)))
    ids, is_empty = sparse.fill_empty_rows(ids, default_id or 0)
    if weights is not None:
        weights, _ = sparse.fill_empty_rows(weights, 1.0)
    found = embedding_lookup_sparse(
        tables, ids, weights, combiner=combiner, max_norm=max_norm, allow_fast_lookup=allow_fast_lookup
    )
    if default_id is None:
        ones = raw.Fill(raw.ExpandDims(raw.Rank(found) - 1, 0), np.int32(1))
        empty = raw.Reshape(is_empty, raw.ConcatV2([raw.Shape(is_empty), ones], 0))
        found = raw.SelectV2(empty, raw.ZerosLike(found), found)
    inner = raw.Shape(found)[1:]
    result = raw.Reshape(found, raw.ConcatV2([raw.Cast(leading, DstT=int32), inner], 0), name=name)
    result.set_shape(sparse_ids.shape[:-1].concatenate(found.shape[1:]))
    return result


def _retained(
    ids: SparseTensor, weights: SparseTensor | None, chosen: Tensor
) -> tuple[SparseTensor, SparseTensor | None]:
    return sparse.retain(ids, chosen), None if weights is None else sparse.retain(weights, chosen)
