"""Bits of integers (`tf.bitwise`)."""

from __future__ import annotations

from typing import Any

from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values.tensors import Tensor

__all__ = ["bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"]


@dispatched(elementwise=2)
def bitwise_and(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns the bits that both integers have."""
    return raw.BitwiseAnd(x, y, name=name)


@dispatched(elementwise=2)
def bitwise_or(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns the bits that either integer has."""
    return raw.BitwiseOr(x, y, name=name)


@dispatched(elementwise=2)
def bitwise_xor(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns the bits that exactly one of two integers has."""
    return raw.BitwiseXor(x, y, name=name)


@dispatched(elementwise=1)
def invert(x: Any, name: str | None = None) -> Tensor:
    """Returns the bits that an integer has not."""
    return raw.Invert(x, name=name)


@dispatched(elementwise=2)
def left_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns x moved left by y bits; y is held between 0 and the dtype's width less 1."""
    return raw.LeftShift(x, y, name=name)


@dispatched(elementwise=2)
def right_shift(x: Any, y: Any, name: str | None = None) -> Tensor:
    """Returns x moved right by y bits, keeping its sign; y is held between 0 and the dtype's width less 1."""
    return raw.RightShift(x, y, name=name)
