"""Writes the files in this folder with Keras 3 on TensorFlow: `python write_goldens.py`, in an environment that has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import golden_cases as cases


def write(name: str, arrays: dict[str, np.ndarray]) -> None:
    np.savez_compressed(cases.GOLDENS / f"{name}.npz", **arrays)


class AsIs:
    @staticmethod
    def shape_in(shape):
        return shape

    inputs = outputs = staticmethod(lambda x: x)


class Transposed:
    """Gives a layer for channels_last what one for channels_first is given."""

    @staticmethod
    def shape_in(shape):
        return (shape[0], *shape[2:], shape[1])

    inputs = staticmethod(lambda x: tf.transpose(x, [0, 2, 3, 1]))
    outputs = staticmethod(lambda x: tf.transpose(x, [0, 3, 1, 2]))


def on_cpu(layer):
    """TensorFlow's windows on CPU know only channels_last."""
    windows = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    if isinstance(layer, windows) and layer.data_format == "channels_first":
        return type(layer).from_config({**layer.get_config(), "data_format": "channels_last"}), Transposed
    return layer, AsIs


def layers() -> dict[str, np.ndarray]:
    arrays = {}
    for name, (make, shape, training) in cases.LAYERS.items():
        layer = make(keras)
        x = tf.constant(cases.values(f"{name}/inputs", shape))
        layer, call = on_cpu(layer)
        layer.build(call.shape_in(shape))
        cases.set_weights(layer, name)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            outputs = call.outputs(layer(call.inputs(x), training=training))
            target = tf.reduce_sum(outputs * cases.values(f"{name}/cotangent", tuple(outputs.shape)))
        arrays[f"{name}/outputs"] = outputs.numpy()
        arrays[f"{name}/gradient"] = tape.gradient(target, x).numpy()
        for index, gradient in enumerate(tape.gradient(target, [w.value for w in layer.trainable_weights])):
            arrays[f"{name}/gradient/{index}"] = gradient.numpy()
        for index, weight in enumerate(layer.weights):
            arrays[f"{name}/weight/{index}"] = weight.numpy()
    x = cases.values("activations", (4, 6))
    for name in cases.ACTIVATIONS:
        arrays[f"activations/{name}"] = keras.ops.convert_to_numpy(keras.activations.get(name)(tf.constant(x)))
    return arrays


def losses() -> dict[str, np.ndarray]:
    arrays = {}
    for name, (make, kind) in cases.LOSSES.items():
        labels, predictions = cases.labels_and_predictions(kind, name)
        weights = cases.values(f"{name}/weights", (len(labels),), positive=True)
        for reduction in cases.REDUCTIONS:
            loss = make(keras, reduction=reduction)
            arrays[f"{name}/{reduction}"] = loss(labels, predictions).numpy()
            arrays[f"{name}/{reduction}/weighted"] = loss(labels, predictions, sample_weight=weights).numpy()
        variable = tf.Variable(predictions)
        with tf.GradientTape() as tape:
            value = make(keras)(labels, variable, sample_weight=weights)
        arrays[f"{name}/gradient"] = tape.gradient(value, variable).numpy()
    return arrays


def metrics() -> dict[str, np.ndarray]:
    return {
        f"{name}/{weighted}": np.array(cases.metric_results(keras, name, weighted))
        for name in cases.METRICS
        for weighted in (False, True)
    }


def optimizers() -> dict[str, np.ndarray]:
    arrays = {}
    for name, make in cases.OPTIMIZERS.items():
        optimizer = make(keras)
        variables = [keras.Variable(value) for value in cases.starting_values()]
        for step in range(cases.STEPS):
            gradients = [tf.constant(gradient) for gradient in cases.gradients(step)]
            optimizer.apply_gradients(zip(gradients, variables))
            if step in (0, 7, cases.STEPS - 1):
                for label, variable in zip(cases.PARAMETERS, variables):
                    arrays[f"{name}/{step}/{label}"] = variable.numpy()
    return arrays


def training() -> dict[str, np.ndarray]:
    arrays = {}
    for name in cases.training_runs():
        model, history = cases.train(keras, name)
        for figure, series in history.items():
            arrays[f"{name}/{figure}"] = np.array(series)
        for index, weight in enumerate(model.get_weights()):
            arrays[f"{name}/weight/{index}"] = weight
    return arrays


if __name__ == "__main__":
    for family in (layers, losses, metrics, optimizers, training):
        write(family.__name__, family())
        print("wrote", family.__name__)
