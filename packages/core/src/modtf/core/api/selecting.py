"""Top-level functions that take parts of tensors, find elements, and put parts back."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.arguments import cast, host
from modtf.core.api.array import broadcast_to, concat, shape
from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- parts


def slice(input_: Any, begin: Any, size: Any, name: str | None = None) -> Tensor:
    """Returns the part of a tensor that starts at `begin` and has the sizes `size`; -1 takes all that remains.

    Raises:
        InvalidArgumentError: It would reach outside.
    """
    return raw.Slice(input_, host(begin), host(size), name=name)


def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0,
    ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns the part that slices `begin[i]:end[i]:strides[i]` say; `tensor[...]` is its everyday form.

    Args:
        input_: The tensor.
        begin: Where each slice starts.
        end: Where each slice stops, not included.
        strides: The steps; 1 by default.
        begin_mask: Bit i: slice i starts at the beginning, whatever `begin[i]` says.
        end_mask: Bit i: slice i reaches to the end.
        ellipsis_mask: Bit i: position i stands for as many whole axes as are left.
        new_axis_mask: Bit i: position i makes a new axis of length 1.
        shrink_axis_mask: Bit i: position i takes the element `begin[i]`, and the axis goes.
        var: Unused; kept for its place.
        name: A name for the graph node.
    """
    first = convert_to_tensor(host(begin))
    masks = {
        "begin_mask": begin_mask, "end_mask": end_mask, "ellipsis_mask": ellipsis_mask, "new_axis_mask": new_axis_mask,
        "shrink_axis_mask": shrink_axis_mask,
    }  # fmt: skip
    steps = strides
    if strides is None:
        known = first.dims is not None and None not in first.dims
        steps = np.ones(first.dims, first.dtype.np_dtype) if known else raw.OnesLike(first)
    return raw.StridedSlice(input_, first, host(end), steps, **masks, name=name)


@dispatched
def gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns the slices along an axis that indices name.

    Args:
        params: The tensor to take from.
        indices: Integers of any shape.
        validate_indices: Unused; kept for its place.
        axis: The axis; by default the first one behind the batch axes.
        batch_dims: How many leading axes `params` and `indices` have in common.
        name: A name for the graph node.

    Returns:
        A tensor of shape `params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]`.

    Raises:
        InvalidArgumentError: An index is outside of the axis.
    """
    return raw.GatherV2(params, indices, host(batch_dims if axis is None else axis), batch_dims=batch_dims, name=name)


@dispatched
def gather_nd(
    params: Any, indices: Any, batch_dims: int = 0, name: str | None = None, bad_indices_policy: str = ""
) -> Tensor:
    """Returns the slices at the coordinates in the last axis of `indices`.

    Args:
        params: The tensor to take from.
        indices: Integers of shape `[..., depth]`, each row the first `depth` coordinates of a slice.
        batch_dims: How many leading axes `params` and `indices` have in common.
        name: A name for the graph node.
        bad_indices_policy: What becomes of coordinates outside; as TensorFlow's `GatherNd`.

    Returns:
        A tensor of shape `indices.shape[:-1] + params.shape[batch_dims + depth:]`.
    """
    if batch_dims:
        params, indices = convert_to_tensor(params), convert_to_tensor(indices)
        if indices.ndim is None:
            raise ValueError("tf.gather_nd with batch_dims needs indices of a known rank.")
        lead, axes = shape(indices)[:-1], range(indices.ndim)
        places = [
            broadcast_to(
                raw.Reshape(
                    cast(raw.Range(0, lead[batch], 1), indices.dtype), [-1 if axis == batch else 1 for axis in axes]
                ),
                concat([lead, [1]], 0),
            )
            for batch in range(batch_dims)
        ]
        indices = concat([*places, indices], -1)
    return raw.GatherNd(params, indices, bad_indices_policy=bad_indices_policy, name=name)


def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: str | None = "boolean_mask") -> Tensor:
    """Returns the slices of a tensor where a mask is true.

    Args:
        tensor: The tensor, of rank N.
        mask: Bools of rank K, of the shape of K axes of `tensor`.
        axis: The first of those axes; 0 by default.
        name: A name for the graph node.

    Returns:
        A tensor of rank N - K + 1 with the chosen slices along `axis`.

    Raises:
        ValueError: The mask is a scalar or its shape does not fit.
    """
    values, chosen = convert_to_tensor(tensor), convert_to_tensor(mask)
    start = 0 if axis is None else int(axis)
    if chosen.ndim == 0:
        raise ValueError("mask cannot be scalar.")
    if chosen.ndim is None:
        raise ValueError("Number of mask dimensions must be specified, even if some dimensions are None.")
    if start < 0:
        if values.ndim is None:
            raise ValueError("tf.boolean_mask with a negative axis needs a tensor of a known rank.")
        start += values.ndim
    stop = start + chosen.ndim
    if not values.shape[start:stop].is_compatible_with(chosen.shape):
        raise ValueError(f"Shapes {values.shape[start:stop]} and {chosen.shape} are incompatible")
    if chosen.ndim > 1:
        lengths = shape(values)
        values = raw.Reshape(values, concat([lengths[:start], [-1], lengths[stop:]], 0))
        chosen = raw.Reshape(chosen, [-1])
    return raw.GatherV2(values, raw.Squeeze(raw.Where(chosen), squeeze_dims=[1]), start, name=name)


@dispatched
def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Tensor:
    """Chooses between two tensors element by element; without them, returns where `condition` is true.

    Args:
        condition: Bools.
        x: What to take where it is true; the three broadcast.
        y: What to take where it is false.
        name: A name for the graph node.

    Returns:
        The chosen elements; or int64 coordinates of shape `[count, rank]`, a row for each true element, in order.

    Raises:
        ValueError: Only one of `x` and `y` is given.
    """
    if x is None and y is None:
        return raw.Where(convert_to_tensor(condition, dtype_hint=dtypes.bool_), name=name)
    if x is None or y is None:
        raise ValueError("x and y must both be non-None or both be None.")
    return raw.SelectV2(condition, x, y, name=name)


def unique(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """Returns the distinct elements `y` of a vector, in the order of their first places, and where in `y` each is."""
    return raw.Unique(x, out_idx=out_idx, name=name)


def unique_with_counts(x: Any, out_idx: Any = dtypes.int32, name: str | None = None) -> Any:
    """Returns what `unique` does and how often each distinct element stands in the vector, `count`."""
    return raw.UniqueWithCounts(x, out_idx=out_idx, name=name)


def searchsorted(
    sorted_sequence: Any, values: Any, side: str = "left", out_type: Any = dtypes.int32, name: str | None = None
) -> Tensor:
    """Returns where values would have to be inserted into sorted sequences to keep these sorted.

    Args:
        sorted_sequence: Ascending along the last axis; its other axes are those of `values`.
        values: What to look for.
        side: `"left"` of equal elements, or `"right"`.
        out_type: int32 or int64.
        name: A name for the graph node.

    Returns:
        Positions in the last axis of `sorted_sequence`, of the shape of `values`.
    """
    if side not in ("left", "right"):
        raise ValueError(f"Argument `side` must be either 'right' or 'left'. Received: `side` = {side!r}.")
    sequence = convert_to_tensor(sorted_sequence)
    wanted = convert_to_tensor(values, dtype=sequence.dtype)
    rows = []
    for item in (sequence, wanted):
        lengths = shape(item)
        rows.append(raw.Reshape(item, raw.Pack([raw.Prod(lengths[:-1], 0), lengths[-1]])))
    find = raw.LowerBound if side == "left" else raw.UpperBound
    return raw.Reshape(find(*rows, out_type=out_type, name=name), shape(wanted))


# ------------------------------------------------------------------------------------------------- scattering


def scatter_nd(indices: Any, updates: Any, shape: Any, bad_indices_policy: str = "", name: str | None = None) -> Tensor:
    """Returns zeros of `shape` with `updates` added at the coordinates in the last axis of `indices`.

    Args:
        indices: Integers of shape `[..., depth]`.
        updates: Slices of shape `indices.shape[:-1] + shape[depth:]`; those for one place are summed.
        shape: The result's shape, in the dtype of `indices`.
        bad_indices_policy: What becomes of coordinates outside; as TensorFlow's `ScatterNd`.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A coordinate is outside, or the shapes do not fit.
    """
    return raw.ScatterNd(indices, updates, host(shape), bad_indices_policy=bad_indices_policy, name=name)


def tensor_scatter_nd_update(tensor: Any, indices: Any, updates: Any, name: str | None = None) -> Tensor:
    """Returns `tensor` with `updates` in place of the slices at the coordinates in the last axis of `indices`.

    Args:
        tensor: The tensor.
        indices: Integers of shape `[..., depth]`.
        updates: Slices of shape `indices.shape[:-1] + tensor.shape[depth:]`.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A coordinate is outside, or the shapes do not fit.
    """
    return raw.TensorScatterUpdate(tensor, indices, updates, name=name)


def tensor_scatter_nd_add(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """Returns `tensor` with `updates` added, arranged as in `tensor_scatter_nd_update`; those for one place add up."""
    return raw.TensorScatterAdd(tensor, indices, updates, bad_indices_policy=bad_indices_policy, name=name)


def tensor_scatter_nd_sub(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """Returns `tensor` with `updates` subtracted, arranged as in `tensor_scatter_nd_update`."""
    return raw.TensorScatterSub(tensor, indices, updates, bad_indices_policy=bad_indices_policy, name=name)


def tensor_scatter_nd_max(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """Returns the larger of `tensor` and `updates`, arranged as in `tensor_scatter_nd_update`."""
    return raw.TensorScatterMax(tensor, indices, updates, bad_indices_policy=bad_indices_policy, name=name)


def tensor_scatter_nd_min(
    tensor: Any, indices: Any, updates: Any, bad_indices_policy: str = "", name: str | None = None
) -> Tensor:
    """Returns the smaller of `tensor` and `updates`, arranged as in `tensor_scatter_nd_update`."""
    return raw.TensorScatterMin(tensor, indices, updates, bad_indices_policy=bad_indices_policy, name=name)


__all__ = [
    "boolean_mask", "gather", "gather_nd", "scatter_nd", "searchsorted", "slice", "strided_slice",
    "tensor_scatter_nd_add", "tensor_scatter_nd_max", "tensor_scatter_nd_min", "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update", "unique", "unique_with_counts", "where",
]  # fmt: skip
