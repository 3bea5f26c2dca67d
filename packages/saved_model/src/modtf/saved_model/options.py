"""How models are saved and loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SaveOptions:
    """Options of `save`.

    Attributes:
        function_aliases: names to write beside those of functions, from the alias to the function.
        experimental_custom_gradients: whether the gradients of functions with `tf.custom_gradient` are written, so that
            they are used after loading. Without them, gradients flow through such functions as through an identity.
    """

    function_aliases: Mapping[str, Any] | None = None
    experimental_custom_gradients: bool = True


@dataclass(frozen=True)
class LoadOptions:
    """Options of `load`.

    Attributes:
        experimental_skip_checkpoint: whether to leave the variables without values.
    """

    experimental_skip_checkpoint: bool = False
