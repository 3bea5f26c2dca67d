"""Types to annotate and derive from (`tf.types`)."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from modtf.core.engine.concrete import ConcreteFunction
from modtf.core.engine.functions import Function
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable

__all__ = ["experimental"]

TensorLike = Tensor | Variable | np.ndarray | np.generic | bool | int | float | complex | str | bytes | Sequence
"""What ops take for a tensor."""


class TraceType(abc.ABC):
    """What tells calls of a function apart: two arguments with equal trace types share a trace.

    An object has a trace type of its own by a method `__tf_tracing_type__(context)`.
    """

    @abc.abstractmethod
    def is_subtype_of(self, other: TraceType) -> bool:
        """Whether a trace for `other` does for this type, too."""

    @abc.abstractmethod
    def most_specific_common_supertype(self, others: Sequence[TraceType]) -> TraceType | None:
        """Returns the type that all of them are, or `None`."""

    @abc.abstractmethod
    def placeholder_value(self, placeholder_context: Any) -> Any:
        """Returns what the function is traced with."""

    @abc.abstractmethod
    def __hash__(self) -> int: ...

    @abc.abstractmethod
    def __eq__(self, other: object) -> bool: ...


@runtime_checkable
class SupportsTracingProtocol(Protocol):
    """An object that says of itself what trace type it has."""

    def __tf_tracing_type__(self, context: Any) -> TraceType:
        """Returns the trace type."""
        ...


experimental = SimpleNamespace(
    TensorLike=TensorLike,
    TraceType=TraceType,
    SupportsTracingProtocol=SupportsTracingProtocol,
    ConcreteFunction=ConcreteFunction,
    PolymorphicFunction=Function,
    GenericFunction=Function,
    Callable=Function,
)
"""The types, where TensorFlow has them."""
