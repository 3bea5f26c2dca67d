"""What feature columns need of sparse tensors: rows filled, features crossed and counted, embeddings reduced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from modtf.core.api.arguments import host
from modtf.core.api.sparse.structure import checked
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import Tensor

__all__ = ["bincount", "cross", "cross_hashed", "fill_empty_rows", "segment_mean", "segment_sqrt_n", "segment_sum"]


def fill_empty_rows(sp_input: Any, default_value: Any, name: str | None = None) -> tuple[SparseTensor, Tensor]:
    """Gives each row without elements one, in the first column.

    Args:
        sp_input: A sparse matrix.
        default_value: The element.
        name: A name for the graph node.

    Returns:
        The sparse matrix, its rows in order, and which rows were empty (bool [rows]).
    """
    sparse = checked(sp_input)
    default = convert_to_tensor(default_value, dtype=sparse.dtype)
    indices, values, empty, _ = raw.SparseFillEmptyRows(
        sparse.indices, sparse.values, sparse.dense_shape, default, name=name
    )
    made = SparseTensor(indices, values, sparse.dense_shape)
    made.set_shape(sparse.shape)
    return made, empty


# ------------------------------------------------------------------------------------------------- crosses


def cross(inputs: Sequence[Any], name: str | None = None, separator: Any = None) -> SparseTensor:
    """Crosses features: for each row, all combinations of one feature from each input, joined as text.

    Args:
        inputs: Sparse or dense matrices of strings or integers, with equal numbers of rows.
        name: A name for the graph node.
        separator: What is put between; by default `"_X_"`.

    Returns:
        A sparse matrix of strings. Sparse inputs come first in each combination, and the last one changes fastest.
    """
    indices, values, shapes, dense = _sorted_inputs(inputs)
    between = convert_to_tensor("_X_" if separator is None else separator, dtype=dtypes.string)
    return SparseTensor(*raw.SparseCrossV2(indices, values, shapes, dense, between, name=name))


def cross_hashed(
    inputs: Sequence[Any], num_buckets: int = 0, hash_key: int | None = None, name: str | None = None
) -> SparseTensor:
    """Crosses features as `cross` does, and gives for each combination a hash.

    Args:
        inputs: Sparse or dense matrices of strings or integers, with equal numbers of rows.
        num_buckets: The hashes are below this; 0 for any int64.
        hash_key: Where hashing starts; other keys give other hashes.
        name: A name for the graph node.

    Returns:
        A sparse matrix of int64.
    """
    indices, values, shapes, dense = _sorted_inputs(inputs)
    has_numbers = any(tensor.dtype is dtypes.int64 for tensor in (*values, *dense))
    return SparseTensor(
        *raw.SparseCross(
            indices, values, shapes, dense,
            hashed_output=True, num_buckets=num_buckets, hash_key=hash_key or _HASH_KEY, out_type=dtypes.int64,
            internal_type=dtypes.int64 if has_numbers else dtypes.string, name=name,
        )
    )  # fmt: skip


_HASH_KEY = 0xDECAFCAFFE


def _sorted_inputs(inputs: Any) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]:
    if not isinstance(inputs, (list, tuple)) or not all(isinstance(item, (Tensor, SparseTensor)) for item in inputs):
        raise TypeError(f"The inputs must be a list of tensors and SparseTensors, not {inputs!r}.")
    sparse = [item for item in inputs if isinstance(item, SparseTensor)]
    dense = [_wide(item) for item in inputs if not isinstance(item, SparseTensor)]
    return [x.indices for x in sparse], [_wide(x.values) for x in sparse], [x.dense_shape for x in sparse], dense


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype in (dtypes.string, dtypes.int64) else raw.Cast(tensor, DstT=dtypes.int64)


# ------------------------------------------------------------------------------------------------- counts


def bincount(
    values: Any,
    weights: Any = None,
    axis: int | None = 0,
    minlength: int | None = None,
    maxlength: int | None = None,
    binary_output: bool = False,
    name: str | None = None,
) -> SparseTensor:
    """Counts how often each number occurs, as a sparse tensor.

    Args:
        values: A tensor, or a ragged or sparse one, of int32 or int64 from 0.
        weights: What each number counts for instead of 1; of the same kind and shape as `values`.
        axis: 0 counts all together, -1 each row by itself.
        minlength: The result has at least as many columns.
        maxlength: It has at most as many; numbers not below it are left out.
        binary_output: Whether to tell with 1 that a number occurs, instead of how often.
        name: A name for the graph node.

    Returns:
        A sparse tensor [numbers] or [rows, numbers], of int64 or the dtype of `weights`.

    Raises:
        ValueError: Both `weights` and `binary_output` are given, or the axis is another.
    """
    if weights is not None and binary_output:
        raise ValueError("weights and binary_output exclude each other.")
    if axis not in (None, 0, -1):
        raise ValueError(f"axis must be 0 or -1, not {axis}.")
    attrs = {
        "minlength": -1 if minlength is None else minlength,
        "maxlength": -1 if maxlength is None else maxlength,
        "binary_output": binary_output,
        "name": name,
    }
    if isinstance(values, SparseTensor):
        weighing = weights_of(values, weights)
        if axis == -1:
            made = raw.SparseCountSparseOutput(values.indices, values.values, values.dense_shape, weighing, **attrs)
        else:
            made = raw.DenseCountSparseOutput(values.values, weighing, **attrs)
        return SparseTensor(*made)
    if hasattr(values, "row_splits"):
        flat, splits = values.values, values.row_splits
        weighing = _none_of(flat) if weights is None else weights.values
        if axis == -1:
            made = raw.RaggedCountSparseOutput(raw.Cast(splits, DstT=dtypes.int64), flat, weighing, **attrs)
        else:
            made = raw.DenseCountSparseOutput(flat, weighing, **attrs)
        return SparseTensor(*made)
    numbers = convert_to_tensor(values)
    weighing = _none_of(numbers) if weights is None else convert_to_tensor(weights)
    if axis != -1:
        numbers, weighing = raw.Reshape(numbers, [-1]), raw.Reshape(weighing, [-1])
    return SparseTensor(*raw.DenseCountSparseOutput(numbers, weighing, **attrs))


def _none_of(numbers: Tensor) -> Tensor:
    return convert_to_tensor([], dtype=numbers.dtype)


def weights_of(values: SparseTensor, weights: Any) -> Tensor:
    if weights is None:
        return _none_of(values.values)
    if not isinstance(weights, SparseTensor):
        raise ValueError(f"weights must be a SparseTensor as values are, not {weights!r}.")
    from modtf.core.api.debugging import assert_equal

    for what, ours, theirs in (
        ("shapes", values.dense_shape, weights.dense_shape),
        ("indices", values.indices, weights.indices),
    ):
        if ours is not theirs:
            assert_equal(ours, theirs, message=f"weights and values must have the same {what}.")
    return weights.values


# ------------------------------------------------------------------------------------------------- embeddings


def _segment(kind: str, name: str, what: str) -> Callable[..., Tensor]:
    def function(
        data: Any, indices: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None,
        sparse_gradient: bool = False,
    ) -> Tensor:  # fmt: skip
        if num_segments is None:
            op = getattr(raw, f"SparseSegment{kind}")
            return op(data, indices, segment_ids, sparse_gradient=sparse_gradient, name=name)
        op = getattr(raw, f"SparseSegment{kind}WithNumSegments")
        return op(data, indices, segment_ids, host(num_segments), sparse_gradient=sparse_gradient, name=name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Returns the {what} of the rows that indices name, segment by segment.

    It is `tf.math.segment_{name[8:]}` of `tf.gather(data, indices)`, in one.

    Args:
        data: A tensor, whose rows are taken.
        indices: The numbers of the rows, a vector.
        segment_ids: The segment of each, a vector as long, ascending from 0.
        num_segments: The number of segments; by default up to the last one that occurs.
        name: A name for the graph node.
        sparse_gradient: Whether the gradient of `data` shall be an `IndexedSlices`.

    Returns:
        A tensor with a row for each segment, 0 where one has no rows.

    Raises:
        InvalidArgumentError: An index is outside of `data`, or the segments do not ascend.
    """
    return function


segment_sum = _segment("Sum", "segment_sum", "sum")
segment_mean = _segment("Mean", "segment_mean", "mean")
segment_sqrt_n = _segment("SqrtN", "segment_sqrt_n", "sum, divided by the root of their number,")
