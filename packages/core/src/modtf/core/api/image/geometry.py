"""`tf.image`: images flipped, turned and transposed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api import random
from modtf.core.api.control_flow import cond
from modtf.core.api.image.batches import as_images
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import int32
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor

__all__ = [
    "flip_left_right", "flip_up_down", "random_flip_left_right", "random_flip_up_down", "rot90",
    "stateless_random_flip_left_right", "stateless_random_flip_up_down", "transpose",
]  # fmt: skip

_ROWS, _COLUMNS = -3, -2


def _flipped(images: Tensor, axis: int) -> Tensor:
    """The images the other way round along an axis counted from the end; the same for one image and a batch."""
    place = np.array([axis if images.ndim is None else images.ndim + axis], np.int32)
    return raw.ReverseV2(images, place)


def flip_left_right(image: Any) -> Tensor:
    """Returns images [batch, height, width, channels], or one [height, width, channels], with columns reversed.

    Raises:
        ValueError: The rank is another one.
    """
    return _flipped(as_images(image), _COLUMNS)


def flip_up_down(image: Any) -> Tensor:
    """Returns images [batch, height, width, channels], or one [height, width, channels], with rows reversed.

    Raises:
        ValueError: The rank is another one.
    """
    return _flipped(as_images(image), _ROWS)


def _order(images: Tensor) -> Any:
    """The axes' order with rows and columns exchanged."""
    if images.ndim is not None:
        return np.array([*range(images.ndim - 3), images.ndim - 2, images.ndim - 3, images.ndim - 1], np.int32)
    rank = raw.Rank(images)
    return raw.ConcatV2([raw.Range(0, rank - 3, 1), raw.Pack([rank - 2, rank - 3, rank - 1])], 0)


def transpose(image: Any, name: str | None = None) -> Tensor:
    """Returns images [batch, height, width, channels], or one [height, width, channels], rows and columns exchanged.

    Args:
        image: The images.
        name: A name for the graph node.

    Raises:
        ValueError: The rank is another one.
    """
    images = as_images(image)
    return raw.Transpose(images, _order(images), name=name)


def rot90(image: Any, k: Any = 1, name: str | None = None) -> Tensor:
    """Returns images turned to the left by right angles.

    Args:
        image: Images [batch, height, width, channels] or one [height, width, channels].
        k: How often to turn them by 90 degrees, a scalar integer; negative to the right.
        name: A name for the graph node.

    Raises:
        ValueError: The rank is another one.
    """
    images = as_images(image)
    turns = convert_to_tensor(k, dtype_hint=int32)
    if turns.dims not in (None, ()):
        raise ValueError(f"k must be a scalar, but its shape is {turns.shape}")
    if isinstance(turns, EagerTensor):
        return _turned(images, int(turns.numpy()) % 4, name)
    return _turned_by_tensor(images, raw.FloorMod(turns, 4), name)


def _turned(images: Tensor, turns: int, name: str | None) -> Tensor:
    if turns % 2:
        images = raw.Transpose(images, _order(images), name=name)
    if turns in (1, 2):
        images = _flipped(images, _ROWS)
    return _flipped(images, _COLUMNS) if turns in (2, 3) else images


def _turned_by_tensor(images: Tensor, turns: Tensor, name: str | None) -> Tensor:
    rank = raw.Rank(images)
    odd = raw.Equal(raw.FloorMod(turns, 2), 1)
    turned = raw.Transpose(images, raw.SelectV2(odd, _order(images), raw.Range(0, rank, 1)), name=name)
    for axis, reversed_by in ((_ROWS, (1, 2)), (_COLUMNS, (2, 3))):
        size = raw.Shape(turned)[axis]
        forward = raw.Range(0, size, 1)
        other_way = raw.LogicalOr(raw.Equal(turns, reversed_by[0]), raw.Equal(turns, reversed_by[1]))
        place = np.int32(axis if images.ndim is None else images.ndim + axis)
        turned = raw.GatherV2(turned, raw.SelectV2(other_way, size - 1 - forward, forward), place)
    if images.dims is not None and isinstance(turned, SymbolicTensor):
        turned.set_shape([*images.dims[:-3], None, None, images.dims[-1]])
    return turned


# ------------------------------------------------------------------------------------------------- at random


def _perhaps_flipped(image: Any, axis: int, draw: Callable[..., Tensor]) -> Tensor:
    """Flips each image with a probability of one half; `draw` is given a shape."""
    images = as_images(image)

    def one() -> Tensor:
        return raw.SelectV2(draw([]) < 0.5, _flipped(images, axis), images)

    def many() -> Tensor:
        chosen = draw(raw.Shape(images)[:1]) > 0.5
        return raw.SelectV2(raw.Reshape(chosen, [-1, 1, 1, 1]), _flipped(images, axis), images)

    if images.ndim is None:
        return cond(raw.Equal(raw.Rank(images), 3), one, many)
    return one() if images.ndim == 3 else many()


def random_flip_left_right(image: Any, seed: int | None = None) -> Tensor:
    """Reverses the columns of images, each with a probability of one half.

    Args:
        image: Images [batch, height, width, channels] or one [height, width, channels].
        seed: A seed for this op; see `tf.random.set_seed`.

    Raises:
        ValueError: The rank is another one.
    """
    return _perhaps_flipped(image, _COLUMNS, lambda shape: random.uniform(shape, 0, 1.0, seed=seed))


def random_flip_up_down(image: Any, seed: int | None = None) -> Tensor:
    """Reverses the rows of images, each with a probability of one half; arguments as for `random_flip_left_right`."""
    return _perhaps_flipped(image, _ROWS, lambda shape: random.uniform(shape, 0, 1.0, seed=seed))


def stateless_random_flip_left_right(image: Any, seed: Any) -> Tensor:
    """Reverses the columns of images or not, as the seed, two integers, says; see `random_flip_left_right`."""
    return _perhaps_flipped(image, _COLUMNS, lambda shape: random.stateless_uniform(shape, seed, 0, 1.0))


def stateless_random_flip_up_down(image: Any, seed: Any) -> Tensor:
    """Reverses the rows of images or not, as the seed, two integers, says; see `random_flip_left_right`."""
    return _perhaps_flipped(image, _ROWS, lambda shape: random.stateless_uniform(shape, seed, 0, 1.0))
