"""Bringing ragged tensors and tensors to one nested row structure, so that functions of elements apply to flat values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core.api.ragged.checks import require
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.ragged import RaggedTensor, RowPartition
from modtf.core.values.ragged.partitions import known
from modtf.core.values.ragged.tensor import merge_dims
from modtf.core.values.tensors import Tensor


def to_ragged_or_tensor(value: Any, dtype_hint: DType | None = None) -> Any:
    """Returns ragged tensors as they are, and all else as a tensor, in the given dtype if it can be."""
    return value if isinstance(value, RaggedTensor) else convert_to_tensor(value, dtype_hint=dtype_hint)


def converted(values: Sequence[Any]) -> list[Any]:
    """Returns operands as ragged tensors and tensors; Python values take the dtype of a ragged tensor beside them."""
    hint = next((value.dtype for value in values if isinstance(value, RaggedTensor)), None)
    return [to_ragged_or_tensor(value, hint) for value in values]


def check_splits_dtypes(values: Sequence[Any]) -> None:
    """Refuses ragged tensors whose row splits have different dtypes.

    Raises:
        ValueError: They have.
    """
    if len({value.row_partition.dtype for value in values if isinstance(value, RaggedTensor)}) > 1:
        raise ValueError(
            "Input RaggedTensors have mismatched row_splits dtypes; use RaggedTensor.with_row_splits_dtype() to convert them "
            "to compatible dtypes."
        )


class Aligned(NamedTuple):
    """Operands brought to one row structure."""

    values: list[Any]
    """What to apply a function of elements to: tensors that broadcast with each other."""
    partitions: tuple[RowPartition, ...]
    """The row structure, outermost first."""

    def wrap(self, flat_values: Any) -> RaggedTensor:
        """Returns the ragged tensor with the common row structure and these flat values."""
        return nest(flat_values, self.partitions)


def nest(flat_values: Any, partitions: Sequence[RowPartition]) -> Any:
    """Returns a ragged tensor of flat values and row partitions, outermost first."""
    for partition in reversed(partitions):
        flat_values = RaggedTensor(flat_values, partition)
    return flat_values


def aligned(operands: Sequence[Any]) -> Aligned:
    """Broadcasts tensors and ragged tensors (at least one) up to the innermost ragged dimension.

    Dimensions are matched from the last one. A uniform dimension of size 1 and a missing one are stretched; ragged
    dimensions must have the same row lengths.

    Args:
        operands: What `converted` gives.

    Raises:
        InvalidArgumentError: Sizes or row lengths differ.
        ValueError: The dtypes of row splits differ, or a rank is unknown.
    """
    check_splits_dtypes(operands)
    ragged = [value for value in operands if isinstance(value, RaggedTensor)]
    first = ragged[0]
    partitions = first.nested_row_partitions
    rank = first.shape.rank
    simple = all(
        other is first or (other.shape.rank == rank and _same_rows(other.nested_row_partitions, partitions))
        for other in ragged[1:]
    )
    if simple and all(
        isinstance(value, RaggedTensor) or (value.ndim is not None and _fits_inside(value, first)) for value in operands
    ):
        flat = [value.flat_values if isinstance(value, RaggedTensor) else value for value in operands]
        return Aligned(flat, partitions)
    return _Broadcasting(operands).run()


def _fits_inside(value: Tensor, ragged: RaggedTensor) -> bool:
    """Whether a tensor has dimensions for the uniform inner ones of a ragged tensor only."""
    inner = ragged.flat_values.ndim
    return inner is not None and value.ndim < inner


def _same_rows(one: Sequence[RowPartition], other: Sequence[RowPartition]) -> bool:
    """Whether two row structures are known to be the same."""
    if len(one) != len(other):
        return False
    for a, b in zip(one, other, strict=True):
        if a is b or a.row_splits() is b.row_splits():
            continue
        ours, theirs = known(a.row_splits()), known(b.row_splits())
        if ours is None or theirs is None or not np.array_equal(ours, theirs):
            return False
    return True


# ------------------------------------------------------------------------------------------------- level by level

_ALL: Any = "all"
_ONE: Any = "one"


class _Operand:
    """An operand, and which of its elements the result's are, on the level that has been reached.

    Attributes:
        offset: How many of the result's leading dimensions it lacks.
        places: For each of the result's elements, which of the operand's it takes: a vector; `_ALL` if they are the same
            ones, `_ONE` if the operand has only one.
    """

    def __init__(self, value: Any, rank: int) -> None:
        self.value = value
        self.offset = rank - value.shape.rank
        self.partitions = value.nested_row_partitions if isinstance(value, RaggedTensor) else ()
        self.places: Any = _ONE

    def partition(self, level: int) -> RowPartition | None:
        """Its row partition for a dimension of the result, if it is partitioned there."""
        axis = level - self.offset
        return self.partitions[axis - 1] if 1 <= axis <= len(self.partitions) else None

    def size(self, level: int, dtype: DType) -> Any:
        """Its size in a dimension of the result: an int, a scalar tensor, or `None` for a ragged dimension."""
        axis = level - self.offset
        if axis < 0:
            return 1
        static = self.value.shape[axis]
        if static is not None:
            return static
        partition = self.partition(level)
        if partition is not None:
            return partition.uniform_row_length()
        if not self.partitions:
            return raw.Shape(self.value, out_type=dtype)[axis]
        if not axis:
            return self.value.nrows()
        return raw.Shape(self.value.flat_values, out_type=dtype)[axis - len(self.partitions)]

    def starts(self, level: int, size: Any) -> Any:
        """Where in its elements of a dimension each row that the result takes begins."""
        partition = self.partition(level)
        if self.places is _ONE:
            return _ONE
        if self.places is _ALL:
            return None if partition is None else partition.row_starts()
        return self.places * size if partition is None else raw.GatherV2(partition.row_splits(), self.places, 0)


class _Broadcasting:
    """The broadcasting of several operands; `run` does it."""

    def __init__(self, values: Sequence[Any]) -> None:
        ranks = [value.shape.rank for value in values]
        if None in ranks:
            raise ValueError("Broadcasting with a ragged tensor needs operands of known ranks.")
        self.operands = [_Operand(value, max(ranks)) for value in values]
        self.depth = max(operand.offset + len(operand.partitions) for operand in self.operands if operand.partitions)
        self.dtype: DType = next(value.row_partition.dtype for value in values if isinstance(value, RaggedTensor))
        self.count: Any = 1

    def run(self) -> Aligned:
        self._first()
        partitions = tuple(self._level(level) for level in range(1, self.depth + 1))
        return Aligned([self._flat(operand) for operand in self.operands], partitions)

    def _number(self, value: Any) -> Tensor:
        return value if isinstance(value, Tensor) else convert_to_tensor(np.array(value, self.dtype.np_dtype))

    def _first(self) -> None:
        """The outermost dimension, which nothing partitions."""
        sizes = [operand.size(0, self.dtype) for operand in self.operands]
        self.count = self._common(sizes, 0)
        for operand, size in zip(self.operands, sizes, strict=True):
            if size is self.count or (_is_known(size, self.count) and size != 1):
                operand.places = _ALL
            elif not _is_known(size, 1):
                every = raw.Range(self._number(0), self._number(self.count), self._number(1))
                operand.places = every * self._unless_one(size)

    def _unless_one(self, size: Any) -> Tensor:
        """1, or 0 if a size turns out to be 1."""
        return raw.Cast(raw.NotEqual(self._number(size), self._number(1)), DstT=self.dtype)

    def _common(self, sizes: Sequence[Any], level: int) -> Any:
        """What uniform sizes broadcast to."""
        fixed = sorted({size for size in sizes if isinstance(size, int) and size != 1})
        if len(fixed) > 1:
            raise InvalidArgumentError(
                f"Unable to broadcast: dimension size mismatch in dimension {level}: {fixed[0]} vs. {fixed[1]}."
            )
        if fixed:
            return fixed[0]
        common: Any = 1
        for size in sizes:
            if isinstance(size, Tensor):
                common = (
                    size if _is_known(common, 1) else raw.SelectV2(raw.Equal(common, self._number(1)), size, common)
                )
        return common

    def _level(self, level: int) -> RowPartition:
        sizes = [operand.size(level, self.dtype) for operand in self.operands]
        ragged = [operand for operand, size in zip(self.operands, sizes, strict=True) if size is None]
        partition = self._ragged(level, ragged, sizes) if ragged else self._uniform(level, self._common(sizes, level))
        for operand, size in zip(self.operands, sizes, strict=True):
            self._descend(operand, level, size, partition)
        nvals = partition.static_nvals
        self.count = partition.nvals() if nvals is None else nvals
        return partition

    def _ragged(self, level: int, ragged: Sequence[_Operand], sizes: Sequence[Any]) -> RowPartition:
        """The result's partition of a dimension that is ragged in some operands, which must agree."""
        model = next((operand for operand in ragged if operand.places is _ALL), ragged[0])
        partition = model.partition(level)
        assert partition is not None
        if model.places is not _ALL and not _is_known(self.count, 1):
            partition = RowPartition.from_row_lengths(self._lengths(model, level), validate=False)
        for operand, size in zip(self.operands, sizes, strict=True):
            if operand is model or _is_known(size, 1):
                continue
            if size is None:
                if operand.partition(level) is not partition:
                    self._check(partition, self._lengths(operand, level), level)
            else:
                self._check(partition, self._number(size), level, maybe_one=not isinstance(size, int))
        return partition

    def _lengths(self, operand: _Operand, level: int) -> Tensor:
        """An operand's row lengths, for the result's rows."""
        partition = operand.partition(level)
        assert partition is not None
        lengths = partition.row_lengths()
        if operand.places is _ALL:
            return lengths
        if operand.places is _ONE:
            return raw.BroadcastTo(lengths, raw.ExpandDims(self._number(self.count), 0))
        return raw.GatherV2(lengths, operand.places, 0)

    def _check(self, partition: RowPartition, lengths: Tensor, level: int, maybe_one: bool = False) -> None:
        expected = partition.row_lengths()
        fits = raw.Equal(lengths, expected)
        if maybe_one:
            fits = raw.LogicalOr(fits, raw.Equal(lengths, self._number(1)))
        message = f"Unable to broadcast: dimension size mismatch in dimension {level}"
        require(fits, message, {"lengths": expected, "dim_size": lengths})

    def _uniform(self, level: int, size: Any) -> RowPartition:
        """The result's partition of a dimension that is uniform in all operands."""
        for operand in self.operands:
            partition = operand.partition(level)
            if partition is not None and operand.places is _ALL and _is_known(operand.size(level, self.dtype), size):
                return partition
        known_both = isinstance(size, int) and isinstance(self.count, int)
        nvals = self.count * size if known_both else self._number(self.count) * self._number(size)
        return RowPartition.from_uniform_row_length(
            self._number(size), self._number(nvals), self._number(self.count), validate=False
        )

    def _descend(self, operand: _Operand, level: int, size: Any, partition: RowPartition) -> None:
        """Finds the places one level further in."""
        common = partition.static_uniform_row_length
        if _is_known(size, 1):
            if common == 1 or operand.places is _ONE:
                return
            rowids = partition.value_rowids()
            operand.places = rowids if operand.places is _ALL else raw.GatherV2(operand.places, rowids, 0)
            return
        dynamic = isinstance(size, Tensor) and size is not partition.uniform_row_length()
        alone = operand.places is _ALL or (operand.places is _ONE and _is_known(self.count, 1))
        if alone and not dynamic:
            operand.places = _ALL
            return
        offsets = partition.offsets_in_rows()
        if dynamic:
            offsets *= self._unless_one(size)
        starts = operand.starts(level, size)
        if starts is None:
            every = raw.Range(self._number(0), self._number(self.count), self._number(1))
            starts = every * self._number(size)
        operand.places = offsets if starts is _ONE else raw.GatherV2(starts, partition.value_rowids(), 0) + offsets

    def _flat(self, operand: _Operand) -> Any:
        """The operand's values for the result's innermost rows, with the inner dimensions behind."""
        axis = self.depth - operand.offset
        if axis < 0:
            return operand.value
        partitioned = len(operand.partitions)
        values = operand.value.flat_values if partitioned else operand.value
        values = merge_dims(values, 0, axis - partitioned)
        if operand.places is _ALL or operand.places is _ONE:
            return values
        return raw.GatherV2(values, operand.places, 0)


def _is_known(size: Any, value: Any) -> bool:
    """Whether a size is known to be a certain number."""
    return isinstance(size, int) and isinstance(value, int) and size == value
