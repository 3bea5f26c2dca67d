"""Window functions (`tf.signal`)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.api.signal.sizes import size
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.tensors import Tensor

__all__ = ["hamming_window", "hann_window", "kaiser_bessel_derived_window", "kaiser_window", "vorbis_window"]


def _checked(window_length: Any, dtype: Any) -> tuple[Any, DType]:
    wanted = as_dtype(dtype)
    if not wanted.is_floating:
        raise ValueError(f"dtype must be a floating point type. Found {wanted}")
    return size(window_length, "window_length"), wanted


def _number(value: float, dtype: DType) -> Tensor:
    return convert_to_tensor(value, dtype=dtype)


def _places(length: Any, dtype: DType) -> Tensor:
    """0, 1, ... up to a length."""
    return raw.Cast(raw.Range(np.int32(0), convert_to_tensor(length), np.int32(1)), DstT=dtype)


def _raised_cosine(window_length: Any, periodic: Any, dtype: Any, base: float, swing: float, name: Any) -> Tensor:
    length, wanted = _checked(window_length, dtype)
    if isinstance(length, int) and length == 1:
        return convert_to_tensor(np.ones([1]), dtype=wanted)
    rounded = raw.Cast(convert_to_tensor(periodic, dtype=dtypes.bool_), DstT=dtypes.int32)
    even = 1 - length % 2
    period = raw.Cast(rounded * even + (length - 1), DstT=wanted)
    turns = _number(2 * math.pi, wanted) * _places(length, wanted) / period
    window = _number(base, wanted) - _number(swing, wanted) * raw.Cos(turns)
    if not isinstance(length, int):
        window = raw.SelectV2(raw.Equal(length, np.int32(1)), raw.OnesLike(window), window)
    return raw.Identity(window, name=name)


def hann_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Returns a Hann window: `0.5 - 0.5 cos(2 pi i / n)`.

    Args:
        window_length: The number of its elements.
        periodic: Whether it is the first part of a window that is one longer, as spectra need it (of odd lengths it is
            symmetric all the same, as in TensorFlow); otherwise symmetric, as filters need it.
        dtype: A floating dtype.
        name: A name for the graph node.

    Returns:
        A tensor [window_length].

    Raises:
        ValueError: `dtype` is not floating, or the length not a scalar.
    """
    return _raised_cosine(window_length, periodic, dtype, 0.5, 0.5, name)


def hamming_window(
    window_length: Any, periodic: Any = True, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Returns a Hamming window: `0.54 - 0.46 cos(2 pi i / n)`; arguments as for `hann_window`."""
    return _raised_cosine(window_length, periodic, dtype, 0.54, 0.46, name)


def vorbis_window(window_length: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Returns Vorbis' power-complementary window: `sin(pi/2 sin²(pi (i + 1/2) / n))`.

    Args:
        window_length: The number of its elements.
        dtype: A floating dtype.
        name: A name for the graph node.

    Returns:
        A tensor [window_length].
    """
    length, wanted = _checked(window_length, dtype)
    step = _number(math.pi, wanted) / raw.Cast(convert_to_tensor(length), DstT=wanted)
    inner = raw.Sin(step * (_places(length, wanted) + _number(0.5, wanted)))
    return raw.Sin(_number(math.pi / 2, wanted) * raw.Square(inner), name=name)


def kaiser_window(window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Returns a Kaiser window: `I0(beta sqrt(1 - t²)) / I0(beta)` for t from -1 to 1.

    Args:
        window_length: The number of its elements.
        beta: How quickly it falls off.
        dtype: A floating dtype.
        name: A name for the graph node.

    Returns:
        A tensor [window_length].

    Raises:
        UnimplementedError: SciPy, which computes the Bessel function, is not installed.
    """
    length, wanted = _checked(window_length, dtype)
    if isinstance(length, int) and length == 1:
        return convert_to_tensor(np.ones([1]), dtype=wanted)
    half = (raw.Cast(convert_to_tensor(length), DstT=dtypes.float32) - 1.0) / 2.0
    steepness, one = raw.Cast(convert_to_tensor(beta), DstT=wanted), _number(1.0, wanted)
    offsets = raw.Cast(_places(length, dtypes.float32) - half, DstT=wanted) / raw.Cast(half, DstT=wanted)
    argument = steepness * raw.Sqrt(raw.Relu(one - raw.Square(offsets)))
    return raw.Mul(raw.Exp(argument - steepness), raw.BesselI0e(argument) / raw.BesselI0e(steepness), name=name)


def kaiser_bessel_derived_window(
    window_length: Any, beta: Any = 12.0, dtype: Any = dtypes.float32, name: str | None = None
) -> Tensor:
    """Returns the power-complementary window that running sums of a Kaiser window make.

    Args:
        window_length: The number of its elements, which is even (of odd ones it has one less).
        beta: How quickly it falls off.
        dtype: A floating dtype.
        name: A name for the graph node.

    Returns:
        A tensor [window_length].
    """
    length, _ = _checked(window_length, dtype)
    sums = raw.Cumsum(kaiser_window(length // 2 + 1, beta, dtype), np.int32(0))
    rising = raw.Sqrt(sums[:-1] / sums[-1])
    return raw.ConcatV2([rising, raw.ReverseV2(rising, np.array([0], np.int32))], np.int32(0), name=name)
