"""What the suite says at the end: how many ops were checked, and which of them the backend computed itself."""

from __future__ import annotations

import textwrap

from modtf.core import config
from modtf.core.contracts import Backend, get_op


class Report:
    """What has been found out about a backend.

    Attributes:
        backend: The backend.
        passed: The ops that gave what they should.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.passed: set[str] = set()

    def lines(self) -> list[str]:
        """Returns the report as lines of text."""
        fell_back = {name for name in config.fallback_counts(self.backend.name) if name in self.passed}
        on_host = {name for name in self.passed - fell_back if self._is_host_only(name)}
        own = self.passed - fell_back - on_host
        return [
            f"{len(self.passed)} ops checked",
            f"{len(own)} computed by the backend itself",
            *_listed(f"{len(on_host)} computed on the host whatever the backend", on_host),
            *_listed(f"{len(fell_back)} fell back to NumPy, for some dtypes or arguments at least", fell_back),
        ]

    def _is_host_only(self, name: str) -> bool:
        return get_op(name).host_only and name not in self.backend.kernels and self.backend.name != "numpy"


def _listed(heading: str, names: set[str]) -> list[str]:
    if not names:
        return [heading]
    return [heading + ":", *textwrap.wrap(", ".join(sorted(names)), 110, initial_indent="  ", subsequent_indent="  ")]
