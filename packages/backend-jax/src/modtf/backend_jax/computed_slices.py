"""Slices whose place is computed on the device: an element of an axis by the counter of a loop, for one.

Core's kernels take the bounds of slices from the host, since sizes follow from them. Where all sizes are known without the
bounds, XLA takes the bounds as they come. It moves a place that is out of range to the nearest that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from modtf.core.contracts import Node, SymbolicTensor

_BOUNDS = {"Slice": (1, 2), "StridedSlice": (1, 2, 3), "StridedSliceGrad": (0, 1, 2, 3)}
"""The inputs that core's kernels take from the host."""


def is_computed(node: Node, is_known: Callable[[SymbolicTensor], bool]) -> bool:
    """Whether a node is a slice with bounds that are not known while tracing, and XLA can take it."""
    if node.op.name not in _BOUNDS:
        return False
    known = [is_known(node.inputs[position]) for position in _BOUNDS[node.op.name]]
    if all(known):
        return False
    if node.op.name == "Slice":
        return known[1]
    *_, strides = known
    shape_known = node.op.name == "StridedSlice" or known[0]
    return strides and shape_known and _takes_elements_and_whole_axes(node)


def _takes_elements_and_whole_axes(node: Node) -> bool:
    dims = node.inputs[1].dims
    if not dims or dims[0] is None:
        return False
    whole = node["begin_mask"] & node["end_mask"]
    special = node["shrink_axis_mask"] | node["ellipsis_mask"] | node["new_axis_mask"]
    return all((whole | special) >> position & 1 for position in range(dims[0]))


def kernel(node: Node) -> Callable[..., Any]:
    """The node's kernel: it takes the bounds as they come, and all else as core's does."""
    if node.op.name == "Slice":
        return _slice
    layout = _Layout(node)
    return layout.put if node.op.name == "StridedSliceGrad" else layout.take


def _slice(x: Any, begin: Any, size: np.ndarray) -> Any:
    sizes = size.tolist()
    if any(not 0 <= wanted <= length for wanted, length in zip(sizes, x.shape, strict=True)):
        raise NotImplementedError("Sizes up to the end of an axis from a place that is computed.")
    return lax.dynamic_slice(x, [begin[axis] for axis in range(x.ndim)], sizes)


class _Layout:
    """What the positions of `begin` mean: an element of an axis, a whole axis, a new one, or the rest of the axes."""

    def __init__(self, node: Node) -> None:
        dims = node.inputs[1].dims
        assert dims is not None and dims[0] is not None
        self._count = dims[0]
        self._elements, self._rest, self._new = (
            node[name] for name in ("shrink_axis_mask", "ellipsis_mask", "new_axis_mask")
        )

    def _axes(self, rank: int) -> list[tuple[str, int]]:
        """For each axis of the input and each new one, in order, what it is and the position that says so."""
        named = [p for p in range(self._count) if not (self._rest | self._new) >> p & 1]
        rest = [("whole", -1)] * (rank - len(named))
        axes: list[tuple[str, int]] = []
        for position in range(self._count):
            if self._rest >> position & 1:
                axes, rest = [*axes, *rest], []
            elif self._new >> position & 1:
                axes.append(("new", position))
            else:
                axes.append(("element" if self._elements >> position & 1 else "whole", position))
        return [*axes, *rest]

    def _start(self, axes: Sequence[tuple[str, int]], dims: Sequence[int], begin: Any) -> list[Any]:
        """Where the slice begins, along each axis of the input."""
        start: list[Any] = []
        for kind, position in axes:
            if kind == "element":
                index = begin[position]
                start.append(jnp.where(index < 0, index + dims[len(start)], index))
            elif kind == "whole":
                start.append(jnp.asarray(0, begin.dtype))
        return start

    def _check(self, strides: np.ndarray, axes: Sequence[tuple[str, int]]) -> None:
        if any(strides[position] != 1 for kind, position in axes if position >= 0 and kind != "new"):
            raise NotImplementedError("Strides other than 1, from a place that is computed.")

    def take(self, x: Any, begin: Any, end: Any, strides: np.ndarray) -> Any:
        axes = self._axes(x.ndim)
        self._check(strides, axes)
        of_input = [kind for kind, _ in axes if kind != "new"]
        sizes = [1 if kind == "element" else length for kind, length in zip(of_input, x.shape, strict=True)]
        taken = lax.dynamic_slice(x, self._start(axes, x.shape, jnp.asarray(begin)), sizes)
        lengths = iter(sizes)
        dims = [(1 if kind == "new" else next(lengths), kind) for kind, _ in axes]
        return taken.reshape([length for length, kind in dims if kind != "element"])

    def put(self, shape: np.ndarray, begin: Any, end: Any, strides: np.ndarray, dy: Any) -> Any:
        dims = shape.tolist()
        axes = self._axes(len(dims))
        self._check(strides, axes)
        of_input = [kind for kind, _ in axes if kind != "new"]
        sizes = [1 if kind == "element" else length for kind, length in zip(of_input, dims, strict=True)]
        return lax.dynamic_update_slice(
            jnp.zeros(dims, dy.dtype), dy.reshape(sizes), self._start(axes, dims, jnp.asarray(begin))
        )
