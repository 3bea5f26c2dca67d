"""Linear equations, decompositions and functions of matrices.

Of decompositions whose signs, phases or order differ between libraries, only what is determined is compared here; that
the parts multiply up to the whole is tested in the package's own test_linalg_decompositions. Of complex determinants,
square roots, tridiagonal and least-squares systems, TensorFlow's gradients lack conjugates; ours are tested there, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, Some, i64, some

_REAL = "float64 float32"
_COMPLEX = "complex64 complex128"
_ALL = f"{_REAL} {_COMPLEX}"


class _Regular(Some):
    """Matrices far from singular ones: the diagonal outweighs the rest."""

    def array(self, dtype: str, stream: int) -> np.ndarray:
        values = super().array(dtype, stream)
        return values + 3 * np.eye(*values.shape[-2:], dtype=values.dtype)


class _Positive(Some):
    """Positive definite matrices."""

    def array(self, dtype: str, stream: int) -> np.ndarray:
        values = super().array(dtype, stream)
        squared: np.ndarray = values @ np.swapaxes(values, -1, -2).conj() + np.eye(values.shape[-1], dtype=values.dtype)
        return squared


def regular(*shape: int) -> Some:
    return _Regular(*shape, low=-1.0, high=1.0)


def positive(*shape: int) -> Some:
    return _Positive(*shape, low=-1.0, high=1.0)


class _Fixed(Given):
    """What a source gives, as values for which nothing is differentiated."""

    def array(self, dtype: str, stream: int) -> np.ndarray:
        made: np.ndarray = self.values.array(dtype, stream)
        return made


def fixed(source: Some) -> Given:
    return _Fixed(source)


_SINGULAR = Given([[1, 2], [2, 4]])
_NO_NUMBER = Given([[np.nan, 1], [1, 2]])
_WEIGHT = np.array(0.0, np.float64)
_SOME_WEIGHT = np.array(0.5, np.float64)

# ------------------------------------------------------------------------------------------------- linear systems

for _prefix, _dtypes in (("", f"{_ALL} float16"), ("Batch", _REAL)):
    case(f"{_prefix}MatrixInverse", regular(3, 3), dtypes=_dtypes, tolerance=4)
    case(f"{_prefix}MatrixInverse", regular(2, 2, 2), dtypes=_REAL, adjoint=True)
    mistake(f"{_prefix}MatrixInverse", some(2, 3))
    mistake(f"{_prefix}MatrixInverse", _SINGULAR, told_by="values")
case("MatrixInverse", regular(2, 2), dtypes="complex128", adjoint=True)
case("MatrixInverse", some(2, 0, 0), dtypes="float32", smooth=False)
mistake("MatrixInverse", _NO_NUMBER, told_by="values")
mistake("MatrixInverse", some(3))

for _name in ("MatrixDeterminant", "BatchMatrixDeterminant"):
    case(_name, regular(3, 3), dtypes=_dtypes, tolerance=4)
    case(_name, regular(2, 2, 2), dtypes=_REAL, tolerance=2)
    case(_name, _SINGULAR, dtypes="float64")
    mistake(_name, some(2, 3))
case("MatrixDeterminant", some(2, 0, 0), dtypes="float32", smooth=False)
case("LogMatrixDeterminant", regular(3, 3), dtypes=_ALL, tolerance=2)
case("LogMatrixDeterminant", some(2, 3, 3), dtypes=_REAL, tolerance=8)
case("LogMatrixDeterminant", _SINGULAR, dtypes="float64")
case("LogMatrixDeterminant", some(2, 0, 0), dtypes="float32", smooth=False)
mistake("LogMatrixDeterminant", some(2, 3))

for _prefix, _dtypes in (("", _ALL), ("Batch", _REAL)):
    case(f"{_prefix}MatrixSolve", regular(3, 3), some(3, 2), dtypes=_dtypes, tolerance=2)
    case(f"{_prefix}MatrixSolve", regular(2, 2, 2), some(2, 2, 1), dtypes=_dtypes, adjoint=True)
    mistake(f"{_prefix}MatrixSolve", some(2, 2), some(3, 1))
    mistake(f"{_prefix}MatrixSolve", _SINGULAR, some(2, 1), told_by="values")
case("MatrixSolve", some(0, 0), some(0, 2), dtypes="float32", smooth=False)
case("MatrixSolve", regular(2, 2), some(2, 0), dtypes="float32", smooth=False)
mistake("MatrixSolve", some(2, 3), some(2, 1))
mistake("MatrixSolve", some(1, 2, 2), some(3, 2, 1))
mistake("MatrixSolve", _NO_NUMBER, some(2, 1), told_by="values")

for _prefix, _dtypes in (("", _ALL), ("Batch", _REAL)):
    for _flags in ({}, {"lower": False}, {"adjoint": True}, {"lower": False, "adjoint": True}):
        _case: dict[str, Any] = dict(_flags)
        case(f"{_prefix}MatrixTriangularSolve", regular(3, 3), some(3, 2), dtypes=_dtypes, tolerance=2, **_case)
    mistake(f"{_prefix}MatrixTriangularSolve", some(2, 2), some(3, 1))
case("MatrixTriangularSolve", regular(2, 1, 3, 3), some(2, 3, 1), dtypes=_REAL, tolerance=2)
case("MatrixTriangularSolve", regular(70, 70), some(70, 1), dtypes="float64", smooth=False, tolerance=8)
case("MatrixTriangularSolve", some(0, 0), some(0, 2), dtypes="float32", smooth=False)
case("MatrixTriangularSolve", Given([[0, 5], [1, 2]]), Given([[1], [4]]), dtypes=_REAL)
case("MatrixTriangularSolve", Given([[2, 1], [5, 0]]), Given([[1], [4]]), dtypes=_REAL, lower=False)

for _prefix, _dtypes in (("", _REAL), ("Batch", _REAL)):
    for _shape in ((4, 3), (3, 4)):
        case(f"{_prefix}MatrixSolveLs", regular(*_shape), some(_shape[0], 2), _WEIGHT, dtypes=_dtypes, tolerance=8)
        case(f"{_prefix}MatrixSolveLs", regular(*_shape), some(_shape[0], 1), _SOME_WEIGHT, dtypes=_REAL, tolerance=8)
    mistake(f"{_prefix}MatrixSolveLs", some(2, 2), some(3, 1), _WEIGHT)
case("MatrixSolveLs", regular(2, 3, 3), some(2, 3, 1), _SOME_WEIGHT, dtypes=_REAL, tolerance=8)
for _shape in ((4, 3), (3, 4)):
    _fixed = fixed(regular(*_shape)), fixed(some(_shape[0], 2))
    case("MatrixSolveLs", *_fixed, _SOME_WEIGHT, dtypes=_COMPLEX, tolerance=8)
    case("MatrixSolveLs", *_fixed, _SOME_WEIGHT, dtypes=_ALL, fast=False, tolerance=8)
case("MatrixSolveLs", Given(np.ones((4, 3))), Given([[1], [2], [4], [3]]), _WEIGHT, dtypes=_REAL, fast=False)
mistake("MatrixSolveLs", Given(np.ones((4, 3))), some(4, 1), _WEIGHT, told_by="values")
mistake("MatrixSolveLs", some(4, 3), some(4, 1), np.array(-1.0, np.float64), told_by="values")

# ------------------------------------------------------------------------------------------------- bands, diagonals


class _Bands(Some):
    """Diagonals of which the main one, in a row of its own, outweighs the others."""

    main = 0

    def array(self, dtype: str, stream: int) -> np.ndarray:
        values = super().array(dtype, stream)
        values[..., self.main, :] += 3
        return values


class _Tridiagonal(_Bands):
    main = 1


class _UpperBands(_Bands):
    main = -1


for _adjoint in (False, True):
    case("BandedTriangularSolve", _Bands(2, 4, low=-1), some(4, 2), dtypes=_ALL, adjoint=_adjoint)
    case("BandedTriangularSolve", _UpperBands(3, 4, low=-1), some(4, 2), dtypes=_ALL, lower=False, adjoint=_adjoint)
case("BandedTriangularSolve", _Bands(2, 1, 3, 3, low=-1), some(2, 3, 1), dtypes=_REAL)
case("BandedTriangularSolve", Given([[2, 1, 4]]), Given([[1], [2], [3]]), dtypes=_REAL)
mistake("BandedTriangularSolve", some(2, 3), some(2, 1))
mistake("BandedTriangularSolve", Given(np.zeros((2, 3))), some(3, 1), told_by="values")

case("TridiagonalMatMul", some(1, 4), some(1, 4), some(1, 4), some(4, 2), dtypes=_ALL)
case("TridiagonalMatMul", some(2, 1, 3), some(2, 1, 3), some(2, 1, 3), some(2, 3, 1), dtypes=_REAL)
case("TridiagonalMatMul", some(1, 1), some(1, 1), some(1, 1), some(1, 2), dtypes="float64")
mistake("TridiagonalMatMul", some(1, 4), some(1, 4), some(1, 3), some(4, 2))

for _pivoting in (False, True):
    case("TridiagonalSolve", _Tridiagonal(3, 4, low=-1), some(4, 2), dtypes=_REAL, partial_pivoting=_pivoting)
    _fixed = fixed(_Tridiagonal(3, 4, low=-1)), fixed(some(4, 2))
    case("TridiagonalSolve", *_fixed, dtypes=_COMPLEX, partial_pivoting=_pivoting)
    case("TridiagonalSolve", _Tridiagonal(2, 3, 3, low=-1), some(2, 3, 1), dtypes=_REAL, partial_pivoting=_pivoting)
case("TridiagonalSolve", Given([[1, 2, 9], [0, 1, 5], [9, 3, 4]]), Given([[1], [2], [3]]), dtypes=_ALL)
case("TridiagonalSolve", some(3, 1), some(1, 2), dtypes="float64")
mistake("TridiagonalSolve", some(3, 4), some(3, 2))
case("TridiagonalSolve", Given([[1, 9], [0, 1], [9, 2]]), Given([[1], [2]]), dtypes=_REAL, partial_pivoting=False)
case(
    "TridiagonalSolve",
    Given([[[2, 9], [1, 4], [9, 2]], [[2, 9], [1, 4], [9, 1]]]),
    Given(np.ones((2, 2, 1))),
    dtypes=_REAL,
)

# ------------------------------------------------------------------------------------------------- decompositions

for _prefix, _dtypes in (("", _ALL), ("Batch", _REAL)):  # TensorFlow's gradient is the symmetric one
    case(f"{_prefix}Cholesky", positive(3, 3), dtypes=_dtypes, smooth=False, tolerance=2)
    case(f"{_prefix}Cholesky", positive(2, 2, 2), dtypes=_REAL, smooth=False, tolerance=2)
    mistake(f"{_prefix}Cholesky", some(2, 3))
    case(f"{_prefix}CholeskyGrad", regular(3, 3), some(3, 3), dtypes=_REAL, tolerance=2, smooth=False)
    mistake(f"{_prefix}CholeskyGrad", regular(3, 3), some(2, 3, 3), told_by="arguments")
case("Cholesky", Given([[4, 99], [2, 10]]), dtypes=_REAL)
case("Cholesky", some(2, 0, 0), dtypes="float32", smooth=False)

case("Qr", regular(3, 3), dtypes=f"{_ALL} float16", tolerance=4)
case("Qr", regular(4, 3), dtypes=_ALL, tolerance=4)
case("Qr", regular(2, 2, 3), dtypes=_ALL, tolerance=4)
case("Qr", regular(3, 3), dtypes=_REAL, tolerance=4, full_matrices=True)
case("Qr", fixed(regular(4, 3)), dtypes=_ALL, tolerance=4, full_matrices=True)
case("Qr", Given(np.zeros((2, 3, 0))), dtypes="float32", full_matrices=True)
mistake("Qr", some(3))

case("Lu", regular(4, 4), dtypes=_REAL, tolerance=4)
case("Lu", Given([[[0, 1, 2], [3, 4, 5], [6, 7, 9]], [[1, 2, 3], [0, 4, 5], [0, 0, 6]]]), dtypes=_ALL, tolerance=4)
case("Lu", regular(2, 2), dtypes="float64", output_idx_type="int64")
case("Lu", some(0, 0), dtypes="float32")
mistake("Lu", some(2, 3))
mistake("Lu", Given([[0, 0], [0, 1]]), told_by="values")

_SPECTRUM: dict[str, Any] = {"tolerance": 8, "outputs": 1, "smooth": False}
for _prefix, _dtypes in (("", _ALL), ("Batch", _REAL)):
    case(f"{_prefix}SelfAdjointEigV2", positive(3, 3), dtypes=_dtypes, **_SPECTRUM)
    case(f"{_prefix}SelfAdjointEigV2", some(2, 2, 2), dtypes=_REAL, compute_v=False, **_SPECTRUM)
    mistake(f"{_prefix}SelfAdjointEigV2", some(2, 3))
case("SelfAdjointEigV2", some(0, 0), dtypes="float32", **_SPECTRUM)
mistake("SelfAdjointEigV2", _NO_NUMBER, told_by="values")
for _prefix in ("", "Batch"):
    case(f"{_prefix}SelfAdjointEig", Given([[2, 0], [0, 5]]), dtypes=_REAL)
case("Eig", Given([[1, 2, 3], [0, 4, 5], [0, 0, 7]]), dtypes="float64", Tout="complex128", **_SPECTRUM)
case("Eig", Given([[1, 2], [0, 4]]), dtypes="float32 complex64", Tout="complex64", compute_v=False, **_SPECTRUM)
mistake("Eig", some(2, 3), Tout="complex64")
mistake("Eig", _NO_NUMBER, told_by="values", Tout="complex64")

for _prefix, _dtypes in (("", _ALL), ("Batch", _ALL)):
    _of_values: dict[str, Any] = {"tolerance": 8, "outputs": 1}
    case(f"{_prefix}Svd", regular(3, 3), dtypes=_dtypes, **_of_values)
    case(f"{_prefix}Svd", regular(4, 3), dtypes=_dtypes, compute_uv=False, **_of_values)
    case(f"{_prefix}Svd", regular(2, 2, 3), dtypes=_REAL, **_of_values)
    mistake(f"{_prefix}Svd", some(3))
case("Svd", regular(3, 4), dtypes=_REAL, full_matrices=True, **_of_values)
case("Svd", Given(np.zeros((2, 0, 3))), dtypes="float32", full_matrices=True)
case("Svd", _NO_NUMBER, dtypes="float32")

# ------------------------------------------------------------------------------------------------- functions of matrices

case("MatrixExponential", some(3, 3), dtypes=_ALL, tolerance=16)
case("MatrixExponential", some(2, 2, 2, low=-9, high=9), dtypes=_REAL, tolerance=64)
case("MatrixExponential", Given(np.zeros((2, 2))), dtypes=_REAL)
mistake("MatrixExponential", some(2, 3))
case("MatrixLogarithm", positive(3, 3), dtypes=_COMPLEX, tolerance=8)
case("MatrixLogarithm", Given([[-1, 0], [0, 2]]), dtypes=_COMPLEX, tolerance=2)
mistake("MatrixLogarithm", some(2, 3), dtypes="complex64")
case("MatrixSquareRoot", positive(3, 3), dtypes=_REAL, tolerance=8)
case("MatrixSquareRoot", regular(2, 2, 2), dtypes=_REAL, tolerance=8)
case("MatrixSquareRoot", fixed(regular(3, 3)), dtypes=_COMPLEX, tolerance=8)
case("MatrixSquareRoot", Given([[-1, 0], [0, -1]]), dtypes=_REAL)
mistake("MatrixSquareRoot", some(2, 3))

# ------------------------------------------------------------------------------------------------- of old graphs

case("BatchMatrixBandPart", some(3, 4), i64(1), i64(-1), dtypes="float64 int32")
case("BatchMatrixDiag", some(2, 3), dtypes="float64 int32 complex64")
case("BatchMatrixDiagPart", some(2, 3, 4), dtypes="float64 int32 complex64")
case("BatchMatrixSetDiag", some(2, 3, 4), some(2, 3), dtypes="float64 int32")
