"""`tf.nn.experimental`: dropout by any uniform random numbers, and by those of a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["general_dropout", "stateless_dropout"]


def general_dropout(
    x: Any, rate: Any, uniform_sampler: Callable[..., Tensor], noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """Sets elements to zero where random numbers say, and divides the others by the probability to stay.

    Args:
        x: A floating tensor.
        rate: The probability that an element is dropped: a number in [0, 1) or a scalar tensor.
        uniform_sampler: From keywords `shape` and `dtype` to numbers in [0, 1); elements stay where they are not below
            `rate`.
        noise_shape: The shape of the random choices, which broadcasts to that of `x`; a size of `None` is that of `x`.
        name: A name for the graph node.

    Raises:
        ValueError: `rate` is out of range, or `x` not floating.
    """
    is_number = isinstance(rate, (int, float, np.number))
    if is_number and not 0 <= rate < 1:
        raise ValueError(f"`rate` must be a scalar tensor or a float in the range [0, 1). Received: rate={rate}")
    x = convert_to_tensor(x)
    if not x.dtype.is_floating:
        raise ValueError(f"`x` must be a floating point tensor as it will be scaled. Received: x.dtype={x.dtype.name}")
    if is_number and rate == 0:
        return x
    scale: Any
    threshold: Any
    if is_number:
        scale, threshold = 1 / (1 - float(rate)), float(rate)
    else:
        threshold = convert_to_tensor(rate)
        threshold = threshold if threshold.dtype is x.dtype else raw.Cast(threshold, DstT=x.dtype)
        scale = raw.Reciprocal(1 - threshold)
    choices = uniform_sampler(shape=_noise_shape(x, noise_shape), dtype=x.dtype)
    zero = convert_to_tensor(0, dtype=x.dtype)
    return raw.SelectV2(choices >= threshold, x * scale, zero, name=name)


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    if noise_shape is None:
        return raw.Shape(x)
    if isinstance(noise_shape, Tensor):
        return noise_shape
    sizes = list(noise_shape)
    if None not in sizes:
        return np.array(sizes, np.int32)
    actual = raw.Shape(x)
    return raw.Pack([actual[axis] if size is None else int(size) for axis, size in enumerate(sizes)])


@dispatched(elementwise=1)
def stateless_dropout(
    x: Any, rate: Any, seed: Any, rng_alg: Any = None, noise_shape: Any = None, name: str | None = None
) -> Tensor:
    """Drops elements as `tf.nn.dropout` does, the same ones for the same seed.

    Args:
        x: A floating tensor.
        rate: The probability that an element is dropped: a number in [0, 1) or a scalar tensor.
        seed: Two integers.
        rng_alg: The generator, as for `tf.random.stateless_uniform`.
        noise_shape: As for `general_dropout`.
        name: A name for the graph node.
    """
    from modtf.core.api.random import stateless_uniform

    def numbers(shape: Any, dtype: Any) -> Tensor:
        return stateless_uniform(shape, seed, dtype=dtype, alg="auto_select" if rng_alg is None else rng_alg)

    return general_dropout(x, rate, numbers, noise_shape, name)
