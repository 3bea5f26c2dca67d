"""What the suite says at the end: how many ops were checked, and which of them the backend computed itself."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from modtf.core import config
from modtf.core.contracts import Backend, get_op


class Report:
    """What has been found out about a backend; a plugin of pytest, which prints it at the end.

    Attributes:
        backend: The backend.
        passed: The ops that gave what they should.
    """

    NAME = "modtf-conformance-report"

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.passed: set[str] = set()
        self._fell_back_elsewhere: set[str] = set()

    def lines(self) -> list[str]:
        """Returns the report as lines of text."""
        fell_back = self._fell_back() & self.passed
        on_host = {name for name in self.passed - fell_back if self._is_host_only(name)}
        own = self.passed - fell_back - on_host
        return [
            f"{len(self.passed)} ops checked",
            f"{len(own)} computed by the backend itself",
            *_listed(f"{len(on_host)} computed on the host whatever the backend", on_host),
            *_listed(f"{len(fell_back)} fell back to NumPy, for some dtypes or arguments at least", fell_back),
        ]

    def _fell_back(self) -> set[str]:
        return self._fell_back_elsewhere | set(config.fallback_counts(self.backend.name))

    def _is_host_only(self, name: str) -> bool:
        return get_op(name).host_only and name not in self.backend.kernels and self.backend.name != "numpy"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Where pytest-xdist runs the suite in several processes, sends what this one found out to the first."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[self.NAME] = [sorted(self.passed), sorted(self._fell_back())]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Takes what another process found out."""
        passed, fell_back = getattr(node, "workeroutput", {}).get(self.NAME, ((), ()))
        self.passed.update(passed)
        self._fell_back_elsewhere.update(fell_back)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the report."""
        if self.passed:
            terminalreporter.section(f"conformance of the backend {self.backend.name!r}")
            for line in self.lines():
                terminalreporter.write_line(line)


def _listed(heading: str, names: set[str]) -> list[str]:
    if not names:
        return [heading]
    return [heading + ":", *textwrap.wrap(", ".join(sorted(names)), 110, initial_indent="  ", subsequent_indent="  ")]
