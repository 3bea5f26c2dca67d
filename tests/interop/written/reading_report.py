"""Which of modtf's models TensorFlow's readers have read, and the table of it at the end."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Read:
    """What was read; a plugin of pytest, which prints it at the end.

    Attributes:
        models: The models of each family.
        read: How many models of a family a reader read and computed the same with, by family and reader.
        failed: How many it did not, likewise.
    """

    NAME = "modtf-written-models-table"

    def __init__(self) -> None:
        self.models: dict[str, set[str]] = {}
        self.read: Counter[tuple[str, str]] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Takes what a test found out, in whichever process it ran."""
        found = dict(report.user_properties)
        if report.when != "call" or "reader" not in found:
            return
        place = found["written_family"], found["reader"]
        self.models.setdefault(place[0], set()).add(found["written_model"])
        (self.read if report.outcome == "passed" else self.failed)[place] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the table."""
        if not self.models:
            return
        terminalreporter.section("models of modtf, and TensorFlow's readers that computed the same")
        readers = sorted({reader for _, reader in [*self.read, *self.failed]})
        rows = [["", "models", *readers]]
        for family, models in sorted(self.models.items()):
            rows.append([family, str(len(models)), *(self._cell((family, reader)) for reader in readers)])
        totals = (self._total(reader) for reader in readers)
        rows.append(["all", str(sum(map(len, self.models.values()))), *totals])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for first, *others in rows:
            line = [first.ljust(widths[0]), *(item.rjust(n) for item, n in zip(others, widths[1:], strict=True))]
            terminalreporter.write_line("  ".join(line))

    def _cell(self, place: tuple[str, str]) -> str:
        failed = f" ({self.failed[place]} failed)" if self.failed[place] else ""
        return f"{self.read[place] or '-'}{failed}"

    def _total(self, reader: str) -> str:
        failed = sum(count for place, count in self.failed.items() if place[1] == reader)
        read = sum(count for place, count in self.read.items() if place[1] == reader)
        return f"{read}{f' ({failed} failed)' if failed else ''}"


READ = Read()
