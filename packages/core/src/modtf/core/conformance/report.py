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
        fell_back_elsewhere: The ops that fell back in other processes, where the tests run in several.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.passed: set[str] = set()
        self.fell_back_elsewhere: set[str] = set()

    def state(self) -> dict[str, list[str]]:
        """Returns what was found out in this process, for `add` in another."""
        return {"passed": sorted(self.passed), "fell_back": sorted(config.fallback_counts(self.backend.name))}

    def add(self, state: dict[str, list[str]]) -> None:
        """Adds what another process found out."""
        self.passed |= set(state["passed"])
        self.fell_back_elsewhere |= set(state["fell_back"])

    def lines(self) -> list[str]:
        """Returns the report as lines of text."""
        fell_back = self.passed & ({*config.fallback_counts(self.backend.name)} | self.fell_back_elsewhere)
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
