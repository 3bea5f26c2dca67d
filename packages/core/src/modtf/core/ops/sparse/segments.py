"""Gathering rows and reducing them by segment in one: sums, means and the like of embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.math.segments import _SUM
from modtf.core.ops.narrow_floats import is_narrow
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.indexed_slices import IndexedSlices
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_INDICES = "Tidx: index = int32"
_SEGMENTS = "Tsegmentids: index = int32"


def _check(xp: Any, indices: Any, segment_ids: Any, length: int, what: str = "indices") -> None:
    if indices.ndim != 1 or segment_ids.ndim != 1 or indices.shape != segment_ids.shape:
        raise InvalidArgumentError(
            f"indices and segment_ids must be vectors of one length, not of shapes {list(indices.shape)} and "
            f"{list(segment_ids.shape)}"
        )
    if xp is np and indices.size:
        bad = (indices < 0) | (indices >= length)
        if bad.any():
            place = int(np.argmax(bad))
            raise InvalidArgumentError(f"{what}[{place}] == {indices[place]} out of range [0, {length})")


def _check_ascending(segment_ids: np.ndarray, count: int | None = None) -> None:
    if (segment_ids[1:] < segment_ids[:-1]).any():
        raise InvalidArgumentError("segment ids are not increasing")
    if segment_ids.size and segment_ids[0] < 0:
        raise InvalidArgumentError("segment ids must be >= 0")
    if count is not None and segment_ids.size and segment_ids[-1] >= count:
        raise InvalidArgumentError(f"segment ids must be < num_segments; {segment_ids[-1]} is not below {count}")


def _weights(xp: Any, kind: str, segment_ids: Any, count: int, dtype: Any) -> Any:
    """What the rows of each segment are divided by."""
    sizes = _SUM(xp, xp.ones(segment_ids.shape, dtype=dtype), segment_ids, count, 0)
    sizes = xp.maximum(sizes, xp.ones_like(sizes))
    return xp.sqrt(sizes) if kind == "SqrtN" else sizes


def _reduced(xp: Any, kind: str, data: Any, indices: Any, segment_ids: Any, count: int) -> Any:
    narrow = is_narrow(data)
    rows = xp.take(data, indices, axis=0)
    rows = xp.astype(rows, xp.float32) if narrow else rows
    total = _SUM(xp, rows, segment_ids, count, 0)
    if kind != "Sum":
        sizes = _weights(xp, kind, segment_ids, count, total.dtype)
        total = total / xp.reshape(sizes, (-1,) + (1,) * (total.ndim - 1))
    return xp.astype(total, data.dtype) if narrow else total


# ------------------------------------------------------------------------------------------------- forwards


def _rows_dims(data: Tensor, indices: Tensor, segment_ids: Tensor, count: int | None) -> Dims:
    merged(with_rank(indices, 1, "indices"), with_rank(segment_ids, 1, "segment_ids"))
    if data.dims is None:
        return None
    if not data.dims:
        raise ValueError("data must be at least rank 1, but it is a scalar")
    return (count, *data.dims[1:])


def _dims(data: Tensor, indices: Tensor, segment_ids: Tensor, *, sparse_gradient: bool) -> Dims:
    return _rows_dims(data, indices, segment_ids, None)


def _counted_dims(
    data: Tensor, indices: Tensor, segment_ids: Tensor, num_segments: Tensor, *, sparse_gradient: bool
) -> Dims:
    count = constant_value(num_segments)
    if count is not None and count.ndim:
        raise ValueError(f"num_segments must be a scalar, not of shape {list(count.shape)}")
    if count is not None and count < 0:
        raise ValueError(f"num_segments must not be negative, not {count}")
    return _rows_dims(data, indices, segment_ids, None if count is None else int(count))


def _gradient(kind: str, call: Any, dy: Tensor) -> list[Any]:
    data, indices, segment_ids = call.inputs[:3]
    others = [None] * (len(call.inputs) - 1)
    if call["sparse_gradient"]:
        shape = raw.Shape(data)
        rows, numbers = getattr(raw, f"SparseSegment{kind}GradV2")(dy, indices, segment_ids, shape[0])
        return [IndexedSlices(rows, numbers, shape), *others]
    count = raw.Shape(data)[0]
    return [getattr(raw, f"SparseSegment{kind}Grad")(dy, indices, segment_ids, count), *others]


def _forwards(kind: str, types: str) -> None:
    def ascending(xp: Any, data: Any, indices: Any, segment_ids: np.ndarray, *, sparse_gradient: bool) -> Any:
        _check(xp, indices, segment_ids, data.shape[0])
        _check_ascending(segment_ids)
        count = int(segment_ids[-1]) + 1 if segment_ids.size else 0
        return _reduced(xp, kind, data, indices, xp.asarray(segment_ids), count)

    def counted(
        xp: Any, data: Any, indices: Any, segment_ids: Any, num_segments: np.ndarray, *, sparse_gradient: bool
    ) -> Any:
        if num_segments.ndim or num_segments < 0:
            raise InvalidArgumentError(f"num_segments must be a scalar that is not negative, not {num_segments}")
        count = int(num_segments.item())
        _check(xp, indices, segment_ids, data.shape[0])
        if xp is np:
            _check_ascending(segment_ids, count)
        return _reduced(xp, kind, data, indices, segment_ids, count)

    made = register(
        Op(
            f"SparseSegment{kind}[T: {types}, {_INDICES}, {_SEGMENTS}](data: T, indices: Tidx, segment_ids: Tsegmentids, *, "
            "sparse_gradient: bool = False) -> (output: T)",
            kernel=ascending,
            shape=_dims,
            host_inputs=("segment_ids",),
            quiet=True,
        )
    )
    made.gradient(lambda call, dy: _gradient(kind, call, dy))
    made = register(
        Op(
            f"SparseSegment{kind}WithNumSegments[T: {types}, {_INDICES}, Tnumsegments: index = int32, {_SEGMENTS}]"
            "(data: T, indices: Tidx, segment_ids: Tsegmentids, num_segments: Tnumsegments, *, "
            "sparse_gradient: bool = False) -> (output: T)",
            kernel=counted,
            shape=_counted_dims,
            host_inputs=("num_segments",),
            quiet=True,
        )
    )
    made.gradient(lambda call, dy: _gradient(kind, call, dy))


# ------------------------------------------------------------------------------------------------- backwards


def _flowing(xp: Any, kind: str, grad: Any, segment_ids: Any) -> Any:
    """Each gathered row's share of its segment's gradient, in a type wide enough to add up in."""
    wide = xp.astype(grad, xp.float32) if is_narrow(grad) else grad
    if kind != "Sum":
        sizes = _weights(xp, kind, segment_ids, grad.shape[0], wide.dtype)
        wide = wide / xp.reshape(sizes, (-1,) + (1,) * (grad.ndim - 1))
    return xp.take(wide, segment_ids, axis=0)


def _backwards(kind: str) -> None:
    inputs = f"T: floating, {_INDICES}, {_SEGMENTS}](grad: T, indices: Tidx, segment_ids: Tsegmentids"

    def dense(xp: Any, grad: Any, indices: Any, segment_ids: Any, output_dim0: np.ndarray) -> Any:
        count = int(output_dim0)
        _check(xp, indices, segment_ids, count)
        _check(xp, segment_ids, segment_ids, grad.shape[0], "segment_ids")
        return xp.astype(_SUM(xp, _flowing(xp, kind, grad, segment_ids), indices, count, 0), grad.dtype)

    def compact(
        xp: Any, grad: np.ndarray, indices: np.ndarray, segment_ids: np.ndarray, dense_output_dim0: np.ndarray
    ) -> Any:
        _check(np, indices, segment_ids, int(dense_output_dim0))
        _check(np, segment_ids, segment_ids, grad.shape[0], "segment_ids")
        numbers, places = np.unique(indices, return_inverse=True)
        total = _SUM(np, _flowing(np, kind, grad, segment_ids), places, len(numbers), 0)
        return total.astype(grad.dtype), numbers

    def dense_dims(grad: Tensor, indices: Tensor, segment_ids: Tensor, output_dim0: Tensor) -> Dims:
        count = constant_value(output_dim0)
        return _rows_dims(grad, indices, segment_ids, None if count is None else int(count))

    register(
        Op(
            f"SparseSegment{kind}Grad[{inputs}, output_dim0: int32) -> (output: T)",
            kernel=dense,
            shape=dense_dims,
            host_inputs=("output_dim0",),
            quiet=True,
        )
    ).gradient(_gradient_of_gradient(kind))
    register(
        Op(
            f"SparseSegment{kind}GradV2[{inputs}, dense_output_dim0: int32) -> (output: T, sorted_unique_indices: Tidx)",
            kernel=compact,
            shape=lambda grad, indices, segment_ids, dense_output_dim0: [
                _rows_dims(grad, indices, segment_ids, None),
                (None,),
            ],
            host_only=True,
        )
    )


def _gradient_of_gradient(kind: str) -> Any:
    def rule(call: Any, dy: Tensor) -> list[Tensor | None]:
        grad, indices, segment_ids, _ = call.inputs
        forwards = getattr(raw, f"SparseSegment{kind}WithNumSegments")
        return [forwards(dy, indices, segment_ids, raw.Shape(grad)[0]), None, None, None]

    return rule


for _kind in ("Sum", "Mean", "SqrtN"):
    _forwards(_kind, "real" if _kind == "Sum" else "floating")
    _backwards(_kind)
