"""`Model`: layers that are trained together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from modtf import core as tf
from modtf.layers.layer import Layer, map_shapes
from modtf.layers.models.graph import LayerGraph
from modtf.layers.models.summary import print_summary
from modtf.layers.training.trainer import Trainer

__all__ = ["Model"]


class Model(Trainer):
    """A layer that can be trained.

    Make one in either of two ways: draw it up with symbolic tensors,

        inputs = Input((64,))
        outputs = Dense(10)(Dense(128, activation="relu")(inputs))
        model = Model(inputs, outputs)

    or subclass `Model`, make the layers in `__init__` and use them in `call(inputs, training=None)`.

    Args:
        inputs: The symbolic tensor, or structure of them, that the model takes.
        outputs: Those that it gives.
        name: A name; by default the class's in snake case.
        kwargs: What every `Layer` takes, such as `trainable`.

    Raises:
        ValueError: The outputs do not depend on the inputs alone, or only one of the two is given.
    """

    config_module = "keras"

    def __init__(self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any) -> None:
        if (inputs is None) != (outputs is None):
            raise ValueError("A model needs both inputs and outputs, or neither (for a subclass with a method call()).")
        super().__init__(name=name, **kwargs)
        self._graph: LayerGraph | None = None
        if inputs is not None:
            self._graph = LayerGraph(inputs, outputs)
            self._layers = self._graph.layers
            self.input_spec = self._graph.input_specs
            self.built = True
            self.output_shape = tf.nest.map_structure(lambda tensor: tuple(tensor.shape.as_list()), outputs)
            self.call_spec = tf.nest.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tensor.dtype), inputs)

    def _untracked_attributes(self) -> frozenset[str]:
        return super()._untracked_attributes() | {"_compiled", "_predict_steps", "_graph", "history"}

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self._graph is None:
            raise NotImplementedError(
                f"The model {self.name!r} ({type(self).__name__}) has no outputs: define call(inputs, training=None), or "
                "make it with Model(inputs, outputs)."
            )
        return self._graph(inputs)

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for inputs of this shape, batch included: a tuple or a structure of them."""
        if self._graph is not None or input_shape is None or self._is_being_called():
            return
        self.compute_output_spec(map_shapes(lambda shape: tf.TensorSpec(shape, self.compute_dtype), input_shape))

    def _is_being_called(self) -> bool:
        return not tf.executing_eagerly()

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside the model."""
        return self.sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Returns a layer by its name, or by its place among `layers`.

        Raises:
            ValueError: There is none.
        """
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"The model {self.name!r} has {len(self.layers)} layers; there is none at {index}.")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        known = ", ".join(layer.name for layer in self.layers)
        raise ValueError(f"The model {self.name!r} has no layer {name!r}. Its layers are: {known}.")

    @property
    def inputs(self) -> list[Any] | None:
        """The symbolic inputs, if the model was drawn up with them."""
        return None if self._graph is None else self._graph.input_tensors

    @property
    def outputs(self) -> list[Any] | None:
        """The symbolic outputs, if the model was drawn up with them."""
        return None if self._graph is None else self._graph.output_tensors

    def _output_names(self) -> list[str] | None:
        return None if self._graph is None else [tensor.node.layer.name for tensor in self._graph.output_tensors]

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Prints a table of the layers with their output shapes and numbers of parameters.

        Args:
            line_length: The width of the table.
            positions: Where columns end, as parts of the width.
            print_fn: What to call with the text instead of printing it.
            expand_nested: Whether layers inside layers are listed too.
            show_trainable: Whether there is a column that says which layers are trained.
            layer_range: Two regular expressions for the names of the first and the last layer to list.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def get_config(self) -> dict[str, Any]:
        if self._graph is not None:
            raise NotImplementedError(
                "Models drawn up with symbolic tensors have no configuration. Save their weights."
            )
        return super().get_config()

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        return cls(**config)
