"""Tridiagonal operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.array import broadcast_to
from modtf.core.api.elementwise import conj
from modtf.core.api.linalg.banded import tridiagonal_matmul, tridiagonal_solve
from modtf.core.api.linalg.operators import hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.blocks import broadcast
from modtf.core.api.linalg.operators.shapes import (
    batch_of,
    common_batch,
    common_batch_tensor,
    flipped,
    joined,
    kept,
    over_batch,
)
from modtf.core.api.linalg.rearranging import diag, diag_part
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor

_FORMATS = ("compact", "matrix", "sequence")


class LinearOperatorTridiag(LinearOperator):
    """A matrix with elements on the diagonal and next to it only; it multiplies and solves in steps linear in its size.

    Args:
        diagonals: The diagonals, as `diagonals_format` says.
        diagonals_format: `"compact"`, a tensor or variable [..., 3, n] of the diagonals above, on and below the main one, in
            which the last element above and the first below do not count; `"sequence"`, a list of these three, each
            [..., n]; `"matrix"`, a tensor [..., n, n].
        is_non_singular: Whether it has an inverse.
        is_self_adjoint: Whether it equals its conjugate transpose.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Always.
        name: A name.

    Raises:
        ValueError: The format is unknown, or `is_square` is False.
    """

    def __init__(
        self,
        diagonals: Any,
        diagonals_format: str = "compact",
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorTridiag",
    ) -> None:
        if diagonals_format not in _FORMATS:
            raise ValueError(
                f"Argument `diagonals_format` must be one of {', '.join(_FORMATS)}. Received: {diagonals_format}."
            )
        square = hints.checked(is_square, True, "Only square tridiagonal operators supported.")
        self._diagonals: Any
        if diagonals_format == "sequence":
            self._diagonals = [kept(item) for item in diagonals]
            dtype = self._diagonals[0].dtype
        else:
            self._diagonals = kept(diagonals)
            dtype = self._diagonals.dtype
        self._diagonals_format = diagonals_format
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, square, name)

    @property
    def _parameter_ranks(self) -> dict[str, int]:  # type: ignore[override]
        return {"diagonals": 1 if self._diagonals_format == "sequence" else 2}

    @property
    def diagonals(self) -> Any:
        """The diagonals as they were given."""
        return self._diagonals

    @property
    def diagonals_format(self) -> str:
        """How they were given."""
        return self._diagonals_format

    def _shape(self) -> TensorShape:
        if self._diagonals_format == "matrix":
            return self._diagonals.shape
        if self._diagonals_format == "sequence":
            shapes = [item.shape for item in self._diagonals]
            if None in [shape.rank for shape in shapes]:
                return TensorShape(None)
            size = shapes[1][-1]
            return common_batch([shape[:-1] for shape in shapes]).concatenate([size, size])
        shape = self._diagonals.shape
        return shape if shape.rank is None else shape[:-2].concatenate([shape[-1], shape[-1]])

    def _shape_tensor(self) -> Tensor:
        if self._diagonals_format == "sequence":
            sizes = [raw.Shape(item) for item in self._diagonals]
            return joined(common_batch_tensor([size[:-1] for size in sizes]), sizes[1][-1], sizes[1][-1])
        shape = raw.Shape(self._diagonals)
        return joined(shape[:-2], shape[-1], shape[-1])

    def _three(self, adjoint: bool = False) -> Tensor:
        """The diagonals in the compact format, of one batch; or those of the adjoint."""
        if self._diagonals_format == "matrix":
            three = diag_part(self._diagonals, k=(-1, 1), align="LEFT_RIGHT")
        elif self._diagonals_format == "sequence":
            three = raw.Pack(broadcast([convert_to_tensor(item) for item in self._diagonals], 1), axis=-2)
        else:
            three = convert_to_tensor(self._diagonals)
        if not adjoint:
            return three
        above, main, below = raw.Unpack(conj(three), num=3, axis=-2)
        back, on = (
            raw.Roll(item, np.array([step], np.int32), _last_axis(item)) for item, step in ((below, -1), (above, 1))
        )
        return raw.Pack([back, main, on], axis=-2)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return tridiagonal_matmul(*self._with(flipped(x, adjoint_arg), adjoint))

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return tridiagonal_solve(*self._with(flipped(rhs, adjoint_arg), adjoint))

    def _with(self, x: Tensor, adjoint: bool) -> tuple[Tensor, Tensor]:
        """The diagonals and an argument, broadcast to one batch."""
        three = self._three(adjoint)
        return over_batch(three, x.shape[:-2], lambda: batch_of(x)), over_batch(
            x, three.shape[:-2], lambda: batch_of(three)
        )

    def _diag_part(self) -> Tensor:
        if self._diagonals_format == "matrix":
            return diag_part(self._diagonals)
        if self._diagonals_format == "sequence":
            main = convert_to_tensor(self._diagonals[1])
            return broadcast_to(main, self.shape_tensor()[:-1])
        return convert_to_tensor(self._diagonals)[..., 1, :]

    def _to_dense(self) -> Tensor:
        if self._diagonals_format == "matrix":
            return convert_to_tensor(self._diagonals)
        return diag(self._three(), k=(-1, 1), align="LEFT_RIGHT")


def _last_axis(x: Tensor) -> np.ndarray:
    if x.ndim is None:
        raise ValueError("The adjoint of a tridiagonal operator needs diagonals of known rank.")
    return np.array([x.ndim - 1], np.int32)
