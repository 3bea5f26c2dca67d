"""Models of modtf, trained by TensorFlow and its Keras: variables and gradients have to be the same as here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as oracle
from written import Model, numbers
from written_computing import affine, einsum, linear_algebra
from written_control import mapped, tensor_arrays, while_loop

from modtf import core as tf
from modtf import layers, saved_model


def assert_close(actual: Any, expected: Any) -> None:
    assert len(actual) == len(expected)
    for theirs, ours in zip(actual, expected, strict=True):
        scale = np.max(np.abs(ours), initial=0)
        np.testing.assert_allclose(np.asarray(theirs), np.asarray(ours), rtol=1e-5, atol=1e-5 * scale)


def network() -> Any:
    tf.random.set_seed(1)
    made = layers.Sequential(
        [layers.Dense(5, "tanh"), layers.BatchNormalization(), layers.Dropout(0.0), layers.Dense(2)]
    )
    made(tf.constant(numbers(4, 3)))
    return made


def trained(library: Any, made: Any) -> list[Any]:
    """Losses of some steps of gradient descent, and what the network gives then."""
    x, y = library.constant(numbers(6, 3, seed=2)), library.constant(numbers(6, 2, seed=3))
    losses = []
    for _ in range(3):
        with library.GradientTape() as tape:
            loss = library.reduce_mean((made(x, training=True) - y) ** 2)
        weights = list(made.trainable_variables)
        for weight, gradient in zip(weights, tape.gradient(loss, weights), strict=True):
            weight.assign_sub(0.1 * gradient)
        losses.append(loss)
    return [*losses, made(x, training=False)]


@pytest.mark.parametrize("reader", ["load", "hub", "tf_keras"])
def test_a_network_is_trained_as_here(reader: str, tmp_path: Path) -> None:
    import tensorflow_hub

    made = network()
    saved_model.save(made, tmp_path / "model")
    if reader == "tf_keras":
        theirs = tensorflow_hub.KerasLayer(str(tmp_path / "model"), trainable=True)
        theirs(numbers(4, 3))
    else:
        theirs = (oracle.saved_model if reader == "load" else tensorflow_hub).load(str(tmp_path / "model"))
    assert len(theirs.trainable_variables) == len(made.trainable_variables) == 6
    assert_close(trained(oracle, theirs), trained(tf, made))


def gradients(library: Any, root: Any, x: np.ndarray) -> list[Any]:
    """The gradients of all that a function gives, with respect to its argument and the module's variables."""
    tensor = library.constant(x)
    variables = [getattr(root, name) for name in ("weight", "weights", "kernel", "bias") if hasattr(root, name)]
    variables = [item for held in variables for item in (held if isinstance(held, (list, tuple)) else [held])]
    with library.GradientTape() as tape:
        tape.watch(tensor)
        outputs = library.nest.flatten(root.run(tensor))
        loss = library.add_n([library.reduce_sum(item * item) for item in outputs if item.dtype == library.float32])
    return [item for item in tape.gradient(loss, [tensor, *variables]) if item is not None]


@pytest.mark.parametrize("make", [affine, einsum, linear_algebra, mapped, tensor_arrays, while_loop])
def test_tensorflow_differentiates_what_it_loads(make: Callable[[Any], Model], tmp_path: Path) -> None:
    model = make(tmp_path)
    saved_model.save(model.module, tmp_path / "model")
    x = model.calls[0][1][0]
    expected = gradients(tf, model.module, x)
    assert expected
    assert_close(gradients(oracle, oracle.saved_model.load(str(tmp_path / "model")), x), expected)
