"""Text in Unicode: decoding, encoding, transcoding."""

from __future__ import annotations

import codecs
import functools
import re
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from modtf.core.engine.shape_rules import unchanged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.strings.elements import mapped
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- codecs

_MARK = 0xD800
"""What stands for bytes that are no character, plus their number: surrogates, which no encoding gives by itself."""

_LAST = 0x10FFFF


def _marked(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return chr(_MARK + min(error.end - error.start, 0x7FF)), error.end


def _marked_or_control(error: UnicodeError) -> tuple[str, int]:
    """Windows' code pages have control characters where Python's have none."""
    assert isinstance(error, UnicodeDecodeError)
    byte = error.object[error.start]
    return (chr(byte), error.end) if 0x80 <= byte < 0xA0 else _marked(error)


codecs.register_error("modtf.marked", _marked)
codecs.register_error("modtf.marked_or_control", _marked_or_control)


class _Codec(NamedTuple):
    """How Python decodes an encoding."""

    name: str
    errors: str = "modtf.marked"
    byte_order_marks: tuple[tuple[bytes, str], ...] = ()
    """Those that the encoding does not count as a character, each with the codec for what follows."""


_CODECS = {
    "utf8": _Codec("utf-8"),
    "utf16": _Codec(
        "utf-16-be", byte_order_marks=((codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le"))
    ),
    "utf16be": _Codec("utf-16-be"),
    "utf16le": _Codec("utf-16-le"),
    "utf32": _Codec(
        "utf-32-be", byte_order_marks=((codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF32_LE, "utf-32-le"))
    ),
    "utf32be": _Codec("utf-32-be"),
    "utf32le": _Codec("utf-32-le"),
    "usascii": _Codec("ascii"),
    "ascii": _Codec("ascii"),
    "latin1": _Codec("latin-1"),
    "koi8r": _Codec("koi8-r"),
    "koi8u": _Codec("koi8-u"),
    **{f"iso8859{part}": _Codec(f"iso8859-{part}") for part in range(1, 16) if part != 12},
    **{f"windows125{page}": _Codec(f"cp125{page}", "modtf.marked_or_control") for page in range(9)},
    **{f"cp125{page}": _Codec(f"cp125{page}", "modtf.marked_or_control") for page in range(9)},
}
"""Encodings by name in small letters and digits: those that ICU, which TensorFlow uses, decodes as Python does."""


@functools.cache
def _codec(encoding: str) -> _Codec:
    found = _CODECS.get(re.sub("[^a-z0-9]", "", encoding.lower()))
    if found is None:
        raise InvalidArgumentError(
            f"Could not create converter for input encoding: {encoding}. Known are UTF-8, UTF-16 and UTF-32 (also with "
            "-BE, -LE), US-ASCII, ISO-8859-1 to -15, windows-1250 to -1258, KOI8-R and KOI8-U."
        )
    return found


def _decoded(text: bytes, codec: _Codec) -> tuple[np.ndarray, int]:
    """Returns a string's code points, marks among them, and how many bytes a byte order mark takes in front of them."""
    name, skipped = codec.name, 0
    for mark, of_mark in codec.byte_order_marks:
        if text.startswith(mark):
            name, skipped = of_mark, len(mark)
    content = text[skipped:] if skipped else text
    points = np.frombuffer(content.decode(name, codec.errors).encode("utf-32-le", "surrogatepass"), "<i4")
    if skipped and not points.size:
        # ICU's sign for the end of the text, which TensorFlow takes for a character.
        points = np.array([0xFFFF], np.int32)
    return points, skipped


def _sizes(points: np.ndarray, name: str) -> np.ndarray:
    """How many bytes each code point was read from."""
    if name == "utf-8":
        sizes = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    elif name.startswith("utf-16"):
        sizes = np.where(points >= 0x10000, 4, 2)
    else:
        sizes = np.full(points.shape, 4 if name.startswith("utf-32") else 1)
    return np.where(_are_surrogates(points), points - _MARK, sizes)


def _text(points: np.ndarray, encoding: str) -> str:
    """The code points as text that can be encoded."""
    if encoding == "UTF-8":  # cannot say surrogates, which the replacement character may be
        points = np.where(_are_surrogates(points), 0xFFFD, points)
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _are_surrogates(points: np.ndarray) -> np.ndarray:
    return (points & ~0x7FF) == _MARK


# ------------------------------------------------------------------------------------------------- errors

_POLICY = "errors: string(strict|replace|ignore) = 'replace', replacement_char: int = 65533"
_CONTROLS = "replace_control_characters: bool = False"


def _check_replacement(replacement_char: int) -> None:
    if not 0 <= replacement_char <= _LAST:
        raise InvalidArgumentError(f"replacement_char {replacement_char} is out of the range of Unicode, [0, {_LAST}]")


def _bad(points: np.ndarray, controls: bool) -> np.ndarray:
    bad = _are_surrogates(points)
    return bad | (points <= 0x1F) if controls else bad


# ------------------------------------------------------------------------------------------------- decoding


def _decode(name: str, outputs: str, with_offsets: bool) -> None:
    def dims(input: Tensor, **attrs: Any) -> list[Dims]:
        count = TensorShape(input.dims).num_elements()
        shapes: list[Dims] = [(None if count is None else count + 1,), (None,), (None,)]
        return shapes if with_offsets else shapes[:2]

    def kernel(
        xp: Any, input: np.ndarray, *, input_encoding: str, errors: str, replacement_char: int,
        replace_control_characters: bool, Tsplits: DType,
    ) -> list[np.ndarray]:  # fmt: skip
        codec = _codec(input_encoding)
        _check_replacement(replacement_char)
        splits = [0]
        values, offsets = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for text in input.reshape(-1).tolist():
            points, skipped = _decoded(text, codec)
            if errors == "strict" and _are_surrogates(points).any():
                raise InvalidArgumentError(f"Invalid formatting on input string {text!r}")
            bad = _bad(points, replace_control_characters)
            kept = ~bad if errors == "ignore" else slice(None)
            values.append(np.where(bad, np.int32(replacement_char), points)[kept])
            splits.append(splits[-1] + len(values[-1]))
            if with_offsets:
                starts = np.cumsum(_sizes(points, codec.name)[:-1], dtype=np.int64) + skipped
                offsets.append(np.concatenate([np.zeros(min(len(points), 1), np.int64), starts])[kept])
        results: list[np.ndarray] = [
            np.array(splits, Tsplits.np_dtype),
            np.concatenate(values),
            np.concatenate(offsets),
        ]
        return results if with_offsets else results[:2]

    schema = (
        f"{name}(input: string, *, input_encoding: string, {_POLICY}, {_CONTROLS}, Tsplits: type(index) = int64) "
        f"-> (row_splits: Tsplits, char_values: int32{outputs})"
    )
    register(Op(schema, kernel=kernel, shape=dims, host_only=True))


_decode("UnicodeDecode", "", with_offsets=False)
_decode("UnicodeDecodeWithOffsets", ", char_to_byte_starts: int64", with_offsets=True)


@op(
    f"UnicodeTranscode(input: string, *, input_encoding: string, output_encoding: string(UTF-8|UTF-16-BE|UTF-32-BE), "
    f"{_POLICY}, {_CONTROLS}) -> (output: string)",
    shape=unchanged,
    host_only=True,
)
def unicode_transcode(
    xp: Any, input: np.ndarray, *, input_encoding: str, output_encoding: str, errors: str, replacement_char: int,
    replace_control_characters: bool,
) -> np.ndarray:  # fmt: skip
    codec = _codec(input_encoding)
    _check_replacement(replacement_char)

    def transcoded(text: bytes) -> bytes:
        points, _ = _decoded(text, codec)
        bad = _bad(points, replace_control_characters)
        if bad.any():
            if errors == "strict":
                raise InvalidArgumentError(f"Invalid formatting on input string {text!r}")
            points = points[~bad] if errors == "ignore" else np.where(bad, np.int32(replacement_char), points)
        return _text(points, output_encoding).encode(output_encoding, "surrogatepass")

    return mapped(transcoded, input)


# ------------------------------------------------------------------------------------------------- encoding


def _encode_dims(input_values: Tensor, input_splits: Tensor, **attrs: Any) -> Dims:
    with_rank(input_values, 1, "input_values")
    (count,) = with_rank(input_splits, 1, "input_splits")
    return (None if count is None else count - 1,)


@op(
    "UnicodeEncode[Tsplits: index = int64](input_values: int32, input_splits: Tsplits, *, "
    "errors: string(ignore|replace|strict) = 'replace', output_encoding: string(UTF-8|UTF-16-BE|UTF-32-BE), "
    "replacement_char: int = 65533) -> (output: string)",
    shape=_encode_dims,
    host_only=True,
)
def unicode_encode(
    xp: Any, input_values: np.ndarray, input_splits: np.ndarray, *, errors: str, output_encoding: str,
    replacement_char: int,
) -> np.ndarray:  # fmt: skip
    _check_replacement(replacement_char)
    if input_values.ndim != 1 or input_splits.ndim != 1:
        raise InvalidArgumentError("Both input_values and input_splits should be of rank 1")
    _check_splits(input_splits, len(input_values))
    bad = (input_values < 0) | (input_values > _LAST) | _are_surrogates(input_values)
    if errors == "strict" and bad.any():
        found = input_values[bad][0]
        raise InvalidArgumentError(f"Code point {found} is out of range for Unicode, or is a surrogate")
    values, splits = np.where(bad, np.int32(replacement_char), input_values), input_splits
    if errors == "ignore":
        values, splits = values[~bad], splits - np.append(0, np.cumsum(bad))[splits]
    text = _text(values, output_encoding)
    rows = (text[start:stop] for start, stop in pairwise(splits.tolist()))
    return np.array([row.encode(output_encoding, "surrogatepass") for row in rows], object)


def _check_splits(splits: np.ndarray, count: int) -> None:
    if not splits.size:
        raise InvalidArgumentError("input_splits should contain elements, but it is empty")
    if splits[0] != 0:
        raise InvalidArgumentError(f"First value in input_splits must be zero, not {splits[0]}")
    if np.any(splits[1:] < splits[:-1]):
        raise InvalidArgumentError("Values in input_splits must be equal or in ascending order")
    if splits[-1] != count:
        raise InvalidArgumentError(
            f"Last value in input_splits must be equal to length of input_values: {splits[-1]} is not {count}"
        )
