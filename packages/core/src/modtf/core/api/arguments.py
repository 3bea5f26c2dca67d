"""What the public functions make of their arguments before they call ops."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype, int32, int64
from modtf.core.values.shapes import TensorShape
from modtf.core.values.tensors import EagerTensor, Tensor


def host_integers(value: Any, dtype: DType) -> EagerTensor:
    """Returns Python integers as a tensor in host memory, where ops need sizes and axes, whatever the backend.

    Raises:
        OverflowError: One is too large for `dtype`.
    """
    return EagerTensor(np.array(value, dtype.np_dtype), dtype, NUMPY)


def host(value: Any) -> Any:
    """Sizes or axes in a form that ops take: Python integers or a `TensorShape` as a tensor in host memory."""
    if isinstance(value, TensorShape):
        if not value.is_fully_defined():
            raise ValueError(f"Cannot convert a partially known TensorShape {value} to a Tensor; use tf.shape(tensor).")
        value = value.as_list()
    if value.__class__ is int or (value.__class__ in (list, tuple) and all(item.__class__ is int for item in value)):
        try:
            return host_integers(value, int32)
        except OverflowError:
            return host_integers(value, int64)
    if value.__class__ in (list, tuple) and any(isinstance(item, Tensor) for item in value):
        return convert_to_tensor(value)
    return value


def cast(tensor: Tensor, dtype: Any) -> Tensor:
    """Returns the tensor in another dtype, or as it is if none is asked for or it has that."""
    return tensor if dtype is None or tensor.dtype is as_dtype(dtype) else raw.Cast(tensor, DstT=dtype)


def known_rank(tensor: Tensor) -> int:
    """The number of axes.

    Raises:
        ValueError: It is unknown.
    """
    if tensor.ndim is None:
        raise ValueError(f"The rank of {tensor!r} must be known here. Give it a shape with tf.ensure_shape.")
    return tensor.ndim
