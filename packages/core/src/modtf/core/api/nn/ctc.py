"""The functions of `tf.nn` for sequences of labels without alignment (connectionist temporal classification)."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.array import sequence_mask
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "collapse_repeated", "ctc_beam_search_decoder", "ctc_greedy_decoder", "ctc_loss", "ctc_unique_labels",
]  # fmt: skip

_TOO_SHORT = 708.0
"""The loss where labels cannot be aligned: the logarithm of the least float64, with its sign turned round."""

# ------------------------------------------------------------------------------------------------- the loss


def ctc_loss(
    labels: Any,
    logits: Any,
    label_length: Any,
    logit_length: Any,
    logits_time_major: bool = True,
    unique: Any = None,
    blank_index: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Returns the loss of sequences of labels that are not aligned with the logits (A. Graves et al., 2006).

    Args:
        labels: Integers of shape `[batch, longest]`, or an int32 `tf.SparseTensor` of that shape.
        logits: A floating tensor of shape `[time, batch, classes]`.
        label_length: The lengths of the rows of `labels`, shaped `[batch]`; not used for sparse labels.
        logit_length: How much of the time each sequence lasts, int32 of shape `[batch]`.
        logits_time_major: Whether time is the first axis of `logits`; otherwise it is the second, behind the batch.
        unique: Accepted for TensorFlow's sake, whose computation it speeds up; see `ctc_unique_labels`.
        blank_index: The class of the blank, counted from the end if negative; 0 by default. Sparse labels need it.
        name: A name for the graph node.

    Returns:
        The losses (negative log probabilities), shaped `[batch]`. Where a sequence is too short for its labels the loss
        is 708 and no gradient flows, if the labels are dense; sparse ones raise an error.

    Raises:
        ValueError: `labels` is sparse and `blank_index` not given.
        InvalidArgumentError: A label is out of range or the blank.
    """
    logits = convert_to_tensor(logits)
    wide = logits if logits.dtype in (dtypes.float32, dtypes.float64) else raw.Cast(logits, DstT=dtypes.float32)
    if not logits_time_major:
        wide = raw.Transpose(wide, [1, 0, 2])
    sparse = hasattr(labels, "dense_shape")
    if sparse and blank_index is None:
        raise ValueError("Argument `blank_index` must be provided when `labels` is a `SparseTensor`.")
    classes = raw.Shape(wide)[2]
    blank: Any = blank_index or 0
    blank = classes + blank if blank < 0 else blank
    wide = raw.ConcatV2([wide[:, :, :blank], wide[:, :, blank + 1 :], wide[:, :, blank : blank + 1]], 2)
    lengths = _as_int32(logit_length)
    if sparse:
        loss, _ = raw.CTCLoss(wide, labels.indices, _without_blank(_as_int32(labels.values), blank), lengths, name=name)
    else:
        loss = _dense_loss(_without_blank(_as_int32(labels), blank), wide, _as_int32(label_length), lengths, name)
    return loss if wide.dtype is logits.dtype else raw.Cast(loss, DstT=logits.dtype)


def _as_int32(value: Any) -> Tensor:
    tensor = convert_to_tensor(value)
    return tensor if tensor.dtype is dtypes.int32 else raw.Cast(tensor, DstT=dtypes.int32)


def _without_blank(labels: Tensor, blank: Any) -> Tensor:
    """The labels' numbers once the blank is the last class."""
    return raw.SelectV2(labels < blank, labels, labels - 1)


def _dense_loss(labels: Tensor, logits: Tensor, label_length: Tensor, logit_length: Tensor, name: str | None) -> Tensor:
    # A null label, which the op takes no notice of, ends each row, so that none is empty.
    null = raw.Shape(logits)[2] - 1
    longest = raw.Shape(labels)[1]
    places = raw.Range(0, longest + 1, 1)
    ends = raw.ExpandDims(label_length, 1)
    padded = raw.Pad(labels, np.array([[0, 0], [0, 1]], np.int32))
    padded = raw.SelectV2(places < ends, padded, raw.BroadcastTo(null, raw.Shape(padded)))
    indices = raw.Where(places <= ends)
    loss, _ = raw.CTCLoss(
        logits, indices, raw.GatherNd(padded, indices), logit_length, ignore_longer_outputs_than_inputs=True, name=name
    )
    repeated = raw.LogicalAnd(raw.Equal(labels[:, 1:], labels[:, :-1]), raw.Range(1, longest, 1) < ends)
    needed = label_length + raw.Sum(raw.Cast(repeated, DstT=dtypes.int32), 1)
    return raw.SelectV2(needed > logit_length, raw.Cast(_TOO_SHORT, DstT=loss.dtype), loss)


def ctc_unique_labels(labels: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Returns the distinct labels of each row in the order of their first places, and where among them each label is.

    Args:
        labels: Integers of shape `[batch, longest]`.
        name: Unused; kept for its place.

    Returns:
        The distinct labels, int64 and padded with zeros, and the positions, int32, both shaped as `labels`.
    """
    rows = raw.Cast(convert_to_tensor(labels), DstT=dtypes.int64)
    equal = raw.Equal(raw.ExpandDims(rows, 2), raw.ExpandDims(rows, 1))
    first = raw.ArgMax(raw.Cast(equal, DstT=dtypes.int32), 2, output_type=dtypes.int32)
    places = raw.Range(0, raw.Shape(rows)[1], 1)
    is_first = raw.Equal(first, raw.BroadcastTo(places, raw.Shape(first)))
    order = raw.Cumsum(raw.Cast(is_first, DstT=dtypes.int32), 1) - 1
    at = raw.LogicalAnd(raw.Equal(raw.ExpandDims(order, 1), raw.ExpandDims(places, 1)), raw.ExpandDims(is_first, 1))
    zero = convert_to_tensor(0, dtype=dtypes.int64)
    distinct = raw.Sum(raw.SelectV2(at, raw.ExpandDims(rows, 1), zero), 2)
    return distinct, raw.GatherV2(order, first, 1, batch_dims=1)


def collapse_repeated(labels: Any, seq_length: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Makes one label of each run of equal labels.

    Args:
        labels: Shaped `[batch, longest]`.
        seq_length: The lengths of the rows, shaped `[batch]`.
        name: Unused; kept for its place.

    Returns:
        The labels, padded with zeros to the longest row that is left, and the lengths of the rows.
    """
    rows, lengths = convert_to_tensor(labels), convert_to_tensor(seq_length)
    begins = raw.LogicalOr(
        raw.Range(0, raw.Shape(rows)[1], 1) < 1,
        raw.NotEqual(rows, raw.Roll(rows, np.array([1], np.int32), np.array([1], np.int32))),
    )
    kept = raw.LogicalAnd(begins, sequence_mask(lengths, raw.Shape(rows)[1]))
    counts = raw.Sum(raw.Cast(kept, DstT=lengths.dtype), 1)
    places = raw.Cumsum(raw.Cast(kept, DstT=dtypes.int64), 1) - 1
    where = raw.Where(kept)
    targets = raw.Pack([where[:, 0], raw.GatherNd(places, where)], axis=1)
    longest = raw.Maximum(raw.Max(raw.Cast(counts, DstT=dtypes.int64), 0), 0)
    shape = raw.Pack([raw.Shape(rows, out_type=dtypes.int64)[0], longest])
    return raw.ScatterNd(targets, raw.GatherNd(rows, where), shape), counts


# ------------------------------------------------------------------------------------------------- decoding


def _sparse(indices: Tensor, values: Tensor, shape: Tensor) -> Any:
    from modtf.core.values.sparse import SparseTensor

    return SparseTensor(indices, values, shape)


def ctc_greedy_decoder(
    inputs: Any, sequence_length: Any, merge_repeated: bool = True, blank_index: int | None = None
) -> tuple[list[Any], Tensor]:
    """Decodes by the best class at each time.

    Args:
        inputs: Logits, float32 or float64 of shape `[time, batch, classes]`.
        sequence_length: How much of the time each sequence lasts, int32 of shape `[batch]`.
        merge_repeated: Whether runs of one class become one label.
        blank_index: The class of the blank, counted from the end if negative; the last by default.

    Returns:
        A list of one `tf.SparseTensor` of int64, the labels of shape `[batch, longest]`, and the sums of the best logits
        with their sign turned round, shaped `[batch, 1]`.
    """
    indices, values, shape, scores = raw.CTCGreedyDecoder(
        inputs, sequence_length, merge_repeated=merge_repeated, blank_index=-1 if blank_index is None else blank_index
    )
    return [_sparse(indices, values, shape)], scores


def ctc_beam_search_decoder(
    inputs: Any, sequence_length: Any, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Any], Tensor]:
    """Decodes by a search that follows the most probable sequences of labels; the blank is the last class.

    Args:
        inputs: Logits, float32 or float64 of shape `[time, batch, classes]`.
        sequence_length: How much of the time each sequence lasts, int32 of shape `[batch]`.
        beam_width: How many sequences are followed.
        top_paths: How many to return, at most `beam_width`.

    Returns:
        A list of `top_paths` `tf.SparseTensor` of int64, the most probable labels first, and the log probabilities,
        shaped `[batch, top_paths]`.
    """
    indices, values, shapes, scores = raw.CTCBeamSearchDecoder(
        inputs, sequence_length, beam_width=beam_width, top_paths=top_paths, merge_repeated=False
    )
    return [_sparse(*parts) for parts in zip(indices, values, shapes, strict=True)], scores
