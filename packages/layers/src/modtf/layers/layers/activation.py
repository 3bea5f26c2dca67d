"""Activation functions as layers."""

from __future__ import annotations

from typing import Any

from modtf import core as tf
from modtf.layers import activations
from modtf.layers.layer import Layer

__all__ = ["Activation", "ReLU", "Softmax"]


class Activation(Layer):
    """Applies a function to each value.

    Args:
        activation: The function or its name.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


class ReLU(Layer):
    """`max(inputs, 0)`, or a generalisation of it.

    Args:
        max_value: Where larger values are cut off; by default nowhere.
        negative_slope: The slope below the threshold.
        threshold: Values up to it count as 0 (or fall by `negative_slope`).
        kwargs: What every `Layer` takes.
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (
            ("max_value", max_value or 0),
            ("negative_slope", negative_slope),
            ("threshold", threshold),
        ):
            if value is None or value < 0:
                raise ValueError(f"{name} of ReLU must not be negative; got {value!r}.")
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class Softmax(Layer):
    """Positive values that add up to 1 along `axis`.

    Args:
        axis: The axis, or axes.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is not None:
            inputs = inputs + (1.0 - tf.cast(mask, inputs.dtype)) * (inputs.dtype.min / 2)
        if isinstance(self.axis, int):
            return tf.nn.softmax(inputs, axis=self.axis)
        shifted = tf.exp(inputs - tf.reduce_max(inputs, self.axis, keepdims=True))
        return shifted / tf.reduce_sum(shifted, self.axis, keepdims=True)
