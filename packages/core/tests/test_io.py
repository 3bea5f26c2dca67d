"""`tf.io` but for examples, and `tf.io.gfile`: expected values are TensorFlow's."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf

IO = tf.io
G = IO.gfile

# ------------------------------------------------------------------------------------------------- tensors as strings


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (tf.constant([[0.0, 1.0], [2.0, 3.0]]), "0801120812020802120208022210000000000000803f0000004000004040"),
        (tf.constant(1.5), "0801120022040000c03f"),
        (tf.constant(["a", "bcd", ""]), "080712041202080342016142036263644200"),
        (tf.constant("x"), "08071200420178"),
        (tf.zeros([0, 3]), "08011206120012020803"),
        (tf.constant([[False, True], [True, True]]), "080a12081202080212020802220400010101"),
        (tf.constant([[0, 1], [2, 3]], tf.bfloat16), "080e1208120208021202080222080000803f00404040"),
    ],
)
def test_tensors_as_strings(tensor: Any, expected: str) -> None:
    serialized = IO.serialize_tensor(tensor)
    assert serialized.numpy().hex() == expected
    again = IO.parse_tensor(serialized, tensor.dtype)
    assert again.dtype == tensor.dtype
    np.testing.assert_array_equal(again.numpy(), tensor.numpy())


@pytest.mark.parametrize(
    "dtype", ["float16", "float64", "int8", "uint8", "int16", "uint64", "int64", "complex64", "complex128"]
)
def test_tensors_of_all_dtypes(dtype: str) -> None:
    tensor = tf.cast(tf.constant([[1, 2, 3]]), dtype)
    np.testing.assert_array_equal(IO.parse_tensor(IO.serialize_tensor(tensor), dtype).numpy(), tensor.numpy())


def test_damaged_tensors() -> None:
    whole = IO.serialize_tensor(tf.constant([1.0, 2.0])).numpy()
    for damaged in (whole[:-1], b"\x0f", b"", bytes.fromhex("0801120c1206088080808080201202 0802".replace(" ", ""))):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse"):
            IO.parse_tensor(damaged, tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Type mismatch .*float32.* \(int32\)"):
        IO.parse_tensor(whole, tf.int32)
    much = bytes.fromhex("0801120a120808ffffffffffff1f2a040000803f")  # one float stands for petabytes
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse"):
        IO.parse_tensor(much, tf.float32)


# ------------------------------------------------------------------------------------------------- text


def _csv(records: Any, *defaults: Any, **keywords: Any) -> Any:
    return [column.numpy().tolist() for column in IO.decode_csv(records, list(defaults), **keywords)]


def test_csv() -> None:
    number, text = tf.constant([], tf.int32), tf.constant([], tf.string)
    assert _csv(["1,2.5,a", ",,"], [7], [1.5], ["d"]) == [[1, 7], [2.5, 1.5], [b"a", b"d"]]
    assert _csv(['1,"a,b"', '2,"say ""hi"""'], number, text) == [[1, 2], [b"a,b", b'say "hi"']]
    assert _csv(["1;x"], number, text, field_delim=";") == [[1], [b"x"]]
    assert _csv(['1,"x"'], number, text, use_quote_delim=False) == [[1], [b'"x"']]
    assert _csv(["NA,NA"], [5], ["d"], na_value="NA") == [[5], [b"d"]]
    assert _csv(["a,1,b,2"], number, number, select_cols=[1, 3]) == [[1], [2]]
    for select_cols in ([1, 0], [-1, 0], [1]):
        with pytest.raises(ValueError, match="select_cols"):
            IO.decode_csv(["1,2"], [[1], [1]], select_cols=select_cols)
    for record, message in (
        ("x,a", "Field 0 in record 0 is not a valid int32: x"),
        (",a", "Field 0 is required but missing in record 0"),
        ("1", "Expect 2 fields but have 1 in record 0"),
        ('1,"a', "Quoted field has to end with quote"),
        ('1,"a"b', "Quote inside a string has to be escaped"),
        ('1,a"b', "Unquoted fields cannot have quotes"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            _csv([record], number, text)


def test_json_examples() -> None:
    text = '{"features":{"feature":{"a":{"int64List":{"value":["1",2]}},"b":{"bytesList":{"value":["aGk="]}}}}}'
    binary = IO.decode_json_example(text)
    features = {"a": IO.FixedLenFeature([2], tf.int64), "b": IO.FixedLenFeature([], tf.string)}
    parsed = IO.parse_single_example(binary, features)
    assert parsed["a"].numpy().tolist() == [1, 2]
    assert parsed["b"].numpy() == b"hi"
    for damaged in ("", "[]", '{"other":1}', '{"features":{"feature":{"a":{"floatList":{"value":[NaN]}}}}}'):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Error while parsing JSON"):
            IO.decode_json_example(damaged)


# ------------------------------------------------------------------------------------------------- encodings


def test_raw_numbers() -> None:
    assert IO.decode_raw([b"\1\2\3\4"], tf.uint16).numpy().tolist() == [[513, 1027]]
    assert IO.decode_raw([b"\1\2\3\4"], tf.uint16, little_endian=False).numpy().tolist() == [[258, 772]]
    assert IO.decode_raw([b"\1\2", b"\3"], tf.uint8, fixed_length=4).numpy().tolist() == [[1, 2, 0, 0], [3, 0, 0, 0]]


def test_base64() -> None:
    assert IO.encode_base64([b"\xfb\xff", b"a"]).numpy().tolist() == [b"-_8", b"YQ"]
    assert IO.encode_base64("a", pad=True).numpy() == b"YQ=="
    assert IO.decode_base64(["-_8", "YQ=="]).numpy().tolist() == [b"\xfb\xff", b"a"]


def test_compressed_files() -> None:
    packed = [zlib.compress(b"hello"), zlib.compress(b"")]
    assert IO.decode_compressed(packed, "ZLIB").numpy().tolist() == [b"hello", b""]
    assert IO.decode_compressed(gzip.compress(b"he") + gzip.compress(b"llo"), "GZIP").numpy() == b"hello"
    assert IO.decode_compressed(b"plain").numpy() == b"plain"
    with pytest.raises(tf.errors.DataLossError, match="inflate"):
        IO.decode_compressed(b"plain", "ZLIB")
    with pytest.raises(tf.errors.InvalidArgumentError, match="BZ2"):
        IO.decode_compressed(b"plain", "BZ2")


def test_sparse_tensors_as_strings() -> None:
    sparse = tf.SparseTensor([[0, 1], [1, 0]], [5, 6], [2, 3])
    assert IO.serialize_sparse(sparse).dims == (3,)
    again = IO.deserialize_many_sparse(IO.serialize_many_sparse(sparse), tf.int32)
    assert again.indices.numpy().tolist() == [[0, 1], [1, 0]]
    assert again.values.numpy().tolist() == [5, 6]
    assert again.dense_shape.numpy().tolist() == [2, 3]
    with pytest.raises(TypeError, match="SparseTensor"):
        IO.serialize_sparse([1])


# ------------------------------------------------------------------------------------------------- files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt", "x[1].txt", ".hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt", "b.txt", "x[1].txt"]),
        ("*", [".hidden", "a.txt", "b.txt", "sub", "x[1].txt"]),
        ("*/c.txt", ["sub/c.txt"]),
        ("**/d.txt", []),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
        ("[!a].txt", ["b.txt"]),
        ("[^a].txt", ["b.txt"]),
        ("{a,b}.txt", []),
        ("a.txt", ["a.txt"]),
        ("x\\[1].txt", ["x[1].txt"]),
        ("nope/*", []),
    ],
)
def test_patterns(folder: Path, pattern: str, expected: list[str]) -> None:
    paths = [str(folder / name) for name in expected]
    assert IO.matching_files(f"{folder}/{pattern}").numpy().tolist() == [path.encode() for path in paths]
    assert G.glob(f"{folder}/{pattern}") == paths


def test_reading_and_writing(folder: Path) -> None:
    assert IO.read_file(str(folder / "a.txt")).numpy() == b"a.txt"
    IO.write_file(str(folder / "new" / "file"), b"\xff")
    assert IO.read_file(str(folder / "new" / "file")).numpy() == b"\xff"
    with pytest.raises(tf.errors.FailedPreconditionError, match="Is a directory"):
        IO.read_file(str(folder))
    with pytest.raises(tf.errors.FailedPreconditionError, match="Is a directory"):
        IO.write_file(str(folder), "x")
    with pytest.raises(tf.errors.NotFoundError, match="No such file"):
        IO.read_file(str(folder / "absent"))
    with pytest.raises(tf.errors.UnimplementedError, match="'gs'"):
        IO.read_file("gs://bucket/file")
    if os.path.exists("/dev/zero"):
        with pytest.raises(tf.errors.FailedPreconditionError, match="is a device"):
            IO.read_file("/dev/zero")
    assert IO.read_file(f"file://{folder}/a.txt").numpy() == b"a.txt"


def test_functions_of_other_modules() -> None:
    assert IO.decode_png is tf.image.decode_png
    assert "decode_png" in dir(IO)
    with pytest.raises(AttributeError, match="nothing"):
        IO.nothing  # noqa: B018


def test_gfile_modes(folder: Path) -> None:
    path = folder / "lines"
    with G.GFile(path, "w") as file:
        file.write("ab\ncd\n")
    with G.GFile(path) as file:
        assert (file.readline(), file.tell(), file.read(1), file.readlines(), file.size()) == (
            "ab\n",
            3,
            "c",
            ["d\n"],
            6,
        )
        file.seek(0)
        assert list(file) == ["ab\n", "cd\n"]
    with G.GFile(path, "ab") as file:
        file.write(b"more")
    with G.GFile(path, "rb") as file:
        file.seek(-6, 2)
        assert file.read() == b"d\nmore"
        with pytest.raises(tf.errors.PermissionDeniedError):
            file.write(b"x")
    with pytest.raises(tf.errors.PermissionDeniedError):
        G.GFile(path, "w").read()
    with pytest.raises(tf.errors.InvalidArgumentError, match="mode"):
        G.GFile(path, "x")
    with pytest.raises(tf.errors.NotFoundError):
        G.GFile(folder / "absent").read()
    with G.GFile(folder / "empty", "w"):
        pass
    assert G.exists(folder / "empty")


def test_gfile_folders(folder: Path) -> None:
    assert (G.exists(folder), G.exists(folder / "absent")) == (True, False)
    assert (G.isdir(folder), G.isdir(folder / "a.txt")) == (True, False)
    assert sorted(G.listdir(folder)) == [".hidden", "a.txt", "b.txt", "sub", "x[1].txt"]
    G.mkdir(folder / "sub")
    G.makedirs(folder / "p" / "q")
    with pytest.raises(tf.errors.NotFoundError):
        G.mkdir(folder / "absent" / "new")
    with pytest.raises(tf.errors.NotFoundError):
        G.listdir(folder / "absent")
    G.rmtree(folder / "p")
    assert not G.exists(folder / "p")
    with pytest.raises(tf.errors.NotFoundError):
        G.rmtree(folder / "p")
    walked = [(str(top), sorted(folders), sorted(files)) for top, folders, files in G.walk(folder / "sub")]
    assert walked == [(f"{folder}/sub", ["deep"], ["c.txt"]), (f"{folder}/sub/deep", [], ["d.txt"])]
    assert G.join("a", "b", "c") == "a/b/c"
    assert G.join("a/", "/b") == "/b"


def test_gfile_files(folder: Path) -> None:
    G.copy(folder / "a.txt", folder / "copy")
    with pytest.raises(tf.errors.AlreadyExistsError):
        G.copy(folder / "a.txt", folder / "b.txt")
    G.copy(folder / "a.txt", folder / "b.txt", overwrite=True)
    assert (folder / "b.txt").read_text() == "a.txt"
    with pytest.raises(tf.errors.AlreadyExistsError):
        G.rename(folder / "copy", folder / "b.txt")
    G.rename(folder / "copy", folder / "renamed")
    assert not G.exists(folder / "copy")
    G.remove(folder / "renamed")
    for function in (G.remove, G.stat):
        with pytest.raises(tf.errors.NotFoundError):
            function(folder / "renamed")
    with pytest.raises(tf.errors.FailedPreconditionError):
        G.remove(folder / "sub")
    assert G.stat(folder / "a.txt").length == 5
    assert G.stat(folder).is_directory
    assert G.stat(folder / "a.txt").mtime_nsec > 1.6e18


# ------------------------------------------------------------------------------------------------- smaller things


def test_places_in_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello\nworld")
    with G.GFile(str(tmp_path / "a")) as file:
        for keywords, expected in (
            ({"offset": 1}, "ello"),
            ({"position": 2}, "llo\n"),
            ({"offset": -2, "whence": 2}, "ld"),
        ):
            file.seek(**keywords)
            assert file.read(4) == expected
        with pytest.raises(TypeError, match="offset argument required"):
            file.seek()


def test_file_names_that_match_once(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c"):
        (tmp_path / name).touch()
    names = IO.match_filenames_once(str(tmp_path / "*.txt"), name="files")
    assert isinstance(names, tf.Variable) and names.name == "files:0" and not names.trainable
    assert [name[-5:] for name in names.numpy()] == [b"a.txt", b"b.txt"] and names.shape == [2]


def test_types_of_compression(tmp_path: Path) -> None:
    options = IO.TFRecordOptions
    assert dict(options.compression_type_map) == {0: "", 1: "ZLIB", 2: "GZIP"}
    for given, expected in ((None, ""), ("", ""), ("GZIP", "GZIP"), (1, "ZLIB"), (options("ZLIB"), "ZLIB")):
        assert options.get_compression_type_string(given) == expected
    with pytest.raises(ValueError, match="foo"):
        options("foo")
    with IO.TFRecordWriter(str(tmp_path / "r"), options(2)) as writer:
        writer.write(b"x")
    assert (tmp_path / "r").read_bytes()[:2] == b"\x1f\x8b"


def test_ragged_features_are_named_tuples() -> None:
    feature = IO.RaggedFeature(tf.int64, "v", [IO.RaggedFeature.RowSplits("k")])
    assert feature == IO.RaggedFeature("int64", "v", (IO.RaggedFeature.RowSplits("k"),))
    assert feature._fields == ("dtype", "value_key", "partitions", "row_splits_dtype", "validate")
    assert feature.partitions[0].key == "k" and feature.row_splits_dtype is tf.int32 and not feature.validate
    with pytest.raises(TypeError, match="Unsupported partition"):
        IO.RaggedFeature(tf.int64, partitions=["k"])
