"""The hash functions of strings: FarmHash's Fingerprint64, SipHash-2-4 and MurmurHash64A, of many strings at once.

Strings are hashed in groups whose members take the same steps, each step being one operation of NumPy on all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

Words = Any
"""An array of uint64, which wrap around."""

_0, _1, _2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))


def _hashed(strings: Sequence[bytes], group_of: Callable[[np.ndarray], np.ndarray], function: Any) -> np.ndarray:
    """Returns `function(members, group)` for the groups that `group_of` sorts strings into by their lengths."""
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    groups, group = np.unique(group_of(lengths), return_inverse=True)
    out = np.empty(len(strings), np.uint64)
    with np.errstate(over="ignore"):
        for number, which in enumerate(groups.tolist()):
            places = np.flatnonzero(group == number)
            out[places] = function([strings[place] for place in places.tolist()], which)
    return out


def _words(chunks: Iterator[bytes], size: int, dtype: str = "<u8") -> list[Words]:
    """The words of chunks of `size` bytes: for each place in a chunk, those of all chunks."""
    table = np.frombuffer(b"".join(chunks), dtype).reshape(-1, size // np.dtype(dtype).itemsize)
    return list(np.ascontiguousarray(table.T.astype(np.uint64)))


def _lengths(strings: Sequence[bytes]) -> Words:
    return np.fromiter(map(len, strings), np.uint64, len(strings))


def _rotated_left(x: Words, by: int) -> Words:
    return (x << np.uint64(by)) | (x >> np.uint64(64 - by))


# ------------------------------------------------------------------------------------------------- FarmHash


def fingerprint64(strings: Sequence[bytes]) -> np.ndarray:
    """Returns the Fingerprint64 of each string, as uint64.

    Source: FarmHash, https://github.com/google/farmhash (namespace farmhashna), by Geoff Pike. Strings of up to 64 bytes
    are read from both ends, overlapping, so that their exact length decides nothing but a factor.
    """
    return _hashed(strings, _farm_group, lambda members, group: _FARM.get(group, _farm_long)(members))


def _farm_group(lengths: np.ndarray) -> np.ndarray:
    short = np.searchsorted([1, 4, 8, 17, 33], lengths, "right") - 5
    return np.where(lengths > 64, (lengths - 1) // 64, short)


def _rotated(x: Words, by: int) -> Words:
    return _rotated_left(x, 64 - by)


def _shift_mixed(x: Words) -> Words:
    return x ^ (x >> np.uint64(47))


def _mixed(u: Words, v: Words, factor: Words) -> Words:
    a = _shift_mixed((u ^ v) * factor)
    return _shift_mixed((v ^ a) * factor) * factor


def _both_ends(
    strings: Sequence[bytes], size: int, dtype: str = "<u8"
) -> tuple[list[Words], list[Words], Words, Words]:
    lengths = _lengths(strings)
    front, back = (item[:size] for item in strings), (item[-size:] for item in strings)
    return _words(front, size, dtype), _words(back, size, dtype), lengths, _2 + lengths * np.uint64(2)


def _farm_0(strings: Sequence[bytes]) -> Words:
    return _2


def _farm_1_to_3(strings: Sequence[bytes]) -> Words:
    chosen = (bytes((item[0], item[len(item) // 2], item[-1])) for item in strings)
    a, b, c = _words(chosen, 3, "u1")
    return _shift_mixed((a + (b << np.uint64(8))) * _2 ^ (_lengths(strings) + (c << np.uint64(2))) * _0) * _2


def _farm_4_to_7(strings: Sequence[bytes]) -> Words:
    (front,), (back,), lengths, factor = _both_ends(strings, 4, "<u4")
    return _mixed(lengths + (front << np.uint64(3)), back, factor)


def _farm_8_to_16(strings: Sequence[bytes]) -> Words:
    (front,), (b,), _, factor = _both_ends(strings, 8)
    a = front + _2
    return _mixed(_rotated(b, 37) * factor + a, (_rotated(a, 25) + b) * factor, factor)


def _farm_17_to_32(strings: Sequence[bytes]) -> Words:
    (front, b), (d, c), _, factor = _both_ends(strings, 16)
    a, c, d = front * _1, c * factor, d * _2
    return _mixed(_rotated(a + b, 43) + _rotated(c, 30) + d, a + _rotated(b + _2, 18) + c, factor)


def _farm_33_to_64(strings: Sequence[bytes]) -> Words:
    (front, b, e, f), (g, h, d, c), _, factor = _both_ends(strings, 32)
    a, c, d = front * _2, c * factor, d * _2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _mixed(y, a + _rotated(b + _2, 18) + c, factor)
    e, g, h = e * factor, (y + g) * factor, (z + h) * factor
    return _mixed(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, factor)


_FARM: dict[int, Callable[[Sequence[bytes]], Words]] = {
    -5: _farm_0, -4: _farm_1_to_3, -3: _farm_4_to_7, -2: _farm_8_to_16, -1: _farm_17_to_32, 0: _farm_33_to_64,
}  # fmt: skip


def _weak(words: Sequence[Words], a: Words, b: Words) -> tuple[Words, Words]:
    first, second, third, fourth = words
    a = a + first
    b = _rotated(b + a + fourth, 21)
    c = a
    a = a + second + third
    return a + fourth, b + _rotated(a, 44) + c


def _farm_round(state: Any, words: Sequence[Words], factor: Words, nine: int) -> Any:
    x, y, z, (v0, v1), (w0, w1) = state
    nine = np.uint64(nine)  # type: ignore[assignment]
    x = _rotated(x + y + v0 + words[1], 37) * factor
    y = _rotated(y + v1 + words[6], 42) * factor
    x = x ^ (w1 * nine)
    y = y + v0 * nine + words[5]
    z = _rotated(z + w0, 33) * factor
    v = _weak(words[:4], v1 * factor, x + w0)
    w = _weak(words[4:], z + w1, y + words[2])
    return z, y, x, v, w


def _farm_long(strings: Sequence[bytes]) -> Words:
    lengths = _lengths(strings)
    blocks = (len(strings[0]) - 1) // 64
    words = _words((item[: 64 * blocks] for item in strings), 64 * blocks)
    seed, zeros = np.uint64(81), np.zeros(len(strings), np.uint64)
    y = seed * _1 + np.uint64(113)
    state: Any = (
        seed * _2 + words[0], y + zeros, _shift_mixed(y * _2 + np.uint64(113)) * _2 + zeros, (zeros, zeros), (zeros, zeros)
    )  # fmt: skip
    for start in range(0, 8 * blocks, 8):
        state = _farm_round(state, words[start : start + 8], _1, 1)
    x, y, z, (v0, v1), (w0, w1) = state
    factor = _1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w0 = w0 + ((lengths - np.uint64(1)) & np.uint64(63))
    v0 = v0 + w0
    w0 = w0 + v0
    last = _words((item[-64:] for item in strings), 64)
    x, y, z, (v0, v1), (w0, w1) = _farm_round((x, y, z, (v0, v1), (w0, w1)), last, factor, 9)
    return _mixed(_mixed(v0, w0, factor) + _shift_mixed(y) * _0 + z, _mixed(v1, w1, factor) + x, factor)


# ------------------------------------------------------------------------------------------------- SipHash


def siphash24(strings: Sequence[bytes], key: tuple[int, int]) -> np.ndarray:
    """Returns the SipHash-2-4 of each string under a key of two 64-bit words, as uint64.

    Source: Aumasson and Bernstein, SipHash: a fast short-input PRF, INDOCRYPT 2012.
    """
    low, high = (np.uint64(word % 2**64) for word in key)

    def of_group(members: Sequence[bytes], blocks: int) -> Words:
        size = 8 * (blocks + 1)
        padded = (item.ljust(size - 1, b"\0") + bytes((len(item) & 0xFF,)) for item in members)
        state = [
            np.full(len(members), word ^ np.uint64(constant))
            for word, constant in zip(
                (low, high, low, high),
                (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573),
                strict=True,
            )
        ]
        for word in _words(padded, size):
            state[3] = state[3] ^ word
            state = _sip_round(_sip_round(state))
            state[0] = state[0] ^ word
        state[2] = state[2] ^ np.uint64(0xFF)
        for _ in range(4):
            state = _sip_round(state)
        return state[0] ^ state[1] ^ state[2] ^ state[3]

    return _hashed(strings, lambda lengths: lengths // 8, of_group)


def _sip_round(state: list[Words]) -> list[Words]:
    a, b, c, d = state
    a = a + b
    c = c + d
    b = _rotated_left(b, 13) ^ a
    d = _rotated_left(d, 16) ^ c
    a = _rotated_left(a, 32)
    c = c + b
    a = a + d
    b = _rotated_left(b, 17) ^ c
    d = _rotated_left(d, 21) ^ a
    return [a, b, _rotated_left(c, 32), d]


# ------------------------------------------------------------------------------------------------- MurmurHash


def murmur64a(strings: Sequence[bytes], seed: int) -> np.ndarray:
    """Returns the MurmurHash64A of each string, as uint64.

    Source: Austin Appleby, MurmurHash2, https://github.com/aappleby/smhasher.
    """
    factor, shift = np.uint64(0xC6A4A7935BD1E995), np.uint64(47)

    def of_group(members: Sequence[bytes], blocks: int) -> Words:
        lengths = _lengths(members)
        words = _words((item.ljust(8 * blocks + 8, b"\0") for item in members), 8 * blocks + 8)
        hashed = np.uint64(seed) ^ (lengths * factor)
        for word in words[:-1]:
            word = word * factor
            word = (word ^ (word >> shift)) * factor
            hashed = (hashed ^ word) * factor
        hashed = np.where(lengths % np.uint64(8) != 0, (hashed ^ words[-1]) * factor, hashed)
        hashed = (hashed ^ (hashed >> shift)) * factor
        return hashed ^ (hashed >> shift)

    return _hashed(strings, lambda lengths: lengths // 8, of_group)
