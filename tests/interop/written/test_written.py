"""Models of modtf, written and given to TensorFlow's readers, all of which have to compute the same.

The models are described in the files beside this one. At the end a table says who read what.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow as oracle
import written_computing
import written_control
import written_layers
import written_objects
import written_texts
from readers import READERS, Answers, call_all, load, request_all
from written import MODELS, Model

from modtf import core as tf
from modtf import saved_model

DESCRIBED = (written_computing, written_control, written_layers, written_objects, written_texts)
RTOL = 1e-5


class Written(NamedTuple):
    """A model in a folder, and what it computes."""

    folder: Path
    model: Model
    answers: Answers


_latest: dict[str, Written] = {}


@pytest.fixture
def written(name: str, tmp_path: Path) -> Written:
    """The model in its folder; the same for all readers, which come one after the other."""
    if name not in _latest:
        _latest.clear()
        tf.random.set_seed(1)
        (tmp_path / "files").mkdir()
        model = MODELS[name].make(tmp_path / "files")
        folder = tmp_path / "model"
        saved_model.save(model.module, folder, signatures=model.signatures, options=model.options)
        answers = call_all(tf, model.module, model.calls)
        shutil.rmtree(tmp_path / "files")  # what the model needs is in its folder
        _latest[name] = Written(folder, model, {**answers, **request_all(tf, saved_model.load(folder), model)})
    return _latest[name]


def assert_same(actual: list[Any], expected: list[Any]) -> None:
    assert len(actual) == len(expected)
    for theirs, ours in zip(actual, expected, strict=True):
        if ours is None or theirs is None:
            assert ours is theirs
            continue
        assert theirs.shape == ours.shape
        if ours.dtype.kind in "OS":
            assert theirs.tolist() == ours.tolist()
            continue
        assert theirs.dtype == ours.dtype
        if ours.dtype.kind in "biu":
            np.testing.assert_array_equal(theirs, ours)
            continue
        rtol = RTOL if ours.dtype.itemsize > 2 and ours.dtype.name != "bfloat16" else 0.01
        wide = complex if ours.dtype.kind == "c" else float
        scale = np.max(np.abs(ours.astype(wide)), initial=0)
        np.testing.assert_allclose(theirs.astype(wide), ours.astype(wide), rtol=rtol, atol=rtol * scale)


CASES = [
    pytest.param(described.name, reader, id=f"{described.name}-{reader}")
    for described in MODELS.values()
    for reader in READERS
    if reader in described.readers
]


@pytest.mark.parametrize(("name", "reader"), CASES)
def test_a_reader(name: str, reader: str, written: Written, record_property: Any) -> None:
    for key, value in (("written_family", MODELS[name].family), ("written_model", name), ("reader", reader)):
        record_property(key, value)
    answers = READERS[reader](written.folder, written.model)
    assert answers
    for call, values in answers.items():
        assert_same(values, written.answers[call])


@pytest.mark.parametrize("name", ["changing_table", "dense_table", "mapped", "nested", "static_table", "vocabulary"])
def test_tensorflow_saves_again_what_it_loads(name: str, written: Written, tmp_path: Path) -> None:
    loaded = oracle.saved_model.load(str(written.folder))
    oracle.saved_model.save(loaded, str(tmp_path / "again"), signatures=dict(loaded.signatures))
    for call, values in load(tmp_path / "again", written.model).items():
        assert_same(values, written.answers[call])
    ours = saved_model.load(tmp_path / "again")
    for call, values in request_all(tf, ours, written.model).items():
        assert_same(values, written.answers[call])
