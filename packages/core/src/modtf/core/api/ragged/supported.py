"""The public functions that take ragged tensors, beside those of elements; imported when one is first given."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from modtf.core.api import array, linalg, nn, rearranging, segments, selecting
from modtf.core.api.dispatch import implements
from modtf.core.api.ragged import gathering, joining, reducing, shaping
from modtf.core.api.ragged.broadcasting import aligned, converted, to_ragged_or_tensor
from modtf.core.api.ragged.checks import require
from modtf.core.api.ragged.gathering import partitioned
from modtf.core.engine import raw
from modtf.core.values.ragged import DynamicRaggedShape, RaggedTensor
from modtf.core.values.ragged.tensor import normal_axis
from modtf.core.values.tensors import Tensor

_BY_NAME = {
    array: {
        joining: "concat expand_dims split squeeze stack",
        shaping: "broadcast_dynamic_shape broadcast_to fill ones rank reshape shape size zeros",
    },
    rearranging: {joining: "reverse tile"},
    selecting: {gathering: "gather gather_nd where"},
}
for _module, _sources in _BY_NAME.items():
    for _source, _names in _sources.items():
        for _name in _names.split():
            implements(getattr(_module, _name), RaggedTensor, DynamicRaggedShape)(getattr(_source, _name))
for _function, _ragged in {**reducing.REDUCTIONS, **reducing.AGGREGATES, nn.softmax: reducing.softmax}.items():
    implements(_function, RaggedTensor)(_ragged)


@implements(array.one_hot, RaggedTensor)
def _(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: Any = None, dtype: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    rank = indices.shape.rank
    if axis is not None and axis != -1:
        axis = normal_axis(axis, None if rank is None else rank + 1, "axis") - indices.ragged_rank
        if axis <= 0:
            raise ValueError(f"axis must be greater than indices.ragged_rank, {indices.ragged_rank}.")
    return indices.with_flat_values(array.one_hot(indices.flat_values, depth, on_value, off_value, axis, dtype))


@implements(nn.dropout, RaggedTensor)
def _(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None) -> Any:
    if noise_shape is not None:
        raise ValueError("noise_shape is not supported yet for RaggedTensor x")
    return x.with_flat_values(nn.dropout(x.flat_values, rate, seed=seed))


@implements(nn.embedding_lookup, RaggedTensor)
def _(params: Any, ids: Any, max_norm: Any = None, name: str | None = None) -> Any:
    return ids.with_flat_values(nn.embedding_lookup(params, ids.flat_values, max_norm))


@implements(segments.bincount, RaggedTensor)
def _(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = "int32",
    name: str | None = None, axis: int | None = None, binary_output: bool = False,
) -> Any:  # fmt: skip
    if axis not in (None, 0, -1):
        raise ValueError(f"Unsupported value for argument axis={axis}. Only 0 and -1 are currently supported.")
    numbers = arr.flat_values
    weighing = weights.flat_values if isinstance(weights, RaggedTensor) else weights
    if axis == -1 and arr.ragged_rank == 1:
        rows = raw.Cast(arr.value_rowids(), DstT=numbers.dtype)
        largest = raw.Max(raw.ConcatV2([numbers, np.array([-1], numbers.dtype.np_dtype)], 0), 0)
        length = largest + 1 if minlength is None else raw.Maximum(largest + 1, minlength)
        size = length if maxlength is None else raw.Minimum(length, maxlength)
        # Each row counts in a stretch of its own; what is beyond the stretch goes behind all of them.
        total = arr.nrows(numbers.dtype) * size
        places = raw.SelectV2(raw.Less(numbers, size), rows * size + numbers, total)
        counts = segments.bincount(places, weighing, total, total, dtype, axis=0, binary_output=binary_output)
        return raw.Reshape(counts, raw.Pack([arr.nrows(numbers.dtype), size]))
    along = 0 if binary_output else None
    return segments.bincount(numbers, weighing, minlength, maxlength, dtype, axis=along, binary_output=binary_output)


@implements("modtf.core.api.sorting.dynamic_partition", RaggedTensor)
def _(data: Any, partitions: Any, num_partitions: int, name: str | None = None) -> list[Any]:
    if not isinstance(num_partitions, int) or num_partitions < 0:
        raise ValueError(f"num_partitions must be a non-negative int, not {num_partitions!r}.")
    stacked = gathering.stack_dynamic_partitions(data, partitions, num_partitions)
    return [stacked[index] for index in range(num_partitions)]


@implements("modtf.core.api.assertions._compare", RaggedTensor)
def _(op: str, sign: str, x: Any, y: Any, *others: Any) -> Any:
    return import_module("modtf.core.api.assertions")._compare(op, sign, *aligned(converted([x, y])).values, *others)


@implements("modtf.core.api.assertions.assert_near", RaggedTensor)
def _(x: Any, y: Any, *others: Any, **named: Any) -> Any:
    values = aligned(converted([x, y])).values
    return import_module("modtf.core.api.assertions").assert_near(*values, *others, **named)


# ------------------------------------------------------------------------------------------------- products


@implements(linalg.matmul, RaggedTensor)
def _(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False, adjoint_b: bool = False,
    a_is_sparse: bool = False, b_is_sparse: bool = False, output_type: Any = None, name: str | None = None,
) -> Any:  # fmt: skip
    """Multiplies the matrices of two batches, each of which may have another number of rows and columns."""
    a, b = to_ragged_or_tensor(a), to_ragged_or_tensor(b)
    rank = a.shape.rank
    if rank is None or rank != b.shape.rank:
        raise ValueError(
            f"`a` and `b` must have the same rank if either is ragged; their ranks are {rank} and {b.shape.rank}."
        )
    if rank < 2:
        raise ValueError("`a` and `b` must have rank at least 2.")
    options = {
        "transpose_a": transpose_a, "transpose_b": transpose_b, "adjoint_a": adjoint_a, "adjoint_b": adjoint_b,
        "output_type": output_type,
    }  # fmt: skip
    if rank == 2:
        return linalg.matmul(_matrix(a), _matrix(b), **options)
    return _products(a, b, options)


def _dense(value: Any) -> Tensor:
    return value.to_tensor() if isinstance(value, RaggedTensor) else value


def _matrix(value: Any) -> Tensor:
    """A ragged tensor whose rows have one length as a tensor."""
    if isinstance(value, RaggedTensor):
        lengths = value.row_lengths()
        same = raw.Equal(lengths[1:], lengths[:-1])
        require(
            same, "The matrices in `a` and `b` may not be ragged in their innermost dimension", {"row lengths": lengths}
        )
    return _dense(value)


def _products(a: Any, b: Any, options: dict[str, Any]) -> Any:
    dtype = next(value.row_partition.dtype for value in (a, b) if isinstance(value, RaggedTensor))
    if a.shape.rank > 3:
        a, b = partitioned(a, 1, dtype), partitioned(b, 1, dtype)
        require(
            raw.Equal(a.row_splits, b.row_splits, incompatible_shape_error=False),
            "The batches of `a` and `b` are not the same",
            {"a": a.row_splits, "b": b.row_splits},
        )
        return RaggedTensor(_products(a.values, b.values, options), a.row_partition)
    sizes = [_Matrices(a, options["transpose_a"] or options["adjoint_a"], dtype)]
    sizes.append(_Matrices(b, options["transpose_b"] or options["adjoint_b"], dtype))
    inner = [sizes[0].lengths[1], sizes[1].lengths[0]]
    require(raw.Equal(*inner), "Matrix size-incompatible", {"columns of a": inner[0], "rows of b": inner[1]})
    # What pads the matrices is zero and adds nothing; what it makes of the product is cut off again.
    product = linalg.matmul(_dense(a), _dense(b), **options)
    if None not in (sizes[0].static[0], sizes[1].static[1]):
        return product
    rows = RaggedTensor.from_tensor(product, lengths=sizes[0].lengths[0], row_splits_dtype=dtype)
    if sizes[0].static[0] is not None:
        rows = RaggedTensor(rows.values, rows.row_partition.with_uniform_row_length(sizes[0].static[0]))
    if sizes[1].static[1] is not None:
        return rows
    columns = raw.GatherV2(sizes[1].lengths[1], rows.value_rowids(), 0)
    return RaggedTensor(
        RaggedTensor.from_tensor(rows.values, lengths=columns, row_splits_dtype=dtype), rows.row_partition
    )


class _Matrices:
    """The numbers of rows and columns of a batch of matrices.

    Attributes:
        lengths: Those of each matrix, two vectors.
        static: Those of all, where they are known to be the same.
    """

    def __init__(self, value: Any, transposed: bool, dtype: Any) -> None:
        count = raw.Shape(value, out_type=dtype)[:1] if isinstance(value, Tensor) else raw.ExpandDims(value.nrows(), 0)
        ragged = partitioned(value, 2, dtype)
        rows, widths = ragged.row_lengths(), ragged.values.row_lengths()
        owner = ragged.value_rowids()
        width = raw.Maximum(raw.UnsortedSegmentMax(widths, owner, count[0]), rows * 0)
        require(
            raw.Equal(widths, raw.GatherV2(width, owner, 0)),
            "The matrices in `a` and `b` may not be ragged in their innermost dimension",
            {"row lengths": widths},
        )
        if value.shape[2] is not None:  # so it is for matrices without rows as well
            width = rows * 0 + value.shape[2]
        turn = -1 if transposed else 1
        self.lengths = [rows, width][::turn]
        self.static = value.shape.as_list()[1:][::turn]
