"""Loading tables and custom gradients that TensorFlow wrote."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_values import GOLDENS

from modtf import core as tf
from modtf import saved_model
from modtf.saved_model import SavedModelError
from modtf.saved_model.protos.saved_model_pb2 import SavedModel

WORDS = tf.constant(["cat", "bird", "dog"])


def load() -> Any:
    return saved_model.load(GOLDENS / "tables")


def test_tables_hold_what_they_were_saved_with() -> None:
    ids, names, counts = load().find(WORDS)
    assert ids.numpy().tolist() == [1, 2, 0]
    assert names.numpy().tolist() == [b"one", b"more", b"zero"]
    assert counts.numpy().tolist() == [3, -1, 4]


def test_each_loaded_model_has_tables_of_its_own() -> None:
    one, other = load(), load()
    assert one.insert(WORDS, tf.constant([7, 8, 9], tf.int64)).numpy() == 3
    assert one.find(WORDS)[2].numpy().tolist() == [7, 8, 9]
    assert other.find(WORDS)[2].numpy().tolist() == [3, -1, 4]


def test_tables_outlive_the_object_that_they_were_loaded_with() -> None:
    find = load().find
    assert find(WORDS)[2].numpy().tolist() == [3, -1, 4]


def test_a_table_that_cannot_be_made_fails_when_it_is_asked(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDENS / "tables", tmp_path / "copy"))
    proto = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    for function in proto.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "MutableHashTableV2":
                node.op = "TableFromTheFuture"
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())
    with pytest.warns(UserWarning, match="TableFromTheFuture"):
        loaded = saved_model.load(folder)
    with pytest.raises(SavedModelError, match="TableFromTheFuture"):
        loaded.find(WORDS)


def test_a_missing_vocabulary_is_named(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDENS / "tables", tmp_path / "copy"))
    (folder / "assets" / "vocabulary.txt").unlink()
    with pytest.raises(SavedModelError, match=r"vocabulary\.txt"):
        saved_model.load(folder)


def test_custom_gradients_beside_functions_made_for_differentiation() -> None:
    loaded, x = saved_model.load(GOLDENS / "gradients"), tf.constant([-3.0, 0.0, 2.0])
    np.testing.assert_array_equal(loaded.backward(x).numpy(), [-1.0, 0.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loaded.forward(x)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [-1.0, 0.0, 1.0])


def test_bound_functions_take_the_names_of_parameters_and_of_tensors() -> None:
    bound, one, two = saved_model.load(GOLDENS / "gradients").bound, tf.constant(1.0), tf.constant(2.0)
    for answer in (bound(one, two), bound(x=one, y=two), bound(first=one, second=two), bound(one, second=two)):
        assert answer.numpy() == -1.0
    with pytest.raises(TypeError, match="third"):
        bound(first=one, third=two)
