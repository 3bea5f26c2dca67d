"""What is compared with Keras: built the same way by it, to write the goldens, and by the tests.

Each function that takes `keras` works with Keras and with `modtf.layers`.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

GOLDENS = Path(__file__).parent / "goldens"


def values(label: str, shape: tuple[int, ...], positive: bool = False) -> np.ndarray:
    """Float32 values, always the same for a label."""
    array = np.random.default_rng(zlib.crc32(label.encode())).normal(size=shape)
    return (np.abs(array) + 0.5 if positive else array).astype("float32")


def set_weights(layer: Any, label: str) -> None:
    """Gives a layer, or model, weights that are always the same for a label."""
    arrays = []
    for index, weight in enumerate(layer.weights):
        name = f"{label}/{index}"
        arrays.append(0.3 * values(name, tuple(weight.shape), positive="variance" in weight.name))
    layer.set_weights(arrays)


# Layers: how to make one, the shape of its input, and whether it is called as in training.

LAYERS: dict[str, tuple[Any, tuple[int, ...], bool]] = {
    "dense": (lambda keras: keras.layers.Dense(5), (4, 7), False),
    "dense_relu": (lambda keras: keras.layers.Dense(5, activation="relu"), (4, 7), False),
    "dense_no_bias": (lambda keras: keras.layers.Dense(3, use_bias=False, activation="tanh"), (2, 3), False),
    "dense_rank_3": (lambda keras: keras.layers.Dense(5, activation="gelu"), (2, 3, 7), False),
    "conv2d": (lambda keras: keras.layers.Conv2D(4, 3), (2, 6, 5, 3), False),
    "conv2d_same_strides": (
        lambda keras: keras.layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="relu"), (2, 6, 5, 3), False,
    ),
    "conv2d_dilated": (lambda keras: keras.layers.Conv2D(2, 2, dilation_rate=2, use_bias=False), (2, 6, 5, 3), False),
    "conv2d_1x1": (lambda keras: keras.layers.Conv2D(6, 1, activation="swish"), (2, 4, 4, 3), False),
    "conv2d_channels_first": (
        lambda keras: keras.layers.Conv2D(4, 3, data_format="channels_first"), (2, 3, 6, 5), False,
    ),
    "depthwise": (lambda keras: keras.layers.DepthwiseConv2D(3), (2, 6, 5, 3), False),
    "depthwise_same_multiplier": (
        lambda keras: keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu"), (2, 6, 5, 3),
        False,
    ),
    "depthwise_strides": (
        lambda keras: keras.layers.DepthwiseConv2D(2, strides=2, use_bias=False), (2, 6, 6, 2), False,
    ),
    "max_pooling": (lambda keras: keras.layers.MaxPooling2D(), (2, 6, 5, 3), False),
    "max_pooling_same": (lambda keras: keras.layers.MaxPooling2D(3, 2, "same"), (2, 6, 5, 3), False),
    "max_pooling_channels_first": (
        lambda keras: keras.layers.MaxPooling2D((2, 1), data_format="channels_first"), (2, 3, 6, 5), False,
    ),
    "average_pooling": (lambda keras: keras.layers.AveragePooling2D(2), (2, 6, 5, 3), False),
    "average_pooling_same": (lambda keras: keras.layers.AveragePooling2D(3, 2, "same"), (2, 6, 5, 3), False),
    "average_pooling_overlapping": (lambda keras: keras.layers.AveragePooling2D((3, 2), 1), (2, 6, 5, 3), False),
    "global_average": (lambda keras: keras.layers.GlobalAveragePooling2D(), (2, 4, 5, 3), False),
    "global_average_keepdims": (
        lambda keras: keras.layers.GlobalAveragePooling2D("channels_first", keepdims=True), (2, 3, 4, 5), False,
    ),
    "global_max": (lambda keras: keras.layers.GlobalMaxPooling2D(), (2, 4, 5, 3), False),
    "flatten": (lambda keras: keras.layers.Flatten(), (2, 3, 4, 2), False),
    "flatten_channels_first": (lambda keras: keras.layers.Flatten("channels_first"), (2, 3, 4, 2), False),
    "reshape": (lambda keras: keras.layers.Reshape((4, -1)), (2, 3, 8), False),
    "dropout_inference": (lambda keras: keras.layers.Dropout(0.5), (3, 4), False),
    "batch_normalization": (lambda keras: keras.layers.BatchNormalization(), (6, 3), False),
    "batch_normalization_training": (lambda keras: keras.layers.BatchNormalization(), (6, 3), True),
    "batch_normalization_images": (
        lambda keras: keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5), (3, 4, 4, 2), True,
    ),
    "batch_normalization_axis_1": (lambda keras: keras.layers.BatchNormalization(axis=1), (3, 2, 4, 4), True),
    "batch_normalization_plain": (
        lambda keras: keras.layers.BatchNormalization(center=False, scale=False), (6, 3), True,
    ),
    "batch_normalization_frozen": (lambda keras: keras.layers.BatchNormalization(trainable=False), (6, 3), True),
    "activation": (lambda keras: keras.layers.Activation("softplus"), (3, 4), False),
    "relu": (lambda keras: keras.layers.ReLU(), (3, 4), False),
    "relu_general": (lambda keras: keras.layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), (3, 40), False),
    "softmax": (lambda keras: keras.layers.Softmax(), (3, 4), False),
    "softmax_axes": (lambda keras: keras.layers.Softmax(axis=(1, 2)), (3, 4, 2), False),
    "rescaling": (lambda keras: keras.layers.Rescaling(1 / 127.5, -1.0), (3, 4), False),
    "block": (
        lambda keras: keras.Sequential([
            keras.layers.Conv2D(4, 3, padding="same", use_bias=False), keras.layers.BatchNormalization(),
            keras.layers.ReLU(), keras.layers.MaxPooling2D(2), keras.layers.Flatten(), keras.layers.Dense(3),
        ]),
        (4, 6, 6, 2), True,
    ),
}  # fmt: skip

ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax",
    "softplus", "softsign", "squareplus", "tanh", "tanh_shrink",
]  # fmt: skip

# Losses: how to make one, and a kind of labels and predictions.

LOSSES: dict[str, tuple[Any, str]] = {
    "mean_squared_error": (lambda keras, **k: keras.losses.MeanSquaredError(**k), "real"),
    "mean_absolute_error": (lambda keras, **k: keras.losses.MeanAbsoluteError(**k), "real"),
    "mean_absolute_percentage_error": (lambda keras, **k: keras.losses.MeanAbsolutePercentageError(**k), "real"),
    "mean_squared_logarithmic_error": (lambda keras, **k: keras.losses.MeanSquaredLogarithmicError(**k), "positive"),
    "cosine_similarity": (lambda keras, **k: keras.losses.CosineSimilarity(**k), "real"),
    "huber": (lambda keras, **k: keras.losses.Huber(0.7, **k), "real"),
    "log_cosh": (lambda keras, **k: keras.losses.LogCosh(**k), "real"),
    "hinge": (lambda keras, **k: keras.losses.Hinge(**k), "signs"),
    "hinge_binary": (lambda keras, **k: keras.losses.Hinge(**k), "binary_logits"),
    "squared_hinge": (lambda keras, **k: keras.losses.SquaredHinge(**k), "signs"),
    "categorical_hinge": (lambda keras, **k: keras.losses.CategoricalHinge(**k), "one_hot_logits"),
    "kl_divergence": (lambda keras, **k: keras.losses.KLDivergence(**k), "distributions"),
    "poisson": (lambda keras, **k: keras.losses.Poisson(**k), "positive"),
    "binary_crossentropy": (lambda keras, **k: keras.losses.BinaryCrossentropy(**k), "binary"),
    "binary_crossentropy_logits": (
        lambda keras, **k: keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1, **k), "binary_logits",
    ),
    "binary_focal_crossentropy": (
        lambda keras, **k: keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, **k), "binary",
    ),
    "categorical_crossentropy": (lambda keras, **k: keras.losses.CategoricalCrossentropy(**k), "one_hot"),
    "categorical_crossentropy_logits": (
        lambda keras, **k: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2, **k), "one_hot_logits",
    ),
    "sparse_categorical_crossentropy": (lambda keras, **k: keras.losses.SparseCategoricalCrossentropy(**k), "classes"),
    "sparse_categorical_crossentropy_logits": (
        lambda keras, **k: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **k), "classes_logits",
    ),
    "sparse_categorical_crossentropy_column": (
        lambda keras, **k: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **k), "class_column_logits",
    ),
}  # fmt: skip

REDUCTIONS = ["sum_over_batch_size", "sum", "mean_with_sample_weight", None]


def labels_and_predictions(kind: str, label: str, examples: int = 8, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions of a kind, always the same for a label."""
    logits = 2.0 * values(f"{label}/predictions", (examples, classes))
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    other = values(f"{label}/labels", (examples, classes))
    numbers = other.argmax(-1)
    one_hot = np.eye(classes, dtype="float32")[numbers]
    signs = np.where(other > 0, 1.0, -1.0).astype("float32")
    weights = np.exp(other)
    return {
        "real": (other, logits),
        "positive": (np.abs(other), np.abs(logits)),
        "signs": (signs, logits),
        "binary": ((signs + 1) / 2, 1 / (1 + np.exp(-logits))),
        "binary_logits": ((signs + 1) / 2, logits),
        "distributions": (weights / weights.sum(-1, keepdims=True), softmax),
        "one_hot": (one_hot, softmax),
        "one_hot_logits": (one_hot, logits),
        "classes": (numbers, softmax),
        "classes_logits": (numbers, logits),
        "class_column_logits": (numbers[:, None], logits),
        "equal_or_not": (numbers, logits.argmax(-1)),
    }[kind]


# Metrics: how to make one, and a kind of labels and predictions.

METRICS: dict[str, tuple[Any, str]] = {
    "accuracy": (lambda keras: keras.metrics.Accuracy(), "equal_or_not"),
    "binary_accuracy": (lambda keras: keras.metrics.BinaryAccuracy(threshold=0.4), "binary"),
    "categorical_accuracy": (lambda keras: keras.metrics.CategoricalAccuracy(), "one_hot"),
    "sparse_categorical_accuracy": (lambda keras: keras.metrics.SparseCategoricalAccuracy(), "classes"),
    "sparse_categorical_accuracy_column": (lambda keras: keras.metrics.SparseCategoricalAccuracy(), "class_column_logits"),
    "top_k": (lambda keras: keras.metrics.TopKCategoricalAccuracy(k=2), "one_hot"),
    "sparse_top_k": (lambda keras: keras.metrics.SparseTopKCategoricalAccuracy(k=3), "classes"),
    "mean_squared_error": (lambda keras: keras.metrics.MeanSquaredError(), "real"),
    "root_mean_squared_error": (lambda keras: keras.metrics.RootMeanSquaredError(), "real"),
    "mean_absolute_error": (lambda keras: keras.metrics.MeanAbsoluteError(), "real"),
    "mean_absolute_percentage_error": (lambda keras: keras.metrics.MeanAbsolutePercentageError(), "real"),
    "mean_squared_logarithmic_error": (lambda keras: keras.metrics.MeanSquaredLogarithmicError(), "positive"),
    "cosine_similarity": (lambda keras: keras.metrics.CosineSimilarity(), "real"),
    "log_cosh": (lambda keras: keras.metrics.LogCoshError(), "real"),
    "hinge": (lambda keras: keras.metrics.Hinge(), "signs"),
    "squared_hinge": (lambda keras: keras.metrics.SquaredHinge(), "signs"),
    "categorical_hinge": (lambda keras: keras.metrics.CategoricalHinge(), "one_hot_logits"),
    "kl_divergence": (lambda keras: keras.metrics.KLDivergence(), "distributions"),
    "poisson": (lambda keras: keras.metrics.Poisson(), "positive"),
    "binary_crossentropy": (lambda keras: keras.metrics.BinaryCrossentropy(), "binary"),
    "categorical_crossentropy": (lambda keras: keras.metrics.CategoricalCrossentropy(from_logits=True), "one_hot_logits"),
    "sparse_categorical_crossentropy": (lambda keras: keras.metrics.SparseCategoricalCrossentropy(), "classes"),
}  # fmt: skip


def metric_results(keras: Any, name: str, weighted: bool) -> list[float]:
    """The results of a metric after each of three batches of different sizes."""
    make, kind = METRICS[name]
    metric = make(keras)
    results = []
    for batch, examples in enumerate((8, 3, 5)):
        label = f"{name}/{batch}"
        weight = values(f"{label}/weights", (examples,), positive=True) if weighted else None
        metric.update_state(*labels_and_predictions(kind, label, examples), sample_weight=weight)
        results.append(float(np.asarray(metric.result())))
    return results


# Optimizers, each of which takes 20 steps with the same gradients.

OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda keras: keras.optimizers.SGD(0.1),
    "sgd_momentum": lambda keras: keras.optimizers.SGD(0.1, momentum=0.9),
    "sgd_nesterov": lambda keras: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "sgd_clipvalue": lambda keras: keras.optimizers.SGD(0.1, clipvalue=0.5),
    "sgd_clipnorm": lambda keras: keras.optimizers.SGD(0.1, clipnorm=0.7),
    "sgd_global_clipnorm": lambda keras: keras.optimizers.SGD(0.1, global_clipnorm=0.7),
    "sgd_weight_decay": lambda keras: keras.optimizers.SGD(0.1, weight_decay=0.05),
    "sgd_loss_scale": lambda keras: keras.optimizers.SGD(0.1, loss_scale_factor=4.0),
    "sgd_ema": lambda keras: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=5),
    "adam": lambda keras: keras.optimizers.Adam(0.05),
    "adam_amsgrad": lambda keras: keras.optimizers.Adam(0.05, beta_1=0.8, beta_2=0.9, amsgrad=True),
    "adamw": lambda keras: keras.optimizers.AdamW(0.05, weight_decay=0.1),
    "rmsprop": lambda keras: keras.optimizers.RMSprop(0.05),
    "rmsprop_centered": lambda keras: keras.optimizers.RMSprop(0.05, momentum=0.5, centered=True),
    "exponential_decay": lambda keras: keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.2, 6, 0.5, staircase=True)
    ),
    "inverse_time_decay": lambda keras: keras.optimizers.SGD(keras.optimizers.schedules.InverseTimeDecay(0.2, 3, 0.5)),
    "polynomial_decay": lambda keras: keras.optimizers.Adam(
        keras.optimizers.schedules.PolynomialDecay(0.2, 7, 0.01, power=2.0, cycle=True)
    ),
    "cosine_decay": lambda keras: keras.optimizers.SGD(
        keras.optimizers.schedules.CosineDecay(0.01, 12, 0.1, warmup_target=0.2, warmup_steps=4)
    ),
    "piecewise": lambda keras: keras.optimizers.SGD(
        keras.optimizers.schedules.PiecewiseConstantDecay([3, 9], [0.3, 0.1, 0.01])
    ),
}
STEPS = 20
PARAMETERS = {"matrix": (3, 4), "vector": (4,)}


def starting_values() -> list[np.ndarray]:
    """The first values of the variables that optimizers are tried on."""
    return [values(f"optimizers/{name}", shape) for name, shape in PARAMETERS.items()]


def gradients(step: int) -> list[np.ndarray]:
    """The gradients of a step, from 0."""
    return [values(f"optimizers/{name}/{step}", shape) for name, shape in PARAMETERS.items()]


# Training runs.


def mlp(keras: Any) -> Any:
    model = keras.Sequential(
        [
            keras.layers.Input((64,)),
            keras.layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def cnn(keras: Any) -> Any:
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(6, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        optimizer="adam",
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(3, name="top3")],
    )
    return model


def binary(keras: Any) -> Any:
    model = keras.Sequential([keras.layers.Input((64,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(
        optimizer=keras.optimizers.RMSprop(0.01),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy", "mse"],
    )
    return model


def functional(keras: Any) -> Any:
    images, other = keras.layers.Input((64,), name="images"), keras.layers.Input((3,), name="other")
    hidden = keras.layers.Dense(16, activation="tanh")
    joined = keras.layers.Concatenate()([hidden(images), other])
    classes = keras.layers.Dense(10, activation="softmax", name="classes")(joined)
    size = keras.layers.Dense(1, name="size")(keras.layers.Add()([hidden(images * 0.5), hidden(images)]))
    model = keras.Model([images, other], [classes, size])
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=["sparse_categorical_crossentropy", "mse"],
        loss_weights=[1.0, 0.2],
        metrics=[["accuracy"], ["mae"]],
    )
    return model


def images(examples: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures of ten classes, and the classes."""
    classes = np.arange(examples) % 10
    patterns = values("training/patterns", (10, 64))
    return patterns[classes] + values("training/noise", (examples, 64)), classes


def training_runs() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Models, each with the arguments of `fit`."""
    x, classes = images()
    one_hot = np.eye(10, dtype="float32")[classes]
    weights = values("training/weights", (90,), positive=True)
    size = x.mean(1, keepdims=True)
    return {
        "mlp": (mlp, {"x": x, "y": classes, "validation_split": 0.2}),
        "cnn": (cnn, {"x": x.reshape(-1, 8, 8, 1), "y": one_hot, "batch_size": 20, "sample_weight": weights}),
        "binary": (
            binary,
            {
                "x": x, "y": classes > 4, "class_weight": {0: 1.0, 1: 2.0},
                "validation_data": (x[:33], classes[:33] > 4, weights[:33]),
            },
        ),
        "functional": (functional, {"x": [x, x[:, :3]], "y": [classes, size], "batch_size": 30}),
    }  # fmt: skip


def train(keras: Any, name: str) -> tuple[Any, dict[str, list[float]]]:
    """Trains a model for 4 epochs, and returns it with the history of its figures."""
    make, arguments = training_runs()[name]
    model = make(keras)
    set_weights(model, f"training/{name}")
    history = model.fit(epochs=4, shuffle=False, verbose=0, **arguments)
    return model, history.history
