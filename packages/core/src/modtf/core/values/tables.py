"""Lookup tables: the resources behind `tf.lookup`, from keys to values.

A table keeps its values as the rows of one array and, in a dict, the row of each key, so that a lookup of many keys is
one pass over the dict and one indexing of the array.
"""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from modtf.core.values.dtypes import DType, string
from modtf.core.values.errors import (
    AbortedError,
    DtypeMismatchError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    UnimplementedError,
)
from modtf.core.values.shapes import TensorShape


class Table:
    """A table to which entries can be added. Any number of threads may use it at once.

    Args:
        key_dtype: The keys' dtype.
        value_dtype: The values' dtype.
        value_shape: The shape of one value.
        key_shape: The shape of one key.

    Attributes:
        lock: Held while the table is looked into or changed.
        name: The name it is shared by, `""` if it is not.
        dims: `None`: what a handle of a variable says here, a table does not have.
    """

    dims = None
    kind = "MutableHashTable"

    def __init__(
        self, key_dtype: DType, value_dtype: DType, value_shape: Sequence[int] = (), key_shape: Sequence[int] = ()
    ) -> None:
        self.key_dtype = key_dtype
        self.value_dtype = value_dtype
        self.value_shape = tuple(value_shape)
        self.key_shape = tuple(key_shape)
        self.name = ""
        self.lock = threading.RLock()
        self._clear()

    def _clear(self) -> None:
        self._rows: dict[Any, int] = {}
        self._free: list[int] = []
        self._values = np.empty((0, *self.value_shape), self.value_dtype.np_dtype)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.key_dtype.name} -> {self.value_dtype.name}, {self.size()} entries>"

    def size(self) -> int:
        """How many entries there are."""
        return len(self._rows)

    def find(self, keys: np.ndarray, default: np.ndarray) -> np.ndarray:
        """Returns the values of keys.

        Args:
            keys: The keys, of any shape.
            default: What stands for keys that are not there: one value, or one for each key.

        Raises:
            InvalidArgumentError: A dtype or shape is not the table's.
        """
        self._check_dtypes(keys, default)
        outer = self._outer_shape(keys)
        shape = (*outer, *self.value_shape)
        if default.shape not in (self.value_shape, shape):
            one, each = (str(list(item)) for item in (self.value_shape, shape))
            raise InvalidArgumentError(f"Expected shape {one} or {each} for default value, got {list(default.shape)}.")
        names = self._names(keys)
        with self.lock:
            rows = np.fromiter(map(self._rows.get, names, itertools.repeat(-1)), np.int64, math.prod(outer))
            found = rows >= 0
            if found.all():
                return self._values[rows].reshape(shape)
            result = np.empty((len(rows), *self.value_shape), self.value_dtype.np_dtype)
            result[found] = self._values[rows[found]]
        missing = ~found
        if default.shape == self.value_shape:
            result[missing] = default
        else:
            result[missing] = self._defaults(default.reshape(result.shape))[missing]
        return result.reshape(shape)

    def _defaults(self, defaults: np.ndarray) -> np.ndarray:
        return defaults

    def insert(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Adds entries; those whose keys are there already are replaced. Of equal keys the last counts.

        Raises:
            InvalidArgumentError: A dtype or shape is not the table's.
        """
        names = self._checked(keys, values)
        with self.lock:
            self._insert(names, values)

    def _checked(self, keys: np.ndarray, values: np.ndarray) -> list[Any]:
        self._check_dtypes(keys, values)
        expected = (*self._outer_shape(keys), *self.value_shape)
        if values.shape != expected:
            raise InvalidArgumentError(f"Expected shape {list(expected)} for value, got {list(values.shape)}.")
        return self._names(keys)

    def _insert(self, names: list[Any], values: np.ndarray) -> None:
        known, free, size = self._rows, self._free, len(self._rows) + len(self._free)
        rows = []
        for name in names:
            row = known.get(name)
            if row is None:
                if free:
                    row = free.pop()
                else:
                    row, size = size, size + 1
                known[name] = row
            rows.append(row)
        if size > len(self._values):
            grown = np.empty((max(size, 2 * len(self._values)), *self.value_shape), self.value_dtype.np_dtype)
            grown[: len(self._values)] = self._values
            self._values = grown
        if rows:
            self._values[rows] = values.reshape(len(rows), *self.value_shape)

    def remove(self, keys: np.ndarray) -> None:
        """Removes the entries with these keys, as far as there are any."""
        self._check_dtypes(keys)
        names = self._names(keys)
        with self.lock:
            for name in names:
                row = self._rows.pop(name, None)
                if row is not None:
                    self._free.append(row)

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns all keys and their values, in the order in which the keys came into the table."""
        with self.lock:
            values = self._values[np.fromiter(self._rows.values(), np.int64, len(self._rows))]
            return self._key_array(list(self._rows)), values

    def import_(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Replaces the whole content."""
        names = self._checked(keys, values)
        with self.lock:
            self._clear()
            self._insert(names, values)

    def initialize(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Fills a table that is filled once.

        Raises:
            InvalidArgumentError: The table is of another kind.
        """
        raise InvalidArgumentError(
            f"Table {self.name} is not initializable; it is a {self.kind}. Insert into it instead."
        )

    def _check_dtypes(self, keys: np.ndarray, values: np.ndarray | None = None) -> None:
        right = keys.dtype == self.key_dtype.np_dtype
        if not right or (values is not None and values.dtype != self.value_dtype.np_dtype):
            given = [keys.dtype] if values is None else [keys.dtype, values.dtype]
            names = [str(item).replace("object", "string") for item in given]
            raise DtypeMismatchError(
                f"Signature mismatch: the table maps {self.key_dtype.name} to {self.value_dtype.name}, but was given "
                f"{' and '.join(names)}. Convert with tf.cast."
            )

    def _outer_shape(self, keys: np.ndarray) -> tuple[int, ...]:
        """The shape of the keys as a whole, a key being one thing."""
        if not self.key_shape:
            return keys.shape
        outer = len(keys.shape) - len(self.key_shape)
        if outer < 0 or keys.shape[outer:] != self.key_shape:
            raise InvalidArgumentError(
                f"Input key shape {list(keys.shape)} must end with the table's key shape {list(self.key_shape)}."
            )
        return keys.shape[:outer]

    def _names(self, keys: np.ndarray) -> list[Any]:
        """The keys as what the dict has: Python values; tuples, where a key is an array."""
        if not self.key_shape:
            return keys.reshape(-1).tolist()
        return list(map(tuple, keys.reshape(-1, math.prod(self.key_shape)).tolist()))

    def _key_array(self, names: list[Any]) -> np.ndarray:
        flat = names if not self.key_shape else [item for name in names for item in name]
        array = np.empty(len(flat), self.key_dtype.np_dtype)
        if flat:
            array[:] = flat
        return array.reshape(len(names), *self.key_shape)


class StaticTable(Table):
    """A table that is filled once, at its initialisation."""

    kind = "HashTable"

    def __init__(self, key_dtype: DType, value_dtype: DType) -> None:
        super().__init__(key_dtype, value_dtype)
        self._initialized = False

    def find(self, keys: np.ndarray, default: np.ndarray) -> np.ndarray:
        self._check_dtypes(keys, default)
        if not self._initialized:
            raise FailedPreconditionError("Table not initialized.")
        return super().find(keys, default)

    def _defaults(self, defaults: np.ndarray) -> np.ndarray:
        return np.broadcast_to(defaults[:1], defaults.shape)  # as TensorFlow's tables of this kind take them

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        if not self._initialized:
            raise AbortedError("HashTable is not initialized.")
        return super().export()

    def insert(self, keys: np.ndarray, values: np.ndarray) -> None:
        raise UnimplementedError("Insert not supported: the table is filled at its initialisation only.")

    def remove(self, keys: np.ndarray) -> None:
        raise UnimplementedError("Remove not supported: the table is filled at its initialisation only.")

    def import_(self, keys: np.ndarray, values: np.ndarray) -> None:
        self.initialize(keys, values)

    def initialize(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Fills the table; to do so again with the same entries is no mistake.

        Raises:
            FailedPreconditionError: A key has two values, or the table has other entries already.
        """
        self._check_dtypes(keys, values)
        if keys.ndim != 1:
            raise InvalidArgumentError(f"Keys must be a vector, but received shape{list(keys.shape)}.")
        if keys.shape != values.shape:
            raise InvalidArgumentError(f"Keys and values must have the same size {keys.size} vs {values.size}.")
        entries: dict[Any, Any] = {}
        for key, value in zip(keys.tolist(), values.tolist(), strict=True):
            if entries.setdefault(key, value) != value:
                raise FailedPreconditionError(
                    f"HashTable has different value for same key. Key {_shown(key)} has {_shown(entries[key])} and trying "
                    f"to add value {_shown(value)}."
                )
        with self.lock:
            if self._initialized:
                known, present = (array.tolist() for array in self.export())
                if dict(zip(known, present, strict=True)) != entries:
                    raise FailedPreconditionError("Table was already initialized with different data.")
                return
            self._insert(list(entries), _array(entries.values(), values.dtype))
            self._initialized = True


class DenseTable(Table):
    """A table with two keys that it cannot have: TensorFlow marks unused and removed entries with them.

    Args:
        empty_key: The one that marks unused entries in what is exported.
        deleted_key: The other one.
        value_dtype: The values' dtype.
        value_shape: The shape of one value.
        key_dtype: The keys' dtype.
        buckets: The least number of entries, used and unused, that are exported: a power of 2.
        load: Which part of them is used at most.
    """

    kind = "MutableDenseHashTable"

    def __init__(
        self,
        empty_key: np.ndarray,
        deleted_key: np.ndarray,
        key_dtype: DType,
        value_dtype: DType,
        value_shape: Sequence[int],
        buckets: int,
        load: float,
    ) -> None:
        if buckets < 4 or buckets & (buckets - 1):
            raise InvalidArgumentError(f"Number of buckets must be at least 4 and a power of 2, got: {buckets}.")
        if not 0 < load < 1:
            raise InvalidArgumentError(f"max_load_factor must be between 0 and 1, got: {load}.")
        if empty_key.shape != deleted_key.shape:
            raise InvalidArgumentError(
                f"Empty and deleted keys must have same shape, got shapes: {list(empty_key.shape)} and "
                f"{list(deleted_key.shape)}."
            )
        super().__init__(key_dtype, value_dtype, value_shape, empty_key.shape)
        (self._empty,), (self._deleted,) = self._plain_names(empty_key), self._plain_names(deleted_key)
        if self._empty == self._deleted:
            raise InvalidArgumentError(f"Empty and deleted keys cannot be equal, got {_shown(self._empty)} for both.")
        self._buckets = buckets
        self._load = load

    def _plain_names(self, keys: np.ndarray) -> list[Any]:
        return super()._names(keys)

    def _names(self, keys: np.ndarray) -> list[Any]:
        names = self._plain_names(keys)
        for mark, what in ((self._empty, "empty_key"), (self._deleted, "deleted_key")):
            if mark in names:
                raise InvalidArgumentError(f"Using the {what} as a table key is not allowed: {_shown(mark)}.")
        return names

    def export(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the buckets of TensorFlow's table with these entries; unused ones have the empty key."""
        with self.lock:
            keys, values = super().export()
        count = self._buckets
        while len(keys) > self._load * count:
            count *= 2
        names = [self._empty] * count
        shape = self.value_shape or (1,)
        held = np.full((count, *shape), b"" if self.value_dtype is string else 0, self.value_dtype.np_dtype)
        mask = count - 1
        plain = self._plain_names(keys)
        for name, hashed, value in zip(plain, self._hashes(plain), values.reshape(-1, *shape), strict=True):
            place, probes = hashed & mask, 0
            while names[place] != self._empty:
                probes += 1
                place = (place + probes) & mask
            names[place] = name
            held[place] = value
        return self._key_array(names).reshape(count, *(self.key_shape or (1,))), held

    def _hashes(self, names: list[Any]) -> Iterable[int]:
        """The numbers by which TensorFlow places keys in its buckets."""
        size = math.prod(self.key_shape)
        parts = [part for name in names for part in name] if self.key_shape else names
        if self.key_dtype is string:
            from modtf.core.ops.strings.hash_functions import murmur64a

            hashes = murmur64a(parts, _SEED).tolist()
        else:
            hashes = [int(part) & _MASK for part in parts]
        if size == 1:
            return hashes
        return [_combined(hashes[start : start + size]) for start in range(0, len(hashes), size)]

    def import_(self, keys: np.ndarray, values: np.ndarray) -> None:
        """Replaces the whole content by what `export` gave; entries with the two special keys are left out."""
        keys, values = (
            array.reshape(array.shape[0], *shape) if array.ndim == 2 and not shape else array
            for array, shape in ((keys, self.key_shape), (values, self.value_shape))
        )
        used = [name not in (self._empty, self._deleted) for name in self._plain_names(keys)]
        super().import_(keys[used], values[used])


_MASK = (1 << 64) - 1
_SEED = 0xDECAFCAFFE


def _combined(hashes: Iterable[int]) -> int:
    result = 0
    for hashed in hashes:
        result ^= (hashed + 0x9E3779B97F4A7800 + (result << 10) + (result >> 4)) & _MASK
    return result


class SharedTables:
    """The tables that have names, by which the ops that make tables find them again. They live until they are destroyed."""

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str], Table] = {}
        self._lock = threading.Lock()

    def get(self, container: str, name: str, make: Callable[[], Table]) -> Table:
        """Returns the table of a name, which is made if there is none.

        Raises:
            InvalidArgumentError: It maps other dtypes, or is of another kind, than the one that `make` gives.
        """
        made = make()
        if not name:
            return made
        with self._lock:
            found = self._tables.setdefault((container, name), made)
        found.name = name
        if (found.kind, found.key_dtype, found.value_dtype) != (made.kind, made.key_dtype, made.value_dtype):
            raise InvalidArgumentError(f"The table {name!r} exists already, as {found!r}; {made!r} was asked for.")
        return found

    def destroy(self, table: Table, ignore_lookup_error: bool) -> None:
        """Forgets a table's name; what still has its handle can use it on.

        Raises:
            NotFoundError: It has none, or is forgotten already.
        """
        with self._lock:
            names = [name for name, known in self._tables.items() if known is table]
            for name in names:
                del self._tables[name]
        if not names and not ignore_lookup_error:
            raise NotFoundError(f"{table!r} does not exist under any name.")


SHARED = SharedTables()
"""The process's."""


def table_of(resource: Any) -> Table:
    """Returns the table that a handle refers to.

    Raises:
        InvalidArgumentError: It refers to something else.
    """
    if not isinstance(resource, Table):
        raise InvalidArgumentError(f"A table's handle is needed here, but this is one of {resource!r}.")
    return resource


def static_shape(shape: TensorShape) -> tuple[int, ...]:
    """Returns the shape of a table's values, which must be known."""
    if not shape.is_fully_defined():
        raise InvalidArgumentError(f"The shape of a table's values must be known, but is {shape}.")
    return tuple(size for size in shape.as_list() if size is not None)


def _array(values: Iterable[Any], dtype: np.dtype) -> np.ndarray:
    items = list(values)
    array = np.empty(len(items), dtype)
    if items:
        array[:] = items
    return array


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
