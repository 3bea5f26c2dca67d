"""FunctionDefs as core's graphs."""

from __future__ import annotations

import threading
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import Graph, Node, Op, SymbolicTensor, get_op

from .attributes import decode_dtype, decode_shape
from .boundary import reading
from .errors import DataLossError, SavedModelError, UnsupportedError
from .graph_writing import output_places
from .node_reading import Dims, NodeReader
from .op_defs import make_unknown_op, unreadable_function
from .protos.graph_pb2 import FunctionDef, GraphDef, NodeDef, OpDef, OpList
from .protos.tensor_pb2 import TensorProto
from .saved_gradients import OP_TYPE, SavedGradients

_MAX_DEPTH = 100
"""How deep functions may call each other."""
_SMALL = 1 << 16
_MAX_GROWTH = 1 << 28
"""How many bytes constants may take together that stand in the file as a few values which repeat."""


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
        self._growth = 0
        self._lock = threading.RLock()

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def proto(self, name: str) -> FunctionDef:
        """Returns the function as it stands in the file."""
        return self._functions[name]

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
            with reading(self._path, f"function {proto.signature.name!r}"):
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
        return {op: count for op, count in sorted(counts.items()) if op not in self._functions and not is_known(op)}

    def op(self, name: str) -> Op:
        """Returns core's op of that name, or one with the signature in the file which fails when it is executed.

        Raises:
            UnsupportedError: core does not have it, and the file does not give its signature.
        """
        if name not in self._ops:
            if is_known(name):
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

    def check_growth(self, array: np.ndarray, proto: TensorProto) -> None:
        """Counts the memory that constants take in which a few values of the file stand for many.

        Raises:
            DataLossError: it is too much, all of them together.
        """
        if array.nbytes > _SMALL and array.nbytes > 8 * proto.ByteSize() and any(array.strides):
            self._growth += array.nbytes
            if self._growth > _MAX_GROWTH:
                raise DataLossError(f"its constants, of a few values each, fill more than {_MAX_GROWTH} bytes.")

    def op_def(self, name: str) -> OpDef:
        """Returns the signature in the file; an empty one if there is none."""
        return self._op_defs.get(name) or OpDef()


def warn_of_unknown_ops(path: str, unknown: Mapping[str, int], stacklevel: int) -> None:
    """Warns of ops that core does not have, if there are any.

    Args:
        path: the file that uses them.
        unknown: how often it uses each.
        stacklevel: of the warning, seen from the caller.
    """
    if unknown:
        names = ", ".join(f"{name} ({count}x)" if count > 1 else name for name, count in unknown.items())
        warnings.warn(
            f"{path} uses ops that modtf does not have: {names}. Functions that come to one of them will fail; all others "
            "run. A plugin can add ops: see modtf.core.contracts.op and the entry-point group 'modtf.plugins'.",
            stacklevel=stacklevel + 1,
        )


def is_known(op: str) -> bool:
    """Whether core has an op."""
    try:
        get_op(op)
    except tf.errors.NotFoundError:
        return False
    return True


class _FunctionBody(NodeReader):
    """One function while its graph is made."""

    def __init__(self, reader: FunctionReader, proto: FunctionDef, path: str) -> None:
        name = proto.signature.name
        super().__init__(reader, Graph(name), f"{path}: function {name!r}")
        self._proto = proto
        self._path = path
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
                raise type(error)(f"{self.where}: node {node.name!r}: {error}") from None
        for output in self._proto.signature.output_arg:
            if output.name not in self._proto.ret:
                raise DataLossError(f"{self.where}: says nothing of its output {output.name!r}.")
            tensor = self._tensor(self._proto.ret[output.name])
            if tensor.dtype.as_datatype_enum != output.type:
                raise DataLossError(
                    f"{self.where}: the output {output.name!r} is of DataType {output.type}, but {tensor.dtype.name} is given."
                )
            self.graph.outputs.append(tensor)
        return self.graph

    def read_as_unreadable(self, reason: str) -> Graph:
        """Returns a graph that takes and gives what the function does, and fails when it runs."""
        self._add_arguments(())
        op = unreadable_function(reason)
        output_dtypes = [decode_dtype(output.type) for output in self._proto.signature.output_arg]
        dims: list[Dims] = [None] * len(output_dtypes)
        node = self.graph.append(op, self.graph.inputs, (tuple(output_dtypes),), output_dtypes, dims)
        self.graph.outputs.extend(node.outputs)
        return self.graph

    def _add_arguments(self, handle_dims: Sequence[Dims]) -> None:
        args = self._proto.signature.input_arg
        missing = len(args) - len(handle_dims)
        for place, arg in enumerate(args):
            hint = handle_dims[place - missing] if place >= missing else None
            if arg.name in self._arguments:
                raise DataLossError(f"{self.where}: two arguments have the name {arg.name!r}.")
            if arg.number_attr or arg.type_list_attr or arg.type_attr:
                raise UnsupportedError(f"{self.where}: the argument {arg.name!r} is of a type that an attribute says.")
            tensor = self.graph.add_input(decode_dtype(arg.type), self._argument_shape(place), arg.name)
            tensor.handle_dims = decode_shape(arg.handle_data[0].shape, self.where).dims if arg.handle_data else hint
            self._arguments[arg.name] = tensor

    def _argument_shape(self, place: int) -> tf.TensorShape:
        shapes = self._proto.attr["_input_shapes"].list.shape if "_input_shapes" in self._proto.attr else ()
        if place >= len(shapes) and place in self._proto.arg_attr:
            attr = self._proto.arg_attr[place].attr
            shapes, place = (attr["_output_shapes"].list.shape if "_output_shapes" in attr else ()), 0
        return decode_shape(shapes[place], self.where) if place < len(shapes) else tf.TensorShape(None)

    def _in_order(self) -> list[NodeDef]:
        """The nodes so that each comes after what it takes and what it waits for, close to the order in the file."""
        protos = {node.name: node for node in self._proto.node_def}
        if len(protos) != len(self._proto.node_def) or protos.keys() & self._arguments.keys():
            raise DataLossError(f"{self.where}: two of its nodes or arguments have the same name.")
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
                        f"{self.where}: node {path[-2]!r} takes the output of {name!r}, which is not there."
                    )
                inputs = [*proto.input, *self._captured_by_gradient(proto)]
                needed = [source for source in map(_source, inputs) if not done.get(source)]
                if not needed:
                    done[name] = True
                    ordered.append(proto)
                    path.pop()
                elif name in done:
                    raise DataLossError(f"{self.where}: node {name!r} depends on its own output.")
                else:
                    done[name] = False
                    path.extend(reversed(needed))
        return ordered

    def _add(self, proto: NodeDef) -> None:
        if proto.op == "NoOp":  # the order of the nodes says what it says
            self._nodes[proto.name] = None
            return
        inputs = [self._tensor(reference) for reference in proto.input if not reference.startswith("^")]
        if proto.op in self.reader:
            node = self._nodes[proto.name] = self.append_call(proto, inputs)
            names = [(output.name, 0) for output in self.reader.proto(proto.op).signature.output_arg]
            self._places[proto.name] = dict(zip(names, node.outputs, strict=True))
            return
        op, attrs, output_dtypes = self.interpret(proto, inputs)
        gradients, op_type = self.reader.gradients, _gradient_of(proto)
        if gradients is not None and op_type and op.name == "IdentityN":
            function = self._proto.signature.name
            found = gradients.op(op_type, function, inputs, self._tensor_by_index, self.reader.graph)
            if found is not None:
                op, inputs = found
                output_dtypes = [tensor.dtype for tensor in inputs]
        self._nodes[proto.name] = self.append(proto, op, inputs, attrs, output_dtypes)

    def _captured_by_gradient(self, proto: NodeDef) -> list[str]:
        gradients, op_type = self.reader.gradients, _gradient_of(proto)
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
            raise DataLossError(f"{self.where}: a gradient takes {reference!r}, which is no tensor of the function.")
        return node.outputs[int(index)]

    def _tensor(self, reference: str) -> SymbolicTensor:
        parts = reference.split(":")
        if len(parts) == 1 and reference in self._arguments:
            return self._arguments[reference]
        node = self._nodes.get(parts[0])
        if node is None or len(parts) != 3 or not parts[2].isdecimal():
            raise DataLossError(f"{self.where}: {reference!r} is no tensor of the function.")
        if parts[0] not in self._places:
            self._places[parts[0]] = dict(zip(output_places(node.op, node), node.outputs, strict=True))
        tensor = self._places[parts[0]].get((parts[1], int(parts[2])))
        if tensor is None:
            raise DataLossError(f"{self.where}: {reference!r} is no output of that node, whose op is {node.type}.")
        return tensor


def _gradient_of(proto: NodeDef) -> str:
    """What a node calls its own gradient, if it has one."""
    return proto.attr[OP_TYPE].s.decode("utf-8", "replace") if OP_TYPE in proto.attr else ""


def _source(reference: str) -> str:
    """The node or argument that an input names."""
    return reference.removeprefix("^").partition(":")[0]
