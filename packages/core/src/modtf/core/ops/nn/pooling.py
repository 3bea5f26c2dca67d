"""Pooling: the largest or the mean element under each window, over any axes, and their gradients."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, unchanged, with_rank
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.common import like
from modtf.core.ops.narrow_floats import widened
from modtf.core.ops.nn.windows import (
    Window,
    at_tap,
    check_explicit,
    counts,
    in_batches,
    lay,
    overlay,
    padded,
    taps,
    whole,
)  # fmt: skip
from modtf.core.values.errors import UnimplementedError
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
    if data_format == "NCHW_VECT_C":
        raise UnimplementedError("data_format NCHW_VECT_C is for quantised GPU kernels; use NHWC or NCHW")
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


def lowest_of(xp: Any, x: Any) -> Any:
    """The least number of the dtype of `x`."""
    return xp.finfo(x.dtype).min if xp.isdtype(x.dtype, "real floating") else xp.iinfo(x.dtype).min


def _max_pool(xp: Any, x: Any, windows: _Windows) -> Any:
    lowest = lowest_of(xp, x)

    def pool(x: Any, windows: _Windows) -> Any:
        for axis, window in enumerate(windows):  # one axis after the other
            if not window.trivial:
                alone = _alone(windows, axis, x.shape)
                x = padded(xp, x, alone, lowest)
                seen = [at_tap(x, alone, (0,) * axis + (tap,)) for tap in range(window.taps)]
                x = functools.reduce(xp.maximum, seen)
        return x

    return in_batches(xp, pool, [x], windows)


def _chosen(xp: Any, x: Any, y: Any, windows: _Windows, all_equal: bool = False) -> Any:
    """For each tap, where it holds the windows' first largest element, or any of several."""
    x = padded(xp, x, windows, lowest_of(xp, x))
    free = xp.ones(y.shape, dtype=xp.bool)
    for tap in taps(windows):
        here = xp.logical_and(at_tap(x, windows, tap) == y, free)
        if not all_equal:
            free = xp.logical_and(free, xp.logical_not(here))
        yield here


def _max_pool_grad(xp: Any, x: Any, y: Any, dy: Any, windows: _Windows) -> Any:
    zero = xp.zeros((), dtype=dy.dtype)

    def back(x: Any, y: Any, dy: Any, windows: _Windows) -> Any:
        # Of equal ones the first gets the gradient; of images of three dimensions each does, as in TensorFlow.
        chosen = _chosen(xp, x, y, windows, all_equal=len(windows) == 5)
        return overlay(xp, (xp.where(here, dy, zero) for here in chosen), windows)

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


_SIZES, _WHERE = "ksize: list(int), strides: list(int)", "padding: string(SAME|VALID)"
_ANYWHERE = "padding: string(SAME|VALID|EXPLICIT), explicit_paddings: list(int) = []"
_FLAT, _DEEP = "data_format: string(NHWC|NCHW) = 'NHWC'", "data_format: string(NDHWC|NCDHW) = 'NDHWC'"
_BY_DEFAULT = "float16|bfloat16|float32 = float32"


def _register(rank: int, maximum: str, maximum_grad: str, maximum_grad_grad: str, mean: str, mean_grad: str) -> None:
    """Registers the five ops of pooling for inputs of a rank, given their schemas."""

    def pooled(tensor: Tensor, **attrs: Any) -> Dims:
        return counts(pooling_windows(with_rank(tensor, rank, "tensor_in"), **attrs))

    @widened
    def max_pool(xp: Any, input: Any, **attrs: Any) -> Any:
        return _max_pool(xp, input, pooling_windows(tuple(input.shape), **attrs))

    @widened
    def max_pool_grad(xp: Any, orig_input: Any, orig_output: Any, grad: Any, **attrs: Any) -> Any:
        if attrs["padding"] != "EXPLICIT":  # for others, TensorFlow does not look at explicit_paddings here
            attrs.pop("explicit_paddings", None)
        windows = pooling_windows(tuple(orig_input.shape), **attrs)
        _check("orig_output", orig_output, counts(windows))
        _check("grad", grad, counts(windows))
        return _max_pool_grad(xp, orig_input, orig_output, grad, windows)

    @widened
    def max_pool_grad_grad(xp: Any, orig_input: Any, orig_output: Any, grad: Any, **attrs: Any) -> Any:
        windows = pooling_windows(tuple(orig_input.shape), **attrs)
        _check("orig_output", orig_output, counts(windows))
        _check("grad", grad, orig_input.shape)
        return _max_pool_grad_grad(xp, orig_input, orig_output, grad, windows)

    @widened
    def avg_pool(xp: Any, value: Any, **attrs: Any) -> Any:
        return _avg_pool(xp, value, pooling_windows(tuple(value.shape), **attrs))

    @widened
    def avg_pool_grad(xp: Any, orig_input_shape: np.ndarray, grad: Any, **attrs: Any) -> Any:
        windows = pooling_windows(tuple(int(size) for size in orig_input_shape), **attrs)
        _check("grad", grad, counts(windows))
        return _avg_pool_grad(xp, grad, windows)

    def shape_of_input(orig_input_shape: Tensor, grad: Tensor, **attrs: Any) -> Dims:
        return dims_from_value(orig_input_shape) or (None,) * rank

    def shape_of_output(orig_input: Tensor, orig_output: Tensor, grad: Tensor, **attrs: Any) -> Dims:
        return orig_output.dims

    largest = register(Op(maximum, kernel=max_pool, shape=pooled))
    largest_grad = register(Op(maximum_grad, kernel=max_pool_grad, shape=unchanged))
    largest_grad_grad = register(Op(maximum_grad_grad, kernel=max_pool_grad_grad, shape=shape_of_output))
    average = register(Op(mean, kernel=avg_pool, shape=pooled))
    average_grad = register(
        Op(mean_grad, kernel=avg_pool_grad, shape=shape_of_input, host_inputs=("orig_input_shape",))
    )

    def attrs_of(call: Any) -> dict[str, Any]:
        return dict(zip(call.op.schema.attr_index, call.attrs, strict=True))

    @largest.gradient
    def _(call: Any, dy: Tensor) -> Tensor:
        return largest_grad(call.inputs[0], call.outputs[0], dy, **attrs_of(call))

    @largest_grad.gradient
    def _(call: Any, dx: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y, _ = call.inputs
        attrs, wider = attrs_of(call), x
        explicit = attrs.pop("explicit_paddings", ())
        if explicit and attrs["padding"] == "EXPLICIT":  # which the next op has no attribute for
            around = np.reshape(np.array(explicit, np.int32), (-1, 2))
            wider = raw.PadV2(x, around, like(x, x.dtype.min, scalar=True))
            dx, attrs["padding"] = raw.Pad(dx, around), "VALID"
        return like(x, 0), like(y, 0), largest_grad_grad(wider, y, dx, **attrs)

    @largest_grad_grad.gradient
    def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y, _ = call.inputs
        return like(x, 0), like(y, 0), largest_grad(x, y, dy, **attrs_of(call))

    average.gradient(lambda call, dy: average_grad(raw.Shape(call.inputs[0]), dy, **attrs_of(call)))
    average_grad.gradient(lambda call, dx: (None, average(dx, **attrs_of(call))))


def _check(name: str, array: Any, expected: Any) -> None:
    if tuple(array.shape) != tuple(expected):
        raise ValueError(f"Expected {name} shape to be {list(expected)}, but got {list(array.shape)}")


_register(
    4,
    "MaxPool[T: floating|int32|int64|uint8|int16|int8|uint16|qint8 = float32](input: T, *, "
    f"{_SIZES}, {_ANYWHERE}, data_format: string(NHWC|NCHW|NCHW_VECT_C) = 'NHWC') -> (output: T)",
    "MaxPoolGrad[T: real = float32](orig_input: T, orig_output: T, grad: T, *, "
    f"{_SIZES}, {_ANYWHERE}, {_FLAT}) -> (output: T)",
    f"MaxPoolGradGrad[T: real](orig_input: T, orig_output: T, grad: T, *, {_SIZES}, {_WHERE}, {_FLAT}) -> (output: T)",
    f"AvgPool[T: floating](value: T, *, {_SIZES}, {_WHERE}, {_FLAT}) -> (output: T)",
    f"AvgPoolGrad[T: floating](orig_input_shape: int32, grad: T, *, {_SIZES}, {_WHERE}, {_FLAT}) -> (output: T)",
)
_register(
    5,
    f"MaxPool3D[T: float16|bfloat16|float32](input: T, *, {_SIZES}, {_WHERE}, {_DEEP}) -> (output: T)",
    f"MaxPool3DGrad[T: {_BY_DEFAULT}, TInput: {_BY_DEFAULT}](orig_input: TInput, orig_output: TInput, grad: T, *, "
    f"{_SIZES}, {_WHERE}, {_DEEP}) -> (output: T)",
    "MaxPool3DGradGrad[T: real](orig_input: T, orig_output: T, grad: T, *, "
    f"{_SIZES}, {_WHERE}, {_DEEP}) -> (output: T)",
    f"AvgPool3D[T: floating](input: T, *, {_SIZES}, {_WHERE}, {_DEEP}) -> (output: T)",
    f"AvgPool3DGrad[T: floating](orig_input_shape: int32, grad: T, *, {_SIZES}, {_WHERE}, {_DEEP}) -> (output: T)",
)
