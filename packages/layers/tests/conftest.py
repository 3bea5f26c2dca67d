from __future__ import annotations

import numpy as np
import pytest
from golden_cases import GOLDENS

from modtf import core as tf
from modtf.layers import utils

BACKENDS = [name for name in ("numpy", "jax") if name in tf.config.list_backends()]


@pytest.fixture(params=BACKENDS)
def backend(request):
    """Each of the backends that are installed."""
    with tf.backend(request.param):
        yield request.param


@pytest.fixture(autouse=True)
def fresh_names_and_seeds():
    utils.clear_session()
    utils.set_random_seed(0)


@pytest.fixture(scope="session")
def goldens():
    """The arrays that Keras wrote, by family and name."""
    return {path.stem: dict(np.load(path)) for path in GOLDENS.glob("*.npz")}
