"""Tables that are filled once: static ones, vocabularies, and what fills them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modtf.core.api.lookup.interface import LookupInterface, on_values
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.assets import AssetPath
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor

__all__ = [
    "KeyValueTensorInitializer", "StaticHashTable", "StaticVocabularyTable", "TextFileIndex", "TextFileInitializer",
]  # fmt: skip


class TextFileIndex:
    """What of a line of a text file is a key or a value; a number from 0 means that column.

    Attributes:
        WHOLE_LINE: The line's text.
        LINE_NUMBER: Its number, from 0.
    """

    WHOLE_LINE = -2
    LINE_NUMBER = -1


class TableInitializer:
    """What fills a `StaticHashTable`. A subclass has `initialize(table)`, which is called once for each table.

    Args:
        key_dtype: The keys' dtype.
        value_dtype: The values' dtype.
    """

    def __init__(self, key_dtype: Any, value_dtype: Any) -> None:
        self._key_dtype = as_dtype(key_dtype)
        self._value_dtype = as_dtype(value_dtype)

    @property
    def key_dtype(self) -> DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        return self._value_dtype

    def initialize(self, table: LookupInterface) -> Any:
        """Fills a table."""
        raise NotImplementedError

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns what is saved with the table: files that it is filled from."""
        return {}


class KeyValueTensorInitializer(TableInitializer):
    """Fills a table with given keys and values.

    Args:
        keys: The keys, a vector.
        values: Their values, a vector of the same length.
        key_dtype: The keys' dtype; by default what `keys` is as a tensor.
        value_dtype: The values' dtype, likewise.
        name: A name for the graph node.

    Raises:
        TypeError: Keys or values are not of the dtype that was asked for.
    """

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: str | None = None
    ) -> None:
        with contexts.init_scope():
            self._keys = convert_to_tensor(keys, dtype=key_dtype)
            self._values = convert_to_tensor(values, dtype=value_dtype)
        self._name = name
        super().__init__(self._keys.dtype, self._values.dtype)

    def initialize(self, table: LookupInterface) -> Any:
        """Fills a table.

        Raises:
            FailedPreconditionError: A key is given twice with different values.
        """
        _check_dtypes(table, self)
        return raw.InitializeTableV2(table.resource_handle, self._keys, self._values, name=self._name)


class TextFileInitializer(TableInitializer):
    """Fills a table from a text file, a line an entry.

    Args:
        filename: The file. It is saved with the model that uses the table.
        key_dtype: The keys' dtype: string, int32, int64 or a float.
        key_index: What of a line the key is; see `TextFileIndex`.
        value_dtype: The values' dtype.
        value_index: What of a line the value is.
        vocab_size: How many lines to read; by default all.
        delimiter: The character between columns.
        name: A name for the graph node.
        value_index_offset: What is added to the line numbers.

    Raises:
        ValueError: An index or size is none, or line numbers are asked for in another dtype than int64.
    """

    def __init__(
        self,
        filename: Any,
        key_dtype: Any,
        key_index: int,
        value_dtype: Any,
        value_index: int,
        vocab_size: int | None = None,
        delimiter: str = "\t",
        name: str | None = None,
        value_index_offset: int = 0,
    ) -> None:
        super().__init__(key_dtype, value_dtype)
        if not isinstance(filename, Tensor) and not filename:
            raise ValueError("`filename` argument required for tf.lookup.TextFileInitializer.")
        for what, dtype, index in (("key", self._key_dtype, key_index), ("value", self._value_dtype, value_index)):
            if index < TextFileIndex.WHOLE_LINE:
                raise ValueError(f"`{what}_index` should be >= {TextFileIndex.WHOLE_LINE}, received: {index}.")
            if index == TextFileIndex.LINE_NUMBER and dtype is not dtypes.int64:
                raise ValueError(f"`{what}_dtype` must be int64 for `{what}_index` -1, received: {dtype.name}.")
            if index == TextFileIndex.WHOLE_LINE and not (dtype.is_integer or dtype is dtypes.string):
                raise ValueError(
                    f"`{what}_dtype` must be string or an integer for `{what}_index` -2, received: {dtype.name}."
                )
        if vocab_size is not None and vocab_size <= 0:
            raise ValueError(f"`vocab_size` should be > 0, received: {vocab_size}.")
        self._filename = _asset(filename)
        self._key_index = key_index
        self._value_index = value_index
        self._vocab_size = -1 if vocab_size is None else vocab_size
        self._delimiter = delimiter
        self._name = name
        self._offset = value_index_offset

    def initialize(self, table: LookupInterface) -> Any:
        """Fills a table.

        Raises:
            NotFoundError: There is no such file.
            InvalidArgumentError: A line is not as it should be.
            FailedPreconditionError: A key is there twice with different values.
        """
        _check_dtypes(table, self)
        return raw.InitializeTableFromTextFileV2(
            table.resource_handle,
            self._filename,
            key_index=self._key_index,
            value_index=self._value_index,
            vocab_size=self._vocab_size,
            delimiter=self._delimiter,
            offset=self._offset,
            name=self._name,
        )

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns the file's path, an `AssetPath`."""
        return {"_filename": self._filename}


def _asset(filename: Any) -> AssetPath:
    if isinstance(filename, AssetPath):
        return filename
    if isinstance(filename, SymbolicTensor):
        raise ValueError("`filename` must be known when the table is made; it is a symbolic tensor.")
    return AssetPath(filename.numpy() if isinstance(filename, EagerTensor) else filename)


def _check_dtypes(table: LookupInterface, initializer: TableInitializer) -> None:
    wanted, given = (table.key_dtype, table.value_dtype), (initializer.key_dtype, initializer.value_dtype)
    if wanted != given:
        raise TypeError(
            f"The table maps {wanted[0].name} to {wanted[1].name}, but its initializer gives {given[0].name} and "
            f"{given[1].name}."
        )


class StaticHashTable(LookupInterface):
    """A table that never changes once it is made.

    Args:
        initializer: What it is filled with.
        default_value: The value of keys that are not in it, a scalar.
        name: A name for the table.
        experimental_is_anonymous: Without effect: no other object has this table.

    Raises:
        TypeError: `default_value` is not of the values' dtype.
        ValueError: It is not a scalar.
    """

    def __init__(
        self, initializer: Any, default_value: Any, name: str | None = None, experimental_is_anonymous: bool = False
    ) -> None:
        super().__init__(initializer.key_dtype, initializer.value_dtype, default_value, name)
        if self._default_value.dims != ():
            raise ValueError(f"`default_value` must be a scalar, but its shape is {self._default_value.shape}.")
        self._initializer = initializer
        with contexts.init_scope():
            self._resource_handle = raw.AnonymousHashTable(key_dtype=self._key_dtype, value_dtype=self._value_dtype)
            self._initialize()

    @property
    def default_value(self) -> Tensor:
        """The value of keys that are not in the table."""
        return self._default_value

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """Returns the values of keys.

        Args:
            keys: The keys: a tensor of any shape, or a sparse or ragged tensor.
            name: A name for the graph node.

        Returns:
            A tensor of the same kind and shape as `keys`, of `value_dtype`.

        Raises:
            TypeError: The keys are of another dtype than the table's.
        """
        return self._find(keys, self._default_value, name)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """Returns all keys and their values, two vectors."""
        keys, values = self._export(name)
        for tensor in (keys, values):
            if isinstance(tensor, SymbolicTensor):
                tensor.set_shape([None])
        return keys, values

    def _create_resource(self) -> Tensor:
        return raw.HashTableV2(
            shared_name=self._shared_name, key_dtype=self._key_dtype, value_dtype=self._value_dtype, name=self._name
        )

    def _initialize(self) -> Any:
        return self._initializer.initialize(self)

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns the initializer."""
        return {"_initializer": self._initializer}


class StaticVocabularyTable(LookupInterface):
    """A vocabulary: numbers for known words, and one of a few further numbers, by hash, for every other word.

    Args:
        initializer: The known words, with int64 values from 0 on; `None` for none.
        num_oov_buckets: How many further numbers there are for words that are not known.
        lookup_key_dtype: The dtype of the keys to look up: string, or an integer; by default that of `initializer`.
        name: A name for the table.
        experimental_is_anonymous: Without effect: no other object has this table.

    Raises:
        TypeError: A dtype is not possible.
        ValueError: `num_oov_buckets` is not positive.
    """

    def __init__(
        self,
        initializer: Any,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: str | None = None,
        experimental_is_anonymous: bool = False,
    ) -> None:
        if num_oov_buckets <= 0:
            raise ValueError("`num_oov_buckets` must be > 0; use StaticHashTable.")
        held = dtypes.string if initializer is None else initializer.key_dtype
        key_dtype = held if lookup_key_dtype is None else as_dtype(lookup_key_dtype)
        if initializer is not None:
            if initializer.value_dtype is not dtypes.int64:
                raise TypeError(f"Invalid `value_dtype`, expected int64 but got {initializer.value_dtype.name}.")
            if held not in (dtypes.int64, dtypes.string):
                raise TypeError(f"Invalid `key_dtype`, expected int64 or string, but got {held.name}.")
            if key_dtype.is_integer != held.is_integer:
                raise TypeError(f"Invalid `key_dtype`, expected {held.name} or the like, but got {key_dtype.name}.")
        if not (key_dtype.is_integer or key_dtype is dtypes.string):
            raise TypeError(f"Invalid `lookup_key_dtype`, expected string or an integer, but got {key_dtype.name}.")
        super().__init__(key_dtype, dtypes.int64, -1, name)
        self._num_oov_buckets = num_oov_buckets
        self._table = None if initializer is None else StaticHashTable(initializer, -1, name)

    @property
    def resource_handle(self) -> Any:
        """The tensor by which ops refer to the table of known words; `None` if there is none."""
        return None if self._table is None else self._table.resource_handle

    def size(self, name: str | None = None) -> Tensor:
        """Returns how many numbers there are, an int64 scalar."""
        further = convert_to_tensor(self._num_oov_buckets, dtypes.int64)
        return further if self._table is None else self._table.size() + further

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """Returns the numbers of keys.

        Args:
            keys: The keys: a tensor of any shape, or a sparse or ragged tensor.
            name: A name for the graph node.

        Returns:
            An int64 tensor of the same kind and shape as `keys`.

        Raises:
            TypeError: The keys are of another dtype than the table's.
        """
        return on_values(keys, lambda values: self._numbers(self._checked_keys(values), name))

    def _numbers(self, keys: Tensor, name: str | None) -> Tensor:
        texts = keys if keys.dtype is dtypes.string else raw.AsString(keys)
        buckets = raw.StringToHashBucketFast(texts, num_buckets=self._num_oov_buckets, name=name)
        if self._table is None:
            return buckets
        known = self._table.lookup(keys if keys.dtype is self._table.key_dtype else raw.Cast(keys, DstT=dtypes.int64))
        return raw.SelectV2(raw.NotEqual(known, self._default_value), known, buckets + self._table.size())

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns the table of known words."""
        return {} if self._table is None else {"_table": self._table}
