"""Inverses, determinants and linear equations (`tf.linalg`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.array import eye
from modtf.core.api.dispatch import dispatched
from modtf.core.api.elementwise import log, real
from modtf.core.api.linalg.products import matmul
from modtf.core.api.linalg.rearranging import band_part, diag_part, set_diag
from modtf.core.api.reductions import reduce_max, reduce_sum
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "cholesky_solve", "det", "inv", "logdet", "lstsq", "lu_matrix_inverse", "lu_reconstruct", "lu_solve", "matrix_rank", "pinv",
    "slogdet", "solve", "triangular_solve",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- one op each


@dispatched
def inv(input: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Returns the inverses of square matrices.

    Args:
        input: A tensor [..., n, n], floating or complex.
        adjoint: Whether to invert the matrices' conjugate transposes.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A matrix is singular.
    """
    return raw.MatrixInverse(input, adjoint=adjoint, name=name)


@dispatched
def det(input: Any, name: str | None = None) -> Tensor:
    """Returns the determinants [...] of square matrices [..., n, n]."""
    return raw.MatrixDeterminant(input, name=name)


def slogdet(input: Any, name: str | None = None) -> Any:
    """Returns the determinants of square matrices in a form that neither over- nor underflows.

    Args:
        input: A tensor [..., n, n], floating or complex.
        name: A name for the graph node.

    Returns:
        A named tuple of `sign` [...], of absolute value 1 (0 of singular matrices), and `log_abs_determinant` [...]: the
        determinant is `sign * exp(log_abs_determinant)`.
    """
    return raw.LogMatrixDeterminant(input, name=name)


@dispatched
def logdet(matrix: Any, name: str | None = None) -> Tensor:
    """Returns the logarithms [...] of the determinants of Hermitian positive definite matrices [..., n, n]."""
    factor = raw.Cholesky(matrix)
    return raw.Identity(2.0 * reduce_sum(log(real(diag_part(factor))), -1), name=name)


@dispatched
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Tensor:
    """Solves `matrix @ x = rhs`.

    Args:
        matrix: A tensor [..., n, n], floating or complex.
        rhs: A tensor [..., n, m] with the same leading axes.
        adjoint: Whether to take the matrices' conjugate transposes.
        name: A name for the graph node.

    Returns:
        A tensor [..., n, m].

    Raises:
        InvalidArgumentError: A matrix is singular.
    """
    return raw.MatrixSolve(matrix, rhs, adjoint=adjoint, name=name)


def triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Solves `matrix @ x = rhs` for triangular matrices.

    Args:
        matrix: A tensor [..., n, n], floating or complex; only one triangle is looked at.
        rhs: A tensor [..., n, m], whose leading axes broadcast with those of `matrix`.
        lower: Whether it is the lower triangle.
        adjoint: Whether to take the matrices' conjugate transposes.
        name: A name for the graph node.

    Returns:
        A tensor [..., n, m]; with a zero on the diagonal it is infinite or NaN.
    """
    return raw.MatrixTriangularSolve(matrix, rhs, lower=lower, adjoint=adjoint, name=name)


def lstsq(matrix: Any, rhs: Any, l2_regularizer: Any = 0.0, fast: bool = True, name: str | None = None) -> Tensor:
    """Solves least-squares problems: the x for which `|matrix @ x - rhs|² + l2_regularizer |x|²` is smallest.

    Of wide matrices without a regularizer, it is the x of least norm that solves the equations.

    Args:
        matrix: A tensor [..., n, m], floating or complex.
        rhs: A tensor [..., n, k] with the same leading axes.
        l2_regularizer: A number that is not negative.
        fast: Whether to solve the normal equations by a Cholesky decomposition, which loses digits where columns nearly
            depend on each other. Otherwise by singular values, which takes any matrix but no regularizer.
        name: A name for the graph node.

    Returns:
        A tensor [..., m, k].

    Raises:
        InvalidArgumentError: `fast`, and the rank of a matrix is not full.
    """
    strength = convert_to_tensor(l2_regularizer, dtype=dtypes.float64)
    return raw.MatrixSolveLs(matrix, rhs, strength, fast=fast, name=name)


# ------------------------------------------------------------------------------------------------- from decompositions


def cholesky_solve(chol: Any, rhs: Any, name: str | None = None) -> Tensor:
    """Solves `A @ x = rhs`, given Cholesky's factor of A.

    Args:
        chol: A tensor [..., n, n], which `cholesky(A)` gave.
        rhs: A tensor [..., n, m].
        name: A name for the graph node.

    Returns:
        A tensor [..., n, m].
    """
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True, name=name)


def _factors(lower_upper: Any, perm: Any) -> tuple[Tensor, Tensor]:
    """What `lu` gave, as tensors.

    Raises:
        ValueError: The shapes do not fit.
    """
    factors = convert_to_tensor(lower_upper, dtype_hint=dtypes.float32)
    order = convert_to_tensor(perm, dtype_hint=dtypes.int32)
    if factors.dims is not None:
        if len(factors.dims) < 2:
            raise ValueError("Input `lower_upper` must have at least 2 dimensions.")
        rows, columns = factors.dims[-2:]
        if rows is not None and columns is not None and rows != columns:
            raise ValueError("`lower_upper` must be square.")
        if order.ndim is not None and len(factors.dims) != order.ndim + 1:
            raise ValueError("`rank(lower_upper)` must equal `rank(perm) + 1`")
    return factors, order


def _unit_lower(factors: Tensor) -> Tensor:
    return set_diag(band_part(factors, -1, 0), raw.OnesLike(diag_part(factors)))


def _rows(matrix: Tensor, order: Tensor) -> Tensor:
    """The rows in another order, of each of a batch of matrices; leading axes are broadcast."""
    sizes, shape = raw.Shape(order), raw.Shape(matrix)
    batch = raw.BroadcastArgs(sizes[:-1], shape[:-2])
    matrices = raw.BroadcastTo(matrix, raw.ConcatV2([batch, shape[-2:]], np.int32(0)))
    orders = raw.BroadcastTo(order, raw.ConcatV2([batch, sizes[-1:]], np.int32(0)))
    flat = raw.Reshape(matrices, raw.ConcatV2([np.array([-1], np.int32), shape[-2:]], np.int32(0)))
    flat_orders = raw.Reshape(orders, raw.ConcatV2([np.array([-1], np.int32), sizes[-1:]], np.int32(0)))
    taken = raw.GatherV2(flat, flat_orders, np.int32(1), batch_dims=1)
    return raw.Reshape(taken, raw.Shape(matrices))


def lu_reconstruct(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Returns the matrices which `lu` made a decomposition of.

    Args:
        lower_upper: The factors [..., n, n].
        perm: The orders of rows [..., n].
        validate_args: Kept for its place: what cannot be checked while tracing is checked when it runs in any case.
        name: A name for the graph node.

    Raises:
        ValueError: The shapes do not fit.
    """
    factors, order = _factors(lower_upper, perm)
    whole = matmul(_unit_lower(factors), band_part(factors, 0, -1))
    inverse = raw.TopKV2(-order, raw.Shape(order)[-1]).indices  # the place of the smallest first
    result = _rows(whole, inverse)
    return raw.EnsureShape(result, shape=factors.shape, name=name)


def lu_solve(lower_upper: Any, perm: Any, rhs: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Solves `A @ x = rhs`, given the decomposition `lu(A)`.

    Args:
        lower_upper: The factors [..., n, n].
        perm: The orders of rows [..., n].
        rhs: A tensor [..., n, m], whose leading axes broadcast with the decomposition's.
        validate_args: Kept for its place; see `lu_reconstruct`.
        name: A name for the graph node.

    Returns:
        A tensor [..., n, m].

    Raises:
        ValueError: The shapes do not fit.
    """
    factors, order = _factors(lower_upper, perm)
    right = convert_to_tensor(rhs, dtype_hint=factors.dtype)
    if right.dims is not None:
        if len(right.dims) < 2:
            raise ValueError("Input `rhs` must have at least 2 dimensions.")
        if factors.dims is not None and None not in (pair := (factors.dims[-1], right.dims[-2])) and pair[0] != pair[1]:
            raise ValueError("`lower_upper.shape[-1]` must equal `rhs.shape[-2]`.")
    half = triangular_solve(_unit_lower(factors), _rows(right, order))
    return triangular_solve(factors, half, lower=False, name=name)


def lu_matrix_inverse(lower_upper: Any, perm: Any, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Returns the inverses of matrices, given their decompositions; arguments as for `lu_reconstruct`."""
    factors, order = _factors(lower_upper, perm)
    shape = raw.Shape(factors)
    identity = eye(shape[-1], batch_shape=shape[:-2], dtype=factors.dtype)
    return lu_solve(factors, order, identity, name=name)


# ------------------------------------------------------------------------------------------------- from singular values


def _floating_matrices(a: Any, hint: dtypes.DType | None = None) -> Tensor:
    tensor = convert_to_tensor(a, dtype_hint=hint)
    if not (tensor.dtype.is_floating or tensor.dtype.is_complex):
        raise TypeError(f"Input `a` must have `float`-like `dtype` (saw {tensor.dtype.name}).")
    if tensor.ndim is not None and tensor.ndim < 2:
        raise ValueError(f"Input `a` must have at least 2 dimensions (saw: {tensor.ndim}).")
    return tensor


def _longer_side(a: Tensor, dtype: dtypes.DType) -> Tensor:
    return raw.Cast(reduce_max(raw.Shape(a)[-2:]), DstT=dtype)


def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Returns the ranks of matrices: how many singular values are above a tolerance.

    Args:
        a: A tensor [..., n, m], floating.
        tol: The tolerance, a number or of shape [..., 1]; by default `max(n, m)` times the largest singular value times the
            dtype's precision.
        validate_args: Kept for its place; see `lu_reconstruct`.
        name: A name for the graph node.

    Returns:
        An int32 tensor [...].
    """
    matrices = _floating_matrices(a, dtypes.float32)
    sizes = real(raw.Svd(matrices, compute_uv=False).s)
    if tol is None:
        precision = float(np.finfo(sizes.dtype.as_numpy_dtype).eps)
        tol = precision * _longer_side(matrices, sizes.dtype) * reduce_max(sizes, -1, keepdims=True)
    return reduce_sum(raw.Cast(sizes > tol, DstT=dtypes.int32), -1, name=name)


def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: str | None = None) -> Tensor:
    """Returns the Moore-Penrose pseudo-inverses of matrices, by their singular values.

    Args:
        a: A tensor [..., n, m], floating or complex.
        rcond: Singular values up to this part of the largest count as zero; a number or a tensor [...]. By default ten times
            `max(n, m)` times the dtype's precision.
        validate_args: Kept for its place; see `lu_reconstruct`.
        name: A name for the graph node.

    Returns:
        A tensor [..., m, n].
    """
    matrices = _floating_matrices(a)
    singular, u, v = raw.Svd(matrices)
    sizes = real(singular)
    if rcond is None:
        rcond = 10.0 * float(np.finfo(sizes.dtype.as_numpy_dtype).eps) * _longer_side(matrices, sizes.dtype)
    cutoff = convert_to_tensor(rcond, dtype=sizes.dtype) * reduce_max(sizes, -1)
    infinite = convert_to_tensor(np.inf, dtype=sizes.dtype)  # of which the reciprocal, and its gradient, is zero
    kept = raw.SelectV2(sizes > raw.ExpandDims(cutoff, np.int32(-1)), sizes, infinite)
    scaled = v / raw.ExpandDims(raw.Cast(kept, DstT=v.dtype), np.int32(-2))
    return matmul(scaled, u, adjoint_b=True, name=name)
