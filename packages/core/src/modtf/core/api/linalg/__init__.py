"""Linear algebra (`tf.linalg`)."""

from importlib import import_module as _import_module
from typing import Any as _Any

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


def __getattr__(name: str) -> _Any:
    """The operators, which are imported when one is first asked for."""
    if name.startswith("LinearOperator"):
        found = getattr(_import_module("modtf.core.api.linalg.operators"), name)
    elif name == "experimental":
        found = _import_module("modtf.core.api.linalg.experimental")
    else:
        raise AttributeError(f"module 'modtf.core.linalg' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    operators = _import_module("modtf.core.api.linalg.operators").__all__
    return sorted({*globals(), *operators, "experimental"})
