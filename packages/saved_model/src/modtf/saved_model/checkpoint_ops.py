"""The ops that save and restore tensors, which saved models have in their graphs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import op

from .bundle import BundleReader, BundleWriter
from .errors import SavedModelError

_UNKNOWN = None


def _text(value: Any) -> str:
    return os.fsdecode(np.asarray(value, object).item())


def _whole_names(tensor_names: np.ndarray, shape_and_slices: np.ndarray) -> list[str]:
    for name, part in zip(tensor_names.reshape(-1), shape_and_slices.reshape(-1), strict=True):
        if part:
            raise ValueError(
                f"The tensor {name!r} shall be saved or restored in slices ({part!r}); only whole ones can be."
            )
    return [_text(name) for name in tensor_names.reshape(-1)]


@op(
    "SaveV2[*dtypes](prefix: string, tensor_names: string, shape_and_slices: string, tensors: dtypes) -> ()",
    shape=lambda *inputs: [],
    stateful=True,
    host_only=True,
)
def save_v2(
    xp: Any, prefix: np.ndarray, tensor_names: np.ndarray, shape_and_slices: np.ndarray, tensors: Sequence[np.ndarray]
) -> tuple[()]:
    """Writes tensors into a bundle."""
    _write(_text(prefix), zip(_whole_names(tensor_names, shape_and_slices), tensors, strict=True))
    return ()


@op(
    "RestoreV2(prefix: string, tensor_names: string, shape_and_slices: string, *, dtypes: list(type)) -> (tensors: dtypes)",
    shape=lambda prefix, tensor_names, shape_and_slices, *, dtypes: [_UNKNOWN] * len(dtypes),
    stateful=True,
    host_only=True,
)
def restore_v2(
    xp: Any, prefix: np.ndarray, tensor_names: np.ndarray, shape_and_slices: np.ndarray, *, dtypes: Sequence[tf.DType]
) -> list[np.ndarray]:
    """Reads tensors from a bundle."""
    reader = _open(_text(prefix))
    arrays = [_read(reader, name) for name in _whole_names(tensor_names, shape_and_slices)]
    for name, array, dtype in zip(tensor_names.reshape(-1), arrays, dtypes, strict=True):
        if array.dtype != dtype.np_dtype:
            raise ValueError(
                f"The tensor {name!r} is {array.dtype} in the checkpoint {_text(prefix)!r}, not {dtype.name}."
            )
    return arrays


@op(
    "ShardedFilename(basename: string, shard: int32, num_shards: int32) -> (filename: string)",
    shape=lambda *inputs: (),
    host_only=True,
)
def sharded_filename(xp: Any, basename: np.ndarray, shard: np.ndarray, num_shards: np.ndarray) -> np.ndarray:
    """Gives the prefix of one of several bundles that make a checkpoint."""
    return np.array(f"{_text(basename)}-{int(shard):05d}-of-{int(num_shards):05d}".encode(), object)


@op(
    "MergeV2Checkpoints(checkpoint_prefixes: string, destination_prefix: string, *, delete_old_dirs: bool = True, "
    "allow_missing_files: bool = False) -> ()",
    shape=lambda *inputs, **attrs: [],
    stateful=True,
    host_only=True,
)
def merge_v2_checkpoints(
    xp: Any,
    checkpoint_prefixes: np.ndarray,
    destination_prefix: np.ndarray,
    *,
    delete_old_dirs: bool,
    allow_missing_files: bool,
) -> tuple[()]:
    """Makes one bundle of several."""
    prefixes = [_text(prefix) for prefix in checkpoint_prefixes.reshape(-1)]
    if allow_missing_files:
        prefixes = [prefix for prefix in prefixes if os.path.exists(f"{prefix}.index")]
    readers = [_open(prefix) for prefix in prefixes]
    _write(_text(destination_prefix), ((name, _read(reader, name)) for reader in readers for name in reader))
    for prefix in prefixes if delete_old_dirs else ():
        folder, start = os.path.split(prefix)
        for file in os.listdir(folder or "."):
            if file.startswith((f"{start}.index", f"{start}.data-")):
                os.remove(os.path.join(folder, file))
        try:
            os.rmdir(folder)
        except OSError:
            pass  # there is something else in it
    return ()


def _open(prefix: str) -> BundleReader:
    try:
        return BundleReader(prefix)
    except SavedModelError as error:
        raise tf.errors.DataLossError(str(error)) from error


def _read(reader: BundleReader, name: str) -> np.ndarray:
    try:
        return reader.read(name)
    except SavedModelError as error:
        raise tf.errors.DataLossError(str(error)) from error


def _write(prefix: str, tensors: Iterable[tuple[str, np.ndarray]]) -> None:
    os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
    with BundleWriter(prefix) as writer:
        for name, array in tensors:
            writer.add(name, array)
