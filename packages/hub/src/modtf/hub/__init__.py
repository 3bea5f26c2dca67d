"""Find, fetch, cache, load and reuse models: TF Hub's programming model, without TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modtf.hub.errors import ArchiveError, CacheError, DownloadError, HandleError, HubError, NotFoundError
from modtf.hub.loading import load
from modtf.hub.resolvers import resolve

if TYPE_CHECKING:
    from modtf.hub.keras_layer import KerasLayer as KerasLayer

__all__ = [
    "ArchiveError", "CacheError", "DownloadError", "HandleError", "HubError", "NotFoundError", "load", "resolve",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """`KerasLayer` is there if modtf-layers is installed, which is an extra of this package."""
    if name != "KerasLayer":
        raise AttributeError(f"module 'modtf.hub' has no attribute {name!r}")
    try:
        from modtf.hub.keras_layer import KerasLayer
    except ModuleNotFoundError as error:
        if error.name != "modtf.layers":
            raise
        raise AttributeError(
            "hub.KerasLayer needs the package modtf-layers. Run `pip install 'modtf-hub[layers]'`."
        ) from error
    return KerasLayer
