"""Operators that move vectors without changing their length: reflections and permutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.array import concat, ones, zeros
from modtf.core.api.elementwise import abs, cast, conj, square
from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import (
    batch_of,
    check_parameter,
    column,
    flipped,
    joined,
    kept,
    over_batch,
    size_tensor,
)
from modtf.core.api.linalg.products import matmul
from modtf.core.api.reductions import reduce_sum
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


class _OfVector(LinearOperator):
    """An operator given by one vector that is as long as it has rows."""

    _vector: Any

    def _shape(self) -> TensorShape:
        return self._vector.shape.concatenate(self._vector.shape[-1:])

    def _shape_tensor(self) -> Tensor:
        sizes = raw.Shape(self._vector)
        return joined(sizes, sizes[-1:])

    def _batch_vector(self) -> Any:
        return batch_of(convert_to_tensor(self._vector), 1)

    def _log_abs_determinant(self) -> Tensor:
        return zeros(self._batch_vector(), dtype=self.dtype)

    def _cond(self) -> Tensor:
        return ones(self._batch_vector(), dtype=self.dtype)


class LinearOperatorHouseholder(_OfVector):
    """A reflection: I - 2 v vᴴ, where v is of length 1 (A. Householder, 1958).

    Args:
        reflection_axis: The direction of v, a tensor or variable [..., n] of any length but 0, floating or complex.
        is_non_singular: Whether it has an inverse; it is its own.
        is_self_adjoint: Always.
        is_positive_definite: Never.
        is_square: Always.
        name: A name.

    Raises:
        ValueError: The rank is below 1, or a hint contradicts what is always so.
    """

    _parameter_ranks = {"reflection_axis": 1}  # noqa: RUF012

    def __init__(
        self,
        reflection_axis: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorHouseholder",
    ) -> None:
        self._vector = kept(reflection_axis)
        check_parameter(self._vector, "reflection_axis", 1)
        adjoint = hints.checked(is_self_adjoint, True, "A Householder operator is always self adjoint.")
        definite = hints.checked(is_positive_definite, False, "A Householder operator is always non-positive definite.")
        square = hints.checked(is_square, True, "A Householder operator is always square.")
        super().__init__(self._vector.dtype, None, is_non_singular, adjoint, definite, square, name)

    @property
    def reflection_axis(self) -> Any:
        """The direction that is reflected."""
        return self._vector

    def _unit(self) -> Tensor:
        """V as matrices of one column."""
        axis = convert_to_tensor(self._vector)
        length = raw.Sqrt(reduce_sum(square(abs(axis)), -1, keepdims=True))
        return column(axis / cast(length, axis.dtype))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        unit = self._unit()
        x = flipped(x, adjoint_arg)
        return x - 2 * unit * matmul(unit, x, adjoint_a=True)

    _solve = _matmul  # type: ignore[assignment]

    def _to_dense(self) -> Tensor:
        from modtf.core.api.linalg.rearranging import diag_part, set_diag

        unit = self._unit()
        outer = -2 * matmul(unit, unit, adjoint_b=True)
        return set_diag(outer, 1 + diag_part(outer))

    def _diag_part(self) -> Tensor:
        unit = raw.Squeeze(self._unit(), squeeze_dims=[-1])
        return 1 - 2 * unit * conj(unit)

    def _size(self) -> Any:
        return size_tensor(self.domain_dimension, lambda: raw.Shape(self._vector)[-1])

    def _eigvals(self) -> Tensor:
        one = ones(joined(self._batch_vector(), self._size()), dtype=self.dtype)
        return concat([-one[..., :1], one[..., 1:]], -1)

    def _trace(self) -> Tensor:
        return cast(self._size(), self.dtype) - 2 * ones(self._batch_vector(), dtype=self.dtype)

    def _determinant(self) -> Tensor:
        return -ones(self._batch_vector(), dtype=self.dtype)

    def _linop_inverse(self) -> LinearOperator:
        return self


class LinearOperatorPermutation(_OfVector):
    """A permutation: row i of A x is row `perm[i]` of x.

    Args:
        perm: The permutation, a tensor [..., n] of integers from 0 to n - 1, each once.
        dtype: The dtype of what is multiplied with it.
        is_non_singular: Always, if given.
        is_self_adjoint: Whether it is its own inverse.
        is_positive_definite: Whether it is the identity.
        is_square: Always, if given.
        name: A name.

    Raises:
        TypeError: `perm` is not of integers.
        ValueError: It is no permutation, or a hint contradicts what is always so.
    """

    _parameter_ranks = {"perm": 1}  # noqa: RUF012

    def __init__(
        self,
        perm: Any,
        dtype: Any = dtypes.float32,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorPermutation",
    ) -> None:
        for hint, word in ((is_non_singular, "non-singular"), (is_square, "square")):
            if hint is False:
                raise ValueError(f"A Permutation operator is always {word}. Received the hint False.")
        self._vector = kept(perm)
        check_parameter(self._vector, "perm", 1)
        if not self._vector.dtype.is_integer:
            raise TypeError(f"Argument `perm` must be integer dtype. Received: {self._vector.dtype.name}.")
        known = constant_value(convert_to_tensor(self._vector))
        if known is not None and not np.array_equal(
            np.sort(known, -1), np.broadcast_to(np.arange(known.shape[-1]), known.shape)
        ):
            raise ValueError(f"Argument `perm` must be a vector of unique integers from 0 to {known.shape[-1] - 1}.")
        super().__init__(as_dtype(dtype), None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)

    @property
    def perm(self) -> Any:
        """The permutation."""
        return self._vector

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = flipped(x, adjoint_arg)
        perm = convert_to_tensor(self._vector)
        places = cast(_inverse(perm) if adjoint else perm, dtypes.int32)
        if perm.ndim == 1:
            return raw.GatherV2(x, places, np.int32(-2))
        x = over_batch(x, self.batch_shape, self._batch_vector)
        batch = x.shape[:-2]
        places = over_batch(places, batch, lambda: batch_of(x), 1)
        if x.ndim is None:
            raise ValueError("A batch of permutations needs an argument of known rank.")
        axis = x.ndim - 2
        return raw.GatherV2(x, places, np.int32(axis), batch_dims=axis)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._matmul(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _to_dense(self) -> Tensor:
        perm = convert_to_tensor(self._vector)
        count = raw.Range(np.int32(0), raw.Shape(perm)[-1], np.int32(1))
        return cast(raw.Equal(column(cast(perm, dtypes.int32)), count), self.dtype)

    def _diag_part(self) -> Tensor:
        perm = cast(self._vector, dtypes.int32)
        return cast(raw.Equal(perm, raw.Range(np.int32(0), raw.Shape(perm)[-1], np.int32(1))), self.dtype)


def _inverse(perm: Tensor) -> Tensor:
    from modtf.core.api.sorting import argsort

    return argsort(perm, axis=-1)
