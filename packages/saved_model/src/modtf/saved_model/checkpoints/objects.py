"""The objects whose values a checkpoint holds, and how it describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core.contracts import get_backend, is_trackable

from ..errors import SavedModelError
from ..object_tree import Tree, children_of
from ..protos.object_graph_pb2 import TrackableObjectGraph

OBJECT_GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
"""Where a checkpoint holds its description of the objects."""

VARIABLE_VALUE = "VARIABLE_VALUE"
"""The attribute that is a variable's value."""

TABLE = "table"
"""The attribute that is a table's content; what follows it in names says which tensor of the content."""


def checkpoint_children(item: Any) -> dict[str, Any]:
    """Returns the children of an object that checkpoints follow: those that are saved, except functions.

    Raises:
        SavedModelError: it is a dict with other keys than strings.
    """
    found: dict[str, Any] = {}
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        found.update((name, child) for name, child in zip(item._fields, item, strict=True) if is_trackable(child))
    found.update(children_of(item))
    return {name: child for name, child in found.items() if not hasattr(child, "is_traced_function")}


def value_key(tree: Tree, number: int, attribute: str = VARIABLE_VALUE) -> str:
    """Returns the name that a value of an object has in the checkpoint."""
    return f"{tree.paths[number]}/.ATTRIBUTES/{attribute}"


def attribute_of(item: Any) -> str | None:
    """Returns the name of the attribute that is an object's value; None if it has none."""
    if isinstance(item, tf.Variable):
        return VARIABLE_VALUE
    return getattr(item, "_checkpoint_attribute", TABLE) if hasattr(item, "_serialize_to_tensors") else None


def saved_values(tree: Tree) -> Iterator[tuple[str, np.ndarray]]:
    """Yields the values to write, with their names.

    Raises:
        SavedModelError: a variable has no value.
    """
    numpy_backend = get_backend("numpy")
    for number, item in enumerate(tree.objects):
        attribute = attribute_of(item)
        if attribute == VARIABLE_VALUE:
            value = item.handle.array.value
            if value is None:
                raise SavedModelError(f"The variable {item.name!r} has no value yet; assign it one before it is saved.")
            yield value_key(tree, number), value.on(numpy_backend)
        elif attribute is not None:
            for ending, tensor in item._serialize_to_tensors().items():
                yield value_key(tree, number, attribute) + ending, np.asarray(tensor)


def describe_objects(tree: Tree) -> TrackableObjectGraph:
    """Returns the objects as a checkpoint describes them."""
    proto = TrackableObjectGraph()
    with_values = _with_values(tree)
    for number, item in enumerate(tree.objects):
        node = proto.nodes.add()
        for name, child in tree.children[number]:
            node.children.add(node_id=child, local_name=name)
        attribute = attribute_of(item)
        if attribute is not None:
            full_name = item.name.rpartition(":")[0] if attribute == VARIABLE_VALUE else ""
            node.attributes.add(name=attribute, full_name=full_name, checkpoint_key=value_key(tree, number, attribute))
        node.has_checkpoint_values.value = number in with_values
    return proto


def _with_values(tree: Tree) -> set[int]:
    """The numbers of the objects with values, and of those that lead to one."""
    parents: dict[int, list[int]] = {}
    for number, children in enumerate(tree.children):
        for _, child in children:
            parents.setdefault(child, []).append(number)
    left = [number for number, item in enumerate(tree.objects) if attribute_of(item) is not None]
    found = set(left)
    while left:
        above = [number for number in parents.get(left.pop(), ()) if number not in found]
        found.update(above)
        left.extend(above)
    return found


def checkpoint_tree(root: Any, named: Mapping[str, Any], same: tuple[Any, ...] = ()) -> Tree:
    """Returns the objects that a checkpoint of `root` holds; see `Tree`."""
    return Tree(root, named, checkpoint_children, same)
