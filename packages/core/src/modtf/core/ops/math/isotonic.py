"""Least squares under an order: the nearest falling sequence of each row.

R. E. Barlow et al., "Statistical Inference under Order Restrictions", 1972 (pool adjacent violators).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import with_rank_at_least
from modtf.core.engine.vocabulary import op
from modtf.core.values.dtypes import DType
from modtf.core.values.tensors import Tensor


def _falling(row: list[float]) -> tuple[list[float], list[int]]:
    """The sequence, and for each element the number of the piece of equal values that it belongs to."""
    pieces: list[tuple[float, int]] = []  # sum and length
    for value in row:
        total, length = value, 1
        while pieces and pieces[-1][0] * length < total * pieces[-1][1]:
            before, count = pieces.pop()
            total, length = total + before, length + count
        pieces.append((total, length))
    values = [total / length for total, length in pieces for _ in range(length)]
    return values, [number for number, (_, length) in enumerate(pieces) for _ in range(length)]


@op(
    "IsotonicRegression[T: real](input: T, *, output_dtype: type(floating) = float32) -> "
    "(output: output_dtype, segments: int32)",
    shape=lambda input, *, output_dtype: [with_rank_at_least(input, 1, "input")] * 2,
    host_only=True,
)
def isotonic_regression(xp: Any, input: np.ndarray, *, output_dtype: DType) -> tuple[np.ndarray, np.ndarray]:
    if not input.ndim:
        raise ValueError("input must be at least a vector, but it is a scalar")
    rows: list[list[float]] = input.astype(np.float64).reshape(-1, input.shape[-1]).tolist() if input.size else []
    solved = [_falling(row) for row in rows]
    values, segments = ([row[part] for row in solved] for part in (0, 1))
    return (
        np.array(values, output_dtype.np_dtype).reshape(input.shape),
        np.array(segments, np.int32).reshape(input.shape),
    )


@isotonic_regression.gradient
def _(call: Any, dy: Tensor, d_segments: Any) -> Tensor:
    # What flows into a piece is shared evenly among its elements.
    segments = call.outputs[1]
    shape = raw.Shape(segments)
    rows = raw.Reshape(segments, raw.Pack([-1, shape[-1]]))
    starts = raw.ExpandDims(raw.Range(0, raw.Shape(rows)[0], 1) * shape[-1], 1)
    numbers = raw.Reshape(rows + starts, [-1])
    count = raw.Prod(shape, 0)
    sums = raw.UnsortedSegmentSum(raw.Reshape(dy, [-1]), numbers, count)
    sizes = raw.UnsortedSegmentSum(raw.Fill(raw.ExpandDims(count, 0), raw.Cast(1, DstT=dy.dtype)), numbers, count)
    shares = raw.Reshape(raw.GatherV2(raw.DivNoNan(sums, sizes), numbers, 0), shape)
    return shares if shares.dtype is call.inputs[0].dtype else raw.Cast(shares, DstT=call.inputs[0].dtype)
