"""Dividing rows among tensors and putting them together again; rows set in place; flat positions as coordinates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.array.gathering import scatter
from modtf.core.ops.array.slicing import filled, put, slice_index
from modtf.core.ops.common import shape_of, unbroadcast
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- partitions


def _check_prefix(data: Any, prefix: Any, what: str) -> None:
    try:
        merged(data[: len(prefix)], prefix)
    except ValueError:
        raise ValueError(f"data.shape must start with {what}.shape, got data.shape = {list(data)}, "
                         f"{what}.shape = {list(prefix)}") from None  # fmt: skip


def _partition_dims(data: Tensor, partitions: Tensor, *, num_partitions: int) -> list[Dims]:
    if data.dims is None or partitions.dims is None:
        return [None] * num_partitions
    _check_prefix(data.dims, partitions.dims, "partitions")
    return [(None, *data.dims[len(partitions.dims) :])] * num_partitions


@op(
    "DynamicPartition[T](data: T, partitions: int32, *, num_partitions: int) -> (outputs: num_partitions * T)",
    shape=_partition_dims,
    host_only=True,
)
def dynamic_partition(xp: Any, data: np.ndarray, partitions: np.ndarray, *, num_partitions: int) -> list[np.ndarray]:
    _check_prefix(data.shape, partitions.shape, "partitions")
    if num_partitions < 1:
        raise ValueError(f"num_partitions must be at least 1, not {num_partitions}")
    flat = partitions.reshape(-1)
    if flat.size and not 0 <= flat.min() <= flat.max() < num_partitions:
        worst = flat[(flat < 0) | (flat >= num_partitions)][0]
        raise ValueError(f"partitions holds {worst}, which is not in [0, {num_partitions})")
    rows = data.reshape(flat.size, *data.shape[partitions.ndim :])
    return [rows[flat == partition] for partition in range(num_partitions)]


@dynamic_partition.gradient
def _(call: Any, *flowing: Tensor) -> tuple[Tensor, None]:
    data, partitions = call.inputs
    prefix = raw.Shape(partitions)
    places = raw.Reshape(raw.Range(0, raw.Prod(prefix, 0), 1), prefix)
    parts = raw.DynamicPartition(places, partitions, num_partitions=call["num_partitions"])
    together = raw.ParallelDynamicStitch(parts, list(flowing))
    return raw.Reshape(together, shape_of(data)), None


# ------------------------------------------------------------------------------------------------- stitches


def _stitched_dims(indices: list[Tensor], data: list[Tensor]) -> Dims:
    rest: Dims = None
    largest: int | None = -1
    for places, rows in zip(indices, data, strict=True):
        known = constant_value(places)
        if known is None:
            largest = None
        elif largest is not None:
            largest = max(largest, int(known.max()) if known.size else -1)
        if places.dims is None or rows.dims is None:
            continue
        _check_prefix(rows.dims, places.dims, "indices[i]")
        rest = merged(rest, rows.dims[len(places.dims) :])
    return None if rest is None else (None if largest is None else largest + 1, *rest)


def _stitch(xp: Any, indices: list[np.ndarray], data: list[Any]) -> Any:
    rest = tuple(data[0].shape[indices[0].ndim :])
    for places, rows in zip(indices, data, strict=True):
        _check_prefix(rows.shape, places.shape, "indices[i]")
        if tuple(rows.shape[places.ndim :]) != rest:
            raise ValueError(
                f"Need data[0].shape[{indices[0].ndim}:] = data[i].shape[{places.ndim}:], got {list(rest)} and "
                f"{list(rows.shape[places.ndim :])}"
            )
    flat = np.concatenate([places.reshape(-1) for places in indices])
    count = int(flat.max()) + 1 if flat.size else 0
    if flat.size and flat.min() < 0:
        raise ValueError(f"indices holds {flat.min()}, which is negative")
    together = xp.concat([xp.reshape(rows, (-1 if math.prod(rest) else places.size, *rest))
                          for places, rows in zip(indices, data, strict=True)], axis=0)  # fmt: skip
    source = np.full(count, -1)
    source[flat] = np.arange(flat.size)  # of several rows for one place, the last
    rows = xp.take(together, xp.asarray(np.maximum(source, 0)), axis=0) if count else together[:0]
    missing = source < 0
    if missing.any():
        nothing = filled(xp, (1,) * rows.ndim, rows)
        rows = xp.where(xp.asarray(missing.reshape(-1, *[1] * len(rest))), nothing, rows)
    return rows


for _name in ("DynamicStitch", "ParallelDynamicStitch"):
    register(
        Op(
            f"{_name}[T](indices: N * int32, data: N * T) -> (merged: T)",
            kernel=_stitch,
            shape=_stitched_dims,
            host_inputs=("indices",),
        )
    ).gradient(
        lambda call, dy: (
            *[None] * (len(call.inputs) // 2),
            *(raw.GatherV2(dy, places, 0) for places in call.inputs[: len(call.inputs) // 2]),
        )
    )

# ------------------------------------------------------------------------------------------------- rows set in place


def _in_place(name: str, how: str) -> None:
    """Registers an op that changes rows; here it leaves its input alone and returns the changed tensor."""

    def kernel(xp: Any, x: Any, i: Any, v: Any) -> Any:
        if v.shape != (*i.shape, *x.shape[1:]) or i.ndim != 1:
            raise ValueError(
                f"i must be a vector and v have its length and else the shape of x: i has the shape {list(i.shape)}, "
                f"v {list(v.shape)} and x {list(x.shape)}"
            )
        update = -v if how == "subtract" else v
        return scatter(xp, "add" if how == "subtract" else how, xp.asarray(x, copy=True), i[:, None], update)

    register(Op(f"{name}[T](x: T, i: int32, v: T) -> (y: T)", kernel=kernel, shape=lambda x, i, v: x.dims))


_in_place("InplaceUpdate", "set")
_in_place("InplaceAdd", "add")
_in_place("InplaceSub", "subtract")

# ------------------------------------------------------------------------------------------------- coordinates


def _unravelled_dims(indices: Tensor, dims: Tensor) -> Dims:
    (rank,), places = with_rank(dims, 1, "dims"), indices.dims
    if places is not None and len(places) > 1:
        raise ValueError(f"indices must be a scalar or a vector, but its shape is {indices.shape}")
    return None if places is None else (rank, *places)


@op(
    "UnravelIndex[Tidx: index = int32](indices: Tidx, dims: Tidx) -> (output: Tidx)",
    shape=_unravelled_dims,
    host_inputs=("dims",),
)
def unravel_index(xp: Any, indices: Any, dims: np.ndarray) -> Any:
    if dims.ndim != 1 or len(indices.shape) > 1:
        raise ValueError(f"dims must be a vector and indices a scalar or vector: {dims.shape} and {indices.shape}")
    if not (dims > 0).all():
        raise ValueError(f"Input dims cannot contain a dim of zero: {dims.tolist()}")
    if xp is np and indices.size and not 0 <= indices.min() <= indices.max() < math.prod(dims.tolist()):
        raise ValueError(f"index is out of bound as with dims {dims.tolist()}: {indices.tolist()}")
    columns, rest = [], indices
    for size in reversed(dims.tolist()):
        columns.append(rest % size)
        rest = rest // size
    return xp.stack(columns[::-1], axis=0)


# ------------------------------------------------------------------------------------------------- a slice replaced


@op(
    "TensorStridedSliceUpdate[T, Index: index](input: T, begin: Index, end: Index, strides: Index, value: T, *, "
    "begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0, "
    "shrink_axis_mask: int = 0) -> (output: T)",
    shape=lambda input, begin, end, strides, value, **masks: input.dims,
    host_inputs=("begin", "end", "strides"),
)
def strided_slice_update(
    xp: Any, input: Any, begin: np.ndarray, end: np.ndarray, strides: np.ndarray, value: Any, **masks: int
) -> Any:
    index = slice_index(tuple(input.shape), begin, end, strides, **masks)
    if not input[index].size:
        return input
    return put(xp, xp.asarray(input, copy=True), index, value)


@strided_slice_update.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    _, begin, end, strides, value = call.inputs
    masks = dict(zip(call.op.schema.attr_index, call.attrs, strict=True))
    rest = raw.TensorStridedSliceUpdate(dy, begin, end, strides, raw.ZerosLike(value), **masks)
    taken = raw.StridedSlice(dy, begin, end, strides, **masks)
    return rest, None, None, None, unbroadcast(taken, value, taken)
