"""Nested Python values in a file: what functions take and give, and their Python signatures."""

from __future__ import annotations

import collections
import functools
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import EagerTensor

from .attributes import decode_dtype, decode_shape, decode_tensor, encode_dtype, encode_shape
from .errors import DataLossError, SavedModelError, UnsupportedError
from .protos.object_graph_pb2 import FunctionSpec
from .protos.structure_pb2 import (
    DictValue,
    ListValue,
    NamedTupleValue,
    NoneValue,
    StructuredValue,
    TensorSpecProto,
    TupleValue,
    TypeSpecProto,
)
from .tensor_protos import make_ndarray, make_tensor_proto
from .type_specs import KINDS, facts_of, make_spec


class OpaqueSpec(tf.TypeSpec):
    """The spec of a value of a kind that is not read here: kept as the file says it, and fitting no value."""

    __slots__ = ("proto",)

    def __init__(self, proto: TypeSpecProto) -> None:
        self.proto = proto

    def __repr__(self) -> str:
        return f"<{self.proto.type_spec_class_name or 'TypeSpec'} of the file>"


def encode_structure(value: Any, what: str) -> StructuredValue:
    """Returns the message of a nested Python value.

    Args:
        value: None, a bool, number, string, tensor, dtype, shape or spec, or a list, tuple, named tuple or dict of such.
        what: what it is, for the error.

    Raises:
        SavedModelError: there is something else in it.
    """
    if value is None:
        return StructuredValue(none_value=NoneValue())
    if isinstance(value, tf.TensorSpec):
        return StructuredValue(tensor_spec_value=_encode_spec(value))
    if isinstance(value, OpaqueSpec):
        return StructuredValue(type_spec_value=value.proto)
    if isinstance(value, tf.TypeSpec) and (found := facts_of(value)) is not None:
        facts, proto = found
        proto.type_state.CopyFrom(encode_structure(facts, what))
        return StructuredValue(type_spec_value=proto)
    if isinstance(value, (bool, np.bool_)):
        return StructuredValue(bool_value=bool(value))
    if isinstance(value, (int, np.integer)):
        if not -(1 << 63) <= value < 1 << 63:
            raise SavedModelError(f"{what}: the number {value} takes more than 64 bits, and cannot be saved.")
        return StructuredValue(int64_value=int(value))
    if isinstance(value, (float, np.floating)):
        return StructuredValue(float64_value=float(value))
    if isinstance(value, str):
        return StructuredValue(string_value=value)
    if isinstance(value, tf.DType):
        return StructuredValue(tensor_dtype_value=encode_dtype(value))
    if isinstance(value, tf.TensorShape):
        return StructuredValue(tensor_shape_value=encode_shape(value))
    if isinstance(value, EagerTensor):
        return StructuredValue(tensor_value=make_tensor_proto(np.asarray(value)))
    if isinstance(value, np.ndarray):
        return StructuredValue(numpy_value=make_tensor_proto(value))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named = NamedTupleValue(name=type(value).__name__)
        for key, item in zip(value._fields, value, strict=True):
            named.values.add(key=key, value=encode_structure(item, what))
        return StructuredValue(named_tuple_value=named)
    if isinstance(value, tuple):
        return StructuredValue(tuple_value=TupleValue(values=[encode_structure(item, what) for item in value]))
    if isinstance(value, list):
        return StructuredValue(list_value=ListValue(values=[encode_structure(item, what) for item in value]))
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        fields = {key: encode_structure(value[key], what) for key in value}
        return StructuredValue(dict_value=DictValue(fields=fields))
    raise SavedModelError(
        f"{what}: a value of type {type(value).__name__} cannot be saved ({value!r}). Functions can be saved whose "
        "arguments are tensors, composite tensors, None, bools, numbers, strings, dtypes, shapes, and lists, tuples and "
        "dicts of them."
    )


def decode_structure(proto: StructuredValue, what: str) -> Any:
    """Returns the Python value that a message holds.

    Args:
        proto: the message; an empty one stands for None.
        what: what it is, for errors.

    Raises:
        DataLossError: it contradicts itself.
        UnsupportedError: it holds a kind of value that is not read here.
    """
    kind = proto.WhichOneof("kind")
    if kind is None or kind == "none_value":
        return None
    value = getattr(proto, kind)
    if kind in ("float64_value", "int64_value", "string_value", "bool_value"):
        return value
    if kind in ("tensor_spec_value", "bounded_tensor_spec_value"):
        return tf.TensorSpec(decode_shape(value.shape, what), decode_dtype(value.dtype), value.name or None)
    if kind == "type_spec_value":
        return _decode_type_spec(value, what)
    if kind == "tensor_shape_value":
        return decode_shape(value, what)
    if kind == "tensor_dtype_value":
        return decode_dtype(value)
    if kind == "list_value":
        return [decode_structure(item, what) for item in value.values]
    if kind == "tuple_value":
        return tuple([decode_structure(item, what) for item in value.values])
    if kind == "dict_value":
        return {key: decode_structure(value.fields[key], what) for key in sorted(value.fields)}
    if kind == "named_tuple_value":
        make = _named_tuple(value.name, tuple(pair.key for pair in value.values), what)
        return make(*[decode_structure(pair.value, what) for pair in value.values])
    if kind == "tensor_value":
        return decode_tensor(value, what)
    if kind == "numpy_value":
        return make_ndarray(value, what)
    raise UnsupportedError(f"{what}: holds a {kind}, which is not read here.")


def _decode_type_spec(proto: TypeSpecProto, what: str) -> tf.TypeSpec:
    kind = KINDS.get(proto.type_spec_class)
    if kind is None:
        return OpaqueSpec(proto)
    facts = decode_structure(proto.type_state, what)
    try:
        return make_spec(kind, facts)
    except (TypeError, ValueError, AttributeError) as error:
        raise DataLossError(f"{what}: {facts!r} describes no {kind.make}: {error}") from None


def _encode_spec(spec: tf.TensorSpec) -> TensorSpecProto:
    return TensorSpecProto(
        name=spec.name or "",
        shape=encode_shape(spec.shape),
        dtype=encode_dtype(spec.dtype),
    )


@functools.lru_cache(maxsize=256)
def _named_tuple(name: str, fields: tuple[str, ...], what: str) -> Any:
    try:
        return collections.namedtuple(name, fields)
    except ValueError as error:
        raise DataLossError(f"{what}: is no named tuple: {error}") from None


FullArgSpec = collections.namedtuple(
    "FullArgSpec", ["args", "varargs", "varkw", "defaults", "kwonlyargs", "kwonlydefaults", "annotations"]
)


def encode_function_spec(signature: inspect.Signature, input_signature: Any, what: str) -> FunctionSpec:
    """Returns the message of a Python function's signature.

    Args:
        signature: the signature, without `self`.
        input_signature: the `TensorSpec`s that alone it takes, or None.
        what: which function it is, for the error.

    Raises:
        SavedModelError: a default value cannot be saved.
    """
    by_kind: dict[Any, list[inspect.Parameter]] = {kind: [] for kind in _KINDS}
    for parameter in signature.parameters.values():
        by_kind[parameter.kind].append(parameter)
    positional, keywords = by_kind[_POSITIONAL_ONLY] + by_kind[_POSITIONAL], by_kind[_KEYWORD]
    defaults = tuple(parameter.default for parameter in positional if parameter.default is not parameter.empty)
    keyword_defaults = {item.name: item.default for item in keywords if item.default is not item.empty}
    spec = FullArgSpec(
        args=[parameter.name for parameter in positional],
        varargs=next((parameter.name for parameter in by_kind[_VARARGS]), None),
        varkw=next((parameter.name for parameter in by_kind[_VARKW]), None),
        defaults=defaults or None,
        kwonlyargs=[parameter.name for parameter in keywords],
        kwonlydefaults=keyword_defaults or None,
        annotations={},
    )
    return FunctionSpec(
        fullargspec=encode_structure(spec, f"{what}, default arguments"),
        input_signature=encode_structure(input_signature, f"{what}, input_signature"),
    )


def decode_function_spec(proto: FunctionSpec, what: str) -> tuple[inspect.Signature, Any]:
    """Returns a function's Python signature, and its input_signature or None.

    Raises:
        DataLossError: it is none that a function can have.
    """
    spec = decode_structure(proto.fullargspec, what)
    if not all(hasattr(spec, field) for field in FullArgSpec._fields[:6]):
        raise DataLossError(f"{what}: the signature is {spec!r}, not a FullArgSpec.")
    try:
        return _signature(spec, proto.is_method), decode_structure(proto.input_signature, what)
    except (TypeError, ValueError, AttributeError) as error:
        raise DataLossError(f"{what}: the signature {spec!r} is none that a function can have: {error}") from None


def decode_argument_names(proto: FunctionSpec, what: str) -> list[str]:
    """Returns the names of a function's positional arguments, which need not be names in Python."""
    spec = decode_structure(proto.fullargspec, what)
    return [name for name in getattr(spec, "args", None) or () if isinstance(name, str)]


def _signature(spec: Any, is_method: bool) -> inspect.Signature:
    names, defaults = list(spec.args), list(spec.defaults or ())
    values = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
    if names and (is_method or names[0] == "self"):
        values.pop(names.pop(0), None)
    parameters = [inspect.Parameter(name, _POSITIONAL, default=values.get(name, _EMPTY)) for name in names]
    if spec.varargs is not None:
        parameters.append(inspect.Parameter(spec.varargs, _VARARGS))
    values = spec.kwonlydefaults or {}
    parameters += [
        inspect.Parameter(name, _KEYWORD, default=values.get(name, _EMPTY)) for name in spec.kwonlyargs or ()
    ]
    if spec.varkw is not None:
        parameters.append(inspect.Parameter(spec.varkw, _VARKW))
    return inspect.Signature(parameters)


_EMPTY = inspect.Parameter.empty
_POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
_VARARGS = inspect.Parameter.VAR_POSITIONAL
_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_VARKW = inspect.Parameter.VAR_KEYWORD
_KINDS = (_POSITIONAL_ONLY, _POSITIONAL, _VARARGS, _KEYWORD, _VARKW)
