"""Functions of elements on ragged tensors: they apply to the flat values, once the operands' rows are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.api.ragged.broadcasting import aligned, check_splits_dtypes, converted, nest
from modtf.core.api.ragged.checks import require
from modtf.core.engine import raw
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.ragged import RaggedTensor, RowPartition
from modtf.core.values.tensors import Tensor


def elementwise(function: Callable[..., Any], *operands: Any) -> Any:
    """Applies a function of elements to tensors and ragged tensors, broadcasting them."""
    common = aligned(converted(operands))
    return common.wrap(function(*common.values))


# ------------------------------------------------------------------------------------------------- map_flat_values


def map_flat_values(op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Applies a function to the flat values of ragged tensors.

    Args:
        op: The function, to be called with the arguments below, each ragged tensor among them (in lists, tuples and dicts
            too) replaced by its flat values. It returns a tensor, whose first size is that of the flat values.
        *args: Arguments for it.
        **kwargs: Arguments for it.

    Returns:
        A ragged tensor of the same rows with the result as flat values; what `op` returns, if there are no ragged
        tensors among the arguments.

    Raises:
        InvalidArgumentError: The ragged tensors have different rows.
        ValueError: Their row splits have different dtypes, or the result's first size is not that of the flat values.
    """
    found: list[RaggedTensor] = []

    def flattened(value: Any) -> Any:
        if isinstance(value, RaggedTensor):
            found.append(value)
            return value.flat_values
        if isinstance(value, dict):
            return {key: flattened(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            items = [flattened(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return value

    given, named = flattened(args), flattened(kwargs)
    if not found:
        return op(*args, **kwargs)
    check_splits_dtypes(found)
    partitions = found[0].nested_row_partitions
    for other in found[1:]:
        _check_same_rows(partitions, other.nested_row_partitions)
    result = op(*given, **named)
    if not isinstance(result, (Tensor, CompositeTensor)):
        result = converted([result])[0]
    expected = found[0].flat_values.shape[:1]
    if result.shape.rank == 0 or not expected.is_compatible_with(result.shape[:1]):
        raise ValueError(
            f"tf.ragged.map_flat_values requires that the output of `op` have the same outer-dimension size as flat_values of "
            f"any ragged inputs. (output shape: {result.shape}; expected outer dimension size: {expected})"
        )
    return nest(result, partitions)


def _check_same_rows(one: tuple[RowPartition, ...], other: tuple[RowPartition, ...]) -> None:
    if len(one) != len(other):
        raise ValueError(f"Inputs must have identical ragged splits; the ragged ranks are {len(one)} and {len(other)}.")
    for ours, theirs in zip(one, other, strict=True):
        if ours.row_splits() is not theirs.row_splits():
            shown = {"row_splits": ours.row_splits(), "others": theirs.row_splits()}
            same = raw.Equal(ours.row_splits(), theirs.row_splits(), incompatible_shape_error=False)
            require(same, "Inputs must have identical ragged splits", shown)
