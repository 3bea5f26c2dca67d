"""What `tf.` itself has to ask of values, to make and to convert them: expected values are TensorFlow's."""

from __future__ import annotations

import copy
import logging
import pickle
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.values import conversion_functions

# ------------------------------------------------------------------------------------------------- questions


def test_is_tensor() -> None:
    rows = tf.IndexedSlices(tf.ones([1, 1]), tf.constant([1]))
    for value in (tf.ones(1), tf.Variable(1), tf.sparse.eye(2), tf.ragged.constant([[1]]), rows):
        assert tf.is_tensor(value)
    for other in (1, [tf.ones(1)], np.ones(2), tf.TensorSpec([1]), tf.TensorArray("float32", 1), None):
        assert not tf.is_tensor(other)

    class Like:
        is_tensor_like = True

    assert tf.is_tensor(Like())
    assert not tf.is_symbolic_tensor(tf.ones(1)) and not tf.is_symbolic_tensor(1)


def test_static_values() -> None:
    seen: dict[str, Any] = {}

    @tf.function
    def trace(x: Any) -> Any:
        seen["symbolic"] = tf.is_symbolic_tensor(x), tf.is_tensor(x)
        seen["argument"] = tf.get_static_value(x)
        seen["shape"] = tf.get_static_value(tf.shape(x))
        seen["known"] = tf.get_static_value(tf.shape(x)[1])
        seen["partial"] = tf.get_static_value(tf.shape(x), partial=True)
        seen["string"] = tf.get_static_value(tf.constant("a"))
        seen["long"] = tf.get_static_value(tf.constant(np.arange(2000.0)))
        return x

    trace.get_concrete_function(tf.TensorSpec([None, 2]))
    assert seen["symbolic"] == (True, True)
    assert seen["argument"] is None and seen["shape"] is None
    assert seen["known"] == 2 and seen["partial"].tolist() == [None, 2] and seen["string"] == b"a"
    np.testing.assert_array_equal(seen["long"], np.arange(2000.0))
    assert tf.get_static_value(tf.constant([1, 2])).tolist() == [1, 2]
    assert tf.get_static_value(5) == 5 and tf.get_static_value(tf.Variable(5)) is None
    assert tf.get_static_value(tf.sparse.eye(2)) is None


def test_specs_of_values() -> None:
    cases: list[tuple[Any, Any]] = [
        (tf.ones([2]), tf.TensorSpec([2], tf.float32)),
        (2.5, tf.TensorSpec([], tf.float32)),
        (np.ones(2), tf.TensorSpec([2], tf.float64)),
        ("a", tf.TensorSpec([], tf.string)),
        ([tf.ones(2)], tf.TensorSpec([1, 2], tf.float32)),
        (tf.sparse.eye(2), tf.SparseTensorSpec([2, 2], tf.float32)),
        (tf.ragged.constant([[1]]), tf.RaggedTensorSpec([1, None], tf.int32)),
        (None, tf.NoneTensorSpec()),
        (tf.TensorShape([1]), tf.TensorSpec([1], tf.int32)),
        (tf.TensorArray("float32", 1), tf.TensorArraySpec(None, tf.float32)),
    ]
    for value, spec in cases:
        assert tf.type_spec_from_value(value) == spec
    for other in (object(), tf.float32, tf.TensorSpec([1]), [[1], [2, 3]], {"a": 1}):
        with pytest.raises(TypeError, match="Could not build a TypeSpec"):
            tf.type_spec_from_value(other)


def test_name_scopes_and_the_logger() -> None:
    assert tf.get_current_name_scope() == ""
    with tf.name_scope("a"), tf.name_scope("b"):
        assert tf.get_current_name_scope() == "a/b"
    assert isinstance(tf.get_logger(), logging.Logger) and tf.get_logger().name == "modtf"
    assert tf.newaxis is None and tf.ones([2])[tf.newaxis].shape == [1, 2]


# ------------------------------------------------------------------------------------------------- shapes, dtypes, specs


def test_ranks_of_shapes() -> None:
    shape, unknown = tf.TensorShape([2, None]), tf.TensorShape(None)
    assert shape.with_rank_at_least(2) == shape and shape.with_rank_at_most(2) == shape
    assert unknown.with_rank_at_least(3).rank is None and unknown.with_rank_at_most(1).rank is None
    shape.assert_has_rank(2)
    shape.assert_has_rank(None)
    shape.assert_same_rank([3, 3])
    shape.assert_same_rank(None)
    shape.assert_is_compatible_with([2, 3])
    refused: list[tuple[Callable[[], Any], str]] = [
        (lambda: shape.with_rank_at_least(3), "rank at least 3"),
        (lambda: shape.with_rank_at_most(1), "rank at most 1"),
        (lambda: shape.assert_has_rank(3), "must have rank 3"),
        (lambda: shape.assert_same_rank([3]), "must have the same rank"),
        (lambda: shape.assert_is_compatible_with([3, 3]), "are incompatible"),
    ]
    for call, message in refused:
        with pytest.raises(ValueError, match=message):
            call()


def test_common_supertypes() -> None:
    shape = tf.TensorShape([2, None])
    assert shape.most_specific_common_supertype([tf.TensorShape([2, 3]), tf.TensorShape([2, 4])]) == shape
    assert shape.most_specific_common_supertype([tf.TensorShape([2])]).dims is None
    assert shape.most_specific_common_supertype([[2, 3]]) is None
    spec = tf.TensorSpec([2, None], tf.float32, "n")
    assert spec.most_specific_common_supertype([tf.TensorSpec([2, 3], tf.float32, "n")]) == spec
    for other in (tf.TensorSpec([2, 3]), tf.TensorSpec([2, 3], tf.int32, "n"), 5):
        assert spec.most_specific_common_supertype([other]) is None
    assert not spec.is_subtype_of(5)
    ragged = tf.RaggedTensorSpec([2, None], tf.float32)
    assert ragged.most_specific_common_supertype([tf.RaggedTensorSpec([2, 3], tf.float32)]) == ragged
    assert ragged.most_specific_common_supertype([spec]) is None
    assert tf.float32.most_specific_common_supertype([tf.float32]) is tf.float32
    assert tf.float32.most_specific_common_supertype([tf.int32]) is None and not tf.float32.is_subtype_of(tf.int32)


def test_specs_take_values_apart() -> None:
    value = tf.SparseTensor([[0, 1]], [2.0], [2, 3])
    spec = tf.SparseTensorSpec([2, 3], tf.float32)
    assert [item.dtype for item in spec.flatten()] == [tf.int64, tf.float32, tf.int64]
    tensors = spec.to_tensors(value)
    assert tf.sparse.to_dense(spec.from_tensors(iter(tensors))).numpy().tolist() == [[0, 2, 0], [0, 0, 0]]
    assert (spec.value_type, tf.TensorSpec([1]).value_type) == (tf.SparseTensor, tf.Tensor)
    array = tf.TensorArraySpec([2], tf.float32)
    assert array.value_type is tf.TensorArray
    assert tf.TensorArraySpec.from_value(tf.TensorArray("float32", 1, element_shape=[2])) == array


def test_limits_of_dtypes() -> None:
    limits = {tf.int8: (0, 127), tf.uint8: (0, 255), tf.float32: (0, 1), tf.float64: (0, 1), tf.bool: (0, True)}
    assert {dtype: dtype.limits for dtype in limits} == limits
    for dtype in (tf.bfloat16, tf.string, tf.complex64, tf.qint8):
        with pytest.raises(ValueError, match="does not have defined limits"):
            _ = dtype.limits
    assert tf.string.is_numpy_compatible and not tf.resource.is_numpy_compatible
    assert not tf.variant.is_numpy_compatible


# ------------------------------------------------------------------------------------------------- tensors, variables


def test_tensors_at_hand() -> None:
    x = tf.ones([2, 3])
    for name in ("name", "op", "graph"):
        assert not hasattr(x, name)
        with pytest.raises(AttributeError, match=f"Tensor.{name} is undefined when eager execution is enabled"):
            getattr(x, name)
    x.set_shape([2, None])
    with pytest.raises(ValueError, match="is not compatible with supplied shape"):
        x.set_shape([3, None])
    assert copy.copy(x) is x and copy.deepcopy(x) is x
    assert {"__add__", "__getitem__", "__rmatmul__"} < x.OVERLOADABLE_OPERATORS
    assert all(hasattr(x, name) for name in x.OVERLOADABLE_OPERATORS)


def test_variables_are_not_changed_in_place() -> None:
    variable = tf.Variable([1.0, 2.0], shape=[None])
    variable.set_shape([2])
    assert variable.shape == [2]
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        variable.set_shape([3])
    with pytest.raises(ValueError, match="Shape mismatch"):
        variable.assign([1.0, 2.0, 3.0])
    same = variable
    with pytest.raises(RuntimeError, match="assign_add"):
        same += 1
    with pytest.raises(RuntimeError, match=r"out = variable \*\* value"):
        same **= 2
    assert variable.numpy().tolist() == [1, 2]


def test_variable_creators() -> None:
    asked: list[tuple[str, Any]] = []

    def outer(next_creator: Any, **kwargs: Any) -> Any:
        asked.append(("outer", kwargs["trainable"]))
        return next_creator(**{**kwargs, "name": "renamed"})

    def inner(next_creator: Any, **kwargs: Any) -> Any:
        asked.append(("inner", kwargs["name"]))
        return next_creator(**kwargs)

    with tf.variable_creator_scope(outer), tf.variable_creator_scope(inner):
        made = tf.Variable(1.0, False, name="q")
    assert asked == [("inner", "q"), ("outer", False)]
    assert made.name == "renamed:0" and not made.trainable
    with tf.variable_creator_scope(lambda next_creator, **kwargs: 5):
        assert tf.Variable(1.0) == 5

        class Own(tf.Variable):
            pass

        assert isinstance(Own(1.0), Own)
    assert isinstance(tf.Variable(1.0), tf.Variable)


# ------------------------------------------------------------------------------------------------- conversion


class _Held:
    def __init__(self, value: Any) -> None:
        self.value = value


@pytest.fixture
def registered() -> Iterator[None]:
    before = list(conversion_functions._registered)
    tf.register_tensor_conversion_function(
        _Held, lambda value, dtype=None, name=None, as_ref=False: tf.constant(value.value, dtype)
    )
    yield
    conversion_functions._registered[:] = before


@pytest.mark.usefixtures("registered")
def test_conversion_functions() -> None:
    assert tf.convert_to_tensor(_Held(3)).dtype is tf.int32
    assert tf.convert_to_tensor(_Held(3), tf.float32).dtype is tf.float32
    assert tf.convert_to_tensor(_Held(3), dtype_hint=tf.float64).dtype is tf.float64
    assert (tf.ones(2) + _Held(3)).numpy().tolist() == [4, 4]
    assert tf.stack([_Held(1), _Held(2)]).numpy().tolist() == [1, 2]
    assert tf.convert_to_tensor([_Held(3), 4]).numpy().tolist() == [3, 4]

    class Derived(_Held):
        pass

    assert tf.convert_to_tensor(Derived(3)).numpy() == 3
    tf.register_tensor_conversion_function(Derived, lambda value, **rest: NotImplemented, priority=50)
    assert tf.convert_to_tensor(Derived(3)).numpy() == 3
    tf.register_tensor_conversion_function(Derived, lambda value, **rest: tf.constant(9), priority=40)
    assert tf.convert_to_tensor(Derived(3)).numpy() == 9
    with pytest.raises(RuntimeError, match="returned incompatible dtype"):
        tf.convert_to_tensor(Derived(3), tf.float32)


def test_conversion_functions_that_are_none() -> None:
    for base_type, function in ((3, lambda value: value), (int, lambda value: value), (np.ndarray, len), (_Held, 3)):
        with pytest.raises(TypeError):
            tf.register_tensor_conversion_function(base_type, function)


# ------------------------------------------------------------------------------------------------- structures

_P = namedtuple("_P", "a b")
_R = namedtuple("_R", "a b")
_Same = namedtuple("_P", "a b")
_SPARSE = tf.SparseTensor([[0]], [1.0], [1])

_STRUCTURES: list[tuple[Any, Any, Any, Any]] = [
    # two structures, and the errors: of types and places, and of places alone
    ([1, 2], (1, 2), TypeError, None),
    ([1], [1, 2], ValueError, ValueError),
    ({"a": 1}, {"b": 2}, ValueError, None),
    ({"a": 1}, OrderedDict(a=1), None, None),
    (_P(1, 2), _Same(1, 2), None, None),
    (_P(1, 2), _R(1, 2), TypeError, None),
    (_P(1, 2), (1, 2), TypeError, None),
    ([1, [2]], [1, 2], ValueError, ValueError),
    ([1, [2]], [1, (2,)], TypeError, None),
    (1, [1], ValueError, ValueError),
    ([], (), TypeError, None),
    ({"a": 1, "b": 2}, [1, 2], TypeError, None),
    (_SPARSE, 1, None, None),
]


@pytest.mark.parametrize(("first", "second", "with_types", "without"), _STRUCTURES)
def test_same_structures(first: Any, second: Any, with_types: Any, without: Any) -> None:
    for check_types, error in ((True, with_types), (False, without)):
        if error is None:
            tf.nest.assert_same_structure(first, second, check_types)
            continue
        with pytest.raises(error, match="don't have the same nested structure"):
            tf.nest.assert_same_structure(first, second, check_types)


def test_same_structures_of_composites() -> None:
    check = tf.nest.assert_same_structure
    check(_SPARSE, tf.sparse.eye(2), expand_composites=False)
    check([_SPARSE], [tf.SparseTensor([[1]], [1.0], [5])], expand_composites=True)
    check(tf.SparseTensorSpec([1], tf.float32), _SPARSE, expand_composites=True)
    for other in (tf.ones(2), tf.SparseTensor([[0]], [1], [1]), tf.ragged.constant([[1.0]])):
        with pytest.raises(ValueError, match="not of one kind"):
            check(_SPARSE, other, expand_composites=True)
    with pytest.raises(TypeError):
        tf.nest.map_structure(lambda a, b: a + b, [1, 2], (3, 4))
    assert tf.nest.map_structure(lambda a, b: a + b, [1, 2], (3, 4), check_types=False) == [4, 6]


# ------------------------------------------------------------------------------------------------- errors


def test_errors_have_codes() -> None:
    errors = tf.errors
    assert (errors.OK, errors.CANCELLED, errors.INVALID_ARGUMENT, errors.UNAUTHENTICATED) == (0, 1, 3, 16)
    with pytest.raises(errors.InvalidArgumentError) as caught:
        tf.matmul(tf.ones([2, 3]), tf.ones([2, 3]))
    assert caught.value.error_code == errors.INVALID_ARGUMENT and caught.value.op.name == "MatMul"
    assert caught.value.experimental_payloads == {} and caught.value.node_def is caught.value.op
    for name, code in vars(errors).items():
        if name.isupper():
            words = "".join(word.title() for word in name.split("_")) + "Error"
            assert name == "OK" or getattr(errors, words).error_code == code


def test_errors_are_made_as_tensorflow_makes_them() -> None:
    made = tf.errors.NotFoundError(None, "op", "gone")
    assert (str(made), made.message, made.op, made.node_def) == ("gone", "gone", "op", None)
    assert tf.errors.OpError(None, None, "odd", 7).error_code == 7
    assert str(tf.errors.CancelledError("stopped")) == "stopped"
    assert pickle.loads(pickle.dumps(made)).message == "gone"


# ------------------------------------------------------------------------------------------------- ops as they are


def test_ops_as_they_are() -> None:
    wave = np.array([1.0, 0.0, -1.0, 0.0], np.float32)
    spectrum = tf.rfftnd(wave, [4], [0])
    np.testing.assert_allclose(spectrum, [0, 2, 0], atol=1e-6)
    np.testing.assert_allclose(tf.irfftnd(spectrum, [4], [0]), wave, atol=1e-6)
    np.testing.assert_allclose(tf.ifftnd(tf.fftnd(wave + 0j, [4], [0]), [4], [0]), wave, atol=1e-6)
    places = tf.random_index_shuffle(np.arange(5), [1, 2, 3], 4)
    assert sorted(places.numpy().tolist()) == [0, 1, 2, 3, 4]
    filled = tf.ragged_fill_empty_rows(np.array([0, 2]), np.array([5.0, 6.0]), 3, 9.0)
    assert filled.output_values.numpy().tolist() == [5, 9, 6]
    assert tf.approx_top_k(np.array([1.0, 3.0, 2.0], np.float32), 2)[0].numpy().tolist() == [3, 2]
    assert tf.eigvals([[2.0, 0.0], [0.0, 2.0]]).numpy().tolist() == [2, 2]
    np.testing.assert_allclose(tf.eig([[2.0, 0.0], [0.0, 3.0]])[0], [2, 3])
    np.testing.assert_allclose(tf.matrix_square_root([[4.0, 0.0], [0.0, 9.0]]), [[2, 0], [0, 3]], atol=1e-6)
