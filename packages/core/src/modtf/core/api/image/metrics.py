"""`tf.image`: how images differ from each other, and from one pixel to the next."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.array import reshape
from modtf.core.api.image.colour import convert_image_dtype
from modtf.core.api.nn import avg_pool, depthwise_conv2d
from modtf.core.api.rearranging import pad, tile
from modtf.core.api.reductions import reduce_mean, reduce_prod, reduce_sum
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import float32
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import broadcast_dims
from modtf.core.values.tensors import SymbolicTensor, Tensor

__all__ = ["image_gradients", "psnr", "sobel_edges", "ssim", "ssim_multiscale", "total_variation"]

# ------------------------------------------------------------------------------------------------- from pixel to pixel


def total_variation(images: Any, name: str | None = None) -> Tensor:
    """Returns the sum of the absolute differences between neighbouring pixels.

    Args:
        images: Images [batch, height, width, channels] or one [height, width, channels].
        name: A name for the graph node.

    Returns:
        A number for each image.

    Raises:
        ValueError: The rank is another one.
    """
    pixels = convert_to_tensor(images)
    if pixels.ndim not in (3, 4):
        raise ValueError("'images' must be either 3 or 4-dimensional.")
    down = pixels[..., 1:, :, :] - pixels[..., :-1, :, :]
    across = pixels[..., :, 1:, :] - pixels[..., :, :-1, :]
    axes = None if pixels.ndim == 3 else [1, 2, 3]
    return raw.AddV2(reduce_sum(raw.Abs(down), axes), reduce_sum(raw.Abs(across), axes), name=name)


def image_gradients(image: Any) -> tuple[Tensor, Tensor]:
    """Returns how much larger the pixel below, and the pixel on the right, is than each.

    Args:
        image: Images [batch, height, width, channels].

    Returns:
        Two tensors of that shape; the last row of the one and the last column of the other are 0.

    Raises:
        ValueError: The rank is another one.
    """
    pixels = convert_to_tensor(image)
    if pixels.ndim != 4:
        raise ValueError(f"image_gradients expects a 4D tensor [batch_size, h, w, d], not {pixels.shape}.")
    down = pad(pixels[:, 1:] - pixels[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
    across = pad(pixels[:, :, 1:] - pixels[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
    for made in (down, across):
        if isinstance(made, SymbolicTensor):
            made.set_shape(pixels.dims)
    return down, across


_SOBEL = np.array([[[-1, -2, -1], [0, 0, 0], [1, 2, 1]], [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]])


def sobel_edges(image: Any) -> Tensor:
    """Returns Sobel's derivatives of images, whose borders are mirrored.

    Args:
        image: Floating images [batch, height, width, channels].

    Returns:
        A tensor [batch, height, width, channels, 2]: down, and to the right.
    """
    pixels = convert_to_tensor(image)
    shape = raw.Shape(pixels)
    kernels = np.transpose(_SOBEL, (1, 2, 0))[:, :, None, :].astype(pixels.dtype.np_dtype)
    filters = tile(kernels, raw.Pack([1, 1, shape[-1], 1]))
    mirrored = pad(pixels, [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT")
    edges = depthwise_conv2d(mirrored, filters, [1, 1, 1, 1], "VALID")
    made = raw.Reshape(edges, raw.ConcatV2([shape, np.array([2], np.int32)], 0))
    if isinstance(made, SymbolicTensor) and pixels.dims is not None:
        made.set_shape([*pixels.dims, 2])
    return made


# ------------------------------------------------------------------------------------------------- from image to image


def _alike(first: Tensor, second: Tensor) -> None:
    """Refuses images whose last three axes differ, or of which the others cannot be broadcast.

    Raises:
        ValueError: They are so.
    """
    if first.dims is None or second.dims is None:
        return
    if min(len(first.dims), len(second.dims)) < 3:
        raise ValueError(f"Images must have three axes at least, but their shapes are {first.shape} and {second.shape}")
    inner = zip(first.dims[-3:], second.dims[-3:], strict=True)
    if any(a is not None and b is not None and a != b for a, b in inner):
        raise ValueError(f"Two images are not compatible: {first.shape} and {second.shape}")
    broadcast_dims(first.dims[:-3], second.dims[:-3])


def _floating(first: Any, second: Any, max_val: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Two images and the greatest value of a pixel, as float32."""
    images = convert_to_tensor(first), convert_to_tensor(second)
    _alike(*images)
    most = raw.Cast(max_val, DstT=images[0].dtype)
    return (*(convert_image_dtype(image, float32) for image in images), convert_image_dtype(most, float32))  # type: ignore[return-value]


def psnr(a: Any, b: Any, max_val: Any, name: str | None = None) -> Tensor:
    """Returns the peak signal-to-noise ratio between images in decibels; see `ssim` for the arguments.

    Returns:
        A tensor float32 of the leading shape.
    """
    first, second, most = _floating(a, b, max_val)
    error = reduce_mean(raw.SquaredDifference(first, second), [-3, -2, -1])
    ten = np.float32(np.log(10.0))
    return raw.Sub(20 * raw.Log(most) / ten, np.float32(10 / np.log(10)) * raw.Log(error), name=name)


def _window(size: int, sigma: float) -> np.ndarray:
    """A Gaussian whose sum is 1, [size, size, 1, 1]."""
    places = np.arange(size, dtype=np.float32) - np.float32(size - 1) / 2
    logs = places * places * np.float32(-0.5 / np.float32(sigma) ** 2)
    logs = logs[:, None] + logs
    powers = np.exp(logs - logs.max())
    return (powers / powers.sum())[:, :, None, None].astype(np.float32)


def _check_size(images: Tensor, filter_size: int) -> None:
    if images.dims is None:
        return
    if any(size is not None and size < filter_size for size in images.dims[-3:-1]):
        raise InvalidArgumentError(f"The filter of size {filter_size} is larger than the images {images.shape}")


def _similarity(
    first: Tensor, second: Tensor, most: Tensor, filter_size: int, filter_sigma: float, k1: float, k2: float
) -> tuple[Tensor, Tensor]:
    """The product of luminance and structure, and structure alone, at each place of the window in each channel."""
    _check_size(first, filter_size)
    _check_size(second, filter_size)
    kernel = tile(_window(filter_size, filter_sigma), raw.Pack([1, 1, raw.Shape(first)[-1], 1]))

    def local_mean(images: Tensor) -> Tensor:
        shape = raw.Shape(images)
        flat = reshape(images, raw.ConcatV2([np.array([-1], np.int32), shape[-3:]], 0))
        means = depthwise_conv2d(flat, kernel, [1, 1, 1, 1], "VALID")
        return reshape(means, raw.ConcatV2([shape[:-3], raw.Shape(means)[1:]], 0))

    c1, c2 = raw.Square(k1 * most), raw.Square(k2 * most)
    mean0, mean1 = local_mean(first), local_mean(second)
    product = mean0 * mean1 * 2.0
    squares = raw.Square(mean0) + raw.Square(mean1)
    luminance = (product + c1) / (squares + c1)
    covariance = local_mean(first * second) * 2.0 - product
    variances = local_mean(raw.Square(first) + raw.Square(second)) - squares
    structure = (covariance + c2) / (variances + c2)
    return luminance * structure, structure


def ssim(
    img1: Any,
    img2: Any,
    max_val: Any,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    return_index_map: bool = False,
) -> Tensor:
    """Returns how alike images are in structure: 1 for the same.

    Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image quality assessment: from error visibility to
    structural similarity", 2004.

    Args:
        img1: Images [..., height, width, channels].
        img2: Others, whose leading axes may be broadcast.
        max_val: The greatest value of a pixel, less the least.
        filter_size: The size of the window that is looked at.
        filter_sigma: The deviation of its weights.
        k1: What keeps luminance from being divided by 0.
        k2: What keeps structure from being divided by 0.
        return_index_map: Whether to return the measure at each place, rather than its mean.

    Returns:
        A tensor float32 of the leading shape, or with a map of places behind it.

    Raises:
        ValueError: The shapes do not fit.
        InvalidArgumentError: The window is larger than the images.
    """
    first, second, most = _floating(img1, img2, max_val)
    measure, _ = _similarity(first, second, most, filter_size, filter_sigma, k1, k2)
    if not return_index_map:
        measure = reduce_mean(measure, [-3, -2])
    return reduce_mean(measure, [-1])


def _halved(images: Tensor) -> Tensor:
    """Images of half the size, by means of 2 by 2 pixels; odd sizes are mirrored to even ones."""
    shape = raw.Shape(images)
    flat = reshape(images, raw.ConcatV2([np.array([-1], np.int32), shape[-3:]], 0))
    odd = raw.FloorMod(shape[-3:-1], 2)
    behind = raw.ConcatV2([np.array([0], np.int32), odd, np.array([0], np.int32)], 0)
    even = pad(flat, raw.Pack([np.zeros(4, np.int32), behind], axis=1), "SYMMETRIC")
    pooled = avg_pool(even, [1, 2, 2, 1], [1, 2, 2, 1], "VALID")
    return reshape(pooled, raw.ConcatV2([shape[:-3], raw.Shape(pooled)[1:]], 0))


_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def ssim_multiscale(
    img1: Any,
    img2: Any,
    max_val: Any,
    power_factors: Any = _WEIGHTS,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
) -> Tensor:
    """Returns how alike images are in structure at several sizes, each half of the one before.

    Z. Wang, E. P. Simoncelli and A. C. Bovik, "Multiscale structural similarity for image quality assessment", 2003.

    Args:
        img1: Images [..., height, width, channels].
        img2: Others, whose leading axes may be broadcast.
        max_val: The greatest value of a pixel, less the least.
        power_factors: The exponent of each size, from the given one downwards.
        filter_size: As for `ssim`, and so for the others; the images must not become smaller than it.
        filter_sigma: The deviation of the window's weights.
        k1: What keeps luminance from being divided by 0.
        k2: What keeps structure from being divided by 0.

    Returns:
        A tensor float32 of the leading shape.

    Raises:
        ValueError: The shapes do not fit.
        InvalidArgumentError: The window is larger than the images at one of the sizes.
    """
    first, second, most = _floating(img1, img2, max_val)
    parts: list[Tensor] = []
    for scale in range(len(power_factors)):
        if scale:
            first, second = _halved(first), _halved(second)
        measure, structure = _similarity(first, second, most, filter_size, filter_sigma, k1, k2)
        last = scale == len(power_factors) - 1
        parts.append(raw.Relu(reduce_mean(measure if last else structure, [-3, -2])))
    powers = raw.Pow(raw.Pack(parts, axis=-1), np.array(power_factors, np.float32))
    return reduce_mean(reduce_prod(powers, [-1]), [-1])
