"""Losses that TensorFlow computes in one op: cross entropies of logits, and half the sum of squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import scalar, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import unbroadcast
from modtf.core.ops.narrow_floats import widened
from modtf.core.ops.nn.activations import log_softmax_of
from modtf.core.values.shapes import broadcast_dims
from modtf.core.values.tensors import Tensor

_LAST = np.array([-1], np.int32)


def _entropy_dims(features: Tensor, labels: Tensor) -> list[Any]:
    dims = broadcast_dims(features.dims, labels.dims)
    if dims is not None and len(dims) != 2:
        raise ValueError("logits and labels must be either 2-dimensional, or broadcasted to be 2-dimensional")
    return [(None,), (None, None)] if dims is None else [dims[:1], dims]


@op(
    "SoftmaxCrossEntropyWithLogits[T: floating](features: T, labels: T) -> (loss: T, backprop: T)",
    shape=_entropy_dims,
    quiet=True,
)
@widened
def softmax_cross_entropy(xp: Any, features: Any, labels: Any) -> tuple[Any, Any]:
    if len(broadcast_dims(tuple(features.shape), tuple(labels.shape)) or ()) != 2:
        raise ValueError("logits and labels must be either 2-dimensional, or broadcasted to be 2-dimensional")
    features = xp.broadcast_to(features, np.broadcast_shapes(features.shape, labels.shape))
    if not features.shape[-1]:  # of no classes, nothing
        return xp.zeros(features.shape[:1], dtype=features.dtype), features - labels
    log_probabilities = log_softmax_of(xp, features)
    return -xp.sum(labels * log_probabilities, axis=-1), xp.exp(log_probabilities) - labels


def _logits_gradient(logits: Tensor, call: Any, d_loss: Tensor, d_backprop: Tensor) -> Tensor:
    softmax = raw.Softmax(logits)
    through_backprop = (d_backprop - raw.Sum(d_backprop * softmax, _LAST, keep_dims=True)) * softmax
    return raw.ExpandDims(d_loss, -1) * call.outputs[1] + through_backprop


@softmax_cross_entropy.gradient
def _(call: Any, d_loss: Tensor, d_backprop: Tensor) -> tuple[Tensor, Tensor]:
    features, labels = call.inputs
    alike = features.dims == labels.dims
    logits = features if alike else raw.BroadcastTo(features, raw.Shape(call.outputs[1]))
    d_features = _logits_gradient(logits, call, d_loss, d_backprop)
    d_labels = raw.ExpandDims(d_loss, -1) * -raw.LogSoftmax(logits)
    if alike:
        return d_features, d_labels
    return unbroadcast(d_features, features, labels), unbroadcast(d_labels, labels, features)


def _sparse_dims(features: Tensor, labels: Tensor) -> list[Any]:
    logits, classes = with_rank(features, 2, "logits"), with_rank(labels, 1, "labels")
    if logits[0] is not None and classes[0] is not None and logits[0] != classes[0]:
        raise ValueError(
            f"logits and labels must have the same first dimension, got logits shape {list(logits)} and labels shape "
            f"{list(classes)}"
        )
    batch = classes[0] if logits[0] is None else logits[0]
    return [(batch,), (batch, logits[1])]


@op(
    "SparseSoftmaxCrossEntropyWithLogits[T: floating, Tlabels: index = int64](features: T, labels: Tlabels) -> "
    "(loss: T, backprop: T)",
    shape=_sparse_dims,
    quiet=True,
)
@widened
def sparse_softmax_cross_entropy(xp: Any, features: Any, labels: Any) -> tuple[Any, Any]:
    if len(features.shape) != 2 or tuple(labels.shape) != (features.shape[0],):
        raise ValueError(f"logits must be 2-D and labels 1-D, got {list(features.shape)} and {list(labels.shape)}")
    classes = features.shape[1]
    valid = xp.logical_and(labels >= 0, labels < classes)
    if xp is np and not valid.all():
        bad = labels[~valid][0]
        raise ValueError(f"Received a label value of {bad} which is outside the valid range of [0, {classes}).")
    log_probabilities = log_softmax_of(xp, features)
    chosen = xp.expand_dims(labels, axis=-1) == xp.arange(classes, dtype=labels.dtype)
    zero, one = xp.zeros((), dtype=features.dtype), xp.ones((), dtype=features.dtype)
    loss = -xp.sum(xp.where(chosen, log_probabilities, zero), axis=-1)
    backprop = xp.exp(log_probabilities) - xp.where(chosen, one, zero)
    # Where values cannot be looked at while the program is made, a label out of range gives NaN, as on GPUs.
    nan = xp.asarray(float("nan"), dtype=features.dtype)
    return xp.where(valid, loss, nan), xp.where(xp.expand_dims(valid, axis=-1), backprop, nan)


@sparse_softmax_cross_entropy.gradient
def _(call: Any, d_loss: Tensor, d_backprop: Tensor) -> tuple[Tensor, None]:
    return _logits_gradient(call.inputs[0], call, d_loss, d_backprop), None


@op("L2Loss[T: floating](t: T) -> (output: T)", shape=scalar, quiet=True)
@widened
def l2_loss(xp: Any, t: Any) -> Any:
    return xp.sum(t * t) * xp.asarray(0.5, dtype=t.dtype)


@l2_loss.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    return call.inputs[0] * dy
