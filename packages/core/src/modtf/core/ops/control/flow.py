"""Conditionals and loops: ops whose attributes are functions, of which they run one, or one again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.backends.contract import Backend
from modtf.core.engine import branch_gradients, loop_gradients
from modtf.core.engine.binding import home
from modtf.core.engine.calls import run_graph
from modtf.core.engine.graphs import Graph
from modtf.core.engine.shape_rules import from_attr
from modtf.core.engine.subgraphs import common_dims
from modtf.core.engine.vocabulary import Op, register
from modtf.core.values.dtypes import DType, variant
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.lists import TensorList
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor


def is_true(condition: Any) -> bool:
    """What a condition says: a number by not being 0, a string by having characters, others by having elements."""
    array = np.asarray(condition)
    if array.ndim:
        return array.size > 0
    return bool(array[()])


def branch_at(index: int, branches: Sequence[Graph]) -> Graph:
    """The branch that `Case` takes: the last one for an index that is out of range."""
    return branches[index if 0 <= index < len(branches) else -1]


def _if(backend: Backend, cond: Any, input: list[Any], *, then_branch: Graph, else_branch: Graph, **attrs: Any) -> Any:
    return run_graph(then_branch if is_true(cond) else else_branch, backend, input)


def _case(backend: Backend, branch_index: Any, input: list[Any], *, branches: Sequence[Graph], **attrs: Any) -> Any:
    return run_graph(branch_at(int(branch_index), branches), backend, input)


def _while(backend: Backend, input: list[Any], *, cond: Graph, body: Graph, **attrs: Any) -> Any:
    values: Sequence[Any] = input
    while is_true(_on_host(backend, cond, run_graph(cond, backend, values)[0])):
        values = run_graph(body, backend, values)
    return values


def _on_host(backend: Backend, graph: Graph, array: Any) -> Any:
    return home(backend, graph.outputs[0].dtype).to_numpy(array)


def _for(backend: Backend, start: Any, limit: Any, delta: Any, input: list[Any], *, body: Graph) -> Any:
    if not int(delta):
        raise InvalidArgumentError("For needs a delta other than 0.")
    values: Sequence[Any] = input
    place = home(backend, body.inputs[0].dtype)
    for index in range(int(start), int(limit), int(delta)):
        values = run_graph(body, backend, [place.from_numpy(np.array(index, np.int32)), *values])
    return values


def _merged_dims(graphs: Sequence[Graph], declared: Sequence[TensorShape]) -> list[Any]:
    dims: list[Dims] = [tensor.dims for tensor in graphs[0].outputs]
    for graph in graphs[1:]:
        dims = [common_dims(a, tensor.dims) for a, tensor in zip(dims, graph.outputs, strict=True)]
    if declared:
        dims = [TensorShape(a).merge_with(b).dims for a, b in zip(dims, declared, strict=True)]
    return dims


def _if_dims(cond: Tensor, input: list[Tensor], *, then_branch: Graph, else_branch: Graph, **attrs: Any) -> list[Any]:
    return _merged_dims([then_branch, else_branch], attrs["output_shapes"])


def _case_dims(branch_index: Tensor, input: list[Tensor], *, branches: Sequence[Graph], **attrs: Any) -> list[Any]:
    return _merged_dims(branches, attrs["output_shapes"])


def _while_dims(input: list[Tensor], *, body: Graph, output_shapes: Sequence[TensorShape], **attrs: Any) -> list[Any]:
    if output_shapes:
        return [shape.dims for shape in output_shapes]
    return [tensor.dims for tensor in body.inputs]


for _prefix, _stateful in (("", True), ("Stateless", False)):
    register(
        Op(
            f"{_prefix}If[Tcond, *Tin](cond: Tcond, input: Tin, *, Tout: list(type), then_branch: func, "
            "else_branch: func, output_shapes: list(shape) = []) -> (output: Tout)",
            kernel=_if,
            shape=_if_dims,
            stateful=_stateful,
            fills_gradients=False,
        )
    ).gradient(branch_gradients.if_gradient)
    register(
        Op(
            f"{_prefix}Case[*Tin](branch_index: int32, input: Tin, *, Tout: list(type), branches: list(func), "
            "output_shapes: list(shape) = []) -> (output: Tout)",
            kernel=_case,
            shape=_case_dims,
            stateful=_stateful,
            fills_gradients=False,
        )
    ).gradient(branch_gradients.case_gradient)
    register(
        Op(
            f"{_prefix}While[*T](input: T, *, cond: func, body: func, output_shapes: list(shape) = [], "
            "parallel_iterations: int = 10) -> (output: T)",
            kernel=_while,
            shape=_while_dims,
            stateful=_stateful,
            fills_gradients=False,
        )
    ).gradient(loop_gradients.while_gradient)

register(
    Op(
        "For[*T](start: int32, limit: int32, delta: int32, input: T, *, body: func) -> (output: T)",
        kernel=_for,
        shape=lambda start, limit, delta, input, *, body: [tensor.dims for tensor in body.outputs],
        host_inputs={"start", "limit", "delta"},
        stateful=True,
    )
)


def _fake(xp: Any, *, dtype: DType, shape: TensorShape) -> Any:
    if dtype is variant:
        return TensorList.empty(dtype, None)
    dims = tuple(dim or 0 for dim in shape.dims or ())
    return np.zeros(dims, dtype.np_dtype) if dtype.as_numpy_dtype is not np.object_ else np.full(dims, b"", object)


register(
    Op(
        "FakeParam(*, dtype: type, shape: shape) -> (output: dtype)",
        kernel=_fake,
        shape=from_attr("shape"),
        host_outputs=True,
    )
)
