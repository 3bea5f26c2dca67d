"""Decompositions of matrices: Cholesky's, QR, LU, eigenvalues, singular values.

Where a decomposition is not unique, signs and phases are those of the backend's own library: the product of the parts
and all that follows from it is the same everywhere, the parts alone need not be. Gradients are as in M. Giles,
"An extended collection of matrix derivative results for forward and reverse mode algorithmic differentiation", 2008,
unless another source stands beside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import with_rank_at_least
from modtf.core.engine.vocabulary import find_kernel_dtype, op
from modtf.core.ops.common import conj, like
from modtf.core.ops.linalg.matrix_algebra import (
    adjoint,
    adjoint_of,
    check_no_nan,
    check_square,
    diagonal_matrix,
    diagonal_of,
    gaps,
    half_lower_part,
    lower_part,
    product,
    safe_reciprocal,
    square_dims,
    succeeding,
)  # fmt: skip
from modtf.core.ops.linalg.systems import solve_triangular
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_TYPES = "float16|float32|float64|complex"


def _hermitian(xp: Any, a: Any) -> Any:
    """The Hermitian matrices with these lower triangles. NumPy's functions look at nothing else; others may."""
    if xp is np:
        return a
    return xp.tril(a) + adjoint_of(xp, xp.tril(a, -1))


# ------------------------------------------------------------------------------------------------- Cholesky


@op(f"Cholesky[T: {_TYPES}](input: T) -> (output: T)", shape=lambda input: square_dims(input))
@widened
def cholesky(xp: Any, input: Any) -> Any:
    check_square(input)
    try:
        return xp.linalg.cholesky(_hermitian(xp, input))
    except np.linalg.LinAlgError:
        return np.stack([_cholesky_or_nan(a) for a in input.reshape(-1, *input.shape[-2:])]).reshape(input.shape)


def _cholesky_or_nan(a: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return np.tril(np.full_like(a, np.nan))


@cholesky.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    """I. Murray, "Differentiation of the Cholesky decomposition", 2016, equation 10; the result is symmetric."""
    factor = call.outputs[0]
    middle = half_lower_part(product(factor, dy, adj_a=True))
    half = raw.MatrixTriangularSolve(factor, middle, lower=True, adjoint=True)
    whole = adjoint(raw.MatrixTriangularSolve(factor, adjoint(half), lower=True, adjoint=True))
    return (whole + adjoint(whole)) * like(whole, 0.5, scalar=True)


@op("CholeskyGrad[T: float16|float32|float64](l: T, grad: T) -> (output: T)", shape=lambda l, grad: square_dims(l))  # noqa: E741
@widened
def cholesky_grad(xp: Any, l: Any, grad: Any) -> Any:  # noqa: E741
    check_square(l)
    if tuple(grad.shape) != tuple(l.shape):
        raise ValueError(f"grad must have the shape of l: {list(grad.shape)} is not {list(l.shape)}")
    l = xp.tril(l)  # noqa: E741
    middle = xp.tril(xp.matmul(xp.matrix_transpose(l), grad))
    middle = middle - xp.eye(l.shape[-1], dtype=l.dtype) * middle / 2
    for _ in range(2):
        middle = xp.matrix_transpose(solve_triangular(xp, l, middle, lower=True, adjoint=True))
    return (middle + xp.matrix_transpose(middle)) / 2


# ------------------------------------------------------------------------------------------------- QR


def _least(rows: int | None, columns: int | None) -> int | None:
    if rows is not None and columns is not None:
        return min(rows, columns)
    return 0 if 0 in (rows, columns) else None


def _qr_dims(input: Tensor, *, full_matrices: bool) -> list[Dims]:
    dims = with_rank_at_least(input, 2, "input")
    if dims is None:
        return [None, None]
    *batch, rows, columns = dims
    inner = rows if full_matrices else _least(rows, columns)
    return [(*batch, rows, inner), (*batch, inner, columns)]


@op(f"Qr[T: {_TYPES}](input: T, *, full_matrices: bool = False) -> (q: T, r: T)", shape=_qr_dims)
@widened
def qr(xp: Any, input: Any, *, full_matrices: bool) -> Any:
    rows, columns = input.shape[-2:]
    batch = tuple(input.shape[:-2])
    if 0 in input.shape:
        inner = rows if full_matrices else min(rows, columns)
        q = xp.broadcast_to(xp.eye(rows, inner, dtype=input.dtype), (*batch, rows, inner))
        return q, xp.zeros((*batch, inner, columns), dtype=input.dtype)
    return tuple(xp.linalg.qr(input, mode="complete" if full_matrices else "reduced"))


@qr.gradient
def _(call: Any, dq: Tensor, dr: Tensor) -> Tensor:
    """D. Roberts and L. Roberts, "QR and LQ decomposition matrix backpropagation algorithms", 2020.

    A wide matrix is [X, Y], of which X = Q U is square, with U the first columns of R.
    """
    (a,), (q, r) = call.inputs, call.outputs
    rows, columns = (None, None) if a.dims is None else a.dims[-2:]
    if call["full_matrices"] and rows is not None and columns is not None and rows > columns:
        raise NotImplementedError(
            "There is no gradient of a full QR decomposition of matrices with more rows than columns."
        )
    size = raw.Shape(q)[-1]
    u, du, dv, y = r[..., :size], dr[..., :size], dr[..., size:], a[..., size:]
    dq = dq + product(y, dv, adj_b=True)

    def by_adjoint_of_u(x: Tensor) -> Tensor:  # x @ inverse(U)ᴴ
        return adjoint(raw.MatrixTriangularSolve(u, adjoint(x), lower=False, adjoint=False))

    qdq, rdr = product(q, dq, adj_a=True), product(u, du, adj_b=True)
    skew = lower_part(qdq - adjoint(qdq) + rdr - adjoint(rdr))
    dx = product(q, du + by_adjoint_of_u(skew)) + by_adjoint_of_u(dq - product(q, qdq))
    if a.dtype.is_complex:  # the phases of R's diagonal, which is real
        diagonal = diagonal_of(rdr - adjoint(qdq))
        phases = diagonal_matrix(diagonal - raw.Cast(raw.Real(diagonal, Tout=a.dtype.real_dtype), DstT=a.dtype))
        dx = dx + by_adjoint_of_u(product(q, phases, adj_b=True))
    return raw.ConcatV2([dx, product(q, dv)], np.int32(-1))


# ------------------------------------------------------------------------------------------------- LU


def _lu_dims(input: Tensor, *, output_idx_type: DType) -> list[Dims]:
    dims = square_dims(input)
    return [dims, None if dims is None else dims[:-1]]


@op(
    f"Lu[T: {_TYPES}](input: T, *, output_idx_type: type(index) = int32) -> (lu: T, p: output_idx_type)",
    shape=_lu_dims,
    quiet=True,
)
def lu(xp: Any, input: Any, *, output_idx_type: DType) -> Any:
    check_square(input)
    if xp is not np:
        raise NotImplementedError("Elimination changes its matrix in place.")
    eliminated = np.array(input, np.float32 if input.dtype == np.float16 else None)
    size = input.shape[-1]
    order = np.broadcast_to(np.arange(size), input.shape[:-1]).copy()
    for step in range(size):
        best = np.argmax(np.abs(eliminated[..., step:, step]), axis=-1)[..., None] + step
        _swap_rows(eliminated, step, best[..., None])
        _swap_rows(order[..., None], step, best[..., None])
        eliminated[..., step + 1 :, step] /= eliminated[..., step, step, None]
        eliminated[..., step + 1 :, step + 1 :] -= (
            eliminated[..., step + 1 :, step, None] * eliminated[..., step, None, step + 1 :]
        )
    pivots = np.abs(np.diagonal(eliminated, axis1=-2, axis2=-1))
    if not (pivots > 0).all():
        raise InvalidArgumentError("Input is not invertible.")
    return eliminated.astype(input.dtype), order.astype(output_idx_type.np_dtype)


def _swap_rows(a: np.ndarray, row: int, other: np.ndarray) -> None:
    """Swaps one row with another, which is another one in each matrix, in place."""
    kept = a[..., row : row + 1, :].copy()
    a[..., row : row + 1, :] = np.take_along_axis(a, other, axis=-2)
    np.put_along_axis(a, other, kept, axis=-2)


# ------------------------------------------------------------------------------------------------- eigenvalues


def _eigen_dims(input: Tensor, compute: bool) -> list[Dims]:
    dims = square_dims(input)
    vectors: Dims = dims if compute else (0,)
    return [None if dims is None else dims[:-1], vectors]


def _nothing(xp: Any, dtype: Any) -> Any:
    """What stands for vectors that were not asked for."""
    return xp.zeros((0,), dtype=dtype)


@op(
    f"SelfAdjointEigV2[T: {_TYPES}](input: T, *, compute_v: bool = True) -> (e: T, v: T)",
    shape=lambda input, *, compute_v: _eigen_dims(input, compute_v),
)
@widened
def self_adjoint_eig(xp: Any, input: Any, *, compute_v: bool) -> Any:
    check_square(input)
    message = "Self-adjoint eigen decomposition was not successful. The input might not be valid."
    check_no_nan(xp, input, message)
    if 0 in input.shape:
        values, vectors = xp.zeros(input.shape[:-1], dtype=input.dtype), xp.zeros_like(input)
    elif compute_v:
        values, vectors = succeeding(message, lambda: xp.linalg.eigh(_hermitian(xp, input)))
    else:
        values = vectors = succeeding(message, lambda: xp.linalg.eigvalsh(_hermitian(xp, input)))
    return xp.astype(values, input.dtype), vectors if compute_v else _nothing(xp, input.dtype)


@self_adjoint_eig.gradient
def _(call: Any, de: Tensor, dv: Tensor) -> Tensor:
    """Only the lower triangle decides, so that the gradient is there, too."""
    e, v = call.outputs
    middle = diagonal_matrix(de)
    if call["compute_v"]:
        middle = middle + gaps(e) * product(v, dv, adj_a=True)
    else:
        v = raw.SelfAdjointEigV2(call.inputs[0]).v
    da = product(v, product(middle, v, adj_b=True))
    return half_lower_part(da + adjoint(da))


@op(
    "Eig[T: float32|float64|complex](input: T, *, compute_v: bool = True, Tout: type(complex)) -> (e: Tout, v: Tout)",
    shape=lambda input, *, compute_v, Tout: _eigen_dims(input, compute_v),
)
def eig(xp: Any, input: Any, *, compute_v: bool, Tout: DType) -> Any:
    check_square(input)
    dtype = find_kernel_dtype(xp, Tout)
    expected = "complex128" if str(input.dtype) in ("float64", "complex128") else "complex64"
    if Tout.name != expected:
        raise InvalidArgumentError(f"The eigenvalues of {input.dtype} matrices are {expected}; Tout is {Tout.name}.")
    if 0 in input.shape:
        values, vectors = xp.zeros(input.shape[:-1], dtype=dtype), xp.zeros(input.shape, dtype=dtype)
    else:
        message = "Eigen decomposition was not successful. The input might not be valid."
        values, vectors = succeeding(message, lambda: xp.linalg.eig(input))
    return xp.astype(values, dtype), xp.astype(vectors, dtype) if compute_v else _nothing(xp, dtype)


@eig.gradient
def _(call: Any, de: Tensor, dv: Tensor) -> Tensor:
    """C. Boeddeker et al., "On the computation of complex-valued gradients", 2017, equation 4.77; eigenvalues differ."""
    (a,), (e, v) = call.inputs, call.outputs
    middle = diagonal_matrix(de)
    if call["compute_v"]:
        vdv = product(v, dv, adj_a=True)
        lengths = raw.Cast(raw.Real(diagonal_of(vdv), Tout=e.dtype.real_dtype), DstT=e.dtype)
        middle = middle + conj(gaps(e)) * (vdv - product(product(v, v, adj_a=True), diagonal_matrix(lengths)))
    else:
        v = raw.Eig(a, Tout=call["Tout"]).v
    da = raw.MatrixSolve(adjoint(v), product(middle, v, adj_b=True))
    return da if a.dtype is da.dtype else raw.Cast(raw.Real(da, Tout=da.dtype.real_dtype), DstT=a.dtype)


# ------------------------------------------------------------------------------------------------- singular values


def _svd_dims(input: Tensor, *, compute_uv: bool, full_matrices: bool) -> list[Dims]:
    dims = with_rank_at_least(input, 2, "input")
    if dims is None:
        return [None, None, None] if compute_uv else [None, (0,), (0,)]
    *batch, rows, columns = dims
    least = _least(rows, columns)
    if not compute_uv:
        return [(*batch, least), (0,), (0,)]
    left, right = (rows, columns) if full_matrices else (least, least)
    return [(*batch, least), (*batch, rows, left), (*batch, columns, right)]


@op(
    f"Svd[T: {_TYPES}](input: T, *, compute_uv: bool = True, full_matrices: bool = False) -> (s: T, u: T, v: T)",
    shape=_svd_dims,
)
@widened
def svd(xp: Any, input: Any, *, compute_uv: bool, full_matrices: bool) -> Any:
    rows, columns = input.shape[-2:]
    batch, dtype = tuple(input.shape[:-2]), input.dtype
    least = min(rows, columns)
    if 0 in input.shape:
        left, right = (rows, columns) if full_matrices else (least, least)
        u, v = (
            xp.broadcast_to(xp.eye(*dims, dtype=dtype), (*batch, *dims)) for dims in ((rows, left), (columns, right))
        )
        s = xp.zeros((*batch, least), dtype=dtype)
    elif compute_uv:
        u, s, vh = _svd(xp, input, full_matrices)
        v = adjoint_of(xp, vh)
    else:
        s = xp.linalg.svdvals(input)
    if not compute_uv:
        u = v = _nothing(xp, dtype)
    return xp.astype(s, dtype), u, v


def _svd(xp: Any, a: Any, full_matrices: bool) -> Any:
    if xp is not np or np.isfinite(a).all():
        return xp.linalg.svd(a, full_matrices=full_matrices)
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    parts = np.linalg.svd(np.where(finite, a, 0), full_matrices=full_matrices)
    return [np.where(finite[..., 0] if index == 1 else finite, part, np.nan) for index, part in enumerate(parts)]


@svd.gradient
def _(call: Any, ds: Tensor, du: Tensor, dv: Tensor) -> Tensor:
    """J. Townsend, "Differentiating the singular value decomposition", 2016.

    With complex numbers: Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex valued SVD", 2019. The terms
    with the parts of U and V that are orthogonal to the singular vectors are zero where there are none.
    """
    (a,), (s, u, v) = call.inputs, call.outputs
    middle = diagonal_matrix(ds)
    if not call["compute_uv"]:
        _, u, v = raw.Svd(a)
        return product(u, product(middle, v, adj_b=True))
    rows, columns = (None, None) if a.dims is None else a.dims[-2:]
    if call["full_matrices"] and rows is not None and columns is not None and abs(rows - columns) > 1:
        raise NotImplementedError(
            "There is no gradient of a full singular value decomposition of matrices whose numbers of rows and columns "
            f"differ by more than 1: {rows} and {columns}."
        )
    size = raw.Shape(s)[-1]
    scale, inverse, inner = diagonal_matrix(s), diagonal_matrix(safe_reciprocal(s)), gaps(raw.Square(s))
    (u, u_rest), (v, v_rest) = ((x[..., :size], x[..., size:]) for x in (u, v))
    (du, du_rest), (dv, dv_rest) = ((x[..., :size], x[..., size:]) for x in (du, dv))

    def around(turn: Tensor) -> Tensor:
        return inner * turn + adjoint(inner * turn)

    def orthogonal(x: Tensor, dx: Tensor, rest: Tensor, d_rest: Tensor) -> Tensor:
        part = dx - product(x, product(x, dx, adj_a=True))
        return part - product(rest, product(d_rest, x, adj_a=True)) if call["full_matrices"] else part

    udu, vdv = product(u, du, adj_a=True), product(v, dv, adj_a=True)
    middle = middle + product(around(udu), scale) + product(scale, around(vdv))
    if a.dtype.is_complex:
        turned = diagonal_of(vdv)
        middle = middle + inverse * diagonal_matrix((conj(turned) - turned) * like(turned, 0.5, scalar=True))
    da = product(u, product(middle, v, adj_b=True))
    if rows is None or columns is None or rows > columns:
        da = da + product(product(orthogonal(u, du, u_rest, du_rest), inverse), v, adj_b=True)
    if rows is None or columns is None or rows < columns:
        da = da + product(product(u, inverse), orthogonal(v, dv, v_rest, dv_rest), adj_b=True)
    return da
