"""Loading: models that TensorFlow and Keras wrote, and what is said of damaged ones."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_values import GOLDENS

from modtf import core as tf
from modtf import saved_model
from modtf.saved_model import DataLossError, NotFoundError, SavedModelError
from modtf.saved_model.protos.saved_model_pb2 import MetaGraphDef, SavedModel

ANSWERS = np.load(GOLDENS / "answers.npz")
X = ANSWERS["everything/x"]


def assert_answer(actual: Any, name: str) -> None:
    np.testing.assert_allclose(actual.numpy(), ANSWERS[name], rtol=1e-6, atol=1e-6 * np.abs(ANSWERS[name]).max())


@pytest.fixture
def everything() -> Any:
    return saved_model.load(GOLDENS / "everything")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDENS / "everything", tmp_path / "copy"))


def change(folder: Path, edit: Callable[[MetaGraphDef], Any]) -> Path:
    """Edits the model of a folder in place."""
    proto = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    edit(proto.meta_graphs[0])
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())
    return folder


def traces(proto: MetaGraphDef, name: str) -> list[Any]:
    functions = proto.graph_def.library.function
    return [function for function in functions if function.signature.name.startswith(f"__inference_{name}_")]


def test_objects_are_as_they_were_saved(everything: Any) -> None:
    assert everything.weight.name == "train_me:0"
    assert (everything.weight.trainable, everything.bias.trainable) == (True, False)
    assert everything.list[1] is None  # TensorFlow saves only what it tracks
    assert everything.tuple[0] is everything.list[0]
    assert everything.tuple[1] is everything.bias
    assert everything.dict["scale"].factor.numpy().tolist() == [7.0] * 3
    assert everything.open_shape.shape == tf.TensorShape([None])
    assert len(everything.variables) == 6
    assert len(everything.trainable_variables) == 5
    assert len(everything.submodules) == 3


def test_functions_compute_what_tensorflow_computed(everything: Any) -> None:
    assert_answer(everything(tf.constant(X)), "everything/call")
    assert_answer(everything(X), "everything/call")
    assert_answer(everything(x=X.tolist()), "everything/call")
    assert_answer(everything.look_up(tf.constant([1, 299]))[0], "everything/rows")


def test_a_trace_is_chosen_by_structure_values_and_defaults(everything: Any) -> None:
    inputs = {"x": tf.constant(X), "pair": (tf.constant(2.0), tf.constant(X))}
    result = everything.options(inputs)
    assert_answer(result[0], "everything/plain")
    assert result[1] is None
    assert_answer(everything.options(inputs, training=True)[0], "everything/training")
    result = everything.options(inputs, True, mode="list")
    assert isinstance(result, list)
    assert_answer(result[0], "everything/list")
    assert_answer(everything.options(inputs, scale=tf.constant(5.0))[0], "everything/scaled")


def test_no_trace_for_the_arguments_is_said_with_those_there_are(everything: Any) -> None:
    with pytest.raises(
        ValueError, match=r"options\(\) was not saved for such arguments:\s+.*5.*\n.*can be called"
    ) as caught:
        everything.options(5)
    assert str(caught.value).count("mode=") == 5
    assert "float32(4, 3)" in str(caught.value)
    with pytest.raises(TypeError, match=r"missing a required argument: 'rows'.*look_up\(rows\)"):
        everything.look_up()
    with pytest.raises(ValueError, match=r"__call__\(\) was not saved for such"):
        everything(np.zeros((4, 5), np.float32))
    with pytest.raises(ValueError, match=r"int32"):
        everything(tf.constant([[1, 2, 3]]))


def test_signatures_take_names_and_give_names(everything: Any) -> None:
    assert set(everything.signatures) == {"serving_default", "count"}
    assert_answer(everything.signatures["serving_default"](x=tf.constant(X))["output_0"], "everything/call")
    result = everything.signatures["count"](amount=tf.constant(3.0))
    assert {name: float(value) for name, value in result.items()} == {"before": 2.0, "after": 10.0}
    assert float(everything.bias) == 10.0
    with pytest.raises(KeyError, match="'nothing'.*'serving_default'"):
        everything.signatures["nothing"]


def test_state_changes_in_the_saved_order(everything: Any) -> None:
    everything.bias.assign(1.0)
    result = everything.count(tf.constant(3.0))
    assert (float(result["before"]), float(result["after"]), float(everything.bias)) == (1.0, 8.0, 8.0)


def test_gradients_flow_through_loaded_functions(everything: Any) -> None:
    with tf.GradientTape() as tape:
        result = everything(tf.constant(X))
    factor, weight = tape.gradient(result, [everything.list[0].factor, everything.weight])
    np.testing.assert_allclose(factor.numpy(), (X * 3 * 7 * 5).sum(0), rtol=1e-5)
    np.testing.assert_allclose(float(weight), (X * 2 * 3 * 7).sum(), rtol=1e-5)


def test_loaded_functions_run_inside_other_functions(everything: Any) -> None:
    @tf.function
    def doubled(x: Any) -> Any:
        with tf.GradientTape() as tape:
            result = everything(x) * 2.0
        return result, tape.gradient(result, everything.weight)

    result, gradient = doubled(tf.constant(X))
    np.testing.assert_allclose(result.numpy(), ANSWERS["everything/call"] * 2, rtol=1e-6)
    np.testing.assert_allclose(float(gradient), 2 * (X * 2 * 3 * 7).sum(), rtol=1e-5)


def test_what_keras_exported(tmp_path: Path) -> None:
    loaded = saved_model.load(GOLDENS / "keras_cnn")
    images = tf.constant(ANSWERS["keras_cnn/images"])
    assert_answer(loaded.serve(images), "keras_cnn/call")
    assert isinstance(loaded.variables, list)  # as the file has it, not what the tree below adds up to
    assert len(loaded.trainable_variables) == 7
    saved_model.save(loaded, tmp_path / "again", signatures=dict(loaded.signatures))
    again = saved_model.load(tmp_path / "again")
    (output,) = again.signatures["serving_default"](images).values()
    assert_answer(output, "keras_cnn/call")
    assert len(again.trainable_variables) == 7


def test_what_tensorflow_saved_is_saved_again(everything: Any, tmp_path: Path) -> None:
    saved_model.save(everything, tmp_path / "again", signatures=dict(everything.signatures))
    again = saved_model.load(tmp_path / "again")
    assert_answer(again(X), "everything/call")
    assert again.tuple[0] is again.list[0]
    assert float(again.signatures["count"](amount=tf.constant(3.0))["after"]) == 10.0
    inputs = {"x": X, "pair": (np.float32(2), X)}
    assert_answer(again.options(inputs, True, mode="list")[0], "everything/list")


def test_tags_choose_the_model(copy: Path) -> None:
    assert saved_model.load(copy, tags=["serve"]).bias is not None
    assert saved_model.load(copy, tags="serve").bias is not None
    with pytest.raises(NotFoundError, match=r"tags \['gpu', 'serve'\].*there are models with: \['serve'\]"):
        saved_model.load(copy, tags=["serve", "gpu"])
    proto = SavedModel.FromString((copy / "saved_model.pb").read_bytes())
    proto.meta_graphs.add().meta_info_def.tags.append("train")
    (copy / "saved_model.pb").write_bytes(proto.SerializeToString())
    with pytest.raises(NotFoundError, match=r"\['serve'\], \['train'\]"):
        saved_model.load(copy)
    assert saved_model.load(copy, tags=["serve"]).bias is not None


def test_text_files_are_read(copy: Path) -> None:
    from google.protobuf import text_format

    proto = SavedModel.FromString((copy / "saved_model.pb").read_bytes())
    (copy / "saved_model.pb").unlink()
    (copy / "saved_model.pbtxt").write_text(text_format.MessageToString(proto))
    assert saved_model.contains_saved_model(copy)
    assert_answer(saved_model.load(copy)(X), "everything/call")


def test_missing_files(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no saved_model\.pb in '.*nowhere', which is no folder"):
        saved_model.load(tmp_path / "nowhere")
    (copy / "variables" / "variables.data-00000-of-00001").unlink()
    with pytest.raises(NotFoundError, match=r"variables\.data-00000-of-00001"):
        saved_model.load(copy)
    (copy / "saved_model.pb").unlink()
    with pytest.raises(NotFoundError, match=r"but only: .*fingerprint\.pb, variables"):
        saved_model.load(copy)
    assert not saved_model.contains_saved_model(copy)


def test_altered_variables(copy: Path) -> None:
    path = copy / "variables" / "variables.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataLossError, match=r"variables\.data.*CRC"):
        saved_model.load(copy)
    path.write_bytes(data[:20])
    with pytest.raises(DataLossError, match="truncated"):
        saved_model.load(copy)


@pytest.mark.parametrize("keep", [0, 1, 100, 5000, -1])
def test_truncated_model_file(copy: Path, keep: int) -> None:
    data = (copy / "saved_model.pb").read_bytes()
    (copy / "saved_model.pb").write_bytes(data[:keep])
    with pytest.raises(SavedModelError, match=r"saved_model\.pb"):
        saved_model.load(copy)


def test_a_declared_shape_or_dtype_that_the_value_does_not_have(copy: Path) -> None:
    def declare_wrong(proto: MetaGraphDef) -> None:
        for node in proto.object_graph_def.nodes:
            if node.variable.name == "train_me":
                node.variable.shape.dim.add(size=7)

    with pytest.raises(
        DataLossError, match=r"'train_me:0'.*float32 of shape \(\).*declared as float32 of shape \(7,\)"
    ):
        saved_model.load(change(copy, declare_wrong))


def contradict(edit: Callable[[MetaGraphDef], Any], reason: str) -> Any:
    return pytest.param(edit, reason, id=reason)


def _child_out_of_range(proto: MetaGraphDef) -> None:
    proto.object_graph_def.nodes[0].children[0].node_id = 999


def _bound_out_of_range(proto: MetaGraphDef) -> None:
    for function in proto.object_graph_def.concrete_functions.values():
        function.bound_inputs.append(-1)


def _dangling_input(proto: MetaGraphDef) -> None:
    for function in traces(proto, "count"):
        function.node_def[0].input.append("nobody:output:0")


def _own_output(proto: MetaGraphDef) -> None:
    for function in traces(proto, "count"):
        function.node_def[0].input.append(f"^{function.node_def[0].name}")


def _calls_itself(proto: MetaGraphDef) -> None:
    for function in traces(proto, "apply"):
        for node in function.node_def:
            if node.op == "Mul":
                node.op = function.signature.name


def _wrong_attribute(proto: MetaGraphDef) -> None:
    for function in traces(proto, "count"):
        for node in function.node_def:
            if node.op == "ReadVariableOp":
                node.attr["dtype"].s = b"float"


def _no_such_output(proto: MetaGraphDef) -> None:
    for function in traces(proto, "count"):
        function.ret[function.signature.output_arg[0].name] = "AssignAddVariableOp:output:0"


def _missing_function(proto: MetaGraphDef) -> None:
    for function in traces(proto, "count"):
        proto.graph_def.library.function.remove(function)


def _twice(proto: MetaGraphDef) -> None:
    proto.graph_def.library.function.append(proto.graph_def.library.function[0])


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        contradict(_child_out_of_range, r"is object 999"),
        contradict(_bound_out_of_range, r"is object -1"),
        contradict(_dangling_input, r"takes the output of 'nobody'"),
        contradict(_own_output, r"depends on its own output"),
        contradict(_calls_itself, r"call each other in a circle"),
        contradict(_wrong_attribute, r"attribute 'dtype' must be of kind type"),
        contradict(_no_such_output, r"is no output of that node|is no tensor"),
        contradict(_missing_function, r"function '__inference_count_\d+'.*is not there"),
        contradict(_twice, r"two functions have the same name"),
    ],
)
def test_files_that_contradict_themselves(copy: Path, edit: Callable[[MetaGraphDef], Any], reason: str) -> None:
    change(copy, edit)
    with pytest.raises(DataLossError, match=reason) as caught:
        loaded = saved_model.load(copy)
        loaded.count(tf.constant(3.0))
        loaded(X)
    assert str(copy / "saved_model.pb") in str(caught.value)


def test_names_in_a_file_reach_nothing_but_the_instance(copy: Path) -> None:
    def rename(proto: MetaGraphDef) -> None:
        root = proto.object_graph_def.nodes[0]
        root.user_object.identifier = "os.system"
        for child, name in zip(root.children, ["__class__", "__dict__", "__init__", "__getattribute__"], strict=False):
            child.local_name = name

    options = saved_model.LoadOptions(experimental_skip_checkpoint=True)  # whose names are others
    loaded = saved_model.load(change(copy, rename), options=options)
    assert "__class__" in vars(loaded)
    assert type(loaded).__module__ == "modtf.saved_model.restored"


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "a/../../b"])
def test_assets_lie_in_the_models_folder(copy: Path, name: str) -> None:
    def point_outside(proto: MetaGraphDef) -> None:
        proto.asset_file_def.add(filename=name)
        proto.object_graph_def.nodes[1].asset.asset_file_def_index = 0

    with pytest.raises(DataLossError, match="would lie outside"):
        saved_model.load(change(copy, point_outside))


def fails(call: Callable[..., Any], reason: str, *args: Any, **kwargs: Any) -> bool:
    try:
        call(*args, **kwargs)
    except tf.errors.UnimplementedError as error:
        assert reason in str(error)
        return True
    return False


@pytest.mark.parametrize("described", [True, False], ids=["described", "not described"])
def test_an_unknown_op_fails_only_where_it_is_executed(copy: Path, tmp_path: Path, described: bool) -> None:
    def make_op_unknown(proto: MetaGraphDef) -> None:
        for node in traces(proto, "options")[0].node_def:
            if node.op == "Sub":
                node.op = "NobodysSub"
        if described:  # as TensorFlow does where a signature leads to the op
            (mul,) = (item for item in proto.meta_info_def.stripped_op_list.op if item.name == "Mul")
            proto.meta_info_def.stripped_op_list.op.append(mul)
            proto.meta_info_def.stripped_op_list.op[-1].name = "NobodysSub"

    change(copy, make_op_unknown)
    inputs = {"x": X, "pair": (np.float32(2), X)}
    for folder in (copy, tmp_path / "again"):
        with pytest.warns(UserWarning, match=r"does not have: NobodysSub\..*modtf\.core\.contracts\.op"):
            loaded = saved_model.load(folder)
        assert_answer(loaded(X), "everything/call")
        kinds: list[dict[str, Any]] = [
            {},
            {"training": True},
            {"training": True, "mode": "list"},
            {"scale": np.float32(5)},
        ]
        reason = "'NobodysSub' is not in modtf's vocabulary"
        assert sum(fails(loaded.options, reason, inputs, **kind) for kind in kinds) == 1
        if not described:
            with pytest.raises(SavedModelError, match=r"'__inference_options_\d+' cannot be saved again"):
                saved_model.save(loaded, tmp_path / "again")
            break
        saved_model.save(loaded, tmp_path / "again")  # which keeps the op for those who have it


def test_an_op_that_is_used_in_an_unknown_way_fails_only_where_it_is_executed(copy: Path) -> None:
    def add_attribute(proto: MetaGraphDef) -> None:
        for function in traces(proto, "look_up"):
            for node in function.node_def:
                if node.op == "GatherV2":
                    node.attr["newer"].i = 3

    loaded = saved_model.load(change(copy, add_attribute))
    assert_answer(loaded(X), "everything/call")
    assert fails(loaded.look_up, "has the attribute 'newer', which is not known", tf.constant([1, 299]))


def test_loading_warns_of_nothing_that_is_known() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        saved_model.load(GOLDENS / "everything")
        saved_model.load(GOLDENS / "keras_cnn")


def test_without_the_checkpoint(copy: Path) -> None:
    shutil.rmtree(copy / "variables")
    loaded = saved_model.load(copy, options=saved_model.LoadOptions(experimental_skip_checkpoint=True))
    with pytest.raises(tf.errors.FailedPreconditionError, match="before it was initialised"):
        loaded(X)
