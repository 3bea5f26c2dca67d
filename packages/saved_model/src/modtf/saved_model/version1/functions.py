"""Parts of a version-1 graph as functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from modtf import core as tf
from modtf.core.contracts import Graph

from ..restored import RestoredConcreteFunction


class PrunedFunction(RestoredConcreteFunction):
    """What leads from some tensors of a graph to others; it is made ready when it is first called.

    Args:
        name: what it is called, for errors.
        make_graph: makes the graph; its captures are what the function uses of the model's state.
        signature: args and kwargs with a `TensorSpec` for each tensor, in the order of the graph's inputs.
        outputs: the structure of what it gives, with a spec for each tensor.
        path: the file, for errors.
    """

    def __init__(
        self,
        name: str,
        make_graph: Callable[[], Graph],
        signature: tuple[tuple[Any, ...], dict[str, Any]],
        outputs: Any,
        path: str = "",
    ) -> None:
        self._captured: list[tf.Tensor] | None = None
        super().__init__(name, make_graph, (), signature, outputs, path=path)

    @property
    def captured_inputs(self) -> list[tf.Tensor]:
        """The variables, tables and so on that it uses."""
        if self._captured is None:
            _ = self.graph
        return self._captured or []

    @captured_inputs.setter
    def captured_inputs(self, tensors: Sequence[tf.Tensor]) -> None:
        pass  # the graph says them

    def _checked(self, graph: Graph) -> Graph:
        self._captured = [outside for outside, _ in graph.captures]
        return super()._checked(graph)
