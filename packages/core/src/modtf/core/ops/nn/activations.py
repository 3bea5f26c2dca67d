"""What follows a layer's product: adding a bias, activation functions, softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, unchanged, with_rank_at_least
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import check_same_shapes, like
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- bias


def _bias_dims(value: Tensor, bias: Tensor, data_format: str = "NHWC") -> Dims:
    dims = with_rank_at_least(value, 2, "Input tensor")
    if bias.ndim not in (None, 1):
        raise ValueError(f"Biases must be 1D: {list(bias.dims or ())}")
    if dims is None or bias.dims is None:
        return dims
    channels, (given,) = dims[_channel_axis(data_format, len(dims))], bias.dims
    if channels is not None and given is not None and channels != given:
        raise ValueError(
            f"Must provide as many biases as the input tensor has channels: {[given]} vs. {list(dims)} ({data_format})"
        )
    return dims


def _channel_axis(data_format: str, rank: int) -> int:
    return 1 if data_format == "NCHW" else rank - 1


@op(
    "BiasAdd[T: number|quantized](value: T, bias: T, *, data_format: string(NHWC|NCHW) = 'NHWC') -> (output: T)",
    shape=lambda value, bias, *, data_format: _bias_dims(value, bias, data_format),
)
def bias_add(xp: Any, value: Any, bias: Any, *, data_format: str) -> Any:
    rank = len(value.shape)
    axis = _channel_axis(data_format, rank)
    if rank < 2 or tuple(bias.shape) != (value.shape[axis],):
        raise ValueError(f"Cannot add biases of shape {list(bias.shape)} to {list(value.shape)}")
    return value + (bias if axis == rank - 1 else xp.reshape(bias, (-1,) + (1,) * (rank - 2)))


@bias_add.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    return dy, raw.BiasAddGrad(dy, data_format=call["data_format"])


@op("BiasAddV1[T: number|quantized](value: T, bias: T) -> (output: T)", shape=_bias_dims)
def bias_add_v1(xp: Any, value: Any, bias: Any) -> Any:
    return bias_add.kernel(xp, value, bias, data_format="NHWC")  # type: ignore[operator, misc]


bias_add_v1.gradient(lambda call, dy: (dy, raw.BiasAddGrad(dy)))


def _bias_grad_dims(out_backprop: Tensor, *, data_format: str) -> Dims:
    dims = with_rank_at_least(out_backprop, 2, "Input tensor")
    return (None,) if dims is None else (dims[_channel_axis(data_format, len(dims))],)


@op(
    "BiasAddGrad[T: number|quantized](out_backprop: T, *, data_format: string(NHWC|NCHW) = 'NHWC') -> (output: T)",
    shape=_bias_grad_dims,
)
@widened
def bias_add_grad(xp: Any, out_backprop: Any, *, data_format: str) -> Any:
    rank = len(out_backprop.shape)
    if rank < 2:
        raise ValueError(f"Input tensor must be at least 2D: {list(out_backprop.shape)}")
    axis = _channel_axis(data_format, rank)
    if xp is np and axis == rank - 1 and out_backprop.dtype.kind == "f":
        rows = out_backprop.reshape(
            -1, out_backprop.shape[-1]
        )  # a product sums faster than a reduction, and more exactly
        return np.matmul(np.ones(len(rows), rows.dtype), rows)
    axes = tuple(other for other in range(rank) if other != axis)
    return xp.sum(out_backprop, axis=axes, dtype=out_backprop.dtype)


@bias_add_grad.gradient
def _(call: Any, db: Tensor) -> Tensor:
    dy = call.inputs[0]
    if call["data_format"] == "NCHW" and dy.ndim != 2:
        if dy.ndim is None:
            raise ValueError("The second derivative of a bias in NCHW needs a known rank")
        db = raw.Reshape(db, np.array([-1] + [1] * (dy.ndim - 2), np.int32))
    return raw.BroadcastTo(db, raw.Shape(dy))


# ------------------------------------------------------------------------------------------------- activation functions


def _activation(
    name: str, types: str, kernel: Any, grad_kernel: Any, grad_takes: str, second: Any, attrs: str = ""
) -> None:
    """Registers an activation function and its gradient op.

    Args:
        name: The function's name.
        types: Its dtypes.
        kernel: From `xp`, the features and the attributes to the activations.
        grad_kernel: From `xp`, the gradients flowing in, and features or outputs, to the gradients flowing out.
        grad_takes: `"features"` or `"outputs"`: what the gradient is worked out from.
        second: From what the gradient op took (`gradients` and that) and the gradient flowing into its result, to the
            gradient of the second of them; `None` if it is zero.
        attrs: The attributes in the schema's words.
    """
    star = f", *, {attrs}" if attrs else ""
    forward = register(
        Op(
            f"{name}[T: {types}](features: T{star}) -> (activations: T)",
            kernel=widened(kernel),
            shape=unchanged,
            quiet=True,
        )
    )
    backward = register(
        Op(
            f"{name}Grad[T: {types.removesuffix('|qint8')}](gradients: T, {grad_takes}: T{star}) -> (backprops: T)",
            kernel=_same_shapes(widened(grad_kernel)),
            shape=lambda gradients, *others, **attrs: merged(gradients.dims, *(other.dims for other in others)),
            quiet=True,
        )
    )

    def attrs_of(call: Any) -> dict[str, Any]:
        return dict(zip(call.op.schema.attr_index, call.attrs, strict=True))

    @forward.gradient
    def _(call: Any, dy: Tensor) -> Tensor:
        return backward(dy, call.inputs[0] if grad_takes == "features" else call.outputs[0], **attrs_of(call))

    @backward.gradient
    def _(call: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
        gradients, basis = call.inputs
        return backward(dz, basis, **attrs_of(call)), like(basis, 0) if second is None else second(gradients, basis, dz)


def _same_shapes(kernel: Any) -> Any:
    def checked(xp: Any, gradients: Any, basis: Any, **attrs: Any) -> Any:
        check_same_shapes("gradients and what they are multiplied with", gradients, basis)
        return kernel(xp, gradients, basis, **attrs)

    return checked


def _only_where(xp: Any, condition: Any, gradients: Any) -> Any:
    # A product, as in TensorFlow: infinite gradients give NaN where the condition is false.
    return gradients * (
        condition if xp is np and gradients.dtype.kind == "f" else xp.astype(condition, gradients.dtype)
    )


def _selected(condition: Tensor, value: Tensor) -> Tensor:
    return raw.SelectV2(condition, value, like(value, 0))


# G. Klambauer et al., "Self-Normalizing Neural Networks", 2017, appendix A.
_SELU_SCALE, _SELU_SCALE_ALPHA = 1.0507009873554804934193349852946, 1.7580993408473768599402175208123


def _softsign_second(gradients: Tensor, x: Tensor, dz: Tensor) -> Tensor:
    return (
        like(x, -2, scalar=True)
        * raw.Sign(x)
        * dz
        * raw.SoftsignGrad(gradients, x)
        / (like(x, 1, scalar=True) + raw.Abs(x))
    )


_activation(
    "Relu", "real|qint8", lambda xp, x: xp.maximum(x, xp.zeros((), dtype=x.dtype)),
    lambda xp, g, x: _only_where(xp, x > 0, g), "features", None,
)  # fmt: skip
_activation(
    "Relu6", "real",
    lambda xp, x: xp.clip(x, xp.zeros((), dtype=x.dtype), xp.asarray(6, dtype=x.dtype)),
    lambda xp, g, x: _only_where(xp, (x > 0) & (x < 6), g), "features", None,
)  # fmt: skip
_activation(
    "LeakyRelu", "floating = float32", lambda xp, x, *, alpha: xp.where(x > 0, x, x * alpha),
    lambda xp, g, x, *, alpha: xp.where(x > 0, g, g * alpha), "features", None, "alpha: float = 0.2",
)  # fmt: skip
_activation(
    "Elu", "floating", lambda xp, x: xp.where(x < 0, xp.expm1(x), x),
    lambda xp, g, y: xp.where(y < 0, g * (y + 1), g), "outputs",
    lambda g, y, dz: _selected(y < like(y, 0, scalar=True), dz * g),
)  # fmt: skip
_activation(
    "Selu", "floating",
    lambda xp, x: xp.where(x < 0, _SELU_SCALE_ALPHA * xp.expm1(x), _SELU_SCALE * x),
    lambda xp, g, y: xp.where(y < 0, g * (y + _SELU_SCALE_ALPHA), g * _SELU_SCALE), "outputs",
    lambda g, y, dz: _selected(y < like(y, 0, scalar=True), dz * g),
)  # fmt: skip
_activation(
    "Softplus", "floating",
    lambda xp, x: xp.maximum(x, xp.zeros((), dtype=x.dtype)) + xp.log1p(xp.exp(-xp.abs(x))),
    lambda xp, g, x: g / (1 + xp.exp(-x)), "features",
    lambda g, x, dz: dz * g / (raw.Exp(-x) + like(x, 2, scalar=True) + raw.Exp(x)),
)  # fmt: skip
_activation(
    "Softsign", "floating", lambda xp, x: x / (1 + xp.abs(x)),
    lambda xp, g, x: g / xp.square(1 + xp.abs(x)), "features", _softsign_second,
)  # fmt: skip

# ------------------------------------------------------------------------------------------------- softmax


def softmax_of(xp: Any, logits: Any) -> Any:
    """The softmax over the last axis, through the largest element so that no exponential overflows."""
    powers = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    powers /= xp.sum(powers, axis=-1, keepdims=True)
    return powers


def log_softmax_of(xp: Any, logits: Any) -> Any:
    """The logarithm of the softmax over the last axis."""
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    shifted -= xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))
    return shifted


def _logits_dims(logits: Tensor) -> Dims:
    return with_rank_at_least(logits, 1, "logits")


def _over_last_axis(name: str, output: str, function: Any) -> Op:
    @widened
    def kernel(xp: Any, logits: Any) -> Any:
        if not logits.shape:
            raise ValueError("logits must have >= 1 dimension, got []")
        return function(xp, logits) if 0 not in logits.shape else logits

    schema = f"{name}[T: floating](logits: T) -> ({output}: T)"
    return register(Op(schema, kernel=kernel, shape=_logits_dims, quiet=True))


_LAST = np.array([-1], np.int32)


@_over_last_axis("Softmax", "softmax", softmax_of).gradient
def _(call: Any, dy: Tensor) -> Tensor:
    softmax = call.outputs[0]
    return (dy - raw.Sum(dy * softmax, _LAST, keep_dims=True)) * softmax


@_over_last_axis("LogSoftmax", "logsoftmax", log_softmax_of).gradient
def _(call: Any, dy: Tensor) -> Tensor:
    return dy - raw.Sum(dy, _LAST, keep_dims=True) * raw.Exp(call.outputs[0])
