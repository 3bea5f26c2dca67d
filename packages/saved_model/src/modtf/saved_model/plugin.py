"""What this package adds to core: the ops of checkpoints, and the command `modtf saved-model`."""

from __future__ import annotations

import importlib
from typing import Any

from modtf.core.contracts import hookimpl


@hookimpl
def modtf_ops() -> None:
    """Registers the ops."""
    importlib.import_module("modtf.saved_model.checkpoint_ops")  # registers them, if nobody has imported it yet


@hookimpl
def modtf_commands(commands: Any) -> None:
    """Adds `saved-model`."""
    from .commands import add_commands

    add_commands(commands)
