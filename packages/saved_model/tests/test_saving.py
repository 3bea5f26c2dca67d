"""Saving: what comes back, what the files hold, what cannot be saved, and that nothing is ever half-written."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf import saved_model
from modtf.core.contracts import ReusableSavedModel
from modtf.saved_model import BundleReader, SavedModelError
from modtf.saved_model.protos.object_graph_pb2 import TrackableObjectGraph
from modtf.saved_model.protos.saved_model_pb2 import MetaGraphDef, SavedModel


class Scale(tf.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = tf.Variable(factor, name="factor")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, x: Any) -> Any:
        return self.factor * x


def round_trip(module: Any, folder: Path, **options: Any) -> Any:
    saved_model.save(module, folder, **options)
    return saved_model.load(folder)


def read(folder: Path) -> MetaGraphDef:
    return SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0]


def test_a_module_comes_back(tmp_path: Path) -> None:
    class Model(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = [Scale(2.0), Scale(3.0)]
            self.by_name = {"again": self.scales[1], "a.b/c": (Scale(5.0), 1)}
            self.fixed = tf.Variable(1, trainable=False, name="fixed")
            self.plain = 7

        @tf.function
        def apply(self, x: Any, training: bool = False) -> Any:
            for scale in self.scales:
                x = scale(x)
            return {"x": -x if training else x}

    model = Model()
    x = tf.constant([1.0, 2.0])
    model.apply(x), model.apply(x, training=True)
    loaded = round_trip(model, tmp_path / "model")
    assert loaded.apply(x)["x"].numpy().tolist() == [6.0, 12.0]
    assert loaded.apply([1.0, 1.0], training=True)["x"].numpy().tolist() == [-6.0, -6.0]
    assert loaded.scales[0](np.ones(3, np.float32)).numpy().tolist() == [2.0] * 3
    assert loaded.by_name["again"] is loaded.scales[1]
    assert float(loaded.by_name["a.b/c"][0].factor) == 5.0
    assert [variable.name for variable in loaded.variables].count("factor:0") == 3
    assert loaded.fixed.dtype == tf.int32
    assert not loaded.fixed.trainable
    assert not hasattr(loaded, "plain")


@pytest.mark.parametrize(
    "value",
    [
        np.float32(1.5), np.arange(6, dtype=np.int64).reshape(2, 3), np.array([True, False]), np.array(2 + 1j),
        np.zeros((0, 3), np.float16), np.array([b"a", b"\xff\x00", b""], object), np.uint8(255),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}",
)  # fmt: skip
def test_values_of_variables_and_constants_of_every_kind(value: np.ndarray, tmp_path: Path) -> None:
    module = tf.Module()
    module.variable = tf.Variable(value)
    module.constant = tf.function(lambda: tf.constant(value), input_signature=[])
    loaded = round_trip(module, tmp_path / "model")
    for actual in (loaded.variable.numpy(), loaded.constant().numpy()):
        assert np.asarray(actual, value.dtype).tolist() == value.tolist()
    assert loaded.variable.dtype == tf.as_dtype(value.dtype)


def test_bfloat16(tmp_path: Path) -> None:
    module = tf.Module()
    module.variable = tf.Variable(tf.constant([1.5, -2.0], tf.bfloat16))
    loaded = round_trip(module, tmp_path / "model")
    assert loaded.variable.dtype == tf.bfloat16
    assert loaded.variable.numpy().astype(float).tolist() == [1.5, -2.0]


def test_names_that_are_no_names_for_nodes(tmp_path: Path) -> None:
    module = tf.Module()
    module.variable = tf.Variable(2.0, name="_weird näme:0")
    module.other = tf.Variable(3.0, name="_weird näme:0")
    module.function = tf.function(
        lambda X, _y: X * module.variable + _y * module.other,
        input_signature=[tf.TensorSpec([], tf.float32), tf.TensorSpec([], tf.float32, name="the y")],
    )
    loaded = round_trip(module, tmp_path / "model", signatures={"a key": module.function})
    assert float(loaded.function(X=1.0, _y=10.0)) == 32.0
    assert float(loaded.signatures["a key"](**{"X": tf.constant(1.0), "the y": tf.constant(10.0)})["output_0"]) == 32.0
    allowed = r"^[A-Za-z0-9.][A-Za-z0-9_.\-/]*$"
    proto = read(tmp_path / "model").graph_def
    names = [node.name for node in proto.node] + [
        node.name for item in proto.library.function for node in item.node_def
    ]
    assert all(re.match(allowed, name) for name in names)


def test_signatures(tmp_path: Path) -> None:
    model = Scale(2.0)

    @tf.function
    def several(b: Any, a: Any) -> Any:
        return b * 10.0 + a, {"b": b}["b"]

    spec = tf.TensorSpec([], tf.float32)
    several = several.get_concrete_function(spec, spec)
    loaded = round_trip(model, tmp_path / "model", signatures={"one": model.__call__, "two": several, "alias": several})
    assert set(loaded.signatures) == {"one", "two", "alias"}
    assert loaded.signatures["one"](x=tf.constant([4.0]))["output_0"].numpy().tolist() == [8.0]
    result = loaded.signatures["two"](b=tf.constant(1.0), a=tf.constant(2.0))
    assert {name: float(value) for name, value in result.items()} == {"output_0": 12.0, "output_1": 1.0}
    assert loaded.signatures["alias"] is loaded.signatures["two"]
    signature = read(tmp_path / "model").signature_def["two"]
    assert {name: info.name for name, info in signature.inputs.items()} == {"a": "two_a:0", "b": "two_b:0"}


def test_the_only_function_that_can_be_is_the_default_signature(tmp_path: Path) -> None:
    assert list(round_trip(Scale(2.0), tmp_path / "one").signatures) == ["serving_default"]

    class Two(Scale):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def other(self, x: Any) -> Any:
            return x

    assert list(round_trip(Two(2.0), tmp_path / "two").signatures) == []
    assert list(round_trip(Scale(2.0), tmp_path / "none", signatures={}).signatures) == []


def test_functions_keep_their_python_signatures(tmp_path: Path) -> None:
    module = tf.Module()

    @tf.function
    def function(x: Any, *rest: Any, scale: float = 2.0, **named: Any) -> Any:
        for item in rest:
            x = x + item
        return x * scale + named["z"]

    module.function = function
    one = tf.constant(1.0)
    function(one, one, one, z=one)
    loaded = round_trip(module, tmp_path / "model")
    assert str(loaded.function.function_type) == "(x, *rest, scale=2.0, **named)"
    assert float(loaded.function(one, 2.0, 3.0, z=4.0)) == 16.0


def test_a_function_that_was_never_called(tmp_path: Path) -> None:
    module = tf.Module()
    module.function = tf.function(lambda x: x)
    loaded = round_trip(module, tmp_path / "model")
    with pytest.raises(ValueError, match="saved without a trace"):
        loaded.function(1.0)
    round_trip(loaded, tmp_path / "again")


def test_a_function_that_makes_its_variables_when_it_is_traced(tmp_path: Path) -> None:
    class Lazy(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight: Any = None

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
        def __call__(self, x: Any) -> Any:
            if self.weight is None:
                self.weight = tf.Variable(np.full(x.shape[1], 3.0, np.float32))
            return x * self.weight

    loaded = round_trip(Lazy(), tmp_path / "model")
    assert loaded([[1.0, 2.0]]).numpy().tolist() == [[3.0, 6.0]]


def test_arguments_given_back_and_results_given_twice(tmp_path: Path) -> None:
    module = tf.Module()
    module.function = tf.function(
        lambda x: (x, (y := x * 2.0), y, None, [x, y]), input_signature=[tf.TensorSpec(None, tf.float32)]
    )
    loaded = round_trip(module, tmp_path / "model")
    result = tf.nest.flatten(loaded.function(tf.constant([3.0])))
    assert [None if item is None else float(item[0]) for item in result] == [3.0, 6.0, 6.0, None, 3.0, 6.0]


def test_training_steps_are_saved_with_their_gradients(tmp_path: Path) -> None:
    class Model(Scale):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def step(self, x: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = self(x) * self(x)
            self.factor.assign_sub(tape.gradient(loss, self.factor) * 0.1)
            return loss

    model = Model(2.0)
    loaded = round_trip(model, tmp_path / "model")
    for _ in range(3):
        model.step([0.5]), loaded.step([0.5])
    assert float(loaded.factor) == pytest.approx(float(model.factor), rel=1e-6)
    assert float(loaded.factor) < 1.9


def test_a_reusable_saved_model_keeps_its_lists(tmp_path: Path) -> None:
    class Reusable(Scale):
        def root_children(self) -> dict[str, Any]:
            regularizer = tf.function(lambda: self.factor * 0.5, input_signature=[])
            return {
                "variables": list(self.variables),
                "trainable_variables": [],
                "regularization_losses": [regularizer],
            }

    loaded = round_trip(Reusable(2.0), tmp_path / "model")
    assert isinstance(loaded, ReusableSavedModel)
    assert loaded.variables == [loaded.factor] or loaded.variables[0] is loaded.factor
    assert len(loaded.trainable_variables) == 0
    assert [float(loss()) for loss in loaded.regularization_losses] == [1.0]


def test_the_checkpoint_describes_the_objects(tmp_path: Path) -> None:
    module = tf.Module()
    module.child = {"a.b/c": [Scale(2.0)]}
    saved_model.save(module, tmp_path / "model")
    bundle = BundleReader(tmp_path / "model" / "variables" / "variables")
    key = "child/a..b.Sc/0/factor/.ATTRIBUTES/VARIABLE_VALUE"
    assert set(bundle) == {key, "_CHECKPOINTABLE_OBJECT_GRAPH"}
    objects = TrackableObjectGraph.FromString(bundle.read("_CHECKPOINTABLE_OBJECT_GRAPH").item())
    assert [item.attributes[0].checkpoint_key for item in objects.nodes if item.attributes] == [key]
    assert objects.nodes[0].has_checkpoint_values.value


def test_aliases(tmp_path: Path) -> None:
    model = Scale(2.0)
    saved_model.save(
        model, tmp_path / "model", options=saved_model.SaveOptions(function_aliases={"name": model.__call__})
    )
    assert list(read(tmp_path / "model").meta_info_def.function_aliases.values()) == ["name"]


def test_a_model_is_saved_over_the_one_it_was_loaded_from(tmp_path: Path) -> None:
    loaded = round_trip(Scale(2.0), tmp_path / "model")
    loaded.factor.assign(5.0)
    again = round_trip(loaded, tmp_path / "model")
    assert again([1.0]).numpy().tolist() == [5.0]
    assert loaded([1.0]).numpy().tolist() == [5.0]


def test_variables_outlive_the_files_they_were_mapped_from(tmp_path: Path) -> None:
    module = tf.Module()
    module.variable = tf.Variable(np.arange(100000, dtype=np.float32))
    loaded = round_trip(module, tmp_path / "model")
    module.variable.assign(module.variable * 0.0)
    saved_model.save(module, tmp_path / "model")
    assert loaded.variable.numpy()[-1] == 99999.0


class Unsaveable(tf.Module):
    def __init__(self, **attributes: Any) -> None:
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)


def _with_default(value: Any) -> Any:
    return tf.function(lambda x, y=value: x, input_signature=[tf.TensorSpec([], tf.float32)])


def _taking(name: str) -> Any:
    return tf.function(lambda x: x, input_signature=[tf.TensorSpec([], tf.float32, name=name)])


@pytest.mark.parametrize(
    ("make", "signatures", "reason"),
    [
        (lambda: 5, None, "trackable_children"),
        (lambda: Unsaveable(d={1: tf.Variable(1.0)}), None, "the key 1; only dicts whose keys are strings"),
        (lambda: Unsaveable(signatures=[tf.Variable(1.0)]), None, "an attribute 'signatures'"),
        (
            lambda: Unsaveable(f=_with_default(object())),
            None,
            "default arguments: a value of type object cannot be saved",
        ),
        (lambda: Unsaveable(v=tf.Variable.uninitialized([2], "float32", "late")), None, "'late:0' has no value yet"),
        (lambda: Unsaveable(), {"a": lambda x: x}, "The signature 'a' is .*input_signature"),
        (lambda: Unsaveable(), {"a": _taking("lambda")}, "The signature 'a' has an argument 'lambda'"),
        (lambda: Unsaveable(), {"a": tf.function(lambda: None, input_signature=[])}, "The signature 'a' gives None"),
    ],
)
def test_what_cannot_be_saved_is_said_and_nothing_is_written(
    make: Any, signatures: Any, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(SavedModelError, match=reason):
        saved_model.save(make(), tmp_path / "model", signatures=signatures)
    assert list(tmp_path.iterdir()) == []


def test_a_variable_that_no_attribute_leads_to(tmp_path: Path) -> None:
    lost = tf.Variable(1.0, name="lost")
    module = Unsaveable(f=tf.function(lambda: lost * 2.0, input_signature=[]))
    with pytest.raises(SavedModelError, match="the variable 'lost', which no attribute of the saved object leads to"):
        saved_model.save(module, tmp_path / "model")


def test_saving_inside_a_function(tmp_path: Path) -> None:
    @tf.function
    def function() -> None:
        saved_model.save(Scale(1.0), tmp_path / "model")

    with pytest.raises(SavedModelError, match="inside a traced"):
        function()


def test_what_else_is_in_the_folder_stays(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README").write_text("mine")
    for factor in (2.0, 3.0):
        assert float(round_trip(Scale(factor), folder).factor) == factor
        assert (folder / "README").read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["README", "saved_model.pb", "variables"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_with_something_else_where_the_variables_go(tmp_path: Path) -> None:
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "variables" / "mine").write_text("mine")
    with pytest.raises(SavedModelError, match="holds no model, but 'variables'"):
        saved_model.save(Scale(2.0), tmp_path / "model")
    assert (tmp_path / "model" / "variables" / "mine").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_file_where_the_folder_goes(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("mine")
    with pytest.raises(SavedModelError, match="is a file"):
        saved_model.save(Scale(2.0), tmp_path / "model")
    assert (tmp_path / "model").read_text() == "mine"


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    saved_model.save(Scale(2.0), tmp_path / "versions" / "1")
    (tmp_path / "current").symlink_to(tmp_path / "versions" / "1")
    saved_model.save(Scale(3.0), tmp_path / "current")
    assert (tmp_path / "current").is_symlink()
    assert float(saved_model.load(tmp_path / "versions" / "1").factor) == 3.0


def test_folders_change_places_without_the_systems_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modtf.saved_model.model_folder._exchange_at_once", lambda first, second: False)
    for factor in (2.0, 3.0):
        assert float(round_trip(Scale(factor), tmp_path / "model").factor) == factor
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


_SAVES_FOREVER = """
import sys
import numpy as np
from modtf import core as tf, saved_model
module = tf.Module()
module.variables_ = [tf.Variable(np.zeros(20000, np.float32)) for _ in range(4)]
count = 0
while True:
    count += 1
    for variable in module.variables_:
        variable.assign(variable * 0.0 + float(count))
    saved_model.save(module, sys.argv[1])
    print(count, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
def test_a_kill_at_any_moment_leaves_a_whole_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "model"
    process = subprocess.Popen([sys.executable, "-c", _SAVES_FOREVER, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # a first model is there
        for _ in range(8):
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=rng.uniform(0, 0.03))
            process.send_signal(signal.SIGSTOP)  # as a kill would leave the files
            loaded = saved_model.load(folder)
            values = {float(value) for variable in loaded.variables_ for value in np.unique(variable.numpy())}
            assert len(values) == 1
            process.send_signal(signal.SIGCONT)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert len(saved_model.load(folder).variables_) == 4
