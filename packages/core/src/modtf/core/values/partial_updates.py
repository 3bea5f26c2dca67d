"""Updates of parts of a variable: rows, elements and slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["PartialUpdates"]


def _rows(op: str, what: str, note: str = "") -> Callable[..., Any]:
    def method(self: Any, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        from modtf.core.values.indexed_slices import IndexedSlices

        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(f"sparse_delta must be a tf.IndexedSlices, not {sparse_delta!r}.")
        updates = convert_to_tensor(sparse_delta.values, dtype=self.dtype)
        getattr(raw, op)(self.handle, sparse_delta.indices, updates, name=name)
        return self._updated()

    method.__doc__ = f"""{what} rows.

        Args:
            sparse_delta: An `IndexedSlices`: the numbers of the rows, and a row for each, or a scalar for all.{note}
            use_locking: Without effect: every update is atomic.
            name: A name for the graph node.

        Returns:
            The variable; inside a function, its new value.

        Raises:
            TypeError: `sparse_delta` is something else.
            InvalidArgumentError: There is no such row, or the shapes do not fit.
        """
    return method


def _elements(op: str, what: str) -> Callable[..., Any]:
    def method(self: Any, indices: Any, updates: Any, name: str | None = None) -> Any:
        getattr(raw, op)(self.handle, indices, convert_to_tensor(updates, dtype=self.dtype), name=name)
        return self._updated()

    method.__doc__ = f"""{what} elements, or slices of them.

        Args:
            indices: Coordinates [..., depth], each row the first `depth` coordinates of a slice.
            updates: The slices, of shape `indices.shape[:-1] + variable.shape[depth:]`.
            name: A name for the graph node.

        Returns:
            The variable; inside a function, its new value.

        Raises:
            InvalidArgumentError: Coordinates are outside, or the shapes do not fit.
        """
    return method


class PartialUpdates:
    """What variables have to update parts of themselves. Rows or elements that occur again are updated again."""

    handle: Any
    dtype: Any
    value: Callable[[], Tensor]

    def _updated(self) -> Any:
        return self if contexts.executing_eagerly() else self.value()

    scatter_add = _rows("ResourceScatterAdd", "Adds to")
    scatter_sub = _rows("ResourceScatterSub", "Subtracts from")
    scatter_mul = _rows("ResourceScatterMul", "Multiplies")
    scatter_div = _rows("ResourceScatterDiv", "Divides")
    scatter_max = _rows("ResourceScatterMax", "Raises to at least what is given")
    scatter_min = _rows("ResourceScatterMin", "Lowers to at most what is given")
    scatter_update = _rows("ResourceScatterUpdate", "Replaces", " Of rows that occur again, one counts.")

    scatter_nd_add = _elements("ResourceScatterNdAdd", "Adds to")
    scatter_nd_sub = _elements("ResourceScatterNdSub", "Subtracts from")
    scatter_nd_max = _elements("ResourceScatterNdMax", "Raises to at least what is given")
    scatter_nd_min = _elements("ResourceScatterNdMin", "Lowers to at most what is given")
    scatter_nd_update = _elements("ResourceScatterNdUpdate", "Replaces")

    def batch_scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replaces rows in each of a batch of matrices, or of larger things.

        Args:
            sparse_delta: An `IndexedSlices` with indices [batch..., n], the numbers of the rows in each, and the rows,
                [batch..., n, ...].
            use_locking: Without effect: every update is atomic.
            name: A name for the graph node.

        Returns:
            The variable; inside a function, its new value.
        """
        from modtf.core.values.indexed_slices import IndexedSlices

        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(f"sparse_delta must be a tf.IndexedSlices, not {sparse_delta!r}.")
        rows = convert_to_tensor(sparse_delta.indices)
        rank = rows.ndim
        if not rank:
            raise ValueError(f"The rank of the indices must be known and at least 1; their shape is {rows.shape}.")
        shape = raw.Shape(rows, out_type=rows.dtype)
        columns = []
        for axis in range(rank - 1):
            dims = [1] * rank
            dims[axis] = -1
            zero, one = (convert_to_tensor(number, dtype=rows.dtype) for number in (0, 1))
            places = raw.Reshape(raw.Range(zero, shape[axis], one), dims)
            columns.append(raw.BroadcastTo(places, shape))
        return self.scatter_nd_update(raw.Pack([*columns, rows], axis=-1), sparse_delta.values, name)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """Returns the elements, or slices, at the coordinates in the last axis of `indices`."""
        return raw.ResourceGatherNd(self.handle, indices, dtype=self.dtype, name=name)

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """Returns the rows at `indices`, without reading the others."""
        return raw.ResourceGather(self.handle, indices, dtype=self.dtype, name=name)

    def assign_slice(self, bounds: Any, masks: Any, value: Any, name: str | None = None) -> Any:
        """Replaces what a strided slice names; `variable[...].assign(value)` calls it.

        Args:
            bounds: Begin, end and strides of the slice.
            masks: Its masks, in the order of the op's attributes.
            value: The new elements, of a shape that broadcasts to that of the slice.
            name: A name for the graph node.

        Returns:
            The variable; inside a function, its new value.
        """
        op = raw.ResourceStridedSliceAssign
        named = dict(zip(op.schema.attr_index, masks, strict=True))
        op(self.handle, *bounds, convert_to_tensor(value, dtype=self.dtype), **named, name=name)
        return self._updated()
