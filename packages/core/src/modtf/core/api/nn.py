"""Neural networks (`tf.nn`): activation functions, normalization, losses, and what slides windows (`nn_sliding`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.api import nn_ctc, nn_pooling, nn_sampling, nn_sliding, nn_statistics
from modtf.core.api import nn_experimental as experimental
from modtf.core.api.dispatch import dispatched
from modtf.core.api.nn_ctc import *
from modtf.core.api.nn_pooling import *
from modtf.core.api.nn_sampling import *
from modtf.core.api.nn_sliding import *
from modtf.core.api.nn_statistics import *
from modtf.core.api.rearranging import space_to_batch
from modtf.core.api.sorting import approx_max_k, approx_min_k
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

_LAZY = frozenset({"embedding_lookup_sparse", "safe_embedding_lookup_sparse"})
"""Functions on sparse tensors, which are imported when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from modtf.core.api import embeddings

    return getattr(embeddings, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


# ------------------------------------------------------------------------------------------------- activation functions


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
    order = np.arange(_known_rank(tensor), dtype=np.int32)
    if not -len(order) <= axis < len(order):
        raise ValueError(f"`axis` must be in [-{len(order)}, {len(order)}). Received: axis={axis}")
    order[[axis, -1]] = order[[-1, axis]]
    return order


def _known_rank(tensor: Tensor) -> int:
    if tensor.ndim is None:
        raise ValueError(f"The rank of {tensor!r} must be known here. Give it a shape with tf.ensure_shape.")
    return tensor.ndim


# ------------------------------------------------------------------------------------------------- normalization


def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """Adds a bias to each channel.

    Args:
        value: A tensor of at least two dimensions.
        bias: A vector of as many elements as `value` has channels, of its dtype.
        data_format: If it begins with "NC", the second dimension holds the channels; otherwise the last.
        name: A name for the graph node.

    Raises:
        ValueError: There is no such layout.
        InvalidArgumentError: The sizes differ.
    """
    if data_format is not None and not (
        data_format.startswith("NC") or (data_format.startswith("N") and data_format[-1] == "C")
    ):
        raise ValueError(f"`data_format` must be of the form `N...C` or `NC...`. Received: data_format={data_format}")
    layout = "NCHW" if data_format is not None and data_format.startswith("NC") else "NHWC"
    return raw.BiasAdd(value, bias, data_format=layout, name=name)


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Returns the mean and the variance (not Bessel-corrected) over axes.

    Args:
        x: A floating tensor; float16 is computed in float32.
        axes: The axis or axes.
        shift: Not used; kept as TensorFlow does.
        keepdims: Whether the reduced axes stay, with size 1.
        name: Not used.
    """
    x = convert_to_tensor(x)
    wide = raw.Cast(x, DstT=dtypes.float32) if x.dtype is dtypes.float16 else x
    which = [int(axis) for axis in np.reshape(axes, -1)]
    mean = raw.Mean(wide, np.array(which, np.int32), keep_dims=True)
    deviations = raw.SquaredDifference(wide, raw.StopGradient(mean))
    variance = raw.Mean(deviations, np.array(which, np.int32), keep_dims=True)
    if not keepdims:
        mean, variance = (raw.Squeeze(item, squeeze_dims=which) if which else item for item in (mean, variance))
    if wide is not x:
        mean, variance = (raw.Cast(item, DstT=x.dtype) for item in (mean, variance))
    return mean, variance


def normalize_moments(
    counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Returns the mean and the variance that sufficient statistics say.

    Args:
        counts: How many elements were summed.
        mean_ss: The sum of the elements, each less `shift`.
        variance_ss: The sum of their squares, each less `shift` before.
        shift: The shift, or `None`.
        name: Not used.
    """
    divisor = raw.Reciprocal(counts)
    shifted = mean_ss * divisor
    return shifted if shift is None else shifted + shift, variance_ss * divisor - raw.Square(shifted)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None
) -> Tensor:
    """Normalizes with a given mean and variance: `(x - mean) / sqrt(variance + epsilon) * scale + offset`.

    Args:
        x: A floating tensor.
        mean: The mean; it and those that follow must broadcast to `x`.
        variance: The variance.
        offset: What to add at the end, or `None`.
        scale: What to multiply with, or `None`.
        variance_epsilon: A small number that keeps from dividing by zero.
        name: A name for the graph node.
    """
    x, mean, variance = convert_to_tensor(x), convert_to_tensor(mean), convert_to_tensor(variance)
    factor = raw.Rsqrt(variance + variance_epsilon)
    if scale is not None:
        factor = factor * scale
    shift = -mean * factor if offset is None else offset - mean * factor
    factor, shift = (item if item.dtype is x.dtype else raw.Cast(item, DstT=x.dtype) for item in (factor, shift))
    return raw.AddV2(x * factor, shift, name=name)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """Divides by the Euclidean length along axes: `x / sqrt(max(sum(abs(x)**2), epsilon))`.

    Args:
        x: A floating or complex tensor.
        axis: The axis or axes; all by default.
        epsilon: The least that the sum of squares counts as.
        name: A name for the graph node.
        dim: The former name of `axis`.
    """
    x = convert_to_tensor(x)
    axis = dim if axis is None else axis
    axes = raw.Range(0, raw.Rank(x), 1) if axis is None else axis
    size = x.dtype.real_dtype
    squares = (
        raw.Square(raw.Real(x, Tout=size)) + raw.Square(raw.Imag(x, Tout=size)) if x.dtype.is_complex else raw.Square(x)
    )
    inverse = raw.Rsqrt(raw.Maximum(raw.Sum(squares, axes, keep_dims=True), epsilon))
    return raw.Mul(x, raw.Cast(inverse, DstT=x.dtype) if x.dtype.is_complex else inverse, name=name)


@dispatched
def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Tensor:
    """Sets elements to zero at random and divides the others by the probability to stay (N. Srivastava et al., 2014).

    Args:
        x: A floating tensor.
        rate: The probability that an element is dropped: a number in [0, 1) or a scalar tensor.
        noise_shape: The shape of the random choices, which broadcasts to that of `x`; a size of `None` is that of `x`.
        seed: A seed for this op; see `tf.random.set_seed`.
        name: A name for the graph node.

    Raises:
        ValueError: `rate` is out of range, or `x` not floating.
    """
    from modtf.core.api.random import uniform

    def numbers(shape: Any, dtype: Any) -> Tensor:
        return uniform(shape, dtype=dtype, seed=seed)

    return experimental.general_dropout(x, rate, numbers, noise_shape, name)


# ------------------------------------------------------------------------------------------------- losses


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
    if axis not in (-1, None) and axis != _known_rank(logits) - 1:
        order = np.arange(_known_rank(logits), dtype=np.int32)
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


# ------------------------------------------------------------------------------------------------- ranks and rows


def top_k(input: Any, k: Any = 1, sorted: bool = True, index_type: Any = dtypes.int32, name: str | None = None) -> Any:
    """Returns the largest elements of the last axis, and where they are.

    Args:
        input: A tensor of numbers of at least one dimension.
        k: How many; at most the size of the last axis.
        sorted: Whether they must come in descending order (they always do). The first of equals comes first.
        index_type: The dtype of the indices: int16, int32 or int64.
        name: A name for the graph node.

    Returns:
        A named tuple of `values` and `indices`, both with a last axis of size `k`.

    Raises:
        InvalidArgumentError: `k` is negative or too large.
    """
    return raw.TopKV2(input, k, sorted=sorted, index_type=as_dtype(index_type), name=name)


def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Says for each row whether the prediction for the target is among the `k` largest.

    Args:
        targets: The right classes, a vector of int32 or int64.
        predictions: Float32, shaped rows and classes.
        k: How many of the largest to look at. All that equal the last of them count as among them.
        name: A name for the graph node.

    Returns:
        A bool for each row; false where a class is out of range or the row is not finite.
    """
    return raw.InTopKV2(predictions, targets, k, name=name)


@dispatched
def embedding_lookup(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Tensor:
    """Returns the rows of a table that ids name.

    Args:
        params: The table: a tensor or variable, or a list of them that make one table when joined along the first axis.
        ids: Row numbers, int32 or int64 of any shape.
        max_norm: If given, rows that are longer than this (by the Euclidean norm) are shortened to it.
        name: A name for the graph node.

    Returns:
        The rows, shaped as the ids followed by a row.

    Raises:
        ValueError: `params` is empty.
    """
    if isinstance(params, (list, tuple)):
        if not params:
            raise ValueError(f"`params` must be a tensor, a variable or a list of them. Received: params={params}")
        params = params[0] if len(params) == 1 else raw.ConcatV2([convert_to_tensor(part) for part in params], 0)
    ids = convert_to_tensor(ids)
    if hasattr(params, "sparse_read"):
        rows = params.sparse_read(ids, name=name)
    else:
        rows = raw.GatherV2(params, ids, 0, name=name)
    if max_norm is None:
        return rows
    axes = np.arange(_known_rank(ids), _known_rank(rows), dtype=np.int32)
    norms = raw.Sqrt(raw.Sum(raw.Square(rows), axes, keep_dims=True))
    return rows * max_norm / raw.Maximum(norms, max_norm)


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """Returns the part of the elements that are zero, as a float32 scalar."""
    value = convert_to_tensor(value)
    zero = raw.Cast(raw.Equal(value, raw.ZerosLike(value)), DstT=dtypes.int64)
    total = raw.Sum(raw.Reshape(zero, [-1]), 0)
    return raw.RealDiv(
        raw.Cast(total, DstT=dtypes.float32),
        raw.Cast(raw.Size(value, out_type=dtypes.int64), DstT=dtypes.float32),
        name=name,
    )


__all__ = [
    "batch_normalization", "bias_add", "crelu", "dropout", "elu", "embedding_lookup", "gelu", "in_top_k", "l2_loss",
    "l2_normalize", "leaky_relu", "log_poisson_loss", "log_softmax", "moments", "normalize_moments", "relu", "relu6",
    "selu", "sigmoid", "sigmoid_cross_entropy_with_logits", "silu", "softmax", "softmax_cross_entropy_with_logits",
    "softplus", "softsign", "sparse_softmax_cross_entropy_with_logits", "swish", "tanh", "top_k",
    "weighted_cross_entropy_with_logits", "zero_fraction",
]  # fmt: skip
__all__ += nn_sliding.__all__ + nn_pooling.__all__ + nn_ctc.__all__ + nn_sampling.__all__ + nn_statistics.__all__
__all__ += ["approx_max_k", "approx_min_k", "experimental", "space_to_batch"]
