"""`RowPartition`: how a sequence of values is cut into rows, as splits, lengths or row numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype, int32, int64
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor, Tensor

__all__ = ["RowPartition", "RowPartitionSpec"]


def to_partition_tensor(value: Any, name: str, dtype: Any = None, rank: int = 1, hint: DType = int64) -> Tensor:
    """Returns row splits and the like as a tensor of int32 or int64.

    Args:
        value: A tensor or what becomes one.
        name: What it is, for errors.
        dtype: The dtype that it shall have.
        rank: The rank that it must have.
        hint: The dtype of Python numbers, if `dtype` is not given.

    Raises:
        ValueError: It has another dtype or rank.
    """
    if not isinstance(value, Tensor) and getattr(value, "dtype", None) == np.int64 and dtype is not None:
        value = np.asarray(value).astype(as_dtype(dtype).np_dtype)
    tensor = convert_to_tensor(value, dtype=dtype, dtype_hint=None if isinstance(value, np.ndarray) else hint)
    if tensor.dtype not in (int32, int64):
        raise ValueError(f"{name} must have dtype int32 or int64")
    if tensor.ndim not in (rank, None):
        raise ValueError(f"{name} must have rank {rank}, but its shape is {tensor.shape}")
    return tensor


def known(tensor: Any) -> np.ndarray | None:
    """The value of a tensor that has one already, or `None`."""
    return np.asarray(tensor) if isinstance(tensor, EagerTensor) else None


def scalar_like(value: int, dtype: DType) -> Tensor:
    """Returns an integer as a scalar of that dtype."""
    return convert_to_tensor(np.asarray(value, dtype.np_dtype))


def _refuse(maker: str, reason: str) -> None:
    raise InvalidArgumentError(f"Arguments to {maker} do not form a valid RowPartition: {reason}")


class RowPartition(CompositeTensor):
    """A partition of `nvals` values into `nrows` rows that follow each other.

    It holds the row splits; the other encodings are worked out when they are asked for, unless it was made from them.
    Make one with the `from_...` class methods.
    """

    __slots__ = ("_cache", "_row_splits", "_uniform_row_length")

    def __init__(self, row_splits: Any, uniform_row_length: Tensor | None = None, **encodings: Tensor) -> None:
        self._row_splits = row_splits
        self._uniform_row_length = uniform_row_length
        self._cache: dict[str, Tensor] = encodings

    # --------------------------------------------------------------------------------------------- making

    @classmethod
    def from_row_splits(cls, row_splits: Any, validate: bool = True, dtype: Any = None) -> RowPartition:
        """Returns a partition by where rows start and end: row i has the values `row_splits[i]` to `row_splits[i + 1]`.

        Args:
            row_splits: Integers that do not descend, of shape `[nrows + 1]`; the first is 0.
            validate: Whether to look whether they are so.
            dtype: The dtype of the splits; int64 by default for Python numbers.

        Raises:
            ValueError: They are not a vector of int32 or int64, or empty.
            InvalidArgumentError: They do not start with 0, or descend.
        """
        splits = to_partition_tensor(row_splits, "row_splits", dtype)
        if splits.dims is not None and splits.dims[0] == 0:
            raise ValueError("row_splits tensor may not be empty.")
        value = known(splits) if validate else None
        if value is not None:
            if value[0] != 0:
                _refuse("from_row_splits", f"row_splits must start with 0, not {value[0]}.")
            if np.any(value[1:] < value[:-1]):
                _refuse("from_row_splits", f"row_splits must not descend, but they are {value}.")
        return cls(splits)

    @classmethod
    def from_row_lengths(cls, row_lengths: Any, validate: bool = True, dtype: Any = None) -> RowPartition:
        """Returns a partition into rows of these lengths, which are not negative, of shape `[nrows]`."""
        lengths = to_partition_tensor(row_lengths, "row_lengths", dtype)
        value = known(lengths) if validate else None
        if value is not None and np.any(value < 0):
            _refuse("from_row_lengths", f"row_lengths must not be negative, but they are {value}.")
        ends = raw.Cumsum(lengths, 0)
        return cls(raw.ConcatV2([np.zeros(1, lengths.dtype.np_dtype), ends], 0), row_lengths=lengths)

    @classmethod
    def from_row_starts(cls, row_starts: Any, nvals: Any, validate: bool = True, dtype: Any = None) -> RowPartition:
        """Returns a partition by where rows start; the first at 0, and the last ends at `nvals`."""
        starts = to_partition_tensor(row_starts, "row_starts", dtype)
        end = to_partition_tensor(nvals, "nvals", starts.dtype, 0)
        value, count = (known(starts), known(end)) if validate else (None, None)
        if value is not None and count is not None:
            ends = np.append(value, count)
            if ends[0] != 0 or np.any(ends[1:] < ends[:-1]):
                _refuse("from_row_starts", f"row_starts must start with 0, ascend and stay below {count}: {value}.")
        return cls(raw.ConcatV2([starts, raw.ExpandDims(end, 0)], 0))

    @classmethod
    def from_row_limits(cls, row_limits: Any, validate: bool = True, dtype: Any = None) -> RowPartition:
        """Returns a partition by where rows end; the first starts at 0, and each other where the one before ends."""
        limits = to_partition_tensor(row_limits, "row_limits", dtype)
        value = known(limits) if validate else None
        if value is not None and np.any(np.diff(value, prepend=0) < 0):
            _refuse("from_row_limits", f"row_limits must not descend or be negative, but they are {value}.")
        return cls(raw.ConcatV2([np.zeros(1, limits.dtype.np_dtype), limits], 0))

    @classmethod
    def from_value_rowids(
        cls, value_rowids: Any, nrows: Any = None, validate: bool = True, dtype: Any = None
    ) -> RowPartition:
        """Returns a partition by the row of each value.

        Args:
            value_rowids: Integers that do not descend, of shape `[nvals]`.
            nrows: The number of rows; by default one more than the last of `value_rowids`.
            validate: Whether to look whether they are so.
            dtype: The dtype of the splits.

        Raises:
            ValueError: `nrows` is negative or too small.
            InvalidArgumentError: `value_rowids` descend or are negative.
        """
        rowids = to_partition_tensor(value_rowids, "value_rowids", dtype)
        ids, count = constant_value(rowids), None
        if nrows is None:
            if ids is not None:
                rows = scalar_like(int(ids[-1]) + 1 if ids.size else 0, rowids.dtype)
            else:
                lowest = np.array([-1], rowids.dtype.np_dtype)
                rows = raw.ConcatV2([lowest, rowids], 0)[-1] + 1
        else:
            rows = to_partition_tensor(nrows, "nrows", rowids.dtype, 0)
            count = constant_value(rows)
            if count is not None and count < 0:
                raise ValueError(f"Expected nrows >= 0; got {count}")
            if count is not None and ids is not None and ids.size and count < ids[-1] + 1:
                raise ValueError(
                    f"Expected nrows >= value_rowids[-1] + 1; got nrows={count}, value_rowids[-1]={ids[-1]}"
                )
        value = known(rowids) if validate else None
        if value is not None and np.any(np.diff(value, prepend=0) < 0):
            _refuse("from_value_rowids", f"value_rowids must not descend or be negative, but they are {value}.")
        numbers = raw.Range(np.zeros((), rowids.dtype.np_dtype), rows + 1, np.ones((), rowids.dtype.np_dtype))
        splits = raw.LowerBound(raw.ExpandDims(rowids, 0), raw.ExpandDims(numbers, 0), out_type=rowids.dtype)[0]
        return cls(splits, value_rowids=rowids, nrows=rows)

    @classmethod
    def from_uniform_row_length(
        cls, uniform_row_length: Any, nvals: Any, nrows: Any = None, validate: bool = True, dtype: Any = None
    ) -> RowPartition:
        """Returns a partition into rows of one length.

        Args:
            uniform_row_length: The length.
            nvals: The number of values.
            nrows: The number of rows; needed only if the length is 0.
            validate: Whether to look whether the numbers fit each other.
            dtype: The dtype of the splits.

        Raises:
            ValueError: The numbers are negative, or do not fit each other.
        """
        length = to_partition_tensor(uniform_row_length, "uniform_row_length", dtype, 0)
        count = to_partition_tensor(nvals, "nvals", length.dtype, 0)
        each, values = constant_value(length), constant_value(count)
        if nrows is not None:
            rows = to_partition_tensor(nrows, "nrows", length.dtype, 0)
        elif each is not None and values is not None:
            rows = scalar_like(int(values) // int(each) if each else 0, length.dtype)
        else:
            rows = raw.SelectV2(raw.Equal(length, 0), length * 0, raw.FloorDiv(count, raw.Maximum(length, 1)))
        number = constant_value(rows)
        for what, given in (("uniform_row_length", each), ("nrows", number), ("nvals", values)):
            if given is not None and given < 0:
                raise ValueError(f"{what} must be greater than or equal to 0, not {given}")
        if validate and None not in (each, number, values) and int(each) * int(number) != int(values):  # type: ignore[arg-type]
            raise ValueError(f"uniform_row_length={each} times nrows={number} must equal nvals={values}")
        if each is not None and number is not None:
            splits = convert_to_tensor(np.arange(int(number) + 1, dtype=length.dtype.np_dtype) * each)
        else:
            splits = raw.Range(length * 0, rows + 1, length * 0 + 1) * length
        return cls(splits, length, nrows=rows)

    # --------------------------------------------------------------------------------------------- looking at it

    @property
    def dtype(self) -> DType:
        """The dtype of the row splits, int32 or int64."""
        return self._row_splits.dtype

    def row_splits(self) -> Tensor:
        """Returns where rows start and end, of shape `[nrows + 1]`."""
        return self._row_splits

    def row_starts(self) -> Tensor:
        """Returns where rows start, of shape `[nrows]`."""
        return self._row_splits[:-1]

    def row_limits(self) -> Tensor:
        """Returns where rows end, of shape `[nrows]`."""
        return self._row_splits[1:]

    def _encoding(self, name: str, compute: Any) -> Tensor:
        found = self._cache.get(name)
        if found is None:
            found = compute()
            if isinstance(found, EagerTensor) and isinstance(self._row_splits, EagerTensor):
                self._cache[name] = found
        return found

    def row_lengths(self) -> Tensor:
        """Returns the rows' lengths, of shape `[nrows]`."""
        return self._encoding("row_lengths", lambda: self.row_limits() - self.row_starts())

    def value_rowids(self) -> Tensor:
        """Returns the row of each value, of shape `[nvals]`."""

        def compute() -> Tensor:
            zero, one = np.zeros((), self.dtype.np_dtype), np.ones((), self.dtype.np_dtype)
            places = raw.ExpandDims(raw.Range(zero, self.nvals(), one), 0)
            return raw.UpperBound(raw.ExpandDims(self._row_splits, 0), places, out_type=self.dtype)[0] - 1

        return self._encoding("value_rowids", compute)

    def nrows(self) -> Tensor:
        """Returns the number of rows, a scalar of the splits' dtype."""
        return self._encoding("nrows", lambda: raw.Shape(self._row_splits, out_type=self.dtype)[0] - 1)

    def nvals(self) -> Tensor:
        """Returns the number of values, a scalar of the splits' dtype."""
        return self._encoding("nvals", lambda: self._row_splits[-1])

    def offsets_in_rows(self) -> Tensor:
        """Returns where in its row each value stands, of shape `[nvals]`."""
        zero, one = np.zeros((), self.dtype.np_dtype), np.ones((), self.dtype.np_dtype)
        starts = raw.GatherV2(self._row_splits, self.value_rowids(), 0)
        return raw.Range(zero, self.nvals(), one) - starts

    def uniform_row_length(self) -> Tensor | None:
        """Returns the length of all rows, a scalar, if the partition was made with one; else `None`."""
        return self._uniform_row_length

    @property
    def static_nrows(self) -> int | None:
        """The number of rows, where it is known without running a graph."""
        dims = self._row_splits.shape.dims
        return None if dims is None or dims[0] is None else dims[0] - 1

    @property
    def static_nvals(self) -> int | None:
        """The number of values, where it is known without running a graph."""
        if isinstance(self._row_splits, Tensor):
            splits = constant_value(self._row_splits)
            if splits is not None:
                return int(splits[-1])
        length, rows = self.static_uniform_row_length, self.static_nrows
        return None if length is None or rows is None else length * rows

    @property
    def static_uniform_row_length(self) -> int | None:
        """The length of all rows, where there is one and it is known without running a graph."""
        if self._uniform_row_length is None:
            return None
        value = constant_value(self._uniform_row_length)
        return None if value is None else int(value)

    def is_uniform(self) -> bool:
        """Whether the partition was made with one length for all rows."""
        return self._uniform_row_length is not None

    def with_dtype(self, dtype: Any) -> RowPartition:
        """Returns the partition with row splits of `dtype`."""
        wanted = as_dtype(dtype)
        if wanted not in (int32, int64):
            raise ValueError(f"Argument `dtype` must be int32 or int64. Received {wanted!r}.")
        if wanted is self.dtype:
            return self
        length = self._uniform_row_length
        return RowPartition(
            raw.Cast(self._row_splits, DstT=wanted),
            None if length is None else raw.Cast(length, DstT=wanted),
            **{name: raw.Cast(value, DstT=wanted) for name, value in self._cache.items()},
        )

    def with_uniform_row_length(self, length: int) -> RowPartition:
        """Returns the partition with the knowledge that all rows have this length."""
        return RowPartition(self._row_splits, scalar_like(length, self.dtype), **self._cache)

    @property
    def type_spec(self) -> RowPartitionSpec:
        return RowPartitionSpec(self.static_nrows, self.static_nvals, self.static_uniform_row_length, self.dtype)

    def __repr__(self) -> str:
        if self._uniform_row_length is not None:
            length, rows = self._uniform_row_length, self.nrows()
            shown = [item.numpy() if isinstance(item, EagerTensor) else item for item in (rows, length)]
            return f"tf.RowPartition(nrows={shown[0]}, uniform_row_length={shown[1]})"
        splits = self._row_splits
        return f"tf.RowPartition(row_splits={splits.numpy() if isinstance(splits, EagerTensor) else splits})"


class RowPartitionSpec(TypeSpec):
    """Describes a `RowPartition`.

    Args:
        nrows: The number of rows, if known.
        nvals: The number of values, if known.
        uniform_row_length: The length of all rows, if they have one.
        dtype: The dtype of the row splits.
    """

    __slots__ = ("_dtype", "_nrows", "_nvals", "_uniform_row_length")

    def __init__(
        self,
        nrows: int | None = None,
        nvals: int | None = None,
        uniform_row_length: int | None = None,
        dtype: Any = int64,
    ) -> None:
        self._nrows = nrows
        self._nvals = nvals
        self._uniform_row_length = uniform_row_length
        self._dtype = as_dtype(dtype)

    nrows = property(lambda self: self._nrows)
    nvals = property(lambda self: self._nvals)
    uniform_row_length = property(lambda self: self._uniform_row_length)
    dtype = property(lambda self: self._dtype)

    @property
    def component_specs(self) -> list[Any]:
        return [TensorSpec([None if self._nrows is None else self._nrows + 1], self._dtype)]

    def to_components(self, value: RowPartition) -> list[Any]:
        return [value.row_splits()]

    def from_components(self, components: Any) -> RowPartition:
        partition = RowPartition(components[0])
        if self._uniform_row_length is not None and isinstance(components[0], Tensor):
            return partition.with_uniform_row_length(self._uniform_row_length)
        return partition

    def _facts(self) -> tuple[Any, ...]:
        return (self._nrows, self._nvals, self._uniform_row_length, self._dtype)

    def is_compatible_with(self, value: Any) -> bool:
        other = value.type_spec if isinstance(value, RowPartition) else value
        if not isinstance(other, RowPartitionSpec) or other._dtype is not self._dtype:
            return False
        return all(a is None or b is None or a == b for a, b in zip(self._facts(), other._facts(), strict=True))

    def is_subtype_of(self, other: Any) -> bool:
        if not isinstance(other, RowPartitionSpec) or other._dtype is not self._dtype:
            return False
        return all(b is None or a == b for a, b in zip(self._facts(), other._facts(), strict=True))

    def most_specific_compatible_type(self, other: Any) -> RowPartitionSpec:
        if not isinstance(other, RowPartitionSpec) or other._dtype is not self._dtype:
            raise ValueError(f"No RowPartitionSpec is compatible with both {self} and {other}.")
        nrows, nvals, length, dtype = (
            a if a == b else None for a, b in zip(self._facts(), other._facts(), strict=True)
        )
        return RowPartitionSpec(nrows, nvals, length, dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RowPartitionSpec) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        return (
            f"RowPartitionSpec(nrows={self._nrows}, nvals={self._nvals}, uniform_row_length={self._uniform_row_length}, "
            f"dtype={self._dtype!r})"
        )
