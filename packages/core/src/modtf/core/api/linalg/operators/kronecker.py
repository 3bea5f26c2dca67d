"""Kronecker products of operators, which are not multiplied out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.array import reshape
from modtf.core.api.elementwise import cast, pow
from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.composition import check_list
from modtf.core.api.linalg.operators.shapes import (
    batch_of,
    column,
    common_batch,
    common_batch_tensor,
    flipped,
    joined,
    size_tensor,
)
from modtf.core.api.linalg.products import einsum
from modtf.core.engine import raw
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


def _product(sizes: Sequence[Any]) -> Any:
    product: Any = np.int32(1)
    for size in sizes:
        product = product * size
    return product


def _size(x: Tensor, axis: int) -> Any:
    """A dimension: a number if it is known."""
    return size_tensor(None if x.shape.rank is None else x.shape[axis], lambda: raw.Shape(x)[axis])


def _reshaped(x: Tensor, rank: int, *sizes: Any) -> Tensor:
    """A tensor whose last `rank` dimensions are replaced by others of the same number of elements."""
    return reshape(x, joined(batch_of(x, rank), *sizes))


def _swapped(x: Tensor) -> Tensor:
    """[..., a, b, c] as [..., b, a, c]."""
    return einsum("...abc->...bac", x)


class LinearOperatorKronecker(LinearOperator):
    """The Kronecker product of operators: A ⊗ B has the blocks A[i, j] B.

    Args:
        operators: The factors, whose batches broadcast.
        is_non_singular: Whether it has an inverse; by default if all factors are known to.
        is_self_adjoint: Whether it equals its conjugate transpose; by default if all factors are known to.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Whether it is square; it is if all factors are.
        name: A name; by default the names of all with `_x_` between.

    Raises:
        TypeError: The dtypes differ.
        ValueError: There are no factors, or a hint contradicts theirs.
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
        known: dict[str, Any] = {}
        for given, word in (
            (is_non_singular, "non-singular"),
            (is_self_adjoint, "self-adjoint"),
            (is_positive_definite, "positive definite"),
            (is_square, "square"),
        ):
            hint = f"is_{word.replace('-', '_').replace(' ', '_')}"
            if hints.of_all(self._operators, hint):
                given = hints.checked(given, True, f"The Kronecker product of {word} operators is always {word}.")
            known[hint] = given
        name = name or "_x_".join(operator.name for operator in self._operators)
        super().__init__(self._operators[0].dtype, name=name, **known)

    @property
    def operators(self) -> list[LinearOperator]:
        """The factors."""
        return self._operators

    def _sizes(self, of_columns: bool) -> list[Any]:
        """The dimensions of the factors: numbers where they are known, tensors where not."""
        name = "domain_dimension" if of_columns else "range_dimension"
        statics = [getattr(operator, name) for operator in self._operators]
        return [
            np.int32(size) if size is not None else getattr(operator, f"{name}_tensor")()
            for size, operator in zip(statics, self._operators, strict=True)
        ]

    def _shape(self) -> TensorShape:
        batch = common_batch([operator.batch_shape for operator in self._operators])
        rows = [operator.range_dimension for operator in self._operators]
        columns = [operator.domain_dimension for operator in self._operators]
        return batch.concatenate([None if None in sizes else int(_product(sizes)) for sizes in (rows, columns)])

    def _shape_tensor(self) -> Tensor:
        batch = common_batch_tensor([operator.batch_shape_tensor() for operator in self._operators])
        return joined(batch, _product(self._sizes(False)), _product(self._sizes(True)))

    def _one_by_one(self, x: Tensor, apply: Callable[[LinearOperator, Tensor], Tensor], sizes: list[Any]) -> Tensor:
        """Applies each factor to its own axis of the rows, which are seen as an array of the factors' sizes.

        Args:
            x: A tensor [..., n, k].
            apply: From a factor and a tensor [..., its size, any] to another.
            sizes: The factors' sizes, whose product is n.
        """
        last = _size(x, -1)
        before: Any = np.int32(1)
        for index, operator in enumerate(self._operators):
            behind = _product(sizes[index + 1 :]) * last
            x = _swapped(_reshaped(x, 2, before, sizes[index], behind))
            x = apply(operator, _reshaped(x, 3, sizes[index], before * behind))
            made = _size(x, -2)
            x = _swapped(_reshaped(x, 2, made, before, behind))
            before = before * made
            x = _reshaped(x, 3, before * _product(sizes[index + 1 :]), last)
        return x

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        sizes = self._sizes(of_columns=not adjoint)
        return self._one_by_one(flipped(x, adjoint_arg), lambda factor, rows: factor.matmul(rows, adjoint), sizes)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        sizes = self._sizes(of_columns=adjoint)
        return self._one_by_one(flipped(rhs, adjoint_arg), lambda factor, rows: factor.solve(rows, adjoint), sizes)

    def _to_dense(self) -> Tensor:
        dense = self._operators[0].to_dense()
        for operator in self._operators[1:]:
            other = operator.to_dense()
            # [..., i, 1, j, 1] by [..., 1, k, 1, l]
            left = raw.ExpandDims(raw.ExpandDims(dense, np.int32(-1)), np.int32(-3))
            right = raw.ExpandDims(raw.ExpandDims(other, np.int32(-2)), np.int32(-4))
            product = left * right
            sizes = raw.Shape(product)
            shape = joined(sizes[:-4], sizes[-4] * sizes[-3], sizes[-2] * sizes[-1])
            dense = reshape(product, shape)
        return dense

    def _outer(self, vectors: list[Tensor]) -> Tensor:
        """The Kronecker product of vectors [..., n]."""
        product = vectors[0]
        for vector in vectors[1:]:
            both = column(product) * raw.ExpandDims(vector, np.int32(-2))
            sizes = raw.Shape(both)
            product = reshape(both, joined(sizes[:-2], sizes[-2] * sizes[-1]))
        return product

    def _diag_part(self) -> Tensor:
        if not hints.of_all(self._operators, "is_square"):
            return super()._diag_part()
        return self._outer([operator.diag_part() for operator in self._operators])

    def _eigvals(self) -> Tensor:
        if not hints.of_all(self._operators, "is_self_adjoint"):
            return super()._eigvals()
        return self._outer([operator.eigvals() for operator in self._operators])

    def _trace(self) -> Tensor:
        if not hints.of_all(self._operators, "is_square"):
            return super()._trace()
        return _product_of([operator.trace() for operator in self._operators])

    def _exponents(self) -> list[Tensor]:
        """How often each factor's determinant counts: the size of all over its own."""
        sizes = self._sizes(True)
        return [cast(_product(sizes) // size, self.dtype) for size in sizes]

    def _determinant(self) -> Tensor:
        if not hints.of_all(self._operators, "is_square"):
            return super()._determinant()
        parts = zip(self._operators, self._exponents(), strict=True)
        return _product_of([pow(operator.determinant(), exponent) for operator, exponent in parts])

    def _log_abs_determinant(self) -> Tensor:
        if not hints.of_all(self._operators, "is_square"):
            return super()._log_abs_determinant()
        parts = zip(self._operators, self._exponents(), strict=True)
        terms = [operator.log_abs_determinant() * exponent for operator, exponent in parts]
        return sum(terms[1:], terms[0])

    def _of_factors(self, method: str) -> LinearOperator:
        return LinearOperatorKronecker([getattr(operator, method)() for operator in self._operators], **hints.of(self))

    def _linop_adjoint(self) -> LinearOperator:
        return self._of_factors("adjoint")

    def _linop_inverse(self) -> LinearOperator:
        if not hints.of_all(self._operators, "is_square"):
            return super()._linop_inverse()
        return self._of_factors("inverse")

    def _linop_cholesky(self) -> LinearOperator:
        if not all(operator.is_positive_definite and operator.is_self_adjoint for operator in self._operators):
            return super()._linop_cholesky()
        return LinearOperatorKronecker([operator.cholesky() for operator in self._operators])


def _product_of(tensors: list[Tensor]) -> Tensor:
    product = tensors[0]
    for tensor in tensors[1:]:
        product = product * tensor
    return product
