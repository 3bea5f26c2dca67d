"""The tensors in goldens/: what TensorFlow was given to write, and what reading its files has to return."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np

GOLDENS = Path(__file__).parent / "goldens"

DTYPES = {
    "float32": np.float32,
    "float64": np.float64,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8_e4m3b11fnuz": ml_dtypes.float8_e4m3b11fnuz,
    "float8_e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "float4_e2m1fn": ml_dtypes.float4_e2m1fn,
    "complex64": np.complex64,
    "complex128": np.complex128,
    "bool": np.bool_,
    "int2": ml_dtypes.int2,
    "uint2": ml_dtypes.uint2,
    "int4": ml_dtypes.int4,
    "uint4": ml_dtypes.uint4,
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "uint16": np.uint16,
    "int32": np.int32,
    "uint32": np.uint32,
    "int64": np.int64,
    "uint64": np.uint64,
}


def _numbers(name: str, dtype: type) -> np.ndarray:
    """Six different values where the type has so many: its smallest and largest among integers, fractions of others."""
    if name == "bool":
        return np.array([[True, False, True], [False, False, True]])
    if "int" in name:
        limits = ml_dtypes.iinfo(dtype)
        return np.array([[limits.min, 0, 1], [limits.max, limits.min + 1, limits.max - 1]], object).astype(dtype)
    values = np.array([[0.5, -1.0, 1.5], [3.0, -0.0, 6.0]])
    return (values - 2j * values if "complex" in name else values).astype(dtype)


def strings(*values: bytes) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


TENSORS: dict[str, np.ndarray] = {name: _numbers(name, dtype) for name, dtype in DTYPES.items()}
TENSORS |= {
    "strings": strings(b"", b"a\0", b"\xff\xfe not UTF-8", "größer".encode(), b"long" * 50, b"\0").reshape(2, 3),
    "scalar": np.array(1.25, np.float32),
    "scalar_string": np.array(b"one", object),
    "empty": np.zeros((0, 3), np.int64),
    "empty_strings": np.zeros((2, 0), object),
    "deeply/nested/name/kernel/.ATTRIBUTES/VARIABLE_VALUE": np.arange(12, dtype=np.float32).reshape(3, 4),
    "deeply/nested/name/bias/.ATTRIBUTES/VARIABLE_VALUE": np.arange(4, dtype=np.float32),
}

# Saved in slices, over two data files.
PARTITIONED: dict[str, np.ndarray] = {
    "columns": np.arange(1200, dtype=np.float32).reshape(4, 300),
    "tiles": np.arange(20, dtype=np.int64).reshape(4, 5),
    "words": strings(b"a", b"", b"three"),
    "whole": np.array([1, 2, 3], np.int8),
}

# The last value of a message repeats.
REPEATED: dict[str, np.ndarray] = {
    "repeated_float": np.array([[1, 2, 2], [2, 2, 2]], np.float32),
    "repeated_half": np.array([[1, 2, 2], [2, 2, 2]], np.float16),
    "repeated_complex": np.array([1j, 2, 2, 2], np.complex64),
    "repeated_int8": np.array([-1, 2, 2, 2], np.int8),
    "repeated_string": strings(b"a", b"b", b"b"),
    "splat_bool": np.ones((100, 100), np.bool_),
    "splat_bfloat16": np.full((3, 2), 0.5, ml_dtypes.bfloat16),
    "splat_float8": np.full((3,), 0.5, ml_dtypes.float8_e4m3fn),
    "splat_zero": np.zeros((3,), np.uint64),
}


def assert_same(actual: np.ndarray, expected: np.ndarray) -> None:
    """Same dtype, shape and bits."""
    assert isinstance(actual, np.ndarray)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if expected.dtype == object:
        assert actual.tolist() == expected.tolist()
        assert all(type(element) is bytes for element in actual.reshape(-1).tolist())
    else:
        assert actual.tobytes() == expected.tobytes()
