"""Loops and conditionals inside compiled parts, as `lax.while_loop`, `lax.cond` and `lax.switch`.

Variables that a graph inside assigns go in and out as values; a graph that is known to get a certain value (a shape, say)
is interpreted with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from modtf.backend_jax.interpreting import Interpreter
from modtf.backend_jax.lists import StackedList, dense
from modtf.backend_jax.nested import assigns, optimized, users
from modtf.backend_jax.scopes import strongly_typed
from modtf.backend_jax.splitting import root
from modtf.core.contracts import ArrayBackend, EagerTensor, Graph, Resource, SymbolicTensor, copy_node

Outcome = tuple[list[Any], list[Any]]
"""What a graph gives: its outputs, and the new values of the variables it assigns."""


class _Inner:
    """A graph inside a node, to be interpreted with the node's inputs.

    Args:
        graph: The graph.
        backend: The JAX backend.
        given: The inputs: tracers, arrays, lists, `Resource`s; NumPy arrays where the value is known.
    """

    def __init__(self, graph: Graph, backend: ArrayBackend, given: Sequence[Any], known: Sequence[bool]) -> None:
        graph = optimized(graph)
        values = {index: given[index] for index in range(len(given)) if known[index]}
        self.graph = _with_known(graph, values)
        self._interpreter = Interpreter(self.graph, backend, {})
        self._backend = backend

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """The outputs; resources among the values are assigned."""
        device = self._interpreter.run(values)
        return [dense(strongly_typed(device[id(root(tensor))])) for tensor in self.graph.outputs]

    def assigned(self) -> set[int]:
        """The positions of the variables that it assigns."""
        inputs = enumerate(self.graph.inputs)
        return {
            index
            for index, tensor in inputs
            if tensor.dtype.name == "resource" and any(assigns(node, tensor) for node, _ in users(self.graph, tensor))
        }


def _with_known(graph: Graph, values: dict[int, np.ndarray]) -> Graph:
    """The graph with constants where it would take inputs whose values are known (which stay, unused)."""
    if not values:
        return graph
    key = ("known", tuple((index, value.dtype.str, value.shape, value.tobytes()) for index, value in values.items()))
    found = graph.compiled.get(key)
    if found is None:
        found = Graph(graph.name)
        env: dict[int, SymbolicTensor] = {}
        for index, tensor in enumerate(graph.inputs):
            inside = found.add_input(tensor.dtype, tensor.dims, tensor.node.name)
            inside.handle_dims = tensor.handle_dims
            env[id(tensor)] = (
                found.constant(np.asarray(values[index], tensor.dtype.np_dtype), tensor.dtype)
                if index in values
                else inside
            )
        for node in graph.nodes:
            if node.outputs and id(node.outputs[0]) in env:
                continue
            made = copy_node(found, node, [env[id(tensor)] for tensor in node.inputs])
            env.update((id(old), new) for old, new in zip(node.outputs, made, strict=True))
        found.outputs = [env[id(tensor)] for tensor in graph.outputs]
        graph.compiled[key] = found = optimized(found)
    return found


def _stand_in(resource: Resource, array: Any, backend: ArrayBackend) -> Resource:
    value = EagerTensor(array, resource.dtype, backend)
    return Resource(resource.name, resource.dtype, resource.dims, value)


class _Operands:
    """A node's inputs, sorted into what JAX passes on and what is only referred to.

    Args:
        given: The inputs.
        assigned: The positions of the variables that are assigned inside.
    """

    def __init__(self, given: Sequence[Any], assigned: set[int], backend: ArrayBackend) -> None:
        self.given = list(given)
        self.assigned = sorted(assigned)
        self._backend = backend
        for index in self.assigned:
            if given[index].value is None:
                raise NotImplementedError("A variable without a value, assigned inside a loop or conditional.")

    def variables(self) -> list[Any]:
        """The current values of the variables that are assigned inside."""
        return [self.given[index].read(self._backend) for index in self.assigned]

    def with_variables(self, arrays: Sequence[Any]) -> list[Any]:
        """The inputs with variables of their own, of those values."""
        values = list(self.given)
        for index, array in zip(self.assigned, arrays, strict=True):
            values[index] = _stand_in(self.given[index], array, self._backend)
        return values

    def values_of(self, values: Sequence[Any]) -> list[Any]:
        """The variables' values after a graph has assigned them."""
        return [strongly_typed(values[index].read(self._backend)) for index in self.assigned]

    def assign(self, arrays: Sequence[Any]) -> None:
        for index, array in zip(self.assigned, arrays, strict=True):
            self.given[index].assign(array, self._backend)


def _known(given: Any) -> bool:
    return isinstance(given, (np.ndarray, np.generic)) and np.size(given) <= 1 << 10


# ------------------------------------------------------------------------------------------------- conditionals


def _is_true(condition: Any) -> Any:
    return jnp.asarray(condition.size > 0) if condition.ndim else condition.astype(bool)


def if_(backend: ArrayBackend, cond: Any, input: Sequence[Any], *, then_branch: Graph, else_branch: Graph,
        **attrs: Any) -> list[Any]:  # fmt: skip
    """The kernel of `If`."""
    chosen = jnp.where(_is_true(jnp.asarray(cond)), 1, 0)
    return _branches(backend, chosen, cond, [else_branch, then_branch], input)


def case(backend: ArrayBackend, branch_index: Any, input: Sequence[Any], *, branches: Sequence[Graph],
         **attrs: Any) -> list[Any]:  # fmt: skip
    """The kernel of `Case`."""
    index, last = jnp.asarray(branch_index), len(branches) - 1
    chosen = jnp.where((index < 0) | (index > last), last, index)
    return _branches(backend, chosen, branch_index, branches, input)


def _branches(
    backend: ArrayBackend, chosen: Any, selector: Any, graphs: Sequence[Graph], given: Sequence[Any]
) -> list[Any]:
    known = [_known(item) for item in given]
    if isinstance(selector, (np.ndarray, np.generic)):  # which branch it is is known by now
        return _Inner(graphs[int(chosen)], backend, given, known)(given)
    inner = [_Inner(graph, backend, given, known) for graph in graphs]
    operands = _Operands(given, set().union(*(item.assigned() for item in inner)), backend)

    def run(item: _Inner) -> Callable[[list[Any]], Outcome]:
        def branch(variables: list[Any]) -> Outcome:
            values = operands.with_variables(variables)
            outputs = item(values)
            return [None if isinstance(output, Resource) else output for output in outputs], operands.values_of(values)

        return branch

    variables = operands.variables()
    shapes = [jax.eval_shape(run(item), variables) for item in inner]
    fakes = [[tensor.node.op.name == "FakeParam" for tensor in item.graph.outputs] for item in inner]

    def alike(index: int) -> Callable[[list[Any]], Outcome]:
        branch = run(inner[index])

        def filled(variables: list[Any]) -> Outcome:
            outputs, after = branch(variables)
            for position, is_fake in enumerate(fakes[index]):
                if is_fake:
                    other = next((i for i in range(len(inner)) if not fakes[i][position]), index)
                    outputs[position] = jax.tree.map(
                        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes[other][0][position]
                    )
            return outputs, after

        return filled

    outputs, after = lax.switch(chosen, [alike(index) for index in range(len(inner))], variables)
    operands.assign(after)
    return outputs


# ------------------------------------------------------------------------------------------------- loops


def while_(backend: ArrayBackend, input: Sequence[Any], *, cond: Graph, body: Graph, **attrs: Any) -> list[Any]:
    """The kernel of `While`."""
    plain = optimized(body)
    kept = [plain.outputs[index] is tensor for index, tensor in enumerate(plain.inputs)]
    resources = [isinstance(item, Resource) for item in input]
    known = [_known(item) and kept[index] for index, item in enumerate(input)]
    condition, step = (_Inner(graph, backend, input, known) for graph in (cond, body))
    operands = _Operands(input, condition.assigned() | step.assigned(), backend)
    varying = [index for index in range(len(input)) if not (kept[index] or resources[index])]

    def values_with(carry: Any) -> list[Any]:
        variables, changing = carry
        values = operands.with_variables(variables)
        for index, item in zip(varying, changing, strict=True):
            values[index] = item
        return values

    def go_on(carry: Any) -> Any:
        return _is_true(jnp.asarray(condition(values_with(carry))[0]))

    def run(carry: Any) -> Any:
        values = values_with(carry)
        outputs = step(values)
        return operands.values_of(values), [outputs[index] for index in varying]

    start = (operands.variables(), [_as_carried(input[index]) for index in varying])
    start = (start[0], _settled(run, start))
    variables, changed = lax.while_loop(go_on, run, start)
    operands.assign(variables)
    results = list(input)
    for index, item in zip(varying, changed, strict=True):
        results[index] = item
    return results


def _as_carried(item: Any) -> Any:
    return dense(item) if hasattr(item, "zeros_like") else jnp.asarray(item)


def _settled(run: Callable[[Any], Any], start: Any) -> list[Any]:
    """The first values of the changing loop variables, their lists with the room that the loop will need."""
    variables, changing = start
    for _ in range(4):
        after = jax.eval_shape(run, (variables, changing))[1]
        settled = [
            _with_room(item, new) if isinstance(item, StackedList) else item
            for item, new in zip(changing, after, strict=True)
        ]
        if all(old is new for old, new in zip(changing, settled, strict=True)):
            return changing
        changing = settled
    raise NotImplementedError("A list whose rows change their shape.")


def _with_room(item: StackedList, after: StackedList) -> StackedList:
    """A list as the loop needs it, judged by what an iteration makes of it; itself if it is that already."""
    result = item
    if isinstance(item.size, int) and not (isinstance(after.size, int) and after.size == item.size):
        if item.limit < 0 and after.size > item.size:
            raise NotImplementedError("A list that grows in a loop of unknown length.")
        result = result.with_traced_size()
    if item.buffer is None and after.buffer is not None:
        room = item.limit if item.limit >= 0 else after.buffer.shape[0]
        result = result.with_room(room, after.buffer.shape[1:])
    return result
