"""The graphs inside conditionals and loops: traced like functions, with what they capture made inputs of all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.autograph import converted_inside
from modtf.core.engine.calls import is_stateful
from modtf.core.engine.graphs import Graph
from modtf.core.engine.tracing import set_outputs
from modtf.core.values import nest
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor

_counter = itertools.count()


class Subgraph:
    """A graph traced inside another.

    Attributes:
        graph: The graph; its inputs are the arguments', then captured tensors'.
        outputs: The structure of its result, with tensors of the graph and `None`s.
        argument_count: How many of the inputs are arguments.
    """

    def __init__(self, graph: Graph, outputs: Any) -> None:
        self.graph = graph
        self.outputs = outputs
        self.argument_count = len(graph.arguments)

    @property
    def flat_outputs(self) -> list[Tensor]:
        return [leaf for leaf in nest.flatten(self.outputs, expand_composites=True) if leaf is not None]


def trace_subgraph(
    what: str, function: Callable[..., Any], arguments: Sequence[tuple[DType, Dims, Dims]] = (), pack: Any = None
) -> Subgraph:
    """Traces a branch or a loop's function inside the current graph.

    Args:
        what: What it is, for the graph's name and for messages, e.g. `"true_fn"`.
        function: The Python function.
        arguments: For each argument tensor its dtype, its shape and, of a variable's handle, the variable's shape.
        pack: From the arguments' placeholders to what the function is called with; the placeholders by default.
    """
    graph = Graph(f"{what}_{next(_counter)}", contexts.current().graph)
    with contexts.scoped(graph=graph, tapes=(), scope=""):
        inputs = [graph.add_input(dtype, dims, "args") for dtype, dims, _ in arguments]
        for tensor, (_, _, handle_dims) in zip(inputs, arguments, strict=True):
            tensor.handle_dims = handle_dims
        given = inputs if pack is None else pack(inputs)
        result = converted_inside(function)(*given)
        outputs = set_outputs(graph, result, f"tf.{what}")
    return Subgraph(graph, outputs)


def share_captures(subgraphs: Sequence[Subgraph]) -> list[Tensor]:
    """Gives all graphs the same inputs for the same captured tensors, and returns those tensors."""
    outside = {id(tensor): tensor for item in subgraphs for tensor, _ in item.graph.captures}
    for item in subgraphs:
        graph = item.graph
        known = {id(tensor): inside for tensor, inside in graph.captures}
        inputs = graph.inputs[: item.argument_count]
        for key, tensor in outside.items():
            inputs.append(known[key] if key in known else graph.stand_in(tensor))
        graph.inputs = inputs
        graph.close()
    return list(outside.values())


def variant_of(stateless: str, stateful: str, graphs: Sequence[Graph]) -> str:
    """The name of the op for graphs that read or write state, or for others."""
    return stateful if any(is_stateful(graph) for graph in graphs) else stateless


def common_dims(first: Dims, second: Dims) -> Dims:
    """The narrowest shape that both shapes fit."""
    return TensorShape(first).most_specific_compatible_shape(TensorShape(second)).dims
