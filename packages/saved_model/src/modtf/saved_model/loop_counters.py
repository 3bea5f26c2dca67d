"""Loops as TensorFlow differentiates them: their first two variables are how often they ran, and the most they may.

TensorFlow's gradient of a `While` takes the number of iterations from its first output, and the room for what it gathers
from its second input, -1 for no limit. Core's loops have no such variables, so that they are added when a graph is written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import Graph, Node, SymbolicTensor, copy_node

LOOPS = frozenset({"While", "StatelessWhile"})


def with_counters(graph: Graph) -> Graph:
    """Returns the graph with counters in its loops; the same graph if all have them. Loops in functions are left."""
    if all(node.type not in LOOPS or _has_counter(node) for node in graph.nodes):
        return graph
    made = Graph(graph.name)
    env = _copied(made, graph, {})
    made.inputs = [env[id(tensor)] for tensor in graph.inputs]
    made.outputs = [env[id(tensor)] for tensor in graph.outputs]
    return made


def _copied(made: Graph, graph: Graph, env: dict[int, SymbolicTensor]) -> dict[int, SymbolicTensor]:
    """Copies nodes into a graph, except those that `env` has an output for; returns what stands for each tensor."""
    env = dict(env)
    for node in graph.nodes:
        if node.outputs and id(node.outputs[0]) in env:
            continue
        inputs = [env[id(tensor)] for tensor in node.inputs]
        if node.type in LOOPS and not _has_counter(node):
            outputs = _append_counting(made, node, inputs)
        else:
            outputs = copy_node(made, node, inputs)
        env.update((id(old), new) for old, new in zip(node.outputs, outputs, strict=True))
    return env


def _append_counting(made: Graph, node: Node, inputs: list[SymbolicTensor]) -> list[SymbolicTensor]:
    attrs = {attr.name: value for attr, value in zip(node.op.schema.attrs, node.attrs, strict=True)}
    attrs["cond"], attrs["body"] = _counting(attrs["cond"], False), _counting(attrs["body"], True)
    if attrs["output_shapes"]:
        attrs["output_shapes"] = (tf.TensorShape([]), tf.TensorShape([]), *attrs["output_shapes"])
    numbers = [
        made.constant(np.array(value, np.int32), tf.int32, f"{node.name}/{name}")
        for name, value in (("loop_counter", 0), ("maximum_iterations", -1))
    ]
    outputs = [*numbers, *node.outputs]
    dtypes, dims = [tensor.dtype for tensor in outputs], [tensor.dims for tensor in outputs]
    canonical = node.op.schema.canonical_attrs(attrs)
    copied = made.append(node.op, [*numbers, *inputs], canonical, dtypes, dims, node.name, node.source)
    for old, new in zip(node.outputs, copied.outputs[2:], strict=True):
        new.handle_dims = old.handle_dims
    return list(copied.outputs[2:])


def _counting(graph: Graph, is_body: bool) -> Graph:
    """A condition or a body that takes the counter and the limit too, and gives them if it is a body."""
    made = Graph(graph.name)
    counter, limit = (made.add_input(tf.int32, [], name) for name in ("loop_counter", "maximum_iterations"))
    env = {id(tensor): made.inputs_like([tensor], tensor.node.name)[0] for tensor in graph.inputs}
    env = _copied(made, graph, env)
    made.outputs = [env[id(tensor)] for tensor in graph.outputs]
    if is_body:
        with made.as_default():
            counted: Any = tf.raw_ops.AddV2(x=counter, y=made.constant(np.array(1, np.int32), tf.int32))
        made.outputs = [counted, limit, *made.outputs]
    return made


def _has_counter(node: Node) -> bool:
    """Whether the first variable counts iterations from 0, and the second one is their limit or -1."""
    if [tensor.dtype for tensor in node.inputs[:2]] != [tf.int32, tf.int32]:
        return False
    body, condition = node.get_attr("body"), node.get_attr("cond")
    counter, limit = body.inputs[:2]
    if _behind(body.outputs[1]) is not limit or _number(node.inputs[0]) != 0:
        return False
    added = _behind(body.outputs[0]).node
    terms = [_behind(tensor) for tensor in added.inputs] if added.type in ("AddV2", "Add") else []
    if not any(tensor is counter for tensor in terms) or 1 not in map(_number, terms):
        return False
    return _number(node.inputs[1]) == -1 or _tests_limit(condition, condition.outputs[0])


def _tests_limit(condition: Graph, tensor: SymbolicTensor) -> bool:
    node = _behind(tensor).node
    if node.type == "LogicalAnd":
        return any(_tests_limit(condition, part) for part in node.inputs)
    if node.type != "Less":
        return False
    return all(_behind(part) is given for part, given in zip(node.inputs, condition.inputs, strict=False))


def _behind(tensor: SymbolicTensor) -> SymbolicTensor:
    """What an Identity was given."""
    while tensor.node.type == "Identity":
        tensor = tensor.node.inputs[0]
    return tensor


def _number(tensor: SymbolicTensor) -> int | None:
    """The value of a constant that is an integer."""
    node = _behind(tensor).node
    value = node.get_attr("value") if node.type == "Const" else None
    return int(value) if value is not None and np.shape(value) == () and value.dtype == np.int32 else None
