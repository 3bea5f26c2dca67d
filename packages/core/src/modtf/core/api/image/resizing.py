"""`tf.image`: images of other sizes."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.image.batches import (
    Size,
    are_known,
    as_batch,
    as_given,
    as_size,
    demand,
    greater,
    packed,
    size_along,
)
from modtf.core.api.image.cropping import pad_to_bounding_box
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import float32, int32
from modtf.core.values.tensors import Tensor

__all__ = ["ResizeMethod", "resize", "resize_with_pad"]


class ResizeMethod:
    """How `resize` makes pixels of others."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


_FILTERS = {
    "bilinear": "triangle", "bicubic": "keyscubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5",
    "gaussian": "gaussian", "mitchellcubic": "mitchellcubic",
}  # fmt: skip
"""What `ScaleAndTranslate` calls them."""


def resize(
    images: Any,
    size: Any,
    method: str = ResizeMethod.BILINEAR,
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
    name: str | None = None,
) -> Tensor:
    """Returns images in another size; pixels have their centres at halves.

    Args:
        images: Images [batch, height, width, channels] or one [height, width, channels], of any real dtype.
        size: The new height and width, a vector int32.
        method: One of `ResizeMethod`: `"bilinear"`, `"bicubic"` (Keys, a = -0.5), `"nearest"`, `"area"` (the mean over
            what a pixel covers), `"lanczos3"`, `"lanczos5"`, `"gaussian"` or `"mitchellcubic"`.
        preserve_aspect_ratio: Whether to keep the ratio of height and width; `size` is then what the images must fit in.
        antialias: Whether to widen the filter where images become smaller; `"nearest"` and `"area"` do not care.
        name: A name for the graph node.

    Returns:
        The images, of rank 4 or 3 as they were; float32, but for `"nearest"` the dtype that they had.

    Raises:
        ValueError: The rank is another one, `size` has not two elements, or there is no such method.
    """
    tensor = convert_to_tensor(images)
    if tensor.dims is None:
        raise ValueError("'images' contains no shape.")
    if len(tensor.dims) not in (3, 4):
        raise ValueError("'images' must have either 3 or 4 dimensions.")
    if method not in (*_FILTERS, "nearest", "area"):
        raise ValueError(f"Resize method is not implemented: {method}")
    batch = raw.ExpandDims(tensor, 0) if len(tensor.dims) == 3 else tensor
    wanted = _checked_size(size)
    if preserve_aspect_ratio:
        wanted = _fitting(batch, wanted)
    return as_given(_resized(batch, wanted, method, antialias, name), len(tensor.dims) == 4)


def _checked_size(size: Any) -> Any:
    try:
        wanted = convert_to_tensor(size, dtype_hint=int32)
    except (TypeError, ValueError):
        raise ValueError("'size' must be a 1-D int32 Tensor") from None
    if wanted.dtype is not int32:
        raise ValueError(f"'size' must be a 1-D int32 Tensor, not {wanted.dtype.name}")
    if wanted.dims not in (None, (None,), (2,)):
        raise ValueError("'size' must be a 1-D Tensor of 2 elements: new_height, new_width")
    return wanted


def _fitting(images: Tensor, size: Tensor) -> Any:
    """The largest size with the images' ratio of height and width that fits into another."""
    known = constant_value(size)
    sides = [size_along(images, axis) for axis in (1, 2)]
    if known is not None and are_known(*sides):
        given = np.array(sides, np.float32)
        return np.rint(np.min(known.astype(np.float32) / given) * given).astype(np.int32)
    given_sizes = raw.Cast(packed(sides), DstT=float32)
    factor = raw.Min(raw.Cast(size, DstT=float32) / given_sizes, 0)
    return raw.Cast(raw.Round(factor * given_sizes), DstT=int32)


def _resized(images: Tensor, size: Any, method: str, antialias: bool, name: str | None) -> Tensor:
    if method == "nearest":
        return raw.ResizeNearestNeighbor(images, size, half_pixel_centers=True, name=name)
    if method == "area":
        return raw.ResizeArea(images, size, name=name)
    if method == "bilinear" and not antialias:
        return raw.ResizeBilinear(images, size, half_pixel_centers=True, name=name)
    if method == "bicubic" and not antialias:
        return raw.ResizeBicubic(images, size, half_pixel_centers=True, name=name)
    given = packed([size_along(images, axis) for axis in (1, 2)])
    scale = raw.Cast(size, DstT=float32) / raw.Cast(given, DstT=float32)
    return raw.ScaleAndTranslate(
        images, size, scale, np.zeros(2, np.float32), kernel_type=_FILTERS[method], antialias=antialias, name=name
    )


def resize_with_pad(
    image: Any, target_height: Any, target_width: Any, method: str = ResizeMethod.BILINEAR, antialias: bool = False
) -> Tensor:
    """Returns images in another size without distorting them: what is left over is filled with zeros on both sides.

    Args:
        image: Images [batch, height, width, channels] or one [height, width, channels].
        target_height: The new height, an integer.
        target_width: The new width.
        method: As for `resize`.
        antialias: As for `resize`.

    Returns:
        The images [batch, target_height, target_width, channels], or one.

    Raises:
        ValueError: The rank is another one, or a target is not positive.
    """
    images, is_batch = as_batch(image)
    height, width = as_size(target_height), as_size(target_width)
    demand(width > 0, "target_width must be > 0.")
    demand(height > 0, "target_height must be > 0.")
    sides = [size_along(images, axis) for axis in (1, 2)]
    wanted, before = _fitted(sides, [height, width])
    resized = resize(images, packed(wanted), method, antialias=antialias)
    return as_given(pad_to_bounding_box(resized, before[0], before[1], height, width), is_batch)


def _fitted(sides: list[Size], targets: list[Size]) -> tuple[list[Size], list[Size]]:
    """The size in which an image fits, and how much is left over in front of it."""
    if are_known(*sides, *targets):
        given, wanted = np.array(sides, np.float32), np.array(targets, np.float32)
        fitting = given / np.max(given / wanted)
        spare = np.floor((wanted - fitting) / 2).astype(int)
        return [int(side) for side in fitting], [max(0, int(side)) for side in spare]
    given_sizes, wanted_sizes = (raw.Cast(packed(sizes), DstT=float32) for sizes in (sides, targets))
    made = given_sizes / raw.Max(given_sizes / wanted_sizes, 0)
    left = raw.Cast(raw.Floor((wanted_sizes - made) / 2.0), DstT=int32)
    size = raw.Cast(raw.Floor(made), DstT=int32)
    return [size[0], size[1]], [greater(left[0], 0), greater(left[1], 0)]
