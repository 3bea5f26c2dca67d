"""Graphs as FunctionDefs: control edges, notation, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.contracts import Graph, call_graph, get_op
from modtf.saved_model.graph_reading import FunctionReader
from modtf.saved_model.graph_writing import GraphWriter
from modtf.saved_model.op_defs import encode_op, make_unknown_op, schema_text
from modtf.saved_model.protos.graph_pb2 import FunctionDef, GraphDef, OpList


def write(function: Any, *specs: Any) -> tuple[FunctionDef, GraphDef, Any]:
    concrete = tf.function(function).get_concrete_function(*specs)
    writer = GraphWriter()
    name = writer.name_of(concrete.graph)
    graph_def, _ = writer.write(Graph("main"))
    return next(item for item in graph_def.library.function if item.signature.name == name), graph_def, concrete


def control(proto: FunctionDef) -> dict[str, set[str]]:
    """What each node waits for, by the ops."""
    ops = {node.name: node.op for node in proto.node_def}
    found = {node.name: {ops[item[1:]] for item in node.input if item.startswith("^")} for node in proto.node_def}
    return {name: waits for name, waits in found.items() if waits}


def test_reads_and_writes_keep_their_order() -> None:
    variable, other = tf.Variable(1.0), tf.Variable(1.0)

    def function() -> Any:
        first = variable + 0.0
        variable.assign(first * 2.0)
        second = variable + 0.0
        third = variable.read_value()
        variable.assign_add(1.0)
        other.assign_add(1.0)
        return second + third

    proto, _, _ = write(function)
    waits = control(proto)
    assert waits["AssignVariableOp"] == {"ReadVariableOp"}
    assert "ReadVariableOp" not in waits
    assert waits["ReadVariableOp_1"] == waits["ReadVariableOp_2"] == {"AssignVariableOp"}
    assert waits["AssignAddVariableOp"] == {"ReadVariableOp", "AssignVariableOp"}
    assert "AssignAddVariableOp_1" not in waits  # another variable
    effects = {"AssignVariableOp", "AssignAddVariableOp", "AssignAddVariableOp_1"}
    assert set(proto.control_ret) == set(proto.signature.control_output) == effects
    assert waits["Identity"] == {"NoOp"}
    assert proto.signature.is_stateful


def test_calls_have_the_effects_of_what_they_call() -> None:
    variable, other = tf.Variable(1.0), tf.Variable(1.0)

    @tf.function
    def write_first() -> Any:
        variable.assign_add(1.0)
        return other + 0.0

    @tf.function
    def read_first() -> Any:
        return variable + 0.0

    def function() -> Any:
        read_first()
        write_first()
        read_first()
        other.assign(2.0)
        return read_first()

    proto, _, _ = write(function)
    waits = control(proto)
    calls = [node.name for node in proto.node_def if node.op == "StatefulPartitionedCall"]
    assert calls[0] not in waits
    inputs = {node.name: [item[1:] for item in node.input if item.startswith("^")] for node in proto.node_def}
    assert inputs[calls[1]] == [calls[0]]
    assert inputs[calls[2]] == [calls[1]]
    assert inputs["AssignVariableOp"] == [calls[1]]
    assert inputs[calls[3]] == [calls[1]]


def test_pure_functions_have_no_control_edges() -> None:
    proto, _, _ = write(lambda x: (x, x * 2.0), tf.TensorSpec([None], tf.float32))
    assert not control(proto)
    assert not proto.signature.is_stateful
    assert [node.op for node in proto.node_def].count("NoOp") == 0


def test_inputs_and_attributes_are_written_as_tensorflow_does() -> None:
    def function(x: Any) -> Any:
        first, second = tf.raw_ops.Split(0, x, num_split=2)
        return tf.raw_ops.ConcatV2(values=[second, first], axis=0)

    proto, _, _ = write(function, tf.TensorSpec([4], tf.float32))
    concat = next(node for node in proto.node_def if node.op == "ConcatV2")
    assert list(concat.input[:2]) == ["Split:output:1", "Split:output:0"]
    assert concat.attr["N"].i == 2
    assert concat.attr["T"].type == tf.float32.as_datatype_enum
    split = next(node for node in proto.node_def if node.op == "Split")
    assert split.attr["num_split"].i == 2
    assert split.input[1] == proto.signature.input_arg[0].name == "x"


def test_nodes_in_any_order_are_read() -> None:
    variable = tf.Variable(1.0)

    def function(x: Any) -> Any:
        variable.assign_add(x)
        y = variable * 2.0
        variable.assign(0.0)
        return y + variable

    proto, graph_def, concrete = write(function, tf.TensorSpec([], tf.float32))
    shuffled = [proto.node_def[place] for place in np.random.default_rng(0).permutation(len(proto.node_def))]
    shuffled = [type(node).FromString(node.SerializeToString()) for node in shuffled]
    del proto.node_def[:]
    proto.node_def.extend(shuffled)
    graph = FunctionReader(graph_def, OpList(), "file").graph(proto.signature.name)
    (result,) = call_graph(graph, [tf.constant(3.0), *concrete.captured_inputs])
    assert (float(result), float(variable)) == (8.0, 0.0)


def test_functions_may_stand_where_ops_do() -> None:
    """As TensorFlow 1 called them."""
    proto, graph_def, _ = write(lambda x: x * 2.0, tf.TensorSpec([2], tf.float32))
    outer = FunctionDef.FromString(proto.SerializeToString())
    outer.signature.name = "outer"
    del outer.node_def[:]
    outer.node_def.add(name="call", op=proto.signature.name, input=[proto.signature.input_arg[0].name])
    outer.ret[proto.signature.output_arg[0].name] = f"call:{proto.signature.output_arg[0].name}:0"
    graph_def.library.function.append(outer)
    graph = FunctionReader(graph_def, OpList(), "file").graph("outer")
    (result,) = call_graph(graph, [tf.constant([1.0, 2.0])])
    assert result.numpy().tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    "name", ["MatMul", "ConcatV2", "StatefulPartitionedCall", "Const", "Split", "SaveV2", "RestoreV2"]
)
def test_signatures_of_ops_and_back(name: str) -> None:
    op = get_op(name)
    proto = encode_op(op)
    unknown = make_unknown_op(proto, "reason")
    assert encode_op(unknown).input_arg == proto.input_arg
    assert encode_op(unknown).output_arg == proto.output_arg
    assert {attr.name: attr.type for attr in encode_op(unknown).attr} == {attr.name: attr.type for attr in proto.attr}
    assert schema_text(encode_op(unknown)) == schema_text(proto)
