"""What a model may do while it is loaded: fill its tables and variables, but write no files."""

from __future__ import annotations

from modtf.core.contracts import Graph

from .errors import UnsupportedError

_WRITERS = frozenset({"WriteFile", "Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints"})
_PRINTERS = {"PrintV2": "output_stream"}
"""Ops that write to a file if this attribute names one."""


def check_harmless(graph: Graph, where: str) -> None:
    """Checks that running a graph, and what it calls, writes no files.

    Args:
        graph: the graph.
        where: the file and what the graph is, for the error.

    Raises:
        UnsupportedError: it would write one.
    """
    left, seen = [graph], {id(graph)}
    while left:
        for node in left.pop().nodes:
            stream = str(node.get_attr(_PRINTERS[node.type])) if node.type in _PRINTERS else ""
            if node.type in _WRITERS or stream.startswith("file:"):
                raise UnsupportedError(
                    f"{where}: loading the model would run {node.name!r}, a {node.type}, which writes files. "
                    "A model may do that when it is called, but not when it is loaded."
                )
            for value in node.attrs:
                for called in value if isinstance(value, tuple) else (value,):
                    if isinstance(called, Graph) and id(called) not in seen:
                        seen.add(id(called))
                        left.append(called)
