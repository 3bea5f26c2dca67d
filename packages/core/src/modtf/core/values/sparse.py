"""`SparseTensor`: the elements of a tensor that are not zero, by their coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.engine import raw
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import (
    DType,
    as_dtype,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)  # fmt: skip
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import Tensor

__all__ = ["SparseTensor", "SparseTensorSpec"]


class SparseTensor(CompositeTensor):
    """A tensor given by some of its elements; the others are zero (or whatever a reader takes them for).

    Most functions want the coordinates in ascending order, as in `tf.sparse.reorder`, and each at most once.

    Args:
        indices: The coordinates, an int64 matrix [n, rank] with a row for each element.
        values: The elements, a vector of length n.
        dense_shape: The shape of the whole, an int64 vector of length rank.

    Raises:
        ValueError: The three do not fit together.
    """

    __slots__ = ("_dense_shape", "_indices", "_static_shape", "_values")
    __array_priority__ = 101
    implementations = "modtf.core.api.sparse.supported"

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        from modtf.core.engine.shape_rules import dims_from_value

        if isinstance(dense_shape, TensorShape):
            dense_shape = dense_shape.as_list()
        self._indices = convert_to_tensor(indices, dtype=int64)
        self._values = convert_to_tensor(values)
        self._dense_shape = convert_to_tensor(dense_shape, dtype=int64)
        rows, columns = self._indices.shape.with_rank(2)
        (count,) = self._values.shape.with_rank(1)
        (rank,) = self._dense_shape.shape.with_rank(1)
        if (None not in (rows, count) and rows != count) or (None not in (columns, rank) and columns != rank):
            raise ValueError(
                f"The parts of a SparseTensor do not fit together: indices {self._indices.shape} must be [n, rank], "
                f"values {self._values.shape} [n], and dense_shape {self._dense_shape.shape} [rank]."
            )
        self._static_shape = TensorShape(dims_from_value(self._dense_shape))
        if self._static_shape.rank is None and columns is not None:
            self._static_shape = TensorShape([None] * columns)

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """Returns a sparse tensor with the parts of another, or of any object that has such attributes."""
        try:
            return cls(sparse_tensor_value.indices, sparse_tensor_value.values, sparse_tensor_value.dense_shape)
        except AttributeError:
            raise TypeError(f"Expected a SparseTensor, or its three parts, not {sparse_tensor_value!r}.") from None

    @property
    def indices(self) -> Tensor:
        """The coordinates, int64 [n, rank]."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """The elements, [n]."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """The shape of the whole as a tensor, int64 [rank]."""
        return self._dense_shape

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape of the whole."""
        return self._static_shape

    def get_shape(self) -> TensorShape:
        """Returns `shape`."""
        return self._static_shape

    def set_shape(self, shape: Any) -> None:
        """Adds what the caller knows of the shape.

        Raises:
            ValueError: It contradicts what is known already.
        """
        self._static_shape = self._static_shape.merge_with(shape)

    @property
    def op(self) -> Any:
        """The node that makes the values, inside a function."""
        return self._values.op  # type: ignore[attr-defined]

    @property
    def graph(self) -> Any:
        """The graph of the function being traced."""
        return self._indices.graph  # type: ignore[attr-defined]

    def with_values(self, new_values: Any) -> SparseTensor:
        """Returns a sparse tensor with other values at the same coordinates."""
        made = SparseTensor(self._indices, new_values, self._dense_shape)
        made.set_shape(self._static_shape)
        return made

    @property
    def type_spec(self) -> SparseTensorSpec:
        return SparseTensorSpec(self._static_shape, self.dtype)

    @property
    def differentiable_part(self) -> Any:
        return self._values

    def with_differentiable_part(self, part: Any) -> SparseTensor:
        return self.with_values(part)

    def __mul__(self, y: Any) -> SparseTensor:
        return self._with_dense(raw.SparseDenseCwiseMul, self._values, y)

    __rmul__ = __mul__

    def __truediv__(self, y: Any) -> SparseTensor:
        dense = convert_to_tensor(y, dtype_hint=self.dtype)
        if dense.dtype is not self.dtype:
            raise TypeError(f"x and y must have the same dtype, got {self.dtype!r} != {dense.dtype!r}.")
        wide = _TRUE_DIVISION.get(self.dtype)
        if wide is None:
            return self._with_dense(raw.SparseDenseCwiseDiv, self._values, dense)
        return self._with_dense(raw.SparseDenseCwiseDiv, raw.Cast(self._values, DstT=wide), raw.Cast(dense, DstT=wide))

    def __div__(self, y: Any) -> SparseTensor:
        return self._with_dense(raw.SparseDenseCwiseDiv, self._values, y)

    def _with_dense(self, op: Any, values: Tensor, y: Any) -> SparseTensor:
        return self.with_values(op(self._indices, values, self._dense_shape, y))

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._indices!s}, values={self._values!s}, dense_shape={self._dense_shape!s})"


_TRUE_DIVISION = {
    **dict.fromkeys((int8, uint8, int16, uint16), float32),
    **dict.fromkeys((int32, uint32, int64, uint64), float64),
}


class SparseTensorSpec(TypeSpec):
    """Describes a sparse tensor.

    Args:
        shape: The shape of the whole; `None` for an unknown rank.
        dtype: The dtype of its values.
    """

    __slots__ = ("_dtype", "_shape")

    def __init__(self, shape: Any = None, dtype: Any = float32) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def value_type(self) -> type:
        """`SparseTensor`."""
        return SparseTensor

    @classmethod
    def from_value(cls, value: Any) -> SparseTensorSpec:
        """Returns the spec of a sparse tensor."""
        if not isinstance(value, SparseTensor):
            raise TypeError(f"Expected a SparseTensor, not {value!r}.")
        return cls(value.shape, value.dtype)

    @property
    def component_specs(self) -> list[TensorSpec]:
        rank = self._shape.rank
        return [TensorSpec([None, rank], int64), TensorSpec([None], self._dtype), TensorSpec([rank], int64)]

    def to_components(self, value: SparseTensor) -> list[Tensor]:
        return [value.indices, value.values, value.dense_shape]

    def from_components(self, components: Sequence[Any]) -> Any:
        made = SparseTensor(*components)
        made.set_shape(self._shape)
        return made

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether a sparse tensor (or another spec of one) has this dtype and a shape that fits."""
        return (
            isinstance(spec_or_value, (SparseTensor, SparseTensorSpec))
            and self._dtype is spec_or_value.dtype
            and self._shape.is_compatible_with(spec_or_value.shape)
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all sparse tensors that fit this spec fit `other`."""
        return (
            isinstance(other, SparseTensorSpec)
            and self._dtype is other.dtype
            and self._shape.is_subtype_of(other.shape)
        )

    def most_specific_compatible_type(self, other: Any) -> SparseTensorSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            ValueError: `other` is of another kind or dtype.
        """
        if not isinstance(other, SparseTensorSpec) or other.dtype is not self._dtype:
            raise ValueError(f"No SparseTensorSpec is compatible with both {self} and {other}.")
        return SparseTensorSpec(self._shape.most_specific_compatible_shape(other.shape), self._dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SparseTensorSpec) and (self._shape.dims, self._dtype) == (
            other._shape.dims,
            other._dtype,
        )

    def __hash__(self) -> int:
        return hash((self._shape.dims, self._dtype))

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self._shape!r}, {self._dtype!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return SparseTensorSpec, (self._shape, self._dtype)
