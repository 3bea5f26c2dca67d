"""The time of a training step: forward, gradient, update and metrics, as `fit` runs it."""

import json
import os
import sys
import time

import numpy as np

BATCH, STEPS = 32, 60


def models(keras):
    """Models that take 8x8 images and tell ten digits apart."""
    layers = keras.layers
    mlp = [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)]
    cnn = [
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(10),
    ]
    return {"MLP 64-128-10, batch 32": keras.Sequential(mlp), "CNN 16-32, batch 32": keras.Sequential(cnn)}


def step_time(keras, model):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(BATCH * STEPS, 8, 8, 1)).astype(np.float32)
    y = generator.integers(0, 10, size=BATCH * STEPS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
        times.append((time.perf_counter() - start) / STEPS * 1e6)
    return min(times)


if __name__ == "__main__":
    library = sys.argv[1]
    if library.startswith("keras-"):
        os.environ["KERAS_BACKEND"] = library.removeprefix("keras-")
        import keras as chosen
    else:
        from modtf import core
        from modtf import layers as chosen

        core.config.set_backend(library.removeprefix("modtf-"))
    print(json.dumps({name: step_time(chosen, model) for name, model in models(chosen).items()}))
