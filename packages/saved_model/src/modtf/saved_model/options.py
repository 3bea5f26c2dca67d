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
    """

    function_aliases: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class LoadOptions:
    """Options of `load`.

    Attributes:
        experimental_skip_checkpoint: whether to leave the variables without values.
    """

    experimental_skip_checkpoint: bool = False
