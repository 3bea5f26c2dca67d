"""Shapes of ragged tensors, and what is made by or brought to a ragged shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.ragged.broadcasting import Aligned, aligned, nest, to_ragged_or_tensor
from modtf.core.api.ragged.checks import require
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype, float32, int32
from modtf.core.values.dtypes import string as string_dtype
from modtf.core.values.ragged import DynamicRaggedShape, RaggedTensor
from modtf.core.values.tensors import Tensor


def shape(input: Any, out_type: Any = None, name: str | None = None) -> DynamicRaggedShape:
    """Returns the shape of a ragged tensor, with all row lengths; see `tf.shape`."""
    return DynamicRaggedShape.from_tensor(input, int32 if out_type is None else out_type)


def size(input: Any, out_type: Any = None, name: str | None = None) -> Tensor:
    """Returns the number of elements of a ragged tensor; see `tf.size`."""
    return raw.Size(input.flat_values, out_type=int32 if out_type is None else out_type)


def rank(input: Any, name: str | None = None) -> Tensor:
    """Returns the number of dimensions of a ragged tensor; see `tf.rank`."""
    return raw.Rank(input.flat_values) + input.ragged_rank


def _filled(shape: DynamicRaggedShape, value: Tensor) -> Any:
    return nest(raw.Fill(shape.inner_shape, value), shape.row_partitions)


def zeros(shape: DynamicRaggedShape, dtype: Any = float32, name: str | None = None) -> Any:
    """Returns zeros of a ragged shape; see `tf.zeros`."""
    wanted = as_dtype(dtype)
    zero = b"" if wanted is string_dtype else 0
    return _filled(shape, convert_to_tensor(np.array(zero, wanted.np_dtype), dtype=wanted))


def ones(shape: DynamicRaggedShape, dtype: Any = float32, name: str | None = None) -> Any:
    """Returns ones of a ragged shape; see `tf.ones`."""
    wanted = as_dtype(dtype)
    return _filled(shape, convert_to_tensor(np.array(1, wanted.np_dtype), dtype=wanted))


def fill(dims: DynamicRaggedShape, value: Any, name: str | None = None) -> Any:
    """Returns a scalar everywhere in a ragged shape; see `tf.fill`."""
    return _filled(dims, convert_to_tensor(value))


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """Returns the elements of a tensor or ragged tensor in another shape, dense or ragged; see `tf.reshape`."""
    value = to_ragged_or_tensor(tensor)
    flat = value.flat_values if isinstance(value, RaggedTensor) else value
    if isinstance(shape, DynamicRaggedShape):
        return nest(raw.Reshape(flat, shape.inner_shape), shape.row_partitions)
    return raw.Reshape(flat, shape)


# ------------------------------------------------------------------------------------------------- broadcasting


def _common(one: Any, other: Any) -> Aligned:
    """Aligns two of which one may have to be made ragged."""
    if isinstance(one, RaggedTensor) or isinstance(other, RaggedTensor):
        return aligned([one, other])
    return Aligned([one, other], ())


def broadcast_to(input: Any, shape: Any, name: str | None = None) -> Any:
    """Returns a tensor or ragged tensor stretched to a shape, dense or ragged; see `tf.broadcast_to`."""
    value = to_ragged_or_tensor(input)
    if not isinstance(shape, DynamicRaggedShape):
        sizes = convert_to_tensor(shape)
        shape = DynamicRaggedShape([], sizes)
    template = _filled(shape, convert_to_tensor(False))
    common = _common(value, template)
    if len(common.partitions) != shape.num_row_partitions:
        raise ValueError(f"Unable to broadcast from {value.shape} to {shape}.")
    for partition, wanted in zip(common.partitions, shape.row_partitions, strict=True):
        splits = wanted.row_splits()
        same = raw.Equal(raw.Cast(partition.row_splits(), DstT=splits.dtype), splits, incompatible_shape_error=False)
        require(same, "Unable to broadcast to a shape with other row lengths", {"row_splits": splits})
    return nest(raw.BroadcastTo(common.values[0], shape.inner_shape), shape.row_partitions)


def broadcast_dynamic_shape(shape_x: Any, shape_y: Any) -> DynamicRaggedShape:
    """Returns the shape that two shapes, of which at least one is ragged, broadcast to; see `tf.broadcast_dynamic_shape`."""
    one, other = (
        item if isinstance(item, DynamicRaggedShape) else DynamicRaggedShape([], convert_to_tensor(item))
        for item in (shape_x, shape_y)
    )
    if one.dtype is not other.dtype:
        one, other = one.with_dtype("int64"), other.with_dtype("int64")
    common = _common(_filled(one, convert_to_tensor(False)), _filled(other, convert_to_tensor(False)))
    inner = raw.BroadcastArgs(*(raw.Shape(value, out_type=one.dtype) for value in common.values))
    return DynamicRaggedShape(common.partitions, inner, one.dtype)
