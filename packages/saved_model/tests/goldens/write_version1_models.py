"""Writes the version-1 SavedModels in this folder with TensorFlow: `python write_version1_models.py`, where it is installed.

`version1_answers.npz` has what each is to compute, by the name of the model and of the result.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

FOLDER = Path(__file__).resolve().parent
v1 = tf.compat.v1
X = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)


def variable(name: str, value: Any, **options: Any) -> Any:
    return v1.get_variable(name, initializer=tf.constant(value), **options)


def references() -> Any:
    """Reference variables that are assigned, one of them in parts; conditionals in a loop; old ops for a table."""
    graph = v1.get_default_graph()
    x = v1.placeholder(tf.float32, [None, 3], "x")
    with v1.variable_scope("parts", partitioner=v1.fixed_size_partitioner(2)):
        kernel = v1.get_variable("kernel", [3, 2], initializer=v1.ones_initializer())
    state = variable("state", np.zeros(2, np.float32), trainable=False)
    y = tf.matmul(x, tf.convert_to_tensor(kernel)) + state
    with tf.control_dependencies([v1.assign_add(state, [1.0, 2.0])]):
        counted = tf.identity(state)

    n = v1.placeholder(tf.int32, [], "n")
    last, steps = tf.while_loop(
        lambda n, steps: n > 1,
        lambda n, steps: (tf.cond(tf.equal(n % 2, 0), lambda: n // 2, lambda: 3 * n + 1), steps + 1),
        (n, tf.constant(0)),
    )

    attrs = {"key_dtype": AttrValue(type=7), "value_dtype": AttrValue(type=9)}
    table = graph.create_op("HashTable", [], [tf.string._as_ref], attrs=attrs, name="table").outputs[0]
    items = [tf.constant([b"a", b"b"]), tf.constant([5, 7], tf.int64)]
    v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, graph.create_op("InitializeTable", [table, *items], []))
    words = v1.placeholder(tf.string, [None], "words")
    ids = graph.create_op("LookupTableFind", [table, words, tf.constant(-1, tf.int64)], [tf.int64]).outputs[0]
    return {
        "serving_default": ({"x": x}, {"y": y, "total": tf.reduce_sum(y)}),
        "count": ({}, {"counted": counted}),
        "collatz": ({"n": n}, {"last": last, "steps": steps}),
        "look_up": ({"words": words}, {"ids": ids}),
    }


def recurrent() -> Any:
    """A loop over TensorArrays, resource variables, and values of the variables in a checkpoint of the older format."""
    x = v1.placeholder(tf.float32, [None, 3], "x")
    kernel = variable("kernel", np.linspace(0, 1, 9, dtype=np.float32).reshape(3, 3))
    steps = tf.shape(x)[0]
    inputs = v1.TensorArray(tf.float32, size=steps).unstack(x)
    outputs = v1.TensorArray(tf.float32, size=steps)

    def step(time: Any, state: Any, outputs: Any) -> Any:
        state = tf.tanh(tf.linalg.matvec(kernel, state) + inputs.read(time))
        return time + 1, state, outputs.write(time, state)

    _, state, outputs = tf.while_loop(lambda time, *_: time < steps, step, (tf.constant(0), tf.zeros([3]), outputs))
    return {"serving_default": ({"x": x}, {"outputs": outputs.stack(), "state": state})}


def write(
    name: str, build: Any, answers: dict[str, np.ndarray], feeds: dict[str, Any], old: bool, resources: bool
) -> None:
    (v1.enable_resource_variables if resources else v1.disable_resource_variables)()
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        signatures = build()
        saver = v1.train.Saver(write_version=v1.train.SaverDef.V1, sharded=True) if old else None
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        builder = v1.saved_model.Builder(str(folder))
        defs = {}
        for key, (inputs, outputs) in signatures.items():
            infos = [
                {name: v1.saved_model.build_tensor_info(tensor) for name, tensor in part.items()}
                for part in (inputs, outputs)
            ]
            defs[key] = v1.saved_model.build_signature_def(*infos, "tensorflow/serving/predict")
        options = {"strip_default_attrs": True, "saver": saver}
        builder.add_meta_graph_and_variables(session, ["serve"], defs, main_op=v1.tables_initializer(), **options)
        if not resources:
            builder.add_meta_graph(["serve", "other"], {"count": defs["count"]}, strip_default_attrs=True)
        builder.save(as_text=resources)
        without_descriptions(folder)
        for key, (inputs, outputs) in signatures.items():
            results = session.run(outputs, {tensor: feeds[name] for name, tensor in inputs.items()})
            answers.update({f"{name}/{key}/{output}": result for output, result in results.items()})


def without_descriptions(folder: Path) -> None:
    """Leaves out the signatures of ops and the shapes of outputs, which are most of a small model's file."""
    path = next(folder.glob("saved_model.pb*"))
    is_text = path.suffix == ".pbtxt"
    proto = text_format.Parse(path.read_text(), SavedModel()) if is_text else SavedModel.FromString(path.read_bytes())
    for meta_graph in proto.meta_graphs:
        meta_graph.meta_info_def.ClearField("stripped_op_list")
        for node in meta_graph.graph_def.node:
            node.attr.pop("_output_shapes", None)
    if is_text:
        path.write_text(text_format.MessageToString(proto))
    else:
        path.write_bytes(proto.SerializeToString(deterministic=True))


if __name__ == "__main__":
    v1.disable_control_flow_v2()
    answers: dict[str, np.ndarray] = {"x": X}
    words = np.array([b"b", b"c"], object)
    write("version1_references", references, answers, {"x": X, "n": 6, "words": words}, old=False, resources=False)
    write("version1_recurrent", recurrent, answers, {"x": X}, old=True, resources=True)
    np.savez_compressed(FOLDER / "version1_answers.npz", **answers)
