"""Operators given by a dense matrix, all of it or its lower triangle."""

from __future__ import annotations

from typing import Any

from modtf.core.api.elementwise import abs, log
from modtf.core.api.linalg import systems
from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import check_parameter, flipped, kept
from modtf.core.api.linalg.products import matmul
from modtf.core.api.linalg.rearranging import band_part, diag_part
from modtf.core.api.reductions import reduce_prod, reduce_sum
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor

_DTYPES = (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)


class LinearOperatorFullMatrix(LinearOperator):
    """A matrix that is just that.

    Args:
        matrix: A tensor or variable [..., m, n], floating or complex.
        is_non_singular: Whether it has an inverse.
        is_self_adjoint: Whether it equals its conjugate transpose.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Whether m = n.
        name: A name.

    Raises:
        TypeError: The dtype is another.
        ValueError: The rank is below 2.
    """

    _parameter_ranks = {"matrix": 2}  # noqa: RUF012

    def __init__(
        self,
        matrix: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorFullMatrix",
    ) -> None:
        self._matrix = kept(matrix)
        check_parameter(self._matrix, "matrix", 2, _DTYPES)
        super().__init__(
            self._matrix.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name
        )

    @property
    def matrix(self) -> Any:
        """The matrix."""
        return self._matrix

    def _shape(self) -> TensorShape:
        return self._matrix.shape

    def _shape_tensor(self) -> Tensor:
        return raw.Shape(self._matrix)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return matmul(self._matrix, x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _to_dense(self) -> Tensor:
        return convert_to_tensor(self._matrix)


class LinearOperatorLowerTriangular(LinearOperator):
    """A lower triangular matrix: multiplying costs as much as by a dense one, solving and determinants far less.

    Args:
        tril: A tensor or variable [..., n, n], floating or complex; what is above the diagonal is not looked at.
        is_non_singular: Whether it has an inverse: whether no element of the diagonal is zero.
        is_self_adjoint: Whether it equals its conjugate transpose.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Always.
        name: A name.

    Raises:
        TypeError: The dtype is another.
        ValueError: The rank is below 2, or `is_square` is False.
    """

    _parameter_ranks = {"tril": 2}  # noqa: RUF012

    def __init__(
        self,
        tril: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowerTriangular",
    ) -> None:
        square = hints.checked(is_square, True, "Only square lower triangular operators supported at this time.")
        self._tril = kept(tril)
        check_parameter(self._tril, "tril", 2, _DTYPES)
        super().__init__(self._tril.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, square, name)

    @property
    def tril(self) -> Any:
        """The matrix, which may hold anything above the diagonal."""
        return self._tril

    def _shape(self) -> TensorShape:
        return self._tril.shape

    def _shape_tensor(self) -> Tensor:
        return raw.Shape(self._tril)

    def _to_dense(self) -> Tensor:
        return band_part(self._tril, -1, 0)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return matmul(self._to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return systems.triangular_solve(self._tril, flipped(rhs, adjoint_arg), adjoint=adjoint)

    def _diag_part(self) -> Tensor:
        return diag_part(self._tril)

    _eigvals = _diag_part

    def _determinant(self) -> Tensor:
        return reduce_prod(self._diag_part(), -1)

    def _log_abs_determinant(self) -> Tensor:
        return reduce_sum(log(abs(self._diag_part())), -1)

    def _assert_non_singular(self) -> Any:
        from modtf.core.api.linalg.operators.checks import assert_no_zeros

        return assert_no_zeros(self._diag_part(), "Singular operator: Diagonal contained zero values.")
