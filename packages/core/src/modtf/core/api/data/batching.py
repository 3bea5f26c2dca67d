"""Batches, windows and back: stacking elements and cutting them into rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.api.data import structures
from modtf.core.api.data.base import UNKNOWN, DatasetBase, DatasetSpec, Stage, Through, build, static_size
from modtf.core.api.data.elements import Row, Table, stack, values_of
from modtf.core.api.data.functions import scalar_of
from modtf.core.api.data.structures import NoneTensorSpec, batched_spec, hosted, normalized, row_spec
from modtf.core.backends.numpy import NUMPY
from modtf.core.values import nest
from modtf.core.values.dtypes import as_dtype, int64, string
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.ragged import RaggedTensor, RaggedTensorSpec
from modtf.core.values.shapes import TensorShape
from modtf.core.values.sparse import SparseTensorSpec
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor, Tensor

if TYPE_CHECKING:
    from modtf.core.api.data.dataset import Dataset


class Batch(Through):
    """Elements stacked, some at a time."""

    def __init__(self, source: Stage, size: int, drop_remainder: bool) -> None:
        super().__init__(source)
        if size < 1:
            raise InvalidArgumentError("Batch size must be greater than zero.")
        self._size = size
        self._drop_remainder = drop_remainder

    def elements(self) -> Iterator[Any]:
        source, size, specs = self.source.elements(), self._size, self.source.specs
        while members := list(islice(source, size)):
            if len(members) < size and self._drop_remainder:
                return
            yield self._stacked(members, specs)

    def _stacked(self, members: Sequence[Any], specs: Sequence[TypeSpec]) -> tuple[Any, ...]:
        return stack(members, specs)

    def size(self) -> int:
        size = self.source.size()
        if size < 0:
            return size
        return size // self._size if self._drop_remainder else -(-size // self._size)


class PaddedBatch(Batch):
    """The same, padded to one shape."""

    def __init__(
        self,
        source: Stage,
        size: int,
        drop_remainder: bool,
        shapes: Sequence[np.ndarray],
        fillings: Sequence[np.ndarray],
    ) -> None:
        super().__init__(source, size, drop_remainder)
        self._shapes = shapes
        self._fillings = fillings

    def _stacked(self, members: Sequence[Any], specs: Sequence[TypeSpec]) -> tuple[Any, ...]:
        columns = zip(*map(values_of, members), strict=True)
        return tuple([_padded(*item) for item in zip(columns, self._shapes, self._fillings, strict=True)])


def _padded(values: Sequence[Any], shape: np.ndarray, filling: np.ndarray) -> np.ndarray | None:
    if values[0] is None:
        return None
    given = np.array([np.shape(value) for value in values], np.int64).reshape(len(values), -1)
    largest = given.max(axis=0)
    sizes = np.where(shape < 0, largest, shape)
    if (largest > sizes).any():
        raise InvalidArgumentError(
            f"Attempted to pad to a smaller size than the input element: an element of shape {largest.tolist()} to "
            f"{shape.tolist()}."
        )
    if (given == sizes).all():
        return np.array([value[()] for value in values], filling.dtype) if not len(sizes) else np.stack(values)
    batch = np.full((len(values), *sizes.tolist()), filling, filling.dtype)
    for row, value in zip(batch, values, strict=True):
        row[tuple([slice(size) for size in value.shape])] = value
    return batch


class SparseBatch(Batch):
    """The same, as sparse tensors."""

    def __init__(self, source: Stage, size: int, drop_remainder: bool, shape: np.ndarray) -> None:
        super().__init__(source, size, drop_remainder)
        self._shape = shape

    def _stacked(self, members: Sequence[Any], specs: Sequence[TypeSpec]) -> tuple[Any, ...]:
        spec: Any = specs[0]
        rows = []
        for member in members:
            (value,) = values_of(member)
            if np.ndim(value) != len(self._shape):
                raise InvalidArgumentError(
                    f"Input element had shape {list(np.shape(value))} that is incompatible with the row shape "
                    f"{self._shape.tolist()}."
                )
            places = np.argwhere(np.ones(np.shape(value), bool))
            shape = np.where(self._shape < 0, np.shape(value), self._shape)
            if (np.shape(value) > shape).any():
                raise InvalidArgumentError(
                    f"An element of shape {list(np.shape(value))} does not fit {shape.tolist()}."
                )
            rows.append(structures.sparse_of(places, np.ravel(value), shape, spec.dtype))
        return (structures.stacked(SparseTensorSpec(None, spec.dtype), rows, 0),)


class Unbatch(Through):
    """The rows of each element."""

    def elements(self) -> Iterator[Any]:
        for values in self.source.values():
            table = Table(self.specs, values)
            for index in range(table.count):
                yield Row(table, index)

    def size(self) -> int:
        size = self.source.size()
        if size < 0:
            return size
        for spec in self.source.specs:
            dims = None if isinstance(spec, NoneTensorSpec) else spec.shape.dims  # type: ignore[attr-defined]
            if dims and dims[0] is not None:
                return size * dims[0]
        return UNKNOWN


class Rebatch(Through):
    """The rows of elements, stacked in other numbers."""

    def __init__(self, source: Stage, sizes: Sequence[int], drop_remainder: bool) -> None:
        super().__init__(source)
        if not sizes or any(size < 1 for size in sizes):
            raise InvalidArgumentError("Batch sizes must be greater than zero.")
        self._sizes = sizes
        self._drop_remainder = drop_remainder

    def elements(self) -> Iterator[Any]:
        specs = [row_spec(spec) for spec in self.source.specs]
        rows = self._rows(specs)
        number = 0
        while members := list(islice(rows, self._sizes[number % len(self._sizes)])):
            if len(members) < self._sizes[number % len(self._sizes)] and self._drop_remainder:
                return
            number += 1
            yield stack(members, specs)

    def _rows(self, specs: Sequence[TypeSpec]) -> Iterator[Any]:
        for values in self.source.values():
            table = Table(specs, values)
            for index in range(table.count):
                yield Row(table, index)


class _Part(Stage):
    """One part of each of several elements: what a window is a dataset of."""

    kind = "_VariantDataset"

    def __init__(self, members: Sequence[Any], position: int, spec: TypeSpec) -> None:
        self._members, self._position = members, position
        self.element_spec, self.specs = spec, [spec]

    def elements(self) -> Iterator[Any]:
        for member in self._members:
            if type(member) is Row and len(member.table.columns) == 1:
                yield member
            else:
                yield (values_of(member)[self._position],)

    def size(self) -> int:
        return len(self._members)


class Window(Through):
    """Datasets of some elements each."""

    def __init__(self, source: Stage, drop_remainder: bool, size: int, shift: int, stride: int) -> None:
        super().__init__(source)
        for number, what in ((size, "size"), (shift, "shift"), (stride, "stride")):
            if number < 1:
                raise InvalidArgumentError(f"Window {what} must be greater than zero.")
        self._size, self._shift, self._stride = size, shift, stride
        self._drop_remainder = drop_remainder

    def elements(self) -> Iterator[Any]:
        source, reach = self.source.elements(), (self._size - 1) * self._stride + 1
        specs = self.source.specs
        buffer: list[Any] = []
        while True:
            buffer += islice(source, reach - len(buffer))
            if not buffer or (self._drop_remainder and len(buffer) < reach):
                return
            members = buffer[:: self._stride]
            yield tuple([_Part(members, position, spec) for position, spec in enumerate(specs)])
            missing = self._shift - len(buffer)
            buffer = buffer[self._shift :]
            if missing > 0 and len(list(islice(source, missing))) < missing:
                return

    def size(self) -> int:
        size = self.source.size()
        if size < 0:
            return size
        reach = (self._size - 1) * self._stride + 1
        if self._drop_remainder:
            return 0 if size < reach else (size - reach) // self._shift + 1
        return -(-size // self._shift)


class ToRagged(Through):
    """Tensors of unknown sizes as ragged tensors, where the specs say so."""

    def elements(self) -> Iterator[Any]:
        for values in self.source.values():
            yield tuple([_to_ragged(spec, value) for spec, value in zip(self.specs, values, strict=True)])

    def size(self) -> int:
        return self.source.size()


def _to_ragged(spec: TypeSpec, value: Any) -> Any:
    if not isinstance(spec, RaggedTensorSpec) or not spec.ragged_rank or isinstance(value, RaggedTensor):
        return value
    tensor = EagerTensor(value, spec.dtype, NUMPY)
    return RaggedTensor.from_tensor(tensor, ragged_rank=spec.ragged_rank, row_splits_dtype=spec.row_splits_dtype)


def _ragged_spec(spec: Any, row_splits_dtype: Any) -> Any:
    if not isinstance(spec, TensorSpec) or spec.shape.rank is None or spec.shape.is_fully_defined():
        return spec
    ragged_rank = max(axis for axis, size in enumerate(spec.shape.as_list()) if size is None)
    return RaggedTensorSpec(spec.shape, spec.dtype, ragged_rank, row_splits_dtype)


class Batching(DatasetBase):
    """The methods of `Dataset` that stack elements, and cut them into rows."""

    def _batch_spec(self, size: Tensor, drop_remainder: Any) -> Any:
        static = static_size(size) if _is_true(drop_remainder) else None
        return nest.map_structure(lambda spec: batched_spec(spec, static), self.element_spec)

    def batch(
        self,
        batch_size: Any,
        drop_remainder: Any = False,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Returns elements stacked along a new first axis, `batch_size` at a time.

        Args:
            batch_size: How many, a scalar int64.
            drop_remainder: Whether to leave out the last batch if it is smaller.
            num_parallel_calls: Without effect.
            deterministic: Without effect.
            name: Without effect.

        Raises:
            InvalidArgumentError: The size is not positive; or, when they are stacked, elements differ in shape.
        """
        size = scalar_of(batch_size, int64, "batch_size")
        drop = _is_true(drop_remainder)
        kind = "_BatchDataset" if num_parallel_calls is None else "_ParallelBatchDataset"
        return build(kind, self._batch_spec(size, drop), lambda s, v: Batch(s[0], int(v[0]), drop), [self], [size])

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: Any = False,
        name: str | None = None,
    ) -> Dataset:
        """Returns elements of different sizes stacked, padded at their ends to one shape.

        Args:
            batch_size: How many, a scalar int64.
            padded_shapes: The shape of each part of an element; `None` or -1 for the largest size in the batch. By default
                the shapes that the elements are known to have.
            padding_values: What is put there, a scalar for each part of an element; by default 0, or an empty string.
            drop_remainder: Whether to leave out the last batch if it is smaller.
            name: Without effect.

        Raises:
            TypeError: There are other elements than tensors, or a padding value of another dtype.
            ValueError: A shape has another rank than the elements, or the rank is not known.
            InvalidArgumentError: When they are stacked, an element is larger than its padded shape.
        """
        specs = self._flat_specs()
        for spec in specs:
            if not isinstance(spec, (TensorSpec, NoneTensorSpec)):
                raise TypeError(
                    f"`padded_batch` is only supported for datasets that produce tensor elements, but there is {spec!r}."
                )
        size, drop = scalar_of(batch_size, int64, "batch_size"), _is_true(drop_remainder)
        if padded_shapes is None:
            shapes: list[Any] = [_known_shape(spec) for spec in specs]
        else:
            shapes = _leaves_like(self.element_spec, padded_shapes)
        sizes = [_padded_sizes(*item) for item in zip(specs, shapes, strict=True)]
        fillings = [_filling(spec, value) for spec, value in zip(specs, self._padding(padding_values), strict=True)]
        count, static = len(specs), static_size(size) if drop else None
        flat = [
            spec if isinstance(spec, NoneTensorSpec) else TensorSpec([static, *_static_sizes(item)], spec.dtype)  # type: ignore[attr-defined]
            for spec, item in zip(specs, sizes, strict=True)
        ]
        return build(
            "_PaddedBatchDataset",
            nest.pack_sequence_as(self.element_spec, flat),
            lambda s, v: PaddedBatch(s[0], int(v[0]), drop, v[1 : 1 + count], v[1 + count :]),
            [self],
            [size, *sizes, *fillings],
        )

    def _padding(self, values: Any) -> list[Any]:
        specs = self._flat_specs()
        if values is None or not nest.is_nested(values):
            return [values] * len(specs)
        return _leaves_like(self.element_spec, values)

    def ragged_batch(
        self, batch_size: Any, drop_remainder: Any = False, row_splits_dtype: Any = int64, name: str | None = None
    ) -> Dataset:
        """Returns elements of different sizes as ragged tensors, `batch_size` rows at a time.

        Parts of elements whose shapes are known are stacked as tensors.

        Args:
            batch_size: How many, a scalar int64.
            drop_remainder: Whether to leave out the last batch if it is smaller.
            row_splits_dtype: The dtype of the row splits, int64 or int32.
            name: Without effect.
        """
        splits = as_dtype(row_splits_dtype)
        spec = nest.map_structure(lambda spec: _ragged_spec(spec, splits), self.element_spec)
        ragged = build("_DenseToRaggedDataset", spec, lambda s, v: ToRagged(s[0]), [self])
        return ragged.batch(batch_size, drop_remainder)

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Dataset:
        """Returns tensors of different sizes as sparse tensors, `batch_size` at a time.

        Args:
            batch_size: How many, a scalar int64.
            row_shape: The shape of an element; `None` for the largest size in the batch.
            name: Without effect.

        Raises:
            TypeError: The elements are something else than one tensor.
        """
        spec = self.element_spec
        if not isinstance(spec, TensorSpec):
            raise TypeError(f"`sparse_batch` requires an input dataset whose elements are one tensor, not {spec!r}.")
        size, shape = scalar_of(batch_size, int64, "batch_size"), TensorShape(row_shape)
        sizes = np.array([-1 if item is None else item for item in shape.as_list()], np.int64)
        return build(
            "_DenseToSparseBatchDataset",
            SparseTensorSpec(TensorShape([None]).concatenate(shape), spec.dtype),
            lambda s, v: SparseBatch(s[0], int(v[0]), False, sizes),
            [self],
            [size],
        )

    def unbatch(self, name: str | None = None) -> Dataset:
        """Returns what is along the first axis of each element.

        Raises:
            ValueError: There is a scalar in the elements.
        """
        spec = nest.map_structure(row_spec, self.element_spec)
        return build("_UnbatchDataset", spec, lambda s, v: Unbatch(s[0]), [self])

    def rebatch(self, batch_size: Any, drop_remainder: Any = False, name: str | None = None) -> Dataset:
        """Returns the rows of the elements, stacked `batch_size` at a time.

        Args:
            batch_size: How many, a scalar int64; or a vector of sizes to be used in turn.
            drop_remainder: Whether to leave out the last batch if it is smaller.
            name: Without effect.

        Raises:
            ValueError: There is a scalar in the elements.
            InvalidArgumentError: A size is not positive.
        """
        if any(isinstance(item, TensorSpec) and item.shape.rank == 0 for item in self._flat_specs()):
            raise ValueError(
                "Invalid `batch_sizes`. Expected dataset with rank of >= 1 but found a dataset with scalar elements. Fix the "
                "issue by adding the `batch` transformation to the dataset."
            )
        sizes = normalized(np.asarray(batch_size, np.int64) if not isinstance(batch_size, Tensor) else batch_size)
        drop = _is_true(drop_remainder)
        known = np.ravel(hosted(sizes)).tolist() if isinstance(sizes, EagerTensor) else []
        each = known[0] if len(set(known)) == 1 else None

        def whole(item: Any) -> Any:
            rows = None if isinstance(item, NoneTensorSpec) or not item.shape.rank else item.shape[0]
            exact = each and (drop or (rows is not None and rows % each == 0))
            return batched_spec(row_spec(item), each if exact else None)

        spec = nest.map_structure(whole, self.element_spec)
        return build(
            "_RebatchDataset", spec, lambda s, v: Rebatch(s[0], np.ravel(v[0]).tolist(), drop), [self], [sizes]
        )

    def window(
        self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: Any = False, name: str | None = None
    ) -> Dataset:
        """Returns windows: datasets of `size` elements, in the structure of the elements a dataset for each part.

        Args:
            size: How many elements are in one.
            shift: How far one begins behind the one before, `size` by default.
            stride: How far its elements are apart.
            drop_remainder: Whether to leave out windows at the end that are smaller.
            name: Without effect.

        Raises:
            InvalidArgumentError: A number is not positive.
        """
        numbers = [
            scalar_of(item, int64, what)
            for item, what in ((size, "size"), (size if shift is None else shift, "shift"), (stride, "stride"))
        ]
        drop = _is_true(drop_remainder)
        spec = nest.map_structure(DatasetSpec, self.element_spec)
        return build("_WindowDataset", spec, lambda s, v: Window(s[0], drop, *map(int, v)), [self], numbers)


def _is_true(value: Any) -> bool:
    return bool(hosted(value)) if isinstance(value, Tensor) else bool(value)


def _known_shape(spec: Any) -> Any:
    """The shape to pad to where none is given.

    Raises:
        ValueError: The rank is not known.
    """
    if isinstance(spec, NoneTensorSpec):
        return []
    if spec.shape.rank is None:
        raise ValueError(
            f"You must provide `padded_shapes` argument because component with shape {spec.shape} has unknown rank."
        )
    return spec.shape


def _leaves_like(structure: Any, given: Any) -> list[Any]:
    """The leaves of something that has a structure, where a leaf may be a tuple or list (a shape)."""
    if isinstance(structure, dict):
        if not isinstance(given, dict) or set(given) != set(structure):
            raise ValueError(f"The two structures don't have the same keys: {structure} and {given}.")
        return [leaf for key in sorted(structure) for leaf in _leaves_like(structure[key], given[key])]
    if isinstance(structure, tuple):
        if not isinstance(given, (tuple, list)) or len(given) != len(structure):
            raise ValueError(f"The two structures don't have the same nested structure: {structure} and {given}.")
        return [leaf for item, part in zip(structure, given, strict=True) for leaf in _leaves_like(item, part)]
    return [given]


def _padded_sizes(spec: Any, shape: Any) -> Tensor:
    """A padded shape as a vector, -1 for what is not known."""
    if isinstance(shape, Tensor):
        return shape
    if hasattr(shape, "as_list"):
        shape = shape.as_list()
    given = list(np.ravel(shape)) if isinstance(shape, np.ndarray) else list(shape)
    if any(isinstance(size, Tensor) for size in given):
        from modtf.core.values.conversion import convert_to_tensor

        return convert_to_tensor([np.int64(-1) if size is None else size for size in given], dtype=int64)
    sizes = [-1 if size is None else int(size) for size in given]
    if isinstance(spec, TensorSpec):
        known = spec.shape.as_list() if spec.shape.rank is not None else sizes
        fits = len(known) == len(sizes) and all(
            size < 0 or item is None or item <= size for size, item in zip(sizes, known, strict=True)
        )
        if not fits:
            text = TensorShape([None if size < 0 else size for size in sizes])
            raise ValueError(
                f"The padded shape {text} is not compatible with the shape {spec.shape} of the corresponding input component."
            )
    made: Tensor = normalized(np.array(sizes, np.int64))
    return made


def _static_sizes(sizes: Tensor) -> list[int | None]:
    from modtf.core.engine.shape_rules import dims_from_value

    return list(dims_from_value(sizes) or ())


def _filling(spec: Any, value: Any) -> Any:
    if isinstance(spec, NoneTensorSpec):
        return normalized(0)
    if value is None:
        value = b"" if spec.dtype is string else spec.dtype.np_dtype.type(0)
    try:
        filling = scalar_of(value, spec.dtype, "padding_values")
    except ValueError as error:
        raise TypeError(
            f"Mismatched type between padding value {value!r} and input dataset's component: {error}"
        ) from None
    return filling
