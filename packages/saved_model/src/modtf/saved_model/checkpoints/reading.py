"""Reading single tensors of checkpoints by their names."""

from __future__ import annotations

import os
from typing import Any

from modtf import core as tf

from ..attributes import decode_dtype
from ..boundary import reading
from ..bundle import BundleReader
from ..errors import NotFoundError
from .state import latest_checkpoint


class CheckpointReader:
    """Reads the tensors of a checkpoint, each when it is asked for.

    Args:
        path: the checkpoint, without ".index".

    Raises:
        SavedModelError: a file is missing or damaged.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._bundle = BundleReader(path)

    def get_tensor(self, tensor_str: str) -> Any:
        """Returns the value of a tensor: an array, or `bytes` for a scalar string.

        Raises:
            TensorNotFoundError: there is no tensor of that name.
            DataLossError: its bytes are damaged.
        """
        array = self._bundle.read(tensor_str)
        return array.item() if array.dtype == object and not array.ndim else array.copy()

    def has_tensor(self, tensor_str: str) -> bool:
        """Whether there is a tensor of that name."""
        return tensor_str in self._bundle

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Returns the shapes of all tensors by their names."""
        return {name: list(entry.shape) for name, entry in self._bundle.items()}

    def get_variable_to_dtype_map(self) -> dict[str, tf.DType]:
        """Returns the dtypes of all tensors by their names."""
        with reading(self._path):
            return {name: decode_dtype(entry.data_type) for name, entry in self._bundle.items()}

    def debug_string(self) -> bytes:
        """Returns a line for each tensor: its name, dtype and shape."""
        dtypes = self.get_variable_to_dtype_map()
        lines = [f"{name} ({dtypes[name].name}) {list(entry.shape)}\n" for name, entry in self._bundle.items()]
        return "".join(sorted(lines)).encode()


def load_checkpoint(ckpt_dir_or_file: str | os.PathLike[str]) -> CheckpointReader:
    """Returns a reader of a checkpoint.

    Args:
        ckpt_dir_or_file: its path, or a folder, of which the latest checkpoint is read.

    Raises:
        ValueError: the folder holds no checkpoint.
        SavedModelError: a file is missing or damaged.
    """
    path = os.fspath(ckpt_dir_or_file)
    if os.path.isdir(path):
        latest = latest_checkpoint(path)
        if latest is None:
            raise NoCheckpointError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {path}")
        path = latest
    return CheckpointReader(path)


class NoCheckpointError(NotFoundError, ValueError):
    """A folder holds no checkpoint."""


def list_variables(ckpt_dir_or_file: str | os.PathLike[str]) -> list[tuple[str, list[int]]]:
    """Returns the names and shapes of all tensors of a checkpoint, sorted by name; see `load_checkpoint`."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def load_variable(ckpt_dir_or_file: str | os.PathLike[str], name: str) -> Any:
    """Returns the value of a tensor of a checkpoint; see `load_checkpoint` and `CheckpointReader.get_tensor`."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))
