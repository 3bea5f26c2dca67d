"""Datasets: sequences of elements, read, transformed and batched as they are asked for (`tf.data`)."""

from modtf.core.api.data import experimental
from modtf.core.api.data.base import AUTOTUNE, DatasetSpec
from modtf.core.api.data.base import INFINITE as INFINITE_CARDINALITY
from modtf.core.api.data.base import UNKNOWN as UNKNOWN_CARDINALITY
from modtf.core.api.data.dataset import Dataset
from modtf.core.api.data.files import FixedLengthRecordDataset, TextLineDataset, TFRecordDataset
from modtf.core.api.data.iterators import Iterator, IteratorSpec, NumpyIterator
from modtf.core.api.data.options import Options, ThreadingOptions

__all__ = [
    "AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "DatasetSpec", "FixedLengthRecordDataset",
    "Iterator", "IteratorSpec", "NumpyIterator", "Options", "TFRecordDataset", "TextLineDataset", "ThreadingOptions",
    "experimental",
]  # fmt: skip
