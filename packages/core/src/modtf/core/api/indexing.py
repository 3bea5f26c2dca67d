"""Attaches Python's indexing to `Tensor`: `x[1:3, ..., tf.newaxis, i]` as one StridedSlice, as TensorFlow builds it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from modtf.core.api.arguments import host_integers
from modtf.core.engine import raw
from modtf.core.engine.execution import execute
from modtf.core.engine.vocabulary import get_op
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType, int16, int32, int64
from modtf.core.values.tensors import EagerTensor, Tensor

if TYPE_CHECKING:
    from modtf.core.values.variables import Variable

_STRIDED_SLICE = get_op("StridedSlice")


def getitem(tensor: Tensor, key: Any) -> Tensor:
    """Returns a part of a tensor: `tensor[key]`.

    Args:
        tensor: The tensor.
        key: An integer, a slice, `...`, `tf.newaxis` (`None`), or a tuple or list of these. Integers and the bounds of
            slices may be scalar integer tensors. Negative ones count from the end. A boolean array or tensor alone is a
            mask (`tf.boolean_mask`).

    Raises:
        TypeError: The key is something else; arrays of indices are for `tf.gather` and `tf.gather_nd`.
        InvalidArgumentError: An integer is out of range, or there are more of them than axes.
    """
    if key.__class__ is not tuple and _is_mask(key):
        from modtf.core.api.selecting import boolean_mask

        return boolean_mask(tensor, key)
    bounds, masks = _bounds_and_masks(key)
    return execute(_STRIDED_SLICE, (tensor, *bounds), masks, "strided_slice")


def getitem_of_variable(variable: Variable, key: Any) -> Tensor:
    """Returns a part of a variable's value, as `getitem`; it has a method `assign(value, name=None)` that replaces it."""
    if key.__class__ is not tuple and _is_mask(key):
        return getitem(variable.value(), key)
    bounds, masks = _bounds_and_masks(key)
    part = execute(_STRIDED_SLICE, (variable.value(), *bounds), masks, "strided_slice")
    part.assign = functools.partial(variable.assign_slice, bounds, masks)
    return part


def _bounds_and_masks(key: Any) -> tuple[list[Tensor], tuple[int, ...]]:
    """What StridedSlice is given for Python's notation: begin, end and strides, and its attributes."""
    if not isinstance(key, (list, tuple)):
        key = (key,)
    begin: list[Any] = []
    end: list[Any] = []
    strides: list[Any] = []
    begin_mask = end_mask = ellipsis_mask = new_axis_mask = shrink_axis_mask = 0
    bit = 1
    for item in key:
        kind = item.__class__
        first, last, step = 0, 0, 1
        if kind is int:
            first, last = item, item + 1
            shrink_axis_mask |= bit
        elif kind is slice:
            if item.start is None:
                begin_mask |= bit
            else:
                first = _bound(item.start)
            if item.stop is None:
                end_mask |= bit
            else:
                last = _bound(item.stop)
            if item.step is not None:
                step = _bound(item.step)
        elif item is None:
            new_axis_mask |= bit
        elif item is ...:
            ellipsis_mask |= bit
        else:
            first = _bound(item)
            last = first + 1
            shrink_axis_mask |= bit
        begin.append(first)
        end.append(last)
        strides.append(step)
        bit <<= 1
    masks = (begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask)
    return _vectors(begin, end, strides), masks


def _is_mask(key: Any) -> bool:
    kind = getattr(key, "dtype", None)
    return key is True or key is False or (kind is not None and getattr(kind, "name", None) == "bool")


def _bound(value: Any) -> Any:
    """An integer as a Python int, or a symbolic scalar as it is.

    Raises:
        TypeError: It is neither.
    """
    if value.__class__ is int:
        return value
    if not isinstance(value, Tensor) and hasattr(value, "__tf_tensor__"):
        value = convert_to_tensor(value)
    if isinstance(value, Tensor):
        if value.dtype in (int16, int32, int64) and value.ndim in (0, None):
            return int(value) if isinstance(value, EagerTensor) else value
    elif hasattr(value, "__index__") and not isinstance(value, (bool, np.bool_)) and not np.ndim(value):
        return int(value)
    raise TypeError(
        "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are "
        f"valid indices, got {value!r}"
    )


def _vectors(*lists: list[Any]) -> list[Tensor]:
    """Each list of integers as a tensor, all of one dtype.

    They stay in host memory whatever the backend, because slicing needs them there.
    """
    symbolic = [item.dtype for items in lists for item in items if isinstance(item, Tensor)]
    if not symbolic:
        try:
            return [host_integers(items, int32) for items in lists]
        except OverflowError:
            return [host_integers(items, int64) for items in lists]
    dtype = int32 if all(found is int32 for found in symbolic) else int64
    return [_packed(items, dtype) for items in lists]


def _packed(items: list[Any], dtype: DType) -> Tensor:
    if not any(isinstance(item, Tensor) for item in items):
        return host_integers(items, dtype)
    return raw.Pack([
        (item if item.dtype is dtype else raw.Cast(item, DstT=dtype))
        if isinstance(item, Tensor)
        else convert_to_tensor(item, dtype=dtype)
        for item in items
    ])  # fmt: skip


def attach(tensors: Any, variables: Any) -> None:
    """Gives tensors and variables indexing."""
    tensors.__getitem__ = getitem
    variables.__getitem__ = getitem_of_variable
