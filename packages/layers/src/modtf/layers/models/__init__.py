"""Models (`keras.models`): layers that are trained together."""

from collections.abc import Mapping
from typing import Any

from modtf.layers import layers
from modtf.layers.models.model import Model
from modtf.layers.models.sequential import Sequential
from modtf.layers.serialization import Registry

__all__ = ["Model", "Sequential", "clone_model", "deserialize"]

_registry = Registry(
    "layer",
    [Model, Sequential, *{getattr(layers, name) for name in layers.__all__ if isinstance(getattr(layers, name), type)}],
)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Makes the layer or model that a configuration describes.

    Args:
        config: What `serialize` returned for a layer.
        custom_objects: Layer classes of your own, by name.

    Raises:
        ValueError: The class is unknown.
    """
    return _registry.deserialize(config, custom_objects)


def clone_model(model: Model) -> Model:
    """Returns a model of the same layers with new weights.

    Raises:
        NotImplementedError: The model has no configuration.
    """
    return type(model).from_config(model.get_config())
