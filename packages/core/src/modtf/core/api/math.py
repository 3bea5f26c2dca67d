"""Mathematics: all that `tf.math` has."""

from modtf.core.api import elementwise, reductions, segments
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

_ALSO_AT_TOP_LEVEL = {"realdiv", "truncatediv", "truncatemod", "cast", "complex", "saturate_cast"}
__all__ = [  # noqa: PLE0604 (they are strings)
    *sorted({*elementwise.__all__, *reductions.__all__, *segments.__all__} - _ALSO_AT_TOP_LEVEL),
    "in_top_k", "l2_normalize", "log_softmax", "sigmoid", "softmax", "softplus", "softsign", "tanh", "top_k",
    "zero_fraction",
]  # fmt: skip
