"""Kernels of linear algebra that XLA has routines for, which the Array API has no names for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from modtf.core.contracts import find_kernel_dtype


def _wide(array: Any) -> Any:
    """The array, 16-bit floats in 32 bits: the routines take no narrower ones."""
    return array.astype(jnp.float32) if array.dtype.itemsize == 2 else array


def _triangular_solve(xp: Any, matrix: Any, rhs: Any, *, lower: bool, adjoint: bool) -> Any:
    batch = jnp.broadcast_shapes(matrix.shape[:-2], rhs.shape[:-2])
    left, right = (jnp.broadcast_to(_wide(x), (*batch, *x.shape[-2:])) for x in (matrix, rhs))
    solution = lax.linalg.triangular_solve(
        left, right, left_side=True, lower=lower, transpose_a=adjoint, conjugate_a=adjoint
    )
    return solution.astype(rhs.dtype)


def _lu(xp: Any, input: Any, *, output_idx_type: Any) -> Any:
    if input.ndim < 2 or input.shape[-1] != input.shape[-2]:
        raise ValueError(f"Input matrix must be square, but its shape is {list(input.shape)}")
    factors, _, order = lax.linalg.lu(_wide(input))
    return factors.astype(input.dtype), order.astype(find_kernel_dtype(xp, output_idx_type))


def _exponential(xp: Any, input: Any) -> Any:
    from jax.scipy.linalg import expm  # SciPy's names for all of linear algebra, which few programs use

    return expm(_wide(input), max_squarings=64).astype(input.dtype)


KERNELS: dict[str, Callable[..., Any]] = {
    "BatchMatrixTriangularSolve": _triangular_solve,
    "Lu": _lu,
    "MatrixExponential": _exponential,
    "MatrixTriangularSolve": _triangular_solve,
}
"""By op name; called like an op's own kernel."""
