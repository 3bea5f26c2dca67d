"""Models in the manner of TensorFlow 1, written by TensorFlow: graphs, sessions, collections; with what they compute."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as oracle
from tensorflow.core.framework import attr_value_pb2

v1 = oracle.compat.v1
Arrays = dict[str, np.ndarray]


@dataclass
class Version1:
    """A model.

    Attributes:
        build: adds it to the current graph; returns, for each signature, its inputs and outputs, and what to call it with,
            one set of arrays for each call.
        resources: whether variables are resources rather than references.
        functional: whether conditionals and loops are ops with functions rather than Switch, Merge and their kin.
        legacy: whether the values of the variables are in a checkpoint of the older format.
        text: whether the file is text.
        gradients: inputs by which the sum of the default signature's squared outputs is differentiated.
    """

    build: Callable[[], dict[str, tuple[dict[str, Any], dict[str, Any], list[Arrays]]]]
    resources: bool = True
    functional: bool = False
    legacy: bool = False
    text: bool = False
    gradients: tuple[str, ...] = ()


MODELS: dict[str, Version1] = {}


def model(**options: Any) -> Callable[[Any], Any]:
    def add(build: Any) -> Any:
        MODELS[build.__name__] = Version1(build, **options)
        return build

    return add


class Written(NamedTuple):
    """What a model that was written shall compute.

    Attributes:
        calls: in their order, the signature, the arguments and the results of calls.
        gradients: the gradients by inputs and then by trainable variables, for the arguments of the first call.
    """

    calls: list[tuple[str, Arrays, Arrays]]
    gradients: list[np.ndarray]


def write(name: str, folder: Path) -> Written:
    """Writes a model; returns what TensorFlow computes with it."""
    described = MODELS[name]
    shutil.rmtree(folder, ignore_errors=True)
    (v1.enable_control_flow_v2 if described.functional else v1.disable_control_flow_v2)()
    (v1.enable_resource_variables if described.resources else v1.disable_resource_variables)()
    try:
        with oracle.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            v1.set_random_seed(7)
            signatures = described.build()
            saver = None
            if described.legacy:
                saver = v1.train.Saver(write_version=v1.train.SaverDef.V1)
            session.run([v1.global_variables_initializer(), v1.local_variables_initializer(), v1.tables_initializer()])
            session.run(v1.get_collection("to_run_before_saving"))
            builder = v1.saved_model.Builder(str(folder))
            builder.add_meta_graph_and_variables(
                session,
                ["serve"],
                {key: signature(inputs, outputs) for key, (inputs, outputs, _) in signatures.items()},
                assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
                main_op=v1.group(v1.local_variables_initializer(), v1.tables_initializer()),
                saver=saver,
            )
            builder.save(as_text=described.text)
            results = [
                (key, arrays, session.run(outputs, {inputs[name]: value for name, value in arrays.items()}))
                for key, (inputs, outputs, calls) in signatures.items()
                for arrays in calls
            ]
            gradients = []
            if described.gradients:
                inputs, outputs, (arrays, *_) = signatures["serving_default"]
                total = oracle.add_n([oracle.reduce_sum(output**2) for output in outputs.values()])
                by = [inputs[name] for name in described.gradients] + v1.trainable_variables()
                gradients = session.run(
                    v1.gradients(total, by), {inputs[name]: value for name, value in arrays.items()}
                )
            return Written(results, gradients)
    finally:
        v1.enable_control_flow_v2()
        v1.enable_resource_variables()


def signature(inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
    infos = [
        {name: v1.saved_model.build_tensor_info(item) for name, item in part.items()} for part in (inputs, outputs)
    ]
    return v1.saved_model.build_signature_def(*infos, "tensorflow/serving/predict")


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def placeholder(dtype: Any, shape: Any, name: str) -> Any:
    return v1.placeholder(dtype, shape, name)


def variable(name: str, value: Any, **options: Any) -> Any:
    return v1.get_variable(name, initializer=oracle.constant(value), **options)


def served(inputs: dict[str, Any], outputs: Any, *calls: Arrays) -> Any:
    return {"serving_default": (inputs, outputs if isinstance(outputs, dict) else {"y": outputs}, list(calls))}


# ------------------------------------------------------------------------------------------------- variables


def _linear() -> Any:
    x = placeholder(oracle.float32, [None, 3], "x")
    weight = variable("dense/kernel", numbers(3, 4, seed=1))
    bias = variable("dense/bias", numbers(4, seed=2))
    variable("unused", np.int64(3), trainable=False)
    hidden = oracle.nn.relu(oracle.matmul(x, weight) + bias)
    signatures = served({"x": x}, {"y": hidden, "total": oracle.reduce_sum(hidden)}, {"x": numbers(2, 3)})
    signatures["norm"] = ({"given": x}, {"norm": oracle.norm(hidden)}, [{"given": numbers(1, 3)}])
    return signatures


@model()
def linear() -> Any:
    return _linear()


@model(resources=False)
def linear_references() -> Any:
    return _linear()


@model(text=True)
def linear_text() -> Any:
    return _linear()


@model(resources=False, legacy=True)
def legacy_checkpoint() -> Any:
    signatures = _linear()
    signatures["more"] = (
        {},
        {
            "int64": variable("int64", np.arange(1000)).read_value(),
            "half": variable("half", numbers(5).astype(np.float16)).read_value(),
            "bool": variable("bool", np.array([True, False])).read_value(),
            "zeros": variable("zeros", np.zeros([40, 50], np.float32)).read_value(),
        },
        [{}],
    )
    return signatures


@model(resources=False, legacy=True)
def legacy_partitioned() -> Any:
    return _partitioned()


def _partitioned() -> Any:
    with v1.variable_scope("parts", partitioner=v1.fixed_size_partitioner(3)):
        table = v1.get_variable("table", [7, 2], initializer=v1.random_normal_initializer(seed=3))
    ids = placeholder(oracle.int64, [None], "ids")
    rows = v1.nn.embedding_lookup(table, ids, partition_strategy="div")
    whole = oracle.convert_to_tensor(table)
    return served({"ids": ids}, {"rows": rows, "whole": whole}, {"ids": np.array([0, 6, 3, 3])})


@model()
def partitioned() -> Any:
    return _partitioned()


@model(resources=False)
def partitioned_references() -> Any:
    return _partitioned()


@model(resources=False)
def updates_of_references() -> Any:
    state = variable("state", np.zeros([3, 2], np.float32), trainable=False)
    count = variable("count", np.int64(5), trainable=False)
    x = placeholder(oracle.float32, [2], "x")
    added = v1.assign_add(state, oracle.stack([x, 2 * x, 3 * x]))
    with oracle.control_dependencies([added]):
        scattered = v1.scatter_update(state, [1], [x])
    with oracle.control_dependencies([scattered]):
        more = v1.scatter_nd_add(state, [[2]], [x])
    with oracle.control_dependencies([more]):
        counted = v1.assign_sub(count, 1)
        after = oracle.identity(state)
    initialised = v1.is_variable_initialized(count)
    outputs = {"after": after, "count": oracle.identity(counted), "initialised": initialised}
    signatures = served({"x": x}, outputs, *[{"x": numbers(2, seed=seed)} for seed in range(3)])
    signatures["look"] = ({}, {"state": state.value(), "count": count.value()}, [{}])
    return signatures


@model()
def updates_of_resources() -> Any:
    state = variable("state", np.zeros([3, 2], np.float32), trainable=False)
    x = placeholder(oracle.float32, [2], "x")
    with oracle.control_dependencies([state.assign_add(oracle.stack([x, 2 * x, 3 * x]))]):
        after = state.read_value()
    return served({"x": x}, {"after": after}, *[{"x": numbers(2, seed=seed)} for seed in range(3)])


@model(resources=False)
def trained_references() -> Any:
    x, target = placeholder(oracle.float32, [None, 3], "x"), placeholder(oracle.float32, [None, 1], "target")
    prediction = oracle.matmul(x, variable("kernel", numbers(3, 1)))
    loss = oracle.reduce_mean((prediction - target) ** 2)
    step = v1.train.AdamOptimizer(0.1).minimize(loss)
    with oracle.control_dependencies([step]):
        done = oracle.identity(loss)
    signatures = served({"x": x}, prediction, {"x": numbers(2, 3)})
    batch = {"x": numbers(4, 3), "target": numbers(4, 1, seed=5)}
    signatures["train"] = ({"x": x, "target": target}, {"loss": done}, [batch] * 3)
    return signatures


@model()
def local_variables() -> Any:
    offset = v1.get_local_variable("offset", initializer=oracle.constant([1.0, 2.0]))
    x = placeholder(oracle.float32, [2], "x")
    return served({"x": x}, x + offset, {"x": numbers(2)})


# ------------------------------------------------------------------------------------------------- conditionals


def _cond(x: Any) -> Any:
    return oracle.cond(
        oracle.reduce_sum(x) > 0, lambda: (x * 2.0, oracle.constant(1)), lambda: (x - 1.0, oracle.size(x))
    )


@model()
def conditional() -> Any:
    x = placeholder(oracle.float32, [None], "x")
    y, which = _cond(x)
    return served({"x": x}, {"y": y, "which": which}, {"x": np.ones(3, np.float32)}, {"x": -np.ones(2, np.float32)})


@model(functional=True)
def conditional_of_functions() -> Any:
    x = placeholder(oracle.float32, [None], "x")
    y, which = _cond(x)
    return served({"x": x}, {"y": y, "which": which}, {"x": np.ones(3, np.float32)}, {"x": -np.ones(2, np.float32)})


@model(resources=False)
def conditional_with_effects() -> Any:
    calls = variable("calls", 0, trainable=False)
    p, q = placeholder(oracle.bool, [], "p"), placeholder(oracle.bool, [], "q")
    counted = oracle.cond(p, lambda: v1.assign_add(calls, 10) + 0, lambda: oracle.identity(calls))
    with oracle.control_dependencies([counted]):
        again = oracle.cond(p, lambda: counted * 2, lambda: v1.assign_add(calls, 1) + 0)
    nested = oracle.cond(
        p,
        lambda: oracle.cond(q, lambda: again + 1, lambda: again + 2),
        lambda: oracle.cond(p, lambda: again * 0, lambda: again + oracle.cast(q, oracle.int32) * 100),
    )
    combinations = [{"p": np.array(a), "q": np.array(b)} for a in (False, True) for b in (False, True)]
    signatures = served({"p": p, "q": q}, {"again": again, "nested": nested}, *combinations)
    signatures["look"] = ({}, {"calls": calls.value()}, [{}])
    return signatures


@model(gradients=("x",))
def nested_conditionals() -> Any:
    x = placeholder(oracle.float32, [], "x")

    def halved(y: Any, depth: int) -> Any:
        if not depth:
            return y + 1.0
        return oracle.cond(y > depth, lambda: halved(y * 0.5, depth - 1), lambda: halved(y * y - depth, depth - 1))

    return served({"x": x}, halved(x, 4), *[{"x": np.array(value, np.float32)} for value in (-1.5, 0, 2.5, 9)])


@model()
def cases() -> Any:
    x = placeholder(oracle.int32, [], "x")
    chosen = oracle.case(
        [(x < 0, lambda: oracle.constant(b"negative")), (x > 10, lambda: oracle.strings.as_string(x))],
        default=lambda: oracle.strings.join(["few", oracle.strings.as_string(x)], "-"),
    )
    return served({"x": x}, chosen, *[{"x": np.array(value, np.int32)} for value in (-3, 20, 4)])


@model()
def checked() -> Any:
    x = placeholder(oracle.float32, [None], "x")
    with oracle.control_dependencies([v1.assert_non_negative(x), v1.assert_less(x, 10.0)]):
        y = oracle.sqrt(x)
    return served({"x": x}, y, {"x": np.array([1, 4], np.float32)})


@model()
def gradient_of_conditional() -> Any:
    x = placeholder(oracle.float32, [None], "x")
    y, _ = _cond(x)
    (dx,) = v1.gradients(y * y, [x])
    return served({"x": x}, dx, {"x": np.ones(3, np.float32)}, {"x": -np.ones(2, np.float32)})


# ------------------------------------------------------------------------------------------------- loops


def _collatz(n: Any) -> Any:
    def step(n: Any, count: Any) -> Any:
        half = oracle.cond(oracle.equal(n % 2, 0), lambda: n // 2, lambda: 3 * n + 1)
        return half, count + 1

    return oracle.while_loop(lambda n, count: n > 1, step, (n, oracle.constant(0)))


@model()
def loop_with_conditional() -> Any:
    n = placeholder(oracle.int32, [], "n")
    last, count = _collatz(n)
    return served({"n": n}, {"last": last, "count": count}, *[{"n": np.array(value, np.int32)} for value in (1, 6, 27)])


@model(functional=True)
def loop_of_functions() -> Any:
    n = placeholder(oracle.int32, [], "n")
    last, count = _collatz(n)
    return served({"n": n}, {"last": last, "count": count}, *[{"n": np.array(value, np.int32)} for value in (1, 6, 27)])


@model(resources=False, gradients=("x",))
def nested_loops() -> Any:
    x = placeholder(oracle.float32, [None, 2], "x")
    scale = variable("scale", np.float32(0.5))

    def outer(i: Any, total: Any) -> Any:
        row = x[i] * scale

        def inner(j: Any, sum_: Any) -> Any:
            return j + 1, sum_ + row * oracle.cast(j, oracle.float32)

        _, sum_ = oracle.while_loop(lambda j, sum_: j < i + 2, inner, (oracle.constant(0), oracle.zeros([2])))
        return i + 1, total + sum_

    _, total = oracle.while_loop(
        lambda i, total: i < oracle.shape(x)[0], outer, (oracle.constant(0), oracle.zeros([2]))
    )
    return served({"x": x}, total, {"x": numbers(3, 2)}, {"x": numbers(0, 2)})


@model()
def growing_loop() -> Any:
    x = placeholder(oracle.string, [None], "x")
    invariants = (oracle.TensorShape([]), oracle.TensorShape([None]))
    _, grown = oracle.while_loop(
        lambda i, grown: i < 3,
        lambda i, grown: (i + 1, oracle.concat([grown, [oracle.strings.as_string(i)]], 0)),
        (oracle.constant(0), oracle.identity(x)),
        shape_invariants=invariants,
    )
    return served({"x": x}, grown, {"x": np.array([b"a", b"bc"], object)})


@model(resources=False)
def loop_with_effects() -> Any:
    total = variable("total", np.float32(0), trainable=False)
    n = placeholder(oracle.int32, [], "n")

    def step(i: Any) -> Any:
        with oracle.control_dependencies([v1.assign_add(total, oracle.cast(i, oracle.float32))]):
            return oracle.identity(i) + 1

    last = oracle.while_loop(lambda i: i < n, step, [oracle.constant(0)], parallel_iterations=1)
    with oracle.control_dependencies(oracle.nest.flatten(last)):
        after = oracle.identity(total)
    return served({"n": n}, {"after": after}, {"n": np.array(4, np.int32)}, {"n": np.array(3, np.int32)})


@model(gradients=("x",))
def mapped() -> Any:
    x = placeholder(oracle.float32, [None, 3], "x")
    squares, sums = oracle.map_fn(
        lambda row: (row * row, oracle.reduce_sum(row)), x, fn_output_signature=(oracle.float32, oracle.float32)
    )
    return served({"x": x}, {"squares": squares, "sums": sums}, {"x": numbers(4, 3)}, {"x": numbers(1, 3)})


@model()
def scanned() -> Any:
    x = placeholder(oracle.float32, [5, 2], "x")
    return served(
        {"x": x},
        {
            "scan": oracle.scan(lambda sum_, row: sum_ * 0.5 + row, x),
            "backwards": oracle.scan(lambda sum_, row: sum_ + row, x, reverse=True),
            "left": oracle.foldl(lambda a, b: a - b, x),
            "right": oracle.foldr(lambda a, b: a - b, x),
        },
        {"x": numbers(5, 2)},
    )


@model()
def nested_maps() -> Any:
    x = placeholder(oracle.int32, [None, None], "x")
    y = oracle.map_fn(lambda row: oracle.map_fn(lambda item: oracle.range(3) * item, row), x)
    return served({"x": x}, y, {"x": np.arange(6, dtype=np.int32).reshape(2, 3)})


@model()
def tensor_arrays() -> Any:
    x = placeholder(oracle.float32, [None, 2], "x")
    n = oracle.shape(x)[0]
    array = v1.TensorArray(oracle.float32, size=0, dynamic_size=True, clear_after_read=False, infer_shape=False)
    _, array = oracle.while_loop(
        lambda i, array: i < n, lambda i, array: (i + 1, array.write(i, x[: i + 1])), (oracle.constant(0), array)
    )
    pieces = v1.TensorArray(oracle.float32, size=2, infer_shape=False).split(x, [1, n - 1])
    return served(
        {"x": x},
        {
            "concat": array.concat(),
            "size": array.size(),
            "last": array.read(n - 1),
            "piece": pieces.read(1),
            "gathered": v1.TensorArray(oracle.float32, size=n).unstack(x).gather([2, 0]),
        },
        {"x": numbers(3, 2)},
    )


# ------------------------------------------------------------------------------------------------- recurrent networks


def _gate(inputs: Any, state: Any, name: str, units: int) -> Any:
    with v1.variable_scope(name, reuse=v1.AUTO_REUSE):
        kernel = v1.get_variable(
            "kernel", [inputs.shape[-1] + units, units], initializer=v1.random_normal_initializer(seed=len(name))
        )
        bias = v1.get_variable("bias", [units], initializer=v1.zeros_initializer())
    return oracle.matmul(oracle.concat([inputs, state], 1), kernel) + bias


class Cell:
    """An LSTM's cell, as `dynamic_rnn` takes it."""

    def __init__(self, units: int, name: str) -> None:
        self.units, self.name = units, name

    def __call__(self, inputs: Any, state: Any) -> Any:
        with v1.variable_scope(self.name, reuse=v1.AUTO_REUSE):
            memory, output = state
            forget, take, give = (
                oracle.sigmoid(_gate(inputs, output, key, self.units)) for key in ("forget", "in", "out_")
            )
            memory = forget * memory + take * oracle.tanh(_gate(inputs, output, "cell_", self.units))
            output = give * oracle.tanh(memory)
        return output, (memory, output)


def _dynamic_rnn(cell: Cell, x: Any, lengths: Any) -> tuple[Any, Any]:
    """The loop that `tf.nn.dynamic_rnn` makes: TensorArrays for inputs and outputs, copies behind a sequence's end."""
    steps, batch = oracle.shape(x)[0], oracle.shape(x)[1]
    inputs = v1.TensorArray(oracle.float32, size=steps, element_shape=x.shape[1:]).unstack(x)
    outputs = v1.TensorArray(oracle.float32, size=steps, element_shape=oracle.TensorShape([None, cell.units]))
    zeros = oracle.zeros([batch, cell.units])
    zeros.set_shape([None, cell.units])

    def step(time: Any, outputs: Any, memory: Any, output: Any) -> Any:
        given = inputs.read(time)
        given.set_shape(x.shape[1:])
        new, (new_memory, new_output) = cell(given, (memory, output))
        over = time >= lengths

        def pick() -> Any:
            return [
                oracle.where(over[:, None], old, item)
                for old, item in ((zeros, new), (memory, new_memory), (output, new_output))
            ]

        new, new_memory, new_output = oracle.cond(
            time < oracle.reduce_min(lengths), lambda: [new, new_memory, new_output], pick
        )
        return time + 1, outputs.write(time, new), new_memory, new_output

    _, outputs, memory, output = oracle.while_loop(
        lambda time, *rest: time < steps, step, (oracle.constant(0), outputs, zeros, zeros)
    )
    return outputs.stack(), (memory, output)


def _rnn() -> Any:
    x, lengths = placeholder(oracle.float32, [None, None, 3], "x"), placeholder(oracle.int32, [None], "lengths")
    outputs, (memory, output) = _dynamic_rnn(Cell(4, "lstm"), oracle.transpose(x, [1, 0, 2]), lengths)
    return served(
        {"x": x, "lengths": lengths},
        {"outputs": oracle.transpose(outputs, [1, 0, 2]), "memory": memory, "output": output},
        {"x": numbers(2, 5, 3), "lengths": np.array([5, 3], np.int32)},
        {"x": numbers(3, 2, 3), "lengths": np.array([1, 2, 0], np.int32)},
    )


@model(gradients=("x",))
def lstm() -> Any:
    return _rnn()


@model(resources=False)
def lstm_of_references() -> Any:
    return _rnn()


@model(functional=True)
def lstm_of_functions() -> Any:
    return _rnn()


@model()
def bidirectional() -> Any:
    x, lengths = placeholder(oracle.float32, [None, None, 3], "x"), placeholder(oracle.int32, [None], "lengths")
    there, _ = _dynamic_rnn(Cell(4, "there"), oracle.transpose(x, [1, 0, 2]), lengths)
    turned = oracle.reverse_sequence(x, lengths, seq_axis=1, batch_axis=0)
    back, _ = _dynamic_rnn(Cell(4, "back"), oracle.transpose(turned, [1, 0, 2]), lengths)
    back = oracle.reverse_sequence(back, lengths, seq_axis=0, batch_axis=1)
    return served(
        {"x": x, "lengths": lengths},
        oracle.concat([there, back], 2),
        {"x": numbers(2, 5, 3), "lengths": np.array([5, 3], np.int32)},
    )


@model(resources=False, gradients=("x",))
def static_rnn() -> Any:
    x = placeholder(oracle.float32, [None, 4, 3], "x")
    cell = Cell(2, "lstm")
    state = (oracle.zeros([oracle.shape(x)[0], 2]),) * 2
    for item in oracle.unstack(x, axis=1):
        output, state = cell(item, state)
    return served({"x": x}, output, {"x": numbers(2, 4, 3)})


@model(gradients=("x",))
def recurrent_blocks() -> Any:
    x, length = placeholder(oracle.float32, [None, 2, 3], "x"), placeholder(oracle.int64, [], "length")
    weights = variable("kernel", numbers(7, 16)), *(variable(f"w{gate}", numbers(4)) for gate in "ifo")
    zeros, bias = oracle.zeros([2, 4]), variable("bias", numbers(16, seed=1))
    _, cell, _, _, _, _, output = oracle.raw_ops.BlockLSTM(
        seq_len_max=length, x=x, cs_prev=zeros, h_prev=zeros, b=bias, use_peephole=True,
        **dict(zip(("w", "wci", "wcf", "wco"), weights, strict=True)),
    )  # fmt: skip
    return served(
        {"x": x, "length": length},
        {"cell": cell, "output": output},
        {"x": numbers(5, 2, 3), "length": np.array(5)},
        {"x": numbers(5, 2, 3), "length": np.array(3)},
    )


# ------------------------------------------------------------------------------------------------- tables and strings


def _vocabulary() -> str:
    path = os.path.join(v1.test.get_temp_dir(), "vocabulary.txt")
    Path(path).write_text("the\ncat\nsat\n")
    return path


@model()
def vocabulary() -> Any:
    index = oracle.lookup.TextFileIndex
    initializer = oracle.lookup.TextFileInitializer(
        _vocabulary(), oracle.string, index.WHOLE_LINE, oracle.int64, index.LINE_NUMBER
    )
    table = oracle.lookup.StaticVocabularyTable(initializer, num_oov_buckets=2)
    words = placeholder(oracle.string, [None], "words")
    return served(
        {"words": words},
        {"ids": table.lookup(words), "size": table.size()},
        {"words": np.array([b"sat", b"on", b"the"], object)},
    )


@model()
def tables_of_references() -> Any:
    graph = v1.get_default_graph()
    dtypes = {"key_dtype": oracle.string, "value_dtype": oracle.int64}
    attrs = {name: attr_value_pb2.AttrValue(type=dtype.as_datatype_enum) for name, dtype in dtypes.items()}
    table = graph.create_op("HashTable", [], [oracle.string._as_ref], attrs=attrs).outputs[0]
    keys, values = oracle.constant([b"a", b"b"]), oracle.constant([5, 7], oracle.int64)
    filled = graph.create_op("InitializeTable", [table, keys, values], [])
    v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, filled)
    x = placeholder(oracle.string, [None], "x")
    default = oracle.constant(-1, oracle.int64)
    found = graph.create_op("LookupTableFind", [table, x, default], [oracle.int64]).outputs[0]
    return served({"x": x}, found, {"x": np.array([b"b", b"c", b"a"], object)})


@model()
def mutable_table() -> Any:
    table = oracle.lookup.experimental.DenseHashTable(
        oracle.int64, oracle.float32, default_value=-1.0, empty_key=-7, deleted_key=-8
    )
    v1.add_to_collection("to_run_before_saving", table.insert([3, 4], [0.5, 1.5]))
    x = placeholder(oracle.int64, [None], "x")
    return served({"x": x}, table.lookup(x), {"x": np.array([4, 5, 3])})


@model()
def sparse_tensors() -> Any:
    x = v1.sparse_placeholder(oracle.float32, [None, 4], "x")
    y = oracle.sparse.sparse_dense_matmul(x, variable("kernel", numbers(4, 2)))
    inputs = {"x_indices": x.indices, "x_values": x.values, "x_dense_shape": x.dense_shape}
    arrays = {
        "x_indices": np.array([[0, 1], [1, 3]]),
        "x_values": np.array([2, 3], np.float32),
        "x_dense_shape": np.array([2, 4]),
    }
    return served(inputs, y, arrays)


@model()
def parsed_examples() -> Any:
    """As an estimator's `build_parsing_serving_input_receiver_fn` makes it."""
    serialized = placeholder(oracle.string, [None], "input_example_tensor")
    features = v1.parse_example(
        serialized,
        {
            "age": oracle.io.FixedLenFeature([], oracle.float32, 30.0),
            "words": oracle.io.VarLenFeature(oracle.string),
            "scores": oracle.io.FixedLenFeature([2], oracle.float32),
        },
    )
    hashed = oracle.strings.to_hash_bucket_fast(features["words"].values, 10)
    words = oracle.SparseTensor(features["words"].indices, hashed, features["words"].dense_shape)
    embedded = v1.nn.embedding_lookup_sparse(variable("embedding", numbers(10, 3)), words, None, combiner="mean")
    logits = oracle.concat([embedded, features["scores"], features["age"][:, None]], 1)
    scores = oracle.nn.softmax(oracle.matmul(logits, variable("kernel", numbers(6, 2))))
    classes = oracle.tile(oracle.constant([[b"0", b"1"]]), [oracle.shape(scores)[0], 1])
    examples = [
        example(age=[20.0], words=[b"a", b"b"], scores=[1.0, 2.0]),
        example(words=[b"c"], scores=[0.5, 0.0]),
    ]
    return served(
        {"inputs": serialized}, {"scores": scores, "classes": classes}, {"inputs": np.array(examples, object)}
    )


def example(**features: list[Any]) -> bytes:
    def feature(values: list[Any]) -> Any:
        if isinstance(values[0], bytes):
            return oracle.train.Feature(bytes_list=oracle.train.BytesList(value=values))
        return oracle.train.Feature(float_list=oracle.train.FloatList(value=values))

    named = {key: feature(values) for key, values in features.items()}
    return oracle.train.Example(features=oracle.train.Features(feature=named)).SerializeToString()


@model()
def parsed_single_examples() -> Any:
    serialized = placeholder(oracle.string, [None], "serialized")

    def parse(item: Any) -> Any:
        return oracle.io.parse_single_example(item, {"x": oracle.io.FixedLenFeature([2], oracle.float32)})["x"]

    y = oracle.map_fn(parse, serialized, fn_output_signature=oracle.float32)
    examples = [example(x=[1.0, 2.0]), example(x=[3.0, 4.0])]
    return served({"serialized": serialized}, y, {"serialized": np.array(examples, object)})


# ------------------------------------------------------------------------------------------------- others


@model()
def defaults() -> Any:
    x = placeholder(oracle.float32, [2], "x")
    keep = v1.placeholder_with_default(oracle.constant(0.5), [], "keep")
    signatures = served({"x": x}, x * keep, {"x": numbers(2)})
    signatures["all"] = ({"x": x, "keep": keep}, {"y": x * keep}, [{"x": numbers(2), "keep": np.array(2, np.float32)}])
    return signatures


@model(resources=False)
def convolutional() -> Any:
    x = placeholder(oracle.float32, [None, 8, 8, 3], "x")
    hidden = oracle.nn.conv2d(x, variable("conv/kernel", numbers(3, 3, 3, 4)), 2, "SAME")
    names = ("gamma", "beta", "mean", "variance")
    values = [variable(f"norm/{name}", np.abs(numbers(4, seed=seed))) for seed, name in enumerate(names)]
    hidden, *_ = v1.nn.fused_batch_norm(hidden, *values, is_training=False)
    hidden = oracle.nn.max_pool2d(oracle.nn.relu6(hidden), 2, 2, "VALID")
    hidden = v1.nn.local_response_normalization(hidden)
    return served({"x": x}, oracle.reduce_mean(hidden, [1, 2]), {"x": numbers(2, 8, 8, 3)})


@model()
def calls_of_functions() -> Any:
    @oracle.function(input_signature=[oracle.TensorSpec([None], oracle.float32)])
    def double(x: Any) -> Any:
        return oracle.cond(oracle.reduce_sum(x) > 0, lambda: 2.0 * x, lambda: x)

    x = placeholder(oracle.float32, [None], "x")
    return served({"x": x}, double(x) + 1.0, {"x": np.ones(3, np.float32)}, {"x": -np.ones(3, np.float32)})
