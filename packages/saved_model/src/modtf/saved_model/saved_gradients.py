"""Custom gradients in a file: functions beside those that they are the gradients of.

A node with a gradient of its own is an `IdentityN` with the attribute `_gradient_op_type`. The library says which function
belongs to that name. The function takes a gradient for each output of the node, and gives one for each input, or none.
What else it needs are tensors of the function that the node is in, which objects of the kind `captured_tensor` name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from modtf import core as tf
from modtf.core.contracts import Graph, GraphGradient, Node, Op, SymbolicTensor, call_graph, get_op

from .errors import DataLossError, UnsupportedError
from .protos.saved_model_pb2 import MetaGraphDef
from .structures import decode_structure, encode_structure

OP_TYPE = "_gradient_op_type"


class WrittenGradient(NamedTuple):
    """A gradient function to write.

    Attributes:
        op_type: the name that the node and the library call it by.
        graph: the function.
        captured: the names of the tensors that it takes besides, in the function that the node is in.
        function: the name of that function.
        positions: of which of the node's inputs it gives gradients.
        inputs: how many inputs the node has.
    """

    op_type: str
    graph: Graph
    captured: list[str]
    function: str
    positions: tuple[int, ...]
    inputs: int


def gradient_graph(node: Node, rule: GraphGradient) -> Graph:
    """Returns the function to write: one that takes a gradient for every output of the node."""
    made = Graph("__inference_internal_grad_fn")
    flowing = []
    for tensor in node.outputs:
        is_handle = tensor.dtype is tf.resource
        dtype, dims = (tf.float32, tensor.handle_dims) if is_handle else (tensor.dtype, tensor.dims)
        flowing.append(made.add_input(dtype, dims, "result_grads"))
    captured = made.inputs_like(node.inputs[len(node.inputs) - rule.captured :], "captured")
    with made.as_default():
        made.outputs = list(call_graph(rule.graph, [*flowing[: rule.results], *captured]))
    return made


def describe(meta_graph: MetaGraphDef, gradient: WrittenGradient, name: str) -> None:
    """Adds to the file which function the gradient is, by its name in the file, and what it captured."""
    objects = meta_graph.object_graph_def
    meta_graph.graph_def.library.registered_gradients.add(gradient_func=name, registered_op_type=gradient.op_type)
    specs = [tf.TensorSpec(item.shape, item.dtype, "result_grads") for item in gradient.graph.inputs[: gradient.inputs]]
    outputs: list[Any] = [None] * gradient.inputs
    for position, tensor in zip(gradient.positions, gradient.graph.outputs, strict=True):
        outputs[position] = tf.TensorSpec(tensor.shape, tensor.dtype)
    saved = objects.concrete_functions[name]
    saved.canonicalized_input_signature.CopyFrom(encode_structure(((None, *specs), {}), name))
    saved.output_signature.CopyFrom(encode_structure(outputs, name))
    for captured in gradient.captured:
        saved.bound_inputs.append(len(objects.nodes))
        node = objects.nodes.add()
        node.captured_tensor.name, node.captured_tensor.concrete_function = captured, gradient.function


class SavedGradients:
    """The gradient functions of a file.

    Args:
        meta_graph: the file's model.
        constant: gives the constant of an object of the file by its number.
        path: the file, for errors.
    """

    def __init__(self, meta_graph: MetaGraphDef, constant: Callable[[int], Any], path: str) -> None:
        library = meta_graph.graph_def.library
        self._names = {item.registered_op_type: item.gradient_func for item in library.registered_gradients}
        self._functions = {item.signature.name: item for item in library.function}
        self._objects = meta_graph.object_graph_def
        self._constant = constant
        self._path = path

    def captured_names(self, op_type: str, function: str) -> list[str]:
        """Returns the tensors that a gradient takes of the function that its node is in, as graphs name them."""
        return [item for item in self._captured(op_type, function) if isinstance(item, str)]

    def op(
        self,
        op_type: str,
        function: str,
        inputs: list[SymbolicTensor],
        tensor: Callable[[str], SymbolicTensor],
        graph_of: Callable[[str], Graph],
    ) -> tuple[Op, list[SymbolicTensor]] | None:
        """Returns the op of a node with a gradient of its own, and its inputs with those that the gradient takes.

        Args:
            op_type: what the node calls its gradient.
            function: the function that the node is in.
            inputs: the node's inputs.
            tensor: gives a tensor of the function by its name.
            graph_of: gives the graph of a function by its name.

        Returns:
            None if the file has no such gradient.

        Raises:
            DataLossError: the gradient function does not fit the node.
        """
        if op_type not in self._names:
            return None
        name, identity = self._names[op_type], get_op("IdentityN")
        found = self._captured(op_type, function)
        missing = [item for item in found if item is None]
        if missing:
            return identity.with_gradient(_unavailable(f"{self._path}: function {function!r}")), inputs
        graph = graph_of(name)
        outputs = decode_structure(self._objects.concrete_functions[name].output_signature, f"{self._path}: {name!r}")
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        positions = [place for place, item in enumerate(outputs) if item is not None]
        takes, gives = (len(inputs) + len(found), len(positions)), (len(graph.inputs), len(graph.outputs))
        if takes != gives or len(outputs) > len(inputs):
            raise DataLossError(
                f"{self._path}: the gradient function {name!r} takes {len(graph.inputs)} tensors and gives "
                f"{len(graph.outputs)}, which does not fit a node with {len(inputs)} inputs in {function!r}."
            )
        captured = [tensor(item) for item in found if isinstance(item, str)]
        rule = GraphGradient(_with_constants(graph, len(inputs), found), len(inputs), positions, len(captured))
        return identity.with_gradient(rule), [*inputs, *captured]

    def _captured(self, op_type: str, function: str) -> list[Any]:
        """What a gradient takes: the names of tensors, constants, and None for what is not to be had."""
        name = self._names.get(op_type, "")
        if name not in self._objects.concrete_functions:
            return []
        bound = list(self._objects.concrete_functions[function].bound_inputs) if self._has(function) else []
        arguments = [arg.name for arg in self._functions[function].signature.input_arg]
        names = dict(zip(bound, arguments[len(arguments) - len(bound) :], strict=False))
        present = {*arguments, *(node.name for node in self._functions[function].node_def)}
        found: list[Any] = []
        for number in self._objects.concrete_functions[name].bound_inputs:
            node = self._objects.nodes[number]
            kind = node.WhichOneof("kind")
            if kind == "captured_tensor":
                captured = node.captured_tensor.name  # a function made of the one it is in may name tensors otherwise
                found.append(captured if captured.partition(":")[0] in present else None)
            elif number in names:
                found.append(f"{names[number]}:0")
            else:
                found.append(self._constant(number) if kind == "constant" else None)
        return found

    def _has(self, function: str) -> bool:
        return function in self._objects.concrete_functions


def _with_constants(graph: Graph, count: int, captured: list[Any]) -> Graph:
    """A gradient function that does not take the constants among what is captured."""
    if all(isinstance(item, str) for item in captured):
        return graph
    made = Graph(graph.name)
    flowing = made.inputs_like(graph.inputs[:count], "result_grads")
    inputs = [
        made.inputs_like([tensor], "captured")[0]
        if isinstance(item, str)
        else made.constant(np.asarray(item), item.dtype)
        for item, tensor in zip(captured, graph.inputs[count:], strict=True)
    ]
    with made.as_default():
        made.outputs = list(call_graph(graph, [*flowing, *inputs]))
    return made


def _unavailable(where: str) -> Callable[..., Any]:
    def rule(call: Any, *flowing: Any) -> Any:
        raise UnsupportedError(f"{where}: has a custom gradient that uses what the function does not have.")

    return rule
