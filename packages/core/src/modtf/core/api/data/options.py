"""Options of datasets. They say how TensorFlow shall run them; here they are kept, and the results are the same."""

from __future__ import annotations

import enum
from typing import Any, ClassVar


class AutoShardPolicy(enum.IntEnum):
    """How a dataset is divided among workers."""

    OFF = -1
    AUTO = 0
    FILE = 1
    DATA = 2
    HINT = 3


class ExternalStatePolicy(enum.Enum):
    """What becomes of state outside when a dataset is saved."""

    WARN = 0
    IGNORE = 1
    FAIL = 2


class AutotuneAlgorithm(enum.Enum):
    """How parallelism is chosen."""

    DEFAULT = 0
    HILL_CLIMB = 1
    GRADIENT_DESCENT = 2
    MAX_PARALLELISM = 3
    STAGE_BASED = 4


class OptionsBase:
    """A set of named options, each with a type; `None` while not set."""

    _types: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        object.__setattr__(self, "_values", {})

    def __getattr__(self, name: str) -> Any:
        kind = type(self)._types.get(name)
        if kind is None:
            raise AttributeError(f"{type(self).__name__} has no option {name!r}; it has {sorted(type(self)._types)}.")
        values = self.__dict__["_values"]
        if name not in values and isinstance(kind, type) and issubclass(kind, OptionsBase):
            values[name] = kind()
        return values.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        kind = type(self)._types.get(name)
        if kind is None:
            raise AttributeError(
                f"Cannot set the property {name} on {type(self).__name__}; it has {sorted(type(self)._types)}."
            )
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"Property {name!r} must be of type {kind}, got {value!r} (type: {type(value)}).")
        self.__dict__["_values"][name] = value

    def _set(self) -> dict[str, Any]:
        found = {}
        for name, value in self.__dict__["_values"].items():
            inner = value._set() if isinstance(value, OptionsBase) else value
            if inner is not None and inner != {}:
                found[name] = value
        return found

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._set() == other._set()

    __hash__ = None  # type: ignore[assignment]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *type(self)._types})

    def merge(self, options: Any) -> Any:
        """Returns these options with those that are set in `options` put over them."""
        made = type(self)()
        values = made.__dict__["_values"]
        for source in (self, options):
            for name, value in source._set().items():
                known = values.get(name)
                values[name] = known.merge(value) if isinstance(known, OptionsBase) else value
        return made


class AutotuneOptions(OptionsBase):
    """How resources are shared out among stages."""

    _types: ClassVar[dict[str, Any]] = {
        "autotune_algorithm": AutotuneAlgorithm, "cpu_budget": int, "enabled": bool, "initial_parallelism": int,
        "min_parallelism": int, "ram_budget": int,
    }  # fmt: skip


class DistributeOptions(OptionsBase):
    """How a dataset is divided among workers."""

    _types: ClassVar[dict[str, Any]] = {"auto_shard_policy": AutoShardPolicy, "num_devices": int}


class OptimizationOptions(OptionsBase):
    """Which rewritings of the stages are made."""

    _types: ClassVar[dict[str, Any]] = dict.fromkeys(
        (
            "apply_default_optimizations", "filter_fusion", "filter_parallelization", "inject_prefetch",
            "map_and_batch_fusion", "map_and_filter_fusion", "map_fusion", "map_parallelization", "noop_elimination",
            "parallel_batch", "seq_interleave_prefetch", "shuffle_and_repeat_fusion",
        ),
        bool,
    )  # fmt: skip


class ServiceOptions(OptionsBase):
    """Options of a data service."""

    _types: ClassVar[dict[str, Any]] = {"pinned": bool}


class ThreadingOptions(OptionsBase):
    """How many threads there are."""

    _types: ClassVar[dict[str, Any]] = {"max_intra_op_parallelism": int, "private_threadpool_size": int}


class Options(OptionsBase):
    """Options for `Dataset.with_options`; each has its own type, and `None` means that it is not set."""

    _types: ClassVar[dict[str, Any]] = {
        "autotune": AutotuneOptions, "dataset_name": str, "deterministic": bool, "experimental_deterministic": bool,
        "experimental_distribute": DistributeOptions, "experimental_external_state_policy": ExternalStatePolicy,
        "experimental_optimization": OptimizationOptions, "experimental_service": ServiceOptions,
        "experimental_slack": bool, "experimental_symbolic_checkpoint": bool,
        "experimental_threading": ThreadingOptions, "experimental_warm_start": bool, "framework_type": list,
        "threading": ThreadingOptions,
    }  # fmt: skip
