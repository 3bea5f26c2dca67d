"""`TensorList`: what a tensor of dtype `variant` holds after `EmptyTensorList` and its kin: a list of tensors as a value."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, TensorShape

_lock = threading.Lock()


class TensorList:
    """Arrays of one dtype and of shapes that fit `dims`; it never changes, and `pushed` and the like return new ones.

    Lists that come of one another share their rows as long as none replaces a row that another sees, so that building
    one row by row takes time in proportion to its length.

    Attributes:
        dtype: The rows' dtype.
        dims: What is known of their shape.
        size: How many there are.
        limit: How many there may be, or -1.
    """

    __slots__ = ("_base", "_count", "_rows", "dims", "dtype", "limit", "size")

    def __init__(
        self, dtype: DType, dims: Dims, rows: list[Any], count: int, size: int, limit: int = -1, base: Any = None
    ) -> None:
        self.dtype = dtype
        self.dims = dims
        self.limit = limit
        self.size = size
        self._rows = rows  # may have more rows than this list: those that others pushed since
        self._count = count  # rows from here on have not been set
        self._base = base

    @classmethod
    def empty(cls, dtype: DType, dims: Dims, size: int = 0, limit: int = -1) -> TensorList:
        """Returns a list with `size` rows, none of them set."""
        if size < 0:
            raise InvalidArgumentError(f"The num_elements to reserve must be a non negative number, but got {size}")
        return cls(dtype, dims, [], 0, size, limit)

    @classmethod
    def from_stacked(cls, array: Any, dtype: DType, dims: Dims) -> TensorList:
        """Returns a list of the entries of an array along its first axis."""
        count = array.shape[0]
        return cls(dtype, dims, [], count, count, base=array)

    def __len__(self) -> int:
        return self.size

    def _own_rows(self) -> list[Any]:
        if self._base is not None:
            self._rows, self._base = [self._base[index, ...] for index in range(self._count)], None
        return self._rows

    def rows(self) -> list[Any]:
        """Returns the rows, `None` for those that have not been set."""
        return [*self._own_rows()[: self._count], *[None] * (self.size - self._count)]

    def row(self, index: Any) -> Any:
        """Returns a row; `None` if it has not been set.

        Raises:
            InvalidArgumentError: There is no such row.
        """
        index = int(index)
        if not 0 <= index < self.size:
            raise InvalidArgumentError(f"Trying to access element {index} in a list with {self.size} elements.")
        if index >= self._count:
            return None
        return self._base[index, ...] if self._base is not None else self._rows[index]

    def pushed(self, row: Any) -> TensorList:
        """Returns the list with one more row at its end."""
        if 0 <= self.limit <= self.size:
            raise InvalidArgumentError(f"Tried to push item into a full list: it may have {self.limit} elements.")
        return self._with(self.size, row, self.size + 1)

    def popped(self) -> TensorList:
        """Returns the list without its last row."""
        return self.resized(self.size - 1)

    def with_row(self, index: Any, row: Any, resize: bool = False) -> TensorList:
        """Returns the list with another row in one place; with `resize`, longer if it has no such place."""
        index = int(index)
        if index < 0 or (index >= self.size and not resize):
            raise InvalidArgumentError(f"Tried to modify element {index} but the list has {self.size} elements.")
        return self._with(index, row, max(self.size, index + 1))

    def resized(self, size: Any) -> TensorList:
        """Returns the list cut off, or with rows at its end that are not set."""
        size = int(size)
        if size < 0:
            raise InvalidArgumentError(f"TensorListResize expects size to be non-negative. Got: {size}")
        return TensorList(self.dtype, self.dims, self._rows, min(self._count, size), size, self.limit, self._base)

    def _with(self, index: int, row: Any, size: int) -> TensorList:
        shape = np.shape(row)
        if not TensorShape(self.dims).is_compatible_with(shape):
            raise InvalidArgumentError(
                f"Tried to set a tensor of shape {list(shape)} in a list with elements of shape {TensorShape(self.dims)}"
            )
        rows = self._own_rows()
        with _lock:
            if index == self._count == len(rows):
                rows.append(row)
            else:
                missing = [None] * (index - self._count)
                rows = [*rows[: self._count], *missing]
                rows[index : index + 1] = [row]
        return TensorList(self.dtype, self.dims, rows, max(self._count, index + 1), size, self.limit)

    def row_dims(self, given: Dims = None) -> Dims:
        """What is known of the rows' shape, from what was declared, from `given` and from the rows themselves."""
        shape = TensorShape(self.dims)
        if not shape.is_compatible_with(given):
            raise InvalidArgumentError(
                f"Tried to read elements of shape {TensorShape(given)} from a list with elements of shape {shape}"
            )
        shape = shape.merge_with(given)
        if not shape.is_fully_defined():
            first = next((row for row in self.rows() if row is not None), None)
            shape = shape if first is None else TensorShape(np.shape(first))
        return shape.dims

    def _filled(self, xp: Any, rows: Sequence[Any], given: Dims) -> list[Any]:
        """Rows with zeros in place of those that have not been set."""
        dims = self.row_dims(given)
        if all(row is not None for row in rows):
            return list(rows)
        if dims is None or None in dims:
            raise InvalidArgumentError(
                f"Trying to read an uninitialized element of a list, but the shape of its elements, {TensorShape(dims)}, is "
                "not fully defined. Write it first, or give the list an element_shape."
            )
        zeros = self._zeros(xp, dims)
        return [zeros if row is None else row for row in rows]

    def _zeros(self, xp: Any, dims: tuple[Any, ...]) -> Any:
        if self.dtype.as_numpy_dtype is np.object_:
            return np.full(dims, b"", object)
        return xp.zeros(dims, dtype=getattr(xp, self.dtype.name, self.dtype.np_dtype))

    def read(self, xp: Any, index: Any, given: Dims) -> Any:
        """Returns a row; zeros if it has not been set.

        Args:
            xp: The array namespace.
            index: Which.
            given: What the caller knows of its shape.

        Raises:
            InvalidArgumentError: There is no such row, or nothing tells the shape of one that has not been set.
        """
        return self._filled(xp, [self.row(index)], given)[0]

    def gather(self, xp: Any, indices: Any, given: Dims) -> Any:
        """Returns the rows at `indices` as one array."""
        return self._stacked(xp, [self.row(index) for index in indices], given)

    def stack(self, xp: Any, given: Dims) -> Any:
        """Returns all rows as one array."""
        if self._base is not None and self._count == self.size:
            self.row_dims(given)
            return self._base[: self.size, ...]
        return self._stacked(xp, self.rows(), given)

    def _stacked(self, xp: Any, rows: list[Any], given: Dims) -> Any:
        if not rows:
            dims = self.row_dims(given)
            if dims is None or None in dims:
                raise InvalidArgumentError(
                    f"Tried to stack elements of an empty list with non-fully-defined element_shape: {TensorShape(dims)}"
                )
            return self._zeros(xp, (0, *dims))
        whole = self._filled(xp, rows, given)
        shapes = {np.shape(row) for row in whole}
        if len(shapes) > 1:
            raise InvalidArgumentError(
                f"Tried to stack elements from a list with elements of several shapes: {sorted(shapes)}"
            )
        if self.dtype.as_numpy_dtype is np.object_:
            result = np.empty((len(whole), *next(iter(shapes))), object)
            for index, row in enumerate(whole):
                result[index] = row if np.ndim(row) else np.asarray(row, object)[()]
            return result
        return xp.stack([xp.asarray(row) for row in whole])

    def concat(self, xp: Any, given: Dims) -> tuple[Any, np.ndarray]:
        """Returns all rows one after the other along their first axis, and how long each was."""
        rows = self._filled(xp, self.rows(), given)
        if any(np.ndim(row) == 0 for row in rows):
            raise InvalidArgumentError("Concat requires elements to be at least vectors, found scalars instead.")
        lengths = np.array([row.shape[0] for row in rows], np.int64)
        if rows:
            return xp.concat(rows), lengths
        dims = self.row_dims(given)
        if dims is None or None in dims[1:]:
            raise InvalidArgumentError(
                f"All except the first dimension must be fully defined when concating an empty tensor list: {TensorShape(dims)}"
            )
        return self._zeros(xp, (0, *dims[1:])), lengths

    def zeros_like(self, xp: Any) -> TensorList:
        """Returns a list of as many zeros of the same shapes."""
        rows = [None if row is None else self._zeros(xp, np.shape(row)) for row in self.rows()]
        return TensorList(self.dtype, self.dims, rows, len(rows), self.size, self.limit)

    def __add__(self, other: TensorList) -> TensorList:
        """Returns the sums of the rows of two lists."""
        if not isinstance(other, TensorList):
            return NotImplemented  # a backend's own kind
        if other.size != self.size:
            raise InvalidArgumentError(f"Trying to add two lists of {self.size} and {other.size} tensors.")
        many, few = (self, other) if self._count >= other._count else (other, self)
        rows = many.rows()
        for index, row in enumerate(few._own_rows()[: few._count]):
            if row is not None:
                rows[index] = row if rows[index] is None else rows[index] + row
        return TensorList(self.dtype, self.dims, rows, len(rows), self.size, self.limit)
