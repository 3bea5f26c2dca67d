"""Lists of tensors as values of dtype `variant`: what loops gather their results in (`tf.TensorArray`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, scalar
from modtf.core.engine.vocabulary import op
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.lists import TensorList
from modtf.core.values.shapes import Dims, TensorShape
from modtf.core.values.tensors import Tensor


def as_dims(sizes: Any) -> Dims:
    """The shape that an input `element_shape` says: -1 alone for an unknown rank, -1 for an unknown size."""
    values = np.asarray(sizes)
    if values.ndim == 0:
        if int(values) != -1:
            raise InvalidArgumentError(f"The only valid scalar shape is -1 (unknown), but got {int(values)}.")
        return None
    return tuple(None if size < 0 else int(size) for size in values)


def _known_dims(element_shape: Tensor) -> Dims:
    """The same while tracing."""
    if element_shape.dims == ():
        return None
    return dims_from_value(element_shape)


def _list_of(value: Any, dtype: DType) -> Any:
    """The list, whichever backend's it is: they have the methods of `TensorList`."""
    if value.dtype is not dtype:
        raise InvalidArgumentError(f"Invalid data types; op elements {dtype.name} but list elements {value.dtype.name}")
    return value


# ------------------------------------------------------------------------------------------------- making lists


@op(
    "EmptyTensorList[shape_type: index](element_shape: shape_type, max_num_elements: int32, *, element_dtype: type)"
    " -> (handle: variant)",
    shape=scalar,
    host_inputs={"element_shape", "max_num_elements"},
)
def empty_tensor_list(xp: Any, element_shape: Any, max_num_elements: Any, *, element_dtype: DType) -> TensorList:
    return TensorList.empty(element_dtype, as_dims(element_shape), limit=int(max_num_elements))


@op(
    "TensorListReserve[shape_type: index](element_shape: shape_type, num_elements: int32, *, element_dtype: type)"
    " -> (handle: variant)",
    shape=scalar,
    host_inputs={"element_shape", "num_elements"},
)
def reserve(xp: Any, element_shape: Any, num_elements: Any, *, element_dtype: DType) -> TensorList:
    return TensorList.empty(element_dtype, as_dims(element_shape), int(num_elements))


empty_tensor_list.gradient(None)
reserve.gradient(None)


@op(
    "TensorListFromTensor[element_dtype, shape_type: index](tensor: element_dtype, element_shape: shape_type)"
    " -> (output_handle: variant)",
    shape=scalar,
    host_inputs={"element_shape"},
)
def from_tensor(xp: Any, tensor: Any, element_shape: Any) -> TensorList:
    if tensor.ndim == 0:
        raise InvalidArgumentError("Tensor must be at least a vector, but saw shape: []")
    dims = as_dims(element_shape)
    if not TensorShape(dims).is_compatible_with(tensor.shape[1:]):
        raise InvalidArgumentError(
            f"Specified a list with shape {TensorShape(dims)} from a tensor with shape {list(tensor.shape[1:])}"
        )
    return TensorList.from_stacked(tensor, _dtype_of(tensor), dims)


def _dtype_of(array: Any) -> DType:
    from modtf.core.ops.kinds import dtype_of
    from modtf.core.values.dtypes import string, variant

    if array.dtype != object:
        return dtype_of(array)
    return string if all(isinstance(item, (bytes, str)) for item in array.reshape(-1)[:1]) else variant


@from_tensor.gradient
def _(call: Any, dlist: Tensor) -> Any:
    tensor = call.inputs[0]
    return raw.TensorListStack(dlist, _sizes_after_first(tensor), element_dtype=tensor.dtype), None


# ------------------------------------------------------------------------------------------------- one row


@op(
    "TensorListPushBack[element_dtype](input_handle: variant, tensor: element_dtype) -> (output_handle: variant)",
    shape=scalar,
)
def push_back(xp: Any, input_handle: Any, tensor: Any) -> TensorList:
    return input_handle.pushed(tensor)


@push_back.gradient
def _(call: Any, dlist: Tensor) -> Any:
    tensor = call.inputs[1]
    return raw.TensorListPopBack(dlist, _sizes(tensor), element_dtype=tensor.dtype)


@op(
    "TensorListPopBack(input_handle: variant, element_shape: int32, *, element_dtype: type)"
    " -> (output_handle: variant, tensor: element_dtype)",
    shape=lambda input_handle, element_shape, **attrs: [(), _known_dims(element_shape)],
    host_inputs={"element_shape"},
    fills_gradients=False,
)
def pop_back(xp: Any, input_handle: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    given = _list_of(input_handle, element_dtype)
    if isinstance(given.size, int) and not given.size:
        raise InvalidArgumentError("Trying to pop from an empty list.")
    return given.popped(), given.read(xp, given.size - 1, as_dims(element_shape))


@pop_back.gradient
def _(call: Any, dlist: Tensor | None, drow: Tensor | None) -> Any:
    _, row = call.outputs
    if dlist is None:
        dlist = raw.EmptyTensorList(_sizes(row), np.int32(-1), element_dtype=row.dtype)
    if drow is None:
        drow = raw.ZerosLike(row)
    return raw.TensorListPushBack(dlist, drow), None


@op(
    "TensorListGetItem[Tshape: index = int32](input_handle: variant, index: int32, element_shape: Tshape, *, "
    "element_dtype: type) -> (item: element_dtype)",
    shape=lambda input_handle, index, element_shape, **attrs: _known_dims(element_shape),
    host_inputs={"element_shape"},
)
def get_item(xp: Any, input_handle: Any, index: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    return _list_of(input_handle, element_dtype).read(xp, index, as_dims(element_shape))


@get_item.gradient
def _(call: Any, drow: Tensor) -> Any:
    handle, index, _ = call.inputs
    size = raw.TensorListLength(handle)
    zeros = raw.TensorListReserve(_sizes(call.outputs[0]), size, element_dtype=drow.dtype)
    return raw.TensorListSetItem(zeros, index, drow), None, None


@op(
    "TensorListSetItem[element_dtype](input_handle: variant, index: int32, item: element_dtype, *, "
    "resize_if_index_out_of_bounds: bool = False) -> (output_handle: variant)",
    shape=scalar,
)
def set_item(xp: Any, input_handle: Any, index: Any, item: Any, *, resize_if_index_out_of_bounds: bool) -> TensorList:
    return input_handle.with_row(index, item, resize_if_index_out_of_bounds)


@set_item.gradient
def _(call: Any, dlist: Tensor) -> Any:
    handle, index, item = call.inputs
    row = raw.TensorListGetItem(dlist, index, _sizes(item), element_dtype=item.dtype)
    without = raw.TensorListSetItem(dlist, index, raw.ZerosLike(item))
    if call["resize_if_index_out_of_bounds"]:
        without = raw.TensorListResize(without, raw.TensorListLength(handle))
    return without, None, row


# ------------------------------------------------------------------------------------------------- all rows


@op(
    "TensorListStack(input_handle: variant, element_shape: int32, *, element_dtype: type, num_elements: int = -1)"
    " -> (tensor: element_dtype)",
    shape=lambda input_handle, element_shape, *, element_dtype, num_elements: _after(
        None if num_elements < 0 else num_elements, _known_dims(element_shape)
    ),
    host_inputs={"element_shape"},
)
def stack(xp: Any, input_handle: Any, element_shape: Any, *, element_dtype: DType, num_elements: int) -> Any:
    given = _list_of(input_handle, element_dtype)
    if num_elements not in (-1, given.size):
        raise InvalidArgumentError(
            f"Operation expected a list with {num_elements} elements but got {given.size} elements."
        )
    return given.stack(xp, as_dims(element_shape))


def _after(count: int | None, dims: Dims) -> Dims:
    return None if dims is None else (count, *dims)


@stack.gradient
def _(call: Any, dtensor: Tensor) -> Any:
    return raw.TensorListFromTensor(dtensor, _sizes_after_first(call.outputs[0])), None


@op(
    "TensorListGather(input_handle: variant, indices: int32, element_shape: int32, *, element_dtype: type)"
    " -> (values: element_dtype)",
    shape=lambda input_handle, indices, element_shape, **attrs: _after(
        None if indices.dims is None else indices.dims[0], _known_dims(element_shape)
    ),
    host_inputs={"element_shape"},
)
def gather(xp: Any, input_handle: Any, indices: Any, element_shape: Any, *, element_dtype: DType) -> Any:
    return _list_of(input_handle, element_dtype).gather(xp, indices, as_dims(element_shape))


@gather.gradient
def _(call: Any, dvalues: Tensor) -> Any:
    handle, indices, _ = call.inputs
    scattered = raw.TensorListScatterV2(
        dvalues, indices, _sizes_after_first(call.outputs[0]), raw.TensorListLength(handle)
    )
    return scattered, None, None


def _scattered(xp: Any, into: TensorList, tensor: Any, indices: Any) -> TensorList:
    if tensor.shape[0] != indices.shape[0]:
        raise InvalidArgumentError(
            f"Expected len(indices) == tensor.shape[0], but saw: {indices.shape[0]} vs. {tensor.shape[0]}"
        )
    for position, index in enumerate(indices.tolist()):
        if index < 0:
            raise InvalidArgumentError(f"Indices in TensorListScatter must all be non-negative; got {index}.")
        into = into.with_row(index, tensor[position, ...], resize=True)
    return into


_SCATTER_INPUTS = "(tensor: element_dtype, indices: int32, element_shape: shape_type"


@op(
    f"TensorListScatter[element_dtype, shape_type: index]{_SCATTER_INPUTS}) -> (output_handle: variant)",
    shape=scalar,
    host_inputs={"indices", "element_shape"},
)
def scatter(xp: Any, tensor: Any, indices: Any, element_shape: Any) -> TensorList:
    return _scattered(xp, TensorList.empty(_dtype_of(tensor), as_dims(element_shape)), tensor, indices)


@op(
    f"TensorListScatterV2[element_dtype, shape_type: index]{_SCATTER_INPUTS}, num_elements: int32)"
    " -> (output_handle: variant)",
    shape=scalar,
    host_inputs={"indices", "element_shape", "num_elements"},
)
def scatter_v2(xp: Any, tensor: Any, indices: Any, element_shape: Any, num_elements: Any) -> TensorList:
    into = TensorList.empty(_dtype_of(tensor), as_dims(element_shape), max(int(num_elements), 0))
    return _scattered(xp, into, tensor, indices)


@op(
    "TensorListScatterIntoExistingList[element_dtype](input_handle: variant, tensor: element_dtype, indices: int32)"
    " -> (output_handle: variant)",
    shape=scalar,
    host_inputs={"indices"},
)
def scatter_into(xp: Any, input_handle: Any, tensor: Any, indices: Any) -> TensorList:
    return _scattered(xp, input_handle, tensor, indices)


def _gathered(dlist: Tensor, tensor: Tensor, indices: Tensor) -> Tensor:
    return raw.TensorListGather(dlist, indices, _sizes_after_first(tensor), element_dtype=tensor.dtype)


@scatter.gradient
def _(call: Any, dlist: Tensor) -> Any:
    return _gathered(dlist, call.inputs[0], call.inputs[1]), None, None


@scatter_v2.gradient
def _(call: Any, dlist: Tensor) -> Any:
    return _gathered(dlist, call.inputs[0], call.inputs[1]), None, None, None


@scatter_into.gradient
def _(call: Any, dlist: Tensor) -> Any:
    handle, tensor, indices = call.inputs
    zeros = raw.TensorListScatterIntoExistingList(dlist, raw.ZerosLike(tensor), indices)
    return raw.TensorListResize(zeros, raw.TensorListLength(handle)), _gathered(dlist, tensor, indices), None


@op("TensorListLength(input_handle: variant) -> (length: int32)", shape=scalar, host_outputs=True)
def length(xp: Any, input_handle: Any) -> Any:
    return np.array(input_handle.size, np.int32)


@op("TensorListResize(input_handle: variant, size: int32) -> (output_handle: variant)", shape=scalar,
    host_inputs={"size"})  # fmt: skip
def resize(xp: Any, input_handle: Any, size: Any) -> TensorList:
    return input_handle.resized(size)


@resize.gradient
def _(call: Any, dlist: Tensor) -> Any:
    return raw.TensorListResize(dlist, raw.TensorListLength(call.inputs[0])), None


@op(
    "TensorListElementShape(input_handle: variant, *, shape_type: type(index)) -> (element_shape: shape_type)",
    shape=lambda input_handle, **attrs: None,
    host_outputs=True,
)
def element_shape(xp: Any, input_handle: Any, *, shape_type: DType) -> Any:
    dims = input_handle.dims
    return np.array(-1 if dims is None else [-1 if dim is None else dim for dim in dims], shape_type.np_dtype)


# ------------------------------------------------------------------------------------------------- rows of several sizes


def _concat_dims(dims: Dims) -> list[Any]:
    return [None if dims is None else (None, *dims[1:]), (None,)]


@op(
    "TensorListConcat(input_handle: variant, *, element_dtype: type, element_shape: shape = None)"
    " -> (tensor: element_dtype, lengths: int64)",
    shape=lambda input_handle, *, element_dtype, element_shape: _concat_dims(element_shape.dims),
)
def concat(xp: Any, input_handle: Any, *, element_dtype: DType, element_shape: TensorShape) -> Any:
    return _list_of(input_handle, element_dtype).concat(xp, element_shape.dims)


@op(
    "TensorListConcatV2[shape_type: index](input_handle: variant, element_shape: shape_type, leading_dims: int64, *, "
    "element_dtype: type) -> (tensor: element_dtype, lengths: int64)",
    shape=lambda input_handle, element_shape, leading_dims, **attrs: _concat_dims(_known_dims(element_shape)),
    host_inputs={"element_shape", "leading_dims"},
)
def concat_v2(xp: Any, input_handle: Any, element_shape: Any, leading_dims: Any, *, element_dtype: DType) -> Any:
    return _list_of(input_handle, element_dtype).concat(xp, as_dims(element_shape))


def _split_gradient(call: Any, dtensor: Tensor) -> Tensor:
    tensor, lengths = call.outputs
    return raw.TensorListSplit(dtensor, _open_first(tensor), lengths)


@concat.gradient
def _(call: Any, dtensor: Tensor, dlengths: Any) -> Any:
    return _split_gradient(call, dtensor)


@concat_v2.gradient
def _(call: Any, dtensor: Tensor, dlengths: Any) -> Any:
    return _split_gradient(call, dtensor), None, None


@op(
    "TensorListSplit[element_dtype, shape_type: index](tensor: element_dtype, element_shape: shape_type, lengths: int64)"
    " -> (output_handle: variant)",
    shape=scalar,
    host_inputs={"element_shape", "lengths"},
)
def split(xp: Any, tensor: Any, element_shape: Any, lengths: Any) -> TensorList:
    if tensor.ndim == 0:
        raise InvalidArgumentError("Tensor must be at least a vector, but saw shape: []")
    ends = np.cumsum(lengths)
    if lengths.size and ends[-1] != tensor.shape[0]:
        raise InvalidArgumentError(
            f"Invalid lengths: they sum to {ends[-1]}, but the tensor has {tensor.shape[0]} rows."
        )
    result = TensorList.empty(_dtype_of(tensor), as_dims(element_shape))
    for size, end in zip(lengths.tolist(), ends.tolist(), strict=True):
        if size < 0:
            raise InvalidArgumentError(f"Invalid value in lengths: {size}")
        result = result.pushed(tensor[end - size : end])
    return result


@split.gradient
def _(call: Any, dlist: Tensor) -> Any:
    tensor, _, lengths = call.inputs
    whole, _ = raw.TensorListConcatV2(
        dlist, _open_first(tensor), lengths, element_dtype=tensor.dtype
    )  # fmt: skip
    return whole, None, None


@op(
    "TensorListConcatLists(input_a: variant, input_b: variant, *, element_dtype: type) -> (output: variant)",
    shape=lambda input_a, input_b, **attrs: input_a.dims,
)
def concat_lists(xp: Any, input_a: Any, input_b: Any, *, element_dtype: DType) -> TensorList:
    first, second = _list_of(input_a, element_dtype), _list_of(input_b, element_dtype)
    result = first
    for row in second.rows():
        result = result.resized(result.size + 1) if row is None else result.pushed(row)
    return result


# ------------------------------------------------------------------------------------------------- sizes for gradients


def _as_sizes(dims: Dims) -> Any:
    """A shape as an input `element_shape`."""
    if dims is None:
        return np.int32(-1)
    return np.array([-1 if dim is None else dim for dim in dims], np.int32)


def _sizes(tensor: Tensor) -> Any:
    return _as_sizes(tensor.dims)


def _sizes_after_first(tensor: Tensor) -> Any:
    return _as_sizes(None if tensor.dims is None else tensor.dims[1:])


def _open_first(tensor: Tensor) -> Any:
    return _as_sizes(None if tensor.dims is None else (None, *tensor.dims[1:]))
