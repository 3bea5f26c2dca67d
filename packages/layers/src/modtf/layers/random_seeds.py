"""Seeds of layers and initializers: counters for stateless random ops, the same on every backend."""

from __future__ import annotations

import random
from typing import Any

from modtf import core as tf

__all__ = ["SeedGenerator", "make_seed"]


def make_seed() -> int:
    """Returns a seed for an object that was given none, from Python's generator (`random.seed` fixes it)."""
    return random.randint(1, 10**9)


class SeedGenerator(tf.Module):
    """Gives a new seed at each `next()`, from a variable that counts, so that compiled functions count on.

    Args:
        seed: Where to start; by default a random number.
        name: A name for it.

    Attributes:
        state: The variable: int64 `[seed, count]`.
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        if seed is not None and not isinstance(seed, int):
            raise ValueError(f"A seed must be an integer or None; got {seed!r}.")
        self.initial_seed = make_seed() if seed is None else seed
        self.state = tf.Variable([self.initial_seed, 0], dtype="int64", trainable=False, name="seed_generator_state")

    def next(self) -> Any:
        """Returns a seed, int64 of shape `[2]`, that was not given before."""
        seed = tf.convert_to_tensor(self.state)
        self.state.assign_add(tf.constant([0, 1], dtype="int64"))
        return seed
