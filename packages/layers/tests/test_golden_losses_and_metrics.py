"""Losses and metrics against Keras."""

from __future__ import annotations

import golden_cases as cases
import numpy as np
import pytest

from modtf import core as tf
from modtf import layers as keras


@pytest.mark.parametrize("name", cases.LOSSES)
def test_losses(name, backend, goldens):
    make, kind = cases.LOSSES[name]
    golden = goldens["losses"]
    labels, predictions = cases.labels_and_predictions(kind, name)
    weights = cases.values(f"{name}/weights", (len(labels),), positive=True)
    for reduction in cases.REDUCTIONS:
        loss = make(keras, reduction=reduction)
        np.testing.assert_allclose(loss(labels, predictions), golden[f"{name}/{reduction}"], rtol=1e-6, atol=1e-6)
        weighted = loss(labels, predictions, sample_weight=weights)
        np.testing.assert_allclose(weighted, golden[f"{name}/{reduction}/weighted"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", cases.LOSSES)
def test_gradients_of_losses(name, backend, goldens):
    make, kind = cases.LOSSES[name]
    labels, predictions = cases.labels_and_predictions(kind, name)
    weights = cases.values(f"{name}/weights", (len(labels),), positive=True)
    variable = tf.Variable(predictions)
    loss = make(keras)

    def gradient():
        with tf.GradientTape() as tape:
            value = loss(labels, variable, sample_weight=weights)
        return tape.gradient(value, variable)

    for compute in (gradient, tf.function(gradient)):
        np.testing.assert_allclose(compute(), goldens["losses"][f"{name}/gradient"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", cases.METRICS)
def test_metrics(name, weighted, backend, goldens):
    results = cases.metric_results(keras, name, weighted)
    np.testing.assert_allclose(results, goldens["metrics"][f"{name}/{weighted}"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", cases.METRICS)
def test_a_metric_forgets_and_is_made_anew_from_its_configuration(name):
    make, kind = cases.METRICS[name]
    metric = make(keras)
    batch = cases.labels_and_predictions(kind, name)
    first = float(metric(*batch))
    metric.update_state(*cases.labels_and_predictions(kind, "another"))
    metric.reset_state()
    assert float(metric(*batch)) == first
    copy = type(metric).from_config(metric.get_config())
    assert copy.get_config() == metric.get_config()
    assert float(copy(*batch)) == first


@pytest.mark.parametrize("name", cases.LOSSES)
def test_a_loss_is_made_anew_from_its_configuration(name):
    make, kind = cases.LOSSES[name]
    loss = make(keras)
    config = keras.losses.serialize(loss)
    copy = keras.losses.deserialize(config)
    assert keras.losses.serialize(copy) == config
    batch = cases.labels_and_predictions(kind, name)
    assert float(copy(*batch)) == float(loss(*batch))


def test_sums_and_means_of_values():
    mean, total = keras.metrics.Mean(), keras.metrics.Sum()
    for metric in (mean, total):
        metric.update_state([1.0, 3.0], sample_weight=[1.0, 3.0])
        metric.update_state(6.0)
    assert float(mean.result()) == pytest.approx(16 / 5)
    assert float(total.result()) == 16


def test_losses_from_softmax_in_a_function_do_not_saturate(backend):
    logits = tf.constant([[200.0, 0.0], [0.0, 200.0]])
    loss = keras.losses.SparseCategoricalCrossentropy()
    traced = tf.function(lambda x: loss([1, 1], keras.activations.softmax(x)))
    assert float(traced(logits)) == pytest.approx(100.0)
    assert float(loss([1, 1], keras.activations.softmax(logits))) < 20


def test_ignored_classes_cost_nothing():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1, reduction=None)
    values = np.asarray(loss([0, -1], [[1.0, 2.0], [3.0, 4.0]]))
    assert values[0] == pytest.approx(np.log(1 + np.e)) and values[1] == 0


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: keras.losses.SparseCategoricalCrossentropy()(np.eye(3), np.eye(3)), ["class numbers", "(3, 3)"]),
        (lambda: keras.losses.CategoricalCrossentropy()([0, 1], np.eye(2)), ["shape of the predictions", "(2,)"]),
        (lambda: keras.losses.BinaryCrossentropy()(np.ones((2, 1)), np.ones((2, 3))), ["(2, 1)", "(2, 3)"]),
        (lambda: keras.losses.MeanSquaredError(reduction="median"), ["median", "sum_over_batch_size"]),
        (lambda: keras.losses.get("mean_square_error"), ["mean_squared_error", "Did you mean"]),
        (lambda: keras.metrics.get("accuracies"), ["accuracies", "binary_accuracy"]),
        (lambda: keras.metrics.BinaryAccuracy(threshold=2), ["threshold", "2"]),
    ],
)
def test_bad_input(call, parts):
    with pytest.raises(ValueError) as error:
        call()
    for part in parts:
        assert part in str(error.value)
