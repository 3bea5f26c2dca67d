"""How public functions take composite tensors: each kind (ragged, sparse, a user's own) may bring implementations.

    @dispatched
    def concat(values, axis, name="concat"): ...

    @implements(concat, RaggedTensor)
    def _(values, axis, name=None): ...

A function is called as it is first, which costs those who use plain tensors next to nothing. Only if that fails, since a
composite cannot be made a tensor, are the arguments looked over for one whose kind brings an implementation.

Functions of elements say so, `@dispatched(elementwise=2)`; a kind takes all of these that has a method for them:

    @classmethod
    def apply_elementwise(cls, function, operands): ...

which is given a function of `len(operands)` tensors, and returns what it makes of the operands.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Literal, ParamSpec, TypeVar, overload

from modtf.core.values.composites import CompositeTensor

__all__ = ["dispatched", "implementation_for", "implements"]

P = ParamSpec("P")
R = TypeVar("R")

_IMPLEMENTATIONS: dict[str, dict[type, Callable[..., Any]]] = {}
"""By the function's module and name, so that a function need not be imported for a kind to bring an implementation."""


@overload
def dispatched(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def dispatched(*, elementwise: int | Literal["list"]) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def dispatched(function: Any = None, /, *, elementwise: int | Literal["list"] = 0) -> Any:
    """Makes a public function one that kinds of composite tensors can bring implementations of; a decorator.

    Args:
        function: The function.
        elementwise: How many of its first parameters are operands that it computes with element by element,
            broadcasting them; `"list"` if its first parameter is a list of such.
    """
    if function is None:
        return functools.partial(_dispatched, elementwise=elementwise)
    return _dispatched(function, elementwise)


def _dispatched(function: Callable[..., Any], elementwise: int | Literal["list"]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception:
            implementation = implementation_for(function, args, kwargs, elementwise)
            if implementation is None:
                raise
        return implementation(*args, **kwargs)

    return wrapper


def implements(function: Callable[..., Any] | str, *kinds: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Returns a decorator that makes a function what `function` does when it is given composites of these kinds.

    Args:
        function: A public function that is `dispatched`, or its module and name.
        *kinds: Subclasses of `CompositeTensor`. A kind's attribute `implementations` names the module that registers what
            it brings; it is imported when a value of the kind is first met.
    """

    def register(implementation: Callable[..., Any]) -> Callable[..., Any]:
        brought = _IMPLEMENTATIONS.setdefault(function if isinstance(function, str) else _name(function), {})
        brought.update(dict.fromkeys(kinds, implementation))
        return implementation

    return register


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def implementation_for(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    elementwise: int | Literal["list"] = 0,
) -> Callable[..., Any] | None:
    """Returns what `function` does with arguments like these, or `None` if they hold no composite that it takes."""
    for value in _composites((*args, *kwargs.values())):
        kind = type(value)
        module = getattr(kind, "implementations", None)
        if module is not None:
            import_module(module)
        brought = _IMPLEMENTATIONS.get(_name(function), {})
        found = next((brought[base] for base in kind.__mro__ if base in brought), None)
        if found is not None:
            return found
        if elementwise and hasattr(kind, "apply_elementwise"):
            return _of_elements(function, kind.apply_elementwise, elementwise)
    return None


def _composites(values: Any) -> Iterator[CompositeTensor]:
    for value in values:
        if isinstance(value, CompositeTensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _composites(value)


def _of_elements(function: Callable[..., Any], apply: Any, count: int | Literal["list"]) -> Callable[..., Any]:
    names = list(inspect.signature(function).parameters)

    def of_list(*args: Any, **kwargs: Any) -> Any:
        operands = args[0] if args else kwargs.pop(names[0])
        return apply(lambda *values: function(list(values), *args[1:], **kwargs), list(operands))

    def of_first(*args: Any, **kwargs: Any) -> Any:
        assert isinstance(count, int)
        given = kwargs | dict(zip(names, args, strict=False))
        operands = [given.pop(name) for name in names[:count]]
        return apply(lambda *values: function(*values, **given), operands)

    return of_list if count == "list" else of_first
