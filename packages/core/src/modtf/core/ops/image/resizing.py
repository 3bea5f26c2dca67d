"""Images of other sizes, and the gradients of making them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, with_rank
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, op, register
from modtf.core.ops.image.sampling import (
    Taps,
    area_taps,
    between,
    cubic_taps,
    filter_taps,
    interpolated,
    linear_taps,
    nearest_indices,
    resampled,
    step,
)  # fmt: skip
from modtf.core.ops.kinds import dtype_of
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.dtypes import float32
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_PIXELS = "int8|uint8|int16|uint16|int32|int64|floating"

# ------------------------------------------------------------------------------------------------- shapes and mistakes


def sized_dims(images: Tensor, size: Tensor, *others: Any, **attrs: Any) -> Dims:
    """The shape rule of images that are made in the size that an input says."""
    batch, _, _, channels = with_rank(images, 4, "images")
    with_rank(size, 1, "size")
    if size.dims not in (None, (None,), (2,)):
        raise ValueError(f"size must have the two elements height and width, but its shape is {list(size.dims)}")
    height, width = dims_from_value(size) or (None, None)
    return batch, height, width, channels


def _original_dims(grads: Tensor, original_image: Tensor, *others: Any, **attrs: Any) -> Dims:
    with_rank(grads, 4, "grads")
    return with_rank(original_image, 4, "original_image")


def check_images(images: Any) -> None:
    """Refuses what is not a batch of images with pixels and channels."""
    if len(images.shape) != 4:
        raise InvalidArgumentError(
            f"images must be [batch, height, width, channels], but their shape is {images.shape}"
        )
    if 0 in images.shape[1:]:
        raise InvalidArgumentError(f"images must have pixels and channels, but their shape is {tuple(images.shape)}")


def checked_size(size: np.ndarray) -> tuple[int, int]:
    """Height and width that an input says."""
    if size.shape != (2,):
        raise InvalidArgumentError(f"size must have the two elements height and width, but its shape is {size.shape}")
    height, width = (int(item) for item in size)
    if height <= 0 or width <= 0:
        raise InvalidArgumentError(f"output dimensions must be positive, but size is [{height}, {width}]")
    return height, width


def _check_corners(align_corners: bool, half_pixel_centers: bool) -> None:
    if align_corners and half_pixel_centers:
        raise InvalidArgumentError("If half_pixel_centers is True, align_corners must be False.")


_CORNERS = "align_corners: bool = False, half_pixel_centers: bool = False"

# ------------------------------------------------------------------------------------------------- linear and cubic


@op(
    f"ResizeBilinear[T: {_PIXELS}](images: T, size: int32, *, {_CORNERS}) -> (resized_images: float32)",
    shape=sized_dims,
    host_inputs=("size",),
)
def resize_bilinear(xp: Any, images: Any, size: np.ndarray, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    _check_corners(align_corners, half_pixel_centers)
    check_images(images)
    made = checked_size(size)
    if made == tuple(images.shape[1:3]):
        return xp.astype(images, xp.float32)
    rows, columns = (
        between(given, wanted, align_corners, half_pixel_centers)
        for given, wanted in zip(images.shape[1:3], made, strict=True)
    )
    return interpolated(xp, images, rows, columns)


@op(
    f"ResizeBicubic[T: {_PIXELS}](images: T, size: int32, *, {_CORNERS}) -> (resized_images: float32)",
    shape=sized_dims,
    host_inputs=("size",),
)
def resize_bicubic(xp: Any, images: Any, size: np.ndarray, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    _check_corners(align_corners, half_pixel_centers)
    check_images(images)
    rows, columns = (
        cubic_taps(given, wanted, align_corners, half_pixel_centers)
        for given, wanted in zip(images.shape[1:3], checked_size(size), strict=True)
    )
    return resampled(xp, images, rows, columns)


def _transposed(name: str, taps: Callable[..., Taps], types: str) -> Op:
    """Registers the op that the gradient of a resizing consists of."""

    def kernel(xp: Any, grads: Any, original_image: Any, *, align_corners: bool, half_pixel_centers: bool) -> Any:
        _check_corners(align_corners, half_pixel_centers)
        check_images(grads)
        check_images(original_image)
        rows, columns = (
            taps(given, made, align_corners, half_pixel_centers).transposed
            for given, made in zip(original_image.shape[1:3], grads.shape[1:3], strict=True)
        )
        target = find_kernel_dtype(xp, dtype_of(original_image))
        return xp.astype(resampled(xp, grads, rows, columns), target)

    schema = f"{name}[T: {types}](grads: float32, original_image: T, *, {_CORNERS}) -> (output: T)"
    return register(Op(schema, kernel=kernel, shape=_original_dims))


_transposed("ResizeBilinearGrad", linear_taps, "floating").gradient(None)
_transposed("ResizeBicubicGrad", cubic_taps, "float32|float64")


@resize_bilinear.gradient
def _(call: Any, dy: Tensor) -> Any:
    images = call.inputs[0]
    if not images.dtype.is_floating:
        return None, None
    corners = {name: call[name] for name in ("align_corners", "half_pixel_centers")}
    return raw.ResizeBilinearGrad(dy, images, **corners), None


@resize_bicubic.gradient
def _(call: Any, dy: Tensor) -> Any:
    images = call.inputs[0]
    if images.dtype.name not in ("float32", "float64"):
        return None, None
    corners = {name: call[name] for name in ("align_corners", "half_pixel_centers")}
    return raw.ResizeBicubicGrad(dy, images, **corners), None


# ------------------------------------------------------------------------------------------------- nearest


@op(
    f"ResizeNearestNeighbor[T: {_PIXELS}](images: T, size: int32, *, {_CORNERS}) -> (resized_images: T)",
    shape=sized_dims,
    host_inputs=("size",),
)
def resize_nearest(xp: Any, images: Any, size: np.ndarray, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    _check_corners(align_corners, half_pixel_centers)
    check_images(images)
    for axis, made in enumerate(checked_size(size), 1):
        indices = nearest_indices(images.shape[axis], made, align_corners, half_pixel_centers)
        images = xp.take(images, xp.asarray(indices), axis=axis)
    return images


@op(
    f"ResizeNearestNeighborGrad[T: int8|uint8|int32|floating](grads: T, size: int32, *, {_CORNERS}) -> (output: T)",
    shape=sized_dims,
    host_inputs=("size",),
)
@widened
def resize_nearest_grad(xp: Any, grads: Any, size: np.ndarray, *, align_corners: bool, half_pixel_centers: bool) -> Any:
    if len(grads.shape) != 4:
        raise InvalidArgumentError(f"grads must be [batch, height, width, channels], but their shape is {grads.shape}")
    for axis, given in enumerate(checked_size(size), 1):
        indices = nearest_indices(given, grads.shape[axis], align_corners, half_pixel_centers)
        grads = _gathered_back(xp, grads, axis, indices, given)
    return grads


def _gathered_back(xp: Any, grads: Any, axis: int, indices: np.ndarray, size: int) -> Any:
    """Adds up along an axis what belongs to the same one of ascending indices."""
    starts = np.searchsorted(indices, np.arange(size))
    counts = np.searchsorted(indices, np.arange(size), side="right") - starts
    shape = (-1, 1) if axis == 2 else (-1, 1, 1)
    total: Any = None
    for tap in range(max(1, int(counts.max(initial=0)))):
        there = tap < counts
        part = xp.take(grads, xp.asarray(np.where(there, starts + tap, 0)), axis=axis)
        part = xp.where(xp.asarray(there.reshape(shape)), part, xp.zeros((), dtype=part.dtype))
        total = part if total is None else total + part
    return total


@resize_nearest.gradient
def _(call: Any, dy: Tensor) -> Any:
    images = call.inputs[0]
    dims = images.dims
    known = dims is not None and None not in dims[1:3]
    size = np.array(dims[1:3], np.int32) if known else raw.Shape(images)[1:3]
    corners = {name: call[name] for name in ("align_corners", "half_pixel_centers")}
    return raw.ResizeNearestNeighborGrad(dy, size, **corners), None


# ------------------------------------------------------------------------------------------------- areas


@op(
    f"ResizeArea[T: {_PIXELS}](images: T, size: int32, *, align_corners: bool = False) -> (resized_images: float32)",
    shape=sized_dims,
    host_inputs=("size",),
)
def resize_area(xp: Any, images: Any, size: np.ndarray, *, align_corners: bool) -> Any:
    check_images(images)
    made = checked_size(size)
    rows, columns = (area_taps(*pair, align_corners) for pair in zip(images.shape[1:3], made, strict=True))
    high, wide = (step(*pair, align_corners) for pair in zip(images.shape[1:3], made, strict=True))
    return resampled(xp, images, rows, columns) * np.float32(1 / (high * wide))


# ------------------------------------------------------------------------------------------------- filters


def _pair(values: np.ndarray, what: str) -> tuple[np.float32, np.float32]:
    if values.shape != (2,):
        raise InvalidArgumentError(f"{what} must have two elements, for rows and columns; its shape is {values.shape}")
    if what == "scale" and not (values > 0).all():
        raise InvalidArgumentError(f"Scale must be greater than zero, not {values.tolist()}")
    return values[0], values[1]


def _translated_dims(images: Tensor, size: Tensor, scale: Tensor, translation: Tensor, **attrs: Any) -> Dims:
    for given, what in ((scale, "scale"), (translation, "translation")):
        if with_rank(given, 1, what) not in ((None,), (2,)):
            raise ValueError(f"{what} must have two elements, but its shape is {list(given.dims or ())}")
    return sized_dims(images, size)


_FILTER = "kernel_type: string = 'lanczos3', antialias: bool = True"


@op(
    f"ScaleAndTranslate[T: {_PIXELS}](images: T, size: int32, scale: float32, translation: float32, *, {_FILTER})"
    " -> (resized_images: float32)",
    shape=_translated_dims,
    host_inputs=("size", "scale", "translation"),
)
def scale_and_translate(
    xp: Any,
    images: Any,
    size: np.ndarray,
    scale: np.ndarray,
    translation: np.ndarray,
    *,
    kernel_type: str,
    antialias: bool,
) -> Any:
    check_images(images)
    scales, translations = _pair(scale, "scale"), _pair(translation, "translation")
    rows, columns = (
        filter_taps(kernel_type, given, made, scales[axis], translations[axis], antialias)
        for axis, (given, made) in enumerate(zip(images.shape[1:3], checked_size(size), strict=True))
    )
    return resampled(xp, images, rows, columns)


@op(
    f"ScaleAndTranslateGrad[T: float32](grads: T, original_image: T, scale: float32, translation: float32, *, {_FILTER})"
    " -> (output: T)",
    shape=_original_dims,
    host_inputs=("scale", "translation"),
)
def scale_and_translate_grad(
    xp: Any,
    grads: Any,
    original_image: Any,
    scale: np.ndarray,
    translation: np.ndarray,
    *,
    kernel_type: str,
    antialias: bool,
) -> Any:
    check_images(grads)
    check_images(original_image)
    scales, translations = _pair(scale, "scale"), _pair(translation, "translation")
    rows, columns = (
        filter_taps(kernel_type, given, made, scales[axis], translations[axis], antialias).transposed
        for axis, (given, made) in enumerate(zip(original_image.shape[1:3], grads.shape[1:3], strict=True))
    )
    return resampled(xp, grads, rows, columns)


@scale_and_translate.gradient
def _(call: Any, dy: Tensor) -> Any:
    images, _, scale, translation = call.inputs
    if not images.dtype.is_floating:
        return None, None, None, None
    attrs = {name: call[name] for name in ("kernel_type", "antialias")}
    if images.dtype is float32:
        return raw.ScaleAndTranslateGrad(dy, images, scale, translation, **attrs), None, None, None
    single = raw.ScaleAndTranslateGrad(dy, raw.Cast(images, DstT=float32), scale, translation, **attrs)
    return raw.Cast(single, DstT=images.dtype), None, None, None
