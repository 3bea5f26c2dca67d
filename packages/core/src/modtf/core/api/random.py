"""Random numbers (`tf.random`): TensorFlow's own, bit by bit, from the same seeds.

Three kinds of function: `stateless_*` are functions of a seed; the `Generator`'s methods move a position on that a variable
holds; `uniform`, `normal` and their like take seeds from `set_seed` and go on where they stopped.
"""

from __future__ import annotations

import enum
import random as python_random
import secrets
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modtf.core.api.reductions import reduce_prod
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.ops.random_state import reset_positions
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable

__all__ = [
    "Algorithm", "Generator", "categorical", "create_rng_state", "fold_in", "get_global_generator", "normal",
    "set_global_generator", "set_seed", "shuffle", "split", "stateless_categorical", "stateless_normal",
    "stateless_shuffle", "stateless_truncated_normal", "stateless_uniform", "truncated_normal", "uniform",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- seeds

_GREATEST_SEED = 2**31 - 1
_SEED_WITHOUT_GLOBAL = 87654321


class _GlobalSeed:
    """What `set_seed` set: the seed, and the sequence of op seeds that follows from it."""

    def __init__(self) -> None:
        self.seed: int | None = None
        self.sequence = python_random.Random()
        self.counts: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def next_op_seed(self) -> int:
        """A seed for an op that has none: drawn when it runs at once, counted in a graph."""
        graph = contexts.current().graph
        if graph is None:
            return self.sequence.randint(0, _GREATEST_SEED)
        count = self.counts.get(graph, 0)
        self.counts[graph] = count + 1
        return count


_global = _GlobalSeed()


def set_seed(seed: int) -> None:
    """Sets the seed from which ops without a seed take theirs, and makes all of them start again.

    Args:
        seed: Any integer.
    """
    _global.seed = int(seed)
    _global.sequence = python_random.Random(int(seed))
    _global.counts.clear()
    reset_positions()


def op_seeds(seed: int | None) -> dict[str, int]:
    """The two seeds of an op; both are 0, which means random ones, if neither it nor the process has a seed."""
    if _global.seed is None and seed is None:
        return {"seed": 0, "seed2": 0}
    first = _SEED_WITHOUT_GLOBAL if _global.seed is None else _global.seed
    second = _global.next_op_seed() if seed is None else int(seed)
    first, second = first % _GREATEST_SEED, second % _GREATEST_SEED
    return {"seed": first, "seed2": second if (first, second) != (0, 0) else _GREATEST_SEED}


def _shape(shape: Any) -> Tensor:
    if hasattr(shape, "as_list"):
        shape = shape.as_list()
    return convert_to_tensor(np.zeros(0, np.int32) if isinstance(shape, (list, tuple)) and not len(shape) else shape)


def _scaled(numbers: Tensor, factor: Any, offset: Any, name: str | None) -> Tensor:
    return raw.AddV2(numbers * factor, offset, name=name)


def _in_dtype(dtype: DType, *values: Any) -> list[Tensor]:
    return [convert_to_tensor(value, dtype=dtype) for value in values]


def _checked(dtype: Any, accepted: Sequence[DType]) -> DType:
    wanted = as_dtype(dtype)
    if wanted not in accepted:
        names = ", ".join(item.name for item in accepted)
        raise ValueError(f"Argument `dtype` got invalid value {wanted!r}. Accepted dtypes are {names}.")
    return wanted


_FLOATING = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)

# ------------------------------------------------------------------------------------------------- seeded functions


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers, each in [minval, maxval) equally likely.

    Args:
        shape: The shape, a vector of integers.
        minval: The lower bound, which can occur.
        maxval: The upper bound, which cannot; 1 by default for floating numbers, and needed for integers.
        dtype: A floating dtype, int32 or int64.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.

    Raises:
        ValueError: The dtype is another one, or of integers `maxval` is missing.
    """
    wanted = _checked(dtype, (*_FLOATING, dtypes.int32, dtypes.int64))
    sizes = _shape(shape)
    if wanted.is_integer:
        if maxval is None:
            raise ValueError(f"Must specify maxval for integer dtype {wanted!r}")
        low, high = _in_dtype(wanted, minval, maxval)
        return raw.RandomUniformInt(sizes, low, high, **op_seeds(seed), name=name)
    numbers = raw.RandomUniform(sizes, dtype=wanted, **op_seeds(seed))
    from_zero = isinstance(minval, int) and minval == 0
    if from_zero and (maxval is None or (isinstance(maxval, int) and maxval == 1)):
        return numbers
    low, high = _in_dtype(wanted, minval, 1 if maxval is None else maxval)
    return raw.Mul(numbers, high, name=name) if from_zero else _scaled(numbers, high - low, low, name)


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers of a normal distribution.

    Args:
        shape: The shape, a vector of integers.
        mean: The mean.
        stddev: The standard deviation.
        dtype: A floating dtype.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.
    """
    wanted = _checked(dtype, _FLOATING)
    center, spread = _in_dtype(wanted, mean, stddev)
    return _scaled(raw.RandomStandardNormal(_shape(shape), dtype=wanted, **op_seeds(seed)), spread, center, name)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers of a normal distribution, none of them two standard deviations or more from the mean.

    Arguments as for `normal`.
    """
    wanted = _checked(dtype, _FLOATING)
    center, spread = _in_dtype(wanted, mean, stddev)
    return _scaled(raw.TruncatedNormal(_shape(shape), dtype=wanted, **op_seeds(seed)), spread, center, name)


def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Returns a tensor with its first axis in random order.

    Args:
        value: The tensor.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.
    """
    return raw.RandomShuffle(value, **op_seeds(seed), name=name)


def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Draws classes by their probabilities.

    Args:
        logits: Unnormalised log-probabilities, [batch, classes].
        num_samples: How many to draw for each row, a scalar.
        dtype: int32 or int64 (the default).
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.

    Returns:
        The classes drawn, [batch, num_samples].
    """
    wanted = _checked(dtype or dtypes.int64, (dtypes.int32, dtypes.int64))
    return raw.Multinomial(logits, num_samples, **op_seeds(seed), output_dtype=wanted, name=name)


# ------------------------------------------------------------------------------------------------- algorithms


class Algorithm(enum.Enum):
    """How random bits are made: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC11)."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


_DEFAULT_ALGORITHM = Algorithm.PHILOX


def _algorithm(value: Any) -> int:
    """The number of an algorithm.

    Raises:
        ValueError: There is none of that name.
        TypeError: It is not a name, a number or an `Algorithm`.
    """
    if isinstance(value, Algorithm):
        return value.value
    if isinstance(value, str):
        plain = value.strip().upper().replace("-", "").replace("_", "")
        for item in Algorithm:
            if item.name.replace("_", "") == plain:
                return item.value
    elif not hasattr(value, "__index__"):
        raise TypeError(f"Can't convert argument `alg` (of value {value} and type {type(value)}) to int.")
    elif int(value) in [item.value for item in Algorithm]:
        return int(value)
    raise ValueError(
        f"Argument `alg` got unsupported value {value}. Supported values are 'philox', 'threefry' and 'auto_select'."
    )


def _key_counter(seed: Any, alg: Any) -> dict[str, Any]:
    """The three inputs of the ops that are functions of key and counter."""
    number = _algorithm("auto_select" if alg is None else alg)
    if number == Algorithm.THREEFRY.value:
        words = raw.Cast(raw.Cast(seed, DstT=dtypes.uint32), DstT=dtypes.uint64)
        shifted = raw.LeftShift(words, np.array([0, 32], np.uint64))
        return {"key": shifted[:1] | shifted[1:], "counter": np.zeros(1, np.uint64), "alg": number}
    key, counter = raw.StatelessRandomGetKeyCounter(seed)
    return {"key": key, "counter": counter, "alg": number}


# ------------------------------------------------------------------------------------------------- stateless functions

_ALL = (*_FLOATING, dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64)


def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Returns random numbers as a function of a seed, each in [minval, maxval) equally likely.

    Args:
        shape: The shape, a vector of integers.
        seed: Two integers, a tensor [2] of int32 or int64.
        minval: The lower bound, which can occur; with `None` for both, integers have the dtype's whole range.
        maxval: The upper bound, which cannot; 1 by default for floating numbers.
        dtype: A floating dtype, int32, int64, or (without bounds) uint32 or uint64.
        name: A name for the graph node.
        alg: `"philox"`, `"threefry"` or `"auto_select"` (Philox), or an `Algorithm`.

    Raises:
        ValueError: The dtype is another one, or only one bound is `None`.
    """
    return _uniform(_shape(shape), lambda: _key_counter(seed, alg), minval, maxval, _checked(dtype, _ALL), name)


def _uniform(shape: Tensor, source: Any, minval: Any, maxval: Any, dtype: DType, name: str | None) -> Tensor:
    if dtype.is_integer:
        if (minval is None) != (maxval is None):
            raise ValueError(
                f"For integer `dtype` argument {dtype!r}, argument `minval` and `maxval` must be both None or not None. "
                f"Got `minval`={minval} and `maxval`={maxval}."
            )
        if minval is None:
            return raw.StatelessRandomUniformFullIntV2(shape, **source(), dtype=dtype, name=name)
        if dtype.is_unsigned:
            raise ValueError(
                f"Argument `dtype` got invalid value {dtype!r} when argument `minval` is not None. "
                "Please don't use unsigned integers in this case."
            )
        low, high = _in_dtype(dtype, minval, maxval)
        return raw.StatelessRandomUniformIntV2(shape, **source(), minval=low, maxval=high, name=name)
    low, high = _in_dtype(dtype, minval, 1 if maxval is None else maxval)
    return _scaled(raw.StatelessRandomUniformV2(shape, **source(), dtype=dtype), high - low, low, name)


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Returns random numbers of a normal distribution as a function of a seed.

    Args:
        shape: The shape, a vector of integers.
        seed: Two integers, a tensor [2] of int32 or int64.
        mean: The mean.
        stddev: The standard deviation.
        dtype: A floating dtype.
        name: A name for the graph node.
        alg: See `stateless_uniform`.
    """
    wanted = _checked(dtype, _FLOATING)
    center, spread = _in_dtype(wanted, mean, stddev)
    return _scaled(
        raw.StatelessRandomNormalV2(_shape(shape), **_key_counter(seed, alg), dtype=wanted), spread, center, name
    )


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Returns the same, but no numbers two standard deviations or more from the mean; see `stateless_normal`."""
    wanted = _checked(dtype, _FLOATING)
    center, spread = _in_dtype(wanted, mean, stddev)
    numbers = raw.StatelessTruncatedNormalV2(_shape(shape), **_key_counter(seed, alg), dtype=wanted)
    return _scaled(numbers, spread, center, name)


def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None) -> Tensor:
    """Returns a tensor with its first axis in an order that is a function of a seed.

    Args:
        value: The tensor.
        seed: Two integers, a tensor [2] of int32 or int64.
        alg: `"philox"` or `"auto_select"`.
        name: A name for the graph node.
    """
    return raw.StatelessShuffle(value, **_key_counter(seed, alg), name=name)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Draws classes by their probabilities as a function of a seed; see `categorical`."""
    wanted = _checked(dtype or dtypes.int64, (dtypes.int32, dtypes.int64))
    return raw.StatelessMultinomial(logits, num_samples, seed, output_dtype=wanted, name=name)


def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """Makes new seeds of one.

    Args:
        seed: Two integers, a tensor [2] of int32 or int64.
        num: How many seeds to make.
        alg: See `stateless_uniform`.

    Returns:
        A tensor [num, 2] of the seed's dtype.
    """
    seed = convert_to_tensor(seed)
    return stateless_uniform([num, 2], seed, minval=None, dtype=seed.dtype, alg=alg)


def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """Makes a new seed of a seed and a number.

    Args:
        seed: Two integers, a tensor [2] of int32 or int64.
        data: A scalar integer.
        alg: See `stateless_uniform`.

    Returns:
        A tensor [2] of the dtype of `data`.
    """
    data = convert_to_tensor(data)
    first = stateless_uniform([], seed, minval=None, dtype=data.dtype, alg=alg)
    return raw.Pack([first, data], axis=0)


# ------------------------------------------------------------------------------------------------- generators


def _state_size(alg: int) -> int:
    return 2 if alg == Algorithm.THREEFRY.value else 3


def _signed(value: Any) -> Any:
    """Integers as int64 holds them: the bits of larger ones are kept."""
    if isinstance(value, (list, tuple)):
        return [_signed(item) for item in value]
    return value - 2**64 if isinstance(value, int) and value >= 2**63 else value


def _state(value: Any) -> Tensor:
    if not isinstance(value, (Tensor, Variable, np.ndarray)):
        value = convert_to_tensor(_signed(value), dtype_hint=dtypes.int64)
    return raw.Cast(value, DstT=dtypes.int64)


def create_rng_state(seed: Any, alg: Any) -> Tensor:
    """Makes a generator's state of a seed.

    Args:
        seed: An integer, whose 64-bit words are taken from the lowest on; or a list of integers, padded in front with
            zeros or cut off behind.
        alg: See `stateless_uniform`.

    Returns:
        An int64 tensor: [3] for Philox (counter low, counter high, key), [2] for ThreeFry (counter, key).
    """
    size = _state_size(_algorithm(alg))
    if isinstance(seed, int):
        seed = [seed >> 64 * index & (2**64 - 1) for index in range(size)]
    words = raw.Reshape(_state(seed), [-1])[:size]
    padding = raw.Fill(raw.Reshape(size - raw.Size(words), [1]), np.int64(0))
    return raw.Reshape(raw.ConcatV2([padding, words], np.int32(0)), [size])


class Generator:
    """Random numbers from a position that moves on with each use and is kept in a variable.

    Make one by `Generator.from_seed(1)` or another of its `from_` methods. A generator that a module holds is saved and
    restored with it.

    Args:
        copy_from: A generator to copy.
        state: The state, an int64 vector ([3] for Philox, [2] for ThreeFry), or a variable that holds it.
        alg: The algorithm; see `stateless_uniform`.

    Raises:
        ValueError: Neither `copy_from` nor `state` and `alg` are given, or the state has another shape.
    """

    def __init__(self, copy_from: Generator | None = None, state: Any = None, alg: Any = None) -> None:
        if copy_from is not None:
            if state is not None or alg is not None:
                raise ValueError("A Generator takes either copy_from or state and alg, not both.")
            state, alg = copy_from.state.value(), copy_from.algorithm
        if state is None or alg is None:
            raise ValueError(
                "A Generator needs a state and an algorithm. Use tf.random.Generator.from_seed(1), for instance."
            )
        self._alg = _algorithm(alg)
        if not isinstance(state, Variable):
            state = Variable(_state(state), trainable=False, name="StateVar")
        if not state.shape.is_compatible_with([_state_size(self._alg)]):
            raise ValueError(
                f"The state of algorithm {Algorithm(self._alg).name} must have shape [{_state_size(self._alg)}], "
                f"not {state.shape}."
            )
        self._state_var = state

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """Makes a generator of a seed; see `create_rng_state`."""
        number = _algorithm(_DEFAULT_ALGORITHM if alg is None else alg)
        return cls(state=create_rng_state(seed, number), alg=number)

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """Makes a generator of a state."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> Generator:
        """Makes a generator of a key, a scalar, and a counter: [2] for Philox, [1] for ThreeFry."""
        return cls(state=_joined(key, counter, _algorithm(alg)), alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Makes a generator that differs each time."""
        number = _algorithm(_DEFAULT_ALGORITHM if alg is None else alg)
        words = [secrets.randbits(64) for _ in range(_state_size(number))]
        return cls(state=words, alg=number)

    def trackable_children(self) -> Mapping[str, Any]:
        """What saving follows: the state."""
        return {"_state_var": self._state_var}

    @property
    def state(self) -> Variable:
        """The variable that holds counter and key."""
        return self._state_var

    @property
    def algorithm(self) -> int:
        """The number of the algorithm; see `Algorithm`."""
        return self._alg

    @property
    def key(self) -> Tensor:
        """The key, a scalar int64."""
        return self._state_var.value()[-1]

    def reset(self, state: Any) -> None:
        """Moves to a state."""
        self._state_var.assign(_state(state))

    def reset_from_seed(self, seed: Any) -> None:
        """Moves to the state that `from_seed` begins with."""
        self._state_var.assign(create_rng_state(seed, self._alg))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Moves to the state that `from_key_counter` begins with."""
        self._state_var.assign(_joined(key, counter, self._alg))

    def skip(self, delta: Any) -> Tensor:
        """Moves on as if `delta` numbers had been drawn.

        Returns:
            The state before.
        """
        number = Algorithm.PHILOX.value if self._alg == Algorithm.AUTO_SELECT.value else self._alg
        return raw.RngReadAndSkip(self._state_var.handle, number, raw.Cast(delta, DstT=dtypes.uint64))

    def _draw(self, shape: Tensor) -> dict[str, Any]:
        before = raw.Cast(self.skip(reduce_prod(shape)), DstT=dtypes.uint64)
        size = _state_size(self._alg) - 1
        return {"key": before[size : size + 1], "counter": before[:size], "alg": self._alg}

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Returns random numbers of a normal distribution; see `stateless_normal`."""
        sizes, wanted = _shape(shape), _checked(dtype, _FLOATING)
        center, spread = _in_dtype(wanted, mean, stddev)
        return _scaled(raw.StatelessRandomNormalV2(sizes, **self._draw(sizes), dtype=wanted), spread, center, name)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Returns the same, but no numbers two standard deviations or more from the mean."""
        sizes, wanted = _shape(shape), _checked(dtype, _FLOATING)
        center, spread = _in_dtype(wanted, mean, stddev)
        return _scaled(raw.StatelessTruncatedNormalV2(sizes, **self._draw(sizes), dtype=wanted), spread, center, name)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Returns random numbers in [minval, maxval), each equally likely; see `stateless_uniform`."""
        sizes = _shape(shape)
        return _uniform(sizes, lambda: self._draw(sizes), minval, maxval, _checked(dtype, _ALL), name)

    def uniform_full_int(self, shape: Any, dtype: Any = dtypes.uint64, name: str | None = None) -> Tensor:
        """Returns random integers of the dtype's whole range: int32, int64, uint32 or uint64."""
        sizes = _shape(shape)
        return raw.StatelessRandomUniformFullIntV2(sizes, **self._draw(sizes), dtype=dtype, name=name)

    def make_seeds(self, count: int = 1) -> Tensor:
        """Returns seeds for the stateless functions, a tensor int64 [2, count]."""
        keys = self.uniform_full_int([count], dtypes.int64)
        return raw.Pack([keys, raw.ZerosLike(keys)], axis=0)

    def split(self, count: int = 1) -> list[Generator]:
        """Returns generators that are independent of each other and of this one."""
        keys = self.uniform_full_int([count], dtypes.int64)
        zeros = np.zeros(_state_size(self._alg) - 1, np.int64)
        return [
            Generator(state=raw.ConcatV2([zeros, keys[index : index + 1]], np.int32(0)), alg=self._alg)
            for index in range(count)
        ]


def _joined(key: Any, counter: Any, alg: int) -> Tensor:
    size = _state_size(alg) - 1
    return raw.ConcatV2([raw.Reshape(_state(counter), [size]), raw.Reshape(_state(key), [1])], np.int32(0))


_global_generator: Generator | None = None


def get_global_generator() -> Generator:
    """Returns the process's generator; the first time, one that differs from run to run."""
    global _global_generator
    if _global_generator is None:
        with contexts.init_scope():
            _global_generator = Generator.from_non_deterministic_state()
    return _global_generator


def set_global_generator(generator: Generator) -> None:
    """Makes a generator the process's own."""
    global _global_generator
    _global_generator = generator
