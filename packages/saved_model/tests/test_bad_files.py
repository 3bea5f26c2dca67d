"""What is said of files that are damaged or made to do harm: one error that names the file, soon and without much memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden_values import GOLDENS

from modtf import core as tf
from modtf.saved_model import DataLossError, NotFoundError, SavedModelError, load, save, train
from modtf.saved_model.bundle import BundleReader, BundleWriter
from modtf.saved_model.legacy_checkpoint import LegacyReader
from modtf.saved_model.protos.checkpoint_pb2 import BundleEntryProto
from modtf.saved_model.protos.saved_model_pb2 import MetaGraphDef, SavedModel
from modtf.saved_model.sstable import read_table, write_table

Edit = Callable[[MetaGraphDef], Any]

SECONDS = 5
MEGABYTES = 100
HERE = Path(__file__).parent


class Model(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable([2.0, 3.0])
        self.scale = tf.constant([1.0, 2.0])
        self.parts = [tf.Variable(1.0), tf.Variable(2.0)]

    @tf.function(input_signature=[tf.TensorSpec([2], tf.float32)])
    def __call__(self, x: Any) -> Any:
        return tf.negative(x) * self.weight + self.scale * tf.constant([5.0, 6.0])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    save(Model(), folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def edited(folder: Path, edit: Edit) -> Path:
    path = folder / "saved_model.pb"
    proto = SavedModel.FromString(path.read_bytes())
    edit(proto.meta_graphs[0])
    path.write_bytes(proto.SerializeToString())
    return folder


def refused(read: Callable[[], Any], names: Path, reason: str, kind: type[Exception] = SavedModelError) -> None:
    """Checks that there is one error, which names a file, and how long it takes."""
    tracemalloc.start()
    start = time.process_time()
    try:
        with pytest.raises(kind, match=reason) as caught:
            read()
        memory = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert isinstance(caught.value, SavedModelError)
    assert str(names) in str(caught.value)
    assert len(str(caught.value)) < 5000
    assert time.process_time() - start < SECONDS
    assert memory < MEGABYTES


def call(folder: Path) -> Any:
    return load(folder)(tf.constant([1.0, 1.0]))


def body(proto: MetaGraphDef) -> Any:
    """The function behind `__call__`, whose nodes can be changed."""
    (function,) = [item for item in proto.graph_def.library.function if "inference___call__" in item.signature.name]
    return function


def node_of(proto: MetaGraphDef, op: str) -> Any:
    return next(node for node in body(proto).node_def if node.op == op)


# --- assets --------------------------------------------------------------------------------------------------------


def with_asset(folder: Path, name: str) -> Path:
    def add(proto: MetaGraphDef) -> None:
        proto.asset_file_def.add(filename=name)
        node = proto.object_graph_def.nodes.add()
        node.asset.asset_file_def_index = 0
        proto.object_graph_def.nodes[0].children.add(node_id=len(proto.object_graph_def.nodes) - 1, local_name="asset")

    (folder / "assets").mkdir(exist_ok=True)
    return edited(folder, add)


@pytest.mark.parametrize("name", ["../saved_model.pb", "../../x", "/etc/passwd", "a/../../b", "", ".", "..", "a\0b"])
def test_assets_that_leave_the_folder(folder: Path, name: str) -> None:
    refused(lambda: load(with_asset(folder, name)), folder / "saved_model.pb", "outside|null byte")


@pytest.mark.parametrize("target", ["/etc/passwd", "../saved_model.pb", "..", "../../elsewhere"])
def test_assets_that_are_links_out_of_the_folder(folder: Path, target: str) -> None:
    with_asset(folder, "words.txt")
    (folder / "assets" / "words.txt").symlink_to(target)
    refused(lambda: load(folder), folder / "saved_model.pb", "'words.txt' would lie outside")


def test_a_folder_of_assets_that_is_a_link(folder: Path) -> None:
    with_asset(folder, "passwd")
    (folder / "assets").rmdir()
    (folder / "assets").symlink_to("/etc")
    refused(lambda: load(folder), folder / "saved_model.pb", "'passwd' would lie outside")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_assets_that_are_no_files(folder: Path) -> None:
    with_asset(folder, "words.txt")
    os.mkfifo(folder / "assets" / "words.txt")
    refused(lambda: load(folder), folder / "saved_model.pb", "'words.txt' is no file")


def test_assets_below_a_link_to_the_whole_model_are_fine(folder: Path, tmp_path: Path) -> None:
    with_asset(folder, "words.txt")
    (folder / "assets" / "words.txt").write_text("one")
    (tmp_path / "link").symlink_to(folder)
    assert load(tmp_path / "link").asset.asset_path.numpy() == os.fsencode(tmp_path / "link" / "assets" / "words.txt")


# --- bundles -------------------------------------------------------------------------------------------------------


def test_a_missing_data_file(folder: Path) -> None:
    path = folder / "variables" / "variables.data-00000-of-00001"
    path.unlink()
    refused(lambda: load(folder), path, "is missing", NotFoundError)
    path.symlink_to("/dev/zero")
    refused(lambda: load(folder), path, "is no file", NotFoundError)


def test_values_that_were_altered(folder: Path) -> None:
    path = folder / "variables" / "variables.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    refused(lambda: load(folder), path, "CRC .* the file is altered", DataLossError)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_an_index_without_end(folder: Path) -> None:
    path = folder / "variables" / "variables.index"
    path.unlink()
    os.mkfifo(path)
    refused(lambda: load(folder), path, "is no file", NotFoundError)


def test_tensors_that_share_bytes(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "bundle") as bundle:
        for name in "abc":
            bundle.add(name, np.arange(100, dtype=np.float32))
    path = tmp_path / "bundle.index"
    items = dict(read_table(path.read_bytes(), "the index"))
    first = BundleEntryProto.FromString(items[b"a"])
    first.offset = 300
    items[b"a"] = first.SerializeToString()
    with open(path, "wb") as file:
        write_table(file, sorted(items.items()))
    refused(lambda: BundleReader(tmp_path / "bundle"), path, "two tensors share bytes", DataLossError)


def test_truncated_checkpoints(tmp_path: Path) -> None:
    prefix = train.Checkpoint(x=tf.Variable(1.0), y=tf.Variable(["text"])).save(tmp_path / "ckpt")
    for name in (f"{prefix}.index", f"{prefix}.data-00000-of-00001"):
        data = Path(name).read_bytes()
        for keep in (0, 1, 20, len(data) // 2, len(data) - 1):
            Path(name).write_bytes(data[:keep])
            refused(
                lambda: train.Checkpoint(x=tf.Variable(1.0)).restore(prefix),
                Path(prefix),
                "bytes|has no header|holds no|truncated",
            )
        Path(name).write_bytes(data)


def test_many_slices_of_an_older_checkpoint(tmp_path: Path) -> None:
    from modtf.saved_model.protos.checkpoint_pb2 import SavedTensorSlices

    meta = SavedTensorSlices()
    tensor = meta.meta.tensor.add(name="t", type=1)
    tensor.shape.dim.add(size=1 << 40)
    for _ in range(20_000):
        tensor.slice.add().extent.add(start=1, length=1)
    with open(tmp_path / "old", "wb") as file:
        write_table(file, [(b"", meta.SerializeToString())])
    refused(lambda: LegacyReader(tmp_path / "old"), tmp_path / "old", "more than 4096 slices")


# --- sizes ---------------------------------------------------------------------------------------------------------


def test_variables_of_huge_shapes(folder: Path) -> None:
    def declare(proto: MetaGraphDef) -> None:
        for node in proto.object_graph_def.nodes:
            if node.WhichOneof("kind") == "variable":
                node.variable.shape.ClearField("dim")
                node.variable.shape.dim.add(size=1 << 40)

    refused(lambda: load(edited(folder, declare)), folder, "declared as float32 of shape .1099511627776,")


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0]])
def test_constants_of_huge_shapes(folder: Path, values: list[float]) -> None:
    def declare(proto: MetaGraphDef) -> None:
        tensor = node_of(proto, "Const").attr["value"].tensor
        tensor.ClearField("tensor_content")
        tensor.ClearField("float_val")
        tensor.tensor_shape.dim[0].size = 1 << 40
        tensor.float_val.extend(values)

    refused(
        lambda: call(edited(folder, declare)), folder / "saved_model.pb", r"node 'Const\w*'.*at most \d+ are accepted"
    )


def test_many_constants_that_grow(folder: Path) -> None:
    def add(proto: MetaGraphDef) -> None:
        for number in range(50):
            node = body(proto).node_def.add(name=f"grown_{number}", op="Const")
            node.attr["dtype"].type = 1
            tensor = node.attr["value"].tensor
            tensor.dtype = 1
            tensor.tensor_shape.dim.add(size=1 << 21)
            tensor.float_val.extend([1.0, 2.0])

    with pytest.raises(DataLossError, match="a few values each, fill more than"):
        call(edited(folder, add))


def test_a_constant_of_one_value_takes_no_memory(folder: Path) -> None:
    def grow(proto: MetaGraphDef) -> None:
        for node in proto.graph_def.node:
            if node.op == "Const" and node.attr["value"].tensor.tensor_shape.dim:
                tensor = node.attr["value"].tensor
                tensor.ClearField("tensor_content")
                del tensor.float_val[:]
                tensor.tensor_shape.dim[0].size = 1 << 28

    edited(folder, grow)
    tracemalloc.start()
    assert load(folder) is not None
    memory = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert memory < MEGABYTES


def test_lists_with_large_gaps(folder: Path) -> None:
    def spread(proto: MetaGraphDef) -> None:
        for node in proto.object_graph_def.nodes:
            if node.user_object.identifier == "trackable_list_wrapper":
                node.children[-1].local_name = "999999999"

    refused(lambda: load(edited(folder, spread)), folder / "saved_model.pb", "places empty")


def test_shapes_of_many_dimensions(folder: Path) -> None:
    def extend(proto: MetaGraphDef) -> None:
        for node in proto.object_graph_def.nodes:
            if node.WhichOneof("kind") == "variable":
                for _ in range(1000):
                    node.variable.shape.dim.add(size=1)

    refused(lambda: load(edited(folder, extend)), folder / "saved_model.pb", "100[01] dimensions")


# --- graphs --------------------------------------------------------------------------------------------------------


def call_instead(proto: MetaGraphDef, function: str) -> None:
    """Lets a function be called where the body has Neg."""
    node = node_of(proto, "Neg")
    inputs, name = list(node.input), node.name
    node.Clear()
    node.name, node.op = name, "PartitionedCall"
    node.input.extend(inputs)
    _set_call(node, function)
    for other in body(proto).node_def:
        other.input[:] = [item.replace(f"{name}:y:", f"{name}:output:") for item in other.input]


def _set_call(node: Any, function: str) -> None:
    node.attr["Tin"].list.type.append(1)
    node.attr["Tout"].list.type.append(1)
    node.attr["f"].func.name = function


def add_function(proto: MetaGraphDef, name: str, calls: list[str]) -> None:
    """Adds a function that calls others, one after the other."""
    function = proto.graph_def.library.function.add()
    function.signature.name = name
    function.signature.input_arg.add(name="x", type=1)
    function.signature.output_arg.add(name="y", type=1)
    last = "x"
    for number, called in enumerate(calls):
        _set_call(function.node_def.add(name=f"call{number}", op="PartitionedCall", input=[last]), called)
        last = f"call{number}:output:0"
    function.ret["y"] = last


def test_functions_that_call_each_other_in_a_circle(folder: Path) -> None:
    def make(proto: MetaGraphDef) -> None:
        call_instead(proto, "first")
        add_function(proto, "first", ["second"])
        add_function(proto, "second", ["first"])

    refused(
        lambda: call(edited(folder, make)), folder / "saved_model.pb", "in a circle, or too deep: .*first calls second"
    )


@pytest.mark.parametrize("length", [101, 1000])
def test_functions_that_call_each_other_too_deep(folder: Path, length: int) -> None:
    def make(proto: MetaGraphDef) -> None:
        call_instead(proto, "f0")
        for number in range(length):
            add_function(proto, f"f{number}", [f"f{number + 1}"] if number + 1 < length else [])

    refused(lambda: call(edited(folder, make)), folder / "saved_model.pb", "too deep")


def test_functions_that_call_each_other_twice_at_each_level(folder: Path) -> None:
    def make(proto: MetaGraphDef) -> None:
        call_instead(proto, "f0")
        for number in range(16):
            add_function(proto, f"f{number}", [f"f{number + 1}"] * 2 if number < 15 else [])

    start = time.process_time()
    np.testing.assert_array_equal(call(edited(folder, make)).numpy(), [7.0, 15.0])
    assert time.process_time() - start < SECONDS


def test_nodes_that_name_missing_inputs(folder: Path) -> None:
    def cut(proto: MetaGraphDef) -> None:
        node_of(proto, "Neg").input[0] = "nowhere:y:0"

    refused(lambda: call(edited(folder, cut)), folder / "saved_model.pb", "'nowhere', which is not there")


def test_objects_that_need_each_other(folder: Path) -> None:
    def tie(proto: MetaGraphDef) -> None:
        for node in proto.object_graph_def.nodes:
            if node.user_object.identifier == "trackable_list_wrapper":
                node.user_object.identifier = "trackable_tuple_wrapper"
                number = list(proto.object_graph_def.nodes).index(node)
                node.children[0].node_id = number

    refused(lambda: load(edited(folder, tie)), folder / "saved_model.pb", "need each other in a circle")


@pytest.mark.parametrize("number", [-1, 10_000, -(1 << 31)])
def test_objects_that_are_not_there(folder: Path, number: int) -> None:
    def point(proto: MetaGraphDef) -> None:
        proto.object_graph_def.nodes[0].children[0].node_id = number

    refused(lambda: load(edited(folder, point)), folder / "saved_model.pb", f"is object {number}, but there are")


def test_what_runs_while_a_model_is_loaded_writes_no_files(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDENS / "version1_references", tmp_path / "model"))

    def write_file(proto: MetaGraphDef) -> None:
        for name, text in (("name", str(tmp_path / "outside")), ("text", "x")):
            node = proto.graph_def.node.add(name=name, op="Const")
            node.attr["dtype"].type = 7
            node.attr["value"].tensor.dtype = 7
            node.attr["value"].tensor.tensor_shape.SetInParent()
            node.attr["value"].tensor.string_val.append(text.encode())
        proto.graph_def.node.add(name="write", op="WriteFile", input=["name", "text"])
        proto.signature_def["__saved_model_init_op"].outputs["__saved_model_init_op"].name = "write"

    refused(
        lambda: load(edited(folder, write_file), ["serve"]),
        folder / "saved_model.pb",
        "loading the model would run 'write', a WriteFile, which writes files",
    )
    assert not (tmp_path / "outside").exists()


def test_objects_of_which_nothing_is_said(folder: Path) -> None:
    def add(proto: MetaGraphDef) -> None:
        for _ in range(100_000):
            proto.object_graph_def.nodes.add()

    refused(lambda: load(edited(folder, add)), folder / "saved_model.pb", r"object \d+: is empty")


# --- messages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [1, 2, 50, 500, -1])
def test_truncated_models(folder: Path, keep: int) -> None:
    path = folder / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:keep])
    refused(lambda: load(folder), path, "truncated or altered|contradicts itself|holds no model|is missing|which")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0\xff\xfe rubbish",
        b"meta_graphs {",
        b"meta_graphs: 3",
        b"nobody { knows: 'this' }",
        b"meta_graphs { object_graph_def { concrete_functions { value { output_signature {"
        + b"list_value { values { " * 100_000,
        b"saved_model_schema_version: " + b"9" * 100_000,
    ],
    ids=["nothing", "bytes", "unfinished", "another kind", "unknown", "deep", "long number"],
)
def test_rubbish_as_text(folder: Path, text: bytes) -> None:
    (folder / "saved_model.pb").unlink()
    (folder / "saved_model.pbtxt").write_bytes(text)
    refused(lambda: load(folder), folder, "is no SavedModel|holds no model|too deep")


def test_deep_messages(folder: Path) -> None:
    data = b""
    for _ in range(20_000):  # SavedModel.meta_graphs, each in another
        length, number = bytearray(), len(data)
        while number > 127:
            length.append(number & 127 | 128)
            number >>= 7
        data = b"\x12" + bytes([*length, number]) + data
    (folder / "saved_model.pb").write_bytes(data)
    refused(lambda: load(folder), folder / "saved_model.pb", "is no SavedModel, or is truncated or altered")


# --- by chance -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix" or sys.platform == "darwin", reason="limits the memory of forked processes")
def test_random_damage() -> None:
    command = [sys.executable, str(HERE / "fuzz.py"), "--mutants", "200", "--seed", "20", "--jobs", "2"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-3000:]
    assert "200 mutants of seed 20, 0 findings" in done.stdout
