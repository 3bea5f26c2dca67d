"""Functions of several tensors on ragged ones: joining, selecting, reducing. The expected values are what TensorFlow gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


JOINING: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.split(X, [1, 2]), ["[[1, 2, 2]] (1, None) int32 int64", "[[], [3]] (2, None) int32 int64"]),
    (lambda: tf.squeeze(C([[1, 2]]), 0), "[1, 2] (2,) int32"),
    (lambda: tf.squeeze(C([[1], [2]]), 1), "[1, 2] (2,) int32"),
    (lambda: tf.squeeze(C([[[1], [2]]]), [0, 2]), "[1, 2] (2,) int32"),
    (lambda: tf.concat([X], 0), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.stack([X, X]), "[[[1, 2, 2], [], [3]], [[1, 2, 2], [], [3]]] (2, None, None) int32 int64"),
    (lambda: tf.stack([X, X], 2), "[[[1, 1], [2, 2], [2, 2]], [], [[3, 3]]] (3, None, 2) int32 int64"),
    (lambda: tf.stack([X, [[1]]]), "[[[1, 2, 2], [], [3]], [[1]]] (2, None, None) int32 int64"),
    (lambda: tf.ragged.stack([[1, 2], [3]]), "[[1, 2], [3]] (2, None) int32 int32"),
    (lambda: tf.ragged.stack([1, 2]), "[1, 2] (2,) int32"),
    (lambda: tf.ragged.stack([[[1, 2], [3, 4]], [[5, 6]]]), "[[[1, 2], [3, 4]], [[5, 6]]] (2, None, None) int32 int64"),
    (
        lambda: tf.ragged.stack([tf.zeros([2, 3]), tf.zeros([2, 3])]),
        "[[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]] (2, None, None) float32 int64",
    ),
    (
        lambda: tf.tile(X, [2, 2]),
        "[[1, 2, 2, 1, 2, 2], [], [3, 3], [1, 2, 2, 1, 2, 2], [], [3, 3]] (6, None) int32 int64",
    ),
    (lambda: tf.expand_dims(X, 0), "[[[1, 2, 2], [], [3]]] (1, 3, None) int32 int64"),
    (lambda: tf.expand_dims(X, 1), "[[[1, 2, 2]], [[]], [[3]]] (3, 1, None) int32 int64"),
    (lambda: tf.expand_dims(X, 2), "[[[1], [2], [2]], [], [[3]]] (3, None, 1) int32 int64"),
    (lambda: tf.expand_dims(X, -1), "[[[1], [2], [2]], [], [[3]]] (3, None, 1) int32 int64"),
    (
        lambda: tf.expand_dims(A, 3),
        "[[[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]], [[[7.0], [8.0]]]] (2, None, 2, 1) float32 int64",
    ),
    (lambda: tf.reverse(X, [0, 1]), "[[3], [], [2, 2, 1]] (3, None) int32 int64"),
    (lambda: tf.concat([M, M], 0), "[[1, 2, 3], [4, 5, 6], [1, 2, 3], [4, 5, 6]] (4, None) int32 int64"),
    (lambda: tf.concat([M, M], 1), "[[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]] (2, None) int32 int64"),
    (lambda: tf.concat([M, X[:2]], 1), "[[1, 2, 3, 1, 2, 2], [4, 5, 6]] (2, None) int32 int64"),
    (lambda: tf.tile(M, [1, 2]), "[[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]] (2, None) int32 int64"),
    (
        lambda: tf.tile(U, [2, 1, 1]),
        "[[[1], [2, 3]], [[], [4, 5, 6]], [[1], [2, 3]], [[], [4, 5, 6]]] (4, None, None) int32 int64",
    ),
    (
        lambda: tf.tile(U, [1, 2, 1]),
        "[[[1], [2, 3], [1], [2, 3]], [[], [4, 5, 6], [], [4, 5, 6]]] (2, None, None) int32 int64",
    ),
    (lambda: tf.tile(U, [1, 1, 2]), "[[[1, 1], [2, 3, 2, 3]], [[], [4, 5, 6, 4, 5, 6]]] (2, None, None) int32 int64"),
    (lambda: tf.tile(X, [0, 1]), "[] (0, None) int32 int64"),
    (lambda: tf.tile(X, [1, 0]), "[[], [], []] (3, None) int32 int64"),
    (lambda: tf.reverse(U, [1]), "[[[2, 3], [1]], [[4, 5, 6], []]] (2, 2, None) int32 int64"),
    (
        lambda: tf.reverse(Z, [0, 2]),
        "[[[9, 8], [10]], [[7]], [[5], [], [6]], [[3, 2, 1], [4]]] (4, None, None) int32 int64",
    ),
    (
        lambda: tf.reverse(Z, [-1]),
        "[[[3, 2, 1], [4]], [[5], [], [6]], [[7]], [[9, 8], [10]]] (4, None, None) int32 int64",
    ),
    (
        lambda: tf.stack([U, U]),
        "[[[[1], [2, 3]], [[], [4, 5, 6]]], [[[1], [2, 3]], [[], [4, 5, 6]]]] (2, None, None, None) int32 int64",
    ),
    (lambda: tf.stack([M, M], 1), "[[[1, 2, 3], [1, 2, 3]], [[4, 5, 6], [4, 5, 6]]] (2, None, None) int32 int64"),
    (lambda: tf.squeeze(R.from_uniform_row_length(X, 1), 1), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.squeeze(X[None], 0), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.squeeze(X[..., None], -1), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.squeeze(X[..., None], 2), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.squeeze(C([[[1]], [[2]]]), [1, 2]), "[1, 2] (2,) int32"),
    (lambda: tf.squeeze(C([[[1]]]), [0, 1, 2]), "1 () int32"),
    (lambda: tf.squeeze(C([[[1, 2]]]), [0, 1]), "[1, 2] (2,) int32"),
    (
        lambda: tf.split(M, 3, axis=1),
        ["[[1], [4]] (2, 1) int32 int64", "[[2], [5]] (2, 1) int32 int64", "[[3], [6]] (2, 1) int32 int64"],
    ),
    (
        lambda: tf.split(U, 2, axis=1),
        ["[[[1]], [[]]] (2, 1, None) int32 int64", "[[[2, 3]], [[4, 5, 6]]] (2, 1, None) int32 int64"],
    ),
    (
        lambda: tf.split(U, [1, 1], axis=0),
        ["[[[1], [2, 3]]] (1, 2, None) int32 int64", "[[[], [4, 5, 6]]] (1, 2, None) int32 int64"],
    ),
    (
        lambda: tf.split(ZI, [1, 1], axis=2),
        ["[[[1], [3]], [[5]]] (2, None, 1) int32 int64", "[[[2], [4]], [[6]]] (2, None, 1) int32 int64"],
    ),
]
JOINING_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.split(A, 2, axis=1), (TypeError, ValueError)),
    (lambda: tf.split(X, 2), (TypeError, ValueError)),
    (lambda: tf.split(X, [1, -1]), (TypeError, ValueError)),
    (lambda: tf.squeeze(C([[1, 2]])), (TypeError, ValueError)),
    (lambda: tf.squeeze(X, 0), (TypeError, ValueError)),
    (lambda: tf.concat([X, X], 2), (TypeError, ValueError)),
    (lambda: tf.concat([X, tf.constant([1])], 0), (TypeError, ValueError)),
    (lambda: tf.concat([X, A], 0), (TypeError, ValueError)),
    (lambda: tf.ragged.stack([tf.constant([1, 2]), tf.constant([3])], axis=1), (TypeError, ValueError)),
    (lambda: tf.broadcast_to(X, [3, 3]), (TypeError, ValueError)),
    (lambda: tf.tile(X, [1]), (TypeError, ValueError)),
    (lambda: tf.split(X, 3, axis=-1), (TypeError, ValueError)),
]

SELECTING: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.where(X > 1), "[[0, 1], [0, 2], [2, 0]] (3, 2) int64"),
    (lambda: tf.where(X > 1, X, -X), "[[-1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.where([[True], [False], [True]], X, X), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.gather(X[::2], [[0], [0]], batch_dims=1), "[[1], [3]] (2, 1) int32"),
    (lambda: tf.gather(X, C([[0, 1], [], [0]]), batch_dims=1), "[[1, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.gather(tf.constant([10, 20, 30, 40]), X), "[[20, 30, 30], [], [40]] (3, None) int32 int64"),
    (lambda: tf.gather(A, [0], axis=1), "[[[1.0, 2.0]], [[7.0, 8.0]]] (2, 1, 2) float32"),
    (lambda: tf.gather(A, [0], axis=2), "[[[1.0], [3.0], [5.0]], [[7.0]]] (2, None, 1) float32 int64"),
    (lambda: tf.gather(X, 0), "[1, 2, 2] (3,) int32"),
    (lambda: tf.gather_nd(X, [[0, 1], [2, 0]]), "[2, 3] (2,) int32"),
    (lambda: tf.gather_nd(X, [[0], [2]]), "[[1, 2, 2], [3]] (2, None) int32 int64"),
    (lambda: tf.gather_nd(X, C([[[0, 1]], []], ragged_rank=1, inner_shape=(2,))), "[[2], []] (2, None) int32 int64"),
    (
        lambda: tf.dynamic_partition(X, [0, 1, 0], 2),
        ["[[1, 2, 2], [3]] (2, None) int32 int64", "[[]] (1, None) int32 int64"],
    ),
    (lambda: tf.dynamic_partition(X, C([[0, 1, 0], [], [1]]), 2), ["[1, 2] (2,) int32", "[2, 3] (2,) int32"]),
    (
        lambda: tf.ragged.stack_dynamic_partitions(X, [0, 1, 0], 2),
        "[[[1, 2, 2], [3]], [[]]] (2, None, None) int32 int64",
    ),
    (
        lambda: tf.ragged.boolean_mask([[1, 2, 3], [4, 5, 6]], [[True, False, True], [False, False, True]]),
        "[[1, 3], [6]] (2, None) int32 int64",
    ),
    (lambda: tf.ragged.boolean_mask(X, [True, False, True]), "[[1, 2, 2], [3]] (2, None) int32 int64"),
    (lambda: tf.ragged.boolean_mask(X, X > 1), "[[2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.ragged.boolean_mask([1, 2, 3], [True, False, True]), "[1, 3] (2,) int32"),
    (lambda: tf.gather(M, [1]), "[[4, 5, 6]] (1, None) int32 int64"),
]
SELECTING_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.where(C([True, False, True]), X, X), (TypeError, ValueError)),
    (lambda: tf.boolean_mask(X, X > 1), (TypeError, ValueError)),
    (lambda: tf.gather(X, [0, 2], axis=1), (TypeError, ValueError)),
    (lambda: tf.gather(X, 5), IndexError),
    (lambda: tf.gather(X, [5]), (TypeError, ValueError)),
]

REDUCING: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.math.cumsum(X), "[[1, 2, 2], [], [4]] (3, None) int32 int64"),
    (lambda: tf.math.cumsum(X, axis=1), "[[1, 3, 5], [], [3]] (3, None) int32 int64"),
    (lambda: tf.math.cumsum(X, axis=1, exclusive=True), "[[0, 1, 3], [], [0]] (3, None) int32 int64"),
    (lambda: tf.math.cumsum(X, axis=1, reverse=True), "[[5, 4, 2], [], [3]] (3, None) int32 int64"),
    (
        lambda: tf.math.cumsum(A, axis=2),
        "[[[1.0, 3.0], [3.0, 7.0], [5.0, 11.0]], [[7.0, 15.0]]] (2, None, 2) float32 int64",
    ),
    (
        lambda: tf.math.cumsum(A, axis=1),
        "[[[1.0, 2.0], [4.0, 6.0], [9.0, 12.0]], [[7.0, 8.0]]] (2, None, 2) float32 int64",
    ),
    (
        lambda: tf.math.cumsum(A, axis=0),
        "[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[8.0, 10.0]]] (2, None, 2) float32 int64",
    ),
    (
        lambda: tf.math.cumsum(A2, axis=1),
        "[[[1.0, 2.0], [4.0, 6.0], [9.0, 12.0]], [[7.0, 8.0]]] (2, None, None) float32 int64",
    ),
    (lambda: tf.reduce_mean(X), "2.0 () float64"),
    (lambda: tf.reduce_mean(X, axis=0), "[2.0, 2.0, 2.0] (3,) float64"),
    (lambda: tf.reduce_mean(X, axis=1), "[1.6666666666666667, nan, 3.0] (3,) float64"),
    (lambda: tf.reduce_sum(X, keepdims=True), "[[8]] (1, 1) int32"),
    (lambda: tf.reduce_sum(X, axis=[0, 1], keepdims=True), "[[8]] (1, 1) int32"),
    (lambda: tf.reduce_mean(X, axis=[0, 1]), "2.0 () float64"),
    (lambda: tf.reduce_max(X, axis=1), "[2, -2147483648, 3] (3,) int32"),
    (lambda: tf.reduce_any(X > 1, axis=1), "[True, False, True] (3,) bool"),
    (lambda: tf.reduce_all(X > 1), "False () bool"),
    (lambda: tf.reduce_sum(A2, axis=2), "[[3.0, 7.0, 11.0], [15.0]] (2, None) float32 int64"),
    (lambda: tf.reduce_sum(A2, axis=0), "[[8.0, 10.0], [3.0, 4.0], [5.0, 6.0]] (3, None) float32 int64"),
    (lambda: tf.reduce_sum(A2, axis=1), "[[9.0, 12.0], [7.0, 8.0]] (2, None) float32 int64"),
    (lambda: tf.reduce_sum(A2, axis=[1, 2]), "[21.0, 15.0] (2,) float32"),
    (lambda: tf.reduce_sum(A2, axis=1, keepdims=True), "[[[9.0, 12.0]], [[7.0, 8.0]]] (2, 1, None) float32 int64"),
    (lambda: tf.reduce_sum(A2, axis=[0, 2]), "[18.0, 7.0, 11.0] (3,) float32"),
    (lambda: tf.reduce_sum(X, axis=-1), "[5, 0, 3] (3,) int32"),
    (lambda: tf.reduce_sum(A, axis=2), "[[3.0, 7.0, 11.0], [15.0]] (2, None) float32 int64"),
    (lambda: tf.reduce_sum(Z), "55 () int32"),
    (lambda: tf.reduce_sum(Z, 0), "[[21, 11, 3], [14], [6]] (3, None) int32 int64"),
    (lambda: tf.reduce_sum(Z, 1), "[[5, 2, 3], [11], [7], [18, 9]] (4, None) int32 int64"),
    (lambda: tf.reduce_sum(Z, 2), "[[6, 4], [5, 0, 6], [7], [17, 10]] (4, None) int32 int64"),
    (lambda: tf.reduce_sum(Z, [0, 1]), "[41, 11, 3] (3,) int32"),
    (lambda: tf.reduce_sum(Z, [1, 2]), "[10, 11, 7, 27] (4,) int32"),
    (
        lambda: tf.reduce_sum(Z, [-1], keepdims=True),
        "[[[6], [4]], [[5], [0], [6]], [[7]], [[17], [10]]] (4, None, 1) int32 int64",
    ),
    (lambda: tf.reduce_sum(Z, 1, keepdims=True), "[[[5, 2, 3]], [[11]], [[7]], [[18, 9]]] (4, 1, None) int32 int64"),
    (lambda: tf.reduce_mean(Z, 1), "[[2.5, 2.0, 3.0], [5.5], [7.0], [9.0, 9.0]] (4, None) float64 int64"),
    (lambda: tf.reduce_mean(Z, [1, 2]), "[2.5, 5.5, 7.0, 9.0] (4,) float64"),
    (lambda: tf.reduce_prod(Z, 2), "[[6, 4], [5, 1, 6], [7], [72, 10]] (4, None) int32 int64"),
    (lambda: tf.reduce_min(Z, 2), "[[1, 4], [5, 2147483647, 6], [7], [8, 10]] (4, None) int32 int64"),
    (lambda: tf.reduce_max(U, 1), "[[2, 3], [4, 5, 6]] (2, None) int32 int64"),
    (lambda: tf.reduce_mean(ZI, 1), "[[2.0, 3.0], [5.0, 6.0]] (2, 2) float64"),
    (lambda: tf.reduce_mean(ZI, 2), "[[1.5, 3.5], [5.5]] (2, None) float64 int64"),
    (lambda: tf.reduce_mean(ZI, [1, 2]), "[2.5, 5.5] (2,) float64"),
    (lambda: tf.reduce_mean(tf.cast(ZI, tf.float32), 0), "[[3.0, 4.0], [3.0, 4.0]] (2, 2) float32"),
    (lambda: tf.reduce_any(Z > 2, 2), "[[True, True], [True, False, True], [True], [True, True]] (4, None) bool int64"),
    (lambda: tf.reduce_all(Z > 2, 1), "[[False, False, True], [True], [True], [True, True]] (4, None) bool int64"),
    (lambda: tf.reduce_sum(C([[], []], dtype=tf.int32), 1), "[0, 0] (2,) int32"),
    (lambda: tf.reduce_sum(C([[], []], dtype=tf.int32), 0), "[] (0,) int32"),
    (lambda: tf.reduce_max(X, axis=-1, keepdims=True), "[[2], [-2147483648], [3]] (3, 1) int32"),
    (lambda: tf.reduce_sum(X, axis=[]), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.reduce_mean(X, axis=[1], keepdims=True), "[[1.6666666666666667], [nan], [3.0]] (3, 1) float64"),
    (lambda: tf.cumsum(Z, 2), "[[[1, 3, 6], [4]], [[5], [], [6]], [[7]], [[8, 17], [10]]] (4, None, None) int32 int64"),
    (
        lambda: tf.cumsum(Z, 0),
        "[[[1, 2, 3], [4]], [[6], [], [6]], [[13]], [[21, 11], [14]]] (4, None, None) int32 int64",
    ),
    (
        lambda: tf.cumsum(Z, 1, reverse=True),
        "[[[5, 2, 3], [4]], [[11], [], [6]], [[7]], [[18, 9], [10]]] (4, None, None) int32 int64",
    ),
    (
        lambda: tf.cumsum(Z, 0, exclusive=True),
        "[[[0, 0, 0], [0]], [[1], [], [0]], [[6]], [[13, 2], [4]]] (4, None, None) int32 int64",
    ),
]
REDUCING_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.reduce_sum(X, axis=5), (TypeError, ValueError)),
    (lambda: tf.ragged.map_flat_values(tf.reduce_sum, X), (TypeError, ValueError)),
    (lambda: tf.math.segment_sum(X, [0, 0, 1]), (TypeError, ValueError)),
]


@pytest.mark.parametrize(("call", "expected"), [*JOINING, *SELECTING, *REDUCING])
def test_results(call: Callable[[], Any], expected: Any) -> None:
    assert shown(call()) == expected


@pytest.mark.parametrize(("call", "error"), [*JOINING_ERRORS, *SELECTING_ERRORS, *REDUCING_ERRORS])
def test_refused(call: Callable[[], Any], error: Any) -> None:
    with pytest.raises(error):
        call()
