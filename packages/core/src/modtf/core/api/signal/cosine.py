"""Discrete cosine transforms (`tf.signal`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api.signal.fourier import irfft, rfft
from modtf.core.api.signal.framing import frame, overlap_and_add
from modtf.core.api.signal.sizes import length_of, maximum, size, vector
from modtf.core.api.signal.windows import vorbis_window
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, complex64, complex128, float64
from modtf.core.values.tensors import Tensor

__all__ = ["dct", "idct", "inverse_mdct", "mdct"]

_LAST = np.int32(-1)


def _checked(input: Any, type: int, n: Any, axis: int, norm: str | None) -> Tensor:
    tensor = convert_to_tensor(input)
    if axis != -1:
        raise NotImplementedError(f"axis must be -1. Got: {axis}")
    if n is not None and n < 1:
        raise ValueError("n should be a positive integer or None")
    if type not in (1, 2, 3, 4):
        raise ValueError("Types I, II, III and IV (I)DCT are supported.")
    if norm not in (None, "ortho"):
        raise ValueError(f"Unknown normalization. Expected None or 'ortho', got: {norm}")
    if type == 1:
        if norm == "ortho":
            raise ValueError("Normalization is not supported for the Type-I DCT.")
        if tensor.dims is not None and tensor.dims[-1] is not None and tensor.dims[-1] < 2:
            raise ValueError("Type-I DCT requires the dimension to be greater than one.")
    return tensor


def dct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Returns the discrete cosine transform over the last axis.

    Args:
        input: A tensor [..., samples] of float32 or float64.
        type: 1, 2, 3 or 4: which of its four kinds, as SciPy numbers and scales them.
        n: The length of the transform: samples behind it are cut off, or zeros filled up. All samples by default.
        axis: -1.
        norm: `"ortho"` for an orthonormal transform (not of type 1), `None` for none.
        name: A name for the graph node.

    Returns:
        A tensor [..., n] of the same dtype.

    Raises:
        ValueError: `type`, `n` or `norm` is none of these.
        NotImplementedError: `axis` is another.
    """
    tensor = _checked(input, type, n, axis, norm)
    if n is not None:
        tensor = _resized(tensor, n)
    return raw.Identity(_KINDS[type](tensor, norm), name=name)


def idct(
    input: Any, type: int = 2, n: Any = None, axis: int = -1, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Returns the inverse of `dct` with the same arguments; without a norm, 2n times as large (2(n - 1) for type 1)."""
    _checked(input, type, n, axis, norm)
    return dct(input, {1: 1, 2: 3, 3: 2, 4: 4}[type], n, axis, norm, name)


def _resized(tensor: Tensor, n: Any) -> Tensor:
    """The tensor with the last axis cut off or filled up with zeros."""
    missing = maximum(0, n - length_of(tensor, -1))
    if not (isinstance(missing, int) and missing == 0):
        before = raw.Fill(raw.ExpandDims(raw.Rank(tensor) - 1, np.int32(0)), np.int32(0))
        ends = raw.ConcatV2([before, vector(missing)], np.int32(0))
        tensor = raw.Pad(tensor, raw.Pack([raw.ZerosLike(ends), ends], axis=1))
    return tensor[..., :n]


def _number(value: Any, dtype: DType) -> Tensor:
    return raw.Cast(value, DstT=dtype) if isinstance(value, Tensor) else convert_to_tensor(float(value), dtype=dtype)


def _complex_dtype(dtype: DType) -> DType:
    return complex128 if dtype is float64 else complex64


def _real(x: Tensor) -> Tensor:
    return raw.Real(x, Tout=x.dtype.real_dtype)


def _quarter_turns(count: Any, direction: float, dtype: DType) -> Tensor:
    """2 exp(direction * i pi k / (2 count)) for k below `count`."""
    places = _number(raw.Range(np.int32(0), convert_to_tensor(count), np.int32(1)), dtype)
    angles = places * _number(direction * math.pi * 0.5, dtype) / _number(count, dtype)
    two = _number(2.0, dtype)
    return raw.Complex(two * raw.Cos(angles), two * raw.Sin(angles), Tout=_complex_dtype(dtype))


def _first_and_others(first: Tensor, others: Tensor, count: Any) -> Tensor:
    """A vector whose first element is one number, and the others another."""
    is_first = raw.Equal(raw.Range(np.int32(0), convert_to_tensor(count), np.int32(1)), np.int32(0))
    return raw.SelectV2(is_first, first, others)


def _first(x: Tensor, norm: str | None) -> Tensor:
    """Type 1: the spectrum of the samples and, behind them, those between the ends in reverse order."""
    inner = raw.ReverseV2(x[..., 1:-1], np.array([-1], np.int32))
    return _real(rfft(raw.ConcatV2([x, inner], _LAST)))


def _second(x: Tensor, norm: str | None) -> Tensor:
    """Type 2, by a transform of twice the length (J. Makhoul, "A fast cosine transform in one and two dimensions", 1980)."""
    count = length_of(x, -1)
    spectrum = rfft(x, [2 * count])[..., :count]
    result = _real(spectrum * _quarter_turns(count, -1.0, x.dtype))
    if norm == "ortho":
        scale = _number(0.5, x.dtype) * raw.Rsqrt(_number(count, x.dtype))
        result = result * _first_and_others(scale, scale * _number(math.sqrt(2.0), x.dtype), count)
    return result


def _third(x: Tensor, norm: str | None) -> Tensor:
    """Type 3: the second read backwards."""
    count = length_of(x, -1)
    if norm == "ortho":
        scale = raw.Sqrt(_number(count, x.dtype))
        x = x * _first_and_others(scale, scale * _number(math.sqrt(0.5), x.dtype), count)
    else:
        x = x * _number(count, x.dtype)
    turned = _quarter_turns(count, 1.0, x.dtype) * raw.Cast(x, DstT=_complex_dtype(x.dtype))
    return irfft(turned, [2 * count])[..., :count]


def _fourth(x: Tensor, norm: str | None) -> Tensor:
    """Type 4: every other element of the second of the samples and as many zeros."""
    count = length_of(x, -1)
    result = _second(_resized(x, 2 * count), None)[..., 1::2]
    if norm == "ortho":
        result = result * (_number(math.sqrt(0.5), x.dtype) * raw.Rsqrt(_number(count, x.dtype)))
    return result


_KINDS: dict[int, Callable[[Tensor, str | None], Tensor]] = {1: _first, 2: _second, 3: _third, 4: _fourth}

# ------------------------------------------------------------------------------------------------- of overlapping frames


def _mirrored(x: Tensor) -> Tensor:
    return raw.ReverseV2(x, np.array([-1], np.int32))


def _windowed(frames: Tensor, window_fn: Callable[..., Any] | None, length: Any) -> Tensor:
    if window_fn is None:
        return frames * convert_to_tensor(math.sqrt(0.5), dtype=frames.dtype)
    return frames * window_fn(length, dtype=frames.dtype)


def mdct(
    signals: Any, frame_length: Any, window_fn: Callable[..., Any] | None = vorbis_window, pad_end: bool = False,
    norm: str | None = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns the modified discrete cosine transform: of frames that overlap by half, half as many numbers as samples.

    Args:
        signals: A tensor [..., samples] of float32 or float64.
        frame_length: How many samples a frame has, a multiple of 4.
        window_fn: From a length and a `dtype` to the factors for a frame's samples, the squares of which and of those half
            a frame further must add up to 1 for `inverse_mdct` to be exact. `None` for sqrt(1/2) everywhere.
        pad_end: Whether zeros fill up the last frames; see `frame`.
        norm: `"ortho"` or `None`, as for `dct`.
        name: A name for the graph node.

    Returns:
        A tensor [..., frames, frame_length // 2].

    Raises:
        ValueError: The length is not a multiple of 4, or not a scalar.
    """
    tensor, length = convert_to_tensor(signals), size(frame_length, "frame_length")
    if tensor.ndim == 0:
        raise ValueError("signals must have rank 1 or more.")
    if isinstance(length, int) and length % 4:
        raise ValueError("The frame length must be a multiple of 4.")
    frames = _windowed(frame(tensor, length, length // 2, pad_end=pad_end), window_fn, length)
    a, b, c, d = raw.Split(_LAST, frames, num_split=4)
    folded = raw.ConcatV2([-_mirrored(c) - d, a - _mirrored(b)], _LAST)
    return dct(folded, type=4, norm=norm, name=name)


def inverse_mdct(
    mdcts: Any, window_fn: Callable[..., Any] | None = vorbis_window, norm: str | None = None, name: str | None = None
) -> Tensor:
    """Returns the signals of which `mdct`, with the same window and norm, gave the transform.

    Args:
        mdcts: A tensor [..., frames, frame_length // 2] of float32 or float64.
        window_fn: The window; see `mdct`.
        norm: `"ortho"` or `None`, as for `dct`.
        name: A name for the graph node.

    Returns:
        A tensor [..., (frames + 1) * frame_length // 2], of which the first and last half frame lack their overlap.

    Raises:
        ValueError: The rank is less than 2, or the norm unknown.
    """
    tensor = convert_to_tensor(mdcts)
    if tensor.ndim is not None and tensor.ndim < 2:
        raise ValueError(f"mdcts must have rank 2 or more, but the shape is {tensor.shape}.")
    half = length_of(tensor, -1)
    unfolded = dct(tensor, type=4, norm=norm)
    if norm is None:
        unfolded = unfolded * (_number(0.5, tensor.dtype) / _number(half, tensor.dtype))
    first, second = raw.Split(_LAST, unfolded, num_split=2)
    frames = raw.ConcatV2([second, -_mirrored(second), -_mirrored(first), -first], _LAST)
    return overlap_and_add(_windowed(frames, window_fn, 2 * half), half, name=name)
