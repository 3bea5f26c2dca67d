"""Derivatives of tensors of a graph, taken while it is being traced: `tf.gradients` and `tf.hessians`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.graphs import Graph
from modtf.core.engine.tapes import UnconnectedGradients, gradients_of_calls, key_tensor
from modtf.core.engine.vocabulary import Call, get_op
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.specs import TensorSpec
from modtf.core.values.tensors import Tensor

__all__ = ["AggregationMethod", "gradients", "hessians"]


class AggregationMethod:
    """How gradients that flow into a tensor from several sides are added up; without effect, whichever it is."""

    ADD_N = 0
    DEFAULT = 0
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: UnconnectedGradients | str = UnconnectedGradients.NONE,
) -> list[Any]:
    """Returns the gradients of the sum of `ys` with respect to each of `xs`, inside a `tf.function`.

    Args:
        ys: A tensor of the graph, or a list of them.
        xs: A tensor or variable, or a list of them.
        grad_ys: For each of `ys` the gradient that flows into it, or `None` for ones.
        name: The name scope of the nodes.
        gate_gradients: Without effect.
        aggregation_method: Without effect.
        stop_gradients: Tensors that are taken for constants; gradients with respect to themselves are computed even so.
        unconnected_gradients: What to return for those of `xs` that `ys` do not depend on: `"none"` or `"zero"`.

    Returns:
        A list of tensors (`IndexedSlices` where rows were gathered), one for each of `xs`.

    Raises:
        RuntimeError: No graph is being traced; use `tf.GradientTape`.
        ValueError: There are more or fewer of `grad_ys` than of `ys`, or `unconnected_gradients` is another.
        LookupError: An op on the way has no gradient.
    """
    graph = contexts.current().graph
    if graph is None:
        raise RuntimeError(
            "tf.gradients is not supported when eager execution is enabled. Use tf.GradientTape instead."
        )
    if unconnected_gradients not in (*UnconnectedGradients, "none", "zero"):
        raise ValueError(f"Unknown value for unconnected_gradients: {unconnected_gradients!r}")
    targets, sources = _as_list(ys), _as_list(xs)
    flowing = [None] * len(targets) if grad_ys is None else _as_list(grad_ys)
    if len(flowing) != len(targets):
        raise ValueError(f"Length mismatch. Passed {len(flowing)} grad_ys for {len(targets)} ys")
    constants = {id(key_tensor(item)) for item in _as_list(stop_gradients)}
    from modtf.core.modules import name_scope

    with name_scope(graph.unique_name(name).rpartition("/")[2]), contexts.scoped(tapes=()):
        found = gradients_of_calls(
            list(_without(constants, _calls(graph))),
            [key_tensor(item) for item in targets],
            [key_tensor(item) for item in sources],
            flowing,
        )
        if UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO:
            found = [
                raw.ZerosLike(convert_to_tensor(source)) if item is None else item
                for item, source in zip(found, sources, strict=True)
            ]
    return found


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _calls(graph: Graph) -> Iterator[Call]:
    """All calls that a tensor of the graph may come from: of the graphs around it too, and what hands their tensors on."""
    if graph.outer is not None:
        yield from _calls(graph.outer)
    for outside, inside in graph.captures:
        yield Call(_IDENTITY, (outside,), (outside.dtype,), [inside])
    yield from graph.nodes


_IDENTITY = get_op("Identity")


def _without(constants: set[int], calls: Iterator[Call]) -> Iterator[Call]:
    """The calls without those whose outputs are all constants; of others, copies stand in for constants."""
    for call in calls:
        kept = [id(output) not in constants for output in call.outputs]
        if all(kept):
            yield call
        elif any(kept):
            outputs = [
                output if keep else raw.StopGradient(output) for output, keep in zip(call.outputs, kept, strict=True)
            ]
            yield Call(call.op, tuple(call.inputs), call.attrs, outputs)


def hessians(
    ys: Any, xs: Any, gate_gradients: bool = False, aggregation_method: int | None = None, name: str = "hessians"
) -> list[Tensor]:
    """Returns the second derivatives of the sum of `ys` with respect to each of `xs`, inside a `tf.function`.

    Args:
        ys: A tensor of the graph, or a list of them.
        xs: A tensor or variable, or a list of them.
        gate_gradients: Without effect.
        aggregation_method: Without effect.
        name: The name scope of the nodes.

    Returns:
        For each of `xs`, a tensor of its shape twice.

    Raises:
        RuntimeError: No graph is being traced.
        ValueError: The first or second derivative does not depend on one of `xs`.
    """
    from modtf.core.modules import name_scope

    graph = contexts.current().graph
    scope = name if graph is None else graph.unique_name(name).rpartition("/")[2]
    with name_scope(scope):
        return [_hessian(ys, x) for x in _as_list(xs)]


def _hessian(ys: Any, x: Any) -> Tensor:
    from modtf.core.api.functional import map_fn

    first = _connected(gradients(ys, x), x)
    shape, size = raw.Shape(first), raw.Size(first)
    one, zero = (raw.Cast(value, DstT=first.dtype) for value in (1.0, 0.0))

    def row(number: Any) -> Tensor:
        flowing = raw.Reshape(raw.OneHot(number, size, one, zero), shape)
        return _connected(gradients(first, x, grad_ys=flowing), x)

    rows = map_fn(row, raw.Range(0, size, 1), fn_output_signature=TensorSpec(x.shape, first.dtype))
    result = raw.Reshape(rows, raw.ConcatV2([shape, shape], 0))
    result.set_shape(x.shape.concatenate(x.shape))
    return result


def _connected(found: list[Any], x: Any) -> Tensor:
    if found[0] is None:
        raise ValueError(f"None values not supported: a derivative that tf.hessians needs does not depend on {x!r}.")
    return convert_to_tensor(found[0])
