"""Lookup tables: filling, asking and changing them, eagerly and in functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core import raw_ops
from modtf.core.conformance.report import Report

_WORDS = np.array([b"a", b"bc", b""], object)


def _of_words(**attrs: Any) -> Any:
    return raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64, **attrs)


def _find(table: Any, keys: Any, default: Any) -> Any:
    return raw_ops.LookupTableFindV2(table_handle=table, keys=keys, default_value=default)


def _lists(table: Any, keys: str, values: str) -> dict[Any, Any]:
    exported = raw_ops.LookupTableExportV2(table_handle=table, Tkeys=keys, Tvalues=values)
    return dict(zip(exported.keys.numpy().tolist(), exported.values.numpy().tolist(), strict=True))


@pytest.mark.parametrize("make", ["HashTableV2", "AnonymousHashTable"])
def test_static_table(make: str, report: Report) -> None:
    table = getattr(raw_ops, make)(key_dtype=tf.string, value_dtype=tf.int64)
    with pytest.raises(tf.errors.FailedPreconditionError):
        _find(table, _WORDS, np.int64(-1))
    raw_ops.InitializeTableV2(table_handle=table, keys=_WORDS, values=np.int64([5, 6, 7]))
    found = _find(table, np.array([[b"bc", b"?"], [b"", b"a"]], object), np.int64(-1))
    np.testing.assert_array_equal(found.numpy(), [[6, -1], [7, 5]])
    assert raw_ops.LookupTableSizeV2(table_handle=table).numpy() == 3
    assert _lists(table, "string", "int64") == {b"a": 5, b"bc": 6, b"": 7}
    with pytest.raises(tf.errors.UnimplementedError):
        raw_ops.LookupTableInsertV2(table_handle=table, keys=_WORDS, values=np.int64([5, 6, 7]))
    report.passed.update({make, "InitializeTableV2", "LookupTableFindV2", "LookupTableSizeV2", "LookupTableExportV2"})


def test_keys_with_two_values() -> None:
    table = _of_words()
    with pytest.raises(tf.errors.FailedPreconditionError, match="different value for same key"):
        raw_ops.InitializeTableV2(table_handle=table, keys=["a", "a"], values=np.int64([1, 2]))
    raw_ops.InitializeTableV2(table_handle=table, keys=["a", "a"], values=np.int64([1, 1]))


def test_initializing_again() -> None:
    table = _of_words()
    raw_ops.InitializeTableV2(table_handle=table, keys=["a", "b"], values=np.int64([1, 2]))
    raw_ops.InitializeTableV2(table_handle=table, keys=["a", "b"], values=np.int64([1, 2]))
    with pytest.raises(tf.errors.FailedPreconditionError):
        raw_ops.InitializeTableV2(table_handle=table, keys=["a", "b", "c"], values=np.int64([1, 2, 3]))


def test_text_file(tmp_path: Path, report: Report) -> None:
    path = tmp_path / "words"
    path.write_bytes(b"x 1.5 u\ny -2 v\r\n")
    cases = [
        (-2, -1, "string", "int64", {b"x 1.5 u": 3, b"y -2 v": 4}),
        (0, 1, "string", "float32", {b"x": 1.5, b"y": -2.0}),
        (-1, 2, "int64", "string", {3: b"u", 4: b"v"}),
    ]
    for key, value, key_dtype, value_dtype, expected in cases:
        table = raw_ops.HashTableV2(key_dtype=key_dtype, value_dtype=value_dtype)
        raw_ops.InitializeTableFromTextFileV2(
            table_handle=table, filename=str(path), key_index=key, value_index=value, delimiter=" ", offset=3
        )
        assert _lists(table, key_dtype, value_dtype) == expected
    report.passed.add("InitializeTableFromTextFileV2")


@pytest.mark.parametrize("make", ["MutableHashTableV2", "AnonymousMutableHashTable"])
def test_mutable_table(make: str, report: Report) -> None:
    table = getattr(raw_ops, make)(key_dtype=tf.int64, value_dtype=tf.float32)
    raw_ops.LookupTableInsertV2(table_handle=table, keys=np.int64([1, 2, 1]), values=[1.0, 2.0, 3.0])
    np.testing.assert_array_equal(_find(table, np.int64([1, 9, 2]), np.float32(-1)).numpy(), [3.0, -1.0, 2.0])
    np.testing.assert_array_equal(_find(table, np.int64([8, 9, 2]), np.float32([4, 5, 6])).numpy(), [4.0, 5.0, 2.0])
    raw_ops.LookupTableRemoveV2(table_handle=table, keys=np.int64([1, 7]))
    assert _lists(table, "int64", "float32") == {2: 2.0}
    raw_ops.LookupTableImportV2(table_handle=table, keys=np.int64([4, 5]), values=[4.0, 5.0])
    assert _lists(table, "int64", "float32") == {4: 4.0, 5: 5.0}
    report.passed.update({make, "LookupTableInsertV2", "LookupTableRemoveV2", "LookupTableImportV2"})


@pytest.mark.parametrize("make", ["MutableHashTableOfTensorsV2", "AnonymousMutableHashTableOfTensors"])
def test_table_of_vectors(make: str, report: Report) -> None:
    table = getattr(raw_ops, make)(key_dtype=tf.string, value_dtype=tf.int32, value_shape=[2])
    raw_ops.LookupTableInsertV2(table_handle=table, keys=["a", "b"], values=[[1, 2], [3, 4]])
    np.testing.assert_array_equal(_find(table, [["b", "?"]], np.int32([-1, -2])).numpy(), [[[3, 4], [-1, -2]]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected shape"):
        raw_ops.LookupTableInsertV2(table_handle=table, keys=["a"], values=[[1, 2, 3]])
    report.passed.add(make)


@pytest.mark.parametrize("make", ["MutableDenseHashTableV2", "AnonymousMutableDenseHashTable"])
def test_dense_table(make: str, report: Report) -> None:
    table = getattr(raw_ops, make)(
        empty_key=np.int64([0, 0]), deleted_key=np.int64([-1, -1]), value_dtype=tf.int64, value_shape=[2],
        initial_num_buckets=4,
    )  # fmt: skip
    entries = np.int64([[1, 2], [3, 4]])
    raw_ops.LookupTableInsertV2(table_handle=table, keys=entries, values=entries)
    np.testing.assert_array_equal(_find(table, np.int64([[3, 4], [4, 3]]), np.int64([9, 9])).numpy(), [[3, 4], [9, 9]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="empty_key"):
        _find(table, np.int64([[0, 0]]), np.int64([9, 9]))
    exported = raw_ops.LookupTableExportV2(table_handle=table, Tkeys=tf.int64, Tvalues=tf.int64)
    for array in exported:  # TensorFlow's buckets
        np.testing.assert_array_equal(array.numpy(), [[3, 4], [0, 0], [0, 0], [1, 2]])
    raw_ops.LookupTableImportV2(table_handle=table, keys=exported.keys, values=exported.values)
    assert raw_ops.LookupTableSizeV2(table_handle=table).numpy() == 2
    report.passed.add(make)


def test_shared_names(report: Report) -> None:
    table = _of_words(shared_name="conformance")
    raw_ops.InitializeTableV2(table_handle=table, keys=["a"], values=np.int64([1]))

    @tf.function
    def find(keys: Any) -> Any:
        return _find(_of_words(shared_name="conformance"), keys, np.int64(-1))

    np.testing.assert_array_equal(find(tf.constant(["a", "b"])).numpy(), [1, -1])
    with pytest.raises(tf.errors.InvalidArgumentError):
        raw_ops.HashTableV2(key_dtype=tf.int64, value_dtype=tf.int64, shared_name="conformance")
    raw_ops.DestroyResourceOp(resource=table)
    assert raw_ops.LookupTableSizeV2(table_handle=_of_words(shared_name="conformance")).numpy() == 0
    raw_ops.DestroyResourceOp(resource=_of_words(shared_name="conformance"))
    report.passed.add("DestroyResourceOp")


def test_in_a_function() -> None:
    """Beside arithmetic, in program order; `find` gives what is known of shapes and dtypes by then."""
    table = raw_ops.AnonymousMutableHashTable(key_dtype=tf.int64, value_dtype=tf.float32)

    @tf.function
    def program(keys: Any, weights: Any) -> Any:
        before = _find(table, keys, np.float32(-1))
        raw_ops.LookupTableInsertV2(table_handle=table, keys=keys, values=weights * 2.0)
        after = _find(table, keys, np.float32(-1))
        raw_ops.LookupTableRemoveV2(table_handle=table, keys=keys[:1])
        return before, tf.reduce_sum(after * weights), raw_ops.LookupTableSizeV2(table_handle=table)

    keys, weights = tf.constant(np.int64([3, 4])), tf.constant([1.0, 3.0])
    before, total, size = program(keys, weights)
    np.testing.assert_array_equal(before.numpy(), [-1.0, -1.0])
    assert total.numpy() == 20.0
    assert size.numpy() == 1
    np.testing.assert_array_equal(program(keys, weights)[0].numpy(), [-1.0, 6.0])


def test_what_nobody_asks_for() -> None:
    table = _of_words()
    raw_ops.InitializeTableV2(table_handle=table, keys=["a"], values=np.int64([1]))

    @tf.function
    def program(x: Any) -> Any:
        _find(table, ["a"], np.int64(-1))
        return x + 1.0

    assert program(tf.constant(1.0)).numpy() == 2.0


def test_wrong_dtypes() -> None:
    table = _of_words()
    raw_ops.InitializeTableV2(table_handle=table, keys=["a"], values=np.int64([1]))
    for keys, default in ((np.int64([1]), np.int64(-1)), (np.array([b"a"], object), np.int32(-1))):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Signature mismatch"):
            _find(table, keys, default)
    with pytest.raises(tf.errors.InvalidArgumentError):
        _find(tf.Variable(1.0).handle, _WORDS, np.int64(-1))
