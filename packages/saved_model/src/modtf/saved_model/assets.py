"""Assets: files that a model reads, copied with it."""

from __future__ import annotations

import os

from modtf import core as tf


class Asset:
    """A file that a model needs, such as a vocabulary. Saving copies it into the model's folder (`tf.saved_model.Asset`).

    Args:
        path: the file.

    Attributes:
        asset_path: its path, as a scalar string tensor for functions to use.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.asset_path = tf.constant(os.fspath(path))

    def trackable_children(self) -> dict[str, object]:
        """Returns nothing: an asset has no children."""
        return {}
