"""Sparse and ragged tensors and slices as arguments, results and in between."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from described import Ragged, Sparse, Written, call, model, module, numbers, pure, spec

FAMILY = "composite tensors"
SPARSE = Sparse(np.array([[0, 1], [1, 0], [2, 3]]), numbers(3), np.array([3, 4]))
RAGGED = Ragged(numbers(6), np.array([0, 2, 2, 5, 6]))


@model(FAMILY)
def sparse_arguments() -> Written:
    weight = tf.Variable(numbers(4, 2))

    def f(x: Any) -> Any:
        product = tf.sparse.sparse_dense_matmul(x, weight)
        return {
            "product": product,
            "doubled": x * 2.0,
            "dense": tf.sparse.to_dense(x),
            "sum": tf.sparse.reduce_sum(x, 1),
        }

    return pure(f, SPARSE, weight=weight)


@model(FAMILY)
def sparse_inside() -> Written:
    def f(x: Any) -> Any:
        sparse = tf.sparse.from_dense(tf.nn.relu(x))
        other = tf.sparse.reorder(tf.sparse.transpose(sparse))
        return tf.sparse.softmax(sparse), tf.sparse.concat(0, [other, other]), tf.sparse.slice(sparse, [0, 0], [2, 2])

    return pure(f, numbers(3, 4))


@model(FAMILY)
def ragged_arguments() -> Written:
    def f(x: Any) -> Any:
        return [
            x.to_tensor(-1.0), tf.reduce_sum(x, 1), tf.reduce_max(x, 0), x + 1.0, tf.concat([x, x], 1), x.row_lengths(),
            tf.ragged.map_flat_values(tf.sin, x), x[1:, :1], tf.reverse(x, [1]), tf.reduce_mean(x, 1),
        ]  # fmt: skip

    return pure(f, RAGGED)


@model(FAMILY)
def ragged_results() -> Written:
    def f(words: Any, lengths: Any) -> Any:
        return tf.strings.split(words), tf.ragged.range(lengths), tf.strings.unicode_split(words, "UTF-8")

    return pure(f, np.array([b"a b", b"", "ä c d".encode()], object), np.array([2, 0, 3], np.int32))


@model(FAMILY)
def nested_ragged() -> Written:
    @tf.function(
        input_signature=[
            tf.RaggedTensorSpec([None, None, None], tf.int32),
            tf.RaggedTensorSpec([None, None, 2], ragged_rank=1),
        ]
    )
    def f(x: Any, y: Any) -> Any:
        return tf.reduce_sum(x, 2), x.flat_values, y.to_tensor(), y * 2.0

    @tf.function(input_signature=[spec(None, dtype=tf.string)])
    def g(words: Any) -> Any:
        letters = tf.strings.unicode_split(tf.strings.split(words), "UTF-8")
        x = tf.ragged.map_flat_values(lambda item: tf.strings.length(item), letters)
        return f(x, tf.RaggedTensor.from_row_lengths(tf.ones([3, 2]), [1, 2])), letters

    calls = [call("g", np.array([b"ab c", b"def", b""], object)), call("f", NESTED, ROWS)]
    return Written(
        module(f=f, g=g), calls, signatures={}
    )  # the order of row splits among its arguments tells nobody theirs


NESTED = Ragged(Ragged(np.arange(5, dtype=np.int32), np.array([0, 2, 2, 5])), np.array([0, 1, 3]))
ROWS = Ragged(numbers(4, 2), np.array([0, 3, 4]))


@model(FAMILY)
def indexed_slices() -> Written:
    weight = tf.Variable(numbers(5, 2))

    def f(rows: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(weight, rows) ** 2)
        gradient = tape.gradient(loss, weight)
        weight.scatter_sub(tf.IndexedSlices(gradient.values * 0.1, gradient.indices))
        return tf.convert_to_tensor(gradient), weight.read_value()

    return pure(f, np.array([3, 1, 3], np.int32), weight=weight)


@model(FAMILY)
def parsed_examples() -> Written:
    features = {
        "x": tf.io.FixedLenFeature([2], tf.float32), "id": tf.io.FixedLenFeature([], tf.int64, default_value=-7),
        "words": tf.io.VarLenFeature(tf.string), "ragged": tf.io.RaggedFeature(tf.int64),
        "sparse": tf.io.SparseFeature("i", "v", tf.float32, 10),
    }  # fmt: skip

    def f(serialized: Any) -> Any:
        found = tf.io.parse_example(serialized, features)
        return {**found, "scaled": found["x"] * 2.0}

    written = pure(f, np.array([example(seed) for seed in range(3)], object))
    single = tf.function(
        lambda text: tf.io.parse_single_example(text, features), input_signature=[spec(dtype=tf.string)]
    )
    written.root.single = single
    return Written(written.root, [*written.calls, call("single", np.array(example(4), object))])


def example(seed: int) -> bytes:
    integers = {"ragged": [seed, seed + 1][: seed % 3], "i": [2, 5]} | ({"id": [seed]} if seed % 2 else {})
    floats = {"x": [0.5 * seed, 1.5], "v": [1.0, float(seed)]}
    feature = {name: tf.train.Feature(int64_list=tf.train.Int64List(value=value)) for name, value in integers.items()}
    feature |= {name: tf.train.Feature(float_list=tf.train.FloatList(value=value)) for name, value in floats.items()}
    feature["words"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"w"] * seed))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@model(FAMILY)
def composites_as_signatures() -> Written:
    @tf.function(input_signature=[tf.SparseTensorSpec([None, 4])])
    def f(x: Any) -> Any:
        return {"dense": tf.sparse.to_dense(x)}

    return Written(module(f=f), [call("f", SPARSE)])


@model(FAMILY)
def composites_through_control_flow() -> Written:
    def f(x: Any, flag: Any) -> Any:
        y = tf.cond(flag, lambda: x * 2.0, lambda: tf.concat([x, x], 1))
        for _ in tf.range(2):
            y = y + 1.0
        return y

    root = module(f=tf.function(f, input_signature=[tf.RaggedTensorSpec([None, None]), spec(dtype=tf.bool)]))
    return Written(root, [call("f", RAGGED, np.bool_(True)), call("f", RAGGED, np.bool_(False))])
