"""Circulant operators, which Fourier transforms make diagonal: of signals, images and volumes."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from modtf.core.api.array import reshape
from modtf.core.api.elementwise import abs, cast, conj, imag, log, real
from modtf.core.api.linalg.operators import checks, hints
from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.shapes import batch_of, check_parameter, flipped, joined, kept, size_tensor
from modtf.core.api.linalg.rearranging import matrix_transpose
from modtf.core.api.reductions import reduce_max, reduce_mean, reduce_min, reduce_prod, reduce_sum
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor

_TRANSFORMS = {1: ("FFT", "IFFT"), 2: ("FFT2D", "IFFT2D"), 3: ("FFT3D", "IFFT3D")}


class _Circulant(LinearOperator):
    """What circulant operators of any depth have in common.

    A is F⁻¹ diag(spectrum) F, where F is the Fourier transform of what the vectors are, an array of the block shape.
    """

    _depth: ClassVar[int]

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = dtypes.complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str | None = None,
    ) -> None:
        self._spectrum = kept(spectrum)
        kinds = (dtypes.float16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)
        check_parameter(self._spectrum, "spectrum", self._depth, kinds)
        if not is_square:
            raise ValueError(
                "A [[nested] block] circulant operator is always square. Expected argument `is_square` to be True. "
                f"Received: {is_square}."
            )
        if not self._spectrum.dtype.is_complex:
            message = "A real spectrum always corresponds to a self-adjoint operator."
            is_self_adjoint = hints.checked(is_self_adjoint, True, message)
        dtype = as_dtype(input_output_dtype)
        super().__init__(dtype, None, is_non_singular, is_self_adjoint, is_positive_definite, True, name)

    @property
    def block_depth(self) -> int:
        """How many dimensions the arrays have that are transformed: 1, 2 or 3."""
        return self._depth

    @property
    def spectrum(self) -> Any:
        """The eigenvalues, in the order of the transform."""
        return self._spectrum

    @property
    def block_shape(self) -> TensorShape:
        """The static shape of the arrays that are transformed."""
        return self._spectrum.shape[-self._depth :]

    def block_shape_tensor(self) -> Tensor:
        """Returns the shape of the arrays that are transformed."""
        return raw.Shape(self._spectrum)[-self._depth :]

    def convolution_kernel(self, name: str = "convolution_kernel") -> Tensor:
        """Returns what A x convolves x with, circularly: the inverse Fourier transform of the spectrum."""
        with self._name_scope(name):
            return cast(self._inverse_transform(self._complex_spectrum()), self.dtype)

    def assert_hermitian_spectrum(self, name: str = "assert_hermitian_spectrum") -> Any:
        """Checks that the matrix is real: that the spectrum is that of something real.

        Returns:
            An op inside functions, `None` otherwise.

        Raises:
            InvalidArgumentError: It is not.
        """
        from modtf.core.api.assertions import assert_less

        with self._name_scope(name):
            kernel = self._inverse_transform(self._complex_spectrum())
            size = cast(raw.Prod(self.block_shape_tensor(), np.int32(0)), kernel.dtype.real_dtype)
            tolerance = 5 * size * np.finfo(kernel.dtype.real_dtype.np_dtype).eps
            parts = abs(imag(kernel))
            return assert_less(parts, tolerance + raw.ZerosLike(parts), message="Spectrum was not Hermitian.")

    # ------------------------------------------------------------------------------------------------- transforms

    def _complex_spectrum(self) -> Tensor:
        double = self._spectrum.dtype.real_dtype is dtypes.float64
        return cast(self._spectrum, dtypes.complex128 if double else dtypes.complex64)

    def _transform(self, x: Tensor) -> Tensor:
        return getattr(raw, _TRANSFORMS[self._depth][0])(x)

    def _inverse_transform(self, x: Tensor) -> Tensor:
        return getattr(raw, _TRANSFORMS[self._depth][1])(x)

    def _block_vector(self) -> Any:
        block = self.block_shape
        return np.array(block.as_list(), np.int32) if block.is_fully_defined() else self.block_shape_tensor()

    def _filtered(self, x: Tensor, spectrum: Tensor) -> Tensor:
        """F⁻¹ (spectrum * F x) for the columns x [..., n, k]."""
        columns = cast(matrix_transpose(x), spectrum.dtype)
        blocks = reshape(columns, joined(batch_of(columns, 1), self._block_vector()))
        product = self._inverse_transform(
            raw.ExpandDims(spectrum, np.int32(-self._depth - 1)) * self._transform(blocks)
        )
        rows = reshape(product, joined(batch_of(product, self._depth), self._size()))
        return cast(matrix_transpose(rows), self.dtype)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        spectrum = self._complex_spectrum()
        return self._filtered(flipped(x, adjoint_arg), conj(spectrum) if adjoint else spectrum)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        spectrum = self._complex_spectrum()
        return self._filtered(flipped(rhs, adjoint_arg), 1 / (conj(spectrum) if adjoint else spectrum))

    # ------------------------------------------------------------------------------------------------- sizes, numbers

    def _row_count(self) -> int | None:
        return self.block_shape.num_elements() if self.block_shape.rank is not None else None

    def _size(self) -> Any:
        return size_tensor(self._row_count(), lambda: raw.Prod(self.block_shape_tensor(), np.int32(0)))

    def _shape(self) -> TensorShape:
        if self._spectrum.shape.rank is None:
            return TensorShape(None)
        return self._spectrum.shape[: -self._depth].concatenate([self._row_count(), self._row_count()])

    def _shape_tensor(self) -> Tensor:
        return joined(raw.Shape(self._spectrum)[: -self._depth], self._size(), self._size())

    def _axes(self) -> list[int]:
        return list(range(-self._depth, 0))

    def _eigvals(self) -> Tensor:
        flat = joined(batch_of(convert_to_tensor(self._spectrum), self._depth), self._size())
        return reshape(self._spectrum, flat)

    def _diag_part(self) -> Tensor:
        mean = raw.ExpandDims(cast(reduce_mean(self._spectrum, self._axes()), self.dtype), np.int32(-1))
        return raw.BroadcastTo(mean, joined(batch_of(convert_to_tensor(self._spectrum), self._depth), self._size()))

    def _trace(self) -> Tensor:
        return cast(reduce_sum(self._spectrum, self._axes()), self.dtype)

    def _determinant(self) -> Tensor:
        return cast(reduce_prod(self._spectrum, self._axes()), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return cast(reduce_sum(log(abs(self._spectrum)), self._axes()), self.dtype)

    def _cond(self) -> Tensor:
        sizes = abs(self._spectrum)
        return reduce_max(sizes, self._axes()) / reduce_min(sizes, self._axes())

    def _with_spectrum(self, spectrum: Tensor) -> LinearOperator:
        return type(self)(spectrum, input_output_dtype=self.dtype, **hints.of(self))

    def _linop_adjoint(self) -> LinearOperator:
        return self._with_spectrum(conj(self._spectrum))

    def _linop_inverse(self) -> LinearOperator:
        return self._with_spectrum(1 / convert_to_tensor(self._spectrum))

    def _assert_non_singular(self) -> Any:
        return checks.assert_no_zeros(
            convert_to_tensor(self._spectrum), "Singular operator: Spectrum contained zero values."
        )

    def _assert_positive_definite(self) -> Any:
        message = "Not positive definite: Real part of spectrum was not all positive."
        return checks.assert_positive_real(real(self._spectrum), message)

    def _assert_self_adjoint(self) -> Any:
        message = "Not self-adjoint: The spectrum contained non-zero imaginary part."
        return checks.assert_real(convert_to_tensor(self._spectrum), message)


_ARGUMENTS = """

    Args:
        spectrum: The eigenvalues, a tensor or variable [..., {sizes}], floating or complex: the {transform} of the first
            column{seen}.
        input_output_dtype: The dtype of what it is multiplied with, and of the products; where it is real, imaginary parts
            are dropped.
        is_non_singular: Whether no eigenvalue is zero.
        is_self_adjoint: Whether all eigenvalues are real; those of a real dtype are.
        is_positive_definite: Whether the real parts of all eigenvalues are positive.
        is_square: Always.
        name: A name.

    Raises:
        TypeError: The dtype is another.
        ValueError: The rank is too low, or a hint contradicts what is always so.
"""


def _circulant(name: str, depth: int, summary: str, sizes: str, transform: str, seen: str) -> type[_Circulant]:
    """Makes the class for arrays of a depth."""

    def __init__(
        self: Any,
        spectrum: Any,
        input_output_dtype: Any = dtypes.complex64,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = name,
    ) -> None:
        given = (is_non_singular, is_self_adjoint, is_positive_definite, is_square, name)
        _Circulant.__init__(self, spectrum, input_output_dtype, *given)

    arguments = _ARGUMENTS.format(sizes=sizes, transform=transform, seen=seen)
    members = {"__init__": __init__, "__doc__": summary + arguments, "__module__": __name__, "_depth": depth,
               "_parameter_ranks": {"spectrum": depth}}  # fmt: skip
    return type(name, (_Circulant,), members)


LinearOperatorCirculant = _circulant(
    "LinearOperatorCirculant", 1,
    "A circulant matrix: each column is that before, turned by one place. It convolves signals.",
    "n", "Fourier transform", "",
)  # fmt: skip
LinearOperatorCirculant2D = _circulant(
    "LinearOperatorCirculant2D", 2,
    "A block circulant matrix, whose blocks are circulant. It convolves images, whose rows are laid end to end.",
    "h, w", "Fourier transform over two axes", " seen as an image",
)  # fmt: skip
LinearOperatorCirculant3D = _circulant(
    "LinearOperatorCirculant3D", 3,
    "A block circulant matrix, whose blocks are block circulant. It convolves volumes, whose layers are laid end to end.",
    "d, h, w", "Fourier transform over three axes", " seen as a volume",
)  # fmt: skip
