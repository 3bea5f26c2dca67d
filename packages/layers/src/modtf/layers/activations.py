"""Activation functions, each of a tensor and of the shape and dtype of its argument."""

from __future__ import annotations

from typing import Any

from modtf import core as tf
from modtf.layers.serialization import Registry, serialize

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "squareplus", "swish", "tanh",
    "tanh_shrink", "threshold",
]  # fmt: skip


def linear(x: Any) -> Any:
    """`x` itself."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """`max(x, 0)`, or a generalisation of it.

    Args:
        x: A tensor.
        negative_slope: The slope below the threshold.
        max_value: Where larger values are cut off; by default nowhere.
        threshold: Values up to it count as 0 (or fall by `negative_slope`).
    """
    x = tf.convert_to_tensor(x)
    if threshold == 0 and max_value is None:
        return tf.nn.leaky_relu(x, alpha=negative_slope) if negative_slope else tf.nn.relu(x)
    positive = tf.nn.relu(x) if threshold == 0 else tf.where(x > threshold, x, tf.zeros_like(x))
    if max_value is not None:
        positive = tf.clip_by_value(positive, tf.zeros([], x.dtype), tf.cast(max_value, x.dtype))
    if not negative_slope:
        return positive
    return positive - negative_slope * tf.nn.relu(threshold - x)


def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)` (Krizhevsky, 2010)."""
    return tf.nn.relu6(x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """`x` where positive, else `negative_slope * x`."""
    return tf.nn.leaky_relu(x, alpha=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x) - 1)` (Clevert et al., 2016)."""
    x = tf.convert_to_tensor(x)
    result = tf.nn.elu(x)
    return result if alpha == 1 else tf.where(x > 0, result, alpha * result)


def selu(x: Any) -> Any:
    """A scaled elu that keeps mean 0 and variance 1 from layer to layer (Klambauer et al., 2017)."""
    return tf.nn.selu(x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """`max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))` (Barron, 2017)."""
    x = tf.convert_to_tensor(x)
    return tf.maximum(x, 0.0) + alpha * tf.math.expm1(tf.minimum(x, 0.0) / alpha)


def gelu(x: Any, approximate: bool = False) -> Any:
    """`x * P(X <= x)` for a standard normal X, exactly or by a tanh (Hendrycks and Gimpel, 2016)."""
    return tf.nn.gelu(x, approximate=approximate)


def silu(x: Any) -> Any:
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017)."""
    return tf.nn.silu(x)


def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))` (Misra, 2019)."""
    return x * tf.tanh(tf.nn.softplus(x))


def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`."""
    return tf.sigmoid(x)


def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`."""
    return tf.math.log_sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """A piecewise linear sigmoid: `relu6(x + 3) / 6`."""
    x = tf.convert_to_tensor(x)
    return tf.nn.relu6(x + 3.0) / 6.0


def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)` (Howard et al., 2019)."""
    return x * hard_sigmoid(x)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return tf.tanh(x)


def hard_tanh(x: Any) -> Any:
    """`x` cut off at -1 and 1."""
    return tf.clip_by_value(tf.convert_to_tensor(x), -1.0, 1.0)


def tanh_shrink(x: Any) -> Any:
    """`x - tanh(x)`."""
    return x - tf.tanh(x)


def softplus(x: Any) -> Any:
    """`log(exp(x) + 1)`."""
    return tf.nn.softplus(x)


def softsign(x: Any) -> Any:
    """`x / (abs(x) + 1)`."""
    return tf.nn.softsign(x)


def squareplus(x: Any, b: float = 4) -> Any:
    """`(x + sqrt(x² + b)) / 2`, a softplus without exponentials (Barron, 2021)."""
    x = tf.convert_to_tensor(x)
    return (x + tf.sqrt(tf.square(x) + b)) / 2.0


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` moved towards 0 by `threshold`, 0 where that passes it."""
    x = tf.convert_to_tensor(x)
    return tf.sign(x) * tf.nn.relu(tf.abs(x) - threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """`x` where its absolute value is above `threshold`, else 0."""
    x = tf.convert_to_tensor(x)
    return tf.where(tf.abs(x) > threshold, x, tf.zeros_like(x))


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """`x` where it is above `threshold`, else `default_value`."""
    x = tf.convert_to_tensor(x)
    return tf.where(x > threshold, x, tf.cast(default_value, x.dtype))


def exponential(x: Any) -> Any:
    """`exp(x)`."""
    return tf.exp(x)


def softmax(x: Any, axis: int = -1) -> Any:
    """Positive values that add up to 1 along `axis`, in proportion to `exp(x)`."""
    return tf.nn.softmax(x, axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """`log(softmax(x))`."""
    return tf.nn.log_softmax(x, axis=axis)


def glu(x: Any, axis: int = -1) -> Any:
    """One half of `x` times the sigmoid of the other (Dauphin et al., 2017)."""
    first, second = tf.split(x, 2, axis=axis)
    return first * tf.sigmoid(second)


swish = silu
hard_swish = hard_silu

_registry = Registry(
    "activation function",
    functions=[
        celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear, log_sigmoid,
        log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, squareplus, tanh,
        tanh_shrink, threshold,
    ],
    aliases={"swish": silu, "hard_swish": hard_silu},
)  # fmt: skip
deserialize = _registry.deserialize


def get(identifier: Any) -> Any:
    """Returns the activation function of that name, `linear` for `None`; a callable is returned as it is.

    Raises:
        ValueError: The name is unknown.
    """
    return linear if identifier is None else _registry.get(identifier)
