"""Biases, batch normalization, dropout."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.api.nn.experimental import general_dropout
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["batch_normalization", "bias_add", "dropout", "l2_normalize", "moments", "normalize_moments"]


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

    return general_dropout(x, rate, numbers, noise_shape, name)
