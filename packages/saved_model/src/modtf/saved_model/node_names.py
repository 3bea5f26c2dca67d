"""Names of nodes, arguments and functions as TensorFlow accepts them."""

from __future__ import annotations

import re

_OUTSIDE_NODE_NAMES = re.compile(r"[^A-Za-z0-9_.\-/]")
_OUTSIDE_ARGUMENT_NAMES = re.compile(r"[^a-z0-9_]")


class NodeNames:
    """Gives out names, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def node(self, wanted: str) -> str:
        """Returns `wanted` as the name of a node: with what is not allowed replaced, and a number if it is taken."""
        name = _OUTSIDE_NODE_NAMES.sub("_", wanted)
        return self._unique(name if name[:1].isalnum() or name[:1] == "." else f"node{name}")

    def function(self, wanted: str) -> str:
        """Returns `wanted` as the name of a function, which may begin with underscores."""
        return self._unique(_OUTSIDE_NODE_NAMES.sub("_", wanted))

    def argument(self, wanted: str) -> str:
        """Returns `wanted` as the name of an argument, which is in lower case."""
        name = _OUTSIDE_ARGUMENT_NAMES.sub("_", wanted.lower())
        return self._unique(name if name[:1].isalpha() else f"arg{name}")

    def _unique(self, name: str) -> str:
        unique, count = name, self._counts.get(name, 0)
        while unique in self._taken:
            count += 1
            unique = f"{name}_{count}"
        self._counts[name] = count
        self._taken.add(unique)
        return unique
