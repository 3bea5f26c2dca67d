"""Checkpoints as TensorFlow wrote them before tensor bundles ("V1"): tables with the values of slices of tensors."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from .boundary import reading
from .bundle import MAX_SLICES, read_file
from .dtypes import numpy_dtype
from .errors import DataLossError, NotFoundError, TensorNotFoundError, UnsupportedError
from .protos.checkpoint_pb2 import SavedTensorSlices
from .slices import Slice, is_partition, parse_slice, slice_index, slice_key
from .sstable import read_table
from .tensor_protos import make_ndarray, make_shape_proto, static_shape

_META_KEY = b""
_VERSION = 1


@dataclass(frozen=True)
class LegacyEntry:
    """What a checkpoint says of one tensor.

    Attributes:
        data_type: its DataType number.
        shape: its shape.
        slices: the slices it is stored in.
    """

    data_type: int
    shape: tuple[int, ...]
    slices: tuple[Slice, ...]

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the array that `LegacyReader.read` returns."""
        return numpy_dtype(self.data_type)


class LegacyReader(Mapping[str, LegacyEntry]):
    """Reads such a checkpoint: a mapping from the tensors' names to their entries, and their values by `read`.

    Args:
        path: the file; or, if there are several, what stands in their names before `-00000-of-00002`.

    Raises:
        NotFoundError: there is no such file.
        DataLossError: a file is truncated or altered, or contradicts itself.
        UnsupportedError: it is compressed in a way that is not read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._entries: dict[str, LegacyEntry] = {}
        self._data: dict[bytes, bytes] = {}
        with reading(self._path):
            self._open()

    def _open(self) -> None:
        files = legacy_files(self._path)
        if not files:
            raise NotFoundError(f"There is no checkpoint {self._path!r}.")
        slices_of: dict[str, list[Slice]] = {}
        for file in files:
            items = dict(read_table(read_file(file), file))
            if _META_KEY not in items:
                raise DataLossError(f"{file}: has no description of its tensors, so it is no checkpoint.")
            meta = _parsed(items.pop(_META_KEY), file).meta
            if meta.versions.min_consumer > _VERSION:
                raise DataLossError(f"{file}: is for readers of version {meta.versions.min_consumer} or later.")
            self._data.update(items)
            for tensor in meta.tensor:
                shape = static_shape(tensor.shape, f"{file}: tensor {tensor.name!r}")
                slices = slices_of.setdefault(tensor.name, [])
                slices += map(parse_slice, tensor.slice)
                if len(slices) > MAX_SLICES:
                    raise UnsupportedError(f"{file}: tensor {tensor.name!r} has more than {MAX_SLICES} slices.")
                self._entries[tensor.name] = LegacyEntry(tensor.type, shape, tuple(slices))
        for name, entry in self._entries.items():
            indices = [slice_index(part, entry.shape) for part in entry.slices]
            within = [index for index in indices if index is not None]
            if len(within) != len(indices) or not is_partition(within, entry.shape):
                raise DataLossError(f"{self._path}: the slices of the tensor {name!r} do not make {entry.shape}.")

    def __getitem__(self, name: str) -> LegacyEntry:
        try:
            return self._entries[name]
        except KeyError:
            raise TensorNotFoundError(f"{self._path} has no tensor {name!r}. It has {len(self)} others.") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def read(self, name: str) -> np.ndarray:
        """Returns the value of a tensor, a read-only array.

        Raises:
            TensorNotFoundError: there is no such tensor.
            DataLossError: a slice is missing, or its values do not fit it.
        """
        entry = self[name]
        with reading(self._path, f"tensor {name!r}"):
            return self._read(name, entry)

    def _read(self, name: str, entry: LegacyEntry) -> np.ndarray:
        parts = [(slice_index(part, entry.shape), self._read_slice(name, part, entry)) for part in entry.slices]
        if len(parts) == 1:
            return parts[0][1]
        whole = np.empty(entry.shape, entry.dtype)
        for index, part in parts:
            whole[index] = part
        whole.flags.writeable = False
        return whole

    def _read_slice(self, name: str, part: Slice, entry: LegacyEntry) -> np.ndarray:
        what = f"{self._path}: tensor {name!r}"
        key = slice_key(name, part)
        if key not in self._data:
            raise DataLossError(f"{what}: the slice {part} is missing.")
        proto = _parsed(self._data[key], what).data.data
        index = slice_index(part, entry.shape) or ()
        proto.dtype = entry.data_type
        proto.tensor_shape.CopyFrom(make_shape_proto([extent.stop - extent.start for extent in index]))
        return make_ndarray(proto, what, may_repeat=False)


def legacy_files(path: str) -> list[str]:
    """Returns the files of a checkpoint of that name, if there are any that could be."""
    if os.path.isfile(path):
        return [path]
    return sorted(glob.glob(f"{glob.escape(path)}-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]"))


def _parsed(data: bytes, what: str) -> Any:
    try:
        return SavedTensorSlices.FromString(data)
    except DecodeError as error:
        raise DataLossError(f"{what}: is no SavedTensorSlices: {error}") from None
