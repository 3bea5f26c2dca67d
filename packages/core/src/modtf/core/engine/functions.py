"""`function`: Python functions traced into graphs, once for each kind of arguments, and called from then on as graphs."""

from __future__ import annotations

import functools
import inspect
import itertools
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine.calls import call_graph
from modtf.core.engine.graphs import Graph, Node
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.resources import Handle, handle_dims
from modtf.core.values.specs import TensorSpec
from modtf.core.values.tensors import EagerTensor, Reference, SymbolicTensor, Tensor
from modtf.core.values.variables import Variable

__all__ = ["ConcreteFunction", "Function", "function"]

_counter = itertools.count()
_current = contexts.current
_MANY_TRACES = 5


class ConcreteFunction:
    """One trace of a function: a graph, the tensors and variables it captured, and the structure of what it takes and gives.

    Args:
        graph: The graph; its inputs are the arguments' tensors, then the captured ones.
        captured_inputs: What the graph's last inputs stand for.
        structured_input_signature: `(args, kwargs)` with a `TensorSpec` for each tensor and the values of all else.
        structured_outputs: The result with a tensor, or spec, for each of the graph's outputs, and `None`s.
    """

    is_traced_function = True

    def __init__(
        self,
        graph: Graph,
        captured_inputs: Sequence[Tensor],
        structured_input_signature: tuple[tuple[Any, ...], dict[str, Any]],
        structured_outputs: Any,
    ) -> None:
        self.graph = graph
        self.captured_inputs = list(captured_inputs)
        self.structured_input_signature = structured_input_signature
        self.structured_outputs = structured_outputs
        self._flat_outputs = nest.flatten(structured_outputs)
        self._single = len(self._flat_outputs) == 1 and structured_outputs is self._flat_outputs[0] is not None
        self._parameters: list[str] | None = None

    @property
    def name(self) -> str:
        return self.graph.name

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The graph's inputs."""
        return list(self.graph.inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The graph's outputs."""
        return list(self.graph.outputs)

    @property
    def output_dtypes(self) -> Any:
        """The structure of the result with the dtypes."""
        return nest.map_structure(lambda item: None if item is None else item.dtype, self.structured_outputs)

    @property
    def output_shapes(self) -> Any:
        """The structure of the result with the shapes."""
        return nest.map_structure(lambda item: None if item is None else item.shape, self.structured_outputs)

    @property
    def variables(self) -> Sequence[Variable]:
        """The variables that it captured."""
        found = (tensor.variable for tensor in self.captured_inputs if isinstance(tensor, Handle))
        return tuple(variable for variable in found if variable is not None)

    @property
    def trainable_variables(self) -> Sequence[Variable]:
        """The captured variables that are trainable."""
        return tuple(variable for variable in self.variables if variable.trainable)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs it with tensors (or values to be made tensors) for its arguments, by position or by name.

        Raises:
            TypeError: An argument is missing or unknown, or has another dtype or shape than was traced.
        """
        return self.call_flat(self._flat_arguments(args, kwargs))

    def call_flat(self, tensors: Sequence[Tensor]) -> Any:
        """Runs it with one tensor for each tensor among its arguments."""
        outputs = call_graph(self.graph, [*tensors, *self.captured_inputs])
        if self._single:
            return outputs[0]
        remaining = iter(outputs)
        return nest.pack_sequence_as(
            self.structured_outputs, [None if item is None else next(remaining) for item in self._flat_outputs]
        )

    def _flat_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
        signature_args, signature_kwargs = self.structured_input_signature
        names = self.argument_names()
        slots: list[Any] = list(signature_args) + [signature_kwargs[key] for key in sorted(signature_kwargs)]
        if len(args) > len(slots):
            raise TypeError(f"{self.name} takes {len(slots)} arguments {names}; got {len(args)}.")
        given = dict(zip(names, args, strict=False))
        for key, value in kwargs.items():
            if key not in names:
                raise TypeError(f"{self.name} got an unexpected argument {key!r}; its arguments are {names}.")
            if key in given:
                raise TypeError(f"{self.name} got two values for the argument {key!r}.")
            given[key] = value
        tensors: list[Tensor] = []
        for name, slot in zip(names, slots, strict=True):
            specs = nest.flatten(slot)
            if name not in given:
                if any(isinstance(spec, TensorSpec) for spec in specs):
                    raise TypeError(f"{self.name} needs the argument {name!r}; its arguments are {names}.")
                continue
            nest.assert_same_structure(slot, given[name])
            for spec, value in zip(specs, nest.flatten(given[name]), strict=True):
                if isinstance(spec, TensorSpec):
                    tensors.append(self._fitting(name, spec, value))
                elif not _same_value(spec, value):
                    raise ValueError(
                        f"{self.name} was traced with {name}={spec!r}, a Python value, and cannot be called with {value!r}."
                    )
        return tensors

    def _fitting(self, name: str, spec: TensorSpec, value: Any) -> Tensor:
        tensor = convert_to_tensor(value, dtype_hint=spec.dtype)
        if not spec.is_compatible_with(tensor):
            raise TypeError(
                f"Binding inputs to {self.name} failed: the argument {name!r} must be {spec.dtype.name} of shape {spec.shape}, "
                f"but is {tensor.dtype.name} of shape {tensor.shape}."
            )
        return tensor

    def argument_names(self) -> list[str]:
        """The names by which the arguments may be given, in order of position."""
        if self._parameters is None:
            args, kwargs = self.structured_input_signature
            names = []
            for index, item in enumerate(args):
                first = next((spec.name for spec in nest.flatten(item) if isinstance(spec, TensorSpec)), None)
                names.append(first if first and not nest.is_nested(item) else f"arg{index}")
            self._parameters = names + sorted(kwargs)
        return self._parameters

    def name_arguments(self, names: Sequence[str]) -> ConcreteFunction:
        """Sets the names by which positional arguments may be given; returns itself."""
        self._parameters = list(names) + sorted(self.structured_input_signature[1])
        return self

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.name}({', '.join(self.argument_names())})>"


class _Tracing:
    """Whether variables may be made in the current trace, and which were."""

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed
        self.created: list[weakref.ref[Variable]] = []


_tracings: ContextVar[tuple[_Tracing, ...]] = ContextVar("modtf_tracings", default=())


def note_created_variable(variable: Variable) -> None:
    """Called when a variable is made while a function is traced.

    Raises:
        ValueError: It is not the function's first call.
    """
    tracings = _tracings.get()
    if any(not tracing.allowed for tracing in tracings):
        raise ValueError(
            "tf.function only supports singleton tf.Variables created on the first call. Make sure the tf.Variable is only "
            "created once or created outside tf.function."
        )
    for tracing in tracings:
        tracing.created.append(weakref.ref(variable))


class Function:
    """A Python function that runs as graphs; made by `tf.function`, whose arguments it shares.

    Attributes:
        python_function: The function that is traced.
        input_signature: The only kind of arguments that it takes, if it was given.
    """

    is_traced_function = True

    def __init__(
        self,
        python_function: Callable[..., Any],
        input_signature: Sequence[Any] | None = None,
        reduce_retracing: bool = False,
        name: str | None = None,
    ) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._reduce_retracing = reduce_retracing
        self._name: str = name or str(getattr(python_function, "__name__", type(python_function).__name__))
        self._signature = _signature_of(python_function)
        self._concrete: dict[Any, ConcreteFunction] = {}
        self._by_tensors: dict[Any, ConcreteFunction] = {}
        self._traces: list[tuple[Any, list[TensorSpec], ConcreteFunction]] = []
        self._created_variables = False
        self._traced_before = False
        self._lock = threading.RLock()
        self._trace_count = 0
        if self.input_signature is not None:
            self._check_input_signature()

    def _check_input_signature(self) -> None:
        assert self.input_signature is not None
        for leaf in nest.flatten(self.input_signature):
            if not isinstance(leaf, TensorSpec):
                raise TypeError(
                    f"input_signature must be a sequence of tf.TensorSpecs (or structures of them), not {leaf!r}."
                )
        positional = [
            parameter
            for parameter in self._signature.parameters.values()
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL)
        ]
        variadic = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in positional)
        if len(self.input_signature) > len(positional) and not variadic:
            raise TypeError(
                f"input_signature has {len(self.input_signature)} entries, but {self._name} takes {len(positional)} "
                f"arguments: {[parameter.name for parameter in positional]}."
            )

    def __get__(self, instance: Any, owner: type | None = None) -> Function:
        if instance is None:
            return self
        try:
            methods = instance.__dict__.setdefault(_METHODS, _Methods())
        except AttributeError:  # no __dict__ to keep it in
            methods = _Methods()
        bound = methods.functions.get(self)
        if bound is None:
            method = types.MethodType(self.python_function, instance)
            bound = methods.functions[self] = Function(method, self.input_signature, self._reduce_retracing, self._name)
        return bound

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            try:
                concrete = self._by_tensors.get(tuple([(tensor.dtype, tensor.dims) for tensor in args]))
            except (AttributeError, TypeError):
                concrete = None
            if concrete is not None and all([isinstance(tensor, Tensor) for tensor in args]):
                return concrete.call_flat(args)
        args, kwargs = self._bind(args, kwargs)
        concrete = self._concrete_for(args, kwargs)
        return concrete.call_flat(_tensor_leaves((args, kwargs)))

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """Returns the trace for arguments of this kind, which may be given as `TensorSpec`s.

        Raises:
            TypeError: The arguments do not fit the function or its `input_signature`.
        """
        if self.input_signature is not None and not args and not kwargs:
            args = self.input_signature
        args, kwargs = self._bind(args, kwargs)
        return self._concrete_for(args, kwargs)

    def experimental_get_tracing_count(self) -> int:
        """Returns how often the Python function was traced."""
        return self._trace_count

    @property
    def concrete_functions(self) -> list[ConcreteFunction]:
        """All traces made so far."""
        unique = {id(concrete): concrete for concrete in self._concrete.values()}
        return list(unique.values())

    @property
    def function_type(self) -> inspect.Signature:
        """The Python function's signature."""
        return self._signature

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Puts the arguments in order, fills in defaults, and makes tensors of NumPy arrays."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self._name}(): {error}. Its signature is {self._name}{self._signature}.") from None
        bound.apply_defaults()
        if self.input_signature is not None:
            return self._fit_input_signature(bound)
        return nest_map(_as_tensor, bound.args), nest_map(_as_tensor, bound.kwargs)

    def _fit_input_signature(self, bound: inspect.BoundArguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
        assert self.input_signature is not None
        args = bound.args
        count = len(self.input_signature)
        if len(args) < count:
            raise TypeError(f"{self._name}() takes {count} arguments by its input_signature; got {len(args)}.")
        fitted = []
        for index, (spec, value) in enumerate(zip(self.input_signature, args, strict=False)):
            try:
                fitted.append(_fitted(spec, value))
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"Binding inputs to tf.function failed: argument {index} of {self._name}() is not compatible with its "
                    f"input_signature.\nExpected: {spec!r}\nGiven: {value!r}\n{error}"
                ) from None
        return (*fitted, *args[count:]), dict(bound.kwargs)

    def _concrete_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ConcreteFunction:
        key = _key((args, kwargs))
        outer = _current().graph
        found = self._concrete.get(key) or self._concrete.get((key, outer))
        if found is not None:
            return found
        with self._lock:
            found = self._concrete.get(key) or self._concrete.get((key, outer))
            if found is not None:
                return found
            concrete = self._trace_that_fits(args, kwargs) or self._new_trace(args, kwargs)
            if _is_bound_to_a_graph(concrete):
                self._concrete[key, outer] = concrete
                return concrete
            self._concrete[key] = concrete
            plain = all(isinstance(item, (Tensor, TensorSpec)) for item in args)
            if plain and not kwargs and len(args) == len(self._signature.parameters):
                self._by_tensors[tuple((item.dtype, item.shape.dims) for item in args)] = concrete
            return concrete

    def _trace_that_fits(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ConcreteFunction | None:
        """A trace for wider shapes, if there is one."""
        specs, kind = _specs((args, kwargs)), _key((args, kwargs), shapes=False)
        for known, shapes, concrete in self._traces:
            if known == kind and all(a.is_subtype_of(b) for a, b in zip(specs, shapes, strict=True)):
                return concrete
        return None

    def _new_trace(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ConcreteFunction:
        specs, kind = _specs((args, kwargs)), _key((args, kwargs), shapes=False)
        if self.input_signature is not None:
            args = (*self.input_signature, *args[len(self.input_signature) :])
            specs = _specs((args, kwargs))
        elif self._reduce_retracing:
            for known, shapes, _ in self._traces:
                if known == kind:  # sizes that were seen to change are left open
                    specs = [a.most_specific_compatible_type(b) for a, b in zip(specs, shapes, strict=True)]
            remaining = iter(specs)
            args, kwargs = nest_map(
                lambda item: next(remaining) if isinstance(item, (Tensor, TensorSpec)) else item, (args, kwargs)
            )
        concrete = self._trace(args, kwargs)
        if not _is_bound_to_a_graph(concrete):
            self._traces.insert(0, (kind, specs, concrete))
            if len(self._traces) % _MANY_TRACES == 0:
                warnings.warn(
                    f"{self._name}() was traced {len(self._traces)} times, once for each new kind of arguments; tracing is "
                    "expensive. Pass tensors rather than Python numbers, and use reduce_retracing=True or an input_signature "
                    "with None for sizes that change.",
                    stacklevel=5,
                )
        return concrete

    def _trace(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ConcreteFunction:
        first = not self._traced_before
        concrete, created = self._trace_once(args, kwargs, may_create=first)
        self._traced_before = True
        if created:
            # The function's second call must make no variables; find out now, as TensorFlow does.
            concrete, _ = self._trace_once(args, kwargs, may_create=False)
        return concrete

    def _trace_once(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], may_create: bool
    ) -> tuple[ConcreteFunction, bool]:
        tracing = _Tracing(may_create)
        token = _tracings.set((*_tracings.get(), tracing))
        try:
            concrete = trace(self.python_function, args, kwargs, self._name, list(self._parameter_names(args)))
        finally:
            _tracings.reset(token)
        self._trace_count += 1
        return concrete, bool(tracing.created)

    def _parameter_names(self, args: tuple[Any, ...]) -> Iterator[str]:
        """A name for each positional argument."""
        count = 0
        for parameter in self._signature.parameters.values():
            if parameter.kind is parameter.VAR_POSITIONAL:
                for index in range(len(args) - count):
                    yield f"{parameter.name}_{index}"
                return
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                if count < len(args):
                    yield parameter.name
                count += 1

    def __repr__(self) -> str:
        return f"<tf.function {self._name}{self._signature}>"


_METHODS = "_traced_methods"


class _Methods:
    """The bound functions of one object, kept with it."""

    def __init__(self) -> None:
        self.functions: dict[Function, Function] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> _Methods:
        return _Methods()


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Sequence[Any] | None = None,
    reduce_retracing: bool = False,
    name: str | None = None,
) -> Any:
    """Makes a Python function run as graphs: traced once for each kind of arguments, compiled by the backend.

    Tensors are told apart by dtype and shape; other Python values by what they are, and are fixed in the trace.

    Args:
        func: The function; without it, a decorator is returned.
        input_signature: Structures of `TensorSpec`, one for each argument: the only kind that it shall take.
        reduce_retracing: Whether sizes that differ from call to call become unknown rather than traced anew.
        name: A name for the graphs.

    Returns:
        A `Function`, or a decorator that makes one.
    """
    if func is None:
        return lambda decorated: Function(decorated, input_signature, reduce_retracing, name)
    return Function(func, input_signature, reduce_retracing, name)


def trace(
    python_function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str,
    parameter_names: Sequence[str] = (),
) -> ConcreteFunction:
    """Traces a Python function once.

    Args:
        python_function: What is called.
        args: Its positional arguments; tensors and `TensorSpec`s in them become inputs.
        kwargs: Its keyword arguments, likewise.
        name: The graph's name, to which a number is added.
        parameter_names: The names of the positional arguments.
    """
    graph = Graph(f"__inference_{name}_{next(_counter)}", _current().graph)
    names = [*parameter_names, *(f"arg{index}" for index in range(len(parameter_names), len(args)))]
    with contexts.scoped(graph=graph, tapes=(), scope=""):
        inside_args = tuple(_placeholders(graph, value, label) for value, label in zip(args, names, strict=False))
        inside_kwargs = {key: _placeholders(graph, kwargs[key], key) for key in sorted(kwargs)}  # as calls flatten them
        result = python_function(*inside_args, **inside_kwargs)
        outputs = nest_map(_as_output, result)
        graph.outputs = [graph.capture(item) for item in nest.flatten(outputs) if item is not None]
    signature = (
        tuple(_signature_part(value, label) for value, label in zip(args, names, strict=False)),
        {key: _signature_part(value, key) for key, value in kwargs.items()},
    )
    captured = [outside for outside, _ in graph.captures]
    return ConcreteFunction(graph, captured, signature, outputs).name_arguments(names[: len(args)])


def _placeholders(graph: Graph, value: Any, name: str) -> Any:
    def one(leaf: Any) -> Any:
        if not isinstance(leaf, (Tensor, TensorSpec)):
            return leaf
        label = (leaf.name if isinstance(leaf, TensorSpec) else None) or name
        placeholder = graph.add_input(leaf.dtype, leaf.shape, label)
        if isinstance(leaf, EagerTensor) and isinstance(leaf, Handle):
            placeholder.handle_dims = handle_dims(leaf)
        return placeholder

    return nest_map(one, value)


def _signature_part(value: Any, name: str) -> Any:
    def one(leaf: Any) -> Any:
        if isinstance(leaf, (Tensor, TensorSpec)):
            label = leaf.name if isinstance(leaf, TensorSpec) and leaf.name else name
            return TensorSpec(leaf.shape, leaf.dtype, label)
        return leaf

    return nest_map(one, value)


def _as_output(value: Any) -> Tensor | None:
    if value is None or isinstance(value, Node):
        return None
    try:
        return convert_to_tensor(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            "To be compatible with tf.function, Python functions must return zero or more Tensors or None values; got a "
            f"{type(value).__name__}: {value!r}. {error}"
        ) from None


def nest_map(transform: Callable[[Any], Any], structure: Any) -> Any:
    """`nest.map_structure` over one structure."""
    if not nest.is_nested(structure):
        return transform(structure)
    return nest.pack_sequence_as(structure, [transform(leaf) for leaf in nest.flatten(structure)])


def _signature_of(python_function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(python_function)
    except (TypeError, ValueError):
        return inspect.signature(lambda *args, **kwargs: None)


def _as_tensor(leaf: Any) -> Any:
    return convert_to_tensor(leaf) if isinstance(leaf, (np.ndarray, np.generic)) else leaf


def _fitted(spec: Any, value: Any) -> Any:
    """`value` with a tensor, of the right dtype and shape, where `spec` has a `TensorSpec`."""
    if not isinstance(spec, TensorSpec):
        if isinstance(spec, Mapping) and isinstance(value, Mapping) and set(spec) == set(value):
            return {key: _fitted(spec[key], value[key]) for key in spec}
        if isinstance(spec, (list, tuple)) and isinstance(value, (list, tuple)) and len(spec) == len(value):
            return nest.pack_sequence_as(
                spec, [leaf for pair in zip(spec, value, strict=True) for leaf in nest.flatten(_fitted(*pair))]
            )
        raise TypeError("Their structures differ.")
    given = value if isinstance(value, TensorSpec) else convert_to_tensor(value, dtype_hint=spec.dtype)
    fits = given.is_subtype_of(spec) if isinstance(given, TensorSpec) else spec.is_compatible_with(given)
    if not fits:
        raise TypeError(f"{given.dtype.name} of shape {given.shape} is not {spec.dtype.name} of shape {spec.shape}.")
    return given


def _is_bound_to_a_graph(concrete: ConcreteFunction) -> bool:
    """Whether a trace uses tensors of the graph around it, so that it is of no use elsewhere."""
    return any(isinstance(tensor, SymbolicTensor) for tensor in concrete.captured_inputs)


def _specs(structure: Any) -> list[TensorSpec]:
    return [
        TensorSpec(leaf.shape, leaf.dtype) for leaf in nest.flatten(structure) if isinstance(leaf, (Tensor, TensorSpec))
    ]


def _tensor_leaves(structure: Any) -> list[Tensor]:
    return [leaf for leaf in nest.flatten(structure) if isinstance(leaf, Tensor)]


def _key(value: Any, shapes: bool = True) -> Any:
    """What tells calls apart that need different traces; equal for calls that may share one."""
    if isinstance(value, (Tensor, TensorSpec)):
        return ("tensor", value.dtype, value.shape.dims if shapes else None)
    if isinstance(value, Mapping):
        return (type(value).__name__, tuple((key, _key(value[key], shapes)) for key in sorted(value)))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, tuple(_key(item, shapes) for item in value))
    if isinstance(value, Variable):
        return Reference(value)
    try:
        hash(value)
    except TypeError:
        return Reference(value)
    return (type(value), value)


def _same_value(first: Any, second: Any) -> bool:
    return first is second or (type(first) is type(second) and bool(first == second))
