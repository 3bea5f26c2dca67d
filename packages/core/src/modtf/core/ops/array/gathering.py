"""Gathering the elements or slices that indices name, and scattering into them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, merged, normal_axis
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.array.slicing import filled
from modtf.core.ops.common import shape_of
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.indexed_slices import IndexedSlices
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- along an axis


def check_indices(xp: Any, indices: Any, length: int) -> None:
    """Refuses indices outside an axis; elsewhere than in NumPy it would wait for the device to find them."""
    # As unsigned numbers the negative ones are too large as well.
    if xp is np and indices.size and indices.view(f"u{indices.dtype.itemsize}").max() >= length:
        where = np.argwhere((indices < 0) | (indices >= length))[0]
        position = ",".join(map(str, where.tolist()))
        raise ValueError(f"indices[{position}] = {indices[tuple(where)]} is not in [0, {length})")


def _wide(xp: Any, indices: Any, size: int) -> Any:
    """The indices in a type that can count to `size`."""
    return xp.astype(indices, xp.int32 if size < 2**31 else xp.int64, copy=False)


def _gathered_dims(params: Tensor, indices: Tensor, axis: Tensor, *, batch_dims: int) -> Dims:
    of, at, where = params.dims, indices.dims, constant_value(axis)
    if of is None or at is None:
        return None
    if not -len(at) <= batch_dims <= len(at):
        raise ValueError(f"Expected batch_dims in the range [{-len(at)}, {len(at)}], but got {batch_dims}")
    batch = batch_dims + len(at) if batch_dims < 0 else batch_dims
    if where is None:
        return (None,) * (len(of) - 1 + len(at) - batch)
    position = normal_axis(int(where), len(of))
    if batch > position:
        raise ValueError(f"batch_dims ({batch}) must be less than or equal to axis ({position})")
    return (*(merged(of[:batch], at[:batch]) or ()), *of[batch:position], *at[batch:], *of[position + 1 :])


@op(
    "GatherV2[Tparams, Tindices: int16|int32|int64, Taxis: index]"
    "(params: Tparams, indices: Tindices, axis: Taxis, *, batch_dims: int = 0) -> (output: Tparams)",
    shape=_gathered_dims,
    host_inputs=("axis",),
)
def gather(xp: Any, params: Any, indices: Any, axis: np.ndarray, *, batch_dims: int) -> Any:
    of, at = params.shape, indices.shape
    position = normal_axis(int(axis), len(of))
    batch = batch_dims + len(at) if batch_dims < 0 else batch_dims
    check_indices(xp, indices, of[position])
    if not batch:
        taken = xp.take(params, indices if len(at) == 1 else xp.reshape(indices, (-1,)), axis=position)
        return taken if len(at) == 1 else xp.reshape(taken, (*of[:position], *at, *of[position + 1 :]))
    if batch > position or of[:batch] != at[:batch]:
        raise ValueError(
            f"params {of} and indices {at} must agree in the first {batch} axes, which lie before axis {position}"
        )
    # The batch axes and the one gathered from become one, in which each batch has its own stretch.
    count, length = math.prod(of[:batch]), of[position]
    flat = xp.reshape(xp.moveaxis(params, position, batch), (count * length, *of[batch:position], *of[position + 1 :]))
    rows = xp.reshape(_wide(xp, indices, count * length), (count, -1 if count else 0))
    starts = xp.expand_dims(xp.arange(count, dtype=rows.dtype) * length, axis=1)
    taken = xp.take(flat, xp.reshape(rows + starts, (-1,)), axis=0)
    taken = xp.reshape(taken, (*at, *of[batch:position], *of[position + 1 :]))
    between, inner = position - batch, len(of) - position - 1
    order = [*range(batch), *range(len(at), len(at) + between), *range(batch, len(at))]
    return xp.permute_dims(taken, (*order, *range(len(order), len(order) + inner)))


def _count(dims: Any) -> Any:
    return math.prod(dims.tolist()) if isinstance(dims, np.ndarray) else raw.Prod(dims, 0)


def _shape(parts: list[Any]) -> Any:
    """A shape of sizes that may be numbers or scalar tensors."""
    return raw.Pack(parts) if any(isinstance(part, Tensor) for part in parts) else np.array(parts, np.int32)


def _joined(parts: list[Any]) -> Any:
    """A shape made of parts of shapes."""
    return raw.ConcatV2(parts, 0) if any(isinstance(part, Tensor) for part in parts) else np.concatenate(parts)


@gather.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | IndexedSlices | None, ...]:
    params, indices, axis = call.inputs
    batch = call["batch_dims"] if call["batch_dims"] >= 0 else call["batch_dims"] + indices.ndim
    where, of, at = constant_value(axis), shape_of(params), shape_of(indices)
    if where is not None and not where:  # the rows themselves, which the gradient of an embedding is made of
        rows = raw.Reshape(dy, _joined([_shape([_count(at)]), of[1:]]))
        return IndexedSlices(rows, raw.Reshape(indices, [-1]), convert_to_tensor(of)), None, None
    if where is None:
        position: Any = raw.FloorMod(raw.Cast(axis, DstT="int32"), raw.Rank(params))
    else:
        position = (
            int(where) if where >= 0 else int(where) + (params.ndim if params.ndim is not None else raw.Rank(params))
        )
    # Everything becomes [batch, between, gathered, inner]; the slices are added up in [batch * length, between, inner].
    count, between, length = _count(of[:batch]), of[batch:position], of[position]
    taken, inner = _count(at[batch:]), of[position + 1 :]
    slices = raw.Reshape(dy, _shape([count, _count(between), taken, _count(inner)]))
    rows = raw.Reshape(indices, _shape([count, taken]))
    if batch:
        rows = raw.Cast(rows, DstT="int32") if rows.dtype.name == "int16" else rows
        starts = raw.Range(0, count, 1) * length
        rows += raw.ExpandDims(raw.Cast(starts, DstT=rows.dtype), 1)
    moved = batch != position if isinstance(position, int) else True
    if moved:
        slices = raw.Transpose(slices, [0, 2, 1, 3])
    rest = [_count(between), _count(inner)]
    total = raw.ScatterNd(
        raw.Reshape(rows, [-1, 1]),
        raw.Reshape(slices, _shape([count * taken, *rest])),
        raw.Cast(_shape([count * length, *rest]), DstT=rows.dtype),
    )
    if moved:
        total = raw.Transpose(raw.Reshape(total, _shape([count, length, *rest])), [0, 2, 1, 3])
    return raw.Reshape(total, of), None, None


# ------------------------------------------------------------------------------------------------- at coordinates


def _rows(xp: Any, indices: Any, dims: tuple[int, ...]) -> Any:
    """The coordinates in the last axis of `indices`, counted through the leading axes of `dims` that they name."""
    depth = indices.shape[-1]
    if depth > len(dims):
        raise ValueError(f"index innermost dimension length must be <= params rank; saw: {depth} vs. {len(dims)}")
    if xp is np and indices.size:
        bad = (indices < 0) | (indices >= np.array(dims[:depth]))
        if bad.any():
            where = np.argwhere(bad)[0][:-1]
            position = ",".join(map(str, where.tolist()))
            raise ValueError(
                f"indices[{position}] = {indices[tuple(where)].tolist()} does not index into shape {list(dims)}"
            )
    indices = _wide(xp, indices, math.prod(dims[:depth]))
    rows = indices[..., 0] if depth else xp.zeros(indices.shape[:-1], dtype=indices.dtype)
    for axis in range(1, depth):
        rows = rows * dims[axis] + indices[..., axis]
    return xp.reshape(rows, (-1,))


def _gathered_nd_dims(params: Tensor, indices: Tensor, *, bad_indices_policy: str) -> Dims:
    of, at = params.dims, indices.dims
    if at is not None and not at:
        raise ValueError("indices must be at least a vector")
    if of is None or at is None or at[-1] is None:
        return None
    if at[-1] > len(of):
        raise ValueError(f"index innermost dimension length must be <= params rank; saw: {at[-1]} vs. {len(of)}")
    return (*at[:-1], *of[at[-1] :])


@op(
    "GatherNd[Tparams, Tindices: int16|int32|int64](params: Tparams, indices: Tindices, *, "
    "bad_indices_policy: string = '') -> (output: Tparams)",
    shape=_gathered_nd_dims,
)
def gather_nd(xp: Any, params: Any, indices: Any, *, bad_indices_policy: str) -> Any:
    dims, depth = params.shape, indices.shape[-1]
    flat = xp.reshape(params, (math.prod(dims[:depth]), *dims[depth:]))
    return xp.reshape(xp.take(flat, _rows(xp, indices, dims), axis=0), (*indices.shape[:-1], *dims[depth:]))


@gather_nd.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None]:
    params, indices = call.inputs
    if indices.dtype.name == "int16":
        indices = raw.Cast(indices, DstT="int32")
    return raw.ScatterNd(indices, dy, shape_of(params, indices.dtype)), None


def scatter(xp: Any, how: str, base: Any, indices: Any, updates: Any) -> Any:
    """Returns `base`, which nobody else holds, with the slices that `indices` name set to the updates or combined."""
    dims, depth = base.shape, indices.shape[-1]
    if updates.shape != (*indices.shape[:-1], *dims[depth:]):
        raise ValueError(_mismatch(indices.shape, updates.shape, dims))
    rows = _rows(xp, indices, dims)
    flat = xp.reshape(base, (math.prod(dims[:depth]), *dims[depth:]))
    parts = xp.reshape(updates, (rows.shape[0], *dims[depth:]))
    if hasattr(flat, "at"):  # the namespaces whose arrays never change, such as JAX's, have this instead
        if depth:  # what is outside must not be taken for another place: past the end, it is left out
            inside = xp.all((indices >= 0) & (indices < xp.asarray(dims[:depth])), axis=-1)
            rows = xp.where(xp.reshape(inside, (-1,)), rows, flat.shape[0])
        result = getattr(flat.at[rows], how)(parts)
    elif xp is np:
        result = flat
        if how == "set":
            result[rows] = parts
        elif parts.size:
            _combine(_COMBINED[how], result, rows, parts)
    else:
        raise NotImplementedError("The Array API standard has no scattering.")
    return xp.reshape(result, dims)


_COMBINED = {"add": np.add, "max": np.maximum, "min": np.minimum, "multiply": np.multiply}


def _combine(ufunc: np.ufunc, target: np.ndarray, rows: np.ndarray, parts: np.ndarray) -> None:
    """Combines each part into its row of `target`; several may be for one row."""
    if parts.ndim == 1:
        ufunc.at(target, rows, parts)
        return
    order = np.argsort(rows, kind="stable")  # much faster than `at` for whole rows
    ordered = rows[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    reduced = ufunc.reduceat(parts[order], starts, axis=0, dtype=parts.dtype)
    target[ordered[starts]] = ufunc(target[ordered[starts]], reduced)


def _mismatch(indices: Any, updates: Any, of: Any) -> str:
    return (
        f"Must have updates.shape = indices.shape[:-1] + shape[indices.shape[-1]:], got updates.shape "
        f"{TensorShape(updates)}, indices.shape {TensorShape(indices)}, shape {TensorShape(of)}"
    )


def scattered_dims(indices: Tensor, updates: Tensor, dims: Dims) -> Dims:
    at = indices.dims
    if at is not None and not at:
        raise ValueError("indices must be at least a vector")
    if dims is None or at is None or at[-1] is None:
        return dims
    if at[-1] > len(dims) or not TensorShape((*at[:-1], *dims[at[-1] :])).is_compatible_with(updates.dims):
        raise ValueError(_mismatch(at, updates.dims, dims))
    return dims


@op(
    "ScatterNd[T, Tindices: int16|int32|int64](indices: Tindices, updates: T, shape: Tindices, *, "
    "bad_indices_policy: string = '') -> (output: T)",
    shape=lambda indices, updates, shape, *, bad_indices_policy: scattered_dims(
        indices, updates, dims_from_value(shape)
    ),
    host_inputs=("shape",),
)
def scatter_nd(xp: Any, indices: Any, updates: Any, shape: np.ndarray, *, bad_indices_policy: str) -> Any:
    return scatter(xp, "add", filled(xp, tuple(shape.tolist()), updates), indices, updates)


scatter_nd.gradient(lambda call, dy: (None, raw.GatherNd(dy, call.inputs[0]), None))


def _tensor_scatter(name: str, index_types: str, how: str, gradient: Any) -> None:
    """`gradient(tensor, indices, updates, output, dy)` gives those of tensor and updates."""

    def kernel(xp: Any, tensor: Any, indices: Any, updates: Any, *, bad_indices_policy: str) -> Any:
        if how == "subtract":
            return scatter(xp, "add", xp.asarray(tensor, copy=True), indices, -updates)
        return scatter(xp, how, xp.asarray(tensor, copy=True), indices, updates)

    made = register(
        Op(
            f"{name}[T, Tindices: {index_types}](tensor: T, indices: Tindices, updates: T, *, "
            "bad_indices_policy: string = '') -> (output: T)",
            kernel=kernel,
            shape=lambda tensor, indices, updates, *, bad_indices_policy: scattered_dims(indices, updates, tensor.dims),
        )
    )

    def rule(call: Any, dy: Tensor) -> tuple[Tensor, None, Tensor]:
        to_tensor, to_updates = gradient(*call.inputs, call.outputs[0], dy)
        return to_tensor, None, to_updates

    made.gradient(rule)


def _extreme_gradient(
    tensor: Tensor, indices: Tensor, updates: Tensor, output: Tensor, dy: Tensor
) -> tuple[Tensor, Tensor]:
    # Shared evenly among equal extremes, as in TensorFlow.
    kept = raw.Cast(raw.Equal(tensor, output), DstT=dy.dtype)
    won = raw.Cast(raw.Equal(updates, raw.GatherNd(output, indices)), DstT=dy.dtype)
    share = dy / (kept + raw.ScatterNd(indices, won, shape_of(tensor, indices.dtype)))
    return share * kept, raw.GatherNd(share, indices) * won


def _update_gradient(
    tensor: Tensor, indices: Tensor, updates: Tensor, output: Tensor, dy: Tensor
) -> tuple[Tensor, Tensor]:
    kept = raw.TensorScatterUpdate(dy, indices, raw.ZerosLike(updates))
    return kept, raw.GatherNd(dy, raw.Cast(indices, DstT="int32") if indices.dtype.name == "uint16" else indices)


for _name, _types, _how, _gradient in (
    ("TensorScatterUpdate", "int16|int32|int64|uint16", "set", _update_gradient),
    ("TensorScatterAdd", "index", "add", lambda x, indices, updates, y, dy: (dy, raw.GatherNd(dy, indices))),
    ("TensorScatterSub", "index", "subtract", lambda x, indices, updates, y, dy: (dy, -raw.GatherNd(dy, indices))),
    ("TensorScatterMax", "index", "max", _extreme_gradient),
    ("TensorScatterMin", "index", "min", _extreme_gradient),
):
    _tensor_scatter(_name, _types, _how, _gradient)

non_aliasing_add = register(
    Op(
        "ScatterNdNonAliasingAdd[T: number|bool|quantized, Tindices: index](input: T, indices: Tindices, updates: T, *, "
        "bad_indices_policy: string = '') -> (output: T)",
        kernel=lambda xp, input, indices, updates, *, bad_indices_policy: scatter(
            xp, "add", xp.asarray(input, copy=True), indices, updates
        ),
        shape=lambda input, indices, updates, *, bad_indices_policy: scattered_dims(indices, updates, input.dims),
    )
)
non_aliasing_add.gradient(lambda call, dy: (dy, None, raw.GatherNd(dy, call.inputs[1])))
