"""The functions that users give to datasets: traced once, then run on hosted values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.data.structures import (
    components,
    from_components,
    has_symbol,
    is_dense,
    normalized,
    specs_of,
)
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine.autograph import converted
from modtf.core.engine.calls import compiled
from modtf.core.engine.concrete import trace
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec
from modtf.core.values.tensors import Tensor


class TracedFunction:
    """A user's function of elements as a graph.

    Args:
        function: The function.
        arguments: The specs of its arguments, a structure each.
        what: Whose argument it is, for messages.

    Attributes:
        output: The specs of what it gives, in its structure.
        captured: The tensors from outside that it uses.
    """

    def __init__(self, function: Callable[..., Any], arguments: Sequence[Any], what: str) -> None:
        if not callable(function):
            raise TypeError(f"{what} needs a function, not {function!r}.")
        user_function = converted(function)
        found: list[Any] = []

        def flat(*inputs: Any) -> list[Any]:
            result = user_function(*inputs)
            try:
                result = normalized(tuple(result) if isinstance(result, list) else result)
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"Unsupported return value from function passed to {what}: {result!r}. {error}"
                ) from None
            leaves = nest.flatten(result)
            if all(leaf is None for leaf in leaves):
                raise TypeError(f"The function passed to {what} gives no tensor: {result!r}. Does it lack a `return`?")
            found.append(specs_of(result))
            return leaves

        name = getattr(function, "__name__", "function")
        self._concrete = trace(flat, tuple(arguments), {}, f"Dataset_{name if name.isidentifier() else 'function'}")
        self.output = found[-1]
        self.captured: list[Tensor] = list(self._concrete.captured_inputs)
        self._inputs = nest.flatten(list(arguments))
        self._outputs = nest.flatten(self.output)

    def bound(self, captured: Sequence[Any]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """Returns the function of hosted values that it is.

        Args:
            captured: The arrays of the captured tensors.
        """
        run = compiled(self._concrete.graph, NUMPY).run
        given, inputs, outputs = tuple(captured), self._inputs, self._outputs
        if all(map(is_dense, inputs)) and all(map(is_dense, outputs)):
            return lambda values: tuple(run(*values, *given))

        def call(values: Sequence[Any]) -> tuple[Any, ...]:
            return from_components(outputs, iter(run(*components(inputs, values), *given)))

        return call


def arguments_of(structure: Any) -> tuple[Any, ...]:
    """Returns what a function is given for an element: the parts of a tuple one by one."""
    return structure if type(structure) is tuple else (structure,)


def scalar_of(value: Any, dtype: Any, what: str) -> Any:
    """Returns a number as a scalar tensor.

    Raises:
        ValueError: It is no scalar.
    """
    if has_symbol(value):
        tensor = convert_to_tensor(value, dtype=dtype)
    else:
        with contexts.init_scope():
            tensor = convert_to_tensor(value, dtype=dtype)
    if tensor.dims not in ((), None):
        raise ValueError(f"{what} must be a scalar, but its shape is {tensor.shape}.")
    return tensor


def traced_until_stable(
    function: Callable[..., Any], state: Any, element: Any, split: Callable[[Any], Any], what: str
) -> tuple[TracedFunction, Any]:
    """Traces a function of a state and an element; sizes of the state that it changes are left open.

    Args:
        function: The function.
        state: The specs of the first state.
        element: The specs of an element.
        split: From the specs of what the function gives to those of the state in it.
        what: Whose argument it is, for messages.

    Returns:
        The function, and the specs of all states.

    Raises:
        TypeError: The next state has another structure or dtype than the first.
    """
    while True:
        traced = TracedFunction(function, (state, element), what)
        after = split(traced.output)
        try:
            pairs = list(zip(nest.flatten(state), nest.flatten(after), strict=True))
            nest.assert_same_structure(state, after)
        except ValueError:
            raise TypeError(
                f"The structure of the new state must match that of the initial state.\nExpected: {state}\nFound: {after}"
            ) from None
        wider = []
        for old, new in pairs:
            if type(old) is not type(new) or getattr(old, "dtype", None) is not getattr(new, "dtype", None):
                raise TypeError(
                    f"The element types for the new state must match the initial state. Expected {old}; got {new}."
                )
            wider.append(_widened(old, new))
        if wider == nest.flatten(state):
            return traced, state
        state = nest.pack_sequence_as(state, wider)


def _widened(old: Any, new: Any) -> Any:
    if isinstance(old, TensorSpec):
        return TensorSpec(_common(old.shape, new.shape), old.dtype)
    return old.most_specific_compatible_type(new)


def _common(first: TensorShape, second: TensorShape) -> TensorShape:
    if first.rank is None or first.rank != second.rank:
        return TensorShape(None)
    return TensorShape([a if a == b else None for a, b in zip(first.as_list(), second.as_list(), strict=True)])


def is_true(value: Any) -> bool:
    """Whether a hosted scalar is true."""
    return bool(np.asarray(value))
