"""Functions of `tf.io` that write sparse tensors as strings, and read them."""

from __future__ import annotations

from typing import Any

from modtf.core.api.sparse.structure import checked
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import Tensor

__all__ = ["deserialize_many_sparse", "serialize_many_sparse", "serialize_sparse"]


def serialize_sparse(sp_input: Any, out_type: Any = dtypes.string, name: str | None = None) -> Tensor:
    """Returns a sparse tensor as three strings (`TensorProto` messages): its indices, values and shape.

    Args:
        sp_input: A sparse tensor.
        out_type: `tf.string`, or `tf.variant` for variants that hold the parts.
        name: A name for the graph node.
    """
    sparse = checked(sp_input)
    return raw.SerializeSparse(
        sparse.indices, sparse.values, sparse.dense_shape, out_type=as_dtype(out_type), name=name
    )


def serialize_many_sparse(sp_input: Any, out_type: Any = dtypes.string, name: str | None = None) -> Tensor:
    """Returns each row of a sparse tensor as three strings, as `serialize_sparse` does: a matrix [rows, 3].

    Args:
        sp_input: A sparse tensor of rank 2 or more.
        out_type: `tf.string` or `tf.variant`.
        name: A name for the graph node.
    """
    sparse = checked(sp_input)
    return raw.SerializeManySparse(
        sparse.indices, sparse.values, sparse.dense_shape, out_type=as_dtype(out_type), name=name
    )


def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """Returns the sparse tensor whose rows are those that strings hold.

    Args:
        serialized_sparse: Strings [rows, 3], as of `serialize_many_sparse`, or several of `serialize_sparse` in one.
        dtype: The dtype of the values.
        rank: The rank of the result, if the caller knows it.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The strings are not such messages, of another dtype, or of different ranks.
    """
    indices, values, shape = raw.DeserializeManySparse(serialized_sparse, dtype=as_dtype(dtype), name=name)
    if rank is not None and hasattr(indices, "set_shape"):
        indices.set_shape([None, rank])
        shape.set_shape([rank])
    return SparseTensor(indices, values, shape)
