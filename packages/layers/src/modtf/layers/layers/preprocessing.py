"""Layers that bring data into the form that models expect."""

from __future__ import annotations

from typing import Any

from modtf import core as tf
from modtf.layers.layer import Layer

__all__ = ["Rescaling"]


class Rescaling(Layer):
    """`inputs * scale + offset`, in the layer's dtype.

    Args:
        scale: A number, or one for each channel.
        offset: A number, or one for each channel.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype
        return tf.cast(inputs, dtype) * tf.constant(self.scale, dtype) + tf.constant(self.offset, dtype)
