"""The kinds of a function's arguments: what tells calls apart that need different traces, and what fits a spec."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from modtf.core.engine.tracing import is_described, spec_of
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.errors import DtypeMismatchError
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import Reference, Tensor
from modtf.core.values.variables import Variable


def python_signature(python_function: Callable[..., Any]) -> inspect.Signature:
    """Returns a function's signature; of one that has none, the one that takes anything."""
    try:
        return inspect.signature(python_function)
    except (TypeError, ValueError):
        return inspect.signature(lambda *args, **kwargs: None)


def specs_in(structure: Any) -> list[TypeSpec]:
    """Returns the specs of the tensors and composite tensors in a structure."""
    return [spec_of(leaf) for leaf in nest.flatten(structure) if is_described(leaf)]


def tensors_in(structure: Any) -> list[Tensor]:
    """Returns the tensors in a structure, those inside composite tensors too."""
    return [leaf for leaf in nest.flatten(structure, expand_composites=True) if isinstance(leaf, Tensor)]


def fitting(spec: TypeSpec, value: Any) -> Any:
    """Returns a value, made a tensor where `spec` is one of a tensor, which must fit the spec.

    Raises:
        TypeError: It does not.
    """
    given: TypeSpec
    result: Any
    if isinstance(value, TypeSpec):
        given, result = value, value
    elif isinstance(spec, TensorSpec):
        result = convert_to_tensor(value, dtype_hint=spec.dtype)
        given = spec_of(result)
    else:
        if not isinstance(value, CompositeTensor):
            raise TypeError(f"must be {_brief(spec)}, but is a {type(value).__name__}.")
        given, result = value.type_spec, value
    fits = given.is_subtype_of(spec) if isinstance(value, TypeSpec) else spec.is_compatible_with(given)
    if not fits:
        raise DtypeMismatchError(f"must be {_brief(spec)}, but is {_brief(given)}.")
    return result


def _brief(spec: TypeSpec) -> str:
    return f"{spec.dtype.name} of shape {spec.shape}" if isinstance(spec, TensorSpec) else repr(spec)


def fitting_structure(spec: Any, value: Any) -> Any:
    """The same for structures of specs and values.

    Raises:
        TypeError: Something does not fit, or the structures differ.
    """
    if isinstance(spec, TypeSpec):
        return fitting(spec, value)
    if isinstance(spec, Mapping) and isinstance(value, Mapping) and set(spec) == set(value):
        return {key: fitting_structure(spec[key], value[key]) for key in spec}
    if isinstance(spec, (list, tuple)) and isinstance(value, (list, tuple)) and len(spec) == len(value):
        fitted = [fitting_structure(*pair) for pair in zip(spec, value, strict=True)]
        return nest.pack_sequence_as(spec, [leaf for item in fitted for leaf in nest.flatten(item)])
    raise TypeError("Their structures differ.")


def trace_key(value: Any, shapes: bool = True) -> Any:
    """What tells calls apart that need different traces; equal for calls that may share one.

    Args:
        value: The arguments.
        shapes: Whether tensors of different shapes are told apart.
    """
    if isinstance(value, (Tensor, TensorSpec)):
        return ("tensor", value.dtype, value.shape.dims if shapes else None)
    if isinstance(value, (CompositeTensor, TypeSpec)):
        spec = spec_of(value)
        parts = nest.flatten(spec, expand_composites=True)
        return (type(spec).__name__, spec if shapes else tuple(part.dtype for part in parts))
    if isinstance(value, Mapping):
        return (type(value).__name__, tuple((key, trace_key(value[key], shapes)) for key in sorted(value)))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, tuple(trace_key(item, shapes) for item in value))
    if isinstance(value, Variable):
        return Reference(value)
    if hasattr(value, "__tf_tracing_type__"):
        return ("tracing type", value.__tf_tracing_type__(None))
    try:
        hash(value)
    except TypeError:
        return Reference(value)
    return (type(value), value)


def same_value(first: Any, second: Any) -> bool:
    """Whether two Python values mean the same to a trace."""
    return first is second or (type(first) is type(second) and bool(first == second))


class Literal:
    """Stands in signatures for a Python value that is fixed in a trace."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"Literal[{self.value!r}]"


class Described:
    """Stands in signatures for a structure of specs and values; its text is TensorFlow's."""

    def __init__(self, structure: Any) -> None:
        self.structure = structure

    def __repr__(self) -> str:
        return _text(self.structure)


def _text(structure: Any) -> str:
    if isinstance(structure, Mapping):
        return f"Dict[{', '.join(f'[{key!r}, {_text(structure[key])}]' for key in sorted(structure))}]"
    if isinstance(structure, (list, tuple)):
        return f"{'Tuple' if isinstance(structure, tuple) else 'List'}[{', '.join(map(_text, structure))}]"
    if not is_described(structure):
        return repr(Literal(structure))
    spec = spec_of(structure)
    return repr(TensorSpec(spec.shape, spec.dtype)) if isinstance(spec, TensorSpec) else repr(spec)
