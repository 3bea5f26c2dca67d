"""What is known of an operator without computing: its hints, its shape, and what it was made with."""

from __future__ import annotations

import inspect
from typing import Any, Self

from modtf.core.api.linalg.operators.shapes import shape_vector
from modtf.core.engine import raw
from modtf.core.modules import Module, name_scope
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor


class Described(Module):
    """The part of `LinearOperator`, which documents the arguments, that describes it."""

    _parameter_ranks: dict[str, int] = {}  # noqa: RUF012
    """Of each tensor (or operator) among the parameters, how many dimensions one matrix of the batch takes of it."""

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._arguments = (args, kwargs)
        return self

    def __init__(
        self,
        dtype: Any,
        graph_parents: Any = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        if is_positive_definite:
            if is_non_singular is False:
                raise ValueError("A positive definite matrix is always non-singular.")
            is_non_singular = True
        for hint, kind in ((is_non_singular, "non-singular"), (is_self_adjoint, "self-adjoint")):
            if hint and is_square is False:
                raise ValueError(f"A {kind} matrix is always square.")
        self._dtype = None if dtype is None else as_dtype(dtype)
        self._is_square = is_square or is_non_singular or is_self_adjoint or is_square
        self._is_non_singular = is_non_singular
        self._is_self_adjoint = is_self_adjoint
        self._is_positive_definite = is_positive_definite
        self._given_parameters = parameters
        super().__init__(name or type(self).__name__)

    def _untracked_attributes(self) -> frozenset[str]:
        return frozenset({"_arguments", "_given_parameters"})

    # ------------------------------------------------------------------------------------------------- what is known

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        if self._given_parameters is None:
            args, kwargs = self._arguments
            bound = inspect.signature(type(self)).bind(*args, **kwargs)
            bound.apply_defaults()
            self._given_parameters = dict(bound.arguments)
        return dict(self._given_parameters)

    @property
    def graph_parents(self) -> list[Any]:
        """Empty: operators are not parts of a graph."""
        return []

    @property
    def dtype(self) -> DType:
        return self._dtype  # type: ignore[return-value]

    @property
    def is_non_singular(self) -> bool | None:
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        """Whether m = n, by the hints or else by the static shape.

        Raises:
            ValueError: The hint was False, but the static shape is square.
        """
        sizes = (self.range_dimension, self.domain_dimension)
        if self._is_square or None in sizes:
            return self._is_square
        if self._is_square is False and sizes[0] == sizes[1]:
            raise ValueError("User set is_square hint to False, but the operator was square.")
        return sizes[0] == sizes[1]

    @property
    def shape(self) -> TensorShape:
        """The static shape [..., m, n]."""
        return self._shape()

    @property
    def batch_shape(self) -> TensorShape:
        """The static shape without m and n."""
        return self.shape[:-2]

    @property
    def tensor_rank(self) -> int | None:
        """How many dimensions the shape has."""
        return self.shape.rank

    @property
    def range_dimension(self) -> int | None:
        """The static m: how many rows there are."""
        return None if self.shape.rank is None else self.shape[-2]

    @property
    def domain_dimension(self) -> int | None:
        """The static n: how many columns there are."""
        return None if self.shape.rank is None else self.shape[-1]

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        """Returns the shape as int32."""
        with self._name_scope(name):
            return convert_to_tensor(shape_vector(self.shape, self._shape_tensor))

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """Returns the shape without m and n as int32."""
        with self._name_scope(name):
            return convert_to_tensor(shape_vector(self.batch_shape, lambda: self._shape_tensor()[:-2]))

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        """Returns how many dimensions the shape has as int32."""
        return raw.Size(self.shape_tensor()) if self.tensor_rank is None else convert_to_tensor(self.tensor_rank)

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        """Returns m as int32."""
        return self.shape_tensor()[-2] if self.range_dimension is None else convert_to_tensor(self.range_dimension)

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        """Returns n as int32."""
        return self.shape_tensor()[-1] if self.domain_dimension is None else convert_to_tensor(self.domain_dimension)

    def _shape(self) -> TensorShape:
        raise NotImplementedError("_shape is not implemented.")

    def _shape_tensor(self) -> Tensor:
        raise NotImplementedError("_shape_tensor is not implemented.")

    def _name_scope(self, name: str | None) -> Any:
        return name_scope(f"{self.name}/{name}" if name else self.name)
