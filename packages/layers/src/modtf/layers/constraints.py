"""Constraints: what optimizers make weights satisfy after each update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf import core as tf
from modtf.layers import config
from modtf.layers.serialization import Configurable, Registry, serialize

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "serialize"]


class Constraint(Configurable):
    """The base of constraints."""

    config_module = "keras.constraints"

    def __call__(self, w: Any) -> Any:
        """Returns the weight's value with the constraint satisfied."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(w).")


class NonNeg(Constraint):
    """Negative weights become 0."""

    def __call__(self, w: Any) -> Any:
        return tf.maximum(tf.convert_to_tensor(w), 0.0)


class MinMaxNorm(Constraint):
    """Norms along `axis` are moved into `[min_value, max_value]`.

    Args:
        min_value: The least norm.
        max_value: The greatest norm.
        rate: How far to move: at 1 all the way.
        axis: The axis, or axes, of which a norm is one value; `0` for a Dense kernel, `[0, 1, 2]` for a Conv2D one.
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: int | Sequence[int] = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = tf.convert_to_tensor(w)
        norms = _norms(w, self.axis)
        desired = self.rate * tf.clip_by_value(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (config.epsilon() + norms))


class MaxNorm(Constraint):
    """Norms along `axis` are scaled down to at most `max_value`."""

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = tf.convert_to_tensor(w)
        norms = _norms(w, self.axis)
        return w * (tf.clip_by_value(norms, 0.0, float(self.max_value)) / (config.epsilon() + norms))


class UnitNorm(Constraint):
    """Norms along `axis` become 1."""

    def __init__(self, axis: int | Sequence[int] = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = tf.convert_to_tensor(w)
        return w / (config.epsilon() + _norms(w, self.axis))


def _norms(w: Any, axis: int | Sequence[int]) -> Any:
    return tf.sqrt(tf.reduce_sum(tf.square(w), axis=axis, keepdims=True))


_registry = Registry("constraint", [MaxNorm, MinMaxNorm, NonNeg, UnitNorm])
get = _registry.get
deserialize = _registry.deserialize
