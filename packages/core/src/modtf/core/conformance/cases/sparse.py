"""Sparse tensors: their structure, arithmetic, reductions, segments, sets and counts."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, NUMBERS, REALS, Given, i32, i64, some, text

_AT = i64([[0, 0], [0, 2], [1, 1], [2, 3]])
_SHAPE = i64([3, 4])
_OTHER_AT = i64([[0, 2], [1, 0], [1, 1], [2, 2], [2, 3]])
_CUBE_AT = i64([[0, 0, 1], [0, 1, 0], [0, 1, 2], [1, 0, 0], [1, 0, 2]])
_CUBE = i64([2, 3, 3])
_NONE_AT = np.zeros((0, 2), np.int64)
_EXACT = "float64 float32 int32 int64 complex64"

# ------------------------------------------------------------------------------------------------- structure

case("SparseToDense", _AT, _SHAPE, some(4), some(), dtypes=NUMBERS)
case("SparseToDense", i32([1, 3]), i32([5]), some(2), some(), dtypes="float64 int32")
case("SparseToDense", i32([1, 3]), i32([5]), some(), some(), dtypes="float32", smooth=False)
case("SparseToDense", i32(2), i32([4]), some(), some(), dtypes="float32", smooth=False)
case("SparseToDense", i64([[1, 1], [0, 0]]), i64([2, 2]), some(2), some(), dtypes="float32", validate_indices=False)
case("SparseToDense", _AT, _SHAPE, text(b"a", b"b", b"c", b"d"), text(b"-").reshape(()), dtypes="string")
case("SparseToDense", _NONE_AT, i64([2, 0]), some(0), some(), dtypes="float32", smooth=False)
mistake("SparseToDense", i64([[1, 1], [0, 0]]), i64([2, 2]), some(2), some(), told_by="values")
mistake("SparseToDense", i64([[1, 1], [1, 1]]), i64([2, 2]), some(2), some(), told_by="values")
mistake("SparseToDense", i64([[1, 2]]), i64([2, 2]), some(1), some(), told_by="values")

_MIXED = i64([[2, 3], [0, 2], [1, 1], [0, 0]])
case("SparseReorder", _MIXED, some(4), _SHAPE, dtypes=NUMBERS)
case("SparseReorder", _MIXED, text(b"a", b"b", b"c", b"d"), _SHAPE, dtypes="string")
case("SparseReorder", _NONE_AT, some(0), _SHAPE, dtypes="float32", smooth=False)

case("SparseReshape", _AT, _SHAPE, i64([2, -1]), dtypes="int64")
case("SparseReshape", _AT, _SHAPE, i64([2, 3, 2]), dtypes="int64")
case("SparseReshape", _NONE_AT, i64([0, 4]), i64([0]), dtypes="int64")
mistake("SparseReshape", _AT, _SHAPE, i64([5, -1]), told_by="arguments")
mistake("SparseReshape", _AT, _SHAPE, i64([-1, -1]), told_by="arguments")
mistake("SparseReshape", _AT, _SHAPE, i64([5, 2]), told_by="arguments")

case("SparseSlice", _AT, some(4), _SHAPE, i64([0, 1]), i64([2, 9]), dtypes=NUMBERS)
case("SparseSlice", _CUBE_AT, some(5), _CUBE, i64([1, 0, 0]), i64([1, 1, 2]), dtypes="float32")
case("SparseSlice", _AT, some(4), _SHAPE, i64([3, 0]), i64([2, 2]), dtypes="float32", smooth=False)
case("SparseSliceGrad", some(2), _AT, i64([0, 1]), i64([[0, 1], [1, 0]]), dtypes="float64 float32")

case("SparseConcat", [_AT, _OTHER_AT], [some(4), some(5)], [_SHAPE, _SHAPE], dtypes=NUMBERS, concat_dim=0)
case("SparseConcat", [_AT, _OTHER_AT], [some(4), some(5)], [_SHAPE, i64([3, 5])], dtypes="float32", concat_dim=-1)
case("SparseConcat", [_MIXED, _NONE_AT], [some(4), some(0)], [_SHAPE, i64([2, 4])], dtypes="float32", concat_dim=0)
mistake("SparseConcat", [_AT, _OTHER_AT], [some(4), some(5)], [_SHAPE, i64([3, 5])], concat_dim=0, told_by="values")
mistake("SparseConcat", [_AT, _OTHER_AT], [some(4), some(5)], [_SHAPE, _SHAPE], concat_dim=2, told_by="values")

case("SparseSplit", i64(1), _AT, some(4), _SHAPE, dtypes=NUMBERS, num_split=3)
case("SparseSplit", i64(0), _AT, some(4), _SHAPE, dtypes="float32", num_split=2)
mistake("SparseSplit", i64(2), _AT, some(4), _SHAPE, num_split=2, told_by="values")
mistake("SparseSplit", i64(0), _AT, some(4), _SHAPE, num_split=4, told_by="values")

_GAPS = i64([[0, 1], [2, 0], [2, 3]])
case("SparseFillEmptyRows", _GAPS, some(3), i64([5, 4]), some(), dtypes=NUMBERS)
case("SparseFillEmptyRows", i64([[2, 0], [0, 1], [2, 3]]), some(3), i64([4, 4]), some(), dtypes="float64 float32")
case("SparseFillEmptyRows", _NONE_AT, some(0), i64([2, 3]), some(), dtypes="float32", smooth=False)
case("SparseFillEmptyRows", _NONE_AT, some(0), i64([0, 3]), some(), dtypes="float32", smooth=False)
case("SparseFillEmptyRows", _GAPS, text(b"a", b"b", b"c"), i64([4, 4]), text(b"").reshape(()), dtypes="string")
mistake("SparseFillEmptyRows", _GAPS, some(3), i64([2, 4]), some(), told_by="values")
case("SparseFillEmptyRowsGrad", i64([3, 0, 1]), some(5), dtypes="float64 float32 int32")

# ------------------------------------------------------------------------------------------------- arithmetic

_A = (_AT, some(4), _SHAPE)
_B = (_OTHER_AT, some(5), _SHAPE)
case("SparseAdd", *_A, *_B, Given(0), dtypes="float64 float32 int32 int64")
case("SparseAdd", *_A, *_B, np.float32(0), dtypes="complex64")
case(
    "SparseAdd",
    _AT,
    Given([1, -2, 3, 4]),
    _SHAPE,
    _OTHER_AT,
    Given([2, 1, -3, 0, 5]),
    _SHAPE,
    Given(1),
    dtypes="float32 int32",
)
case("SparseAdd", _NONE_AT, some(0), _SHAPE, *_B, np.float32(0), dtypes="float32", smooth=False)
mistake("SparseAdd", *_A, _OTHER_AT, some(5), i64([3, 5]), np.float32(0), told_by="values")
case("SparseAddGrad", some(3), _AT, _OTHER_AT, i64([[0, 0], [0, 2], [2, 2]]), dtypes="float64 float32")
_FIRST, _SECOND = (_AT, Given([1, -2, 3, 0]), _SHAPE), (_OTHER_AT, Given([2, -1, 3, 1, -1]), _SHAPE)
case("SparseSparseMaximum", *_FIRST, *_SECOND, dtypes="float64 float32 int32 int64")
case("SparseSparseMinimum", *_FIRST, *_SECOND, dtypes="float64 float32 int32 int64")
mistake("SparseSparseMaximum", *_A, _OTHER_AT, some(5), i64([3, 5]), told_by="values")

case("SparseTensorDenseAdd", *_A, some(3, 4), dtypes=_EXACT)
case("SparseTensorDenseAdd", i32([[1], [0]]), some(2), i32([3]), some(3), dtypes="float64 float32")
mistake("SparseTensorDenseAdd", *_A, some(3, 5), told_by="arguments")

_DENSE = np.arange(1, 13).reshape(3, 4)
for _part in (_DENSE, _DENSE[0], _DENSE[:, :1], _DENSE[0, 0]):
    case("SparseDenseCwiseAdd", _AT, Given([1, -2, 3, 4]), _SHAPE, Given(_part), dtypes=REALS)
for _name, _dtypes in (("Mul", REALS), ("Div", FLOATS)):
    for _dims in ((3, 4), (4,), (3, 1), ()):
        case(
            f"SparseDenseCwise{_name}", *_A, some(*_dims, low=0.5), dtypes=_dtypes if _dims == (4,) else "float64 float32",
            tolerance=2,
        )  # fmt: skip
    case(f"SparseDenseCwise{_name}", _CUBE_AT, some(5), _CUBE, some(3, 1, low=0.5), dtypes="float64")
    mistake(f"SparseDenseCwise{_name}", *_A, some(2, 3, 4), told_by="arguments")
    mistake(f"SparseDenseCwise{_name}", *_A, some(2), told_by="arguments")

for _attrs in ({}, {"adjoint_a": True}, {"adjoint_b": True}, {"adjoint_a": True, "adjoint_b": True}):
    _inner = 3 if _attrs.get("adjoint_a") else 4
    _right = some(2, _inner) if _attrs.get("adjoint_b") else some(_inner, 2)
    case("SparseTensorDenseMatMul", *_A, _right, dtypes="float64 float32 complex64", **_attrs)
case("SparseTensorDenseMatMul", _AT.astype(np.int32), some(4), _SHAPE, some(4, 3), dtypes="float32 int32")
case("SparseTensorDenseMatMul", _NONE_AT, some(0), _SHAPE, some(4, 2), dtypes="float32", smooth=False)
mistake("SparseTensorDenseMatMul", *_A, some(3, 2), told_by="arguments")

case("SparseMatMul", some(3, 4), some(4, 2), dtypes="float32 bfloat16", tolerance=4)
case("SparseMatMul", some(4, 3), some(2, 4), dtypes="float32", transpose_a=True, transpose_b=True, a_is_sparse=True)
mistake("SparseMatMul", some(3, 4), some(3, 2))

case("SparseSoftmax", *_A, dtypes="float64 float32 float16")
case("SparseSoftmax", _CUBE_AT, some(5), _CUBE, dtypes="float64 float32")
mistake("SparseSoftmax", i64([[1], [2]]), some(2), i64([4]), told_by="arguments")

# ------------------------------------------------------------------------------------------------- reductions

for _name, _dtypes in (("Sum", NUMBERS), ("Max", REALS)):
    for _op in (f"SparseReduce{_name}", f"SparseReduce{_name}Sparse"):
        case(_op, *_A, i32([1]), dtypes=_dtypes)
        case(_op, _CUBE_AT, some(5), _CUBE, i32([0, -1]), dtypes="float64 float32")
        case(_op, _CUBE_AT, some(5), _CUBE, i32([1]), dtypes="float64", keep_dims=True)
        case(_op, *_A, i32(0), dtypes="float64 float32", keep_dims=True)
        case(_op, *_A, i32([0, 1]), dtypes="float64 float32")
        case(_op, *_A, i32([]), dtypes="float64 float32")
        mistake(_op, *_A, i32([2]), told_by="arguments" if _op.endswith(_name) else "values")

# ------------------------------------------------------------------------------------------------- segments

_ROWS, _TO = i32([3, 0, 1, 0]), i32([0, 0, 1, 3])
for _kind in ("Sum", "Mean", "SqrtN"):
    _dtypes = f"{FLOATS} int32" if _kind == "Sum" else FLOATS
    case(f"SparseSegment{_kind}", some(4, 2), _ROWS, _TO, dtypes=_dtypes)
    case(f"SparseSegment{_kind}", some(4), _ROWS.astype(np.int64), _TO.astype(np.int64), dtypes="float64 float32")
    case(f"SparseSegment{_kind}", some(4, 2), _ROWS, _TO, dtypes="float32", sparse_gradient=True)
    mistake(f"SparseSegment{_kind}", some(4, 2), i32([4]), i32([0]), told_by="values")
    mistake(f"SparseSegment{_kind}", some(4, 2), i32([1, 2]), i32([1, 0]), told_by="values")
    _op = f"SparseSegment{_kind}WithNumSegments"
    case(_op, some(4, 2), _ROWS, _TO, i32(6), dtypes=_dtypes)
    case(_op, some(4, 2), _ROWS, _TO, i64(4), dtypes="float32", sparse_gradient=True)
    case(_op, Given([[1.0], [2.0]]), i32([]), i32([]), i32(2), dtypes="float32")
    mistake(_op, some(4, 2), _ROWS, _TO, i32(3), told_by="values")
    case(f"SparseSegment{_kind}Grad", some(4, 2), _ROWS, _TO, i32(5), dtypes=FLOATS)
    case(f"SparseSegment{_kind}GradV2", some(4, 2), _ROWS, _TO, i32(5), dtypes="float64 float32")

# ------------------------------------------------------------------------------------------------- sets

_WORDS = text(b"b", b"a", b"b", b"c")
for _operation in ("a-b", "b-a", "intersection", "union"):
    case(
        "DenseToDenseSetOperation", Given([[1, 2, 2], [3, 1, 0]]), Given([[2, 4], [3, 3]]),
        dtypes="int32 int64 int8 int16 uint8 uint16", set_operation=_operation,
    )  # fmt: skip
    case(
        "DenseToSparseSetOperation", Given([[1, 2], [3, 1], [0, 5]]), _AT, Given([2, 7, 3, 9]), _SHAPE,
        dtypes="int64 int32", set_operation=_operation,
    )  # fmt: skip
    case(
        "SparseToSparseSetOperation", _AT, Given([2, 7, 3, 9]), _SHAPE, _OTHER_AT, Given([7, 3, 3, 1, 9]), i64([3, 6]),
        dtypes="int64", set_operation=_operation,
    )  # fmt: skip
    case(
        "SparseToSparseSetOperation", _AT, _WORDS, _SHAPE, _AT, _WORDS[::-1].copy(), _SHAPE,
        dtypes="string", set_operation=_operation,
    )  # fmt: skip
mistake(
    "DenseToDenseSetOperation", Given([[1]]), Given([[1]]), dtypes="int32", set_operation="other", told_by="arguments"
)
mistake(
    "DenseToDenseSetOperation", Given([[1]]), Given([[1], [2]]), dtypes="int32", set_operation="union", told_by="values"
)
case("SetSize", _AT, Given([5, 5, 2, 2]), _SHAPE, dtypes="int32 int64")
case("SetSize", _AT, _WORDS, i64([4, 4]), dtypes="string")

# ------------------------------------------------------------------------------------------------- counts

_WEIGHTED = "float32 float64 int32 int64"
case("SparseBincount", _AT, i32([1, 2, 1, 5]), _SHAPE, i32(4), some(4), dtypes=_WEIGHTED)
case("SparseBincount", i64([[0], [2], [3]]), i64([1, 2, 1]), i64([5]), i64(4), some(0), dtypes="float32 int32")
case("SparseBincount", _AT, i64([1, 1, 1, 3]), _SHAPE, i64(4), some(0), dtypes="float32", binary_output=True)
case("RaggedBincount", i64([0, 2, 2, 4]), i32([1, 2, 1, 1]), i32(3), some(4), dtypes=_WEIGHTED)
case("RaggedBincount", i64([0, 2, 2, 4]), i64([1, 1, 1, 4]), i64(3), some(0), dtypes="float32", binary_output=True)

for _lengths in ({}, {"minlength": 7}, {"maxlength": 3}, {"minlength": 1, "maxlength": 9}):
    case(
        "DenseCountSparseOutput",
        i32([[1, 2], [5, 1], [1, 1]]),
        some(3, 2),
        dtypes="float32 int64",
        binary_output=False,
        **_lengths,
    )
    case(
        "SparseCountSparseOutput",
        _AT,
        i64([1, 1, 2, 5]),
        _SHAPE,
        some(4),
        dtypes="float32",
        binary_output=False,
        **_lengths,
    )
case("DenseCountSparseOutput", i64([4, 0, 4]), some(0), dtypes="int32 float64", binary_output=False)
case("DenseCountSparseOutput", i64([4, 0, 4]), some(0), dtypes="int64", binary_output=True)
case("DenseCountSparseOutput", i64([4, 0, 4]), some(0), dtypes="int64", binary_output=True, minlength=7, maxlength=1)
case("SparseCountSparseOutput", i64([[0], [2]]), i32([1, 1]), i64([5]), some(0), dtypes="int32", binary_output=True)
case(
    "RaggedCountSparseOutput",
    i64([0, 2, 2, 4]),
    i32([1, 2, 1, 1]),
    some(4),
    dtypes="float32 int32",
    binary_output=False,
)
mistake("DenseCountSparseOutput", i32([1, -2]), some(0), binary_output=False, told_by="values")
mistake("DenseCountSparseOutput", some(0, 4, dtype="int32"), some(0), binary_output=False, told_by="arguments")
mistake("DenseCountSparseOutput", i32([1, 2]), some(0), binary_output=False, minlength=-2, told_by="arguments")

# ------------------------------------------------------------------------------------------------- crosses

_FIRST_WORDS = i64([[0, 0], [0, 1], [2, 0]]), text(b"a", b"bc", b"d"), i64([3, 2])
_NUMBERS = i64([[0, 0], [1, 0], [2, 0], [2, 1]]), i64([7, -8, 9, 1]), i64([3, 2])
_COLUMNS = tuple([first, second] for first, second in zip(_FIRST_WORDS, _NUMBERS, strict=True))
_DENSE_WORDS = np.array([[b"x", b"y"], [b"", b"z"], [b"long enough to be hashed otherwise", b"y"]], object)
_BETWEEN = np.array(b"--", object)
_KEYS = {"hash_key": 956888297470, "num_buckets": 1000}

case("SparseCrossV2", *_COLUMNS, [_DENSE_WORDS], _BETWEEN, dtypes="string")
case("SparseCrossV2", [], [], [], [i64([[1, 2], [3, 4]])], _BETWEEN, dtypes="string")
case("SparseCrossHashed", *_COLUMNS, [_DENSE_WORDS], i64(100), np.array(False), i64([1, 2]), dtypes="int64")
case("SparseCrossHashed", *_COLUMNS, [], i64(0), np.array(False), i64([1, 2]), dtypes="int64")
case(
    "SparseCrossHashed", [], [], [], [_DENSE_WORDS, _DENSE_WORDS], i64(50), np.array(True), i64([1, 2]), dtypes="int64"
)
_TO_NUMBERS = {"hashed_output": True, "out_type": "int64", "internal_type": "int64"}
_TO_TEXT = {"hashed_output": False, "out_type": "string", "internal_type": "string"}
case("SparseCross", *_COLUMNS, [_DENSE_WORDS], dtypes="int64", **_TO_NUMBERS, **_KEYS)
case("SparseCross", *_COLUMNS, [], dtypes="int64", num_buckets=0, hash_key=5, **_TO_NUMBERS)
mistake("SparseCross", *_COLUMNS, [], dtypes="int64", told_by="values", **_TO_TEXT, **_KEYS)
case("SparseCross", [], [], [], [_DENSE_WORDS, _DENSE_WORDS], dtypes="string", **_TO_TEXT, **_KEYS)

# ------------------------------------------------------------------------------------------------- as strings

_SERIALIZED = [
    b'\x08\t\x12\x08\x12\x02\x08\x01\x12\x02\x08\x01"\x08\x01' + bytes(7),
    b'\x08\x01\x12\x04\x12\x02\x08\x01"\x04\x00\x00\x80?',
    b'\x08\t\x12\x04\x12\x02\x08\x01"\x08\x03' + bytes(7),
]
case("SerializeSparse", _AT, some(4), _SHAPE, dtypes="float32 int32 complex64")
case("SerializeSparse", _AT, _WORDS, _SHAPE, dtypes="string")
case("SerializeSparse", _NONE_AT, some(0), _SHAPE, dtypes="float32")
case("SerializeManySparse", _GAPS, some(3), i64([4, 4]), dtypes="float32")
mistake("SerializeManySparse", i64([[1]]), some(1), i64([4]), told_by="values")
case("DeserializeSparse", np.array(_SERIALIZED, object), dtypes="float32", dtype="float32")
case("DeserializeSparse", np.array([[_SERIALIZED] * 2], object), dtypes="float32", dtype="float32")
case("DeserializeManySparse", np.array([_SERIALIZED] * 2, object), dtypes="float32", dtype="float32")
mistake("DeserializeSparse", np.array(_SERIALIZED, object), dtype="int32", told_by="values")
mistake("DeserializeManySparse", np.array([_SERIALIZED[:2]], object), dtype="float32")
mistake("DeserializeManySparse", np.array([[b"a", b"b", b"c"]], object), dtype="float32", told_by="values")
