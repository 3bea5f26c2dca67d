"""What the current thread is doing: its backend, the graph it traces into, its tapes and its name scope."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from modtf.core.backends.contract import Backend
    from modtf.core.engine.graphs import Graph
    from modtf.core.engine.vocabulary import Call, Op
    from modtf.core.values.tensors import Tensor

__all__ = ["Context", "current", "scoped"]


class Tape(Protocol):
    """What is shown the calls of ops: a gradient tape, or another observer."""

    def concerns(self, op: Op, inputs: Sequence[Tensor], attrs: tuple[Any, ...]) -> bool:
        """Whether it wants to see a call."""

    def record(self, call: Call) -> None:
        """Takes note of a call that concerns it."""


class Context:
    """The surroundings of a call of `execute`.

    Attributes:
        backend: The backend for eager ops; `None` until the process's default is first asked for.
        graph: The graph being traced, or `None` when ops run at once.
        tapes: The tapes that note ops, the innermost last.
        scope: The name scope, `""` or ending in `/`.
    """

    __slots__ = ("backend", "graph", "scope", "tapes")

    def __init__(
        self, backend: Backend | None, graph: Graph | None = None, tapes: tuple[Tape, ...] = (), scope: str = ""
    ) -> None:
        self.backend = backend
        self.graph = graph
        self.tapes = tapes
        self.scope = scope


PROCESS = Context(None)
"""The surroundings of threads that have set none of their own."""

_variable: ContextVar[Context] = ContextVar("modtf_context", default=PROCESS)
current = _variable.get
"""Returns the current thread's (or asyncio task's) context."""


def enter(**changes: Any) -> Any:
    """Makes a copy of the current context with `changes` current; returns a token for `leave`."""
    context = current()
    get = changes.get
    return _variable.set(
        Context(
            get("backend", context.backend),
            get("graph", context.graph),
            get("tapes", context.tapes),
            get("scope", context.scope),
        )
    )


def leave(token: Any) -> None:
    """Restores the context that was current before `enter`."""
    _variable.reset(token)


@contextlib.contextmanager
def scoped(**changes: Any) -> Iterator[None]:
    """Changes the context inside a `with` block: `scoped(backend=..., graph=..., tapes=..., scope=...)`."""
    token = enter(**changes)
    try:
        yield
    finally:
        leave(token)


def init_scope() -> contextlib.AbstractContextManager[None]:
    """Lifts ops out of the function being traced: they run at once, and no tape notes them (`tf.init_scope`)."""
    return scoped(graph=None, tapes=())


def executing_eagerly() -> bool:
    """Whether ops run at once, rather than being traced into a graph."""
    return current().graph is None


def inside_function() -> bool:
    """Whether a `tf.function` is being traced."""
    return current().graph is not None


def control_dependencies(control_inputs: Any) -> contextlib.AbstractContextManager[None]:
    """`with tf.control_dependencies(ops):` has the ops run before those inside. They do so anyway, in program order.

    Args:
        control_inputs: A list of ops and tensors, or `None`.
    """
    return contextlib.nullcontext()


def device(device_name: Any) -> contextlib.AbstractContextManager[None]:
    """`with tf.device(name):` asks for a device. Where values live is the backend's affair, so it stays a wish.

    Args:
        device_name: A name such as `"CPU:0"` or `"GPU:1"`, a `tf.DeviceSpec`, or `None`.

    Raises:
        ValueError: It is no name of a device.
    """
    if device_name is not None and not isinstance(device_name, str) and not hasattr(device_name, "to_string"):
        raise ValueError(f"tf.device needs the name of a device, such as 'CPU:0', not {device_name!r}.")
    return contextlib.nullcontext()
