"""What the tests of the JAX backend share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from modtf import core as tf


@pytest.fixture(autouse=True)
def on_jax() -> Iterator[None]:
    """Every test computes with JAX unless it says otherwise."""
    with tf.backend("jax"):
        yield


@pytest.fixture
def same_as_numpy() -> Callable[..., Any]:
    """Runs a function without arguments with both backends, compares the results, and returns that of JAX."""

    def check(compute: Callable[[], Any], rtol: float = 1e-5, atol: float = 1e-6) -> Any:
        with tf.backend("numpy"):
            expected = tf.nest.flatten(compute())
        result = compute()
        given = tf.nest.flatten(result)
        assert len(given) == len(expected)
        for ours, theirs in zip(given, expected, strict=True):
            assert ours.dtype == theirs.dtype
            assert ours.shape == theirs.shape
            if ours.dtype.is_floating or ours.dtype.is_complex:
                np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol, atol)
            else:
                np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))
        return result

    return check
