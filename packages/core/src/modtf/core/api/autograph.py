"""AutoGraph by itself (`tf.autograph`): the rewritten code of a function, and exceptions from rewriting."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

from malt.core.converter import Feature
from malt.lang.directives import set_loop_options

from modtf.core.engine.autograph import converted, do_not_convert
from modtf.core.engine.autograph.conversion import rewritten

__all__ = ["experimental", "set_verbosity", "to_code", "to_graph"]

# A module, for that is where directives are looked for.
experimental: Any = ModuleType(
    "experimental", "Exceptions from rewriting, and options of loops (`tf.autograph.experimental`)."
)
experimental.do_not_convert = do_not_convert
experimental.set_loop_options = set_loop_options
experimental.Feature = Feature
"""`do_not_convert`; `set_loop_options`, to be called first inside a loop; and `Feature`, which is only named."""


def to_graph(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> Any:
    """Returns a function that does what `entity` does, with `if`, `while`, `for`, ... on tensors made ops.

    Args:
        entity: A Python function.
        recursive: Without effect: what it calls is rewritten, too.
        experimental_optional_features: Without effect.
    """
    return converted(_plain(entity))


def to_code(entity: Callable[..., Any], recursive: bool = True, experimental_optional_features: Any = None) -> str:
    """Returns the source of the function that AutoGraph makes of `entity`.

    Raises:
        ValueError: The function cannot be rewritten, as where its source is not to be found.
    """
    made = rewritten(_plain(entity))
    if made is None:
        raise ValueError(f"{entity!r} cannot be rewritten.")
    return textwrap.dedent(inspect.getsource(made))


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """Without effect: rewriting logs nothing, and warns of what it cannot rewrite."""


def _plain(entity: Any) -> Any:
    return getattr(entity, "python_function", entity)
