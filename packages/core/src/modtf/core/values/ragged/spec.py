"""`RaggedTensorSpec`: descriptions of ragged tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import raw
from modtf.core.values.dtypes import DType, as_dtype, int32, int64, variant
from modtf.core.values.ragged.partitions import RowPartition
from modtf.core.values.ragged.tensor import RaggedTensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor, Tensor

__all__ = ["RaggedTensorSpec"]


def _variants(items: Sequence[Tensor]) -> Tensor:
    """Variant scalars as a vector, of which there may be none."""
    return raw.Pack(list(items)) if items else EagerTensor(np.empty(0, object), variant, NUMPY)


class RaggedTensorSpec(TypeSpec):
    """Describes a ragged tensor.

    Args:
        shape: Its shape, `None` for ragged and unknown sizes.
        dtype: The dtype of its values; that of `flat_values_spec` by default.
        ragged_rank: How many dimensions are partitioned; by default all but the first.
        row_splits_dtype: The dtype of its row splits.
        flat_values_spec: A spec of the flat values, if they are not what `shape` and `dtype` say (another composite).

    Raises:
        ValueError: The ragged rank does not fit the shape, or `dtype` differs from that of `flat_values_spec`.
    """

    __slots__ = ("_dtype", "_flat_values_spec", "_ragged_rank", "_row_splits_dtype", "_shape")

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = None,
        ragged_rank: int | None = None,
        row_splits_dtype: Any = int64,
        flat_values_spec: Any = None,
    ) -> None:
        self._shape = TensorShape(shape)
        self._row_splits_dtype = as_dtype(row_splits_dtype)
        if flat_values_spec is not None:
            if dtype is None:
                dtype = flat_values_spec.dtype
            elif as_dtype(dtype) is not flat_values_spec.dtype:
                raise ValueError("dtype must be the same as flat_values_spec.dtype")
        self._dtype = as_dtype("float32" if dtype is None else dtype)
        self._flat_values_spec = flat_values_spec
        rank = self._shape.rank
        if ragged_rank is None:
            if rank is None:
                raise ValueError("Must specify ragged_rank or a shape with a known rank.")
            ragged_rank = max(rank - 1, 0)
        if not isinstance(ragged_rank, int):
            raise TypeError(f"Argument `ragged_rank` must be an int. Received {ragged_rank!r}.")
        if rank is not None and ragged_rank and ragged_rank >= rank:
            raise ValueError(f"Argument `ragged_rank` ({ragged_rank}) must be less than rank ({rank}).")
        if self._row_splits_dtype not in (int32, int64):
            raise ValueError(f"row_splits_dtype must be int32 or int64, not {row_splits_dtype!r}.")
        self._ragged_rank = ragged_rank

    @classmethod
    def from_value(cls, value: Any) -> RaggedTensorSpec:
        """Returns the spec of a ragged tensor; of a tensor, one of the ragged rank 0."""
        if isinstance(value, RaggedTensor):
            flat = value.flat_values
            spec = None if isinstance(flat, Tensor) or not hasattr(flat, "type_spec") else flat.type_spec
            return cls(value.shape, flat.dtype, value.ragged_rank, value.row_partition.dtype, spec)
        return cls(value.shape, value.dtype, 0)

    @property
    def shape(self) -> TensorShape:
        """The shape, `None` for ragged and unknown sizes."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self._dtype

    @property
    def ragged_rank(self) -> int:
        """How many dimensions are partitioned."""
        return self._ragged_rank

    @property
    def row_splits_dtype(self) -> DType:
        """The dtype of the row splits."""
        return self._row_splits_dtype

    @property
    def flat_values_spec(self) -> Any:
        """The spec of the flat values, if they are not what shape and dtype say; else `None`."""
        return self._flat_values_spec

    @property
    def value_type(self) -> type:
        """`RaggedTensor`, or `Tensor` for the ragged rank 0."""
        return RaggedTensor if self._ragged_rank else Tensor

    # --------------------------------------------------------------------------------------------- components

    @property
    def component_specs(self) -> Sequence[Any]:
        flat = self._flat_values_spec
        if flat is None:
            inner = self._shape[self._ragged_rank + 1 :] if self._shape.rank is not None else TensorShape(None)
            dims = TensorShape([None]).concatenate(inner) if self._ragged_rank else self._shape
            flat = TensorSpec(dims, self._dtype)
        rows = self._shape[0] if self._shape.rank else None
        outer = [TensorSpec([None if rows is None else rows + 1], self._row_splits_dtype)] if self._ragged_rank else []
        inner_splits = [TensorSpec([None], self._row_splits_dtype)] * (self._ragged_rank - 1)
        return [flat, *outer, *inner_splits]

    def to_components(self, value: Any) -> Sequence[Any]:
        return [value.flat_values, *value.nested_row_splits] if isinstance(value, RaggedTensor) else [value]

    def from_components(self, components: Sequence[Any]) -> Any:
        result = components[0]
        dims = self._shape.dims
        lengths = [None] * self._ragged_rank if dims is None else dims[1 : self._ragged_rank + 1]
        for splits, length in zip(reversed(components[1:]), reversed(lengths), strict=True):
            partition = RowPartition(splits)
            if length is not None and isinstance(splits, Tensor):
                partition = partition.with_uniform_row_length(length)
            result = RaggedTensor(result, partition)
        return result

    # --------------------------------------------------------------------------------------------- rows

    def row_spec(self) -> RaggedTensorSpec:
        """Returns the spec of a row of such a ragged tensor; of the ragged rank 0, if its rows are tensors."""
        return RaggedTensorSpec(self._shape[1:], self._dtype, self._ragged_rank - 1, self._row_splits_dtype)

    def stack(self, rows: Sequence[Any]) -> Any:
        """Returns the ragged tensor whose rows, of which this is the spec, are the given ones."""
        return self.from_variants(_variants([self.to_variant(row) for row in rows]))

    def to_variant(self, value: Any) -> Tensor:
        """Returns such a value as a variant scalar, of which a tensor array can hold many."""
        flat, *splits = self.to_components(value)
        return raw.RaggedTensorToVariant(splits, flat, batched_input=False)

    def from_variants(self, variants: Tensor) -> Any:
        """Returns the ragged tensor whose rows a vector of such variants holds."""
        if not self._shape.rank and not self._ragged_rank:
            raise ValueError("A RaggedTensorSpec of scalars is not one of rows; use a TensorSpec or a dtype.")
        *splits, flat = raw.RaggedTensorFromVariant(
            variants,
            input_ragged_rank=self._ragged_rank,
            output_ragged_rank=self._ragged_rank + 1,
            Tvalues=self._dtype,
            Tsplits=self._row_splits_dtype,
        )
        inner = self._shape[self._ragged_rank + 1 :] if self._shape.rank is not None else TensorShape(None)
        if not isinstance(flat, EagerTensor):
            flat.set_shape(TensorShape([None]).concatenate(inner))
        elif not flat.dims[0] and inner.rank is not None:  # the rows, of which there are none, could not say
            flat = raw.Reshape(flat, [size or 0 for size in (0, *inner.as_list())])
        dims = None if self._shape.rank is None else [None, *self._shape.as_list()]
        return RaggedTensorSpec(dims, self._dtype, self._ragged_rank + 1, self._row_splits_dtype).from_components(
            [flat, *(splits[0] if isinstance(splits[0], list) else splits)]
        )

    # --------------------------------------------------------------------------------------------- comparing

    def _spec_of(self, value: Any) -> RaggedTensorSpec | None:
        if isinstance(value, (RaggedTensor, Tensor)):
            return RaggedTensorSpec.from_value(value)
        if isinstance(value, TensorSpec):
            return RaggedTensorSpec(value.shape, value.dtype, 0, self._row_splits_dtype)
        return value if isinstance(value, RaggedTensorSpec) else None

    def _same_kind(self, other: RaggedTensorSpec | None) -> bool:
        return (
            other is not None
            and self._dtype is other._dtype
            and self._ragged_rank == other._ragged_rank
            and (self._row_splits_dtype is other._row_splits_dtype or not self._ragged_rank)
        )

    def is_compatible_with(self, value: Any) -> bool:
        """Whether a ragged tensor (or another spec) has these dtypes and this ragged rank, and a shape that fits."""
        other = self._spec_of(value)
        return other is not None and self._same_kind(other) and self._shape.is_compatible_with(other._shape)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all values that fit this spec fit `other`."""
        return (
            isinstance(other, RaggedTensorSpec)
            and self._same_kind(other)
            and self._shape.is_subtype_of(other._shape)
            and self._flat_values_spec == other._flat_values_spec
        )

    def most_specific_compatible_type(self, other: Any) -> RaggedTensorSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            ValueError: They differ in more than the sizes.
        """
        if not isinstance(other, RaggedTensorSpec) or not self._same_kind(other):
            raise ValueError(f"No RaggedTensorSpec is compatible with both {self} and {other}.")
        shape = self._shape.most_specific_compatible_shape(other._shape)
        return RaggedTensorSpec(shape, self._dtype, self._ragged_rank, self._row_splits_dtype, self._flat_values_spec)

    def _facts(self) -> tuple[Any, ...]:
        return (self._shape.dims, self._dtype, self._ragged_rank, self._row_splits_dtype, self._flat_values_spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RaggedTensorSpec) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts()[:4])

    def __repr__(self) -> str:
        return f"RaggedTensorSpec({self._shape!r}, {self._dtype!r}, {self._ragged_rank}, {self._row_splits_dtype!r})"

    def __reduce__(self) -> Any:
        return RaggedTensorSpec, (
            self._shape, self._dtype, self._ragged_rank, self._row_splits_dtype, self._flat_values_spec,
        )  # fmt: skip
