"""Regularizers: penalties on weights and activations, to be added to the loss."""

from __future__ import annotations

from typing import Any

from modtf import core as tf
from modtf.layers.serialization import Configurable, Registry, serialize

__all__ = ["L1", "L1L2", "L2", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2", "serialize"]


class Regularizer(Configurable):
    """The base of regularizers."""

    config_module = "keras.regularizers"

    def __call__(self, x: Any) -> Any:
        """Returns the penalty, a scalar, of a tensor."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(x).")


class L1L2(Regularizer):
    """`l1 * sum(abs(x)) + l2 * sum(square(x))`."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _checked("l1", 0.0 if l1 is None else l1)
        self.l2 = _checked("l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        x = tf.convert_to_tensor(x)
        parts = []
        if self.l1:
            parts.append(self.l1 * tf.reduce_sum(tf.abs(x)))
        if self.l2:
            parts.append(self.l2 * tf.reduce_sum(tf.square(x)))
        return tf.add_n(parts) if parts else tf.zeros([], x.dtype)


class L1(Regularizer):
    """`l1 * sum(abs(x))`."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _checked("l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        return self.l1 * tf.reduce_sum(tf.abs(tf.convert_to_tensor(x)))


class L2(Regularizer):
    """`l2 * sum(square(x))`."""

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _checked("l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        return self.l2 * tf.reduce_sum(tf.square(tf.convert_to_tensor(x)))


def _checked(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a finite number, not negative; got {value!r}.")
    return float(value)


l1 = L1
l2 = L2
l1_l2 = L1L2

_registry = Registry("regularizer", [L1, L1L2, L2])
get = _registry.get
deserialize = _registry.deserialize
