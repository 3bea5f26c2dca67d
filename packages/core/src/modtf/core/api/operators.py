"""Attaches Python's operators to `Tensor`, each as the op that TensorFlow uses for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from modtf.core.engine import context as contexts
from modtf.core.engine.execution import execute
from modtf.core.engine.vocabulary import Op, get_op
from modtf.core.values import dtypes
from modtf.core.values.composites import CompositeTensor
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import EagerTensor, Tensor

Operator = Callable[[Tensor, Any], Any]

# ------------------------------------------------------------------------------------------------- operands


def _operand(value: Any, beside: Tensor) -> Tensor:
    """An operator's other operand as a tensor; a plain value gets the dtype of the tensor beside it if that can hold it."""
    kind = value.__class__
    if kind is float or kind is int:
        context = contexts.current()
        if context.graph is None and value:  # not zero, for 0.0 and -0.0 are equal as keys
            return _python_number(kind, value, beside.dtype, context.backend)  # type: ignore[arg-type]
    return convert_to_tensor(value, None, beside.dtype)


@functools.lru_cache(maxsize=1024)
def _python_number(kind: type, value: Any, dtype: Any, backend: Any) -> Tensor:
    """A number as a tensor on the current backend; the same ones come again and again."""
    return convert_to_tensor(value, None, dtype)


def _is_value(other: Any) -> bool:
    """Whether an operand that could not be converted is one that a tensor should have understood."""
    return hasattr(type(other), "__array__") or other is None or isinstance(
        other, (int, float, complex, str, bytes, list, tuple)
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- kinds of operators


def _understood(other: Any, self: Tensor) -> Any:
    """The other operand as a tensor, or `NotImplemented`: what no tensor can be made of may know what to do with tensors."""
    if isinstance(other, Tensor):
        return other
    try:
        return _operand(other, self)
    except (TypeError, ValueError):
        if _is_value(other):
            raise
        return NotImplemented


def _binary(op: Op) -> Operator:
    def operator(self: Tensor, other: Any) -> Any:
        if other.__class__ is not EagerTensor:
            other = _understood(other, self)
            if other is NotImplemented:
                return other
        return execute(op, (self, other))

    return operator


def _reflected(op: Op) -> Operator:
    return lambda self, other: execute(op, (_operand(other, self), self))


def _addition(of_numbers: Operator, of_strings: Operator) -> Operator:
    """Strings are joined by an older op, which `AddV2` lacks."""
    return lambda self, other: (of_strings if self.dtype is dtypes.string else of_numbers)(self, other)


def _unary(op: Op) -> Callable[[Tensor], Any]:
    return lambda self: execute(op, (self,))


def _bits(kind: Callable[[Op], Operator], on_integers: str, on_bools: str) -> Operator:
    """`&` and `|` are logical on bools and bitwise on integers."""
    integers, bools = kind(get_op(on_integers)), kind(get_op(on_bools))
    return lambda self, other: (bools if self.dtype is dtypes.bool_ else integers)(self, other)


_BITWISE_XOR, _LOGICAL_AND, _LOGICAL_OR, _LOGICAL_NOT = map(
    get_op, ("BitwiseXor", "LogicalAnd", "LogicalOr", "LogicalNot")
)


def _exclusive_or(self: Tensor, other: Any) -> Any:
    other = _understood(other, self)
    if other is NotImplemented:
        return other
    if self.dtype is not dtypes.bool_:
        return execute(_BITWISE_XOR, (self, other))
    both = execute(_LOGICAL_AND, (self, other))
    return execute(_LOGICAL_AND, (execute(_LOGICAL_OR, (self, other)), execute(_LOGICAL_NOT, (both,))))


def _equality(op: Op, otherwise: bool) -> Operator:
    """Tensors that do not broadcast with each other are not equal, and none is equal to `None`."""

    def operator(self: Tensor, other: Any) -> Any:
        if other is None:
            return otherwise
        if other.__class__ is not EagerTensor:
            try:
                other = _operand(other, self)
            except (TypeError, ValueError):
                if isinstance(other, CompositeTensor):
                    return NotImplemented
                raise
        return execute(op, (self, other), (False,))

    return operator


# ------------------------------------------------------------------------------------------------- division, products

_CAST, _REAL_DIV = get_op("Cast"), get_op("RealDiv")
_TRUE_DIVISION = {
    **dict.fromkeys((dtypes.int8, dtypes.uint8, dtypes.int16, dtypes.uint16), dtypes.float32),
    **dict.fromkeys((dtypes.int32, dtypes.uint32, dtypes.int64, dtypes.uint64), dtypes.float64),
    **dict.fromkeys(
        (dtypes.bfloat16, dtypes.float16, dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128), None
    ),
}


def true_divide(x: Tensor, y: Any, name: str | None = None, op: Op = _REAL_DIV) -> Tensor:
    """Returns `x / y`; integers are made floating first, of the dtype that TensorFlow chooses.

    Raises:
        TypeError: The operands have different dtypes or are not numbers.
    """
    if y.__class__ is not EagerTensor:
        y = _operand(y, x)
    dtype = x.dtype
    if y.dtype is not dtype:
        raise TypeError(
            f"`x` and `y` must have the same dtype, got {dtype!r} != {y.dtype!r}. Convert one with tf.cast."
        )
    if dtype not in _TRUE_DIVISION:
        raise TypeError(f"Invalid dtype {dtype!r} in division. Expected one of {list(_TRUE_DIVISION)}.")
    floating = _TRUE_DIVISION[dtype]
    if floating is not None:
        x, y = execute(_CAST, (x,), (floating, False)), execute(_CAST, (y,), (floating, False))
    return execute(op, (x, y), (), name)


def _true_division(self: Tensor, other: Any) -> Any:
    if other.__class__ is not EagerTensor:
        other = _understood(other, self)
        if other is NotImplemented:
            return other
    return true_divide(self, other)


def _matmul(self: Tensor, other: Any) -> Any:
    from modtf.core.api.linalg import matmul

    return matmul(self, other)


def _reflected_matmul(self: Tensor, other: Any) -> Any:
    from modtf.core.api.linalg import matmul

    return matmul(convert_to_tensor(other, None, self.dtype), self)


def _absolute(self: Tensor) -> Any:
    from modtf.core.api.elementwise import abs as absolute

    return absolute(self)


# ------------------------------------------------------------------------------------------------- attaching

_ARITHMETIC = {"sub": "Sub", "mul": "Mul", "floordiv": "FloorDiv", "mod": "FloorMod", "pow": "Pow"}
_COMPARISONS = {"lt": "Less", "le": "LessEqual", "gt": "Greater", "ge": "GreaterEqual"}
_INVERT = get_op("Invert")


def _operators() -> dict[str, Callable[..., Any]]:
    table: dict[str, Callable[..., Any]] = {}
    for short, name in _ARITHMETIC.items():
        table[short], table[f"r{short}"] = _binary(get_op(name)), _reflected(get_op(name))
    for short, name in _COMPARISONS.items():
        table[short] = _binary(get_op(name))
    for prefix, kind in (("", _binary), ("r", _reflected)):
        table[f"{prefix}add"] = _addition(kind(get_op("AddV2")), kind(get_op("Add")))
        table[f"{prefix}and"] = _bits(kind, "BitwiseAnd", "LogicalAnd")
        table[f"{prefix}or"] = _bits(kind, "BitwiseOr", "LogicalOr")
        table[f"{prefix}xor"] = _exclusive_or
    table["truediv"] = _true_division
    table["rtruediv"] = lambda self, other: true_divide(_operand(other, self), self)
    table["matmul"], table["rmatmul"] = _matmul, _reflected_matmul
    table["neg"], table["abs"] = _unary(get_op("Neg")), _absolute
    table["invert"] = lambda self: execute(_LOGICAL_NOT if self.dtype is dtypes.bool_ else _INVERT, (self,))
    table["eq"], table["ne"] = _equality(get_op("Equal"), False), _equality(get_op("NotEqual"), True)
    return table


def attach(cls: type) -> None:
    """Gives a class the operators."""
    for name, operator in _operators().items():
        setattr(cls, f"__{name}__", operator)
