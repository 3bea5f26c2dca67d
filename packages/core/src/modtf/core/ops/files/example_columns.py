"""Columns: where the values of one feature of many examples are gathered until they are tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core.ops.files.example_messages import Feature
from modtf.core.values.dtypes import DType, float32, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, TensorShape


class Place(NamedTuple):
    """An example, for messages: its number, and its name if it has one."""

    number: int
    name: str

    def __str__(self) -> str:
        return f"Name: {self.name or '<unknown>'}"


def dtype_name(dtype: DType) -> str:
    """A dtype as messages about examples call it."""
    return "float" if dtype is float32 else dtype.name


def join(parts: Sequence[Sequence[Any]], dtype: DType) -> np.ndarray:
    """Returns all values in one vector."""
    if dtype is string:
        values = [value for part in parts for value in part]
        array = np.empty(len(values), object)
        array[:] = values
        return array
    return np.concatenate(parts).astype(dtype.np_dtype, copy=False) if parts else np.empty(0, dtype.np_dtype)


def splits(lengths: Sequence[int], dtype: DType) -> np.ndarray:
    """Returns where each of several parts of a vector starts, and at last where the last ends."""
    result = np.zeros(len(lengths) + 1, dtype.np_dtype)
    np.cumsum(lengths, out=result[1:])
    return result


class Dense:
    """A feature with the same number of values in every example.

    Args:
        key: The feature's name.
        default: What stands for it where it is missing; empty if it must not be.
        dims: The shape of one example's values.
    """

    def __init__(self, key: bytes, dtype: DType, default: np.ndarray, dims: tuple[int, ...]) -> None:
        self._key = key.decode("utf-8", "replace")
        self._dtype = dtype
        self._default = default.reshape(-1)
        self._dims = dims
        self._size = math.prod(dims)
        self._parts: list[Any] = []
        if len(self._default) not in (0, self._size) or (len(self._default) and default.shape != dims):
            raise InvalidArgumentError(
                f"def_value of the feature {self._key} has the shape {list(default.shape)}, but its dense_shape is "
                f"{list(dims)}."
            )

    def add(self, feature: Feature | None, place: Place) -> None:
        """Adds the next example's values."""
        if feature is None:
            if not len(self._default):
                raise missing(place, self._key, self._dtype)
            self._parts.append(self._default)
            return
        check_dense(feature, self._dtype, place, self._key)
        if len(feature.values) != self._size:
            raise InvalidArgumentError(
                f"{place}, Key: {self._key}, Index: {place.number}.  Number of {dtype_name(self._dtype)} values != expected.  "
                f"Values size: {len(feature.values)} but output shape: {shown(self._dims)}."
            )
        self._parts.append(feature.values)

    def result(self) -> np.ndarray:
        """Returns the values of all examples, along a first axis."""
        return join(self._parts, self._dtype).reshape(len(self._parts), *self._dims)


class Padded:
    """A feature with a number of values that varies along the first axis, which is filled up.

    Args:
        key: The feature's name.
        padding: The element it is filled up with.
        dims: The shape of one example's values but for its first axis.
    """

    def __init__(self, key: bytes, dtype: DType, padding: np.ndarray, dims: tuple[int, ...]) -> None:
        self._key = key.decode("utf-8", "replace")
        self._dtype = dtype
        if padding.size != 1:
            raise InvalidArgumentError(
                f"dense_shape of the feature {self._key} is a variable length shape: {shown((None, *dims))}, therefore its "
                f"def_value must contain a single element (the padding element).  But its shape is: {list(padding.shape)}."
            )
        self._padding = padding.reshape(())[()]
        self._dims = dims
        self._stride = math.prod(dims)
        self._parts: list[Any] = []

    def add(self, feature: Feature | None, place: Place) -> None:
        """Adds the next example's values."""
        if feature is None:
            self._parts.append(())
            return
        check_dense(feature, self._dtype, place, self._key)
        if (len(feature.values) % self._stride) if self._stride else len(feature.values):
            raise InvalidArgumentError(
                f"{place}, Key: {self._key}, Index: {place.number}.  Number of {dtype_name(self._dtype)} values is not a "
                f"multiple of stride length. Saw {len(feature.values)} values but output shape is: "
                f"{shown((None, *self._dims))}."
            )
        self._parts.append(feature.values)

    def result(self) -> np.ndarray:
        """Returns the values of all examples, along a first axis."""
        longest = max(map(len, self._parts), default=0)
        filled = np.full((len(self._parts), longest), self._padding, self._dtype.np_dtype)
        for row, part in zip(filled, self._parts, strict=True):
            row[: len(part)] = part
        return filled.reshape(len(self._parts), longest // max(self._stride, 1), *self._dims)


def dense_column(
    key: bytes, dtype: DType, default: np.ndarray, shape: TensorShape, padding: np.ndarray | None = None
) -> Dense | Padded:
    """Returns the column of a dense feature: padded, if the first size of its shape is unknown."""
    dims = shape.dims
    if dims is None or None in dims[1:]:
        raise InvalidArgumentError(
            f"The dense_shape {shape} of the feature {key!r} must be known but for its first size."
        )
    if dims and dims[0] is None:
        return Padded(key, dtype, default if padding is None else padding, dims[1:])  # type: ignore[arg-type]
    return Dense(key, dtype, default, dims)  # type: ignore[arg-type]


class Ragged:
    """A feature with any number of values."""

    def __init__(self, key: bytes, dtype: DType) -> None:
        self._key = key.decode("utf-8", "replace")
        self._dtype = dtype
        self._parts: list[Any] = []

    def add(self, feature: Feature | None, place: Place) -> None:
        """Adds the next example's values."""
        if feature is not None and feature.dtype is not self._dtype:
            raise InvalidArgumentError(
                f"{place}, Key: {self._key}, Index: {place.number}.  Data types don't match. Expected type: "
                f"{dtype_name(self._dtype)}, Actual type: {dtype_name(feature.dtype)}."
            )
        self._parts.append(() if feature is None else feature.values)

    @property
    def lengths(self) -> list[int]:
        """How many values each example has."""
        return [len(part) for part in self._parts]

    def values(self) -> np.ndarray:
        """Returns the values of all examples in one vector."""
        return join([part for part in self._parts if len(part)], self._dtype)

    def sparse(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns indices, values and shape of a sparse matrix with an example's values in each row."""
        lengths = np.array(self.lengths, np.int64)
        return sparse_rows(lengths), self.values(), np.array([len(lengths), lengths.max(initial=0)], np.int64)


def sparse_rows(lengths: np.ndarray) -> np.ndarray:
    """Returns the indices, row and column, of the entries of rows of these lengths."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.stack([rows, columns], axis=1).astype(np.int64)


def check_dense(feature: Feature, dtype: DType, place: Place, key: str) -> None:
    """Raises InvalidArgumentError if the feature is of another dtype."""
    if feature.dtype is not dtype:
        raise InvalidArgumentError(
            f"{place}, Key: {key}, Index: {place.number}.  Data types don't match. Data type: {dtype_name(feature.dtype)} "
            f"but expected type: {dtype_name(dtype)}."
        )


def missing(place: Place, key: str, dtype: DType) -> InvalidArgumentError:
    """The error of a required feature that is not there."""
    return InvalidArgumentError(
        f"{place}, Feature: {key} (data type: {dtype_name(dtype)}) is required but could not be found."
    )


def shown(dims: Dims) -> str:
    """A shape as messages about examples write it."""
    return "[" + ",".join("?" if size is None else str(size) for size in dims or ()) + "]"
