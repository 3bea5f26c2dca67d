"""What the families share: constants like a tensor, conjugates, summing a gradient back over broadcasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.conversion import from_array
from modtf.core.values.dtypes import DType, int32
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import EagerTensor, Tensor


def like(tensor: Tensor, value: Any, scalar: bool = False) -> Tensor:
    """Returns `value` in the tensor's dtype, as a scalar or filling the tensor's shape."""
    dims = () if scalar else tensor.dims
    filled = np.asarray(value, tensor.dtype.np_dtype)
    if dims is not None and None not in dims and (scalar or isinstance(tensor, EagerTensor)):
        return from_array(np.broadcast_to(filled, dims) if dims else filled, tensor.dtype)  # type: ignore[arg-type]
    zeros = raw.ZerosLike(tensor)
    return zeros + from_array(filled, tensor.dtype) if value else zeros


def conj(tensor: Tensor) -> Tensor:
    """Returns the complex conjugate; of a real tensor, the tensor itself."""
    return raw.Conj(tensor) if tensor.dtype.is_complex else tensor


def unbroadcast(gradient: Tensor, to: Tensor, other: Tensor | None = None, batch_of: Tensor | None = None) -> Tensor:
    """Sums a gradient over the axes along which `to` was broadcast.

    Args:
        gradient: The gradient, of the broadcast shape.
        to: The operand.
        other: What it was broadcast with.
        batch_of: The same for products of matrices, where all but the last two axes are broadcast.
    """
    target, given = to.dims, gradient.dims
    if target is not None and target == given and None not in target:
        return gradient
    partner = other if other is not None else batch_of
    if target is not None and given is not None and None not in target and None not in given:
        lead = len(given) - len(target)
        axes = [*range(lead), *(lead + i for i, dim in enumerate(target) if dim == 1 and given[lead + i] != 1)]
        if not axes:
            return gradient
        total = raw.Sum(gradient, np.array(axes, np.int32), keep_dims=False)
        return total if total.dims == target else raw.Reshape(total, np.array(target, np.int32))
    assert partner is not None
    shape, partner_shape = raw.Shape(to), raw.Shape(partner)
    if batch_of is not None:
        if to.ndim == 2 and partner.ndim == 2:
            return gradient
        axes_of, _ = raw.BroadcastGradientArgs(shape[:-2], partner_shape[:-2])
    else:
        if target == partner.dims and TensorShape(target).is_fully_defined():
            return gradient
        axes_of, _ = raw.BroadcastGradientArgs(shape, partner_shape)
    return raw.Reshape(raw.Sum(gradient, axes_of, keep_dims=False), shape)


def shape_of(tensor: Tensor, out_type: DType = int32) -> Any:
    """Returns the tensor's shape: as a NumPy array where it is fully known, else as a tensor."""
    dims = tensor.dims
    if dims is None or None in dims:
        return raw.Shape(tensor, out_type=out_type)
    return np.array(dims, out_type.np_dtype)


def check_same_shapes(what: str, *arrays: Any) -> None:
    """Refuses arrays of different shapes, where an array library would broadcast them.

    Raises:
        ValueError: The shapes differ.
    """
    first, *others = map(np.shape, arrays)
    for shape in others:
        if shape != first:
            raise ValueError(f"{what} must have the same shape: {list(first)} vs. {list(shape)}")
