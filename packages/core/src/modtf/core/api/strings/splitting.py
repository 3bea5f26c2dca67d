"""Strings into pieces and characters, and characters into strings; most results are ragged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.ragged import RaggedTensor
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- splitting


def split(input: Any, sep: Any = None, maxsplit: int = -1, name: str | None = None) -> Any:
    """Splits strings at a separator, as Python's `str.split`.

    Args:
        input: Strings.
        sep: The separator; runs of white space by default or if it is empty, and then no piece is empty.
        maxsplit: How many times to split each string at most, from the left; without limit if negative.
        name: A name for the graph node.

    Returns:
        A ragged tensor of one more dimension with the pieces; of a scalar, a vector.
    """
    separator = convert_to_tensor("" if sep is None else sep, dtype=dtypes.string)

    def pieces(strings: Tensor) -> RaggedTensor:
        return _rows_of(raw.StringSplitV2(strings, separator, maxsplit=maxsplit, name=name))

    return _split(input, pieces)


def bytes_split(input: Any, name: str | None = None) -> Any:
    """Splits strings into bytes.

    Args:
        input: Strings.
        name: A name for the graph node.

    Returns:
        A ragged tensor of one more dimension with strings of one byte; of a scalar, a vector.

    Raises:
        ValueError: The rank is unknown.
    """
    if not isinstance(input, RaggedTensor):
        input = convert_to_tensor(input, dtype=dtypes.string)
        if input.ndim is None:
            raise ValueError("input must have a statically-known rank.")
    return _split(input, lambda strings: _rows_of(raw.StringSplit(strings, "", skip_empty=False, name=name)))


def _rows_of(split: Any) -> RaggedTensor:
    indices, values, shape = split
    return RaggedTensor.from_value_rowids(values, indices[:, 0], nrows=shape[0], validate=False)


def _split(input: Any, pieces: Callable[[Tensor], RaggedTensor]) -> Any:
    if isinstance(input, RaggedTensor):
        return input.with_flat_values(_split(input.flat_values, pieces))
    strings = convert_to_tensor(input, dtype=dtypes.string)
    if strings.ndim == 0:
        return pieces(raw.ExpandDims(strings, 0))[0]
    if strings.ndim is None or strings.ndim == 1:
        return pieces(strings)
    return _split(RaggedTensor.from_tensor(strings), pieces)


# ------------------------------------------------------------------------------------------------- decoding


def unicode_decode(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Returns the code points of the characters of text.

    Args:
        input: Strings.
        input_encoding: Their encoding: UTF-8, UTF-16-BE, UTF-32-BE, ISO-8859-1, windows-1252 and others.
        errors: What becomes of bytes that are no character: `"replace"`, `"ignore"`, or `"strict"` for an error.
        replacement_char: The code point to replace them by.
        replace_control_characters: Whether to replace the control characters up to U+001F too.
        name: A name for the graph node.

    Returns:
        A ragged tensor of one more dimension with int32 code points; of a scalar, a vector.

    Raises:
        InvalidArgumentError: The encoding is unknown; or, if `errors` is `"strict"`, a string is not in it.
        ValueError: The rank is unknown.
    """
    (points,) = _decode(
        raw.UnicodeDecode, input, input_encoding, errors, replacement_char, replace_control_characters, name
    )
    return points


def unicode_decode_with_offsets(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD,
    replace_control_characters: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Returns the code points of the characters of text, and at which byte of its string each starts.

    Args:
        input: Strings.
        input_encoding: Their encoding; see `unicode_decode`.
        errors: What becomes of bytes that are no character.
        replacement_char: The code point to replace them by.
        replace_control_characters: Whether to replace the control characters up to U+001F too.
        name: A name for the graph node.

    Returns:
        Two ragged tensors of the same rows: int32 code points and int64 offsets; of a scalar, two vectors.
    """
    return _decode(
        raw.UnicodeDecodeWithOffsets, input, input_encoding, errors, replacement_char, replace_control_characters, name
    )


def _decode(
    op: Any, input: Any, input_encoding: str, errors: str, replacement_char: int, replace_control_characters: bool,
    name: str | None,
) -> tuple[Any, ...]:  # fmt: skip
    strings = input if isinstance(input, RaggedTensor) else convert_to_tensor(input, dtype=dtypes.string)
    rank = strings.shape.rank
    if rank is None:
        raise ValueError("Rank of `input` must be statically known.")
    if rank > 1:
        strings = _fully_ragged(strings)
    flat = strings.flat_values if isinstance(strings, RaggedTensor) else strings
    splits, *found = op(
        raw.Reshape(flat, [-1]), input_encoding=input_encoding, errors=errors, replacement_char=replacement_char,
        replace_control_characters=replace_control_characters, name=name,
    )  # fmt: skip
    if rank == 0:
        return tuple(found)
    rows = (RaggedTensor.from_row_splits(values, splits, validate=False) for values in found)
    return tuple(strings.with_flat_values(row) if isinstance(strings, RaggedTensor) else row for row in rows)


def _fully_ragged(strings: Any) -> RaggedTensor:
    """The same with all dimensions but the last partitioned, so that the flat values are a vector."""
    if not isinstance(strings, RaggedTensor):
        return RaggedTensor.from_tensor(strings, ragged_rank=strings.ndim - 1)
    dense = strings.flat_values
    if dense.ndim == 1:
        return strings
    return strings.with_flat_values(RaggedTensor.from_tensor(dense, ragged_rank=dense.ndim - 1))


# ------------------------------------------------------------------------------------------------- encoding


def unicode_encode(
    input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None
) -> Any:
    """Returns text of code points.

    Args:
        input: int32 code points; the last dimension, which may be ragged, holds the characters of each string.
        output_encoding: `"UTF-8"`, `"UTF-16-BE"` or `"UTF-32-BE"`.
        errors: What becomes of numbers that are no code points, or surrogates: `"replace"`, `"ignore"`, or `"strict"` for
            an error.
        replacement_char: The code point to replace them by.
        name: A name for the graph node.

    Returns:
        Strings of the shape of `input` without its last dimension.

    Raises:
        InvalidArgumentError: `errors` is `"strict"` and there is such a number.
        ValueError: `input` is a scalar, or of unknown rank.
    """
    points = input if isinstance(input, RaggedTensor) else convert_to_tensor(input, dtype_hint=dtypes.int32)
    rank = points.shape.rank
    if rank is None:
        raise ValueError("Rank of input_tensor must be statically known.")
    if rank == 0:
        raise ValueError("input_tensor's rank must be at least 1.")

    def encoded(values: Any) -> Any:
        return unicode_encode(values, output_encoding, errors, replacement_char, name)

    if isinstance(points, RaggedTensor):
        if points.flat_values.shape.rank > 1:
            return points.with_flat_values(encoded(points.flat_values))
        if isinstance(points.values, RaggedTensor):
            return points.with_values(encoded(points.values))
        return raw.UnicodeEncode(
            points.values, points.row_splits, output_encoding=output_encoding, errors=errors,
            replacement_char=replacement_char, name=name,
        )  # fmt: skip
    if rank == 1:
        splits = raw.Pack([np.int32(0), raw.Size(points)])
        return raw.Reshape(encoded(RaggedTensor.from_row_splits(points, splits, validate=False)), np.zeros(0, np.int32))
    if rank == 2:
        return encoded(RaggedTensor.from_tensor(points))
    sizes = raw.Shape(points)
    rows = raw.Reshape(points, raw.Pack([np.int32(-1), sizes[-1]]))
    return raw.Reshape(encoded(rows), sizes[:-1])


def unicode_split(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD, name: str | None = None
) -> Any:
    """Splits text into characters.

    Args:
        input: Strings.
        input_encoding: Their encoding, which the characters keep: `"UTF-8"`, `"UTF-16-BE"` or `"UTF-32-BE"`.
        errors: What becomes of bytes that are no character: `"replace"`, `"ignore"`, or `"strict"` for an error.
        replacement_char: The code point to replace them by.
        name: A name for the graph node.

    Returns:
        A ragged tensor of one more dimension with strings of one character; of a scalar, a vector.
    """
    points = unicode_decode(input, input_encoding, errors, replacement_char, name=name)
    return _characters(points, input_encoding, errors, replacement_char)


def unicode_split_with_offsets(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 0xFFFD, name: str | None = None
) -> Any:
    """Splits text into characters, and says at which byte of its string each starts; see `unicode_split`.

    Returns:
        Two ragged tensors of the same rows: strings and int64 offsets; of a scalar, two vectors.
    """
    points, offsets = unicode_decode_with_offsets(input, input_encoding, errors, replacement_char, name=name)
    return _characters(points, input_encoding, errors, replacement_char), offsets


def _characters(points: Any, encoding: str, errors: str, replacement_char: int) -> Any:
    if isinstance(points, RaggedTensor):
        return points.with_flat_values(_characters(points.flat_values, encoding, errors, replacement_char))
    return unicode_encode(raw.ExpandDims(points, -1), encoding, errors, replacement_char)


__all__ = [
    "bytes_split", "split", "unicode_decode", "unicode_decode_with_offsets", "unicode_encode", "unicode_split",
    "unicode_split_with_offsets",
]  # fmt: skip
