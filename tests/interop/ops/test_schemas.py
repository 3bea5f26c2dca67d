"""Every op's schema against TensorFlow's registry, and the names of its arguments against `tf.raw_ops`."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from exceptions import STATEFUL_HERE
from report import FOUND
from tensorflow.python.framework import op_def_registry

from modtf import core
from modtf.core import as_dtype, raw_ops
from modtf.core.contracts import Op, get_op

OPS = [name for name in dir(raw_ops) if not name.startswith("_")]


def known_dtypes() -> dict[int, str]:
    """The dtypes that modtf has, by their numbers: TensorFlow has more (int4, references), which no op here takes."""
    found = {}
    for number in range(1, 64):
        try:
            found[number] = as_dtype(number).name
        except TypeError:
            continue
    return found


DTYPES = known_dtypes()


def ours(op: Op) -> dict[str, Any]:
    """What the schema says, in a form to compare."""
    schema = op.schema

    def arg(arg: Any) -> tuple[Any, ...]:
        kind = arg.type if isinstance(arg.type, str) else arg.type.name
        return arg.name, kind, arg.number, schema.is_type_list(arg.type)

    attrs: dict[str, Any] = {}
    for var in schema.type_vars.values():
        default = None if var.default is None else var.default.name
        attrs[var.name] = ("list(type)" if var.is_list else "type", default, {dtype.name for dtype in var.allowed})
    for number in {arg.number for arg in schema.inputs if arg.number and arg.number not in schema.attr_index}:
        attrs[number] = ("int", None, None)
    for attr in schema.attrs:
        default = None if attr.required else canonical(attr.default, attr.kind)
        allowed = None if attr.allowed is None else {getattr(item, "name", item) for item in attr.allowed}
        if attr.kind == "type" and allowed is None:
            allowed = set(DTYPES.values())
        attrs[attr.name] = (f"list({attr.kind})" if attr.is_list else attr.kind, default, allowed)
    return {
        "inputs": [arg(item) for item in schema.inputs],
        "outputs": [arg(item) for item in schema.outputs],
        "attributes": attrs,
        "order of the given attributes": list(schema.attr_index),
        "stateful": op.stateful and op.name not in STATEFUL_HERE,
    }


def theirs(definition: Any, given: set[str]) -> dict[str, Any]:
    """What an OpDef says, in the same form; `given` are the attributes that the inputs do not determine."""
    kinds = {attr.name: attr.type for attr in definition.attr}

    def arg(arg: Any) -> tuple[Any, ...]:
        kind = arg.type_attr or arg.type_list_attr or DTYPES[arg.type]
        return arg.name, kind, arg.number_attr or None, kinds.get(kind) == "list(type)"

    def attr(attr: Any) -> tuple[Any, ...]:
        kind = attr.type.removeprefix("list(").removesuffix(")")
        default = canonical(value_of(attr.default_value), kind) if attr.HasField("default_value") else None
        allowed: set[str] | None = {DTYPES[number] for number in attr.allowed_values.list.type if number in DTYPES}
        if kind != "type":
            allowed = {item.decode() for item in attr.allowed_values.list.s} or None
        elif not attr.HasField("allowed_values"):
            allowed = set(DTYPES.values())
        if attr.name not in given:
            default = default or None  # that a list may be empty, the notation need not say
        return attr.type, default, allowed

    return {
        "inputs": [arg(item) for item in definition.input_arg],
        "outputs": [arg(item) for item in definition.output_arg],
        "attributes": {item.name: attr(item) for item in definition.attr},
        "order of the given attributes": [item.name for item in definition.attr if item.name in given],
        "stateful": definition.is_stateful,
    }


def value_of(proto: Any) -> Any:
    """The value in an AttrValue."""
    field = proto.WhichOneof("value")
    value = getattr(proto, field)
    if field != "list":
        return value
    return [item for name, items in value.ListFields() for item in items]


def canonical(value: Any, kind: str) -> Any:
    """An attribute's value in a form to compare."""
    if isinstance(value, (list, tuple)):
        return [canonical(item, kind) for item in value]
    if value is None:
        return None
    if kind == "type":
        return DTYPES.get(value, value) if isinstance(value, int) else value.name
    if kind == "string":
        return value.decode() if isinstance(value, bytes) else value
    if kind == "float":
        return np.float32(value)
    if kind == "shape":
        if hasattr(value, "unknown_rank"):
            return None if value.unknown_rank else [size.size for size in value.dim]
        dims = core.TensorShape(value)
        return None if dims.rank is None else [-1 if size is None else size for size in dims.as_list()]
    return value


@pytest.mark.parametrize("name", OPS)
def test_a_schema_is_tensorflows(name: str) -> None:
    FOUND.ops.add(name)
    definition = op_def_registry.get(name)
    assert definition is not None, f"TensorFlow has no op {name}"
    op = get_op(name)
    mine, original = ours(op), theirs(definition, set(op.schema.attr_index))
    for part, expected in original.items():
        assert mine[part] == expected, part
    FOUND.equal_schemas.add(name)


@pytest.mark.parametrize("name", OPS)
def test_arguments_have_the_names_of_tensorflows_raw_ops(name: str) -> None:
    op = get_op(name)
    renamed = {registry: python for python, registry in (op.python_names or {}).items()}
    told_by_inputs = {item for arg in op.schema.inputs for item in (arg.number, arg.type)}
    given = [name for name in op.schema.attr_index if name not in told_by_inputs]
    names = {renamed.get(name, name) for name in (*op.schema.input_names, *given)}
    assert names | {"name"} == set(inspect.signature(getattr(tf.raw_ops, name)).parameters)
