"""Models of TensorFlow 1, written by TensorFlow: every signature computes what TensorFlow's session computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as oracle
from version1_models import MODELS, Arrays, Written, write

from modtf import core as tf
from modtf import saved_model

BACKENDS = tf.config.list_backends()
RTOL = 1e-5

LOADED_AGAIN = sorted(MODELS.keys() - {"vocabulary", "tables_of_references", "mutable_table"})
"""Those without tables, which loaded functions cannot be saved with."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes models, each when it is first asked for."""
    folder = tmp_path_factory.mktemp("version1")
    known: dict[str, Written] = {}

    def ask(name: str) -> tuple[Path, Written]:
        if name not in known:
            known[name] = write(name, folder / name)
        return folder / name, known[name]

    return ask


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    before = tf.config.get_backend()
    tf.config.set_backend(request.param)
    yield request.param
    tf.config.set_backend(before)


def assert_same(actual: Any, expected: Arrays) -> None:
    assert set(actual) == set(expected)
    for name, value in expected.items():
        ours, theirs = (np.asarray(item.numpy() if hasattr(item, "numpy") else item) for item in (actual[name], value))
        assert ours.shape == theirs.shape
        if theirs.dtype.kind == "f":
            assert ours.dtype == theirs.dtype
            scale = np.abs(theirs).max(initial=0)
            np.testing.assert_allclose(ours, theirs, rtol=RTOL, atol=RTOL * scale, err_msg=name)
        else:
            np.testing.assert_array_equal(ours.astype(theirs.dtype), theirs, err_msg=name)


def check(library: Any, loaded: Any, calls: list[tuple[str, Arrays, Arrays]]) -> None:
    for key, arrays, expected in calls:
        result = loaded.signatures[key](**{name: library.constant(value) for name, value in arrays.items()})
        assert_same(result, expected)


@pytest.mark.parametrize("name", MODELS)
def test_signatures(name: str, backend: str, written: Any) -> None:
    folder, (calls, _) = written(name)
    check(tf, saved_model.load(folder), calls)


@pytest.mark.parametrize("name", LOADED_AGAIN)
def test_tensorflow_reads_what_is_saved_again(name: str, written: Any, tmp_path: Path) -> None:
    folder, (calls, _) = written(name)
    loaded = saved_model.load(folder)
    saved_model.save(loaded, tmp_path / "again", signatures=dict(loaded.signatures))
    check(oracle, oracle.saved_model.load(str(tmp_path / "again")), calls)


@pytest.mark.parametrize("name", ["linear", "partitioned", "conditional", "defaults", "sparse_tensors", "lstm"])
def test_objects_are_those_that_tensorflow_gives(name: str, written: Any) -> None:
    folder, _ = written(name)
    ours, theirs = saved_model.load(folder), oracle.saved_model.load(str(folder))
    assert [variable.name for variable in ours.variables] == [variable.name for variable in theirs.variables]
    assert [variable.trainable for variable in ours.variables] == [variable.trainable for variable in theirs.variables]
    assert (ours.tensorflow_version, ours.tensorflow_git_version) == (
        theirs.tensorflow_version,
        theirs.tensorflow_git_version,
    )
    assert set(ours.signatures) == set(theirs.signatures)
    for key, function in theirs.signatures.items():
        args, kwargs = function.structured_input_signature
        ours_args, ours_kwargs = ours.signatures[key].structured_input_signature
        assert args == ours_args == ()
        assert {name: (spec.shape.as_list(), spec.dtype.name) for name, spec in kwargs.items()} == {
            name: (spec.shape.as_list(), spec.dtype.name) for name, spec in ours_kwargs.items()
        }
        assert set(function.structured_outputs) == set(ours.signatures[key].structured_outputs)
    operations = [operation.name for operation in ours.graph.get_operations()]
    assert set(operations) <= {operation.name for operation in theirs.graph.get_operations()}


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.gradients])
def test_gradients(name: str, backend: str, written: Any) -> None:
    """TensorFlow cannot take gradients of a loaded graph's loops; these are those of the graph before it is saved."""
    folder, (calls, expected) = written(name)
    loaded = saved_model.load(folder)
    given = {key: tf.constant(value) for key, value in calls[0][1].items()}
    inputs = [given[key] for key in MODELS[name].gradients]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = loaded.signatures["serving_default"](**given)
        total = tf.add_n([tf.reduce_sum(output**2) for output in outputs.values()])
    found = tape.gradient(total, [*inputs, *loaded.trainable_variables])
    assert_same(*({str(place): item for place, item in enumerate(items)} for items in (found, expected)))


@pytest.mark.parametrize(
    ("feeds", "fetches", "columns"),
    [
        ("x:0", "MatMul:0", 3),
        (["x:0"], {"a": "Relu:0", "b": ["MatMul:0"]}, 3),
        ([], "dense/bias/Read/ReadVariableOp:0", 0),
        ("Relu:0", "Sum:0", 4),
    ],
)
def test_prune(feeds: Any, fetches: Any, columns: int, written: Any) -> None:
    folder, _ = written("linear")
    results = []
    for library, loader in ((tf, saved_model), (oracle, oracle.saved_model)):
        given = [library.constant(np.ones([2, columns], np.float32))] if feeds else []
        result = loader.load(str(folder)).prune(feeds, fetches)(*given)
        results.append(library.nest.map_structure(lambda item: item.numpy(), result))
    tf.nest.assert_same_structure(*results)
    for one, other in zip(*map(tf.nest.flatten, results), strict=True):
        np.testing.assert_allclose(one, other, rtol=RTOL)
