"""`DeviceSpec`: the name of a device, taken apart."""

from __future__ import annotations

from typing import Any

__all__ = ["DeviceSpec"]

_PARTS = ("job", "replica", "task", "device_type", "device_index")


class DeviceSpec:
    """A device, or several: what is not said of it is `None`. It does not change.

    Args:
        job: The job, of several processes that work together.
        replica: The replica in the job.
        task: The process in the job.
        device_type: `"CPU"`, `"GPU"`, ...
        device_index: The number of the device.
    """

    __slots__ = ("_said",)

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        self._said: tuple[Any, ...] = (
            None if job is None else str(job),
            *[None if number is None else int(number) for number in (replica, task)],
            None if device_type is None else str(device_type).upper(),
            None if device_index is None else int(device_index),
        )

    @property
    def job(self) -> str | None:
        return self._said[0]

    @property
    def replica(self) -> int | None:
        return self._said[1]

    @property
    def task(self) -> int | None:
        return self._said[2]

    @property
    def device_type(self) -> str | None:
        return self._said[3]

    @property
    def device_index(self) -> int | None:
        return self._said[4]

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Makes one of a name such as `"/job:worker/task:1/device:GPU:0"`, `"/cpu:0"` or `"GPU:*"`.

        Raises:
            ValueError: There is something else in it.
        """
        said: dict[str, Any] = {}
        for part in filter(None, spec.split("/")):
            key, *values = part.split(":")
            if key == "device" and len(values) == 2:
                key, *values = values
                is_device = True
            else:
                is_device = key.upper() in ("CPU", "GPU", "TPU") and len(values) < 2
            if is_device:
                said["device_type"] = key
                index = values[0] if values else "*"
                said["device_index"] = None if index == "*" else int(index)
            elif key in ("job", "replica", "task") and len(values) == 1:
                said[key] = values[0]
            else:
                raise ValueError(f"Unknown attribute '{key}' is encountered while parsing the device spec: '{spec}'.")
        return cls(**said)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Returns what a name says; see `from_string`."""
        return type(self).from_string(spec)

    def to_string(self) -> str:
        """Returns the name."""
        parts = [f"/{name}:{value}" for name, value in zip(_PARTS[:3], self._said, strict=False) if value is not None]
        if self.device_type is not None:
            parts.append(f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}")
        return "".join(parts)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """Returns one that says what `dev` says, and of all else what this one says."""
        return DeviceSpec(
            *[mine if theirs is None else theirs for mine, theirs in zip(self._said, dev._said, strict=True)]
        )

    def replace(self, **kwargs: Any) -> DeviceSpec:
        """Returns one that says something else of the parts given by name."""
        return DeviceSpec(**{**dict(zip(_PARTS, self._said, strict=True)), **kwargs})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    def __repr__(self) -> str:
        return f"<DeviceSpec({', '.join(f'{name}={value}' for name, value in zip(_PARTS, self._said, strict=True))})>"
