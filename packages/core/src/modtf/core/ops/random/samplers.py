"""Random numbers of distributions that are drawn by rejection: gamma, Poisson, binomial, truncated normal.

Each output has a stream of random blocks of its own, so that it does not matter how many of them another one needed. They
are TensorFlow's numbers; the truncated normal ones are those that it draws in one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.ops.kinds import dtype_of
from modtf.core.ops.math.special import lgamma
from modtf.core.ops.random.bits import PHILOX, philox_blocks
from modtf.core.ops.random.uniform_and_normal import fractions, normal_pairs
from modtf.core.values.dtypes import DType, float64
from modtf.core.values.errors import InternalError, InvalidArgumentError

_BLOCKS_PER_OUTPUT = 256
_BLOCKS_PER_FEW_EVENTS = 42
_MOST_REJECTED = 1000

# ------------------------------------------------------------------------------------------------- streams


class _Streams:
    """Where the stream of each output stands."""

    def __init__(self, key: np.ndarray, counter: np.ndarray, first_blocks: np.ndarray) -> None:
        self._key = key
        self._counter = counter
        self._blocks = first_blocks.astype(np.uint64)

    def __len__(self) -> int:
        return len(self._blocks)

    def words(self, rows: np.ndarray) -> np.ndarray:
        """The next block of each of these outputs, [rows, 4]."""
        blocks = self._blocks[rows]
        self._blocks[rows] += np.uint64(1)
        return philox_blocks(np, self._key, self._counter, blocks)


class _Numbers:
    """Numbers made of the blocks, those of a block from the last to the first.

    Args:
        streams: Where the blocks come from.
        make: From words [rows, 4] to numbers [rows, count].
    """

    def __init__(self, streams: _Streams, make: Callable[[np.ndarray], np.ndarray]) -> None:
        self._streams = streams
        self._make = make
        example = make(np.zeros((1, 4), np.uint64))
        self._kept = np.zeros((len(streams), example.shape[1]), example.dtype)
        self._left = np.zeros(len(streams), np.intp)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """The next number of each of these outputs."""
        empty = rows[self._left[rows] == 0]
        if empty.size:
            self._kept[empty] = self._make(self._streams.words(empty))
            self._left[empty] = self._kept.shape[1]
        self._left[rows] -= 1
        return self._kept[rows, self._left[rows]]


def _uniform(words: np.ndarray, dtype: DType = float64) -> np.ndarray:
    """The uniform numbers in [0, 1) of blocks, four or (of float64) two each, in the dtype."""
    if dtype is float64:
        words = np.stack([words[..., 0] | (words[..., 1] << 32), words[..., 2] | (words[..., 3] << 32)], axis=-1)
    return fractions(np, PHILOX, words, dtype).astype(dtype.np_dtype)


def _normal(words: np.ndarray, dtype: DType = float64) -> np.ndarray:
    return normal_pairs(np, words, dtype).astype(dtype.np_dtype)


# ------------------------------------------------------------------------------------------------- gamma


def draw_gamma(key: np.ndarray, counter: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Draws from the gamma distribution with scale 1, one number for each element of a vector of shapes, in float64.

    G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000).
    """
    streams = _Streams(key, counter, np.arange(len(alpha)) * _BLOCKS_PER_OUTPUT)
    normals, uniforms = _Numbers(streams, _normal), _Numbers(streams, _uniform)
    result = np.full(len(alpha), np.nan)
    exponential = np.flatnonzero(alpha == 1)
    result[exponential] = -np.log1p(-uniforms(exponential))
    small = alpha < 1
    d = alpha + np.where(small, 2 / 3, -1 / 3)
    c = 1 / 3 / np.sqrt(d)
    rows = np.flatnonzero((alpha != 1) & (d > 0))  # no sample is ever accepted of a negative or NaN shape
    while rows.size:
        x = normals(rows)
        v = 1 + c[rows] * x
        tried, x, v = rows[v > 0], x[v > 0], v[v > 0] ** 3
        u = uniforms(tried)
        accepted = (u < 1 - 0.0331 * (x * x) * (x * x)) | (np.log(u) < 0.5 * x * x + d[tried] * (1 - v + np.log(v)))
        done = tried[accepted]
        result[done] = d[done] * v[accepted]
        shrunk = done[small[done]]
        result[shrunk] *= uniforms(shrunk) ** (1 / alpha[shrunk])
        rows = np.setdiff1d(rows, done, assume_unique=True)
    return result


# ------------------------------------------------------------------------------------------------- Poisson


def draw_poisson(key: np.ndarray, counter: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """Draws from the Poisson distribution, one number for each element of a vector of rates, all float64.

    Small rates by multiplying uniform numbers (D. E. Knuth, "The Art of Computer Programming", vol. 2, 3.4.1), large ones
    by transformed rejection (W. Hörmann, "The transformed rejection method for generating Poisson random variables",
    Insurance: Mathematics and Economics 12, 1993).
    """
    streams = _Streams(key, counter, np.arange(len(rate)) * _BLOCKS_PER_OUTPUT)
    uniforms = _Numbers(streams, _uniform)
    result = np.where(np.isposinf(rate), rate, np.nan)
    rows = np.flatnonzero(rate < 10)
    result[rows] = 0
    product, least = np.ones_like(rate), np.exp(-rate)
    while rows.size:
        product[rows] *= uniforms(rows)
        rows = rows[product[rows] > least[rows]]
        result[rows] += 1
    _transformed_poisson(np.flatnonzero((rate >= 10) & np.isfinite(rate)), rate, uniforms, result)
    return result


def _transformed_poisson(rows: np.ndarray, rate: np.ndarray, uniforms: _Numbers, result: np.ndarray) -> None:
    b = 0.931 + 2.53 * np.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    inside = 0.9277 - 3.6224 / (b - 2)
    while rows.size:
        u = uniforms(rows) - 0.5
        v = uniforms(rows)
        center, scale, slope = rate[rows], b[rows], a[rows]
        edge = 0.5 - np.abs(u)
        k = np.floor((2 * slope / edge + scale) * u + center + 0.43)
        accepted = (edge >= 0.07) & (v <= inside[rows])
        refused = ~accepted & ((k < 0) | ((edge < 0.013) & (v > edge)))
        s = np.log(v * inverse_alpha[rows] / (slope / (edge * edge) + scale))
        t = -center + k * np.log(center) - lgamma(np, np.maximum(k, 0) + 1)
        accepted |= ~refused & (s <= t)
        result[rows[accepted]] = k[accepted]
        rows = rows[~accepted]


# ------------------------------------------------------------------------------------------------- binomial


def draw_binomial(key: np.ndarray, counter: np.ndarray, count: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """Draws how many of `count` trials succeed, one number for each element of two vectors of one dtype, in float64.

    Few expected successes by waiting times between them (L. Devroye, "Non-Uniform Random Variate Generation", X.4.3),
    many by transformed rejection (W. Hörmann, "The generation of binomial random variates", J. Stat. Comput. Simul. 46,
    1993).
    """
    mirrored = probability > 0.5
    rarer = np.where(mirrored, 1 - probability, probability)
    many = count * rarer >= 10
    n, p = count.astype(np.float64), rarer.astype(np.float64)
    result = np.full(len(n), np.nan)
    drawn = (n > 0) & (probability > 0) & (probability < 1)
    first = np.arange(len(n)) * np.where(many, _BLOCKS_PER_OUTPUT, _BLOCKS_PER_FEW_EVENTS)
    uniforms = _Numbers(_Streams(key, counter, first), _uniform)
    _few_successes(np.flatnonzero(drawn & ~many), n, p, uniforms, result)
    _many_successes(np.flatnonzero(drawn & many), n, p, uniforms, result)
    result = np.where(drawn & mirrored, n - result, result)
    result[(n > 0) & (probability >= 1)] = n[(n > 0) & (probability >= 1)]
    result[(n <= 0) | (probability <= 0)] = 0
    return result


def _few_successes(rows: np.ndarray, n: np.ndarray, p: np.ndarray, uniforms: _Numbers, result: np.ndarray) -> None:
    result[rows] = 0
    trials = np.zeros_like(n)
    while rows.size:
        trials[rows] += np.ceil(np.log(uniforms(rows)) / np.log1p(-p[rows]))
        rows = rows[trials[rows] <= n[rows]]
        result[rows] += 1


_STIRLING_TAILS = np.array([
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509, 0.0166446911898211,
    0.0138761288230707, 0.0118967099458917, 0.0104112652619720, 0.00925546218271273, 0.00833056343336287,
])  # fmt: skip


def _stirling_tail(k: np.ndarray) -> np.ndarray:
    """What Stirling's formula for log(k!) leaves over."""
    square = (k + 1) * (k + 1)
    series = (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
    return np.where(k <= 9, _STIRLING_TAILS[np.clip(k, 0, 9).astype(np.intp)], series)


def _many_successes(rows: np.ndarray, n: np.ndarray, p: np.ndarray, uniforms: _Numbers, result: np.ndarray) -> None:
    deviation = np.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    alpha = (2.83 + 5.1 / b) * deviation
    mode = np.floor((n + 1) * p)
    while rows.size:
        u = uniforms(rows)
        v = uniforms(rows)
        u = u - 0.5
        count, scale, slope, m = n[rows], b[rows], a[rows], mode[rows]
        odds = p[rows] / (1 - p[rows])
        edge = 0.5 - np.abs(u)
        k = np.floor((2 * slope / edge + scale) * u + (count * p[rows] + 0.5))
        accepted = (edge >= 0.07) & (v <= 0.92 - 4.2 / scale)
        possible = (k >= 0) & (k <= count)
        drawn, k = k, np.clip(k, 0, count)
        v = np.log(v * alpha[rows] / (slope / (edge * edge) + scale))
        bound = (
            (m + 0.5) * np.log((m + 1) / (odds * (count - m + 1)))
            + (count + 1) * np.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * np.log(odds * (count - k + 1) / (k + 1))
            + _stirling_tail(m) + _stirling_tail(count - m) - _stirling_tail(k) - _stirling_tail(count - k)
        )  # fmt: skip
        accepted |= possible & (v <= bound)
        result[rows[accepted]] = drawn[accepted]
        rows = rows[~accepted]


# ------------------------------------------------------------------------------------------------- truncated normal


class _Batch:
    """The truncated normal distribution of some samples, and how they are drawn.

    C. P. Robert, "Simulation of truncated normal variables", Statistics and Computing 5 (1995).

    Args:
        mean, deviation, low, high: Its parameters, scalars of the dtype, in whose precision all is computed.
    """

    def __init__(self, mean: Any, deviation: Any, low: Any, high: Any) -> None:
        if not (deviation > 0 and low < high and (np.isfinite(low) or np.isfinite(high))):
            raise InvalidArgumentError(
                "Invalid parameters: stddev must be positive, minval less than maxval and one of them finite; got "
                f"mean {mean}, stddev {deviation}, minval {low}, maxval {high}"
            )
        number = self._number = mean.dtype.type
        if np.isneginf(low) or high < mean:  # mirrored, so that a single bound is the lower one
            low, high, deviation = high, low, -deviation
        self._mean, self._deviation = mean, deviation
        self._low, self._high = (low - mean) / deviation, (high - mean) / deviation
        root = np.sqrt(self._low * self._low + number(4))
        self._root = root
        widest = number(2) * np.exp(number(0.5) + (self._low * (self._low - root)) / number(4)) / (self._low + root)
        far = number(1.3)
        if (self._low < -far and self._high >= 0) or (self._high > far and self._low <= 0):
            self.candidates, self._blocks = self._of_normal, 1
        elif self._high - self._low < widest:
            self.candidates, self._blocks = self._of_uniform, 2
        else:
            self.candidates, self._blocks = self._of_exponential, 1
        self.patience = _MOST_REJECTED + (self.candidates == self._of_normal)

    def _of_normal(self, words: np.ndarray, dtype: DType) -> tuple[np.ndarray, np.ndarray]:
        z = _normal(words, dtype)
        return z, (z >= self._low) & (z <= self._high)

    def _of_uniform(self, words: np.ndarray, dtype: DType) -> tuple[np.ndarray, np.ndarray]:
        numbers = _uniform(words, dtype)
        z = numbers[0::2] * (self._high - self._low) + self._low
        highest = self._number(0) if self._low < 0 else self._low * self._low
        return z, numbers[1::2] <= np.exp((highest - z * z) / self._number(2))

    def _of_exponential(self, words: np.ndarray, dtype: DType) -> tuple[np.ndarray, np.ndarray]:
        numbers = _uniform(words, dtype)
        rate = (self._low + self._root) / self._number(2)
        z = -np.log(numbers[:, 0::2]) / rate + self._low
        x = rate - z if self._low < rate else np.full_like(z, self._low - rate)
        return z, (numbers[:, 1::2] <= np.exp(-x * x / self._number(2))) & (z < self._high)

    def draw(self, key: np.ndarray, counter: np.ndarray, start: int, count: int) -> tuple[np.ndarray, int]:
        """Draws numbers; returns them, and the block after the last one that they took.

        Raises:
            InternalError: Too many candidates were rejected.
        """
        dtype = dtype_of(self._mean)
        found: list[np.ndarray] = []
        missing, rejected = count, 0
        while missing:
            turns = min(max(64, missing), 1 << 16)
            words = philox_blocks(np, key, counter, np.arange(start, start + turns * self._blocks, dtype=np.uint64))
            z, accepted = self.candidates(words, dtype)
            places = np.flatnonzero(accepted)[:missing]
            gaps = np.diff(places, prepend=-1 - rejected, append=[] if len(places) == missing else accepted.size) - 1
            if gaps.size and gaps.max() >= self.patience:
                raise InternalError(
                    "The rejection sampler of the truncated normal distribution failed to accept a sample."
                )
            rejected = int(gaps[-1])
            found.append(z.reshape(-1)[places])
            missing -= len(places)
            used = turns if missing else int(places[-1]) // z.shape[1] + 1
            start += used * self._blocks
        return np.concatenate(found) * self._deviation + self._mean, start


def draw_between(
    key: np.ndarray, counter: np.ndarray, parameters: Sequence[np.ndarray], count: int, per_batch: int
) -> np.ndarray:
    """Draws from truncated normal distributions one after the other.

    Args:
        key: The key.
        counter: The counter.
        parameters: Means, standard deviations, lowest and highest values, a vector each with one for each batch.
        count: How many numbers to draw.
        per_batch: How many of them each batch has; the last one may be short.
    """
    drawn, block = [np.zeros(0, parameters[0].dtype)], 0
    for number, batch in enumerate(zip(*parameters, strict=True)):
        size = min(per_batch, count - number * per_batch)
        if size > 0:
            numbers, block = _Batch(*batch).draw(key, counter, block, size)
            drawn.append(numbers)
    return np.concatenate(drawn)
