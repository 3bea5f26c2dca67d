"""Learning rates that change with the count of steps (`keras.optimizers.schedules`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from modtf import core as tf
from modtf.layers import config
from modtf.layers.serialization import Configurable, Registry, serialize

__all__ = [
    "CosineDecay", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule", "PiecewiseConstantDecay",
    "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule(Configurable):
    """The base of schedules: called with the count of steps done, it gives the learning rate of the next one."""

    config_module = "keras.optimizers.schedules"

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate, a scalar tensor.

        Args:
            step: The count of steps done.
        """
        raise NotImplementedError(f"The schedule {type(self).__name__} does not define __call__(step).")


def _positive(decay_steps: float) -> float:
    if decay_steps <= 0:
        raise ValueError(f"decay_steps must be positive; got {decay_steps}.")
    return decay_steps


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`, the exponent rounded down if `staircase`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        exponent = tf.cast(step, config.floatx()) / self.decay_steps
        if self.staircase:
            exponent = tf.floor(exponent)
        return self.initial_learning_rate * tf.pow(tf.cast(self.decay_rate, exponent.dtype), exponent)


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`, the quotient rounded down if `staircase`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        periods = tf.cast(step, config.floatx()) / self.decay_steps
        if self.staircase:
            periods = tf.floor(periods)
        return self.initial_learning_rate / (1.0 + self.decay_rate * periods)


class PolynomialDecay(LearningRateSchedule):
    """From `initial_learning_rate` to `end_learning_rate` in `decay_steps`, as a power of what is left of them.

    Args:
        initial_learning_rate: The first.
        decay_steps: How many steps it takes.
        end_learning_rate: The last.
        power: The exponent; at 1 the fall is linear.
        cycle: Whether, past the end, the steps are stretched to the next multiple of `decay_steps`.
        name: A name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, config.floatx())
        if self.cycle:
            steps = self.decay_steps * tf.maximum(tf.math.ceil(step / self.decay_steps), 1.0)
        else:
            step = tf.minimum(step, float(self.decay_steps))
            steps = tf.cast(self.decay_steps, step.dtype)
        left = tf.pow(1.0 - step / steps, tf.cast(self.power, step.dtype))
        return (self.initial_learning_rate - self.end_learning_rate) * left + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """A rise from `initial_learning_rate` to `warmup_target`, if given, then a fall along half a cosine.

    Loshchilov and Hutter, 2016.

    Args:
        initial_learning_rate: The first.
        decay_steps: How many steps the fall takes.
        alpha: The last, as a part of the greatest.
        name: A name.
        warmup_target: Where the rise ends; without it there is none.
        warmup_steps: How many steps the rise takes.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        step = tf.cast(step, config.floatx())
        if self.warmup_target is None:
            return self._fall(step, self.initial_learning_rate)
        rise = self.initial_learning_rate + (self.warmup_target - self.initial_learning_rate) * (
            step / max(self.warmup_steps, 1)
        )
        return tf.where(step < self.warmup_steps, rise, self._fall(step - self.warmup_steps, self.warmup_target))

    def _fall(self, step: Any, start: float) -> Any:
        done = tf.minimum(step, float(self.decay_steps)) / self.decay_steps
        cosine = 0.5 * (1.0 + tf.cos(math.pi * done))
        return start * ((1.0 - self.alpha) * cosine + self.alpha)


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to step `boundaries[0]`, `values[1]` up to `boundaries[1]`, and so on; the last one for ever.

    Raises:
        ValueError: There is not one value more than boundaries.
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(values) != len(boundaries) + 1:
            raise ValueError(f"{len(boundaries)} boundaries need {len(boundaries) + 1} values; got {len(values)}.")
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = tf.convert_to_tensor(step)
        rate = tf.constant(self.values[-1], config.floatx())
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            rate = tf.where(step <= tf.cast(boundary, step.dtype), tf.constant(value, config.floatx()), rate)
        return rate


_registry = Registry(
    "learning-rate schedule", [CosineDecay, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay]
)
deserialize = _registry.deserialize
