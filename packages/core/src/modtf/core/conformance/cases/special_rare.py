"""Special functions that few programs use."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, some

_WIDE = "float64 float32"
# Where functions are infinite, undefined, or computed in another way than nearby.
_SHAPES = Given([[0.5, 1, 2.5], [20, 150, 0], [3, -1, 1e-3], [0, 1, 2]])
_PLACES = Given([[0.25, 1, 0], [25, 140, 1], [-1, 2, 1e-4], [0, 0, np.inf]])

for _name in ("Igamma", "Igammac", "IgammaGradA"):
    # TensorFlow has no derivative of IgammaGradA, so that there is no second one by `a`.
    case(_name, some(2, 3, low=0.5, high=5), some(2, 3, low=0.1, high=6), dtypes=_WIDE, tolerance=8, orders=1)
    case(_name, some(3, 1, low=8, high=12), some(2, low=6, high=14), dtypes=_WIDE, tolerance=8, orders=1)
    case(_name, _SHAPES, _PLACES, dtypes=_WIDE, tolerance=8)
    case(_name, some(0), some(0), dtypes="float64", smooth=False)
    mistake(_name, some(2, low=1), some(3, low=1))

case("Betainc", some(4, low=0.5, high=5), some(4, low=0.5, high=5), some(4, low=0.1, high=0.9),
     dtypes=_WIDE, tolerance=16, smooth=False)  # fmt: skip
case("Betainc", Given(2.5), Given(0.75), some(2, 3, low=0.1, high=0.9), dtypes=_WIDE, tolerance=16, orders=1)
case("Betainc", some(3, low=0.5, high=5), Given(2), Given(0.5), dtypes=_WIDE, tolerance=16, smooth=False)
case(
    "Betainc",
    Given([1, 2, 0, 2, 50]),
    Given([1, 3, 1, 2, 70]),
    Given([0, 1, 0.5, -0.5, 0.4]),
    dtypes=_WIDE,
    tolerance=16,
)
mistake("Betainc", some(2, low=1), some(3, low=1), some(2, low=0, high=1))

# name: the bounds, and an element where the derivative is a special case
_FUNCTIONS = {
    "BesselI0": (-4, 4, 0), "BesselI0e": (-4, 4, 0), "BesselI1": (-4, 4, 0), "BesselI1e": (-4, 4, 0),
    "BesselJ0": (-4, 4, 0), "BesselJ1": (-4, 4, 0), "BesselK0": (0.5, 4, 12), "BesselK0e": (0.5, 4, 12),
    "BesselK1": (0.5, 4, 12), "BesselK1e": (0.5, 4, 12), "BesselY0": (0.5, 4, 12), "BesselY1": (0.5, 4, 12),
    "Dawsn": (-4, 4, 0), "Expint": (0.5, 4, 12), "FresnelCos": (-3, 3, 0), "FresnelSin": (-3, 3, 0),
    "Spence": (0.25, 4, 1),
}  # fmt: skip
for _name, (_low, _high, _special) in _FUNCTIONS.items():
    case(_name, some(2, 5, low=_low, high=_high), dtypes=_WIDE, tolerance=8)
    case(_name, Given([_special, 30.0, -20.0]), dtypes=_WIDE, tolerance=8)
    case(_name, some(0), dtypes="float32")
