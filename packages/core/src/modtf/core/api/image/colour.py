"""`tf.image`: colour spaces and dtypes of images."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.api.elementwise import saturate_cast
from modtf.core.api.linalg import tensordot
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype, float32
from modtf.core.values.tensors import SymbolicTensor, Tensor

__all__ = [
    "convert_image_dtype", "grayscale_to_rgb", "hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv", "rgb_to_yiq", "rgb_to_yuv",
    "yiq_to_rgb", "yuv_to_rgb",
]  # fmt: skip


@dispatched(elementwise=1)
def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Tensor:
    """Returns an image in another dtype, scaled so that black and white stay what they are.

    Floating numbers are from 0 to 1, integers from 0 to the greatest of their dtype.

    Args:
        image: An image of any real dtype.
        dtype: The dtype wanted.
        saturate: Whether what is out of range becomes the least or greatest number, rather than anything.
        name: A name for the graph node.

    Raises:
        AttributeError: A dtype is neither floating nor of integers.
    """
    pixels, wanted = convert_to_tensor(image), as_dtype(dtype)
    given = pixels.dtype
    if not wanted.is_floating and not wanted.is_integer:
        raise AttributeError("dtype must be either floating point or integer")
    if not given.is_floating and not given.is_integer:
        raise AttributeError("image dtype must be either floating point or integer")
    if wanted is given:
        return raw.Identity(pixels, name=name)

    def cast(tensor: Tensor, name: str | None = None) -> Tensor:
        return saturate_cast(tensor, wanted, name) if saturate else raw.Cast(tensor, DstT=wanted, name=name)

    if given.is_integer and wanted.is_integer:
        most, wanted_most = int(given.max), int(wanted.max)
        if most > wanted_most:
            return cast(raw.FloorDiv(pixels, given.as_numpy_dtype((most + 1) // (wanted_most + 1))), name)
        return raw.Mul(cast(pixels), wanted.as_numpy_dtype((wanted_most + 1) // (most + 1)), name=name)
    if given.is_floating and wanted.is_floating:
        return raw.Cast(pixels, DstT=wanted, name=name)
    if given.is_integer:
        scale = wanted.as_numpy_dtype(1.0 / given.max)
        return raw.Mul(raw.Cast(pixels, DstT=wanted), scale, name=name)
    return cast(raw.Mul(pixels, given.as_numpy_dtype(wanted.max + 0.5)), name)


def rgb_to_grayscale(images: Any, name: str | None = None) -> Tensor:
    """Returns the luminance of colours, in the dtype that they have.

    Args:
        images: A tensor whose last axis holds red, green and blue.
        name: A name for the graph node.

    Returns:
        A tensor with a last axis of size 1.
    """
    colours = convert_to_tensor(images)
    weights = np.array([[0.2989], [0.5870], [0.1140]], np.float32)
    floating = convert_image_dtype(colours, float32)
    if floating.ndim is None:
        grey = raw.Sum(floating * weights[:, 0], np.array([-1], np.int32), keep_dims=True)
    else:
        grey = tensordot(floating, weights, [[-1], [0]])
    return convert_image_dtype(grey, colours.dtype, name=name)


def grayscale_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Returns grey images as colours that are grey.

    Args:
        images: A tensor whose last axis has size 1.
        name: A name for the graph node.

    Returns:
        A tensor with a last axis of size 3.

    Raises:
        ValueError: The last axis has another size, or there are less than three.
    """
    grey = convert_to_tensor(images)
    if grey.dims is not None and (len(grey.dims) < 3 or grey.dims[-1] not in (None, 1)):
        raise ValueError(
            f"A grayscale image must have at least three dimensions, the last of size 1, but its shape is {grey.shape}"
        )
    if grey.ndim is None:
        ones = raw.Fill(raw.ExpandDims(raw.Rank(grey) - 1, 0), np.int32(1))
        return raw.Tile(grey, raw.ConcatV2([ones, np.array([3], np.int32)], 0), name=name)
    colours = raw.Tile(grey, np.array([1] * (grey.ndim - 1) + [3], np.int32), name=name)
    if isinstance(colours, SymbolicTensor):
        colours.set_shape([*(grey.dims or ())[:-1], 3])
    return colours


def rgb_to_hsv(images: Any, name: str | None = None) -> Tensor:
    """Returns colours as hue, saturation and value, each from 0 to 1.

    Args:
        images: A floating tensor whose last axis holds red, green and blue, from 0 to 1.
        name: A name for the graph node.
    """
    return raw.RGBToHSV(images, name=name)


def hsv_to_rgb(images: Any, name: str | None = None) -> Tensor:
    """Returns hue, saturation and value, each from 0 to 1, as red, green and blue; see `rgb_to_hsv`."""
    return raw.HSVToRGB(images, name=name)


_RGB_TO_YIQ = [
    [0.299, 0.59590059, 0.2115],
    [0.587, -0.27455667, -0.52273617],
    [0.114, -0.32134392, 0.31119955],
]
_YIQ_TO_RGB = [[1, 1, 1], [0.95598634, -0.27201283, -1.10674021], [0.6208248, -0.64720424, 1.70423049]]
_RGB_TO_YUV = [
    [0.299, -0.14714119, 0.61497538],
    [0.587, -0.28886916, -0.51496512],
    [0.114, 0.43601035, -0.10001026],
]
_YUV_TO_RGB = [[1, 1, 1], [0, -0.394642334, 2.03206185], [1.13988303, -0.58062185, 0]]


def _mixed(images: Any, matrix: Any) -> Tensor:
    colours = convert_to_tensor(images)
    return tensordot(colours, np.array(matrix, colours.dtype.np_dtype), [[-1], [0]])


def rgb_to_yiq(images: Any) -> Tensor:
    """Returns red, green and blue (along the last axis, from 0 to 1) as luminance Y and the colours I and Q of NTSC."""
    return _mixed(images, _RGB_TO_YIQ)


def yiq_to_rgb(images: Any) -> Tensor:
    """Returns Y, I and Q (along the last axis) as red, green and blue; see `rgb_to_yiq`."""
    return _mixed(images, _YIQ_TO_RGB)


def rgb_to_yuv(images: Any) -> Tensor:
    """Returns red, green and blue (along the last axis, from 0 to 1) as luminance Y and the colours U and V of PAL."""
    return _mixed(images, _RGB_TO_YUV)


def yuv_to_rgb(images: Any) -> Tensor:
    """Returns Y, U and V (along the last axis) as red, green and blue; see `rgb_to_yuv`."""
    return _mixed(images, _YUV_TO_RGB)
