"""Graphs: the ops that a traced function consists of, in program order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine.execution import explain, note
from modtf.core.engine.sources import user_line
from modtf.core.engine.vocabulary import Call, Op, get_op
from modtf.core.values import dtypes
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import DtypeMismatchError
from modtf.core.values.resources import handle_dims
from modtf.core.values.shapes import Dims, TensorShape, as_dims
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor

_EMBEDDED_SIZE = 128
"""Integer tensors from outside with at most so many elements become constants of the graph (shapes and axes)."""


checked_outputs: Callable[[Node], Sequence[Tensor]] | None = None
"""What to take for a traced node's outputs, if not those themselves; `tf.debugging.enable_check_numerics` sets it."""


class Node(Call):
    """An op in a graph.

    Attributes:
        name: Its name, unique in the graph.
        graph: The graph it is in.
        control_inputs: Nodes that must run before it though it takes none of their outputs.
        source: The user's file and line where it was made, `"file.py:12"`.
    """

    __slots__ = ("__weakref__", "control_inputs", "graph", "name", "source")

    def __init__(
        self,
        graph: Graph,
        name: str,
        op: Op,
        inputs: Sequence[SymbolicTensor],
        attrs: tuple[Any, ...],
        output_dtypes: Sequence[DType],
        output_dims: Sequence[Dims],
        source: str = "",
    ) -> None:
        outputs = [
            SymbolicTensor(self, index, dtype, dims)
            for index, (dtype, dims) in enumerate(zip(output_dtypes, output_dims, strict=True))
        ]
        super().__init__(op, tuple(inputs), attrs, outputs)
        self.graph = graph
        self.name = name
        self.control_inputs: list[Node] = []
        self.source = source

    @property
    def type(self) -> str:
        """The op's name."""
        return self.op.name

    def get_attr(self, name: str) -> Any:
        """Returns the value of an attribute."""
        return self[name]

    def replace(
        self,
        op: Op,
        attrs: Mapping[str, Any],
        inputs: Sequence[SymbolicTensor] = (),
        outputs: Sequence[tuple[DType, Dims]] = (),
    ) -> None:
        """Makes it a call of another op with more inputs and outputs; what takes its outputs so far goes on to.

        Args:
            op: The op.
            attrs: The attributes that change, by name.
            inputs: What is added to the inputs.
            outputs: The dtypes and shapes of what is added to the outputs.
        """
        known = dict(zip(self.op.schema.attr_index, self.attrs, strict=True))
        self.op = op
        self.attrs = op.schema.canonical_attrs({**known, **attrs})
        self.inputs = (*self.inputs, *inputs)
        first = len(self.outputs)
        made = [SymbolicTensor(self, first + index, dtype, dims) for index, (dtype, dims) in enumerate(outputs)]
        self.outputs = [*self.outputs, *made]

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.op.name}>"


class Graph:
    """The graph of one function: nodes in an order in which they can run.

    Attributes:
        name: The function's name.
        outer: The graph that was being traced when this one was begun.
        nodes: All nodes in program order; placeholders and constants too.
        inputs: The placeholders that stand for arguments, then those for captured tensors.
        captures: The outside tensors (and variable handles) that it uses, each with its placeholder.
        outputs: The tensors that the function gives.
    """

    def __init__(self, name: str, outer: Graph | None = None) -> None:
        self.name = name
        self.outer = outer
        self.nodes: list[Node] = []
        self.inputs: list[SymbolicTensor] = []
        self.outputs: list[SymbolicTensor] = []
        self._captures: dict[int, tuple[Tensor, SymbolicTensor]] = {}
        self._embedded: dict[int, tuple[Tensor, SymbolicTensor]] = {}
        self._names: dict[str, int] = {}
        self.compiled: dict[Any, Any] = {}
        """What backends made of it; see `calls`."""
        self.differentiated: Any = None
        """Its forward and backward graphs; see `calls`."""

    def __repr__(self) -> str:
        return f"<Graph {self.name!r}: {len(self.inputs)} inputs, {len(self.nodes)} nodes, {len(self.outputs)} outputs>"

    @property
    def captures(self) -> list[tuple[Tensor, SymbolicTensor]]:
        return list(self._captures.values())

    @property
    def arguments(self) -> list[SymbolicTensor]:
        """The inputs that are not captures."""
        return self.inputs[: len(self.inputs) - len(self._captures)]

    def get_operations(self) -> list[Node]:
        """Returns the nodes in program order."""
        return list(self.nodes)

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """Returns the graph as a `GraphDef`, with the functions that it calls; modtf-saved-model makes it.

        Args:
            from_version: Without effect: all nodes are given.
            add_shapes: Whether to add the shapes of the outputs to each node.

        Raises:
            AttributeError: modtf-saved-model is not installed.
        """
        from modtf.core import siblings

        return siblings.load("saved_model").to_graph_def(self, add_shapes=add_shapes)

    def as_default(self) -> Any:
        """`with graph.as_default():` traces the ops called inside into this graph."""
        return contexts.scoped(graph=self, tapes=(), scope="")

    def unique_name(self, name: str) -> str:
        """Returns `name`, with `_1`, `_2`, ... behind it if the graph has a node of that name."""
        scoped = contexts.current().scope + name if contexts.current().graph is self else name
        count = self._names.get(scoped)
        if count is None:
            self._names[scoped] = 1
            return scoped
        while f"{scoped}_{count}" in self._names:
            count += 1
        self._names[scoped] = count + 1
        self._names[f"{scoped}_{count}"] = 1
        return f"{scoped}_{count}"

    def trace(self, op: Op, inputs: Sequence[Tensor], attrs: tuple[Any, ...], name: str | None = None) -> Any:
        """Appends a node for a call of `op`; what `execute` does while a function is traced."""
        own = [self.capture(tensor) for tensor in inputs]
        try:
            bound = op.schema.bindings([tensor.dtype for tensor in own], attrs)
            output_dtypes = op.schema.output_dtypes(bound, attrs)
            shapes = op.shape_rule(*op.schema.group(own, attrs), **dict(zip(op.schema.attr_index, attrs, strict=True)))
        except DtypeMismatchError:
            raise
        except (ValueError, TypeError) as error:
            raise explain(error, op, own, attrs) from None
        output_dims = shape_list(shapes, len(output_dtypes))
        node = self.append(op, own, attrs, output_dtypes, output_dims, name, user_line())
        tapes = contexts.current().tapes
        if tapes:
            note(tapes, op, inputs, attrs, node.outputs)
        if not op.schema.outputs:
            return node
        outputs = node.outputs if checked_outputs is None else checked_outputs(node)
        single = len(op.schema.outputs) == 1 and not op.schema.is_variadic(op.schema.outputs[0])
        return outputs[0] if single else list(outputs)

    def append(
        self,
        op: Op,
        inputs: Sequence[SymbolicTensor],
        attrs: tuple[Any, ...],
        output_dtypes: Sequence[DType],
        output_dims: Sequence[Dims],
        name: str | None = None,
        source: str = "",
    ) -> Node:
        """Appends a node whose output dtypes and shapes are known."""
        node = Node(self, self.unique_name(name or op.name), op, inputs, attrs, output_dtypes, output_dims, source)
        self.nodes.append(node)
        return node

    @contextlib.contextmanager
    def before(self, node: Node) -> Iterator[None]:
        """`with graph.before(node):` traces the ops called inside into this graph, to run before a node of it."""
        count = len(self.nodes)
        with contexts.scoped(graph=self, tapes=(), scope=""):
            yield
        made = self.nodes[count:]
        del self.nodes[count:]
        index = self.nodes.index(node)
        self.nodes[index:index] = made

    def placeholder(self, dtype: DType, dims: Dims, name: str = "Placeholder") -> SymbolicTensor:
        """Appends a placeholder; it is an input once it stands in `inputs`."""
        attrs = (dtype, TensorShape(dims))
        return self.append(get_op("Placeholder"), (), attrs, (dtype,), (dims,), name).outputs[0]

    def add_input(self, dtype: DType, shape: Any, name: str) -> SymbolicTensor:
        """Appends an argument."""
        placeholder = self.placeholder(dtype, as_dims(shape), name)
        self.inputs.insert(len(self.inputs) - len(self._captures), placeholder)
        return placeholder

    def inputs_like(self, tensors: Iterable[Tensor], name: str = "args") -> list[SymbolicTensor]:
        """Appends an argument for each of several tensors, of the same dtype and shape."""
        made = []
        for tensor in tensors:
            inside = self.add_input(tensor.dtype, tensor.dims, name)
            if tensor.dtype is dtypes.resource:
                inside.handle_dims = handle_dims(tensor)
            made.append(inside)
        return made

    def constant(self, array: np.ndarray, dtype: DType, name: str = "Const") -> SymbolicTensor:
        """Appends a constant."""
        node = self.append(get_op("Const"), (), (array, dtype), (dtype,), (np.shape(array),), name)
        return node.outputs[0]

    def owns(self, tensor: Tensor) -> bool:
        return isinstance(tensor, SymbolicTensor) and tensor.node.graph is self

    def capture(self, tensor: Tensor) -> SymbolicTensor:
        """Returns the tensor of this graph that stands for `tensor`, wherever that is from.

        Raises:
            TypeError: It is a symbolic tensor of a graph that is not around this one.
        """
        if isinstance(tensor, SymbolicTensor):
            graph = tensor.node.graph
            if graph is self:
                return tensor
            if not any(graph is outer for outer in self._outer_graphs()):
                raise TypeError(
                    f"The symbolic tensor {tensor.name!r} belongs to the graph {graph.name!r} and is out of scope in "
                    f"{self.name!r}. Return it from the function that made it, or pass it as an argument."
                )
        key = id(tensor)
        known = self._captures.get(key) or self._embedded.get(key)
        if known is not None:
            return known[1]
        if (
            type(tensor) is EagerTensor  # a subclass means more than its value, as handles do
            and (tensor.dtype.is_integer or tensor.dtype.is_bool or tensor.dtype is dtypes.string)
            and np.prod(tensor.dims) <= _EMBEDDED_SIZE
        ):
            inside = self.constant(np.asarray(tensor.on(NUMPY)), tensor.dtype)
            self._embedded[key] = (tensor, inside)
            return inside
        if isinstance(tensor, SymbolicTensor) and tensor.node.op.name == "Const":
            inside = self.constant(tensor.node["value"], tensor.dtype, tensor.node.name)
            self._embedded[key] = (tensor, inside)
            return inside
        inside = self.stand_in(tensor)
        self.add_capture(tensor, inside)
        return inside

    def stand_in(self, tensor: Tensor) -> SymbolicTensor:
        """Appends a placeholder for a tensor from outside, which is no input yet."""
        inside = self.placeholder(tensor.dtype, tensor.dims, "captured")
        if isinstance(tensor, SymbolicTensor):
            inside.value_cache, inside.handle_dims = tensor.value_cache, tensor.handle_dims
        elif tensor.dtype is dtypes.resource:
            inside.handle_dims = handle_dims(tensor)
        return inside

    def close(self) -> None:
        """Makes the inputs for captured tensors ordinary inputs: whoever calls the graph gives them from now on."""
        self._captures = {}

    def add_capture(self, tensor: Tensor, placeholder: SymbolicTensor) -> None:
        """Makes `placeholder` the last input, standing for an outside tensor."""
        self._captures[id(tensor)] = (tensor, placeholder)
        self.inputs.append(placeholder)

    def _outer_graphs(self) -> Iterator[Graph]:
        graph = self.outer
        while graph is not None:
            yield graph
            graph = graph.outer


def shape_list(shapes: Any, count: int) -> list[Dims]:
    """Returns what a shape rule gave as one tuple of sizes (or `None`) for each of `count` outputs."""
    if isinstance(shapes, list):
        return [as_dims(shape) for shape in shapes]
    return [as_dims(shapes)] * count
