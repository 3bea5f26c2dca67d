"""Modules with conditionals and loops, with state, and with gradients of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from written import Model, function_model, model, numbers, spec

from modtf import core as tf


@model("control", also=("lite",))
def conditional(folder: Any) -> Model:
    def run(self: Any, x: Any, flag: Any) -> Any:
        inner = lambda: tf.cond(x[0] > 0.0, lambda: x + self.weight, lambda: x - self.weight)  # noqa: E731
        return tf.cond(flag, inner, lambda: x * 2.0)

    made = function_model(
        run,
        [spec([3], name="x"), spec([], tf.bool, "flag")],
        (numbers(3), np.array(True)),
        weight=tf.Variable(numbers(3)),
    )
    made.calls.extend(
        ("run", (numbers(3) * factor, np.array(flag)), {}) for factor in (1, -1) for flag in (True, False)
    )
    return made


@model("control")
def python_statements(folder: Any) -> Model:
    """Conditionals and loops that AutoGraph makes of Python's."""

    class Statements(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = tf.Variable(0)

        @tf.function(input_signature=[spec([], tf.int32, "n")])
        def collatz(self, n: Any) -> Any:
            steps = 0
            while n != 1:
                if n % 2 == 0:
                    n = n // 2
                else:
                    n = 3 * n + 1
                steps += 1
                if steps > 100:
                    break
            self.count.assign_add(1)
            return {"steps": steps, "count": self.count + 0}

    module = Statements()
    calls: list[Any] = [("collatz", (np.array(n, np.int32),), {}) for n in (1, 7, 27)]
    return Model(module, calls, module.collatz, {"serving_default": {"n": np.array(6, np.int32)}})


@model("control")
def mapped(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        return {
            "mapped": tf.map_fn(lambda row: tf.linalg.matvec(self.weight, row) + 1.0, x),
            "scanned": tf.scan(lambda state, row: tf.tanh(state + row), x, tf.zeros([3])),
            "folded": tf.foldl(lambda state, row: state * 0.5 + row, x),
            "vectorized": tf.vectorized_map(lambda row: tf.reduce_sum(row * row), x),
        }

    return function_model(run, [spec([None, 3], name="x")], (numbers(4, 3),), weight=tf.Variable(numbers(3, 3)))


@model("control", also=("lite",))
def while_loop(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        body = lambda i, y: (i + 1, tf.tanh(tf.matmul(y, self.weight)))  # noqa: E731
        return tf.while_loop(lambda i, y: i < 5, body, (0, x))[1]

    return function_model(run, [spec([2, 3], name="x")], (numbers(2, 3),), weight=tf.Variable(numbers(3, 3)))


@model("control")
def tensor_arrays(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        states = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[3])
        state = tf.zeros([3])
        for index in tf.range(tf.shape(x)[0]):
            state = tf.tanh(tf.linalg.matvec(self.weight, state) + x[index])
            states = states.write(index, state)
        return states.stack()

    return function_model(run, [spec([None, 3], name="x")], (numbers(4, 3),), weight=tf.Variable(numbers(3, 3)))


@model("control")
def switches(folder: Any) -> Model:
    def run(self: Any, x: Any, index: Any) -> Any:
        branches = [lambda: x, lambda: x * self.weight, lambda: tf.zeros([3])]
        return tf.switch_case(index, branches)

    specs = [spec([3], name="x"), spec([], tf.int32, "index")]
    made = function_model(run, specs, (numbers(3), np.array(1, np.int32)), weight=tf.Variable(numbers(3)))
    made.calls.extend(("run", (numbers(3), np.array(index, np.int32)), {}) for index in (0, 1, 2, 7, -1))
    return made


@model("control")
def checked(folder: Any) -> Model:
    """Effects besides what is given: checks and prints."""

    def run(self: Any, x: Any) -> Any:
        tf.debugging.assert_greater(tf.shape(x)[0], 0, message="empty")
        self.calls.assign_add(1)
        return tf.debugging.check_numerics(tf.math.log(tf.abs(x) + 1.0), "log")

    return function_model(run, [spec([None], name="x")], (numbers(4),), calls=tf.Variable(0))


@model("training")
def steps(folder: Any) -> Model:
    class Trained(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = tf.Variable(numbers(3, 2, seed=3))
            self.velocity = tf.Variable(tf.zeros([3, 2]), trainable=False)
            self.steps = tf.Variable(0, trainable=False, dtype=tf.int64)

        @tf.function(input_signature=[spec([None, 3], name="x")])
        def predict(self, x: Any) -> Any:
            return tf.tanh(tf.matmul(x, self.weights))

        @tf.function(input_signature=[spec([None, 3], name="x"), spec([None, 2], name="y")])
        def step(self, x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self.predict(x) - y) ** 2)
            self.velocity.assign(0.9 * self.velocity + tape.gradient(loss, self.weights))
            self.weights.assign_sub(0.1 * self.velocity)
            self.steps.assign_add(1)
            return {"loss": loss, "steps": self.steps.read_value()}

    x, y, module = numbers(5, 3), numbers(5, 2, seed=1), Trained()
    calls: list[Any] = [("step", (x, y), {})] * 3 + [("predict", (x,), {})]
    signatures = {"serving_default": module.predict, "step": module.step}
    return Model(module, calls, signatures, {"serving_default": {"x": x}, "step": {"x": x, "y": y}})


@model("training")
def own_gradient(folder: Any) -> Model:
    """A gradient of its own inside a function that differentiates, and inside one that does not."""

    @tf.custom_gradient
    def clipped(x: Any) -> Any:
        return x * 3.0, lambda flowing: tf.clip_by_norm(flowing, 0.5)

    def run(self: Any, x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(clipped(x) * self.weight)
        return {"value": clipped(x), "gradient": tape.gradient(y, x)}

    return function_model(run, [spec([3], name="x")], (numbers(3),), weight=tf.Variable(numbers(3)))


@model("training")
def second_order(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.sin(x) * self.weight)
            first = inner.gradient(y, x)
        return {"first": first, "jacobian": outer.jacobian(first, x)}

    return function_model(run, [spec([3], name="x")], (numbers(3),), weight=tf.Variable(numbers(3)))
