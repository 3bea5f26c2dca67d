"""The two tables that the families fill: calls that give results, and calls that are mistakes."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from modtf.core.conformance.examples import FLOATS, Case

CASES: list[Case] = []
_numbers: Counter[str] = Counter()


class Mistake(NamedTuple):
    """A call that TensorFlow refuses."""

    case: Case
    told_by: str
    """What tells: `"shapes"`, so that tracing with them refuses it too; `"arguments"`, the values of axes, shapes and
    the like, which every backend looks at; or `"values"` of ordinary inputs, which a backend may be unable to look at."""

    def __repr__(self) -> str:
        return repr(self.case)


MISTAKES: list[Mistake] = []


def case(
    op: str,
    *inputs: Any,
    dtypes: str = FLOATS,
    tolerance: float = 1.0,
    smooth: bool = True,
    orders: int = 2,
    outputs: int | None = None,
    **attrs: Any,
) -> None:
    """Adds a call; see `Case` for the arguments."""
    CASES.append(Case(op, inputs, attrs, dtypes, tolerance, smooth, orders, outputs, _numbers[op]))
    _numbers[op] += 1


def mistake(op: str, *inputs: Any, dtypes: str = "float32", told_by: str = "shapes", **attrs: Any) -> None:
    """Adds a call that is refused; see `Mistake`."""
    number = sum(known.case.op == op for known in MISTAKES)
    MISTAKES.append(Mistake(Case(op, inputs, attrs, dtypes, 1.0, False, 0, None, number), told_by))
