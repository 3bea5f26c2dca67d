"""Random numbers (`tf.random`): TensorFlow's own, from the same seeds.

Three kinds of function: `stateless_*` are functions of a seed; the `Generator`'s methods move a position on that a variable
holds; `uniform`, `normal` and their like take seeds from `set_seed` and go on where they stopped.
"""

from __future__ import annotations

from modtf.core.api.random import experimental
from modtf.core.api.random.algorithms import Algorithm
from modtf.core.api.random.candidates import (
    all_candidate_sampler,
    fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler,
    uniform_candidate_sampler,
)  # fmt: skip
from modtf.core.api.random.generators import (
    Generator,
    create_rng_state,
    get_global_generator,
    set_global_generator,
)  # fmt: skip
from modtf.core.api.random.seeded import categorical, gamma, normal, poisson, shuffle, truncated_normal, uniform
from modtf.core.api.random.seeds import op_seeds, set_seed
from modtf.core.api.random.stateless import (
    fold_in,
    split,
    stateless_binomial,
    stateless_categorical,
    stateless_gamma,
    stateless_normal,
    stateless_parameterized_truncated_normal,
    stateless_poisson,
    stateless_truncated_normal,
    stateless_uniform,
)  # fmt: skip

__all__ = [
    "Algorithm", "Generator", "all_candidate_sampler", "categorical", "create_rng_state", "experimental",
    "fixed_unigram_candidate_sampler", "fold_in", "gamma", "get_global_generator", "learned_unigram_candidate_sampler",
    "log_uniform_candidate_sampler", "normal", "op_seeds", "poisson",
    "set_global_generator", "set_seed", "shuffle", "split", "stateless_binomial", "stateless_categorical",
    "stateless_gamma", "stateless_normal", "stateless_parameterized_truncated_normal", "stateless_poisson",
    "stateless_truncated_normal", "stateless_uniform", "truncated_normal", "uniform", "uniform_candidate_sampler",
]  # fmt: skip
