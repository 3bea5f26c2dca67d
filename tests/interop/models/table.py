"""What the comparison of models found out, and the table of it at the end."""

from __future__ import annotations

from collections import Counter
from typing import Any


class Table:
    """What has been found out; a plugin of pytest, which prints it at the end.

    Attributes:
        written: How many models of each family were compared.
        calls: How many calls were compared, by family and backend.
        failed: How many models failed, by family.
        known: How many are known to fail, by family.
    """

    NAME = "modtf-models-table"

    def __init__(self) -> None:
        self.models: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.known: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Takes what a test found out, in whichever process it ran."""
        found = dict(report.user_properties)
        if report.when != "call" or "family" not in found:
            return
        family, backend = found["family"], found["backend"]
        self.models[family] += backend == "numpy"
        self.calls[f"{family}|{backend}"] += found.get("calls", 0)
        self.failed[family] += report.outcome == "failed"
        self.known[family] += report.outcome == "skipped"

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the table."""
        if not self.models:
            return
        write = terminalreporter.write_line
        terminalreporter.section("models that TensorFlow writes")
        backends = sorted({key.partition("|")[2] for key in self.calls}, reverse=True)
        heads = ["models", *(f"calls on {backend}" for backend in backends), "failed", "known to fail"]
        rows = [
            [
                family, self.models[family], *(self.calls[f"{family}|{backend}"] for backend in backends),
                self.failed[family], self.known[family],
            ]
            for family in sorted(self.models)
        ]  # fmt: skip
        rows.append(["all", *map(sum, zip(*[row[1:] for row in rows], strict=True))])
        widths = [len(head) for head in heads]
        width = max(len(row[0]) for row in rows)
        write("  ".join([" " * width, *heads]))
        for row in rows:
            write("  ".join([row[0].ljust(width), *(str(item).rjust(n) for item, n in zip(row[1:], widths))]))


TABLE = Table()


def note(record_property: Any, **found: Any) -> None:
    for name, value in found.items():
        record_property(name, value)
