"""The algorithms that make random bits, and how a seed becomes what they start from."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values import dtypes

__all__ = ["Algorithm", "algorithm_number", "key_counter"]


class Algorithm(enum.Enum):
    """How random bits are made: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC11)."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


def algorithm_number(value: Any) -> int:
    """The number of an algorithm.

    Raises:
        ValueError: There is none of that name.
        TypeError: It is not a name, a number or an `Algorithm`.
    """
    if isinstance(value, Algorithm):
        return value.value
    if isinstance(value, str):
        plain = value.strip().upper().replace("-", "").replace("_", "")
        for item in Algorithm:
            if item.name.replace("_", "") == plain:
                return item.value
    elif not hasattr(value, "__index__"):
        raise TypeError(f"Can't convert argument `alg` (of value {value} and type {type(value)}) to int.")
    elif int(value) in [item.value for item in Algorithm]:
        return int(value)
    raise ValueError(
        f"Argument `alg` got unsupported value {value}. Supported values are 'philox', 'threefry' and 'auto_select'."
    )


def key_counter(seed: Any, alg: Any) -> dict[str, Any]:
    """The three inputs of the ops that are functions of key and counter."""
    number = algorithm_number("auto_select" if alg is None else alg)
    if number == Algorithm.THREEFRY.value:
        words = raw.Cast(raw.Cast(seed, DstT=dtypes.uint32), DstT=dtypes.uint64)
        shifted = raw.LeftShift(words, np.array([0, 32], np.uint64))
        return {"key": shifted[:1] | shifted[1:], "counter": np.zeros(1, np.uint64), "alg": number}
    key, counter = raw.StatelessRandomGetKeyCounter(seed)
    return {"key": key, "counter": counter, "alg": number}
