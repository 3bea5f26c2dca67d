"""Hashes of strings into buckets, and fingerprints of any tensor's rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import unchanged
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.strings.hash_functions import fingerprint64, murmur64a, siphash24
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_LEGACY_SEED = 0xDECAFCAFFE


def _key(words: Sequence[int]) -> tuple[int, int]:
    if len(words) != 2:
        raise InvalidArgumentError(f"Key must have 2 elements, not {len(words)}")
    return words[0], words[1]


def _bucket(name: str, arguments: str, function: Callable[..., np.ndarray]) -> None:
    def kernel(xp: Any, strings: np.ndarray, *, num_buckets: int, **attrs: Any) -> np.ndarray:
        if num_buckets < 1:
            raise InvalidArgumentError(f"num_buckets must be at least 1, not {num_buckets}")
        hashes = function(strings.reshape(-1).tolist(), *attrs.values())
        return (hashes % np.uint64(num_buckets)).astype(np.int64).reshape(strings.shape)

    register(Op(f"{name}({arguments}) -> (output: int64)", kernel=kernel, shape=unchanged, host_only=True))


_bucket("StringToHashBucketFast", "input: string, *, num_buckets: int", fingerprint64)
_bucket(
    "StringToHashBucketStrong",
    "input: string, *, num_buckets: int, key: list(int)",
    lambda strings, key: siphash24(strings, _key(key)),
)
_bucket(
    "StringToHashBucket", "string_tensor: string, *, num_buckets: int", lambda strings: murmur64a(strings, _LEGACY_SEED)
)


def _fingerprint_dims(data: Tensor, method: Tensor) -> Dims:
    if data.ndim == 0:
        raise ValueError("`data` should have at least one dimension, but it is a scalar")
    return (None if data.dims is None else data.dims[0], 8)


@op("Fingerprint[T](data: T, method: string) -> (fingerprint: uint8)", shape=_fingerprint_dims, host_only=True)
def fingerprint(xp: Any, data: np.ndarray, method: np.ndarray) -> np.ndarray:
    if method.ndim or method[()] != b"farmhash64":
        raise InvalidArgumentError(f"Unsupported fingerprint method: {method}. It must be the scalar 'farmhash64'")
    if not data.ndim:
        raise InvalidArgumentError("`data` should have at least one dimension, but it is a scalar")
    count, width = len(data), math.prod(data.shape[1:])
    if data.dtype == object:
        items = data.reshape(-1).tolist()
        if width == 1:
            return _as_bytes(fingerprint64(items))
        data = _as_bytes(fingerprint64(items))  # of several strings in a row, the fingerprint of their fingerprints
    content = np.ascontiguousarray(data).tobytes()
    size = len(content) // count if count else 0
    return _as_bytes(fingerprint64([content[row * size : (row + 1) * size] for row in range(count)]))


fingerprint.gradient(None)


def _as_bytes(hashes: np.ndarray) -> np.ndarray:
    return hashes.astype("<u8").view(np.uint8).reshape(-1, 8)
