"""Random numbers: TensorFlow's own for the same seed, key and counter, bit by bit where no function is rounded."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, Given, i32, i64, some

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

# ------------------------------------------------------------------------------------------------- by rejection

_THREE = "float16 float32 float64"
_SHAPES = Given([0.1, 0.7, 1, 2.5, 40])
_UNLIKELY_EXACT = 4  # logarithms decide what is accepted, and powers follow

case("StatelessRandomGammaV2", i32([6, 5]), _SEED, _SHAPES, dtypes=_THREE, tolerance=_UNLIKELY_EXACT, orders=0)
case("StatelessRandomGammaV2", i64([0]), _SEED, Given(1), dtypes="float32")
case("StatelessRandomGammaV2", i64([3]), _SEED, Given(0), dtypes="float32", orders=0)
mistake("StatelessRandomGammaV2", i32([3, 2]), _SEED, Given([1, 2, 3]), told_by="arguments")
mistake("StatelessRandomGammaV2", i32([3]), i64([1, 2, 3]), Given(1))
case(
    "StatelessRandomGammaV3", i32([6, 5]), _KEY, _COUNTER, _PHILOX, _SHAPES, dtypes=_THREE,
    tolerance=_UNLIKELY_EXACT, orders=0,
)  # fmt: skip
mistake("StatelessRandomGammaV3", i32([3]), _KEY, _COUNTER, _THREEFRY, Given(1), told_by="arguments")

_RATES = Given([0, 0.5, 9, 10, 33, 1e4])
for _type in ("float16", "float32", "float64", "int32", "int64"):
    case("StatelessRandomPoisson", i32([4, 6]), _SEED, _RATES, dtypes="float32 float64", dtype=_type)
case("StatelessRandomPoisson", i32([4, 6]), _SEED, Given([0, 1, 9, 10, 33, 1000]), dtypes="int32", dtype="int64")
case("StatelessRandomPoisson", i32([]), _SEED, Given(3), dtypes="float32", dtype="float32")
case("StatelessRandomPoisson", i32([2]), _SEED, Given(np.inf), dtypes="float32", dtype="float32")
case("StatelessRandomPoisson", i32([0]), _SEED, Given(3), dtypes="float32", dtype="int32")
mistake("StatelessRandomPoisson", i32([3, 2]), _SEED, Given([1, 2, 3]), told_by="arguments", dtype="float32")

_TRIALS, _CHANCES = Given([[0], [5], [1000]]), Given([-0.1, 0.01, 0.4, 0.7, 1.5])
for _type in ("float32", "int32", "int64"):
    case("StatelessRandomBinomial", i32([4, 3, 5]), _SEED, _TRIALS, _CHANCES, dtypes="float32 float64", dtype=_type)
case("StatelessRandomBinomial", i64([3]), i32([1, 2]), Given(50), Given(np.nan), dtypes="float32", dtype="float32")
case("StatelessRandomBinomial", i32([0]), _SEED, Given(50), Given(0.5), dtypes="float32")
mistake("StatelessRandomBinomial", i32([4, 2]), _SEED, Given(50), Given([0.1, 0.2, 0.3]), told_by="arguments")

_BOUNDS = (
    Given([0, 0, 0, 0, 5, 1]), Given([1, 1, 1, 1, 2, 0.5]), Given([-1, 2, 2, -np.inf, -np.inf, -3]),
    Given([1, 5, 2.1, -1, 7, 0]),
)  # fmt: skip
case(
    "StatelessParameterizedTruncatedNormal", i32([3, 6]), _SEED, *_BOUNDS, dtypes="float32 float64", tolerance=16,
    orders=0,
)  # fmt: skip
case("StatelessParameterizedTruncatedNormal", i32([0]), _SEED, *map(Given, (0, 1, -1, 1)), dtypes="float32")
for _wrong in ((0, -1, -1, 1), (0, 1, 1, -1), (0, 1, -np.inf, np.inf)):
    mistake("StatelessParameterizedTruncatedNormal", i32([3]), _SEED, *map(Given, _wrong), told_by="values")

case(
    "RandomGammaGrad",
    Given([[0.01], [0.5], [1], [3], [50]]),
    Given([0.009, 0.45, 0.9, 2.7, 45]),
    dtypes="float32 float64",
    tolerance=64,
    orders=0,
)
case(
    "RandomGammaGrad", Given([1, -1, 0, 0.5, 2, np.nan, 3, np.inf]), Given([0, 1, 1, -1, np.inf, 1, np.nan, 1]),
    dtypes="float32 float64", orders=0,
)  # fmt: skip
mistake("RandomGammaGrad", some(2), some(3))

# ------------------------------------------------------------------------------------------------- an index's place

case("RandomIndexShuffle", np.arange(7, dtype=np.int32), i32([1, -2, 3]), i32(6), dtypes="int32")
case("RandomIndexShuffle", i64(3), i32([1, 2, 3]), i64(2**40), dtypes="int64", rounds=6)
case("RandomIndexShuffle", i64([3, 65536]), i64([[1, 2, 3], [2**40, 5, 6]]), i64([3, 65536]), dtypes="int64")
mistake("RandomIndexShuffle", i32(7), i32([1, 2, 3]), i32(6), dtypes="int32", told_by="values")
mistake("RandomIndexShuffle", i32(1), i32([1, 2]), i32(6), dtypes="int32", told_by="values")
