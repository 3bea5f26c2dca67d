"""Settings that hold for all layers (`keras.config`): the default dtype, the small constant of losses, the image layout."""

from __future__ import annotations

from typing import Any

__all__ = ["epsilon", "floatx", "image_data_format", "set_epsilon", "set_floatx", "set_image_data_format"]

_FLOATX = ("bfloat16", "float16", "float32", "float64")
_DATA_FORMATS = ("channels_last", "channels_first")

_settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def floatx() -> str:
    """Returns the dtype of layers that are made without one, by default `"float32"`."""
    return str(_settings["floatx"])


def set_floatx(value: str) -> None:
    """Sets the dtype of layers that are made without one.

    Raises:
        ValueError: It is not a floating dtype's name.
    """
    if value not in _FLOATX:
        raise ValueError(f"floatx must be one of {', '.join(_FLOATX)}; got {value!r}.")
    _settings["floatx"] = value


def epsilon() -> float:
    """Returns the number, by default 1e-7, that keeps logarithms and quotients of losses finite."""
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Sets the number that keeps logarithms and quotients of losses finite."""
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Returns where images have their channels unless a layer says otherwise: `"channels_last"` or `"channels_first"`."""
    return str(_settings["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    """Sets where images have their channels unless a layer says otherwise.

    Raises:
        ValueError: It is neither `"channels_last"` nor `"channels_first"`.
    """
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """Returns a layer's `data_format` argument, checked, or the default for `None`.

    Raises:
        ValueError: It is neither `"channels_last"` nor `"channels_first"`.
    """
    if data_format is None:
        return image_data_format()
    if data_format not in _DATA_FORMATS:
        raise ValueError(f"data_format must be one of {', '.join(_DATA_FORMATS)}; got {data_format!r}.")
    return data_format
