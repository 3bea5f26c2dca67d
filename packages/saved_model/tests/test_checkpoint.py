"""Checkpoints: what is written and restored, when, and what goes wrong."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.saved_model import DataLossError, NotFoundError, SavedModelError, UnsupportedError, train
from modtf.saved_model.bundle import BundleReader, BundleWriter
from modtf.saved_model.checkpoints import files
from modtf.saved_model.protos.object_graph_pb2 import TrackableObjectGraph


class Dense(tf.Module):
    """Makes its weights when it is first called."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def __call__(self, x: Any) -> Any:
        if not hasattr(self, "kernel"):
            self.kernel = tf.Variable(tf.ones([x.shape[-1], self.size]), name="kernel")
            self.parts = {"bias": [tf.Variable(tf.zeros([self.size]))]}
        return tf.matmul(x, self.kernel) + self.parts["bias"][0]


class Net(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [Dense(3), Dense(2)]

    def __call__(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def trained_net() -> tuple[Net, Any]:
    net = Net()
    net(tf.ones([1, 4]))
    for number, variable in enumerate(net.variables):
        variable.assign(tf.ones(variable.shape) * (number + 1.0))
    return net, net(tf.ones([1, 4])).numpy()


def test_tf_train_is_the_module() -> None:
    assert tf.train.Checkpoint is train.Checkpoint


def test_write_and_read(tmp_path: Path) -> None:
    net, expected = trained_net()
    path = train.Checkpoint(net=net, step=tf.Variable(7)).write(tmp_path / "deep" / "name")
    assert sorted(os.listdir(tmp_path / "deep")) == ["name.data-00000-of-00001", "name.index"]
    assert "net/layers/0/parts/bias/0/.ATTRIBUTES/VARIABLE_VALUE" in dict(train.list_variables(path))
    other, step = trained_net()[0], tf.Variable(0)
    for variable in other.variables:
        variable.assign(variable * 0.0)
    train.Checkpoint(net=other, step=step).read(path).assert_consumed()
    np.testing.assert_array_equal(other(tf.ones([1, 4])).numpy(), expected)
    assert step.numpy() == 7


@pytest.mark.parametrize("as_root", [True, False])
def test_weights_that_are_made_later_are_restored(as_root: bool, tmp_path: Path) -> None:
    net, expected = trained_net()
    make = (lambda module: train.Checkpoint(module)) if as_root else (lambda module: train.Checkpoint(net=module))
    path = make(net).save(tmp_path / "name")
    later = Net()
    checkpoint = make(later)
    status = checkpoint.restore(path)
    status.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="4 values .* were not restored"):
        status.assert_consumed()
    np.testing.assert_array_equal(tf.function(later)(tf.ones([1, 4])).numpy(), expected)
    status.assert_consumed()
    later.layers[0].kernel = tf.Variable(tf.zeros([4, 3]))  # another one is not restored
    assert not later.layers[0].kernel.numpy().any()


def test_what_is_appended_to_a_list_is_restored_when_the_status_is_asked(tmp_path: Path) -> None:
    path = train.Checkpoint(items=[tf.Variable(1.0), tf.Variable(2.0)]).write(tmp_path / "name")
    items = [tf.Variable(0.0)]
    status = train.Checkpoint(items=items).read(path)
    items.append(tf.Variable(0.0))
    status.assert_consumed()
    assert [item.numpy() for item in items] == [1.0, 2.0]


def test_lists_and_dicts_of_a_restored_checkpoint_restore_what_is_added(tmp_path: Path) -> None:
    items, named = [tf.Variable(1.0), tf.Variable(2.0)], {"one": tf.Variable(3.0)}
    path = train.Checkpoint(items=items, named=named).write(tmp_path / "name")
    checkpoint = train.Checkpoint()
    status = checkpoint.read(path)
    checkpoint.items, checkpoint.named = [], {}
    checkpoint.items.append(tf.Variable(0.0))
    checkpoint.items += [tf.Variable(0.0)]
    checkpoint.named["one"] = tf.Variable(0.0)
    assert [item.numpy() for item in (*checkpoint.items, checkpoint.named["one"])] == [1.0, 2.0, 3.0]
    assert str(checkpoint.items).startswith("ListWrapper([")
    status.assert_consumed()


def test_copies_of_an_object_that_waits_for_values_do_not_wait(tmp_path: Path) -> None:
    path = train.Checkpoint(trained_net()[0]).write(tmp_path / "name")
    net = Net()
    train.Checkpoint(net).read(path)
    copied = copy.deepcopy(net)
    copied(tf.ones([1, 4]))
    assert copied.layers[0].kernel.numpy()[0, 0] == 1.0
    net(tf.ones([1, 4]))
    assert net.layers[1].kernel.numpy()[0, 0] == 3.0


def test_objects_in_several_places_are_saved_once(tmp_path: Path) -> None:
    shared = tf.Variable(1.0)
    module = tf.Module()
    module.first, module.again, module.myself = shared, [shared], module
    path = train.Checkpoint(module).write(tmp_path / "name")
    names = [name for name, _ in train.list_variables(path)]
    assert names == ["_CHECKPOINTABLE_OBJECT_GRAPH", "first/.ATTRIBUTES/VARIABLE_VALUE"]
    shared.assign(5.0)
    train.Checkpoint(module).read(path).assert_consumed()
    assert shared.numpy() == 1.0


def test_a_part_is_restored_alone(tmp_path: Path) -> None:
    path = train.Checkpoint(a=tf.Variable(1.0), b=tf.Variable(2.0)).write(tmp_path / "name")
    b, c = tf.Variable(0.0), tf.Variable(3.0)
    status = train.Checkpoint(b=b, c=c).read(path).expect_partial().assert_nontrivial_match()
    assert (b.numpy(), c.numpy()) == (2.0, 3.0)
    with pytest.raises(AssertionError, match="Found 1 Python objects that were not bound"):
        status.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="Nothing except the root object"):
        train.Checkpoint(c=c).read(path).assert_nontrivial_match()


def test_random_generators_go_on_where_they_were(tmp_path: Path) -> None:
    generator = tf.random.Generator.from_seed(1)
    checkpoint = train.Checkpoint(generator=generator)
    generator.normal([])
    path = checkpoint.write(tmp_path / "name")
    expected = [generator.normal([]).numpy() for _ in range(2)]
    checkpoint.restore(path)
    assert [generator.normal([]).numpy() for _ in range(2)] == expected


def test_nothing_is_restored_from_none() -> None:
    variable = tf.Variable(1.0)
    status = train.Checkpoint(x=variable).restore(None)
    assert variable.numpy() == 1.0
    status.expect_partial().initialize_or_restore()
    with pytest.raises(AssertionError, match="No checkpoint specified"):
        status.assert_consumed()


def test_values_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    path = train.Checkpoint(a=tf.Variable(1.0), b=tf.Variable([2.0])).write(tmp_path / "name")
    for b in (tf.Variable([0.0, 0.0]), tf.Variable([0])):
        a = tf.Variable(0.0)
        with pytest.raises(
            ValueError, match=r"name\.index: tensor 'b/\.ATTRIBUTES/VARIABLE_VALUE' is float32 of shape"
        ):
            train.Checkpoint(a=a, b=b).read(path)
        assert a.numpy() == 0.0


def test_save_counts_and_notes_the_latest(tmp_path: Path) -> None:
    checkpoint = train.Checkpoint(x=tf.Variable(1.0))
    assert train.latest_checkpoint(tmp_path) is None
    for number in (1, 2):
        assert checkpoint.save(tmp_path / "name") == str(tmp_path / f"name-{number}")
    assert train.latest_checkpoint(tmp_path) == str(tmp_path / "name-2")
    state = train.get_checkpoint_state(tmp_path)
    assert list(state.all_model_checkpoint_paths) == [str(tmp_path / "name-2")]
    fresh = train.Checkpoint(x=tf.Variable(0.0))
    fresh.restore(train.latest_checkpoint(tmp_path)).assert_consumed()
    assert fresh.save_counter.numpy() == 2
    os.remove(tmp_path / "name-2.index")
    assert train.latest_checkpoint(tmp_path) is None


def test_callbacks_are_called_after_writing(tmp_path: Path) -> None:
    called: list[Any] = []
    options = train.CheckpointOptions(experimental_write_callbacks=[called.append, lambda: called.append("done")])
    path = train.Checkpoint(x=tf.Variable(1.0)).write(tmp_path / "name", options)
    assert called == [path, "done"]


def test_managers_keep_the_last_ones(tmp_path: Path) -> None:
    step = tf.Variable(0)
    manager = train.CheckpointManager(
        train.Checkpoint(step=step), tmp_path, max_to_keep=2, step_counter=step, checkpoint_interval=2
    )
    saved = []
    for number in range(8):
        step.assign(number)
        saved.append(manager.save())
    assert [path is not None for path in saved] == [True, False] * 4
    assert manager.checkpoints == [saved[4], saved[6]]
    assert manager.latest_checkpoint == saved[6]
    assert sorted(name for name in os.listdir(tmp_path) if name.endswith("index")) == ["ckpt-3.index", "ckpt-4.index"]
    assert manager.save(check_interval=False) == str(tmp_path / "ckpt-5")

    again = train.CheckpointManager(train.Checkpoint(step=step), tmp_path, max_to_keep=None, checkpoint_name="other")
    step.assign(-1)
    assert again.restore_or_initialize() == str(tmp_path / "ckpt-5")
    assert step.numpy() == 7
    assert again.save(checkpoint_number=tf.Variable(9)) == str(tmp_path / "other-9")
    assert len(again.checkpoints) == 3


def test_managers_keep_some_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1e9]
    monkeypatch.setattr("time.time", lambda: now[0])
    manager = train.CheckpointManager(
        train.Checkpoint(x=tf.Variable(0)), tmp_path, max_to_keep=1, keep_checkpoint_every_n_hours=2
    )
    for _ in range(6):
        now[0] += 3600
        manager.save()
    assert manager.checkpoints == [str(tmp_path / "ckpt-6")]
    kept = sorted(name for name in os.listdir(tmp_path) if name.endswith("index"))
    assert kept == ["ckpt-2.index", "ckpt-4.index", "ckpt-6.index"]


def test_managers_initialize_where_there_is_nothing(tmp_path: Path) -> None:
    called: list[int] = []
    checkpoint = train.Checkpoint(x=tf.Variable(0))
    manager = train.CheckpointManager(checkpoint, tmp_path, 1, init_fn=lambda: called.append(1))
    assert manager.restore_or_initialize() is None
    assert called == [1]
    with pytest.raises(ValueError, match="positive"):
        train.CheckpointManager(checkpoint, tmp_path, 0)
    with pytest.raises(ValueError, match="step_counter"):
        train.CheckpointManager(checkpoint, tmp_path, 1, checkpoint_interval=3)


def test_a_checkpoint_is_replaced_at_one_stroke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever step fails, the files hold the old values or the new ones."""
    replace, steps = os.replace, [0]

    def failing(source: Any, target: Any) -> None:
        steps[0] -= 1
        if steps[0] < 0:
            raise OSError("crash")
        replace(source, target)

    variable = tf.Variable([1.0])
    checkpoint = train.Checkpoint(x=variable)
    path = checkpoint.write(tmp_path / "name")
    monkeypatch.setattr(files.os, "replace", failing)
    seen = []
    for count in range(5):
        old = np.array(BundleReader(path).read("x/.ATTRIBUTES/VARIABLE_VALUE")).item()
        variable.assign([old + 1.0])
        steps[0] = count
        try:
            checkpoint.write(path)
        except OSError:
            pass
        new = BundleReader(path).read("x/.ATTRIBUTES/VARIABLE_VALUE").item()
        assert new in (old, old + 1.0)
        seen.append(new == old)
    assert seen[0] and not seen[-1]
    monkeypatch.undo()
    checkpoint.write(path)
    assert sorted(os.listdir(tmp_path)) == ["name.data-00000-of-00001", "name.index"]


def test_nothing_is_written_of_what_cannot_be_saved(tmp_path: Path) -> None:
    checkpoint = train.Checkpoint(x=tf.Variable.uninitialized([2], tf.float32, "empty"))
    with pytest.raises(SavedModelError, match="'empty:0' has no value yet"):
        checkpoint.write(tmp_path / "name")
    with pytest.raises(SavedModelError, match="inside a traced"):
        tf.function(lambda: checkpoint.write(tmp_path / "name"))()
    with pytest.raises(SavedModelError, match="needs a name"):
        train.Checkpoint().write(f"{tmp_path}/")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("wrong", [3, "text", [1, 2], None])
def test_what_is_no_object_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="was expecting x to be a trackable object"):
        train.Checkpoint(x=wrong)


def test_a_name_of_the_root_is_not_given_twice() -> None:
    module = tf.Module()
    module.x = tf.Variable(1.0)
    train.Checkpoint(module, x=module.x)
    with pytest.raises(ValueError, match=r"root\.x already exists"):
        train.Checkpoint(module, x=tf.Variable(1.0))


def write_raw(path: Path, object_graph: bytes | None) -> str:
    with BundleWriter(path) as bundle:
        bundle.add("x", np.float32(1.0))
        if object_graph is not None:
            bundle.add("_CHECKPOINTABLE_OBJECT_GRAPH", object_graph)
    return str(path)


def test_bad_files_give_one_error(tmp_path: Path) -> None:
    checkpoint = train.Checkpoint(x=tf.Variable(0.0))
    node = TrackableObjectGraph.TrackableObject
    child = node(children=[node.ObjectReference(node_id=1, local_name="x")])
    named = node(attributes=[node.SerializedTensor(name="VARIABLE_VALUE", checkpoint_key="gone")])
    for number, (proto, error, message) in enumerate(
        [
            (None, UnsupportedError, "TensorFlow 1"),
            (b"\xff\xff", DataLossError, "does not describe objects"),
            (b"", DataLossError, "describes no objects"),
            (TrackableObjectGraph(nodes=[child]).SerializeToString(), DataLossError, "object 0 has object 1"),
            (TrackableObjectGraph(nodes=[child, named]).SerializeToString(), SavedModelError, "no tensor 'gone'"),
        ]
    ):
        path = write_raw(tmp_path / f"bad{number}", proto)
        with pytest.raises(error, match=rf"bad{number}\.index.*{message}"):
            checkpoint.read(path)
    with pytest.raises(NotFoundError, match=r"no checkpoint .*nothing.* The folder has: bad0, bad1"):
        checkpoint.restore(tmp_path / "nothing")
    (tmp_path / "checkpoint").write_text("model_checkpoint_path: 3")
    with pytest.raises(DataLossError, match="checkpoint: does not say"):
        train.latest_checkpoint(tmp_path)
    (tmp_path / "checkpoint").write_text("")
    with pytest.raises(DataLossError, match="has no model_checkpoint_path"):
        train.get_checkpoint_state(tmp_path)
    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file"):
        (tmp_path / "empty").mkdir()
        train.load_checkpoint(tmp_path / "empty")


def test_altered_values_are_found(tmp_path: Path) -> None:
    x, y = tf.Variable([1.0]), tf.Variable([2.0])
    path = train.Checkpoint(x=x, y=y).write(tmp_path / "name")
    data = Path(f"{path}.data-00000-of-00001")
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    x.assign([5.0])
    with pytest.raises(DataLossError, match="data-00000-of-00001"):
        train.Checkpoint(x=x, y=y).read(path)
    assert x.numpy() == [5.0]


def test_tensors_are_read_by_name(tmp_path: Path) -> None:
    path = train.Checkpoint(x=tf.Variable([1, 2]), text=tf.Variable("abc")).save(tmp_path / "name")
    reader = train.load_checkpoint(tmp_path)
    assert reader.get_variable_to_shape_map()["x/.ATTRIBUTES/VARIABLE_VALUE"] == [2]
    assert reader.get_variable_to_dtype_map()["x/.ATTRIBUTES/VARIABLE_VALUE"] is tf.int32
    assert reader.get_tensor("text/.ATTRIBUTES/VARIABLE_VALUE") == b"abc"
    assert b"x/.ATTRIBUTES/VARIABLE_VALUE (int32) [2]" in reader.debug_string()
    np.testing.assert_array_equal(train.load_variable(path, "x/.ATTRIBUTES/VARIABLE_VALUE"), [1, 2])
    with pytest.raises(KeyError, match="no tensor 'y'"):
        reader.get_tensor("y")


def test_optimizers_of_layers_are_restored_before_their_first_step(tmp_path: Path) -> None:
    optimizers = pytest.importorskip("modtf.layers").optimizers

    def step(optimizer: Any, weight: tf.Variable) -> None:
        optimizer.apply_gradients([(tf.constant([1.0, 2.0]), weight)])

    weight, optimizer = tf.Variable([1.0, 2.0]), optimizers.Adam(0.1)
    for _ in range(3):
        step(optimizer, weight)
    path = train.Checkpoint(weight=weight, optimizer=optimizer).write(tmp_path / "name")
    step(optimizer, weight)
    other, fresh = tf.Variable([0.0, 0.0]), optimizers.Adam(0.5)
    status = train.Checkpoint(weight=other, optimizer=fresh).read(path)
    step(fresh, other)
    status.assert_consumed()
    np.testing.assert_array_equal(other.numpy(), weight.numpy())
    assert fresh.iterations.numpy() == 4


def test_examples_are_made_of_text() -> None:
    from google.protobuf import text_format

    example = text_format.Merge(
        'features { feature { key: "a" value { int64_list { value: [7] } } } }', train.Example()
    )
    assert list(train.Example.FromString(example.SerializeToString()).features.feature["a"].int64_list.value) == [7]


def test_iterators_go_on_where_they_were(tmp_path: Path) -> None:
    dataset = tf.data.Dataset.range(10).map(lambda x: x * x).batch(2)
    iterator = iter(dataset)
    next(iterator), next(iterator)
    path = train.Checkpoint(iterator=iterator).write(tmp_path / "name")
    assert next(iterator).numpy().tolist() == [16, 25]
    other = iter(dataset)
    train.Checkpoint(iterator=other).read(path).assert_consumed()
    assert next(other).numpy().tolist() == [16, 25]


def test_tables_lose_nothing(tmp_path: Path) -> None:
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    table.insert(["a", "b"], tf.constant([1, 2], tf.int64))
    path = train.Checkpoint(table=table).write(tmp_path / "name")
    table.insert(["a", "c"], tf.constant([7, 8], tf.int64))
    train.Checkpoint(table=table).read(path).assert_consumed()
    assert table.lookup(tf.constant(["a", "b", "c"])).numpy().tolist() == [1, 2, -1]
