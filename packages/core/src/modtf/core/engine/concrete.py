"""`ConcreteFunction`: one trace of a Python function, to be called with tensors of the kinds it was traced for."""

from __future__ import annotations

import inspect
import itertools
import keyword
import re
from collections.abc import Callable, Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.calls import call_graph
from modtf.core.engine.graphs import Graph
from modtf.core.engine.signatures import Described, fitting, fitting_structure, same_value, tensors_in
from modtf.core.engine.tracing import map_leaves, placeholders, set_outputs, spec_of
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.resources import Handle
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import SymbolicTensor, Tensor
from modtf.core.values.variables import Variable

__all__ = ["ConcreteFunction", "trace"]

_counter = itertools.count()
_current = contexts.current


class ConcreteFunction:
    """One trace of a function: a graph, the tensors and variables it captured, and the structure of what it takes and gives.

    Args:
        graph: The graph; its inputs are the arguments' tensors, then the captured ones.
        captured_inputs: What the graph's last inputs stand for.
        structured_input_signature: `(args, kwargs)` with a spec for each tensor or composite and the values of all else.
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
        self._flat_outputs = nest.flatten(structured_outputs, expand_composites=True)
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

        Arguments that are Python values in the trace may be left out.

        Raises:
            TypeError: An argument is missing or unknown, has another dtype or shape than was traced, or is another Python
                value than was traced.
        """
        try:
            return self.call_flat(self._flat_arguments(args, kwargs))
        except (TypeError, ValueError):
            tensors = self._by_tensor_names(args, kwargs) if kwargs else self._only_tensors(args)
            if tensors is None:
                raise
        return self.call_flat(tensors)

    def call_flat(self, tensors: Sequence[Tensor]) -> Any:
        """Runs it with one tensor for each tensor among its arguments."""
        outputs = call_graph(self.graph, [*tensors, *self.captured_inputs])
        if self._single:
            return outputs[0]
        remaining = iter(outputs)
        flat = [None if item is None else next(remaining) for item in self._flat_outputs]
        return nest.pack_sequence_as(self.structured_outputs, flat, expand_composites=True)

    def _only_tensors(self, args: tuple[Any, ...]) -> list[Tensor] | None:
        """The tensors to call with, if `args` has just those, the Python values between them left out."""
        signature_args, signature_kwargs = self.structured_input_signature
        slots = [*signature_args, *(signature_kwargs[key] for key in sorted(signature_kwargs))]
        specs = [slot for slot in slots if any(isinstance(spec, TypeSpec) for spec in nest.flatten(slot))]
        if len(specs) == len(slots) or len(specs) != len(args):
            return None
        return tensors_in([fitting_structure(spec, value) for spec, value in zip(specs, args, strict=True)])

    def _by_tensor_names(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor] | None:
        """The tensors to call with, if they are given by position and by the names that their `TensorSpec`s have."""
        specs = nest.flatten(self.structured_input_signature, expand_composites=True)
        specs = [spec for spec in specs if isinstance(spec, TensorSpec)]
        left = specs[len(args) :]
        if {spec.name for spec in left} != kwargs.keys() or len(left) != len(kwargs):
            return None
        values = [*args, *(kwargs[str(spec.name)] for spec in left)]
        return tensors_in([fitting_structure(spec, value) for spec, value in zip(specs, values, strict=True)])

    def _flat_arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
        signature_args, signature_kwargs = self.structured_input_signature
        names = self.argument_names()
        slots: list[Any] = list(signature_args) + [signature_kwargs[key] for key in sorted(signature_kwargs)]
        if len(args) > len(slots):
            raise TypeError(f"{self.name} takes {len(slots)} arguments {names}; got {len(args)}.")
        given = dict(zip(names, args, strict=False))
        unknown = [key for key in kwargs if key not in names]
        if unknown:
            raise TypeError(f"{self.name} got unexpected arguments {unknown}; its arguments are {names}.")
        for key, value in kwargs.items():
            if key in given:
                raise TypeError(f"{self.name} got two values for the argument {key!r}.")
            given[key] = value
        tensors: list[Tensor] = []
        for name, slot in zip(names, slots, strict=True):
            specs = nest.flatten(slot)
            if name not in given:
                if any(isinstance(spec, TypeSpec) for spec in specs):
                    raise TypeError(f"{self.name} needs the argument {name!r}; its arguments are {names}.")
                continue
            nest.assert_same_structure(slot, given[name])
            for spec, value in zip(specs, nest.flatten(given[name]), strict=True):
                if isinstance(spec, TypeSpec):
                    tensors.extend(nest.flatten(self._fitting(name, spec, value), expand_composites=True))
                elif not same_value(spec, value):
                    raise TypeError(
                        f"{self.name} was traced with {name}={spec!r}, a Python value, and cannot be called with {value!r}."
                    )
        return tensors

    def _fitting(self, name: str, spec: TypeSpec, value: Any) -> Any:
        try:
            return fitting(spec, value)
        except TypeError as error:
            raise type(error)(f"Binding inputs to {self.name} failed: the argument {name!r} {error}") from None

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

    @property
    def function_type(self) -> inspect.Signature:
        """The parameters and the result, with specs (or literal values) as annotations."""
        args, kwargs = self.structured_input_signature
        names = _as_python_names(self.argument_names())
        named = zip(names, [*args, *(kwargs[key] for key in sorted(kwargs))], strict=True)
        kinds = [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(args) + [inspect.Parameter.KEYWORD_ONLY] * len(kwargs)
        parameters = [
            inspect.Parameter(name, kind, annotation=Described(value))
            for (name, value), kind in zip(named, kinds, strict=True)
        ]
        return inspect.Signature(parameters, return_annotation=Described(self.structured_outputs))

    @property
    def inference_fn(self) -> ConcreteFunction:
        """The function itself, which is all that there is to it when no gradient is asked for."""
        return self

    def pretty_printed_signature(self, verbose: bool = True) -> str:
        """Returns the parameters, the result and the captured tensors with their specs, as lines of text.

        Args:
            verbose: Whether to say all that; otherwise, one line is returned.
        """
        signature = self.function_type
        if not verbose:
            return str(signature)
        parameters = [f"  {item.name} ({item.kind.name}): {item.annotation}" for item in signature.parameters.values()]
        captures = [f"  {id(tensor)}: {Described(tensor)}" for tensor in self.captured_inputs]
        sections = {
            "Input Parameters:": parameters,
            "Output Type:": [f"  {signature.return_annotation}"],
            "Captures:": captures,
        }
        return "\n".join(line for title, lines in sections.items() for line in (title, *(lines or ["  None"])))

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.name}{self.function_type}>"

    def __str__(self) -> str:
        return f"ConcreteFunction {self.pretty_printed_signature()}"


def _as_python_names(names: Sequence[str]) -> list[str]:
    """Names that a Python signature can have, as like the given ones as may be: files may have any."""
    made: list[str] = []
    for name in names:
        plain = re.sub(r"\W|^(?=\d)", "_", name) or "_"
        if keyword.iskeyword(plain) or plain in made:
            plain = next(label for label in (f"{plain}_{number}" for number in itertools.count(1)) if label not in made)
        made.append(plain)
    return made


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
        inside_args = tuple(placeholders(graph, value, label) for value, label in zip(args, names, strict=False))
        inside_kwargs = {key: placeholders(graph, kwargs[key], key) for key in sorted(kwargs)}  # as calls flatten them
        result = python_function(*inside_args, **inside_kwargs)
        outputs = set_outputs(graph, result, "tf.function")
    signature = (
        tuple(_signature_part(value, label) for value, label in zip(args, names, strict=False)),
        {key: _signature_part(value, key) for key, value in kwargs.items()},
    )
    captured = [outside for outside, _ in graph.captures]
    return ConcreteFunction(graph, captured, signature, outputs).name_arguments(names[: len(args)])


def _signature_part(value: Any, name: str) -> Any:
    def one(leaf: Any) -> Any:
        if isinstance(leaf, (Tensor, TensorSpec)):
            label = leaf.name if isinstance(leaf, TensorSpec) and leaf.name else name
            return TensorSpec(leaf.shape, leaf.dtype, label)
        return spec_of(leaf) if isinstance(leaf, (CompositeTensor, TypeSpec)) else leaf

    return map_leaves(one, value)
