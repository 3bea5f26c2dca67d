"""Points that fill a cube more evenly than random ones.

I. M. Sobol, 1967, with the direction numbers of S. Joe and F. Y. Kuo, 2008; they are SciPy's, so that the extra `scipy` of
modtf-core is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import constant_value, with_rank
from modtf.core.engine.vocabulary import op
from modtf.core.extras import require
from modtf.core.values.dtypes import DType
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def _points_dims(dim: Tensor, num_results: Tensor, skip: Tensor, *, dtype: DType) -> Dims:
    for tensor in (dim, num_results, skip):
        with_rank(tensor, 0, "dim, num_results and skip")
    sizes = (constant_value(num_results), constant_value(dim))
    return tuple(None if size is None else int(size) for size in sizes)


@op(
    "SobolSample(dim: int32, num_results: int32, skip: int32, *, dtype: type(float32|float64) = float32) -> "
    "(samples: dtype)",
    shape=_points_dims,
    host_only=True,
    extra="scipy",
)
def sobol_sample(
    xp: Any, dim: np.ndarray, num_results: np.ndarray, skip: np.ndarray, *, dtype: DType
) -> np.ndarray:  # fmt: skip
    if dim < 1 or num_results < 1 or skip < 0:
        raise InvalidArgumentError(
            f"dim and num_results must be at least 1 and skip not negative; they are {dim}, {num_results} and {skip}"
        )
    engine = require("scipy.stats.qmc", extra="scipy", what="SobolSample").Sobol(int(dim), scramble=False)
    engine.fast_forward(int(skip) + 1)  # the first point of all, the origin, is not given
    return engine.random(int(num_results)).astype(dtype.np_dtype)


sobol_sample.gradient(None)
