"""Functions that take and give ragged and sparse tensors and slices, in SavedModels exchanged with TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as oracle

from modtf import core as tf
from modtf import saved_model

BACKENDS = tf.config.list_backends()


def model(tf: Any) -> Any:
    class Composites(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable(3.0)

        @tf.function(
            input_signature=[
                tf.RaggedTensorSpec([None, None], tf.float32),
                tf.SparseTensorSpec([None, 3], tf.float32),
            ]
        )
        def both(self, x: Any, s: Any) -> Any:
            return {"ragged": x * self.weight, "sparse": s, "dense": tf.sparse.to_dense(s) * self.weight}

        @tf.function
        def grow(self, x: Any, *, training: bool = False) -> Any:
            return x * self.weight

        @tf.function
        def slices(self, pair: Any) -> Any:
            first, second = pair
            return [tf.IndexedSlices(first.values * second, first.indices, first.dense_shape), (None, first.indices)]

    made = Composites()
    for spec in (
        tf.RaggedTensorSpec([None, None, None], tf.float32, row_splits_dtype=tf.int32),
        tf.RaggedTensorSpec([2, None, 3], tf.float32, ragged_rank=1),
        tf.TensorSpec([None], tf.float32),
    ):
        made.grow.get_concrete_function(spec)
    made.slices.get_concrete_function((tf.IndexedSlicesSpec([None, 2], tf.float32), tf.TensorSpec([], tf.float32)))
    return made


def answers(tf: Any, root: Any) -> list[Any]:
    ragged, sparse = (
        tf.ragged.constant([[1.0, 2.0], [], [3.0]]),
        tf.sparse.from_dense([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]]),
    )
    both = root.both(ragged, sparse)
    deep = root.grow(tf.ragged.constant([[[1.0], []], [[2.0, 3.0]]], row_splits_dtype=tf.int32))
    uniform = root.grow(tf.ragged.constant([[[1.0, 2.0, 3.0]], []], ragged_rank=1, inner_shape=(3,)))
    slices, (nothing, indices) = root.slices(
        (tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([5], tf.int64)), tf.constant(2.0))
    )
    with tf.GradientTape() as tape:
        tape.watch(ragged.flat_values)
        total = tf.reduce_sum(root.both(ragged, sparse)["ragged"].flat_values)
    return [
        both["ragged"].to_list(), both["sparse"].indices.numpy(), both["sparse"].values.numpy(), both["dense"].numpy(),
        deep.to_list(), deep.row_splits.dtype.name, uniform.to_list(), uniform.shape.as_list(),
        root.grow(tf.constant([1.0])).numpy(), slices.values.numpy(), slices.indices.numpy(), nothing, indices.numpy(),
        *[gradient.numpy() for gradient in tape.gradient(total, [ragged.flat_values, root.weight])],
    ]  # fmt: skip


def serve(tf: Any, root: Any) -> list[Any]:
    """Calls the signature, whose arguments are the parts of the composites."""
    ragged, sparse = tf.ragged.constant([[1.0], [2.0, 3.0]]), tf.sparse.from_dense([[1.0, 0.0, 4.0]])
    parts = {"s": sparse.indices, "s_1": sparse.values, "s_2": sparse.dense_shape}
    given = root.signatures["serving_default"](x=ragged.values, x_1=ragged.row_splits, **parts)
    return [given["ragged"].to_list(), given["dense"].numpy(), tf.sparse.to_dense(given["sparse"]).numpy()]


def assert_same(actual: list[Any], expected: list[Any]) -> None:
    assert len(actual) == len(expected)
    for ours, theirs in zip(actual, expected, strict=True):
        if isinstance(theirs, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, strict=True)
        else:
            assert ours == theirs


def test_tensorflow_takes_composites_with_what_we_save(tmp_path: Path) -> None:
    saved_model.save(model(tf), tmp_path)
    loaded = oracle.saved_model.load(str(tmp_path))
    assert_same(answers(oracle, loaded), answers(oracle, model(oracle)))
    assert_same(serve(oracle, loaded), serve(tf, saved_model.load(tmp_path)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_we_take_composites_with_what_tensorflow_saves(backend: str, tmp_path: Path) -> None:
    oracle.saved_model.save(model(oracle), str(tmp_path))
    expected = answers(oracle, model(oracle)), serve(oracle, oracle.saved_model.load(str(tmp_path)))
    with tf.backend(backend):
        loaded = saved_model.load(tmp_path)
        assert_same(answers(tf, loaded), expected[0])
        assert_same(serve(tf, loaded), expected[1])
        saved_model.save(loaded, tmp_path / "again", signatures=dict(loaded.signatures))
    again = oracle.saved_model.load(str(tmp_path / "again"))
    assert_same(answers(oracle, again), expected[0])
    assert_same(serve(oracle, again), expected[1])


def test_signatures_of_composites_are_described_as_tensorflow_does(tmp_path: Path) -> None:
    saved_model.save(model(tf), tmp_path / "ours")
    oracle.saved_model.save(model(oracle), str(tmp_path / "theirs"))
    ours, theirs = (
        oracle.saved_model.load(str(tmp_path / name)).signatures["serving_default"] for name in ("ours", "theirs")
    )
    assert ours.structured_input_signature == theirs.structured_input_signature
    for name in ("ragged", "sparse"):
        assert ours.structured_outputs[name] == theirs.structured_outputs[name]
