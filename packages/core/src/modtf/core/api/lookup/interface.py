"""What the tables of `tf.lookup` have in common."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import SymbolicTensor, Tensor


class LookupInterface:
    """A table: a resource of its own, made when the object is.

    Args:
        key_dtype: The keys' dtype.
        value_dtype: The values' dtype.
        default_value: What is found for keys that are not in the table.
        name: The table's name.
    """

    _resource_handle: Tensor
    _key_rank = 0

    def __init__(self, key_dtype: Any, value_dtype: Any, default_value: Any, name: str | None) -> None:
        self._key_dtype = as_dtype(key_dtype)
        self._value_dtype = as_dtype(value_dtype)
        self._name = name
        self._shared_name = f"table_{uuid.uuid4()}"
        with contexts.init_scope():
            self._default_value = convert_to_tensor(default_value, dtype=self._value_dtype)

    @property
    def key_dtype(self) -> DType:
        return self._key_dtype

    @property
    def value_dtype(self) -> DType:
        return self._value_dtype

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def resource_handle(self) -> Any:
        """The tensor by which ops refer to the table."""
        return self._resource_handle

    def size(self, name: str | None = None) -> Tensor:
        """Returns the number of entries, an int64 scalar."""
        return raw.LookupTableSizeV2(self.resource_handle, name=name)

    def __getitem__(self, keys: Any) -> Any:
        """`table[keys]` is `table.lookup(keys)`."""
        return self.lookup(keys)

    def lookup(self, keys: Any, *args: Any, **kwargs: Any) -> Any:
        """Returns the values of keys."""
        raise NotImplementedError

    def _find(self, keys: Any, default: Tensor, name: str | None = None) -> Any:
        """Looks up the keys of a tensor, or those inside a sparse or ragged one."""

        def find(keys: Any) -> Tensor:
            keys = self._checked_keys(keys)
            values = raw.LookupTableFindV2(self.resource_handle, keys, default, name=name)
            outer = None if keys.dims is None else keys.dims[: len(keys.dims) - self._key_rank]
            return with_known_shape(values, TensorShape(outer).concatenate(self._default_value.shape))

        return on_values(keys, find)

    def _checked_keys(self, keys: Any) -> Tensor:
        tensor = convert_to_tensor(keys, dtype_hint=self._key_dtype)
        if tensor.dtype is not self._key_dtype:
            raise TypeError(f"Dtype of argument `keys` must be {self._key_dtype.name}, received: {tensor.dtype.name}.")
        return tensor

    def _export(self, name: str | None) -> tuple[Tensor, Tensor]:
        keys, values = raw.LookupTableExportV2(
            self.resource_handle, Tkeys=self._key_dtype, Tvalues=self._value_dtype, name=name
        )
        return keys, values

    # What saving writes down as the functions by which a loader makes the table anew. They are named as in TensorFlow,
    # whose loader looks for these names.

    def _create_resource(self) -> Tensor:
        """Makes such a table; in a graph, one by whose name later calls find it again."""
        raise NotImplementedError

    def _initialize(self) -> Any:
        """Fills the table with what it holds from the beginning."""
        return None

    def trackable_children(self) -> Mapping[str, Any]:
        """Returns the objects that the table is filled from."""
        return {}


def on_values(keys: Any, function: Callable[[Any], Any]) -> Any:
    """Applies a function of a tensor to the values of a sparse or ragged tensor, or to a tensor itself."""
    if not isinstance(keys, CompositeTensor):
        return function(keys)
    composite: Any = keys
    if hasattr(composite, "with_flat_values"):
        return composite.with_flat_values(function(composite.flat_values))
    return type(composite)(composite.indices, function(composite.values), composite.dense_shape)


def with_known_shape(tensor: Tensor, shape: TensorShape) -> Tensor:
    """Returns the tensor, of which `shape` is known beforehand."""
    if isinstance(tensor, SymbolicTensor):
        tensor.set_shape(shape)
    return tensor
