"""Which distribution strategy, and which of its replicas, the current thread computes for (see `tf.distribute`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple


class Surroundings(NamedTuple):
    """A strategy, and the context of its replica; `None` where it is none's turn (a cross-replica context)."""

    strategy: Any
    replica: Any


surroundings: ContextVar[Surroundings | None] = ContextVar("modtf_replica", default=None)


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Leaves all strategies for a `with` block."""
    token = surroundings.set(None)
    try:
        yield
    finally:
        surroundings.reset(token)


def current_replica() -> int | None:
    """The number of the strategy's replica whose function runs, `None` outside of one."""
    found = surroundings.get()
    return None if found is None or found.replica is None else found.replica.number
