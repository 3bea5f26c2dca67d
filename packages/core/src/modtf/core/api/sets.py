"""`tf.sets`: sets along the last axis of tensors, dense or sparse."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import Tensor

__all__ = ["difference", "intersection", "size", "union"]


def _combined(operation: str, a: Any, b: Any, validate_indices: bool) -> SparseTensor:
    first, second = (item if isinstance(item, SparseTensor) else convert_to_tensor(item) for item in (a, b))
    if first.dtype is not second.dtype:
        raise TypeError(f"a and b must have the same dtype, not {first.dtype.name} and {second.dtype.name}.")
    if isinstance(first, SparseTensor) and not isinstance(second, SparseTensor):
        first, second = second, first
        operation = {"a-b": "b-a", "b-a": "a-b"}.get(operation, operation)
    attrs = {"set_operation": operation, "validate_indices": validate_indices}
    if not isinstance(second, SparseTensor):
        return SparseTensor(*raw.DenseToDenseSetOperation(first, second, **attrs))
    parts = (second.indices, second.values, second.dense_shape)
    if not isinstance(first, SparseTensor):
        return SparseTensor(*raw.DenseToSparseSetOperation(first, *parts, **attrs))
    return SparseTensor(
        *raw.SparseToSparseSetOperation(first.indices, first.values, first.dense_shape, *parts, **attrs)
    )


def intersection(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """Returns for each pair of sets what both have.

    Args:
        a: Sets as the last axis of a tensor, dense or sparse, of integers or strings.
        b: As many sets: the same shape but for the last axis.
        validate_indices: Whether to check that coordinates of sparse ones ascend and are inside of their shape.

    Returns:
        A sparse tensor, of the same shape but for the last axis, whose sets ascend.
    """
    return _combined("intersection", a, b, validate_indices)


def difference(a: Any, b: Any, aminusb: bool = True, validate_indices: bool = True) -> SparseTensor:
    """Returns for each pair of sets what one has and the other has not.

    Args:
        a: Sets as the last axis of a tensor, dense or sparse, of integers or strings.
        b: As many sets: the same shape but for the last axis.
        aminusb: Whether members of `b` are taken from `a`, rather than members of `a` from `b`.
        validate_indices: Whether to check that coordinates of sparse ones ascend and are inside of their shape.

    Returns:
        A sparse tensor, of the same shape but for the last axis, whose sets ascend.
    """
    return _combined("a-b" if aminusb else "b-a", a, b, validate_indices)


def union(a: Any, b: Any, validate_indices: bool = True) -> SparseTensor:
    """Returns for each pair of sets what either has.

    Args:
        a: Sets as the last axis of a tensor, dense or sparse, of integers or strings.
        b: As many sets: the same shape but for the last axis.
        validate_indices: Whether to check that coordinates of sparse ones ascend and are inside of their shape.

    Returns:
        A sparse tensor, of the same shape but for the last axis, whose sets ascend.
    """
    return _combined("union", a, b, validate_indices)


def size(a: SparseTensor, validate_indices: bool = True) -> Tensor:
    """Returns the number of different members of each set.

    Args:
        a: Sets as the last axis of a sparse tensor.
        validate_indices: Whether to check that its coordinates ascend and are inside of its shape.

    Returns:
        An int32 tensor without the last axis.

    Raises:
        TypeError: `a` is not sparse.
    """
    if not isinstance(a, SparseTensor):
        raise TypeError(f"Expected a SparseTensor, not {a!r}.")
    return raw.SetSize(a.indices, a.values, a.dense_shape, validate_indices=validate_indices)
