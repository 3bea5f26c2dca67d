"""Gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.layers.optimizers.optimizer import LearningRate, Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """Gradient descent, with momentum if it is not 0.

    Without momentum, `w -= learning_rate * g`. With it, `v = momentum * v - learning_rate * g` and `w += v`; with
    Nesterov's, `w += momentum * v - learning_rate * g` (Sutskever et al., 2013).

    Args:
        learning_rate: See `Optimizer`.
        momentum: How much of the last update stays, from 0 to 1.
        nesterov: Whether to use Nesterov's momentum.
        kwargs: What every `Optimizer` takes: weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
            ema_overwrite_frequency, loss_scale_factor, name.
    """

    def __init__(
        self, learning_rate: LearningRate = 0.01, momentum: float = 0.0, nesterov: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be from 0 to 1; got {momentum!r}.")
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables: Sequence[Any]) -> None:
        super().build(variables)
        if self.momentum:
            self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        step = gradient * learning_rate
        if not self.momentum:
            variable.assign_sub(step)
            return
        m = self.kept_for(variable, self._momentums)
        velocity = m * self.momentum - step
        m.assign(velocity)
        variable.assign_add(velocity * self.momentum - step if self.nesterov else velocity)
