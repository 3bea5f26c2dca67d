"""`CriticalSection`: functions of which only one runs at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from modtf.core.engine import context as contexts

__all__ = ["CriticalSection"]

_locks: dict[str, threading.RLock] = {}
_making = threading.Lock()


class CriticalSection:
    """Lets one function at a time run of those that are given to it, whichever threads call them.

    In a `tf.function` the ops of all sections run in program order. A graph that several threads run at a time is not held
    up by it there: take the section around its call instead.

    Args:
        name: A name.
        shared_name: Sections of the same shared name are one.
        critical_section_def: Must be `None`.
        import_scope: Without effect.

    Raises:
        ValueError: `critical_section_def` is given.
    """

    def __init__(
        self,
        name: str | None = None,
        shared_name: str | None = None,
        critical_section_def: Any = None,
        import_scope: str | None = None,
    ) -> None:
        if critical_section_def is not None:
            raise ValueError("critical_section_def is not supported: make the section by its name.")
        self._name = name or shared_name or "critical_section"
        if shared_name is None:
            self._lock = threading.RLock()
        else:
            with _making:
                self._lock = _locks.setdefault(shared_name, threading.RLock())
        self._running: Any = None

    @property
    def name(self) -> str:
        return self._name

    def execute(self, fn: Callable[[], Any], exclusive_resource_access: bool = True, name: str | None = None) -> Any:
        """Calls a function once no other one runs in this section.

        Args:
            fn: A function without arguments.
            exclusive_resource_access: Without effect.
            name: The name scope of its nodes in a graph.

        Returns:
            What the function returns.

        Raises:
            ValueError: It is called by a function that runs in this section.
        """
        graph = contexts.current().graph
        with self._lock:
            if self._running is not None and self._running[0] is graph:
                raise ValueError(
                    f"Attempting to lock a CriticalSection ({self._name!r}) in which we are already running. This would be a "
                    "deadlock."
                )
            before, self._running = self._running, (graph,)
            try:
                if name is None:
                    return fn()
                from modtf.core.modules import name_scope

                with name_scope(name):
                    return fn()
            finally:
                self._running = before
