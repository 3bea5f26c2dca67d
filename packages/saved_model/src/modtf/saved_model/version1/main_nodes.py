"""The nodes of a file's main graph, and what refers to their outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ..errors import DataLossError, SavedModelError
from ..protos.graph_pb2 import GraphDef, NodeDef

MERGES = frozenset({"Merge", "RefMerge"})
NEXT_ITERATIONS = frozenset({"NextIteration", "RefNextIteration"})


class Source(NamedTuple):
    """An output of a node: what another node takes, what is fed, or what is fetched."""

    node: str
    output: int

    def __str__(self) -> str:
        return f"{self.node}:{self.output}"


def parse_source(reference: str) -> Source:
    """Returns the output that a graph names as `node:1`, or `node` for the first one."""
    name, _, index = reference.rpartition(":")
    return Source(name, int(index)) if name and index.isdecimal() else Source(reference, 0)


class MainNodes:
    """The nodes by name.

    Args:
        graph_def: the graph.
        where: the file, for errors.

    Raises:
        DataLossError: two nodes have the same name, or one takes what is not there.
    """

    def __init__(self, graph_def: GraphDef, where: str) -> None:
        self.where = where
        self.producer = graph_def.versions.producer
        self._nodes = {node.name: node for node in graph_def.node}
        if len(self._nodes) != len(graph_def.node):
            raise DataLossError(f"{where}: two nodes of the graph have the same name.")
        self._inputs: dict[str, tuple[Source, ...]] = {}
        self._controls: dict[str, tuple[str, ...]] = {}
        for node in graph_def.node:
            data = [reference for reference in node.input if not reference.startswith("^")]
            self._inputs[node.name] = tuple([parse_source(reference) for reference in data])
            self._controls[node.name] = tuple([name[1:] for name in node.input if name.startswith("^")])

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __getitem__(self, name: str) -> NodeDef:
        try:
            return self._nodes[name]
        except KeyError:
            raise DataLossError(f"{self.where}: the graph has no node {name!r}.") from None

    def all(self) -> list[NodeDef]:
        """Returns all nodes in the order of the file."""
        return list(self._nodes.values())

    def inputs(self, name: str) -> tuple[Source, ...]:
        """Returns what a node takes."""
        return self._inputs[name]

    def controls(self, name: str) -> tuple[str, ...]:
        """Returns the nodes that must run before a node."""
        return self._controls[name]

    def begins_iteration(self, name: str) -> bool:
        """Whether a node merges a loop variable's first value with those of further iterations."""
        return self._nodes[name].op in MERGES and any(
            source.node in self._nodes and self._nodes[source.node].op in NEXT_ITERATIONS
            for source in self._inputs[name]
        )

    def needed(self, name: str, feeds: Collection[Source]) -> list[str]:
        """Returns the nodes that a node waits for, except, at the begin of an iteration, for the one before."""
        sources = [source.node for source in self._inputs[name] if source not in feeds]
        if self.begins_iteration(name):
            sources = [source for source in sources if self[source].op not in NEXT_ITERATIONS]
        return [*sources, *self._controls[name]]

    def in_order(self, targets: Iterable[str], feeds: Collection[Source]) -> list[str]:
        """Returns the nodes that must run for others to run, each after what it waits for.

        Args:
            targets: the nodes to run.
            feeds: outputs that are given, so that their nodes need not run.

        Raises:
            DataLossError: a node is missing, or depends on itself.
        """
        ordered: list[str] = []
        done: dict[str, bool] = {}  # False while what the node needs is visited
        roots = list(reversed(list(targets)))
        while roots:
            path = [roots.pop()]
            while path:
                name = path[-1]
                if done.get(name):
                    path.pop()
                    continue
                self[name]
                needed = [source for source in self.needed(name, feeds) if not done.get(source)]
                if not needed:
                    done[name] = True
                    ordered.append(name)
                    path.pop()
                    if self.begins_iteration(name):
                        sources = (source.node for source in self._inputs[name])
                        roots.extend(source for source in sources if self[source].op in NEXT_ITERATIONS)
                elif name in done:
                    raise DataLossError(f"{self.where}: the node {name!r} depends on its own output.")
                else:
                    done[name] = False
                    path.extend(reversed(needed))
        return ordered

    def located(self, name: str, error: SavedModelError) -> SavedModelError:
        """Returns an error that says at which node it happened, if it does not say so already."""
        if str(error).startswith(self.where):
            return error
        return type(error)(f"{self.where}: node {name!r}: {error}")
