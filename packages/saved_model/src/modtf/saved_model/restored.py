"""What loaded models are made of: objects with attributes, functions that choose among their traces, traces."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import ConcreteFunction, Graph, SymbolicTensor

from .boundary import reading
from .errors import DataLossError, UnsupportedError
from .structures import OpaqueSpec


class _UnlessSaved:
    """A property of `tf.Module`, unless the file has an attribute of that name."""

    def __init__(self, inherited: property) -> None:
        self._inherited = inherited
        self.__doc__ = inherited.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self._inherited.__get__(instance, owner)


class RestoredObject(tf.Module):
    """A loaded object: its children are attributes.

    It has what a `tf.Module` has. `variables` and the like are those saved under these names, as a Reusable SavedModel
    has them, or else those of the whole tree below.
    """

    variables = _UnlessSaved(tf.Module.variables)  # type: ignore[arg-type]
    trainable_variables = _UnlessSaved(tf.Module.trainable_variables)  # type: ignore[arg-type]
    non_trainable_variables = _UnlessSaved(tf.Module.non_trainable_variables)  # type: ignore[arg-type]
    submodules = _UnlessSaved(tf.Module.submodules)  # type: ignore[arg-type]
    name = _UnlessSaved(tf.Module.name)  # type: ignore[arg-type]
    name_scope = _UnlessSaved(tf.Module.name_scope)  # type: ignore[arg-type]


class CallableRestoredObject(RestoredObject):
    """A loaded object with a function `__call__`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the loaded function."""
        return vars(self)["__call__"](*args, **kwargs)


class RestoredConcreteFunction(ConcreteFunction):
    """A trace whose graph is made when it is first needed.

    Args:
        name: the function's name in the file.
        make_graph: makes the graph.
        captured_inputs: what the graph's last inputs stand for.
        signature: args and kwargs with a `TensorSpec` for each tensor.
        outputs: the structure of what it gives, with a `TensorSpec` for each tensor.
        obstacle: why it cannot be called, if it cannot.
        path: the file, for errors.
    """

    def __init__(
        self,
        name: str,
        make_graph: Callable[[], Graph],
        captured_inputs: Sequence[tf.Tensor],
        signature: tuple[tuple[Any, ...], dict[str, Any]],
        outputs: Any,
        obstacle: str = "",
        path: str = "",
    ) -> None:
        self._graph: Graph | None = None
        self._lock = threading.Lock()
        self._name = name
        self._make_graph = make_graph
        self._obstacle = obstacle
        self._path = path
        super().__init__(None, captured_inputs, signature, outputs)  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        return self._name

    @property
    def graph(self) -> Graph:
        """The graph.

        Raises:
            SavedModelError: the file does not describe one that can be run.
        """
        if self._graph is None:
            with self._lock:
                if self._graph is None:
                    with reading(self._path, f"function {self._name!r}"):
                        self._graph = self._checked(self._make_graph())
        return self._graph

    @graph.setter
    def graph(self, graph: Graph | None) -> None:
        self._graph = graph

    def _checked(self, graph: Graph) -> Graph:
        if self._obstacle:
            raise UnsupportedError(f"cannot be called: {self._obstacle}")
        outside = _dtypes_in(self.structured_input_signature) + [tensor.dtype for tensor in self.captured_inputs]
        if outside != [tensor.dtype for tensor in graph.inputs]:
            raise DataLossError(f"takes {_dtypes(graph.inputs)}, but is given {[dtype.name for dtype in outside]}.")
        wanted = _dtypes_in(self.structured_outputs)
        if wanted != [tensor.dtype for tensor in graph.outputs]:
            raise DataLossError(f"gives {_dtypes(graph.outputs)}, but shall give {[item.name for item in wanted]}.")
        return graph


def _dtypes_in(structure: Any) -> list[tf.DType]:
    """The dtypes of the tensors that a structure of specs describes."""
    leaves = tf.nest.flatten(structure, expand_composites=True)
    return [leaf.dtype for leaf in leaves if isinstance(leaf, tf.TensorSpec)]


def _dtypes(tensors: Sequence[SymbolicTensor]) -> list[str]:
    return [tensor.dtype.name for tensor in tensors]


class RestoredFunction:
    """A loaded `tf.function`: a call runs the trace that was saved for such arguments.

    Args:
        name: what it is called, for errors.
        signature: the Python signature, with the default values.
        input_signature: the only kind of arguments that it takes, if it was given.
        traces: the traces, in the order in which they are tried.
    """

    is_traced_function = True

    def __init__(
        self, name: str, signature: inspect.Signature, input_signature: Any, traces: Sequence[ConcreteFunction]
    ) -> None:
        self.__name__ = name
        self.function_type = signature
        self.input_signature = input_signature
        self.concrete_functions = list(traces)
        self._by_tensors: dict[Any, ConcreteFunction] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the trace that fits.

        Raises:
            TypeError: the arguments do not fit the Python signature.
            ValueError: there is no trace for them.
        """
        key = None
        if not kwargs:
            try:
                key = tuple([(tensor.dtype, tensor.dims) for tensor in args])
                concrete = self._by_tensors.get(key)
            except (AttributeError, TypeError):
                key = concrete = None
            if concrete is not None and all([isinstance(tensor, tf.Tensor) for tensor in args]):
                return concrete.call_flat(args)
        bound = self._bind(args, kwargs)
        concrete, tensors = self._choose(bound)
        if key is not None and len(tensors) == len(args) and all(map(_is, tensors, args)):
            self._by_tensors[key] = concrete
        return concrete.call_flat(tensors)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """Returns the trace for arguments of this kind, which may be given as `TensorSpec`s.

        Raises:
            TypeError: the arguments do not fit the Python signature.
            ValueError: there is no trace for them.
        """
        if self.input_signature is not None and not args and not kwargs:
            return self.concrete_functions[0]
        return self._choose(self._bind(args, kwargs))[0]

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        try:
            bound = self.function_type.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(
                f"{self.__name__}(): {error}. Its signature is {self.__name__}{self.function_type}."
            ) from None
        bound.apply_defaults()
        return bound.args, bound.kwargs

    def _choose(self, given: tuple[tuple[Any, ...], dict[str, Any]]) -> tuple[ConcreteFunction, list[Any]]:
        """The first trace that takes the tensors as they are, or else after making tensors of what is none."""
        for convert in (False, True):
            for concrete in self.concrete_functions:
                tensors = _fit(concrete.structured_input_signature, given, convert)
                if tensors is not None:
                    return concrete, tensors
        raise ValueError(self._no_trace(given))

    def _no_trace(self, given: Any) -> str:
        if not self.concrete_functions:
            return f"{self.__name__}() was saved without a trace, since it had never been called, so it cannot be called now."
        options = "\n".join(f"  {_shown(concrete.structured_input_signature)}" for concrete in self.concrete_functions)
        return (
            f"{self.__name__}() was not saved for such arguments:\n  {_shown(given)}\n"
            f"It can be called with one of these:\n{options}"
        )

    def __repr__(self) -> str:
        return f"<loaded tf.function {self.__name__}{self.function_type} with {len(self.concrete_functions)} traces>"


def _is(first: Any, second: Any) -> bool:
    return first is second


def _fit(signature: Any, given: Any, convert: bool) -> list[Any] | None:
    """The tensors among arguments that fit a trace, or None if they do not."""
    tensors: list[Any] = []
    return tensors if _fits(signature, given, convert, tensors) else None


def _fits(expected: Any, value: Any, convert: bool, tensors: list[Any]) -> bool:
    """Whether an argument fits; the tensors in it are added to `tensors`, in the order that `tf.nest` has."""
    if isinstance(expected, Mapping):
        return (
            isinstance(value, Mapping)
            and expected.keys() == value.keys()
            and all(_fits(expected[key], value[key], convert, tensors) for key in sorted(expected))
        )
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(value, list if isinstance(expected, list) else tuple)
            and len(expected) == len(value)
            and all(_fits(part, item, convert, tensors) for part, item in zip(expected, value, strict=True))
        )
    if isinstance(expected, tf.TypeSpec) and not isinstance(expected, tf.TensorSpec):
        if not _fits_composite(expected, value):
            return False
        tensors.extend(tf.nest.flatten(value, expand_composites=True))
        return True
    if isinstance(expected, tf.TensorSpec):
        tensor = _fit_tensor(expected, value, convert)
        tensors.append(tensor)
        return tensor is not None
    return _same(expected, value)


def _fits_composite(spec: tf.TypeSpec, value: Any) -> bool:
    """Whether a composite tensor, or a spec of one, fits the spec of one."""
    if isinstance(spec, OpaqueSpec):
        return False
    if isinstance(value, tf.TypeSpec):
        return type(value) is type(spec) and value.is_subtype_of(spec)
    given = getattr(value, "type_spec", None)
    return isinstance(given, type(spec)) and spec.is_compatible_with(given)


def _fit_tensor(spec: tf.TensorSpec, value: Any, convert: bool) -> Any:
    if value is None:
        return None
    if isinstance(value, tf.TensorSpec):
        return value if value.dtype is spec.dtype and value.shape.is_subtype_of(spec.shape) else None
    if not isinstance(value, (tf.Tensor, tf.Variable)):
        if not convert:
            return None
        try:
            value = tf.convert_to_tensor(value, dtype_hint=spec.dtype)
        except (TypeError, ValueError):
            return None
    if not spec.is_compatible_with(value):
        return None
    return tf.convert_to_tensor(value)


def _same(expected: Any, value: Any) -> bool:
    if isinstance(value, (tf.Tensor, tf.Variable)) or isinstance(expected, tf.Tensor):
        return expected is value
    if isinstance(expected, np.ndarray) or isinstance(value, np.ndarray):
        return np.array_equal(expected, value)
    return bool(expected == value)


def _shown(arguments: Any) -> str:
    """Arguments as in a call, tensors by dtype and shape."""

    def show(value: Any) -> str:
        if isinstance(value, tuple):
            return f"({', '.join(map(show, value))}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(map(show, value))}]"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{key!r}: {show(item)}' for key, item in value.items())}}}"
        spec = getattr(value, "type_spec", value)
        if isinstance(spec, tf.TypeSpec) and not isinstance(spec, tf.TensorSpec):
            return repr(spec)
        if hasattr(value, "dtype") and hasattr(value, "shape"):
            return f"{getattr(value.dtype, 'name', value.dtype)}{value.shape}"
        return repr(value)

    args, kwargs = arguments
    return f"({', '.join([*map(show, args), *(f'{key}={show(item)}' for key, item in kwargs.items())])})"
