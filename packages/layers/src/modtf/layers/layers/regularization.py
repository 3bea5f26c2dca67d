"""Layers that make training harder, so that models generalize better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf import core as tf
from modtf.layers.layer import Layer
from modtf.layers.random_seeds import SeedGenerator

__all__ = ["Dropout"]


class Dropout(Layer):
    """In training, sets a random part of the inputs to 0 and scales the rest by `1 / (1 - rate)` (Srivastava et al., 2014).

    Args:
        rate: The part, from 0 to 1.
        noise_shape: The shape of the random choice, broadcast to the inputs; `None` sizes are those of the inputs.
        seed: An integer, for the same choices in each run.
        kwargs: What every `Layer` takes.
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ValueError(f"Dropout needs a rate from 0 to 1; got {rate!r}.")
        self.rate = rate
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.supports_masking = True
        if rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return tf.zeros_like(inputs)
        uniform = tf.random.stateless_uniform(self._noise_shape(inputs), self.seed_generator.next(), dtype=inputs.dtype)
        scale = tf.cast(1.0 / (1.0 - self.rate), inputs.dtype)
        return tf.where(uniform >= self.rate, inputs * scale, tf.zeros_like(inputs))

    def _noise_shape(self, inputs: Any) -> Any:
        if self.noise_shape is None:
            return tf.shape(inputs)
        sizes = tf.shape(inputs)
        return tf.stack([sizes[axis] if size is None else size for axis, size in enumerate(self.noise_shape)])
