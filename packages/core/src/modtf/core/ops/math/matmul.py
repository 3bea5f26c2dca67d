"""Products of matrices."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, with_rank, with_rank_at_least
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, register
from modtf.core.ops.common import conj, unbroadcast
from modtf.core.ops.kinds import is_complex
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims, broadcast_dims
from modtf.core.values.tensors import Tensor


def _product_dims(a: Tensor, b: Tensor, flip_a: bool, flip_b: bool) -> Dims:
    a_dims, b_dims = with_rank_at_least(a, 2, "a"), with_rank_at_least(b, 2, "b")
    if a_dims is None or b_dims is None:
        return None
    rows, inner_a = a_dims[-2:] if not flip_a else a_dims[-2:][::-1]
    inner_b, columns = b_dims[-2:] if not flip_b else b_dims[-2:][::-1]
    if inner_a is not None and inner_b is not None and inner_a != inner_b:
        raise ValueError(f"Matrix size-incompatible: In[0]: {list(a_dims)}, In[1]: {list(b_dims)}")
    return (*(broadcast_dims(a_dims[:-2], b_dims[:-2]) or ()), rows, columns)


def _matrix_dims(a: Tensor, b: Tensor, flip_a: bool, flip_b: bool) -> Dims:
    with_rank(a, 2, "a")
    with_rank(b, 2, "b")
    dims = _product_dims(a, b, flip_a, flip_b)
    return (None, None) if dims is None else dims


@widened
def _product(xp: Any, a: Any, b: Any, *, flip_a: bool, flip_b: bool, adjoint: bool) -> Any:
    for index, x in enumerate((a, b)):
        if x.ndim < 2 or (not adjoint and x.ndim != 2):
            raise InvalidArgumentError(f"In[{index}] ndims must be {'>= 2' if adjoint else '2'}: {x.ndim}")
    conjugate = adjoint and is_complex(a)
    if flip_a:
        a = xp.matrix_transpose(xp.conj(a) if conjugate else a)
    if flip_b:
        b = xp.matrix_transpose(xp.conj(b) if conjugate else b)
    return xp.matmul(a, b)


def _matrix_product(
    xp: Any, a: Any, b: Any, *, transpose_a: bool, transpose_b: bool, grad_a: bool, grad_b: bool
) -> Any:
    if a.ndim != 2 or b.ndim != 2:  # `xp.matmul` would take them
        raise ValueError(f"MatMul takes two matrices; the ranks are {a.ndim} and {b.ndim}")
    return _product(xp, a, b, flip_a=transpose_a, flip_b=transpose_b, adjoint=False)


_MATMUL_TYPES = "floating|complex|index|uint8|uint16|uint32|uint64"

matmul = register(
    Op(
        f"MatMul[T: {_MATMUL_TYPES}](a: T, b: T, *, transpose_a: bool = False, transpose_b: bool = False, "
        "grad_a: bool = False, grad_b: bool = False) -> (product: T)",
        kernel=_matrix_product,
        shape=lambda a, b, *, transpose_a, transpose_b, grad_a, grad_b: _matrix_dims(a, b, transpose_a, transpose_b),
        quiet=True,
    )
)
matmul.gradient(lambda call, dy: _product_gradient(call, dy, raw.MatMul, "transpose_a", "transpose_b"))

_ADJOINTS = "*, {}adj_x: bool = False, adj_y: bool = False, grad_x: bool = False, grad_y: bool = False"


def _batch_matmul(name: str, types: str, broadcasts: bool) -> None:
    def kernel(xp: Any, x: Any, y: Any, *, adj_x: bool, adj_y: bool, grad_x: bool, grad_y: bool) -> Any:
        if not broadcasts and x.shape[:-2] != y.shape[:-2]:
            raise ValueError(f"{name} takes two batches of the same shape: {list(x.shape)} vs. {list(y.shape)}")
        return _product(xp, x, y, flip_a=adj_x, flip_b=adj_y, adjoint=True)

    def dims(x: Tensor, y: Tensor, *, adj_x: bool, adj_y: bool, grad_x: bool, grad_y: bool) -> Dims:
        if not broadcasts and x.dims is not None and y.dims is not None:
            merged(x.dims[:-2], y.dims[:-2])
        return _product_dims(x, y, adj_x, adj_y)

    made = register(
        Op(
            f"{name}[T: {types}](x: T, y: T, {_ADJOINTS.format('')}) -> (output: T)",
            kernel=kernel,
            shape=dims,
            quiet=True,
        )
    )
    made.gradient(lambda call, dy: _product_gradient(call, dy, raw.BatchMatMulV2, "adj_x", "adj_y"))


_batch_matmul("BatchMatMul", "floating|complex|index", broadcasts=False)
_batch_matmul("BatchMatMulV2", f"{_MATMUL_TYPES}|int16", broadcasts=True)


def _to_output_type(
    xp: Any, x: Any, y: Any, *, Tout: DType, adj_x: bool, adj_y: bool, grad_x: bool, grad_y: bool
) -> Any:
    target = find_kernel_dtype(xp, Tout)
    return _product(xp, xp.astype(x, target), xp.astype(y, target), flip_a=adj_x, flip_b=adj_y, adjoint=True)


_V3_TYPES = "floating|complex|signed"
to_output_type = register(
    Op(
        f"BatchMatMulV3[Ta: {_V3_TYPES}|uint8, Tb: {_V3_TYPES}|uint8](x: Ta, y: Tb, "
        f"{_ADJOINTS.format('Tout: type(floating|complex|int16|index), ')}) -> (output: Tout)",
        kernel=_to_output_type,
        shape=lambda x, y, *, Tout, adj_x, adj_y, grad_x, grad_y: _product_dims(x, y, adj_x, adj_y),
        quiet=True,
    )
)


@to_output_type.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, ...]:
    def multiply(a: Tensor, b: Tensor, **flips: bool) -> Tensor:
        return raw.BatchMatMulV3(a, b, Tout=call["Tout"], **flips)

    gradients = _product_gradient(call, dy, multiply, "adj_x", "adj_y")
    return tuple(raw.Cast(item, DstT=x.dtype) for item, x in zip(gradients, call.inputs, strict=True))


def _product_gradient(call: Any, dy: Tensor, multiply: Any, flip_a: str, flip_b: str) -> tuple[Tensor, Tensor]:
    a, b = call.inputs
    if call.op is matmul:  # it transposes where the batch forms take the adjoint
        a, b = conj(a), conj(b)

    def product(left: Tensor, right: Tensor, flip_left: bool, flip_right: bool) -> Tensor:
        return multiply(left, right, **{flip_a: flip_left, flip_b: flip_right})

    if not call[flip_a]:
        da = product(dy, b, False, not call[flip_b])
    else:
        da = product(b, dy, call[flip_b], True)
    if not call[flip_b]:
        db = product(a, dy, not call[flip_a], False)
    else:
        db = product(dy, a, True, call[flip_a])
    return unbroadcast(da, call.inputs[0], batch_of=call.inputs[1]), unbroadcast(
        db, call.inputs[1], batch_of=call.inputs[0]
    )


def _cross(xp: Any, a: Any, b: Any) -> Any:
    if a.shape != b.shape:
        raise ValueError(f"Both inputs must be of same shape: {list(a.shape)} vs. {list(b.shape)}")
    if not a.shape or a.shape[-1] != 3:
        raise ValueError(f"Cross products need vectors of 3 elements along the last axis; the shape is {list(a.shape)}")
    (a0, a1, a2), (b0, b1, b2) = ([x[..., index] for index in range(3)] for x in (a, b))
    return xp.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)


def _cross_dims(a: Tensor, b: Tensor) -> Dims:
    dims = merged(a.dims, b.dims)
    if dims is not None and (not dims or dims[-1] not in (3, None)):
        raise ValueError(f"Cross products need vectors of 3 elements along the last axis; the shape is {list(dims)}")
    return dims


cross = register(Op("Cross[T: real](a: T, b: T) -> (product: T)", kernel=_cross, shape=_cross_dims, quiet=True))


@cross.gradient
def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
    a, b = call.inputs
    return raw.Cross(b, dy), raw.Cross(dy, a)
