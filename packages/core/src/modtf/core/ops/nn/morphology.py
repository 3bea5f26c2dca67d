"""Dilation of images by a structuring function, and its gradients.

J. Serra, "Image Analysis and Mathematical Morphology", 1982: the maximum over each window of the image plus the function.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.narrow_floats import widened
from modtf.core.ops.nn.windows import Window, at_tap, counts, lay, overlay, padded, taps, whole
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_ATTRS = "strides: list(int), rates: list(int), padding: string(SAME|VALID)"
_OPERANDS = "input: T, filter: T"


def _windows(dims: Any, filter_dims: Any, strides: Any, rates: Any, padding: str) -> tuple[Window, ...]:
    if len(dims) != 4 or len(filter_dims) != 3:
        raise ValueError(f"input must have rank 4 and filter rank 3, not {list(dims)} and {list(filter_dims)}")
    for name, values in (("strides", strides), ("rates", rates)):
        if len(values) != 4 or values[0] != 1 or values[3] != 1 or min(values) < 1:
            raise ValueError(
                f"{name} must hold 4 numbers from 1 up, the first and last of them 1; it is {list(values)}"
            )
    if None not in (dims[3], filter_dims[2]) and dims[3] != filter_dims[2]:
        raise ValueError(f"input and filter must have the same depth: {dims[3]} vs {filter_dims[2]}")
    spatial = (lay(dims[axis], filter_dims[axis - 1], strides[axis], rates[axis], padding) for axis in (1, 2))
    return (whole(dims[0]), *spatial)


def _dilated_dims(input: Tensor, filter: Tensor, *, strides: Any, rates: Any, padding: str) -> Dims:
    dims, filter_dims = with_rank(input, 4, "input"), with_rank(filter, 3, "filter")
    depth = filter_dims[2] if dims[3] is None else dims[3]
    return (*counts(_windows(dims, filter_dims, strides, rates, padding)), depth)


def _raised(xp: Any, input: Any, filter: Any, windows: Any) -> Iterator[tuple[Any, Any]]:
    """For each tap, the image there plus the function, and where that is within the image."""
    around = padded(xp, input, windows)
    inside = padded(np, np.ones((1, *input.shape[1:3], 1), bool), (whole(1), *windows[1:]), False)
    for tap in taps(windows):
        here = at_tap(inside, (whole(1), *windows[1:]), tap)
        yield at_tap(around, windows, tap) + filter[tap[1], tap[2], :], xp.asarray(here)


def _lowest(xp: Any, x: Any) -> Any:
    return -xp.inf if xp.isdtype(x.dtype, "real floating") else xp.iinfo(x.dtype).min


@op(f"Dilation2D[T: real]({_OPERANDS}, *, {_ATTRS}) -> (output: T)", shape=_dilated_dims)
@widened
def dilation(xp: Any, input: Any, filter: Any, **attrs: Any) -> Any:
    windows = _windows(input.shape, filter.shape, **attrs)
    lowest = xp.asarray(_lowest(xp, input), dtype=input.dtype)
    return functools.reduce(xp.maximum, (xp.where(here, x, lowest) for x, here in _raised(xp, input, filter, windows)))


def _attrs_of(call: Any) -> dict[str, Any]:
    return dict(zip(call.op.schema.attr_index, call.attrs, strict=True))


@dilation.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    attrs = _attrs_of(call)
    return raw.Dilation2DBackpropInput(*call.inputs, dy, **attrs), raw.Dilation2DBackpropFilter(
        *call.inputs, dy, **attrs
    )


def _shares(xp: Any, input: Any, filter: Any, out_backprop: Any, windows: Any) -> Iterator[Any]:
    """For each tap, the gradients of the windows whose first maximum is there."""
    expected = (*counts(windows), input.shape[3])
    if tuple(out_backprop.shape) != tuple(expected):
        raise ValueError(f"out_backprop has incompatible size: {list(out_backprop.shape)} rather than {list(expected)}")
    raised = list(_raised(xp, input, filter, windows))
    lowest = xp.asarray(_lowest(xp, input), dtype=input.dtype)
    greatest = functools.reduce(xp.maximum, (xp.where(here, x, lowest) for x, here in raised))
    free = xp.ones(greatest.shape, dtype=xp.bool)
    for x, here in raised:
        chosen = xp.logical_and(xp.logical_and(x == greatest, here), free)
        free = xp.logical_and(free, xp.logical_not(chosen))
        yield xp.where(chosen, out_backprop, xp.zeros_like(out_backprop))


@op(
    f"Dilation2DBackpropInput[T: real]({_OPERANDS}, out_backprop: T, *, {_ATTRS}) -> (in_backprop: T)",
    shape=lambda input, *others, **attrs: input.dims,
)
@widened
def dilation_to_input(xp: Any, input: Any, filter: Any, out_backprop: Any, **attrs: Any) -> Any:
    windows = _windows(input.shape, filter.shape, **attrs)
    return overlay(xp, _shares(xp, input, filter, out_backprop, windows), windows)


@op(
    f"Dilation2DBackpropFilter[T: real]({_OPERANDS}, out_backprop: T, *, {_ATTRS}) -> (filter_backprop: T)",
    shape=lambda input, filter, *others, **attrs: filter.dims,
)
@widened
def dilation_to_filter(xp: Any, input: Any, filter: Any, out_backprop: Any, **attrs: Any) -> Any:
    windows = _windows(input.shape, filter.shape, **attrs)
    shares = _shares(xp, input, filter, out_backprop, windows)
    return xp.reshape(xp.stack([xp.sum(part, axis=(0, 1, 2), dtype=part.dtype) for part in shares]), filter.shape)
