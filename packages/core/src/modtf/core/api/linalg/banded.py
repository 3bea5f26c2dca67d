"""Systems of banded and tridiagonal matrices, given by their diagonals (`tf.linalg`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.elementwise import conj
from modtf.core.api.linalg.rearranging import diag_part, matrix_transpose
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["banded_triangular_solve", "tridiagonal_matmul", "tridiagonal_solve"]


def banded_triangular_solve(
    bands: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """Solves triangular systems whose matrices have few diagonals.

    Args:
        bands: A tensor [..., k, n] of the diagonals, floating or complex, the uppermost first: of lower triangles the main
            one and those below, which start at the right; of upper triangles those above and the main one, which start at
            the left (as `diag_part` has them with `align="LEFT_RIGHT"`).
        rhs: A tensor [..., n, m], whose leading axes broadcast with those of `bands`.
        lower: Whether the triangles are lower ones.
        adjoint: Whether to take the matrices' conjugate transposes.
        name: A name for the graph node.

    Returns:
        A tensor [..., n, m].

    Raises:
        InvalidArgumentError: There is a zero on the main diagonal.
    """
    return raw.BandedTriangularSolve(bands, rhs, lower=lower, adjoint=adjoint, name=name)


def _three_diagonals(diagonals: Any, diagonals_format: str) -> list[Tensor]:
    """The diagonals [..., n] above, on and below the main one."""
    if diagonals_format == "sequence":
        if not isinstance(diagonals, (tuple, list)) or len(diagonals) != 3:
            raise ValueError("Expected diagonals to be a sequence of length 3.")
        main = convert_to_tensor(diagonals[1])
        above, below = (convert_to_tensor(diagonals[index], dtype_hint=main.dtype) for index in (0, 2))
        return [_filled_up(above, main, 0, 1), main, _filled_up(below, main, 1, 0)]
    tensor = convert_to_tensor(diagonals)
    if diagonals_format == "matrix":
        dims = tensor.dims
        if dims is not None and None not in dims[-2:] and dims[-2] != dims[-1]:
            raise ValueError(f"Expected last two dimensions of diagonals to be same, got {dims[-2]} and {dims[-1]}")
        tensor = diag_part(tensor, k=(-1, 1), align="LEFT_RIGHT")
    elif diagonals_format != "compact":
        raise ValueError(f"Unrecognized diagonals_format: {diagonals_format}")
    if tensor.dims is not None and len(tensor.dims) < 2:
        raise ValueError(f"Expected diagonals to have rank at least 2, got {len(tensor.dims)}")
    if tensor.dims is not None and tensor.dims[-2] not in (3, None):
        raise ValueError(f"Expected 3 diagonals got {tensor.dims[-2]}")
    return [tensor[..., index, :] for index in range(3)]


def _filled_up(diagonal: Tensor, main: Tensor, before: int, behind: int) -> Tensor:
    """The diagonal with a zero more, if it is as short as it really is."""
    if diagonal.dims is None or main.dims is None or None in (diagonal.dims[-1], main.dims[-1]):
        return diagonal
    length, size = diagonal.dims[-1], main.dims[-1]
    if length == size:
        return diagonal
    if length != size - 1:  # type: ignore[operator]
        raise ValueError(f"Expected diagonals to have length {size} or one less, got {length}.")
    lead = [[0, 0]] * (len(diagonal.dims) - 1)
    return raw.Pad(diagonal, np.array([*lead, [before, behind]], np.int32))


def tridiagonal_solve(
    diagonals: Any, rhs: Any, diagonals_format: str = "compact", transpose_rhs: bool = False, conjugate_rhs: bool = False,
    name: str | None = None, partial_pivoting: bool = True, perturb_singular: bool = False,
) -> Tensor:  # fmt: skip
    """Solves tridiagonal systems by Gaussian elimination, in time linear in their size.

    Args:
        diagonals: The matrices, floating or complex: see `diagonals_format`.
        rhs: A tensor [..., n, m], or [..., n] where that is one axis less than the matrices have.
        diagonals_format: `"compact"`, a tensor [..., 3, n] of the diagonals above, on and below the main one, in which the
            last element above and the first below do not count; `"sequence"`, these three as a list, in which those
            elements may be missing; `"matrix"`, a tensor [..., n, n].
        transpose_rhs: Whether `rhs` is [..., m, n] and to be transposed.
        conjugate_rhs: Whether to conjugate `rhs`.
        name: A name for the graph node.
        partial_pivoting: Whether rows may be swapped for the sake of exactness.
        perturb_singular: Whether to move singular matrices away from being so, which inverse iteration is glad of.

    Returns:
        A tensor of the shape of the right-hand sides; NaN where a matrix is singular.

    Raises:
        ValueError: The shapes do not fit, or `perturb_singular` is asked for without pivoting.
    """
    if perturb_singular and not partial_pivoting:
        raise ValueError("partial_pivoting must be True if perturb_singular is.")
    compact = raw.Pack(_three_diagonals(diagonals, diagonals_format), axis=-2)
    right = convert_to_tensor(rhs, dtype_hint=compact.dtype)
    is_vector = compact.ndim is not None and right.ndim == compact.ndim - 1
    if not is_vector and None not in (compact.ndim, right.ndim) and compact.ndim != right.ndim:
        raise ValueError(
            f"Expected the rank of rhs to be {(compact.ndim or 0) - 1} or {compact.ndim}, got {right.ndim}"
        )
    if transpose_rhs and not is_vector:
        right = matrix_transpose(right, conjugate=conjugate_rhs)
    elif conjugate_rhs:
        right = conj(right)
    if is_vector:
        right = raw.ExpandDims(right, np.int32(-1))
    solution = raw.TridiagonalSolve(
        compact, right, partial_pivoting=partial_pivoting, perturb_singular=perturb_singular, name=name
    )
    return raw.Squeeze(solution, squeeze_dims=[-1]) if is_vector else solution


def tridiagonal_matmul(diagonals: Any, rhs: Any, diagonals_format: str = "compact", name: str | None = None) -> Tensor:
    """Returns the products of tridiagonal matrices with others.

    Args:
        diagonals: The tridiagonal matrices, in one of the formats of `tridiagonal_solve`.
        rhs: A tensor [..., n, m].
        diagonals_format: Which format.
        name: A name for the graph node.

    Returns:
        A tensor [..., n, m].
    """
    rows = [raw.ExpandDims(item, np.int32(-2)) for item in _three_diagonals(diagonals, diagonals_format)]
    return raw.TridiagonalMatMul(*rows, rhs, name=name)
