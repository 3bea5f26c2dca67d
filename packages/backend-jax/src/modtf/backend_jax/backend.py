"""`JaxBackend`: what core's backend contract asks for, answered by JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modtf.backend_jax.kernels import KERNELS
from modtf.backend_jax.programs import Program
from modtf.backend_jax.scopes import exact_products, strongly_typed, with_64_bits
from modtf.core.contracts import ArrayBackend, Graph, optimize

_DTYPES = frozenset(
    {
        "bfloat16", "bool", "complex64", "complex128", "float16", "float32", "float64", "int8", "int16", "int32",
        "int64", "uint8", "uint16", "uint32", "uint64",
    }
)  # fmt: skip


class JaxBackend(ArrayBackend):
    """Computes with JAX: each eager op is compiled by XLA, and each function as a whole.

    64-bit dtypes keep their meaning, and products of float32 are exact to float32, whatever the process's own JAX
    configuration is; it is neither asked nor changed.
    """

    name = "jax"
    xp = jnp
    kernels = KERNELS

    def supports(self, dtype: Any) -> bool:
        return dtype.name in _DTYPES

    def from_numpy(self, array: np.ndarray) -> jax.Array:
        with with_64_bits():
            # For numbers, a compiled function is a quarter of the way; for arrays, it would be compiled for each shape.
            return jnp.array(array) if array.ndim else _transfer(array)

    def to_numpy(self, array: jax.Array) -> np.ndarray:
        return np.asarray(array)

    def prepare(self, kernel: Callable[..., Any], traceable: bool) -> Callable[..., Any]:
        typed = exact_products(lambda *arrays: strongly_typed(kernel(*arrays)))
        ready: Callable[..., Any] | None = None if traceable else typed

        def run(*arrays: Any) -> Any:
            nonlocal ready
            if ready is None:  # many are prepared that are never run by themselves
                ready = jax.jit(typed)
            with with_64_bits():
                return ready(*arrays)

        return run

    def compile(self, graph: Graph) -> Callable[..., Sequence[Any]]:
        return Program(optimize(graph), self)

    def devices(self) -> list[str]:
        return [_device_name(device) for device in jax.devices()]

    def device_of(self, array: jax.Array) -> str:
        return ", ".join(sorted(_device_name(device) for device in array.devices()))


_transfer = jax.jit(lambda array: array)


def _device_name(device: jax.Device) -> str:
    return f"{device.platform}:{device.id}"
