"""Cutting signals into frames, and adding frames up to a signal (`tf.signal`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.api.signal.sizes import length_of, maximum, size, sizes_of, vector
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import normal_axis
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["frame", "overlap_and_add"]


def frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: bool = False, pad_value: Any = 0, axis: Any = -1,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Cuts a signal into frames, which may overlap.

    Args:
        signal: A tensor [..., samples, ...] of known rank.
        frame_length: How many samples a frame has.
        frame_step: How many samples further the next one starts.
        pad_end: Whether to fill up the signal so that every sample at which a frame can start has one; otherwise what does
            not fill a frame is left out.
        pad_value: With what.
        axis: Which axis the samples are along.
        name: A name for the graph node.

    Returns:
        A tensor [..., frames, frame_length, ...].

    Raises:
        ValueError: The rank, or the axis, is not known while tracing, or a length is not a scalar.
    """
    tensor = convert_to_tensor(signal)
    length, step = size(frame_length, "frame_length"), size(frame_step, "frame_step")
    place = size(axis, "axis")
    if tensor.ndim is None or not isinstance(place, int):
        raise ValueError("tf.signal.frame needs a known axis of a tensor of known rank.")
    rank = tensor.ndim
    at = normal_axis(place, rank)
    samples = length_of(tensor, at)
    if pad_end:
        frames = maximum(0, -(-samples // step))
        missing = maximum(0, length + step * (frames - 1) - samples)
        before, behind = (np.zeros(count, np.int32) for count in (at, rank - at - 1))
        ends = convert_to_tensor(vector(before, missing, behind))
        filler = convert_to_tensor(pad_value, dtype=tensor.dtype)
        tensor = raw.PadV2(tensor, raw.Pack([raw.ZerosLike(ends), ends], axis=1), filler)
        samples = samples + missing
    else:
        frames = maximum(0, 1 + (samples - length) // step)
    # Frames are put together from blocks, the longest of which all of them consist.
    block = math.gcd(length, step) if isinstance(length, int) and isinstance(step, int) else 1
    blocks = samples // block
    lead, trail = sizes_of(tensor, None, at), sizes_of(tensor, at + 1, None)
    if block > 1:
        tensor = raw.Slice(tensor, np.zeros(rank, np.int32), vector(lead, blocks * block, trail))
        tensor = raw.Reshape(tensor, vector(lead, blocks, block, trail))
    starts = _range(frames) * (step // block)
    inside = _range(length // block)
    chosen = raw.ExpandDims(starts, np.int32(1)) + raw.ExpandDims(inside, np.int32(0))
    taken = raw.GatherV2(tensor, chosen, np.int32(at))
    if block == 1:
        return raw.Identity(taken, name=name) if name else taken
    return raw.Reshape(taken, vector(lead, frames, length, trail), name=name)


def _range(count: Any) -> Tensor:
    if isinstance(count, int):
        return convert_to_tensor(np.arange(count, dtype=np.int32))
    return raw.Range(np.int32(0), count, np.int32(1))


def overlap_and_add(signal: Any, frame_step: Any, name: str | None = None) -> Tensor:
    """Adds up frames to a signal, each starting `frame_step` samples behind the one before it.

    Args:
        signal: A tensor [..., frames, frame_length].
        frame_step: An integer.
        name: A name for the graph node.

    Returns:
        A tensor [..., (frames - 1) * frame_step + frame_length].

    Raises:
        ValueError: The rank is less than two, or `frame_step` is not an integer scalar.
    """
    tensor = convert_to_tensor(signal)
    if tensor.ndim is not None and tensor.ndim < 2:
        raise ValueError(f"The frames must have rank 2 or more, but their shape is {tensor.shape}.")
    step = size(frame_step, "frame_step")
    frames, length = length_of(tensor, -2), length_of(tensor, -1)
    lead = sizes_of(tensor, None, -2)
    total = length + step * (frames - 1)
    if isinstance(step, int) and isinstance(length, int) and step == length:
        return raw.Reshape(tensor, vector(lead, total), name=name)
    # Each frame is cut into pieces of a step, each of which belongs one place further right than the one before it. With
    # the pieces of one place in a frame as rows, rows that are one too long and are cut off at the end of all do that.
    pieces = -(-length // step)
    batch = math.prod(lead.tolist()) if isinstance(lead, np.ndarray) else raw.Prod(lead, np.int32(0))
    flat = raw.Reshape(tensor, vector(batch, frames, length))
    ends = convert_to_tensor(vector(0, pieces, pieces * step - length))
    flat = raw.Pad(flat, raw.Pack([raw.ZerosLike(ends), ends], axis=1))
    rows = raw.Transpose(
        raw.Reshape(flat, vector(batch, frames + pieces, pieces, step)), np.array([0, 2, 1, 3], np.int32)
    )
    places = frames + pieces - 1
    column = raw.Reshape(rows, vector(batch, (frames + pieces) * pieces, step))
    kept = raw.Slice(column, np.zeros(3, np.int32), vector(-1, places * pieces, -1))
    added = raw.Sum(raw.Reshape(kept, vector(batch, pieces, places, step)), np.array([1], np.int32))
    samples = raw.Reshape(added, vector(lead, places * step))
    return samples[..., :total] if name is None else raw.Identity(samples[..., :total], name=name)
