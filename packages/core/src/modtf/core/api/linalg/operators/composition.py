"""Products of operators, which are not multiplied out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.reversing import LinearOperatorAdjoint
from modtf.core.api.linalg.operators.shapes import common_batch, common_batch_tensor, joined
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


def check_list(operators: Any) -> list[LinearOperator]:
    """The operators that another is made of.

    Raises:
        TypeError: Their dtypes differ, or one is no operator.
        ValueError: There are none.
    """
    operators = list(operators)
    if not operators:
        raise ValueError(f"Expected a non-empty list of operators. Found: {operators}")
    for operator in operators:
        if not isinstance(operator, LinearOperator):
            raise TypeError(f"Expected operators, found {operator!r}. Make it one with LinearOperatorFullMatrix.")
    if any(operator.dtype is not operators[0].dtype for operator in operators):
        found = ", ".join(f"{operator.name}: {operator.dtype!r}" for operator in operators)
        raise TypeError(f"Expected all operators to have the same dtype. Found {found}.")
    return operators


def is_symmetric_product(operators: Sequence[LinearOperator]) -> bool:
    """Whether the second half are the adjoints of the first in reverse order: A B Bᴴ Aᴴ."""

    def mirrored(a: LinearOperator, b: LinearOperator) -> bool:
        if a is b:
            return bool(a.is_self_adjoint)
        return (isinstance(a, LinearOperatorAdjoint) and a.operator is b) or (
            isinstance(b, LinearOperatorAdjoint) and b.operator is a
        )

    return len(operators) % 2 == 0 and all(
        mirrored(operators[index], operators[-1 - index]) for index in range(len(operators) // 2)
    )


class LinearOperatorComposition(LinearOperator):
    """The product of operators, [A, B, ...] standing for A B ...

    Args:
        operators: The factors, whose inner dimensions fit and whose batches broadcast.
        is_non_singular: Whether it has an inverse; it has if all factors have.
        is_self_adjoint: Whether it equals its conjugate transpose; it does if it is A Aᴴ.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Whether it is square.
        name: A name; by default the names of all with `_o_` between.

    Raises:
        TypeError: The dtypes differ.
        ValueError: There are no factors, their dimensions do not fit, or a hint contradicts theirs.
    """

    _parameter_ranks = {"operators": 0}  # noqa: RUF012

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        self._operators = check_list(operators)
        for left, right in zip(self._operators, self._operators[1:], strict=False):
            sizes = left.domain_dimension, right.range_dimension
            if None not in sizes and sizes[0] != sizes[1]:
                raise ValueError(
                    f"Dimensions {sizes[0]} and {sizes[1]} are not compatible: {left.shape} by {right.shape}."
                )
        if hints.of_all(self._operators, "is_non_singular"):
            message = "The composition of non-singular operators is always non-singular."
            is_non_singular = hints.checked(is_non_singular, True, message)
        alone = len(self._operators) == 1 and self._operators[0].is_self_adjoint
        if alone or is_symmetric_product(self._operators):
            message = "The composition was determined to be self-adjoint but the hint is_self_adjoint was False."
            is_self_adjoint = hints.checked(is_self_adjoint, True, message)
        name = name or "_o_".join(operator.name for operator in self._operators)
        dtype = self._operators[0].dtype
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    @property
    def operators(self) -> list[LinearOperator]:
        """The factors."""
        return self._operators

    def _shape(self) -> TensorShape:
        batch = common_batch([operator.batch_shape for operator in self._operators])
        return batch.concatenate([self._operators[0].range_dimension, self._operators[-1].domain_dimension])

    def _shape_tensor(self) -> Tensor:
        batch = common_batch_tensor([operator.batch_shape_tensor() for operator in self._operators])
        ends = self._operators[0].range_dimension_tensor(), self._operators[-1].domain_dimension_tensor()
        return joined(batch, *ends)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        for operator in self._operators if adjoint else reversed(self._operators):
            x = operator.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return x

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        for operator in reversed(self._operators) if adjoint else self._operators:
            rhs = operator.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return rhs

    def _determinant(self) -> Tensor:
        if not hints.of_all(self._operators, "is_square"):
            return super()._determinant()
        product: Any = self._operators[0].determinant()
        for operator in self._operators[1:]:
            product = product * operator.determinant()
        return product

    def _log_abs_determinant(self) -> Tensor:
        if not hints.of_all(self._operators, "is_square"):
            return super()._log_abs_determinant()
        total: Any = self._operators[0].log_abs_determinant()
        for operator in self._operators[1:]:
            total = total + operator.log_abs_determinant()
        return total

    def _assert_non_singular(self) -> Any:
        if hints.of_all(self._operators, "is_square"):
            from modtf.core.api.side_effects import group

            return group(*(operator.assert_non_singular() for operator in self._operators))
        return super()._assert_non_singular()
