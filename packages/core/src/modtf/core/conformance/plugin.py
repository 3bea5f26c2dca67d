"""Gives pytest the suite's `--backend` option (found through the `pytest11` entry point, imported in every pytest run)."""

from __future__ import annotations

from typing import Any


def pytest_load_initial_conftests(early_config: Any, parser: Any, args: list[str]) -> None:
    """Adds `--backend` where the conformance suite is what was asked for, and nothing anywhere else."""
    if any(str(argument).startswith("modtf.core.conformance") for argument in args):
        parser.getgroup("modtf", "modtf conformance").addoption(
            "--backend", default="numpy", metavar="NAME", help="the backend that the conformance suite judges"
        )
