"""Calling graphs: compiled for the backend, as a node of the graph being traced, and with gradients.

When a tape is concerned, the graph's forward version runs, which also gives the intermediates that its backward version
takes; the two are built once, by walking the graph's nodes backwards inside a new graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.backends.contract import Backend
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine.binding import home
from modtf.core.engine.execution import execute, note
from modtf.core.engine.graphs import Graph
from modtf.core.engine.passes import copy_node, inline, prune, rebuild, splice
from modtf.core.engine.shape_rules import merged
from modtf.core.engine.tapes import gradients_of_calls
from modtf.core.engine.vocabulary import Call, Op, register
from modtf.core.values.dtypes import DType
from modtf.core.values.tensors import EagerTensor, Tensor

_current = contexts.current


class Compiled:
    """What a backend made of a graph, with where its inputs and outputs live."""

    __slots__ = ("dtypes", "homes", "placement", "run")

    def __init__(self, graph: Graph, backend: Backend) -> None:
        self.run = backend.compile(graph)
        self.placement = tuple(home(backend, tensor.dtype) for tensor in graph.inputs)
        self.dtypes = tuple(tensor.dtype for tensor in graph.outputs)
        self.homes = tuple(home(backend, dtype) for dtype in self.dtypes)


def compiled(graph: Graph, backend: Backend) -> Compiled:
    """Returns the graph compiled for a backend, from its memory if it was before."""
    found = graph.compiled.get(backend)
    if found is None:
        found = graph.compiled[backend] = Compiled(graph, backend)
    return found


def call_graph(graph: Graph, inputs: Sequence[Any]) -> list[Any]:
    """Calls a graph with a tensor for each of its inputs."""
    context = _current()
    if context.tapes and any(tape.concerns(_CALL, inputs, ()) for tape in context.tapes):
        return _call_with_gradient(graph, inputs)
    if context.graph is not None:
        op = _STATEFUL_CALL if is_stateful(graph) else _CALL
        return execute(op, inputs, (tuple(tensor.dtype for tensor in graph.outputs), graph, "", "", ""))
    backend = context.backend
    if backend is None:
        from modtf.core.backends.selection import default_backend

        backend = default_backend()
    ready = graph.compiled.get(backend) or compiled(graph, backend)
    arrays = [
        tensor.array if tensor.backend is place else tensor.on(place)
        for tensor, place in zip(inputs, ready.placement, strict=True)
    ]
    results = ready.run(*arrays)
    return [EagerTensor(*item) for item in zip(results, ready.dtypes, ready.homes, strict=True)]


def is_stateful(graph: Graph) -> bool:
    """Whether a graph reads or writes state."""
    return any(node.op.stateful and node.op.name != "Placeholder" for node in graph.nodes)


def _call_with_gradient(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    forward = forward_graph(graph)
    tapes = _current().tapes
    with contexts.scoped(tapes=()):
        outputs = call_graph(forward, inputs)
    note(tapes, _CALL, inputs, (tuple(tensor.dtype for tensor in forward.outputs), forward, "", "", ""), outputs)
    return outputs[: len(graph.outputs)]


class Differentiated:
    """A forward graph's backward half.

    Attributes:
        output_count: How many of the forward graph's outputs are the function's own; the others are intermediates.
        backward: Takes the gradients of the differentiable outputs, then the intermediates.
        positions: For each output of `backward`, which input of the function it is the gradient of.
    """

    def __init__(self, output_count: int, backward: Graph, positions: list[int]) -> None:
        self.output_count = output_count
        self.backward = backward
        self.positions = positions


def forward_graph(graph: Graph) -> Graph:
    """Returns the version of `graph` that gives its intermediates too; its `differentiated` has the backward half."""
    if isinstance(graph.differentiated, Graph):
        return graph.differentiated
    base = prune(inline(graph))
    forward = rebuild(base, copy_node) if base is graph else base
    backward = Graph(f"{graph.name}_backward", outer=forward)
    with backward.as_default():
        flowing = [
            backward.add_input(tensor.dtype, tensor.dims, "gradient") if tensor.dtype.is_differentiable else None
            for tensor in forward.outputs
        ]
        targets = [tensor for tensor, gradient in zip(forward.outputs, flowing, strict=True) if gradient is not None]
        gradients = gradients_of_calls(
            forward.nodes, targets, forward.inputs, [gradient for gradient in flowing if gradient is not None]
        )
        positions = [index for index, gradient in enumerate(gradients) if gradient is not None]
        backward.outputs = [backward.capture(gradients[index]) for index in positions]
    output_count = len(forward.outputs)
    forward.outputs = [*forward.outputs, *(outside for outside, _ in backward.captures)]  # type: ignore[list-item]
    forward.differentiated = Differentiated(output_count, backward, positions)
    graph.differentiated = forward
    return forward


def _call_gradient(call: Call, *flowing: Tensor | None) -> list[Tensor | None]:
    graph: Graph = call["f"]
    results: list[Tensor | None] = [None] * len(call.inputs)
    known = graph.differentiated
    if isinstance(known, Differentiated) and all(item is None for item in flowing[known.output_count :]):
        own = call.outputs[: known.output_count]
        given = [
            _or_zeros(gradient, output)
            for gradient, output in zip(flowing, own, strict=False)
            if output.dtype.is_differentiable
        ]
        gradients = call_graph(known.backward, [*given, *call.outputs[known.output_count :]])
        positions = known.positions
    else:  # an intermediate's own gradient is asked for (a higher order): go through the graph anew
        recomputing, positions = _recomputing_graph(graph, tuple(item is not None for item in flowing))
        gradients = call_graph(recomputing, [*call.inputs, *(item for item in flowing if item is not None)])
    for position, gradient in zip(positions, gradients, strict=True):
        results[position] = gradient
    return results


def _or_zeros(gradient: Tensor | None, output: Tensor) -> Tensor:
    from modtf.core.api.array import zeros_like

    return zeros_like(output) if gradient is None else gradient


def _recomputing_graph(graph: Graph, mask: tuple[bool, ...]) -> tuple[Graph, list[int]]:
    """A graph from the function's inputs and some outputs' gradients to the inputs' gradients."""
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
            made.outputs = [made.capture(gradients[index]) for index in positions]
        memory[mask] = (made, positions)
    return memory[mask]


def _call_kernel(
    backend: Backend,
    args: list[Any],
    *,
    Tout: Sequence[DType],
    f: Graph,
    config: str,
    config_proto: str,
    executor_type: str,
) -> Sequence[Any]:
    ready = compiled(f, backend)
    arrays = [
        array if array_home is place else place.from_numpy(array_home.to_numpy(array))
        for array, place, array_home in zip(args, ready.placement, _homes_of(f, backend), strict=True)
    ]
    return ready.run(*arrays)


def _homes_of(graph: Graph, backend: Backend) -> list[Backend]:
    return [home(backend, tensor.dtype) if backend is not NUMPY else NUMPY for tensor in graph.inputs]


def _call_dims(args: list[Tensor], *, f: Graph, **attrs: Any) -> list[Any]:
    for inside, given in zip(f.inputs, args, strict=True):
        merged(inside.dims, given.dims)
    return [tensor.dims for tensor in f.outputs]


def _call_op(name: str, stateful: bool) -> Op:
    made = register(
        Op(
            f"{name}[*Tin](args: Tin, *, Tout: list(type), f: func, config: string = '', config_proto: string = '', "
            "executor_type: string = '') -> (output: Tout)",
            kernel=_call_kernel,
            shape=_call_dims,
            stateful=stateful,
            fills_gradients=False,
        )
    )
    made.gradient(_call_gradient)
    return made


_CALL = _call_op("PartitionedCall", stateful=False)
_STATEFUL_CALL = _call_op("StatefulPartitionedCall", stateful=True)
