"""TFRecord files: sequences of byte strings, each with its length and the checksums of both.

The format: length (uint64, little-endian), masked CRC-32C of those 8 bytes (uint32), the bytes, their masked CRC-32C.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType
from typing import IO, Any

import numpy as np

from modtf.core.values.errors import DataLossError, InvalidArgumentError
from modtf.core.values.local_files import explained, local_path

_HEADER = struct.Struct("<QI")
_CRC = struct.Struct("<I")
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_LANES = ((1 << 16, 256), (1 << 11, 32))
"""From how many bytes on they are divided into lanes of what length; fewer are gone through one by one."""


@cache
def _library() -> Any:
    """google-crc32c's function if it is installed, which is faster; else `None`."""
    try:
        from google_crc32c import value
    except ImportError:
        return None
    return value


@cache
def _byte_table() -> np.ndarray:
    """The remainders of single bytes."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


@cache
def _byte_list() -> list[int]:
    remainders: list[int] = _byte_table().tolist()
    return remainders


def _shifted(remainder: int, zeros: int) -> int:
    """The remainder behind so many more zero bytes, by squaring the shift of one byte (a matrix over bits)."""
    matrix = _one_byte_shift()
    while zeros:
        if zeros & 1:
            remainder = _product(matrix, remainder)
        matrix = tuple([_product(matrix, column) for column in matrix])
        zeros >>= 1
    return remainder


@cache
def _one_byte_shift() -> tuple[int, ...]:
    table = _byte_list()
    return tuple([(table[(1 << bit) & 0xFF] ^ ((1 << bit) >> 8)) for bit in range(32)])


def _product(matrix: tuple[int, ...], vector: int) -> int:
    result, bit = 0, 0
    while vector:
        if vector & 1:
            result ^= matrix[bit]
        vector >>= 1
        bit += 1
    return result


def crc32c(data: bytes) -> int:
    """Returns the CRC-32C (RFC 3720) of bytes."""
    library = _library()
    if library is not None:
        return int(library(data))
    length = next((length for least, length in _LANES if len(data) >= least), 0)
    if not length:
        return _in_order(data, 0xFFFFFFFF) ^ 0xFFFFFFFF
    rest = len(data) % length
    remainder = _in_order(data[:rest], 0xFFFFFFFF)
    table = _byte_table()
    lanes = np.frombuffer(data, np.uint8, offset=rest).reshape(-1, length)
    remainders = np.zeros(len(lanes), np.uint32)
    for column in np.ascontiguousarray(lanes.T):  # all lanes at once, which are then put together
        remainders = table[(remainders ^ column) & 0xFF] ^ (remainders >> 8)
    shift = _lane_shift(length)
    for lane in remainders.tolist():
        remainder = shift(remainder) ^ lane
    return remainder ^ 0xFFFFFFFF


def _in_order(data: bytes, remainder: int) -> int:
    table = _byte_list()
    for byte in data:
        remainder = table[(remainder ^ byte) & 0xFF] ^ (remainder >> 8)
    return remainder


@cache
def _lane_shift(length: int) -> Any:
    """The function that shifts a remainder by a lane, from four tables of 256."""
    tables = [[_shifted(byte << (8 * place), length) for byte in range(256)] for place in range(4)]
    first, second, third, fourth = tables

    def shift(remainder: int) -> int:
        return (
            first[remainder & 0xFF]
            ^ second[(remainder >> 8) & 0xFF]
            ^ third[(remainder >> 16) & 0xFF]
            ^ fourth[remainder >> 24]
        )

    return shift


def masked_crc32c(data: bytes) -> int:
    """Returns the checksum as TFRecord files have it."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


# ------------------------------------------------------------------------------------------------- reading


class _Inflating:
    """A file of zlib's format, to be read as it would be uncompressed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._inflate = zlib.decompressobj()
        self._ready = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._ready) < size:
            block = self._file.read(1 << 16)
            if not block:
                break
            self._ready += self._inflate.decompress(block)
        size = len(self._ready) if size < 0 else size
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def close(self) -> None:
        self._file.close()


def opened(path: str, compression: str) -> Any:
    """Opens a file for reading.

    Args:
        path: Where it is.
        compression: `""`, `"GZIP"` or `"ZLIB"`.

    Raises:
        NotFoundError: There is none.
        InvalidArgumentError: There is no such compression.
    """
    check_compression(compression)
    with explained():
        file = open(local_path(path), "rb")  # noqa: SIM115 (whoever asked for it closes it)
    if compression == "GZIP":
        return gzip.GzipFile(fileobj=file)
    return _Inflating(file) if compression == "ZLIB" else file


def check_compression(compression: str) -> None:
    """Raises InvalidArgumentError unless there is such a compression."""
    if compression not in ("", "GZIP", "ZLIB"):
        raise InvalidArgumentError(f"Unsupported compression_type: {compression!r}; it must be '', 'GZIP' or 'ZLIB'.")


def records(path: str, compression: str = "") -> Iterator[bytes]:
    """Goes through the records of a file.

    Raises:
        DataLossError: The file is damaged, or ends inside a record.
    """
    file = opened(path, compression)
    offset = 0
    try:
        while header := file.read(_HEADER.size):
            if len(header) < _HEADER.size:
                raise DataLossError(f"truncated record at {offset} in {path}")
            length, crc = _HEADER.unpack(header)
            if masked_crc32c(header[:8]) != crc:
                raise DataLossError(f"corrupted record at {offset} in {path}: its length does not fit its checksum")
            data = file.read(length)
            footer = file.read(_CRC.size)
            if len(data) < length or len(footer) < _CRC.size:
                raise DataLossError(f"truncated record at {offset} in {path}")
            if masked_crc32c(data) != _CRC.unpack(footer)[0]:
                raise DataLossError(f"corrupted record at {offset} in {path}: its data does not fit its checksum")
            offset += _HEADER.size + length + _CRC.size
            yield data
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataLossError(f"{path} cannot be decompressed as {compression}: {error}") from error
    finally:
        file.close()


# ------------------------------------------------------------------------------------------------- writing


class TFRecordOptions:
    """How a TFRecord file is written.

    Args:
        compression_type: `None`, `""`, `"GZIP"` or `"ZLIB"`.
        flush_mode: Without effect.
        input_buffer_size: Without effect.
        output_buffer_size: Without effect.
        window_bits: Without effect.
        compression_level: From 0 (none) to 9 (smallest).
        compression_method: Without effect.
        mem_level: Without effect.
        compression_strategy: Without effect.
    """

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: int | None = None,
        input_buffer_size: int | None = None,
        output_buffer_size: int | None = None,
        window_bits: int | None = None,
        compression_level: int | None = None,
        compression_method: int | None = None,
        mem_level: int | None = None,
        compression_strategy: int | None = None,
    ) -> None:
        self.get_compression_type_string(compression_type)
        self.compression_type = compression_type
        self.compression_level = compression_level

    compression_type_map = MappingProxyType({0: "", 1: "ZLIB", 2: "GZIP"})
    """The names of the numbers that other formats have for types of compression."""

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """Returns the type of compression that options, or `None`, say.

        Args:
            options: A `TFRecordOptions`, a type of compression or its number, or `None`.

        Raises:
            ValueError: It is none of these.
        """
        kind = options.compression_type if isinstance(options, TFRecordOptions) else options
        name = cls.compression_type_map.get(kind, kind) or ""
        check_compression(name)
        return name


class TFRecordWriter:
    """Writes a TFRecord file; usable in a `with` statement.

    Args:
        path: The file.
        options: A `TFRecordOptions`, or just a type of compression.

    Raises:
        NotFoundError: There is no such folder.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(options)
        level = 6 if options.compression_level is None else options.compression_level
        with explained():
            self._file: Any = open(local_path(path), "wb")  # noqa: SIM115 (it is closed by `close`)
        self._deflate: Any = None
        kind = TFRecordOptions.get_compression_type_string(options)
        if kind:
            self._deflate = zlib.compressobj(level, wbits=31 if kind == "GZIP" else 15)

    def write(self, record: Any) -> None:
        """Writes a record.

        Args:
            record: The bytes.
        """
        data = record.encode() if isinstance(record, str) else bytes(record)
        length = struct.pack("<Q", len(data))
        self._put(length + _CRC.pack(masked_crc32c(length)) + data + _CRC.pack(masked_crc32c(data)))

    def _put(self, data: bytes) -> None:
        self._file.write(data if self._deflate is None else self._deflate.compress(data))

    def flush(self) -> None:
        """Has what was written reach the file."""
        if self._deflate is not None:
            self._file.write(self._deflate.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Finishes the file."""
        if not self._file.closed:
            if self._deflate is not None:
                self._file.write(self._deflate.flush())
            self._file.close()

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
