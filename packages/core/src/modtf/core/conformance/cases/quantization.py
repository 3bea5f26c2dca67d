"""Rounding to few bits: simulated, there and back, and to quantized dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import Given, some


def _f32(values: Any) -> np.ndarray:
    return np.array(values, np.float32)


_X = some(3, 4, low=-7, high=7)
# No range is such that zero lies half-way between two steps, where the last bit of a quotient decides.
_RANGES = [(-6.0, 5.5), (-3.0, 1.75), (1.0, 3.0), (-5.0, -1.0)]
_ENDS = _f32([-6, 0, -3, 1]), _f32([5.5, 0, 1.75, 3])

for _index, (_low, _high) in enumerate(_RANGES):
    _bits: dict[str, Any] = {"num_bits": 4, "narrow_range": True} if _index == 1 else {}
    _args = {"min": _low, "max": _high, **_bits}
    case("FakeQuantWithMinMaxArgs", _X, dtypes="float32", **_args)
    case("FakeQuantWithMinMaxArgsGradient", some(3, 4), _X, dtypes="float32", **_args)
    case("FakeQuantWithMinMaxVars", _X, _f32(_low), _f32(_high), dtypes="float32", **_bits)
    case("FakeQuantWithMinMaxVarsGradient", some(3, 4), _X, _f32(_low), _f32(_high), dtypes="float32", **_bits)
case("FakeQuantWithMinMaxVars", _X, some(low=-4, high=-3), some(low=3, high=4), dtypes="float32")
case("FakeQuantWithMinMaxVars", _X, _f32(0), _f32(0), dtypes="float32")
case("FakeQuantWithMinMaxVarsPerChannel", _X, some(4, low=-4, high=-3), some(4, low=3, high=4), dtypes="float32")
for _shape in ((3, 4), (2, 2, 4), (4,)):
    case("FakeQuantWithMinMaxVarsPerChannel", some(*_shape, low=-7, high=7), *_ENDS, dtypes="float32")
    case("FakeQuantWithMinMaxVarsPerChannelGradient", some(*_shape), some(*_shape, low=-7, high=7), *_ENDS,
         dtypes="float32", num_bits=6)  # fmt: skip
mistake("FakeQuantWithMinMaxArgs", _X, told_by="arguments", min=1.0, max=0.0)
mistake("FakeQuantWithMinMaxArgs", _X, told_by="arguments", num_bits=17)
mistake("FakeQuantWithMinMaxVars", _X, _f32([0]), _f32([1]))
mistake("FakeQuantWithMinMaxVarsPerChannel", _X, _f32([0, 0]), _f32([1, 1]))

# ------------------------------------------------------------------------------------------------- there and back

for _version in ("V2", "V4"):
    _name = f"QuantizeAndDequantize{_version}"
    for _low, _high in (*_RANGES, (0.0, 0.0)):
        case(_name, _X, Given(_low), Given(_high), dtypes="float64 float32", smooth=False, range_given=True)
    case(_name, _X, Given(-3), Given(2), dtypes="float64 float32", smooth=False, num_bits=4, round_mode="HALF_UP")
    case(_name, _X, Given(-3), Given(2), dtypes="float32", num_bits=3, signed_input=False)
    case(_name, _X, Given(-3), Given(2), dtypes="float32", num_bits=3, narrow_range=True, range_given=True)
    case(_name, _X, Given([-3, 0, -5, 0]), Given([2, 0, 9, 1]), dtypes="float32", axis=1)
    case(_name, some(0, 2), Given(-3), Given(2), dtypes="float32", smooth=False)
    mistake(_name, _X, Given(3), Given(1), told_by="values", range_given=True)
_BITS = np.array(5, np.int32)
case("QuantizeAndDequantizeV3", _X, Given(-3), Given(2), _BITS, dtypes="float64 float32", smooth=False)
case("QuantizeAndDequantizeV3", _X, Given([-3, 0, -5, 0]), Given([2, 0, 9, 1]), _BITS, dtypes="float32", axis=1)
case("QuantizeAndDequantizeV3", _X, Given(-3), Given(2), _BITS, dtypes="float32", range_given=False, signed_input=False)
# TensorFlow's gradient of this one fails.
case("QuantizeAndDequantizeV4Grad", Given(np.arange(6) - 2.5), Given([-4, -3, 0, 2, 2.5, 7]), Given(-3), Given(2),
     dtypes="float64 float32", smooth=False)  # fmt: skip
case("QuantizeAndDequantizeV4Grad", Given(np.arange(8).reshape(2, 4)), Given(np.arange(8).reshape(2, 4) - 4.0),
     Given([-3, 0, -5, 0]), Given([2, 0, 9, 1]), dtypes="float32", axis=1)  # fmt: skip

# ------------------------------------------------------------------------------------------------- quantized dtypes

_FLOATS = _f32([[-7.5, -2.25, 0, 0.4], [1, 2.5, 3.3, 9]])
_KINDS = "qint8 quint8 qint16 quint16 qint32"
for _mode in ("MIN_COMBINED", "MIN_FIRST", "SCALED"):
    _nothing_else = {"mode": _mode}
    for _low, _high in ((-8.0, 9.5), (-3.0, 1.75)):
        _kinds = _KINDS if _low == -8 else "qint8 quint8"
        case("QuantizeV2", _FLOATS, _f32(_low), _f32(_high), dtypes=_kinds, T="T", **_nothing_else)
        case("Dequantize", Given([[0, 1, 2], [3, 99, 127]]), _f32(_low), _f32(_high), dtypes=_kinds, **_nothing_else)
    case("QuantizeV2", _f32([0.5]), _f32(0), _f32(0), dtypes="quint8", T="T", **_nothing_else)
case("QuantizeV2", _FLOATS, _f32(-8), _f32(8), dtypes="qint8 quint8", T="T", mode="SCALED", round_mode="HALF_TO_EVEN",
     narrow_range=True)  # fmt: skip
case("QuantizeV2", _FLOATS, *_ENDS, dtypes="qint8 quint8", T="T", axis=1)
case("Dequantize", Given([[-128, -127, 2, 0], [3, 99, 127, 1]]), *_ENDS, dtypes="qint8", axis=1)
case("Dequantize", Given([0, 255, 3]), _f32(-6), _f32(3), dtypes="quint8", dtype="bfloat16")
case("Dequantize", Given([-127, 127]), _f32(-6), _f32(3), dtypes="qint8", mode="SCALED", narrow_range=True)
mistake("QuantizeV2", _FLOATS, _f32(3), _f32(1), told_by="values", T="qint8")
mistake("QuantizeV2", _FLOATS, _f32([0, 0]), _f32([1, 1]), T="qint8")
