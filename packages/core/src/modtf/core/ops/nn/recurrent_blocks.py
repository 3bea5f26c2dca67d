"""Recurrent cells as single ops: LSTM (Zaremba et al., arXiv:1409.2329) with peepholes (Gers et al., 2000), and GRU.

Graphs of TensorFlow 1 have them, whose users wanted cells to run faster than those made of many ops.
"""

from __future__ import annotations

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
    together = x + xp.matmul(h_prev, w[-units:, :]) + b
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


def _check_weights(x: Tensor, cs_prev: Tensor, h_prev: Tensor, w: Tensor, b: Tensor, rank: int) -> Dims:
    """The shape of the outputs of one step."""
    if any(
        tensor.dims is not None and len(tensor.dims) != size
        for tensor, size in ((x, rank), (cs_prev, 2), (w, 2), (b, 1))
    ):
        raise ValueError(
            f"x must have {rank} dimensions, cs_prev and w two, b one; their shapes are {x.shape}, {cs_prev.shape}, {w.shape} "
            f"and {b.shape}"
        )
    batch = None if x.dims is None else x.dims[rank - 2]
    size = None if x.dims is None else x.dims[rank - 1]
    units = None if cs_prev.dims is None else cs_prev.dims[1]
    if None not in (size, units) and w.dims is not None and w.dims[0] not in (None, size + units):  # type: ignore[operator]
        raise ValueError(f"w must have a row for each of the {size} inputs and {units} units; its shape is {w.shape}")
    if units is not None and b.dims is not None and b.dims[0] not in (None, 4 * units):
        raise ValueError(f"b must have 4 elements for each of the {units} units; its shape is {b.shape}")
    return batch, units


def _cell_dims(x: Tensor, cs_prev: Tensor, h_prev: Tensor, w: Tensor, *rest: Tensor, **attrs: Any) -> Dims:
    return _check_weights(x, cs_prev, h_prev, w, rest[-1], 2)


@op(
    f"LSTMBlockCell[T: float16|float32](x: T, cs_prev: T, h_prev: T, {_WEIGHTS}, *, forget_bias: float = 1.0, "
    f"cell_clip: float = 3.0, use_peephole: bool = False) -> ({_GATES})",
    shape=_cell_dims,
)
def lstm_block_cell(
    xp: Any, x: Any, cs_prev: Any, h_prev: Any, *weights: Any, forget_bias: float, cell_clip: float, use_peephole: bool
) -> tuple[Any, ...]:
    inputs = xp.matmul(x, weights[0][: x.shape[-1], :])
    return _lstm_step(xp, inputs, cs_prev, h_prev, weights, _ORDER, forget_bias, cell_clip, use_peephole)


def _sequence_dims(
    seq_len_max: Tensor, x: Tensor, cs_prev: Tensor, h_prev: Tensor, w: Tensor, *rest: Tensor, **attrs: Any
) -> Dims:
    step = _check_weights(x, cs_prev, h_prev, w, rest[-1], 3)
    return (None if x.dims is None else x.dims[0], *(step or ()))


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
    limit = int(count)
    if limit > x.shape[0]:
        raise InvalidArgumentError(f"seq_len_max is {limit}, but there are only {x.shape[0]} steps.")
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


def _gradient_dims(seq_len_max: Tensor, *tensors: Tensor, **attrs: Any) -> list[Dims]:
    ranks = (3, 2, 2, 2, 1, 1, 1, 1)
    return [
        (None,) * rank if tensor.dims is None else tensor.dims
        for rank, tensor in zip(ranks, tensors[: len(ranks)], strict=True)
    ]


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
    for time in range(int(count) - 1, -1, -1):
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


def _gru_dims(x: Tensor, h_prev: Tensor, w_ru: Tensor, w_c: Tensor, b_ru: Tensor, b_c: Tensor) -> Dims:
    for tensor, rank, what in (
        (x, 2, "x"),
        (h_prev, 2, "h_prev"),
        (w_ru, 2, "w_ru"),
        (w_c, 2, "w_c"),
        (b_ru, 1, "b_ru"),
    ):
        if tensor.dims is not None and len(tensor.dims) != rank:
            raise ValueError(f"{what} must have {rank} dimensions; its shape is {tensor.shape}")
    return None if x.dims is None else x.dims[0], None if h_prev.dims is None else h_prev.dims[1]


@op(
    "GRUBlockCell[T: float32](x: T, h_prev: T, w_ru: T, w_c: T, b_ru: T, b_c: T) -> (r: T, u: T, c: T, h: T)",
    shape=_gru_dims,
)
def gru_block_cell(xp: Any, x: Any, h_prev: Any, w_ru: Any, w_c: Any, b_ru: Any, b_c: Any) -> tuple[Any, ...]:
    units = h_prev.shape[-1]
    gates = _sigmoid(xp, xp.matmul(xp.concat([x, h_prev], axis=-1), w_ru) + b_ru)
    r, u = gates[:, :units], gates[:, units:]
    c = xp.tanh(xp.matmul(xp.concat([x, h_prev * r], axis=-1), w_c) + b_c)
    return r, u, c, u * h_prev + (1 - u) * c
