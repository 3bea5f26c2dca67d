"""The families of `keras.applications`, one of each, with weights by chance. They are large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from described import Written, add, call

SMALLEST = {
    "MobileNet": 32, "MobileNetV2": 32, "MobileNetV3Small": 32, "EfficientNetB0": 32, "EfficientNetV2B0": 32, "NASNetMobile": 32, "DenseNet121": 32,
    "ResNet50": 32, "ResNet50V2": 32, "ConvNeXtTiny": 32, "VGG16": 32, "VGG19": 32, "InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71,
    "MobileNetV3Large": 32, "ResNet101V2": 32, "DenseNet201": 32, "EfficientNetB3": 32,
}  # fmt: skip
"""The models, and the smallest images that they take."""


def build(name: str, folder: Path) -> Written:
    import keras

    keras.utils.set_random_seed(0)
    size = SMALLEST[name]
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), include_top=False, pooling="avg"
    )
    random = np.random.default_rng(0)
    for weight in model.weights:
        if "moving_variance" in weight.path:
            weight.assign(random.uniform(0.5, 1.5, tuple(weight.shape)))
    images = random.uniform(0, 255, (2, size, size, 3)).astype(np.float32)

    def save(path: str) -> Any:
        model.export(path, verbose=False)

    return Written(model, [call("serve", images)], save=save, rtol=1e-5)


for name in SMALLEST:
    add(f"application_{name}", "keras.applications", lambda folder, name=name: build(name, folder), large=True)
