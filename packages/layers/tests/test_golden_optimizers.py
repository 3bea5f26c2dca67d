"""Optimizers against Keras, and what all of them have in common."""

from __future__ import annotations

import golden_cases as cases
import numpy as np
import pytest

from modtf import core as tf
from modtf import layers as keras


def check_twenty_steps(name, compiled, goldens):
    optimizer = cases.OPTIMIZERS[name](keras)
    variables = [tf.Variable(value, name=label) for label, value in zip(cases.PARAMETERS, cases.starting_values())]
    optimizer.build(variables)

    def step(*gradients):
        optimizer.apply_gradients(zip(gradients, variables))

    if compiled:
        step = tf.function(step)
    for number in range(cases.STEPS):
        step(*[tf.constant(gradient) for gradient in cases.gradients(number)])
        for label, variable in zip(cases.PARAMETERS, variables):
            golden = goldens["optimizers"].get(f"{name}/{number}/{label}")
            if golden is not None:
                np.testing.assert_allclose(variable, golden, rtol=1e-5, atol=1e-5)
    assert int(optimizer.iterations) == cases.STEPS


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_twenty_compiled_steps(name, backend, goldens):
    check_twenty_steps(name, True, goldens)


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_twenty_eager_steps(name, goldens):
    check_twenty_steps(name, False, goldens)


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_an_optimizer_is_made_anew_from_its_configuration(name):
    config = keras.optimizers.serialize(cases.OPTIMIZERS[name](keras))
    assert keras.optimizers.serialize(keras.optimizers.deserialize(config)) == config


def test_the_learning_rate_can_be_changed_under_a_compiled_step(backend):
    variable = tf.Variable([1.0])
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build([variable])
    step = tf.function(lambda: optimizer.apply_gradients([(tf.constant([1.0]), variable)]))
    step()
    optimizer.learning_rate = 0.25
    step()
    assert float(variable[0]) == pytest.approx(0.25)
    assert optimizer.get_config()["learning_rate"] == 0.25


def test_constraints_hold_after_a_step(backend):
    layer = keras.layers.Dense(2, kernel_constraint="non_neg", use_bias=False)
    layer.build((None, 2))
    keras.optimizers.SGD(10.0).apply([tf.ones([2, 2])], layer.trainable_variables)
    np.testing.assert_array_equal(layer.kernel, np.zeros((2, 2)))


def test_weights_are_the_averages_at_the_end():
    variable = tf.Variable([0.0])
    optimizer = keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply([tf.constant([-1.0])], [variable])
    optimizer.finalize_variable_values([variable])
    assert float(variable[0]) == 1.5


def test_variables_left_out_of_weight_decay():
    first, second = tf.Variable([1.0], name="kernel"), tf.Variable([1.0], name="bias")
    optimizer = keras.optimizers.SGD(1.0, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([tf.constant([0.0])] * 2, [first, second])
    assert (float(first[0]), float(second[0])) == (pytest.approx(0.9), 1.0)


def test_missing_gradients_are_told():
    variables = [tf.Variable(1.0, name="used"), tf.Variable(1.0, name="unused")]
    with pytest.warns(UserWarning, match="unused"):
        keras.optimizers.SGD().apply([tf.constant(1.0), None], variables)
    with pytest.raises(ValueError, match="does not depend"):
        keras.optimizers.SGD().apply([None, None], variables)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: keras.optimizers.get("adamm"), "adam"),
        (lambda: keras.optimizers.SGD("fast"), "fast"),
        (lambda: keras.optimizers.SGD(momentum=2.0), "momentum"),
        (lambda: keras.optimizers.Adam(clipnorm=1.0, clipvalue=1.0), "clipvalue"),
        (lambda: keras.optimizers.Adam().apply([tf.constant(1.0)]), "build"),
        (lambda: keras.optimizers.schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.1]), "2 values"),
    ],
)
def test_bad_input(call, part):
    with pytest.raises(ValueError, match=part):
        call()


def test_an_optimizer_serves_the_variables_that_it_was_built_for():
    optimizer = keras.optimizers.Adam()
    optimizer.build([tf.Variable(1.0)])
    with pytest.raises(ValueError, match="stranger"):
        optimizer.apply([tf.constant(1.0)], [tf.Variable(1.0, name="stranger")])
