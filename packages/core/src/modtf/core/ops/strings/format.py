"""Tensors as text, shortened: what `tf.strings.format` and `tf.print` write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import scalar
from modtf.core.engine.vocabulary import op
from modtf.core.ops.strings.joining import as_bytes
from modtf.core.values.dtypes import from_numpy
from modtf.core.values.errors import InvalidArgumentError

_ESCAPES = {ord("\n"): b"\\n", ord("\r"): b"\\r", ord("\t"): b"\\t"} | {ord(c): b"\\" + c.encode() for c in "\"'\\"}
_UNPRINTABLE = re.compile(rb"[\x00-\x1f\x7f\"'\\]")


def _quoted(text: bytes) -> bytes:
    escaped = _UNPRINTABLE.sub(lambda found: _ESCAPES.get(found[0][0]) or b"\\%03o" % found[0][0], text)
    return b'"' + escaped + b'"'


def _of_float(digits: int, more: int) -> Callable[[Any], bytes]:
    """The number in few digits if they say exactly that number, else in as many as always do."""

    def written(value: Any) -> bytes:
        short = f"%.{digits}g" % value
        return (short if type(value)(short) == value else f"%.{more}g" % value).encode()

    return written


_OF_FLOAT64 = _of_float(15, 17)
_OF_FLOAT32 = _of_float(6, 9)


def summary(array: np.ndarray, limit: int) -> bytes:
    """Returns a tensor's value as text.

    Args:
        array: The value.
        limit: How many elements to show at either end of every axis; all of them if negative.
    """
    limit = array.size if limit < 0 else min(limit, array.size)
    dtype = from_numpy(array.dtype)
    if dtype.is_complex or (dtype.as_numpy_dtype is np.object_ and not _are_strings(array)):
        return _unknown(array, limit)
    if dtype.is_bool:
        if not limit:
            return b""
        array = array.astype(np.int8)
    if not array.ndim:
        return _element_writer(array)(array[()]) if limit else b"..."
    pieces: list[bytes] = []
    _write(array, 0, limit, _element_writer(array), pieces)
    return b"".join(pieces)


def _are_strings(array: np.ndarray) -> bool:
    return not array.size or isinstance(array.reshape(-1)[0], bytes)


def _element_writer(array: np.ndarray) -> Callable[[Any], bytes]:
    if array.dtype == object:
        return _quoted
    if from_numpy(array.dtype).is_integer:
        return lambda value: b"%d" % int(value)
    if array.dtype == np.float64:
        return lambda value: _OF_FLOAT64(float(value))
    return lambda value: _OF_FLOAT32(np.float32(value))


def _write(array: np.ndarray, depth: int, limit: int, element: Callable[[Any], bytes], pieces: list[bytes]) -> None:
    between = b" " if array.ndim == 1 else b"\n" * (array.ndim - 1) + b" " * (depth + 1)
    count = len(array)
    places: list[int | None] = [*range(min(limit, count))]
    if count > 2 * limit:
        places.append(None)
    places += range(max(limit, count - limit), count)
    pieces.append(b"[")
    for number, place in enumerate(places):
        if number or place is None:
            pieces.append(between)
        if place is None:
            pieces.append(b"...")
        elif array.ndim == 1:
            pieces.append(element(array[place]))
        else:
            _write(array[place], depth + 1, limit, element, pieces)
    pieces.append(b"]")


def _unknown(array: np.ndarray, limit: int) -> bytes:
    text = b" ".join([b"?"] * limit) + (b"..." if limit < array.size else b"")
    return b"[" + text + b"]" if array.ndim else text


@op(
    "StringFormat[*T](inputs: T, *, template: string = '%s', placeholder: string = '%s', summarize: int = 3) "
    "-> (output: string)",
    shape=scalar,
    host_only=True,
)
def string_format(
    xp: Any, inputs: Sequence[np.ndarray], *, template: str, placeholder: str, summarize: int
) -> np.ndarray:
    parts = as_bytes(template).split(as_bytes(placeholder))
    if len(parts) != len(inputs) + 1:
        raise InvalidArgumentError(
            f"num placeholders in template and num inputs must match: {len(parts) - 1} vs. {len(inputs)}"
        )
    shown = [summary(array, summarize) for array in inputs]
    return np.array(b"".join(piece for pair in zip(parts, [*shown, b""], strict=True) for piece in pair), object)


string_format.gradient(None)
