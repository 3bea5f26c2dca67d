"""The mel scale (`tf.signal`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.signal.cosine import dct
from modtf.core.api.signal.sizes import length_of, size
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

__all__ = ["linear_to_mel_weight_matrix", "mfccs_from_log_mel_spectrograms"]


def _mel(hertz: Tensor) -> Tensor:
    """HTK's mel scale."""
    bend, high = (convert_to_tensor(number, dtype=hertz.dtype) for number in (700.0, 1127.0))
    return high * raw.Log(convert_to_tensor(1.0, dtype=hertz.dtype) + hertz / bend)


def linear_to_mel_weight_matrix(
    num_mel_bins: Any = 20, num_spectrogram_bins: Any = 129, sample_rate: Any = 8000, lower_edge_hertz: Any = 125.0,
    upper_edge_hertz: Any = 3800.0, dtype: Any = dtypes.float32, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns the matrix that makes spectra on the mel scale of linear ones: `spectra @ matrix`.

    Its columns are overlapping triangles of height 1, as in the Hidden Markov Model Toolkit (HTK), with
    `mel = 1127 log(1 + hertz / 700)`.

    Args:
        num_mel_bins: How many bands the result has.
        num_spectrogram_bins: How many frequencies the spectra have, from 0 to half the sample rate.
        sample_rate: How many samples a second the signals have.
        lower_edge_hertz: Where the lowest band starts.
        upper_edge_hertz: Where the highest band ends.
        dtype: A floating dtype.
        name: A name for the graph node.

    Returns:
        A tensor [num_spectrogram_bins, num_mel_bins].

    Raises:
        ValueError: A number is not positive, or the edges are not in order below half the sample rate.
    """
    wanted, rate = as_dtype(dtype), convert_to_tensor(sample_rate)
    if num_mel_bins <= 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {num_mel_bins}")
    if lower_edge_hertz < 0.0:
        raise ValueError(f"lower_edge_hertz must be non-negative. Got: {lower_edge_hertz}")
    if lower_edge_hertz >= upper_edge_hertz:
        raise ValueError(f"lower_edge_hertz {lower_edge_hertz:.1f} >= upper_edge_hertz {upper_edge_hertz:.1f}")
    known = constant_value(rate)
    if known is not None and known <= 0.0:
        raise ValueError(f"sample_rate must be positive. Got: {sample_rate}")
    if known is not None and upper_edge_hertz > known / 2:
        raise ValueError(
            "upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). "
            f"Got {upper_edge_hertz} for sample_rate: {sample_rate}"
        )
    if not wanted.is_floating:
        raise ValueError(f"dtype must be a floating point type. Got: {wanted}")

    zero, two = (convert_to_tensor(number, dtype=wanted) for number in (0.0, 2.0))
    bins = convert_to_tensor(size(num_spectrogram_bins, "num_spectrogram_bins"))
    linear = raw.LinSpace(zero, raw.Cast(rate, DstT=wanted) / two, bins)[1:]  # all but the mean of the signal
    frequencies = raw.ExpandDims(_mel(linear), np.int32(1))
    ends = [_mel(convert_to_tensor(edge, dtype=wanted)) for edge in (lower_edge_hertz, upper_edge_hertz)]
    edges = raw.ExpandDims(raw.LinSpace(*ends, np.int32(num_mel_bins + 2)), np.int32(0))
    lower, center, upper = edges[:, :-2], edges[:, 1:-1], edges[:, 2:]
    rising, falling = (frequencies - lower) / (center - lower), (upper - frequencies) / (upper - center)
    weights = raw.Maximum(zero, raw.Minimum(rising, falling))
    return raw.Pad(weights, np.array([[1, 0], [0, 0]], np.int32), name=name)


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms: Any, name: str | None = None) -> Tensor:
    """Returns mel-frequency cepstral coefficients: cosine transforms of the logarithms of mel spectra, scaled as HTK does.

    Args:
        log_mel_spectrograms: A tensor [..., num_mel_bins] of float32 or float64.
        name: A name for the graph node.

    Returns:
        A tensor of the same shape, of which usually the first dozen of coefficients are of interest.

    Raises:
        ValueError: There are no bins.
    """
    tensor = convert_to_tensor(log_mel_spectrograms)
    bins = length_of(tensor, -1)
    if isinstance(bins, int) and bins == 0:
        raise ValueError(f"num_mel_bins must be positive. Got: {tensor}")
    scale = raw.Rsqrt(raw.Cast(convert_to_tensor(bins), DstT=tensor.dtype) * convert_to_tensor(2.0, dtype=tensor.dtype))
    return raw.Mul(dct(tensor, type=2), scale, name=name)
