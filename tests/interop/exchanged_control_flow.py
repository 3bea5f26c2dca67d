"""Models with conditionals, loops and values made of several tensors, written once for modtf and for TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
from exchanged_models import Exchanged, numbers


def branches(tf: Any) -> Exchanged:
    """`if` on a tensor, `tf.cond`, `tf.switch_case`; with variables read and assigned in branches."""

    class Branches(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable(numbers(3))
            self.count = tf.Variable(0)

        @tf.function(input_signature=[tf.TensorSpec([3], tf.float32)])
        def python_if(self, x: Any) -> Any:
            if tf.reduce_sum(x) > 0.0:
                y = x * self.weight
                self.count.assign_add(1)
            elif tf.reduce_sum(x) > -1.0:
                y = x
            else:
                y = -x
            return y, self.count + 0

        @tf.function(input_signature=[tf.TensorSpec([3], tf.float32), tf.TensorSpec([], tf.bool)])
        def cond(self, x: Any, flag: Any) -> Any:
            inner = lambda: tf.cond(x[0] > 0.0, lambda: x + self.weight, lambda: x - self.weight)  # noqa: E731
            return tf.cond(flag, inner, lambda: x * 2.0)

        @tf.function(input_signature=[tf.TensorSpec([3], tf.float32), tf.TensorSpec([], tf.int32)])
        def switch(self, x: Any, index: Any) -> Any:
            return tf.switch_case(index, [lambda: x, lambda: x * self.weight, lambda: tf.zeros([3])])

    x, module = numbers(3), Branches()
    calls: list[Any] = [("python_if", (value,), {}) for value in (np.abs(x), -np.abs(x), -0.1 * np.abs(x))]
    calls += [("cond", (value, np.array(flag)), {}) for value in (x, -x) for flag in (True, False)]
    calls += [("switch", (x, np.array(index, np.int32)), {}) for index in (0, 1, 2, 7, -1)]
    request = {"x": x, "flag": np.array(True)}
    return Exchanged(module, {"serving_default": module.cond}, calls, {"serving_default": request})


def loops(tf: Any) -> Exchanged:
    """`while`, `for`, `break`, `tf.while_loop`, `tf.map_fn`, and a `tf.TensorArray`."""

    class Loops(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable(numbers(3, 3) * 0.3)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([], tf.int32)])
        def python_while(self, x: Any, steps: Any) -> Any:
            count = 0
            while count < steps:
                x = tf.tanh(tf.matmul(x, self.weight))
                if tf.reduce_max(x) < 0.01:
                    break
                count += 1
            return x, count

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def python_for(self, x: Any) -> Any:
            total = tf.zeros([3])
            for row in x:
                for _ in tf.range(2):
                    total = total * 0.5 + tf.linalg.matvec(self.weight, row)
            return total

        @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
        def while_loop(self, n: Any) -> Any:
            return tf.while_loop(lambda i, a, b: i < n, lambda i, a, b: (i + 1, b, a + b), (0, 1, 1))

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def mapped(self, x: Any) -> Any:
            return tf.map_fn(lambda row: tf.linalg.matvec(self.weight, row) + 1.0, x)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def arrays(self, x: Any) -> Any:
            states = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[3])
            state = tf.zeros([3])
            for index in tf.range(tf.shape(x)[0]):
                state = tf.tanh(tf.linalg.matvec(self.weight, state) + x[index])
                states = states.write(index, state)
            return states.stack()

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def trained(self, x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(self.arrays(x) ** 2)
            gradient = tape.gradient(loss, self.weight)
            self.weight.assign_sub(0.1 * gradient)
            return loss, gradient

    x, module = numbers(4, 3, seed=1), Loops()
    calls: list[Any] = [("python_while", (x, np.array(steps, np.int32)), {}) for steps in (0, 1, 50)]
    calls += [("python_for", (x,), {}), ("while_loop", (np.array(10, np.int32),), {}), ("mapped", (x,), {})]
    calls += [("arrays", (x,), {}), ("trained", (x,), {}), ("trained", (x,), {}), ("arrays", (x[:1],), {})]
    return Exchanged(module, {"serving_default": module.arrays}, calls, {"serving_default": {"x": x}})


CONTROL_FLOW = {model.__name__: model for model in (branches, loops)}
