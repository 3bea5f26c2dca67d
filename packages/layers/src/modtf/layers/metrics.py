"""Metrics: figures accumulated in variables over many batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from modtf import core as tf
from modtf.layers import config, initializers, losses
from modtf.layers.losses import squeeze_or_expand
from modtf.layers.naming import auto_name
from modtf.layers.serialization import Configurable, Registry, serialize

__all__ = [
    "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "CategoricalAccuracy", "CategoricalCrossentropy",
    "CategoricalHinge", "CosineSimilarity", "Hinge", "KLDivergence", "LogCoshError", "Mean", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanMetricWrapper", "MeanSquaredError", "MeanSquaredLogarithmicError", "Metric",
    "Poisson", "RootMeanSquaredError", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "SquaredHinge", "Sum", "TopKCategoricalAccuracy", "accuracy", "binary_accuracy",
    "categorical_accuracy", "deserialize", "get", "serialize", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip


class Metric(tf.Module, Configurable):
    """The base of metrics: a subclass makes variables in `__init__` and defines `update_state` and `result`.

    Args:
        dtype: The dtype of the variables; by default `config.floatx()`.
        name: A name; by default the class's in snake case.
    """

    config_module = "keras.metrics"

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        super().__init__()
        self._name = auto_name(type(self).__name__) if name is None else name
        self._dtype = tf.as_dtype(dtype or config.floatx()).name

    @property
    def name(self) -> str:
        """The name, by which training reports the metric."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def dtype(self) -> str:
        """The dtype of the variables, by name."""
        return self._dtype

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> tf.Variable:
        """Makes a variable, which is to be kept in an attribute.

        Args:
            shape: Its shape.
            initializer: Gives the first value.
            dtype: Its dtype; by default the metric's.
            aggregation: How copies on several devices would be combined; without effect on one.
            name: A name for it.
        """
        make = initializers.get(initializer)
        return tf.Variable(
            lambda: make(tuple(shape), dtype=dtype or self._dtype),
            trainable=False,
            name=f"{self.name}/{name or 'variable'}",
        )

    add_weight = add_variable

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account."""
        raise NotImplementedError(f"The metric {type(self).__name__} does not define update_state(...).")

    def result(self) -> Any:
        """Returns the figure, a scalar tensor or a dict of them, for all batches so far."""
        raise NotImplementedError(f"The metric {type(self).__name__} does not define result().")

    def reset_state(self) -> None:
        """Forgets all batches."""
        for variable in self.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes a batch into account and returns the figure so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _for_each_example(values: Any, sample_weight: Any, combine: Callable[..., Any], dtype: str) -> tuple[Any, Any]:
    """Weights values, and combines those of each example if an example has several."""
    values = tf.cast(values, dtype)
    if sample_weight is not None:
        sample_weight = tf.cast(sample_weight, dtype)
        values, sample_weight = squeeze_or_expand(values, sample_weight)
        rank = sample_weight.shape.rank
        if values.shape.rank > rank:
            values = combine(values, list(range(rank, values.shape.rank)))
        if not sample_weight.shape.is_fully_defined() or sample_weight.shape != values.shape:
            sample_weight = tf.broadcast_to(sample_weight, tf.shape(values))
        values = values * sample_weight
        if rank > 1:
            sample_weight = combine(sample_weight, list(range(1, rank)))
    if values.shape.rank > 1:
        values = combine(values, list(range(1, values.shape.rank)))
    return values, sample_weight


def _total(values: Any) -> Any:
    return values if values.shape.rank == 0 else tf.reduce_sum(values)


class Sum(Metric):
    """The weighted sum of values."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, _ = _for_each_example(values, sample_weight, tf.reduce_sum, self.dtype)
        self.total.assign_add(_total(values))

    def result(self) -> Any:
        return tf.convert_to_tensor(self.total)


class Mean(Metric):
    """The weighted mean of values; 0 before the first."""

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        values, sample_weight = _for_each_example(values, sample_weight, tf.reduce_mean, self.dtype)
        self.total.assign_add(_total(values))
        if sample_weight is not None:
            self.count.assign_add(_total(sample_weight))
        else:
            count = values.shape.num_elements()
            self.count.assign_add(tf.cast(tf.size(values) if count is None else count, self.dtype))

    def result(self) -> Any:
        return tf.math.divide_no_nan(tf.convert_to_tensor(self.total), tf.convert_to_tensor(self.count))


class MeanMetricWrapper(Mean):
    """The weighted mean of a function of labels and predictions.

    Args:
        fn: The function, which gives a value for each example.
        name: A name; by default the function's.
        dtype: The dtype of the variables.
        kwargs: More arguments for the function.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name or str(getattr(fn, "__name__", "mean_metric_wrapper")), dtype)
        self.fn = fn
        self._arguments = kwargs
        for argument, value in kwargs.items():
            setattr(self, argument, value)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        super().update_state(self.fn(y_true, y_pred, **self._arguments), sample_weight)


# Accuracies, each 1 for a right prediction and 0 for a wrong one.


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether predictions equal labels."""
    y_true, y_pred = losses.matched(y_true, y_pred)
    return tf.cast(tf.equal(y_true, y_pred), config.floatx())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Whether predictions are above `threshold` where labels are 1, and not where they are 0."""
    y_pred = tf.convert_to_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand(tf.convert_to_tensor(y_true), y_pred)
    return tf.cast(tf.equal(y_true, tf.cast(y_pred > threshold, y_true.dtype)), config.floatx())


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the greatest prediction is at the class of the one-hot label."""
    right = tf.equal(tf.argmax(y_true, -1), tf.argmax(y_pred, -1))
    return tf.cast(right, config.floatx())


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the greatest prediction is at the class whose number is the label."""
    y_true, y_pred = _class_numbers(y_true, y_pred)
    return tf.cast(tf.equal(y_true, tf.argmax(y_pred, -1)), config.floatx())


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Whether the class of the one-hot label is among the `k` greatest predictions."""
    return sparse_top_k_categorical_accuracy(tf.argmax(y_true, -1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """Whether the label is among the `k` best predictions.

    Args:
        y_true: Class numbers.
        y_pred: A score for each class; or class numbers, the best first.
        k: How many predictions count.
        from_sorted_ids: Whether `y_pred` are class numbers.
    """
    y_true, y_pred = _class_numbers(y_true, y_pred)
    if from_sorted_ids:
        best = tf.cast(y_pred[..., :k], "int64")
        return tf.cast(tf.reduce_any(tf.equal(tf.expand_dims(y_true, -1), best), -1), config.floatx())
    classes = y_pred.shape.as_list()[-1]
    flat = tf.math.in_top_k(
        tf.cast(tf.reshape(y_true, [-1]), "int32"), tf.cast(tf.reshape(y_pred, [-1, classes]), "float32"), k
    )
    return tf.cast(tf.reshape(flat, tf.shape(y_true)), config.floatx())


def _class_numbers(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_true, y_pred = tf.cast(y_true, "int64"), tf.convert_to_tensor(y_pred)
    if y_true.shape.rank == y_pred.shape.rank and y_true.shape.as_list()[-1] == 1:
        y_true = tf.squeeze(y_true, [-1])
    return y_true, y_pred


class Accuracy(MeanMetricWrapper):
    """How often predictions equal labels."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often predictions, as 1 above `threshold` and 0 else, equal labels."""

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(f"BinaryAccuracy needs a threshold between 0 and 1; got {threshold!r}.")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the greatest prediction is at the class of the one-hot label."""

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the greatest prediction is at the class whose number is the label."""

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the class of the one-hot label is among the `k` greatest predictions."""

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """How often the label, a class number, is among the `k` best predictions."""

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)


# Losses as metrics.


class MeanSquaredError(MeanMetricWrapper):
    """The mean of `losses.mean_squared_error`."""

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """The square root of the mean of squared errors."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        y_true, y_pred = losses.matched(y_true, tf.cast(y_pred, self.dtype))
        super().update_state(tf.math.squared_difference(y_pred, y_true), sample_weight)

    def result(self) -> Any:
        return tf.sqrt(super().result())


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of `losses.mean_absolute_error`."""

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of `losses.mean_absolute_percentage_error`."""

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of `losses.mean_squared_logarithmic_error`."""

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


def _cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """The mean cosine of the angle between labels and predictions: 1 where they agree."""

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(_cosine, name, dtype, axis=axis)


class LogCoshError(MeanMetricWrapper):
    """The mean of `losses.log_cosh`."""

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class Hinge(MeanMetricWrapper):
    """The mean of `losses.hinge`."""

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean of `losses.squared_hinge`."""

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of `losses.categorical_hinge`."""

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)


class KLDivergence(MeanMetricWrapper):
    """The mean of `losses.kl_divergence`."""

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """The mean of `losses.poisson`."""

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of `losses.binary_crossentropy`."""

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.categorical_crossentropy`."""

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of `losses.sparse_categorical_crossentropy`."""

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(losses.sparse_categorical_crossentropy, name, dtype, from_logits=from_logits, axis=axis)


_CLASSES = (
    Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, CategoricalHinge,
    CosineSimilarity, Hinge, KLDivergence, LogCoshError, Mean, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError, Poisson, RootMeanSquaredError, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, SquaredHinge, Sum, TopKCategoricalAccuracy,
)  # fmt: skip
_SHORT_NAMES: Mapping[str, Any] = {
    "mse": MeanSquaredError, "MSE": MeanSquaredError, "mae": MeanAbsoluteError, "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError, "MAPE": MeanAbsolutePercentageError, "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError, "rmse": RootMeanSquaredError, "RMSE": RootMeanSquaredError,
    "kld": KLDivergence, "KLD": KLDivergence, "bce": BinaryCrossentropy, "BCE": BinaryCrossentropy, "logcosh": LogCoshError,
}  # fmt: skip

_registry = Registry("metric", _CLASSES, aliases=_SHORT_NAMES)
get = _registry.get
deserialize = _registry.deserialize

binary_crossentropy = losses.binary_crossentropy
categorical_crossentropy = losses.categorical_crossentropy
sparse_categorical_crossentropy = losses.sparse_categorical_crossentropy
mean_squared_error = losses.mean_squared_error
mean_absolute_error = losses.mean_absolute_error
MSE = mse = losses.MSE
MAE = mae = losses.MAE
MAPE = mape = losses.MAPE
MSLE = msle = losses.MSLE
KLD = kld = losses.KLD
logcosh = losses.logcosh
