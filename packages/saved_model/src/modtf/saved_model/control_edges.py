"""Control edges: core's graphs run in the order of their nodes; TensorFlow's run as data allow, unless edges say otherwise.

Only what touches state needs them: a read of a resource runs after the last write to it, a write after all that went
before, and whatever else has effects (printing, files) runs in one chain.
"""

from __future__ import annotations

from typing import NamedTuple

from modtf import core as tf
from modtf.core.contracts import Graph, Node, SymbolicTensor

CALL_OPS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_WITHOUT_EFFECT = frozenset({"NoOp", "Placeholder"})

OUTSIDE = -1
"""Stands, among the numbers of a graph's inputs, for everything outside that is not a resource given to the graph."""


class Edges(NamedTuple):
    """What a graph needs to run in its order.

    Attributes:
        before: for the id of a node, the nodes that must run before it.
        must_run: the nodes that run though nobody takes their outputs.
    """

    before: dict[int, list[Node]]
    must_run: list[Node]


class Effects:
    """Finds out what the nodes of graphs do to state, remembering it for graphs that are called several times."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Graph, dict[int, bool]]] = {}

    def edges(self, graph: Graph) -> Edges:
        """Returns the control edges of a graph."""
        last_write: dict[int, Node] = {}
        reads_since: dict[int, list[Node]] = {}
        before: dict[int, list[Node]] = {}
        places = {id(tensor): place for place, tensor in enumerate(graph.inputs)}
        for node in graph.nodes:
            earlier: dict[int, Node] = {}
            for place, writes in self._of_node(node, places).items():
                reads = reads_since.setdefault(place, [])
                if writes:
                    earlier.update((id(read), read) for read in reads)
                    reads.clear()
                else:
                    reads.append(node)
                if place in last_write:
                    earlier[id(last_write[place])] = last_write[place]
                if writes:
                    last_write[place] = node
            earlier.pop(id(node), None)
            if earlier:
                before[id(node)] = list(earlier.values())
        return Edges(
            before, [node for node in graph.nodes if not node.op.prunable and node.type not in _WITHOUT_EFFECT]
        )

    def _of_graph(self, graph: Graph) -> dict[int, bool]:
        """For the number of each input that is read or written, and for `OUTSIDE`, whether it is written."""
        if id(graph) not in self._known:
            effects: dict[int, bool] = {}
            self._known[id(graph)] = graph, effects  # a recursive call finds what was found so far
            places = {id(tensor): place for place, tensor in enumerate(graph.inputs)}
            for node in graph.nodes:
                for place, writes in self._of_node(node, places).items():
                    effects[place] = effects.get(place, False) or writes
        return self._known[id(graph)][1]

    def _of_node(self, node: Node, places: dict[int, int]) -> dict[int, bool]:
        """The same for one node, by the numbers of the inputs of the graph it is in."""

        def place(tensor: SymbolicTensor) -> int:
            return places.get(id(tensor), OUTSIDE)

        resources = [tensor for tensor in node.inputs if tensor.dtype is tf.resource]
        if node.type in CALL_OPS:
            effects: dict[int, bool] = {}
            for number, writes in self._of_graph(node.get_attr("f")).items():
                key = OUTSIDE if number == OUTSIDE else place(node.inputs[number])
                effects[key] = effects.get(key, False) or writes
            return effects
        if not node.op.stateful or node.type in _WITHOUT_EFFECT:
            return {}
        if node.op.prunable:
            return {place(tensor): False for tensor in resources}
        calls_functions = any(attr.kind == "func" for attr in node.op.schema.attrs)
        written = {place(tensor): True for tensor in resources}
        return written if written and not calls_functions else {**written, OUTSIDE: True}
