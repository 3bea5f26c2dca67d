"""Core's graphs as GraphDef and FunctionDefs."""

from __future__ import annotations

import functools
from typing import Any

from modtf import core as tf
from modtf.core.contracts import Graph, GraphGradient, Node, Op, SymbolicTensor, get_op

from .attributes import encode_attr, encode_dtype, encode_shape
from .control_edges import Effects
from .errors import SavedModelError
from .loop_counters import with_counters
from .node_names import NodeNames
from .op_defs import encode_op, is_unreadable_function
from .protos.graph_pb2 import AttrValue, FunctionDef, FunctionDefLibrary, GraphDef, NodeDef, OpDef, OpList, VersionDef
from .protos.tensor_pb2 import ResourceHandleProto
from .saved_gradients import OP_TYPE, WrittenGradient, gradient_graph

_PRODUCER = 2474
_MIN_CONSUMER = 12
"""The versions of graphs that TensorFlow 2.21 writes: what its ops mean, and the oldest reader of the notation."""

References = dict[int, str]
"""For the id of a tensor, what an input that takes it says."""


def to_graph_def(graph: Graph, add_shapes: bool = False) -> GraphDef:
    """Returns a graph as a `GraphDef`, the message that TensorFlow writes graphs as (`graph.as_graph_def()`).

    Args:
        graph: the graph, such as that of a concrete function. The functions that it calls go into the message's library.
        add_shapes: whether to add to each node the attribute `_output_shapes`, a list of shapes.

    Raises:
        SavedModelError: a function that it calls was loaded from a file, and is not understood.
    """
    writer = GraphWriter()
    proto, _ = writer.write(graph, in_order=True)
    if add_shapes:
        for message, node in zip(proto.node, with_counters(graph).nodes, strict=True):
            shapes = AttrValue.ListValue(shape=[encode_shape(tensor.dims) for tensor in node.outputs])
            message.attr["_output_shapes"].list.CopyFrom(shapes)
    return proto


class GraphWriter:
    """Writes graphs, and the functions they call, once each.

    Args:
        custom_gradients: whether the gradients that nodes have of their own are written too.

    Attributes:
        gradients: those gradients, for the nodes that were written.
    """

    def __init__(self, custom_gradients: bool = False) -> None:
        self._custom_gradients = custom_gradients
        self.gradients: list[WrittenGradient] = []
        self._names = NodeNames()
        self._functions: dict[int, tuple[str, Graph]] = {}
        self._unwritten: list[tuple[str, Graph]] = []
        self._effects = Effects()
        self._handle_types = _HandleTypes()
        self._ops: dict[str, Op] = {}

    def name_of(self, graph: Graph) -> str:
        """Returns the name of a function's graph in the file; the function will be written."""
        if id(graph) not in self._functions:
            self._functions[id(graph)] = (self._names.function(graph.name), graph)
            self._unwritten.append(self._functions[id(graph)])
        return self._functions[id(graph)][0]

    def write(self, main: Graph, in_order: bool = False) -> tuple[GraphDef, OpList]:
        """Returns the file's graph with all functions that were named or are called, and the signatures of all ops.

        Args:
            main: the graph.
            in_order: whether what touches state in it runs in its order; otherwise, what is asked for of it runs alone.
        """
        main = with_counters(main)
        proto = GraphDef(versions=VersionDef(producer=_PRODUCER, min_consumer=_MIN_CONSUMER))
        references: References = {}
        names, before = NodeNames(), self._effects.edges(main).before if in_order else {}
        nodes: dict[int, str] = {}
        for node in main.nodes:
            name = nodes[id(node)] = names.node(node.name)
            earlier = [nodes[id(other)] for other in before.get(id(node), ())]
            proto.node.append(self._node(node, name, references, earlier))
            for tensor in node.outputs:
                references[id(tensor)] = f"{name}:{tensor.index}" if tensor.index else name
        proto.library.CopyFrom(self._library())
        return proto, OpList(op=[encode_op(self._ops[name]) for name in sorted(self._ops)])

    def _library(self) -> FunctionDefLibrary:
        library = FunctionDefLibrary()
        while self._unwritten:
            library.function.append(self._function(*self._unwritten.pop()))
        return library

    def _function(self, name: str, graph: Graph) -> FunctionDef:
        graph = with_counters(graph)
        proto = FunctionDef()
        proto.signature.name = name
        names = NodeNames()
        references: References = {}
        for place, tensor in enumerate(graph.inputs):
            references[id(tensor)] = self._argument(proto, place, tensor, names)
        proto.attr["_input_shapes"].list.shape.extend(encode_shape(tensor.dims) for tensor in graph.inputs)

        if any(is_unreadable_function(node.op) for node in graph.nodes):
            raise SavedModelError(
                f"The function {name!r} cannot be saved again, since the file that it is from has something in it which is "
                "not understood; call it to see what."
            )
        edges = self._effects.edges(graph)
        inputs = {id(tensor.node) for tensor in graph.inputs}
        nodes: dict[int, str] = {}
        for node in graph.nodes:
            if id(node) in inputs:
                continue
            nodes[id(node)] = names.node(node.name)
            earlier = [nodes[id(other)] for other in edges.before.get(id(node), ())]
            proto.node_def.append(self._node(node, nodes[id(node)], references, earlier))
            if self._custom_gradients and isinstance(node.op.gradient_rule, GraphGradient):
                self._add_gradient(name, proto.node_def[-1], node, node.op.gradient_rule, nodes, references)
            references.update(_references(node, nodes[id(node)]))
            proto.signature.is_stateful |= node.op.stateful

        effects = [nodes[id(node)] for node in edges.must_run if id(node) in nodes]
        proto.signature.control_output.extend(effects)
        for effect in effects:
            proto.control_ret[effect] = effect
        self._outputs(proto, graph, references, effects, names)
        return proto

    def _add_gradient(
        self,
        function: str,
        proto: NodeDef,
        node: Node,
        rule: GraphGradient,
        nodes: dict[int, str],
        references: References,
    ) -> None:
        """Writes the function that is a node's own gradient."""
        captured = [
            f"{nodes.get(id(tensor.node), references[id(tensor)])}:{tensor.index}"
            for tensor in node.inputs[len(node.inputs) - rule.captured :]
        ]
        graph = gradient_graph(node, rule)
        op_type = f"CustomGradient-{len(self.gradients)}"
        proto.attr[OP_TYPE].s = op_type.encode()
        self.gradients.append(WrittenGradient(op_type, graph, captured, function, rule.positions, len(node.inputs)))
        self.name_of(graph)

    def _argument(self, proto: FunctionDef, place: int, tensor: SymbolicTensor, names: NodeNames) -> str:
        name = names.argument(tensor.node.name)
        self._add_handle_data(proto.signature.input_arg.add(name=name, type=encode_dtype(tensor.dtype)), tensor)
        proto.arg_attr[place].attr["_user_specified_name"].s = tensor.node.name.encode()
        return name

    def _add_handle_data(self, arg: OpDef.ArgDef, tensor: SymbolicTensor) -> None:
        """Says of a handle what variable it refers to, as far as that is known."""
        dtype = self._handle_types.of(tensor.node.graph).get(id(tensor)) if tensor.dtype is tf.resource else None
        if dtype is not None:
            shape = encode_shape(tensor.handle_dims)
            arg.handle_data.append(ResourceHandleProto.DtypeAndShape(dtype=encode_dtype(dtype), shape=shape))

    def _outputs(
        self, proto: FunctionDef, graph: Graph, references: References, effects: list[str], names: NodeNames
    ) -> None:
        """Adds an Identity for each output: it may be an argument, or given twice, and waits for the effects."""
        waits: list[str] = []
        if effects and graph.outputs:
            barrier = self._proto(get_op("NoOp"), names.node("NoOp"))
            barrier.input.extend(f"^{effect}" for effect in effects)
            proto.node_def.append(barrier)
            waits = [f"^{barrier.name}"]
        for tensor in graph.outputs:
            node = self._proto(get_op("Identity"), names.node("Identity"))
            node.input.extend([references[id(tensor)], *waits])
            node.attr["T"].type = encode_dtype(tensor.dtype)
            proto.node_def.append(node)
            output = proto.signature.output_arg.add(name=names.argument(node.name), type=encode_dtype(tensor.dtype))
            self._add_handle_data(output, tensor)
            proto.ret[output.name] = f"{node.name}:output:0"

    def _proto(self, op: Op, name: str) -> NodeDef:
        self._ops[op.name] = op
        return NodeDef(name=name, op=op.name)

    def _node(self, node: Node, name: str, references: References, earlier: list[str] | None = None) -> NodeDef:
        schema = node.op.schema
        proto = self._proto(node.op, name)
        proto.input.extend(references[id(tensor)] for tensor in node.inputs)
        proto.input.extend(f"^{other}" for other in earlier or ())
        for key, value in schema.bindings([tensor.dtype for tensor in node.inputs], node.attrs).items():
            if value is not None:
                proto.attr[key].CopyFrom(_determined(value))
        calls_functions = False
        for attr, value in zip(schema.attrs, node.attrs, strict=True):
            calls_functions |= attr.kind == "func"
            if value is not None and not _is_default(attr, value):
                proto.attr[attr.name].CopyFrom(encode_attr(value, attr.kind, attr.is_list, self.name_of))
        if calls_functions:  # which TensorFlow's shape rules do not look into
            proto.attr["_output_shapes"].list.shape.extend(encode_shape(tensor.dims) for tensor in node.outputs)
        return proto


def _determined(value: Any) -> AttrValue:
    """The message of an attribute that the inputs determine: a count, a dtype or a list of dtypes."""
    if isinstance(value, int):
        return AttrValue(i=value)
    if isinstance(value, tuple):
        return AttrValue(list=AttrValue.ListValue(type=[encode_dtype(dtype) for dtype in value]))
    return AttrValue(type=encode_dtype(value))


def _is_default(attr: Any, value: Any) -> bool:
    """Whether readers fill the value in by themselves; older ones may not know a newer attribute's name."""
    if attr.required or attr.default is None or attr.kind in ("tensor", "func"):
        return False
    if attr.is_list:
        return value == tuple(attr.default)
    return value == (tf.TensorShape(attr.default) if attr.kind == "shape" else attr.default)


def _references(node: Node, name: str) -> References:
    """How the nodes of a function name a node's outputs: by output, and by number in it."""
    return {
        id(tensor): f"{name}:{output}:{number}"
        for tensor, (output, number) in zip(node.outputs, output_places(node.op, node), strict=True)
    }


def output_places(op: Op, node: Node) -> list[tuple[str, int]]:
    """Returns, for each output tensor of a node, the name of the output it belongs to and its number in that."""
    if len(node.outputs) == len(op.schema.outputs):
        return list(_single_places(op))
    bound = op.schema.bindings([tensor.dtype for tensor in node.inputs], node.attrs)
    grouped = op.schema.group_outputs(node.outputs, bound, node.attrs)
    return [
        (output.name, number)
        for output, group in zip(op.schema.outputs, grouped, strict=True)
        for number in range(len(group) if isinstance(group, list) else 1)
    ]


@functools.cache
def _single_places(op: Op) -> tuple[tuple[str, int], ...]:
    return tuple((output.name, 0) for output in op.schema.outputs)


class _HandleTypes:
    """Finds the dtypes of the variables that handles refer to: those that the nodes which take the handles say."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Graph, dict[int, tf.DType]]] = {}

    def of(self, graph: Graph) -> dict[int, tf.DType]:
        """Returns the dtypes by the ids of the handles, for a graph's inputs among others."""
        if id(graph) not in self._known:
            found: dict[int, tf.DType] = {}
            self._known[id(graph)] = graph, found  # a recursive call finds what was found so far
            for node in graph.nodes:
                handles = [tensor for tensor in node.inputs if tensor.dtype is tf.resource]
                if handles:
                    self._add_uses(node, handles, found)
        return self._known[id(graph)][1]

    def _add_uses(self, node: Node, handles: list[SymbolicTensor], found: dict[int, tf.DType]) -> None:
        schema = node.op.schema
        if "dtype" in schema.attr_index:
            found.update((id(tensor), node.get_attr("dtype")) for tensor in handles)
        elif "dtype" in schema.type_vars:
            bound = schema.bindings([tensor.dtype for tensor in node.inputs], node.attrs)
            found.update((id(tensor), bound["dtype"]) for tensor in handles)
        for attr in schema.attrs:
            if attr.kind == "func":
                functions: Any = node.get_attr(attr.name)
                for function in functions if attr.is_list else (functions,):
                    inside = self.of(function)
                    # The function takes the node's last inputs: of If and Case, the first says which function.
                    for given, taken in zip(reversed(node.inputs), reversed(function.inputs), strict=False):
                        if id(taken) in inside:
                            found[id(given)] = inside[id(taken)]
