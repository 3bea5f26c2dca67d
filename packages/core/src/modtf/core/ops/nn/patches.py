"""Patches of images and volumes, laid side by side along the channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import with_rank
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.nn.windows import Window, at_tap, counts, lay, padded, taps, whole
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def _windows(dims: Any, ksizes: Any, strides: Any, rates: Any, padding: str) -> tuple[Window, ...]:
    """How the patches lie over the batch axis (trivially) and the spatial axes."""
    rank = len(dims)
    rates = rates or (1,) * rank
    for name, values in (("ksizes", ksizes), ("strides", strides), ("rates", rates)):
        if len(values) != rank or values[0] != 1 or values[-1] != 1 or min(values) < 1:
            raise ValueError(
                f"{name} must hold {rank} numbers from 1 up, the first and last of them 1; it is {list(values)}"
            )
    spatial = zip(dims[1:-1], ksizes[1:-1], strides[1:-1], rates[1:-1], strict=True)
    return (whole(dims[0]), *(lay(size, taps_, step, rate, padding) for size, taps_, step, rate in spatial))


def _register(name: str, types: str, operand: str, rank: int, attrs: str) -> None:
    def dims_of(tensor: Tensor, *, ksizes: Any, strides: Any, rates: Any = (), padding: str) -> Dims:
        dims = with_rank(tensor, rank, operand)
        windows = _windows(dims, ksizes, strides, rates, padding)
        depth = None if dims[-1] is None else dims[-1] * int(np.prod(ksizes))
        return (*counts(windows), depth)

    def kernel(xp: Any, x: Any, *, ksizes: Any, strides: Any, rates: Any = (), padding: str) -> Any:
        if len(x.shape) != rank:
            raise ValueError(f"{operand} must be {rank}-dimensional, but its shape is {list(x.shape)}")
        windows = _windows(x.shape, ksizes, strides, rates, padding)
        x = padded(xp, x, windows)
        return xp.concat([at_tap(x, windows, tap) for tap in taps(windows)], axis=-1)

    made = register(
        Op(
            f"{name}[T: {types}]({operand}: T, *, {attrs}, padding: string(SAME|VALID)) -> (patches: T)",
            kernel=kernel,
            shape=dims_of,
        )
    )

    @made.gradient
    def _(call: Any, dy: Tensor) -> Tensor:
        # The patches of an image of its own positions, counted from 1, say where each element came from.
        x = call.inputs[0]
        attrs = dict(zip(call.op.schema.attr_index, call.attrs, strict=True))
        shape = raw.Shape(x)
        inner = shape[1:-1]
        count, (batch, depth) = raw.Prod(inner, 0), (shape[0], shape[-1])
        places = raw.Reshape(raw.Range(1, count + 1, 1), raw.ConcatV2([[1], inner, [1]], 0))
        sources = raw.Reshape(made(places, **attrs), [-1]) - 1  # -1 of padding, which is left out
        rows = raw.Reshape(dy, raw.Pack([batch, raw.Size(sources), depth]))
        total = raw.UnsortedSegmentSum(raw.Transpose(rows, [1, 0, 2]), sources, count)
        return raw.Reshape(raw.Transpose(total, [1, 0, 2]), shape)


_LISTS = "ksizes: list(int), strides: list(int)"
_register("ExtractImagePatches", "number|bool", "images", 4, f"{_LISTS}, rates: list(int)")
_register("ExtractVolumePatches", "real", "input", 5, _LISTS)
