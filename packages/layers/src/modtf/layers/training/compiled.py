"""What `compile` was given, matched with the outputs of the model: a loss and metrics for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modtf import core as tf
from modtf.layers import losses, metrics
from modtf.layers.losses import CLASS_OF_FUNCTION, Loss, LossFunctionWrapper
from modtf.layers.metrics import Mean, MeanMetricWrapper, Metric

__all__ = ["CompiledLosses", "CompiledMetrics"]


def examples_in(batch: Any) -> Any:
    """The number of examples of a batch, as a Python number where it is known beforehand."""
    first = next(leaf for leaf in tf.nest.flatten(batch) if leaf is not None)
    known = first.shape[0]
    return tf.shape(first)[0] if known is None else float(known)


class Outputs:
    """The outputs of a model as a list, with a name for each.

    Args:
        predictions: A tensor, or a list, tuple or dict of them.
        names: Names for those of a list or tuple, where the model has them.
    """

    def __init__(self, predictions: Any, names: Sequence[str] | None = None) -> None:
        self.count = len(tf.nest.flatten(predictions))
        if isinstance(predictions, Mapping):
            self.names = sorted(predictions)
        elif names is not None and len(names) == self.count:
            self.names = list(names)
        else:
            self.names = [f"output_{index + 1}" for index in range(self.count)]

    def list_of(self, values: Any, what: str) -> list[Any]:
        """Returns the leaves of labels, predictions or weights, one for each output.

        Raises:
            ValueError: There are too many or too few.
        """
        if isinstance(values, Mapping):
            missing = [name for name in self.names if name not in values]
            if missing and self.count > 1:
                raise ValueError(
                    f"{what} has no {', '.join(missing)}: the model's outputs are {', '.join(self.names)}."
                )
            found = [values[name] for name in self.names] if not missing else tf.nest.flatten(values)
        else:
            found = tf.nest.flatten(values)
        if len(found) != self.count:
            raise ValueError(
                f"The model has {self.count} outputs ({', '.join(self.names)}), but {what} has {len(found)} parts."
            )
        return found

    def share_out(self, given: Any, argument: str) -> list[Any]:
        """Returns what an argument of `compile` says of each output.

        Args:
            given: One thing for all outputs, a list with one for each, or a dict by names of outputs.
            argument: The argument's name.

        Raises:
            ValueError: A name is not one of an output, or there are too many or too few.
        """
        if isinstance(given, Mapping) and "class_name" not in given:
            unknown = [name for name in given if name not in self.names]
            if unknown:
                raise ValueError(
                    f"compile() got {argument} for {', '.join(map(repr, unknown))}, but the model's outputs are "
                    f"{', '.join(self.names)}."
                )
            return [given.get(name) for name in self.names]
        if isinstance(given, (list, tuple)):
            if len(given) != self.count:
                raise ValueError(
                    f"compile() got {len(given)} {argument} for {self.count} outputs ({', '.join(self.names)})."
                )
            return list(given)
        return [given] * self.count


def _kind(y_true: Any, y_pred: Any) -> str:
    """What the shapes of labels and predictions say that is predicted."""
    true, pred = y_true.shape.as_list(), y_pred.shape.as_list()
    if pred[-1] == 1:
        return "binary"
    if len(true) < len(pred) or (true[-1] == 1 and (pred[-1] or 0) > 1):
        return "sparse_categorical"
    return "categorical"


class CompiledLosses:
    """The losses of a model, one for each output, and their weighted sum.

    Args:
        loss: What `compile` got.
        loss_weights: What `compile` got.

    Attributes:
        trackers: Means of the single losses, where there are several.
    """

    def __init__(self, loss: Any, loss_weights: Any) -> None:
        self._loss = loss
        self._loss_weights = loss_weights
        self._outputs: Outputs | None = None
        self.trackers: list[Mean] = []

    def build(self, y_true: Any, y_pred: Any, names: Sequence[str] | None) -> None:
        """Makes the losses for labels and predictions of these shapes."""
        if self._outputs is not None:
            return
        outputs = Outputs(y_pred, names)
        chosen = outputs.share_out(self._loss, "losses")
        true, pred = outputs.list_of(y_true, "the labels"), outputs.list_of(y_pred, "the predictions")
        self._functions = [_find_loss(*item) for item in zip(chosen, true, pred, strict=True)]
        self._weights = outputs.share_out(self._loss_weights, "loss_weights")
        if outputs.count > 1:
            self.trackers = [
                Mean(name=f"{name}_loss")
                for name, function in zip(outputs.names, self._functions, strict=True)
                if function is not None
            ]
        self._outputs = outputs

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """Returns the weighted sum of the losses."""
        assert self._outputs is not None
        outputs = self._outputs
        true, pred = outputs.list_of(y_true, "the labels"), outputs.list_of(y_pred, "the predictions")
        weights = _weights_of(sample_weight, outputs)
        trackers = iter(self.trackers)
        terms = []
        for function, factor, *arguments in zip(self._functions, self._weights, true, pred, weights, strict=True):
            if function is None:
                continue
            value = function(*arguments)
            if self.trackers:
                next(trackers).update_state(value, sample_weight=examples_in(arguments[1]))
            terms.append(value if factor is None else value * factor)
        return tf.add_n(terms) if terms else None


def _find_loss(identifier: Any, y_true: Any, y_pred: Any) -> Callable[..., Any] | None:
    if identifier in ("crossentropy", "ce"):
        identifier = f"{_kind(y_true, y_pred)}_crossentropy"
    found = losses.get(identifier)
    if found is None or isinstance(found, Loss):
        return found
    if found in CLASS_OF_FUNCTION:
        return CLASS_OF_FUNCTION[found](name=identifier if isinstance(identifier, str) else found.__name__)
    return LossFunctionWrapper(found)


class CompiledMetrics:
    """The metrics of a model, lists of them for each output.

    Args:
        given: What `compile` got as `metrics`.
        weighted: What it got as `weighted_metrics`.

    Attributes:
        metrics: The metrics, in order.
    """

    def __init__(self, given: Any, weighted: Any) -> None:
        for argument, value in (("metrics", given), ("weighted_metrics", weighted)):
            if value and not isinstance(value, (list, tuple, Mapping)):
                raise ValueError(f"compile() takes a list or dict of {argument}; got {value!r}.")
        self._given = given
        self._weighted = weighted
        self._outputs: Outputs | None = None
        self.metrics: list[Metric] = []

    def build(self, y_true: Any, y_pred: Any, names: Sequence[str] | None) -> None:
        """Makes the metrics for labels and predictions of these shapes."""
        if self._outputs is not None:
            return
        outputs = Outputs(y_pred, names)
        true, pred = outputs.list_of(y_true, "the labels"), outputs.list_of(y_pred, "the predictions")
        self._of_output: list[list[tuple[Metric, bool]]] = [[] for _ in range(outputs.count)]
        taken: set[str] = set()
        for given, is_weighted in ((self._given, False), (self._weighted, True)):
            for index, chosen in enumerate(_lists(given, outputs, "weighted_metrics" if is_weighted else "metrics")):
                for identifier in chosen:
                    metric = _find_metric(identifier, true[index], pred[index])
                    name = metric.name if outputs.count == 1 else f"{outputs.names[index]}_{metric.name}"
                    metric.name = _free_name(name, taken, is_weighted)
                    self._of_output[index].append((metric, is_weighted))
                    self.metrics.append(metric)
        self._outputs = outputs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        """Takes a batch into account."""
        if self._outputs is None or not self.metrics:
            return
        outputs = self._outputs
        true, pred = outputs.list_of(y_true, "the labels"), outputs.list_of(y_pred, "the predictions")
        for chosen, t, p, weight in zip(self._of_output, true, pred, _weights_of(sample_weight, outputs), strict=True):
            for metric, is_weighted in chosen:
                if is_weighted:
                    metric.update_state(t, p, sample_weight=weight)
                else:
                    metric.update_state(t, p)


def _lists(given: Any, outputs: Outputs, argument: str) -> list[list[Any]]:
    """A list of metrics for each output."""
    if not given:
        return [[] for _ in range(outputs.count)]
    if outputs.count == 1 and not isinstance(given, Mapping):
        return [list(given)]
    shared = outputs.share_out(given, argument)
    return [list(item) if isinstance(item, (list, tuple)) else [] if item is None else [item] for item in shared]


def _find_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    if identifier in ("accuracy", "acc"):
        classes = {
            "binary": metrics.BinaryAccuracy,
            "sparse_categorical": metrics.SparseCategoricalAccuracy,
            "categorical": metrics.CategoricalAccuracy,
        }
        return classes[_kind(y_true, y_pred)](name=identifier)
    found = metrics.get(identifier)
    if not isinstance(found, Metric):
        found = MeanMetricWrapper(found)
    if isinstance(identifier, str):
        found.name = identifier
    return found


def _free_name(name: str, taken: set[str], is_weighted: bool) -> str:
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"weighted_{name}" if is_weighted and number == 1 else f"{name}_{number}"
    taken.add(candidate)
    return candidate


def _weights_of(sample_weight: Any, outputs: Outputs) -> list[Any]:
    if sample_weight is None or not tf.nest.is_nested(sample_weight):
        return [sample_weight] * outputs.count
    return outputs.list_of(sample_weight, "sample_weight")
