"""What the tables in `cases/` are made of: one call of an op, tried with several dtypes, on inputs that need no storing."""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from modtf.core import as_dtype
from modtf.core.contracts import get_op

FLOATS = "float64 float32 bfloat16"
INTS = "int32 int64"
COMPLEX = "complex64"
REALS = f"{FLOATS} {INTS}"
NUMBERS = f"{REALS} {COMPLEX}"

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(count: int, stream: int) -> np.ndarray:
    """Returns float64 numbers from [0, 1), the same ones on every machine and with every NumPy.

    Args:
        count: How many.
        stream: Which sequence of them.

    The generator is SplitMix64: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
    """
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN + np.uint64(stream) * np.uint64(0xD1342543DE82EF95)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


class Some:
    """An input of some values: a shape, bounds, and the dtype that the case is tried with unless one is given."""

    def __init__(self, *shape: int, low: float = -2.0, high: float = 2.0, dtype: str | None = None) -> None:
        self.shape = shape
        self.low = low
        self.high = high
        self.dtype = dtype

    def array(self, dtype: str, stream: int) -> np.ndarray:
        """Returns the values. Those of complex numbers' parts are between the bounds, unsigned ones not below 0."""
        kind = as_dtype(self.dtype or dtype)
        count = math.prod(self.shape)
        values = uniform(2 * count, stream).reshape(2, *self.shape)
        if kind.is_bool:
            return np.asarray(values[0] < 0.5)
        if kind.is_integer:
            low = max(self.low, 0) if kind.is_unsigned else self.low
            return np.asarray(np.floor(low + (self.high - low + 1) * values[0]), kind.np_dtype)
        values = self.low + (self.high - self.low) * values
        return np.asarray(values[0] + 1j * values[1] if kind.is_complex else values[0], kind.np_dtype)


class Given:
    """An input of these values in the dtype that the case is tried with, for which nothing is differentiated."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def array(self, dtype: str, stream: int) -> np.ndarray:
        kind = as_dtype(dtype)
        made = np.array(self.values).astype(kind.np_dtype)
        return made.view(kind.as_numpy_dtype) if kind.is_quantized else made


def some(*shape: int, low: float = -2.0, high: float = 2.0, dtype: str | None = None) -> Some:
    """An input of that shape with values between the bounds; see `Some`."""
    return Some(*shape, low=low, high=high, dtype=dtype)


def i32(values: Any) -> np.ndarray:
    """An int32 input: an axis, a shape, indices."""
    return np.array(values, np.int32)


def i64(values: Any) -> np.ndarray:
    """An int64 input."""
    return np.array(values, np.int64)


def text(*values: Any) -> np.ndarray:
    """A string input."""
    return np.array(values, object)


class Case:
    """A call of an op, tried with several dtypes.

    Attributes:
        op: The op's name.
        inputs: In order: a `Some` or `Given`, an array that is what it is, or a list of these.
        attrs: The attributes; a string `"T"` stands for the dtype that the case is tried with.
        dtypes: What it is tried with.
        tolerance: How many times the dtype's ordinary tolerance the values may differ; 0 asks for equal bits.
        smooth: Whether finite differences say what the gradient is.
        orders: Up to which order TensorFlow has gradients of it.
        outputs: How many of the first outputs are looked at, if the others are the op's own affair.
        number: Which of the op's cases it is.
    """

    def __init__(
        self,
        op: str,
        inputs: Sequence[Any],
        attrs: dict[str, Any],
        dtypes: str,
        tolerance: float,
        smooth: bool,
        orders: int,
        outputs: int | None,
        number: int,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.dtypes = tuple(dtypes.split())
        self.tolerance = tolerance
        self.smooth = smooth
        self.orders = orders
        self.outputs = outputs
        self.number = number

    def __repr__(self) -> str:
        return f"{self.op}-{self.number}"

    @functools.cached_property
    def examples(self) -> list[Example]:
        return [Example(self, dtype) for dtype in self.dtypes]

    @property
    def gradient_examples(self) -> list[Example]:
        """Those whose gradients are compared: one with floats, the widest first, and one with complex numbers."""
        kinds = {as_dtype(example.dtype).kind: example for example in reversed(self.examples)}
        return [kinds[kind] for kind in ("float", "complex") if kind in kinds]


class Example:
    """A case with one dtype.

    Attributes:
        case: The case.
        dtype: The dtype's name.
        arrays: The input arrays, lists spread out.
        names: For each of `arrays`, the name of the op's input that it belongs to.
        varied: Where in `arrays` the `Some` are; the others are fixed, as axes and shapes are in most programs.
        attrs: The attributes.
    """

    def __init__(self, case: Case, dtype: str) -> None:
        self.case = case
        self.dtype = dtype
        self.arrays: list[np.ndarray] = []
        self.names: list[str] = []
        self.varied: list[int] = []
        self._lists: set[str] = set()
        for name, given in zip(get_op(case.op).schema.input_names, case.inputs, strict=True):
            if isinstance(given, list):
                self._lists.add(name)
            for item in given if isinstance(given, list) else [given]:
                if isinstance(item, Some):
                    self.varied.append(len(self.arrays))
                made = item.array(dtype, len(self.arrays)) if isinstance(item, Some | Given) else item
                self.arrays.append(made)
                self.names.append(name)
        self.attrs = {name: dtype if value == "T" else value for name, value in case.attrs.items()}

    def __repr__(self) -> str:
        return f"{self.case}-{self.dtype}"

    @property
    def differentiable(self) -> list[int]:
        """Where in `arrays` the inputs are with respect to which gradients are asked for."""
        return [index for index in self.varied if as_dtype(self.arrays[index].dtype).is_differentiable]

    @property
    def fingerprint(self) -> int:
        """A checksum of the inputs and attributes: goldens are of use only for the very same."""
        checksum = zlib.crc32(repr(sorted(self.attrs.items())).encode())
        for array in self.arrays:
            content = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
            checksum = zlib.crc32(f"{array.dtype}{array.shape}".encode() + content, checksum)
        return checksum

    def call(self, op: Callable[..., Any], tensors: Sequence[Any]) -> list[Any]:
        """Calls a raw op with tensors standing for `arrays`; returns the outputs to look at, lists spread out."""
        given: dict[str, Any] = {name: [] for name in self._lists}
        for name, tensor in zip(self.names, tensors, strict=True):
            if name in self._lists:
                given[name].append(tensor)
            else:
                given[name] = tensor
        return list(_spread(op(**given, **self.attrs)))[: self.case.outputs]


def flowing_gradient(shape: tuple[int, ...], dtype: str, position: int) -> np.ndarray:
    """The gradient that flows into an example's output when gradients are compared."""
    return some(*shape, low=-1.0, high=1.0).array(dtype, 100 + position)


def _spread(result: Any) -> Iterator[Any]:
    if isinstance(result, list | tuple):
        for item in result:
            yield from _spread(item)
    elif result is not None and hasattr(result, "dtype"):
        yield result
