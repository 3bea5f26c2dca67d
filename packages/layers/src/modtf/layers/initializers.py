"""Initializers: the first values of weights. Each is called with a shape and a dtype."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.layers import config
from modtf.layers.random_seeds import SeedGenerator, make_seed
from modtf.layers.serialization import Configurable, Registry, serialize

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "Initializer", "LecunNormal",
    "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
    "deserialize", "get", "serialize",
]  # fmt: skip


class Initializer(Configurable):
    """The base of initializers."""

    config_module = "keras.initializers"

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """Returns a tensor of that shape and dtype (by default `config.floatx()`)."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(shape, dtype).")


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return tf.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return tf.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """One value everywhere, or an array of values that is broadcast.

    Args:
        value: A number or an array.
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        wanted = tf.as_dtype(dtype or config.floatx())
        return tf.constant(np.broadcast_to(np.asarray(self.value), tuple(shape)).astype(wanted.as_numpy_dtype))


class Identity(Initializer):
    """The identity matrix, times `gain`. Only for weights of rank 2."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices only; got the shape {tuple(shape)}.")
        wanted = tf.as_dtype(dtype or config.floatx())
        return tf.constant((self.gain * np.eye(shape[0], shape[1])).astype(wanted.as_numpy_dtype))


class RandomInitializer(Initializer):
    """The base of random initializers.

    Args:
        seed: An integer; by default a random one. The same object gives the same values every time, unless the seed is
            a `SeedGenerator`.
    """

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        self._initial_seed = seed
        self._seed = make_seed() if seed is None else seed

    @property
    def seed(self) -> Any:
        """The seed that was given."""
        return self._initial_seed

    def _draw_seed(self) -> Any:
        return (
            self._seed.next() if isinstance(self._seed, SeedGenerator) else tf.constant([self._seed, 0], dtype="int64")
        )


class RandomUniform(RandomInitializer):
    """Uniform between `minval` and `maxval`."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return tf.random.stateless_uniform(
            tuple(shape), self._draw_seed(), minval=self.minval, maxval=self.maxval, dtype=dtype or config.floatx()
        )


class RandomNormal(RandomInitializer):
    """Normal around `mean`."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return tf.random.stateless_normal(
            tuple(shape), self._draw_seed(), mean=self.mean, stddev=self.stddev, dtype=dtype or config.floatx()
        )


class TruncatedNormal(RandomInitializer):
    """Normal around `mean`, values further than two standard deviations away drawn again."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        return tf.random.stateless_truncated_normal(
            tuple(shape), self._draw_seed(), mean=self.mean, stddev=self.stddev, dtype=dtype or config.floatx()
        )


_TRUNCATION = 0.87962566103423978
"""The standard deviation of a standard normal truncated at two standard deviations."""


class VarianceScaling(RandomInitializer):
    """Random values whose variance is `scale / fan`, so that signals keep their size from layer to layer.

    Args:
        scale: The numerator.
        mode: What `fan` is: `"fan_in"` (inputs of one output), `"fan_out"` (outputs of one input) or `"fan_avg"`.
        distribution: `"truncated_normal"` (also `"normal"`), `"untruncated_normal"` or `"uniform"`.
        seed: As for all random initializers.
        input_axes: The axes of the shape whose sizes are multiplied to `fan_in`; by default all but the last.
        output_axes: Those for `fan_out`, given together with `input_axes`.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        if scale <= 0:
            raise ValueError(f"scale must be positive; got {scale}.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"mode must be one of fan_in, fan_out, fan_avg; got {mode!r}.")
        distribution = {"normal": "truncated_normal"}.get(distribution.lower(), distribution.lower())
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                f"distribution must be one of truncated_normal, untruncated_normal, uniform; got {distribution!r}."
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if self.input_axes is not None and self.output_axes is not None:
            fan_in, fan_out = (math.prod(shape[axis] for axis in axes) for axes in (self.input_axes, self.output_axes))
        else:
            fan_in, fan_out = _fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, fan)
        draw: dict[str, Any] = {"shape": tuple(shape), "seed": self._draw_seed(), "dtype": dtype or config.floatx()}
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return tf.random.stateless_uniform(minval=-limit, maxval=limit, **draw)
        if self.distribution == "untruncated_normal":
            return tf.random.stateless_normal(stddev=math.sqrt(variance), **draw)
        return tf.random.stateless_truncated_normal(stddev=math.sqrt(variance) / _TRUNCATION, **draw)


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs of one output and outputs of one input, of a kernel `[..., inputs, outputs]`."""
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    receptive_field = math.prod(shape[:-2])
    return shape[-2] * receptive_field, shape[-1] * receptive_field


class _Scaled(VarianceScaling):
    """`VarianceScaling` with its first three arguments fixed."""

    _scaling: tuple[float, str, str]

    def __init__(
        self, seed: Any = None, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
    ) -> None:
        super().__init__(*self._scaling, seed=seed, input_axes=input_axes, output_axes=output_axes)


class GlorotUniform(_Scaled):
    """Uniform with variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010)."""

    _scaling = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance `2 / (fan_in + fan_out)` (Glorot and Bengio, 2010)."""

    _scaling = (1.0, "fan_avg", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform with variance `1 / fan_in` (LeCun et al., 1998)."""

    _scaling = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal with variance `1 / fan_in` (LeCun et al., 1998)."""

    _scaling = (1.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform with variance `2 / fan_in`, for layers before a relu (He et al., 2015)."""

    _scaling = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal with variance `2 / fan_in`, for layers before a relu (He et al., 2015)."""

    _scaling = (2.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """An orthogonal matrix (of all axes but the last against the last), times `gain` (Saxe et al., 2014)."""

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs at least two axes; got the shape {tuple(shape)}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        size = (max(rows, columns), min(rows, columns))
        normal = np.asarray(tf.random.stateless_normal(size, self._draw_seed(), dtype="float64"))
        q, r = np.linalg.qr(normal)
        q = q * np.sign(np.diagonal(r))  # makes the distribution uniform
        wanted = tf.as_dtype(dtype or config.floatx())
        matrix = q.T if rows < columns else q
        return tf.constant((self.gain * matrix.reshape(tuple(shape))).astype(wanted.as_numpy_dtype))


_registry = Registry(
    "initializer",
    [
        Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones, Orthogonal,
        RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
    ],
    aliases={
        "normal": RandomNormal, "uniform": RandomUniform, "zero": Zeros, "one": Ones,
        "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal,
    },
)  # fmt: skip
get = _registry.get
deserialize = _registry.deserialize
