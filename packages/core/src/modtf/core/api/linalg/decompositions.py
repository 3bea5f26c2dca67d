"""Decompositions of matrices (`tf.linalg`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.api.elementwise import conj, real
from modtf.core.api.linalg.rearranging import diag
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["cholesky", "eig", "eigh", "eigh_tridiagonal", "eigvals", "eigvalsh", "lu", "qr", "svd"]


@dispatched
def cholesky(input: Any, name: str | None = None) -> Tensor:
    """Returns the lower triangular L with `L @ adjoint(L) = A` of Hermitian positive definite matrices.

    Args:
        input: A tensor [..., n, n], floating or complex, of which only the lower triangles are looked at.
        name: A name for the graph node.

    Returns:
        A tensor [..., n, n]; the lower triangle is NaN where a matrix is not positive definite.
    """
    return raw.Cholesky(input, name=name)


def lu(input: Any, output_idx_type: Any = dtypes.int32, name: str | None = None) -> Any:
    """Returns the LU decomposition with row exchanges of square matrices.

    Args:
        input: A tensor [..., n, n], floating or complex.
        output_idx_type: int32 or int64.
        name: A name for the graph node.

    Returns:
        A named tuple: `lu` [..., n, n], which holds U in its upper triangle and below it L, whose diagonal is 1; and `p`
        [..., n], the row of the input that each row of `L @ U` is.

    Raises:
        InvalidArgumentError: A matrix is singular.
    """
    return raw.Lu(input, output_idx_type=output_idx_type, name=name)


def qr(input: Any, full_matrices: bool = False, name: str | None = None) -> Any:
    """Returns the QR decomposition: `A = Q @ R`, with orthonormal columns in Q, and R upper triangular.

    Args:
        input: A tensor [..., n, m], floating or complex.
        full_matrices: Whether Q is square, rather than having min(n, m) columns.
        name: A name for the graph node.

    Returns:
        A named tuple of `q` [..., n, k] and `r` [..., k, m].
    """
    return raw.Qr(input, full_matrices=full_matrices, name=name)


def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """Returns the singular value decomposition: `A = U @ diag(s) @ adjoint(V)`.

    Args:
        tensor: A tensor [..., n, m], floating or complex.
        full_matrices: Whether U and V are square, rather than having k = min(n, m) columns.
        compute_uv: Whether to compute U and V at all.
        name: A name for the graph node.

    Returns:
        The singular values [..., k], largest first, which are real, U [..., n, k] and V [..., m, k]; without `compute_uv`,
        the singular values alone. Note that V is not transposed.
    """
    s, u, v = raw.Svd(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (real(s), u, v) if compute_uv else real(s)


def eigh(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Returns eigenvalues and eigenvectors of Hermitian matrices.

    Args:
        tensor: A tensor [..., n, n], floating or complex, of which only the lower triangles are looked at.
        name: A name for the graph node.

    Returns:
        The eigenvalues [..., n], smallest first, which are real though of the tensor's dtype, and the eigenvectors as
        columns of a tensor [..., n, n].
    """
    values, vectors = raw.SelfAdjointEigV2(tensor, compute_v=True, name=name)
    return values, vectors


def eigvalsh(tensor: Any, name: str | None = None) -> Tensor:
    """Returns the eigenvalues [..., n], smallest first, of Hermitian matrices [..., n, n]."""
    return raw.SelfAdjointEigV2(tensor, compute_v=False, name=name).e


def _complex_dtype(tensor: Tensor) -> dtypes.DType:
    return dtypes.complex64 if tensor.dtype in (dtypes.float32, dtypes.complex64) else dtypes.complex128


def eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Returns eigenvalues and eigenvectors of square matrices.

    Args:
        tensor: A tensor [..., n, n] of float32, float64 or complex numbers.
        name: A name for the graph node.

    Returns:
        The eigenvalues [..., n] in no particular order, and the eigenvectors as columns of a tensor [..., n, n]; both
        complex.
    """
    matrices = convert_to_tensor(tensor)
    values, vectors = raw.Eig(matrices, compute_v=True, Tout=_complex_dtype(matrices), name=name)
    return values, vectors


def eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """Returns the eigenvalues [..., n], complex and in no particular order, of square matrices [..., n, n]."""
    matrices = convert_to_tensor(tensor)
    return raw.Eig(matrices, compute_v=False, Tout=_complex_dtype(matrices), name=name).e


def eigh_tridiagonal(
    alpha: Any, beta: Any, eigvals_only: bool = True, select: str = "a", select_range: Any = None, tol: Any = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Returns eigenvalues, and eigenvectors if wanted, of a Hermitian tridiagonal matrix.

    Args:
        alpha: The main diagonal [n], floating or complex (of which the real parts count).
        beta: The diagonal above it [n - 1], of the same dtype; its conjugate stands below.
        eigvals_only: Whether to leave out the eigenvectors.
        select: `"a"` for all eigenvalues, `"v"` for those inside the interval `select_range`, its upper end included,
            `"i"` for those with the indices from `select_range[0]` to `select_range[1]`, both included.
        select_range: A pair of numbers, the smaller first.
        tol: Kept for its place: eigenvalues are as exact as the dtype allows.
        name: A name for the graph node.

    Returns:
        The eigenvalues [k], smallest first and real; or these and the eigenvectors as columns of a tensor [n, k].

    Raises:
        ValueError: The dtypes differ, or `select` is none of these.
    """
    if select not in ("a", "i", "v"):
        raise ValueError(f"'select' must be 'a', 'i' or 'v', not {select!r}.")
    main, above = convert_to_tensor(alpha), convert_to_tensor(beta)
    if main.dtype is not above.dtype:
        raise ValueError("'alpha' and 'beta' must have the same type.")
    below = diag(conj(above), k=-1)  # all that is looked at beside the main diagonal
    matrix = raw.MatrixSetDiagV3(below, main, np.int32(0))
    values, vectors = eigh(matrix)
    values = real(values)
    if select == "i":
        low, high = (int(item) for item in select_range)
        if low > high:
            raise ValueError("Got empty index range in select_range.")
        values, vectors = values[low : high + 1], vectors[:, low : high + 1]
    elif select == "v":
        if not any(isinstance(item, Tensor) for item in select_range) and select_range[0] >= select_range[1]:
            raise ValueError("Got empty interval in select_range.")
        above_low, up_to_high = values > select_range[0], values <= select_range[1]
        places = raw.Reshape(raw.Where(raw.LogicalAnd(above_low, up_to_high)), np.array([-1], np.int32))
        values = raw.GatherV2(values, places, np.int32(0))
        vectors = raw.GatherV2(vectors, places, np.int32(1))
    return values if eigvals_only else (values, vectors)
