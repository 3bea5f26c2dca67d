"""Nested structures: lists, tuples, named tuples and dicts, and the tensors inside composite values (`tf.nest`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


def map_structure(
    function: Callable[..., Any], *structures: Any, expand_composites: bool = False, check_types: bool = True
) -> Any:
    """Returns the structure with `function` applied to the leaves of `structures`, place by place.

    Args:
        function: What is called with a leaf of each structure.
        *structures: The structures; the result is like the first.
        expand_composites: Whether composite tensors are walked into too.
        check_types: Whether the containers must be of the same types.

    Raises:
        ValueError: The structures differ.
        TypeError: Their containers do.
    """
    for other in structures[1:]:
        assert_same_structure(structures[0], other, check_types)
    flats = zip(*(flatten(structure, expand_composites) for structure in structures), strict=True)
    return pack_sequence_as(structures[0], [function(*leaves) for leaves in flats], expand_composites)


def assert_same_structure(nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False) -> None:
    """Complains unless both structures have leaves in the same places.

    Args:
        nest1: A structure.
        nest2: Another one.
        check_types: Whether the containers must be of the same kinds: both lists, both dicts (of whatever classes, with the
            same keys), both named tuples of the same class name and fields.
        expand_composites: Whether composite tensors (or specs) must stand in the same places, and be of kinds that some
            spec takes both of.

    Raises:
        ValueError: Leaves are in other places, or keys are others.
        TypeError: Containers are of other kinds.
    """
    mistake = _difference(nest1, nest2, check_types, expand_composites)
    if mistake is not None:
        kind, reason = mistake
        raise kind(
            f"The two structures don't have the same nested structure: {reason}.\nFirst: {nest1!r}\nSecond: {nest2!r}"
        )


def _difference(first: Any, second: Any, check_types: bool, expand: bool) -> tuple[type[Exception], str] | None:
    """Why two structures are not the same, and the error to raise for it."""
    if is_nested(first) != is_nested(second):
        return ValueError, f"{_brief(first)} and {_brief(second)} stand in the same place"
    if not is_nested(first):
        return _difference_of_composites(first, second) if expand else None
    if check_types:
        if not _same_kind(first, second):
            return TypeError, f"one has a {type(first).__name__} where the other has a {type(second).__name__}"
        if isinstance(first, Mapping) and set(first) != set(second):
            return ValueError, f"one has the keys {list(first)} where the other has {list(second)}"
    if len(first) != len(second):
        return ValueError, f"one has {len(first)} elements where the other has {len(second)}"
    for one, other in zip(_items(first), _items(second), strict=True):
        found = _difference(one, other, check_types, expand)
        if found is not None:
            return found
    return None


def _items(container: Any) -> Iterable[Any]:
    return [container[key] for key in _sorted_keys(container)] if isinstance(container, Mapping) else container


def _same_kind(first: Any, second: Any) -> bool:
    for kind in (Mapping, list):
        if isinstance(first, kind) or isinstance(second, kind):
            return isinstance(first, kind) and isinstance(second, kind)
    fields = [getattr(item, "_fields", None) for item in (first, second)]
    if fields == [None, None]:
        return True
    return fields[0] == fields[1] and type(first).__name__ == type(second).__name__


def _difference_of_composites(first: Any, second: Any) -> tuple[type[Exception], str] | None:
    specs = [item.type_spec if isinstance(item, CompositeTensor) else item for item in (first, second)]
    expanded = [isinstance(spec, TypeSpec) and spec.component_specs is not None for spec in specs]
    if expanded == [False, False] or (all(expanded) and specs[0].most_specific_common_supertype([specs[1]])):
        return None
    return ValueError, f"{_brief(first)} and {_brief(second)} are not of one kind"


def _brief(value: Any) -> str:
    return f"a {type(value).__name__}"
