"""Interpreting a graph on JAX's tracers: what is inside compiled parts, and inside the loops and conditionals there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.backend_jax.computed_slices import is_computed
from modtf.backend_jax.computed_slices import kernel as computed_slice
from modtf.backend_jax.nested import calls_functions
from modtf.backend_jax.scopes import inside_program, strongly_typed
from modtf.backend_jax.splitting import Nature, known_value
from modtf.core.contracts import ArrayBackend, Bound, Graph, Node, explain, get_backend


class Uncompilable(Exception):
    """A node cannot be traced by JAX, or perhaps has inputs that no backend would take.

    Attributes:
        node: The node.
    """

    def __init__(self, node: Node) -> None:
        super().__init__(f"{node.name} ({node.op.name})")
        self.node = node


class Step(NamedTuple):
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


class Interpreter:
    """A graph, ready to be interpreted.

    Args:
        graph: A graph whose nodes are all fixed or compilable (see `splitting`).
        backend: The JAX backend.
        hosted: Fixed nodes that NumPy shall compute (the levels do not matter).

    Attributes:
        steps: What there is to compute, in order.
        constants: The constants that are needed as JAX arrays, by tensor id.
    """

    def __init__(self, graph: Graph, backend: ArrayBackend, hosted: Mapping[Node, int]) -> None:
        self._graph = graph
        self._backend = backend
        self._nature = Nature(graph, backend, hosted)
        self.constants: dict[int, np.ndarray] = {}
        self._literals: dict[int, np.ndarray] = {}
        self.steps = self._plan()

    def _plan(self) -> list[Step]:
        """The steps, found backwards: each value is made in the places where somebody needs it."""
        nature, backend, numpy = self._nature, self._backend, get_backend("numpy")
        host: set[int] = set()
        device = {id(tensor) for tensor in self._graph.outputs}
        steps: list[Step] = []

        def add(node: Node, call: Callable[..., Any], on_host: Sequence[bool], to_host: bool, to_device: bool) -> None:
            for tensor, from_host in zip(node.inputs, on_host, strict=True):
                (host if from_host else device).add(id(tensor))
            steps.append(Step(node, call, on_host, to_host, to_device))

        for node in reversed(nature.nodes):
            to_host, to_device = (
                not kept.isdisjoint([id(tensor) for tensor in node.outputs]) for kept in (host, device)
            )
            fixed, count = id(node) in nature.fixed, len(node.inputs)
            value = known_value(node)
            if value is not None:
                key = id(node.outputs[0])
                self._literals[key] = value
                if to_device:
                    self.constants[key] = value
            elif node.op.host_outputs:
                add(node, _kernel(node, backend), [False] * count, True, to_device)
            elif fixed and nature.runs_on_host(node):
                add(node, _kernel(node, numpy), [True] * count, True, to_device)
            else:
                if not fixed and is_computed(node, nature.is_fixed):
                    add(node, computed_slice(node), [nature.is_fixed(tensor) for tensor in node.inputs], False, True)
                elif to_device or not fixed:
                    # What a loop or conditional is given is worth knowing: it may be a shape there.
                    known = [nature.is_fixed(tensor) for tensor in node.inputs]
                    add(node, _kernel(node, backend), known if calls_functions(node) else nature.taken_from_host(node),
                        False, True)  # fmt: skip
                if to_host:
                    add(node, _kernel(node, numpy), [True] * count, True, False)
        return steps[::-1]

    def run(self, values: Sequence[Any], constants: Mapping[int, Any] | None = None) -> dict[int, Any]:
        """Interprets the graph.

        Args:
            values: For each of the graph's inputs an array, or a `Resource` to read and assign while tracing.
            constants: The constants as JAX arrays, as far as they are to be such.

        Returns:
            What was computed, by tensor id.

        Raises:
            Uncompilable: A node cannot be traced.
        """
        host: dict[int, Any] = dict(self._literals)
        device: dict[int, Any] = {**self._literals, **(constants or {})}
        device.update((id(tensor), value) for tensor, value in zip(self._graph.inputs, values, strict=True))
        with np.errstate(all="ignore"), inside_program():
            for step in self.steps:
                node = step.node
                try:
                    arrays = [
                        (host if on_host else device)[id(tensor)]
                        for tensor, on_host in zip(node.inputs, step.on_host, strict=True)
                    ]
                except KeyError:  # the value of an input was counted on to be known by now
                    raise Uncompilable(node) from None
                for tensor, result in zip(node.outputs, self._call(step, arrays), strict=True):
                    if step.to_host:
                        host[id(tensor)] = np.asarray(result, tensor.dtype.np_dtype)
                    if step.to_device:
                        device[id(tensor)] = strongly_typed(result)
        return device

    def _call(self, step: Step, arrays: Sequence[Any]) -> Sequence[Any]:
        node = step.node
        try:
            result = step.call(*arrays)
        except Uncompilable:  # of a graph inside
            raise Uncompilable(node) from None
        except Exception as error:
            traced = not step.to_host or node.op.host_outputs
            if traced and isinstance(error, self._backend.unsupported_errors):
                raise Uncompilable(node) from error
            raise explain(error, node.op, node.inputs, node.attrs, node) from error
        return result if isinstance(result, (list, tuple)) else [result]


def _kernel(node: Node, backend: Any) -> Callable[..., Any]:
    """The node's kernel, looked up when it is called, so that a missing function is found where it is needed."""
    if backend.name == "numpy":
        return Bound(node.op, backend, node.attrs, [tensor.dtype for tensor in node.inputs]).call
    return lambda *arrays: node.op.native_kernel(backend, node.attrs)(*arrays)
