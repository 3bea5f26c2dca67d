"""Short-time spectra (`tf.signal`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api.signal.fourier import irfft, rfft
from modtf.core.api.signal.framing import frame, overlap_and_add
from modtf.core.api.signal.sizes import length_of, maximum, size, vector
from modtf.core.api.signal.windows import hann_window
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["inverse_stft", "inverse_stft_window_fn", "stft"]


def _with_rank(value: Any, least: int, what: str) -> Tensor:
    tensor = convert_to_tensor(value)
    if tensor.ndim is not None and tensor.ndim < least:
        raise ValueError(f"{what} must have rank {least} or more, but the shape is {tensor.shape}.")
    return tensor


def _power_of_two(length: Any) -> Any:
    """The smallest power of two that is not less."""
    if isinstance(length, int):
        return 1 << max(length - 1, 0).bit_length()
    exponent = raw.Ceil(raw.Log(raw.Cast(length, DstT=dtypes.float64)) / np.log(2.0))
    return raw.Cast(raw.Pow(convert_to_tensor(2.0, dtype=dtypes.float64), exponent), DstT=dtypes.int32)


def stft(
    signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window, pad_end: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns the short-time Fourier transform: the spectra of frames of signals.

    Args:
        signals: A tensor [..., samples] of float32 or float64.
        frame_length: How many samples a frame has.
        frame_step: How many samples further the next one starts.
        fft_length: The length of the transforms; by default the smallest power of two that holds a frame.
        window_fn: From a length and a `dtype` to the factors for a frame's samples; `None` for none.
        pad_end: Whether zeros fill up the last frames; see `frame`.
        name: A name for the graph node.

    Returns:
        A complex tensor [..., frames, fft_length // 2 + 1].

    Raises:
        ValueError: A rank is too low, or a length is not a scalar.
    """
    tensor = _with_rank(signals, 1, "signals")
    length, step = size(frame_length, "frame_length"), size(frame_step, "frame_step")
    points = _power_of_two(length) if fft_length is None else size(fft_length, "fft_length")
    frames = frame(tensor, length, step, pad_end=pad_end)
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return rfft(frames, [points], name=name)


def inverse_stft_window_fn(
    frame_step: Any, forward_window_fn: Callable[..., Any] = hann_window, name: str | None = None
) -> Callable[..., Tensor]:
    """Returns the window with which `inverse_stft` undoes `stft`.

    It is D. Griffin and J. Lim's ("Signal estimation from modified short-time Fourier transform", 1984, equation 7): the
    forward window divided by the sum of the squares of all that overlap with it.

    Args:
        frame_step: How many samples further each frame starts.
        forward_window_fn: The window of `stft`.
        name: A name for the graph node.

    Returns:
        A function of a frame's length and a `dtype` to a tensor [frame_length].
    """

    def window_fn(frame_length: Any, dtype: Any) -> Tensor:
        step, length = size(frame_step, "frame_step"), size(frame_length, "frame_length")
        forward = forward_window_fn(length, dtype=dtype)
        overlaps = -(-length // step)
        ends = convert_to_tensor(vector(overlaps * step - length))
        squares = raw.Pad(raw.Square(forward), raw.Pack([raw.ZerosLike(ends), ends], axis=1))
        sums = raw.Sum(raw.Reshape(squares, vector(overlaps, step)), np.array([0], np.int32), keep_dims=True)
        repeated = raw.Reshape(raw.Tile(sums, vector(overlaps, 1)), vector(overlaps * step))[:length]
        return raw.DivNoNan(forward, repeated, name=name)

    return window_fn


def inverse_stft(
    stfts: Any, frame_length: Any, frame_step: Any, fft_length: Any = None,
    window_fn: Callable[..., Any] | None = hann_window, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns the signals of which `stft` gave the spectra.

    It is the exact inverse, but for the ends, if `window_fn` is what `inverse_stft_window_fn` returns.

    Args:
        stfts: A complex tensor [..., frames, fft_length // 2 + 1].
        frame_length: How many samples a frame has.
        frame_step: How many samples further the next one starts.
        fft_length: The length of the transforms; by default the smallest power of two that holds a frame.
        window_fn: From a length and a `dtype` to the factors for a frame's samples; `None` for none.
        name: A name for the graph node.

    Returns:
        A tensor [..., (frames - 1) * frame_step + frame_length] of float32 or float64.

    Raises:
        ValueError: A rank is too low, or a length is not a scalar.
    """
    tensor = _with_rank(stfts, 2, "stfts")
    length, step = size(frame_length, "frame_length"), size(frame_step, "frame_step")
    points = _power_of_two(length) if fft_length is None else size(fft_length, "fft_length")
    frames = irfft(tensor, [points])[..., :length]
    missing = maximum(0, length - length_of(frames, -1))
    if not (isinstance(missing, int) and missing == 0):
        before = raw.Fill(raw.ExpandDims(raw.Rank(frames) - 1, np.int32(0)), np.int32(0))
        ends = raw.ConcatV2([before, vector(missing)], np.int32(0))
        frames = raw.Pad(frames, raw.Pack([raw.ZerosLike(ends), ends], axis=1))
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return overlap_and_add(frames, step, name=name)
