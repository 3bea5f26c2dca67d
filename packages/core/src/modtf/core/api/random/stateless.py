"""Random numbers as functions of a seed."""

from __future__ import annotations

from typing import Any

from modtf.core.api.random.algorithms import key_counter
from modtf.core.api.random.arguments import (
    FLOATING,
    at_least_tiny,
    checked,
    in_dtype,
    scaled,
    shapes_and_rates,
    sizes_tensor,
)  # fmt: skip
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType
from modtf.core.values.tensors import Tensor

__all__ = [
    "fold_in", "split", "stateless_binomial", "stateless_categorical", "stateless_gamma", "stateless_normal",
    "stateless_parameterized_truncated_normal", "stateless_poisson", "stateless_shuffle", "stateless_truncated_normal",
    "stateless_uniform",
]  # fmt: skip

ALL = (*FLOATING, dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64)


def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Returns random numbers as a function of a seed, each in [minval, maxval) equally likely.

    Args:
        shape: The shape, a vector of integers.
        seed: Two integers, a tensor [2] of int32 or int64.
        minval: The lower bound, which can occur; with `None` for both, integers have the dtype's whole range.
        maxval: The upper bound, which cannot; 1 by default for floating numbers.
        dtype: A floating dtype, int32, int64, or (without bounds) uint32 or uint64.
        name: A name for the graph node.
        alg: `"philox"`, `"threefry"` or `"auto_select"` (Philox), or an `Algorithm`.

    Raises:
        ValueError: The dtype is another one, or only one bound is `None`.
    """
    return uniform_of(sizes_tensor(shape), lambda: key_counter(seed, alg), minval, maxval, checked(dtype, ALL), name)


def uniform_of(shape: Tensor, source: Any, minval: Any, maxval: Any, dtype: DType, name: str | None) -> Tensor:
    if dtype.is_integer:
        if (minval is None) != (maxval is None):
            raise ValueError(
                f"For integer `dtype` argument {dtype!r}, argument `minval` and `maxval` must be both None or not None. "
                f"Got `minval`={minval} and `maxval`={maxval}."
            )
        if minval is None:
            return raw.StatelessRandomUniformFullIntV2(shape, **source(), dtype=dtype, name=name)
        if dtype.is_unsigned:
            raise ValueError(
                f"Argument `dtype` got invalid value {dtype!r} when argument `minval` is not None. "
                "Please don't use unsigned integers in this case."
            )
        low, high = in_dtype(dtype, minval, maxval)
        return raw.StatelessRandomUniformIntV2(shape, **source(), minval=low, maxval=high, name=name)
    low, high = in_dtype(dtype, minval, 1 if maxval is None else maxval)
    return scaled(raw.StatelessRandomUniformV2(shape, **source(), dtype=dtype), high - low, low, name)


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Returns random numbers of a normal distribution as a function of a seed.

    Args:
        shape: The shape, a vector of integers.
        seed: Two integers, a tensor [2] of int32 or int64.
        mean: The mean.
        stddev: The standard deviation.
        dtype: A floating dtype.
        name: A name for the graph node.
        alg: See `stateless_uniform`.
    """
    wanted = checked(dtype, FLOATING)
    center, spread = in_dtype(wanted, mean, stddev)
    return scaled(
        raw.StatelessRandomNormalV2(sizes_tensor(shape), **key_counter(seed, alg), dtype=wanted), spread, center, name
    )


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, name: str | None = None,
    alg: Any = "auto_select",
) -> Tensor:  # fmt: skip
    """Returns the same, but no numbers two standard deviations or more from the mean; see `stateless_normal`."""
    wanted = checked(dtype, FLOATING)
    center, spread = in_dtype(wanted, mean, stddev)
    numbers = raw.StatelessTruncatedNormalV2(sizes_tensor(shape), **key_counter(seed, alg), dtype=wanted)
    return scaled(numbers, spread, center, name)


def stateless_shuffle(value: Any, seed: Any, alg: Any = "auto_select", name: str | None = None) -> Tensor:
    """Returns a tensor with its first axis in an order that is a function of a seed.

    Args:
        value: The tensor.
        seed: Two integers, a tensor [2] of int32 or int64.
        alg: `"philox"` or `"auto_select"`.
        name: A name for the graph node.
    """
    return raw.StatelessShuffle(value, **key_counter(seed, alg), name=name)


def stateless_categorical(
    logits: Any, num_samples: Any, seed: Any, dtype: Any = dtypes.int64, name: str | None = None
) -> Tensor:
    """Draws classes by their probabilities as a function of a seed; see `categorical`."""
    wanted = checked(dtype or dtypes.int64, (dtypes.int32, dtypes.int64))
    return raw.StatelessMultinomial(logits, num_samples, seed, output_dtype=wanted, name=name)


def stateless_gamma(
    shape: Any, seed: Any, alpha: Any, beta: Any = None, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Returns random numbers of gamma distributions as a function of a seed; gradients flow to `alpha` and `beta`.

    Args:
        shape: The shape, at whose end the parameters' broadcast shape stands.
        seed: Two integers, a tensor [2] of int32 or int64.
        alpha: The distributions' shapes (in the statistical sense).
        beta: Their rates; 1 by default.
        dtype: float16, float32 or float64; gradients are defined for the last two.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The shape does not end with the parameters'.
    """
    wanted = checked(dtype, (dtypes.float16, dtypes.float32, dtypes.float64))
    shapes, rates = shapes_and_rates(alpha, beta, wanted)
    drawn = raw.StatelessRandomGammaV3(sizes_tensor(shape), **key_counter(seed, None), alpha=shapes)
    return at_least_tiny(drawn / rates, name)


def stateless_poisson(shape: Any, seed: Any, lam: Any, dtype: Any = dtypes.int32, name: str | None = None) -> Tensor:
    """Returns random numbers of Poisson distributions as a function of a seed.

    Args:
        shape: The shape, at whose end that of `lam` stands.
        seed: Two integers, a tensor [2] of int32 or int64.
        lam: How many events each distribution expects, a tensor of floating numbers or integers.
        dtype: float16, float32, float64, int32 or int64.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The shape does not end with that of `lam`.
    """
    return raw.StatelessRandomPoisson(sizes_tensor(shape), seed, convert_to_tensor(lam), dtype=dtype, name=name)


def stateless_binomial(
    shape: Any, seed: Any, counts: Any, probs: Any, output_dtype: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Returns how many of some trials succeed, as a function of a seed.

    Args:
        shape: The shape, at whose end the broadcast shape of `counts` and `probs` stands.
        seed: Two integers, a tensor [2] of int32 or int64.
        counts: How many trials, a floating tensor.
        probs: How probable the success of one is, of the same dtype.
        output_dtype: float16, float32, float64, int32 or int64.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The shape does not end with the parameters'.
    """
    chances = convert_to_tensor(probs, dtype_hint=dtypes.float32)
    trials = convert_to_tensor(counts, dtype_hint=chances.dtype)
    return raw.StatelessRandomBinomial(sizes_tensor(shape), seed, trials, chances, dtype=output_dtype, name=name)


def stateless_parameterized_truncated_normal(
    shape: Any, seed: Any, means: Any = 0.0, stddevs: Any = 1.0, minvals: Any = -2.0, maxvals: Any = 2.0,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns random numbers of normal distributions between bounds, as a function of a seed; gradients flow to all four.

    Args:
        shape: The shape, at whose end the parameters' broadcast shape stands.
        seed: Two integers, a tensor [2] of int32 or int64.
        means: The means of the distributions before they are cut off.
        stddevs: Their standard deviations.
        minvals: The lower bounds; infinite where there is none.
        maxvals: The upper bounds; infinite where there is none.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A standard deviation is not positive, a lower bound not below the upper one, both are
            infinite, or the shape does not end with the parameters'.
    """
    parameters = [convert_to_tensor(value) for value in (means, stddevs, minvals, maxvals)]
    return raw.StatelessParameterizedTruncatedNormal(sizes_tensor(shape), seed, *parameters, name=name)


def split(seed: Any, num: Any = 2, alg: Any = "auto_select") -> Tensor:
    """Makes new seeds of one.

    Args:
        seed: Two integers, a tensor [2] of int32 or int64.
        num: How many seeds to make.
        alg: See `stateless_uniform`.

    Returns:
        A tensor [num, 2] of the seed's dtype.
    """
    seed = convert_to_tensor(seed)
    return stateless_uniform([num, 2], seed, minval=None, dtype=seed.dtype, alg=alg)


def fold_in(seed: Any, data: Any, alg: Any = "auto_select") -> Tensor:
    """Makes a new seed of a seed and a number.

    Args:
        seed: Two integers, a tensor [2] of int32 or int64.
        data: A scalar integer.
        alg: See `stateless_uniform`.

    Returns:
        A tensor [2] of the dtype of `data`.
    """
    data = convert_to_tensor(data)
    first = stateless_uniform([], seed, minval=None, dtype=data.dtype, alg=alg)
    return raw.Pack([first, data], axis=0)
