"""`TensorArray`: tensors under the numbers 0, 1, 2, ..., written one at a time, also in loops on tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import context as contexts
from modtf.core.engine import raw
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, as_dtype, int32, variant
from modtf.core.values.shapes import TensorShape
from modtf.core.values.specs import TensorSpec, TypeSpec
from modtf.core.values.tensors import Tensor

__all__ = ["TensorArray", "TensorArraySpec"]


class TensorArraySpec(TypeSpec):
    """Describes a `TensorArray`.

    Args:
        element_shape: The shape that every element fits.
        dtype: The elements' dtype.
        dynamic_size: Whether writing beyond its end makes it longer.
        infer_shape: Whether all elements have one shape.
    """

    __slots__ = ("dtype", "dynamic_size", "infer_shape", "shape")

    def __init__(
        self, element_shape: Any = None, dtype: Any = "float32", dynamic_size: bool = False, infer_shape: bool = True
    ) -> None:
        self.shape = TensorShape(element_shape)
        self.dtype = as_dtype(dtype)
        self.dynamic_size = dynamic_size
        self.infer_shape = infer_shape

    @classmethod
    def from_value(cls, value: TensorArray) -> TensorArraySpec:
        """Returns the spec of a tensor array."""
        return cls(value.element_shape, value.dtype, value.dynamic_size, value._infer_shape)

    @property
    def value_type(self) -> type:
        """`TensorArray`."""
        return TensorArray

    @property
    def component_specs(self) -> Sequence[Any]:
        return [TensorSpec((), variant)]

    def to_components(self, value: Any) -> Sequence[Any]:
        return [value.flow]

    def from_components(self, components: Sequence[Any]) -> Any:
        made = TensorArray.__new__(TensorArray)
        made._set_up(components[0], self.dtype, self.shape, self.dynamic_size, self.infer_shape)
        return made

    def _facts(self) -> tuple[Any, ...]:
        return (self.shape.dims, self.dtype, self.dynamic_size, self.infer_shape)

    def is_compatible_with(self, value: Any) -> bool:
        spec = value if isinstance(value, TypeSpec) else getattr(value, "type_spec", None)
        return (
            isinstance(spec, TensorArraySpec)
            and spec.dtype is self.dtype
            and spec.dynamic_size == self.dynamic_size
            and self.shape.is_compatible_with(spec.shape)
        )

    def is_subtype_of(self, other: Any) -> bool:
        return (
            isinstance(other, TensorArraySpec)
            and self.dtype is other.dtype
            and self.dynamic_size == other.dynamic_size
            and self.shape.is_subtype_of(other.shape)
        )

    def most_specific_compatible_type(self, other: Any) -> TensorArraySpec:
        if not isinstance(other, TensorArraySpec) or self.dtype is not other.dtype:
            raise ValueError(f"No TensorArraySpec is compatible with both {self} and {other}.")
        shape = self.shape.most_specific_compatible_shape(other.shape)
        return TensorArraySpec(shape, self.dtype, self.dynamic_size, self.infer_shape and other.infer_shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorArraySpec) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        return (
            f"TensorArraySpec({self.shape!r}, {self.dtype!r}, dynamic_size={self.dynamic_size}, "
            f"infer_shape={self.infer_shape})"
        )


class TensorArray(CompositeTensor):
    """A list of tensors of one dtype, read and written by their numbers.

    Always use what `write` and the like return: in a function, the array itself stays as it was.

    Args:
        dtype: The elements' dtype.
        size: How many elements it has; needed unless `dynamic_size`.
        dynamic_size: Whether writing beyond its end makes it longer.
        clear_after_read: Without effect: what was read can be read again.
        tensor_array_name: Without effect.
        handle: Must be `None`.
        flow: The list (a scalar of dtype `variant`) that it shall hold.
        infer_shape: Whether all elements must have one shape.
        element_shape: The shape that every element fits.
        colocate_with_first_write_call: Without effect.
        name: A name for the node.

    Raises:
        ValueError: Neither `size` nor `dynamic_size` nor `flow` is given.
    """

    __slots__ = ("_dynamic_size", "_flow", "_infer_shape", "_shape", "dtype")

    dtype: DType

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Any = None,
        flow: Any = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        if handle is not None:
            raise ValueError("handle must be None: TensorArrays are values, not resources. Pass flow instead.")
        shape = TensorShape(element_shape)
        if flow is None:
            if size is None and not dynamic_size:
                raise ValueError("A TensorArray needs its size unless dynamic_size=True.")
            flow = raw.TensorListReserve(
                _sizes(shape), convert_to_tensor(size or 0, dtype=int32) if not isinstance(size, Tensor) else size,
                element_dtype=dtype, name=name,
            )  # fmt: skip
        self._set_up(flow, as_dtype(dtype), shape, bool(dynamic_size), infer_shape)

    def _set_up(self, flow: Tensor, dtype: DType, shape: TensorShape, dynamic_size: bool, infer_shape: bool) -> None:
        self._flow = flow
        self.dtype = dtype
        self._shape = shape
        self._dynamic_size = dynamic_size
        self._infer_shape = infer_shape

    @property
    def type_spec(self) -> TensorArraySpec:
        return TensorArraySpec(self._shape, self.dtype, self._dynamic_size, self._infer_shape)

    @property
    def flow(self) -> Tensor:
        """The list that it holds."""
        return self._flow

    @property
    def handle(self) -> None:
        """`None`: there is no resource behind it."""
        return None

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the elements' shape."""
        return self._shape

    @property
    def dynamic_size(self) -> bool:
        """Whether writing beyond its end makes it longer."""
        return self._dynamic_size

    def _with(self, flow: Tensor, shape: TensorShape | None = None) -> TensorArray:
        shape = self._shape if shape is None else shape
        if contexts.executing_eagerly():  # TensorFlow changes the array itself then, and programs rely on it
            self._flow, self._shape = flow, shape
            return self
        made = TensorArray.__new__(TensorArray)
        made._set_up(flow, self.dtype, shape, self._dynamic_size, self._infer_shape)
        return made

    def _merged(self, shape: TensorShape) -> TensorShape:
        if not self._infer_shape:
            return self._shape
        try:
            return self._shape.merge_with(shape)
        except ValueError:
            raise ValueError(
                f"Incompatible shape for a TensorArray: elements have shape {self._shape}, but one of shape {shape} was "
                "written. Use infer_shape=False for elements of different shapes."
            ) from None

    def identity(self) -> TensorArray:
        """Returns an array with the same content."""
        return self.type_spec.from_components([raw.Identity(self._flow)])

    def size(self, name: str | None = None) -> Tensor:
        """Returns the number of elements, a scalar int32."""
        return raw.TensorListLength(self._flow, name=name)

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """Returns the element number `index`; zeros if it was not written and its shape is known.

        Raises:
            InvalidArgumentError: There is no such element.
        """
        return raw.TensorListGetItem(
            self._flow, convert_to_tensor(index, dtype_hint=int32), _sizes(self._shape), element_dtype=self.dtype, name=name
        )  # fmt: skip

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Returns the array with `value` as its element number `index`.

        Raises:
            InvalidArgumentError: There is no such element, and the size is not dynamic.
            ValueError: The value has another dtype, or shape than the elements have.
        """
        tensor = convert_to_tensor(value, dtype=self.dtype if not isinstance(value, Tensor) else None)
        if tensor.dtype is not self.dtype:
            raise ValueError(f"TensorArray dtype is {self.dtype.name}, but the value to write is {tensor.dtype.name}.")
        shape = self._merged(tensor.shape)
        flow = raw.TensorListSetItem(
            self._flow,
            convert_to_tensor(index, dtype_hint=int32),
            tensor,
            resize_if_index_out_of_bounds=self._dynamic_size,
            name=name,
        )
        return self._with(flow, shape)

    def stack(self, name: str | None = None) -> Tensor:
        """Returns the elements as one tensor, along a new first axis."""
        return raw.TensorListStack(self._flow, _sizes(self._shape), element_dtype=self.dtype, name=name)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """Returns the elements with the given numbers as one tensor, along a new first axis."""
        return raw.TensorListGather(
            self._flow, convert_to_tensor(indices, dtype_hint=int32), _sizes(self._shape), element_dtype=self.dtype,
            name=name,
        )  # fmt: skip

    def concat(self, name: str | None = None) -> Tensor:
        """Returns the elements one after the other along their first axis."""
        dims = self._shape.dims
        open_dims = TensorShape(None if dims is None else [None, *dims[1:]])
        return raw.TensorListConcatV2(
            self._flow, _sizes(open_dims), np.zeros(0, np.int64), element_dtype=self.dtype, name=name
        )[0]

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Returns the array with the entries of `value` along its first axis as elements."""
        tensor = convert_to_tensor(value, dtype_hint=self.dtype)
        shape = self._merged(TensorShape(None if tensor.dims is None else tensor.dims[1:]))
        flow = raw.TensorListFromTensor(tensor, _sizes(shape), name=name)
        return self._with(flow, shape)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Returns the array with the entries of `value` as the elements with the given numbers."""
        tensor = convert_to_tensor(value, dtype_hint=self.dtype)
        shape = self._merged(TensorShape(None if tensor.dims is None else tensor.dims[1:]))
        flow = raw.TensorListScatterIntoExistingList(
            self._flow, tensor, convert_to_tensor(indices, dtype_hint=int32), name=name
        )
        return self._with(flow, shape)

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Returns the array with the parts of `value`, `lengths` long, along its first axis as elements."""
        tensor = convert_to_tensor(value, dtype_hint=self.dtype)
        shape = self._merged(TensorShape(None if tensor.dims is None else [None, *tensor.dims[1:]]))
        flow = raw.TensorListSplit(tensor, _sizes(shape), convert_to_tensor(lengths, dtype="int64"), name=name)
        return self._with(flow, shape)

    def close(self, name: str | None = None) -> None:
        """Without effect: there is nothing to free."""

    def __repr__(self) -> str:
        return f"<TensorArray element_shape={self._shape} dtype={self.dtype.name}>"


def _sizes(shape: TensorShape) -> Any:
    if shape.dims is None:
        return np.int32(-1)
    return np.array([-1 if dim is None else dim for dim in shape.dims], np.int32)
