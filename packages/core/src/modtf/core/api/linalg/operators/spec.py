"""What functions and loops need to take operators apart into tensors and put them together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable

_HINTS = ("is_non_singular", "is_self_adjoint", "is_positive_definite")


def _is_component(value: Any) -> bool:
    return isinstance(value, (Tensor, Variable, LinearOperator, TypeSpec))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif _is_component(value):
        yield value


def _mapped(value: Any, function: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_mapped(item, function) for item in value]
    return function(value) if _is_component(value) else value


def arguments_of(operator: LinearOperator) -> dict[str, Any]:
    """The constructor's arguments that make an operator like this: its tensors as it keeps them, its hints as they are."""
    arguments = operator.parameters
    for name in operator._parameter_ranks:
        if arguments.get(name) is not None:
            arguments[name] = getattr(operator, name)
    for name in (*_HINTS, "name"):
        if name in arguments:
            arguments[name] = getattr(operator, name)
    return arguments


def leaves_of(operator: LinearOperator) -> list[Any]:
    """The tensors, variables and operators that an operator is made of."""
    return list(_leaves(list(arguments_of(operator).values())))


def _spec_of(value: Any) -> Any:
    if isinstance(value, LinearOperator):
        return LinearOperatorSpec.from_operator(value)
    return value if isinstance(value, TypeSpec) else TensorSpec(value.shape, value.dtype)


def _plain(value: Any) -> Any:
    """An argument in a form that can be compared."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.as_list() if isinstance(value, TensorShape) and value.rank is not None else value


class LinearOperatorSpec(TypeSpec):
    """Describes an operator: its kind, its hints, and specs of what it is made of.

    Args:
        kind: The class.
        arguments: Its constructor's arguments by name, with specs in the places of tensors and operators.
    """

    __slots__ = ("_arguments", "_kind")

    def __init__(self, kind: type[LinearOperator], arguments: dict[str, Any]) -> None:
        self._kind = kind
        self._arguments = {name: _plain(value) for name, value in arguments.items()}

    @classmethod
    def from_operator(cls, operator: LinearOperator) -> LinearOperatorSpec:
        """Returns the spec of an operator."""
        return cls(type(operator), {name: _mapped(value, _spec_of) for name, value in arguments_of(operator).items()})

    @property
    def value_type(self) -> type:
        """The operator's class."""
        return self._kind

    @property
    def component_specs(self) -> list[Any]:
        return list(_leaves(list(self._arguments.values())))

    def to_components(self, value: LinearOperator) -> list[Any]:
        return [convert_to_tensor(leaf) if isinstance(leaf, Variable) else leaf for leaf in leaves_of(value)]

    def from_components(self, components: Sequence[Any]) -> Any:
        if any(isinstance(component, TypeSpec) for component in components):
            rest = iter(components)
            return LinearOperatorSpec(self._kind, _mapped(self._arguments, lambda spec: next(rest)))
        given = iter(components)
        return self._kind(**{name: _mapped(value, lambda spec: next(given)) for name, value in self._arguments.items()})

    def _pairs(self, other: Any) -> Iterator[tuple[Any, Any]] | None:
        """The specs of both side by side, if they are of one kind and agree in all else."""
        if isinstance(other, LinearOperator):
            other = LinearOperatorSpec.from_operator(other)
        if not isinstance(other, LinearOperatorSpec) or self._kind is not other._kind or self._rest != other._rest:
            return None
        return zip(self.component_specs, other.component_specs, strict=True)

    @property
    def _rest(self) -> Any:
        return {name: _mapped(value, lambda spec: "component") for name, value in self._arguments.items()}

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether an operator (or a spec of one) fits this spec."""
        pairs = self._pairs(spec_or_value)
        return pairs is not None and all(own.is_compatible_with(other) for own, other in pairs)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all operators that fit this spec fit `other`."""
        pairs = self._pairs(other)
        return pairs is not None and all(own.is_subtype_of(spec) for own, spec in pairs)

    def most_specific_compatible_type(self, other: Any) -> LinearOperatorSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            ValueError: The kinds, or what is not a tensor, differ.
        """
        pairs = self._pairs(other)
        if pairs is None:
            raise ValueError(f"No spec of operators is compatible with both {self} and {other}.")
        wider = iter([own.most_specific_compatible_type(spec) for own, spec in pairs])
        made = {name: _mapped(value, lambda spec: next(wider)) for name, value in self._arguments.items()}
        return LinearOperatorSpec(self._kind, made)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LinearOperatorSpec) and (self._kind, self._arguments) == (
            other._kind,
            other._arguments,
        )

    def __hash__(self) -> int:
        return hash((self._kind, tuple(self.component_specs)))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"LinearOperatorSpec({self._kind.__name__}, {given})"

    def __reduce__(self) -> tuple[Any, ...]:
        return LinearOperatorSpec, (self._kind, self._arguments)
