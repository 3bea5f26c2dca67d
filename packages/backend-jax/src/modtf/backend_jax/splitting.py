"""Splitting a graph into parts that XLA compiles whole and parts that run op by op, on the host where they must.

A node is *fixed* if its value follows from constants and shapes alone: it is known while a part is traced, however
often the part is, so fixed nodes are copied into every part that needs them. The others get a level: odd for compiled
parts, even for host parts, each node in the lowest that its inputs, and the order of reads and writes, allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from modtf.backend_jax.computed_slices import is_computed
from modtf.backend_jax.nested import COMPILABLE, calls_functions, dtype_of_rows, inner_graphs, optimized
from modtf.core.contracts import Backend, Bound, Graph, Node, SymbolicTensor, copy_node

_WITH_LISTS = COMPILABLE | {"AddN", "EmptyTensorList", "FakeParam", "Identity", "ZerosLike"}
"""Ops that compiled parts know to have lists of tensors, besides those named so."""

_WORLD = -1
"""What stateful ops act on that have no variable: files, generators, the console. Its order is kept as well."""


class Part:
    """Some nodes of a graph, as a graph of their own.

    Attributes:
        graph: The nodes.
        level: Its place in the order; odd if XLA can compile it whole.
        inputs: The tensors of the whole graph that it takes.
        outputs: The tensors of the whole graph that it gives.
        origins: For each node in it (by id), the node of the whole graph.
    """

    def __init__(self, graph: Graph, level: int) -> None:
        self.graph = graph
        self.level = level
        self.inputs: list[SymbolicTensor] = []
        self.outputs: list[SymbolicTensor] = []
        self.origins: dict[int, Node] = {}

    @property
    def is_compiled(self) -> bool:
        return self.level % 2 == 1


def is_resource(tensor: SymbolicTensor) -> bool:
    """Whether the tensor is a variable's handle."""
    return tensor.dtype.name == "resource"


def root(tensor: SymbolicTensor) -> SymbolicTensor:
    """The handle that was passed on to give this one; any other tensor as it is."""
    while is_resource(tensor):
        if tensor.node.op.name == "Identity" or tensor.node.op.name in ("While", "StatelessWhile"):
            tensor = tensor.node.inputs[tensor.index]
        else:
            break
    return tensor


def known_value(node: Node) -> np.ndarray | None:
    """The value of a constant, or of the shape of a variable whose shape cannot change."""
    if node.op.name == "Const":
        return node["value"]
    if node.op.name == "VariableShape":
        dims = node.inputs[0].handle_dims
        if dims is not None and None not in dims:
            return np.array(dims, node["out_type"].np_dtype)
    return None


class Nature:
    """What the nodes of a graph are.

    Args:
        graph: The graph, its calls inlined.
        backend: Who compiles it.
        hosted: Nodes that turned out not to be compilable, each with the lowest level that it may have.
        hopeful: Whether inputs of the graph that are integers count as known, as the shapes that a loop takes often are.
    """

    def __init__(self, graph: Graph, backend: Backend, hosted: Mapping[Node, int], hopeful: bool = False) -> None:
        self._backend = backend
        self._hosted = hosted
        self._hopes = {id(tensor) for tensor in graph.inputs if hopeful and tensor.dtype.is_integer}
        self._given = {id(tensor) for tensor in graph.inputs}
        self.nodes = [node for node in graph.nodes if not self._is_idle(node)]
        self.fixed: set[int] = set()
        for node in self.nodes:
            if self._is_fixed(node):
                self.fixed.add(id(node))

    def _is_idle(self, node: Node) -> bool:
        if any(id(tensor) in self._given for tensor in node.outputs):
            return True
        passed_on = len(node.outputs) == 1 and is_resource(node.outputs[0]) and node.op.name == "Identity"
        return passed_on or node.op.name == "NoOp"

    def is_fixed(self, tensor: SymbolicTensor) -> bool:
        return id(tensor.node) in self.fixed or id(tensor) in self._hopes

    def _is_fixed(self, node: Node) -> bool:
        if known_value(node) is not None:
            return True
        if node.op.stateful or node.op.volatile or calls_functions(node):
            return False
        if node.op.host_outputs:
            return node not in self._hosted and all(
                self._backend.supports(tensor.dtype) or tensor.dtype.name == "variant" for tensor in node.inputs
            )
        if any(tensor.dtype.name == "variant" for tensor in node.outputs):
            return False
        return bool(node.inputs) and all(self.is_fixed(tensor) for tensor in node.inputs)

    def runs_on_host(self, node: Node) -> bool:
        """Whether core's NumPy kernel computes the node."""
        return (
            node in self._hosted
            or (node.op.host_only and node.op.name not in self._backend.kernels)
            or not all(self._holds(node, tensor) for tensor in (*node.inputs, *node.outputs))
        )

    def _holds(self, node: Node, tensor: SymbolicTensor) -> bool:
        """Whether a compiled part can have a tensor of a node: lists only where they are known as such, and of numbers."""
        if tensor.dtype.name == "variant":
            row = dtype_of_rows(node)
            known = node.op.name.startswith("TensorList") or node.op.name in _WITH_LISTS
            return known and (row is None or self._backend.supports(row))
        return is_resource(tensor) or self._backend.supports(tensor.dtype)

    def is_compilable(self, node: Node) -> bool:
        """Whether the node can be in a compiled part, though it is not fixed."""
        if self.runs_on_host(node):
            return False
        if calls_functions(node):
            return node.op.name in COMPILABLE and all(
                self._is_compilable_inside(optimized(graph)) for graph in inner_graphs(node)
            )
        if any(is_resource(tensor) for tensor in node.outputs):
            return False
        if node.op.stateful and not any(is_resource(tensor) for tensor in node.inputs):
            return False
        taken = zip(node.inputs, self.taken_from_host(node), strict=True)
        return all(self.is_fixed(tensor) for tensor, from_host in taken if from_host) or is_computed(
            node, self.is_fixed
        )

    def _is_compilable_inside(self, graph: Graph) -> bool:
        if any(tensor.dtype.name == "string" for tensor in graph.inputs):
            return False
        inside = Nature(graph, self._backend, {}, hopeful=True)
        return all(id(node) in inside.fixed or inside.is_compilable(node) for node in inside.nodes)

    def taken_from_host(self, node: Node) -> list[bool]:
        """For each input of the node, whether the backend's kernel takes it as a NumPy array."""
        placement = Bound(node.op, self._backend, node.attrs, [tensor.dtype for tensor in node.inputs]).placement
        return [
            place is not self._backend and tensor.dtype.name not in ("resource", "variant")
            for tensor, place in zip(node.inputs, placement, strict=True)
        ]


def split(graph: Graph, backend: Backend, hosted: Mapping[Node, int]) -> list[Part]:
    """Returns the parts of a graph, in the order in which they shall run.

    If there is one compiled part and no other, it has all the graph's inputs and outputs, in their order.
    """
    nature = Nature(graph, backend, hosted)
    levels = _levels(graph, nature, hosted)
    members: dict[int, list[Node]] = {}
    for node in nature.nodes:
        if id(node) not in nature.fixed:
            members.setdefault(levels[id(node)], []).append(node)
    outputs = [root(tensor) for tensor in graph.outputs]
    given = {id(tensor) for tensor in graph.inputs}
    fixed_outputs: dict[int, list[SymbolicTensor]] = {}
    for tensor in outputs:
        if id(tensor) not in given and nature.is_fixed(tensor):
            compiled = backend.supports(tensor.dtype)
            lowest = _at_least(levels[id(tensor.node)], compiled)
            level = min((level for level in members if level >= lowest and level % 2 == compiled), default=lowest)
            members.setdefault(level, [])
            fixed_outputs.setdefault(level, []).append(tensor)
    if not members or list(members) == [1]:
        return [_part(graph, nature, members.get(1, []), 1, graph.inputs, outputs)]
    made_by = {id(tensor): level for level, nodes in members.items() for node in nodes for tensor in node.outputs}
    closures = {
        level: _closure(nature, nodes, fixed_outputs.get(level, ())) for level, nodes in sorted(members.items())
    }
    needs = {
        level: _unique(
            root(tensor)
            for node in closure
            if known_value(node) is None
            for tensor in node.inputs
            if not nature.is_fixed(root(tensor)) and made_by.get(id(root(tensor))) != level
        )
        for level, closure in closures.items()
    }
    wanted = {id(tensor) for tensors in needs.values() for tensor in tensors} | {id(tensor) for tensor in outputs}
    return [
        _part(
            graph,
            nature,
            closure,
            level,
            needs[level],
            [
                *(tensor for node in members[level] for tensor in node.outputs if id(tensor) in wanted),
                *_unique(fixed_outputs.get(level, ())),
            ],
            closed=True,
        )
        for level, closure in closures.items()
    ]


def _levels(graph: Graph, nature: Nature, hosted: Mapping[Node, int]) -> dict[int, int]:
    """The level of each node; of a fixed one, from which on it can be known."""
    of_tensor = {id(tensor): 0 for tensor in graph.inputs}
    levels: dict[int, int] = {}
    written: dict[int, int] = {}
    touched: dict[int, int] = {}
    for node in nature.nodes:
        level = max((of_tensor.get(id(root(tensor)), 0) for tensor in node.inputs), default=0)
        if id(node) not in nature.fixed:
            state = [id(root(tensor)) for tensor in node.inputs if is_resource(tensor)] if node.op.stateful else []
            if node.op.stateful and (not state or (calls_functions(node) and not nature.is_compilable(node))):
                state.append(_WORLD)
            writes = not node.op.prunable or _WORLD in state
            level = max([level, *((touched if writes else written).get(item, 0) for item in state)])
            level = _at_least(max(level, hosted.get(node, 0)), nature.is_compilable(node))
            for item in state:
                touched[item] = max(level, touched.get(item, 0))
                if writes:
                    written[item] = level
        levels[id(node)] = level
        of_tensor.update((id(tensor), level) for tensor in node.outputs)
    return levels


def _at_least(level: int, compiled: bool) -> int:
    return level if level % 2 == compiled else level + 1


def _closure(nature: Nature, nodes: Iterable[Node], outputs: Iterable[SymbolicTensor]) -> list[Node]:
    """The nodes with the fixed ones that they and `outputs` need, in program order."""
    chosen = {id(node) for node in nodes}
    needed = {id(tensor.node) for tensor in outputs}
    for node in reversed(nature.nodes):
        if id(node) in chosen or id(node) in needed:
            chosen.add(id(node))
            if known_value(node) is None:
                needed.update(id(tensor.node) for tensor in node.inputs if nature.is_fixed(tensor))
    return [node for node in nature.nodes if id(node) in chosen]


def _part(
    graph: Graph,
    nature: Nature,
    nodes: Sequence[Node],
    level: int,
    inputs: Sequence[SymbolicTensor],
    outputs: Sequence[SymbolicTensor],
    closed: bool = False,
) -> Part:
    part = Part(Graph(graph.name), level)
    part.inputs, part.outputs = list(inputs), list(outputs)
    env: dict[int, SymbolicTensor] = {}
    for tensor in inputs:
        inside = env[id(tensor)] = part.graph.add_input(tensor.dtype, tensor.dims, tensor.node.name)
        inside.handle_dims = tensor.handle_dims
    given = {id(tensor) for tensor in graph.inputs}
    if not closed:
        nodes = _closure(
            nature, nodes, [tensor for tensor in outputs if id(tensor) not in given and nature.is_fixed(tensor)]
        )
    for node in nodes:
        value = known_value(node)
        if value is not None:
            made = [part.graph.constant(value, node.outputs[0].dtype, node.name)]
        else:
            made = copy_node(part.graph, node, [env[id(root(tensor))] for tensor in node.inputs])
        copy = made[0].node if made else part.graph.nodes[-1]
        part.origins[id(copy)] = node
        env.update((id(old), new) for old, new in zip(node.outputs, made, strict=True))
    part.graph.outputs = [env[id(tensor)] for tensor in outputs]
    return part


def _unique(tensors: Iterable[SymbolicTensor]) -> list[SymbolicTensor]:
    return list({id(tensor): tensor for tensor in tensors}.values())
