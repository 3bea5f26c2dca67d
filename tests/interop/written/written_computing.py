"""Modules that compute: linear algebra, convolutions, images, random numbers, embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
from written import Model, function_model, model, numbers, spec

from modtf import core as tf


@model("computing", also=("lite", "command"))
def affine(folder: Any) -> Model:
    weights, bias = tf.Variable(numbers(3, 4), name="weights"), tf.Variable(numbers(4, seed=1), name="bias")
    args = (numbers(5, 3, seed=2),)
    return function_model(
        lambda self, x: tf.nn.relu(tf.matmul(x, self.weights) + self.bias),
        [spec([None, 3], name="x")], args, weights=weights, bias=bias,
    )  # fmt: skip


@model("computing", also=("lite",))
def convolutions(folder: Any) -> Model:
    kernel, depthwise = tf.Variable(numbers(3, 3, 2, 4)), tf.Variable(numbers(3, 3, 4, 1, seed=1))

    def run(self: Any, x: Any) -> Any:
        x = tf.nn.relu6(tf.nn.conv2d(x, self.kernel, 2, "SAME"))
        x = tf.nn.depthwise_conv2d(x, self.depthwise, [1, 1, 1, 1], "SAME")
        return {"pooled": tf.nn.max_pool2d(x, 2, 2, "VALID"), "mean": tf.reduce_mean(x, [1, 2])}

    args = (numbers(2, 12, 12, 2, seed=2),)
    return function_model(run, [spec([2, 12, 12, 2], name="x")], args, kernel=kernel, depthwise=depthwise)


@model("computing")
def linear_algebra(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        square = tf.matmul(x, x, transpose_b=True) + tf.eye(4)
        return {
            "cholesky": tf.linalg.cholesky(square),
            "determinant": tf.linalg.det(square),
            "inverse": tf.linalg.inv(square),
            "solution": tf.linalg.solve(square, x),
            "singular": tf.linalg.svd(square, compute_uv=False),
            "triangular": tf.linalg.triangular_solve(square, x),
            "trace": tf.linalg.trace(square),
        }

    return function_model(run, [spec([2, 4, 3], name="x")], (numbers(2, 4, 3),))


@model("computing", also=("lite",))
def einsum(folder: Any) -> Model:
    """Attention by hand."""
    weights = [tf.Variable(numbers(8, 2, 4, seed=seed)) for seed in range(3)]

    def run(self: Any, x: Any) -> Any:
        query, key, value = (tf.einsum("btd,dhk->bthk", x, matrix) for matrix in self.weights)
        scores = tf.nn.softmax(tf.einsum("bqhk,bthk->bhqt", query, key) / 2.0)
        return tf.einsum("bhqt,bthk->bqhk", scores, value)

    return function_model(run, [spec([2, 5, 8], name="x")], (numbers(2, 5, 8),), weights=weights)


@model("computing")
def images(folder: Any) -> Model:
    def run(self: Any, images: Any) -> Any:
        floats = tf.image.convert_image_dtype(images, tf.float32)
        return {
            "resized": tf.image.resize(floats, [5, 7]),
            "nearest": tf.image.resize(images, [4, 4], method="nearest"),
            "cubic": tf.image.resize(floats, [9, 9], method="bicubic"),
            "gray": tf.image.rgb_to_grayscale(floats),
            "hsv": tf.image.rgb_to_hsv(floats),
            "flipped": tf.image.flip_left_right(images),
            "contrast": tf.image.adjust_contrast(floats, 1.5),
            "crops": tf.image.crop_and_resize(floats, [[0.1, 0.2, 0.8, 0.9]], [1], [3, 3]),
            "standard": tf.image.per_image_standardization(floats),
        }

    pixels = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3)).astype(np.uint8)
    return function_model(run, [spec([None, 6, 8, 3], tf.uint8, "images")], (pixels,))


@model("computing")
def stateless_random(folder: Any) -> Model:
    def run(self: Any, seed: Any) -> Any:
        return {
            "uniform": tf.random.stateless_uniform([3, 4], seed),
            "normal": tf.random.stateless_normal([7], seed),
            "integers": tf.random.stateless_uniform([9], seed, 0, 100, tf.int32),
            "truncated": tf.random.stateless_truncated_normal([5], seed),
        }

    return function_model(run, [spec([2], tf.int32, "seed")], (np.array([3, 4], np.int32),))


@model("computing", also=("lite",))
def embedding(folder: Any) -> Model:
    def run(self: Any, ids: Any) -> Any:
        rows = tf.nn.embedding_lookup(self.table, ids)
        return {"rows": rows, "mean": tf.reduce_mean(rows, axis=1), "one_hot": tf.one_hot(ids, 4)}

    args = (np.array([[1, 2, 9], [0, 0, 5]], np.int32),)
    return function_model(run, [spec([2, 3], tf.int32, "ids")], args, table=tf.Variable(numbers(10, 4)))


@model("computing")
def signals(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        spectrum = tf.signal.rfft(x)
        return {
            "spectrum": spectrum,
            "back": tf.signal.irfft(spectrum),
            "frames": tf.abs(tf.signal.stft(x, 16, 8)),
            "cosine": tf.signal.dct(x),
        }

    return function_model(run, [spec([2, 64], name="x")], (numbers(2, 64),))


@model("computing")
def sorting(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        values, places = tf.math.top_k(x, 3)
        found, numbers_of = tf.unique(tf.cast(x[0] * 2.0, tf.int32))
        return {
            "values": values,
            "places": places,
            "sorted": tf.sort(x, direction="DESCENDING"),
            "unique": found,
            "numbers": numbers_of,
            "sums": tf.math.segment_sum(x, [0, 0, 1]),
            "running": tf.cumsum(x, axis=1, exclusive=True),
            "where": tf.where(x > 0.0),
            "scattered": tf.scatter_nd([[1], [3], [1]], x, [5, 6]),
            "masked": tf.boolean_mask(x, x > 0.5),
        }

    return function_model(run, [spec([None, 6], name="x")], (numbers(3, 6),))


@model("computing", also=("lite",))
def shapes(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        left, right = tf.split(x, 2, axis=1)
        stacked = tf.stack([left, right, left * 2.0])
        return {
            "strided": x[:, ::2, tf.newaxis],
            "transposed": tf.transpose(stacked, [2, 0, 1]),
            "padded": tf.pad(x, [[0, 0], [1, 2]], constant_values=7.0),
            "tiled": tf.tile(left, [1, 3]),
            "joined": tf.concat([right, left], 0),
            "reversed": tf.reverse(x, [1]),
        }

    return function_model(run, [spec([3, 6], name="x")], (numbers(3, 6),))


@model("computing")
def half(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        return {
            "half": tf.matmul(tf.cast(x, tf.float16), tf.cast(self.weights, tf.float16)),
            "brain": tf.cast(x, tf.bfloat16) * tf.constant(1.5, tf.bfloat16),
            "double": tf.cast(x, tf.float64) / 3.0,
            "complex": tf.complex(x, x) * tf.constant(2j, tf.complex64),
        }

    return function_model(run, [spec([None, 3], name="x")], (numbers(4, 3),), weights=tf.Variable(numbers(3, 2)))


@model("computing")
def quantized(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        fake = tf.quantization.fake_quant_with_min_max_args(x, -2.0, 2.0)
        return {"fake": fake, "bits": tf.bitwise.bitwise_xor(tf.cast(x * 10.0, tf.int32), 5)}

    return function_model(run, [spec([None, 3], name="x")], (numbers(4, 3),))


@model("computing", also=("lite",))
def normalised(folder: Any) -> Model:
    names = ("scale", "offset", "mean")
    held = {name: tf.Variable(numbers(3, seed=seed), trainable=name != "mean") for seed, name in enumerate(names)}
    held["variance"] = tf.Variable(np.abs(numbers(3, seed=5)) + 1.0, trainable=False)

    def run(self: Any, x: Any) -> Any:
        y = tf.nn.batch_normalization(x, self.mean, self.variance, self.offset, self.scale, 1e-3)
        return {"normalised": y, "gelu": tf.nn.gelu(y, approximate=True), "unit": tf.math.l2_normalize(y, axis=1)}

    return function_model(run, [spec([4, 3], name="x")], (numbers(4, 3),), **held)
