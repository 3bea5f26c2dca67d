"""The files of checkpoints: writing a bundle so that what was there before is replaced at one stroke, and deleting one."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..bundle import BundleWriter, data_file, index_file
from ..model_folder import sync_folder, write_synced


def write_bundle(prefix: str, values: Iterable[tuple[str, np.ndarray | bytes]]) -> None:
    """Writes a tensor bundle; a crash leaves the one that was there, if any, or the new one.

    Args:
        prefix: the path without ".index"; its folder is made if it is missing.
        values: the tensors by name.
    """
    folder = Path(os.path.dirname(os.path.abspath(prefix)))
    folder.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.mkdtemp(prefix=f".{os.path.basename(prefix)}.", suffix=".saving", dir=folder)
    try:
        written = os.path.join(scratch, "new")
        with BundleWriter(written) as bundle:
            for key, value in values:
                bundle.add(key, value)
        if os.path.exists(index_file(prefix)):
            _free_the_name(prefix, written, bundle, scratch)
        os.replace(data_file(written, 0, 1), data_file(prefix, 0, 1))
        os.replace(index_file(written), index_file(prefix))
        sync_folder(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for path in set(_data_files(prefix)) - {data_file(prefix, 0, 1)}:
        os.remove(path)


def _free_the_name(prefix: str, written: str, bundle: BundleWriter, scratch: str) -> None:
    """Lets the index of a bundle that is to be replaced point to the new data under names that the old data do not have.

    So the index always describes files that are there: the old data's, the new data's as the first of several files of
    which the others are empty, and at last those of the new data alone.
    """
    files = 2
    while os.path.exists(data_file(prefix, 0, files)):
        files += 1
    try:
        os.link(data_file(written, 0, 1), data_file(prefix, 0, files))
    except OSError:  # a file system without links
        shutil.copyfile(data_file(written, 0, 1), data_file(prefix, 0, files))
    for place in range(1, files):
        write_synced(Path(data_file(prefix, place, files)), b"")
    bundle.write_index(os.path.join(scratch, "index"), files)
    os.replace(os.path.join(scratch, "index"), index_file(prefix))


def write_text(path: str, text: str) -> None:
    """Writes a small file; a crash leaves what was there or the new one."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", suffix=".saving", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)
        raise


def delete_bundle(prefix: str) -> None:
    """Deletes the files of a bundle: the index first, so that what is left of a bundle is never taken for a whole one."""
    for path in (index_file(prefix), *_data_files(prefix)):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def _data_files(prefix: str) -> list[str]:
    return glob.glob(f"{glob.escape(prefix)}.data-?????-of-?????")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
