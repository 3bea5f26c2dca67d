"""Slices of tensors: how a bundle names the parts of a tensor that was saved in parts (TF1's partitioned variables)."""

from __future__ import annotations

import math

import numpy as np

from .protos.checkpoint_pb2 import TensorSliceProto

KEY_PREFIX = b"\0"
"""Begins the keys of slices, and no tensor's name."""

WHOLE = -1
"""The length that stands for the whole dimension."""

Slice = tuple[tuple[int, int], ...]
"""The start and length in each dimension."""


def parse_slice(proto: TensorSliceProto) -> Slice:
    """Returns the slice that a message holds."""
    return tuple((extent.start, extent.length if extent.HasField("length") else WHOLE) for extent in proto.extent)


def slice_index(slice_: Slice, shape: tuple[int, ...]) -> tuple[slice, ...] | None:
    """Returns the index of the slice in an array of the given shape, or None where it does not lie within."""
    if len(slice_) != len(shape):
        return None
    index = tuple(
        slice(start, size if length == WHOLE else start + length)
        for (start, length), size in zip(slice_, shape, strict=True)
    )
    within = all(0 <= part.start <= part.stop <= size for part, size in zip(index, shape, strict=True))
    return index if within else None


def is_partition(indices: list[tuple[slice, ...]], shape: tuple[int, ...]) -> bool:
    """Whether each element of an array of that shape lies in exactly one of the indices, which all lie within it."""
    starts = np.array([[part.start for part in index] for index in indices], np.int64).reshape(len(indices), len(shape))
    stops = np.array([[part.stop for part in index] for index in indices], np.int64).reshape(len(indices), len(shape))
    if sum(math.prod((stop - start).tolist()) for start, stop in zip(starts, stops, strict=True)) != math.prod(shape):
        return False
    filled = (starts < stops).all(axis=1)
    starts, stops = starts[filled], stops[filled]
    return not any(
        ((starts[i] < stops[i + 1 :]) & (starts[i + 1 :] < stops[i])).all(axis=1).any() for i in range(len(starts))
    )


def slice_key(name: str, slice_: Slice) -> bytes:
    """Returns the key of a slice's entry.

    It is TensorFlow's OrderedCode, whose encodings sort as their values do: the number 0, the tensor's name, the rank,
    and then start and length for each dimension.
    """
    text = name.encode().replace(b"\0", b"\0\xff") + b"\0\x01"
    return KEY_PREFIX + text + _number(len(slice_)) + b"".join(_signed(n) for extent in slice_ for n in extent)


def _number(value: int) -> bytes:
    """A byte that says how many bytes follow, and those of the number, highest first."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "big")


def _signed(value: int) -> bytes:
    """The number in n bytes, highest first, with its n highest bits flipped; n leaves room for one bit of sign."""
    size = (value if value >= 0 else ~value).bit_length() // 7 + 1
    header = ((1 << size) - 1) << (7 * size)
    return ((value & ((1 << (8 * size)) - 1)) ^ header).to_bytes(size, "big")
