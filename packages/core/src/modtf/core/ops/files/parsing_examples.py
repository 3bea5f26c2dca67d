"""Parsing `tf.train.Example`s into tensors."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np

from modtf.core.engine.vocabulary import op
from modtf.core.ops.files.example_columns import Place, Ragged, dense_column, splits
from modtf.core.ops.files.example_messages import find_features, read_feature
from modtf.core.ops.files.wire_format import DamagedMessage
from modtf.core.values.dtypes import DType, from_numpy, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor

FEATURE = "float32|int64|string"


def unparsable(data: bytes, error: Exception) -> InvalidArgumentError:
    """The error of bytes that are no example."""
    return InvalidArgumentError(f"Could not parse example input, value: {data[:80]!r} ({error}).")


def names_of(names: np.ndarray, serialized: np.ndarray) -> list[str]:
    """Returns a name for each example, empty ones if none are given."""
    if names.size and names.shape != serialized.shape:
        raise InvalidArgumentError(
            f"Expected names have the same shape as serialized: name.shape={list(names.shape)}, "
            f"serialized.shape={list(serialized.shape)}."
        )
    return [name.decode("utf-8", "replace") for name in names.reshape(-1)] or [""] * serialized.size


def check_serialized(serialized: np.ndarray) -> None:
    """Raises InvalidArgumentError unless the input is one example or a vector of them."""
    if serialized.ndim > 1:
        raise InvalidArgumentError(
            f"Expected serialized to be a scalar or vector, got shape: {list(serialized.shape)}."
        )


def check_count(what: str, keys: Sized, expected: str, count: int) -> None:
    """Raises InvalidArgumentError if there are not as many keys as there should be."""
    if len(keys) != count:
        raise InvalidArgumentError(f"Expected len({what}) == {expected} but got: {len(keys)} vs. {count}.")


def _parse(
    serialized: np.ndarray,
    names: np.ndarray,
    sparse: tuple[Sequence[bytes], Sequence[DType]],
    dense: tuple[Sequence[bytes], Sequence[np.ndarray], Sequence[DType], Sequence[TensorShape]],
    ragged: tuple[Sequence[bytes], Sequence[DType]],
) -> tuple[list[Ragged], list[np.ndarray], list[Ragged]]:
    """Returns the columns of sparse and of ragged features, and between them the tensors of the dense ones."""
    sparse_columns, ragged_columns = ([Ragged(*item) for item in zip(*kind, strict=True)] for kind in (sparse, ragged))
    dense_columns = [dense_column(key, dtype, value, dims) for key, value, dtype, dims in zip(*dense, strict=True)]
    keyed: list[tuple[bytes, Any]] = [
        *zip(sparse[0], sparse_columns, strict=True),
        *zip(dense[0], dense_columns, strict=True),
        *zip(ragged[0], ragged_columns, strict=True),
    ]
    for index, (data, name) in enumerate(zip(serialized.reshape(-1), names_of(names, serialized), strict=True)):
        place = Place(index, name)
        try:
            found = find_features(data)
            for key, column in keyed:
                span = found.get(key)
                column.add(None if span is None else read_feature(data, span), place)
        except DamagedMessage as error:
            raise unparsable(data, error) from None
    return sparse_columns, [column.result() for column in dense_columns], ragged_columns


def sparse_lists(columns: Sequence[Any], batched: bool) -> list[list[np.ndarray]]:
    """Returns the indices, the values and the shapes of all columns."""
    parts = [column.sparse() for column in columns]
    if not batched:
        parts = [(indices[:, 1:], values, shape[1:]) for indices, values, shape in parts]
    return [[part[kind] for part in parts] for kind in range(3)]


def unbatched(arrays: Sequence[np.ndarray], batched: bool) -> list[np.ndarray]:
    """Returns the arrays without their first axis, unless there is a batch."""
    return [array if batched else array.reshape(array.shape[1:]) for array in arrays]


def _dense_dims(batch: Dims, shapes: Sequence[TensorShape]) -> list[Dims]:
    return [None if batch is None or shape.dims is None else (*batch, *shape.dims) for shape in shapes]


def sparse_dims(serialized: Tensor, count: int, axes: int = 1) -> list[Dims]:
    """Returns the shapes of indices, values and shapes of sparse features with so many axes in each example."""
    rank = None if serialized.dims is None else len(serialized.dims) + axes
    return [*[(None, rank)] * count, *[(None,)] * count, *[(rank,)] * count]


def _check_batch(serialized: Tensor, names: Tensor | None = None) -> None:
    if serialized.dims is not None and len(serialized.dims) > 1:
        raise ValueError(f"Expected serialized to be a scalar or vector, but its shape is {serialized.shape}")
    if names is not None and names.dims is not None and len(names.dims) > 1:
        raise ValueError(f"Expected names to be a scalar or vector, but its shape is {names.shape}")


# ------------------------------------------------------------------------------------------------- many


def _v2_dims(
    serialized: Tensor,
    names: Tensor,
    *keys: Any,
    num_sparse: int,
    ragged_value_types: Any,
    dense_shapes: Any,
    **attrs: Any,
) -> list[Dims]:
    _check_batch(serialized, names)
    batch = serialized.dims
    rows: Dims = None
    if batch is not None and len(batch) == 1:
        rows = (None if batch[0] is None else batch[0] + 1,)
    elif batch == ():
        rows = (0,)
    count = len(ragged_value_types)
    return [
        *sparse_dims(serialized, num_sparse),
        *_dense_dims(batch, dense_shapes),
        *[(None,)] * count,
        *[rows] * count,
    ]


@op(
    f"ParseExampleV2[*Tdense: {FEATURE}](serialized: string, names: string, sparse_keys: string, dense_keys: string, "
    "ragged_keys: string, dense_defaults: Tdense, *, num_sparse: int, "
    f"sparse_types: list(type({FEATURE})), ragged_value_types: list(type({FEATURE})), "
    "ragged_split_types: list(type(index)), dense_shapes: list(shape)) -> (sparse_indices: num_sparse * int64, "
    "sparse_values: sparse_types, sparse_shapes: num_sparse * int64, dense_values: Tdense, "
    "ragged_values: ragged_value_types, ragged_row_splits: ragged_split_types)",
    shape=_v2_dims,
    host_only=True,
)
def parse_example_v2(
    xp: Any,
    serialized: np.ndarray,
    names: np.ndarray,
    sparse_keys: np.ndarray,
    dense_keys: np.ndarray,
    ragged_keys: np.ndarray,
    dense_defaults: list[np.ndarray],
    *,
    num_sparse: int,
    sparse_types: Sequence[DType],
    ragged_value_types: Sequence[DType],
    ragged_split_types: Sequence[DType],
    dense_shapes: Sequence[TensorShape],
) -> list[np.ndarray]:
    check_serialized(serialized)
    sparse_keys, dense_keys, ragged_keys = (keys.reshape(-1) for keys in (sparse_keys, dense_keys, ragged_keys))
    check_count("sparse_keys", sparse_keys, "num_sparse", num_sparse)
    check_count("sparse_types", sparse_types, "num_sparse", num_sparse)
    check_count("dense_keys", dense_keys, "num_dense", len(dense_defaults))
    check_count("dense_shapes", dense_shapes, "num_dense", len(dense_defaults))
    check_count("ragged_keys", ragged_keys, "num_ragged", len(ragged_value_types))
    check_count("ragged_split_types", ragged_split_types, "num_ragged", len(ragged_value_types))
    batched = serialized.ndim == 1
    sparse, dense, ragged = _parse(
        serialized,
        names,
        (sparse_keys.tolist(), sparse_types),
        (dense_keys.tolist(), dense_defaults, dtypes_of(dense_defaults), dense_shapes),
        (ragged_keys.tolist(), ragged_value_types),
    )
    indices, values, shapes = sparse_lists(sparse, batched)
    row_splits = [
        splits(column.lengths, dtype) if batched else np.empty(0, dtype.np_dtype)
        for column, dtype in zip(ragged, ragged_split_types, strict=True)
    ]
    return [
        *indices,
        *values,
        *shapes,
        *unbatched(dense, batched),
        *(column.values() for column in ragged),
        *row_splits,
    ]


def dtypes_of(arrays: Sequence[np.ndarray]) -> list[DType]:
    """Returns the dtypes of default values."""
    return [string if array.dtype == object else from_numpy(array.dtype) for array in arrays]


parse_example_v2.gradient(None)


def _v1_dims(
    serialized: Tensor,
    names: Tensor,
    sparse_keys: list[Tensor],
    dense_keys: list[Tensor],
    dense_defaults: list[Tensor],
    *,
    dense_shapes: Sequence[TensorShape],
    **attrs: Any,
) -> list[Dims]:
    if serialized.dims is not None and len(serialized.dims) != 1:
        raise ValueError(f"Expected serialized to be a vector, but its shape is {serialized.shape}")
    batch = (None,) if serialized.dims is None else serialized.dims
    count = len(sparse_keys)
    return [*[(None, 2)] * count, *[(None,)] * count, *[(2,)] * count, *_dense_dims(batch, dense_shapes)]


@op(
    f"ParseExample[*Tdense: {FEATURE}](serialized: string, names: string, sparse_keys: Nsparse * string, "
    "dense_keys: Ndense * string, dense_defaults: Tdense, *, Nsparse: int, Ndense: int, "
    f"sparse_types: list(type({FEATURE})), dense_shapes: list(shape)) -> (sparse_indices: Nsparse * int64, "
    "sparse_values: sparse_types, sparse_shapes: Nsparse * int64, dense_values: Tdense)",
    shape=_v1_dims,
    host_only=True,
)
def parse_example(
    xp: Any,
    serialized: np.ndarray,
    names: np.ndarray,
    sparse_keys: list[np.ndarray],
    dense_keys: list[np.ndarray],
    dense_defaults: list[np.ndarray],
    *,
    Nsparse: int,
    Ndense: int,
    sparse_types: Sequence[DType],
    dense_shapes: Sequence[TensorShape],
) -> list[np.ndarray]:
    if serialized.ndim != 1:
        raise InvalidArgumentError(f"Expected serialized to be a vector, got shape: {list(serialized.shape)}.")
    sparse, dense, _ = _parse(
        serialized,
        names,
        ([key.item() for key in sparse_keys], sparse_types),
        ([key.item() for key in dense_keys], dense_defaults, dtypes_of(dense_defaults), dense_shapes),
        ((), ()),
    )
    return [array for kind in (*sparse_lists(sparse, True), dense) for array in kind]


parse_example.gradient(None)


# ------------------------------------------------------------------------------------------------- one


def _single_dims(
    serialized: Tensor,
    dense_defaults: list[Tensor],
    *,
    num_sparse: int,
    dense_shapes: Sequence[TensorShape],
    **attrs: Any,
) -> list[Dims]:
    if serialized.dims not in (None, ()):
        raise ValueError(f"Expected serialized to be a scalar, but its shape is {serialized.shape}")
    dense = [shape.dims for shape in dense_shapes]
    return [*[(None, 1)] * num_sparse, *[(None,)] * num_sparse, *[(1,)] * num_sparse, *dense]


@op(
    f"ParseSingleExample[*Tdense: {FEATURE}](serialized: string, dense_defaults: Tdense, *, num_sparse: int, "
    f"sparse_keys: list(string), dense_keys: list(string), sparse_types: list(type({FEATURE})), "
    "dense_shapes: list(shape)) -> (sparse_indices: num_sparse * int64, sparse_values: sparse_types, "
    "sparse_shapes: num_sparse * int64, dense_values: Tdense)",
    shape=_single_dims,
    host_only=True,
)
def parse_single_example(
    xp: Any,
    serialized: np.ndarray,
    dense_defaults: list[np.ndarray],
    *,
    num_sparse: int,
    sparse_keys: Sequence[str],
    dense_keys: Sequence[str],
    sparse_types: Sequence[DType],
    dense_shapes: Sequence[TensorShape],
) -> list[np.ndarray]:
    if serialized.ndim:
        raise InvalidArgumentError(f"Expected serialized to be a scalar, got shape: {list(serialized.shape)}.")
    check_count("sparse_keys", sparse_keys, "num_sparse", num_sparse)
    check_count("sparse_types", sparse_types, "num_sparse", num_sparse)
    check_count("dense_keys", dense_keys, "num_dense", len(dense_defaults))
    check_count("dense_shapes", dense_shapes, "num_dense", len(dense_defaults))
    sparse, dense, _ = _parse(
        serialized,
        np.empty(0, object),
        ([encoded(key) for key in sparse_keys], sparse_types),
        ([encoded(key) for key in dense_keys], dense_defaults, dtypes_of(dense_defaults), dense_shapes),
        ((), ()),
    )
    return [array for kind in (*sparse_lists(sparse, False), unbatched(dense, False)) for array in kind]


def encoded(key: str) -> bytes:
    """Returns a name that is an attribute as the bytes that examples have."""
    return key.encode("utf-8", "surrogateescape")


parse_single_example.gradient(None)
