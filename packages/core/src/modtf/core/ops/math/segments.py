"""Reducing the rows that share a segment number; counting how often numbers occur."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, merged, with_rank
from modtf.core.engine.vocabulary import Call, Op, op, register
from modtf.core.ops.common import like
from modtf.core.ops.kinds import dtype_of
from modtf.core.ops.narrow_floats import is_narrow
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- reducing rows


class _Reduction:
    """How the rows of a segment become one.

    Args:
        ufunc: NumPy's function of two rows.
        update: The name of the same among functional index updates (`array.at[index].add(rows)`).
        identity: From a dtype to what a segment without rows is.
    """

    def __init__(self, ufunc: np.ufunc, update: str, identity: Any) -> None:
        self.ufunc = ufunc
        self.update = update
        self.identity = identity

    def __call__(self, xp: Any, data: Any, segments: Any, count: int, empty: Any) -> Any:
        """Reduces rows by segment; rows of negative segments are left out.

        Args:
            xp: The namespace.
            data: The rows, along as many leading axes as `segments` has.
            segments: Their segment numbers.
            count: The number of segments.
            empty: The value of a segment without rows.
        """
        rows = xp.reshape(data, (segments.size, *data.shape[segments.ndim :]))
        segments = xp.reshape(segments, (-1,))
        out = xp.full((count, *rows.shape[1:]), empty, dtype=rows.dtype)
        if xp is np:
            return self._into(out, rows, segments)
        # The neutral element first, so that `empty` takes no part; updates past the end are dropped.
        start = xp.full_like(out, self.identity(dtype_of(out)))
        places = xp.where(segments < 0, count, segments)
        reduced = getattr(start.at[places], self.update)(rows, mode="drop")
        used = xp.zeros((count,), dtype=xp.bool).at[places].set(True, mode="drop")
        return xp.where(xp.reshape(used, (-1,) + (1,) * (rows.ndim - 1)), reduced, out)

    def _into(self, out: np.ndarray, rows: np.ndarray, segments: np.ndarray) -> np.ndarray:
        beyond = np.flatnonzero(segments >= len(out))
        if beyond.size:
            first = beyond[0]
            raise InvalidArgumentError(f"segment_ids[{first}] = {segments[first]} is out of range [0, {len(out)})")
        order = np.argsort(segments, kind="stable")[np.count_nonzero(segments < 0) :]
        if order.size and out.size:
            ordered = segments[order]
            starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
            chosen = rows[order]
            if is_narrow(rows):  # too coarse to add up in
                chosen = chosen.astype(np.float32)
            out[ordered[starts]] = self.ufunc.reduceat(chosen, starts, axis=0).astype(out.dtype, copy=False)
        return out


_SUM = _Reduction(np.add, "add", lambda dtype: 0)
_PROD = _Reduction(np.multiply, "multiply", lambda dtype: 1)
_MAX = _Reduction(np.maximum, "max", lambda dtype: dtype.min)
_MIN = _Reduction(np.minimum, "min", lambda dtype: dtype.max)


def _per_segment(values: Tensor, segment_ids: Tensor) -> Tensor:
    """Each row's share of what its segment has; zero for rows of negative segments."""
    zero = like(segment_ids, 0, scalar=True)
    gathered = raw.GatherV2(values, raw.Maximum(segment_ids, zero), 0)
    return raw.SelectV2(_aligned(segment_ids >= zero, segment_ids, gathered), gathered, like(gathered, 0))


def _aligned(of_rows: Tensor, segment_ids: Tensor, rows: Tensor) -> Tensor:
    """Something said of rows, shaped so that it broadcasts along them."""
    ids_dims, rows_dims = segment_ids.dims, rows.dims
    if ids_dims is not None and rows_dims is not None and len(ids_dims) == len(rows_dims):
        return of_rows
    ones = raw.Fill(raw.ExpandDims(raw.Rank(rows) - raw.Rank(segment_ids), 0), np.int32(1))
    return raw.Reshape(of_rows, raw.ConcatV2([raw.Shape(segment_ids), ones], 0))


# ------------------------------------------------------------------------------------------------- any order


def _unsorted_dims(data: Tensor, segment_ids: Tensor, num_segments: Tensor) -> Dims:
    count = constant_value(num_segments)
    if count is not None and count < 0:
        raise ValueError(f"Input num_segments == {count} must not be negative")
    if data.dims is None or segment_ids.dims is None:
        return None
    _check_prefix(data.dims, segment_ids.dims)
    return (None if count is None else int(count), *data.dims[len(segment_ids.dims) :])


def _check_prefix(data: Any, segment_ids: Any) -> None:
    try:
        merged(data[: len(segment_ids)], segment_ids)
    except ValueError:
        raise ValueError(
            f"data.shape = {list(data)} does not start with segment_ids.shape = {list(segment_ids)}"
        ) from None


def _unsorted(name: str, types: str, reduction: _Reduction, gradient: Any, index: str = "index") -> None:
    def kernel(xp: Any, data: Any, segment_ids: Any, num_segments: np.ndarray) -> Any:
        _check_prefix(data.shape, segment_ids.shape)
        if num_segments < 0:
            raise InvalidArgumentError(f"Input num_segments == {num_segments} must not be negative")
        return reduction(xp, data, segment_ids, int(num_segments), reduction.identity(dtype_of(data)))

    schema = (
        f"UnsortedSegment{name}[T: {types}, Tindices: {index}, Tnumsegments: index = int32]"
        "(data: T, segment_ids: Tindices, num_segments: Tnumsegments) -> (output: T)"
    )
    made = register(Op(schema, kernel=kernel, shape=_unsorted_dims, host_inputs=("num_segments",), quiet=True))
    made.gradient(lambda call, dy: (gradient(call, dy), None, None))


def _unsorted_extreme_gradient(call: Any, dy: Tensor) -> Tensor:
    # Shared evenly among equal extremes.
    data, segment_ids, count = call.inputs
    extremes = _per_segment(call.outputs[0], segment_ids)
    chosen = raw.Cast(raw.Equal(data, extremes), DstT=dy.dtype)
    shares = raw.DivNoNan(dy, raw.UnsortedSegmentSum(chosen, segment_ids, count))
    return chosen * _per_segment(shares, segment_ids)


def _unsorted_prod_gradient(call: Any, dy: Tensor) -> Tensor:
    # The product of a row's fellows: by division, but where the row has a zero by multiplying the others, and none
    # where another row has one.
    data, segment_ids, count = call.inputs
    zero = raw.Equal(data, like(data, 0, scalar=True))
    zeros = raw.UnsortedSegmentSum(raw.Cast(zero, DstT="int32"), segment_ids, count)
    without_zeros = raw.SelectV2(zero, like(data, 1), data)
    product = raw.UnsortedSegmentProd(without_zeros, segment_ids, count)
    flowing = raw.SelectV2(zeros > like(zeros, 1, scalar=True), like(dy, 0), dy)
    others = raw.SelectV2(
        zero, _per_segment(product, segment_ids), _per_segment(call.outputs[0], segment_ids) / without_zeros
    )
    return _per_segment(flowing, segment_ids) * others


_unsorted("Sum", "number|quantized", _SUM, lambda call, dy: _per_segment(dy, call.inputs[1]), "int16|index")
_unsorted("Prod", "number|quantized", _PROD, _unsorted_prod_gradient)
_unsorted("Max", "real", _MAX, _unsorted_extreme_gradient)
_unsorted("Min", "real", _MIN, _unsorted_extreme_gradient)


# ------------------------------------------------------------------------------------------------- ascending order


def _sorted_dims(data: Tensor, segment_ids: Tensor) -> Dims:
    lengths = with_rank(segment_ids, 1, "segment_ids")
    if data.dims is None:
        return None
    if not data.dims:
        raise ValueError("data must be at least rank 1, but it is a scalar")
    merged(data.dims[:1], lengths)
    ids = constant_value(segment_ids)
    count = None if ids is None else int(ids[-1]) + 1 if ids.size else 0
    return (count, *data.dims[1:])


def _checked_count(data: Any, segment_ids: np.ndarray) -> int:
    if segment_ids.ndim != 1:
        raise InvalidArgumentError(f"segment_ids should be a vector, not of shape {list(segment_ids.shape)}")
    if len(segment_ids) != data.shape[0]:
        raise InvalidArgumentError(
            f"segment_ids should be the same size as dimension 0 of input: {len(segment_ids)} is not {data.shape[0]}"
        )
    if np.any(segment_ids[1:] < segment_ids[:-1]):
        raise InvalidArgumentError("segment ids are not increasing")
    if segment_ids.size and segment_ids[0] < 0:
        raise InvalidArgumentError(f"segment ids must not be negative; the first is {segment_ids[0]}")
    return int(segment_ids[-1]) + 1 if segment_ids.size else 0


def _sorted(name: str, types: str, reduce: Any, gradient: Any) -> None:
    """`reduce(xp, data, segment_ids, count)` gives a row for each segment up to the last one."""
    made = register(
        Op(
            f"Segment{name}[T: {types}, Tindices: index](data: T, segment_ids: Tindices) -> (output: T)",
            kernel=lambda xp, data, segment_ids: reduce(
                xp, data, xp.asarray(segment_ids), _checked_count(data, segment_ids)
            ),
            shape=_sorted_dims,
            host_inputs=("segment_ids",),
            quiet=True,
        )
    )
    made.gradient(lambda call, dy: (gradient(call, dy), None))


def _over(reduction: _Reduction, empty: int) -> Any:
    return lambda xp, data, segment_ids, count: reduction(xp, data, segment_ids, count, empty)


def _mean(xp: Any, data: Any, segment_ids: Any, count: int) -> Any:
    sums = _SUM(xp, data, segment_ids, count, 0)
    sizes = _SUM(xp, xp.ones(segment_ids.shape, dtype=xp.int32), segment_ids, count, 0)
    sizes = xp.reshape(xp.maximum(sizes, xp.ones_like(sizes)), (-1,) + (1,) * (sums.ndim - 1))
    if dtype_of(data).is_integer:
        return xp.astype(xp.trunc(sums / sizes), data.dtype)
    return sums / xp.astype(sizes, data.dtype)


def _mean_gradient(call: Any, dy: Tensor) -> Tensor:
    data, segment_ids = call.inputs
    sizes = raw.SegmentSum(raw.Cast(raw.OnesLike(segment_ids), DstT=dy.dtype), segment_ids)
    share = _aligned(raw.GatherV2(sizes, segment_ids, 0), segment_ids, data)
    return raw.GatherV2(dy, segment_ids, 0) / share


def _sorted_extreme_gradient(call: Any, dy: Tensor) -> Tensor:
    data, segment_ids = call.inputs
    chosen = raw.Cast(raw.Equal(data, raw.GatherV2(call.outputs[0], segment_ids, 0)), DstT=dy.dtype)
    shares = raw.DivNoNan(dy, raw.SegmentSum(chosen, segment_ids))
    return chosen * raw.GatherV2(shares, segment_ids, 0)


def _sorted_prod_gradient(call: Any, dy: Tensor) -> Tensor:
    data, segment_ids = call.inputs
    count = raw.Cast(raw.Shape(call.outputs[0]), DstT="int32")[0]
    same = Call(raw.UnsortedSegmentProd, (data, segment_ids, count), (), call.outputs)
    return _unsorted_prod_gradient(same, dy)


_sorted("Sum", "number|quantized", _over(_SUM, 0), lambda call, dy: raw.GatherV2(dy, call.inputs[1], 0))
_sorted("Mean", "number|quantized", _mean, _mean_gradient)
_sorted("Prod", "number|quantized", _over(_PROD, 1), _sorted_prod_gradient)
_sorted("Max", "real", _over(_MAX, 0), _sorted_extreme_gradient)
_sorted("Min", "real", _over(_MIN, 0), _sorted_extreme_gradient)


# ------------------------------------------------------------------------------------------------- counting


def _bins(numbers: np.ndarray, size: int, weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    inside = numbers < size
    if not weights.size:
        return np.bincount(numbers[inside], minlength=size).astype(dtype)
    out = np.zeros(size, dtype)
    np.add.at(out, numbers[inside], weights[inside])
    return out


def _check_counting(numbers: np.ndarray, size: np.ndarray, weights: np.ndarray) -> None:
    if size.ndim or size < 0:
        raise InvalidArgumentError(f"size must be a scalar that is not negative, not {size}")
    if numbers.size and numbers.min() < 0:
        raise InvalidArgumentError(f"Input must be non-negative! It has the value {numbers.min()}")
    if weights.size and weights.size != numbers.size:
        raise InvalidArgumentError(
            f"weights must have as many elements as the input, {numbers.size}, or be empty; not {weights.size}"
        )


def _size_dim(size: Tensor) -> int | None:
    value = constant_value(size)
    return None if value is None else int(value)


@op(
    "Bincount[T: index|float32|float64](arr: int32, size: int32, weights: T) -> (bins: T)",
    shape=lambda arr, size, weights: (_size_dim(size),),
    host_only=True,
)
def bincount(xp: Any, arr: np.ndarray, size: np.ndarray, weights: np.ndarray) -> np.ndarray:
    _check_counting(arr, size, weights)
    return _bins(arr.reshape(-1), int(size), weights.reshape(-1), weights.dtype)


def _dense_bincount_dims(input: Tensor, size: Tensor, weights: Tensor, *, binary_output: bool) -> Dims:
    if input.ndim is None:
        return None
    if input.ndim > 2:
        raise ValueError(f"Shape must be at most rank 2 but is rank {input.ndim}")
    return (*input.dims[:-1], _size_dim(size))  # type: ignore[index]


@op(
    "DenseBincount[Tidx: index, T: index|float32|float64](input: Tidx, size: Tidx, weights: T, *, "
    "binary_output: bool = False) -> (output: T)",
    shape=_dense_bincount_dims,
    host_only=True,
)
def dense_bincount(
    xp: Any, input: np.ndarray, size: np.ndarray, weights: np.ndarray, *, binary_output: bool
) -> np.ndarray:
    _check_counting(input, size, weights)
    if weights.size and weights.shape != input.shape:
        raise InvalidArgumentError(
            f"weights must have the same shape as the input, {list(input.shape)}, or be empty; not {list(weights.shape)}"
        )
    if input.ndim > 2:
        raise InvalidArgumentError(f"Shape must be at most rank 2 but is rank {input.ndim}")
    if binary_output:
        weights = weights[:0]
    rows = input if input.ndim == 2 else input.reshape(1, -1)
    weight_rows = weights.reshape(rows.shape) if weights.size else [weights] * len(rows)
    counts = [_bins(row, int(size), weight, weights.dtype) for row, weight in zip(rows, weight_rows, strict=True)]
    counted = np.array(counts, weights.dtype).reshape(*input.shape[:-1], int(size))
    return np.minimum(counted, 1).astype(counted.dtype) if binary_output else counted


bincount.gradient(None)
dense_bincount.gradient(None)
