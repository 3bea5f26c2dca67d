"""Tensors with their elements in other places, or several times: padding, repeating, reversing, moving blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.arguments import cast, host
from modtf.core.api.array import sequence_mask, shape
from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, normal_axis
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "batch_to_space", "pad", "repeat", "reverse", "reverse_sequence", "roll", "space_to_batch", "space_to_batch_nd",
    "tile",
]  # fmt: skip


def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: str | None = None
) -> Tensor:
    """Returns a tensor with elements added at the ends of its axes.

    Args:
        tensor: The tensor, of rank N.
        paddings: Integers of shape `[N, 2]`: how many elements to add before and after, along each axis.
        mode: `"CONSTANT"`, `"REFLECT"` (mirrored without repeating the border) or `"SYMMETRIC"` (repeating it).
        constant_values: What to add in the first mode.
        name: A name for the graph node.

    Raises:
        ValueError: The mode is another one.
        InvalidArgumentError: There is less to mirror than is asked for, or `paddings` has another shape.
    """
    kind = mode.upper()
    if kind == "CONSTANT":
        if not isinstance(constant_values, Tensor) and np.ndim(constant_values) == 0 and constant_values == 0:
            return raw.Pad(tensor, paddings, name=name)
        return raw.PadV2(tensor, paddings, constant_values, name=name)
    if kind not in ("REFLECT", "SYMMETRIC"):
        raise ValueError(
            f"Value of argument `mode` expected to be CONSTANT, REFLECT or SYMMETRIC. Received `mode` = {mode}"
        )
    return raw.MirrorPad(tensor, paddings, mode=kind, name=name)


@dispatched
def tile(input: Any, multiples: Any, name: str | None = None) -> Tensor:
    """Returns a tensor repeated `multiples[i]` times along each axis i."""
    return raw.Tile(input, host(multiples), name=name)


def repeat(input: Any, repeats: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Returns a tensor with its elements repeated along an axis.

    Args:
        input: The tensor.
        repeats: How often to repeat each element: a scalar, or a vector of as many integers as the axis is long.
        axis: The axis; by default the tensor is flattened first.
        name: A name for the graph node.
    """
    values = convert_to_tensor(input)
    if axis is None or values.ndim == 0:
        values, axis = raw.Reshape(values, [-1]), 0 if axis is None else axis
    if not isinstance(axis, int):
        raise TypeError(f"Argument `axis` must be an int. Received `axis` = {axis!r}")
    times = cast(convert_to_tensor(repeats, dtype_hint=dtypes.int32), dtypes.int32)
    if times.ndim is not None and times.ndim > 1:
        raise ValueError(f"repeats must be a scalar or a vector, but its shape is {times.shape}")
    if times.ndim == 0 or times.dims == (1,):
        if values.ndim is not None:
            axis = normal_axis(axis, values.ndim)
        elif axis < 0:
            raise ValueError("tf.repeat with a negative axis needs a tensor of a known rank.")
        lengths = shape(values)
        count = raw.Reshape(times, [1])
        before, length, after = lengths[:axis], lengths[axis : axis + 1], lengths[axis + 1 :]
        spread = raw.BroadcastTo(raw.ExpandDims(values, axis + 1), raw.ConcatV2([before, length, count, after], 0))
        return raw.Reshape(spread, raw.ConcatV2([before, length * count, after], 0), name=name)
    known = constant_value(times)
    if known is not None:
        places: Any = np.repeat(np.arange(len(known), dtype=np.int32), known)
    else:  # a true element for each repetition, so that the row in which it stands is what is repeated
        places = raw.Where(sequence_mask(times))[:, 0]
    return raw.GatherV2(values, places, axis, name=name)


@dispatched
def reverse(tensor: Any, axis: Any, name: str | None = None) -> Tensor:
    """Returns a tensor with its elements in the opposite order along the axes of the list `axis`."""
    return raw.ReverseV2(tensor, host(axis), name=name)


def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int | None = None, batch_axis: int | None = None, name: str | None = None
) -> Tensor:
    """Returns a tensor with the first elements of each sequence in the opposite order.

    Args:
        input: The tensor.
        seq_lengths: How many elements to reverse, for each index of the batch axis.
        seq_axis: The axis along which a sequence lies.
        batch_axis: The axis of the sequences; 0 by default.
        name: A name for the graph node.
    """
    if seq_axis is None:
        raise TypeError("tf.reverse_sequence needs the argument 'seq_axis'.")
    return raw.ReverseSequence(input, seq_lengths, seq_dim=seq_axis, batch_dim=batch_axis or 0, name=name)


def roll(input: Any, shift: Any, axis: Any, name: str | None = None) -> Tensor:
    """Returns a tensor with its elements moved along axes; those pushed over the end come in at the beginning.

    Args:
        input: The tensor.
        shift: How far, for each axis; negative ones towards the beginning.
        axis: The axes; shifts for the same one add up.
        name: A name for the graph node.
    """
    return raw.Roll(input, host(shift), host(axis), name=name)


def space_to_batch(input: Any, block_shape: Any, paddings: Any, name: str | None = None) -> Tensor:
    """Moves blocks of the spatial axes into the batch axis.

    Args:
        input: A tensor of shape `[batch] + spatial + rest`.
        block_shape: The size of a block along each spatial axis.
        paddings: Integers of shape `[spatial axes, 2]`: zeros to add first, so that the blocks divide the axes.
        name: A name for the graph node.

    Returns:
        A tensor of shape `[batch * prod(block_shape)] + padded spatial / block_shape + rest`.
    """
    return raw.SpaceToBatchND(input, block_shape, paddings, name=name)


def batch_to_space(input: Any, block_shape: Any, crops: Any, name: str | None = None) -> Tensor:
    """Moves the batch axis back into blocks of the spatial axes and crops them: the inverse of `space_to_batch`."""
    return raw.BatchToSpaceND(input, block_shape, crops, name=name)


space_to_batch_nd = space_to_batch
