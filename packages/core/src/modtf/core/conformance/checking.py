"""Comparing what a backend computes with what it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf import core as tf
from modtf.core import as_dtype

_TOLERANCE = {"float16": 2e-3, "bfloat16": 1.6e-2, "float32": 1e-5, "float64": 1e-11}
"""How far apart values near 1 may be: some steps of the dtype, as sums are taken in different orders."""


def tensors(arrays: Sequence[np.ndarray]) -> list[tf.Tensor]:
    """Makes a tensor of each array, of the very dtype."""
    return [tf.constant(array, as_dtype(array.dtype)) for array in arrays]


def compare(what: str, given: Any, expected: np.ndarray, tolerance: float = 1.0) -> None:
    """Asserts that a tensor has the dtype, the shape and, as nearly as its dtype allows, the values of an array.

    Args:
        what: What is compared, for the message.
        given: The tensor.
        expected: The array.
        tolerance: How many times the dtype's ordinary tolerance is allowed; 0 asks for equal values.
    """
    dtype = as_dtype(expected.dtype)
    assert given.dtype == dtype, f"{what}: the dtype is {given.dtype.name} rather than {dtype.name}"
    array = given.numpy()
    expected = expected.view(dtype.np_dtype) if dtype.is_quantized else expected
    array = array if isinstance(array, np.ndarray) else np.asarray(array, expected.dtype)
    assert array.dtype == expected.dtype, f"{what}: numpy() gives {array.dtype} for a tensor of {dtype.name}"
    assert array.shape == expected.shape, f"{what}: the shape is {array.shape} rather than {expected.shape}"
    if dtype.is_floating or dtype.is_complex:
        wide = np.complex128 if dtype.is_complex else np.float64
        allowed = tolerance * _TOLERANCE[dtype.real_dtype.name]
        np.testing.assert_allclose(array.astype(wide), expected.astype(wide), allowed, allowed, err_msg=what)
    else:
        np.testing.assert_array_equal(array, expected, what)


def fits(known: Any, actual: Sequence[int]) -> bool:
    """Whether a shape known while tracing, `None` for unknown, says nothing wrong about the actual one."""
    if known is None:
        return True
    return len(known) == len(actual) and all(a is None or a == b for a, b in zip(known, actual, strict=True))


def says_as_much(ours: Any, theirs: Any) -> bool:
    """Whether one shape known while tracing says at least what another does."""
    if theirs is None:
        return True
    return ours is not None and all(b is None or a is not None for a, b in zip(ours, theirs, strict=True))
