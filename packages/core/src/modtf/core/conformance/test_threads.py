"""Threads: functions and variables may be used from many at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from modtf import core as tf
from modtf.core.conformance.checking import compare
from modtf.core.contracts import Backend

THREADS = 4


def _everywhere(backend: Backend, task: Callable[[int], Any]) -> list[Any]:
    """Runs a task on the backend in several threads, which start it together; returns what they give."""
    barrier = Barrier(THREADS)

    def start(number: int) -> Any:
        with tf.backend(backend.name):
            barrier.wait()
            return task(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(start, range(THREADS)))


def test_a_function_traced_by_all_at_once(backend: Backend) -> None:
    traced = []

    @tf.function
    def program(x: Any) -> Any:
        traced.append(None)
        y = x * 2.0 + 1.0
        return y * y, y

    def task(number: int) -> Any:
        return [program(tf.constant(np.full(100, number + call, np.float32))) for call in range(20)]

    for number, results in enumerate(_everywhere(backend, task)):
        for call, (square, plain) in enumerate(results):
            y = np.full(100, 2 * (number + call) + 1, np.float32)
            compare("the square", square, y * y)
            compare("the rest", plain, y)
    assert len(traced) == 1


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
def test_additions_to_a_variable_are_not_lost(backend: Backend, traced: bool) -> None:
    variable = tf.Variable(np.zeros(10, np.float32))

    def add() -> None:
        variable.assign_add(np.ones(10, np.float32))

    call = tf.function(add) if traced else add
    _everywhere(backend, lambda number: [call() for _ in range(50)])
    compare("the sum", variable.value(), np.full(10, 50 * THREADS, np.float32))


def test_tapes_are_each_thread_s_own(backend: Backend) -> None:
    variable = tf.Variable(3.0)

    def task(number: int) -> Any:
        with tf.GradientTape() as tape:
            y = variable * variable * float(number)
        return tape.gradient(y, variable)

    for number, gradient in enumerate(_everywhere(backend, task)):
        compare("the gradient", gradient, np.float32(6 * number) * np.ones((), np.float32))


def test_backends_are_each_thread_s_own(backend: Backend) -> None:
    def task(number: int) -> str:
        with tf.backend("numpy" if number % 2 else backend.name):
            tf.constant(1.0) + tf.constant(1.0)
            return tf.config.get_backend()

    assert _everywhere(backend, task) == [backend.name, "numpy"] * (THREADS // 2)
