"""Programs: graphs as the JAX backend runs them, part after part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from modtf.backend_jax.compiling import CompiledPart
from modtf.backend_jax.interpreting import Uncompilable
from modtf.backend_jax.splitting import Part, is_resource, root, split
from modtf.core.contracts import ArrayBackend, Graph, Node


class _Stage(NamedTuple):
    """A part ready to run; tensors are named by their ids."""

    run: Callable[..., Sequence[Any]]
    level: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    origins: dict[int, Node]


class Program:
    """A graph ready to be called. Any number of threads may call it at once.

    What XLA cannot compile is found out while a part is traced. The graph is then split anew, with that node on the
    host, and the call goes on where it was: a part that could not be traced has done nothing.

    Args:
        graph: The graph, its calls inlined and its constants folded.
        backend: The JAX backend.
    """

    def __init__(self, graph: Graph, backend: ArrayBackend) -> None:
        self._graph = graph
        self._backend = backend
        self._inputs = [id(tensor) for tensor in graph.inputs]
        self._outputs = [id(root(tensor)) for tensor in graph.outputs]
        self._handles = [position for position, tensor in enumerate(graph.inputs) if is_resource(tensor)]
        self._hosted: dict[Node, int] = {}
        self._stages = self._staged(self._hosted)
        self._step_by_step: Callable[..., Sequence[Any]] | None = None

    def _staged(self, hosted: dict[Node, int]) -> list[_Stage]:
        return [self._stage(part, hosted) for part in split(self._graph, self._backend, hosted)]

    def _stage(self, part: Part, hosted: dict[Node, int]) -> _Stage:
        run: Callable[..., Sequence[Any]]
        if part.is_compiled:
            inside = {node: 0 for node in part.graph.nodes if part.origins.get(id(node)) in hosted}
            run = CompiledPart(part.graph, self._backend, inside)
        else:
            run = ArrayBackend.compile(self._backend, part.graph)
        inputs, outputs = (tuple(id(tensor) for tensor in tensors) for tensors in (part.inputs, part.outputs))
        return _Stage(run, part.level, inputs, outputs, part.origins)

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        handles = self._handles
        if len(handles) > 1 and len({id(arrays[position]) for position in handles}) < len(handles):
            return self._run_step_by_step(arrays)
        stages = self._stages
        if len(stages) == 1 and stages[0].run.__class__ is CompiledPart:
            try:
                return stages[0].run(*arrays)
            except Uncompilable:
                pass
        return self._run_stages(arrays)

    def _run_step_by_step(self, arrays: Sequence[Any]) -> Sequence[Any]:
        """For one variable passed as two: what each reads and writes cannot be told apart beforehand."""
        if self._step_by_step is None:
            self._step_by_step = ArrayBackend.compile(self._backend, self._graph)
        return self._step_by_step(*arrays)

    def _run_stages(self, arrays: Sequence[Any]) -> Sequence[Any]:
        stages, hosted = self._stages, self._hosted
        values = dict(zip(self._inputs, arrays, strict=True))
        done = 0
        while done < len(stages):
            stage = stages[done]
            try:
                results = stage.run(*[values[key] for key in stage.inputs])
            except Uncompilable as error:  # what has run stays as it was
                node, level = stage.origins[id(error.node)], stage.level + 1 if done else 0
                if hosted.get(node, -1) >= level:
                    raise error.__cause__ or error from None
                hosted = {**hosted, node: level}
                stages = [*stages[:done], *self._staged(hosted)[done:]]
                continue
            values.update(zip(stage.outputs, results, strict=True))
            done += 1
        if stages is not self._stages:  # it went well: the failure was not the inputs'
            self._stages, self._hosted = stages, hosted
        return [values[key] for key in self._outputs]
