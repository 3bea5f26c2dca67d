"""Repeating, padding, reversing, rolling, and moving elements between axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, normal_axis, partial_value, rank_of, unchanged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import shape_of
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import SymbolicTensor, Tensor

# ------------------------------------------------------------------------------------------------- repeating


def _known(tensor: Tensor) -> np.ndarray | None:
    """The elements known while tracing, `None` for the others; or `None` if none are."""
    return partial_value(tensor) if isinstance(tensor, SymbolicTensor) else constant_value(tensor)


def _tiled_dims(input: Tensor, multiples: Tensor) -> Dims:  # noqa: A002 (the schema's name)
    (count,), dims, times = with_rank(multiples, 1, "multiples"), input.dims, _known(multiples)
    if dims is not None and count is not None and count != len(dims):
        raise ValueError(f"Expected multiples argument to be a vector of length {len(dims)} but got length {count}")
    rank = len(dims) if dims is not None else count
    if dims is None or times is None:
        return None if rank is None else (None,) * rank
    return tuple(
        None if dim is None or time is None else dim * time for dim, time in zip(dims, times.tolist(), strict=True)
    )


@op(
    "Tile[T, Tmultiples: index = int32](input: T, multiples: Tmultiples) -> (output: T)",
    shape=_tiled_dims,
    host_inputs=("multiples",),
)
def tile(xp: Any, input: Any, multiples: np.ndarray) -> Any:  # noqa: A002
    times = tuple(multiples.tolist())
    if len(times) != len(input.shape) or any(time < 0 for time in times):
        raise ValueError(f"Expected one multiple of at least 0 for each of the {len(input.shape)} axes, but got {list(times)}")
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


def _padded_dims(input: Tensor, paddings: Tensor) -> Dims:  # noqa: A002
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


def _pad(xp: Any, input: Any, paddings: np.ndarray, value: Any) -> Any:  # noqa: A002
    return xp.pad(input, paddings.tolist(), constant_values=value)


_PADDED = "input: T, paddings: Tpaddings"


@op(f"Pad[T, Tpaddings: index = int32]({_PADDED}) -> (output: T)", shape=_padded_dims, host_inputs=("paddings",))
def pad(xp: Any, input: Any, paddings: np.ndarray) -> Any:  # noqa: A002
    return _pad(xp, input, paddings, b"" if input.dtype == object else 0)


@op(
    f"PadV2[T, Tpaddings: index = int32]({_PADDED}, constant_values: T) -> (output: T)",
    shape=lambda input, paddings, constant_values: _padded_dims(input, paddings),
    host_inputs=("paddings",),
)
def pad_v2(xp: Any, input: Any, paddings: np.ndarray, constant_values: Any) -> Any:  # noqa: A002
    return _pad(xp, input, paddings, constant_values)


def _without_padding(call: Any, dy: Tensor) -> Tensor:
    x, paddings = call.inputs[:2]
    known = constant_value(paddings)
    if known is not None:
        return raw.Slice(dy, known[:, 0], shape_of(x, paddings.dtype))
    return raw.Slice(dy, raw.Unpack(paddings, num=2, axis=1)[0], shape_of(x, paddings.dtype))


@pad_v2.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None, Tensor]:
    dx = _without_padding(call, dy)
    return dx, None, _total(dy) - _total(dx)


def _total(tensor: Tensor) -> Tensor:
    return raw.Sum(tensor, raw.Range(0, raw.Rank(tensor), 1))


pad.gradient(lambda call, dy: (_without_padding(call, dy), None))


def _check_mirror(paddings: np.ndarray, dims: Any, mode: str) -> None:
    offset = 1 if mode == "REFLECT" else 0
    for (before, after), dim in zip(paddings.tolist(), dims, strict=True):
        if dim is not None and max(before, after) > dim - offset:
            raise ValueError(
                f"paddings must be {'less than' if offset else 'no greater than'} the dimension size: "
                f"{before}, {after} not {'less than' if offset else 'less than or equal to'} {dim}"
            )


def _mirrored_dims(input: Tensor, paddings: Tensor, *, mode: str) -> Dims:  # noqa: A002
    dims, widths = _padded_dims(input, paddings), constant_value(paddings)
    if input.dims is not None and widths is not None:
        _check_mirror(widths, input.dims, mode)
    return dims


_MIRROR = f"[T, Tpaddings: index = int32]({_PADDED}, *, mode: string(REFLECT|SYMMETRIC)) -> (output: T)"


@op(f"MirrorPad{_MIRROR}", shape=_mirrored_dims, host_inputs=("paddings",))
def mirror_pad(xp: Any, input: Any, paddings: np.ndarray, *, mode: str) -> Any:  # noqa: A002
    _check_mirror(paddings, input.shape, mode)
    return xp.pad(input, paddings.tolist(), mode=mode.lower())


mirror_pad.gradient(lambda call, dy: (raw.MirrorPadGrad(dy, call.inputs[1], mode=call["mode"]), None))


def _unmirrored_dims(input: Tensor, paddings: Tensor, *, mode: str) -> Dims:  # noqa: A002
    dims, widths = input.dims, _known(paddings)
    if dims is None or widths is None:
        return None if dims is None else (None,) * len(dims)
    return tuple(
        None if dim is None or before is None or after is None else dim - before - after
        for dim, (before, after) in zip(dims, widths.tolist(), strict=True)
    )


@op(f"MirrorPadGrad{_MIRROR}", shape=_unmirrored_dims, host_inputs=("paddings",))
def mirror_pad_grad(xp: Any, input: Any, paddings: np.ndarray, *, mode: str) -> Any:  # noqa: A002
    offset = 1 if mode == "REFLECT" else 0
    for axis, (before, after) in enumerate(paddings.tolist()):
        input = _fold(xp, input, axis, before, after, offset)  # noqa: A001
    return input


def _fold(xp: Any, x: Any, axis: int, before: int, after: int, offset: int) -> Any:
    """Adds what was mirrored at both ends of an axis back to where it came from."""
    lead = (slice(None),) * axis
    length = x.shape[axis] - before - after
    total = x[(*lead, slice(before, before + length), ...)]
    for width, start, place in ((before, 0, offset), (after, before + length, length - offset - after)):
        if width:
            part = xp.flip(x[(*lead, slice(start, start + width), ...)], axis=axis)
            around = [xp.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), dtype=x.dtype)[
                tuple(slice(0, n) for n in (*part.shape[:axis], size, *part.shape[axis + 1 :]))
            ] for size in (place, length - place - width)]  # fmt: skip
            total = total + xp.concat([around[0], part, around[1]], axis=axis)
    return total


mirror_pad_grad.gradient(lambda call, dy: (raw.MirrorPad(dy, call.inputs[1], mode=call["mode"]), None))
