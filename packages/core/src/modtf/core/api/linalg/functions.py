"""Functions of square matrices (`tf.linalg`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.elementwise import abs as absolute
from modtf.core.api.linalg.products import matmul
from modtf.core.api.reductions import reduce_max, reduce_sum
from modtf.core.engine import raw
from modtf.core.ops.linalg.matrix_functions import REACH_OF_PADE_13, pade_13
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import EagerTensor, Tensor

__all__ = ["expm", "logm", "sqrtm"]


def expm(input: Any, name: str | None = None) -> Tensor:
    """Returns the exponentials of square matrices: the sum of `A^i / i!`.

    They are computed by a Padé approximant of a power of two's part of the matrix, squared as many times (N. Higham, "The
    scaling and squaring method for the matrix exponential revisited", 2005).

    Args:
        input: A tensor [..., n, n], floating or complex.
        name: A name for the graph node.

    Returns:
        A tensor of the same shape; NaN for matrices with elements that are not finite.
    """
    matrix = convert_to_tensor(input)
    if matrix.dims is not None and (len(matrix.dims) < 2 or 0 in matrix.dims):
        if len(matrix.dims) < 2:
            raise ValueError(f"tf.linalg.expm takes square matrices, but the shape is {matrix.shape}.")
        return raw.Identity(matrix, name=name)
    norms = reduce_max(reduce_sum(absolute(matrix), -2), -1)
    finite = raw.IsFinite(norms)
    zero, one = (convert_to_tensor(number, dtype=norms.dtype) for number in (0, 1))
    # Halvings until the norm is within reach of the approximant. (A norm of 0 has no logarithm, and needs none.)
    excess = raw.SelectV2(finite, raw.Maximum(norms / convert_to_tensor(REACH_OF_PADE_13, dtype=norms.dtype), one), one)
    two = convert_to_tensor(2, dtype=norms.dtype)
    steps = raw.StopGradient(raw.Ceil(raw.Log(excess) / raw.Log(two)))
    per_matrix = [raw.ExpandDims(raw.ExpandDims(item, np.int32(-1)), np.int32(-1)) for item in (finite, steps)]
    usable, squarings = per_matrix
    scaled = raw.SelectV2(usable, matrix, raw.ZerosLike(matrix)) / raw.Cast(raw.Pow(two, squarings), DstT=matrix.dtype)
    identity = raw.MatrixSetDiagV3(
        raw.ZerosLike(matrix), raw.OnesLike(raw.MatrixDiagPartV3(matrix, np.int32(0), raw.Cast(zero, DstT=matrix.dtype))),
        np.int32(0),
    )  # fmt: skip
    even, odd = pade_13(scaled, identity)
    result = raw.MatrixSolve(even - odd, even + odd)

    def squared(step: Any, power: Tensor) -> tuple[Any, Tensor]:
        return step + one, raw.SelectV2(step < squarings, matmul(power, power), power)

    most = reduce_max(steps)
    if isinstance(most, EagerTensor):
        step = zero
        while bool(step < most):
            step, result = squared(step, result)
    else:
        from modtf.core.api.control_flow import while_loop

        _, result = while_loop(lambda step, _: step < most, squared, [zero, result])
    nan = convert_to_tensor(np.nan, dtype=matrix.dtype)
    return raw.SelectV2(usable, result, nan, name=name)


def logm(input: Any, name: str | None = None) -> Tensor:
    """Returns the principal logarithms of square matrices, the inverse of `expm`.

    Args:
        input: A complex tensor [..., n, n].
        name: A name for the graph node.

    Returns:
        A tensor of the same shape; NaN for singular matrices.

    Raises:
        UnimplementedError: SciPy is not installed.
    """
    return raw.MatrixLogarithm(input, name=name)


def sqrtm(input: Any, name: str | None = None) -> Tensor:
    """Returns the principal square roots of square matrices.

    Args:
        input: A tensor [..., n, n], floating or complex.
        name: A name for the graph node.

    Returns:
        A tensor of the same shape and dtype; NaN for matrices that have no such square root.

    Raises:
        UnimplementedError: SciPy is not installed.
    """
    return raw.MatrixSquareRoot(input, name=name)
