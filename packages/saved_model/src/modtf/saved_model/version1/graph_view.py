"""The graph of a version-1 model, to look at and to name tensors by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modtf import core as tf

from ..protos.graph_pb2 import GraphDef, NodeDef
from .main_nodes import MainNodes, Source, parse_source


@dataclass(frozen=True)
class GraphOperation:
    """A node of the graph.

    Attributes:
        node_def: how it stands in the file.
        graph: the graph.
    """

    node_def: NodeDef
    graph: GraphView

    @property
    def name(self) -> str:
        return self.node_def.name

    @property
    def type(self) -> str:
        """The op's name."""
        return self.node_def.op

    @property
    def inputs(self) -> tuple[GraphTensor, ...]:
        """What it takes."""
        return tuple(GraphTensor(source, self.graph) for source in self.graph.nodes.inputs(self.name))

    @property
    def control_inputs(self) -> list[GraphOperation]:
        """What must run before it."""
        return [self.graph.get_operation_by_name(name) for name in self.graph.nodes.controls(self.name)]

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"


@dataclass(frozen=True)
class GraphTensor:
    """An output of a node.

    Attributes:
        source: which.
        graph: the graph.
    """

    source: Source
    graph: GraphView

    @property
    def name(self) -> str:
        return str(self.source)

    @property
    def op(self) -> GraphOperation:
        """The node whose output it is."""
        return self.graph.get_operation_by_name(self.source.node)

    @property
    def spec(self) -> tf.TensorSpec:
        """Its shape and dtype, which are found out by making the graph that leads to it."""
        return self.graph.spec_of(self.source)

    @property
    def dtype(self) -> tf.DType:
        return self.spec.dtype

    @property
    def shape(self) -> tf.TensorShape:
        return self.spec.shape

    def __repr__(self) -> str:
        return f"<tf.Tensor {self.name!r}>"


class GraphView:
    """The graph in the file: its nodes and their outputs by name.

    Args:
        graph_def: the graph.
        nodes: its nodes.
        spec_of: finds out the spec of an output.
    """

    def __init__(self, graph_def: GraphDef, nodes: MainNodes, spec_of: Callable[[Source], tf.TensorSpec]) -> None:
        self._graph_def = graph_def
        self.nodes = nodes
        self.spec_of = spec_of

    def get_operations(self) -> list[GraphOperation]:
        """Returns the nodes in the order of the file."""
        return [GraphOperation(node, self) for node in self.nodes.all()]

    def get_operation_by_name(self, name: str) -> GraphOperation:
        """Returns a node.

        Raises:
            KeyError: there is no such node.
        """
        if name not in self.nodes:
            raise KeyError(f"The name {name!r} refers to an operation that is not in the graph.")
        return GraphOperation(self.nodes[name], self)

    def get_tensor_by_name(self, name: str) -> GraphTensor:
        """Returns an output of a node by its name, such as `dense/MatMul:0`.

        Raises:
            ValueError: it is the name of a node.
            KeyError: there is no such node.
        """
        if ":" not in name:
            raise ValueError(f"{name!r} is the name of an operation; tensors have names like '{name}:0'.")
        source = parse_source(name)
        self.get_operation_by_name(source.node)
        return GraphTensor(source, self)

    def as_graph_element(self, obj: Any) -> GraphOperation | GraphTensor:
        """Returns the node or the output that a name, or an object with a name, refers to.

        Raises:
            KeyError: there is none in this graph.
            TypeError: it is none of these.
        """
        name = obj if isinstance(obj, str) else getattr(obj, "name", None)
        if not isinstance(name, str):
            raise TypeError(f"A tensor or an operation of the graph, or its name, is needed; got {obj!r}.")
        return self.get_tensor_by_name(name) if ":" in name else self.get_operation_by_name(name)

    def as_graph_def(self) -> GraphDef:
        """Returns the message in the file."""
        return self._graph_def

    def __repr__(self) -> str:
        return f"<Graph of {len(self.nodes.all())} nodes>"
