"""Gradients of the user's own, Jacobians and forward mode."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf

BOTH = pytest.mark.parametrize("wrap", [lambda f: f, tf.function(autograph=False)], ids=["eager", "function"])


@BOTH
def test_custom_gradient_is_used_and_can_be_differentiated(wrap):
    @tf.custom_gradient
    def cube(x):
        return x**3.0, lambda dy: dy * x * 10.0  # on purpose not the true one

    function = wrap(lambda x: cube(x) * 5.0)
    x = tf.constant([2.0, 3.0])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        first = tape.gradient(y, x)
    np.testing.assert_allclose(y, [40, 135])
    np.testing.assert_allclose(first, [100, 150])
    np.testing.assert_allclose(outer.gradient(first, x), [50, 50])


@BOTH
def test_custom_gradient_with_variables(wrap):
    v = tf.Variable(3.0)

    @tf.custom_gradient
    def scaled(x):
        def grad(dy, variables):
            assert [item.ref() for item in variables] == [v.ref()]
            return dy * 7.0, [tf.reduce_sum(dy) * 11.0]

        return x * v, grad

    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = wrap(lambda x: scaled(x))(x)
    dx, dv = tape.gradient(y, [x, v])
    np.testing.assert_allclose(dx, [7, 7])
    assert float(dv) == 22.0

    @tf.custom_gradient
    def forgetful(x):
        return x * v, lambda dy: dy

    with pytest.raises(TypeError, match="variables"):
        forgetful(x)


@BOTH
def test_recompute_grad_gives_the_same_gradients(wrap):
    v, calls = tf.Variable(3.0), []

    def layer(x):
        calls.append(1)
        return tf.sin(x) * v

    x = tf.constant(0.5)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = wrap(lambda x: tf.recompute_grad(layer)(x))(x)
    found = tape.gradient(y, [x, v])
    np.testing.assert_allclose(found, [3 * np.cos(0.5), np.sin(0.5)], rtol=1e-6)
    assert len(calls) >= 2


@BOTH
def test_jacobians(wrap):
    v = tf.Variable(3.0)
    x = tf.constant([2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = wrap(lambda x: x * tf.reduce_sum(x) * v)(x)
    dx, dv = tape.jacobian(y, [x, v])
    np.testing.assert_allclose(dx, [[21, 6], [9, 24]])
    np.testing.assert_allclose(dv, [10, 15])
    with pytest.raises(RuntimeError, match="non-persistent"):
        tape.jacobian(y, x)

    z = tf.constant(np.arange(6.0, dtype=np.float32).reshape(3, 2))
    with tf.GradientTape() as tape:
        tape.watch(z)
        y = wrap(lambda z: z * tf.reduce_sum(z, 1, keepdims=True))(z)
    np.testing.assert_allclose(
        tape.batch_jacobian(y, z), [[[1, 0], [1, 2]], [[7, 2], [3, 8]], [[13, 4], [5, 14]]]
    )  # fmt: skip


@BOTH
def test_forward_mode(wrap):
    v = tf.Variable(2.0)
    x = tf.constant([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator((x, v), (tf.constant([1.0, 0.0]), tf.constant(0.0))) as acc:
        y = wrap(lambda x: tf.sin(x) * tf.reduce_prod(x) * v)(x)
    np.testing.assert_allclose(acc.jvp(y), [4 * (np.cos(1) + np.sin(1)), 4 * np.sin(2)], rtol=1e-6)
    assert acc.jvp(tf.constant(1.0)) is None
    assert float(acc.jvp(tf.constant(1.0), unconnected_gradients="zero")) == 0.0


def test_forward_over_reverse_is_a_hessian_vector_product():
    x = tf.constant([1.0, 2.0])
    with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x[0] ** 2.0 * x[1] ** 3.0
        gradient = tape.gradient(y, x)
    np.testing.assert_allclose(acc.jvp(gradient), [16, 24])


def test_forward_over_forward():
    x = tf.constant(2.0)
    with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as outer:
        with tf.autodiff.ForwardAccumulator(x, tf.constant(1.0)) as inner:
            y = x**3.0
        first = inner.jvp(y)
    assert (float(first), float(outer.jvp(first))) == (12.0, 12.0)
