"""Plans: a graph made ready to run node by node, with kernels bound once and buffers given back as soon as they are dead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine.binding import Bound, home
from modtf.core.engine.execution import explain
from modtf.core.engine.graphs import Graph, Node
from modtf.core.engine.passes import optimize
from modtf.core.values.tensors import SymbolicTensor

_FRESH = frozenset({"BatchMatMulV2", "BiasAdd", "Conv2D", "DepthwiseConv2dNative", "FusedBatchNormV3", "MatMul"})
"""Ops that always give newly made arrays, besides those that are one NumPy function."""


class Plan:
    """A graph as a list of steps over numbered slots. Any number of threads may call it at once.

    Args:
        graph: The graph; the passes run over it first.
        backend: Whose kernels shall compute.
    """

    def __init__(self, graph: Graph, backend: Backend) -> None:
        self.graph = optimize(graph)
        self.backend = backend
        self._slots: dict[int, int] = {}
        self._homes: list[Backend] = []
        self._start: list[Any] = []
        self._steps: list[tuple[Callable[..., Any], tuple[int, ...], Any, tuple[int, ...], Node]] = []
        for tensor in self.graph.inputs:
            self._slot(tensor, home(backend, tensor.dtype))
        self._input_count = len(self.graph.inputs)
        inputs = {id(tensor) for tensor in self.graph.inputs}
        uses = self._count_uses()
        for node in self.graph.nodes:
            if node.outputs and id(node.outputs[0]) in inputs:
                continue
            if node.op.name == "Const":
                self._start[self._slot(node.outputs[0], NUMPY)] = node["value"]
            else:
                self._add_step(node, uses)
        self._outputs = tuple(self._moved(tensor, home(backend, tensor.dtype), None) for tensor in self.graph.outputs)
        self._free_dead_slots()

    def _slot(self, tensor: SymbolicTensor, place: Backend) -> int:
        self._slots[id(tensor)] = len(self._start)
        self._homes.append(place)
        self._start.append(None)
        return len(self._start) - 1

    def _count_uses(self) -> dict[int, int]:
        uses: dict[int, int] = {}
        for tensor in [*(tensor for node in self.graph.nodes for tensor in node.inputs), *self.graph.outputs]:
            uses[id(tensor)] = uses.get(id(tensor), 0) + 1
        return uses

    def _moved(self, tensor: SymbolicTensor, place: Backend, node: Node | None) -> int:
        """The slot with the tensor's value as an array of `place`, moved there by a step if it is elsewhere."""
        slot = self._slots[id(tensor)]
        source = self._homes[slot]
        if source is place:
            return slot
        if self._start[slot] is not None:  # a constant
            moved = len(self._start)
            self._homes.append(place)
            self._start.append(place.from_numpy(self._start[slot]))
            return moved
        moved = len(self._start)
        self._homes.append(place)
        self._start.append(None)
        self._steps.append(
            (lambda array: place.from_numpy(source.to_numpy(array)), (slot,), moved, (), node or tensor.node)
        )
        return moved

    def _add_step(self, node: Node, uses: dict[int, int]) -> None:
        bound = Bound(node.op, self.backend, node.attrs, [tensor.dtype for tensor in node.inputs])
        inputs = tuple(
            self._moved(tensor, place, node) for tensor, place in zip(node.inputs, bound.placement, strict=True)
        )
        slots = [self._slot(tensor, place) for tensor, place in zip(node.outputs, bound.homes, strict=True)]
        call: Callable[..., Any]
        if bound.fell_back:
            raw_kernel = bound.call
            call = self._reusing(node, raw_kernel, uses) or raw_kernel
        else:
            call = _with_fallback(bound)
        self._steps.append((call, inputs, slots[0] if bound.single else tuple(slots), (), node))

    def _reusing(self, node: Node, kernel: Any, uses: dict[int, int]) -> Callable[..., Any] | None:
        """The kernel writing into an input's array, if that is a fresh one which nobody else will look at."""
        ufunc = getattr(np, node.op.kernel) if isinstance(node.op.kernel, str) else None
        if self.backend is not NUMPY or not isinstance(ufunc, np.ufunc) or ufunc.nout != 1:
            return None
        output = node.outputs[0]
        for position, tensor in enumerate(node.inputs):
            producer = tensor.node.op
            fresh = producer.name in _FRESH or (
                isinstance(producer.kernel, str) and isinstance(getattr(np, producer.kernel), np.ufunc)
            )
            if (
                fresh
                and uses[id(tensor)] == 1
                and tensor.dtype is output.dtype
                and output.dims
                and tensor.dims == output.dims
                and (None not in output.dims or len(node.inputs) == 1 or node.inputs[1 - position].dims == ())
            ):
                if len(node.inputs) == 1:
                    return lambda x: ufunc(x, out=x)
                if position == 0:
                    return lambda x, y: ufunc(x, y, out=x)
                return lambda x, y: ufunc(x, y, out=y)
        return None

    def _free_dead_slots(self) -> None:
        constants = {index for index, value in enumerate(self._start) if value is not None}
        kept = set(self._outputs) | constants
        for index in range(len(self._steps) - 1, -1, -1):
            call, inputs, outputs, _, node = self._steps[index]
            touched = {*inputs, *((outputs,) if isinstance(outputs, int) else outputs)}
            dead = tuple(sorted(touched - kept))
            kept |= touched
            self._steps[index] = (call, inputs, outputs, dead, node)

    def __call__(self, *arrays: Any) -> list[Any]:
        values = self._start.copy()
        values[: self._input_count] = arrays
        node = None
        try:
            with np.errstate(all="ignore"):
                for call, inputs, outputs, dead, node in self._steps:  # noqa: B007 (the handler names the node)
                    result = call(*[values[slot] for slot in inputs])
                    if outputs.__class__ is int:
                        values[outputs] = result
                    else:
                        for slot, array in zip(outputs, result, strict=True):
                            values[slot] = array
                    for slot in dead:
                        values[slot] = None
        except Exception as error:
            if node is None:
                raise
            raise explain(error, node.op, node.inputs, node.attrs, node) from error
        return [values[slot] for slot in self._outputs]


def _with_fallback(bound: Bound) -> Callable[..., Any]:
    def call(*arrays: Any) -> Any:
        try:
            return bound.call(*arrays)
        except Exception as error:
            return bound.retry(error, arrays)

    return call
