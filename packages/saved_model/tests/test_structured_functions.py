"""Saved functions with conditionals, loops, composite tensors and gradients of their own; graphs as messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.saved_model import DataLossError, SaveOptions, UnsupportedError, load, save, to_graph_def
from modtf.saved_model.model_folder import read_model_file
from modtf.saved_model.protos.saved_model_pb2 import MetaGraphDef
from modtf.saved_model.protos.structure_pb2 import StructuredValue
from modtf.saved_model.structures import OpaqueSpec, decode_structure, encode_structure


class Flow(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32), tf.TensorSpec([], tf.int32)])
    def loop(self, x: Any, steps: Any) -> Any:
        for step in tf.range(steps):
            if step % 2 == 0:
                x = x * self.weight
            else:
                x = x + 1.0
        return x

    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def choose(self, index: Any) -> Any:
        return tf.switch_case(index, [lambda: self.weight * 1.0, lambda: self.weight * 10.0, lambda: tf.constant(0.0)])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def sums(self, x: Any) -> Any:
        found = tf.TensorArray(tf.float32, size=tf.shape(x)[0])
        total = tf.constant(0.0)
        for place in tf.range(tf.shape(x)[0]):
            total += x[place]
            found = found.write(place, total)
        return found.stack()


def meta_graph_of(folder: Path) -> MetaGraphDef:
    proto, _ = read_model_file(folder)
    return proto.meta_graphs[0]


def functions_of(folder: Path) -> dict[str, Any]:
    return {item.signature.name: item for item in meta_graph_of(folder).graph_def.library.function}


@pytest.mark.parametrize("times", [1, 2])
def test_conditionals_and_loops(times: int, tmp_path: Path) -> None:
    module: Any = Flow()
    for time in range(times):
        save(module, tmp_path / str(time), signatures={})
        module = load(tmp_path / str(time))
    with tf.GradientTape() as tape:
        y = module.loop(tf.constant(3.0), tf.constant(3))
    assert y.numpy() == 14.0  # (3 * 2 + 1) * 2
    assert tape.gradient(y, module.weight).numpy() == 13.0
    assert [module.choose(tf.constant(index)).numpy() for index in (0, 1, 2, 9)] == [2.0, 20.0, 0.0, 0.0]
    assert module.sums(tf.constant([1.0, 2.0, 3.0])).numpy().tolist() == [1.0, 3.0, 6.0]


def test_loops_are_written_with_the_counters_that_tensorflow_needs(tmp_path: Path) -> None:
    save(Flow(), tmp_path / "first", signatures={})
    save(load(tmp_path / "first"), tmp_path / "second", signatures={})
    for folder in (tmp_path / "first", tmp_path / "second"):
        functions = functions_of(folder)
        loops = [node for item in functions.values() for node in item.node_def if node.op.endswith("While")]
        assert len(loops) == 2
        for node in loops:
            body, condition = (functions[node.attr[name].func.name] for name in ("body", "cond"))
            names = [arg.name for arg in body.signature.input_arg]
            assert names[:2] == ["loop_counter", "maximum_iterations"]
            assert not any(name.startswith("loop_counter") for name in names[2:])  # they are added once
            assert len(names) == len(condition.signature.input_arg) == len(node.input) == len(body.ret)


def test_branches_of_a_case_are_written_as_a_list(tmp_path: Path) -> None:
    save(Flow(), tmp_path, signatures={})
    functions = functions_of(tmp_path)
    (case,) = [node for item in functions.values() for node in item.node_def if node.op.endswith("Case")]
    assert len(case.attr["branches"].list.func) == 3
    assert all(function.name in functions for function in case.attr["branches"].list.func)


def test_functions_in_branches_that_call_themselves_are_refused(tmp_path: Path) -> None:
    save(Flow(), tmp_path, signatures={})
    proto, path = read_model_file(tmp_path)
    for item in proto.meta_graphs[0].graph_def.library.function:
        for node in item.node_def:
            for function in node.attr["branches"].list.func if node.op.endswith("Case") else ():
                function.name = item.signature.name
    Path(path).write_bytes(proto.SerializeToString())
    with pytest.raises(DataLossError, match=r"saved_model\.pb.*in a circle"):
        load(tmp_path).choose(tf.constant(0))


class Composites(tf.Module):
    @tf.function
    def double(self, x: Any) -> Any:
        return x * 2.0

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 2], tf.float32)])
    def sparse(self, x: Any) -> Any:
        return {"same": x, "dense": tf.sparse.to_dense(x)}


def test_composite_tensors(tmp_path: Path) -> None:
    module = Composites()
    module.double.get_concrete_function(tf.RaggedTensorSpec([None, None], tf.float32))
    module.double.get_concrete_function(tf.TensorSpec([], tf.float32))
    save(module, tmp_path)
    loaded = load(tmp_path)
    assert loaded.double(tf.ragged.constant([[1.0, 2.0], [3.0]])).to_list() == [[2.0, 4.0], [6.0]]
    assert loaded.double(tf.constant(1.0)).numpy() == 2.0
    result = loaded.sparse(tf.sparse.from_dense([[0.0, 3.0]]))
    assert result["dense"].numpy().tolist() == [[0.0, 3.0]]
    assert result["same"].indices.numpy().tolist() == [[0, 1]]
    served = loaded.signatures["serving_default"](
        x=tf.constant([[0, 0]], tf.int64), x_1=tf.constant([5.0]), x_2=tf.constant([1, 2], tf.int64)
    )
    assert served["dense"].numpy().tolist() == [[5.0, 0.0]]
    with pytest.raises(ValueError, match=r"RaggedTensorSpec\(TensorShape\(\[None, None\]\)"):
        loaded.double(tf.ragged.constant([[[1.0]]]))


SPECS = [
    tf.SparseTensorSpec([None, 3], tf.string),
    tf.SparseTensorSpec(None, tf.int64),
    tf.RaggedTensorSpec([2, None, 3], tf.float32, 1, tf.int32),
    tf.RaggedTensorSpec([None, None], flat_values_spec=tf.TensorSpec([None], tf.int32)),
    tf.IndexedSlicesSpec([None, 2], tf.float32, tf.int32),
    tf.IndexedSlicesSpec([5, 2], tf.float32, tf.int64, tf.int64, [None]),
    tf.TensorArraySpec([3], tf.float32, True, False),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_specs_of_composites_and_back(spec: Any) -> None:
    proto = encode_structure([spec], "value")
    assert decode_structure(StructuredValue.FromString(proto.SerializeToString()), "value") == [spec]
    count = len(tf.nest.flatten(spec, expand_composites=True))
    assert proto.list_value.values[0].type_spec_value.num_flat_components == count


@pytest.mark.parametrize(
    "state", [None, (), (tf.TensorShape([1]), 7.5), (tf.TensorShape([1]), "nothing", 1, 2, 3, 4, 5, 6)]
)
def test_specs_that_say_nothing_are_refused(state: Any) -> None:
    proto = encode_structure(SPECS[2], "value")
    proto.type_spec_value.type_state.CopyFrom(encode_structure(state, "value"))
    with pytest.raises(DataLossError, match="file: part: .* describes no RaggedTensorSpec"):
        decode_structure(proto, "file: part")


def test_other_kinds_of_specs_are_kept() -> None:
    proto = StructuredValue()
    proto.type_spec_value.type_spec_class = 5
    proto.type_spec_value.type_spec_class_name = "DatasetSpec"
    spec = decode_structure(proto, "value")
    assert isinstance(spec, OpaqueSpec)
    assert encode_structure(spec, "value") == proto


@tf.custom_gradient
def tripled(x: Any) -> Any:
    y = x * 3.0
    return y, lambda flowing: flowing * y


class OwnGradient(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
    def __call__(self, x: Any) -> Any:
        return tripled(x + 1.0)


@pytest.mark.parametrize(("written", "expected"), [(True, 9.0), (False, 3.0)])
def test_custom_gradients(written: bool, expected: float, tmp_path: Path) -> None:
    save(OwnGradient(), tmp_path / "first", options=SaveOptions(experimental_custom_gradients=written))
    save(load(tmp_path / "first"), tmp_path / "second")
    for name in ("first", "second"):
        loaded, x = load(tmp_path / name), tf.constant(2.0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = loaded(x)
        assert (y.numpy(), tape.gradient(y, x).numpy()) == (9.0, expected)


def test_gradient_functions_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save(OwnGradient(), tmp_path)
    proto, path = read_model_file(tmp_path)
    model = proto.meta_graphs[0]
    (gradient,) = model.graph_def.library.registered_gradients
    saved = model.object_graph_def.concrete_functions[gradient.gradient_func]
    bound = list(saved.bound_inputs)
    del saved.bound_inputs[:]
    Path(path).write_bytes(proto.SerializeToString())
    with pytest.raises(DataLossError, match=r"saved_model\.pb: .*gradient function .* does not fit"):
        load(tmp_path)(tf.constant(1.0))
    saved.bound_inputs.extend(bound)
    model.object_graph_def.nodes[bound[0]].captured_tensor.name = "nowhere:0"
    Path(path).write_bytes(proto.SerializeToString())
    loaded, x = load(tmp_path), tf.constant(1.0)
    assert loaded(x) is not None  # without the gradient it runs
    with tf.GradientTape() as tape, pytest.raises(UnsupportedError, match=r"custom gradient .* does not have"):
        tape.watch(x)
        loaded(x)


def test_graphs_as_messages() -> None:
    module = Flow()
    graph = module.loop.get_concrete_function().graph
    proto = graph.as_graph_def(add_shapes=True)
    assert proto == to_graph_def(graph, add_shapes=True)
    by_name = {node.name: node for node in proto.node}
    assert by_name["x"].op == "Placeholder"
    (loop,) = [node for node in proto.node if node.op == "While"]
    assert {loop.attr["body"].func.name, loop.attr["cond"].func.name} <= {
        item.signature.name for item in proto.library.function
    }
    for node in proto.node:
        assert all(name.lstrip("^").partition(":")[0] in by_name for name in node.input)
        assert "_output_shapes" in node.attr
    assert all("_output_shapes" not in node.attr for node in graph.as_graph_def().node if node.op == "Const")


def test_effects_are_ordered_in_messages() -> None:
    variable = tf.Variable(1.0)

    @tf.function(input_signature=[])
    def function() -> Any:
        variable.assign(3.0)
        return variable + 0.0

    nodes = {node.op: node for node in function.get_concrete_function().graph.as_graph_def().node}
    assert f"^{nodes['AssignVariableOp'].name}" in nodes["ReadVariableOp"].input


def test_a_named_tuple_of_tensorflow_is_loaded(tmp_path: Path) -> None:
    """It gives each item two names: its place and its field."""

    class Holder(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.items = (tf.Variable(1.0), tf.Variable(2.0))

    save(Holder(), tmp_path)
    proto, path = read_model_file(tmp_path)
    nodes = proto.meta_graphs[0].object_graph_def.nodes
    (items,) = [node for node in nodes if node.user_object.identifier == "trackable_tuple_wrapper"]
    items.children.add(node_id=items.children[0].node_id, local_name="field")
    Path(path).write_bytes(proto.SerializeToString())
    assert np.asarray([item.numpy() for item in load(tmp_path).items]).tolist() == [1.0, 2.0]
