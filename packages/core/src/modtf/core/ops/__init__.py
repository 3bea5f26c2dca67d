"""The op vocabulary, a family a file.

Importing this package registers the everyday families. The others wait until an op is asked for that is not among them,
so that a program that uses none of them does not load them either.
"""

import functools
from collections.abc import Iterable
from importlib import import_module

_EVERYDAY = (
    "source",
    "math",
    "casts",
    "special",
    "bitwise",
    "matmul",
    "einsum",
    "reductions",
    "scans",
    "segments",
    "random",
    "random_state",
    "array",
    "state",
    "joining",
    "slicing",
    "gathering",
    "rearranging",
    "searching",
    "diagonals",
    "convolution",
    "pooling",
    "normalization",
    "activations",
    "losses",
    "ranking",
)

_ON_DEMAND: tuple[str, ...] = ()


def _load(families: Iterable[str]) -> None:
    for family in families:
        import_module(f"{__name__}.{family}")


_load(_EVERYDAY)


@functools.cache
def load_all() -> None:
    """Registers the families that wait."""
    _load(_ON_DEMAND)
