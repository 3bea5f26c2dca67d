"""Functions with gradients of their own, in SavedModels exchanged with TensorFlow."""

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
    variable = tf.Variable(2.0)

    @tf.custom_gradient
    def clipped(x: Any) -> Any:
        return x * 3.0, lambda flowing: tf.clip_by_norm(flowing, 0.5)

    @tf.custom_gradient
    def scaled(x: Any) -> Any:
        y = x * variable

        def gradient(flowing: Any, variables: Any = None) -> Any:
            return flowing * 10.0 * y * variable, [flowing * x * 7.0]

        return y, gradient

    class Gradients(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.variable = variable

        @tf.function(input_signature=[tf.TensorSpec(None)])
        def clip(self, x: Any) -> Any:
            return clipped(x)

        @tf.function(input_signature=[tf.TensorSpec(None)])
        def scale(self, x: Any) -> Any:
            return scaled(x + 1.0) * 2.0

        @tf.function(input_signature=[tf.TensorSpec([])])
        def branch(self, x: Any) -> Any:
            if x > 0.0:
                y = clipped(x)
            else:
                y = x
            return y * y

        @tf.function(input_signature=[tf.TensorSpec([])])
        def both(self, x: Any) -> Any:
            return self.scale(self.clip(x))

    return Gradients()


def answers(tf: Any, root: Any) -> list[Any]:
    found = []
    for name in ("clip", "scale", "branch", "both"):
        x = tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = getattr(root, name)(x)
        found += [y.numpy(), *(None if item is None else item.numpy() for item in tape.gradient(y, [x, root.variable]))]
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_custom_gradients_travel(backend: str, tmp_path: Path) -> None:
    with tf.backend(backend):
        expected = answers(oracle, model(oracle))
        assert answers(tf, model(tf)) == expected
        assert 0.5 in expected and 56.0 in expected  # not what the functions' own gradients would be
        oracle.saved_model.save(model(oracle), str(tmp_path / "theirs"))
        saved_model.save(model(tf), tmp_path / "ours")
        saved_model.save(saved_model.load(tmp_path / "theirs"), tmp_path / "again")
        for name in ("theirs", "ours", "again"):
            assert answers(tf, saved_model.load(tmp_path / name)) == expected
            assert answers(oracle, oracle.saved_model.load(str(tmp_path / name))) == expected


def test_they_can_be_left_out(tmp_path: Path) -> None:
    oracle.saved_model.save(
        model(oracle),
        str(tmp_path / "theirs"),
        options=oracle.saved_model.SaveOptions(experimental_custom_gradients=False),
    )
    options = saved_model.SaveOptions(experimental_custom_gradients=False)
    saved_model.save(model(tf), tmp_path / "ours", options=options)
    for name in ("theirs", "ours"):
        root, x = saved_model.load(tmp_path / name), tf.constant(3.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = root.clip(x)
        np.testing.assert_array_equal(tape.gradient(y, x).numpy(), 3.0)
