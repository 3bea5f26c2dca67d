"""Functions: traced once for each kind of arguments, and then the same as running eagerly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.checking import compare
from modtf.core.conformance.report import Report

R = tf.raw_ops


def f32(values: Any) -> np.ndarray:
    return np.array(values, np.float32)


def test_traced_once_for_each_kind_of_arguments() -> None:
    traced = []

    @tf.function
    def double(x: Any, times: int = 2) -> Any:
        traced.append(None)
        return x * times

    compare("double(2 numbers)", double(tf.constant([1.0, 2.0])), f32([2, 4]))
    compare("double(2 others)", double(tf.constant([3.0, 4.0])), f32([6, 8]))
    assert len(traced) == 1
    compare("another shape", double(tf.constant([1.0])), f32([2]))
    assert len(traced) == 2
    compare("another dtype", double(tf.constant([1, 2])), np.array([2, 4], np.int32))
    assert len(traced) == 3
    compare("another Python number", double(tf.constant([1.0]), 3), f32([3]))
    assert len(traced) == 4


def test_input_signature() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def rows(x: Any) -> Any:
        return R.Sum(input=x, axis=1) + 1.0

    compare("two rows", rows(tf.constant([[1.0, 2.0], [3.0, 4.0]])), f32([4, 8]))
    compare("one row, a list", rows([[1.0, 2.0]]), f32([4]))
    compare("no row", rows(tf.constant(np.zeros((0, 2), np.float32))), f32([]))
    assert rows.experimental_get_tracing_count() == 1
    with pytest.raises((TypeError, ValueError)):
        rows(tf.constant([1.0, 2.0]))
    with pytest.raises((TypeError, ValueError)):
        rows(tf.constant([[1, 2]]))


def test_structures_in_and_out() -> None:
    @tf.function
    def swap(pair: Any, more: Any) -> Any:
        return {"second": pair[0], "first": pair[1], "none": None, "both": (pair[0] + more["x"], pair[1])}

    result = swap((tf.constant(1.0), tf.constant([2, 3])), {"x": tf.constant(0.5)})
    assert result["none"] is None
    compare("first", result["first"], np.array([2, 3], np.int32))
    compare("second", result["second"], f32(1))
    compare("both", result["both"][0], f32(1.5))


def test_constants_and_arguments_as_results() -> None:
    @tf.function
    def several(x: Any) -> Any:
        y = x + 1.0
        return x, y, y, tf.constant([7, 8]), tf.constant(2.5, tf.float64)

    x = tf.constant([1.0, 2.0])
    given, once, twice, numbers, double = several(x)
    compare("the argument", given, f32([1, 2]))
    compare("a sum", once, f32([2, 3]))
    compare("the sum again", twice, f32([2, 3]))
    compare("a constant", numbers, np.array([7, 8], np.int32))
    compare("a double constant", double, np.array(2.5))


def test_without_results(report: Report) -> None:
    @tf.function
    def nothing(x: Any) -> None:
        R.NoOp()

    assert nothing(tf.constant(1.0)) is None
    report.passed.add("NoOp")


def test_captured_tensors() -> None:
    offset = tf.constant([1.0, 2.0])

    @tf.function
    def outer(x: Any) -> Any:
        doubled = x * 2.0

        @tf.function
        def inner(y: Any) -> Any:
            return y + doubled + offset

        return inner(x) * inner(offset)

    x = np.array([3.0, 4.0], np.float32)
    expected = (3 * x + [1, 2]) * (2 * x + [2, 4])
    compare("a function in a function", outer(tf.constant(x)), f32(expected))


def test_functions_in_functions(report: Report) -> None:
    @tf.function
    def square(x: Any) -> Any:
        return x * x

    variable = tf.Variable(0.0)

    @tf.function
    def count(x: Any) -> Any:
        variable.assign_add(1.0)
        return x

    @tf.function
    def both(x: Any) -> Any:
        return count(square(square(x)) + square(x))

    compare("squares", both(tf.constant([2.0, 3.0])), f32([20, 90]))
    compare("the calls", variable.value(), f32(1))
    report.passed |= {"PartitionedCall", "StatefulPartitionedCall", "Placeholder", "Const"}


def test_results_stay_as_they_are() -> None:
    """A plan reuses buffers; what it has given away, and what it was given, it must leave alone."""

    @tf.function
    def chain(x: Any) -> Any:
        y = x * 2.0
        z = y + 1.0
        w = R.Tanh(x=z) - y
        return R.Neg(x=z), R.Exp(x=w) * w, y

    x = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    given = tf.constant(x)
    first = chain(given)
    chain(tf.constant(np.full((2, 3), 9, np.float32)))
    y = x * 2
    w = np.tanh(y + 1) - y
    compare("the argument", given, x)
    for result, expected in zip(first, (-(y + 1), np.exp(w) * w, y), strict=True):
        compare("a result of the first call", result, expected)


def test_gradient_through_a_function() -> None:
    variable = tf.Variable([0.5, -0.5])

    def plain(x: Any) -> Any:
        return R.Sum(input=R.Tanh(x=x * variable) * x, axis=0)

    x = tf.constant([1.5, 2.0])
    results = []
    for call in (plain, tf.function(plain)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(x)
        results.append((y, *tape.gradient(y, [x, variable])))
    for traced, eager in zip(results[1], results[0], strict=True):
        compare("the traced function's", traced, eager.numpy())


def test_gradient_inside_a_function() -> None:
    @tf.function(input_signature=[tf.TensorSpec(None, tf.float64)])
    def slope(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * x * x
        return tape.gradient(y, x)

    compare("3x²", slope(tf.constant([1.0, 2.0], tf.float64)), np.array([3.0, 12.0]))
    compare("3x²", slope(tf.constant(3.0, tf.float64)), np.array(27.0))


@pytest.mark.parametrize("traced", ["nothing", "the function", "everything"])
def test_third_order(traced: str) -> None:
    def cube(x: Any) -> Any:
        return x * x * x * x

    inner = tf.function(cube) if traced == "the function" else cube

    def third(x: Any) -> Any:
        with tf.GradientTape() as tape3:
            tape3.watch(x)
            with tf.GradientTape() as tape2:
                tape2.watch(x)
                with tf.GradientTape() as tape1:
                    tape1.watch(x)
                    y = inner(x)
                first = tape1.gradient(y, x)
            second = tape2.gradient(first, x)
        return tape3.gradient(second, x)

    outer = tf.function(third) if traced == "everything" else third
    compare("24x", outer(tf.constant(0.5, tf.float64)), np.array(12.0))


def test_a_gradient_of_some_results() -> None:
    @tf.function
    def parts(x: Any) -> Any:
        return x * 2.0, x * 3.0, R.Shape(input=x)

    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        twice, _, _ = parts(x)
    compare("the slope", tape.gradient(twice, x), f32([2, 2]))


def test_concrete_functions() -> None:
    @tf.function
    def scaled(x: Any, by: Any) -> Any:
        return x * by

    concrete = scaled.get_concrete_function(tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.float32))
    compare("by position", concrete(tf.constant([1.0, 2.0]), tf.constant(3.0)), f32([3, 6]))
    compare("by name", concrete(by=tf.constant(2.0), x=tf.constant([1.0])), f32([2]))
    with pytest.raises((TypeError, ValueError)):
        concrete(tf.constant([1, 2]), tf.constant(3.0))


def test_sizes_that_only_running_tells() -> None:
    """What a size is computed from may come from the arguments' values."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.int32)])
    def repeated(x: Any, times: Any) -> Any:
        tiled = R.Tile(input=x, multiples=R.ExpandDims(input=times, dim=0))
        return R.Reshape(tensor=tiled, shape=R.Pack(values=[times, R.Size(input=x)])) * 2.0

    compare("three times", repeated(tf.constant([1.0, 2.0]), tf.constant(3)), f32([[2, 4]] * 3))
    compare("once", repeated(tf.constant([1.0, 2.0, 3.0]), tf.constant(1)), f32([[2, 4, 6]]))


def test_numpy_backend_gives_the_same() -> None:
    """A trace belongs to no backend: the same one runs on another."""
    x = np.linspace(-2, 2, 12).reshape(3, 4)

    @tf.function
    def program(x: Any) -> Any:
        y = R.MatMul(a=x, b=x, transpose_b=True)
        return R.Tanh(x=y) - R.Mean(input=y, axis=[1], keep_dims=True)

    ours = program(tf.constant(x))
    with tf.backend("numpy"):
        theirs = program(tf.constant(x))
    compare("on NumPy", ours, theirs.numpy())
    compare("another backend's result", theirs * 1.0, ours.numpy())
