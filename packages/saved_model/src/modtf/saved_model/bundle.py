"""Tensor bundles: the files of a checkpoint, and of a SavedModel's variables.

A bundle is two or more files that share a prefix:

- `PREFIX.index`: a sorted table (see `sstable`) from the empty key to a BundleHeaderProto, and from each tensor's name
  to a BundleEntryProto, which says type, shape, and where the data lie;
- `PREFIX.data-00000-of-0000N`: the data of all tensors, one after the other. Numbers are little-endian and row-major.
  Strings are their lengths (varints), the masked CRC of the lengths, and then their bytes.

A tensor may be stored in slices, as TF1's partitioned variables are: its entry then lists the slices, and each of these
has an entry of its own under an encoded key.
"""

from __future__ import annotations

import difflib
import itertools
import math
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from google.protobuf.message import DecodeError

from . import varint
from .boundary import reading
from .crc import crc32c, mask
from .dtypes import (
    STRING,
    data_type_name,
    data_type_of,
    from_bytes,
    numpy_dtype,
    split_strings,
    string_elements,
    to_bytes,
)
from .errors import DataLossError, NotFoundError, TensorNotFoundError, UnsupportedError
from .protos.checkpoint_pb2 import BundleEntryProto, BundleHeaderProto
from .protos.graph_pb2 import VersionDef
from .protos.tensor_pb2 import DT_RESOURCE, DT_VARIANT
from .slices import KEY_PREFIX, Slice, is_partition, parse_slice, slice_index, slice_key
from .sstable import read_table, write_table
from .tensor_protos import make_shape_proto, static_shape

_VERSION = 1
_HEADER_KEY = b""
_ALIGNMENT = 64  # of what is written, so that a mapped tensor can be used in place by SIMD code and by XLA
MAX_SLICES = 4096
_UINT32 = struct.Struct("<I")
_UINT64 = struct.Struct("<Q")


def index_file(prefix: str) -> str:
    """Returns the path of the index of a bundle."""
    return f"{prefix}.index"


def data_file(prefix: str, shard: int, shards: int) -> str:
    """Returns the path of one of the data files of a bundle."""
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """What a bundle's index says of one tensor.

    Attributes:
        data_type: its DataType number.
        shape: its shape.
        shard: the number of the data file.
        offset: where in that file its data begin, in bytes.
        size: how many bytes they are.
        crc32c: their masked CRC.
        slices: the slices it is stored in; then shard, offset, size and crc32c mean nothing.
    """

    data_type: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc32c: int
    slices: tuple[Slice, ...]

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the array that `BundleReader.read` returns.

        Raises:
            UnsupportedError: it is of a type which no array can have, such as DT_VARIANT.
        """
        return numpy_dtype(self.data_type)


class BundleReader(Mapping[str, BundleEntry]):
    """Reads a bundle: a mapping from the tensors' names to their entries, and their values by `read`.

    The data files are memory-mapped when first needed. Opening checks the whole index against the sizes of the data
    files; a tensor's bytes are checked by their CRC when they are first read.

    Args:
        prefix: the path without ".index", such as "model/variables/variables".

    Raises:
        NotFoundError: the index or a data file is missing.
        DataLossError: a file is truncated or altered, or the index contradicts itself or the files.
        UnsupportedError: the bundle is big-endian, or written for newer readers.
    """

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        self._prefix = os.fspath(prefix)
        self._index = index_file(self._prefix)
        self._maps: dict[int, np.ndarray] = {}
        self._intact: set[BundleEntry] = set()
        self._entries: dict[str, BundleEntry] = {}
        self._slices: dict[bytes, BundleEntry] = {}
        with reading(self._index):
            self._open()

    def _open(self) -> None:
        items = dict(read_table(read_file(self._index), self._index))
        if _HEADER_KEY not in items:
            raise DataLossError(f"{self._index}: has no header, so it is no tensor bundle.")
        header = self._parse(BundleHeaderProto(), items.pop(_HEADER_KEY), "header")
        self._check_header(header)
        self._files: list[str] = []
        self._sizes: list[int] = []
        for shard in range(header.num_shards):  # the first that is missing ends it, however many there should be
            self._files.append(data_file(self._prefix, shard, header.num_shards))
            self._sizes.append(_file_size(self._files[-1]))
        for key, value in items.items():
            if key.startswith(KEY_PREFIX):
                self._slices[key] = self._parse_entry(value, f"slice {key!r}")
            else:
                name = self._decode_name(key)
                self._entries[name] = self._parse_entry(value, f"tensor {name!r}")
        for name, entry in self._entries.items():
            if entry.slices:
                self._check_slices(name, entry)
        self._check_overlaps()

    def __getitem__(self, name: str) -> BundleEntry:
        try:
            return self._entries[name]
        except KeyError:
            near = difflib.get_close_matches(str(name), self._entries, n=3)
            raise TensorNotFoundError(
                f"{self._index} has no tensor {name!r}."
                + (f" Similar names: {', '.join(map(repr, near))}." if near else f" It has {len(self)} others.")
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def read(self, name: str) -> np.ndarray:
        """Returns the value of a tensor.

        Args:
            name: its name in the bundle.

        Returns:
            A read-only array. Numbers are a view of the mapped file where they are aligned there and not in slices;
            strings are objects, each of them `bytes`. The file may be replaced by a new one while the array lives, but
            must not be overwritten in place.

        Raises:
            TensorNotFoundError: the bundle has no such tensor.
            DataLossError: its bytes do not have the CRC that the index says.
            UnsupportedError: it is of a type that no array can have, such as DT_VARIANT.
        """
        entry = self[name]
        with reading(self._index, f"tensor {name!r}"):
            return self._read(name, entry)

    def _read(self, name: str, entry: BundleEntry) -> np.ndarray:
        dtype = numpy_dtype(entry.data_type, f"{self._index}: tensor {name!r}")
        if not entry.slices:
            return self._read_data(entry, dtype, f"tensor {name!r}")
        whole = np.empty(entry.shape, dtype)
        for slice_ in entry.slices:
            part = self._slices[slice_key(name, slice_)]
            whole[slice_index(slice_, entry.shape)] = self._read_data(part, dtype, f"slice {slice_} of tensor {name!r}")
        whole.flags.writeable = False
        return whole

    def _parse(self, message: Any, data: bytes, what: str) -> Any:
        try:
            message.ParseFromString(data)
        except DecodeError as error:
            raise DataLossError(f"{self._index}: {what} is no {type(message).__name__}: {error}") from None
        return message

    def _check_header(self, header: BundleHeaderProto) -> None:
        if header.endianness != BundleHeaderProto.LITTLE:
            raise UnsupportedError(f"{self._index}: the bundle is big-endian; only little-endian ones are read.")
        if header.version.min_consumer > _VERSION or _VERSION in header.version.bad_consumers:
            raise UnsupportedError(
                f"{self._index}: written for readers of version {header.version.min_consumer} or later, "
                f"but not {list(header.version.bad_consumers)}; this is version {_VERSION}."
            )
        if header.num_shards < 1:
            raise DataLossError(f"{self._index}: says that there are {header.num_shards} data files.")

    def _decode_name(self, key: bytes) -> str:
        try:
            return key.decode()
        except UnicodeDecodeError:
            raise DataLossError(f"{self._index}: the name {key!r} is not UTF-8.") from None

    def _parse_entry(self, data: bytes, what: str) -> BundleEntry:
        proto = self._parse(BundleEntryProto(), data, what)
        what = f"{self._index}: {what}"
        entry = BundleEntry(
            proto.dtype,
            static_shape(proto.shape, what),
            proto.shard_id,
            proto.offset,
            proto.size,
            proto.crc32c,
            tuple(parse_slice(slice_) for slice_ in proto.slices),
        )
        if not entry.slices:
            self._check_extent(entry, what)
        return entry

    def _check_extent(self, entry: BundleEntry, what: str) -> None:
        if not 0 <= entry.shard < len(self._files):
            raise DataLossError(f"{what} lies in data file {entry.shard}, but there are {len(self._files)}.")
        room = self._sizes[entry.shard]
        if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > room:
            raise DataLossError(
                f"{what} lies at {entry.offset} + {entry.size} bytes of {self._files[entry.shard]}, which has {room}; "
                "that file is truncated, or of another checkpoint."
            )
        if entry.data_type in (DT_RESOURCE, DT_VARIANT):
            return
        dtype, count = numpy_dtype(entry.data_type, what), math.prod(entry.shape)
        if dtype == STRING:
            least = count + _UINT32.size  # a byte for each length
            if entry.size < least:
                raise DataLossError(f"{what}: {entry.size} bytes, but strings of shape {entry.shape} take {least}.")
        elif entry.size != count * dtype.itemsize:
            raise DataLossError(
                f"{what}: {entry.size} bytes, but {data_type_name(entry.data_type)} of shape {entry.shape} "
                f"takes {count * dtype.itemsize}."
            )

    def _check_slices(self, name: str, entry: BundleEntry) -> None:
        what = f"{self._index}: tensor {name!r}"
        if len(entry.slices) > MAX_SLICES:
            raise UnsupportedError(f"{what} has {len(entry.slices)} slices; at most {MAX_SLICES} are read.")
        # Slices may claim the same bytes of a file, so that a small file could stand for a large tensor.
        dtype, count = numpy_dtype(entry.data_type, what), math.prod(entry.shape)
        if count * (1 if dtype == STRING else dtype.itemsize) > sum(self._sizes):
            raise DataLossError(f"{what} of shape {entry.shape} is larger than all data files together.")
        indices = []
        for slice_ in entry.slices:
            part, index = self._slices.get(slice_key(name, slice_)), slice_index(slice_, entry.shape)
            if part is None or index is None:
                raise DataLossError(f"{what} of shape {entry.shape} lists slice {slice_}, which is missing or outside.")
            shape = tuple(extent.stop - extent.start for extent in index)
            if part.slices or part.data_type != entry.data_type or part.shape != shape:
                raise DataLossError(
                    f"{what}: slice {slice_} is {data_type_name(part.data_type)} of shape {part.shape}, "
                    f"not {data_type_name(entry.data_type)} of shape {shape}."
                )
            indices.append(index)
        if not is_partition(indices, entry.shape):
            raise DataLossError(f"{what}: its {len(indices)} slices overlap or leave gaps in shape {entry.shape}.")

    def _check_overlaps(self) -> None:
        """Raises DataLossError if tensors share bytes, by which a small file could stand for much."""
        stored = [
            entry for entry in (*self._entries.values(), *self._slices.values()) if entry.size and not entry.slices
        ]
        stored.sort(key=_place)
        for first, second in itertools.pairwise(stored):
            if first.shard == second.shard and first.offset + first.size > second.offset:
                path = self._files[first.shard]
                raise DataLossError(
                    f"{self._index}: two tensors share bytes of {path}: {first.size} at {first.offset}, and {second.size} at "
                    f"{second.offset}."
                )

    def _read_data(self, entry: BundleEntry, dtype: np.dtype, what: str) -> np.ndarray:
        what = f"{self._files[entry.shard]}: {what}"
        raw = self._map(entry.shard)[entry.offset : entry.offset + entry.size]
        if dtype == STRING:
            return _decode_strings(raw.tobytes(), entry, what)
        if entry not in self._intact:
            _check_crc(crc32c(raw), entry.crc32c, what)
            self._intact.add(entry)
        return from_bytes(raw, dtype, entry.shape, what)

    def _map(self, shard: int) -> np.ndarray:
        if shard not in self._maps:
            path, size = self._files[shard], self._sizes[shard]
            if _file_size(path) != size:
                raise DataLossError(f"{path}: was {size} bytes when the bundle was opened, and is {_file_size(path)}.")
            self._maps[shard] = np.memmap(path, np.uint8, "r").view(np.ndarray) if size else np.empty(0, np.uint8)
        return self._maps[shard]


class BundleWriter:
    """Writes a bundle with one data file.

    The data are written as they are added, the index by `finish`, so that a bundle with an index is complete. Files are
    never overwritten, since arrays that were read from them may still be mapped: to replace a bundle, write the new one
    beside it and rename. Used in a `with` statement, it finishes at the end, or only closes if there was an exception.

    Args:
        prefix: the path without ".index"; its directory exists.

    Raises:
        FileExistsError: there are files of that prefix.
    """

    def __init__(self, prefix: str | os.PathLike[str]) -> None:
        self._prefix = os.fspath(prefix)
        if os.path.exists(index_file(self._prefix)):
            raise FileExistsError(f"{index_file(self._prefix)} exists; write to a new prefix, then rename.")
        self._data = open(data_file(self._prefix, 0, 1), "xb")  # noqa: SIM115 (finish and __exit__ close it)
        self._end = 0
        self._entries: dict[bytes, bytes] = {}

    def add(self, name: str, array: np.ndarray | bytes, data_type: int | None = None) -> None:
        """Writes a tensor.

        Args:
            name: its name in the bundle.
            array: numbers, or objects which are all `bytes`; one `bytes` is a scalar string.
            data_type: the DataType number to store, for a type which shares its dtype with another (DT_QINT8).

        Raises:
            TypeError: the dtype is none of TensorFlow's.
            ValueError: the name is empty, begins with a NUL, or is there already.
        """
        key = name.encode()
        if not key or key.startswith(KEY_PREFIX) or key in self._entries:
            raise ValueError(f"{self._prefix}: {name!r} is there already, is empty, or begins with NUL.")
        array = np.asarray(array, object) if isinstance(array, bytes) else np.asarray(array)
        data_type = data_type_of(array.dtype, data_type)
        data, crc = _encode_strings(array) if array.dtype == STRING else _encode_numbers(array)
        offset = self._end + -self._end % _ALIGNMENT
        self._data.seek(offset)
        self._data.write(data)  # type: ignore[arg-type]
        self._end = offset + len(data)
        self._entries[key] = BundleEntryProto(
            dtype=data_type,  # type: ignore[arg-type]
            shape=make_shape_proto(array.shape),
            offset=offset,
            size=len(data),
            crc32c=mask(crc),
        ).SerializeToString()

    def finish(self) -> None:
        """Writes the index and closes the files; their bytes are on the disk when it returns."""
        with self._data:
            self._data.truncate(self._end)
            _flush(self._data)
        self.write_index(index_file(self._prefix))

    def write_index(self, path: str | os.PathLike[str], files: int = 1) -> None:
        """Writes the index of what was added to a new file.

        Args:
            path: the file.
            files: of how many data files, of which all but the first are empty, the index is.
        """
        header = BundleHeaderProto(num_shards=files, version=VersionDef(producer=_VERSION)).SerializeToString()
        with open(path, "xb") as index:
            write_table(index, [(_HEADER_KEY, header), *sorted(self._entries.items())])
            _flush(index)

    def __enter__(self) -> BundleWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        else:
            self._data.close()


def read_file(path: str) -> bytes:
    """Returns the content of a file.

    Raises:
        NotFoundError: it is missing, or is something that may have no end, such as a device.
    """
    _file_size(path)
    with open(path, "rb") as file:
        return file.read()


def _file_size(path: str) -> int:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        raise NotFoundError(f"{path} is missing.") from None
    if not stat.S_ISREG(status.st_mode):
        raise NotFoundError(f"{path} is no file.")
    return status.st_size


def _place(entry: BundleEntry) -> tuple[int, int]:
    return entry.shard, entry.offset


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _check_crc(actual: int, expected: int, what: str) -> None:
    if mask(actual) != expected:
        raise DataLossError(f"{what} has CRC {mask(actual):#010x}, expected {expected:#010x}; the file is altered.")


def _encode_numbers(array: np.ndarray) -> tuple[np.ndarray, int]:
    raw = to_bytes(array)
    return raw, crc32c(raw)


def _encode_strings(array: np.ndarray) -> tuple[bytes, int]:
    strings = string_elements(array)
    crc_of_lengths = _crc_of_lengths(map(len, strings))
    stored_crc = _UINT32.pack(mask(crc_of_lengths))
    text = b"".join(strings)
    lengths = b"".join(varint.encode(len(string)) for string in strings)
    return lengths + stored_crc + text, crc32c(text, crc32c(stored_crc, crc_of_lengths))


def _decode_strings(data: bytes, entry: BundleEntry, what: str) -> np.ndarray:
    lengths, at = varint.decode_many(data, math.prod(entry.shape), what)
    text = at + _UINT32.size
    if text + sum(lengths) != len(data):
        raise DataLossError(f"{what}: {len(data)} bytes, but {len(lengths)} strings take {text + sum(lengths)}.")
    crc = _crc_of_lengths(lengths)
    _check_crc(crc, _UINT32.unpack_from(data, at)[0], f"{what}: lengths of the strings")
    _check_crc(crc32c(data[at:], crc), entry.crc32c, what)
    return split_strings(data[text:], lengths, entry.shape)


def _crc_of_lengths(lengths: Iterable[int]) -> int:
    """Each length counts with four bytes, or with eight if it needs them."""
    return crc32c(b"".join((_UINT64 if length >> 32 else _UINT32).pack(length) for length in lengths))
