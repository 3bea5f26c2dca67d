"""The adjoint and the inverse of another operator, by what that one can do."""

from __future__ import annotations

from typing import Any

from modtf.core.api.elementwise import conj
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import joined
from modtf.core.api.linalg.rearranging import adjoint as adjoint_of
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


def _turned(operator: LinearOperator) -> TensorShape:
    shape = operator.shape
    return shape if shape.rank is None else shape[:-2].concatenate([shape[-1], shape[-2]])


def _turned_tensor(operator: LinearOperator) -> Tensor:
    shape = operator.shape_tensor()
    return joined(shape[:-2], shape[-1], shape[-2])


class _OfOne(LinearOperator):
    """What depends on one other operator, and shares its hints."""

    _parameter_ranks = {"operator": 0}  # noqa: RUF012
    _words = "", ""

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        self._operator = operator
        suffix, noun = self._words
        given = (is_non_singular, is_self_adjoint, is_positive_definite, is_square)
        words = ("non_singular", "self_adjoint", "positive_definite", "square")
        shared: dict[str, Any] = {}
        for hint, word in zip(given, words, strict=True):
            known = getattr(operator, f"is_{word}")
            if None not in (hint, known) and hint is not known:
                kind = word.replace("_", "-")
                raise ValueError(f"An operator is {kind} if and only if its {noun} is {kind}.")
            shared[f"is_{word}"] = known if hint is None else hint
        super().__init__(operator.dtype, name=name or f"{operator.name}_{suffix}", **shared)

    @property
    def operator(self) -> LinearOperator:
        """The other operator."""
        return self._operator

    def _shape(self) -> TensorShape:
        return _turned(self._operator)

    def _shape_tensor(self) -> Tensor:
        return _turned_tensor(self._operator)

    def _assert_non_singular(self) -> Any:
        return self._operator.assert_non_singular()

    def _assert_positive_definite(self) -> Any:
        return self._operator.assert_positive_definite()

    def _assert_self_adjoint(self) -> Any:
        return self._operator.assert_self_adjoint()

    def _cond(self) -> Tensor:
        return self._operator.cond()


class LinearOperatorAdjoint(_OfOne):
    """The conjugate transpose of another operator.

    Args:
        operator: The other operator.
        is_non_singular: Whether it has an inverse; by default as `operator` has.
        is_self_adjoint: Whether it equals `operator`; by default as that says.
        is_positive_definite: Whether it is positive definite; by default as `operator` is.
        is_square: Whether it is square; by default as `operator` is.
        name: A name; by default that of `operator` with `_adjoint`.

    Raises:
        ValueError: A hint contradicts those of `operator`.
    """

    _words = "adjoint", "adjoint"

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return self._operator.matvec(x, adjoint=not adjoint)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solvevec(self, rhs: Tensor, adjoint: bool = False) -> Tensor:
        return self._operator.solvevec(rhs, adjoint=not adjoint)

    def _to_dense(self) -> Tensor:
        return adjoint_of(self._operator.to_dense())

    def _diag_part(self) -> Tensor:
        return conj(self._operator.diag_part())

    def _trace(self) -> Tensor:
        return conj(self._operator.trace())

    def _determinant(self) -> Tensor:
        return conj(self._operator.determinant())

    def _log_abs_determinant(self) -> Tensor:
        return self._operator.log_abs_determinant()

    def _eigvals(self) -> Tensor:
        return conj(self._operator.eigvals())

    def _linop_adjoint(self) -> LinearOperator:
        return self._operator


class LinearOperatorInversion(_OfOne):
    """The inverse of another operator: multiplying with it solves with that one.

    Args:
        operator: The other operator.
        is_non_singular: Always.
        is_self_adjoint: Whether it equals its conjugate transpose; by default as `operator` does.
        is_positive_definite: Whether it is positive definite; by default as `operator` is.
        is_square: Always.
        name: A name; by default that of `operator` with `_inv`.

    Raises:
        ValueError: A hint contradicts those of `operator`, or it is said to be singular.
    """

    _words = "inv", "inverse"

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        if operator.is_non_singular is False or is_non_singular is False:
            raise ValueError(
                "Argument `is_non_singular` or argument `operator` must have supplied hint `is_non_singular` equal to "
                f"`True` or `None`. Found `operator.is_non_singular`: {operator.is_non_singular}, "
                f"`is_non_singular`: {is_non_singular}."
            )
        super().__init__(operator, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return self._operator.solvevec(x, adjoint=adjoint)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solvevec(self, rhs: Tensor, adjoint: bool = False) -> Tensor:
        return self._operator.matvec(rhs, adjoint=adjoint)

    def _determinant(self) -> Tensor:
        return 1 / self._operator.determinant()

    def _log_abs_determinant(self) -> Tensor:
        return -self._operator.log_abs_determinant()

    def _eigvals(self) -> Tensor:
        return 1 / self._operator.eigvals()

    def _linop_inverse(self) -> LinearOperator:
        return self._operator
