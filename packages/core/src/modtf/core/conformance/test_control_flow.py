"""Conditionals, loops and lists of tensors: at once, in functions, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.checking import compare
from modtf.core.conformance.report import Report
from modtf.core.contracts import trace

R: Any = tf.raw_ops
BOTH = pytest.mark.parametrize("wrap", [lambda f: f, tf.function(autograph=False)], ids=["eager", "function"])
X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)


def check(what: str, given: Any, *expected: Any) -> None:
    """Compares tensors with values."""
    flat = tf.nest.flatten(given)
    assert len(flat) == len(expected)
    for tensor, value in zip(flat, expected, strict=True):
        compare(what, tensor, np.asarray(value, tensor.dtype.np_dtype))


def value_and_gradient(function: Callable[..., Any], *inputs: Any) -> tuple[Any, Any]:
    tensors = [tf.constant(value) for value in inputs]
    with tf.GradientTape() as tape:
        tape.watch([tensor for tensor in tensors if tensor.dtype.is_floating])
        result = function(*tensors)
    return result, tape.gradient(result, tensors)


@BOTH
@pytest.mark.parametrize("taken", [True, False])
def test_cond(wrap: Any, taken: bool, report: Report) -> None:
    function = wrap(lambda p, x: tf.cond(p, lambda: x * x, lambda: tf.sin(x)))
    result, (_, gradient) = value_and_gradient(function, taken, X)
    check("the result", result, X * X if taken else np.sin(X))
    check("the gradient", gradient, 2 * X if taken else np.cos(X))
    report.passed.update({"If", "StatelessIf", "FakeParam"})


@BOTH
def test_cond_with_variables(wrap: Any) -> None:
    variable = tf.Variable(2.0)

    @wrap
    def function(p: Any) -> Any:
        def add() -> Any:
            variable.assign_add(1.0)
            return variable * 10.0

        return tf.cond(p, add, lambda: variable.read_value())

    check("the branch taken", [function(tf.constant(False)), function(tf.constant(True))], 2.0, 30.0)
    check("the variable", variable.value(), 3.0)


@BOTH
def test_switch_case(wrap: Any, report: Report) -> None:
    function = wrap(lambda i, x: tf.switch_case(i, [lambda: x, lambda: x * 2.0], default=lambda: x**3.0))
    for index, value, slope in ((0, 2.0, 1.0), (1, 4.0, 2.0), (2, 8.0, 12.0), (-1, 8.0, 12.0)):
        result, (_, gradient) = value_and_gradient(function, index, np.float32(2.0))
        check(f"branch {index}", [result, gradient], value, slope)
    report.passed.update({"Case", "StatelessCase"})


@BOTH
@pytest.mark.parametrize("count", [0, 1, 4])
def test_while_loop(wrap: Any, count: int, report: Report) -> None:
    weight = tf.Variable(0.5)

    @wrap
    def function(n: Any, x: Any) -> Any:
        def body(i: Any, y: Any, total: Any) -> Any:
            return i + 1, y * weight, total + y

        return tf.while_loop(lambda i, *_: i < n, body, (tf.constant(0), x, tf.zeros_like(x)))[2]

    result, (_, gradient) = value_and_gradient(function, count, X)
    total = sum(0.5**i for i in range(count))
    check("the result", result, X * np.float32(total))
    check("the gradient", gradient if count else tf.zeros_like(X), np.full_like(X, total))
    with tf.GradientTape() as tape:
        result = function(tf.constant(count), tf.constant(X))
    slope = tape.gradient(result, weight, unconnected_gradients="zero")
    check("the variable's gradient", slope, X.sum() * sum(i * 0.5 ** (i - 1) for i in range(1, count)))
    report.passed.update({"While", "StatelessWhile"})


def test_while_loop_of_unknown_length_and_second_gradients() -> None:
    @tf.function(autograph=False)
    def function(x: Any) -> Any:
        return tf.while_loop(lambda y: y < 100.0, lambda y: y * y, [x])[0]

    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = function(x)  # x to the power 8
        first = inner.gradient(y, x)
    check("value and gradients", [y, first, outer.gradient(first, x)], 3.0**8, 8 * 3.0**7, 56 * 3.0**6)


def test_for(report: Report) -> None:
    body = trace(
        lambda i, x: [x + tf.cast(i, tf.float32)], (tf.TensorSpec([], tf.int32), tf.TensorSpec([])), {}, "body"
    ).graph
    check("the sum", R.For(start=1, limit=7, delta=2, input=[tf.constant(0.5)], body=body), 9.5)
    report.passed.add("For")


@BOTH
def test_map_fn_and_scan(wrap: Any) -> None:
    mapped, (gradient,) = value_and_gradient(
        wrap(lambda x: tf.map_fn(lambda row: tf.reduce_sum(row * row), x)), X
    )  # fmt: skip
    check("map_fn", [mapped, gradient], [5, 25, 61], 2 * X)
    scanned, (gradient,) = value_and_gradient(wrap(lambda x: tf.scan(lambda a, row: a + row, x)), X)
    check("scan", [scanned, gradient], np.cumsum(X, 0), [[3, 3], [2, 2], [1, 1]])


def test_autograph() -> None:
    @tf.function
    def function(x: Any) -> Any:
        total = 0.0
        for row in x:
            if row[0] > 4.0:
                break
            total += row[1]
        while total < 100.0:
            total = total * 2.0
        return total

    check("the total", function(tf.constant(X)), 192.0)


# ------------------------------------------------------------------------------------------------- lists of tensors


def pushed(x: Any) -> Any:
    handle = R.EmptyTensorList(element_shape=[2], max_num_elements=-1, element_dtype=tf.float32)
    for index in range(3):
        handle = R.TensorListPushBack(input_handle=handle, tensor=x[index])
    return handle


def stacked(handle: Any) -> Any:
    return R.TensorListStack(input_handle=handle, element_shape=[2], element_dtype=tf.float32)


def reserved(size: Any) -> Any:
    return R.TensorListReserve(element_shape=[2], num_elements=size, element_dtype=tf.float32)


def popped(x: Any) -> Any:
    handle, last = R.TensorListPopBack(input_handle=pushed(x), element_shape=[2], element_dtype=tf.float32)
    return stacked(handle), last


def item(handle: Any, index: int) -> Any:
    return R.TensorListGetItem(input_handle=handle, index=index, element_shape=[2], element_dtype=tf.float32)


def from_tensor(x: Any) -> Any:
    return R.TensorListFromTensor(tensor=x, element_shape=[2])


def concatenated(handle: Any, version: int) -> Any:
    if version == 1:
        return R.TensorListConcat(input_handle=handle, element_dtype=tf.float32)
    return R.TensorListConcatV2(
        input_handle=handle, element_shape=[-1, 2], leading_dims=np.zeros(0, np.int64), element_dtype=tf.float32
    )


ZEROS = np.zeros(2)
LISTS: dict[str, tuple[Callable[[Any], Any], list[Any], Any]] = {
    "TensorListPushBack": (lambda x: stacked(pushed(x)), [X], np.ones_like(X)),
    "TensorListPopBack": (popped, [X[:2], X[2]], np.ones_like(X)),
    "TensorListLength": (lambda x: R.TensorListLength(input_handle=pushed(x)), [3], None),
    "TensorListGetItem": (lambda x: item(from_tensor(x), 1), [X[1]], [[0, 0], [1, 1], [0, 0]]),
    "TensorListSetItem": (
        lambda x: stacked(R.TensorListSetItem(input_handle=from_tensor(x), index=1, item=x[0])),
        [[X[0], X[0], X[2]]],
        [[2, 2], [0, 0], [1, 1]],
    ),
    "TensorListReserve": (
        lambda x: stacked(R.TensorListSetItem(input_handle=reserved(3), index=2, item=x[0])),
        [[ZEROS, ZEROS, X[0]]],
        [[1, 1], [0, 0], [0, 0]],
    ),
    "TensorListFromTensor": (lambda x: stacked(from_tensor(x)), [X], np.ones_like(X)),
    "TensorListGather": (
        lambda x: R.TensorListGather(
            input_handle=pushed(x), indices=[2, 0], element_shape=[2], element_dtype=tf.float32
        ),
        [X[[2, 0]]],
        [[1, 1], [0, 0], [1, 1]],
    ),
    "TensorListScatter": (
        lambda x: stacked(R.TensorListScatter(tensor=x, indices=[2, 0, 1], element_shape=[2])),
        [X[[1, 2, 0]]],
        np.ones_like(X),
    ),
    "TensorListScatterV2": (
        lambda x: stacked(R.TensorListScatterV2(tensor=x, indices=[3, 0, 1], element_shape=[2], num_elements=4)),
        [[X[1], X[2], ZEROS, X[0]]],
        np.ones_like(X),
    ),
    "TensorListScatterIntoExistingList": (
        lambda x: stacked(
            R.TensorListScatterIntoExistingList(input_handle=from_tensor(x), tensor=x[:2], indices=[2, 0])
        ),
        [[X[1], X[1], X[0]]],
        [[1, 1], [2, 2], [0, 0]],
    ),
    "TensorListResize": (
        lambda x: stacked(R.TensorListResize(input_handle=from_tensor(x), size=2)), [X[:2]], [[1, 1], [1, 1], [0, 0]]
    ),
    "TensorListConcatLists": (
        lambda x: stacked(
            R.TensorListConcatLists(input_a=from_tensor(x), input_b=pushed(x), element_dtype=tf.float32)
        ),
        [np.concatenate([X, X])],
        None,
    ),
    "TensorListConcat": (
        lambda x: concatenated(R.TensorListPushBack(input_handle=parts(x), tensor=x[2:]), 1)[0],
        [X],
        np.ones_like(X),
    ),
    "TensorListConcatV2": (lambda x: concatenated(parts(x), 2), [X[:2], [2]], [[1, 1], [1, 1], [0, 0]]),
    "TensorListSplit": (
        lambda x: concatenated(R.TensorListSplit(tensor=x, element_shape=[-1, 2], lengths=[1, 2]), 2),
        [X, [1, 2]],
        np.ones_like(X),
    ),
    "TensorListElementShape": (
        lambda x: R.TensorListElementShape(input_handle=parts(x), shape_type=tf.int32), [[-1, 2]], None
    ),
    "ZerosLike": (lambda x: stacked(R.ZerosLike(x=pushed(x))), [np.zeros_like(X)], None),
    "AddN": (lambda x: stacked(R.AddN(inputs=[pushed(x), from_tensor(x)])), [2 * X], 2 * np.ones_like(X)),
}  # fmt: skip


def parts(x: Any) -> Any:
    handle = R.EmptyTensorList(element_shape=[-1, 2], max_num_elements=-1, element_dtype=tf.float32)
    return R.TensorListPushBack(input_handle=handle, tensor=x[:2])


@BOTH
@pytest.mark.parametrize("op", LISTS)
def test_lists(op: str, wrap: Any, report: Report) -> None:
    function, expected, slope = LISTS[op]
    with tf.GradientTape() as tape:
        x = tf.constant(X)
        tape.watch(x)
        result = wrap(function)(x)
    check(op, result, *expected)
    if slope is not None:
        compare(f"the gradient of {op}", tape.gradient(result, x), np.asarray(slope, np.float32))
    report.passed.update({op, "EmptyTensorList"})


@BOTH
def test_lists_refuse(wrap: Any) -> None:
    @wrap
    def beyond(x: Any) -> Any:
        return item(from_tensor(x), 3)

    @wrap
    def full(x: Any) -> Any:
        handle = R.EmptyTensorList(element_shape=[2], max_num_elements=0, element_dtype=tf.float32)
        return stacked(R.TensorListPushBack(input_handle=handle, tensor=x[0]))

    if tf.config.get_backend() == "numpy":  # others may be unable to look at indices and sizes
        for function in (beyond, full):
            with pytest.raises(tf.errors.InvalidArgumentError):
                function(tf.constant(X))
