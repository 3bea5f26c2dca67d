"""The functions of `tf.nn` that train with a sample of the classes instead of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "all_candidate_sampler", "compute_accidental_hits", "fixed_unigram_candidate_sampler",
    "learned_unigram_candidate_sampler", "nce_loss", "sampled_softmax_loss",
]  # fmt: skip


def _seeds(seed: int | None) -> dict[str, int]:
    from modtf.core.api.random import op_seeds

    return op_seeds(seed)


def all_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, seed: int | None = None, name: str | None = None
) -> Any:
    """Returns all classes as if they had been drawn, for trying a sampled loss without sampling.

    Args:
        true_classes: The right classes, int64 of shape `[batch, num_true]`.
        num_true: How many there are for each example.
        num_sampled: The number of classes.
        unique: Not used.
        seed: Not used.
        name: A name for the graph node.

    Returns:
        A named tuple of `sampled_candidates`, the classes from 0 on, and `true_expected_count` and
        `sampled_expected_count`, all 1.
    """
    return raw.AllCandidateSampler(
        true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, name=name, **_seeds(seed)
    )


def fixed_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, vocab_file: Any = "",
    distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int = 1, shard: int = 0, unigrams: Sequence[float] = (),
    seed: int | None = None, name: str | None = None,
) -> Any:  # fmt: skip
    """Draws classes by how frequent they are said to be.

    Args:
        true_classes: The right classes, int64 of shape `[batch, num_true]`.
        num_true: How many there are for each example.
        num_sampled: How many classes to draw.
        unique: Whether all of them shall differ.
        range_max: The number of classes.
        vocab_file: A file with a line for each class, the number behind the last comma being its frequency.
        distortion: The power that frequencies are raised to: 1 leaves them, 0 makes all classes equally likely.
        num_reserved_ids: How many classes, the first ones, are never drawn, and not among those whose frequencies are given.
        num_shards: Into how many parts the classes are dealt.
        shard: Which of these parts to draw from.
        unigrams: The frequencies, if not in a file.
        seed: A seed for this op; see `tf.random.set_seed`.
        name: A name for the graph node.

    Returns:
        A named tuple of `sampled_candidates`, int64 of shape `[num_sampled]`, and how often each of the right classes
        and of the drawn ones is expected among them: `true_expected_count` and `sampled_expected_count`, float32.

    Raises:
        InvalidArgumentError: There are not `range_max` frequencies, or too few classes to draw different ones.
    """
    return raw.FixedUnigramCandidateSampler(
        true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, range_max=range_max,
        vocab_file=vocab_file, distortion=distortion, num_reserved_ids=num_reserved_ids, num_shards=num_shards, shard=shard,
        unigrams=list(unigrams), name=name, **_seeds(seed),
    )  # fmt: skip


def learned_unigram_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Draws classes by how often they were right ones so far: each once, and once more for each time.

    Args:
        true_classes: The right classes, int64 of shape `[batch, num_true]`, which count from the next call on.
        num_true: How many there are for each example.
        num_sampled: How many classes to draw.
        unique: Whether all of them shall differ.
        range_max: The number of classes.
        seed: A seed for this op; see `tf.random.set_seed`.
        name: A name for the graph node.

    Returns:
        A named tuple as `fixed_unigram_candidate_sampler` returns it.
    """
    return raw.LearnedUnigramCandidateSampler(
        true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, range_max=range_max, name=name,
        **_seeds(seed),
    )  # fmt: skip


def compute_accidental_hits(
    true_classes: Any, sampled_candidates: Any, num_true: int, seed: int | None = None, name: str | None = None
) -> Any:
    """Says which of the sampled classes are right ones.

    Args:
        true_classes: The right classes, int64 of shape `[batch, num_true]`.
        sampled_candidates: The sampled classes, an int64 vector.
        num_true: How many right classes there are for each example.
        seed: Not used.
        name: A name for the graph node.

    Returns:
        A named tuple with an element for each hit: the example (`indices`, int32), the place in `sampled_candidates`
        (`ids`, int64), and the least float32 (`weights`), to be added to the logit.
    """
    return raw.ComputeAccidentalHits(true_classes, sampled_candidates, num_true=num_true, name=name, **_seeds(seed))


def _table_rows(table: Any, ids: Tensor, like: Tensor) -> Tensor:
    from modtf.core.api.nn import embedding_lookup

    rows = embedding_lookup(table, ids)
    return rows if rows.dtype is like.dtype else raw.Cast(rows, DstT=like.dtype)


def _sampled_logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int,
    sampled_values: Any, remove_accidental_hits: bool, seed: int | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The logits of the right and the sampled classes, corrected by how often they are expected, and the right answers."""
    inputs, labels = convert_to_tensor(inputs), convert_to_tensor(labels)
    if labels.dtype is not dtypes.int64:
        labels = raw.Cast(labels, DstT=dtypes.int64)
    if sampled_values is None:
        sampled_values = raw.LogUniformCandidateSampler(
            labels, num_true=num_true, num_sampled=num_sampled, unique=True, range_max=num_classes, **_seeds(seed)
        )
    sampled, true_count, sampled_count = (raw.StopGradient(convert_to_tensor(item)) for item in sampled_values)
    sampled = sampled if sampled.dtype is dtypes.int64 else raw.Cast(sampled, DstT=dtypes.int64)
    flat = raw.Reshape(labels, [-1])
    ids = raw.ConcatV2([flat, sampled], 0)
    rows, offsets = _table_rows(weights, ids, inputs), _table_rows(biases, ids, inputs)
    split = raw.Shape(flat)[0]
    true_rows, sampled_rows = rows[:split], rows[split:]
    true_rows = raw.Reshape(true_rows, raw.ConcatV2([[-1, num_true], raw.Shape(true_rows)[1:]], 0))
    true_logits = raw.Sum(raw.ExpandDims(inputs, 1) * true_rows, 2) + raw.Reshape(offsets[:split], [-1, num_true])
    sampled_logits = raw.MatMul(inputs, sampled_rows, transpose_b=True) + offsets[split:]
    if remove_accidental_hits:
        hits = raw.ComputeAccidentalHits(labels, sampled, num_true=num_true, **_seeds(seed))
        places = raw.Pack([raw.Cast(hits.indices, DstT=dtypes.int64), hits.ids], axis=1)
        weights_of = raw.Cast(hits.weights, DstT=inputs.dtype)
        sampled_logits = raw.TensorScatterAdd(sampled_logits, places, weights_of)
    true_logits = true_logits - raw.Cast(raw.Log(true_count), DstT=inputs.dtype)
    sampled_logits = sampled_logits - raw.Cast(raw.Log(sampled_count), DstT=inputs.dtype)
    shares = raw.ConcatV2([raw.OnesLike(true_logits) / num_true, raw.ZerosLike(sampled_logits)], 1)
    return raw.ConcatV2([true_logits, sampled_logits], 1), shares


def nce_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = False,
    name: str | None = "nce_loss",
) -> Tensor:
    """Returns the noise-contrastive loss (M. Gutmann and A. Hyvärinen, 2010): right classes told from sampled ones.

    Args:
        weights: The classes' weights `[num_classes, dim]`, or a list of tables that make one when joined.
        biases: The classes' biases `[num_classes]`.
        labels: The right classes, integers of shape `[batch, num_true]`.
        inputs: `[batch, dim]`.
        num_sampled: How many classes to draw for the batch.
        num_classes: The number of classes.
        num_true: How many right classes there are for each example.
        sampled_values: What a candidate sampler returned; by default classes are drawn by a log-uniform law.
        remove_accidental_hits: Whether to leave out sampled classes that are right.
        name: Unused; kept for its place.

    Returns:
        The losses, shaped `[batch]`.
    """
    from modtf.core.api.nn import sigmoid_cross_entropy_with_logits

    logits, shares = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        None,
    )
    return raw.Sum(sigmoid_cross_entropy_with_logits(shares, logits), np.array([1], np.int32))


def sampled_softmax_loss(
    weights: Any,
    biases: Any,
    labels: Any,
    inputs: Any,
    num_sampled: int,
    num_classes: int,
    num_true: int = 1,
    sampled_values: Any = None,
    remove_accidental_hits: bool = True,
    seed: int | None = None,
    name: str | None = "sampled_softmax_loss",
) -> Tensor:
    """Returns the softmax cross entropy over the right and some sampled classes (S. Jean et al., 2015), for training.

    The arguments and the result are those of `nce_loss`; `seed` is for drawing the classes.
    """
    from modtf.core.api.nn import softmax_cross_entropy_with_logits

    logits, shares = _sampled_logits(
        weights,
        biases,
        labels,
        inputs,
        num_sampled,
        num_classes,
        num_true,
        sampled_values,
        remove_accidental_hits,
        seed,
    )
    return softmax_cross_entropy_with_logits(raw.StopGradient(shares), logits)
