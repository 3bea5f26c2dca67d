"""The process's seed, and the seeds of ops that follow from it."""

from __future__ import annotations

import random as python_random
import weakref
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.ops.random.state import reset_positions

__all__ = ["op_seeds", "require_seeds", "set_seed"]

_GREATEST_SEED = 2**31 - 1
_SEED_WITHOUT_GLOBAL = 87654321


class _GlobalSeed:
    """What `set_seed` set: the seed, and the sequence of op seeds that follows from it."""

    def __init__(self) -> None:
        self.seed: int | None = None
        self.sequence = python_random.Random()
        self.counts: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self.of_graphs: weakref.WeakKeyDictionary[Any, int | None] = weakref.WeakKeyDictionary()

    def here(self) -> int | None:
        """The seed that holds here: one set while the function around was traced, or the process's."""
        graph = contexts.current().graph if self.of_graphs else None
        while graph is not None:
            if graph in self.of_graphs:
                return self.of_graphs[graph]
            graph = graph.outer
        return self.seed

    def next_op_seed(self) -> int:
        """A seed for an op that has none: drawn when it runs at once, counted in a graph."""
        graph = contexts.current().graph
        if graph is None:
            return self.sequence.randint(0, _GREATEST_SEED)
        count = self.counts.get(graph, 0)
        self.counts[graph] = count + 1
        return count


_global = _GlobalSeed()


deterministic = False
"""Whether random ops without a seed are refused; `tf.config.experimental.enable_op_determinism` sets it."""


def set_seed(seed: int | None) -> None:
    """Sets the seed from which ops without a seed take theirs, and makes all of them start again.

    Inside a function that is being traced, it sets the seed for the rest of that function only.

    Args:
        seed: Any integer; `None` forgets the seed that has been set.
    """
    seed = None if seed is None else int(seed)
    graph = contexts.current().graph
    if graph is not None:
        _global.of_graphs[graph] = seed
        return
    _global.seed = seed
    _global.sequence = python_random.Random(seed)
    _global.counts.clear()
    reset_positions()


def require_seeds(what: str) -> None:
    """Refuses what differs from run to run, if determinism was asked for.

    Raises:
        RuntimeError: It was.
    """
    if deterministic:
        raise RuntimeError(
            f"{what} needs a seed when determinism is enabled. Set one before, e.g. by calling tf.random.set_seed(1)."
        )


def op_seeds(seed: int | None) -> dict[str, int]:
    """The two seeds of an op; both are 0, which means random ones, if neither it nor the process has a seed."""
    set_before = _global.here()
    if set_before is None and seed is None:
        require_seeds("A random op")
        return {"seed": 0, "seed2": 0}
    first = _SEED_WITHOUT_GLOBAL if set_before is None else set_before
    second = _global.next_op_seed() if seed is None else int(seed)
    first, second = first % _GREATEST_SEED, second % _GREATEST_SEED
    return {"seed": first, "seed2": second if (first, second) != (0, 0) else _GREATEST_SEED}
