"""`tf.debugging`, `tf.print`, `tf.py_function` and the like: expected messages and values are TensorFlow's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf

D = tf.debugging

# ------------------------------------------------------------------------------------------------- comparisons

_HOLD: list[tuple[str, Any, Any]] = [
    ("assert_equal", [1, 2], [1, 2]),
    ("assert_equal", [1, 1], 1),
    ("assert_none_equal", [1, 2], [2, 1]),
    ("assert_greater", [1, 2], [0, 1]),
    ("assert_greater_equal", [1, 2], [1, 1]),
    ("assert_less", [1.0, 2.0], [2.0, 3.0]),
    ("assert_less_equal", [1, 2], [1, 3]),
]
_FAIL: list[tuple[str, Any, Any, str]] = [
    ("assert_equal", [1, 2], [1, 3], "=="),
    ("assert_none_equal", [1, 2], [3, 2], "!="),
    ("assert_greater", [1, 2], [0, 2], ">"),
    ("assert_greater_equal", [1, 2], [0, 3], ">="),
    ("assert_less", [1, 2], [2, 2], "<"),
    ("assert_less_equal", [1, 2], [1, 0], "<="),
]


@pytest.mark.parametrize(("name", "x", "y"), _HOLD)
def test_comparisons_that_hold(name: str, x: Any, y: Any) -> None:
    check = getattr(D, name)
    assert check(x, y) is None
    assert tf.function(lambda: (check(x, y), tf.constant(1))[1])().numpy() == 1
    specs = [tf.TensorSpec(None, tf.constant(value).dtype) for value in (x, y)]
    assert tf.function(lambda x, y: (check(x, y), 1)[1], input_signature=specs)(x, y).numpy() == 1


@pytest.mark.parametrize(("name", "x", "y", "sign"), _FAIL)
def test_comparisons_that_fail(name: str, x: Any, y: Any, sign: str) -> None:
    check = getattr(D, name)
    expected = (
        f"words\nCondition x {sign} y did not hold.\nIndices of first 1 different values:\n[[1]]\n"
        f"Corresponding x values:\n[{x[1]}]\nCorresponding y values:\n[{y[1]}]\n"
        f"First 2 elements of x:\n[{x[0]} {x[1]}]\nFirst 2 elements of y:\n[{y[0]} {y[1]}]"
    )
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        check(x, y, message="words")
    assert caught.value.message == expected
    with pytest.raises(tf.errors.InvalidArgumentError, match="words"):  # while tracing, since both are known
        tf.function(lambda: check(x, y, message="words")).get_concrete_function()
    traced = tf.function(lambda x: (check(x, y, message="words"), 1)[1])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assertion failed: \[words\]"):
        traced(tf.constant(x))


def test_how_much_is_shown() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        D.assert_equal(tf.range(10), tf.zeros(10, tf.int32), summarize=2)
    assert caught.value.message == (
        "Condition x == y did not hold.\nIndices of first 2 different values:\n[[1]\n [2]]\nCorresponding x values:\n[1 2]\n"
        "Corresponding y values:\n[0 0]\nFirst 2 elements of x:\n[0 1]\nFirst 2 elements of y:\n[0 0]"
    )
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        D.assert_equal([1, 2], 1)  # of other shapes, so that indices say nothing
    assert caught.value.message == (
        "Condition x == y did not hold.\nFirst 2 elements of x:\n[1 2]\nFirst 1 elements of y:\n[1]"
    )


def test_near() -> None:
    D.assert_near(tf.constant([1.0, 2.0]), tf.constant([1.0, 2.000001]))
    D.assert_near(tf.constant([1.0, 2.0]), tf.constant([1.0, 2.1]), atol=0.2)
    D.assert_near(tf.constant([1.0, 2.0]), tf.constant([1.0, 2.1]), rtol=0.1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not equal to tolerance"):
        D.assert_near(tf.constant([1.0, 2.0]), tf.constant([1.0, 2.1]))
    with pytest.raises(ValueError, match="floating"):
        D.assert_near([1, 2], [1, 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="words"):
        tf.function(lambda x: D.assert_near(x, 1.0, message="words"))(tf.constant([2.0]))


@pytest.mark.parametrize(
    ("name", "good", "bad", "sign"),
    [
        ("assert_negative", [-1, -2], [-1, 0], "<"),
        ("assert_positive", [1, 2], [0, 2], ">"),
        ("assert_non_negative", [0, 2], [-1, 2], ">="),
        ("assert_non_positive", [0, -2], [-1, 2], "<="),
    ],
)
def test_signs(name: str, good: Any, bad: Any, sign: str) -> None:
    check = getattr(D, name)
    check(good)
    check(tf.constant([], tf.float32))
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"words\nCondition x {sign} 0 did not hold element-wise:"):
        check(bad, message="words")
    traced = tf.function(lambda x: (check(x, message="words"), x)[1])
    assert traced(tf.constant(good)).numpy().tolist() == good
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"Condition x {sign} 0"):
        traced(tf.constant(bad))


def test_assert() -> None:
    D.Assert(True, ["x"])
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.Assert(False, [tf.constant([1, 2, 3, 4, 5]), "x"])
    assert caught.value.message == "Expected 'False' to be true. Summarized data: 1, 2, 3, ...\nb'x'"


@pytest.mark.parametrize(
    ("data", "summarize", "shown"),
    [
        (np.int32([[1, 2], [3, 4]]), 3, "[[1 2][3...]...]"),
        (np.int32([[1, 2], [3, 4]]), 1, "[[1...]...]"),
        (np.int64([[[1, 2], [3, 4]]]), 3, "[[[1 2][3...]]...]"),
        (np.int64([[[1, 2], [3, 4]]]), -1, "[[[1 2][3 4]]]"),
        (np.float32([0.1, 1e-8, 123456789.0]), 3, "[0.1 1e-08 123456792]"),
        (np.array([b"a", b"b"], object), 1, "[a...]"),
        (np.array([True, False]), -1, "[1 0]"),
        (np.float32([]), 3, "[]"),
    ],
)
def test_data_of_an_assertion(data: np.ndarray, summarize: int, shown: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.raw_ops.Assert(condition=False, data=[tf.constant(data)], summarize=summarize)
    assert caught.value.message.startswith(f"assertion failed: {shown}. [Op:Assert]")


# ------------------------------------------------------------------------------------------------- dtypes and values


def test_dtypes() -> None:
    D.assert_integer([1])
    with pytest.raises(TypeError, match='words.  Expected "x" to be integer type.  Found: tensor of dtype float32'):
        D.assert_integer([1.0], message="words")
    D.assert_type(tf.constant([1]), tf.int32)
    D.assert_type(tf.RaggedTensor.from_row_splits([1], [0, 1]), tf.int32)
    with pytest.raises(TypeError, match="tensor must be of type float32; got int32"):
        D.assert_type(tf.constant([1]), tf.float32)
    assert D.assert_same_float_dtype([tf.constant(1.0), None, tf.constant(2.0)]) == tf.float32
    assert D.assert_same_float_dtype() == tf.float32
    assert D.assert_same_float_dtype(dtype=tf.float64) == tf.float64
    for tensors, dtype in (
        ([tf.constant(1.0), tf.constant(1.0, tf.float64)], None),
        ([tf.constant(1)], None),
        ([tf.constant(1.0)], tf.float64),
        (None, tf.int32),
    ):
        with pytest.raises(ValueError, match="type"):
            D.assert_same_float_dtype(tensors, dtype)
    numeric = [tf.constant(1), tf.constant(1j), tf.Variable(1.0)]
    assert all(map(D.is_numeric_tensor, numeric))
    assert not any(map(D.is_numeric_tensor, [tf.constant("a"), tf.constant(True), [1], 1]))


def test_proper_iterables() -> None:
    D.assert_proper_iterable([1])
    D.assert_proper_iterable({})
    for value in ("abc", b"abc", tf.constant([1]), np.zeros(2), 5):
        with pytest.raises(TypeError, match="iterable"):
            D.assert_proper_iterable(value)


@pytest.mark.parametrize("check", [D.check_numerics, D.assert_all_finite])
def test_numerics(check: Any) -> None:
    assert check(tf.constant([1.0]), "words").numpy().tolist() == [1.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="words : Tensor had Inf and NaN values"):
        check(tf.constant([1.0, np.nan, np.inf]), "words")
    traced = tf.function(lambda x: check(x, "words") * 2.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="words : Tensor had NaN values"):
        traced(tf.constant([np.nan]))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([np.nan, np.inf, -np.inf], "-Inf, +Inf, and NaN"),
        ([-np.inf], "-Inf"),
        ([np.inf, -np.inf], "-Inf and +Inf"),
    ],
)
def test_kinds_of_infinities(values: list[float], found: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        tf.raw_ops.CheckNumericsV2(tensor=values, message="words")
    assert caught.value.message.startswith(f"words : Tensor had {found} values")


# ------------------------------------------------------------------------------------------------- ranks and shapes


def test_ranks() -> None:
    x = tf.constant([1, 2])
    D.assert_rank(x, 1)
    D.assert_rank_at_least(x, 1)
    D.assert_rank_in(x, [0, 1])
    D.assert_scalar(1)
    for check, message in (
        (
            lambda: D.assert_rank(x, 2, message="words"),
            r"words\.  Tensor .* must have rank 2\.  Received rank 1, shape \(2,\)",
        ),
        (lambda: D.assert_rank_at_least(x, 2), "must have rank at least 2"),
        (lambda: D.assert_rank_in(x, [0, 2]), r"must have rank in \(0, 2\)"),
        (lambda: D.assert_scalar([1]), r"Expected scalar shape, saw shape: \(1,\)"),
        (lambda: D.assert_rank(x, [1]), "Rank must be a scalar"),
    ):
        with pytest.raises(ValueError, match=message):
            check()
    with pytest.raises(TypeError, match="int32"):
        D.assert_rank(x, 1.5)


def test_ranks_that_are_found_out_later() -> None:
    signature = [tf.TensorSpec(None, tf.float32)]
    traced = tf.function(lambda x: (D.assert_rank_in(x, [1, 2], message="words"), x)[1], input_signature=signature)
    assert traced([1.0]).numpy().tolist() == [1.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="words"):
        traced(1.0)
    with pytest.raises(ValueError, match="unknown"):
        tf.function(D.assert_scalar, input_signature=signature).get_concrete_function()
    with pytest.raises(ValueError, match="must have rank 2"):
        tf.function(lambda x: D.assert_rank(x, 2)).get_concrete_function(tf.TensorSpec([None], tf.float32))


def test_shapes() -> None:
    x, y = tf.constant([[1, 2]]), tf.constant([1, 2, 3])
    D.assert_shapes([(x, ("N", "Q")), (x, (1, "Q")), (y, (None,)), (y, "D"), (tf.constant(1), ())])
    D.assert_shapes(
        [(tf.zeros([4, 1, 3]), (..., "D")), (y, ("D",)), (x, (".", 2)), (x, ("*", 2)), (tf.constant(5), ("one",))]
    )
    for shapes, message in (
        (
            [(x, ("N", "Q")), (y, ("N",))],
            r"Specified by tensor shape=\(1, 2\) dtype=int32 dimension 0.*must have size 1",
        ),
        ([(x, (1, 3))], r"Specified explicitly.*dimension 1 must have size 3\.  Received size 2, shape \(1, 2\)"),
        ([(x, (..., 3))], "dimension -1 must have size 3"),
        ([(x, ("N",))], r"must have rank in \(0, 1\)"),
        ([(x, (..., "A", "B", "C"))], "must have rank at least 3"),
        ([(x, (3, ...))], "only allowed as the first entry"),
        ([(x, 5)], "must be an iterable"),
    ):
        with pytest.raises(ValueError, match=message):
            D.assert_shapes(shapes)


def test_shapes_that_are_found_out_later() -> None:
    signature = [tf.TensorSpec([None, None], tf.float32)] * 2

    @tf.function(input_signature=signature)
    def add(x: Any, y: Any) -> Any:
        D.assert_shapes([(x, ("N", "D")), (y, ("D", 2))], message="words")
        return tf.matmul(x, y)

    assert add(tf.ones([1, 3]), tf.ones([3, 2])).dims == (1, 2)
    for shapes in (([1, 3], [4, 2]), ([1, 3], [3, 1])):
        with pytest.raises(tf.errors.InvalidArgumentError, match="words"):
            add(*map(tf.ones, shapes))


# ------------------------------------------------------------------------------------------------- printing


def _printed(tmp_path: Path, *inputs: Any, **keywords: Any) -> str:
    path = tmp_path / "printed"
    path.unlink(missing_ok=True)
    tf.print(*inputs, output_stream=f"file://{path}", **keywords)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("inputs", "keywords", "expected"),
    [
        (("a", 1, 2.5, True, None), {}, "a 1 2.5 True None\n"),
        ((), {}, "\n"),
        (("a", "b"), {"sep": ",", "end": "!"}, "a,b!"),
        ((tf.constant([1, 2, 3, 4, 5, 6, 7, 8]),), {}, "[1 2 3 ... 6 7 8]\n"),
        ((tf.constant([1, 2, 3, 4, 5, 6, 7, 8]),), {"summarize": 2}, "[1 2 ... 7 8]\n"),
        ((tf.constant([1, 2, 3, 4, 5, 6, 7, 8]),), {"summarize": -1}, "[1 2 3 4 5 6 7 8]\n"),
        ((tf.constant("alone"),), {}, "alone\n"),
        ((tf.constant("é"), tf.constant(["a"]), tf.constant(0.1)), {}, '"é" ["a"] 0.1\n'),
        (([tf.constant([1.5]), "x"], {"k": tf.constant(3), "j": (1, 2)}), {}, "[[1.5], 'x'] {'j': (1, 2), 'k': 3}\n"),
        (("%s {}", {"x": {}, "y": tf.constant(1)}), {}, "%s {} {'x': {}, 'y': 1}\n"),
        ((tf.Variable([1, 2]), np.array([1, 2])), {}, "[1 2] array([1, 2])\n"),
        ((tf.RaggedTensor.from_row_splits([1, 2, 3], [0, 1, 3]),), {}, "[[1], [2, 3]]\n"),
        ((tf.SparseTensor([[0]], [5], [2]),), {}, "'SparseTensor(indices=[[0]], values=[5], shape=[2])'\n"),
    ],
)
def test_printing(tmp_path: Path, inputs: Any, keywords: Any, expected: str) -> None:
    assert _printed(tmp_path, *inputs, **keywords) == expected


def test_printing_to_streams(capsys: pytest.CaptureFixture[str]) -> None:
    tf.print("out", output_stream=sys.stdout)
    tf.print("error")

    @tf.function
    def program(x: Any) -> None:
        tf.print("x is", x, output_stream=sys.stdout)

    program(tf.constant(1))
    program(tf.constant(2))
    captured = capsys.readouterr()
    assert captured.out == "out\nx is 1\nx is 2\n"
    assert captured.err == "error\n"
    with pytest.raises(ValueError, match="Unsupported output stream"):
        tf.print("x", output_stream="nowhere")


# ------------------------------------------------------------------------------------------------- Python functions


def test_py_function_eagerly() -> None:
    assert tf.py_function(lambda x, y: x + y, [1.0, 2.0], tf.float32).numpy() == 3.0
    assert tf.py_function(lambda x: x.numpy() * 2, [1.0], tf.float32).numpy() == 2.0
    assert [item.numpy() for item in tf.py_function(lambda x: (x, 3), [1.0], [tf.float32, tf.int32])] == [1.0, 3]
    assert tf.py_function(lambda x: None, [1.0], []) is None
    with pytest.raises(tf.errors.InvalidArgumentError, match="int32"):
        tf.py_function(lambda x: x, [1.0], tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="returns 1 values, but expects to see 2"):
        tf.py_function(lambda x: x, [1.0], [tf.float32, tf.float32])
    with pytest.raises(tf.errors.UnknownError, match="ZeroDivisionError"):
        tf.py_function(lambda x: 1 / 0, [1.0], tf.float32)
    with pytest.raises(TypeError, match="Tout"):
        tf.py_function(lambda x: x, [1.0])


def test_eager_gradients_reach_variables() -> None:
    variable, x = tf.Variable(2.0), tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.py_function(lambda a: a * a * variable, [x], tf.float32)
    assert [gradient.numpy() for gradient in tape.gradient(y, [x, variable])] == [12.0, 9.0]


def test_each_gradient_is_that_of_its_own_call() -> None:
    """Of a function that gives another result each time, called several times with the same."""
    factors = iter(range(1, 100))

    @tf.function
    def program(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.py_function(lambda a: a * float(next(factors)), [x], tf.float32)
        return y, tape.gradient(y, x)

    for factor in (1.0, 2.0, 3.0):
        y, gradient = program(tf.constant(10.0))
        assert (y.numpy(), gradient.numpy()) == (10.0 * factor, factor)


def test_py_function_as_a_decorator() -> None:
    @tf.py_function(Tout=tf.float32)
    def add(x: Any, y: Any) -> Any:
        return x + y

    assert add(1.0, 2.0).numpy() == 3.0


def test_py_function_with_composites_and_specs() -> None:
    ragged = tf.RaggedTensor.from_row_splits([1, 2, 3], [0, 1, 3])
    spec = tf.RaggedTensorSpec([None, None], tf.int32)
    assert tf.py_function(lambda x: x, [ragged], spec).to_list() == [[1], [2, 3]]
    traced = tf.function(lambda x: tf.py_function(lambda a: a, [x], tf.TensorSpec([None, 2], tf.float32)))
    assert traced.get_concrete_function(tf.TensorSpec([3, 2], tf.float32)).outputs[0].dims == (None, 2)


def test_numpy_function_eagerly() -> None:
    given = []

    def double(x: Any) -> Any:
        given.append(x)
        return x * 2

    assert tf.numpy_function(double, [[1.0, 2.0]], tf.float32).numpy().tolist() == [2.0, 4.0]
    assert isinstance(given[0], np.ndarray)
    given[0][0] = 7.0  # it is the function's own
    with pytest.raises(IndexError):
        tf.numpy_function(lambda x: x[3], [[1.0]], tf.float32)


def test_a_function_lives_as_long_as_its_graph() -> None:
    import gc
    import weakref

    class Doubling:
        def __call__(self, x: Any) -> Any:
            return x * 2

    doubling = Doubling()
    seen = weakref.ref(doubling)
    traced = tf.function(lambda x, f=doubling: tf.numpy_function(f, [x], tf.float32)).get_concrete_function(
        tf.TensorSpec([], tf.float32)
    )
    del doubling
    gc.collect()
    assert traced(tf.constant(2.0)).numpy() == 4.0
    del traced
    gc.collect()
    assert seen() is None


def test_a_graph_from_elsewhere() -> None:
    with pytest.raises(tf.errors.NotFoundError, match="pyfunc_of_another_process"):
        tf.raw_ops.PyFunc(input=[tf.constant(1.0)], token="pyfunc_of_another_process", Tout=[tf.float32])


# ------------------------------------------------------------------------------------------------- grouping, time


def test_group_and_no_op() -> None:
    assert tf.group(1, tf.constant(2)) is None
    assert tf.no_op() is None

    def program(x: Any) -> Any:
        node = tf.group(tf.no_op(), [x])
        assert node.op.name == "NoOp"
        return x

    assert tf.function(program)(tf.constant(1)).numpy() == 1
    with pytest.raises(TypeError, match=r"tf\.group"):
        tf.function(lambda: tf.group("text")).get_concrete_function()


def test_timestamp() -> None:
    assert tf.timestamp().dtype == tf.float64
    now = tf.function(lambda: tf.timestamp())
    assert now().numpy() < now().numpy()


# ------------------------------------------------------------------------------------------------- numeric checks


@pytest.fixture
def checking() -> Iterator[None]:
    D.enable_check_numerics()
    yield
    D.disable_check_numerics()


@pytest.mark.usefixtures("checking")
def test_infinities_and_nans_are_errors() -> None:
    calls: list[tuple[Any, str]] = [
        (lambda: tf.math.log([1.0, 0.0]), "'Log'(.|\n)*float32, shape: \\(2,\\)\n  # of -Inf elements: 1\n"),
        (lambda: tf.constant(1.0) / 0.0, "'RealDiv'(.|\n)*# of \\+Inf elements: 1"),
        (lambda: tf.sqrt(-1.0), "'Sqrt'(.|\n)*# of NaN elements: 1"),
    ]
    for call, message in calls:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call()
    with tf.GradientTape() as tape:
        x = tf.constant([0.0, 1.0])
        tape.watch(x)
        y = tf.sqrt(x)
    with pytest.raises(tf.errors.InvalidArgumentError, match="SqrtGrad"):
        tape.gradient(y, x)
    assert np.isnan(tf.reshape(tf.constant(np.nan), [1]).numpy()[0])  # which hands on what it is given
    assert tf.math.is_nan(np.nan).numpy()


def test_numeric_checks_in_functions() -> None:
    @tf.function
    def logarithm(x: Any) -> Any:
        return tf.cond(x[0] > 5, lambda: x / 0.0, lambda: tf.math.log(x))

    D.enable_check_numerics()
    assert logarithm(tf.constant([1.0])).numpy().tolist() == [0]
    for value, op in ((0.0, "Log"), (6.0, "RealDiv")):
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=f"output 0 of graph op '{op}'(.|\n)*test_debugging.py"
        ):
            logarithm(tf.constant([value]))
    D.disable_check_numerics()
    assert np.isneginf(tf.math.log(0.0).numpy())
    assert np.isneginf(tf.function(lambda x: tf.math.log(x))(tf.constant(0.0)).numpy())


def test_settings_that_are_taken_note_of() -> None:
    assert D.is_traceback_filtering_enabled() and not D.get_log_device_placement()
    D.disable_traceback_filtering()
    assert not D.is_traceback_filtering_enabled()
    D.enable_traceback_filtering()
    D.set_log_device_placement(True)
    assert D.is_traceback_filtering_enabled() and D.get_log_device_placement()
    D.set_log_device_placement(False)
