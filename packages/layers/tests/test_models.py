"""Sequential, functional and subclassed models."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf
from modtf import layers
from modtf import layers as keras


class Residual(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.first = keras.layers.Dense(units, activation="relu")
        self.dropout = keras.layers.Dropout(0.5)
        self.second = keras.layers.Dense(units)

    def call(self, inputs, training=None):
        return inputs + self.second(self.dropout(self.first(inputs)))


def test_names_are_kerases():
    assert keras.layers.Dense is layers.Dense and keras.models.Sequential is keras.Sequential
    for name in (
        "activations",
        "callbacks",
        "initializers",
        "losses",
        "metrics",
        "optimizers",
        "regularizers",
        "utils",
    ):
        assert hasattr(keras, name)


def test_a_sequential_with_an_input_has_weights_at_once():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    assert model.built and [tuple(w.shape) for w in model.weights] == [(3, 2), (2,), (2, 1), (1,)]
    assert model.input_shape == (None, 3) and model.output_shape == (None, 1)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]


def test_a_sequential_without_an_input_is_built_by_data_or_build():
    by_data = keras.Sequential([keras.layers.Dense(2)])
    assert not by_data.built
    by_data(np.ones((4, 3)))
    assert by_data.built and by_data.count_params() == 8
    by_shape = keras.Sequential([keras.layers.Dense(2, input_shape=(3,)), keras.layers.Dense(1)])
    assert by_shape.built
    explicit = keras.Sequential([keras.layers.Dense(2)])
    explicit.build((None, 3))
    assert explicit.count_params() == 8


def test_layers_are_added_and_taken_away():
    model = keras.Sequential(name="net")
    model.add(keras.Input((3,)))
    model.add(keras.layers.Dense(2))
    model.add(keras.layers.Dense(5))
    assert model(np.ones((1, 3))).shape == (1, 5)
    model.pop()
    assert model(np.ones((1, 3))).shape == (1, 2) and model.output_shape == (None, 2)
    with pytest.raises(ValueError, match="names of their own"):
        model.add(keras.layers.Dense(2, name=model.layers[0].name))
    with pytest.raises(ValueError, match="made of layers"):
        model.add("dense")
    with pytest.raises(ValueError, match="first"):
        model.add(keras.Input((3,)))


def test_a_model_is_trained_on_after_a_layer_is_added():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    x = np.ones((4, 3), "float32")
    model.fit(x, np.ones((4, 2)), verbose=0)
    model.add(keras.layers.Dense(1))
    assert model.predict(x, verbose=0).shape == (4, 1)


def test_a_functional_model(backend):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    shared = keras.layers.Dense(4, activation="tanh")
    joined = keras.layers.Concatenate()([shared(a), shared(b)])
    outputs = {"sum": keras.layers.Dense(1)(joined), "scaled": (shared(a) - shared(b)) * 2.0}
    model = keras.Model([a, b], outputs)
    x, y = np.ones((2, 3), "float32"), np.zeros((2, 3), "float32")
    results = model([x, y])
    assert results["sum"].shape == (2, 1)
    np.testing.assert_allclose(results["scaled"], 2 * (np.asarray(shared(x)) - np.asarray(shared(y))), rtol=1e-6)
    np.testing.assert_array_equal(model({"b": y, "a": x})["sum"], results["sum"])
    assert len(model.weights) == 4
    assert model.predict([x, y], verbose=0)["scaled"].shape == (2, 4)


def test_functional_models_nest_and_split():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(3, name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    features = keras.Model(model.inputs, model.get_layer("hidden").weights and hidden)
    assert features(np.ones((1, 4))).shape == (1, 3)
    outer = keras.Model(inputs, keras.layers.Dense(1)(features(inputs)))
    assert outer(np.ones((5, 4))).shape == (5, 1)
    assert len(outer.trainable_weights) == 4


def test_symbolic_tensors_say_what_to_do():
    x = keras.Input((3,))
    with pytest.raises(TypeError, match="Lambda"):
        tf.square(x)
    assert keras.layers.Lambda(tf.square)(x).shape == (None, 3)
    with pytest.raises(ValueError, match="not among the inputs"):
        keras.Model(keras.Input((3,)), keras.layers.Dense(1)(x))
    with pytest.raises(ValueError, match="both inputs and outputs"):
        keras.Model(x)
    with pytest.raises(NotImplementedError, match="define call"):
        keras.Model()(np.ones((1, 2)))


def test_a_subclassed_model(backend):
    model = Residual(3)
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    history = model.fit(x, 2 * x, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert [layer.name for layer in model.layers] == ["dense", "dropout", "dense_1"]
    assert len(model.weights) == 4 and len(model.variables) == 5


def test_what_belongs_to_training_is_not_saved_with_the_model():
    model = Residual(3)
    model.compile("adam", "mse", metrics=["mae"])
    x = np.ones((4, 3), "float32")
    model.fit(x, x, verbose=0)
    model.predict(x, verbose=0)
    assert set(model.trackable_children()) == {"first", "dropout", "second"}
    assert not any(isinstance(module, keras.Metric) for module in model.submodules)


def test_sequential_models_are_made_anew_from_their_configuration():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(2, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    config = model.get_config()
    copy = keras.Sequential.from_config(config)
    assert copy.get_config() == config and copy.built
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    np.testing.assert_array_equal(copy(x), model(x))
    clone = keras.models.clone_model(model)
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])


def test_configurations_of_layers_are_kerases():
    config = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu", name="head")]).get_config()
    dense = config["layers"][1]
    assert dense["module"] == "keras.layers" and dense["class_name"] == "Dense" and dense["registered_name"] is None
    assert dense["config"]["units"] == 2 and dense["config"]["activation"] == "relu"
    initializer = dense["config"]["kernel_initializer"]
    assert initializer["class_name"] == "GlorotUniform" and initializer["module"] == "keras.initializers"


def test_summary():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="deep")], name="inner")
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(1, trainable=False)], name="net")
    model.compile("adam", "mse")
    model.fit(np.ones((2, 4)), np.ones((2, 1)), verbose=0)
    shown = []
    model.summary(print_fn=shown.append, line_length=70, expand_nested=True, show_trainable=True)
    (text,) = shown
    lines = text.splitlines()
    assert lines[0] == 'Model: "net"'
    assert {len(line) for line in lines[1:-4]} == {70}
    inner_row = next(line for line in lines if "inner (Sequential)" in line)
    assert "(None, 2)" in inner_row and "10" in inner_row and "Y" in inner_row
    assert any("└ deep (Dense)" in line for line in lines)
    assert lines[-4:] == [
        " Total params: 35 (144.00 B)", " Trainable params: 10 (40.00 B)", " Non-trainable params: 3 (12.00 B)",
        " Optimizer params: 22 (92.00 B)",
    ]  # fmt: skip


def test_a_model_has_its_layers_by_name_and_place():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="head")])
    assert model.get_layer("head") is model.get_layer(index=0)
    with pytest.raises(ValueError, match="head"):
        model.get_layer("tail")
    with pytest.raises(ValueError, match="1 layers"):
        model.get_layer(index=3)
