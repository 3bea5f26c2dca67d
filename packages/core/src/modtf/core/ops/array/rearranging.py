"""Repeating, padding, reversing, rolling, and moving elements between axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, merged, normal_axis, partial_value, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import shape_of
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import SymbolicTensor, Tensor

# ------------------------------------------------------------------------------------------------- repeating


def _known(tensor: Tensor) -> np.ndarray | None:
    """The elements known while tracing, `None` for the others; or `None` if none are."""
    return partial_value(tensor) if isinstance(tensor, SymbolicTensor) else constant_value(tensor)


def _tiled_dims(input: Tensor, multiples: Tensor) -> Dims:
    (count,), dims, times = with_rank(multiples, 1, "multiples"), input.dims, _known(multiples)
    if dims is not None and count is not None and count != len(dims):
        raise ValueError(f"Expected multiples argument to be a vector of length {len(dims)} but got length {count}")
    rank = len(dims) if dims is not None else count
    if rank is None or times is None:
        return None if rank is None else (None,) * rank
    dims = (None,) * rank if dims is None else dims
    return tuple(
        0 if time == 0 else None if dim is None or time is None else dim * time
        for dim, time in zip(dims, times.tolist(), strict=True)
    )


@op(
    "Tile[T, Tmultiples: index = int32](input: T, multiples: Tmultiples) -> (output: T)",
    shape=_tiled_dims,
    host_inputs=("multiples",),
)
def tile(xp: Any, input: Any, multiples: np.ndarray) -> Any:
    times = tuple(multiples.tolist())
    if len(times) != len(input.shape) or any(time < 0 for time in times):
        raise ValueError(
            f"Expected one multiple of at least 0 for each of the {len(input.shape)} axes, but got {list(times)}"
        )
    return xp.tile(input, times)


@tile.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    x, multiples = call.inputs
    times: Any = constant_value(multiples)
    shape = shape_of(x, multiples.dtype)
    if times is None or isinstance(shape, Tensor):
        apart: Any = raw.Reshape(raw.Pack([multiples if times is None else times, shape], axis=1), [-1])
        axes: Any = raw.Range(0, raw.Size(apart), 2)
    else:
        apart = np.stack([times, shape], axis=1).reshape(-1)
        axes = np.arange(0, apart.size, 2, dtype=np.int32)
    return raw.Reshape(raw.Sum(raw.Reshape(dy, apart), axes), shape), None


# ------------------------------------------------------------------------------------------------- padding


def _padded_dims(input: Tensor, paddings: Tensor) -> Dims:
    (count, _), dims, widths = with_rank(paddings, 2, "paddings"), input.dims, _known(paddings)
    if dims is not None and count is not None and count != len(dims):
        raise ValueError(f"The first dimension of paddings must be the rank of inputs {paddings.shape} {input.shape}")
    rank = len(dims) if dims is not None else count
    if dims is None or widths is None:
        return None if rank is None else (None,) * rank
    if any(width is not None and width < 0 for width in widths.flat):
        raise ValueError(f"Paddings must be non-negative: {widths.tolist()}")
    return tuple(
        None if dim is None or before is None or after is None else before + dim + after
        for dim, (before, after) in zip(dims, widths.tolist(), strict=True)
    )


def _pad(xp: Any, input: Any, paddings: np.ndarray, value: Any) -> Any:
    _check_paddings(paddings, input.shape)
    return xp.pad(input, paddings.tolist(), constant_values=value)


def _check_paddings(paddings: np.ndarray, dims: Any) -> None:
    if paddings.shape != (len(dims), 2):
        raise ValueError(f"paddings must have the shape ({len(dims)}, 2), but it is {paddings.shape}")


_PADDED = "input: T, paddings: Tpaddings"


@op(f"Pad[T, Tpaddings: index = int32]({_PADDED}) -> (output: T)", shape=_padded_dims, host_inputs=("paddings",))
def pad(xp: Any, input: Any, paddings: np.ndarray) -> Any:
    return _pad(xp, input, paddings, np.array(b"", object) if input.dtype == object else 0)


@op(
    f"PadV2[T, Tpaddings: index = int32]({_PADDED}, constant_values: T) -> (output: T)",
    shape=lambda input, paddings, constant_values: _padded_dims(input, paddings),
    host_inputs=("paddings",),
)
def pad_v2(xp: Any, input: Any, paddings: np.ndarray, constant_values: Any) -> Any:
    if constant_values.ndim:
        raise ValueError(f"constant_values must be a scalar; its shape is {list(constant_values.shape)}")
    return _pad(xp, input, paddings, constant_values)


def _without_padding(call: Any, dy: Tensor) -> Tensor:
    x, paddings = call.inputs[:2]
    known = constant_value(paddings)
    if known is not None:
        return raw.Slice(dy, known[:, 0], shape_of(x, paddings.dtype))
    return raw.Slice(dy, raw.Unpack(paddings, num=2, axis=1)[0], shape_of(x, paddings.dtype))


@pad_v2.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None, None]:
    return _without_padding(call, dy), None, None  # none for the constant, as in TensorFlow


pad.gradient(lambda call, dy: (_without_padding(call, dy), None))


def _check_mirror(paddings: np.ndarray, dims: Any, mode: str) -> None:
    _check_paddings(paddings, dims)
    offset = 1 if mode == "REFLECT" else 0
    for (before, after), dim in zip(paddings.tolist(), dims, strict=True):
        if dim is not None and max(before, after) > dim - offset:
            raise ValueError(
                f"paddings must be {'less than' if offset else 'no greater than'} the dimension size: "
                f"{before}, {after} not {'less than' if offset else 'less than or equal to'} {dim}"
            )


def _mirrored_dims(input: Tensor, paddings: Tensor, *, mode: str) -> Dims:
    dims, widths = _padded_dims(input, paddings), constant_value(paddings)
    if input.dims is not None and widths is not None:
        _check_mirror(widths, input.dims, mode)
    return dims


_MIRROR = f"[T, Tpaddings: index = int32]({_PADDED}, *, mode: string(REFLECT|SYMMETRIC)) -> (output: T)"


@op(f"MirrorPad{_MIRROR}", shape=_mirrored_dims, host_inputs=("paddings",))
def mirror_pad(xp: Any, input: Any, paddings: np.ndarray, *, mode: str) -> Any:
    _check_mirror(paddings, input.shape, mode)
    return xp.pad(input, paddings.tolist(), mode=mode.lower())


mirror_pad.gradient(lambda call, dy: (raw.MirrorPadGrad(dy, call.inputs[1], mode=call["mode"]), None))


def _unmirrored_dims(input: Tensor, paddings: Tensor, *, mode: str) -> Dims:
    dims, widths = input.dims, _known(paddings)
    if widths is None:
        return None if dims is None else (None,) * len(dims)
    dims = (None,) * len(widths) if dims is None else dims
    return tuple(
        None if dim is None or before is None or after is None else dim - before - after
        for dim, (before, after) in zip(dims, widths.tolist(), strict=True)
    )


@op(f"MirrorPadGrad{_MIRROR}", shape=_unmirrored_dims, host_inputs=("paddings",))
def mirror_pad_grad(xp: Any, input: Any, paddings: np.ndarray, *, mode: str) -> Any:
    if paddings.shape != (input.ndim, 2):
        raise ValueError(f"paddings must be a matrix of {input.ndim} rows and 2 columns: {list(paddings.shape)}")
    offset = 1 if mode == "REFLECT" else 0
    for axis, (before, after) in enumerate(paddings.tolist()):
        input = _fold(xp, input, axis, before, after, offset)
    return input


def _fold(xp: Any, x: Any, axis: int, before: int, after: int, offset: int) -> Any:
    """Adds what was mirrored at both ends of an axis back to where it came from."""
    lead = (slice(None),) * axis
    length = x.shape[axis] - before - after
    total = x[(*lead, slice(before, before + length), ...)]
    for width, start, place in ((before, 0, offset), (after, before + length, length - offset - after)):
        if width:
            part = xp.flip(x[(*lead, slice(start, start + width), ...)], axis=axis)
            gaps = [xp.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), dtype=x.dtype)
                    for size in (place, length - place - width)]  # fmt: skip
            total = total + xp.concat([gaps[0], part, gaps[1]], axis=axis)
    return total


mirror_pad_grad.gradient(lambda call, dy: (raw.MirrorPad(dy, call.inputs[1], mode=call["mode"]), None))


# ------------------------------------------------------------------------------------------------- reversing, rolling


def _along_axes(input: Tensor, axes: Tensor, what: str) -> Dims:
    """The input's shape, once it is seen that it has the axes."""
    known = constant_value(axes)
    if input.dims is not None and known is not None:
        for axis in known.reshape(-1).tolist():
            if not -len(input.dims) <= axis < len(input.dims):
                raise ValueError(f"{what}: axis {axis} is out of range for a tensor of rank {len(input.dims)}")
    return input.dims


def _reversed_dims(tensor: Tensor, axis: Tensor) -> Dims:
    dims, known = _along_axes(tensor, axis, "reverse"), constant_value(axis)
    if dims is not None and known is not None and len(set((known % max(len(dims), 1)).tolist())) != known.size:
        raise ValueError(f"The axes {known.tolist()} name an axis twice; each may be reversed once")
    return dims


@op(
    "ReverseV2[T: number|bool|string, Tidx: index = int32](tensor: T, axis: Tidx) -> (output: T)",
    shape=_reversed_dims,
    host_inputs=("axis",),
)
def reverse(xp: Any, tensor: Any, axis: np.ndarray) -> Any:
    axes = tuple(axis.tolist())
    return xp.flip(tensor, axis=axes) if axes else tensor


reverse.gradient(lambda call, dy: (raw.ReverseV2(dy, call.inputs[1]), None))


def _sequences_dims(input: Tensor, seq_lengths: Tensor, *, seq_dim: int, batch_dim: int) -> Dims:
    count, dims = with_rank(seq_lengths, 1, "seq_lengths"), input.dims
    if dims is None:
        return None
    batch, sequence = normal_axis(batch_dim, len(dims)), normal_axis(seq_dim, len(dims))
    if batch == sequence:
        raise ValueError(f"batch_dim == seq_dim == {batch}; they must be different axes")
    return merged(dims, tuple(count[0] if axis == batch else None for axis in range(len(dims))))


@op(
    "ReverseSequence[T, Tlen: index = int64](input: T, seq_lengths: Tlen, *, seq_dim: int, batch_dim: int = 0) "
    "-> (output: T)",
    shape=_sequences_dims,
)
def reverse_sequence(xp: Any, input: Any, seq_lengths: Any, *, seq_dim: int, batch_dim: int) -> Any:
    rank, length = len(input.shape), input.shape[seq_dim]
    if seq_dim % rank == batch_dim % rank or seq_lengths.shape != (input.shape[batch_dim],):
        raise ValueError(
            f"seq_lengths must hold a length for each index of axis {batch_dim}, another than axis {seq_dim}"
        )
    if xp is np and len(seq_lengths) and not 0 <= seq_lengths.min() <= seq_lengths.max() <= length:
        raise ValueError(f"Invalid seq_lengths {seq_lengths.tolist()}: each must be in [0, {length}]")
    place = xp.reshape(
        xp.arange(length, dtype=seq_lengths.dtype), [-1 if axis == seq_dim else 1 for axis in range(rank)]
    )
    count = xp.reshape(seq_lengths, [-1 if axis == batch_dim else 1 for axis in range(rank)])
    source = xp.where(place < count, count - 1 - place, place)
    return xp.take_along_axis(input, xp.broadcast_to(source, input.shape), axis=seq_dim)


@reverse_sequence.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    return raw.ReverseSequence(dy, call.inputs[1], seq_dim=call["seq_dim"], batch_dim=call["batch_dim"]), None


@op(
    "Roll[T, Tshift: index, Taxis: index](input: T, shift: Tshift, axis: Taxis) -> (output: T)",
    shape=lambda input, shift, axis: _along_axes(input, axis, "roll"),
    host_inputs=("shift", "axis"),
)
def roll(xp: Any, input: Any, shift: np.ndarray, axis: np.ndarray) -> Any:
    if shift.shape != axis.shape or shift.ndim > 1 or not input.shape:
        raise ValueError(
            f"shift and axis must be scalars or vectors of the same size, and the input a vector at least: shift has the "
            f"shape {list(shift.shape)}, axis {list(axis.shape)}, the input {list(input.shape)}"
        )
    axes = [normal_axis(position, len(input.shape)) for position in axis.reshape(-1).tolist()]
    return xp.roll(input, tuple(shift.reshape(-1).tolist()), axis=tuple(axes))


roll.gradient(lambda call, dy: (raw.Roll(dy, -call.inputs[1], call.inputs[2]), None, None))


# ------------------------------------------------------------------------------------------------- blocks

_BLOCKS = "[T](input: T, *, block_size: int, data_format: string(NHWC|NCHW|NCHW_VECT_C) = 'NHWC') -> (output: T)"


def _channels_first(data_format: str) -> bool:
    if data_format == "NCHW_VECT_C":
        raise NotImplementedError("data_format NCHW_VECT_C is for quantised GPU kernels; use NHWC or NCHW")
    return data_format == "NCHW"


def _check_block(block_size: int) -> None:
    if block_size < 2:
        raise ValueError(f"Block size should be > 1, but was: {block_size}")


def _to_depth_dims(input: Tensor, *, block_size: int, data_format: str) -> Dims:
    return _block_dims(
        input, block_size, data_format, lambda size: _divided(size, block_size), lambda c: c * block_size**2
    )


def _to_space_dims(input: Tensor, *, block_size: int, data_format: str) -> Dims:
    return _block_dims(
        input, block_size, data_format, lambda size: size * block_size, lambda c: _divided(c, block_size**2)
    )


def _divided(size: int, by: int) -> int:
    if size % by:
        raise ValueError(f"Dimension size must be evenly divisible by {by} but is {size}")
    return size // by


def _block_dims(input: Tensor, block_size: int, data_format: str, space: Any, depth: Any) -> Dims:
    _check_block(block_size)
    dims = with_rank(input, 4, "input")
    channel = 1 if _channels_first(data_format) else 3
    change = [space if axis != channel else depth for axis in range(4)]
    return (dims[0], *(None if dims[axis] is None else change[axis](dims[axis]) for axis in range(1, 4)))


@op(f"SpaceToDepth{_BLOCKS}", shape=_to_depth_dims)
def space_to_depth(xp: Any, input: Any, *, block_size: int, data_format: str) -> Any:
    _check_block(block_size)
    if _channels_first(data_format):
        n, c, *sizes = input.shape
        h, w = (_divided(size, block_size) for size in sizes)
        blocks = xp.reshape(input, (n, c, h, block_size, w, block_size))
        return xp.reshape(xp.permute_dims(blocks, (0, 3, 5, 1, 2, 4)), (n, c * block_size**2, h, w))
    n, *sizes, c = input.shape
    h, w = (_divided(size, block_size) for size in sizes)
    blocks = xp.reshape(input, (n, h, block_size, w, block_size, c))
    return xp.reshape(xp.permute_dims(blocks, (0, 1, 3, 2, 4, 5)), (n, h, w, c * block_size**2))


@op(f"DepthToSpace{_BLOCKS}", shape=_to_space_dims)
def depth_to_space(xp: Any, input: Any, *, block_size: int, data_format: str) -> Any:
    _check_block(block_size)
    if _channels_first(data_format):
        n, c, h, w = input.shape
        c = _divided(c, block_size**2)
        blocks = xp.reshape(input, (n, block_size, block_size, c, h, w))
        return xp.reshape(xp.permute_dims(blocks, (0, 3, 4, 1, 5, 2)), (n, c, h * block_size, w * block_size))
    n, h, w, c = input.shape
    _divided(c, block_size**2)
    blocks = xp.reshape(input, (n, h, w, block_size, block_size, c // block_size**2))
    return xp.reshape(
        xp.permute_dims(blocks, (0, 1, 3, 2, 4, 5)), (n, h * block_size, w * block_size, c // block_size**2)
    )


def _same_attrs(call: Any) -> dict[str, Any]:
    return dict(zip(call.op.schema.attr_index, call.attrs, strict=True))


space_to_depth.gradient(lambda call, dy: raw.DepthToSpace(dy, **_same_attrs(call)))
depth_to_space.gradient(lambda call, dy: raw.SpaceToDepth(dy, **_same_attrs(call)))


def _batch_block_dims(input: Tensor, block_shape: Tensor, widths: Tensor, to_batch: bool) -> Dims:
    dims, blocks, known = input.dims, constant_value(block_shape), constant_value(widths)
    if dims is None or blocks is None:
        return None if dims is None else (None,) * len(dims)
    if len(dims) <= len(blocks):
        raise ValueError(f"input rank should be >= {len(blocks) + 1} instead of {len(dims)}")
    if known is not None and known.shape != (len(blocks), 2):
        raise ValueError(f"paddings and crops must have the shape ({len(blocks)}, 2), not {known.shape}")
    if (blocks < 1).any() or (known is not None and (known < 0).any()):
        raise ValueError(
            f"Block shape must be positive and paddings and crops non-negative: {blocks.tolist()}, {known}"
        )
    count = int(np.prod(blocks))
    result = [None if dims[0] is None else dims[0] * count if to_batch else _divided(dims[0], count)]
    for axis, block in enumerate(blocks.tolist(), 1):
        size = dims[axis]
        if size is None or known is None:
            result.append(None)
        elif to_batch:
            result.append(_divided(size + int(known[axis - 1].sum()), block))
        else:
            result.append(size * block - int(known[axis - 1].sum()))
    if any(size is not None and size < 0 for size in result):
        raise ValueError(f"crops {known} take more than there is in a tensor of shape {input.shape}")
    return (*result, *dims[len(blocks) + 1 :])


_BATCHED = (
    "T, Tblock_shape: index = int32, {0}: index = int32](input: T, block_shape: Tblock_shape, {1}: {0}) -> (output: T)"
)


@op(
    f"SpaceToBatchND[{_BATCHED.format('Tpaddings', 'paddings')}",
    shape=lambda input, block_shape, paddings: _batch_block_dims(input, block_shape, paddings, to_batch=True),
    host_inputs=("block_shape", "paddings"),
)
def space_to_batch(xp: Any, input: Any, block_shape: np.ndarray, paddings: np.ndarray) -> Any:
    blocks = block_shape.tolist()
    count, rest = len(blocks), input.shape[len(blocks) + 1 :]
    padded = xp.pad(input, [(0, 0), *paddings.tolist(), *[(0, 0)] * len(rest)])
    batch, *space = padded.shape[: count + 1]
    apart = [part for size, block in zip(space, blocks, strict=True) for part in (_divided(size, block), block)]
    turned = xp.permute_dims(
        xp.reshape(padded, (batch, *apart, *rest)),
        (*range(2, 2 * count + 1, 2), 0, *range(1, 2 * count + 1, 2), *range(2 * count + 1, 2 * count + 1 + len(rest))),
    )
    return xp.reshape(turned, (batch * int(np.prod(block_shape)), *apart[::2], *rest))


@op(
    f"BatchToSpaceND[{_BATCHED.format('Tcrops', 'crops')}",
    shape=lambda input, block_shape, crops: _batch_block_dims(input, block_shape, crops, to_batch=False),
    host_inputs=("block_shape", "crops"),
)
def batch_to_space(xp: Any, input: Any, block_shape: np.ndarray, crops: np.ndarray) -> Any:
    blocks = block_shape.tolist()
    if crops.shape != (len(blocks), 2):
        raise ValueError(f"crops should have shape [{len(blocks)}, 2] instead of {list(crops.shape)}")
    count, rest = len(blocks), input.shape[len(blocks) + 1 :]
    batch, space = _divided(input.shape[0], int(np.prod(block_shape))), input.shape[1 : count + 1]
    order = [axis for pair in zip(range(count + 1, 2 * count + 1), range(count), strict=True) for axis in pair]
    turned = xp.permute_dims(
        xp.reshape(input, (*blocks, batch, *space, *rest)),
        (count, *order, *range(2 * count + 1, 2 * count + 1 + len(rest))),
    )
    sizes = [size * block for size, block in zip(space, blocks, strict=True)]
    whole = xp.reshape(turned, (batch, *sizes, *rest))
    for size, (start, stop) in zip(sizes, crops.tolist(), strict=True):
        if min(start, stop, size - start - stop) < 0:
            raise ValueError(f"crops {crops.tolist()} must not be negative, nor more than there is: {sizes}")
    kept = [slice(start, size - stop) for size, (start, stop) in zip(sizes, crops.tolist(), strict=True)]
    return whole[(slice(None), *kept, ...)]


space_to_batch.gradient(lambda call, dy: (raw.BatchToSpaceND(dy, *call.inputs[1:]), None, None))
batch_to_space.gradient(lambda call, dy: (raw.SpaceToBatchND(dy, *call.inputs[1:]), None, None))
