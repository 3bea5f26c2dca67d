"""`LinearOperator`: what all kinds have in common, computed from the dense matrix where a kind knows nothing better."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api import assertions
from modtf.core.api.elementwise import abs, cast, exp, log, real
from modtf.core.api.linalg import decompositions, systems
from modtf.core.api.linalg.operators.described import Described
from modtf.core.api.linalg.operators.shapes import column, flipped, shape_vector, with_one_batch, without_column
from modtf.core.api.linalg.rearranging import adjoint as adjoint_of
from modtf.core.api.linalg.rearranging import diag_part
from modtf.core.api.reductions import reduce_max, reduce_min, reduce_sum
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable


class LinearOperator(Described, CompositeTensor):
    """A matrix, or a batch of matrices, [..., m, n], by what it does rather than by its elements.

    A kind of operator gives `_shape`, `_shape_tensor` and `_matmul`. What else it can compute faster than by the dense matrix
    it gives too, by the name of the public method behind an underscore: `_solve`, `_determinant`, `_log_abs_determinant`,
    `_diag_part`, `_trace`, `_to_dense`, `_add_to_tensor`, `_eigvals`, `_cond`, `_linop_adjoint`, `_linop_inverse`,
    `_linop_cholesky`, `_assert_non_singular`, `_assert_positive_definite`, `_assert_self_adjoint`.

    The hints say what is known of the matrices; nothing checks them (the `assert_*` methods do), but ways to compute are
    chosen by them. `None` means that it is not known.

    Args:
        dtype: The dtype of the matrices and of what is multiplied with them.
        graph_parents: Not used.
        is_non_singular: Whether they have inverses.
        is_self_adjoint: Whether they equal their conjugate transposes.
        is_positive_definite: Whether the real part of xᴴ A x is positive for all x that are not zero.
        is_square: Whether m = n.
        name: A name; by default the class's.
        parameters: The constructor's arguments by name; by default those that it was called with.

    Raises:
        ValueError: The hints contradict each other.
    """

    implementations = "modtf.core.api.linalg.operators.implementations"
    # ------------------------------------------------------------------------------------------------- products

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul") -> Any:
        """Returns the product A x.

        Args:
            x: A tensor [..., n, k] of the operator's dtype, whose leading dimensions broadcast with the batch; or another
                operator.
            adjoint: Whether to multiply with Aᴴ.
            adjoint_arg: Whether to multiply with xᴴ.
            name: A name for the graph nodes.

        Returns:
            A tensor [..., m, k]; of an operator, an operator.

        Raises:
            TypeError: The dtypes differ.
            ValueError: The shapes do not fit.
        """
        if isinstance(x, LinearOperator):
            from modtf.core.api.linalg.operators.combining import multiplied

            return multiplied(*self._beside(x, adjoint, adjoint_arg, "matmul"))
        with self._name_scope(name):
            x = self._operand(x)
            self._check_sizes(x.shape, -1 if adjoint_arg else -2, adjoint)
            return self._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """Returns the product A x of vectors x [..., n], as a tensor [..., m]; see `matmul`."""
        with self._name_scope(name):
            x = self._operand(x)
            self._check_sizes(x.shape, -1, adjoint)
            return self._matvec(x, adjoint=adjoint)

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve") -> Any:
        """Solves A x = rhs.

        Args:
            rhs: A tensor [..., m, k] of the operator's dtype; or another operator.
            adjoint: Whether to solve with Aᴴ.
            adjoint_arg: Whether the right-hand side is rhsᴴ.
            name: A name for the graph nodes.

        Returns:
            A tensor [..., n, k]; of an operator, an operator.

        Raises:
            NotImplementedError: The matrices are known to be singular or not to be square.
            TypeError: The dtypes differ.
            ValueError: The shapes do not fit.
        """
        self._check_solvable()
        if isinstance(rhs, LinearOperator):
            from modtf.core.api.linalg.operators.combining import solved

            return solved(*self._beside(rhs, adjoint, adjoint_arg, "solve"))
        with self._name_scope(name):
            rhs = self._operand(rhs)
            self._check_sizes(rhs.shape, -1 if adjoint_arg else -2, not adjoint)
            return self._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """Solves A x = rhs of vectors rhs [..., m], for x [..., n]; see `solve`."""
        self._check_solvable()
        with self._name_scope(name):
            rhs = self._operand(rhs)
            self._check_sizes(rhs.shape, -1, not adjoint)
            return self._solvevec(rhs, adjoint=adjoint)

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Tensor:
        """Returns A + x for a tensor x [..., m, n]."""
        with self._name_scope(name):
            return self._add_to_tensor(self._operand(x))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        raise NotImplementedError("_matmul is not implemented.")

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return without_column(self._matmul(column(x), adjoint=adjoint))

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        matrix, rhs = with_one_batch(self.to_dense(), flipped(rhs, adjoint_arg))
        if self._can_use_cholesky():
            return systems.cholesky_solve(decompositions.cholesky(matrix), rhs)
        return systems.solve(matrix, rhs, adjoint=adjoint)

    def _solvevec(self, rhs: Tensor, adjoint: bool = False) -> Tensor:
        return without_column(self._solve(column(rhs), adjoint=adjoint))

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return self.to_dense() + x

    def _operand(self, x: Any) -> Tensor:
        x = convert_to_tensor(x)
        if self._dtype is not None and x.dtype is not self._dtype:
            raise TypeError(f"Expected argument to have dtype {self._dtype!r}. Found: {x.dtype!r} in tensor {x!r}.")
        return x

    def _check_sizes(self, shape: TensorShape, axis: int, adjoint: bool) -> None:
        """Checks that a tensor has as many rows as the operator (or its adjoint) has columns."""
        wanted = self.range_dimension if adjoint else self.domain_dimension
        if shape.rank is None:
            return
        if shape.rank < -axis:
            raise ValueError(f"Argument must have at least {-axis} dimensions. Received shape: {shape}.")
        if None not in (wanted, shape[axis]) and wanted != shape[axis]:
            raise ValueError(f"Dimensions {wanted} and {shape[axis]} are not compatible: {self.shape} with {shape}.")

    def _check_solvable(self) -> None:
        for hint, words in ((self.is_non_singular, "to be singular"), (self.is_square, "to not be square")):
            if hint is False:
                raise NotImplementedError(f"Exact solve not implemented for an operator that is expected {words}.")

    def _beside(
        self, other: LinearOperator, adjoint: bool, adjoint_arg: bool, product: str
    ) -> tuple[LinearOperator, LinearOperator]:
        """Both operators, or their adjoints; their dimensions are checked."""
        left, right = self.adjoint() if adjoint else self, other.adjoint() if adjoint_arg else other
        wanted = left.domain_dimension if product == "matmul" else left.range_dimension
        if None not in (wanted, right.range_dimension) and wanted != right.range_dimension:
            raise ValueError(
                f"Operators are incompatible. Expected `x` to have dimension {wanted} but got {right.range_dimension}."
            )
        return left, right

    # ------------------------------------------------------------------------------------------------- numbers

    def to_dense(self, name: str = "to_dense") -> Tensor:
        """Returns the matrices as a tensor [..., m, n]."""
        with self._name_scope(name):
            return self._to_dense()

    def diag_part(self, name: str = "diag_part") -> Tensor:
        """Returns the diagonals, [..., min(m, n)]."""
        with self._name_scope(name):
            return self._diag_part()

    def trace(self, name: str = "trace") -> Tensor:
        """Returns the sums [...] of the diagonals."""
        with self._name_scope(name):
            return self._trace()

    def determinant(self, name: str = "det") -> Tensor:
        """Returns the determinants [...].

        Raises:
            NotImplementedError: The matrices are known not to be square.
        """
        self._check_has_determinant()
        with self._name_scope(name):
            return self._determinant()

    def log_abs_determinant(self, name: str = "log_abs_det") -> Tensor:
        """Returns the logarithms [...] of the determinants' absolute values.

        Raises:
            NotImplementedError: The matrices are known not to be square.
        """
        self._check_has_determinant()
        with self._name_scope(name):
            return self._log_abs_determinant()

    def eigvals(self, name: str = "eigvals") -> Tensor:
        """Returns the eigenvalues [..., n] of matrices that are known to be self-adjoint.

        Raises:
            NotImplementedError: They are not.
        """
        if not self.is_self_adjoint:
            raise NotImplementedError("Only self-adjoint matrices are supported.")
        with self._name_scope(name):
            return self._eigvals()

    def cond(self, name: str = "cond") -> Tensor:
        """Returns the condition numbers [...]: the ratios of the largest and the smallest singular value."""
        with self._name_scope(name):
            return self._cond()

    def _to_dense(self) -> Tensor:
        from modtf.core.api.array import eye

        batch = shape_vector(self.batch_shape, lambda: self._shape_tensor()[:-2])
        size = self.domain_dimension if self.domain_dimension is not None else self.domain_dimension_tensor()
        return self._matmul(eye(size, batch_shape=batch, dtype=self.dtype))

    def _diag_part(self) -> Tensor:
        return diag_part(self.to_dense())

    def _trace(self) -> Tensor:
        return reduce_sum(self.diag_part(), -1)

    def _determinant(self) -> Tensor:
        return exp(self.log_abs_determinant()) if self._can_use_cholesky() else systems.det(self.to_dense())

    def _log_abs_determinant(self) -> Tensor:
        if self._can_use_cholesky():
            return 2 * reduce_sum(log(diag_part(decompositions.cholesky(self.to_dense()))), -1)
        return systems.slogdet(self.to_dense()).log_abs_determinant

    def _eigvals(self) -> Tensor:
        return decompositions.eigvalsh(self.to_dense())

    def _cond(self) -> Tensor:
        if self.is_self_adjoint:
            values = abs(self.eigvals())
        else:
            values = decompositions.svd(self.to_dense(), compute_uv=False)
        return reduce_max(values, -1) / reduce_min(values, -1)

    def _check_has_determinant(self) -> None:
        if self.is_square is False:
            raise NotImplementedError("Determinant not implemented for an operator that is expected to not be square.")

    def _can_use_cholesky(self) -> bool:
        return bool(self.is_self_adjoint and self.is_positive_definite)

    # ------------------------------------------------------------------------------------------------- operators

    def adjoint(self, name: str = "adjoint") -> LinearOperator:
        """Returns the operator Aᴴ; itself, if it is known to be self-adjoint."""
        if self.is_self_adjoint:
            return self
        with self._name_scope(name):
            return self._linop_adjoint()

    H = property(adjoint, doc="The operator Aᴴ.")

    def inverse(self, name: str = "inverse") -> LinearOperator:
        """Returns the operator that solves with this one.

        Raises:
            ValueError: The matrices are known to be singular or not to be square.
        """
        if self.is_square is False:
            raise ValueError("Cannot take the Inverse: This operator represents a non square matrix.")
        if self.is_non_singular is False:
            raise ValueError("Cannot take the Inverse: This operator represents a singular matrix.")
        with self._name_scope(name):
            return self._linop_inverse()

    def cholesky(self, name: str = "cholesky") -> LinearOperator:
        """Returns an operator L with L Lᴴ = A, whose matrices are lower triangular.

        Raises:
            ValueError: The matrices are not known to be self-adjoint and positive definite.
        """
        if not self._can_use_cholesky():
            raise ValueError(
                "Cannot take the Cholesky decomposition: Not a positive definite self adjoint matrix. Give the hints "
                "is_self_adjoint=True and is_positive_definite=True if it is one."
            )
        with self._name_scope(name):
            return self._linop_cholesky()

    def _linop_adjoint(self) -> LinearOperator:
        from modtf.core.api.linalg.operators.reversing import LinearOperatorAdjoint

        return LinearOperatorAdjoint(self)

    def _linop_inverse(self) -> LinearOperator:
        from modtf.core.api.linalg.operators.reversing import LinearOperatorInversion

        return LinearOperatorInversion(self)

    def _linop_cholesky(self) -> LinearOperator:
        from modtf.core.api.linalg.operators.full_matrix import LinearOperatorLowerTriangular

        factor = decompositions.cholesky(self.to_dense())
        return LinearOperatorLowerTriangular(factor, is_non_singular=True, is_self_adjoint=False, is_square=True)

    # ------------------------------------------------------------------------------------------------- checks

    def assert_non_singular(self, name: str = "assert_non_singular") -> Any:
        """Checks that the condition numbers are not as large as those of singular matrices.

        Returns:
            An op inside functions, `None` otherwise.

        Raises:
            InvalidArgumentError: They are.
        """
        with self._name_scope(name):
            return self._assert_non_singular()

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> Any:
        """Checks that the matrices are positive definite; returns and raises as `assert_non_singular`."""
        with self._name_scope(name):
            return self._assert_positive_definite()

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> Any:
        """Checks that the matrices equal their adjoints; returns and raises as `assert_non_singular`."""
        with self._name_scope(name):
            return self._assert_self_adjoint()

    def _assert_non_singular(self) -> Any:
        real_dtype = self.dtype.real_dtype
        sizes = [np.int32(100), self.range_dimension_tensor(), self.domain_dimension_tensor()]
        error = cast(reduce_max(sizes), real_dtype) * np.finfo(real_dtype.np_dtype).eps
        limit = convert_to_tensor(1, dtype=real_dtype) / error
        return assertions.assert_less(real(self.cond()), limit, message="Singular matrix up to precision epsilon.")

    def _assert_positive_definite(self) -> Any:
        if not self.is_self_adjoint:
            raise NotImplementedError("assert_positive_definite is not implemented for what may not be self-adjoint.")
        diagonal = real(diag_part(decompositions.cholesky(self.to_dense())))
        return assertions.assert_positive(diagonal, message="Matrix was not positive definite.")

    def _assert_self_adjoint(self) -> Any:
        dense = self.to_dense()
        return assertions.assert_equal(dense, adjoint_of(dense), message="Matrix was not equal to its adjoint.")

    # ------------------------------------------------------------------------------------------------- as a value

    def __getitem__(self, slices: Any) -> LinearOperator:
        """The operators of some of the batch, as indexing `batch_shape` says."""
        from modtf.core.api.linalg.operators.slicing import sliced

        return sliced(self, slices)

    @property
    def type_spec(self) -> Any:
        from modtf.core.api.linalg.operators.spec import LinearOperatorSpec

        return LinearOperatorSpec.from_operator(self)

    @property
    def differentiable_part(self) -> Any:
        """The only tensor that it is made of, of a variable its handle; itself, if there are several."""
        from modtf.core.api.linalg.operators.spec import leaves_of

        parts = leaves_of(self)
        part = parts[0] if len(parts) == 1 else None
        return part.handle if isinstance(part, Variable) else part if isinstance(part, Tensor) else self

    def with_differentiable_part(self, part: Any) -> Any:
        return self.type_spec.from_components([part])
