"""Assets: files that a model reads, which are in its folder and are copied with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modtf import core as tf
from modtf.core.contracts import AssetPath, EagerTensor

from .boundary import shortened
from .errors import DataLossError, NotFoundError
from .model_folder import ASSETS


class Asset(tf.Module):
    """A file that belongs to a model, such as a vocabulary (`tf.saved_model.Asset`).

    It is copied with the model when that is saved. Functions that use `asset_path` read the copy after loading.

    Args:
        path: the file.

    Attributes:
        asset_path: its path, as a scalar string tensor.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(name="asset")
        self.asset_path: EagerTensor = AssetPath(path)


def asset_path_of(item: Any) -> EagerTensor | None:
    """Returns the path of an asset, which may be an object or stand for itself; None for other objects."""
    if isinstance(item, Asset):
        return item.asset_path
    return item if isinstance(item, AssetPath) else None


def find_asset(export_dir: str | os.PathLike[str], filename: str, what: str) -> Asset:
    """Returns an asset of a model.

    Args:
        export_dir: the model's folder.
        filename: the asset's name in it.
        what: what names it, for errors.

    Raises:
        DataLossError: it would not lie in the folder, be it by its name or by a symbolic link.
    """
    inside = Path(os.path.realpath(export_dir), ASSETS)
    path = Path(os.path.realpath(Path(export_dir, ASSETS, filename)))
    if inside not in path.parents:
        raise DataLossError(f"{what}: the asset {shortened(filename)!r} would lie outside of the folder {ASSETS!r}.")
    if path.exists() and not path.is_file():  # a pipe or a device, which may have no end
        raise DataLossError(f"{what}: the asset {shortened(filename)!r} is no file.")
    return Asset(Path(export_dir, ASSETS, filename))


def copy_assets(paths: Iterable[EagerTensor], folder: Path) -> list[str]:
    """Copies files into a new folder, if there are any; returns the names that they have in it.

    Raises:
        NotFoundError: a file is missing.
    """
    names: list[str] = []
    for tensor in paths:
        path = Path(tensor.numpy().decode())
        name, count = path.name, 0
        while name in names:
            count += 1
            name = f"{path.stem}_{count}{path.suffix}"
        folder.mkdir(exist_ok=True)
        try:
            shutil.copyfile(path, folder / name)
        except FileNotFoundError:
            raise NotFoundError(f"The asset {str(path)!r} is missing, so the model cannot be saved.") from None
        names.append(name)
    return names
