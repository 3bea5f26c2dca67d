"""Gives pytest the suite's `--backend` option (found through the `pytest11` entry point, imported in every pytest run).

A conftest.py would be read too late for `pytest --pyargs`, and not at all by the process that distributes tests to others.
"""

from __future__ import annotations

from typing import Any

import pytest

_ASKED_FOR = pytest.StashKey[bool]()


def pytest_load_initial_conftests(early_config: pytest.Config, parser: Any, args: list[str]) -> None:
    """Adds `--backend` where the conformance suite is what was asked for, and nothing anywhere else."""
    if any(str(argument).startswith("modtf.core.conformance") for argument in args):
        early_config.stash[_ASKED_FOR] = True
        parser.getgroup("modtf", "modtf conformance").addoption(
            "--backend", default="numpy", metavar="NAME", help="the backend that the conformance suite judges"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Loads the backend before anything else, so that a name which is not installed is all that is reported."""
    if config.stash.get(_ASKED_FOR, False):
        from modtf.core.conformance.report import Report
        from modtf.core.contracts import get_backend

        try:
            report = Report(get_backend(config.getoption("--backend")))
        except (ImportError, RuntimeError, ValueError) as error:
            raise pytest.UsageError(str(error)) from None
        config.pluginmanager.register(report, Report.NAME)
