"""Diagonals and bands of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, merged, with_rank_at_least
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import like
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def _zero(xp: Any, x: Any) -> Any:
    return xp.zeros((), dtype=x.dtype)


@op(
    "MatrixBandPart[T, Tindex: index = int64](input: T, num_lower: Tindex, num_upper: Tindex) -> (band: T)",
    shape=lambda input, num_lower, num_upper: with_rank_at_least(input, 2, "input"),
    host_inputs=("num_lower", "num_upper"),
)
def band_part(xp: Any, input: Any, num_lower: np.ndarray, num_upper: np.ndarray) -> Any:
    rows, columns = input.shape[-2:]
    lower, upper = int(num_lower), int(num_upper)
    for name, number, size in (("num_lower", lower, rows), ("num_upper", upper, columns)):
        if number > size:
            raise ValueError(f"{name} must be negative or not above the matrix's {size}, but is {number}")
    offset = np.arange(columns) - np.arange(rows)[:, None]
    inside = ((lower < 0) | (-offset <= lower)) & ((upper < 0) | (offset <= upper))
    return xp.where(xp.asarray(inside), input, _zero(xp, input))


band_part.gradient(lambda call, dy: (raw.MatrixBandPart(dy, *call.inputs[1:]), None, None))

# ------------------------------------------------------------------------------------------------- several diagonals
#
# Diagonals `k[0]` to `k[1]` of a matrix (positive above the main one) lie as rows of a smaller matrix, the uppermost
# first, each aligned to the left or the right, as the documentation of tf.linalg.diag draws it.


def _range_of(k: np.ndarray) -> tuple[int, int]:
    if k.ndim > 1 or k.size not in (1, 2):
        raise ValueError(f"k must be a scalar, or a vector of one or two diagonals; its shape is {list(k.shape)}")
    low, high = (int(k.reshape(-1)[0]), int(k.reshape(-1)[-1]))
    if low > high:
        raise ValueError(f"k must be one diagonal or two, the lower first: {k.tolist()}")
    return low, high


def _length(rows: int, columns: int, low: int, high: int) -> int:
    """How long the longest of the diagonals is."""
    return min(rows + min(high, 0), columns - max(low, 0))


def _places(rows: int, columns: int, low: int, high: int, align: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each place of the diagonals in compact form its row and column, and whether it is in the matrix."""
    width = _length(rows, columns, low, high)
    diagonals = np.arange(high, low - 1, -1)[:, None]
    lengths = np.minimum(rows + np.minimum(diagonals, 0), columns - np.maximum(diagonals, 0))
    above, below = align.split("_")
    to_right = np.where(diagonals >= 0, above == "RIGHT", below == "RIGHT")
    step = np.arange(width) - np.where(to_right, width - lengths, 0)
    row, column = step - np.minimum(diagonals, 0), step + np.maximum(diagonals, 0)
    return row, column, (step >= 0) & (step < lengths)


def _check_range(low: int, high: int, rows: int, columns: int) -> None:
    if not (-rows < low < columns or low == 0) or not (-rows < high < columns or high == 0):
        raise ValueError(f"The diagonals {low} to {high} must lie in a matrix of {rows} rows and {columns} columns")


def _check_scalar(padding_value: Any) -> None:
    if len(padding_value.shape):
        raise ValueError(f"padding_value must be a scalar, but its shape is {list(padding_value.shape)}")


_ALIGN = "align: string(LEFT_RIGHT|RIGHT_LEFT|LEFT_LEFT|RIGHT_RIGHT) = 'RIGHT_LEFT'"


def _diag_part_dims(input: Tensor, k: Tensor, padding_value: Tensor, *, align: str) -> Dims:
    dims, known = with_rank_at_least(input, 2, "input"), constant_value(k)
    if dims is None or known is None:
        return None
    low, high = _range_of(known)
    rows, columns = dims[-2:]
    if rows is None or columns is None:
        width = None
    else:
        _check_range(low, high, rows, columns)
        width = _length(rows, columns, low, high)
    return (*dims[:-2], *([high - low + 1] if high > low else []), width)


@op(
    f"MatrixDiagPartV3[T](input: T, k: int32, padding_value: T, *, {_ALIGN}) -> (diagonal: T)",
    shape=_diag_part_dims,
    host_inputs=("k",),
)
def diag_part(xp: Any, input: Any, k: np.ndarray, padding_value: Any, *, align: str) -> Any:
    if padding_value is not None:
        _check_scalar(padding_value)
    rows, columns = input.shape[-2:]
    low, high = _range_of(k)
    _check_range(low, high, rows, columns)
    row, column, inside = _places(rows, columns, low, high, align)
    flat = xp.reshape(input, (*input.shape[:-2], rows * columns))
    taken = xp.take(flat, xp.asarray(np.where(inside, row * columns + column, 0).reshape(-1)), axis=-1)
    if not inside.all():
        taken = xp.where(xp.asarray(inside.reshape(-1)), taken, padding_value)
    return xp.reshape(taken, (*input.shape[:-2], *(inside.shape if high > low else inside.shape[1:])))


@diag_part.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None, None]:
    x, k, _padding = call.inputs
    return raw.MatrixSetDiagV3(like(x, 0), dy, k, align=call["align"]), None, None


@op(
    f"MatrixSetDiagV3[T](input: T, diagonal: T, k: int32, *, {_ALIGN}) -> (output: T)",
    shape=lambda input, diagonal, k, *, align: with_rank_at_least(input, 2, "input"),
    host_inputs=("k",),
)
def set_diag(xp: Any, input: Any, diagonal: Any, k: np.ndarray, *, align: str) -> Any:
    rows, columns = input.shape[-2:]
    low, high = _range_of(k)
    _check_range(low, high, rows, columns)
    row, column, inside = _places(rows, columns, low, high, align)
    if diagonal.shape != (*input.shape[:-2], *(inside.shape if high > low else inside.shape[1:])):
        raise ValueError(
            f"The diagonals {low} to {high} of shape {diagonal.shape} do not fit a matrix of shape {input.shape}"
        )
    source, taken = np.zeros((rows, columns), np.int64), np.zeros((rows, columns), bool)
    source[row[inside], column[inside]] = np.flatnonzero(inside)
    taken[row[inside], column[inside]] = True
    flat = xp.reshape(diagonal, (*input.shape[:-2], inside.size))
    if not inside.size:
        return input
    spread = xp.reshape(xp.take(flat, xp.asarray(source.reshape(-1)), axis=-1), input.shape)
    return xp.where(xp.asarray(taken), spread, input)


@set_diag.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor, None]:
    _, diagonal, k = call.inputs
    align = call["align"]
    to_input = raw.MatrixSetDiagV3(dy, like(diagonal, 0), k, align=align)
    return to_input, raw.MatrixDiagPartV3(dy, k, like(dy, 0, scalar=True), align=align), None


def _matrix_size(low: int, high: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """The smallest matrix that holds the diagonals, with what is given of it."""
    least_rows, least_columns = width - min(high, 0), width + max(low, 0)
    if rows == -1 and columns == -1:
        rows = columns = max(least_rows, least_columns)
    elif rows == -1:
        rows = least_rows
    elif columns == -1:
        columns = least_columns
    if rows < least_rows or columns < least_columns or (rows != least_rows and columns != least_columns):
        raise ValueError(
            f"The diagonals {low} to {high} of length {width} do not fit {rows} rows and {columns} columns; "
            f"the matrix must have {least_rows} rows or {least_columns} columns, and no fewer of either"
        )
    return rows, columns


def _diag_dims(
    diagonal: Tensor, k: Tensor, num_rows: Tensor, num_cols: Tensor, padding_value: Tensor, *, align: str
) -> Dims:
    dims = with_rank_at_least(diagonal, 1, "diagonal")
    known, rows, columns = (constant_value(item) for item in (k, num_rows, num_cols))
    if dims is None or known is None:
        return None
    low, high = _range_of(known)
    lead = dims[:-1]
    if high > low:
        with_rank_at_least(diagonal, 2, "diagonal")
        merged(dims[-2:-1], (high - low + 1,))
        lead = dims[:-2]
    if rows is None or columns is None or dims[-1] is None:
        return (*lead, *(None if size is None or size == -1 else int(size) for size in (rows, columns)))
    return (*lead, *_matrix_size(low, high, dims[-1], int(rows), int(columns)))


@op(
    "MatrixDiagV3[T](diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T, *, "
    f"{_ALIGN}) -> (output: T)",
    shape=_diag_dims,
    host_inputs=("k", "num_rows", "num_cols"),
)
def diag(
    xp: Any, diagonal: Any, k: np.ndarray, num_rows: np.ndarray, num_cols: np.ndarray, padding_value: Any, *, align: str
) -> Any:
    _check_scalar(padding_value)
    low, high = _range_of(k)
    rows, columns = _matrix_size(low, high, diagonal.shape[-1], int(num_rows), int(num_cols))
    lead = diagonal.shape[: -2 if high > low else -1]
    return set_diag.kernel(xp, xp.broadcast_to(padding_value, (*lead, rows, columns)), diagonal, k, align=align)  # type: ignore[operator, misc]


@diag.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    return (
        raw.MatrixDiagPartV3(dy, call.inputs[1], like(dy, 0, scalar=True), align=call["align"]),
        None,
        None,
        None,
        None,
    )


# ------------------------------------------------------------------------------------------------- of tensors

_TENSOR_TYPES = "T: bfloat16|float16|float32|float64|int32|int64|complex64|complex128"


def _square_diag(xp: Any, diagonal: Any) -> Any:
    size = int(np.prod(diagonal.shape))
    flat = xp.reshape(diagonal, (1, size))
    matrix = xp.where(xp.asarray(np.eye(size, dtype=bool)), flat, _zero(xp, diagonal))
    return xp.reshape(matrix, diagonal.shape * 2)


def _square_diag_part(xp: Any, input: Any) -> Any:
    half = input.shape[: len(input.shape) // 2]
    if not half or input.shape != half * 2:
        raise ValueError(
            f"Input must have even and non-zero rank and twice the same sizes, but its shape is {input.shape}"
        )
    size = int(np.prod(half))
    return xp.reshape(xp.take(xp.reshape(input, (-1,)), xp.asarray(np.arange(size) * (size + 1)), axis=0), half)


def _half_dims(input: Tensor) -> Dims:
    dims = input.dims
    if dims is None:
        return None
    if not dims or len(dims) % 2:
        raise ValueError(f"Input must have even and non-zero rank, but its shape is {input.shape}")
    return merged(dims[: len(dims) // 2], dims[len(dims) // 2 :])


register(
    Op(
        f"Diag[{_TENSOR_TYPES}](diagonal: T) -> (output: T)",
        kernel=_square_diag,
        shape=lambda diagonal: diagonal.dims and diagonal.dims * 2,
    )
).gradient(lambda call, dy: raw.DiagPart(dy))
register(
    Op(f"DiagPart[{_TENSOR_TYPES}](input: T) -> (diagonal: T)", kernel=_square_diag_part, shape=_half_dims)
).gradient(lambda call, dy: raw.Diag(dy))

# ------------------------------------------------------------------------------------------------- the older forms
#
# The second versions align to the left, and the first have the main diagonal alone.

_LEFT = "LEFT_LEFT"
_MAIN = np.zeros((), np.int32)


def _last_two(input: Tensor) -> Dims:
    dims = with_rank_at_least(input, 2, "input")
    if dims is None:
        return None
    known = [size for size in dims[-2:] if size is not None]
    return (*dims[:-2], min(known) if len(known) == 2 or 0 in known else None)


def _set_dims(input: Tensor, diagonal: Tensor) -> Dims:
    dims = with_rank_at_least(input, 2, "input")
    part = with_rank_at_least(diagonal, 1, "diagonal")
    if dims is None:
        return None if part is None or None in part else (*part[:-1], None, None)
    if part is not None:
        merged(_last_two(input), part)
    return dims


def _square_dims(diagonal: Tensor) -> Dims:
    dims = with_rank_at_least(diagonal, 1, "diagonal")
    return dims and (*dims, dims[-1])


@op("MatrixDiag[T](diagonal: T) -> (output: T)", shape=_square_dims)
def diag_v1(xp: Any, diagonal: Any) -> Any:
    size = np.array(-1)
    return diag.kernel(xp, diagonal, _MAIN, size, size, _zero(xp, diagonal), align=_LEFT)  # type: ignore[operator, misc]


@op("MatrixDiagPart[T](input: T) -> (diagonal: T)", shape=_last_two)
def diag_part_v1(xp: Any, input: Any) -> Any:
    return diag_part.kernel(xp, input, _MAIN, None, align=_LEFT)  # type: ignore[operator, misc]


@op("MatrixSetDiag[T](input: T, diagonal: T) -> (output: T)", shape=_set_dims)
def set_diag_v1(xp: Any, input: Any, diagonal: Any) -> Any:
    return set_diag.kernel(xp, input, diagonal, _MAIN, align=_LEFT)  # type: ignore[operator, misc]


diag_v1.gradient(lambda call, dy: raw.MatrixDiagPart(dy))
diag_part_v1.gradient(lambda call, dy: raw.MatrixSetDiag(like(call.inputs[0], 0), dy))
set_diag_v1.gradient(
    lambda call, dy: (raw.MatrixSetDiag(dy, like(call.inputs[1], 0)), raw.MatrixDiagPart(dy)),
)

register(
    Op(
        "MatrixDiagV2[T](diagonal: T, k: int32, num_rows: int32, num_cols: int32, padding_value: T) -> (output: T)",
        kernel=lambda xp, *inputs: diag.kernel(xp, *inputs, align=_LEFT),  # type: ignore[operator, misc]
        shape=lambda *inputs: _diag_dims(*inputs, align=_LEFT),
        host_inputs=("k", "num_rows", "num_cols"),
    )
).gradient(
    lambda call, dy: (raw.MatrixDiagPartV2(dy, call.inputs[1], like(dy, 0, scalar=True)), None, None, None, None),
)
register(
    Op(
        "MatrixDiagPartV2[T](input: T, k: int32, padding_value: T) -> (diagonal: T)",
        kernel=lambda xp, *inputs: diag_part.kernel(xp, *inputs, align=_LEFT),  # type: ignore[operator, misc]
        shape=lambda *inputs: _diag_part_dims(*inputs, align=_LEFT),
        host_inputs=("k",),
    )
).gradient(lambda call, dy: (raw.MatrixSetDiagV2(like(call.inputs[0], 0), dy, call.inputs[1]), None, None))
register(
    Op(
        "MatrixSetDiagV2[T](input: T, diagonal: T, k: int32) -> (output: T)",
        kernel=lambda xp, *inputs: set_diag.kernel(xp, *inputs, align=_LEFT),  # type: ignore[operator, misc]
        shape=lambda input, diagonal, k: with_rank_at_least(input, 2, "input"),
        host_inputs=("k",),
    )
).gradient(
    lambda call, dy: (
        raw.MatrixSetDiagV2(dy, like(call.inputs[1], 0), call.inputs[2]),
        raw.MatrixDiagPartV2(dy, call.inputs[2], like(dy, 0, scalar=True)),
        None,
    )
)
