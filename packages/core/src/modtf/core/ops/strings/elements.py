"""Strings one by one: length, case, white space, parts, base64."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import merged, unchanged
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, broadcast_dims
from modtf.core.values.tensors import Tensor

_TRAILING = bytes(range(0x80, 0xC0))
"""The bytes that go on with a character of UTF-8."""


def mapped(function: Callable[[Any], Any], array: np.ndarray, dtype: Any = object) -> np.ndarray:
    """Returns `function` of each element, in an array of the same shape."""
    return np.array([function(item) for item in array.reshape(-1).tolist()], dtype).reshape(array.shape)


# ------------------------------------------------------------------------------------------------- length, case


def utf8_length(text: bytes) -> int:
    """How many characters a string of UTF-8 has; of one that is not, how many bytes that begin one."""
    return len(text.translate(None, _TRAILING))


@op(
    "StringLength(input: string, *, unit: string(BYTE|UTF8_CHAR) = 'BYTE') -> (output: int32)",
    shape=unchanged,
    host_only=True,
)
def string_length(xp: Any, input: np.ndarray, *, unit: str) -> np.ndarray:
    return mapped(len if unit == "BYTE" else utf8_length, input, np.int32)


def _case(name: str, of_bytes: Callable[[bytes], bytes], of_text: Callable[[str], str]) -> None:
    def of_utf8(item: bytes) -> bytes:
        return of_bytes(item) if item.isascii() else of_text(item.decode("utf-8", "replace")).encode()

    def kernel(xp: Any, input: np.ndarray, *, encoding: str) -> np.ndarray:
        if encoding not in ("", "utf-8"):
            raise InvalidArgumentError(f"only utf-8 or '' (no encoding) is supported, received {encoding}")
        return mapped(of_utf8 if encoding else of_bytes, input)

    schema = f"{name}(input: string, *, encoding: string = '') -> (output: string)"
    register(Op(schema, kernel=kernel, shape=unchanged, host_only=True))


_case("StringLower", bytes.lower, str.lower)
_case("StringUpper", bytes.upper, str.upper)


@op("StringStrip(input: string) -> (output: string)", shape=unchanged, host_only=True)
def string_strip(xp: Any, input: np.ndarray) -> np.ndarray:
    return mapped(bytes.strip, input)


# ------------------------------------------------------------------------------------------------- parts


def _substr_dims(input: Tensor, pos: Tensor, len: Tensor, *, unit: str) -> Dims:
    return broadcast_dims(input.dims, merged(pos.dims, len.dims))


def _bytes_from(text: bytes, start: int, length: int) -> bytes | None:
    if start < 0:
        start += len(text)
    if not 0 <= start <= len(text):
        return None
    return text[start:] if length < 0 else text[start : start + length]


def _characters_from(text: bytes, start: int, length: int) -> bytes | None:
    if start < 0 and length < 0:
        return None
    length = max(length, 0)
    if text.isascii():
        return _bytes_from(text, start, length)
    # Where characters begin: at the front and at every byte that does not go on with one; and where the last one ends.
    places = [0, *(at for at, byte in enumerate(text) if at and not 0x80 <= byte < 0xC0), len(text)]
    count = len(places) - 1
    if start < 0:
        start += count
    if not 0 <= start <= count:
        return None
    return text[places[start] : places[min(start + length, count)]]


@op(
    "Substr[T: index](input: string, pos: T, len: T, *, unit: string(BYTE|UTF8_CHAR) = 'BYTE') -> (output: string)",
    shape=_substr_dims,
    host_only=True,
)
def substr(xp: Any, input: np.ndarray, pos: np.ndarray, len: np.ndarray, *, unit: str) -> np.ndarray:
    if pos.shape != len.shape:
        raise InvalidArgumentError(
            f"pos and len should have the same shape, got: {list(pos.shape)} vs. {list(len.shape)}"
        )
    given = np.broadcast_arrays(input, pos, len)
    part = _bytes_from if unit == "BYTE" else _characters_from
    results = []
    rows = zip(*(array.reshape(-1).tolist() for array in given), strict=True)
    for index, (text, start, length) in enumerate(rows):
        found = part(text, start, length)
        if found is None:
            what = f"string {text!r}" if unit == "BYTE" else "string"
            raise InvalidArgumentError(f"pos {start} out of range for {what} at index {index}")
        results.append(found)
    return np.array(results, object).reshape(given[0].shape)


# ------------------------------------------------------------------------------------------------- base64

_BASE64 = re.compile(rb"[A-Za-z0-9_-]*")


@op("EncodeBase64(input: string, *, pad: bool = False) -> (output: string)", shape=unchanged, host_only=True)
def encode_base64(xp: Any, input: np.ndarray, *, pad: bool) -> np.ndarray:
    if pad:
        return mapped(base64.urlsafe_b64encode, input)
    return mapped(lambda item: base64.urlsafe_b64encode(item).rstrip(b"="), input)


def _decoded(text: bytes) -> bytes:
    if len(text) % 4 == 0:
        text = text[:-2] if text.endswith(b"==") else text.removesuffix(b"=")
    if len(text) % 4 == 1:
        raise InvalidArgumentError(f"Base64 string length cannot be 1 modulo 4: {text!r}")
    if not _BASE64.fullmatch(text):
        raise InvalidArgumentError(
            f"Invalid character found in base64 {text!r}. Web-safe base64 has the letters, the digits, '-' and '_'"
        )
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


@op("DecodeBase64(input: string) -> (output: string)", shape=unchanged, host_only=True)
def decode_base64(xp: Any, input: np.ndarray) -> np.ndarray:
    return mapped(_decoded, input)
