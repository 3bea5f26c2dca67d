"""Parsing records that are text: CSV, and examples written as JSON."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import unchanged
from modtf.core.engine.vocabulary import op
from modtf.core.ops.files.example_messages import Feature, encode_example
from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType, from_numpy
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- CSV

_QUOTE = b'"'


def _split_record(record: bytes, delimiter: bytes, quoting: bool) -> list[bytes]:
    """Splits a record into fields, as RFC 4180 has them; without `quoting`, quotes are characters like others."""
    fields = []
    at, end = 0, len(record)
    while at < end:
        if record[at : at + 1] in (b"\n", b"\r"):
            at += 1
        elif quoting and record[at : at + 1] == _QUOTE:
            field, at = _quoted(record, at + 1, delimiter)
            fields.append(field)
        else:
            stop = record.find(delimiter, at)
            stop = end if stop < 0 else stop
            field = record[at:stop]
            if b"\n" in field or b"\r" in field or (quoting and _QUOTE in field):
                raise InvalidArgumentError(f"Unquoted fields cannot have quotes/CRLFs inside: {_text(field)}.")
            fields.append(field)
            at = stop + 1
    if record.endswith(delimiter):
        fields.append(b"")
    return fields


def _quoted(record: bytes, start: int, delimiter: bytes) -> tuple[bytes, int]:
    """Returns the field whose opening quote is before `start`, and where the next one starts."""
    parts = []
    while True:
        stop = record.find(_QUOTE, start)
        if stop < 0:
            raise InvalidArgumentError(f"Quoted field has to end with quote followed by delim or end: {_text(record)}.")
        parts.append(record[start:stop])
        following = record[stop + 1 : stop + 2]
        if following in (b"", delimiter):
            return b"".join(parts), stop + 2
        if following != _QUOTE:
            raise InvalidArgumentError(f"Quote inside a string has to be escaped by another quote: {_text(record)}.")
        parts.append(_QUOTE)
        start = stop + 2


def _as_integer(text: bytes) -> int:
    return int(text)


def _as_float(text: bytes) -> float:
    if b"x" in text or b"X" in text:
        return float.fromhex(text.decode("ascii"))
    return float(text)


_PARSERS: dict[DType, Callable[[bytes], Any]] = {
    dtypes.int32: _as_integer,
    dtypes.int64: _as_integer,
    dtypes.float32: _as_float,
    dtypes.float64: _as_float,
    dtypes.string: bytes,
}


class _CsvColumn:
    """One field of all records.

    Args:
        index: Which of the fields that are wanted it is.
        default: What stands for an empty field; empty if there must be one.
    """

    def __init__(self, index: int, default: np.ndarray) -> None:
        if default.size > 1:
            raise InvalidArgumentError(
                f"There should only be 1 default per field but field {index} has {default.size}."
            )
        self._index = index
        self._dtype = dtypes.string if default.dtype == object else from_numpy(default.dtype)
        if self._dtype not in _PARSERS:
            raise InvalidArgumentError(
                f"Field {index} cannot be {self._dtype.name}: fields are float32, float64, int32, int64 or string."
            )
        self._default = default.reshape(-1).tolist()
        self._values: list[Any] = []

    def add(self, text: bytes, record: int) -> None:
        """Adds the field of the next record."""
        if text:
            self._values.append(self._parsed(text, record))
        elif self._default:
            self._values.append(self._default[0])
        else:
            raise InvalidArgumentError(f"Field {self._index} is required but missing in record {record}!")

    def _parsed(self, text: bytes, record: int) -> Any:
        dtype = self._dtype
        try:
            if dtype is not dtypes.string and b"_" in text:  # Python's digit separator
                raise ValueError
            value = _PARSERS[dtype](text)
            if dtype.is_integer and not dtype.min <= value <= dtype.max:
                raise ValueError
            return value
        except ValueError:
            name = {dtypes.float32: "float", dtypes.float64: "double"}.get(dtype, dtype.name)
            raise InvalidArgumentError(
                f"Field {self._index} in record {record} is not a valid {name}: {_text(text)}."
            ) from None

    def result(self, shape: tuple[int, ...]) -> np.ndarray:
        """Returns the fields in the shape of the records."""
        array = np.empty(len(self._values), self._dtype.np_dtype)
        if self._values:
            with np.errstate(over="ignore"):
                array[:] = self._values
        return array.reshape(shape)


def _csv_dims(
    records: Tensor, record_defaults: list[Tensor], *, select_cols: Sequence[int] = (), **attrs: Any
) -> list[Dims]:
    for index, default in enumerate(record_defaults):
        if default.dims is not None and (len(default.dims) > 1 or (default.dims and (default.dims[0] or 0) > 1)):
            raise ValueError(
                f"Shape of a default must be a length-0 or length-1 vector, or a scalar, but {index} is not"
            )
    return [records.dims] * len(record_defaults)


@op(
    "DecodeCSV[*OUT_TYPE: float32|float64|int32|int64|string](records: string, record_defaults: OUT_TYPE, *, "
    "field_delim: string = ',', use_quote_delim: bool = True, na_value: string = '', select_cols: list(int) = []) "
    "-> (output: OUT_TYPE)",
    shape=_csv_dims,
    host_only=True,
)
def decode_csv(
    xp: Any,
    records: np.ndarray,
    record_defaults: list[np.ndarray],
    *,
    field_delim: str,
    use_quote_delim: bool,
    na_value: str,
    select_cols: Sequence[int],
) -> list[np.ndarray]:
    delimiter = field_delim.encode()
    if len(delimiter) != 1:
        raise InvalidArgumentError(f"field_delim should be only 1 char, not {field_delim!r}.")
    if any(after <= before for before, after in zip((-1, *select_cols), select_cols, strict=False)):
        raise InvalidArgumentError(f"select_cols should be increasing from 0 on, not {list(select_cols)}.")
    if select_cols and len(select_cols) != len(record_defaults):
        raise InvalidArgumentError(
            f"{len(select_cols)} select_cols must have as many defaults, not {len(record_defaults)}"
        )
    if any(default.ndim > 1 for default in record_defaults):
        raise InvalidArgumentError("record_defaults must be scalars or vectors")
    columns = [_CsvColumn(index, default) for index, default in enumerate(record_defaults)]
    count, missing = len(columns), na_value.encode()
    for number, record in enumerate(records.reshape(-1)):
        fields = _split_record(record, delimiter, use_quote_delim and delimiter != _QUOTE)
        if select_cols:
            fields = [fields[index] for index in select_cols if index < len(fields)]
        if len(fields) != count:
            raise InvalidArgumentError(f"Expect {count} fields but have {len(fields)} in record {number}.")
        for column, field in zip(columns, fields, strict=True):
            column.add(b"" if field == missing else field, number)
    return [column.result(records.shape) for column in columns]


decode_csv.gradient(None)


# ------------------------------------------------------------------------------------------------- JSON


@op("DecodeJSONExample(json_examples: string) -> (binary_examples: string)", shape=unchanged, host_only=True)
def decode_json_example(xp: Any, json_examples: np.ndarray) -> np.ndarray:
    binary = np.empty(json_examples.shape, object)
    for index, text in np.ndenumerate(json_examples):
        try:
            binary[index] = _example_from(json.loads(text, parse_constant=_refuse))
        except (ValueError, RecursionError) as error:
            raise InvalidArgumentError(f"Error while parsing JSON: {error}.") from None
    return binary


decode_json_example.gradient(None)


def _refuse(name: str) -> Any:
    raise ValueError(f"unexpected {name}")


_FEATURE_KINDS: dict[str, DType] = {
    "bytesList": dtypes.string,
    "bytes_list": dtypes.string,
    "floatList": dtypes.float32,
    "float_list": dtypes.float32,
    "int64List": dtypes.int64,
    "int64_list": dtypes.int64,
}


def _example_from(value: Any) -> bytes:
    """Encodes an example, written as Protocol Buffers' JSON has it: https://protobuf.dev/programming-guides/json."""
    features = _members(value, "Example", ("features",)).get("features")
    if features is None:
        return b""
    entries = _members(features, "Features", ("feature",)).get("feature") or {}
    return encode_example({name.encode(): _feature_from(entry) for name, entry in _object(entries, "feature").items()})


def _feature_from(value: Any) -> Feature | None:
    kinds = {} if value is None else _members(value, "Feature", _FEATURE_KINDS)
    if len(kinds) > 1:
        raise ValueError(f"a feature has both {' and '.join(kinds)}")
    for name, content in kinds.items():
        items = _members(content, name, ("value",)).get("value", [])
        convert = _CONVERTERS[_FEATURE_KINDS[name]]
        return Feature(
            _FEATURE_KINDS[name], [convert(item) for item in (items if isinstance(items, list) else [items])]
        )
    return None


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, not {value!r}")
    return value


def _members(value: Any, message: str, names: Container[str]) -> dict[str, Any]:
    """The fields of a message that are given."""
    for name in _object(value, message):
        if name not in names:
            raise ValueError(f"{message} has no such field: {name!r}")
    return {name: item for name, item in value.items() if item is not None}


def _bytes_from(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"bytes must be a string of base64, not {value!r}")
    standard = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        raise ValueError(f"corrupt base64: {value!r}") from None


def _check_number(value: Any, what: str) -> None:
    odd = isinstance(value, str) and (value != value.strip() or "_" in value)
    if odd or isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"{value!r} is not {what}")


def _float_from(value: Any) -> float:
    _check_number(value, "a number")
    number = float(value)
    if isinstance(value, str) and not math.isfinite(number) and value not in ("NaN", "Infinity", "-Infinity"):
        raise ValueError(f"{value!r} is not a number")
    if (math.isfinite(number) and abs(number) > dtypes.float32.max) or (
        math.isinf(number) and not isinstance(value, str)
    ):
        raise ValueError(f"float out of range: {value!r}")
    return number


def _integer_from(value: Any) -> int:
    _check_number(value, "an integer")
    if isinstance(value, str) and not value.lstrip("-").isdigit():
        value = float(value)
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError(f"expected an integer, but {value!r} has a fractional part")
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"{value!r} is out of range for an int64")
    return number


_CONVERTERS: dict[DType, Callable[[Any], Any]] = {
    dtypes.string: _bytes_from,
    dtypes.float32: _float_from,
    dtypes.int64: _integer_from,
}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
