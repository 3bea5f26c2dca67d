"""Classes drawn at random to stand for all others in a loss, and which of them happen to be right.

S. Jean et al., "On Using Very Large Target Vocabulary for Neural Machine Translation", 2015, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.random.bits import philox_blocks
from modtf.core.ops.random.state import Position
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_BLOCKS_EACH = 512
"""How many blocks of random words TensorFlow sets aside for each class to be drawn."""


def _words(key: np.ndarray, counter: np.ndarray) -> Iterator[int]:
    """The random words from a position on, without end."""
    start, step = 0, 64
    while True:
        blocks = np.arange(start, start + step, dtype=np.uint64)
        yield from philox_blocks(np, key, counter, blocks).reshape(-1).tolist()
        start += step


def _draw_log_uniform(words: Iterator[int], range_max: int) -> int:
    """A class by Zipf's law: the probability falls with the class."""
    high, low = next(words), next(words)
    fraction = (((high & 0xFFFFF) << 32) | low) * 2.0**-52
    return (int(math.exp(fraction * math.log1p(range_max))) - 1) % range_max


def _draw_uniform(words: Iterator[int], range_max: int) -> int:
    rest = (2**64 - 1) % range_max + 1  # numbers below would make small classes likelier
    while True:
        number = next(words) | next(words) << 32
        if number >= rest or range_max & (range_max - 1) == 0:
            return number % range_max


def _expected(probability: np.ndarray, count: int, tries: int) -> np.ndarray:
    """How often a class is expected among `count` drawn in so many tries."""
    if tries == count:
        return (probability * count).astype(np.float32)
    return -np.expm1(tries * np.log1p(-probability)).astype(np.float32)


def _drawn_dims(true_classes: Tensor, *, num_true: int, num_sampled: int, **attrs: Any) -> list[Dims]:
    rows, columns = with_rank(true_classes, 2, "true_classes")
    if columns is not None and columns != num_true:
        raise ValueError(f"true_classes must have {num_true} columns (num_true), not {columns}")
    return [(num_sampled,), (rows, num_true), (num_sampled,)]


def _check(true_classes: np.ndarray, num_true: int) -> None:
    if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
        raise ValueError(f"true_classes must have {num_true} columns (num_true): {list(true_classes.shape)}")


_SEEDS = "seed: int = 0, seed2: int = 0"
_OUTPUTS = "sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32"


def _sampler(
    name: str, draw: Callable[[Iterator[int], int], int], probability: Callable[[np.ndarray, int], np.ndarray]
) -> None:
    def kernel(
        xp: Any, true_classes: np.ndarray, *, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int,
        seed2: int, memory: Position,
    ) -> tuple[np.ndarray, ...]:  # fmt: skip
        _check(true_classes, num_true)
        if unique and num_sampled > range_max:
            raise InvalidArgumentError(f"Sampler's range is too small: {num_sampled} of {range_max} classes")
        words = _words(*memory.reserve(_BLOCKS_EACH * num_sampled, seed, seed2))
        drawn: list[int] = []
        known: set[int] = set()
        tries = 0
        while len(drawn) < num_sampled:
            tries += 1
            found = draw(words, range_max)
            if not unique or found not in known:
                drawn.append(found)
                known.add(found)
        sampled = np.array(drawn, np.int64)
        counts = (
            _expected(probability(classes.astype(np.float64), range_max), num_sampled, tries)
            for classes in (true_classes, sampled)
        )
        return sampled, *counts

    schema = (
        f"{name}(true_classes: int64, *, num_true: int, num_sampled: int, unique: bool, range_max: int, {_SEEDS}) "
        f"-> ({_OUTPUTS})"
    )
    register(
        Op(schema, kernel=kernel, shape=_drawn_dims, host_only=True, stateful=True, prunable=True, memory=Position)
    )


_sampler(
    "LogUniformCandidateSampler", _draw_log_uniform,
    lambda classes, range_max: np.log((classes + 2) / (classes + 1)) / math.log1p(range_max),
)  # fmt: skip
_sampler("UniformCandidateSampler", _draw_uniform, lambda classes, range_max: np.full(classes.shape, 1 / range_max))


@op(
    f"AllCandidateSampler(true_classes: int64, *, num_true: int, num_sampled: int, unique: bool, {_SEEDS}) -> ({_OUTPUTS})",
    shape=_drawn_dims,
    host_only=True,
    stateful=True,
    prunable=True,
)
def all_candidates(
    xp: Any, true_classes: np.ndarray, *, num_true: int, num_sampled: int, **attrs: Any
) -> tuple[np.ndarray, ...]:
    _check(true_classes, num_true)
    if true_classes.size and not 0 <= true_classes.min() <= true_classes.max() < num_sampled:
        raise InvalidArgumentError(f"`true_candidate` out of range [0, {num_sampled}): {true_classes.tolist()}")
    ones = (np.ones(shape, np.float32) for shape in (true_classes.shape, num_sampled))
    return np.arange(num_sampled), *ones


def _hits_dims(true_classes: Tensor, sampled_candidates: Tensor, *, num_true: int, **attrs: Any) -> list[Dims]:
    with_rank(true_classes, 2, "true_classes")
    with_rank(sampled_candidates, 1, "sampled_candidates")
    return [(None,)] * 3


@op(
    f"ComputeAccidentalHits(true_classes: int64, sampled_candidates: int64, *, num_true: int, {_SEEDS}) -> "
    "(indices: int32, ids: int64, weights: float32)",
    shape=_hits_dims,
    host_only=True,
)
def accidental_hits(
    xp: Any, true_classes: np.ndarray, sampled_candidates: np.ndarray, *, num_true: int, seed: int, seed2: int
) -> tuple[np.ndarray, ...]:
    _check(true_classes, num_true)
    place_of = {candidate: place for place, candidate in enumerate(sampled_candidates.tolist())}
    hits = [(row, place_of[c]) for row, classes in enumerate(true_classes.tolist()) for c in classes if c in place_of]
    rows, places = np.array(hits, np.int64).reshape(-1, 2).T
    return rows.astype(np.int32), places, np.full(len(hits), -np.finfo(np.float32).max, np.float32)


accidental_hits.gradient(None)
