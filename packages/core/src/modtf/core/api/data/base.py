"""What all datasets are: a description of elements, and a stage that computes them or a tensor that stands for one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Iterator as PythonIterator
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.api.data import structures
from modtf.core.api.data.elements import values_of
from modtf.core.api.data.options import Options
from modtf.core.api.data.structures import hosted
from modtf.core.backends.numpy import NUMPY
from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.engine.execution import execute
from modtf.core.engine.shape_rules import scalar
from modtf.core.engine.vocabulary import Op
from modtf.core.ops.control.iterators import on_host, unboxed
from modtf.core.values import nest
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.dtypes import variant
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import EagerTensor, Tensor

if TYPE_CHECKING:
    from modtf.core.api.data.dataset import Dataset
    from modtf.core.api.data.iterators import Iterator, NumpyIterator

AUTOTUNE = -1
INFINITE = -1
UNKNOWN = -2


class Stage:
    """One stage of a dataset's computation. It never changes; each pass over it has its state to itself.

    Attributes:
        element_spec: The specs of its elements, in their structure.
        specs: The same, flat.
        kind: What the dataset is called.
    """

    element_spec: Any
    specs: Sequence[TypeSpec]
    kind: str

    def elements(self) -> PythonIterator[Any]:
        """Begins a pass over the elements (see `elements`)."""
        raise NotImplementedError

    def size(self) -> int:
        """How many elements there are, as far as that is known without computing them."""
        return UNKNOWN

    def components(self, element: Any) -> list[Any]:
        """Returns the arrays that an element consists of."""
        return structures.components(self.specs, values_of(element))

    def values(self) -> PythonIterator[tuple[Any, ...]]:
        """Begins a pass over the elements' hosted values."""
        return map(values_of, self.elements())


class Through(Stage):
    """A stage that takes another's elements."""

    def __init__(self, source: Stage) -> None:
        self.source = source


Make = Callable[[Sequence[Any], Sequence[np.ndarray]], Stage]
"""From the stages of other datasets and the arrays of tensors to a stage."""


class _Recipe:
    """What makes a dataset's stage: in a graph, an attribute of the node that does so."""

    def __init__(self, make: Make, count: int, element_spec: Any, kind: str) -> None:
        self._make = make
        self._count = count
        self._spec = element_spec
        self._kind = kind

    def __call__(self, arrays: Sequence[Any]) -> Stage:
        """Returns the stage of the sources (the first arrays hold their stages) and the tensors after them."""
        with on_host():
            stage = self._make([unboxed(item) for item in arrays[: self._count]], arrays[self._count :])
        stage.element_spec, stage.specs, stage.kind = self._spec, nest.flatten(self._spec), self._kind
        return stage


_NODE = Op(
    "Dataset[*Tin](inputs: Tin, *, recipe: func) -> (handle: variant)",
    kernel=lambda xp, inputs, *, recipe: recipe(inputs),
    shape=scalar,
    host_only=True,
    stateful=True,
    prunable=True,
)
"""Makes a dataset in a graph. It holds Python code, as nodes of `py_function` do, and belongs to this process."""
_NODE.gradient(None)


def build(
    kind: str, element_spec: Any, make: Make, sources: Sequence[DatasetBase] = (), values: Sequence[Any] = ()
) -> Dataset:
    """Makes a dataset; where it is made of tensors without a value, a node that makes it.

    Args:
        kind: What it is called.
        element_spec: The specs of its elements.
        make: What makes its stage of those of the sources and the arrays of the values.
        sources: The datasets that it takes elements from.
        values: Tensors that it is made with.
    """
    from modtf.core.api.data.dataset import Dataset

    recipe = _Recipe(make, len(sources), element_spec, kind)
    tensors = [*(source._variant_tensor for source in sources), *values]
    if all(isinstance(tensor, EagerTensor) for tensor in tensors):
        handle: Tensor = EagerTensor(recipe([hosted(tensor) for tensor in tensors]), variant, NUMPY)
    else:
        handle = execute(_NODE, tensors, (recipe,), kind.lstrip("_"))
    made = Dataset(handle, element_spec, kind)
    for source in sources:
        made._options = made._options.merge(source._options)
    return made


class DatasetSpec(TypeSpec):
    """Describes a dataset.

    Args:
        element_spec: The specs of its elements.
        dataset_shape: `()`: there are no arrays of datasets.
    """

    __slots__ = ("_element_spec",)

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self._element_spec = element_spec

    @classmethod
    def from_value(cls, value: Any) -> DatasetSpec:
        """Returns the spec of a dataset."""
        return cls(value.element_spec)

    @property
    def element_spec(self) -> Any:
        """The specs of the elements."""
        return self._element_spec

    @property
    def value_type(self) -> type:
        """`Dataset`."""
        from modtf.core.api.data.dataset import Dataset

        return Dataset

    @property
    def component_specs(self) -> Sequence[Any]:
        return [TensorSpec((), variant)]

    def to_components(self, value: Any) -> Sequence[Any]:
        return [value._variant_tensor]

    def from_components(self, components: Sequence[Any]) -> Any:
        from modtf.core.api.data.dataset import Dataset

        return Dataset(components[0], self._element_spec)

    def from_stage(self, stage: Stage) -> Any:
        """Returns the dataset that a stage computes."""
        return self.from_components([EagerTensor(stage, variant, NUMPY)])

    def is_compatible_with(self, value: Any) -> bool:
        """Whether a dataset (or another spec) has elements that fit."""
        spec = value if isinstance(value, DatasetSpec) else getattr(value, "type_spec", None)
        return isinstance(spec, DatasetSpec) and self._fits(
            lambda mine, other: mine.is_compatible_with(other), self._element_spec, spec._element_spec
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Whether all datasets that fit this spec fit `other`."""
        return isinstance(other, DatasetSpec) and self._fits(
            lambda mine, theirs: type(mine) is type(theirs) and mine.is_subtype_of(theirs),
            self._element_spec,
            other._element_spec,
        )

    @staticmethod
    def _fits(test: Callable[[Any, Any], bool], first: Any, second: Any) -> bool:
        try:
            nest.assert_same_structure(first, second)
        except ValueError:
            return False
        return all(map(test, nest.flatten(first), nest.flatten(second)))

    def most_specific_compatible_type(self, other: Any) -> DatasetSpec:
        """Returns the narrowest spec that takes what either takes.

        Raises:
            TypeError: The elements have different structures, kinds or dtypes.
        """
        if not isinstance(other, DatasetSpec):
            raise ValueError(f"No DatasetSpec is compatible with both {self} and {other}.")
        return DatasetSpec(structures.merged_specs(self._element_spec, other._element_spec))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSpec) and self._element_spec == other._element_spec

    def __hash__(self) -> int:
        return hash(tuple(nest.flatten(self._element_spec)))

    def __repr__(self) -> str:
        return f"DatasetSpec({self._element_spec!r}, TensorShape([]))"


class DatasetBase(CompositeTensor):
    """The part of `Dataset` that does not depend on how it was made."""

    def __init__(self, variant_tensor: Any, element_spec: Any, kind: str = "_VariantDataset") -> None:
        self._variant_tensor: Tensor = variant_tensor
        self._element_spec = element_spec
        self._kind = kind
        self._options = Options()

    @property
    def element_spec(self) -> Any:
        """The specs of the elements, in their structure."""
        return self._element_spec

    @property
    def type_spec(self) -> DatasetSpec:
        return DatasetSpec(self.element_spec)

    def hosted_stage(self) -> Stage:
        """Returns what computes its elements; only of a dataset with a value."""
        stage: Stage = unboxed(hosted(self._variant_tensor))
        return stage

    def _flat_specs(self) -> list[TypeSpec]:
        return nest.flatten(self._element_spec)

    def __iter__(self) -> Iterator:
        from modtf.core.api.data.iterators import Iterator

        return Iterator(self)

    def __autograph_iterator__(self) -> Iterator:
        """Returns what a loop in a function takes the elements from."""
        return iter(self)

    def __bool__(self) -> bool:
        return True

    __nonzero__ = __bool__

    def __len__(self) -> int:
        """How many elements there are.

        Raises:
            TypeError: They never end, or it is not known; or a function is being traced.
        """
        if not contexts.executing_eagerly():
            raise TypeError(
                "`tf.data.Dataset` only supports `len` in eager mode. Use `tf.data.Dataset.cardinality()` instead."
            )
        size = self.hosted_stage().size()
        if size == INFINITE:
            raise TypeError("The dataset is infinite.")
        if size == UNKNOWN:
            raise TypeError("The dataset length is unknown.")
        return size

    def cardinality(self) -> Tensor:
        """Returns how many elements there are, a scalar int64: -1 if they never end, -2 if that is not known."""
        return raw.DatasetCardinality(self._variant_tensor)

    def as_numpy_iterator(self) -> NumpyIterator:
        """Returns an iterator over the elements with NumPy arrays in them.

        Raises:
            RuntimeError: A function is being traced.
        """
        from modtf.core.api.data.iterators import NumpyIterator

        return NumpyIterator(self)

    def get_single_element(self, name: str | None = None) -> Any:
        """Returns the only element.

        Raises:
            InvalidArgumentError: There is none, or more than one.
        """
        from modtf.core.api.data.iterators import single_element

        return single_element(self)

    def options(self) -> Options:
        """Returns the options of this dataset and of all that it is made of."""
        return self._options

    def __repr__(self) -> str:
        return f"<{self._kind} element_spec={self.element_spec}>"

    __str__ = __repr__

    def __debug_string__(self) -> str:
        """Returns a text with the stages that it consists of, the first one first."""
        lines: list[str] = []
        stage: Any = self.hosted_stage()
        while isinstance(stage, Stage):
            lines.append(stage.kind.lstrip("_"))
            stage = getattr(stage, "source", None)
        return " -> ".join(reversed(lines))


def static_size(tensor: Tensor) -> int | None:
    """Returns a scalar's value, if it has one."""
    return int(np.asarray(hosted(tensor))) if isinstance(tensor, EagerTensor) else None
