"""What the functions of `tf.random` do with their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.tensors import Tensor

FLOATING = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


def sizes_tensor(shape: Any) -> Tensor:
    """The shape as a tensor of integers."""
    if hasattr(shape, "as_list"):
        shape = shape.as_list()
    return convert_to_tensor(np.zeros(0, np.int32) if isinstance(shape, (list, tuple)) and not len(shape) else shape)


def scaled(numbers: Tensor, factor: Any, offset: Any, name: str | None) -> Tensor:
    """The numbers times a factor plus an offset."""
    return raw.AddV2(numbers * factor, offset, name=name)


def in_dtype(dtype: DType, *values: Any) -> list[Tensor]:
    """The values as tensors of the dtype."""
    return [convert_to_tensor(value, dtype=dtype) for value in values]


def checked(dtype: Any, accepted: Sequence[DType]) -> DType:
    """The dtype, if it is an accepted one.

    Raises:
        ValueError: It is another.
    """
    wanted = as_dtype(dtype)
    if wanted not in accepted:
        names = ", ".join(item.name for item in accepted)
        raise ValueError(f"Argument `dtype` got invalid value {wanted!r}. Accepted dtypes are {names}.")
    return wanted


def at_least_tiny(numbers: Tensor, name: str | None) -> Tensor:
    """The numbers, those too small for the dtype made its smallest normal one, so that logarithms of them are finite."""
    return raw.Maximum(numbers, np.finfo(numbers.dtype.np_dtype).tiny.astype(numbers.dtype.np_dtype), name=name)


def shapes_and_rates(alpha: Any, beta: Any, dtype: DType) -> tuple[Tensor, Tensor]:
    """The gamma distribution's parameters in the dtype, the first broadcast with the second, which is 1 by default."""
    shape_parameter, rate = in_dtype(dtype, alpha, 1 if beta is None else beta)
    common = raw.BroadcastArgs(raw.Shape(shape_parameter), raw.Shape(rate))
    return raw.BroadcastTo(shape_parameter, common), rate
