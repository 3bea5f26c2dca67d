"""Version-1 models: graphs without objects, with reference variables, Switch and Merge, and checkpoints of the older format."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_values import GOLDENS

from modtf import core as tf
from modtf import saved_model
from modtf.saved_model import DataLossError, NotFoundError, SavedModelError, UnsupportedError
from modtf.saved_model.protos.saved_model_pb2 import MetaGraphDef, SavedModel

ANSWERS = np.load(GOLDENS / "version1_answers.npz")
X = ANSWERS["x"]
REFERENCES, RECURRENT = GOLDENS / "version1_references", GOLDENS / "version1_recurrent"


def assert_answers(actual: dict[str, Any], name: str) -> None:
    expected = {key.rpartition("/")[2]: ANSWERS[key] for key in ANSWERS.files if key.rpartition("/")[0] == name}
    assert expected
    assert set(actual) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(actual[key].numpy(), value, rtol=1e-6, atol=1e-6)


@pytest.fixture
def references() -> Any:
    return saved_model.load(REFERENCES, tags="serve")


@pytest.fixture
def recurrent() -> Any:
    return saved_model.load(RECURRENT)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REFERENCES, tmp_path / "copy"))


def change(folder: Path, edit: Callable[[MetaGraphDef], Any]) -> Path:
    """Edits the first model of a folder in place."""
    proto = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    edit(proto.meta_graphs[0])
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())
    return folder


def node(proto: MetaGraphDef, op: str) -> Any:
    return next(item for item in proto.graph_def.node if item.op == op)


# ------------------------------------------------------------------------------------------------- signatures


def test_signatures_take_and_give_named_tensors(references: Any) -> None:
    function = references.signatures["serving_default"]
    assert_answers(function(x=X), "version1_references/serving_default")
    assert_answers(function(tf.constant(X)), "version1_references/serving_default")
    assert function.structured_input_signature == ((), {"x": tf.TensorSpec([None, 3], tf.float32, "x")})
    assert function.structured_outputs["y"].shape == tf.TensorShape([None, 2])
    assert set(references.signatures) == {"serving_default", "count", "collatz", "look_up"}


def test_wrong_arguments_are_refused(references: Any) -> None:
    function = references.signatures["serving_default"]
    with pytest.raises(TypeError, match="x"):
        function()
    with pytest.raises(TypeError, match=r"unexpected arguments \['y'\]"):
        function(x=X, y=X)
    with pytest.raises(TypeError):
        function(x=tf.constant(X, tf.float64))


def test_assignments_to_reference_variables_last(references: Any) -> None:
    count = references.signatures["count"]
    assert_answers(count(), "version1_references/count")
    assert count()["counted"].numpy().tolist() == [2.0, 4.0]
    assert references.signatures["serving_default"](x=X)["y"].numpy()[0].tolist() == pytest.approx([0.2, 2.2])


def test_conditionals_in_loops_are_raised(references: Any) -> None:
    function = references.signatures["collatz"]
    assert_answers(function(n=np.int32(6)), "version1_references/collatz")
    assert function(n=27)["steps"].numpy() == 111
    types = {item.type for item in function.graph.get_operations()}
    assert "StatelessWhile" in types
    assert not types & {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond"}
    body = next(item for item in function.graph.get_operations() if item.type == "StatelessWhile").get_attr("body")
    assert "StatelessIf" in {item.type for item in body.get_operations()}


def test_tables_are_filled(references: Any) -> None:
    words = np.array([b"b", b"c"], object)
    assert_answers(references.signatures["look_up"](words=words), "version1_references/look_up")


def test_tensor_arrays_and_a_checkpoint_of_the_older_format(recurrent: Any) -> None:
    function = recurrent.signatures["serving_default"]
    assert_answers(function(x=X), "version1_recurrent/serving_default")
    assert function(x=np.zeros([0, 3], np.float32))["outputs"].shape == (0, 3)


# ------------------------------------------------------------------------------------------------- objects


def test_variables(references: Any, recurrent: Any) -> None:
    names = {variable.name: variable.trainable for variable in references.variables}
    assert names == {"parts/kernel/part_0:0": True, "parts/kernel/part_1:0": True, "state:0": False}
    assert [variable.shape for variable in references.trainable_variables] == [(2, 2), (1, 2)]
    assert references.variables[0].numpy().tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert recurrent.variables[0].numpy().reshape(-1).tolist() == np.linspace(0, 1, 9, dtype=np.float32).tolist()
    assert recurrent.signatures["serving_default"].variables == (recurrent.variables[0],)


def test_models_do_not_share_state(references: Any) -> None:
    references.signatures["count"]()
    other = saved_model.load(REFERENCES, tags="serve")
    assert_answers(other.signatures["count"](), "version1_references/count")


def test_variables_can_be_left_without_values() -> None:
    options = saved_model.LoadOptions(experimental_skip_checkpoint=True)
    loaded = saved_model.load(REFERENCES, tags=["serve"], options=options)
    assert not loaded.variables[0].is_initialized()
    loaded.restore(REFERENCES / "variables" / "variables")
    assert_answers(loaded.signatures["serving_default"](x=X), "version1_references/serving_default")


def test_versions_and_graph(references: Any) -> None:
    assert references.tensorflow_version.startswith("2.")
    assert references.tensorflow_git_version
    assert references.asset_paths == []
    tensor = references.graph.get_tensor_by_name("MatMul:0")
    assert (tensor.name, tensor.op.type, tensor.dtype, tensor.shape) == ("MatMul:0", "MatMul", tf.float32, (None, 2))
    assert tensor.op.inputs[0].name == "x:0"
    assert "MatMul" in {item.name for item in references.graph.get_operations()}
    assert references.graph.as_graph_def().node
    with pytest.raises(KeyError, match="nothing"):
        references.graph.get_operation_by_name("nothing")


def test_several_models_are_told_apart_by_their_tags() -> None:
    assert set(saved_model.load(REFERENCES, tags=["other", "serve"]).signatures) == {"count"}
    with pytest.raises(NotFoundError, match=r"\['gpu'\].*\['serve'\], \['other', 'serve'\]"):
        saved_model.load(REFERENCES, tags="gpu")
    with pytest.raises(NotFoundError, match="tags"):
        saved_model.load(REFERENCES)


# ------------------------------------------------------------------------------------------------- prune


def test_prune_makes_functions_of_parts(references: Any) -> None:
    function = references.prune("x:0", {"product": "MatMul:0", "sum": "Sum:0"})
    assert set(function(X)) == {"product", "sum"}
    np.testing.assert_allclose(function(x=X)["product"].numpy(), X @ np.ones([3, 2]), atol=1e-6)
    np.testing.assert_allclose(references.prune(["MatMul:0"], "add:0")(np.ones([1, 2], np.float32)), [[1.0, 1.0]])
    assert references.prune([], ["state:0"], name="look")()[0].numpy().tolist() == [0.0, 0.0]


def test_prune_takes_tensors_of_the_graph_and_runs_operations(references: Any) -> None:
    graph = references.graph
    function = references.prune([], [graph.get_operation_by_name("AssignAdd"), "state:0"])
    assert function()[0] is None
    assert function()[1].numpy().tolist() == [2.0, 4.0]
    spec = tf.TensorSpec([1, 3], tf.float32, "given")
    named = references.prune(graph.get_tensor_by_name("x:0"), "MatMul:0", input_signature=((), {"given": spec}))
    assert named(given=X[:1]).shape == (1, 2)


def test_prune_refuses_what_cannot_be(references: Any) -> None:
    with pytest.raises(UnsupportedError, match="'x'.*placeholder"):
        references.prune([], "MatMul:0")
    with pytest.raises(KeyError, match="nothing"):
        references.prune([], "nothing:0")
    with pytest.raises(DataLossError, match="1 outputs"):
        references.prune("MatMul:7", "Sum:0")
    with pytest.raises(ValueError, match="operation"):
        references.prune("MatMul", "Sum:0")
    with pytest.raises(UnsupportedError, match="in a loop"):
        references.prune("n:0", "while/add:0")


# ------------------------------------------------------------------------------------------------- further use


def test_gradients(recurrent: Any) -> None:
    function, (kernel,) = recurrent.signatures["serving_default"], recurrent.variables
    x = tf.constant(X)

    def loss() -> Any:
        return tf.reduce_sum(function(x=x)["outputs"] ** 2)

    with tf.GradientTape() as tape:
        value = loss()
    gradient = tape.gradient(value, kernel).numpy()
    before = kernel.numpy()
    for index in ((0, 1), (2, 2)):
        step = np.zeros([3, 3], np.float32)
        step[index] = 1e-2
        ends = []
        for sign in (1, -1):
            kernel.assign(before + sign * step)
            ends.append(float(loss()))
        assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-2, rel=1e-2)


def test_functions_of_functions(recurrent: Any) -> None:
    function = recurrent.signatures["serving_default"]

    @tf.function
    def doubled(x: Any) -> Any:
        return 2.0 * function(x=x)["state"]

    np.testing.assert_allclose(
        doubled(tf.constant(X)), 2 * ANSWERS["version1_recurrent/serving_default/state"], rtol=1e-6
    )


@pytest.mark.parametrize("name", ["version1_references", "version1_recurrent"])
def test_saving_again(name: str, tmp_path: Path) -> None:
    loaded = saved_model.load(GOLDENS / name, tags="serve")
    saved_model.save(loaded, tmp_path / "again", signatures={"again": loaded.signatures["serving_default"]})
    again = saved_model.load(tmp_path / "again")
    assert_answers(again.signatures["again"](x=X), f"{name}/serving_default")


# ------------------------------------------------------------------------------------------------- damage


def test_a_missing_node_is_named(copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        node(proto, "MatMul").input[0] = "gone"

    with pytest.raises(DataLossError, match=r"saved_model\.pb.*'gone'"):
        saved_model.load(change(copy, edit), tags="serve").signatures["serving_default"](x=X)


def test_a_missing_output_is_named(copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        proto.signature_def["serving_default"].outputs["y"].name = "MatMul:7"

    with pytest.raises(DataLossError, match="MatMul:7"):
        saved_model.load(change(copy, edit), tags="serve").signatures["serving_default"](x=X)


def test_the_dtype_of_a_placeholder_counts(copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        proto.signature_def["look_up"].inputs["words"].dtype = 1  # type: ignore[assignment]

    function = saved_model.load(change(copy, edit), tags="serve").signatures["look_up"]
    assert function(words=np.array([b"a"], object))["ids"].numpy().tolist() == [5]


def test_a_circle_is_refused(copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        node(proto, "MatMul").input[0] = "add"

    with pytest.raises(DataLossError, match="depends on its own output"):
        saved_model.load(change(copy, edit), tags="serve").signatures["serving_default"](x=X)


def test_two_nodes_of_a_name_are_refused(copy: Path) -> None:
    with pytest.raises(DataLossError, match="same name"):
        saved_model.load(change(copy, lambda proto: proto.graph_def.node.append(proto.graph_def.node[0])), tags="serve")


@pytest.mark.parametrize("op", ["Merge", "Switch", "LoopCond", "NextIteration", "Enter", "Exit"])
def test_control_flow_that_makes_no_sense_is_refused(op: str, copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        changed = node(proto, op)
        changed.op = "Identity"
        del changed.input[1:]

    with pytest.raises(SavedModelError, match="node|loop"):
        saved_model.load(change(copy, edit), tags="serve").signatures["collatz"](n=6)


def test_an_unknown_op_fails_when_it_is_run(copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        node(proto, "MatMul").op = "MadeUp"

    with pytest.warns(UserWarning, match="MadeUp"):
        loaded = saved_model.load(change(copy, edit), tags="serve")
    assert_answers(loaded.signatures["count"](), "version1_references/count")
    with pytest.raises(UnsupportedError, match="MadeUp"):
        loaded.signatures["serving_default"](x=X)


def test_an_asset_outside_of_the_folder_is_refused(copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        proto.asset_file_def.add(filename="../../secret").tensor_info.name = "Const:0"

    with pytest.raises(DataLossError, match="outside"):
        saved_model.load(change(copy, edit), tags="serve")


def test_a_damaged_checkpoint_of_the_older_format_is_refused(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(RECURRENT, tmp_path / "copy"))
    path = next((copy / "variables").iterdir())
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    with pytest.raises(SavedModelError, match="CRC"):
        saved_model.load(copy)
    path.unlink()
    with pytest.raises(SavedModelError, match="variables"):
        saved_model.load(copy)
