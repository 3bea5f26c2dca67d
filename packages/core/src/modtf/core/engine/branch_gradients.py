"""The gradients of conditionals.

The branch that was taken has to hand its intermediates to the branch that computes the gradient. So the conditional is
changed, where it stands in its graph, to give the intermediates of all branches as well; a branch gives `FakeParam`s for
those of the others. The gradient is then a conditional of the branches' backward halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.calls import call_graph
from modtf.core.engine.differentiation import (
    Differentiated,
    differentiate,
    gradients_by_position,
    recomputing_gradient,
    zeros_like_input,
)  # fmt: skip
from modtf.core.engine.execution import execute
from modtf.core.engine.graphs import Graph, Node
from modtf.core.engine.passes import splice
from modtf.core.engine.subgraphs import variant_of
from modtf.core.engine.vocabulary import Call, get_op
from modtf.core.values.dtypes import DType
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor


def if_gradient(call: Call, *flowing: Tensor | None) -> list[Tensor | None]:
    """The gradient rule of `If`."""
    if isinstance(call.inputs[0], EagerTensor) and not isinstance(call.outputs[0], SymbolicTensor):
        from modtf.core.ops.control.flow import is_true

        taken = call["then_branch"] if is_true(call.inputs[0].numpy()) else call["else_branch"]
        return _eager_gradient(taken, call, flowing)
    return _gradient(call, ("then_branch", "else_branch"), "If", flowing)


def case_gradient(call: Call, *flowing: Tensor | None) -> list[Tensor | None]:
    """The gradient rule of `Case`."""
    if isinstance(call.inputs[0], EagerTensor) and not isinstance(call.outputs[0], SymbolicTensor):
        from modtf.core.ops.control.flow import branch_at

        return _eager_gradient(branch_at(int(call.inputs[0]), call["branches"]), call, flowing)
    return _gradient(call, ("branches",), "Case", flowing)


def _eager_gradient(taken: Graph, call: Call, flowing: Sequence[Tensor | None]) -> list[Tensor | None]:
    graph, positions = recomputing_gradient(taken, tuple(item is not None for item in flowing))
    gradients = call_graph(graph, [*call.inputs[1:], *(item for item in flowing if item is not None)])
    return [None, *gradients_by_position(len(call.inputs) - 1, positions, gradients)]


def _gradient(
    call: Call, branch_attrs: tuple[str, ...], kind: str, flowing: Sequence[Tensor | None]
) -> list[Tensor | None]:
    node: Node = call.outputs[0].node
    branches = _branches(node, branch_attrs)
    mask = [item is not None for item in flowing] + [False] * (len(node.outputs) - len(flowing))
    halves = [differentiate(branch, mask) for branch in branches]
    extra = [_new_intermediates(item) for item in halves]
    first = len(node.outputs)
    _give_too(node, branch_attrs, [item.forward for item in halves], extra)
    values = _values_of_intermediates(node, halves, extra, first)

    positions = sorted({position for item in halves for position in item.positions})
    if not positions:
        return [None] * len(call.inputs)
    given = [item for item in flowing if item is not None]
    # A branch on which an input has no influence gives zeros of the input's shape, and so needs the input.
    lacking = [p for p in positions if any(p not in item.positions for item in halves)]
    bases = [node.inputs[1 + position] for position in lacking]
    inputs: list[Any] = [*given, *bases, *(value for item in values for value in item)]
    dtypes_of = {p: t.dtype for item in halves for p, t in zip(item.positions, item.backward.outputs, strict=True)}
    backward = [
        _backward_branch(index, item, given, bases, values, positions, lacking, dtypes_of)
        for index, item in enumerate(halves)
    ]
    op = get_op(variant_of(f"Stateless{kind}", kind, backward))
    attrs = {
        "Tout": tuple(tensor.dtype for tensor in backward[0].outputs),
        "output_shapes": (),
        **_as_attrs(branch_attrs, backward),
    }
    gradients = execute(op, [node.inputs[0], *inputs], op.schema.canonical_attrs(attrs))
    return [None, *gradients_by_position(len(call.inputs) - 1, positions, gradients)]


def _branches(node: Node, branch_attrs: tuple[str, ...]) -> list[Graph]:
    return list(node["branches"]) if branch_attrs == ("branches",) else [node[name] for name in branch_attrs]


def _as_attrs(branch_attrs: tuple[str, ...], branches: Sequence[Graph]) -> dict[str, Any]:
    if branch_attrs == ("branches",):
        return {"branches": tuple(branches)}
    return dict(zip(branch_attrs, branches, strict=True))


def _new_intermediates(halves: Differentiated) -> list[SymbolicTensor]:
    """Those that are neither inputs nor outputs of the branch: they have to be handed out."""
    known = {id(tensor) for tensor in (*halves.forward.inputs, *halves.forward.outputs)}
    return [tensor for tensor in halves.intermediates if id(tensor) not in known]


def _give_too(
    node: Node, branch_attrs: tuple[str, ...], forward: Sequence[Graph], extra: Sequence[Sequence[SymbolicTensor]]
) -> None:
    """Makes a conditional give the intermediates of all branches, after what it gave before."""
    for index, graph in enumerate(forward):
        with graph.as_default():
            graph.outputs = [
                *graph.outputs,
                *(
                    tensor if owner == index else _stand_in_for(tensor)
                    for owner, tensors in enumerate(extra)
                    for tensor in tensors
                ),
            ]
    kind = node.op.name.removeprefix("Stateless")
    node.replace(
        get_op(variant_of(f"Stateless{kind}", kind, forward)),
        {
            **_as_attrs(branch_attrs, forward),
            "Tout": tuple(tensor.dtype for tensor in forward[0].outputs),
            "output_shapes": (),
        },
        outputs=[(tensor.dtype, tensor.dims) for tensors in extra for tensor in tensors],
    )


def _stand_in_for(tensor: SymbolicTensor) -> SymbolicTensor:
    op = get_op("FakeParam")
    return execute(op, (), op.schema.canonical_attrs({"dtype": tensor.dtype, "shape": tensor.shape}))


def _values_of_intermediates(
    node: Node, halves: Sequence[Differentiated], extra: Sequence[Sequence[SymbolicTensor]], first: int
) -> list[list[Tensor]]:
    """For each branch, its intermediates as tensors of the graph around."""
    values = []
    for item, tensors in zip(halves, extra, strict=True):
        outside: dict[int, Tensor] = {id(t): node.inputs[1 + i] for i, t in enumerate(item.forward.inputs)}
        for index, tensor in enumerate(item.forward.outputs[: item.output_count]):
            outside.setdefault(id(tensor), node.outputs[index])
        outside.update((id(tensor), node.outputs[first + i]) for i, tensor in enumerate(tensors))
        first += len(tensors)
        values.append([outside[id(tensor)] for tensor in item.intermediates])
    return values


def _backward_branch(
    index: int,
    halves: Differentiated,
    given: Sequence[Tensor],
    bases: Sequence[Tensor],
    values: Sequence[Sequence[Tensor]],
    positions: Sequence[int],
    lacking: Sequence[int],
    dtypes_of: dict[int, DType],
) -> Graph:
    graph = Graph(f"{halves.backward.name}_branch")
    with contexts.scoped(graph=graph, tapes=(), scope=""):
        flowing, shapes = graph.inputs_like(given), graph.inputs_like(bases)
        intermediates = [graph.inputs_like(tensors) for tensors in values][index]
        for inside, tensor in zip(intermediates, halves.intermediates, strict=True):
            inside.set_shape(tensor.shape)  # of a branch's own, more is known than of what the conditional gives
        gradients = splice(graph, halves.backward, [*flowing, *intermediates])
        by_position: dict[int, Any] = dict(zip(halves.positions, gradients, strict=True))
        for base, position in zip(shapes, lacking, strict=True):
            if position not in by_position:
                by_position[position] = zeros_like_input(base, dtypes_of[position])
        graph.outputs = [graph.capture(by_position[position]) for position in positions]
    return graph
