"""Strings out of many: joining along axes and segments, n-grams, formatting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.api.arguments import host
from modtf.core.api.dispatch import dispatched, implements
from modtf.core.api.formatting import format_values, ragged_text
from modtf.core.api.ragged.reducing import reduction
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.ragged import RaggedTensor
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- joining


@dispatched
def reduce_join(
    inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: str | None = None
) -> Any:
    """Joins the strings along axes.

    Args:
        inputs: Strings.
        axis: An axis, or a list of axes, along the first of which is joined first; by default all, row by row.
        keepdims: Whether the joined axes remain with size 1.
        separator: What to put between strings.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: An axis is named twice.
    """
    strings = convert_to_tensor(inputs, dtype_hint=dtypes.string)
    if axis is not None:
        axes = host(axis)
    elif strings.ndim is not None:
        axes = np.arange(strings.ndim - 1, -1, -1, dtype=np.int32)
    else:
        axes = raw.Range(raw.Rank(strings) - 1, -1, -1)
    return raw.ReduceJoin(strings, axes, keep_dims=keepdims, separator=separator, name=name)


@implements(reduce_join, RaggedTensor)
def _reduce_join_ragged(
    inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: str | None = None
) -> Any:
    along = reduction(
        lambda strings, axes, keep: reduce_join(strings, axes, keep, separator),
        lambda strings, ids, count: raw.UnsortedSegmentJoin(strings, ids, count, separator=separator),
    )
    return along(inputs, axis, keepdims)


def unsorted_segment_join(
    inputs: Any, segment_ids: Any, num_segments: Any, separator: str = "", name: str | None = None
) -> Tensor:
    """Joins the strings that share a segment number.

    Args:
        inputs: Strings.
        segment_ids: Their segment numbers, int32 or int64, in [0, num_segments), along as many leading axes of `inputs`
            as it has.
        num_segments: The number of segments.
        separator: What to put between strings, except behind empty ones at the beginning of a segment.
        name: A name for the graph node.

    Returns:
        Strings of shape `[num_segments, *inputs.shape[segment_ids.ndim:]]`, empty for segments that have none.

    Raises:
        InvalidArgumentError: A segment number is out of range, or the shapes do not fit.
    """
    return raw.UnsortedSegmentJoin(inputs, segment_ids, num_segments, separator=separator, name=name)


# ------------------------------------------------------------------------------------------------- n-grams


def ngrams(
    data: Any, ngram_width: Any, separator: str = " ", pad_values: Any = None, padding_width: int | None = None,
    preserve_short_sequences: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Returns the n-grams of sequences: every so many neighbours, joined.

    Args:
        data: Strings; the last axis, which may be ragged, holds the sequences.
        ngram_width: How many neighbours make an n-gram; of a list, n-grams of all these widths, one width after another.
        separator: What to put between neighbours.
        pad_values: What to put before and behind each sequence: a string, or one for either end. Nothing by default.
        padding_width: How many times to put it there; as often as gives further n-grams by default and at most.
        preserve_short_sequences: Whether a sequence too short for any n-gram becomes one, instead of none.
        name: A name for the graph node.

    Returns:
        Strings of shape `[*data.shape[:-1], (count)]`, a ragged tensor if `data` is one.

    Raises:
        TypeError: `pad_values` is neither a string nor a pair of strings.
        ValueError: A width is not positive, `padding_width` is given without `pad_values`, or `data` is a scalar or of
            unknown rank.
    """
    left, right = _pads(pad_values)
    if padding_width is not None and padding_width < 1:
        raise ValueError(f"padding_width must be greater than 0, not {padding_width}.")
    if padding_width is not None and pad_values is None:
        raise ValueError("pad_values must be provided if padding_width is set.")
    widths = list(ngram_width) if isinstance(ngram_width, (list, tuple)) else [ngram_width]
    if any(width < 1 for width in widths):
        raise ValueError(f"All ngram_widths must be greater than 0. Got {ngram_width}")
    attrs = {
        "separator": separator, "ngram_widths": widths, "left_pad": left, "right_pad": right,
        "pad_width": 0 if pad_values is None else -1 if padding_width is None else padding_width,
        "preserve_short_sequences": preserve_short_sequences, "name": name,
    }  # fmt: skip
    if isinstance(data, RaggedTensor):
        return _ngrams_of_rows(data, attrs)
    dense = convert_to_tensor(data, dtype=dtypes.string)
    if dense.ndim is None:
        raise ValueError("tf.strings.ngrams needs data of a known rank.")
    if dense.ndim == 0:
        raise ValueError("Data must have rank>0")
    if dense.ndim == 1:
        return _ngrams_of_rows(RaggedTensor.from_row_starts(dense, np.zeros(1, np.int64), validate=False), attrs)[0]
    made = _ngrams_of_rows(RaggedTensor.from_tensor(dense, ragged_rank=dense.ndim - 1), attrs)
    return raw.Reshape(made.flat_values, raw.ConcatV2([raw.Shape(dense)[:-1], np.array([-1], np.int32)], 0))


def _pads(values: Any) -> tuple[Any, Any]:
    if values is None:
        return "", ""
    left, right = values if isinstance(values, (list, tuple)) else (values, values)
    if not (isinstance(left, (str, bytes)) and isinstance(right, (str, bytes))):
        raise TypeError(f"pad_values must be a string, tuple of strings, or None, not {values!r}.")
    return left, right


def _ngrams_of_rows(rows: RaggedTensor, attrs: dict[str, Any]) -> RaggedTensor:
    if isinstance(rows.values, RaggedTensor):
        return rows.with_values(_ngrams_of_rows(rows.values, attrs))
    found, splits = raw.StringNGrams(rows.values, rows.row_splits, **attrs)
    return RaggedTensor.from_row_splits(found, splits, validate=False)


# ------------------------------------------------------------------------------------------------- formatting


@dispatched
def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None) -> Tensor:
    """Returns a text with tensors written into it, shortened as `tf.print` does.

    Args:
        template: The text.
        inputs: A tensor, or a list of as many as there are placeholders.
        placeholder: What stands in the text for a tensor.
        summarize: How many elements to write at either end of every axis; all if -1.
        name: A name for the graph node.

    Returns:
        A string.

    Raises:
        ValueError: There are more or fewer tensors than placeholders.
    """
    return format_values(template, inputs, placeholder, summarize, name)


@implements(format, RaggedTensor)
def _format_ragged(
    template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Tensor:
    values: Sequence[Any] = [inputs] if isinstance(inputs, RaggedTensor) else inputs
    shown = [ragged_text(value, summarize) if isinstance(value, RaggedTensor) else None for value in values]
    parts = template.split(placeholder)
    if len(values) != len(parts) - 1:
        raise ValueError(f"num placeholders in template and num inputs must match: {len(parts) - 1} vs {len(values)}")
    pieces: list[Any] = [parts[0]]
    for value, text, part in zip(values, shown, parts[1:], strict=True):
        pieces += [format_values("{}", [value], "{}", summarize) if text is None else text, part]
    return raw.StringJoin(pieces, name=name)


__all__ = ["format", "ngrams", "reduce_join", "unsorted_segment_join"]
