"""Lifting: the value of a symbolic tensor that does not depend on a function's arguments, computed at once.

Variables made inside a `tf.function` get their first values so.
"""

from __future__ import annotations

import copy

from modtf.core.engine import context as contexts
from modtf.core.engine.execution import execute
from modtf.core.values.conversion import from_array
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor


def evaluate(tensor: Tensor) -> EagerTensor:
    """Computes a symbolic tensor eagerly, from constants and captured tensors.

    Raises:
        ValueError: It depends on an argument of the function.
    """
    with contexts.init_scope():
        return _evaluate(tensor, {})


def _evaluate(tensor: Tensor, known: dict[int, EagerTensor]) -> EagerTensor:
    if isinstance(tensor, EagerTensor):
        return tensor
    assert isinstance(tensor, SymbolicTensor)
    if id(tensor) in known:
        return known[id(tensor)]
    node = tensor.node
    if node.op.name == "Const":
        result = from_array(node["value"], tensor.dtype)
        assert isinstance(result, EagerTensor)
        known[id(tensor)] = result
        return result
    if node.op.name == "Placeholder":
        for outside, inside in node.graph.captures:
            if inside is tensor:
                return _evaluate(outside, known)
        raise ValueError(
            f"The initial value depends on the argument {node.name!r} of the function {node.graph.name!r}, so it is not known "
            "when the variable is made. Give the variable a value that does not depend on the arguments, or make it outside."
        )
    op = node.op
    if op.memory is not None:  # what is remembered for eager calls is not this node's
        op = copy.copy(op)
        op.bound = {}
    results = execute(op, [_evaluate(item, known) for item in node.inputs], node.attrs)
    outputs = [results] if isinstance(results, Tensor) else results
    for symbolic, value in zip(node.outputs, outputs, strict=True):
        known[id(symbolic)] = value
    return known[id(tensor)]
