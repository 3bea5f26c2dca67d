"""Ragged tensors: values, the row partitions that cut them into rows, and the specs and shapes of them."""

import modtf.core.ops.ragged.tensors  # noqa: F401 (registers the family, without those that wait beside it)
from modtf.core.values.ragged.partitions import RowPartition, RowPartitionSpec
from modtf.core.values.ragged.shape import DynamicRaggedShape, DynamicRaggedShapeSpec
from modtf.core.values.ragged.spec import RaggedTensorSpec
from modtf.core.values.ragged.tensor import RaggedTensor

__all__ = [
    "DynamicRaggedShape", "DynamicRaggedShapeSpec", "RaggedTensor", "RaggedTensorSpec", "RowPartition", "RowPartitionSpec",
]  # fmt: skip
