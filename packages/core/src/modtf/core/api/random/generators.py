"""Generators: random numbers from a position that a variable keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modtf.core.api.random.algorithms import Algorithm, algorithm_number
from modtf.core.api.random.arguments import FLOATING, checked, in_dtype, scaled, sizes_tensor
from modtf.core.api.random.seeds import require_seeds
from modtf.core.api.random.stateless import ALL, uniform_of
from modtf.core.api.reductions import reduce_prod
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.replicas import surroundings
from modtf.core.modules import name_scope
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable

__all__ = ["Generator", "create_rng_state", "get_global_generator", "set_global_generator"]


def state_size(alg: int) -> int:
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
    size = state_size(algorithm_number(alg))
    if isinstance(seed, int):
        seed = [seed >> 64 * index & (2**64 - 1) for index in range(size)]
    words = raw.Reshape(_state(seed), [-1])[:size]
    padding = raw.Fill(raw.Reshape(size - raw.Size(words), [1]), np.int64(0))
    return raw.Reshape(raw.ConcatV2([padding, words], np.int32(0)), [size])


class Generator:
    """Random numbers from a position that moves on with each use and is kept in a variable.

    Make one by `Generator.from_seed(1)` or another of its `from_` methods. A generator that a module holds is saved and
    restored with it. One that is made in the scope of a `tf.distribute` strategy gives each replica numbers of its own.

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
        self._alg = algorithm_number(alg)
        if not isinstance(state, Variable):
            with name_scope("random_generator"):
                state = Variable(_state(state), trainable=False, name="StateVar")
        if not state.shape.is_compatible_with([state_size(self._alg)]):
            raise ValueError(
                f"The state of algorithm {Algorithm(self._alg).name} must have shape [{state_size(self._alg)}], "
                f"not {state.shape}."
            )
        self._state_var = state
        around = surroundings.get()
        self._strategy = None if around is None else around.strategy
        if self._strategy is not None:
            self._strategy.add_generator(self)

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = None) -> Generator:
        """Makes a generator of a seed; see `create_rng_state`."""
        number = algorithm_number(Algorithm.PHILOX if alg is None else alg)
        return cls(state=create_rng_state(seed, number), alg=number)

    @classmethod
    def from_state(cls, state: Any, alg: Any) -> Generator:
        """Makes a generator of a state."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any) -> Generator:
        """Makes a generator of a key, a scalar, and a counter: [2] for Philox, [1] for ThreeFry."""
        return cls(state=_joined(key, counter, algorithm_number(alg)), alg=alg)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """Makes a generator that differs each time."""
        number = algorithm_number(Algorithm.PHILOX if alg is None else alg)
        require_seeds("Generator.from_non_deterministic_state")
        return cls(state=raw.NonDeterministicInts([state_size(number)]), alg=number)

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
        around = surroundings.get()
        if self._strategy is not None and around is not None:
            self._strategy.assert_same(around.strategy)
        before = raw.Cast(self.skip(reduce_prod(shape)), DstT=dtypes.uint64)
        size = state_size(self._alg) - 1
        return {"key": self._key_here(before[size : size + 1]), "counter": before[:size], "alg": self._alg}

    def _key_here(self, key: Tensor) -> Tensor:
        """The key for the replica whose turn it is, drawn from the key itself and the replica's number."""
        around = surroundings.get()
        if self._strategy is None or around is None or around.replica is None:
            return key
        place = np.array([around.replica.number, 0], np.uint64)
        return raw.StatelessRandomUniformFullIntV2([1], key=key, counter=place, alg=self._alg, dtype=dtypes.uint64)

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Returns random numbers of a normal distribution; see `stateless_normal`."""
        sizes, wanted = sizes_tensor(shape), checked(dtype, FLOATING)
        center, spread = in_dtype(wanted, mean, stddev)
        return scaled(raw.StatelessRandomNormalV2(sizes, **self._draw(sizes), dtype=wanted), spread, center, name)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Returns the same, but no numbers two standard deviations or more from the mean."""
        sizes, wanted = sizes_tensor(shape), checked(dtype, FLOATING)
        center, spread = in_dtype(wanted, mean, stddev)
        return scaled(raw.StatelessTruncatedNormalV2(sizes, **self._draw(sizes), dtype=wanted), spread, center, name)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None
    ) -> Tensor:
        """Returns random numbers in [minval, maxval), each equally likely; see `stateless_uniform`."""
        sizes = sizes_tensor(shape)
        return uniform_of(sizes, lambda: self._draw(sizes), minval, maxval, checked(dtype, ALL), name)

    def uniform_full_int(self, shape: Any, dtype: Any = dtypes.uint64, name: str | None = None) -> Tensor:
        """Returns random integers of the dtype's whole range: int32, int64, uint32 or uint64."""
        sizes = sizes_tensor(shape)
        return raw.StatelessRandomUniformFullIntV2(sizes, **self._draw(sizes), dtype=dtype, name=name)

    def binomial(
        self, shape: Any, counts: Any, probs: Any, dtype: Any = dtypes.int32, name: str | None = None
    ) -> Tensor:
        """Returns how many of some trials succeed; Philox only.

        Args:
            shape: The shape, at whose end the broadcast shape of `counts` and `probs` stands.
            counts: How many trials, a floating tensor.
            probs: How probable the success of one is, of the same dtype.
            dtype: float16, float32, float64, int32 or int64.
            name: A name for the graph node.
        """
        counts, probs = convert_to_tensor(counts), convert_to_tensor(probs)
        return raw.StatefulRandomBinomial(
            self._state_var.handle, self._alg, sizes_tensor(shape), counts, probs, dtype=dtype, name=name
        )

    def make_seeds(self, count: int = 1) -> Tensor:
        """Returns seeds for the stateless functions, a tensor int64 [2, count]."""
        keys = self.uniform_full_int([count], dtypes.int64)
        return raw.Pack([keys, raw.ZerosLike(keys)], axis=0)

    def split(self, count: int = 1) -> list[Generator]:
        """Returns generators that are independent of each other and of this one."""
        keys = self.uniform_full_int([count], dtypes.int64)
        zeros = np.zeros(state_size(self._alg) - 1, np.int64)
        return [
            Generator(state=raw.ConcatV2([zeros, keys[index : index + 1]], np.int32(0)), alg=self._alg)
            for index in range(count)
        ]


def _joined(key: Any, counter: Any, alg: int) -> Tensor:
    size = state_size(alg) - 1
    return raw.ConcatV2([raw.Reshape(_state(counter), [size]), raw.Reshape(_state(key), [1])], np.int32(0))


_global_generator: Generator | None = None


def get_global_generator() -> Generator:
    """Returns the process's generator; the first time, one that differs from run to run."""
    global _global_generator
    if _global_generator is None:
        require_seeds("get_global_generator")
        with contexts.init_scope():
            _global_generator = Generator.from_non_deterministic_state()
    return _global_generator


def set_global_generator(generator: Generator) -> None:
    """Makes a generator the process's own."""
    global _global_generator
    _global_generator = generator
