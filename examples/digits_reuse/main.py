"""Reuse what was learned from five digits to read five others, from a few examples.

On scikit-learn's scans of handwritten digits (8x8 pixels):

1. train a feature extractor on the digits 0 to 4;
2. save it as a Reusable SavedModel, pack it, and serve it over HTTP from localhost;
3. load it from its URL with `hub.KerasLayer`, put a new head on it, and train that on 20 labelled images of each of
   the digits 5 to 9: with the features frozen, with the features fine-tuned, and, to compare, the same network from
   scratch.

    nox -s demo                       on NumPy
    nox -s demo -- --backend jax      on JAX
"""

from __future__ import annotations

import argparse
import functools
import http.server
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from modtf import core as tf
from modtf import hub, layers

LABELLED = 20
"""Labelled images of each new digit."""

EPOCHS = 15

REPEATS = 3
"""Each way of training is repeated with other labelled images, since so few of them leave much to chance."""


def load_images() -> tuple[np.ndarray, np.ndarray]:
    """Returns the images, as float32 of shape (count, 8, 8, 1) from 0 to 1, and the digits they show."""
    digits = load_digits()
    return (digits.images[..., None] / 16).astype(np.float32), digits.target.astype(np.int32)


def make_extractor() -> layers.Model:
    """A small convolutional network from an image to 512 features."""
    return layers.Sequential(
        [
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Flatten(),
        ],
        name="digit_features",
    )


def train(features: layers.Layer, x: np.ndarray, y: np.ndarray, epochs: int, rate: float) -> layers.Model:
    """Puts a head for five classes on the features and trains the whole; returns the classifier."""
    classifier = layers.Sequential([features, layers.Dropout(0.3), layers.Dense(5)])
    classifier.compile(
        optimizer=layers.optimizers.Adam(rate),
        loss=layers.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    classifier.fit(x, y, batch_size=25, epochs=epochs, verbose=0)
    return classifier


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serves a folder over HTTP while the block runs; yields its URL."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def publish(extractor: layers.Model, folder: Path) -> str:
    """Saves the extractor and packs it; returns the archive's name."""
    tf.saved_model.save(extractor, str(folder / "digit_features"))
    with tarfile.open(folder / "digit_features.tar.gz", "w:gz") as archive:
        archive.add(folder / "digit_features", arcname=".")
    return "digit_features.tar.gz"


def compare(url: str, x: np.ndarray, y: np.ndarray) -> dict[str, list[tuple[float, float, int]]]:
    """Trains each way on few labelled images and tests on the others.

    Returns:
        For each way and repeat the accuracy, the seconds of training, and the number of parameters trained.
    """
    ways = {  # the features and the learning rate that suits them
        "reused, frozen": lambda: (hub.KerasLayer(url, trainable=False), 5e-3),
        "reused, fine-tuned": lambda: (hub.KerasLayer(url, trainable=True), 1e-3),
        "from scratch": lambda: (make_extractor(), 1e-3),
    }
    results: dict[str, list[tuple[float, float, int]]] = {way: [] for way in ways}
    for repeat in range(REPEATS):
        order = np.random.default_rng(repeat).permutation(len(x))
        chosen = np.concatenate([order[y[order] == digit][:LABELLED] for digit in range(5)])
        chosen = np.random.default_rng(repeat).permutation(chosen)
        others = np.setdiff1d(order, chosen)
        for way, make in ways.items():
            features, rate = make()
            start = time.perf_counter()
            classifier = train(features, x[chosen], y[chosen], EPOCHS, rate)
            seconds = time.perf_counter() - start
            _, accuracy = classifier.evaluate(x[others], y[others], batch_size=256, verbose=0)
            trained = sum(int(np.prod(variable.shape)) for variable in classifier.trainable_variables)
            results[way].append((accuracy, seconds, trained))
    return results


def show(results: dict[str, list[tuple[float, float, int]]]) -> None:
    """Prints the means as a table."""
    print(f"\nDigits 5 to 9 from {LABELLED} labelled images each (mean of {REPEATS} draws)\n")
    print(f"{'features':22}{'accuracy':>10}{'seconds':>10}{'parameters trained':>22}")
    for way, runs in results.items():
        accuracy, seconds, trained = np.mean(runs, axis=0)
        print(f"{way:22}{accuracy:>10.1%}{seconds:>10.2f}{int(trained):>22,}")


def plot(results: dict[str, list[tuple[float, float, int]]], path: Path) -> None:
    """Draws the accuracies, each draw a point, as PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    for row, runs in enumerate(results.values()):
        accuracies = [run[0] for run in runs]
        axes.barh(row, np.mean(accuracies), color=f"C{row}", alpha=0.35)
        axes.scatter(accuracies, [row] * len(accuracies), color=f"C{row}", zorder=3)
        axes.text(0.005, row, f"  {np.mean(accuracies):.1%}", va="center")
    axes.set_yticks(range(len(results)), list(results))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("accuracy on the images not trained on")
    axes.set_title(f"Digits 5 to 9 from {LABELLED} labelled images each", fontsize=11)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="numpy", help="numpy (the default), jax, or another installed backend")
    parser.add_argument("--plot", type=Path, default=Path("digits_reuse.png"), help="where the plot is written")
    options = parser.parse_args()
    tf.config.set_backend(options.backend)
    layers.utils.set_random_seed(1)

    x, y = load_images()
    old = y < 5
    extractor = make_extractor()
    start = time.perf_counter()
    classifier = train(extractor, x[old], y[old], epochs=8, rate=2e-3)
    _, accuracy = classifier.evaluate(x[old], y[old], batch_size=256, verbose=0)
    print(
        f"Trained on digits 0 to 4 with {tf.config.get_backend()}: {accuracy:.1%} in {time.perf_counter() - start:.1f} s"
    )

    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as address:
        url = f"{address}/{publish(extractor, Path(folder))}"
        print(f"Serving {url}")
        size = hub.load(url)(x[:1]).shape[-1]
        print(f"Loaded it from there: {size} features an image")
        results = compare(url, x[~old], y[~old] - 5)

    show(results)
    plot(results, options.plot)
    print(f"\nPlot: {options.plot.resolve()}")


if __name__ == "__main__":
    main()
