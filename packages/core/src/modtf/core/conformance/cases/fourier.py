"""Fourier transforms."""

from __future__ import annotations

from typing import Any

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import i32, some

_COMPLEX = "complex128 complex64"

for _name, _shape, _too_few in (("FFT", (2, 5), ()), ("FFT2D", (2, 3, 4), (4,)), ("FFT3D", (2, 3, 4), (3, 4))):
    for _full in (_name, f"I{_name}"):
        case(_full, some(*_shape), dtypes=_COMPLEX, tolerance=4)
        case(f"Batch{_full}", some(*_shape), dtypes="complex64", tolerance=4)
        mistake(_full, some(*_too_few), dtypes="complex64")
case("FFT", some(2, 0), dtypes="complex64")
case("FFT2D", some(0, 2, 3), dtypes="complex64")

for _length in (6, 5, 4):  # (finite differences are of real results)
    case("RFFT", some(2, _length), i32([_length]), dtypes="float32", tolerance=4)
    case("RFFT", some(2, _length), i32([_length]), dtypes="float64", tolerance=4, smooth=False, Tcomplex="complex128")
    case("IRFFT", some(2, _length // 2 + 1), i32([_length]), dtypes="complex64", tolerance=4)
    case("IRFFT", some(_length // 2 + 1), i32([_length]), dtypes="complex128", tolerance=4, Treal="float64")
    _wide: dict[str, Any] = {"Tcomplex": "complex128"}
    case("RFFT2D", some(3, _length), i32([3, _length]), dtypes="float64", tolerance=4, smooth=False, **_wide)
    case("IRFFT2D", some(2, 3, _length // 2 + 1), i32([3, _length]), dtypes="complex64", tolerance=4)
case("RFFT", some(1), i32([1]), dtypes="float32")
case("RFFT", some(0, 4), i32([4]), dtypes="float32")
case("RFFT2D", some(2, 2, 4), i32([2, 4]), dtypes="float32", tolerance=4)
case("RFFT3D", some(2, 3, 4), i32([2, 3, 4]), dtypes="float32", tolerance=4)
case("IRFFT3D", some(2, 3, 3), i32([2, 3, 4]), dtypes="complex64", tolerance=4)
for _name, _dtype in (("RFFT", "float32"), ("IRFFT", "complex64")):
    mistake(_name, some(2, 4), i32([9]), dtypes=_dtype, told_by="arguments")
    mistake(_name, some(2, 4), i32([-1]), dtypes=_dtype, told_by="arguments")
    mistake(_name, some(2, 4), i32([2, 4]), dtypes=_dtype)
    mistake(f"{_name}2D", some(4), i32([2, 4]), dtypes=_dtype)
