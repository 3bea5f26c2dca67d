"""Sparse tensors as strings (or variants): three of them, one for each part, which batches can be made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.vocabulary import op
from modtf.core.ops.files.tensor_messages import decode_tensor, encode_tensor
from modtf.core.ops.files.wire_format import DamagedMessage
from modtf.core.ops.sparse.coordinates import check_parts, parts_dims
from modtf.core.values.dtypes import DType, from_numpy, int64, string, variant
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_INPUTS = "sparse_indices: int64, sparse_values: T, sparse_shape: int64"
_OUT_TYPE = "out_type: type(string|variant) = string"
_RESULT = "(sparse_indices: int64, sparse_values: dtype, sparse_shape: int64)"

# ------------------------------------------------------------------------------------------------- written


def _packed(parts: tuple[np.ndarray, ...], out_type: DType) -> list[Any]:
    if out_type is variant:
        return list(parts)
    return [encode_tensor(part, string if part.dtype == object else from_numpy(part.dtype), True) for part in parts]


def _filled(rows: list[list[Any]], dims: tuple[int, ...]) -> np.ndarray:
    """An array of objects, which may be arrays themselves."""
    made = np.empty(dims, object)
    flat = made.reshape(-1)
    for place, item in enumerate(item for row in rows for item in row):
        flat[place] = item
    return made


def _written_dims(sparse_indices: Tensor, sparse_values: Tensor, sparse_shape: Tensor, *, out_type: DType) -> Dims:
    parts_dims(sparse_indices, sparse_values, sparse_shape)
    return (3,)


@op(
    f"SerializeSparse[T]({_INPUTS}, *, {_OUT_TYPE}) -> (serialized_sparse: out_type)",
    shape=_written_dims,
    host_only=True,
)
def serialize_sparse(
    xp: Any, sparse_indices: np.ndarray, sparse_values: np.ndarray, sparse_shape: np.ndarray, *, out_type: DType
) -> np.ndarray:
    check_parts(sparse_indices, sparse_values, sparse_shape)
    return _filled([_packed((sparse_indices, sparse_values, sparse_shape), out_type)], (3,))


def _written_many_dims(sparse_indices: Tensor, sparse_values: Tensor, sparse_shape: Tensor, *, out_type: DType) -> Dims:
    parts_dims(sparse_indices, sparse_values, sparse_shape)
    return (None, 3)


@op(
    f"SerializeManySparse[T]({_INPUTS}, *, {_OUT_TYPE}) -> (serialized_sparse: out_type)",
    shape=_written_many_dims,
    host_only=True,
)
def serialize_many_sparse(
    xp: Any, sparse_indices: np.ndarray, sparse_values: np.ndarray, sparse_shape: np.ndarray, *, out_type: DType
) -> np.ndarray:
    check_parts(sparse_indices, sparse_values, sparse_shape)
    if len(sparse_shape) < 2:
        raise InvalidArgumentError(f"Rank of input SparseTensor should be > 1, but saw rank: {len(sparse_shape)}")
    count = int(sparse_shape[0])
    of_row = sparse_indices[:, 0]
    if ((of_row < 0) | (of_row >= count)).any():
        raise InvalidArgumentError(f"Some indices name rows that are not in [0, {count})")
    rows = [
        _packed((sparse_indices[of_row == row, 1:], sparse_values[of_row == row], sparse_shape[1:]), out_type)
        for row in range(count)
    ]
    return _filled(rows, (count, 3))


# ------------------------------------------------------------------------------------------------- read


def _unpacked(item: Any, expected: DType, what: str) -> np.ndarray:
    if isinstance(item, np.ndarray):
        dtype, array = string if item.dtype == object else from_numpy(item.dtype), item
    elif isinstance(item, bytes):
        try:
            dtype, array = decode_tensor(item)
        except DamagedMessage as error:
            raise InvalidArgumentError(f"Could not parse the {what}: {error}") from None
    else:
        raise InvalidArgumentError(f"The {what} are not those of a sparse tensor: {item!r}")
    if dtype is not expected:
        raise InvalidArgumentError(f"The {what} should be of type {expected.name}, but are {dtype.name}")
    return array


def _read(serialized: np.ndarray, dtype: DType) -> Any:
    """The sparse tensor made of all those in an array [..., 3]."""
    if not serialized.ndim or serialized.shape[-1] != 3:
        raise InvalidArgumentError(f"Serialized sparse should have 3 as the last dimension, {list(serialized.shape)}")
    leading = serialized.shape[:-1]
    found = []
    for row in serialized.reshape(-1, 3):
        parts = (
            _unpacked(row[0], int64, "indices"), _unpacked(row[1], dtype, "values"), _unpacked(row[2], int64, "shape"),
        )  # fmt: skip
        check_parts(*parts)
        found.append(parts)
    if not leading:
        return found[0]
    if not found:
        raise InvalidArgumentError(f"There is no sparse tensor among those of shape {list(serialized.shape)}")
    if len({len(shape) for _, _, shape in found}) > 1:
        raise InvalidArgumentError("The serialized sparse tensors do not all have the same rank")
    places = np.array(list(np.ndindex(leading)), np.int64)
    indices = [
        np.concatenate([np.repeat(place[None], len(rows), 0), rows], axis=1)
        for place, (rows, _, _) in zip(places, found, strict=True)
    ]
    widest = np.max([shape for _, _, shape in found], axis=0)
    return (
        np.concatenate(indices),
        np.concatenate([values for _, values, _ in found]),
        np.concatenate([np.array(leading, np.int64), widest]),
    )


def _read_dims(serialized_sparse: Tensor, *, dtype: DType) -> list[Dims]:
    dims = serialized_sparse.dims
    if dims is not None and (not dims or dims[-1] not in (3, None)):
        raise ValueError(f"serialized_sparse must have the shape [..., 3], not {serialized_sparse.shape}")
    return [(None, None), (None,), (None,)]


@op(
    f"DeserializeSparse[Tserialized: string|variant = string](serialized_sparse: Tserialized, *, dtype: type) -> {_RESULT}",
    shape=_read_dims,
    host_only=True,
)
def deserialize_sparse(xp: Any, serialized_sparse: np.ndarray, *, dtype: DType) -> Any:
    return _read(serialized_sparse, dtype)


@op(f"DeserializeManySparse(serialized_sparse: string, *, dtype: type) -> {_RESULT}", shape=_read_dims, host_only=True)
def deserialize_many_sparse(xp: Any, serialized_sparse: np.ndarray, *, dtype: DType) -> Any:
    if serialized_sparse.ndim != 2:
        raise InvalidArgumentError(f"Serialized sparse should be a matrix [n, 3], not {list(serialized_sparse.shape)}")
    return _read(serialized_sparse, dtype)
