"""The folder of a SavedModel: its files, reading saved_model.pb, and replacing a whole folder at one stroke.

saved_model.pb                      the graph, the functions, the objects
variables/variables.index, .data-*  the values of the variables, a tensor bundle
assets/                             files that the model reads
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.message import DecodeError

from .errors import DataLossError, NotFoundError, SavedModelError, UnsupportedError
from .protos.saved_model_pb2 import SavedModel

MODEL_FILE = "saved_model.pb"
TEXT_MODEL_FILE = "saved_model.pbtxt"
VARIABLES = "variables"
ASSETS = "assets"
_OURS = (MODEL_FILE, TEXT_MODEL_FILE, VARIABLES, ASSETS, "assets.extra", "fingerprint.pb", "keras_metadata.pb")
"""What a model's folder has in it; whatever else is there when a model is replaced, is kept."""

_SCHEMA_VERSION = 1


def variables_prefix(folder: str | os.PathLike[str]) -> str:
    """Returns the prefix of the tensor bundle with the variables."""
    return os.path.join(folder, VARIABLES, "variables")


def contains_saved_model(export_dir: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a SavedModel (`tf.saved_model.contains_saved_model`)."""
    return any(os.path.isfile(os.path.join(export_dir, name)) for name in (MODEL_FILE, TEXT_MODEL_FILE))


def read_model_file(export_dir: str | os.PathLike[str]) -> tuple[SavedModel, str]:
    """Reads saved_model.pb, or saved_model.pbtxt if that is what there is.

    Returns:
        The message, and the path of the file.

    Raises:
        NotFoundError: the folder or the file is missing.
        DataLossError: the file is truncated or altered.
        UnsupportedError: it was written for later readers.
    """
    if not contains_saved_model(export_dir):
        there = sorted(os.listdir(export_dir))[:10] if os.path.isdir(export_dir) else None
        found = "which is no folder" if there is None else f"but only: {', '.join(there) or 'nothing'}"
        raise NotFoundError(f"There is no {MODEL_FILE} in {os.fspath(export_dir)!r}, {found}.")
    binary = os.path.join(export_dir, MODEL_FILE)
    path = binary if os.path.isfile(binary) else os.path.join(export_dir, TEXT_MODEL_FILE)
    data = Path(path).read_bytes()
    proto = SavedModel()
    try:
        if path == binary:
            proto.ParseFromString(data)
        else:
            text_format.Parse(data, proto, allow_unknown_field=True, allow_unknown_extension=True)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise DataLossError(f"{path}: is no SavedModel, or is truncated or altered: {error}") from None
    if not proto.meta_graphs:
        raise DataLossError(f"{path}: holds no model.")
    if proto.saved_model_schema_version > _SCHEMA_VERSION:
        raise UnsupportedError(
            f"{path}: has the schema version {proto.saved_model_schema_version}; up to {_SCHEMA_VERSION} is read."
        )
    return proto, path


@contextlib.contextmanager
def replacing(export_dir: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a new folder beside `export_dir` to write a model into; at the end of the `with` block it takes the place.

    Whatever happens, `export_dir` holds the old model, or none if there was none, or the whole new one. Files that are
    no part of the old model stay where they are.

    Raises:
        SavedModelError: there is something at `export_dir` that is no folder, or a folder that cannot be replaced.
    """
    target = Path(os.path.realpath(export_dir))
    if target.exists() and not target.is_dir():
        raise SavedModelError(f"A model cannot be saved as {str(export_dir)!r}, which is a file. Name a folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".saving", dir=target.parent))
    try:
        folder = temporary / target.name
        folder.mkdir()
        yield folder
        _sync_folders(folder)
        _put_in_place(folder, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_synced(path: Path, data: bytes) -> None:
    """Writes a file; its bytes are on the disk when this returns."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
    elif contains_saved_model(target):
        _exchange(folder, target)
        for entry in list(folder.iterdir()):  # the old model's folder is here now
            if entry.name not in _OURS:
                entry.rename(target / entry.name)
    else:
        taken = [entry.name for entry in folder.iterdir() if (target / entry.name).exists()]
        if taken:
            raise SavedModelError(
                f"{str(target)!r} holds no model, but {', '.join(map(repr, taken))}, where parts of a model would go. "
                "Move that away, or save to another folder."
            )
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name == MODEL_FILE):  # which makes it a model
            entry.rename(target / entry.name)
    sync_folder(target)
    sync_folder(target.parent)


def _exchange(folder: Path, target: Path) -> None:
    """Lets two folders change places: at one stroke where the system can, else by renaming one after the other."""
    if _exchange_at_once(folder, target):
        return
    aside = folder.parent / "old"
    target.rename(aside)
    try:
        folder.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    aside.rename(folder)


def _exchange_at_once(first: Path, second: Path) -> bool:
    libc: Any = ctypes.CDLL(None) if os.name == "posix" else None
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    if hasattr(libc, "renameat2"):  # Linux
        return libc.renameat2(here, os.fsencode(first), here, os.fsencode(second), exchange) == 0
    if hasattr(libc, "renamex_np"):  # macOS, whose RENAME_SWAP has the same number
        return libc.renamex_np(os.fsencode(first), os.fsencode(second), exchange) == 0
    return False


def _sync_folders(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        sync_folder(Path(place))


def sync_folder(folder: Path) -> None:
    """Puts the names in a folder on the disk, where the system lets one."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
