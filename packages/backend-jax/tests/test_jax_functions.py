"""Compiled functions: values, retracing, host parts, errors."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.backend_jax.compiling import CompiledPart
from modtf.core.contracts import get_backend, op

raw = tf.raw_ops
_X = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
_ANY = tf.TensorSpec(None, tf.float32)
_MATRIX = tf.TensorSpec([None, None], tf.float32)


def stages_of(function: Any, *args: Any) -> list[str]:
    """The kinds of the parts that a function consists of on JAX, in order."""
    program = function.get_concrete_function(*args).graph.compiled[get_backend("jax")].run
    return ["compiled" if isinstance(stage.run, CompiledPart) else "host" for stage in program._stages]


@op("JaxTestHostOnly[T](x: T) -> (y: T)", shape=lambda x: x.dims, host_only=True)
def host_only(xp: Any, x: np.ndarray) -> np.ndarray:
    assert isinstance(x, np.ndarray)
    return np.sort(x, axis=-1)


_random = np.random.default_rng(7)


@op(
    "JaxTestRandom(*, size: int) -> (y: float)",
    shape=lambda *, size: (size,),
    host_only=True,
    stateful=True,
    prunable=True,
)
def legacy_random(xp: Any, *, size: int) -> np.ndarray:
    return _random.random(size, np.float32)


@op("JaxTestUntraceable[T](x: T) -> (y: T)", shape=lambda x: x.dims)
def untraceable(xp: Any, x: Any) -> Any:
    return x * 2 if float(xp.sum(x)) > 0 else x


def test_one_part_and_the_same_values(same_as_numpy):
    @tf.function
    def f(x):
        y = raw.Tanh(raw.MatMul(x, x, transpose_b=True))
        return {"sum": raw.Sum(y, [0]), "y": y, "x": x, "two": tf.constant(2.0)}

    same_as_numpy(lambda: f(tf.constant(_X)))
    assert stages_of(f, tf.constant(_X)) == ["compiled"]


def test_shapes_are_static_under_unknown_dims(same_as_numpy):
    @tf.function(input_signature=[_MATRIX])
    def f(x):
        shape = raw.Shape(x)
        size = raw.ExpandDims(shape[0] * shape[1], 0)
        flat = raw.Reshape(x, size) + raw.Fill(size, 1.0)
        return flat, shape, raw.Range(0, shape[0], 1)

    for array in (_X, _X.T.copy(), _X[:, :1]):
        same_as_numpy(lambda array=array: f(tf.constant(array)))
    assert f.experimental_get_tracing_count() == 1
    assert stages_of(f) == ["compiled"]


def test_large_constants_are_passed_rather_than_written_into_the_program(same_as_numpy):
    table = np.arange(5000, dtype=np.float32)

    @tf.function
    def f(i):
        return raw.GatherV2(tf.constant(table), i, 0) + raw.Sum(tf.constant(table) * 0.5, [0])

    same_as_numpy(lambda: f(tf.constant([3, 4999])))


def test_nested_functions_are_compiled_as_one(same_as_numpy):
    @tf.function
    def inner(x):
        return raw.Tanh(x) * 2.0

    @tf.function
    def outer(x):
        return inner(inner(x)) + 1.0

    same_as_numpy(lambda: outer(tf.constant(_X)))
    assert stages_of(outer, tf.constant(_X)) == ["compiled"]


def test_gradients_inside_and_through_functions(same_as_numpy):
    @tf.function
    def f(x):
        return raw.Sum(raw.Tanh(x) * raw.Exp(x), [0, 1])

    @tf.function
    def inside(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    def through():
        x = tf.constant(_X)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = f(x)
            first = tape.gradient(y, x)
            total = raw.Sum(first * first, [0, 1])
        return first, outer.gradient(total, x)

    same_as_numpy(lambda: inside(tf.constant(_X)))
    same_as_numpy(through)


def test_64_bits_inside_functions(same_as_numpy):
    @tf.function
    def f(x, n):
        return x * 2.0 + raw.Cast(n, DstT=tf.float64), n * n

    x, n = same_as_numpy(lambda: f(tf.constant(1e-12, tf.float64), tf.constant(2**31, tf.int64)))
    assert (x.dtype, n.dtype, int(n)) == (tf.float64, tf.int64, 2**62)


# ------------------------------------------------------------------------------------------------- host parts


def test_a_host_op_in_the_middle_splits_the_graph(same_as_numpy):
    @tf.function
    def f(x):
        return raw.Tanh(host_only(raw.Exp(x) * 2.0)) + x

    same_as_numpy(lambda: f(tf.constant(_X[:, ::-1].copy())))
    assert stages_of(f, tf.constant(_X)) == ["compiled", "host", "compiled"]


def test_strings_beside_arithmetic(same_as_numpy):
    @tf.function
    def f(text, x):
        return raw.Identity(raw.ConcatV2([text, text], 0)), x + 1.0, raw.Shape(text)

    text, *_ = same_as_numpy(lambda: f(tf.constant(["a", "b"]), tf.constant(1.0)))
    assert text.numpy().tolist() == [b"a", b"b", b"a", b"b"]


def test_shapes_from_values_run_on_the_host(same_as_numpy):
    @tf.function
    def f(x, n):
        return raw.Reshape(raw.Tanh(x), raw.Pack([n, -1])) * 2.0

    same_as_numpy(lambda: f(tf.constant(_X), tf.constant(6)))
    assert stages_of(f, tf.constant(_X), tf.constant(6)) == ["compiled", "host", "compiled"]


def test_data_dependent_sizes(same_as_numpy):
    @tf.function
    def f(x):
        places = raw.Where(x > 0.0)
        return raw.Shape(places), raw.GatherNd(x, places) * 2.0

    for shift in (0.0, 1.0):
        same_as_numpy(lambda shift=shift: f(tf.constant(_X + shift, tf.float32)))


def test_random_numbers_are_new_each_call_and_need_no_split_before_them():
    @tf.function
    def f(x):
        return x + legacy_random(size=3)

    x = tf.constant([0.0, 0.0, 0.0])
    assert not np.array_equal(f(x).numpy(), f(x).numpy())
    assert stages_of(f, x) == ["host", "compiled"]


def test_reads_and_writes_keep_their_order_across_parts():
    variable = tf.Variable([3.0, 1.0, 2.0])

    @tf.function
    def f():
        before = variable * 1.0
        variable.assign(host_only(variable.value()) + 0.0)
        between = variable * 1.0
        variable.assign_add(host_only(between * -1.0))
        return before, between, variable.value()

    before, between, after = (item.numpy().tolist() for item in f())
    assert before == [3, 1, 2]
    assert between == [1, 2, 3]
    assert after == [-2, 0, 2] == variable.numpy().tolist()


def test_what_jax_cannot_trace_moves_to_the_host(same_as_numpy):
    @tf.function
    def f(x):
        return untraceable(raw.Tanh(x)) + 1.0

    for shift in (3.0, -3.0):
        same_as_numpy(lambda shift=shift: f(tf.constant(_X + shift, tf.float32)))
    assert stages_of(f, tf.constant(_X)) == ["compiled", "host", "compiled"]


def test_state_is_changed_once_though_a_later_part_is_split():
    variable = tf.Variable(1.0)

    @tf.function
    def f(x):
        variable.assign_add(1.0)
        y = host_only(x * variable)
        return untraceable(y) + variable

    assert f(tf.constant([1.0, 2.0])).numpy().tolist() == [6.0, 10.0]
    assert float(variable) == 2.0


# ------------------------------------------------------------------------------------------------- errors


def test_a_mistake_names_the_node_and_the_line():
    @tf.function(input_signature=[_ANY, _ANY])
    def f(x, y):
        return raw.Tanh(raw.AddV2(x, y, name="the_sum"))

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"(?s)Op:AddV2.*the_sum.*test_jax_functions\.py:\d+"):
        f(tf.constant(_X), tf.constant(_X[:, :3]))
    assert f(tf.constant(_X), tf.constant(_X)).shape == [3, 4]
    assert stages_of(f) == ["compiled"]  # the mistake was the inputs', so the graph stays whole


def test_a_mistake_in_what_follows_from_shapes_alone():
    @tf.function(input_signature=[_MATRIX])
    def f(x):
        return raw.Reshape(raw.Fill(raw.Shape(x), 1.0), [7]) * 2.0

    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Op:Reshape"):
        f(tf.constant(_X))
    assert f(tf.constant(np.ones((7, 1), np.float32))).shape == [7]


def test_falling_back_can_be_switched_off():
    @tf.function
    def f(x):
        return untraceable(x)

    tf.config.set_soft_device_placement(False)
    try:
        with pytest.raises(tf.errors.UnimplementedError, match="JaxTestUntraceable"):
            f(tf.constant(_X))
    finally:
        tf.config.set_soft_device_placement(True)


def test_an_uninitialised_variable_is_named():
    variable = tf.Variable.uninitialized([2], tf.float32, "weights")

    @tf.function
    def read():
        return variable * 2.0

    @tf.function
    def fill():
        variable.assign(tf.constant([1.0, 2.0]))
        return variable * 2.0

    with pytest.raises(tf.errors.FailedPreconditionError, match="read before it was initialised"):
        read()
    assert fill().numpy().tolist() == [2, 4]
    assert read().numpy().tolist() == [2, 4]


def test_threads_share_a_function():
    @tf.function(input_signature=[_ANY])
    def f(x):
        return raw.Sum(untraceable(raw.Reshape(x, [-1])), [0])

    failures = []

    def work(size):
        try:
            with tf.backend("jax"):
                for _ in range(5):
                    assert float(f(tf.constant(np.ones(size, np.float32)))) == 2 * size
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(size,)) for size in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
