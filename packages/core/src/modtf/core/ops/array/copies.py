"""Ops about memory, which here give their input as it is, or zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import dims_from_value, unchanged
from modtf.core.engine.vocabulary import Op, find_kernel_dtype, op, register
from modtf.core.values.dtypes import DType, string

for _name, _input, _output in (("DeepCopy", "x", "y"), ("GuaranteeConst", "input", "output")):
    register(
        Op(
            f"{_name}[T]({_input}: T) -> ({_output}: T)",
            kernel=lambda xp, x: x,
            shape=unchanged,
            stateful=True,
            prunable=True,
        )
    )


@op(
    "Empty(shape: int32, *, dtype: type, init: bool = False) -> (output: dtype)",
    shape=lambda shape, *, dtype, init: dims_from_value(shape),
    host_inputs=("shape",),
    stateful=True,
    prunable=True,
)
def empty(xp: Any, shape: np.ndarray, *, dtype: DType, init: bool) -> Any:
    dims = tuple(shape.tolist())
    return np.full(dims, b"", object) if dtype is string else xp.zeros(dims, dtype=find_kernel_dtype(xp, dtype))
