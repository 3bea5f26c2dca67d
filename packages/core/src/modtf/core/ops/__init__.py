"""The op vocabulary, a family a file. Importing this package registers all of them."""

from importlib import import_module

_FAMILIES = (
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

for _family in _FAMILIES:
    import_module(f"{__name__}.{_family}")
