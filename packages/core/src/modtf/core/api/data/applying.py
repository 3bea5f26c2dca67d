"""Functions of elements: map, filter, flat_map, interleave, scan, reduce, grouping."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.api.data import structures
from modtf.core.api.data.base import AUTOTUNE, INFINITE, UNKNOWN, DatasetBase, DatasetSpec, Stage, Through, build
from modtf.core.api.data.elements import values_of
from modtf.core.api.data.functions import (
    TracedFunction,
    arguments_of,
    is_true,
    scalar_of,
    traced_until_stable,
)  # fmt: skip
from modtf.core.api.data.structures import from_components, normalized, specs_of
from modtf.core.engine import context as contexts
from modtf.core.ops.control.iterators import on_host
from modtf.core.values import nest
from modtf.core.values.dtypes import bool_, int64
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec

if TYPE_CHECKING:
    from modtf.core.api.data.dataset import Dataset

Call = Callable[[Sequence[Any]], tuple[Any, ...]]
"""From hosted values to hosted values."""


class Map(Through):
    """What a function gives for each element."""

    def __init__(self, source: Stage, function: Call) -> None:
        super().__init__(source)
        self._function = function

    def elements(self) -> Iterator[Any]:
        return map(self._function, self.source.values())  # which goes on behind an element that fails

    def size(self) -> int:
        return self.source.size()


class Filter(Through):
    """The elements for which a function is true."""

    def __init__(self, source: Stage, predicate: Call) -> None:
        super().__init__(source)
        self._predicate = predicate

    def elements(self) -> Iterator[Any]:
        predicate = self._predicate
        return filter(lambda element: is_true(predicate(values_of(element))[0]), self.source.elements())

    def size(self) -> int:
        return UNKNOWN


class TakeWhile(Through):
    """The elements before the first for which a function is false."""

    def __init__(self, source: Stage, predicate: Call) -> None:
        super().__init__(source)
        self._predicate = predicate

    def elements(self) -> Iterator[Any]:
        for element in self.source.elements():
            if not is_true(self._predicate(values_of(element))[0]):
                return
            yield element


class FlatMap(Through):
    """The elements of the datasets that a function gives."""

    def __init__(self, source: Stage, function: Call) -> None:
        super().__init__(source)
        self._function = function

    def elements(self) -> Iterator[Any]:
        for values in self.source.values():
            (stage,) = self._function(values)
            yield from stage.elements()


class Interleave(Through):
    """The same, from several datasets in turn."""

    def __init__(self, source: Stage, function: Call, cycle_length: int, block_length: int) -> None:
        super().__init__(source)
        if cycle_length != AUTOTUNE and cycle_length < 1:
            raise InvalidArgumentError("`cycle_length` must be > 0")
        if block_length < 1:
            raise InvalidArgumentError("`block_length` must be > 0")
        self._function = function
        self._cycle_length = (os.cpu_count() or 1) if cycle_length == AUTOTUNE else cycle_length
        self._block_length = block_length

    def elements(self) -> Iterator[Any]:
        source = self.source.values()
        slots: list[Iterator[Any] | None] = [None] * self._cycle_length
        open_slots, ended, at = 0, object(), 0
        more = True
        while more or open_slots:
            current = slots[at]
            if current is None and more:
                values = next(source, ended)
                if values is ended:
                    more = False
                    continue
                slots[at] = current = self._function(values)[0].elements()  # type: ignore[arg-type]
                open_slots += 1
            if current is not None:
                for _ in range(self._block_length):
                    element = next(current, ended)
                    if element is ended:
                        slots[at] = None
                        open_slots -= 1
                        break
                    yield element
            at = (at + 1) % self._cycle_length


class Scan(Through):
    """What a function of a state and an element gives out."""

    def __init__(self, source: Stage, function: Call, state: tuple[Any, ...]) -> None:
        super().__init__(source)
        self._function = function
        self._state = state

    def elements(self) -> Iterator[Any]:
        state, width = self._state, len(self._state)
        for values in self.source.values():
            results = self._function((*state, *values))
            state = results[:width]
            yield results[width:]

    def size(self) -> int:
        return self.source.size()


class GroupByWindow(Through):
    """The elements of datasets that are made of groups of elements."""

    def __init__(self, source: Stage, key: Call, window: Call, size: Call) -> None:
        super().__init__(source)
        self._key, self._window, self._size = key, window, size

    def elements(self) -> Iterator[Any]:
        from modtf.core.api.data.making import Listed

        groups: dict[int, list[Any]] = {}
        sizes: dict[int, int] = {}

        def reduced(key: int) -> Iterator[Any]:
            window = Listed(groups.pop(key))
            window.element_spec, window.specs = self.source.element_spec, self.source.specs
            window.kind = "_VariantDataset"
            stage: Stage = self._window((np.array(key, np.int64), window))[0]
            return stage.elements()

        for element in self.source.elements():
            key = int(self._key(values_of(element))[0])
            if key not in groups:
                groups[key] = []
                if key not in sizes:
                    sizes[key] = int(self._size((np.array(key, np.int64),))[0])
                    if sizes[key] < 1:
                        raise InvalidArgumentError(f"Window size must be greater than zero, but got {sizes[key]}.")
            groups[key].append(element)
            if len(groups[key]) == sizes[key]:
                yield from reduced(key)
        for key in sorted(groups):
            yield from reduced(key)

    def size(self) -> int:
        return INFINITE if self.source.size() == INFINITE else UNKNOWN


class GroupByReducer(Through):
    """What is made of all elements with one key."""

    def __init__(self, source: Stage, key: Call, first: Call, step: Call, last: Call) -> None:
        super().__init__(source)
        self._key, self._first, self._step, self._last = key, first, step, last

    def elements(self) -> Iterator[Any]:
        states: dict[int, tuple[Any, ...]] = {}
        for values in self.source.values():
            key = int(self._key(values)[0])
            state = states[key] if key in states else self._first((np.array(key, np.int64),))
            states[key] = self._step((*state, *values))
        for key in sorted(states):
            yield self._last(states[key])


def checked_scalar(traced: TracedFunction, dtype: Any, what: str) -> None:
    """Refuses a function that does not give a scalar of a dtype.

    Raises:
        ValueError: It gives something else.
    """
    spec = traced.output
    fits = isinstance(spec, TensorSpec) and spec.dtype is dtype and spec.shape.is_compatible_with([])
    if not fits:
        raise ValueError(
            f"Invalid `{what}`. `{what}` must return a `tf.{dtype.name}` scalar tensor, but its return type is {spec}."
        )


def _checked_dataset(traced: TracedFunction, what: str) -> Any:
    if not isinstance(traced.output, DatasetSpec):
        raise TypeError(
            f"Invalid `{what}`. `{what}` must return a `Dataset` object, but its return type is {traced.output}."
        )
    return traced.output.element_spec


class Applying(DatasetBase):
    """The methods of `Dataset` that apply functions to elements.

    The functions are traced as those of `tf.function` are: Python code in them runs once, ops run for each element.
    """

    def _traced(self, function: Callable[..., Any], what: str) -> TracedFunction:
        return TracedFunction(function, arguments_of(self.element_spec), f"Dataset.{what}")

    def _applied(
        self, kind: str, spec: Any, traced: TracedFunction, stage: Callable[..., Stage], *numbers: Any
    ) -> Dataset:
        """The dataset of a stage of this dataset's, a function and scalars."""
        count = len(numbers)
        return build(
            kind,
            spec,
            lambda s, v: stage(s[0], traced.bound(v[count:]), *map(int, v[:count])),
            [self],
            [*numbers, *traced.captured],
        )

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Returns what a function gives for each element.

        Args:
            map_func: The function. The parts of an element that is a tuple are its arguments; what it gives is an element:
                a tensor, or tuples and dicts of tensors.
            num_parallel_calls: Without effect: elements are computed one after the other.
            deterministic: Without effect: the order is kept.
            synchronous: Without effect.
            use_unbounded_threadpool: Without effect.
            name: Without effect.

        Raises:
            TypeError: The function gives something that can be no element.
        """
        kind = "_MapDataset" if num_parallel_calls is None else "_ParallelMapDataset"
        _check_parallel(num_parallel_calls)
        traced = self._traced(map_func, "map()")
        return self._applied(kind, traced.output, traced, Map)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Returns the elements for which a function is true.

        Args:
            predicate: From an element, as in `map`, to a scalar bool.
            name: Without effect.

        Raises:
            ValueError: The function gives something else.
        """
        traced = self._traced(predicate, "filter()")
        checked_scalar(traced, bool_, "predicate")
        return self._applied("_FilterDataset", self.element_spec, traced, Filter)

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Returns the elements before the first for which a function is false.

        Args:
            predicate: From an element, as in `map`, to a scalar bool.
            name: Without effect.

        Raises:
            ValueError: The function gives something else.
        """
        traced = self._traced(predicate, "take_while()")
        checked_scalar(traced, bool_, "predicate")
        return self._applied("_TakeWhileDataset", self.element_spec, traced, TakeWhile)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """Returns the elements of the datasets that a function gives, one dataset after the other.

        Args:
            map_func: From an element, as in `map`, to a dataset.
            name: Without effect.

        Raises:
            TypeError: The function gives something else.
        """
        traced = self._traced(map_func, "flat_map()")
        return self._applied("_FlatMapDataset", _checked_dataset(traced, "map_func"), traced, FlatMap)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Returns the elements of the datasets that a function gives, from several datasets in turn.

        Args:
            map_func: From an element, as in `map`, to a dataset.
            cycle_length: From how many at a time; by default from as many as there are processors.
            block_length: How many elements of one before those of the next, 1 by default.
            num_parallel_calls: Without effect: elements are computed one after the other.
            deterministic: Without effect.
            name: Without effect.

        Raises:
            TypeError: The function gives something else.
            InvalidArgumentError: A length is not positive.
        """
        kind = "_InterleaveDataset" if num_parallel_calls is None else "_ParallelInterleaveDataset"
        _check_parallel(num_parallel_calls)
        traced = self._traced(map_func, "interleave()")
        numbers = [
            scalar_of(AUTOTUNE if cycle_length is None else cycle_length, int64, "cycle_length"),
            scalar_of(1 if block_length is None else block_length, int64, "block_length"),
        ]
        return self._applied(kind, _checked_dataset(traced, "map_func"), traced, Interleave, *numbers)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """Returns what a function gives for each element, with a state that it hands on to itself.

        Args:
            initial_state: The first state: tensors, or tuples and dicts of them.
            scan_func: From a state and an element to the next state and what is given out.
            name: Without effect.

        Raises:
            TypeError: The function does not give a pair, or its state has another structure or dtype than the first.
        """
        state = normalized(initial_state)

        def split(output: Any) -> Any:
            if not isinstance(output, tuple) or len(output) != 2:
                raise TypeError(
                    "Invalid `scan_func`. `scan_func` should return a pair consisting of new state and the output."
                )
            return output[0]

        traced, spec = traced_until_stable(scan_func, specs_of(state), self.element_spec, split, "Dataset.scan()")
        given = nest.flatten(state, expand_composites=True)
        flat, count = nest.flatten(spec), len(given)
        return build(
            "_ScanDataset",
            traced.output[1],
            lambda s, v: Scan(s[0], traced.bound(v[count:]), from_components(flat, iter(v[:count]))),
            [self],
            [*given, *traced.captured],
        )

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None) -> Any:
        """Returns the last state of a function that goes through all elements.

        Args:
            initial_state: The first state: tensors, or tuples and dicts of them.
            reduce_func: From a state and an element to the next state.
            name: Without effect.

        Raises:
            TypeError: The next state has another structure or dtype than the first.
        """
        state = normalized(initial_state)
        traced, spec = traced_until_stable(
            reduce_func, specs_of(state), self.element_spec, lambda output: output, "Dataset.reduce()"
        )
        if not contexts.executing_eagerly():
            return self._reduced_in_graph(state, spec, reduce_func)
        with on_host():
            values = tuple(structures.hosted(leaf) for leaf in nest.flatten(state))
            step = traced.bound([structures.hosted(tensor) for tensor in traced.captured])
            for element in self.hosted_stage().values():
                values = step((*values, *element))
        flat = nest.flatten(spec)
        return nest.pack_sequence_as(spec, [structures.given_out(*item) for item in zip(flat, values, strict=True)])

    def _reduced_in_graph(self, state: Any, spec: Any, reduce_func: Callable[..., Any]) -> Any:
        from modtf.core.api.control_flow import while_loop

        iterator = iter(self)
        first = iterator.get_next_as_optional()
        _, result = while_loop(
            lambda optional, values: optional.has_value(),
            lambda optional, values: (
                iterator.get_next_as_optional(),
                normalized(reduce_func(values, optional.get_value())),
            ),
            (first, state),
            shape_invariants=(first.type_spec, spec),
        )
        return result

    def group_by_window(
        self,
        key_func: Callable[..., Any],
        reduce_func: Callable[..., Any],
        window_size: Any = None,
        window_size_func: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Groups elements by a key, and returns those of the datasets that a function gives for full groups.

        Args:
            key_func: From an element, as in `map`, to a scalar int64.
            reduce_func: From a key and a dataset of the elements with that key to a dataset.
            window_size: How many elements make a group full; smaller ones follow at the end.
            window_size_func: The same as a function of the key.
            name: Without effect.

        Raises:
            ValueError: Both or neither of the sizes are given, or a function gives something else.
        """
        if (window_size is None) == (window_size_func is None):
            raise ValueError("Either the `window_size` argument or the `window_size_func` argument must be specified.")
        if window_size is not None and not window_size > 0:
            raise ValueError(f"Invalid `window_size`. `window_size` must be positive, not {window_size}.")
        number = TensorSpec((), int64)
        key = self._traced(key_func, "group_by_window()")
        checked_scalar(key, int64, "key_func")
        window = TracedFunction(reduce_func, (number, DatasetSpec(self.element_spec)), "Dataset.group_by_window()")
        constant = None if window_size is None else scalar_of(window_size, int64, "window_size")
        sizing = window_size_func if constant is None else lambda key: constant
        size = TracedFunction(sizing, (number,), "Dataset.group_by_window()")  # type: ignore[arg-type]
        checked_scalar(size, int64, "window_size_func")
        return self._composed(
            "_GroupByWindowDataset", _checked_dataset(window, "reduce_func"), GroupByWindow, key, window, size
        )

    def _composed(self, kind: str, spec: Any, stage: Callable[..., Stage], *functions: TracedFunction) -> Dataset:
        """The dataset of a stage of this dataset's and several functions."""

        def make(sources: Sequence[Any], values: Sequence[np.ndarray]) -> Stage:
            bound, start = [], 0
            for function in functions:
                count = len(function.captured)
                bound.append(function.bound(values[start : start + count]))
                start += count
            return stage(sources[0], *bound)

        return build(kind, spec, make, [self], [tensor for function in functions for tensor in function.captured])

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable[..., Any],
        bucket_boundaries: Sequence[int],
        bucket_batch_sizes: Sequence[int],
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Batches elements of similar length, padded to one length in each batch.

        Args:
            element_length_func: From an element, as in `map`, to its length, a scalar int32.
            bucket_boundaries: The lengths from which the second, third, ... bucket starts.
            bucket_batch_sizes: The batch size for each bucket: one more than boundaries.
            padded_shapes: As of `padded_batch`; by default all unknown sizes are padded.
            padding_values: As of `padded_batch`.
            pad_to_bucket_boundary: Whether to pad to the longest length that the bucket takes; the last takes none then.
            no_padding: Whether not to pad at all: for elements of one shape, or sparse ones.
            drop_remainder: Whether to leave out batches that do not become full.
            name: Without effect.

        Raises:
            ValueError: There are not as many batch sizes as there must be.
        """
        if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
            raise ValueError(
                f"`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1` but `len(bucket_batch_sizes)="
                f"{len(bucket_batch_sizes)}` and `len(bucket_boundaries)={len(bucket_boundaries)}`."
            )
        from modtf.core.api.debugging import Assert
        from modtf.core.api.elementwise import cast
        from modtf.core.api.math import argmax, greater
        from modtf.core.values.conversion import constant

        limits = np.array([*bucket_boundaries, np.iinfo(np.int32).max], np.int32)
        sizes = np.array(bucket_batch_sizes, np.int64)

        def bucket(*element: Any) -> Any:
            length = cast(element_length_func(*element), "int32")
            return argmax(cast(greater(constant(limits), length), "int32"), output_type="int64")

        def batch(key: Any, window: Any) -> Any:
            size = constant(sizes)[key]
            if no_padding:
                return window.batch(size, drop_remainder=drop_remainder)
            shapes = padded_shapes
            if shapes is None:
                shapes = nest.map_structure(lambda spec: spec.shape, self.element_spec)
            if pad_to_bucket_boundary:
                Assert(key < len(bucket_boundaries), ["An element is longer than the last bucket boundary:", key])
                shapes = _with_size(shapes, constant(limits.astype(np.int64))[key] - 1)
            return window.padded_batch(size, shapes, padding_values, drop_remainder)

        return self.group_by_window(bucket, batch, window_size_func=lambda key: constant(sizes)[key])

    def rejection_resample(
        self,
        class_func: Callable[..., Any],
        target_dist: Any,
        initial_dist: Any = None,
        seed: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """Drops elements at random so that their classes come as often as wanted; returns pairs of a class and an element.

        Args:
            class_func: From an element, as in `map`, to its class, a scalar int32.
            target_dist: How often each class shall come, a vector that sums to 1.
            initial_dist: How often it comes; counted as elements pass if it is not given.
            seed: A seed; see `tf.random.set_seed`.
            name: Without effect.
        """
        from modtf.core.api.data.making import SeedSequence
        from modtf.core.api.random import op_seeds

        seeds = SeedSequence(op_seeds(None if seed is None else int(seed)), True)
        classes = self._traced(class_func, "rejection_resample()")
        target = np.asarray(structures.hosted(normalized(target_dist)), np.float64)
        first = None if initial_dist is None else np.asarray(structures.hosted(normalized(initial_dist)), np.float64)
        spec = (classes.output, self.element_spec)
        return self._applied(
            "_MapDataset", spec, classes, lambda source, function: Resample(source, function, target, first, seeds)
        )

    def apply(self, transformation_func: Callable[[Any], Any]) -> Dataset:
        """Returns what a function gives for this dataset.

        Args:
            transformation_func: From a dataset to a dataset.

        Raises:
            TypeError: It gives something else.
        """
        made = transformation_func(self)
        if not isinstance(made, DatasetBase):
            raise TypeError(f"`transformation_func` must return a `tf.data.Dataset` object. Got {type(made)}.")
        return made  # type: ignore[return-value]


class Resample(Through):
    """Elements with their classes, each kept with such a probability that the classes come as often as wanted."""

    def __init__(self, source: Stage, classes: Call, target: np.ndarray, first: np.ndarray | None, seeds: Any) -> None:
        super().__init__(source)
        self._classes, self._target, self._first, self._seeds = classes, target, first, seeds

    def elements(self) -> Iterator[Any]:
        generator = self._seeds.generator()
        counts = np.full(len(self._target), 16.0 / len(self._target))
        for values in self.source.values():
            (number,) = self._classes(values)
            counts[int(number)] += 1
            present = counts / counts.sum() if self._first is None else self._first
            ratios = self._target / np.maximum(present, np.finfo(np.float64).tiny)
            if generator.random() * ratios.max() < ratios[int(number)]:
                yield (number, *values)


def _with_size(shapes: Any, size: Any) -> Any:
    """The shapes in a structure with a size in the place of those that are not known."""
    if isinstance(shapes, dict):
        return {key: _with_size(shape, size) for key, shape in shapes.items()}
    if isinstance(shapes, tuple) and any(isinstance(item, (tuple, list, dict, TensorShape)) for item in shapes):
        return tuple(_with_size(shape, size) for shape in shapes)
    return [size if item is None or item == -1 else item for item in TensorShape(shapes).as_list()]


def _check_parallel(num_parallel_calls: Any) -> None:
    if isinstance(num_parallel_calls, int) and num_parallel_calls != AUTOTUNE and num_parallel_calls < 1:
        raise InvalidArgumentError("num_parallel_calls must be greater than zero.")
