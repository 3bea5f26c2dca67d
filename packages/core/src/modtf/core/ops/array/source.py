"""Where tensors come from and pass unchanged: constants, placeholders, identities, fills."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, from_attr, nothing, unchanged
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import Dims
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
def identity(xp: Any, input: Any) -> Any:
    return input


identity.gradient(lambda call, dy: dy)


@op("IdentityN[*T](input: T) -> (output: T)", shape=lambda input: [tensor.dims for tensor in input])
def identity_n(xp: Any, input: list[Any]) -> list[Any]:
    return input


identity_n.gradient(lambda call, *dys: dys)


@op("StopGradient[T](input: T) -> (output: T)", shape=unchanged)
def stop_gradient(xp: Any, input: Any) -> Any:
    return input


stop_gradient.gradient(None)


@op("Snapshot[T](input: T) -> (output: T)", shape=unchanged)
def snapshot(xp: Any, input: Any) -> Any:
    return input


snapshot.gradient(lambda call, dy: dy)


@op(
    "PlaceholderWithDefault[dtype](input: dtype, *, shape: shape) -> (output: dtype)",
    shape=lambda input, *, shape: shape.dims,
)
def placeholder_with_default(xp: Any, input: Any, *, shape: Any) -> Any:
    return input


placeholder_with_default.gradient(lambda call, dy: dy)


@op("PreventGradient[T](input: T, *, message: string = '') -> (output: T)", shape=unchanged)
def prevent_gradient(xp: Any, input: Any, *, message: str) -> Any:
    return input


@prevent_gradient.gradient
def _(call: Any, dy: Tensor) -> Any:
    raise LookupError(f"Gradient explicitly disabled. Reason: {call['message']}")


@op(
    "CheckNumerics[T: floating](tensor: T, *, message: string) -> (output: T)",
    shape=unchanged,
    stateful=True,
    host_only=True,
)
def check_numerics(xp: Any, tensor: np.ndarray, *, message: str) -> np.ndarray:
    if not np.isfinite(tensor).all():
        found = [name for name, has in (("Inf", np.isinf), ("NaN", np.isnan)) if has(tensor).any()]
        raise ValueError(f"{message} : Tensor had {' and '.join(found)} values")
    return tensor


@check_numerics.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    return raw.CheckNumerics(
        dy, message=f"Not a number (NaN) or infinity (Inf) values detected in gradient. {call['message']}"
    )


@op("NoOp() -> ()", shape=nothing, stateful=True)
def no_op(xp: Any) -> tuple[()]:
    return ()


def _filled(value: int) -> Any:
    def kernel(xp: Any, x: Any) -> Any:
        if hasattr(x, "zeros_like"):  # a list of tensors
            return x.zeros_like(xp)
        return xp.full(x.shape, value, dtype=x.dtype) if x.dtype != object else np.full(x.shape, b"", object)

    return kernel


for _name, _types, _value in (("ZerosLike", "any", 0), ("OnesLike", "number|bool", 1)):
    register(Op(f"{_name}[T: {_types}](x: T) -> (y: T)", kernel=_filled(_value), shape=unchanged)).gradient(None)


@op(
    "Fill[T, index_type: index = int32](dims: index_type, value: T) -> (output: T)",
    shape=lambda dims, value: dims_from_value(dims),
    host_inputs=("dims",),
)
def fill(xp: Any, dims: np.ndarray, value: Any) -> Any:
    if value.shape not in ((), (1,)) or dims.ndim != 1:
        raise ValueError(f"dims must be a vector and value a scalar; got {list(dims.shape)} and {list(value.shape)}")
    return xp.broadcast_to(xp.reshape(value, ()), tuple(int(size) for size in dims))


@fill.gradient
def _(call: Any, dy: Tensor) -> tuple[None, Tensor]:
    return None, raw.Sum(dy, raw.Range(0, raw.Rank(dy), 1))


def _check_range(start: Any, limit: Any, delta: Any) -> None:
    if delta == 0:
        raise ValueError("Requires delta != 0: 0")
    if (delta > 0 and start > limit) or (delta < 0 and start < limit):
        raise ValueError(f"Requires start <= limit when delta > 0 and start >= limit when delta < 0: {start}/{limit}")


def _range_dims(start: Tensor, limit: Tensor, delta: Tensor) -> Any:
    values = [constant_value(item) for item in (start, limit, delta)]
    if any(value is None for value in values):
        return (None,)
    _check_range(*values)
    return (len(np.arange(*values)),)  # type: ignore[call-overload]


@op(
    "Range[Tidx: floating|signed|uint16|uint32|uint64 = int32](start: Tidx, limit: Tidx, delta: Tidx) "
    "-> (output: Tidx)",
    shape=_range_dims,
    host_inputs=("start", "limit", "delta"),
)
def range_(xp: Any, start: np.ndarray, limit: np.ndarray, delta: np.ndarray) -> Any:
    start, limit, delta = (item.reshape(()) if item.shape == (1,) else item for item in (start, limit, delta))
    _check_range(start, limit, delta)
    return xp.asarray(np.arange(start, limit, delta, dtype=start.dtype))  # type: ignore[call-overload]


range_.gradient(None)


def _one_hot_dims(indices: Tensor, depth: Tensor, on_value: Tensor, off_value: Tensor, *, axis: int) -> Dims:
    dims, size = indices.dims, constant_value(depth)
    if dims is None:
        return None
    length = None if size is None else int(size)
    if length is not None and length < 0:
        raise ValueError(f"depth must be non-negative, got: {length}")
    if not -1 <= axis <= len(dims):
        raise ValueError(f"Expected axis to be -1 or between [0, {len(dims)}], but received: {axis}")
    position = len(dims) if axis == -1 else axis
    return (*dims[:position], length, *dims[position:])


@op(
    "OneHot[T, TI: uint8|int8|int32|int64 = int64](indices: TI, depth: int32, on_value: T, off_value: T, *, "
    "axis: int = -1) -> (output: T)",
    shape=_one_hot_dims,
    host_inputs=("depth",),
)
def one_hot(xp: Any, indices: Any, depth: np.ndarray, on_value: Any, off_value: Any, *, axis: int) -> Any:
    if depth < 0:
        raise ValueError(f"depth must be non-negative, got: {depth}")
    rank = len(indices.shape)
    if not -1 <= axis <= rank:
        raise ValueError(f"Expected axis to be -1 or between [0, {rank}], but received: {axis}")
    for name, value in (("depth", depth), ("on_value", on_value), ("off_value", off_value)):
        if value.ndim:
            raise ValueError(f"{name} must be a scalar, but got shape {list(value.shape)}")
    position = rank if axis == -1 else axis
    places = xp.reshape(xp.arange(int(depth), dtype=xp.int32), (-1, *[1] * (rank - position)))
    return xp.where(xp.expand_dims(indices, axis=position) == places, on_value, off_value)


one_hot.gradient(None)


def _linspace_dims(start: Tensor, stop: Tensor, num: Tensor) -> Dims:
    count = constant_value(num)
    if count is not None and count < 1:
        raise ValueError(f"Requires num > 0: {count}")
    return (None,) if count is None else (int(count),)


@op(
    "LinSpace[T: floating, Tidx: index = int32](start: T, stop: T, num: Tidx) -> (output: T)",
    shape=_linspace_dims,
    host_inputs=("num",),
)
def linspace(xp: Any, start: Any, stop: Any, num: np.ndarray) -> Any:
    for name, value in (("start", start), ("stop", stop), ("num", num)):
        if value.ndim:
            raise ValueError(f"{name} must be a scalar, not shape {list(value.shape)}")
    count = int(num)
    if count < 1:
        raise ValueError(f"Requires num > 0: {count}")
    first, last = xp.reshape(start, (1,)), xp.reshape(stop, (1,))
    places = xp.astype(xp.arange(max(count - 1, 1)), start.dtype)
    between = first + places * ((last - first) / max(count - 1, 1))
    return xp.concat([xp.astype(between, start.dtype), last]) if count > 1 else first


linspace.gradient(None)
