"""Special functions: the error function and its relatives, the gamma function's logarithm and derivatives, zeta.

All are computed in float64 and rounded to the operand's dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import broadcast, unchanged
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.common import like, unbroadcast
from modtf.core.values.tensors import Tensor

_SQRT_HALF = math.sqrt(0.5)


def _polynomial(z: Any, coefficients: Sequence[float]) -> Any:
    """Horner's rule; the highest power's coefficient first."""
    result = coefficients[0] + 0 * z
    for coefficient in coefficients[1:]:
        result = result * z + coefficient
    return result


# ------------------------------------------------------------------------------------------------- erf, erfc

# W. J. Cody, "Rational Chebyshev Approximations for the Error Function", Math. Comp. 23 (1969), as in his CALERF: erf(x)/x
# on |x| <= 0.46875 in x^2, exp(x^2) erfc(x) up to 4 in x, and beyond in 1/x^2. Relative error below 1e-16.
_NEAR = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e00,
        1.13864154151050156e02,
        3.77485237685302021e02,
        3.20937758913846947e03,
    ),
    (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03),
)
_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01, 2.98635138197400131e02,
     8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03, 1.23033935479799725e03),
    (1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
     3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03),
)  # fmt: skip
_FAR = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2,
     6.58749161529837803e-4),
    (1.0, 2.56852019228982242e00, 1.87295284992346725e00, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)  # fmt: skip


def _ratio(z: Any, terms: tuple[Sequence[float], Sequence[float]]) -> Any:
    return _polynomial(z, terms[0]) / _polynomial(z, terms[1])


def _tail(xp: Any, size: Any) -> Any:
    """Erfc of arguments from 0.46875 up."""
    size = xp.clip(size, 0.46875, 30.0)
    z = 1 / (size * size)
    far = (1 / math.sqrt(math.pi) - z * _ratio(z, _FAR)) / size
    scaled = xp.where(size <= 4.0, _ratio(xp.clip(size, 0.46875, 4.0), _MIDDLE), far)
    # exp(-size^2) in two factors, the first of them exact, for the square loses digits.
    coarse = xp.trunc(size * 16) / 16
    return xp.exp(-coarse * coarse) * xp.exp(-(size - coarse) * (size + coarse)) * scaled


def erf(xp: Any, x: Any) -> Any:
    """The error function of float64."""
    size = xp.abs(x)
    near = xp.where(size <= 0.46875, x, 0 * x)
    result = xp.where(size <= 0.46875, near * _ratio(near * near, _NEAR), xp.sign(x) * (1 - _tail(xp, size)))
    return xp.where(xp.isnan(x), x, result)


def erfc(xp: Any, x: Any) -> Any:
    """1 - erf(x) of float64, exact where that is tiny."""
    size = xp.abs(x)
    tail = xp.where(size > 30.0, xp.zeros_like(size), _tail(xp, size))
    result = xp.where(size <= 0.46875, 1 - erf(xp, x), xp.where(x > 0, tail, 2 - tail))
    return xp.where(xp.isnan(x), x, result)


# ------------------------------------------------------------------------------------------------- inverses of them

# M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988),
# PPND16: near the middle in 0.180625 - (p - 0.5)^2, and in sqrt(-log(tail)) less 1.6 and less 5. Relative error about 1e-16.
_MIDDLE_QUANTILE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
_TAIL_QUANTILE = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip
_FAR_QUANTILE = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0),
)  # fmt: skip


def _quantile(xp: Any, centred: Any, tail: Any) -> Any:
    """The normal distribution's quantile: of p - 0.5, and of the lesser of p and 1 - p."""
    middle = xp.clip(centred, -0.425, 0.425)
    near = middle * _ratio(0.180625 - middle * middle, _MIDDLE_QUANTILE)
    root = xp.sqrt(-xp.log(tail))
    size = xp.where(
        root <= 5.0, _ratio(root - 1.6, _TAIL_QUANTILE), _ratio(xp.clip(root, 5.0, 40.0) - 5.0, _FAR_QUANTILE)
    )
    far = xp.sign(centred) * xp.where(tail == 0, xp.full_like(size, math.inf), size)
    return xp.where(xp.abs(centred) <= 0.425, near, far)


def erfinv(xp: Any, x: Any) -> Any:
    """The inverse of erf, of float64; NaN outside [-1, 1]."""
    inside = xp.abs(x) <= 1
    x = xp.where(inside, x, 0 * x)
    result = _quantile(xp, x / 2, (1 - xp.abs(x)) / 2) * _SQRT_HALF
    return xp.where(inside, result, xp.full_like(result, math.nan))


def ndtri(xp: Any, p: Any) -> Any:
    """The quantile function of the normal distribution, of float64; NaN outside [0, 1]."""
    inside = (p >= 0) & (p <= 1)
    p = xp.where(inside, p, 0 * p + 0.5)
    result = _quantile(xp, p - 0.5, xp.minimum(p, 1 - p))
    return xp.where(inside, result, xp.full_like(result, math.nan))


# ------------------------------------------------------------------------------------------------- zeta

# B(2k) / (2k)!, for the Euler-Maclaurin formula; Abramowitz and Stegun, 23.1.30.
_EULER_MACLAURIN = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
    -3617 / 10670622842880000,
)  # fmt: skip
_SUMMED = 10


def zeta(xp: Any, x: Any, q: Any) -> Any:
    """The Hurwitz zeta function, the sum of (q + k)^-x over k from 0, of float64.

    By the Euler-Maclaurin formula, for q above -10. It is infinite at its poles (x = 1; q a whole number not above 0 and x
    even) and NaN where it is undefined (x < 1; other x for such q; x no whole number for negative q).
    """
    x = xp.where(x > 1e300, xp.full_like(x, 1e300), x)
    total = 0 * x
    for k in range(_SUMMED):
        total = total + xp.pow(q + k, -x)
    end = q + _SUMMED
    power = xp.pow(end, -x)
    rest = power * (end / (x - 1) + 0.5)
    for k, coefficient in enumerate(_EULER_MACLAURIN):
        power = power * (x if k == 0 else (x + 2 * k - 1) * (x + 2 * k)) / (end if k == 0 else end * end)
        rest = rest + coefficient * power
    total = total + xp.where(xp.pow(end, -x) == 0, xp.zeros_like(rest), rest)  # infinities times what is as good as 0
    whole_x, whole_q = xp.floor(x) == x, xp.floor(q) == q
    even_x = whole_x & (xp.remainder(x, 0 * x + 2) == 0)
    pole = (x == 1) | ((q <= 0) & whole_q & even_x)
    total = xp.where(pole, xp.full_like(total, math.inf), total)
    undefined = (x < 1) | ((x != 1) & (q <= 0) & (~whole_x | (whole_q & ~even_x)))
    return xp.where(undefined, xp.full_like(total, math.nan), total)


# ------------------------------------------------------------------------------------------------- gamma function

# Lanczos' approximation with g = 7 and nine terms (P. Godfrey's coefficients). Relative error of the gamma function
# below 1e-14.
_LANCZOS = (
    0.99999999999980993227684700473478, 676.520368121885098567009190444019, -1259.13921672240287047156078755283,
    771.3234287776530788486528258894, -176.61502916214059906584551354, 12.507343278686904814458936853,
    -0.13857109526572011689554707, 9.984369578019570859563e-6, 1.50563273514931155834e-7,
)  # fmt: skip
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_EULER_GAMMA = 0.57721566490153286061
# (-1)^k (zeta(k) - 1) / k for k from 28 down to 2, of the series of lgamma(2 + t); Abramowitz and Stegun, 6.1.33.
_ORDERS = np.arange(28.0, 1.0, -1.0)
_NEAR_TWO = tuple((zeta(np, _ORDERS, np.full_like(_ORDERS, 2.0)) * (-1) ** _ORDERS / _ORDERS).tolist())
# B(2k) / (2k), for the asymptotic series of digamma; Abramowitz and Stegun, 6.3.18.
_DIGAMMA_SERIES = (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12)


def _sine_of_pi(xp: Any, x: Any) -> Any:
    """sin(pi x), exactly zero at integers."""
    return xp.sin(math.pi * (x - xp.round(x))) * xp.where(
        xp.remainder(xp.round(x), 0 * x + 2) == 0, 0 * x + 1, 0 * x - 1
    )


def lgamma(xp: Any, x: Any) -> Any:
    """The logarithm of the absolute value of the gamma function, of float64."""
    reflect = x < 0.5
    z = xp.where(reflect, 1 - x, x)
    base = z + 6.5
    total = 0 * z + _LANCZOS[0]
    for index, coefficient in enumerate(_LANCZOS[1:]):
        total = total + coefficient / (z + index)
    value = (z - 0.5) * (xp.log(base) - 1) - 7 + _HALF_LOG_TWO_PI + xp.log(total)
    # The logarithms cancel around 1 and 2, where the function is zero.
    t = xp.clip(z - xp.where(z < 1.5, 0 * z + 1, 0 * z + 2), -0.5, 0.5)
    near = t * (1 - _EULER_GAMMA + t * _polynomial(t, _NEAR_TWO)) - xp.where(z < 1.5, xp.log1p(t), 0 * z)
    value = xp.where(z <= 2.5, near, value)
    value = xp.where(z == math.inf, z, value)
    mirrored = math.log(math.pi) - xp.log(xp.abs(_sine_of_pi(xp, x))) - value
    result = xp.where(reflect, mirrored, value)
    return xp.where(x == -math.inf, -x, result)


def digamma(xp: Any, x: Any) -> Any:
    """The derivative of lgamma, of float64; NaN where it has a pole."""
    reflect = x <= 0
    z = xp.where(reflect, 1 - x, x)
    shift = zero = xp.zeros_like(z)
    for _ in range(10):  # digamma(z) = digamma(z + 1) - 1 / z, up to where the series is exact
        small = z < 10
        shift = shift + xp.where(small, 1 / z, zero)
        z = xp.where(small, z + 1, z)
    y = 1 / (z * z)
    value = xp.log(z) - 0.5 / z - y * _polynomial(y, _DIGAMMA_SERIES) - shift
    sine = _sine_of_pi(xp, x)
    cotangent = xp.where(sine == 0, xp.full_like(sine, math.nan), _sine_of_pi(xp, x + 0.5) / sine)
    return xp.where(reflect, value - math.pi * cotangent, value)


# ------------------------------------------------------------------------------------------------- the ops


def _special(
    name: str, function: Callable[..., Any], gradient: Callable[[Tensor, Tensor, Tensor], Tensor] | None
) -> None:
    """`gradient(x, y, dy)` is the rule; with `None`, no gradient is defined."""

    def kernel(xp: Any, x: Any) -> Any:
        return xp.astype(function(xp, xp.astype(x, xp.float64)), x.dtype)

    made = register(Op(f"{name}[T: floating](x: T) -> (y: T)", kernel=kernel, shape=unchanged, quiet=True))
    if gradient is not None:
        made.gradient(lambda call, dy: gradient(call.inputs[0], call.outputs[0], dy))


def _bell(x: Tensor, height: float, flat: float = -1.0) -> Tensor:
    """Height * exp(flat * x^2)."""
    return like(x, height, scalar=True) * raw.Exp(like(x, flat, scalar=True) * raw.Square(x))


_special("Erf", erf, lambda x, y, dy: dy * _bell(x, 2 / math.sqrt(math.pi)))
_special("Erfc", erfc, lambda x, y, dy: dy * _bell(x, -2 / math.sqrt(math.pi)))
_special("Erfinv", erfinv, lambda x, y, dy: dy * _bell(y, math.sqrt(math.pi) / 2, 1.0))
_special("Ndtri", ndtri, lambda x, y, dy: dy * _bell(y, math.sqrt(2 * math.pi), 0.5))
_special("Lgamma", lgamma, lambda x, y, dy: dy * raw.Digamma(x))
_special("Digamma", digamma, lambda x, y, dy: dy * raw.Polygamma(_one(x), x))


def _one(x: Tensor) -> Tensor:
    return like(x, 1, scalar=True)


def _polygamma(xp: Any, a: Any, x: Any) -> Any:
    """The a-th derivative of digamma."""
    factor = xp.exp(lgamma(xp, a + 1)) * xp.where(xp.remainder(a, 0 * a + 2) == 1, 0 * a + 1, 0 * a - 1)
    derivative = xp.where(a == 0, digamma(xp, x + 0 * a), factor * zeta(xp, a + 1, x))
    return xp.where((a < 0) | (xp.floor(a) != a), xp.full_like(derivative, math.nan), derivative)


def _special_of_two(name: str, names: str, function: Callable[..., Any]) -> Op:
    def kernel(xp: Any, *operands: Any) -> Any:
        return xp.astype(function(xp, *(xp.astype(item, xp.float64) for item in operands)), operands[0].dtype)

    first, second = names.split()
    schema = f"{name}[T: float32|float64]({first}: T, {second}: T) -> (z: T)"
    return register(Op(schema, kernel=kernel, shape=broadcast, quiet=True))


@_special_of_two("Zeta", "x q", zeta).gradient
def _(call: Any, dz: Tensor) -> tuple[None, Tensor]:
    x, q = call.inputs
    return None, unbroadcast(dz * -x * raw.Zeta(x + _one(x), q), q, x)


@_special_of_two("Polygamma", "a x", _polygamma).gradient
def _(call: Any, dz: Tensor) -> tuple[None, Tensor]:
    a, x = call.inputs
    return None, unbroadcast(dz * raw.Polygamma(a + _one(a), x), x, a)
