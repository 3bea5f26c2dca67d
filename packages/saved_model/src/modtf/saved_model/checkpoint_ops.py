"""The ops that save and restore tensors, which saved models have in their graphs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import op

from .bundle import BundleReader, BundleWriter
from .checkpoint_files import open_checkpoint
from .errors import SavedModelError
from .legacy_checkpoint import LegacyReader
from .slices import WHOLE, slice_index

_UNKNOWN = None


def _text(value: Any) -> str:
    return os.fsdecode(np.asarray(value, object).item())


def _whole_names(tensor_names: np.ndarray, shape_and_slices: np.ndarray) -> list[str]:
    for name, part in zip(tensor_names.reshape(-1), shape_and_slices.reshape(-1), strict=True):
        if part:
            raise ValueError(f"The tensor {name!r} shall be saved in slices ({part!r}); only whole ones can be.")
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
    arrays = [
        _read_part(reader, _text(name), _text(part))
        for name, part in zip(tensor_names.reshape(-1), shape_and_slices.reshape(-1), strict=True)
    ]
    for name, array, dtype in zip(tensor_names.reshape(-1), arrays, dtypes, strict=True):
        if array.dtype != dtype.np_dtype:
            raise ValueError(
                f"The tensor {name!r} is {array.dtype} in the checkpoint {_text(prefix)!r}, not {dtype.name}."
            )
    return arrays


@op(
    "Restore(file_pattern: string, tensor_name: string, *, dt: type, preferred_shard: int = -1) -> (tensor: dt)",
    shape=lambda *inputs, **attrs: _UNKNOWN,
    stateful=True,
    host_only=True,
)
def restore(
    xp: Any, file_pattern: np.ndarray, tensor_name: np.ndarray, *, dt: tf.DType, preferred_shard: int
) -> np.ndarray:
    """Reads a tensor of a checkpoint, as graphs do that are older than bundles."""
    return restore_v2(xp, file_pattern, tensor_name.reshape(1), np.array([b""], object), dtypes=[dt])[0]


@op(
    "RestoreSlice(file_pattern: string, tensor_name: string, shape_and_slice: string, *, dt: type, "
    "preferred_shard: int = -1) -> (tensor: dt)",
    shape=lambda *inputs, **attrs: _UNKNOWN,
    stateful=True,
    host_only=True,
)
def restore_slice(
    xp: Any,
    file_pattern: np.ndarray,
    tensor_name: np.ndarray,
    shape_and_slice: np.ndarray,
    *,
    dt: tf.DType,
    preferred_shard: int,
) -> np.ndarray:
    """Reads a slice of a tensor of a checkpoint, as graphs do that are older than bundles."""
    return restore_v2(xp, file_pattern, tensor_name.reshape(1), shape_and_slice.reshape(1), dtypes=[dt])[0]


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


def _open(prefix: str) -> BundleReader | LegacyReader:
    try:
        return open_checkpoint(prefix)
    except SavedModelError as error:
        raise tf.errors.DataLossError(str(error)) from error


def _read(reader: BundleReader | LegacyReader, name: str) -> np.ndarray:
    try:
        return reader.read(name)
    except SavedModelError as error:
        raise tf.errors.DataLossError(str(error)) from error


def _read_part(reader: BundleReader | LegacyReader, name: str, part: str) -> np.ndarray:
    """Reads a tensor; with a text such as `4 10 0,2:-`, its rows 0 and 1 of 4, of 10 columns each."""
    whole = _read(reader, name)
    if not part:
        return whole
    *sizes, extents = part.split(" ")
    try:
        shape = tuple([int(size) for size in sizes])
        slice_ = tuple([_extent(extent) for extent in extents.split(":")])
    except ValueError:
        raise ValueError(f"The tensor {name!r} shall be restored in a slice {part!r}, which is none.") from None
    index = slice_index(slice_, shape)
    if shape != whole.shape or index is None:
        raise ValueError(f"The slice {part!r} is none of the tensor {name!r}, whose shape is {list(whole.shape)}.")
    return whole[index]


def _extent(text: str) -> tuple[int, int]:
    if text == "-":
        return 0, WHOLE
    start, length = text.split(",")
    return int(start), int(length)


def _write(prefix: str, tensors: Iterable[tuple[str, np.ndarray]]) -> None:
    os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
    with BundleWriter(prefix) as writer:
        for name, array in tensors:
            writer.add(name, array)
