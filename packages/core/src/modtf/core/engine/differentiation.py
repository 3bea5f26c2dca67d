"""Graphs differentiated: a forward version that also gives its intermediates, and a backward half that takes them.

The backward half is built once, by walking the graph's nodes backwards inside a new graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.engine import raw
from modtf.core.engine.graphs import Graph
from modtf.core.engine.passes import copy_node, inline, prune, rebuild, splice
from modtf.core.engine.tapes import gradients_of_calls
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType
from modtf.core.values.tensors import SymbolicTensor, Tensor


class Differentiated:
    """A graph's two halves.

    Attributes:
        forward: The graph; that its outputs are followed by the intermediates is up to whoever runs it.
        output_count: How many outputs the function itself has.
        flowing: For each of those, whether `backward` takes a gradient of it.
        intermediates: The tensors of `forward` that `backward` takes.
        backward: From the gradients of the outputs that have one, then the intermediates, to the inputs' gradients.
        positions: For each output of `backward`, which input of `forward` it is the gradient of.
    """

    def __init__(
        self,
        forward: Graph,
        flowing: tuple[bool, ...],
        intermediates: list[SymbolicTensor],
        backward: Graph,
        positions: list[int],
    ) -> None:
        self.forward = forward
        self.output_count = len(flowing)
        self.flowing = flowing
        self.intermediates = intermediates
        self.backward = backward
        self.positions = positions


def differentiate(graph: Graph, flowing: Sequence[bool]) -> Differentiated:
    """Differentiates a graph (a copy of it, its calls inlined) for gradients that flow into some of its outputs.

    Raises:
        LookupError: An op on the way has no gradient.
    """
    base = prune(inline(graph))
    forward = rebuild(base, copy_node) if base is graph else base
    backward = Graph(f"{graph.name}_backward", outer=forward)
    with backward.as_default():
        targets = [tensor for tensor, flows in zip(forward.outputs, flowing, strict=True) if flows]
        given = [backward.add_input(tensor.dtype, tensor.dims, "gradient") for tensor in targets]
        gradients = gradients_of_calls(forward.nodes, targets, forward.inputs, given)
        positions = [index for index, gradient in enumerate(gradients) if gradient is not None]
        backward.outputs = [backward.capture(convert_to_tensor(gradients[index])) for index in positions]
    intermediates: list[Any] = [outside for outside, _ in backward.captures]
    return Differentiated(forward, tuple(flowing), intermediates, backward, positions)


def recomputing_gradient(graph: Graph, mask: tuple[bool, ...]) -> tuple[Graph, list[int]]:
    """Returns a graph from a function's inputs and some outputs' gradients to the inputs' gradients, and which inputs'.

    It computes the function anew, so it is right for any order, but not for functions that read or write state.
    """
    memory = graph.compiled.setdefault("recomputing", {})
    if mask not in memory:
        base = inline(graph)
        made = Graph(f"{graph.name}_gradient")
        with made.as_default():
            inputs = [made.add_input(tensor.dtype, tensor.dims, "input") for tensor in base.inputs]
            for inside, tensor in zip(inputs, base.inputs, strict=True):
                inside.handle_dims = tensor.handle_dims
            outputs = splice(made, base, inputs)
            targets = [tensor for tensor, wanted in zip(outputs, mask, strict=True) if wanted]
            forward_nodes = list(made.nodes)
            flowing = [made.add_input(tensor.dtype, tensor.dims, "gradient") for tensor in targets]
            gradients = gradients_of_calls(forward_nodes, targets, inputs, flowing)
            positions = [index for index, gradient in enumerate(gradients) if gradient is not None]
            made.outputs = [made.capture(convert_to_tensor(gradients[index])) for index in positions]
        memory[mask] = (made, positions)
    return memory[mask]


def gradients_by_position(count: int, positions: Sequence[int], gradients: Sequence[Tensor]) -> list[Tensor | None]:
    """Returns the gradients of all `count` inputs, `None` where there is none."""
    results: list[Tensor | None] = [None] * count
    for position, gradient in zip(positions, gradients, strict=True):
        results[position] = gradient
    return results


def zeros_like_input(tensor: Tensor, dtype: DType) -> Tensor:
    """Returns the zeros that are the gradient of an input (or of the variable that it is a handle of)."""
    value = raw.ReadVariableOp(tensor, dtype=dtype) if tensor.dtype.kind == "resource" else tensor
    return raw.ZerosLike(value)
