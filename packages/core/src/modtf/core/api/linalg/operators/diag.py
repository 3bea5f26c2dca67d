"""Diagonal operators."""

from __future__ import annotations

from typing import Any

from modtf.core.api.elementwise import abs, cast, conj, log, sqrt
from modtf.core.api.linalg.operators import checks, hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import check_parameter, column, flipped, joined, kept
from modtf.core.api.linalg.rearranging import diag, diag_part, set_diag
from modtf.core.api.reductions import reduce_max, reduce_min, reduce_prod, reduce_sum
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


class LinearOperatorDiag(LinearOperator):
    """A diagonal matrix, which costs as many steps as it has rows.

    Args:
        diag: The diagonal, a tensor or variable [..., n].
        is_non_singular: Whether no element is zero.
        is_self_adjoint: Whether all elements are real; those of a real dtype are.
        is_positive_definite: Whether all real parts are positive.
        is_square: Always.
        name: A name.

    Raises:
        ValueError: The rank is below 1, or a hint contradicts what is always so.
    """

    _parameter_ranks = {"diag": 1}  # noqa: RUF012

    def __init__(
        self,
        diag: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorDiag",
    ) -> None:
        self._diag = kept(diag)
        check_parameter(self._diag, "diag", 1)
        if not self._diag.dtype.is_complex:
            is_self_adjoint = hints.checked(is_self_adjoint, True, "A real diagonal operator is always self adjoint.")
        square = hints.checked(is_square, True, "Only square diagonal operators currently supported.")
        super().__init__(self._diag.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, square, name)

    @property
    def diag(self) -> Any:
        """The diagonal."""
        return self._diag

    def _shape(self) -> TensorShape:
        return self._diag.shape.concatenate(self._diag.shape[-1:])

    def _shape_tensor(self) -> Tensor:
        sizes = raw.Shape(self._diag)
        return joined(sizes, sizes[-1:])

    def _factors(self, adjoint: bool) -> Tensor:
        factors = convert_to_tensor(self._diag)
        return conj(factors) if adjoint else factors

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return column(self._factors(adjoint)) * flipped(x, adjoint_arg)

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return self._factors(adjoint) * x

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return flipped(rhs, adjoint_arg) / column(self._factors(adjoint))

    def _solvevec(self, rhs: Tensor, adjoint: bool = False) -> Tensor:
        return rhs / self._factors(adjoint)

    def _to_dense(self) -> Tensor:
        return diag(self._diag)

    def _diag_part(self) -> Tensor:
        return convert_to_tensor(self._diag)

    _eigvals = _diag_part

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return set_diag(x, diag_part(x) + self._diag)

    def _determinant(self) -> Tensor:
        return reduce_prod(self._diag, -1)

    def _log_abs_determinant(self) -> Tensor:
        return cast(reduce_sum(log(abs(self._diag)), -1), self.dtype)

    def _cond(self) -> Tensor:
        sizes = abs(self._diag)
        return reduce_max(sizes, -1) / reduce_min(sizes, -1)

    def _linop_adjoint(self) -> LinearOperator:
        return LinearOperatorDiag(conj(self._diag), **hints.of(self))

    def _linop_inverse(self) -> LinearOperator:
        return LinearOperatorDiag(1 / convert_to_tensor(self._diag), **hints.of(self))

    def _linop_cholesky(self) -> LinearOperator:
        return LinearOperatorDiag(sqrt(self._diag), is_self_adjoint=True, is_positive_definite=True, is_square=True)

    def _assert_non_singular(self) -> Any:
        return checks.assert_no_zeros(self._diag_part(), "Singular operator: Diagonal contained zero values.")

    def _assert_positive_definite(self) -> Any:
        message = "The diagonal had real parts that are not positive, thus the operator was not positive definite."
        return checks.assert_positive_real(self._diag_part(), message)

    def _assert_self_adjoint(self) -> Any:
        message = "This diagonal operator contained non-zero imaginary values. Thus it was not self-adjoint."
        return checks.assert_real(self._diag_part(), message)
