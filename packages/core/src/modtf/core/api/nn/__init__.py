"""Neural networks (`tf.nn`)."""

from typing import Any

from modtf.core.api.nn import (
    activations,
    ctc,
    experimental,
    losses,
    normalization,
    pooling,
    rows,
    sampling,
    sliding,
    statistics,
)
from modtf.core.api.nn.activations import *
from modtf.core.api.nn.ctc import *
from modtf.core.api.nn.losses import *
from modtf.core.api.nn.normalization import *
from modtf.core.api.nn.pooling import *
from modtf.core.api.nn.rows import *
from modtf.core.api.nn.sampling import *
from modtf.core.api.nn.sliding import *
from modtf.core.api.nn.statistics import *
from modtf.core.api.rearranging import space_to_batch
from modtf.core.api.sorting import approx_max_k, approx_min_k

__all__ = [  # noqa: PLE0604 (they are strings)
    *activations.__all__, *ctc.__all__, *losses.__all__, *normalization.__all__, *pooling.__all__, *rows.__all__,
    *sampling.__all__, *sliding.__all__, *statistics.__all__, "approx_max_k", "approx_min_k", "experimental",
    "space_to_batch",
]  # fmt: skip

_LAZY = frozenset({"embedding_lookup_sparse", "safe_embedding_lookup_sparse"})
"""Functions on sparse tensors, which are imported when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from modtf.core.api.nn import embeddings

    return getattr(embeddings, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
