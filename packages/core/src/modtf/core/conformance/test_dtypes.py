"""Dtypes keep their meaning: 64-bit types are 64 bits wide, nothing is promoted, numbers become what they meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.checking import compare

R = tf.raw_ops
ALL = [
    "bfloat16", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "complex64", "complex128", "bool", "string",
]  # fmt: skip


@pytest.fixture(params=["eager", "traced"])
def run(request: pytest.FixtureRequest) -> Any:
    """Calls a function at once, or through `tf.function`."""
    if request.param == "eager":
        return lambda function, *args: function(*args)
    return lambda function, *args: tf.function(function)(*args)


@pytest.mark.parametrize("dtype", ALL)
def test_in_and_out(dtype: str, run: Any) -> None:
    values = {"bool": [True, False], "string": [b"a", b"\x00\xff"]}.get(dtype, [0, 1])
    array = np.array(values).astype(tf.as_dtype(dtype).np_dtype)
    tensor = tf.constant(array)
    compare(dtype, tensor, array)
    compare(f"{dtype} through a function", run(lambda x: R.Identity(input=x), tensor), array)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3)])
def test_scalars_and_empty_tensors(shape: tuple[int, ...], run: Any) -> None:
    x = np.ones(shape, np.float32)
    compare("a sum", run(lambda x: x + x * 2.0, tf.constant(x)), x * 3)


def test_float64(run: Any) -> None:
    tiny = tf.constant(1e-12, tf.float64)
    compare("1 + 1e-12", run(lambda x: (x + 1.0) - 1.0, tiny), np.array((1e-12 + 1.0) - 1.0))
    compare("1e300", run(lambda x: x * 1e300, tf.constant(2.0, tf.float64)), np.array(2e300))
    compare("1 / 3", run(lambda x: x / 3.0, tf.constant(1.0, tf.float64)), np.array(1 / 3))


def test_int64(run: Any) -> None:
    big = np.array([2**40 + 1, -(2**62)], np.int64)
    compare("2**40", run(lambda x: x + 1, tf.constant(big)), big + 1)
    compare(
        "products", run(lambda x: x * x, tf.constant([2**31 + 1], tf.int64)), np.array([(2**31 + 1) ** 2], np.int64)
    )
    compare("from Python", tf.constant(2**40), np.array(2**40, np.int64))
    compare("a variable", tf.Variable(big).assign_add([1, 1]).value(), big + 1)


def test_uint64(run: Any) -> None:
    big = np.array([2**63 + 5], np.uint64)
    compare("2**63", run(lambda x: R.AddV2(x=x, y=x), tf.constant(big)), np.array([10], np.uint64))


def test_integers_wrap(run: Any) -> None:
    compare("int32", run(lambda x: x + 1, tf.constant([2**31 - 1])), np.array([-(2**31)], np.int32))
    compare("uint8", run(lambda x: x + 1, tf.constant([255], tf.uint8)), np.array([0], np.uint8))


def test_complex128(run: Any) -> None:
    compare("1 + 1e-12i", run(lambda x: x * x, tf.constant(1 + 1e-12j)), np.array((1 + 1e-12j) ** 2))


def test_python_numbers_take_the_tensor_s_dtype(run: Any) -> None:
    for dtype in ("bfloat16", "float16", "float32", "float64", "int8", "int64", "complex64"):
        x = np.array([1, 2]).astype(tf.as_dtype(dtype).np_dtype)
        compare(dtype, run(lambda x: x * 2 + 1, tf.constant(x)), (x * 2 + 1).astype(x.dtype))


@pytest.mark.parametrize(
    ("x", "y"), [("float32", "float64"), ("int32", "int64"), ("int32", "float32"), ("bfloat16", "float16")]
)
def test_nothing_is_promoted(x: str, y: str) -> None:
    first, second = tf.constant([1], x), tf.constant([1], y)
    with pytest.raises(tf.errors.InvalidArgumentError):
        R.AddV2(x=first, y=second)
    with pytest.raises((TypeError, ValueError)):
        tf.function(lambda a, b: R.AddV2(x=a, y=b))(first, second)


def test_defaults() -> None:
    assert tf.constant(1).dtype == tf.int32
    assert tf.constant(1.0).dtype == tf.float32
    assert tf.constant(1j).dtype == tf.complex128
    assert tf.constant(True).dtype == tf.bool
    assert tf.constant("text").dtype == tf.string
    assert tf.constant(np.ones(1)).dtype == tf.float64
