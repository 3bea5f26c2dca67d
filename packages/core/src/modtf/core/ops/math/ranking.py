"""The largest elements, and whether a class is among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, with_rank, with_rank_at_least
from modtf.core.engine.vocabulary import find_kernel_dtype, op
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def _check_k(k: int, columns: int | None) -> None:
    if k < 0:
        raise ValueError(f"Need k >= 0, got {k}")
    if columns is not None and columns < k:
        raise ValueError(f"input must have at least k columns. Had {columns}, needed {k}")


def _top_dims(input: Tensor, k: int | None) -> list[Dims]:
    dims = with_rank_at_least(input, 1, "input")
    if k is not None:
        _check_k(k, dims[-1] if dims is not None else None)
    result = None if dims is None else (*dims[:-1], k)
    return [result, result]


def _top(xp: Any, x: Any, k: int, index_type: Any) -> tuple[Any, Any]:
    if not x.shape:
        raise ValueError("input must be >= 1-D, got shape []")
    columns = x.shape[-1]
    _check_k(k, columns)
    if k == 1:
        indices = xp.argmax(x, axis=-1, keepdims=True)
    else:
        # Ascending and from behind, so that the first of equals comes first.
        ascending = xp.argsort(xp.flip(x, axis=-1), axis=-1, stable=True)
        indices = columns - 1 - xp.flip(ascending[..., columns - k :], axis=-1)
    return xp.take_along_axis(x, indices, axis=-1), xp.astype(indices, index_type)


@op(
    "TopKV2[T: real, Tk: int16|int32|int64 = int32](input: T, k: Tk, *, sorted: bool = True, "
    "index_type: type(int16|int32|int64) = int32) -> (values: T, indices: index_type)",
    shape=lambda input, k, *, sorted, index_type: _top_dims(input, _known_k(k)),
    host_inputs=("k",),
)
def top_k(xp: Any, input: Any, k: np.ndarray, *, sorted: bool, index_type: DType) -> tuple[Any, Any]:
    return _top(xp, input, int(k), find_kernel_dtype(xp, index_type))


def _known_k(k: Tensor) -> int | None:
    value = constant_value(k)
    return None if value is None else int(value)


@op(
    "TopK[T: real](input: T, *, k: int, sorted: bool = True) -> (values: T, indices: int32)",
    shape=lambda input, *, k, sorted: _top_dims(input, k),
)
def top_k_v1(xp: Any, input: Any, *, k: int, sorted: bool) -> tuple[Any, Any]:
    return _top(xp, input, k, xp.int32)


def _top_gradient(call: Any, d_values: Tensor, d_indices: Any) -> list[Any]:
    """Lays the gradients back where the elements came from."""
    x, indices = call.inputs[0], raw.Cast(call.outputs[1], DstT="int32")
    shape = raw.Shape(x)
    columns, lines = shape[-1], raw.Prod(shape[:-1], 0)
    starts = raw.ExpandDims(raw.Range(0, lines, 1) * columns, 1)
    positions = raw.Reshape(indices, raw.Pack([lines, raw.Shape(indices)[-1]])) + starts
    d_flat = raw.ScatterNd(raw.Reshape(positions, [-1, 1]), raw.Reshape(d_values, [-1]), raw.Reshape(raw.Size(x), [1]))
    return [raw.Reshape(d_flat, shape), *(None for _ in call.inputs[1:])]


top_k.gradient(_top_gradient)
top_k_v1.gradient(_top_gradient)


def _in_top_dims(predictions: Tensor, targets: Tensor, k: Any = None) -> Dims:
    rows, (count,) = with_rank(predictions, 2, "predictions"), with_rank(targets, 1, "targets")
    if rows[0] is not None and count is not None and rows[0] != count:
        raise ValueError(f"First dimension of predictions {rows[0]} must match length of targets {count}")
    return (count if rows[0] is None else rows[0],)


def _in_top(xp: Any, predictions: Any, targets: Any, k: int) -> Any:
    if len(predictions.shape) != 2 or tuple(targets.shape) != (predictions.shape[0],):
        raise ValueError(
            f"predictions must be 2-D and targets as long: {list(predictions.shape)}, {list(targets.shape)}"
        )
    classes = predictions.shape[1]
    valid = xp.logical_and(targets >= 0, targets < classes)
    if not classes:
        return valid
    column = xp.expand_dims(xp.where(valid, targets, xp.zeros_like(targets)), axis=-1)
    target = xp.take_along_axis(predictions, column, axis=-1)
    greater = xp.sum(xp.astype(predictions > target, xp.int32), axis=-1)
    finite = xp.all(xp.isfinite(predictions), axis=-1)
    return xp.logical_and(xp.logical_and(valid, finite), greater < k)


@op(
    "InTopKV2[T: index = int32](predictions: float32, targets: T, k: T) -> (precision: bool)",
    shape=_in_top_dims,
    host_inputs=("k",),
    quiet=True,
)
def in_top_k(xp: Any, predictions: Any, targets: Any, k: np.ndarray) -> Any:
    return _in_top(xp, predictions, targets, int(k))


@op(
    "InTopK[T: index = int32](predictions: float32, targets: T, *, k: int) -> (precision: bool)",
    shape=_in_top_dims,
    quiet=True,
)
def in_top_k_v1(xp: Any, predictions: Any, targets: Any, *, k: int) -> Any:
    return _in_top(xp, predictions, targets, k)


in_top_k.gradient(None)
in_top_k_v1.gradient(None)
