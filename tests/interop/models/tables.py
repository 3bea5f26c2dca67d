"""Assets and lookup tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from described import Ragged, Sparse, Written, call, model, module, numbers, spec

FAMILY = "assets and tables"
WORDS = np.array([b"cat", b"dog", b"fish", b"unknown", b""], object)
lookup = tf.lookup


def vocabulary(folder: Path) -> str:
    file = folder / "vocabulary.txt"
    file.write_text("dog\ncat\nbird\nfish\n")
    return str(file)


def of_strings(function: Any, **attributes: Any) -> Written:
    f = tf.function(function, input_signature=[spec(None, dtype=tf.string)])
    return Written(module(f=f, **attributes), [call("f", WORDS)])


@model(FAMILY)
def assets(folder: Path) -> Written:
    asset = tf.saved_model.Asset(vocabulary(folder))
    other = folder / "other"
    other.mkdir()
    second = tf.saved_model.Asset(vocabulary(other))  # of the same name

    @tf.function(input_signature=[])
    def f() -> Any:
        lines = tf.strings.split(tf.io.read_file(asset.asset_path), "\n")
        return lines, tf.strings.length(tf.io.read_file(second.asset_path))

    return Written(module(f=f, asset=asset, second=second), [call("f")])


@model(FAMILY)
def static_hash_table() -> Written:
    table = lookup.StaticHashTable(
        lookup.KeyValueTensorInitializer(["cat", "dog"], tf.constant([7, 9], tf.int64)), default_value=-1
    )
    return of_strings(lambda words: (table.lookup(words), table.size(), table.export()[1] * 0), table=table)


@model(FAMILY)
def static_hash_table_of_a_file(folder: Path) -> Written:
    initializer = lookup.TextFileInitializer(
        vocabulary(folder), tf.string, lookup.TextFileIndex.WHOLE_LINE, tf.int64, lookup.TextFileIndex.LINE_NUMBER
    )
    inverse = lookup.TextFileInitializer(
        vocabulary(folder), tf.int64, lookup.TextFileIndex.LINE_NUMBER, tf.string, lookup.TextFileIndex.WHOLE_LINE
    )
    table, names = lookup.StaticHashTable(initializer, -1), lookup.StaticHashTable(inverse, "?")
    return of_strings(lambda words: names[table[words]], table=table, names=names)


@model(FAMILY)
def static_vocabulary_table(folder: Path) -> Written:
    initializer = lookup.TextFileInitializer(
        vocabulary(folder), tf.string, lookup.TextFileIndex.WHOLE_LINE, tf.int64, lookup.TextFileIndex.LINE_NUMBER
    )
    table = lookup.StaticVocabularyTable(initializer, num_oov_buckets=5)
    only_buckets = lookup.StaticVocabularyTable(None, 3, lookup_key_dtype=tf.string)
    return of_strings(lambda words: (table[words], only_buckets[words]), table=table, only_buckets=only_buckets)


@model(FAMILY)
def tables_that_nothing_leads_to(folder: Path) -> Written:
    """Captured by functions alone."""
    table = lookup.StaticVocabularyTable(lookup.KeyValueTensorInitializer(["cat"], tf.constant([0], tf.int64)), 2)
    root = of_strings(lambda words: table[words])
    root.root.hidden = [table]
    return root


@model(FAMILY)
def tables_of_numbers() -> Written:
    keys = tf.constant([3, 5, 1 << 40], tf.int64)
    table = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(keys, tf.constant([0.5, 1.5, 2.5])), np.nan)
    names = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(tf.constant([1, 2]), ["one", "two"]), "none")

    @tf.function(input_signature=[spec(None, None, dtype=tf.int64), spec(None, dtype=tf.int32)])
    def f(x: Any, y: Any) -> Any:
        return table[x], names[y]

    return Written(
        module(f=f, table=table, names=names), [call("f", np.array([[3, 4], [1 << 40, 5]]), np.array([2, 7], "i4"))]
    )


@model(FAMILY)
def mutable_hash_table() -> Written:
    class Mutable(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
            self.table.insert(tf.constant(["cat", "dog"]), tf.constant([3, 4], tf.int64))
            self.vectors = lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0])
            self.vectors.insert(tf.constant([1, 2], tf.int64), tf.constant([[1.0, 2.0], [3.0, 4.0]]))

        @tf.function(input_signature=[spec(None, dtype=tf.string)])
        def find(self, words: Any) -> Any:
            return self.table.lookup(words), self.table.size(), self.vectors.lookup(self.table.lookup(words) - 2)

        @tf.function(input_signature=[spec(None, dtype=tf.string), spec(None, dtype=tf.int64)])
        def insert(self, words: Any, values: Any) -> Any:
            self.table.insert(words, values)
            self.table.remove(words[:1])
            return self.table.size()

    calls = [call("find", WORDS), call("insert", WORDS[2:], np.array([8, 9, 10])), call("find", WORDS)]
    return Written(Mutable(), calls)


@model(FAMILY)
def dense_hash_table() -> Written:
    class Dense(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = lookup.experimental.DenseHashTable(
                tf.string, tf.float32, -1.0, empty_key="", deleted_key="$", initial_num_buckets=8
            )
            self.table.insert(tf.constant(["cat", "dog"]), tf.constant([3.5, 4.5]))

        @tf.function(input_signature=[spec(None, dtype=tf.string)])
        def find(self, words: Any) -> Any:
            return self.table.lookup(words), self.table.size()

        @tf.function(input_signature=[spec(None, dtype=tf.string), spec(None)])
        def insert(self, words: Any, values: Any) -> Any:
            self.table.insert(words, values)
            self.table.erase(words[:1])
            return self.table.size()

    calls = [
        call("find", WORDS[:4]),
        call("insert", WORDS[1:4], np.array([8.0, 9.0, 10.0], "f4")),
        call("find", WORDS[:4]),
    ]
    return Written(Dense(), calls)


@model(FAMILY)
def tables_and_embeddings(folder: Path) -> Written:
    """An encoder of text, as hubs have them: split, look up, embed, average."""
    table = lookup.StaticVocabularyTable(
        lookup.TextFileInitializer(
            vocabulary(folder), tf.string, lookup.TextFileIndex.WHOLE_LINE, tf.int64, lookup.TextFileIndex.LINE_NUMBER
        ),
        num_oov_buckets=2,
    )
    weights = tf.Variable(numbers(6, 4), name="embeddings")

    @tf.function(input_signature=[spec(None, dtype=tf.string)])
    def f(sentences: Any) -> Any:
        clean = tf.strings.regex_replace(tf.strings.lower(sentences), r"[^\w ]", "")
        ids = table[tf.strings.split(clean)]
        embedded = tf.nn.safe_embedding_lookup_sparse(weights, ids.to_sparse(), combiner="sqrtn")
        return embedded, tf.ragged.map_flat_values(tf.nn.embedding_lookup, weights, ids), ids

    texts = np.array([b"The cat, the dog!", b"", b"fish fish bird"], object)
    return Written(module(f=f, table=table, weights=weights), [call("f", texts)], signatures=None)


@model(FAMILY)
def tables_with_composite_keys() -> Written:
    table = lookup.StaticHashTable(lookup.KeyValueTensorInitializer(["cat", "dog"], tf.constant([7, 9])), 0)

    @tf.function
    def f(keys: Any) -> Any:
        return table.lookup(keys)

    f.get_concrete_function(tf.SparseTensorSpec([None, None], tf.string))
    f.get_concrete_function(tf.RaggedTensorSpec([None, None], tf.string))
    sparse = Sparse(np.array([[0, 1], [2, 0]]), WORDS[:2], np.array([3, 2]))
    return Written(module(f=f, table=table), [call("f", sparse), call("f", Ragged(WORDS, np.array([0, 2, 2, 5])))])


@model(FAMILY)
def a_bag_of_words(folder: Path) -> Written:
    weights = tf.Variable(numbers(4, 3))
    table = lookup.StaticHashTable(
        lookup.TextFileInitializer(
            vocabulary(folder), tf.string, lookup.TextFileIndex.WHOLE_LINE, tf.int64, lookup.TextFileIndex.LINE_NUMBER
        ),
        -1,
    )

    @tf.function(input_signature=[spec(None, dtype=tf.string)])
    def f(texts: Any) -> Any:
        ids = table.lookup(tf.strings.split(texts))
        known = tf.ragged.boolean_mask(ids, ids >= 0)
        return {"scores": tf.math.bincount(known, minlength=4, maxlength=4, axis=-1, dtype=tf.float32) @ weights}

    return Written(
        module(f=f, table=table, w=weights),
        [call("f", np.array([b"cat dog cat", b"none", b"fish"], object))],
        signatures=f,
    )
