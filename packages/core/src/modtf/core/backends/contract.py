"""The backend contract: what a library must give so that the whole of modtf computes with it.

Derive from `ArrayBackend`, name the namespace, and every op works: those that the namespace cannot compute fall back
to core's NumPy kernels through host memory. Then grow from there with `kernels` and `compile`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from modtf.core.values.dtypes import DType

if TYPE_CHECKING:
    from modtf.core.engine.graphs import Graph

CONTRACT_VERSION = 1
"""The version of the backend contract that this core speaks. It grows by one when plugins must change."""


@runtime_checkable
class Backend(Protocol):
    """What core asks of a backend.

    Attributes:
        name: How users choose it, e.g. `"jax"`.
        contract_version: The `CONTRACT_VERSION` it was written for.
        xp: A namespace of the Python Array API standard, given to kernels as `xp`.
        kernels: Kernels that it brings itself, by op name; called like an op's own kernel.
        unsupported_errors: What the namespace raises for a function, dtype or argument that it lacks. The op is then
            computed by core's NumPy kernel; if that raises too, the input was at fault.
    """

    name: str
    contract_version: int
    xp: Any
    kernels: Mapping[str, Callable[..., Any]]
    unsupported_errors: tuple[type[Exception], ...]

    def supports(self, dtype: DType) -> bool:
        """Whether its arrays can hold the dtype; those of other dtypes live in NumPy arrays."""
        ...

    def from_numpy(self, array: np.ndarray) -> Any:
        """Returns an array of this backend with the same dtype and values."""
        ...

    def to_numpy(self, array: Any) -> np.ndarray:
        """Returns a NumPy array with the same dtype and values; it may share memory."""
        ...

    def prepare(self, kernel: Callable[..., Any], traceable: bool) -> Callable[..., Any]:
        """Returns `kernel`, a function of arrays only, as eager calls shall run it (jitted, in a scope, ...).

        Args:
            kernel: The kernel, with namespace and attributes bound.
            traceable: Whether it is a pure function of this backend's arrays. Others read or write state, or are given
                NumPy arrays whose values decide shapes.
        """
        ...

    def compile(self, graph: Graph) -> Callable[..., Sequence[Any]]:
        """Returns a function that runs `graph`.

        It is given one value for each of `graph.inputs` (an array where `engine.binding.home` puts the dtype; a
        `Resource` for variable handles) and returns one for each of `graph.outputs`.
        """
        ...

    def devices(self) -> Sequence[str]:
        """The devices that it can compute on, e.g. `["cpu:0"]`."""
        ...

    def device_of(self, array: Any) -> str:
        """The device that holds an array."""
        ...


class ArrayBackend:
    """A backend over an Array API library; a subclass gives `name` and `xp` and whatever else it does better."""

    name: str
    contract_version: int = CONTRACT_VERSION
    xp: Any
    kernels: Mapping[str, Callable[..., Any]] = {}
    unsupported_errors: tuple[type[Exception], ...] = (
        AttributeError, NotImplementedError, TypeError, ValueError, IndexError,
    )  # fmt: skip

    def supports(self, dtype: DType) -> bool:
        return dtype.kind in ("float", "complex", "int", "uint", "bool") and hasattr(self.xp, dtype.name)

    def from_numpy(self, array: np.ndarray) -> Any:
        return self.xp.asarray(array, copy=True)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.from_dlpack(array) if hasattr(array, "__dlpack__") else np.asarray(array)

    def prepare(self, kernel: Callable[..., Any], traceable: bool) -> Callable[..., Any]:
        return kernel

    def compile(self, graph: Graph) -> Callable[..., Sequence[Any]]:
        from modtf.core.engine.plans import Plan

        return Plan(graph, self)

    def devices(self) -> Sequence[str]:
        return ["cpu:0"]

    def device_of(self, array: Any) -> str:
        return str(getattr(array, "device", "cpu:0"))

    def __repr__(self) -> str:
        return f"<modtf backend {self.name!r}>"
