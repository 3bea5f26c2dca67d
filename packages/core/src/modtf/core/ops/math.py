"""Element-wise arithmetic, comparison, and matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import broadcast, unchanged, with_rank_at_least
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, op, register
from modtf.core.ops.common import conj, like, unbroadcast
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import broadcast_dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- one operand


def _unary(name: str, types: str, kernel: Any, gradient: Any, quiet: bool = True) -> Op:
    """`gradient(x, y, dy)` is the rule; `None` says that nothing flows."""
    made = register(Op(f"{name}[T: {types}](x: T) -> (y: T)", kernel=kernel, shape=unchanged, quiet=quiet))
    made.gradient(gradient and (lambda call, dy: gradient(call.inputs[0], call.outputs[0], dy)))
    return made


_FC = "floating|complex"
_unary("Neg", "number", "negative", lambda x, y, dy: -dy, quiet=False)
_unary("Abs", "floating|signed", "abs", lambda x, y, dy: dy * raw.Sign(x), quiet=False)
_unary("Sign", "floating|signed|complex", "sign", lambda x, y, dy: like(x, 0), quiet=False)
_unary("Square", "number", "square", lambda x, y, dy: dy * (conj(x) * like(x, 2, scalar=True)))
_unary("Sqrt", _FC, "sqrt", lambda x, y, dy: dy * like(x, 0.5, scalar=True) / conj(y))
_unary("Rsqrt", _FC, lambda xp, x: 1 / xp.sqrt(x), lambda x, y, dy: dy * like(x, -0.5, scalar=True) * conj(y * y * y))
_unary("Exp", _FC, "exp", lambda x, y, dy: dy * conj(y))
_unary("Expm1", _FC, "expm1", lambda x, y, dy: dy * conj(raw.Exp(x)))
_unary("Log", _FC, "log", lambda x, y, dy: dy / conj(x))
_unary("Log1p", _FC, "log1p", lambda x, y, dy: dy / (like(x, 1, scalar=True) + conj(x)))
_unary("Sin", _FC, "sin", lambda x, y, dy: dy * conj(raw.Cos(x)))
_unary("Cos", _FC, "cos", lambda x, y, dy: -dy * conj(raw.Sin(x)))
_unary("Tan", _FC, "tan", lambda x, y, dy: dy / conj(raw.Square(raw.Cos(x))))
_unary("Asin", _FC, "asin", lambda x, y, dy: dy / conj(raw.Sqrt(like(x, 1, scalar=True) - x * x)))
_unary("Acos", _FC, "acos", lambda x, y, dy: -dy / conj(raw.Sqrt(like(x, 1, scalar=True) - x * x)))
_unary("Atan", _FC, "atan", lambda x, y, dy: dy / conj(like(x, 1, scalar=True) + x * x))
_unary("Sinh", _FC, "sinh", lambda x, y, dy: dy * conj(raw.Cosh(x)))
_unary("Cosh", _FC, "cosh", lambda x, y, dy: dy * conj(raw.Sinh(x)))
_unary("Floor", "floating", "floor", None)
_unary("Ceil", "floating", "ceil", None)
_unary("Rint", "floating", "round", None)
_unary("Round", "number", "round", None)
_unary("Reciprocal", "number", lambda xp, x: 1 / x, lambda x, y, dy: -dy * conj(y * y))
_unary("Conj", "complex", "conj", lambda x, y, dy: raw.Conj(dy), quiet=False)
_unary("LogicalNot", "bool", "logical_not", None, quiet=False)
_unary("Tanh", _FC, "tanh", lambda x, y, dy: raw.TanhGrad(conj(y), dy))
_unary("Sigmoid", _FC, lambda xp, x: _logistic(xp, x), lambda x, y, dy: raw.SigmoidGrad(conj(y), dy))
_unary("Erf", "floating", lambda xp, x: _erf(xp, x), lambda x, y, dy: _erf_gradient(x, dy))


def _logistic(xp: Any, x: Any) -> Any:
    # Through tanh, so that no exponential overflows.
    return 0.5 * (xp.tanh(0.5 * x) + 1)


# Rational approximations of erf on [0, 0.84375), and of erfc through exp(-x*x) beyond; W. J. Cody, "Rational Chebyshev
# Approximations for the Error Function", Math. Comp. 23 (1969). Absolute error below 1e-15 in float64.
_ERF_P = (3.16112374387056560e00, 1.13864154151050156e02, 3.77485237685302021e02, 3.20937758913846947e03, 1.85777706184603153e-1)
_ERF_Q = (2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03)
_ERFC_P = (
    5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01, 2.98635138197400131e02,
    8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03, 1.23033935479799725e03, 2.15311535474403846e-8,
)  # fmt: skip
_ERFC_Q = (
    1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
    3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03,
)  # fmt: skip
_ERFC_FAR_P = (
    3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2,
    6.58749161529837803e-4, 1.63153871373020978e-2,
)  # fmt: skip
_ERFC_FAR_Q = (
    2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
)  # fmt: skip


def _ratio(z: Any, p: Any, q: Any) -> Any:
    top, bottom = p[-1] * z, z
    for a, b in zip(p[:-2], q[:-1], strict=True):
        top, bottom = (top + a) * z, (bottom + b) * z
    return (top + p[-2]) / (bottom + q[-1])


def _erf(xp: Any, x: Any) -> Any:
    wide = xp.astype(x, xp.float64)
    size = xp.abs(wide)
    near = wide * _ratio(wide * wide, _ERF_P, _ERF_Q)
    middle_size = xp.clip(size, 0.46875, 4.0)
    middle = 1 - xp.exp(-middle_size * middle_size) * _ratio(middle_size, _ERFC_P, _ERFC_Q)
    far_size = xp.clip(size, 4.0, 30.0)
    z = 1 / (far_size * far_size)
    far = 1 - xp.exp(-far_size * far_size) / far_size * (0.5641895835477563 - z * _ratio(z, _ERFC_FAR_P, _ERFC_FAR_Q))
    beyond = xp.sign(wide) * xp.where(size <= 4.0, middle, far)
    result = xp.where(size <= 0.46875, near, beyond)
    return xp.astype(xp.where(xp.isnan(wide), wide, result), x.dtype)


def _erf_gradient(x: Tensor, dy: Tensor) -> Tensor:
    return dy * like(x, 2 / np.sqrt(np.pi), scalar=True) * raw.Exp(-raw.Square(x))


def _from_output(name: str, kernel: Any, gradient: Any) -> None:
    """The gradient ops that take an op's output `y` and the gradient `dy` flowing into it."""
    made = register(Op(f"{name}[T: {_FC}](y: T, dy: T) -> (z: T)", kernel=kernel, shape=unchanged, quiet=True))
    made.gradient(lambda call, dz: gradient(conj(call.inputs[0]), conj(call.inputs[1]), dz))


_from_output(
    "TanhGrad", lambda xp, y, dy: dy * (1 - y * y), lambda y, dy, dz: (dz * like(y, -2, scalar=True) * dy * y, raw.TanhGrad(y, dz))
)
_from_output(
    "SigmoidGrad",
    lambda xp, y, dy: dy * y * (1 - y),
    lambda y, dy, dz: (dz * dy - like(y, 2, scalar=True) * dz * dy * y, raw.SigmoidGrad(y, dz)),
)

for _name, _kernel in {"IsNan": "isnan", "IsInf": "isinf", "IsFinite": "isfinite"}.items():
    register(Op(f"{_name}[T: floating](x: T) -> (y: bool)", kernel=_kernel, shape=unchanged)).gradient(None)


# ------------------------------------------------------------------------------------------------- two operands


def _binary(name: str, types: str, kernel: Any, gradient: Any, quiet: bool = True) -> Op:
    """`gradient(x, y, z, dz)` gives the gradients before they are summed back to the operands' shapes."""
    made = register(Op(f"{name}[T: {types}](x: T, y: T) -> (z: T)", kernel=kernel, shape=broadcast, quiet=quiet))
    if gradient is None:
        made.gradient(None)
        return made

    def rule(call: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
        x, y = call.inputs
        dx, dy = gradient(x, y, call.outputs[0], dz)
        return unbroadcast(dx, x, y), unbroadcast(dy, y, x)

    made.gradient(rule)
    return made


def _where_zero(condition: Tensor, value: Tensor) -> Tensor:
    return raw.SelectV2(condition, value, like(value, 0))


def _power_gradient(x: Tensor, y: Tensor, z: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    x, y, z = conj(x), conj(y), conj(z)
    one = like(x, 1, scalar=True)
    positive = raw.NotEqual(x, like(x, 0, scalar=True)) if x.dtype.is_complex else x > like(x, 0, scalar=True)
    logarithm = raw.SelectV2(positive, raw.Log(raw.SelectV2(positive, x, like(x, 1))), like(x, 0))
    return dz * y * raw.Pow(x, y - one), dz * z * logarithm


def _floor_divide(xp: Any, x: Any, y: Any) -> Any:
    _refuse_zero(xp, y)
    return xp.floor_divide(x, y)


def _refuse_zero(xp: Any, y: Any) -> None:
    if xp is np and y.dtype.kind in "iu" and not np.all(y):
        raise ValueError("Integer division by zero")


def _truncated_divide(xp: Any, x: Any, y: Any) -> Any:
    if not xp.isdtype(x.dtype, "integral"):
        return xp.divide(x, y)
    _refuse_zero(xp, y)
    quotient = xp.floor_divide(xp.abs(x), xp.abs(y))
    return xp.where((x < 0) != (y < 0), -quotient, quotient)


_binary("Add", "number", "add", lambda x, y, z, dz: (dz, dz), quiet=False)
_binary("Sub", "number", "subtract", lambda x, y, z, dz: (dz, -dz), quiet=False)
_binary("Mul", "number", "multiply", lambda x, y, z, dz: (dz * conj(y), dz * conj(x)), quiet=False)
_binary("Div", "number", _truncated_divide, lambda x, y, z, dz: (dz / conj(y), -dz * conj(z / y)))
_binary("RealDiv", "number", "divide", lambda x, y, z, dz: (dz / conj(y), -dz * conj(z / y)))
_binary("FloorDiv", "number", _floor_divide, None)
_binary("FloorMod", "real", lambda xp, x, y: (_refuse_zero(xp, y), xp.remainder(x, y))[1],
        lambda x, y, z, dz: (dz, -dz * raw.FloorDiv(x, y)))  # fmt: skip
_binary("DivNoNan", _FC, lambda xp, x, y: xp.where(y == 0, x * 0, x / xp.where(y == 0, y * 0 + 1, y)),
        lambda x, y, z, dz: (raw.DivNoNan(dz, conj(y)), -dz * conj(raw.DivNoNan(raw.DivNoNan(x, y), y))))  # fmt: skip
_binary("Pow", "floating|complex|signed", "pow", _power_gradient)
_binary("Maximum", "real", "maximum", lambda x, y, z, dz: (_where_zero(x >= y, dz), _where_zero(x < y, dz)), quiet=False)
_binary("Minimum", "real", "minimum", lambda x, y, z, dz: (_where_zero(x <= y, dz), _where_zero(x > y, dz)), quiet=False)
_binary("SquaredDifference", "number", lambda xp, x, y: xp.conj(x - y) * (x - y) if xp.isdtype(x.dtype, "complex floating")
        else xp.square(x - y), lambda x, y, z, dz: _squared_difference_gradient(x, y, dz))  # fmt: skip
_binary("Atan2", "floating", "atan2", lambda x, y, z, dz: (dz * y / (x * x + y * y), -dz * x / (x * x + y * y)))


def _squared_difference_gradient(x: Tensor, y: Tensor, dz: Tensor) -> tuple[Tensor, Tensor]:
    dx = dz * like(dz, 2, scalar=True) * conj(x - y)
    return dx, -dx


@op("AddV2[T: number|string](x: T, y: T) -> (z: T)", shape=broadcast)
def add(xp: Any, x: Any, y: Any) -> Any:
    return xp.add(x, y)


add.kernel = "add"


@add.gradient
def _(call: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
    x, y = call.inputs
    return unbroadcast(dz, x, y), unbroadcast(dz, y, x)


@op("AddN[T: number](inputs: N * T) -> (sum: T)", shape=lambda inputs: broadcast_dims(*(t.dims for t in inputs)))
def add_n(xp: Any, inputs: list[Any]) -> Any:
    total = inputs[0]
    for item in inputs[1:]:
        total = total + item
    return total


@add_n.gradient
def _(call: Any, dy: Tensor) -> list[Tensor]:
    return [dy] * len(call.inputs)


_ORDERED = {"Less": "less", "LessEqual": "less_equal", "Greater": "greater", "GreaterEqual": "greater_equal"}
for _name, _kernel in _ORDERED.items():
    register(Op(f"{_name}[T: real](x: T, y: T) -> (z: bool)", kernel=_kernel, shape=broadcast)).gradient(None)


def _equality_shape(x: Tensor, y: Tensor, *, incompatible_shape_error: bool) -> Any:
    return broadcast(x, y) if incompatible_shape_error else None


def _equality(name: str, function: str, unequal_shapes: bool) -> None:
    def kernel(xp: Any, x: Any, y: Any, *, incompatible_shape_error: bool) -> Any:
        if not incompatible_shape_error:
            try:
                broadcast_dims(x.shape, y.shape)
            except ValueError:
                return xp.asarray(unequal_shapes)
        return xp.asarray(getattr(xp, function)(x, y), dtype=xp.bool)

    schema = f"{name}[T](x: T, y: T, *, incompatible_shape_error: bool = True) -> (z: bool)"
    register(Op(schema, kernel=kernel, shape=_equality_shape)).gradient(None)


_equality("Equal", "equal", False)
_equality("NotEqual", "not_equal", True)

for _name, _kernel in {"LogicalAnd": "logical_and", "LogicalOr": "logical_or"}.items():
    register(Op(f"{_name}(x: bool, y: bool) -> (z: bool)", kernel=_kernel, shape=broadcast)).gradient(None)


@op("SelectV2[T](condition: bool, t: T, e: T) -> (output: T)", shape=broadcast)
def select(xp: Any, condition: Any, t: Any, e: Any) -> Any:
    return xp.where(condition, t, e)


select.kernel = "where"


@select.gradient
def _(call: Any, dy: Tensor) -> tuple[Any, ...]:
    condition, t, e = call.inputs
    zero = like(dy, 0)
    dt, de = raw.SelectV2(condition, dy, zero), raw.SelectV2(condition, zero, dy)
    return None, unbroadcast(dt, t, dy), unbroadcast(de, e, dy)


# ------------------------------------------------------------------------------------------------- casts, complex


@op("Cast[SrcT](x: SrcT, *, DstT: type, Truncate: bool = False) -> (y: DstT)", shape=unchanged, quiet=True)
def cast(xp: Any, x: Any, *, DstT: DType, Truncate: bool) -> Any:  # noqa: N803 (the attributes' names)
    target = find_kernel_dtype(xp, DstT)
    if xp.isdtype(x.dtype, "complex floating") and not DstT.is_complex:
        x = xp.real(x)
    return xp.astype(x, target)


@cast.gradient
def _(call: Any, dy: Tensor) -> Any:
    source = call.inputs[0].dtype
    return raw.Cast(dy, DstT=source) if source.is_differentiable else None


def _complex_parts(name: str, function: str) -> Op:
    schema = f"{name}[T: complex = complex64](input: T, *, Tout: type(floating) = float32) -> (output: Tout)"
    return register(
        Op(schema, kernel=lambda xp, x, *, Tout: xp.astype(getattr(xp, function)(x), find_kernel_dtype(xp, Tout)), shape=unchanged)
    )


_complex_parts("Real", "real").gradient(lambda call, dy: raw.Complex(dy, like(dy, 0), Tout=call.inputs[0].dtype))
_complex_parts("Imag", "imag").gradient(lambda call, dy: raw.Complex(like(dy, 0), -dy, Tout=call.inputs[0].dtype))


@op("Complex[T: floating = float32](real: T, imag: T, *, Tout: type(complex) = complex64) -> (out: Tout)", shape=broadcast)
def make_complex(xp: Any, real: Any, imag: Any, *, Tout: DType) -> Any:  # noqa: N803
    return xp.astype(real, find_kernel_dtype(xp, Tout)) + xp.astype(imag, find_kernel_dtype(xp, Tout)) * 1j


@make_complex.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    real, imag = call.inputs
    return (
        unbroadcast(raw.Real(dy, Tout=real.dtype), real, imag),
        unbroadcast(raw.Imag(dy, Tout=real.dtype), imag, real),
    )


# ------------------------------------------------------------------------------------------------- matrix products


def _matmul_dims(a: Tensor, b: Tensor, flip_a: bool, flip_b: bool) -> Any:
    a_dims, b_dims = with_rank_at_least(a, 2, "a"), with_rank_at_least(b, 2, "b")
    if a_dims is None or b_dims is None:
        return None
    rows, inner_a = a_dims[-2:] if not flip_a else a_dims[-2:][::-1]
    inner_b, columns = b_dims[-2:] if not flip_b else b_dims[-2:][::-1]
    if inner_a is not None and inner_b is not None and inner_a != inner_b:
        raise ValueError(f"Matrix size-incompatible: In[0]: {list(a_dims)}, In[1]: {list(b_dims)}")
    return (*(broadcast_dims(a_dims[:-2], b_dims[:-2]) or ()), rows, columns)


def _matmul(xp: Any, a: Any, b: Any, flip_a: bool, flip_b: bool, adjoint: bool) -> Any:
    if flip_a:
        a = xp.matrix_transpose(xp.conj(a) if adjoint and xp.isdtype(a.dtype, "complex floating") else a)
    if flip_b:
        b = xp.matrix_transpose(xp.conj(b) if adjoint and xp.isdtype(b.dtype, "complex floating") else b)
    return xp.matmul(a, b)


@op(
    "MatMul[T: number](a: T, b: T, *, transpose_a: bool = False, transpose_b: bool = False, grad_a: bool = False, "
    "grad_b: bool = False) -> (product: T)",
    shape=lambda a, b, *, transpose_a, transpose_b, grad_a, grad_b: _matmul_dims(a, b, transpose_a, transpose_b),
)
def matmul(xp: Any, a: Any, b: Any, *, transpose_a: bool, transpose_b: bool, grad_a: bool, grad_b: bool) -> Any:
    return _matmul(xp, a, b, transpose_a, transpose_b, adjoint=False)


def _batch_matmul(version: str) -> None:
    made = register(
        Op(
            f"{version}[T: number](x: T, y: T, *, adj_x: bool = False, adj_y: bool = False, grad_x: bool = False, "
            "grad_y: bool = False) -> (output: T)",
            kernel=lambda xp, x, y, *, adj_x, adj_y, grad_x, grad_y: _matmul(xp, x, y, adj_x, adj_y, adjoint=True),
            shape=lambda x, y, *, adj_x, adj_y, grad_x, grad_y: _matmul_dims(x, y, adj_x, adj_y),
        )
    )
    made.gradient(lambda call, dy: _product_gradient(call, dy, raw.BatchMatMulV2, "adj_x", "adj_y"))


_batch_matmul("BatchMatMul")
_batch_matmul("BatchMatMulV2")
matmul.gradient(lambda call, dy: _product_gradient(call, dy, raw.MatMul, "transpose_a", "transpose_b"))


def _product_gradient(call: Any, dy: Tensor, multiply: Any, flip_a: str, flip_b: str) -> tuple[Tensor, Tensor]:
    a, b = call.inputs
    if multiply is raw.MatMul:  # it transposes where the batch form takes the adjoint
        a, b = conj(a), conj(b)

    def product(left: Tensor, right: Tensor, flip_left: bool, flip_right: bool) -> Tensor:
        return multiply(left, right, **{flip_a: flip_left, flip_b: flip_right})

    if not call[flip_a]:
        da = product(dy, b, False, not call[flip_b])
    else:
        da = product(b, dy, call[flip_b], True)
    if not call[flip_b]:
        db = product(a, dy, not call[flip_a], False)
    else:
        db = product(dy, a, True, call[flip_a])
    return unbroadcast(da, call.inputs[0], batch_of=call.inputs[1]), unbroadcast(db, call.inputs[1], batch_of=call.inputs[0])
