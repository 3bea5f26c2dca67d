"""The arithmetic of convolutions and of their gradients, on channels-last arrays of any number of spatial axes.

Dense and grouped ones: the patches under the windows become the rows of one matrix, which is multiplied with the
filters as another ("im2col"; K. Chellapilla et al., "High Performance Convolutional Neural Networks for Document
Processing", 2006). Depthwise ones, where that would be thousands of tiny products, are shifted multiply-adds instead,
which NumPy's `einsum` does in one pass over memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from modtf.core.ops.nn.windows import (
    Window,
    at_tap,
    batches,
    counts,
    in_batches,
    overlay,
    padded,
    strided_taps,
    taps,
    whole,
)  # fmt: skip

_TILE_BYTES = 1 << 20
_Windows = tuple[Window, ...]

# ------------------------------------------------------------------------------------------------- dense and grouped


def _patches(xp: Any, x: Any, windows: _Windows) -> Any:
    """What each window sees of the padded `x`, as a row of a matrix."""
    if xp is np:
        seen = strided_taps(x, windows)
    elif all(window.taps == 1 for window in windows):
        seen = at_tap(x, windows, (0,) * len(windows))
    else:
        seen = xp.concat([at_tap(x, windows, tap) for tap in taps(windows)], axis=-1)
    rows = int(np.prod(counts(windows)))
    return xp.reshape(seen, (rows, int(np.prod([window.taps for window in windows])) * x.shape[-1]))


def convolve(xp: Any, x: Any, filters: Any, windows: _Windows) -> Any:
    """Returns the convolution; filters are shaped taps, depth of a group, output depth."""
    *inside, inner, outer = filters.shape
    groups = x.shape[-1] // inner
    if groups > 1 and inner == 1:
        return convolve_depthwise(xp, x, xp.reshape(filters, (*inside, groups, outer // groups)), windows)
    if groups > 1:
        pairs = zip(_split(x, groups), _split(filters, groups), strict=True)
        return xp.concat([convolve(xp, *pair, windows) for pair in pairs], axis=-1)
    matrix = xp.reshape(filters, (-1, outer))
    x = padded(xp, x, windows)
    result_shape = (*counts(windows), outer)
    if xp is not np or all(window.taps == 1 for window in windows):
        return xp.reshape(xp.matmul(_patches(xp, x, windows), matrix), result_shape)
    result = np.empty(result_shape, np.result_type(x, matrix))
    for images, lines, part in _blocks(windows, matrix.shape[0] * x.itemsize):
        target = result[images, lines]
        patches = _patches(np, x[images, lines.start * windows[1].stride :], part)
        np.matmul(patches, matrix, out=target.reshape(-1, outer))  # a view: blocks are contiguous
    return result


def input_back(xp: Any, filters: Any, dy: Any, windows: _Windows, depth: int) -> Any:
    """Returns the gradient of `convolve` for its input of that depth: each tap's product laid where it was taken."""
    *inside, inner, outer = filters.shape
    groups = depth // inner
    if groups > 1 and inner == 1:
        shaped = xp.reshape(filters, (*inside, groups, outer // groups))
        return depthwise_input_back(xp, shaped, dy, windows, depth)
    if groups > 1:
        pairs = zip(_split(filters, groups), _split(dy, groups), strict=True)
        return xp.concat([input_back(xp, *pair, windows, inner) for pair in pairs], axis=-1)

    def back(dy: Any, windows: _Windows) -> Any:
        rows, shape = xp.reshape(dy, (-1, outer)), (*counts(windows), inner)
        parts = (
            xp.reshape(xp.matmul(rows, xp.matrix_transpose(filters[(*tap[1:], ...)])), shape) for tap in taps(windows)
        )
        return overlay(xp, parts, windows)

    return in_batches(xp, back, [dy], windows)


def filter_back(xp: Any, x: Any, dy: Any, windows: _Windows, shape: tuple[int, ...]) -> Any:
    """Returns the gradient of `convolve` for its filters of that shape: patches times gradients."""
    *inside, inner, outer = shape
    groups = x.shape[-1] // inner
    if groups > 1 and inner == 1:
        result = depthwise_filter_back(xp, x, dy, windows, (*inside, groups, outer // groups))
        return xp.reshape(result, shape)
    if groups > 1:
        pairs = zip(_split(x, groups), _split(dy, groups), strict=True)
        each = (*inside, inner, outer // groups)
        return xp.concat([filter_back(xp, *pair, windows, each) for pair in pairs], axis=-1)
    x = padded(xp, x, windows)
    lead, last = windows[:-1], windows[-1]
    alone = tuple(whole(window.count) for window in lead)
    rows = xp.reshape(dy, (-1, outer))
    products = []
    for tap in taps(lead):  # with the last axis' taps at once: long rows without the memory of all patches
        patches = _patches(xp, at_tap(x, lead, tap), (*alone, last))
        products.append(xp.matmul(xp.matrix_transpose(patches), rows))
    return xp.reshape(xp.concat(products, axis=0), shape)


def _blocks(windows: _Windows, row_bytes: int) -> Iterator[tuple[slice, slice, _Windows]]:
    """Divides the windows, by images or within an image by lines, so that the patches of each part fit the cache."""
    batch, line = windows[0], windows[1]
    line_bytes = row_bytes * int(np.prod([window.count for window in windows[2:]]))
    for images in batches(np, batch.count, line_bytes * line.count):
        alone = images.stop - images.start == 1
        for lines in batches(np, line.count, line_bytes) if alone else [slice(0, line.count)]:
            part = (batch._replace(count=images.stop - images.start), line._replace(count=lines.stop - lines.start))
            yield images, lines, (*part, *windows[2:])


def _split(x: Any, groups: int) -> list[Any]:
    step = x.shape[-1] // groups
    return [x[..., start : start + step] for start in range(0, x.shape[-1], step)]


# ------------------------------------------------------------------------------------------------- depthwise


def convolve_depthwise(xp: Any, x: Any, filters: Any, windows: _Windows) -> Any:
    """Returns the depthwise convolution of a channels-last input with filters shaped taps, channels, multiplier."""
    multiplier = filters.shape[-1]
    if multiplier > 1:
        x = xp.repeat(x, multiplier, axis=-1)
    weights = xp.reshape(filters, (*filters.shape[:-2], x.shape[-1]))
    return _multiply_add(xp, x, weights, windows)


def depthwise_input_back(xp: Any, filters: Any, dy: Any, windows: _Windows, channels: int) -> Any:
    """Returns the gradient of `convolve_depthwise` for its input of so many channels."""
    multiplier = filters.shape[-1]
    weights = xp.reshape(filters, (*filters.shape[:-2], channels * multiplier))
    if all(window.stride == 1 for window in windows):  # a convolution too, with the filter turned round
        turned = tuple(_turned(window) for window in windows)
        result = _multiply_add(xp, dy, xp.flip(weights, axis=tuple(range(len(windows) - 1))), turned)
    else:

        def back(dy: Any, windows: _Windows) -> Any:
            return overlay(xp, (dy * weights[(*tap[1:], ...)] for tap in taps(windows)), windows)

        result = in_batches(xp, back, [dy], windows)
    if multiplier > 1:
        result = xp.sum(xp.reshape(result, (*result.shape[:-1], channels, multiplier)), axis=-1)
    return result


def depthwise_filter_back(xp: Any, x: Any, dy: Any, windows: _Windows, shape: tuple[int, ...]) -> Any:
    """Returns the gradient of `convolve_depthwise` for its filters of that shape."""
    multiplier = shape[-1]
    if multiplier > 1:
        x = xp.repeat(x, multiplier, axis=-1)
    x = padded(xp, x, windows)
    if xp is np:
        seen, positions, inside, channel = _einsum_axes(x, windows)
        result = np.einsum(seen, [*positions, *inside, channel], dy, [*positions, channel], [*inside, channel])
    else:
        axes = tuple(range(len(windows)))
        result = xp.stack([xp.sum(at_tap(x, windows, tap) * dy, axis=axes) for tap in taps(windows)], axis=0)
    return xp.reshape(result, shape)


def _turned(window: Window) -> Window:
    """The window of the convolution that is the gradient of one with stride 1."""
    before = window.span - 1 - window.before
    return window._replace(
        size=window.count, before=before, after=window.size + window.span - 1 - window.count - before, count=window.size
    )


def _multiply_add(xp: Any, x: Any, weights: Any, windows: _Windows) -> Any:
    if xp is np:
        return in_batches(np, lambda x, windows: _multiply_add_in_one_pass(x, weights, windows), [x], windows)
    x = padded(xp, x, windows)
    products = [at_tap(x, windows, tap) * weights[(*tap[1:], ...)] for tap in taps(windows)]
    return sum(products[1:], products[0])


def _multiply_add_in_one_pass(x: np.ndarray, weights: np.ndarray, windows: _Windows) -> np.ndarray:
    x = padded(np, x, windows)
    result = np.empty((*counts(windows), x.shape[-1]), x.dtype)
    last, channels = windows[-1], x.shape[-1]
    if last.stride == 1 and weights.nbytes * last.count <= _TILE_BYTES:
        # A line's windows and channels lie in one run, so that the inner loop is long however few the channels.
        line = last.count * channels
        x = np.ascontiguousarray(x)
        seen = strided_taps(x, windows)
        ahead = seen.strides[: len(windows) - 1] + seen.strides[len(windows) : 2 * len(windows)] + seen.strides[-1:]
        shape = (*counts(windows[:-1]), *(window.taps for window in windows), line)
        runs = np.lib.stride_tricks.as_strided(x, shape, ahead, writeable=False)
        tile = np.tile(weights, last.count)
        positions, inside, run = list(range(len(windows) - 1)), list(range(10, 10 + len(windows))), 20
        np.einsum(
            runs, [*positions, *inside, run], tile[None], [*inside, run], [*positions, run],
            out=result.reshape(*counts(windows[:-1]), line),
        )  # fmt: skip
        return result
    seen, positions, inside, channel = _einsum_axes(x, windows)
    np.einsum(
        seen, [*positions, *inside, channel], weights[None], [*inside, channel], [*positions, channel], out=result
    )
    return result


def _einsum_axes(x: np.ndarray, windows: _Windows) -> tuple[np.ndarray, list[int], list[int], int]:
    """All that the windows see, and einsum's labels for its axes: positions, taps, channel."""
    return strided_taps(x, windows), list(range(len(windows))), list(range(10, 10 + len(windows))), 20
