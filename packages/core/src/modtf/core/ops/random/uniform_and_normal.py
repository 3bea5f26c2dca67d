"""Random numbers as a function of key and counter, or of a seed: TensorFlow's numbers, on every backend.

Philox gives what TensorFlow's kernels give, ThreeFry what XLA gives for it. Integers and uniform numbers are equal bit by
bit; normal ones up to the rounding of logarithm, sine and cosine, which are taken in float64 here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from modtf.core.engine.shape_rules import constant_value, dims_from_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, op, register
from modtf.core.ops.kinds import dtype_of
from modtf.core.ops.math.casts import cast_to
from modtf.core.ops.math.special import erf, erfinv
from modtf.core.ops.random.bits import (
    AUTO_SELECT,
    PHILOX,
    THREEFRY,
    joined,
    philox_blocks,
    random_words,
    scrambled_seed,
    split_axis,
)  # fmt: skip
from modtf.core.values.dtypes import DType, bfloat16, float16, float32, float64
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- distributions

# Each is `draw(xp, algorithm, key, counter, shape, dtype, *parameters)`.


def draw_uniform(xp: Any, algorithm: int, key: Any, counter: Any, shape: Sequence[int], dtype: DType) -> Any:
    """Floating-point numbers in [0, 1): as many random bits as the significand has, after the point."""
    wide = float32 if algorithm == THREEFRY and dtype is bfloat16 else dtype
    words = random_words(xp, algorithm, key, counter, shape, 64 if dtype is float64 else 32)
    return _rounded(xp, algorithm, fractions(xp, algorithm, words, wide), dtype)


def _rounded(xp: Any, algorithm: int, numbers: Any, dtype: DType) -> Any:
    """The float64 numbers in the dtype; XLA cuts off what bfloat16 cannot hold."""
    if algorithm == THREEFRY and dtype is bfloat16:
        return cast_to(xp, xp.astype(numbers, xp.float32), dtype, truncate=True)
    return xp.astype(numbers, find_kernel_dtype(xp, dtype))


def fractions(xp: Any, algorithm: int, words: Any, dtype: DType) -> Any:
    """The random words as float64 numbers in [0, 1) that `dtype` can hold."""
    digits = int(ml_dtypes.finfo(dtype.np_dtype).nmant)
    if algorithm == THREEFRY and dtype is not float16:
        words = words >> (dtype.size * 8 - digits)
    elif dtype is float64:
        words = ((words & 0xFFFFF) << 32) | (words >> 32)
    else:
        words = words & ((1 << digits) - 1)
    return xp.astype(words, xp.float64) * 2.0**-digits


def draw_bits(xp: Any, algorithm: int, key: Any, counter: Any, shape: Sequence[int], dtype: DType) -> Any:
    """Integers of the whole range of the dtype."""
    words = random_words(xp, algorithm, key, counter, shape, 8 * dtype.size)
    if dtype.size == 4:
        words = xp.astype(words, xp.uint32)
    return xp.astype(words, find_kernel_dtype(xp, dtype))


def draw_integers(
    xp: Any, algorithm: int, key: Any, counter: Any, shape: Sequence[int], dtype: DType, minval: Any, maxval: Any
) -> Any:
    """Integers in [minval, maxval), by the remainder of random words."""
    if minval.ndim or maxval.ndim:
        raise InvalidArgumentError(f"minval and maxval must be scalars, not {list(minval.shape)}, {list(maxval.shape)}")
    if xp is np and 0 not in shape and not minval < maxval:
        raise InvalidArgumentError(f"Need minval < maxval, got {minval} >= {maxval}")
    low = xp.astype(minval, xp.uint64)
    width = xp.astype(maxval, xp.uint64) - low
    words = random_words(xp, algorithm, key, counter, shape, 8 * dtype.size)
    numbers = low + words % width
    return xp.astype(xp.astype(numbers, xp.int64), find_kernel_dtype(xp, dtype))


def _box_muller(xp: Any, first: Any, second: Any, precision: DType, turn: float = 2 * math.pi) -> tuple[Any, Any]:
    """Two normal numbers from two uniform ones, each step rounded to a precision; `turn` is the angle of a full turn.

    G. E. P. Box and M. E. Muller, "A Note on the Generation of Random Normal Deviates", Ann. Math. Stat. 29 (1958).
    """
    rounded = find_kernel_dtype(xp, precision)

    def step(value: Any) -> Any:
        return xp.astype(xp.astype(value, rounded), xp.float64)

    smallest = 1e-7 if precision is float64 else float(np.float32(1e-7))
    radius = step(xp.sqrt(step(-2 * step(xp.log(step(xp.clip(first, smallest, 1.0)))))))
    angle = step(turn * second)
    return step(step(xp.sin(angle)) * radius), step(step(xp.cos(angle)) * radius)


def normal_pairs(xp: Any, words: Any, dtype: DType) -> Any:
    """The normal numbers of each Philox block: of words along the last axis, four or (of float64) two numbers."""
    if dtype is float64:
        uniform = fractions(xp, PHILOX, xp.stack([words[..., 0] | (words[..., 1] << 32),
                                                  words[..., 2] | (words[..., 3] << 32)], axis=-1), dtype)  # fmt: skip
    else:
        uniform = fractions(xp, PHILOX, words, float32)
    precision = float64 if dtype is float64 else float32
    pairs = [_box_muller(xp, uniform[..., i], uniform[..., i + 1], precision) for i in range(0, uniform.shape[-1], 2)]
    return xp.stack([number for pair in pairs for number in pair], axis=-1)


def draw_normal(xp: Any, algorithm: int, key: Any, counter: Any, shape: Sequence[int], dtype: DType) -> Any:
    """Numbers of the standard normal distribution."""
    shape = tuple(shape)
    size = math.prod(shape)
    if algorithm == THREEFRY:
        target, axis = split_axis(shape)
        wide = float64 if dtype is float64 else float32 if dtype is bfloat16 else dtype
        words = random_words(
            xp, algorithm, key, counter, (*target[:axis], target[axis] // 2, 2, *target[axis + 1 :]),
            64 if dtype is float64 else 32,
        )  # fmt: skip
        uniform = fractions(xp, algorithm, words, wide)
        before = (slice(None),) * (axis + 1)
        first, second = (uniform[(*before, index, ...)] for index in (0, 1))
        turn = float(np.asarray(2 * math.pi, wide.np_dtype))  # XLA has it in the dtype
        numbers = joined(xp, _box_muller(xp, first, second, wide, turn), shape)
    else:
        per_block = 2 if dtype is float64 else 4
        words = philox_blocks(xp, key, counter, xp.arange(-(-size // per_block), dtype=xp.uint64))
        numbers = xp.reshape(xp.reshape(normal_pairs(xp, words, dtype), (-1,))[:size], shape)
    return _rounded(xp, algorithm, numbers, dtype)


_TRUNCATED_AT = 2.0
_SAMPLES_RESERVED = 256


def draw_truncated_normal(xp: Any, algorithm: int, key: Any, counter: Any, shape: Sequence[int], dtype: DType) -> Any:
    """Numbers of the standard normal distribution, drawn again where they are 2 or more away from 0."""
    shape = tuple(shape)
    size = math.prod(shape)
    if algorithm == THREEFRY:
        return _threefry_truncated_normal(xp, key, counter, shape, dtype)
    group = 2 if dtype is float64 else 4
    spacing = group * _SAMPLES_RESERVED // 4
    groups = xp.arange(-(-size // group), dtype=xp.uint64) * spacing
    numbers, complete = _accepted(xp, key, counter, groups, group, dtype, blocks=2)
    # Of twice the candidates that are needed nearly always enough are accepted; of 8 times, practically always: all but
    # 21 of 32 are rejected with a probability of 1e-36.
    if xp is np:
        short = np.flatnonzero(~complete)
        if short.size:
            numbers[short] = _accepted(np, key, counter, groups[short], group, dtype, blocks=8)[0]
    elif size:
        numbers = _accepted(xp, key, counter, groups, group, dtype, blocks=8)[0]
    return xp.astype(xp.reshape(xp.reshape(numbers, (-1,))[:size], shape), find_kernel_dtype(xp, dtype))


def _accepted(xp: Any, key: Any, counter: Any, groups: Any, group: int, dtype: DType, blocks: int) -> tuple[Any, Any]:
    """The first candidates near enough to 0, `group` for each group, and whether there were as many."""
    numbers = xp.reshape(xp.expand_dims(groups, axis=-1) + xp.arange(blocks, dtype=xp.uint64), (-1,))
    words = philox_blocks(xp, key, counter, numbers)
    candidates = xp.reshape(normal_pairs(xp, words, dtype), (groups.shape[0], blocks * group))
    near = xp.abs(candidates) < _TRUNCATED_AT
    rank = xp.cumulative_sum(xp.astype(near, xp.int32), axis=1, dtype=xp.int32)
    zero = xp.zeros_like(candidates)
    chosen = [xp.sum(xp.where(near & (rank == index + 1), candidates, zero), axis=1) for index in range(group)]
    return xp.stack(chosen, axis=-1), rank[:, -1] >= group


def _threefry_truncated_normal(xp: Any, key: Any, counter: Any, shape: tuple[int, ...], dtype: DType) -> Any:
    # By the inverse of the distribution function, as XLA does it.
    wide = float64 if dtype is float64 else float32 if dtype is bfloat16 else dtype
    words = random_words(xp, THREEFRY, key, counter, shape, 64 if dtype is float64 else 32)
    smallest = float(ml_dtypes.finfo(wide.np_dtype).smallest_normal)
    uniform = fractions(xp, THREEFRY, words, wide) * (1 - smallest) + smallest
    inside = erf(np, np.asarray(_TRUNCATED_AT / math.sqrt(2)))
    numbers = math.sqrt(2) * erfinv(xp, (2 * uniform - 1) * float(inside))
    return _rounded(xp, THREEFRY, xp.clip(numbers, -_TRUNCATED_AT, _TRUNCATED_AT), dtype)


# ------------------------------------------------------------------------------------------------- ops of key and counter


def sizes_of(shape: np.ndarray) -> tuple[int, ...]:
    """The shape that an input says.

    Raises:
        InvalidArgumentError: It is not a vector of sizes.
    """
    if shape.ndim != 1:
        raise InvalidArgumentError(f"shape must be a vector of {{int32,int64}}, got shape {list(shape.shape)}")
    if np.any(shape < 0):
        raise InvalidArgumentError(f"Dimension {shape.min()} must be >= 0")
    return tuple(int(size) for size in shape)


def check_key(algorithm: int, key: Any, counter: Any) -> int:
    if algorithm not in (PHILOX, THREEFRY, AUTO_SELECT):
        raise InvalidArgumentError(
            f"Unsupported algorithm id: {algorithm}. Expected 1 (Philox), 2 (ThreeFry) or 3 (auto)"
        )
    algorithm = PHILOX if algorithm == AUTO_SELECT else algorithm
    if tuple(key.shape) != (1,):
        raise InvalidArgumentError(f"key must have shape [1]; got shape: {list(key.shape)}")
    words = 2 if algorithm == PHILOX else 1
    if len(counter.shape) != 1 or counter.shape[0] < words:
        raise InvalidArgumentError(
            f"counter must be a vector with length at least {words}; got shape: {list(counter.shape)}"
        )
    return algorithm


def check_seed(seed: Any) -> None:
    if tuple(seed.shape) != (2,):
        raise InvalidArgumentError(f"seed must have shape [2], not {list(seed.shape)}")


def said_dims(shape: Tensor, *others: Tensor, **attrs: Any) -> Dims:
    """The shape rule of random numbers: their shape is an input."""
    return dims_from_value(shape)


def seeded_dims(shape: Tensor, seed: Tensor, *others: Tensor, **attrs: Any) -> Dims:
    merged(seed.dims, (2,))
    return dims_from_value(shape)


def _stateless(name: str, draw: Callable[..., Any], types: str, default: str, parameters: Sequence[str] = ()) -> None:
    """Registers the op of key and counter and the older one of a seed."""
    inputs = "".join(f", {name}: dtype" for name in parameters)
    typed = f"*, dtype: type({types}){default and f' = {default}'}"

    def of_key(
        xp: Any, shape: np.ndarray, key: Any, counter: Any, alg: np.ndarray, *bounds: Any, dtype: DType | None = None
    ) -> Any:
        algorithm = check_key(int(alg), key, counter)
        return draw(xp, algorithm, key, counter, sizes_of(shape), dtype or dtype_of(bounds[0]), *bounds)

    def of_seed(xp: Any, shape: np.ndarray, seed: Any, *bounds: Any, dtype: DType | None = None) -> Any:
        check_seed(seed)
        key, counter = scrambled_seed(xp, seed)
        return draw(xp, PHILOX, key, counter, sizes_of(shape), dtype or dtype_of(bounds[0]), *bounds)

    of_types = f"dtype: {types}, " if parameters else ""
    attrs = "" if parameters else f", {typed}"
    seeds = "int32|int64|uint32|uint64" if draw is draw_bits else "index"
    old_types = "index" if parameters else types
    register(
        Op(
            f"{name}V2[{of_types}Tshape: index = int32](shape: Tshape, key: uint64, counter: uint64, alg: int32{inputs}"
            f"{attrs}) -> (output: dtype)",
            kernel=of_key,
            shape=said_dims,
            host_inputs=("shape", "alg"),
            quiet=True,
        )
    ).gradient(None)
    of_types = f"dtype: {old_types}, " if parameters else ""
    register(
        Op(
            f"{name}[{of_types}T: index{'' if parameters else ' = int32'}, Tseed: {seeds} = int64]"
            f"(shape: T, seed: Tseed{inputs}{attrs}) -> (output: dtype)",
            kernel=of_seed,
            shape=seeded_dims,
            host_inputs=("shape",),
            quiet=True,
        )
    ).gradient(None)


_INTEGERS = "int32|int64|uint32|uint64"
_stateless("StatelessRandomUniform", draw_uniform, "floating", "float32")
_stateless("StatelessRandomNormal", draw_normal, "floating", "float32")
_stateless("StatelessTruncatedNormal", draw_truncated_normal, "floating", "float32")
_stateless("StatelessRandomUniformFullInt", draw_bits, _INTEGERS, "uint64")
_stateless("StatelessRandomUniformInt", draw_integers, _INTEGERS, "", ("minval", "maxval"))


# ------------------------------------------------------------------------------------------------- seeds to keys


def _key_and_counter(xp: Any, seed: Any) -> tuple[Any, Any]:
    check_seed(seed)
    return scrambled_seed(xp, seed)


@op(
    "StatelessRandomGetKeyCounter[Tseed: index = int64](seed: Tseed) -> (key: uint64, counter: uint64)",
    shape=lambda seed: [(1,), (2,)],
    quiet=True,
)
def get_key_counter(xp: Any, seed: Any) -> tuple[Any, Any]:
    return _key_and_counter(xp, seed)


@op(
    "StatelessRandomGetKeyCounterAlg[Tseed: index = int64](seed: Tseed) -> (key: uint64, counter: uint64, alg: int32)",
    shape=lambda seed: [(1,), (2,), ()],
    quiet=True,
)
def get_key_counter_alg(xp: Any, seed: Any) -> tuple[Any, Any, Any]:
    return *_key_and_counter(xp, seed), xp.asarray(PHILOX, dtype=xp.int32)


@op("StatelessRandomGetAlg() -> (alg: int32)", shape=lambda: (), stateful=True, host_outputs=True)
def get_alg(xp: Any) -> Any:
    return np.array(PHILOX, np.int32)


for _op in (get_key_counter, get_key_counter_alg, get_alg):
    _op.gradient(None)


# ------------------------------------------------------------------------------------------------- shuffling, choosing


def shuffled_order(key: np.ndarray, counter: np.ndarray, count: int) -> np.ndarray:
    """A permutation of `count` numbers.

    Each place in turn swaps with a later one or itself (R. Durstenfeld, "Algorithm 235", CACM 7, 1964).
    """
    order = np.arange(count)
    words = random_words(np, PHILOX, key, counter, (max(count - 1, 0),), 32)
    for place, word in enumerate(words.tolist()):
        other = place + word % (count - place)
        order[place], order[other] = order[other], order[place]
    return order


@op(
    "StatelessShuffle[T](value: T, key: uint64, counter: uint64, alg: int32) -> (output: T)",
    shape=lambda value, key, counter, alg: value.dims,
    host_inputs=("key", "counter", "alg"),
)
def stateless_shuffle(xp: Any, value: Any, key: np.ndarray, counter: np.ndarray, alg: np.ndarray) -> Any:
    if check_key(int(alg), key, counter) != PHILOX:
        raise InvalidArgumentError(f"Unsupported algorithm id: {alg}. Shuffling is defined for Philox only")
    if np.ndim(value) == 0:
        return value
    return xp.take(value, xp.asarray(shuffled_order(key, counter, value.shape[0])), axis=0)


stateless_shuffle.gradient(None)


def choose(
    logits: np.ndarray, num_samples: np.ndarray, key: np.ndarray, counter: np.ndarray, dtype: np.dtype
) -> np.ndarray:
    """Draws classes from each row's unnormalised log-probabilities, by the running total of the probabilities."""
    if logits.ndim != 2:
        raise InvalidArgumentError(f"logits should be a matrix, got shape {list(logits.shape)}")
    if num_samples.ndim or num_samples < 0:
        raise InvalidArgumentError(f"num_samples should be a scalar that is not negative, got {num_samples}")
    if not logits.shape[1]:
        raise InvalidArgumentError("num_classes should be positive, got 0")
    finite = np.isfinite(logits)
    wide = logits.astype(np.float64)
    largest = np.max(np.where(finite, wide, -np.inf), axis=1, keepdims=True, initial=-np.finfo(np.float64).max)
    totals = np.cumsum(np.where(finite, np.exp(wide - largest), 0), axis=1)
    count = int(num_samples)
    words = random_words(np, PHILOX, key, counter, (len(logits), count), 64)
    wanted = fractions(np, PHILOX, words, float64) * totals[:, -1:]
    chosen = [np.searchsorted(row, want, side="right") for row, want in zip(totals, wanted, strict=True)]
    return np.array(chosen, dtype).reshape(len(logits), count)


def chosen_dims(logits: Tensor, num_samples: Tensor, *others: Any, **attrs: Any) -> Dims:
    """The shape rule of choosing."""
    count = constant_value(num_samples)
    rows, _ = with_rank(logits, 2, "logits")
    return (rows, None if count is None else int(count))


@op(
    "StatelessMultinomial[T: real, Tseed: index = int64](logits: T, num_samples: int32, seed: Tseed, *, "
    "output_dtype: type(index) = int64) -> (output: output_dtype)",
    shape=chosen_dims,
    host_only=True,
    quiet=True,
)
def stateless_multinomial(
    xp: Any, logits: np.ndarray, num_samples: np.ndarray, seed: np.ndarray, *, output_dtype: DType
) -> np.ndarray:
    return choose(logits, num_samples, *_key_and_counter(np, seed), output_dtype.np_dtype)


stateless_multinomial.gradient(None)
