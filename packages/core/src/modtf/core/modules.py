"""`Module`: a named container of variables, other modules and functions."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.values.trackable import Watched, is_trackable
from modtf.core.values.variables import Variable

__all__ = ["Module", "name_scope"]


class Module(Watched):
    """The base of everything that has variables.

    Variables and modules assigned to attributes - also inside lists, tuples and dicts - are found by themselves, to be
    trained and to be saved.

    Args:
        name: A Python identifier; by default the class name in snake case.

    Raises:
        ValueError: The name is not an identifier.
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = camel_to_snake(type(self).__name__)
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python identifiers (e.g. a valid class name)."
            )
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def name_scope(self) -> contextlib.AbstractContextManager[str]:
        """`with self.name_scope:` puts the module's name before the names of what is made inside."""
        return name_scope(self.name)

    @property
    def variables(self) -> Sequence[Variable]:
        """The variables of this module and its submodules."""
        return tuple(self._flatten(lambda item: isinstance(item, Variable)))

    @property
    def trainable_variables(self) -> Sequence[Variable]:
        """The variables that are trainable."""
        return tuple(self._flatten(lambda item: isinstance(item, Variable) and item.trainable))

    @property
    def non_trainable_variables(self) -> Sequence[Variable]:
        """The variables that are not trainable."""
        return tuple(self._flatten(lambda item: isinstance(item, Variable) and not item.trainable))

    @property
    def submodules(self) -> Sequence[Module]:
        """The modules inside this one, at any depth."""
        return tuple(self._flatten(lambda item: isinstance(item, Module)))

    def _flatten(self, predicate: Callable[[Any], bool]) -> Iterator[Any]:
        """Yields what fits, breadth first, attributes in the order of their names, each object once."""
        seen = {id(self)}
        level: list[Module] = [self]
        while level:
            below: list[Module] = []
            for module in level:
                for leaf in module._leaves():
                    if id(leaf) in seen:
                        continue
                    seen.add(id(leaf))
                    if predicate(leaf):
                        yield leaf
                    if isinstance(leaf, Module):
                        below.append(leaf)
            level = below

    def _leaves(self) -> Iterator[Any]:
        attributes = vars(self)
        for name in sorted(attributes):
            if name not in self._untracked_attributes():
                yield from _members(attributes[name])

    def _untracked_attributes(self) -> frozenset[str]:
        """Names of attributes whose contents are not this module's own."""
        return frozenset()

    def trackable_children(self) -> dict[str, Any]:
        """Returns what saving follows, by name: attributes that are, or hold, variables, modules, functions and the like."""
        children = {
            name: value
            for name, value in vars(self).items()
            if name not in self._untracked_attributes() and is_trackable(value)
        }
        for name in dir(type(self)):
            if not name.startswith("__") or name == "__call__":
                member = _class_attribute(type(self), name)
                if name not in children and hasattr(member, "is_traced_function"):
                    children[name] = getattr(self, name)
        return children

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Decorates a method so that it runs inside the module's name scope."""

        @functools.wraps(method)
        def wrapped(self: Module, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return wrapped


def _class_attribute(cls: type, name: str) -> Any:
    return next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)


def _members(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for key in _sorted(value):
            yield from _members(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _members(item)
    else:
        yield value


def _sorted(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        return list(mapping)


def camel_to_snake(name: str) -> str:
    """`"MyModule"` to `"my_module"`."""
    return re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", name).lower()


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[str]:
    """`with tf.name_scope("a"):` puts `a/` before the names of the variables and graph nodes made inside.

    Yields:
        The whole scope, e.g. `"outer/a/"`.
    """
    if not isinstance(name, str):
        raise ValueError(f"A name scope must be a string, not {name!r}.")
    current = contexts.current().scope
    scope = name if name.endswith("/") else (f"{current}{name}/" if name else "")
    with contexts.scoped(scope=scope):
        yield scope
