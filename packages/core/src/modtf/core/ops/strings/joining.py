"""Strings out of several, and several out of one: joining, splitting, n-grams."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain, dropwhile, pairwise, repeat
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import constant_value, merged, normal_axis, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.values.errors import InvalidArgumentError, OutOfRangeError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def as_bytes(attribute: str) -> bytes:
    """The bytes of a string attribute."""
    return attribute.encode("utf-8", "surrogateescape")


def _strings(items: Sequence[bytes], shape: Sequence[int] = (-1,)) -> np.ndarray:
    return np.array(items, object).reshape(shape)


# ------------------------------------------------------------------------------------------------- joining


def _string_join_dims(inputs: Sequence[Tensor], *, separator: str) -> Dims:
    if all(tensor.dims == () for tensor in inputs):
        return ()
    return merged(*(tensor.dims for tensor in inputs if tensor.dims))


@op(
    "StringJoin(inputs: N * string, *, separator: string = '') -> (output: string)",
    shape=_string_join_dims,
    host_only=True,
)
def string_join(xp: Any, inputs: Sequence[np.ndarray], *, separator: str) -> np.ndarray:
    shapes = {array.shape for array in inputs if array.ndim} or {()}
    if len(shapes) > 1:
        raise InvalidArgumentError(
            f"Input shapes do not match: {' vs. '.join(str(list(shape)) for shape in sorted(shapes))}. "
            "Only scalars are repeated"
        )
    (shape,) = shapes
    columns = [array.reshape(-1).tolist() if array.ndim else repeat(array[()]) for array in inputs]
    rows = zip(*columns) if shape else [[array[()] for array in inputs]]
    return _strings(list(map(as_bytes(separator).join, rows)), shape)


def _reduce_join_dims(inputs: Tensor, reduction_indices: Tensor, *, keep_dims: bool, separator: str) -> Dims:
    axes = constant_value(reduction_indices)
    if inputs.dims is None or axes is None:
        return (None,) * len(inputs.dims) if inputs.dims is not None and keep_dims else None
    reduced = {normal_axis(int(axis), len(inputs.dims)) for axis in axes.reshape(-1)}
    return _without(inputs.dims, reduced, keep_dims)


def _without(dims: Sequence[Any], axes: Any, keep_dims: bool) -> tuple[Any, ...]:
    return tuple(1 if axis in axes else dim for axis, dim in enumerate(dims) if keep_dims or axis not in axes)


@op(
    "ReduceJoin(inputs: string, reduction_indices: int32, *, keep_dims: bool = False, separator: string = '') "
    "-> (output: string)",
    shape=_reduce_join_dims,
    host_only=True,
)
def reduce_join(
    xp: Any, inputs: np.ndarray, reduction_indices: np.ndarray, *, keep_dims: bool, separator: str
) -> np.ndarray:
    axes: list[int] = []
    for axis in reduction_indices.reshape(-1).tolist():
        if not -inputs.ndim <= axis < inputs.ndim:
            raise OutOfRangeError(f"Invalid reduction dimension {axis} for input with {inputs.ndim} dimension(s)")
        axes.append(axis % inputs.ndim)
        if axes.count(axes[-1]) > 1:
            raise InvalidArgumentError(f"Duplicate reduction dimension {axis}")
    kept = [axis for axis in range(inputs.ndim) if axis not in axes]
    count = math.prod(inputs.shape[axis] for axis in axes)
    # Along the first of the axes first.
    rows = inputs.transpose(kept + axes[::-1]).reshape(math.prod(inputs.shape[axis] for axis in kept), count)
    joined = list(map(as_bytes(separator).join, rows.tolist()))
    return _strings(joined, _without(inputs.shape, axes, keep_dims))


def _segment_join_dims(inputs: Tensor, segment_ids: Tensor, num_segments: Tensor, *, separator: str) -> Dims:
    if inputs.dims is None or segment_ids.dims is None:
        return None
    merged(inputs.dims[: len(segment_ids.dims)], segment_ids.dims)
    count = constant_value(num_segments)
    if count is not None and count < 0:
        raise ValueError(f"Number of segments must be non-negative but got {count}")
    return (None if count is None else int(count), *inputs.dims[len(segment_ids.dims) :])


@op(
    "UnsortedSegmentJoin[Tindices: index, Tnumsegments: index = int32]"
    "(inputs: string, segment_ids: Tindices, num_segments: Tnumsegments, *, separator: string = '') -> (output: string)",
    shape=_segment_join_dims,
    host_only=True,
)
def unsorted_segment_join(
    xp: Any, inputs: np.ndarray, segment_ids: np.ndarray, num_segments: np.ndarray, *, separator: str
) -> np.ndarray:
    count, shape = int(num_segments), segment_ids.shape
    if not shape:
        raise InvalidArgumentError("segment_ids cannot have rank 0")
    if len(shape) > inputs.ndim:
        raise OutOfRangeError(f"Invalid segment_id rank {len(shape)} for input with {inputs.ndim} dimension(s)")
    if inputs.shape[: len(shape)] != shape:
        raise InvalidArgumentError(
            f"inputs.shape = {list(inputs.shape)} does not start with segment_ids.shape = {list(shape)}"
        )
    if count < 0:
        raise InvalidArgumentError(f"Number of segments must be non-negative but got {count}")
    if segment_ids.size and not (segment_ids.min() >= 0 and segment_ids.max() < count):
        raise InvalidArgumentError(f"segment_ids must be in [0, num_segments), which is [0, {count})")
    rest = inputs.shape[len(shape) :]
    columns = math.prod(rest)
    parts: list[list[bytes]] = [[] for _ in range(count * columns)]
    for segment, row in zip(segment_ids.reshape(-1).tolist(), inputs.reshape(-1, columns or 1).tolist(), strict=False):
        for column, item in enumerate(row, segment * columns):
            parts[column].append(item)
    # As in TensorFlow, the separator stands behind what is there already, so not behind empty strings in front.
    joined = [as_bytes(separator).join(dropwhile(lambda item: not item, items)) for items in parts]
    return _strings(joined, (count, *rest))


# ------------------------------------------------------------------------------------------------- splitting


def _split(name: str, arguments: str, splitter: Callable[..., Callable[[bytes], list[bytes]]]) -> None:
    """`splitter(separator, attribute)` gives the function that takes a string apart."""

    def dims(input: Tensor, separator: Tensor, **attrs: Any) -> list[Dims]:
        with_rank(input, 1, "input")
        with_rank(separator, 0, "the separator")
        return [(None, 2), (None,), (2,)]

    def kernel(xp: Any, input: np.ndarray, separator: np.ndarray, **attrs: Any) -> list[np.ndarray]:
        if input.ndim != 1:
            raise InvalidArgumentError(f"input must be a vector, got shape: {list(input.shape)}")
        if separator.ndim:
            raise InvalidArgumentError(f"the separator must be a scalar, got shape: {list(separator.shape)}")
        pieces = list(map(splitter(separator[()], *attrs.values()), input.tolist()))
        counts = np.array([len(items) for items in pieces], np.int64)
        starts = np.cumsum(counts) - counts
        rows = np.repeat(np.arange(len(input)), counts)
        places = np.stack([rows, np.arange(len(rows)) - starts[rows]], 1)
        return [
            places.astype(np.int64, copy=False),
            _strings(list(chain.from_iterable(pieces))),
            np.array([len(input), counts.max(initial=0)], np.int64),
        ]

    schema = f"{name}(input: string, {arguments}) -> (indices: int64, values: string, shape: int64)"
    register(Op(schema, kernel=kernel, shape=dims, host_only=True))


def _at_any_of(delimiters: bytes, skip_empty: bool) -> Callable[[bytes], list[bytes]]:
    if not delimiters:
        return lambda text: [text[at : at + 1] for at in range(len(text))]
    first = delimiters[:1]
    table = bytes.maketrans(delimiters, first * len(delimiters)) if len(delimiters) > 1 else None

    def split(text: bytes) -> list[bytes]:
        found = (text.translate(table) if table else text).split(first) if text else []
        return [piece for piece in found if piece] if skip_empty else found

    return split


def _at(separator: bytes, maxsplit: int) -> Callable[[bytes], list[bytes]]:
    if maxsplit == 0:
        return lambda text: [text]
    if separator or maxsplit < 0:
        return lambda text: text.split(separator or None, maxsplit)

    def at_space(text: bytes) -> list[bytes]:
        found = text.split(None, maxsplit)
        return [*found, b""] if len(found) == maxsplit else found  # as in TensorFlow, the rest even if it is empty

    return at_space


_split("StringSplit", "delimiter: string, *, skip_empty: bool = True", _at_any_of)
_split("StringSplitV2", "sep: string, *, maxsplit: int = -1", _at)


# ------------------------------------------------------------------------------------------------- n-grams


def _check_splits(splits: list[int], size: int) -> None:
    if splits and splits[0] != 0:
        raise InvalidArgumentError(f"First split value must be 0, got {splits[0]}")
    for before, split in pairwise(splits):
        if not before <= split <= size:
            raise InvalidArgumentError(f"Invalid split value {split}, must be in [{before}, {size}]")
    if splits and splits[-1] != size:
        raise InvalidArgumentError(f"Last split value must be data size. Expected {size}, got {splits[-1]}")


def _ngram_dims(data: Tensor, data_splits: Tensor, **attrs: Any) -> list[Dims]:
    with_rank(data, 1, "data")
    with_rank(data_splits, 1, "data_splits")
    return [(None,), data_splits.dims]


@op(
    "StringNGrams[Tsplits: index = int64](data: string, data_splits: Tsplits, *, separator: string, "
    "ngram_widths: list(int), left_pad: string, right_pad: string, pad_width: int, preserve_short_sequences: bool) "
    "-> (ngrams: string, ngrams_splits: Tsplits)",
    shape=_ngram_dims,
    host_only=True,
)
def string_ngrams(
    xp: Any, data: np.ndarray, data_splits: np.ndarray, *, separator: str, ngram_widths: tuple[int, ...], left_pad: str,
    right_pad: str, pad_width: int, preserve_short_sequences: bool,
) -> list[np.ndarray]:  # fmt: skip
    if any(width <= 0 for width in ngram_widths):
        raise InvalidArgumentError(f"ngram_widths must contain positive values, not {list(ngram_widths)}")
    tokens, splits = data.tolist(), data_splits.tolist()
    _check_splits(splits, len(tokens))
    if not tokens or not splits:
        return [np.full(data.shape, b"", object), np.zeros_like(data_splits)]
    join = as_bytes(separator).join
    left, right = as_bytes(left_pad), as_bytes(right_pad)
    ngrams: list[bytes] = []
    ends = [0]
    for start, stop in pairwise(splits):
        row = tokens[start:stop]
        for width in ngram_widths:
            pad = width - 1 if pad_width < 0 else min(pad_width, width - 1)
            padded = [left] * pad + row + [right] * pad
            ngrams += [join(padded[at : at + width]) for at in range(len(padded) - width + 1)]
        if preserve_short_sequences and row and len(ngrams) == ends[-1]:
            if pad_width < 0:
                raise InvalidArgumentError(
                    "Pad width should be >= 0 when preserve_short_sequences is True and ngram_widths are not "
                    f"provided, got {pad_width}"
                )
            ngrams.append(join([left] * pad_width + row + [right] * pad_width))
        ends.append(len(ngrams))
    return [_strings(ngrams), np.array(ends, data_splits.dtype)]
