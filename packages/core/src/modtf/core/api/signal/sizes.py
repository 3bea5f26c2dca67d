"""Lengths, which are Python integers wherever they are known, so that shapes are known too."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import int32
from modtf.core.values.tensors import Tensor


def size(value: Any, what: str) -> Any:
    """Returns an integer as a Python one if it is known, else as an int32 scalar.

    Raises:
        ValueError: It is not a scalar, or not an integer.
    """
    tensor = convert_to_tensor(value)
    if tensor.ndim not in (None, 0):
        raise ValueError(f"{what} must be a scalar, but its shape is {tensor.shape}.")
    if not tensor.dtype.is_integer:
        raise ValueError(f"{what} must be an integer. Got {tensor.dtype.name}.")
    known = constant_value(tensor)
    if known is not None:
        return int(known)
    return tensor if tensor.dtype is int32 else raw.Cast(tensor, DstT=int32)


def length_of(tensor: Tensor, axis: int) -> Any:
    """Returns the length of an axis: an integer if it is known, else a scalar."""
    known = None if tensor.dims is None else tensor.dims[axis]
    return raw.Shape(tensor)[axis] if known is None else known


def maximum(a: Any, b: Any) -> Any:
    """The larger of two sizes."""
    return max(a, b) if isinstance(a, int) and isinstance(b, int) else raw.Maximum(_tensor(a), _tensor(b))


def vector(*parts: Any) -> Any:
    """Returns sizes, and vectors of them, one after the other: an array if all are known, else a tensor."""
    if all(isinstance(part, (int, np.ndarray)) for part in parts):
        return np.concatenate([np.reshape(np.asarray(part, np.int32), -1) for part in parts])
    return raw.ConcatV2([raw.Reshape(_tensor(part), np.array([-1], np.int32)) for part in parts], np.int32(0))


def sizes_of(tensor: Tensor, start: int | None = None, stop: int | None = None) -> Any:
    """Returns a part of a tensor's shape: an array if it is known, else a vector."""
    dims = None if tensor.dims is None else tensor.dims[start:stop]
    if dims is not None and None not in dims:
        return np.array(dims, np.int32)
    return raw.Shape(tensor)[start:stop]


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else convert_to_tensor(np.asarray(value, np.int32))
