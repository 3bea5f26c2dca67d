"""What signatures say of tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from modtf import core as tf

from ..attributes import decode_dtype, decode_shape
from ..errors import DataLossError
from ..protos.saved_model_pb2 import TensorInfo
from ..protos.structure_pb2 import StructuredValue
from ..structures import decode_structure
from .main_nodes import Source, parse_source

_UNKNOWN = tf.TensorShape(None)


class Described(NamedTuple):
    """A tensor, or the tensors that a composite one consists of.

    Attributes:
        spec: what it is.
        sources: where the tensors are in the graph.
    """

    spec: tf.TypeSpec
    sources: list[Source]


def described(proto: TensorInfo, name: str, what: str) -> Described:
    """Returns what a message says.

    Args:
        proto: the message.
        name: what the tensor is called.
        what: where the message stands, for errors.

    Raises:
        DataLossError: it contradicts itself.
    """
    encoding = proto.WhichOneof("encoding")
    if encoding == "composite_tensor":
        spec = decode_structure(StructuredValue(type_spec_value=proto.composite_tensor.type_spec), what)
        parts = [parse_source(part.name) for part in proto.composite_tensor.components]
    else:
        known = proto.HasField("tensor_shape")
        shape, dtype = decode_shape(proto.tensor_shape, what) if known else _UNKNOWN, decode_dtype(proto.dtype)
        if encoding == "coo_sparse":
            sparse = proto.coo_sparse
            names = (sparse.indices_tensor_name, sparse.values_tensor_name, sparse.dense_shape_tensor_name)
            spec, parts = tf.SparseTensorSpec(shape, dtype), [parse_source(part) for part in names]
        else:
            spec, parts = tf.TensorSpec(shape, dtype, name), [parse_source(proto.name)]
    if len(tf.nest.flatten(spec, expand_composites=True)) != len(parts):
        raise DataLossError(f"{what}: {spec!r} does not consist of {len(parts)} tensors.")
    return Described(spec, parts)


def dense_inputs(inputs: Mapping[str, TensorInfo], what: str) -> Iterator[tuple[str, Source, tf.TensorSpec]]:
    """Yields the tensors that a signature takes, with their names: composite ones are given by what they consist of."""
    for name in sorted(inputs):
        spec, sources = described(inputs[name], name, f"{what}, input {name!r}")
        parts = tf.nest.flatten(spec, expand_composites=True)
        encoding = inputs[name].WhichOneof("encoding")
        names = [name]
        if encoding == "coo_sparse":
            names = [f"{name}_{part}" for part in ("indices", "values", "dense_shape")]
        elif encoding == "composite_tensor":
            names = [f"{name}_component_{number}" for number in range(len(parts))]
        for label, source, part in zip(names, sources, parts, strict=True):
            yield label, source, tf.TensorSpec(part.shape, part.dtype, label)
