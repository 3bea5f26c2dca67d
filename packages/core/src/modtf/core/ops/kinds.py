"""What kind of elements an array of any namespace has."""

from __future__ import annotations

import functools
from typing import Any

from modtf.core.values.dtypes import DType, as_dtype


@functools.cache
def _by_name(dtype: Any) -> DType:
    return as_dtype(str(dtype).rpartition(".")[2])


def dtype_of(array: Any) -> DType:
    """Returns the `DType` of a numeric or bool array."""
    return _by_name(array.dtype)


def is_complex(array: Any) -> bool:
    return _by_name(array.dtype).is_complex


def is_integer(array: Any) -> bool:
    return _by_name(array.dtype).is_integer


def is_floating(array: Any) -> bool:
    return _by_name(array.dtype).is_floating
