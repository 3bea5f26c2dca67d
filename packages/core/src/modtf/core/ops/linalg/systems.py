"""Inverses, determinants and the solution of linear equations."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import conj, like, unbroadcast
from modtf.core.ops.linalg.matrix_algebra import (
    adjoint,
    adjoint_of,
    check_no_nan,
    check_square,
    check_system,
    identity_like,
    lower_part,
    over_matrices,
    product,
    square_dims,
    succeeding,
    system_dims,
    upper_part,
)  # fmt: skip
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, broadcast_dims
from modtf.core.values.tensors import Tensor

_TYPES = "float16|float32|float64|complex"

# ------------------------------------------------------------------------------------------------- inverse, determinant


@op(
    f"MatrixInverse[T: {_TYPES}](input: T, *, adjoint: bool = False) -> (output: T)",
    shape=lambda input, *, adjoint: square_dims(input),
)
@widened
def matrix_inverse(xp: Any, input: Any, *, adjoint: bool) -> Any:
    check_square(input)
    message = "Input is not invertible."
    inverse = succeeding(message, lambda: xp.linalg.inv(adjoint_of(xp, input) if adjoint else input))
    check_no_nan(xp, inverse, message)
    return inverse


@matrix_inverse.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    inverse, flip = call.outputs[0], call["adjoint"]
    return -product(inverse, product(dy, inverse, flip, not flip), not flip)


def _determinant_dims(input: Tensor) -> Dims:
    dims = square_dims(input)
    return None if dims is None else dims[:-2]


@op(f"MatrixDeterminant[T: {_TYPES}](input: T) -> (output: T)", shape=_determinant_dims, quiet=True)
@widened
def matrix_determinant(xp: Any, input: Any) -> Any:
    check_square(input)
    return xp.linalg.det(input)


@matrix_determinant.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    return over_matrices(dy * conj(call.outputs[0])) * raw.MatrixInverse(call.inputs[0], adjoint=True)


@op(
    f"LogMatrixDeterminant[T: {_TYPES}](input: T) -> (sign: T, log_abs_determinant: T)",
    shape=lambda input: [_determinant_dims(input)] * 2,
    quiet=True,
)
@widened
def log_matrix_determinant(xp: Any, input: Any) -> Any:
    check_square(input)
    sign, logarithm = xp.linalg.slogdet(input)
    return sign, xp.astype(xp.asarray(logarithm), input.dtype)


@log_matrix_determinant.gradient
def _(call: Any, _sign: Tensor, dy: Tensor) -> Tensor:
    return over_matrices(dy) * raw.MatrixInverse(call.inputs[0], adjoint=True)


# ------------------------------------------------------------------------------------------------- square systems


def _solution_dims(matrix: Tensor, rhs: Tensor, **attrs: Any) -> Dims:
    batch, rows, columns = system_dims(matrix, rhs, square=True)
    return None if batch is None else (*batch, rows, columns)


@op(
    f"MatrixSolve[T: {_TYPES}](matrix: T, rhs: T, *, adjoint: bool = False) -> (output: T)",
    shape=_solution_dims,
)
@widened
def matrix_solve(xp: Any, matrix: Any, rhs: Any, *, adjoint: bool) -> Any:
    check_system(matrix, rhs)
    message = "Input matrix is not invertible."
    check_no_nan(xp, matrix, message)
    return succeeding(message, lambda: xp.linalg.solve(adjoint_of(xp, matrix) if adjoint else matrix, rhs))


def _gradient_of_matrix(call: Any, to_rhs: Tensor) -> Tensor:
    """The gradient that flows to the matrix of a system, from that which flows to its right-hand side."""
    solution = call.outputs[0]
    left, right = (solution, to_rhs) if call["adjoint"] else (to_rhs, solution)
    return -product(left, right, adj_b=True)


@matrix_solve.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    to_rhs = raw.MatrixSolve(call.inputs[0], dy, adjoint=not call["adjoint"])
    return _gradient_of_matrix(call, to_rhs), to_rhs


# ------------------------------------------------------------------------------------------------- triangular systems

_BLOCK = 64


def solve_upper(xp: Any, matrix: Any, rhs: Any) -> Any:
    """Solves upper triangular systems, looking at nothing below the diagonal; batch axes are broadcast.

    A diagonal block at a time, so that most of the work is products. The elimination of a general solver finds nothing
    to do in an upper triangular block, so that what remains of it is the substitution.
    """
    size = matrix.shape[-1]
    if size <= _BLOCK:
        return _substituted(xp, xp.triu(matrix), rhs)
    half = size // 2
    last = solve_upper(xp, matrix[..., half:, half:], rhs[..., half:, :])
    rest = rhs[..., :half, :] - xp.matmul(matrix[..., :half, half:], last)
    first = solve_upper(xp, matrix[..., :half, :half], rest)
    return xp.concat([first, xp.broadcast_to(last, (*first.shape[:-2], *last.shape[-2:]))], axis=-2)


def _substituted(xp: Any, upper: Any, rhs: Any) -> Any:
    try:
        return xp.linalg.solve(upper, rhs)
    except np.linalg.LinAlgError:  # a zero on the diagonal, by which is divided all the same
        solved = np.broadcast_to(rhs, (*np.broadcast_shapes(upper.shape[:-2], rhs.shape[:-2]), *rhs.shape[-2:])).copy()
        for row in range(upper.shape[-1] - 1, -1, -1):
            solved[..., row, :] -= np.squeeze(upper[..., row : row + 1, row + 1 :] @ solved[..., row + 1 :, :], -2)
            solved[..., row, :] /= upper[..., row, row, None]
        return solved


def solve_triangular(xp: Any, matrix: Any, rhs: Any, lower: bool, adjoint: bool) -> Any:
    """Solves triangular systems, looking at one triangle only; batch axes are broadcast."""
    if adjoint:
        matrix, lower = adjoint_of(xp, matrix), not lower
    if not lower:
        return solve_upper(xp, matrix, rhs)
    # With the last row and column first, it is an upper triangle.
    return xp.flip(solve_upper(xp, xp.flip(matrix, axis=(-2, -1)), xp.flip(rhs, axis=-2)), axis=-2)


def triangular_dims(matrix: Tensor, rhs: Tensor, **attrs: Any) -> Dims:
    batch, rows, columns = system_dims(matrix, rhs, square=True, join=broadcast_dims)
    return None if batch is None else (*batch, rows, columns)


@op(
    f"MatrixTriangularSolve[T: {_TYPES}|bfloat16](matrix: T, rhs: T, *, lower: bool = True, adjoint: bool = False) "
    "-> (output: T)",
    shape=triangular_dims,
    quiet=True,
)
@widened
def matrix_triangular_solve(xp: Any, matrix: Any, rhs: Any, *, lower: bool, adjoint: bool) -> Any:
    check_square(matrix)
    if rhs.ndim < 2 or matrix.shape[-2] != rhs.shape[-2]:
        raise ValueError(f"Input matrix and rhs are incompatible: {list(matrix.shape)} vs. {list(rhs.shape)}")
    return solve_triangular(xp, matrix, rhs, lower, adjoint)


@matrix_triangular_solve.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    matrix, rhs = call.inputs
    to_rhs = raw.MatrixTriangularSolve(matrix, dy, lower=call["lower"], adjoint=not call["adjoint"])
    to_matrix = (lower_part if call["lower"] else upper_part)(_gradient_of_matrix(call, to_rhs))
    return unbroadcast(to_matrix, matrix, batch_of=rhs), unbroadcast(to_rhs, rhs, batch_of=matrix)


# ------------------------------------------------------------------------------------------------- least squares


def _least_squares_dims(matrix: Tensor, rhs: Tensor, l2_regularizer: Tensor, *, fast: bool) -> Dims:
    if l2_regularizer.ndim not in (None, 0):
        raise ValueError(f"l2_regularizer must be a scalar, but its shape is {list(l2_regularizer.dims or ())}")
    batch, rows, columns = system_dims(matrix, rhs, square=False)
    return None if batch is None else (*batch, rows, columns)


@widened
def _least_squares(xp: Any, matrix: Any, rhs: Any, l2_regularizer: Any, *, fast: bool) -> Any:
    check_system(matrix, rhs, square=False)
    if l2_regularizer.ndim:
        raise ValueError(f"l2_regularizer must be a scalar, but its shape is {list(l2_regularizer.shape)}")
    if xp is np and not l2_regularizer >= 0:
        raise InvalidArgumentError("l2_regularizer must be >= 0.")
    rows, columns = matrix.shape[-2:]
    if 0 in matrix.shape or 0 in rhs.shape:
        return xp.zeros((*matrix.shape[:-2], columns, rhs.shape[-1]), dtype=matrix.dtype)
    if not fast:
        precision = max(rows, columns) * float(np.finfo(str(matrix.dtype)).eps)
        return xp.matmul(xp.linalg.pinv(matrix, rtol=precision), rhs)
    flipped = adjoint_of(xp, matrix)
    tall = rows >= columns
    gram = xp.matmul(flipped, matrix) if tall else xp.matmul(matrix, flipped)
    identity = xp.eye(min(rows, columns), dtype=matrix.dtype)
    gram = gram + xp.astype(xp.asarray(l2_regularizer), matrix.dtype) * identity
    message = (
        "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a larger "
        "l2_regularizer > 0."
    )
    factor = succeeding(message, lambda: xp.linalg.cholesky(gram))
    known = xp.matmul(flipped, rhs) if tall else rhs
    for turned in (False, True):
        known = solve_triangular(xp, factor, known, lower=True, adjoint=turned)
    return known if tall else xp.matmul(flipped, known)


least_squares = register(
    Op(
        f"MatrixSolveLs[T: {_TYPES}](matrix: T, rhs: T, l2_regularizer: float64, *, fast: bool = True) -> (output: T)",
        kernel=_least_squares,
        shape=_least_squares_dims,
    )
)


@least_squares.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor, None]:
    """The derivative of the solution of the normal equations, of the first kind if there are more rows than columns.

    With A⁺ for the regularized pseudo-inverse and X = A⁺ B, the gradient for B is Y = A⁺ᴴ dX. That for A is -Y Xᴴ and,
    of tall matrices, (B - A X) ((AᴴA + l I)⁻¹ dX)ᴴ, of wide ones (A Aᴴ + l I)⁻¹ B (dX - Aᴴ Y)ᴴ.
    """
    a, b, strength = call.inputs
    x, fast = call.outputs[0], call["fast"]
    to_rhs = raw.MatrixSolveLs(adjoint(a), dy, strength, fast=fast)
    rows, columns = (None, None) if a.dims is None else a.dims[-2:]
    known = rows is not None and columns is not None

    def solved(gram: Tensor, right: Tensor) -> Tensor:
        if fast:
            gram = gram + raw.Cast(strength, DstT=a.dtype) * identity_like(gram)
        if fast and known:
            return raw.MatrixSolve(gram, right)
        return raw.MatrixSolveLs(gram, right, like(strength, 0), fast=False)

    def of_tall() -> Tensor:
        return product(b - product(a, x), solved(product(a, a, adj_a=True), dy), adj_b=True)

    def of_wide() -> Tensor:
        return product(solved(product(a, a, adj_b=True), b), dy - product(a, to_rhs, adj_a=True), adj_b=True)

    if rows is not None and columns is not None:
        rest = of_tall() if rows >= columns else of_wide()
    else:  # only running tells which, and `solved` takes the other's singular matrix, too
        sizes = raw.Shape(a)[-2:]
        rest = raw.SelectV2(sizes[0] >= sizes[1], of_tall(), of_wide())
    return rest - product(to_rhs, x, adj_b=True), to_rhs, None
