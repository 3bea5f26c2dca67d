"""`function`: Python functions traced into graphs, once for each kind of arguments, and called from then on as graphs."""

from __future__ import annotations

import functools
import inspect
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine.autograph import converted
from modtf.core.engine.concrete import ConcreteFunction, trace
from modtf.core.engine.replicas import current_replica, outside
from modtf.core.engine.signatures import fitting_structure, python_signature, specs_in, tensors_in, trace_key
from modtf.core.engine.tracing import is_described, map_leaves
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import SymbolicTensor, Tensor
from modtf.core.values.variables import Variable

__all__ = ["Function", "function"]

_current = contexts.current
_MANY_TRACES = 5

run_eagerly = False
"""Whether functions run as the Python functions that they were made of; `tf.config.run_functions_eagerly` sets it."""


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
        autograph: bool = True,
        reduce_retracing: bool = False,
        name: str | None = None,
    ) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._autograph = autograph
        self._reduce_retracing = reduce_retracing
        self._name: str = name or str(getattr(python_function, "__name__", type(python_function).__name__))
        self._signature = python_signature(python_function)
        self._concrete: dict[Any, ConcreteFunction] = {}
        self._by_tensors: dict[Any, ConcreteFunction] = {}
        self._traces: list[tuple[Any, list[TypeSpec], ConcreteFunction]] = []
        self._created_variables = False
        self._traced_before = False
        self._lock = threading.RLock()
        self._trace_count = 0
        self._of_replicas: dict[int, Function] | None = {}
        if self.input_signature is not None:
            self._check_input_signature()

    def _check_input_signature(self) -> None:
        assert self.input_signature is not None
        for leaf in nest.flatten(self.input_signature):
            if not isinstance(leaf, TypeSpec):
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
            bound = methods.functions[self] = Function(
                method, self.input_signature, self._autograph, self._reduce_retracing, self._name
            )
        return bound

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if run_eagerly:
            return self.python_function(*args, **kwargs)
        replica = current_replica()
        if replica is not None and self._of_replicas is not None:
            return self._of_replica(replica)(*args, **kwargs)
        if not kwargs:
            try:
                concrete = self._by_tensors.get(tuple([(tensor.dtype, tensor.dims) for tensor in args]))
            except (AttributeError, TypeError):
                concrete = None
            if concrete is not None and all([isinstance(tensor, Tensor) for tensor in args]):
                return concrete.call_flat(args)
        args, kwargs = self._bind(args, kwargs)
        concrete = self._concrete_for(args, kwargs)
        return concrete.call_flat(tensors_in((args, kwargs)))

    def _of_replica(self, number: int) -> Function:
        """The function with the traces that it has in a strategy's replica."""
        assert self._of_replicas is not None
        found = self._of_replicas.get(number)
        if found is None:
            found = Function(
                self.python_function, self.input_signature, self._autograph, self._reduce_retracing, self._name
            )
            found._of_replicas = None
            found = self._of_replicas.setdefault(number, found)
        return found

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """Returns the trace for arguments of this kind, which may be given as `TensorSpec`s.

        Raises:
            TypeError: The arguments do not fit the function or its `input_signature`.
        """
        if self.input_signature is not None and not args and not kwargs:
            args = self.input_signature
        args, kwargs = self._bind(args, kwargs)
        return self._concrete_for(args, kwargs)

    @property
    def name(self) -> str:
        """The Python function's name."""
        return self._name

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """Returns the signatures of all traces made so far, as lines of text; briefer ones if not `verbose`."""
        return "\n\n".join(item.pretty_printed_signature(verbose) for item in self.concrete_functions)

    def experimental_get_tracing_count(self) -> int:
        """Returns how often the Python function was traced."""
        return self._trace_count

    @property
    def concrete_functions(self) -> list[ConcreteFunction]:
        """All traces made so far."""
        for of_replica in list((self._of_replicas or {}).values()):  # what replicas called, as it is outside of them
            with outside():
                for args, kwargs in [item.structured_input_signature for item in of_replica.concrete_functions]:
                    self.get_concrete_function(*args, **kwargs)
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
        return map_leaves(_as_tensor, bound.args), map_leaves(_as_tensor, bound.kwargs)

    def _fit_input_signature(self, bound: inspect.BoundArguments) -> tuple[tuple[Any, ...], dict[str, Any]]:
        assert self.input_signature is not None
        args = bound.args
        count = len(self.input_signature)
        if len(args) < count:
            raise TypeError(f"{self._name}() takes {count} arguments by its input_signature; got {len(args)}.")
        fitted = []
        for index, (spec, value) in enumerate(zip(self.input_signature, args, strict=False)):
            try:
                fitted.append(fitting_structure(spec, value))
            except (TypeError, ValueError) as error:
                raise TypeError(
                    f"Binding inputs to tf.function failed: argument {index} of {self._name}() is not compatible with its "
                    f"input_signature.\nExpected: {spec!r}\nGiven: {value!r}\n{error}"
                ) from None
        return (*fitted, *args[count:]), dict(bound.kwargs)

    def _concrete_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ConcreteFunction:
        key = trace_key((args, kwargs))
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
        specs, kind = specs_in((args, kwargs)), trace_key((args, kwargs), shapes=False)
        for known, shapes, concrete in self._traces:
            if known == kind and all(a.is_subtype_of(b) for a, b in zip(specs, shapes, strict=True)):
                return concrete
        return None

    def _new_trace(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ConcreteFunction:
        specs, kind = specs_in((args, kwargs)), trace_key((args, kwargs), shapes=False)
        if self.input_signature is not None:
            args = (*self.input_signature, *args[len(self.input_signature) :])
            specs = specs_in((args, kwargs))
        elif self._reduce_retracing:
            for known, shapes, _ in self._traces:
                if known == kind:  # sizes that were seen to change are left open
                    specs = [a.most_specific_compatible_type(b) for a, b in zip(specs, shapes, strict=True)]
            remaining = iter(specs)
            args, kwargs = map_leaves(lambda item: next(remaining) if is_described(item) else item, (args, kwargs))
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
            traced = converted(self.python_function) if self._autograph else self.python_function
            concrete = trace(traced, args, kwargs, self._name, list(self._parameter_names(args)))
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
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: dict[str, Any] | None = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Makes a Python function run as graphs: traced once for each kind of arguments, compiled by the backend.

    Tensors are told apart by dtype and shape; other Python values by what they are, and are fixed in the trace.

    Args:
        func: The function; without it, a decorator is returned.
        input_signature: Structures of `TensorSpec`, one for each argument: the only kind that it shall take.
        autograph: Whether Python's `if`, `while`, `for`, `and`, ... on tensors become ops; see `tf.autograph`.
        jit_compile: Without effect: the backend compiles what it can.
        reduce_retracing: Whether sizes that differ from call to call become unknown rather than traced anew.
        experimental_implements: Without effect.
        experimental_autograph_options: Without effect.
        experimental_attributes: Without effect.
        experimental_relax_shapes: The older name of `reduce_retracing`.
        experimental_compile: Without effect, as `jit_compile`.
        experimental_follow_type_hints: Without effect.

    Returns:
        A `Function`, or a decorator that makes one.
    """
    reduce_retracing = bool(reduce_retracing or experimental_relax_shapes)
    if func is None:
        return lambda decorated: Function(decorated, input_signature, autograph, reduce_retracing)
    return Function(func, input_signature, autograph, reduce_retracing)


def _as_tensor(leaf: Any) -> Any:
    return convert_to_tensor(leaf) if isinstance(leaf, (np.ndarray, np.generic)) else leaf


def _is_bound_to_a_graph(concrete: ConcreteFunction) -> bool:
    """Whether a trace uses tensors of the graph around it, so that it is of no use elsewhere."""
    return any(isinstance(tensor, SymbolicTensor) for tensor in concrete.captured_inputs)
