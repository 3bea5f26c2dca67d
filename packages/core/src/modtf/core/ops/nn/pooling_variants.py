"""Maximum pooling whose windows are inputs, and the one that tells where the maxima are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, with_rank
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, get_op, op, register
from modtf.core.ops.array.gathering import scatter
from modtf.core.ops.common import like
from modtf.core.ops.narrow_floats import widened
from modtf.core.ops.nn.pooling import lowest_of, pooling_windows
from modtf.core.ops.nn.windows import at_tap, counts, padded, taps
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- windows as inputs


def _pooled_dims(input: Tensor, ksize: Tensor, strides: Tensor, *, padding: str, data_format: str) -> Dims:
    dims = with_rank(input, 4, "input")
    sizes, steps = constant_value(ksize), constant_value(strides)
    if sizes is None or steps is None:
        return (None,) * 4
    return counts(pooling_windows(dims, tuple(sizes.tolist()), tuple(steps.tolist()), padding, data_format))


def _windows_as_inputs(name: str, types: str, tensors: str, formats: str, dims: Any) -> Op:
    """Registers the form of an op of pooling that takes the windows' size and strides as its last two inputs."""

    def kernel(xp: Any, *inputs: Any, padding: str, data_format: str) -> Any:
        *operands, ksize, strides = inputs
        windows = {"ksize": tuple(ksize.tolist()), "strides": tuple(strides.tolist())}
        older = get_op(name)
        explicit = {"explicit_paddings": ()} if "explicit_paddings" in older.schema.attr_index else {}
        return older.kernel(xp, *operands, padding=padding, data_format=data_format, **windows, **explicit)  # type: ignore[operator, misc]

    schema = (
        f"{name}V2[T: {types}]({tensors}, ksize: int32, strides: int32, *, padding: string(SAME|VALID), "
        f"data_format: string({formats}) = 'NHWC') -> (output: T)"
    )
    return register(Op(schema, kernel=kernel, shape=dims, host_inputs=("ksize", "strides")))


_THREE = "orig_input: T, orig_output: T, grad: T"
_pool = _windows_as_inputs(
    "MaxPool", "floating|signed|qint8|uint16|uint8 = float32", "input: T", "NHWC|NCHW|NCHW_VECT_C", _pooled_dims
)
_pool_grad = _windows_as_inputs(
    "MaxPoolGrad", "real = float32", _THREE, "NHWC|NCHW", lambda orig_input, *others, **attrs: orig_input.dims
)
_pool_grad_grad = _windows_as_inputs(
    "MaxPoolGradGrad", "real", _THREE, "NHWC|NCHW", lambda orig_input, orig_output, *others, **attrs: orig_output.dims
)


def _attrs_of(call: Any) -> dict[str, Any]:
    return dict(zip(call.op.schema.attr_index, call.attrs, strict=True))


_pool.gradient(
    lambda call, dy: (
        _pool_grad(call.inputs[0], call.outputs[0], dy, *call.inputs[1:], **_attrs_of(call)), None, None
    )
)  # fmt: skip


@_pool_grad.gradient
def _(call: Any, dx: Tensor) -> tuple[Tensor | None, ...]:
    x, y, _, *windows = call.inputs
    return like(x, 0), like(y, 0), _pool_grad_grad(x, y, dx, *windows, **_attrs_of(call)), None, None


@_pool_grad_grad.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    x, y, _, *windows = call.inputs
    return like(x, 0), like(y, 0), _pool_grad(x, y, dy, *windows, **_attrs_of(call)), None, None


# ------------------------------------------------------------------------------------------------- with the places


def _places(dims: tuple[int, ...], windows: Any, tap: tuple[int, ...], with_batch: bool) -> tuple[Any, Any]:
    """For each window, the flat position of what it sees at a tap, and whether that is an element at all."""
    position, valid = np.zeros((1,) * 4, np.int64), np.ones((1,) * 4, bool)
    for axis, (window, offset, size) in enumerate(zip(windows, tap, dims, strict=True)):
        along = np.arange(window.count) * window.stride + offset * window.dilation - window.before
        along = along.reshape((-1,) + (1,) * (3 - axis))
        valid = valid & (along >= 0) & (along < size)
        if axis or with_batch:
            position = position * size + along
    return position, valid


_SIZES = "ksize: list(int), strides: list(int)"
_WHERE = "padding: string(SAME|VALID), include_batch_in_index: bool = False"


def _argmax_dims(input: Tensor, *, ksize: Any, strides: Any, padding: str, **attrs: Any) -> list[Dims]:
    dims = counts(pooling_windows(with_rank(input, 4, "input"), ksize, strides, padding, "NHWC"))
    return [dims, dims]


@op(
    f"MaxPoolWithArgmax[T: real](input: T, *, {_SIZES}, Targmax: type(index) = int64, {_WHERE}) -> "
    "(output: T, argmax: Targmax)",
    shape=_argmax_dims,
)
@widened
def max_pool_with_argmax(
    xp: Any, input: Any, *, ksize: Any, strides: Any, Targmax: DType, padding: str, include_batch_in_index: bool
) -> tuple[Any, Any]:
    if 0 in input.shape:
        raise ValueError(f"input must not be empty; its shape is {list(input.shape)}")
    windows = pooling_windows(tuple(input.shape), ksize, strides, padding, "NHWC")
    around = padded(xp, input, windows, lowest_of(xp, input))
    greatest: Any = None
    found: Any = False
    for tap in taps(windows):
        place, valid = _places(tuple(input.shape), windows, tap, include_batch_in_index)
        seen = at_tap(around, windows, tap)
        place = xp.broadcast_to(xp.asarray(place.astype(Targmax.np_dtype)), seen.shape)
        if greatest is None:
            greatest, places = seen, place
        else:
            # The first of equals; and any element rather than the padding, however small it is.
            better = xp.logical_and(xp.asarray(valid), xp.logical_or(seen > greatest, xp.asarray(~found)))
            greatest, places = xp.where(better, seen, greatest), xp.where(better, place, places)
        found = np.logical_or(found, valid)
    return greatest, xp.astype(places, find_kernel_dtype(xp, Targmax))


@max_pool_with_argmax.gradient
def _(call: Any, dy: Tensor, d_argmax: Any) -> Tensor:
    attrs = _attrs_of(call)
    del attrs["Targmax"]
    return raw.MaxPoolGradWithArgmax(call.inputs[0], dy, call.outputs[1], **attrs)


@op(
    f"MaxPoolGradWithArgmax[Targmax: index, T: real](input: T, grad: T, argmax: Targmax, *, {_SIZES}, {_WHERE}) -> "
    "(output: T)",
    shape=lambda input, grad, argmax, **attrs: with_rank(input, 4, "input"),
)
def max_pool_grad_with_argmax(
    xp: Any, input: Any, grad: Any, argmax: Any, *, include_batch_in_index: bool, **attrs: Any
) -> Any:
    if tuple(grad.shape) != tuple(argmax.shape):
        raise ValueError(f"grad and argmax must be of one shape: {list(grad.shape)} and {list(argmax.shape)}")
    batch, size = input.shape[0], math.prod(input.shape)
    if not include_batch_in_index:
        each = size // max(batch, 1)
        if xp is np and argmax.size and not 0 <= argmax.min() <= argmax.max() < each:
            raise ValueError(f"argmax holds a position outside of [0, {each})")
        argmax = argmax + xp.reshape(xp.arange(batch, dtype=argmax.dtype) * each, (-1, 1, 1, 1))
    zeros = xp.zeros((size,), dtype=grad.dtype)
    total = scatter(xp, "add", zeros, xp.reshape(argmax, (-1, 1)), xp.reshape(grad, (-1,)))
    return xp.reshape(total, input.shape)
