"""Classes and functions of one's own in configurations: registered, in a scope, or handed over."""

import pytest

from modtf import core as tf
from modtf import layers
from modtf.layers import saving
from modtf.layers.serialization import serialize


@pytest.fixture(autouse=True)
def _registry_as_it_was():
    objects, names = dict(saving._objects), dict(saving._names)
    yield
    saving._objects.clear()
    saving._objects.update(objects)
    saving._names.clear()
    saving._names.update(names)


def scaled():
    class Scaled(layers.Layer):
        def __init__(self, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor

    return Scaled


def test_a_registered_class_is_known_by_its_name():
    registered = saving.register_keras_serializable("mine")(scaled())
    assert saving.get_registered_name(registered) == "mine>Scaled"
    assert saving.get_registered_object("mine>Scaled") is registered
    assert saving.get_custom_objects()["mine>Scaled"] is registered
    config = serialize(registered(3.0))
    assert (config["class_name"], config["registered_name"]) == ("Scaled", "mine>Scaled")
    made = layers.models.deserialize(config)
    assert type(made) is registered
    assert made.factor == 3.0


def test_a_model_of_registered_layers_is_cloned():
    model = layers.Sequential([saving.register_keras_serializable()(scaled())(3.0)])
    clone = layers.models.clone_model(model)
    assert float(clone(tf.constant([[2.0]]))[0, 0]) == 6.0


def test_the_package_is_custom_and_the_name_can_be_chosen():
    assert saving.get_registered_name(saving.register_keras_serializable()(scaled())) == "Custom>Scaled"
    assert saving.get_registered_name(saving.register_keras_serializable("p", "Other")(scaled())) == "p>Other"


def test_a_registered_function_is_found_by_its_name():
    @saving.register_keras_serializable("mine")
    def shifted(x):
        return x + 1.0

    dense = layers.Dense(1, activation=shifted)
    config = dense.get_config()
    assert config["activation"] == "mine>shifted"
    assert layers.Dense.from_config(config).activation is shifted


def test_objects_in_a_scope_are_known_there_alone():
    cls = scaled()
    config = serialize(cls(3.0))
    with saving.CustomObjectScope({"Scaled": cls}):
        assert type(layers.models.deserialize(config)) is cls
        with saving.custom_object_scope({}):
            assert saving.get_registered_object("Scaled") is None
        assert saving.get_registered_object("Scaled") is cls
    assert saving.get_registered_object("Scaled") is None
    with pytest.raises(ValueError, match="Scaled"):
        layers.models.deserialize(config)
    assert type(layers.models.deserialize(config, {"Scaled": cls})) is cls


def test_a_class_without_a_configuration_cannot_be_registered():
    with pytest.raises(ValueError, match=r"Plain.*does not have a get_config\(\) method"):
        saving.register_keras_serializable()(type("Plain", (), {}))


def test_unregistered_names():
    def plain():
        pass

    assert saving.get_registered_name(plain) == "plain"
    assert saving.get_registered_object("Custom>Nothing") is None
    assert saving.get_registered_object("a", {"a": 1}, {"a": 2}) == 1
    assert saving.get_registered_object("a", None, {"a": 2}) == 2


def test_losses_by_their_short_names():
    assert layers.losses.MSE is layers.losses.mse is layers.losses.mean_squared_error
    assert layers.losses.logcosh is layers.losses.log_cosh
    assert layers.metrics.KLD is layers.losses.kl_divergence
