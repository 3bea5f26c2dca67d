"""`tf.sparse`: tensors most of whose elements are zero, kept by the coordinates of the others."""

from modtf.core.api.sparse.arithmetic import (
    add,
    map_values,
    maximum,
    minimum,
    reduce_max,
    reduce_sum,
    sampled_addmm,
    softmax,
    sparse_dense_matmul,
)  # fmt: skip
from modtf.core.api.sparse.features import (
    bincount,
    cross,
    cross_hashed,
    fill_empty_rows,
    segment_mean,
    segment_sqrt_n,
    segment_sum,
)  # fmt: skip
from modtf.core.api.sparse.structure import (
    concat,
    expand_dims,
    eye,
    from_dense,
    mask,
    reorder,
    reset_shape,
    reshape,
    retain,
    slice,
    split,
    to_dense,
    to_indicator,
    transpose,
)  # fmt: skip
from modtf.core.values.sparse import SparseTensor

__all__ = [
    "SparseTensor", "add", "bincount", "concat", "cross", "cross_hashed", "expand_dims", "eye", "fill_empty_rows",
    "from_dense", "map_values", "mask", "maximum", "minimum", "reduce_max", "reduce_sum", "reorder", "reset_shape", "reshape",
    "retain", "sampled_addmm", "segment_mean", "segment_sqrt_n", "segment_sum", "slice", "softmax", "sparse_dense_matmul",
    "split", "to_dense", "to_indicator", "transpose",
]  # fmt: skip
