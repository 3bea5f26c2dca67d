"""Variables: values that change, in the order in which the program says so, inside functions too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.checking import compare
from modtf.core.conformance.report import Report

R = tf.raw_ops
IndexedSlices: Any = tf.IndexedSlices


def f32(values: Any) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "int32", "int64", "complex64"])
def test_assigning(dtype: str, report: Report) -> None:
    variable = tf.Variable(tf.constant([1, 2], dtype))
    expected = np.array([1, 2]).astype(tf.as_dtype(dtype).np_dtype)
    compare("the initial value", variable.value(), expected)
    variable.assign([3, 4])
    variable.assign_add(tf.constant([10, 20], dtype))
    variable.assign_sub([1, 1])
    compare("the value", variable.value(), np.array([12, 23]).astype(expected.dtype))
    report.passed |= {"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp", "ReadVariableOp"}


@pytest.mark.parametrize("dtype", ["bool", "string"])
def test_values_that_are_no_numbers(dtype: str) -> None:
    before, after = ([True, False], [False, False]) if dtype == "bool" else ([b"a", b"bc"], [b"", b"\xff"])
    variable = tf.Variable(tf.constant(before))
    variable.assign(tf.constant(after))
    compare("the value", variable.value(), np.array(after, bool if dtype == "bool" else object))


def test_what_was_read_stays() -> None:
    """A tensor read from a variable is the value of then, however the variable is updated."""
    variable = tf.Variable([1.0, 2.0])

    @tf.function
    def update(x: Any) -> Any:
        before = variable.value()
        variable.assign_add(x)
        variable.assign(variable * 2.0)
        return before, variable.value()

    kept = variable.value()
    before, after = update(tf.constant([1.0, 1.0]))
    variable.assign_sub([1.0, 1.0])
    update(tf.constant([0.0, 0.0]))
    compare("read before the first update", kept, f32([1, 2]))
    compare("read inside, before", before, f32([1, 2]))
    compare("read inside, after", after, f32([4, 6]))
    compare("the value at last", variable.value(), f32([6, 10]))


def test_side_effects_in_order() -> None:
    first, second = tf.Variable(1.0), tf.Variable(10.0)

    @tf.function
    def program() -> Any:
        first.assign(first + second)
        second.assign(first * 2.0)
        first.assign_add(second)
        middle = first.value()
        first.assign(0.0)
        second.assign_sub(first + 1.0)
        return middle

    compare("in the middle", program(), f32(33))
    compare("the first", first.value(), f32(0))
    compare("the second", second.value(), f32(21))
    compare("in the middle again", program(), f32(63))


def test_nested_functions_see_each_other_s_updates() -> None:
    variable = tf.Variable(1.0)

    @tf.function
    def inner(x: Any) -> Any:
        variable.assign(variable * x)
        return variable.value()

    @tf.function
    def outer(x: Any) -> Any:
        before = variable.value()
        inside = inner(x)
        variable.assign_add(1.0)
        return before, inside, variable + inner(x)

    before, inside, result = outer(tf.constant(3.0))
    compare("before", before, f32(1))
    compare("inside", inside, f32(3))
    compare("after both", result, f32(24))  # the sum reads 12: its operand is the variable when the op runs


def test_made_by_the_first_call() -> None:
    made: list[Any] = []

    @tf.function
    def count() -> Any:
        if not made:
            made.append(tf.Variable(tf.constant(5.0) * 2.0))
        return made[0].assign_add(1.0)

    compare("the first call", count(), f32(11))
    compare("the second call", count(), f32(12))

    @tf.function
    def always() -> Any:
        return tf.Variable(1.0).value()

    with pytest.raises(ValueError):
        always()


def test_gradients() -> None:
    variable = tf.Variable([1.0, 2.0])
    frozen = tf.Variable([3.0, 4.0], trainable=False)
    with tf.GradientTape() as tape:
        y = variable * variable * frozen
    gradient, none = tape.gradient(y, [variable, frozen])
    compare("the gradient", gradient, f32([6, 16]))
    assert none is None


def test_gradient_of_values_before_and_after_an_update() -> None:
    variable = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = variable * variable
        variable.assign(5.0)
    compare("at the value of then", tape.gradient(y, variable), f32(4))


def test_a_step_of_training() -> None:
    weights = tf.Variable(np.zeros((3, 1)))
    x = np.arange(12.0).reshape(4, 3) / 6 - 1
    y = x @ np.array([[1.0], [-2.0], [0.5]])

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            error = R.MatMul(a=x, b=weights) - y
            loss = R.Mean(input=error * error, axis=[0, 1])
        weights.assign_sub(tape.gradient(loss, weights) * 0.5)
        return loss

    expected, losses = np.zeros((3, 1)), []
    for _ in range(5):
        error = x @ expected - y
        losses.append(np.mean(error * error))
        expected = expected - 0.5 * (2 / 4) * (x.T @ error)
    given = [step(tf.constant(x), tf.constant(y)) for _ in range(5)]
    for loss, known in zip(given, losses, strict=True):
        compare("the loss", loss, np.array(known))
    compare("the weights", weights.value(), expected)


def test_gathering_from_a_variable(report: Report) -> None:
    variable = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with tf.GradientTape() as tape:
        rows = R.ResourceGather(resource=variable.handle, indices=tf.constant([2, 0, 2]), dtype="float32")
        y = rows * tf.constant([[1.0], [10.0], [100.0]])
    compare("the rows", rows, f32([[5, 6], [1, 2], [5, 6]]))
    gradient = tape.gradient(y, variable)
    compare("the gradient", tf.convert_to_tensor(gradient), f32([[10, 10], [0, 0], [101, 101]]))
    report.passed.add("ResourceGather")


def _changed_parts(variable: Any, slices: Any, indices: Any) -> list[Any]:
    """The variable's values after each of its ways to be updated in part."""
    delta = IndexedSlices(slices, indices)
    values = []
    for name in ("add", "sub", "mul", "div", "max", "min", "update"):
        getattr(variable, f"scatter_{name}")(delta)
        values.append(variable.value())
    rows = R.ExpandDims(input=indices, dim=1)
    for name in ("add", "sub", "max", "min", "update"):
        getattr(variable, f"scatter_nd_{name}")(rows, slices)
        values.append(variable.value())
    variable[1:3, 0].assign(slices[:, 0])
    variable[0].assign(5)
    variable[::-3].assign([[1, 2]])
    return [*values, variable.value(), variable.gather_nd(rows), variable.sparse_read(indices)]


@pytest.mark.parametrize("in_function", [False, True], ids=["eager", "in a function"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_updating_parts(dtype: str, in_function: bool, report: Report) -> None:
    variable = tf.Variable(tf.constant([[1, 2], [3, 4], [5, 6], [70, 8]], dtype))
    update = tf.function(_changed_parts) if in_function else _changed_parts
    given = update(variable, tf.constant([[3, 1], [2, 9]], dtype), tf.constant([3, 1]))
    rows = [
        [[5, 13], [73, 9]], [[3, 4], [70, 8]], [[6, 36], [210, 8]], [[3, 4], [70, 8]], [[3, 9], [70, 8]], [[2, 9], [3, 1]],
        [[2, 9], [3, 1]], [[4, 18], [6, 2]], [[2, 9], [3, 1]], [[2, 9], [3, 1]], [[2, 9], [3, 1]], [[2, 9], [3, 1]],
    ]  # fmt: skip
    expected = [[[1, 2], second, [5, 6], last] for second, last in rows]
    expected += [[[1, 2], [3, 9], [2, 6], [1, 2]], [[1, 2], [3, 9]], [[1, 2], [3, 9]]]
    for number, (value, known) in enumerate(zip(given, expected, strict=True)):
        compare(f"value {number}", value, np.array(known).astype(tf.as_dtype(dtype).np_dtype))
    report.passed |= {f"ResourceScatter{name}" for name in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Update")}
    report.passed |= {f"ResourceScatterNd{name}" for name in ("Add", "Sub", "Max", "Min", "Update")}
    report.passed |= {"ResourceStridedSliceAssign", "ResourceGatherNd"}


def test_updating_rows_that_occur_again() -> None:
    variable = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    indices = tf.constant([1, 1, 1], tf.int64)
    variable.scatter_add(IndexedSlices(tf.constant([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]), indices))
    compare("added", variable.value(), f32([[1, 2], [10, 11]]))
    variable.scatter_div(IndexedSlices(tf.constant([[2.0, 1.0], [5.0, 1.0], [1.0, 11.0]]), indices))
    compare("divided", variable.value(), f32([[1, 2], [1, 1]]))
    variable.scatter_max(IndexedSlices(tf.constant(3.0), indices))
    compare("raised", variable.value(), f32([[1, 2], [3, 3]]))
    kept = variable.value()
    variable.scatter_nd_sub([[0, 0], [0, 0]], [1.0, 2.0])
    compare("subtracted", variable.value(), f32([[-2, 2], [3, 3]]))
    compare("what was read before", kept, f32([[1, 2], [3, 3]]))


def test_gradients_of_gathering_are_rows() -> None:
    variable = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    @tf.function
    def inside() -> Any:
        with tf.GradientTape() as tape:
            y = R.GatherV2(params=variable, indices=[2, 0], axis=0) * variable.sparse_read([0, 2])
        return tape.gradient(y, variable)

    with tf.GradientTape() as tape:
        y = R.GatherV2(params=variable, indices=[2, 0], axis=0) * variable.sparse_read([0, 2])
    for gradient in (tape.gradient(y, variable), inside()):
        assert isinstance(gradient, IndexedSlices)
        compare("the whole", tf.convert_to_tensor(gradient), f32([[10, 12], [0, 0], [2, 4]]))
    with tf.GradientTape() as tape:
        y = R.Sum(input=variable.sparse_read([1, 1]), axis=[0, 1]) + R.Sum(input=variable * 2.0, axis=[0, 1])
    compare("with a dense one", tape.gradient(y, variable), f32([[2, 2], [4, 4], [2, 2]]))
    with tf.GradientTape() as tape:
        y = variable.gather_nd([[2, 1], [2, 1], [0, 0]])
    compare("of elements", tape.gradient(y, variable), f32([[1, 0], [0, 0], [0, 2]]))


def test_handles(report: Report) -> None:
    handle = R.VarHandleOp(dtype="float32", shape=[2, None], shared_name="made_by_hand")
    compare("without a value", R.VarIsInitializedOp(resource=handle), np.array(False))
    R.AssignVariableOp(resource=handle, value=tf.constant([[1.0], [2.0]]))
    compare("with a value", R.VarIsInitializedOp(resource=handle), np.array(True))
    compare("its shape", R.VariableShape(input=handle, out_type="int64"), np.array([2, 1], np.int64))
    compare("its value", R.ReadVariableOp(resource=handle, dtype="float32"), f32([[1], [2]]))
    report.passed |= {"VarHandleOp", "VarIsInitializedOp", "VariableShape"}


def test_an_open_shape() -> None:
    variable = tf.Variable([1.0], shape=tf.TensorShape([None]))
    double = tf.function(lambda: variable * 2.0)
    compare("one", double(), f32([2]))
    variable.assign([1.0, 2.0])
    compare("two", double(), f32([2, 4]))


def test_mistakes() -> None:
    variable = tf.Variable([1.0, 2.0])
    with pytest.raises(ValueError):
        variable.assign([1.0, 2.0, 3.0])
    with pytest.raises((ValueError, TypeError)):
        variable.assign(tf.constant([1, 2]))
    with pytest.raises((ValueError, TypeError)):
        tf.function(lambda: variable.assign_add(tf.constant([1.0, 2.0, 3.0])))()
    compare("after the mistakes", variable.value(), f32([1, 2]))
