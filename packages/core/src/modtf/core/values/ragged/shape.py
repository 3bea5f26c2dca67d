"""`DynamicRaggedShape`: the shape of a ragged tensor with all its row lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype, int32, int64
from modtf.core.values.ragged.partitions import RowPartition, known
from modtf.core.values.ragged.tensor import RaggedTensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import Tensor

__all__ = ["DynamicRaggedShape", "DynamicRaggedShapeSpec"]

if TYPE_CHECKING:
    Lengths = Sequence[int | Sequence[int]]


class DynamicRaggedShape(CompositeTensor):
    """The shape of a tensor or ragged tensor, with the lengths of all rows: what `tf.shape` says of a ragged tensor.

    Args:
        row_partitions: How the dimensions behind the first one are partitioned, outermost first; one for each dimension up
            to the last ragged one.
        inner_shape: The shape of the flat values: integers, or a vector.
        dtype: The dtype of its numbers, int32 or int64; by default that of the partitions or of `inner_shape`.
        static_inner_shape: What is known of `inner_shape` without running a graph.
    """

    __slots__ = ("_inner_shape", "_row_partitions", "_static_inner_shape")
    implementations = "modtf.core.api.ragged.supported"

    def __init__(
        self,
        row_partitions: Sequence[RowPartition],
        inner_shape: Any,
        dtype: Any = None,
        static_inner_shape: Any = None,
    ) -> None:
        partitions = list(row_partitions)
        if isinstance(inner_shape, TensorShape):
            inner_shape = inner_shape.as_list()
        hint = partitions[0].dtype if partitions else int64
        inner = convert_to_tensor(inner_shape, dtype_hint=hint)
        wanted = as_dtype(dtype) if dtype is not None else (hint if partitions else inner.dtype)
        if wanted not in (int32, int64):
            raise ValueError(f"dtype must be int32 or int64, not {wanted!r}.")
        if inner.ndim not in (1, None):
            raise ValueError(f"inner_shape must be a vector, not of shape {inner.shape}.")
        self._row_partitions = tuple(partition.with_dtype(wanted) for partition in partitions)
        self._inner_shape = inner if inner.dtype is wanted else raw.Cast(inner, DstT=wanted)
        if static_inner_shape is None:
            static_inner_shape = TensorShape(dims_from_value(self._inner_shape))
        self._static_inner_shape = TensorShape(static_inner_shape)

    @classmethod
    def from_lengths(
        cls, lengths: Lengths, num_row_partitions: int | None = None, dtype: Any = int64
    ) -> DynamicRaggedShape:
        """Returns the shape with the given sizes.

        Args:
            lengths: For each dimension its size, or a list of the lengths of its rows if it is ragged.
            num_row_partitions: How many dimensions are partitioned; by default up to the last ragged one.
            dtype: The dtype of its numbers.

        Raises:
            ValueError: The row lengths do not fit each other.
        """
        ragged = [index for index, length in enumerate(lengths) if not isinstance(length, int)]
        least = ragged[-1] if ragged else 0
        count = least if num_row_partitions is None else num_row_partitions
        if ragged and ragged[0] == 0:
            raise ValueError("The first dimension cannot be ragged.")
        if count < least or (lengths and count >= len(lengths)):
            raise ValueError(f"num_row_partitions={count} is not between {least} and {len(lengths) - 1}.")
        wanted, partitions, rows = as_dtype(dtype), [], int(lengths[0]) if lengths else 0  # type: ignore[arg-type]
        for length in lengths[1 : count + 1]:
            if isinstance(length, int):
                partitions.append(RowPartition.from_uniform_row_length(length, rows * length, rows, dtype=wanted))
                rows *= length
            else:
                if len(length) != rows:
                    raise ValueError(f"There are {len(length)} row lengths for {rows} rows: {lengths}.")
                partitions.append(RowPartition.from_row_lengths(list(length), dtype=wanted))
                rows = sum(length)
        return cls(partitions, np.array([rows, *lengths[count + 1 :]] if lengths else [], wanted.np_dtype), wanted)

    @classmethod
    def from_row_partitions(cls, row_partitions: Sequence[RowPartition], dtype: Any = None) -> DynamicRaggedShape:
        """Returns the shape of a ragged tensor of these partitions, whose flat values are a vector."""
        if not row_partitions:
            raise ValueError("row_partitions cannot be empty")
        return cls(row_partitions, raw.ExpandDims(row_partitions[-1].nvals(), 0), dtype)

    @classmethod
    def from_tensor(cls, t: Any, dtype: Any = None) -> DynamicRaggedShape:
        """Returns the shape of a tensor or ragged tensor."""
        if isinstance(t, RaggedTensor):
            flat = t.flat_values
            kind = t.row_partition.dtype
            return cls(t.nested_row_partitions, raw.Shape(flat, out_type=kind), dtype, flat.shape)
        tensor = convert_to_tensor(t)
        wanted = int64 if dtype is None else as_dtype(dtype)
        return cls([], raw.Shape(tensor, out_type=wanted), wanted, tensor.shape)

    # --------------------------------------------------------------------------------------------- parts

    @property
    def row_partitions(self) -> tuple[RowPartition, ...]:
        """How dimensions are partitioned, outermost first."""
        return self._row_partitions

    @property
    def num_row_partitions(self) -> int:
        """How many dimensions are partitioned."""
        return len(self._row_partitions)

    @property
    def inner_shape(self) -> Tensor:
        """The shape of the flat values, a vector."""
        return self._inner_shape

    @property
    def static_inner_shape(self) -> TensorShape:
        """What is known of `inner_shape` without running a graph."""
        return self._static_inner_shape

    @property
    def inner_rank(self) -> int | None:
        """The rank of the flat values, or `None` if unknown."""
        return self._static_inner_shape.rank

    @property
    def rank(self) -> int | None:
        """The number of dimensions, or `None` if unknown."""
        inner = self.inner_rank
        return None if inner is None else inner + self.num_row_partitions

    @property
    def dtype(self) -> DType:
        """The dtype of its numbers, int32 or int64."""
        return self._inner_shape.dtype

    def with_dtype(self, dtype: Any) -> DynamicRaggedShape:
        """Returns the same shape with numbers of `dtype`."""
        return DynamicRaggedShape(self._row_partitions, self._inner_shape, dtype, self._static_inner_shape)

    def is_uniform(self, axis: int) -> bool:
        """Whether all slices along an axis have the same length, by what the shape is made of."""
        if not isinstance(axis, int):
            raise TypeError("axis must be an integer")
        if axis < 0 or (self.rank is not None and axis >= self.rank):
            raise IndexError(f"axis={axis} is not a dimension of a shape of rank {self.rank}.")
        return not 0 < axis <= self.num_row_partitions or self._row_partitions[axis - 1].is_uniform()

    def static_lengths(self, ragged_lengths: bool = True) -> list[Any]:
        """Returns the sizes that are known: ints, `None`, tuples for ragged dimensions, `...` for an unknown inner rank.

        Args:
            ragged_lengths: Whether ragged dimensions are given as tuples of row lengths, rather than as `None`.
        """
        if not self._row_partitions:
            return [...] if self.rank is None else self._static_inner_shape.as_list()
        first = self._row_partitions[0]
        result: list[Any] = [first.static_nrows]
        for partition in self._row_partitions:
            if partition.is_uniform():
                result.append(partition.static_uniform_row_length)
                continue
            lengths = known(partition.row_lengths()) if ragged_lengths else None
            result.append(None if lengths is None else tuple(lengths.tolist()))
        return [*result, ...] if self.rank is None else [*result, *self._static_inner_shape[1:].as_list()]

    def _num_elements(self) -> Tensor:
        return raw.Prod(self._inner_shape, 0)

    def __getitem__(self, index: Any) -> Any:
        """Returns the size of a uniform dimension as a scalar, or for a slice the shape of those dimensions."""
        if isinstance(index, slice):
            return self._slice(index)
        if isinstance(index, Tensor):
            value = constant_value(index)
            if value is None:
                raise ValueError("The index of a dimension must be known.")
            index = int(value)
        rank = self.rank
        if index < 0:
            if rank is None:
                raise ValueError("Rank must be known to use __getitem__ with a negative index.")
            index += rank
        if index < 0 or (rank is not None and index >= rank):
            raise IndexError(f"Index {index} is not a dimension of a shape of rank {rank}.")
        if not self.is_uniform(index):
            raise ValueError(f"Index {index} is not uniform")
        if index == 0 and self._row_partitions:
            return self._row_partitions[0].nrows()
        if index <= self.num_row_partitions and self._row_partitions:
            return self._row_partitions[index - 1].uniform_row_length()
        return self._inner_shape[index - self.num_row_partitions]

    def _slice(self, index: slice) -> DynamicRaggedShape:
        rank = self.rank
        if rank is None:
            raise ValueError("Rank must be known to slice a shape.")
        start, stop, step = index.indices(rank)
        if step != 1:
            raise IndexError("Cannot stride through a shape")
        if start == 0 and stop > self.num_row_partitions:
            count = stop - self.num_row_partitions
            return DynamicRaggedShape(self._row_partitions, self._inner_shape[:count], self.dtype)
        if start == 0 and stop > 1:
            return DynamicRaggedShape.from_row_partitions(self._row_partitions[: stop - 1], self.dtype)
        sizes = [self[axis] for axis in range(start, stop)]
        inner = raw.Pack(sizes) if sizes else np.zeros(0, self.dtype.np_dtype)
        return DynamicRaggedShape([], inner, self.dtype)

    # --------------------------------------------------------------------------------------------- as a composite

    @property
    def type_spec(self) -> DynamicRaggedShapeSpec:
        return DynamicRaggedShapeSpec(
            tuple(partition.type_spec for partition in self._row_partitions), self._static_inner_shape, self.dtype
        )

    def __repr__(self) -> str:
        lengths = ", ".join("..." if size is ... else str(size) for size in self.static_lengths())
        return f"<DynamicRaggedShape lengths=[{lengths}] num_row_partitions={self.num_row_partitions}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DynamicRaggedShape):
            return NotImplemented
        return self.static_lengths() == other.static_lengths() and self.num_row_partitions == other.num_row_partitions

    def __hash__(self) -> int:
        raise TypeError("DynamicRaggedShape is unhashable.")


class DynamicRaggedShapeSpec(TypeSpec):
    """Describes a `DynamicRaggedShape`.

    Args:
        row_partitions: The specs of its row partitions.
        static_inner_shape: What is known of the inner shape.
        dtype: The dtype of its numbers.
    """

    __slots__ = ("_dtype", "_row_partitions", "_static_inner_shape")

    def __init__(self, row_partitions: Sequence[Any], static_inner_shape: Any, dtype: Any = int64) -> None:
        self._row_partitions = tuple(row_partitions)
        self._static_inner_shape = TensorShape(static_inner_shape)
        self._dtype = as_dtype(dtype)

    @property
    def component_specs(self) -> list[Any]:
        return [*self._row_partitions, TensorSpec([self._static_inner_shape.rank], self._dtype)]

    def to_components(self, value: DynamicRaggedShape) -> list[Any]:
        return [*value.row_partitions, value.inner_shape]

    def from_components(self, components: Any) -> Any:
        *partitions, inner = components
        return DynamicRaggedShape(partitions, inner, self._dtype, self._static_inner_shape)

    def is_compatible_with(self, value: Any) -> bool:
        other = value.type_spec if isinstance(value, DynamicRaggedShape) else value
        return (
            isinstance(other, DynamicRaggedShapeSpec)
            and self._dtype is other._dtype
            and len(self._row_partitions) == len(other._row_partitions)
            and all(a.is_compatible_with(b) for a, b in zip(self._row_partitions, other._row_partitions, strict=True))
            and self._static_inner_shape.is_compatible_with(other._static_inner_shape)
        )

    def is_subtype_of(self, other: Any) -> bool:
        return (
            isinstance(other, DynamicRaggedShapeSpec)
            and self._dtype is other._dtype
            and len(self._row_partitions) == len(other._row_partitions)
            and all(a.is_subtype_of(b) for a, b in zip(self._row_partitions, other._row_partitions, strict=True))
            and self._static_inner_shape.is_subtype_of(other._static_inner_shape)
        )

    def most_specific_compatible_type(self, other: Any) -> DynamicRaggedShapeSpec:
        if not isinstance(other, DynamicRaggedShapeSpec) or len(self._row_partitions) != len(other._row_partitions):
            raise ValueError(f"No DynamicRaggedShapeSpec is compatible with both {self} and {other}.")
        partitions = [
            a.most_specific_compatible_type(b) for a, b in zip(self._row_partitions, other._row_partitions, strict=True)
        ]
        shape = self._static_inner_shape.most_specific_compatible_shape(other._static_inner_shape)
        return DynamicRaggedShapeSpec(partitions, shape, self._dtype)

    def _facts(self) -> tuple[Any, ...]:
        return (self._row_partitions, self._static_inner_shape.dims, self._dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DynamicRaggedShapeSpec) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        return f"DynamicRaggedShapeSpec({self._row_partitions}, {self._static_inner_shape}, {self._dtype!r})"
