"""What Python's operators mean on ragged tensors."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from modtf.core.api.linalg import matmul
from modtf.core.api.ragged.elementwise import elementwise
from modtf.core.engine import raw

__all__ = [
    "add", "both", "either", "floordiv", "greater", "greater_equal", "is_equal", "is_not_equal", "less", "less_equal", "matmul",
    "mod", "multiply", "one_of_both", "power", "subtract", "truediv",
]  # fmt: skip


def _of_two(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operator on the values, which are tensors then and know themselves what it means."""
    return lambda x, y: elementwise(function, x, y)


add, subtract, multiply = _of_two(operator.add), _of_two(operator.sub), _of_two(operator.mul)
truediv, floordiv, mod = _of_two(operator.truediv), _of_two(operator.floordiv), _of_two(operator.mod)
power = _of_two(operator.pow)
both, either, one_of_both = _of_two(operator.and_), _of_two(operator.or_), _of_two(operator.xor)
less, less_equal = _of_two(operator.lt), _of_two(operator.le)
greater, greater_equal = _of_two(operator.gt), _of_two(operator.ge)
_equal, _not_equal = _of_two(raw.Equal), _of_two(raw.NotEqual)


def is_equal(x: Any, y: Any) -> Any:
    """`x == y`: element by element; nothing is equal to `None`."""
    return _compared(_equal, x, y, False)


def is_not_equal(x: Any, y: Any) -> Any:
    """`x != y`: element by element; all is unequal to `None`."""
    return _compared(_not_equal, x, y, True)


def _compared(compare: Callable[[Any, Any], Any], x: Any, y: Any, otherwise: bool) -> Any:
    return otherwise if x is None or y is None else compare(x, y)
