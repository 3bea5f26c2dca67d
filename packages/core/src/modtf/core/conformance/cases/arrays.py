"""Where tensors come from, their shapes, and moving their elements about."""

from __future__ import annotations

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import COMPLEX, FLOATS, NUMBERS, Given, i32, i64, some, text

_ANY = f"{NUMBERS} bool"

for _name in ("Identity", "StopGradient", "ZerosLike", "OnesLike"):
    case(_name, some(2, 3), dtypes=_ANY, smooth=_name == "Identity")
    case(_name, some(0, 3), dtypes="float32", smooth=False)
case("PreventGradient", some(2, 3), smooth=False, message="no")
case("Snapshot", some(2, 3), dtypes=_ANY)
case("PlaceholderWithDefault", some(2, 3), dtypes="float64 float32 int32", shape=[None, 3])
case("CheckNumerics", some(2, 3), dtypes=FLOATS, message="given")
mistake("CheckNumerics", Given([1.0, float("nan")]), told_by="arguments", message="given")
case("IdentityN", [some(2), some(3, dtype="int32")], dtypes="float32")
case("Identity", text(b"a", b"\xff"), dtypes="string")

case("Fill", i32([2, 3]), some(), dtypes=_ANY)
case("Fill", i64([0]), some(), dtypes="float32", smooth=False)
case("Fill", i32([]), some(), dtypes="float32")
case("Range", Given(2), Given(11), Given(3), dtypes="int32 int64 float32 float64")
case("Range", Given(3), Given(-2), Given(-1), dtypes="int32 float32")
case("Range", Given(3), Given(3), Given(1), dtypes="int32")
mistake("Range", Given(0), Given(3), Given(0), dtypes="int32")
mistake("Range", Given(3), Given(0), Given(1), dtypes="int32")

case("LinSpace", Given(-1.0), Given(2.0), i32(4), dtypes="float64 float32")
case("LinSpace", Given(3.0), Given(2.0), i32(1), dtypes="float32")
mistake("LinSpace", Given(3.0), Given(2.0), i32(0))
case("OneHot", i32([[0, 2], [-1, 5]]), i32(3), Given(1), Given(0), dtypes=_ANY)
case("OneHot", i64([0, 2]), i32(3), Given(5), Given(-5), dtypes="float32", axis=0)
case("Diag", some(2, 3), dtypes="float64 float32 int32 complex64")
case("DiagPart", some(2, 3, 2, 3), dtypes="float64 float32 int32 complex64")
mistake("DiagPart", some(2, 3))

# ------------------------------------------------------------------------------------------------- shapes

for _name in ("Shape", "Size"):
    case(_name, some(2, 0, 3), dtypes="float32", out_type="int64")
    case(_name, some(2, 3), dtypes=_ANY)
    case(_name, some(), dtypes="float32")
case("ShapeN", [some(2, 3), some()], dtypes="float32 int32")
case("Rank", some(2, 3), dtypes="float32 int32")
case("BroadcastGradientArgs", i32([2, 1, 3]), i32([4, 1]), dtypes="int32")
case("BroadcastArgs", i32([2, 1, 3]), i32([4, 1]), dtypes="int32")
case("EnsureShape", some(2, 3), dtypes="float64 float32 int32", shape=[None, 3])
mistake("EnsureShape", some(2, 3), shape=[2, 2])
case("Reshape", some(2, 3, 2), i32([3, 4]), dtypes=_ANY)
case("Reshape", some(2, 3, 2), i64([2, -1]), dtypes="float32")
case("Reshape", some(1), i32([]), dtypes="float32")
case("Reshape", some(0, 3), i32([3, 0]), dtypes="float32", smooth=False)
mistake("Reshape", some(2, 3), i32([4, -1]))
mistake("Reshape", some(2, 3), i32([5]))
mistake("Reshape", some(2, 3), i32([-1, -1]), told_by="arguments")
for _axis in (0, 1, -1):
    case("ExpandDims", some(2, 3), i32(_axis), dtypes=_ANY if not _axis else "float32")
mistake("ExpandDims", some(2, 3), i32(3))
case("Squeeze", some(1, 2, 1, 3), dtypes=_ANY)
case("Squeeze", some(1, 2, 1, 3), dtypes="float32", squeeze_dims=[-2])
mistake("Squeeze", some(1, 2, 1, 3), squeeze_dims=[1])
case("BroadcastTo", some(3, 1), i32([2, 3, 4]), dtypes=_ANY)
case("BroadcastTo", some(), i64([2]), dtypes="float32")
mistake("BroadcastTo", some(3, 2), i32([3, 3]))
case("Bitcast", some(2, 3), dtypes="float32 int32 uint32", smooth=False, type="int32")
case("Bitcast", some(2, 3), dtypes="float32 float64 int64", smooth=False, type="uint8")
case("Bitcast", some(3, 2, low=0, dtype="int32"), dtypes="int32", type="int64")

# ------------------------------------------------------------------------------------------------- rearranging

case("Transpose", some(2, 3, 4), i32([2, 0, 1]), dtypes=_ANY)
case("Transpose", some(2, 3), i64([1, 0]), dtypes="float32")
case("Transpose", some(), i32([]), dtypes="float32")
mistake("Transpose", some(2, 3), i32([0, 0]), told_by="arguments")
mistake("Transpose", some(2, 3), i32([0, 1, 2]))
case("ConjugateTranspose", some(2, 3, 4), i32([2, 0, 1]), dtypes=f"float64 {COMPLEX}")
case("InvertPermutation", i32([2, 0, 1]), dtypes="int32")
mistake("InvertPermutation", i32([0, 0]), dtypes="int32", told_by="values")

case("ReverseV2", some(2, 3), i32([1]), dtypes=_ANY)
case("ReverseV2", some(2, 3), i32([-2, 1]), dtypes="float32")
mistake("ReverseV2", some(2, 3), i32([2]))
case("ReverseSequence", some(3, 4, 2), i64([0, 2, 4]), dtypes=_ANY, seq_dim=1)
case("ReverseSequence", some(4, 3), i32([1, 2, 4]), dtypes="float32", seq_dim=0, batch_dim=1)
case("Roll", some(3, 4), i32([1, -2]), i32([0, 1]), dtypes=_ANY)
case("Roll", some(3, 4), i32(5), i32(-1), dtypes="float32")
case("SpaceToBatchND", some(1, 4, 3, 2), i32([2, 2]), i32([[0, 0], [1, 0]]), dtypes="float64 float32 int32")
case("BatchToSpaceND", some(4, 2, 2, 1), i32([2, 2]), i32([[0, 1], [1, 0]]), dtypes="float64 float32 int32")
case("SpaceToDepth", some(1, 4, 2, 3), dtypes="float64 float32 int32", block_size=2)
case("DepthToSpace", some(1, 2, 1, 12), dtypes="float64 float32 int32", block_size=2)
mistake("SpaceToDepth", some(1, 3, 2, 3), block_size=2)
case("MatrixBandPart", some(2, 3, 4), i64(1), i64(-1), dtypes=_ANY)
case("MatrixBandPart", some(3, 3), i32(0), i32(1), dtypes="float32")
_ALIGN = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")
for _align in _ALIGN:
    _dtypes = "float64 float32 int32" if _align == "RIGHT_LEFT" else "float32"
    case("MatrixDiagPartV3", some(2, 3, 4), i32([-1, 2]), Given(7), dtypes=_dtypes, align=_align)
    case("MatrixDiagV3", some(2, 3, 3), i32([-1, 1]), i32(-1), i32(-1), Given(7), dtypes=_dtypes, align=_align)
    case("MatrixSetDiagV3", some(2, 3, 4), some(2, 3, 3), i32([-1, 1]), dtypes=_dtypes, align=_align)
case("MatrixDiagPartV3", some(3, 4), i32(0), Given(0), dtypes="float32")
case("MatrixDiagV3", some(3), i32(0), i32(4), i32(3), Given(0), dtypes="float32")
case("MatrixSetDiagV3", some(3, 4), some(3), i32(0), dtypes="float32")

case("Pack", [some(2, 3), some(2, 3)], dtypes=_ANY)
case("Pack", [some(2, 3), some(2, 3), some(2, 3)], dtypes="float32", axis=-2)
mistake("Pack", [some(2), some(3)])
case("Unpack", some(2, 3), dtypes=_ANY, num=2)
case("Unpack", some(2, 3), dtypes="float32", num=3, axis=-1)
case("ConcatV2", [some(2, 3), some(1, 3)], i32(0), dtypes=_ANY)
case("ConcatV2", [some(2, 3), some(2, 0), some(2, 2)], i32(-1), dtypes="float32")
mistake("ConcatV2", [some(2, 3), some(2, 2)], i32(0))
case("ConcatOffset", i32(1), [i32([2, 2, 7]), i32([2, 3, 7]), i32([2, 9, 7])], dtypes="int32")
case("Split", i32(1), some(2, 6), dtypes=_ANY, num_split=3)
mistake("Split", i32(1), some(2, 5), num_split=3)
case("SplitV", some(5, 2), i32([2, -1, 0]), i32(0), dtypes=_ANY, num_split=3)
mistake("SplitV", some(5, 2), i32([2, 2]), i32(0), num_split=2)

case("Tile", some(2, 3), i32([2, 3]), dtypes=_ANY)
case("Tile", some(2, 3), i64([0, 1]), dtypes="float32", smooth=False)
mistake("Tile", some(2, 3), i32([2]))
case("Pad", some(2, 3), i32([[1, 0], [2, 3]]), dtypes=NUMBERS)
case("PadV2", some(2, 3), i32([[1, 0], [0, 3]]), Given(3), dtypes=NUMBERS)
mistake("Pad", some(2, 3), i32([[1, 0]]))
for _mode in ("REFLECT", "SYMMETRIC"):
    case("MirrorPad", some(3, 4), i32([[1, 2], [0, 3]]), dtypes=FLOATS if _mode == "REFLECT" else "float32", mode=_mode)
    case("MirrorPadGrad", some(4, 6), i32([[1, 0], [1, 2]]), dtypes="float64 float32", mode=_mode)
mistake("MirrorPad", some(3, 4), i32([[3, 0], [0, 0]]), told_by="arguments", mode="REFLECT")
