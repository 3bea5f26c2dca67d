"""AutoGraph: Python's `if`, `while`, `for`, `and`, `assert`, ... on tensors, made ops while a function is traced.

diastatic-malt rewrites the source of functions so that such statements call the functions in `operators`; those do what
Python does, unless a tensor without a value is concerned.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

enabled: ContextVar[bool] = ContextVar("modtf_autograph", default=False)
"""Whether functions that are called in what is being traced are rewritten."""


def converted(function: Callable[..., Any], requested: bool = True) -> Callable[..., Any]:
    """Returns a function that calls `function` rewritten, and what that calls, too.

    Args:
        function: The function.
        requested: Whether the user asked for this very one to be rewritten; else modtf's own and other libraries' are not.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        from modtf.core.engine.autograph.conversion import converted_call

        token = enabled.set(True)
        try:
            return converted_call(function, args, kwargs, requested=requested)
        finally:
            enabled.reset(token)

    return call


def converted_inside(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, if what is being traced is rewritten itself; else `function` as it is."""
    return converted(function, requested=False) if enabled.get() else function


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Makes a function one that AutoGraph leaves as it is, along with all that it calls; usable as a decorator."""
    if func is None:
        return do_not_convert

    @functools.wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        token = enabled.set(False)
        try:
            return func(*args, **kwargs)
        finally:
            enabled.reset(token)

    call.is_left_alone = True  # type: ignore[attr-defined]
    return call
