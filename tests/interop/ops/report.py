"""What the comparison of ops with TensorFlow found out, and how it is told at the end."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any

import pytest


class Found:
    """What has been found out; a plugin of pytest, which prints it at the end.

    Attributes:
        ops: The ops of the registry.
        equal_schemas: Of them, those with TensorFlow's schema.
        outcomes: How many calls were compared in which way, or not for which reason.
        excepted: How many calls each rule was needed for.
        gradients: How many gradients were compared.
        compared: The ops of which values were compared.
        open: Those with differences that are known and to be mended.
    """

    NAME = "modtf-ops-report"

    def __init__(self) -> None:
        self.ops: set[str] = set()
        self.equal_schemas: set[str] = set()
        self.compared: set[str] = set()
        self.open: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.excepted: Counter[str] = Counter()

    def _packed(self) -> list[Any]:
        names = (self.ops, self.equal_schemas, self.compared, self.open)
        return [*map(sorted, names), dict(self.outcomes), dict(self.excepted)]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Where pytest-xdist runs the tests in several processes, sends what this one found out to the first."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[self.NAME] = self._packed()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Takes what another process found out."""
        packed = getattr(node, "workeroutput", {}).get(self.NAME)
        if packed is not None:
            for mine, others in zip((self.ops, self.equal_schemas, self.compared, self.open), packed[:4], strict=True):
                mine.update(others)
            for mine, others in zip((self.outcomes, self.excepted), packed[4:], strict=True):
                mine.update(others)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the report."""
        if not self.ops:
            return
        write = terminalreporter.write_line
        terminalreporter.section("ops beside TensorFlow's")
        write(f"{len(self.ops)} ops in the registry, {len(self.equal_schemas)} with TensorFlow's schema")
        if self.outcomes:
            calls = self.outcomes.total() - self.outcomes["gradients"]
            write(f"{calls} calls of {len(self.compared)} ops:")
            for kind, count in self.outcomes.most_common():
                write(f"  {count:6} {kind}")
        if self.open:
            lines = textwrap.wrap(", ".join(sorted(self.open)), 110, initial_indent="  ", subsequent_indent="  ")
            write("\n".join([f"{len(self.open)} ops with known differences, to be mended:", *lines]))
        if self.excepted:
            write("excepted:")
            for reason, count in self.excepted.most_common():
                for line in textwrap.wrap(f"{count:6} {reason}", 110, initial_indent="  ", subsequent_indent=" " * 9):
                    write(line)


FOUND = Found()
