"""What the gradients of matrix ops are written with, and checks that their kernels and shape rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, with_rank_at_least
from modtf.core.ops.common import conj, like
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- in gradients

_MAIN = np.int32(0)
_ANY = np.int32(-1)


def product(a: Tensor, b: Tensor, adj_a: bool = False, adj_b: bool = False) -> Tensor:
    """The product of (batches of) matrices, either taken as its adjoint."""
    return raw.BatchMatMulV2(a, b, adj_x=adj_a, adj_y=adj_b)


def transpose(a: Tensor) -> Tensor:
    """The matrices' transposes, of any rank."""
    return raw.Einsum([a], equation="...ij->...ji")


def adjoint(a: Tensor) -> Tensor:
    """The matrices' conjugate transposes."""
    return conj(transpose(a))


def diagonal_matrix(diagonal: Tensor) -> Tensor:
    """Square matrices with these main diagonals, zero elsewhere."""
    return raw.MatrixDiagV3(diagonal, _MAIN, _ANY, _ANY, like(diagonal, 0, scalar=True))


def diagonal_of(a: Tensor) -> Tensor:
    """The main diagonals."""
    return raw.MatrixDiagPartV3(a, _MAIN, like(a, 0, scalar=True))


def with_diagonal(a: Tensor, diagonal: Tensor) -> Tensor:
    """The matrices with their main diagonals replaced."""
    return raw.MatrixSetDiagV3(a, diagonal, _MAIN)


def lower_part(a: Tensor) -> Tensor:
    """The matrices with zeros above the main diagonal."""
    return raw.MatrixBandPart(a, np.int64(-1), np.int64(0))


def upper_part(a: Tensor) -> Tensor:
    """The matrices with zeros below the main diagonal."""
    return raw.MatrixBandPart(a, np.int64(0), np.int64(-1))


def half_lower_part(a: Tensor) -> Tensor:
    """The lower part with the main diagonal halved, so that it and its adjoint add up to a Hermitian matrix."""
    return lower_part(with_diagonal(a, diagonal_of(a) * like(a, 0.5, scalar=True)))


def over_matrices(numbers: Tensor) -> Tensor:
    """A number for each matrix, with two more axes of size 1, to multiply matrices with."""
    return raw.ExpandDims(raw.ExpandDims(numbers, np.int32(-1)), np.int32(-1))


def identity_like(a: Tensor) -> Tensor:
    """The identity for each of the square matrices."""
    return diagonal_matrix(raw.OnesLike(diagonal_of(a)))


def safe_reciprocal(x: Tensor) -> Tensor:
    """1 / x, but 0 where x is 0: of differences of eigenvalues that coincide (a Lorentzian broadening)."""
    return x * raw.Reciprocal(x * x + like(x, 1e-20, scalar=True))


def gaps(values: Tensor) -> Tensor:
    """The matrix of 1 / (values[j] - values[i]), zero on the diagonal."""
    differences = raw.ExpandDims(values, np.int32(-2)) - raw.ExpandDims(values, np.int32(-1))
    return with_diagonal(safe_reciprocal(differences), like(values, 0))


# ------------------------------------------------------------------------------------------------- in shape rules


def square_dims(input: Tensor, what: str = "Input") -> Dims:
    """The shape of square matrices.

    Raises:
        ValueError: They are not square.
    """
    dims = with_rank_at_least(input, 2, what)
    if dims is None:
        return None
    rows, columns = dims[-2:]
    if rows is not None and columns is not None and rows != columns:
        raise ValueError(f"{what} matrix must be square, but its shape is {list(dims)}")
    size = columns if rows is None else rows
    return (*dims[:-2], size, size)


def system_dims(
    matrix: Tensor, rhs: Tensor, square: bool, join: Callable[[Dims, Dims], Dims] = merged
) -> tuple[tuple[int | None, ...] | None, int | None, int | None]:
    """What is known of the solution of `matrix @ x = rhs`: its batch axes, rows and columns.

    Args:
        matrix: The matrices.
        rhs: The right-hand sides.
        square: Whether the matrices must be square.
        join: What becomes of both's batch axes.

    Raises:
        ValueError: The shapes do not fit.
    """
    left = square_dims(matrix, "Input") if square else with_rank_at_least(matrix, 2, "Input matrix")
    right = with_rank_at_least(rhs, 2, "Right-hand side")
    if left is not None and right is not None and None not in (left[-2], right[-2]) and left[-2] != right[-2]:
        raise ValueError(f"Input matrix and rhs are incompatible: {list(left)} vs. {list(right)}")
    batch = join(None if left is None else left[:-2], None if right is None else right[:-2])
    rows = None if left is None else left[-1]
    if rows is None and square and right is not None:
        rows = right[-2]
    return batch, rows, None if right is None else right[-1]


# ------------------------------------------------------------------------------------------------- in kernels


def check_square(array: Any) -> None:
    """Raises ValueError unless the array is of square matrices."""
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise ValueError(f"Input matrix must be square, but its shape is {list(array.shape)}")


def check_system(matrix: Any, rhs: Any, square: bool = True) -> None:
    """Raises ValueError unless `matrix @ x = rhs` makes sense, with the same batch axes on both sides."""
    if square:
        check_square(matrix)
    if matrix.ndim < 2 or rhs.ndim < 2 or matrix.shape[-2] != rhs.shape[-2]:
        raise ValueError(f"Input matrix and rhs are incompatible: {list(matrix.shape)} vs. {list(rhs.shape)}")
    if matrix.shape[:-2] != rhs.shape[:-2]:
        raise ValueError("All input tensors must have the same outer dimensions.")


def adjoint_of(xp: Any, array: Any) -> Any:
    """The conjugate transposes of an array's matrices."""
    return xp.conj(xp.matrix_transpose(array)) if "complex" in str(array.dtype) else xp.matrix_transpose(array)


def succeeding(message: str, function: Callable[[], Any]) -> Any:
    """Returns what a function of `numpy.linalg` gives.

    Raises:
        InvalidArgumentError: With that message, the matrix is not one that it can be given for.
    """
    try:
        return function()
    except np.linalg.LinAlgError as error:
        raise InvalidArgumentError(message) from error


def check_no_nan(xp: Any, array: Any, message: str) -> None:
    """Raises InvalidArgumentError if NumPy is computing and there is a NaN; others cannot look at values."""
    if xp is np and np.isnan(array).any():
        raise InvalidArgumentError(message)
