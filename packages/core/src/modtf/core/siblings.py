"""The other packages as attributes: `tf.hub`, `tf.saved_model`, `tf.layers`, imported when they are first used."""

from __future__ import annotations

import importlib
from types import ModuleType

from modtf.core.entry_points import installed

GROUP = "modtf.modules"

KNOWN = {
    "hub": "modtf-hub", "keras": "modtf-layers", "layers": "modtf-layers", "saved_model": "modtf-saved-model",
    "train": "modtf-saved-model",
}  # fmt: skip
"""The packages that modtf itself has, to name the one to install."""


class MissingModuleError(AttributeError):
    """A module was asked for whose package is not installed."""


def load(name: str) -> ModuleType:
    """Returns the module that some installed package offers as `modtf.core.NAME`.

    Raises:
        MissingModuleError: A package of modtf's offers it, but is not installed.
        AttributeError: No package offers it.
    """
    for entry in installed(GROUP):
        if entry.name == name:
            return importlib.import_module(entry.value)
    if name in KNOWN:
        raise MissingModuleError(
            f"modtf.core has no module {name!r} here: it comes with another package. Run `pip install {KNOWN[name]}`."
        )
    raise AttributeError(f"module 'modtf.core' has no attribute {name!r}")


def available() -> list[str]:
    """Returns the names of the modules that installed packages offer, without importing them."""
    return sorted(entry.name for entry in installed(GROUP))
