"""Iterative methods (`tf.linalg.experimental`)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from modtf.core.api.array import zeros_like
from modtf.core.api.control_flow import while_loop
from modtf.core.api.elementwise import conj, real
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.identity import LinearOperatorIdentity
from modtf.core.api.reductions import reduce_any, reduce_sum
from modtf.core.engine import raw
from modtf.core.modules import name_scope
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["conjugate_gradient"]


class CGState(NamedTuple):
    """Where the method of conjugate gradients has come to: step, solution, residual, direction, and rᴴ z."""

    i: Tensor
    x: Tensor
    r: Tensor
    p: Tensor
    gamma: Tensor


def _dot(x: Tensor, y: Tensor) -> Tensor:
    """xᴴ y of vectors, as vectors of length 1."""
    return reduce_sum(conj(x) * y, -1, keepdims=True)


def conjugate_gradient(
    operator: LinearOperator,
    rhs: Any,
    preconditioner: LinearOperator | None = None,
    x: Any = None,
    tol: Any = 1e-5,
    max_iter: int = 20,
    name: str = "conjugate_gradient",
) -> CGState:
    """Solves A x = rhs by multiplying with A only (M. Hestenes and E. Stiefel, 1952).

    Args:
        operator: A, known to be self-adjoint and positive definite.
        rhs: A tensor [..., n] of the operator's dtype.
        preconditioner: An operator near the inverse of A, known to be self-adjoint and positive definite.
        x: Where to begin, [..., n]; by default at 0.
        tol: When to stop: when the length of the residual is at most that of `rhs` times this.
        max_iter: The most steps to take.
        name: A name for the graph nodes.

    Returns:
        A named tuple: the number of steps `i`, the solution `x`, the residual `r`, the last direction `p`, and `gamma`, the
        product of the residual with the preconditioned one.

    Raises:
        ValueError: An operator is not known to be self-adjoint and positive definite.
    """
    if not (operator.is_self_adjoint and operator.is_positive_definite):
        raise ValueError("Expected a self-adjoint, positive definite operator: give it these hints if it is.")
    if preconditioner is None:
        condition: LinearOperator = LinearOperatorIdentity(operator.domain_dimension_tensor(), dtype=operator.dtype)
    elif preconditioner.is_self_adjoint and preconditioner.is_positive_definite:
        condition = preconditioner
    else:
        raise ValueError("Expected a self-adjoint, positive definite preconditioner: give it these hints if it is.")

    with name_scope(name):
        rhs = convert_to_tensor(rhs, dtype_hint=operator.dtype)
        size = raw.Sqrt(real(_dot(rhs, rhs)))
        limit = convert_to_tensor(tol, dtype=size.dtype) * size
        begin = zeros_like(rhs) if x is None else convert_to_tensor(x, dtype_hint=rhs.dtype)
        residual = rhs if x is None else rhs - operator.matvec(begin)
        direction = condition.matvec(residual)
        start = CGState(convert_to_tensor(np.int32(0)), begin, residual, direction, _dot(residual, direction))

        def goes_on(i: Tensor, x: Tensor, r: Tensor, p: Tensor, gamma: Tensor) -> Tensor:
            return raw.LogicalAnd(i < max_iter, reduce_any(raw.Sqrt(real(_dot(r, r))) > limit))

        def step(i: Tensor, x: Tensor, r: Tensor, p: Tensor, gamma: Tensor) -> tuple[Tensor, ...]:
            image = operator.matvec(p)
            alpha = gamma / _dot(p, image)
            x, r = x + alpha * p, r - alpha * image
            q = condition.matvec(r)
            next_gamma = _dot(r, q)
            return i + 1, x, r, q + next_gamma / gamma * p, next_gamma

        i, found, r, p, gamma = while_loop(goes_on, step, tuple(start))
        return CGState(i, found, r, p, raw.Squeeze(gamma, squeeze_dims=[-1]))
