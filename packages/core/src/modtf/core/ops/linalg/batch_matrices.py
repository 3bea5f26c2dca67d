"""Ops of old graphs: what was of batches alone, before the ops of matrices took batches."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import with_rank_at_least
from modtf.core.engine.vocabulary import Op, get_op, op, register
from modtf.core.ops.linalg import decompositions, diagonals, fourier  # noqa: F401 (which register today's ops)
from modtf.core.ops.linalg.matrix_algebra import square_dims
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_SAME_AS = {
    "BatchCholesky[T: float32|float64](input: T) -> (output: T)": "Cholesky",
    "BatchCholeskyGrad[T: float32|float64](l: T, grad: T) -> (output: T)": "CholeskyGrad",
    "BatchFFT(input: complex64) -> (output: complex64)": "FFT",
    "BatchFFT2D(input: complex64) -> (output: complex64)": "FFT2D",
    "BatchFFT3D(input: complex64) -> (output: complex64)": "FFT3D",
    "BatchIFFT(input: complex64) -> (output: complex64)": "IFFT",
    "BatchIFFT2D(input: complex64) -> (output: complex64)": "IFFT2D",
    "BatchIFFT3D(input: complex64) -> (output: complex64)": "IFFT3D",
    "BatchMatrixBandPart[T](input: T, num_lower: int64, num_upper: int64) -> (band: T)": "MatrixBandPart",
    "BatchMatrixDeterminant[T: float32|float64|complex](input: T) -> (output: T)": "MatrixDeterminant",
    "BatchMatrixInverse[T: float32|float64](input: T, *, adjoint: bool = False) -> (output: T)": "MatrixInverse",
    "BatchMatrixSolve[T: float32|float64](matrix: T, rhs: T, *, adjoint: bool = False) -> (output: T)": "MatrixSolve",
    "BatchMatrixSolveLs[T: float32|float64](matrix: T, rhs: T, l2_regularizer: float64, *, fast: bool = True) "
    "-> (output: T)": "MatrixSolveLs",
    "BatchMatrixTriangularSolve[T: float32|float64](matrix: T, rhs: T, *, lower: bool = True, adjoint: bool = False) "
    "-> (output: T)": "MatrixTriangularSolve",
    "BatchSelfAdjointEigV2[T: float32|float64](input: T, *, compute_v: bool = True) -> (e: T, v: T)": "SelfAdjointEigV2",
    "BatchSvd[T: float32|float64|complex](input: T, *, compute_uv: bool = True, full_matrices: bool = False) "
    "-> (s: T, u: T, v: T)": "Svd",
}  # fmt: skip
"""Schemas, each with the op that has its kernel, shape rule and gradient."""

for _schema, _name in _SAME_AS.items():
    _today = get_op(_name)
    assert callable(_today.kernel)
    _made = register(
        Op(
            _schema, kernel=_today.kernel, shape=_today.shape_rule, host_inputs=_today.host_inputs, quiet=_today.quiet
        )
    )  # fmt: skip
    if _today.gradient_rule is not None:
        _made.gradient(_today.gradient_rule)

# ------------------------------------------------------------------------------------------------- main diagonals


def _diag_dims(diagonal: Tensor) -> Dims:
    dims = with_rank_at_least(diagonal, 1, "diagonal")
    return None if dims is None else (*dims, dims[-1])


def _diag_part_dims(input: Tensor) -> Dims:
    dims = with_rank_at_least(input, 2, "input")
    if dims is None:
        return None
    rows, columns = dims[-2:]
    return (*dims[:-2], None if rows is None or columns is None else min(rows, columns))


_MAIN, _ANY = np.array(0, np.int32), np.array(-1, np.int32)


def _kernel(name: str) -> Any:
    return get_op(name).kernel


@op("BatchMatrixDiag[T](diagonal: T) -> (output: T)", shape=_diag_dims)
def batch_matrix_diag(xp: Any, diagonal: Any) -> Any:
    zero = xp.zeros((), dtype=diagonal.dtype)
    return _kernel("MatrixDiagV3")(xp, diagonal, _MAIN, _ANY, _ANY, zero, align="RIGHT_LEFT")


batch_matrix_diag.gradient(lambda call, dy: raw.BatchMatrixDiagPart(dy))


@op("BatchMatrixDiagPart[T](input: T) -> (diagonal: T)", shape=_diag_part_dims)
def batch_matrix_diag_part(xp: Any, input: Any) -> Any:
    return _kernel("MatrixDiagPartV3")(xp, input, _MAIN, xp.zeros((), dtype=input.dtype), align="RIGHT_LEFT")


batch_matrix_diag_part.gradient(lambda call, dy: raw.BatchMatrixSetDiag(raw.ZerosLike(call.inputs[0]), dy))


@op(
    "BatchMatrixSetDiag[T](input: T, diagonal: T) -> (output: T)",
    shape=lambda input, diagonal: with_rank_at_least(input, 2, "input"),
)
def batch_matrix_set_diag(xp: Any, input: Any, diagonal: Any) -> Any:
    return _kernel("MatrixSetDiagV3")(xp, input, diagonal, _MAIN, align="RIGHT_LEFT")


@batch_matrix_set_diag.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    return raw.BatchMatrixSetDiag(dy, raw.ZerosLike(call.inputs[1])), raw.BatchMatrixDiagPart(dy)


# ------------------------------------------------------------------------------------------------- eigenvalues


def _stacked_dims(input: Tensor) -> Dims:
    dims = square_dims(input)
    return None if dims is None else (*dims[:-2], None if dims[-1] is None else dims[-1] + 1, dims[-1])


def _eigenvalues_above_vectors(xp: Any, input: Any) -> Any:
    values, vectors = _kernel("SelfAdjointEigV2")(xp, input, compute_v=True)
    return xp.concat([values[..., None, :], vectors], axis=-2)


for _name, _types in (("SelfAdjointEig", "float16|float32|float64"), ("BatchSelfAdjointEig", "float32|float64")):
    register(
        Op(f"{_name}[T: {_types}](input: T) -> (output: T)", kernel=_eigenvalues_above_vectors, shape=_stacked_dims)
    )
