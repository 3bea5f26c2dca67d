"""Saving tables and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from modtf import core as tf
from modtf import saved_model
from modtf.saved_model import SavedModelError

WORDS = tf.constant(["cat", "bird", "dog"])


class Tables(tf.Module):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        (folder / "words.txt").write_text("dog\ncat\n")
        index = tf.lookup.TextFileIndex
        lines = tf.lookup.TextFileInitializer(
            str(folder / "words.txt"), tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
        )
        self.vocabulary = tf.lookup.StaticVocabularyTable(lines, 1)
        self.static = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["cat"], tf.constant([7], tf.int64)), -1
        )
        self.counts = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        self.vectors = tf.lookup.experimental.DenseHashTable(tf.string, tf.float32, [0.0, 0.0], "empty", "deleted")
        self.forgotten = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -3, checkpoint=False)
        self.counts.insert(["cat", "dog"], tf.constant([1, 2], tf.int64))
        self.vectors.insert(["bird"], [[1.0, 2.0]])
        self.forgotten.insert(["cat"], tf.constant([1], tf.int64))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def find(self, words: Any) -> Any:
        tables = (self.vocabulary, self.static, self.counts, self.forgotten)
        return [table.lookup(words) for table in tables], self.vectors.lookup(words)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def count(self, words: Any) -> Any:
        self.counts.insert(words, self.counts.lookup(words) + 1)
        return self.counts.size()


def found(model: Any) -> list[Any]:
    numbers, vectors = model.find(WORDS)
    return [*(item.numpy().tolist() for item in numbers), vectors.numpy().tolist()]


def test_tables_are_saved_and_saved_again(tmp_path: Path) -> None:
    module = Tables(tmp_path)
    expected = [[1, 2, 0], [7, -1, -1], [1, 0, 2], [-3, -3, -3], [[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]]
    saved_model.save(module, tmp_path / "first")
    (tmp_path / "words.txt").unlink()
    one, other = saved_model.load(tmp_path / "first"), saved_model.load(tmp_path / "first")
    assert found(one) == expected
    assert one.count(WORDS).numpy() == 3
    assert found(other) == expected
    saved_model.save(one, tmp_path / "second")
    expected[2] = [2, 1, 3]
    assert found(saved_model.load(tmp_path / "second")) == expected
    assert found(module)[2] == [1, 0, 2]


def test_a_signature_finds_tables(tmp_path: Path) -> None:
    module = Tables(tmp_path)
    saved_model.save(module, tmp_path / "model", signatures={"count": module.count})
    assert saved_model.load(tmp_path / "model").signatures["count"](words=WORDS)["output_0"].numpy() == 3


def test_a_table_that_nothing_leads_to_is_not_saved(tmp_path: Path) -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
    module = tf.Module()
    module.find = tf.function(lambda words: table.lookup(words), input_signature=[tf.TensorSpec([None], tf.string)])
    with pytest.raises(SavedModelError, match="no attribute of the saved object leads to"):
        saved_model.save(module, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_files_are_saved_and_saved_again(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("a b")
    module = tf.Module()
    module.words = asset = saved_model.Asset(tmp_path / "words.txt")
    module.read = tf.function(lambda: tf.io.read_file(asset.asset_path), input_signature=[])
    saved_model.save(module, tmp_path / "first")
    (tmp_path / "words.txt").unlink()
    saved_model.save(saved_model.load(tmp_path / "first"), tmp_path / "second")
    (tmp_path / "first" / "assets" / "words.txt").unlink()
    assert saved_model.load(tmp_path / "second").read().numpy() == b"a b"
