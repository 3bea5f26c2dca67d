"""Text files that tables are filled from: a line an entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError, NotFoundError, OutOfRangeError
from modtf.core.values.local_files import content_of

WHOLE_LINE = -2
LINE_NUMBER = -1


def read_entries(
    path: str,
    key: tuple[DType, int],
    value: tuple[DType, int],
    vocab_size: int,
    delimiter: str,
    offset: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Reads keys and values.

    Args:
        path: The file.
        key: The keys' dtype, and what of a line the key is: the number of a column, `WHOLE_LINE` or `LINE_NUMBER`.
        value: The same of the values.
        vocab_size: How many lines to read; -1 for all.
        delimiter: The character between columns.
        offset: What is added to line numbers.

    Raises:
        NotFoundError: There is no such file.
        InvalidArgumentError: A line is not as it should be, or there are too few.
        OutOfRangeError: The file is empty.
    """
    if len(delimiter.encode()) != 1:
        raise InvalidArgumentError(f"delimiter should be only 1 char, not {delimiter!r}.")
    for what, (dtype, index) in (("key", key), ("value", value)):
        if index == LINE_NUMBER and dtype is not dtypes.int64:
            raise InvalidArgumentError(
                f"{what.capitalize()} index for line number requires table {what} dtype of int64, got {dtype.name}."
            )
    lines = _lines(path, vocab_size)
    fields = _Fields(path, lines, delimiter.encode())
    return fields.column(*key, offset), fields.column(*value, offset)


def _lines(path: str, vocab_size: int) -> list[bytes]:
    try:
        content = content_of(path)
    except OSError as error:
        raise NotFoundError(f"{path}; {error.strerror}") from None
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if not lines or vocab_size == 0:
        raise OutOfRangeError(f"The vocabulary file {path} has no entries to read.")
    if vocab_size > len(lines):
        raise InvalidArgumentError(f"Invalid vocab_size in {path}: expected {vocab_size} but got {len(lines)}.")
    lines = [line.removesuffix(b"\r") for line in (lines if vocab_size < 0 else lines[:vocab_size])]
    if b"" in lines:
        raise InvalidArgumentError(f"Invalid content in {path}: line {lines.index(b'')} is empty.")
    return lines


class _Fields:
    def __init__(self, path: str, lines: list[bytes], delimiter: bytes) -> None:
        self._path = path
        self._lines = lines
        self._delimiter = delimiter

    def column(self, dtype: DType, index: int, offset: int) -> np.ndarray:
        """The keys, or values, of all lines."""
        if index == LINE_NUMBER:
            return np.arange(offset, offset + len(self._lines), dtype=np.int64)
        texts = (
            self._lines if index == WHOLE_LINE else [self._field(number, index) for number in range(len(self._lines))]
        )
        if dtype is dtypes.string:
            array = np.empty(len(texts), object)
            array[:] = texts
            return array
        parse = _PARSERS.get(dtype)
        if parse is None:
            raise InvalidArgumentError(f"Data type {dtype.name} not supported: no line of a text file can be one.")
        return np.array([self._parsed(parse, text, number, dtype) for number, text in enumerate(texts)], dtype.np_dtype)

    def _field(self, number: int, index: int) -> bytes:
        fields = self._lines[number].split(self._delimiter)
        if index >= len(fields):
            raise InvalidArgumentError(
                f"Invalid number of columns in {self._path} line {number} ({_text(self._lines[number])}) : expected at "
                f"least {index + 1} got {len(fields)}."
            )
        return fields[index]

    def _parsed(self, parse: Callable[[bytes], Any], text: bytes, number: int, dtype: DType) -> Any:
        try:
            if b"_" in text:  # Python's digit separator
                raise ValueError
            value = parse(text)
            if dtype.is_integer and not dtype.min <= value <= dtype.max:
                raise ValueError
            return value
        except ValueError:
            raise InvalidArgumentError(f"Field {_text(text)} in line {number} is not a valid {dtype.name}.") from None


_PARSERS: dict[DType, Callable[[bytes], Any]] = {
    dtypes.int32: int,
    dtypes.int64: int,
    dtypes.float32: float,
    dtypes.float64: float,
}


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
