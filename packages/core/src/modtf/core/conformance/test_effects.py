"""Ops that are there for their effects: checks, printing, files, the time and Python functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core import raw_ops
from modtf.core.conformance.report import Report
from modtf.core.contracts import EagerTensor


def test_assert(report: Report) -> None:
    @tf.function
    def program(x: Any) -> Any:
        raw_ops.Assert(condition=tf.reduce_all(x > 0.0), data=["not positive:", x], summarize=2)
        return x * 2.0

    np.testing.assert_array_equal(program(tf.constant([1.0, 2.0])).numpy(), [2.0, 4.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assertion failed: \[not positive:\] \[1 -2\.\.\.\]"):
        program(tf.constant([1.0, -2.0, 3.0]))
    with pytest.raises(tf.errors.InvalidArgumentError):
        raw_ops.Assert(condition=False, data=[[1]])
    report.passed.add("Assert")


def test_print(tmp_path: Path, report: Report) -> None:
    path = tmp_path / "printed"

    @tf.function
    def program(text: Any) -> None:
        raw_ops.PrintV2(input=text, output_stream=f"file://{path}", end="!\n")
        raw_ops.PrintV2(input="then this", output_stream=f"file://{path}")

    program(tf.constant("first"))
    program(tf.constant("é"))
    assert path.read_text(encoding="utf-8") == "first!\nthen this\né!\nthen this\n"
    with pytest.raises(tf.errors.InvalidArgumentError, match="output stream"):
        raw_ops.PrintV2(input="x", output_stream="nowhere")
    report.passed.add("PrintV2")


def test_files(tmp_path: Path, report: Report) -> None:
    path = str(tmp_path / "new" / "file")

    @tf.function
    def program(content: Any) -> Any:
        raw_ops.WriteFile(filename=path, contents=content)

    read = tf.function(lambda: raw_ops.ReadFile(filename=path))
    for content in (b"one", b"\xff\x00two"):
        program(tf.constant(content))
        assert read().numpy() == content  # and not what was there when the function was compiled
    for name in ("b", "a", "c.txt"):
        (tmp_path / name).touch()
    found = raw_ops.MatchingFiles(pattern=[str(tmp_path / "?"), str(tmp_path / "*.txt")])
    assert found.numpy().tolist() == [str(tmp_path / name).encode() for name in ("a", "b", "c.txt")]
    with pytest.raises(tf.errors.NotFoundError):
        raw_ops.ReadFile(filename=str(tmp_path / "absent"))
    report.passed.update({"ReadFile", "WriteFile", "MatchingFiles"})


def test_timestamp(report: Report) -> None:
    now = tf.function(lambda: raw_ops.Timestamp())
    first, second = now().numpy(), now().numpy()
    assert 1.6e9 < first < second
    report.passed.add("Timestamp")


@pytest.mark.parametrize(("stateful", "op"), [(True, "PyFunc"), (False, "PyFuncStateless")])
def test_numpy_function(stateful: bool, op: str, report: Report) -> None:
    @tf.function
    def program(x: Any) -> Any:
        doubled, text = tf.numpy_function(
            lambda array, scale: (array * scale, b"done"),
            [x + 1.0, tf.constant(2.0)],
            [tf.float32, tf.string],
            stateful,
        )
        return doubled + 1.0, text

    doubled, text = program(tf.constant([1.0, 2.0]))
    np.testing.assert_array_equal(doubled.numpy(), [5.0, 7.0])
    assert text.numpy() == b"done"
    assert op in {node.op.name for node in program.get_concrete_function(tf.constant([1.0, 2.0])).graph.nodes}
    report.passed.add(op)


def test_py_function(report: Report) -> None:
    calls: list[Any] = []

    def cubed(x: Any) -> Any:
        calls.append(x)
        return x * x * x

    @tf.function
    def program(x: Any) -> Any:
        return tf.py_function(cubed, [x * 2.0], tf.float32) + 1.0

    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = program(x)
    assert y.numpy() == 65.0
    assert tape.gradient(y, x).numpy() == 96.0
    assert len(calls) == 1
    assert isinstance(calls[0], EagerTensor)
    assert calls[0].backend.name == report.backend.name
    report.passed.add("EagerPyFunc")


def test_second_gradient_of_py_function() -> None:
    program = tf.function(lambda x: tf.py_function(lambda a: a * a * a, [x], tf.float32))
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = program(x)
        first = inner.gradient(y, x)
    assert first.numpy() == 27.0
    assert outer.gradient(first, x).numpy() == 18.0


def test_errors_of_python_functions() -> None:
    def fail(x: Any) -> Any:
        raise ZeroDivisionError("what went wrong")

    program = tf.function(lambda x: tf.py_function(fail, [x], tf.float32))
    with pytest.raises(tf.errors.UnknownError, match="ZeroDivisionError: what went wrong") as caught:
        program(tf.constant(1.0))
    assert isinstance(caught.value.__cause__.__cause__, ZeroDivisionError)  # type: ignore[union-attr]
    wrong = tf.function(lambda x: tf.numpy_function(lambda array: array, [x], tf.int32))
    with pytest.raises(tf.errors.InvalidArgumentError, match="float32, but expects int32"):
        wrong(tf.constant(1.0))
