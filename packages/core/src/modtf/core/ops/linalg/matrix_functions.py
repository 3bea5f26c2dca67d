"""Functions of matrices: exponential, logarithm, square root."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.vocabulary import op
from modtf.core.extras import require
from modtf.core.ops.common import conj, like
from modtf.core.ops.linalg.matrix_algebra import adjoint, check_square, diagonal_of, square_dims
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.tensors import Tensor

_TYPES = "float16|float32|float64|complex"

_PADE_13 = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0, 10559470521600.0,
    670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
"""The coefficients of the numerator of the [13/13] Padé approximant to the exponential; the denominator's are the same
with alternating signs."""
REACH_OF_PADE_13 = 5.371920351148152
"""Up to which 1-norm it is as exact as float64: N. Higham, "The scaling and squaring method for the matrix exponential
revisited", 2005, table 2.3."""


def pade_13(a: Any, identity: Any) -> tuple[Any, Any]:
    """Returns the even and the odd part of the numerator for (batches of) matrices, which are arrays or tensors."""
    b, a2 = _PADE_13, a @ a
    a4 = a2 @ a2
    a6 = a2 @ a4
    odd = a6 @ (a6 * b[13] + a4 * b[11] + a2 * b[9]) + a6 * b[7] + a4 * b[5] + a2 * b[3] + identity * b[1]
    even = a6 @ (a6 * b[12] + a4 * b[10] + a2 * b[8]) + a6 * b[6] + a4 * b[4] + a2 * b[2] + identity * b[0]
    return even, a @ odd


@op(f"MatrixExponential[T: {_TYPES}](input: T) -> (output: T)", shape=lambda input: square_dims(input), host_only=True)
@widened
def matrix_exponential(xp: Any, input: np.ndarray) -> Any:
    check_square(input)
    if 0 in input.shape:
        return input
    norms = np.abs(input).sum(axis=-2).max(axis=-1)[..., None, None]
    with np.errstate(all="ignore"):
        squarings = np.maximum(np.ceil(np.log2(norms / REACH_OF_PADE_13)), 0)
    squarings = np.where(np.isfinite(squarings), squarings, 0).astype(np.int64)
    a = (input / np.exp2(squarings)).astype(input.dtype)
    even, odd = pade_13(a, np.eye(a.shape[-1], dtype=a.dtype))
    result = np.linalg.solve(even - odd, even + odd)
    for step in range(int(squarings.max())):
        result = np.where(step < squarings, result @ result, result)
    return result


@matrix_exponential.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    """R. Mathias, "A chain rule for matrix functions and applications", 1996.

    The exponential's derivative at A in the direction E is the upper right block of that of [[A, E], [0, A]].
    """
    turned = adjoint(call.inputs[0])
    size = raw.Shape(turned)[-1]
    columns = np.int32(-1)
    blocks = [raw.ConcatV2([turned, dy], columns), raw.ConcatV2([like(turned, 0), turned], columns)]
    return raw.MatrixExponential(raw.ConcatV2(blocks, np.int32(-2)))[..., :size, size:]


def _one_by_one(function: Any, input: np.ndarray) -> np.ndarray:
    """A function of one matrix, of each; NaN where it has no value of the matrices' own dtype."""
    check_square(input)
    result = np.empty_like(input)
    for index in np.ndindex(input.shape[:-2]):
        value = function(input[index]) if input.size and np.isfinite(input[index]).all() else np.nan
        lost = np.iscomplexobj(value) and not np.iscomplexobj(input) and np.any(np.imag(value) != 0)
        result[index] = np.nan if lost or not np.isfinite(value).all() else np.asarray(value).astype(input.dtype)
    return result


@op(
    "MatrixLogarithm[T: complex](input: T) -> (output: T)",
    shape=lambda input: square_dims(input),
    host_only=True,
    extra="scipy",
)
def matrix_logarithm(xp: Any, input: np.ndarray) -> Any:
    linalg = require("scipy.linalg", extra="scipy", what="MatrixLogarithm")

    def logarithm(a: np.ndarray) -> Any:
        if np.linalg.matrix_rank(a) < len(a):
            return np.nan
        with warnings.catch_warnings():  # about digits that it doubts, by an estimate for double precision
            warnings.simplefilter("ignore", RuntimeWarning)
            return linalg.logm(a.astype(np.complex128))

    return _one_by_one(logarithm, input)


@op(
    f"MatrixSquareRoot[T: {_TYPES}](input: T) -> (output: T)",
    shape=lambda input: square_dims(input),
    host_only=True,
    quiet=True,
    extra="scipy",
)
@widened
def matrix_square_root(xp: Any, input: np.ndarray) -> Any:
    return _one_by_one(require("scipy.linalg", extra="scipy", what="MatrixSquareRoot").sqrtm, input)


@matrix_square_root.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    """With R the square root, the gradient X solves Sylvester's equation Rᴴ X + X Rᴴ = dR, here as one linear system."""
    root = call.outputs[0]
    flipped, identity = adjoint(root), like(diagonal_of(root), 1)
    identity = raw.MatrixDiagV3(identity, np.int32(0), np.int32(-1), np.int32(-1), like(root, 0, scalar=True))
    kronecker = "...ij,...kl->...ikjl"
    both = raw.Einsum([flipped, identity], equation=kronecker) + raw.Einsum([identity, conj(root)], equation=kronecker)
    shape = raw.Shape(root)
    square = raw.ExpandDims(shape[-1] * shape[-1], np.int32(0))
    system = raw.Reshape(both, raw.ConcatV2([shape[:-2], square, square], np.int32(0)))
    right = raw.Reshape(dy, raw.ConcatV2([shape[:-2], square, np.array([1], np.int32)], np.int32(0)))
    return raw.Reshape(raw.MatrixSolve(system, right), shape)
