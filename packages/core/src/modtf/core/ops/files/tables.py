"""Lookup tables: making, filling and asking them."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import nothing, scalar, unknown
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.files.table_files import read_entries
from modtf.core.values.dtypes import DType, from_numpy
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.resources import Resource
from modtf.core.values.shapes import Dims
from modtf.core.values.tables import SHARED, DenseTable, StaticTable, Table, static_shape, table_of
from modtf.core.values.tensors import Tensor

_HOST: dict[str, Any] = {"host_only": True, "stateful": True}
_READ: dict[str, Any] = {**_HOST, "prunable": True}

# ------------------------------------------------------------------------------------------------- making

_NAMES = "container: string = '', shared_name: string = '', use_node_name_sharing: bool = False, "
_DTYPES = "key_dtype: type, value_dtype: type"


def _static(**attrs: Any) -> Table:
    return StaticTable(attrs["key_dtype"], attrs["value_dtype"])


def _mutable(**attrs: Any) -> Table:
    return Table(attrs["key_dtype"], attrs["value_dtype"])


def _of_tensors(**attrs: Any) -> Table:
    shape = static_shape(attrs["value_shape"])
    if len(shape) != 1:
        raise InvalidArgumentError(f"Default value must be a vector, got shape {list(shape)}.")
    return Table(attrs["key_dtype"], attrs["value_dtype"], shape)


def _dense(empty_key: np.ndarray, deleted_key: np.ndarray, **attrs: Any) -> Table:
    return DenseTable(
        empty_key,
        deleted_key,
        from_numpy(empty_key.dtype),
        attrs["value_dtype"],
        static_shape(attrs["value_shape"]),
        attrs["initial_num_buckets"],
        attrs["max_load_factor"],
    )


def _maker(named: str, anonymous: str, make: Any, attrs: str, inputs: str = "") -> None:
    """Registers two ops that make a table: one that finds a table of its name again, and one that does not.

    The names are the process's. A model that is loaded from a file gives its tables names of its own, lest it share
    them with other models.
    """

    def shared_kernel(
        xp: Any, *keys: np.ndarray, container: str, shared_name: str, use_node_name_sharing: bool, **attrs: Any
    ) -> Table:
        return SHARED.get(container, shared_name, lambda: make(*keys, **attrs))

    def anonymous_kernel(xp: Any, *keys: np.ndarray, **attrs: Any) -> Table:
        return make(*keys, **attrs)

    variables = "[key_dtype]" if inputs else ""
    for name, kernel, names in ((named, shared_kernel, _NAMES), (anonymous, anonymous_kernel, "")):
        schema = f"{name}{variables}({inputs}*, {names}{attrs}) -> (table_handle: resource)"
        register(Op(schema, kernel=kernel, shape=scalar, **_READ)).gradient(None)


_SHAPED = "value_shape: shape = []"
_BUCKETS = "initial_num_buckets: int = 131072, max_load_factor: float = 0.8"
_maker("HashTableV2", "AnonymousHashTable", _static, _DTYPES)
_maker("MutableHashTableV2", "AnonymousMutableHashTable", _mutable, _DTYPES)
_maker("MutableHashTableOfTensorsV2", "AnonymousMutableHashTableOfTensors", _of_tensors, f"{_DTYPES}, {_SHAPED}")
_maker(
    "MutableDenseHashTableV2",
    "AnonymousMutableDenseHashTable",
    _dense,
    f"value_dtype: type, {_SHAPED}, {_BUCKETS}",
    "empty_key: key_dtype, deleted_key: key_dtype, ",
)


@op("DestroyResourceOp(resource: resource, *, ignore_lookup_error: bool = True) -> ()", shape=nothing, **_HOST)
def destroy_resource(xp: Any, resource: Any, *, ignore_lookup_error: bool) -> tuple[()]:
    if isinstance(resource, Resource):
        resource.value = None
    elif isinstance(resource, Table):
        SHARED.destroy(resource, ignore_lookup_error)
    return ()


# ------------------------------------------------------------------------------------------------- filling


def _same_length(table_handle: Tensor, keys: Tensor, values: Tensor) -> list[Dims]:
    for tensor, what in ((keys, "Keys"), (values, "Values")):
        if tensor.dims is not None and len(tensor.dims) != 1:
            raise ValueError(f"{what} must be a vector, but its shape is {tensor.shape}")
    if not keys.shape.is_compatible_with(values.shape):
        raise ValueError(
            f"Keys and values must have the same size, but their shapes are {keys.shape} and {values.shape}"
        )
    return []


@op(
    "InitializeTableV2[Tkey, Tval](table_handle: resource, keys: Tkey, values: Tval) -> ()", shape=_same_length, **_HOST
)
def initialize_table(xp: Any, table_handle: Any, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
    table_of(table_handle).initialize(keys, values)
    return ()


def _one_file(table_handle: Tensor, filename: Tensor, **attrs: Any) -> list[Dims]:
    if filename.dims not in (None, ()):
        raise ValueError(f"filename must be a scalar, but its shape is {filename.shape}")
    return []


@op(
    "InitializeTableFromTextFileV2(table_handle: resource, filename: string, *, key_index: int, value_index: int, "
    "vocab_size: int = -1, delimiter: string = '\\t', offset: int = 0) -> ()",
    shape=_one_file,
    **_HOST,
)
def initialize_table_from_text_file(
    xp: Any,
    table_handle: Any,
    filename: np.ndarray,
    *,
    key_index: int,
    value_index: int,
    vocab_size: int,
    delimiter: str,
    offset: int,
) -> tuple[()]:
    table = table_of(table_handle)
    path = filename.item().decode("utf-8", "surrogateescape")
    key, value = (table.key_dtype, key_index), (table.value_dtype, value_index)
    table.initialize(*read_entries(path, key, value, vocab_size, delimiter, offset))
    return ()


@op("LookupTableInsertV2[Tin, Tout](table_handle: resource, keys: Tin, values: Tout) -> ()", shape=nothing, **_HOST)
def insert(xp: Any, table_handle: Any, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
    table_of(table_handle).insert(keys, values)
    return ()


@op("LookupTableRemoveV2[Tin](table_handle: resource, keys: Tin) -> ()", shape=nothing, **_HOST)
def remove(xp: Any, table_handle: Any, keys: np.ndarray) -> tuple[()]:
    table_of(table_handle).remove(keys)
    return ()


@op("LookupTableImportV2[Tin, Tout](table_handle: resource, keys: Tin, values: Tout) -> ()", shape=nothing, **_HOST)
def import_(xp: Any, table_handle: Any, keys: np.ndarray, values: np.ndarray) -> tuple[()]:
    table_of(table_handle).import_(keys, values)
    return ()


# ------------------------------------------------------------------------------------------------- asking


@op(
    "LookupTableFindV2[Tin, Tout](table_handle: resource, keys: Tin, default_value: Tout) -> (values: Tout)",
    shape=unknown,
    **_READ,
)
def find(xp: Any, table_handle: Any, keys: np.ndarray, default_value: np.ndarray) -> np.ndarray:
    return table_of(table_handle).find(keys, default_value)


@op("LookupTableSizeV2(table_handle: resource) -> (size: int64)", shape=scalar, **_READ)
def size(xp: Any, table_handle: Any) -> np.ndarray:
    return np.array(table_of(table_handle).size(), np.int64)


@op(
    "LookupTableExportV2(table_handle: resource, *, Tkeys: type, Tvalues: type) -> (keys: Tkeys, values: Tvalues)",
    shape=unknown,
    **_READ,
)
def export(xp: Any, table_handle: Any, *, Tkeys: DType, Tvalues: DType) -> tuple[np.ndarray, np.ndarray]:
    table = table_of(table_handle)
    if (table.key_dtype, table.value_dtype) != (Tkeys, Tvalues):
        raise InvalidArgumentError(
            f"The table maps {table.key_dtype.name} to {table.value_dtype.name}, not {Tkeys.name} to {Tvalues.name}."
        )
    return table.export()


for _op in (
    destroy_resource,
    initialize_table,
    initialize_table_from_text_file,
    insert,
    remove,
    import_,
    find,
    size,
    export,
):
    _op.gradient(None)
