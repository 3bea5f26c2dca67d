"""Whole training runs against Keras: same data, first weights and order of batches."""

from __future__ import annotations

import golden_cases as cases
import numpy as np
import pytest

from modtf import layers as keras


@pytest.mark.parametrize("name", cases.training_runs())
def test_loss_curves(name, backend, goldens):
    golden = goldens["training"]
    model, history = cases.train(keras, name)
    figures = {key.split("/")[1] for key in golden if key.startswith(f"{name}/") and "/weight/" not in key}
    assert set(history) == figures
    for figure in figures:
        np.testing.assert_allclose(history[figure], golden[f"{name}/{figure}"], rtol=1e-4, atol=1e-5, err_msg=figure)
    for index, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, golden[f"{name}/weight/{index}"], rtol=1e-3, atol=1e-4)
