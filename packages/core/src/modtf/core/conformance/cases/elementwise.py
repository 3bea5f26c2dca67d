"""Element by element: arithmetic, functions of one and two numbers, comparison, selection, casts."""

from __future__ import annotations

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import COMPLEX, FLOATS, INTS, NUMBERS, REALS, Given, some

_ALL = f"{FLOATS} {COMPLEX}"
_WITHOUT_BFLOAT16 = "float64 float32 float16"

# ------------------------------------------------------------------------------------------------- one operand

# name: dtypes, and the bounds between which the op is tried
_UNARY = {
    "Neg": (NUMBERS, -2, 2), "Abs": (REALS, -2, 2), "Sign": (NUMBERS, -2, 2), "Square": (NUMBERS, -2, 2),
    "Sqrt": (_ALL, 0.1, 3), "Rsqrt": (_ALL, 0.1, 3), "Exp": (_ALL, -2, 2), "Expm1": (_ALL, -2, 2), "Log": (_ALL, 0.1, 3),
    "Log1p": (_ALL, -0.5, 3), "Sin": (_ALL, -2, 2), "Cos": (_ALL, -2, 2), "Tan": (_ALL, -1, 1), "Asin": (_ALL, -0.8, 0.8),
    "Acos": (_ALL, -0.8, 0.8), "Atan": (_ALL, -0.8, 0.8), "Sinh": (_ALL, -2, 2), "Cosh": (_ALL, -2, 2),
    "Asinh": (_ALL, -2, 2), "Acosh": (_ALL, 1.2, 3), "Atanh": (_ALL, -0.8, 0.8), "Tanh": (_ALL, -2, 2),
    "Sigmoid": (_ALL, -2, 2), "Reciprocal": (_ALL, 0.3, 2), "Inv": (_ALL, 0.3, 2), "Erf": (FLOATS, -4, 4),
    "Erfc": (FLOATS, -2, 4), "Erfinv": ("float64 float32", -0.9, 0.9), "Ndtri": ("float64 float32", 0.1, 0.9),
    "Lgamma": (_WITHOUT_BFLOAT16, 0.3, 4), "Digamma": (_WITHOUT_BFLOAT16, 0.3, 4),
}  # fmt: skip
for _name, (_dtypes, _low, _high) in _UNARY.items():
    case(_name, some(2, 3, low=_low, high=_high), dtypes=_dtypes)
    case(_name, some(low=_low, high=_high), dtypes="float32")
    case(_name, some(0, 3, low=_low, high=_high), dtypes="float32", smooth=False)

for _name in ("Floor", "Ceil", "Rint", "Round"):
    _dtypes = "float64 float32" if _name == "Rint" else FLOATS
    case(_name, some(3, 4, low=-9, high=9), dtypes=_dtypes)
    case(_name, Given([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]), dtypes=_dtypes)
case("Conj", some(2, 3), dtypes=COMPLEX)
case("LogicalNot", some(2, 3), dtypes="bool")

_EDGES = Given([-np.inf, -1.0, -0.0, 0.0, 1.0, np.inf, np.nan])
for _name in ("IsNan", "IsInf", "IsFinite"):
    case(_name, _EDGES)
for _name in ("Abs", "Sign", "Square", "Sqrt", "Exp", "Expm1", "Log", "Log1p", "Tanh", "Sigmoid", "Floor", "Rsqrt"):
    case(_name, _EDGES, dtypes="float64 float32")

case("Erf", _EDGES, dtypes="float32")

for _name in ("TanhGrad", "SigmoidGrad"):
    case(_name, some(2, 3, low=-0.9, high=0.9), some(2, 3), dtypes=_ALL)
for _name in ("SqrtGrad", "RsqrtGrad", "ReciprocalGrad", "InvGrad"):
    case(_name, some(2, 3, low=0.5, high=2), some(2, 3), dtypes=_ALL)
for _name in ("TanhGrad", "SigmoidGrad", "SqrtGrad", "RsqrtGrad", "ReciprocalGrad", "InvGrad"):
    mistake(_name, some(2, 3), some(3), told_by="arguments")
for _name in ("SqrtGrad", "RsqrtGrad"):
    case(_name, Given([0.0, 0.0, 2.0, np.inf]), Given([0.0, 1.0, 0.0, 0.0]), dtypes="float64 float32")
case("Lgamma", Given([-2.5, -1.5, -0.25, 20.0, 100.0]), dtypes="float64 float32", tolerance=4)
case("Digamma", Given([-2.5, -1.5, -0.25, 20.0, 100.0]), dtypes="float64 float32", tolerance=4)
case("Digamma", Given([np.inf, np.nan]), dtypes=_WITHOUT_BFLOAT16, smooth=False)
for _name in ("ReciprocalGrad", "InvGrad"):
    case(_name, Given([np.inf, -np.inf, np.nan, 2.0]), Given([0.0, 0.0, 0.0, 1.0]), dtypes=FLOATS, smooth=False)
case("Erfinv", Given([-1.0, 1.0, 0.999, -1e-3]), dtypes="float64 float32", tolerance=4)
case("Angle", some(2, 3), dtypes="complex64")
case("ComplexAbs", some(2, 3), dtypes="complex64")
case("Angle", some(3), dtypes="complex128", Tout="float64")
case("ComplexAbs", some(3), dtypes="complex128", Tout="float64")

# The activations and, in this order, what gives their gradients.
_ACTIVATIONS = {
    "Relu": (REALS, {}), "Relu6": (REALS, {}), "Elu": (FLOATS, {}), "Selu": (FLOATS, {}), "Softplus": (FLOATS, {}),
    "Softsign": (FLOATS, {}), "LeakyRelu": (FLOATS, {"alpha": 0.3}),
}  # fmt: skip
for _name, (_dtypes, _attrs) in _ACTIVATIONS.items():
    case(_name, some(3, 4, low=-9, high=9), dtypes=_dtypes, **_attrs)
    case(_name, some(0, 4), dtypes="float32", smooth=False, **_attrs)
    case(_name, _EDGES, dtypes="float32", **_attrs)
    case(f"{_name}Grad", some(3, 4), some(3, 4), dtypes=_dtypes if _name != "Relu6" else FLOATS, **_attrs)
    mistake(f"{_name}Grad", some(3, 4), some(3, 5), **_attrs)

# ------------------------------------------------------------------------------------------------- two operands

_ARITHMETIC = {
    "Add": NUMBERS, "AddV2": NUMBERS, "Sub": NUMBERS, "Mul": NUMBERS, "SquaredDifference": NUMBERS,
    "Maximum": REALS, "Minimum": REALS,
}  # fmt: skip
for _name, _dtypes in _ARITHMETIC.items():
    case(_name, some(2, 3, low=-9, high=9), some(2, 3, low=-9, high=9), dtypes=_dtypes)
    case(_name, some(3, 1, 2, low=-9, high=9), some(4, 1, low=-9, high=9), dtypes="float32 int32")
    case(_name, some(2, 0), some(1, 1), dtypes="float32", smooth=False)
    case(_name, some(), some(2, 3), dtypes="float32")

for _name in ("Div", "RealDiv"):
    case(_name, some(2, 3), some(3, low=0.5, high=2), dtypes=_ALL)
for _name in ("Div", "FloorDiv", "FloorMod", "TruncateDiv", "TruncateMod", "Mod"):
    case(_name, some(20, low=-9, high=9), some(20, low=1, high=4), dtypes=INTS)
    case(_name, some(20, low=-9, high=9), some(20, low=-4, high=-1), dtypes=INTS)
    if not _name.endswith("Mod") or _name == "FloorMod":
        case(_name, some(5, low=0, high=9), some(1, low=1, high=4), dtypes="uint8 int8 int16 uint16")
    if not _name.startswith("Truncate"):  # TensorFlow refuses these as well, with an InternalError
        mistake(_name, some(3, low=1, high=4), Given([1, 0, 2]), dtypes="int32", told_by="values")
case("FloorDiv", some(8, low=-9, high=9), some(8, low=0.5, high=3))
case("FloorMod", some(2, 3, low=-9, high=9), some(3, low=-3, high=-0.5))
case("Div", Given([1.0, -1.0, 0.0]), Given([0.0, 0.0, 0.0]), dtypes="float64 float32")
case("DivNoNan", some(2, 3), some(3, low=0.5, high=2), dtypes=_ALL)
case("DivNoNan", Given([1.0, 0.0, np.inf, np.nan]), Given([0.0, 0.0, 0.0, 0.0]))
case("Pow", some(2, 3, low=0.2, high=2), some(3), dtypes=_ALL)
case("Pow", some(2, 3, low=-3, high=3), some(3, low=0, high=3), dtypes=INTS)
case("Pow", some(2, 3), Given([2.0]))
case("Pow", Given([0.0, 0.0, 2.0, -2.0, np.nan]), Given([0.0, 2.0, 0.0, 3.0, 0.0]))
case("Atan2", some(2, 3), some(1, 3))
case("TruncateMod", some(8, low=-9, high=9), some(8, low=0.5, high=3), dtypes="float64 float32")
case("Mod", some(8, low=-9, high=9), some(8, low=0.5, high=3), dtypes="float64 float32")
for _name in ("MulNoNan", "Xdivy", "Xlogy", "Xlog1py"):
    case(_name, some(2, 3), some(3, low=0.3, high=2), dtypes=_ALL)
    case(_name, Given([0.0, 0.0, 1.0]), Given([0.0, 0.5, 2.0]) if _name != "MulNoNan" else Given([0.0, 1.0, 0.0]))
case("NextAfter", Given([0.0, 1.0, 1.0, -1.0]), Given([1.0, 2.0, 1.0, 1.0]), dtypes="float64 float32")
case("ApproximateEqual", Given([1.0, 2.0, 3.0]), Given([1.0, 2.001, 3.0]), dtypes="float64 float32")
case("ApproximateEqual", Given([1.0, 2.0, 3.0]), Given([1.1, 2.5, 3.0]), dtypes="float32", tolerance=0.25)
case("Polygamma", Given([0.0, 1.0, 3.0]), some(2, 3, low=0.5, high=4), dtypes="float64 float32", tolerance=4)
case("Zeta", Given([2.0, 3.5, 5.0]), some(2, 3, low=0.5, high=4), dtypes="float64 float32", tolerance=4)
case("Zeta", Given([2.0, np.inf, np.inf]), Given([np.inf, 2.0, 1.0]), dtypes="float64 float32", smooth=False)

for _name in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
    case(_name, some(2, 3, low=-99, high=99), some(3, low=-99, high=99), dtypes="int32 int64 uint8 int8 uint64")
for _name in ("LeftShift", "RightShift"):
    case(_name, some(2, 3, low=-99, high=99), some(3, low=0, high=6), dtypes="int32 int64 uint8 int8")
case("Invert", some(2, 3, low=-99, high=99), dtypes="int32 int64 uint8 int8")
case("PopulationCount", some(2, 3, low=-99, high=99), dtypes="int32 int64 uint8 int8")

case("AddN", [some(2, 3), some(2, 3), some(2, 3)], dtypes=NUMBERS)
case("AddN", [some(2)], dtypes="float32")
mistake("AddN", [some(2, 3), some(3), some(2, 3)])
mistake("ApproximateEqual", some(2, 3), some(3))

case("AccumulateNV2", [some(2, 3), some(2, 3)], dtypes="float64 float32 int32", shape=[2, 3])

for _name in ("Less", "LessEqual", "Greater", "GreaterEqual"):
    case(_name, some(4, 5, low=0, high=3, dtype="int32"), some(5, low=0, high=3, dtype="int32"), dtypes="int32")
    case(_name, some(2, 3), some(2, 1), dtypes=REALS)
    case(_name, Given([np.nan, 1.0, np.inf]), Given([np.nan, 1.0, np.inf]), dtypes="float32")
for _name in ("Equal", "NotEqual"):
    case(_name, some(4, 5, low=0, high=3), some(5, low=0, high=3), dtypes=f"{INTS} uint8 int8")
    case(_name, some(3), some(2, 3), dtypes=f"{NUMBERS} bool")
    case(_name, Given([np.nan, 1.0, np.inf]), Given([np.nan, 1.0, np.inf]), dtypes="float32")
    case(_name, some(3), some(2), dtypes="float32", incompatible_shape_error=False)
    mistake(_name, some(3), some(2))
for _name in ("LogicalAnd", "LogicalOr"):
    case(_name, some(4, 5), some(5), dtypes="bool")

for _name in (*_ARITHMETIC, "RealDiv", "DivNoNan", "Pow", "Less", "Atan2"):
    mistake(_name, some(2, 3), some(2))

# ------------------------------------------------------------------------------------------------- selection, casts

case("SelectV2", some(2, 3, dtype="bool"), some(2, 3), some(2, 3), dtypes=f"{NUMBERS} bool")
case("SelectV2", some(3, dtype="bool"), some(2, 1), some(), dtypes="float32")
case("Select", some(2, 3, dtype="bool"), some(2, 3), some(2, 3), dtypes="float64 float32 int32")
case("Select", some(2, dtype="bool"), some(2, 3), some(2, 3), dtypes="float32")
case("Select", some(dtype="bool"), some(2, 3), some(2, 3), dtypes="float32")
mistake("Select", some(2, 3, dtype="bool"), some(2, 3), some(3, 2))
mistake("Select", some(2, 3, dtype="bool"), some(1, 2, 3), some(1, 2, 3), told_by="arguments")
mistake("Select", some(3, dtype="bool"), some(2, 3), some(2, 3), told_by="arguments")
case("ClipByValue", some(2, 3), Given(-1), Given(1), dtypes=REALS)
mistake("SelectV2", some(3, dtype="bool"), some(2), some(3))

for _to in ("float64", "float32", "bfloat16", "float16", "int32", "int64", "uint8", "bool", "complex64"):
    case("Cast", some(2, 3, low=0, high=9), dtypes=f"{REALS} bool", smooth=_to == "float64", DstT=_to)
for _to in ("float32", "float64", "complex64", "complex128"):
    case("Cast", some(2, 3), dtypes=COMPLEX, smooth=False, DstT=_to)

for _complex, _float in (("complex64", "float32"), ("complex128", "float64")):
    case("Real", some(2, 3), dtypes=_complex, Tout=_float)
    case("Imag", some(2, 3), dtypes=_complex, Tout=_float)
    case("Complex", some(2, 3), some(3), dtypes=_float, Tout=_complex, smooth=False)
mistake("ComplexAbs", some(3), dtypes="complex128", told_by="arguments", Tout="float32")
