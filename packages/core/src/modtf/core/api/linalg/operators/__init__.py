"""Matrices known by what they do: multiplying and solving by their structure (`tf.linalg.LinearOperator` and its kinds)."""

from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.block_diag import LinearOperatorBlockDiag
from modtf.core.api.linalg.operators.block_lower_triangular import LinearOperatorBlockLowerTriangular
from modtf.core.api.linalg.operators.circulant import (
    LinearOperatorCirculant,
    LinearOperatorCirculant2D,
    LinearOperatorCirculant3D,
)
from modtf.core.api.linalg.operators.composition import LinearOperatorComposition
from modtf.core.api.linalg.operators.diag import LinearOperatorDiag
from modtf.core.api.linalg.operators.full_matrix import LinearOperatorFullMatrix, LinearOperatorLowerTriangular
from modtf.core.api.linalg.operators.identity import LinearOperatorIdentity, LinearOperatorScaledIdentity
from modtf.core.api.linalg.operators.kronecker import LinearOperatorKronecker
from modtf.core.api.linalg.operators.low_rank_update import LinearOperatorLowRankUpdate
from modtf.core.api.linalg.operators.rearranging import LinearOperatorHouseholder, LinearOperatorPermutation
from modtf.core.api.linalg.operators.reversing import LinearOperatorAdjoint, LinearOperatorInversion
from modtf.core.api.linalg.operators.toeplitz import LinearOperatorToeplitz
from modtf.core.api.linalg.operators.tridiag import LinearOperatorTridiag
from modtf.core.api.linalg.operators.zeros import LinearOperatorZeros

__all__ = [
    "LinearOperator", "LinearOperatorAdjoint", "LinearOperatorBlockDiag", "LinearOperatorBlockLowerTriangular",
    "LinearOperatorCirculant", "LinearOperatorCirculant2D", "LinearOperatorCirculant3D", "LinearOperatorComposition",
    "LinearOperatorDiag", "LinearOperatorFullMatrix", "LinearOperatorHouseholder", "LinearOperatorIdentity",
    "LinearOperatorInversion", "LinearOperatorKronecker", "LinearOperatorLowRankUpdate", "LinearOperatorLowerTriangular",
    "LinearOperatorPermutation", "LinearOperatorScaledIdentity", "LinearOperatorToeplitz", "LinearOperatorTridiag",
    "LinearOperatorZeros",
]  # fmt: skip
