"""Models that TensorFlow, Keras and tf_keras write, loaded by modtf: every function has to compute the same.

They are described in the files beside this one. At the end a table says what was compared. The large ones are compared
with `--large` only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import applications
import arguments
import checking
import composites
import computing
import control
import layers_of_keras
import objects
import pytest
import tables
from described import MODELS
from table import note

DESCRIBED = (applications, arguments, composites, computing, control, layers_of_keras, objects, tables)
BACKENDS = ("numpy", "jax")
_latest: dict[str, checking.Saved] = {}


@pytest.fixture
def saved(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The model as TensorFlow wrote it; the same files for all backends, which come one after the other."""
    if name not in _latest:
        _latest.clear()
        _latest[name] = checking.write(MODELS[name], tmp_path / "written")
    return _latest[name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" not in metafunc.fixturenames:
        return
    large = metafunc.config.getoption("--large")
    cases = [
        pytest.param(
            model.name,
            backend,
            marks=[pytest.mark.xfail(reason=model.known[backend], strict=True)] if backend in model.known else [],
            id=f"{model.name}-{backend}",
        )
        for model in MODELS.values()
        if large or not model.large
        for backend in BACKENDS
    ]
    metafunc.parametrize(("name", "backend"), cases)


def test_a_model(name: str, backend: str, saved: checking.Saved, record_property: Any) -> None:
    note(record_property, family=MODELS[name].family, backend=backend)
    note(record_property, calls=checking.compare(saved, backend))
