"""Nested Python values, as files hold them."""

from __future__ import annotations

import inspect
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modtf import core as tf
from modtf.saved_model import DataLossError, SavedModelError
from modtf.saved_model.protos.structure_pb2 import StructuredValue
from modtf.saved_model.structures import (
    decode_function_spec,
    decode_structure,
    encode_function_spec,
    encode_structure,
)

shapes = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=3)).map(tf.TensorShape)
dtypes = st.sampled_from([tf.float32, tf.int64, tf.string, tf.bool, tf.bfloat16, tf.resource])
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False),
    st.text(),
    shapes,
    dtypes,
    st.builds(tf.TensorSpec, shapes, dtypes, st.one_of(st.none(), st.text(min_size=1))),
)
structures = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(), inner, max_size=3),
    ),
)


@given(structures)
def test_round_trip(value: Any) -> None:
    data = encode_structure(value, "value").SerializeToString()
    result = decode_structure(StructuredValue.FromString(data), "value")
    assert result == value
    assert type(result) is type(value)


def test_named_tuples_arrays_and_tensors() -> None:
    Pair = namedtuple("Pair", ["first", "second"])
    result = decode_structure(encode_structure(Pair(1, [None]), "value"), "value")
    assert (type(result).__name__, result.first, result.second) == ("Pair", 1, [None])
    array = np.arange(3)
    assert decode_structure(encode_structure(array, "value"), "value").tolist() == [0, 1, 2]
    assert decode_structure(encode_structure(tf.constant(array), "value"), "value").numpy().tolist() == [0, 1, 2]


@pytest.mark.parametrize("value", [object(), {1: 2}, 1 << 64, b"bytes", lambda: None])
def test_what_files_cannot_hold(value: Any) -> None:
    with pytest.raises(SavedModelError, match="the argument.*cannot be saved"):
        encode_structure([value], "the argument")


@pytest.mark.parametrize("fields", [["class"], ["a", "a"], ["a b"], ["__import__('os')"], ["_x"]])
def test_named_tuples_with_other_names_than_python_has(fields: list[str]) -> None:
    proto = StructuredValue()
    proto.named_tuple_value.name = "Named"
    for field in fields:
        proto.named_tuple_value.values.add(key=field).value.int64_value = 1
    with pytest.raises(DataLossError, match="is no named tuple"):
        decode_structure(proto, "value")


def _a(x: Any, y: int = 2, *rest: Any, mode: str, scale: float = 1.0, **named: Any) -> None: ...
def _b() -> None: ...
def _c(*, only: Any = None) -> None: ...
def _d(x: Any, /, y: Any = (1, [2])) -> None: ...


@pytest.mark.parametrize("function", [_a, _b, _c, _d])
def test_python_signatures(function: Any) -> None:
    signature = inspect.signature(function)
    specs = (tf.TensorSpec([None], tf.float32),)
    result, input_signature = decode_function_spec(encode_function_spec(signature, specs, "f"), "f")
    assert input_signature == specs
    assert [(item.name, item.default) for item in result.parameters.values()] == [
        (item.name, item.default) for item in signature.parameters.values()
    ]


def test_methods_lose_self() -> None:
    spec = encode_function_spec(inspect.signature(lambda self, x, y=1: None), None, "f")
    assert str(decode_function_spec(spec, "f")[0]) == "(x, y=1)"


def test_a_signature_that_python_does_not_have() -> None:
    spec = encode_function_spec(inspect.signature(lambda x, y: None), None, "f")
    for pair in spec.fullargspec.named_tuple_value.values:
        if pair.key == "args":
            pair.value.list_value.values[1].string_value = "x"
    with pytest.raises(DataLossError, match="none that a function can have"):
        decode_function_spec(spec, "f")
