"""Calling Python functions out of graphs: `tf.py_function` and `tf.numpy_function`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine.execution import execute
from modtf.core.engine.vocabulary import get_op
from modtf.core.ops.control.python_calls import PythonCall, Token, run, tensors_of
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype
from modtf.core.values.specs import TypeSpec
from modtf.core.values.tensors import Tensor

__all__ = ["numpy_function", "py_function"]


def py_function(
    func: Callable[..., Any] | None = None, inp: Any = None, Tout: Any = None, name: str | None = None
) -> Any:
    """Calls a Python function with eager tensors, in a graph as well, whenever that runs.

    Gradients flow through it with respect to `inp`: what the function does is noted by a tape. A graph that calls it can
    be run in this process only.

    Args:
        func: The function; without it, a decorator is returned, and the function made by it takes the inputs.
        inp: A list of what it is given: tensors, or composite tensors.
        Tout: The dtype, or the spec, of what it gives, or a list of several; empty if it gives nothing.
        name: A name for the graph node.

    Returns:
        A tensor, or a list of them if `Tout` is a list; in a graph, their shapes are those of the specs, else unknown.

    Raises:
        TypeError: `Tout` is missing.
        InvalidArgumentError: The function gives another number of tensors, or other dtypes.
        UnknownError: The function raised an error for which `tf.errors` has no kind.
    """
    _check_given("py_function", Tout)
    if func is None:
        return lambda decorated: lambda *inputs: py_function(decorated, inputs, Tout, name)
    inputs = [item if nest.is_nested(item) or not _is_value(item) else convert_to_tensor(item) for item in inp or ()]
    tensors = [convert_to_tensor(item) for item in nest.flatten(inputs, expand_composites=True)]
    wanted = _Outputs(Tout)

    def flat(*values: Any) -> Any:
        result = func(*nest.pack_sequence_as(inputs, values, expand_composites=True))
        if result is None:
            return None
        return nest.flatten(result, expand_composites=True)[: None if wanted.is_list else len(wanted.dtypes)]

    if contexts.executing_eagerly():
        return wanted.packed(tensors_of(getattr(func, "__name__", "func"), run(flat, tensors), wanted.dtypes))
    attrs = (Token(PythonCall(flat)), False, wanted.dtypes)
    return wanted.packed(execute(get_op("EagerPyFunc"), tensors, attrs, name))


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Any = None,
    Tout: Any = None,
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Calls a Python function with NumPy arrays, in a graph as well, whenever that runs. No gradient flows through it.

    Args:
        func: The function, from arrays to arrays; without it, a decorator is returned.
        inp: A list of the tensors it is given.
        Tout: The dtype of what it gives, or a list of several.
        stateful: Whether it has effects, so that a graph calls it even if nobody takes what it gives.
        name: A name for the graph node.

    Returns:
        A tensor, or a list of them if `Tout` is a list; in a graph, their shapes are unknown.

    Raises:
        TypeError: `Tout` is missing.
        InvalidArgumentError: In a graph, the function gives another number of arrays, or other dtypes.
    """
    _check_given("numpy_function", Tout)
    if func is None:
        return lambda decorated: lambda *inputs: numpy_function(decorated, inputs, Tout, stateful, name)
    tensors = [convert_to_tensor(item) for item in inp or ()]
    wanted = _Outputs(Tout)
    if contexts.executing_eagerly():
        results = nest.flatten(func(*[np.array(tensor) for tensor in tensors]))
        return wanted.packed([convert_to_tensor(item) for item in results if item is not None])
    op = get_op("PyFunc" if stateful else "PyFuncStateless")
    return wanted.packed(execute(op, tensors, (Token(PythonCall(func)), wanted.dtypes), name))


def _check_given(function: str, Tout: Any) -> None:
    if Tout is None:
        raise TypeError(f"Missing required argument: 'Tout'. As a decorator it is written `@tf.{function}(Tout=...)`.")


def _is_value(item: Any) -> bool:
    return not isinstance(item, Tensor) and not hasattr(item, "type_spec")


class _Outputs:
    """What a function gives: a dtype or spec, or a list of them."""

    def __init__(self, Tout: Any) -> None:
        self.is_list = isinstance(Tout, (list, tuple))
        self._specs = [
            item if isinstance(item, TypeSpec) else as_dtype(item) for item in (Tout if self.is_list else [Tout])
        ]
        parts = [part for spec in self._specs for part in nest.flatten(spec, expand_composites=True)]
        self.dtypes: tuple[DType, ...] = tuple(part if isinstance(part, DType) else part.dtype for part in parts)
        self._shapes = [None if isinstance(part, DType) else part.shape for part in parts]

    def packed(self, results: Any) -> Any:
        """Returns the tensors as `Tout` has them; of none, nothing."""
        if not self._specs:
            return None if contexts.executing_eagerly() else results
        for tensor, shape in zip(results, self._shapes, strict=False):
            if shape is not None and hasattr(tensor, "set_shape"):
                tensor.set_shape(shape)
        values, remaining = [], iter(results)
        for spec in self._specs:
            if isinstance(spec, TypeSpec) and spec.component_specs is not None:
                count = len(nest.flatten(spec, expand_composites=True))
                values.append(
                    nest.pack_sequence_as(spec, [next(remaining) for _ in range(count)], expand_composites=True)
                )
            else:
                values.append(next(remaining))
        return values if self.is_list else values[0]
