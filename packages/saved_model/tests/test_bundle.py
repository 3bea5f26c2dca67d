"""Bundles: those that TensorFlow wrote, round trips, and what is said of damaged ones."""

from __future__ import annotations

import itertools
import shutil
import string
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from golden_values import DTYPES, GOLDENS, PARTITIONED, TENSORS, assert_same, strings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from modtf.saved_model import (
    BundleReader,
    BundleWriter,
    DataLossError,
    NotFoundError,
    SavedModelError,
    TensorNotFoundError,
    UnsupportedError,
)
from modtf.saved_model.protos import tensor_pb2
from modtf.saved_model.protos.checkpoint_pb2 import BundleEntryProto, BundleHeaderProto, TensorSliceProto
from modtf.saved_model.slices import is_partition, slice_key
from modtf.saved_model.sstable import write_table

in_one_directory = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def write(prefix: Path, tensors: dict[str, np.ndarray]) -> Path:
    for file in prefix.parent.glob(f"{prefix.name}.*"):
        file.unlink()
    with BundleWriter(prefix) as writer:
        for name, array in tensors.items():
            writer.add(name, array)
    return prefix


def read_all(prefix: Path) -> dict[str, np.ndarray]:
    reader = BundleReader(prefix)
    return {name: reader.read(name) for name in reader}


def assert_same_tensors(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert_same(actual[name], array)


# --- what TensorFlow wrote ---


def test_tensors_of_every_type_are_read() -> None:
    assert_same_tensors(read_all(GOLDENS / "bundle"), TENSORS)


def test_entries_say_dtype_and_shape() -> None:
    reader = BundleReader(GOLDENS / "bundle")
    assert len(reader) == len(TENSORS)
    assert "scalar" in reader and "scala" not in reader and "" not in reader
    assert (reader["bfloat16"].dtype, reader["bfloat16"].shape) == (np.dtype(ml_dtypes.bfloat16), (2, 3))
    assert reader["strings"].dtype == np.dtype(object)


def test_slices_of_two_files_are_put_together() -> None:
    assert_same_tensors(read_all(GOLDENS / "partitioned"), PARTITIONED)


# --- round trips ---


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    count = int(np.prod(shape))
    if draw(st.booleans()):
        return strings(*draw(st.lists(st.binary(max_size=300), min_size=count, max_size=count))).reshape(shape)
    dtype = np.dtype(draw(st.sampled_from(list(DTYPES.values()))))
    if dtype == np.bool_:
        return draw(hnp.arrays(np.bool_, shape))
    raw = np.frombuffer(draw(st.binary(min_size=count * dtype.itemsize, max_size=count * dtype.itemsize)), np.uint8)
    return raw.view(dtype).reshape(shape)


@in_one_directory
@given(tensors=st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), arrays()))
def test_what_is_written_is_read(tmp_path: Path, tensors: dict[str, np.ndarray]) -> None:
    assert_same_tensors(read_all(write(tmp_path / "bundle", tensors)), tensors)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.arange(12, dtype=">i4").reshape(3, 4),
        np.broadcast_to(np.float32(3), (5, 7)),
    ],
    ids=["transposed", "strided", "big-endian", "broadcast"],
)
def test_any_layout_is_written_row_by_row(tmp_path: Path, array: np.ndarray) -> None:
    expected = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    assert_same(BundleReader(write(tmp_path / "bundle", {"x": array})).read("x"), expected)


def test_quantized_types_keep_their_number(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "bundle") as writer:
        writer.add("q", np.array([-3, 4], np.int8), tensor_pb2.DT_QINT8)
        with pytest.raises(TypeError, match="DT_QINT8 is stored as int8, but the array is int32"):
            writer.add("r", np.array([-3, 4], np.int32), tensor_pb2.DT_QINT8)
    reader = BundleReader(tmp_path / "bundle")
    assert reader["q"].data_type == tensor_pb2.DT_QINT8
    assert_same(reader.read("q"), np.array([-3, 4], np.int8))


def test_an_index_of_many_blocks(tmp_path: Path) -> None:
    tensors = {f"{'layer/' * 40}{i:05}": np.array(i) for i in range(3000)}
    assert_same_tensors(read_all(write(tmp_path / "bundle", tensors)), tensors)


def test_bytes_are_a_scalar_string(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "bundle") as writer:
        writer.add("_CHECKPOINTABLE_OBJECT_GRAPH", b"\x0a\0")
    assert BundleReader(tmp_path / "bundle").read("_CHECKPOINTABLE_OBJECT_GRAPH").item() == b"\x0a\0"


def test_numbers_are_read_only_views_of_the_map(tmp_path: Path) -> None:
    reader = BundleReader(write(tmp_path / "bundle", {"flag": np.array(True), "x": np.arange(1000.0)}))
    array = reader.read("x")
    assert np.shares_memory(array, reader.read("x"))
    assert array.flags.aligned
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_unaligned_numbers_are_copied() -> None:
    reader = BundleReader(GOLDENS / "bundle")
    assert any(reader[name].offset % reader[name].dtype.itemsize for name in reader)
    assert all(reader.read(name).flags.aligned for name in reader)


# --- misuse ---


def test_an_unfinished_bundle_has_no_index(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="dtype <U1"), BundleWriter(tmp_path / "bundle") as writer:
        writer.add("good", np.zeros(3))
        writer.add("bad", np.array(["a"]))
    assert not (tmp_path / "bundle.index").exists()
    with pytest.raises(NotFoundError, match=r"bundle\.index is missing"):
        BundleReader(tmp_path / "bundle")


def test_a_refused_tensor_leaves_no_trace(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "bundle") as writer:
        writer.add("x", np.zeros(3))
        for name in ("x", "", "\0y"):
            with pytest.raises(ValueError, match="is there already, is empty, or begins with NUL"):
                writer.add(name, np.ones(3))
        with pytest.raises(TypeError, match="encode str as UTF-8"):
            writer.add("s", np.array(["text"], object))
    assert_same_tensors(read_all(tmp_path / "bundle"), {"x": np.zeros(3)})


def test_a_bundle_is_not_overwritten(tmp_path: Path) -> None:
    prefix = write(tmp_path / "bundle", {"x": np.arange(3)})
    with pytest.raises(FileExistsError):
        BundleWriter(prefix)
    assert_same(BundleReader(prefix).read("x"), np.arange(3))


def test_an_unknown_name_gets_similar_ones() -> None:
    reader = BundleReader(GOLDENS / "bundle")
    with pytest.raises(TensorNotFoundError, match=r"no tensor 'complex46'. Similar names: .*'complex64'") as caught:
        reader.read("complex46")
    assert isinstance(caught.value, KeyError)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.index is missing"):
        BundleReader(tmp_path / "nothing")
    shutil.copy(GOLDENS / "partitioned.index", tmp_path)
    shutil.copy(GOLDENS / "partitioned.data-00001-of-00002", tmp_path)
    with pytest.raises(NotFoundError, match=r"partitioned\.data-00000-of-00002 is missing"):
        BundleReader(tmp_path / "partitioned")


# --- damage ---


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    for file in GOLDENS.glob("*.*-of-*"):
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["bundle", "partitioned"])
def test_an_index_cut_at_any_byte_is_refused(copies: Path, name: str) -> None:
    whole = (GOLDENS / f"{name}.index").read_bytes()
    for size in range(len(whole)):
        (copies / f"{name}.index").write_bytes(whole[:size])
        with pytest.raises(DataLossError, match=r"\.index"):
            BundleReader(copies / name)


@pytest.mark.parametrize(("name", "expected"), [("bundle", TENSORS), ("partitioned", PARTITIONED)])
def test_an_index_with_a_bit_flipped_is_refused(copies: Path, name: str, expected: dict[str, np.ndarray]) -> None:
    whole = (GOLDENS / f"{name}.index").read_bytes()
    footer, handles_end = len(whole) - 48, len(whole[:-8].rstrip(b"\0"))
    for at, bit in itertools.product(range(len(whole)), range(8)):
        if at < footer and bit != at % 8:
            continue
        altered = bytearray(whole)
        altered[at] ^= 1 << bit
        (copies / f"{name}.index").write_bytes(altered)
        if handles_end <= at < len(whole) - 8 or (at == handles_end - 1 and bit == 7):
            # Padding, or the flag which makes the first byte of padding the last, empty one of the handle.
            assert_same_tensors(read_all(copies / name), expected)
        else:
            with pytest.raises(SavedModelError, match=r"\.index"):
                BundleReader(copies / name)


def test_data_that_are_cut_are_refused(copies: Path) -> None:
    shutil.copy(GOLDENS / "partitioned.index", copies)
    for file in sorted(GOLDENS.glob("partitioned.data*")):
        whole = file.read_bytes()
        for size in [*range(0, len(whole), 41), len(whole) - 1]:
            (copies / file.name).write_bytes(whole[:size])
            with pytest.raises(DataLossError, match=f"{file.name}, which has {size};"):
                BundleReader(copies / "partitioned")
        (copies / file.name).write_bytes(whole)


def test_data_with_a_bit_flipped_are_refused(copies: Path) -> None:
    shutil.copy(GOLDENS / "bundle.index", copies)
    file = copies / "bundle.data-00000-of-00001"
    whole = file.read_bytes()
    for at in range(len(whole)):
        altered = bytearray(whole)
        altered[at] ^= 1 << at % 8
        file.write_bytes(altered)
        reader = BundleReader(copies / "bundle")
        (name,) = (n for n, entry in reader.items() if entry.offset <= at < entry.offset + entry.size)
        with pytest.raises(DataLossError, match=f"bundle.data-00000-of-00001: tensor '{name}'"):
            reader.read(name)
        other = "float32" if name != "float32" else "float64"
        assert_same(reader.read(other), TENSORS[other])


def test_data_that_changed_since_opening_are_refused(copies: Path) -> None:
    shutil.copy(GOLDENS / "bundle.index", copies)
    reader = BundleReader(copies / "bundle")
    (copies / "bundle.data-00000-of-00001").write_bytes(b"short")
    with pytest.raises(DataLossError, match="was 800 bytes when the bundle was opened, and is 5"):
        reader.read("float32")


# --- lies: files whose checksums are right ---


def forge(prefix: Path, entries: dict[bytes, bytes], data: bytes = bytes(64), **header: object) -> Path:
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    with open(f"{prefix}.index", "wb") as file:
        fields = {"num_shards": 1, **header}
        write_table(file, [(b"", BundleHeaderProto(**fields).SerializeToString()), *sorted(entries.items())])
    return prefix


def shape(*sizes: int) -> tensor_pb2.TensorShapeProto:
    return tensor_pb2.TensorShapeProto(dim=[tensor_pb2.TensorShapeProto.Dim(size=size) for size in sizes])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"shape": shape(16), "size": 64, "offset": 1}, r"at 1 \+ 64 bytes of .*which has 64"),
        ({"shape": shape(16), "size": 64, "offset": -1}, r"at -1 \+ 64 bytes"),
        ({"shape": shape(0), "size": -4, "offset": 4}, r"at 4 \+ -4 bytes"),
        ({"shape": shape(1), "size": 4, "offset": 2**63 - 1}, r"at 9223372036854775807 \+ 4 bytes"),
        ({"shape": shape(16), "size": 60}, r"60 bytes, but DT_FLOAT of shape \(16,\) takes 64"),
        ({"shape": shape(2**40), "size": 64}, "takes 4398046511104"),
        ({"shape": shape(2**40, 2**40), "size": 64}, "no array can have 2 dimensions"),
        ({"shape": shape(0, 2**40, 2**40), "size": 0}, "no array can have 3 dimensions"),
        ({"shape": shape(*[1] * 65), "size": 4}, "no array can have 65 dimensions"),
        ({"shape": shape(-1), "size": 4}, "not known"),
        ({"shape": tensor_pb2.TensorShapeProto(unknown_rank=True), "size": 4}, "unknown rank"),
        ({"shape": shape(1), "size": 4, "shard_id": 1}, "in data file 1, but there are 1"),
        ({"shape": shape(1), "size": 4, "shard_id": -1}, "in data file -1"),
        ({"shape": shape(1), "size": 4, "dtype": 99}, "of type 99"),
        ({"shape": shape(1), "size": 4, "dtype": 0}, "of type DT_INVALID"),
        ({"shape": shape(61), "size": 64, "dtype": tensor_pb2.DT_STRING}, "take 65"),
    ],
)
def test_entries_that_lie_are_refused(tmp_path: Path, fields: dict[str, object], message: str) -> None:
    entry = BundleEntryProto(**{"dtype": tensor_pb2.DT_FLOAT, **fields}).SerializeToString()
    with pytest.raises(SavedModelError, match=message) as caught:
        BundleReader(forge(tmp_path / "bundle", {b"x": entry}))
    assert "tensor 'x'" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "error", "message"),
    [
        ({"endianness": 1}, UnsupportedError, "big-endian"),
        ({"version": {"min_consumer": 2}}, UnsupportedError, "readers of version 2"),
        ({"version": {"bad_consumers": [1]}}, UnsupportedError, r"not \[1\]"),
        ({"num_shards": 0}, DataLossError, "there are 0 data files"),
        ({"num_shards": 2**31 - 1}, NotFoundError, "data-00000-of-2147483647 is missing"),
    ],
)
def test_headers_that_are_not_ours_are_refused(
    tmp_path: Path, header: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        BundleReader(forge(tmp_path / "bundle", {}, **header))


def test_a_table_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "bundle.index", "wb") as file:
        write_table(file, [(b"x", b"y")])
    with pytest.raises(DataLossError, match="no tensor bundle"):
        BundleReader(tmp_path / "bundle")
    with pytest.raises(DataLossError, match="no BundleEntryProto"):
        BundleReader(forge(tmp_path / "bundle", {b"x": b"\xff"}))
    with pytest.raises(DataLossError, match="not UTF-8"):
        BundleReader(forge(tmp_path / "bundle", {b"\xff": b""}))


def test_variants_are_listed_but_not_read(tmp_path: Path) -> None:
    entry = BundleEntryProto(dtype=tensor_pb2.DT_VARIANT, size=64).SerializeToString()
    reader = BundleReader(forge(tmp_path / "bundle", {b"x": entry}))
    assert list(reader) == ["x"]
    with pytest.raises(UnsupportedError, match="tensor 'x' is of type DT_VARIANT"):
        reader.read("x")


def sliced(full: tuple[int, ...], *boxes: tuple[tuple[int, int], ...]) -> dict[bytes, bytes]:
    """The entries of a float tensor in slices, all of which claim the first bytes of the file."""
    entries = {}
    whole = BundleEntryProto(dtype=tensor_pb2.DT_FLOAT, shape=shape(*full))
    for box in boxes:
        whole.slices.append(TensorSliceProto(extent=[{"start": start, "length": length} for start, length in box]))
        sizes = [length for _, length in box]
        size = 4 * int(np.prod([float(size) for size in sizes]))
        part = BundleEntryProto(dtype=tensor_pb2.DT_FLOAT, shape=shape(*sizes), size=size)
        entries[slice_key("x", box)] = part.SerializeToString()
    return entries | {b"x": whole.SerializeToString()}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (sliced((4,), ((0, 2),)), "overlap or leave gaps"),
        (sliced((4,), ((0, 2),), ((1, 2),)), "overlap or leave gaps"),
        (sliced((4,), ((0, 2),), ((0, 2),)), "overlap or leave gaps"),
        (sliced((4,), ((0, 2),), ((3, 2),)), "missing or outside"),
        (sliced((4,), ((0, 2), (0, 1)), ((2, 2), (0, 1))), "missing or outside"),
        (sliced((4,), ((-1, 4),)), "missing or outside"),
        (sliced((2**30,), ((0, 4),)), "larger than all data files"),
        (sliced((32,), ((0, 16),), ((16, 16),)), "larger than all data files"),
        ({b"x": sliced((4,), ((0, 4),))[b"x"]}, "missing or outside"),
        (sliced((4,), *[((0, 4),)] * 5000), "5000 slices; at most"),
    ],
)
def test_slices_that_do_not_make_a_tensor_are_refused(
    tmp_path: Path, entries: dict[bytes, bytes], message: str
) -> None:
    with pytest.raises(SavedModelError, match=f"tensor 'x'.*{message}"):
        BundleReader(forge(tmp_path / "bundle", entries))


@given(st.data())
def test_partitions_are_told_from_other_sets_of_boxes(data: st.DataObject) -> None:
    full = data.draw(hnp.array_shapes(min_dims=0, max_dims=3, max_side=4))
    sides = [st.tuples(*[st.integers(0, size)] * 2).map(sorted).map(lambda ends: slice(*ends)) for size in full]
    boxes = data.draw(st.lists(st.tuples(*sides), max_size=4))
    count = np.zeros(full, int)
    for box in boxes:
        count[box] += 1
    assert is_partition(boxes, full) == bool((count == 1).all())


@in_one_directory
@given(
    entries=st.dictionaries(
        st.one_of(st.just(b"x"), st.binary(max_size=4)),
        st.one_of(
            st.binary(max_size=40),
            st.builds(
                lambda **fields: BundleEntryProto(**fields).SerializeToString(),
                dtype=st.integers(-1, 140),
                shape=st.builds(lambda sizes: shape(*sizes), st.lists(st.integers(-1, 5) | st.integers(0, 2**62))),
                shard_id=st.integers(-1, 2),
                offset=st.integers(-1, 70),
                size=st.integers(-1, 70),
                crc32c=st.integers(0, 2**32 - 1),
                slices=st.lists(
                    st.builds(
                        lambda extents: TensorSliceProto(extent=[{"start": s, "length": n} for s, n in extents]),
                        st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5)), max_size=3),
                    ),
                    max_size=3,
                ),
            ),
        ),
        max_size=5,
    ),
    data=st.binary(max_size=70),
)
def test_no_index_does_worse_than_be_refused(tmp_path: Path, entries: dict[bytes, bytes], data: bytes) -> None:
    prefix = forge(tmp_path / "bundle", {key: value for key, value in entries.items() if key}, data)
    try:
        reader = BundleReader(prefix)
    except SavedModelError:
        return
    for name in reader:
        try:
            assert reader.read(name).nbytes <= 8 * 70
        except SavedModelError:
            pass


# --- keys of slices sort as TensorFlow's OrderedCode does ---


@given(
    st.lists(st.tuples(st.text(string.ascii_letters + "\0é"), st.integers(-(2**63), 2**63 - 1)), min_size=2, max_size=2)
)
def test_keys_of_slices_sort_as_what_they_encode(pair: list[tuple[str, int]]) -> None:
    (a, m), (b, n) = pair
    keys = slice_key(a, ((m, 1),)), slice_key(b, ((n, 1),))
    assert (keys[0] < keys[1]) == ((a.encode(), m) < (b.encode(), n))
