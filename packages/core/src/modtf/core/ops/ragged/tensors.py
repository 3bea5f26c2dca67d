"""Ragged tensors, as flat values and row splits: gathering rows, ranges, conversions to dense, sparse and variant.

What decides shapes (row splits and the like) is worked out in host memory on every backend; the values stay on theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import unbroadcast
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, TensorShape, size_of
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- row partitions


def splits_of(lengths: np.ndarray, dtype: Any) -> np.ndarray:
    """Returns the row splits of rows of these lengths."""
    splits = np.zeros(len(lengths) + 1, dtype)
    np.cumsum(lengths, out=splits[1:])
    return splits


def positions_within(lengths: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Returns `starts[i], starts[i] + 1, ...` for `lengths[i]` places, one row after another."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)


def _checked_splits(nested_splits: Sequence[np.ndarray], values_length: int) -> None:
    """Refuses nested row splits that do not partition each other and the values."""
    inner = [*(len(splits) - 1 for splits in nested_splits[1:]), values_length]
    for splits, length in zip(nested_splits, inner, strict=True):
        if splits.ndim != 1 or not len(splits):
            raise InvalidArgumentError(f"row splits must be a vector with elements, not of shape {splits.shape}")
        if splits[0] != 0:
            raise InvalidArgumentError(f"First value of ragged splits must be 0, not {splits[0]}")
        if np.any(splits[1:] < splits[:-1]):
            raise InvalidArgumentError("Ragged splits must be sorted")
        if splits[-1] != length:
            raise InvalidArgumentError(
                f"Final value of ragged splits must match the length of what it splits: {splits[-1]} vs. {length}"
            )


def _rows_length(splits: Tensor) -> int | None:
    (length,) = with_rank(splits, 1, "row splits")
    return None if length is None else length - 1


# ------------------------------------------------------------------------------------------------- gathering rows


def _gather_dims(
    params_nested_splits: list[Tensor], params_dense_values: Tensor, indices: Tensor, *, OUTPUT_RAGGED_RANK: int
) -> list[Dims]:
    if indices.ndim is not None and len(params_nested_splits) + indices.ndim - 1 != OUTPUT_RAGGED_RANK:
        raise ValueError(
            f"OUTPUT_RAGGED_RANK must be {len(params_nested_splits) + indices.ndim - 1}, the ragged rank of the params "
            f"and the rank of the indices less 1; not {OUTPUT_RAGGED_RANK}"
        )
    for splits in params_nested_splits:
        with_rank(splits, 1, "params_nested_splits")
    values = params_dense_values.dims
    splits_dims: list[Dims] = []
    for level in range(OUTPUT_RAGGED_RANK):
        known = indices.dims is not None and level < len(indices.dims)
        rows = size_of(indices.dims[: level + 1]) if known else None  # type: ignore[index]
        splits_dims.append((None if rows is None else rows + 1,))
    return [*splits_dims, None if values is None else (None, *values[1:])]


@op(
    "RaggedGather[Tvalues, Tindices: index, Tsplits: index = int64](params_nested_splits: PARAMS_RAGGED_RANK * Tsplits, "
    "params_dense_values: Tvalues, indices: Tindices, *, OUTPUT_RAGGED_RANK: int) "
    "-> (output_nested_splits: OUTPUT_RAGGED_RANK * Tsplits, output_dense_values: Tvalues)",
    shape=_gather_dims,
    host_inputs=("params_nested_splits", "indices"),
)
def ragged_gather(
    xp: Any, params_nested_splits: list[np.ndarray], params_dense_values: Any, indices: np.ndarray, *,
    OUTPUT_RAGGED_RANK: int,
) -> list[Any]:  # fmt: skip
    _checked_splits(params_nested_splits, params_dense_values.shape[0])
    count = len(params_nested_splits[0]) - 1
    rows = indices.reshape(-1)
    bad = np.flatnonzero((rows < 0) | (rows >= count))
    if bad.size:
        where = ",".join(map(str, np.unravel_index(bad[0], indices.shape)))
        raise InvalidArgumentError(f"indices[{where}] = {rows[bad[0]]} is not in [0, {count})")
    dtype = params_nested_splits[0].dtype
    outputs = []
    for level in range(1, indices.ndim):  # the axes of the indices become uniform rows
        outer = int(np.prod(indices.shape[:level]))
        outputs.append(np.arange(outer + 1, dtype=dtype) * indices.shape[level])
    for splits in params_nested_splits:
        lengths = splits[rows + 1] - splits[rows]
        outputs.append(splits_of(lengths, dtype))
        rows = positions_within(lengths, splits[rows])
    values = xp.take(params_dense_values, xp.asarray(rows), axis=0)
    if not indices.ndim:
        outputs = outputs[1:]  # one row alone, which is not partitioned from others
    return [*(xp.asarray(splits) for splits in outputs), values]


@ragged_gather.gradient
def _(call: Any, *flowing: Tensor) -> tuple[Tensor | None, ...]:
    *splits, values, indices = call.inputs
    count = raw.Shape(values, out_type=splits[0].dtype)[0]
    one = raw.OnesLike(count)
    sources = raw.RaggedGather(
        splits, raw.Range(raw.ZerosLike(count), count, one), indices, OUTPUT_RAGGED_RANK=call["OUTPUT_RAGGED_RANK"]
    ).output_dense_values
    return (*(None for _ in splits), raw.UnsortedSegmentSum(flowing[-1], sources, count), None)


# ------------------------------------------------------------------------------------------------- ranges


def _range_dims(starts: Tensor, limits: Tensor, deltas: Tensor, *, Tsplits: DType) -> list[Dims]:
    rows: int | None = 1
    for what, tensor in (("starts", starts), ("limits", limits), ("deltas", deltas)):
        if tensor.ndim is None:
            rows = None
        elif tensor.ndim > 1:
            raise ValueError(f"{what} must be a scalar or vector, but its shape is {TensorShape(tensor.dims)}")
        elif tensor.ndim:
            (length,) = tensor.dims  # type: ignore[misc]
            if rows not in (1, None) and length not in (rows, None):
                raise ValueError(f"starts, limits and deltas must have the same length: {rows} vs. {length}")
            rows = length
    return [(None if rows is None else rows + 1,), (None,)]


@op(
    "RaggedRange[T: bfloat16|float32|float64|int32|int64 = int32](starts: T, limits: T, deltas: T, *, "
    "Tsplits: type(index) = int64) -> (rt_nested_splits: Tsplits, rt_dense_values: T)",
    shape=_range_dims,
    host_only=True,
)
def ragged_range(
    xp: Any, starts: np.ndarray, limits: np.ndarray, deltas: np.ndarray, *, Tsplits: DType
) -> tuple[np.ndarray, np.ndarray]:
    if max(starts.ndim, limits.ndim, deltas.ndim) > 1:
        raise ValueError("starts, limits and deltas must be scalars or vectors")
    if len({array.size for array in (starts, limits, deltas) if array.ndim}) > 1:
        raise InvalidArgumentError("starts, limits and deltas that are vectors must have the same length")
    starts, limits, deltas = np.broadcast_arrays(*map(np.atleast_1d, (starts, limits, deltas)))
    if np.any(deltas == 0):
        raise InvalidArgumentError("Requires delta != 0")
    whole = starts.dtype.kind == "i"
    wide: Any = np.int64 if whole else np.float64
    first, last, step = (array.astype(wide) for array in (starts, limits, deltas))
    if whole:
        lengths = np.maximum(-(-(last - first) // step), 0)
    else:
        sizes = np.ceil((last - first) / step)
        if not np.all(np.isfinite(sizes)):
            raise InvalidArgumentError("Requires starts, limits and deltas whose ranges are finite")
        lengths = np.maximum(sizes, 0).astype(np.int64)
    if lengths.sum() > Tsplits.max:
        raise InvalidArgumentError(
            f"Ranges of {lengths.sum()} numbers in all are too long for row splits of {Tsplits.name}"
        )
    places = positions_within(lengths, np.zeros_like(lengths))
    # TensorFlow adds the step again and again, in the numbers' own precision.
    if whole:
        values = np.repeat(first, lengths) + places * np.repeat(step, lengths)
    else:
        rows = [
            np.add.accumulate(np.append(start, np.full(length - 1, delta)), dtype=starts.dtype)
            for start, delta, length in zip(starts, deltas, lengths, strict=True)
            if length
        ]
        values = np.concatenate(rows) if rows else np.zeros(0)
    return splits_of(lengths, Tsplits.np_dtype), values.astype(starts.dtype)


ragged_range.gradient(None)


# ------------------------------------------------------------------------------------------------- to dense


def _to_tensor_dims(
    shape: Tensor, values: Tensor, default_value: Tensor, row_partition_tensors: list[Tensor], *,
    row_partition_types: Sequence[str],
) -> Dims:  # fmt: skip
    if values.dims is None:
        return dims_from_value(shape) if shape.ndim == 1 else None
    ragged_rank = len(row_partition_types) - (row_partition_types[0] == "FIRST_DIM_SIZE")
    wanted: tuple[int | None, ...] = (None,) * (ragged_rank + len(values.dims))
    if shape.ndim == 1:
        given = dims_from_value(shape)
        if given is not None and len(given) != len(wanted):
            raise ValueError(
                f"shape has {len(given)} sizes, but the ragged tensor has the ragged rank {ragged_rank} and values of shape "
                f"{TensorShape(values.dims)}"
            )
        wanted = given or wanted
    first: int | None
    if row_partition_types[0] == "FIRST_DIM_SIZE":
        count = constant_value(row_partition_tensors[0])
        first = None if count is None else int(count)
    else:
        first = _rows_length(row_partition_tensors[0])
    known = (first, *(None,) * ragged_rank, *values.dims[1:])
    for place, (given_size, size) in enumerate(zip(wanted, known, strict=True)):
        if place > ragged_rank and None not in (given_size, size) and given_size != size:
            raise ValueError(f"shape {TensorShape(wanted)} does not fit values of shape {TensorShape(values.dims)}")
    return tuple(size if given_size is None else given_size for given_size, size in zip(wanted, known, strict=True))


def _all_splits(
    partitions: Sequence[np.ndarray], types: Sequence[str], values_length: int
) -> tuple[int, list[np.ndarray]]:
    """Returns the number of rows, and the row splits of each level."""
    if types[0] == "FIRST_DIM_SIZE":
        count, partitions, types = int(partitions[0]), partitions[1:], types[1:]
    elif types[0] == "ROW_SPLITS":
        count = len(partitions[0]) - 1
    else:
        raise InvalidArgumentError(
            f"Cannot handle {types[0]} in first dimension; it must be FIRST_DIM_SIZE or ROW_SPLITS."
        )
    splits: list[np.ndarray] = []
    rows = count
    for partition, kind in zip(partitions, types, strict=True):
        if partition.ndim != 1:
            raise InvalidArgumentError(f"Row partitions must be vectors, not of shape {list(partition.shape)}")
        if kind == "VALUE_ROWIDS":
            if np.any(partition[1:] < partition[:-1]) or (partition.size and partition[0] < 0):
                raise InvalidArgumentError("Invalid row partition: value rowids must be sorted and not negative.")
            if partition.size and partition[-1] >= rows:
                raise InvalidArgumentError(f"A value is in row {partition[-1]}, but there are only {rows} rows")
            partition = np.searchsorted(partition, np.arange(rows + 1))
        elif kind != "ROW_SPLITS":
            raise InvalidArgumentError(f"Unsupported row partition type {kind!r}; expected ROW_SPLITS or VALUE_ROWIDS.")
        splits.append(partition)
        rows = int(partition[-1]) if partition.size else 0
    if splits:
        _checked_splits(splits, values_length)
    return count, splits


@op(
    "RaggedTensorToTensor[T, Tindex: index, Tshape: index](shape: Tshape, values: T, default_value: T, "
    "row_partition_tensors: num_row_partition_tensors * Tindex, *, row_partition_types: list(string)) -> (result: T)",
    shape=_to_tensor_dims,
    host_inputs=("shape", "row_partition_tensors"),
)
def ragged_tensor_to_tensor(
    xp: Any, shape: np.ndarray, values: Any, default_value: Any, row_partition_tensors: list[np.ndarray], *,
    row_partition_types: Sequence[str],
) -> Any:  # fmt: skip
    if shape.ndim == 0 and shape != -1:
        raise InvalidArgumentError(f"A shape that is a scalar must be -1, of which nothing is known, not {shape}")
    count, nested_splits = _all_splits(row_partition_tensors, row_partition_types, values.shape[0])
    rank = len(nested_splits) + len(values.shape)
    wanted = [-1] * rank if shape.ndim == 0 else shape.tolist()
    if len(wanted) != rank:
        raise ValueError(f"shape has {len(wanted)} sizes, but the result has rank {rank}")
    inner = values.shape[1:]
    if min(wanted, default=0) < -1:
        raise InvalidArgumentError(f"The sizes must be -1, where they are unknown, or more: {wanted}")
    if any(size not in (-1, known) for size, known in zip(wanted[len(nested_splits) + 1 :], inner, strict=True)):
        raise InvalidArgumentError(f"shape {wanted} does not fit values of shape {list(values.shape)}")
    # For each place of the result the value that it takes, and whether there is one.
    sizes = [count if wanted[0] < 0 else wanted[0]]
    sources, there = np.arange(sizes[0]), np.arange(sizes[0]) < count
    for size, splits in zip(wanted[1:], nested_splits, strict=False):
        lengths = splits[1:] - splits[:-1]
        sizes.append(size if size >= 0 else int(lengths.max(initial=0)))
        rows = sources if there.all() else np.where(there, sources, 0)
        within = np.arange(sizes[-1])
        if lengths.size:
            there = (within < np.where(there, lengths[rows], 0)[:, np.newaxis]).reshape(-1)
            sources = (splits[rows][:, np.newaxis] + within).reshape(-1)
        else:
            there, sources = (np.zeros(len(sources) * sizes[-1], kind) for kind in (bool, np.int64))
    filling = xp.broadcast_to(default_value, inner)
    if not there.any():
        return xp.asarray(xp.broadcast_to(filling, (*sizes, *inner)), copy=True)
    taken = xp.take(values, xp.asarray(np.where(there, sources, 0)), axis=0)
    mask = xp.asarray(there.reshape(-1, *(1,) * len(inner)))
    return xp.reshape(xp.where(mask, taken, filling), (*sizes, *inner))


@ragged_tensor_to_tensor.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    _, values, default_value, *partitions = call.inputs
    count = raw.Shape(values)[:1]
    # Which value stands at each place of the result, -1 for the default.
    lead = raw.Shape(dy)[: dy.ndim - values.ndim + 1]
    sources = raw.RaggedTensorToTensor(
        lead, raw.Range(0, count[0], 1), np.int32(-1), partitions, row_partition_types=call["row_partition_types"]
    )
    sources = raw.Reshape(sources, [-1])
    rows = raw.Reshape(dy, raw.ConcatV2([raw.Shape(sources), raw.Shape(values)[1:]], 0))
    of_values = raw.UnsortedSegmentSum(rows, sources, count[0])
    others = raw.SelectV2(raw.Less(sources, 0), raw.ZerosLike(sources), sources * 0 - 1)
    of_default = raw.UnsortedSegmentSum(rows, others, 1)[0]
    return (None, of_values, unbroadcast(of_default, default_value, of_default), *(None for _ in partitions))


# ------------------------------------------------------------------------------------------------- to sparse


def _to_sparse_dims(rt_nested_splits: list[Tensor], rt_dense_values: Tensor) -> list[Dims]:
    dims = rt_dense_values.dims
    if dims is None:
        return [(None, None), (None,), (None,)]
    rank = len(rt_nested_splits) + len(dims)
    count = TensorShape(dims).num_elements()
    return [(count, rank), (count,), (rank,)]


@op(
    "RaggedTensorToSparse[T, Tsplits: index = int64](rt_nested_splits: RAGGED_RANK * Tsplits, rt_dense_values: T) "
    "-> (sparse_indices: int64, sparse_values: T, sparse_dense_shape: int64)",
    shape=_to_sparse_dims,
    host_inputs=("rt_nested_splits",),
)
def ragged_tensor_to_sparse(xp: Any, rt_nested_splits: list[np.ndarray], rt_dense_values: Any) -> list[Any]:
    dims = rt_dense_values.shape
    _checked_splits(rt_nested_splits, dims[0])
    columns: list[np.ndarray] = [np.arange(len(rt_nested_splits[0]) - 1)]
    sizes = [len(columns[0])]
    for splits in rt_nested_splits:
        lengths = np.diff(splits)
        columns = [np.repeat(column, lengths) for column in columns]
        columns.append(positions_within(lengths, np.zeros_like(lengths)))
        sizes.append(int(lengths.max()) if lengths.size else 0)
    each = int(np.prod(dims[1:]))
    inner = np.indices(dims[1:]).reshape(len(dims) - 1, each)
    indices = [np.repeat(column, each) for column in columns] + [np.tile(axis, dims[0]) for axis in inner]
    return [
        xp.asarray(np.stack(indices, axis=1).astype(np.int64)),
        xp.reshape(rt_dense_values, (-1,)),
        xp.asarray(np.array([*sizes, *dims[1:]], np.int64)),
    ]


@ragged_tensor_to_sparse.gradient
def _(call: Any, indices: Tensor, values: Tensor, shape: Tensor) -> tuple[Tensor | None, ...]:
    *splits, dense_values = call.inputs
    return (*(None for _ in splits), raw.Reshape(values, raw.Shape(dense_values)))


# ------------------------------------------------------------------------------------------------- to variants


class RaggedVariant:
    """What an element of a variant tensor holds for a ragged tensor (or, without splits, a tensor)."""

    __slots__ = ("nested_splits", "values")

    def __init__(self, nested_splits: Sequence[np.ndarray], values: np.ndarray) -> None:
        self.nested_splits = tuple(nested_splits)
        self.values = values

    def __repr__(self) -> str:
        return f"<RaggedVariant of {self.values.dtype}, ragged rank {len(self.nested_splits)}>"


def _variants(items: Sequence[RaggedVariant], dims: tuple[int, ...]) -> np.ndarray:
    array = np.empty(len(items), object)
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(dims)


def _elements(variants: Any) -> list[Any]:
    """What a variant tensor holds; a scalar may come as its bare element."""
    return list(variants.reshape(-1)) if isinstance(variants, np.ndarray) else [variants]


def _rows_of(splits: Sequence[np.ndarray], values: np.ndarray) -> list[RaggedVariant]:
    """The rows of a ragged tensor, each a ragged tensor of a ragged rank less 1."""
    rows = []
    for start, limit in pairwise(splits[0].tolist()):
        inner = []
        for nested in splits[1:]:
            inner.append(nested[start : limit + 1] - nested[start])
            start, limit = int(nested[start]), int(nested[limit])
        rows.append(RaggedVariant(tuple(inner), values[start:limit]))
    return rows


@op(
    "RaggedTensorToVariant[Tvalues, Tsplits: index = int64](rt_nested_splits: RAGGED_RANK * Tsplits, "
    "rt_dense_values: Tvalues, *, batched_input: bool) -> (encoded_ragged: variant)",
    shape=lambda rt_nested_splits, rt_dense_values, *, batched_input: (
        (_rows_length(rt_nested_splits[0]) if rt_nested_splits else (rt_dense_values.dims or (None,))[0],)
        if batched_input
        else ()
    ),
    host_only=True,
)
def ragged_tensor_to_variant(
    xp: Any, rt_nested_splits: list[np.ndarray], rt_dense_values: np.ndarray, *, batched_input: bool
) -> np.ndarray:
    if not batched_input:
        return _variants([RaggedVariant(tuple(rt_nested_splits), rt_dense_values)], ())
    if rt_nested_splits:
        _checked_splits(rt_nested_splits, len(rt_dense_values))
        rows = _rows_of(rt_nested_splits, rt_dense_values)
    else:
        rows = [RaggedVariant((), row) for row in rt_dense_values]
    return _variants(rows, (len(rows),))


@ragged_tensor_to_variant.gradient
def _(call: Any, encoded: Tensor) -> tuple[Tensor | None, ...]:
    *splits, values = call.inputs
    if not splits and not call["batched_input"]:
        outer = convert_to_tensor(np.array([0], np.int64))
    elif not call["batched_input"]:
        outer = convert_to_tensor(np.array([0], splits[0].dtype.np_dtype))
    else:
        outer = splits[0] if splits else raw.Range(0, raw.Shape(values)[0] + 1, 1)
    gradient = raw.RaggedTensorToVariantGradient(encoded, outer, raw.Shape(values), Tvalues=values.dtype)
    return (*(None for _ in splits), gradient)


@op(
    "RaggedTensorToVariantGradient[Tsplits: index = int64](encoded_ragged_grad: variant, row_splits: Tsplits, "
    "dense_values_shape: int32, *, Tvalues: type) -> (dense_values_grad: Tvalues)",
    shape=lambda encoded_ragged_grad, row_splits, dense_values_shape, *, Tvalues: dims_from_value(dense_values_shape),
    host_only=True,
)
def ragged_tensor_to_variant_gradient(
    xp: Any, encoded_ragged_grad: np.ndarray, row_splits: np.ndarray, dense_values_shape: np.ndarray, *, Tvalues: DType
) -> np.ndarray:
    dims = tuple(dense_values_shape.tolist())
    parts = [
        item.values.reshape(-1) if isinstance(item, RaggedVariant) else np.zeros(0, Tvalues.np_dtype)
        for item in _elements(encoded_ragged_grad)
    ]
    values = np.concatenate([np.zeros(0, Tvalues.np_dtype), *parts])
    return values.reshape(dims) if values.size else np.zeros(dims, Tvalues.np_dtype)


ragged_tensor_to_variant_gradient.gradient(None)


def _from_variant_dims(
    encoded_ragged: Tensor, *, input_ragged_rank: int, output_ragged_rank: int, Tvalues: DType, Tsplits: DType
) -> list[Dims]:
    if encoded_ragged.ndim is not None and input_ragged_rank not in (-1, output_ragged_rank - encoded_ragged.ndim):
        raise ValueError(
            f"output_ragged_rank must be {encoded_ragged.ndim + input_ragged_rank}, the rank of encoded_ragged and "
            f"input_ragged_rank together; not {output_ragged_rank}"
        )
    return [*[(None,)] * output_ragged_rank, None]


@op(
    "RaggedTensorFromVariant(encoded_ragged: variant, *, input_ragged_rank: int, output_ragged_rank: int, Tvalues: type, "
    "Tsplits: type(index) = int64) "
    "-> (output_nested_splits: output_ragged_rank * Tsplits, output_dense_values: Tvalues)",
    shape=_from_variant_dims,
    host_only=True,
)
def ragged_tensor_from_variant(
    xp: Any,
    encoded_ragged: np.ndarray,
    *,
    input_ragged_rank: int,
    output_ragged_rank: int,
    Tvalues: DType,
    Tsplits: DType,
) -> list[np.ndarray]:
    dims = np.shape(encoded_ragged)
    items = _elements(encoded_ragged)
    rank = output_ragged_rank - len(dims) if input_ragged_rank < 0 else input_ragged_rank
    if rank < 0 or rank + len(dims) != output_ragged_rank:
        raise InvalidArgumentError(
            f"output_ragged_rank must be {len(dims)} + input_ragged_rank, but they are {output_ragged_rank} and "
            f"{input_ragged_rank}"
        )
    for item in items:
        if not isinstance(item, RaggedVariant):
            raise InvalidArgumentError("Input Variant element doesn't hold a RaggedTensor")
        if len(item.nested_splits) != rank or item.values.dtype != Tvalues.np_dtype:
            raise InvalidArgumentError(
                f"Expected ragged tensors of {Tvalues.name} of the ragged rank {rank}, but one has {item.values.dtype} and "
                f"{len(item.nested_splits)}"
            )
    if not dims:
        return [*(splits.astype(Tsplits.np_dtype) for splits in items[0].nested_splits), items[0].values]
    outputs = [np.arange(int(np.prod(dims[:level])) + 1) * dims[level] for level in range(1, len(dims))]
    inner = [[item.nested_splits[level] for item in items] for level in range(rank)]
    lengths = [len(item.nested_splits[0]) - 1 if rank else len(item.values) for item in items]
    outputs.append(splits_of(np.array(lengths, np.int64), np.int64))
    for nested in inner:
        outputs.append(splits_of(np.concatenate([np.zeros(0, np.int64), *map(np.diff, nested)]), np.int64))
    values = np.concatenate([item.values for item in items]) if items else np.zeros(0, Tvalues.np_dtype)
    return [*(splits.astype(Tsplits.np_dtype) for splits in outputs), values]


def _element(array: Any) -> Any:
    """What a variant scalar holds: NumPy hands zero-dimensional object arrays around bare at times."""
    return array[()] if isinstance(array, np.ndarray) else array


@ragged_tensor_from_variant.gradient
def _(call: Any, *flowing: Tensor) -> Tensor:
    *splits, _ = call.outputs
    rank = call.inputs[0].ndim
    if rank not in (0, 1):
        raise InvalidArgumentError("RaggedTensorFromVariant has gradients for scalars and vectors of variants only.")
    return raw.RaggedTensorToVariant(splits, flowing[-1], batched_input=rank == 1)


# ------------------------------------------------------------------------------------------------- rows without values


def _filled_dims(value_rowids: Tensor, values: Tensor, nrows: Tensor, default_value: Tensor) -> list[Dims]:
    with_rank(default_value, 0, "default_value")
    with_rank(nrows, 0, "nrows")
    with_rank(values, 1, "values")
    count = constant_value(nrows)
    return [(None,), (None,), (None if count is None else int(count),), with_rank(value_rowids, 1, "value_rowids")]


@op(
    "RaggedFillEmptyRows[T](value_rowids: int64, values: T, nrows: int64, default_value: T) "
    "-> (output_value_rowids: int64, output_values: T, empty_row_indicator: bool, reverse_index_map: int64)",
    shape=_filled_dims,
    host_only=True,
)
def ragged_fill_empty_rows(
    xp: Any, value_rowids: np.ndarray, values: np.ndarray, nrows: np.ndarray, default_value: np.ndarray
) -> list[np.ndarray]:
    for what, given, rank in (("value_rowids", value_rowids, 1), ("values", values, 1), ("nrows", nrows, 0)):
        if np.ndim(given) != rank:
            raise ValueError(f"{what} must have rank {rank}, but its shape is {np.shape(given)}")
    if np.ndim(default_value):
        raise ValueError(f"default_value must be a scalar, but its shape is {np.shape(default_value)}")
    if len(values) != len(value_rowids):
        raise InvalidArgumentError(f"There are {len(values)} values, but {len(value_rowids)} value_rowids")
    count = int(nrows)
    if count == 0 and len(value_rowids):
        raise InvalidArgumentError(
            f"Received tensor with dense_shape[0] = 0 but value_rowids has {len(value_rowids)} rows"
        )
    bad = np.flatnonzero((value_rowids < 0) | (value_rowids >= count))
    if bad.size:
        raise InvalidArgumentError(
            f"value_rowids[{bad[0]}] = {value_rowids[bad[0]]} is not in [0, {count}), the number of rows"
        )
    empty = np.bincount(value_rowids, minlength=count) == 0
    # Rows in order, in each its values in their own order; an empty one has the default.
    rows = np.concatenate([value_rowids, np.flatnonzero(empty)])
    filling = np.empty(int(empty.sum()), values.dtype)
    filling[:] = default_value if values.dtype != object else _element(default_value)
    order = np.argsort(rows, kind="stable")
    places = np.empty(len(rows), np.int64)
    places[order] = np.arange(len(rows))
    return [rows[order], np.concatenate([values, filling])[order], empty, places[: len(values)]]


@ragged_fill_empty_rows.gradient
def _(call: Any, rowids: Tensor, values: Tensor, empty: Tensor, reverse: Tensor) -> tuple[Tensor | None, ...]:
    of_values, of_default = raw.RaggedFillEmptyRowsGrad(call.outputs[3], values)
    return None, of_values, None, of_default


@op(
    "RaggedFillEmptyRowsGrad[T](reverse_index_map: int64, grad_values: T) -> (d_values: T, d_default_value: T)",
    shape=lambda reverse_index_map, grad_values: [reverse_index_map.dims, ()],
    host_only=True,
)
def ragged_fill_empty_rows_grad(
    xp: Any, reverse_index_map: np.ndarray, grad_values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if reverse_index_map.ndim != 1 or grad_values.ndim != 1:
        raise ValueError("reverse_index_map and grad_values must be vectors")
    bad = np.flatnonzero((reverse_index_map < 0) | (reverse_index_map >= len(grad_values)))
    if bad.size:
        raise InvalidArgumentError(
            f"Elements in reverse index must be in [0, {len(grad_values)}) but got {reverse_index_map[bad[0]]}"
        )
    others = np.ones(len(grad_values), bool)
    others[reverse_index_map] = False
    return grad_values[reverse_index_map], np.sum(grad_values[others], dtype=grad_values.dtype)


ragged_fill_empty_rows_grad.gradient(None)
