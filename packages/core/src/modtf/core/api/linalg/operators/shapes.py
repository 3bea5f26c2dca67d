"""What the operators share: parameters as tensors, shapes known or not, broadcasting over batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from modtf.core.api.array import broadcast_dynamic_shape, broadcast_to
from modtf.core.api.linalg.rearranging import adjoint
from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType
from modtf.core.values.shapes import TensorShape, broadcast_static_shape
from modtf.core.values.tensors import Tensor
from modtf.core.values.variables import Variable


def kept(value: Any, dtype: Any = None, dtype_hint: Any = None) -> Any:
    """A parameter as an operator keeps it: a variable as it is, to be read whenever it is used, all else as a tensor."""
    return value if isinstance(value, Variable) else convert_to_tensor(value, dtype=dtype, dtype_hint=dtype_hint)


def check_parameter(value: Any, name: str, rank: int, dtypes: Sequence[DType] = ()) -> None:
    """Checks a parameter's rank and dtype.

    Raises:
        ValueError: It has too few dimensions.
        TypeError: It has none of the dtypes.
    """
    if dtypes and value.dtype not in dtypes:
        names = ", ".join(dtype.name for dtype in dtypes)
        raise TypeError(f"Argument `{name}` must have one of the dtypes {names}. Received: {value.dtype.name}.")
    if value.shape.rank is not None and value.shape.rank < rank:
        raise ValueError(f"Argument `{name}` must have at least {rank} dimensions. Received shape: {value.shape}.")


def flipped(x: Tensor, is_adjoint: bool) -> Tensor:
    """The adjoint of x, or x."""
    return adjoint(x) if is_adjoint else x


def column(x: Any) -> Tensor:
    """Vectors as matrices of one column."""
    return raw.ExpandDims(x, np.int32(-1))


def without_column(x: Tensor) -> Tensor:
    """Matrices of one column as vectors."""
    return raw.Squeeze(x, squeeze_dims=[-1])


def joined(*parts: Any) -> Tensor:
    """Dimensions, and vectors of them, as one vector."""
    vectors = [raw.Reshape(convert_to_tensor(part, dtype="int32"), np.array([-1], np.int32)) for part in parts]
    return raw.ConcatV2(vectors, np.int32(0))


def size_tensor(static: int | None, otherwise: Callable[[], Tensor]) -> Any:
    """A dimension as a NumPy number if it is known, else as a tensor."""
    return otherwise() if static is None else np.int32(static)


def shape_vector(shape: TensorShape, otherwise: Callable[[], Tensor]) -> Any:
    """A shape as a NumPy vector if it is fully known, else as a tensor."""
    return np.array(shape.as_list(), np.int32) if shape.is_fully_defined() else otherwise()


def batch_of(x: Tensor, rank: int = 2) -> Any:
    """The shape of x without its last dimensions, as `shape_vector` gives it."""
    static = x.shape[:-rank] if x.shape.rank is not None else TensorShape(None)
    return shape_vector(static, lambda: raw.Shape(x)[:-rank])


def common_batch(shapes: Sequence[TensorShape]) -> TensorShape:
    """The shape that all broadcast to."""
    return reduce(broadcast_static_shape, shapes)


def common_batch_tensor(shapes: Sequence[Any]) -> Tensor:
    """The same of shapes as tensors."""
    return reduce(broadcast_dynamic_shape, shapes)


def over_batch(x: Tensor, static: TensorShape, batch: Callable[[], Any], rank: int = 2) -> Tensor:
    """Broadcasts the leading dimensions of x with those of a batch.

    Args:
        x: The tensor.
        static: What is known of the batch's shape.
        batch: Gives the batch's shape as a tensor.
        rank: How many of the last dimensions of x are not of the batch.
    """
    if static.rank == 0:
        return x
    if static.is_fully_defined() and x.shape.is_fully_defined():
        given = x.shape[:-rank]
        wanted = broadcast_static_shape(given, static)
        return x if wanted == given else broadcast_to(x, wanted.concatenate(x.shape[-rank:]))
    return broadcast_to(x, joined(broadcast_dynamic_shape(batch(), batch_of(x, rank)), raw.Shape(x)[-rank:]))


def with_one_batch(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Matrices and right-hand sides with the same leading dimensions, for ops that do not broadcast."""
    if None not in (a.shape.rank, b.shape.rank) and a.shape[:-2] == b.shape[:-2] and a.shape[:-2].is_fully_defined():
        return a, b
    return over_batch(a, b.shape[:-2], lambda: batch_of(b)), over_batch(b, a.shape[:-2], lambda: batch_of(a))
