"""What this package adds to core: the ops of checkpoints."""

from __future__ import annotations

from modtf.core.contracts import hookimpl


@hookimpl
def modtf_ops() -> None:
    """Registers the ops."""
    from . import checkpoint_ops as checkpoint_ops  # registers them when it is first imported
