"""The file "checkpoint" in a folder of checkpoints: which there are, and which is the latest."""

from __future__ import annotations

import os
from collections.abc import Sequence

from google.protobuf import text_format

from ..bundle import index_file
from ..errors import DataLossError
from ..protos.checkpoint_pb2 import CheckpointState
from .files import write_text

_STATE_FILE = "checkpoint"


def get_checkpoint_state(
    checkpoint_dir: str | os.PathLike[str], latest_filename: str | None = None
) -> CheckpointState | None:
    """Returns what the state file of a folder of checkpoints says.

    Args:
        checkpoint_dir: the folder.
        latest_filename: the file's name in it, if it is not "checkpoint".

    Returns:
        A message with the paths `model_checkpoint_path`, the latest one, and `all_model_checkpoint_paths`, and the
        times `all_model_checkpoint_timestamps` and `last_preserved_timestamp`; None if there is no such file.

    Raises:
        DataLossError: the file is damaged.
    """
    folder = os.fspath(checkpoint_dir)
    path = os.path.join(folder, latest_filename or _STATE_FILE)
    if not os.path.isfile(path):
        return None
    state = CheckpointState()
    try:
        with open(path, encoding="utf-8") as file:
            text_format.Parse(file.read(), state)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise DataLossError(f"{path}: does not say which checkpoints there are: {error}") from None
    if not state.model_checkpoint_path:
        raise DataLossError(f"{path}: has no model_checkpoint_path.")
    state.model_checkpoint_path = os.path.join(folder, state.model_checkpoint_path)
    for place, relative in enumerate(state.all_model_checkpoint_paths):
        state.all_model_checkpoint_paths[place] = os.path.join(folder, relative)
    return state


def latest_checkpoint(checkpoint_dir: str | os.PathLike[str], latest_filename: str | None = None) -> str | None:
    """Returns the path of the latest checkpoint in a folder, None if there is none.

    Args:
        checkpoint_dir: the folder.
        latest_filename: see `get_checkpoint_state`.

    Raises:
        DataLossError: the state file is damaged.
    """
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not os.path.isfile(index_file(state.model_checkpoint_path)):
        return None
    return state.model_checkpoint_path


def update_checkpoint_state(
    folder: str,
    latest: str,
    paths: Sequence[str],
    timestamps: Sequence[float] = (),
    last_preserved_timestamp: float | None = None,
) -> None:
    """Writes the state file, with paths relative to its folder."""
    state = CheckpointState(
        model_checkpoint_path=_relative(latest, folder),
        all_model_checkpoint_paths=[_relative(path, folder) for path in paths],
        all_model_checkpoint_timestamps=timestamps,
    )
    if last_preserved_timestamp is not None:
        state.last_preserved_timestamp = last_preserved_timestamp
    write_text(os.path.join(folder, _STATE_FILE), text_format.MessageToString(state))


def _relative(path: str, folder: str) -> str:
    return os.path.relpath(path, folder or os.curdir)
