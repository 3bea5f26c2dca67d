"""Parsing: examples and sequence examples, tensors as strings, CSV and JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, i64, some
from modtf.core.ops.files.wire_format import bytes_field, packed_field


def _strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _string(value: bytes) -> np.ndarray:
    return np.array(value, object)


def _feature(values: list[Any]) -> bytes:
    if values and isinstance(values[0], bytes):
        return bytes_field(1, b"".join(bytes_field(1, value) for value in values))
    if values and isinstance(values[0], float):
        return bytes_field(2, bytes_field(1, np.array(values, "<f4").tobytes()))
    return bytes_field(3, packed_field(1, values))


def _map(entries: dict[str, bytes]) -> bytes:
    return b"".join(
        bytes_field(1, bytes_field(1, key.encode()) + bytes_field(2, value)) for key, value in entries.items()
    )


def _example(**features: list[Any]) -> bytes:
    return bytes_field(1, _map({key: _feature(values) for key, values in features.items()}))


def _sequence(context: dict[str, list[Any]], lists: dict[str, list[list[Any]]]) -> bytes:
    steps = {key: b"".join(bytes_field(1, _feature(step)) for step in values) for key, values in lists.items()}
    return bytes_field(1, _map({key: _feature(values) for key, values in context.items()})) + bytes_field(
        2, _map(steps)
    )


_NONE = _strings()
_FULL = _example(i=[1, -2, 1 << 62], s=[b"x"], f=[1.5])
_OTHER = _example(i=[3], s=[b"y", b""])
_LONG = _example(i=list(range(-40, 400, 10)), f=[index / 8 for index in range(30)])
_BATCHES = (_strings(_FULL, _OTHER, b""), _strings(_LONG, _FULL), _NONE)


def _of(op: str, *inputs: Any, **attrs: Any) -> None:
    case(op, *inputs, dtypes="string", smooth=False, **attrs)


def _wrong(op: str, *inputs: Any, **attrs: Any) -> None:
    mistake(op, *inputs, dtypes="string", told_by="arguments", **attrs)


# ------------------------------------------------------------------------------------------------- examples

_NOTHING: dict[str, Any] = {
    "num_sparse": 0, "sparse_types": [], "ragged_value_types": [], "ragged_split_types": [], "dense_shapes": [],
}  # fmt: skip
_SPARSE = _strings(b"i", b"s", b"f", b"none")
_SPARSE_ATTRS = {**_NOTHING, "num_sparse": 4, "sparse_types": ["int64", "string", "float32", "string"]}
_DENSE = _strings(b"i", b"f", b"absent")
_DENSE_ATTRS = {**_NOTHING, "dense_shapes": [[None], [None, 2], [2]]}
_DEFAULTS = [i64(7), np.float32(3), _strings(b"a", b"b")]

for _serialized in (*_BATCHES, _string(_FULL), _string(b"")):
    _of("ParseExampleV2", _serialized, _NONE, _SPARSE, _NONE, _NONE, [], **_SPARSE_ATTRS)
    if _serialized.ndim:
        _of(
            "ParseExampleV2", _serialized, _NONE, _NONE, _NONE, _strings(b"s", b"i"), [],
            **{**_NOTHING, "ragged_value_types": ["string", "int64"], "ragged_split_types": ["int32", "int64"]},
        )  # fmt: skip
_of(
    "ParseExampleV2",
    _strings(_example(i=[5], f=[1.0, 2.0]), b""),
    _NONE,
    _NONE,
    _DENSE,
    _NONE,
    _DEFAULTS,
    **_DENSE_ATTRS,
)
_of("ParseExampleV2", _string(_OTHER), _NONE, _NONE, _DENSE, _NONE, _DEFAULTS, **_DENSE_ATTRS)
_of(
    "ParseExampleV2", _strings(_OTHER), _strings(b"name"), _strings(b"s"), _strings(b"i"), _NONE, [i64([])],
    **{**_NOTHING, "num_sparse": 1, "sparse_types": ["string"], "dense_shapes": [[1]]},
)  # fmt: skip
for _message, _key, _default, _shape in (
    (_FULL, b"i", i64([]), [2]),  # too many
    (b"", b"i", i64([]), [1]),  # missing
    (_OTHER, b"i", np.float32([]), [1]),  # of another dtype
    (_FULL, b"i", i64(0), [None, 2]),  # no multiple
    (_FULL, b"i", i64([0, 0]), [None]),  # no padding
    (_example(i=[1, 2])[:-1], b"i", i64(0), [None]),  # damaged
):
    _wrong(
        "ParseExampleV2", _strings(_message), _NONE, _NONE, _strings(_key), _NONE, [_default],
        **{**_NOTHING, "dense_shapes": [_shape]},
    )  # fmt: skip
_wrong("ParseExampleV2", _strings(_FULL), _NONE, _strings(b"i"), _NONE, _NONE, [], **{**_SPARSE_ATTRS})
mistake(
    "ParseExampleV2",
    Given([[b"", b""]]),
    _NONE,
    _SPARSE,
    _NONE,
    _NONE,
    [],
    dtypes="string",
    told_by="shapes",
    **_SPARSE_ATTRS,
)

for _serialized in _BATCHES:
    _of(
        "ParseExample", _serialized, _NONE, [_string(b"i")], [_string(b"f"), _string(b"no")], [np.float32(9), _string(b"p")],
        sparse_types=["int64"], dense_shapes=[[None], []],
    )  # fmt: skip
_wrong("ParseExample", _strings(_FULL), _NONE, [], [_string(b"i")], [i64([])], sparse_types=[], dense_shapes=[[2]])

for _one in (_FULL, _OTHER, b"", _LONG):
    _of(
        "ParseSingleExample", _string(_one), [_strings(b"d"), _string(b"")],
        num_sparse=2, sparse_keys=["i", "f"], dense_keys=["none", "s"], sparse_types=["int64", "float32"],
        dense_shapes=[[1], [None]],
    )  # fmt: skip
_wrong(
    "ParseSingleExample", _string(b""), [i64([])],
    num_sparse=0, sparse_keys=[], dense_keys=["i"], sparse_types=[], dense_shapes=[[2]],
)  # fmt: skip

# ------------------------------------------------------------------------------------------------- sequences

_STEPS = _sequence(
    {"c": [1, 2], "s": [b"q"]},
    {"t": [[1, 2], [3]], "d": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "w": [[b"a"], [b"b", b"c"]]},
)
_FEWER = _sequence({"c": [5]}, {"t": [[7]], "d": [[8.0, 9.0]], "w": [[b"z"], [b"", b"y"]]})
_EMPTY = _sequence({}, {})
_LISTS = {
    "Ncontext_sparse": 1, "context_sparse_types": ["int64"], "context_dense_shapes": [[2]], "Nfeature_list_sparse": 2,
    "feature_list_sparse_types": ["int64", "string"], "feature_list_dense_types": ["float32"],
    "feature_list_dense_shapes": [[2]], "Nfeature_list_dense": 1,
}  # fmt: skip
_RAGGED = {
    "context_ragged_value_types": ["string"], "context_ragged_split_types": ["int64"],
    "feature_list_ragged_value_types": ["int64"], "feature_list_ragged_split_types": ["int32"],
}  # fmt: skip
for _serialized in (_strings(_STEPS, _FEWER, _EMPTY), _strings(_FEWER), _NONE, _string(_STEPS)):
    _ragged = _serialized.ndim == 1
    _of(
        "ParseSequenceExampleV2", _serialized, _NONE, _strings(b"c"), _strings(b"absent"),
        _strings(b"s") if _ragged else _NONE, _strings(b"t", b"w"), _strings(b"d"), _strings(b"u") if _ragged else _NONE,
        np.array([True]), [i64([3, 4])], **_LISTS, **(_RAGGED if _ragged else {}),
    )  # fmt: skip
    if _serialized.ndim:
        _of(
            "ParseSequenceExample", _serialized, _NONE, [i64([3, 4])], feature_list_dense_missing_assumed_empty=["d"],
            context_sparse_keys=["c"], context_dense_keys=["absent"], feature_list_sparse_keys=["t", "w"],
            feature_list_dense_keys=["d"], Ncontext_dense=1, **_LISTS,
        )  # fmt: skip
for _one in (_STEPS, _FEWER, _EMPTY):
    _of(
        "ParseSingleSequenceExample", _string(_one), _strings(b"d"), [_string(b"c")], [_string(b"absent")],
        [_string(b"t"), _string(b"w")], [_string(b"d")], [i64([3, 4])], _string(b"name"),
        **{key: value for key, value in _LISTS.items() if not key.startswith("N")},
    )  # fmt: skip
_wrong(
    "ParseSequenceExample", _strings(_EMPTY), _NONE, [], feature_list_dense_missing_assumed_empty=[],
    context_sparse_keys=[], context_dense_keys=[], feature_list_sparse_keys=[], feature_list_dense_keys=["d"],
    Nfeature_list_dense=1, feature_list_dense_types=["float32"], feature_list_dense_shapes=[[2]],
)  # fmt: skip

# ------------------------------------------------------------------------------------------------- tensors

case("SerializeTensor", some(2, 3), dtypes="float32 float64 bfloat16 int32 int64 bool complex64", smooth=False)
case("SerializeTensor", some(), dtypes="float32 uint8", smooth=False)
case("SerializeTensor", some(0, 3), dtypes="float32", smooth=False)
_of("SerializeTensor", _strings(b"a", b"", b"bcd"))
_of("SerializeTensor", _string(b"\xff"))

_ROWS = bytes.fromhex("0801120812020802120208022210000080bf000000400000404000008040")
_of("ParseTensor", _string(_ROWS), out_type="float32")
_of("ParseTensor", _string(bytes.fromhex("08011204120208032a0400002040")), out_type="float32")  # one value for three
_of("ParseTensor", _string(bytes.fromhex("0807120412020802420161420162")), out_type="string")
_of("ParseTensor", _string(bytes.fromhex("08131204120208026a058078808001")), out_type="float16")
_of(
    "ParseTensor",
    _string(bytes.fromhex("08091204120208035215" + "ff" * 9 + "01" + "80" * 9 + "0103")),
    out_type="int64",
)
_wrong("ParseTensor", _string(_ROWS), out_type="int32")
_wrong("ParseTensor", _string(_ROWS[:-1]), out_type="float32")
_wrong("ParseTensor", _string(bytes.fromhex("08011204120208ff2a0400002040")), out_type="float32")

# ------------------------------------------------------------------------------------------------- text

_HELLO_AND_NOTHING = {  # not compressed here, since builds of zlib differ
    "ZLIB": ("789ccb48cdc9c90700062c0215", "789c030000000001"),
    "GZIP": ("1f8b0800000000000003cb48cdc9c9070086a6103605000000", "1f8b080000000000000303000000000000000000"),
}
_of("DecodeCompressed", _strings(b"hello", b""))
for _kind, _hex in _HELLO_AND_NOTHING.items():
    _files = [bytes.fromhex(item) for item in _hex]
    _of("DecodeCompressed", _strings(*_files, b"".join(_files)), compression_type=_kind)

_COLUMNS = [np.int32([]), np.float32([1.5]), _strings(b"d")]
for _records in (
    _strings(b"1,2.5,a", b"-3,,"),
    _string(b' 1, 1e3,"a, ""b"""'),
    _NONE,
    Given([[b"1,2,a"], [b"2,inf,b"]]),
):
    _of("DecodeCSV", _records, _COLUMNS)
_of("DecodeCSV", _strings(b'1;NA;x"y'), _COLUMNS, field_delim=";", na_value="NA", use_quote_delim=False)
_of("DecodeCSV", _strings(b"a,7,b,8"), [i64([]), np.float64([])], select_cols=[1, 3])
for _record in (b"x,2,a", b",2,a", b"1,2", b"1,2,a,b", b'1,2,"a', b'1,2,a"b', b"3000000000,2,a", b""):
    _wrong("DecodeCSV", _strings(_record), _COLUMNS)

for _json in (
    b'{"features":{"feature":{"a":{"int64List":{"value":["1",-2,9007199254740993]}}}}}',
    b'{"features":{"feature":{"a":{"bytes_list":{"value":["aGk=","-_8"]}}}}}',
    b'{"features":{"feature":{"a":{"floatList":{"value":[1.5,"-Infinity"]}}}}}',
):
    _of("DecodeJSONExample", _strings(_json, b"{}"))
for _json in (b"{", b'{"x":1}', b'{"features":{"feature":{"a":{"int64List":{"value":[1.5]}}}}}'):
    _wrong("DecodeJSONExample", _string(_json))
