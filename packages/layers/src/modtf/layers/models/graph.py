"""Models drawn up with symbolic tensors, as a sequence of calls of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modtf import core as tf
from modtf.layers.input_spec import InputSpec
from modtf.layers.layer import Layer
from modtf.layers.symbolic import KerasTensor, Node

__all__ = ["LayerGraph"]


class LayerGraph:
    """The calls of layers that lead from symbolic inputs to symbolic outputs.

    Args:
        inputs: A symbolic tensor or a structure of them.
        outputs: Likewise.

    Attributes:
        layers: The layers, each once, in an order in which they can be called.
        input_tensors: The inputs as a list.
        output_tensors: The outputs as a list.

    Raises:
        ValueError: Something else than symbolic tensors was given, or the outputs need more inputs.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.input_tensors = tf.nest.flatten(inputs)
        self.output_tensors = tf.nest.flatten(outputs)
        for tensor in (*self.input_tensors, *self.output_tensors):
            if not isinstance(tensor, KerasTensor):
                raise ValueError(
                    f"Models are made of symbolic tensors, from Input() and layers called with them; got {tensor!r}."
                )
        self._nodes = self._sort()
        unique: dict[int, Layer] = {}
        for layer in [*(tensor.node.layer for tensor in self.input_tensors), *(node.layer for node in self._nodes)]:
            unique.setdefault(id(layer), layer)
        self.layers = list(unique.values())
        self.input_specs = tf.nest.map_structure(
            lambda tensor: InputSpec(
                shape=(None, *tensor.shape.as_list()[1:]), allow_last_axis_squeeze=True, name=tensor.name
            ),
            inputs,
        )

    def _sort(self) -> list[Node]:
        """The calls, each after those whose outputs it takes."""
        known = {id(tensor) for tensor in self.input_tensors}
        sorted_nodes: list[Node] = []
        done: set[int] = set()
        pending: list[tuple[KerasTensor, bool]] = [(tensor, False) for tensor in reversed(self.output_tensors)]
        while pending:
            tensor, inputs_done = pending.pop()
            node = tensor.node
            if id(tensor) in known or id(node) in done:
                continue
            if inputs_done:
                done.add(id(node))
                sorted_nodes.append(node)
                continue
            if not node.inputs:
                raise ValueError(f"The outputs depend on {tensor!r}, which is not among the inputs of the model.")
            pending.append((tensor, True))
            pending.extend((item, False) for item in reversed(node.inputs))
        return sorted_nodes

    def __call__(self, inputs: Any) -> Any:
        """Calls the layers and returns the outputs."""
        values = {id(tensor): value for tensor, value in zip(self.input_tensors, self._given(inputs), strict=True)}

        def fill(leaf: Any) -> Any:
            return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        for node in self._nodes:
            args, kwargs = tf.nest.map_structure(fill, (node.args, node.kwargs))
            results = node.layer(*args, **kwargs)
            for tensor, value in zip(tf.nest.flatten(node.outputs), tf.nest.flatten(results), strict=True):
                values[id(tensor)] = value
        return tf.nest.map_structure(fill, self.outputs)

    def _given(self, inputs: Any) -> list[Any]:
        """The model's inputs as a list; a dict may have them by the names of the symbolic inputs."""
        if isinstance(inputs, Mapping) and not isinstance(self.inputs, Mapping):
            missing = [tensor.name for tensor in self.input_tensors if tensor.name not in inputs]
            if missing:
                raise ValueError(
                    f"The model takes the inputs {[t.name for t in self.input_tensors]}; got {sorted(inputs)}."
                )
            values = [inputs[tensor.name] for tensor in self.input_tensors]
        else:
            values = tf.nest.flatten(inputs)
        if len(values) != len(self.input_tensors):
            raise ValueError(f"The model takes {len(self.input_tensors)} inputs; got {len(values)}.")
        return [_fit_rank(value, tensor.shape.rank) for value, tensor in zip(values, self.input_tensors, strict=True)]


def _fit_rank(value: Any, rank: int | None) -> Any:
    """Adds, or drops, a last axis of size 1."""
    given = value.shape.rank
    if given is None or rank is None or given == rank:
        return value
    if given == rank - 1:
        return tf.expand_dims(value, -1)
    return tf.squeeze(value, [-1]) if given == rank + 1 else value
