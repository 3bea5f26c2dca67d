"""Norms of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.elementwise import abs as absolute
from modtf.core.api.elementwise import conj
from modtf.core.api.reductions import reduce_max, reduce_sum
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import normal_axis
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = ["norm", "normalize"]


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: Any = None, name: str | None = None
) -> Tensor:
    """Returns the norm of vectors or matrices.

    Args:
        tensor: A tensor of floating or complex numbers.
        ord: `"euclidean"` (or `"fro"`), 1, 2, `np.inf`, or for vectors any positive number p. Of matrices, 2 is the largest
            singular value.
        axis: The axis of the vectors, the pair of axes of the matrices, or `None` to take the whole tensor as one vector.
        keepdims: Whether the axes remain, with size 1.
        name: A name for the graph node.

    Raises:
        ValueError: `ord` or `axis` is not one of these.
    """
    of_matrices = isinstance(axis, (list, tuple)) and len(axis) == 2
    if of_matrices:
        if not all(isinstance(item, int) for item in axis) or axis[0] == axis[1]:
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if ord not in ("euclidean", "fro", 1, 2, np.inf):
            raise ValueError(f"'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, 2, inf], got {ord}")
    else:
        if not (axis is None or isinstance(axis, int)):
            raise ValueError(f"'axis' must be None, an integer, or a tuple of 2 unique integers, got {axis}")
        if ord != "euclidean" and (isinstance(ord, str) or not np.isreal(ord) or ord <= 0):
            raise ValueError(f"'ord' must be a supported vector norm, got {ord}")
    values = convert_to_tensor(tensor)
    if of_matrices and ord == 2:
        result = _largest_singular_value(values, axis)
    elif ord in ("euclidean", "fro", 2):
        result = raw.Sqrt(reduce_sum(values * conj(values), axis, True))
    elif of_matrices:  # the largest sum of sizes along one axis of the two
        along, across = axis if ord == 1 else axis[::-1]
        result = reduce_max(reduce_sum(absolute(values), along, True), across, True)
    elif ord == np.inf:
        result = reduce_max(absolute(values), axis, True)
    elif ord == 1:
        result = reduce_sum(absolute(values), axis, True)
    else:
        sizes = absolute(values)
        powers = raw.Pow(sizes, convert_to_tensor(ord, dtype=sizes.dtype))
        result = raw.Pow(reduce_sum(powers, axis, True), convert_to_tensor(1.0 / ord, dtype=sizes.dtype))
    if keepdims:
        return raw.Identity(result, name=name) if name else result
    gone = list(range(result.ndim)) if axis is None and result.ndim is not None else axis
    if gone is None:
        return raw.Squeeze(result, squeeze_dims=[], name=name)
    return raw.Squeeze(result, squeeze_dims=[gone] if isinstance(gone, int) else list(gone), name=name)


def _largest_singular_value(values: Tensor, axes: Any) -> Tensor:
    """The 2-norm of the matrices along two axes, which remain with size 1."""
    if values.ndim is None:
        raise ValueError("The 2-norm of matrices needs a tensor of known rank; give it one with tf.ensure_shape.")
    rows, columns = (normal_axis(int(axis), values.ndim) for axis in axes)
    order = [*(axis for axis in range(values.ndim) if axis not in (rows, columns)), rows, columns]
    sizes = raw.Svd(raw.Transpose(values, np.array(order, np.int32)), compute_uv=False).s
    largest = reduce_max(absolute(sizes), -1)  # (of complex matrices, complex though real)
    for axis in sorted((rows, columns)):
        largest = raw.ExpandDims(largest, np.int32(axis))
    return largest


def normalize(tensor: Any, ord: Any = "euclidean", axis: Any = None, name: str | None = None) -> tuple[Tensor, Tensor]:
    """Divides a tensor by its norm.

    Args:
        tensor: A tensor of floating or complex numbers.
        ord: Which norm; see `norm`.
        axis: Over which axes; see `norm`.
        name: A name for the graph node.

    Returns:
        The quotient, and the norm with its axes kept.
    """
    values = convert_to_tensor(tensor)
    size = raw.Cast(norm(values, ord, axis, keepdims=True), DstT=values.dtype)
    return raw.RealDiv(values, size, name=name), size
