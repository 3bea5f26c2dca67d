"""Convolutions: weighted sums over windows that slide over images."""

from __future__ import annotations

from typing import Any

from modtf import core as tf
from modtf.layers import activations, config, constraints, initializers, regularizers
from modtf.layers.input_spec import InputSpec
from modtf.layers.layer import Layer
from modtf.layers.layers.arguments import as_padding, as_sizes

__all__ = ["Conv2D", "DepthwiseConv2D"]


class _Conv2DBase(Layer):
    """What 2-D convolutions have in common: the geometry, the layout of images, the bias and the activation."""

    bias: Any

    def __init__(
        self,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = as_sizes(kernel_size, 2, "kernel_size")
        self.strides = as_sizes(strides, 2, "strides")
        self.dilation_rate = as_sizes(dilation_rate, 2, "dilation_rate")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"strides > 1 and dilation_rate > 1 do not go together; got strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}."
            )
        self.padding = as_padding(padding)
        self.data_format = config.standardize_data_format(data_format)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=4)

    def _channels(self, input_shape: Any) -> int:
        axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"The {self._label()} needs the number of channels of its input; got the shape {input_shape}."
            )
        self.input_spec = InputSpec(ndim=4, axes={axis: channels})
        return channels

    def _add_bias(self, size: int) -> Any:
        if not self.use_bias:
            return None
        return self.add_weight(
            (size,),
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            name="bias",
        )

    def _convolve(self, x: Any) -> Any:
        """The convolution itself, of images with the channels last."""
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        x = channels_last(tf.cast(inputs, self.compute_dtype), self.data_format)
        x = self._convolve(x)
        if self.bias is not None:
            x = tf.nn.bias_add(x, self.bias)
        return self.activation(restore_layout(x, self.data_format))


class Conv2D(_Conv2DBase):
    """`activation(conv(inputs, kernel) + bias)`.

    Args:
        filters: The number of channels of the outputs.
        kernel_size: The height and width of the window; one integer for both.
        strides: How far the window moves, down and right.
        padding: `"valid"` for windows within the image, `"same"` for an output as large as the input divided by strides.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        dilation_rate: The distance of the pixels in a window, down and right.
        groups: Into how many groups the channels are divided, each with filters of its own.
        activation: A function, or its name, applied at the end.
        use_bias: Whether there is a bias.
        kernel_initializer: The first value of the kernel.
        bias_initializer: The first value of the bias.
        kernel_regularizer: A penalty on the kernel.
        bias_regularizer: A penalty on the bias.
        activity_regularizer: A penalty on the outputs.
        kernel_constraint: What the kernel must satisfy after each update.
        bias_constraint: What the bias must satisfy after each update.
        kwargs: What every `Layer` takes.

    Attributes:
        kernel: `[height, width, channels / groups, filters]`.
        bias: `[filters]`, or `None`.

    Input:
        `[batch, height, width, channels]`, or `[batch, channels, height, width]` for `"channels_first"`.

    Output:
        The same with `filters` channels, and the new height and width.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, bias_constraint, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        (self.filters,) = as_sizes(filters, 1, "filters")
        (self.groups,) = as_sizes(groups, 1, "groups")
        if self.filters % self.groups:
            raise ValueError(f"filters must be divisible by groups; got filters={filters}, groups={groups}.")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"The {self._label()} divides channels into {self.groups} groups, but its input has {channels}."
            )
        self.kernel = self.add_weight(
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = self._add_bias(self.filters)

    def _convolve(self, x: Any) -> Any:
        return tf.nn.conv2d(x, self.kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)


class DepthwiseConv2D(_Conv2DBase):
    """A convolution of each channel by itself: `activation(depthwise_conv(inputs, kernel) + bias)`.

    Args:
        kernel_size: The height and width of the window; one integer for both.
        strides: How far the window moves, down and right.
        padding: `"valid"` or `"same"`.
        depth_multiplier: How many channels each one becomes.
        data_format: `"channels_last"` or `"channels_first"`; by default `config.image_data_format()`.
        dilation_rate: The distance of the pixels in a window, down and right.
        activation: A function, or its name, applied at the end.
        use_bias: Whether there is a bias.
        depthwise_initializer: The first value of the kernel.
        bias_initializer: The first value of the bias.
        depthwise_regularizer: A penalty on the kernel.
        bias_regularizer: A penalty on the bias.
        activity_regularizer: A penalty on the outputs.
        depthwise_constraint: What the kernel must satisfy after each update.
        bias_constraint: What the bias must satisfy after each update.
        kwargs: What every `Layer` takes.

    Attributes:
        kernel: `[height, width, channels, depth_multiplier]`.
        bias: `[channels * depth_multiplier]`, or `None`.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, bias_constraint, activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        (self.depth_multiplier,) = as_sizes(depth_multiplier, 1, "depth_multiplier")
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="kernel",
        )
        self.bias = self._add_bias(channels * self.depth_multiplier)

    def _convolve(self, x: Any) -> Any:
        strides = (1, *self.strides, 1)
        return tf.nn.depthwise_conv2d(x, self.kernel, strides, self.padding.upper(), dilations=self.dilation_rate)


def channels_last(images: Any, data_format: str) -> Any:
    """Returns images with their channels last, whatever their layout."""
    return images if data_format == "channels_last" else tf.transpose(images, [0, 2, 3, 1])


def restore_layout(images: Any, data_format: str) -> Any:
    """Undoes `channels_last`."""
    return images if data_format == "channels_last" else tf.transpose(images, [0, 3, 1, 2])
