"""A backend over array-api-strict, found by modtf through the entry point in pyproject.toml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import array_api_strict
import numpy as np

from modtf.core.contracts import ArrayBackend


def relu(xp: Any, features: Any) -> Any:
    """A kernel: its parameters are the namespace, the op's inputs and, by name, its attributes."""
    return xp.where(features < 0, xp.zeros_like(features), features)  # which leaves NaN as it is


class ToyBackend(ArrayBackend):
    """Computes with array-api-strict.

    `ArrayBackend` answers everything else that core asks from the namespace: which dtypes it holds, how eager ops and
    traced functions run on it, and what devices there are.
    """

    name = "toy"
    contract_version = 1  # what this was written for: core refuses backends for another one
    xp = array_api_strict

    # What this backend does in a way of its own. An op that is not here uses the kernel that core has for every Array
    # API library, and one for which the library lacks something falls back to core's NumPy kernel.
    kernels: Mapping[str, Callable[..., Any]] = {"Relu": relu}

    def from_numpy(self, array: np.ndarray) -> Any:
        return self.xp.asarray(array, copy=True)

    def to_numpy(self, array: Any) -> np.ndarray:
        return np.from_dlpack(array)

    def prepare(self, kernel: Callable[..., Any], traceable: bool) -> Callable[..., Any]:
        def quietly(*arrays: Any) -> Any:
            with np.errstate(all="ignore"):  # array-api-strict computes with NumPy, which would warn about 1 / 0
                return kernel(*arrays)

        return quietly
