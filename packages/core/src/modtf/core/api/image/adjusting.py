"""`tf.image`: brightness, contrast, hue and the like, changed by a given amount or at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api import random
from modtf.core.api.dispatch import dispatched
from modtf.core.api.image.batches import check_pixels, demand
from modtf.core.api.image.colour import convert_image_dtype
from modtf.core.api.reductions import reduce_mean, reduce_std
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import float16, float32, int32, uint8
from modtf.core.values.tensors import SymbolicTensor, Tensor

__all__ = [
    "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_jpeg_quality", "adjust_saturation",
    "per_image_standardization", "random_brightness", "random_contrast", "random_hue", "random_jpeg_quality",
    "random_saturation", "stateless_random_brightness", "stateless_random_contrast", "stateless_random_hue",
    "stateless_random_jpeg_quality", "stateless_random_saturation",
]  # fmt: skip


def _adjusted(image: Any, change: Callable[[Tensor], Tensor], saturate: bool = True) -> Tensor:
    """Changes an image as float16 or float32, and returns it in the dtype that it had."""
    pixels = convert_to_tensor(image)
    floating = pixels if pixels.dtype in (float16, float32) else convert_image_dtype(pixels, float32)
    return convert_image_dtype(change(floating), pixels.dtype, saturate=saturate)


@dispatched(elementwise=1)
def adjust_brightness(image: Any, delta: Any) -> Tensor:
    """Returns an image with `delta` added to its pixels.

    Args:
        image: An image; floating pixels are from 0 to 1, and integers are converted so that they are.
        delta: A scalar, between -1 and 1 in most cases.

    Returns:
        The image in the dtype that it had.
    """
    return _adjusted(image, lambda pixels: raw.AddV2(pixels, raw.Cast(delta, DstT=pixels.dtype)))


def adjust_contrast(images: Any, contrast_factor: Any) -> Tensor:
    """Returns images whose pixels are farther from the mean of their channel by a factor.

    Args:
        images: Images [..., height, width, channels].
        contrast_factor: A scalar.

    Returns:
        The images in the dtype that they had.
    """
    return _adjusted(images, lambda pixels: raw.AdjustContrastv2(pixels, contrast_factor))


@dispatched(elementwise=1)
def adjust_gamma(image: Any, gamma: Any = 1, gain: Any = 1) -> Tensor:
    """Returns `gain * image ** gamma`.

    Args:
        image: An image; floating pixels are from 0 to 1, and integers are converted so that they are.
        gamma: The exponent, not negative: below 1 the image becomes lighter, above it darker.
        gain: The factor.

    Returns:
        The image in the dtype that it had.

    Raises:
        ValueError: `gamma` is negative.
    """
    demand(gamma >= 0, "Gamma should be a non-negative real number.")
    return _adjusted(image, lambda pixels: gain * pixels**gamma)


def adjust_hue(image: Any, delta: Any, name: str | None = None) -> Tensor:
    """Returns an image whose colours are turned around the colour wheel.

    Args:
        image: An image [..., height, width, 3] of red, green and blue.
        delta: How far, from -1 to 1, where 1 is once around.
        name: A name for the graph node.

    Returns:
        The image in the dtype that it had.

    Raises:
        ValueError: `delta` is another number.
    """
    if not isinstance(delta, SymbolicTensor):
        demand(delta >= -1 and delta <= 1, "delta must be in the interval [-1, 1]")
    return _adjusted(image, lambda pixels: raw.AdjustHue(pixels, delta, name=name), saturate=False)


def adjust_saturation(image: Any, saturation_factor: Any, name: str | None = None) -> Tensor:
    """Returns an image whose colours are stronger by a factor, at most pure.

    Args:
        image: An image [..., height, width, 3] of red, green and blue.
        saturation_factor: A scalar.
        name: A name for the graph node.

    Returns:
        The image in the dtype that it had.
    """
    return _adjusted(image, lambda pixels: raw.AdjustSaturation(pixels, saturation_factor, name=name), saturate=False)


def adjust_jpeg_quality(image: Any, jpeg_quality: Any, dct_method: str = "", name: str | None = None) -> Tensor:
    """Returns an image as it looks after having been a JPEG file.

    Args:
        image: An image [height, width, 1 or 3].
        jpeg_quality: The quality, a scalar int32 from 0 to 100.
        dct_method: How to decode: `""`, `"INTEGER_FAST"` or `"INTEGER_ACCURATE"`.
        name: A name for the graph node.

    Returns:
        The image in the dtype that it had.
    """
    pixels = convert_to_tensor(image)
    channels = None if pixels.dims is None else pixels.dims[-1]
    quality = jpeg_quality if isinstance(jpeg_quality, Tensor) else convert_to_tensor(jpeg_quality, dtype=int32)
    file = raw.EncodeJpegVariableQuality(convert_image_dtype(pixels, uint8, saturate=True), quality)
    decoded = raw.DecodeJpeg(file, channels=channels or 0, dct_method=dct_method, name=name)
    return convert_image_dtype(decoded, pixels.dtype, saturate=True)


def per_image_standardization(image: Any) -> Tensor:
    """Returns images of mean 0 and variance 1 each.

    Args:
        image: Images [..., height, width, channels].

    Returns:
        The images as float32. The deviation is taken to be the inverse square root of the number of elements at least,
        so that images of one colour become 0.

    Raises:
        ValueError: There are less than three axes.
    """
    images = convert_to_tensor(image)
    check_pixels(images)
    pixels = raw.Cast(images, DstT=float32)
    axes = [-1, -2, -3]
    count = raw.Prod(raw.Shape(pixels)[-3:], np.array([0], np.int32))
    least = raw.Rsqrt(raw.Cast(count, DstT=float32))
    deviation = raw.Maximum(reduce_std(pixels, axes, keepdims=True), least)
    return (pixels - reduce_mean(pixels, axes, keepdims=True)) / deviation


# ------------------------------------------------------------------------------------------------- at random


def _check_delta(max_delta: Any) -> None:
    demand(max_delta >= 0, "max_delta must be non-negative.")


def _check_range(lower: Any, upper: Any) -> None:
    demand(upper > lower, "upper must be > lower.")
    demand(lower >= 0, "lower must be non-negative.")


def _check_hue(max_delta: Any) -> None:
    demand(max_delta <= 0.5, "max_delta must be <= 0.5.")
    _check_delta(max_delta)


def _check_quality(lower: Any, upper: Any) -> None:
    if min(lower, upper) < 0 or max(lower, upper) > 100:
        raise ValueError("jpeg encoding range must be between 0 and 100.")
    if lower >= upper:
        raise ValueError("`min_jpeg_quality` must be less than `max_jpeg_quality`.")


@dispatched(elementwise=1)
def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Applies `adjust_brightness` with a random amount from [-max_delta, max_delta).

    Args:
        image: The image.
        max_delta: The greatest amount, not negative.
        seed: A seed for this op; see `tf.random.set_seed`.

    Raises:
        ValueError: `max_delta` is negative.
    """
    _check_delta(max_delta)
    return adjust_brightness(image, random.uniform([], -max_delta, max_delta, seed=seed))


@dispatched(elementwise=1)
def stateless_random_brightness(image: Any, max_delta: float, seed: Any) -> Tensor:
    """Does as `random_brightness` with what the seed, two integers, says."""
    _check_delta(max_delta)
    return adjust_brightness(image, random.stateless_uniform([], seed, -max_delta, max_delta))


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Applies `adjust_contrast` with a random factor from [lower, upper).

    Args:
        image: The image.
        lower: The least factor, not negative.
        upper: The greatest.
        seed: A seed for this op; see `tf.random.set_seed`.

    Raises:
        ValueError: The bounds are not so.
    """
    _check_range(lower, upper)
    return adjust_contrast(image, random.uniform([], lower, upper, seed=seed))


def stateless_random_contrast(image: Any, lower: float, upper: float, seed: Any) -> Tensor:
    """Does as `random_contrast` with what the seed, two integers, says."""
    _check_range(lower, upper)
    return adjust_contrast(image, random.stateless_uniform([], seed, lower, upper))


def random_hue(image: Any, max_delta: float, seed: int | None = None) -> Tensor:
    """Applies `adjust_hue` with a random amount from [-max_delta, max_delta).

    Args:
        image: The image.
        max_delta: The greatest amount, from 0 to 0.5.
        seed: A seed for this op; see `tf.random.set_seed`.

    Raises:
        ValueError: `max_delta` is another number.
    """
    _check_hue(max_delta)
    return adjust_hue(image, random.uniform([], -max_delta, max_delta, seed=seed))


def stateless_random_hue(image: Any, max_delta: float, seed: Any) -> Tensor:
    """Does as `random_hue` with what the seed, two integers, says."""
    _check_hue(max_delta)
    return adjust_hue(image, random.stateless_uniform([], seed, -max_delta, max_delta))


def random_saturation(image: Any, lower: float, upper: float, seed: int | None = None) -> Tensor:
    """Applies `adjust_saturation` with a random factor from [lower, upper); arguments as for `random_contrast`."""
    _check_range(lower, upper)
    return adjust_saturation(image, random.uniform([], lower, upper, seed=seed))


def stateless_random_saturation(image: Any, lower: float, upper: float, seed: Any = None) -> Tensor:
    """Does as `random_saturation` with what the seed, two integers, says."""
    _check_range(lower, upper)
    return adjust_saturation(image, random.stateless_uniform([], seed, lower, upper))


def random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: int | None = None) -> Tensor:
    """Applies `adjust_jpeg_quality` with a random quality from [min_jpeg_quality, max_jpeg_quality).

    Args:
        image: The image.
        min_jpeg_quality: The least quality, from 0.
        max_jpeg_quality: The greatest, up to 100.
        seed: A seed for this op; see `tf.random.set_seed`.

    Raises:
        ValueError: The bounds are not so.
    """
    _check_quality(min_jpeg_quality, max_jpeg_quality)
    quality = random.uniform([], min_jpeg_quality, max_jpeg_quality, dtype=int32, seed=seed)
    return adjust_jpeg_quality(image, quality)


def stateless_random_jpeg_quality(image: Any, min_jpeg_quality: int, max_jpeg_quality: int, seed: Any) -> Tensor:
    """Does as `random_jpeg_quality` with what the seed, two integers, says."""
    _check_quality(min_jpeg_quality, max_jpeg_quality)
    quality = random.stateless_uniform([], seed, min_jpeg_quality, max_jpeg_quality, dtype=int32)
    return adjust_jpeg_quality(image, quality)
