"""Layers against Keras: outputs, gradients and updated weights."""

from __future__ import annotations

import golden_cases as cases
import numpy as np
import pytest

from modtf import core as tf
from modtf import layers as keras


@pytest.mark.parametrize("name", cases.LAYERS)
def test_outputs_and_gradients(name, backend, goldens):
    make, shape, training = cases.LAYERS[name]
    golden = goldens["layers"]
    layer = make(keras)
    x = tf.constant(cases.values(f"{name}/inputs", shape))
    layer.build(shape)
    cases.set_weights(layer, name)

    def compute(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, training=training)
            target = tf.reduce_sum(outputs * cases.values(f"{name}/cotangent", tuple(outputs.shape)))
        return outputs, tape.gradient(target, [x, *layer.trainable_weights])

    # Eagerly where that is quick; where each op would have to be compiled, in one function.
    outputs, gradients = compute(x) if backend == "numpy" else tf.function(compute)(x)

    np.testing.assert_allclose(outputs, golden[f"{name}/outputs"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradients[0], golden[f"{name}/gradient"], rtol=1e-4, atol=2e-5)
    assert len(gradients) - 1 == sum(key.startswith(f"{name}/gradient/") for key in golden)
    for index, gradient in enumerate(gradients[1:]):
        np.testing.assert_allclose(gradient, golden[f"{name}/gradient/{index}"], rtol=1e-4, atol=2e-5)
    assert len(layer.weights) == sum(key.startswith(f"{name}/weight/") for key in golden)
    for index, weight in enumerate(layer.weights):
        np.testing.assert_allclose(weight, golden[f"{name}/weight/{index}"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", cases.LAYERS)
def test_a_traced_call_with_an_open_batch_gives_the_same(name, backend, goldens):
    make, shape, training = cases.LAYERS[name]
    layer = make(keras)
    layer.build(shape)
    cases.set_weights(layer, name)
    traced = tf.function(
        lambda x: layer(x, training=training), input_signature=[tf.TensorSpec((None, *shape[1:]), tf.float32)]
    )
    outputs = traced(cases.values(f"{name}/inputs", shape))
    np.testing.assert_allclose(outputs, goldens["layers"][f"{name}/outputs"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", cases.LAYERS)
def test_shapes_are_known_beforehand_and_configurations_make_equal_layers(name, goldens):
    make, shape, _ = cases.LAYERS[name]
    layer = make(keras)
    expected = goldens["layers"][f"{name}/outputs"].shape
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *expected[1:])

    copy = type(layer).from_config(layer.get_config())
    if not copy.built:
        copy.build(shape)
    assert copy.get_config() == layer.get_config()
    copy.set_weights(layer.get_weights())
    x = cases.values(f"{name}/inputs", shape)
    np.testing.assert_array_equal(copy(x), layer(x))


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_activations(name, backend, goldens):
    outputs = keras.activations.get(name)(cases.values("activations", (4, 6)))
    np.testing.assert_allclose(outputs, goldens["layers"][f"activations/{name}"], rtol=1e-5, atol=1e-6)
