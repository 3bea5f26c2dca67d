"""What the comparison of ops with TensorFlow found out, and how it is told at the end."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from comparison import Outcome


class Found:
    """What has been found out; a plugin of pytest, which prints it at the end.

    Attributes:
        ops: The ops of the registry.
        equal_schemas: Of them, those with TensorFlow's schema.
        called: The ops that were called.
        compared: Of them, those of which values were compared.
        outcomes: How many calls were compared in which way, or not for which reason.
        excepted: How many calls each rule was needed for.
        gradients: How many gradients were compared, by op.
    """

    NAME = "modtf-ops-report"

    def __init__(self) -> None:
        self.ops: set[str] = set()
        self.equal_schemas: set[str] = set()
        self.called: set[str] = set()
        self.compared: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.excepted: Counter[str] = Counter()
        self.gradients: Counter[str] = Counter()

    def note(self, op: str, outcome: Outcome) -> None:
        """Counts what came of comparing a call."""
        self.called.add(op)
        self.outcomes[outcome.compared] += 1
        if outcome.rule is not None:
            self.excepted[outcome.rule] += 1
        if outcome.compared == "values":
            self.compared.add(op)
        if outcome.gradients:
            self.gradients[op] += outcome.gradients

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Where pytest-xdist runs the tests in several processes, sends what this one found out to the first."""
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[self.NAME] = {
                name: dict(found) if isinstance(found, Counter) else sorted(found) for name, found in vars(self).items()
            }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Takes what another process found out."""
        for name, others in getattr(node, "workeroutput", {}).get(self.NAME, {}).items():
            getattr(self, name).update(others)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the report."""
        if not self.ops:
            return
        write = terminalreporter.write_line
        terminalreporter.section("ops beside TensorFlow's")
        write(f"{len(self.ops)} ops in the registry, {len(self.equal_schemas)} with TensorFlow's schema")
        if not self.outcomes:
            return
        write(f"{len(self.called)} ops called, {len(self.compared)} of them compared in values")
        write(f"{self.outcomes.total()} calls:")
        for kind, count in self.outcomes.most_common():
            write(f"  {count:6} {kind}")
        write(f"{self.gradients.total()} gradients of {len(self.gradients)} ops")
        if self.excepted:
            write("excepted:")
        for reason, count in self.excepted.most_common():
            for line in textwrap.wrap(f"{count:6} {reason}", 110, initial_indent="  ", subsequent_indent=" " * 9):
                write(line)


FOUND = Found()
