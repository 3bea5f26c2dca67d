"""Pooling by windows of varying size, chosen at random (B. Graham, "Fractional Max-Pooling", 2014), and its gradients."""

from __future__ import annotations

import itertools
import math
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, with_rank
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.random.bits import philox_blocks
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_WORD = (1 << 64) - 1

# ------------------------------------------------------------------------------------------------- the windows


class _Words:
    """Random words of Philox, in order; each use begins with a new block, as TensorFlow's reservations do."""

    def __init__(self, seed: int, seed2: int) -> None:
        self._key = np.array([seed & _WORD], np.uint64)
        self._counter = np.array([0, seed2 & _WORD], np.uint64)

    def take(self, count: int) -> list[int]:
        blocks = -(-count // 4)
        words = philox_blocks(np, self._key, self._counter, np.arange(blocks, dtype=np.uint64))
        self._counter[0] += np.uint64(blocks)
        return words.reshape(-1)[:count].tolist()


def _sizes_of_windows(length: int, count: int, words: _Words, pseudo_random: bool) -> list[int]:
    """The sizes of `count` windows side by side that cover `length` elements."""
    least, rest = divmod(length, count)
    if not pseudo_random:
        sizes = [least + 1] * rest + [least] * (count - rest)
        for place, word in zip(range(count - 1), words.take(count), strict=False):
            other = place + word % (count - place)
            sizes[place], sizes[other] = sizes[other], sizes[place]
        return sizes
    alpha = length / count
    largest = min((least + 2) / alpha - 1, (length + 1 - least) / alpha - (count - 1))
    high, low = words.take(2)
    offset = (((high & 0xFFFFF) << 32) | low) * 2.0**-52 * largest
    ends = [1, *(math.ceil(alpha * (place + offset)) for place in range(1, count)), length + 1]
    return [end - start for start, end in itertools.pairwise(ends)]


def _spans(sequence: np.ndarray, overlapping: bool) -> list[slice]:
    """The windows along an axis; overlapping ones reach into the next one by an element."""
    ends = sequence.tolist()
    return [slice(start, min(end + overlapping, ends[-1])) for start, end in itertools.pairwise(ends)]


def _windows(rows: np.ndarray, columns: np.ndarray, overlapping: bool) -> Iterator[tuple[int, int, tuple[slice, ...]]]:
    """For each place of the result, the index of the window there."""
    for row, vertical in enumerate(_spans(rows, overlapping)):
        for column, horizontal in enumerate(_spans(columns, overlapping)):
            yield row, column, (slice(None), vertical, horizontal)


# ------------------------------------------------------------------------------------------------- kernels


def _mean(window: np.ndarray) -> np.ndarray:
    total = window.sum(axis=(1, 2))
    count = window.shape[1] * window.shape[2]
    return total // count if window.dtype.kind == "i" and (total >= 0).all() else (total / count).astype(window.dtype)


def _check_ratios(ratios: tuple[float, ...]) -> None:
    if len(ratios) != 4 or ratios[0] != 1 or ratios[3] != 1 or min(ratios) < 1:
        raise InvalidArgumentError(
            f"pooling_ratio must hold 4 numbers from 1 up, with 1 for the batch and the channels; it is {list(ratios)}"
        )


def _check_sizes(dims: tuple[int, ...], ratios: tuple[float, ...]) -> None:
    for axis, (size, ratio) in enumerate(zip(dims, ratios, strict=True)):
        if size < ratio:
            raise InvalidArgumentError(f"pooling_ratio {ratio} is higher than axis {axis} is long, {size}")


def _count(length: int, ratio: float) -> int:
    return math.floor(np.float32(length) / np.float32(ratio))


def _pool(reduce: Any) -> Any:
    def kernel(
        xp: Any, value: np.ndarray, *, pooling_ratio: tuple[float, ...], pseudo_random: bool, overlapping: bool,
        deterministic: bool, seed: int, seed2: int,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
        _check_ratios(pooling_ratio)
        if value.ndim != 4:
            raise ValueError(f"value must be 4-dimensional, but its shape is {list(value.shape)}")
        _check_sizes(value.shape, pooling_ratio)
        if not deterministic and (seed or seed2):
            raise InvalidArgumentError("Both seed and seed2 should be 0 if deterministic is false.")
        if not seed and not seed2:
            seed, seed2 = secrets.randbits(64), secrets.randbits(64)
        words = _Words(seed, seed2)
        sequences = []
        for axis in (1, 2):
            length = value.shape[axis]
            sizes = _sizes_of_windows(length, _count(length, pooling_ratio[axis]), words, pseudo_random)
            sequences.append(np.cumsum([0, *sizes], dtype=np.int64))
        rows, columns = sequences
        output = np.empty((value.shape[0], len(rows) - 1, len(columns) - 1, value.shape[3]), value.dtype)
        for row, column, window in _windows(rows, columns, overlapping):
            output[:, row, column] = reduce(value[window])
        return output, rows, columns

    return kernel


def _max_grad(
    xp: Any, orig_input: np.ndarray, orig_output: np.ndarray, out_backprop: np.ndarray, rows: np.ndarray,
    columns: np.ndarray, *, overlapping: bool,
) -> np.ndarray:  # fmt: skip
    result = np.zeros_like(orig_input)
    for row, column, window in _windows(rows, columns, overlapping):
        seen = orig_input[window]
        flat = seen.reshape(seen.shape[0], -1, seen.shape[3])
        share = np.zeros_like(flat)
        np.put_along_axis(share, flat.argmax(axis=1)[:, None], out_backprop[:, row, column][:, None], axis=1)
        result[window] += share.reshape(seen.shape)
    return result


def _avg_grad(
    xp: Any, orig_input_tensor_shape: np.ndarray, out_backprop: np.ndarray, rows: np.ndarray, columns: np.ndarray, *,
    overlapping: bool,
) -> np.ndarray:  # fmt: skip
    result = np.zeros(orig_input_tensor_shape.tolist(), np.float64)
    for row, column, window in _windows(rows, columns, overlapping):
        count = (window[1].stop - window[1].start) * (window[2].stop - window[2].start)
        result[window] += (out_backprop[:, row, column] / count)[:, None, None]
    return result.astype(out_backprop.dtype)


# ------------------------------------------------------------------------------------------------- the ops


def _pooled_dims(value: Tensor, *, pooling_ratio: tuple[float, ...], **attrs: Any) -> list[Dims]:
    _check_ratios(pooling_ratio)
    dims = with_rank(value, 4, "value")
    pooled = tuple(None if size is None else _count(size, r) for size, r in zip(dims, pooling_ratio, strict=True))
    return [pooled, *((None if size is None else size + 1,) for size in pooled[1:3])]


_TYPES = "T: index|float32|float64"
_SEQUENCES = "row_pooling_sequence: int64, col_pooling_sequence: int64"
_ATTRS = (
    "pooling_ratio: list(float), pseudo_random: bool = False, overlapping: bool = False, deterministic: bool = False, "
    "seed: int = 0, seed2: int = 0"
)


def _register(name: str, reduce: Any, grad_takes: str, grad: Any, grad_dims: Any) -> None:
    pooling = register(
        Op(
            f"{name}[{_TYPES}](value: T, *, {_ATTRS}) -> (output: T, {_SEQUENCES})",
            kernel=_pool(reduce),
            shape=_pooled_dims,
            host_only=True,
        )
    )
    backward = register(
        Op(
            f"{name}Grad[{_TYPES}]({grad_takes}, out_backprop: T, {_SEQUENCES}, *, overlapping: bool = False) "
            "-> (output: T)",
            kernel=grad,
            shape=grad_dims,
            host_only=True,
        )
    )

    @pooling.gradient
    def _(call: Any, dy: Tensor, *unused: Any) -> Tensor:
        x, (y, rows, columns) = call.inputs[0], call.outputs
        first = (x, y) if name == "FractionalMaxPool" else (raw.Shape(x, out_type="int64"),)
        return backward(*first, dy, rows, columns, overlapping=call["overlapping"])


_register(
    "FractionalMaxPool", lambda window: window.max(axis=(1, 2)), "orig_input: T, orig_output: T", _max_grad,
    lambda orig_input, *others, overlapping: with_rank(orig_input, 4, "orig_input"),
)  # fmt: skip
_register(
    "FractionalAvgPool", _mean, "orig_input_tensor_shape: int64", _avg_grad,
    lambda orig_input_tensor_shape, *others, overlapping: dims_from_value(orig_input_tensor_shape) or (None,) * 4,
)  # fmt: skip
