"""Losses of logits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.api.arguments import known_rank
from modtf.core.api.dispatch import dispatched
from modtf.core.api.nn.activations import relu
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "l2_loss", "log_poisson_loss", "sigmoid_cross_entropy_with_logits", "softmax_cross_entropy_with_logits",
    "sparse_softmax_cross_entropy_with_logits", "weighted_cross_entropy_with_logits",
]  # fmt: skip


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Returns half the sum of the squares of all elements."""
    return raw.L2Loss(t, name=name)


def softmax_cross_entropy_with_logits(labels: Any, logits: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Returns the cross entropy between probabilities and the softmax of logits.

    Args:
        labels: Probabilities of the classes, summing to 1 along `axis`, shaped as the logits. Gradients flow into them.
        logits: A floating tensor; narrower than float32 is computed in float32.
        axis: The axis of the classes.
        name: A name for the graph node.

    Returns:
        The losses, shaped as the logits without `axis`.
    """
    labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
    wide = _at_least_float32(logits)
    labels = labels if labels.dtype is wide.dtype else raw.Cast(labels, DstT=wide.dtype)
    if axis not in (-1, None) and axis != known_rank(logits) - 1:
        order = np.arange(known_rank(logits), dtype=np.int32)
        perm = np.append(np.delete(order, axis), order[axis])
        wide, labels = raw.Transpose(wide, perm), raw.Transpose(labels, perm)
    if wide.ndim == 2:
        loss, _ = raw.SoftmaxCrossEntropyWithLogits(wide, labels, name=name)
    else:
        shape = raw.Shape(wide)
        flat, flat_labels = (raw.Reshape(item, raw.Pack([-1, raw.Shape(item)[-1]])) for item in (wide, labels))
        loss, _ = raw.SoftmaxCrossEntropyWithLogits(flat, flat_labels, name=name)
        loss = raw.Reshape(loss, shape[:-1])
    return loss if wide.dtype is logits.dtype else raw.Cast(loss, DstT=logits.dtype)


def _at_least_float32(logits: Tensor) -> Tensor:
    narrow = logits.dtype in (dtypes.float16, dtypes.bfloat16)
    return raw.Cast(logits, DstT=dtypes.float32) if narrow else logits


def sparse_softmax_cross_entropy_with_logits(labels: Any, logits: Any, name: str | None = None) -> Tensor:
    """Returns the cross entropy between classes and the softmax of logits.

    Args:
        labels: The right classes, int32 or int64 from 0 to the number of classes, shaped as the logits without the last
            dimension.
        logits: A floating tensor; narrower than float32 is computed in float32.
        name: A name for the graph node.

    Returns:
        The losses, shaped as the labels.

    Raises:
        ValueError: The shapes do not go together.
        InvalidArgumentError: A label is out of range (on backends that cannot look, the loss is NaN instead).
    """
    labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
    if logits.ndim == 0:
        raise ValueError(f"`logits` cannot be a scalar. Received logits={logits}")
    if labels.ndim is not None and logits.ndim is not None and labels.ndim != logits.ndim - 1:
        raise ValueError(
            "`labels.shape.rank` must equal `logits.shape.rank - 1`. Received: "
            f"labels.shape={labels.shape} of rank {labels.ndim} and logits.shape={logits.shape} of rank {logits.ndim}"
        )
    if logits.dims is not None and not labels.shape.is_compatible_with(logits.dims[:-1]):
        raise ValueError(
            "`labels.shape` must equal `logits.shape` except for the last dimension. Received: "
            f"labels.shape={labels.shape} and logits.shape={logits.shape}"
        )
    wide = _at_least_float32(logits)
    if logits.ndim == 2:
        loss, _ = raw.SparseSoftmaxCrossEntropyWithLogits(wide, labels, name=name)
    else:
        flat = raw.Reshape(wide, raw.Pack([-1, raw.Shape(wide)[-1]]))
        loss, _ = raw.SparseSoftmaxCrossEntropyWithLogits(flat, raw.Reshape(labels, [-1]), name=name)
        loss = raw.Reshape(loss, raw.Shape(labels))
    return loss if wide is logits else raw.Cast(loss, DstT=logits.dtype)


@dispatched(elementwise=2)
def sigmoid_cross_entropy_with_logits(labels: Any = None, logits: Any = None, name: str | None = None) -> Tensor:
    """Returns the cross entropy of independent yes-or-no probabilities and the sigmoid of logits, element-wise.

    Args:
        labels: Probabilities, shaped and typed as the logits.
        logits: A floating tensor.
        name: A name for the graph node.

    Raises:
        ValueError: One is missing, or the shapes differ.
    """
    if labels is None or logits is None:
        raise ValueError(f"Both `labels` and `logits` must be given. Received: labels={labels}, logits={logits}")
    labels, logits = _alike(labels, logits)
    # max(x, 0) - x * z + log(1 + exp(-abs(x))), which does not overflow; written with selects as TensorFlow does, so
    # that the gradient at 0 is right.
    zeros = raw.ZerosLike(logits)
    positive = logits >= zeros
    raised, falling = raw.SelectV2(positive, logits, zeros), raw.SelectV2(positive, -logits, logits)
    return raw.AddV2(raised - logits * labels, raw.Log1p(raw.Exp(falling)), name=name)


def weighted_cross_entropy_with_logits(labels: Any, logits: Any, pos_weight: Any, name: str | None = None) -> Tensor:
    """Returns `sigmoid_cross_entropy_with_logits` with the loss of missed positives weighted.

    Args:
        labels: Probabilities, shaped and typed as the logits.
        logits: A floating tensor.
        pos_weight: The weight of the positive part: above 1 for fewer misses, below for fewer false alarms.
        name: A name for the graph node.

    Raises:
        ValueError: The shapes differ.
    """
    labels, logits = _alike(labels, logits)
    weight = (pos_weight - 1) * labels + 1
    rest = raw.Log1p(raw.Exp(-raw.Abs(logits))) + relu(-logits)
    return raw.AddV2((1 - labels) * logits, weight * rest, name=name)


def log_poisson_loss(targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None) -> Tensor:
    """Returns the negative log likelihood of counts under Poisson distributions, element-wise.

    Args:
        targets: The counts, shaped and typed as `log_input`.
        log_input: The logarithms of the expected counts.
        compute_full_loss: Whether to add Stirling's approximation of the constant part, for targets above 1.
        name: Not used.

    Raises:
        ValueError: The shapes differ.
    """
    targets, log_input = _alike(targets, log_input, "targets", "log_input")
    loss = raw.Exp(log_input) - log_input * targets
    if compute_full_loss:
        stirling = targets * raw.Log(targets) - targets + 0.5 * raw.Log(2 * math.pi * targets)
        zeros = raw.ZerosLike(targets)
        small = raw.LogicalAnd(targets >= zeros, targets <= raw.OnesLike(targets))
        loss = loss + raw.SelectV2(small, zeros, stirling)
    return loss


def _alike(labels: Any, logits: Any, first: str = "labels", second: str = "logits") -> tuple[Tensor, Tensor]:
    logits = convert_to_tensor(logits)
    labels = convert_to_tensor(labels, dtype_hint=logits.dtype)
    if not labels.shape.is_compatible_with(logits.shape):
        raise ValueError(
            f"`{second}` and `{first}` must have the same shape, received ({logits.shape} vs {labels.shape})."
        )
    return labels, logits
