"""float16 and bfloat16: kernels that sum, multiply matrices or take exponentials compute in float32 inside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_NARROW = ("float16", "bfloat16")


def is_narrow(array: Any) -> bool:
    """Whether an array's dtype is float16 or bfloat16."""
    return _is_narrow(getattr(array, "dtype", None))


@functools.cache
def _is_narrow(dtype: Any) -> bool:
    return str(dtype) in _NARROW


def widened(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the kernel with its narrow floats made float32, and its float32 results made narrow again.

    NumPy has no fast products of narrow floats, and sums of them lose digits that TensorFlow keeps.
    """

    @functools.wraps(kernel)
    def wide(xp: Any, *arrays: Any, **attrs: Any) -> Any:
        narrow = next((array.dtype for array in arrays if is_narrow(array)), None)
        if narrow is None:
            return kernel(xp, *arrays, **attrs)
        result = kernel(xp, *(xp.astype(array, xp.float32) if is_narrow(array) else array for array in arrays), **attrs)
        if isinstance(result, tuple):
            return tuple(xp.astype(item, narrow) if item.dtype == xp.float32 else item for item in result)
        return xp.astype(result, narrow)

    return wide
