"""Assets: files that a model reads, which are in its folder and are copied with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from modtf import core as tf

from .boundary import shortened
from .errors import DataLossError, NotFoundError
from .model_folder import ASSETS


class Asset(tf.Module):
    """A file that came with a model, such as a vocabulary.

    Attributes:
        asset_path: its path, as a scalar string tensor.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(name="asset")
        self.path = path
        self.asset_path = tf.constant(str(path))


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


def copy_assets(assets: Iterable[Asset], folder: Path) -> list[str]:
    """Copies files into a new folder, if there are any; returns the names that they have in it.

    Raises:
        NotFoundError: a file is missing.
    """
    names: list[str] = []
    for asset in assets:
        name, count = asset.path.name, 0
        while name in names:
            count += 1
            name = f"{asset.path.stem}_{count}{asset.path.suffix}"
        folder.mkdir(exist_ok=True)
        try:
            shutil.copyfile(asset.path, folder / name)
        except FileNotFoundError:
            raise NotFoundError(f"The asset {str(asset.path)!r} is missing, so the model cannot be saved.") from None
        names.append(name)
    return names
