"""Operators as the blocks on and below the diagonal of a larger one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.api.array import concat
from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.blocks import Blockwise, broadcast
from modtf.core.api.linalg.operators.composition import check_list
from modtf.core.api.linalg.operators.full_matrix import LinearOperatorFullMatrix
from modtf.core.api.side_effects import group
from modtf.core.values.tensors import Tensor


class LinearOperatorBlockLowerTriangular(Blockwise):
    """A matrix with operators as its blocks on and below the diagonal, and zeros above.

    What it is multiplied with, and solves for, may be given as a list of one tensor for each block.

    Args:
        operators: The rows of blocks, each a list one longer than that before; those on the diagonal are square.
        is_non_singular: Whether it has an inverse: whether all blocks on the diagonal have.
        is_self_adjoint: Whether it equals its conjugate transpose.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Always.
        name: A name.

    Raises:
        TypeError: The dtypes differ.
        ValueError: There are no blocks, their number or dimensions do not fit, or a hint contradicts theirs.
    """

    _parameter_ranks = {"operators": 0}  # noqa: RUF012

    def __init__(
        self,
        operators: Sequence[Sequence[LinearOperator]],
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorBlockLowerTriangular",
    ) -> None:
        self._operators = [list(row) for row in operators]
        _check_rows(self._operators)
        message = "A block lower triangular operator whose diagonal blocks are square is always square."
        square = hints.checked(is_square, True, message)
        singular = [operator.is_non_singular for operator in self._diagonal()]
        if all(singular):
            message = "A block lower triangular operator with non-singular diagonal blocks is always non-singular."
            is_non_singular = hints.checked(is_non_singular, True, message)
        elif False in singular:
            message = "A block lower triangular operator with a singular diagonal block is always singular."
            is_non_singular = hints.checked(is_non_singular, False, message)
        dtype = self._operators[0][0].dtype
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, square, name)

    @property
    def operators(self) -> list[list[LinearOperator]]:
        """The rows of blocks."""
        return self._operators

    def _diagonal(self) -> list[LinearOperator]:
        return [row[-1] for row in self._operators]

    _row_blocks = _column_blocks = _diagonal

    def _all_blocks(self) -> list[LinearOperator]:
        return [operator for row in self._operators for operator in row]

    def _multiply_blocks(self, blocks: list[Tensor], adjoint: bool) -> list[Tensor]:
        count = len(blocks)
        products = []
        for index in range(count):
            others = range(index, count) if adjoint else range(index + 1)
            place = (lambda i, j: (j, i)) if adjoint else (lambda i, j: (i, j))
            terms = [self._block(*place(index, other)).matmul(blocks[other], adjoint) for other in others]
            products.append(_added(terms))
        return products

    def _block(self, row: int, column: int) -> LinearOperator:
        return self._operators[row][column]

    def _solve_blocks(self, blocks: list[Tensor], adjoint: bool) -> list[Tensor]:
        """By substitution, forward, or backward of the adjoint."""
        order = list(range(len(blocks)))[:: -1 if adjoint else 1]
        found: dict[int, Tensor] = {}
        for index in order:
            rest = blocks[index]
            for other, solution in found.items():
                block = self._block(other, index) if adjoint else self._block(index, other)
                rest = rest - block.matmul(solution, adjoint)
            found[index] = self._operators[index][index].solve(rest, adjoint)
        return [found[index] for index in range(len(blocks))]

    def _diag_part(self) -> Tensor:
        return concat(broadcast([operator.diag_part() for operator in self._diagonal()], 1), -1)

    def _eigvals(self) -> Tensor:
        return concat(broadcast([operator.eigvals() for operator in self._diagonal()], 1), -1)

    def _determinant(self) -> Tensor:
        product: Any = self._operators[0][0].determinant()
        for operator in self._diagonal()[1:]:
            product = product * operator.determinant()
        return product

    def _log_abs_determinant(self) -> Tensor:
        return _added([operator.log_abs_determinant() for operator in self._diagonal()])

    def _linop_inverse(self) -> LinearOperator:
        """Block for block by substitution: those on the diagonal are inverse operators, those below dense."""
        rows: list[list[LinearOperator]] = []
        for index, row in enumerate(self._operators):
            made: list[LinearOperator] = []
            for place in range(index):
                terms = [row[between].matmul(rows[between][place].to_dense()) for between in range(place, index)]
                made.append(LinearOperatorFullMatrix(-row[-1].solve(_added(terms))))
            rows.append([*made, row[-1].inverse()])
        return LinearOperatorBlockLowerTriangular(rows, **hints.of(self))

    def _assert_non_singular(self) -> Any:
        return group(*(operator.assert_non_singular() for operator in self._diagonal()))


def _added(terms: list[Tensor]) -> Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _check_rows(rows: list[list[LinearOperator]]) -> None:
    if not rows:
        raise ValueError(f"Argument `operators` must be a list of >=1 operators. Received: {rows}.")
    check_list(operator for row in rows for operator in row)
    for index, row in enumerate(rows):
        if len(row) != index + 1:
            raise ValueError(
                f"Argument `operators[{index}]` must contain `{index + 1}` blocks. Received: {len(row)} blocks."
            )
        if row[-1].is_square is False:
            raise ValueError(f"Argument `operators[{index}][{index}]` must be square. Received shape: {row[-1].shape}.")
        for place, operator in enumerate(row):
            for size, wanted, what in (
                (operator.domain_dimension, rows[place][place].domain_dimension, f"operators[{place}][{place}].domain"),
                (operator.range_dimension, row[-1].range_dimension, f"operators[{index}][{index}].range"),
            ):
                if None not in (size, wanted) and size != wanted:
                    raise ValueError(
                        f"Argument `operators[{index}][{place}]` of shape {operator.shape} must have `{what}_dimension` "
                        f"({wanted}), not {size}."
                    )
