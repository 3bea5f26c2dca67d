"""Which backend computes, how, and on what devices (`tf.config`).

Devices are the current backend's. Logical devices, memory and thread settings are taken and given back, for programs that
set them: what computes where is the backend's affair, and its own settings (or the library's environment variables) decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

from modtf.core.backends.selection import default_backend, list_backends, set_backend
from modtf.core.engine import binding, functions
from modtf.core.values.errors import UnimplementedError

__all__ = [
    "LogicalDevice", "LogicalDeviceConfiguration", "PhysicalDevice", "experimental",
    "experimental_connect_to_cluster", "experimental_connect_to_host", "experimental_functions_run_eagerly",
    "experimental_run_functions_eagerly", "fallback_counts", "functions_run_eagerly", "get_backend",
    "get_logical_device_configuration", "get_soft_device_placement", "get_visible_devices", "list_backends",
    "list_logical_devices", "list_physical_devices", "optimizer", "run_functions_eagerly", "set_backend",
    "set_logical_device_configuration", "set_soft_device_placement", "set_visible_devices", "threading",
]  # fmt: skip


def get_backend() -> str:
    """Returns the name of the backend that ops of this thread use now."""
    return default_backend().name


# ------------------------------------------------------------------------------------------------- devices


class PhysicalDevice(NamedTuple):
    """A device that the backend has.

    Attributes:
        name: Its name, e.g. `"/physical_device:CPU:0"`.
        device_type: `"CPU"`, `"GPU"`, ...
    """

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device that programs name, e.g. `LogicalDevice(name="/device:CPU:0", device_type="CPU")`."""

    name: str
    device_type: str


class LogicalDeviceConfiguration(NamedTuple):
    """What a logical device is to have; only how many there are of a physical one makes a difference.

    Attributes:
        memory_limit: Not used; of a CPU, it must be `None`.
        experimental_priority: Not used.
        experimental_device_ordinal: Not used.
    """

    memory_limit: int | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


_divided: dict[PhysicalDevice, list[LogicalDeviceConfiguration]] = {}
_visible: dict[str, list[PhysicalDevice]] = {}
_growing: dict[PhysicalDevice, bool] = {}


def _type_of(device: str) -> str:
    return device.partition(":")[0].upper()


def _of_type(devices: Sequence[Any], device_type: str | None) -> list[Any]:
    return [device for device in devices if device_type is None or device.device_type == device_type]


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Returns the devices of the current backend; those of one type, e.g. `"GPU"`, if it is given."""
    found = [
        PhysicalDevice(f"/physical_device:{device.upper()}", _type_of(device)) for device in default_backend().devices()
    ]
    return _of_type(found, device_type)


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """Returns the devices as programs name them: each visible one, or what it is divided into."""
    counts: dict[str, int] = {}
    found = []
    for device in get_visible_devices():
        for _ in range(len(_divided.get(device) or ()) or 1):
            number = counts.get(device.device_type, 0)
            counts[device.device_type] = number + 1
            found.append(LogicalDevice(f"/device:{device.device_type}:{number}", device.device_type))
    return _of_type(found, device_type)


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Returns the physical devices that programs are to see."""
    devices = list_physical_devices()
    return _of_type([item for item in devices if item in _visible.get(item.device_type, devices)], device_type)


def set_visible_devices(devices: PhysicalDevice | Sequence[PhysicalDevice], device_type: str | None = None) -> None:
    """Says which physical devices `list_logical_devices` shall show.

    Args:
        devices: A device or a list of them.
        device_type: The type that this is about; all by default.

    Raises:
        ValueError: The backend has no such device, or it is of another type.
    """
    chosen = [devices] if isinstance(devices, PhysicalDevice) else list(devices)
    for device in chosen:
        _check(device)
        if device_type is not None and device.device_type != device_type:
            raise ValueError(f"{device} is no device of type {device_type}.")
    types = {device.device_type for device in list_physical_devices()} if device_type is None else {device_type}
    for kind in types:
        _visible[kind] = [device for device in chosen if device.device_type == kind]


def _check(device: Any) -> PhysicalDevice:
    if device not in list_physical_devices():
        raise ValueError(f"Unrecognized device: {device!r}. The devices are {list_physical_devices()}.")
    return device


def get_logical_device_configuration(device: PhysicalDevice) -> list[LogicalDeviceConfiguration] | None:
    """Returns what a physical device is divided into, `None` if it is not."""
    return _divided.get(_check(device))


def set_logical_device_configuration(
    device: PhysicalDevice, logical_devices: Sequence[LogicalDeviceConfiguration] | None
) -> None:
    """Divides a physical device into logical ones, for strategies to have a replica on each (see `tf.distribute`).

    Args:
        device: The physical device.
        logical_devices: A configuration for each logical device.

    Raises:
        ValueError: There is no such device, or a CPU is to have limited memory.
    """
    _check(device)
    wanted = list(logical_devices or ())
    if device.device_type == "CPU" and any(item.memory_limit is not None for item in wanted):
        raise ValueError("Setting memory limit on CPU virtual devices is currently not supported")
    _divided[device] = wanted


# ------------------------------------------------------------------------------------------------- how ops run


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


experimental_run_functions_eagerly = run_functions_eagerly
experimental_functions_run_eagerly = functions_run_eagerly


def experimental_connect_to_host(remote_host: Any = None, job_name: str = "worker") -> None:
    """Raises an error: modtf computes in this process only.

    Raises:
        UnimplementedError: Always.
    """
    raise UnimplementedError("modtf computes in this process only: it cannot connect to other hosts.")


def experimental_connect_to_cluster(
    cluster_spec_or_resolver: Any,
    job_name: str = "localhost",
    task_index: int = 0,
    protocol: str | None = None,
    make_master_device_default: bool = True,
    cluster_device_filters: Any = None,
) -> None:
    """Raises an error: modtf computes in this process only.

    Raises:
        UnimplementedError: Always.
    """
    raise UnimplementedError("modtf computes in this process only: it cannot connect to a cluster.")


def fallback_counts(backend: str) -> dict[str, int]:
    """Returns, for each op that fell back to NumPy on a backend so far, for how many kinds of calls it did."""
    return {op: count for (name, op), count in sorted(binding.fallbacks.items()) if name == backend}


# ------------------------------------------------------------------------------------------------- accepted settings


class _Setting:
    """A value that programs set and read, and that changes nothing here."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def get(self) -> Any:
        """Returns what was set."""
        return self._value

    def set(self, value: Any) -> None:
        """Takes note of a value."""
        self._value = value


_between, _within, _jit = _Setting(0), _Setting(0), _Setting("")
_policy, _synchronous, _tensor_float_32 = _Setting("silent"), _Setting(True), _Setting(True)
_optimizer_options: dict[str, Any] = {"disable_model_pruning": False, "disable_meta_optimizer": False}


def _set_inter_op_parallelism_threads(num_threads: int) -> None:
    """Takes note of how many ops shall run at a time. It changes nothing."""
    _between.set(int(num_threads))


def _set_intra_op_parallelism_threads(num_threads: int) -> None:
    """Takes note of how many threads an op shall have. It changes nothing: the array library's own setting decides."""
    _within.set(int(num_threads))


def _set_jit(enabled: bool | str) -> None:
    """Takes note of whether functions shall be compiled. It changes nothing: the backend compiles what it can."""
    _jit.set("autoclustering" if enabled is True else enabled or "")


def _set_experimental_options(options: dict[str, Any]) -> None:
    """Takes note of options. They change nothing: the graph passes run anyway."""
    _optimizer_options.update(options)


def _set_memory_growth(device: PhysicalDevice, enable: bool) -> None:
    """Takes note of whether a device's memory shall be taken as it is needed. It changes nothing.

    Raises:
        ValueError: There is no such device, or it is a CPU.
    """
    if _check(device).device_type == "CPU":
        raise ValueError("Cannot set memory growth on non-GPU and non-Pluggable devices")
    _growing[device] = bool(enable)


def _get_memory_growth(device: PhysicalDevice) -> bool:
    """Returns what `set_memory_growth` set."""
    return _growing[_check(device)]


def _get_device_details(device: PhysicalDevice) -> dict[str, Any]:
    """Returns what more is known of a device: nothing."""
    _check(device)
    return {}


def _no_memory_statistics(device: str) -> Any:
    """Raises an error: how much memory a device has in use is known to the array library only.

    Raises:
        ValueError: Always.
    """
    raise ValueError(f"Allocator stats not available for device {device!r}: ask the backend's array library.")


def _enable_op_determinism() -> None:
    """Makes random ops without a seed errors. All others give the same results in every run anyway."""
    from modtf.core.api.random import seeds

    seeds.deterministic = True


threading = SimpleNamespace(
    get_inter_op_parallelism_threads=_between.get,
    get_intra_op_parallelism_threads=_within.get,
    set_inter_op_parallelism_threads=_set_inter_op_parallelism_threads,
    set_intra_op_parallelism_threads=_set_intra_op_parallelism_threads,
)
"""Numbers of threads, which are taken note of."""

optimizer = SimpleNamespace(
    get_experimental_options=lambda: dict(_optimizer_options),
    get_jit=_jit.get,
    set_experimental_options=_set_experimental_options,
    set_jit=_set_jit,
)
"""Options for graphs, which are taken note of."""

experimental = SimpleNamespace(
    VirtualDeviceConfiguration=LogicalDeviceConfiguration,
    enable_op_determinism=_enable_op_determinism,
    enable_tensor_float_32_execution=lambda enabled: _tensor_float_32.set(bool(enabled)),
    get_device_details=_get_device_details,
    get_device_policy=_policy.get,
    get_memory_growth=_get_memory_growth,
    get_memory_info=_no_memory_statistics,
    get_memory_usage=_no_memory_statistics,
    reset_memory_stats=_no_memory_statistics,
    get_synchronous_execution=_synchronous.get,
    get_virtual_device_configuration=get_logical_device_configuration,
    get_visible_devices=get_visible_devices,
    list_logical_devices=list_logical_devices,
    list_physical_devices=list_physical_devices,
    set_device_policy=lambda device_policy: _policy.set(device_policy or "silent"),
    set_memory_growth=_set_memory_growth,
    set_synchronous_execution=lambda enable: _synchronous.set(bool(enable)),
    set_virtual_device_configuration=set_logical_device_configuration,
    set_visible_devices=set_visible_devices,
    tensor_float_32_execution_enabled=_tensor_float_32.get,
)
"""Older names of the above, memory settings, and `enable_op_determinism`."""
