"""Random numbers: TensorFlow's own for the same seed, key and counter, bit by bit where no function is rounded."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, i32, i64, some

_SEED = i64([12345, -67890])
_KEY = np.array([0x1234567890ABCDEF], np.uint64)
_COUNTER = np.array([7, 2**63 + 9], np.uint64)
_PHILOX, _THREEFRY = i32(1), i32(2)
_HALF_TOO = f"{FLOATS} float16"

case("StatelessRandomGetAlg", dtypes="int32")
case("StatelessRandomGetKeyCounter", _SEED, dtypes="int64")
case("StatelessRandomGetKeyCounter", i32([1, 2]), dtypes="int32")
case("StatelessRandomGetKeyCounterAlg", _SEED, dtypes="int64")

# ------------------------------------------------------------------------------------------------- by seed

# Uniform numbers are words of random bits; normal ones are logarithms, roots, sines and cosines of them.
for _name, _tolerance in {
    "StatelessRandomUniform": 0,
    "StatelessRandomNormal": 2,
    "StatelessTruncatedNormal": 2,
}.items():
    case(_name, i32([3, 5]), _SEED, dtypes=_HALF_TOO, tolerance=_tolerance, dtype="T")
    case(_name, i64([300]), i32([5, 0]), dtypes="float32", tolerance=_tolerance, dtype="T")
    case(_name, i32([0]), _SEED, dtypes="float32", dtype="T")
    case(_name, i32([]), _SEED, dtypes="float32", tolerance=_tolerance, dtype="T")
    mistake(_name, i32([3]), i64([1]), dtype="float32")
    mistake(_name, i32([-3]), _SEED, told_by="arguments", dtype="float32")
case("StatelessRandomUniformInt", i32([3, 5]), _SEED, i32(-5), i32(100), dtypes="int32")
case("StatelessRandomUniformInt", i32([300]), _SEED, i64(-(2**40)), i64(2**41), dtypes="int64")
case("StatelessRandomUniformFullInt", i32([3, 5]), _SEED, dtypes="int32 int64 uint32 uint64", dtype="T")
mistake("StatelessRandomUniformInt", i32([3]), _SEED, i32(5), i32(5), told_by="values")
case("StatelessMultinomial", some(2, 4), i32(5), _SEED, dtypes="float32 float64")
mistake("StatelessMultinomial", some(4), i32(5), _SEED)

# ------------------------------------------------------------------------------------------------- by key and counter

for _name, _tolerance in {
    "StatelessRandomUniformV2": 0,
    "StatelessRandomNormalV2": 2,
    "StatelessTruncatedNormalV2": 2,
}.items():
    case(_name, i32([3, 5]), _KEY, _COUNTER, _PHILOX, dtypes=_HALF_TOO, tolerance=_tolerance, dtype="T")
case("StatelessRandomUniformIntV2", i32([3, 5]), _KEY, _COUNTER, _PHILOX, i32(-5), i32(100), dtypes="int32")
case(
    "StatelessRandomUniformFullIntV2",
    i32([3, 5]),
    _KEY,
    _COUNTER,
    _PHILOX,
    dtypes="int32 int64 uint32 uint64",
    dtype="T",
)
case("StatelessShuffle", i32([5, 6, 7, 8, 9]), _KEY, _COUNTER, _PHILOX, dtypes="int32")
