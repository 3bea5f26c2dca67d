"""Arithmetic with sparse tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.api.arguments import host
from modtf.core.api.sparse.structure import checked
from modtf.core.engine import raw
from modtf.core.values import dtypes, nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "add", "map_values", "maximum", "minimum", "reduce_max", "reduce_sum", "sampled_addmm", "softmax", "sparse_dense_matmul",
]  # fmt: skip


def add(a: Any, b: Any, threshold: Any = 0) -> Any:
    """Returns the sum of two sparse tensors, or of a sparse and a dense one, of the same shape.

    Args:
        a: A sparse tensor, or a tensor if `b` is sparse.
        b: The other one.
        threshold: Of two sparse tensors: sums of elements that both have are left out where they are smaller, in
            magnitude, than this; 0 keeps all.

    Returns:
        A sparse tensor, or a tensor if one of the two is.

    Raises:
        TypeError: Neither is sparse.
        InvalidArgumentError: Their shapes differ.
    """
    if not isinstance(a, SparseTensor) and not isinstance(b, SparseTensor):
        raise TypeError("At least one of a and b must be a SparseTensor; tf.add is for tensors.")
    if not isinstance(b, SparseTensor):
        return raw.SparseTensorDenseAdd(a.indices, a.values, a.dense_shape, b)
    if not isinstance(a, SparseTensor):
        return raw.SparseTensorDenseAdd(b.indices, b.values, b.dense_shape, a)
    limit = convert_to_tensor(threshold, dtype=a.dtype.real_dtype)
    made = SparseTensor(*raw.SparseAdd(a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, limit))
    made.set_shape(a.shape.merge_with(b.shape))
    return made


def sparse_dense_matmul(
    sp_a: Any, b: Any, adjoint_a: bool = False, adjoint_b: bool = False, name: str | None = None
) -> Tensor:
    """Returns the product of a sparse matrix and a dense one, in either order.

    Args:
        sp_a: A sparse matrix [m, k], or a dense one if `b` is sparse.
        b: The right-hand matrix [k, n].
        adjoint_a: Whether the left-hand matrix is conjugated and transposed first.
        adjoint_b: The same of the right-hand matrix.
        name: A name for the graph node.

    Returns:
        A dense matrix [m, n].
    """
    if isinstance(b, SparseTensor):  # A @ B is the adjoint of B^H @ A^H
        same = adjoint_a == adjoint_b
        product = sparse_dense_matmul(b, sp_a, adjoint_a != same, adjoint_b != same)
        return raw.Transpose(product, [1, 0], name=name)
    left = checked(sp_a)
    return raw.SparseTensorDenseMatMul(
        left.indices, left.values, left.dense_shape, b, adjoint_a=adjoint_a, adjoint_b=adjoint_b, name=name
    )


def maximum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """Returns the larger of two sparse tensors' elements at each coordinate that either has; the other counts as 0.

    Args:
        sp_a: A sparse tensor.
        sp_b: A sparse tensor of the same shape.
        name: A name for the graph node.
    """
    return _extreme(raw.SparseSparseMaximum, sp_a, sp_b, name)


def minimum(sp_a: Any, sp_b: Any, name: str | None = None) -> SparseTensor:
    """Returns the smaller of two sparse tensors' elements at each coordinate that either has; the other counts as 0.

    Args:
        sp_a: A sparse tensor.
        sp_b: A sparse tensor of the same shape.
        name: A name for the graph node.
    """
    return _extreme(raw.SparseSparseMinimum, sp_a, sp_b, name)


def _extreme(op: Any, sp_a: Any, sp_b: Any, name: str | None) -> SparseTensor:
    a, b = checked(sp_a), checked(sp_b)
    indices, values = op(a.indices, a.values, a.dense_shape, b.indices, b.values, b.dense_shape, name=name)
    made = SparseTensor(indices, values, a.dense_shape)
    made.set_shape(a.shape)
    return made


def softmax(sp_input: Any, name: str | None = None) -> SparseTensor:
    """Returns the softmax over the last axis of the elements that are given; the others stay absent.

    Args:
        sp_input: A sparse tensor of rank 2 or more, of floats.
        name: A name for the graph node.
    """
    sparse = checked(sp_input)
    return sparse.with_values(raw.SparseSoftmax(sparse.indices, sparse.values, sparse.dense_shape, name=name))


def reduce_sum(
    sp_input: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Returns the sum of a sparse tensor's elements over axes.

    Args:
        sp_input: A sparse tensor.
        axis: An axis or several; `None` for all.
        keepdims: Whether the reduced axes remain, with size 1.
        output_is_sparse: Whether the result shall be a sparse tensor.
        name: A name for the graph node.
    """
    op = raw.SparseReduceSumSparse if output_is_sparse else raw.SparseReduceSum
    return _reduced(op, sp_input, axis, keepdims, output_is_sparse, name)


def reduce_max(
    sp_input: Any,
    axis: Any = None,
    keepdims: bool | None = None,
    output_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    """Returns the largest of the elements that a sparse tensor gives, over axes; 0 where it gives none.

    Args:
        sp_input: A sparse tensor.
        axis: An axis or several; `None` for all.
        keepdims: Whether the reduced axes remain, with size 1.
        output_is_sparse: Whether the result shall be a sparse tensor.
        name: A name for the graph node.
    """
    op = raw.SparseReduceMaxSparse if output_is_sparse else raw.SparseReduceMax
    return _reduced(op, sp_input, axis, keepdims, output_is_sparse, name)


def _reduced(op: Any, sp_input: Any, axis: Any, keepdims: bool | None, is_sparse: bool, name: str | None) -> Any:
    sparse = checked(sp_input)
    if axis is None:
        rank = sparse.shape.rank
        axis = raw.Range(0, raw.Size(sparse.dense_shape), 1) if rank is None else list(range(rank))
    parts = op(sparse.indices, sparse.values, sparse.dense_shape, host(axis), keep_dims=bool(keepdims), name=name)
    return SparseTensor(*parts) if is_sparse else parts


def map_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> SparseTensor:
    """Applies a function to the values of sparse tensors, element by element.

    Args:
        op: A function of tensors that gives a tensor with as many elements.
        *args: What it is given; sparse tensors are given by their values. They have equal coordinates and shapes.
        **kwargs: The same, by name.

    Returns:
        A sparse tensor with the results at the same coordinates.

    Raises:
        ValueError: There is no sparse tensor among the arguments.
        InvalidArgumentError: Their coordinates or shapes differ.
    """
    found = [item for item in nest.flatten((args, kwargs)) if isinstance(item, SparseTensor)]
    if not found:
        raise ValueError("There is no SparseTensor among the arguments of map_values.")
    for other in found[1:]:
        from modtf.core.api.debugging import assert_equal

        assert_equal(found[0].dense_shape, other.dense_shape, message="The shapes differ.")
        assert_equal(found[0].indices, other.indices, message="The coordinates differ.")

    def values_of(item: Any) -> Any:
        return item.values if isinstance(item, SparseTensor) else item

    return found[0].with_values(op(*nest.map_structure(values_of, args), **nest.map_structure(values_of, kwargs)))


def sampled_addmm(
    indices: Any,
    values: Any,
    dense_shape: Any,
    mat1: Any,
    mat2: Any,
    beta: Any = 1.0,
    alpha: Any = 1.0,
    output_type: Any = dtypes.float32,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns `alpha * (mat1 @ mat2) + beta * values` at some coordinates.

    Args:
        indices: The coordinates, [..., n, 2].
        values: The elements to add to, [..., n].
        dense_shape: The shape of the product of two matrices.
        mat1: Matrices [..., m, k].
        mat2: Matrices [..., k, n].
        beta: What `values` are multiplied by.
        alpha: What the product is multiplied by.
        output_type: The dtype to compute in.

    Returns:
        `indices`, the new values and `dense_shape`.

    Raises:
        ValueError: `dense_shape` is not that of the product.
    """
    from modtf.core.api.selecting import gather_nd
    from modtf.core.engine.shape_rules import constant_value

    at = convert_to_tensor(indices)
    left, right, start = (convert_to_tensor(item, dtype=dtypes.as_dtype(output_type)) for item in (mat1, mat2, values))
    shape = convert_to_tensor(dense_shape, dtype=dtypes.int32)
    known = constant_value(shape)
    if known is not None and None not in (left.dims, right.dims):
        rows, columns = left.shape[-2], right.shape[-1]
        if any(size is not None and size != given for size, given in zip((rows, columns), known[-2:], strict=True)):
            raise ValueError(f"dense_shape {known.tolist()} is not the shape of the product, ({rows}, {columns}).")
    rank = left.ndim
    if rank is None:
        raise ValueError("The rank of mat1 must be known.")
    product = raw.MatMul(left, right) if rank == 2 else raw.BatchMatMulV2(left, right)
    taken = gather_nd(product, at, batch_dims=rank - 2)
    factors = [
        np.asarray(factor, left.dtype.np_dtype) if not isinstance(factor, Tensor) else factor
        for factor in (alpha, beta)
    ]
    return at, taken * factors[0] + start * factors[1], shape
