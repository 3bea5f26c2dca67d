"""Pooling: the greatest value or the mean of windows that slide over images, or of whole images."""

from __future__ import annotations

from typing import Any

from modtf import core as tf
from modtf.layers import config
from modtf.layers.input_spec import InputSpec
from modtf.layers.layer import Layer
from modtf.layers.layers.arguments import as_padding, as_sizes
from modtf.layers.layers.convolution import channels_last, restore_layout

__all__ = ["AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D"]


class _Pooling2D(Layer):
    """What 2-D pooling over windows has in common.

    Args:
        pool_size: The height and width of the window; one integer for both.
        strides: How far the window moves, down and right; by default its own size.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        name: A name.
        kwargs: What every `Layer` takes.
    """

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.pool_size = as_sizes(pool_size, 2, "pool_size")
        self.strides = self.pool_size if strides is None else as_sizes(strides, 2, "strides")
        self.padding = as_padding(padding)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def _pool(self, images: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        return restore_layout(self._pool(channels_last(inputs, self.data_format)), self.data_format)


class MaxPooling2D(_Pooling2D):
    """The greatest value of each window, by channel.

    Args:
        pool_size: The height and width of the window; one integer for both.
        strides: How far the window moves, down and right; by default its own size.
        padding: `"valid"` for windows within the image, `"same"` for an output as large as the input divided by strides.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        name: A name.
        kwargs: What every `Layer` takes.
    """

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def _pool(self, images: Any) -> Any:
        return tf.nn.max_pool2d(images, self.pool_size, self.strides, self.padding.upper())


class AveragePooling2D(_Pooling2D):
    """The mean of each window, by channel; padding does not count.

    Args:
        pool_size: The height and width of the window; one integer for both.
        strides: How far the window moves, down and right; by default its own size.
        padding: `"valid"` for windows within the image, `"same"` for an output as large as the input divided by strides.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        name: A name.
        kwargs: What every `Layer` takes.
    """

    def _pool(self, images: Any) -> Any:
        return tf.nn.avg_pool2d(images, self.pool_size, self.strides, self.padding.upper())


class _GlobalPooling2D(Layer):
    """What pooling of whole images has in common.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        keepdims: Whether height and width stay, with size 1.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=4)

    @property
    def _axes(self) -> list[int]:
        return [1, 2] if self.data_format == "channels_last" else [2, 3]


class GlobalAveragePooling2D(_GlobalPooling2D):
    """The mean of each channel: `[batch, height, width, channels]` to `[batch, channels]`.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        keepdims: Whether height and width stay, with size 1.
        kwargs: What every `Layer` takes.
    """

    def call(self, inputs: Any) -> Any:
        return tf.reduce_mean(inputs, self._axes, keepdims=self.keepdims)


class GlobalMaxPooling2D(_GlobalPooling2D):
    """The greatest value of each channel: `[batch, height, width, channels]` to `[batch, channels]`.

    Args:
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        keepdims: Whether height and width stay, with size 1.
        kwargs: What every `Layer` takes.
    """

    def call(self, inputs: Any) -> Any:
        return tf.reduce_max(inputs, self._axes, keepdims=self.keepdims)
