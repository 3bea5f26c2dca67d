"""Op signatures: core's schemas as OpDefs, and stand-ins for ops of a file that core does not have."""

from __future__ import annotations

import re
from typing import Any

from modtf import core as tf
from modtf.core.contracts import Op

from .attributes import encode_attr, encode_dtype
from .errors import UnsupportedError
from .protos.graph_pb2 import OpDef

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_KIND = re.compile(r"(list\()?(int|float|bool|string|type|shape|tensor|func)\)?")


def encode_op(op: Op) -> OpDef:
    """Returns the OpDef that says what an op's schema says."""
    schema = op.schema
    proto = OpDef(name=op.name, is_stateful=op.stateful)
    for args, target in ((schema.inputs, proto.input_arg), (schema.outputs, proto.output_arg)):
        for arg in args:
            made = target.add(name=arg.name, number_attr=arg.number or "")
            if not isinstance(arg.type, str):
                made.type = encode_dtype(arg.type)
            elif _is_list(schema, arg.type):
                made.type_list_attr = arg.type
            else:
                made.type_attr = arg.type
    for var in schema.type_vars.values():
        proto.attr.add(name=var.name, type="list(type)" if var.is_list else "type")
    for number in sorted({arg.number for arg in schema.inputs if arg.number and arg.number not in schema.attr_index}):
        proto.attr.add(name=number, type="int")
    for attr in schema.attrs:
        made_attr = proto.attr.add(name=attr.name, type=f"list({attr.kind})" if attr.is_list else attr.kind)
        if not attr.required and attr.default is not None:
            made_attr.default_value.CopyFrom(encode_attr(attr.default, attr.kind, attr.is_list, str))
    return proto


def _is_list(schema: Any, name: str) -> bool:
    return schema.type_vars[name].is_list if name in schema.type_vars else schema.attrs[schema.attr_index[name]].is_list


def make_unknown_op(proto: OpDef, reason: str) -> Op:
    """Returns an op with the signature that a file gives it, which raises UnimplementedError when it is executed.

    Args:
        proto: the signature.
        reason: why it cannot be executed, and what to do.

    Raises:
        UnsupportedError: it uses a part of op signatures that is not known.
    """

    def kernel(backend: Any, *arrays: Any, **attrs: Any) -> Any:
        raise tf.errors.UnimplementedError(reason)

    text = schema_text(proto)
    try:
        return Op(text, kernel=kernel, shape=_unknown_shape, stateful=proto.is_stateful, host_only=True)
    except (ValueError, KeyError) as error:
        raise UnsupportedError(
            f"The op {proto.name!r} has a signature that is not understood, {text}: {error}"
        ) from None


def _unknown_shape(*inputs: Any, **attrs: Any) -> None:
    return None


_UNREADABLE = "UnreadableFunction"


def unreadable_function(reason: str) -> Op:
    """Returns an op that stands for the whole body of a function which is not understood.

    Its attribute `Tout` says what the function gives. It raises UnimplementedError when it is executed.
    """
    return make_unknown_op(
        OpDef(
            name=_UNREADABLE,
            input_arg=[OpDef.ArgDef(name="args", type_list_attr="Tin")],
            output_arg=[OpDef.ArgDef(name="output", type_list_attr="Tout")],
            attr=[OpDef.AttrDef(name="Tin", type="list(type)"), OpDef.AttrDef(name="Tout", type="list(type)")],
            is_stateful=True,
        ),
        reason,
    )


def is_unreadable_function(op: Op) -> bool:
    """Whether an op is what `unreadable_function` returns."""
    return op.name == _UNREADABLE


def schema_text(proto: OpDef) -> str:
    """Returns an OpDef in the notation of core's schemas.

    Raises:
        UnsupportedError: it has names or kinds that schemas cannot say.
    """
    arguments = [*proto.input_arg, *proto.output_arg]
    names = [proto.name, *(arg.name for arg in arguments), *(attr.name for attr in proto.attr)]
    kinds = [attr.type for attr in proto.attr]
    if not all(map(_NAME.fullmatch, names)) or not all(map(_KIND.fullmatch, kinds)):
        raise UnsupportedError(
            f"The op {proto.name!r} has a signature that is not understood: names {names}, kinds {kinds}."
        )
    determined = {arg.type_attr: arg.type_attr for arg in proto.input_arg if arg.type_attr}
    determined |= {arg.type_list_attr: f"*{arg.type_list_attr}" for arg in proto.input_arg if arg.type_list_attr}
    numbers = {arg.number_attr for arg in proto.input_arg}
    given = [
        f"{attr.name}: {attr.type}" for attr in proto.attr if attr.name not in determined and attr.name not in numbers
    ]
    inputs = [_arg_text(arg) for arg in proto.input_arg] + (["*", *given] if given else [])
    outputs = [_arg_text(arg) for arg in proto.output_arg]
    variables = f"[{', '.join(determined.values())}]" if determined else ""
    return f"{proto.name}{variables}({', '.join(inputs)}) -> ({', '.join(outputs)})"


def _arg_text(arg: OpDef.ArgDef) -> str:
    try:
        of = arg.type_attr or arg.type_list_attr or tf.as_dtype(arg.type).name
    except TypeError:
        raise UnsupportedError(f"The argument {arg.name!r} is of DataType {arg.type}, which is not known.") from None
    return f"{arg.name}: {f'{arg.number_attr} * ' if arg.number_attr else ''}{of}"
