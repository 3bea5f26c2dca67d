"""Nested structures: lists, tuples, named tuples and dicts, and the tensors inside composite values (`tf.nest`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modtf.core.values.composites import CompositeTensor
from modtf.core.values.specs import TypeSpec

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container rather than a leaf. Dicts are walked in the order of their sorted keys."""
    return isinstance(structure, (list, tuple, Mapping))


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """Returns the leaves in order; of a leaf, a list of it alone.

    Args:
        structure: The structure.
        expand_composites: Whether sparse, ragged and other composite tensors (and specs of them) are walked into too.
    """
    leaves: list[Any] = []
    _flatten(structure, leaves, expand_composites)
    return leaves


def _flatten(structure: Any, leaves: list[Any], expand: bool) -> None:
    if isinstance(structure, (list, tuple)):
        for item in structure:
            _flatten(item, leaves, expand)
    elif isinstance(structure, Mapping):
        for key in _sorted_keys(structure):
            _flatten(structure[key], leaves, expand)
    elif expand and isinstance(structure, CompositeTensor):
        spec = structure.type_spec
        for component in spec.to_components(structure):
            _flatten(component, leaves, expand)
    elif expand and isinstance(structure, TypeSpec) and structure.component_specs is not None:
        for component in structure.component_specs:
            _flatten(component, leaves, expand)
    else:
        leaves.append(structure)


def _sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError(f"nest only supports dicts with sortable keys, not {list(mapping)}.") from None


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """Returns a structure like `structure` with the given leaves.

    Args:
        structure: What the result shall be like.
        flat_sequence: The leaves, as `flatten` gives them.
        expand_composites: Whether composite tensors (or specs) in `structure` are put together from their components.

    Raises:
        ValueError: There are too many or too few leaves.
    """
    leaves = list(flat_sequence)
    position = iter(leaves)
    try:
        packed = _pack(structure, position, expand_composites)
        complete = next(position, leaves) is leaves
    except StopIteration:
        complete = False
    if not complete:
        count = len(flatten(structure, expand_composites))
        raise ValueError(f"Structure has {count} leaves, but {len(leaves)} were given.")
    return packed


def _pack(structure: Any, leaves: Any, expand: bool) -> Any:
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_pack(item, leaves, expand) for item in structure])
    if isinstance(structure, (list, tuple)):
        items = [_pack(item, leaves, expand) for item in structure]
        return tuple(items) if isinstance(structure, tuple) else items
    if isinstance(structure, Mapping):
        packed = {key: _pack(structure[key], leaves, expand) for key in _sorted_keys(structure)}
        ordered = {key: packed[key] for key in structure}
        return ordered if type(structure) is dict else type(structure)(ordered)  # type: ignore[call-arg]
    if expand and isinstance(structure, (CompositeTensor, TypeSpec)):
        spec = structure.type_spec if isinstance(structure, CompositeTensor) else structure
        if spec.component_specs is not None:
            return spec.from_components([_pack(item, leaves, expand) for item in spec.component_specs])
    return next(leaves)


def map_structure(function: Callable[..., Any], *structures: Any, expand_composites: bool = False) -> Any:
    """Returns the structure with `function` applied to the leaves of `structures`, place by place.

    Raises:
        ValueError: The structures differ.
    """
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    flats = zip(*(flatten(structure, expand_composites) for structure in structures), strict=True)
    return pack_sequence_as(structures[0], [function(*leaves) for leaves in flats], expand_composites)


def assert_same_structure(nest1: Any, nest2: Any) -> None:
    """Raises ValueError unless both have the same containers, lengths and keys, and leaves in the same places."""
    same = is_nested(nest1) == is_nested(nest2)
    if same and isinstance(nest1, Mapping):
        same = isinstance(nest2, Mapping) and set(nest1) == set(nest2)
        pairs = [(nest1[key], nest2[key]) for key in nest1] if same else []
    elif same and is_nested(nest1):
        same = (
            isinstance(nest2, (list, tuple))
            and len(nest1) == len(nest2)
            and isinstance(nest1, list) == isinstance(nest2, list)
        )
        pairs = list(zip(nest1, nest2, strict=True)) if same else []
    else:
        pairs = []
    if not same:
        raise ValueError(
            f"The two structures don't have the same nested structure.\nFirst: {nest1!r}\nSecond: {nest2!r}"
        )
    for first, second in pairs:
        assert_same_structure(first, second)
