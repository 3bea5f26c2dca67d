"""Options of the tests of this package."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills", type=int, default=20, help="how often test_killed_saves.py kills a process of each kind"
    )
