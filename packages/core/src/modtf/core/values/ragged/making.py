"""The class methods that make ragged tensors of values and encoded row partitions, of dense and of sparse tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype, int32, int64
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.ragged.partitions import RowPartition, known
from modtf.core.values.tensors import EagerTensor, Tensor

if TYPE_CHECKING:
    from modtf.core.values.ragged.tensor import RaggedTensor


def _splits_dtype(values: Any) -> DType | None:
    """The dtype that partitions of these values must have, if they are ragged already."""
    partition = getattr(values, "row_partition", None)
    return None if partition is None else partition.dtype


class Makers:
    """Ways to make a `RaggedTensor`."""

    __slots__ = ()

    @staticmethod
    def _converted(values: Any) -> Any:
        from modtf.core.values.ragged.tensor import RaggedTensor

        return values if isinstance(values, RaggedTensor) else convert_to_tensor(values)

    @classmethod
    def _made(cls, values: Any, partition: RowPartition, maker: str, validate: bool) -> RaggedTensor:
        from modtf.core.values.ragged.tensor import RaggedTensor, check_length

        if validate:
            check_length(values, partition, maker)
        return RaggedTensor(values, partition)

    @classmethod
    def from_row_splits(
        cls, values: Any, row_splits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Returns the ragged tensor whose row i is `values[row_splits[i]:row_splits[i + 1]]`.

        Args:
            values: A tensor or ragged tensor of shape `[nvals, ...]`.
            row_splits: Integers that do not descend, of shape `[nrows + 1]`, from 0 to nvals.
            name: Unused; kept for its place.
            validate: Whether to look whether the arguments are so.

        Raises:
            InvalidArgumentError: They are not.
        """
        values = cls._converted(values)
        partition = RowPartition.from_row_splits(row_splits, validate, _splits_dtype(values))
        return cls._made(values, partition, "from_row_splits", validate)

    @classmethod
    def from_row_lengths(
        cls, values: Any, row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Returns the ragged tensor whose rows have the given lengths.

        Args:
            values: A tensor or ragged tensor of shape `[nvals, ...]`.
            row_lengths: The lengths, of shape `[nrows]`, whose sum is nvals.
            name: Unused; kept for its place.
            validate: Whether to look whether the arguments are so.

        Raises:
            InvalidArgumentError: They are not.
        """
        values = cls._converted(values)
        partition = RowPartition.from_row_lengths(row_lengths, validate, _splits_dtype(values))
        return cls._made(values, partition, "from_row_lengths", validate)

    @classmethod
    def from_row_starts(
        cls, values: Any, row_starts: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Returns the ragged tensor whose rows start in `values` at `row_starts`, which are of shape `[nrows]`.

        The first is 0; each row ends where the next one starts, the last one with the values.
        """
        values = cls._converted(values)
        dtype = _splits_dtype(values)
        partition = RowPartition.from_row_starts(row_starts, cls._count(values, row_starts, dtype), validate, dtype)
        return cls._made(values, partition, "from_row_starts", validate)

    @classmethod
    def from_row_limits(
        cls, values: Any, row_limits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Returns the ragged tensor whose rows end in `values` at `row_limits`, which are of shape `[nrows]`.

        The last is nvals; each row starts where the one before ends, the first one at 0.
        """
        values = cls._converted(values)
        partition = RowPartition.from_row_limits(row_limits, validate, _splits_dtype(values))
        return cls._made(values, partition, "from_row_limits", validate)

    @classmethod
    def from_value_rowids(
        cls, values: Any, value_rowids: Any, nrows: Any = None, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Returns the ragged tensor in which `values[i]` is in row `value_rowids[i]`.

        Args:
            values: A tensor or ragged tensor of shape `[nvals, ...]`.
            value_rowids: Row numbers that do not descend, of shape `[nvals]`.
            nrows: The number of rows; by default one more than the last of `value_rowids`.
            name: Unused; kept for its place.
            validate: Whether to look whether the arguments are so.

        Raises:
            ValueError: There are row numbers beyond `nrows`.
            InvalidArgumentError: Row numbers descend, or there is not one for each value.
        """
        values = cls._converted(values)
        partition = RowPartition.from_value_rowids(value_rowids, nrows, validate, _splits_dtype(values))
        ids, count = partition.value_rowids().dims, values.shape[:1].dims
        if validate and ids is not None and count and None not in (ids[0], count[0]) and ids[0] != count[0]:
            raise InvalidArgumentError(
                f"Arguments to from_value_rowids do not form a valid RaggedTensor: there are {ids[0]} value_rowids for "
                f"{count[0]} values."
            )
        return cls._made(values, partition, "from_value_rowids", validate)

    @classmethod
    def from_uniform_row_length(
        cls, values: Any, uniform_row_length: Any, nrows: Any = None, validate: bool = True, name: str | None = None
    ) -> RaggedTensor:
        """Returns the ragged tensor whose rows all have one length; its dimension 1 is uniform.

        Args:
            values: A tensor or ragged tensor of shape `[nvals, ...]`.
            uniform_row_length: The length, which divides nvals.
            nrows: The number of rows; needed only if the length is 0.
            validate: Whether to look whether the arguments are so.
            name: Unused; kept for its place.

        Raises:
            ValueError: They are not.
        """
        values = cls._converted(values)
        dtype = _splits_dtype(values)
        count = cls._count(values, uniform_row_length, dtype)
        partition = RowPartition.from_uniform_row_length(uniform_row_length, count, nrows, validate, dtype)
        return cls._made(values, partition, "from_uniform_row_length", False)

    @staticmethod
    def _count(values: Any, beside: Any, dtype: DType | None) -> Tensor:
        """The number of values in the dtype that the partition tensor beside it will have."""
        wanted = dtype or (as_dtype(beside.dtype) if isinstance(beside, (Tensor, np.ndarray)) else int64)
        if wanted not in (int32, int64):
            wanted = int64
        length = values.shape[:1].dims
        if length and length[0] is not None:
            return convert_to_tensor(np.array(length[0], wanted.np_dtype))
        if isinstance(values, Tensor):
            return raw.Shape(values, out_type=wanted)[0]
        return values.nrows(out_type=wanted)

    # --------------------------------------------------------------------------------------------- nested

    @classmethod
    def from_nested_row_splits(
        cls, flat_values: Any, nested_row_splits: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Returns the ragged tensor of flat values and a list of row splits, outermost first."""
        _check_nested(nested_row_splits, "nested_row_splits")
        result = flat_values
        for splits in reversed(nested_row_splits):
            result = cls.from_row_splits(result, splits, validate=validate)
        return result

    @classmethod
    def from_nested_row_lengths(
        cls, flat_values: Any, nested_row_lengths: Any, name: str | None = None, validate: bool = True
    ) -> RaggedTensor:
        """Returns the ragged tensor of flat values and a list of row lengths, outermost first."""
        _check_nested(nested_row_lengths, "nested_row_lengths")
        result = flat_values
        for lengths in reversed(nested_row_lengths):
            result = cls.from_row_lengths(result, lengths, validate=validate)
        return result

    @classmethod
    def from_nested_value_rowids(
        cls,
        flat_values: Any,
        nested_value_rowids: Any,
        nested_nrows: Any = None,
        name: str | None = None,
        validate: bool = True,
    ) -> RaggedTensor:
        """Returns the ragged tensor of flat values and a list of row numbers of values, outermost first.

        Args:
            flat_values: A tensor.
            nested_value_rowids: A list of vectors.
            nested_nrows: A list of the numbers of rows; by default just as many as the row numbers need.
            name: Unused; kept for its place.
            validate: Whether to look whether the arguments fit each other.
        """
        _check_nested(nested_value_rowids, "nested_value_rowids")
        if nested_nrows is None:
            nested_nrows = [None] * len(nested_value_rowids)
        elif len(nested_nrows) != len(nested_value_rowids):
            raise ValueError(
                f"Argument `nested_nrows` must have as many items as `nested_value_rowids`: {len(nested_nrows)} vs. "
                f"{len(nested_value_rowids)}."
            )
        result = flat_values
        for rowids, nrows in zip(reversed(nested_value_rowids), reversed(nested_nrows), strict=True):
            result = cls.from_value_rowids(result, rowids, nrows, validate=validate)
        return result

    # --------------------------------------------------------------------------------------------- of other tensors

    @classmethod
    def from_tensor(
        cls,
        tensor: Any,
        lengths: Any = None,
        padding: Any = None,
        ragged_rank: int = 1,
        name: str | None = None,
        row_splits_dtype: Any = int64,
    ) -> RaggedTensor:
        """Returns a ragged tensor of a dense one.

        Args:
            tensor: The dense tensor, of rank 2 at least.
            lengths: How much of each row to keep: lengths of shape `[tensor.shape[0]]`; or a list of them, one for each
                ragged dimension, whose rows are counted in what the one before keeps.
            padding: A value (of the shape of what the innermost ragged dimension holds) to leave out at the ends of the
                innermost rows. Only one of `lengths` and `padding` may be given.
            ragged_rank: How many dimensions of the result are partitioned.
            name: Unused; kept for its place.
            row_splits_dtype: The dtype of the row splits.

        Raises:
            ValueError: Both `lengths` and `padding` are given, or the tensor's rank is not above `ragged_rank`.
        """
        dtype = as_dtype(row_splits_dtype)
        if lengths is not None and padding is not None:
            raise ValueError("Specify argument `lengths` or `padding`, but not both.")
        if not isinstance(ragged_rank, int):
            raise TypeError(f"Argument `ragged_rank` must be an int. Received {ragged_rank!r}.")
        if ragged_rank <= 0:
            raise ValueError(f"Argument `ragged_rank` must be greater than 0. Received {ragged_rank}.")
        dense = convert_to_tensor(tensor)
        if dense.ndim is not None and dense.ndim <= 1:
            raise ValueError(
                "The rank of a RaggedTensor must be greater than 1, i.e., a list of scalars won't have ragged dimensions. "
                f"Received argument `tensor` with rank {dense.ndim}."
            )
        if dense.ndim is not None and ragged_rank >= dense.ndim:
            raise ValueError(f"ragged_rank={ragged_rank} must be less than the rank of `tensor`, {dense.ndim}.")
        if lengths is not None:
            nested = lengths if _is_nested(lengths) else (lengths,)
            vectors = [_cast_lengths(item, dtype) for item in nested]
            return cls._cut(dense, vectors)
        if padding is None:
            return cls._uniform(dense, ragged_rank, dtype)
        sizes = raw.Shape(dense, out_type=dtype)
        rows = raw.Reshape(dense, _flattened(sizes, ragged_rank))
        values = cls._without_padding(rows, padding, dtype)
        for level in range(ragged_rank - 1, 0, -1):
            count = raw.Prod(sizes[:level], 0)
            values = cls.from_uniform_row_length(values, sizes[level], count)
        return values

    @classmethod
    def _cut(cls, dense: Tensor, lengths: list[Tensor]) -> RaggedTensor:
        width = raw.Shape(dense, out_type=lengths[0].dtype)[1]
        kept = raw.Minimum(raw.Maximum(lengths[0], lengths[0] * 0), width)
        places = raw.Range(width * 0, width, width * 0 + 1)
        mask = raw.Less(places, raw.ExpandDims(kept, 1))
        values: Any = raw.GatherNd(dense, raw.Where(mask))
        if lengths[1:]:
            values = cls._cut(values, lengths[1:])
        return cls.from_row_lengths(values, kept, validate=False)

    @classmethod
    def _uniform(cls, dense: Tensor, ragged_rank: int, dtype: DType) -> RaggedTensor:
        sizes = raw.Shape(dense, out_type=dtype)
        values: Any = raw.Reshape(dense, _flattened(sizes, ragged_rank + 1))
        for level in range(ragged_rank, 0, -1):
            values = cls.from_uniform_row_length(values, sizes[level], raw.Prod(sizes[:level], 0))
        return values

    @classmethod
    def _without_padding(cls, rows: Tensor, padding: Any, dtype: DType) -> RaggedTensor:
        """Cuts off the padding at the ends of the rows of a matrix (of slices)."""
        filler = convert_to_tensor(padding, dtype=rows.dtype)
        same = raw.Equal(rows, filler)
        if same.ndim is None:
            raise ValueError("RaggedTensor.from_tensor with padding needs a tensor of a known rank.")
        if filler.ndim not in (None, same.ndim - 2):
            raise ValueError(
                f"Argument `padding` must have the shape of what the innermost rows hold, of rank {same.ndim - 2}; "
                f"its shape is {filler.shape}."
            )
        if same.ndim > 2:
            same = raw.All(same, np.arange(2, same.ndim, dtype=np.int32))
        width = raw.Shape(rows, out_type=dtype)[1]
        ordinals = raw.Range(width * 0 + 1, width + 1, width * 0 + 1)
        there = raw.Cast(raw.LogicalNot(same), DstT=dtype) * ordinals
        nothing = raw.Fill(raw.ConcatV2([raw.Shape(there)[:1], [1]], 0), width * 0)
        return cls._cut(rows, [raw.Max(raw.ConcatV2([there, nothing], 1), 1)])

    @classmethod
    def from_sparse(cls, st_input: Any, name: str | None = None, row_splits_dtype: Any = int64) -> RaggedTensor:
        """Returns a ragged tensor of a sparse matrix whose rows have their elements at the front, without gaps.

        Args:
            st_input: A `SparseTensor` of rank 2.
            name: Unused; kept for its place.
            row_splits_dtype: The dtype of the row splits.

        Raises:
            TypeError: It is not a `SparseTensor`.
            ValueError: Its rank is not 2.
            InvalidArgumentError: Elements are missing before others of their row, or stand out of order.
        """
        from modtf.core.values.sparse import SparseTensor

        if not isinstance(st_input, SparseTensor):
            raise TypeError(
                f"Argument `st_input` must be of type SparseTensor, but is of type {type(st_input).__name__}."
            )
        rank = st_input.shape.rank
        if rank is not None and rank != 2:
            raise ValueError(f"rank(st_input) must be 2. Received {rank}.")
        dtype = as_dtype(row_splits_dtype)
        indices = known(st_input.indices)
        if indices is not None and len(indices):
            rows, columns = indices[:, 0], indices[:, 1]
            starts = np.append(True, rows[1:] != rows[:-1])
            expected = np.where(starts, 0, np.append(0, columns[:-1] + 1))
            if np.any(columns != expected) or np.any(rows[1:] < rows[:-1]):
                raise InvalidArgumentError(
                    "SparseTensor is not right-ragged: each row must have its elements at the front, in order and "
                    "without gaps."
                )
        rowids = raw.Cast(st_input.indices[:, 0], DstT=dtype)
        nrows = raw.Cast(st_input.dense_shape[0], DstT=dtype)
        return cls.from_value_rowids(st_input.values, rowids, nrows, validate=False)


def _flattened(sizes: Tensor, count: int) -> Tensor:
    """The shape with the first `count` axes made one."""
    return raw.ConcatV2([raw.Prod(sizes[:count], [0], keep_dims=True), sizes[count:]], 0)


def _cast_lengths(lengths: Any, dtype: DType) -> Tensor:
    tensor = convert_to_tensor(lengths, dtype_hint=dtype)
    return tensor if tensor.dtype is dtype else raw.Cast(tensor, DstT=dtype)


def _check_nested(value: Any, name: str) -> None:
    if isinstance(value, EagerTensor) or not isinstance(value, (list, tuple)):
        raise TypeError(f"Argument `{name}` must be a list of Tensors. Received {value!r}.")


def _is_nested(lengths: Any) -> bool:
    """Whether row lengths are given for several dimensions rather than for one."""
    return isinstance(lengths, (list, tuple)) and bool(lengths) and any(np.ndim(item) for item in map(_plain, lengths))


def _plain(item: Any) -> Any:
    return np.zeros(tuple(size or 0 for size in item.dims or ())) if isinstance(item, Tensor) else item
