"""Models of `modtf.layers`."""

from __future__ import annotations

from typing import Any

import numpy as np
from written import Model, model, numbers

from modtf import core as tf
from modtf import layers


def served(made: Any, x: np.ndarray) -> Model:
    """A model with its own call, saved with the signature that is found by default."""
    made(tf.constant(x))
    calls: list[Any] = [("__call__", (x,), {}), ("__call__", (x,), {"training": False})]
    return Model(made, calls, None, {"serving_default": {"inputs": x}})


@model("layers", also=("lite", "command"))
def sequential(folder: Any) -> Model:
    made = layers.Sequential([
        layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    return served(made, numbers(4, 5))


@model("layers", also=("lite",))
def functional(folder: Any) -> Model:
    """A small network of convolutions with branches."""
    images = layers.Input((12, 12, 3), name="images")
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(images)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    y = layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
    z = layers.MaxPooling2D(2)(x)
    x = layers.Concatenate()([layers.Add()([y, z]), layers.AveragePooling2D(2)(x)])
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    made = layers.Model(images, layers.Dense(4, activation="softmax")(x))
    return served(made, numbers(2, 12, 12, 3))


@model("layers", also=("lite",))
def trained(folder: Any) -> Model:
    """A model that was trained, with its optimizer's state beside."""
    made = layers.Sequential([layers.Rescaling(0.5), layers.Flatten(), layers.Dense(4, "tanh"), layers.Dense(1)])
    made.compile(optimizer="adam", loss="mse", metrics=["mae"])
    x = numbers(8, 2, 3)
    made.fit(x, x.sum((1, 2), keepdims=False)[:, np.newaxis], epochs=2, batch_size=4, verbose=0)
    return served(made, x)


@model("layers", also=("lite",))
def several_inputs(folder: Any) -> Model:
    first, second = layers.Input((3,), name="first"), layers.Input((3,), name="second")
    joined = layers.Average()([layers.Dense(3)(first), second])
    made = layers.Model(
        [first, second], {"sum": layers.Dense(2)(joined), "product": layers.Multiply()([first, second])}
    )
    args = [numbers(4, 3), numbers(4, 3, seed=1)]
    made([tf.constant(item) for item in args])
    request = dict(zip(("inputs", "inputs_1"), args, strict=True))
    return Model(made, [("__call__", (args,), {})], None, {"serving_default": request})


@model("layers", also=("lite",))
def inside_a_module(folder: Any) -> Model:
    """Layers as attributes of a module, called in training and not."""

    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = [layers.Dense(5, "relu"), layers.BatchNormalization(momentum=0.5)]
            self.last = layers.Dense(2)

        @tf.function(input_signature=[tf.TensorSpec([4, 3], name="x")])
        def __call__(self, x: Any) -> Any:
            return self.run(x, False)

        @tf.function(input_signature=[tf.TensorSpec([4, 3], name="x")])
        def train(self, x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(self.run(x, True) ** 2)
            for variable, gradient in zip(self.weights(), tape.gradient(loss, self.weights()), strict=True):
                variable.assign_sub(0.1 * gradient)
            return loss

        def weights(self) -> list[Any]:
            return list(self.trainable_variables)

        def run(self, x: Any, training: bool) -> Any:
            for layer in self.hidden:
                x = layer(x, training=training) if isinstance(layer, layers.BatchNormalization) else layer(x)
            return self.last(x)

    module, x = Module(), numbers(4, 3)
    module(tf.constant(x))
    calls: list[Any] = [("__call__", (x,), {}), ("train", (x,), {}), ("train", (x,), {}), ("__call__", (x,), {})]
    return Model(module, calls, module.__call__, {"serving_default": {"x": x}})
