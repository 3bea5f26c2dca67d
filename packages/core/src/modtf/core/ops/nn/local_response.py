"""Normalization of each element by its neighbours along the channels.

A. Krizhevsky, I. Sutskever and G. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012, 3.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_ATTRS = "depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5"
_TYPES = "T: bfloat16|float16|float32 = float32"


def _neighbourhood(xp: Any, x: Any, radius: int) -> Any:
    """For each channel, the sum of those at most `radius` away."""
    depth = x.shape[-1]
    totals = xp.concat(
        [xp.zeros((*x.shape[:-1], 1), dtype=x.dtype), xp.cumulative_sum(x, axis=-1, dtype=x.dtype)], axis=-1
    )
    channel = np.arange(depth)
    upper, lower = np.minimum(channel + radius + 1, depth), np.maximum(channel - radius, 0)
    return xp.take(totals, xp.asarray(upper), axis=-1) - xp.take(totals, xp.asarray(lower), axis=-1)


def _check(x: Any, depth_radius: int) -> None:
    if len(x.shape) != 4:
        raise ValueError(f"in must be 4-dimensional, but its shape is {list(x.shape)}")
    if depth_radius < 0:
        raise ValueError(f"depth_radius must not be negative; it is {depth_radius}")


@op(
    f"LRN[{_TYPES}](input: T, *, {_ATTRS}) -> (output: T)",
    shape=lambda input, **attrs: with_rank(input, 4, "input"),
    quiet=True,
)
@widened
def lrn(xp: Any, input: Any, *, depth_radius: int, bias: float, alpha: float, beta: float) -> Any:
    _check(input, depth_radius)
    norm = bias + alpha * _neighbourhood(xp, input * input, depth_radius)
    return input * norm**-beta


@lrn.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    attrs = dict(zip(call.op.schema.attr_index, call.attrs, strict=True))
    return raw.LRNGrad(dy, call.inputs[0], call.outputs[0], **attrs)


def _grad_dims(input_grads: Tensor, input_image: Tensor, output_image: Tensor, **attrs: Any) -> Dims:
    return merged(*(with_rank(tensor, 4, "input") for tensor in (input_grads, input_image, output_image)))


@op(
    f"LRNGrad[{_TYPES}](input_grads: T, input_image: T, output_image: T, *, {_ATTRS}) -> (output: T)",
    shape=_grad_dims,
    quiet=True,
)
@widened
def lrn_grad(
    xp: Any, input_grads: Any, input_image: Any, output_image: Any, *,
    depth_radius: int, bias: float, alpha: float, beta: float,
) -> Any:  # fmt: skip
    for x in (input_grads, output_image):
        if tuple(x.shape) != tuple(input_image.shape):
            raise ValueError(f"The shapes must be equal: {list(x.shape)} and {list(input_image.shape)}")
    _check(input_image, depth_radius)
    norm = bias + alpha * _neighbourhood(xp, input_image * input_image, depth_radius)
    shared = _neighbourhood(xp, input_grads * output_image / norm, depth_radius)
    return input_grads * norm**-beta - 2 * alpha * beta * input_image * shared
