"""The identity, and multiples of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api import assertions
from modtf.core.api.array import eye, ones, zeros
from modtf.core.api.elementwise import abs, cast, conj, log, pow, sqrt
from modtf.core.api.linalg.operators import checks, hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import column, flipped, joined, kept, over_batch, shape_vector, size_tensor
from modtf.core.api.linalg.rearranging import diag, diag_part, set_diag
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


def size_of(value: Any, name: str) -> tuple[Tensor, int | None]:
    """A number of rows as a tensor, and as a number if it is known.

    Raises:
        TypeError: It is no integer.
        ValueError: It is negative, or no scalar.
    """
    tensor = convert_to_tensor(value)
    if not tensor.dtype.is_integer:
        raise TypeError(f"Argument {name} must be integer type. Found: {value!r}")
    if tensor.ndim not in (0, None):
        raise ValueError(f"Argument {name} must be a 0-D Tensor. Found: {value!r}")
    static = constant_value(tensor)
    if static is not None and static < 0:
        raise ValueError(f"Argument {name} must be non-negative. Found: {value!r}")
    return tensor, None if static is None else int(static)


def batch_of(value: Any) -> tuple[Tensor | None, TensorShape]:
    """A batch's shape as a tensor (`None` if there is none), and what is known of it.

    Raises:
        TypeError: It is not of integers.
        ValueError: It is no vector, or a size is negative.
    """
    if value is None:
        return None, TensorShape([])
    tensor = convert_to_tensor(value, dtype_hint=dtypes.int32)
    if not tensor.dtype.is_integer and tensor.shape != [0]:
        raise TypeError(f"Argument batch_shape must be integer type. Found: {value!r}")
    if tensor.ndim not in (1, None):
        raise ValueError(f"Argument batch_shape must be a 1-D Tensor. Found: {value!r}")
    tensor = cast(tensor, dtypes.int32)
    known = constant_value(tensor)
    if known is not None and (known < 0).any():
        raise ValueError(f"Argument batch_shape must be non-negative. Found: {value!r}")
    return tensor, TensorShape(dims_from_value(tensor))


class _Multiple(LinearOperator):
    """What the identity and multiples of it have in common: a size, and a factor."""

    _rows: Tensor
    _row_count: int | None

    def _factor(self) -> Tensor:
        """The factors [...]."""
        raise NotImplementedError

    def _batch_vector(self) -> Any:
        return shape_vector(self.batch_shape, lambda: self._shape_tensor()[:-2])

    def _over_batch(self, x: Tensor, rank: int = 2) -> Tensor:
        return over_batch(x, self.batch_shape, self._batch_vector, rank)

    def _size(self) -> Any:
        return size_tensor(self._row_count, lambda: cast(self._rows, dtypes.int32))

    def _filled(self, value: Tensor) -> Tensor:
        """A vector of the size for each of the batch, with the same value everywhere."""
        return raw.BroadcastTo(column(value), joined(self._batch_vector(), self._size()))

    def _diag_part(self) -> Tensor:
        return self._filled(self._factor())

    def _eigvals(self) -> Tensor:
        return self._diag_part()

    def _to_dense(self) -> Tensor:
        return diag(self._diag_part())

    def _trace(self) -> Tensor:
        return self._factor() * cast(self._size(), self.dtype)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        x = self._over_batch(x)
        return set_diag(x, diag_part(x) + column(self._factor()))

    def add_to_tensor(self, mat: Any, name: str = "add_to_tensor") -> Tensor:
        """Returns A + mat for a tensor mat [..., n, n]."""
        return super().add_to_tensor(mat, name)

    def _cond(self) -> Tensor:
        return ones(self._batch_vector(), dtype=self.dtype)


class LinearOperatorIdentity(_Multiple):
    """The identity matrix.

    Args:
        num_rows: How many rows and columns it has, an integer.
        batch_shape: The shape of the batch, a vector of integers; none by default.
        dtype: The dtype of what is multiplied with it, float32 by default.
        is_non_singular: Always.
        is_self_adjoint: Always.
        is_positive_definite: Always.
        is_square: Always.
        assert_proper_shapes: Not used: shapes that do not fit are refused in any case.
        name: A name.

    Raises:
        TypeError: A size is no integer.
        ValueError: A size is negative or of a wrong rank, or a hint contradicts what is always so.
    """

    def __init__(
        self,
        num_rows: Any,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = True,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = True,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorIdentity",
    ) -> None:
        for hint, word in (
            (is_self_adjoint, "self adjoint"),
            (is_non_singular, "non-singular"),
            (is_positive_definite, "positive-definite"),
            (is_square, "square"),
        ):
            if not hint:
                raise ValueError(f"An identity operator is always {word}.")
        super().__init__(as_dtype(dtype or dtypes.float32), None, True, True, True, True, name)
        self._rows, self._row_count = size_of(num_rows, "num_rows")
        self._batch, self._batch_static = batch_of(batch_shape)

    def _factor(self) -> Tensor:
        return ones(self._batch_vector(), dtype=self.dtype)

    def _shape(self) -> TensorShape:
        return self._batch_static.concatenate([self._row_count, self._row_count])

    def _shape_tensor(self) -> Tensor:
        batch = np.zeros(0, np.int32) if self._batch is None else self._batch
        return joined(batch, self._size(), self._size())

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._over_batch(flipped(x, adjoint_arg))

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._matmul(rhs, adjoint_arg=adjoint_arg)

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return self._over_batch(x, 1)

    _solvevec = _matvec  # type: ignore[assignment]

    def _to_dense(self) -> Tensor:
        return eye(self._size(), batch_shape=self._batch_vector(), dtype=self.dtype)

    def _determinant(self) -> Tensor:
        return ones(self._batch_vector(), dtype=self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return zeros(self._batch_vector(), dtype=self.dtype)

    def _linop_inverse(self) -> LinearOperator:
        return self

    _linop_cholesky = _linop_inverse

    def _assert_nothing(self) -> Any:
        from modtf.core.api.side_effects import no_op

        return no_op()

    _assert_non_singular = _assert_positive_definite = _assert_self_adjoint = _assert_nothing


class LinearOperatorScaledIdentity(_Multiple):
    """A multiple of the identity matrix.

    Args:
        num_rows: How many rows and columns it has, an integer.
        multiplier: The factor, a tensor or variable [...] whose shape is the batch's.
        is_non_singular: Whether the factor is not zero.
        is_self_adjoint: Whether it is real; of a real dtype it is.
        is_positive_definite: Whether its real part is positive.
        is_square: Always.
        assert_proper_shapes: Not used: shapes that do not fit are refused in any case.
        name: A name.

    Raises:
        TypeError: The size is no integer.
        ValueError: The size is negative or no scalar, or a hint contradicts what is always so.
    """

    _parameter_ranks = {"multiplier": 0}  # noqa: RUF012

    def __init__(
        self,
        num_rows: Any,
        multiplier: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ) -> None:
        self._multiplier = kept(multiplier)
        if not is_square:
            raise ValueError("A ScaledIdentity operator is always square.")
        if not self._multiplier.dtype.is_complex:
            message = "A real diagonal operator is always self adjoint."
            is_self_adjoint = hints.checked(is_self_adjoint, True, message)
        dtype = self._multiplier.dtype
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name)
        self._rows, self._row_count = size_of(num_rows, "num_rows")

    @property
    def multiplier(self) -> Any:
        """The factor."""
        return self._multiplier

    def _factor(self) -> Tensor:
        return convert_to_tensor(self._multiplier)

    def _shape(self) -> TensorShape:
        return self._multiplier.shape.concatenate([self._row_count, self._row_count])

    def _shape_tensor(self) -> Tensor:
        return joined(raw.Shape(self._multiplier), self._size(), self._size())

    def _scale(self, adjoint: bool) -> Tensor:
        factor = column(column(self._factor()))
        return conj(factor) if adjoint else factor

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return flipped(x, adjoint_arg) * self._scale(adjoint)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return flipped(rhs, adjoint_arg) / self._scale(adjoint)

    def _determinant(self) -> Tensor:
        return pow(self._factor(), cast(self._size(), self.dtype))

    def _log_abs_determinant(self) -> Tensor:
        size = abs(self._factor())
        return log(size) * cast(self._size(), size.dtype)

    def _linop_adjoint(self) -> LinearOperator:
        return self._scaled(conj(self._multiplier))

    def _linop_inverse(self) -> LinearOperator:
        return self._scaled(1 / self._factor())

    def _linop_cholesky(self) -> LinearOperator:
        return self._scaled(sqrt(self._multiplier))

    def _scaled(self, multiplier: Tensor) -> LinearOperator:
        return LinearOperatorScaledIdentity(self._size(), multiplier, **hints.of(self))

    def _assert_non_singular(self) -> Any:
        return assertions.assert_positive(abs(self._factor()), message="LinearOperator was singular.")

    def _assert_positive_definite(self) -> Any:
        return checks.assert_positive_real(self._factor(), "LinearOperator was not positive definite.")

    def _assert_self_adjoint(self) -> Any:
        return checks.assert_real(self._factor(), "LinearOperator was not self-adjoint.")
