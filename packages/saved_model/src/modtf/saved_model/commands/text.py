"""Text for a terminal: tables, sizes, shapes, dtypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..dtypes import data_type_name

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def table(rows: Iterable[Sequence[Any]], indent: int = 2, right: Sequence[int] = ()) -> list[str]:
    """Returns rows as lines whose columns stand below each other.

    Args:
        rows: the cells of each row.
        indent: how many spaces go before each line.
        right: the columns that are aligned on the right, such as numbers.
    """
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        padded = [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(" " * indent + "  ".join(padded).rstrip())
    return lines


def size_text(size: int) -> str:
    """Returns a number of bytes, such as "13.5 MiB"."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit else f"{size} B"


def shape_text(shape: Sequence[int | None] | None) -> str:
    """Returns a shape, such as "[?, 3]"; "unknown shape" if not even its rank is known."""
    return "unknown shape" if shape is None else f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def type_name(data_type: int) -> str:
    """Returns the name of a DataType as TensorFlow's dtypes have it, such as "float32"; of a reference, "float32_ref"."""
    reference = data_type > 100
    name = data_type_name(data_type - 100 if reference else data_type).removeprefix("DT_").lower()
    name = {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)
    return f"{name}_ref" if reference else name


def count_text(count: int, what: str) -> str:
    """Returns, for instance, "1 node" or "12,000 nodes"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
