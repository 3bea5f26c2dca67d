"""Eager ops: the same values and dtypes as on NumPy, in JAX's arrays."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modtf import core as tf

raw = tf.raw_ops
_X = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)


def test_tensors_are_jax_arrays():
    tensor = raw.Tanh(tf.constant(_X))
    assert isinstance(tensor.array, jax.Array)
    assert tf.config.list_physical_devices()[0].name.endswith(tensor.device.upper())


@pytest.mark.parametrize(
    "dtype", ["float64", "int64", "uint64", "complex128", "float32", "int8", "bool", "bfloat16", "float16"]
)
def test_every_dtype_keeps_its_meaning(dtype):
    tensor = raw.Identity(tf.constant(np.ones(3), tf.float32))
    cast = raw.Cast(tensor, DstT=dtype)
    assert cast.dtype == tf.as_dtype(dtype)
    assert cast.array.dtype == tf.as_dtype(dtype).as_numpy_dtype
    assert cast.numpy().dtype == tf.as_dtype(dtype).as_numpy_dtype


def test_64_bits_hold_what_32_do_not():
    large = tf.constant(2**40, tf.int64)
    assert int(large + large) == 2**41
    fine = tf.constant(1.0, tf.float64) + tf.constant(1e-12, tf.float64)
    assert float(fine) != 1.0
    assert int(raw.Sum(tf.constant([2**31 - 1, 1], tf.int64), [0])) == 2**31


@given(
    st.sampled_from(["float32", "float64", "int32", "int64"]),
    st.lists(st.integers(-100, 100), min_size=1, max_size=6),
    st.sampled_from(["AddV2", "Sub", "Mul", "Maximum", "SquaredDifference", "FloorMod"]),
)
@settings(deadline=None, max_examples=30)
def test_binary_ops_equal_numpy(dtype, values, op):
    array = np.array(values, dtype)
    other = np.array(values[::-1], dtype) * 2 + 1

    def compute():
        return getattr(raw, op)(tf.constant(array), tf.constant(other))

    with tf.backend("jax"):
        ours = compute()
    with tf.backend("numpy"):
        theirs = compute()
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: raw.Reshape(x, [4, 3]),
        lambda x: raw.Sum(x, [1], keep_dims=True),
        lambda x: raw.MatMul(x, x, transpose_b=True),
        lambda x: raw.Transpose(x, [1, 0]),
        lambda x: raw.ConcatV2([x, x], 1),
        lambda x: raw.Shape(x),
        lambda x: raw.Softmax(x),
        lambda x: raw.Erf(x),
        lambda x: raw.Lgamma(raw.Abs(x)),
        lambda x: list(raw.TopKV2(x, 2)),
        lambda x: raw.Where(x > 0.0),
        lambda x: raw.GatherV2(x, [2, 0], 0),
        lambda x: x[1:, ::2],
    ],
)
def test_ops_equal_numpy(same_as_numpy, compute):
    same_as_numpy(lambda: compute(tf.constant(_X)))


def test_products_of_float32_are_exact_to_float32():
    array = np.full((64, 64), 1 + 2**-20, np.float32)
    exact = array.astype(np.float64) @ array.astype(np.float64)
    np.testing.assert_allclose(raw.MatMul(tf.constant(array), tf.constant(array)).numpy(), exact, rtol=1e-6)


def test_an_array_given_to_a_tensor_may_change_afterwards():
    array = np.zeros(1 << 12, np.float32)
    tensor = raw.Identity(tf.constant(array))
    moved = tensor.backend.from_numpy(array)
    array[:] = 1
    assert not tensor.numpy().any()
    assert not np.asarray(moved).any()


def test_strings_stay_on_the_host():
    text = raw.Identity(tf.constant(["a", "b"]))
    assert text.numpy().tolist() == [b"a", b"b"]
    assert text.backend.name == "numpy"


def test_a_mistake_names_the_op_and_the_shapes():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"MatMul.*float32\[3, 4\]"):
        raw.MatMul(tf.constant(_X), tf.constant(_X))


def test_gradients_equal_numpy(same_as_numpy):
    def compute():
        x = tf.constant(_X)
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = raw.Sum(raw.Tanh(x) * x, [0, 1])
            first = inner.gradient(y, x)
        return first, outer.gradient(first, x)

    same_as_numpy(compute)
