"""Sums and the like over axes, where the extremes are, and running sums."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, INTS, NUMBERS, REALS, Given, i32, i64, some

# name: dtypes, and the lower bound of the inputs
_REDUCTIONS = {
    "Sum": (NUMBERS, -2), "Prod": (NUMBERS, 0.5), "Mean": (NUMBERS, -2), "EuclideanNorm": (NUMBERS, 0.5),
    "Max": (REALS, -2), "Min": (REALS, -2),
}  # fmt: skip
for _name, (_dtypes, _low) in _REDUCTIONS.items():
    case(_name, some(2, 3, low=_low), i32([1]), dtypes=_dtypes)
    case(_name, some(2, 3, 2, low=_low), i32([-1, 0]), dtypes="float32 int32", keep_dims=True)
    case(_name, some(2, 3, low=_low), i64([0, 1]), dtypes="float32")
    case(_name, some(2, 3, low=_low), i32(-2), dtypes="float32")
    case(_name, some(2, 3, low=_low), i32([]), dtypes="float32")
    case(_name, some(low=_low), i32([]), dtypes="float32")
    case(_name, some(0, 3), i32([0]), dtypes="float32", smooth=False)
    case(_name, some(0, 3), i32([1]), dtypes="float32", smooth=False)
    mistake(_name, some(2, 3), i32([2]))
    mistake(_name, some(2, 3), i32([0, 0]), told_by="arguments")
for _name in ("Sum", "Prod", "Max", "Min", "Mean"):
    case(_name, some(5, low=0, high=3), i32([0]), dtypes="int8 uint8 int16 uint16")
for _name in ("Max", "Min"):
    case(_name, Given([[1.0, np.nan], [np.inf, 2.0], [-np.inf, 0.0]]), i32([1]), dtypes="float32")
case("Prod", Given([[0.0, 2.0, 3.0], [0.0, 0.0, 3.0]]), i32([1]), dtypes="float32")

for _name in ("All", "Any"):
    case(_name, some(4, 3), i32([1]), dtypes="bool")
    case(_name, some(4, 3), i32([0, 1]), dtypes="bool", keep_dims=True)
    case(_name, some(0, 3), i32([0]), dtypes="bool")

for _name in ("ArgMax", "ArgMin"):
    case(_name, some(3, 4), i32(1), dtypes=REALS)
    case(_name, some(3, 4, 2), i32(-2), dtypes="float32", output_type="int32")
    case(_name, Given([2, 1, 2, 1]), i32(0), dtypes=f"{INTS} float32 uint8")
    mistake(_name, some(3, 4), i32(2))

for _name in ("Cumsum", "Cumprod"):
    case(_name, some(3, 4, low=0.5), i32(1), dtypes=NUMBERS)
    case(_name, some(3, 4, low=0.5), i32(0), dtypes="float32 int32", exclusive=True)
    case(_name, some(3, 4, low=0.5), i32(-1), dtypes="float32 int32", reverse=True)
    case(_name, some(3, 4, low=0.5), i32(-2), dtypes="float32", exclusive=True, reverse=True)
    case(_name, some(0, 4), i32(0), dtypes="float32", smooth=False)
    mistake(_name, some(3, 4), i32(2), told_by="arguments")
case("CumulativeLogsumexp", some(3, 4), i32(1), dtypes=FLOATS)
case("CumulativeLogsumexp", some(3, 4), i32(0), dtypes="float32", exclusive=True, smooth=False)
case("CumulativeLogsumexp", some(3, 4), i32(0), dtypes="float32", reverse=True)
