"""Reads and writes TensorFlow's SavedModels and checkpoints."""

from .bundle import BundleEntry, BundleReader, BundleWriter
from .errors import DataLossError, NotFoundError, SavedModelError, TensorNotFoundError, UnsupportedError

__all__ = [
    "BundleEntry",
    "BundleReader",
    "BundleWriter",
    "DataLossError",
    "NotFoundError",
    "SavedModelError",
    "TensorNotFoundError",
    "UnsupportedError",
]
