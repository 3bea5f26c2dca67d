"""Runs the suite on the backend that `--backend` names, and says at the end what that backend did itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from modtf.core import backend as use_backend
from modtf.core import config as tf_config
from modtf.core.conformance.report import Report
from modtf.core.contracts import Backend, get_backend

_REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = Report(get_backend(config.getoption("--backend", default="numpy")))


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """What has been found out about the backend so far."""
    return request.config.stash[_REPORT]


@pytest.fixture(autouse=True)
def backend(report: Report) -> Iterator[Backend]:
    """The backend that is judged; every test computes with it."""
    soft_placement = tf_config.get_soft_device_placement()
    with use_backend(report.backend.name) as chosen:
        yield chosen
    tf_config.set_soft_device_placement(soft_placement)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)  # there is one in the processes of pytest-xdist
    if output is not None:
        output["modtf_conformance"] = session.config.stash[_REPORT].state()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    state = getattr(node, "workeroutput", {}).get("modtf_conformance")
    if state is not None:
        node.config.stash[_REPORT].add(state)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    report = config.stash[_REPORT]
    if report.passed:
        terminalreporter.section(f"conformance of the backend {report.backend.name!r}")
        for line in report.lines():
            terminalreporter.write_line(line)
