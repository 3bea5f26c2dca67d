"""Sorted tables: round trips, and bytes that are no table although their checksums are right."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modtf.saved_model import DataLossError, SavedModelError, UnsupportedError, varint
from modtf.saved_model.crc import crc32c, mask
from modtf.saved_model.snappy import decompress
from modtf.saved_model.sstable import read_table, write_table

MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)


def written(items: dict[bytes, bytes]) -> bytes:
    file = io.BytesIO()
    write_table(file, sorted(items.items()))
    return file.getvalue()


def block(*entries: tuple[int, bytes, bytes], restarts: tuple[int, ...] = (0,)) -> bytes:
    """A block of (shared key bytes, rest of the key, value)."""
    body = b"".join(
        varint.encode(shared) + varint.encode(len(key)) + varint.encode(len(value)) + key + value
        for shared, key, value in entries
    )
    return body + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def table(*blocks: bytes, index: bytes | None = None, compression: int = 0) -> bytes:
    """A table of these data blocks, every CRC right."""
    data = b""

    def add(content: bytes, compression: int = 0) -> bytes:
        nonlocal data
        handle = varint.encode(len(data)) + varint.encode(len(content))
        kind = bytes([compression])
        data += content + kind + struct.pack("<I", mask(crc32c(content + kind)))
        return handle

    handles = [add(content, compression) for content in blocks]
    index = index or block(*((0, bytes([255, i]), handle) for i, handle in enumerate(handles)))
    footer = add(block()) + add(index)
    return data + footer + bytes(40 - len(footer)) + MAGIC


def test_crc_of_a_known_string() -> None:
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    assert crc32c(b"6789", crc32c(b"12345")) == crc32c(b"123456789") == 0xE3069283
    assert mask(0x8A9136AA) == ((0x8A9136AA >> 15 | 0x8A9136AA << 17) + 0xA282EAD8) % 2**32


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_varints(value: int, rest: bytes) -> None:
    encoded = varint.encode(value)
    assert varint.decode(rest + encoded + rest, len(rest), "x") == (value, len(rest) + len(encoded))
    with pytest.raises(DataLossError, match="truncated or altered"):
        varint.decode(encoded[:-1], 0, "x")


def test_varints_of_more_than_64_bits_are_refused() -> None:
    assert varint.decode(b"\xff" * 9 + b"\x01", 0, "x") == (2**64 - 1, 10)
    for data in (b"\xff" * 9 + b"\x02", b"\x80" * 11 + b"\x01"):
        with pytest.raises(DataLossError, match="no 64-bit varint"):
            varint.decode(data, 0, "x")


@given(st.dictionaries(st.binary(max_size=12), st.binary(max_size=12)))
def test_what_is_written_is_read(items: dict[bytes, bytes]) -> None:
    assert list(read_table(written(items), "x")) == sorted(items.items())


def test_many_blocks() -> None:
    items = {b"key/%06d" % i: b"value" * 20 for i in range(10000)}
    data = written(items)
    assert len(data) < 110 * len(items), "keys share their prefixes"
    assert list(read_table(data, "x")) == sorted(items.items())


def test_a_table_by_hand() -> None:
    data = table(block((0, b"ab", b"1"), (1, b"c", b"2")), block((0, b"b", b"")))
    assert list(read_table(data, "x")) == [(b"ab", b"1"), (b"ac", b"2"), (b"b", b"")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (table(block((0, b"b", b""), (0, b"a", b""))), "keys must rise"),
        (table(block((0, b"b", b"")), block((0, b"a", b""))), "keys must rise"),
        (table(block((0, b"b", b"")), block((0, b"b", b""))), "keys must rise"),
        (table(block((1, b"b", b""))), "does not fit its block"),
        (table(b"\0\x7f\0" + block()), "does not fit its block"),
        (table(b"\0\0\x7f" + block()), "does not fit its block"),
        (table(b"\xff" * 12 + block()), "no 64-bit varint"),
        (table(b"\0\0\0" + struct.pack("<2I", 0, 2)), "cannot have 2 restart points"),
        (table(b"\0\0"), "cannot have 0 restart points"),
        (table(block(), index=block((0, b"k", b"\xff"))), "no 64-bit varint"),
        (table(block(), index=block((0, b"k", varint.encode(2**63) * 2))), "beyond the file's"),
        (table(block(), index=block((0, b"j", b"\0\x08"), (0, b"k", b"\0\x08"))), "within the one that ends at 8"),
        (table(block((0, b"k", b""), (1, b"", b""))), "keys must rise"),
        (table(block())[:-1] + b"\0", "no table"),
        (b"", "0 bytes, but a table has a footer"),
    ],
)
def test_tables_that_lie_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DataLossError, match=f"^file: .*{message}"):
        list(read_table(data, "file"))


def test_keys_that_outgrow_the_file_are_refused() -> None:
    entries = [(0, b"\0" * 10000, b"")] + [(10000, struct.pack(">I", i), b"") for i in range(9000)]
    with pytest.raises(DataLossError, match="expand to over 32 times"):
        list(read_table(table(block(*entries)), "file"))


@pytest.mark.parametrize(("compression", "name"), [(2, "zstd"), (7, "type 7")])
def test_compressed_blocks_are_refused(compression: int, name: str) -> None:
    with pytest.raises(UnsupportedError, match=name):
        list(read_table(table(block(), compression=compression), "file"))


@given(st.lists(st.binary(max_size=60), max_size=3), st.none() | st.binary(min_size=1, max_size=30))
def test_no_block_does_worse_than_be_refused(blocks: list[bytes], index: bytes | None) -> None:
    restarts = struct.pack("<2I", 0, 1)
    data = table(*(content + restarts for content in blocks), index=index and index + restarts)
    try:
        keys = [key for key, _ in read_table(data, "file")]
    except SavedModelError:
        return
    assert keys == sorted(set(keys))


def test_blocks_compressed_by_snappy_are_read() -> None:
    long = bytes(range(100))
    parts = [
        (b"\x14abcdef", b"abcdef"),  # a literal
        (b"\x09\x06", b"abcdef"),  # a copy, its offset in one byte
        (b"\xee\x01\x00", b"f" * 60),  # a copy that takes from itself, its offset in two
        (b"\xf0\x63" + long, long),  # a literal whose length takes a byte of its own
        (b"\x0b\x64\x00\x00\x00", long[:3]),  # a copy, its offset in four
    ]
    text = b"".join(plain for _, plain in parts)
    packed = varint.encode(len(text)) + b"".join(encoded for encoded, _ in parts)
    assert decompress(packed, "file") == text

    plain = block((0, b"key", b"value"))
    content = varint.encode(len(plain)) + bytes([(len(plain) - 1) << 2]) + plain
    assert list(read_table(table(content, compression=1), "file")) == [(b"key", b"value")]


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\x05\x10hello!",  # more than it says
        b"\x0a\x10hello",  # less
        b"\x05\xf4",  # a literal whose length is missing
        b"\x08\x00a\x01\x07",  # copies from before the start
        b"\x08\x00a\x01\x00",  # copies from where it writes
        b"\xff\xff\xff\xff\x0f\x00a",  # says that it is huge
    ],
)
def test_damaged_compressed_blocks_are_refused(block: bytes) -> None:
    with pytest.raises(DataLossError, match="file"):
        decompress(block, "file")
