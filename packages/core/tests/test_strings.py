"""`tf.strings`, and ops that take strings, through the public API. What is expected is what TensorFlow 2.21 gives."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.api.formatting import ragged_text

s = tf.strings


def ragged(values: Any, *splits: Any) -> Any:
    """A ragged tensor of flat values and row splits, the innermost first."""
    made = tf.constant(values)
    for rows in splits:
        made = tf.RaggedTensor.from_row_splits(made, np.array(rows, np.int64))
    return made


def values(tensor: Any) -> Any:
    return tensor.to_list() if isinstance(tensor, tf.RaggedTensor) else np.asarray(tensor.numpy(), object).tolist()


def both_ways(function: Any, *arguments: Any) -> Any:
    """Calls a function of tensors at once and traced, and returns the value that both must give."""
    eager = function(*arguments)
    traced = tf.function(lambda *given: function(*given))(*map(tf.convert_to_tensor, arguments))
    assert values(traced) == values(eager)
    assert traced.dtype is eager.dtype
    return values(eager)


# ------------------------------------------------------------------------------------------------- splitting


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (["a b", "", "  c  d "], {}, [[b"a", b"b"], [], [b"c", b"d"]]),
        (["a b", ""], {"sep": ","}, [[b"a b"], [b""]]),
        (["a<>b<><>"], {"sep": "<>"}, [[b"a", b"b", b"", b""]]),
        (["a b c ", " d "], {"maxsplit": 1}, [[b"a", b"b c "], [b"d", b""]]),
        (["a b"], {"maxsplit": 0}, [[b"a b"]]),
        ("one two", {}, [b"one", b"two"]),
        ([["a b", "c"], ["", "d e f"]], {}, [[[b"a", b"b"], [b"c"]], [[], [b"d", b"e", b"f"]]]),
    ],
)
def test_split(text: Any, options: Any, expected: Any) -> None:
    assert both_ways(lambda given: s.split(given, **options), text) == expected


def test_split_of_unknown_rank_takes_a_vector() -> None:
    split = tf.function(s.split, input_signature=[tf.TensorSpec(None, tf.string)])
    assert values(split(tf.constant(["a b", "c"]))) == [[b"a", b"b"], [b"c"]]


def test_splitting_ragged_tensors() -> None:
    rows = ragged(["a b", "c", "d"], [0, 2, 2, 3])
    assert values(s.split(rows)) == [[[b"a", b"b"], [b"c"]], [], [[b"d"]]]
    assert values(s.bytes_split(rows)) == [[[b"a", b" ", b"b"], [b"c"]], [], [[b"d"]]]
    assert values(s.unicode_split(rows, "UTF-8")) == [[[b"a", b" ", b"b"], [b"c"]], [], [[b"d"]]]


def test_bytes_split() -> None:
    assert both_ways(s.bytes_split, ["aé", ""]) == [[b"a", b"\xc3", b"\xa9"], []]
    assert both_ways(s.bytes_split, b"\x00\xff") == [b"\x00", b"\xff"]


# ------------------------------------------------------------------------------------------------- joining


def test_join() -> None:
    assert both_ways(lambda a, b: s.join([a, b, "!"], separator="-"), ["a", "b"], ["c", "d"]) == [b"a-c-!", b"b-d-!"]
    assert values(s.join([])) == b""
    rows = ragged(["a", "b", "c"], [0, 1, 3])
    assert values(s.join([rows, "x", rows])) == [[b"axa"], [b"bxb", b"cxc"]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="do not match"):
        s.join([["a"], ["b", "c"]])


@pytest.mark.parametrize(
    ("axis", "expected"),
    [(None, b"a-b-c-d"), (0, [b"a-c", b"b-d"]), (-1, [b"a-b", b"c-d"]), ([0, 1], b"a-c-b-d"), ([1, 0], b"a-b-c-d")],
)
def test_reduce_join(axis: Any, expected: Any) -> None:
    grid = [["a", "b"], ["c", "d"]]
    assert both_ways(lambda given: s.reduce_join(given, axis, separator="-"), grid) == expected


def test_reduce_join_of_unknown_rank() -> None:
    join = tf.function(lambda given: s.reduce_join(given), input_signature=[tf.TensorSpec(None, tf.string)])
    assert values(join(tf.constant([["a", "b"], ["c", "d"]]))) == b"abcd"


def test_reduce_join_of_ragged_tensors() -> None:
    rows = ragged(["a", "b", "c"], [0, 1, 3, 3])
    assert values(s.reduce_join(rows, axis=1, separator="+")) == [b"a", b"b+c", b""]
    assert values(s.reduce_join(rows)) == b"abc"


def test_unsorted_segment_join() -> None:
    joined = s.unsorted_segment_join(["a", "b", "c", ""], [0, 2, 0, 0], 3, separator=", ")
    assert values(joined) == [b"a, c, ", b"", b"b"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="segment_ids"):
        s.unsorted_segment_join(["a"], [3], 3)


@pytest.mark.parametrize(
    ("width", "options", "expected"),
    [
        (2, {}, [[b"a b", b"b c"], [], []]),
        (1, {"separator": "x"}, [[b"a", b"b", b"c"], [], [b"d"]]),
        ([2, 3], {}, [[b"a b", b"b c", b"a b c"], [], []]),
        (2, {"pad_values": ("<", ">")}, [[b"< a", b"a b", b"b c", b"c >"], [b"< >"], [b"< d", b"d >"]]),
        (3, {"pad_values": "_", "padding_width": 1}, [[b"_ a b", b"a b c", b"b c _"], [], [b"_ d _"]]),
        (4, {"preserve_short_sequences": True}, [[b"a b c"], [], [b"d"]]),
    ],
)
def test_ngrams(width: Any, options: Any, expected: Any) -> None:
    assert values(s.ngrams(ragged(["a", "b", "c", "d"], [0, 3, 3, 4]), width, **options)) == expected


def test_ngrams_of_dense_tensors() -> None:
    assert both_ways(lambda given: s.ngrams(given, 2), ["a", "b", "c"]) == [b"a b", b"b c"]
    assert both_ways(lambda given: s.ngrams(given, 2), [["a", "b", "c"]] * 2) == [[b"a b", b"b c"]] * 2
    with pytest.raises(ValueError, match="rank>0"):
        s.ngrams("a", 2)
    with pytest.raises(ValueError, match="pad_values must be provided"):
        s.ngrams(["a"], 2, padding_width=1)
    with pytest.raises(TypeError, match="pad_values"):
        s.ngrams(["a"], 2, pad_values=3)


# ------------------------------------------------------------------------------------------------- one by one

ONE_BY_ONE = {
    "lower": (lambda x: s.lower(x), ["aé ".encode(), b"b\x00"]),
    "upper": (lambda x: s.upper(x, encoding="utf-8"), ["AÉ ".encode(), b"B"]),
    "strip": (lambda x: s.strip(x), ["Aé".encode(), b"b\x00"]),
    "length": (lambda x: s.length(x), [4, 2]),
    "characters": (lambda x: s.length(x, unit="UTF8_CHAR"), [3, 2]),
    "substr": (lambda x: s.substr(x, -1, 1), [b" ", b"\x00"]),
    "hash": (lambda x: s.to_hash_bucket(x, 1000), [139, 981]),
    "fast": (lambda x: s.to_hash_bucket_fast(x, 1000), [424, 534]),
    "strong": (lambda x: s.to_hash_bucket_strong(x, 1000, [1, 2]), [513, 431]),
    "transcode": (lambda x: s.unicode_transcode(x, "UTF-8", "UTF-16-BE"), [b"\x00A\x00\xe9\x00 ", b"\x00b\x00\x00"]),
}


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_one_by_one(name: str) -> None:
    function, expected = ONE_BY_ONE[name]
    text = ["Aé ", b"b" if name == "upper" else b"b\x00"]
    assert both_ways(function, text) == expected
    assert values(function(ragged(text, [0, 0, 2]))) == [[], expected]


def test_as_string() -> None:
    assert values(tf.as_string([1.5, -0.0, np.inf, np.nan])) == [b"1.500000", b"-0.000000", b"inf", b"nan"]
    assert values(s.as_string([1e10, 0.1], shortest=True)) == [b"1e+10", b"0.1"]
    assert values(s.as_string([3, -42], width=5, fill="0")) == [b"00003", b"-0042"]
    assert values(s.as_string(tf.constant([np.inf], tf.float16), width=6, fill="0")) == [b"   inf"]
    assert values(s.as_string([True, False])) == [b"true", b"false"]
    assert values(s.as_string(tf.constant([1 - 2j]), precision=1)) == [b"(1.0,-2.0)"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="precision not supported"):
        s.as_string([1], precision=2)


def test_to_number() -> None:
    assert values(s.to_number([" 1.5 ", "0x1p3", "-inf", "1e39"])) == [1.5, 8.0, -np.inf, np.inf]
    assert values(s.to_number("9223372036854775807", tf.int64)) == 2**63 - 1
    # Rounded to float64 first, it would lie half-way between two float32 numbers, and be rounded down.
    assert values(s.to_number("1.00000005960464477539062500001")) == 1.0000001192092896
    for text, dtype in (("1_000", tf.float32), ("2147483648", tf.int32), ("-1", tf.uint64), ("", tf.int64)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="could not correctly convert"):
            s.to_number(text, dtype)


def test_fingerprint() -> None:
    assert tf.fingerprint(["a", "b"]).numpy().tolist() == [
        [227, 117, 223, 182, 101, 66, 69, 179],
        [22, 241, 200, 94, 33, 96, 178, 163],
    ]
    assert tf.fingerprint([1, 2]).numpy().tolist() == [
        [84, 24, 96, 84, 195, 82, 124, 105],
        [15, 219, 106, 105, 88, 163, 17, 93],
    ]


def test_a_hash_depends_on_neither_batch_nor_order() -> None:
    strings = [bytes([length % 251]) * length for length in range(200)]
    together = s.to_hash_bucket_fast(strings, 2**40).numpy()
    assert together.tolist() == [int(s.to_hash_bucket_fast(item, 2**40)) for item in strings]
    assert s.to_hash_bucket_fast(strings[::-1], 2**40).numpy().tolist() == together[::-1].tolist()


# ------------------------------------------------------------------------------------------------- patterns


def test_regex() -> None:
    pytest.importorskip("re2")
    assert both_ways(lambda given: s.regex_full_match(given, "a+"), ["aa", "ab", ""]) == [True, False, False]
    assert both_ways(lambda given, pattern: s.regex_full_match(given, pattern), ["aa", "ab"], "a.") == [True, True]
    assert values(s.regex_replace("john smith", r"(\w+) (\w+)", r"\2 \1")) == b"smith john"
    assert values(s.regex_replace("aé", "", "-")) == "-a-é-".encode()
    assert values(s.regex_replace(b"\xffa", "a|é", "<\\0>", replace_global=False)) == b"\xff<a>"
    assert values(s.regex_replace(ragged(["ab", "b"], [0, 1, 2]), "b", "c")) == [[b"ac"], [b"c"]]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Invalid pattern: \(a"):
        s.regex_replace("a", "(a", "b")


def test_without_re2_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(tf.errors.UnimplementedError, match=r"modtf-core\[strings\]"):
        s.regex_full_match("a", "a pattern that nothing has compiled yet")


def test_unicode_script() -> None:
    pytest.importorskip("re2")
    assert values(s.unicode_script([ord("a"), ord("Σ"), ord("я"), 0x3042, ord("1"), 0x378])) == [25, 14, 8, 20, 0, 103]
    assert values(s.unicode_script(ragged([97, 0x110000], [0, 1, 2]))) == [[25], [-1]]


# ------------------------------------------------------------------------------------------------- Unicode


def test_unicode_decode() -> None:
    text = ["Gé", "\U0001f600", b"\xffa"]
    assert both_ways(lambda given: s.unicode_decode(given, "UTF-8"), text) == [[71, 233], [0x1F600], [0xFFFD, 97]]
    assert values(s.unicode_decode(text, "UTF-8", errors="ignore")) == [[71, 233], [0x1F600], [97]]
    points, offsets = s.unicode_decode_with_offsets([text[:2]], "UTF-8")
    assert (values(points), values(offsets)) == ([[[71, 233], [0x1F600]]], [[[0, 1], [0]]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid formatting"):
        s.unicode_decode(text, "UTF-8", errors="strict")
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not create converter"):
        s.unicode_decode(text, "klingon")


def test_a_byte_order_mark_tells_the_order_and_is_no_character() -> None:
    for text in (b"\xfe\xff\x00a\x00b", b"\xff\xfea\x00b\x00"):
        points, offsets = s.unicode_decode_with_offsets(text, "UTF-16")
        assert (values(points), values(offsets)) == ([97, 98], [0, 4])
    assert values(s.unicode_decode(b"\xef\xbb\xbfa", "UTF-8")) == [0xFEFF, 97]


def test_unicode_encode() -> None:
    assert both_ways(lambda given: s.unicode_encode(given, "UTF-8"), [71, 0xE9]) == "Gé".encode()
    assert values(s.unicode_encode([[97], [0x1F600]], "UTF-16-BE")) == [b"\x00a", b"\xd8\x3d\xde\x00"]
    assert values(s.unicode_encode([[[97], [98]]], "UTF-32-BE")) == [[b"\x00\x00\x00a", b"\x00\x00\x00b"]]
    rows = ragged([97, 0xD800, 98], [0, 2, 3])
    assert values(s.unicode_encode(rows, "UTF-8")) == [b"a\xef\xbf\xbd", b"b"]
    assert values(s.unicode_encode(rows, "UTF-8", errors="ignore")) == [b"a", b"b"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="surrogate"):
        s.unicode_encode(rows, "UTF-8", errors="strict")


def test_unicode_split() -> None:
    characters, offsets = s.unicode_split_with_offsets(["aé", "\U0001f600!"], "UTF-8")
    assert values(characters) == [[b"a", b"\xc3\xa9"], [b"\xf0\x9f\x98\x80", b"!"]]
    assert values(offsets) == [[0, 1], [0, 4]]
    assert both_ways(lambda given: s.unicode_split(given, "UTF-8"), "e\u0301") == [b"e", b"\xcc\x81"]


# ------------------------------------------------------------------------------------------------- formatting


def test_format() -> None:
    assert both_ways(lambda given: s.format("x = {}!", given), tf.range(1, 8)) == b"x = [1 2 3 ... 5 6 7]!"
    assert values(s.format("{}, {}", (tf.constant([0.1, 1.0]), tf.constant("it's")))) == b'[0.1 1], "it\\\'s"'
    grid = tf.reshape(tf.range(24), [2, 3, 4])
    assert values(s.format("{}", grid, summarize=1)) == (
        b"[[[0 ... 3]\n  ...\n  [8 ... 11]]\n\n [[12 ... 15]\n  ...\n  [20 ... 23]]]"
    )
    assert values(s.format("%s", tf.constant([True]), placeholder="%s")) == b"[1]"
    with pytest.raises(ValueError, match="expects 2 tensors"):
        s.format("{} {}", tf.constant(1))


def test_format_of_ragged_tensors() -> None:
    rows = ragged(list(range(10)), [0, 7, 7, 8, 10])
    assert both_ways(lambda given: s.format("<{}>", rows), 0) == b"<[[0, 1, 2, ..., 4, 5, 6], [], [7], [8, 9]]>"
    assert values(s.format("{}", rows, summarize=1)) == b"[[0, ..., 6], ..., [8, 9]]"
    assert values(ragged_text(ragged([1.5, 2.0], [0, 1, 2], [0, 0, 2]))) == b"[[], [[1.500000], [2.000000]]]"


def test_format_of_ragged_strings() -> None:
    pytest.importorskip("re2")
    assert values(s.format("{}", ragged(["it's", "b"], [0, 0, 2]))) == b"[[], ['it\\'s', 'b']]"


# ------------------------------------------------------------------------------------------------- strings as elements


def test_strings_keep_zeros_at_their_ends() -> None:
    text = tf.constant([b"a\x00", b"\x00"])
    for tensor in (
        tf.identity(text),
        tf.reshape(text, [2, 1])[:, 0],
        tf.stack([text[0], text[1]]),
        tf.gather(text, [0, 1]),
    ):
        assert values(tensor) == [b"a\x00", b"\x00"]


def test_comparing_and_choosing() -> None:
    assert values(tf.constant(["a", "b"]) == tf.constant("a")) == [True, False]
    assert values(tf.where([True, False], ["a", "b"], "c")) == [b"a", b"c"]
    assert values(tf.constant(["a"]) + "b") == [b"ab"]
