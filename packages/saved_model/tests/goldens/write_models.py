"""Writes the SavedModels in this folder with TensorFlow and Keras: `python write_models.py`, where both are installed.

`answers.npz` has what each is to compute, by the name of the model and of the result.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

FOLDER = Path(__file__).resolve().parent


class Scale(tf.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = tf.Variable([factor] * 3)

    @tf.function
    def apply(self, x: Any) -> Any:
        return x * self.factor


class Everything(tf.Module):
    """What a module can have in a file: containers, traces, state, constants, structures, signatures."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(5.0, name="train_me")
        self.bias = tf.Variable(2.0, trainable=False, name="do_not_train_me")
        self.list = [Scale(2.0), 3, Scale(3.0)]
        self.tuple = (self.list[0], self.bias)
        self.dict = {"scale": Scale(7.0)}
        self.table = tf.constant(np.arange(300, dtype=np.float32))
        self.open_shape = tf.Variable([1.0], shape=[None])

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def __call__(self, x: Any) -> Any:
        for scale in [self.list[0], self.list[2], self.dict["scale"]]:
            x = scale.apply(x)
        return x * self.weight + self.bias

    @tf.function
    def count(self, amount: Any) -> Any:
        before = self.bias + 0.0
        self.bias.assign_add(amount)
        self.bias.assign(self.bias * 2.0)
        return {"before": before, "after": self.bias + 0.0}

    @tf.function
    def options(self, inputs: Any, training: bool = False, *, scale: Any = 2.0, mode: str = "plain") -> Any:
        x = inputs["x"] + inputs["pair"][0] - inputs["pair"][1]
        if training:
            x = x * 10.0
        return (x * scale, None) if mode == "plain" else [x]

    @tf.function
    def look_up(self, rows: Any) -> Any:
        return tf.gather(self.table, rows), rows


def write_everything(answers: dict[str, np.ndarray]) -> None:
    model = Everything()
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    inputs = {"x": tf.constant(x), "pair": (tf.constant(2.0), tf.constant(x))}
    answers["everything/x"] = x
    answers["everything/call"] = model(x).numpy()
    answers["everything/plain"] = model.options(inputs)[0].numpy()
    answers["everything/training"] = model.options(inputs, training=True)[0].numpy()
    answers["everything/list"] = model.options(inputs, True, mode="list")[0].numpy()
    answers["everything/scaled"] = model.options(inputs, scale=tf.constant(5.0))[0].numpy()
    answers["everything/rows"] = model.look_up(tf.constant([1, 299]))[0].numpy()
    model.count.get_concrete_function(tf.TensorSpec([], tf.float32))
    signatures = {
        "serving_default": model.__call__,
        "count": model.count.get_concrete_function(tf.TensorSpec([], tf.float32)),
    }
    tf.saved_model.save(model, str(FOLDER / "everything"), signatures=signatures)


def write_keras_cnn(answers: dict[str, np.ndarray]) -> None:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU(6.0)(x)
    x = keras.layers.DepthwiseConv2D(3, strides=2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.5)(x)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    images = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype(np.float32)
    answers["keras_cnn/images"] = images
    answers["keras_cnn/call"] = np.asarray(model(images))
    model.export(str(FOLDER / "keras_cnn"), verbose=False)


class Tables(tf.Module):
    """Tables filled from a file, from tensors, and by the program; functions that ask them."""

    def __init__(self, vocabulary: str) -> None:
        super().__init__()
        index = tf.lookup.TextFileIndex
        lines = tf.lookup.TextFileInitializer(vocabulary, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
        self.words = tf.lookup.StaticVocabularyTable(lines, num_oov_buckets=1)
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1], tf.int64), ["zero", "one"])
        self.names = tf.lookup.StaticHashTable(pairs, "more")
        self.counts = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.counts.insert(tf.constant(["cat", "dog"]), tf.constant([3, 4], tf.int64))
        self.empty = tf.lookup.StaticVocabularyTable(None, 1, lookup_key_dtype=tf.string)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def find(self, words: Any) -> Any:
        return self.words[words], self.names[self.words[words]], self.counts.lookup(words)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)])
    def insert(self, words: Any, counts: Any) -> Any:
        self.counts.insert(words, counts)
        return self.counts.size()


def write_tables(answers: dict[str, np.ndarray]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder, "vocabulary.txt")
        vocabulary.write_text("dog\ncat\n")
        tf.saved_model.save(Tables(str(vocabulary)), str(FOLDER / "tables"))


class Gradients(tf.Module):
    """A custom gradient in a function that was saved with what differentiates it, and a function called by two names."""

    def __init__(self) -> None:
        super().__init__()

        @tf.custom_gradient
        def signed(x: Any) -> Any:
            return x * 2.0, lambda dy: dy * tf.sign(x)

        self.forward = tf.function(signed, input_signature=[tf.TensorSpec([None])])
        self.bound = tf.function(lambda x, y: x - y).get_concrete_function(
            tf.TensorSpec([], name="first"), tf.TensorSpec([], name="second")
        )

    @tf.function(input_signature=[tf.TensorSpec([None])])
    def backward(self, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = self.forward(x)
        return tape.gradient(y, x)


def write_gradients(answers: dict[str, np.ndarray]) -> None:
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    tf.saved_model.save(Gradients(), str(FOLDER / "gradients"), options=options)


def without_debug_info(folder: Path) -> None:
    """Leaves out the stack traces: most of the file, and full of this machine's paths."""
    path = folder / "saved_model.pb"
    proto = SavedModel.FromString(path.read_bytes())
    for meta_graph in proto.meta_graphs:
        meta_graph.graph_def.ClearField("debug_info")
    path.write_bytes(proto.SerializeToString(deterministic=True))


if __name__ == "__main__":
    answers: dict[str, np.ndarray] = {}
    for write in (write_everything, write_keras_cnn, write_tables, write_gradients):
        folder = FOLDER / write.__name__.removeprefix("write_")
        shutil.rmtree(folder, ignore_errors=True)
        write(answers)
        without_debug_info(folder)
    np.savez_compressed(FOLDER / "answers.npz", **answers)
