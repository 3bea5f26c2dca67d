"""Datasets of what is in files: records, lines, pieces of a fixed length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from modtf.core.api.data.base import INFINITE, UNKNOWN, DatasetBase, Stage, build
from modtf.core.api.data.dataset import Dataset
from modtf.core.api.data.records import check_compression, opened, records
from modtf.core.api.data.structures import hosted, normalized
from modtf.core.engine import context as contexts
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.specs import TensorSpec
from modtf.core.values.tensors import Tensor

Read = Callable[[str, str], Iterator[bytes]]
"""From a path and a compression to the byte strings in the file."""


class InFiles(Stage):
    """What a reader finds in files."""

    def __init__(self, names: Any, read: Read, compression: str, at_once: int) -> None:
        self._names, self._read, self._compression, self._at_once = names, read, compression, at_once

    def elements(self) -> Iterator[Any]:
        files = (self._read(path, self._compression) for path in self._paths())
        if self._at_once <= 1:
            for file in files:
                for item in file:
                    yield (np.array(item, object),)
            return
        current: list[Iterator[bytes]] = list(islice(files, self._at_once))
        ended = object()
        at = 0
        while current:
            found: Any = next(current[at], ended)
            if found is not ended:
                yield (np.array(found, object),)
                at = (at + 1) % len(current)
                continue
            following = next(files, None)
            if following is not None:
                current[at] = following
            else:
                del current[at]
                at = at % len(current) if current else 0

    def _paths(self) -> Iterator[str]:
        values = (value for (value,) in self._names.values()) if isinstance(self._names, Stage) else (self._names,)
        for value in values:
            for path in np.ravel(value):
                yield path.decode()

    def size(self) -> int:
        infinite = isinstance(self._names, Stage) and self._names.size() == INFINITE
        return INFINITE if infinite else UNKNOWN


class _FileDataset(Dataset):
    _CALLED = ""

    def _read_by(self, read: Read, filenames: Any, compression_type: Any, num_parallel_reads: Any) -> None:
        compression = _text(compression_type)
        check_compression(compression)
        at_once = 1 if num_parallel_reads is None else max(int(num_parallel_reads), 1)
        spec = TensorSpec((), string)
        if isinstance(filenames, DatasetBase):
            given = filenames.element_spec
            if not isinstance(given, TensorSpec) or given.dtype is not string:
                raise TypeError(f"The `filenames` argument must contain `tf.string` elements. Got {given!r}.")
            made = build(self._CALLED, spec, lambda s, v: InFiles(s[0], read, compression, at_once), [filenames])
        else:
            made = build(
                self._CALLED, spec, lambda s, v: InFiles(v[0], read, compression, at_once), (), [_names(filenames)]
            )
        DatasetBase.__init__(self, made._variant_tensor, spec, self._CALLED)


def _names(filenames: Any) -> Tensor:
    if hasattr(filenames, "__fspath__"):
        filenames = filenames.__fspath__()
    elif isinstance(filenames, (list, tuple)):
        filenames = [item.__fspath__() if hasattr(item, "__fspath__") else item for item in filenames]
        if not filenames:
            filenames = np.array([], object)
    found: Tensor
    if isinstance(filenames, Tensor):
        found = normalized(filenames)
    else:
        with contexts.init_scope():
            found = convert_to_tensor(filenames, dtype=string)
    if found.dtype is not string:
        raise TypeError(f"The `filenames` argument must contain `tf.string` elements. Got {found.dtype!r} elements.")
    return found


def _text(value: Any) -> str:
    value = hosted(value) if isinstance(value, Tensor) else value
    value = value.item() if isinstance(value, np.ndarray) else value
    return value.decode() if isinstance(value, bytes) else value or ""


class TFRecordDataset(_FileDataset):
    """The records of TFRecord files, as scalar strings.

    Args:
        filenames: A path, a list of them, a tensor or a dataset of them.
        compression_type: `""`, `"GZIP"` or `"ZLIB"`.
        buffer_size: Without effect.
        num_parallel_reads: From how many files records are taken in turn; by default one file follows the other.
        name: Without effect.

    Raises:
        NotFoundError: When it is iterated over: there is no such file.
        DataLossError: When it is iterated over: a file is damaged.
    """

    _CALLED = "TFRecordDatasetV2"

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        self._read_by(records, filenames, compression_type, num_parallel_reads)


def _lines(path: str, compression: str) -> Iterator[bytes]:
    file = opened(path, compression)
    try:
        left = b""
        while block := file.read(1 << 18):
            *complete, left = (left + block).split(b"\n")
            for line in complete:
                yield line.removesuffix(b"\r")
        if left:
            yield left.removesuffix(b"\r")
    finally:
        file.close()


class TextLineDataset(_FileDataset):
    """The lines of text files, as scalar strings without their ends.

    Args:
        filenames: A path, a list of them, a tensor or a dataset of them.
        compression_type: `""`, `"GZIP"` or `"ZLIB"`.
        buffer_size: Without effect.
        num_parallel_reads: From how many files lines are taken in turn; by default one file follows the other.
        name: Without effect.

    Raises:
        NotFoundError: When it is iterated over: there is no such file.
    """

    _CALLED = "TextLineDatasetV2"

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        self._read_by(_lines, filenames, compression_type, num_parallel_reads)


def _pieces(size: int, header: int, footer: int) -> Read:
    def read(path: str, compression: str) -> Iterator[bytes]:
        file = opened(path, compression)
        try:
            data = file.read()
        finally:
            file.close()
        body = len(data) - header - footer
        if body < 0 or body % size:
            raise InvalidArgumentError(
                f"Excess bytes: {path} has {len(data)} bytes, which are no header of {header}, footer of {footer} and records "
                f"of {size} bytes."
            )
        for start in range(header, header + body, size):
            yield data[start : start + size]

    return read


class FixedLengthRecordDataset(_FileDataset):
    """The pieces of one length that files consist of, as scalar strings.

    Args:
        filenames: A path, a list of them, a tensor or a dataset of them.
        record_bytes: How long a piece is.
        header_bytes: How much to leave out at the beginning of each file.
        footer_bytes: How much to leave out at its end.
        buffer_size: Without effect.
        compression_type: `""`, `"GZIP"` or `"ZLIB"`.
        num_parallel_reads: From how many files pieces are taken in turn; by default one file follows the other.
        name: Without effect.

    Raises:
        InvalidArgumentError: The length is not positive; or, when it is iterated over, a file has another size.
    """

    _CALLED = "FixedLengthRecordDatasetV2"

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        size, header, footer = (int(item or 0) for item in (record_bytes, header_bytes, footer_bytes))
        if size < 1 or header < 0 or footer < 0:
            raise InvalidArgumentError("`record_bytes` must be > 0, `header_bytes` and `footer_bytes` must be >= 0.")
        self._read_by(_pieces(size, header, footer), filenames, compression_type, num_parallel_reads)
