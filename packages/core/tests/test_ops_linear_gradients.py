"""Gradients of the ops that only move elements.

Such an op is linear, f(x) = Jx, so that its gradient is right if and only if sum(f(x) * w) == sum(x * J'w) for any w;
and the gradient's own gradient if J'w is linear in the same way.
"""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.api import array, selecting

raw = tf.raw_ops

CASES = {
    "reshape": (lambda x: array.reshape(x, [4, -1]), (2, 3, 4)),
    "expand_dims": (lambda x: array.expand_dims(x, -2), (2, 3)),
    "squeeze": (lambda x: array.squeeze(x, [0, -1]), (1, 3, 1)),
    "transpose": (lambda x: array.transpose(x, [2, 0, 1]), (2, 3, 4)),
    "broadcast_to": (lambda x: array.broadcast_to(x, [4, 2, 3]), (2, 1)),
    "ensure_shape": (lambda x: array.ensure_shape(x, [None, 3]), (2, 3)),
    "concat": (lambda x: array.concat([x, x[:1], x], 0), (2, 3)),
    "stack": (lambda x: array.stack([x, x], 1), (2, 3)),
    "unstack": (lambda x: array.unstack(x, 3, axis=1)[1], (2, 3)),
    "split": (lambda x: array.split(x, 3, axis=1)[2], (2, 6)),
    "split by lengths": (lambda x: array.split(x, [1, -1, 2], axis=1)[1], (2, 6)),
    "getitem": (lambda x: x[1:, ..., None, ::-2], (3, 2, 4)),
    "getitem, element": (lambda x: x[-1, :, 2], (3, 2, 4)),
    "slice": (lambda x: selecting.slice(x, [1, 0], [-1, 2]), (3, 4)),
    "gather": (lambda x: selecting.gather(x, [[2, 0], [2, 2]]), (3, 4)),
    "gather, axis": (lambda x: selecting.gather(x, [[1, 0], [1, 1]], axis=1), (2, 3, 4)),
    "gather, batch": (lambda x: selecting.gather(x, [[1, 0], [2, 2]], axis=2, batch_dims=1), (2, 2, 3)),
    "gather_nd": (lambda x: selecting.gather_nd(x, [[0, 1], [1, 2], [0, 1]]), (2, 3, 4)),
    "gather_nd, batch": (lambda x: selecting.gather_nd(x, [[1], [2]], batch_dims=1), (2, 3, 4)),
    "scatter_nd": (lambda x: selecting.scatter_nd([[1], [3], [1]], x, [4, 2]), (3, 2)),
    "tensor_scatter_nd_update": (lambda x: selecting.tensor_scatter_nd_update(x, [[0], [2]], x[1:3] * 2.0), (4, 2)),
    "tensor_scatter_nd_add": (lambda x: selecting.tensor_scatter_nd_add(x, [[2], [2]], x[:2]), (4, 2)),
    "tensor_scatter_nd_sub": (lambda x: selecting.tensor_scatter_nd_sub(x, [[2], [2]], x[:2]), (4, 2)),
    "boolean_mask": (lambda x: selecting.boolean_mask(x, [[True, False], [True, True]], axis=1), (3, 2, 2)),
    "pad": (lambda x: tf.pad(x, [[1, 2], [0, 3]]), (2, 3)),
    "pad, reflect": (lambda x: tf.pad(x, [[1, 2], [0, 3]], "REFLECT"), (3, 4)),
    "pad, symmetric": (lambda x: tf.pad(x, [[3, 2], [0, 4]], "SYMMETRIC"), (3, 4)),
    "tile": (lambda x: tf.tile(x, [2, 3]), (2, 3)),
    "repeat": (lambda x: tf.repeat(x, [2, 0, 1], axis=1), (2, 3)),
    "reverse": (lambda x: tf.reverse(x, [0, -1]), (2, 3, 4)),
    "reverse_sequence": (lambda x: tf.reverse_sequence(x, [2, 0, 3], seq_axis=1), (3, 4)),
    "roll": (lambda x: tf.roll(x, [1, -2, 2], [0, 1, 0]), (3, 4)),
    "fill": (lambda x: array.fill([2, 3], x[1]), (3,)),
    "space_to_batch": (lambda x: tf.space_to_batch(x, [2, 2], [[1, 0], [0, 2]]), (1, 3, 4, 2)),
    "batch_to_space": (lambda x: tf.batch_to_space(x, [2, 2], [[0, 1], [1, 0]]), (4, 2, 3, 1)),
    "SpaceToDepth": (lambda x: raw.SpaceToDepth(x, block_size=2), (1, 4, 2, 3)),
    "SpaceToDepth, NCHW": (lambda x: raw.SpaceToDepth(x, block_size=2, data_format="NCHW"), (1, 3, 4, 2)),
    "DepthToSpace": (lambda x: raw.DepthToSpace(x, block_size=2), (1, 2, 3, 8)),
    "DepthToSpace, NCHW": (lambda x: raw.DepthToSpace(x, block_size=2, data_format="NCHW"), (1, 8, 2, 3)),
    "MatrixBandPart": (lambda x: raw.MatrixBandPart(x, 1, 0), (2, 3, 4)),
    "MatrixDiagV3": (lambda x: raw.MatrixDiagV3(x, [-1, 1], 4, 4, 0.0, align="LEFT_RIGHT"), (3, 4)),
    "MatrixDiagPartV3": (lambda x: raw.MatrixDiagPartV3(x, [-1, 2], 0.0), (2, 3, 4)),
    "MatrixSetDiagV3": (lambda x: raw.MatrixSetDiagV3(x, x[..., 0], 0), (2, 3, 4)),
    "Diag": (raw.Diag, (2, 3)),
    "DiagPart": (raw.DiagPart, (2, 3, 2, 3)),
}


def numbers(shape: tuple[int, ...], seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).normal(size=shape))


def adjoint(f, x: tf.Tensor, w: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tf.convert_to_tensor(tape.gradient(y, x, w))  # that of gathering rows is of the rows


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_adjoint(name: str) -> None:
    f, shape = CASES[name]
    x, v = numbers(shape), numbers(shape, 1)
    y = np.asarray(f(x))
    w = numbers(y.shape, 2)
    gradient = np.asarray(adjoint(f, x, w))
    assert gradient.shape == shape
    np.testing.assert_allclose(np.sum(np.asarray(x) * gradient), np.sum(y * np.asarray(w)), rtol=1e-12)
    # J'w is linear in w; its adjoint is J again.
    with tf.GradientTape() as tape:
        tape.watch(w)
        back = adjoint(f, x, w)
    np.testing.assert_allclose(tape.gradient(back, w, v), f(v), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "known"),
    [(name, known) for name in CASES for known in ("shape", "rank", "nothing")],
)
def test_traced_gradient_is_the_eager_one(name: str, known: str) -> None:
    f, shape = CASES[name]
    x = numbers(shape)
    y = f(x)
    w = numbers(tuple(y.shape), 2)
    spec = {"shape": shape, "rank": [None] * len(shape), "nothing": None}[known]
    signature = [tf.TensorSpec(spec, tf.float64), tf.TensorSpec(None, tf.float64)]
    traced = tf.function(lambda x, w: (f(x), adjoint(f, x, w)), input_signature=signature)
    again, gradient = traced(x, w)
    np.testing.assert_array_equal(again, y)
    np.testing.assert_allclose(gradient, adjoint(f, x, w), rtol=1e-12)
    inside = traced.get_concrete_function().structured_outputs[0].shape
    assert inside.is_compatible_with(y.shape)


@pytest.mark.parametrize("op, better", [("max", np.maximum), ("min", np.minimum)])
def test_extremes_share_their_gradient(op: str, better) -> None:
    tensor, updates = tf.constant([1.0, 5.0, 2.0, 3.0]), tf.constant([5.0, 4.0, 4.0])
    scatter = getattr(selecting, f"tensor_scatter_nd_{op}")
    with tf.GradientTape() as tape:
        tape.watch([tensor, updates])
        result = scatter(tensor, [[1], [2], [2]], updates)
    expected = np.array([1.0, 5.0, 2.0, 3.0])
    better.at(expected, [1, 2, 2], [5.0, 4.0, 4.0])
    np.testing.assert_array_equal(result, expected)
    to_tensor, to_updates = tape.gradient(result, [tensor, updates], tf.constant([1.0, 2.0, 6.0, 8.0]))
    shared = {"max": ([1, 1, 0, 8], [1, 3, 3]), "min": ([1, 1, 6, 8], [1, 0, 0])}[op]
    np.testing.assert_array_equal(to_tensor, np.array(shared[0], np.float32))
    np.testing.assert_array_equal(to_updates, np.array(shared[1], np.float32))
