"""Models written once for modtf and for TensorFlow: `tf` is either. Each comes with calls to compare."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Exchanged(NamedTuple):
    """A model to save.

    Attributes:
        module: the object.
        signatures: what to give `save`.
        calls: for each function by its path from the module, the arguments to compare it with.
        requests: for each signature, the named arguments to compare it with.
    """

    module: Any
    signatures: Any
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]
    requests: dict[str, dict[str, np.ndarray]]


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def simple(tf: Any) -> Exchanged:
    class SimpleModule(tf.Module):
        def __init__(self, name: str | None = None) -> None:
            super().__init__(name=name)
            self.a_variable = tf.Variable(5.0, name="train_me")
            self.non_trainable_variable = tf.Variable(5.0, trainable=False, name="do_not_train_me")

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def __call__(self, x: Any) -> Any:
            return self.a_variable * x + self.non_trainable_variable

    x = numbers(7)
    return Exchanged(SimpleModule(name="simple"), None, [("__call__", (x,), {})], {"serving_default": {"x": x}})


def cnn(tf: Any) -> Exchanged:
    ops = tf.raw_ops

    class Cnn(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(numbers(3, 3, 3, 8, seed=1) * 0.3, name="conv/kernel")
            self.bias = tf.Variable(numbers(8, seed=2) * 0.1, name="conv/bias")
            self.scale = tf.Variable(numbers(8, seed=3) + 2.0, name="norm/gamma")
            self.offset = tf.Variable(numbers(8, seed=4), name="norm/beta")
            self.mean = tf.Variable(numbers(8, seed=5) * 0.1, trainable=False, name="norm/mean")
            self.variance = tf.Variable(np.abs(numbers(8, seed=6)) + 1.0, trainable=False, name="norm/variance")
            self.dense = tf.Variable(numbers(8, 5, seed=7), name="dense/kernel")

        @tf.function(input_signature=[tf.TensorSpec([None, 12, 12, 3], tf.float32)])
        def __call__(self, images: Any) -> Any:
            x = ops.Conv2D(input=images, filter=self.kernel, strides=[1, 1, 1, 1], padding="SAME")
            x = ops.Relu(features=ops.BiasAdd(value=x, bias=self.bias))
            x = ops.FusedBatchNormV3(
                x=x, scale=self.scale, offset=self.offset, mean=self.mean, variance=self.variance, is_training=False
            )[0]
            x = ops.MaxPool(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
            x = ops.Mean(input=x, axis=[1, 2])
            return ops.Softmax(logits=ops.MatMul(a=x, b=self.dense))

    images = numbers(2, 12, 12, 3, seed=8)
    return Exchanged(Cnn(), None, [("__call__", (images,), {})], {"serving_default": {"images": images}})


def nested(tf: Any) -> Exchanged:
    class Scale(tf.Module):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = tf.Variable([factor] * 3)

        @tf.function
        def apply(self, x: Any) -> Any:
            return x * self.factor

    class Nested(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = Scale(0.5)
            self.list = [Scale(2.0), Scale(3.0)]
            self.tuple = (self.list[0], self.first)
            self.dict = {"one": Scale(7.0), "dots/and.slashes": [Scale(1.5)]}
            self.not_saved = [1, "two", None]

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def __call__(self, x: Any) -> Any:
            for scale in [self.first, *self.list, *self.tuple, self.dict["one"], *self.dict["dots/and.slashes"]]:
                x = scale.apply(x) + 1.0
            return {"scaled": x, "same": [x, x * 2.0]}

    x = numbers(4, 3)
    module = Nested()
    module(x)
    signature = module.list[1].apply.get_concrete_function(tf.TensorSpec([4, 3], tf.float32))
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [("__call__", (x,), {}), ("list.1.apply", (x,), {})]
    return Exchanged(module, signature, calls, {"serving_default": {"x": x}})


def two_signatures(tf: Any) -> Exchanged:
    class Counter(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.total = tf.Variable(0.0)
            self.weights = tf.Variable(numbers(3, 2))

        @tf.function(
            input_signature=[tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([2], tf.float32, name="bias")]
        )
        def predict(self, x: Any, b: Any) -> Any:
            return tf.raw_ops.MatMul(a=x, b=self.weights) + b, b

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def add(self, amount: Any) -> Any:
            before = self.total + 0.0
            self.total.assign_add(amount)
            self.total.assign(self.total * 2.0)
            return {"before": before, "after": self.total + 0.0}

    module = Counter()
    x, bias = numbers(4, 3), numbers(2, seed=9)
    return Exchanged(
        module,
        {"serving_default": module.predict, "add": module.add},
        [("predict", (x, bias), {}), ("add", (np.float32(3),), {}), ("add", (np.float32(1),), {})],
        {"serving_default": {"x": x, "bias": bias}, "add": {"amount": np.array(3, np.float32)}},
    )


def arguments(tf: Any) -> Exchanged:
    """Functions with several traces, Python values, defaults, structures and a large captured constant."""
    table = tf.constant(numbers(300, 2, seed=1))

    class Arguments(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.variable = tf.Variable(1.5)

        @tf.function
        def call(self, inputs: Any, training: bool = False, *, scale: Any = 2.0, mode: str = "plain") -> Any:
            x = inputs["x"] * self.variable + inputs["pair"][0] - inputs["pair"][1]
            if training:
                x = x * 10.0
            return (x * scale, None) if mode == "plain" else [x]

        @tf.function
        def look_up(self, rows: Any) -> Any:
            return tf.raw_ops.GatherV2(params=table, indices=rows, axis=0)

        @tf.function
        def same(self, x: Any) -> Any:
            return x, x

    module = Arguments()
    inputs = {"x": tf.constant(numbers(3)), "pair": (tf.constant(2.0), tf.constant(numbers(3, seed=2)))}
    rows = tf.constant([1, 299])
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("call", (inputs,), {}),
        ("call", (inputs, True), {}),
        ("call", (inputs,), {"training": True, "mode": "list"}),
        ("call", (inputs,), {"scale": tf.constant(5.0)}),
        ("look_up", (rows,), {}),
        ("same", (rows,), {}),
    ]
    for path, args, kwargs in calls:
        getattr(module, path)(*args, **kwargs)
    plain = {"x": numbers(3), "pair": (np.float32(2), numbers(3, seed=2))}
    calls = [
        (path, (plain, *args[1:]) if path == "call" else (np.array([1, 299], np.int32),), kwargs)
        for path, args, kwargs in calls
    ]
    calls[3] = ("call", (plain,), {"scale": np.float32(5)})
    return Exchanged(module, None, calls, {})


def trained(tf: Any) -> Exchanged:
    """A function with a gradient inside, and one that changes state in an order that matters."""
    ops = tf.raw_ops

    class Trained(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = tf.Variable(numbers(3, 2, seed=3))
            self.steps = tf.Variable(0, trainable=False)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def predict(self, x: Any) -> Any:
            return ops.Tanh(x=ops.MatMul(a=x, b=self.weights))

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32), tf.TensorSpec([None, 2], tf.float32)])
        def step(self, x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = ops.Mean(input=ops.SquaredDifference(x=self.predict(x), y=y), axis=[0, 1])
            self.weights.assign_sub(tape.gradient(loss, self.weights) * 0.1)
            self.steps.assign_add(1)
            return {"loss": loss, "steps": self.steps + 0}

    x, y = numbers(5, 3), numbers(5, 2, seed=1)
    module = Trained()
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [("step", (x, y), {})] * 3 + [("predict", (x,), {})]
    requests = {"serving_default": {"x": x}, "step": {"x": x, "y": y}}
    return Exchanged(module, {"serving_default": module.predict, "step": module.step}, calls, requests)


MODELS = {model.__name__: model for model in (simple, cnn, nested, two_signatures, arguments, trained)}


def find(root: Any, path: str) -> Any:
    """Returns what a path of attributes, keys and places leads to."""
    for name in path.split("."):
        root = root[int(name)] if name.isdecimal() else getattr(root, name)
    return root
