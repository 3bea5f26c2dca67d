"""Normalization: values brought to mean 0 and variance 1, then scaled and shifted by what is learnt."""

from __future__ import annotations

from typing import Any

from modtf import core as tf
from modtf.layers import constraints, initializers, regularizers
from modtf.layers.input_spec import InputSpec
from modtf.layers.layer import Layer

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """`gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`, channel by channel (Ioffe and Szegedy, 2015).

    In training, mean and variance are those of the batch, and moving averages of them are kept:
    `moving_mean = moving_mean * momentum + mean * (1 - momentum)`. In inference, and while the layer is not `trainable`,
    the moving averages are used.

    Args:
        axis: The axis of the channels.
        momentum: How much of the moving averages stays at each step.
        epsilon: Keeps the quotient finite.
        center: Whether there is `beta`.
        scale: Whether there is `gamma`.
        beta_initializer: The first value of `beta`.
        gamma_initializer: The first value of `gamma`.
        moving_mean_initializer: The first value of the moving mean.
        moving_variance_initializer: The first value of the moving variance.
        beta_regularizer: A penalty on `beta`.
        gamma_regularizer: A penalty on `gamma`.
        beta_constraint: What `beta` must satisfy after each update.
        gamma_constraint: What `gamma` must satisfy after each update.
        kwargs: What every `Layer` takes.

    Attributes:
        gamma: `[channels]`, or `None`.
        beta: `[channels]`, or `None`.
        moving_mean: `[channels]`, not trained.
        moving_variance: `[channels]`, not trained.
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"The {self._label()} normalizes axis {self.axis}, which inputs of shape {input_shape} lack."
            )
        shape = (input_shape[self.axis],)
        if self.scale:
            self.gamma = self.add_weight(
                shape,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                name="beta",
            )
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: input_shape[self.axis]})

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        # Sums of float16 overflow, so the statistics are computed in float32 at least.
        x = tf.cast(inputs, "float64" if inputs.dtype == "float64" else "float32")
        rank = len(x.shape.as_list())
        axis = self.axis % rank
        if training and self.trainable:
            mean, variance = tf.nn.moments(x, [other for other in range(rank) if other != axis])
            for average, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                old = tf.cast(average, x.dtype)
                average.assign(tf.cast(old * self.momentum + new * (1.0 - self.momentum), average.dtype))
        else:
            mean, variance = self.moving_mean, self.moving_variance

        def along_axis(value: Any) -> Any:
            if value is None:
                return None
            value = tf.cast(value, x.dtype)
            return (
                value if axis == rank - 1 else tf.reshape(value, [-1 if other == axis else 1 for other in range(rank)])
            )

        outputs = tf.nn.batch_normalization(
            x, along_axis(mean), along_axis(variance), along_axis(self.beta), along_axis(self.gamma), self.epsilon
        )
        return tf.cast(outputs, self.compute_dtype)
