"""Parts of images: boxes resized to one size, and glimpses; and projective transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, get_op, op, register
from modtf.core.ops.common import shape_of
from modtf.core.ops.image.resizing import check_images, checked_size, sized_dims
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError, OutOfRangeError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- boxes of one size

_CROPPED = "uint8|uint16|int8|int16|int32|int64|float16|float32|float64"


def _box_dims(boxes: Tensor, box_ind: Tensor) -> int | None:
    count, columns = with_rank(boxes, 2, "boxes")
    if columns not in (None, 4):
        raise ValueError(f"boxes must have 4 columns, but their shape is {list(boxes.dims or ())}")
    (indices,) = with_rank(box_ind, 1, "box_ind")
    return (merged((count,), (indices,)) or (None,))[0]


def _crop_dims(image: Tensor, boxes: Tensor, box_ind: Tensor, crop_size: Tensor, **attrs: Any) -> Dims:
    _, height, width, channels = sized_dims(image, crop_size) or (None,) * 4
    return _box_dims(boxes, box_ind), height, width, channels


def _check_boxes(xp: Any, boxes: Any, box_ind: Any, batch: int) -> None:
    if len(boxes.shape) != 2 or boxes.shape[1] != 4:
        raise InvalidArgumentError(f"boxes must be [boxes, 4], but their shape is {tuple(boxes.shape)}")
    if tuple(box_ind.shape) != (boxes.shape[0],):
        raise InvalidArgumentError(
            f"box_ind must have an element for each of {boxes.shape[0]} boxes, but its shape is {tuple(box_ind.shape)}"
        )
    if xp is not np:
        return
    wrong = box_ind[(box_ind < 0) | (box_ind >= batch)]
    if wrong.size:
        raise OutOfRangeError(f"box_ind has values outside [0, {batch}): {wrong[0]}")
    if not np.isfinite(boxes).all():
        raise InvalidArgumentError("boxes has an element that is not finite")


def _axis_places(xp: Any, start: Any, end: Any, size: int, made: int) -> tuple[Any, Any]:
    """Where a box's pixels lie along an axis, [boxes, made], and whether that is in the image."""
    if made > 1:
        step = (end - start) * (size - 1) / (made - 1)
        places = start[:, None] * (size - 1) + xp.astype(xp.arange(made), xp.float32) * step[:, None]
    else:
        places = 0.5 * (start + end)[:, None] * (size - 1)
    return places, (places >= 0) & (places <= size - 1)


def _sides(xp: Any, places: Any, size: int) -> tuple[Any, Any, Any]:
    """The pixels on both sides of each place and how far it is from the first."""
    floor = xp.floor(places)
    lower = xp.astype(xp.clip(floor, 0, size - 1), xp.int32)
    upper = xp.astype(xp.clip(xp.ceil(places), 0, size - 1), xp.int32)
    return lower, upper, places - floor


def _closest(xp: Any, places: Any, size: int) -> Any:
    return xp.astype(xp.clip(xp.floor(places + 0.5), 0, size - 1), xp.int32)


def _at(image: Any, box_ind: Any, rows: Any, columns: Any) -> Any:
    return image[box_ind[:, None, None], rows[:, :, None], columns[:, None, :]]


@op(
    f"CropAndResize[T: {_CROPPED}](image: T, boxes: float32, box_ind: int32, crop_size: int32, *, "
    "method: string(bilinear|nearest) = 'bilinear', extrapolation_value: float = 0.0) -> (crops: float32)",
    shape=_crop_dims,
    host_inputs=("crop_size",),
    quiet=True,
)
def crop_and_resize(
    xp: Any, image: Any, boxes: Any, box_ind: Any, crop_size: np.ndarray, *, method: str, extrapolation_value: float
) -> Any:
    if len(image.shape) != 4 or 0 in image.shape[1:3]:
        raise InvalidArgumentError(f"image must be [batch, height, width, depth], but its shape is {image.shape}")
    batch, height, width, _ = image.shape
    _check_boxes(xp, boxes, box_ind, batch)
    made_height, made_width = checked_size(crop_size)
    rows, row_inside = _axis_places(xp, boxes[:, 0], boxes[:, 2], height, made_height)
    columns, column_inside = _axis_places(xp, boxes[:, 1], boxes[:, 3], width, made_width)
    if method == "nearest":
        crops = _at(image, box_ind, _closest(xp, rows, height), _closest(xp, columns, width))
        crops = xp.astype(crops, xp.float32)
    else:
        top, bottom, down = _sides(xp, rows, height)
        left, right, along = _sides(xp, columns, width)
        along, down = along[:, None, :, None], down[:, :, None, None]
        edges = []
        for row in (top, bottom):
            start = xp.astype(_at(image, box_ind, row, left), xp.float32)
            end = xp.astype(_at(image, box_ind, row, right), xp.float32)
            edges.append(start + (end - start) * along)
        crops = edges[0] + (edges[1] - edges[0]) * down
    inside = row_inside[:, :, None, None] & column_inside[:, None, :, None]
    return xp.where(inside, crops, xp.asarray(extrapolation_value, dtype=xp.float32))


def _image_grad_dims(grads: Tensor, boxes: Tensor, box_ind: Tensor, image_size: Tensor, **attrs: Any) -> Dims:
    with_rank(grads, 4, "grads")
    _box_dims(boxes, box_ind)
    return merged(dims_from_value(image_size), (None,) * 4)


@op(
    "CropAndResizeGradImage(grads: float32, boxes: float32, box_ind: int32, image_size: int32, *, "
    "T: type(float16|float32|float64), method: string(bilinear|nearest) = 'bilinear') -> (output: T)",
    shape=_image_grad_dims,
    host_inputs=("image_size",),
    quiet=True,
)
def crop_and_resize_grad_image(
    xp: Any, grads: Any, boxes: Any, box_ind: Any, image_size: np.ndarray, *, T: DType, method: str
) -> Any:
    if image_size.shape != (4,) or (image_size[1:3] <= 0).any():
        raise InvalidArgumentError(f"image_size must be [batch, height, width, depth], not {image_size.tolist()}")
    batch, height, width, depth = (int(size) for size in image_size)
    _check_crop_grads(grads, boxes, depth)
    _check_boxes(xp, boxes, box_ind, batch)
    rows, row_inside = _axis_places(xp, boxes[:, 0], boxes[:, 2], height, grads.shape[1])
    columns, column_inside = _axis_places(xp, boxes[:, 1], boxes[:, 3], width, grads.shape[2])
    inside = row_inside[:, :, None, None] & column_inside[:, None, :, None]
    grads = xp.where(inside, grads, xp.zeros((), dtype=grads.dtype))
    if method == "nearest":
        row_parts: list[tuple[Any, Any]] = [(_closest(xp, rows, height), None)]
        column_parts: list[tuple[Any, Any]] = [(_closest(xp, columns, width), None)]
    else:
        top, bottom, down = _sides(xp, rows, height)
        left, right, along = _sides(xp, columns, width)
        row_parts = [(top, 1 - down), (bottom, down)]
        column_parts = [(left, 1 - along), (right, along)]
    places, parts = [], []
    for row, row_share in row_parts:
        for column, column_share in column_parts:
            pixel = (box_ind[:, None, None] * height + row[:, :, None]) * width + column[:, None, :]
            places.append(xp.reshape(pixel, (-1,)))
            part = grads
            if row_share is not None:
                part = part * row_share[:, :, None, None] * column_share[:, None, :, None]
            parts.append(xp.reshape(part, (-1, depth)))
    add_up: Any = get_op("UnsortedSegmentSum").kernel
    summed = add_up(xp, xp.concat(parts), xp.concat(places), np.asarray(batch * height * width))
    return xp.astype(xp.reshape(summed, (batch, height, width, depth)), find_kernel_dtype(xp, T))


def _check_crop_grads(grads: Any, boxes: Any, depth: int) -> None:
    if len(grads.shape) != 4 or 0 in grads.shape[1:3] or grads.shape[3] != depth or grads.shape[0] != boxes.shape[0]:
        raise InvalidArgumentError(
            f"grads must be [{boxes.shape[0]}, crop_height, crop_width, {depth}], but their shape is {grads.shape}"
        )


def _box_grad_dims(grads: Tensor, image: Tensor, boxes: Tensor, box_ind: Tensor, **attrs: Any) -> Dims:
    with_rank(grads, 4, "grads")
    with_rank(image, 4, "image")
    return _box_dims(boxes, box_ind), 4


@op(
    f"CropAndResizeGradBoxes[T: {_CROPPED}](grads: float32, image: T, boxes: float32, box_ind: int32, *, "
    "method: string(bilinear) = 'bilinear') -> (output: float32)",
    shape=_box_grad_dims,
    quiet=True,
)
def crop_and_resize_grad_boxes(xp: Any, grads: Any, image: Any, boxes: Any, box_ind: Any, *, method: str) -> Any:
    check_images(image)
    batch, height, width, depth = image.shape
    _check_crop_grads(grads, boxes, depth)
    _check_boxes(xp, boxes, box_ind, batch)
    rows, row_inside = _axis_places(xp, boxes[:, 0], boxes[:, 2], height, grads.shape[1])
    columns, column_inside = _axis_places(xp, boxes[:, 1], boxes[:, 3], width, grads.shape[2])
    inside = row_inside[:, :, None, None] & column_inside[:, None, :, None]
    grads = xp.where(inside, grads, xp.zeros((), dtype=grads.dtype))
    top, bottom, down = _sides(xp, rows, height)
    left, right, along = _sides(xp, columns, width)
    along, down = along[:, None, :, None], down[:, :, None, None]
    corner = {
        (i, j): xp.astype(_at(image, box_ind, row, column), xp.float32)
        for i, row in enumerate((top, bottom))
        for j, column in enumerate((left, right))
    }
    slope_down = (1 - along) * (corner[1, 0] - corner[0, 0]) + along * (corner[1, 1] - corner[0, 1])
    slope_along = (1 - down) * (corner[0, 1] - corner[0, 0]) + down * (corner[1, 1] - corner[1, 0])
    by_row = xp.sum(slope_down * grads, axis=(2, 3))
    by_column = xp.sum(slope_along * grads, axis=(1, 3))
    ends = []
    for slopes, size in ((by_row, height), (by_column, width)):
        made = slopes.shape[1]
        share = xp.astype(xp.arange(made), xp.float32) / (made - 1) if made > 1 else 0.5
        to_end = share * xp.ones_like(slopes) * (size - 1)
        ends.append((xp.sum(slopes * (size - 1 - to_end), axis=1), xp.sum(slopes * to_end, axis=1)))
    return xp.stack([ends[0][0], ends[1][0], ends[0][1], ends[1][1]], axis=1)


@crop_and_resize.gradient
def _(call: Any, dy: Tensor) -> Any:
    image, boxes, box_ind, _ = call.inputs
    of_image = None
    if image.dtype.is_floating:
        of_image = raw.CropAndResizeGradImage(dy, boxes, box_ind, shape_of(image), T=image.dtype, method=call["method"])
    # The boxes' gradient is that of bilinear sampling, whichever method was used, as in TensorFlow.
    return of_image, raw.CropAndResizeGradBoxes(dy, image, boxes, box_ind), None, None


# ------------------------------------------------------------------------------------------------- glimpses


def _glimpse_dims(input: Tensor, size: Tensor, offsets: Tensor, **attrs: Any) -> Dims:
    batch, _, _, channels = with_rank(input, 4, "input")
    rows, columns = with_rank(offsets, 2, "offsets")
    if columns not in (None, 2):
        raise ValueError(f"offsets must have 2 columns, but their shape is {list(offsets.dims or ())}")
    (batch,) = merged((batch,), (rows,)) or (None,)
    _, height, width, _ = sized_dims(input, size) or (None,) * 4
    return batch, height, width, channels


def _glimpse(version: int) -> Any:
    def kernel(
        xp: Any,
        images: np.ndarray,
        size: np.ndarray,
        offsets: np.ndarray,
        *,
        centered: bool,
        normalized: bool,
        uniform_noise: bool,
        noise: str,
    ) -> np.ndarray:
        if uniform_noise and noise not in ("", "uniform"):
            raise InvalidArgumentError("The uniform_noise and noise could not be specified at the same time")
        if noise not in ("", "uniform", "gaussian", "zero"):
            raise InvalidArgumentError(f"noise must be uniform, gaussian or zero, not {noise!r}")
        noise = noise or ("uniform" if uniform_noise else "gaussian")
        if images.ndim != 4:
            raise InvalidArgumentError(f"input must be [batch, height, width, depth], but its shape is {images.shape}")
        if offsets.shape != (len(images), 2):
            raise InvalidArgumentError(f"offsets must be [{len(images)}, 2], but their shape is {offsets.shape}")
        if size.shape != (2,) or (size < 0).any():
            raise InvalidArgumentError(f"size must be a height and a width, not {size.tolist()}")
        extent = np.array(images.shape[1:3])
        glimpses = np.empty((len(images), *size, images.shape[3]), images.dtype)
        for image, offset, glimpse in zip(images, offsets, glimpses, strict=True):
            start = _glimpse_start(offset, extent, size, centered, normalized, version)
            begin, end = np.clip(start, 0, extent), np.clip(start + size, 0, extent)
            if (begin != start).any() or (end != start + size).any():
                glimpse[...] = _noise(image, glimpse.shape, noise)
            to = begin - start
            covered = np.maximum(end - begin, 0)
            glimpse[to[0] : to[0] + covered[0], to[1] : to[1] + covered[1]] = image[
                begin[0] : begin[0] + covered[0], begin[1] : begin[1] + covered[1]
            ]
        return glimpses

    return kernel


def _glimpse_start(
    offset: np.ndarray, extent: np.ndarray, size: np.ndarray, centered: bool, normalized: bool, version: int
) -> np.ndarray:
    """The first row and column of a glimpse, which may lie outside the image."""
    place = offset.astype(np.float32)
    half, half_size = np.float32(0.5) * extent.astype(np.float32), np.float32(0.5) * size.astype(np.float32)
    if normalized:
        place = place * extent.astype(np.float32)
    if centered and (normalized or version == 1):
        place = place * np.float32(0.5)
    if centered:
        place = place + half
    if version == 1 or (normalized and centered):
        place = place - half_size
    return np.trunc(place).astype(np.int64)


def _noise(image: np.ndarray, shape: tuple[int, ...], kind: str) -> Any:
    if kind == "zero" or not image.size:
        return 0
    generator = np.random.default_rng()
    if kind == "uniform":
        return generator.uniform(image.min(), image.max(), shape)
    mean, deviation = image.mean(axis=(0, 1)), image.std(axis=(0, 1))
    return np.clip(generator.normal(mean, deviation, shape), image.min(axis=(0, 1)), image.max(axis=(0, 1)))


_GLIMPSE = (
    "(input: float32, size: int32, offsets: float32, *, centered: bool = True, normalized: bool = True, "
    "uniform_noise: bool = True, noise: string = 'uniform') -> (glimpse: float32)"
)
register(Op(f"ExtractGlimpse{_GLIMPSE}", kernel=_glimpse(1), shape=_glimpse_dims, host_only=True)).gradient(None)
register(Op(f"ExtractGlimpseV2{_GLIMPSE}", kernel=_glimpse(2), shape=_glimpse_dims, host_only=True))

# ------------------------------------------------------------------------------------------------- projective transforms


def _transform_dims(images: Tensor, transforms: Tensor, output_shape: Tensor, *others: Tensor, **attrs: Any) -> Dims:
    _, columns = with_rank(transforms, 2, "transforms")
    if columns not in (None, 8):
        raise ValueError(f"transforms must have 8 columns, but their shape is {list(transforms.dims or ())}")
    return sized_dims(images, output_shape)


def _mapped(xp: Any, places: Any, size: int, fill_mode: str) -> Any:
    """Coordinates outside an axis brought back into it."""
    if fill_mode == "CONSTANT":
        return places
    if fill_mode == "NEAREST" or size <= 1:
        return xp.clip(places, 0, size - 1)
    if fill_mode == "REFLECT":
        period = 2 * size
        below = xp.where(places < period, places + period * xp.trunc(-places / period), places)
        below = xp.where(below < -size, below + period, -below - 1)
        above = places - period * xp.trunc(places / period)
        above = xp.where(above >= size, period - above - 1, above)
    else:
        below = places + size * (xp.trunc(-places / (size - 1)) + 1)
        above = places - size * xp.trunc(places / (size - 1))
    mapped = xp.where(places < 0, below, xp.where(places > size - 1, above, places))
    return xp.clip(mapped, 0, size - 1)


def _rounded(xp: Any, places: Any) -> Any:
    """To the nearest integer, halves away from zero."""
    return xp.sign(places) * xp.floor(xp.abs(places) + 0.5)


def _transformed(
    xp: Any,
    images: Any,
    transforms: Any,
    output_shape: np.ndarray,
    fill_value: Any = 0.0,
    *,
    interpolation: str,
    fill_mode: str,
) -> Any:
    interpolation, fill_mode = interpolation.upper(), fill_mode.upper()
    if interpolation not in ("NEAREST", "BILINEAR"):
        raise InvalidArgumentError(f"interpolation must be NEAREST or BILINEAR, not {interpolation!r}")
    if fill_mode not in ("REFLECT", "WRAP", "CONSTANT", "NEAREST"):
        raise InvalidArgumentError(f"fill_mode must be REFLECT, WRAP, CONSTANT or NEAREST, not {fill_mode!r}")
    if len(images.shape) != 4:
        raise InvalidArgumentError(f"images must be [batch, height, width, channels]; their shape is {images.shape}")
    batch, height, width, _ = images.shape
    if len(transforms.shape) != 2 or transforms.shape[0] not in (batch, 1) or transforms.shape[1] != 8:
        raise InvalidArgumentError(
            f"transforms must be [{batch}, 8] or [1, 8], but their shape is {tuple(transforms.shape)}"
        )
    made_height, made_width = checked_size(output_shape)
    if len(np.shape(fill_value)):
        raise InvalidArgumentError(f"fill_value must be a scalar, but its shape is {list(np.shape(fill_value))}")
    # Without a pixel to take, one that is never inside stands for them.
    source = images if height and width else xp.zeros((batch, 1, 1, images.shape[3]), dtype=images.dtype)
    x = xp.astype(xp.arange(made_width), xp.float32)[None, None, :]
    y = xp.astype(xp.arange(made_height), xp.float32)[None, :, None]
    t = [transforms[:, index][:, None, None] for index in range(8)]
    divisor = t[6] * x + t[7] * y + 1
    finite = divisor != 0
    divisor = xp.where(finite, divisor, xp.ones_like(divisor))
    columns = _mapped(xp, (t[0] * x + t[1] * y + t[2]) / divisor, width, fill_mode)
    rows = _mapped(xp, (t[3] * x + t[4] * y + t[5]) / divisor, height, fill_mode)
    filling = xp.astype(xp.asarray(fill_value), images.dtype)
    number = xp.reshape(xp.arange(batch, dtype=xp.int32), (-1, 1, 1))

    def pixels(row: Any, column: Any) -> Any:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        row, column = (xp.astype(xp.where(inside, place, xp.zeros_like(place)), xp.int32) for place in (row, column))
        return xp.where(inside[..., None], source[number, row, column], filling)

    if interpolation == "NEAREST":
        made = pixels(_rounded(xp, rows), _rounded(xp, columns))
    else:
        top, left = xp.floor(rows), xp.floor(columns)
        down, along = (rows - top)[..., None], (columns - left)[..., None]
        edges = [
            (1 - along) * xp.astype(pixels(row, left), xp.float32)
            + along * xp.astype(pixels(row, left + 1), xp.float32)
            for row in (top, top + 1)
        ]
        made = xp.astype((1 - down) * edges[0] + down * edges[1], images.dtype)
    return xp.where(finite[..., None], made, filling)


_TRANSFORMED = "uint8|int32|int64|floating"
_HOW = "*, interpolation: string, fill_mode: string = 'CONSTANT'"


@op(
    f"ImageProjectiveTransformV2[dtype: {_TRANSFORMED}]"
    f"(images: dtype, transforms: float32, output_shape: int32, {_HOW}) -> (transformed_images: dtype)",
    shape=_transform_dims,
    host_inputs=("output_shape",),
    quiet=True,
)
def transform_v2(xp: Any, images: Any, transforms: Any, output_shape: np.ndarray, **how: Any) -> Any:
    return _transformed(xp, images, transforms, output_shape, **how)


@op(
    f"ImageProjectiveTransformV3[dtype: {_TRANSFORMED}]"
    f"(images: dtype, transforms: float32, output_shape: int32, fill_value: float32, {_HOW})"
    " -> (transformed_images: dtype)",
    shape=_transform_dims,
    host_inputs=("output_shape",),
    quiet=True,
)
def transform_v3(xp: Any, images: Any, transforms: Any, output_shape: np.ndarray, fill_value: Any, **how: Any) -> Any:
    return _transformed(xp, images, transforms, output_shape, fill_value, **how)


def _inverse(transforms: Tensor) -> Tensor:
    """The opposite transforms: the adjugates of their 3x3 matrices, whose last element becomes 1."""
    a, b, c, d, e, f, g, h = (transforms[:, index] for index in range(8))
    adjugate = [e - f * h, c * h - b, b * f - c * e, f * g - d, a - c * g, c * d - a * f, d * h - e * g, b * g - a * h]
    return raw.Pack(adjugate, axis=1) / raw.ExpandDims(a * e - b * d, 1)


def _transform_gradient(call: Any, dy: Tensor) -> Any:
    """The gradient carried back by the inverse transform, as TensorFlow defines it."""
    images, transforms = call.inputs[:2]
    if not images.dtype.is_floating:
        return (None,) * len(call.inputs)
    how = {name: call[name] for name in ("interpolation", "fill_mode")}
    size = shape_of(images)[1:3]
    if len(call.inputs) == 4:
        back = raw.ImageProjectiveTransformV3(dy, _inverse(transforms), size, np.float32(0), **how)
    else:
        back = raw.ImageProjectiveTransformV2(dy, _inverse(transforms), size, **how)
    return (back, *(None,) * (len(call.inputs) - 1))


transform_v2.gradient(_transform_gradient)
transform_v3.gradient(_transform_gradient)
