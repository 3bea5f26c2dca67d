"""Reducing the rows that share a segment number; counting how often numbers occur."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import like
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- reducing


def _lowest(dtype: Any) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -np.inf


class _Reduction:
    """How a segment's rows become one.

    Attributes:
        ufunc: NumPy's function of two rows.
        scatter: The name of the same as a method of functional index updates (`array.at[index].add(rows)`).
        identity: What an empty segment is where its number has been asked for; from a dtype.
    """

    def __init__(self, ufunc: np.ufunc, scatter: str, identity: Any) -> None:
        self.ufunc = ufunc
        self.scatter = scatter
        self.identity = identity

    def __call__(self, xp: Any, data: Any, segments: Any, count: int, empty: Any) -> Any:
        """Reduces rows by segment; those of negative segments are left out.

        Args:
            xp: The namespace.
            data: The rows, along as many leading axes as `segments` has.
            segments: Their segment numbers.
            count: The number of segments.
            empty: The value for segments without rows.
        """
        rest = data.shape[segments.ndim :]
        data = xp.reshape(data, (-1, *rest)) if data.size else xp.zeros((segments.size, *rest), dtype=data.dtype)
        segments = xp.reshape(segments, (-1,))
        start = xp.full((count, *rest), empty, dtype=data.dtype)
        if xp is np:
            return self._on_numpy(data, segments, start)
        # Numbers past the end are dropped by functional updates; negative ones would count from the end.
        places = xp.where(segments < 0, count, segments)
        return getattr(start.at[places], self.scatter)(data, mode="drop")

    def _on_numpy(self, data: np.ndarray, segments: np.ndarray, out: np.ndarray) -> np.ndarray:
        beyond = np.flatnonzero(segments >= len(out))
        if beyond.size:
            first = beyond[0]
            raise InvalidArgumentError(f"segment_ids[{first}] = {segments[first]} is out of range [0, {len(out)})")
        kept = np.flatnonzero(segments >= 0)
        order = kept[np.argsort(segments[kept], kind="stable")]
        if order.size and out.size:
            ordered = segments[order]
            starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
            low = data.dtype.itemsize < 4 and data.dtype.kind not in "iu"  # too coarse to add up in
            rows = data[order].astype(np.float32) if low else data[order]
            out[ordered[starts]] = self.ufunc.reduceat(rows, starts, axis=0).astype(out.dtype, copy=False)
        return out


_SUM = _Reduction(np.add, "add", lambda dtype: 0)
_PROD = _Reduction(np.multiply, "multiply", lambda dtype: 1)
_MAX = _Reduction(np.maximum, "max", lambda dtype: dtype.min)
_MIN = _Reduction(np.minimum, "min", lambda dtype: dtype.max)
