"""Functions of strings one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modtf.core.api.dispatch import dispatched
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- case, length, parts


@dispatched(elementwise=1)
def lower(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Returns strings in small letters.

    Args:
        input: Strings.
        encoding: `""` for bytes, of which only ASCII's letters change, or `"utf-8"`; what is not valid UTF-8 then becomes
            U+FFFD.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: `encoding` is another one.
    """
    return raw.StringLower(input, encoding=encoding, name=name)


@dispatched(elementwise=1)
def upper(input: Any, encoding: str = "", name: str | None = None) -> Tensor:
    """Returns strings in capital letters; see `lower` for the arguments."""
    return raw.StringUpper(input, encoding=encoding, name=name)


@dispatched(elementwise=1)
def strip(input: Any, name: str | None = None) -> Tensor:
    """Returns strings without the ASCII white space at their ends."""
    return raw.StringStrip(input, name=name)


@dispatched(elementwise=1)
def length(input: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """Returns the lengths of strings as int32.

    Args:
        input: Strings.
        unit: What to count: `"BYTE"`, or `"UTF8_CHAR"` for the characters of UTF-8.
        name: A name for the graph node.
    """
    return raw.StringLength(input, unit=unit, name=name)


@dispatched(elementwise=1)
def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: str | None = None) -> Tensor:
    """Returns parts of strings.

    Args:
        input: Strings.
        pos: Where each part starts, int32 or int64; negative numbers count from the end. It broadcasts with `input`.
        len: How long each part is at most, of the shape and dtype of `pos`.
        unit: What `pos` and `len` count: `"BYTE"`, or `"UTF8_CHAR"` for the characters of UTF-8.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A part would start outside its string.
    """
    return raw.Substr(input, pos, len, unit=unit, name=name)


@dispatched(elementwise="list")
def join(inputs: Any, separator: str = "", name: str | None = None) -> Any:
    """Returns strings put together, element by element.

    Args:
        inputs: A list of tensors of one shape; scalars among them are used with every element.
        separator: What to put between them.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The shapes differ.
    """
    return raw.StringJoin(list(inputs), separator=separator, name=name)


# ------------------------------------------------------------------------------------------------- patterns


@dispatched(elementwise=1)
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Tensor:
    """Returns whether whole strings match a regular expression.

    Args:
        input: Strings.
        pattern: A string or scalar string tensor, in RE2's syntax: https://github.com/google/re2/wiki/Syntax.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: RE2 does not understand the pattern.
        UnimplementedError: RE2 is not installed.
    """
    if isinstance(pattern, (str, bytes)):
        return raw.StaticRegexFullMatch(input, pattern=pattern, name=name)
    return raw.RegexFullMatch(input, pattern, name=name)


@dispatched(elementwise=1)
def regex_replace(
    input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None
) -> Tensor:
    r"""Returns strings with what matches a regular expression replaced.

    Args:
        input: Strings.
        pattern: A string or scalar string tensor, in RE2's syntax: https://github.com/google/re2/wiki/Syntax.
        rewrite: What to put in place of a match, a string or scalar string tensor; in it `\0` stands for the match and
            `\1` to `\9` for what the groups of the pattern match.
        replace_global: Whether to replace all matches, from left to right, or only the first.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: RE2 does not understand the pattern.
        UnimplementedError: RE2 is not installed.
    """
    if isinstance(pattern, (str, bytes)) and isinstance(rewrite, (str, bytes)):
        return raw.StaticRegexReplace(input, pattern=pattern, rewrite=rewrite, replace_global=replace_global, name=name)
    return raw.RegexReplace(input, pattern, rewrite, replace_global=replace_global, name=name)


# ------------------------------------------------------------------------------------------------- numbers


@dispatched(elementwise=1)
def as_string(
    input: Any, precision: int = -1, scientific: bool = False, shortest: bool = False, width: int = -1, fill: str = "",
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns numbers as text, written as C's printf writes them.

    Args:
        input: Numbers, bools (`true` and `false`) or strings.
        precision: The digits behind the point, 6 by default; with `shortest`, all digits. Floating dtypes only.
        scientific: Whether to write floats as `1.5e+00`.
        shortest: Whether to write floats plainly or scientifically, whichever is shorter, without zeros at the end.
        width: The width to fill up to, at the left.
        fill: How: `" "` or `"+"` in place of a missing minus, `"0"` with zeros, `"-"` at the right.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The options contradict each other or the dtype.
    """
    return raw.AsString(
        input, precision=precision, scientific=scientific, shortest=shortest, width=width, fill=fill, name=name
    )


@dispatched(elementwise=1)
def to_number(input: Any, out_type: Any = dtypes.float32, name: str | None = None) -> Tensor:
    """Returns the numbers that strings say.

    Args:
        input: Strings, each a number with white space around it or not. Floats may be hexadecimal, infinite or NaN.
        out_type: float32, float64, int32, int64, uint32 or uint64.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: A string is no number, or an integer that the dtype cannot hold.
    """
    return raw.StringToNumber(input, out_type=out_type, name=name)


# ------------------------------------------------------------------------------------------------- hashes


@dispatched(elementwise=1)
def to_hash_bucket(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """Returns a number in [0, num_buckets) for each string by MurmurHash64A; prefer `to_hash_bucket_fast`."""
    return raw.StringToHashBucket(input, num_buckets=num_buckets, name=name)


@dispatched(elementwise=1)
def to_hash_bucket_fast(input: Any, num_buckets: int, name: str | None = None) -> Tensor:
    """Returns a number in [0, num_buckets) for each string, the same for the same string everywhere and for ever.

    Args:
        input: Strings.
        num_buckets: How many buckets there are.
        name: A name for the graph node.

    Returns:
        int64 numbers: FarmHash's Fingerprint64 modulo `num_buckets`. Who knows it can find strings for one bucket;
        `to_hash_bucket_strong` withstands that.
    """
    return raw.StringToHashBucketFast(input, num_buckets=num_buckets, name=name)


@dispatched(elementwise=1)
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Sequence[int], name: str | None = None) -> Tensor:
    """Returns a number in [0, num_buckets) for each string, by SipHash-2-4 with a secret key.

    Args:
        input: Strings.
        num_buckets: How many buckets there are.
        key: Two 64-bit integers.
        name: A name for the graph node.

    Returns:
        int64 numbers.
    """
    return raw.StringToHashBucketStrong(input, num_buckets=num_buckets, key=key, name=name)


def fingerprint(data: Any, method: Any = "farmhash64", name: str | None = None) -> Tensor:
    """Returns a fingerprint of each row of a tensor of any dtype (public as `tf.fingerprint`).

    Args:
        data: A tensor; its first dimension counts the rows.
        method: `"farmhash64"`, FarmHash's Fingerprint64 of a row's bytes.
        name: A name for the graph node.

    Returns:
        uint8 numbers of shape `[rows, 8]`: the fingerprints' bytes, the lowest first.

    Raises:
        InvalidArgumentError: `data` is a scalar, or the method is another one.
    """
    return raw.Fingerprint(data, method, name=name)


# ------------------------------------------------------------------------------------------------- Unicode


@dispatched(elementwise=1)
def unicode_transcode(
    input: Any, input_encoding: str, output_encoding: str, errors: str = "replace", replacement_char: int = 65533,
    replace_control_characters: bool = False, name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns text in another encoding.

    Args:
        input: Strings.
        input_encoding: Their encoding: UTF-8, UTF-16-BE, UTF-32-BE, ISO-8859-1, windows-1252 and others.
        output_encoding: `"UTF-8"`, `"UTF-16-BE"` or `"UTF-32-BE"`.
        errors: What becomes of bytes that are no character: `"replace"`, `"ignore"`, or `"strict"` for an error.
        replacement_char: The code point to replace them by.
        replace_control_characters: Whether to treat the control characters up to U+001F like them.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: An encoding is unknown; or, if `errors` is `"strict"`, a string is not in its encoding.
    """
    return raw.UnicodeTranscode(
        input, input_encoding=input_encoding, output_encoding=output_encoding, errors=errors,
        replacement_char=replacement_char, replace_control_characters=replace_control_characters, name=name,
    )  # fmt: skip


@dispatched(elementwise=1)
def unicode_script(input: Any, name: str | None = None) -> Tensor:
    """Returns the scripts of int32 code points, as ICU numbers them (Latin is 25); -1 for what is no code point.

    Raises:
        UnimplementedError: RE2, whose tables say so, is not installed.
    """
    return raw.UnicodeScript(input, name=name)


__all__ = [
    "as_string", "fingerprint", "join", "length", "lower", "regex_full_match", "regex_replace", "strip", "substr",
    "to_hash_bucket", "to_hash_bucket_fast", "to_hash_bucket_strong", "to_number", "unicode_script", "unicode_transcode",
    "upper",
]  # fmt: skip
