"""What a strategy's replicas are given and give: values for each of them, taken apart and put together."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

from modtf.core.engine import raw
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.specs import TypeSpec

__all__ = [
    "DistributedValues", "PerReplica", "PerReplicaSpec", "ReduceOp", "RunOptions", "reduce_op_of", "reduced", "regrouped",
    "selected",
]  # fmt: skip


class ReduceOp(enum.Enum):
    """How the values of replicas become one."""

    SUM = "SUM"
    MEAN = "MEAN"


def reduce_op_of(value: Any) -> ReduceOp:
    """Returns the `ReduceOp` that a value is or names."""
    return value if isinstance(value, ReduceOp) else ReduceOp(str(value).upper())


class RunOptions:
    """Options of `Strategy.run`, all without effect."""

    def __init__(
        self,
        experimental_enable_dynamic_batch_size: bool = True,
        experimental_bucketizing_dynamic_shape: bool = False,
        experimental_xla_options: Any = None,
    ) -> None:
        self.experimental_enable_dynamic_batch_size = experimental_enable_dynamic_batch_size
        self.experimental_bucketizing_dynamic_shape = experimental_bucketizing_dynamic_shape
        self.experimental_xla_options = experimental_xla_options


class DistributedValues:
    """Values, one for each replica."""

    __slots__ = ("_values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self._values = tuple(values)

    @property
    def values(self) -> tuple[Any, ...]:
        """The values in the order of the replicas."""
        return self._values

    def _text(self, write: Callable[[Any], str]) -> str:
        lines = ",\n".join(f"  {number}: {write(value)}" for number, value in enumerate(self._values))
        return f"{type(self).__name__}:{{\n{lines}\n}}"

    def __str__(self) -> str:
        return self._text(str)

    def __repr__(self) -> str:
        return self._text(repr)


class PerReplica(DistributedValues, CompositeTensor):
    """What `Strategy.run` gives where the replicas' results are not one and the same object."""

    __slots__ = ()

    @property
    def type_spec(self) -> PerReplicaSpec:
        return PerReplicaSpec(*map(_spec_of, self._values))


def _spec_of(value: Any) -> TypeSpec:
    from modtf.core.engine.tracing import spec_of

    return spec_of(value)


class PerReplicaSpec(TypeSpec):
    """The spec of a `PerReplica`: that of each replica's value."""

    def __init__(self, *value_specs: TypeSpec) -> None:
        self._value_specs = value_specs

    @property
    def value_type(self) -> type:
        return PerReplica

    @property
    def component_specs(self) -> list[TypeSpec]:
        return list(self._value_specs)

    def to_components(self, value: Any) -> list[Any]:
        return list(value.values)

    def from_components(self, components: Sequence[Any]) -> PerReplica:
        return PerReplica(components)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        other = spec_or_value if isinstance(spec_or_value, TypeSpec) else getattr(spec_or_value, "type_spec", None)
        return isinstance(other, PerReplicaSpec) and self._fits(other, lambda a, b: a.is_compatible_with(b))

    def is_subtype_of(self, other: Any) -> bool:
        return isinstance(other, PerReplicaSpec) and self._fits(other, lambda a, b: a.is_subtype_of(b))

    def _fits(self, other: PerReplicaSpec, fit: Callable[[Any, Any], bool]) -> bool:
        return len(self._value_specs) == len(other._value_specs) and all(
            fit(a, b) for a, b in zip(self._value_specs, other._value_specs, strict=True)
        )

    def most_specific_compatible_type(self, other: Any) -> PerReplicaSpec:
        pairs = zip(self._value_specs, other._value_specs, strict=True)
        return PerReplicaSpec(*(a.most_specific_compatible_type(b) for a, b in pairs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PerReplicaSpec) and self._value_specs == other._value_specs

    def __hash__(self) -> int:
        return hash((PerReplicaSpec, self._value_specs))

    def __repr__(self) -> str:
        return f"PerReplicaSpec({', '.join(map(repr, self._value_specs))})"


def regrouped(values: Sequence[Any]) -> Any:
    """One structure of what the replicas gave: their own structure, with a `PerReplica` for each leaf that differs."""
    first = values[0]
    if len(values) == 1 or all(value is first for value in values):
        return first
    if not nest.is_nested(first):
        return PerReplica(values)
    for other in values[1:]:
        nest.assert_same_structure(first, other)
    leaves = zip(*(nest.flatten(value) for value in values), strict=True)
    return nest.pack_sequence_as(first, [regrouped(leaf) for leaf in leaves])


def selected(number: int, structure: Any) -> Any:
    """The structure as a replica sees it: its own value for each of the replicas'."""
    if isinstance(structure, DistributedValues):
        return structure.values[number]
    if not nest.is_nested(structure):
        return structure
    return nest.pack_sequence_as(structure, [selected(number, leaf) for leaf in nest.flatten(structure)])


def reduced(op: ReduceOp, values: Sequence[Any]) -> Any:
    """Returns the sum or the mean of tensors."""
    total = raw.AddN(list(values)) if len(values) > 1 else convert_to_tensor(values[0])
    return total / convert_to_tensor(len(values), total.dtype) if op is ReduceOp.MEAN and len(values) > 1 else total
