"""Sorted tables of byte strings: LevelDB's table file, as TensorFlow uses it for the index of a checkpoint.

A file is a row of blocks and a footer (LevelDB, doc/table_format.md):

- a block holds entries `shared, unshared, value size` (varints), the key's bytes that differ from the key before, and
  the value; then the offsets of the entries which share nothing (restarts), and how many of those there are;
- behind each block stand its compression type (one byte) and the masked CRC of both;
- the last block is the index: its values are the handles (offset and size, as varints) of the data blocks;
- the footer holds the handles of the metaindex (empty here) and of the index, padded to 40 bytes, and a magic number.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import BinaryIO

from . import varint
from .crc import crc32c, mask
from .errors import DataLossError, UnsupportedError
from .snappy import decompress

_MAGIC = 0xDB4775248B80FB57
_FOOTER = struct.Struct("<40sQ")
_TRAILER = struct.Struct("<BI")
_UINT32 = struct.Struct("<I")
_UNCOMPRESSED = 0
_SNAPPY = 1
_COMPRESSIONS = {2: "zstd", 4: "zlib"}

_BLOCK_SIZE = 1 << 18
_RESTART_INTERVAL = 16
# Shared prefixes let a small file stand for very long keys. Real keys expand a file a few times, since writers store every
# 16th key in full.
_MAX_EXPANSION = 32


def read_table(data: bytes, what: str) -> Iterator[tuple[bytes, bytes]]:
    """Reads the entries of a table in the order of their keys.

    Args:
        data: the whole file.
        what: the file's name, for errors.

    Yields:
        (key, value) pairs, keys strictly rising.

    Raises:
        DataLossError: the file is truncated or altered.
        UnsupportedError: a block is compressed by another method than snappy.
    """
    if len(data) < _FOOTER.size:
        raise DataLossError(f"{what}: {len(data)} bytes, but a table has a footer of {_FOOTER.size}; it is truncated.")
    handles, magic = _FOOTER.unpack_from(data, len(data) - _FOOTER.size)
    if magic != _MAGIC:
        raise DataLossError(f"{what}: ends in {magic:#018x}, not in a table's {_MAGIC:#018x}; truncated or no table.")
    metaindex, at = _decode_handle(handles, 0, what)
    index, _ = _decode_handle(handles, at, what)
    _read_block(data, metaindex, what)

    done = 0
    last: bytes | None = None
    index_block = _read_block(data, index, what)
    for _, encoded in _entries(index_block, _MAX_EXPANSION * len(index_block), what):
        (offset, size), _ = _decode_handle(encoded, 0, what)
        if offset < done:
            raise DataLossError(f"{what}: a block begins at {offset}, within the one that ends at {done}.")
        block = _read_block(data, (offset, size), what)
        for key, value in _entries(block, _MAX_EXPANSION * len(block), what):
            if last is not None and key <= last:
                raise DataLossError(f"{what}: key {key[:80]!r} follows {last[:80]!r}, but keys must rise.")
            yield key, value
            last = key
        done = offset + size


def _decode_handle(data: bytes, at: int, what: str) -> tuple[tuple[int, int], int]:
    offset, at = varint.decode(data, at, what)
    size, at = varint.decode(data, at, what)
    return (offset, size), at


def _read_block(data: bytes, handle: tuple[int, int], what: str) -> bytes:
    offset, size = handle
    end = offset + size
    if end + _TRAILER.size > len(data) - _FOOTER.size:
        raise DataLossError(f"{what}: a block at {offset} of {size} bytes reaches beyond the file's {len(data)} bytes.")
    compression, expected = _TRAILER.unpack_from(data, end)
    actual = mask(crc32c(data[offset : end + 1]))
    if actual != expected:
        raise DataLossError(f"{what}: the block at {offset} has CRC {actual:#010x}, expected {expected:#010x}.")
    if compression == _SNAPPY:
        return decompress(data[offset:end], f"{what}: the block at {offset}")
    if compression != _UNCOMPRESSED:
        name = _COMPRESSIONS.get(compression, f"type {compression}")
        raise UnsupportedError(f"{what}: a block is compressed ({name}); only snappy is read.")
    return data[offset:end]


def _entries(block: bytes, room: int, what: str) -> Iterator[tuple[bytes, bytes]]:
    """Yields the entries of a block whose keys have at most `room` bytes together."""
    restarts = _UINT32.unpack_from(block, len(block) - 4)[0] if len(block) >= 4 else 0
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise DataLossError(f"{what}: a block of {len(block)} bytes cannot have {restarts} restart points.")
    key, at = b"", 0
    while at < end:
        shared, at = varint.decode(block, at, what)
        unshared, at = varint.decode(block, at, what)
        size, at = varint.decode(block, at, what)
        if shared > len(key) or at + unshared + size > end:
            raise DataLossError(
                f"{what}: an entry of {shared} + {unshared} key bytes and {size} value bytes does not fit its block."
            )
        room -= shared + unshared
        if room < 0:
            raise DataLossError(f"{what}: the keys of a block expand to over {_MAX_EXPANSION} times its size.")
        key = key[:shared] + block[at : at + unshared]
        at += unshared + size
        yield key, block[at - size : at]


def write_table(file: BinaryIO, items: Iterable[tuple[bytes, bytes]]) -> None:
    """Writes a table, uncompressed.

    Args:
        file: where to; written from its current position, which must be its start.
        items: (key, value) pairs, keys strictly rising.
    """
    offset = 0

    def write_block(entries: list[tuple[bytes, bytes]]) -> bytes:
        nonlocal offset
        block = _encode_block(entries)
        file.write(block + _TRAILER.pack(_UNCOMPRESSED, mask(crc32c(block + bytes([_UNCOMPRESSED])))))
        handle = varint.encode(offset) + varint.encode(len(block))
        offset += len(block) + _TRAILER.size
        return handle

    index: list[tuple[bytes, bytes]] = []
    entries: list[tuple[bytes, bytes]] = []
    size = 0
    for key, value in items:
        entries.append((key, value))
        size += len(key) + len(value)
        if size >= _BLOCK_SIZE:
            index.append((key, write_block(entries)))
            entries, size = [], 0
    if entries:
        index.append((entries[-1][0], write_block(entries)))
    metaindex = write_block([])
    file.write(_FOOTER.pack(metaindex + write_block(index), _MAGIC))


def _encode_block(entries: list[tuple[bytes, bytes]]) -> bytes:
    out, restarts, last = bytearray(), [], b""
    for i, (key, value) in enumerate(entries):
        if i % _RESTART_INTERVAL == 0:
            restarts.append(len(out))
            shared = 0
        else:
            shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(last, key)))
        out += varint.encode(shared) + varint.encode(len(key) - shared) + varint.encode(len(value))
        out += key[shared:] + value
        last = key
    restarts = restarts or [0]
    return bytes(out) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
