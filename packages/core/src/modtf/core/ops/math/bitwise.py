"""Bits of integers: logic, shifts, counting."""

from __future__ import annotations

from typing import Any

from modtf.core.engine.shape_rules import broadcast, unchanged
from modtf.core.engine.vocabulary import Op, register


def _shift(function: str) -> Any:
    """The namespace's shift; the distance is held between 0 and the width less 1, as in TensorFlow."""

    def kernel(xp: Any, x: Any, y: Any) -> Any:
        width = 8 * x.dtype.itemsize
        return getattr(xp, function)(x, xp.clip(y, 0, width - 1))

    return kernel


_BINARY: dict[str, Any] = {
    "BitwiseAnd": "bitwise_and",
    "BitwiseOr": "bitwise_or",
    "BitwiseXor": "bitwise_xor",
    "LeftShift": _shift("bitwise_left_shift"),
    "RightShift": _shift("bitwise_right_shift"),
}
for _name, _kernel in _BINARY.items():
    register(Op(f"{_name}[T: integer](x: T, y: T) -> (z: T)", kernel=_kernel, shape=broadcast)).gradient(None)

register(Op("Invert[T: integer](x: T) -> (y: T)", kernel="bitwise_invert", shape=unchanged)).gradient(None)


def _population_count(xp: Any, x: Any) -> Any:
    unsigned = xp.astype(x, getattr(xp, f"uint{8 * x.dtype.itemsize}"))
    count = xp.zeros_like(unsigned)
    for position in range(8 * x.dtype.itemsize):
        count = count + ((unsigned >> position) & 1)
    return xp.astype(count, xp.uint8)


register(Op("PopulationCount[T: integer](x: T) -> (y: uint8)", kernel=_population_count, shape=unchanged)).gradient(
    None
)
