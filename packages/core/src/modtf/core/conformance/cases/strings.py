"""Strings: splitting, joining, matching, hashing, numbers, Unicode; and the ops on arrays that take strings too."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, i32, i64


def strings(value: Any, *shape: int) -> np.ndarray:
    """A string input: one string, or a list of them in the given shape."""
    array = np.array(value, object)
    return array.reshape(shape) if shape else array


def _of_strings(op: str, *inputs: Any, **attrs: Any) -> None:
    case(op, *inputs, dtypes="string", **attrs)


def _wrong(op: str, *inputs: Any, told_by: str = "arguments", **attrs: Any) -> None:
    mistake(op, *inputs, dtypes="string", told_by=told_by, **attrs)


_EMPTY = strings([], 0, 2)
_WORDS = strings([b"one two", b"", b" three\tfour ", b"FIVE\n", b"a,b;;c", b"x"], 3, 2)
_ODD = strings([b"", b"\x00", b"a\x00b\x00", b"\xff\xfe", b"\xc3", b"e\xcc\x81", b"\xf0\x9f\x98\x80!", b"\xed\xa0\x80"])
_TEXT = strings(["Grüße", "ΣΑΣ", "naïve café", "日本語", "\U0001f600", "e\u0301"]).reshape(-1)
_UTF8 = np.array([item.encode() for item in _TEXT], object)

# ------------------------------------------------------------------------------------------------- one by one

for _input in (_WORDS, _ODD, _EMPTY, strings(b" scalar ")):
    _of_strings("StringStrip", _input)
    _of_strings("StringLength", _input)
    _of_strings("StringLower", _input)
    _of_strings("StringUpper", _input)
    _of_strings("EncodeBase64", _input)
    _of_strings("StringToHashBucketFast", _input, num_buckets=1000)
    _of_strings("StringToHashBucket", _input, num_buckets=7)
    _of_strings("StringToHashBucketStrong", _input, num_buckets=2**60, key=[7, -9])
for _input in (_UTF8, _ODD):
    _of_strings("StringLength", _input, unit="UTF8_CHAR")
_of_strings("StringLower", _UTF8, encoding="utf-8")
_of_strings("StringUpper", _UTF8, encoding="utf-8")
_of_strings("StringLower", strings([b"A\xffB", b"\xe2\x82"]), encoding="utf-8")
_wrong("StringLower", _WORDS, encoding="latin-1")
_wrong("StringUpper", _WORDS, encoding="latin-1")
_of_strings("EncodeBase64", _WORDS, pad=True)
_of_strings("DecodeBase64", strings([b"", b"YQ", b"YQ==", b"YWI", b"YWJj", b"_-8", b"YR=="]))
_wrong("DecodeBase64", strings([b"YWJjY"]))
_wrong("DecodeBase64", strings([b"+/8="]))
# Around the lengths at which the hash functions change their ways.
_LONG = strings(
    [bytes(range(length % 256)) * (1 + length // 256) for length in (1, 3, 4, 7, 8, 16, 17, 32, 33, 63, 64)]
)
_LONGER = strings([bytes((7 * byte) % 256 for byte in range(length)) for length in (65, 127, 128, 129, 200, 1000)])
for _input in (_LONG, _LONGER):
    for _name in ("StringToHashBucketFast", "StringToHashBucket"):
        _of_strings(_name, _input, num_buckets=2**62)
    _of_strings("StringToHashBucketStrong", _input, num_buckets=2**62, key=[2**63 - 1, -(2**63)])
_wrong("StringToHashBucketStrong", _WORDS, num_buckets=10, key=[1])
_of_strings("Fingerprint", strings([b"a", b"b"]), strings(b"farmhash64"))
_of_strings("Fingerprint", _WORDS, strings(b"farmhash64"))
case(
    "Fingerprint", Given([[1, 2, 3], [4, 5, 6]]), strings(b"farmhash64"), dtypes="float32 int8 complex64 bfloat16 bool"
)
case("Fingerprint", Given(np.zeros((0, 3))), strings(b"farmhash64"), dtypes="int32")
_wrong("Fingerprint", strings([b"a"]), strings(b"md5"))
_wrong("Fingerprint", strings(b"a"), strings(b"farmhash64"))

_of_strings("Substr", strings([b"hello", b"world"]), i32(1), i32(3))
_of_strings("Substr", strings([b"hello", b"world"]), i64([-3, 5]), i64([2, 1]))
_of_strings("Substr", strings([b"hello"], 1, 1), i32([0, 1, 2]), i32([5, -1, 9]))
_of_strings("Substr", strings([], 0), i32(0), i32(1))
_of_strings("Substr", _UTF8[:3], i32([1, -2, 4]), i32([2, 1, 20]), unit="UTF8_CHAR")
_of_strings("Substr", strings([b"\x80\x80a\xff\x80b"] * 3), i32([0, 1, -2]), i32([1, 1, 1]), unit="UTF8_CHAR")
_wrong("Substr", strings([b"abc"]), i32(4), i32(1))
_wrong("Substr", strings([b"abc"]), i32(-4), i32(1), unit="UTF8_CHAR")
_wrong("Substr", strings([b"abc"]), i32([0]), i32(1))

# ------------------------------------------------------------------------------------------------- joining, splitting

_of_strings("StringJoin", [strings([b"a", b"b"]), strings([b"c", b"\xff"])])
_of_strings("StringJoin", [strings(b"x"), strings([b"a", b"b", b"", b"d"], 2, 2), strings(b"y")], separator="é")
_of_strings("StringJoin", [strings(b"x"), strings(b"y")], separator="-")
_of_strings("StringJoin", [_EMPTY, strings(b"y")])
_wrong("StringJoin", [strings([b"a"]), strings([b"a", b"b"])])
for _axes in (0, 1, -1, [0, 1], [1, 0], []):
    _of_strings("ReduceJoin", strings([b"a", b"b", b"c", b"d", b"e", b"f"], 2, 3), i32(_axes), separator="-")
    _of_strings("ReduceJoin", strings([b"a", b"", b"c", b"d", b"", b"f"], 2, 3), i32(_axes), keep_dims=True)
_of_strings("ReduceJoin", _EMPTY, i32(0), separator=",")
_wrong("ReduceJoin", _WORDS, i32([0, 0]))
_of_strings("UnsortedSegmentJoin", strings([b"a", b"", b"c", b"d"]), i32([0, 0, 0, 2]), i32(4), separator=":")
_of_strings("UnsortedSegmentJoin", strings([b"", b"a", b"", b"c"]), i64([0, 0, 0, 0]), i64(1), separator=":")
_of_strings("UnsortedSegmentJoin", strings([b"a", b"b", b"c", b"d"], 2, 2), i32([1, 1]), i32(2), separator=", ")
_of_strings("UnsortedSegmentJoin", strings([b"a", b"b", b"c", b"d"], 2, 2), i32([[0, 0], [1, 0]]), i32(2))
_of_strings("UnsortedSegmentJoin", _EMPTY, i32([]), i32(2))
_wrong("UnsortedSegmentJoin", strings([b"a"]), i32([1]), i32(1))
_wrong("UnsortedSegmentJoin", strings([b"a"]), i32([-1]), i32(1))

_LINES = strings([b"a,b;,c", b"", b",", b"abc", b";a "])
for _delimiter in (b",", b",;", b"", b" "):
    _of_strings("StringSplit", _LINES, strings(_delimiter))
    _of_strings("StringSplit", _LINES, strings(_delimiter), skip_empty=False)
_of_strings("StringSplit", strings([]), strings(b","))
_wrong("StringSplit", strings(b"a"), strings(b","), told_by="shapes")
_SPACED = strings([b" a  b\tc \n", b"", b"  ", b"a b  ", b"a<>b<><>", b"\xc2\xa0x\x1c\x00y"])
for _maxsplit in (-1, 0, 1, 2):
    _of_strings("StringSplitV2", _SPACED, strings(b""), maxsplit=_maxsplit)
    _of_strings("StringSplitV2", _SPACED, strings(b"<>"), maxsplit=_maxsplit)
_of_strings("StringSplitV2", strings([]), strings(b""))
_wrong("StringSplitV2", strings([b"a"]), strings([b","]), told_by="shapes")


def _ngrams(tokens: Any, splits: Any, widths: list[int], wrong: bool = False, **attrs: Any) -> None:
    made = {"separator": " ", "ngram_widths": widths, "left_pad": "<", "right_pad": ">", "pad_width": 0}
    made |= {"preserve_short_sequences": False, **attrs}
    (_wrong if wrong else _of_strings)("StringNGrams", strings(tokens), splits, **made)


_ngrams([b"a", b"b", b"c", b"d"], i64([0, 3, 3, 4]), [2])
_ngrams([b"a", b"b", b"c", b"d"], i32([0, 3, 3, 4]), [1, 3], pad_width=-1)
_ngrams([b"a", b"b", b"c", b"d"], i64([0, 1, 4]), [5], pad_width=2, separator="")
_ngrams([b"a", b"b", b"c", b"d"], i64([0, 1, 1, 4]), [3], preserve_short_sequences=True)
_ngrams([b"a", b"b", b"c"], i64([0, 2, 3]), [6], preserve_short_sequences=True, pad_width=1)
_ngrams([], i64([0, 0]), [2])
_ngrams([b"a"], i64([0, 2]), [2], wrong=True)
_ngrams([b"a"], i64([0, 1]), [0], wrong=True)

# ------------------------------------------------------------------------------------------------- patterns

_MATCHED = strings([b"hello", b"", b"aXbX", b"\xc3\xa9t\xc3\xa9", b"\xffa\xfe", b"a\nb"])
for _pattern in ("", "[a-z]+", "(?i)x", "é|a", "l*", "(.)t", ".", r"\C", "(?s)a.b", r"\bb|^"):
    for _everywhere in (True, False):
        _of_strings("RegexReplace", _MATCHED, strings(_pattern.encode()), strings(b"<\\0>"), replace_global=_everywhere)
        _of_strings("StaticRegexReplace", _MATCHED, pattern=_pattern, rewrite="_\\\\", replace_global=_everywhere)
    _of_strings("RegexFullMatch", _MATCHED, strings(_pattern.encode()))
    _of_strings("StaticRegexFullMatch", _MATCHED, pattern=_pattern)
_of_strings("RegexReplace", strings([b"john smith"], 1, 1), strings(rb"(\w+) (\w+)(x)?"), strings(rb"\2, \1\3"))
_of_strings("RegexReplace", strings([b"abc"]), strings(b"b"), strings(rb"\1"))
_of_strings("RegexReplace", _EMPTY, strings(b"a"), strings(b"b"))
_of_strings("RegexFullMatch", strings(b"a\x00"), strings(b"a\x00"))
_wrong("RegexReplace", strings([b"a"]), strings(b"(a"), strings(b"b"))
_wrong("RegexFullMatch", strings([b"a"]), strings(b"a(?=b)"))
_wrong("RegexFullMatch", strings([b"a"]), strings([b"a"]), told_by="shapes")
_wrong("StaticRegexReplace", strings([b"a"]), pattern="(a", rewrite="b")
_wrong("StaticRegexFullMatch", strings([b"a"]), pattern="[a")

# ------------------------------------------------------------------------------------------------- numbers

_INTEGERS = strings([b"0", b" 12 ", b"+7", b"2147483647", b"007"], 5, 1)
_DECIMALS = strings(
    [b"-1.5", b"\t1e5\n", b"1e400", b"-1e39", b"1e-400", b"InFinity", b"nan", b"0x1.8p1", b".5", b"1.", b"0",
     b"1.0000000596046448", b"1.00000005960464477539062500001", b"3.4028236e38", b"1e-45"]
)  # fmt: skip
for _type in ("int32", "int64", "uint32", "uint64", "float32", "float64"):
    case("StringToNumber", _INTEGERS, dtypes="string", out_type=_type)
    case("StringToNumber", strings([]), dtypes="string", out_type=_type)
    for _text in (b"", b"1 2", b"1_0", b"--1", b"1x"):
        _wrong("StringToNumber", strings([_text]), out_type=_type)
for _type in ("float32", "float64"):
    case("StringToNumber", _DECIMALS, dtypes="string", out_type=_type, tolerance=0)
_of_strings("StringToNumber", strings([b"-2147483648", b"-9"]), out_type="int32")
_wrong("StringToNumber", strings([b"2147483648"]), out_type="int32")
_wrong("StringToNumber", strings([b"-1"]), out_type="uint32")
_wrong("StringToNumber", strings([b"1.0"]), out_type="int64")

_FLOATS = Given([0.0, -0.0, 1.5, -2.25, 0.1, 1e10, 12345.678, np.inf, -np.inf, np.nan])
_NUMBERS = Given([[0, 7], [-42, 100]])
_ALL_FLOATS = "float32 float64 float16 bfloat16"
_ALL_INTEGERS = "int8 int16 int32 int64"
for _options in (
    {}, {"precision": 2}, {"scientific": True}, {"shortest": True}, {"shortest": True, "precision": 9}, {"width": 12},
    {"width": 12, "fill": "0"}, {"width": 12, "fill": "-"}, {"fill": "+"}, {"width": 12, "fill": " ", "precision": 0},
    {"precision": 0, "fill": "#"},
):  # fmt: skip
    case("AsString", _FLOATS, dtypes=_ALL_FLOATS, **_options)
    case("AsString", Given([1.5 - 2j, 1e10 + 0.1j]), dtypes="complex64 complex128", **_options)
for _options in ({}, {"width": 6}, {"width": 6, "fill": "0"}, {"width": 6, "fill": "-"}, {"width": 6, "fill": "+"}):
    case("AsString", _NUMBERS, dtypes=_ALL_INTEGERS, **_options)
    case("AsString", Given([0, 7, 200]), dtypes="uint8 uint16 uint32 uint64", **_options)
    case("AsString", Given([True, False]), dtypes="bool", **_options)
    case("AsString", _ODD, dtypes="string", **_options)
case("AsString", Given(np.zeros((2, 0))), dtypes="float32 int32")
mistake("AsString", _NUMBERS, dtypes="int32", told_by="arguments", precision=2)
mistake("AsString", _NUMBERS, dtypes="float32", told_by="arguments", fill="x", width=3)
mistake("AsString", _NUMBERS, dtypes="float32", told_by="arguments", scientific=True, shortest=True)

_MEMORY = strings([bytes(range(16)), bytes(range(0, 256, 16))])
_IN_MEMORY = "float32 float64 int32 uint16 uint8 int16 int8 int64 complex64 complex128 bool bfloat16 float16"
for _type in _IN_MEMORY.split():
    for _little in (True, False):
        _of_strings("DecodeRaw", _MEMORY, out_type=_type, little_endian=_little)
        if _type not in ("complex64", "complex128", "bool", "float16"):
            _of_strings(
                "DecodePaddedRaw", strings([b"abc", b"", b"abcdefghij"]), i32(8), out_type=_type, little_endian=_little
            )
_of_strings("DecodeRaw", strings([b"", b""], 2, 1), out_type="float32")
_of_strings("DecodeRaw", _EMPTY, out_type="float32")
_wrong("DecodeRaw", strings([b"abc"]), out_type="int16")
_wrong("DecodeRaw", strings([b"ab", b"abcd"]), out_type="int16")
_wrong("DecodePaddedRaw", strings([b"ab"]), i32(3), out_type="int16")
_wrong("DecodePaddedRaw", strings([b"ab"]), i32(0), out_type="int16")

# ------------------------------------------------------------------------------------------------- formatting

for _limit in (3, -1, 1, 0):
    case(
        "StringFormat", [Given(np.arange(63).reshape(7, 9) / 8), Given(np.arange(24).reshape(2, 3, 4))],
        dtypes="float64 float32 int32 bfloat16 uint8 bool", template="a {} b {}", placeholder="{}", summarize=_limit,
    )  # fmt: skip
case("StringFormat", [_FLOATS], dtypes="float32 float64 float16", template="%s", summarize=20)
case("StringFormat", [Given(0.1), Given(np.zeros((3, 0)))], dtypes="float32 float64 int32 complex64", template="%s, %s")
_of_strings("StringFormat", [_ODD, strings(b'it\'s "q"\t\\')], template="%s%s!", summarize=10)
_of_strings("StringFormat", [], template="é")
_wrong("StringFormat", [strings(b"a")], template="%s %s")

# ------------------------------------------------------------------------------------------------- Unicode

_BROKEN = strings(
    [b"h\xc3\xa9\xff\xf0\x9f\x98\x80\n", b"\xc3", b"", b"\xe2\x82a\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x00\x1f"]
)
_WIDE = strings([b"\x00a\xd8\x3d\xde\x00", b"\xfe\xff\x00a", b"\xff\xfea\x00", b"\x00", b"\xd8\x00\x00a", b"\xdc\x00"])
_WIDER = strings([b"\x00\x00\x00a\x00\x01\xf6\x00", b"\x00\x00\xd8\x00\x00\x00\x00b", b"\x00\x11\x00\x00", b"\x00\x00"])
_LATIN = strings([bytes(range(0x20, 0x7F)), bytes(range(0x80, 0x100))])
for _input, _encoding in (
    (_BROKEN, "UTF-8"), (_UTF8, "utf8"), (_WIDE, "UTF-16-BE"), (_WIDE, "UTF-16LE"),
    (_WIDE[:1], "UTF-16"), (_WIDE[1:2], "UTF-16"), (_WIDE[2:3], "UTF-16"),
    (_WIDER, "UTF-32-BE"), (_LATIN, "US-ASCII"), (_LATIN, "ISO-8859-1"), (_LATIN, "ISO-8859-15"),
    (_LATIN, "windows-1252"), (_LATIN, "KOI8-R"), (_EMPTY, "UTF-8"),
):  # fmt: skip
    for _options in ({}, {"errors": "ignore"}, {"replace_control_characters": True, "replacement_char": 63}):
        _of_strings("UnicodeDecodeWithOffsets", _input, input_encoding=_encoding, **_options)
        _of_strings("UnicodeDecode", _input, input_encoding=_encoding, Tsplits="int32", **_options)
        for _output in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
            _of_strings("UnicodeTranscode", _input, input_encoding=_encoding, output_encoding=_output, **_options)
for _name in ("UnicodeDecode", "UnicodeDecodeWithOffsets", "UnicodeTranscode"):
    _options = {"output_encoding": "UTF-8"} if _name == "UnicodeTranscode" else {}
    _of_strings(_name, _UTF8, input_encoding="UTF-8", errors="strict", **_options)
    _wrong(_name, _BROKEN, input_encoding="UTF-8", errors="strict", **_options)
    _wrong(_name, _UTF8, input_encoding="no such encoding", **_options)
    _wrong(_name, _UTF8, input_encoding="UTF-8", replacement_char=-1, **_options)

_POINTS = i32([97, 0xE9, 0x1F600, 0xD800, 0x110000, -1, 0x20AC, 0xFFFF])
for _output in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
    for _errors in ("replace", "ignore"):
        case("UnicodeEncode", _POINTS, i64([0, 3, 3, 8]), dtypes="int32", output_encoding=_output, errors=_errors)
    case("UnicodeEncode", _POINTS[:3], i32([0, 1, 3]), dtypes="int32", output_encoding=_output, errors="strict")
case("UnicodeEncode", _POINTS, i64([0, 8]), dtypes="int32", output_encoding="UTF-8", replacement_char=63)
case("UnicodeEncode", i32([]), i64([0]), dtypes="int32", output_encoding="UTF-8")
_wrong("UnicodeEncode", _POINTS, i64([0, 8]), output_encoding="UTF-8", errors="strict")
_wrong("UnicodeEncode", _POINTS, i64([0, 9]), output_encoding="UTF-8")
_wrong("UnicodeEncode", _POINTS, i64([0, 3, 2, 8]), output_encoding="UTF-8")
case("UnicodeScript", i32([[97, 0x391, 0x430, 0x5D0, 0x627], [0x4E00, 0x3042, 0x30A2, 0x1F600, 32]]), dtypes="int32")
case("UnicodeScript", i32([0x300, 0xE000, 0xD800, 0x110000, -1, 0x378, 0x10A60, 0x16F00]), dtypes="int32")

# ------------------------------------------------------------------------------------------------- arrays of strings

_GRID = strings([b"a", b"", b"c\x00", b"\xff", b"e", b"a"], 2, 3)
_ROW = strings([b"a", b"x", b"e"])
_SCALAR = strings(b"a")
_BOOLS = np.array([[True, False, True], [False, False, True]])
for _name in ("Equal", "NotEqual"):
    _of_strings(_name, _GRID, _ROW)
    _of_strings(_name, _SCALAR, _GRID)
    _of_strings(_name, _EMPTY, _EMPTY)
_of_strings("Add", _GRID, _ROW)
_of_strings("Add", _SCALAR, _SCALAR)
for _grid in (_GRID, _EMPTY):
    _of_strings("Identity", _grid)
    _of_strings("IdentityN", [_grid, _SCALAR])
    _of_strings("Shape", _grid)
    _of_strings("Size", _grid)
    _of_strings("Rank", _grid)
    _of_strings("ZerosLike", _grid)
    _of_strings("Reshape", _grid, i32([-1, 2]) if _grid.size else i32([0]))
    _of_strings("ExpandDims", _grid, i32(1))
    _of_strings("Transpose", _grid, i32([1, 0]))
    _of_strings("Tile", _grid, i32([2, 1]))
    _of_strings("Tile", _grid, i32([0, 2]))
    _of_strings("Pack", [_grid, _grid], axis=1)
    _of_strings("ConcatV2", [_grid, _grid], i32(0))
    _of_strings("ConcatV2", [_grid, _grid], i32(-1))
    _of_strings("Unpack", _grid, num=_grid.shape[1], axis=1)
    _of_strings("ReverseV2", _grid, i32([0, 1]))
    _of_strings("StridedSlice", _grid, i32([0, 0]), i32([2, 2]), i32([1, 1]), shrink_axis_mask=2)
    _of_strings("Slice", _grid, i32([0, 0]), i32([-1, 1]))
    _of_strings("Split", i32(0), _grid, num_split=2 if _grid.size else 1)
    _of_strings("SplitV", _grid, i32([1, -1]), i32(1), num_split=2)
    _of_strings("GatherV2", _grid, i32([[1, 0]]), i32(1))
    _of_strings("BroadcastTo", _grid, i32([2, *_grid.shape]))
_of_strings("Squeeze", strings([b"a", b"b"], 1, 2, 1), squeeze_dims=[0])
_of_strings("StridedSlice", _GRID, i32([1]), i32([2]), i32([1]), shrink_axis_mask=1)
_of_strings("StridedSlice", _ROW, i32([-1]), i32([0]), i32([-1]))
_of_strings("GatherNd", _GRID, i32([[0, 1], [1, 2]]))
_of_strings("Fill", i32([2, 2]), _SCALAR)
_of_strings("Fill", i32([0, 2]), _SCALAR)
_of_strings("SelectV2", _BOOLS, _GRID, _SCALAR)
_of_strings("Select", _BOOLS, _GRID, _GRID)
_of_strings("PadV2", _GRID, i32([[1, 0], [0, 2]]), _SCALAR)
_of_strings("ScatterNd", i32([[1], [3]]), strings([b"x", b"y"]), i32([5]))
_of_strings("TensorScatterUpdate", _ROW, i32([[1]]), strings([b"new"]))
_of_strings("Unique", strings([b"b", b"a", b"b", b""]))
_of_strings("UniqueWithCounts", strings([b"b", b"a", b"b", b""]))
_of_strings("DynamicPartition", _ROW, i32([1, 0, 1]), num_partitions=2)
_of_strings("DynamicStitch", [i32([0, 2]), i32([1])], [strings([b"a", b"c"]), strings([b"b"])])
_of_strings("ReverseSequence", _GRID, i64([2, 3]), seq_dim=1)
_of_strings("Roll", _GRID, i32([1]), i32([1]))
_of_strings("ListDiff", _ROW, strings([b"x"]))
