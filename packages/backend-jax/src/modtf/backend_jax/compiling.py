"""Compiled parts: graphs without host ops as one XLA computation, which takes and gives the variables they use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from modtf.backend_jax.scopes import exact_products, strongly_typed, with_64_bits
from modtf.backend_jax.splitting import Nature, is_resource, known_value
from modtf.core.contracts import (
    ArrayBackend,
    Bound,
    EagerTensor,
    Graph,
    Node,
    Resource,
    SymbolicTensor,
    explain,
    get_backend,
)  # fmt: skip

_LITERAL_SIZE = 1 << 10
"""Constants with more elements are passed to XLA rather than written into its program."""
_DONATED_SIZE = 1 << 14
"""Variables with so many elements are updated in place, where nobody else holds their value."""


class Uncompilable(Exception):
    """A node cannot be traced by JAX, or perhaps has inputs that no backend would take.

    Attributes:
        node: The node.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(f"{node.name} ({node.op.name})")
        self.node = node


class _Step(NamedTuple):
    """One computation while tracing. Values known by then are kept on the host as NumPy arrays, others as JAX's.

    Attributes:
        node: The node.
        call: From the inputs to the outputs.
        on_host: For each input, whether it is taken from the host.
        to_host: Whether the outputs are known, and to be kept as NumPy arrays.
        to_device: Whether the outputs are needed as JAX arrays.
    """

    node: Node
    call: Callable[..., Any]
    on_host: Sequence[bool]
    to_host: bool
    to_device: bool


class CompiledPart:
    """A graph, ready to be called with an array, or a `Resource`, for each input.

    Args:
        graph: A graph whose nodes are all fixed or compilable (see `splitting`).
        backend: The JAX backend.
        hosted: Fixed nodes that NumPy shall compute (the levels do not matter).
    """

    def __init__(self, graph: Graph, backend: ArrayBackend, hosted: Mapping[Node, int]) -> None:
        self._graph = graph
        self._backend = backend
        self._nature = Nature(graph, backend, hosted)
        self._constants: list[jax.Array] = []
        self._passed_constants: list[int] = []
        self._literals: list[tuple[int, np.ndarray]] = []
        self._steps = self._plan()
        inputs = graph.inputs
        self._arrays = [position for position, tensor in enumerate(inputs) if not is_resource(tensor)]
        self._variables = [position for position, tensor in enumerate(inputs) if is_resource(tensor)]
        self._uses = {position: self._nodes_with(inputs[position]) for position in self._variables}
        self._assigned = [
            position for position, nodes in self._uses.items() if not all(node.op.prunable for node in nodes)
        ]
        self._donated = [position for position in self._assigned if self._is_donated(position)]
        self._copied = [position for position in self._assigned if position not in self._donated]
        self._only_read = [position for position in self._variables if position not in self._assigned]
        self._computed, self._forwarded = self._sort_outputs()
        self._is_plain = not (self._variables or self._forwarded or self._constants)
        self._compiled = jax.jit(exact_products(self._trace), donate_argnums=tuple(range(len(self._donated))))

    # --------------------------------------------------------------------------------------------- once

    def _plan(self) -> list[_Step]:
        """The steps of a trace, found backwards: each value is made in the places where somebody needs it."""
        nature, backend, numpy = self._nature, self._backend, get_backend("numpy")
        host: set[int] = set()
        device = {id(tensor) for tensor in self._graph.outputs}
        steps: list[_Step] = []

        def add(node: Node, call: Callable[..., Any], on_host: Sequence[bool], to_host: bool, to_device: bool) -> None:
            for tensor, from_host in zip(node.inputs, on_host, strict=True):
                (host if from_host else device).add(id(tensor))
            steps.append(_Step(node, call, on_host, to_host, to_device))

        for node in reversed(nature.nodes):
            to_host, to_device = (
                not kept.isdisjoint([id(tensor) for tensor in node.outputs]) for kept in (host, device)
            )
            fixed, count = id(node) in nature.fixed, len(node.inputs)
            value = known_value(node)
            if value is not None:
                self._add_constant(id(node.outputs[0]), value, to_device)
            elif node.op.host_outputs:
                add(node, _kernel(node, backend), [False] * count, True, to_device)
            elif fixed and nature.runs_on_host(node):
                add(node, _kernel(node, numpy), [True] * count, True, to_device)
            else:
                if to_device or not fixed:
                    add(node, _kernel(node, backend), nature.taken_from_host(node), False, True)
                if to_host:
                    add(node, _kernel(node, numpy), [True] * count, True, False)
        return steps[::-1]

    def _add_constant(self, key: int, value: np.ndarray, to_device: bool) -> None:
        if to_device and value.size > _LITERAL_SIZE:
            self._passed_constants.append(key)
            self._constants.append(self._backend.from_numpy(value))
        self._literals.append((key, value))

    def _nodes_with(self, tensor: SymbolicTensor) -> list[Node]:
        return [step.node for step in self._steps if any(item is tensor for item in step.node.inputs)]

    def _is_donated(self, position: int) -> bool:
        """Whether an assigned variable is large, and read before it is assigned."""
        dims = self._graph.inputs[position].handle_dims
        size = math.prod(dim or 0 for dim in dims or (0,))  # nothing, where unknown
        return size >= _DONATED_SIZE and self._uses[position][0].op.name != "AssignVariableOp"

    def _sort_outputs(self) -> tuple[list[SymbolicTensor], dict[int, tuple[int, bool]]]:
        """Returns the outputs that XLA computes, and those that are inputs, or variables only read here.

        The latter are handed on as they are: for each, by its place among the outputs, the input's position and
        whether it is that variable's value.
        """
        inputs = {id(tensor): position for position, tensor in enumerate(self._graph.inputs)}
        computed: list[SymbolicTensor] = []
        forwarded: dict[int, tuple[int, bool]] = {}
        for index, tensor in enumerate(self._graph.outputs):
            is_read = tensor.node.op.name == "ReadVariableOp"
            position = inputs.get(id(tensor.node.inputs[0] if is_read else tensor))
            if position is None or (is_read and position in self._assigned):
                computed.append(tensor)
            else:
                forwarded[index] = position, is_read
        return computed, forwarded

    # --------------------------------------------------------------------------------------------- each call

    def __call__(self, *values: Any) -> Sequence[Any]:
        """Returns an array for each output; what was assigned is in the variables then."""
        if self._is_plain:
            with with_64_bits():
                return self._compiled(*values)
        # Reading may wait for another call that assigns the variable, so it comes before anybody has to wait for this one;
        # the locks are taken in one order, whoever calls.
        read = [self._read(position, values[position]) for position in self._only_read]
        locked = sorted([values[position] for position in self._assigned], key=id)
        for resource in locked:
            resource.lock.acquire()
        try:
            donated = self._take(values)
            copied = [self._read(position, values[position]) for position in self._copied]
            arrays = [values[position] for position in self._arrays]
            with with_64_bits():
                results = self._compiled(*donated, *arrays, *copied, *read, *self._constants)
            count = len(self._computed)
            for position, array in zip(self._assigned, results[count:], strict=True):
                if array is not None:
                    values[position].assign(array, self._backend, shared=position not in self._donated)
        finally:
            for resource in locked:
                resource.lock.release()
        if not self._forwarded:
            return results[:count]
        computed, value_of = iter(results), dict(zip(self._only_read, read, strict=True))
        outputs = []
        for index in range(len(self._graph.outputs)):
            if index in self._forwarded:
                position, is_value = self._forwarded[index]
                outputs.append(value_of[position] if is_value else values[position])
            else:
                outputs.append(next(computed))
        return outputs

    def _read(self, position: int, resource: Resource) -> Any:
        """The variable's array, `None` if it has no value yet."""
        array = None if resource.value is None else resource.read(self._backend)
        if array.__class__ is np.ndarray:  # of a dtype that JAX does not have: its ops are the host's
            raise Uncompilable(self._uses[position][0])
        return array

    def _take(self, values: Sequence[Any]) -> list[Any]:
        """The arrays of the variables to be overwritten; copies of those that others may hold."""
        taken = [values[position].take(self._backend) for position in self._donated]
        held = [index for index, array in enumerate(taken) if array is None]
        if held:
            positions = [self._donated[index] for index in held]
            read = [self._read(position, values[position]) for position in positions]
            with with_64_bits():
                copies = _copies(read)
            for index, copy in zip(held, copies, strict=True):
                taken[index] = copy
        return taken

    # --------------------------------------------------------------------------------------------- tracing

    def _trace(self, *arrays: Any) -> list[Any]:
        """Interprets the graph on JAX's tracers: the function that XLA compiles."""
        inputs, given = self._graph.inputs, iter(arrays)
        device: dict[int, Any] = {}
        for position in (*self._donated, *self._arrays, *self._copied, *self._only_read):
            array = next(given)
            device[id(inputs[position])] = array if position not in self._uses else self._stand_in(position, array)
        host = dict(self._literals)
        device.update(self._literals)
        device.update(zip(self._passed_constants, given, strict=True))
        with np.errstate(all="ignore"):
            for step in self._steps:
                sources = zip(step.node.inputs, step.on_host, strict=True)
                results = self._call(step, [(host if on_host else device)[id(tensor)] for tensor, on_host in sources])
                for tensor, result in zip(step.node.outputs, results, strict=True):
                    if step.to_host:
                        host[id(tensor)] = np.asarray(result, tensor.dtype.np_dtype)
                    if step.to_device:
                        device[id(tensor)] = strongly_typed(result)
        values = [device[id(inputs[position])].value for position in self._assigned]
        return [
            *(strongly_typed(device[id(tensor)]) for tensor in self._computed),
            *(None if value is None else value.array for value in values),
        ]

    def _stand_in(self, position: int, array: Any) -> Resource:
        """A resource for the kernels of state ops to read and assign while tracing."""
        handle, dtype = self._graph.inputs[position], _dtype_of_variable(self._uses[position])
        value = None if array is None else EagerTensor(array, dtype, self._backend)
        return Resource(handle.node.name, dtype, handle.handle_dims, value)

    def _call(self, step: _Step, arrays: Sequence[Any]) -> Sequence[Any]:
        node = step.node
        try:
            result = step.call(*arrays)
        except Exception as error:
            if not step.to_host and isinstance(error, self._backend.unsupported_errors):
                raise Uncompilable(node) from error
            raise explain(error, node.op, node.inputs, node.attrs, node) from error
        return result if isinstance(result, (list, tuple)) else [result]


def _kernel(node: Node, backend: Any) -> Callable[..., Any]:
    """The node's kernel, looked up when it is called, so that a missing function is found where it is needed."""
    if backend.name == "numpy":
        return Bound(node.op, backend, node.attrs, [tensor.dtype for tensor in node.inputs]).call
    return lambda *arrays: node.op.native_kernel(backend, node.attrs)(*arrays)


def _dtype_of_variable(uses: Sequence[Node]) -> Any:
    """A variable's dtype, from the ops that read or assign it; `None` if they only ask about it."""
    for node in uses:
        if "dtype" in node.op.schema.attr_index:
            return node["dtype"]
        for tensor in node.inputs:
            if not is_resource(tensor):
                return tensor.dtype
    return None


_copies = jax.jit(lambda arrays: [None if array is None else jnp.copy(array) for array in arrays])
