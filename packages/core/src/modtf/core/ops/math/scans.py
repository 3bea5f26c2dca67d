"""Running totals along an axis: sums, products, log-sum-exps."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, normal_axis
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.common import like
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor


def _scan_dims(x: Tensor, axis: Tensor, *, exclusive: bool, reverse: bool) -> Dims:
    where = constant_value(axis)
    if where is not None and x.ndim is not None:
        normal_axis(int(where), x.ndim)
    return x.dims


def _shifted(xp: Any, x: Any, axis: int, steps: int, filler: Any) -> Any:
    """Moves the elements along an axis, filling up at the front."""
    before = (slice(None),) * axis
    first = xp.full_like(x[(*before, slice(0, steps))], filler)
    return xp.concat([first, x[(*before, slice(0, max(x.shape[axis] - steps, 0)))]], axis=axis)


def _scan(name: str, types: str, running: Any, start: float, gradient: Any) -> None:
    """Registers a scan.

    Args:
        name: The op's name.
        types: The dtypes that it takes.
        running: `running(xp, x, axis)` gives the inclusive totals from the front.
        start: `start` is what an exclusive scan begins with.
        gradient: `gradient(x, out, dout, back)`; `back` are the keywords for a scan the other way.
    """

    def kernel(xp: Any, x: Any, axis: np.ndarray, *, exclusive: bool, reverse: bool) -> Any:
        where = normal_axis(int(axis), x.ndim)
        if reverse:
            x = xp.flip(x, axis=where)
        if exclusive:
            x = _shifted(xp, x, where, 1, start)
        out = running(xp, x, where)
        return xp.flip(out, axis=where) if reverse else out

    schema = (
        f"{name}[T: {types}, Tidx: index = int32](x: T, axis: Tidx, *, exclusive: bool = False, "
        "reverse: bool = False) -> (out: T)"
    )
    made = register(Op(schema, kernel=kernel, shape=_scan_dims, host_inputs=("axis",), quiet=True))

    @made.gradient
    def _(call: Any, dout: Tensor) -> tuple[Tensor, None]:
        x, axis = call.inputs
        back = {"axis": axis, "exclusive": call["exclusive"], "reverse": not call["reverse"]}
        return gradient(x, call.outputs[0], dout, back), None


def _running_log_sum_exp(xp: Any, x: Any, axis: int) -> Any:
    # Each round adds what stands twice as far back (Hillis and Steele, "Data Parallel Algorithms", CACM 29, 1986).
    steps = 1
    while steps < x.shape[axis]:
        x = xp.logaddexp(x, _shifted(xp, x, axis, steps, -xp.inf))
        steps *= 2
    return x


def _cumulative_product_gradient(x: Tensor, out: Tensor, dout: Tensor, back: Any) -> Tensor:
    # As TensorFlow defines it, elements that are zero get no gradient.
    return raw.DivNoNan(raw.Cumsum(out * dout, **back), x)


def _cumulative_log_sum_exp_gradient(x: Tensor, out: Tensor, dout: Tensor, back: Any) -> Tensor:
    # Summed as logarithms, positive and negative gradients apart, so that nothing overflows.
    def part(gradient: Tensor) -> Tensor:
        positive = gradient > like(gradient, 0)
        logarithm = raw.Log(raw.SelectV2(positive, gradient, like(gradient, 1))) - out
        masked = raw.SelectV2(positive, logarithm, like(gradient, -np.inf))
        return raw.Exp(raw.CumulativeLogsumexp(masked, **back) + x)

    return part(dout) - part(-dout)


_scan(
    "Cumsum", "number|quantized", lambda xp, x, axis: xp.cumulative_sum(x, axis=axis, dtype=x.dtype), 0,
    lambda x, out, dout, back: raw.Cumsum(dout, **back),
)  # fmt: skip
_scan(
    "Cumprod", "number|quantized", lambda xp, x, axis: xp.cumulative_prod(x, axis=axis, dtype=x.dtype), 1,
    _cumulative_product_gradient,
)  # fmt: skip
_scan(
    "CumulativeLogsumexp", "floating", _running_log_sum_exp, -np.inf, _cumulative_log_sum_exp_gradient,
)  # fmt: skip
