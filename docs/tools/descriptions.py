"""What griffe, which reads source code for the reference, does not see in it by itself.

Functions that are made by other functions, as `reduce_sum` is, have no `def` of their own; it would take them for variables.
Of classes it looks for `__init__`, and some have a `__new__` instead.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import griffe


class Descriptions(griffe.Extension):
    """Is called by griffe with all modules and classes."""

    def on_class(self, *, cls: griffe.Class, **others: Any) -> None:
        """Has the parameters of `__new__` described as those of `__init__`."""
        new = cls.members.get("__new__")
        if new is not None and "__init__" not in cls.members:
            cls.set_member("__init__", griffe.Function("__init__", parameters=new.parameters, parent=cls))

    def on_module(self, *, mod: griffe.Module, **others: Any) -> None:
        """Looks at the functions themselves where the source code does not say what they are."""
        if not mod.path.startswith(("modtf.core.api", "modtf.core.values")):
            return
        module = importlib.import_module(mod.path)
        for name, value in vars(module).items():
            if not inspect.isfunction(value) or value.__module__ != mod.path or name.startswith("_"):
                continue
            found = mod.members.get(name)
            if found is None or found.is_attribute:
                mod.set_member(name, described(name, value, mod))


def described(name: str, function: Any, mod: griffe.Module) -> griffe.Function:
    """What griffe would have found, had the function been written out."""
    parameters = griffe.Parameters(
        *(
            griffe.Parameter(
                parameter.name,
                annotation=None if parameter.annotation is parameter.empty else str(parameter.annotation),
                kind=griffe.ParameterKind[parameter.kind.name.lower()],
                default=None if parameter.default is parameter.empty else repr(parameter.default),
            )
            for parameter in inspect.signature(function).parameters.values()
        )
    )
    returns = function.__annotations__.get("return")
    found = griffe.Function(name, parameters=parameters, returns=str(returns) if returns else None, parent=mod)
    found.docstring = griffe.Docstring(inspect.getdoc(function) or "", parent=found, parser="google")
    return found
