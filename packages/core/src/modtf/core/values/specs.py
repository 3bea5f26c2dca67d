"""Type specs: descriptions of values by dtype and shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import Tensor

__all__ = ["TensorSpec", "TypeSpec"]


class TypeSpec:
    """Describes the values that a function takes or gives.

    The specs of composite tensors also take them apart and put them together: they have `component_specs`, and
    `from_components(to_components(value))` equals `value`. Specs are compared and hashed by what they say.
    """

    __slots__ = ()

    @property
    def component_specs(self) -> Sequence[Any] | None:
        """The specs of the tensors (or composites) that a value is made of; `None` if it is one tensor."""
        return None

    def to_components(self, value: Any) -> Sequence[Any]:
        """Returns the components of a value, in the order of `component_specs`."""
        raise NotImplementedError

    def from_components(self, components: Sequence[Any]) -> Any:
        """Returns the value that is made of the components: tensors, or specs where those are wanted."""
        raise NotImplementedError

    def is_compatible_with(self, value: Any) -> bool:
        """Whether a value (or another spec) fits this spec."""
        raise NotImplementedError

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all values that fit this spec fit `other`."""
        raise NotImplementedError

    def most_specific_compatible_type(self, other: Any) -> TypeSpec:
        """Returns the narrowest spec that takes what either takes."""
        raise NotImplementedError

    @property
    def value_type(self) -> type:
        """The class of the values."""
        raise NotImplementedError

    def most_specific_common_supertype(self, others: Iterable[Any]) -> TypeSpec | None:
        """Returns the narrowest spec that takes what this one and all `others` take; `None` if there is none."""
        result: TypeSpec = self
        for other in others:
            if not isinstance(other, type(result)):
                return None
            try:
                result = result.most_specific_compatible_type(other)
            except (TypeError, ValueError):
                return None
        return result

    def flatten(self) -> list[TypeSpec]:
        """Returns the specs of the plain tensors that a value is made of."""
        from modtf.core.values import nest

        return nest.flatten(self, expand_composites=True)

    def to_tensors(self, value: Any) -> list[Any]:
        """Returns the plain tensors that a value is made of, one for each of `flatten()`."""
        from modtf.core.values import nest

        return nest.flatten(value, expand_composites=True)

    def from_tensors(self, tensors: Iterator[Any]) -> Any:
        """Returns the value that is made of the next tensors, as many as `flatten()` gives."""
        from modtf.core.values import nest

        return nest.pack_sequence_as(self, [next(tensors) for _ in self.flatten()], expand_composites=True)


class TensorSpec(TypeSpec):
    """Describes a tensor.

    Args:
        shape: Its shape; `None` for an unknown rank.
        dtype: Its dtype.
        name: A name for it, such as the argument's.
    """

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._name = name

    @property
    def shape(self) -> TensorShape:
        return self._shape

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def value_type(self) -> type:
        """`Tensor`."""
        return Tensor

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """Returns the spec of a tensor or variable."""
        return cls(tensor.shape, tensor.dtype, name)

    from_spec = from_tensor

    def is_compatible_with(self, value: Any) -> bool:
        """Whether a tensor (or another spec) has this dtype and a shape that fits."""
        return self._dtype is value.dtype and self._shape.is_compatible_with(value.shape)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all tensors that fit this spec fit `other`."""
        return isinstance(other, TensorSpec) and self._dtype is other.dtype and self._shape.is_subtype_of(other.shape)

    def most_specific_compatible_type(self, other: TensorSpec) -> TensorSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            ValueError: The dtypes differ.
        """
        if self._dtype is not other.dtype:
            raise ValueError(f"No TensorSpec is compatible with both {self} and {other}: their dtypes differ.")
        return TensorSpec(self._shape.most_specific_compatible_shape(other.shape), self._dtype, self._name)

    def most_specific_common_supertype(self, others: Iterable[Any]) -> TypeSpec | None:
        """Returns the narrowest spec that takes what this one and all `others` take.

        There is none, and `None` is returned, if their dtypes or their names differ.
        """
        given = list(others)
        same_name = all(isinstance(other, TensorSpec) and other.name == self._name for other in given)
        return super().most_specific_common_supertype(given) if same_name else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self._shape.dims, self._dtype, self._name) == (
            other._shape.dims,
            other._dtype,
            other._name,
        )

    def __hash__(self) -> int:
        return hash((self._shape.dims, self._dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return TensorSpec, (self._shape, self._dtype, self._name)
