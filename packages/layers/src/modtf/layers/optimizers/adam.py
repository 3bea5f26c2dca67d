"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf import core as tf
from modtf.layers.optimizers.optimizer import LearningRate, Optimizer

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Steps by the mean of gradients over the root of the mean of their squares (Kingma and Ba, 2014).

    At step `t`: `m += (1 - beta_1) * (g - m)`, `v += (1 - beta_2) * (g² - v)`, and
    `w -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)`. With `amsgrad` the greatest
    `v` so far stands for `v` (Reddi et al., 2018).

    Args:
        learning_rate: See `Optimizer`.
        beta_1: How much of the mean of gradients stays at each step.
        beta_2: How much of the mean of squares stays at each step.
        epsilon: Keeps the quotient finite.
        amsgrad: See above.
        kwargs: What every `Optimizer` takes: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, name.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Any]) -> None:
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update(self, gradients: Sequence[Any], variables: Sequence[Any], learning_rate: Any) -> None:
        # The factor is the same for all variables of a dtype, so it is computed once for each.
        factors = {variable.dtype: self._factor(learning_rate, variable.dtype) for variable in variables}
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(tf.cast(gradient, variable.dtype), variable, factors[variable.dtype])

    def _factor(self, learning_rate: Any, dtype: Any) -> Any:
        """The learning rate, corrected for means that began at 0."""
        step = tf.cast(tf.convert_to_tensor(self.iterations) + 1, dtype)
        first, second = (1.0 - tf.pow(tf.cast(beta, dtype), step) for beta in (self.beta_1, self.beta_2))
        return tf.cast(tf.convert_to_tensor(learning_rate), dtype) * tf.sqrt(second) / first

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable, with the corrected learning rate."""
        m = self.kept_for(variable, self._momentums)
        v = self.kept_for(variable, self._velocities)
        mean = m + (gradient - m) * (1.0 - self.beta_1)
        square = v + (tf.square(gradient) - v) * (1.0 - self.beta_2)
        m.assign(mean)
        v.assign(square)
        if self.amsgrad:
            greatest = self.kept_for(variable, self._velocity_hats)
            square = tf.maximum(tf.convert_to_tensor(greatest), square)
            greatest.assign(square)
        variable.assign_sub(mean * learning_rate / (tf.sqrt(square) + self.epsilon))


class AdamW(Adam):
    """Adam with weight decay by default (Loshchilov and Hutter, 2019).

    Args:
        learning_rate: See `Optimizer`.
        weight_decay: The part of each weight, times the learning rate, that is taken away at each step.
        beta_1: See `Adam`.
        beta_2: See `Adam`.
        epsilon: See `Adam`.
        amsgrad: See `Adam`.
        kwargs: What every `Optimizer` takes.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)
