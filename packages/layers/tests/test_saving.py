"""What a layer offers to be saved with: TF Hub's interface of a reusable model."""

import numpy as np
import pytest

from modtf import core as tf
from modtf import layers
from modtf.core.contracts import ReusableSavedModel, SavedRoot, is_trackable

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


@pytest.fixture
def model():
    made = layers.Sequential(
        [layers.Dense(3, kernel_regularizer="l2"), layers.BatchNormalization(), layers.Dropout(0.5)], name="features"
    )
    made(X)
    return made


def test_layers_have_the_interface(model):
    assert isinstance(model, ReusableSavedModel)
    assert isinstance(model, SavedRoot)


def test_both_ways_of_calling_are_traced(model):
    call = model.root_children()["__call__"]
    assert call.experimental_get_tracing_count() == 2
    np.testing.assert_allclose(call(tf.constant(X)), model(X), rtol=1e-6)
    mean = model.layers[1].moving_mean.numpy()
    call(tf.constant(X), training=True)
    assert not np.array_equal(model.layers[1].moving_mean, mean)
    assert call.experimental_get_tracing_count() == 2


def test_any_batch_is_served(model):
    serve = model.root_children()["serve"]
    assert serve.input_signature[0].shape == tf.TensorShape([None, 4])
    assert serve(X[:2]).shape == (2, 3)


def test_the_lists(model):
    children = model.root_children()
    assert [variable.name for variable in children["trainable_variables"]] == [
        v.name for v in model.trainable_variables
    ]
    assert len(children["variables"]) == len(model.variables)
    assert float(children["regularization_losses"][0]()) == pytest.approx(float(model.losses[0]), rel=1e-6)


def test_a_functional_model_needs_no_call():
    inputs = layers.Input((4,))
    model = layers.Model(inputs, layers.Dense(2)(inputs))
    assert model.root_children()["serve"](X).shape == (6, 2)


def test_a_layer_that_was_never_called_says_so():
    with pytest.raises(ValueError, match=r"'dense.*cannot be saved as a model.*Call it once"):
        layers.Dense(3).root_children()


def test_children_are_trackable(model):
    assert all(is_trackable(child) for child in model.trackable_children().values())
    assert "optimizer" not in model.trackable_children()
