"""Random numbers from seeds that `set_seed` gives, going on where they stopped."""

from __future__ import annotations

from typing import Any

from modtf.core.api.random.arguments import (
    FLOATING,
    at_least_tiny,
    checked,
    in_dtype,
    scaled,
    shapes_and_rates,
    sizes_tensor,
)  # fmt: skip
from modtf.core.api.random.seeds import op_seeds
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.tensors import Tensor

__all__ = ["categorical", "gamma", "normal", "poisson", "shuffle", "truncated_normal", "uniform"]


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers, each in [minval, maxval) equally likely.

    Args:
        shape: The shape, a vector of integers.
        minval: The lower bound, which can occur.
        maxval: The upper bound, which cannot; 1 by default for floating numbers, and needed for integers.
        dtype: A floating dtype, int32 or int64.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.

    Raises:
        ValueError: The dtype is another one, or of integers `maxval` is missing.
    """
    wanted = checked(dtype, (*FLOATING, dtypes.int32, dtypes.int64))
    sizes = sizes_tensor(shape)
    if wanted.is_integer:
        if maxval is None:
            raise ValueError(f"Must specify maxval for integer dtype {wanted!r}")
        low, high = in_dtype(wanted, minval, maxval)
        return raw.RandomUniformInt(sizes, low, high, **op_seeds(seed), name=name)
    numbers = raw.RandomUniform(sizes, dtype=wanted, **op_seeds(seed))
    from_zero = isinstance(minval, int) and minval == 0
    if from_zero and (maxval is None or (isinstance(maxval, int) and maxval == 1)):
        return numbers
    low, high = in_dtype(wanted, minval, 1 if maxval is None else maxval)
    return raw.Mul(numbers, high, name=name) if from_zero else scaled(numbers, high - low, low, name)


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers of a normal distribution.

    Args:
        shape: The shape, a vector of integers.
        mean: The mean.
        stddev: The standard deviation.
        dtype: A floating dtype.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.
    """
    wanted = checked(dtype, FLOATING)
    center, spread = in_dtype(wanted, mean, stddev)
    return scaled(raw.RandomStandardNormal(sizes_tensor(shape), dtype=wanted, **op_seeds(seed)), spread, center, name)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers of a normal distribution, none of them two standard deviations or more from the mean.

    Arguments as for `normal`.
    """
    wanted = checked(dtype, FLOATING)
    center, spread = in_dtype(wanted, mean, stddev)
    return scaled(raw.TruncatedNormal(sizes_tensor(shape), dtype=wanted, **op_seeds(seed)), spread, center, name)


def shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """Returns a tensor with its first axis in random order.

    Args:
        value: The tensor.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.
    """
    return raw.RandomShuffle(value, **op_seeds(seed), name=name)


def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Draws classes by their probabilities.

    Args:
        logits: Unnormalised log-probabilities, [batch, classes].
        num_samples: How many to draw for each row, a scalar.
        dtype: int32 or int64 (the default).
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.

    Returns:
        The classes drawn, [batch, num_samples].
    """
    wanted = checked(dtype or dtypes.int64, (dtypes.int32, dtypes.int64))
    return raw.Multinomial(logits, num_samples, **op_seeds(seed), output_dtype=wanted, name=name)


def gamma(
    shape: Any, alpha: Any, beta: Any = None, dtype: Any = dtypes.float32, seed: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers of gamma distributions; gradients flow to `alpha` and `beta`.

    Args:
        shape: How many to draw from each distribution, a vector of integers.
        alpha: The distributions' shapes (in the statistical sense).
        beta: Their rates, which broadcast with `alpha`; 1 by default.
        dtype: float16, float32 or float64; gradients are defined for the last two.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.

    Returns:
        A tensor of shape `shape` followed by that of the parameters.
    """
    wanted = checked(dtype, (dtypes.float16, dtypes.float32, dtypes.float64))
    shapes, rates = shapes_and_rates(alpha, beta, wanted)
    return at_least_tiny(raw.RandomGamma(sizes_tensor(shape), shapes, **op_seeds(seed)) / rates, name)


def poisson(
    shape: Any, lam: Any, dtype: Any = dtypes.float32, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Returns random numbers of Poisson distributions.

    Args:
        shape: How many to draw from each distribution, a vector of integers.
        lam: How many events each expects, a tensor of floating numbers or integers.
        dtype: float16, float32, float64, int32 or int64.
        seed: A seed for this op; see `set_seed`.
        name: A name for the graph node.

    Returns:
        A tensor of shape `shape` followed by that of `lam`.
    """
    return raw.RandomPoissonV2(sizes_tensor(shape), lam, dtype=dtype, **op_seeds(seed), name=name)
