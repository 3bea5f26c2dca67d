"""The gradients of loops.

A loop is changed, where it stands in its graph, to count its iterations and to gather each one's intermediates in lists of
tensors. Its gradient is a loop that takes them from the lists again, last first, and runs the body's backward half.
What no iteration changes (captured tensors, variables) is not gathered; its gradients are summed over the iterations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.calls import call_graph
from modtf.core.engine.differentiation import Differentiated, differentiate, zeros_like_input
from modtf.core.engine.execution import execute
from modtf.core.engine.graphs import Graph, Node
from modtf.core.engine.passes import splice
from modtf.core.engine.subgraphs import variant_of
from modtf.core.engine.tapes import GradientTape
from modtf.core.engine.trip_counts import trip_count
from modtf.core.engine.vocabulary import Call, get_op
from modtf.core.values.dtypes import DType, int32, variant
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import SymbolicTensor, Tensor


def while_gradient(call: Call, *flowing: Tensor | None) -> list[Tensor | None]:
    """The gradient rule of `While`."""
    if not isinstance(call.outputs[0], SymbolicTensor):
        return _eager_gradient(call, flowing)
    node: Node = call.outputs[0].node
    body: Graph = node["body"]
    count = len(body.inputs)
    known = list(flowing[:count]) + [None] * (count - len(flowing))
    kept = [_is_kept(body, index) for index in range(count)]
    carried = _influences(body, [index for index in range(count) if known[index] is not None], kept)
    if not carried and all(known[index] is None or not kept[index] for index in range(count)):
        return [None] * len(call.inputs)
    halves = differentiate(body, [index in carried for index in range(count)])
    summed = [position for position in halves.positions if kept[position]]
    gathered = _gather(node, halves, kept)
    results = _run_backwards(node, halves, carried, summed, gathered, known)
    for index in range(count):
        if kept[index] and known[index] is not None:
            results[index] = known[index] if results[index] is None else _sum(results[index], known[index])
    return [*results, *[None] * (len(call.inputs) - count)]


def _eager_gradient(call: Call, flowing: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Of a loop that has run as one op: it is run again, an iteration at a time."""
    from modtf.core.ops.control.flow import is_true

    with GradientTape() as tape:
        tape.watch([tensor for tensor in call.inputs if tensor.dtype.is_differentiable])
        values = list(call.inputs)
        while is_true(call_graph(call["cond"], values)[0].numpy()):
            values = list(call_graph(call["body"], values))
    pairs = [(value, given) for value, given in zip(values, flowing, strict=True) if given is not None]
    return tape.gradient([value for value, _ in pairs], list(call.inputs), [given for _, given in pairs])


def _is_kept(body: Graph, index: int) -> bool:
    """Whether the body hands a loop variable on as it got it."""
    return body.outputs[index] is body.inputs[index] or body.inputs[index].dtype.kind == "resource"


def _influences(body: Graph, wanted: Sequence[int], kept: Sequence[bool]) -> list[int]:
    """The changing loop variables that gradients flow through, given that they flow into some of the results."""
    inputs = {id(tensor): index for index, tensor in enumerate(body.inputs)}
    found = {index for index in wanted if not kept[index]}
    while True:
        reached = {id(body.outputs[index]) for index in found}
        for node in reversed(body.nodes):
            stops = node.op.has_gradient_rule and node.op.gradient_rule is None
            if not stops and any(id(tensor) in reached for tensor in node.outputs):
                reached.update(id(tensor) for tensor in node.inputs if tensor.dtype.is_differentiable)
        more = {inputs[key] for key in reached if key in inputs and not kept[inputs[key]]} - found
        if not more:
            return sorted(found)
        found |= more


class _Gathered(NamedTuple):
    """Where the backward loop finds what it needs.

    Attributes:
        iterations: How many there were.
        lists: For each intermediate, the list of its values, or `None`.
        whole: For each intermediate, the tensor that was the same in every iteration, or `None`.
    """

    iterations: Tensor
    lists: list[Tensor | None]
    whole: list[Tensor | None]


def _gather(node: Node, halves: Differentiated, kept: Sequence[bool]) -> _Gathered:
    """Makes a loop gather the intermediates."""
    forward = halves.forward
    inputs = {id(tensor): index for index, tensor in enumerate(forward.inputs)}
    of_kept = [
        inputs[id(tensor)] if id(tensor) in inputs and kept[inputs[id(tensor)]] else None
        for tensor in halves.intermediates
    ]
    listed = [tensor for tensor, index in zip(halves.intermediates, of_kept, strict=True) if index is None]
    limit = trip_count(node)
    with node.graph.before(node):
        zero = node.graph.capture(raw.Identity(np.int32(0)))
        lists = [
            raw.EmptyTensorList(
                _as_sizes(tensor.dims), np.int32(-1 if limit is None else limit), element_dtype=tensor.dtype
            )
            for tensor in listed
        ]
    first = len(node.outputs)
    node.replace(
        node.op,
        {
            "cond": _with_more_inputs(node["cond"], len(listed)),
            "body": _gathering_body(forward, first, listed),
            "output_shapes": (),
        },
        inputs=[zero, *lists],
        outputs=[(int32, ()), *[(variant, ())] * len(listed)],
    )
    made = iter(node.outputs[first + 1 :])
    return _Gathered(
        node.outputs[first],
        [next(made) if index is None else None for index in of_kept],
        [None if index is None else node.inputs[index] for index in of_kept],
    )


def _as_sizes(dims: Dims) -> Any:
    return np.int32(-1) if dims is None else np.array([-1 if dim is None else dim for dim in dims], np.int32)


def _with_more_inputs(graph: Graph, count: int) -> Graph:
    """A loop's condition that is given a counter and lists as well, of which it makes no use."""
    made = Graph(graph.name)
    with made.as_default():
        inputs = made.inputs_like(graph.inputs)
        made.add_input(int32, (), "count")
        for _ in range(count):
            made.add_input(variant, (), "list")
        made.outputs = [made.capture(tensor) for tensor in splice(made, graph, inputs)]
    return made


def _gathering_body(forward: Graph, first: int, listed: Sequence[SymbolicTensor]) -> Graph:
    wide = Graph(forward.name)
    outputs = forward.outputs
    forward.outputs = [*outputs, *listed]
    with wide.as_default():
        inputs = wide.inputs_like(forward.inputs)
        count = wide.add_input(int32, (), "count")
        lists = [wide.add_input(variant, (), "list") for _ in listed]
        results = splice(wide, forward, inputs)
        pushed = [raw.TensorListPushBack(*pair) for pair in zip(lists, results[first:], strict=True)]
        wide.outputs = [wide.capture(tensor) for tensor in (*results[:first], count + 1, *pushed)]
    forward.outputs = outputs
    return wide


def _run_backwards(
    node: Node,
    halves: Differentiated,
    carried: Sequence[int],
    summed: Sequence[int],
    gathered: _Gathered,
    flowing: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """The backward loop; returns the gradients of the loop's first values."""
    dtype_of = {p: t.dtype for p, t in zip(halves.positions, halves.backward.outputs, strict=True)}
    starts: list[Any] = [
        *(_or_zeros(flowing[index], node.outputs[index]) for index in carried),
        *(zeros_like_input(node.inputs[index], dtype_of[index]) for index in summed),
    ]
    lists = [item for item in gathered.lists if item is not None]
    whole = [item for item in gathered.whole if item is not None]
    variables = [gathered.iterations, *starts, *lists, *whole]
    body = _backward_body(halves, carried, summed, gathered, variables, dtype_of)
    cond = Graph(f"{body.name}_cond")
    with contexts.scoped(graph=cond, tapes=(), scope=""):
        remaining = cond.inputs_like(variables)[0]
        cond.outputs = [cond.capture(raw.Greater(remaining, np.int32(0)))]
    op = get_op(variant_of("StatelessWhile", "While", [body]))
    attrs = {"cond": cond, "body": body}
    results = execute(op, variables, op.schema.canonical_attrs(attrs))
    found: list[Tensor | None] = [None] * len(halves.forward.inputs)
    for index, gradient in zip((*carried, *summed), results[1:], strict=False):
        found[index] = gradient
    return found


def _backward_body(
    halves: Differentiated,
    carried: Sequence[int],
    summed: Sequence[int],
    gathered: _Gathered,
    variables: Sequence[Tensor],
    dtype_of: dict[int, DType],
) -> Graph:
    graph = Graph(f"{halves.backward.name}_body")
    with contexts.scoped(graph=graph, tapes=(), scope=""):
        inputs = graph.inputs_like(variables)
        remaining, rest = inputs[0], inputs[1:]
        flowing, rest = rest[: len(carried)], rest[len(carried) :]
        sums, rest = rest[: len(summed)], rest[len(summed) :]
        lists = iter(rest[: sum(item is not None for item in gathered.lists)])
        whole = iter(rest[sum(item is not None for item in gathered.lists) :])
        intermediates, shorter = [], []
        for tensor, listed in zip(halves.intermediates, gathered.lists, strict=True):
            if listed is None:
                intermediates.append(next(whole))
                continue
            handle, value = raw.TensorListPopBack(next(lists), _as_sizes(tensor.dims), element_dtype=tensor.dtype)
            value.set_shape(tensor.shape)
            intermediates.append(value)
            shorter.append(handle)
        gradients = dict(zip(halves.positions, splice(graph, halves.backward, [*flowing, *intermediates]), strict=True))
        new = [
            gradients[index] if index in gradients else raw.ZerosLike(old)
            for index, old in zip(carried, flowing, strict=True)
        ]
        totals = [_sum(old, gradients[index]) for index, old in zip(summed, sums, strict=True)]
        results = [remaining - 1, *new, *totals, *shorter, *rest[len(shorter) :]]
        graph.outputs = [graph.capture(tensor) for tensor in results]
    return graph


def _or_zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    return raw.ZerosLike(like) if gradient is None else gradient


def _sum(first: Any, second: Any) -> Tensor:
    return raw.AddN([first, second])  # which takes lists of tensors, too
