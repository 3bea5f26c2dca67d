"""What the graphs inside loops and conditionals do: whether XLA can compile them, and which variables they assign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from modtf.core.contracts import Graph, Node, SymbolicTensor, optimize

COMPILABLE = frozenset(f"{prefix}{name}" for prefix in ("", "Stateless") for name in ("If", "Case", "While"))
"""The ops with graphs inside that have kernels here."""


def inner_graphs(node: Node) -> list[Graph]:
    """Returns the graphs among a node's attributes."""
    found: list[Graph] = []
    for attr, value in zip(node.op.schema.attrs, node.attrs, strict=True):
        if attr.kind == "func":
            found.extend(value if attr.is_list else [value])
    return found


def calls_functions(node: Node) -> bool:
    """Whether a node has graphs inside."""
    return any(attr.kind == "func" for attr in node.op.schema.attrs)


def optimized(graph: Graph) -> Graph:
    """Returns an inner graph with calls inlined and constants folded, from its memory if that was done before."""
    found = graph.compiled.get("optimized for JAX")
    if found is None:
        found = graph.compiled["optimized for JAX"] = optimize(graph)
    return found


def inner_tensors(node: Node, position: int) -> Iterator[tuple[Graph, SymbolicTensor]]:
    """Yields, for each graph inside a node, the graph and its input for the node's input at `position`."""
    shift = 0 if node.op.name.endswith("While") else 1  # what decides goes into none of them
    for graph in map(optimized, inner_graphs(node)):
        if position >= shift:
            yield graph, graph.inputs[position - shift]


def users(graph: Graph, tensor: SymbolicTensor) -> list[tuple[Node, int]]:
    """Returns the nodes that take a tensor, each with where it does."""
    return [(node, at) for node in graph.nodes for at, item in enumerate(node.inputs) if item is tensor]


def assigns(node: Node, tensor: SymbolicTensor) -> bool:
    """Whether a node, or one in a graph inside it, assigns the variable that a handle is of."""
    if node.op.name not in COMPILABLE:
        return not node.op.prunable
    return any(
        assigns(user, inside)
        for position, item in enumerate(node.inputs)
        if item is tensor
        for graph, inside in inner_tensors(node, position)
        for user, _ in users(graph, inside)
    )


def dtype_of_variable(uses: Sequence[Node], handle: SymbolicTensor) -> Any:
    """A variable's dtype, from the ops that read or assign it; `None` if they only ask about it."""
    for node in uses:
        if node.op.name in COMPILABLE:
            for position, item in enumerate(node.inputs):
                if item is handle:
                    for graph, inside in inner_tensors(node, position):
                        found = dtype_of_variable([user for user, _ in users(graph, inside)], inside)
                        if found is not None:
                            return found
        elif "dtype" in node.op.schema.attr_index:
            return node["dtype"]
        else:
            for tensor in node.inputs:
                if tensor.dtype.name != "resource":
                    return tensor.dtype
    return None


def dtype_of_rows(node: Node) -> Any:
    """The dtype of the rows of the lists that a node makes or changes; `None` if it does not say."""
    schema = node.op.schema
    if "element_dtype" in schema.attr_index:
        return node["element_dtype"]
    return schema.bindings([tensor.dtype for tensor in node.inputs], node.attrs).get("element_dtype")
