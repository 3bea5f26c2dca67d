"""Names that TensorFlow has under `tf.experimental`: the shapes of ragged tensors and their row partitions."""

from modtf.core.values.ragged import DynamicRaggedShape, RowPartition

__all__ = ["DynamicRaggedShape", "RowPartition"]
