"""Transposes, diagonals and bands of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.arguments import host
from modtf.core.api.dispatch import dispatched
from modtf.core.api.elementwise import conj
from modtf.core.api.reductions import reduce_sum
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "adjoint", "band_part", "diag", "diag_part", "matrix_transpose", "set_diag", "tensor_diag", "tensor_diag_part", "trace",
]  # fmt: skip


def matrix_transpose(a: Any, name: str | None = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """Returns a tensor with its last two axes swapped.

    Args:
        a: A tensor [..., n, m].
        name: A name for the graph node.
        conjugate: Whether to conjugate the elements as well.

    Raises:
        ValueError: There are fewer than two axes.
    """
    tensor = convert_to_tensor(a)
    if tensor.ndim is not None:
        if tensor.ndim < 2:
            raise ValueError(f"Argument `a` should be a (batch) matrix with rank >= 2. Received shape {tensor.shape}.")
        order: Any = np.array([*range(tensor.ndim - 2), tensor.ndim - 1, tensor.ndim - 2], np.int32)
    else:
        rank = raw.Rank(tensor)
        order = raw.ConcatV2([raw.Range(0, rank - 2, 1), raw.Pack([rank - 1, rank - 2], axis=0)], np.int32(0))
    return raw.Transpose(conj(tensor) if conjugate else tensor, order, name=name)


@dispatched
def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """Returns the conjugate of the transposed matrices [..., n, m]."""
    return matrix_transpose(matrix, name or "adjoint", conjugate=True)


@dispatched
def trace(x: Any, name: str | None = None) -> Tensor:
    """Returns the sums of the diagonals of matrices [..., n, m]."""
    tensor = convert_to_tensor(x)
    zero = convert_to_tensor(0, dtype=tensor.dtype)
    return reduce_sum(raw.MatrixDiagPartV3(tensor, np.int32(0), zero), -1, name=name)


# ------------------------------------------------------------------------------------------------- diagonals and bands


def diag(
    diagonal: Any, name: str | None = "diag", k: Any = 0, num_rows: Any = -1, num_cols: Any = -1, padding_value: Any = 0,
    align: str = "RIGHT_LEFT",
) -> Tensor:  # fmt: skip
    """Returns matrices with the given diagonals.

    Args:
        diagonal: A tensor [..., m] with one diagonal of each matrix; or [..., d, m] with d of them, the uppermost first.
        name: A name for the graph node.
        k: Which diagonal: 0 is the main one, positive ones lie above it. A pair, the lower first, for several of them.
        num_rows: The number of rows; by default, with `num_cols`, what the smallest square matrix has.
        num_cols: The number of columns.
        padding_value: What stands elsewhere.
        align: On which side diagonals shorter than m start, those above the main one and those below it.

    Returns:
        A tensor [..., num_rows, num_cols].
    """
    tensor = convert_to_tensor(diagonal)
    padding = convert_to_tensor(padding_value, dtype=tensor.dtype)
    return raw.MatrixDiagV3(tensor, host(k), host(num_rows), host(num_cols), padding, align=align, name=name)


@dispatched
def diag_part(
    input: Any, name: str | None = "diag_part", k: Any = 0, padding_value: Any = 0, align: str = "RIGHT_LEFT"
) -> Tensor:
    """Returns diagonals of matrices.

    Args:
        input: A tensor [..., n, m].
        name: A name for the graph node.
        k: Which diagonal, or a pair for several; as for `diag`.
        padding_value: What fills up the shorter ones of several diagonals.
        align: On which side they start; as for `diag`.

    Returns:
        A tensor [..., length], or with several diagonals [..., count, length] with the uppermost first.
    """
    tensor = convert_to_tensor(input)
    padding = convert_to_tensor(padding_value, dtype=tensor.dtype)
    return raw.MatrixDiagPartV3(tensor, host(k), padding, align=align, name=name)


def set_diag(input: Any, diagonal: Any, name: str | None = "set_diag", k: Any = 0, align: str = "RIGHT_LEFT") -> Tensor:
    """Returns matrices with some diagonals replaced.

    Args:
        input: A tensor [..., n, m].
        diagonal: The diagonals, of the shape that `diag_part` gives.
        name: A name for the graph node.
        k: Which diagonal, or a pair for several; as for `diag`.
        align: On which side they start; as for `diag`.
    """
    return raw.MatrixSetDiagV3(input, diagonal, host(k), align=align, name=name)


def band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> Tensor:
    """Returns matrices with zeros outside of a band around the main diagonal.

    Args:
        input: A tensor [..., n, m].
        num_lower: How many diagonals below the main one to keep; all of them if negative.
        num_upper: How many above it.
        name: A name for the graph node.
    """
    lower, upper = convert_to_tensor(host(num_lower)), convert_to_tensor(host(num_upper))
    return raw.MatrixBandPart(input, lower, upper, name=name)


def tensor_diag(diagonal: Any, name: str | None = None) -> Tensor:
    """Returns a tensor of shape `shape + shape` with `diagonal`, of that shape, where both halves' indices agree."""
    return raw.Diag(diagonal, name=name)


def tensor_diag_part(input: Any, name: str | None = None) -> Tensor:
    """Returns the diagonal of a tensor of shape `shape + shape`: the elements where both halves' indices agree."""
    return raw.DiagPart(input, name=name)
