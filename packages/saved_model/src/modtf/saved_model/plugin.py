"""What this package adds to core: the ops of checkpoints."""

from __future__ import annotations

import importlib

from modtf.core.contracts import hookimpl


@hookimpl
def modtf_ops() -> None:
    """Registers the ops."""
    importlib.import_module("modtf.saved_model.checkpoint_ops")  # registers them, if nobody has imported it yet
