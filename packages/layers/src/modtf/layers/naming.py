"""Names for objects that are made without one: `dense`, `dense_1`, `dense_2`, ..."""

from __future__ import annotations

import collections
import re

_counts: collections.Counter[str] = collections.Counter()


def to_snake_case(name: str) -> str:
    """`"MaxPooling2D"` to `"max_pooling2d"`, as Keras names things."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(class_name: str) -> str:
    """Returns a name for a new object of that class, not given before."""
    prefix = to_snake_case(class_name)
    number = _counts[prefix]
    _counts[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def reset() -> None:
    """Starts counting anew."""
    _counts.clear()
