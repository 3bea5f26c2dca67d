"""Checks on values, dtypes, ranks and shapes (`tf.debugging`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modtf.core.api.assertions import *
from modtf.core.api.assertions import Assert
from modtf.core.api.assertions import __all__ as _assertions
from modtf.core.api.dispatch import dispatched
from modtf.core.api.numeric_checks import disable_check_numerics, enable_check_numerics
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype, float32, int32
from modtf.core.values.tensors import SymbolicTensor, Tensor
from modtf.core.values.variables import Variable

__all__ = [  # noqa: PLE0604 (they are strings)
    *_assertions, "assert_all_finite", "assert_integer", "assert_proper_iterable", "assert_rank", "assert_rank_at_least",
    "assert_rank_in", "assert_same_float_dtype", "assert_scalar", "assert_shapes", "assert_type", "check_numerics",
    "disable_check_numerics", "disable_traceback_filtering", "enable_check_numerics", "enable_traceback_filtering",
    "get_log_device_placement", "is_numeric_tensor", "is_traceback_filtering_enabled", "set_log_device_placement",
]  # fmt: skip


def _prefix(message: str | None) -> str:
    return f"{message}.  " if message else ""


def _done(name: str | None) -> Any:
    return None if contexts.executing_eagerly() else raw.NoOp(name=name)


def _named(tensor: Any) -> str:
    """A tensor, as messages call it."""
    if isinstance(tensor, SymbolicTensor):
        return f"Tensor {tensor.name}"
    return f"Tensor shape={tensor.shape} dtype={tensor.dtype.name}"


# ------------------------------------------------------------------------------------------------- values


@dispatched(elementwise=1)
def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """Returns a tensor, after complaining if it has infinities or NaN; in a graph, when that runs.

    Args:
        tensor: A floating tensor.
        message: What to say first.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: It has.
    """
    return raw.CheckNumerics(tensor, message=message, name=name)


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Tensor:
    """Returns a tensor, after complaining if it has infinities or NaN; the same as `check_numerics`.

    Args:
        x: A floating tensor.
        message: What to say first.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: It has.
    """
    return check_numerics(x, message, name)


# ------------------------------------------------------------------------------------------------- dtypes


def is_numeric_tensor(tensor: Any) -> bool:
    """Whether a value is a tensor of numbers: of integers, floats or complex numbers."""
    return isinstance(tensor, (Tensor, Variable)) and tensor.dtype.is_numeric


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> None:
    """Complains unless a tensor is one of integers.

    Args:
        x: A tensor.
        message: What to say first.
        name: Without effect.

    Raises:
        TypeError: It is not.
    """
    tensor = convert_to_tensor(x)
    if not tensor.dtype.is_integer:
        raise TypeError(
            f'{_prefix(message)}Expected "x" to be integer type.  Found: tensor of dtype {tensor.dtype.name}.'
        )


def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Any:
    """Complains unless a tensor is of a dtype.

    Args:
        tensor: A tensor, sparse and ragged ones included.
        tf_type: The dtype.
        message: What to say first.
        name: A name for the graph node.

    Raises:
        TypeError: It is of another one.
    """
    expected = as_dtype(tf_type)
    given: Any = tensor if isinstance(tensor, CompositeTensor) else convert_to_tensor(tensor)
    if given.dtype is not expected:
        raise TypeError(f"{_prefix(message)}tensor must be of type {expected.name}; got {given.dtype.name}.")
    return _done(name)


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> DType:
    """Returns the dtype of floating tensors, which must be the same.

    Args:
        tensors: The tensors; `None`s among them are passed over.
        dtype: The dtype that they must have.

    Returns:
        The dtype; float32, if neither tensors nor a dtype are given.

    Raises:
        ValueError: Their dtypes differ, or are not floating.
    """
    expected = None if dtype is None else as_dtype(dtype)
    for tensor in tensors or ():
        if tensor is None:
            continue
        if expected is None:
            expected = tensor.dtype
        elif tensor.dtype is not expected:
            raise ValueError(
                f"{tensor!r}, type={tensor.dtype.name}, must be of the same type ({expected.name}) as the others."
            )
    if expected is not None and not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected.name}.")
    return expected or float32


def assert_proper_iterable(values: Any) -> None:
    """Complains unless a value is a collection of several: not a tensor, array or string, though these are iterable.

    Raises:
        TypeError: It is none.
    """
    if isinstance(values, (Tensor, Variable, CompositeTensor, np.ndarray, bytes, str)):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}.')
    if not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be iterable.  Found: {type(values)}.')


# ------------------------------------------------------------------------------------------------- ranks


def _static_rank(rank: Any, what: str) -> tuple[Tensor, int | None]:
    tensor = convert_to_tensor(rank)
    if tensor.dtype is not int32:
        raise TypeError(f"{what} must be of type int32; got {tensor.dtype.name}.")
    if tensor.dims not in (None, ()):
        raise ValueError("Rank must be a scalar.")
    known = constant_value(tensor)
    return tensor, None if known is None else int(known)


def _check_rank(x: Any, ranks: Sequence[Any], op: str, words: str, message: str | None, name: str | None) -> Any:
    """Complains unless the rank compares with one of `ranks`: while tracing if it is known, else when the graph runs."""
    tensor: Any = x if isinstance(x, CompositeTensor) else convert_to_tensor(x)
    converted = [_static_rank(rank, "rank") for rank in ranks]
    known = [value for _, value in converted]
    rank = tensor.shape.rank
    if rank is not None and None not in known:
        fits = any((rank >= value if op == "GreaterEqual" else rank == value) for value in known if value is not None)
        if not fits:
            wanted = known[0] if len(known) == 1 and not words.endswith("in") else tuple(known)
            raise ValueError(
                f"{_prefix(message)}{_named(tensor)} must have rank {words}{' ' if words else ''}{wanted}.  Received rank "
                f"{rank}, shape {tensor.shape}."
            )
        return _done(name)
    actual = raw.Rank(tensor)
    holds = [getattr(raw, op)(actual, value) for value, _ in converted]
    condition = raw.Any(raw.Pack(holds), np.array(0, np.int32), keep_dims=False)
    shape = raw.Shape(tensor)
    said = f"{_prefix(message)}{_named(tensor)} must have rank {words}".rstrip()
    return Assert(condition, [said, *(value for value, _ in converted), "Received shape: ", shape], name=name)


def assert_rank(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> Any:
    """Complains unless a tensor has a rank: while tracing, if that is known then, or when the graph runs.

    Args:
        x: A tensor.
        rank: The rank, an int32 scalar.
        message: What to say first.
        name: A name for the graph node.

    Returns:
        In a graph, a node that checks; else nothing.

    Raises:
        ValueError: It is known to have another one.
        InvalidArgumentError: It turns out to have another one.
    """
    return _check_rank(x, [rank], "Equal", "", message, name)


def assert_rank_at_least(x: Any, rank: Any, message: str | None = None, name: str | None = None) -> Any:
    """Complains unless a tensor has a rank or a higher one; see `assert_rank`."""
    return _check_rank(x, [rank], "GreaterEqual", "at least", message, name)


def assert_rank_in(x: Any, ranks: Any, message: str | None = None, name: str | None = None) -> Any:
    """Complains unless a tensor has one of several ranks; see `assert_rank`."""
    return _check_rank(x, list(ranks), "Equal", "in", message, name)


def assert_scalar(tensor: Any, message: str | None = None, name: str | None = None) -> None:
    """Complains unless a tensor is known to be a scalar.

    Args:
        tensor: The tensor.
        message: What to say first.
        name: Without effect.

    Raises:
        ValueError: It is none, or its rank is unknown.
    """
    scalar = convert_to_tensor(tensor)
    if scalar.dims != ():
        which = f" for {scalar.name}" if isinstance(scalar, SymbolicTensor) else ""
        raise ValueError(f"{_prefix(message)}Expected scalar shape{which}, saw shape: {scalar.shape}.")


# ------------------------------------------------------------------------------------------------- shapes


class _Spec:
    """A shape that is asked for: of each axis a size, a name for a size, or `None` for any."""

    def __init__(self, tensor: Any, shape: Any, message: str | None) -> None:
        self.tensor: Any = tensor if isinstance(tensor, CompositeTensor) else convert_to_tensor(tensor)
        if not hasattr(shape, "__iter__") and not hasattr(shape, "__getitem__"):
            raise ValueError(
                f"{_prefix(message)}{_named(self.tensor)}.  Specified shape must be an iterable.  An iterable has the attribute "
                f"`__iter__` or `__getitem__`.  Received specified shape: {shape}."
            )
        entries = list(shape)
        self.is_open = bool(entries) and entries[0] in (Ellipsis, "*")
        self.sizes = entries[1:] if self.is_open else entries
        for index, entry in enumerate(self.sizes):
            if entry is Ellipsis or entry == "*":
                raise ValueError(
                    f"{_prefix(message)}{_named(self.tensor)} specified shape index {index + self.is_open}.  Symbol `...` or `*` "
                    "for a variable number of unspecified dimensions is only allowed as the first entry."
                )

    def check_rank(self, message: str | None) -> Any:
        if self.is_open:
            return assert_rank_at_least(self.tensor, len(self.sizes), message)
        if len(self.sizes) == 1:  # for which a scalar is as good as a vector of one element
            return assert_rank_in(self.tensor, [0, 1], message)
        return assert_rank(self.tensor, len(self.sizes), message)

    def axis(self, index: int) -> int:
        """Which axis an entry is about; from the end, if the number of axes is open."""
        return index - len(self.sizes) if self.is_open else index

    def size(self, index: int) -> Any:
        """The size of an axis: a number if it is known, else a tensor."""
        dims = self.tensor.shape.dims
        if dims is not None and len(dims) == 0:
            return 1
        known = None if dims is None else dims[self.axis(index)]
        return raw.Shape(self.tensor)[self.axis(index)] if known is None else known


def assert_shapes(
    shapes: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
) -> None:
    """Complains unless tensors have certain shapes, and sizes that shall be the same are.

    What is known while tracing is checked then, the rest when the graph runs.

    Args:
        shapes: A list of pairs (or a dict) of a tensor and its shape. A shape is a tuple with, for each axis, a size; or a
            name, which stands for the same size wherever it is used; or `None` or `"."`, for any size. It may begin with
            `...` or `"*"`, for any number of further axes.
        data: Tensors to show in the message of a graph, besides those.
        summarize: How many elements to show; 3 by default, -1 for all.
        message: What to say first.
        name: Without effect.

    Raises:
        ValueError: A shape is known to be another one.
        InvalidArgumentError: It turns out to be another one.
    """
    pairs = shapes.items() if isinstance(shapes, Mapping) else shapes
    specs = [_Spec(tensor, shape, message) for tensor, shape in pairs if shape is not None]
    for spec in specs:
        spec.check_rank(message)
    named: dict[str, tuple[Any, str]] = {}
    for spec in specs:
        for index, entry in enumerate(spec.sizes):
            if entry is None or entry == ".":
                continue
            actual = spec.size(index)
            if isinstance(entry, str) and not entry.isdigit():
                where = (
                    f"Specified by {_named(spec.tensor).replace('Tensor', 'tensor', 1)} dimension {spec.axis(index)}"
                )
                expected, source = named.setdefault(entry, (actual, where))
            else:
                expected, source = int(entry), "Specified explicitly"
            if expected is actual:
                continue
            said = f"{_prefix(message)}{source}.  {_named(spec.tensor)} dimension {spec.axis(index)} must have size"
            if isinstance(expected, int) and isinstance(actual, int):
                if expected != actual:
                    raise ValueError(f"{said} {expected}.  Received size {actual}, shape {spec.tensor.shape}.")
                continue
            shown = [said, expected, "Received shape: ", raw.Shape(spec.tensor), *(data or ())]
            Assert(raw.Equal(convert_to_tensor(actual), convert_to_tensor(expected)), shown, summarize)


# ------------------------------------------------------------------------------------------------- accepted settings

_settings = {"traceback_filtering": True, "log_device_placement": False}


def enable_traceback_filtering() -> None:
    """Takes note that tracebacks shall leave out frames inside the library. It changes nothing: they are short."""
    _settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Takes note that tracebacks shall have all frames. It changes nothing: they have."""
    _settings["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Returns which of the two was asked for last."""
    return _settings["traceback_filtering"]


def set_log_device_placement(enabled: bool) -> None:
    """Takes note of whether it shall be logged what device computes an op. It changes nothing.

    `tf.config.fallback_counts` says which ops a backend left to NumPy.
    """
    _settings["log_device_placement"] = bool(enabled)


def get_log_device_placement() -> bool:
    """Returns what `set_log_device_placement` was told."""
    return _settings["log_device_placement"]
