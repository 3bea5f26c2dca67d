"""Regular expressions, by RE2: matching and replacing.

RE2 matches bytes that it reads as UTF-8; its syntax is that of https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import unchanged, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.extras import require
from modtf.core.ops.strings.elements import mapped
from modtf.core.ops.strings.joining import as_bytes
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


@functools.lru_cache(maxsize=128)
def compiled(pattern: bytes) -> Any:
    """Returns RE2's object for a pattern.

    Raises:
        InvalidArgumentError: RE2 does not understand the pattern.
        UnimplementedError: RE2 is not installed.
    """
    re2 = require("re2", extra="strings", what="Matching regular expressions")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise InvalidArgumentError(f"Invalid pattern: {pattern.decode('utf-8', 'replace')}, error: {reason}") from None


# ------------------------------------------------------------------------------------------------- matching


def _with_scalars(input: Tensor, *scalars: Tensor, **attrs: Any) -> Dims:
    for scalar in scalars:
        with_rank(scalar, 0, "the pattern or rewrite")
    return input.dims


def _scalar(value: Any, what: str) -> bytes:
    if value.ndim:
        raise InvalidArgumentError(f"{what} must be scalar, but received {list(value.shape)}")
    found: bytes = value[()]
    return found


def _full_match(strings: np.ndarray, pattern: bytes) -> np.ndarray:
    matches = compiled(pattern).fullmatch
    return mapped(lambda text: matches(text) is not None, strings, bool)


@op(
    "RegexFullMatch(input: string, pattern: string) -> (output: bool)",
    shape=_with_scalars,
    host_only=True,
    extra="strings",
)
def regex_full_match(xp: Any, input: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    return _full_match(input, _scalar(pattern, "Pattern"))


@op(
    "StaticRegexFullMatch(input: string, *, pattern: string) -> (output: bool)",
    shape=unchanged,
    host_only=True,
    extra="strings",
)
def static_regex_full_match(xp: Any, input: np.ndarray, *, pattern: str) -> np.ndarray:
    return _full_match(input, as_bytes(pattern))


# ------------------------------------------------------------------------------------------------- replacing

_ESCAPE = re.compile(rb"\\(.?)", re.DOTALL)


class _Rewrite:
    r"""What a match becomes: text in which `\0` stands for the match, `\1` to `\9` for groups and `\\` for a backslash.

    Attributes:
        groups: The highest group asked for.
        valid: Whether there is nothing else behind a backslash. As in RE2, what stands before that is used all the same
            when all matches are replaced.
    """

    def __init__(self, text: bytes) -> None:
        self.valid = True
        self._pieces: list[bytes | int] = []
        start = 0
        for escape in _ESCAPE.finditer(text):
            self._pieces.append(text[start : escape.start()])
            start = escape.end()
            what = escape[1]
            if what != b"\\" and not what.isdigit():
                self.valid = False
                start = len(text)
                break
            self._pieces.append(int(what) if what.isdigit() else what)
        self._pieces.append(text[start:])
        self.groups = max((int(escape[1]) for escape in _ESCAPE.finditer(text) if escape[1].isdigit()), default=0)

    def __call__(self, match: Any) -> bytes:
        return b"".join((match[piece] or b"") if isinstance(piece, int) else piece for piece in self._pieces)


def _character_at(text: bytes, place: int) -> int:
    """How many bytes the character at a place of a string of UTF-8 has; 1 if it is none."""
    for size in (1, 2, 3, 4):
        try:
            text[place : place + size].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            continue
        return size
    return 1


def _replaced_everywhere(search: Any, text: bytes, rewrite: _Rewrite) -> bytes:
    """As RE2's GlobalReplace: an empty match right behind another match is none."""
    pieces, place, last_end = [], 0, -1
    while place <= len(text):
        match = search(text, place)
        if match is None:
            break
        start, end = match.span()
        pieces.append(text[place:start])
        if start == end == last_end:
            place = start + _character_at(text, start)
            pieces.append(text[start:place])
        else:
            pieces.append(rewrite(match))
            place = last_end = end
    return b"".join([*pieces, text[place:]])


def _replaced_once(search: Any, text: bytes, rewrite: _Rewrite) -> bytes:
    match = search(text)
    if match is None:
        return text
    start, end = match.span()
    return text[:start] + rewrite(match) + text[end:]


def _replace(strings: np.ndarray, pattern: bytes, rewrite_text: bytes, everywhere: bool) -> np.ndarray:
    regexp, rewrite = compiled(pattern), _Rewrite(rewrite_text)
    if rewrite.groups > regexp.groups or not (everywhere or rewrite.valid):
        return strings
    replaced: Callable[..., bytes] = _replaced_everywhere if everywhere else _replaced_once
    return mapped(lambda text: replaced(regexp.search, text, rewrite), strings)


@op(
    "RegexReplace(input: string, pattern: string, rewrite: string, *, replace_global: bool = True) -> (output: string)",
    shape=_with_scalars,
    host_only=True,
    extra="strings",
)
def regex_replace(
    xp: Any, input: np.ndarray, pattern: np.ndarray, rewrite: np.ndarray, *, replace_global: bool
) -> np.ndarray:
    return _replace(input, _scalar(pattern, "Pattern"), _scalar(rewrite, "Rewrite"), replace_global)


@op(
    "StaticRegexReplace(input: string, *, pattern: string, rewrite: string, replace_global: bool = True) "
    "-> (output: string)",
    shape=unchanged,
    host_only=True,
    extra="strings",
)
def static_regex_replace(xp: Any, input: np.ndarray, *, pattern: str, rewrite: str, replace_global: bool) -> np.ndarray:
    return _replace(input, as_bytes(pattern), as_bytes(rewrite), replace_global)
