"""`Sequential`: layers one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from modtf import core as tf
from modtf.layers.layer import Layer
from modtf.layers.layers.core import InputLayer
from modtf.layers.models.model import Model
from modtf.layers.serialization import serialize
from modtf.layers.symbolic import KerasTensor

__all__ = ["Sequential"]


class Sequential(Model):
    """Layers one after the other, each taking the outputs of the one before.

    Args:
        layers: The layers. If the first is `Input(shape)`, or has `input_shape`, the weights are made at once; else by
            the first call.
        trainable: Whether the weights are to be trained.
        name: A name.
    """

    def __init__(self, layers: Sequence[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name)
        self._layers: list[Layer] = []
        for layer in layers or ():
            self._append(layer)
        self._build_if_possible()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Adds a layer at the end.

        Args:
            layer: The layer, or `Input(shape)` at the beginning.
            rebuild: Whether to make its weights at once, if its input is known.

        Raises:
            ValueError: It is not a layer, has the name of another one, or is an input at another place than the first.
        """
        self._append(layer)
        if rebuild:
            self._build_if_possible()

    def _append(self, layer: Any) -> None:
        if isinstance(layer, KerasTensor):
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise ValueError(f"A Sequential is made of layers; got {layer!r}.")
        if any(layer is other or layer.name == other.name for other in self._layers):
            raise ValueError(f"All layers of a model need names of their own, but there are two named {layer.name!r}.")
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(
                f"An input can only be the first of the layers; there are {len(self._layers)} before {layer.name!r}."
            )
        if not self._layers and not isinstance(layer, InputLayer) and layer.input_shape_argument is not None:
            self._layers.append(InputLayer(batch_shape=layer.input_shape_argument, dtype=layer.dtype))
        self._layers.append(layer)
        self._forget_shapes()

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer away and returns it.

        Raises:
            ValueError: There is none.
        """
        if not self.layers:
            raise ValueError(f"The model {self.name!r} has no layers to take away.")
        layer = self._layers.pop()
        self._forget_shapes()
        if rebuild:
            self._build_if_possible()
        return layer

    def _forget_shapes(self) -> None:
        self.built = False
        self.output_shape = None
        self.call_spec = None
        self.forget_steps()

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The shape of the input, batch included, if it is known."""
        first = self._layers[0] if self._layers else None
        return first.batch_shape if isinstance(first, InputLayer) else self.build_shape

    def _build_if_possible(self) -> None:
        if len(self._layers) > 1 and isinstance(self._layers[0], InputLayer):
            self.build(self._layers[0].batch_shape)

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for inputs of this shape, batch included."""
        if input_shape is None or self._is_being_called():
            return
        first = self._layers[0] if self._layers else None
        dtype = first.dtype if isinstance(first, InputLayer) else self.compute_dtype
        self.compute_output_spec(tf.TensorSpec(input_shape, dtype))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        for layer in self._layers:
            inputs = layer(inputs, training=training)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [serialize(layer) for layer in self._layers],
            "build_input_shape": self.input_shape,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Makes a model, with new weights, from what `get_config` returned.

        Args:
            config: The configuration.
            custom_objects: Layer classes of your own, by name.
        """
        from modtf.layers.models import deserialize

        layers = [deserialize(layer, custom_objects) for layer in config["layers"]]
        model = cls(layers, trainable=config.get("trainable", True), name=config.get("name"))
        shape = config.get("build_input_shape")
        if not model.built and shape is not None:
            model.build(tuple(shape))
        return model
