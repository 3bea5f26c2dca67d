"""Names for classes and functions of your own, under which configurations have them (`keras.saving`)."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Self, TypeVar

__all__ = [
    "CustomObjectScope", "custom_object_scope", "get_custom_objects", "get_registered_name", "get_registered_object",
    "register_keras_serializable",
]  # fmt: skip

_T = TypeVar("_T")

_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scope: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar(
    "custom_objects", default=MappingProxyType({})
)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[_T], _T]:
    """Returns a decorator that registers a class or function, so that configurations which name it can be read.

    Args:
        package: What comes before `>` in the registered name.
        name: What comes after it; by default the class's or function's own name.

    Raises:
        ValueError: A class has no `get_config()`.
    """

    def register(item: Any) -> Any:
        if isinstance(item, type) and not hasattr(item, "get_config"):
            raise ValueError(
                f"Cannot register {item.__name__}, a class that does not have a get_config() method. Define one that "
                "returns the constructor's arguments, or derive the class from a layer."
            )
        registered = f"{package}>{item.__name__ if name is None else name}"
        _objects[registered] = item
        _names[item] = registered
        return item

    return register


def get_custom_objects() -> dict[str, Any]:
    """Returns the dict of registered objects by name; what is put into it is registered."""
    return _objects


def get_registered_name(obj: Any) -> str:
    """Returns the name that a class or function was registered under, or else its own."""
    return _names.get(obj) or obj.__name__


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any:
    """Returns the class or function of that name, or `None`.

    Args:
        name: The name.
        custom_objects: Where to look besides the scopes entered and what is registered.
        module_objects: Where to look last.
    """
    for objects in (_scope.get(), _objects, custom_objects or {}, module_objects or {}):
        if name in objects:
            return objects[name]
    return None


class CustomObjectScope:
    """Within `with CustomObjectScope({"Name": cls}):` configurations that name these objects can be read.

    Args:
        custom_objects: Classes and functions by name.
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})
        self._tokens: list[contextvars.Token[Mapping[str, Any]]] = []

    def __enter__(self) -> Self:
        self._tokens.append(_scope.set(self.custom_objects))
        return self

    def __exit__(self, *exception: object) -> None:
        _scope.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope
