"""Making ragged tensors and converting them; their shapes. The expected values are what TensorFlow gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modtf import core as tf

R = tf.RaggedTensor
C = tf.ragged.constant
X = C([[1, 2, 2], [], [3]])
Z = C([[[1, 2, 3], [4]], [[5], [], [6]], [[7]], [[8, 9], [10]]])
ZI = C([[[1, 2], [3, 4]], [[5, 6]]], ragged_rank=1)
M = R.from_tensor([[1, 2, 3], [4, 5, 6]])
U = R.from_uniform_row_length(R.from_row_splits([1, 2, 3, 4, 5, 6], [0, 1, 3, 3, 6]), 2)
A = C([[[1.0, 2], [3, 4], [5, 6]], [[7, 8]]], ragged_rank=1)
A2 = C([[[1.0, 2], [3, 4], [5, 6]], [[7, 8]]])


def shown(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if isinstance(value, tf.SparseTensor):
        return shown([value.indices, value.values, value.dense_shape])
    if isinstance(value, tf.RaggedTensor):
        return f"{value.to_list()} {value.shape} {value.dtype.name} {value.row_splits.dtype.name}"
    return f"{value.numpy().tolist()} {value.shape} {value.dtype.name}" if isinstance(value, tf.Tensor) else repr(value)


MAKING: list[tuple[Callable[[], Any], Any]] = [
    (lambda: R.from_row_splits([1, 2, 3], np.array([0, 1, 3], np.int32)), "[[1], [2, 3]] (2, None) int32 int32"),
    (lambda: R.from_row_splits([1, 2, 3], tf.constant([0, 1, 3], tf.int32)), "[[1], [2, 3]] (2, None) int32 int32"),
    (lambda: R.from_uniform_row_length([1, 2, 3, 4], 2), "[[1, 2], [3, 4]] (2, 2) int32 int64"),
    (lambda: R.from_uniform_row_length([], 0), "[] (0, 0) float32 int64"),
    (lambda: R.from_uniform_row_length([], 0, nrows=3), "[[], [], []] (3, 0) float32 int64"),
    (lambda: R.from_row_starts([1, 2, 3], [0, 2]), "[[1, 2], [3]] (2, None) int32 int64"),
    (lambda: R.from_row_limits([1, 2, 3], [0, 2, 3]), "[[], [1, 2], [3]] (3, None) int32 int64"),
    (lambda: R.from_tensor([[1, 2], [3, 4]]), "[[1, 2], [3, 4]] (2, 2) int32 int64"),
    (lambda: R.from_tensor([[1, 2], [3, 4]]).uniform_row_length, "2 () int64"),
    (lambda: R.from_tensor([[[1, 2], [3, 4]]], ragged_rank=2), "[[[1, 2], [3, 4]]] (1, 2, 2) int32 int64"),
    (lambda: R.from_tensor([[[1, 0], [0, 0]]], ragged_rank=2, padding=0), "[[[1], []]] (1, 2, None) int32 int64"),
    (lambda: R.from_tensor([[1, 2], [3, 4]], lengths=[1, 5]), "[[1], [3, 4]] (2, None) int32 int64"),
    (lambda: tf.ragged.constant([]), "[] (0,) float32"),
    (lambda: tf.ragged.constant([[]]), "[[]] (1, None) float32 int64"),
    (lambda: tf.ragged.constant([[], []], dtype=tf.string), "[[], []] (2, None) string int64"),
    (lambda: tf.ragged.constant(5), "5 () int32"),
    (lambda: tf.ragged.constant([1, 2]), "[1, 2] (2,) int32"),
    (lambda: tf.ragged.constant([[1, 2], [3.5]]), "[[1.0, 2.0], [3.5]] (2, None) float32 int64"),
    (
        lambda: tf.ragged.constant([[[1, 2], [3, 4]], [[5, 6]]], inner_shape=(2,)),
        "[[[1, 2], [3, 4]], [[5, 6]]] (2, None, 2) int32 int64",
    ),
    (
        lambda: tf.ragged.constant([[[1, 2], [3, 4]], [[5, 6]]], ragged_rank=1),
        "[[[1, 2], [3, 4]], [[5, 6]]] (2, None, 2) int32 int64",
    ),
    (
        lambda: tf.ragged.constant([[1], [2, 3]], dtype=tf.float32, row_splits_dtype=tf.int32),
        "[[1.0], [2.0, 3.0]] (2, None) float32 int32",
    ),
    (lambda: tf.ragged.constant([[[]], []]), "[[[]], []] (2, None, None) float32 int64"),
    (lambda: tf.ragged.constant([[[1, 2]], []]), "[[[1, 2]], []] (2, None, None) int32 int64"),
    (lambda: tf.ragged.range([3, 0, 2]), "[[0, 1, 2], [], [0, 1]] (3, None) int32 int64"),
    (lambda: tf.ragged.range(3), "[[0, 1, 2]] (1, None) int32 int64"),
    (lambda: tf.ragged.range([0, 5], [3, 2], [1, -1]), "[[0, 1, 2], [5, 4, 3]] (2, None) int32 int64"),
    (lambda: tf.ragged.range([0.5], [3.0]), "[[0.5, 1.5, 2.5]] (1, None) float32 int64"),
    (lambda: tf.ragged.segment_ids_to_row_splits([0, 0, 2]), "[0, 2, 2, 3] (4,) int64"),
    (lambda: tf.ragged.row_splits_to_segment_ids([0, 2, 2, 3]), "[0, 0, 2] (3,) int64"),
    (lambda: tf.ragged.row_splits_to_segment_ids(tf.constant([0, 2, 2, 3])), "[0, 0, 2] (3,) int32"),
    (lambda: tf.ragged.constant([[1]]).numpy(), "array([[1]], dtype=int32)"),
    (lambda: R.from_sparse(X.to_sparse()), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
]
MAKING_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: R.from_row_splits([1, 2, 3], [0, 1, 2]), (TypeError, ValueError)),
    (lambda: R.from_row_splits([1, 2, 3], [0, 2, 1, 3]), (TypeError, ValueError)),
    (lambda: R.from_row_splits([1, 2, 3], [1, 3]), (TypeError, ValueError)),
    (lambda: R.from_row_lengths([1, 2, 3], [1, 1]), (TypeError, ValueError)),
    (lambda: R.from_row_lengths([1, 2, 3], [4, -1]), (TypeError, ValueError)),
    (lambda: R.from_value_rowids([1, 2, 3], [0, 1, 0]), (TypeError, ValueError)),
    (lambda: R.from_value_rowids([1, 2, 3], [0, 1, 2], nrows=2), (TypeError, ValueError)),
    (lambda: R.from_row_splits([1, 2, 3], [0.0, 3.0]), (TypeError, ValueError)),
    (lambda: R.from_row_splits([1, 2, 3], []), (TypeError, ValueError)),
    (lambda: R.from_uniform_row_length([1, 2, 3], 2), (TypeError, ValueError)),
    (lambda: R.from_tensor([1, 2]), (TypeError, ValueError)),
    (lambda: R.from_tensor([[1, 2]], ragged_rank=0), (TypeError, ValueError)),
    (lambda: R.from_tensor([[1, 2]], padding=0, lengths=[1]), (TypeError, ValueError)),
    (lambda: tf.ragged.constant([[1, 2], 3]), (TypeError, ValueError)),
    (lambda: tf.ragged.constant([[[1, 2], [3, 4]], [[5]]], ragged_rank=1), (TypeError, ValueError)),
    (lambda: tf.ragged.constant([[1, 2], [3]], ragged_rank=0), (TypeError, ValueError)),
    (lambda: tf.ragged.segment_ids_to_row_splits([0.0]), (TypeError, ValueError)),
    (lambda: Z * R.from_tensor([[[1], [2]]]), (TypeError, ValueError)),
]

VALUES: list[tuple[Callable[[], Any], Any]] = [
    (lambda: X.merge_dims(0, 1), "[1, 2, 2, 3] (4,) int32"),
    (lambda: A.merge_dims(1, 2), "[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [7.0, 8.0]] (2, None) float32 int64"),
    (lambda: A.merge_dims(0, 2), "[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0] (8,) float32"),
    (lambda: A2.merge_dims(0, 1), "[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]] (4, None) float32 int64"),
    (lambda: X.with_values([1.0, 2, 3, 4]), "[[1.0, 2.0, 3.0], [], [4.0]] (3, None) float32 int64"),
    (lambda: X.with_flat_values([1.0, 2, 3, 4]), "[[1.0, 2.0, 3.0], [], [4.0]] (3, None) float32 int64"),
    (lambda: X.with_row_splits_dtype(tf.int32), "[[1, 2, 2], [], [3]] (3, None) int32 int32"),
    (
        lambda: X.to_sparse(),
        ["[[0, 0], [0, 1], [0, 2], [2, 0]] (4, 2) int64", "[1, 2, 2, 3] (4,) int32", "[3, 3] (2,) int64"],
    ),
    (lambda: X.to_tensor(9, shape=[2, 5]), "[[1, 2, 2, 9, 9], [9, 9, 9, 9, 9]] (2, 5) int32"),
    (lambda: X.to_tensor(shape=[None, 1]), "[[1], [0], [3]] (3, 1) int32"),
    (
        lambda: A.to_tensor(default_value=[1.0, 2.0]),
        "[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0, 8.0], [1.0, 2.0], [1.0, 2.0]]] (2, 3, 2) float32",
    ),
    (lambda: X.uniform_row_length, "None"),
    (lambda: A.bounding_shape(), "[2, 3, 2] (3,) int64"),
    (lambda: A.row_lengths(2), "[[2, 2, 2], [2]] (2, None) int64 int64"),
    (lambda: A2.row_lengths(2), "[[2, 2, 2], [2]] (2, None) int64 int64"),
    (lambda: A2.nested_value_rowids(), ["[0, 0, 0, 1] (4,) int64", "[0, 0, 1, 1, 2, 2, 3, 3] (8,) int64"]),
]
VALUES_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: X.with_values([1.0]), (TypeError, ValueError)),
]

SHAPES: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.broadcast_to(tf.constant([[1], [2], [3]]), tf.shape(X)), "[[1, 1, 1], [], [3]] (3, None) int32 int32"),
    (lambda: tf.broadcast_to(3, tf.shape(X)), "[[3, 3, 3], [], [3]] (3, None) int32 int32"),
    (
        lambda: tf.experimental.DynamicRaggedShape([tf.experimental.RowPartition.from_row_lengths([5, 3, 2])], [10, 8]),
        "<DynamicRaggedShape lengths=[3, (5, 3, 2), 8] num_row_partitions=1>",
    ),
    (
        lambda: tf.experimental.DynamicRaggedShape.from_lengths([4, (2, 1, 0, 8), 12]),
        "<DynamicRaggedShape lengths=[4, (2, 1, 0, 8), 12] num_row_partitions=1>",
    ),
    (
        lambda: tf.experimental.DynamicRaggedShape.from_lengths([3, 2, 4]),
        "<DynamicRaggedShape lengths=[3, 2, 4] num_row_partitions=0>",
    ),
    (
        lambda: tf.experimental.DynamicRaggedShape.from_lengths([3, 2, 4], num_row_partitions=1),
        "<DynamicRaggedShape lengths=[3, 2, 4] num_row_partitions=1>",
    ),
    (lambda: tf.shape(A), "<DynamicRaggedShape lengths=[2, (3, 1), 2] num_row_partitions=1>"),
    (lambda: tf.shape(X).dtype, "tf.int32"),
    (lambda: tf.shape(A)[2], "2 () int32"),
    (lambda: tf.shape(A)[-1], "2 () int32"),
    (lambda: tf.shape(A)[:2], "<DynamicRaggedShape lengths=[2, (3, 1)] num_row_partitions=1>"),
    (lambda: tf.experimental.RowPartition.from_row_lengths([5, 3, 2]), "tf.RowPartition(row_splits=[ 0  5  8 10])"),
    (
        lambda: tf.experimental.RowPartition.from_uniform_row_length(2, 6),
        "tf.RowPartition(nrows=3, uniform_row_length=2)",
    ),
    (lambda: tf.reshape(tf.range(4), tf.shape(X)), "[[0, 1, 2], [], [3]] (3, None) int32 int32"),
    (lambda: tf.zeros(tf.shape(X)), "[[0.0, 0.0, 0.0], [], [0.0]] (3, None) float32 int32"),
    (
        lambda: tf.broadcast_dynamic_shape(tf.shape(X), tf.constant([3, 1])),
        "<DynamicRaggedShape lengths=[3, (3, 0, 1)] num_row_partitions=1>",
    ),
    (lambda: tf.ones(tf.shape(X), tf.int32), "[[1, 1, 1], [], [1]] (3, None) int32 int32"),
    (lambda: tf.fill(tf.shape(X), "x"), "[[b'x', b'x', b'x'], [], [b'x']] (3, None) string int32"),
    (lambda: tf.shape(X).rank, "2"),
    (lambda: tf.shape(X).inner_shape, "[4] (1,) int32"),
    (lambda: tf.shape(X).row_partitions, ["tf.RowPartition(row_splits=[0 3 3 4])"]),
    (lambda: tf.shape(X).static_lengths(), ["3", ["3", "0", "1"]]),
]
SHAPES_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.shape(A)[1:], (TypeError, ValueError)),
]


@pytest.mark.parametrize(("call", "expected"), [*MAKING, *VALUES, *SHAPES])
def test_results(call: Callable[[], Any], expected: Any) -> None:
    assert shown(call()) == expected


@pytest.mark.parametrize(("call", "error"), [*MAKING_ERRORS, *VALUES_ERRORS, *SHAPES_ERRORS])
def test_refused(call: Callable[[], Any], error: Any) -> None:
    with pytest.raises(error):
        call()
