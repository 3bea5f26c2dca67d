"""TensorProto: those that TensorFlow wrote, round trips, and messages that lie about their size."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from golden_values import DTYPES, GOLDENS, REPEATED, TENSORS, assert_same, strings
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modtf.saved_model import DataLossError, SavedModelError, UnsupportedError
from modtf.saved_model.dtypes import data_type_of, numpy_dtype
from modtf.saved_model.protos import tensor_pb2
from modtf.saved_model.protos.graph_pb2 import NameAttrList
from modtf.saved_model.protos.tensor_pb2 import DataType, TensorProto, TensorShapeProto
from modtf.saved_model.tensor_protos import make_ndarray, make_shape_proto, make_tensor_proto, static_shape

WRITTEN = NameAttrList.FromString((GOLDENS / "tensor_protos.pb").read_bytes()).attr


def expected_value(name: str) -> np.ndarray:
    if name.startswith("first of "):
        array = TENSORS[name.removeprefix("first of ")]
        return array.flat[:1].reshape(())
    name = name.removesuffix(" from C++")
    return REPEATED[name] if name in REPEATED else TENSORS[name]


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_what_tensorflow_wrote(name: str) -> None:
    assert_same(make_ndarray(WRITTEN[name].tensor), expected_value(name))


def test_the_goldens_use_both_notations_of_every_type() -> None:
    for name in DTYPES:
        assert {name, *(() if name.endswith("fnuz") else (f"first of {name}",))} <= set(WRITTEN)
    assert WRITTEN["float32"].tensor.tensor_content and WRITTEN["first of float32"].tensor.float_val


@pytest.mark.parametrize("array", [*TENSORS.values(), *REPEATED.values()], ids=[*TENSORS, *REPEATED])
def test_round_trip(array: np.ndarray) -> None:
    for value in (array, array.T, array.flat[:1], array[..., None]):
        assert_same(make_ndarray(make_tensor_proto(value)), np.array(value))


@given(
    hnp.arrays(st.sampled_from(["f4", "f8", "c8", "i1", "i8", "u8", "?"]), hnp.array_shapes(min_dims=0, min_side=0))
    | st.lists(st.binary()).map(lambda values: strings(*values))
)
def test_any_array(array: np.ndarray) -> None:
    assert_same(make_ndarray(make_tensor_proto(array)), array)


def test_equal_elements_are_stored_once() -> None:
    assert make_tensor_proto(np.full((100, 100), -0.0, np.float32)).float_val == [-0.0]
    assert make_tensor_proto(np.array([0.0, -0.0], np.float32)).tensor_content
    assert make_tensor_proto(np.full(9, np.nan, ml_dtypes.bfloat16)).half_val == [0x7FC0]
    huge = np.broadcast_to(np.float32(1), (2**40,))
    assert make_tensor_proto(huge).float_val == [1.0]


def test_a_repeated_value_takes_no_memory() -> None:
    proto = TensorProto(dtype=tensor_pb2.DT_FLOAT, tensor_shape=make_shape_proto((2**29,)), float_val=[3.0])
    array = make_ndarray(proto)
    assert array.nbytes == 2**31
    assert array.strides == (0,)
    assert array[-1] == 3


def test_results_are_read_only() -> None:
    for array in (TENSORS["float32"], REPEATED["repeated_float"], REPEATED["splat_bool"], TENSORS["strings"]):
        assert not make_ndarray(make_tensor_proto(array)).flags.writeable
    repeated = make_ndarray(WRITTEN["repeated_float"].tensor)
    assert not repeated.flags.writeable


def test_strings_as_lengths_and_bytes() -> None:
    proto = TensorProto(dtype=tensor_pb2.DT_STRING, tensor_shape=make_shape_proto((3,)))
    proto.tensor_content = b"\1\0\xc8\1" + b"a" + b"b" * 200
    assert_same(make_ndarray(proto), strings(b"a", b"", b"b" * 200))
    proto.tensor_content = b"\1\0\xc8\1" + b"a" + b"b" * 199
    with pytest.raises(DataLossError, match="do not hold strings"):
        make_ndarray(proto)
    proto.tensor_shape.dim[0].size = 2**40
    with pytest.raises(DataLossError, match="1099511627776 varints cannot stand in 204 bytes"):
        make_ndarray(proto)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"dtype": 1, "size": 2**30, "float_val": [1]}, DataLossError, "4294967296 bytes; at most 2147483648"),
        ({"dtype": 1, "size": 2**30}, DataLossError, "0 values stand for DT_FLOAT"),
        ({"dtype": 1, "size": 2**28, "float_val": [1, 2]}, DataLossError, "at most 67108864"),
        ({"dtype": 7, "size": 2**40}, DataLossError, "at most"),
        ({"dtype": 1, "size": 2**62, "float_val": [1]}, DataLossError, "no array can have"),
        ({"dtype": 1, "size": -1, "float_val": [1]}, DataLossError, "not known"),
        ({"dtype": 1, "size": 2, "float_val": [1, 2, 3]}, DataLossError, "has 3 values"),
        ({"dtype": 1, "size": 0, "float_val": [1]}, DataLossError, "has 1 values"),
        ({"dtype": 1, "size": 2, "tensor_content": b"abcdefg"}, DataLossError, "7 bytes"),
        ({"dtype": 1, "size": 2**40, "tensor_content": b"abcd"}, DataLossError, "4 bytes"),
        ({"dtype": 8, "size": 2, "scomplex_val": [1, 2, 3]}, DataLossError, "3 parts of complex"),
        ({"dtype": 10, "size": 2, "tensor_content": b"\0\2"}, DataLossError, "stored as 2"),
        ({"dtype": 20, "size": 1}, UnsupportedError, "DT_RESOURCE"),
        ({"dtype": 0, "size": 1}, UnsupportedError, "DT_INVALID"),
        ({"dtype": 77, "size": 1}, UnsupportedError, "type 77"),
    ],
)
def test_messages_that_lie_are_refused(fields: dict[str, object], error: type[Exception], message: str) -> None:
    shape = make_shape_proto((fields.pop("size"),))
    with pytest.raises(error, match=f"node 'Const'.*{message}"):
        make_ndarray(TensorProto(tensor_shape=shape, **fields), "node 'Const'")


@settings(deadline=None)
@given(
    st.builds(
        TensorProto,
        dtype=st.sampled_from(DataType.values()),
        tensor_shape=st.lists(st.integers(-1, 4) | st.integers(0, 2**62), max_size=3).map(make_shape_proto),
        tensor_content=st.just(b"") | st.binary(max_size=64),
        half_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
        float_val=st.lists(st.floats(width=32), max_size=4),
        int_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
        string_val=st.lists(st.binary(), max_size=4),
        dcomplex_val=st.lists(st.floats(), max_size=4),
        bool_val=st.lists(st.booleans(), max_size=4),
        float8_val=st.binary(max_size=4),
    )
)
def test_no_message_does_worse_than_be_refused(proto: TensorProto) -> None:
    try:
        array = make_ndarray(proto)
    except SavedModelError:
        return
    assert array.dtype == numpy_dtype(proto.dtype)
    assert array.shape == static_shape(proto.tensor_shape)


def test_shapes() -> None:
    assert static_shape(make_shape_proto((2, 0, 3))) == (2, 0, 3)
    assert static_shape(TensorShapeProto()) == ()
    with pytest.raises(DataLossError, match="unknown rank"):
        static_shape(TensorShapeProto(unknown_rank=True))


def test_types_by_number_and_back() -> None:
    for name, dtype in DTYPES.items():
        number = data_type_of(np.dtype(dtype))
        assert DataType.Name(number) == "DT_" + {"FLOAT32": "FLOAT", "FLOAT64": "DOUBLE", "FLOAT16": "HALF"}.get(
            name.upper(), name.upper()
        )
        assert numpy_dtype(number) == numpy_dtype(number + 100) == dtype
    assert data_type_of(np.dtype(">f4")) == tensor_pb2.DT_FLOAT
    for dtype in (np.dtype("U3"), np.dtype("S3"), np.dtype("datetime64[s]"), np.dtype([("a", "f4")])):
        with pytest.raises(TypeError, match="cannot be stored; convert it to one of: float32"):
            data_type_of(dtype)
