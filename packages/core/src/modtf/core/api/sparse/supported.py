"""The public functions beside `tf.sparse` that take sparse tensors; imported when one is first given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.api import array, elementwise, math, segments
from modtf.core.api.dispatch import implements
from modtf.core.api.sparse.features import weights_of
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.sparse import SparseTensor
from modtf.core.values.tensors import Tensor

# Those that give 0 for 0, so that what a sparse tensor leaves out stays what it is.
_OF_VALUES = "abs asin asinh atan atanh erf negative sign sin sqrt square tan tanh"


def _of_values(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *args, **kwargs: x.with_values(function(x.values, *args, **kwargs))


for _name in _OF_VALUES.split():
    _function = getattr(math, _name)
    implements(_function, SparseTensor)(_of_values(_function))


@implements(elementwise.cast, SparseTensor)
def _(x: SparseTensor, dtype: Any, name: str | None = None) -> SparseTensor:
    return x.with_values(elementwise.cast(x.values, dtype, name))


@implements(elementwise.divide, SparseTensor)
def _(x: Any, y: Any, name: str | None = None) -> SparseTensor:
    return x / y


@implements(array.identity, SparseTensor)
def _(input: SparseTensor, name: str | None = None) -> SparseTensor:
    same = SparseTensor(*(raw.Identity(part, name=name) for part in (input.indices, input.values, input.dense_shape)))
    same.set_shape(input.shape)
    return same


@implements(array.shape, SparseTensor)
def _(input: SparseTensor, out_type: Any = None, name: str | None = None) -> Tensor:
    return raw.Cast(input.dense_shape, DstT=dtypes.int32 if out_type is None else as_dtype(out_type), name=name)


@implements(array.size, SparseTensor)
def _(input: SparseTensor, out_type: Any = None, name: str | None = None) -> Tensor:
    sizes = raw.Cast(input.dense_shape, DstT=dtypes.int32 if out_type is None else as_dtype(out_type))
    return raw.Prod(sizes, 0, name=name)


@implements(array.rank, SparseTensor)
def _(input: SparseTensor, name: str | None = None) -> Tensor:
    return raw.Size(input.dense_shape, name=name)


@implements(segments.bincount, SparseTensor)
def _(
    arr: SparseTensor, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = dtypes.int32,
    name: str | None = None, axis: int | None = None, binary_output: bool = False,
) -> Tensor:  # fmt: skip
    if weights is not None and binary_output:
        raise ValueError("weights and binary_output exclude each other.")
    weighing = convert_to_tensor([], dtype=as_dtype(dtype)) if weights is None else weights_of(arr, weights)
    if axis != -1:
        flat = None if weights is None else weighing
        return segments.bincount(arr.values, flat, minlength, maxlength, dtype, name, None, binary_output)
    numbers = arr.values
    length = raw.Maximum(raw.Max(numbers, [0]), convert_to_tensor(-1, dtype=numbers.dtype)) + 1
    if minlength is not None:
        length = raw.Maximum(convert_to_tensor(minlength, dtype=numbers.dtype), length)
    if maxlength is not None:
        length = raw.Minimum(convert_to_tensor(maxlength, dtype=numbers.dtype), length)
    return raw.SparseBincount(
        arr.indices, numbers, arr.dense_shape, length, weighing, binary_output=binary_output, name=name
    )
