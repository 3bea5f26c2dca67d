"""Elements on their way through a dataset.

An element is a tuple of hosted values (see `structures`), or a `Row` that says where in a table its values are. Stages that
only choose and order elements pass on either; where rows of one table are batched, they are taken from it all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.api.data.structures import row_count, row_of, rows_of, stacked
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.specs import TypeSpec


class Table:
    """Hosted values with rows that are elements.

    Args:
        specs: The specs of one row.
        columns: The values, of one number of rows.

    Raises:
        InvalidArgumentError: They have different numbers of rows.
    """

    def __init__(self, specs: Sequence[TypeSpec], columns: Sequence[Any]) -> None:
        self.specs = specs
        self.columns = columns
        counts = {count for count in map(row_count, columns) if count is not None}
        if len(counts) > 1:
            raise InvalidArgumentError(f"All parts must have the same number of rows; got {sorted(counts)}.")
        self.count = counts.pop() if counts else 0

    def take(self, indices: Sequence[int]) -> tuple[Any, ...]:
        """Returns several rows, stacked."""
        return tuple([rows_of(spec, column, indices) for spec, column in zip(self.specs, self.columns, strict=True)])


class Row:
    """An element that is a row of a table."""

    __slots__ = ("index", "table")

    def __init__(self, table: Table, index: int) -> None:
        self.table = table
        self.index = index

    def values(self) -> tuple[Any, ...]:
        return tuple([row_of(column, self.index) for column in self.table.columns])


class Joined:
    """An element made of others, one after the other, each of so many values as `widths` says."""

    __slots__ = ("parts", "widths")

    def __init__(self, parts: tuple[Any, ...], widths: tuple[int, ...]) -> None:
        self.parts = parts
        self.widths = widths

    def values(self) -> tuple[Any, ...]:
        return tuple([value for part in self.parts for value in values_of(part)])


def values_of(element: Any) -> tuple[Any, ...]:
    """Returns an element's hosted values."""
    return element if type(element) is tuple else element.values()


def stack(elements: Sequence[Any], specs: Sequence[TypeSpec]) -> tuple[Any, ...]:
    """Returns the hosted values of several elements, each stacked along a new first axis.

    Args:
        elements: The elements; at least one.
        specs: The specs of one element.
    """
    first = elements[0]
    kind = type(first)
    if kind is Row:
        table = first.table
        if all([type(item) is Row and item.table is table for item in elements]):
            return table.take([item.index for item in elements])
    elif kind is Joined:
        widths = first.widths
        if all([type(item) is Joined and item.widths == widths for item in elements]):
            columns: tuple[Any, ...] = ()
            for position, width in enumerate(widths):
                start = len(columns)
                columns += stack([item.parts[position] for item in elements], specs[start : start + width])
            return columns
    columns_of_values = list(zip(*map(values_of, elements), strict=True))
    return tuple(
        [
            stacked(spec, column, number)
            for number, (spec, column) in enumerate(zip(specs, columns_of_values, strict=True))
        ]
    )
