"""Functions of `tf.debugging` that compare values, and complain if they are not as they should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.tensors import EagerTensor, Tensor

__all__ = [
    "Assert", "assert_equal", "assert_greater", "assert_greater_equal", "assert_less", "assert_less_equal", "assert_near",
    "assert_negative", "assert_non_negative", "assert_non_positive", "assert_none_equal", "assert_positive",
]  # fmt: skip


def Assert(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Any:
    """Complains if a condition does not hold; in a graph, when that runs.

    Args:
        condition: A bool scalar.
        data: A list of tensors to show in the message.
        summarize: How many elements to show of each; 3 by default, -1 for all.
        name: A name for the graph node.

    Returns:
        In a graph, the node that checks; else nothing.

    Raises:
        InvalidArgumentError: The condition does not hold.
    """
    limit = 3 if summarize is None else summarize
    if contexts.executing_eagerly():
        if not condition:
            shown = "\n".join(_listed(item, limit) for item in data)
            raise InvalidArgumentError(f"Expected '{condition}' to be true. Summarized data: {shown}")
        return None
    return raw.Assert(condition, [convert_to_tensor(item) for item in data], summarize=limit, name=name)


def _listed(value: Any, limit: int) -> str:
    """The first elements of a tensor."""
    array = np.asarray(convert_to_tensor(value))
    limit = array.size if limit < 0 else limit
    elements = [str(item) for item in array.reshape(-1)[:limit]]
    return ", ".join(elements) + (", ..." if array.size > limit else "")


def _check(
    holds: Tensor, message: str, parts: Sequence[Any], told: Callable[[], str], summarize: int | None, name: Any
) -> Any:
    """Complains if a condition does not hold everywhere: at once, if that is known now.

    Args:
        holds: The condition, a bool tensor.
        message: The user's words.
        parts: What to show if a graph finds out.
        told: What to say if it is known now.
        summarize: How many elements to show.
        name: A name for the graph node.
    """
    known = constant_value(holds)
    if known is None:
        axes = raw.Range(0, raw.Rank(holds), 1)
        return Assert(raw.All(holds, axes, keep_dims=False), [message, *parts], summarize, name)
    if not known.all():
        raise InvalidArgumentError(told())
    return None if contexts.executing_eagerly() else raw.NoOp(name=name)


def _known(*tensors: Tensor) -> bool:
    return all(isinstance(tensor, EagerTensor) or constant_value(tensor) is not None for tensor in tensors)


def _compared(op: str, x: Tensor, y: Tensor) -> Tensor:
    """The comparison; of values that are known while tracing, its value."""
    if not contexts.executing_eagerly() and _known(x, y):
        with contexts.init_scope():
            return getattr(raw, op)(*(convert_to_tensor(constant_value(item), item.dtype) for item in (x, y)))
    return getattr(raw, op)(x, y)


# ------------------------------------------------------------------------------------------------- two values


def _first(array: np.ndarray, count: int) -> np.ndarray:
    return array.reshape(-1)[:count]


def _differences(
    sign: str, condition: Tensor, first: Tensor, second: Tensor, message: str, summarize: int | None
) -> str:
    """Says where, and for which values, a comparison does not hold; all of them are known."""
    holds, x, y = (np.asarray(constant_value(item)) for item in (condition, first, second))
    limit = 3 if summarize is None else summarize
    text = f"{message}\n" if message else ""
    text += f"Condition x {sign} y did not hold.\n"
    if x.shape == y.shape and x.ndim:
        wrong = ~holds
        count = int(wrong.sum()) if limit < 0 else min(int(wrong.sum()), limit)
        text += (
            f"Indices of first {count} different values:\n{np.argwhere(wrong)[:count]}\n"
            f"Corresponding x values:\n{x[wrong][:count]}\nCorresponding y values:\n{y[wrong][:count]}\n"
        )
    counts = [array.size if limit < 0 else min(array.size, limit) for array in (x, y)]
    return text + (
        f"First {counts[0]} elements of x:\n{_first(x, counts[0])}\nFirst {counts[1]} elements of y:\n{_first(y, counts[1])}"
    )


@dispatched
def _compare(op: str, sign: str, x: Any, y: Any, message: str | None, summarize: int | None, name: str | None) -> Any:
    first, second = convert_to_tensor(x), convert_to_tensor(y)
    words = message or ""
    holds = _compared(op, first, second)

    def told() -> str:
        return _differences(sign, holds, first, second, words, summarize)

    parts: list[Any] = [f"Condition x {sign} y did not hold element-wise:"]
    for label, tensor in (("x", first), ("y", second)):
        parts += [f"{label} (shape={tensor.shape} dtype={tensor.dtype.name}) = ", tensor]
    return _check(holds, words, parts, told, summarize, name)


def _comparison(function: str, op: str, sign: str) -> Callable[..., Any]:
    def assertion(
        x: Any, y: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
    ) -> Any:
        return _compare(op, sign, x, y, message, summarize, name)

    assertion.__name__ = assertion.__qualname__ = function
    assertion.__doc__ = f"""Complains unless `x {sign} y` element for element; in a graph, when that runs.

    Args:
        x: A tensor.
        y: A tensor of the same dtype; the shapes are broadcast.
        message: What to say first.
        summarize: How many elements to show; 3 by default, -1 for all.
        name: A name for the graph node.

    Returns:
        In a graph, a node that checks; else nothing.

    Raises:
        InvalidArgumentError: It does not hold; while tracing already, if both values are known then.
    """
    return assertion


assert_equal = _comparison("assert_equal", "Equal", "==")
assert_greater = _comparison("assert_greater", "Greater", ">")
assert_greater_equal = _comparison("assert_greater_equal", "GreaterEqual", ">=")
assert_less = _comparison("assert_less", "Less", "<")
assert_less_equal = _comparison("assert_less_equal", "LessEqual", "<=")


def assert_none_equal(
    x: Any, y: Any, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> Any:
    """Complains unless `x != y` element for element; in a graph, when that runs.

    Args:
        x: A tensor.
        y: A tensor of the same dtype; the shapes are broadcast.
        summarize: How many elements to show; 3 by default, -1 for all.
        message: What to say first.
        name: A name for the graph node.

    Returns:
        In a graph, a node that checks; else nothing.

    Raises:
        InvalidArgumentError: It does not hold; while tracing already, if both values are known then.
    """
    return _compare("NotEqual", "!=", x, y, message, summarize, name)


@dispatched
def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Any:
    """Complains unless `|x - y| <= atol + rtol * |y|` element for element; in a graph, when that runs.

    Args:
        x: A floating tensor.
        y: A tensor of the same dtype; the shapes are broadcast.
        rtol: The relative tolerance; by default ten times the dtype's epsilon.
        atol: The absolute tolerance; the same by default.
        message: What to say first.
        summarize: How many elements to show; 3 by default, -1 for all.
        name: A name for the graph node.

    Returns:
        In a graph, a node that checks; else nothing.

    Raises:
        ValueError: The dtype has no epsilon, and a tolerance is not given.
        InvalidArgumentError: It does not hold; while tracing already, if both values are known then.
    """
    first = convert_to_tensor(x)
    second = convert_to_tensor(y, dtype=first.dtype)
    relative, absolute = (
        convert_to_tensor(_default_tolerance(first) if value is None else value, dtype=first.dtype.real_dtype)
        for value in (rtol, atol)
    )
    words = message or ""

    def near(first: Tensor, second: Tensor) -> Tensor:
        allowed = absolute + relative * abs(second)
        return raw.LessEqual(abs(first - second), allowed)

    if not contexts.executing_eagerly() and _known(first, second, relative, absolute):
        with contexts.init_scope():
            first, second, relative, absolute = (
                convert_to_tensor(constant_value(item), item.dtype) for item in (first, second, relative, absolute)
            )
            holds = near(first, second)
    else:
        holds = near(first, second)

    def told() -> str:
        return (
            (f"{words}\n" if words else "")
            + f"x and y not equal to tolerance rtol = {constant_value(relative)}, atol = {constant_value(absolute)}\n"
            + _differences("near", holds, first, second, "", summarize)
        )

    parts = [
        "x and y not equal to tolerance rtol, atol:", relative, absolute,
        f"x (shape={first.shape} dtype={first.dtype.name}) = ", first,
        f"y (shape={second.shape} dtype={second.dtype.name}) = ", second,
    ]  # fmt: skip
    return _check(holds, words, parts, told, summarize, name)


def _default_tolerance(tensor: Tensor) -> float:
    import ml_dtypes

    if not (tensor.dtype.is_floating or tensor.dtype.is_complex):
        raise ValueError(f"tf.debugging.assert_near compares floating tensors, not {tensor.dtype.name}.")
    return 10 * float(ml_dtypes.finfo(tensor.dtype.real_dtype.np_dtype).eps)


# ------------------------------------------------------------------------------------------------- one value


def _sign(function: str, op: str, sign: str) -> Callable[..., Any]:
    def assertion(x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None) -> Any:
        tensor = convert_to_tensor(x)
        zero = convert_to_tensor(np.zeros((), tensor.dtype.np_dtype), tensor.dtype)
        holds = _compared(op, tensor, zero)
        described = f"x (shape={tensor.shape} dtype={tensor.dtype.name}) = "

        def told() -> str:
            limit = 3 if summarize is None else summarize
            array = np.asarray(constant_value(tensor))
            shown = _first(array, array.size if limit < 0 else limit)
            start = f"{message}\n" if message else ""
            return f"{start}Condition x {sign} 0 did not hold element-wise:\n{described}\n{shown}"

        parts = [f"Condition x {sign} 0 did not hold element-wise:", described, tensor]
        return _check(holds, message or "", parts, told, summarize, name)

    assertion.__name__ = assertion.__qualname__ = function
    assertion.__doc__ = f"""Complains unless `x {sign} 0` for every element; in a graph, when that runs.

    Args:
        x: A tensor of numbers.
        message: What to say first.
        summarize: How many elements to show; 3 by default, -1 for all.
        name: A name for the graph node.

    Returns:
        In a graph, a node that checks; else nothing.

    Raises:
        InvalidArgumentError: It does not hold; while tracing already, if the value is known then.
    """
    return assertion


assert_negative = _sign("assert_negative", "Less", "<")
assert_positive = _sign("assert_positive", "Greater", ">")
assert_non_negative = _sign("assert_non_negative", "GreaterEqual", ">=")
assert_non_positive = _sign("assert_non_positive", "LessEqual", "<=")
