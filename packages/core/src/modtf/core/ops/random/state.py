"""Random ops with a state: seeded ones that go on where they stopped, and a variable that holds a generator's position."""

from __future__ import annotations

import math
import secrets
import threading
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.engine.replicas import current_replica
from modtf.core.engine.shape_rules import dims_from_value
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.kinds import dtype_of
from modtf.core.ops.random.bits import AUTO_SELECT, PHILOX, THREEFRY
from modtf.core.ops.random.uniform_and_normal import (
    choose,
    chosen_dims,
    draw_bits,
    draw_integers,
    draw_normal,
    draw_truncated_normal,
    draw_uniform,
    said_dims,
    shuffled_order,
    sizes_of,
)  # fmt: skip
from modtf.core.values.dtypes import (
    DType,
    bfloat16,
    float16,
    float32,
    float64,
    int32,
    int64,
    uint32,
    uint64,
)  # fmt: skip
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.resources import Resource, handle_dims

_WORD_MASK = (1 << 64) - 1

# ------------------------------------------------------------------------------------------------- seeded ops

_start_over = 0
"""How often all seeded ops were told to start again."""


def reset_positions() -> None:
    """Makes every seeded op start again from its seeds (`tf.random.set_seed`)."""
    global _start_over
    _start_over += 1


class Position:
    """Where the numbers of a seeded op stand: the `memory` of its kernel.

    Each node of a function's graph has one for itself, and all eager calls with the same seeds, attributes and dtypes
    share one, as TensorFlow's kernels do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: dict[int, int] = {}  # by the replica of a strategy, of which each stands elsewhere
        self._start = _start_over

    def reserve(self, blocks: int, seed: int, seed2: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns key and counter for so many blocks, which are not given out again.

        The seeds are the key and the counter's high half; without any, they are random.
        """
        if seed == 0 and seed2 == 0:
            return np.array([secrets.randbits(64)], np.uint64), np.array([0, secrets.randbits(64)], np.uint64)
        with self._lock:
            if self._start != _start_over:
                self._start, self._blocks = _start_over, {}
            replica = current_replica() or 0
            first = self._blocks.get(replica, 0)
            self._blocks[replica] = first + blocks
        position = ((seed2 & _WORD_MASK) << 64) + first
        return np.array([seed & _WORD_MASK], np.uint64), np.array(
            [position & _WORD_MASK, position >> 64 & _WORD_MASK], np.uint64
        )


_BLOCKS_PER_NUMBER = 256


def _seeded(schema: str, kernel: Any, shape: Any) -> None:
    made = Op(schema, kernel=kernel, shape=shape, host_only=True, stateful=True, quiet=True, memory=Position)
    register(made).gradient(None)


def _floating(name: str, draw: Any) -> None:
    def kernel(xp: Any, shape: np.ndarray, *, seed: int, seed2: int, dtype: DType, memory: Position) -> np.ndarray:
        sizes = sizes_of(shape)
        key, counter = memory.reserve(math.prod(sizes) * _BLOCKS_PER_NUMBER, seed, seed2)
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
    xp: Any, shape: np.ndarray, minval: np.ndarray, maxval: np.ndarray, *, seed: int, seed2: int, memory: Position
) -> np.ndarray:
    if minval.ndim or maxval.ndim or not minval < maxval:
        raise InvalidArgumentError(f"Need minval < maxval, two scalars; got {minval} and {maxval}")
    sizes = sizes_of(shape)
    key, counter = memory.reserve(math.prod(sizes) * _BLOCKS_PER_NUMBER, seed, seed2)
    return draw_integers(np, PHILOX, key, counter, sizes, dtype_of(minval), minval, maxval)


def _random_shuffle(xp: Any, value: np.ndarray, *, seed: int, seed2: int, memory: Position) -> np.ndarray:
    if value.size <= 1 or value.ndim == 0 or len(value) <= 1:
        return value
    key, counter = memory.reserve(-(-(len(value) - 1) // 4), seed, seed2)
    return value[shuffled_order(key, counter, len(value))]


def _multinomial(
    xp: Any, logits: np.ndarray, num_samples: np.ndarray, *, seed: int, seed2: int, output_dtype: DType,
    memory: Position,
) -> np.ndarray:  # fmt: skip
    drawn = len(logits) * (-(-int(num_samples) // 4) * 4 * 2) if logits.ndim == 2 and not num_samples.ndim else 0
    key, counter = memory.reserve(drawn * _BLOCKS_PER_NUMBER, seed, seed2)
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


def skip_state(backend: Backend, resource: Resource, algorithm: int, delta: Any, step: int = _BLOCKS_PER_NUMBER) -> Any:
    """Moves the counter on by `delta` numbers, each so many steps; returns the state before.

    Raises:
        InvalidArgumentError: The algorithm is unknown, or the state is not one of it.
    """
    algorithm = PHILOX if algorithm == AUTO_SELECT else algorithm
    if algorithm not in (PHILOX, THREEFRY):
        raise InvalidArgumentError(
            f"Unsupported algorithm id: {algorithm}. Expected 1 (Philox), 2 (ThreeFry) or 3 (auto)"
        )
    size = 3 if algorithm == PHILOX else 2
    xp = backend.xp
    with resource.lock:
        before = resource.read(backend)
        if resource.dtype is not int64 or len(before.shape) != 1 or before.shape[0] < size:
            raise InvalidArgumentError(
                f"The state of algorithm {algorithm} must be int64 of length {size} at least; the variable is "
                f"{resource.dtype.name}{list(before.shape)}"
            )
        distance = xp.astype(xp.asarray(delta), xp.uint64) * step
        low = xp.astype(before[0:1], xp.uint64) + distance
        after = [xp.astype(low, xp.int64)]
        if algorithm == PHILOX:
            after.append(before[1:2] + xp.astype(low < distance, xp.int64))
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
    return skip_state(backend, resource, int(alg), delta)


@op(
    "RngSkip(resource: resource, algorithm: int64, delta: int64) -> ()",
    shape=lambda resource, algorithm, delta: [],
    host_inputs=("algorithm",),
    stateful=True,
    quiet=True,
)
def skip(backend: Backend, resource: Resource, algorithm: np.ndarray, delta: Any) -> tuple[()]:
    skip_state(backend, resource, int(algorithm), delta)
    return ()


read_and_skip.gradient(None)
skip.gradient(None)


# ------------------------------------------------------------------------------------------------- draws from variables


def _drawn(
    draw: Any,
    backend: Backend,
    resource: Resource,
    algorithm: np.ndarray,
    shape: np.ndarray,
    dtype: DType,
    *bounds: Any,
) -> Any:
    """Draws numbers with the state that a variable holds, and moves it on."""
    number = PHILOX if int(algorithm) == AUTO_SELECT else int(algorithm)
    sizes = sizes_of(shape)
    count, step = math.prod(sizes), _BLOCKS_PER_NUMBER
    if number == THREEFRY:  # as XLA moves it on: by the words that are used
        count, step = count if dtype.size == 8 else -(-count // 2), 1
    before = skip_state(backend, resource, number, np.uint64(count), step)
    xp = backend.xp
    words = xp.astype(before, xp.uint64)
    size = 1 if number == THREEFRY else 2
    return draw(xp, number, words[size : size + 1], words[:size], sizes, dtype, *bounds)


def _of_variable(name: str, draw: Any, default: str, accepted: tuple[DType, ...]) -> None:
    def kernel(backend: Backend, resource: Resource, algorithm: np.ndarray, shape: np.ndarray, *, dtype: DType) -> Any:
        if dtype not in accepted:
            names = ", ".join(item.name for item in accepted)
            raise InvalidArgumentError(f"{name} cannot draw numbers of dtype {dtype.name}; it can of {names}")
        return _drawn(draw, backend, resource, algorithm, shape, dtype)

    register(
        Op(
            f"{name}[shape_dtype = int64](resource: resource, algorithm: int64, shape: shape_dtype, *, "
            f"dtype: type = {default}) -> (output: dtype)",
            kernel=kernel,
            shape=lambda resource, algorithm, shape, *, dtype: dims_from_value(shape),
            host_inputs=("algorithm", "shape"),
            stateful=True,
            quiet=True,
        )
    ).gradient(None)


_FLOATING = (float16, bfloat16, float32, float64)
_WHOLE = (int32, int64, uint32, uint64)
_of_variable("StatefulStandardNormalV2", draw_normal, "float32", _FLOATING)
_of_variable("StatefulTruncatedNormal", draw_truncated_normal, "float32", _FLOATING)
_of_variable("StatefulUniform", draw_uniform, "float32", _FLOATING)
_of_variable("StatefulUniformFullInt", draw_bits, "uint64", _WHOLE)


@op(
    "StatefulUniformInt[shape_dtype = int64, dtype = int64](resource: resource, algorithm: int64, shape: shape_dtype, "
    "minval: dtype, maxval: dtype) -> (output: dtype)",
    shape=lambda resource, algorithm, shape, minval, maxval: dims_from_value(shape),
    host_inputs=("algorithm", "shape"),
    stateful=True,
    quiet=True,
)
def stateful_integers(
    backend: Backend, resource: Resource, algorithm: np.ndarray, shape: np.ndarray, minval: Any, maxval: Any
) -> Any:
    return _drawn(draw_integers, backend, resource, algorithm, shape, dtype_of(minval), minval, maxval)


stateful_integers.gradient(None)


@op(
    "NonDeterministicInts[shape_dtype = int64](shape: shape_dtype, *, dtype: type = int64) -> (output: dtype)",
    shape=lambda shape, *, dtype: dims_from_value(shape),
    host_inputs=("shape",),
    host_only=True,
    stateful=True,
)
def non_deterministic_ints(xp: Any, shape: np.ndarray, *, dtype: DType) -> np.ndarray:
    if dtype not in _WHOLE:
        raise InvalidArgumentError(f"dtype must be int32, int64, uint32 or uint64, not {dtype.name}")
    sizes = sizes_of(shape)
    drawn = secrets.token_bytes(math.prod(sizes) * dtype.size)
    return np.frombuffer(drawn, dtype.np_dtype).reshape(sizes).copy()


non_deterministic_ints.gradient(None)
