"""`RaggedTensor`: a tensor whose rows have different lengths, as flat values and nested row partitions."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype, int32, int64
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.ragged.making import Makers
from modtf.core.values.ragged.partitions import RowPartition, known
from modtf.core.values.ragged.printing import show
from modtf.core.values.shapes import TensorShape, size_of
from modtf.core.values.tensors import EagerTensor, Tensor

__all__ = ["RaggedTensor"]


def _operator(name: str, reflected: bool = False) -> Any:
    """An operator that calls a public function, which knows how ragged tensors go with others."""

    def binary(self: RaggedTensor, other: Any) -> Any:
        operate = getattr(import_module("modtf.core.api.ragged.operators"), name)
        return operate(other, self) if reflected else operate(self, other)

    return binary


class RaggedTensor(Makers, CompositeTensor):
    """A tensor with one or more ragged dimensions: ones whose slices may have different lengths.

    It is made of `values` and of a partition of those into rows; the values of one with several ragged dimensions are
    themselves a ragged tensor. Make one with `tf.ragged.constant` or the class methods `from_...`.

    Most functions of the API take ragged tensors, as do Python's operators and indexing. Functions that do not tell so;
    `to_tensor` pads it for them, and `tf.ragged.map_flat_values` applies them to `flat_values`.

    Args:
        values: A tensor or ragged tensor; its first dimension is what is partitioned.
        row_partition: How it is.
    """

    __slots__ = ("__weakref__", "_row_partition", "_shape", "_values")
    __array_priority__ = 100
    implementations = "modtf.core.api.ragged.supported"

    def __init__(self, values: Any, row_partition: RowPartition) -> None:
        self._values = values
        self._row_partition = row_partition
        self._shape: TensorShape | None = None

    # --------------------------------------------------------------------------------------------- parts

    @property
    def values(self) -> Any:
        """What the outermost ragged dimension partitions: a tensor, or a ragged tensor of a lower ragged rank."""
        return self._values

    @property
    def row_partition(self) -> RowPartition:
        """How the outermost ragged dimension partitions `values`."""
        return self._row_partition

    @property
    def flat_values(self) -> Any:
        """The innermost values, a tensor."""
        values = self._values
        while isinstance(values, RaggedTensor):
            values = values._values
        return values

    @property
    def nested_row_partitions(self) -> tuple[RowPartition, ...]:
        """The row partitions of all ragged dimensions, outermost first."""
        partitions = [self._row_partition]
        values = self._values
        while isinstance(values, RaggedTensor):
            partitions.append(values._row_partition)
            values = values._values
        return tuple(partitions)

    @property
    def row_splits(self) -> Tensor:
        """Where the rows of the outermost ragged dimension start and end in `values`, of shape `[nrows + 1]`."""
        return self._row_partition.row_splits()

    @property
    def nested_row_splits(self) -> tuple[Tensor, ...]:
        """The row splits of all ragged dimensions, outermost first."""
        return tuple(partition.row_splits() for partition in self.nested_row_partitions)

    @property
    def uniform_row_length(self) -> Tensor | None:
        """The length of all rows, if the outermost partitioned dimension is known to be uniform; else `None`."""
        return self._row_partition.uniform_row_length()

    @property
    def ragged_rank(self) -> int:
        """How many dimensions are partitioned."""
        return len(self.nested_row_partitions)

    @property
    def dtype(self) -> DType:
        """The dtype of the values."""
        return self.flat_values.dtype

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape; the size of a ragged dimension is `None`."""
        if self._shape is None:
            lead = [self._row_partition.static_nrows, self._row_partition.static_uniform_row_length]
            self._shape = TensorShape(lead).concatenate(self._values.shape[1:])
        return self._shape

    def get_shape(self) -> TensorShape:
        """Returns `shape`."""
        return self.shape

    @property
    def dims(self) -> Any:
        """The shape as a tuple, `None` for ragged and unknown sizes."""
        return self.shape.dims

    @property
    def ndim(self) -> int | None:
        """The rank, or `None` if unknown."""
        return self.shape.rank

    @property
    def type_spec(self) -> Any:
        from modtf.core.values.ragged.spec import RaggedTensorSpec

        return RaggedTensorSpec.from_value(self)

    @property
    def differentiable_part(self) -> Any:
        return self.flat_values

    def with_differentiable_part(self, part: Any) -> Any:
        return self.with_flat_values(part)

    # --------------------------------------------------------------------------------------------- encodings

    def nrows(self, out_type: Any = None, name: str | None = None) -> Tensor:
        """Returns the number of rows, a scalar of `out_type` (by default the dtype of the row splits)."""
        return _cast(self._row_partition.nrows(), out_type)

    def nvals(self) -> Tensor:
        """Returns the length of `values`, a scalar of the row splits' dtype."""
        return self._row_partition.nvals()

    def value_rowids(self, name: str | None = None) -> Tensor:
        """Returns the row of each of `values`, of shape `[nvals]`."""
        return self._row_partition.value_rowids()

    def nested_value_rowids(self, name: str | None = None) -> tuple[Tensor, ...]:
        """Returns the `value_rowids` of all ragged dimensions, outermost first."""
        return tuple(partition.value_rowids() for partition in self.nested_row_partitions)

    def row_starts(self, name: str | None = None) -> Tensor:
        """Returns where rows start in `values`, of shape `[nrows]`."""
        return self._row_partition.row_starts()

    def row_limits(self, name: str | None = None) -> Tensor:
        """Returns where rows end in `values`, of shape `[nrows]`."""
        return self._row_partition.row_limits()

    def row_lengths(self, axis: int = 1, name: str | None = None) -> Any:
        """Returns the lengths of the rows of a dimension.

        Args:
            axis: The dimension.
            name: Unused; kept for its place.

        Returns:
            Lengths of shape `shape[:axis]`, ragged where that is.
        """
        axis = normal_axis(axis, self.shape.rank, "axis")
        if axis == 0:
            return self.nrows()
        if axis == 1:
            return self._row_partition.row_lengths()
        if isinstance(self._values, RaggedTensor):
            return self.with_values(self._values.row_lengths(axis - 1))
        sizes = raw.Shape(self._values, out_type=self.row_splits.dtype)
        return self.with_values(raw.Fill(sizes[: axis - 1], sizes[axis - 1]))

    def nested_row_lengths(self, name: str | None = None) -> tuple[Tensor, ...]:
        """Returns the row lengths of all ragged dimensions, outermost first, each a vector."""
        return tuple(partition.row_lengths() for partition in self.nested_row_partitions)

    def bounding_shape(self, axis: Any = None, name: str | None = None, out_type: Any = None) -> Tensor:
        """Returns the shape of the smallest box that all fits into.

        Args:
            axis: A dimension, or a list of dimensions, whose sizes to return; all by default.
            name: Unused; kept for its place.
            out_type: The dtype of the result; by default that of the row splits.
        """
        wanted = self._row_partition.dtype if out_type is None else as_dtype(out_type)
        if isinstance(axis, int) and axis in (0, 1):
            return _cast(self.nrows() if axis == 0 else _longest(self._row_partition), wanted)
        partitions = self.nested_row_partitions
        sizes = [raw.ExpandDims(partitions[0].nrows(), 0)]
        sizes += [raw.ExpandDims(_longest(partition), 0) for partition in partitions]
        inner = raw.Shape(self.flat_values, out_type=self._row_partition.dtype)[1:]
        shape = _cast(raw.ConcatV2([*sizes, inner], 0), wanted)
        return shape if axis is None else raw.GatherV2(shape, axis, 0)

    # --------------------------------------------------------------------------------------------- with other parts

    def with_values(self, new_values: Any) -> Any:
        """Returns a ragged tensor with this one's rows and other values.

        Args:
            new_values: A tensor or ragged tensor of as many values; it is cut into rows as `values` is.

        Raises:
            InvalidArgumentError: There are more or fewer of them.
        """
        values = self._converted(new_values)
        partition = self._row_partition
        if isinstance(values, RaggedTensor) and values._row_partition.dtype is not partition.dtype:
            values, partition = values.with_row_splits_dtype(int64), partition.with_dtype(int64)
        check_length(values, partition, "with_values")
        return RaggedTensor(values, partition)

    def with_flat_values(self, new_values: Any) -> Any:
        """Returns a ragged tensor with this one's nested rows and other flat values, as many as this one has."""
        if isinstance(self._values, RaggedTensor):
            return self.with_values(self._values.with_flat_values(new_values))
        return self.with_values(new_values)

    def with_row_splits_dtype(self, dtype: Any) -> RaggedTensor:
        """Returns it with row splits of `dtype`, int32 or int64.

        Raises:
            ValueError: It is another dtype.
        """
        wanted = as_dtype(dtype)
        if wanted not in (int32, int64):
            raise ValueError(f"Argument `row_splits` dtype must be int32 or int64. Received {wanted!r}.")
        if self._row_partition.dtype is wanted:
            return self
        values = self._values
        inner = values.with_row_splits_dtype(wanted) if isinstance(values, RaggedTensor) else values
        return RaggedTensor(inner, self._row_partition.with_dtype(wanted))

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Returns it with the dimensions from `outer_axis` to `inner_axis`, both included, made one.

        Raises:
            ValueError: They are not dimensions of it, or in the wrong order.
        """
        rank = self.shape.rank
        outer, inner = normal_axis(outer_axis, rank, "outer_axis"), normal_axis(inner_axis, rank, "inner_axis")
        if outer > inner:
            raise ValueError(
                f"Expected outer_axis ({outer_axis}) to be less than or equal to inner_axis ({inner_axis})."
            )
        return merge_dims(self, outer, inner)

    # --------------------------------------------------------------------------------------------- as something else

    def to_list(self) -> list[Any]:
        """Returns the values as nested lists of Python numbers (`bytes` for strings).

        Raises:
            ValueError: It is symbolic, and has no values yet.
        """
        self._need_values("to_list()")
        return rows_of(self, lambda values: values.numpy().tolist())

    def numpy(self) -> np.ndarray:
        """Returns the values as an array; one of objects, which are the rows, where rows differ in length."""
        self._need_values("numpy()")
        values = self._values.numpy()
        rows = [values[start:limit] for start, limit in pairwise(np.asarray(self.row_splits).tolist())]
        if not rows:
            return np.zeros((0, 0, *values.shape[1:]), values.dtype)
        if len({len(row) for row in rows}) == 1:
            return np.stack(rows)
        array = np.empty(len(rows), object)
        for index, row in enumerate(rows):
            array[index] = row
        return array

    def _need_values(self, what: str) -> None:
        if not self.is_eager():
            raise ValueError(f"RaggedTensor.{what} needs values, which a symbolic ragged tensor has not: {self!r}")

    def is_eager(self) -> bool:
        """Whether it has values, rather than being symbolic."""
        return all(isinstance(part, EagerTensor) for part in (self.flat_values, *self.nested_row_splits))

    def to_tensor(self, default_value: Any = None, name: str | None = None, shape: Any = None) -> Tensor:
        """Returns a dense tensor of it, with `default_value` behind the rows that are shorter than others.

        Args:
            default_value: What to pad with, a scalar or of the shape of one of `flat_values`; 0, `False` or an empty
                string by default.
            name: A name for the graph node.
            shape: The shape that the result shall have, `None` where it shall be as large as is needed. What lies
                outside of it is left out.
        """
        values = self.flat_values
        if default_value is None:
            zero = b"" if values.dtype.name == "string" else 0
            default = convert_to_tensor(np.array(zero, values.dtype.np_dtype), dtype=values.dtype)
        else:
            default = convert_to_tensor(default_value, dtype=values.dtype)
        dtype = self._row_partition.dtype
        if shape is None:
            wanted: Any = convert_to_tensor(np.array(-1, dtype.np_dtype))
        elif isinstance(shape, Tensor):
            wanted = shape
        else:
            sizes = TensorShape(shape).dims
            lengths = -1 if sizes is None else [-1 if size is None else size for size in sizes]
            wanted = convert_to_tensor(np.array(lengths, dtype.np_dtype))
        splits = list(self.nested_row_splits)
        result = raw.RaggedTensorToTensor(
            wanted, values, default, splits, row_partition_types=["ROW_SPLITS"] * len(splits), name=name
        )
        if shape is None and not isinstance(result, EagerTensor):
            result.set_shape(self.shape)
        return result

    def to_sparse(self, name: str | None = None) -> Any:
        """Returns a sparse tensor of it, whose missing elements are those that shorter rows lack."""
        from modtf.core.values.sparse import SparseTensor

        return SparseTensor(*raw.RaggedTensorToSparse(list(self.nested_row_splits), self.flat_values, name=name))

    # --------------------------------------------------------------------------------------------- Python

    @classmethod
    def apply_elementwise(cls, function: Any, operands: Any) -> Any:
        """Applies a function of elements to ragged tensors and tensors, broadcasting them; see `api.dispatch`."""
        return import_module("modtf.core.api.ragged.elementwise").elementwise(function, *operands)

    def __getitem__(self, key: Any) -> Any:
        return import_module("modtf.core.api.ragged.indexing").getitem(self, key)

    def __iter__(self) -> Iterator[Any]:
        rows = self._row_partition.static_nrows
        if rows is None:
            raise TypeError(
                f"A symbolic ragged tensor cannot be iterated over: its number of rows is unknown. {self!r}"
            )
        return (self[index] for index in range(rows))

    def __bool__(self) -> bool:
        raise TypeError("RaggedTensor may not be used as a boolean.")

    def __hash__(self) -> int:
        raise TypeError("RaggedTensor is unhashable.")

    def __repr__(self) -> str:
        if self.is_eager():
            return f"<tf.RaggedTensor {show(self.numpy())}>"
        return f"tf.RaggedTensor(values={self._values}, row_splits={self.row_splits})"

    def __reduce__(self) -> Any:
        return RaggedTensor.from_nested_row_splits, (self.flat_values, self.nested_row_splits)

    __add__, __radd__ = _operator("add"), _operator("add", True)
    __sub__, __rsub__ = _operator("subtract"), _operator("subtract", True)
    __mul__, __rmul__ = _operator("multiply"), _operator("multiply", True)
    __truediv__, __rtruediv__ = _operator("truediv"), _operator("truediv", True)
    __floordiv__, __rfloordiv__ = _operator("floordiv"), _operator("floordiv", True)
    __mod__, __rmod__ = _operator("mod"), _operator("mod", True)
    __pow__, __rpow__ = _operator("power"), _operator("power", True)
    __and__, __rand__ = _operator("both"), _operator("both", True)
    __or__, __ror__ = _operator("either"), _operator("either", True)
    __xor__, __rxor__ = _operator("one_of_both"), _operator("one_of_both", True)
    __matmul__, __rmatmul__ = _operator("matmul"), _operator("matmul", True)
    __lt__, __le__, __gt__, __ge__ = map(_operator, ("less", "less_equal", "greater", "greater_equal"))
    __eq__, __ne__ = _operator("is_equal"), _operator("is_not_equal")

    def __neg__(self) -> Any:
        return self.with_flat_values(-self.flat_values)

    def __abs__(self) -> Any:
        return self.with_flat_values(abs(self.flat_values))

    def __invert__(self) -> Any:
        return self.with_flat_values(~self.flat_values)


def check_length(values: Any, partition: RowPartition, maker: str) -> None:
    """Refuses values that a row partition is not for, as far as their number is known.

    Raises:
        InvalidArgumentError: There are more or fewer of them.
        ValueError: They are a scalar.
    """
    shape = values.shape
    if shape.rank == 0:
        raise ValueError(f"Arguments to {maker} do not form a valid RaggedTensor: the values are a scalar.")
    given = shape[0] if shape.rank is not None else None
    if given is None or not isinstance(partition.row_splits(), EagerTensor):
        return
    wanted = partition.static_nvals
    if wanted != given:
        raise InvalidArgumentError(
            f"Arguments to {maker} do not form a valid RaggedTensor: the rows have {wanted} values together, but {given} "
            "values are given."
        )


def normal_axis(axis: int, rank: int | None, what: str) -> int:
    """Returns an axis counted from the front.

    Raises:
        ValueError: It is outside of the rank, or negative and the rank unknown.
    """
    if rank is None:
        if axis < 0:
            raise ValueError(f"{what}={axis} may only be negative if the rank is statically known.")
        return axis
    if not -rank <= axis < rank:
        raise ValueError(f"{what}={axis} out of bounds: expected {-rank}<={what}<{rank}")
    return axis + rank if axis < 0 else axis


def merge_dims(value: Any, outer: int, inner: int) -> Any:
    """Returns a tensor or ragged tensor with the dimensions `outer` to `inner` made one."""
    if outer == inner:
        return value
    if not isinstance(value, RaggedTensor):
        dims = value.dims
        if dims is not None and None not in dims:
            joined = [*dims[:outer], size_of(dims[outer : inner + 1]), *dims[inner + 1 :]]
            return raw.Reshape(value, np.array(joined, np.int32))
        sizes = raw.Shape(value)
        between = raw.Prod(sizes[outer : inner + 1], [0], keep_dims=True)
        merged = raw.Reshape(value, raw.ConcatV2([sizes[:outer], between, sizes[inner + 1 :]], 0))
        if dims is not None:
            merged.set_shape([*dims[:outer], size_of(dims[outer : inner + 1]), *dims[inner + 1 :]])
        return merged
    if outer == 0:
        return merge_dims(value.values, 0, inner - 1)
    if outer > 1:
        return value.with_values(merge_dims(value.values, outer - 1, inner - 1))
    # The rows' rows follow each other: only the bounds of the outer rows move.
    values, partition = value.values, value.row_partition
    if isinstance(values, RaggedTensor):
        splits = raw.GatherV2(values.row_splits, partition.row_splits(), 0)
        lengths = (partition.static_uniform_row_length, values.row_partition.static_uniform_row_length)
    else:
        width = raw.Shape(values, out_type=partition.dtype)[1]
        splits, known_width = partition.row_splits() * width, constant_value(width)
        lengths = (partition.static_uniform_row_length, None if known_width is None else int(known_width))
    made = RowPartition(splits)
    if None not in lengths:
        made = made.with_uniform_row_length(lengths[0] * lengths[1])  # type: ignore[operator]
    inner_values = values.values if isinstance(values, RaggedTensor) else merge_dims(values, 0, 1)
    merged = RaggedTensor(inner_values, made)
    return merged if inner == 2 else merge_dims(merged, 1, inner - 1)


def rows_of(value: RaggedTensor, of_flat: Any) -> list[Any]:
    """Cuts a list, which `of_flat` makes of the flat values, into nested lists."""
    items = of_flat(value.flat_values)
    for splits in reversed(value.nested_row_splits):
        items = [items[start:limit] for start, limit in pairwise(np.asarray(splits).tolist())]
    return items


def _cast(tensor: Tensor, dtype: Any) -> Tensor:
    return tensor if dtype is None or tensor.dtype is as_dtype(dtype) else raw.Cast(tensor, DstT=dtype)


def _longest(partition: RowPartition) -> Tensor:
    """The length of the longest row, 0 if there are no rows."""
    uniform = partition.uniform_row_length()
    if uniform is not None:
        return uniform
    lengths = partition.row_lengths()
    value = known(lengths)
    if value is not None:
        return convert_to_tensor(np.asarray(value.max(initial=0), value.dtype))
    return raw.Max(raw.ConcatV2([lengths, np.zeros(1, partition.dtype.np_dtype)], 0), 0)
