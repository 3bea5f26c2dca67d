"""Sparse tensors and `tf.sparse`, `tf.sets` and embeddings of sparse ids, with values from TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.api import sets, sparse
from modtf.core.api.nn import embeddings
from modtf.core.values.sparse import SparseTensor, SparseTensorSpec

DENSE = np.array([[1, 0, 2], [0, 0, 0], [0, 3, 4]], np.float32)


def made() -> SparseTensor:
    return sparse.from_dense(DENSE)


def dense(value: Any) -> list[Any]:
    return sparse.to_dense(value).numpy().tolist()


def parts(value: Any) -> tuple[Any, Any, Any]:
    return value.indices.numpy().tolist(), value.values.numpy().tolist(), value.dense_shape.numpy().tolist()


class TestValue:
    def test_attributes(self) -> None:
        value = SparseTensor([[0, 1], [2, 0]], [1.5, 2.5], [3, 4])
        assert value.shape == [3, 4]
        assert value.dtype == tf.float32
        assert value.indices.dtype == value.dense_shape.dtype == tf.int64
        assert parts(value.with_values([True, False])) == ([[0, 1], [2, 0]], [True, False], [3, 4])
        assert parts(SparseTensor.from_value(value)) == parts(value)
        assert repr(value).startswith("SparseTensor(indices=tf.Tensor(")

    @pytest.mark.parametrize(
        ("indices", "values", "shape"),
        [([[0, 1]], [1.0, 2.0], [3, 4]), ([[0, 1]], [1.0], [3]), ([0, 1], [1.0, 2.0], [3])],
    )
    def test_parts_that_do_not_fit(self, indices: Any, values: Any, shape: Any) -> None:
        with pytest.raises(ValueError):
            SparseTensor(indices, values, shape)

    def test_operators(self) -> None:
        value, other = made(), tf.constant(DENSE + 1)
        assert dense(value * other) == (DENSE * (DENSE + 1)).tolist()
        assert dense(other * value) == (DENSE * (DENSE + 1)).tolist()
        assert dense(value / 2.0) == (DENSE / 2).tolist()
        assert (sparse.from_dense(DENSE.astype(np.int32)) / 2).dtype == tf.float64
        assert dense(tf.negative(value)) == (-DENSE).tolist()
        assert dense(tf.square(value)) == (DENSE**2).tolist()
        assert tf.cast(value, tf.int32).dtype == tf.int32
        assert tf.shape(value).numpy().tolist() == [3, 3]
        with pytest.raises(tf.errors.InvalidArgumentError):
            value * tf.constant(DENSE[:2])

    def test_spec(self) -> None:
        spec = SparseTensorSpec([None, 3], tf.float32)
        assert repr(spec) == "SparseTensorSpec(TensorShape([None, 3]), tf.float32)"
        assert spec == SparseTensorSpec([None, 3]) != SparseTensorSpec([3, 3])
        assert spec.is_compatible_with(made())
        assert not spec.is_compatible_with(tf.cast(made(), tf.int32))
        assert made().type_spec.is_subtype_of(spec)
        assert not spec.is_subtype_of(made().type_spec)
        joined = SparseTensorSpec([2, 3]).most_specific_compatible_type(SparseTensorSpec([4, 3]))
        assert joined == spec

    def test_through_functions(self) -> None:
        traced = []

        @tf.function
        def function(value: Any) -> Any:
            traced.append(value.shape)
            return sparse.transpose(value)

        assert dense(function(made())) == DENSE.T.tolist()
        function(sparse.from_dense(DENSE * 2))
        concrete = function.get_concrete_function(SparseTensorSpec([None, 3], tf.float32))
        assert traced == [[3, 3], [None, 3]]
        assert concrete.structured_outputs.values.dtype == tf.float32


class TestStructure:
    @pytest.mark.parametrize("shape", [[9], [-1], [1, 3, -1]])
    def test_reshape(self, shape: list[int]) -> None:
        assert dense(sparse.reshape(made(), shape)) == DENSE.reshape(shape).tolist()

    def test_reshape_to_what_does_not_fit(self) -> None:
        with pytest.raises(ValueError):
            sparse.reshape(made(), [2, 5])
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            sparse.reshape(made(), [-1, -1])

    @pytest.mark.parametrize(("axis", "numpy_axis"), [(None, -1), (0, 0), (1, 1), (-2, -2)])
    def test_expand_dims(self, axis: Any, numpy_axis: int) -> None:
        assert dense(sparse.expand_dims(made(), axis)) == np.expand_dims(DENSE, numpy_axis).tolist()

    def test_order(self) -> None:
        mixed = SparseTensor([[2, 1], [0, 0], [1, 2]], [1.0, 2.0, 3.0], [3, 4])
        assert parts(sparse.reorder(mixed)) == ([[0, 0], [1, 2], [2, 1]], [2.0, 3.0, 1.0], [3, 4])
        with pytest.raises(tf.errors.InvalidArgumentError, match="out of order"):
            sparse.to_dense(mixed)
        assert sparse.to_dense(mixed, -1.0, validate_indices=False).numpy()[0].tolist() == [2, -1, -1, -1]

    def test_cutting_and_joining(self) -> None:
        assert dense(sparse.slice(made(), [0, 1], [2, 9])) == DENSE[:2, 1:].tolist()
        assert [dense(part) for part in sparse.split(made(), 2, 0)] == [DENSE[:2].tolist(), DENSE[2:].tolist()]
        assert dense(sparse.concat(1, [made(), made()])) == np.concatenate([DENSE, DENSE], 1).tolist()
        wide = sparse.concat(0, [made(), sparse.from_dense(DENSE[:, :2])], expand_nonconcat_dims=True)
        assert wide.shape == [6, 3]
        with pytest.raises(tf.errors.InvalidArgumentError):
            sparse.concat(0, [made(), sparse.from_dense(DENSE[:, :2])])
        assert parts(sparse.retain(made(), [True, False, True, False])) == ([[0, 0], [2, 1]], [1.0, 3.0], [3, 3])

    def test_reset_shape(self) -> None:
        assert parts(sparse.reset_shape(made(), [4, 5]))[2] == [4, 5]
        assert parts(sparse.reset_shape(SparseTensor([[1, 1]], [1.0], [4, 4])))[2] == [2, 2]
        with pytest.raises(ValueError):
            sparse.reset_shape(made(), [2, 5])

    def test_making(self) -> None:
        assert dense(sparse.eye(2, 3)) == [[1, 0, 0], [0, 1, 0]]
        words = sparse.from_dense(np.array([["a", ""], ["", "b"]]))
        assert dense(words) == [[b"a", b""], [b"", b"b"]]
        numbers = SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([1, 3, 1], tf.int64), [3, 2])
        assert sparse.to_indicator(numbers, 4).numpy().tolist() == [
            [False, True, False, True], [False] * 4, [False, True, False, False],
        ]  # fmt: skip

    def test_mask(self) -> None:
        slices = tf.IndexedSlices(tf.constant([[1.0], [2.0], [3.0]]), tf.constant([4, 7, 9]))  # type: ignore[operator]
        kept = sparse.mask(slices, [7])
        assert (kept.indices.numpy().tolist(), kept.values.numpy().tolist()) == ([4, 9], [[1], [3]])


class TestArithmetic:
    def test_add(self) -> None:
        assert dense(sparse.add(made(), made())) == (2 * DENSE).tolist()
        assert sparse.add(made(), tf.constant(DENSE)).numpy().tolist() == (2 * DENSE).tolist()
        assert sparse.add(tf.constant(DENSE), made()).numpy().tolist() == (2 * DENSE).tolist()
        opposite = sparse.from_dense(-DENSE)
        assert len(sparse.add(made(), opposite).values) == 4
        assert len(sparse.add(made(), opposite, threshold=0.5).values) == 0
        with pytest.raises(TypeError):
            sparse.add(DENSE, DENSE)

    @pytest.mark.parametrize("adjoint_a", [False, True])
    @pytest.mark.parametrize("adjoint_b", [False, True])
    def test_matmul(self, adjoint_a: bool, adjoint_b: bool) -> None:
        a, b = DENSE.astype(np.complex64) * (1 + 2j), (DENSE + 1).astype(np.complex64) * (2 - 1j)
        expected = (a.conj().T if adjoint_a else a) @ (b.conj().T if adjoint_b else b)
        left = sparse.sparse_dense_matmul(sparse.from_dense(a), b, adjoint_a, adjoint_b)
        np.testing.assert_allclose(left.numpy(), expected, 1e-5)
        np.testing.assert_allclose(
            sparse.sparse_dense_matmul(a.real, sparse.from_dense(b.real), adjoint_a, adjoint_b).numpy(),
            (a.real.T if adjoint_a else a.real) @ (b.real.T if adjoint_b else b.real),
            1e-5,
        )

    def test_reductions(self) -> None:
        assert sparse.reduce_sum(made(), 0).numpy().tolist() == [1, 3, 6]
        assert sparse.reduce_sum(made()).numpy() == 10
        assert sparse.reduce_max(made(), 1, keepdims=True).numpy().tolist() == [[2], [0], [4]]
        assert parts(sparse.reduce_max(made(), 1, output_is_sparse=True)) == ([[0], [2]], [2, 4], [3])

    def test_by_element(self) -> None:
        other = sparse.from_dense(DENSE.T)
        assert dense(sparse.maximum(made(), other)) == np.maximum(DENSE, DENSE.T).tolist()
        assert dense(sparse.minimum(made(), other)) == np.minimum(DENSE, DENSE.T).tolist()
        np.testing.assert_allclose(
            sparse.softmax(made()).values.numpy(), [0.2689414, 0.7310586, 0.2689414, 0.7310586], 1e-6
        )
        assert dense(sparse.map_values(tf.multiply, made(), made())) == (DENSE**2).tolist()
        with pytest.raises(ValueError):
            sparse.map_values(tf.negative, DENSE)

    def test_sampled_addmm(self) -> None:
        mat1, mat2 = np.arange(1.0, 7).reshape(2, 3), np.arange(7.0, 13).reshape(3, 2)
        _, values, _ = sparse.sampled_addmm([[0, 0], [1, 1]], [0.5, 0.3], [2, 2], mat1, mat2, alpha=0.75, beta=0.25)
        np.testing.assert_allclose(values.numpy(), [43.625, 115.575], 1e-6)

    def test_gradients(self) -> None:
        start = made()
        with tf.GradientTape() as tape:
            values = start.values
            tape.watch(values)
            whole = start.with_values(values)
            filled, _ = sparse.fill_empty_rows(whole, 2.0)
            y = (
                2.0 * tf.reduce_sum(sparse.to_dense(sparse.slice(whole, [0, 0], [2, 3])))
                + tf.reduce_sum(sparse.reduce_sum(whole, 1) ** 2)
                + tf.reduce_sum(sparse.add(whole, DENSE) ** 2)
                + tf.reduce_sum(sparse.to_dense(filled) ** 2)
            )
        assert tape.gradient(y, values).numpy().tolist() == [14, 20, 32, 38]


class TestFeatures:
    def test_fill_empty_rows(self) -> None:
        filled, empty = sparse.fill_empty_rows(made(), 7.0)
        assert dense(filled) == [[1, 0, 2], [7, 0, 0], [0, 3, 4]]
        assert empty.numpy().tolist() == [False, True, False]

    def test_cross(self) -> None:
        numbers = SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([5, 6, 7]), [2, 2])
        words = tf.constant([["a", "b"], ["c", "d"]])
        assert parts(sparse.cross([numbers, words]))[1] == [
            b"5_X_a", b"5_X_b", b"6_X_a", b"6_X_b", b"7_X_c", b"7_X_d",
        ]  # fmt: skip
        assert parts(sparse.cross([words, words], separator="-"))[1][:2] == [b"a-a", b"a-b"]
        hashed = sparse.cross_hashed([numbers, words], num_buckets=10, hash_key=3)
        assert hashed.dense_shape.numpy().tolist() == [2, 4]
        assert all(0 <= value < 10 for value in hashed.values.numpy())

    def test_bincount(self) -> None:
        numbers = SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([5, 5, 1]), [2, 2])
        assert parts(sparse.bincount(numbers)) == ([[1], [5]], [1, 2], [6])
        assert parts(sparse.bincount(numbers, axis=-1, binary_output=True)) == ([[0, 5], [1, 1]], [1, 1], [2, 6])
        assert parts(sparse.bincount([1, 1, 3], maxlength=2)) == ([[1]], [2], [2])
        assert tf.math.bincount(numbers).numpy().tolist() == [0, 1, 0, 0, 0, 2]
        with pytest.raises(ValueError):
            sparse.bincount([1], weights=[1.0], binary_output=True)

    def test_segments(self) -> None:
        assert sparse.segment_mean(DENSE, [0, 2, 2], [0, 0, 1]).numpy().tolist() == [[0.5, 1.5, 3], [0, 3, 4]]
        assert sparse.segment_sum(DENSE, [0, 2], [0, 2], num_segments=4).numpy().tolist() == [
            [1, 0, 2], [0, 0, 0], [0, 3, 4], [0, 0, 0],
        ]  # fmt: skip
        with pytest.raises(tf.errors.InvalidArgumentError):
            sparse.segment_sum(DENSE, [3], [0])

    @pytest.mark.parametrize(
        ("combiner", "expected", "each"),
        [("sum", [[4, 6], [6, 8], [0, 0]], 1.0), ("mean", [[2, 3], [3, 4], [0, 0]], 0.5)],
    )
    def test_embeddings(self, combiner: str, expected: list[list[float]], each: float) -> None:
        table = tf.Variable([[-1.0, 0], [1, 2], [3, 4], [5, 6], [7, 8]])
        ids = SparseTensor([[0, 0], [0, 1], [1, 0], [1, 1]], tf.constant([1, 2, 0, 4], tf.int64), [3, 2])
        with tf.GradientTape() as tape:
            found = embeddings.safe_embedding_lookup_sparse(table, ids, combiner=combiner)
        assert found.numpy().tolist() == expected
        gradient = tape.gradient(found, table)
        assert tf.convert_to_tensor(gradient).numpy()[:, 0].tolist() == [each, each, each, 0, each]

    def test_weighted_embeddings(self) -> None:
        table = np.array([[1.0, 2], [3, 4], [5, 6]], np.float32)
        ids = SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([0, 2, 1], tf.int64), [2, 2])
        weights = ids.with_values([1.0, 3.0, 2.0])
        for combiner, row in (("sum", [16, 20]), ("mean", [4, 5]), ("sqrtn", [16 / 10**0.5, 20 / 10**0.5])):
            found = embeddings.embedding_lookup_sparse(table, ids, weights, combiner=combiner)
            np.testing.assert_allclose(found.numpy()[0], row, 1e-6)


def test_sets() -> None:
    first, second = [[1, 2, 2], [3, 1, 0]], [[2, 4], [3, 3]]
    assert parts(sets.union(first, second)) == (
        [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]], [1, 2, 4, 0, 1, 3], [2, 3],
    )  # fmt: skip
    assert parts(sets.intersection(first, second)) == ([[0, 0], [1, 0]], [2, 3], [2, 1])
    assert parts(sets.difference(first, second))[1] == [1, 0, 1]
    assert parts(sets.difference(first, second, aminusb=False))[1] == [4]
    given = SparseTensor([[0, 0], [0, 1], [1, 0], [1, 2]], tf.constant([2, 7, 3, 3]), [2, 3])
    assert sets.size(given).numpy().tolist() == [2, 1]
    assert parts(sets.difference(given, first))[1] == [7]
    with pytest.raises(TypeError):
        sets.size(first)
    with pytest.raises(TypeError):
        sets.union(first, [[1.0], [2.0]])


def test_as_strings() -> None:
    assert parts(tf.io.deserialize_many_sparse(tf.io.serialize_many_sparse(made()), tf.float32)) == parts(made())
    words = SparseTensor([[0, 1], [1, 2]], ["ab", "c"], [2, 3])
    written = tf.io.serialize_sparse(words)
    assert written.numpy()[1] == b'\x08\x07\x12\x04\x12\x02\x08\x02"\x05\x02\x01abc'
    two = tf.io.deserialize_many_sparse(tf.stack([written, written]), tf.string)
    assert parts(two) == ([[0, 0, 1], [0, 1, 2], [1, 0, 1], [1, 1, 2]], [b"ab", b"c"] * 2, [2, 2, 3])
    held = tf.io.serialize_sparse(words, tf.variant)
    assert parts(SparseTensor(*tf.raw_ops.DeserializeSparse(serialized_sparse=held, dtype="string"))) == parts(words)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.deserialize_many_sparse([[b"a", b"b", b"c"]], tf.float32)
