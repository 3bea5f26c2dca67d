"""Products of two operators, and one solving with another, that are simpler than a composition of the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.block_diag import LinearOperatorBlockDiag
from modtf.core.api.linalg.operators.circulant import _Circulant
from modtf.core.api.linalg.operators.composition import LinearOperatorComposition, is_symmetric_product
from modtf.core.api.linalg.operators.diag import LinearOperatorDiag
from modtf.core.api.linalg.operators.full_matrix import LinearOperatorLowerTriangular
from modtf.core.api.linalg.operators.identity import LinearOperatorIdentity, LinearOperatorScaledIdentity
from modtf.core.api.linalg.operators.reversing import LinearOperatorInversion
from modtf.core.api.linalg.operators.shapes import column, common_batch
from modtf.core.api.linalg.operators.zeros import LinearOperatorZeros
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

Rule = Callable[[Any, Any], LinearOperator | None]
_Diag, _Multiple = LinearOperatorDiag, LinearOperatorScaledIdentity


def multiplied(a: LinearOperator, b: LinearOperator) -> LinearOperator:
    """Returns the product of two operators."""
    found = _by_rule(_PRODUCTS, a, b)
    if found is not None:
        return found
    non_singular = hints.non_singular_product(a, b)
    definite = True if non_singular and is_symmetric_product([a, b]) else None
    return LinearOperatorComposition(
        [a, b], is_non_singular=non_singular, is_positive_definite=definite, is_square=_square(a, b)
    )


def solved(a: LinearOperator, b: LinearOperator) -> LinearOperator:
    """Returns the product of the inverse of an operator and another."""
    found = _by_rule(_SOLUTIONS, a, b)
    if found is not None:
        return found
    non_singular = hints.non_singular_product(a, b)
    return LinearOperatorComposition(
        [LinearOperatorInversion(a), b], is_non_singular=non_singular, is_square=_square(a, b)
    )


def _by_rule(rules: list[tuple[type, type, Rule]], a: LinearOperator, b: LinearOperator) -> LinearOperator | None:
    for left, right, rule in rules:
        if isinstance(a, left) and isinstance(b, right):
            made = rule(a, b)
            if made is not None:
                return made
    return None


def _square(a: LinearOperator, b: LinearOperator) -> bool | None:
    return True if a.is_square and b.is_square else None


# ------------------------------------------------------------------------------------------------- one of the two


def _if_of_whole_batch(chosen: LinearOperator, other: LinearOperator) -> LinearOperator | None:
    """The one of two that is the product, unless the other's batch makes it more of them."""
    static = common_batch([chosen.batch_shape, other.batch_shape])
    fits = chosen.batch_shape.is_fully_defined() and static == chosen.batch_shape
    return chosen if other.batch_shape.rank == 0 or fits else None


def _left(a: LinearOperator, b: LinearOperator) -> LinearOperator | None:
    return _if_of_whole_batch(a, b)


def _right(a: LinearOperator, b: LinearOperator) -> LinearOperator | None:
    return _if_of_whole_batch(b, a)


def _zeros(zeros: LinearOperator, other: LinearOperator) -> LinearOperator | None:
    return _if_of_whole_batch(zeros, other) if zeros.is_square and other.is_square else None


def _inverse_of_left(a: LinearOperator, b: LinearOperator) -> LinearOperator | None:
    return None if _left(a, b) is None else a.inverse()


# ------------------------------------------------------------------------------------------------- diagonals


def _numbers(operator: Any) -> Tensor:
    """The diagonal: a vector, or one number for all rows."""
    if isinstance(operator, _Multiple):
        return column(operator.multiplier)
    return convert_to_tensor(operator.diag)


def _diagonal(combine: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    def rule(a: Any, b: Any) -> LinearOperator:
        known = hints.of_commuting_product(a, b)
        if isinstance(a, _Multiple) and isinstance(b, _Multiple):
            multiplier = combine(convert_to_tensor(a.multiplier), convert_to_tensor(b.multiplier))
            return _Multiple(a._size(), multiplier, **known)
        return _Diag(combine(_numbers(a), _numbers(b)), **known)

    return rule


def _product(x: Tensor, y: Tensor) -> Tensor:
    return x * y


def _quotient(x: Tensor, y: Tensor) -> Tensor:
    return y / x


def _triangular(a: Any, b: Any, rows: Tensor, matrix: Any) -> LinearOperator:
    hint = hints.non_singular_product(a, b)
    return LinearOperatorLowerTriangular(rows * matrix, is_non_singular=hint, is_square=True)


def _scaled_rows(a: Any, b: Any) -> LinearOperator:
    return _triangular(a, b, column(a.diag), b.to_dense())


def _divided_rows(a: Any, b: Any) -> LinearOperator:
    return _triangular(a, b, 1 / column(a.diag), b.to_dense())


def _scaled_columns(a: Any, b: Any) -> LinearOperator:
    return _triangular(a, b, raw.ExpandDims(b.diag, -2), a.to_dense())


# ------------------------------------------------------------------------------------------------- spectra, blocks


def _spectral(combine: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    def rule(a: Any, b: Any) -> LinearOperator | None:
        if type(a) is not type(b) or a.block_shape != b.block_shape or not a.block_shape.is_fully_defined():
            return None
        spectra = convert_to_tensor(a.spectrum), convert_to_tensor(b.spectrum)
        if spectra[0].dtype is not spectra[1].dtype:
            return None
        return type(a)(combine(*spectra), input_output_dtype=a.dtype, **hints.of_commuting_product(a, b))

    return rule


def _block_by_block(method: str) -> Rule:
    def rule(a: Any, b: Any) -> LinearOperator | None:
        sizes = [[block.domain_dimension for block in a.operators], [block.range_dimension for block in b.operators]]
        if sizes[0] != sizes[1] or None in sizes[0]:
            return None
        blocks = [getattr(left, method)(right) for left, right in zip(a.operators, b.operators, strict=True)]
        return LinearOperatorBlockDiag(
            blocks, is_non_singular=hints.non_singular_product(a, b), is_square=_square(a, b)
        )

    return rule


_Any, _Identity, _Triangular = LinearOperator, LinearOperatorIdentity, LinearOperatorLowerTriangular

# The first rule that fits and gives an operator counts.
_PRODUCTS: list[tuple[type, type, Rule]] = [
    (LinearOperatorZeros, _Any, _zeros),
    (_Any, LinearOperatorZeros, lambda a, b: _zeros(b, a)),
    (_Identity, _Any, _right),
    (_Any, _Identity, _left),
    (_Diag, _Diag, _diagonal(_product)),
    (_Diag, _Multiple, _diagonal(_product)),
    (_Multiple, _Diag, _diagonal(_product)),
    (_Multiple, _Multiple, _diagonal(_product)),
    (_Diag, _Triangular, _scaled_rows),
    (_Triangular, _Diag, _scaled_columns),
    (_Circulant, _Circulant, _spectral(_product)),
    (LinearOperatorBlockDiag, LinearOperatorBlockDiag, _block_by_block("matmul")),
]
_SOLUTIONS: list[tuple[type, type, Rule]] = [
    (_Identity, _Any, _right),
    (_Any, _Identity, _inverse_of_left),
    (LinearOperatorInversion, _Any, lambda a, b: multiplied(a.operator, b)),
    (_Diag, _Diag, _diagonal(_quotient)),
    (_Diag, _Multiple, _diagonal(_quotient)),
    (_Multiple, _Diag, _diagonal(_quotient)),
    (_Multiple, _Multiple, _diagonal(_quotient)),
    (_Diag, _Triangular, _divided_rows),
    (_Circulant, _Circulant, _spectral(_quotient)),
    (LinearOperatorBlockDiag, LinearOperatorBlockDiag, _block_by_block("solve")),
]
