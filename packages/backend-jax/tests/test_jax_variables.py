"""Variables in compiled functions: order, moves between backends, and updates in place that nobody can see."""

from __future__ import annotations

import copy
import threading

import jax
import numpy as np
import pytest

from modtf import core as tf
from modtf.core.contracts import Graph, call_graph, get_backend

raw = tf.raw_ops
_SIZE = 1 << 15  # large enough to be updated in place


@pytest.fixture
def large() -> tf.Variable:
    return tf.Variable(np.zeros(_SIZE, np.float32))


def adder(variable):
    @tf.function
    def add(x):
        variable.assign_add(x)
        return variable[0]

    return add


_ONES = np.ones(_SIZE, np.float32)


def test_a_read_after_an_assignment_sees_it(same_as_numpy):
    def compute():
        variable = tf.Variable([1.0, 2.0])

        @tf.function
        def f(x):
            before = variable.value()
            variable.assign(x)
            middle = variable * 2.0
            variable.assign_sub(x * 0.5)
            variable.assign_add(variable)
            return before, middle, variable.value()

        return *f(tf.constant([3.0, 4.0])), variable.value(), *f(tf.constant([5.0, 6.0])), variable.value()

    same_as_numpy(compute)


def test_training_equals_numpy(same_as_numpy):
    def compute():
        weights = tf.Variable(np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3))
        bias = tf.Variable(np.zeros(3, np.float32))
        x = tf.constant(np.linspace(-1, 1, 20, dtype=np.float32).reshape(5, 4))

        @tf.function
        def step(x):
            with tf.GradientTape() as tape:
                loss = raw.Mean(raw.Square(raw.Tanh(raw.MatMul(x, weights) + bias) - 0.5), [0, 1])
            for variable, gradient in zip([weights, bias], tape.gradient(loss, [weights, bias]), strict=True):
                variable.assign_sub(0.3 * gradient)
            return loss

        losses = [step(x) for _ in range(5)]
        with tf.GradientTape() as tape:
            outside = raw.Sum(step(x) * weights, [0, 1])
        return losses, weights.value(), bias.value(), outside, tape.gradient(outside, weights)

    same_as_numpy(compute)


def test_embedding_gradient(same_as_numpy):
    def compute():
        table = tf.Variable(np.arange(12, dtype=np.float32).reshape(6, 2))

        @tf.function
        def f(indices):
            with tf.GradientTape() as tape:
                y = raw.Sum(raw.Square(table.sparse_read(indices)), [0, 1])
            return y, tf.convert_to_tensor(tape.gradient(y, table))

        return f(tf.constant([1, 1, 4]))

    same_as_numpy(compute)


def test_a_variable_of_another_backend_moves_once():
    with tf.backend("numpy"):
        variable = tf.Variable([1.0, 2.0])

    @tf.function
    def double():
        return variable * 2.0

    assert double().numpy().tolist() == [2, 4]
    array = variable.value().array
    assert isinstance(array, jax.Array)
    double()
    assert variable.value().array is array
    with tf.backend("numpy"):
        assert variable.numpy().tolist() == [1, 2]


# ------------------------------------------------------------------------------------------------- in place


def test_large_variables_are_updated_in_place(large):
    add = adder(large)
    add(tf.constant(_ONES))
    resource, backend = large.handle.array, get_backend("jax")
    with resource.lock:
        array = resource.take(backend)
    add(tf.constant(_ONES))
    assert array.is_deleted()
    assert float(large[0]) == 2
    assert resource.take(backend) is None  # it has been read


def test_a_value_that_is_held_stays(large):
    add = adder(large)
    held = []
    for step in range(4):
        held.append(large.value())
        assert float(add(tf.constant(_ONES))) == step + 1
    assert [float(value[0]) for value in held] == [0, 1, 2, 3]


def test_a_numpy_view_that_is_held_stays(large):
    add = adder(large)
    add(tf.constant(_ONES))
    view = np.asarray(large.value())
    add(tf.constant(_ONES))
    add(tf.constant(_ONES))
    assert view[0] == 1
    assert large.numpy()[0] == 3


def test_values_that_a_function_gave_stay(large):
    @tf.function
    def step(x):
        before = large.value()
        large.assign_add(x)
        return before, large.value(), x

    @tf.function
    def read():
        return large.value()

    results = []
    for _ in range(3):
        results += [*step(tf.constant(_ONES))[:2], read()]
    assert [float(value[0]) for value in results] == [0, 1, 1, 1, 2, 2, 2, 3, 3]


def test_an_argument_that_was_assigned_stays(large):
    @tf.function
    def assign(x):
        doubled = large * 2.0
        large.assign(x)
        return doubled

    x = raw.Identity(tf.constant(_ONES))
    add = adder(large)
    assign(x)
    add(x)
    add(x)
    assert float(x[0]) == 1
    assert float(large[0]) == 3


def test_two_variables_of_one_value_do_not_share_memory(large):
    other = tf.Variable(np.zeros(_SIZE, np.float32))

    @tf.function
    def swap_in(x):
        large.assign_add(x)
        other.assign_add(x)
        other.assign(large)

    swap_in(tf.constant(_ONES))
    adder(large)(tf.constant(_ONES))
    adder(large)(tf.constant(_ONES))
    assert (float(large[0]), float(other[0])) == (3, 1)


def test_a_copied_variable_goes_its_own_way(large):
    add = adder(large)
    add(tf.constant(_ONES))
    copied = copy.deepcopy(large)
    add(tf.constant(_ONES))
    assert (float(copied[0]), float(large[0])) == (1, 2)


def test_one_variable_under_two_handles(large):
    twice = Graph("twice")
    first = twice.add_input(tf.resource, (), "first")
    second = twice.add_input(tf.resource, (), "second")
    first.handle_dims = second.handle_dims = (_SIZE,)
    with twice.as_default():
        raw.AssignAddVariableOp(first, tf.constant(_ONES))
        value = raw.ReadVariableOp(second, dtype=tf.float32)
    twice.outputs = [value]
    for expected in (1, 2):
        (result,) = call_graph(twice, [large.handle, large.handle])
        assert float(result[0]) == expected
    other = tf.Variable(np.zeros(_SIZE, np.float32))
    (result,) = call_graph(twice, [large.handle, other.handle])
    assert (float(result[0]), float(large[0])) == (0, 3)


def test_a_call_that_fails_leaves_the_variable(large):
    spec = tf.TensorSpec(None, tf.float32)

    @tf.function(input_signature=[spec])
    def f(x):
        large.assign_add(tf.constant(_ONES))
        return large + x

    f(tf.constant(1.0))
    with pytest.raises(tf.errors.InvalidArgumentError):
        f(tf.constant([1.0, 2.0]))
    assert float(f(tf.constant(1.0))[0]) >= 3


def test_threads_lose_no_update_and_readers_never_fail(large):
    add = adder(large)
    add(tf.constant(_ONES))
    failures, rounds = [], 50

    def guarded(work):
        def run():
            try:
                with tf.backend("jax"):
                    for _ in range(rounds):
                        work()
            except BaseException as error:
                failures.append(error)

        return threading.Thread(target=run)

    def read():
        values = large.numpy()
        assert values.min() == values.max()

    @tf.function
    def extremes():
        return raw.Min(large, [0]), raw.Max(large, [0])

    def read_compiled():
        least, most = extremes()
        assert float(least) == float(most)

    ones = tf.constant(_ONES)
    threads = [guarded(lambda: add(ones)), guarded(lambda: add(ones)), guarded(read), guarded(read_compiled)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert float(large[0]) == 1 + 2 * rounds


@pytest.mark.parametrize("crossing", ["assign", "read"])
def test_functions_that_use_the_same_two_variables_do_not_wait_for_each_other_for_ever(large, crossing):
    other = tf.Variable(np.zeros(_SIZE, np.float32))

    @tf.function
    def forth(x):
        large.assign_add(x)
        if crossing == "assign":
            other.assign_add(x)
        return other[0]

    @tf.function
    def back(x):
        other.assign_add(x)
        if crossing == "assign":
            large.assign_add(x)
        return large[0]

    ones = tf.constant(_ONES)

    def run(function):
        with tf.backend("jax"):
            for _ in range(100):
                function(ones)

    threads = [threading.Thread(target=run, args=(function,), daemon=True) for function in (forth, back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert float(large[0]) == float(other[0]) == (200 if crossing == "assign" else 100)


def test_a_string_variable_beside_others():
    text, count = tf.Variable("a"), tf.Variable(0)

    @tf.function
    def f():
        count.assign_add(1)
        text.assign(raw.Identity(tf.constant("b")))
        return text.value(), count.value(), raw.VarIsInitializedOp(text.handle)

    text_now, count_now, known = f()
    assert (text_now.numpy(), int(count_now), bool(known)) == (b"b", 1, True)
