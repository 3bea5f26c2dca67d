"""Counter-based generators of random bits: a function of key and counter, the same on every backend.

Philox4x32-10 and ThreeFry2x32-20 from Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3"
(SC11). All words are held in uint64, of which the low 32 bits are used, so that products of two words are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

PHILOX = 1
THREEFRY = 2
AUTO_SELECT = 3

_WORD = 0xFFFFFFFF
_PHILOX_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_PHILOX_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_THREEFRY_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_THREEFRY_PARITY = 0x1BD11BDA
_SCRAMBLE_KEY = 0x02461E293EC8F720
_CACHED_BLOCKS = 16384


def _words(double_word: Any) -> tuple[Any, Any]:
    return double_word & _WORD, double_word >> 32


def philox(xp: Any, key: Any, counter: Any, blocks: Any) -> list[Any]:
    """Returns the four random words of each block.

    Args:
        xp: The namespace.
        key: The key, uint64 of shape [1].
        counter: The counter of block 0, uint64 of shape [2], the low half first.
        blocks: The numbers of the blocks, uint64 of any shape.
    """
    low = counter[0] + blocks
    high = counter[1] + xp.astype(low < blocks, xp.uint64)
    x0, x1 = _words(low)
    x2, x3 = _words(high)
    k0, k1 = _words(key[0])
    for _ in range(10):
        product0, product1 = x0 * _PHILOX_MULTIPLIERS[0], x2 * _PHILOX_MULTIPLIERS[1]
        x0, x1, x2, x3 = (product1 >> 32) ^ x1 ^ k0, product1 & _WORD, (product0 >> 32) ^ x3 ^ k1, product0 & _WORD
        k0, k1 = (k0 + _PHILOX_KEY_STEPS[0]) & _WORD, (k1 + _PHILOX_KEY_STEPS[1]) & _WORD
    return [x0, x1, x2, x3]


def philox_blocks(xp: Any, key: Any, counter: Any, blocks: Any) -> Any:
    """Returns the same along a new last axis of length 4, for a vector of blocks."""
    if xp is not np or len(blocks) <= _CACHED_BLOCKS:
        return xp.stack(philox(xp, key, counter, blocks), axis=-1)
    words = np.empty((len(blocks), 4), np.uint64)
    for start in range(0, len(blocks), _CACHED_BLOCKS):  # in pieces that stay in the processor's cache
        piece = slice(start, start + _CACHED_BLOCKS)
        for index, word in enumerate(philox(np, key, counter, blocks[piece])):
            words[piece, index] = word
    return words


def scrambled_seed(xp: Any, seed: Any) -> tuple[Any, Any]:
    """Returns key and counter for Philox from any two integers, which need not be random."""
    fixed = xp.full((1,), _SCRAMBLE_KEY, dtype=xp.uint64)
    zero = xp.zeros((1,), dtype=xp.uint64)
    x0, x1, x2, x3 = philox(xp, fixed, xp.astype(seed, xp.uint64), zero)
    return x0 | (x1 << 32), xp.concat([zero, x2 | (x3 << 32)])


def _threefry(xp: Any, key: Any, counters: Any) -> tuple[Any, Any]:
    """Returns two random words for each 64-bit counter."""
    k0, k1 = _words(key[0])
    keys = (k0, k1, k0 ^ k1 ^ _THREEFRY_PARITY)
    x0, x1 = _words(counters)
    x0, x1 = (x0 + k0) & _WORD, (x1 + k1) & _WORD
    for step in range(5):
        for distance in _THREEFRY_ROTATIONS[step % 2]:
            x0 = (x0 + x1) & _WORD
            x1 = (((x1 << distance) & _WORD) | (x1 >> (32 - distance))) ^ x0
        x0 = (x0 + keys[(step + 1) % 3]) & _WORD
        x1 = (x1 + keys[(step + 2) % 3] + (step + 1)) & _WORD
    return x0, x1


def random_words(xp: Any, algorithm: int, key: Any, counter: Any, shape: Sequence[int], bits: int) -> Any:
    """Returns random unsigned integers.

    Args:
        xp: The namespace.
        algorithm: `PHILOX` or `THREEFRY`.
        key: The key, uint64 of shape [1].
        counter: The counter, uint64 of shape [2]; ThreeFry uses the first.
        shape: The shape of the result.
        bits: 32 or 64.

    Returns:
        A uint64 array of that shape, whose low `bits` bits are random and others zero.
    """
    size = math.prod(shape)
    if algorithm == THREEFRY:
        return _threefry_words(xp, key, counter, tuple(shape), bits)
    words = philox_blocks(xp, key, counter, xp.arange(-(-size * bits // 128), dtype=xp.uint64))
    if bits == 64:
        words = xp.stack([words[..., 0] | (words[..., 1] << 32), words[..., 2] | (words[..., 3] << 32)], axis=-1)
    return xp.reshape(xp.reshape(words, (-1,))[:size], tuple(shape))


def _threefry_words(xp: Any, key: Any, counter: Any, shape: tuple[int, ...], bits: int) -> Any:
    # As XLA lays them out: of 32 bits, the two words of one counter stand side by side along the first even axis,
    # or along the longest (which is filled up to an even length) if there is none.
    if bits == 64:
        x0, x1 = _threefry(xp, key, counter[0] + xp.arange(math.prod(shape), dtype=xp.uint64))
        return xp.reshape(x0 | (x1 << 32), shape)
    target, split = split_axis(shape)
    counters = counter[0] + xp.arange(math.prod(target) // 2, dtype=xp.uint64)
    half = (*target[:split], target[split] // 2, *target[split + 1 :])
    pair = [xp.reshape(words, half) for words in _threefry(xp, key, counters)]
    return joined(xp, pair, shape)


def split_axis(shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Where an array is divided into two halves: its shape with that axis made even, and the axis."""
    if not shape:
        return (2,), 0
    even = [axis for axis, size in enumerate(shape) if size % 2 == 0]
    axis = even[0] if even else max(range(len(shape)), key=lambda index: shape[index])
    return (*shape[:axis], shape[axis] + shape[axis] % 2, *shape[axis + 1 :]), axis


def joined(xp: Any, pair: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Puts two halves back together, element by element along the axis of `split_axis`."""
    target, axis = split_axis(shape)
    if not shape:
        return xp.reshape(pair[0], ())
    whole = xp.reshape(xp.stack(pair, axis=axis + 1), target)
    return whole[tuple(slice(0, size) for size in shape)]
