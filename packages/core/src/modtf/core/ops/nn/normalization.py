"""Batch normalization in one op, and its gradient.

S. Ioffe and C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
Shift", 2015 (the gradient in section 3).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, with_rank
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.nn.windows import batches
from modtf.core.values.tensors import Tensor


def _channel_axis(data_format: str) -> int:
    return data_format.index("C")


def _sum_over_rows(xp: Any, rows: Any) -> Any:
    """The sum of each column, as a product of matrices: faster than a reduction, and more exact."""
    return xp.matmul(xp.ones((1, rows.shape[0]), dtype=rows.dtype), rows)[0, :]


def _scaled(xp: Any, x: Any, factor: Any, offset: Any) -> Any:
    """`x * factor + offset` in one go through memory; `x` has the channels last."""
    if xp is not np:
        return x * factor + offset
    result = np.empty_like(x, dtype=factor.dtype)
    for part in batches(np, x.shape[0], result.nbytes // max(x.shape[0], 1)):
        np.multiply(x[part], factor, out=result[part])
        result[part] += offset
    return result


def _check_statistics(channels: int, why: str, **given: Any) -> None:
    for name, array in given.items():
        if tuple(array.shape) != (channels,):
            raise ValueError(
                f"{why}{name} must have the same number of elements as the channels of x, got "
                f"{list(array.shape)} and {channels}"
            )


def _normalize(
    xp: Any, x: Any, scale: Any, offset: Any, mean: Any, variance: Any, *,
    epsilon: float, exponential_avg_factor: float, data_format: str, is_training: bool,
) -> tuple[Any, ...]:  # fmt: skip
    axis = _channel_axis(data_format)
    if len(x.shape) != len(data_format):
        raise ValueError(f"input must be {len(data_format)}-dimensional, got {list(x.shape)}")
    last = xp.moveaxis(x, axis, -1) if axis != len(data_format) - 1 else x
    channels = last.shape[-1]
    _check_statistics(channels, "", scale=scale, offset=offset)
    if not is_training or exponential_avg_factor != 1:
        why = "When exponential_avg_factor != 1, " if is_training else "When is_training=false, "
        _check_statistics(channels, why, mean=mean, variance=variance)
    else:
        for name, statistic in (("mean", mean), ("variance", variance)):
            if len(statistic.shape) != 1:
                raise ValueError(f"{name} must be 1-dimensional; its shape is {list(statistic.shape)}")
    compute = xp.float32
    wide, gamma, beta = (xp.astype(array, compute, copy=False) for array in (last, scale, offset))
    if is_training:
        rows = xp.reshape(wide, (-1, channels))
        count = xp.asarray(rows.shape[0], dtype=compute)
        batch_mean = _sum_over_rows(xp, rows) / count
        centred = wide - batch_mean
        batch_variance = _sum_over_rows(xp, xp.reshape(centred * centred, (-1, channels))) / count
        y = _scaled(xp, centred, gamma / xp.sqrt(batch_variance + epsilon), beta)
        unbiased = batch_variance * (rows.shape[0] / max(rows.shape[0] - 1, 1))
        kept = 1 - exponential_avg_factor
        if kept:
            new_mean = kept * xp.astype(mean, compute) + exponential_avg_factor * batch_mean
            new_variance = kept * xp.astype(variance, compute) + exponential_avg_factor * unbiased
        else:
            new_mean, new_variance = batch_mean, unbiased
    else:
        new_mean, new_variance = mean, variance
        batch_mean, batch_variance = xp.astype(mean, compute, copy=False), xp.astype(variance, compute, copy=False)
        factor = gamma / xp.sqrt(batch_variance + epsilon)
        y = _scaled(xp, wide, factor, beta - batch_mean * factor)
    y = xp.astype(y, x.dtype, copy=False)
    statistics = (xp.astype(s, scale.dtype, copy=False) for s in (new_mean, new_variance, batch_mean, batch_variance))
    return (xp.moveaxis(y, -1, axis) if last is not x else y, *statistics)


def _normalize_grad(
    xp: Any, y_backprop: Any, x: Any, scale: Any, mean: Any, variance: Any, *,
    epsilon: float, data_format: str, is_training: bool,
) -> tuple[Any, ...]:  # fmt: skip
    axis = _channel_axis(data_format)
    if tuple(y_backprop.shape) != tuple(x.shape):
        raise ValueError(
            f"x and y_backprop must have same shape, but x has shape {x.shape} and y_backprop {y_backprop.shape}"
        )
    moved = axis != len(data_format) - 1
    wide, dy = (
        xp.astype(xp.moveaxis(array, axis, -1) if moved else array, xp.float32, copy=False) for array in (x, y_backprop)
    )
    channels = wide.shape[-1]
    _check_statistics(channels, "", scale=scale, reserve_space_1=mean, reserve_space_2=variance)
    inverse = 1 / xp.sqrt(xp.astype(variance, xp.float32) + epsilon)
    centred = wide - xp.astype(mean, xp.float32)
    d_offset = _sum_over_rows(xp, xp.reshape(dy, (-1, channels)))
    product = _sum_over_rows(xp, xp.reshape(dy * centred, (-1, channels)))
    factor = scale * inverse
    if is_training:
        count = xp.asarray(max(int(np.prod(wide.shape[:-1])), 1), dtype=xp.float32)
        # factor * (dy - mean(dy) - centred * mean(dy * centred) / (variance + epsilon)), by what is cheapest
        centred *= -inverse * inverse * product / count
        centred += dy
        dx = _scaled(xp, centred, factor, -factor * d_offset / count)
    else:
        dx = dy * factor
    dx = xp.astype(xp.moveaxis(dx, -1, axis) if moved else dx, x.dtype, copy=False)
    d_scale = product * inverse
    return dx, xp.astype(d_scale, mean.dtype, copy=False), xp.astype(d_offset, mean.dtype, copy=False)


def _dims(x: Tensor, data_format: str, *vectors: Tensor) -> tuple[Any, Any]:
    """The shapes of the images and of what there is one of for each channel."""
    images, axis = with_rank(x, len(data_format), "x"), _channel_axis(data_format)
    vector = merged((images[axis],), *(vector.dims for vector in vectors))
    assert vector is not None  # the images' channels say its length, or that it has one
    return merged(images, (*images[:axis], *vector, *images[axis + 1 :])), vector


def _written_out(call: Any) -> list[Tensor]:
    """The gradient op's formula in elementary ops, from which its own gradient follows."""
    dy, x, scale, mean, variance = (raw.Cast(tensor, DstT="float32") for tensor in call.inputs[:5])
    data_format, epsilon = call["data_format"], call["epsilon"]
    axis = _channel_axis(data_format)
    axes = np.array([other for other in range(len(data_format)) if other != axis], np.int32)
    aligned = np.ones(len(data_format), np.int32)
    aligned[axis] = -1
    scale = raw.Reshape(scale, aligned)
    if call["is_training"]:  # the statistics are those of x
        mean = raw.Mean(x, axes, keep_dims=True)
        variance = raw.Mean(raw.Square(x - mean), axes, keep_dims=True)
    else:
        mean, variance = raw.Reshape(mean, aligned), raw.Reshape(variance, aligned)
    inverse = raw.Rsqrt(variance + epsilon)
    normal = (x - mean) * inverse
    if call["is_training"]:
        correction = raw.Mean(dy, axes, keep_dims=True) + normal * raw.Mean(dy * normal, axes, keep_dims=True)
        dx = scale * inverse * (dy - correction)
    else:
        dx = dy * scale * inverse
    return [dx, raw.Sum(dy * normal, axes), raw.Sum(dy, axes)]


def _register(version: str, types: str, statistics: str, formats: str) -> None:
    extra = version == "V3"
    attrs = f"epsilon: float = 0.0001, {{}}data_format: string({formats}) = 'NHWC', is_training: bool = True"
    declared = f"T: {types}, U: {statistics}" if version else f"T: {types}"
    declared_back = f"T: {types}, U: float32" if version else declared
    u = "U" if version else "T"
    reserved = f", reserve_space_1: {u}, reserve_space_2: {u}"

    def forward(xp: Any, x: Any, scale: Any, offset: Any, mean: Any, variance: Any, **attrs: Any) -> tuple[Any, ...]:
        results = _normalize(xp, x, scale, offset, mean, variance, **attrs)
        return (*results, xp.zeros((), dtype=scale.dtype)) if extra else results

    def forward_shape(
        x: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, variance: Tensor, **attrs: Any
    ) -> list[Any]:
        estimates = () if attrs["is_training"] and attrs["exponential_avg_factor"] == 1 else (mean, variance)
        images, vector = _dims(x, attrs["data_format"], scale, offset, *estimates)
        return [images, vector, vector, vector, vector, *([()] if extra else [])]

    def backward(
        xp: Any, y_backprop: Any, x: Any, scale: Any, mean: Any, variance: Any, *unused: Any, **attrs: Any
    ) -> Any:
        empty = xp.zeros((0,), dtype=mean.dtype)
        return (*_normalize_grad(xp, y_backprop, x, scale, mean, variance, **attrs), empty, empty)

    def backward_shape(
        y_backprop: Tensor, x: Tensor, scale: Tensor, mean: Tensor, variance: Tensor, *unused: Any, **attrs: Any
    ) -> list[Any]:
        images, vector = _dims(x, attrs["data_format"], scale, mean, variance)
        return [merged(images, y_backprop.dims), vector, vector, (0,), (0,)]

    normalize = register(
        Op(
            f"FusedBatchNorm{version}[{declared}](x: T, scale: {u}, offset: {u}, mean: {u}, variance: {u}, *, "
            f"{attrs.format('exponential_avg_factor: float = 1.0, ')}) -> (y: T, batch_mean: {u}, batch_variance: {u}"
            f"{reserved}{', reserve_space_3: U' if extra else ''})",
            kernel=forward,
            shape=forward_shape,
            quiet=True,
        )
    )
    first = 4 if extra else 3
    gradient = register(
        Op(
            f"FusedBatchNormGrad{version}[{declared_back}](y_backprop: T, x: T, scale: {'float32' if version else 'T'}"
            f"{reserved}{', reserve_space_3: U' if extra else ''}, *, {attrs.format('')}) -> (x_backprop: T, "
            f"scale_backprop: {u}, offset_backprop: {u}, reserve_space_{first}: {u}, reserve_space_{first + 1}: {u})",
            kernel=backward,
            shape=backward_shape,
            quiet=True,
        )
    )

    @normalize.gradient
    def _(call: Any, dy: Tensor, *unused: Any) -> tuple[Any, ...]:
        x, scale, _, mean, variance = call.inputs
        if call["is_training"]:
            mean, variance = call.outputs[3:5]
        dx, d_scale, d_offset, *_ = gradient(
            dy, x, raw.Cast(scale, DstT="float32"), mean, variance, *call.outputs[5:6],
            epsilon=call["epsilon"], data_format=call["data_format"], is_training=call["is_training"],
        )  # fmt: skip
        return dx, d_scale, d_offset, None, None

    @gradient.gradient
    def _(call: Any, *flowing: Tensor) -> tuple[Any, ...]:
        from modtf.core.engine.tapes import GradientTape

        sources = list(call.inputs[:3])
        with GradientTape() as tape:
            tape.watch(sources)
            outputs = _written_out(call)
        seeds = [raw.Cast(item, DstT="float32") for item in flowing[:3]]
        results = tape.gradient(outputs, sources, output_gradients=seeds)
        return (*results, *([None] * len(call.inputs[3:])))


_register("", "float32", "", "NHWC|NCHW")
_register("V2", "float16|bfloat16|float32", "float32", "NHWC|NCHW")
_register("V3", "float16|bfloat16|float32", "bfloat16|float32", "NHWC|NCHW|NDHWC|NCDHW")
