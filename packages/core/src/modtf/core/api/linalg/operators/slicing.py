"""`operator[...]`: the operators of a part of the batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.api.linalg.operators.base import LinearOperator
from modtf.core.api.linalg.operators.spec import arguments_of
from modtf.core.values.conversion import convert_to_tensor


def sliced(operator: LinearOperator, slices: Any) -> LinearOperator:
    """Returns the operator whose batch shape is what indexing the operator's gives.

    Args:
        operator: The operator.
        slices: What stands in the brackets.

    Raises:
        IndexError: It indexes more dimensions than the batch has.
        NotImplementedError: The batch's rank is not known.
    """
    slices = list(slices) if isinstance(slices, tuple) else [slices]
    if operator.batch_shape.rank is None:
        raise NotImplementedError("Operators can only be indexed where the rank of their batch is known.")
    rank = operator.batch_shape.rank
    named = sum(item is not None and item is not Ellipsis for item in slices)
    if named > rank:
        raise IndexError(f"{named} indices are too many for the batch shape {operator.batch_shape}.")
    if Ellipsis in slices:
        at = slices.index(Ellipsis)
        slices[at : at + 1] = [slice(None)] * (rank - named)
    else:
        slices += [slice(None)] * (rank - named)
    arguments = arguments_of(operator)
    for name, own_rank in operator._parameter_ranks.items():
        if arguments.get(name) is not None:
            arguments[name] = _part(arguments[name], own_rank, slices, rank)
    if arguments.get("batch_shape") is not None:
        indexed = np.empty([size or 1 for size in operator.batch_shape.as_list()], bool)[tuple(slices)]
        arguments["batch_shape"] = list(indexed.shape)
    return type(operator)(**arguments)


def _part(value: Any, own_rank: int, slices: list[Any], rank: int) -> Any:
    """The part of a parameter; where its own batch has fewer dimensions, or of size 1, it is the same for all."""
    if isinstance(value, (list, tuple)):
        return [_part(item, own_rank, slices, rank) for item in value]
    shape = value.batch_shape if isinstance(value, LinearOperator) else value.shape[: value.shape.rank - own_rank]
    missing = rank - (shape.rank or 0)
    chosen: list[Any] = []
    place = 0
    for item in slices:
        if item is None:
            chosen.append(None)
            continue
        if place >= missing:
            size = shape[place - missing]
            chosen.append(item if size != 1 else _of_one(item))
        place += 1
    index = tuple(chosen)
    if isinstance(value, LinearOperator):
        return value[index] if index else value
    return convert_to_tensor(value)[(*index, *[slice(None)] * own_rank)] if index else value


def _of_one(item: Any) -> Any:
    """The index of a dimension of size 1 that stands for one of any size."""
    return 0 if not isinstance(item, slice) else slice(None)
