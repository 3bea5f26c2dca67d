"""`Trainer`: compile, fit, evaluate and predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.layers import optimizers
from modtf.layers.callbacks import Callback, CallbackList, History
from modtf.layers.data import ArrayBatches, Batches, make_batches, split_validation, unpack_x_y_sample_weight
from modtf.layers.layer import Layer
from modtf.layers.metrics import Mean, Metric
from modtf.layers.progress import ProgressDisplay
from modtf.layers.training.compiled import CompiledLosses, CompiledMetrics, examples_in
from modtf.layers.training.steps import compile_step

__all__ = ["Trainer"]


class _Compiled:
    """What `compile` leaves behind. It is no part of what is saved with the model."""

    def __init__(
        self, optimizer: Any, loss: Any, loss_weights: Any, metrics: Any, weighted_metrics: Any, run_eagerly: bool
    ) -> None:
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        self.losses = None if loss is None else CompiledLosses(loss, loss_weights)
        self.metrics = CompiledMetrics(metrics, weighted_metrics)
        self.loss_tracker = Mean(name="loss")
        self.run_eagerly = run_eagerly
        self.steps: dict[Any, Callable[[list[Any]], Any]] = {}
        self.prepared: set[tuple[str, str]] = set()


class Trainer(Layer):
    """The part of `Model` that trains: `compile`, then `fit`, `evaluate` and `predict`.

    To train in another way, override `train_step(data)`, which takes `(x, y, sample_weight)` and returns figures by name;
    or `compute_loss`. A step (forward, gradients, update, metrics) is one compiled function.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._compiled: _Compiled | None = None
        self._predict_steps: dict[Any, Callable[[list[Any]], Any]] = {}
        self.stop_training = False
        self.stop_evaluating = False
        self.stop_predicting = False
        self.history: Any = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
    ) -> None:
        """Says how to train.

        Args:
            optimizer: An optimizer or its name.
            loss: A loss, its name, or a function of labels and predictions; with several outputs a list, or a dict by
                their names. Without one, the model's own `losses` are minimized.
            loss_weights: What the losses of several outputs are multiplied by, a list or a dict.
            metrics: A list of metrics, their names, or functions; with several outputs a list of lists, or a dict.
                `"accuracy"` is the accuracy that fits the shapes of labels and predictions.
            weighted_metrics: More metrics, to which sample weights apply.
            run_eagerly: Whether steps run uncompiled, for debugging.

        Raises:
            ValueError: A name is unknown.
        """
        self._compiled = _Compiled(optimizer, loss, loss_weights, metrics, weighted_metrics, run_eagerly)
        self.stop_training = False

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled is not None

    def _require_compiled(self, method: str) -> _Compiled:
        if self._compiled is None:
            raise ValueError(
                f"Call compile() before {method}(): the model {self.name!r} has no loss and no optimizer yet."
            )
        return self._compiled

    @property
    def optimizer(self) -> Any:
        """The optimizer given to `compile`, or `None`."""
        return self._compiled and self._compiled.optimizer

    @property
    def loss(self) -> Any:
        """The loss given to `compile`, or `None`."""
        return self._compiled and self._compiled.loss

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run uncompiled."""
        return bool(self._compiled and self._compiled.run_eagerly)

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, the metrics given to `compile`, and metrics in attributes of the model and its layers."""
        found: list[Metric] = []
        if self._compiled is not None:
            found.append(self._compiled.loss_tracker)
            found.extend(self._compiled.losses.trackers if self._compiled.losses else ())
            found.extend(self._compiled.metrics.metrics)
        found.extend(metric for metric in _metrics_in(self) if not any(metric is other for other in found))
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [metric.name for metric in self.metrics]

    def reset_metrics(self) -> None:
        """Makes all metrics forget what they have seen."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns the figures so far, by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            results.update(result if isinstance(result, Mapping) else {metric.name: result})
        return results

    # One step.

    def train_step(self, data: Any) -> dict[str, Any]:
        """Trains on a batch. Override it to train in another way.

        Args:
            data: `(x, y, sample_weight)`, with `None` for what there is not.

        Returns:
            Figures by name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        compiled = self._require_compiled("train_step")
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True)
            scaled = compiled.optimizer.scale_loss(loss)
        self._track_loss(loss, x)
        variables = self.trainable_variables
        compiled.optimizer.apply_gradients(zip(tape.gradient(scaled, variables), variables, strict=True))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates a batch; takes and returns what `train_step` does."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        self._track_loss(self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Returns the outputs for a batch, `(x, None, None)`."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Returns the loss of a batch, a scalar: that given to `compile`, and the model's own `losses`.

        Args:
            x: The inputs.
            y: The labels.
            y_pred: The outputs for them.
            sample_weight: Weights of the examples, or `None`.
            training: Whether it is to be minimized.

        Raises:
            ValueError: There is no loss at all.
        """
        terms = list(self.losses)
        losses = None if self._compiled is None else self._compiled.losses
        if losses is not None and y is not None:
            loss = losses(y, y_pred, sample_weight)
            if loss is not None:
                terms.insert(0, loss)
        if not terms:
            missing = "no labels were given" if losses is not None else "compile() got no loss"
            raise ValueError(f"The model {self.name!r} has nothing to minimize: {missing}, and no layer adds a loss.")
        return tf.add_n(terms)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Takes a batch into account in the metrics given to `compile`, and returns all figures so far, by name."""
        if self._compiled is not None and y is not None:
            self._compiled.metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _track_loss(self, loss: Any, x: Any) -> None:
        assert self._compiled is not None
        self._compiled.loss_tracker.update_state(loss, sample_weight=examples_in(x))

    # Compiled steps.

    def _prepare(self, structure: Any, training: bool) -> None:
        """Makes all variables, of the model, its losses, metrics and optimizer, before a step is traced."""
        assert self._compiled is not None
        x, y, _ = structure
        predictions = self.compute_output_spec(x)
        if y is not None:
            names = self._output_names()
            if self._compiled.losses is not None:
                self._compiled.losses.build(y, predictions, names)
            self._compiled.metrics.build(y, predictions, names)
        if training and not self._compiled.optimizer.built:
            self._compiled.optimizer.build(self.trainable_variables)

    def _output_names(self) -> list[str] | None:
        """Names for several outputs, where the model knows them."""
        return None

    def _step(self, kind: str, structure: Any) -> Callable[[list[Any]], Any]:
        """Returns the compiled training or test step for batches of that structure."""
        compiled = self._require_compiled(kind)
        if (kind, repr(structure)) not in compiled.prepared:
            self._prepare(structure, training=kind == "train")
            compiled.prepared.add((kind, repr(structure)))
        trained = tuple(id(variable) for variable in self.trainable_variables) if kind == "train" else ()
        key = (kind, repr(structure), trained)
        if key not in compiled.steps:
            method = self.train_step if kind == "train" else self.test_step

            def step(data: Any) -> dict[str, Any]:
                figures = method(data)
                self._forget_losses()
                # Results of metrics can be read from their variables whenever they are wanted.
                known = set(self.get_metrics_result())
                return {} if set(figures) == known else figures

            step.__name__ = method.__name__
            compiled.steps[key] = compile_step(step, structure, compiled.run_eagerly)
        return compiled.steps[key]

    def forget_steps(self) -> None:
        """Makes the next `fit`, `evaluate` or `predict` compile its step anew; call it when the model has changed."""
        self._predict_steps.clear()
        if self._compiled is not None:
            self._compiled.steps.clear()
            self._compiled.prepared.clear()

    def _figures(self, of_step: Mapping[str, Any]) -> dict[str, float]:
        """The figures as Python numbers: those that a step returned, else those of the metrics."""
        return {name: _to_python(value) for name, value in (of_step or self.get_metrics_result()).items()}

    # Loops over data.

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | list[int] = 1,
    ) -> History:
        """Trains the model.

        Args:
            x: The inputs: an array, a structure of arrays, or something that yields batches `(x, y, sample_weight)`.
            y: The labels, unless the batches have them.
            batch_size: How many examples a step takes; by default 32.
            epochs: The number of the last epoch: how often to go through the data, unless `initial_epoch` is given.
            verbose: 0 for silence, 1 for a bar, 2 for a line for each epoch; `"auto"` for a bar on a terminal, and lines
                elsewhere.
            callbacks: Objects to call at each stage.
            validation_split: Which part of the arrays, from the end, to validate on instead.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on, or batches of them.
            shuffle: Whether to put the examples in another order in each epoch.
            class_weight: Weights by class number.
            sample_weight: A weight for each example.
            initial_epoch: The number of the first epoch, from 0.
            steps_per_epoch: How many batches an epoch has; by default all.
            validation_steps: How many batches to validate on; by default all.
            validation_batch_size: The batch size for validation; by default `batch_size`.
            validation_freq: After how many epochs to validate, or a list of the numbers of epochs, from 1.

        Returns:
            A `History`, whose `history` has a list of values for each figure.

        Raises:
            ValueError: `compile` was not called, or the data does not fit.
        """
        self._require_compiled("fit")
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation((x, y, sample_weight), validation_split)
        batches = make_batches(x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch)
        validation = None
        if validation_data is not None:
            validation = _validation_batches(validation_data, validation_batch_size or batch_size, validation_steps)
        step = self._step("train", batches.structure)
        history = History()
        calls = CallbackList([*_as_list(callbacks), history], self, verbose=verbose, epochs=epochs, steps=batches.steps)
        display = ProgressDisplay(verbose, epochs, batches.steps)
        self.history = history
        self.stop_training = False
        calls.on_train_begin({})
        figures: dict[str, float] = {}
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            calls.on_epoch_begin(epoch, {})
            display.begin(epoch)
            try:
                figures = self._run_epoch("train", step, batches, calls, display)
                if validation is not None and _is_due(epoch, validation_freq):
                    figures.update({f"val_{name}": value for name, value in self._validate(validation, calls).items()})
            except BaseException:
                display.close()
                raise
            display.end(figures)
            calls.on_epoch_end(epoch, figures)
            if self.stop_training:
                break
        self.optimizer.finalize_variable_values(self.trainable_variables)
        calls.on_train_end(figures)
        return history

    def _validate(self, validation: Batches, calls: CallbackList) -> dict[str, float]:
        step = self._step("test", validation.structure)
        self.reset_metrics()
        calls.on_test_begin({})
        silent = ProgressDisplay(0, None, None)
        silent.begin()
        figures = self._run_epoch("test", step, validation, calls, silent)
        calls.on_test_end(figures)
        return figures

    def _run_epoch(
        self,
        stage: str,
        step: Callable[[list[Any]], Any],
        batches: Batches,
        calls: CallbackList,
        display: ProgressDisplay,
    ) -> dict[str, float]:
        """Goes through the data once, and returns the figures."""
        begin, end = getattr(calls, f"on_{stage}_batch_begin"), getattr(calls, f"on_{stage}_batch_end")
        wants_figures = calls.wants_batches(stage)
        stopped = "stop_training" if stage == "train" else "stop_evaluating"
        result: Mapping[str, Any] = {}
        ran = False
        for number, batch in enumerate(batches.epoch()):
            begin(number, {})
            result = step(batch)
            ran = True
            end(number, self._figures(result) if wants_figures else {})
            display.step(lambda: self._figures(result))  # noqa: B023 (called at once, if at all)
            if getattr(self, stopped):
                break
        if not ran:
            raise ValueError(
                "The data gave no batches for this epoch. A generator must go on for as many epochs as there are."
            )
        return self._figures(result)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Returns the loss and the metrics on data.

        Args:
            x: The inputs, as for `fit`.
            y: The labels, as for `fit`.
            batch_size: How many examples a step takes; by default 32.
            verbose: As for `fit`.
            sample_weight: A weight for each example.
            steps: How many batches to take; by default all.
            callbacks: Objects to call at each stage.
            return_dict: Whether to return the figures by name.

        Returns:
            The loss if there are no metrics, else a list of the loss and the metrics; or a dict.

        Raises:
            ValueError: `compile` was not called, or the data does not fit.
        """
        self._require_compiled("evaluate")
        batches = make_batches(x, y, sample_weight, batch_size, steps=steps)
        step = self._step("test", batches.structure)
        calls = CallbackList(callbacks, self, verbose=verbose, epochs=1, steps=batches.steps)
        display = ProgressDisplay(verbose, None, batches.steps)
        self.stop_evaluating = False
        self.reset_metrics()
        calls.on_test_begin({})
        display.begin()
        try:
            figures = self._run_epoch("test", step, batches, calls, display)
        finally:
            display.close()
        display.end(figures)
        calls.on_test_end(figures)
        if return_dict:
            return figures
        values = list(figures.values())
        return values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Returns the outputs for inputs, as NumPy arrays.

        Args:
            x: The inputs, as for `fit`.
            batch_size: How many examples a step takes; by default 32.
            verbose: As for `fit`.
            steps: How many batches to take; by default all.
            callbacks: Objects to call at each stage.

        Returns:
            An array, or a structure of them, with a row for each example.

        Raises:
            ValueError: The data does not fit.
        """
        # Only the inputs count, so a list of arrays is one of inputs rather than (x, y).
        batches = make_batches(x, batch_size=batch_size, steps=steps)
        structure = (batches.structure[0], None, None)
        key = repr(structure)
        if key not in self._predict_steps:
            self.compute_output_spec(structure[0])  # makes the variables
            self._predict_steps[key] = compile_step(self.predict_step, structure, self.run_eagerly)
        step = self._predict_steps[key]
        inputs = len([leaf for leaf in tf.nest.flatten(structure) if leaf is not None])
        calls = CallbackList(callbacks, self, verbose=verbose, epochs=1, steps=batches.steps)
        display = ProgressDisplay(verbose, None, batches.steps)
        self.stop_predicting = False
        calls.on_predict_begin({})
        display.begin()
        parts: list[Any] = []
        try:
            for number, batch in enumerate(batches.epoch()):
                calls.on_predict_batch_begin(number, {})
                outputs = tf.nest.map_structure(np.asarray, step(batch[:inputs]))
                parts.append(outputs)
                calls.on_predict_batch_end(number, {"outputs": outputs})
                display.step(dict)
                if self.stop_predicting:
                    break
        finally:
            display.close()
        display.end({})
        calls.on_predict_end({})
        return tf.nest.map_structure(lambda *leaves: np.concatenate(leaves), *parts)

    # Single batches.

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch of arrays; returns what `evaluate` does. The metrics go on from batch to batch."""
        return self._run_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluates one batch of arrays; returns what `evaluate` does. The metrics go on from batch to batch."""
        return self._run_batch("test", x, y, sample_weight, None, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Returns the outputs for one batch, as NumPy arrays."""
        return self.predict(x, batch_size=_examples(x), verbose=0)

    def _run_batch(self, stage: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, return_dict: bool) -> Any:
        self._require_compiled(f"{stage}_on_batch")
        batches = ArrayBatches(x, y, sample_weight, _examples(x), class_weight=class_weight)
        step = self._step(stage, batches.structure)
        figures = self._figures(step(next(batches.epoch())))
        if return_dict:
            return figures
        values = list(figures.values())
        return values[0] if len(values) == 1 else values


def _as_list(callbacks: Any) -> list[Callback]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def _validation_batches(data: Any, batch_size: int | None, steps: int | None) -> Batches:
    if isinstance(data, (tuple, list)):
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        return make_batches(x, y, sample_weight, batch_size, steps=steps)
    return make_batches(data, steps=steps)


def _is_due(epoch: int, frequency: int | list[int]) -> bool:
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency


def _examples(x: Any) -> int:
    return max(len(next(leaf for leaf in tf.nest.flatten(x) if leaf is not None)), 1)


def _metrics_in(layer: Layer) -> list[Metric]:
    found = [item for item in layer._members() if isinstance(item, Metric)]
    for sublayer in layer.sublayers():
        found.extend(_metrics_in(sublayer))
    return found


def _to_python(value: Any) -> Any:
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array
