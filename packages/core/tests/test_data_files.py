"""Datasets of files, and TFRecord files byte by byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modtf import core as tf
from modtf.core.api.data import records

data = tf.data


def texts(dataset: Any) -> list[bytes]:
    return [value.numpy() for value in dataset]


@pytest.fixture(params=[False, True])
def by_table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With google-crc32c, where it is installed, and without."""
    if request.param:
        monkeypatch.setattr(records, "_library", lambda: None)


@pytest.mark.usefixtures("by_table")
@pytest.mark.parametrize(
    ("given", "crc"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_checksums(given: bytes, crc: int) -> None:
    """The examples of RFC 3720."""
    assert records.crc32c(given) == crc


def test_checksums_of_long_data_are_those_of_short_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_library", lambda: None)
    for size in (2047, 2048, 2049, 5000, 1 << 16, (1 << 16) + 77):
        given = bytes(number * 7 % 251 for number in range(size))
        expected = records._in_order(given, 0xFFFFFFFF) ^ 0xFFFFFFFF
        assert records.crc32c(given) == expected


def test_a_record_is_tensorflows(tmp_path: Path) -> None:
    with tf.io.TFRecordWriter(tmp_path / "one") as writer:
        writer.write(b"abc")
    assert (tmp_path / "one").read_bytes().hex() == "0300000000000000b099490e6162636e57f121"


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_records_come_back(tmp_path: Path, compression: str) -> None:
    given = [b"", b"a", bytes(300), "é".encode(), bytes(range(256)) * 300]
    with tf.io.TFRecordWriter(str(tmp_path / "r"), tf.io.TFRecordOptions(compression_type=compression)) as writer:
        for record in given:
            writer.write(record)
    assert texts(data.TFRecordDataset(tmp_path / "r", compression)) == given
    data.experimental.TFRecordWriter(tmp_path / "s", compression).write(data.Dataset.from_tensor_slices(["x", "y"]))
    assert texts(data.TFRecordDataset([tmp_path / "s"] * 2, compression)) == [b"x", b"y", b"x", b"y"]


def test_damaged_records_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(b"hello")
        writer.write(b"world")
    whole = path.read_bytes()
    for place, what in ((2, "length"), (14, "data"), (len(whole) - 1, "data")):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(tf.errors.DataLossError, match=f"its {what} does not fit"):
            list(data.TFRecordDataset(path))
    path.write_bytes(whole[:-3])
    iterator = iter(data.TFRecordDataset(path))
    assert next(iterator).numpy() == b"hello"
    with pytest.raises(tf.errors.DataLossError, match="truncated record at 21"):
        next(iterator)


def test_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"ab\r\nc\n\nlast")
    (tmp_path / "b.txt").write_bytes(b"")
    (tmp_path / "c.txt").write_bytes(b"x\ny\n")
    names = [str(tmp_path / name) for name in ("a.txt", "b.txt", "c.txt")]
    expected = [b"ab", b"c", b"", b"last", b"x", b"y"]
    dataset = data.TextLineDataset(names)
    assert texts(dataset) == expected
    assert repr(dataset) == "<TextLineDatasetV2 element_spec=TensorSpec(shape=(), dtype=tf.string, name=None)>"
    listed = data.Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False)
    assert texts(listed) == [name.encode() for name in names]
    assert texts(data.TextLineDataset(listed)) == expected
    assert texts(listed.flat_map(data.TextLineDataset).skip(1)) == expected[1:]
    assert texts(listed.interleave(data.TextLineDataset, cycle_length=3)) == [b"ab", b"x", b"c", b"y", b"", b"last"]
    assert sorted(texts(data.Dataset.list_files(str(tmp_path / "*.txt")))) == texts(listed)


def test_pieces(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"h123456t")
    assert texts(data.FixedLengthRecordDataset(tmp_path / "f", 3, 1, 1)) == [b"123", b"456"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="Excess bytes"):
        list(data.FixedLengthRecordDataset(tmp_path / "f", 3))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for dataset in (data.TFRecordDataset(tmp_path / "no"), data.TextLineDataset(tmp_path / "no")):
        with pytest.raises(tf.errors.NotFoundError, match="No such file"):
            list(dataset)
    with pytest.raises(tf.errors.InvalidArgumentError, match="compression_type"):
        data.TFRecordDataset("x", "BZIP")
