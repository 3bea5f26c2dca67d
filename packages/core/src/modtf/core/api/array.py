"""Top-level functions that make, shape, join, index and rearrange tensors."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from modtf.core.api.arguments import cast, host
from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor, from_array, to_array
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.shapes import broadcast_static_shape
from modtf.core.values.tensors import Tensor


def _vector(shape: Any) -> Tensor:
    """A shape as a vector; a single size becomes one of one element."""
    tensor = convert_to_tensor(host(shape), dtype_hint=dtypes.int32)
    return raw.Reshape(tensor, [-1]) if tensor.ndim != 1 else tensor


# ------------------------------------------------------------------------------------------------- making


def _filled(shape: Any, value: int, dtype: Any, name: str | None) -> Tensor:
    wanted = as_dtype(dtype)
    element = np.array(b"", object) if wanted is dtypes.string else np.array(value, wanted.np_dtype)
    return raw.Fill(_vector(shape), convert_to_tensor(element, dtype=wanted), name=name)


@dispatched
def zeros(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Returns a tensor of zeros (`False`, empty strings).

    Args:
        shape: A list of sizes, a `TensorShape` or a vector of integers.
        dtype: The dtype.
        name: A name for the graph node.
    """
    return _filled(shape, 0, dtype, name)


@dispatched
def ones(shape: Any, dtype: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Returns a tensor of ones (`True`).

    Args:
        shape: A list of sizes, a `TensorShape` or a vector of integers.
        dtype: The dtype.
        name: A name for the graph node.

    Raises:
        TypeError: The dtype has no one.
    """
    if as_dtype(dtype) is dtypes.string:
        raise TypeError("tf.ones cannot make a string tensor; use tf.fill.")
    return _filled(shape, 1, dtype, name)


@dispatched(elementwise=1)
def zeros_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Returns zeros of the shape of `input`, of its dtype or of `dtype`."""
    return raw.ZerosLike(cast(convert_to_tensor(input), dtype), name=name)


@dispatched(elementwise=1)
def ones_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Returns ones of the shape of `input`, of its dtype or of `dtype`."""
    return raw.OnesLike(cast(convert_to_tensor(input), dtype), name=name)


@dispatched
def fill(dims: Any, value: Any, name: str | None = None) -> Tensor:
    """Returns a tensor of shape `dims` with the scalar `value` everywhere."""
    return raw.Fill(convert_to_tensor(host(dims), dtype_hint=dtypes.int32), value, name=name)


def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Returns identity matrices.

    Args:
        num_rows: The number of rows.
        num_columns: The number of columns; as many as rows by default.
        batch_shape: The shape of a batch of such matrices; one matrix by default.
        dtype: The dtype.
        name: A name for the graph node.

    Returns:
        A tensor of shape `batch_shape + [num_rows, num_columns]`.
    """
    columns = num_rows if num_columns is None else num_columns
    symbolic = isinstance(num_rows, Tensor) or isinstance(columns, Tensor)
    shortest = raw.Minimum(num_rows, columns) if symbolic else min(int(num_rows), int(columns))
    size = raw.Reshape(shortest, [1])
    lengths = size if batch_shape is None else concat([_vector(batch_shape), size], 0)
    padding = convert_to_tensor(0, dtype=dtype) if as_dtype(dtype).is_numeric else convert_to_tensor(False)
    return raw.MatrixDiagV3(ones(lengths, dtype), 0, num_rows, columns, padding, name=name)


@dispatched
def one_hot(
    indices: Any, depth: Any, on_value: Any = None, off_value: Any = None, axis: int | None = None, dtype: Any = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns `on_value` at the places that `indices` names along a new axis, and `off_value` elsewhere.

    Args:
        indices: Integers of any shape; one outside of `[0, depth)` gives `off_value` everywhere.
        depth: The length of the new axis.
        on_value: A scalar; 1 by default.
        off_value: A scalar; 0 by default.
        axis: Where the new axis stands; last by default.
        dtype: The dtype; by default that of `on_value` or `off_value`, or float32.
        name: A name for the graph node.

    Raises:
        TypeError: `on_value`, `off_value` and `dtype` are not of one dtype.
    """
    wanted = None if dtype is None else as_dtype(dtype)
    given = [None if value is None else convert_to_tensor(value, dtype_hint=wanted) for value in (on_value, off_value)]
    found: DType = next((value.dtype for value in given if value is not None), wanted or dtypes.float32)
    for what, value in zip(("on_value", "off_value"), given, strict=True):
        if value is not None and value.dtype is not (wanted or found):
            raise TypeError(f"dtype {value.dtype.name} of {what} does not match dtype {(wanted or found).name}")
    on, off = (
        convert_to_tensor(np.array(default, found.np_dtype), dtype=found) if value is None else value
        for default, value in zip((1, 0), given, strict=True)
    )
    return raw.OneHot(indices, host(depth), on, off, axis=-1 if axis is None else axis, name=name)


_RANGES = (dtypes.int32, dtypes.int64, dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


def range(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str | None = "range") -> Tensor:
    """Returns the numbers from `start` up to, but not including, `limit`, in steps of `delta`.

    Args:
        start: The first number; if `limit` is `None`, it is the limit and the first number is 0.
        limit: Where to stop.
        delta: The step, which may be negative.
        dtype: The dtype; by default the widest of the arguments'.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: `delta` is 0 or leads away from `limit`.
    """
    if limit is None:
        start, limit = 0, start
    wanted = None if dtype is None else as_dtype(dtype)
    numbers = [item if isinstance(item, Tensor) else to_array(item, wanted)[0] for item in (start, limit, delta)]
    if wanted is None:
        given = [as_dtype(item.dtype) for item in numbers]
        unknown = [dtype.name for dtype in given if dtype not in _RANGES]
        if unknown:
            raise TypeError(f"tf.range takes numbers of {', '.join(item.name for item in _RANGES)}, not {unknown[0]}")
        wanted = max(given, key=_RANGES.index)
    tensors = [
        cast(item, wanted) if isinstance(item, Tensor) else from_array(item.astype(wanted.np_dtype), wanted)
        for item in numbers
    ]
    return raw.Range(*tensors, name=name)


def linspace(start: Any, stop: Any, num: Any, name: str | None = None, axis: int = 0) -> Tensor:
    """Returns `num` evenly spaced numbers from `start` to `stop`, both included, along a new axis.

    Args:
        start: Floating; of any shape that broadcasts with that of `stop`.
        stop: The same.
        num: How many.
        name: Unused; kept for its place.
        axis: Where the new axis stands.
    """
    first = convert_to_tensor(start)
    last = convert_to_tensor(stop, dtype=first.dtype)
    first, last = raw.ExpandDims(first + zeros_like(last), axis), raw.ExpandDims(last + zeros_like(first), axis)
    count = convert_to_tensor(num)
    steps = raw.Maximum(count - 1, 1)
    delta = (last - first) / raw.Cast(steps, DstT=first.dtype)
    first, last = cast(first, delta.dtype), cast(last, delta.dtype)
    # The axes behind the new one, so that the steps broadcast along all the others.
    behind = -axis - 1 if axis < 0 else rank(first) - axis - 1 if first.ndim is None else first.ndim - axis - 1
    layout = concat([[-1], fill([behind], 1)], 0) if isinstance(behind, Tensor) else [-1] + [1] * behind
    between = first + delta * raw.Reshape(raw.Cast(raw.Range(1, steps, 1), DstT=delta.dtype), layout)
    return raw.GatherV2(raw.ConcatV2([first, between, last], axis), raw.Range(0, count, 1), axis)


def meshgrid(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Returns coordinate arrays that span a grid.

    Args:
        *args: Vectors, one for each axis of the grid.
        **kwargs: `indexing`: `"xy"` (the default; the first two axes are swapped) or `"ij"`; `name` is unused.

    Returns:
        For each vector a tensor of the grid's shape which varies along that vector's axis alone.

    Raises:
        ValueError: `indexing` is something else.
    """
    indexing = kwargs.pop("indexing", "xy")
    kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"{next(iter(kwargs))!r} is an invalid keyword argument for this function")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Argument `indexing` parameter must be either 'xy' or 'ij', got {indexing!r}")
    vectors = [raw.Reshape(convert_to_tensor(item), [-1]) for item in args]
    axes = list(builtins.range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = [1, 0]
    lengths: list[Any] = [None] * len(vectors)
    for vector, axis in zip(vectors, axes, strict=True):
        lengths[axis] = raw.Size(vector)
    return [
        broadcast_to(raw.Reshape(vector, [-1 if axis == other else 1 for other in builtins.range(len(axes))]), lengths)
        for vector, axis in zip(vectors, axes, strict=True)
    ]


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = dtypes.bool_, name: str | None = None) -> Tensor:
    """Returns, for each length, a mask that is true in that many first places.

    Args:
        lengths: Integers of any shape.
        maxlen: How long the masks are; by default as the greatest length.
        dtype: The dtype of the result.
        name: Unused; kept for its place.

    Returns:
        A tensor of the shape of `lengths` with an axis of length `maxlen` behind.
    """
    counts = convert_to_tensor(lengths)
    if maxlen is None:
        longest = raw.Maximum(convert_to_tensor(0, dtype=counts.dtype), raw.Max(counts, _all_axes(counts)))
    else:
        longest = convert_to_tensor(maxlen)
        if longest.ndim not in (0, None):
            raise ValueError(f"Argument `maxlen` must be scalar for sequence_mask, received `maxlen` = {maxlen!r}")
    zero, one = (convert_to_tensor(value, dtype=longest.dtype) for value in (0, 1))
    mask = raw.Less(raw.Range(zero, longest, one), cast(raw.ExpandDims(counts, -1), longest.dtype))
    return cast(mask, dtype)


def _all_axes(tensor: Tensor) -> Any:
    return raw.Range(0, raw.Rank(tensor), 1) if tensor.ndim is None else np.arange(tensor.ndim, dtype=np.int32)


@dispatched(elementwise=1)
def identity(input: Any, name: str | None = None) -> Tensor:
    """Returns a tensor of the same shape and contents."""
    return raw.Identity(convert_to_tensor(input), name=name)


def identity_n(input: Any, name: str | None = None) -> list[Tensor]:
    """Returns a list of tensors of the same shapes and contents as those in the list `input`."""
    return raw.IdentityN(input, name=name)


@dispatched(elementwise=1)
def stop_gradient(input: Any, name: str | None = None) -> Tensor:
    """Returns `input`, but lets no gradient flow back to it."""
    return raw.StopGradient(input, name=name)


# ------------------------------------------------------------------------------------------------- shapes


@dispatched
def shape(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """Returns the shape of a tensor as a vector of `out_type` (int32 by default, or int64)."""
    tensor, wanted = convert_to_tensor(input), dtypes.int32 if out_type is None else as_dtype(out_type)
    dims = tensor.dims
    if tensor.backend is None and dims is not None and None not in dims:  # type: ignore[attr-defined]
        return convert_to_tensor(np.array(dims, wanted.np_dtype), name=name)
    return raw.Shape(tensor, out_type=wanted, name=name)


def shape_n(input: Any, out_type: Any = dtypes.int32, name: str | None = None) -> list[Tensor]:
    """Returns the shapes of all tensors of a list, each as a vector of `out_type`."""
    return raw.ShapeN(input, out_type=out_type, name=name)


@dispatched
def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """Returns the number of elements of a tensor as a scalar of `out_type` (int32 by default, or int64)."""
    return raw.Size(input, out_type=dtypes.int32 if out_type is None else out_type, name=name)


@dispatched
def rank(input: Any, name: str | None = None) -> Tensor:
    """Returns the number of axes of a tensor as an int32 scalar."""
    return raw.Rank(input, name=name)


def ensure_shape(x: Any, shape: Any, name: str | None = None) -> Tensor:
    """Returns `x`, once it is seen that its shape fits `shape`, of which sizes may be `None`.

    Raises:
        InvalidArgumentError: It does not fit (when the op runs, if the shape is not known before).
    """
    return raw.EnsureShape(x, shape=shape, name=name)


@dispatched
def reshape(tensor: Any, shape: Any, name: str | None = None) -> Tensor:
    """Returns the elements of a tensor in another shape, in the same order.

    Args:
        tensor: The tensor.
        shape: The sizes; one may be -1 and is worked out.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The number of elements does not fit.
    """
    return raw.Reshape(tensor, host(shape), name=name)


@dispatched
def expand_dims(input: Any, axis: Any, name: str | None = None) -> Tensor:
    """Returns the tensor with a new axis of length 1 at the position `axis`, counted in the result."""
    return raw.ExpandDims(input, host(axis), name=name)


@dispatched
def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Tensor:
    """Returns the tensor without axes of length 1: all such axes, or those of the list (or number) `axis`.

    Raises:
        InvalidArgumentError: One of `axis` has another length.
    """
    if axis is not None and not isinstance(axis, (list, tuple)):
        axis = np.reshape(np.asarray(axis), -1).tolist()
    return raw.Squeeze(input, squeeze_dims=axis or (), name=name)


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = "transpose") -> Tensor:
    """Returns the tensor with its axes in another order.

    Args:
        a: The tensor.
        perm: For each axis of the result the axis of `a`; by default they are reversed.
        conjugate: Whether to conjugate the elements of complex tensors as well.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: `perm` does not name each axis once.
    """
    tensor = convert_to_tensor(a)
    if perm is None:
        if tensor.ndim is None:
            count = raw.Rank(tensor)
            perm = count - 1 - raw.Range(0, count, 1)
        else:
            perm = np.arange(tensor.ndim - 1, -1, -1, dtype=np.int32)
    if conjugate and tensor.dtype.is_complex:
        return raw.ConjugateTranspose(tensor, host(perm), name=name)
    return raw.Transpose(tensor, host(perm), name=name)


@dispatched
def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Tensor:
    """Returns the tensor repeated along new axes and along those of length 1, so that its shape is `shape`.

    Raises:
        InvalidArgumentError: It does not broadcast to that shape.
    """
    return raw.BroadcastTo(input, host(shape), name=name)


@dispatched
def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> Tensor:
    """Returns the shape, as a vector, that two shapes broadcast to.

    Raises:
        InvalidArgumentError: They do not broadcast.
    """
    return raw.BroadcastArgs(host(shape_x), host(shape_y))


@dispatched(elementwise=1)
def bitcast(input: Any, type: Any, name: str | None = None) -> Tensor:
    """Returns the same bytes read as another dtype.

    To a smaller type a new last axis holds the parts of each element; to a larger one the last axis must hold just the
    parts of one element and goes.
    """
    return raw.Bitcast(input, type=type, name=name)


# ------------------------------------------------------------------------------------------------- joining, splitting


@dispatched
def concat(values: Any, axis: Any, name: str | None = "concat") -> Tensor:
    """Joins tensors along an axis that they have.

    Args:
        values: A list of tensors whose shapes agree in all other axes.
        axis: The axis.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The shapes do not agree.
    """
    tensors = list(values) if isinstance(values, (list, tuple)) else [values]
    if not tensors:
        raise ValueError("tf.concat needs at least one tensor; got an empty list.")
    return identity(tensors[0], name=name) if len(tensors) == 1 else raw.ConcatV2(tensors, host(axis), name=name)


@dispatched
def stack(values: Any, axis: int = 0, name: str | None = "stack") -> Tensor:
    """Joins tensors of one shape along a new axis.

    Args:
        values: A list of tensors.
        axis: Where the new axis stands in the result.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The shapes differ.
    """
    if not isinstance(values, (list, tuple)):
        if axis == 0:
            return convert_to_tensor(values)
        values = list(values)
    return raw.Pack(list(values), axis=axis, name=name) if values else convert_to_tensor(values)


def unstack(value: Any, num: int | None = None, axis: int = 0, name: str | None = "unstack") -> list[Tensor]:
    """Takes a tensor apart along an axis.

    Args:
        value: The tensor.
        num: The length of the axis; needed only while tracing, where it is not known.
        axis: The axis.
        name: A name for the graph node.

    Returns:
        A list of tensors without that axis.

    Raises:
        ValueError: The length of the axis is not known, or there is no such axis.
    """
    tensor = convert_to_tensor(value)
    if num is None:
        dims = tensor.dims
        if dims is not None and not -len(dims) <= axis < len(dims):
            raise ValueError(f"Argument `axis` = {axis} not in range [{-len(dims)}, {len(dims)})")
        num = None if dims is None else dims[axis]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {tensor.shape}")
    return raw.Unpack(tensor, num=num, axis=axis, name=name)


@dispatched
def split(
    value: Any, num_or_size_splits: Any, axis: Any = 0, num: int | None = None, name: str | None = "split"
) -> list[Tensor]:
    """Splits a tensor along an axis.

    Args:
        value: The tensor.
        num_or_size_splits: The number of equal parts, or a vector of the parts' lengths, of which one may be -1.
        axis: The axis.
        num: How many lengths `num_or_size_splits` has, where it is a vector whose length is not known.
        name: A name for the graph node.

    Raises:
        ValueError: The lengths do not fit the axis.
    """
    if isinstance(num_or_size_splits, (int, np.integer)):
        return raw.Split(host(axis), value, num_split=num_or_size_splits, name=name)
    lengths = convert_to_tensor(host(num_or_size_splits))
    if lengths.ndim == 0:
        raise ValueError("num_or_size_splits must be a Python integer or a vector of lengths, not a scalar tensor")
    if num is None:
        num = None if not lengths.dims else lengths.dims[0]
        if num is None:
            raise ValueError(f"Cannot infer argument `num` from shape {lengths.shape}")
    return raw.SplitV(value, lengths, host(axis), num_split=num, name=name)


__all__ = [
    "bitcast", "broadcast_dynamic_shape", "broadcast_static_shape", "broadcast_to", "concat", "ensure_shape",
    "expand_dims", "eye", "fill", "identity", "identity_n", "linspace", "meshgrid", "one_hot", "ones", "ones_like",
    "range", "rank", "reshape", "sequence_mask", "shape", "shape_n", "size", "split", "squeeze", "stack",
    "stop_gradient", "transpose", "unstack", "zeros", "zeros_like",
]  # fmt: skip
