"""Runs the suite on the backend that `--backend` names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from modtf.core import backend as use_backend
from modtf.core.conformance.report import Report
from modtf.core.contracts import Backend, get_backend


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """What has been found out about the backend so far."""
    return request.config.pluginmanager.get_plugin(Report.NAME) or Report(get_backend("numpy"))


@pytest.fixture(autouse=True)
def backend(report: Report) -> Iterator[Backend]:
    """The backend that is judged; every test computes with it."""
    with use_backend(report.backend.name) as chosen:
        yield chosen
