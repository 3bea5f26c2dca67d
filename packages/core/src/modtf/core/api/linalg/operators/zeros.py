"""The matrix of zeros."""

from __future__ import annotations

from typing import Any

from modtf.core.api.array import zeros
from modtf.core.api.elementwise import cast, minimum
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.identity import batch_of, size_of
from modtf.core.api.linalg.operators.shapes import batch_of as batch_of_tensor
from modtf.core.api.linalg.operators.shapes import common_batch_tensor, flipped, joined, shape_vector, size_tensor
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


class LinearOperatorZeros(LinearOperator):
    """A matrix of zeros.

    Args:
        num_rows: How many rows it has, an integer.
        num_columns: How many columns; by default as many.
        batch_shape: The shape of the batch, a vector of integers; none by default.
        dtype: The dtype of what is multiplied with it, float32 by default.
        is_non_singular: Never.
        is_self_adjoint: Always, if it is square.
        is_positive_definite: Never.
        is_square: Whether there are as many columns as rows.
        assert_proper_shapes: Not used: shapes that do not fit are refused in any case.
        name: A name.

    Raises:
        TypeError: A size is no integer.
        ValueError: A size is negative or of a wrong rank, or a hint contradicts what is always so.
    """

    def __init__(
        self,
        num_rows: Any,
        num_columns: Any = None,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = False,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = False,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorZeros",
    ) -> None:
        if not is_self_adjoint and is_square:
            raise ValueError("A zero operator is always self adjoint.")
        if is_non_singular:
            raise ValueError("A zero operator is always singular.")
        if is_positive_definite:
            raise ValueError("A zero operator is always not positive-definite.")
        dtype = as_dtype(dtype or dtypes.float32)
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)
        self._rows, self._row_count = size_of(num_rows, "num_rows")
        self._columns, self._column_count = size_of(num_rows if num_columns is None else num_columns, "num_columns")
        if is_square and None not in (self._row_count, self._column_count) and self._row_count != self._column_count:
            raise ValueError(
                f"LinearOperatorZeros initialized as is_square=True, but got num_rows({self._row_count}) != "
                f"num_columns({self._column_count})"
            )
        self._batch, self._batch_static = batch_of(batch_shape)

    def _shape(self) -> TensorShape:
        return self._batch_static.concatenate([self._row_count, self._column_count])

    def _shape_tensor(self) -> Tensor:
        return joined(self._batch_vector(), self._size(False), self._size(True))

    def _batch_vector(self) -> Any:
        return shape_vector(self._batch_static, lambda: self._batch)  # type: ignore[arg-type, return-value]

    def _size(self, of_columns: bool) -> Any:
        static, size = (self._column_count, self._columns) if of_columns else (self._row_count, self._rows)
        return size_tensor(static, lambda: cast(size, dtypes.int32))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = flipped(x, adjoint_arg)
        batch = common_batch_tensor([self._batch_vector(), batch_of_tensor(x)])
        return zeros(joined(batch, self._size(of_columns=adjoint), raw.Shape(x)[-1:]), dtype=self.dtype)

    def _to_dense(self) -> Tensor:
        return zeros(self.shape_tensor(), dtype=self.dtype)

    def _diag_part(self) -> Tensor:
        length = minimum(self._size(False), self._size(True))
        return zeros(joined(self._batch_vector(), length), dtype=self.dtype)

    _eigvals = _diag_part

    def _determinant(self) -> Tensor:
        return zeros(self._batch_vector(), dtype=self.dtype)

    _trace = _determinant

    def _log_abs_determinant(self) -> Tensor:
        from modtf.core.api.elementwise import log

        return log(self._determinant())

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return raw.BroadcastTo(
            x, joined(common_batch_tensor([self._batch_vector(), batch_of_tensor(x)]), raw.Shape(x)[-2:])
        )

    def add_to_tensor(self, mat: Any, name: str = "add_to_tensor") -> Tensor:
        """Returns A + mat for a tensor mat [..., m, n]."""
        return super().add_to_tensor(mat, name)

    def _linop_adjoint(self) -> LinearOperator:
        return LinearOperatorZeros(
            self._size(True), self._size(False), self._batch, self.dtype,
            is_self_adjoint=self.is_self_adjoint, is_square=self.is_square,
        )  # fmt: skip

    def _assert_non_singular(self) -> Any:
        raise InvalidArgumentError("Zero operators are always non-invertible.")

    def _assert_positive_definite(self) -> Any:
        raise InvalidArgumentError("Zero operators are always non-positive definite.")

    def _assert_self_adjoint(self) -> Any:
        from modtf.core.api.side_effects import no_op

        return no_op()
