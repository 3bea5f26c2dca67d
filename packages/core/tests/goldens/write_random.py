"""Writes random.npz, TensorFlow's draws for the cases in random_cases.py.

pip install tensorflow-cpu==2.21.* && python goldens/write_random.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import random_cases  # noqa: E402


def plain(value: np.ndarray) -> np.ndarray:
    """bfloat16 as the float32 numbers that it holds, for .npz files know no bfloat16."""
    return value.astype(np.float32) if value.dtype == tf.bfloat16.as_numpy_dtype else value


def main() -> None:
    drawn = {}
    groups = {
        "stateless": random_cases.stateless(tf.raw_ops, lambda draw: tf.function(draw, jit_compile=True)()),
        "seeded": random_cases.seeded(tf, tf.random),
        "generators": random_cases.generators(tf, tf.random),
    }
    for group, cases in groups.items():
        for name, value in cases:
            drawn[f"{group}/{name}"] = plain(np.asarray(value.numpy()))
    np.savez_compressed(HERE / "random.npz", **drawn)


if __name__ == "__main__":
    main()
