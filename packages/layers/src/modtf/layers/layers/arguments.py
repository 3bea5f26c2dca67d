"""Checks of arguments that several layers share."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_sizes(value: Any, count: int, name: str, least: int = 1) -> tuple[int, ...]:
    """Returns an integer, repeated, or a sequence of `count` integers, as a tuple.

    Raises:
        ValueError: It is neither, or one is below `least`.
    """
    values = (value,) * count if isinstance(value, (int, np.integer)) else value
    fits = isinstance(values, (list, tuple)) and len(values) == count
    if not fits or not all(isinstance(item, (int, np.integer)) and item >= least for item in values):
        raise ValueError(f"{name} must be an integer, or {count} of them, of at least {least}; got {value!r}.")
    return tuple(int(item) for item in values)


def as_padding(value: str, allowed: tuple[str, ...] = ("valid", "same")) -> str:
    """Returns a padding in lower case.

    Raises:
        ValueError: It is not one of those allowed.
    """
    padding = value.lower() if isinstance(value, str) else value
    if padding not in allowed:
        raise ValueError(f"padding must be one of {', '.join(allowed)}; got {value!r}.")
    return padding
