"""Pooling: the largest or the mean element under each window, over any axes, and their gradients."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, unchanged, with_rank
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.common import like
from modtf.core.ops.narrow_floats import widened
from modtf.core.ops.windows import (
    Window, at_tap, check_explicit, counts, in_batches, lay, overlay, padded, taps, whole,
)  # fmt: skip
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_Windows = tuple[Window, ...]

# ------------------------------------------------------------------------------------------------- geometry


@functools.lru_cache(maxsize=4096)
def pooling_windows(
    dims: tuple[int | None, ...],
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    data_format: str,
    explicit_paddings: tuple[int, ...] = (),
) -> _Windows:
    """Returns how the windows lie over all axes, the batch and the channels included.

    Args:
        dims: The input's sizes, ordered as `data_format` says, as are all that follow.
        ksize: The windows' size along each axis.
        strides: The stride along each axis.
        padding: `"SAME"`, `"VALID"` or `"EXPLICIT"`.
        data_format: `"NHWC"`, `"NCHW"`, `"NDHWC"` or `"NCDHW"`.
        explicit_paddings: For `"EXPLICIT"`, the padding before and after each axis.

    Raises:
        ValueError: An attribute has the wrong length or value, or the input is too small for the windows.
    """
    rank = len(data_format)
    if len(dims) != rank:
        raise ValueError(f"tensor_in must be {rank}-dimensional: {list(dims)}")
    for name, values in (("ksize", ksize), ("strides", strides)):
        if len(values) != rank:
            raise ValueError(f"Sliding window {name} field must specify {rank} dimensions, but got {list(values)}")
        if min(values) < 1:
            raise ValueError(f"Sliding window {name} must be larger than 0, but got {list(values)}")
    batch = data_format.index("N")
    if ksize[batch] != 1 or strides[batch] != 1:
        raise ValueError("Pooling is not supported on the batch dimension: its ksize and stride must be 1")
    check_explicit(padding, explicit_paddings, rank, data_format)
    return tuple(
        lay(size, ksize[axis], strides[axis], 1, padding, explicit_paddings[2 * axis : 2 * axis + 2])
        for axis, size in enumerate(dims)
    )


def _alone(windows: _Windows, axis: int, sizes: Sequence[int]) -> _Windows:
    """The windows of one axis, with nothing sliding over the axes before it."""
    return (*(whole(size) for size in sizes[:axis]), windows[axis])


# ------------------------------------------------------------------------------------------------- kernels


def _lowest(xp: Any, x: Any) -> Any:
    return xp.finfo(x.dtype).min if xp.isdtype(x.dtype, "real floating") else xp.iinfo(x.dtype).min


def _max_pool(xp: Any, x: Any, windows: _Windows) -> Any:
    lowest = _lowest(xp, x)

    def pool(x: Any, windows: _Windows) -> Any:
        for axis, window in enumerate(windows):  # one axis after the other
            if not window.trivial:
                alone = _alone(windows, axis, x.shape)
                x = padded(xp, x, alone, lowest)
                seen = [at_tap(x, alone, (0,) * axis + (tap,)) for tap in range(window.taps)]
                x = functools.reduce(xp.maximum, seen)
        return x

    return in_batches(xp, pool, [x], windows)


def _chosen(xp: Any, x: Any, y: Any, windows: _Windows) -> Any:
    """For each tap, where it holds the windows' first largest element."""
    x = padded(xp, x, windows, _lowest(xp, x))
    free = xp.ones(y.shape, dtype=xp.bool)
    for tap in taps(windows):
        here = xp.logical_and(at_tap(x, windows, tap) == y, free)
        free = xp.logical_and(free, xp.logical_not(here))
        yield here


def _max_pool_grad(xp: Any, x: Any, y: Any, dy: Any, windows: _Windows) -> Any:
    zero = xp.zeros((), dtype=dy.dtype)

    def back(x: Any, y: Any, dy: Any, windows: _Windows) -> Any:
        return overlay(xp, (xp.where(here, dy, zero) for here in _chosen(xp, x, y, windows)), windows)

    return in_batches(xp, back, [x, y, dy], windows)


def _max_pool_grad_grad(xp: Any, x: Any, y: Any, dx: Any, windows: _Windows) -> Any:
    zero = xp.zeros((), dtype=dx.dtype)

    def take(x: Any, y: Any, dx: Any, windows: _Windows) -> Any:
        dx = padded(xp, dx, windows)
        chosen = zip(taps(windows), _chosen(xp, x, y, windows), strict=True)
        parts = (xp.where(here, at_tap(dx, windows, tap), zero) for tap, here in chosen)
        return functools.reduce(xp.add, parts)

    return in_batches(xp, take, [x, y, dx], windows)


def _elements_under(xp: Any, windows: _Windows, dtype: Any) -> Any:
    """How many elements, padding not counted, each window holds; shaped to divide by."""
    total = np.ones((), np.int64)
    for axis, window in enumerate(windows):
        starts = np.arange(window.count) * window.stride - window.before
        held = np.minimum(starts + window.taps, window.size) - np.maximum(starts, 0)
        total = total * held.reshape((-1,) + (1,) * (len(windows) - axis - 1))
    if total.size and (total == total.flat[0]).all():
        total = total.reshape(-1)[0]
    return xp.asarray(total, dtype=dtype)


def _avg_pool(xp: Any, x: Any, windows: _Windows) -> Any:
    def pool(x: Any, windows: _Windows) -> Any:
        for axis, window in enumerate(windows):
            if not window.trivial:
                alone = _alone(windows, axis, x.shape)
                x = padded(xp, x, alone)
                x = functools.reduce(xp.add, [at_tap(x, alone, (0,) * axis + (tap,)) for tap in range(window.taps)])
        return x / _elements_under(xp, windows, x.dtype)

    return in_batches(xp, pool, [x], windows)


def _avg_pool_grad(xp: Any, dy: Any, windows: _Windows) -> Any:
    def back(dy: Any, windows: _Windows) -> Any:
        dx = dy / _elements_under(xp, windows, dy.dtype)
        for axis, window in enumerate(windows):
            if not window.trivial:
                dx = overlay(xp, [dx] * window.taps, _alone(windows, axis, dx.shape))
        return dx

    return in_batches(xp, back, [dy], windows)


# ------------------------------------------------------------------------------------------------- the ops


def _check(windows: _Windows, name: str, dims: Any) -> None:
    if tuple(dims) != counts(windows):
        raise ValueError(f"Expected {name} shape to be {list(counts(windows))}, but got {list(dims)}")


def _register(dimensions: int) -> None:
    last, first = ("NHWC", "NCHW") if dimensions == 2 else ("NDHWC", "NCDHW")
    suffix = "" if dimensions == 2 else "3D"
    explicit = (
        "padding: string(SAME|VALID|EXPLICIT), explicit_paddings: list(int) = []"
        if dimensions == 2
        else "padding: string(SAME|VALID)"
    )
    sizes, layout = "*, ksize: list(int), strides: list(int)", f"data_format: string({last}|{first}) = '{last}'"
    with_explicit = f"{sizes}, {explicit}, {layout}"
    without = f"{sizes}, padding: string(SAME|VALID), {layout}"
    without_or_explicit = without.replace("SAME|VALID", "SAME|VALID|EXPLICIT") if dimensions == 2 else without
    types, second_types = (
        ("floating|int32|int64|uint8|int16|int8|uint16 = float32", "real = float32")
        if dimensions == 2
        else ("float16|bfloat16|float32 = float32", "float16|bfloat16|float32 = float32")
    )

    def pooled(tensor: Tensor, **attrs: Any) -> Dims:
        return counts(pooling_windows(with_rank(tensor, dimensions + 2, "tensor_in"), **attrs))

    @widened
    def max_pool(xp: Any, input: Any, **attrs: Any) -> Any:  # noqa: A002 (the schemas' names)
        return _max_pool(xp, input, pooling_windows(tuple(input.shape), **attrs))

    @widened
    def max_pool_grad(xp: Any, orig_input: Any, orig_output: Any, grad: Any, **attrs: Any) -> Any:
        windows = pooling_windows(tuple(orig_input.shape), **attrs)
        _check(windows, "orig_output", orig_output.shape)
        _check(windows, "grad", grad.shape)
        return _max_pool_grad(xp, orig_input, orig_output, grad, windows)

    @widened
    def max_pool_grad_grad(xp: Any, orig_input: Any, orig_output: Any, grad: Any, **attrs: Any) -> Any:
        windows = pooling_windows(tuple(orig_input.shape), **attrs)
        _check(windows, "orig_output", orig_output.shape)
        if tuple(grad.shape) != tuple(orig_input.shape):
            raise ValueError(f"Expected grad shape to be {list(orig_input.shape)}, but got {list(grad.shape)}")
        return _max_pool_grad_grad(xp, orig_input, orig_output, grad, windows)

    @widened
    def avg_pool(xp: Any, value: Any, **attrs: Any) -> Any:
        return _avg_pool(xp, value, pooling_windows(tuple(value.shape), **attrs))

    @widened
    def avg_pool_grad(xp: Any, orig_input_shape: np.ndarray, grad: Any, **attrs: Any) -> Any:
        windows = pooling_windows(tuple(int(size) for size in orig_input_shape), **attrs)
        _check(windows, "grad", grad.shape)
        return _avg_pool_grad(xp, grad, windows)

    def input_dims(orig_input_shape: Tensor, grad: Tensor, **attrs: Any) -> Dims:
        return dims_from_value(orig_input_shape) or (None,) * (dimensions + 2)

    max_schema = f"[T: {types}](input: T, {with_explicit}) -> (output: T)"
    grad_types = "[T: real = float32]" if dimensions == 2 else "[T: float16|bfloat16|float32 = float32]"
    grad_inputs = "(orig_input: T, orig_output: T, grad: T, "
    avg_type = "[T: floating]"
    if dimensions == 3:
        grad_types = grad_types.replace("[", "[TInput: float16|bfloat16|float32 = float32, ")
        grad_inputs = "(orig_input: TInput, orig_output: TInput, grad: T, "
    maximum = register(Op(f"MaxPool{suffix}{max_schema}", kernel=max_pool, shape=pooled))
    maximum_grad = register(
        Op(
            f"MaxPool{suffix}Grad{grad_types}{grad_inputs}{with_explicit}) -> (output: T)",
            kernel=max_pool_grad,
            shape=unchanged,
        )
    )
    maximum_grad_grad = register(
        Op(
            f"MaxPool{suffix}GradGrad[T: {second_types}](orig_input: T, orig_output: T, grad: T, {without_or_explicit}) "
            "-> (output: T)",
            kernel=max_pool_grad_grad,
            shape=lambda orig_input, orig_output, grad, **attrs: orig_output.dims,
        )
    )
    mean = register(Op(f"AvgPool{suffix}{avg_type}(value: T, {without}) -> (output: T)", kernel=avg_pool, shape=pooled))
    mean_grad = register(
        Op(
            f"AvgPool{suffix}Grad{avg_type}(orig_input_shape: int32, grad: T, {without}) -> (output: T)",
            kernel=avg_pool_grad,
            shape=input_dims,
            host_inputs=("orig_input_shape",),
        )
    )

    def attrs_of(call: Any) -> dict[str, Any]:
        return dict(zip(call.op.schema.attr_index, call.attrs, strict=True))

    @maximum.gradient
    def _(call: Any, dy: Tensor) -> Tensor:
        return maximum_grad(call.inputs[0], call.outputs[0], dy, **attrs_of(call))

    @maximum_grad.gradient
    def _(call: Any, dx: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y, _ = call.inputs
        attrs = attrs_of(call)
        explicit = attrs.pop("explicit_paddings", ())
        padded_x = x
        if explicit:  # the op has no such attribute
            around = np.reshape(np.array(explicit, np.int32), (-1, 2))
            padded_x = raw.PadV2(x, around, like(x, x.dtype.min, scalar=True))
            dx, attrs["padding"] = raw.Pad(dx, around), "VALID"
        return like(x, 0), like(y, 0), maximum_grad_grad(padded_x, y, dx, **attrs)

    @maximum_grad_grad.gradient
    def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y, _ = call.inputs
        return like(x, 0), like(y, 0), maximum_grad(x, y, dy, **attrs_of(call))

    mean.gradient(lambda call, dy: mean_grad(raw.Shape(call.inputs[0]), dy, **attrs_of(call)))
    mean_grad.gradient(lambda call, dx: (None, mean(dx, **attrs_of(call))))


_register(2)
_register(3)
