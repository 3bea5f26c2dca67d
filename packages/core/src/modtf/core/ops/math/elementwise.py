"""Element-wise arithmetic, comparison and choice."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import broadcast, merged, unchanged
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import check_same_shapes, conj, like, unbroadcast
from modtf.core.ops.kinds import is_complex, is_integer
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.errors import InvalidArgumentError, UnimplementedError
from modtf.core.values.shapes import Dims, broadcast_dims
from modtf.core.values.tensors import Tensor

_FC = "floating|complex"
_SIGNED = "floating|signed|complex"

# ------------------------------------------------------------------------------------------------- one operand


def _unary(name: str, types: str, kernel: Any, gradient: Any, quiet: bool = True) -> Op:
    """`gradient(x, y, dy)` is the rule; `None` says that nothing flows."""
    if callable(kernel):
        kernel = widened(kernel)
    made = register(Op(f"{name}[T: {types}](x: T) -> (y: T)", kernel=kernel, shape=unchanged, quiet=quiet))
    made.gradient(gradient and (lambda call, dy: gradient(call.inputs[0], call.outputs[0], dy)))
    return made


def _number(x: Tensor, value: float) -> Tensor:
    return like(x, value, scalar=True)


def _reciprocal(xp: Any, x: Any) -> Any:
    return _divide(xp, xp.ones_like(x), x) if is_integer(x) else 1 / x


_unary("Neg", _SIGNED, "negative", lambda x, y, dy: -dy, quiet=False)
_unary("Abs", "floating|signed", "abs", lambda x, y, dy: dy * raw.Sign(x), quiet=False)
_unary("Sign", _SIGNED, "sign", lambda x, y, dy: like(x, 0))
_unary("Square", "number", "square", lambda x, y, dy: dy * (conj(x) * _number(x, 2)))
_unary("Sqrt", _FC, "sqrt", lambda x, y, dy: raw.SqrtGrad(y, dy))
_unary("Rsqrt", _FC, lambda xp, x: 1 / xp.sqrt(x), lambda x, y, dy: raw.RsqrtGrad(y, dy))
_unary("Reciprocal", _SIGNED, _reciprocal, lambda x, y, dy: raw.ReciprocalGrad(y, dy))
_unary("Inv", _SIGNED, _reciprocal, lambda x, y, dy: raw.InvGrad(y, dy))
_unary("Exp", _FC, "exp", lambda x, y, dy: dy * conj(y))
_unary("Expm1", _FC, "expm1", lambda x, y, dy: dy * conj(raw.Exp(x)))
_unary("Log", _FC, "log", lambda x, y, dy: dy * raw.Reciprocal(conj(x)))
_unary("Log1p", _FC, "log1p", lambda x, y, dy: dy * raw.Reciprocal(_number(x, 1) + conj(x)))
_unary("Sin", _FC, "sin", lambda x, y, dy: dy * conj(raw.Cos(x)))
_unary("Cos", _FC, "cos", lambda x, y, dy: -dy * conj(raw.Sin(x)))
_unary("Tan", _FC, "tan", lambda x, y, dy: dy * conj(raw.Square(raw.Reciprocal(raw.Cos(x)))))
_unary("Asin", _FC, "asin", lambda x, y, dy: dy / conj(raw.Sqrt(_number(x, 1) - raw.Square(x))))
_unary("Acos", _FC, "acos", lambda x, y, dy: -dy / conj(raw.Sqrt(_number(x, 1) - raw.Square(x))))
_unary("Atan", _FC, "atan", lambda x, y, dy: dy / conj(_number(x, 1) + raw.Square(x)))
_unary("Sinh", _FC, "sinh", lambda x, y, dy: dy * conj(raw.Cosh(x)))
_unary("Cosh", _FC, "cosh", lambda x, y, dy: dy * conj(raw.Sinh(x)))
_unary("Asinh", _FC, "asinh", lambda x, y, dy: dy / conj(raw.Cosh(y)))
_unary("Acosh", _FC, "acosh", lambda x, y, dy: dy / conj(raw.Sinh(y)))
_unary("Atanh", _FC, "atanh", lambda x, y, dy: dy * raw.Reciprocal(_number(x, 1) - raw.Square(conj(x))))
# Through tanh, so that no exponential overflows.
_unary(
    "Sigmoid", _FC, widened(lambda xp, x: 0.5 * (xp.tanh(0.5 * x) + 1)), lambda x, y, dy: raw.SigmoidGrad(conj(y), dy)
)
_unary("Tanh", _FC, "tanh", lambda x, y, dy: raw.TanhGrad(conj(y), dy))
_unary("Floor", "floating", "floor", None)
_unary("Ceil", "floating", "ceil", None)
_unary("Rint", "floating", "round", None)
_unary("Round", _SIGNED, "round", None)

for _name, _kernel in {"IsNan": "isnan", "IsInf": "isinf", "IsFinite": "isfinite"}.items():
    register(Op(f"{_name}[T: floating](x: T) -> (y: bool)", kernel=_kernel, shape=unchanged)).gradient(None)

register(Op("LogicalNot(x: bool) -> (y: bool)", kernel="logical_not", shape=unchanged)).gradient(None)


def _from_output(name: str, conjugates: bool, kernel: Any, gradient: Any) -> None:
    """The gradient ops: of an op's output `y` and the gradient `dy` that flows into it.

    Args:
        name: The op's name.
        conjugates: Whether it conjugates `y`; otherwise, it is given the conjugate.
        kernel: `kernel(xp, y, dy)`.
        gradient: `gradient(y, dy, z, dz)`, where `z` is its own output.
    """

    @widened
    def computed(xp: Any, y: Any, dy: Any) -> Any:
        check_same_shapes("y and dy", y, dy)
        return kernel(xp, xp.conj(y) if conjugates and is_complex(y) else y, dy)

    made = register(Op(f"{name}[T: {_FC}](y: T, dy: T) -> (z: T)", kernel=computed, shape=unchanged, quiet=True))
    made.gradient(lambda call, dz: gradient(*call.inputs, call.outputs[0], dz))


def _nothing_of_nothing(kernel: Any) -> Any:
    """No gradient flows on where none arrives, though a root's slope may be infinite there."""

    def where_any(xp: Any, y: Any, dy: Any) -> Any:
        zero = xp.zeros((), dtype=dy.dtype)
        return xp.where(dy == zero, zero, kernel(y, dy))

    return where_any


def _tanh_grad_gradient(y: Tensor, dy: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    return dz * _number(y, -2) * conj(dy) * conj(y), raw.TanhGrad(conj(y), dz)


def _sigmoid_grad_gradient(y: Tensor, dy: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    both = dz * conj(dy)
    return both - _number(y, 2) * both * conj(y), raw.SigmoidGrad(conj(y), dz)


def _sqrt_grad_gradient(y: Tensor, dy: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    quotient = dz / y
    return -conj(quotient) * z, _number(y, 0.5) * quotient


def _rsqrt_grad_gradient(y: Tensor, dy: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    return _number(y, -1.5) * conj(dz) * dy * raw.Square(conj(y)), raw.RsqrtGrad(conj(y), dz)


def _reciprocal_grad_gradient(y: Tensor, dy: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    return conj(dz) * _number(y, -2) * dy * conj(y), raw.ReciprocalGrad(conj(y), dz)


_from_output("TanhGrad", False, lambda xp, y, dy: dy * (1 - y * y), _tanh_grad_gradient)
_from_output("SigmoidGrad", False, lambda xp, y, dy: dy * y * (1 - y), _sigmoid_grad_gradient)
_from_output("SqrtGrad", True, _nothing_of_nothing(lambda y, dy: dy * 0.5 / y), _sqrt_grad_gradient)
_from_output("RsqrtGrad", True, _nothing_of_nothing(lambda y, dy: dy * y * (-0.5 * y * y)), _rsqrt_grad_gradient)
for _name in ("ReciprocalGrad", "InvGrad"):
    _from_output(_name, True, _nothing_of_nothing(lambda y, dy: -dy * y * y), _reciprocal_grad_gradient)


# ------------------------------------------------------------------------------------------------- two operands


_UNDEFINED = object()


def _binary(name: str, types: str, kernel: Any, gradient: Any, quiet: bool = True, names: str = "x y") -> Op:
    """`gradient(x, y, z, dz)` gives the gradients before they are summed back to the operands' shapes.

    `None` says that nothing flows, and `_UNDEFINED` that TensorFlow defines no gradient.
    """
    first, second = names.split()
    made = register(
        Op(f"{name}[T: {types}]({first}: T, {second}: T) -> (z: T)", kernel=kernel, shape=broadcast, quiet=quiet)
    )
    if gradient is _UNDEFINED:
        return made
    if gradient is None:
        made.gradient(None)
        return made

    def rule(call: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
        x, y = call.inputs
        dx, dy = gradient(x, y, call.outputs[0], dz)
        return unbroadcast(dx, x, y), unbroadcast(dy, y, x)

    made.gradient(rule)
    return made


def _refuse_zero(xp: Any, x: Any, y: Any) -> None:
    """Raises for integer divisors of zero; only where values can be looked at."""
    if xp is np and y.dtype.kind in "iu" and x.size and not np.all(y):
        raise InvalidArgumentError("Integer division by zero")


def _divide(xp: Any, x: Any, y: Any) -> Any:
    """The quotient; of integers, rounded towards zero."""
    if not is_integer(x):
        return xp.divide(x, y)
    _refuse_zero(xp, x, y)
    quotient = xp.floor_divide(x, y)
    return xp.where((quotient < 0) & (quotient * y != x), quotient + 1, quotient)


def _real_divide(xp: Any, x: Any, y: Any) -> Any:
    if is_integer(x):
        raise UnimplementedError("There is no RealDiv of integers, as in TensorFlow; cast them, or use FloorDiv")
    return xp.divide(x, y)


def _truncated_divide(xp: Any, x: Any, y: Any) -> Any:
    return _divide(xp, x, y) if is_integer(x) or is_complex(x) else xp.trunc(xp.divide(x, y))


def _floor_divide(xp: Any, x: Any, y: Any) -> Any:
    if not is_integer(x):
        return xp.floor(xp.divide(x, y))
    _refuse_zero(xp, x, y)
    return xp.floor_divide(x, y)


def _floor_mod(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, x, y)
    return xp.remainder(x, y)


def _truncated_mod(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, x, y)
    return xp.fmod(x, y)


def _squared_difference(xp: Any, x: Any, y: Any) -> Any:
    difference = x - y
    return (xp.conj(difference) if is_complex(x) else difference) * difference


def _where(xp: Any, condition: Any, value: Any) -> Any:
    """`value` where the condition holds, else 0, whatever `value` is there."""
    return xp.where(condition, value, xp.zeros_like(value))


def _if(condition: Tensor, value: Tensor) -> Tensor:
    return raw.SelectV2(condition, value, like(value, 0))


def _larger_gets(takes_x: Any) -> Any:
    """All of the gradient goes to the operand that was taken, and to the first if they are equal."""

    def gradient(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
        taken = takes_x(x, y)
        return _if(taken, dz), _if(raw.LogicalNot(taken), dz)

    return gradient


def _quotient_gradient(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    x, y = conj(x), conj(y)
    return dz / y, dz * (-x / y / y)


def _power_gradient(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    x, y, z = conj(x), conj(y), conj(z)
    zero = _number(x, 0)
    defined = raw.NotEqual(x, zero) if x.dtype.is_complex else x > zero
    logarithm = _if(defined, raw.Log(raw.SelectV2(defined, x, like(x, 1))))
    return dz * y * raw.Pow(x, y - _number(y, 1)), dz * z * logarithm


def _squared_difference_gradient(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    dx = dz * _number(dz, 2) * (x - y)
    return dx, -dx


def _atan2_gradient(y: Tensor, x: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    share = dz / (raw.Square(x) + raw.Square(y))
    return x * share, -y * share


def _not_zero(x: Tensor) -> Tensor:
    return raw.Cast(raw.NotEqual(x, _number(x, 0)), DstT=x.dtype)


_binary("Add", "floating|complex|signed|uint8|string", "add", lambda x, y, z, dz: (dz, dz), quiet=False)
_binary("AddV2", "number", "add", lambda x, y, z, dz: (dz, dz), quiet=False)
_binary("Sub", "number", "subtract", lambda x, y, z, dz: (dz, -dz), quiet=False)
_binary("Mul", "number", "multiply", lambda x, y, z, dz: (dz * conj(y), dz * conj(x)), quiet=False)
_binary("MulNoNan", _FC, lambda xp, x, y: _where(xp, y != 0, x * y),
        lambda x, y, z, dz: (raw.MulNoNan(dz, y), raw.MulNoNan(x, dz)))  # fmt: skip
_binary("Div", "number", _divide, _quotient_gradient)
_binary("RealDiv", "number", _real_divide, _quotient_gradient)
_binary("TruncateDiv", "number", _truncated_divide, None)
_binary("FloorDiv", "number", _floor_divide, None)
_binary("FloorMod", "real", _floor_mod, lambda x, y, z, dz: (dz, -dz * raw.FloorDiv(x, y)))
_binary("Mod", "index|floating", _truncated_mod, _UNDEFINED)
_binary("TruncateMod", "index|floating", _truncated_mod, _UNDEFINED)
_binary("DivNoNan", _FC, lambda xp, x, y: _where(xp, y != 0, x / y),
        lambda x, y, z, dz: (raw.DivNoNan(dz, conj(y)), dz * conj(raw.DivNoNan(raw.DivNoNan(-x, y), y))))  # fmt: skip
_binary("Pow", _SIGNED, "pow", _power_gradient)
_binary("Maximum", "real", "maximum", _larger_gets(lambda x, y: x >= y), quiet=False)
_binary("Minimum", "real", "minimum", _larger_gets(lambda x, y: x <= y), quiet=False)
_binary("SquaredDifference", "floating|complex|index", _squared_difference, _squared_difference_gradient)
_binary("Atan2", "floating", "atan2", _atan2_gradient, names="y x")
_binary("Xlogy", _FC, lambda xp, x, y: _where(xp, x != 0, x * xp.log(y)),
        lambda x, y, z, dz: (dz * raw.Xlogy(_not_zero(x), y), dz * raw.Xdivy(x, y)))  # fmt: skip
_binary("Xlog1py", _FC, lambda xp, x, y: _where(xp, x != 0, x * xp.log1p(y)),
        lambda x, y, z, dz: (dz * raw.Xlog1py(_not_zero(x), y), dz * raw.Xdivy(x, y + _number(y, 1))))  # fmt: skip
_binary("Xdivy", _FC, lambda xp, x, y: _where(xp, x != 0, x / y),
        lambda x, y, z, dz: (dz * raw.Xdivy(_not_zero(x), y), dz * raw.Xdivy(-x, raw.Square(y))))  # fmt: skip

next_after = register(
    Op(
        "NextAfter[T: float32|float64 = float32](x1: T, x2: T) -> (output: T)",
        kernel=lambda xp, x1, x2: xp.nextafter(x1, x2),
        shape=broadcast,
    )
)


@next_after.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    x1, x2 = call.inputs
    return unbroadcast(dy, x1, x2), unbroadcast(like(dy, 0), x2, x1)


def _sum_of_all(xp: Any, inputs: list[Any], **attrs: Any) -> Any:
    if not inputs:
        raise ValueError("a sum needs one tensor at least")
    check_same_shapes("inputs", *inputs)
    total = inputs[0]
    for item in inputs[1:]:
        total = total + item
    return total


add_n = register(
    Op(
        "AddN[T: number|quantized|variant](inputs: N * T) -> (sum: T)",
        kernel=_sum_of_all,
        shape=lambda inputs: merged(*(tensor.dims for tensor in inputs)),
    )
)
accumulate_n = register(
    Op(
        "AccumulateNV2[T: number|quantized](inputs: N * T, *, shape: shape) -> (sum: T)",
        kernel=_sum_of_all,
        shape=lambda inputs, *, shape: merged(shape.dims, *(tensor.dims for tensor in inputs)),
    )
)
for _op in (add_n, accumulate_n):
    _op.gradient(lambda call, dy: [dy] * len(call.inputs))


# ------------------------------------------------------------------------------------------------- comparison

_ORDERED = {"Less": "less", "LessEqual": "less_equal", "Greater": "greater", "GreaterEqual": "greater_equal"}
for _name, _kernel in _ORDERED.items():
    register(Op(f"{_name}[T: real](x: T, y: T) -> (z: bool)", kernel=_kernel, shape=broadcast)).gradient(None)

for _name, _kernel in {"LogicalAnd": "logical_and", "LogicalOr": "logical_or"}.items():
    register(Op(f"{_name}(x: bool, y: bool) -> (z: bool)", kernel=_kernel, shape=broadcast)).gradient(None)


def _do_broadcast(x: Dims, y: Dims) -> bool:
    try:
        broadcast_dims(x, y)
    except ValueError:
        return False
    return True


def _equality_shape(x: Tensor, y: Tensor, *, incompatible_shape_error: bool) -> Dims:
    if incompatible_shape_error:
        return broadcast(x, y)
    if not _do_broadcast(x.dims, y.dims):
        return ()
    if x.dims is None or y.dims is None:
        return None
    # An unknown size beside one that is not 1 may turn out to be another, and the result a scalar.
    beside = zip(reversed(x.dims), reversed(y.dims), strict=False)
    return None if any(None in pair and 1 not in pair for pair in beside) else broadcast(x, y)


def _equality(name: str, function: str, unequal_shapes: bool) -> None:
    def kernel(xp: Any, x: Any, y: Any, *, incompatible_shape_error: bool) -> Any:
        try:
            return getattr(xp, function)(x, y)
        except (ValueError, TypeError):
            if incompatible_shape_error or _do_broadcast(x.shape, y.shape):
                raise
            return xp.asarray(unequal_shapes)

    schema = f"{name}[T](x: T, y: T, *, incompatible_shape_error: bool = True) -> (z: bool)"
    register(Op(schema, kernel=kernel, shape=_equality_shape)).gradient(None)


_equality("Equal", "equal", False)
_equality("NotEqual", "not_equal", True)


@op(
    "ApproximateEqual[T: number|quantized](x: T, y: T, *, tolerance: float = 1e-05) -> (z: bool)",
    shape=lambda x, y, *, tolerance: merged(x.dims, y.dims),
    quiet=True,
)
def approximate_equal(xp: Any, x: Any, y: Any, *, tolerance: float) -> Any:
    check_same_shapes("x and y", x, y)
    return xp.abs(x - y) <= tolerance


approximate_equal.gradient(None)


# ------------------------------------------------------------------------------------------------- choice

select = register(Op("SelectV2[T](condition: bool, t: T, e: T) -> (output: T)", kernel="where", shape=broadcast))


@select.gradient
def _(call: Any, dy: Tensor) -> tuple[Any, ...]:
    condition, t, e = call.inputs
    zero = like(dy, 0)
    dt, de = raw.SelectV2(condition, dy, zero), raw.SelectV2(condition, zero, dy)
    return None, unbroadcast(dt, t, dy), unbroadcast(de, e, dy)


@op("Select[T](condition: bool, t: T, e: T) -> (output: T)", shape=lambda condition, t, e: merged(t.dims, e.dims))
def select_rows(xp: Any, condition: Any, t: Any, e: Any) -> Any:
    check_same_shapes("t and e", t, e)
    if condition.ndim == 1 and t.ndim > 1:  # a vector chooses rows
        if condition.shape[0] != t.shape[0]:
            raise ValueError(f"condition has {condition.shape[0]} elements, but t and e have {t.shape[0]} rows")
        condition = xp.reshape(condition, (-1,) + (1,) * (t.ndim - 1))
    elif condition.ndim:
        check_same_shapes("condition, t and e", condition, t)
    return xp.where(condition, t, e)


@select_rows.gradient
def _(call: Any, dy: Tensor) -> tuple[Any, ...]:
    condition, zero = call.inputs[0], like(dy, 0)
    return None, raw.Select(condition, dy, zero), raw.Select(condition, zero, dy)


@op(
    "ClipByValue[T: number|quantized](t: T, clip_value_min: T, clip_value_max: T) -> (output: T)",
    shape=lambda t, clip_value_min, clip_value_max: t.dims,
)
def clip_by_value(xp: Any, t: Any, clip_value_min: Any, clip_value_max: Any) -> Any:
    for bound in (clip_value_min, clip_value_max):
        if bound.shape not in ((), t.shape):
            raise InvalidArgumentError(
                "clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. "
                f"Input shape: {list(t.shape)}, bound: {list(bound.shape)}"
            )
    return xp.maximum(xp.minimum(t, clip_value_max), clip_value_min)


@clip_by_value.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    t, low, high = call.inputs
    zero = like(dy, 0)
    below, above = t < low, t > high
    return (
        raw.SelectV2(raw.LogicalOr(below, above), zero, dy),
        unbroadcast(raw.SelectV2(below, dy, zero), low, t),
        unbroadcast(raw.SelectV2(above, dy, zero), high, t),
    )
