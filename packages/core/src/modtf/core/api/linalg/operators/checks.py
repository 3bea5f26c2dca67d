"""The assertions of operators that some numbers decide: diagonals and spectra."""

from __future__ import annotations

from typing import Any

from modtf.core.api import assertions
from modtf.core.api.array import zeros_like
from modtf.core.api.elementwise import abs, imag, real
from modtf.core.values.tensors import Tensor


def assert_no_zeros(x: Tensor, message: str) -> Any:
    """Checks that no number is zero."""
    size = abs(x)
    return assertions.assert_less(zeros_like(size), size, message=message)


def assert_real(x: Tensor, message: str) -> Any:
    """Checks that no number has an imaginary part."""
    part = imag(x)
    return assertions.assert_equal(part, zeros_like(part), message=message)


def assert_positive_real(x: Tensor, message: str) -> Any:
    """Checks that all real parts are positive."""
    return assertions.assert_positive(real(x), message=message)
