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
    "control_flow",
    "tensor_lists",
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

_ON_DEMAND: tuple[str, ...] = (
    "linear_systems",
    "banded_systems",
    "decompositions",
    "matrix_functions",
    "fourier",
    "batch_matrices",
    "tables",
    "parsing_examples",
    "parsing_sequences",
    "parsing_text",
    "parsing_tensors",
    "files",
    "decompressing",
    "debugging",
    "python_calls",
    "image_resizing",
    "image_colour",
    "image_cropping",
    "image_boxes",
    "image_codecs",
    "image_suppression",
    "incomplete_gamma",
    "ragged",
    "ragged_crossing",
    "rare_special",
    "sparse_structure",
    "sparse_math",
    "sparse_reductions",
    "sparse_segments",
    "sparse_sets",
    "sparse_counts",
    "sparse_crossing",
    "sparse_messages",
    "state_scatter",
    "training",
    "superseded",
    "partitioning",
    "copies",
    "strings_basic",
    "strings_joining",
    "strings_numbers",
    "strings_regex",
    "strings_unicode",
    "strings_scripts",
    "strings_hashing",
    "strings_format",
    "quantization",
    "pooling_variants",
    "local_response",
    "patches",
    "morphology",
    "histograms",
    "ctc",
    "fractional_pooling",
    "candidates",
    "iterators",
    "isotonic",
    "quasirandom",
    "random_distributions",
    "data_formats",
)


def _load(families: Iterable[str]) -> None:
    for family in families:
        import_module(f"{__name__}.{family}")


_load(_EVERYDAY)


@functools.cache
def load_all() -> None:
    """Registers the families that wait."""
    _load(_ON_DEMAND)
