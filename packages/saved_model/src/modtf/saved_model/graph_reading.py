"""FunctionDefs as core's graphs."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from modtf import core as tf
from modtf.core.contracts import Graph, Node, Op, SymbolicTensor, get_op

from .attributes import decode_attr, decode_dtype, decode_shape
from .control_edges import CALL_OPS
from .errors import DataLossError, SavedModelError, UnsupportedError
from .graph_writing import output_places
from .op_defs import make_unknown_op, unreadable_function
from .protos.graph_pb2 import FunctionDef, GraphDef, NodeDef, OpDef, OpList
from .saved_gradients import OP_TYPE, SavedGradients

Dims = tuple[int | None, ...] | None

_MAX_DEPTH = 100
"""How deep functions may call each other."""


class FunctionReader:
    """Makes graphs of the functions in a file, each when it is first asked for.

    Args:
        graph_def: the file's graph, whose library holds the functions.
        op_list: the signatures of the ops that the file uses, for those that core does not have.
        path: the file, for errors.
        gradients: the gradients that nodes have of their own.

    Raises:
        DataLossError: two functions have the same name.
    """

    def __init__(
        self, graph_def: GraphDef, op_list: OpList, path: str, gradients: SavedGradients | None = None
    ) -> None:
        self.gradients = gradients
        self._path = path
        self._functions = {proto.signature.name: proto for proto in graph_def.library.function}
        if len(self._functions) != len(graph_def.library.function):
            raise DataLossError(f"{path}: two functions have the same name.")
        self._op_defs = {proto.name: proto for proto in op_list.op}
        self.interpreted: dict[Any, tuple[Op, tuple[Any, ...], Sequence[tf.DType]]] = {}
        """What nodes were found to be, by op, dtypes of the inputs, and attributes as they stand in the file."""
        self._ops: dict[str, Op] = {}
        self._graphs: dict[str, Graph] = {}
        self._active: list[str] = []
        self._lock = threading.RLock()

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def graph(self, name: str, handle_dims: Sequence[Dims] = ()) -> Graph:
        """Returns the graph of a function. If it uses what is not read here, it fails when it runs.

        Args:
            name: its name in the file.
            handle_dims: for its last inputs, as far as they are variables, the variables' shapes, where the file does
                not say them.

        Raises:
            DataLossError: the function is missing, calls itself, or contradicts itself.
        """
        with self._lock:
            if name not in self._graphs:
                if name not in self._functions:
                    raise DataLossError(f"{self._path}: there is no function {name!r}.")
                if name in self._active or len(self._active) >= _MAX_DEPTH:
                    calls = " calls ".join([*self._active[-8:], name])
                    raise DataLossError(f"{self._path}: functions call each other in a circle, or too deep: {calls}.")
                self._active.append(name)
                try:
                    self._graphs[name] = self._read(self._functions[name], handle_dims)
                finally:
                    self._active.pop()
            return self._graphs[name]

    def _read(self, proto: FunctionDef, handle_dims: Sequence[Dims]) -> Graph:
        try:
            return _FunctionBody(self, proto, self._path).read(handle_dims)
        except UnsupportedError as error:  # it may never be called: it fails when it is
            return _FunctionBody(self, proto, self._path).read_as_unreadable(str(error))

    def unknown_ops(self, names: Iterable[str]) -> dict[str, int]:
        """Returns how often the given functions, and those that they call, use each op that core does not have."""
        counts: Counter[str] = Counter()
        left, seen = list(names), set(names)
        while left:
            proto = self._functions.get(left.pop())
            for node in proto.node_def if proto is not None else ():
                counts[node.op] += 1
                called = {node.op} & self._functions.keys()
                for attr in node.attr.values():
                    called.update(function.name for function in (attr.func, *attr.list.func) if function.name)
                left.extend(called - seen)
                seen |= called
        return {op: count for op, count in sorted(counts.items()) if op not in self._functions and not _is_known(op)}

    def op(self, name: str) -> Op:
        """Returns core's op of that name, or one with the signature in the file which fails when it is executed.

        Raises:
            UnsupportedError: core does not have it, and the file does not give its signature.
        """
        if name not in self._ops:
            if _is_known(name):
                self._ops[name] = get_op(name)
            else:
                reason = (
                    f"The op {name!r} is not in modtf's vocabulary. A plugin can add it: register it with "
                    "modtf.core.contracts.op in a hook `modtf_ops` under the entry-point group 'modtf.plugins'."
                )
                if name not in self._op_defs:
                    raise UnsupportedError(reason)
                self._ops[name] = make_unknown_op(self._op_defs[name], reason)
        return self._ops[name]

    def op_def(self, name: str) -> OpDef:
        """Returns the signature in the file; an empty one if there is none."""
        return self._op_defs.get(name) or OpDef()


def _is_known(op: str) -> bool:
    try:
        get_op(op)
    except tf.errors.NotFoundError:
        return False
    return True


class _FunctionBody:
    """One function while its graph is made."""

    def __init__(self, reader: FunctionReader, proto: FunctionDef, path: str) -> None:
        self._reader = reader
        self._proto = proto
        self._path = path
        self._where = f"{path}: function {proto.signature.name!r}"
        self._graph = Graph(proto.signature.name)
        self._arguments: dict[str, SymbolicTensor] = {}
        self._nodes: dict[str, Node | None] = {}
        self._places: dict[str, dict[tuple[str, int], SymbolicTensor]] = {}

    def read(self, handle_dims: Sequence[Dims]) -> Graph:
        self._add_arguments(handle_dims)
        for node in self._in_order():
            try:
                self._add(node)
            except SavedModelError as error:
                if str(error).startswith(self._path):  # it says already where it happened
                    raise
                raise type(error)(f"{self._where}: node {node.name!r}: {error}") from None
        for output in self._proto.signature.output_arg:
            if output.name not in self._proto.ret:
                raise DataLossError(f"{self._where}: says nothing of its output {output.name!r}.")
            tensor = self._tensor(self._proto.ret[output.name])
            if tensor.dtype.as_datatype_enum != output.type:
                raise DataLossError(
                    f"{self._where}: the output {output.name!r} is of DataType {output.type}, but {tensor.dtype.name} is given."
                )
            self._graph.outputs.append(tensor)
        return self._graph

    def read_as_unreadable(self, reason: str) -> Graph:
        """Returns a graph that takes and gives what the function does, and fails when it runs."""
        self._add_arguments(())
        op = unreadable_function(reason)
        output_dtypes = [decode_dtype(output.type) for output in self._proto.signature.output_arg]
        dims: list[Dims] = [None] * len(output_dtypes)
        node = self._graph.append(op, self._graph.inputs, (tuple(output_dtypes),), output_dtypes, dims)
        self._graph.outputs.extend(node.outputs)
        return self._graph

    def _add_arguments(self, handle_dims: Sequence[Dims]) -> None:
        args = self._proto.signature.input_arg
        missing = len(args) - len(handle_dims)
        for place, arg in enumerate(args):
            hint = handle_dims[place - missing] if place >= missing else None
            if arg.name in self._arguments:
                raise DataLossError(f"{self._where}: two arguments have the name {arg.name!r}.")
            if arg.number_attr or arg.type_list_attr or arg.type_attr:
                raise UnsupportedError(f"{self._where}: the argument {arg.name!r} is of a type that an attribute says.")
            tensor = self._graph.add_input(decode_dtype(arg.type), self._argument_shape(place), arg.name)
            tensor.handle_dims = decode_shape(arg.handle_data[0].shape, self._where).dims if arg.handle_data else hint
            self._arguments[arg.name] = tensor

    def _argument_shape(self, place: int) -> tf.TensorShape:
        shapes = self._proto.attr["_input_shapes"].list.shape if "_input_shapes" in self._proto.attr else ()
        if place >= len(shapes) and place in self._proto.arg_attr:
            attr = self._proto.arg_attr[place].attr
            shapes, place = (attr["_output_shapes"].list.shape if "_output_shapes" in attr else ()), 0
        return decode_shape(shapes[place], self._where) if place < len(shapes) else tf.TensorShape(None)

    def _in_order(self) -> list[NodeDef]:
        """The nodes so that each comes after what it takes and what it waits for, close to the order in the file."""
        protos = {node.name: node for node in self._proto.node_def}
        if len(protos) != len(self._proto.node_def) or protos.keys() & self._arguments.keys():
            raise DataLossError(f"{self._where}: two of its nodes or arguments have the same name.")
        ordered: list[NodeDef] = []
        done: dict[str, bool] = dict.fromkeys(self._arguments, True)  # False while what the node needs is visited
        for start in self._proto.node_def:
            path = [start.name]
            while path:
                name = path[-1]
                if done.get(name):
                    path.pop()
                    continue
                proto = protos.get(name)
                if proto is None:
                    raise DataLossError(
                        f"{self._where}: node {path[-2]!r} takes the output of {name!r}, which is not there."
                    )
                inputs = [*proto.input, *self._captured_by_gradient(proto)]
                needed = [source for source in map(_source, inputs) if not done.get(source)]
                if not needed:
                    done[name] = True
                    ordered.append(proto)
                    path.pop()
                elif name in done:
                    raise DataLossError(f"{self._where}: node {name!r} depends on its own output.")
                else:
                    done[name] = False
                    path.extend(reversed(needed))
        return ordered

    def _add(self, proto: NodeDef) -> None:
        if proto.op == "NoOp":  # the order of the nodes says what it says
            self._nodes[proto.name] = None
            return
        inputs = [self._tensor(reference) for reference in proto.input if not reference.startswith("^")]
        if proto.op in self._reader:
            self._append_call(proto, inputs)
            return
        op, attrs, output_dtypes = self._interpret(proto, inputs)
        gradients, op_type = self._reader.gradients, _gradient_of(proto)
        if gradients is not None and op_type and op.name == "IdentityN":
            function = self._proto.signature.name
            found = gradients.op(op_type, function, inputs, self._tensor_by_index, self._reader.graph)
            if found is not None:
                op, inputs = found
                output_dtypes = [tensor.dtype for tensor in inputs]
        self._append(proto, op, inputs, attrs, output_dtypes)

    def _captured_by_gradient(self, proto: NodeDef) -> list[str]:
        gradients, op_type = self._reader.gradients, _gradient_of(proto)
        return (
            gradients.captured_names(op_type, self._proto.signature.name) if gradients is not None and op_type else []
        )

    def _tensor_by_index(self, reference: str) -> SymbolicTensor:
        """The tensor that a graph names by its node and its number among the node's outputs."""
        name, _, index = reference.partition(":")
        if name in self._arguments:
            return self._arguments[name]
        node = self._nodes.get(name)
        if node is None or not index.isdecimal() or int(index) >= len(node.outputs):
            raise DataLossError(f"{self._where}: a gradient takes {reference!r}, which is no tensor of the function.")
        return node.outputs[int(index)]

    def _interpret(
        self, proto: NodeDef, inputs: list[SymbolicTensor]
    ) -> tuple[Op, tuple[Any, ...], Sequence[tf.DType]]:
        """Finds a node's op, its attributes and the dtypes that it gives; those of like nodes are the same."""
        op = self._reader.op(proto.op)
        input_dtypes = tuple([tensor.dtype for tensor in inputs])
        known, key = self._reader.interpreted, None
        if op.cacheable:
            key = (
                proto.op,
                input_dtypes,
                tuple([(name, value.SerializeToString()) for name, value in proto.attr.items()]),
            )
            if key in known:
                return known[key]
        try:
            attrs = self._attrs(op, proto, inputs)
            output_dtypes = op.schema.output_dtypes(op.schema.bindings(input_dtypes, attrs), attrs)
        except (TypeError, ValueError, tf.errors.OpError) as error:
            raise UnsupportedError(f"The op {proto.op!r} is used in a way that is not known: {error}") from None
        if key is not None:
            known[key] = op, attrs, output_dtypes
        return op, attrs, output_dtypes

    def _append(
        self,
        proto: NodeDef,
        op: Op,
        inputs: list[SymbolicTensor],
        attrs: tuple[Any, ...],
        output_dtypes: Sequence[tf.DType],
    ) -> None:
        try:
            keywords = dict(zip(op.schema.attr_index, attrs, strict=True))
            shapes = op.shape_rule(*op.schema.group(inputs, attrs), **keywords)
        except (TypeError, ValueError) as error:
            raise DataLossError(f"its op {op.name} cannot take what it is given: {error}") from None
        if op.name in CALL_OPS:
            _check_call(attrs[op.schema.attr_index["f"]], inputs, output_dtypes)
        many = shapes if isinstance(shapes, list) else [shapes] * len(output_dtypes)
        dims = [tf.TensorShape(shape).dims for shape in many]
        if "_output_shapes" in proto.attr and any(shape is None or None in shape for shape in dims):
            saved = [decode_shape(shape) for shape in proto.attr["_output_shapes"].list.shape]
            dims = [_merged(ours, theirs) for ours, theirs in zip(dims, [*saved, *dims[len(saved) :]], strict=False)]
        node = self._graph.append(op, inputs, attrs, output_dtypes, dims, proto.name, self._where)
        for tensor in node.outputs:
            if tensor.dtype is tf.resource:
                tensor.handle_dims = _handle_dims(node)
        self._nodes[proto.name] = node

    def _append_call(self, proto: NodeDef, inputs: list[SymbolicTensor]) -> None:
        """Adds a node whose op is the name of a function, as old files call them."""
        function = self._reader.graph(proto.op, _hints(inputs))
        op = get_op("StatefulPartitionedCall")
        output_dtypes = [tensor.dtype for tensor in function.outputs]
        self._append(
            proto, op, inputs, op.schema.canonical_attrs({"Tout": output_dtypes, "f": function}), output_dtypes
        )

    def _attrs(self, op: Op, proto: NodeDef, inputs: list[SymbolicTensor]) -> tuple[Any, ...]:
        schema = op.schema
        given: dict[str, Any] = {}
        for name, value in proto.attr.items():
            place = schema.attr_index.get(name)
            if place is not None:
                attr = schema.attrs[place]
                given[name] = decode_attr(
                    value,
                    attr.kind,
                    attr.is_list,
                    lambda called: self._reader.graph(called, _hints(inputs)),
                    f"attribute {name!r}",
                )
            elif not name.startswith("_") and not _is_determined(op, name) and not self._is_default(op, name, value):
                raise UnsupportedError(f"{op.name} has the attribute {name!r}, which is not known.")
        for attr in schema.attrs:
            if attr.required and attr.name not in given:  # what the op that is in the file fills in
                for saved in self._reader.op_def(op.name).attr:
                    if saved.name == attr.name and saved.HasField("default_value"):
                        what = f"attribute {attr.name!r}"
                        given[attr.name] = decode_attr(
                            saved.default_value, attr.kind, attr.is_list, self._reader.graph, what
                        )
        return schema.canonical_attrs(given)

    def _is_default(self, op: Op, name: str, value: Any) -> bool:
        return any(attr.name == name and attr.default_value == value for attr in self._reader.op_def(op.name).attr)

    def _tensor(self, reference: str) -> SymbolicTensor:
        parts = reference.split(":")
        if len(parts) == 1 and reference in self._arguments:
            return self._arguments[reference]
        node = self._nodes.get(parts[0])
        if node is None or len(parts) != 3 or not parts[2].isdecimal():
            raise DataLossError(f"{self._where}: {reference!r} is no tensor of the function.")
        if parts[0] not in self._places:
            self._places[parts[0]] = dict(zip(output_places(node.op, node), node.outputs, strict=True))
        tensor = self._places[parts[0]].get((parts[1], int(parts[2])))
        if tensor is None:
            raise DataLossError(f"{self._where}: {reference!r} is no output of that node, whose op is {node.type}.")
        return tensor


def _gradient_of(proto: NodeDef) -> str:
    """What a node calls its own gradient, if it has one."""
    return proto.attr[OP_TYPE].s.decode("utf-8", "replace") if OP_TYPE in proto.attr else ""


def _source(reference: str) -> str:
    """The node or argument that an input names."""
    return reference.removeprefix("^").partition(":")[0]


def _hints(inputs: Sequence[SymbolicTensor]) -> list[Dims]:
    return [tensor.handle_dims for tensor in inputs]


def _check_call(function: Graph, inputs: Sequence[SymbolicTensor], output_dtypes: Sequence[tf.DType]) -> None:
    """Raises DataLossError unless the function takes and gives what the node does."""
    for what, inside, outside in (
        ("takes", [tensor.dtype for tensor in function.inputs], [tensor.dtype for tensor in inputs]),
        ("gives", [tensor.dtype for tensor in function.outputs], list(output_dtypes)),
    ):
        if inside != outside:
            raise DataLossError(
                f"the function {function.name!r} {what} {[dtype.name for dtype in inside]}, "
                f"not {[dtype.name for dtype in outside]}."
            )


def _merged(ours: Dims, theirs: Any) -> Dims:
    shape = tf.TensorShape(ours)
    return shape.merge_with(theirs).dims if shape.is_compatible_with(theirs) else ours


def _handle_dims(node: Node) -> Dims:
    """The shape of the variable that a node gives the handle of."""
    if "shape" in node.op.schema.attr_index:
        return tf.TensorShape(node.get_attr("shape")).dims
    return node.inputs[0].handle_dims if node.type == "Identity" else None


@functools.lru_cache(maxsize=4096)
def _is_determined(op: Op, name: str) -> bool:
    """Whether the inputs determine an attribute."""
    return name in op.schema.type_vars or any(arg.number == name for arg in op.schema.inputs)
