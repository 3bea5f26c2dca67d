"""`tf.random.experimental`: older names of what `tf.random` has, and shuffling by a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.random.algorithms import Algorithm
from modtf.core.api.random.generators import Generator, create_rng_state, get_global_generator, set_global_generator
from modtf.core.api.random.stateless import fold_in as stateless_fold_in
from modtf.core.api.random.stateless import split as stateless_split
from modtf.core.api.random.stateless import stateless_shuffle
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "Algorithm", "Generator", "create_rng_state", "get_global_generator", "index_shuffle", "set_global_generator",
    "stateless_fold_in", "stateless_shuffle", "stateless_split",
]  # fmt: skip

_FIRST_OF_SEED = 498247692


def index_shuffle(index: Any, seed: Any, max_index: Any) -> Tensor:
    """Returns where an index goes in a permutation of [0, max_index], without making the permutation.

    Args:
        index: Scalar or vector integers in [0, max_index].
        seed: Two integers for each permutation, [2] or [n, 2].
        max_index: The largest index, of the dtype of `index`.

    Returns:
        A scalar; a vector if any of the arguments has more than one element for it.
    """
    seeds = convert_to_tensor(seed)
    paddings = np.array([*[[0, 0]] * ((seeds.ndim or 1) - 1), [1, 0]], np.int32)
    first = convert_to_tensor(_FIRST_OF_SEED, seeds.dtype)
    return raw.RandomIndexShuffle(index, raw.PadV2(seeds, paddings, first), max_index, rounds=4)
