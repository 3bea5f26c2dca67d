"""What functions do besides computing: printing, grouping ops, the time."""

from __future__ import annotations

import builtins
import logging
import pprint
import sys
from collections.abc import Sequence
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.values import dtypes, nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.tensors import Tensor

__all__ = ["group", "no_op", "print", "timestamp", "tuple"]

_LEVELS = {"info": "log(info)", "warning": "log(warning)", "error": "log(error)"}


def print(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> Any:
    """Prints values; in a graph, whenever that runs, in program order.

    Args:
        *inputs: What to print: tensors, other Python values, and structures of them.
        output_stream: `sys.stderr` (the default), `sys.stdout`, `logging.info`, `logging.warning`, `logging.error`, or
            `"file://PATH"` to append to a file.
        summarize: How many elements to print at either end of every axis; -1 for all.
        sep: What stands between the inputs.
        end: What comes at the end.
        name: A name for the graph node.

    Returns:
        In a graph, the node that prints; else nothing.

    Raises:
        ValueError: `output_stream` is none of those.
    """
    stream = _stream_name(output_stream)
    text = _Text(summarize)
    for index, item in enumerate(inputs):
        if index:
            text.add(sep)
        text.add_input(item)
    return raw.PrintV2(text.tensor(alone=len(inputs) == 1), output_stream=stream, end=end, name=name)


def _stream_name(stream: Any) -> str:
    if stream is None or stream is sys.stderr:
        return "stderr"
    if stream is sys.stdout:
        return "stdout"
    if isinstance(stream, str) and stream.startswith("file://"):
        return stream
    for level, found in _LEVELS.items():
        if stream is getattr(logging, level):
            return found
    raise ValueError(
        f"Unsupported output stream, logging level, or file: {stream!r}. Supported are sys.stdout, sys.stderr, logging.info, "
        "logging.warning, logging.error, and files in the form 'file://<path>'."
    )


class _Place:
    """Stands for a tensor while a structure is written as Python writes it, which strings never have unescaped."""

    MARK = "\0"

    def __repr__(self) -> str:
        return self.MARK


class _Text:
    """A text with tensors in it, made piece by piece.

    Args:
        summarize: How many elements to show at either end of every axis.
    """

    def __init__(self, summarize: int) -> None:
        self._summarize = summarize
        self._pieces: list[Any] = []
        """Strings, tensors to be written, and tensors that are text already, in a tuple."""

    def add(self, text: str) -> None:
        """Adds text."""
        self._pieces.append(text)

    def add_input(self, item: Any) -> None:
        """Adds what is to be printed."""
        if isinstance(item, str):
            self.add(item)
        elif isinstance(item, Tensor) or hasattr(item, "__tf_tensor__"):
            self._pieces.append(_tensor_of(item))
        elif isinstance(item, CompositeTensor):
            self._add_composite(item)
        else:
            self._add_structure(item)

    def _add_composite(self, item: Any) -> None:
        from modtf.core.api.formatting import ragged_text
        from modtf.core.values.ragged import RaggedTensor

        if isinstance(item, RaggedTensor):
            self._pieces.append((ragged_text(item, self._summarize),))
            return
        self.add(f"'{type(item).__name__}(")
        for index, (name, part) in enumerate(
            zip(_parts_of(item), nest.flatten(item, expand_composites=True), strict=True)
        ):
            self.add(f"{', ' if index else ''}{name}=")
            self._pieces.append(part)
        self.add(")'")

    def _add_structure(self, item: Any) -> None:
        leaves = nest.flatten(item)
        shown = nest.pack_sequence_as(item, [_Place() if _is_tensor(leaf) else leaf for leaf in leaves])
        first, *others = pprint.pformat(shown).split(_Place.MARK)
        self.add(first)
        for tensor, text in zip(filter(_is_tensor, leaves), others, strict=True):
            self.add_input(tensor)
            self.add(text)

    def tensor(self, alone: bool) -> Any:
        """Returns the text as a scalar string; a scalar string that is printed alone is printed as it is."""
        if alone and len(self._pieces) == 1 and isinstance(self._pieces[0], Tensor):
            only = self._pieces[0]
            if only.dtype is dtypes.string and only.dims == ():
                return only
        texts = [
            piece
            if isinstance(piece, str)
            else piece[0]
            if isinstance(piece, builtins.tuple)
            else raw.StringFormat([piece], template="%s", placeholder="%s", summarize=self._summarize)
            for piece in self._pieces
        ]
        return raw.StringJoin(texts) if len(texts) > 1 else (texts[0] if texts else "")


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (Tensor, CompositeTensor)) or hasattr(value, "__tf_tensor__")


def _tensor_of(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else value.__tf_tensor__()


def _parts_of(composite: Any) -> list[str]:
    names = [name for name in ("indices", "values", "shape") if hasattr(composite, name)]
    count = len(nest.flatten(composite, expand_composites=True))
    return names if len(names) == count else [f"part{index}" for index in range(count)]


def no_op(name: str | None = None) -> Any:
    """Does nothing. In a graph it returns a node, for what needs one."""
    return raw.NoOp(name=name)


def group(*inputs: Any, name: str | None = None) -> Any:
    """Returns, in a graph, a node that stands for several: it runs after them.

    Args:
        *inputs: Tensors and nodes, and structures of them. They have run, or are in the graph, already: in a graph of
            modtf's all that has effects runs, in program order.
        name: A name for the graph node.

    Raises:
        TypeError: An input is neither.
    """
    leaves = nest.flatten(list(inputs), expand_composites=True)
    if contexts.executing_eagerly():
        return None
    from modtf.core.engine.graphs import Node

    for leaf in leaves:
        if leaf is not None and not isinstance(leaf, (Node, Tensor)) and not hasattr(leaf, "__tf_tensor__"):
            raise TypeError(f"Expected a node or tensor in tf.group, not {leaf!r} of type {type(leaf).__name__}.")
    return no_op(name)


def tuple(tensors: Sequence[Any], control_inputs: Any = None, name: str | None = None) -> list[Any]:
    """Returns the tensors, none of which is to be used before all are computed. In program order, they are.

    Args:
        tensors: Tensors, `IndexedSlices` and `None`s.
        control_inputs: Nodes that shall have run before, too. They have.
        name: Without effect.

    Raises:
        ValueError: There is no tensor among them, in a graph.
    """
    given = list(tensors)
    if contexts.inside_function() and all(item is None for item in given):
        raise ValueError(f"Must have at least one tensor in tf.tuple, not {given}.")
    return given


def timestamp(name: str | None = None) -> Tensor:
    """Returns the seconds since 1970 began, a float64 scalar; in a graph, of when it runs."""
    return raw.Timestamp(name=name)
