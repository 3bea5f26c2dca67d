"""Linear algebra (`tf.linalg`)."""

from modtf.core.api.array import eye
from modtf.core.api.clipping import global_norm
from modtf.core.api.linalg import banded, decompositions, functions, norms, products, rearranging, systems
from modtf.core.api.linalg.banded import *
from modtf.core.api.linalg.decompositions import *
from modtf.core.api.linalg.functions import *
from modtf.core.api.linalg.norms import *
from modtf.core.api.linalg.products import *
from modtf.core.api.linalg.rearranging import *
from modtf.core.api.linalg.systems import *
from modtf.core.api.nn import l2_normalize

__all__ = [  # noqa: PLE0604 (they are strings)
    *sorted(
        {name for module in (banded, decompositions, functions, norms, products, rearranging, systems) for name in module.__all__}
    ),
    "eye", "global_norm", "l2_normalize",
]  # fmt: skip
