"""What modtf's calls of JAX have around them, so that JAX's defaults, and the process's own settings, stay outside."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

with_64_bits = functools.partial(jax.enable_x64, True)
"""`with with_64_bits():` lets 64-bit dtypes be what they are, for JAX calls of this thread inside the block."""


def exact_products(function: Callable[..., Any]) -> Callable[..., Any]:
    """Makes matrix products and convolutions inside `function` as exact as their dtype on every device.

    Of a jitted function it matters while tracing only, so it costs nothing afterwards.
    """

    def exact(*args: Any) -> Any:
        with jax.default_matmul_precision("highest"):
            return function(*args)

    return exact


def strongly_typed(result: Any) -> Any:
    """Returns a kernel's result with arrays whose dtypes are promises: JAX arrays, not weakly typed."""
    if isinstance(result, (list, tuple)):
        return [strongly_typed(item) for item in result]
    if isinstance(result, (np.ndarray, np.generic)):
        return result if result.dtype == object else jnp.asarray(result)
    if getattr(result, "weak_type", False):
        return lax.convert_element_type(result, result.dtype)
    return result


_in_program: ContextVar[bool] = ContextVar("modtf_in_program", default=False)
in_program = _in_program.get
"""Whether a graph is being interpreted, rather than an op called eagerly."""


@contextlib.contextmanager
def inside_program() -> Iterator[None]:
    """Says that a graph is interpreted inside the `with` block."""
    token = _in_program.set(True)
    try:
        yield
    finally:
        _in_program.reset(token)
