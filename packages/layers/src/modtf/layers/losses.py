"""Losses: functions of labels and predictions that give one value for each example, and classes that reduce these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf import core as tf
from modtf.core import contracts
from modtf.layers import config
from modtf.layers.naming import auto_name
from modtf.layers.serialization import Configurable, Registry, serialize

__all__ = [
    "KLD", "MAE", "MAPE", "MSE", "MSLE", "BinaryCrossentropy", "BinaryFocalCrossentropy", "CategoricalCrossentropy",
    "CategoricalHinge", "CosineSimilarity", "Hinge", "Huber", "KLDivergence", "LogCosh", "Loss", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge", "binary_crossentropy", "binary_focal_crossentropy",
    "categorical_crossentropy", "categorical_hinge", "cosine_similarity", "deserialize", "get", "hinge", "huber",
    "kl_divergence", "kld", "log_cosh", "logcosh", "mae", "mape", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "mse", "msle", "poisson",
    "serialize", "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip


def matched(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Returns labels and predictions as tensors of the predictions' dtype and, but for a last axis of size 1, equal rank."""
    y_pred = tf.convert_to_tensor(y_pred)
    return squeeze_or_expand(tf.cast(y_true, y_pred.dtype), y_pred)


def squeeze_or_expand(first: Any, second: Any, expand_vectors: bool = True) -> tuple[Any, Any]:
    """Makes two tensors' ranks equal if one has a last axis of size 1 more than the other.

    Args:
        first: A tensor.
        second: A tensor.
        expand_vectors: Whether a vector gets the axis, rather than the other tensor losing it.
    """
    ranks = first.shape.rank, second.shape.rank
    if None in ranks or abs(ranks[0] - ranks[1]) != 1:
        return first, second
    if ranks[0] < ranks[1]:
        second, first = squeeze_or_expand(second, first, expand_vectors)
        return first, second
    if first.shape.as_list()[-1] == 1:
        if ranks[1] == 1 and expand_vectors:
            second = tf.expand_dims(second, -1)
        else:
            first = tf.squeeze(first, [-1])
    return first, second


def _require_same_shape(y_true: Any, y_pred: Any, loss: str) -> None:
    if y_true.shape.rank is None or y_pred.shape.rank is None or y_true.shape.is_compatible_with(y_pred.shape):
        return
    raise ValueError(
        f"{loss} takes labels of the shape of the predictions, but the labels have the shape {y_true.shape} and the "
        f"predictions {y_pred.shape}."
    )


def _logits_behind(y_pred: Any, op_type: str) -> Any:
    """What a softmax or sigmoid was applied to, if the predictions come straight from one in the function being traced.

    Losses from logits are exact where probabilities have been rounded to 0 or 1.
    """
    if isinstance(y_pred, contracts.SymbolicTensor) and y_pred.op.type == op_type:
        return y_pred.op.inputs[0]
    return None


# The functions, each of labels and predictions.


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(square(y_true - y_pred))` over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    return tf.reduce_mean(tf.square(y_true - y_pred), -1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(abs(y_true - y_pred))` over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    return tf.reduce_mean(tf.abs(y_true - y_pred), -1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """`100 * mean(abs((y_true - y_pred) / y_true))` over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    relative = tf.abs((y_true - y_pred) / tf.maximum(tf.abs(y_true), config.epsilon()))
    return 100.0 * tf.reduce_mean(relative, -1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """`mean(square(log(y_true + 1) - log(y_pred + 1)))` over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    first, second = (tf.math.log(tf.maximum(y, config.epsilon()) + 1.0) for y in (y_pred, y_true))
    return tf.reduce_mean(tf.square(first - second), -1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """The negative cosine of the angle between labels and predictions as vectors along `axis`: -1 where they agree."""
    y_true, y_pred = matched(y_true, y_pred)

    def unit(vectors: Any) -> Any:
        squares = tf.reduce_sum(tf.square(vectors), axis, keepdims=True)
        return vectors * tf.math.rsqrt(tf.maximum(squares, 1e-12))

    return -tf.reduce_sum(unit(y_true) * unit(y_pred), axis)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """The mean, over the last axis, of half the squared error up to `delta`, and linear from there (Huber, 1964)."""
    y_true, y_pred = matched(y_true, y_pred)
    error = y_pred - y_true
    size = tf.abs(error)
    return tf.reduce_mean(tf.where(size <= delta, 0.5 * tf.square(error), delta * size - 0.5 * delta**2), -1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis."""
    y_true, y_pred = matched(y_true, y_pred)
    error = y_pred - y_true
    return tf.reduce_mean(error + tf.nn.softplus(-2.0 * error) - tf.math.log(tf.constant(2.0, error.dtype)), -1)


def _signed(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; if others are among them, all as they are."""
    binary = tf.reduce_all(tf.logical_or(y_true == 0.0, y_true == 1.0))
    return tf.where(binary, 2.0 * y_true - 1.0, y_true)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(maximum(1 - y_true * y_pred, 0))` over the last axis, for labels -1 and 1 (or 0 and 1)."""
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = _signed(tf.cast(y_true, y_pred.dtype))
    return tf.reduce_mean(tf.maximum(1.0 - y_true * y_pred, 0.0), -1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """`mean(square(maximum(1 - y_true * y_pred, 0)))` over the last axis, for labels -1 and 1 (or 0 and 1)."""
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = _signed(tf.cast(y_true, y_pred.dtype))
    return tf.reduce_mean(tf.square(tf.maximum(1.0 - y_true * y_pred, 0.0)), -1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """`maximum(1 + greatest prediction of a wrong class - prediction of the right class, 0)`, for one-hot labels."""
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, y_pred.dtype)
    right = tf.reduce_sum(y_true * y_pred, -1)
    wrong = tf.reduce_max((1.0 - y_true) * y_pred, -1)
    return tf.maximum(wrong - right + 1.0, 0.0)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """`sum(y_true * log(y_true / y_pred))` over the last axis (Kullback and Leibler, 1951)."""
    y_pred = tf.convert_to_tensor(y_pred)
    y_true, y_pred = (tf.clip_by_value(y, config.epsilon(), 1.0) for y in (tf.cast(y_true, y_pred.dtype), y_pred))
    return tf.reduce_sum(y_true * tf.math.log(y_true / y_pred), -1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """`mean(y_pred - y_true * log(y_pred))` over the last axis."""
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, y_pred.dtype)
    return tf.reduce_mean(y_pred - y_true * tf.math.log(y_pred + config.epsilon()), -1)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`-sum(y_true * log(y_pred))` along `axis`, for one-hot labels.

    Args:
        y_true: A probability for each class.
        y_pred: Likewise; they are made to add up to 1.
        from_logits: Whether `y_pred` are logits: what a softmax is to be applied to.
        label_smoothing: The part, from 0 to 1, of the labels that is spread evenly over the classes.
        axis: The axis of the classes.

    Raises:
        ValueError: The shapes differ.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, y_pred.dtype)
    _require_same_shape(y_true, y_pred, "categorical_crossentropy")
    if label_smoothing:
        classes = tf.cast(tf.shape(y_true)[-1], y_pred.dtype)
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    logits = y_pred if from_logits else _logits_behind(y_pred, "Softmax")
    if logits is not None:
        return tf.nn.softmax_cross_entropy_with_logits(labels=y_true, logits=logits, axis=axis)
    probabilities = y_pred / tf.reduce_sum(y_pred, axis, keepdims=True)
    return -tf.reduce_sum(y_true * tf.math.log(_inside(probabilities)), axis)


def _inside(probabilities: Any) -> Any:
    return tf.clip_by_value(probabilities, config.epsilon(), 1.0 - config.epsilon())


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """`-log(y_pred[y_true])`, for labels that are class numbers.

    Args:
        y_true: Class numbers, of the shape of `y_pred` without its last axis, or with that of size 1.
        y_pred: A probability for each class.
        from_logits: Whether `y_pred` are logits: what a softmax is to be applied to.
        ignore_class: A class number whose examples have loss 0.
        axis: The axis of the classes: the last.

    Raises:
        ValueError: The shapes do not go together.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, "int64")
    rank = y_pred.shape.rank
    if rank is not None and axis not in (-1, rank - 1):
        raise ValueError(f"sparse_categorical_crossentropy takes classes along the last axis; got axis={axis}.")
    if y_true.shape.rank == rank and y_true.shape.as_list()[-1] == 1:
        y_true = tf.squeeze(y_true, [-1])
    if not y_true.shape.is_compatible_with(y_pred.shape[:-1]):
        raise ValueError(
            "sparse_categorical_crossentropy takes class numbers, one for each row of predictions, but the labels have the "
            f"shape {y_true.shape} and the predictions {y_pred.shape}. For one-hot labels use categorical_crossentropy."
        )
    valid = None
    if ignore_class is not None:
        valid = tf.not_equal(y_true, tf.cast(ignore_class, "int64"))
        y_true = tf.where(valid, y_true, tf.zeros_like(y_true))
    logits = y_pred if from_logits else _logits_behind(y_pred, "Softmax")
    if logits is None:
        logits = tf.math.log(_inside(y_pred))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_true, logits=logits)
    return losses if valid is None else tf.where(valid, losses, tf.zeros_like(losses))


def _binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool, loss: str) -> Any:
    _require_same_shape(y_true, y_pred, loss)
    logits = y_pred if from_logits else _logits_behind(y_pred, "Sigmoid")
    if logits is not None:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=y_true, logits=logits)
    inside = _inside(y_pred)
    return -(y_true * tf.math.log(inside) + (1.0 - y_true) * tf.math.log(1.0 - inside))


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """`-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred))` along `axis`.

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities of 1.
        from_logits: Whether `y_pred` are logits: what a sigmoid is to be applied to.
        label_smoothing: How far, from 0 to 1, labels are moved towards one half.
        axis: The axis of the mean.

    Raises:
        ValueError: The shapes differ.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return tf.reduce_mean(_binary_crossentropy(y_true, y_pred, from_logits, "binary_crossentropy"), axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """`binary_crossentropy` with each value times `(1 - probability of the label) ** gamma` (Lin et al., 2018).

    Args:
        y_true: Labels 0 and 1.
        y_pred: Probabilities of 1.
        apply_class_balancing: Whether values of label 1 count `alpha`, and those of 0 `1 - alpha`.
        alpha: See there.
        gamma: The exponent: the greater, the less do easy examples count.
        from_logits: Whether `y_pred` are logits: what a sigmoid is to be applied to.
        label_smoothing: How far, from 0 to 1, labels are moved towards one half.
        axis: The axis of the mean.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.cast(y_true, y_pred.dtype)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = tf.sigmoid(y_pred)
    losses = _binary_crossentropy(y_true, y_pred, False, "binary_focal_crossentropy")
    right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = losses * tf.pow(1.0 - right, gamma)
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return tf.reduce_mean(losses, axis)


# The classes.

_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(Configurable):
    """The base of losses: a subclass defines `call(y_true, y_pred)`, which gives a value for each example.

    Args:
        name: A name; by default the class's in snake case.
        reduction: How the values become one: `"sum_over_batch_size"` (also `"mean"`) divides their sum by their number,
            `"mean_with_sample_weight"` by the sum of the weights, `"sum"` not at all; `None` (also `"none"`) leaves
            them as they are.
        dtype: The dtype to compute in; by default `config.floatx()`.

    Raises:
        ValueError: `reduction` is another.
    """

    config_module = "keras.losses"
    labels_are_numbers = False
    """Whether integer labels are class numbers, which must not be made floating."""

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: Any = None
    ) -> None:
        if reduction not in _REDUCTIONS:
            raise ValueError(f"reduction must be one of {', '.join(map(repr, _REDUCTIONS))}; got {reduction!r}.")
        self.name = auto_name(type(self).__name__) if name is None else name
        self.reduction = reduction
        self.dtype = tf.as_dtype(dtype or config.floatx()).name

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Returns a value for each example."""
        raise NotImplementedError(f"The loss {type(self).__name__} does not define call(y_true, y_pred).")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Returns the loss.

        Args:
            y_true: The labels.
            y_pred: The predictions.
            sample_weight: A weight for each value, or one that is broadcast.
        """
        with tf.name_scope(self.name):
            y_pred = tf.nest.map_structure(self._as_computed, y_pred)
            y_true = tf.nest.map_structure(self._as_labels, y_true)
            values = tf.cast(self.call(y_true, y_pred), self.dtype)
            if sample_weight is not None:
                sample_weight = tf.cast(sample_weight, self.dtype)
                values, sample_weight = squeeze_or_expand(values, sample_weight)
                values = values * sample_weight
            return self._reduce(values, sample_weight)

    def _as_computed(self, value: Any) -> Any:
        tensor = tf.convert_to_tensor(value)
        return tensor if tensor.dtype == self.dtype else tf.cast(tensor, self.dtype)

    def _as_labels(self, value: Any) -> Any:
        return tf.convert_to_tensor(value) if self.labels_are_numbers else self._as_computed(value)

    def _reduce(self, values: Any, sample_weight: Any) -> Any:
        if self.reduction in (None, "none") or values.shape.rank == 0:
            return values
        total = tf.reduce_sum(values)
        if self.reduction == "sum":
            return total
        if self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            return tf.math.divide_no_nan(total, tf.reduce_sum(sample_weight))
        count = values.shape.num_elements()
        if count:
            return total / float(count)
        return tf.math.divide_no_nan(total, tf.cast(tf.size(values), total.dtype))


class LossFunctionWrapper(Loss):
    """A function of labels and predictions as a loss.

    Args:
        fn: The function.
        reduction: See `Loss`.
        name: A name; by default the function's.
        dtype: See `Loss`.
        kwargs: More arguments for the function.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._arguments = kwargs
        for argument, value in kwargs.items():
            setattr(self, argument, value)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if not tf.nest.is_nested(y_true) and not tf.nest.is_nested(y_pred):
            y_true, y_pred = squeeze_or_expand(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._arguments)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.fn.__name__}, kwargs={self._arguments})>"


_Reduction = str | None


class MeanSquaredError(LossFunctionWrapper):
    """`mean_squared_error` as a loss."""

    def __init__(
        self, reduction: _Reduction = "sum_over_batch_size", name: str = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """`mean_absolute_error` as a loss."""

    def __init__(
        self, reduction: _Reduction = "sum_over_batch_size", name: str = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """`mean_absolute_percentage_error` as a loss."""

    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """`mean_squared_logarithmic_error` as a loss."""

    def __init__(
        self,
        reduction: _Reduction = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """`cosine_similarity` as a loss."""

    def __init__(
        self,
        axis: int = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Huber(LossFunctionWrapper):
    """`huber` as a loss."""

    def __init__(
        self,
        delta: float = 1.0,
        reduction: _Reduction = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """`log_cosh` as a loss."""

    def __init__(
        self, reduction: _Reduction = "sum_over_batch_size", name: str = "log_cosh", dtype: Any = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class Hinge(LossFunctionWrapper):
    """`hinge` as a loss."""

    def __init__(self, reduction: _Reduction = "sum_over_batch_size", name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """`squared_hinge` as a loss."""

    def __init__(
        self, reduction: _Reduction = "sum_over_batch_size", name: str = "squared_hinge", dtype: Any = None
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """`categorical_hinge` as a loss."""

    def __init__(
        self, reduction: _Reduction = "sum_over_batch_size", name: str = "categorical_hinge", dtype: Any = None
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)


class KLDivergence(LossFunctionWrapper):
    """`kl_divergence` as a loss."""

    def __init__(
        self, reduction: _Reduction = "sum_over_batch_size", name: str = "kl_divergence", dtype: Any = None
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """`poisson` as a loss."""

    def __init__(self, reduction: _Reduction = "sum_over_batch_size", name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, reduction, name, dtype)


class BinaryCrossentropy(LossFunctionWrapper):
    """`binary_crossentropy` as a loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """`binary_focal_crossentropy` as a loss."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing, alpha=alpha,
            gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalCrossentropy(LossFunctionWrapper):
    """`categorical_crossentropy` as a loss."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: _Reduction = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy, reduction, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing,
            axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """`sparse_categorical_crossentropy` as a loss."""

    labels_are_numbers = True

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: _Reduction = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy, reduction, name, dtype, from_logits=from_logits, ignore_class=ignore_class,
            axis=axis,
        )  # fmt: skip


CLASS_OF_FUNCTION = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_hinge: CategoricalHinge,
    cosine_similarity: CosineSimilarity,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
}
"""The loss class of each function, which is what `compile` makes of the function's name."""

ALIASES = {
    "mse": mean_squared_error,
    "MSE": mean_squared_error,
    "mae": mean_absolute_error,
    "MAE": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "MAPE": mean_absolute_percentage_error,
    "msle": mean_squared_logarithmic_error,
    "MSLE": mean_squared_logarithmic_error,
    "kld": kl_divergence,
    "KLD": kl_divergence,
    "logcosh": log_cosh,
    "bce": binary_crossentropy,
    "BCE": binary_crossentropy,
}

MSE = mse = mean_squared_error
MAE = mae = mean_absolute_error
MAPE = mape = mean_absolute_percentage_error
MSLE = msle = mean_squared_logarithmic_error
KLD = kld = kl_divergence
logcosh = log_cosh

_registry = Registry("loss", CLASS_OF_FUNCTION.values(), CLASS_OF_FUNCTION, ALIASES)
get = _registry.get
deserialize = _registry.deserialize
