"""Small helpers (`keras.utils`)."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.layers import naming

__all__ = ["clear_session", "set_random_seed", "to_categorical"]


def set_random_seed(seed: int) -> None:
    """Seeds all generators that layers draw from: Python's, NumPy's and `tf.random`'s.

    Args:
        seed: An integer from 0 to 2**32 - 1.
    """
    if not isinstance(seed, int):
        raise ValueError(f"The seed must be an integer; got {seed!r}.")
    random.seed(seed)
    np.random.seed(seed)
    tf.random.set_seed(seed)


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Returns one-hot rows for class numbers.

    Args:
        x: Integers of any shape; a last axis of size 1 is dropped.
        num_classes: The size of a row; by default the greatest number plus one.

    Returns:
        A float32 array of the shape of `x` with a last axis of size `num_classes`.
    """
    classes = np.asarray(x, dtype="int64")
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    size = int(classes.max()) + 1 if num_classes is None else num_classes
    return np.eye(size, dtype="float32")[classes]


def clear_session() -> None:
    """Starts the numbering of automatic names (`dense`, `dense_1`, ...) anew."""
    naming.reset()
