"""Tables that change (`tf.lookup.experimental`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modtf.core.api.lookup.interface import LookupInterface, with_known_shape
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor

__all__ = ["DenseHashTable", "MutableHashTable"]


class _ChangingTable(LookupInterface):
    """What tables have to which entries can be added."""

    _checkpoint: bool

    def insert(self, keys: Any, values: Any, name: str | None = None) -> Any:
        """Adds entries, or replaces those that are there.

        Args:
            keys: The keys, a tensor of any shape.
            values: The value of each key.
            name: A name for the graph node.

        Raises:
            TypeError: The keys are of another dtype than the table's.
            ValueError: The values are of another dtype than the table's.
        """
        keys = self._checked_keys(keys)
        values = convert_to_tensor(values, dtype=self._value_dtype)
        return raw.LookupTableInsertV2(self.resource_handle, keys, values, name=name)

    def remove(self, keys: Any, name: str | None = None) -> Any:
        """Removes entries; keys that are not there do no harm.

        Args:
            keys: The keys, a tensor of any shape.
            name: A name for the graph node.

        Raises:
            TypeError: The keys are of another dtype than the table's.
        """
        return raw.LookupTableRemoveV2(self.resource_handle, self._checked_keys(keys), name=name)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """Returns all keys and their values, in no certain order."""
        return self._export(name)

    def _serialize_to_tensors(self) -> Mapping[str, Tensor]:
        """What a checkpoint keeps of the table, by the endings of the names that it has there."""
        if not self._checkpoint:
            return {}
        keys, values = self._export(None)
        return {"-keys": keys, "-values": values}

    def _restore_from_tensors(self, restored_tensors: Mapping[str, Tensor]) -> Any:
        """Replaces the content by that of a checkpoint."""
        return raw.LookupTableImportV2(self.resource_handle, restored_tensors["-keys"], restored_tensors["-values"])


class MutableHashTable(_ChangingTable):
    """A table to which entries can be added and from which they can be removed.

    Args:
        key_dtype: The keys' dtype.
        value_dtype: The values' dtype.
        default_value: The value of keys that are not in it: a scalar, or a vector if the values are vectors.
        name: A name for the table.
        checkpoint: Whether checkpoints keep the content.
        experimental_is_anonymous: Without effect: no other object has this table.
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        name: str = "MutableHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        super().__init__(key_dtype, value_dtype, default_value, name)
        self._checkpoint = checkpoint
        with contexts.init_scope():
            if self._default_value.dims:
                self._resource_handle = raw.AnonymousMutableHashTableOfTensors(**self._kind())
            else:
                self._resource_handle = raw.AnonymousMutableHashTable(**self._kind())

    def lookup(self, keys: Any, dynamic_default_values: Any = None, name: str | None = None) -> Any:
        """Returns the values of keys.

        Args:
            keys: The keys: a tensor of any shape, or a sparse or ragged tensor.
            dynamic_default_values: What to give for keys that are not there, a value for each; by default
                `default_value` for all.
            name: A name for the graph node.

        Returns:
            A tensor with the value of each key.

        Raises:
            TypeError: The keys are of another dtype than the table's.
        """
        default = self._default_value
        if dynamic_default_values is not None:
            default = convert_to_tensor(dynamic_default_values, dtype=self._value_dtype)
        return self._find(keys, default, name)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """Returns all keys, a vector, and their values, in no certain order."""
        keys, values = self._export(name)
        shape = TensorShape([None])
        return with_known_shape(keys, shape), with_known_shape(values, shape.concatenate(self._default_value.shape))

    def _kind(self) -> dict[str, Any]:
        kind: dict[str, Any] = {"key_dtype": self._key_dtype, "value_dtype": self._value_dtype}
        return {**kind, "value_shape": self._default_value.shape} if self._default_value.dims else kind

    def _create_resource(self) -> Tensor:
        op = raw.MutableHashTableOfTensorsV2 if self._default_value.dims else raw.MutableHashTableV2
        return op(shared_name=self._shared_name, **self._kind(), name=self._name)


class DenseHashTable(_ChangingTable):
    """A table to which entries can be added, with two keys that it can never have.

    Args:
        key_dtype: The keys' dtype.
        value_dtype: The values' dtype.
        default_value: The value of keys that are not in it; its shape is that of all values.
        empty_key: A key that is never used; its shape is that of all keys.
        deleted_key: Another key that is never used.
        initial_num_buckets: The least number of entries, used and unused, that `export` gives: a power of 2.
        name: A name for the table.
        checkpoint: Whether checkpoints keep the content.
        experimental_is_anonymous: Without effect: no other object has this table.

    Raises:
        InvalidArgumentError: The two keys are equal or of different shapes.
    """

    def __init__(
        self,
        key_dtype: Any,
        value_dtype: Any,
        default_value: Any,
        empty_key: Any,
        deleted_key: Any,
        initial_num_buckets: int | None = None,
        name: str = "MutableDenseHashTable",
        checkpoint: bool = True,
        experimental_is_anonymous: bool = False,
    ) -> None:
        super().__init__(key_dtype, value_dtype, default_value, name)
        self._checkpoint = checkpoint
        self._initial_num_buckets = 1 << 17 if initial_num_buckets is None else initial_num_buckets
        with contexts.init_scope():
            self._empty_key = convert_to_tensor(empty_key, dtype=self._key_dtype)
            self._deleted_key = convert_to_tensor(deleted_key, dtype=self._key_dtype)
            self._resource_handle = raw.AnonymousMutableDenseHashTable(**self._kind())
        self._key_rank = self._empty_key.ndim or 0

    def _kind(self) -> dict[str, Any]:
        return {
            "empty_key": self._empty_key,
            "deleted_key": self._deleted_key,
            "value_dtype": self._value_dtype,
            "value_shape": self._default_value.shape,
            "initial_num_buckets": self._initial_num_buckets,
        }

    def lookup(self, keys: Any, name: str | None = None) -> Any:
        """Returns the values of keys.

        Args:
            keys: The keys, a tensor of any shape.
            name: A name for the graph node.

        Returns:
            A tensor with the value of each key.

        Raises:
            TypeError: The keys are of another dtype than the table's.
            InvalidArgumentError: One is the empty or the deleted key.
        """
        return self._find(keys, self._default_value, name)

    def export(self, name: str | None = None) -> tuple[Tensor, Tensor]:
        """Returns all entries, the unused ones too: keys and values by rows; the empty key marks what is unused."""
        return super().export(name)

    def insert_or_assign(self, keys: Any, values: Any, name: str | None = None) -> Any:
        """Does what `insert` does."""
        return self.insert(keys, values, name)

    def erase(self, keys: Any, name: str | None = None) -> Any:
        """Does what `remove` does."""
        return self.remove(keys, name)

    def _create_resource(self) -> Tensor:
        return raw.MutableDenseHashTableV2(shared_name=self._shared_name, **self._kind(), name=self._name)
