"""Lists of tensors inside compiled parts: one array with room for all rows, and how many there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modtf.backend_jax.scopes import in_program
from modtf.core import TensorShape
from modtf.core.contracts import TensorList, find_kernel_dtype


class StackedList:
    """A list of tensors with the methods of core's `TensorList`, as a JAX pytree.

    Attributes:
        buffer: The rows and room for more, `None` until the first one says what shape they have.
        size: How many rows there are: an int, or a tracer where a loop makes the list longer or shorter.
        dtype: The rows' dtype.
        dims: What is known of their shape.
        limit: How many there may be, or -1.
    """

    def __init__(self, buffer: Any, size: Any, dtype: Any, dims: Any, limit: int) -> None:
        self.buffer = buffer
        self.size = size
        self.dtype = dtype
        self.dims = dims
        self.limit = limit

    @classmethod
    def of(cls, given: Any, backend: Any = None) -> StackedList:
        """Returns the same list for compiled parts.

        Raises:
            NotImplementedError: It is no list, or one of arrays that make no whole.
        """
        if isinstance(given, StackedList):
            return given
        if not isinstance(given, TensorList) or (backend is not None and not backend.supports(given.dtype)):
            raise NotImplementedError("No list of numbers.")
        rows = given.rows()
        if len({np.shape(row) for row in rows if row is not None}) > 1:
            raise NotImplementedError("Rows of several shapes.")
        buffer = None
        if any(row is not None for row in rows):
            buffer = jnp.asarray(given.stack(jnp, given.dims))
        return cls(buffer, given.size, given.dtype, given.dims, given.limit).allocated()

    def allocated(self) -> StackedList:
        """The list with zeros for rows, if their shape and number are known and there are none yet."""
        known = self.dims is not None and None not in self.dims
        if self.buffer is None and known and isinstance(self.size, int):
            return self.with_room(max(self.size, self.limit), self.dims)
        return self

    def with_room(self, room: int, dims: Sequence[int]) -> StackedList:
        """The list with zeros for rows."""
        buffer = jnp.zeros((room, *dims), find_kernel_dtype(jnp, self.dtype))
        return StackedList(buffer, self.size, self.dtype, self.dims, self.limit)

    def with_traced_size(self) -> StackedList:
        """The list with a size that a loop may change."""
        return StackedList(self.buffer, jnp.asarray(self.size, np.int32), self.dtype, self.dims, self.limit)

    def plain(self) -> TensorList:
        """The list as core has it, which can do anything, outside compiled parts."""
        size = int(self.size)
        if self.buffer is None:
            return TensorList.empty(self.dtype, self.dims, size, self.limit)
        return TensorList.from_stacked(self.buffer[:size], self.dtype, self.dims)

    @property
    def room(self) -> int:
        return 0 if self.buffer is None else self.buffer.shape[0]

    def _replaced(self, buffer: Any, size: Any) -> StackedList:
        return StackedList(buffer, size, self.dtype, self.dims, self.limit)

    def _for_row(self, row: Any) -> StackedList:
        if self.buffer is not None:
            if self.buffer.shape[1:] != row.shape:
                raise NotImplementedError("Rows of several shapes.")
            return self
        return self.with_room(max(self.limit, self.size if isinstance(self.size, int) else 0), row.shape)

    def pushed(self, row: Any) -> Any:
        row = jnp.asarray(row)
        if not in_program():
            return self.plain().pushed(row)
        given = self._for_row(row)
        if isinstance(given.size, int) and given.size >= given.room:
            return given._replaced(jnp.concatenate([given.buffer[: given.size], row[None]]), given.size + 1)
        return given._replaced(given.buffer.at[given.size].set(row), given.size + 1)

    def popped(self) -> Any:
        if not in_program():
            return self.plain().popped()
        return self._replaced(self.buffer, self.size - 1)

    def with_row(self, index: Any, row: Any, resize: bool = False) -> Any:
        if not in_program():
            return self.plain().with_row(index, row, resize)
        inside = isinstance(index, (int, np.ndarray)) and isinstance(self.size, int) and int(index) < self.size
        if resize and not inside:
            raise NotImplementedError("A list that grows by being written to.")
        row = jnp.asarray(row)
        if self.buffer is None:
            return OneRow(self._for_row(row), index, row)
        given = self._for_row(row)
        return given._replaced(given.buffer.at[index].set(row), given.size)

    def resized(self, size: Any) -> Any:
        if not in_program():
            return self.plain().resized(size)
        size = int(size)
        if not isinstance(self.size, int):
            raise NotImplementedError("A list of unknown length cut to another.")
        buffer = self.buffer
        if buffer is not None and size > buffer.shape[0]:
            buffer = jnp.concatenate([buffer, jnp.zeros((size - buffer.shape[0], *buffer.shape[1:]), buffer.dtype)])
        return self._replaced(buffer, size)

    def read(self, xp: Any, index: Any, given: Any) -> Any:
        if not in_program():
            return self.plain().read(xp, index, given)
        if self.buffer is None:
            raise NotImplementedError("A row that nothing has been written to.")
        return jax.lax.dynamic_index_in_dim(self.buffer, index, keepdims=False)

    def gather(self, xp: Any, indices: Any, given: Any) -> Any:
        if not in_program():
            return self.plain().gather(xp, indices, given)
        if self.buffer is None:
            raise NotImplementedError("Rows that nothing has been written to.")
        return jnp.take(self.buffer, indices, axis=0)

    def stack(self, xp: Any, given: Any) -> Any:
        if not in_program():
            return self.plain().stack(xp, given)
        if not isinstance(self.size, int):
            raise NotImplementedError("A list of unknown length as one array.")
        if self.buffer is None:
            dims = TensorShape(self.dims).merge_with(given).dims
            if dims is None or None in dims:
                raise NotImplementedError("Rows of unknown shape.")
            return jnp.zeros((self.size, *dims), find_kernel_dtype(jnp, self.dtype))
        return self.buffer[: self.size]

    def concat(self, xp: Any, given: Any) -> tuple[Any, Any]:
        if not in_program():
            return self.plain().concat(xp, given)
        stacked = self.stack(xp, None if given is None else (None, *given[1:]))
        lengths = jnp.full(stacked.shape[0], stacked.shape[1], np.int64)
        return jnp.reshape(stacked, (math.prod(stacked.shape[:2]), *stacked.shape[2:])), lengths

    def rows(self) -> list[Any]:
        return [self.buffer[index] for index in range(int(self.size))]

    def zeros_like(self, xp: Any) -> StackedList:
        return self._replaced(None if self.buffer is None else jnp.zeros_like(self.buffer), self.size)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, OneRow):
            return other + self
        other = StackedList.of(other)
        if self.buffer is None or other.buffer is None:
            return other if self.buffer is None else self
        return self._replaced(self.buffer + other.buffer, self.size)

    __radd__ = __add__


class OneRow:
    """A list whose rows are all zeros but one: the gradient of reading a row, which is mostly added to others."""

    def __init__(self, zeros: StackedList, index: Any, row: Any) -> None:
        self.zeros = zeros
        self.index = index
        self.row = row

    def dense(self) -> StackedList:
        return self.zeros._replaced(self.zeros.buffer.at[self.index].set(self.row), self.zeros.size)

    def __add__(self, other: Any) -> StackedList:
        if isinstance(other, OneRow):
            return self + other.dense()
        if other.buffer is None:
            return self.dense()
        return other._replaced(other.buffer.at[self.index].add(self.row), other.size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dense(), name)


def dense(value: Any) -> Any:
    """The value; a list that is only sketched, in full."""
    return value.dense() if isinstance(value, OneRow) else value


def _flatten(given: StackedList) -> Any:
    facts = (given.dtype, given.dims, given.limit)
    if isinstance(given.size, int):
        return (given.buffer,), (given.size, facts)
    return (given.buffer, given.size), (None, facts)


def _unflatten(static: Any, leaves: Any) -> StackedList:
    size, facts = static
    return StackedList(leaves[0], leaves[1] if size is None else size, *facts)


jax.tree_util.register_pytree_node(StackedList, _flatten, _unflatten)


# ------------------------------------------------------------------------------------------------- kernels


def _dims(sizes: Any) -> Any:
    values = np.asarray(sizes)
    return None if values.ndim == 0 else tuple(None if size < 0 else int(size) for size in values)


def empty(xp: Any, element_shape: Any, max_num_elements: Any, *, element_dtype: Any) -> Any:
    """`EmptyTensorList`."""
    return StackedList(None, 0, element_dtype, _dims(element_shape), int(max_num_elements)).allocated()


def reserve(xp: Any, element_shape: Any, num_elements: Any, *, element_dtype: Any) -> Any:
    """`TensorListReserve`."""
    return StackedList(None, int(num_elements), element_dtype, _dims(element_shape), -1)


def from_tensor(xp: Any, tensor: Any, element_shape: Any) -> Any:
    """`TensorListFromTensor`."""
    from modtf.core import as_dtype

    return StackedList(tensor, tensor.shape[0], as_dtype(tensor.dtype), _dims(element_shape), -1)


def scatter(xp: Any, tensor: Any, indices: Any, element_shape: Any, num_elements: Any) -> Any:
    """`TensorListScatterV2`."""
    from modtf.core import as_dtype

    count = max(int(num_elements), int(np.max(indices, initial=-1)) + 1)
    made = StackedList(None, count, as_dtype(tensor.dtype), _dims(element_shape), -1).with_room(count, tensor.shape[1:])
    return made._replaced(made.buffer.at[indices].set(tensor), count)
