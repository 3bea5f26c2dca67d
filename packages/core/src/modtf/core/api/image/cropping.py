"""`tf.image`: parts of images, and zeros around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api import random
from modtf.core.api.image.batches import (
    Size,
    as_batch,
    as_given,
    as_size,
    check_pixels,
    demand,
    greater,
    lesser,
    packed,
    size_along,
)
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import float64, int32
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor

__all__ = [
    "central_crop", "crop_and_resize", "crop_to_bounding_box", "extract_glimpse", "extract_patches",
    "pad_to_bounding_box", "random_crop", "resize_with_crop_or_pad", "stateless_random_crop",
]  # fmt: skip


def _with_sizes(images: Tensor, height: Size, width: Size) -> Tensor:
    """Says what is known about a result's sizes."""
    if isinstance(images, SymbolicTensor):
        images.set_shape([None, *(size if isinstance(size, int) else None for size in (height, width)), None])
    return images


def pad_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Returns images with zeros around them.

    Args:
        image: Images [batch, height, width, channels] or one [height, width, channels].
        offset_height: The rows of zeros above, an integer.
        offset_width: The columns of zeros on the left.
        target_height: The height of the result.
        target_width: Its width.

    Returns:
        The images [batch, target_height, target_width, channels], or one.

    Raises:
        ValueError: An offset is negative, the image does not fit into the target, or its rank is another one.
    """
    images, is_batch = as_batch(image)
    top, left, height, width = map(as_size, (offset_height, offset_width, target_height, target_width))
    below = height - top - size_along(images, 1)
    right = width - left - size_along(images, 2)
    demand(top >= 0, "offset_height must be >= 0")
    demand(left >= 0, "offset_width must be >= 0")
    demand(right >= 0, "width must be <= target - offset")
    demand(below >= 0, "height must be <= target - offset")
    paddings = packed([0, 0, top, below, left, right, 0, 0])
    paddings = paddings.reshape(4, 2) if isinstance(paddings, np.ndarray) else raw.Reshape(paddings, [4, 2])
    return as_given(_with_sizes(raw.Pad(images, paddings), height, width), is_batch)


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Tensor:
    """Returns a rectangle of images.

    Args:
        image: Images [batch, height, width, channels] or one [height, width, channels].
        offset_height: Its first row, an integer.
        offset_width: Its first column.
        target_height: Its height.
        target_width: Its width.

    Returns:
        The images [batch, target_height, target_width, channels], or one.

    Raises:
        ValueError: The rectangle is empty or not inside the image, or the image's rank is another one.
    """
    images, is_batch = as_batch(image)
    top, left, height, width = map(as_size, (offset_height, offset_width, target_height, target_width))
    demand(left >= 0, "offset_width must be >= 0.")
    demand(top >= 0, "offset_height must be >= 0.")
    demand(width > 0, "target_width must be > 0.")
    demand(height > 0, "target_height must be > 0.")
    demand(size_along(images, 2) >= width + left, "width must be >= target + offset.")
    demand(size_along(images, 1) >= height + top, "height must be >= target + offset.")
    cropped = raw.Slice(images, packed([0, top, left, 0]), packed([-1, height, width, -1]))
    return as_given(_with_sizes(cropped, height, width), is_batch)


def resize_with_crop_or_pad(image: Any, target_height: Any, target_width: Any) -> Tensor:
    """Returns images in another size by cutting from their borders, or adding zeros to them, as much on both sides.

    Args:
        image: Images [batch, height, width, channels] or one [height, width, channels].
        target_height: The new height, an integer.
        target_width: The new width.

    Returns:
        The images [batch, target_height, target_width, channels], or one.

    Raises:
        ValueError: A target is not positive, or the image's rank is another one.
    """
    images, is_batch = as_batch(image)
    height, width = as_size(target_height), as_size(target_width)
    demand(width > 0, "target_width must be > 0.")
    demand(height > 0, "target_height must be > 0.")
    given_height, given_width = size_along(images, 1), size_along(images, 2)
    more_height, more_width = height - given_height, width - given_width
    cropped = crop_to_bounding_box(
        images,
        greater(-more_height // 2, 0),
        greater(-more_width // 2, 0),
        lesser(height, given_height),
        lesser(width, given_width),
    )
    padded = pad_to_bounding_box(cropped, greater(more_height // 2, 0), greater(more_width // 2, 0), height, width)
    return as_given(padded, is_batch)


def central_crop(image: Any, central_fraction: Any) -> Tensor:
    """Returns the middle of images.

    Args:
        image: Images [batch, height, width, channels] or one [height, width, channels].
        central_fraction: What part of the height and of the width to keep, in (0, 1].

    Returns:
        The images, of the rank that they had.

    Raises:
        ValueError: The fraction or the rank is another one.
    """
    images = convert_to_tensor(image)
    value = constant_value(central_fraction) if isinstance(central_fraction, Tensor) else central_fraction
    fraction = central_fraction if value is None else float(value)
    known = value is not None
    if known:
        if not 0.0 < fraction <= 1.0:
            raise ValueError("central_fraction must be within (0, 1]")
        if fraction == 1.0:
            return images
    check_pixels(images)
    if images.ndim not in (3, 4):
        raise ValueError(f"`image` should either be a Tensor with rank = 3 or rank = 4. Had rank = {images.ndim}.")
    begin: list[Size] = []
    for axis in (-3, -2):
        size = size_along(images, axis)
        if known and isinstance(size, int):
            begin.append(int((float(size) - float(size) * fraction) / 2))
        else:
            wide = raw.Cast(size, DstT=float64)
            share = raw.Cast(fraction, DstT=float64)
            begin.append(raw.Cast((wide - wide * share) / 2.0, DstT=int32))
    sizes: list[Size] = [size_along(images, axis) - start * 2 for axis, start in zip((-3, -2), begin, strict=True)]
    lead = images.ndim - 3
    return raw.Slice(images, packed([0] * lead + begin + [0]), packed([-1] * lead + sizes + [-1]))


# ------------------------------------------------------------------------------------------------- at random


def _check_fits(value: Tensor, size: Tensor) -> None:
    if isinstance(value, EagerTensor) and isinstance(size, EagerTensor):
        wanted = size.numpy()
        if len(wanted) != len(value.shape) or (np.array(value.shape.as_list()) < wanted).any():
            raise InvalidArgumentError(f"Need value.shape >= size, got {value.shape.as_list()}, {wanted.tolist()}")


def _cropped_at(value: Tensor, size: Tensor, draw: Any, name: str | None) -> Tensor:
    _check_fits(value, size)
    shape = raw.Shape(value)
    numbers = draw(shape=raw.Shape(shape), dtype=int32, maxval=int32.max)
    return raw.Slice(value, raw.FloorMod(numbers, shape - size + 1), size, name=name)


def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Returns a part of a tensor, from a random place.

    Args:
        value: A tensor.
        size: The size of the part along each axis, a vector int32.
        seed: A seed for this op; see `tf.random.set_seed`.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The part is larger than the tensor.
    """
    tensor, sizes = convert_to_tensor(value), convert_to_tensor(size, dtype_hint=int32)
    return _cropped_at(tensor, sizes, lambda **given: random.uniform(seed=seed, **given), name)


def stateless_random_crop(value: Any, size: Any, seed: Any, name: str | None = None) -> Tensor:
    """Returns a part of a tensor from a place that the seed, two integers, determines; see `random_crop`."""
    tensor, sizes = convert_to_tensor(value), convert_to_tensor(size, dtype_hint=int32)
    return _cropped_at(tensor, sizes, lambda **given: random.stateless_uniform(seed=seed, minval=0, **given), name)


# ------------------------------------------------------------------------------------------------- boxes and windows


def crop_and_resize(
    image: Any,
    boxes: Any,
    box_indices: Any,
    crop_size: Any,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    name: str | None = None,
) -> Tensor:
    """Returns boxes of images, all in one size.

    Args:
        image: Images [batch, height, width, depth].
        boxes: Their corners [boxes, 4], float32: y1, x1, y2, x2, where 0 and 1 are the centres of the first and the last
            pixel. They may lie outside the image, and be given the other way round, which flips them.
        box_indices: The image that each is taken from, int32.
        crop_size: The height and width of the results, int32.
        method: `"bilinear"` or `"nearest"`.
        extrapolation_value: The value of what lies outside the image.
        name: A name for the graph node.

    Returns:
        A tensor float32 [boxes, crop height, crop width, depth].
    """
    return raw.CropAndResize(
        image, boxes, box_indices, crop_size, method=method, extrapolation_value=extrapolation_value, name=name
    )


def extract_glimpse(
    input: Any,
    size: Any,
    offsets: Any,
    centered: bool = True,
    normalized: bool = True,
    noise: str = "uniform",
    name: str | None = None,
) -> Tensor:
    """Returns a window of each image, from places of their own.

    Args:
        input: Images float32 [batch, height, width, channels].
        size: The windows' height and width, int32.
        offsets: The windows' places float32 [batch, 2], y and x.
        centered: Whether 0 is the image's middle, rather than its upper left corner.
        normalized: Whether places are given in parts of the image rather than in pixels: from -1 to 1 if `centered`,
            which then say the window's middle, else from 0 to 1.
        noise: What lies outside the image: `"uniform"` or `"gaussian"` noise that is like the image, or `"zero"`.
        name: A name for the graph node.

    Returns:
        A tensor float32 [batch, window height, window width, channels].
    """
    return raw.ExtractGlimpseV2(
        input, size, offsets, centered=centered, normalized=normalized, noise=noise, uniform_noise=False, name=name
    )


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: str, name: str | None = None) -> Tensor:
    """Returns windows that slide over images, each flattened into the last axis.

    Args:
        images: Images [batch, height, width, depth].
        sizes: The windows' sizes, `[1, rows, columns, 1]`.
        strides: From one window to the next, `[1, rows, columns, 1]`.
        rates: From one element of a window to the next, `[1, rows, columns, 1]`.
        padding: `"VALID"` or `"SAME"`.
        name: A name for the graph node.

    Returns:
        A tensor [batch, windows down, windows across, rows * columns * depth].
    """
    return raw.ExtractImagePatches(images, ksizes=sizes, strides=strides, rates=rates, padding=padding, name=name)
