"""Compiled parts: graphs without host ops as one XLA computation, which takes and gives the variables they use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modtf.backend_jax.interpreting import Interpreter, Uncompilable
from modtf.backend_jax.lists import StackedList, dense
from modtf.backend_jax.nested import assigns, dtype_of_variable
from modtf.backend_jax.scopes import exact_products, strongly_typed, with_64_bits
from modtf.backend_jax.splitting import is_resource
from modtf.core.contracts import ArrayBackend, EagerTensor, Graph, Node, Resource, SymbolicTensor

_LITERAL_SIZE = 1 << 10
"""Constants with more elements are passed to XLA rather than written into its program."""
_DONATED_SIZE = 1 << 14
"""Variables with so many elements are updated in place, where nobody else holds their value."""


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
        self._interpreter = Interpreter(graph, backend, hosted)
        large = {key: value for key, value in self._interpreter.constants.items() if value.size > _LITERAL_SIZE}
        self._passed_constants = list(large)
        self._constants = [backend.from_numpy(value) for value in large.values()]
        inputs = graph.inputs
        # What is only handed on, or not used at all, may be anything.
        self._arrays = [
            position for position, tensor in enumerate(inputs) if not is_resource(tensor) and self._nodes_with(tensor)
        ]
        self._variables = [position for position, tensor in enumerate(inputs) if is_resource(tensor)]
        self._uses = {position: self._nodes_with(inputs[position]) for position in self._variables}
        self._assigned = [
            position for position, nodes in self._uses.items() if any(assigns(node, inputs[position]) for node in nodes)
        ]
        self._donated = [position for position in self._assigned if self._is_donated(position)]
        self._copied = [position for position in self._assigned if position not in self._donated]
        self._only_read = [
            position for position in self._variables if self._uses[position] and position not in self._assigned
        ]
        self._computed, self._forwarded = self._sort_outputs()
        self._lists = [position for position in self._arrays if inputs[position].dtype.name == "variant"]
        self._is_plain = len(self._arrays) == len(inputs) and not (self._forwarded or self._constants or self._lists)
        self._compiled = jax.jit(exact_products(self._trace), donate_argnums=tuple(range(len(self._donated))))

    # --------------------------------------------------------------------------------------------- once

    def _nodes_with(self, tensor: SymbolicTensor) -> list[Node]:
        steps = self._interpreter.steps
        return [step.node for step in steps if any(item is tensor for item in step.node.inputs)]

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
            with with_64_bits():
                arrays = [
                    self._list(position, values[position]) if position in self._lists else values[position]
                    for position in self._arrays
                ]
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

    def _list(self, position: int, value: Any) -> StackedList:
        """A list of tensors as compiled parts have them."""
        try:
            return StackedList.of(value, self._backend)
        except NotImplementedError:
            raise Uncompilable(self._nodes_with(self._graph.inputs[position])[0]) from None

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
        given = iter(arrays)
        values: list[Any] = [None] * len(self._graph.inputs)
        for position in (*self._donated, *self._arrays, *self._copied, *self._only_read):
            array = next(given)
            values[position] = array if position not in self._uses else self._stand_in(position, array)
        device = self._interpreter.run(values, dict(zip(self._passed_constants, given, strict=True)))
        assigned = [values[position].value for position in self._assigned]
        return [
            *(dense(strongly_typed(device[id(tensor)])) for tensor in self._computed),
            *(None if value is None else value.array for value in assigned),
        ]

    def _stand_in(self, position: int, array: Any) -> Resource:
        """A resource for the kernels of state ops to read and assign while tracing."""
        handle = self._graph.inputs[position]
        dtype = dtype_of_variable(self._uses[position], handle)
        value = None if array is None else EagerTensor(array, dtype, self._backend)
        return Resource(handle.node.name, dtype, handle.handle_dims, value)


_copies = jax.jit(lambda arrays: [None if array is None else jnp.copy(array) for array in arrays])
