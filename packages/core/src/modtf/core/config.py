"""Which backend computes, and how (`tf.config`)."""

from __future__ import annotations

from modtf.core.backends.selection import default_backend, list_backends, set_backend
from modtf.core.engine import binding, functions

__all__ = [
    "fallback_counts", "functions_run_eagerly", "get_backend", "get_soft_device_placement", "list_backends",
    "list_physical_devices", "run_functions_eagerly", "set_backend", "set_soft_device_placement",
]  # fmt: skip


def get_backend() -> str:
    """Returns the name of the backend that ops of this thread use now."""
    return default_backend().name


def list_physical_devices(device_type: str | None = None) -> list[str]:
    """Returns the devices of the current backend, e.g. `["cpu:0"]`; those of one type, e.g. `"GPU"`, if it is given."""
    devices = list(default_backend().devices())
    if device_type is None:
        return devices
    return [device for device in devices if device.lower().startswith(device_type.lower())]


def set_soft_device_placement(enabled: bool) -> None:
    """Says whether ops that a backend cannot compute fall back to NumPy (they do by default) or raise."""
    binding.soft_placement = bool(enabled)


def get_soft_device_placement() -> bool:
    """Returns whether ops that a backend cannot compute fall back to NumPy."""
    return binding.soft_placement


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Says whether a `tf.function` runs as the plain Python function that it was made of, for debugging."""
    functions.run_eagerly = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Returns whether a `tf.function` runs as the plain Python function that it was made of."""
    return functions.run_eagerly


def fallback_counts(backend: str) -> dict[str, int]:
    """Returns, for each op that fell back to NumPy on a backend so far, for how many kinds of calls it did."""
    return {op: count for (name, op), count in sorted(binding.fallbacks.items()) if name == backend}
