"""Signal processing: transforms against NumPy's, values that TensorFlow gives, inverses, gradients, unknown sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core import errors

_X = np.array([1.0, -1, 2, 0.5, 0, 3, -2, 1])


def close(given: Any, expected: Any, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(np.asarray(given), np.asarray(expected), tolerance, tolerance)


def values(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).normal(size=shape)


# ------------------------------------------------------------------------------------------------- Fourier

_LENGTHS: list[tuple[list[int] | None, list[int] | None]] = [
    (None, None), ([6, 4, 5], None), (None, [0]), (None, [1, 2]), ([3], [1]), ([7, 3], [0, 2]), ([4, 8], [-1, 0]), ([9], [-2]),
]  # fmt: skip


@pytest.mark.parametrize("name", ["fftnd", "ifftnd", "rfftnd", "irfftnd"])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize(("lengths", "axes"), _LENGTHS, ids=str)
def test_transforms_over_any_axes(name: str, norm: str | None, lengths: Any, axes: Any) -> None:
    x = values(4, 6, 5) if name == "rfftnd" else values(4, 6, 5) + 1j * values(4, 6, 5)[::-1]
    taken = axes
    if lengths is not None and axes is None:
        taken = [0, 1, 2]
    expected = getattr(np.fft, name[:-1])(x, s=lengths, axes=taken, norm=norm)
    close(getattr(tf.signal, name)(tf.constant(x), lengths, axes, norm), expected)
    single = getattr(tf.signal, name)(x.astype(np.complex64 if np.iscomplexobj(x) else np.float32), lengths, axes, norm)
    assert single.dtype == (tf.float32 if name == "irfftnd" else tf.complex64)


@pytest.mark.parametrize("name", ["rfft", "rfft2d", "rfft3d", "irfft", "irfft2d", "irfft3d"])
@pytest.mark.parametrize("longer", [-1, 0, 3])
def test_lengths_of_real_transforms(name: str, longer: int) -> None:
    rank = int(name[-2]) if name.endswith("d") else 1
    x = values(4, 6, 5) if name.startswith("r") else values(4, 6, 5) + 1j * values(4, 6, 5)[::-1]
    lengths = [size + longer for size in (4, 6, 5)[-rank:]]
    function = getattr(np.fft, name.rstrip("23d") + "n")
    expected = function(x, s=lengths, axes=range(-rank, 0))
    close(getattr(tf.signal, name)(tf.constant(x), lengths), expected)
    traced = tf.function(
        lambda x, n: getattr(tf.signal, name)(x, n),
        input_signature=[tf.TensorSpec(None, x.dtype), tf.TensorSpec([None], tf.int32)],
    )
    close(traced(x, np.array(lengths, np.int32)), expected)


def _slope(function: Callable[[Any], Any], x: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Two directional derivatives of the weighted sum of a function's result: by the gradient, and by differences."""

    def total(x: np.ndarray) -> Any:
        source = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(source)
            result = function(source)
            parts = [tf.math.real(result), tf.math.imag(result)] if result.dtype.is_complex else [result]
            weights = [np.cos(np.arange(np.prod(part.shape)) + i).reshape(part.shape) for i, part in enumerate(parts)]
            value = tf.add_n([tf.reduce_sum(part * part * weight) for part, weight in zip(parts, weights, strict=True)])
        return float(value), tape.gradient(value, source).numpy()

    direction = values(*x.shape) * (1 + 0.5j if np.iscomplexobj(x) else 1)
    gradient = total(x)[1]
    by_differences = (total(x + 1e-5 * direction)[0] - total(x - 1e-5 * direction)[0]) / 2e-5
    return gradient, float(np.sum(np.real(np.conj(gradient) * direction))), by_differences


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tf.signal.rfft(x),
        lambda x: tf.signal.rfft(x, [7]),
        lambda x: tf.signal.rfft(x, [3]),
        lambda x: tf.signal.rfft2d(x, [3, 4]),
        lambda x: tf.signal.rfft3d(x),
        lambda x: tf.signal.rfftnd(x, [3, 6], [2, 0]),
        lambda x: tf.signal.irfft(tf.signal.rfft(x) ** 2, [5]),
        lambda x: tf.signal.irfft3d(tf.signal.rfft3d(x) ** 2, [4, 3, 4]),
        lambda x: tf.signal.irfftnd(tf.signal.rfftnd(x, axes=[1, 0]) ** 2, [3, 3], [1, 0]),
        lambda x: tf.signal.fftnd(tf.cast(x, tf.complex128), [2, 5], [1, 0], "ortho"),
        lambda x: tf.signal.ifftnd(tf.cast(x, tf.complex128), axes=[1]),
    ],
)  # fmt: skip
def test_gradients_of_transforms(function: Callable[[Any], Any]) -> None:
    gradient, by_gradient, by_differences = _slope(function, values(2, 3, 4))
    assert gradient.shape == (2, 3, 4)
    close(by_gradient, by_differences, 1e-6)


def test_mistakes_of_transforms() -> None:
    with pytest.raises(ValueError, match="RFFT requires"):
        tf.signal.rfft(tf.constant([1, 2]))
    with pytest.raises(ValueError, match="IRFFT requires"):
        tf.signal.irfft(tf.constant([1.0, 2.0]))
    with pytest.raises(ValueError, match="norm"):
        tf.signal.fftnd(np.ones(4, np.complex64), norm="half")
    with pytest.raises(errors.InvalidArgumentError, match="different axes"):
        tf.raw_ops.FFTND(input=np.ones((2, 2), np.complex64), fft_length=[2, 2], axes=[0, 0])
    with pytest.raises(errors.InvalidArgumentError, match="at least 8"):
        tf.raw_ops.RFFT(input=np.ones(4, np.float32), fft_length=[8])
    with pytest.raises(errors.InvalidArgumentError, match="Wrong types"):
        tf.raw_ops.RFFT(input=tf.constant(np.ones(4)), fft_length=[4])


@pytest.mark.parametrize("axes", [None, 0, -1, [0], [0, -1]])
def test_shifts(axes: Any) -> None:
    x = values(5, 4)
    close(tf.signal.fftshift(x, axes), np.fft.fftshift(x, axes))
    close(tf.signal.ifftshift(x, axes), np.fft.ifftshift(x, axes))


# ------------------------------------------------------------------------------------------------- frames


@pytest.mark.parametrize(("length", "step"), [(4, 2), (3, 3), (5, 2), (2, 5), (1, 1), (6, 4), (20, 3)])
@pytest.mark.parametrize("pad_end", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_frames(length: int, step: int, pad_end: bool, axis: int) -> None:
    x = values(11, 13)
    given = tf.signal.frame(x, length, step, pad_end, 7, axis).numpy()
    samples = np.moveaxis(x, axis, 0)
    count = -(-len(samples) // step) if pad_end else max(0, 1 + (len(samples) - length) // step)
    longer = np.concatenate([samples, np.full((length + step, samples.shape[1]), 7.0)])
    expected = (
        np.stack([longer[i * step : i * step + length] for i in range(count)])
        if count
        else np.zeros((0, length, samples.shape[1]))
    )
    close(given, np.moveaxis(expected, 2, 0) if axis in (1, -1) else expected)
    traced = tf.function(
        lambda x, length: tf.signal.frame(x, length, step, pad_end, 7, axis),
        input_signature=[tf.TensorSpec([None, None], tf.float64), tf.TensorSpec([], tf.int32)],
    )
    close(traced(x, np.int32(length)), given)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("shape", [(3, 4), (2, 1, 3), (0, 3, 4), (2, 2, 3, 5)], ids=str)
def test_overlapping_sums(step: int, shape: tuple[int, ...]) -> None:
    x = values(*shape)
    frames, length = shape[-2:]
    expected = np.zeros((*shape[:-2], length + step * (frames - 1)))
    for index in range(frames):
        expected[..., index * step : index * step + length] += x[..., index, :]
    close(tf.signal.overlap_and_add(x, step), expected)
    traced = tf.function(
        tf.signal.overlap_and_add, input_signature=[tf.TensorSpec(None, tf.float64), tf.TensorSpec([], tf.int32)]
    )
    close(traced(x, np.int32(step)), expected)


def test_known_lengths_give_known_shapes() -> None:
    spec = tf.TensorSpec([None, 100], tf.float32)
    traced = tf.function(lambda x: tf.signal.stft(x, 16, 8), input_signature=[spec]).get_concrete_function()
    assert traced.outputs[0].shape.as_list() == [None, 11, 9]


# ------------------------------------------------------------------------------------------------- spectra


def test_short_time_spectra() -> None:
    expected = [[1.75, -2 + 0.75j, 2.25], [1.75, 1.25j, -1.75], [0, 2 - 1j, -4]]  # TensorFlow's
    close(tf.signal.stft(_X, 4, 2), expected)


@pytest.mark.parametrize(("length", "step", "points"), [(8, 4, None), (8, 3, 16), (7, 2, None), (6, 6, 8)])
@pytest.mark.parametrize("sizes", ["known", "unknown"])
def test_spectra_and_back(length: int, step: int, points: int | None, sizes: str) -> None:
    x = values(2, 60)

    def there_and_back(x: Any) -> Any:
        window = tf.signal.hamming_window
        spectra = tf.signal.stft(x, length, step, points, window)
        return tf.signal.inverse_stft(spectra, length, step, points, tf.signal.inverse_stft_window_fn(step, window))

    if sizes == "unknown":
        there_and_back = tf.function(there_and_back, input_signature=[tf.TensorSpec([None, None], tf.float64)])
    result = there_and_back(x).numpy()
    inner = slice(length, result.shape[1] - length)
    close(result[:, inner], x[:, inner])


def test_windows() -> None:
    expected = {  # TensorFlow's
        "hann_window": [0, 0.25, 0.75, 1, 0.75, 0.25],
        "hamming_window": [0.08, 0.31, 0.77, 1, 0.77, 0.31],
        "vorbis_window": [0.1050293, 0.7071068, 0.9944691, 0.9944691, 0.7071068, 0.1050293],
    }
    for name, window in expected.items():
        close(getattr(tf.signal, name)(6, dtype=tf.float64), window, 1e-7)
        traced = tf.function(getattr(tf.signal, name), input_signature=[tf.TensorSpec([], tf.int32)])
        close(traced(np.int32(6)), window, 1e-6)
    close(tf.signal.hann_window(1), [1.0])
    close(tf.signal.hann_window(5, periodic=False), [0, 0.5, 1, 0.5, 0])
    assert tf.signal.hann_window(4, dtype=tf.float16).dtype == tf.float16
    with pytest.raises(ValueError, match="floating point"):
        tf.signal.hann_window(4, dtype=tf.int32)
    with pytest.raises(ValueError, match="scalar"):
        tf.signal.vorbis_window([4])


def test_kaiser_windows() -> None:
    pytest.importorskip("scipy")
    close(
        tf.signal.kaiser_window(6, dtype=tf.float64),
        [5.28e-5, 0.1017197, 0.7929398, 0.7929398, 0.1017197, 5.28e-5],
        1e-7,
    )
    derived = [0.007131, 0.7071068, 0.9999746, 0.9999746, 0.7071068, 0.007131]
    close(tf.signal.kaiser_bessel_derived_window(6, dtype=tf.float64), derived, 1e-6)
    close(tf.signal.kaiser_window(9, 6.0, tf.float64), np.kaiser(9, 6.0), 1e-6)


# ------------------------------------------------------------------------------------------------- cosines, mel


def _cosine_transform(x: np.ndarray, type: int) -> np.ndarray:
    """By the definitions."""
    count = len(x)
    n, k = np.arange(count), np.arange(count)[:, None]
    if type == 1:
        ends = x[0] + (-1.0) ** np.arange(count) * x[-1]
        return ends + 2 * (x[1:-1] * np.cos(np.pi * n[1:-1] * k / (count - 1))).sum(1)
    if type == 2:
        return 2 * (x * np.cos(np.pi * (2 * n + 1) * k / (2 * count))).sum(1)
    if type == 3:
        return x[0] + 2 * (x[1:] * np.cos(np.pi * n[1:] * (2 * k + 1) / (2 * count))).sum(1)
    return 2 * (x * np.cos(np.pi * (2 * n + 1) * (2 * k + 1) / (4 * count))).sum(1)


@pytest.mark.parametrize("type", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [None, 3, 12])
def test_cosine_transforms(type: int, n: int | None) -> None:
    x = np.pad(_X, (0, 4))[: n or len(_X)]
    close(tf.signal.dct(_X, type, n), _cosine_transform(x, type))
    traced = tf.function(lambda x: tf.signal.dct(x, type, n), input_signature=[tf.TensorSpec([None], tf.float64)])
    close(traced(_X), _cosine_transform(x, type))
    back = tf.signal.idct(tf.signal.dct(x, type), type).numpy()
    close(back / (2 * (len(x) - 1) if type == 1 else 2 * len(x)), x)
    if type > 1:
        orthonormal = tf.signal.dct(np.eye(5), type, norm="ortho").numpy()
        close(orthonormal @ orthonormal.T, np.eye(5))
    _, by_gradient, by_differences = _slope(lambda x: tf.signal.dct(x, type, n), _X)
    close(by_gradient, by_differences, 1e-6)


def test_mistakes_of_cosine_transforms() -> None:
    with pytest.raises(ValueError, match="Types I, II, III and IV"):
        tf.signal.dct(_X, 5)
    with pytest.raises(NotImplementedError, match="axis must be -1"):
        tf.signal.dct(_X, axis=0)
    with pytest.raises(ValueError, match="Type-I"):
        tf.signal.dct(_X, 1, norm="ortho")
    with pytest.raises(ValueError, match="greater than one"):
        tf.signal.dct(_X[:1], 1)
    with pytest.raises(ValueError, match="Unknown normalization"):
        tf.signal.idct(_X, norm="other")
    with pytest.raises(ValueError, match="multiple of 4"):
        tf.signal.mdct(_X, 6)


@pytest.mark.parametrize("norm", [None, "ortho"])
@pytest.mark.parametrize("window", [tf.signal.vorbis_window, None])
def test_modified_cosine_transforms_and_back(norm: str | None, window: Any) -> None:
    x = values(3, 48)
    transformed = tf.signal.mdct(x, 8, window, norm=norm)
    assert transformed.shape == (3, 11, 4)
    back = tf.signal.inverse_mdct(transformed, window, norm).numpy()
    close(back[:, 4:44], x[:, 4:44])


def test_modified_cosine_transform() -> None:
    expected = [
        [-2.889107728, -3.7980686247],
        [-1.2875200869, -0.4666324018],
        [0.9412382335, 6.7131511474],
    ]  # TensorFlow's
    close(tf.signal.mdct(_X, 4), expected)


def test_mel_scale() -> None:
    expected = [  # TensorFlow's
        [0, 0, 0], [0.35816296, 0.64183704, 0], [0, 0.24173955, 0.75826045], [0, 0, 0.46211802], [0, 0, 0], [0, 0, 0],
    ]  # fmt: skip
    close(tf.signal.linear_to_mel_weight_matrix(3, 6, 8000, 100.0, 3000.0, tf.float64), expected, 1e-7)
    close(tf.signal.mfccs_from_log_mel_spectrograms(_X[:4]), [1.767766953, -0.485153409, 0.25, 2.0951434724])
    for arguments, says in (
        ({"num_mel_bins": 0}, "num_mel_bins"), ({"upper_edge_hertz": 5000.0}, "Nyquist"), ({"sample_rate": 0}, "sample_rate"),
        ({"lower_edge_hertz": 4000.0}, "4000.0 >= upper_edge_hertz 3800.0"), ({"dtype": tf.int32}, "floating"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            tf.signal.linear_to_mel_weight_matrix(**arguments)
