"""Reads and writes TensorFlow's SavedModels and checkpoints.

from modtf import saved_model

saved_model.save(module, "model")
loaded = saved_model.load("model")
"""

from .assets import Asset
from .bundle import BundleEntry, BundleReader, BundleWriter
from .errors import DataLossError, NotFoundError, SavedModelError, TensorNotFoundError, UnsupportedError
from .graph_writing import to_graph_def
from .loading import load
from .model_folder import contains_saved_model
from .options import LoadOptions, SaveOptions
from .saving import save

__all__ = [
    "Asset",
    "BundleEntry",
    "BundleReader",
    "BundleWriter",
    "DataLossError",
    "LoadOptions",
    "NotFoundError",
    "SaveOptions",
    "SavedModelError",
    "TensorNotFoundError",
    "UnsupportedError",
    "contains_saved_model",
    "load",
    "save",
    "to_graph_def",
]
