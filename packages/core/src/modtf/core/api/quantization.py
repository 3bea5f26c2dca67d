"""Rounding to few bits (`tf.quantization`): simulated while training, and to quantized dtypes and back."""

from __future__ import annotations

from typing import Any

from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import as_dtype
from modtf.core.values.tensors import Tensor

__all__ = [
    "dequantize", "fake_quant_with_min_max_args", "fake_quant_with_min_max_args_gradient",
    "fake_quant_with_min_max_vars", "fake_quant_with_min_max_vars_gradient", "fake_quant_with_min_max_vars_per_channel",
    "fake_quant_with_min_max_vars_per_channel_gradient", "quantize", "quantize_and_dequantize",
    "quantize_and_dequantize_v2",
]  # fmt: skip

# ------------------------------------------------------------------------------------------------- simulated


def fake_quant_with_min_max_args(
    inputs: Any, min: float = -6, max: float = 6, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """Rounds numbers to what so many bits can hold of a range, in float32 (B. Jacob et al., 2018).

    Args:
        inputs: A float32 tensor.
        min: The lower end of the range. Both are moved a little, so that zero is one of the steps.
        max: The upper end, greater than `min`.
        num_bits: From 2 to 16.
        narrow_range: Whether to leave out the lowest step.
        name: A name for the graph node.

    Returns:
        A float32 tensor; the gradient flows through where the input is within the range.
    """
    attrs = {"min": min, "max": max, "num_bits": num_bits, "narrow_range": narrow_range}
    return raw.FakeQuantWithMinMaxArgs(inputs, name=name, **attrs)


def fake_quant_with_min_max_args_gradient(
    gradients: Any, inputs: Any, min: float = -6, max: float = 6, num_bits: int = 8, narrow_range: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Returns what `gradients` of the result of `fake_quant_with_min_max_args` make for its inputs."""
    attrs = {"min": min, "max": max, "num_bits": num_bits, "narrow_range": narrow_range}
    return raw.FakeQuantWithMinMaxArgsGradient(gradients, inputs, name=name, **attrs)


def fake_quant_with_min_max_vars(
    inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """Does what `fake_quant_with_min_max_args` does with a range that is trained: `min` and `max` are float32 scalars.

    The gradients of inputs below and above the range flow to `min` and `max`. A range of nothing, 0 to 0, gives zeros.
    """
    return raw.FakeQuantWithMinMaxVars(inputs, min, max, num_bits=num_bits, narrow_range=narrow_range, name=name)


def fake_quant_with_min_max_vars_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Returns what `gradients` of the result of `fake_quant_with_min_max_vars` make for inputs, `min` and `max`."""
    attrs = {"num_bits": num_bits, "narrow_range": narrow_range}
    return raw.FakeQuantWithMinMaxVarsGradient(gradients, inputs, min, max, name=name, **attrs)


def fake_quant_with_min_max_vars_per_channel(
    inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False, name: str | None = None
) -> Tensor:
    """Does what `fake_quant_with_min_max_vars` does with a range for each channel, the last axis of `inputs`."""
    attrs = {"num_bits": num_bits, "narrow_range": narrow_range}
    return raw.FakeQuantWithMinMaxVarsPerChannel(inputs, min, max, name=name, **attrs)


def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients: Any, inputs: Any, min: Any, max: Any, num_bits: int = 8, narrow_range: bool = False,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Returns what `gradients` make for inputs and ranges of `fake_quant_with_min_max_vars_per_channel`."""
    attrs = {"num_bits": num_bits, "narrow_range": narrow_range}
    return raw.FakeQuantWithMinMaxVarsPerChannelGradient(gradients, inputs, min, max, name=name, **attrs)


# ------------------------------------------------------------------------------------------------- there and back


def _axis_of(tensor: Tensor, axis: int | None) -> int:
    """The axis counted from the front; -1 for none."""
    if axis is None:
        return -1
    if axis >= 0:
        return axis
    if tensor.ndim is None:
        raise ValueError("input should have known rank to use negative axis.")
    return axis % tensor.ndim


def _there_and_back(op: str, input: Any, input_min: Any, input_max: Any, axis: int | None, **attrs: Any) -> Tensor:
    input = convert_to_tensor(input)
    return getattr(raw, op)(input, input_min, input_max, axis=_axis_of(input, axis), **attrs)


def quantize_and_dequantize_v2(
    input: Any, input_min: Any, input_max: Any, signed_input: bool = True, num_bits: int = 8, range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN", name: str | None = None, narrow_range: bool = False, axis: int | None = None,
) -> Tensor:  # fmt: skip
    """Quantizes numbers and makes them floating again, which shows what rounding does to them.

    Args:
        input: A floating tensor.
        input_min: The lower end of the range, a scalar; with `axis`, one for each slice.
        input_max: The upper end.
        signed_input: Whether the quantized numbers are signed.
        num_bits: How many bits they have.
        range_given: Whether to use `input_min` and `input_max`, rather than the range of the input.
        round_mode: `"HALF_TO_EVEN"` or `"HALF_UP"`.
        name: A name for the graph node.
        narrow_range: Whether to leave out the lowest quantized number, so that they lie evenly around zero.
        axis: The axis whose slices have ranges of their own; all together by default.

    Returns:
        A tensor like `input`; the gradient flows through where the input is within the given range.
    """
    return _there_and_back(
        "QuantizeAndDequantizeV4", input, input_min, input_max, axis, signed_input=signed_input, num_bits=num_bits,
        range_given=range_given, round_mode=round_mode, narrow_range=narrow_range, name=name,
    )  # fmt: skip


def quantize_and_dequantize(
    input: Any, input_min: Any, input_max: Any, signed_input: bool = True, num_bits: int = 8, range_given: bool = False,
    round_mode: str = "HALF_TO_EVEN", name: str | None = None, narrow_range: bool = False, axis: int | None = None,
) -> Tensor:  # fmt: skip
    """Does what `quantize_and_dequantize_v2` does, but lets all of the gradient through."""
    return _there_and_back(
        "QuantizeAndDequantizeV2", input, input_min, input_max, axis, signed_input=signed_input, num_bits=num_bits,
        range_given=range_given, round_mode=round_mode, narrow_range=narrow_range, name=name,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- quantized dtypes


def quantize(
    input: Any, min_range: Any, max_range: Any, T: Any, mode: str = "MIN_COMBINED",
    round_mode: str = "HALF_AWAY_FROM_ZERO", name: str | None = None, narrow_range: bool = False,
    axis: int | None = None, ensure_minimum_range: float = 0.01,
) -> Any:  # fmt: skip
    """Quantizes float32 numbers.

    Args:
        input: A float32 tensor.
        min_range: The number that becomes the least quantized one, a scalar; with `axis`, one for each slice.
        max_range: The number that becomes the greatest.
        T: `tf.qint8`, `tf.quint8`, `tf.qint16`, `tf.quint16` or `tf.qint32`.
        mode: `"MIN_COMBINED"` spreads the range over all quantized numbers, `"MIN_FIRST"` moves it so that its lower end
            is a whole number of steps from zero, `"SCALED"` keeps zero at zero.
        round_mode: `"HALF_AWAY_FROM_ZERO"`, or for `"SCALED"` also `"HALF_TO_EVEN"`.
        name: A name for the graph node.
        narrow_range: Whether `"SCALED"` leaves out the lowest quantized number.
        axis: The axis whose slices have ranges of their own; all together by default.
        ensure_minimum_range: The range is widened to this part of its greater end at least.

    Returns:
        A named tuple of `output`, and of the range that was used, `output_min` and `output_max`.
    """
    input = convert_to_tensor(input)
    return raw.QuantizeV2(
        input, min_range, max_range, T=as_dtype(T), mode=mode, round_mode=round_mode, narrow_range=narrow_range,
        axis=_axis_of(input, axis), ensure_minimum_range=ensure_minimum_range, name=name,
    )  # fmt: skip


def dequantize(
    input: Any, min_range: Any, max_range: Any, mode: str = "MIN_COMBINED", name: str | None = None,
    axis: int | None = None, narrow_range: bool = False, dtype: Any = dtypes.float32,
) -> Tensor:  # fmt: skip
    """Makes quantized numbers floating again.

    Args:
        input: A tensor of a quantized dtype.
        min_range: What the least quantized number stands for, a scalar; with `axis`, one for each slice.
        max_range: What the greatest stands for.
        mode: As for `quantize`.
        name: A name for the graph node.
        axis: The axis whose slices have ranges of their own; all together by default.
        narrow_range: As for `quantize`.
        dtype: float32, or for `"MIN_COMBINED"` also bfloat16.
    """
    input = convert_to_tensor(input)
    return raw.Dequantize(
        input, min_range, max_range, mode=mode, narrow_range=narrow_range, axis=_axis_of(input, axis),
        dtype=as_dtype(dtype), name=name,
    )  # fmt: skip
