"""Products of matrices."""

from __future__ import annotations

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, NUMBERS, REALS, some

case("MatMul", some(2, 3), some(3, 4), dtypes=NUMBERS, tolerance=2)
case("MatMul", some(3, 2), some(3, 4), dtypes="float64 float32 complex64", transpose_a=True)
case("MatMul", some(2, 3), some(4, 3), dtypes="float64 float32 complex64", transpose_b=True)
case("MatMul", some(3, 2), some(4, 3), dtypes="float64 float32 complex64", transpose_a=True, transpose_b=True)
case("MatMul", some(2, 0), some(0, 4), dtypes="float32", smooth=False)
case("MatMul", some(0, 3), some(3, 4), dtypes="float32", smooth=False)
mistake("MatMul", some(2, 3), some(2, 3))
mistake("MatMul", some(2, 3, 4), some(4, 2))
mistake("MatMul", some(3), some(3, 4))

for _name in ("BatchMatMul", "BatchMatMulV2"):
    case(_name, some(2, 2, 3), some(2, 3, 4), dtypes=NUMBERS, tolerance=2)
    case(_name, some(2, 3, 2), some(2, 3, 4), dtypes="float64 complex64", adj_x=True)
    case(_name, some(2, 2, 3), some(2, 4, 3), dtypes="float64 complex64", adj_y=True)
    case(_name, some(2, 3, 2), some(2, 4, 3), dtypes="float64 complex64", adj_x=True, adj_y=True)
    mistake(_name, some(2, 2, 3), some(2, 2, 3))
case("BatchMatMulV2", some(3, 1, 2, 3), some(2, 3, 4), dtypes="float64 float32")
case("BatchMatMulV2", some(2, 3), some(2, 3, 4), dtypes="float32")
case("BatchMatMulV2", some(0, 2, 3), some(0, 3, 4), dtypes="float32", smooth=False)
mistake("BatchMatMulV2", some(2, 2, 3), some(3, 3, 4))
mistake("BatchMatMul", some(2, 2, 3), some(1, 3, 4))
case("BatchMatMulV3", some(2, 2, 3), some(2, 3, 4), dtypes="float64 float32", Tout="T")
case("BatchMatMulV3", some(2, 3, low=-9, high=9), some(3, 4, low=-9, high=9), dtypes="int8", Tout="int32")

for _equation, _shapes in {
    "ij,jk->ik": ((2, 3), (3, 4)),
    "ij->ji": ((2, 3),),
    "ii->i": ((3, 3),),
    "ij->": ((2, 3),),
    "bij,bjk->bik": ((2, 2, 3), (2, 3, 2)),
    "i,j->ij": ((2,), (3,)),
    "...ij,jk->...ik": ((2, 2, 3), (3, 4)),
}.items():
    _dtypes = f"{FLOATS} complex64 int32" if _equation == "ij,jk->ik" else "float64 float32"
    case("Einsum", [some(*_shape) for _shape in _shapes], dtypes=_dtypes, tolerance=2, equation=_equation)
mistake("Einsum", [some(2, 3), some(2, 3)], equation="ij,jk->ik")
mistake("Einsum", [some(2, 2, 3), some(1, 3, 2)], equation="bij,bjk->bik")
case("Einsum", [some(2, 2, 3), some(1, 3, 2)], dtypes="float64 float32", tolerance=2, equation="...ij,...jk->...ik")
case("Cross", some(2, 3), some(2, 3), dtypes=REALS)
mistake("Cross", some(2, 3), some(3))
