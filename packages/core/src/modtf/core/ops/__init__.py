"""The op vocabulary, a family a file.

Importing this package registers the everyday families. The others wait until an op is asked for that is not among them,
so that a program that uses none of them does not load them either.
"""

import functools
from collections.abc import Iterable
from importlib import import_module

_EVERYDAY = (
    "array.source",
    "math.elementwise",
    "math.casts",
    "math.special",
    "math.bitwise",
    "math.matmul",
    "math.einsum",
    "math.reductions",
    "math.scans",
    "math.segments",
    "random.uniform_and_normal",
    "random.state",
    "array.shapes",
    "state.variables",
    "control.flow",
    "control.tensor_lists",
    "array.joining",
    "array.slicing",
    "array.gathering",
    "array.rearranging",
    "array.searching",
    "linalg.diagonals",
    "nn.convolution",
    "nn.pooling",
    "nn.normalization",
    "nn.activations",
    "nn.losses",
    "math.ranking",
)

_ON_DEMAND: tuple[str, ...] = (
    "linalg.systems",
    "linalg.banded_systems",
    "linalg.decompositions",
    "linalg.matrix_functions",
    "linalg.fourier",
    "linalg.batch_matrices",
    "files.tables",
    "files.parsing_examples",
    "files.parsing_sequences",
    "files.parsing_text",
    "files.parsing_tensors",
    "files.files",
    "files.decompressing",
    "control.debugging",
    "control.python_calls",
    "audio.wav",
    "image.resizing",
    "image.colour",
    "image.cropping",
    "image.boxes",
    "image.codecs",
    "image.suppression",
    "math.incomplete_gamma",
    "ragged.tensors",
    "ragged.crossing",
    "math.rare_special",
    "sparse.structure",
    "sparse.math",
    "sparse.reductions",
    "sparse.segments",
    "sparse.sets",
    "sparse.counts",
    "sparse.crossing",
    "sparse.messages",
    "state.scatter",
    "state.training",
    "array.superseded",
    "array.partitioning",
    "array.copies",
    "strings.elements",
    "strings.joining",
    "strings.numbers",
    "strings.regex",
    "strings.unicode",
    "strings.scripts",
    "strings.hashing",
    "strings.format",
    "math.quantization",
    "nn.pooling_variants",
    "nn.local_response",
    "nn.patches",
    "nn.morphology",
    "math.histograms",
    "nn.ctc",
    "nn.fractional_pooling",
    "nn.candidates",
    "control.iterators",
    "math.isotonic",
    "random.quasirandom",
    "random.distributions",
    "nn.data_formats",
    "nn.recurrent_blocks",
)


def _load(families: Iterable[str]) -> None:
    for family in families:
        import_module(f"{__name__}.{family}")


_load(_EVERYDAY)


@functools.cache
def load_all() -> None:
    """Registers the families that wait."""
    _load(_ON_DEMAND)
