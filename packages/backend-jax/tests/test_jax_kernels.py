"""The backend's own kernels, against core's on NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf
from modtf.backend_jax.kernels import KERNELS
from modtf.core.contracts import get_op

raw = tf.raw_ops
_rng = np.random.default_rng(3)


def normal(*shape, dtype=np.float32):
    return _rng.standard_normal(shape).astype(dtype)


def test_each_is_an_op_that_core_has():
    for name in KERNELS:
        assert get_op(name).name == name


_FORMS = [
    # input (NHWC), filter, strides, dilations, padding, explicit
    ((2, 9, 8, 3), (3, 3, 3, 4), 1, 1, "SAME", ()),
    ((2, 40, 41, 3), (3, 2, 3, 4), 2, 1, "SAME", ()),
    ((1, 70, 70, 2), (4, 5, 2, 3), 3, 1, "VALID", ()),
    ((2, 40, 40, 3), (3, 3, 3, 2), 1, 2, "SAME", ()),
    ((1, 40, 40, 2), (3, 3, 2, 2), 2, 1, "EXPLICIT", (1, 0, 2, 3)),
    ((2, 30, 30, 4), (1, 1, 4, 6), 2, 1, "SAME", ()),
    ((2, 40, 40, 4), (3, 3, 2, 6), 1, 1, "SAME", ()),
    ((8, 150, 150, 2), (5, 5, 2, 1), 1, 1, "SAME", ()),
]


@pytest.mark.parametrize(
    ("form", "data_format"), [*((form, "NHWC") for form in _FORMS), *((form, "NCHW") for form in _FORMS[1:5:3])]
)
def test_convolutions_and_their_gradients(same_as_numpy, form, data_format):
    dims, filter_dims, stride, dilation, padding, explicit = form
    order = [0, 1, 2, 3] if data_format == "NHWC" else [0, 3, 1, 2]
    around = [(0, 0), explicit[:2], explicit[2:], (0, 0)] if explicit else []
    attrs = {
        "strides": [(1, stride, stride, 1)[axis] for axis in order],
        "dilations": [(1, dilation, dilation, 1)[axis] for axis in order],
        "padding": padding,
        "explicit_paddings": [side for axis in order for side in around[axis]] if around else [],
        "data_format": data_format,
    }
    x, filters = normal(*dims).transpose(order), normal(*filter_dims)

    def compute():
        inputs = [tf.constant(x), tf.constant(filters)]

        @tf.function
        def f(x, filters):
            with tf.GradientTape() as tape:
                tape.watch([x, filters])
                y = raw.Conv2D(x, filters, **attrs)
                total = raw.Sum(y * y, [0, 1, 2, 3])
            return y, tape.gradient(total, [x, filters])

        return f(*inputs), raw.Conv2D(*inputs, **attrs)

    same_as_numpy(compute, rtol=2e-4, atol=2e-2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_convolution_keeps_the_dtype(dtype):
    x = raw.Cast(tf.constant(normal(2, 30, 30, 3)), DstT=dtype)
    filters = raw.Cast(tf.constant(normal(3, 3, 3, 2)), DstT=dtype)
    y = raw.Conv2D(x, filters, strides=[1, 1, 1, 1], padding="SAME")
    wide = [raw.Cast(item, DstT=tf.float64) for item in (x, filters)]
    with tf.backend("numpy"):
        exact = raw.Conv2D(*wide, strides=[1, 1, 1, 1], padding="SAME").numpy()
    assert y.dtype == tf.as_dtype(dtype)
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(np.asarray(raw.Cast(y, DstT=tf.float64)), exact, tolerance, tolerance)


@pytest.mark.parametrize("name", ["Erf", "Erfc", "Lgamma", "Digamma", "Sigmoid"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_functions(same_as_numpy, name, dtype):
    x = np.linspace(-3.9, 6, 200).astype(dtype)
    rtol = 1e-5 if dtype is np.float32 else 1e-11
    same_as_numpy(lambda: getattr(raw, name)(tf.constant(x)), rtol=rtol, atol=rtol)


def test_erfinv(same_as_numpy):
    x = np.concatenate([np.linspace(-0.99, 0.99, 50), [-1, 1]]).astype(np.float32)
    same_as_numpy(lambda: raw.Erfinv(tf.constant(x)), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_top_k(same_as_numpy, dtype):
    x = _rng.integers(-4, 4, (3, 2, 9)).astype(dtype)  # with many equals, of which the first come first
    for k in (0, 1, 4, 9):
        same_as_numpy(lambda k=k: list(raw.TopKV2(tf.constant(x), k, index_type=tf.int64)))


def test_top_k_of_too_many_is_explained():
    with pytest.raises(tf.errors.InvalidArgumentError, match="TopKV2"):
        raw.TopKV2(tf.constant([1.0, 2.0]), 3)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_complex_numbers_have_infinite_parts(backend):
    with tf.backend(backend):
        made = np.asarray(tf.complex([1.0, np.inf], np.inf))
    assert made.real.tolist() == [1, np.inf] and made.imag.tolist() == [np.inf, np.inf]
