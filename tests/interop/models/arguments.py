"""Functions by what they take and give, and how models name them."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from described import Written, call, model, module, numbers, spec

FAMILY = "functions and signatures"
Pair = collections.namedtuple("Pair", "first second")


@model(FAMILY)
def several_traces() -> Written:
    @tf.function
    def f(x: Any) -> Any:
        return x + x

    calls = [call("f", np.array([1, 2], np.int32)), call("f", numbers(3)), call("f", numbers(2, 2))]
    calls += [call("f", np.float64(2.5)), call("f", np.array([b"a", b"b"], object))]
    for item in calls:
        f(tf.constant(item.args[0]))
    return Written(module(f=f), [*calls, call("f", numbers(2, 2, seed=4))])


@model(FAMILY)
def open_shapes() -> Written:
    @tf.function
    def f(x: Any) -> Any:
        return tf.shape(x), tf.reduce_sum(x)

    f.get_concrete_function(spec(None, 3))
    f.get_concrete_function(spec(None, None, 2))
    f.get_concrete_function(tf.TensorSpec(None, tf.int32))
    calls = [
        call("f", numbers(5, 3)),
        call("f", numbers(2, 7, 2)),
        call("f", np.arange(24).reshape(2, 3, 4).astype("i4")),
    ]
    return Written(module(f=f), [*calls, call("f", np.int32(3))])


@model(FAMILY)
def default_arguments() -> Written:
    class Defaults(tf.Module):
        @tf.function
        def f(self, x: Any, scale: Any = 2.0, *, offset: Any = None, training: bool = False) -> Any:
            x = x * scale
            if offset is not None:
                x = x + offset
            return -x if training else x

    root, x = Defaults(), numbers(4)
    calls = [
        call("f", x), call("f", x, 3.0), call("f", x, scale=3.0), call("f", x, np.float32(7)), call("f", x, training=True),
        call("f", x, offset=np.float32(1)), call("f", x, 2.0, offset=np.float32(3), training=True), call("f", x=x),
    ]  # fmt: skip
    for item in calls:
        root.f(*map(tensor, item.args), **{key: tensor(value) for key, value in item.kwargs.items()})
    return Written(root, calls)


def tensor(value: Any) -> Any:
    return tf.constant(value) if isinstance(value, (np.ndarray, np.generic)) else value


@model(FAMILY)
def python_values() -> Written:
    @tf.function
    def f(x: Any, mode: Any, flags: Any = (True, None)) -> Any:
        if mode == "double":
            x = x * 2.0
        elif mode is None:
            x = x - 1.0
        elif isinstance(mode, int):
            x = x + float(mode)
        return (x, flags[0]) if flags[1] is None else {"x": x, "flag": flags[1]}

    x = numbers(3)
    calls = [
        call("f", x, "double"), call("f", x, None), call("f", x, 5), call("f", x, mode="other"), call("f", x, True),
        call("f", x, "double", (False, 1.5)), call("f", x, "double", flags=(False, None)),
    ]  # fmt: skip
    for item in calls:
        f(*map(tensor, item.args), **item.kwargs)
    return Written(module(f=f), calls)


@model(FAMILY)
def structured_arguments() -> Written:
    @tf.function
    def f(inputs: Any, more: Any) -> Any:
        a, (b, c) = inputs["a"], inputs["list"]
        return {"sum": a + b + c["deep"], "pair": Pair(more.first, [more.second, a]), "none": None}

    inputs = {"a": numbers(2), "list": [numbers(2, seed=1), {"deep": numbers(2, seed=2)}]}
    pair = Pair(numbers(1), np.int32(4))
    f(tf.nest.map_structure(tf.constant, inputs), tf.nest.map_structure(tf.constant, pair))
    return Written(module(f=f), [call("f", inputs, pair)])


@model(FAMILY)
def keyword_arguments() -> Written:
    @tf.function
    def f(*args: Any, **kwargs: Any) -> Any:
        return sum(args), {key: value * 2.0 for key, value in kwargs.items()}

    x = [numbers(2, seed=seed) for seed in range(3)]
    calls = [call("f", x[0]), call("f", *x), call("f", x[0], x[1], z=x[2]), call("f", b=x[0], a=x[1])]
    for item in calls:
        f(*map(tensor, item.args), **{key: tensor(value) for key, value in item.kwargs.items()})
    return Written(module(f=f), calls)


@model(FAMILY)
def bound_concrete_functions() -> Written:
    weight = tf.Variable(3.0)

    @tf.function
    def f(x: Any, y: Any = 2.0) -> Any:
        return x * weight + y

    root = module(weight=weight)
    root.one = f.get_concrete_function(spec(None, name="x"))
    root.two = f.get_concrete_function(spec(None, name="first"), spec(name="second"))
    x = numbers(3)
    calls = [
        call("one", x),
        call("one", x=x),
        call("two", x, np.float32(4)),
        call("two", first=x, second=np.float32(5)),
    ]
    return Written(root, calls)


@model(FAMILY)
def signatures_in_a_dict() -> Written:
    weight = tf.Variable(numbers(3, 2))

    @tf.function(input_signature=[spec(None, 3, name="features")])
    def predict(x: Any) -> Any:
        return {"scores": x @ weight, "features": x}

    @tf.function
    def plain(x: Any, y: Any) -> Any:
        return x - y, x * y

    @tf.function(input_signature=[])
    def constant() -> Any:
        return tf.constant([1, 2, 3])

    signatures = {
        "serving_default": predict,
        "plain": plain.get_concrete_function(spec(2, name="a"), spec(2, name="b")),
        "constant": constant,
        "again": predict,
    }
    return Written(module(weight=weight, predict=predict), signatures=signatures)


@model(FAMILY)
def structured_signature() -> Written:
    @tf.function(input_signature=[{"ids": spec(None, dtype=tf.int64), "pair": (spec(None), spec(2, 2))}])
    def f(inputs: Any) -> Any:
        return {"ids": inputs["ids"] + 1, "sum": tf.reduce_sum(inputs["pair"][1]) + inputs["pair"][0]}

    inputs = {"ids": np.array([4, 5]), "pair": (numbers(3), numbers(2, 2))}
    root = module(f=f)
    return Written(root, [call("f", inputs)], signatures=root.f)


@model(FAMILY)
def concrete_function_as_the_signature() -> Written:
    @tf.function
    def f(x: Any, scale: Any = 2.0) -> Any:
        return x * scale

    return Written(module(f=f), signatures=f.get_concrete_function(spec(None, 2, name="features")))


@model(FAMILY)
def function_aliases() -> Written:
    @tf.function(input_signature=[spec(None)])
    def f(x: Any) -> Any:
        return x + 1.0

    root = module(f=f, same=f)
    return Written(root, options=tf.saved_model.SaveOptions(function_aliases={"alias": root.f}))


@model(FAMILY)
def functions_in_functions() -> Written:
    weight = tf.Variable([1.0, 2.0])

    @tf.function
    def inner(x: Any, power: int) -> Any:
        return x**power * weight

    @tf.function
    def middle(x: Any) -> Any:
        return inner(x, 2) + inner(x, 3) + inner(tf.cast(tf.range(2), tf.float32), 2)

    @tf.function(input_signature=[spec(None, 2)])
    def outer(x: Any) -> Any:
        weight.assign_add([0.5, 0.5])
        return middle(x) + middle(x + 1.0)

    return Written(module(weight=weight, outer=outer, middle=middle), [call("outer", numbers(3, 2))] * 2)


@model(FAMILY)
def callable_objects() -> Written:
    class Layer(tf.Module):
        def __init__(self, size: int) -> None:
            super().__init__()
            self.kernel = tf.Variable(numbers(3, size))

        @tf.function
        def __call__(self, x: Any, training: bool = False) -> Any:
            return x @ self.kernel * (2.0 if training else 1.0)

    class Model(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [Layer(3), Layer(2)]

        @tf.function
        def __call__(self, x: Any, training: bool = False) -> Any:
            for layer in self.layers:
                x = layer(x, training=training)
            return x

    root, x = Model(), numbers(4, 3)
    root(tf.constant(x)), root(tf.constant(x), training=True)
    calls = [
        call("__call__", x),
        call("__call__", x, training=True),
        call("__call__", x, True),
        call("layers.0.__call__", x),
    ]
    return Written(root, calls)


@model(FAMILY)
def saved_as_text(folder: Path) -> Written:
    written = several_traces()

    def save(path: str) -> None:
        from google.protobuf import text_format
        from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
        from tensorflow.python.lib.io import file_io

        tf.saved_model.save(written.root, path)
        file = Path(path, "saved_model.pb")
        file_io.write_string_to_file(
            f"{path}/saved_model.pbtxt", text_format.MessageToString(SavedModel.FromString(file.read_bytes()))
        )
        file.unlink()

    written.save = save
    return written


@model(FAMILY)
def an_input_signature_of_many_kinds() -> Written:
    @tf.function(
        input_signature=[spec(None), tf.TensorSpec(None, tf.string), spec(2, dtype=tf.bool), spec(dtype=tf.int64)]
    )
    def f(a: Any, b: Any, c: Any, d: Any) -> Any:
        return a, tf.strings.join([b, "!"]), tf.logical_not(c), d * 2

    args = (numbers(2), np.array([[b"x", b"yz"]], object), np.array([True, False]), np.int64(1 << 40))
    return Written(module(f=f), [call("f", *args), call("f", [1.0, 2.0], "text", [True, True], 5)])


@model(FAMILY)
def a_function_without_results() -> Written:
    total = tf.Variable(0.0)

    @tf.function(input_signature=[spec()])
    def add(x: Any) -> None:
        total.assign_add(x)

    @tf.function(input_signature=[])
    def read() -> Any:
        return total.read_value(), ()

    calls = [call("add", np.float32(2)), call("read"), call("add", np.float32(3)), call("read")]
    return Written(module(total=total, add=add, read=read), calls)
