"""Ragged tensors: gathering rows, ranges, conversions, crosses."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, i32, i64, some, text

_SPLITS = i64([0, 2, 2, 5])
_NESTED = [i64([0, 1, 3]), i64([0, 2, 2, 5])]
_WORDS = text(b"a", b"bc", b"", b"d", b"e")

# ------------------------------------------------------------------------------------------------- rows and ranges

case(
    "RaggedGather",
    [_SPLITS],
    some(5),
    i64([2, 0, 2]),
    dtypes="float32 float64 bfloat16 int64 complex64",
    OUTPUT_RAGGED_RANK=1,
)
case(
    "RaggedGather", [i32([0, 2, 2, 5])], some(5, 3), i32([[1, 2], [0, 2]]), dtypes="float32 int32", OUTPUT_RAGGED_RANK=2
)
case("RaggedGather", _NESTED, some(5), i32([1, 1, 0]), dtypes="float32", OUTPUT_RAGGED_RANK=2)
case("RaggedGather", _NESTED, some(5, 2), i64(1), dtypes="float32", OUTPUT_RAGGED_RANK=1)
case("RaggedGather", [_SPLITS], some(5), i64([]), dtypes="float32", OUTPUT_RAGGED_RANK=1, smooth=False)
case("RaggedGather", [_SPLITS], _WORDS, i64([2, 0]), dtypes="string", OUTPUT_RAGGED_RANK=1)
mistake("RaggedGather", [_SPLITS], some(5), i64([3]), OUTPUT_RAGGED_RANK=1, told_by="arguments")
mistake("RaggedGather", [i64([0, 3, 2, 5])], some(5), i64([0, 1]), OUTPUT_RAGGED_RANK=1, told_by="arguments")

case("RaggedRange", i32([0, 5, 8]), i32([3, 5, 2]), i32([1, 1, -2]), dtypes="int32")
case("RaggedRange", Given([0, 1, 5]), Given([3.0, 9, 2]), Given(1.0), dtypes="float32 float64 int64")
case("RaggedRange", Given(0), Given([3, 0, -2]), Given([1, 2, -1]), dtypes="int32 int64", Tsplits="int32")
case("RaggedRange", Given([]), Given([]), Given([]), dtypes="int32 float32")
mistake("RaggedRange", i32([0, 1]), i32([3]), i32([1, 1, 1]), dtypes="int32")
mistake("RaggedRange", i32(0), i32([3, 0, 2]), i32([1]), dtypes="int32", told_by="arguments")
mistake("RaggedRange", i32([0, 1]), i32([3, 4]), i32([0, 1]), dtypes="int32", told_by="values")

# ------------------------------------------------------------------------------------------------- dense and sparse

_ROWS = {"row_partition_types": ["ROW_SPLITS"]}
case(
    "RaggedTensorToTensor",
    i64(-1),
    some(5),
    Given(0),
    [_SPLITS],
    dtypes="float32 float64 bfloat16 int32 complex64",
    **_ROWS,
)
case("RaggedTensorToTensor", i64([-1, 4]), some(5), some(), [_SPLITS], dtypes="float32 int64", **_ROWS)
case("RaggedTensorToTensor", i32([2, 1]), some(5), some(), [_SPLITS], dtypes="float32", **_ROWS)
case("RaggedTensorToTensor", i64(-1), some(5, 2), some(2), [_SPLITS], dtypes="float32 int32", **_ROWS)
case("RaggedTensorToTensor", i64([-1, -1, 2]), some(5, 2), some(), [i32([0, 2, 2, 5])], dtypes="float32", **_ROWS)
case(
    "RaggedTensorToTensor", i64(-1), some(5), some(), _NESTED, dtypes="float32", row_partition_types=["ROW_SPLITS"] * 2
)
case("RaggedTensorToTensor", i64(-1), some(0), Given(1), [i64([0, 0, 0])], dtypes="float32", smooth=False, **_ROWS)
case("RaggedTensorToTensor", i64([-1, 3]), _WORDS, text(b"-")[0:1].reshape(()), [_SPLITS], dtypes="string", **_ROWS)
case(
    "RaggedTensorToTensor", i64(-1), some(5), Given(0), [i64(4), i64([0, 0, 2, 2, 2])], dtypes="float32",
    row_partition_types=["FIRST_DIM_SIZE", "VALUE_ROWIDS"],
)  # fmt: skip
case(
    "RaggedTensorToTensor", i64(-1), some(5), Given(0), [i64(2), i64([0, 1, 1]), i64([0, 0, 2, 2, 2])], dtypes="float32",
    row_partition_types=["FIRST_DIM_SIZE", "VALUE_ROWIDS", "VALUE_ROWIDS"],
)  # fmt: skip
mistake("RaggedTensorToTensor", i64([-1, 4, 2]), some(5), Given(0), [_SPLITS], **_ROWS)

case("RaggedTensorToSparse", [_SPLITS], some(5), dtypes="float32 float64 bfloat16 int32 complex64")
case("RaggedTensorToSparse", _NESTED, some(5), dtypes="float32")
case("RaggedTensorToSparse", [i32([0, 2, 2, 5])], some(5, 2, 2), dtypes="float32 int64")
case("RaggedTensorToSparse", [i64([0, 0])], some(0), dtypes="float32", smooth=False)
case("RaggedTensorToSparse", [_SPLITS], _WORDS, dtypes="string")
mistake("RaggedTensorToSparse", [i64([0, 2, 4])], some(5), told_by="arguments")
mistake("RaggedTensorToSparse", [i64([1, 5])], some(5), told_by="arguments")

# ------------------------------------------------------------------------------------------------- empty rows

case("RaggedFillEmptyRows", i64([0, 0, 3]), some(3), i64(5), some(), dtypes="float32 float64 int32 int64")
case("RaggedFillEmptyRows", i64([2, 0, 2]), some(3), i64(3), some(), dtypes="float32")
case("RaggedFillEmptyRows", i64([]), some(0), i64(2), some(), dtypes="float32", smooth=False)
case("RaggedFillEmptyRows", i64([1]), text(b"a"), i64(2), np.array(b"-", object), dtypes="string")
mistake("RaggedFillEmptyRows", i64([0, 5]), some(2), i64(3), Given(0), told_by="values")
mistake("RaggedFillEmptyRows", i64([0, 1]), some(2), i64(3), some(1))
case("RaggedFillEmptyRowsGrad", i64([0, 1, 4]), some(6), dtypes="float32 float64 int32")
mistake("RaggedFillEmptyRowsGrad", i64([0, 9]), some(6), told_by="values")

# ------------------------------------------------------------------------------------------------- crosses

_COLUMN = text(b"a", b"bc", b"d"), i64([0, 2, 2, 3])
_NUMBERS = i64([7, -8, 9, 1]), i64([0, 1, 2, 4])
_SPARSE = [i64([[0, 0], [1, 0], [2, 0]])], [text(b"u", b"v", b"w")], [i64([3, 1])]
_DENSE = np.array([[b"x", b"y"], [b"", b"z"], [b"long enough to be hashed otherwise", b"y"]], object)
_TEXT = {
    "hashed_output": False,
    "num_buckets": 0,
    "hash_key": 0,
    "out_values_type": "string",
    "out_row_splits_type": "int64",
}
_HASH = {"hashed_output": True, "hash_key": 956888297470, "out_values_type": "int64", "out_row_splits_type": "int64"}
_BOTH = [_COLUMN[0], _NUMBERS[0]], [_COLUMN[1], _NUMBERS[1]]

case("RaggedCross", *_BOTH, [], [], [], [], dtypes="string", input_order="RR", **_TEXT)
case("RaggedCross", *_BOTH, *_SPARSE, [_DENSE], dtypes="string", input_order="DRSR", **_TEXT)
case("RaggedCross", *_BOTH, *_SPARSE, [_DENSE], dtypes="int64", input_order="RRSD", num_buckets=1000, **_HASH)
case("RaggedCross", *_BOTH, [], [], [], [], dtypes="int64", input_order="RR", num_buckets=0, **_HASH)
case(
    "RaggedCross", [_COLUMN[0]], [i32([0, 2, 2, 3])], [], [], [], [_DENSE], dtypes="string", input_order="RD",
    **_TEXT | {"out_row_splits_type": "int32"},
)  # fmt: skip
