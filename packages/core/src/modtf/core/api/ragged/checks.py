"""Conditions that ragged tensors must meet: looked at now, or when the graph runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.tensors import EagerTensor, Tensor


def require(condition: Tensor, message: str, shown: dict[str, Any]) -> None:
    """Refuses to go on unless all of `condition` is true.

    Args:
        condition: Bools.
        message: What is wrong otherwise.
        shown: Tensors that the error shows, by name.

    Raises:
        InvalidArgumentError: Some of it is false (when the graph runs, while tracing).
    """
    if isinstance(condition, EagerTensor):
        if not np.all(np.asarray(condition)):
            details = ", ".join(f"{name}={_value(value)}" for name, value in shown.items())
            raise InvalidArgumentError(f"{message} ({details}).")
        return
    rank = condition.ndim
    axes = raw.Range(0, raw.Rank(condition), 1) if rank is None else np.arange(rank, dtype=np.int32)
    raw.Assert(
        raw.All(condition, axes), [message, *(item for name, value in shown.items() for item in (f"{name}=", value))]
    )


def _value(value: Any) -> Any:
    return value.numpy().tolist() if isinstance(value, EagerTensor) else value
