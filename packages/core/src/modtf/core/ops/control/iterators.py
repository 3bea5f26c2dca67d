"""Iterators over datasets, and optional values: what loops over datasets in functions are made of."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine.shape_rules import nothing, scalar
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.values.errors import FailedPreconditionError, InvalidArgumentError, OutOfRangeError
from modtf.core.values.shapes import Dims


class Elements(Protocol):
    """What a variant that stands for a dataset holds."""

    def elements(self) -> Iterator[Any]:
        """Begins a pass over the elements."""

    def components(self, element: Any) -> list[Any]:
        """Returns the arrays that an element consists of."""

    def size(self) -> int:
        """Returns how many elements there are: -1 if they never end, -2 if that is not known."""


def on_host() -> Any:
    """In its `with` block ops run at once and with NumPy: datasets are computed where their files and strings are."""
    return contexts.scoped(backend=NUMPY, graph=None, tapes=(), scope="")


class IteratorResource:
    """What an iterator's handle refers to: a place in a dataset. Any number of threads may ask it for elements.

    Attributes:
        dims: `None`: what a handle of a variable says here, an iterator does not have.
        dataset: What it goes through, `None` until it has been made.
        taken: How many elements were taken since it began.
    """

    dims = None
    taken = 0

    def __init__(self, dataset: Elements | None = None) -> None:
        self.dataset = dataset
        self._lock = threading.RLock()
        self._elements: Iterator[Any] | None = None
        if dataset is not None:
            self.start(dataset)

    def start(self, dataset: Elements) -> None:
        """Begins at a dataset's first element."""
        with self._lock, on_host():
            self.dataset, self._elements, self.taken = dataset, dataset.elements(), 0

    def next(self) -> Any:
        """Returns the next element.

        Raises:
            StopIteration: There is none.
            FailedPreconditionError: It has no dataset.
        """
        if self._elements is None:
            raise FailedPreconditionError(
                "GetNext() failed because the iterator has not been initialized. Make it by iter(dataset)."
            )
        token = contexts.enter(backend=NUMPY, graph=None, tapes=(), scope="")
        try:
            with self._lock:
                element = next(self._elements)
                self.taken += 1
                return element
        finally:
            contexts.leave(token)

    def next_components(self) -> list[Any]:
        """Returns the arrays of the next element; raises as `next` does."""
        element = self.next()
        assert self.dataset is not None
        with on_host():
            return self.dataset.components(element)


class OptionalValue:
    """What an optional holds: the arrays of an element, or `None` if there is none."""

    def __init__(self, arrays: Sequence[Any] | None) -> None:
        self.arrays = arrays


def unboxed(payload: Any) -> Any:
    """Returns what a variant or handle holds, out of the array that it may be in."""
    return payload.item() if isinstance(payload, np.ndarray) else payload


# ------------------------------------------------------------------------------------------------- iterators

_TYPES = "output_types: list(type), output_shapes: list(shape)"


def _component_dims(*inputs: Any, output_shapes: Sequence[Any], **attrs: Any) -> list[Dims]:
    return [shape.dims for shape in output_shapes]


def _iterator(xp: Any, **attrs: Any) -> IteratorResource:
    return IteratorResource()


for _name, _names in (("IteratorV2", "shared_name: string, container: string, "), ("AnonymousIteratorV3", "")):
    register(
        Op(
            f"{_name}(*, {_names}{_TYPES}) -> (handle: resource)",
            kernel=_iterator,
            shape=scalar,
            host_only=True,
            stateful=True,
            prunable=True,
        )
    ).gradient(None)


@op("MakeIterator(dataset: variant, iterator: resource) -> ()", shape=nothing, host_only=True, stateful=True)
def make_iterator(xp: Any, dataset: Any, iterator: Any) -> tuple[()]:
    unboxed(iterator).start(unboxed(dataset))
    return ()


def _next(xp: Any, iterator: Any, **attrs: Any) -> list[Any]:
    try:
        return unboxed(iterator).next_components()
    except StopIteration:
        raise OutOfRangeError("End of sequence") from None


for _name in ("IteratorGetNext", "IteratorGetNextSync"):
    register(
        Op(
            f"{_name}(iterator: resource, *, {_TYPES}) -> (components: output_types)",
            kernel=_next,
            shape=_component_dims,
            host_only=True,
            stateful=True,
        )
    ).gradient(None)


@op(
    f"IteratorGetNextAsOptional(iterator: resource, *, {_TYPES}) -> (optional: variant)",
    shape=scalar,
    host_only=True,
    stateful=True,
)
def next_as_optional(xp: Any, iterator: Any, **attrs: Any) -> OptionalValue:
    try:
        return OptionalValue(unboxed(iterator).next_components())
    except StopIteration:
        return OptionalValue(None)


@op(
    "DatasetCardinality(input_dataset: variant, *, cardinality_options: string = '') -> (cardinality: int64)",
    shape=scalar,
    host_only=True,
    volatile=True,
)
def cardinality(xp: Any, input_dataset: Any, **attrs: Any) -> np.ndarray:
    return np.asarray(unboxed(input_dataset).size(), np.int64)


# ------------------------------------------------------------------------------------------------- optionals


@op("OptionalNone() -> (optional: variant)", shape=scalar, host_only=True, volatile=True)
def optional_none(xp: Any) -> OptionalValue:
    return OptionalValue(None)


@op(
    "OptionalFromValue[*Toutput_types](components: Toutput_types) -> (optional: variant)",
    shape=scalar,
    host_only=True,
    volatile=True,
)
def optional_from_value(xp: Any, components: Sequence[Any]) -> OptionalValue:
    return OptionalValue(list(components))


@op("OptionalHasValue(optional: variant) -> (has_value: bool)", shape=scalar, host_only=True, volatile=True)
def optional_has_value(xp: Any, optional: Any) -> np.ndarray:
    return np.asarray(unboxed(optional).arrays is not None)


@op(
    f"OptionalGetValue(optional: variant, *, {_TYPES}) -> (components: output_types)",
    shape=_component_dims,
    host_only=True,
    volatile=True,
)
def optional_get_value(xp: Any, optional: Any, **attrs: Any) -> Sequence[Any]:
    arrays = unboxed(optional).arrays
    if arrays is None:
        raise InvalidArgumentError("The given optional does not have a value.")
    return arrays


for _op in (make_iterator, next_as_optional, cardinality, optional_none, optional_from_value, optional_has_value):
    _op.gradient(None)
optional_get_value.gradient(None)
