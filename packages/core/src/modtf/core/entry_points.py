"""Finding what other distributions offer to modtf, without importing it."""

from __future__ import annotations

from typing import Any


def installed(group: str) -> list[Any]:
    """Returns the entry points of a group, as `importlib.metadata.EntryPoint`s."""
    from importlib import metadata  # takes as long to import as all of core

    return list(metadata.entry_points(group=group))
