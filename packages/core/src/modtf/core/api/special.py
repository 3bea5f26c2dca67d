"""Special functions of `tf.math.special`, and those of their kind in `tf.math`.

The Bessel functions and the integrals need SciPy (`pip install modtf-core[scipy]`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values.tensors import Tensor

__all__ = [
    "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "bessel_j0", "bessel_j1", "bessel_k0", "bessel_k0e", "bessel_k1",
    "bessel_k1e", "bessel_y0", "bessel_y1", "dawsn", "expint", "fresnel_cos", "fresnel_sin", "spence",
]  # fmt: skip


def _of_one(op: str, name: str, what: str) -> Callable[..., Tensor]:
    """A function of one tensor that is an op of a family which is loaded when it is first needed."""

    def function(x: Any, name: str | None = None) -> Tensor:
        return getattr(raw, op)(x, name=name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Returns {what}.\n\n    Args:\n        x: A tensor, floating.\n        name: A name for the graph node.\n"
    )
    return dispatched(elementwise=1)(function)


_FIRST, _SECOND = "the Bessel function of the first kind", "the Bessel function of the second kind"
_MODIFIED, _MODIFIED_SECOND = (
    "the modified Bessel function of the first kind",
    "the modified Bessel function of the second kind",
)

bessel_i0 = _of_one("BesselI0", "bessel_i0", f"{_MODIFIED}, of order 0")
bessel_i0e = _of_one("BesselI0e", "bessel_i0e", f"exp(-|x|) times {_MODIFIED}, of order 0")
bessel_i1 = _of_one("BesselI1", "bessel_i1", f"{_MODIFIED}, of order 1")
bessel_i1e = _of_one("BesselI1e", "bessel_i1e", f"exp(-|x|) times {_MODIFIED}, of order 1")
bessel_j0 = _of_one("BesselJ0", "bessel_j0", f"{_FIRST}, of order 0")
bessel_j1 = _of_one("BesselJ1", "bessel_j1", f"{_FIRST}, of order 1")
bessel_k0 = _of_one("BesselK0", "bessel_k0", f"{_MODIFIED_SECOND}, of order 0; infinite for x <= 0")
bessel_k0e = _of_one("BesselK0e", "bessel_k0e", f"exp(x) times {_MODIFIED_SECOND}, of order 0")
bessel_k1 = _of_one("BesselK1", "bessel_k1", f"{_MODIFIED_SECOND}, of order 1; infinite for x <= 0")
bessel_k1e = _of_one("BesselK1e", "bessel_k1e", f"exp(x) times {_MODIFIED_SECOND}, of order 1")
bessel_y0 = _of_one("BesselY0", "bessel_y0", f"{_SECOND}, of order 0; negative infinity for x <= 0")
bessel_y1 = _of_one("BesselY1", "bessel_y1", f"{_SECOND}, of order 1; negative infinity for x <= 0")
dawsn = _of_one("Dawsn", "dawsn", "Dawson's integral, exp(-x^2) times that of exp(t^2) from 0 to x")
expint = _of_one("Expint", "expint", "the exponential integral, that of exp(t)/t up to x; NaN for negative x")
fresnel_cos = _of_one("FresnelCos", "fresnel_cos", "Fresnel's cosine integral, that of cos(pi t^2 / 2) from 0 to x")
fresnel_sin = _of_one("FresnelSin", "fresnel_sin", "Fresnel's sine integral, that of sin(pi t^2 / 2) from 0 to x")
spence = _of_one("Spence", "spence", "Spence's integral, that of log(t)/(1 - t) from 1 to x")


@dispatched(elementwise=2)
def igamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """Returns the regularized lower incomplete gamma function P(a, x).

    Args:
        a: The shape parameter, positive; floating.
        x: Where the integral of t^(a-1) exp(-t) from 0 ends; not negative, of the dtype of `a`, broadcasting with it.
        name: A name for the graph node.
    """
    return raw.Igamma(a, x, name=name)


@dispatched(elementwise=2)
def igammac(a: Any, x: Any, name: str | None = None) -> Tensor:
    """Returns the regularized upper incomplete gamma function Q(a, x) = 1 - P(a, x); see `igamma`."""
    return raw.Igammac(a, x, name=name)


def betainc(a: Any, b: Any, x: Any, name: str | None = None) -> Tensor:
    """Returns the regularized incomplete beta function, float32 or float64.

    Args:
        a: A positive parameter.
        b: A positive parameter.
        x: Where the integral of t^(a-1) (1-t)^(b-1) from 0 ends, in [0, 1]. Of the three, those that are not scalars
            have one shape. No gradient flows to `a` and `b`.
        name: A name for the graph node.
    """
    return raw.Betainc(a, b, x, name=name)
