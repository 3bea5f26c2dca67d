"""Conditionals and loops: at once and in functions, with gradients, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf

BOTH = pytest.mark.parametrize("wrap", [lambda f: f, tf.function(autograph=False)], ids=["eager", "function"])


def gradients(function, x, *others):
    """The result, its gradient, and the gradient of the gradient's sum."""
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = function(x, *others)
        first = inner.gradient(y, x)
    return y.numpy(), first.numpy(), outer.gradient(first, x)


class TestCond:
    @BOTH
    def test_runs_the_branch_that_the_condition_names(self, wrap):
        calls = tf.Variable(0)

        @wrap
        def choose(p):
            def yes():
                calls.assign_add(1)
                return tf.constant(1.0), {"a": tf.constant([1, 2])}

            return tf.cond(p, yes, lambda: (tf.constant(2.0), {"a": tf.constant([3, 4])}))

        first, second = choose(tf.constant(True)), choose(tf.constant(False))
        assert (first[0].numpy(), second[0].numpy()) == (1.0, 2.0)
        np.testing.assert_array_equal(second[1]["a"], [3, 4])
        assert calls.numpy() == 1

    @BOTH
    def test_gradients_of_any_order_go_through_the_branch_taken(self, wrap):
        v = tf.Variable(3.0)
        function = wrap(lambda x, p: tf.cond(p, lambda: x**3.0 * v, lambda: tf.sin(x)))
        x = tf.constant(2.0)
        y, first, second = gradients(function, x, tf.constant(True))
        np.testing.assert_allclose([y, first, second], [24.0, 36.0, 36.0], rtol=1e-6)
        y, first, second = gradients(function, x, tf.constant(False))
        np.testing.assert_allclose([y, first, second], [np.sin(2), np.cos(2), -np.sin(2)], rtol=1e-5)

    def test_a_random_branch_is_differentiated_with_the_numbers_that_it_drew(self):
        @tf.function(autograph=False)
        def dropped(x, p):
            return tf.cond(p, lambda: x * tf.cast(tf.random.uniform([1000]) > 0.5, tf.float32), lambda: x)

        x = tf.ones([1000])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = dropped(x, tf.constant(True))
        np.testing.assert_array_equal(tape.gradient(y, x), y)

    def test_branches_must_agree(self):
        @tf.function(autograph=False)
        def dtypes(p):
            return tf.cond(p, lambda: tf.constant(1), lambda: tf.constant(1.0))

        @tf.function(autograph=False)
        def structures(p):
            return tf.cond(p, lambda: (tf.constant(1), tf.constant(2)), lambda: tf.constant(1))

        for function in (dtypes, structures):
            with pytest.raises(TypeError, match="same number, type, and overall structure"):
                function(tf.constant(True))
        with pytest.raises(TypeError, match="Python bool"):
            tf.cond(True, lambda: 1, lambda: 2)
        with pytest.raises(TypeError, match="must be callable"):
            tf.cond(tf.constant(True), 1, 2)

    def test_the_shape_is_what_both_branches_have(self):
        @tf.function(autograph=False, input_signature=[tf.TensorSpec([], tf.bool)])
        def function(p):
            return tf.cond(p, lambda: tf.zeros([2, 3]), lambda: tf.zeros([4, 3]))

        assert function.get_concrete_function().outputs[0].shape.as_list() == [None, 3]
        assert function(tf.constant(False)).shape == [4, 3]


@BOTH
def test_switch_case_falls_back_to_the_default(wrap):
    @wrap
    def function(index, x):
        return tf.switch_case(index, {0: lambda: x, 2: lambda: x * 3.0}, default=lambda: x * 0.0)

    results = [float(function(tf.constant(i), tf.constant(2.0))) for i in (0, 1, 2, 5, -1)]
    assert results == [2.0, 0.0, 6.0, 0.0, 0.0]


@BOTH
def test_case_takes_the_first_that_is_true(wrap):
    @wrap
    def function(x):
        return tf.case([(x < 0, lambda: -1), (x > 10, lambda: 1)], default=lambda: 0)

    assert [int(function(tf.constant(i))) for i in (-3, 3, 30)] == [-1, 0, 1]


class TestWhileLoop:
    @BOTH
    def test_gradients_of_any_order(self, wrap):
        v = tf.Variable(0.5)

        @wrap
        def function(x, n):
            def body(i, y, total):
                return (i + 1, tf.tanh(y) * v, total + y)

            return tf.while_loop(lambda i, *_: i < n, body, (tf.constant(0), x, tf.zeros_like(x)))[2]

        def by_hand(x, n):
            total = tf.zeros_like(x)
            for _ in range(n):
                x, total = tf.tanh(x) * v, total + x
            return total

        x = tf.constant([0.3, 0.7])
        for given, expected in zip(gradients(function, x, tf.constant(4)), gradients(by_hand, x, 4), strict=True):
            np.testing.assert_allclose(given, expected, rtol=1e-5)
        found = []
        for run, n in ((function, tf.constant(4)), (by_hand, 4)):
            with tf.GradientTape() as tape:
                y = run(x, n)
            found.append(float(tape.gradient(y, v)))
        np.testing.assert_allclose(*found, rtol=1e-5)

    def test_gradients_inside_the_function_and_over_nested_loops(self):
        @tf.function(autograph=False)
        def function(x):
            with tf.GradientTape() as tape:
                tape.watch(x)

                def outer(i, y):
                    def inner(j, z):
                        return (j + 1, z * y)

                    return i + 1, tf.while_loop(lambda j, _: j < 2, inner, (tf.constant(0), y))[1]

                y = tf.while_loop(lambda i, _: i < 2, outer, (tf.constant(0), x))[1]  # x to the power 9
            return y, tape.gradient(y, x)

        y, dy = function(tf.constant(1.1))
        np.testing.assert_allclose([y, dy], [1.1**9, 9 * 1.1**8], rtol=1e-5)

    @BOTH
    def test_no_iteration_and_maximum_iterations(self, wrap):
        @wrap
        def function(limit):
            return tf.while_loop(lambda i: True, lambda i: i + 1, [tf.constant(5)], maximum_iterations=limit)

        assert [int(tf.nest.flatten(function(tf.constant(n)))[0]) for n in (0, 3)] == [5, 8]

    def test_the_structure_is_kept(self):
        @tf.function(autograph=False)
        def function():
            start = {"a": tf.constant(1), "b": (tf.constant(1.0), tf.zeros([2]))}

            def body(i, s):
                return (i + 1, {"a": s["a"] * 2, "b": (s["b"][0] + 1.0, s["b"][1] + 1.0)})

            return tf.while_loop(lambda i, s: i < 3, body, (tf.constant(0), start))[1]

        result = function()
        assert (int(result["a"]), float(result["b"][0])) == (8, 4.0)

    def test_shapes_may_grow_where_invariants_say_so(self):
        def grow(i, x):
            return (i + 1, tf.concat([x, x], 0))

        @tf.function(autograph=False)
        def strict():
            return tf.while_loop(lambda i, x: i < 3, grow, (tf.constant(0), tf.ones([1])))

        @tf.function(autograph=False)
        def loose():
            invariants = (tf.TensorShape([]), tf.TensorShape([None]))
            return tf.while_loop(lambda i, x: i < 3, grow, (tf.constant(0), tf.ones([1])), invariants)

        with pytest.raises(ValueError, match="shape_invariants"):
            strict()
        assert loose()[1].shape == [8]

    def test_what_the_body_must_not_give(self):
        for body, message in ((lambda i: (i, i), "structure"), (lambda i: tf.constant(1.0), "float32|int32")):

            @tf.function(autograph=False)
            def function(body=body):
                return tf.while_loop(lambda i: i < 3, body, [tf.constant(0)])

            with pytest.raises((TypeError, ValueError), match=message):
                function()

    def test_variables_are_written_in_order(self):
        v = tf.Variable(1)

        @tf.function(autograph=False)
        def function():
            def body(i):
                v.assign(v * 2 + i)
                return i + 1

            tf.while_loop(lambda i: i < 4, body, [tf.constant(0)])
            return v.read_value()

        assert int(function()) == int(v) == 27


class TestFunctional:
    @BOTH
    def test_map_fn(self, wrap):
        x = tf.constant(np.arange(6.0, dtype=np.float32).reshape(3, 2))
        function = wrap(lambda x: tf.map_fn(lambda row: tf.reduce_sum(row * row), x, fn_output_signature=tf.float32))
        y, first, _ = gradients(function, x)
        np.testing.assert_array_equal(y, [1, 13, 41])
        np.testing.assert_array_equal(first, 2 * x)

    @BOTH
    def test_map_fn_over_structures_and_nothing(self, wrap):
        pair = (tf.constant([1, 2]), tf.constant([3, 4]))
        function = wrap(lambda p: tf.map_fn(lambda t: {"s": t[0] + t[1]}, p, fn_output_signature={"s": tf.int32}))
        np.testing.assert_array_equal(function(pair)["s"], [4, 6])
        assert wrap(lambda x: tf.map_fn(lambda r: r, x))(tf.zeros([0])).shape == [0]

    @BOTH
    def test_folds_and_scans(self, wrap):
        x = tf.constant([1.0, 2.0, 3.0])

        def run(f):
            return wrap(f)(x).numpy().tolist()

        assert run(lambda x: tf.foldl(lambda a, b: a - b, x)) == -4.0
        assert run(lambda x: tf.foldr(lambda a, b: a - b, x)) == 0.0
        assert run(lambda x: tf.foldl(lambda a, b: a * 2.0 + b, x, initializer=10.0)) == 91.0
        assert run(lambda x: tf.scan(lambda a, b: a + b, x)) == [1.0, 3.0, 6.0]
        assert run(lambda x: tf.scan(lambda a, b: a + b, x, reverse=True)) == [6.0, 5.0, 3.0]
        assert run(lambda x: tf.scan(lambda a, b: a + b, x, initializer=10.0)) == [11.0, 13.0, 16.0]

    @BOTH
    def test_vectorized_map_finds_out_the_dtypes(self, wrap):
        x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
        total, whole = wrap(lambda x: tf.vectorized_map(lambda r: (tf.reduce_sum(r), tf.cast(r, tf.int32)), x))(x)
        np.testing.assert_array_equal(total, [3, 7])
        assert whole.dtype == tf.int32


class TestTensorArray:
    @BOTH
    def test_write_stack_read(self, wrap):
        @wrap
        def function(x):
            array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
            for i in range(3):
                array = array.write(i, x[i] * float(i))
            return array.stack(), array.size(), array.read(2), array.gather([2, 1])

        stacked, size, last, picked = function(tf.constant([[1.0], [2.0], [3.0]]))
        np.testing.assert_array_equal(stacked, [[0], [2], [6]])
        assert (int(size), float(last[0])) == (3, 6.0)
        np.testing.assert_array_equal(picked, [[6], [2]])

    @BOTH
    def test_concat_and_split(self, wrap):
        @wrap
        def function(x):
            array = tf.TensorArray(tf.float32, size=3, infer_shape=False).split(x, [1, 0, 2])
            return array.read(2), array.concat()

        last, whole = function(tf.constant([1.0, 2.0, 3.0]))
        np.testing.assert_array_equal(last, [2, 3])
        np.testing.assert_array_equal(whole, [1, 2, 3])

    def test_what_it_refuses(self):
        array = tf.TensorArray(tf.float32, size=2)
        with pytest.raises(tf.errors.InvalidArgumentError, match="element 2 but the list has 2"):
            array.write(2, 1.0)
        with pytest.raises(ValueError, match="dtype is float32"):
            array.write(0, tf.constant(1))
        with pytest.raises(ValueError, match="infer_shape"):
            array.write(0, [1.0]).write(1, [1.0, 2.0])
        with pytest.raises(ValueError, match="size"):
            tf.TensorArray(tf.float32)
