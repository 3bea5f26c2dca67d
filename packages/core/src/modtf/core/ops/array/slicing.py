"""Slices: rectangular parts of tensors, and their gradients."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, partial_value
from modtf.core.engine.vocabulary import op
from modtf.core.ops.common import shape_of
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import SymbolicTensor, Tensor


def put(xp: Any, array: Any, index: Any, values: Any) -> Any:
    """Returns `array`, which nobody else holds, with `values` at `index`."""
    if hasattr(array, "at"):  # the namespaces whose arrays never change, such as JAX's, have this instead
        return array.at[index].set(values)
    array[index] = values
    return array


def filled(xp: Any, dims: tuple[int, ...], like: Any) -> Any:
    """Returns zeros (empty strings) of the dtype of `like`."""
    return np.full(dims, b"", object) if like.dtype == object else xp.zeros(dims, dtype=like.dtype)


# ------------------------------------------------------------------------------------------------- Slice


def _elements(tensor: Tensor, count: int) -> list[int | None]:
    """The elements of a vector that are known while tracing."""
    known = partial_value(tensor) if isinstance(tensor, SymbolicTensor) else constant_value(tensor)
    return [None] * count if known is None else known.tolist()


def _slice_bounds(begin: int, size: int, length: int, axis: int) -> tuple[int, int]:
    if not 0 <= begin <= length:
        raise ValueError(f"Expected begin[{axis}] in [0, {length}], but got {begin}")
    if not -1 <= size <= length - begin:
        raise ValueError(f"Expected size[{axis}] in [0, {length - begin}], but got {size}")
    return begin, length if size == -1 else begin + size


def _slice_dims(input: Tensor, begin: Tensor, size: Tensor) -> Dims:
    rank = next((r for r in (input.ndim, *(t.dims[0] for t in (begin, size) if t.dims)) if r is not None), None)
    if rank is None:
        return None
    lengths = input.dims or (None,) * rank
    begins, sizes = _elements(begin, rank), _elements(size, rank)
    if not len(lengths) == len(begins) == len(sizes):
        raise ValueError(f"begin and size must have {rank} elements, one for each axis of the input {input.shape}")
    result: list[int | None] = []
    for axis, (length, first, wanted) in enumerate(zip(lengths, begins, sizes, strict=True)):
        if length is not None and first is not None and wanted is not None:
            start, stop = _slice_bounds(first, wanted, length, axis)
            result.append(stop - start)
        else:
            result.append(wanted if wanted is not None and wanted >= 0 else None)
    return tuple(result)


@op(
    "Slice[T, Index: index](input: T, begin: Index, size: Index) -> (output: T)",
    shape=_slice_dims,
    host_inputs=("begin", "size"),
)
def slice_(xp: Any, input: Any, begin: np.ndarray, size: np.ndarray) -> Any:
    bounds = zip(begin.tolist(), size.tolist(), np.shape(input), strict=True)
    return input[
        (
            *(
                slice(*_slice_bounds(first, wanted, length, axis))
                for axis, (first, wanted, length) in enumerate(bounds)
            ),
            ...,
        )
    ]


@slice_.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, None, None]:
    x, begin, _size = call.inputs
    before: Any = constant_value(begin)
    if before is None:
        before = begin
    after = shape_of(x, begin.dtype) - before - shape_of(call.outputs[0], begin.dtype)
    if isinstance(after, Tensor):
        return raw.Pad(dy, raw.Pack([before, after], axis=1)), None, None
    return raw.Pad(dy, np.stack([before, after], axis=1)), None, None


# ------------------------------------------------------------------------------------------------- StridedSlice

_MASKS = (
    "begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0"
)


@functools.cache
def _layout(rank: int, count: int, ellipsis_mask: int, new_axis_mask: int, shrink_axis_mask: int) -> tuple[Any, ...]:
    """What the positions of begin, end and strides mean for a tensor of `rank`.

    Returns:
        In the order of an index, pairs of `"new"` (a new axis), `"all"` (a whole axis), `"one"` (an element of an axis)
        or `"range"`, and the position that says it.
    """
    if ellipsis_mask & (ellipsis_mask - 1):
        raise ValueError("Multiple ellipses in slice spec not allowed")
    taking = [position for position in range(count) if not (ellipsis_mask | new_axis_mask) >> position & 1]
    if len(taking) > rank:
        raise ValueError(f"Index out of range using input dim {rank}; input has only {rank} dims")
    layout: list[tuple[str, int]] = []
    rest = [("all", -1)] * (rank - len(taking))
    for position in range(count):
        if ellipsis_mask >> position & 1:
            layout += rest
            rest = []
        elif new_axis_mask >> position & 1:
            layout.append(("new", position))
        else:
            layout.append(("one" if shrink_axis_mask >> position & 1 else "range", position))
    return (*layout, *rest)


def _check_element(index: int, stride: int, length: int, axis: int) -> int:
    if stride <= 0:
        raise ValueError(f"only stride 1 allowed on non-range indexing, not {stride}")
    if not -length <= index < length:
        raise ValueError(f"slice index {index} of dimension {axis} out of bounds. It must be in [{-length}, {length})")
    return index


def _bounds(
    position: int, begin: int | None, end: int | None, stride: int, length: int, begin_mask: int, end_mask: int
) -> tuple[int, int, int]:
    """Start, stop and step of a range over an axis, as Python's `range` takes them."""
    if stride == 0:
        raise ValueError(f"strides[{position}] must be non-zero")
    return slice(
        None if begin_mask >> position & 1 else begin, None if end_mask >> position & 1 else end, stride
    ).indices(length)


def slice_index(
    dims: tuple[int, ...], begin: np.ndarray, end: np.ndarray, strides: np.ndarray,
    begin_mask: int, end_mask: int, ellipsis_mask: int, new_axis_mask: int, shrink_axis_mask: int,
) -> tuple[Any, ...]:  # fmt: skip
    """The index that Python's notation would have made."""
    begins, ends, steps = begin.tolist(), end.tolist(), strides.tolist()
    if begin.ndim != 1 or not begin.shape == end.shape == strides.shape:
        raise ValueError("begin, end and strides must be vectors of one length")
    index: list[Any] = []
    axis = 0
    for kind, position in _layout(len(dims), len(begins), ellipsis_mask, new_axis_mask, shrink_axis_mask):
        if kind == "new":
            index.append(None)
            continue
        if kind == "range":
            start, stop, step = _bounds(
                position, begins[position], ends[position], steps[position], dims[axis], begin_mask, end_mask
            )
            # -1 stands for "before the first element", which Python's notation cannot say.
            index.append(slice(0, 0) if start < 0 else slice(start, stop if stop >= 0 else None, step))
        elif kind == "one":
            index.append(_check_element(begins[position], steps[position], dims[axis], axis))
        else:
            index.append(slice(None))
        axis += 1
    index.append(...)  # so that an element stays an array
    return tuple(index)


def _strided_slice_dims(
    input: Tensor, begin: Tensor, end: Tensor, strides: Tensor, *,
    begin_mask: int, end_mask: int, ellipsis_mask: int, new_axis_mask: int, shrink_axis_mask: int,
) -> Dims:  # fmt: skip
    dims = input.dims
    count = next(
        (vector.dims[0] for vector in (begin, end, strides) if vector.dims and vector.dims[0] is not None), None
    )
    if any(vector.ndim not in (1, None) for vector in (begin, end, strides)):
        raise ValueError("begin, end and strides must be vectors of one length")
    if dims is None or count is None:
        return None
    begins, ends, steps = (_elements(vector, count) for vector in (begin, end, strides))
    if not len(begins) == len(ends) == len(steps):
        raise ValueError("begin, end and strides must be vectors of one length")
    result: list[int | None] = []
    axis = 0
    for kind, position in _layout(len(dims), count, ellipsis_mask, new_axis_mask, shrink_axis_mask):
        if kind == "new":
            result.append(1)
            continue
        length = dims[axis]
        if kind == "all":
            result.append(length)
        elif kind == "one":
            first = begins[position]
            if length is not None and first is not None:
                _check_element(first, 1 if steps[position] is None else steps[position], length, axis)
        else:
            step = steps[position]
            known = (begins[position] is not None or begin_mask >> position & 1) and (
                ends[position] is not None or end_mask >> position & 1
            )
            result.append(
                len(range(*_bounds(position, begins[position], ends[position], step, length, begin_mask, end_mask)))
                if known and step is not None and length is not None
                else None
            )
        axis += 1
    return tuple(result)


@op(
    "StridedSlice[T, Index: int16|int32|int64](input: T, begin: Index, end: Index, strides: Index, *, "
    f"{_MASKS}) -> (output: T)",
    shape=_strided_slice_dims,
    host_inputs=("begin", "end", "strides"),
)
def strided_slice(
    xp: Any,
    input: Any,
    begin: np.ndarray,
    end: np.ndarray,
    strides: np.ndarray,
    **masks: int,
) -> Any:
    return input[slice_index(input.shape, begin, end, strides, **masks)]


@strided_slice.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    x, *bounds = call.inputs
    masks = dict(zip(call.op.schema.attr_index, call.attrs, strict=True))
    if bounds[0].dtype.name == "int16":
        bounds = [raw.Cast(vector, DstT="int32") for vector in bounds]
    return raw.StridedSliceGrad(shape_of(x, bounds[0].dtype), *bounds, dy, **masks), None, None, None


@op(
    "StridedSliceGrad[T, Index: index](shape: Index, begin: Index, end: Index, strides: Index, dy: T, *, "
    f"{_MASKS}) -> (output: T)",
    shape=lambda shape, begin, end, strides, dy, **masks: dims_from_value(shape),
    host_inputs=("shape", "begin", "end", "strides"),
)
def strided_slice_grad(
    xp: Any, shape: np.ndarray, begin: np.ndarray, end: np.ndarray, strides: np.ndarray, dy: Any, **masks: int
) -> Any:
    dims = tuple(shape.tolist())
    index = slice_index(dims, begin, end, strides, **masks)
    taken = np.broadcast_to(np.False_, dims)[index].shape
    if taken != tuple(dy.shape):
        raise ValueError(f"shape of dy was {list(dy.shape)} instead of {list(taken)}, the slice's")
    return put(xp, filled(xp, dims, dy), index, dy)


@strided_slice_grad.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
    masks = dict(zip(call.op.schema.attr_index, call.attrs, strict=True))
    return None, None, None, None, raw.StridedSlice(dy, *call.inputs[1:4], **masks)
