"""Layers that give the same values another shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from modtf import core as tf
from modtf.layers import config
from modtf.layers.input_spec import InputSpec
from modtf.layers.layer import Layer

__all__ = ["Flatten", "Reshape"]


class Flatten(Layer):
    """All axes after the batch become one: `[batch, ...]` to `[batch, values]`.

    Args:
        data_format: `"channels_last"`, or `"channels_first"` for images that are to be flattened with the channels last.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        rank = inputs.shape.rank
        if self.data_format == "channels_first" and rank > 2:
            inputs = tf.transpose(inputs, [0, *range(2, rank), 1])
        sizes = inputs.shape.as_list()[1:]
        if any(size is None for size in sizes):
            return tf.reshape(inputs, tf.stack([tf.shape(inputs)[0], -1]))
        return tf.reshape(inputs, [-1, math.prod(sizes)])


class Reshape(Layer):
    """Each example gets another shape.

    Args:
        target_shape: The new shape without the batch. One size may be -1: what is left over.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1 or any(size < -1 for size in self.target_shape):
            raise ValueError(f"target_shape may have one -1 and no other negative size; got {self.target_shape}.")

    def call(self, inputs: Any) -> Any:
        sizes = inputs.shape.as_list()[1:]
        target = list(self.target_shape)
        if None not in sizes:
            total, known = math.prod(sizes), math.prod(size for size in target if size != -1)
            if (total % known if -1 in target else total != known) if known else total:
                raise ValueError(
                    f"The {self._label()} cannot give examples of shape {tuple(sizes)} the shape {tuple(target)}."
                )
            if known:
                target = [total // known if size == -1 else size for size in target]
        if -1 in target:
            return tf.reshape(inputs, tf.stack([tf.shape(inputs)[0], *target]))
        return tf.reshape(inputs, [-1, *target])
