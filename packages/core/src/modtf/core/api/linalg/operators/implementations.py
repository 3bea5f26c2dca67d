"""What the functions of `tf.linalg` do with operators."""

from __future__ import annotations

from typing import Any

from modtf.core.api.dispatch import implements
from modtf.core.api.linalg import decompositions, products, rearranging, systems
from modtf.core.api.linalg.operators.base import LinearOperator

_METHODS: dict[Any, str] = {
    rearranging.adjoint: "adjoint",
    rearranging.diag_part: "diag_part",
    rearranging.trace: "trace",
    decompositions.cholesky: "cholesky",
    systems.det: "determinant",
}


def _of_one(method: str) -> Any:
    return lambda operator, name=None: getattr(operator, method)(**({} if name is None else {"name": name}))


for _function, _method in _METHODS.items():
    implements(_function, LinearOperator)(_of_one(_method))


@implements(systems.inv, LinearOperator)
def _inverse(input: LinearOperator, adjoint: bool = False, name: str | None = None) -> LinearOperator:
    inverse = input.inverse()
    return inverse.adjoint() if adjoint else inverse


@implements(systems.logdet, LinearOperator)
def _log_determinant(matrix: LinearOperator, name: str | None = None) -> Any:
    if not (matrix.is_positive_definite and matrix.is_self_adjoint):
        raise ValueError(
            "Expected matrix to be self-adjoint positive definite: give the operator these hints if it is."
        )
    return matrix.log_abs_determinant()


@implements(systems.solve, LinearOperator)
def _solution(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    if not isinstance(matrix, LinearOperator):
        raise ValueError("A tensor cannot solve with an operator. Make it one with LinearOperatorFullMatrix.")
    return matrix.solve(rhs, adjoint=adjoint)


@implements(products.matmul, LinearOperator)
def _product(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Any:
    if transpose_a or transpose_b:
        raise ValueError("Operators can be made adjoint (adjoint_a, adjoint_b), not transposed.")
    if isinstance(a, LinearOperator):
        return a.matmul(b, adjoint=adjoint_a, adjoint_arg=adjoint_b)
    # a B = (Bᴴ aᴴ)ᴴ
    return rearranging.adjoint(b.matmul(a, adjoint=not adjoint_b, adjoint_arg=not adjoint_a))
