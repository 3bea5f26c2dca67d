"""Recurrent cells as single ops: LSTM (Zaremba et al., arXiv:1409.2329) with peepholes (Gers et al., 2000), and GRU.

Graphs of TensorFlow 1 have them, whose users wanted cells to run faster than those made of many ops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.vocabulary import Call, Op, op, register
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

_GATES = "i: T, cs: T, f: T, o: T, ci: T, co: T, h: T"
_WEIGHTS = "w: T, wci: T, wcf: T, wco: T, b: T"
_ORDER, _ORDER_V2 = "icfo", "ifco"
"""In which order the columns of the weights are: input gate, candidate, forget gate, output gate."""

_PEEPHOLES = ("wci", "wcf", "wco")
_CELL = {
    "x": "batch inputs",
    "cs_prev": "batch units",
    "h_prev": "batch units",
    "w": "inputs+units 4*units",
    **dict.fromkeys(_PEEPHOLES, "units"),
    "b": "4*units",
}
_SEQUENCE = {"seq_len_max": "", **_CELL, "x": "steps batch inputs"}
_STEPS = dict.fromkeys(("i", "cs", "f", "o", "ci", "co", "h", "cs_grad", "h_grad"), "steps batch units")
_GRU = {
    "x": "batch inputs",
    "h_prev": "batch units",
    "w_ru": "inputs+units 2*units",
    "w_c": "inputs+units units",
    "b_ru": "2*units",
    "b_c": "units",
}
"""What the axes of the inputs are."""


def _size(axis: str, sizes: dict[str, int]) -> int | None:
    """The size of an axis, as far as those of which it is made are known."""
    total = 0
    for term in axis.split("+"):
        factor, _, name = term.rpartition("*")
        if name not in sizes:
            return None
        total += int(factor or 1) * sizes[name]
    return total


def _sizes(layout: dict[str, str], shapes: Sequence[Dims]) -> dict[str, int]:
    """The sizes by their names, as far as they are known, of inputs that fit together."""
    given = zip(layout.items(), shapes, strict=True)
    known = [(name, axes.split(), dims) for (name, axes), dims in given if dims is not None]
    for name, axes, dims in known:
        if len(dims) != len(axes):
            raise ValueError(
                f"{name} must have {len(axes)} dimensions ({', '.join(axes)}); it is of shape {list(dims)}"
            )
    sizes: dict[str, int] = {}
    for name, axes, dims in known:
        for axis, size in zip(axes, dims, strict=True):
            expected = _size(axis, sizes)
            if size is None or axis == "any":
                continue
            if expected is None and axis.isidentifier():
                sizes[axis] = size
            elif expected not in (None, size):
                raise ValueError(
                    f"{name} must be of size {expected} along the axis {axis}; it is of shape {list(dims)}"
                )
    return sizes


def _sigmoid(xp: Any, x: Any) -> Any:
    return 1 / (1 + xp.exp(-x))


def _lstm_step(
    xp: Any,
    x: Any,
    cs_prev: Any,
    h_prev: Any,
    weights: tuple[Any, ...],
    order: str,
    bias: float,
    clip: float,
    peep: bool,
) -> tuple[Any, ...]:
    """One step, for an input already multiplied by its weights; returns what the ops give, in their order."""
    w, wci, wcf, wco, b = weights
    units = cs_prev.shape[-1]
    together = x + xp.matmul(h_prev, w[w.shape[0] - units :, :]) + b
    parts = {gate: together[..., place * units : (place + 1) * units] for place, gate in enumerate(order)}
    i = _sigmoid(xp, parts["i"] + cs_prev * wci if peep else parts["i"])
    ci = xp.tanh(parts["c"])
    forget = parts["f"] + bias
    f = _sigmoid(xp, forget + cs_prev * wcf if peep else forget)
    cs = ci * i + cs_prev * f
    if clip > 0:
        cs = xp.clip(cs, -clip, clip)
    o = _sigmoid(xp, parts["o"] + cs * wco if peep else parts["o"])
    co = xp.tanh(cs)
    return i, cs, f, o, ci, co, o * co


def _cell_sizes(shapes: Sequence[Dims], use_peephole: bool) -> dict[str, int]:
    unused = {} if use_peephole else dict.fromkeys(_PEEPHOLES, "any")
    sizes = _sizes({**_CELL, **unused}, shapes)
    if 0 in (sizes.get("batch"), sizes.get("units")):
        raise ValueError(f"There must be a unit and an element of the batch at least; cs_prev is of shape {shapes[1]}")
    return sizes


def _cell_dims(*tensors: Tensor, use_peephole: bool, **attrs: Any) -> Dims:
    sizes = _cell_sizes([tensor.dims for tensor in tensors], use_peephole)
    return sizes.get("batch"), sizes.get("units")


@op(
    f"LSTMBlockCell[T: float16|float32](x: T, cs_prev: T, h_prev: T, {_WEIGHTS}, *, forget_bias: float = 1.0, "
    f"cell_clip: float = 3.0, use_peephole: bool = False) -> ({_GATES})",
    shape=_cell_dims,
)
def lstm_block_cell(
    xp: Any, x: Any, cs_prev: Any, h_prev: Any, *weights: Any, forget_bias: float, cell_clip: float, use_peephole: bool
) -> tuple[Any, ...]:
    _cell_sizes([array.shape for array in (x, cs_prev, h_prev, *weights)], use_peephole)
    inputs = xp.matmul(x, weights[0][: x.shape[-1], :])
    return _lstm_step(xp, inputs, cs_prev, h_prev, weights, _ORDER, forget_bias, cell_clip, use_peephole)


def _sequence_dims(*tensors: Tensor, **attrs: Any) -> Dims:
    sizes = _sizes(_SEQUENCE, [tensor.dims for tensor in tensors])
    return sizes.get("steps"), sizes.get("batch"), sizes.get("units")


def _count(seq_len_max: np.ndarray, x: Any) -> int:
    """How many of the steps there are to make."""
    count = int(seq_len_max)
    if not 0 <= count <= x.shape[0]:
        raise InvalidArgumentError(
            f"seq_len_max must be from 0 to {x.shape[0]}, the number of steps of x; it is {count}."
        )
    return count


def _sequence(
    xp: Any,
    count: Any,
    x: Any,
    cs: Any,
    h: Any,
    weights: tuple[Any, ...],
    order: str,
    bias: float,
    clip: float,
    peep: bool,
) -> list[Any]:
    """All steps; those behind `count` give zeros."""
    _sizes(_SEQUENCE, [array.shape for array in (count, x, cs, h, *weights)])
    limit = _count(count, x)
    zeros = xp.zeros(cs.shape, dtype=x.dtype)
    inputs = xp.matmul(x, weights[0][: x.shape[-1], :])
    steps = []
    for time in range(x.shape[0]):
        if time < limit:
            steps.append(_lstm_step(xp, inputs[time, ...], cs, h, weights, order, bias, clip, peep))
            _, cs, *_, h = steps[-1]
        else:
            steps.append((zeros,) * 7)
    if not steps:
        return [xp.zeros((0, *cs.shape), dtype=x.dtype)] * 7
    return [xp.stack(items) for items in zip(*steps, strict=True)]


@op(
    f"BlockLSTM[T: float16|float32](seq_len_max: int64, x: T, cs_prev: T, h_prev: T, {_WEIGHTS}, *, "
    f"forget_bias: float = 1.0, cell_clip: float = 3.0, use_peephole: bool = False) -> ({_GATES})",
    shape=_sequence_dims,
    host_inputs={"seq_len_max"},
)
def block_lstm(
    xp: Any,
    seq_len_max: np.ndarray,
    x: Any,
    cs_prev: Any,
    h_prev: Any,
    *weights: Any,
    forget_bias: float,
    cell_clip: float,
    use_peephole: bool,
) -> list[Any]:
    return _sequence(xp, seq_len_max, x, cs_prev, h_prev, weights, _ORDER, forget_bias, cell_clip, use_peephole)


@op(
    f"BlockLSTMV2[T: float16|float32](seq_len_max: int64, x: T, cs_prev: T, h_prev: T, {_WEIGHTS}, *, "
    f"cell_clip: float = 0.0, use_peephole: bool = False) -> ({_GATES})",
    shape=_sequence_dims,
    host_inputs={"seq_len_max"},
)
def block_lstm_v2(
    xp: Any,
    seq_len_max: np.ndarray,
    x: Any,
    cs_prev: Any,
    h_prev: Any,
    *weights: Any,
    cell_clip: float,
    use_peephole: bool,
) -> list[Any]:
    return _sequence(xp, seq_len_max, x, cs_prev, h_prev, weights, _ORDER_V2, 0.0, cell_clip, use_peephole)


# ------------------------------------------------------------------------------------------------- gradients

_GRADIENTS = (
    f"(seq_len_max: int64, x: T, cs_prev: T, h_prev: T, {_WEIGHTS}, {_GATES}, cs_grad: T, h_grad: T, *, use_peephole: bool) "
    "-> (x_grad: T, cs_prev_grad: T, h_prev_grad: T, w_grad: T, wci_grad: T, wcf_grad: T, wco_grad: T, b_grad: T)"
)


def _gradient_sizes(shapes: Sequence[Dims]) -> dict[str, int]:
    sizes = _sizes({**_SEQUENCE, **_STEPS}, shapes)
    if sizes.get("units") == 0:
        raise ValueError(f"There must be a unit at least; w is of shape {shapes[4]}")
    return sizes


def _gradient_dims(*tensors: Tensor, **attrs: Any) -> list[Dims]:
    sizes = _gradient_sizes([tensor.dims for tensor in tensors])
    return [tuple(_size(axis, sizes) for axis in axes.split()) for axes in list(_SEQUENCE.values())[1:]]


def _backwards(
    xp: Any,
    count: Any,
    start: tuple[Any, ...],
    weights: tuple[Any, ...],
    steps: tuple[Any, ...],
    order: str,
    peep: bool,
) -> tuple[Any, ...]:
    """Back through the steps, from the gradients of cells and outputs; what clipping does is not looked at."""
    x, cs_first, h_first = start
    w, wci, wcf, wco, b = weights
    size = x.shape[-1]
    dx = [xp.zeros(x.shape[1:], dtype=x.dtype)] * x.shape[0]
    dcs_prev, dh_prev = xp.zeros_like(cs_first), xp.zeros_like(h_first)
    dw, db = xp.zeros_like(w), xp.zeros_like(b)
    dpeep = [xp.zeros_like(wci), xp.zeros_like(wcf), xp.zeros_like(wco)]
    for time in range(_count(count, x) - 1, -1, -1):
        i, cs, f, o, ci, co, _, cs_grad, h_grad = (item[time, ...] for item in steps)
        cs_prev, h_prev = (steps[1][time - 1, ...], steps[6][time - 1, ...]) if time else (cs_first, h_first)
        dh = h_grad + dh_prev
        do = o * (1 - o) * dh * co
        dcs = (1 - co * co) * dh * o + cs_grad + dcs_prev
        if peep:
            dcs = dcs + do * wco
        gates = {"o": do, "c": (1 - ci * ci) * dcs * i, "f": f * (1 - f) * dcs * cs_prev, "i": i * (1 - i) * dcs * ci}
        dcs_prev = dcs * f
        if peep:
            dcs_prev = dcs_prev + gates["i"] * wci + gates["f"] * wcf
            parts = (gates["i"] * cs_prev, gates["f"] * cs_prev, do * cs)
            dpeep = [known + xp.sum(part, axis=0) for known, part in zip(dpeep, parts, strict=True)]
        together = xp.concat([gates[gate] for gate in order], axis=-1)
        dw = dw + xp.matmul(xp.matrix_transpose(xp.concat([x[time, ...], h_prev], axis=-1)), together)
        db = db + xp.sum(together, axis=0)
        back = xp.matmul(together, xp.matrix_transpose(w))
        dx[time], dh_prev = back[:, :size], back[:, size:]
    return xp.stack(dx) if dx else xp.zeros_like(x), dcs_prev, dh_prev, dw, *dpeep, db


def _gradient_kernel(order: str) -> Any:
    def kernel(xp: Any, seq_len_max: np.ndarray, *tensors: Any, use_peephole: bool) -> tuple[Any, ...]:
        _gradient_sizes([array.shape for array in (seq_len_max, *tensors)])
        return _backwards(xp, seq_len_max, tensors[:3], tensors[3:8], tensors[8:], order, use_peephole)

    return kernel


for _name, _order in (("BlockLSTMGrad", _ORDER), ("BlockLSTMGradV2", _ORDER_V2)):
    register(
        Op(
            f"{_name}[T: float16|float32]{_GRADIENTS}",
            kernel=_gradient_kernel(_order),
            shape=_gradient_dims,
            host_inputs={"seq_len_max"},
        )
    )


def _gradient(call: Call, *flowing: Tensor) -> tuple[Tensor | None, ...]:
    op_ = raw.BlockLSTMGrad if call.op.name == "BlockLSTM" else raw.BlockLSTMGradV2
    return None, *op_(*call.inputs, *call.outputs, flowing[1], flowing[6], use_peephole=call["use_peephole"])


block_lstm.gradient(_gradient)
block_lstm_v2.gradient(_gradient)

# ------------------------------------------------------------------------------------------------- GRU


def _gru_dims(*tensors: Tensor, **attrs: Any) -> Dims:
    sizes = _sizes(_GRU, [tensor.dims for tensor in tensors])
    return sizes.get("batch"), sizes.get("units")


@op(
    "GRUBlockCell[T: float32](x: T, h_prev: T, w_ru: T, w_c: T, b_ru: T, b_c: T) -> (r: T, u: T, c: T, h: T)",
    shape=_gru_dims,
)
def gru_block_cell(xp: Any, x: Any, h_prev: Any, w_ru: Any, w_c: Any, b_ru: Any, b_c: Any) -> tuple[Any, ...]:
    units = _sizes(_GRU, [array.shape for array in (x, h_prev, w_ru, w_c, b_ru, b_c)])["units"]
    gates = _sigmoid(xp, xp.matmul(xp.concat([x, h_prev], axis=-1), w_ru) + b_ru)
    r, u = gates[:, :units], gates[:, units:]
    c = xp.tanh(xp.matmul(xp.concat([x, h_prev * r], axis=-1), w_c) + b_c)
    return r, u, c, u * h_prev + (1 - u) * c
