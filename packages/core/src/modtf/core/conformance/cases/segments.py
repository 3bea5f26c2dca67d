"""Sums and the like over segments, and counts."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import NUMBERS, REALS, i32, i64, some

# name: dtypes, and the lower bound of the inputs
_SEGMENTS = {"Sum": (NUMBERS, -2), "Prod": (NUMBERS, 0.5), "Max": (REALS, -2), "Min": (REALS, -2)}

for _kind, (_dtypes, _low) in _SEGMENTS.items():
    case(f"UnsortedSegment{_kind}", some(5, 2, low=_low), i32([2, 0, 2, 1, -1]), i32(3), dtypes=_dtypes)
    case(f"UnsortedSegment{_kind}", some(2, 3, low=_low), i64([[1, 0, 1], [0, 1, 3]]), i32(5), dtypes="float32 int32")
    case(f"UnsortedSegment{_kind}", some(0, 2), i32([]), i32(2), dtypes="float32", smooth=False)
    mistake(f"UnsortedSegment{_kind}", some(5, 2), i32([0, 1, 2]), i32(3))
for _kind, (_dtypes, _low) in {**_SEGMENTS, "Mean": (NUMBERS, -2)}.items():
    case(f"Segment{_kind}", some(5, 2, low=_low), i32([0, 0, 1, 3, 3]), dtypes=_dtypes)
    mistake(f"Segment{_kind}", some(5, 2), i32([0, 1, 2]), told_by="values")
    mistake(f"Segment{_kind}", some(3, 2), i32([2, 1, 0]), told_by="values")

case("Bincount", i32([1, 2, 1, 4]), i32(4), some(4), dtypes="float32 float64 int32 int64")
case("Bincount", i32([[1, 2], [1, 0]]), i32(5), some(0), dtypes="float32 int32")
case("Bincount", i32([[1, 2], [1, 0]]), i32(5), some(4), dtypes="float32 int32")
case("DenseBincount", i32([1, 2, 1, 4]), i32(4), some(4), dtypes="float32 float64 int32 int64")
case("DenseBincount", i64([[1, 2], [1, 0]]), i64(3), some(2, 2), dtypes="float32 int32")
case("DenseBincount", i64([[1, 2], [1, 1]]), i64(3), np.array([], np.float32), dtypes="float32", binary_output=True)
