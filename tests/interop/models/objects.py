"""What models are made of: variables, containers, constants, state."""

from __future__ import annotations

import collections
import functools
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from described import Written, call, model, module, numbers, spec

FAMILY = "variables and objects"
DTYPES = [
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "complex64",
    "complex128",
    "string",
    "float8_e4m3fn",
    "float8_e5m2",
]
Pair = collections.namedtuple("Pair", "first second")


def some(dtype: Any) -> Any:
    """A few values of a dtype, as extreme as it has them."""
    dtype = tf.as_dtype(dtype)
    if dtype == tf.string:
        return np.array([b"", b"\x00\xff", "ä".encode(), b"z" * 300], object)
    if dtype == tf.bool:
        return np.array([True, False, True])
    if dtype.is_integer:
        return np.array([dtype.min, 0, 1, dtype.max], dtype.as_numpy_dtype)
    if dtype.is_complex:
        return np.array([1 + 2j, -0.5j, 3], dtype.as_numpy_dtype)
    return np.array([-1.5, 0.25, 0.0, 16.0], dtype.as_numpy_dtype)


@model(FAMILY)
def variables_of_every_dtype() -> Written:
    root, calls = module(), []
    for name in DTYPES:
        variable = tf.Variable(some(name))
        setattr(root, name, variable)
        setattr(root, f"read_{name}", tf.function(variable.read_value, input_signature=[]))
        calls.append(call(f"read_{name}"))
    return Written(root, calls)


def both(captured: Any) -> Any:
    return captured, tf.constant(some(captured.dtype))


@model(FAMILY)
def constants_of_every_dtype() -> Written:
    root, calls = module(), []
    for name in DTYPES:
        setattr(root, name, tf.function(functools.partial(both, tf.constant(some(name))), input_signature=[]))
        calls.append(call(name))
    return Written(root, calls)


@model(FAMILY)
def arguments_of_every_dtype() -> Written:
    f = tf.function(lambda x: (tf.identity(x), tf.reshape(x, [-1, 1])))
    for name in DTYPES:
        f.get_concrete_function(tf.TensorSpec([None], name))
    return Written(module(f=f), [call("f", some(name)) for name in DTYPES])


@model(FAMILY)
def casts_between_dtypes() -> Written:
    kinds = [
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "int8",
        "int32",
        "int64",
        "uint8",
        "uint64",
        "bool",
        "complex64",
    ]

    @tf.function(input_signature=[spec(None)])
    def f(x: Any) -> Any:
        return [tf.cast(tf.cast(x, one), other) for one in kinds for other in kinds]

    return Written(module(f=f), [call("f", np.array([0.0, 1.0, 2.5, 100.0], np.float32))])


@model(FAMILY)
def variables_of_open_shapes() -> Written:
    class Open(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rows = tf.Variable(numbers(2, 3), shape=[None, 3])
            self.any = tf.Variable([1.0], shape=tf.TensorShape(None))

        @tf.function(input_signature=[spec(None, 3)])
        def append(self, x: Any) -> Any:
            self.rows.assign(tf.concat([self.rows, x], 0))
            self.any.assign(tf.reduce_sum(self.rows))
            return self.rows.read_value(), self.any.read_value()

    return Written(Open(), [call("append", numbers(1, 3)), call("append", numbers(4, 3))])


@model(FAMILY)
def variables_with_options() -> Written:
    class Options(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.frozen = tf.Variable(1.0, trainable=False, name="frozen")
            self.count = tf.Variable(
                0, dtype=tf.int64, trainable=False, synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )  # fmt: skip
            self.named = tf.Variable([1.0, 2.0], name="scope/with.dots/named")
            self.empty = tf.Variable(np.zeros((0, 3), np.float32))

        @tf.function(input_signature=[])
        def f(self) -> Any:
            self.count.assign_add(1)
            return self.frozen + self.named, self.count.read_value(), tf.shape(self.empty)

    return Written(Options(), [call("f"), call("f")])


@model(FAMILY)
def updates_of_variables() -> Written:
    class Updates(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.v = tf.Variable(numbers(4, 2))

        @tf.function(input_signature=[spec(None, dtype=tf.int32), spec(None, 2)])
        def f(self, rows: Any, values: Any) -> Any:
            slices = tf.IndexedSlices(values, rows)
            self.v.scatter_add(slices)
            self.v.scatter_mul(slices)
            self.v.scatter_nd_update(rows[:, None], values)
            self.v[1, :].assign([7.0, 8.0])
            self.v.scatter_max(tf.IndexedSlices(values * 2.0, rows))
            return self.v.read_value(), tf.gather(self.v, rows), self.v.sparse_read(rows)

    return Written(Updates(), [call("f", np.array([3, 0], np.int32), numbers(2, 2))] * 2)


@model(FAMILY)
def containers() -> Written:
    class Part(tf.Module):
        def __init__(self, value: float) -> None:
            super().__init__()
            self.v = tf.Variable(value)

        @tf.function(input_signature=[])
        def f(self) -> Any:
            return self.v * 2.0

    class Containers(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.list = [Part(1.0), [Part(2.0), tf.Variable(3.0)], "text", 4]
            self.dict = {"a": Part(5.0), "nested": {"b": [Part(6.0)]}, "number": 7}
            self.tuple = (Part(8.0), (Part(9.0), tf.Variable(10.0)))
            self.pair = Pair(Part(11.0), tf.Variable(12.0))
            self.shared = self.list[0]
            self.itself = self
            self.functions = [self.shared.f, self.tuple[0].f]
            self.empty = [[], {}, ()]

        @tf.function(input_signature=[])
        def f(self) -> Any:
            return [self.list[1][1].read_value(), self.tuple[1][1] + self.pair.second, self.shared.f()]

    return Written(Containers(), [call("f"), call("pair.0.f"), call("tuple.1.0.f"), call("itself.shared.f")])


@model(FAMILY)
def captured_constants() -> Written:
    large, words = tf.constant(numbers(200, 5)), tf.constant([["a", "b"], ["c", ""]])
    splat, nothing = tf.fill([300], 7), tf.zeros([0, 2])
    nan = tf.constant([np.nan, np.inf, -np.inf, -0.0, 1e-40], tf.float32)

    @tf.function(input_signature=[spec(None, dtype=tf.int32)])
    def f(rows: Any) -> Any:
        return tf.gather(large, rows), words, splat, nothing, nan, tf.constant(3 + 4j)

    return Written(module(f=f, kept=large), [call("f", np.array([3, 199], np.int32))])


@model(FAMILY)
def sharded_variables(folder: Path) -> Written:
    """Variables in several files, as on several devices."""
    devices = tf.config.list_logical_devices("CPU")
    root = module(parts=[tf.Variable(numbers(5, 3, seed=seed)) for seed in range(4)])
    root.f = tf.function(lambda: tf.add_n(root.parts), input_signature=[])

    def save(path: str) -> None:
        from modtf.saved_model import BundleReader  # the same tensors, dealt out

        tf.saved_model.save(root, path)
        prefix = f"{path}/variables/variables"
        reader = BundleReader(prefix)
        names = sorted(reader)
        values = tf.raw_ops.RestoreV2(
            prefix=prefix, tensor_names=names, shape_and_slices=[""] * len(names),
            dtypes=[tf.string if reader[name].dtype.kind == "O" else tf.as_dtype(reader[name].dtype) for name in names],
        )  # fmt: skip
        parts = [f"{folder}/part-{number:05}-of-{len(names):05}" for number in range(len(names))]
        for part, name, value in zip(parts, names, values, strict=True):
            tf.raw_ops.SaveV2(prefix=part, tensor_names=[name], shape_and_slices=[""], tensors=[value])
        tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix=prefix)

    assert devices
    return Written(root, save=save)


@model(FAMILY)
def a_training_step() -> Written:
    class Trained(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(numbers(3, 2))
            self.bias = tf.Variable(tf.zeros([2]))
            self.slots = [tf.Variable(tf.zeros([3, 2]), trainable=False), tf.Variable(tf.zeros([2]), trainable=False)]
            self.step = tf.Variable(0, trainable=False, dtype=tf.int64)

        @tf.function(input_signature=[spec(None, 3)])
        def predict(self, x: Any) -> Any:
            return tf.nn.softmax(x @ self.kernel + self.bias)

        @tf.function(input_signature=[spec(None, 3), spec(None, dtype=tf.int32)])
        def train(self, x: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                logits = x @ self.kernel + self.bias
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
                loss = tf.reduce_mean(losses)
            variables = [self.kernel, self.bias]
            for variable, slot, gradient in zip(variables, self.slots, tape.gradient(loss, variables), strict=True):
                slot.assign(0.9 * slot + gradient)
                variable.assign_sub(0.1 * slot)
            self.step.assign_add(1)
            return {"loss": loss, "step": self.step.read_value()}

    x, labels = numbers(6, 3), np.array([0, 1, 1, 0, 1, 0], np.int32)
    return Written(Trained(), [*[call("train", x, labels)] * 5, call("predict", x)])


@model(FAMILY)
def a_keras_optimizers_step() -> Written:
    import keras

    class Trained(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = keras.layers.Dense(2)
            self.layer.build((None, 3))
            self.layer.kernel.assign(numbers(3, 2))
            self.optimizer = keras.optimizers.Adam(0.1)
            self.optimizer.build(self.layer.trainable_variables)

        @tf.function(input_signature=[spec(None, 3), spec(None, 2)])
        def train(self, x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self.layer(x) - y) ** 2)
            variables = self.layer.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            return loss

    return Written(Trained(), [call("train", numbers(4, 3), numbers(4, 2))] * 4)


@model(FAMILY)
def a_random_generators_state() -> Written:
    class Random(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.philox = tf.random.Generator.from_seed(3)
            self.other = tf.random.Generator.from_seed(4)

        @tf.function(input_signature=[])
        def f(self) -> Any:
            return [
                self.philox.normal([4]), self.philox.uniform([3], maxval=10, dtype=tf.int32), self.other.uniform([2, 2]),
                self.other.truncated_normal([3]),
            ]  # fmt: skip

    return Written(Random(), [call("f"), call("f")])


@model(FAMILY)
def registered_objects() -> Written:
    from tensorflow.python.saved_model import registration

    @registration.register_serializable(
        package="modtf_tests", name="Counter", predicate=lambda item: type(item).__name__ == "Counter"
    )
    class Counter(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = tf.Variable(3)

        def _serialize_to_proto(self, **kwargs: Any) -> None:
            return None

        @classmethod
        def _deserialize_from_proto(cls, **kwargs: Any) -> Any:
            return cls()

    counter = Counter()

    @tf.function(input_signature=[])
    def f() -> Any:
        return counter.count.assign_add(1)

    return Written(module(counter=counter, f=f), [call("f"), call("f")])
