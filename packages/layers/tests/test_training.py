"""compile, fit, evaluate, predict: what is not a matter of numbers."""

from __future__ import annotations

import numpy as np
import pytest

from modtf import core as tf
from modtf import layers as keras
from modtf.layers.callbacks import Callback, EarlyStopping, LambdaCallback, LearningRateScheduler, TerminateOnNaN


def digits(examples=80):
    rng = np.random.default_rng(0)
    classes = np.arange(examples) % 4
    return (np.eye(4)[classes] + 0.1 * rng.normal(size=(examples, 4))).astype("float32"), classes


def classifier(**arguments):
    model = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(4, activation="softmax")])
    settings = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]} | arguments
    model.compile(**settings)
    return model


def test_a_model_learns(backend):
    x, y = digits()
    model = classifier(optimizer=keras.optimizers.Adam(0.05))
    history = model.fit(x, y, epochs=10, batch_size=16, verbose=0)
    assert history.epoch == list(range(10)) and model.history is history
    assert history.history["accuracy"][-1] == 1.0
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy == 1.0 and loss < 0.2
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"loss": loss, "accuracy": accuracy}
    predictions = model.predict(x, verbose=0)
    assert isinstance(predictions, np.ndarray) and predictions.shape == (80, 4)
    np.testing.assert_array_equal(predictions.argmax(1), y)
    np.testing.assert_allclose(model.predict_on_batch(x[:5]), predictions[:5], rtol=1e-5)


def test_a_step_is_traced_once_and_again_for_the_last_batch_only(backend):
    traces = []

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            traces.append(inputs.shape.as_list()[0])
            return self.dense(inputs)

    model = Model()
    model.compile("sgd", "mse")
    x = np.ones((40, 3), "float32")
    model.fit(x, x[:, :1], batch_size=16, epochs=3, verbose=0)
    before = len(traces)
    model.fit(x, x[:, :1], batch_size=16, epochs=2, verbose=0)
    assert len(traces) == before
    assert traces.count(16) == 1


def test_single_batches():
    x, y = digits()
    model = classifier()
    first = model.train_on_batch(x, y, return_dict=True)
    assert set(first) == {"loss", "accuracy"}
    model.reset_metrics()
    assert model.test_on_batch(x, y)[0] < first["loss"]


@pytest.mark.parametrize("examples", [1, 33])
def test_odd_numbers_of_examples(examples, backend):
    x, y = digits(examples)
    model = classifier()
    model.fit(x, y, verbose=0)
    assert model.predict(x, verbose=0).shape == (examples, 4)


def test_data_may_come_in_batches():
    x, y = digits()

    def forever():
        while True:
            yield x[:10], y[:10]

    class Loader:
        def __len__(self):
            return 4

        def __iter__(self):
            return iter([(x[i : i + 20], y[i : i + 20], np.ones(20)) for i in range(0, 80, 20)])

    model = classifier()
    history = model.fit(forever(), steps_per_epoch=3, epochs=2, verbose=0, validation_data=Loader())
    assert len(history.history["val_loss"]) == 2
    model.fit(Loader(), epochs=2, verbose=0)
    as_batches, whole = model.evaluate(Loader(), verbose=0), model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(as_batches, whole, rtol=1e-5)
    np.testing.assert_allclose(model.predict(Loader(), verbose=0), model.predict(x, verbose=0), rtol=1e-5)
    with pytest.raises(ValueError, match="no batches"):
        model.fit(iter([]), verbose=0)
    with pytest.raises(ValueError, match="go on"):
        model.fit(iter([(x, y)]), epochs=2, verbose=0)


def test_lists_of_numbers_and_tensors_are_data():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0], verbose=0)
    assert model.predict(tf.constant([[1.0, 2.0]]), verbose=0).shape == (1, 1)


def test_shuffling_uses_every_example_once():
    seen = []

    class Noting(keras.Model):
        def call(self, inputs):
            return inputs

        def train_step(self, data):
            seen.append(np.asarray(data[0])[:, 0])
            return {"loss": tf.constant(0.0)}

    model = Noting()
    model.compile("sgd", "mse", run_eagerly=True)
    x = np.arange(50, dtype="float32")[:, None]
    model.fit(x, x, verbose=0, batch_size=20)
    order = np.concatenate(seen)
    assert sorted(order) == list(range(50)) and list(order) != list(range(50))


def test_a_train_step_of_ones_own(backend):
    class Halving(keras.Model):
        def __init__(self):
            super().__init__()
            self.w = self.add_weight((), "ones", name="w")
            self.tracker = keras.metrics.Mean(name="error")

        def call(self, inputs):
            return inputs * self.w

        def train_step(self, data):
            x, y, _ = data
            error = tf.reduce_mean(tf.abs(self(x) - y))
            self.w.assign(self.w * 0.5)
            self.tracker.update_state(error)
            return {"error": self.tracker.result(), "w": self.w + 0.0}

    model = Halving()
    model.compile("sgd")
    history = model.fit(np.ones((4, 1)), np.zeros((4, 1)), epochs=3, batch_size=2, verbose=0)
    np.testing.assert_allclose(history.history["error"], [0.75, 0.1875, 0.046875])
    np.testing.assert_allclose(history.history["w"], [1 / 4, 1 / 16, 1 / 64])


def test_losses_that_layers_add_are_minimized(backend):
    model = keras.Sequential([keras.layers.Dense(2, use_bias=False, kernel_regularizer="l2")])
    model.compile(keras.optimizers.SGD(1.0))
    history = model.fit(np.ones((8, 3), "float32"), epochs=20, verbose=0)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]


def test_metrics_of_ones_own_and_their_names():
    x, y = digits()

    def mean_prediction(y_true, y_pred):
        return tf.reduce_mean(y_pred, -1)

    model = classifier(metrics=["acc", mean_prediction, keras.metrics.SparseCategoricalAccuracy(name="acc")])
    history = model.fit(x, y, verbose=0)
    assert list(history.history) == ["loss", "acc", "mean_prediction", "acc_1"]
    assert history.history["mean_prediction"] == [pytest.approx(0.25)]
    assert model.metrics_names == ["loss", "acc", "mean_prediction", "acc_1"]


def test_frozen_layers_stay(backend):
    x, y = digits()
    model = classifier()
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])


def test_callbacks_are_called_in_order():
    x, y = digits()
    calls = []

    class Noting(Callback):
        pass

    for name in [name for name in vars(Callback) if name.startswith("on_")]:
        setattr(Noting, name, lambda self, *args, name=name: calls.append(name[3:]))
    model = classifier()
    model.fit(x, y, batch_size=40, verbose=0, validation_data=(x, y), validation_batch_size=80, callbacks=[Noting()])
    assert calls == [
        "train_begin", "epoch_begin", "train_batch_begin", "train_batch_end", "train_batch_begin", "train_batch_end",
        "test_begin", "test_batch_begin", "test_batch_end", "test_end", "epoch_end", "train_end",
    ]  # fmt: skip
    calls.clear()
    model.predict(x, batch_size=80, verbose=0, callbacks=[Noting()])
    assert calls == ["predict_begin", "predict_batch_begin", "predict_batch_end", "predict_end"]


def test_figures_after_each_batch_are_those_so_far():
    x, y = digits()
    seen = []
    model = classifier()
    callback = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    history = model.fit(x, y, batch_size=40, verbose=0, callbacks=[callback])
    assert len(seen) == 2 and history.history["loss"] == [seen[-1]]


def test_early_stopping_restores_the_best_weights():
    x, y = digits()
    model = classifier(optimizer=keras.optimizers.SGD(0.5))

    class Spoil(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                self.best = [weight.copy() for weight in self.model.get_weights()]
                self.model.optimizer.learning_rate = -5.0

    spoil = Spoil()
    stop = EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    history = model.fit(x, y, epochs=30, verbose=0, callbacks=[spoil, stop])
    assert len(history.epoch) < 30
    np.testing.assert_array_equal(model.get_weights()[0], spoil.best[0]) if stop.best_epoch == 2 else None
    assert stop.best == min(history.history["loss"])


def test_the_learning_rate_follows_a_schedule_of_epochs():
    x, y = digits()
    model = classifier()
    history = model.fit(
        x, y, epochs=3, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, rate: 0.1 / (epoch + 1))]
    )
    np.testing.assert_allclose(history.history["learning_rate"], [0.1, 0.05, 0.1 / 3], rtol=1e-6)


def test_training_stops_when_the_loss_is_no_number(capsys):
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.full((4, 1), np.nan), np.ones((4, 1)), epochs=5, callbacks=[TerminateOnNaN()], verbose=0)
    assert len(model.history.epoch) == 1 and "nan" in capsys.readouterr().out


def test_epochs_go_on_from_where_they_were():
    x, y = digits()
    history = classifier().fit(x, y, initial_epoch=2, epochs=4, verbose=0, validation_data=(x, y), validation_freq=2)
    assert history.epoch == [2, 3] and len(history.history["val_loss"]) == 1


def test_a_line_for_each_epoch_where_there_is_no_terminal(capsys):
    x, y = digits()
    model = classifier()
    model.fit(x, y, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and len(lines) == 4
    assert lines[1].startswith("3/3 - ") and "loss: " in lines[1] and "accuracy: " in lines[1]
    model.evaluate(x, y, verbose=0)
    assert capsys.readouterr().out == ""


def test_a_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    x, y = digits()
    classifier().fit(x, y, epochs=1, verbose=1)
    out = capsys.readouterr().out
    assert "Epoch 1/1: 100%" in out and "accuracy: " in out


def test_weights_of_classes():
    x, y = digits()
    model = classifier(weighted_metrics=["accuracy"], metrics=None)
    model.fit(x, y, verbose=0)
    by_class = model.train_on_batch(x, y, class_weight={0: 0.0, 1: 2.0}, return_dict=True)
    assert set(by_class) == {"loss", "accuracy"}


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda m, x, y: keras.Sequential([keras.layers.Dense(1)]).fit(x, y), ["compile()", "fit()"]),
        (lambda m, x, y: m.fit(x, y[:3]), ["(80, 4)", "(3,)"]),
        (lambda m, x, y: m.fit(x[:0], y[:0]), ["no examples"]),
        (lambda m, x, y: m.fit(), ["no data"]),
        (lambda m, x, y: m.fit(x), ["nothing to minimize", "no labels"]),
        (lambda m, x, y: m.fit(x, y, batch_size=0), ["batch_size"]),
        (lambda m, x, y: m.fit(x, y, validation_split=1.5), ["validation_split", "1.5"]),
        (lambda m, x, y: m.fit(x[:1], y[:1], validation_split=0.5), ["one part without any"]),
        (lambda m, x, y: m.fit(x, np.eye(4)[y]), ["class numbers", "(32, 4)", "categorical_crossentropy"]),
        (lambda m, x, y: m.fit(x, y, callbacks=[print]), ["Callback", "print"]),
        (lambda m, x, y: m.fit(x, y, verbose=3), ["verbose", "3"]),
        (lambda m, x, y: (m.fit(x, y, verbose=0), m.predict(x[:, :3])), ["size 4", "dense"]),
        (lambda m, x, y: m.compile("adamm"), ["adamm", "rmsprop"]),
        (lambda m, x, y: m.compile("adam", metrics="accuracy"), ["list", "accuracy"]),
        (lambda m, x, y: (m.compile("adam", "msee"), m.fit(x, y)), ["msee", "mse"]),
        (lambda m, x, y: (m.compile("adam", ["mse", "mae"]), m.fit(x, y)), ["2 losses", "1 outputs"]),
        (lambda m, x, y: (m.compile("adam", {"a": "mse"}), m.fit(x, y)), ["'a'", "output_1"]),
        (lambda m, x, y: LambdaCallback(on_epoch=print), ["on_epoch_end"]),
    ],
)
def test_bad_input(call, parts):
    x, y = digits()
    with pytest.raises(ValueError) as error:
        call(classifier(), x, y)
    for part in parts:
        assert part in str(error.value)
