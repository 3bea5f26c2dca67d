"""Writes the files in this folder with TensorFlow: `python write_goldens.py`, in an environment that has it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import NameAttrList
from tensorflow.core.framework.tensor_pb2 import TensorProto

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from golden_values import GOLDENS, PARTITIONED, REPEATED, TENSORS


def write_bundles() -> None:
    names = list(TENSORS)
    tf.raw_ops.SaveV2(
        prefix=str(GOLDENS / "bundle"),
        tensor_names=names,
        shape_and_slices=[""] * len(names),
        tensors=[TENSORS[name] for name in names],
    )
    columns, tiles = PARTITIONED["columns"], PARTITIONED["tiles"]
    with tempfile.TemporaryDirectory() as scratch:
        tf.raw_ops.SaveV2(
            prefix=f"{scratch}/first",
            tensor_names=["columns", "tiles", "tiles", "whole"],
            shape_and_slices=["4 300 -:0,200", "4 5 0,3:0,2", "4 5 3,1:-", ""],
            tensors=[columns[:, :200], tiles[:3, :2], tiles[3:], PARTITIONED["whole"]],
        )
        tf.raw_ops.SaveV2(
            prefix=f"{scratch}/second",
            tensor_names=["columns", "tiles", "words"],
            shape_and_slices=["4 300 -:200,100", "4 5 0,3:2,3", ""],
            tensors=[columns[:, 200:], tiles[:3, 2:], PARTITIONED["words"]],
        )
        tf.raw_ops.MergeV2Checkpoints(
            checkpoint_prefixes=[f"{scratch}/first", f"{scratch}/second"],
            destination_prefix=str(GOLDENS / "partitioned"),
        )


def write_tensor_protos() -> None:
    messages = NameAttrList(name="tensor_protos")
    for name, array in TENSORS.items():
        messages.attr[name].tensor.CopyFrom(tf.make_tensor_proto(array, shape=array.shape))
        if array.size and not name.endswith("fnuz"):  # of which TensorFlow writes no single values
            messages.attr[f"first of {name}"].tensor.CopyFrom(tf.make_tensor_proto(array.flat[0], dtype=array.dtype))
    for name in ("float32", "float16", "complex128", "int8", "strings"):  # as C++ writes them
        messages.attr[f"{name} from C++"].tensor.ParseFromString(tf.io.serialize_tensor(TENSORS[name]).numpy())
    for name, fields in {
        "repeated_float": {"float_val": [1, 2]},
        "repeated_half": {"half_val": np.array([1, 2], np.float16).view(np.uint16).tolist()},
        "repeated_complex": {"scomplex_val": [0, 1, 2, 0]},
        "repeated_int8": {"int_val": [-1, 2]},
        "repeated_string": {"string_val": [b"a", b"b"]},
        "splat_bool": {"bool_val": [True]},
        "splat_bfloat16": {"half_val": [0x3F00]},
        "splat_float8": {"float8_val": b"\x30"},
        "splat_zero": {},
    }.items():
        array = REPEATED[name]
        dtype = tf.as_dtype(array.dtype) if array.dtype != object else tf.string
        message = TensorProto(
            dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(array.shape).as_proto(), **fields
        )
        assert tf.io.parse_tensor(message.SerializeToString(), dtype).numpy().tolist() == array.tolist()
        messages.attr[name].tensor.CopyFrom(message)
    (GOLDENS / "tensor_protos.pb").write_bytes(messages.SerializeToString(deterministic=True))


if __name__ == "__main__":
    write_bundles()
    write_tensor_protos()
