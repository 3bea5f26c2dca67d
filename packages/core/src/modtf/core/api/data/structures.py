"""The structure of elements, and what is done with the tensors in it: kept on the host, stacked, cut into rows.

While a dataset computes, its elements are flat tuples of *hosted* values: NumPy arrays for tensors, composites of NumPy
tensors for composites, a `Stage` for a dataset, `None` for `None`. Which of these stands where, the specs say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine.binding import home
from modtf.core.engine.tracing import spec_of
from modtf.core.ops.control.iterators import on_host, unboxed
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import int64, variant
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.ragged import RaggedTensor, RaggedTensorSpec, RowPartition
from modtf.core.values.shapes import TensorShape
from modtf.core.values.sparse import SparseTensor, SparseTensorSpec
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor, SymbolicTensor, Tensor
from modtf.core.values.variables import Variable

# ------------------------------------------------------------------------------------------------- specs


class NoneTensorSpec(TypeSpec):
    """Describes `None` as a part of an element."""

    __slots__ = ()

    @property
    def component_specs(self) -> Sequence[Any]:
        return ()

    def to_components(self, value: Any) -> Sequence[Any]:
        return ()

    def from_components(self, components: Sequence[Any]) -> Any:
        return None

    def is_compatible_with(self, value: Any) -> bool:
        return value is None or isinstance(value, NoneTensorSpec)

    def is_subtype_of(self, other: Any) -> bool:
        return isinstance(other, NoneTensorSpec)

    def most_specific_compatible_type(self, other: Any) -> TypeSpec:
        if not isinstance(other, NoneTensorSpec):
            raise ValueError(f"No TypeSpec is compatible with both {self} and {other}.")
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoneTensorSpec)

    def __hash__(self) -> int:
        return hash(NoneTensorSpec)

    def __repr__(self) -> str:
        return "NoneTensorSpec()"


def has_symbol(structure: Any) -> bool:
    """Whether there is a tensor without a value in a structure, so that a dataset of it is one of a graph."""
    tracing = not contexts.executing_eagerly()
    leaves = nest.flatten(structure, expand_composites=True)
    return any(isinstance(leaf, SymbolicTensor) or (tracing and isinstance(leaf, Variable)) for leaf in leaves)


def normalized(structure: Any) -> Any:
    """Returns an element with tensors for all that is not tuple, dict, composite or `None`; a list is one tensor."""
    if has_symbol(structure):
        return _normalized(structure)
    with on_host():
        return _normalized(structure)


def _normalized(structure: Any) -> Any:
    if isinstance(structure, Mapping):
        made = {key: _normalized(structure[key]) for key in structure}
        return made if type(structure) is dict else type(structure)(made)  # type: ignore[call-arg]
    if isinstance(structure, tuple):
        parts = [_normalized(item) for item in structure]
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    if structure is None or isinstance(structure, (CompositeTensor, Tensor)):
        return structure
    return convert_to_tensor(structure)


def specs_of(structure: Any) -> Any:
    """Returns the structure with the specs of the tensors and composites in it."""
    return nest.map_structure(lambda leaf: NoneTensorSpec() if leaf is None else spec_of(leaf), structure)


def merged_specs(first: Any, second: Any) -> Any:
    """Returns the structure of the narrowest specs that take what either takes.

    Raises:
        TypeError: The structures, kinds or dtypes differ.
    """
    try:
        return nest.map_structure(lambda a, b: a.most_specific_compatible_type(b), first, second)
    except (ValueError, AttributeError):
        raise TypeError(f"Incompatible dataset elements:\n  {first} vs.   {second}") from None


def row_spec(spec: TypeSpec) -> TypeSpec:
    """Returns the spec of what is along the first axis.

    Raises:
        ValueError: There is no such axis.
        TypeError: Such values cannot be cut into rows.
    """
    if isinstance(spec, NoneTensorSpec):
        return spec
    if not isinstance(spec, (TensorSpec, RaggedTensorSpec, SparseTensorSpec)):
        raise TypeError(f"Elements of {spec!r} cannot be cut into rows.")
    if spec.shape.rank == 0:
        raise ValueError("Unbatching a tensor is only supported for rank >= 1")
    if isinstance(spec, SparseTensorSpec) and spec.shape.rank == 1:
        raise ValueError("Unbatching a sparse tensor is only supported for rank >= 2")
    rest = spec.shape[1:] if spec.shape.rank is not None else TensorShape(None)
    if isinstance(spec, SparseTensorSpec):
        return SparseTensorSpec(rest, spec.dtype)
    if isinstance(spec, RaggedTensorSpec) and spec.ragged_rank > 0:
        return spec.row_spec()
    return TensorSpec(rest, spec.dtype)


def batched_spec(spec: TypeSpec, count: int | None) -> TypeSpec:
    """Returns the spec of several values stacked along a new first axis.

    Raises:
        TypeError: Such values cannot be stacked.
    """
    if isinstance(spec, NoneTensorSpec):
        return spec
    if isinstance(spec, TensorSpec):
        return TensorSpec(TensorShape([count]).concatenate(spec.shape), spec.dtype)
    if isinstance(spec, SparseTensorSpec):
        return SparseTensorSpec(TensorShape([count]).concatenate(spec.shape), spec.dtype)
    if isinstance(spec, RaggedTensorSpec):
        shape = TensorShape([count]).concatenate(spec.shape)
        return RaggedTensorSpec(shape, spec.dtype, spec.ragged_rank + 1, spec.row_splits_dtype)
    raise TypeError(f"Elements of {spec!r} cannot be batched.")


def is_dense(spec: TypeSpec) -> bool:
    """Whether such values are hosted as one array."""
    return isinstance(spec, TensorSpec) or (isinstance(spec, RaggedTensorSpec) and spec.ragged_rank == 0)


# ------------------------------------------------------------------------------------------------- hosted values


def hosted(value: Any) -> Any:
    """Returns a value as a dataset keeps it."""
    if value is None:
        return None
    if isinstance(value, EagerTensor):
        return value.on(NUMPY)
    if hasattr(value, "hosted_stage"):
        return value.hosted_stage()
    parts = nest.flatten(value, expand_composites=True)
    if all(part.backend is NUMPY for part in parts):
        return value
    moved = [EagerTensor(part.on(NUMPY), part.dtype, NUMPY) for part in parts]
    return nest.pack_sequence_as(value.type_spec, moved, expand_composites=True)


def given_out(spec: TypeSpec, value: Any) -> Any:
    """Returns a hosted value as a tensor (or composite) of the current backend."""
    backend = contexts.current().backend
    if backend is None:
        from modtf.core.backends.selection import default_backend

        backend = default_backend()
    if isinstance(spec, (TensorSpec, RaggedTensorSpec)) and not isinstance(value, RaggedTensor):
        place = home(backend, spec.dtype)
        return EagerTensor(value if place is NUMPY else place.from_numpy(np.asarray(value)), spec.dtype, place)
    if value is None:
        return None
    if hasattr(spec, "from_stage"):
        return spec.from_stage(value)
    if backend is NUMPY:
        return value
    parts = []
    for part in nest.flatten(value, expand_composites=True):
        place = home(backend, part.dtype)
        parts.append(part if place is NUMPY else EagerTensor(place.from_numpy(part.array), part.dtype, place))
    return nest.pack_sequence_as(value.type_spec, parts, expand_composites=True)


def components(specs: Sequence[TypeSpec], values: Iterable[Any]) -> list[Any]:
    """Returns the arrays that hosted values consist of."""
    arrays: list[Any] = []
    for spec, value in zip(specs, values, strict=True):
        if is_dense(spec) or hasattr(spec, "from_stage"):
            arrays.append(value)
        elif value is not None:
            arrays += [part.array for part in nest.flatten(spec.to_components(value), expand_composites=True)]
    return arrays


def from_components(specs: Sequence[TypeSpec], arrays: Iterator[Any]) -> tuple[Any, ...]:
    """Returns the hosted values that consist of the arrays."""
    values = []
    for spec in specs:
        if is_dense(spec):
            values.append(next(arrays))
        elif hasattr(spec, "from_stage"):
            values.append(unboxed(next(arrays)))
        else:
            parts = nest.flatten(spec, expand_composites=True)
            tensors = [EagerTensor(next(arrays), part.dtype, NUMPY) for part in parts]
            values.append(nest.pack_sequence_as(spec, tensors, expand_composites=True))
    return tuple(values)


# ------------------------------------------------------------------------------------------------- rows


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.on(NUMPY))


def row_count(value: Any) -> int | None:
    """Returns how many rows a hosted value has; `None` of `None`."""
    if value is None:
        return None
    if isinstance(value, SparseTensor):
        return int(_array(value.dense_shape)[0])
    if isinstance(value, RaggedTensor):
        return int(_array(value.nrows()))
    if not np.ndim(value):
        raise InvalidArgumentError("Input element must have at least one dimension to be cut into rows.")
    return int(value.shape[0])


def row_of(value: Any, index: int) -> Any:
    """Returns the row with a number."""
    if isinstance(value, np.ndarray):
        return value[index, ...]
    if value is None:
        return None
    if isinstance(value, SparseTensor):
        places, values = _array(value.indices), _array(value.values)
        chosen = places[:, 0] == index
        return sparse_of(places[chosen, 1:], values[chosen], _array(value.dense_shape)[1:], value.dtype)
    return hosted(value[index])


def rows_of(spec: TypeSpec, value: Any, indices: Sequence[int]) -> Any:
    """Returns the rows with several numbers, stacked; `spec` is that of one row."""
    if value is None:
        return None
    if isinstance(value, SparseTensor):
        return stacked(spec, [row_of(value, index) for index in indices], 0)
    first, count = indices[0], len(indices)
    run = indices[-1] - first == count - 1 and list(indices) == list(range(first, first + count))
    if isinstance(value, np.ndarray):
        return value[first : first + count] if run else value.take(indices, axis=0)
    if run:
        return value[first : first + count]
    from modtf.core.api.ragged.indexing import gather_rows

    return gather_rows(value, EagerTensor(np.asarray(indices, np.int64), int64, NUMPY))


def sparse_of(indices: np.ndarray, values: np.ndarray, dense_shape: np.ndarray, dtype: Any) -> SparseTensor:
    """Returns a sparse tensor with NumPy's arrays as its parts."""
    return SparseTensor(
        EagerTensor(np.ascontiguousarray(indices, np.int64), int64, NUMPY),
        EagerTensor(values, dtype, NUMPY),
        EagerTensor(np.ascontiguousarray(dense_shape, np.int64), int64, NUMPY),
    )


def stacked(spec: TypeSpec, values: Sequence[Any], component: int) -> Any:
    """Returns several hosted values along a new first axis.

    Args:
        spec: The spec of one.
        values: The values.
        component: Which part of the elements they are, for the message.

    Raises:
        InvalidArgumentError: Their shapes differ.
    """
    if isinstance(spec, NoneTensorSpec):
        return None
    if isinstance(spec, TensorSpec):
        return _stacked_arrays(spec, values, component)
    if isinstance(spec, SparseTensorSpec):
        return _stacked_sparse(values)
    assert isinstance(spec, RaggedTensorSpec)
    if spec.ragged_rank:
        return spec.stack(values)
    lengths = [len(value) for value in values]
    splits = np.concatenate([[0], np.cumsum(lengths)]).astype(spec.row_splits_dtype.np_dtype)
    try:
        flat = np.concatenate(values)
    except ValueError as error:
        raise InvalidArgumentError(
            f"Cannot batch tensors into a ragged one in component {component}: {error}."
        ) from None
    partition = RowPartition(EagerTensor(splits, spec.row_splits_dtype, NUMPY))
    return RaggedTensor(EagerTensor(flat, spec.dtype, NUMPY), partition)


def _stacked_arrays(spec: TensorSpec, values: Sequence[Any], component: int) -> np.ndarray:
    if spec.dtype is variant:
        boxed = np.empty(len(values), object)
        boxed[:] = [unboxed(value) for value in values]
        return boxed
    first = np.shape(values[0])
    for index, value in enumerate(values):
        if np.shape(value) != first:
            raise InvalidArgumentError(
                f"Cannot batch tensors with different shapes in component {component}. First element had shape "
                f"{list(first)} and element {index} had shape {list(np.shape(value))}. Use padded_batch or ragged_batch."
            )
    if not first:
        return np.array([item[()] for item in values], spec.dtype.np_dtype)
    return np.stack(values)


def _stacked_sparse(values: Sequence[SparseTensor]) -> SparseTensor:
    places = [_array(value.indices) for value in values]
    numbers = np.repeat(np.arange(len(values)), [len(item) for item in places])
    shapes = np.max([_array(value.dense_shape) for value in values], axis=0)
    return sparse_of(
        np.concatenate([numbers[:, None], np.concatenate(places)], axis=1),
        np.concatenate([_array(value.values) for value in values]),
        np.concatenate([[len(values)], shapes]),
        values[0].dtype,
    )
