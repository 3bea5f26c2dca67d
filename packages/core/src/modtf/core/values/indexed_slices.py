"""`IndexedSlices`: some rows of a tensor by their numbers, such as the gradient of gathering them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.dtypes import DType, as_dtype, float32, int64
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import Tensor

__all__ = ["IndexedSlices", "IndexedSlicesSpec"]


class IndexedSlices(CompositeTensor):
    """The sum of rows at some places of a tensor that is zero elsewhere.

    Gradients of embeddings are of this kind: the rows that were looked up, without all the others. Where a tensor is
    asked for it becomes one (`tf.convert_to_tensor`); rows of the same number are added up.

    Args:
        values: The rows, [n, ...].
        indices: Their numbers, int32 or int64 [n].
        dense_shape: The shape of the whole as a vector; needed to make a tensor of it.
    """

    __slots__ = ("_dense_shape", "_indices", "_values")

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None) -> None:
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    @property
    def values(self) -> Tensor:
        """The rows."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """Their numbers."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the whole as a tensor, or `None`."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape of the whole."""
        from modtf.core.engine.shape_rules import dims_from_value

        return TensorShape(None if self._dense_shape is None else dims_from_value(self._dense_shape))

    @property
    def dtype(self) -> DType:
        return self._values.dtype

    @property
    def device(self) -> str:
        return self._values.device  # type: ignore[attr-defined]

    @property
    def name(self) -> str:
        """The name of `values`, inside a function."""
        return self._values.name  # type: ignore[attr-defined]

    @property
    def op(self) -> Any:
        """The node that makes `values`, inside a function."""
        return self._values.op  # type: ignore[attr-defined]

    @property
    def graph(self) -> Any:
        """The graph of the function being traced."""
        return self._values.graph  # type: ignore[attr-defined]

    @property
    def type_spec(self) -> IndexedSlicesSpec:
        shape = TensorShape([None]).concatenate(self._values.shape[1:])
        given = self._dense_shape
        if given is not None:
            shape = shape.merge_with(self.shape)
        rows = self._indices.shape.merge_with(self._values.shape[:1])
        return IndexedSlicesSpec(shape, self.dtype, self._indices.dtype, None if given is None else given.dtype, rows)

    def __neg__(self) -> IndexedSlices:
        return IndexedSlices(-self._values, self._indices, self._dense_shape)

    def __tf_tensor__(self, dtype: DType | None = None, name: str | None = None) -> Tensor:
        if dtype is not None and dtype is not self.dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype {self.dtype.name}. "
                "Convert it with tf.cast."
            )
        if self._dense_shape is None:
            raise ValueError(f"Tensor conversion requested for IndexedSlices without dense_shape: {self}. Give it one.")
        count = (self.shape.dims or (None,))[0]
        rows = self._dense_shape[0] if count is None else np.int32(count) if count < 2**31 else np.int64(count)
        return raw.UnsortedSegmentSum(self._values, self._indices, rows, name=name)

    def __str__(self) -> str:
        shape = "" if self._dense_shape is None else f", dense_shape={self._dense_shape!s}"
        return f"IndexedSlices(indices={self._indices!s}, values={self._values!s}{shape})"

    __repr__ = __str__


def joined(parts: Sequence[IndexedSlices]) -> IndexedSlices:
    """Returns the sum of several that are parts of one tensor: all their rows."""
    indices = [part.indices for part in parts]
    if any(item.dtype is not indices[0].dtype for item in indices):
        indices = [raw.Cast(item, DstT=int64) for item in indices]
    values = raw.ConcatV2([part.values for part in parts], 0)
    return IndexedSlices(values, raw.ConcatV2(indices, 0), parts[0].dense_shape)


class IndexedSlicesSpec(TypeSpec):
    """Describes rows by number.

    Args:
        shape: The shape of the whole; `None` for any.
        dtype: The dtype of the rows.
        indices_dtype: The dtype of their numbers.
        dense_shape_dtype: The dtype of the shape; `None` if there is none.
        indices_shape: The shape of the numbers, [n].
    """

    __slots__ = ("_dense_shape_dtype", "_dtype", "_indices_dtype", "_indices_shape", "_shape")

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = float32,
        indices_dtype: Any = int64,
        dense_shape_dtype: Any = None,
        indices_shape: Any = None,
    ) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._indices_dtype = as_dtype(indices_dtype)
        self._dense_shape_dtype = None if dense_shape_dtype is None else as_dtype(dense_shape_dtype)
        self._indices_shape = TensorShape(indices_shape).with_rank(1)

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def value_type(self) -> type:
        """`IndexedSlices`."""
        return IndexedSlices

    @property
    def component_specs(self) -> list[TensorSpec]:
        specs = [
            TensorSpec(self._indices_shape.concatenate(self._shape[1:]), self._dtype),
            TensorSpec(self._indices_shape, self._indices_dtype),
        ]
        if self._dense_shape_dtype is not None:
            specs.append(TensorSpec([self._shape.rank], self._dense_shape_dtype))
        return specs

    def to_components(self, value: IndexedSlices) -> list[Tensor]:
        parts = [value.values, value.indices]
        return parts if value.dense_shape is None else [*parts, value.dense_shape]

    def from_components(self, components: Sequence[Any]) -> Any:
        return IndexedSlices(*components)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether an `IndexedSlices` (or another spec of one) fits this spec."""
        other = spec_or_value.type_spec if isinstance(spec_or_value, IndexedSlices) else spec_or_value
        return (
            isinstance(other, IndexedSlicesSpec)
            and self._dtypes == other._dtypes
            and self._shape.is_compatible_with(other._shape)
            and self._indices_shape.is_compatible_with(other._indices_shape)
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all that fits this spec fits `other`."""
        return (
            isinstance(other, IndexedSlicesSpec)
            and self._dtypes == other._dtypes
            and self._shape.is_subtype_of(other._shape)
            and self._indices_shape.is_subtype_of(other._indices_shape)
        )

    def most_specific_compatible_type(self, other: Any) -> IndexedSlicesSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            ValueError: `other` is of another kind, or of other dtypes.
        """
        if not isinstance(other, IndexedSlicesSpec) or self._dtypes != other._dtypes:
            raise ValueError(f"No IndexedSlicesSpec is compatible with both {self} and {other}.")
        rows = self._indices_shape.most_specific_compatible_shape(other._indices_shape)
        return IndexedSlicesSpec(self._shape.most_specific_compatible_shape(other._shape), *self._dtypes, rows)

    @property
    def _dtypes(self) -> tuple[DType, DType, DType | None]:
        return self._dtype, self._indices_dtype, self._dense_shape_dtype

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IndexedSlicesSpec) and self._parts == other._parts

    def __hash__(self) -> int:
        return hash(self._parts)

    @property
    def _parts(self) -> tuple[Any, ...]:
        return self._shape.dims, *self._dtypes, self._indices_shape.dims

    def __repr__(self) -> str:
        return (
            f"IndexedSlicesSpec({self._shape!r}, {self._dtype!r}, {self._indices_dtype!r}, "
            f"{self._dense_shape_dtype!r}, {self._indices_shape!r})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return IndexedSlicesSpec, (self._shape, *self._dtypes, self._indices_shape)
