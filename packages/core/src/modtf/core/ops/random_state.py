"""Random ops with a state: seeded ones that go on where they stopped, and a variable that holds a generator's position."""

from __future__ import annotations

import math
import secrets
import threading
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.kinds import dtype_of
from modtf.core.ops.random import (
    choose,
    chosen_dims,
    draw_integers,
    draw_normal,
    draw_truncated_normal,
    draw_uniform,
    said_dims,
    shuffled_order,
    sizes_of,
)  # fmt: skip
from modtf.core.ops.random_bits import PHILOX, THREEFRY
from modtf.core.values.dtypes import DType, int64
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.resources import Resource, handle_dims

_WORD_MASK = (1 << 64) - 1

# ------------------------------------------------------------------------------------------------- seeded ops

_positions: dict[Any, int] = {}
_lock = threading.Lock()


def reset_positions() -> None:
    """Makes every seeded op start again from its seeds (`tf.random.set_seed`)."""
    with _lock:
        _positions.clear()


def reserve(blocks: int, seed: int, seed2: int, *user: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns key and counter for so many blocks, which are not given out again.

    The seeds are the key and the counter's high half; without any, they are random. Uses of the same seeds by another
    op, or for another dtype, count for themselves, as TensorFlow's kernels do.
    """
    if seed == 0 and seed2 == 0:
        return np.array([secrets.randbits(64)], np.uint64), np.array([0, secrets.randbits(64)], np.uint64)
    identity = (*user, seed, seed2)
    with _lock:
        start = _positions.get(identity, 0)
        _positions[identity] = start + blocks
    position = ((seed2 & _WORD_MASK) << 64) + start
    return np.array([seed & _WORD_MASK], np.uint64), np.array(
        [position & _WORD_MASK, position >> 64 & _WORD_MASK], np.uint64
    )


_BLOCKS_PER_NUMBER = 256


def _seeded(schema: str, kernel: Any, shape: Any) -> None:
    made = Op(schema, kernel=kernel, shape=shape, host_only=True, stateful=True, quiet=True)
    register(made).gradient(None)


def _floating(name: str, draw: Any) -> None:
    def kernel(xp: Any, shape: np.ndarray, *, seed: int, seed2: int, dtype: DType) -> np.ndarray:
        sizes = sizes_of(shape)
        key, counter = reserve(math.prod(sizes) * _BLOCKS_PER_NUMBER, seed, seed2, name, dtype, shape.dtype)
        return draw(np, PHILOX, key, counter, sizes, dtype)

    _seeded(
        f"{name}[T: index](shape: T, *, seed: int = 0, seed2: int = 0, dtype: type(floating)) -> (output: dtype)",
        kernel,
        said_dims,
    )


_floating("RandomUniform", draw_uniform)
_floating("RandomStandardNormal", draw_normal)
_floating("TruncatedNormal", draw_truncated_normal)


def _random_integers(
    xp: Any, shape: np.ndarray, minval: np.ndarray, maxval: np.ndarray, *, seed: int, seed2: int
) -> np.ndarray:
    if minval.ndim or maxval.ndim or not minval < maxval:
        raise InvalidArgumentError(f"Need minval < maxval, two scalars; got {minval} and {maxval}")
    sizes = sizes_of(shape)
    key, counter = reserve(
        math.prod(sizes) * _BLOCKS_PER_NUMBER, seed, seed2, "RandomUniformInt", minval.dtype, shape.dtype
    )
    return draw_integers(np, PHILOX, key, counter, sizes, dtype_of(minval), minval, maxval)


def _random_shuffle(xp: Any, value: np.ndarray, *, seed: int, seed2: int) -> np.ndarray:
    if value.size <= 1 or value.ndim == 0 or len(value) <= 1:
        return value
    key, counter = reserve(-(-(len(value) - 1) // 4), seed, seed2, "RandomShuffle", value.dtype)
    return value[shuffled_order(key, counter, len(value))]


def _multinomial(
    xp: Any, logits: np.ndarray, num_samples: np.ndarray, *, seed: int, seed2: int, output_dtype: DType
) -> np.ndarray:
    drawn = len(logits) * (-(-int(num_samples) // 4) * 4 * 2) if logits.ndim == 2 and not num_samples.ndim else 0
    key, counter = reserve(drawn * _BLOCKS_PER_NUMBER, seed, seed2, "Multinomial", logits.dtype, output_dtype)
    return choose(logits, num_samples, key, counter, output_dtype.np_dtype)


_SEEDS = "*, seed: int = 0, seed2: int = 0"
_seeded(
    f"RandomUniformInt[T: index, Tout: index](shape: T, minval: Tout, maxval: Tout, {_SEEDS}) -> (output: Tout)",
    _random_integers,
    said_dims,
)
_seeded(
    f"RandomShuffle[T](value: T, {_SEEDS}) -> (output: T)", _random_shuffle, lambda value, *, seed, seed2: value.dims
)
_seeded(
    f"Multinomial[T: real](logits: T, num_samples: int32, {_SEEDS}, output_dtype: type(index) = int64)"
    " -> (output: output_dtype)",
    _multinomial,
    chosen_dims,
)


# ------------------------------------------------------------------------------------------------- generators' variables


def _skip(backend: Backend, resource: Resource, algorithm: int, delta: Any) -> Any:
    """Moves the counter on by `delta` numbers; returns the state before."""
    if algorithm not in (PHILOX, THREEFRY):
        raise InvalidArgumentError(f"Unsupported algorithm id: {algorithm}. Expected 1 (Philox) or 2 (ThreeFry)")
    size = 3 if algorithm == PHILOX else 2
    xp = backend.xp
    with resource.lock:
        before = resource.read(backend)
        if resource.dtype is not int64 or len(before.shape) != 1 or before.shape[0] < size:
            raise InvalidArgumentError(
                f"The state of algorithm {algorithm} must be int64 of length {size} at least; the variable is "
                f"{resource.dtype.name}{list(before.shape)}"
            )
        step = xp.astype(delta, xp.uint64) * _BLOCKS_PER_NUMBER
        low = xp.astype(before[0:1], xp.uint64) + step
        after = [xp.astype(low, xp.int64)]
        if algorithm == PHILOX:
            after.append(before[1:2] + xp.astype(low < step, xp.int64))
        resource.assign(xp.concat([*after, before[len(after) :]]), backend)
    return before


@op(
    "RngReadAndSkip(resource: resource, alg: int32, delta: uint64) -> (value: int64)",
    shape=lambda resource, alg, delta: handle_dims(resource),
    host_inputs=("alg",),
    stateful=True,
    quiet=True,
)
def read_and_skip(backend: Backend, resource: Resource, alg: np.ndarray, delta: Any) -> Any:
    return _skip(backend, resource, int(alg), delta)


@op(
    "RngSkip(resource: resource, algorithm: int64, delta: int64) -> ()",
    shape=lambda resource, algorithm, delta: [],
    host_inputs=("algorithm",),
    stateful=True,
    quiet=True,
)
def skip(backend: Backend, resource: Resource, algorithm: np.ndarray, delta: Any) -> tuple[()]:
    _skip(backend, resource, int(algorithm), delta)
    return ()


read_and_skip.gradient(None)
skip.gradient(None)
