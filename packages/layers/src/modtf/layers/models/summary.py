"""The table that `Model.summary` prints."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from modtf import core as tf

if TYPE_CHECKING:
    from modtf.layers.layer import Layer
    from modtf.layers.models.model import Model

__all__ = ["print_summary"]


def print_summary(
    model: Model,
    line_length: int | None,
    positions: Sequence[float] | None,
    print_fn: Callable[[str], Any] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Sequence[str] | None,
) -> None:
    """Prints the table; see `Model.summary`."""
    header = ["Layer (type)", "Output Shape", "Param #"]
    parts = list(positions or (0.45, 0.80, 1.0))
    default = 88
    if show_trainable:
        header.append("Trainable")
        parts = [part * 0.9 for part in parts] + [1.0]
        default += 12
    width = line_length or min(default, shutil.get_terminal_size().columns - 4)
    ends = [int(part * width) for part in parts]
    widths = [end - begin - 3 for begin, end in zip([1, *ends[:-1]], ends, strict=True)]
    if min(widths) < 4:
        raise ValueError(f"A table of width {width} is too narrow for {len(header)} columns.")
    rows = [
        _row(layer, depth, show_trainable)
        for layer, depth in _listed(_chosen(model.layers, layer_range), expand_nested)
    ]
    lines = [f'Model: "{model.name}"', *_table(header, rows, widths), *_totals(model)]
    (print_fn or print)("\n".join(lines))


def _chosen(layers: list[Layer], layer_range: Sequence[str] | None) -> list[Layer]:
    if layer_range is None:
        return layers
    first, last = ([i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range)
    if not first or not last:
        raise ValueError(
            f"layer_range={list(layer_range)} names no layers; there are {[layer.name for layer in layers]}."
        )
    return layers[min(first + last) : max(first + last) + 1]


def _listed(layers: list[Layer], expand_nested: bool, depth: int = 0) -> Iterator[tuple[Layer, int]]:
    for layer in layers:
        yield layer, depth
        if expand_nested:
            yield from _listed(getattr(layer, "layers", []), True, depth + 1)


def _row(layer: Layer, depth: int, show_trainable: bool) -> list[str]:
    prefix = "   " * depth + "└ " if depth else ""
    parameters = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    row = [f"{prefix}{layer.name} ({type(layer).__name__})", _shape(layer), parameters]
    if show_trainable:
        row.append("-" if not layer.weights else "Y" if layer.trainable else "N")
    return row


def _shape(layer: Layer) -> str:
    if layer.output_shape is None:
        return "?"
    return str(layer.output_shape)


def _table(header: list[str], rows: list[list[str]], widths: list[int]) -> Iterator[str]:
    def rule(left: str, middle: str, right: str, line: str) -> str:
        return left + middle.join(line * (width + 2) for width in widths) + right

    def cells(values: list[str], bar: str) -> Iterator[str]:
        columns = [_wrapped(value, width) for value, width in zip(values, widths, strict=True)]
        for index in range(max(len(column) for column in columns)):
            shown = [column[index] if index < len(column) else "" for column in columns]
            aligned = [
                text.rjust(width) if position == 2 else text.center(width) if position == 3 else text.ljust(width)
                for position, (text, width) in enumerate(zip(shown, widths, strict=True))
            ]
            yield f"{bar} " + f" {bar} ".join(aligned) + f" {bar}"

    yield rule("┏", "┳", "┓", "━")
    yield from cells(header, "┃")
    yield rule("┡", "╇", "┩", "━")
    for index, row in enumerate(rows):
        if index:
            yield rule("├", "┼", "┤", "─")
        yield from cells(row, "│")
    yield rule("└", "┴", "┘", "─")


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in re.findall(r"\S+\s*|\s+", text) or [""]:
        while len(word.rstrip()) > width:
            lines.append(word[:width])
            word = word[width:]
        if lines[-1] and len((lines[-1] + word).rstrip()) > width:
            lines.append("")
        lines[-1] += word
    return [line.rstrip() for line in lines if line] or [""]


def _totals(model: Model) -> Iterator[str]:
    trainable, fixed = model.trainable_weights, model.non_trainable_weights
    kept = model.optimizer.variables if model.optimizer is not None and model.optimizer.built else []
    for label, variables in (
        ("Total", [*trainable, *fixed, *kept]),
        ("Trainable", trainable),
        ("Non-trainable", fixed),
        ("Optimizer", kept),
    ):
        if variables or label != "Optimizer":
            count = sum(variable.shape.num_elements() for variable in variables)
            size = sum(math.prod(v.shape.as_list()) * tf.as_dtype(v.dtype).size for v in variables)
            yield f" {label} params: {count:,} ({_readable(size)})"


def _readable(size: float) -> str:
    units = ["B", "KB", "MB", "GB", "TB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        del units[0]
    return f"{size:.2f} {units[0]}"
