"""Indexing and slicing of ragged tensors. The expected values are what TensorFlow gives."""

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


INDEXING: list[tuple[Callable[[], Any], Any]] = [
    (lambda: M[::2], "[[1, 2, 3]] (1, 3) int32 int64"),
    (lambda: M[:1], "[[1, 2, 3]] (1, 3) int32 int64"),
    (lambda: M[:, ::2], "[[1, 3], [4, 6]] (2, 2) int32 int64"),
    (lambda: M[:, 1:], "[[2, 3], [5, 6]] (2, 2) int32 int64"),
    (lambda: M[:, 1], "[2, 5] (2,) int32"),
    (lambda: M[:, -1], "[3, 6] (2,) int32"),
    (lambda: U[:, 0], "[[1], []] (2, None) int32 int64"),
    (lambda: U[:, 1], "[[2, 3], [4, 5, 6]] (2, None) int32 int64"),
    (lambda: U[:, 1, :1], "[[2], [4]] (2, None) int32 int64"),
    (lambda: U[1], "[[], [4, 5, 6]] (2, None) int32 int64"),
    (lambda: U[1, 1], "[4, 5, 6] (3,) int32"),
    (lambda: U[:, :, 1:], "[[[], [3]], [[], [5, 6]]] (2, 2, None) int32 int64"),
    (lambda: U[:, 0:1], "[[[1]], [[]]] (2, 1, None) int32 int64"),
    (lambda: U[1:, 0], "[[]] (1, None) int32 int64"),
    (lambda: U[:, ::-1], "[[[2, 3], [1]], [[4, 5, 6], []]] (2, 2, None) int32 int64"),
    (lambda: M[:, None], "[[[1, 2, 3]], [[4, 5, 6]]] (2, 1, 3) int32 int64"),
    (lambda: U[..., None], "[[[[1]], [[2], [3]]], [[], [[4], [5], [6]]]] (2, 2, None, 1) int32 int64"),
    (lambda: U[..., :1], "[[[1], [2]], [[], [4]]] (2, 2, None) int32 int64"),
    (lambda: U[..., 0, :], "[[1], []] (2, None) int32 int64"),
    (lambda: U[:, tf.constant(1)], "[[2, 3], [4, 5, 6]] (2, None) int32 int64"),
    (lambda: U[tf.constant(1)], "[[], [4, 5, 6]] (2, None) int32 int64"),
    (lambda: Z[1], "[[5], [], [6]] (3, None) int32 int64"),
    (lambda: Z[3, 0], "[8, 9] (2,) int32"),
    (lambda: Z[:, 1:3], "[[[4]], [[], [6]], [], [[10]]] (4, None, None) int32 int64"),
    (lambda: Z[:, -1:], "[[[4]], [[6]], [[7]], [[10]]] (4, None, None) int32 int64"),
    (lambda: Z[:, :, :1], "[[[1], [4]], [[5], [], [6]], [[7]], [[8], [10]]] (4, None, None) int32 int64"),
    (lambda: Z[1:3, ::-1, 1:], "[[[], [], []], [[]]] (2, None, None) int32 int64"),
    (lambda: Z[..., 1:], "[[[2, 3], []], [[], [], []], [[]], [[9], []]] (4, None, None) int32 int64"),
    (lambda: Z[-1, ...], "[[8, 9], [10]] (2, None) int32 int64"),
    (lambda: Z[:, None, 1:], "[[[[4]]], [[[], [6]]], [[]], [[[10]]]] (4, 1, None, None) int32 int64"),
    (lambda: Z[None, 1, None], "[[[[5], [], [6]]]] (1, 1, 3, None) int32 int64"),
    (lambda: Z[1:1], "[] (0, None, None) int32 int64"),
    (lambda: Z[5:], "[] (0, None, None) int32 int64"),
    (lambda: Z[-2:, 1:], "[[], [[10]]] (2, None, None) int32 int64"),
    (lambda: Z[::-2], "[[[8, 9], [10]], [[5], [], [6]]] (2, None, None) int32 int64"),
    (lambda: Z[:, 2:0:-1], "[[[4]], [[6], []], [], [[10]]] (4, None, None) int32 int64"),
    (lambda: Z[:, :-1], "[[[1, 2, 3]], [[5], []], [], [[8, 9]]] (4, None, None) int32 int64"),
    (lambda: Z[:, -3:-1], "[[[1, 2, 3]], [[5], []], [], [[8, 9]]] (4, None, None) int32 int64"),
    (lambda: Z[[0, 1]], "[4] (1,) int32"),
    (lambda: Z[(0, 0, 1)], "2 () int32"),
    (lambda: Z[..., ...], "[[[1, 2, 3], [4]], [[5], [], [6]], [[7]], [[8, 9], [10]]] (4, None, None) int32 int64"),
    (lambda: Z[1:, tf.constant(0) : tf.constant(1)], "[[[5]], [[7]], [[8, 9]]] (3, None, None) int32 int64"),
    (lambda: ZI[:, 1:, 0], "[[3], []] (2, None) int32 int64"),
    (lambda: ZI[:, :, 0], "[[1, 3], [5]] (2, None) int32 int64"),
    (lambda: ZI[:, :, ::-1], "[[[2, 1], [4, 3]], [[6, 5]]] (2, None, 2) int32 int64"),
    (lambda: ZI[0, 1, 1], "4 () int32"),
    (lambda: ZI[..., -1], "[[2, 4], [6]] (2, None) int32 int64"),
    (lambda: ZI[:, :, None, 0], "[[[1], [3]], [[5]]] (2, None, 1) int32 int64"),
    (lambda: ZI[:, None, :, 0], "[[[1, 3]], [[5]]] (2, 1, None) int32 int64"),
    (lambda: Z[0 : tf.constant(2)], "[[[1, 2, 3], [4]], [[5], [], [6]]] (2, None, None) int32 int64"),
    (lambda: Z[:, 100:], "[[], [], [], []] (4, None, None) int32 int64"),
    (lambda: Z[1, None], "[[[5], [], [6]]] (1, 3, None) int32 int64"),
    (lambda: Z[1, :, None], "[[[5]], [[]], [[6]]] (3, 1, None) int32 int64"),
]
INDEXING_ERRORS: list[tuple[Callable[[], Any], Any]] = [
    (lambda: M[:, 5], IndexError),
    (lambda: Z[0, 0, 1, 0], (TypeError, ValueError)),
    (lambda: Z[-5], IndexError),
    (lambda: Z[:, 0], (TypeError, ValueError)),
    (lambda: Z[True], (TypeError, ValueError)),
    (lambda: Z[tf.constant([0])], (TypeError, ValueError)),
    (lambda: Z[::0], (TypeError, ValueError)),
    (lambda: Z[:, ::0], (TypeError, ValueError)),
]


@pytest.mark.parametrize(("call", "expected"), [*INDEXING])
def test_results(call: Callable[[], Any], expected: Any) -> None:
    assert shown(call()) == expected


@pytest.mark.parametrize(("call", "error"), [*INDEXING_ERRORS])
def test_refused(call: Callable[[], Any], error: Any) -> None:
    with pytest.raises(error):
        call()
