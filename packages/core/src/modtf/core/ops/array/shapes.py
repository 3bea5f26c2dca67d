"""Shapes as tensors, and giving tensors other shapes without touching their elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import (
    constant_value,
    dims_from_value,
    merged,
    normal_axis,
    with_rank,
)  # fmt: skip
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, op, register
from modtf.core.ops.common import conj, shape_of, unbroadcast
from modtf.core.ops.kinds import is_complex
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import Dims, TensorShape, broadcast_dims, size_of
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- shapes


def _about_shape(schema: str, kernel: Any, dims: Any) -> None:
    register(Op(schema, kernel=kernel, shape=dims, host_outputs=True)).gradient(None)


_OUT = "*, out_type: type(index) = int32) -> (output: out_type)"
_about_shape(
    f"Shape[T](input: T, {_OUT}",
    lambda xp, input, *, out_type: np.array(np.shape(input), out_type.np_dtype),
    lambda input, *, out_type: (input.ndim,),
)
_about_shape(
    "ShapeN[T](input: N * T, *, out_type: type(index) = int32) -> (output: N * out_type)",
    lambda xp, input, *, out_type: [np.array(np.shape(item), out_type.np_dtype) for item in input],
    lambda input, *, out_type: [(item.ndim,) for item in input],
)
_about_shape(
    f"Size[T](input: T, {_OUT}",
    lambda xp, input, *, out_type: np.array(size_of(np.shape(input)), out_type.np_dtype),
    lambda input, *, out_type: (),
)
_about_shape(
    "Rank[T](input: T) -> (output: int32)",
    lambda xp, input: np.array(len(np.shape(input)), np.int32),
    lambda input: (),
)


@op(
    "BroadcastGradientArgs[T: index = int32](s0: T, s1: T) -> (r0: T, r1: T)",
    shape=lambda s0, s1: [(None,), (None,)],
    host_only=True,
)
def broadcast_gradient_args(xp: Any, s0: np.ndarray, s1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rank = max(len(s0), len(s1))
    broadcast_dims(tuple(s0.tolist()), tuple(s1.tolist()))
    padded = [np.concatenate([np.ones(rank - len(shape), shape.dtype), shape]) for shape in (s0, s1)]
    # Where both are 1, both are summed over, as TensorFlow does it; it changes nothing.
    return tuple(np.flatnonzero(shape == 1).astype(s0.dtype) for shape in padded)  # type: ignore[return-value]


broadcast_gradient_args.gradient(None)


def _broadcast_length(s0: Tensor, s1: Tensor) -> Dims:
    (first,), (second,) = with_rank(s0, 1, "s0"), with_rank(s1, 1, "s1")
    return (None,) if first is None or second is None else (max(first, second),)


@op("BroadcastArgs[T: index = int32](s0: T, s1: T) -> (r0: T)", shape=_broadcast_length, host_only=True)
def broadcast_args(xp: Any, s0: np.ndarray, s1: np.ndarray) -> np.ndarray:
    return np.array(broadcast_dims(tuple(s0.tolist()), tuple(s1.tolist())), s0.dtype)


broadcast_args.gradient(None)


def _ensured_dims(input: Tensor, *, shape: TensorShape) -> Dims:
    if not shape.is_compatible_with(input.dims):
        raise ValueError(f"Shape of tensor input {input.shape} is not compatible with expected shape {shape}")
    return merged(input.dims, shape.dims)


@op("EnsureShape[T](input: T, *, shape: shape) -> (output: T)", shape=_ensured_dims)
def ensure_shape(xp: Any, input: Any, *, shape: TensorShape) -> Any:
    if not shape.is_compatible_with(np.shape(input)):
        raise ValueError(f"Shape of tensor input {np.shape(input)} is not compatible with expected shape {shape}")
    return input


ensure_shape.gradient(lambda call, dy: dy)


# ------------------------------------------------------------------------------------------------- other shapes


def _to_input_shape(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    """The gradient of ops that only reshape their first input."""
    return raw.Reshape(dy, shape_of(call.inputs[0])), *[None] * (len(call.inputs) - 1)


def _reshaped_dims(tensor: Tensor, shape: Tensor) -> Dims:
    with_rank(shape, 1, "shape")
    dims = dims_from_value(shape)
    if dims is None or None not in dims:
        _check_sizes(size_of(tensor.dims), size_of(dims))
        return dims
    size, value = size_of(tensor.dims), constant_value(shape)
    if value is not None and np.count_nonzero(value < 0) > 1:
        raise ValueError(f"Only one input size may be -1, but the requested shape is {value.tolist()}")
    if size is None or value is None:  # an unknown size, rather than a -1 to be worked out
        return dims
    rest = int(np.prod([dim for dim in dims if dim is not None]))
    if rest == 0 or size % rest:
        raise ValueError(
            f"Input to reshape is a tensor with {size} values, but the requested shape requires a multiple of {rest}"
        )
    return tuple(size // rest if dim is None else dim for dim in dims)


def _check_sizes(given: int | None, wanted: int | None) -> None:
    if given is not None and wanted is not None and given != wanted:
        raise ValueError(f"Input to reshape is a tensor with {given} values, but the requested shape has {wanted}")


@op(
    "Reshape[T, Tshape: index = int32](tensor: T, shape: Tshape) -> (output: T)",
    shape=_reshaped_dims,
    host_inputs=("shape",),
)
def reshape(xp: Any, tensor: Any, shape: np.ndarray) -> Any:
    if shape.size and shape.min() < -1:
        raise ValueError(f"Sizes must not be negative, apart from one -1: {shape.tolist()}")
    return xp.reshape(tensor, tuple(shape.tolist()))


reshape.gradient(_to_input_shape)


def _expanded_dims(input: Tensor, dim: Tensor) -> Dims:
    dims, axis = input.dims, constant_value(dim)
    if dims is None:
        return None
    if axis is None:
        return (None,) * (len(dims) + 1)
    position = int(axis.item())
    if not -len(dims) - 1 <= position <= len(dims):
        raise ValueError(f"Tried to expand dim index {position} for tensor with {len(dims)} dimensions")
    position %= len(dims) + 1
    return (*dims[:position], 1, *dims[position:])


@op(
    "ExpandDims[T, Tdim: index = int32](input: T, dim: Tdim) -> (output: T)",
    shape=_expanded_dims,
    host_inputs=("dim",),
)
def expand_dims(xp: Any, input: Any, dim: np.ndarray) -> Any:
    return xp.expand_dims(input, axis=int(dim.item()))


expand_dims.gradient(_to_input_shape)


def _squeezed_dims(input: Tensor, *, squeeze_dims: tuple[int, ...]) -> Dims:
    dims = input.dims
    if dims is None:
        return None
    if not squeeze_dims:
        return None if None in dims else tuple(dim for dim in dims if dim != 1)
    gone = {normal_axis(axis, len(dims)) for axis in squeeze_dims}
    for axis in gone:
        if dims[axis] not in (1, None):
            raise ValueError(f"Can not squeeze dim[{axis}], expected a dimension of 1, got {dims[axis]}")
    return tuple(dim for axis, dim in enumerate(dims) if axis not in gone)


@op("Squeeze[T](input: T, *, squeeze_dims: list(int) = []) -> (output: T)", shape=_squeezed_dims)
def squeeze(xp: Any, input: Any, *, squeeze_dims: tuple[int, ...]) -> Any:
    dims = np.shape(input)
    if squeeze_dims:
        return xp.squeeze(input, axis=tuple({normal_axis(axis, len(dims)) for axis in squeeze_dims}))
    return xp.squeeze(input, axis=tuple(axis for axis, dim in enumerate(dims) if dim == 1))


squeeze.gradient(_to_input_shape)


def _broadcast_to_dims(input: Tensor, shape: Tensor) -> Dims:
    target = dims_from_value(shape)
    if target is not None and input.dims is not None:
        if len(input.dims) > len(target):
            raise ValueError(
                f"Rank of input ({len(input.dims)}) must be no greater than rank of output shape ({len(target)})"
            )
        if broadcast_dims(input.dims, target) != target and None not in target:
            raise ValueError(f"Cannot broadcast a tensor of shape {input.shape} to the shape {TensorShape(target)}")
    return target


@op(
    "BroadcastTo[T, Tidx: index = int32](input: T, shape: Tidx) -> (output: T)",
    shape=_broadcast_to_dims,
    host_inputs=("shape",),
)
def broadcast_to(xp: Any, input: Any, shape: np.ndarray) -> Any:
    return xp.broadcast_to(input, tuple(shape.tolist()))


broadcast_to.gradient(lambda call, dy: (unbroadcast(dy, call.inputs[0], dy), None))


def _cast_dims(input: Tensor, *, type: DType) -> Dims:
    dims, given, wanted = input.dims, input.dtype.size, type.size
    if dims is None or given == wanted:
        return dims
    if given > wanted:
        return (*dims, given // wanted)
    if not dims or dims[-1] not in (wanted // given, None):
        raise ValueError(
            f"Cannot bitcast from {input.dtype.name} to {type.name}: the last dimension of shape {input.shape} must be "
            f"{wanted // given}"
        )
    return dims[:-1]


_BITS = "number|quantized"


@op(f"Bitcast[T: {_BITS}](input: T, *, type: type({_BITS})) -> (output: type)", shape=_cast_dims)
def bitcast(xp: Any, input: Any, *, type: DType) -> Any:
    given, wanted = input.dtype.itemsize, type.size
    if xp is np:
        input = np.ascontiguousarray(input).reshape(np.shape(input))
    if given > wanted:
        input = xp.expand_dims(input, axis=-1)
    elif given < wanted and (not input.shape or input.shape[-1] != wanted // given):
        raise ValueError(f"Cannot bitcast the shape {input.shape}: its last dimension must be {wanted // given}")
    result = input.view(find_kernel_dtype(xp, type))
    return xp.squeeze(result, axis=-1) if given < wanted else result


bitcast.gradient(None)


# ------------------------------------------------------------------------------------------------- transposes


def _transposed_dims(x: Tensor, perm: Tensor) -> Dims:
    dims, order = x.dims, constant_value(perm)
    if order is None:
        (length,) = with_rank(perm, 1, "perm")
        rank = len(dims) if dims is not None else length
        return None if rank is None else (None,) * rank
    axes = order.tolist()
    if dims is None:
        return (None,) * len(axes)
    if len(axes) != len(dims):
        raise ValueError(
            f"transpose expects a vector of size {len(dims)}. But input(1) is a vector of size {len(axes)}"
        )
    axes = [normal_axis(axis, len(dims)) for axis in axes]
    if len(set(axes)) != len(axes):
        raise ValueError(f"The permutation {axes} names an axis twice; every axis must stand in it once")
    return tuple(dims[axis] for axis in axes)


def _transpose(name: str, kernel: Any) -> Op:
    return register(
        Op(
            f"{name}[T, Tperm: index = int32](x: T, perm: Tperm) -> (y: T)",
            kernel=kernel,
            shape=_transposed_dims,
            host_inputs=("perm",),
        )
    )


def _turned(xp: Any, x: Any, perm: np.ndarray) -> Any:
    return xp.permute_dims(x, tuple([axis + len(perm) if axis < 0 else axis for axis in perm.tolist()]))


def _conjugate_transpose(xp: Any, x: Any, perm: np.ndarray) -> Any:
    turned = _turned(xp, x, perm)
    return xp.conj(turned) if is_complex(x) else turned


def inverse(perm: Tensor) -> Any:
    """Returns the inverse of a permutation: a NumPy array where it is known, else a tensor."""
    known = constant_value(perm)
    return raw.InvertPermutation(perm) if known is None else np.argsort(known % max(len(known), 1)).astype(known.dtype)


transpose = _transpose("Transpose", _turned)
transpose.gradient(lambda call, dy: (raw.Transpose(dy, inverse(call.inputs[1])), None))
conjugate_transpose = _transpose("ConjugateTranspose", _conjugate_transpose)
conjugate_transpose.gradient(lambda call, dy: (conj(raw.Transpose(dy, inverse(call.inputs[1]))), None))


@op("InvertPermutation[T: index = int32](x: T) -> (y: T)", shape=lambda x: with_rank(x, 1, "x"))
def invert_permutation(xp: Any, x: Any) -> Any:
    if xp is np and not np.array_equal(np.sort(x), np.arange(len(x))):
        raise ValueError(f"{x.tolist()} is not a permutation: it must hold each of 0 to {len(x) - 1} once")
    return xp.astype(xp.argsort(x), x.dtype)


invert_permutation.gradient(None)
