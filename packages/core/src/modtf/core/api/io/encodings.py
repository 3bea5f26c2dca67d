"""Functions of `tf.io` between strings and what they stand for: bytes of numbers, base64, sparse tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import SymbolicTensor, Tensor

__all__ = [
    "decode_base64", "decode_compressed", "decode_raw", "deserialize_many_sparse", "encode_base64",
    "serialize_many_sparse", "serialize_sparse",
]  # fmt: skip


def decode_raw(
    input_bytes: Any, out_type: Any, little_endian: bool = True, fixed_length: Any = None, name: str | None = None
) -> Tensor:
    """Returns the numbers whose bytes strings are.

    Args:
        input_bytes: Strings, all of one length.
        out_type: The numbers' dtype.
        little_endian: Whether the first byte of a number is its lowest.
        fixed_length: A number of bytes to which shorter strings are filled up with zeros and longer ones cut off.
        name: A name for the graph node.

    Returns:
        A tensor with one axis more than `input_bytes`.

    Raises:
        InvalidArgumentError: The strings' lengths differ, or are no multiple of a number's.
    """
    strings = convert_to_tensor(input_bytes, dtypes.string)
    if fixed_length is None:
        return raw.DecodeRaw(strings, out_type=out_type, little_endian=little_endian, name=name)
    return raw.DecodePaddedRaw(
        strings, np.int32(fixed_length), out_type=out_type, little_endian=little_endian, name=name
    )


@dispatched(elementwise=1)
def encode_base64(input: Any, pad: bool = False, name: str | None = None) -> Tensor:
    """Returns strings in base64, of the kind for addresses (`-` and `_`); RFC 4648, section 5.

    Args:
        input: Strings.
        pad: Whether the results are filled up with `=`.
        name: A name for the graph node.
    """
    return raw.EncodeBase64(convert_to_tensor(input, dtypes.string), pad=pad, name=name)


@dispatched(elementwise=1)
def decode_base64(input: Any, name: str | None = None) -> Tensor:
    """Returns the strings that `encode_base64` made of them.

    Args:
        input: Strings in base64, of the kind for addresses, filled up with `=` or not.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: One is no base64.
    """
    return raw.DecodeBase64(convert_to_tensor(input, dtypes.string), name=name)


@dispatched(elementwise=1)
def decode_compressed(bytes: Any, compression_type: str = "", name: str | None = None) -> Tensor:
    """Returns the contents of compressed files.

    Args:
        bytes: Strings, a file each.
        compression_type: `"ZLIB"`, `"GZIP"`, or `""` for files that are not compressed.
        name: A name for the graph node.

    Raises:
        DataLossError: One is damaged.
    """
    strings = convert_to_tensor(bytes, dtypes.string)
    return raw.DecodeCompressed(strings, compression_type=compression_type, name=name)


def serialize_sparse(sp_input: Any, out_type: Any = dtypes.string, name: str | None = None) -> Tensor:
    """Returns a sparse tensor as a vector of three strings: its indices, values and shape, each serialized.

    Args:
        sp_input: A `SparseTensor`.
        out_type: string or variant.
        name: A name for the graph node.
    """
    sparse = _sparse(sp_input)
    return raw.SerializeSparse(sparse.indices, sparse.values, sparse.dense_shape, out_type=out_type, name=name)


def serialize_many_sparse(sp_input: Any, out_type: Any = dtypes.string, name: str | None = None) -> Tensor:
    """Returns, for each place along a sparse tensor's first axis, what is there, as three strings.

    Args:
        sp_input: A `SparseTensor` of rank 2 or higher.
        out_type: string or variant.
        name: A name for the graph node.

    Returns:
        A matrix of three columns.
    """
    sparse = _sparse(sp_input)
    return raw.SerializeManySparse(sparse.indices, sparse.values, sparse.dense_shape, out_type=out_type, name=name)


def deserialize_many_sparse(
    serialized_sparse: Any, dtype: Any, rank: int | None = None, name: str | None = None
) -> SparseTensor:
    """Returns sparse tensors, which `serialize_many_sparse` made strings of, along a first axis of one sparse tensor.

    Args:
        serialized_sparse: A matrix of three columns of strings.
        dtype: The dtype of the values.
        rank: The rank of each of the sparse tensors, if it is known.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The strings are none of sparse tensors.
    """
    indices, values, shape = raw.DeserializeManySparse(serialized_sparse, dtype=dtype, name=name)
    whole = None if rank is None else rank + 1
    for tensor, dims in ((indices, [None, whole]), (shape, [whole])):
        if isinstance(tensor, SymbolicTensor):
            tensor.set_shape(dims)
    return SparseTensor(indices, values, shape)


def _sparse(value: Any) -> SparseTensor:
    if not isinstance(value, SparseTensor):
        raise TypeError(f"sp_input must be a SparseTensor, not {value!r}.")
    return value
