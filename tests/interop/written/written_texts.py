"""Modules of strings, ragged and sparse tensors, files and tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from written import Model, Ragged, Sparse, function_model, model, numbers, spec, text

from modtf import core as tf
from modtf import saved_model
from modtf.saved_model import train

LINES = text("the quick brown fox", "", "Jumps over 12 dogs", "sn\N{LATIN SMALL LETTER O WITH DIAERESIS}")


@model("strings")
def strings(folder: Any) -> Model:
    def run(self: Any, lines: Any) -> Any:
        return {
            "lower": tf.strings.lower(lines),
            "length": tf.strings.length(lines, unit="UTF8_CHAR"),
            "replaced": tf.strings.regex_replace(lines, "[aeiou]+", "-"),
            "joined": tf.strings.join([lines, "x"], separator="|"),
            "part": tf.strings.substr(lines, 0, 3),
            "hash": tf.strings.to_hash_bucket_fast(lines, 1000),
            "reduced": tf.strings.reduce_join(lines, separator=", "),
            "numbers": tf.strings.to_number(tf.strings.as_string(tf.strings.length(lines))),
            "matches": tf.strings.regex_full_match(lines, ".*o.*"),
        }

    return function_model(run, [spec([None], tf.string, "lines")], (LINES,))


@model("strings")
def words(folder: Any) -> Model:
    """Ragged tensors inside a function."""

    def run(self: Any, lines: Any) -> Any:
        parts = tf.strings.split(lines)
        grams = tf.strings.ngrams(parts, 2, separator="_")
        return {"words": parts.to_tensor(default_value=""), "counts": parts.row_lengths(), "grams": grams.to_tensor("")}

    return function_model(run, [spec([None], tf.string, "lines")], (LINES,))


@model("strings")
def characters(folder: Any) -> Model:
    def run(self: Any, lines: Any) -> Any:
        points = tf.strings.unicode_decode(lines, "UTF-8")
        return {"points": points.to_tensor(-1), "again": tf.strings.unicode_encode(points, "UTF-8"),
                "base64": tf.io.encode_base64(lines)}  # fmt: skip

    return function_model(run, [spec([None], tf.string, "lines")], (LINES,))


@model("strings")
def examples(folder: Any) -> Model:
    """What estimators' models take: serialized examples."""

    def run(self: Any, serialized: Any) -> Any:
        features = {
            "x": tf.io.FixedLenFeature([2], tf.float32, [5.0, 6.0]),
            "words": tf.io.VarLenFeature(tf.string),
        }
        parsed = tf.io.parse_example(serialized, features)
        found = tf.sparse.to_dense(parsed["words"], default_value="none")
        return {"scores": tf.linalg.matvec(parsed["x"], self.weights), "words": found}

    def example(x: list[float], words_of: list[bytes]) -> bytes:
        feature = {"words": train.Feature(bytes_list=train.BytesList(value=words_of))}
        if x:
            feature["x"] = train.Feature(float_list=train.FloatList(value=x))
        return train.Example(features=train.Features(feature=feature)).SerializeToString()

    serialized = np.array([example([1.0, 2.0], [b"a", b"b"]), example([], [])], object)
    return function_model(
        run, [spec([None], tf.string, "serialized")], (serialized,), weights=tf.Variable(numbers(3, 2))
    )


@model("composites", without=("session", "keras", "tf_keras"))
def ragged(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        return {"sums": tf.reduce_sum(x, axis=1), "doubled": x * self.factor, "flat": x.flat_values}

    specs = [tf.RaggedTensorSpec([None, None], tf.float32)]
    return function_model(run, specs, (Ragged([[1.0, 2.0], [], [3.0]], "float32"),), factor=tf.Variable(2.0))


@model("composites", without=("session", "keras", "tf_keras"))
def sparse(folder: Any) -> Model:
    def run(self: Any, x: Any) -> Any:
        return {"product": tf.sparse.sparse_dense_matmul(x, self.weights), "same": x, "dense": tf.sparse.to_dense(x)}

    specs = [tf.SparseTensorSpec([None, 4], tf.float32)]
    args = (Sparse([[0, 1], [2, 3]], [1.5, 2.5], [3, 4]),)
    return function_model(run, specs, args, weights=tf.Variable(numbers(4, 2)))


@model("composites")
def composite_outputs(folder: Any) -> Model:
    """A signature that gives a sparse tensor."""
    run = lambda self, x: {"sparse": tf.sparse.from_dense(x), "dense": x + 1.0}  # noqa: E731
    return function_model(run, [spec([None, 3], name="x")], (np.maximum(numbers(4, 3), 0),))


@model("files")
def static_table(folder: Any) -> Model:
    filling = tf.lookup.KeyValueTensorInitializer(["cat", "dog"], tf.constant([3, 7], tf.int64))
    table = tf.lookup.StaticHashTable(filling, -1)
    args = (text("dog", "bird", "cat"),)
    run = lambda self, words: {"found": self.table.lookup(words), "size": self.table.size()}  # noqa: E731
    return function_model(run, [spec([None], tf.string, "words")], args, table=table)


@model("files")
def vocabulary(folder: Any) -> Model:
    """Numbers for the words of a file, which is copied with the model, and an embedding of them."""
    (folder / "words.txt").write_text("cat\ndog\nfish\n")
    index = tf.lookup.TextFileIndex
    filling = tf.lookup.TextFileInitializer(
        str(folder / "words.txt"), tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
    )
    table = tf.lookup.StaticVocabularyTable(filling, 2)

    def run(self: Any, words: Any) -> Any:
        ids = self.table.lookup(words)
        return {"ids": ids, "embedded": tf.gather(self.embedding, ids)}

    args = (text("fish", "bird", "cat", "?"),)
    embedding = tf.Variable(numbers(5, 2))
    return function_model(run, [spec([None], tf.string, "words")], args, table=table, embedding=embedding)


@model("files")
def changing_table(folder: Any) -> Model:
    """A table with entries that are saved as variables are."""
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, -1.0)
    table.insert(["one", "two"], [1.0, 2.0])

    def run(self: Any, words: Any) -> Any:
        before = self.table.lookup(words)
        self.table.insert(words, before * 10.0)
        return {"before": before, "after": self.table.lookup(words)}

    return function_model(run, [spec([None], tf.string, "words")], (text("two", "three"),), table=table)


@model("files", without=("session",))  # which reads assets only while it initialises
def asset(folder: Any) -> Model:
    (folder / "words.txt").write_text("a b c")
    held = saved_model.Asset(folder / "words.txt")
    run = lambda self, mark: {"text": tf.strings.join([tf.io.read_file(self.words.asset_path), mark])}  # noqa: E731
    return function_model(run, [spec([], tf.string, "mark")], (np.array(b"!", object),), words=held)


@model("files")
def dense_table(folder: Any) -> Model:
    """A table of vectors, with keys that stand for none."""
    table = tf.lookup.experimental.DenseHashTable(
        tf.int64, tf.float32, [0.0, -1.0], empty_key=-1, deleted_key=-2, initial_num_buckets=16
    )
    table.insert([3, 5], [[1.0, 2.0], [3.0, 4.0]])
    run = lambda self, ids: {"found": self.table.lookup(ids), "size": self.table.size()}  # noqa: E731
    return function_model(run, [spec([None], tf.int64, "ids")], (np.array([5, 6, 3]),), table=table)


@model("files")
def tables_again(folder: Any) -> Model:
    """Tables that were saved, loaded, changed and saved again."""
    (folder / "words.txt").write_text("cat\ndog\n")
    index = tf.lookup.TextFileIndex
    filling = tf.lookup.TextFileInitializer(
        str(folder / "words.txt"), tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
    )
    known = tf.lookup.StaticHashTable(filling, -1)
    counts = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
    counts.insert(["cat"], tf.constant([4], tf.int64))

    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.known, self.counts = known, counts

        @tf.function(input_signature=[spec([None], tf.string, "words")])
        def find(self, words: Any) -> Any:
            return {"known": self.known.lookup(words), "counts": self.counts.lookup(words)}

        @tf.function(input_signature=[spec([None], tf.string, "words"), spec([None], tf.int64, "counts")])
        def insert(self, words: Any, counts: Any) -> Any:
            self.counts.insert(words, counts)
            return self.counts.size()

    saved_model.save(Module(), folder / "first")
    loaded = saved_model.load(folder / "first")
    loaded.insert(tf.constant(["dog"]), tf.constant([9], tf.int64))
    words = text("dog", "bird", "cat")
    calls: list[Any] = [("find", (words,), {}), ("insert", (text("bird"), np.array([1])), {}), ("find", (words,), {})]
    return Model(loaded, calls, {"serving_default": loaded.find}, {"serving_default": {"words": words}})
