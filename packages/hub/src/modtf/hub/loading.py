"""`load`: from a handle to a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf import saved_model
from modtf.hub.resolvers import resolve


def load(handle: str, tags: str | Sequence[str] | None = None, options: Any = None) -> Any:
    """Resolves a handle and loads the SavedModel it leads to.

    Args:
        handle: A folder, a `.tar.gz`, or the URL of one; see `resolve`.
        tags: The tags of the model in the folder that is wanted, if there are several.
        options: `tf.saved_model.LoadOptions`.

    Returns:
        The model, as `tf.saved_model.load` returns it.

    Raises:
        HubError: The handle leads to no model.
        modtf.saved_model.SavedModelError: The model is damaged or cannot be read.
    """
    if not isinstance(handle, str):
        raise ValueError(f"Expected a string, the handle of a model; got {handle!r}.")
    return saved_model.load(resolve(handle), tags, options)
