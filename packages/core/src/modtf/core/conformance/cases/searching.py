"""What is largest, where values lie, and which are different."""

from __future__ import annotations

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import REALS, Given, i32, i64, some, text

case("TopKV2", some(3, 5), i32(2), dtypes=REALS)
case("TopKV2", Given([2, 1, 2, 3, 1, 3]), i32(4), dtypes="float32 int32")
case("TopKV2", some(3, 5), i32(0), dtypes="float32", smooth=False)
mistake("TopKV2", some(3, 5), i32(6))
case("TopK", some(3, 5), dtypes="float64 float32 int32", k=3)
mistake("TopK", some(3, 5), k=6)
case("InTopK", some(3, 4, dtype="float32"), i32([0, 3, 1]), dtypes="float32", k=2)
case("InTopKV2", some(3, 4, dtype="float32"), i64([0, 3, 1]), i64(2), dtypes="float32")
case("InTopKV2", some(3, 0, dtype="float32"), i64([0, 3, 1]), i64(2), dtypes="float32")

_SORTED = Given([[1, 3, 3, 5], [0, 1, 2, 8]])
for _name in ("LowerBound", "UpperBound"):
    case(_name, _SORTED, Given([[3, 0, 9], [2, 8, -1]]), dtypes="float32 float64 int32 int64")
    case(_name, _SORTED, Given([[3], [2]]), dtypes="int32", out_type="int64")
    mistake(_name, _SORTED, Given([[[3], [2]], [[3], [2]]]))

_REPEATING = Given([3, 1, 3, 2, 1, 3])
for _name in ("Unique", "UniqueWithCounts"):
    case(_name, _REPEATING, dtypes="int32 int64 float32")
    case(_name, text(b"b", b"a", b"b"), dtypes="string", out_idx="int64")
    case(_name, some(0), dtypes="int32")
for _name in ("UniqueV2", "UniqueWithCountsV2"):
    case(_name, Given([[1, 1], [2, 2], [1, 1]]), i64([0]), dtypes="int32 float32")
    case(_name, _REPEATING, i64([]), dtypes="int32")
