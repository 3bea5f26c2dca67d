"""Layers at the heart of most models: Dense, Activation, Lambda, and the model's inputs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.layers import activations, constraints, initializers, regularizers
from modtf.layers.input_spec import InputSpec
from modtf.layers.layer import Layer
from modtf.layers.symbolic import KerasTensor, Node

__all__ = ["Dense", "Identity", "Input", "InputLayer", "Lambda"]


class Dense(Layer):
    """`activation(inputs @ kernel + bias)`, over the last axis.

    Args:
        units: The size of the last axis of the outputs.
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
        kernel: `[inputs, units]`.
        bias: `[units]`, or `None`.

    Input:
        `[batch, ..., inputs]`.

    Output:
        `[batch, ..., units]`.
    """

    def __init__(
        self,
        units: int,
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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not isinstance(units, (int, np.integer)) or units <= 0:
            raise ValueError(f"Dense needs a positive integer for units; got {units!r}.")
        self.units = int(units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def call(self, inputs: Any) -> Any:
        x = tf.cast(inputs, self.compute_dtype)
        x = tf.matmul(x, self.kernel) if x.shape.rank == 2 else tf.tensordot(x, self.kernel, 1)
        if self.use_bias:
            x = tf.nn.bias_add(x, self.bias)
        return self.activation(x)


class Identity(Layer):
    """The inputs as they are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs


class Lambda(Layer):
    """A function as a layer.

    Args:
        function: A function of the inputs that has no weights of its own.
        output_shape: Not needed: the shape is found by itself.
        mask: A mask of the outputs, or a function that makes it from the inputs and their mask.
        arguments: More arguments for the function, by name.
        kwargs: What every `Layer` takes.
    """

    unsaved_arguments = (*Layer.unsaved_arguments, "output_shape", "mask")

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda needs a function; got {function!r}.")
        self.function = function
        self.mask = mask
        self.arguments = arguments or {}

    def call(self, inputs: Any) -> Any:
        return self.function(inputs, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        if self.function.__name__ == "<lambda>":
            raise NotImplementedError(
                f"The {self._label()} has a lambda, which has no name to save it by. Use a function with a name, or a "
                "Layer of your own."
            )
        return super().get_config()


class Operator(Layer):
    """One of Python's operators, as applied to symbolic tensors.

    Args:
        operator: Its name in the module `operator`: `"add"`.
        kwargs: What every `Layer` takes.
    """

    def __init__(self, operator: str, **kwargs: Any) -> None:
        super().__init__(name=kwargs.pop("name", None), autocast=False, **kwargs)
        self.operator = operator

    def call(self, *operands: Any) -> Any:
        return getattr(operator, self.operator)(*operands)


class InputLayer(Layer):
    """Where inputs enter a model. It passes them on and checks their shape.

    Args:
        shape: The shape without the batch, `None` for free sizes.
        batch_size: The size of the batch, if it is fixed.
        dtype: The dtype; by default `config.floatx()`.
        batch_shape: The shape with the batch, instead of the two.
        name: A name.
        kwargs: What every `Layer` takes.
    """

    unsaved_arguments = (*Layer.unsaved_arguments, "shape", "batch_size", "trainable")

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        batch_shape: Sequence[int | None] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if (shape is None) == (batch_shape is None):
            raise ValueError(
                f"An input needs one of shape and batch_shape; got shape={shape!r}, batch_shape={batch_shape!r}."
            )
        super().__init__(dtype=dtype, name=name, **kwargs)
        if batch_shape is None:
            assert shape is not None
            batch_shape = (batch_size, *([shape] if isinstance(shape, int) else shape))
        self.batch_shape = tuple(batch_shape)
        self.input_spec = InputSpec(shape=(None, *self.batch_shape[1:]))
        self.built = True
        self.output_shape = self.batch_shape
        self.output = KerasTensor(self.batch_shape, self.dtype, self.name)
        Node(self, (), {}, self.output)

    def call(self, inputs: Any) -> Any:
        return inputs


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> KerasTensor:
    """Returns a symbolic tensor that stands for an input of a model.

    Args:
        shape: Its shape without the batch, `None` for free sizes.
        batch_size: The size of the batch, if it is fixed.
        dtype: Its dtype; by default `config.floatx()`.
        batch_shape: The shape with the batch, instead of the two.
        name: A name for the input.
    """
    return InputLayer(shape, batch_size, dtype, batch_shape, name).output
