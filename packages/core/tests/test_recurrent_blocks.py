"""Recurrent cells as single ops, beside the same made of many ops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from modtf import core as tf

RNG = np.random.default_rng(0)
STEPS, BATCH, SIZE, UNITS = 4, 2, 3, 5


def numbers(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32) * np.float32(0.5)


X, CELL, OUTPUT = numbers(STEPS, BATCH, SIZE), numbers(BATCH, UNITS), numbers(BATCH, UNITS)
KERNEL, BIAS = numbers(SIZE + UNITS, 4 * UNITS), numbers(4 * UNITS)
PEEPHOLES = [numbers(UNITS) for _ in range(3)]


def block(op: Any, length: int, x: Any, kernel: Any = KERNEL, **attrs: Any) -> Any:
    wci, wcf, wco = PEEPHOLES
    return op(
        seq_len_max=tf.constant(length, tf.int64), x=x, cs_prev=CELL, h_prev=OUTPUT, w=kernel, wci=wci, wcf=wcf, wco=wco,
        b=BIAS, **attrs,
    )  # fmt: skip


def by_steps(x: Any, order: str, forget_bias: float, peepholes: bool) -> tuple[Any, Any]:
    """Cells and outputs of all steps."""
    cell, output = tf.constant(CELL), tf.constant(OUTPUT)
    wci, wcf, wco = PEEPHOLES if peepholes else (0.0, 0.0, 0.0)
    cells, outputs = [], []
    for row in tf.unstack(x):
        parts = tf.split(tf.concat([row, output], 1) @ KERNEL + BIAS, 4, 1)
        gates = dict(zip(order, parts, strict=True))
        take, forget = tf.sigmoid(gates["i"] + cell * wci), tf.sigmoid(gates["f"] + forget_bias + cell * wcf)
        cell = take * tf.tanh(gates["c"]) + forget * cell
        output = tf.sigmoid(gates["o"] + cell * wco) * tf.tanh(cell)
        cells.append(cell)
        outputs.append(output)
    return tf.stack(cells), tf.stack(outputs)


@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize(("name", "order", "forget_bias"), [("BlockLSTM", "icfo", 1.0), ("BlockLSTMV2", "ifco", 0.0)])
def test_lstm_and_its_gradient(name: str, order: str, forget_bias: float, peepholes: bool) -> None:
    x, results = tf.constant(X), []
    for as_block in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(x)
            if as_block:
                _, cells, *_, outputs = block(getattr(tf.raw_ops, name), STEPS, x, use_peephole=peepholes)
            else:
                cells, outputs = by_steps(x, order, forget_bias, peepholes)
            total = tf.reduce_sum(cells**2) + tf.reduce_sum(outputs * tf.range(float(UNITS)))
        results.append([cells.numpy(), outputs.numpy(), tape.gradient(total, x).numpy()])
    for block_, plain in zip(*results, strict=True):
        np.testing.assert_allclose(block_, plain, rtol=1e-4, atol=1e-5)


def test_steps_behind_the_longest_sequence_give_zeros() -> None:
    whole, part = (block(tf.raw_ops.BlockLSTM, length, X) for length in (STEPS, 2))
    for all_, some in zip(whole, part, strict=True):
        np.testing.assert_array_equal(some[:2], all_[:2])
        assert not np.any(some[2:])
    with pytest.raises(tf.errors.InvalidArgumentError, match="from 0 to 4, the number of steps of x; it is 9"):
        block(tf.raw_ops.BlockLSTM, 9, X)
    with pytest.raises(tf.errors.InvalidArgumentError, match="it is -1"):
        block(tf.raw_ops.BlockLSTM, -1, X)


def test_cells_are_clipped() -> None:
    assert float(tf.reduce_max(tf.abs(block(tf.raw_ops.BlockLSTM, STEPS, X, cell_clip=0.1)[1]))) == pytest.approx(0.1)


def test_weights_of_a_wrong_size_are_refused() -> None:
    @tf.function
    def call(kernel: Any) -> Any:
        return block(tf.raw_ops.BlockLSTM, STEPS, X, kernel)

    with pytest.raises(ValueError, match="w must be of size 8"):
        call(tf.zeros([3, 4 * UNITS]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="w must be of size 8"):
        block(tf.raw_ops.BlockLSTM, STEPS, X, tf.zeros([9, 4 * UNITS]))
