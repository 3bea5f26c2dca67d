"""Graph passes: functions from graph to graph, run before a backend compiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine.graphs import Graph, Node
from modtf.core.values.tensors import SymbolicTensor

Pass = Callable[[Graph], Graph]
Visit = Callable[[Graph, Node, "list[SymbolicTensor]"], "Sequence[SymbolicTensor]"]

CALL_OPS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_FOLDED_SIZE = 1 << 16
_MAX_COPIED = 1 << 13
_MAX_COPIES = 8
_NEVER_FOLDED = frozenset({"Const", "Placeholder"}) | CALL_OPS


def optimize(graph: Graph) -> Graph:
    """Runs core's passes, then those of plugins that are loaded."""
    for graph_pass in PASSES:
        graph = graph_pass(graph)
    return graph


def rebuild(graph: Graph, visit: Visit) -> Graph:
    """Copies a graph node by node, each as `visit(new_graph, node, new_inputs)` makes it.

    `visit` returns what stands for the node's outputs. The graph's interface stays: the same inputs, captures and outputs.
    """
    new = Graph(graph.name, graph.outer)
    env: dict[int, SymbolicTensor] = {}
    with contexts.scoped(graph=new, tapes=(), scope=""):
        for tensor in graph.inputs:
            env[id(tensor)] = copy_node(new, tensor.node, [])[0]
            new.inputs.append(env[id(tensor)])
        for node in graph.nodes:
            if node.outputs and id(node.outputs[0]) in env:
                continue  # an input
            results = visit(new, node, [env[id(tensor)] for tensor in node.inputs])
            for old, result in zip(node.outputs, results, strict=True):
                env[id(old)] = result
    placeholders = {id(inside): outside for outside, inside in graph.captures}
    for tensor in graph.inputs:
        if id(tensor) in placeholders:
            new._captures[id(placeholders[id(tensor)])] = (placeholders[id(tensor)], env[id(tensor)])
    new.outputs = [env[id(tensor)] for tensor in graph.outputs]
    return new


def copy_node(new: Graph, node: Node, inputs: Sequence[SymbolicTensor]) -> list[SymbolicTensor]:
    """Appends the node as it is."""
    copied = new.append(
        node.op,
        inputs,
        node.attrs,
        [tensor.dtype for tensor in node.outputs],
        [tensor.dims for tensor in node.outputs],
        node.name,
        node.source,
    )
    for old, made in zip(node.outputs, copied.outputs, strict=True):
        made.handle_dims = old.handle_dims
    return list(copied.outputs)


def inline(graph: Graph) -> Graph:
    """Replaces calls of other functions by their nodes; recursive calls stay, and those that would copy too many nodes.

    Functions that call each other twice at each level would make a graph that doubles with every level.
    """
    if not any(node.op.name in CALL_OPS for node in graph.nodes):
        return graph
    reached: dict[int, set[int]] = {}
    copied: dict[int, int] = {}
    lengths: dict[int, int] = {}

    def measure(function: Graph) -> None:
        copied[id(function)] = lengths[id(function)] = len(function.nodes)
        reached[id(function)] = {id(function)}
        for node in function.nodes:
            callee = node["f"] if node.op.name in CALL_OPS else None
            if callee is not None:
                if id(callee) not in reached:
                    measure(callee)
                copied[id(function)] += copied[id(callee)]
                reached[id(function)] |= reached[id(callee)]

    def is_copied_too_often(function: Graph) -> bool:
        if id(function) not in reached:
            measure(function)
        count = copied[id(function)]
        return count > _MAX_COPIED and count > _MAX_COPIES * sum(lengths[place] for place in reached[id(function)])

    def visiting(active: tuple[Graph, ...]) -> Visit:
        def visit(new: Graph, node: Node, inputs: list[SymbolicTensor]) -> Sequence[SymbolicTensor]:
            callee = node["f"] if node.op.name in CALL_OPS else None
            if callee is None or callee in active or is_copied_too_often(callee):
                return copy_node(new, node, inputs)
            return splice(new, callee, inputs, visiting((*active, callee)))

        return visit

    return rebuild(graph, visiting((graph,)))


def splice(
    new: Graph, callee: Graph, inputs: Sequence[SymbolicTensor], visit: Visit = copy_node
) -> list[SymbolicTensor]:
    """Copies the nodes of `callee` into `new`, `inputs` standing for its inputs; returns its outputs there."""
    env = {id(inside): outside for inside, outside in zip(callee.inputs, inputs, strict=True)}
    for node in callee.nodes:
        if node.outputs and id(node.outputs[0]) in env:
            continue
        results = visit(new, node, [env[id(tensor)] for tensor in node.inputs])
        env.update((id(old), result) for old, result in zip(node.outputs, results, strict=True))
    return [env[id(tensor)] for tensor in callee.outputs]


def prune(graph: Graph) -> Graph:
    """Leaves out what neither the outputs nor any side effect needs."""
    needed = {id(tensor.node) for tensor in graph.outputs}
    live: set[int] = set()
    for node in reversed(graph.nodes):
        if id(node) in needed or not node.op.prunable:
            live.add(id(node))
            needed.update(id(tensor.node) for tensor in node.inputs)
    if len(live) == len(graph.nodes):
        return graph

    def visit(new: Graph, node: Node, inputs: list[SymbolicTensor]) -> Sequence[Any]:
        return copy_node(new, node, inputs) if id(node) in live else [None] * len(node.outputs)

    return rebuild(graph, visit)


def fold_constants(graph: Graph) -> Graph:
    """Computes what follows from constants alone, and the shapes that are known."""

    def visit(new: Graph, node: Node, inputs: list[SymbolicTensor]) -> Sequence[SymbolicTensor]:
        op = node.op
        if op.name == "Shape" and inputs[0].dims is not None and None not in inputs[0].dims:
            return [new.constant(np.array(inputs[0].dims, node["out_type"].np_dtype), node["out_type"], node.name)]
        foldable = (
            inputs
            and not (op.stateful or op.volatile)
            and op.name not in _NEVER_FOLDED
            and op.cacheable
            and all(tensor.node.op.name == "Const" for tensor in inputs)
            and all(tensor.dtype.kind != "variant" for tensor in node.outputs)
            and all(np.prod([d or 0 for d in (tensor.dims or ())]) <= _FOLDED_SIZE for tensor in node.outputs)
        )
        if not foldable:
            return copy_node(new, node, inputs)
        try:
            with np.errstate(all="ignore"):
                result = op.native_kernel(NUMPY, node.attrs)(*(tensor.node["value"] for tensor in inputs))
        except Exception:  # the error belongs to the call that runs into it
            return copy_node(new, node, inputs)
        arrays = [result] if isinstance(result, (np.ndarray, np.generic, bytes)) else list(result)
        return [
            new.constant(np.asarray(array, tensor.dtype.np_dtype), tensor.dtype, node.name)
            for array, tensor in zip(arrays, node.outputs, strict=True)
        ]

    return rebuild(graph, visit)


def merge_common(graph: Graph) -> Graph:
    """Computes once what was written several times, reads of a variable between two assignments included."""
    known: dict[Any, list[SymbolicTensor]] = {}
    epoch = [0]

    def visit(new: Graph, node: Node, inputs: list[SymbolicTensor]) -> Sequence[SymbolicTensor]:
        op = node.op
        if not op.prunable:
            epoch[0] += 1
        if op.name == "Const":
            value = node["value"]
            key: Any = (
                ("Const", value.dtype.str, value.shape, value.tobytes())
                if value.size <= 64 and value.dtype != object
                else None
            )
        elif op.name == "ReadVariableOp":
            key = (op.name, id(inputs[0]), epoch[0])
        elif op.stateful or op.volatile or not op.cacheable:
            key = None
        else:
            key = (op, node.attrs, tuple(id(tensor) for tensor in inputs))  # `op`, as gradients may differ
        if key is None:
            return copy_node(new, node, inputs)
        if key not in known:
            known[key] = copy_node(new, node, inputs)
        return known[key]

    return rebuild(graph, visit)


PASSES: list[Pass] = [inline, prune, fold_constants, merge_common, prune]
"""What `optimize` runs, in order."""
