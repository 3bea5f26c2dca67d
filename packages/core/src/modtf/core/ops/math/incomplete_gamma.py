"""The incomplete gamma and beta functions, computed in float64 by their series and continued fractions.

M. Abramowitz and I. A. Stegun, "Handbook of Mathematical Functions", 6.5 and 26.5; the derivative with respect to the
shape parameter goes through the series and the fraction term by term, as R. J. Moore does it ("Algorithm AS 187:
Derivatives of the Incomplete Gamma Integral", Applied Statistics 31, 1982).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import broadcast, merged
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import like, unbroadcast
from modtf.core.ops.math.special import digamma, lgamma
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_MOST_TERMS = 10_000
_EPSILON = np.finfo(np.float64).eps
_LARGE = 2.0**52

# ------------------------------------------------------------------------------------------------- gamma


def _lower_series(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P(a, x) and its derivative by a, for x not far above a (6.5.29)."""
    term, total = np.ones_like(x), np.ones_like(x)
    d_term, d_total = np.zeros_like(x), np.zeros_like(x)
    for k in range(1, _MOST_TERMS):
        ratio = x / (a + k)
        term, d_term = term * ratio, (d_term - term / (a + k)) * ratio
        total, d_total = total + term, d_total + d_term
        if not np.any((term > _EPSILON * total) | (np.abs(d_term) > _EPSILON * np.abs(d_total))):
            break
    factor = np.exp(a * np.log(x) - x - lgamma(np, a + 1))
    return factor * total, factor * (d_total + total * (np.log(x) - digamma(np, a + 1)))


def _upper_fraction(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Q(a, x) = 1 - P(a, x) and its derivative by a, for x above a (6.5.31, by the recurrence of its convergents)."""
    y, z = 1 - a, x - a + 2
    p = [np.ones_like(x), x + 1]
    q = [x, z * x]
    d_p, d_q = [np.zeros_like(x), np.zeros_like(x)], [np.zeros_like(x), -x]
    value = p[1] / q[1]
    slope = (d_p[1] - value * d_q[1]) / q[1]
    for k in range(1, _MOST_TERMS):
        y, z = y + 1, z + 2
        for pair, d_pair in ((p, d_p), (q, d_q)):
            following = pair[1] * z - pair[0] * y * k
            d_following = d_pair[1] * z - pair[1] - d_pair[0] * y * k + pair[0] * k
            pair[:], d_pair[:] = [pair[1], following], [d_pair[1], d_following]
        known = q[1] != 0
        safe = np.where(known, q[1], 1)
        latest = np.where(known, p[1] / safe, value)
        steeper = np.where(known, (d_p[1] - latest * d_q[1]) / safe, slope)
        moved = np.abs(latest - value) > 2 * _EPSILON * np.abs(latest)
        # The slope is a difference, whose rounding never ceases to move it.
        noise = _EPSILON * (np.abs(d_p[1] / safe) + np.abs(latest * d_q[1] / safe))
        turned = np.abs(steeper - slope) > 2 * noise
        value, slope = latest, steeper
        if not np.any(moved | turned):
            break
        shrink = np.where(np.abs(p[1]) > _LARGE, 1 / _LARGE, 1.0)
        for pair in (p, q, d_p, d_q):
            pair[:] = [item * shrink for item in pair]
    factor = np.exp(a * np.log(x) - x - lgamma(np, a))
    return factor * value, factor * (slope + value * (np.log(x) - digamma(np, a)))


def incomplete_gamma(a: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P(a, x), Q(a, x) and the derivative of P by a, NaN outside of their domain."""
    a, x = (np.asarray(item, np.float64) for item in np.broadcast_arrays(a, x))
    lower, upper, slope = (np.full(a.shape, np.nan) for _ in range(3))
    inside = (a > 0) & (x >= 0)
    for edge, values in ((inside & (np.isposinf(a) | (x == 0)), (0.0, 1.0)), (inside & np.isposinf(x), (1.0, 0.0))):
        lower[edge], upper[edge], slope[edge] = *values, 0.0
    lower[x == 0] = slope[x == 0] = 0.0
    inside &= (x > 0) & np.isfinite(x) & np.isfinite(a)
    series = inside & ((x <= 1) | (x <= a))
    lower[series], slope[series] = _lower_series(a[series], x[series])
    upper[series] = 1 - lower[series]
    fraction = inside & ~series
    upper[fraction], d_upper = _upper_fraction(a[fraction], x[fraction])
    lower[fraction], slope[fraction] = 1 - upper[fraction], -d_upper
    return lower, upper, slope


def _register(name: str, types: str, which: int) -> Op:
    def kernel(xp: Any, a: np.ndarray, x: np.ndarray) -> np.ndarray:
        return incomplete_gamma(a, x)[which].astype(a.dtype)

    schema = f"{name}[T: {types}](a: T, x: T) -> (z: T)"
    return register(Op(schema, kernel=kernel, shape=broadcast, host_only=True, quiet=True))


def _density(a: Tensor, x: Tensor) -> Tensor:
    """The derivative of P(a, x) by x."""
    one = like(a, 1, scalar=True)
    return raw.Exp(-x + (a - one) * raw.Log(x) - raw.Lgamma(a))


@_register("Igamma", "floating", 0).gradient
def _(call: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
    a, x = call.inputs
    return unbroadcast(dz * raw.IgammaGradA(a, x), a, x), unbroadcast(dz * _density(a, x), x, a)


@_register("Igammac", "floating", 1).gradient
def _(call: Any, dz: Tensor) -> tuple[Tensor, Tensor]:
    a, x = call.inputs
    return unbroadcast(-dz * raw.IgammaGradA(a, x), a, x), unbroadcast(-dz * _density(a, x), x, a)


_register("IgammaGradA", "float32|float64", 2)

# ------------------------------------------------------------------------------------------------- beta


def _beta_fraction(a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The incomplete beta function for x below its mean (26.5.8, by Lentz's method)."""
    tiny = 1e-300

    def away_from_zero(value: np.ndarray) -> np.ndarray:
        return np.where(np.abs(value) < tiny, tiny, value)

    c = np.ones_like(x)
    d = 1 / away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        change = np.ones_like(x)
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / away_from_zero(1 + numerator * d)
            c = away_from_zero(1 + numerator / c)
            change = d * c
            value = value * change
        if not np.any(np.abs(change - 1) > _EPSILON):
            break
    logarithm = a * np.log(x) + b * np.log1p(-x) + lgamma(np, a + b) - lgamma(np, a) - lgamma(np, b)
    return np.exp(logarithm) * value / a


def _beta_dims(a: Tensor, b: Tensor, x: Tensor) -> Dims:
    shapes = [tensor.dims for tensor in (a, b, x)]
    if None in shapes:
        return None
    larger = [dims for dims in shapes if dims]
    return merged(*larger) if larger else ()


@op("Betainc[T: float32|float64](a: T, b: T, x: T) -> (z: T)", shape=_beta_dims, host_only=True, quiet=True)
def betainc(xp: Any, a: np.ndarray, b: np.ndarray, x: np.ndarray) -> np.ndarray:
    shapes = {item.shape for item in (a, b, x) if item.ndim}
    if len(shapes) > 1:
        raise ValueError(f"a, b and x must be scalars or of one shape; their shapes are {sorted(shapes)}")
    wide = np.broadcast_arrays(*(np.asarray(item, np.float64) for item in (a, b, x)))
    result = np.full(wide[0].shape, np.nan)
    defined = (wide[0] > 0) & (wide[1] > 0)
    result[defined & (wide[2] == 0)], result[defined & (wide[2] == 1)] = 0.0, 1.0
    inside = defined & (wide[2] > 0) & (wide[2] < 1)
    p, q, z = (item[inside] for item in wide)
    mirrored = z > (p + 1) / (p + q + 2)
    values = _beta_fraction(np.where(mirrored, q, p), np.where(mirrored, p, q), np.where(mirrored, 1 - z, z))
    result[inside] = np.where(mirrored, 1 - values, values)
    return result.astype(a.dtype)


@betainc.gradient
def _(call: Any, dz: Tensor) -> tuple[None, None, Tensor]:
    a, b, x = call.inputs
    one = like(a, 1, scalar=True)
    log_beta = raw.Lgamma(a) + raw.Lgamma(b) - raw.Lgamma(a + b)
    density = raw.Exp(raw.Xlog1py(b - one, -x) + raw.Xlogy(a - one, x) - log_beta)
    return None, None, unbroadcast(density * dz, x, call.outputs[0])
