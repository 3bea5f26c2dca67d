"""One image or a batch of them: what the functions of `tf.image` make of what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor

Size = int | Tensor
"""A size or an offset: a Python integer where it is known, else a scalar tensor."""


def as_images(image: Any, what: str = "image") -> Tensor:
    """Returns a tensor of rank 3 or 4, or of unknown rank.

    Raises:
        ValueError: It has another rank, or no pixels.
    """
    tensor = convert_to_tensor(image)
    if tensor.ndim not in (None, 3, 4):
        raise ValueError(f"{what!r} (shape {tensor.shape}) must have either 3 or 4 dimensions.")
    check_pixels(tensor, what)
    return tensor


def check_pixels(tensor: Tensor, what: str = "image") -> None:
    """Refuses what is known to have fewer than three axes, or nothing along the last three.

    Raises:
        ValueError: It is so.
    """
    if tensor.dims is None:
        return
    if len(tensor.dims) < 3:
        raise ValueError(f"{what!r} (shape {tensor.shape}) must be at least three-dimensional.")
    if 0 in tensor.dims[-3:]:
        raise ValueError(f"inner 3 dims of '{what}.shape' must be > 0: {tensor.shape}")


def as_batch(image: Any, what: str = "image") -> tuple[Tensor, bool]:
    """Returns a batch of images, and whether it was one before."""
    tensor = as_images(image, what)
    if tensor.ndim == 4:
        return tensor, True
    batch = raw.ExpandDims(tensor, 0)
    if isinstance(batch, SymbolicTensor) and batch.dims is None:
        batch.set_shape([None] * 4)
    return batch, False


def as_given(images: Tensor, is_batch: bool) -> Tensor:
    """Returns images of rank 3 again if they were."""
    return images if is_batch else raw.Squeeze(images, squeeze_dims=[0])


def size_along(images: Tensor, axis: int) -> Size:
    """The size along an axis."""
    known = None if images.dims is None else images.dims[axis]
    return raw.Shape(images)[axis] if known is None else known


def as_size(value: Any) -> Size:
    """A size or offset as given by a caller: the integer if it is known."""
    if isinstance(value, int | np.integer):
        return int(value)
    tensor = convert_to_tensor(value)
    return int(tensor.numpy()) if isinstance(tensor, EagerTensor) else tensor


def are_known(*sizes: Size) -> bool:
    """Whether all are integers."""
    return all(isinstance(size, int) for size in sizes)


def packed(sizes: list[Size]) -> Any:
    """The sizes as a vector int32: of NumPy if they are known."""
    if are_known(*sizes):
        return np.array(sizes, np.int32)
    return raw.Pack([raw.Cast(size, DstT="int32") if isinstance(size, Tensor) else np.int32(size) for size in sizes])


def greater(first: Size, second: Size) -> Size:
    """The greater one."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return raw.Maximum(first, second) if isinstance(first, Tensor) else raw.Maximum(second, first)


def lesser(first: Size, second: Size) -> Size:
    """The lesser one."""
    if isinstance(first, int) and isinstance(second, int):
        return min(first, second)
    return raw.Minimum(first, second) if isinstance(first, Tensor) else raw.Minimum(second, first)


def demand(holds: Any, message: str) -> None:
    """Refuses arguments of which something does not hold; what is not known yet, the ops refuse when they run.

    Raises:
        ValueError: It does not hold.
    """
    if not isinstance(holds, SymbolicTensor) and not bool(holds):
        raise ValueError(message)
