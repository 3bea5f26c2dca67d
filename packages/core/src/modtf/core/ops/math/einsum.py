"""Einstein summation: each equation becomes transposes and one batched product of matrices."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.common import conj, like, shape_of
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.shapes import Dims, broadcast_dims
from modtf.core.values.tensors import Tensor


def parse_equation(equation: str) -> tuple[list[str], str]:
    """Returns the operands' and the result's labels; `...` among them stands for any number of axes.

    Raises:
        ValueError: It is no equation.
    """
    text = equation.replace(" ", "")
    left, arrow, result = text.partition("->")
    operands = left.split(",")
    for labels in (*operands, result):
        letters = labels.replace("...", "", 1)
        if any(letter not in string.ascii_letters for letter in letters):
            raise ValueError(f"Not an einsum equation: {equation!r}. Expected letters, commas, '...' and one '->'.")
    if not arrow:  # what stands once, in alphabetical order
        letters = left.replace("...", "").replace(",", "")
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        result = ("..." if "..." in left else "") + "".join(once)
    if "..." in left and "..." not in result:
        raise ValueError(f"The result of {equation!r} must have '...', since an operand has it.")
    unknown = set(result.replace("...", "")) - set(left)
    if unknown:
        raise ValueError(f"The result of {equation!r} has labels that no operand has: {sorted(unknown)}.")
    return operands, result


def _spelled_out(operands: Sequence[str], result: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """Replaces `...` by letters that are not used otherwise, aligned at the last axis."""
    used = set("".join(operands))
    free = "".join(letter for letter in string.ascii_letters if letter not in used)
    hidden = []
    for labels, rank in zip(operands, ranks, strict=True):
        count = rank - len(labels.replace("...", ""))
        if count < 0 or (count > 0 and "..." not in labels):
            raise ValueError(f"An operand of rank {rank} does not have the axes {labels!r}")
        hidden.append(count)
    longest = free[: max(hidden)]
    spelled = [
        labels.replace("...", longest[len(longest) - count :]) for labels, count in zip(operands, hidden, strict=True)
    ]
    return spelled, result.replace("...", longest)


def _sizes(operands: Sequence[str], shapes: Sequence[Dims], equation: str) -> dict[str, int | None]:
    """The labels' sizes. Those of the equation have one each; the axes that `...` stands for are broadcast."""
    sizes: dict[str, int | None] = {}
    for labels, dims in zip(operands, shapes, strict=True):
        assert dims is not None
        for letter, dim in zip(labels, dims, strict=True):
            if letter in equation:
                found = merged((sizes.get(letter),), (dim,))
            else:
                found = broadcast_dims((sizes.get(letter, 1),), (dim,))
            assert found is not None
            sizes[letter] = found[0]
    return sizes


def _einsum_dims(inputs: list[Tensor], *, equation: str) -> Dims:
    operands, result = parse_equation(equation)
    if len(operands) != len(inputs):
        raise ValueError(f"The equation {equation!r} is of {len(operands)} operands, but there are {len(inputs)}")
    shapes = [tensor.dims for tensor in inputs]
    if any(dims is None for dims in shapes):
        return None if "..." in result else (None,) * len(result)
    spelled, result = _spelled_out(operands, result, [len(dims) for dims in shapes if dims is not None])
    sizes = _sizes(spelled, shapes, equation)
    return tuple(sizes[letter] for letter in result)


def _on_diagonal(xp: Any, x: Any, first: int, second: int) -> Any:
    """The operand where two axes have the same index, else 0."""
    size = x.shape[first]
    shape = [size if axis in (first, second) else 1 for axis in range(x.ndim)]
    equal = xp.reshape(xp.eye(size, dtype=xp.bool), tuple(shape))
    return xp.where(equal, x, xp.zeros_like(x))


def _without_repeats(xp: Any, x: Any, labels: str) -> tuple[Any, str]:
    """Takes the diagonal where an operand has a label twice."""
    for letter in dict.fromkeys(labels):
        while labels.count(letter) > 1:
            first = labels.index(letter)
            second = labels.index(letter, first + 1)
            x = xp.sum(_on_diagonal(xp, x, first, second), axis=second, dtype=x.dtype)
            labels = labels[:second] + labels[second + 1 :]
    return x, labels


def _with_repeats(xp: Any, x: Any, labels: str, result: str) -> Any:
    """Puts the operand on a diagonal where the result has a label twice."""
    for axis, letter in enumerate(result):
        if letter in result[:axis]:
            first = result.index(letter)
            x = xp.expand_dims(x, axis=axis)
            x = xp.broadcast_to(x, (*x.shape[:axis], x.shape[first], *x.shape[axis + 1 :]))
            x = _on_diagonal(xp, x, first, axis)
    return x


def _arranged(xp: Any, x: Any, labels: str, wanted: str) -> Any:
    """Sums over the labels that are not wanted and brings the others into order; missing ones get size 1."""
    gone = tuple(axis for axis, letter in enumerate(labels) if letter not in wanted)
    if gone:
        x = xp.sum(x, axis=gone, dtype=x.dtype)
        labels = "".join(letter for letter in labels if letter in wanted)
    order = tuple(labels.index(letter) for letter in wanted if letter in labels)
    if order != tuple(range(len(order))):
        x = xp.permute_dims(x, order)
    missing = [axis for axis, letter in enumerate(wanted) if letter not in labels]
    for axis in missing:
        x = xp.expand_dims(x, axis=axis)
    return x


def _merge_last(xp: Any, x: Any, left: int, counts: Sequence[int]) -> Any:
    """Makes one axis each of groups of so many axes, after the first `left`."""
    shape = list(x.shape[:left])
    position = left
    for count in counts:
        size = 1
        for dim in x.shape[position : position + count]:
            size *= dim
        shape.append(size)
        position += count
    return xp.reshape(x, tuple(shape))


def _pair(xp: Any, a: Any, b: Any, a_labels: str, b_labels: str, result: str) -> Any:
    both = [letter for letter in a_labels if letter in b_labels]
    batch = "".join(letter for letter in result if letter in both)
    summed = "".join(letter for letter in both if letter not in result)
    rows = "".join(letter for letter in result if letter in a_labels and letter not in both)
    columns = "".join(letter for letter in result if letter in b_labels and letter not in both)
    a = _arranged(xp, a, a_labels, batch + rows + summed)
    b = _arranged(xp, b, b_labels, batch + summed + columns)
    row_dims, column_dims = a.shape[len(batch) : len(batch) + len(rows)], b.shape[len(batch) + len(summed) :]
    product = xp.matmul(
        _merge_last(xp, a, len(batch), (len(rows), len(summed))),
        _merge_last(xp, b, len(batch), (len(summed), len(columns))),
    )
    product = xp.reshape(product, (*product.shape[:-2], *row_dims, *column_dims))
    return _arranged(xp, product, batch + rows + columns, result)


@widened
def _contracted(xp: Any, *arrays: Any, operands: Sequence[str], result: str) -> Any:
    distinct = "".join(dict.fromkeys(result))
    parts = [_without_repeats(xp, x, labels) for x, labels in zip(arrays, operands, strict=True)]
    total, labels = parts[0]
    if len(parts) == 2:
        total = _pair(xp, total, parts[1][0], labels, parts[1][1], distinct)
    else:
        total = _arranged(xp, total, labels, distinct)
    return _with_repeats(xp, total, distinct, result)


def _einsum(xp: Any, inputs: list[Any], *, equation: str) -> Any:
    operands, result = parse_equation(equation)
    if len(inputs) != len(operands) or len(inputs) > 2:
        raise ValueError(
            f"Einsum takes one or two operands, as many as its equation has; got {len(inputs)} for {equation!r}"
        )
    operands, result = _spelled_out(operands, result, [x.ndim for x in inputs])
    _sizes(operands, [x.shape for x in inputs], equation)
    return _contracted(xp, *inputs, operands=operands, result=result)


einsum = register(
    Op(
        "Einsum[T](inputs: N * T, *, equation: string) -> (output: T)",
        kernel=_einsum,
        shape=_einsum_dims,
        quiet=True,
    )
)


@einsum.gradient
def _(call: Any, dy: Tensor) -> list[Tensor]:
    inputs = list(call.inputs)
    operands, result = parse_equation(call["equation"])
    if "..." in result:
        ranks = [x.ndim for x in inputs]
        if None in ranks:
            raise LookupError(f"The gradient of Einsum with '...' ({call['equation']!r}) needs operands of known rank.")
        operands, result = _spelled_out(operands, result, ranks)
        inputs = [_as_long_as(x, labels, dy, result) for x, labels in zip(inputs, operands, strict=True)]
    gradients = []
    for index, (x, labels) in enumerate(zip(inputs, operands, strict=True)):
        others = [(conj(inputs[1 - index]), operands[1 - index])] if len(operands) == 2 else []
        dx = _operand_gradient(x, labels, dy, result, others)
        if x is not call.inputs[index]:
            shape = raw.Shape(call.inputs[index])
            axes, _ = raw.BroadcastGradientArgs(shape, raw.Shape(dx))
            dx = raw.Reshape(raw.Sum(dx, axes, keep_dims=False), shape)
        gradients.append(dx)
    return gradients


def _as_long_as(x: Tensor, labels: str, dy: Tensor, result: str) -> Tensor:
    """Repeats an operand along axes that were broadcast (or may have been) to those of the result."""
    x_shape, dy_shape = shape_of(x), shape_of(dy)
    sizes = [dy_shape[result.index(item)] if item in result else x_shape[axis] for axis, item in enumerate(labels)]
    if all(isinstance(size, np.integer) for size in sizes) and tuple(sizes) == x.dims:
        return x
    return raw.BroadcastTo(x, raw.Pack(sizes, axis=0))


def _operand_gradient(x: Tensor, labels: str, dy: Tensor, result: str, others: list[tuple[Tensor, str]]) -> Tensor:
    present = result + "".join(other for _, other in others)
    alone = "".join(dict.fromkeys(letter for letter in labels if letter not in present))
    if alone:  # summed over with nothing else: the gradient is repeated along them
        shape = shape_of(x)
        ones = raw.Fill(raw.Pack([shape[labels.index(letter)] for letter in alone], axis=0), like(x, 1, scalar=True))
        dy = raw.Einsum([dy, ones], equation=f"{result},{alone}->{result}{alone}")
        result += alone
    terms = [(dy, result), *others]
    return raw.Einsum([tensor for tensor, _ in terms], equation=",".join(text for _, text in terms) + "->" + labels)
