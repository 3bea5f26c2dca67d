"""What the ops on sparse tensors share: rows of coordinates in order, matched with each other, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import dims_from_value, merged, with_rank
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def ascending(indices: np.ndarray) -> np.ndarray:
    """Returns the order in which rows of coordinates ascend; equal ones stay in theirs."""
    if not indices.shape[1]:
        return np.arange(len(indices))
    return np.lexsort(indices.T[::-1])


def starts_of_groups(rows: np.ndarray) -> np.ndarray:
    """Returns where, among rows of which equal ones lie together, each new one begins."""
    if not len(rows):
        return np.zeros(0, np.intp)
    return np.flatnonzero(np.append(True, (rows[1:] != rows[:-1]).any(axis=1)))


def places_among(rows: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Returns for each row where it stands in `among`, -1 if nowhere."""
    if not len(rows) or not len(among):
        return np.full(len(rows), -1, np.intp)
    _, numbers = np.unique(np.concatenate([among, rows]), axis=0, return_inverse=True)
    numbers = numbers.reshape(-1)
    place = np.full(numbers.max() + 1, -1, np.intp)
    place[numbers[: len(among)]] = np.arange(len(among))
    return place[numbers[len(among) :]]


def linear(xp: Any, indices: Any, dims: Any) -> Any:
    """Returns the place of each row of coordinates when the axes are counted through, the last one fastest."""
    total = xp.zeros((indices.shape[0],), dtype=xp.int64)
    for axis, size in enumerate(dims):
        total = total * size + xp.astype(indices[:, axis], xp.int64)
    return total


def check_inside(xp: Any, indices: Any, dims: Any) -> None:
    """Refuses coordinates outside a shape; elsewhere than in NumPy it would wait for the device to find them."""
    if xp is not np or not indices.size:
        return
    bad = ((indices < 0) | (indices >= np.asarray(dims))).any(axis=1)
    if bad.any():
        place = int(np.argmax(bad))
        raise InvalidArgumentError(
            f"indices[{place}] = {indices[place].tolist()} is out of bounds: need 0 <= index < {list(dims)}"
        )


def check_parts(indices: np.ndarray, values: Any, shape: np.ndarray, what: str = "") -> None:
    """Refuses parts of a sparse tensor that do not fit together."""
    if indices.ndim != 2 or values.ndim != 1 or shape.ndim != 1:
        raise InvalidArgumentError(
            f"The {what}indices must be a matrix, the values and the shape vectors; their shapes are {list(indices.shape)}, "
            f"{list(values.shape)} and {list(shape.shape)}"
        )
    if indices.shape[0] != values.shape[0] or indices.shape[1] != shape.shape[0]:
        raise InvalidArgumentError(
            f"The {what}indices {list(indices.shape)} must have a row for each of the {values.shape[0]} values and a column "
            f"for each of the {shape.shape[0]} axes"
        )


def parts_dims(indices: Tensor, values: Tensor, shape: Tensor) -> tuple[int | None, int | None]:
    """Returns the number of elements and the rank that the parts of a sparse tensor tell while tracing.

    Raises:
        ValueError: They do not fit together.
    """
    rows, columns = with_rank(indices, 2, "indices")
    (count,) = merged(with_rank(values, 1, "values"), (rows,)) or (None,)
    (rank,) = merged(with_rank(shape, 1, "shape"), (columns,)) or (None,)
    return count, rank


def whole_dims(shape: Tensor) -> Dims:
    """The shape of the whole, as far as it is known while tracing."""
    with_rank(shape, 1, "shape")
    return dims_from_value(shape)


def sparse_dims(rank: int | None, count: int | None = None) -> list[Dims]:
    """The shapes of a sparse result's three parts."""
    return [(count, rank), (count,), (rank,)]
