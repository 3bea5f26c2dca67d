"""Checkpoints exchanged with TensorFlow in both directions: values, names and the description of the objects."""

from __future__ import annotations

import collections
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as oracle
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

from modtf import core as tf
from modtf.saved_model import train

LIBRARIES = {"modtf": (tf, train), "tensorflow": (oracle, oracle.train)}
BOTH_WAYS = pytest.mark.parametrize(
    ("writer", "reader"), [("modtf", "tensorflow"), ("tensorflow", "modtf"), ("modtf", "modtf")]
)
Pair = collections.namedtuple("Pair", "first second")


def objects(tf: Any, seed: int) -> Any:
    rng = np.random.default_rng(seed)

    class Part(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(rng.normal(size=(3, 2)).astype(np.float32), name="kernel")
            self.step = tf.Variable(np.int64(rng.integers(100)))

        @tf.function(input_signature=[])
        def compute(self) -> Any:
            return self.kernel * 2.0

    class Whole(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = Part()
            self.parts = [Part(), [tf.Variable(rng.normal(size=4))], 3]
            self.named = {"a": Part(), "dots/and.slashes": self.first, "number": 7}
            self.pair = Pair(tf.Variable(rng.normal(size=2)), None)
            self.tuple = (Part(), "text")
            self.text = tf.Variable([b"\x00\xff", str(seed).encode()])
            self.truth = tf.Variable([True, bool(seed % 2)])
            self.small = tf.Variable(tf.cast(rng.normal(size=3).astype(np.float32), tf.bfloat16))
            self.complex = tf.Variable(np.complex64(rng.normal() + 2j))
            self.random = tf.random.Generator.from_seed(seed)

    return Whole()


def values(module: Any) -> list[Any]:
    return [variable.numpy() for variable in module.variables] + [module.random.state.numpy()]


def assert_same(actual: list[Any], expected: list[Any]) -> None:
    assert len(actual) == len(expected)
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs, strict=True)


@BOTH_WAYS
@pytest.mark.parametrize("as_root", [True, False])
def test_values_are_restored_by_the_other_library(writer: str, reader: str, as_root: bool, tmp_path: Path) -> None:
    def checkpoint(library: Any, train: Any, seed: int) -> tuple[Any, Any]:
        module = objects(library, seed)
        extra = library.Variable(float(seed))
        return module, train.Checkpoint(module, extra=extra) if as_root else train.Checkpoint(model=module, extra=extra)

    written, saver = checkpoint(*LIBRARIES[writer], seed=1)
    path = saver.save(str(tmp_path / "folder" / "name"))
    assert path == str(tmp_path / "folder" / "name-1")
    read, restorer = checkpoint(*LIBRARIES[reader], seed=2)
    restorer.restore(path).assert_consumed()
    assert_same(values(read), values(written))
    assert restorer.extra.numpy() == 1.0
    assert restorer.save_counter.numpy() == 1
    assert LIBRARIES[reader][1].latest_checkpoint(str(tmp_path / "folder")) == path


def test_the_files_are_described_alike(tmp_path: Path) -> None:
    described = {}
    for name, (library, module) in LIBRARIES.items():
        checkpoint = module.Checkpoint(objects(library, 3), more=[library.Variable(1.0)])
        path = checkpoint.save(str(tmp_path / name / "ckpt"))
        proto = TrackableObjectGraph.FromString(oracle.train.load_variable(path, "_CHECKPOINTABLE_OBJECT_GRAPH"))
        described[name] = (
            {value.checkpoint_key for node in proto.nodes for value in node.attributes},
            {
                (child.local_name, bool(node.has_checkpoint_values.value))
                for node in proto.nodes
                for child in node.children
            },
            train.list_variables(path),
            sorted(file.name for file in (tmp_path / name).iterdir()),
            (tmp_path / name / "checkpoint").read_text(),
        )
    assert described["modtf"] == described["tensorflow"]


@pytest.mark.parametrize("name", LIBRARIES)
def test_tensors_are_read_by_name(name: str, tmp_path: Path) -> None:
    library, module = LIBRARIES[name]
    path = module.Checkpoint(objects(library, 4)).write(str(tmp_path / "name"))
    ours, theirs = train.load_checkpoint(path), oracle.train.load_checkpoint(path)
    assert train.list_variables(path) == oracle.train.list_variables(path)
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    dtypes = {key: dtype.name for key, dtype in theirs.get_variable_to_dtype_map().items()}
    assert {key: dtype.name for key, dtype in ours.get_variable_to_dtype_map().items()} == dtypes
    for key in dtypes:
        assert ours.has_tensor(key)
        np.testing.assert_array_equal(ours.get_tensor(key), theirs.get_tensor(key), strict=True)
    assert not ours.has_tensor("missing")


@BOTH_WAYS
def test_objects_that_are_made_later_are_restored(writer: str, reader: str, tmp_path: Path) -> None:
    library, module = LIBRARIES[writer]
    net = module.Checkpoint(bias=library.Variable([1.0, 2.0]), kernel=library.Variable([3.0]))
    path = module.Checkpoint(net=net).write(str(tmp_path / "name"))
    library, module = LIBRARIES[reader]
    later = module.Checkpoint(bias=library.Variable([0.0, 0.0]))
    status = module.Checkpoint(net=later).read(path)
    np.testing.assert_array_equal(later.bias.numpy(), [1.0, 2.0])
    with pytest.raises(AssertionError):
        status.assert_consumed()
    later.kernel = library.Variable([0.0])
    np.testing.assert_array_equal(later.kernel.numpy(), [3.0])
    status.assert_consumed()


@BOTH_WAYS
def test_managers_take_over_from_each_other(writer: str, reader: str, tmp_path: Path) -> None:
    library, module = LIBRARIES[writer]
    step = library.Variable(0)
    manager = module.CheckpointManager(module.Checkpoint(step=step), str(tmp_path), max_to_keep=2)
    for number in range(3):
        step.assign(number)
        manager.save()
    library, module = LIBRARIES[reader]
    step = library.Variable(-1)
    manager = module.CheckpointManager(module.Checkpoint(step=step), str(tmp_path), max_to_keep=2)
    assert manager.restore_or_initialize() == str(tmp_path / "ckpt-3")
    assert step.numpy() == 2
    assert manager.save() == str(tmp_path / "ckpt-4")
    assert manager.checkpoints == [str(tmp_path / f"ckpt-{number}") for number in (3, 4)]
    indices = sorted(name for name in os.listdir(tmp_path) if name.endswith(".index"))
    assert indices == ["ckpt-3.index", "ckpt-4.index"]
    state = (oracle.train if reader == "modtf" else train).get_checkpoint_state(str(tmp_path))
    assert list(state.all_model_checkpoint_paths) == manager.checkpoints


def test_a_savedmodel_is_restored_like_a_checkpoint(tmp_path: Path) -> None:
    theirs = objects(oracle, 1)
    oracle.saved_model.save(theirs, str(tmp_path / "model"))
    ours = objects(tf, 2)
    train.Checkpoint(ours).read(tmp_path / "model").assert_existing_objects_matched()
    assert_same(values(ours), values(theirs))


@BOTH_WAYS
def test_tables_are_restored(writer: str, reader: str, tmp_path: Path) -> None:
    library, module = LIBRARIES[writer]
    table = library.lookup.experimental.MutableHashTable(library.string, library.int64, -1)
    table.insert(library.constant(["a", "b"]), library.constant([1, 2], library.int64))
    path = module.Checkpoint(table=table).write(str(tmp_path / "name"))
    library, module = LIBRARIES[reader]
    other = library.lookup.experimental.MutableHashTable(library.string, library.int64, -1)
    module.Checkpoint(table=other).read(path).assert_consumed()
    np.testing.assert_array_equal(other.lookup(library.constant(["b", "c", "a"])).numpy(), [2, -1, 1])


def test_optimizers_of_keras_and_of_modtf_restore_each_others_checkpoints(tmp_path: Path) -> None:
    import keras

    from modtf.layers import optimizers

    def trained(library: Any, optimizer: Any, steps: int) -> Any:
        weight = keras.Variable([1.0, 2.0], name="w") if library is oracle else library.Variable([1.0, 2.0], name="w")
        for step in range(steps):
            optimizer.apply_gradients([(library.constant([0.5, 1.0 + step]), weight)])
        return optimizer

    theirs = trained(oracle, keras.optimizers.Adam(0.1), 3)
    path = oracle.train.Checkpoint(optimizer=theirs).write(str(tmp_path / "theirs"))
    ours = trained(tf, optimizers.Adam(0.3), 1)
    train.Checkpoint(optimizer=ours).read(path).assert_existing_objects_matched()
    assert_same([item.numpy() for item in ours.variables], [item.numpy() for item in theirs.variables])
    path = train.Checkpoint(optimizer=ours).write(str(tmp_path / "ours"))
    again = trained(oracle, keras.optimizers.Adam(0.7), 1)
    oracle.train.Checkpoint(optimizer=again).read(path).expect_partial()
    assert_same([item.numpy() for item in again.variables], [item.numpy() for item in theirs.variables])


def test_examples_are_the_same_messages() -> None:
    def example(module: Any) -> Any:
        features = {
            "words": module.Feature(bytes_list=module.BytesList(value=[b"a", b"b"])),
            "numbers": module.Feature(float_list=module.FloatList(value=[1.5])),
            "counts": module.Feature(int64_list=module.Int64List(value=[-1, 1 << 40])),
        }
        lists = module.FeatureLists(feature_list={"rows": module.FeatureList(feature=[features["words"]])})
        context = module.Features(feature=features)
        return module.Example(features=context), module.SequenceExample(context=context, feature_lists=lists)

    for ours, theirs in zip(example(train), example(oracle.train), strict=True):
        assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)
        assert str(ours) == str(theirs)
