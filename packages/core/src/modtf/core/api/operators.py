"""Attaches Python's operators to `Tensor`, each as the op that TensorFlow uses for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.engine.execution import execute
from modtf.core.engine.vocabulary import Op, get_op
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import EagerTensor, Tensor

_FLOATING_DIVISION = {"int8": "float32", "uint8": "float32", "int16": "float32", "uint16": "float32"} | {
    name: "float64" for name in ("int32", "uint32", "int64", "uint64")
}


def _binary(op: Op, attrs: tuple[Any, ...] = ()) -> Callable[[Tensor, Any], Any]:
    def operator(self: Tensor, other: Any) -> Any:
        if other.__class__ is not EagerTensor and not isinstance(other, Tensor):
            try:
                other = convert_to_tensor(other, None, self.dtype)
            except (TypeError, ValueError):
                if hasattr(type(other), "__array__") or isinstance(other, (int, float, complex, str, bytes, list, tuple)):
                    raise
                return NotImplemented
        return execute(op, (self, other), attrs)

    return operator


def _reflected(op: Op, attrs: tuple[Any, ...] = ()) -> Callable[[Tensor, Any], Any]:
    def operator(self: Tensor, other: Any) -> Any:
        return execute(op, (convert_to_tensor(other, None, self.dtype), self), attrs)

    return operator


def _unary(op: Op) -> Callable[[Tensor], Any]:
    return lambda self: execute(op, (self,))


def _by_dtype(numeric: str, boolean: str) -> Callable[[Tensor, Any], Any]:
    """`&`, `|` and `^` are logical on bools and bitwise on integers."""
    of_bools = _binary(get_op(boolean))
    return lambda self, other: of_bools(self, other) if self.dtype.is_bool else _binary(get_op(numeric))(self, other)


def true_divide(x: Tensor, y: Any) -> Tensor:
    """`x / y`; integers are made floating first, of the type that TensorFlow chooses."""
    y = convert_to_tensor(y, None, x.dtype)
    floating = _FLOATING_DIVISION.get(x.dtype.name)
    if floating is not None and y.dtype is x.dtype:
        cast = get_op("Cast")
        x, y = cast(x, DstT=floating), cast(y, DstT=floating)
    return execute(get_op("RealDiv"), (x, y))


def _equality(name: str, otherwise: bool) -> Callable[[Tensor, Any], Any]:
    op = get_op(name)

    def operator(self: Tensor, other: Any) -> Any:
        if other is None:
            return otherwise
        try:
            other = convert_to_tensor(other, None, self.dtype)
        except (TypeError, ValueError):
            return otherwise
        return execute(op, (self, other), (False,))

    return operator


_BINARY = {
    "add": "AddV2", "sub": "Sub", "mul": "Mul", "floordiv": "FloorDiv", "mod": "FloorMod", "pow": "Pow",
}  # fmt: skip
_COMPARISONS = {"lt": "Less", "le": "LessEqual", "gt": "Greater", "ge": "GreaterEqual"}


def attach(cls: type) -> None:
    """Gives a class the operators."""
    for short, name in _BINARY.items():
        setattr(cls, f"__{short}__", _binary(get_op(name)))
        setattr(cls, f"__r{short}__", _reflected(get_op(name)))
    for short, name in _COMPARISONS.items():
        setattr(cls, f"__{short}__", _binary(get_op(name)))
    cls.__truediv__ = lambda self, other: true_divide(self, other)  # type: ignore[attr-defined]
    cls.__rtruediv__ = lambda self, other: true_divide(convert_to_tensor(other, None, self.dtype), self)  # type: ignore[attr-defined]
    cls.__neg__ = _unary(get_op("Neg"))  # type: ignore[attr-defined]
    cls.__abs__ = _unary(get_op("Abs"))  # type: ignore[attr-defined]
    cls.__eq__ = _equality("Equal", False)  # type: ignore[assignment]
    cls.__ne__ = _equality("NotEqual", True)  # type: ignore[assignment]

