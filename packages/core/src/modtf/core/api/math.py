"""Mathematics: all that `tf.math` has."""

from modtf.core.api import elementwise, reductions, segments, special
from modtf.core.api.elementwise import *
from modtf.core.api.nn import (
    in_top_k,
    l2_normalize,
    log_softmax,
    sigmoid,
    softmax,
    softplus,
    softsign,
    tanh,
    top_k,
    zero_fraction,
)  # fmt: skip
from modtf.core.api.reductions import *
from modtf.core.api.segments import *
from modtf.core.api.sorting import approx_max_k, approx_min_k, invert_permutation, sobol_sample
from modtf.core.api.special import bessel_i0, bessel_i0e, bessel_i1, bessel_i1e, betainc, igamma, igammac

_ALSO_AT_TOP_LEVEL = {"realdiv", "truncatediv", "truncatemod", "cast", "complex", "saturate_cast"}
__all__ = [  # noqa: PLE0604 (they are strings)
    *sorted({*elementwise.__all__, *reductions.__all__, *segments.__all__} - _ALSO_AT_TOP_LEVEL),
    "approx_max_k", "approx_min_k", "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "betainc", "igamma", "igammac",
    "in_top_k", "invert_permutation", "l2_normalize", "log_softmax", "sigmoid", "sobol_sample", "softmax", "softplus",
    "softsign", "special", "tanh", "top_k", "zero_fraction",
]  # fmt: skip
