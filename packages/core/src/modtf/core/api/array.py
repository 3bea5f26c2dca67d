"""Top-level functions that make, shape and move tensors."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor


def zeros_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:  # noqa: A002 (TensorFlow's name)
    """Returns zeros of the shape of `input`, of its dtype or of `dtype`."""
    tensor = convert_to_tensor(input)
    if dtype is not None and as_dtype(dtype) is not tensor.dtype:
        tensor = raw.Cast(tensor, DstT=dtype)
    return raw.ZerosLike(tensor, name=name)


def ones_like(input: Any, dtype: Any = None, name: str | None = None) -> Tensor:  # noqa: A002 (TensorFlow's name)
    """Returns ones of the shape of `input`, of its dtype or of `dtype`."""
    tensor = convert_to_tensor(input)
    if dtype is not None and as_dtype(dtype) is not tensor.dtype:
        tensor = raw.Cast(tensor, DstT=dtype)
    return raw.OnesLike(tensor, name=name)
