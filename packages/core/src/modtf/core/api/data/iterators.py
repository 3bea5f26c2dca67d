"""Iterators over datasets, and optional values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.api.data import structures
from modtf.core.api.data.base import DatasetBase
from modtf.core.api.data.elements import values_of
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.ops.control.iterators import IteratorResource, unboxed
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import resource, variant
from modtf.core.values.errors import InvalidArgumentError, OperatorNotAllowedInGraphError, OutOfRangeError
from modtf.core.values.ragged import RaggedTensor
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor, Tensor

_ENDLESS = 5000
"""More calls of `next` than that in one trace are taken for a Python loop that does not end."""


def _attributes(element_spec: Any) -> dict[str, Any]:
    parts = nest.flatten(element_spec, expand_composites=True)
    return {"output_types": [part.dtype for part in parts], "output_shapes": [part.shape for part in parts]}


def _packed(element_spec: Any, tensors: Any) -> Any:
    leaves = tensors if isinstance(tensors, (list, tuple)) else [tensors]
    return nest.pack_sequence_as(element_spec, leaves, expand_composites=True)


class IteratorSpec(TypeSpec):
    """Describes an iterator.

    Args:
        element_spec: The specs of the elements.
    """

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @classmethod
    def from_value(cls, value: Any) -> IteratorSpec:
        """Returns the spec of an iterator."""
        return cls(value.element_spec)

    @property
    def element_spec(self) -> Any:
        """The specs of the elements."""
        return self._element_spec

    @property
    def value_type(self) -> type:
        """`Iterator`."""
        return Iterator

    @property
    def component_specs(self) -> Sequence[Any]:
        return [TensorSpec((), resource)]

    def to_components(self, value: Any) -> Sequence[Any]:
        return [value._handle]

    def from_components(self, components: Sequence[Any]) -> Any:
        return Iterator._of(components[0], self._element_spec)

    def is_compatible_with(self, value: Any) -> bool:
        """Whether an iterator (or another spec) has elements that fit."""
        spec = value if isinstance(value, IteratorSpec) else getattr(value, "type_spec", None)
        return isinstance(spec, IteratorSpec) and spec.is_subtype_of(self)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all iterators that fit this spec fit `other`."""
        return isinstance(other, IteratorSpec) and self._element_spec == other._element_spec

    def most_specific_compatible_type(self, other: Any) -> IteratorSpec:
        """Returns this spec, if `other` equals it.

        Raises:
            ValueError: It does not.
        """
        if self != other:
            raise ValueError(f"No IteratorSpec is compatible with both {self} and {other}.")
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IteratorSpec) and self._element_spec == other._element_spec

    def __hash__(self) -> int:
        return hash(tuple(nest.flatten(self._element_spec)))

    def __repr__(self) -> str:
        return f"IteratorSpec({self._element_spec!r})"


class Iterator(CompositeTensor):
    """A place in a dataset, from which the elements are taken one after the other; `iter(dataset)` makes one.

    Passed to a function, it stays the same iterator: `next(iterator)` inside takes the next element at each call.
    """

    def __init__(self, dataset: DatasetBase | None = None) -> None:
        if dataset is None:
            raise TypeError("An iterator is made by iter(dataset).")
        element_spec = dataset.element_spec
        if contexts.executing_eagerly():
            handle: Tensor = EagerTensor(IteratorResource(dataset.hosted_stage()), resource, NUMPY)
        else:
            handle = raw.AnonymousIteratorV3(**_attributes(element_spec))
            raw.MakeIterator(dataset._variant_tensor, handle)
        self._set_up(handle, element_spec)

    @classmethod
    def _of(cls, handle: Tensor, element_spec: Any) -> Iterator:
        made = cls.__new__(cls)
        made._set_up(handle, element_spec)
        return made

    def _set_up(self, handle: Tensor, element_spec: Any) -> None:
        self._handle = handle
        self._element_spec = element_spec
        self._specs = nest.flatten(element_spec)
        self._calls_in_graph = 0
        self._single = self._specs[0] is element_spec if self._specs else False

    @property
    def element_spec(self) -> Any:
        """The specs of the elements, in their structure."""
        return self._element_spec

    @property
    def type_spec(self) -> IteratorSpec:
        return IteratorSpec(self._element_spec)

    def trackable_children(self) -> dict[str, Any]:
        """What saving follows: nothing but the iterator itself, whose position checkpoints keep."""
        return {}

    _checkpoint_attribute = "ITERATOR_POSITION"

    def _serialize_to_tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps: how many elements were taken."""
        return {"": convert_to_tensor(np.int64(self._resource().taken))}

    def _restore_from_tensors(self, restored_tensors: dict[str, Tensor]) -> None:
        """Begins anew and takes as many elements as had been taken; so what comes next depends on the dataset's order."""
        held = self._resource()
        assert held.dataset is not None
        held.start(held.dataset)
        for _ in range(int(restored_tensors[""])):  # type: ignore[call-overload]
            held.next()

    def _resource(self) -> IteratorResource:
        assert isinstance(self._handle, EagerTensor)
        found: IteratorResource = unboxed(self._handle.array)
        return found

    def __iter__(self) -> Iterator:
        return self

    def __autograph_iterator__(self) -> Iterator:
        """Returns what a loop in a function takes the elements from."""
        return self

    def __next__(self) -> Any:
        if not contexts.executing_eagerly() or not isinstance(self._handle, EagerTensor):
            return self._next_in_graph()
        values = values_of(self._handle.array.next())
        if self._single:
            return structures.given_out(self._specs[0], values[0])
        leaves = [structures.given_out(spec, value) for spec, value in zip(self._specs, values, strict=True)]
        return (
            tuple(leaves)
            if type(self._element_spec) is tuple
            and len(self._element_spec) == len(leaves)
            and all(map(_is_spec, self._element_spec))
            else nest.pack_sequence_as(self._element_spec, leaves)
        )

    def _next_in_graph(self) -> Any:
        self._calls_in_graph += 1
        if self._calls_in_graph > _ENDLESS:
            raise OperatorNotAllowedInGraphError(
                "While a function is traced, a dataset has no end that Python could see. Loop over it by a for statement in a "
                "function that AutoGraph rewrites, or by dataset.reduce."
            )
        tensors = raw.IteratorGetNext(self._handle, **_attributes(self._element_spec))
        return _packed(self._element_spec, tensors)

    def get_next(self) -> Any:
        """Returns the next element.

        Raises:
            OutOfRangeError: There is none.
        """
        try:
            return next(self)
        except StopIteration:
            raise OutOfRangeError("End of sequence") from None

    def get_next_as_optional(self) -> Optional:
        """Returns the next element as an optional, which has no value at the end."""
        optional = raw.IteratorGetNextAsOptional(self._handle, **_attributes(self._element_spec))
        return Optional(optional, self._element_spec)


def _is_spec(item: Any) -> bool:
    return isinstance(item, TypeSpec)


class NumpyIterator:
    """An iterator over a dataset's elements with NumPy arrays in them.

    Args:
        dataset: The dataset.

    Raises:
        RuntimeError: A function is being traced.
        TypeError: There are datasets or the like in the elements.
    """

    def __init__(self, dataset: DatasetBase) -> None:
        if not contexts.executing_eagerly():
            raise RuntimeError("`tf.data.Dataset.as_numpy_iterator()` is only supported in eager mode.")
        for spec in nest.flatten(dataset.element_spec):
            kinds = (TensorSpec, structures.RaggedTensorSpec, structures.SparseTensorSpec, structures.NoneTensorSpec)
            if not isinstance(spec, kinds):
                raise TypeError(
                    "`tf.data.Dataset.as_numpy_iterator()` is not supported for datasets that produce values of type "
                    f"{getattr(spec, 'value_type', type(spec))}"
                )
        self._iterator = iter(dataset)

    def __iter__(self) -> NumpyIterator:
        return self

    def __next__(self) -> Any:
        return nest.map_structure(_as_numpy, next(self._iterator))


def _as_numpy(value: Any) -> Any:
    if isinstance(value, SparseTensor):
        dense = raw.SparseToDense(value.indices, value.dense_shape, value.values, _zero(value))
        return dense.numpy()
    if isinstance(value, (EagerTensor, RaggedTensor)):
        return value.numpy()
    return value


def _zero(value: SparseTensor) -> Any:
    return "" if value.dtype.name == "string" else value.dtype.np_dtype.type(0)


def single_element(dataset: DatasetBase) -> Any:
    """Returns a dataset's only element.

    Raises:
        InvalidArgumentError: There is none, or more than one.
    """
    iterator = iter(dataset)
    if not contexts.executing_eagerly():
        return next(iterator)
    try:
        element = next(iterator)
    except StopIteration:
        raise InvalidArgumentError("Dataset was empty.") from None
    if next(iterator, iterator) is not iterator:
        raise InvalidArgumentError("Dataset had more than one element.")
    return element


# ------------------------------------------------------------------------------------------------- optionals


class OptionalSpec(TypeSpec):
    """Describes an optional.

    Args:
        element_spec: The specs of its value.
    """

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @classmethod
    def from_value(cls, value: Any) -> OptionalSpec:
        """Returns the spec of an optional."""
        return cls(value.element_spec)

    @property
    def element_spec(self) -> Any:
        """The specs of the value."""
        return self._element_spec

    @property
    def value_type(self) -> type:
        """`Optional`."""
        return Optional

    @property
    def component_specs(self) -> Sequence[Any]:
        return [TensorSpec((), variant)]

    def to_components(self, value: Any) -> Sequence[Any]:
        return [value._variant_tensor]

    def from_components(self, components: Sequence[Any]) -> Any:
        return Optional(components[0], self._element_spec)

    def is_compatible_with(self, value: Any) -> bool:
        """Whether an optional (or another spec) has a value that fits."""
        spec = value if isinstance(value, OptionalSpec) else getattr(value, "type_spec", None)
        return isinstance(spec, OptionalSpec) and spec.is_subtype_of(self)

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all optionals that fit this spec fit `other`."""
        return isinstance(other, OptionalSpec) and self._element_spec == other._element_spec

    def most_specific_compatible_type(self, other: Any) -> OptionalSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            ValueError: `other` is of another kind.
        """
        if not isinstance(other, OptionalSpec):
            raise ValueError(f"No OptionalSpec is compatible with both {self} and {other}.")
        return OptionalSpec(structures.merged_specs(self._element_spec, other._element_spec))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OptionalSpec) and self._element_spec == other._element_spec

    def __hash__(self) -> int:
        return hash(tuple(nest.flatten(self._element_spec)))

    def __repr__(self) -> str:
        return f"OptionalSpec({self._element_spec!r})"


class Optional(CompositeTensor):
    """A value that may be missing; `from_value` and `empty` make one."""

    def __init__(self, variant_tensor: Any, element_spec: Any) -> None:
        self._variant_tensor = variant_tensor
        self._element_spec = element_spec

    @staticmethod
    def from_value(value: Any) -> Optional:
        """Returns an optional that has a value.

        Args:
            value: A structure of tensors and composite tensors.
        """
        structure = structures.normalized(value)
        tensors = nest.flatten(structure, expand_composites=True)
        return Optional(raw.OptionalFromValue(tensors), structures.specs_of(structure))

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """Returns an optional without a value.

        Args:
            element_spec: The specs that its value would have.
        """
        return Optional(raw.OptionalNone(), element_spec)

    @property
    def element_spec(self) -> Any:
        """The specs of the value."""
        return self._element_spec

    @property
    def type_spec(self) -> OptionalSpec:
        return OptionalSpec(self._element_spec)

    def has_value(self, name: str | None = None) -> Tensor:
        """Returns whether there is a value, a scalar bool."""
        return raw.OptionalHasValue(self._variant_tensor, name=name)

    def get_value(self, name: str | None = None) -> Any:
        """Returns the value.

        Raises:
            InvalidArgumentError: There is none.
        """
        tensors = raw.OptionalGetValue(self._variant_tensor, **_attributes(self._element_spec), name=name)
        return _packed(self._element_spec, tensors)
