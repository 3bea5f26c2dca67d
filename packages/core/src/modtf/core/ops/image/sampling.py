"""How pixels along an axis are made of others: which ones, with what weights; and making images so.

Positions and weights are worked out in float32, as TensorFlow does, since rounding decides which pixels are taken.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from modtf.core.values.errors import InvalidArgumentError

_ONE = np.float32(1)
_HALF = np.float32(0.5)


class Taps(NamedTuple):
    """For each pixel to be made along an axis, the pixels that it is made of.

    Attributes:
        indices: Where they are, [taps, pixels].
        weights: Their weights, float32 of that shape; 0 where a pixel is made of fewer.
        size: The number of pixels that there are along the axis.
    """

    indices: np.ndarray
    weights: np.ndarray
    size: int

    @property
    def matrix(self) -> np.ndarray:
        """The same as a matrix [pixels, size]."""
        made = np.zeros((self.indices.shape[1], self.size), np.float32)
        for indices, weights in zip(self.indices, self.weights, strict=True):
            made[np.arange(len(made)), indices] += weights
        return made

    @property
    def transposed(self) -> Taps:
        """What makes gradients of pixels of gradients of what was made of them."""
        matrix = self.matrix
        used = matrix != 0
        count = len(matrix)
        start = np.argmax(used, axis=0)
        span = np.where(used.any(axis=0), count - np.argmax(used[::-1], axis=0) - start, 0)
        places = start + np.arange(max(1, span.max(initial=0)))[:, None]
        inside = places < count
        places = np.where(inside, places, 0)
        return Taps(places, np.where(inside, matrix[places, np.arange(self.size)], 0).astype(np.float32), count)


# ------------------------------------------------------------------------------------------------- positions


def step(size: int, made: int, align_corners: bool) -> np.float32:
    """The distance between the places of two neighbouring pixels that are made, in those that there are."""
    if align_corners and size > 1 and made > 1:
        return np.float32(size - 1) / np.float32(made - 1)
    return np.float32(size) / np.float32(made)


def _positions(size: int, made: int, align_corners: bool, half_pixel_centers: bool) -> np.ndarray:
    pixels = np.arange(made, dtype=np.float32)
    if half_pixel_centers:
        return (pixels + _HALF) * step(size, made, align_corners) - _HALF
    return pixels * step(size, made, align_corners)


def nearest_indices(size: int, made: int, align_corners: bool, half_pixel_centers: bool) -> np.ndarray:
    """The pixel that each one is a copy of."""
    places = (np.arange(made, dtype=np.float32) + (_HALF if half_pixel_centers else 0)) * step(
        size, made, align_corners
    )
    rounded = np.floor(places.astype(np.float64) + 0.5) if align_corners else np.floor(places)
    return np.clip(rounded.astype(np.int64), 0, size - 1)


def between(
    size: int, made: int, align_corners: bool, half_pixel_centers: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two pixels that each one lies between, and how far from the first towards the second."""
    places = _positions(size, made, align_corners, half_pixel_centers)
    floor = np.floor(places)
    lower = np.clip(floor.astype(np.int64), 0, size - 1)
    upper = np.clip(np.ceil(places).astype(np.int64), 0, size - 1)
    return lower, upper, places - floor


def linear_taps(size: int, made: int, align_corners: bool, half_pixel_centers: bool) -> Taps:
    """Linear interpolation."""
    lower, upper, share = between(size, made, align_corners, half_pixel_centers)
    return Taps(np.stack([lower, upper]), np.stack([_ONE - share, share]), size)


_CUBIC_STEPS = 1024


@functools.cache
def _cubic_table(a: float) -> np.ndarray:
    """Weights of the nearer and the farther neighbours, by the distance from the nearer one in 1024ths."""
    x = (np.arange(_CUBIC_STEPS + 1) / _CUBIC_STEPS).astype(np.float32).astype(np.float64)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    x = (x + 1).astype(np.float32).astype(np.float64)
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.stack([near, far]).astype(np.float32)


def cubic_taps(size: int, made: int, align_corners: bool, half_pixel_centers: bool) -> Taps:
    """Cubic convolution (R. G. Keys, 1981), with weights rounded to places in a table of 1024 steps.

    With pixels' centres at halves a is -0.5 and what lies outside the image counts nothing; otherwise a is -0.75 and
    the image's edge is repeated.
    """
    places = _positions(size, made, align_corners, half_pixel_centers)
    floor = np.floor(places)
    offset = np.rint((places - floor) * np.float32(_CUBIC_STEPS)).astype(np.int64)
    near, far = _cubic_table(-0.5 if half_pixel_centers else -0.75)
    weights = np.stack([far[offset], near[offset], near[_CUBIC_STEPS - offset], far[_CUBIC_STEPS - offset]])
    wanted = floor.astype(np.int64) + np.arange(-1, 3)[:, None]
    indices = np.clip(wanted, 0, size - 1)
    if half_pixel_centers:
        weights = np.where(indices == wanted, weights, np.float32(0))
        weights = _normalized(weights)
    return Taps(indices, weights, size)


def area_taps(size: int, made: int, align_corners: bool) -> Taps:
    """The part of each pixel that lies under the made one; weights that add up to the distance of two of those."""
    scale = step(size, made, align_corners)
    pixels = np.arange(made)
    begin, end = pixels.astype(np.float32) * scale, (pixels + 1).astype(np.float32) * scale
    first = np.floor(begin).astype(np.int64)
    last = np.ceil(end).astype(np.int64) - 1
    wanted = first + np.arange(max(1, int((last - first).max(initial=0)) + 1))[:, None]
    left, right = wanted.astype(np.float32), (wanted + 1).astype(np.float32)
    cut = right > end
    weights = np.where(left < begin, np.where(cut, scale, right - begin), np.where(cut, end - left, _ONE))
    weights = np.where(wanted <= last, weights, np.float32(0))
    return Taps(np.clip(wanted, 0, size - 1), weights.astype(np.float32), size)


def _normalized(weights: np.ndarray) -> np.ndarray:
    total = np.sum(weights, axis=0, dtype=np.float32)
    enough = np.abs(total) >= 1000 * np.finfo(np.float32).tiny
    return weights * (_ONE / np.where(enough, total, _ONE))


# ------------------------------------------------------------------------------------------------- filters


def _lanczos(radius: int) -> Callable[[np.ndarray], np.ndarray]:
    pi, width = np.float32(np.pi), np.float32(radius)

    def weight(x: np.ndarray) -> np.ndarray:
        safe = np.maximum(x, np.float32(1e-3))
        value = width * np.sin(pi * safe) * np.sin(pi * safe / width) / (pi * pi * safe * safe)
        return np.where(x > width, 0, np.where(x <= 1e-3, 1, value))

    return weight


def _gaussian(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 1.5, 0, np.exp(-x * x / (2 * 0.5 * 0.5)))


def _box(x: np.ndarray) -> np.ndarray:
    return np.where(x < 0.5, 1, np.where(x == 0.5, 0.5, 0))


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.where(x < 1, _ONE - x, 0)


def _keys_cubic(x: np.ndarray) -> np.ndarray:
    far = ((np.float32(-0.5) * x + np.float32(2.5)) * x - np.float32(4)) * x + np.float32(2)
    near = (np.float32(1.5) * x - np.float32(2.5)) * x * x + _ONE
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


def _mitchell_cubic(x: np.ndarray) -> np.ndarray:
    far = ((np.float32(-7 / 18) * x + np.float32(2)) * x - np.float32(10 / 3)) * x + np.float32(16 / 9)
    near = (np.float32(7 / 6) * x - np.float32(2)) * x * x + np.float32(8 / 9)
    return np.where(x >= 2, 0, np.where(x >= 1, far, near))


FILTERS: dict[str, tuple[float, Callable[[np.ndarray], np.ndarray]]] = {
    "lanczos1": (1.0, _lanczos(1)),
    "lanczos3": (3.0, _lanczos(3)),
    "lanczos5": (5.0, _lanczos(5)),
    "gaussian": (1.5, _gaussian),
    "box": (1.0, _box),
    "triangle": (1.0, _triangle),
    "keyscubic": (2.0, _keys_cubic),
    "mitchellcubic": (2.0, _mitchell_cubic),
}
"""The filters by name: how far each reaches, and its weight by distance.

The cubic ones are of Keys, 1981, and of Mitchell and Netravali, "Reconstruction filters in computer graphics", 1988; the
Gaussian's deviation is 0.5, after Turkowski, "Filters for common resampling tasks".
"""


def filter_taps(
    kernel_type: str, size: int, made: int, scale: np.float32, translation: np.float32, antialias: bool
) -> Taps:
    """A filter over the pixels around each place, wider where the image becomes smaller if `antialias`."""
    if kernel_type not in FILTERS:
        raise InvalidArgumentError(f"Unrecognized kernel type: {kernel_type}. Expected one of {', '.join(FILTERS)}")
    radius, weight = FILTERS[kernel_type]
    inverse = np.float32(1.0 / float(scale))
    shift = -inverse * translation
    stretch = np.maximum(inverse, _ONE) if antialias else _ONE
    reach = np.float32(radius) * stretch
    span = min(2 * int(np.ceil(reach)) + 1, size)
    places = (np.arange(made, dtype=np.float32) + _HALF) * inverse + shift
    outside = (places < 0) | (places > np.float32(size))
    near = np.where(outside, _HALF, places)
    first = np.clip(np.ceil(near - reach - _HALF).astype(np.int64), 0, size - 1)
    last = np.clip(np.floor(near + reach - _HALF).astype(np.int64), 0, size - 1)
    wanted = first + np.arange(span)[:, None]
    distances = np.abs((wanted.astype(np.float32) + _HALF - near) * (_ONE / stretch))
    weights = np.where(wanted <= last, weight(distances), 0).astype(np.float32)
    weights = np.where(outside, np.float32(0), _normalized(weights))
    return Taps(np.minimum(wanted, size - 1), weights, size)


# ------------------------------------------------------------------------------------------------- making images


def resampled(xp: Any, images: Any, rows: Taps, columns: Taps) -> Any:
    """Makes images [batch, rows, columns, channels] in float32 of others."""
    images, rows = _needed(xp, images, rows)
    return _along(xp, _along(xp, images, 2, columns), 1, rows)


def _needed(xp: Any, images: Any, rows: Taps) -> tuple[Any, Taps]:
    """Leaves rows out of which nothing is made, if they are many."""
    used, places = np.unique(rows.indices, return_inverse=True)
    if 4 * len(used) > 3 * rows.size:
        return images, rows
    return xp.take(images, xp.asarray(used), axis=1), Taps(places.reshape(rows.indices.shape), rows.weights, len(used))


def _along(xp: Any, images: Any, axis: int, taps: Taps) -> Any:
    count = len(taps.indices)
    if count > 4 and count * 40 > taps.size and (xp is not np or np.isfinite(images).all()):
        return _multiplied(xp, images, axis, taps.matrix)  # 0 times infinity would spread over whole rows
    shape = (-1, 1) if axis == 2 else (-1, 1, 1)
    total: Any = None
    for indices, weights in zip(taps.indices, taps.weights, strict=True):
        part = xp.astype(xp.take(images, xp.asarray(indices), axis=axis), xp.float32)
        part *= xp.asarray(weights.reshape(shape))
        total = part if total is None else total + part
    return total


def _multiplied(xp: Any, images: Any, axis: int, matrix: np.ndarray) -> Any:
    images = xp.astype(images, xp.float32)
    batch, height, width, channels = images.shape
    if axis == 1:
        flat = xp.reshape(images, (batch, height, width * channels))
        return xp.reshape(xp.matmul(xp.asarray(matrix), flat), (batch, len(matrix), width, channels))
    flat = xp.reshape(xp.permute_dims(images, (0, 1, 3, 2)), (batch * height * channels, width))
    made = xp.matmul(flat, xp.asarray(matrix.T))
    return xp.permute_dims(xp.reshape(made, (batch, height, channels, len(matrix))), (0, 1, 3, 2))


def interpolated(xp: Any, images: Any, rows: tuple[Any, ...], columns: tuple[Any, ...]) -> Any:
    """Interpolates linearly between pixels; each of `rows` and `columns` is what `between` says."""
    used, places = np.unique(np.stack(rows[:2]), return_inverse=True)
    if len(used) < images.shape[1]:
        images = xp.take(images, xp.asarray(used), axis=1)
        rows = (*places.reshape(2, -1), rows[2])
    for axis, (lower, upper, share) in ((2, columns), (1, rows)):
        start = xp.astype(xp.take(images, xp.asarray(lower), axis=axis), xp.float32)
        rise = xp.astype(xp.take(images, xp.asarray(upper), axis=axis), xp.float32)
        rise -= start
        rise *= xp.asarray(share.reshape((-1, 1) if axis == 2 else (-1, 1, 1)))
        rise += start
        images = rise
    return images
