"""Activation functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.api.arguments import known_rank
from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "crelu", "elu", "gelu", "leaky_relu", "log_softmax", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus",
    "softsign", "swish", "tanh",
]  # fmt: skip


@dispatched(elementwise=1)
def relu(features: Any, name: str | None = None) -> Tensor:
    """Returns `max(features, 0)` element-wise."""
    return raw.Relu(features, name=name)


@dispatched(elementwise=1)
def relu6(features: Any, name: str | None = None) -> Tensor:
    """Returns `min(max(features, 0), 6)` element-wise."""
    return raw.Relu6(features, name=name)


def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Returns `relu(features)` and `relu(-features)` side by side along `axis` (W. Shang et al., 2016)."""
    features = convert_to_tensor(features)
    return relu(raw.ConcatV2([features, -features], axis), name=name)


@dispatched(elementwise=1)
def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """Returns `features` where positive and `alpha * features` elsewhere (A. Maas et al., 2013).

    Args:
        features: A tensor; integers are made float32.
        alpha: The slope for negative elements: a number, or a scalar tensor.
        name: A name for the graph node.
    """
    features = convert_to_tensor(features)
    if features.dtype.is_integer:
        features = raw.Cast(features, DstT=dtypes.float32)
    if isinstance(alpha, Tensor):
        return raw.Maximum(raw.Cast(alpha, DstT=features.dtype) * features, features, name=name)
    return raw.LeakyRelu(features, alpha=float(alpha), name=name)


@dispatched(elementwise=1)
def elu(features: Any, name: str | None = None) -> Tensor:
    """Returns `features` where positive and `exp(features) - 1` elsewhere (D. Clevert et al., 2015)."""
    return raw.Elu(features, name=name)


@dispatched(elementwise=1)
def selu(features: Any, name: str | None = None) -> Tensor:
    """Returns the scaled exponential linear function, for nets that normalize themselves (Klambauer et al., 2017)."""
    return raw.Selu(features, name=name)


@dispatched(elementwise=1)
def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """Returns `features` times the probability of a standard normal number below them (Hendrycks and Gimpel, 2016).

    Args:
        features: A floating tensor.
        approximate: Whether to use the authors' approximation through tanh.
        name: A name for the graph node.

    Raises:
        ValueError: The tensor is not floating.
    """
    features = convert_to_tensor(features)
    if not features.dtype.is_floating:
        raise ValueError(f"`features` must be a floating point tensor. Received: features.dtype={features.dtype.name}")
    half = features * 0.5
    if approximate:
        return raw.Mul(
            half,
            raw.Tanh((features + features * features * features * 0.044715) * math.sqrt(2 / math.pi)) + 1.0,
            name=name,
        )
    return raw.Mul(half, raw.Erfc(features * -math.sqrt(0.5)), name=name)


@dispatched(elementwise=1)
def silu(features: Any, beta: Any = 1.0) -> Tensor:
    """Returns `features * sigmoid(beta * features)` (S. Elfwing et al., 2017; P. Ramachandran et al., 2017).

    Args:
        features: A floating tensor.
        beta: A number or tensor.
    """
    features = convert_to_tensor(features)
    plain = isinstance(beta, (int, float)) and beta == 1
    return features * raw.Sigmoid(features if plain else features * beta)


swish = silu


@dispatched(elementwise=1)
def softplus(features: Any, name: str | None = None) -> Tensor:
    """Returns `log(exp(features) + 1)` element-wise, without overflow."""
    return raw.Softplus(features, name=name)


@dispatched(elementwise=1)
def softsign(features: Any, name: str | None = None) -> Tensor:
    """Returns `features / (1 + abs(features))` element-wise."""
    return raw.Softsign(features, name=name)


@dispatched(elementwise=1)
def sigmoid(x: Any, name: str | None = None) -> Tensor:
    """Returns `1 / (1 + exp(-x))` element-wise."""
    return raw.Sigmoid(x, name=name)


@dispatched(elementwise=1)
def tanh(x: Any, name: str | None = None) -> Tensor:
    """Returns the hyperbolic tangent element-wise."""
    return raw.Tanh(x, name=name)


@dispatched
def softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Returns `exp(logits)` divided by its sum along an axis.

    Args:
        logits: A floating tensor.
        axis: The axis; the last by default.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: There is no such axis.
    """
    return _along(raw.Softmax, convert_to_tensor(logits), axis, name)


def log_softmax(logits: Any, axis: int | None = None, name: str | None = None) -> Tensor:
    """Returns the logarithm of `softmax`, exact where that is tiny.

    Args:
        logits: A floating tensor.
        axis: The axis; the last by default.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: There is no such axis.
    """
    return _along(raw.LogSoftmax, convert_to_tensor(logits), axis, name)


def _along(op: Any, logits: Tensor, axis: int | None, name: str | None) -> Tensor:
    """Applies an op of the last axis to another one."""
    if axis in (None, -1) or (logits.ndim is not None and axis == logits.ndim - 1):
        return op(logits, name=name)
    perm = _last_swapped(logits, axis)
    return raw.Transpose(op(raw.Transpose(logits, perm)), perm, name=name)


def _last_swapped(tensor: Tensor, axis: int) -> np.ndarray:
    """The permutation that exchanges an axis and the last."""
    order = np.arange(known_rank(tensor), dtype=np.int32)
    if not -len(order) <= axis < len(order):
        raise ValueError(f"`axis` must be in [-{len(order)}, {len(order)}). Received: axis={axis}")
    order[[axis, -1]] = order[[-1, axis]]
    return order
