"""Rows divided and stitched, diagonals in the older forms, and other ops that newer programs seldom hold."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import NUMBERS, Given, i32, i64, some, text

_ANY = f"{NUMBERS} bool"
_WIDE = "float64 float32 int32"


def _bools(*values: bool) -> np.ndarray:
    return np.array(values)


case("DynamicPartition", some(5, 2), i32([0, 2, 0, 0, 2]), dtypes=_ANY, num_partitions=3)
case("DynamicPartition", some(2, 2), i32([[1, 0], [1, 1]]), dtypes=_WIDE, num_partitions=2)
case("DynamicPartition", some(0, 2), i32([]), dtypes="float32", smooth=False, num_partitions=2)
case("DynamicPartition", text(b"a", b"b"), i32([1, 0]), dtypes="string", num_partitions=2)
mistake("DynamicPartition", some(3), i32([0, 2, 1]), told_by="values", num_partitions=2)
mistake("DynamicPartition", some(3), i32([0, 1]), num_partitions=2)
for _name in ("DynamicStitch", "ParallelDynamicStitch"):
    case(_name, [i32([0, 2]), i32([1]), i32([[4, 3]])], [some(2, 2), some(1, 2), some(1, 2, 2)], dtypes=_ANY)
    case(_name, [i32(1), i32([0])], [some(), some(1)], dtypes=_WIDE)
    case(_name, [i32([])], [some(0, 3)], dtypes="float32", smooth=False)
    mistake(_name, [i32([0, 1]), i32([2])], [some(2, 2), some(1, 3)])
    mistake(_name, [i32([0, 1])], [some(3, 2)])
# Of several rows for one place the last is taken, though all of them get the gradient.
case("DynamicStitch", [i32([0, 2, 0]), i32([1, 2])], [some(3, 2), some(2, 2)], dtypes=_WIDE, smooth=False)

case("UnravelIndex", i32([0, 7, 22]), i32([2, 3, 4]), dtypes="int32")
case("UnravelIndex", i64(5), i64([3, 2]), dtypes="int64")
mistake("UnravelIndex", i32([24]), i32([2, 3, 4]), dtypes="int32", told_by="values")
for _name in ("InplaceUpdate", "InplaceAdd", "InplaceSub"):
    case(_name, some(4, 2), i32([3, 1]), some(2, 2), dtypes=_WIDE)
mistake("InplaceAdd", some(4, 2), i32([3, 1]), some(1, 2), told_by="values")
case("ScatterNdNonAliasingAdd", some(4, 2), i32([[3], [1], [3]]), some(3, 2), dtypes=NUMBERS)
case("ScatterNdNonAliasingAdd", some(4), i64([[3], [1]]), some(2), dtypes="float32")
mistake("ScatterNdNonAliasingAdd", some(4, 2), i32([[3], [1]]), some(2, 3))

_BOUNDS = i32([1, 0]), i32([3, 5]), i32([1, 2])
case("TensorStridedSliceUpdate", some(4, 5), *_BOUNDS, some(2, 3), dtypes=_ANY)
case("TensorStridedSliceUpdate", some(4, 5), i64([3]), i64([0]), i64([-2]), some(2, 5), dtypes="float64 float32")
case("TensorStridedSliceUpdate", some(3, 4), i32([1, 0]), i32([2, 0]), i32([1, 1]), some(7), dtypes="float32")
case("TensorStridedSliceUpdate", some(3, 4), i32([1, 0]), i32([2, 0]), i32([1, 1]), some(4), dtypes="float64 float32",
     shrink_axis_mask=1, end_mask=2)  # fmt: skip
mistake("TensorStridedSliceUpdate", some(4, 5), *_BOUNDS, some(2, 4), told_by="values")

# ------------------------------------------------------------------------------------------------- diagonals

case("MatrixDiag", some(2, 3), dtypes=_ANY)
case("MatrixDiagPart", some(2, 3, 4), dtypes=_ANY)
case("MatrixSetDiag", some(2, 4, 3), some(2, 3), dtypes=_ANY)
mistake("MatrixDiagPart", some(2))
mistake("MatrixSetDiag", some(3, 3), some(2))
case("MatrixDiagPart", some(3, 3), dtypes="float64 float32")
# TensorFlow's gradients of these align to the other side; where all diagonals are of one length, nothing is to be aligned.
_BANDS = Given(np.arange(18).reshape(2, 3, 3) % 5)
case("MatrixDiagV2", _BANDS, i32([-1, 1]), i32(-1), i32(-1), Given(7), dtypes=_WIDE)
case("MatrixDiagV2", some(3), i32(0), i32(4), i32(3), Given(0), dtypes="float32")
case("MatrixDiagV2", some(2, 2, 3), i32([0, 1]), i32(3), i32(4), Given(7), dtypes="float64 float32")
case("MatrixDiagPartV2", Given(np.arange(24).reshape(2, 3, 4) % 7), i32([-1, 2]), Given(7), dtypes=_WIDE)
case("MatrixDiagPartV2", some(2, 3, 4), i32([0, 1]), Given(7), dtypes="float64 float32")
case("MatrixDiagPartV2", some(3, 4), i32(1), Given(0), dtypes="float64 float32")
case("MatrixSetDiagV2", some(2, 3, 4), some(2, 3, 3), i32([-1, 1]), dtypes=_WIDE)
mistake("MatrixDiagPartV2", some(3, 4), i32([1, 5]), Given(0), told_by="arguments")

# ------------------------------------------------------------------------------------------------- superseded ops

case("Concat", i32(1), [some(2, 3), some(2, 1)], dtypes=_ANY)
case("Concat", i32(0), [some(2, 3), some(1, 3)], dtypes="float64 float32")
mistake("Concat", i32(0), [some(2, 3), some(2, 2)])
case("ParallelConcat", [some(1, 3), some(1, 3)], dtypes=_WIDE, shape=[2, 3])
mistake("ParallelConcat", [some(4, 3), some(4, 3)], shape=[2, 3])
mistake("ParallelConcat", [some(1, 5), some(1, 5)], shape=[2, 3])
case("Gather", some(4, 3), i32([[3, 0], [1, 1]]), dtypes=_ANY)
case("Gather", some(4), i64(2), dtypes="float64 float32", validate_indices=False)
mistake("Gather", some(4, 3), i32([4]), told_by="values")
case("Reverse", some(2, 3), _bools(True, False), dtypes=_ANY)
case("Reverse", some(2, 3), _bools(False, False), dtypes="float32")
mistake("Reverse", some(2, 3), _bools(True))
case("SpaceToBatch", some(1, 4, 3, 2), i32([[0, 0], [1, 0]]), dtypes=_WIDE, block_size=2)
case("BatchToSpace", some(4, 2, 2, 1), i64([[0, 1], [1, 0]]), dtypes=_WIDE, block_size=2)
mistake("SpaceToBatch", some(1, 3, 2, 1), i32([[0, 0], [0, 0]]), block_size=2)
case("DeepCopy", some(2, 3), dtypes=_WIDE)
case("GuaranteeConst", some(2, 3), dtypes=_WIDE)
case("Empty", i32([2, 0]), dtypes="float32 int64", dtype="T")
case("Empty", i32([2, 3]), dtypes="float32 bool", dtype="T", init=True)
