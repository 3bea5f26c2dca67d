"""Loops and conditionals are compiled along with what is around them, gradients included."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf
from modtf.backend_jax import control_flow


@pytest.fixture
def compiled(monkeypatch):
    """The names of JAX's control-flow functions, in the order in which they were used."""
    used = []

    def spy(name):
        function = getattr(control_flow.lax, name)

        def wrapper(*args, **kwargs):
            used.append(name)
            return function(*args, **kwargs)

        return wrapper

    class Lax:
        while_loop = staticmethod(spy("while_loop"))
        switch = staticmethod(spy("switch"))

    monkeypatch.setattr(control_flow, "lax", Lax)
    return used


def gradients(function, *args):
    with tf.GradientTape() as tape:
        tape.watch(args)
        results = function(*args)
    return [results, tape.gradient(results, args)]


def test_conditionals(compiled, same_as_numpy):
    def compute():
        v = tf.Variable(3.0)

        @tf.function(autograph=False)
        def function(x):
            def yes():
                v.assign_add(1.0)
                return tf.reduce_sum(tf.sin(x) * v)

            return tf.cond(x[0] > 0.0, yes, lambda: x[1] * 2.0)

        return [gradients(function, tf.constant([sign * 0.5, 2.0])) for sign in (1, -1)], v.read_value()

    same_as_numpy(compute)
    assert compiled.count("switch") == 2  # forward and backward, once for both calls


def test_branches_by_number(compiled, same_as_numpy):
    @tf.function(autograph=False)
    def function(i, x):
        return tf.switch_case(i, [lambda: x, lambda: x * 2.0, lambda: x**3.0], default=lambda: x * 0.0)

    same_as_numpy(lambda: [function(tf.constant(i), tf.constant(2.0)) for i in (0, 1, 2, 7, -1)])
    assert compiled == ["switch"]


def test_loops_of_known_length_and_their_gradients(compiled, same_as_numpy):
    def compute():
        v = tf.Variable(0.5)

        @tf.function(autograph=False)
        def function(x):
            def body(i, y):
                return (i + 1, tf.tanh(y) * v + x)

            return tf.while_loop(lambda i, _: i < 5, body, (tf.constant(0), x))[1]

        x = tf.constant([0.3, 0.7])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return y, tape.gradient(y, [x, v])

    same_as_numpy(compute)
    assert compiled == ["while_loop", "while_loop"]


def test_a_loop_of_unknown_length_is_compiled_unless_its_gradient_is_asked_for(compiled, same_as_numpy):
    @tf.function(autograph=False)
    def function(x):
        return tf.while_loop(lambda y: tf.reduce_sum(y) < 100.0, lambda y: [y * y], [x])[0]

    same_as_numpy(lambda: function(tf.constant([2.0, 3.0])))
    assert compiled == ["while_loop"]
    same_as_numpy(lambda: gradients(function, tf.constant([2.0, 3.0])))


def test_shapes_from_outside_are_known_inside(compiled, same_as_numpy):
    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None, None])])
    def function(x):
        shape = tf.shape(x)

        def body(i, y):
            return (i + 1, tf.reshape(tf.reshape(y, [-1]) * 2.0, shape) + tf.zeros(shape))

        return tf.while_loop(lambda i, _: i < 3, body, (tf.constant(0), x))[1]

    same_as_numpy(lambda: function(tf.ones([2, 3])))
    assert compiled == ["while_loop"]


def test_map_scan_and_arrays(compiled, same_as_numpy):
    def compute():
        v = tf.Variable(2.0)

        @tf.function(autograph=False)
        def function(x):
            mapped = tf.map_fn(lambda row: tf.reduce_sum(row * row) * v, x)
            scanned = tf.scan(lambda a, row: tf.tanh(a + row) * v, x)
            return mapped, scanned

        x = tf.constant(np.arange(6.0, dtype=np.float32).reshape(3, 2))
        with tf.GradientTape() as tape:
            tape.watch(x)
            results = function(x)
        return results, tape.gradient(results, [x, v])

    same_as_numpy(compute)
    assert compiled.count("while_loop") == 4


def test_nested_loops_and_second_gradients(same_as_numpy):
    def compute():
        @tf.function(autograph=False)
        def power(x):
            def outer(i, y):
                def inner(j, z):
                    return (j + 1, z * y)

                return i + 1, tf.while_loop(lambda j, _: j < 2, inner, (tf.constant(0), y))[1]

            return tf.while_loop(lambda i, _: i < 2, outer, (tf.constant(0), x))[1]

        x = tf.constant(1.1)
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = power(x)
            dy = first.gradient(y, x)
        return y, dy, second.gradient(dy, x)

    same_as_numpy(compute)


def test_what_cannot_be_compiled_runs_step_by_step(same_as_numpy):
    def growing():
        @tf.function(autograph=False)
        def function(x):
            invariants = (tf.TensorShape([]), tf.TensorShape([None]))
            return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.concat([y, y], 0)), (0, x), invariants)[1]

        return function(tf.constant([1.0]))

    def of_two_shapes():
        @tf.function(autograph=False)
        def function(p):
            return tf.cond(p, lambda: tf.zeros([2]), lambda: tf.ones([3]))

        return function(tf.constant(True)), function(tf.constant(False))

    same_as_numpy(growing)
    same_as_numpy(of_two_shapes)


def test_lists_of_what_only_the_host_has_stay_there(same_as_numpy):
    """Strings, ragged rows (variants) and lists of lists."""
    R = tf.raw_ops
    scalar = np.array([], np.int32)

    @tf.function
    def strings(x):
        words = tf.map_fn(tf.strings.as_string, x, fn_output_signature=tf.string)
        array = tf.TensorArray(tf.string, size=0, dynamic_size=True, element_shape=[])
        array = array.write(0, "a").write(1, words[2])
        rows = R.TensorListResize(input_handle=array.flow, size=3)
        rows = R.TensorListSetItem(input_handle=rows, index=2, item="c")
        stacked = R.TensorListStack(input_handle=rows, element_shape=scalar, element_dtype=tf.string)
        return words, array.size(), array.stack(), R.TensorListLength(input_handle=rows), stacked

    @tf.function
    def ragged(x):
        rows = tf.map_fn(tf.range, x, fn_output_signature=tf.RaggedTensorSpec([None], tf.int32))
        sums = tf.map_fn(lambda row: tf.reduce_sum(row * row), rows, fn_output_signature=tf.int32)
        return rows.values, rows.row_splits, sums, tf.map_fn(lambda row: row[:1] + 1, rows).values

    @tf.function
    def lists(x):
        inside = R.TensorListFromTensor(tensor=x * 2, element_shape=scalar)
        outside = R.TensorListReserve(element_shape=scalar, num_elements=2, element_dtype=tf.variant)
        outside = R.TensorListSetItem(input_handle=outside, index=1, item=inside)
        length = R.TensorListLength(input_handle=outside)
        got = R.TensorListGetItem(input_handle=outside, index=1, element_shape=scalar, element_dtype=tf.variant)
        return length, R.TensorListStack(input_handle=got, element_shape=scalar, element_dtype=x.dtype)

    @tf.function
    def chosen(x):
        rows = R.TensorListReserve(element_shape=scalar, num_elements=2, element_dtype=tf.string)

        def filled():
            return R.TensorListSetItem(input_handle=rows, index=0, item=tf.strings.as_string(x[0]))

        rows = tf.cond(x[0] > 0, filled, lambda: rows)
        rows = R.TensorListSetItem(input_handle=rows, index=1, item="b")
        return R.TensorListStack(input_handle=rows, element_shape=scalar, element_dtype=tf.string)

    for function in (strings, ragged, lists, chosen):
        same_as_numpy(lambda function=function: function(tf.constant([1, 2, 3])))


def test_lists_that_are_only_passed_on(same_as_numpy):
    scalar = np.array([], np.int32)

    def compute():
        @tf.function
        def function(rows, words, x):
            return rows, words, x + 1.0

        rows = tf.raw_ops.TensorListFromTensor(tensor=["a", "b"], element_shape=scalar)
        rows, words, x = function(rows, tf.constant(["c"]), tf.constant(1.0))
        stacked = tf.raw_ops.TensorListStack(input_handle=rows, element_shape=scalar, element_dtype=tf.string)
        return stacked, words, x

    same_as_numpy(compute)


def test_a_failure_inside_does_not_repeat_what_was_done():
    calls = []

    def fail(x):
        calls.append(x)
        raise ValueError("no")

    @tf.function(autograph=False)
    def function(x):
        return tf.cond(x > 0.0, lambda: tf.numpy_function(fail, [x], tf.float32), lambda: x)

    with pytest.raises(tf.errors.InvalidArgumentError, match="no"):
        function(tf.constant(1.0))
    assert len(calls) == 1


def test_autograph(compiled, same_as_numpy):
    @tf.function
    def collatz(n):
        steps = 0
        while n != 1:
            if n % 2 == 0:
                n = n // 2
            else:
                n = 3 * n + 1
            steps += 1
        return steps

    same_as_numpy(lambda: collatz(tf.constant(27)))
    assert "while_loop" in compiled


TAKEN = {
    "row": lambda x, i: x[i],
    "from the end": lambda x, i: x[-1 - i],
    "of a later axis": lambda x, i: x[:, i],
    "of the last axis": lambda x, i: x[..., i + 1],
    "element": lambda x, i: x[i, i + 1, -1],
    "with a new axis": lambda x, i: x[i, :, tf.newaxis],
    "slice": lambda x, i: tf.slice(x, [i, 1, 0], [1, 2, 4]),
}


@pytest.mark.parametrize("name", TAKEN)
def test_slices_by_a_counter_are_compiled(name, compiled, same_as_numpy):
    take = TAKEN[name]

    def compute():
        @tf.function(autograph=False)
        def function(x):
            def body(i, total):
                return i + 1, total * 0.5 + tf.reduce_sum(tf.sin(take(x, i)))

            return tf.while_loop(lambda i, _: i < 2, body, (0, 0.0), maximum_iterations=2)[1]

        return gradients(function, tf.reshape(tf.range(36.0), [3, 3, 4]))

    same_as_numpy(compute)
    assert compiled.count("while_loop") == (1 if name == "slice" else 2)  # whose gradient pads by what is computed


def test_slices_by_a_counter_that_are_not_whole_run_step_by_step(same_as_numpy):
    @tf.function
    def function(x):
        total = 0.0
        for i in tf.range(2):
            total += tf.reduce_sum(x[i:]) + tf.reduce_sum(x[i, 1:]) + tf.reduce_sum(tf.slice(x, [i, 0], [1, -1]))
        return total

    same_as_numpy(lambda: gradients(function, tf.constant([[1.0, 2.0], [3.0, 4.0]])))
