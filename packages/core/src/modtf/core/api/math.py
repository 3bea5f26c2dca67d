"""Mathematics (`tf.math`, and its commoner names at the top level)."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor


def add_n(inputs: Any, name: str | None = None) -> Tensor:
    """Adds all tensors of a list element-wise.

    Raises:
        ValueError: The list is empty.
    """
    tensors = [convert_to_tensor(item) for item in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
    if not tensors:
        raise ValueError("tf.add_n needs at least one tensor; got an empty list.")
    return tensors[0] if len(tensors) == 1 else raw.AddN(tensors, name=name)
