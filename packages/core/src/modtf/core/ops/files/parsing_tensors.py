"""Tensors as strings: what `tf.io.serialize_tensor` writes and `tf.io.parse_tensor` reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import scalar
from modtf.core.engine.vocabulary import op
from modtf.core.ops.files.tensor_messages import decode_tensor, encode_tensor
from modtf.core.ops.files.wire_format import DamagedMessage
from modtf.core.values.dtypes import DType, from_numpy, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.tensors import Tensor


def _one_message(serialized: Tensor, **attrs: Any) -> None:
    if serialized.dims not in (None, ()):
        raise ValueError(f"Expected `serialized` to be a scalar, but its shape is {serialized.shape}")


@op("ParseTensor(serialized: string, *, out_type: type) -> (output: out_type)", shape=_one_message, host_only=True)
def parse_tensor(xp: Any, serialized: np.ndarray, *, out_type: DType) -> np.ndarray:
    if serialized.ndim:
        raise InvalidArgumentError(f"Expected `serialized` to be a scalar, got shape: {list(serialized.shape)}.")
    data = serialized.item()
    try:
        dtype, array = decode_tensor(data)
    except DamagedMessage as error:
        raise InvalidArgumentError(f"Could not parse `serialized` as TensorProto, {data[:80]!r}: {error}.") from None
    if dtype is not out_type:
        raise InvalidArgumentError(f"Type mismatch between parsed tensor ({dtype.name}) and dtype ({out_type.name}).")
    return array


@op("SerializeTensor[T](tensor: T) -> (serialized: string)", shape=scalar, host_only=True)
def serialize_tensor(xp: Any, tensor: np.ndarray) -> bytes:
    array = np.asarray(tensor)
    return encode_tensor(array, string if array.dtype == object else from_numpy(array.dtype))


for _op in (parse_tensor, serialize_tensor):
    _op.gradient(None)
