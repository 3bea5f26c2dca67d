"""`CheckpointManager`: numbered checkpoints in a folder, of which the last few are kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from modtf import core as tf

from .checkpoint import Checkpoint, CheckpointOptions
from .files import delete_bundle
from .state import get_checkpoint_state, update_checkpoint_state


class CheckpointManager:
    """Saves checkpoints in a folder, keeps the last ones, and finds them again (`tf.train.CheckpointManager`).

    Args:
        checkpoint: what is saved.
        directory: the folder; the checkpoints that are in it are managed too.
        max_to_keep: how many checkpoints are kept; None for all.
        keep_checkpoint_every_n_hours: how far apart checkpoints are which are kept for good besides.
        checkpoint_name: how the names of files begin.
        step_counter: a variable with the number of the current step, which is needed for `checkpoint_interval`.
        checkpoint_interval: how many steps there are at least from one checkpoint to the next.
        init_fn: what `restore_or_initialize` calls where there is no checkpoint.
        last_checkpoint_step: the step at which the last checkpoint was made, if one was made elsewhere.

    Raises:
        ValueError: `max_to_keep` is not positive, or `checkpoint_interval` is given without `step_counter`.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: str | os.PathLike[str],
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: tf.Variable | None = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}.")
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError("`step_counter` should be passed if `checkpoint_interval` is not None.")
        self._checkpoint = checkpoint
        self._directory = os.fspath(directory)
        self._max_to_keep = max_to_keep
        self._keep_every_seconds = keep_checkpoint_every_n_hours and 3600.0 * keep_checkpoint_every_n_hours
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._step_counter = step_counter
        self._interval = checkpoint_interval
        self._init_fn = init_fn
        self._last_step = last_checkpoint_step
        self._timestamps: dict[str, float] = {}  # of the checkpoints that are managed, oldest first
        self._latest: str | None = None
        self._last_preserved = time.time() - 1.0
        self._find_checkpoints()

    def _find_checkpoints(self) -> None:
        state = get_checkpoint_state(self._directory)
        if state is None:
            return
        self._latest = state.model_checkpoint_path
        now = time.time()
        self._last_preserved = state.last_preserved_timestamp or now - 1.0
        paths, timestamps = list(state.all_model_checkpoint_paths), list(state.all_model_checkpoint_timestamps)
        if len(timestamps) != len(paths):
            timestamps = [self._last_preserved] * len(paths)
        for path, timestamp in zip(paths, timestamps, strict=True):
            self._timestamps[path] = timestamp if timestamp <= now else now - 1.0

    @property
    def directory(self) -> str:
        """The folder."""
        return self._directory

    @property
    def checkpoint(self) -> Checkpoint:
        """What is saved."""
        return self._checkpoint

    @property
    def checkpoint_interval(self) -> int | None:
        """How many steps there are at least between checkpoints."""
        return self._interval

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the latest checkpoint, to give to `Checkpoint.restore`; None if there is none."""
        return self._latest

    @property
    def checkpoints(self) -> list[str]:
        """The paths of the managed checkpoints, oldest first; not of those that are kept for good."""
        return list(self._timestamps)

    def save(
        self,
        checkpoint_number: Any = None,
        check_interval: bool = True,
        options: CheckpointOptions | None = None,
    ) -> str | None:
        """Saves a checkpoint, and deletes those that are not to be kept any longer.

        Args:
            checkpoint_number: its number, an int or a variable; by default, how often was saved.
            check_interval: whether nothing is saved before `checkpoint_interval` steps have gone by.
            options: see `CheckpointOptions`.

        Returns:
            The path of the checkpoint; None if none was saved.
        """
        if self._interval is not None:
            step = self._step()
            if check_interval and self._last_step is not None and step < self._last_step + self._interval:
                return None
            self._last_step = step
        counter = self._checkpoint.save_counter
        counter.assign_add(1)
        number = int(counter.numpy()) if checkpoint_number is None else int(checkpoint_number)
        path = self._checkpoint.write(f"{self._prefix}-{number}", options)
        self._timestamps.pop(path, None)
        self._timestamps[path] = time.time()
        self._latest = path
        self._note_state()  # before the old ones are deleted, so that it never names a deleted one as the latest
        if self._delete_old():
            self._note_state()
        return path

    def restore_or_initialize(self) -> str | None:
        """Restores the latest checkpoint, or calls `init_fn` where there is none.

        Returns:
            The path of the checkpoint; None if there is none.
        """
        if self._latest is None:
            if self._init_fn is not None:
                self._init_fn()
            return None
        self._checkpoint.restore(self._latest)
        if self._interval is not None:
            self._last_step = self._step()
        return self._latest

    def sync(self) -> None:
        """Does nothing: files are there when `save` returns."""

    def _step(self) -> int:
        assert self._step_counter is not None
        return int(self._step_counter.numpy())

    def _note_state(self) -> None:
        assert self._latest is not None
        paths, timestamps = list(self._timestamps), list(self._timestamps.values())
        update_checkpoint_state(self._directory, self._latest, paths, timestamps, self._last_preserved)

    def _delete_old(self) -> bool:
        deleted = False
        while self._max_to_keep is not None and len(self._timestamps) > self._max_to_keep:
            path = next(iter(self._timestamps))
            timestamp = self._timestamps.pop(path)
            deleted = True
            if self._keep_every_seconds and timestamp - self._keep_every_seconds >= self._last_preserved:
                self._last_preserved = timestamp
            else:
                delete_bundle(path)
        return deleted
