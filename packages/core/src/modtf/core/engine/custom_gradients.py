"""`custom_gradient` and `recompute_grad`: functions whose gradient is another function of the user's.

What the function computes is passed on by an `IdentityN`, along with all that the gradient takes, so that a graph can be
copied, differentiated and saved without knowing of the Python function. The gradient is traced into a graph of its own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine.calls import call_graph
from modtf.core.engine.execution import execute, note
from modtf.core.engine.graphs import Graph
from modtf.core.engine.subgraphs import share_captures, trace_subgraph
from modtf.core.engine.tapes import GradientTape
from modtf.core.engine.vocabulary import get_op
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable

__all__ = ["custom_gradient", "grad_pass_through", "recompute_grad"]

_IDENTITY = get_op("IdentityN")


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """Gives a function a gradient of its own; usable as a decorator.

    Args:
        f: From tensors to `(result, grad_fn)`, where `grad_fn` takes the gradients of the result's tensors and returns
            those of the arguments. If `f` reads variables, `grad_fn` must take a keyword argument `variables`, and return
            a pair: the arguments' gradients, and a list of those of the variables.

    Returns:
        A function from the arguments to the result.

    Raises:
        TypeError: `f` reads variables, and `grad_fn` has no argument `variables`.
        ValueError: `grad_fn` gives another number of gradients than there are arguments.
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return _Application(f, args, kwargs).result

    return decorated


class GraphGradient:
    """The gradient rule of an `IdentityN` whose gradient is a graph.

    Attributes:
        graph: From the gradients of the first outputs, and the last inputs, to the gradients of some of the inputs.
        results: Of how many outputs it takes the gradients.
        positions: Of which inputs it gives the gradients, as numbers.
        captured: How many of the last inputs it takes.
    """

    def __init__(self, graph: Graph, results: int, positions: Sequence[int], captured: int) -> None:
        self.graph = graph
        self.results = results
        self.positions = tuple(positions)
        self.captured = captured

    def __call__(self, call: Any, *flowing: Any) -> list[Any]:
        given = [self._filled(*pair) for pair in zip(flowing[: self.results], self.graph.inputs, strict=False)]
        found = call_graph(self.graph, [*given, *call.inputs[len(call.inputs) - self.captured :]])
        results: list[Any] = [None] * len(call.inputs)
        for position, gradient in zip(self.positions, found, strict=True):
            results[position] = gradient
        return results

    def _filled(self, flowing: Any, expected: Tensor) -> Tensor:
        if flowing is not None and flowing.dtype is expected.dtype:
            return flowing
        return convert_to_tensor(np.zeros([dim or 1 for dim in expected.dims or ()], expected.dtype.np_dtype))


class _Application:
    """One call of a function with a gradient of its own."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tapes = contexts.current().tapes
        given = [
            item if isinstance(item, (CompositeTensor, Variable)) else _converted(item) for item in nest.flatten(args)
        ]
        inside = [item.value() if isinstance(item, Variable) else item for item in given]
        self._arguments = [leaf for leaf in nest.flatten(inside, expand_composites=True) if isinstance(leaf, Tensor)]
        own = {id(item) for item in given if isinstance(item, Variable)}
        with contexts.scoped(tapes=()), GradientTape() as finder:
            outcome = f(*nest.pack_sequence_as(args, inside), **kwargs)
        try:
            result, self._grad_fn = outcome
        except (TypeError, ValueError):
            raise TypeError(
                f"A function with a custom gradient must return (result, grad_fn), not {outcome!r}."
            ) from None
        self._variables = [variable for variable in finder.watched_variables() if id(variable) not in own]
        self._check_takes_variables()
        self._structure = nest.map_structure(
            lambda leaf: leaf if isinstance(leaf, CompositeTensor) else convert_to_tensor(leaf), result
        )
        self._results = nest.flatten(self._structure, expand_composites=True)
        outputs = self._in_graph() if contexts.inside_function() else self._at_once(tapes)
        self.result = nest.pack_sequence_as(self._structure, outputs, expand_composites=True)

    def _check_takes_variables(self) -> None:
        if not self._variables:
            return
        parameters = inspect.signature(self._grad_fn).parameters
        if "variables" not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            names = [variable.name for variable in self._variables]
            raise TypeError(
                f"The function reads the variables {names}, so its grad_fn must take the keyword argument 'variables' and return "
                "(gradients of the arguments, gradients of the variables)."
            )

    def _gradients(self, *flowing: Any) -> list[Any]:
        """What the user's function gives, one gradient (or `None`) for each argument tensor and variable."""
        if self._variables:
            of_arguments, of_variables = self._grad_fn(*flowing, variables=self._variables)
        else:
            of_arguments, of_variables = self._grad_fn(*flowing), ()
        if len(self._arguments) == 1 and not isinstance(of_arguments, (list, tuple)):
            of_arguments = [of_arguments]
        found = [*nest.flatten(of_arguments), *nest.flatten(list(of_variables))]
        expected = len(self._arguments) + len(self._variables)
        if len(found) != expected:
            raise ValueError(f"grad_fn must give {expected} gradients, one for each argument, but gave {len(found)}.")
        return [None if item is None else convert_to_tensor(item) for item in found]

    def _at_once(self, tapes: tuple[Any, ...]) -> Sequence[Tensor]:
        sources = [*self._arguments, *(variable.handle for variable in self._variables)]
        with contexts.scoped(tapes=()):
            outputs = [execute(_IDENTITY, [tensor])[0] for tensor in self._results]
        rule = _IDENTITY.with_gradient(lambda call, *flowing: self._gradients(*flowing))
        note(tapes, rule, sources, (), outputs)
        return outputs

    def _in_graph(self) -> Sequence[Tensor]:
        flowing = [(tensor.dtype, tensor.dims, None) for tensor in self._results]
        positions: list[int] = []

        def gradients(*inputs: Any) -> list[Any]:
            found = self._gradients(*inputs)
            positions.extend(index for index, item in enumerate(found) if item is not None)
            return [item for item in found if item is not None]

        backward = trace_subgraph("custom_gradient", gradients, flowing)
        captured = share_captures([backward])
        count, sources = len(self._results), [*self._arguments, *(variable.handle for variable in self._variables)]

        rule = GraphGradient(backward.graph, count, [count + position for position in positions], len(captured))
        inputs = [*self._results, *sources, *captured]
        return execute(_IDENTITY.with_gradient(rule), inputs)[:count]


def _converted(item: Any) -> Any:
    try:
        return convert_to_tensor(item)
    except (TypeError, ValueError):
        return item


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function like `f` that keeps nothing for its gradient: what that needs is computed again.

    Chen et al., Training Deep Nets with Sublinear Memory Cost (2016).
    """

    @custom_gradient
    def forward(*args: Any, **kwargs: Any) -> Any:
        result = f(*args, **kwargs)

        def gradients(*flowing: Any, variables: Sequence[Variable] = ()) -> Any:
            with GradientTape() as tape:
                tape.watch(
                    [item for item in nest.flatten(args) if isinstance(item, Tensor) and item.dtype.is_differentiable]
                )
                again = f(*args, **kwargs)
            sources = [*nest.flatten(args), *variables]
            found = tape.gradient(nest.flatten(again), sources, list(flowing))
            count = len(sources) - len(variables)
            return (found[:count], found[count:]) if variables else found

        return result, gradients

    return functools.wraps(f)(forward)


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function like `f` whose gradient is that of the identity."""

    @custom_gradient
    def forward(*args: Any, **kwargs: Any) -> Any:
        def gradients(*flowing: Any, variables: Sequence[Variable] = ()) -> Any:
            return (flowing, [None] * len(variables)) if variables else flowing

        return f(*args, **kwargs), gradients

    return functools.wraps(f)(forward)
