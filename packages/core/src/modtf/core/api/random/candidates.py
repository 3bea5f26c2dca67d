"""Classes drawn at random to stand for all others in a loss."""

from __future__ import annotations

from typing import Any

from modtf.core.api.nn.sampling import (
    all_candidate_sampler,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
)  # fmt: skip
from modtf.core.api.random.seeds import op_seeds
from modtf.core.engine import raw

__all__ = [
    "all_candidate_sampler", "fixed_unigram_candidate_sampler", "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler", "uniform_candidate_sampler",
]  # fmt: skip


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Draws classes by Zipf's law: the smaller the likelier, as where words are numbered by how frequent they are.

    Args:
        true_classes: The right classes, int64 of shape `[batch, num_true]`.
        num_true: How many there are for each example.
        num_sampled: How many classes to draw.
        unique: Whether all of them shall differ.
        range_max: The number of classes.
        seed: A seed for this op; see `tf.random.set_seed`.
        name: A name for the graph node.

    Returns:
        A named tuple of `sampled_candidates`, int64 of shape `[num_sampled]`, and how often each of the right classes
        and of the drawn ones is expected among them: `true_expected_count` and `sampled_expected_count`, float32.
    """
    return raw.LogUniformCandidateSampler(
        true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, range_max=range_max, name=name,
        **op_seeds(seed),
    )  # fmt: skip


def uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Draws classes that are all equally likely; arguments and result as of `log_uniform_candidate_sampler`."""
    return raw.UniformCandidateSampler(
        true_classes, num_true=num_true, num_sampled=num_sampled, unique=unique, range_max=range_max, name=name,
        **op_seeds(seed),
    )  # fmt: skip
