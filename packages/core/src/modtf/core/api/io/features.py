"""What a feature of examples shall become: the `tf.io` classes that parsing is told by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from modtf.core.values.dtypes import as_dtype, int32, int64

__all__ = ["FixedLenFeature", "FixedLenSequenceFeature", "RaggedFeature", "SparseFeature", "VarLenFeature"]


class VarLenFeature(NamedTuple):
    """A feature with any number of values, which becomes a `SparseTensor`.

    Attributes:
        dtype: float32, int64 or string.
    """

    dtype: Any


class FixedLenFeature(NamedTuple):
    """A feature with the same number of values in every example, which becomes a tensor.

    Attributes:
        shape: The shape of one example's values.
        dtype: float32, int64 or string.
        default_value: What stands for it where it is missing; without one it must not be.
    """

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature with any number of elements of one shape, which becomes a tensor that is filled up to the longest.

    Attributes:
        shape: The shape of one element.
        dtype: float32, int64 or string.
        allow_missing: Whether examples without it have no elements, rather than being a mistake.
        default_value: The scalar to fill up with; by default 0, or the empty string.
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class SparseFeature(NamedTuple):
    """Two or more features which together become a `SparseTensor`: values, and where they are.

    Attributes:
        index_key: The name of the feature with the indices, int64; one for each axis, or one alone.
        value_key: The name of the feature with the values.
        dtype: The values' dtype: float32, int64 or string.
        size: The size along each axis, or along the only one.
        already_sorted: Whether the indices ascend in every example, so that they need not be sorted.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


class _RowSplits(NamedTuple):
    """Rows, by a feature that says where each starts, and at last where the last ends."""

    key: str


class _RowLengths(NamedTuple):
    """Rows, by a feature that says how long each is."""

    key: str


class _RowStarts(NamedTuple):
    """Rows, by a feature that says where each starts."""

    key: str


class _RowLimits(NamedTuple):
    """Rows, by a feature that says where each ends."""

    key: str


class _ValueRowIds(NamedTuple):
    """Rows, by a feature that says of each value to which row it belongs."""

    key: str


class _UniformRowLength(NamedTuple):
    """Rows of one length."""

    length: int


class _RaggedFields(NamedTuple):
    dtype: Any
    value_key: str | None = None
    partitions: tuple[Any, ...] = ()
    row_splits_dtype: Any = int32
    validate: bool = False


class RaggedFeature(_RaggedFields):
    """A feature with any number of values, which becomes a `RaggedTensor`.

    Args:
        dtype: float32, int64 or string.
        value_key: The feature's name; by default the key under which this stands.
        partitions: How the values of an example are divided into rows, these into rows of rows, and so on, the outermost
            first: `RaggedFeature.RowSplits(key)`, `RowLengths`, `RowStarts`, `RowLimits`, `ValueRowIds`, each with the
            name of another feature, or `UniformRowLength(length)`.
        row_splits_dtype: The dtype of the result's row splits: int32 or int64.
        validate: Whether the partitions are checked when the graph runs.

    Raises:
        TypeError: A partition is of no such kind.
    """

    RowSplits = _RowSplits
    RowLengths = _RowLengths
    RowStarts = _RowStarts
    RowLimits = _RowLimits
    ValueRowIds = _ValueRowIds
    UniformRowLength = _UniformRowLength

    __slots__ = ()

    def __new__(
        cls,
        dtype: Any,
        value_key: str | None = None,
        partitions: Sequence[Any] = (),
        row_splits_dtype: Any = int32,
        validate: bool = False,
    ) -> RaggedFeature:
        splits_dtype = as_dtype(row_splits_dtype)
        if splits_dtype not in (int32, int64):
            raise ValueError(f"row_splits_dtype must be int32 or int64, not {splits_dtype.name}.")
        for partition in partitions:
            if not isinstance(
                partition, (_RowSplits, _RowLengths, _RowStarts, _RowLimits, _ValueRowIds, _UniformRowLength)
            ):
                raise TypeError(
                    f"Unsupported partition {partition!r}: expected one of RaggedFeature's partition types."
                )
        return super().__new__(cls, as_dtype(dtype), value_key, tuple(partitions), splits_dtype, validate)
