"""Sums and maxima of sparse tensors over some of their axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, normal_axis, reduced_dims
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.math.segments import _MAX, _SUM
from modtf.core.ops.sparse.coordinates import (
    ascending,
    check_inside,
    check_parts,
    linear,
    parts_dims,
    sparse_dims,
    starts_of_groups,
)  # fmt: skip
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def _kept_axes(axes: np.ndarray, rank: int) -> list[int]:
    """The axes that are not reduced over."""
    if axes.ndim > 1:
        raise InvalidArgumentError(f"reduction_axes must be a scalar or a vector, not of shape {list(axes.shape)}")
    try:
        gone = {normal_axis(int(axis), rank) for axis in axes.reshape(-1)}
    except ValueError as mistake:
        raise InvalidArgumentError(str(mistake)) from None
    return [axis for axis in range(rank) if axis not in gone]


def _reduced(
    input_indices: Tensor, input_values: Tensor, input_shape: Tensor, reduction_axes: Tensor, *, keep_dims: bool
) -> Dims:
    axes, dims = constant_value(reduction_axes), dims_from_value(input_shape)
    return reduced_dims(dims, None if axes is None else axes.reshape(-1).tolist(), keep_dims)


def _reduction(name: str, types: str, reduce: Any) -> Op:
    inputs = (
        "(input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32, *, keep_dims: bool = False)"
    )

    def dense(
        xp: Any,
        input_indices: Any,
        input_values: Any,
        input_shape: np.ndarray,
        reduction_axes: np.ndarray,
        *,
        keep_dims: bool,
    ) -> Any:
        check_parts(input_indices, input_values, input_shape)
        dims = input_shape.tolist()
        check_inside(xp, input_indices, dims)
        kept = _kept_axes(reduction_axes, len(dims))
        left = [dims[axis] for axis in kept]
        columns = [input_indices[:, axis] for axis in kept]
        at = xp.stack(columns, axis=1) if columns else xp.zeros((input_indices.shape[0], 0), dtype=xp.int64)
        total = reduce(xp, input_values, linear(xp, at, left), math.prod(left), 0)
        return xp.reshape(total, [dim if axis in kept else 1 for axis, dim in enumerate(dims)] if keep_dims else left)

    def sparse(
        xp: Any, input_indices: np.ndarray, input_values: np.ndarray, input_shape: np.ndarray, reduction_axes: np.ndarray,
        *, keep_dims: bool,
    ) -> Any:  # fmt: skip
        check_parts(input_indices, input_values, input_shape)
        if (input_shape < 0).any():
            raise InvalidArgumentError(f"The sizes must not be negative: {input_shape.tolist()}")
        kept = _kept_axes(reduction_axes, len(input_shape))
        at = input_indices[:, kept]
        order = ascending(at)
        starts = starts_of_groups(at[order]) if kept else np.arange(min(len(at), 1))
        groups = np.zeros(len(at), np.intp)
        groups[starts[1:]] = 1
        values = reduce(np, input_values[order], np.cumsum(groups), len(starts), 0)
        rows = at[order][starts]
        if not keep_dims:
            return rows, values, input_shape[kept]
        wide = np.zeros((len(rows), len(input_shape)), np.int64)
        wide[:, kept] = rows
        return wide, values, np.where(np.isin(np.arange(len(input_shape)), kept), input_shape, 1)

    def sparse_shape(
        input_indices: Tensor, input_values: Tensor, input_shape: Tensor, reduction_axes: Tensor, *, keep_dims: bool
    ) -> list[Dims]:
        _, rank = parts_dims(input_indices, input_values, input_shape)
        return sparse_dims(rank if keep_dims else None)

    register(
        Op(
            f"{name}Sparse[T: {types}]{inputs} -> (output_indices: int64, output_values: T, output_shape: int64)",
            kernel=sparse,
            shape=sparse_shape,
            host_only=True,
        )
    )
    return register(
        Op(
            f"{name}[T: {types}]{inputs} -> (output: T)",
            kernel=dense,
            shape=_reduced,
            host_inputs=("input_shape", "reduction_axes"),
            quiet=True,
        )
    )


_reduction("SparseReduceMax", "real", _MAX)
_sum = _reduction("SparseReduceSum", "number|quantized", _SUM)


@_sum.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, _, shape, axes = call.inputs
    # 1 where an axis stays: the others' coordinates become 0, as if they were kept with size 1.
    everywhere = raw.Range(0, raw.Size(shape), 1)
    gone = raw.FloorMod(raw.Reshape(axes, [-1]), raw.Size(shape))
    stays = raw.Cast(
        raw.All(raw.NotEqual(raw.ExpandDims(everywhere, 1), raw.ExpandDims(gone, 0)), np.int32(1)), DstT="int64"
    )
    size_one = raw.SelectV2(raw.Cast(stays, DstT="bool"), shape, raw.OnesLike(shape))
    return None, raw.GatherNd(raw.Reshape(dy, size_one), indices * stays), None, None
