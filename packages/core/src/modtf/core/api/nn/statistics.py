"""The functions of `tf.nn` for moments with weights, older normalizations, isotonic regression and averages of losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "batch_norm_with_global_normalization", "compute_average_loss", "isotonic_regression",
    "local_response_normalization", "lrn", "scale_regularization_loss", "sufficient_statistics", "weighted_moments",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- moments


def _axes(axes: Any) -> Any:
    return axes if isinstance(axes, Tensor) else np.reshape(np.asarray(axes, np.int32), -1)


def sufficient_statistics(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Returns the sums that a mean and a variance follow from (see `normalize_moments`).

    Args:
        x: A tensor.
        axes: The axes to sum over.
        shift: A number near the mean, which is subtracted first so that no digits are lost; none by default.
        keepdims: Whether the axes remain, with size 1.
        name: A name for the graph node of the last sum.

    Returns:
        The number of elements, their sum, the sum of their squares, and the shift.
    """
    x = convert_to_tensor(x)
    along = _axes(axes)
    sizes = raw.GatherV2(raw.Shape(x), along, 0)
    count = raw.Cast(raw.Prod(sizes, 0), DstT=x.dtype)
    if shift is None:
        return (
            count,
            raw.Sum(x, along, keep_dims=keepdims),
            raw.Sum(raw.Square(x), along, keep_dims=keepdims, name=name),
            None,
        )
    shift = convert_to_tensor(shift)
    total = raw.Sum(x - shift, along, keep_dims=keepdims)
    return count, total, raw.Sum(raw.SquaredDifference(x, shift), along, keep_dims=keepdims, name=name), shift


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Returns the mean and the variance of elements that count for more than one or for less.

    Args:
        x: A floating tensor; float16 is computed in float32.
        axes: The axes to reduce.
        frequency_weights: How much each element counts; broadcasts with `x`.
        keepdims: Whether the axes remain, with size 1.
        name: A name for the graph node of the variance.
    """
    x, weights = convert_to_tensor(x), convert_to_tensor(frequency_weights)
    narrow = x.dtype is dtypes.float16
    wide = raw.Cast(x, DstT=dtypes.float32) if narrow else x
    weights = weights if weights.dtype is wide.dtype else raw.Cast(weights, DstT=wide.dtype)
    along = _axes(axes)
    weighted = weights * wide
    # Every element's weight must be summed, also where it is broadcast.
    weights = weights + raw.ZerosLike(weighted)
    share = raw.Reciprocal(raw.Sum(weights, along, keep_dims=True))
    mean = raw.Sum(weighted, along, keep_dims=True) * share
    variance = raw.Sum(weights * raw.SquaredDifference(wide, mean), along, keep_dims=True) * share
    if not keepdims:
        shape = raw.Shape(raw.Sum(wide, along))
        mean, variance = raw.Reshape(mean, shape), raw.Reshape(variance, shape, name=name)
    return (raw.Cast(mean, DstT=x.dtype), raw.Cast(variance, DstT=x.dtype)) if narrow else (mean, variance)


# ------------------------------------------------------------------------------------------------- normalizations


def batch_norm_with_global_normalization(
    input: Any, mean: Any, variance: Any, beta: Any, gamma: Any, variance_epsilon: float,
    scale_after_normalization: bool, name: str | None = None,
) -> Tensor:  # fmt: skip
    """The former name of `batch_normalization`: `beta` is its offset, and `gamma`, if wanted, its scale."""
    from modtf.core.api.nn import batch_normalization

    scale = gamma if scale_after_normalization else None
    return batch_normalization(input, mean, variance, beta, scale, variance_epsilon, name)


def local_response_normalization(
    input: Any, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5, name: str | None = None
) -> Tensor:
    """Divides each element by what its neighbours along the channels amount to (A. Krizhevsky et al., 2012).

    Args:
        input: A tensor of shape `[batch, height, width, channels]`; float16, bfloat16 or float32.
        depth_radius: How far neighbours may be away.
        bias: See the formula.
        alpha: See the formula.
        beta: See the formula.
        name: A name for the graph node.

    Returns:
        `input / (bias + alpha * (sum of the neighbours' squares)) ** beta`.
    """
    return raw.LRN(input, depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta, name=name)


lrn = local_response_normalization


def isotonic_regression(inputs: Any, decreasing: bool = True, axis: int = -1) -> tuple[Tensor, Tensor]:
    """Returns the monotonous sequences nearest to those given, by least squares.

    Args:
        inputs: A tensor of real numbers.
        decreasing: Whether the result shall never rise, or else never fall.
        axis: The axis along which the sequences lie.

    Returns:
        The sequences, floating, and for each element the number of the level piece that it is part of, int32.
    """
    x = convert_to_tensor(inputs)
    if x.ndim is None:
        raise ValueError("tf.nn.isotonic_regression needs a tensor of a known rank.")
    wanted = dtypes.float64 if x.dtype in (dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64) else dtypes.float32
    wanted = x.dtype if x.dtype.is_floating else wanted
    order = np.arange(x.ndim, dtype=np.int32)
    order[[axis, -1]] = order[[-1, axis]]
    rows = raw.Transpose(x, order)
    flat = raw.Reshape(rows, raw.Pack([-1, raw.Shape(rows)[-1]]))
    flat = flat if decreasing else -flat
    output, segments = raw.IsotonicRegression(flat, output_dtype=wanted)
    output = output if decreasing else -output
    return tuple(raw.Transpose(raw.Reshape(item, raw.Shape(rows)), order) for item in (output, segments))


# ------------------------------------------------------------------------------------------------- averages of losses


def compute_average_loss(per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None) -> Tensor:
    """Returns the sum of losses divided by the size of the batch.

    Args:
        per_example_loss: The losses, at least a vector.
        sample_weight: What each counts: a scalar, or of the shape of the losses' first axes.
        global_batch_size: What to divide by; the number of losses along the first axis by default. By 0 the result is 0.

    Raises:
        ValueError: The losses are a scalar.
    """
    losses = convert_to_tensor(per_example_loss)
    if losses.ndim == 0:
        raise ValueError(f"The per-example loss must be at least a vector. Received: shape={losses.shape}")
    if sample_weight is not None:
        weights = raw.Cast(convert_to_tensor(sample_weight), DstT=losses.dtype)
        while weights.ndim and losses.ndim and weights.ndim < losses.ndim:
            weights = raw.ExpandDims(weights, -1)
        losses = losses * weights
    count = raw.Shape(losses)[0] if global_batch_size is None else convert_to_tensor(global_batch_size)
    total = raw.Sum(losses, raw.Range(0, raw.Rank(losses), 1))
    return raw.DivNoNan(total, raw.Cast(count, DstT=losses.dtype))


def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """Returns the sum of regularization losses: there is one replica, over which TensorFlow would divide it."""
    loss = convert_to_tensor(regularization_loss)
    return raw.Sum(loss, raw.Range(0, raw.Rank(loss), 1))
