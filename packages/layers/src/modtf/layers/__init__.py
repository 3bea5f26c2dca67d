"""Keras-style layers, models, losses, metrics and optimizers on modtf-core.

from modtf import layers                 # layers.Dense, layers.Sequential
from modtf import layers as keras        # keras.layers.Dense, keras.Sequential, keras.losses, ...
"""

from modtf.layers import (
    activations,
    callbacks,
    config,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    saving,
    utils,
)  # fmt: skip
from modtf.layers.layers import *  # noqa: F403 (the layers are this package's main names)
from modtf.layers.layers import __all__ as _layer_names
from modtf.layers.losses import Loss
from modtf.layers.metrics import Metric
from modtf.layers.models import Model, Sequential
from modtf.layers.optimizers import Optimizer

__all__ = [  # noqa: PLE0604 (with the layers' names)
    "Loss", "Metric", "Model", "Optimizer", "Sequential", "activations", "callbacks", "config", "constraints", "initializers",
    "layers", "losses", "metrics", "models", "optimizers", "regularizers", "saving", "utils", *_layer_names,
]  # fmt: skip
