"""Banded and tridiagonal systems, whose matrices are given by their diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, with_rank_at_least
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import conj, like, unbroadcast
from modtf.core.ops.linalg.matrix_algebra import product, transpose
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, broadcast_dims
from modtf.core.values.tensors import Tensor

_ROWS, _COLUMNS = np.int32(-2), np.int32(-1)

# ------------------------------------------------------------------------------------------------- banded triangles


def _banded_dims(matrix: Tensor, rhs: Tensor, **attrs: Any) -> Dims:
    bands, right = with_rank_at_least(matrix, 2, "bands"), with_rank_at_least(rhs, 2, "rhs")
    if bands is None or right is None:
        return None
    (rows,) = merged(bands[-1:], right[-2:-1]) or (None,)
    return (*(broadcast_dims(bands[:-2], right[:-2]) or ()), rows, right[-1])


@op(
    "BandedTriangularSolve[T: float16|float32|float64|complex](matrix: T, rhs: T, *, lower: bool = True, "
    "adjoint: bool = False) -> (output: T)",
    shape=_banded_dims,
    host_only=True,
)
@widened
def banded_triangular_solve(xp: Any, matrix: np.ndarray, rhs: np.ndarray, *, lower: bool, adjoint: bool) -> Any:
    """Forward substitution: `bands[d, i]` is the element d places left of the diagonal in row i.

    Of an upper triangle the order of rows and columns is reversed first, which makes it a lower one.
    """
    if matrix.ndim < 2 or rhs.ndim < 2 or matrix.shape[-1] != rhs.shape[-2]:
        raise ValueError(f"Bands and right-hand sides do not fit: {list(matrix.shape)} and {list(rhs.shape)}")
    count, size = matrix.shape[-2:]
    if 0 in matrix.shape or 0 in rhs.shape:
        raise InvalidArgumentError(f"Nothing can be solved: {list(matrix.shape)} and {list(rhs.shape)}")
    if not 0 < count <= max(size, 1):
        raise InvalidArgumentError(f"There must be 1 to {size} bands of matrices with {size} rows, not {count}")
    bands = matrix if lower else matrix[..., ::-1, ::-1]
    if adjoint:
        bands = np.stack([np.roll(bands[..., d, :], -d, axis=-1) for d in range(count)], axis=-2).conj()[..., ::-1]
    if not (bands[..., 0, :] != 0).all():
        raise InvalidArgumentError("Input matrix is not invertible.")
    batch = np.broadcast_shapes(bands.shape[:-2], rhs.shape[:-2])
    reverse = slice(None, None, 1 if lower != adjoint else -1)
    solution = np.broadcast_to(rhs[..., reverse, :], (*batch, *rhs.shape[-2:])).copy()
    for row in range(size):
        reach = min(count - 1, row)
        known = bands[..., reach:0:-1, row][..., None, :] @ solution[..., row - reach : row, :]
        solution[..., row, :] = (solution[..., row, :] - known[..., 0, :]) / bands[..., 0, row, None]
    return solution[..., reverse, :]


@banded_triangular_solve.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    bands, rhs = call.inputs
    solution, lower = call.outputs[0], call["lower"]
    to_rhs = raw.BandedTriangularSolve(bands, dy, lower=lower, adjoint=not call["adjoint"])
    left, right = (solution, to_rhs) if call["adjoint"] else (to_rhs, solution)
    last = raw.Shape(bands)[-2] - 1
    zero = like(last, 0)
    reach = raw.Pack([-last, zero] if lower else [zero, last])
    to_matrix = -product(left, right, adj_b=True)
    to_bands = raw.MatrixDiagPartV3(to_matrix, reach, like(bands, 0, scalar=True), align="LEFT_RIGHT")
    one_band = bands.dims is None or bands.dims[-2] in (None, 1)
    if one_band:  # a single diagonal comes without its axis
        lead = raw.Shape(to_matrix)[:-2]
        to_bands = raw.Reshape(to_bands, raw.ConcatV2([lead, raw.Shape(bands)[-2:]], np.int32(0)))
    return unbroadcast(to_bands, bands, batch_of=rhs), unbroadcast(to_rhs, rhs, batch_of=bands)


# ------------------------------------------------------------------------------------------------- tridiagonal products


def _without(x: Any, first: bool) -> Any:
    """The rows (the last axis but one) but the first or last."""
    return x[..., 1:, :] if first else x[..., :-1, :]


def _moved(x: Tensor, up: bool) -> Tensor:
    """The rows moved by one, up or down, zeros coming in."""
    zeros = like(x[..., :1, :], 0)
    return raw.ConcatV2([_without(x, True), zeros] if up else [zeros, _without(x, False)], _ROWS)


def _tridiagonal_product_dims(superdiag: Tensor, maindiag: Tensor, subdiag: Tensor, rhs: Tensor) -> Dims:
    dims = with_rank_at_least(rhs, 2, "rhs")
    for diagonal in (superdiag, maindiag, subdiag):
        given = with_rank_at_least(diagonal, 2, "A diagonal")
        if dims is not None and given is not None:
            merged(given, (*dims[:-2], 1, dims[-2]))
    return dims


@op(
    "TridiagonalMatMul[T: float32|float64|complex](superdiag: T, maindiag: T, subdiag: T, rhs: T) -> (output: T)",
    shape=_tridiagonal_product_dims,
)
def tridiagonal_mat_mul(xp: Any, superdiag: Any, maindiag: Any, subdiag: Any, rhs: Any) -> Any:
    expected = (*rhs.shape[:-2], 1, *rhs.shape[-2:-1])
    for diagonal in (superdiag, maindiag, subdiag):
        if rhs.ndim < 2 or tuple(diagonal.shape) != expected:
            raise ValueError(f"A diagonal has shape {list(diagonal.shape)}, but must have {list(expected)}")
    above, main, below = (xp.matrix_transpose(diagonal) for diagonal in (superdiag, maindiag, subdiag))
    zeros = xp.zeros_like(rhs[..., :1, :])
    upper = xp.concat([_without(above, False) * _without(rhs, True), zeros], axis=-2)
    lower = xp.concat([zeros, _without(below, True) * _without(rhs, False)], axis=-2)
    return upper + main * rhs + lower


@tridiagonal_mat_mul.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, ...]:
    *diagonals, rhs = call.inputs
    above, main, below = (transpose(conj(diagonal)) for diagonal in diagonals)
    x = conj(rhs)
    to_diagonals = [
        raw.ExpandDims(raw.Sum(partner * dy, _COLUMNS), _ROWS) for partner in (_moved(x, True), x, _moved(x, False))
    ]
    to_rhs = _moved(above * dy, False) + main * dy + _moved(below * dy, True)
    return *to_diagonals, to_rhs


# ------------------------------------------------------------------------------------------------- tridiagonal systems


def _tridiagonal_solution_dims(diagonals: Tensor, rhs: Tensor, **attrs: Any) -> Dims:
    left, right = with_rank_at_least(diagonals, 2, "diagonals"), with_rank_at_least(rhs, 2, "rhs")
    if left is not None:
        merged(left[-2:-1], (3,))
    if left is not None and right is not None:
        merged((*left[:-2], left[-1]), right[:-1])
    return right


@op(
    "TridiagonalSolve[T: float32|float64|complex](diagonals: T, rhs: T, *, partial_pivoting: bool = True, "
    "perturb_singular: bool = False) -> (output: T)",
    shape=_tridiagonal_solution_dims,
    host_only=True,
    quiet=True,
)
def tridiagonal_solve(
    xp: Any, diagonals: np.ndarray, rhs: np.ndarray, *, partial_pivoting: bool, perturb_singular: bool
) -> Any:
    """Gaussian elimination: rows are swapped with the next where that has the larger element, if at all.

    An eliminated row has up to three elements: on the diagonal, and one and two places right of it.
    """
    if diagonals.ndim < 2 or diagonals.shape[-2] != 3 or (*diagonals.shape[:-2], diagonals.shape[-1]) != rhs.shape[:-1]:
        raise ValueError(
            f"Diagonals of shape [..., 3, M] and right-hand sides of [..., M, K] must fit, but their shapes are "
            f"{list(diagonals.shape)} and {list(rhs.shape)}"
        )
    if perturb_singular and not partial_pivoting:
        raise InvalidArgumentError("Setting perturb_singular to True requires pivoting.")
    size = rhs.shape[-2]
    above, main, below = (diagonals[..., index, :].copy() for index in range(3))
    second, solution = np.zeros_like(main), rhs.copy()
    if not size:
        return solution
    above[..., -1] = 0
    smallest = np.finfo(diagonals.dtype).eps * np.abs(diagonals).max(axis=(-2, -1)) if perturb_singular else 0
    for row in range(size - 1):
        here, there = [main, above, second], [below, main, above]
        if partial_pivoting:
            swap = np.abs(below[..., row + 1]) > np.abs(main[..., row])
            for a, b in zip(here, there, strict=True):
                a[..., row], b[..., row + 1] = (
                    np.where(swap, b[..., row + 1], a[..., row]), np.where(swap, a[..., row], b[..., row + 1]),
                )  # fmt: skip
            pair = solution[..., row : row + 2, :]
            solution[..., row : row + 2, :] = np.where(swap[..., None, None], pair[..., ::-1, :], pair)
        _perturb(main, row, smallest)
        factor = below[..., row + 1] / main[..., row]
        main[..., row + 1] -= factor * above[..., row]
        above[..., row + 1] -= factor * second[..., row]
        solution[..., row + 1, :] -= factor[..., None] * solution[..., row, :]
    _perturb(main, size - 1, smallest)
    for row in range(size - 1, -1, -1):
        for distance, diagonal in ((1, above), (2, second)):
            if row + distance < size:
                solution[..., row, :] -= diagonal[..., row, None] * solution[..., row + distance, :]
        solution[..., row, :] /= main[..., row, None]
    return np.where((main == 0).any(axis=-1)[..., None, None], np.nan, solution).astype(rhs.dtype)


def _perturb(main: np.ndarray, row: int, smallest: Any) -> None:
    """Moves pivots that are as good as zero away from it."""
    pivot = main[..., row]
    main[..., row] = np.where(np.abs(pivot) < smallest, np.where(np.real(pivot) < 0, -smallest, smallest), pivot)


@tridiagonal_solve.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    diagonals = conj(call.inputs[0])
    x = conj(call.outputs[0])
    above, main, below = (raw.ExpandDims(diagonals[..., index, :], _COLUMNS) for index in range(3))
    adjoint = raw.ConcatV2([_moved(below, True), main, _moved(above, False)], _COLUMNS)
    to_rhs = raw.TridiagonalSolve(
        transpose(adjoint), dy, partial_pivoting=call["partial_pivoting"], perturb_singular=call["perturb_singular"]
    )
    parts = [-raw.Sum(to_rhs * partner, _COLUMNS) for partner in (_moved(x, True), x, _moved(x, False))]
    return raw.Pack(parts, axis=-2), to_rhs
