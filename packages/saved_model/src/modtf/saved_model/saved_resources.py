"""Tables that are saved: the functions by which a loader makes, fills and removes them, named as TensorFlow names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from modtf import core as tf
from modtf.core.contracts import ConcreteFunction, trace

from .resources import CREATE, INITIALIZE, RestoredResource

_DESTROY = "_destroy_resource"


class SavedContent(NamedTuple):
    """How the content of a table that can change is saved and restored.

    Attributes:
        save: gives what there is to save, a list of tensors with their names, for the start of these.
        restore: takes these tensors.
    """

    save: ConcreteFunction
    restore: ConcreteFunction


def handle_of(item: Any) -> tf.Tensor | None:
    """Returns the handle of a table, by which functions capture it; None for what is no table, or one that was not made."""
    if isinstance(item, RestoredResource):
        return item.resource_handle
    return getattr(item, "_resource_handle", None) if hasattr(item, CREATE) else None


def is_resource(item: Any) -> bool:
    """Whether an object is a table."""
    return isinstance(item, RestoredResource) or handle_of(item) is not None


def resource_functions(item: Any) -> Mapping[str, Any]:
    """Returns the functions that are saved with a table, by name; a loaded one has them among its attributes."""
    if isinstance(item, RestoredResource) or not is_resource(item):
        return {}

    def create() -> tf.Tensor:
        return item._create_resource()

    def initialize() -> tf.Tensor:
        item._initialize()
        return tf.constant(1)

    def destroy() -> tf.Tensor:
        return tf.constant(1)  # TensorFlow calls it for copies of a table too, which all have the same resource

    functions: dict[str, Any] = {}
    for name, function in ((CREATE, create), (INITIALIZE, initialize), (_DESTROY, destroy)):
        functions[name] = tf.function(function, input_signature=[])
        functions[name].get_concrete_function()
    return functions


def saved_content(item: Any) -> SavedContent | None:
    """Returns the functions that save and restore the content of a table; None if that is not saved."""
    if not is_resource(item) or not hasattr(item, "_serialize_to_tensors"):
        return None
    tensors = item._serialize_to_tensors()
    if not tensors:
        return None

    def save(checkpoint_key: tf.Tensor) -> list[dict[str, tf.Tensor]]:
        return [
            {"name": tf.strings.join([checkpoint_key, ending]), "slice_spec": tf.constant(""), "tensor": tensor}
            for ending, tensor in item._serialize_to_tensors().items()
        ]

    def restore(*restored: tf.Tensor) -> tf.Tensor:
        item._restore_from_tensors(dict(zip(tensors, restored, strict=True)))
        return tf.constant(1)

    specs = tuple(
        tf.TensorSpec(None, tensor.dtype, f"restored_{place}") for place, tensor in enumerate(tensors.values())
    )
    key = tf.TensorSpec([], tf.string, "checkpoint_key")
    return SavedContent(trace(save, (key,), {}, "save_table"), trace(restore, specs, {}, "restore_table"))
