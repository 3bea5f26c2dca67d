"""Colour spaces, and changing hue, saturation and contrast."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import with_rank_at_least
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import like
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def _colour_dims(images: Tensor, *others: Tensor, least: int = 1) -> Dims:
    dims = with_rank_at_least(images, least, "images")
    if dims is not None and dims[-1] not in (None, 3):
        raise ValueError(f"images must have 3 channels, but their shape is {list(dims)}")
    return None if dims is None else (*dims[:-1], 3)


def _adjusted_dims(images: Tensor, *others: Tensor) -> Dims:
    for other in others:
        if other.dims is not None and other.dims != ():
            raise ValueError(f"Expected a scalar, but its shape is {list(other.dims)}")
    return _colour_dims(images, least=3)


def _check_colours(images: Any, least: int = 1) -> None:
    if len(images.shape) < least or images.shape[-1] != 3:
        raise InvalidArgumentError(
            f"Expected images of rank {least} at least with 3 channels, but their shape is {tuple(images.shape)}"
        )


def _channels(images: Any) -> tuple[Any, Any, Any]:
    return images[..., 0], images[..., 1], images[..., 2]


def _check_scalar(value: Any, what: str) -> None:
    if value.shape != ():
        raise InvalidArgumentError(f"{what} must be a scalar, but its shape is {tuple(value.shape)}")


# ------------------------------------------------------------------------------------------------- hue, saturation, value


def _hue_saturation_value(xp: Any, images: Any) -> tuple[Any, Any, Any]:
    red, green, blue = _channels(images)
    value = xp.maximum(red, xp.maximum(green, blue))
    spread = value - xp.minimum(red, xp.minimum(green, blue))
    saturation = xp.where(value > 0, spread / value, xp.zeros_like(value))
    unit = 1 / (6 * spread)
    hue = xp.where(
        red == value,
        unit * (green - blue),
        xp.where(green == value, unit * (blue - red) + 2 / 6, unit * (red - green) + 4 / 6),
    )
    hue = xp.where(spread > 0, hue, xp.zeros_like(hue))
    return xp.where(hue < 0, hue + 1, hue), saturation, value


@op("RGBToHSV[T: floating = float32](images: T) -> (output: T)", shape=_colour_dims, quiet=True)
@widened
def rgb_to_hsv(xp: Any, images: Any) -> Any:
    _check_colours(images)
    return xp.stack(_hue_saturation_value(xp, images), axis=-1)


@op("HSVToRGB[T: floating = float32](images: T) -> (output: T)", shape=_colour_dims)
@widened
def hsv_to_rgb(xp: Any, images: Any) -> Any:
    _check_colours(images)
    hue, saturation, value = _channels(images)
    place = 6 * hue
    zero, one = xp.zeros((), dtype=images.dtype), xp.ones((), dtype=images.dtype)
    shares = (xp.abs(place - 3) - 1, 2 - xp.abs(place - 2), 2 - xp.abs(place - 4))
    return xp.stack([(1 - saturation + saturation * xp.clip(share, zero, one)) * value for share in shares], axis=-1)


hsv_to_rgb.gradient(None)


@rgb_to_hsv.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    """Where channels are equal, the earlier one counts as the larger, as in TensorFlow."""
    pixels, made = call.inputs[0], call.outputs[0]
    red, green, blue = (pixels[..., index] for index in range(3))
    saturation, value = made[..., 1], made[..., 2]

    def number(condition: Tensor) -> Tensor:
        return raw.Cast(condition, DstT=pixels.dtype)

    def inverse(tensor: Tensor) -> Tensor:
        return raw.DivNoNan(like(tensor, 1), tensor)

    def both(first: Tensor, second: Tensor) -> Tensor:
        return number(raw.LogicalAnd(first, second))

    zero = like(pixels, 0, scalar=True)
    channels = (red, green, blue)
    largest = (
        both(red >= green, red >= blue),
        both(green > red, green >= blue),
        both(blue > red, blue > green),
    )
    smallest = (
        both(red < green, red < blue),
        both(green <= red, green < blue),
        both(blue <= red, blue <= green),
    )
    of_saturation, of_hue = [], []
    for index in range(3):
        this, after, before = channels[index], channels[(index + 1) % 3], channels[(index + 2) % 3]
        large, large_after, large_before = largest[index], largest[(index + 1) % 3], largest[(index + 2) % 3]
        small, small_after, small_before = smallest[index], smallest[(index + 1) % 3], smallest[(index + 2) % 3]
        some = number(this > zero)
        some_after, some_before = number(after > zero), number(before > zero)
        low, high = small_after * after + small_before * before, large_after * after + large_before * before
        of_saturation.append(some * (large * low * inverse(raw.Square(this)) - small * inverse(high)))
        # With the largest channel, the hue is (a - b) / (largest - smallest) of the other two and a multiple of 1/3.
        of_hue.append(
            some * large * (before - after) * inverse(raw.Square(saturation)) * inverse(raw.Square(value))
            + some_before * large_before * small * (before - after) * inverse(raw.Square(before - this))
            + some_before * large_before * small_after * inverse(before - after)
            + some_after * large_after * small * (before - after) * inverse(raw.Square(after - this))
            - some_after * large_after * small_before * inverse(after - before)
        )
    sixth = like(pixels, 1 / 6, scalar=True)
    gradients = [
        dy[..., 2] * largest[index] + dy[..., 1] * of_saturation[index] + dy[..., 0] * of_hue[index] * sixth
        for index in range(3)
    ]
    return raw.Pack(gradients, axis=-1)


# ------------------------------------------------------------------------------------------------- adjusting


@op(
    "AdjustHue[T: float16|float32 = float32](images: T, delta: float32) -> (output: T)",
    shape=_adjusted_dims,
    quiet=True,
)
@widened
def adjust_hue(xp: Any, images: Any, delta: Any) -> Any:
    _check_colours(images, 3)
    _check_scalar(delta, "delta")
    red, green, blue = _channels(images)
    largest = xp.maximum(red, xp.maximum(green, blue))
    smallest = xp.minimum(red, xp.minimum(green, blue))
    spread = largest - smallest
    some = xp.where(spread > 0, spread, xp.ones_like(spread))
    hue = xp.where(
        red == largest,
        (green - blue) / some,
        xp.where(green == largest, (blue - red) / some + 2, (red - green) / some + 4),
    )
    hue = xp.where(hue < 0, hue + 6, hue) + delta * 6
    hue = hue - 6 * xp.floor(hue / 6)
    hue = xp.where(spread > 0, hue, xp.zeros_like(hue))
    zero, one = xp.zeros((), dtype=images.dtype), xp.ones((), dtype=images.dtype)
    shares = (xp.abs(hue - 3) - 1, 2 - xp.abs(hue - 2), 2 - xp.abs(hue - 4))
    return xp.stack([smallest + xp.clip(share, zero, one) * spread for share in shares], axis=-1)


@op(
    "AdjustSaturation[T: float16|float32 = float32](images: T, scale: float32) -> (output: T)",
    shape=_adjusted_dims,
    quiet=True,
)
@widened
def adjust_saturation(xp: Any, images: Any, scale: Any) -> Any:
    _check_colours(images, 3)
    _check_scalar(scale, "scale")
    hue, saturation, value = _hue_saturation_value(xp, images)
    zero, one = xp.zeros((), dtype=images.dtype), xp.ones((), dtype=images.dtype)
    saturation = xp.clip(saturation * scale, zero, one)
    return hsv_to_rgb.kernel(xp, xp.stack([hue, saturation, value], axis=-1))  # type: ignore[operator, misc]


def _contrast_dims(images: Tensor, *others: Tensor) -> Dims:
    for other in others:
        if other.dims is not None and other.dims != ():
            raise ValueError(f"Expected a scalar, but its shape is {list(other.dims)}")
    return with_rank_at_least(images, 3, "images")


@op(
    "AdjustContrastv2[T: float16|float32 = float32](images: T, contrast_factor: float32) -> (output: T)",
    shape=_contrast_dims,
)
@widened
def adjust_contrast(xp: Any, images: Any, contrast_factor: Any) -> Any:
    if len(images.shape) < 3:
        raise InvalidArgumentError(f"images must have rank 3 at least, but their shape is {tuple(images.shape)}")
    _check_scalar(contrast_factor, "contrast_factor")
    if 0 in images.shape:
        return images
    mean = xp.mean(images, axis=(-3, -2), keepdims=True)
    return (images - mean) * contrast_factor + mean
