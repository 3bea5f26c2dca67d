"""Classes drawn at random to stand for all others in a loss, and which of them happen to be right.

S. Jean et al., "On Using Very Large Target Vocabulary for Neural Machine Translation", 2015, section 3.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.random.bits import philox_blocks
from modtf.core.ops.random.state import Position
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.local_files import explained, local_path
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
    return -np.expm1(tries * np.log1p(-probability.astype(np.float64))).astype(np.float32)


def _drawn_dims(true_classes: Tensor, *, num_true: int, num_sampled: int, **attrs: Any) -> list[Dims]:
    rows, columns = with_rank(true_classes, 2, "true_classes")
    if columns is not None and columns != num_true:
        raise ValueError(f"true_classes must have {num_true} columns (num_true), not {columns}")
    return [(num_sampled,), (rows, num_true), (num_sampled,)]


def _check(true_classes: np.ndarray, num_true: int) -> None:
    if num_true < 1:
        raise ValueError(f"num_true must be at least 1, not {num_true}")
    if true_classes.ndim != 2 or true_classes.shape[1] != num_true:
        raise ValueError(f"true_classes must have {num_true} columns (num_true): {list(true_classes.shape)}")


_SEEDS = "seed: int = 0, seed2: int = 0"
_OUTPUTS = "sampled_candidates: int64, true_expected_count: float32, sampled_expected_count: float32"


def _drawn(
    draw: Callable[[], int], probability: Callable[[np.ndarray], np.ndarray], true_classes: np.ndarray, num_sampled: int,
    unique: bool, range_max: int,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    """Draws classes, and says how often they and the right ones are expected."""
    if unique and num_sampled > range_max:
        raise InvalidArgumentError(f"Sampler's range is too small: {num_sampled} of {range_max} classes")
    drawn: list[int] = []
    known: set[int] = set()
    tries = 0
    while len(drawn) < num_sampled:
        tries += 1
        found = draw()
        if not unique or found not in known:
            drawn.append(found)
            known.add(found)
    sampled = np.array(drawn, np.int64)
    counts = [_expected(probability(classes), num_sampled, tries) for classes in (true_classes, sampled)]
    return sampled, *counts


def _register(name: str, kernel: Callable[..., Any], memory: Any, attrs: str = "") -> None:
    schema = (
        f"{name}(true_classes: int64, *, num_true: int, num_sampled: int, unique: bool, range_max: int, {attrs}{_SEEDS}) "
        f"-> ({_OUTPUTS})"
    )
    register(Op(schema, kernel=kernel, shape=_drawn_dims, host_only=True, stateful=True, prunable=True, memory=memory))


def _sampler(
    name: str, draw: Callable[[Iterator[int], int], int], probability: Callable[[np.ndarray, int], np.ndarray]
) -> None:
    def kernel(
        xp: Any, true_classes: np.ndarray, *, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int,
        seed2: int, memory: Position,
    ) -> tuple[np.ndarray, ...]:  # fmt: skip
        _check(true_classes, num_true)
        words = _words(*memory.reserve(_BLOCKS_EACH * num_sampled, seed, seed2))
        return _drawn(
            lambda: draw(words, range_max),
            lambda classes: probability(classes.astype(np.float64), range_max),
            true_classes, num_sampled, unique, range_max,
        )  # fmt: skip

    _register(name, kernel, Position)


_sampler(
    "LogUniformCandidateSampler", _draw_log_uniform,
    lambda classes, range_max: np.log((classes + 2) / (classes + 1)) / math.log1p(range_max),
)  # fmt: skip
_sampler("UniformCandidateSampler", _draw_uniform, lambda classes, range_max: np.full(classes.shape, 1 / range_max))

# ------------------------------------------------------------------------------------------------- by given frequencies


class _Aliases:
    """Draws numbers with given probabilities from one uniform place and one fraction each.

    M. Vose, "A linear algorithm for generating random numbers with a given distribution", 1991: every place has a number of
    its own, and another one that stands in for the probability that its own falls short of an equal share.
    """

    def __init__(self, weights: np.ndarray) -> None:
        count = len(weights)
        shares = weights.astype(np.float64) / weights.sum(dtype=np.float64) * count
        self.own = np.ones(count)
        self.other = list(range(count))
        few = [index for index in range(count) if shares[index] < 1]
        many = [index for index in range(count) if shares[index] >= 1]
        while few and many:
            low, high = few.pop(), many.pop()
            self.own[low], self.other[low] = shares[low], high
            shares[high] -= 1 - shares[low]
            (few if shares[high] < 1 else many).append(high)

    def draw(self, words: Iterator[int]) -> int:
        fraction = (next(words) & 0x7FFFFF) * 2.0**-23
        place = _below(words, len(self.other))
        return place if fraction < self.own[place] else self.other[place]


def _below(words: Iterator[int], limit: int) -> int:
    """A number below the limit, all of them equally likely, of one word."""
    rest = (2**32 - 1) % limit + 1
    while True:
        number = next(words)
        if number >= rest or limit & (limit - 1) == 0:
            return number % limit


def _frequencies(vocab_file: str, unigrams: Sequence[float]) -> list[float]:
    """How frequent the classes are: given, or in the last column of a file, a line for each class."""
    if bool(vocab_file) == bool(unigrams):
        how = "both" if unigrams else "neither"
        raise InvalidArgumentError(f"Must provide either vocab_file or unigrams, but {how} was given")
    if unigrams:
        return list(unigrams)
    with explained():
        text = Path(local_path(vocab_file)).read_text()
    try:
        return [float(line.rsplit(",", 1)[-1]) for line in text.splitlines()]
    except ValueError as error:
        raise InvalidArgumentError(f"{vocab_file} has a line without a number behind its last comma: {error}") from None


def _weights(frequencies: Sequence[float], distortion: float, reserved: int, shards: int, shard: int) -> np.ndarray:
    powers = np.power(np.asarray(frequencies, np.float64), distortion).astype(np.float32)
    return np.concatenate([np.zeros(reserved, np.float32), powers])[shard::shards]


def _fixed_unigram(
    xp: Any, true_classes: np.ndarray, *, num_true: int, num_sampled: int, unique: bool, range_max: int, vocab_file: str,
    distortion: float, num_reserved_ids: int, num_shards: int, shard: int, unigrams: Sequence[float], seed: int, seed2: int,
    memory: Position,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    _check(true_classes, num_true)
    if not 0 <= shard < num_shards:
        raise InvalidArgumentError(f"shard must be from 0 to {num_shards - 1} (num_shards), not {shard}")
    weights = _weights(_frequencies(vocab_file, unigrams), distortion, num_reserved_ids, num_shards, shard)
    if len(weights) != range_max:
        raise InvalidArgumentError(f"range is {range_max} must be equal to weights size {len(weights)}")
    aliases = _Aliases(weights)
    words = _words(*memory.reserve(_BLOCKS_EACH * num_sampled, seed, seed2))

    def probability(classes: np.ndarray) -> np.ndarray:
        known = (classes >= 0) & (classes < range_max)
        return np.where(known, weights[np.where(known, classes, 0)] / weights.sum(), np.float32(0))

    return _drawn(lambda: aliases.draw(words), probability, true_classes, num_sampled, unique, range_max)


_register(
    "FixedUnigramCandidateSampler", _fixed_unigram, Position,
    'vocab_file: string = "", distortion: float = 1.0, num_reserved_ids: int = 0, num_shards: int = 1, shard: int = 0, '
    "unigrams: list(float) = [], ",
)  # fmt: skip

# ------------------------------------------------------------------------------------------------- by learned frequencies


class _Learned(Position):
    """How often each class was a right one so far, and once more; and where the random numbers stand."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: np.ndarray | None = None
        self._lock_of_seen = threading.Lock()

    def reserve(self, blocks: int, seed: int, seed2: int) -> tuple[np.ndarray, np.ndarray]:
        """Does as `Position` does, and forgets the classes when that starts again."""
        start = self._start
        place = super().reserve(blocks, seed, seed2)
        if self._start != start:
            self._seen = None
        return place

    def counts(self, range_max: int) -> np.ndarray:
        """Returns the numbers."""
        with self._lock_of_seen:
            return np.ones(range_max, np.int64) if self._seen is None else self._seen

    def note(self, classes: np.ndarray, range_max: int) -> None:
        """Counts right classes."""
        with self._lock_of_seen:
            before = np.ones(range_max, np.int64) if self._seen is None else self._seen
            self._seen = before + np.bincount(classes.reshape(-1), minlength=range_max)


def _learned_unigram(
    xp: Any, true_classes: np.ndarray, *, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int,
    seed2: int, memory: _Learned,
) -> tuple[np.ndarray, ...]:  # fmt: skip
    _check(true_classes, num_true)
    if true_classes.size and not 0 <= true_classes.min() <= true_classes.max() < range_max:
        raise InvalidArgumentError(
            f"true_classes must be from 0 to {range_max - 1} (range_max): {true_classes.tolist()}"
        )
    words = _words(*memory.reserve(_BLOCKS_EACH * num_sampled, seed, seed2))
    counts = memory.counts(range_max)
    bounds = np.cumsum(counts)
    results = _drawn(
        lambda: int(np.searchsorted(bounds, _below(words, int(bounds[-1])), side="right")),
        lambda classes: counts[classes].astype(np.float32) / np.float32(bounds[-1]),
        true_classes, num_sampled, unique, range_max,
    )  # fmt: skip
    memory.note(true_classes, range_max)
    return results


for _name in ("LearnedUnigramCandidateSampler", "ThreadUnsafeUnigramCandidateSampler"):
    _register(_name, _learned_unigram, _Learned)

# ------------------------------------------------------------------------------------------------- all classes; hits


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
