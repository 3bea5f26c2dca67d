"""Tensors written as text, shortened: what `tf.strings.format` and `tf.print` are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.ragged import RaggedTensor
from modtf.core.values.tensors import Tensor

__all__ = ["format_values", "ragged_text"]


def format_values(
    template: str, values: Any, placeholder: str = "{}", summarize: int = 3, name: str | None = None
) -> Tensor:
    """Returns a text with tensors written into it, as `tf.strings.format`.

    Args:
        template: The text.
        values: A tensor, or a list of as many as there are placeholders.
        placeholder: What stands in the text for a tensor.
        summarize: How many elements to write at either end of every axis; all if -1.
        name: A name for the graph node.

    Raises:
        ValueError: There are more or fewer tensors than placeholders.
    """
    if isinstance(values, Tensor) or hasattr(values, "__tf_tensor__"):
        values = [values]
    count = template.count(placeholder)
    if count != len(values):
        raise ValueError(
            f"The template expects {count} tensors, but the inputs only has {len(values)}. "
            "Please ensure the number of placeholders in template matches inputs length."
        )
    return raw.StringFormat(list(values), template=template, placeholder=placeholder, summarize=summarize, name=name)


def ragged_text(ragged: RaggedTensor, summarize: int | None = None) -> Tensor:
    """Returns a ragged tensor as text: `[[1, 2], [3]]`.

    Args:
        ragged: The ragged tensor.
        summarize: How many elements to write at either end of every row; all if -1 or `None`.

    Raises:
        ValueError: `summarize` is 0 or below -1.
    """
    if summarize is not None and summarize != -1 and not (isinstance(summarize, int) and summarize > 0):
        raise ValueError(f"Expected summarize to be -1 or a positive int, got {summarize!r}")
    limit = None if summarize == -1 else summarize
    values = ragged.flat_values
    if values.dtype.name == "string":
        escaped = raw.StaticRegexReplace(values, pattern=r"(['\\])", rewrite=r"\\\1")
        texts = raw.StringJoin([b"'", escaped, b"'"])
    else:
        texts = raw.AsString(values)
    if texts.ndim is None or texts.ndim > 1:
        texts = RaggedTensor.from_tensor(texts, ragged_rank=texts.shape.rank - 1)
    whole = RaggedTensor.from_row_starts(ragged.with_flat_values(texts), np.zeros(1, np.int64), validate=False)
    return _rows_as_text(whole, limit)[0]


def _rows_as_text(ragged: RaggedTensor, limit: int | None) -> Tensor:
    """Returns each row's texts, joined in brackets, with dots in place of those beyond `limit` from its ends."""
    values, partition = ragged.values, ragged.row_partition
    texts = _rows_as_text(values, limit) if isinstance(values, RaggedTensor) else values
    rows = partition.value_rowids()
    if limit is not None:
        lengths = raw.GatherV2(partition.row_lengths(), rows, 0)
        places = raw.Cast(raw.Range(0, raw.Size(texts), 1), DstT=rows.dtype)
        places -= raw.GatherV2(partition.row_starts(), rows, 0)
        shortened = lengths > 2 * limit
        last_before_dots = shortened & raw.Equal(places, limit - 1)
        texts = raw.SelectV2(last_before_dots, raw.StringJoin([texts, ", ..."]), texts)
        kept = raw.Where(~shortened | (places < limit) | (places >= lengths - limit))[:, 0]
        texts, rows = raw.GatherV2(texts, kept, 0), raw.GatherV2(rows, kept, 0)
    return raw.StringJoin(["[", raw.UnsortedSegmentJoin(texts, rows, partition.nrows(), separator=", "), "]"])
