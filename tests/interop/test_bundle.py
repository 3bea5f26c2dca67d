"""Tensor bundles and TensorProtos exchanged with TensorFlow in both directions."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from modtf.saved_model import BundleReader, BundleWriter
from modtf.saved_model.dtypes import data_type_of
from modtf.saved_model.protos.tensor_pb2 import DT_QINT8
from modtf.saved_model.tensor_protos import make_tensor_proto

NUMERIC = [
    "float32 float64 float16 bfloat16 complex64 complex128 bool int8 uint8 int16 uint16 int32 uint32 int64 uint64",
    "int4 uint4 int2 uint2 float4_e2m1fn float8_e5m2 float8_e4m3fn float8_e4m3fnuz float8_e4m3b11fnuz float8_e5m2fnuz",
]
DTYPES = [np.dtype(getattr(ml_dtypes, name, name)) for names in NUMERIC for name in names.split()]
SHAPES = [(), (1,), (5,), (3, 1, 7), (0,), (2, 0)]


def numbers(dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    values = np.random.default_rng(7).integers(0, 2, (2, *shape))
    if dtype.kind == "c":
        return (values[0] - 1j * values[1]).astype(dtype)
    return values[0].astype(dtype)


def strings(shape: tuple[int, ...]) -> np.ndarray:
    array = np.empty(shape, object)
    for i in range(array.size):
        array.reshape(-1)[i] = bytes(range(i * 11 % 256)) * (i + 1) + b"\0"
    return array


TENSORS = {f"{dtype}/{shape}": numbers(dtype, shape) for dtype in DTYPES for shape in SHAPES}
TENSORS |= {f"string/{shape}": strings(shape) for shape in SHAPES}
TENSORS |= {"large": np.random.default_rng(0).normal(size=(300, 1000)).astype(np.float32)}


def tf_dtype(array: np.ndarray) -> tf.DType:
    return tf.string if array.dtype == object else tf.as_dtype(data_type_of(array.dtype))


def same(actual: np.ndarray, expected: np.ndarray) -> bool:
    actual = np.asarray(actual, expected.dtype)
    bits = (lambda array: array.tolist()) if expected.dtype == object else (lambda array: array.tobytes())
    return actual.shape == expected.shape and bits(actual) == bits(expected)


def write(prefix: Path, tensors: dict[str, np.ndarray]) -> str:
    with BundleWriter(prefix) as writer:
        for name, array in tensors.items():
            writer.add(name, array)
    return str(prefix)


def test_tensorflow_restores_what_we_write(tmp_path: Path) -> None:
    prefix = write(tmp_path / "bundle", TENSORS)
    names = list(TENSORS)
    restored = tf.raw_ops.RestoreV2(
        prefix=prefix,
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        dtypes=[tf_dtype(array) for array in TENSORS.values()],
    )
    for name, tensor in zip(names, restored, strict=True):
        assert same(tensor.numpy(), TENSORS[name]), name


def test_tensorflows_reader_lists_what_we_write(tmp_path: Path) -> None:
    reader = tf.train.load_checkpoint(write(tmp_path / "bundle", TENSORS))
    assert reader.get_variable_to_shape_map() == {name: list(array.shape) for name, array in TENSORS.items()}
    assert reader.get_variable_to_dtype_map() == {name: tf_dtype(array) for name, array in TENSORS.items()}
    assert same(reader.get_tensor("large"), TENSORS["large"])


def test_tensorflow_restores_slices_of_what_we_write(tmp_path: Path) -> None:
    prefix = write(tmp_path / "bundle", TENSORS)
    (part,) = tf.raw_ops.RestoreV2(
        prefix=prefix, tensor_names=["large"], shape_and_slices=["300 1000 10,20:-"], dtypes=[tf.float32]
    )
    assert same(part.numpy(), TENSORS["large"][10:30])


def test_tensorflow_merges_what_we_write(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", {"a": np.arange(5)}), write(tmp_path / "two", {"b": np.arange(7.0)})
    merged = tmp_path / "merged"
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[one, two], destination_prefix=str(merged), delete_old_dirs=False)
    reader = BundleReader(merged)
    assert same(reader.read("a"), np.arange(5))
    assert same(reader.read("b"), np.arange(7.0))


def test_an_index_of_many_blocks(tmp_path: Path) -> None:
    tensors = {f"{'layer/' * 40}{i:05}": np.array(i) for i in range(3000)}
    reader = tf.train.load_checkpoint(write(tmp_path / "bundle", tensors))
    assert reader.get_variable_to_shape_map().keys() == tensors.keys()
    assert all(reader.get_tensor(name) == value for name, value in list(tensors.items())[::97])


def test_an_empty_bundle(tmp_path: Path) -> None:
    assert tf.train.load_checkpoint(write(tmp_path / "bundle", {})).get_variable_to_shape_map() == {}


def test_quantized_tensors(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "bundle") as writer:
        writer.add("q", np.array([-3, 4], np.int8), DT_QINT8)
    (restored,) = tf.raw_ops.RestoreV2(
        prefix=str(tmp_path / "bundle"), tensor_names=["q"], shape_and_slices=[""], dtypes=[tf.qint8]
    )
    assert tf.bitcast(restored, tf.int8).numpy().tolist() == [-3, 4]


def test_we_read_what_tensorflow_writes(tmp_path: Path) -> None:
    prefix = str(tmp_path / "bundle")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(TENSORS),
        shape_and_slices=[""] * len(TENSORS),
        tensors=list(TENSORS.values()),
    )
    reader = BundleReader(prefix)
    assert set(reader) == set(TENSORS)
    for name, array in TENSORS.items():
        assert reader.read(name).dtype == array.dtype
        assert same(reader.read(name), array), name


def test_we_read_tensorflows_object_graph(tmp_path: Path) -> None:
    from modtf.saved_model.protos.object_graph_pb2 import TrackableObjectGraph

    variable = tf.Variable([1.0, 2.0], name="v")
    prefix = tf.train.Checkpoint(v=variable).save(str(tmp_path / "checkpoint"))
    reader = BundleReader(prefix)
    graph = TrackableObjectGraph.FromString(reader.read("_CHECKPOINTABLE_OBJECT_GRAPH").item())
    (child,) = (child for child in graph.nodes[0].children if child.local_name == "v")
    (attribute,) = graph.nodes[child.node_id].attributes
    assert reader.read(attribute.checkpoint_key).tolist() == [1.0, 2.0]

    copy = tmp_path / "copy"
    with BundleWriter(copy) as writer:
        for name, entry in reader.items():
            writer.add(name, reader.read(name) * 10 if name == attribute.checkpoint_key else reader.read(name))
            assert entry.shape == reader.read(name).shape
    tf.train.Checkpoint(v=variable).restore(str(copy)).expect_partial().assert_existing_objects_matched()
    assert variable.numpy().tolist() == [10.0, 20.0]


def test_tf1_partitioned_variables(tmp_path: Path) -> None:
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable_scope().set_use_resource(True)
        with v1.variable_scope("scope", partitioner=v1.fixed_size_partitioner(3, axis=1)):
            v1.get_variable("w", (2, 10), initializer=v1.random_uniform_initializer())
        session.run(v1.global_variables_initializer())
        pieces = session.run(v1.global_variables())
        prefix = v1.train.Saver(sharded=True).save(session, str(tmp_path / "model"))
    reader = BundleReader(prefix)
    assert len(reader["scope/w"].slices) == 3
    assert same(reader.read("scope/w"), np.concatenate(pieces, axis=1))


@pytest.mark.parametrize("name", [name for name in TENSORS if name != "large"])
def test_tensorflow_parses_our_tensor_protos(name: str) -> None:
    array = TENSORS[name]
    for value in (array, np.broadcast_to(array.flat[:1].reshape(()), (3, 4)) if array.size else array):
        message = make_tensor_proto(value).SerializeToString()
        parsed = tf.io.parse_tensor(message, tf_dtype(array))
        assert same(parsed.numpy(), np.array(value))
        if not value.dtype.name.endswith("fnuz"):  # which TensorFlow's Python side does not know
            assert same(tf.make_ndarray(TensorProto.FromString(message)), np.array(value))
