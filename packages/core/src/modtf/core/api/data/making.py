"""Where elements come from: tensors, generators, ranges, files, random numbers, other datasets side by side."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.api.data.base import INFINITE, UNKNOWN, DatasetBase, Stage, build
from modtf.core.api.data.elements import Joined, Row, Table
from modtf.core.api.data.functions import scalar_of
from modtf.core.api.data.ordering import SeedSequence
from modtf.core.api.data.structures import from_components, hosted, merged_specs, normalized, row_spec, specs_of
from modtf.core.engine import context as contexts
from modtf.core.ops.control.python_calls import run
from modtf.core.values import nest
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype, int64, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.local_files import matching
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor

if TYPE_CHECKING:
    from modtf.core.api.data.dataset import Dataset


class Single(Stage):
    """One element."""

    def __init__(self, element: tuple[Any, ...]) -> None:
        self._element = element

    def elements(self) -> Iterator[Any]:
        return iter((self._element,))

    def size(self) -> int:
        return 1


class Slices(Stage):
    """The rows of a table."""

    def __init__(self, specs: Sequence[TypeSpec], columns: Sequence[Any]) -> None:
        self._table = Table(specs, columns)

    def elements(self) -> Iterator[Any]:
        return map(Row, itertools.repeat(self._table), range(self._table.count))

    def size(self) -> int:
        return self._table.count


class Listed(Stage):
    """Elements that are there already."""

    def __init__(self, elements: Sequence[Any]) -> None:
        self._elements = elements

    def elements(self) -> Iterator[Any]:
        return iter(self._elements)

    def size(self) -> int:
        return len(self._elements)


class Range(Stage):
    """Python's `range`."""

    def __init__(self, start: int, stop: int, step: int, dtype: Any) -> None:
        if step == 0:
            raise InvalidArgumentError("step must be a non-zero integer.")
        self._range = range(start, stop, step)
        self._type = dtype.np_dtype

    def elements(self) -> Iterator[Any]:
        kind = self._type
        return ((np.array(number, kind),) for number in self._range)

    def size(self) -> int:
        numbers = self._range
        return max(0, -((numbers.start - numbers.stop) // numbers.step))


class Counting(Stage):
    """Numbers without end."""

    def __init__(self, start: Any, step: Any, dtype: Any) -> None:
        self._start, self._step, self._type = start, step, dtype.np_dtype

    def elements(self) -> Iterator[Any]:
        return ((np.array(number, self._type),) for number in itertools.count(self._start, self._step))

    def size(self) -> int:
        return INFINITE


class RandomNumbers(Stage):
    """Random numbers without end."""

    def __init__(self, seeds: SeedSequence) -> None:
        self._seeds = seeds

    def elements(self) -> Iterator[Any]:
        generator = self._seeds.generator()
        while True:
            for number in generator.integers(2**32, size=256, dtype=np.int64):
                yield (np.array(number),)

    def size(self) -> int:
        return INFINITE


class Generated(Stage):
    """What a Python generator gives."""

    def __init__(self, generator: Callable[..., Any], arguments: Sequence[np.ndarray], element_spec: Any) -> None:
        self._generator = generator
        self._arguments = arguments
        self._wanted = element_spec

    def elements(self) -> Iterator[Any]:
        elements = run(lambda: iter(self._generator(*[np.array(item)[()] for item in self._arguments])), ())
        ended = object()
        while True:
            element = run(lambda: next(elements, ended), ())
            if element is ended:
                return
            yield self._fitted(element)

    def _fitted(self, element: Any) -> tuple[Any, ...]:
        parts: list[Any] = []
        if not _match(self._wanted, element, parts):
            raise InvalidArgumentError(
                "TypeError: `generator` yielded an element that did not match the expected structure. The expected structure "
                f"was {self._wanted}, but the yielded element was {element!r}."
            )
        return tuple([self._hosted(spec, part, element) for spec, part in parts])

    def _hosted(self, spec: Any, value: Any, element: Any) -> Any:
        if isinstance(spec, TensorSpec):
            try:
                tensor = convert_to_tensor(value, dtype=spec.dtype)
            except (TypeError, ValueError) as error:
                raise InvalidArgumentError(
                    f"TypeError: `generator` yielded an element that could not be converted to the expected type. The "
                    f"expected type was {spec.dtype.name}, but the yielded element was {element!r}. {error}"
                ) from None
            if not tensor.shape.is_compatible_with(spec.shape):
                raise InvalidArgumentError(
                    f"TypeError: `generator` yielded an element of shape {tensor.shape} where an element of shape "
                    f"{spec.shape} was expected."
                )
            return hosted(tensor)
        if not spec.is_compatible_with(value):
            raise InvalidArgumentError(
                f"TypeError: `generator` yielded an element of {value!r} where an element of {spec} was expected."
            )
        return hosted(value)


def _match(spec: Any, value: Any, parts: list[Any]) -> bool:
    """Collects the parts of a value, each with its spec; returns whether it has the structure."""
    if isinstance(spec, dict):
        return (
            isinstance(value, dict)
            and set(spec) == set(value)
            and all(_match(spec[k], value[k], parts) for k in sorted(spec))
        )
    if isinstance(spec, tuple):
        return (
            isinstance(value, tuple) and len(spec) == len(value) and all(map(_match, spec, value, [parts] * len(spec)))
        )
    parts.append((spec, value))
    return True


class Zip(Stage):
    """Elements of several sources side by side."""

    def __init__(self, sources: Sequence[Stage]) -> None:
        self._sources = sources

    def elements(self) -> Iterator[Any]:
        widths = tuple(len(source.specs) for source in self._sources)
        parts = zip(*(source.elements() for source in self._sources), strict=False)
        return (Joined(part, widths) for part in parts)

    def size(self) -> int:
        sizes = [source.size() for source in self._sources]
        if UNKNOWN in sizes:
            return UNKNOWN
        return min((size for size in sizes if size >= 0), default=INFINITE)


class Chosen(Stage):
    """Elements of several sources, each next one from that which a number says."""

    def __init__(self, sources: Sequence[Stage], numbers: Stage, stop_on_empty: bool) -> None:
        self._sources = sources
        self._numbers = numbers
        self._stop_on_empty = stop_on_empty

    def elements(self) -> Iterator[Any]:
        passes: list[Any] = [source.elements() for source in self._sources]
        ended = object()
        for (value,) in self._numbers.values():
            number = int(value)
            if not 0 <= number < len(passes):
                raise InvalidArgumentError(
                    f"Selector index out of range: {number} >= {len(passes)} data inputs were given."
                )
            if passes[number] is None:
                continue
            element = next(passes[number], ended)
            if element is not ended:
                yield element
                continue
            passes[number] = None
            if self._stop_on_empty or not any(passes):
                return

    def size(self) -> int:
        sizes = [source.size() for source in self._sources]
        return INFINITE if INFINITE in sizes else UNKNOWN


class Draws(Stage):
    """Random numbers of sources, by weights, which a dataset may give anew for each draw."""

    def __init__(self, count: int, weights: Any, seeds: SeedSequence) -> None:
        self._count, self._weights, self._seeds = count, weights, seeds

    def elements(self) -> Iterator[Any]:
        generator = self._seeds.generator()
        if isinstance(self._weights, Stage):
            for (weights,) in self._weights.values():
                yield (np.array(generator.choice(self._count, p=_probabilities(weights)), np.int64),)
            return
        limits = np.cumsum(_probabilities(self._weights))
        while True:
            for number in np.searchsorted(limits[:-1], generator.random(256), side="right"):
                yield (np.array(number, np.int64),)


def _probabilities(weights: Any) -> np.ndarray:
    wide = np.asarray(weights, np.float64)
    return wide / wide.sum()


class Making:
    """The static methods of `Dataset` that make one."""

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """Returns a dataset with one element.

        Args:
            tensors: The element: a tensor, or tuples and dicts of tensors. Lists become tensors.
            name: Without effect.
        """
        structure = normalized(tensors)
        spec = specs_of(structure)
        flat = nest.flatten(spec)
        parts = nest.flatten([leaf for leaf in nest.flatten(structure) if leaf is not None], expand_composites=True)
        return build("_TensorDataset", spec, lambda s, v: Single(from_components(flat, iter(v))), (), parts)

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """Returns a dataset of what is along the first axis of tensors.

        Args:
            tensors: A tensor, or tuples and dicts of tensors of one length; ragged and sparse ones too. Lists become
                tensors.
            name: Without effect.

        Raises:
            ValueError: There is no tensor, or a scalar, or their lengths differ.
        """
        structure = normalized(tensors)
        whole = nest.map_structure(lambda spec: spec, specs_of(structure))
        flat = nest.flatten(whole)
        spec = nest.map_structure(row_spec, whole)
        lengths = [
            dims[0] for dims in (leaf.shape.dims for leaf in nest.flatten(structure) if leaf is not None) if dims
        ]
        if not lengths:
            raise ValueError("Invalid `tensors`. `tensors` should not be empty.")
        for length in lengths[1:]:
            if None not in (length, lengths[0]) and length != lengths[0]:
                raise ValueError(f"Dimensions {lengths[0]} and {length} are not compatible")
        rows = nest.flatten(spec)
        parts = nest.flatten([leaf for leaf in nest.flatten(structure) if leaf is not None], expand_composites=True)
        return build("_TensorSliceDataset", spec, lambda s, v: Slices(rows, from_components(flat, iter(v))), (), parts)

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """Returns a dataset of what a Python generator gives, which is begun anew for each pass.

        Args:
            generator: A function that returns something to iterate over.
            output_types: The older way to say what it gives: a structure of dtypes.
            output_shapes: With `output_types`, a structure of shapes.
            args: Tensors, given to the function as NumPy arrays.
            output_signature: What it gives: a structure of `TensorSpec`s (or ragged or sparse ones).
            name: Without effect.

        Raises:
            TypeError: `generator` is no function, or what it gives is not said, or said twice.
        """
        if not callable(generator):
            raise TypeError("`generator` must be a Python callable.")
        if output_signature is not None and (output_types is not None or output_shapes is not None):
            raise TypeError(
                "The `output_types` and `output_shapes` arguments can not be used together with `output_signature`."
            )
        if output_signature is None and output_types is None:
            raise TypeError("Either `output_types` or `output_signature` must be specified.")
        spec = _signature(output_types, output_shapes) if output_signature is None else output_signature
        for leaf in nest.flatten(spec):
            if not isinstance(leaf, TypeSpec):
                raise TypeError(
                    f"`output_signature` must contain objects that are subclass of `tf.TypeSpec` but found {leaf!r}."
                )
        arguments = nest.flatten(normalized(tuple(args))) if args is not None else []
        return build("_FlatMapDataset", spec, lambda s, v: Generated(generator, v, spec), (), arguments)

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> Dataset:
        """`range(stop)`, `range(start, stop)`, `range(start, stop, step)`: numbers as Python's `range` gives them.

        Args:
            *args: Scalars int64.
            **kwargs: `output_type`, the dtype of the numbers, int64 by default; `name`, without effect.

        Raises:
            ValueError: There are none or more than three arguments, or others by name.
            InvalidArgumentError: The step is 0.
        """
        dtype = as_dtype(kwargs.pop("output_type", int64))
        kwargs.pop("name", None)
        if kwargs or not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid `args`. Dataset.range takes one to three numbers; got {args} and {kwargs}.")
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1) if len(args) == 2 else args
        numbers = [scalar_of(item, int64, what) for item, what in ((start, "start"), (stop, "stop"), (step, "step"))]
        return build(
            "_RangeDataset",
            TensorSpec((), dtype),
            lambda s, v: Range(int(v[0]), int(v[1]), int(v[2]), dtype),
            (),
            numbers,
        )

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Returns elements made of one element of each of several datasets, as long as all have one.

        Args:
            *args: The datasets, or one structure of them.
            datasets: The same, by name.
            name: Without effect.

        Raises:
            TypeError: There is something else among them.
            ValueError: There are none.
        """
        if not args and datasets is None:
            raise TypeError("Must pass at least one dataset to `zip`.")
        if args and datasets is not None:
            raise TypeError("Both `*args` and `datasets` cannot be set.")
        structure = datasets if datasets is not None else args[0] if len(args) == 1 else args
        for leaf in _without_lists(structure):
            if not isinstance(leaf, DatasetBase):
                what = (
                    "Invalid input to `zip`. Inputs are expected to be (nested) structures of `tf.data.Dataset` objects"
                )
                if isinstance(leaf, list):
                    raise TypeError(f"{what}. Python `list` is not supported and you should use `tuple` instead.")
                raise TypeError(f"{what} but encountered object of type {type(leaf)}.")
        sources = nest.flatten(structure)
        if not sources:
            raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
        spec = nest.pack_sequence_as(structure, [_Boxed(source.element_spec) for source in sources])
        return build("_ZipDataset", _unboxed(spec), lambda s, v: Zip(s), sources)

    @staticmethod
    def list_files(
        file_pattern: Any, shuffle: bool | None = None, seed: Any = None, name: str | None = None
    ) -> Dataset:
        """Returns the paths of the files that match patterns.

        Args:
            file_pattern: A pattern such as `"data/*.txt"`, or a list of them.
            shuffle: Whether in a random order, anew in each pass; it is so by default. Otherwise they are sorted.
            seed: A seed for it.
            name: Without effect.

        Raises:
            InvalidArgumentError: No file matches.
        """
        with contexts.init_scope():
            patterns = convert_to_tensor(file_pattern, dtype=string)
        found = sorted({path for pattern in np.ravel(hosted(patterns)) for path in matching(pattern.decode())})
        if not found:
            texts = ", ".join(pattern.decode() for pattern in np.ravel(hosted(patterns)))
            raise InvalidArgumentError(f"No files matched pattern: {texts}")
        dataset = Making.from_tensor_slices(found)
        return dataset.shuffle(len(found), seed=seed) if shuffle or shuffle is None else dataset

    @staticmethod
    def random(seed: Any = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
        """Returns random int64 numbers without end, each at least 0 and less than 2**32.

        Args:
            seed: A seed; see `tf.random.set_seed`.
            rerandomize_each_iteration: Whether each pass gives other numbers.
            name: Without effect.
        """
        from modtf.core.api.random import op_seeds

        seeds = SeedSequence(op_seeds(None if seed is None else int(seed)), bool(rerandomize_each_iteration))
        return build("_RandomDataset", TensorSpec((), int64), lambda s, v: RandomNumbers(seeds))

    @staticmethod
    def counter(start: Any = 0, step: Any = 1, dtype: Any = int64, name: str | None = None) -> Dataset:
        """Returns numbers without end: `start`, `start + step`, ...

        Args:
            start: The first number.
            step: What is added each time.
            dtype: The dtype of the numbers.
            name: Without effect.
        """
        kind = as_dtype(dtype)
        numbers = [scalar_of(start, kind, "start"), scalar_of(step, kind, "step")]
        return build(
            "_ScanDataset", TensorSpec((), kind), lambda s, v: Counting(v[0].item(), v[1].item(), kind), (), numbers
        )

    @staticmethod
    def choose_from_datasets(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True) -> Dataset:
        """Returns elements of several datasets, each next one from that which another dataset says.

        Args:
            datasets: A list of datasets with elements of one kind.
            choice_dataset: Scalars int64: the numbers of the datasets to take from.
            stop_on_empty_dataset: Whether it ends where it would take from a dataset that has ended; else that is skipped.

        Raises:
            TypeError: The numbers are no int64 scalars, or the elements are of different kinds.
            ValueError: There are no datasets.
        """
        if not datasets:
            raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
        choice = choice_dataset.element_spec
        if not isinstance(choice, TensorSpec) or choice.dtype is not int64 or choice.shape.rank != 0:
            raise TypeError(f"Invalid `choice_dataset`. Elements must be scalar `tf.int64` tensors but are {choice}.")
        spec = _common(datasets)
        return build(
            "_DirectedInterleaveDataset",
            spec,
            lambda s, v: Chosen(s[:-1], s[-1], stop_on_empty_dataset),
            [*datasets, choice_dataset],
        )

    @staticmethod
    def sample_from_datasets(
        datasets: Any,
        weights: Any = None,
        seed: Any = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Dataset:
        """Returns elements of several datasets, each next one from a dataset chosen at random.

        Args:
            datasets: A list of datasets with elements of one kind.
            weights: How likely each is: a vector, or a dataset of vectors; equally by default.
            seed: A seed; see `tf.random.set_seed`.
            stop_on_empty_dataset: Whether it ends where it would take from a dataset that has ended; else that is skipped.
            rerandomize_each_iteration: Whether each pass chooses anew.

        Raises:
            TypeError: The elements are of different kinds, or the weights are not floating.
            ValueError: There are no datasets, or not as many weights.
        """
        from modtf.core.api.random import op_seeds

        if not datasets:
            raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
        spec, count = _common(datasets), len(datasets)
        seeds = SeedSequence(op_seeds(None if seed is None else int(seed)), bool(rerandomize_each_iteration))
        if isinstance(weights, DatasetBase):
            return build(
                "_DirectedInterleaveDataset",
                spec,
                lambda s, v: Chosen(s[:-1], Draws(count, s[-1], seeds), stop_on_empty_dataset),
                [*datasets, weights],
            )
        given = normalized(np.full(count, 1 / count) if weights is None else weights)
        if not given.dtype.is_floating:
            raise TypeError(
                f"Invalid `weights`. `weights` type must be either float32 or float64, not {given.dtype.name}."
            )
        if not given.shape.is_compatible_with([count]):
            raise ValueError(
                f"Invalid `weights`. There are {count} datasets, but the weights have shape {given.shape}."
            )
        if isinstance(given, EagerTensor):
            used = [dataset for dataset, weight in zip(datasets, hosted(given), strict=True) if weight > 0]
            if len(used) == 1:
                return used[0]
        return build(
            "_DirectedInterleaveDataset",
            spec,
            lambda s, v: _drawn(s, v[0], seeds, stop_on_empty_dataset),
            datasets,
            [given],
        )


def _drawn(sources: Sequence[Stage], weights: np.ndarray, seeds: SeedSequence, stop_on_empty: bool) -> Stage:
    used = np.flatnonzero(weights > 0).tolist()  # the others would be waited for in vain at the end
    return Chosen([sources[index] for index in used], Draws(len(used), weights[used], seeds), stop_on_empty)


class _Boxed:
    """A spec, or a structure of them, as a leaf."""

    def __init__(self, spec: Any) -> None:
        self.spec = spec


def _unboxed(structure: Any) -> Any:
    if isinstance(structure, _Boxed):
        return structure.spec
    if isinstance(structure, dict):
        return {key: _unboxed(value) for key, value in structure.items()}
    parts = [_unboxed(item) for item in structure]
    return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)


def _without_lists(structure: Any) -> list[Any]:
    """The leaves of a structure where lists are leaves."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in _without_lists(structure[key])]
    if isinstance(structure, tuple):
        return [leaf for item in structure for leaf in _without_lists(item)]
    return [structure]


def _signature(types: Any, shapes: Any) -> Any:
    flat_types = nest.flatten(types)
    if shapes is None:
        flat_shapes: list[Any] = [None] * len(flat_types)
    else:
        flat_shapes = _shapes_like(types, shapes)
    specs = [TensorSpec(TensorShape(shape), kind) for kind, shape in zip(flat_types, flat_shapes, strict=True)]
    return nest.pack_sequence_as(types, specs)


def _shapes_like(types: Any, shapes: Any) -> list[Any]:
    """The shapes for the leaves of a structure; a shape may itself be a tuple or list."""
    if isinstance(types, dict):
        return [shape for key in sorted(types) for shape in _shapes_like(types[key], shapes[key])]
    if isinstance(types, (tuple, list)):
        return [shape for kind, item in zip(types, shapes, strict=True) for shape in _shapes_like(kind, item)]
    return [shapes]


def _common(datasets: Sequence[Any]) -> Any:
    spec = datasets[0].element_spec
    for dataset in datasets[1:]:
        spec = merged_specs(spec, dataset.element_spec)
    return spec
