"""Libraries that only some ops need, which users install as extras of modtf-core."""

from __future__ import annotations

import importlib
from types import ModuleType

from modtf.core.values.errors import UnimplementedError


def require(module: str, *, extra: str, what: str) -> ModuleType:
    """Imports a module of an optional library.

    Args:
        module: Its full name, e.g. `"scipy.special"`.
        extra: The extra of modtf-core that installs it.
        what: The op or function that needs it, for the message.

    Raises:
        UnimplementedError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise UnimplementedError(
            f"{what} needs {library}, which is not installed. Run `pip install modtf-core[{extra}]`."
        ) from error
