"""Objects as plain configurations and back, and objects by name: `"relu"`, `"adam"`, `{"class_name": ..., "config": ...}`."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from modtf.layers.naming import to_snake_case
from modtf.layers.saving import get_registered_name, get_registered_object

__all__ = ["Configurable", "Registry", "serialize"]


class Configurable:
    """An object that is made anew from a dict of its constructor's arguments.

    A class needs nothing for it but to keep each argument in an attribute of the same name. The dicts are Keras's.
    """

    config_module: ClassVar[str | None] = None
    """Keras's name of the module that has this kind of object, which stands in configurations."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain values.

        Raises:
            NotImplementedError: An argument is not kept in an attribute of its name.
        """
        config = {}
        for name in _argument_names(type(self)):
            if not hasattr(self, name):
                raise NotImplementedError(
                    f"{type(self).__name__} does not keep its argument {name!r}, so its configuration is not known. "
                    f"Set `self.{name}` in __init__, or define get_config()."
                )
            config[name] = serialize(getattr(self, name))
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes an object from what `get_config` returned."""
        return cls(**config)


def _argument_names(cls: type) -> list[str]:
    """The constructor's arguments, those that its bases take by `**kwargs` first."""
    groups: list[list[str]] = []
    for base in cls.__mro__:
        if base is object or "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        named = [item.name for item in parameters if item.kind not in (item.VAR_POSITIONAL, item.VAR_KEYWORD)]
        groups.append([name for name in named if name not in getattr(cls, "unsaved_arguments", ())])
        if not any(item.kind is item.VAR_KEYWORD for item in parameters):
            break
    names: dict[str, None] = {}
    for group in reversed(groups):
        names.update(dict.fromkeys(group))
    return list(names)


def serialize(value: Any) -> Any:
    """Returns a value of a configuration in plain form: objects as dicts that name their class, functions by name."""
    if isinstance(value, Configurable):
        known = value.config_module if type(value).__module__.startswith(f"{__package__}.") else None
        name = type(value).__name__
        registered = None if known else get_registered_name(type(value))
        return {"module": known, "class_name": name, "config": value.get_config(), "registered_name": registered}
    if isinstance(value, Mapping):
        return {key: serialize(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([serialize(item) for item in value])
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if callable(value) and hasattr(value, "__name__"):
        return get_registered_name(value)
    return value


class Registry:
    """The objects of one kind that may be asked for by name.

    Args:
        kind: What they are, for messages: `"loss"`.
        classes: Classes, found by their names as written, in snake case and in lower case.
        functions: Functions, found by their names.
        aliases: More names for some of them.
    """

    def __init__(
        self,
        kind: str,
        classes: Iterable[type] = (),
        functions: Iterable[Any] = (),
        aliases: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self._known: dict[str, Any] = {}
        for cls in classes:
            name = cls.__name__
            self._known.update(dict.fromkeys((name, to_snake_case(name), name.lower()), cls))
        self._known.update({function.__name__: function for function in functions})
        self._known.update(aliases or {})

    @property
    def names(self) -> list[str]:
        """All names that it knows."""
        return sorted(self._known)

    def find(self, name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Returns the class or function of that name.

        Raises:
            ValueError: There is none.
        """
        found = get_registered_object(name, custom_objects, self._known)
        if found is None:
            close = difflib.get_close_matches(name, self._known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"Unknown {self.kind}: {name!r}.{hint} The known ones are: {', '.join(self.names)}.")
        return found

    def get(self, identifier: Any) -> Any:
        """Returns what a user means.

        Args:
            identifier: A name, a configuration, a class (to be made without arguments), or the object itself; `None` is
                returned as it is.

        Raises:
            ValueError: It is none of these.
        """
        if identifier is None:
            return None
        if isinstance(identifier, str):
            found = self.find(identifier)
            return found() if isinstance(found, type) else found
        if isinstance(identifier, Mapping):
            return self.deserialize(identifier)
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier) or isinstance(identifier, Configurable):
            return identifier
        raise ValueError(
            f"Cannot take {identifier!r} for a {self.kind}. Give a name, an object or a configuration. "
            f"The known names are: {', '.join(self.names)}."
        )

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Makes the object that a configuration, or a name, describes.

        Args:
            config: What `serialize` returned.
            custom_objects: Classes and functions of your own by the names that the configuration has for them.

        Raises:
            ValueError: It names an unknown class.
        """
        if not isinstance(config, Mapping):
            found = self.find(config, custom_objects) if isinstance(config, str) else config
            return found() if isinstance(found, type) else found
        if "class_name" not in config:
            raise ValueError(
                f"A configuration of a {self.kind} must be a dict with 'class_name' and 'config'; got {config!r}."
            )
        if config["class_name"] == "function":
            return self.find(config["config"], custom_objects)
        registered = get_registered_object(config.get("registered_name") or "", custom_objects)
        cls = self.find(config["class_name"], custom_objects) if registered is None else registered
        return cls.from_config(config.get("config") or {})
