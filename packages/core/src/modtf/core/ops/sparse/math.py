"""Arithmetic with sparse tensors: with each other, with dense tensors, products, softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.array.gathering import scatter
from modtf.core.ops.common import conj, shape_of
from modtf.core.ops.kinds import is_complex, is_integer
from modtf.core.ops.math.segments import _MAX, _SUM
from modtf.core.ops.sparse.coordinates import (
    ascending,
    check_inside,
    check_parts,
    linear,
    parts_dims,
    places_among,
    sparse_dims,
    starts_of_groups,
    whole_dims,
)  # fmt: skip
from modtf.core.ops.sparse.structure import taken_or_zero
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- sparse with sparse


def _check_same(a_shape: np.ndarray, b_shape: np.ndarray) -> None:
    if a_shape.shape != b_shape.shape or (a_shape != b_shape).any():
        raise InvalidArgumentError(f"Operands' shapes do not match: got {a_shape.tolist()} and {b_shape.tolist()}")


def _union(a_indices: np.ndarray, b_indices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The coordinates of either in ascending order, and for each where it is in `a` and in `b`, -1 if nowhere."""
    both = np.concatenate([a_indices, b_indices])
    ordered = both[ascending(both)]
    rows = ordered[starts_of_groups(ordered)] if both.shape[1] else both[:1]
    return rows, places_among(rows, a_indices), places_among(rows, b_indices)


def _two_dims(*parts: Tensor) -> tuple[int | None, int | None, int | None]:
    """The counts of two sparse tensors, and their common rank."""
    (a_count, a_rank), (b_count, b_rank) = parts_dims(*parts[:3]), parts_dims(*parts[3:6])
    (rank,) = merged((a_rank,), (b_rank,)) or (None,)
    return a_count, b_count, rank


@op(
    "SparseAdd[T: number|quantized, Treal: real](a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, "
    "b_shape: int64, thresh: Treal) -> (sum_indices: int64, sum_values: T, sum_shape: int64)",
    shape=lambda *parts: sparse_dims(_two_dims(*parts)[2]),
    host_only=True,
)
def sparse_add(
    xp: Any,
    a_indices: np.ndarray, a_values: np.ndarray, a_shape: np.ndarray,
    b_indices: np.ndarray, b_values: np.ndarray, b_shape: np.ndarray,
    thresh: np.ndarray,
) -> Any:  # fmt: skip
    check_parts(a_indices, a_values, a_shape, "first ")
    check_parts(b_indices, b_values, b_shape, "second ")
    _check_same(a_shape, b_shape)
    if thresh.ndim:
        raise InvalidArgumentError(f"The magnitude threshold must be a scalar, not of shape {list(thresh.shape)}")
    rows, in_a, in_b = _union(a_indices, b_indices)
    total = taken_or_zero(a_values, in_a) + taken_or_zero(b_values, in_b)
    kept = (np.abs(total) >= thresh) | (in_a < 0) | (in_b < 0)  # what only one of them has is never dropped
    return rows[kept], total[kept], a_shape


@sparse_add.gradient
def _(call: Any, _: Any, dy: Tensor, *__: Any) -> tuple[Tensor | None, ...]:
    a_indices, b_indices = call.inputs[0], call.inputs[3]
    to_a, to_b = raw.SparseAddGrad(dy, a_indices, b_indices, call.outputs[0])
    return None, to_a, None, None, to_b, None, None


@op(
    "SparseAddGrad[T: number|quantized](backprop_val_grad: T, a_indices: int64, b_indices: int64, sum_indices: int64) -> "
    "(a_val_grad: T, b_val_grad: T)",
    shape=lambda backprop_val_grad, a_indices, b_indices, sum_indices: [
        (with_rank(a_indices, 2, "a_indices")[0],),
        (with_rank(b_indices, 2, "b_indices")[0],),
    ],
    host_only=True,
)
def sparse_add_grad(
    xp: Any, backprop_val_grad: np.ndarray, a_indices: np.ndarray, b_indices: np.ndarray, sum_indices: np.ndarray
) -> Any:
    if backprop_val_grad.shape != sum_indices.shape[:1]:
        raise InvalidArgumentError(
            f"backprop_val_grad has {backprop_val_grad.size} elements for {len(sum_indices)} sum_indices"
        )
    return [taken_or_zero(backprop_val_grad, places_among(rows, sum_indices)) for rows in (a_indices, b_indices)]


sparse_add_grad.gradient(None)


def _extreme(name: str, types: str, function: Callable[..., Any]) -> None:
    def kernel(
        xp: Any,
        a_indices: np.ndarray, a_values: np.ndarray, a_shape: np.ndarray,
        b_indices: np.ndarray, b_values: np.ndarray, b_shape: np.ndarray,
    ) -> Any:  # fmt: skip
        check_parts(a_indices, a_values, a_shape, "first ")
        check_parts(b_indices, b_values, b_shape, "second ")
        _check_same(a_shape, b_shape)
        check_inside(np, a_indices, a_shape)
        check_inside(np, b_indices, b_shape)
        rows, in_a, in_b = _union(a_indices, b_indices)
        return rows, function(taken_or_zero(a_values, in_a), taken_or_zero(b_values, in_b))

    register(
        Op(
            f"{name}[T: {types}](a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, "
            "b_shape: int64) -> (output_indices: int64, output_values: T)",
            kernel=kernel,
            shape=lambda *parts: sparse_dims(_two_dims(*parts)[2])[:2],
            host_only=True,
        )
    )


_extreme("SparseSparseMaximum", "real", np.maximum)
_extreme("SparseSparseMinimum", "number|quantized", np.minimum)

# ------------------------------------------------------------------------------------------------- sparse with dense


@op(
    "SparseTensorDenseAdd[T: number|quantized, Tindices: index](a_indices: Tindices, a_values: T, a_shape: Tindices, b: T) -> "
    "(output: T)",
    shape=lambda a_indices, a_values, a_shape, b: b.dims,
    host_inputs=("a_shape",),
)
def sparse_tensor_dense_add(xp: Any, a_indices: Any, a_values: Any, a_shape: np.ndarray, b: Any) -> Any:
    check_parts(a_indices, a_values, a_shape, "a_")
    if tuple(a_shape.tolist()) != b.shape:
        raise InvalidArgumentError(
            f"Dimensions of a {a_shape.tolist()} do not match those of the dense b {list(b.shape)}"
        )
    check_inside(xp, a_indices, b.shape)
    return scatter(xp, "add", xp.asarray(b, copy=True), a_indices, a_values)


sparse_tensor_dense_add.gradient(lambda call, dy: (None, raw.GatherNd(dy, call.inputs[0]), None, dy))


def _broadcast_coordinates(xp: Any, indices: Any, dims: tuple[int, ...], whole: tuple[int, ...]) -> Any:
    """Where the elements of the whole are taken from in a dense tensor of `dims` that is broadcast to it."""
    lead = len(whole) - len(dims)
    fits = lead >= 0 and all(dim in (1, size) for dim, size in zip(dims, whole[lead:], strict=True))
    if not fits:
        raise InvalidArgumentError(
            f"Only the dense operand is broadcast to the sparse one; their shapes are {list(dims)} and {list(whole)}"
        )
    columns = [indices[:, lead + axis] if dim != 1 else xp.zeros_like(indices[:, 0]) for axis, dim in enumerate(dims)]
    return xp.stack(columns, axis=1) if columns else xp.zeros((indices.shape[0], 0), dtype=indices.dtype)


def _divided(xp: Any, x: Any, y: Any) -> Any:
    if xp is np and (y == 0).any():
        raise InvalidArgumentError("The dense tensor is 0 where the sparse one has values to divide by it")
    return xp.astype(xp.trunc(x / y), x.dtype) if is_integer(x) else x / y


def _with_dense(name: str, function: Callable[..., Any]) -> Op:
    def kernel(xp: Any, sp_indices: Any, sp_values: Any, sp_shape: np.ndarray, dense: Any) -> Any:
        check_parts(sp_indices, sp_values, sp_shape, "sp_")
        whole = tuple(sp_shape.tolist())
        check_inside(xp, sp_indices, whole)
        places = linear(xp, _broadcast_coordinates(xp, sp_indices, dense.shape, whole), dense.shape)
        return function(xp, sp_values, xp.take(xp.reshape(dense, (-1,)), places, axis=0))

    return register(
        Op(
            f"{name}[T: number|quantized](sp_indices: int64, sp_values: T, sp_shape: int64, dense: T) -> (output: T)",
            kernel=kernel,
            shape=lambda sp_indices, sp_values, sp_shape, dense: merged(
                with_rank(sp_values, 1, "sp_values"), with_rank(sp_indices, 2, "sp_indices")[:1]
            ),
            host_inputs=("sp_shape",),
            quiet=True,
        )
    )


_plus = _with_dense("SparseDenseCwiseAdd", lambda xp, x, y: x + y)
_multiply = _with_dense("SparseDenseCwiseMul", lambda xp, x, y: x * y)
_divide = _with_dense("SparseDenseCwiseDiv", _divided)


def _taken_coordinates(indices: Tensor, whole: Tensor, dense: Tensor) -> Tensor:
    """As `_broadcast_coordinates`, in ops."""
    dims = dense.dims
    if dims is not None and None not in dims and None not in (known := _known(whole, len(dims))):
        lead = len(known) - len(dims)
        zeros = np.array([dim != 1 for dim in dims], np.int64)
        return raw.StridedSlice(indices, [0, lead], [0, len(known)], [1, 1], begin_mask=1, end_mask=3) * zeros
    shape = raw.Shape(dense, out_type="int64")
    lead = raw.Size(whole) - raw.Rank(dense)
    taken = raw.Slice(indices, raw.Pack([0, lead]), [-1, -1])
    return taken * raw.Cast(raw.NotEqual(shape, np.int64(1)), DstT="int64")


def _known(whole: Tensor, count: int) -> tuple[int | None, ...]:
    dims = whole_dims(whole)
    return (None,) if dims is None or len(dims) < count else dims


def _dense_gradient(values: Tensor, places: Tensor, dense: Tensor) -> Tensor:
    return raw.ScatterNd(places, values, shape_of(dense, places.dtype))


@_plus.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, _values, shape, dense = call.inputs
    return None, dy, None, _dense_gradient(dy, _taken_coordinates(indices, shape, dense), dense)


@_multiply.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, values, shape, dense = call.inputs
    places = _taken_coordinates(indices, shape, dense)
    to_dense = _dense_gradient(dy * conj(values), places, dense)
    return None, dy * conj(raw.GatherNd(dense, places)), None, to_dense


@_divide.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, values, shape, dense = call.inputs
    places = _taken_coordinates(indices, shape, dense)
    divisor = conj(raw.GatherNd(dense, places))
    quotient = dy / divisor
    return None, quotient, None, _dense_gradient(-quotient * conj(values) / divisor, places, dense)


# ------------------------------------------------------------------------------------------------- products


def _product_dims(
    a_indices: Tensor, a_values: Tensor, a_shape: Tensor, b: Tensor, *, adjoint_a: bool, adjoint_b: bool
) -> Dims:
    with_rank(a_indices, 2, "a_indices")
    with_rank(a_values, 1, "a_values")
    rows, inner = TensorShape(whole_dims(a_shape)).with_rank(2).as_list()
    height, width = with_rank(b, 2, "b")
    if adjoint_a:
        rows, inner = inner, rows
    if adjoint_b:
        height, width = width, height
    merged((inner,), (height,))
    return rows, width


@op(
    "SparseTensorDenseMatMul[T, Tindices: index = int64](a_indices: Tindices, a_values: T, a_shape: int64, b: T, *, "
    "adjoint_a: bool = False, adjoint_b: bool = False) -> (product: T)",
    shape=_product_dims,
    host_inputs=("a_shape",),
    quiet=True,
)
def sparse_tensor_dense_matmul(
    xp: Any, a_indices: Any, a_values: Any, a_shape: np.ndarray, b: Any, *, adjoint_a: bool, adjoint_b: bool
) -> Any:
    check_parts(a_indices, a_values, a_shape, "a_")
    if len(a_shape) != 2 or b.ndim != 2:
        raise InvalidArgumentError(
            f"Both operands must be matrices, not of shapes {a_shape.tolist()} and {list(b.shape)}"
        )
    check_inside(xp, a_indices, a_shape)
    of_a = (1, 0) if adjoint_a else (0, 1)
    height, inner = (int(a_shape[axis]) for axis in of_a)
    if adjoint_b:
        b = xp.conj(b.T) if is_complex(b) else b.T
    if adjoint_a and is_complex(a_values):
        a_values = xp.conj(a_values)
    if b.shape[0] != inner:
        raise InvalidArgumentError(
            f"Cannot multiply A and B because the inner dimension does not match: {inner} vs. {b.shape[0]}"
        )
    rows = xp.take(b, a_indices[:, of_a[1]], axis=0) * a_values[:, None]
    return _SUM(xp, rows, a_indices[:, of_a[0]], height, 0)


@sparse_tensor_dense_matmul.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, values, shape, b = call.inputs
    adjoint_a, adjoint_b = call["adjoint_a"], call["adjoint_b"]
    to_b = raw.SparseTensorDenseMatMul(indices, values, shape, dy, adjoint_a=not adjoint_a)
    if adjoint_b:
        to_b = conj(raw.Transpose(to_b, [1, 0]))
    # The gradient of A is dy @ B^H, of which only the elements that A has are computed.
    rows, columns = raw.Unpack(indices, num=2, axis=1)
    if adjoint_a:
        rows, columns = columns, rows
    of_dy = raw.GatherV2(dy, rows, 0)
    of_b = raw.GatherV2(raw.Transpose(b, [1, 0]) if adjoint_b else b, columns, 0)
    to_values = raw.Sum(of_dy * (of_b if adjoint_b else conj(of_b)), np.int32(1))
    return None, conj(to_values) if adjoint_a else to_values, None, to_b


def _matmul_dims(a: Tensor, b: Tensor, *, transpose_a: bool, transpose_b: bool, **hints: bool) -> Dims:
    (rows, inner), (height, width) = with_rank(a, 2, "a"), with_rank(b, 2, "b")
    if transpose_a:
        rows, inner = inner, rows
    if transpose_b:
        height, width = width, height
    merged((inner,), (height,))
    return rows, width


@op(
    "SparseMatMul[Ta: bfloat16|float32 = float32, Tb: bfloat16|float32 = float32](a: Ta, b: Tb, *, "
    "transpose_a: bool = False, transpose_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False) -> "
    "(product: float32)",
    shape=_matmul_dims,
    quiet=True,
)
def sparse_matmul(xp: Any, a: Any, b: Any, *, transpose_a: bool, transpose_b: bool, **hints: bool) -> Any:
    if a.ndim != 2 or b.ndim != 2:
        raise InvalidArgumentError(f"a and b must be matrices; their shapes are {list(a.shape)} and {list(b.shape)}")
    left, right = xp.astype(a, xp.float32), xp.astype(b, xp.float32)
    return xp.matmul(left.T if transpose_a else left, right.T if transpose_b else right)


@sparse_matmul.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    a, b = call.inputs
    left, right = (raw.Cast(tensor, DstT="float32") for tensor in (a, b))
    to_a = raw.MatMul(dy, right, transpose_b=not call["transpose_b"])
    to_b = raw.MatMul(left, dy, transpose_a=not call["transpose_a"])
    if call["transpose_a"]:
        to_a = raw.Transpose(to_a, [1, 0])
    if call["transpose_b"]:
        to_b = raw.Transpose(to_b, [1, 0])
    return raw.Cast(to_a, DstT=a.dtype), raw.Cast(to_b, DstT=b.dtype)


# ------------------------------------------------------------------------------------------------- softmax


@op(
    "SparseSoftmax[T: float16|float32|float64](sp_indices: int64, sp_values: T, sp_shape: int64) -> (output: T)",
    shape=lambda sp_indices, sp_values, sp_shape: _softmax_dims(sp_indices, sp_values, sp_shape),
    host_inputs=("sp_shape",),
    quiet=True,
)
def sparse_softmax(xp: Any, sp_indices: Any, sp_values: Any, sp_shape: np.ndarray) -> Any:
    check_parts(sp_indices, sp_values, sp_shape, "sp_")
    if len(sp_shape) < 2:
        raise InvalidArgumentError(f"Input should have rank >= 2, but got: {len(sp_shape)}")
    check_inside(xp, sp_indices, sp_shape)
    rows = linear(xp, sp_indices[:, :-1], sp_shape.tolist()[:-1])
    if xp is np:  # only as many as there are, for the whole may be huge
        found, rows = np.unique(rows, return_inverse=True)
        count = len(found)
    else:
        count = int(np.prod(sp_shape[:-1]))
    highest = xp.take(_MAX(xp, sp_values, rows, count, 0), rows, axis=0)
    powers = xp.exp(sp_values - highest)
    return powers / xp.take(_SUM(xp, powers, rows, count, 0), rows, axis=0)


def _softmax_dims(sp_indices: Tensor, sp_values: Tensor, sp_shape: Tensor) -> Dims:
    count, _ = parts_dims(sp_indices, sp_values, sp_shape)
    return (count,)


@sparse_softmax.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    indices, _, shape = call.inputs
    y = call.outputs[0]
    total = raw.SparseReduceSum(indices, y * dy, shape, [-1], keep_dims=True)
    return None, raw.SparseDenseCwiseAdd(indices, dy, shape, -total) * y, None
