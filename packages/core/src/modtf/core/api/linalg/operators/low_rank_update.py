"""Operators changed by a matrix of low rank: A = L + U D Vᴴ."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.elementwise import cast, conj, log
from modtf.core.api.linalg import decompositions, systems
from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.diag import LinearOperatorDiag
from modtf.core.api.linalg.operators.identity import LinearOperatorIdentity
from modtf.core.api.linalg.operators.shapes import (
    check_parameter,
    common_batch,
    common_batch_tensor,
    flipped,
    joined,
    kept,
    size_tensor,
    with_one_batch,
)
from modtf.core.api.linalg.products import matmul
from modtf.core.api.linalg.rearranging import diag_part
from modtf.core.api.reductions import reduce_sum
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


class LinearOperatorLowRankUpdate(LinearOperator):
    """L + U D Vᴴ with an operator L and thin matrices U and V.

    It solves and finds determinants with those of L and of a matrix as small as the rank r of the change (M. Woodbury,
    "Inverting modified matrices", 1950; and the matrix determinant lemma).

    Args:
        base_operator: L, [..., m, n].
        u: U, a tensor or variable [..., m, r] of the dtype of L.
        diag_update: The diagonal of D, [..., r]; by default D is the identity.
        v: V, [..., n, r]; by default U.
        is_diag_update_positive: Whether all of `diag_update` is positive; if there is none, it is.
        is_non_singular: Whether it has an inverse. To solve, L has to have one.
        is_self_adjoint: Whether it equals its conjugate transpose; by default if L does and there is no `v`.
        is_positive_definite: Whether it is positive definite; by default if L is, D is positive and there is no `v`.
        is_square: Whether it is square.
        name: A name.

    Raises:
        TypeError: The dtypes differ.
        ValueError: The shapes do not fit, or a hint contradicts what follows from L's.
    """

    _parameter_ranks = {"base_operator": 0, "u": 2, "diag_update": 1, "v": 2}  # noqa: RUF012

    def __init__(
        self,
        base_operator: LinearOperator,
        u: Any,
        diag_update: Any = None,
        v: Any = None,
        is_diag_update_positive: bool | None = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowRankUpdate",
    ) -> None:
        self._base_operator = base_operator
        dtype = base_operator.dtype
        self._u = kept(u, dtype=dtype)
        self._v = None if v is None else kept(v, dtype=dtype)
        self._diag_update = None if diag_update is None else kept(diag_update, dtype=dtype)
        self._is_diag_update_positive = True if diag_update is None else is_diag_update_positive
        self._check_shapes()
        if v is None and base_operator.is_self_adjoint and not dtype.is_complex:
            message = "A self-adjoint operator changed by U D Uᴴ is always self-adjoint."
            is_self_adjoint = hints.checked(is_self_adjoint, True, message)
        if v is None and base_operator.is_positive_definite and self._is_diag_update_positive:
            message = "A positive definite operator changed by U D Uᴴ with positive D is always positive definite."
            is_positive_definite = hints.checked(is_positive_definite, True, message)
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)
        if self._diag_update is not None:
            self._diag_operator: LinearOperator = LinearOperatorDiag(
                self._diag_update, is_positive_definite=self._is_diag_update_positive
            )
        else:
            rank = size_tensor(self._u.shape[-1], lambda: raw.Shape(self._u)[-1])
            self._diag_operator = LinearOperatorIdentity(rank, dtype=dtype)

    def _check_shapes(self) -> None:
        check_parameter(self._u, "u", 2)
        rows, columns = self._base_operator.range_dimension, self._base_operator.domain_dimension
        of_v = self._u if self._v is None else self._v
        check_parameter(of_v, "v", 2)
        of_d = None if self._diag_update is None else self._diag_update.shape[-1]
        rank = self._u.shape[-1]
        for given, wanted in (
            (self._u.shape[-2], rows),
            (of_v.shape[-2], columns),
            (of_v.shape[-1], rank),
            (of_d, rank),
        ):
            if None not in (given, wanted) and given != wanted:
                raise ValueError(
                    f"Dimensions {given} and {wanted} are not compatible: the base operator is {self._base_operator.shape}, "
                    f"u is {self._u.shape}, v is {of_v.shape}, diag_update has {of_d} elements."
                )

    @property
    def base_operator(self) -> LinearOperator:
        """The operator L."""
        return self._base_operator

    @property
    def u(self) -> Any:
        """The matrix U."""
        return self._u

    @property
    def v(self) -> Any:
        """The matrix V."""
        return self._u if self._v is None else self._v

    @property
    def is_diag_update_positive(self) -> bool | None:
        """Whether D is positive."""
        return self._is_diag_update_positive

    @property
    def diag_update(self) -> Any:
        """The diagonal of D, or `None`."""
        return self._diag_update

    @property
    def diag_operator(self) -> LinearOperator:
        """D as an operator."""
        return self._diag_operator

    def _component(self, name: str) -> Any:
        return self._v if name == "v" else getattr(self, name)

    def _shape(self) -> TensorShape:
        tensors = [self._u, self.v]
        batches = [self._base_operator.batch_shape, *(tensor.shape[:-2] for tensor in tensors)]
        return common_batch([*batches, self._diag_operator.batch_shape]).concatenate(self._base_operator.shape[-2:])

    def _shape_tensor(self) -> Tensor:
        shape = self._base_operator.shape_tensor()
        batches = [
            shape[:-2],
            raw.Shape(self._u)[:-2],
            raw.Shape(self.v)[:-2],
            self._diag_operator.batch_shape_tensor(),
        ]
        return joined(common_batch_tensor(batches), shape[-2:])

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        left, right = (self.v, self._u) if adjoint else (self._u, self.v)
        product = self._base_operator.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)
        inner = matmul(right, x, adjoint_a=True, adjoint_b=adjoint_arg)
        return product + matmul(left, self._diag_operator.matmul(inner, adjoint=adjoint))

    def _diag_part(self) -> Tensor:
        scaled = self._u if self._diag_update is None else self._u * raw.ExpandDims(self._diag_update, np.int32(-2))
        change = reduce_sum(scaled * conj(self.v), -1)
        return self._base_operator.diag_part() + change

    def _small(self) -> Tensor:
        """D⁻¹ + Vᴴ L⁻¹ U, which has as many rows as the change's rank."""
        inner = matmul(self.v, self._base_operator.solve(convert_to_tensor(self._u)), adjoint_a=True)
        return self._diag_operator.inverse().add_to_tensor(inner)

    def _is_small_definite(self) -> bool:
        base, is_positive = self._base_operator, self._is_diag_update_positive
        return bool(base.is_positive_definite and base.is_self_adjoint and is_positive and self._v is None)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        left, right = (self.v, self._u) if adjoint else (self._u, self.v)
        first = self._base_operator.solve(flipped(rhs, adjoint_arg), adjoint=adjoint)
        small, inner = with_one_batch(self._small(), matmul(right, first, adjoint_a=True))
        if self._is_small_definite():
            found = systems.cholesky_solve(decompositions.cholesky(small), inner)
        else:
            found = systems.solve(small, inner, adjoint=adjoint)
        return first - self._base_operator.solve(matmul(left, found), adjoint=adjoint)

    def _determinant(self) -> Tensor:
        of_small = systems.det(self._small())
        return of_small * self._diag_operator.determinant() * self._base_operator.determinant()

    def _log_abs_determinant(self) -> Tensor:
        if self._is_small_definite():
            of_small = 2 * reduce_sum(log(diag_part(decompositions.cholesky(self._small()))), -1)
        else:
            of_small = cast(systems.slogdet(self._small()).log_abs_determinant, self.dtype)
        return of_small + self._diag_operator.log_abs_determinant() + self._base_operator.log_abs_determinant()
