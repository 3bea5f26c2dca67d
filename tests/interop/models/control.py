"""Conditionals, loops, and gradients through them."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from described import Written, call, model, module, numbers, pure, spec

FAMILY = "control flow and gradients"


@model(FAMILY)
def conditionals() -> Written:
    weight = tf.Variable([2.0, 3.0])

    @tf.function(input_signature=[spec(2), spec(dtype=tf.bool)])
    def f(x: Any, flag: Any) -> Any:
        def yes() -> Any:
            weight.assign_add([1.0, 1.0])
            return x * weight, tf.shape(x)[0]

        return tf.cond(flag, yes, lambda: (x - weight, 7))

    x = numbers(2)
    return Written(module(f=f, weight=weight), [call("f", x, np.bool_(True)), call("f", x, np.bool_(False))])


@model(FAMILY)
def autograph() -> Written:
    @tf.function(input_signature=[spec(None), spec(dtype=tf.int32)])
    def f(x: Any, n: Any) -> Any:
        total = tf.constant(0.0)
        for i in tf.range(n):
            if i % 3 == 0:
                continue
            if total > 40.0:
                break
            for value in x:
                total += value * tf.cast(i, tf.float32)
        while total > 1.0:
            total /= 2.0
        return total

    return Written(module(f=f), [call("f", np.abs(numbers(4)), np.int32(n)) for n in (0, 5, 20)])


@model(FAMILY)
def while_loops() -> Written:
    def f(x: Any, n: Any) -> Any:
        def body(i: Any, y: Any, pair: Any) -> Any:
            return i + 1, tf.concat([y, x[:1]], 0), (pair[0] * 2.0, pair[1] + tf.reduce_sum(y))

        shapes = (tf.TensorShape([]), tf.TensorShape([None]), (tf.TensorShape([]), tf.TensorShape([])))
        start = (tf.constant(0), x, (tf.constant(1.0), tf.constant(0.0)))
        return tf.while_loop(lambda i, y, pair: i < n, body, start, shape_invariants=shapes, maximum_iterations=7)

    root = module(f=tf.function(f, input_signature=[spec(None), spec(dtype=tf.int32)]))
    return Written(root, [call("f", numbers(3), np.int32(n)) for n in (0, 4, 50)])


@model(FAMILY)
def switch_case() -> Written:
    def f(x: Any, i: Any) -> Any:
        branches = [lambda: x + 1.0, lambda: x * 10.0, lambda: tf.reverse(x, [0])]
        picked = tf.switch_case(i, branches, default=lambda: tf.zeros_like(x))
        return picked, tf.case([(i < 1, lambda: 10), (i > 1, lambda: 20)], default=lambda: 30, exclusive=True)

    root = module(f=tf.function(f, input_signature=[spec(None), spec(dtype=tf.int32)]))
    return Written(root, [call("f", numbers(3), np.int32(i)) for i in (-1, 0, 1, 2, 9)])


@model(FAMILY)
def map_fn() -> Written:
    def f(x: Any, words: Any) -> Any:
        doubled = tf.map_fn(lambda row: tf.reduce_sum(row) * row, x)
        lengths = tf.map_fn(tf.strings.length, words, fn_output_signature=tf.int32)
        return doubled, lengths, tf.vectorized_map(lambda row: tf.tensordot(row, row, 1), x)

    return pure(f, numbers(4, 3), np.array([b"a", b"bcd", b"", b"ef"], object))


@model(FAMILY)
def scans_and_folds() -> Written:
    def f(x: Any) -> Any:
        return [
            tf.scan(lambda total, row: total * 0.5 + row, x), tf.foldl(lambda a, b: a - b, x), tf.foldr(lambda a, b: a - b, x),
            tf.scan(lambda total, row: total + row, x, reverse=True, initializer=tf.ones([3])),
        ]  # fmt: skip

    return pure(f, numbers(5, 3))


@model(FAMILY)
def tensor_arrays() -> Written:
    def f(x: Any, n: Any) -> Any:
        array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[3])
        for i in tf.range(n):
            array = array.write(i, x[i % 2] * tf.cast(i, tf.float32))
        other = tf.TensorArray(tf.float32, size=2, infer_shape=False).unstack(x)
        return array.stack(), other.read(1), array.size(), other.concat(), other.gather([1, 0])

    root = module(f=tf.function(f, input_signature=[spec(2, 3), spec(dtype=tf.int32)]))
    return Written(root, [call("f", numbers(2, 3), np.int32(n)) for n in (1, 5)])


@model(FAMILY)
def gradients_inside() -> Written:
    weight = tf.Variable(numbers(3, 3))

    def f(x: Any) -> Any:
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.sin(x @ weight) * tf.exp(-x * x))
            first = inner.gradient(y, x)
            total = tf.reduce_sum(first * first)
        return y, first, outer.gradient(total, [x, weight])

    return pure(f, numbers(2, 3), weight=weight)


@model(FAMILY)
def gradients_of_loops() -> Written:
    weight = tf.Variable(0.7)

    def f(x: Any, n: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for i in tf.range(n):
                if i % 2 == 0:
                    y = tf.tanh(y * weight)
                else:
                    y = y + tf.reduce_mean(y) * weight
            loss = tf.reduce_sum(y * y)
        return loss, tape.gradient(loss, [x, weight])

    root = module(f=tf.function(f, input_signature=[spec(None), spec(dtype=tf.int32)]), weight=weight)
    return Written(root, [call("f", numbers(4), np.int32(n)) for n in (0, 1, 6)])


@model(FAMILY)
def gradients_of_conditionals() -> Written:
    def f(x: Any, flag: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.cond(flag, lambda: tf.reduce_sum(x**3), lambda: tf.reduce_prod(x))
        return tape.gradient(y, x)

    root = module(f=tf.function(f, input_signature=[spec(None), spec(dtype=tf.bool)]))
    return Written(root, [call("f", numbers(3), np.bool_(True)), call("f", numbers(3), np.bool_(False))])


@model(FAMILY)
def custom_gradients() -> Written:
    scale = tf.Variable(3.0)

    @tf.custom_gradient
    def clipped(x: Any) -> Any:
        def gradient(dy: Any) -> Any:
            return tf.clip_by_value(dy, -0.1, 0.1) * tf.sign(x)

        return x * 2.0, gradient

    @tf.function(input_signature=[spec(None)])
    def forward(x: Any) -> Any:
        return clipped(x) * scale

    @tf.function(input_signature=[spec(None)])
    def backward(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(forward(x) ** 2)
        return tape.gradient(y, [x, scale])

    options = tf.saved_model.SaveOptions(experimental_custom_gradients=True)
    return Written(module(forward=forward, backward=backward, scale=scale), options=options)


@model(FAMILY)
def recomputed_gradients() -> Written:
    weight = tf.Variable(numbers(3, 3))

    @tf.recompute_grad
    def block(x: Any) -> Any:
        return tf.tanh(x @ weight)

    def f(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(block(block(x)) ** 2)
        return y, tape.gradient(y, [x, weight])

    written = pure(f, numbers(2, 3), weight=weight)
    written.options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    return written


@model(FAMILY)
def order_of_effects() -> Written:
    class Ordered(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.v = tf.Variable(1.0)

        @tf.function(input_signature=[spec()])
        def f(self, x: Any) -> Any:
            before = self.v.read_value()
            self.v.assign(before * 2.0)
            with tf.control_dependencies([self.v.assign_add(x)]):
                middle = tf.identity(self.v)
            for _ in tf.range(3):
                self.v.assign_add(1.0)
            tf.debugging.assert_greater(self.v, -100.0)
            tf.print("value", self.v, output_stream="file:///dev/null")
            return before, middle, self.v.read_value()

    return Written(Ordered(), [call("f", np.float32(2)), call("f", np.float32(3))])


@model(FAMILY)
def jacobians() -> Written:
    def f(x: Any) -> Any:
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = tf.sin(x) * tf.reduce_sum(x, -1, keepdims=True)
        return tape.jacobian(y, x), tape.batch_jacobian(y, x)

    return pure(f, numbers(2, 3))


@model(FAMILY)
def compiled_functions() -> Written:
    @tf.function(jit_compile=True)
    def inner(x: Any) -> Any:
        return tf.nn.gelu(x) @ tf.transpose(x)

    return pure(lambda x: inner(x) + 1.0, numbers(3, 2))


NO_DATASETS = "the vocabulary has no ops of datasets inside functions"


@model(FAMILY, known=dict.fromkeys(("numpy", "jax"), NO_DATASETS))
def data_inside_functions() -> Written:
    def f(x: Any) -> Any:
        total = tf.constant(0.0)
        for batch in tf.data.Dataset.from_tensor_slices(x).map(lambda row: row * 2.0).batch(2):
            total += tf.reduce_max(batch)
        return total

    return pure(f, numbers(5, 3))
