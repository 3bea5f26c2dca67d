"""Making ragged tensors, and what only they have (`tf.ragged`).

Other functions take ragged tensors as they take tensors: those of elements (arithmetic, `tf.cast`,
`tf.strings.lower`, ...), reductions and segments, and `tf.concat`, `tf.stack`, `tf.gather`, `tf.where`, `tf.tile` and their like.
"""

from modtf.core.api.ragged.crossing import cross, cross_hashed
from modtf.core.api.ragged.elementwise import map_flat_values
from modtf.core.api.ragged.gathering import boolean_mask, stack_dynamic_partitions
from modtf.core.api.ragged.joining import stack
from modtf.core.api.ragged.making import constant, range, row_splits_to_segment_ids, segment_ids_to_row_splits

__all__ = [
    "boolean_mask", "constant", "cross", "cross_hashed", "map_flat_values", "range", "row_splits_to_segment_ids",
    "segment_ids_to_row_splits", "stack", "stack_dynamic_partitions",
]  # fmt: skip
