"""Type specs: descriptions of values by dtype and shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import TensorShape

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
        return self._dtype is other.dtype and self._shape.is_subtype_of(other.shape)

    def most_specific_compatible_type(self, other: TensorSpec) -> TensorSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            ValueError: The dtypes differ.
        """
        if self._dtype is not other.dtype:
            raise ValueError(f"No TensorSpec is compatible with both {self} and {other}: their dtypes differ.")
        return TensorSpec(self._shape.most_specific_compatible_shape(other.shape), self._dtype, self._name)

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
