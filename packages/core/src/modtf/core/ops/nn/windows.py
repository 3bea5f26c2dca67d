"""Windows that slide over axes: how they lie, taking what they see, and adding back to where it was taken.

Convolutions and poolings, and the gradients of both, consist of these. A tuple of `Window` describes the leading axes
of an array, one each; axes behind them (channels) stay whole. A *tap* is one position inside the windows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

CACHE_BYTES = 4 << 20
"""NumPy kernels with large intermediate results work through a batch in parts whose intermediates take so much."""


class Window(NamedTuple):
    """How windows lie along one axis; sizes that depend on an unknown size are `None`.

    Attributes:
        size: Elements along the axis.
        taps: Elements that a window takes.
        stride: The distance from one window to the next.
        dilation: The distance from one tap to the next.
        before: Padding in front of the first element.
        after: Padding behind the last.
        count: The number of windows.
    """

    size: Any
    taps: Any
    stride: int
    dilation: int
    before: Any
    after: Any
    count: Any

    @property
    def span(self) -> int:
        """From a window's first element to its last, both included."""
        return (self.taps - 1) * self.dilation + 1

    @property
    def trivial(self) -> bool:
        """Whether each window is just one element, and each element a window."""
        return self.taps == 1 and self.stride == 1 and not self.before and not self.after


def lay(
    size: int | None, taps: int | None, stride: int, dilation: int, padding: str, explicit: Sequence[int] = ()
) -> Window:
    """Lays windows along an axis.

    Args:
        size: Elements along the axis.
        taps: Elements that a window takes.
        stride: From one window to the next.
        dilation: From one tap to the next.
        padding: `"VALID"`, `"SAME"` (as many windows as strides begin, the padding even, the odd one behind) or
            `"EXPLICIT"`.
        explicit: For `"EXPLICIT"` the padding before and after.

    Raises:
        ValueError: The axis with its padding is too short for a window.
    """
    before, after = explicit if padding == "EXPLICIT" else (0, 0)
    if size is None or taps is None:
        count = None if size is None or padding != "SAME" else -(-size // stride)
        return Window(size, taps, stride, dilation, before, after, count)
    span = (taps - 1) * dilation + 1
    if padding == "SAME":
        count = -(-size // stride)
        total = max((count - 1) * stride + span - size, 0) if count else 0
        return Window(size, taps, stride, dilation, total // 2, total - total // 2, count)
    room = size + before + after - span + stride
    count = int(room / stride)  # rounded towards zero, as TensorFlow does
    if count < 0:
        raise ValueError(
            f"Computed output size would be negative: {count} [input_size: {size + before + after}, "
            f"effective_filter_size: {span}, stride: {stride}]"
        )
    return Window(size, taps, stride, dilation, before, after, count)


def whole(size: int | None) -> Window:
    """The window of an axis that nothing slides over."""
    return Window(size, 1, 1, 1, 0, 0, size)


def check_explicit(padding: str, explicit_paddings: Sequence[int], rank: int, data_format: str) -> None:
    """Checks the attribute `explicit_paddings`.

    Raises:
        ValueError: It is given with another padding, has not two values for each axis, or they are not valid.
    """
    if padding != "EXPLICIT":
        if explicit_paddings:
            raise ValueError("explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT")
        return
    if len(explicit_paddings) != 2 * rank:
        raise ValueError(
            f"explicit_paddings attribute must contain {2 * rank} values, but got: {len(explicit_paddings)}"
        )
    if any(item < 0 for item in explicit_paddings):
        raise ValueError("All elements of explicit_paddings must be nonnegative")
    for axis in (data_format.index("N"), data_format.index("C")):
        if explicit_paddings[2 * axis] or explicit_paddings[2 * axis + 1]:
            raise ValueError("Nonzero explicit padding in the batch or depth dimensions is not supported")


def counts(windows: Iterable[Window]) -> tuple[Any, ...]:
    """How many windows there are along each axis: the shape of a result."""
    return tuple(window.count for window in windows)


def taps(windows: Sequence[Window]) -> Iterator[tuple[int, ...]]:
    """All taps, the last axis fastest."""
    return itertools.product(*(range(window.taps) for window in windows))


def padded(xp: Any, x: Any, windows: Sequence[Window], value: Any = 0) -> Any:
    """Returns `x` with the windows' padding around it, filled with `value`; negative padding cuts off."""
    if any(window.before < 0 or window.after < 0 for window in windows):
        kept = (slice(max(-w.before, 0), n - max(-w.after, 0)) for w, n in zip(windows, x.shape, strict=False))
        x = x[(*kept, ...)]
        windows = [window._replace(before=max(window.before, 0), after=max(window.after, 0)) for window in windows]
    if not any(window.before or window.after for window in windows):
        return x
    if xp is np:
        around = [w.before + n + w.after for w, n in zip(windows, x.shape, strict=False)]
        result = np.full((*around, *x.shape[len(windows) :]), value, x.dtype)
        result[tuple(slice(w.before, w.before + n) for w, n in zip(windows, x.shape, strict=False))] = x
        return result
    for axis, window in enumerate(windows):
        x = _lengthened(xp, x, axis, window.before, window.after, value)
    return x


def _lengthened(xp: Any, x: Any, axis: int, before: int, after: int, value: Any = 0) -> Any:
    def filling(size: int) -> list[Any]:
        return [xp.full((*x.shape[:axis], size, *x.shape[axis + 1 :]), value, dtype=x.dtype)] if size else []

    return xp.concat([*filling(before), x, *filling(after)], axis=axis) if before or after else x


def at_tap(x: Any, windows: Sequence[Window], tap: Sequence[int]) -> Any:
    """Returns what all windows see at one tap: a view of the padded `x`, as many elements an axis as windows."""
    taken = (
        slice(k * w.dilation, k * w.dilation + max((w.count - 1) * w.stride + 1, 0), w.stride)
        for w, k in zip(windows, tap, strict=True)
    )
    return x[(*taken, ...)]


def strided_taps(x: np.ndarray, windows: Sequence[Window]) -> np.ndarray:
    """Returns a NumPy view of the padded `x` with all that the windows see: counts, then taps, then channels."""
    sizes, strides = x.shape[len(windows) :], x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        (*counts(windows), *(w.taps for w in windows), *sizes),
        (
            *(w.stride * step for w, step in zip(windows, strides, strict=False)),
            *(w.dilation * step for w, step in zip(windows, strides, strict=False)),
            *strides[len(windows) :],
        ),
        writeable=False,
    )


def overlay(xp: Any, parts: Iterable[Any], windows: Sequence[Window]) -> Any:
    """Adds up arrays of one element a window, each laid where its tap was taken: what `at_tap` is the transpose of.

    Args:
        xp: The namespace.
        parts: An array for each tap, in the order of `taps`; shaped counts, then channels.
        windows: The windows.

    Returns:
        The sum, shaped as what the windows slide over, without padding.
    """
    if all(window.trivial for window in windows):
        return next(iter(parts))
    if xp is not np:
        parts = list(parts)
        for axis in reversed(range(len(windows))):
            step = windows[axis].taps
            parts = [_laid(xp, parts[i : i + step], windows[axis], axis) for i in range(0, len(parts), step)]
        return parts[0]
    total: Any = None
    for tap, part in zip(taps(windows), parts, strict=True):
        if total is None:
            around = [window.before + window.size + window.after for window in windows]
            total = np.zeros((*around, *part.shape[len(windows) :]), part.dtype)
        view = at_tap(total, windows, tap)
        view += part
    return total[tuple(slice(window.before, window.before + window.size) for window in windows)]


def _laid(xp: Any, parts: Sequence[Any], window: Window, axis: int) -> Any:
    """`overlay` along one axis without writing in place: sums for each phase of the stride, then interleaved."""
    if window.trivial:
        return parts[0]
    stride, padded_size = window.stride, window.before + window.size + window.after
    length = -(-padded_size // stride)
    phases = []
    for phase in range(stride):
        lengthened = [
            _lengthened(xp, part, axis, offset // stride, length - window.count - offset // stride)
            for part, offset in zip(parts, range(0, window.span, window.dilation), strict=True)
            if offset % stride == phase
        ]
        if lengthened:
            phases.append(sum(lengthened[1:], lengthened[0]))
        else:
            sizes = parts[0].shape
            phases.append(xp.zeros((*sizes[:axis], length, *sizes[axis + 1 :]), dtype=parts[0].dtype))
    total = phases[0]
    if stride > 1:
        sizes = total.shape
        total = xp.reshape(xp.stack(phases, axis=axis + 1), (*sizes[:axis], length * stride, *sizes[axis + 1 :]))
    return total[(slice(None),) * axis + (slice(window.before, window.before + window.size), ...)]


def batches(xp: Any, count: int, bytes_each: int) -> list[slice]:
    """Divides a batch into parts whose intermediate results fit the cache; only NumPy needs that."""
    step = max(1, CACHE_BYTES // max(bytes_each, 1)) if xp is np else max(count, 1)
    return [slice(start, min(start + step, count)) for start in range(0, max(count, 1), step)]


def in_batches(xp: Any, kernel: Callable[..., Any], arrays: Sequence[Any], windows: Sequence[Window]) -> Any:
    """Calls `kernel(*arrays, windows)` on parts of the batch, which is the first axis, and joins the results."""
    count = windows[0].count
    largest = max(array.nbytes for array in arrays) if xp is np else 0
    parts = batches(xp, count, 4 * largest // max(count, 1)) if windows[0].trivial else [slice(None)]
    if len(parts) == 1:
        return kernel(*arrays, windows)
    result: Any = None
    for part in parts:
        some = kernel(*(array[part] for array in arrays), (whole(part.stop - part.start), *windows[1:]))
        if result is None:
            result = np.empty((count, *some.shape[1:]), some.dtype)
        result[part] = some
    return result
