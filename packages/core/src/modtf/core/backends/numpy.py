"""The built-in backend: NumPy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from modtf.core.backends.contract import ArrayBackend, Backend
from modtf.core.values.dtypes import DType

# As in TensorFlow, infinities and NaN are values like others. Plans and the ops that often make them are silenced by
# `np.errstate`, which would cost an eager addition twice its time.
warnings.filterwarnings("ignore", r"(overflow|invalid value|divide by zero)", RuntimeWarning, r"modtf\.core\.")


class NumpyBackend(ArrayBackend):
    """Computes with NumPy. It holds every dtype, and the other backends fall back to it."""

    name = "numpy"
    xp: Any = np
    unsupported_errors: tuple[type[Exception], ...] = ()

    def supports(self, dtype: DType) -> bool:
        return True

    def from_numpy(self, array: np.ndarray) -> np.ndarray:
        return array

    def to_numpy(self, array: Any) -> np.ndarray:
        return array

    def device_of(self, array: Any) -> str:
        return "cpu:0"


NUMPY: Backend = NumpyBackend()
"""The one instance."""
