"""How often a loop runs, where that can be told before it does."""

from __future__ import annotations

from typing import Any

from modtf.core.engine.graphs import Graph, Node
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.tensors import SymbolicTensor


def trip_count(node: Node) -> int | None:
    """Returns the number of iterations that a `While` has at most, `None` if that is not known.

    Known are loops that count an integer up by a constant while it is below another integer, both known before.
    """
    condition, body = node["cond"], node["body"]
    bounds = [
        count for test in _conjuncts(condition.outputs[0]) if (count := _bound(node, condition, body, test)) is not None
    ]
    return min(bounds, default=None)


def _conjuncts(tensor: SymbolicTensor) -> list[Node]:
    """The comparisons that all have to hold."""
    node = tensor.node
    if node.op.name in ("LogicalAnd", "Identity"):
        return [test for part in node.inputs for test in _conjuncts(part)]
    return [node]


def _bound(node: Node, condition: Graph, body: Graph, test: Node) -> int | None:
    if test.op.name != "Less" or not test.inputs[0].dtype.is_integer:
        return None
    counter, limit = test.inputs
    index = _position(condition, counter)
    if index is None:
        return None
    start, end = _as_int(constant_value(node.inputs[index])), _known_limit(node, condition, body, limit)
    step = _step(body, index)
    if start is None or end is None or step is None or step <= 0:
        return None
    return max(0, -(-(end - start) // step))


def _position(graph: Graph, tensor: SymbolicTensor) -> int | None:
    return next((index for index, item in enumerate(graph.inputs) if item is tensor), None)


def _known_limit(node: Node, condition: Graph, body: Graph, limit: SymbolicTensor) -> int | None:
    index = _position(condition, limit)
    if index is None:
        return _as_int(constant_value(limit))
    if body.outputs[index] is not body.inputs[index]:
        return None
    return _as_int(constant_value(node.inputs[index]))


def _step(body: Graph, index: int) -> int | None:
    made = body.outputs[index].node
    while made.op.name == "Identity":
        made = made.inputs[0].node
    if made.op.name not in ("Add", "AddV2"):
        return None
    first, second = made.inputs
    if second is body.inputs[index]:
        first, second = second, first
    return _as_int(constant_value(second)) if first is body.inputs[index] else None


def _as_int(value: Any) -> int | None:
    return None if value is None or value.ndim else int(value)
