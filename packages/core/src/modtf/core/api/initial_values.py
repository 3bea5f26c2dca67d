"""Initial values of variables: objects that make a tensor of any shape, such as `tf.zeros_initializer()`."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.values import dtypes
from modtf.core.values.conversion import constant
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.tensors import Tensor

__all__ = [
    "constant_initializer", "ones_initializer", "random_normal_initializer", "random_uniform_initializer",
    "zeros_initializer",
]  # fmt: skip


class _Initializer:
    """Makes initial values: `initializer(shape, dtype)` returns a tensor.

    With the keyword arguments `partition_shape` and `partition_offset`, what is made is the part of that shape.
    """

    _parameters: tuple[str, ...] = ()

    def get_config(self) -> dict[str, Any]:
        """Returns what it was made with, as `from_config` takes it."""
        return {name: getattr(self, name) for name in self._parameters}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Makes one again of what `get_config` returned."""
        return cls(**{name: value for name, value in config.items() if name != "dtype"})


def _wanted_shape(shape: Any, partition: dict[str, Any]) -> Any:
    for name in partition:
        if name not in ("partition_shape", "partition_offset"):
            raise TypeError(
                f"Keyword argument should be one of ['partition_shape', 'partition_offset']. Received: {name}"
            )
    return partition.get("partition_shape", shape)


def _numeric(dtype: Any) -> DType:
    wanted = as_dtype(dtype)
    if not (wanted.is_numeric or wanted.is_bool):
        raise ValueError(f"Argument `dtype` expected to be numeric or boolean. Received {wanted}.")
    return wanted


class zeros_initializer(_Initializer):
    """Makes zeros."""

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **partition: Any) -> Tensor:
        """Returns zeros.

        Args:
            shape: The shape.
            dtype: The dtype, of numbers or bools.
            **partition: `partition_shape` and `partition_offset`.
        """
        from modtf.core.api.array import zeros

        return zeros(_wanted_shape(shape, partition), _numeric(dtype))


class ones_initializer(_Initializer):
    """Makes ones."""

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **partition: Any) -> Tensor:
        """Returns ones; arguments as of `zeros_initializer`."""
        from modtf.core.api.array import ones

        return ones(_wanted_shape(shape, partition), _numeric(dtype))


class constant_initializer(_Initializer):
    """Makes tensors of given values.

    Args:
        value: A value, or as many as the shape has elements, as a (nested) list or NumPy array.
        support_partition: Whether parts may be asked for.

    Raises:
        TypeError: It is none of these.
    """

    _parameters = ("value",)

    def __init__(self, value: Any = 0, support_partition: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value: {type(value).__name__}. Expected Python scalar, list or tuple of values, "
                "or numpy.ndarray."
            )
        self.value = value
        self.support_partition = support_partition

    def __call__(self, shape: Any, dtype: Any = None, **partition: Any) -> Tensor:
        """Returns the values.

        Args:
            shape: The shape.
            dtype: The dtype; by default that of the values.
            **partition: `partition_shape` and `partition_offset`.

        Raises:
            TypeError: There are more or fewer values than elements.
            ValueError: A part is asked for, and `support_partition` is false.
        """
        wanted = _wanted_shape(shape, partition)
        if partition and not self.support_partition:
            raise ValueError("Constant initializer doesn't support partition-related arguments")
        return constant(self.value, dtype=dtype, shape=_static(wanted))


def _static(shape: Any) -> Any:
    return np.asarray(shape).tolist() if isinstance(shape, Tensor) else shape


class _Random(_Initializer):
    seed: int | None

    def _drawn(self, distribution: str, *arguments: Any, **keywords: Any) -> Tensor:
        """Numbers from the seed, always the same; without one, others each time."""
        from modtf.core.api import random

        if self.seed is None:
            return getattr(random, distribution)(*arguments, **keywords)
        return getattr(random, f"stateless_{distribution}")(*arguments, seed=[self.seed, 0], **keywords)


class random_normal_initializer(_Random):
    """Makes random numbers of a normal distribution.

    Args:
        mean: The mean.
        stddev: The standard deviation.
        seed: An integer, with which each call gives the same numbers.
    """

    _parameters = ("mean", "stddev", "seed")

    def __init__(self, mean: Any = 0.0, stddev: Any = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **partition: Any) -> Tensor:
        """Returns random numbers.

        Args:
            shape: The shape.
            dtype: A floating dtype.
            **partition: `partition_shape` and `partition_offset`.
        """
        wanted = as_dtype(dtype)
        if not wanted.is_floating:
            raise ValueError(f"Argument `dtype` is expected to be floating point. Received: {wanted}.")
        shape = _wanted_shape(shape, partition)
        return self._drawn("normal", shape, mean=self.mean, stddev=self.stddev, dtype=wanted)


class random_uniform_initializer(_Random):
    """Makes random numbers that are all equally likely.

    Args:
        minval: The lower bound.
        maxval: The upper bound, which is not reached; `None` for 1, of integers it must be given.
        seed: An integer, with which each call gives the same numbers.
    """

    _parameters = ("minval", "maxval", "seed")

    def __init__(self, minval: Any = -0.05, maxval: Any = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = dtypes.float32, **partition: Any) -> Tensor:
        """Returns random numbers.

        Args:
            shape: The shape.
            dtype: A floating or integer dtype.
            **partition: `partition_shape` and `partition_offset`.
        """
        wanted = as_dtype(dtype)
        if not (wanted.is_floating or wanted.is_integer):
            raise ValueError(f"Argument `dtype` expected to be numeric or boolean. Received {wanted}.")
        shape = _wanted_shape(shape, partition)
        return self._drawn("uniform", shape, minval=self.minval, maxval=self.maxval, dtype=wanted)
