"""Operators and functions of elements on ragged tensors. The expected values are what TensorFlow gives."""

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


OPERATORS: list[tuple[Callable[[], Any], Any]] = [
    (
        lambda: tf.nn.embedding_lookup(tf.constant([[1.0], [2.0], [3.0], [4.0]]), X),
        "[[[2.0], [3.0], [3.0]], [], [[4.0]]] (3, None, 1) float32 int64",
    ),
    (lambda: U + 1, "[[[2], [3, 4]], [[], [5, 6, 7]]] (2, 2, None) int32 int64"),
    (lambda: U + U, "[[[2], [4, 6]], [[], [8, 10, 12]]] (2, 2, None) int32 int64"),
    (lambda: M + tf.constant([1, 2, 3]), "[[2, 4, 6], [5, 7, 9]] (2, 3) int32 int64"),
    (lambda: M + tf.constant([[1], [2]]), "[[2, 3, 4], [6, 7, 8]] (2, 3) int32 int64"),
    (lambda: U + tf.constant([[[1]], [[2]]]), "[[[2], [3, 4]], [[], [6, 7, 8]]] (2, 2, None) int32 int64"),
    (lambda: X + tf.constant([[1], [2], [3]]), "[[2, 3, 3], [], [6]] (3, None) int32 int64"),
    (lambda: X + tf.constant([[[1]], [[2]]]), "[[[2, 3, 3], [], [4]], [[3, 4, 4], [], [5]]] (2, 3, None) int32 int64"),
    (lambda: 2**X, "[[2, 4, 4], [], [8]] (3, None) int32 int64"),
    (lambda: X // 2, "[[0, 1, 1], [], [1]] (3, None) int32 int64"),
    (lambda: X % 2, "[[1, 0, 0], [], [1]] (3, None) int32 int64"),
    (lambda: 7 // X, "[[7, 3, 3], [], [2]] (3, None) int32 int64"),
    (lambda: 7 % X, "[[0, 1, 1], [], [1]] (3, None) int32 int64"),
    (lambda: X - 1, "[[0, 1, 1], [], [2]] (3, None) int32 int64"),
    (lambda: 1 - X, "[[0, -1, -1], [], [-2]] (3, None) int32 int64"),
    (lambda: 3 / X, "[[3.0, 1.5, 1.5], [], [1.0]] (3, None) float64 int64"),
    (lambda: ~(X > 1), "[[True, False, False], [], [False]] (3, None) bool int64"),
    (lambda: (X > 1) & (X < 3), "[[False, True, True], [], [False]] (3, None) bool int64"),
    (lambda: (X > 1) | True, "[[True, True, True], [], [True]] (3, None) bool int64"),
    (lambda: (X > 1) ^ (X > 2), "[[False, True, True], [], [False]] (3, None) bool int64"),
    (lambda: abs(-X), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: X < 2, "[[True, False, False], [], [False]] (3, None) bool int64"),
    (lambda: X <= 2, "[[True, True, True], [], [False]] (3, None) bool int64"),
    (lambda: X != 2, "[[True, False, False], [], [True]] (3, None) bool int64"),
    (lambda: X != None, "True"),  # noqa: E711
    (lambda: tf.constant([[1], [2], [3]]) < X, "[[False, True, True], [], [False]] (3, None) bool int64"),
    (lambda: tf.constant([[2], [2], [2]]) != X, "[[True, False, False], [], [True]] (3, None) bool int64"),
    (
        lambda: tf.constant([[True], [True], [False]]) ^ (X > 1),
        "[[True, False, False], [], [True]] (3, None) bool int64",
    ),
    (lambda: ZI + tf.constant([10, 20]), "[[[11, 22], [13, 24]], [[15, 26]]] (2, None, 2) int32 int64"),
    (lambda: tf.constant([10, 20]) * ZI, "[[[10, 40], [30, 80]], [[50, 120]]] (2, None, 2) int32 int64"),
    (lambda: ZI + tf.constant([[[10]], [[20]]]), "[[[11, 12], [13, 14]], [[25, 26]]] (2, None, 2) int32 int64"),
    (lambda: ZI + C([[1, 2], [3]])[..., None], "[[[2, 3], [5, 6]], [[8, 9]]] (2, None, 2) int32 int64"),
]
OPERATORS_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: M + X[:2], (TypeError, ValueError)),
    (lambda: Z + C([[1], [2], [3], [4]]), (TypeError, ValueError)),
    (lambda: Z + C([[[1]], [[2]], [[3]], [[4]]], ragged_rank=1), (TypeError, ValueError)),
    (lambda: X + tf.constant(1.0), (TypeError, ValueError)),
    (lambda: X + 1.5, (TypeError, ValueError)),
    (lambda: X**2.0, (TypeError, ValueError)),
    (lambda: tf.constant([[1.0], [2.0], [3.0]]) @ X, (TypeError, ValueError)),
    (lambda: ZI + tf.constant([[10], [20]]), (TypeError, ValueError)),
    (lambda: ZI + C([[1, 2], [3]]), (TypeError, ValueError)),
]

ELEMENTWISE: list[tuple[Callable[[], Any], Any]] = [
    (
        lambda: tf.RaggedTensorSpec([2, None], tf.int32),
        "RaggedTensorSpec(TensorShape([2, None]), tf.int32, 1, tf.int64)",
    ),
    (
        lambda: tf.matmul(A2, A2, transpose_b=True),
        "[[[5.0, 11.0, 17.0], [11.0, 25.0, 39.0], [17.0, 39.0, 61.0]], [[113.0]]] (2, None, None) float32 int64",
    ),
    (
        lambda: tf.matmul(A2, A2, transpose_a=True),
        "[[[35.0, 44.0], [44.0, 56.0]], [[49.0, 56.0], [56.0, 64.0]]] (2, None, None) float32 int64",
    ),
    (
        lambda: tf.matmul(C([[1.0, 2], [3.0, 4]]), C([[1.0, 2], [3.0, 4.0]])),
        "[[7.0, 10.0], [15.0, 22.0]] (2, 2) float32",
    ),
    (lambda: tf.reshape(X, [-1]), "[1, 2, 2, 3] (4,) int32"),
    (lambda: tf.reshape(X, [2, 2]), "[[1, 2], [2, 3]] (2, 2) int32"),
    (lambda: tf.rank(X), "2 () int32"),
    (lambda: tf.size(X), "4 () int32"),
    (lambda: tf.ones_like(X, dtype=tf.float32), "[[1.0, 1.0, 1.0], [], [1.0]] (3, None) float32 int64"),
    (lambda: tf.ragged.map_flat_values(tf.multiply, X, 2), "[[2, 4, 4], [], [6]] (3, None) int32 int64"),
    (lambda: tf.add_n([X, X]), "[[2, 4, 4], [], [6]] (3, None) int32 int64"),
    (lambda: tf.clip_by_value(X, 2, 2), "[[2, 2, 2], [], [2]] (3, None) int32 int64"),
    (lambda: tf.cast(X, tf.float32), "[[1.0, 2.0, 2.0], [], [3.0]] (3, None) float32 int64"),
    (lambda: tf.identity(X), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.equal(X, X), "[[True, True, True], [], [True]] (3, None) bool int64"),
    (lambda: tf.math.abs(X), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.maximum(X, 2), "[[2, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.math.pow(x=X, y=2), "[[1, 4, 4], [], [9]] (3, None) int32 int64"),
    (lambda: tf.add(1, X), "[[2, 3, 3], [], [4]] (3, None) int32 int64"),
    (lambda: tf.add(x=1, y=X), "[[2, 3, 3], [], [4]] (3, None) int32 int64"),
    (
        lambda: tf.math.divide_no_nan(tf.cast(X, tf.float32), 0.0),
        "[[0.0, 0.0, 0.0], [], [0.0]] (3, None) float32 int64",
    ),
    (lambda: tf.nn.relu(X), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (
        lambda: tf.nn.leaky_relu(tf.cast(X, tf.float32), alpha=0.1),
        "[[1.0, 2.0, 2.0], [], [3.0]] (3, None) float32 int64",
    ),
    (lambda: tf.nn.relu(features=X), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.clip_by_value(X, 1, 2), "[[1, 2, 2], [], [2]] (3, None) int32 int64"),
    (lambda: tf.math.squared_difference(X, 1), "[[0, 1, 1], [], [4]] (3, None) int32 int64"),
    (lambda: tf.cast(X, dtype=tf.bool), "[[True, True, True], [], [True]] (3, None) bool int64"),
    (lambda: tf.saturate_cast(X, tf.uint8), "[[1, 2, 2], [], [3]] (3, None) uint8 int64"),
    (lambda: tf.bitwise.invert(X), "[[-2, -3, -3], [], [-4]] (3, None) int32 int64"),
    (lambda: tf.bitwise.left_shift(X, 1), "[[2, 4, 4], [], [6]] (3, None) int32 int64"),
    (
        lambda: tf.complex(tf.cast(X, tf.float32), 1.0),
        "[[(1+1j), (2+1j), (2+1j)], [], [(3+1j)]] (3, None) complex64 int64",
    ),
    (lambda: tf.math.logical_not(X > 1), "[[True, False, False], [], [False]] (3, None) bool int64"),
    (lambda: tf.math.add_n([X, X, X]), "[[3, 6, 6], [], [9]] (3, None) int32 int64"),
    (lambda: tf.math.add_n([X]), "[[1, 2, 2], [], [3]] (3, None) int32 int64"),
    (lambda: tf.zeros_like(X), "[[0, 0, 0], [], [0]] (3, None) int32 int64"),
    (lambda: tf.zeros_like(X, tf.float64), "[[0.0, 0.0, 0.0], [], [0.0]] (3, None) float64 int64"),
    (lambda: tf.round(tf.cast(X, tf.float32) / 2), "[[0.0, 1.0, 1.0], [], [2.0]] (3, None) float32 int64"),
    (lambda: tf.scalar_mul(2, X), "[[2, 4, 4], [], [6]] (3, None) int32 int64"),
    (
        lambda: tf.one_hot(X, 4, on_value=5, off_value=2, axis=2),
        "[[[2, 5, 2, 2], [2, 2, 5, 2], [2, 2, 5, 2]], [], [[2, 2, 2, 5]]] (3, None, 4) int32 int64",
    ),
    (
        lambda: tf.one_hot(X, 4, dtype=tf.int32),
        "[[[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]], [], [[0, 0, 0, 1]]] (3, None, 4) int32 int64",
    ),
    (lambda: tf.size(X, out_type=tf.int64), "4 () int64"),
    (lambda: tf.rank(Z), "3 () int32"),
    (lambda: tf.math.is_nan(tf.cast(X, tf.float32)), "[[False, False, False], [], [False]] (3, None) bool int64"),
    (lambda: tf.math.real(tf.cast(X, tf.complex64)), "[[1.0, 2.0, 2.0], [], [3.0]] (3, None) float32 int64"),
    (lambda: tf.math.equal(X, [[1], [2], [3]]), "[[True, False, False], [], [True]] (3, None) bool int64"),
    (lambda: tf.math.logical_xor(X > 1, X > 2), "[[False, True, True], [], [False]] (3, None) bool int64"),
]
ELEMENTWISE_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: tf.matmul(A2[0], A2[0]), (TypeError, ValueError)),
    (lambda: tf.matmul(C([[1.0, 2], [3]]), C([[1.0, 2], [3]])), (TypeError, ValueError)),
    (lambda: tf.one_hot(X, 4, axis=1), (TypeError, ValueError)),
    (lambda: tf.transpose(X), (TypeError, ValueError)),
    (lambda: tf.fill([2], X), (TypeError, ValueError)),
    (lambda: tf.math.count_nonzero(X), (TypeError, ValueError)),
]


@pytest.mark.parametrize(("call", "expected"), [*OPERATORS, *ELEMENTWISE])
def test_results(call: Callable[[], Any], expected: Any) -> None:
    assert shown(call()) == expected


@pytest.mark.parametrize(("call", "error"), [*OPERATORS_ERRORS, *ELEMENTWISE_ERRORS])
def test_refused(call: Callable[[], Any], error: Any) -> None:
    with pytest.raises(error):
        call()
