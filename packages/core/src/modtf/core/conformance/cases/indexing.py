"""Taking elements by position and putting them back."""

from __future__ import annotations

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import NUMBERS, REALS, i32, i64, some

_ANY = f"{NUMBERS} bool"

case("Slice", some(3, 4), i32([1, 0]), i32([2, -1]), dtypes=_ANY)
case("Slice", some(3, 4), i64([1, 4]), i64([0, 0]), dtypes="float32", smooth=False)
mistake("Slice", some(3, 4), i32([2, 0]), i32([2, 1]), told_by="arguments")
mistake("Slice", some(3, 4), i32([0]), i32([1]))
case("StridedSlice", some(4, 5), i32([1, 0]), i32([3, 5]), i32([1, 2]), dtypes=_ANY)
case("StridedSlice", some(4, 5), i32([3, 4]), i32([0, -6]), i32([-1, -2]), dtypes="float32")
case("StridedSlice", some(4, 5), i32([-3]), i32([-1]), i32([1]), dtypes="float32")
case(
    "StridedSlice", some(4, 5), i32([1, 0]), i32([2, 0]), i32([1, 1]), dtypes="float32", shrink_axis_mask=1, end_mask=2
)
case(
    "StridedSlice",
    some(4, 5),
    i32([0, 0, 2]),
    i32([0, 0, 4]),
    i32([1, 1, 1]),
    dtypes="float32",
    new_axis_mask=2,
    ellipsis_mask=1,
)
case("StridedSlice", some(4, 5), i64([9]), i64([-9]), i64([-1]), dtypes="float32", begin_mask=1, end_mask=1)
case("StridedSlice", some(4, 5), i32([3]), i32([1]), i32([1]), dtypes="float32", smooth=False)
mistake("StridedSlice", some(4, 5), i32([0]), i32([1]), i32([0]))
mistake("StridedSlice", some(4, 5), i32([4]), i32([5]), i32([1]), shrink_axis_mask=1)
mistake("StridedSlice", some(4), i32([0, 0]), i32([1, 1]), i32([1, 1]))
mistake("StridedSlice", some(4, 5), i32([0]), i32([1]), i32([1]), ellipsis_mask=3)
mistake("StridedSlice", some(4, 5), i32([3, 4]), i32([0, -6]), i32([-1, -2]), shrink_axis_mask=1)
mistake("StridedSliceGrad", i32([4]), i32([0]), i32([4]), i32([2]), some(1), told_by="arguments")
case("StridedSliceGrad", i32([4, 5]), i32([1, 0]), i32([3, 5]), i32([1, 2]), some(2, 3), dtypes="float64 float32 int32")
case("StridedSliceGrad", i32([4]), i32([-1]), i32([0]), i32([-1]), some(3), dtypes="float32")

case("GatherV2", some(4, 3), i32([[3, 0], [1, 1]]), i32(0), dtypes=_ANY)
case("GatherV2", some(4, 3), i64([2, 0]), i32(-1), dtypes="float32")
case("GatherV2", some(2, 4, 3), i32([[3, 0], [1, 1]]), i32(1), dtypes="float32", batch_dims=1)
case("GatherV2", some(4, 3), i32(2), i32(0), dtypes="float32")
case("GatherV2", some(4, 3), i32([]), i32(0), dtypes="float32", smooth=False)
mistake("GatherV2", some(4, 3), i32([4]), i32(0), told_by="values")
mistake("GatherV2", some(4, 3), i32([0]), i32(2))
case("GatherNd", some(4, 3), i32([[3, 0], [1, 1]]), dtypes=_ANY)
case("GatherNd", some(4, 3), i32([[3], [1]]), dtypes="float32")
mistake("GatherNd", some(4, 3), i32([[0, 3]]), told_by="values")
mistake("GatherNd", some(4, 3), i32([[0, 0, 0]]))
case("ScatterNd", i32([[3], [1], [3]]), some(3, 2), i32([4, 2]), dtypes=NUMBERS)
case("ScatterNd", i64([[3, 0], [1, 1]]), some(2), i64([4, 2]), dtypes="float32")
mistake("ScatterNd", i32([[4]]), some(1, 2), i32([4, 2]), told_by="values")

case("TensorScatterUpdate", some(4, 2), i32([[3], [1]]), some(2, 2), dtypes=_ANY)
for _kind, _dtypes in {"Add": NUMBERS, "Sub": NUMBERS, "Max": REALS, "Min": REALS}.items():
    case(f"TensorScatter{_kind}", some(4, 2), i32([[3], [1]]), some(2, 2), dtypes=_dtypes)
    case(f"TensorScatter{_kind}", some(4, 2), i32([[3, 0], [1, 1], [0, 1]]), some(3), dtypes="float32")
for _kind in ("Add", "Sub"):
    case(f"TensorScatter{_kind}", some(4, 2), i32([[3], [1], [3]]), some(3, 2), dtypes="float32")
for _kind in ("Update", "Add", "Max"):
    mistake(f"TensorScatter{_kind}", some(4, 2), i32([[4]]), some(1, 2), told_by="values")
    mistake(f"TensorScatter{_kind}", some(4, 2), i32([[3], [1]]), some(2, 3))

case("Where", some(3, 4, low=0, high=1), dtypes="bool int32 float32 complex64")
case("ListDiff", i32([1, 2, 3, 4, 5, 6]), i32([1, 3, 5]), dtypes="int32")
