"""Special functions that SciPy computes: Bessel functions, integrals of Dawson, Fresnel and Spence, the exponential one.

They need the extra `scipy` of modtf-core.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import unchanged
from modtf.core.engine.vocabulary import Op, register
from modtf.core.extras import require
from modtf.core.ops.common import like
from modtf.core.values.tensors import Tensor


def _number(x: Tensor, value: float) -> Tensor:
    return like(x, value, scalar=True)


def _filled_at(x: Tensor, place: float, value: float, elsewhere: Tensor) -> Tensor:
    """`elsewhere`, but `value` where x is `place`."""
    return raw.SelectV2(raw.Equal(x, _number(x, place)), like(x, value), elsewhere)


def _special(name: str, function: str, gradient: Any, part: int | None = None, below: float | None = None) -> None:
    """Registers an op of one operand.

    Args:
        name: The op's name.
        function: The name in `scipy.special`.
        gradient: `gradient(x, y)` is the derivative.
        part: Which of several results it is.
        below: What TensorFlow gives for negative numbers, if not what SciPy does.
    """

    def kernel(xp: Any, x: np.ndarray) -> np.ndarray:
        compute = getattr(require("scipy.special", extra="scipy", what=name), function)
        y = compute(x.astype(np.float64))
        y = y if part is None else y[part]
        return np.asarray(y if below is None else np.where(x < 0, below, y), x.dtype)

    made = register(
        Op(
            f"{name}[T: floating](x: T) -> (y: T)",
            kernel=kernel,
            shape=unchanged,
            host_only=True,
            quiet=True,
            extra="scipy",
        )
    )
    made.gradient(lambda call, dy: dy * gradient(call.inputs[0], call.outputs[0]))


def _angle(x: Tensor) -> Tensor:
    return _number(x, math.pi / 2) * raw.Square(x)


_special("BesselI0", "i0", lambda x, y: raw.BesselI1(x))
_special("BesselI0e", "i0e", lambda x, y: raw.BesselI1e(x) - raw.Sign(x) * y)
# At 0 the derivative is 1/2, but TensorFlow says 1.
_special("BesselI1", "i1", lambda x, y: _filled_at(x, 0, 1, raw.BesselI0(x) - y / x))
_special(
    "BesselI1e", "i1e",
    lambda x, y: _filled_at(x, 0, 0.5, raw.BesselI0e(x) - y * (raw.Sign(x) + raw.Reciprocal(x))),
)  # fmt: skip
_special("BesselK0", "k0", lambda x, y: -raw.BesselK1(x), below=math.inf)
_special("BesselK0e", "k0e", lambda x, y: y - raw.BesselK1e(x), below=math.inf)
_special("BesselK1", "k1", lambda x, y: -raw.BesselK0(x) - y / x, below=math.inf)
_special("BesselK1e", "k1e", lambda x, y: y * (_number(x, 1) - raw.Reciprocal(x)) - raw.BesselK0e(x), below=math.inf)
_special("BesselJ0", "j0", lambda x, y: -raw.BesselJ1(x))
_special("BesselJ1", "j1", lambda x, y: _filled_at(x, 0, 0.5, raw.BesselJ0(x) - y / x))
_special("BesselY0", "y0", lambda x, y: -raw.BesselY1(x), below=-math.inf)
_special("BesselY1", "y1", lambda x, y: raw.BesselY0(x) - y / x, below=-math.inf)
_special("Dawsn", "dawsn", lambda x, y: _number(x, 1) - _number(x, 2) * x * y)
_special("Expint", "expi", lambda x, y: raw.Exp(x) / x, below=math.nan)
_special("FresnelSin", "fresnel", lambda x, y: raw.Sin(_angle(x)), 0)
_special("FresnelCos", "fresnel", lambda x, y: raw.Cos(_angle(x)), 1)
_special("Spence", "spence", lambda x, y: _filled_at(x, 1, -1, raw.Log(x) / (_number(x, 1) - x)))
