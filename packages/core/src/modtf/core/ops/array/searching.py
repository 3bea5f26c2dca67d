"""Finding elements: non-zero ones, distinct ones, those of one list that another lacks, places in an order."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import constant_value, merged, normal_axis, with_rank
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, op, register
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


@op(
    "Where[T: number|quantized|bool = bool](input: T) -> (index: int64)",
    shape=lambda input: (None, input.ndim),
    host_only=True,
)
def where(xp: Any, input: np.ndarray) -> np.ndarray:
    return np.argwhere(input)


where.gradient(None)


@op(
    "ListDiff[T](x: T, y: T, *, out_idx: type(index) = int32) -> (out: T, idx: out_idx)",
    shape=lambda x, y, *, out_idx: [(None,), (None,)],
    host_only=True,
)
def list_diff(xp: Any, x: np.ndarray, y: np.ndarray, *, out_idx: DType) -> tuple[np.ndarray, np.ndarray]:
    known = set(y.tolist())
    positions = np.array([index for index, item in enumerate(x.tolist()) if item not in known], out_idx.np_dtype)
    return x[positions], positions


list_diff.gradient(None)


def _distinct(x: np.ndarray, axis: int, out_idx: DType) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct slices along an axis in the order in which they first stand, each slice's place, and the counts."""
    if x.dtype == object or x.dtype.isbuiltin != 1:  # neither sorted nor viewed as bytes by NumPy
        flat = np.moveaxis(x, axis, 0).reshape(x.shape[axis], -1)
        rows = [tuple(row.tolist()) if x.dtype == object else row.tobytes() for row in flat]
        places: dict[Any, int] = {}
        index = np.array([places.setdefault(row, len(places)) for row in rows], np.intp)
        first = np.array([rows.index(row) for row in places], np.intp)
        counts = np.bincount(index, minlength=len(places))
    else:
        _, first, index, counts = np.unique(x, True, True, True, axis=None if x.ndim == 1 else axis)
        order = np.argsort(first)
        first, counts, index = first[order], counts[order], np.argsort(order)[index.reshape(-1)]
    return np.take(x, first, axis=axis), index.astype(out_idx.np_dtype), counts.astype(out_idx.np_dtype)


def _unique(name: str, with_axis: bool, with_counts: bool) -> None:
    def kernel(xp: Any, x: np.ndarray, axis: Any = (), *, out_idx: DType) -> tuple[np.ndarray, ...]:
        if len(axis) > 1:
            raise ValueError(f"axis must be a vector of one element at most, not {axis.tolist()}")
        along = normal_axis(int(axis[0]), x.ndim) if len(axis) else 0
        if not len(axis) and x.ndim != 1:
            raise ValueError(f"{name} expects a 1D vector, but the input has the shape {x.shape}")
        return _distinct(x, along, out_idx)[: 3 if with_counts else 2]

    def dims(x: Tensor, axis: Tensor | None = None, *, out_idx: DType) -> list[Dims]:
        along = np.zeros(0) if axis is None else constant_value(axis)
        found, length = x.dims, None
        if along is not None and not len(along):
            found = with_rank(x, 1, "x")
        if along is None:
            found = None
        elif found is not None:
            place = normal_axis(int(along[0]), len(found)) if len(along) else 0
            found, length = (*found[:place], None, *found[place + 1 :]), found[place]
        result: list[Dims] = [found, (length,), (None,)]
        return result[: 3 if with_counts else 2]

    inputs = "x: T, axis: Taxis" if with_axis else "x: T"
    outputs = "y: T, idx: out_idx, count: out_idx" if with_counts else "y: T, idx: out_idx"
    types = "T, Taxis: index = int64" if with_axis else "T"
    schema = f"{name}[{types}]({inputs}, *, out_idx: type(index) = int32) -> ({outputs})"
    register(Op(schema, kernel=kernel, shape=dims, host_only=True)).gradient(None)


_unique("Unique", with_axis=False, with_counts=False)
_unique("UniqueV2", with_axis=True, with_counts=False)
_unique("UniqueWithCounts", with_axis=False, with_counts=True)
_unique("UniqueWithCountsV2", with_axis=True, with_counts=True)


def _bound(name: str, side: str) -> None:
    def kernel(xp: Any, sorted_inputs: Any, values: Any, *, out_type: DType) -> Any:
        if sorted_inputs.ndim != 2 or values.ndim != 2 or len(sorted_inputs) != len(values):
            raise ValueError(
                f"sorted_inputs and values must be matrices of as many rows: {list(sorted_inputs.shape)} and "
                f"{list(values.shape)}"
            )
        rows = [xp.searchsorted(sorted_inputs[row, ...], values[row, ...], side=side) for row in range(values.shape[0])]
        found = xp.stack(rows) if rows else xp.zeros(values.shape)
        return xp.astype(found, find_kernel_dtype(xp, out_type))

    schema = f"{name}[T](sorted_inputs: T, values: T, *, out_type: type(index) = int32) -> (output: out_type)"

    def dims(sorted_inputs: Tensor, values: Tensor, *, out_type: DType) -> Dims:
        merged(with_rank(sorted_inputs, 2, "sorted_inputs")[:1], with_rank(values, 2, "values")[:1])
        return values.dims

    register(Op(schema, kernel=kernel, shape=dims)).gradient(None)


_bound("LowerBound", "left")
_bound("UpperBound", "right")
