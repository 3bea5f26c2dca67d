"""Attributes, dtypes and shapes of nodes, between the values that core's ops take and the messages in the file."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from modtf import core as tf
from modtf.core.contracts import EagerTensor, get_backend

from .errors import DataLossError, UnsupportedError
from .protos.graph_pb2 import AttrValue, NameAttrList
from .protos.tensor_pb2 import TensorProto, TensorShapeProto
from .tensor_protos import make_ndarray, make_tensor_proto

_FIELDS = {
    "int": "i", "float": "f", "bool": "b", "string": "s", "type": "type", "shape": "shape", "tensor": "tensor",
    "func": "func",
}  # fmt: skip
"""For each kind of attribute, the field of AttrValue (and of its ListValue) that holds it."""

_REFERENCE = 100  # DT_FLOAT_REF is DT_FLOAT + 100
_MAX_RANK = 254  # TensorFlow's


def encode_shape(shape: Any) -> TensorShapeProto:
    """Returns the message of a shape, which may have unknown sizes or an unknown rank."""
    dims = tf.TensorShape(shape).dims
    if dims is None:
        return TensorShapeProto(unknown_rank=True)
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=-1 if size is None else size) for size in dims])


def decode_shape(proto: TensorShapeProto, what: str = "the tensor") -> tf.TensorShape:
    """Returns the shape that a message holds.

    Raises:
        DataLossError: a size is less than -1, which stands for unknown, or there are too many.
    """
    if proto.unknown_rank:
        return tf.TensorShape(None)
    if len(proto.dim) > _MAX_RANK:
        raise DataLossError(f"{what}: a shape has {len(proto.dim)} dimensions; at most {_MAX_RANK} can be.")
    sizes = [dim.size for dim in proto.dim]
    if any(size < -1 for size in sizes):
        raise DataLossError(f"{what}: a shape has the sizes {sizes}; the least is -1, for an unknown one.")
    return tf.TensorShape([None if size == -1 else size for size in sizes])


def decode_tensor(proto: TensorProto, what: str) -> tf.Tensor:
    """Returns the tensor that a message holds, which takes no more memory than `make_ndarray` says."""
    array = make_ndarray(proto, what)
    return EagerTensor(array, decode_dtype(proto.dtype), get_backend("numpy"))


def encode_dtype(dtype: tf.DType) -> Any:
    """Returns the DataType number of a dtype, as messages take it."""
    return dtype.as_datatype_enum


@functools.cache
def decode_dtype(number: int) -> tf.DType:
    """Returns the dtype of a DataType number; of a reference type, the one it refers to.

    Raises:
        UnsupportedError: there is no such dtype.
    """
    try:
        return tf.as_dtype(number - _REFERENCE if number > _REFERENCE else number)
    except TypeError:
        raise UnsupportedError(f"Tensors of DataType {number} are not known.") from None


def encode_attr(value: Any, kind: str, is_list: bool, name_of: Callable[[Any], str]) -> AttrValue:
    """Returns the message of an attribute's value.

    Args:
        value: the value, canonical.
        kind: its kind as schemas write it, such as "int".
        is_list: whether it is a list of that kind.
        name_of: gives the name that a function's graph has in the file.
    """
    encode = _ENCODERS.get(kind)
    if kind == "func":
        encode = lambda graph: NameAttrList(name="" if graph is None else name_of(graph))  # noqa: E731
    items = list(value) if is_list else [value]
    if encode is not None:
        items = [encode(item) for item in items]
    field = _FIELDS[kind]
    if is_list:
        return AttrValue(list=AttrValue.ListValue(**{field: items}))
    return AttrValue(**{field: items[0]})


def decode_attr(proto: AttrValue, kind: str, is_list: bool, graph_of: Callable[[str], Any], what: str) -> Any:
    """Returns the value of an attribute.

    Args:
        proto: its message.
        kind: the kind that it must be of, as schemas write it.
        is_list: whether it must be a list of that kind.
        graph_of: gives the graph of a function by its name in the file.
        what: which attribute it is, for errors.

    Raises:
        DataLossError: it is of another kind.
        UnsupportedError: it holds a dtype that is not known.
    """
    field = _FIELDS[kind]
    found = proto.WhichOneof("value")
    if found != ("list" if is_list else field):
        expected = f"list({kind})" if is_list else kind
        raise DataLossError(f"{what} must be of kind {expected}, but the file has {found or 'nothing'}.")
    items: Sequence[Any] = getattr(proto.list, field) if is_list else (getattr(proto, field),)
    if kind == "func":
        items = [graph_of(item.name) if item.name else None for item in items]
    elif kind in _DECODERS:
        decode = _DECODERS[kind]
        items = [decode(item, what) for item in items]
    return tuple(items) if is_list else items[0]


_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "string": lambda value: value.encode("utf-8", "surrogateescape"),
    "type": lambda value: value.as_datatype_enum,
    "shape": encode_shape,
    "tensor": make_tensor_proto,
}
_DECODERS: dict[str, Callable[[Any, str], Any]] = {
    "string": lambda value, what: value.decode("utf-8", "surrogateescape"),
    "type": lambda value, what: decode_dtype(value),
    "shape": decode_shape,
    "tensor": make_ndarray,
}
