"""Ops that others have replaced, which older graphs still hold: each is its successor with something fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, with_rank
from modtf.core.engine.vocabulary import Call, Op, get_op, op, register
from modtf.core.values.dtypes import int32
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import EagerTensor, Tensor


def _fixed(value: Any) -> EagerTensor:
    return EagerTensor(np.array(value, np.int32), int32, NUMPY)


def _kernel(name: str) -> Any:
    return get_op(name).kernel


def _rule(name: str) -> Any:
    return get_op(name).shape_rule


def _gradient(name: str, inputs: Sequence[Any], attrs: tuple[Any, ...], call: Call, *flowing: Any) -> Any:
    """What the successor's gradient rule gives for the call that would have done the same."""
    successor = get_op(name)
    assert successor.gradient_rule is not None
    return successor.gradient_rule(Call(successor, tuple(inputs), attrs, call.outputs), *flowing)


# ------------------------------------------------------------------------------------------------- joining, gathering

register(
    Op(
        "Concat[T](concat_dim: int32, values: N * T) -> (output: T)",
        kernel=lambda xp, concat_dim, values: _kernel("ConcatV2")(xp, values, concat_dim),
        shape=lambda concat_dim, values: _rule("ConcatV2")(values, concat_dim),
        host_inputs=("concat_dim",),
    )
).gradient(
    lambda call, dy: [None, *_gradient("ConcatV2", (*call.inputs[1:], call.inputs[0]), (), call, dy)[:-1]],
)


def _stacked_dims(values: list[Tensor], *, shape: TensorShape) -> Dims:
    if shape.is_fully_defined() and shape.as_list()[:1] != [len(values)]:
        raise ValueError(f"The first dimension of {shape} must be {len(values)}, the number of values")
    for value in values:
        merged(value.dims, (1, *shape.dims[1:]) if shape.dims else None)
    return shape.dims


@op("ParallelConcat[T](values: N * T, *, shape: shape) -> (output: T)", shape=_stacked_dims)
def parallel_concat(xp: Any, values: list[Any], *, shape: TensorShape) -> Any:
    for value in values:
        if not shape.is_compatible_with((len(values), *value.shape[1:])) or value.shape[0] != 1:
            raise ValueError(f"Values of shape {list(value.shape)} do not make up {shape}: each must be one row of it")
    return xp.concat(values, axis=0)


_ROWS = _fixed(0)
register(
    Op(
        "Gather[Tparams, Tindices: index](params: Tparams, indices: Tindices, *, validate_indices: bool = True) "
        "-> (output: Tparams)",
        kernel=lambda xp, params, indices, *, validate_indices: _kernel("GatherV2")(
            xp, params, indices, np.array(0), batch_dims=0
        ),
        shape=lambda params, indices, *, validate_indices: _rule("GatherV2")(params, indices, _ROWS, batch_dims=0),
    )
).gradient(lambda call, dy: _gradient("GatherV2", (*call.inputs, _ROWS), (0,), call, dy)[:2])

# ------------------------------------------------------------------------------------------------- rearranging


@op(
    "Reverse[T: number|bool|string](tensor: T, dims: bool) -> (output: T)",
    shape=lambda tensor, dims: merged(tensor.dims, _rank_of(dims)),
    host_inputs=("dims",),
)
def reverse(xp: Any, tensor: Any, dims: np.ndarray) -> Any:
    if dims.shape != (len(tensor.shape),):
        raise ValueError(f"dims must have an element for each axis of {list(tensor.shape)}; it has {dims.size}")
    return xp.flip(tensor, axis=tuple(np.flatnonzero(dims).tolist())) if dims.any() else tensor


def _rank_of(dims: Tensor) -> Dims:
    (count,) = with_rank(dims, 1, "dims")
    return None if count is None else (None,) * count


reverse.gradient(lambda call, dy: (raw.Reverse(dy, call.inputs[1]), None))


def _blocks(name: str, inverse: str, widths: str, dtype: str) -> None:
    """Moving blocks of images between space and batch, with one size for both axes."""

    def kernel(xp: Any, input: Any, widths: np.ndarray, *, block_size: int) -> Any:
        if len(input.shape) != 4 or block_size < 2:
            raise ValueError(
                f"input must be 4-dimensional and block_size above 1; they are {list(input.shape)} and {block_size}"
            )
        return _kernel(f"{name}ND")(xp, input, np.array([block_size, block_size]), widths)

    def dims(input: Tensor, widths: Tensor, *, block_size: int) -> Dims:
        if block_size < 2:
            raise ValueError(f"block_size must be greater than 1, but it is {block_size}")
        known = with_rank(input, 4, "input")
        return _rule(f"{name}ND")(input, _fixed([block_size, block_size]), widths) or known

    schema = f"{name}[T, {dtype}: index = int32](input: T, {widths}: {dtype}, *, block_size: int) -> (output: T)"
    register(Op(schema, kernel=kernel, shape=dims, host_inputs=(widths,))).gradient(
        lambda call, dy: (getattr(raw, inverse)(dy, call.inputs[1], block_size=call["block_size"]), None)
    )


_blocks("SpaceToBatch", "BatchToSpace", "paddings", "Tpaddings")
_blocks("BatchToSpace", "SpaceToBatch", "crops", "Tidx")
