"""KerasLayer: models from the hub inside other models."""

import sys

import numpy as np
import pytest

from modtf import core as tf
from modtf import hub, layers

X = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
Y = X @ np.float32([[1.0], [-1.0], [2.0], [0.5]])


@pytest.fixture
def saved(tmp_path):
    """The folder of a saved model with a dense layer, batch normalization, dropout and a penalty."""
    model = layers.Sequential(
        [layers.Dense(3, kernel_regularizer="l2"), layers.BatchNormalization(), layers.Dropout(0.5)], name="features"
    )
    model(X)
    tf.saved_model.save(model, str(tmp_path / "features"))
    return str(tmp_path / "features")


@pytest.fixture
def with_signatures(tmp_path):
    class Two(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def both(self, x):
            return {"double": x * 2.0, "half": x / 2.0}

    module = Two()
    tf.saved_model.save(module, str(tmp_path / "two"), signatures={"both": module.both})
    return str(tmp_path / "two")


def train(layer, epochs=3):
    model = layers.Sequential([layer, layers.Dense(1)])
    model.compile(optimizer=layers.optimizers.SGD(0.05), loss="mse")
    history = model.fit(X, Y, epochs=epochs, verbose=0, shuffle=False)
    return model, history.history["loss"]


def test_it_computes_what_the_model_computes(saved):
    layer = hub.KerasLayer(saved)
    np.testing.assert_allclose(layer(X), hub.load(saved)(tf.constant(X)), rtol=1e-6)


def test_frozen_it_stays_as_it_was(saved):
    layer = hub.KerasLayer(saved)
    before = [variable.numpy() for variable in layer.model.variables]
    model, _ = train(layer)
    assert len(model.trainable_variables) == 2
    for variable, value in zip(layer.model.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_trainable_it_is_trained_with_the_rest(saved):
    layer = hub.KerasLayer(saved, trainable=True)
    before = [variable.numpy() for variable in layer.model.trainable_variables]
    model, losses = train(layer)
    assert len(model.trainable_variables) == 2 + 4
    for variable, value in zip(layer.model.trainable_variables, before, strict=True):
        assert not np.array_equal(variable, value), variable.name
    assert losses[-1] < losses[0]


def test_training_is_passed_on_only_if_trainable(saved):
    frozen, trainable = hub.KerasLayer(saved), hub.KerasLayer(saved, trainable=True)
    np.testing.assert_array_equal(frozen(X, training=True), frozen(X))
    assert not np.array_equal(trainable(X, training=True), trainable(X))


def test_penalties_of_the_model_are_added(saved):
    layer = hub.KerasLayer(saved, trainable=True)
    layer(X)
    assert [float(loss) for loss in layer.losses] == [float(loss()) for loss in layer.model.regularization_losses]
    frozen = hub.KerasLayer(saved)
    frozen(X)
    assert frozen.losses == []


def test_a_model_with_it_is_saved_and_loaded(saved, tmp_path):
    model, _ = train(hub.KerasLayer(saved, trainable=True))
    tf.saved_model.save(model, str(tmp_path / "whole"))
    np.testing.assert_allclose(hub.load(str(tmp_path / "whole"))(tf.constant(X)), model(X), rtol=1e-5)


def test_signatures_and_their_outputs(with_signatures):
    layer = hub.KerasLayer(with_signatures, signature="both", output_key="half")
    np.testing.assert_array_equal(layer(X), X / 2)
    layer = hub.KerasLayer(with_signatures, signature="both", signature_outputs_as_dict=True)
    assert set(layer({"x": X})) == {"double", "half"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"not callable.*signature='both'"),
        ({"signature": "neither", "output_key": "half"}, "no signature 'neither'; it has: both"),
        ({"signature": "both"}, "say which output to return"),
        ({"signature": "both", "output_key": "half", "signature_outputs_as_dict": True}, "not both"),
        ({"signature": "both", "output_key": "half", "trainable": True}, "cannot be trained"),
        ({"signature_outputs_as_dict": True}, "together with a signature"),
    ],
)
def test_contradictions_are_refused(with_signatures, arguments, message):
    with pytest.raises(ValueError, match=message):
        hub.KerasLayer(with_signatures, **arguments)


def test_an_unknown_output_key_names_the_outputs(with_signatures):
    with pytest.raises(ValueError, match="double, half"):
        hub.KerasLayer(with_signatures, signature="both", output_key="third")(X)


def test_any_callable_will_do():
    layer = hub.KerasLayer(lambda x: x * 3.0)
    np.testing.assert_array_equal(layer(X), X * 3)
    with pytest.raises(NotImplementedError, match="made of a handle"):
        layer.get_config()


def test_arguments_are_handed_on():
    layer = hub.KerasLayer(lambda x, factor: x * factor, arguments={"factor": 5.0})
    np.testing.assert_array_equal(layer(X), X * 5)


def test_config(saved):
    layer = hub.KerasLayer(saved, trainable=True, name="reused")
    config = layer.get_config()
    assert config["handle"] == saved
    copied = hub.KerasLayer.from_config(config)
    assert copied.name == "reused"
    assert copied.trainable
    np.testing.assert_array_equal(copied(X), layer(X))


def test_a_declared_output_shape():
    layer = hub.KerasLayer(lambda x: x, output_shape=(4,))
    assert layer(X).shape == (32, 4)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        hub.KerasLayer(lambda x: x, output_shape=(5,))(X)


def test_without_layers_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "modtf.layers", None)
    monkeypatch.delitem(sys.modules, "modtf.hub.keras_layer", raising=False)
    monkeypatch.delattr(sys.modules["modtf"], "layers", raising=False)
    with pytest.raises(AttributeError, match=r"pip install 'modtf-hub\[layers\]'"):
        hub.KerasLayer  # noqa: B018
