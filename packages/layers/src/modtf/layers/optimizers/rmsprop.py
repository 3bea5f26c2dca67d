"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf import core as tf
from modtf.layers.optimizers.optimizer import LearningRate, Optimizer

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """Steps by gradients over the root of the mean of their squares (Tieleman and Hinton, 2012).

    `v = rho * v + (1 - rho) * g²` and `w -= learning_rate * g / sqrt(v + epsilon)`.

    Args:
        learning_rate: See `Optimizer`.
        rho: How much of the mean of squares stays at each step.
        momentum: How much of the last update stays at each step.
        epsilon: Keeps the quotient finite.
        centered: Whether the square of the mean gradient is taken off the mean of squares.
        kwargs: What every `Optimizer` takes: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, name.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Any]) -> None:
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        v = self.kept_for(variable, self._velocities)
        square = self.rho * v + (1.0 - self.rho) * tf.square(gradient)
        v.assign(square)
        if self.centered:
            average = self.kept_for(variable, self._average_gradients)
            mean = self.rho * average + (1.0 - self.rho) * gradient
            average.assign(mean)
            square = square - tf.square(mean)
        step = learning_rate * gradient / tf.sqrt(square + self.epsilon)
        if self.momentum:
            m = self.kept_for(variable, self._momentums)
            step = self.momentum * m + step
            m.assign(step)
        variable.assign_sub(step)
