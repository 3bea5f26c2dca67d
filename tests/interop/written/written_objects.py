"""Modules whose objects matter: variables, containers, signatures, aliases, several traces, structures."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
from written import Model, function_model, model, numbers, spec

from modtf import core as tf
from modtf import saved_model

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32",
    "float64", "complex64", "complex128",
)  # fmt: skip
Point = collections.namedtuple("Point", ["x", "y"])


@model("objects", without=("keras",))  # whose layers cannot give complex numbers beside others
def dtypes(folder: Any) -> Model:
    """Variables of every dtype."""
    values = np.array([[0, 1, 2], [3, 4, 100]])
    held = {name: tf.Variable(tf.cast(values, name), name=name) for name in DTYPES}

    def run(self: Any, rows: Any) -> Any:
        return {name: tf.gather(variable, rows) for name, variable in self.held.items()}

    return function_model(run, [spec([None], tf.int32, "rows")], (np.array([1, 0, 1], np.int32),), held=held)


@model("objects")
def strings_held(folder: Any) -> Model:
    """A variable of strings, and an empty one."""
    held = [tf.Variable(["one", "", "drei \N{SNOWMAN}"]), tf.Variable(tf.zeros([0, 3]))]
    run = lambda self, rows: [tf.gather(self.held[0], rows), self.held[1] + 1.0]  # noqa: E731
    return function_model(run, [spec([None], tf.int32, "rows")], (np.array([2, 0, 1], np.int32),), held=held)


@model("objects", without=("keras",))  # whose layers hold variables of fully known shapes only
def unknown_shapes(folder: Any) -> Model:
    """A variable whose shape is known in part, which a function replaces by a larger one."""
    variable = tf.Variable(numbers(2, 3), shape=[None, 3], name="growing")

    def run(self: Any, x: Any) -> Any:
        self.variable.assign(tf.concat([self.variable.read_value(), x], 0))
        return tf.reduce_sum(self.variable.read_value(), axis=0), tf.shape(self.variable.read_value())

    made = function_model(run, [spec([None, 3], name="x")], (numbers(4, 3),), variable=variable)
    return Model(made.module, made.calls * 2, made.signatures, made.requests)


@model("objects", also=("lite",))
def nested(folder: Any) -> Model:
    """Modules in lists, tuples and dicts, some of them more than once."""

    class Scale(tf.Module):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = tf.Variable([factor] * 3)

        @tf.function
        def apply(self, x: Any) -> Any:
            return x * self.factor

    first, others = Scale(0.5), [Scale(2.0), Scale(3.0)]
    named = {"one": Scale(7.0), "dots/and.slashes": [Scale(1.5)]}

    def run(self: Any, x: Any) -> Any:
        for scale in [self.first, *self.list, *self.pair, self.named["one"], *self.named["dots/and.slashes"]]:
            x = scale.apply(x) + 1.0
        return x

    held = {"first": first, "list": others, "pair": (others[0], first), "named": named, "plain": [1, "two", None]}
    made = function_model(run, [spec([4, 3], name="x")], (numbers(4, 3),), **held)
    made.module.run(tf.constant(numbers(4, 3)))
    made.calls.append(("list.1.apply", (numbers(4, 3),), {}))
    return made


@model("objects", also=("lite",))
def several_signatures(folder: Any) -> Model:
    """A function under two names, a trace as a signature, and names that are given to arguments."""

    class Several(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weights = tf.Variable(numbers(3, 2))
            self.alias = self.scale

        @tf.function(input_signature=[spec([4, 3]), spec([2], name="bias")])
        def predict(self, x: Any, b: Any) -> Any:
            return tf.matmul(x, self.weights) + b, b

        @tf.function
        def scale(self, x: Any) -> Any:
            return {"scaled": x * self.weights[0, 0]}

    module = Several()
    trace = module.scale.get_concrete_function(spec([2], name="values"))
    x, bias = numbers(4, 3), numbers(2, seed=9)
    requests = {"serving_default": {"x": x, "bias": bias}, "same": {"x": x, "bias": bias}, "scale": {"values": bias}}
    signatures = {"serving_default": module.predict, "same": module.predict, "scale": trace}
    options = saved_model.SaveOptions(function_aliases={"known_as": module.predict})
    calls: list[Any] = [("predict", (x, bias), {}), ("scale", (bias,), {}), ("alias", (bias,), {})]
    return Model(module, calls, signatures, requests, options)


@model("objects")
def python_arguments(folder: Any) -> Model:
    """Several traces, which Python values and structures choose between."""

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

        @tf.function(input_signature=[spec([], name="x")])
        def __call__(self, x: Any) -> Any:
            return x + self.variable

    module = Arguments()
    inputs = {"x": numbers(3), "pair": (np.float32(2), numbers(3, seed=2))}
    calls: list[Any] = [
        ("call", (inputs,), {}),
        ("call", (inputs, True), {}),
        ("call", (inputs,), {"training": True, "mode": "list"}),
        ("call", (inputs,), {"scale": np.float32(5)}),
        ("__call__", (np.float32(2),), {}),
    ]
    tensors = {"x": tf.constant(inputs["x"]), "pair": (tf.constant(2.0), tf.constant(inputs["pair"][1]))}
    for _, args, kwargs in calls[:4]:
        module.call(tensors, *args[1:], **{**kwargs, **({"scale": tf.constant(5.0)} if "scale" in kwargs else {})})
    return Model(module, calls, None, {"serving_default": {"x": np.float32(2)}})


@model("objects")
def structures(folder: Any) -> Model:
    """Structures of tensors that a function takes and gives."""

    class Structures(tf.Module):
        @tf.function
        def points(self, point: Any, more: Any) -> Any:
            return Point(point.y, point.x), {"b": more["b"][0], "a": [more["a"], (point.x,)]}, None

        @tf.function(input_signature=[spec([None], name="x")])
        def serve(self, x: Any) -> Any:
            return {"z": x, "a": x + 1.0, "twice": x}

    module = Structures()
    args = (Point(1.0, 2.0), {"b": [3.0], "a": 4.0})
    module.points(*tf.nest.map_structure(tf.constant, args))
    return Model(module, [("serve", (numbers(3),), {})], None, {"serving_default": {"x": numbers(3)}})


@model("objects")
def constants(folder: Any) -> Model:
    """Constants that functions captured, large and small, and a tensor that is an attribute."""
    table, words = tf.constant(numbers(3000, 2, seed=1)), tf.constant(["a", "b"])

    def run(self: Any, rows: Any) -> Any:
        return {"rows": tf.gather(table, rows), "words": tf.gather(words, rows % 2), "held": self.held * 2.0}

    args = (np.array([1, 2999], np.int32),)
    return function_model(run, [spec([None], tf.int32, "rows")], args, held=tf.constant([1.0, 2.0]))


@model("objects", without=("keras", "tf_keras"))  # whose layers take an argument
def without_arguments(folder: Any) -> Model:
    variable = tf.Variable([1.0, 2.0])
    made = function_model(lambda self: self.variable * 2.0, [], (), variable=variable)
    return Model(made.module, made.calls, made.signatures, {"serving_default": {}})


@model("objects")
def loaded_again(folder: Any) -> Model:
    """A model that was saved, loaded, changed, and saved again."""
    weights = tf.Variable(numbers(3, 2))
    made = function_model(lambda self, x: tf.matmul(x, self.weights), [spec([None, 3], name="x")], (numbers(4, 3),),
                          weights=weights)  # fmt: skip
    saved_model.save(made.module, folder / "first", signatures=made.signatures)
    loaded = saved_model.load(folder / "first")
    loaded.weights.assign(loaded.weights * 2.0)
    return Model(loaded, made.calls, dict(loaded.signatures), made.requests)
