"""Operators side by side on the diagonal of a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.api.array import concat
from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.blocks import Blockwise, broadcast
from modtf.core.api.linalg.operators.composition import check_list
from modtf.core.api.side_effects import group
from modtf.core.values.tensors import Tensor


class LinearOperatorBlockDiag(Blockwise):
    """A matrix with operators as the blocks of its diagonal, and zeros elsewhere.

    What it is multiplied with, and solves for, may be given as a list of one tensor for each block.

    Args:
        operators: The blocks, whose batches broadcast.
        is_non_singular: Whether it has an inverse; by default if all blocks are known to.
        is_self_adjoint: Whether it equals its conjugate transpose; by default if all blocks are known to.
        is_positive_definite: Whether it is positive definite; by default if all blocks are known to be.
        is_square: Whether it is square.
        name: A name; by default the names of all with `_ds_` between.

    Raises:
        TypeError: The dtypes differ.
        ValueError: There are no blocks, or a hint contradicts theirs.
    """

    _parameter_ranks = {"operators": 0}  # noqa: RUF012

    def __init__(
        self,
        operators: Sequence[LinearOperator],
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str | None = None,
    ) -> None:
        self._operators = check_list(operators)
        known: dict[str, Any] = {}
        for given, word in (
            (is_non_singular, "non-singular"),
            (is_self_adjoint, "self-adjoint"),
            (is_positive_definite, "positive definite"),
        ):
            hint = f"is_{word.replace('-', '_').replace(' ', '_')}"
            if hints.of_all(self._operators, hint):
                given = hints.checked(given, True, f"The direct sum of {word} operators is always {word}.")
            known[hint] = given
        name = name or "_ds_".join(operator.name for operator in self._operators)
        super().__init__(self._operators[0].dtype, is_square=is_square, name=name, **known)

    @property
    def operators(self) -> list[LinearOperator]:
        """The blocks."""
        return self._operators

    def _all_blocks(self) -> list[LinearOperator]:
        return self._operators

    _row_blocks = _column_blocks = _all_blocks

    def _multiply_blocks(self, blocks: list[Tensor], adjoint: bool) -> list[Tensor]:
        return [operator.matmul(block, adjoint) for operator, block in zip(self._operators, blocks, strict=True)]

    def _solve_blocks(self, blocks: list[Tensor], adjoint: bool) -> list[Tensor]:
        return [operator.solve(block, adjoint) for operator, block in zip(self._operators, blocks, strict=True)]

    def _diag_part(self) -> Tensor:
        if not hints.of_all(self._operators, "is_square"):
            return super()._diag_part()
        return concat(broadcast([operator.diag_part() for operator in self._operators], 1), -1)

    def _eigvals(self) -> Tensor:
        if not hints.of_all(self._operators, "is_self_adjoint"):
            return super()._eigvals()
        return concat(broadcast([operator.eigvals() for operator in self._operators], 1), -1)

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

    def _of_blocks(self, method: str) -> LinearOperator:
        made = [getattr(operator, method)() for operator in self._operators]
        return LinearOperatorBlockDiag(made, **hints.of(self))

    def _linop_adjoint(self) -> LinearOperator:
        return self._of_blocks("adjoint")

    def _linop_inverse(self) -> LinearOperator:
        return self._of_blocks("inverse")

    def _linop_cholesky(self) -> LinearOperator:
        if not (
            hints.of_all(self._operators, "is_self_adjoint") and hints.of_all(self._operators, "is_positive_definite")
        ):
            return super()._linop_cholesky()
        made = [operator.cholesky() for operator in self._operators]
        return LinearOperatorBlockDiag(made, is_non_singular=True, is_square=True)

    def _assert_all(self, method: str) -> Any:
        return group(*(getattr(operator, method)() for operator in self._operators))

    def _assert_non_singular(self) -> Any:
        return self._assert_all("assert_non_singular")

    def _assert_self_adjoint(self) -> Any:
        return self._assert_all("assert_self_adjoint")

    def _assert_positive_definite(self) -> Any:
        return self._assert_all("assert_positive_definite")
