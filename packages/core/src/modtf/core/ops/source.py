"""Where tensors come from and pass unchanged: constants, placeholders, identities, fills."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, from_attr, nothing, unchanged
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.values.dtypes import DType
from modtf.core.values.tensors import Tensor


@op(
    "Const(*, value: tensor, dtype: type) -> (output: dtype)",
    shape=lambda *, value, dtype: np.shape(value),
    host_outputs=True,
)
def const(xp: Any, *, value: np.ndarray, dtype: DType) -> Any:
    return value


@op("Placeholder(*, dtype: type, shape: shape = None) -> (output: dtype)", shape=from_attr("shape"), stateful=True)
def placeholder(xp: Any, *, dtype: DType, shape: Any) -> Any:
    raise ValueError("A placeholder has no value; it stands for an argument of a function.")


@op("Identity[T](input: T) -> (output: T)", shape=unchanged)
def identity(xp: Any, input: Any) -> Any:  # noqa: A002 (the schema's name)
    return input


identity.gradient(lambda call, dy: dy)


@op("IdentityN[*T](input: T) -> (output: T)", shape=lambda input: [tensor.dims for tensor in input])
def identity_n(xp: Any, input: list[Any]) -> list[Any]:  # noqa: A002
    return input


identity_n.gradient(lambda call, *dys: dys)


@op("StopGradient[T](input: T) -> (output: T)", shape=unchanged)
def stop_gradient(xp: Any, input: Any) -> Any:  # noqa: A002
    return input


stop_gradient.gradient(None)


@op("PreventGradient[T](input: T, *, message: string = '') -> (output: T)", shape=unchanged)
def prevent_gradient(xp: Any, input: Any, *, message: str) -> Any:  # noqa: A002
    return input


@prevent_gradient.gradient
def _(call: Any, dy: Tensor) -> Any:
    raise LookupError(f"Gradient explicitly disabled. Reason: {call['message']}")


@op("NoOp() -> ()", shape=nothing, stateful=True)
def no_op(xp: Any) -> tuple[()]:
    return ()


def _filled(value: int) -> Any:
    return lambda xp, x: xp.full(x.shape, value, dtype=x.dtype) if x.dtype != object else np.full(x.shape, b"", object)


for _name, _value in {"ZerosLike": 0, "OnesLike": 1}.items():
    register(Op(f"{_name}[T](x: T) -> (y: T)", kernel=_filled(_value), shape=unchanged)).gradient(None)


@op(
    "Fill[T, index_type: index = int32](dims: index_type, value: T) -> (output: T)",
    shape=lambda dims, value: dims_from_value(dims),
    host_inputs=("dims",),
)
def fill(xp: Any, dims: np.ndarray, value: Any) -> Any:
    return xp.broadcast_to(value, tuple(int(size) for size in dims))


@fill.gradient
def _(call: Any, dy: Tensor) -> tuple[None, Tensor]:
    return None, raw.Sum(dy, raw.Range(0, raw.Rank(dy), 1))


def _range_dims(start: Tensor, limit: Tensor, delta: Tensor) -> Any:
    from modtf.core.engine.shape_rules import constant_value

    values = [constant_value(item) for item in (start, limit, delta)]
    if any(value is None for value in values):
        return (None,)
    return (len(np.arange(*values)),)  # type: ignore[call-overload]


@op(
    "Range[Tidx: real = int32](start: Tidx, limit: Tidx, delta: Tidx) -> (output: Tidx)",
    shape=_range_dims,
    host_inputs=("start", "limit", "delta"),
)
def range_(xp: Any, start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> Any:
    if delta == 0:
        raise ValueError("Requires delta != 0: 0")
    if (delta > 0 and start > limit) or (delta < 0 and start < limit):
        raise ValueError(f"Requires start <= limit when delta > 0 and start >= limit when delta < 0: {start}/{limit}")
    return xp.asarray(np.arange(start, limit, delta, dtype=start.dtype))


range_.gradient(None)
