"""How ragged tensors are printed."""

from __future__ import annotations

from typing import Any

import numpy as np


def show(value: Any) -> str:
    """Returns the rows (arrays, arrays of arrays) as nested lists with commas, long ones cut short as NumPy's are."""
    if not isinstance(value, np.ndarray):
        return str(value)
    if not value.size:
        return repr(value.tolist())  # NumPy would leave out the empty rows
    with np.printoptions(formatter={"all": show}):
        return np.array2string(value, separator=", ")
