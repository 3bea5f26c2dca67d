"""Joining tensors along an axis and taking them apart again."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import (
    constant_value,
    dims_from_value,
    merged,
    normal_axis,
    with_rank,
    with_rank_at_least,
)
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import shape_of
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor


def _axis_of(axis: Tensor, rank: int) -> int | None:
    """The axis that a scalar input says, counted from the front; `None` if it is not known while tracing."""
    value = constant_value(axis)
    return None if value is None else normal_axis(int(value), rank)


def _part(axis: int, rank: int, index: Any) -> tuple[Any, ...]:
    """The index that takes `index` along one axis and all of the others; with it, scalars stay arrays."""
    return (slice(None),) * (axis % rank) + (index, ...)


# ------------------------------------------------------------------------------------------------- a new axis


def _packed_dims(values: list[Tensor], *, axis: int) -> Dims:
    dims = merged(*(value.dims for value in values))
    if dims is None:
        return None
    position = normal_axis(axis, len(dims) + 1)
    return (*dims[:position], len(values), *dims[position:])


@op("Pack[T](values: N * T, *, axis: int = 0) -> (output: T)", shape=_packed_dims)
def pack(xp: Any, values: list[Any], *, axis: int) -> Any:
    return xp.stack(values, axis=axis)


@pack.gradient
def _(call: Any, dy: Tensor) -> list[Tensor]:
    return raw.Unpack(dy, num=len(call.inputs), axis=call["axis"])


def _unpacked_dims(value: Tensor, *, num: int, axis: int) -> list[Dims]:
    dims = value.dims
    if dims is None:
        return [None] * num
    position = normal_axis(axis, len(dims))
    if dims[position] not in (num, None):
        raise ValueError(
            f"Dimension must be {num} but is {dims[position]}: axis {axis} of a tensor of shape {value.shape}"
        )
    return [dims[:position] + dims[position + 1 :]] * num


@op("Unpack[T](value: T, *, num: int, axis: int = 0) -> (output: num * T)", shape=_unpacked_dims)
def unpack(xp: Any, value: Any, *, num: int, axis: int) -> list[Any]:
    rank = len(value.shape)
    if not -rank <= axis < rank or value.shape[axis] != num:
        raise ValueError(f"Cannot unstack the axis {axis} of a tensor of shape {value.shape} into {num} tensors")
    return [value[_part(axis, rank, index)] for index in range(num)]


unpack.gradient(lambda call, *dys: raw.Pack(list(dys), axis=call["axis"]))


# ------------------------------------------------------------------------------------------------- an existing axis


def _concat_dims(values: list[Tensor], axis: Tensor) -> Dims:
    shapes = [value.dims for value in values]
    rank = next((len(dims) for dims in shapes if dims is not None), None)
    if rank is None:
        return None
    if any(dims is not None and len(dims) != rank for dims in shapes):
        shown = " vs. ".join(str(TensorShape(dims)) for dims in shapes)
        raise ValueError(f"ConcatOp : Ranks of all input tensors should match: {shown}")
    position = _axis_of(axis, rank)
    if position is None:
        return (None,) * rank
    lengths = [None if dims is None else dims[position] for dims in shapes]
    try:
        rest = merged(*(None if dims is None else (*dims[:position], None, *dims[position + 1 :]) for dims in shapes))
    except ValueError:
        shown = " vs. ".join(str(TensorShape(dims)) for dims in shapes)
        raise ValueError(
            f"ConcatOp : Dimensions of inputs should match: {shown} (joined along axis {position})"
        ) from None
    assert rest is not None
    total = None if None in lengths else sum(length for length in lengths if length is not None)
    return (*rest[:position], total, *rest[position + 1 :])


@op(
    "ConcatV2[T, Tidx: index = int32](values: N * T, axis: Tidx) -> (output: T)",
    shape=_concat_dims,
    host_inputs=("axis",),
)
def concat(xp: Any, values: list[Any], axis: np.ndarray) -> Any:
    return xp.concat(values, axis=int(axis.item()))


@concat.gradient
def _(call: Any, dy: Tensor) -> list[Tensor | None]:
    *values, axis = call.inputs
    return [*raw.SplitV(dy, _lengths(values, axis), raw.Cast(axis, DstT="int32"), num_split=len(values)), None]


def _lengths(values: list[Tensor], axis: Tensor) -> Any:
    """How long each value is along `axis`: a NumPy array if known, else a tensor."""
    known, rank = constant_value(axis), values[0].ndim
    if known is None or rank is None:
        position = raw.FloorMod(axis, raw.Cast(raw.Rank(values[0]), DstT=axis.dtype))
        return raw.Pack([raw.GatherV2(raw.Shape(value), position, 0) for value in values])
    lengths = [shape_of(value)[int(known)] for value in values]
    return raw.Pack(lengths) if any(isinstance(length, Tensor) for length in lengths) else np.array(lengths, np.int32)


@op(
    "ConcatOffset[shape_type: index = int32](concat_dim: int32, shape: N * shape_type) -> (offset: N * shape_type)",
    shape=lambda concat_dim, shape: [item.dims for item in shape],
    host_only=True,
)
def concat_offset(xp: Any, concat_dim: np.ndarray, shape: list[np.ndarray]) -> list[np.ndarray]:
    axis = normal_axis(int(concat_dim), len(shape[0]))
    offsets = [np.zeros_like(item) for item in shape]
    start = 0
    for index, (offset, sizes) in enumerate(zip(offsets, shape, strict=True)):
        if len(sizes) != len(shape[0]) or np.any(np.delete(sizes != shape[0], axis)):
            raise ValueError(
                f"All dimensions except {axis} must match. Input {index} has shape {sizes.tolist()} and doesn't match "
                f"input 0 with shape {shape[0].tolist()}."
            )
        offset[axis] = start
        start += int(sizes[axis])
    return offsets


concat_offset.gradient(None)


def _parts_dims(value: Tensor, split_dim: Tensor, lengths: list[int | None], total: int | None) -> list[Dims]:
    dims = with_rank_at_least(value, 1, "value")
    if dims is None:
        return [None] * len(lengths)
    axis = _axis_of(split_dim, len(dims))
    if axis is None:
        return [(None,) * len(dims)] * len(lengths)
    if total is not None and dims[axis] not in (total, None):
        raise ValueError(f"The sizes {lengths} do not sum to {dims[axis]}, the length of axis {axis} of {value.shape}")
    return [(*dims[:axis], length, *dims[axis + 1 :]) for length in lengths]


def _split_dims(split_dim: Tensor, value: Tensor, *, num_split: int) -> list[Dims]:
    axis = _axis_of(split_dim, value.ndim) if value.ndim else None
    length = None if axis is None else value.dims[axis]  # type: ignore[index]
    if length is not None and length % num_split:
        raise ValueError(
            "Number of ways to split should evenly divide the split dimension, but got "
            f"split_dim {axis} (size = {length}) and num_split {num_split}"
        )
    return _parts_dims(value, split_dim, [None if length is None else length // num_split] * num_split, length)


@op(
    "Split[T](split_dim: int32, value: T, *, num_split: int) -> (output: num_split * T)",
    shape=_split_dims,
    host_inputs=("split_dim",),
)
def split(xp: Any, split_dim: np.ndarray, value: Any, *, num_split: int) -> list[Any]:
    if num_split < 1:
        raise ValueError(f"num_split must be at least 1, not {num_split}")
    axis = normal_axis(int(split_dim), len(value.shape))
    length, rest = divmod(value.shape[axis], num_split)
    if rest:
        raise ValueError(f"Cannot split {value.shape[axis]} elements into {num_split} equal parts")
    return _cut(value, axis, [length] * num_split)


def _cut(value: Any, axis: int, lengths: list[int]) -> list[Any]:
    parts, start, rank = [], 0, len(value.shape)
    for length in lengths:
        parts.append(value[_part(axis, rank, slice(start, start + length))])
        start += length
    return parts


split.gradient(lambda call, *dys: (None, raw.ConcatV2(list(dys), call.inputs[0]) if len(dys) > 1 else dys[0]))


def _split_v_dims(value: Tensor, size_splits: Tensor, split_dim: Tensor, *, num_split: int) -> list[Dims]:
    with_rank(size_splits, 1, "size_splits")
    lengths = dims_from_value(size_splits)
    if lengths is None:
        return _parts_dims(value, split_dim, [None] * num_split, None)
    if len(lengths) != num_split:
        raise ValueError(f"size_splits must have num_split = {num_split} elements, not {len(lengths)}")
    if lengths.count(None) == 1 and constant_value(size_splits) is not None and value.ndim:
        axis = _axis_of(split_dim, value.ndim)
        total = None if axis is None else value.dims[axis]  # type: ignore[index]
        if total is not None:
            rest = total - sum(length for length in lengths if length is not None)
            lengths = tuple(rest if length is None else length for length in lengths)
            if rest < 0:
                raise ValueError(f"The sizes {constant_value(size_splits)} sum to more than {total}")
    total = None if None in lengths else sum(length for length in lengths if length is not None)
    return _parts_dims(value, split_dim, list(lengths), total)


@op(
    "SplitV[T, Tlen: int8|int32|int64 = int64](value: T, size_splits: Tlen, split_dim: int32, *, num_split: int) "
    "-> (output: num_split * T)",
    shape=_split_v_dims,
    host_inputs=("size_splits", "split_dim"),
)
def split_v(xp: Any, value: Any, size_splits: np.ndarray, split_dim: np.ndarray, *, num_split: int) -> list[Any]:
    axis = normal_axis(int(split_dim), len(value.shape))
    lengths, total = size_splits.tolist(), value.shape[axis]
    if lengths.count(-1) == 1:
        lengths[lengths.index(-1)] = total - sum(lengths) - 1
    if len(lengths) != num_split or min(lengths) < 0 or sum(lengths) != total:
        raise ValueError(
            f"The sizes {size_splits.tolist()} must be {num_split}, at most one of them -1, and sum to {total}"
        )
    return _cut(value, axis, lengths)


split_v.gradient(lambda call, *dys: (raw.ConcatV2(list(dys), call.inputs[2]) if len(dys) > 1 else dys[0], None, None))
