"""Nested structures: lists, tuples, named tuples, dicts and anything with `__tf_flatten__` (`tf.nest`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container rather than a leaf. Dicts are walked in the order of their sorted keys."""
    return isinstance(structure, (list, tuple, Mapping))


def flatten(structure: Any) -> list[Any]:
    """Returns the leaves in order; of a leaf, a list of it alone."""
    leaves: list[Any] = []
    _flatten(structure, leaves)
    return leaves


def _flatten(structure: Any, leaves: list[Any]) -> None:
    if isinstance(structure, (list, tuple)):
        for item in structure:
            _flatten(item, leaves)
    elif isinstance(structure, Mapping):
        for key in _sorted_keys(structure):
            _flatten(structure[key], leaves)
    else:
        leaves.append(structure)


def _sorted_keys(mapping: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(mapping)
    except TypeError:
        raise TypeError(f"nest only supports dicts with sortable keys, not {list(mapping)}.") from None


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """Returns a structure like `structure` with the given leaves.

    Raises:
        ValueError: There are too many or too few leaves.
    """
    leaves = list(flat_sequence)
    position = iter(leaves)
    try:
        packed = _pack(structure, position)
    except StopIteration:
        raise ValueError(f"Structure has {len(flatten(structure))} leaves, but {len(leaves)} were given.") from None
    if next(position, leaves) is not leaves:
        raise ValueError(f"Structure has {len(flatten(structure))} leaves, but {len(leaves)} were given.")
    return packed


def _pack(structure: Any, leaves: Any) -> Any:
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_pack(item, leaves) for item in structure])
    if isinstance(structure, (list, tuple)):
        items = [_pack(item, leaves) for item in structure]
        return tuple(items) if isinstance(structure, tuple) else items
    if isinstance(structure, Mapping):
        packed = {key: _pack(structure[key], leaves) for key in _sorted_keys(structure)}
        ordered = {key: packed[key] for key in structure}
        return ordered if type(structure) is dict else type(structure)(ordered)  # type: ignore[call-arg]
    return next(leaves)


def map_structure(function: Callable[..., Any], *structures: Any) -> Any:
    """Returns the structure with `function` applied to the leaves of `structures`, place by place.

    Raises:
        ValueError: The structures differ.
    """
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    flats = zip(*(flatten(structure) for structure in structures), strict=True)
    return pack_sequence_as(structures[0], [function(*leaves) for leaves in flats])


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
