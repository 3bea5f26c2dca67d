"""Tensors, dtypes and shapes."""

import pickle
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modtf import core as tf
from modtf.core.values.shapes import broadcast_dims


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"), (2**40, "int64"), (1.0, "float32"), (True, "bool"), (1j, "complex128"), ("text", "string"),
        ([1, 2.5], "float32"), ([], "float32"), (np.float64(1), "float64"), ([np.float64(1)], "float64"),
        (np.arange(3), "int64"), ([[1, 2], [3, 4]], "int32"), (b"bytes", "string"), (np.array(["a"]), "string"),
    ],
)  # fmt: skip
def test_dtypes_of_values(value, dtype):
    assert tf.constant(value).dtype.name == dtype


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(1.5, "int32"), (1, "bool"), ("a", "float32"), (300, "uint8"), (1j, "float32"), ([True, 2], None)],
)
def test_values_that_do_not_fit(value, dtype):
    with pytest.raises((TypeError, ValueError), match="Cannot convert|Can't convert"):
        tf.constant(value, dtype)


def test_values_that_are_none():
    with pytest.raises(ValueError, match="None"):
        tf.constant(None)
    with pytest.raises(ValueError, match="non-rectangular"):
        tf.constant([[1], [1, 2]])
    with pytest.raises(ValueError, match="unsupported type"):
        tf.constant(object())


def test_shapes_of_constants():
    assert tf.constant(3, shape=[2, 2]).numpy().tolist() == [[3, 3], [3, 3]]
    assert tf.constant([1, 2, 3, 4], shape=[2, 2]).shape == (2, 2)
    with pytest.raises(TypeError, match="3 elements"):
        tf.constant([1, 2, 3], shape=[2, 2])


def test_nothing_is_promoted():
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a float32 tensor but is a int32 tensor"):
        tf.constant(1.0) + tf.constant(1)
    with pytest.raises(TypeError):
        tf.constant(1.0) + tf.constant(1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.constant(1) + 2.5
    assert (tf.constant(1.0) + np.float64(2)).dtype == tf.float32


def test_tensors_do_not_change():
    source = np.zeros(3, np.float32)
    tensor = tf.constant(source)
    source[:] = 1
    np.testing.assert_array_equal(tensor, np.zeros(3))
    tensor.numpy()[:] = 1
    np.testing.assert_array_equal(tensor, np.zeros(3))
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(tensor)[:] = 1


def test_tensors_as_python_values():
    assert float(tf.constant(2.5)) == 2.5
    assert int(tf.constant(3)) == 3
    assert [10, 20, 30][tf.constant(1)] == 20
    assert bool(tf.constant(True))
    assert f"{tf.constant(2.0):.3f}" == "2.000"
    assert [float(x) for x in tf.constant([1.0, 2.0])] == [1.0, 2.0]
    assert len(tf.constant([[1.0], [2.0]])) == 2
    with pytest.raises(TypeError):
        len(tf.constant(1.0))
    with pytest.raises(TypeError, match="unhashable"):
        hash(tf.constant(1.0))


def test_repr_and_str():
    assert repr(tf.constant("a")) == "<tf.Tensor: shape=(), dtype=string, numpy=b'a'>"
    assert str(tf.constant("a")) == "tf.Tensor(b'a', shape=(), dtype=string)"
    assert repr(tf.constant(2.0)) == "<tf.Tensor: shape=(), dtype=float32, numpy=2.0>"
    assert str(tf.constant([1, 2])) == "tf.Tensor([1 2], shape=(2,), dtype=int32)"


def test_repr_and_str_of_what_has_no_value():
    shown = {}

    @tf.function(input_signature=[tf.TensorSpec([None, 2]), tf.TensorSpec(None, tf.int32)])
    def f(x, y):
        shown.update({repr(x): str(x), repr(y): str(y)})

    f(tf.ones([1, 2]), 3)
    assert shown == {
        "<tf.Tensor 'x:0' shape=(None, 2) dtype=float32>": 'Tensor("x:0", shape=(None, 2), dtype=float32)',
        "<tf.Tensor 'y:0' shape=<unknown> dtype=int32>": 'Tensor("y:0", dtype=int32)',
    }


def test_the_version_is_the_distributions():
    assert tf.__version__ == metadata.version("modtf-core")


def test_tensors_pickle():
    for value in ([1.0, 2.0], ["a", "b"], True):
        copied = pickle.loads(pickle.dumps(tf.constant(value)))
        assert np.asarray(copied).tolist() == np.asarray(tf.constant(value)).tolist()


def test_dlpack():
    tensor = tf.constant([1.0, 2.0])
    np.testing.assert_array_equal(np.from_dlpack(tensor), [1, 2])


def test_dtype_names_and_numbers():
    assert tf.as_dtype("float") is tf.float32
    assert tf.as_dtype(np.int64) is tf.int64
    assert tf.as_dtype(np.dtype(">f4")) is tf.float32
    assert tf.as_dtype(10) is tf.bool
    assert tf.float32 == "float32"
    assert tf.float32 != "int32"
    assert (tf.int8.min, tf.int8.max) == (-128, 127)
    assert tf.complex64.real_dtype is tf.float32
    assert pickle.loads(pickle.dumps(tf.bfloat16)) is tf.bfloat16
    with pytest.raises(TypeError, match="Cannot convert 'float128' to a dtype"):
        tf.as_dtype("float128")


def test_tensor_shapes():
    shape = tf.TensorShape([None, 3])
    assert shape.rank == 2
    assert not shape.is_fully_defined()
    assert shape.is_compatible_with([5, 3])
    assert not shape.is_compatible_with([5, 4])
    assert shape.merge_with([7, None]) == [7, 3]
    assert shape + [4] == tf.TensorShape([None, 3, 4])
    assert shape.most_specific_compatible_shape([2, 5]) == tf.TensorShape([None, None])
    assert tf.TensorShape(None).rank is None
    assert not tf.TensorShape(None)
    with pytest.raises(ValueError, match="not compatible"):
        shape.merge_with([7, 4])
    with pytest.raises(ValueError, match="negative"):
        tf.TensorShape([-2])


sizes = st.lists(st.integers(0, 3), max_size=4)


@given(sizes, sizes)
def test_broadcasting_is_numpys(first, second):
    try:
        expected = np.broadcast_shapes(tuple(first), tuple(second))
    except ValueError:
        with pytest.raises(ValueError, match="Incompatible shapes"):
            broadcast_dims(tuple(first), tuple(second))
    else:
        assert broadcast_dims(tuple(first), tuple(second)) == expected


@given(st.data(), sizes, sizes)
def test_partly_known_shapes_broadcast_to_what_fits(data, first, second):
    try:
        full = np.broadcast_shapes(tuple(first), tuple(second))
    except ValueError:
        return
    hidden = [tuple(None if data.draw(st.booleans()) else size for size in shape) for shape in (first, second)]
    assert tf.TensorShape(broadcast_dims(*hidden)).is_compatible_with(full)


def test_structures():
    structure = {"b": [1, (2, 3)], "a": None}
    assert tf.nest.flatten(structure) == [None, 1, 2, 3]
    assert tf.nest.pack_sequence_as(structure, "wxyz") == {"b": ["x", ("y", "z")], "a": "w"}
    assert tf.nest.map_structure(lambda x, y: x + y, [1, {"k": 2}], [10, {"k": 20}]) == [11, {"k": 22}]
    with pytest.raises(ValueError, match="same nested structure"):
        tf.nest.map_structure(lambda x, y: x, [1, 2], [1, [2]])
    with pytest.raises(ValueError, match="leaves"):
        tf.nest.pack_sequence_as(structure, [1])


def test_lists_of_tensors_keep_their_gradient():
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.raw_ops.Mul(x=tf.constant([1.0, 2.0]), y=[x, x * x])
    assert float(tape.gradient(y, x)) == 13.0


def test_lists_with_symbolic_tensors():
    @tf.function(input_signature=[tf.TensorSpec([None, None])])
    def f(x):
        return tf.raw_ops.Reshape(tensor=x, shape=[tf.shape(x)[1], -1])

    assert f(np.ones((2, 3), np.float32)).shape == (3, 2)


def test_infinities_are_values_like_others():
    code = "from modtf import core as tf; x = tf.constant([3e38]); y = x * x; print(*(t.numpy() for t in (x + x, y - y, x / 0.)))"
    result = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout == "[inf] [nan] [inf]\n", result.stderr
