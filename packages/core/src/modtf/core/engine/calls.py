"""Calling graphs: compiled for the backend, as a node of the graph being traced, and with gradients.

When a tape is concerned, the graph's forward version runs, which also gives the intermediates that its backward version
takes; see `differentiation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from modtf.core.backends.contract import Backend
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine.binding import home
from modtf.core.engine.differentiation import (
    Differentiated,
    differentiate,
    gradients_by_position,
    recomputing_gradient,
)  # fmt: skip
from modtf.core.engine.execution import execute, note
from modtf.core.engine.graphs import Graph
from modtf.core.engine.shape_rules import merged
from modtf.core.engine.vocabulary import Call, Op, register
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
    tapes = _current().tapes
    try:
        forward = forward_graph(graph)
    except LookupError as error:  # which matters only to who asks for the gradient
        with contexts.scoped(tapes=()):
            outputs = call_graph(graph, inputs)
        note(tapes, _CALL.with_gradient(_raising(error)), inputs, (), outputs)
        return outputs
    with contexts.scoped(tapes=()):
        outputs = call_graph(forward, inputs)
    note(tapes, _CALL, inputs, (tuple(tensor.dtype for tensor in forward.outputs), forward, "", "", ""), outputs)
    return outputs[: len(graph.outputs)]


def _raising(error: LookupError) -> Callable[..., Any]:
    def rule(call: Call, *flowing: Any) -> Any:
        raise error

    return rule


def forward_graph(graph: Graph) -> Graph:
    """Returns the version of `graph` that gives its intermediates too; its `differentiated` has both halves."""
    if isinstance(graph.differentiated, Graph):
        return graph.differentiated
    halves = differentiate(graph, [tensor.dtype.is_differentiable for tensor in graph.outputs])
    forward = halves.forward
    forward.outputs = [*forward.outputs, *halves.intermediates]
    forward.differentiated = halves
    graph.differentiated = forward
    return forward


def _call_gradient(call: Call, *flowing: Tensor | None) -> list[Tensor | None]:
    graph: Graph = call["f"]
    halves = graph.differentiated
    if isinstance(halves, Differentiated) and all(item is None for item in flowing[halves.output_count :]):
        own = call.outputs[: halves.output_count]
        given = [
            _or_zeros(gradient, output)
            for gradient, output, flows in zip(flowing, own, halves.flowing, strict=False)
            if flows
        ]
        gradients = call_graph(halves.backward, [*given, *call.outputs[halves.output_count :]])
        positions = halves.positions
    else:  # an intermediate's own gradient is asked for (a higher order): go through the graph anew
        recomputing, positions = recomputing_gradient(graph, tuple(item is not None for item in flowing))
        gradients = call_graph(recomputing, [*call.inputs, *(item for item in flowing if item is not None)])
    return gradients_by_position(len(call.inputs), positions, gradients)


def _or_zeros(gradient: Tensor | None, output: Tensor) -> Tensor:
    from modtf.core.api.array import zeros_like

    return zeros_like(output) if gradient is None else gradient


def run_graph(graph: Graph, backend: Backend, arrays: Sequence[Any]) -> Sequence[Any]:
    """Runs a graph for a kernel: arrays, at home on the backend, to arrays."""
    ready = compiled(graph, backend)
    return ready.run(
        *(
            array if source is place else place.from_numpy(source.to_numpy(array))
            for array, place, source in zip(arrays, ready.placement, _homes_of(graph, backend), strict=True)
        )
    )


def _call_kernel(backend: Backend, args: list[Any], *, f: Graph, **attrs: Any) -> Sequence[Any]:
    return run_graph(f, backend, args)


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
