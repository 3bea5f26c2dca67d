"""`tf.gradients` and `tf.hessians`: expected values are TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf

_X, _W = np.array([1.0, 2.0], np.float32), np.array([0.5, 0.25], np.float32)


def test_gradients_of_several() -> None:
    @tf.function
    def differentiate(x: Any, w: Any) -> Any:
        y = x * x * w
        return tf.gradients([tf.exp(y), y], [x, w])

    by_x, by_w = differentiate(_X, _W)
    np.testing.assert_allclose(by_x, [2.6487212, 3.7182817], rtol=1e-6)
    np.testing.assert_allclose(by_w, [2.6487212, 14.873127], rtol=1e-6)


def test_arguments() -> None:
    found: dict[str, Any] = {}

    @tf.function
    def trace(x: Any, w: Any) -> Any:
        y = x * x
        z = tf.exp(y)
        found["unconnected"] = tf.gradients(x, w)
        found["none"] = tf.gradients(z, [])
        found["integer"] = tf.gradients(tf.cast(z, tf.int32), x)
        zeros = tf.gradients(x, w, unconnected_gradients="zero")
        stopped = tf.gradients(z, [x, y], stop_gradients=[y])
        found["stopped"] = stopped[0]
        flowing = tf.gradients(y, x, grad_ys=[tf.fill(tf.shape(x), 3.0)])
        with pytest.raises(ValueError, match="Passed 1 grad_ys for 2 ys"):
            tf.gradients([z, y], x, grad_ys=[None])
        with pytest.raises(ValueError, match="Unknown value for unconnected_gradients"):
            tf.gradients(z, x, unconnected_gradients="foo")
        return zeros, stopped[1], flowing

    zeros, stopped, flowing = trace(_X, _W)
    assert found == {"unconnected": [None], "none": [], "integer": [None], "stopped": None}
    assert zeros[0].numpy().tolist() == [0, 0]
    np.testing.assert_allclose(stopped, np.exp([1.0, 4.0]), rtol=1e-6)
    assert flowing[0].numpy().tolist() == [6, 12]


def test_some_of_the_outputs_of_a_node_are_stopped() -> None:
    @tf.function
    def differentiate(x: Any) -> Any:
        first, second = tf.split(x * x, 2)
        return tf.gradients(first * second, [x, first], stop_gradients=[first])

    by_x, by_first = differentiate(np.array([2.0, 3.0], np.float32))
    assert by_x.numpy().tolist() == [0, 24] and by_first.numpy().tolist() == [9]


def test_through_the_graphs_around() -> None:
    @tf.function
    def branches(x: Any) -> Any:
        y = x * x
        return tf.cond(tf.reduce_sum(x) > 0, lambda: tf.gradients(y * x, x)[0], lambda: x)

    np.testing.assert_allclose(branches(_X), [3, 12])

    @tf.function
    def calls(x: Any) -> Any:
        y = x * x
        return tf.gradients(tf.function(lambda z: tf.exp(z) * y)(x), [x, y])

    by_x, by_y = calls(_X)
    np.testing.assert_allclose(by_x, [8.154845, 59.11245], rtol=1e-6)
    np.testing.assert_allclose(by_y, np.exp(_X), rtol=1e-6)


def test_variables() -> None:
    variable = tf.Variable([1.0, 2.0])
    kinds: list[type] = []

    @tf.function
    def differentiate() -> Any:
        y = tf.reduce_sum(variable * variable)
        kinds.append(type(tf.gradients(tf.gather(variable, [0]), variable)[0]))
        return tf.gradients(y, variable)[0], tf.gradients(tf.cond(y > 1, lambda: y * 2, lambda: y), variable)[0]

    first, second = differentiate()
    assert first.numpy().tolist() == [2, 4] and second.numpy().tolist() == [4, 8]
    assert kinds == [tf.IndexedSlices]


def test_hessians() -> None:
    @tf.function
    def differentiate(x: Any, w: Any) -> Any:
        return tf.hessians(tf.reduce_sum(tf.exp(x * x * w)), [x, w])

    by_x, by_w = differentiate(_X, _W)
    np.testing.assert_allclose(by_x, [[3.2974424, 0], [0, 4.0774226]], rtol=1e-6)
    np.testing.assert_allclose(by_w, [[1.6487212, 0], [0, 43.492508]], rtol=1e-6)

    @tf.function
    def of_a_matrix(x: Any) -> Any:
        return tf.hessians(tf.reduce_sum(x**3), x)[0]

    matrix = np.arange(1.0, 5.0, dtype=np.float32).reshape(2, 2)
    np.testing.assert_allclose(of_a_matrix(matrix), np.diag([6.0, 12, 18, 24]).reshape(2, 2, 2, 2), rtol=1e-5)

    @tf.function
    def linear(x: Any) -> Any:
        return tf.hessians(x * 2, x)

    with pytest.raises(ValueError, match="None values not supported"):
        linear(_X)


def test_at_once_they_are_refused() -> None:
    x = tf.constant(_X)
    for function in (tf.gradients, tf.hessians):
        with pytest.raises(RuntimeError, match="Use tf.GradientTape instead"):
            function(x, x)
