"""What makes tensors of objects of other classes: functions that programs register for a class of theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.values.dtypes import DType

__all__ = ["register_tensor_conversion_function"]

_registered: list[tuple[int, type | tuple[type, ...], Callable[..., Any]]] = []


def register_tensor_conversion_function(
    base_type: Any, conversion_func: Callable[..., Any], priority: int = 100
) -> None:
    """Has objects of a class made tensors by a function, wherever tensors are taken.

    A class of one's own can have a method `__tf_tensor__(dtype, name)` instead, which comes first.

    Args:
        base_type: The class, or a tuple of classes.
        conversion_func: A function `(value, dtype=None, name=None, as_ref=False)` which returns a tensor, of the dtype if
            that is given; or `NotImplemented`, if the next function is to be asked.
        priority: Functions with smaller numbers are asked first, those with equal ones in the order of registration.

    Raises:
        TypeError: `base_type` is no class, or one of Python's or NumPy's own numbers and arrays; or `conversion_func` is no
            function.
    """
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    if not types or not all(isinstance(item, type) for item in types):
        raise TypeError(f"Argument `base_type` must be a type or a tuple of types. Obtained: {base_type}")
    if any(issubclass(item, (int, float, complex, np.generic, np.ndarray)) for item in types):
        raise TypeError("Cannot register conversions for Python numeric types and NumPy scalars and arrays.")
    if not callable(conversion_func):
        raise TypeError(f"Argument `conversion_func` must be callable. Received {conversion_func}.")
    _registered.append((priority, base_type, conversion_func))
    _registered.sort(key=lambda entry: entry[0])


def has_conversion(value: Any) -> bool:
    """Whether a function is registered for a value's class."""
    return any(isinstance(value, base_type) for _, base_type, _ in _registered)


def converted(value: Any, dtype: DType | None, dtype_hint: DType | None, name: str | None) -> Any:
    """Returns the tensor that a registered function makes of a value, `NotImplemented` if none does.

    Raises:
        RuntimeError: A function returned a tensor of another dtype than it was asked for.
    """
    for _, base_type, function in _registered:
        if not isinstance(value, base_type):
            continue
        for wanted in (dtype,) if dtype is not None or dtype_hint is None else (dtype_hint, None):
            try:
                tensor = function(value, dtype=wanted, name=name, as_ref=False)
            except (TypeError, ValueError):
                if wanted is None or wanted is dtype:
                    raise
                continue
            if tensor is NotImplemented:
                break
            if wanted is not None and tensor.dtype is not wanted:
                if wanted is not dtype:
                    continue
                raise RuntimeError(
                    f"Conversion function {function!r} for type {base_type} returned incompatible dtype: requested = "
                    f"{wanted.name}, actual = {tensor.dtype.name}"
                )
            return tensor
    return NotImplemented
