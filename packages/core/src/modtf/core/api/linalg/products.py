"""Products of matrices and tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.api.dispatch import dispatched
from modtf.core.api.elementwise import conj
from modtf.core.engine import raw
from modtf.core.engine.execution import execute
from modtf.core.engine.shape_rules import normal_axis
from modtf.core.engine.vocabulary import get_op
from modtf.core.ops.math.einsum import parse_equation
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

__all__ = ["cross", "einsum", "matmul", "matvec", "tensordot"]

_MATMUL = get_op("MatMul")


@dispatched
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Tensor:
    """Returns the product of matrices, or of batches of them.

    Args:
        a: A tensor [..., n, k] of a numeric dtype.
        b: A tensor [..., k, m] of the same dtype; the leading axes of both are broadcast.
        transpose_a: Whether `a` is [..., k, n] and to be transposed.
        transpose_b: Whether `b` is [..., m, k] and to be transposed.
        adjoint_a: Whether `a` is [..., k, n] and to be transposed and conjugated.
        adjoint_b: Whether `b` is [..., m, k] and to be transposed and conjugated.
        a_is_sparse: A hint that many elements of `a` are zero, which changes nothing here.
        b_is_sparse: The same of `b`.
        output_type: A dtype in which to multiply and to return, if it is not that of `a` and `b`.
        grad_a: A note for compilers that `a` is a gradient.
        grad_b: A note for compilers that `b` is a gradient.
        name: A name for the graph node.

    Returns:
        A tensor [..., n, m].

    Raises:
        ValueError: An operand is to be both transposed and adjoint.
        InvalidArgumentError: The shapes do not fit.
    """
    for which, transpose, adjoint in (("a", transpose_a, adjoint_a), ("b", transpose_b, adjoint_b)):
        if transpose and adjoint:
            raise ValueError(
                f"Only one of `transpose_{which}` and `adjoint_{which}` can be True. "
                f"Received `transpose_{which}`={transpose}, `adjoint_{which}`={adjoint}."
            )
    a = convert_to_tensor(a, dtype_hint=b.dtype if isinstance(b, Tensor) else None)
    b = convert_to_tensor(b, dtype_hint=a.dtype)
    wanted = None if output_type is None else as_dtype(output_type)
    if a.ndim == 2 and b.ndim == 2 and (wanted is None or wanted is a.dtype is b.dtype):
        # This op can transpose but not conjugate; the batched ones can only do both.
        a, b = conj(a) if adjoint_a else a, conj(b) if adjoint_b else b
        return execute(_MATMUL, (a, b), (transpose_a or adjoint_a, transpose_b or adjoint_b, grad_a, grad_b), name)
    a, b = conj(a) if transpose_a else a, conj(b) if transpose_b else b
    flips = {"adj_x": transpose_a or adjoint_a, "adj_y": transpose_b or adjoint_b, "grad_x": grad_a, "grad_y": grad_b}
    if wanted is not None and not (wanted is a.dtype is b.dtype):
        return raw.BatchMatMulV3(a, b, Tout=wanted, **flips, name=name)
    return raw.BatchMatMulV2(a, b, **flips, name=name)


def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Returns the product of a matrix [..., n, k] and a vector [..., k]; arguments as for `matmul`."""
    column = raw.ExpandDims(convert_to_tensor(b), np.int32(-1))
    product = matmul(a, column, transpose_a, False, adjoint_a, False, a_is_sparse, b_is_sparse)
    return raw.Squeeze(product, squeeze_dims=[-1], name=name)


def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """Returns the sum over products that an equation says, in Einstein's notation.

    Each letter is an axis. Operands' elements are multiplied where their letters agree, and summed over letters that the
    result does not have. `...` stands for further axes, which are broadcast. Without `->`, the result has the letters that
    stand once, in alphabetical order.

    Args:
        equation: For instance `"bij,bjk->bik"`.
        *inputs: The operands, as many as the equation has.
        **kwargs: `name`, a name for the graph node; `optimize`, by which NumPy's `einsum_path` orders the products of more
            than two operands.

    Raises:
        ValueError: The equation is malformed or does not fit the operands.
        TypeError: A keyword is unknown.
    """
    name, optimize = kwargs.pop("name", None), kwargs.pop("optimize", "greedy")
    if kwargs:
        raise TypeError(f"Invalid keyword arguments for einsum: {', '.join(map(repr, sorted(kwargs)))}.")
    tensors = [convert_to_tensor(item) for item in inputs]
    operands, result = parse_equation(equation)
    if len(operands) != len(tensors):
        raise ValueError(f"The equation {equation!r} is of {len(operands)} operands, but there are {len(tensors)}.")
    for left, right in _order(equation, tensors, optimize):
        first, second = (operands.pop(index) for index in (right, left))
        pair = [tensors.pop(index) for index in (right, left)]
        needed = set("".join(operands) + result)
        kept = "".join(letter for letter in dict.fromkeys((second + first).replace("...", "")) if letter in needed)
        kept = ("..." if "..." in first + second else "") + kept
        tensors.append(raw.Einsum(pair[::-1], equation=f"{second},{first}->{kept}"))
        operands.append(kept)
    return raw.Einsum(tensors, equation=f"{','.join(operands)}->{result}", name=name)


def _order(equation: str, tensors: Sequence[Tensor], optimize: Any) -> list[tuple[int, int]]:
    """Which two operands to multiply next, until two are left."""
    count = len(tensors)
    if count <= 2:
        return []
    known = all(tensor.dims is not None and None not in tensor.dims for tensor in tensors)
    path: list[tuple[int, ...]] = []
    if known:
        shapes = [np.broadcast_to(np.float32(0), tensor.dims) for tensor in tensors]  # type: ignore[arg-type]
        path = np.einsum_path(equation.replace(" ", ""), *shapes, optimize=optimize)[0][1:]
    if any(len(step) != 2 for step in path) or len(path) != count - 1:
        path = [(0, 1)] * (count - 1)
    return [(min(step), max(step)) for step in path[: count - 2]]


def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """Returns the sum of products over axes of two tensors.

    Args:
        a: A tensor of known rank.
        b: Another, of the same dtype.
        axes: How many of the last axes of `a` and the first of `b` to sum over; or a pair of lists of axes, of `a` and `b`.
        name: A name for the graph node.

    Returns:
        A tensor with the other axes of `a`, then those of `b`.

    Raises:
        ValueError: The axes are not as many of both, out of range, or a rank is unknown.
    """
    a, b = convert_to_tensor(a), convert_to_tensor(b)
    if a.ndim is None or b.ndim is None:
        raise ValueError("tf.tensordot needs tensors of known rank; give them one with tf.ensure_shape.")
    if np.ndim(axes) == 0:
        count = int(axes)
        if not 0 <= count <= min(a.ndim, b.ndim):
            raise ValueError(f"`axes` must be between 0 and the lesser rank, {min(a.ndim, b.ndim)}. Received: {axes}.")
        of_a, of_b = list(range(a.ndim - count, a.ndim)), list(range(count))
    else:
        if len(axes) != 2:
            raise ValueError(f"`axes` must be an integer or have length 2. Received {axes}.")
        of_a, of_b = ([normal_axis(int(item), rank) for item in np.reshape(np.asarray(one), -1)]
                      for one, rank in zip(axes, (a.ndim, b.ndim), strict=True))  # fmt: skip
        if len(of_a) != len(of_b):
            raise ValueError(f"Different number of contraction axes `a` and `b`, {len(of_a)} != {len(of_b)}.")
    letters = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    a_labels = [next(letters) for _ in range(a.ndim)]
    b_labels = [a_labels[of_a[of_b.index(axis)]] if axis in of_b else next(letters) for axis in range(b.ndim)]
    kept = [letter for axis, letter in enumerate(a_labels) if axis not in of_a]
    kept += [letter for axis, letter in enumerate(b_labels) if axis not in of_b]
    return raw.Einsum([a, b], equation=f"{''.join(a_labels)},{''.join(b_labels)}->{''.join(kept)}", name=name)


def cross(a: Any, b: Any, name: str | None = None) -> Tensor:
    """Returns the cross products of vectors of three numbers, which are the last axis of two tensors of one shape."""
    return raw.Cross(a, b, name=name)
