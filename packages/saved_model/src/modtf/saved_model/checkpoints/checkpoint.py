"""`Checkpoint`: writes the values of objects to files, and restores them."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import Watched, is_trackable, is_waiting

from ..bundle import index_file
from ..errors import NotFoundError, SavedModelError
from ..model_folder import contains_saved_model, variables_prefix
from ..object_tree import Tree
from .containers import DictWrapper, ListWrapper, watched
from .files import write_bundle
from .objects import OBJECT_GRAPH_KEY, checkpoint_children, checkpoint_tree, describe_objects, saved_values
from .restoring import CheckpointStatus, NothingRestored, Restoration
from .state import update_checkpoint_state

_SAVE_COUNTER = "save_counter"


@dataclass(frozen=True)
class CheckpointOptions:
    """Options of writing and restoring checkpoints, for code that gives them.

    Attributes:
        experimental_io_device: without effect: files are written by this process.
        experimental_enable_async_checkpoint: without effect: files are there when writing returns.
        experimental_write_callbacks: functions to call after a checkpoint was written, with its path or without arguments.
        enable_async: without effect, like the above.
        experimental_skip_slot_variables: without effect: optimizers' variables are saved like others.
        experimental_sharding_callback: without effect: there is one data file.
    """

    experimental_io_device: str | None = None
    experimental_enable_async_checkpoint: bool = False
    experimental_write_callbacks: Sequence[Callable[..., Any]] | None = None
    enable_async: bool = False
    experimental_skip_slot_variables: bool = False
    experimental_sharding_callback: Any = None


class Checkpoint(Watched):
    """The values of objects, to be written and restored (`tf.train.Checkpoint`).

    What is saved is what the names given here lead to: variables, modules, layers, optimizers, random generators, lists
    and dicts of them, by the names of attributes, keys and places. A checkpoint is restored into objects by the same
    names; which classes they are does not matter.

    Args:
        root: an object whose parts are saved under the names that they have in it.
        kwargs: more objects, by the names under which they are saved. They become attributes.

    Raises:
        ValueError: something is no object that can be saved, or has a name that `root` has given to something else.
    """

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        self._root = root
        self._save_counter: tf.Variable | None = None
        if root is not None:
            _check_trackable("root", root)
        of_root = {} if root is None else checkpoint_children(root)
        for name, value in sorted(kwargs.items()):
            _check_trackable(name, value)
            if name in of_root and of_root[name] is not value:
                raise ValueError(
                    f"Cannot create a Checkpoint with keyword argument {name} if root.{name} already exists."
                )
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, watched(value) if is_waiting(self) and not name.startswith("_") else value)

    @property
    def save_counter(self) -> tf.Variable:
        """How often `save` was called, an int64 variable; it is saved too."""
        self._make_save_counter()
        assert self._save_counter is not None
        return self._save_counter

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns what is saved, by name."""
        found: dict[str, Any] = {}
        if self._root is not None:
            found.update(checkpoint_children(self._root))
            found["root"] = self._root
        own = {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and (is_trackable(value) or isinstance(value, (ListWrapper, DictWrapper)))
        }
        counter = {} if self._save_counter is None else {_SAVE_COUNTER: self._save_counter}
        return {**found, **own, **counter}

    def write(self, file_prefix: str | os.PathLike[str], options: CheckpointOptions | None = None) -> str:
        """Writes the values to files whose names begin with `file_prefix`.

        A checkpoint that is there is replaced at one stroke. Restore it by `read`; `save` also numbers checkpoints.

        Args:
            file_prefix: the path without ".index" and the like; its folder is made if it is missing.
            options: see `CheckpointOptions`.

        Returns:
            The path, to give to `read`.

        Raises:
            SavedModelError: something cannot be saved; then nothing is written.
        """
        path = os.fspath(file_prefix)
        if tf.inside_function():
            raise SavedModelError("A checkpoint cannot be written inside a traced tf.function; write it outside.")
        if not os.path.basename(path):
            raise SavedModelError(f"A checkpoint needs a name for its files, which {path!r} does not end in.")
        with tf.init_scope():
            tree = self._tree()
            object_graph = describe_objects(tree).SerializeToString()
            values = list(saved_values(tree))
        write_bundle(path, [*values, (OBJECT_GRAPH_KEY, object_graph)])
        for callback in (options.experimental_write_callbacks or ()) if options else ():
            _call_with_path(callback, path)
        return path

    def save(self, file_prefix: str | os.PathLike[str], options: CheckpointOptions | None = None) -> str:
        """Writes the values to files `file_prefix`-1, -2 and so on, and notes the latest in the folder's state file.

        Args:
            file_prefix: the path without the number.
            options: see `CheckpointOptions`.

        Returns:
            The path with the number, to give to `restore`.

        Raises:
            SavedModelError: something cannot be saved; then nothing is written.
        """
        self.save_counter.assign_add(1)
        path = self.write(f"{os.fspath(file_prefix)}-{int(self.save_counter.numpy())}", options)
        update_checkpoint_state(os.path.dirname(path), path, [path])
        return path

    def read(self, save_path: str | os.PathLike[str], options: CheckpointOptions | None = None) -> CheckpointStatus:
        """Gives the objects the values that `write` has written; see `restore`."""
        path = _checkpoint_path(os.fspath(save_path))
        same = () if self._root is None else (self._root,)
        restoration = Restoration(path, self, checkpoint_children, same)
        return CheckpointStatus(path, restoration, lambda: self._tree().objects)

    def restore(self, save_path: str | os.PathLike[str] | None, options: CheckpointOptions | None = None) -> Any:
        """Gives the objects the values of a checkpoint, or of a SavedModel.

        What the checkpoint does not have keeps its value. What exists later only, such as the weights of layers that are
        not built yet, gets its value when it becomes an attribute of a module, layer, optimizer or checkpoint.

        Args:
            save_path: the path as `save` returns it, or a SavedModel's folder; None restores nothing.
            options: see `CheckpointOptions`.

        Returns:
            An object whose `assert_consumed()`, `assert_existing_objects_matched()` and `assert_nontrivial_match()` check
            what was restored.

        Raises:
            SavedModelError: a file is missing or damaged, or a value does not fit its variable; then nothing is changed.
        """
        status = NothingRestored() if save_path is None else self.read(save_path, options)
        self._make_save_counter()
        return status

    def sync(self) -> None:
        """Does nothing: files are there when `save` and `write` return."""

    def _tree(self) -> Tree:
        return checkpoint_tree(self, checkpoint_children(self), () if self._root is None else (self._root,))

    def _make_save_counter(self) -> None:
        if self._save_counter is None:
            with tf.init_scope():
                self._save_counter = tf.Variable(np.int64(0), trainable=False, name=_SAVE_COUNTER)


def _check_trackable(name: str, value: Any) -> None:
    is_empty = isinstance(value, (list, tuple, Mapping)) and not value
    if not is_empty and not is_trackable(value):
        raise ValueError(
            f"`Checkpoint` was expecting {name} to be a trackable object: a variable, a module, another object with "
            f"trackable_children(), or a list, tuple or dict of such; got {value!r}."
        )


def _checkpoint_path(path: str) -> str:
    if os.path.isdir(path) and contains_saved_model(path):
        return variables_prefix(path)
    if not os.path.isfile(index_file(path)):
        near = sorted(_checkpoints_beside(path))
        raise NotFoundError(
            f"There is no checkpoint {path!r}, since {index_file(path)!r} is missing. "
            + (f"The folder has: {', '.join(near[:10])}." if near else "Its folder has no checkpoints.")
        )
    return path


def _checkpoints_beside(path: str) -> Iterator[str]:
    folder = path if os.path.isdir(path) else os.path.dirname(path) or os.curdir
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        if name.endswith(".index"):
            yield name.removesuffix(".index")


def _call_with_path(callback: Callable[..., Any], path: str) -> None:
    if inspect.signature(callback).parameters:
        callback(path)
    else:
        callback()
