"""Callbacks: what is called at each stage of training."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from modtf.layers.models.model import Model

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "TerminateOnNaN",
]


class Callback:
    """The base of callbacks: override what you need.

    `logs` has the figures so far by name, such as `logs["loss"]`; at the ends of epochs, those of validation too, their
    names beginning with `val_`. Setting `self.model.stop_training = True` ends training after the batch.

    Attributes:
        model: The model.
        params: A dict of `verbose`, `epochs` and `steps`.
    """

    model: Model
    params: dict[str, Any]

    def set_model(self, model: Model) -> None:
        """Called with the model before anything else."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called with `params` before anything else."""
        self.params = params

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the beginning of `fit`."""

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the end of `fit`."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the beginning of an epoch, which are counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the end of an epoch, after validation."""

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before a step of `fit`; batches are counted from 0."""

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after a step of `fit`."""

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the beginning of `evaluate`, and of validation."""

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the end of `evaluate`, and of validation."""

    def on_test_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before a step of `evaluate`."""

    def on_test_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after a step of `evaluate`."""

    def on_predict_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the beginning of `predict`."""

    def on_predict_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Called at the end of `predict`."""

    def on_predict_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called before a step of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Called after a step of `predict`; `logs["outputs"]` has its outputs."""


class CallbackList(Callback):
    """Several callbacks as one.

    Args:
        callbacks: The callbacks.
        model: The model.
        params: See `Callback`.
    """

    def __init__(self, callbacks: Iterable[Callback] | Callback | None, model: Any, **params: Any) -> None:
        if isinstance(callbacks, Callback):
            callbacks = [callbacks]
        self.callbacks = list(callbacks or ())
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                raise ValueError(f"Callbacks must be objects of subclasses of Callback; got {callback!r}.")
            callback.set_model(model)
            callback.set_params(params)

    def wants_batches(self, stage: str) -> bool:
        """Whether any of them does something after each batch, so that the figures have to be fetched for it."""
        name = f"on_{stage}_batch_end"
        nothing = getattr(Callback, name)
        return any(getattr(getattr(callback, name), "__func__", None) is not nothing for callback in self.callbacks)


def _to_each(name: str) -> Callable[..., None]:
    def forwarded(self: CallbackList, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, name)(*args)

    forwarded.__doc__ = getattr(Callback, name).__doc__
    return forwarded


_METHODS = [name for name in vars(Callback) if name.startswith("on_")]
for _name in _METHODS:
    setattr(CallbackList, _name, _to_each(_name))


class History(Callback):
    """Notes the figures of each epoch; `fit` returns one.

    Attributes:
        epoch: The numbers of the epochs, counted from 0.
        history: For each figure a list of its values.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class LambdaCallback(Callback):
    """A callback of functions, each in the place of the method of its name: `LambdaCallback(on_epoch_end=print)`.

    Raises:
        ValueError: There is no method of that name.
    """

    def __init__(self, **functions: Callable[..., Any] | None) -> None:
        for name, function in functions.items():
            if name not in _METHODS:
                raise ValueError(f"LambdaCallback has no {name!r}. It takes: {', '.join(_METHODS)}.")
            if function is not None:
                setattr(self, name, function)


class EarlyStopping(Callback):
    """Stops training when a figure has stopped to improve.

    Args:
        monitor: The figure.
        min_delta: What counts as an improvement.
        patience: How many epochs without improvement are borne.
        verbose: Whether to say so: 0 or 1.
        mode: `"min"` if less is better, `"max"` if more is, `"auto"` to tell by the figure's name.
        baseline: A value that has to be improved on from the beginning.
        restore_best_weights: Whether to go back to the weights of the best epoch.
        start_from_epoch: How many epochs are let pass before.

    Raises:
        ValueError: `mode` is another.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"mode must be 'auto', 'min' or 'max'; got {mode!r}.")
        self.monitor = monitor
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        grows = mode == "max" or (
            mode == "auto" and monitor.endswith(("acc", "accuracy", "auc", "precision", "recall"))
        )
        self._sign = -1.0 if grows else 1.0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] | None = None

    def _is_better(self, value: float, than: float | None) -> bool:
        return than is None or self._sign * (value - than) < -self.min_delta

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping watches {self.monitor!r}, but the figures of epoch {epoch + 1} are: {', '.join(logs or {})}.",
                stacklevel=2,
            )
            return
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of each epoch.

    Args:
        schedule: Gives the learning rate for the epoch's number, counted from 0, and the present one.
        verbose: Whether to say so: 0 or 1.
    """

    def __init__(self, schedule: Callable[[int, float], float], verbose: int = 0) -> None:
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        rate = float(self.schedule(epoch, float(np.asarray(self.model.optimizer.learning_rate))))
        self.model.optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: learning rate {rate}")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if isinstance(logs, dict):
            logs["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))


class TerminateOnNaN(Callback):
    """Stops training when the loss is no longer a number."""

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            print(f"Batch {batch}: the loss is {loss}, so training stops.")
            self.model.stop_training = True
