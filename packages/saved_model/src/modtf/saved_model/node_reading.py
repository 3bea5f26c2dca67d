"""NodeDefs as nodes of core's graphs: their ops, attributes, dtypes and shapes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modtf import core as tf
from modtf.core.contracts import Graph, Node, Op, SymbolicTensor, get_op

from .attributes import decode_attr, decode_shape
from .control_edges import CALL_OPS
from .errors import DataLossError, UnsupportedError
from .protos.graph_pb2 import NodeDef

if TYPE_CHECKING:
    from .graph_reading import FunctionReader

Dims = tuple[int | None, ...] | None


class NodeReader:
    """Adds nodes of a file to a graph.

    Args:
        reader: the functions and ops of the file.
        graph: what the nodes are added to.
        where: the file and the function, for errors.
    """

    def __init__(self, reader: FunctionReader, graph: Graph, where: str) -> None:
        self.reader = reader
        self.graph = graph
        self.where = where

    def interpret(self, proto: NodeDef, inputs: list[SymbolicTensor]) -> tuple[Op, tuple[Any, ...], Sequence[tf.DType]]:
        """Finds a node's op, its attributes and the dtypes that it gives; those of like nodes are the same."""
        op = self.reader.op(proto.op)
        input_dtypes = tuple([tensor.dtype for tensor in inputs])
        known, key = self.reader.interpreted, None
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

    def append(
        self,
        proto: NodeDef,
        op: Op,
        inputs: list[SymbolicTensor],
        attrs: tuple[Any, ...],
        output_dtypes: Sequence[tf.DType],
    ) -> Node:
        """Adds a node that was interpreted."""
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
        node = self.graph.append(op, inputs, attrs, output_dtypes, dims, proto.name, self.where)
        for tensor in node.outputs:
            if tensor.dtype is tf.resource:
                tensor.handle_dims = _handle_dims(node)
        return node

    def append_call(self, proto: NodeDef, inputs: list[SymbolicTensor]) -> Node:
        """Adds a node whose op is the name of a function, as old files call them."""
        function = self.reader.graph(proto.op, hints_of(inputs))
        op = get_op("StatefulPartitionedCall")
        output_dtypes = [tensor.dtype for tensor in function.outputs]
        return self.append(
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
                    lambda called: self.reader.graph(called, hints_of(inputs)),
                    f"attribute {name!r}",
                )
                if attr.kind == "tensor" and not attr.is_list:
                    self.reader.check_growth(given[name], value.tensor)
            elif not name.startswith("_") and not _is_determined(op, name) and not self._is_default(op, name, value):
                raise UnsupportedError(f"{op.name} has the attribute {name!r}, which is not known.")
        for attr in schema.attrs:
            if attr.required and attr.name not in given:  # what the op that is in the file fills in
                for saved in self.reader.op_def(op.name).attr:
                    if saved.name == attr.name and saved.HasField("default_value"):
                        what = f"attribute {attr.name!r}"
                        given[attr.name] = decode_attr(
                            saved.default_value, attr.kind, attr.is_list, self.reader.graph, what
                        )
        return schema.canonical_attrs(given)

    def _is_default(self, op: Op, name: str, value: Any) -> bool:
        return any(attr.name == name and attr.default_value == value for attr in self.reader.op_def(op.name).attr)


def hints_of(inputs: Sequence[SymbolicTensor]) -> list[Dims]:
    """The shapes of the variables that tensors are the handles of."""
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
