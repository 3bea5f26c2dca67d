"""Toeplitz operators: one value along each diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.array import concat
from modtf.core.api.elementwise import cast, conj
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import (
    check_parameter,
    column,
    common_batch,
    common_batch_tensor,
    flipped,
    joined,
    kept,
    over_batch,
    shape_vector,
    size_tensor,
)
from modtf.core.api.linalg.rearranging import matrix_transpose
from modtf.core.api.rearranging import reverse
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


class LinearOperatorToeplitz(LinearOperator):
    """A matrix with one value along each diagonal.

    It multiplies in n log n steps, as a part of a circulant matrix twice as large, by Fourier transforms.

    Args:
        col: The first column, a tensor or variable [..., n].
        row: The first row, [..., n]; its first element does not count.
        is_non_singular: Whether it has an inverse.
        is_self_adjoint: Whether it equals its conjugate transpose.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Always.
        name: A name.

    Raises:
        ValueError: The lengths differ, or `is_square` is False.
    """

    _parameter_ranks = {"col": 1, "row": 1}  # noqa: RUF012

    def __init__(
        self,
        col: Any,
        row: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorToeplitz",
    ) -> None:
        self._row, self._col = kept(row), kept(col)
        for parameter, what in ((self._row, "row"), (self._col, "col")):
            check_parameter(parameter, what, 1)
        if is_square is False:
            raise ValueError("Only square Toeplitz operators currently supported.")
        sizes = (self._row.shape[-1], self._col.shape[-1]) if self._row.shape and self._col.shape else (None, None)
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(f"Expected square matrix, got row and col with mismatched dimensions: {sizes}.")
        square = True
        super().__init__(self._row.dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, square, name)

    @property
    def col(self) -> Any:
        """The first column."""
        return self._col

    @property
    def row(self) -> Any:
        """The first row."""
        return self._row

    def _shape(self) -> TensorShape:
        shapes = self._row.shape, self._col.shape
        if None in (shapes[0].rank, shapes[1].rank):
            return TensorShape(None)
        return common_batch([shape[:-1] for shape in shapes]).concatenate([shapes[0][-1], shapes[0][-1]])

    def _shape_tensor(self) -> Tensor:
        sizes = raw.Shape(self._row)
        return joined(common_batch_tensor([sizes[:-1], raw.Shape(self._col)[:-1]]), sizes[-1:], sizes[-1:])

    def _both(self) -> tuple[Tensor, Tensor]:
        """Column and row, broadcast to one batch."""
        batch = lambda: shape_vector(self.batch_shape, lambda: self._shape_tensor()[:-2])  # noqa: E731
        col, row = convert_to_tensor(self._col), convert_to_tensor(self._row)
        return over_batch(col, self.batch_shape, batch, 1), over_batch(row, self.batch_shape, batch, 1)

    def _size(self) -> Any:
        return size_tensor(self.range_dimension, lambda: raw.Shape(self._row)[-1])

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = flipped(x, adjoint_arg)
        col, row = self._both()
        if adjoint:
            first = conj(col[..., :1])
            col, row = concat([first, conj(row[..., 1:])], -1), concat([first, conj(col[..., 1:])], -1)
        size = self._size()
        working = dtypes.complex128 if self.dtype.real_dtype is dtypes.float64 else dtypes.complex64
        # The first column of a circulant matrix whose upper left quarter this one is.
        around = concat([col, raw.ZerosLike(col[..., :1]), reverse(row[..., 1:], [-1])], -1)
        spectrum = raw.FFT(cast(around, working))
        columns = cast(matrix_transpose(x), working)
        columns = concat([columns, raw.ZerosLike(columns)], -1)
        product = raw.IFFT(raw.ExpandDims(spectrum, np.int32(-2)) * raw.FFT(columns))[..., :size]
        return cast(matrix_transpose(product), self.dtype)

    def _diag_part(self) -> Tensor:
        col, row = self._both()
        return raw.BroadcastTo(col[..., :1], raw.Shape(row))

    def _trace(self) -> Tensor:
        return self._both()[0][..., 0] * cast(self._size(), self.dtype)

    def _to_dense(self) -> Tensor:
        col, row = self._both()
        size = self._size()
        values = concat([reverse(row[..., 1:], [-1]), col], -1)  # from the last diagonal above to the last below
        steps = raw.Range(np.int32(0), convert_to_tensor(size), np.int32(1))
        places = size - 1 + column(steps) - raw.ExpandDims(steps, np.int32(0))
        return raw.GatherV2(values, places, np.int32(-1))
