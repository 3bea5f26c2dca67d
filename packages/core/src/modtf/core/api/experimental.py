"""Names that TensorFlow has under `tf.experimental`: the shapes of ragged tensors and their row partitions; optionals."""

from importlib import import_module as _import_module
from typing import Any as _Any

from modtf.core.values.ragged import DynamicRaggedShape, RowPartition

__all__ = ["DynamicRaggedShape", "RowPartition"]

_LAZY = {"Optional": "modtf.core.api.data.iterators"}
"""What is imported when it is first asked for, with its module."""


def __getattr__(name: str) -> _Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_LAZY})
