"""`tf.lookup`: expected values are TensorFlow's."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.contracts import SymbolicTensor


def _words(default: int = -1) -> Any:
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), default)


def test_static_table() -> None:
    table = _words()
    assert (table.key_dtype, table.value_dtype) == (tf.string, tf.int32)
    assert table.default_value.numpy() == -1
    assert table.lookup(tf.constant([["a", "z"]])).numpy().tolist() == [[1, -1]]
    assert table["b"].numpy() == 2
    assert table.size().numpy() == 2
    keys, values = table.export()
    assert dict(zip(keys.numpy().tolist(), values.numpy().tolist(), strict=True)) == {b"a": 1, b"b": 2}


def test_keys_of_sparse_and_ragged_tensors() -> None:
    table = _words()
    sparse = table.lookup(tf.SparseTensor([[0], [2]], ["a", "b"], [3]))
    assert isinstance(sparse, tf.SparseTensor)
    assert sparse.values.numpy().tolist() == [1, 2]
    assert sparse.indices.numpy().tolist() == [[0], [2]]
    ragged = table.lookup(tf.RaggedTensor.from_row_splits(["a", "b", "q"], [0, 1, 3]))
    assert ragged.to_list() == [[1], [2, -1]]


def test_static_table_in_a_function() -> None:
    table = _words()

    @tf.function
    def find(keys: Any) -> Any:
        return table.lookup(keys)

    concrete = find.get_concrete_function(tf.TensorSpec([None, 3], tf.string))
    assert concrete.outputs[0].dims == (None, 3)
    assert concrete.captured_inputs[0] is table.resource_handle
    assert find(tf.constant([["b", "", "a"]])).numpy().tolist() == [[2, -1, 1]]


def test_table_made_in_a_function() -> None:
    @tf.function
    def find(keys: Any) -> Any:
        return _words().lookup(keys)

    assert find(tf.constant(["a"])).numpy().tolist() == [1]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: _words().lookup(tf.constant([1])), TypeError, "Dtype of argument `keys` must be string"),
        (lambda: _words("x"), TypeError, "x"),  # type: ignore[arg-type]
        (lambda: _words([1, 2]), ValueError, "default_value"),  # type: ignore[arg-type]
        (lambda: tf.lookup.KeyValueTensorInitializer(["a"], [1], key_dtype=tf.int32), TypeError, "int32"),
        (
            lambda: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), 0),
            tf.errors.FailedPreconditionError,
            "Key a has 1 and trying to add value 2",
        ),
    ],
)
def test_mistakes(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# ------------------------------------------------------------------------------------------------- text files


def _table_of_file(path: Path, content: bytes, *arguments: Any, **keywords: Any) -> dict[Any, Any]:
    path.write_bytes(content)
    initializer = tf.lookup.TextFileInitializer(str(path), *arguments, **keywords)
    table = tf.lookup.StaticHashTable(initializer, "" if initializer.value_dtype == tf.string else -1)
    keys, values = table.export()
    return dict(zip(keys.numpy().tolist(), values.numpy().tolist(), strict=True))


_WHOLE, _NUMBER = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER


@pytest.mark.parametrize(
    ("content", "arguments", "keywords", "expected"),
    [
        (b"a\nb\nc", (tf.string, _WHOLE, tf.int64, _NUMBER), {}, {b"a": 0, b"b": 1, b"c": 2}),
        (b"a\r\nb\r\n", (tf.string, _WHOLE, tf.int64, _NUMBER), {}, {b"a": 0, b"b": 1}),
        (b"a\rz\nb\n", (tf.string, _WHOLE, tf.int64, _NUMBER), {}, {b"a\rz": 0, b"b": 1}),
        (b"a\nb\n", (tf.int64, _NUMBER, tf.string, _WHOLE), {}, {0: b"a", 1: b"b"}),
        (b"a\nb\nc\n", (tf.string, _WHOLE, tf.int64, _NUMBER), {"vocab_size": 2}, {b"a": 0, b"b": 1}),
        (b"a\nb\n", (tf.string, _WHOLE, tf.int64, _NUMBER), {"value_index_offset": 5}, {b"a": 5, b"b": 6}),
        (b"a 1 9\nb 2 8\n", (tf.string, 0, tf.int64, 2), {"delimiter": " "}, {b"a": 9, b"b": 8}),
        (b"a\t1.5e3\nb\tinf\n", (tf.string, 0, tf.float32, 1), {}, {b"a": 1500.0, b"b": float("inf")}),
        (b"1, 2\n3, 4\n", (tf.int64, 0, tf.int64, 1), {"delimiter": ","}, {1: 2, 3: 4}),
    ],
)
def test_text_files(tmp_path: Path, content: bytes, arguments: Any, keywords: Any, expected: dict[Any, Any]) -> None:
    assert _table_of_file(tmp_path / "file", content, *arguments, **keywords) == expected


@pytest.mark.parametrize(
    ("content", "arguments", "keywords", "message"),
    [
        (b"a\n\nb\n", (tf.string, _WHOLE, tf.int64, _NUMBER), {}, "empty"),
        (b"a\nb\n", (tf.string, _WHOLE, tf.int64, _NUMBER), {"vocab_size": 5}, "expected 5 but got 2"),
        (b"a\tx\n", (tf.string, 0, tf.int64, 1), {}, "Field x in line 0 is not a valid int64"),
        (b"a\t1_0\n", (tf.string, 0, tf.int64, 1), {}, "not a valid int64"),
        (b"a\t1\nb\n", (tf.string, 0, tf.int64, 1), {}, "expected at least 2 got 1"),
        (b"a\n", (tf.string, 0, tf.int64, _NUMBER), {"delimiter": ",,"}, "delimiter"),
    ],
)
def test_damaged_text_files(tmp_path: Path, content: bytes, arguments: Any, keywords: Any, message: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        _table_of_file(tmp_path / "file", content, *arguments, **keywords)


def test_absent_and_empty_text_files(tmp_path: Path) -> None:
    initializer = tf.lookup.TextFileInitializer(str(tmp_path / "absent"), tf.string, _WHOLE, tf.int64, _NUMBER)
    with pytest.raises(tf.errors.NotFoundError):
        tf.lookup.StaticHashTable(initializer, -1)
    with pytest.raises(tf.errors.OutOfRangeError):
        _table_of_file(tmp_path / "empty", b"", tf.string, _WHOLE, tf.int64, _NUMBER)


@pytest.mark.parametrize(
    "arguments",
    [
        ("x", tf.string, _WHOLE, tf.string, _NUMBER),
        ("x", tf.string, _NUMBER, tf.int64, _WHOLE),
        ("x", tf.string, -3, tf.int64, _NUMBER),
        ("x", tf.string, _WHOLE, tf.int64, _NUMBER, 0),
        ("", tf.string, _WHOLE, tf.int64, _NUMBER),
    ],
)
def test_impossible_text_files(arguments: Any) -> None:
    with pytest.raises(ValueError, match="`"):
        tf.lookup.TextFileInitializer(*arguments)


# ------------------------------------------------------------------------------------------------- vocabularies


def test_vocabulary() -> None:
    known = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64))
    table = tf.lookup.StaticVocabularyTable(known, 3)
    assert table.lookup(tf.constant(["a", "q", "r", "s", "hello"])).numpy().tolist() == [0, 4, 3, 3, 3]
    assert table.size().numpy() == 5
    assert table.value_dtype == tf.int64
    ragged = table.lookup(tf.RaggedTensor.from_row_splits(["a", "b", "q"], [0, 1, 3]))
    assert ragged.to_list() == [[0], [1, 4]]


def test_vocabulary_of_integers() -> None:
    numbers = tf.lookup.KeyValueTensorInitializer(tf.constant([10, 20], tf.int64), tf.constant([0, 1], tf.int64))
    table = tf.lookup.StaticVocabularyTable(numbers, 3)
    assert table.lookup(tf.constant([10, 99, 98], tf.int64)).numpy().tolist() == [0, 2, 4]
    with pytest.raises(TypeError, match="int64"):
        table.lookup(tf.constant([10]))
    narrow = tf.lookup.StaticVocabularyTable(numbers, 3, lookup_key_dtype=tf.int32)
    assert narrow.lookup(tf.constant([10, 99, 98])).numpy().tolist() == [0, 2, 4]


def test_vocabulary_without_known_words() -> None:
    table = tf.lookup.StaticVocabularyTable(None, 3, lookup_key_dtype=tf.string)
    assert table.size().numpy() == 3
    assert table.resource_handle is None
    assert set(table.lookup(tf.constant(["a", "b", "c"])).numpy().tolist()) <= {0, 1, 2}


def test_impossible_vocabularies() -> None:
    known = tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([0], tf.int64))
    with pytest.raises(ValueError, match="num_oov_buckets"):
        tf.lookup.StaticVocabularyTable(known, 0)
    with pytest.raises(TypeError, match="value_dtype"):
        tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(["a"], [0]), 1)
    with pytest.raises(TypeError, match="key_dtype"):
        tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer([1.0], tf.constant([0], tf.int64)), 1)


# ------------------------------------------------------------------------------------------------- tables that change


def test_mutable_table() -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    assert table.name == "MutableHashTable"
    table.insert(["a", "b"], [1, 2])
    assert table.lookup(tf.constant(["a", "z"])).numpy().tolist() == [1, -1]
    assert table.lookup(tf.constant(["x", "b"]), dynamic_default_values=[5, 6]).numpy().tolist() == [5, 2]
    table.remove(["a", "never there"])
    assert table.size().numpy() == 1
    with pytest.raises(ValueError, match="int64"):
        table.insert(["a"], tf.constant([1.0]))
    with pytest.raises(TypeError, match="keys"):
        table.remove(tf.constant([1]))


def test_mutable_table_of_vectors() -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, 0.5])

    @tf.function
    def update(keys: Any, values: Any) -> Any:
        table.insert(keys, values)
        return table.lookup(keys + 1)

    keys = tf.constant([1, 2], tf.int64)
    assert update(keys, tf.constant([[1.0, 2.0], [3.0, 4.0]])).numpy().tolist() == [[3.0, 4.0], [0.0, 0.5]]
    assert update.get_concrete_function(keys, tf.zeros([2, 2])).outputs[0].dims == (2, 2)


def test_dense_table() -> None:
    table = tf.lookup.experimental.DenseHashTable(tf.string, tf.int64, -1, "", "$", initial_num_buckets=8)
    table.insert(["a", "b"], [1, 2])
    table.insert_or_assign(["a"], [7])
    table.erase(["b"])
    assert table.lookup(["a", "b"]).numpy().tolist() == [7, -1]
    assert table.size().numpy() == 1
    keys, values = table.export()
    assert (keys.dims, values.dims) == ((8, 1), (8, 1))
    used = keys.numpy()[:, 0] == b"a"
    assert values.numpy()[used].tolist() == [[7]]
    for key in ("", "$"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="not allowed"):
            table.insert([key], [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="cannot be equal"):
        tf.lookup.experimental.DenseHashTable(tf.string, tf.int64, -1, "x", "x")


def test_growing_and_shrinking() -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, -1)
    expected: dict[int, int] = {}
    random = np.random.default_rng(5)
    for _ in range(50):
        added, gone = random.integers(0, 200, 30), random.integers(0, 200, 20)
        table.insert(tf.constant(added), tf.constant(added * 3 + len(expected)))
        expected.update(zip(added.tolist(), (added * 3 + len(expected)).tolist(), strict=True))
        table.remove(tf.constant(gone))
        for key in gone.tolist():
            expected.pop(key, None)
    found = table.lookup(tf.constant(np.arange(200))).numpy()
    assert found.tolist() == [expected.get(key, -1) for key in range(200)]


def test_threads() -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, -1)
    problems = []

    def work(start: int) -> None:
        for number in range(start, start + 300):
            key = tf.constant([number], tf.int64)
            table.insert(key, key * 2)
            if table.lookup(key).numpy()[0] != number * 2:
                problems.append(number)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 1200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert table.size().numpy() == 1200


# ------------------------------------------------------------------------------------------------- what saving needs


def test_functions_that_make_a_table_anew(tmp_path: Path) -> None:
    path = tmp_path / "words"
    path.write_text("x\ny\n")
    initializer = tf.lookup.TextFileInitializer(path, tf.string, _WHOLE, tf.int64, _NUMBER)
    table = tf.lookup.StaticHashTable(initializer, -1)
    assert table.trackable_children() == {"_initializer": initializer}
    asset = initializer.trackable_children()["_filename"]
    assert asset.numpy() == str(path).encode()
    created = tf.function(table._create_resource).get_concrete_function()
    assert created.outputs[0].dtype == tf.resource
    assert created.outputs[0].node.op.name == "HashTableV2"
    assert created.outputs[0].node["shared_name"]
    filled = tf.function(lambda: table._initialize()).get_concrete_function()
    assert [id(tensor) for tensor in filled.captured_inputs] == [id(table.resource_handle), id(asset)]
    assert not any(isinstance(tensor, SymbolicTensor) for tensor in filled.captured_inputs)


def test_contents_in_checkpoints() -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    table.insert(["a", "b"], [1, 2])
    other = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    other.insert(["gone"], [1])
    other._restore_from_tensors(table._serialize_to_tensors())
    assert other.lookup(["a", "b", "gone"]).numpy().tolist() == [1, 2, -1]
    assert (
        tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1, checkpoint=False)._serialize_to_tensors() == {}
    )


def test_tables_of_modules_are_followed() -> None:
    module = tf.Module()
    module.table = _words()  # type: ignore[attr-defined]
    assert list(module.trackable_children()) == ["table"]
