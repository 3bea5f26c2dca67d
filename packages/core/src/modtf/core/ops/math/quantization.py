"""Rounding to what few bits can hold: simulated for training, and to quantized dtypes and back.

B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import merged, normal_axis, unchanged, with_rank, with_rank_at_least
from modtf.core.engine.vocabulary import Op, op, register
from modtf.core.ops.common import like
from modtf.core.ops.narrow_floats import widened
from modtf.core.values.dtypes import SETS, DType, bfloat16
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- simulated in training


def _check_bits(num_bits: int, most: int = 16) -> None:
    if not 2 <= num_bits <= most:
        raise InvalidArgumentError(f"num_bits must be between 2 and {most}, inclusive; it is {num_bits}")


def _nudged(xp: Any, low: Any, high: Any, num_bits: int, narrow_range: bool) -> tuple[Any, Any, Any]:
    """The range moved so that zero is one of the steps (section 3.1), and the size of a step."""
    _check_bits(num_bits)
    first, last = float(narrow_range), float((1 << num_bits) - 1)
    step = (high - low) / (last - first)
    zero_point = xp.clip(xp.floor(first - low / step + 0.5), first, last)
    return (first - zero_point) * step, (last - zero_point) * step, step


def _fake_quant(xp: Any, x: Any, low: Any, high: Any, **attrs: Any) -> Any:
    start, end, step = _nudged(xp, low, high, **attrs)
    inverse = 1 / step
    zero = xp.floor(-start * inverse + 0.5)
    shifted = xp.maximum(xp.minimum(x, end), start) - start
    quantized = xp.floor(shifted * inverse - zero + 0.5) * step
    # A range of nothing at zero keeps nothing.
    return xp.where((low == 0) & (high == 0), xp.zeros_like(x), quantized)


def _fake_quant_gradient(xp: Any, dy: Any, x: Any, low: Any, high: Any, **attrs: Any) -> tuple[Any, Any, Any]:
    """What flows to the inputs, to the lower and to the upper end of the range, not summed yet."""
    start, end, _ = _nudged(xp, low, high, **attrs)
    nowhere = (low == 0) & (high == 0)
    below, above = (x < start) & ~nowhere, (x > end) & ~nowhere
    inside = ((x >= start) & (x <= end)) | nowhere
    return tuple(dy * xp.astype(where, dy.dtype) for where in (inside, below, above))


def _ends(xp: Any, min: float, max: float) -> tuple[Any, Any]:
    if min >= max:
        raise InvalidArgumentError(f"min has to be smaller than max, was: {min} >= {max}")
    return xp.asarray(min, dtype=xp.float32), xp.asarray(max, dtype=xp.float32)


_BITS = "num_bits: int = 8, narrow_range: bool = False"
_RANGE = f"min: float = -6.0, max: float = 6.0, {_BITS}"


@op(f"FakeQuantWithMinMaxArgs(inputs: float32, *, {_RANGE}) -> (outputs: float32)", shape=unchanged)
def fake_quant_args(xp: Any, inputs: Any, *, min: float, max: float, **attrs: Any) -> Any:
    return _fake_quant(xp, inputs, *_ends(xp, min, max), **attrs)


@fake_quant_args.gradient
def _(call: Any, dy: Tensor) -> Tensor:
    attrs = dict(zip(call.op.schema.attr_index, call.attrs, strict=True))
    return raw.FakeQuantWithMinMaxArgsGradient(dy, call.inputs[0], **attrs)


@op(
    f"FakeQuantWithMinMaxArgsGradient(gradients: float32, inputs: float32, *, {_RANGE}) -> (backprops: float32)",
    shape=lambda gradients, inputs, **attrs: merged(gradients.dims, inputs.dims),
)
def fake_quant_args_gradient(
    xp: Any, gradients: Any, inputs: Any, *, min: float, max: float, **attrs: Any
) -> Any:  # fmt: skip
    _check_alike(gradients, inputs)
    return _fake_quant_gradient(xp, gradients, inputs, *_ends(xp, min, max), **attrs)[0]


def _check_alike(gradients: Any, inputs: Any) -> None:
    if tuple(gradients.shape) != tuple(inputs.shape):
        raise ValueError(
            f"gradients and inputs must be the same size: {list(gradients.shape)} and {list(inputs.shape)}"
        )


def _fake_quant_of_range(name: str, of_channels: bool) -> None:
    """Registers the op whose range is an input, a scalar or one number for each channel, and its gradient."""
    what = f"{name}Gradient"

    def check(inputs: Any, low: Any, high: Any) -> None:
        expected = (inputs.shape[-1],) if of_channels else ()
        for end, array in (("min", low), ("max", high)):
            if tuple(array.shape) != tuple(expected):
                raise ValueError(f"`{end}` must have the shape {list(expected)}, not {list(array.shape)}")

    def ends_dims(inputs: Tensor, low: Tensor, high: Tensor) -> tuple[Dims, Dims]:
        """The shape of the inputs and of the ends of the range."""
        if not of_channels:
            for end in (low, high):
                with_rank(end, 0, "min and max")
            return inputs.dims, ()
        dims = with_rank_at_least(inputs, 1, "inputs")
        ends = merged(with_rank(low, 1, "min"), with_rank(high, 1, "max"), None if dims is None else dims[-1:])
        return dims if dims is None else (*dims[:-1], ends[0]), ends  # type: ignore[index]

    def forward(xp: Any, inputs: Any, low: Any, high: Any, **attrs: Any) -> Any:
        check(inputs, low, high)
        return _fake_quant(xp, inputs, low, high, **attrs)

    def backward(xp: Any, gradients: Any, inputs: Any, low: Any, high: Any, **attrs: Any) -> tuple[Any, Any, Any]:
        check(inputs, low, high)
        _check_alike(gradients, inputs)
        through, *to_ends = _fake_quant_gradient(xp, gradients, inputs, low, high, **attrs)
        axes = tuple(range(len(inputs.shape) - of_channels))
        below, above = (xp.sum(part, axis=axes, dtype=part.dtype) for part in to_ends)
        return through, below, above

    forwards = register(
        Op(
            f"{name}(inputs: float32, min: float32, max: float32, *, {_BITS}) -> (outputs: float32)",
            kernel=forward,
            shape=lambda inputs, low, high, **attrs: ends_dims(inputs, low, high)[0],
            quiet=True,
        )
    )
    backwards = register(
        Op(
            f"{what}(gradients: float32, inputs: float32, min: float32, max: float32, *, {_BITS}) -> "
            "(backprops_wrt_input: float32, backprop_wrt_min: float32, backprop_wrt_max: float32)",
            kernel=backward,
            shape=lambda gradients, inputs, low, high, **attrs: [
                merged(gradients.dims, ends_dims(inputs, low, high)[0]),
                *[ends_dims(inputs, low, high)[1]] * 2,
            ],
            quiet=True,
        )
    )
    backwards.gradient(None)

    @forwards.gradient
    def _(call: Any, dy: Tensor) -> Any:
        return backwards(dy, *call.inputs, num_bits=call["num_bits"], narrow_range=call["narrow_range"])


fake_quant_args_gradient.gradient(None)
_fake_quant_of_range("FakeQuantWithMinMaxVars", of_channels=False)
_fake_quant_of_range("FakeQuantWithMinMaxVarsPerChannel", of_channels=True)

# ------------------------------------------------------------------------------------------------- there and back


def _aligned(xp: Any, ends: Any, rank: int, axis: int) -> Any:
    """The range's ends, shaped so that they broadcast along an axis."""
    return ends if axis == -1 else xp.reshape(ends, (-1,) + (1,) * (rank - axis - 1))


def _steps(signed: bool, num_bits: int, narrow_range: bool) -> tuple[int, int]:
    """The least and the greatest quantized number."""
    if not signed:
        return 0, (1 << num_bits) - 1
    return -(1 << (num_bits - 1)) + narrow_range, (1 << (num_bits - 1)) - 1


def _there_and_back(
    xp: Any, x: Any, low: Any, high: Any, *, signed_input: bool, num_bits: int, range_given: bool, narrow_range: bool,
    axis: int, round_mode: str = "HALF_TO_EVEN",
) -> Any:  # fmt: skip
    if not 1 <= num_bits <= (62 if signed_input else 63):
        raise InvalidArgumentError(f"num_bits is out of range: {num_bits} with signed_input {signed_input}")
    rank = len(x.shape)
    if axis < -1 or axis >= max(rank, 1):
        raise ValueError(f"Axis must be at least -1 and less than the rank {rank} of the input; it is {axis}")
    if not x.size:
        return x
    first, last = _steps(signed_input, num_bits, narrow_range)
    if range_given:
        expected = () if axis == -1 else (x.shape[axis],)
        if tuple(low.shape) != tuple(expected) or tuple(high.shape) != tuple(expected):
            raise ValueError(
                f"input_min and input_max must have the shape {list(expected)}, not {list(low.shape)} and {list(high.shape)}"
            )
        if xp is np and not (low <= high).all():
            raise InvalidArgumentError(f"Invalid range: input_min {low.tolist()} > input_max {high.tolist()}")
        low, high = _aligned(xp, low, rank, axis), _aligned(xp, high, rank, axis)
    else:
        others = tuple(other for other in range(rank) if other != axis)
        low, high = xp.min(x, axis=others, keepdims=True), xp.max(x, axis=others, keepdims=True)
    # The side that allows the smaller scale determines it, so that both ends can be held.
    huge = xp.asarray(xp.finfo(x.dtype).max, dtype=x.dtype)
    from_low = xp.where(first * low > 0, first / low, huge)
    from_high = xp.where(last * high > 0, last / high, huge)
    by_low = from_low < from_high
    scale = xp.where(by_low, from_low, from_high)
    inverse = xp.where(by_low, low / (first or 1), high / last)
    if range_given:
        x = xp.maximum(xp.minimum(x, xp.where(by_low, last * inverse, high)), xp.where(by_low, low, first * inverse))
    scaled = x * scale
    return (xp.round(scaled) if round_mode == "HALF_TO_EVEN" else xp.floor(scaled + 0.5)) * inverse


def _ends_dims(input: Tensor, low: Tensor, high: Tensor, axis: int) -> Dims:
    """The input's shape, once it is seen that the range's ends fit it."""
    if axis < -1:
        raise ValueError(f"axis should be at least -1, got {axis}")
    rank = 0 if axis == -1 else 1
    ends = merged(with_rank(low, rank, "input_min"), with_rank(high, rank, "input_max"))
    if axis != -1 and input.dims is not None:
        merged(ends, (input.dims[normal_axis(axis, len(input.dims))],))
    return input.dims


_NUDGING = "signed_input: bool = True, {}range_given: bool = {}, {}narrow_range: bool = False, axis: int = -1"
_ROUNDING = "round_mode: string(HALF_TO_EVEN|HALF_UP) = 'HALF_TO_EVEN', "
for _version in ("V2", "V4"):
    register(
        Op(
            f"QuantizeAndDequantize{_version}[T: floating](input: T, input_min: T, input_max: T, *, "
            f"{_NUDGING.format('num_bits: int = 8, ', False, _ROUNDING)}) -> (output: T)",
            kernel=widened(_there_and_back),
            shape=lambda input, low, high, *, axis, **attrs: _ends_dims(input, low, high, axis),
            quiet=True,
        )
    )


@op(
    "QuantizeAndDequantizeV3[T: floating](input: T, input_min: T, input_max: T, num_bits: int32, *, "
    f"{_NUDGING.format('', True, '')}) -> (output: T)",
    shape=lambda input, low, high, num_bits, *, axis, **attrs: _ends_dims(input, low, high, axis),
    host_inputs=("num_bits",),
    quiet=True,
)
def quantize_and_dequantize_v3(
    xp: Any, input: Any, input_min: Any, input_max: Any, num_bits: np.ndarray, **attrs: Any
) -> Any:  # fmt: skip
    return widened(_there_and_back)(xp, input, input_min, input_max, num_bits=int(num_bits), **attrs)


raw.QuantizeAndDequantizeV2.gradient(lambda call, dy: (dy, None, None))
quantize_and_dequantize_v3.gradient(lambda call, dy: (dy, None, None, None))
raw.QuantizeAndDequantizeV4.gradient(
    lambda call, dy: raw.QuantizeAndDequantizeV4Grad(dy, *call.inputs, axis=call["axis"])
)


def _masks_dims(gradients: Tensor, input: Tensor, input_min: Tensor, input_max: Tensor, *, axis: int) -> list[Dims]:
    dims = _ends_dims(input, input_min, input_max, axis)
    ends = merged(input_min.dims, input_max.dims)
    return [merged(dims, gradients.dims), ends, ends]


@op(
    "QuantizeAndDequantizeV4Grad[T: floating](gradients: T, input: T, input_min: T, input_max: T, *, axis: int = -1) -> "
    "(input_backprop: T, input_min_backprop: T, input_max_backprop: T)",
    shape=_masks_dims,
)
@widened
def there_and_back_gradient(
    xp: Any, gradients: Any, input: Any, input_min: Any, input_max: Any, *, axis: int
) -> tuple[Any, Any, Any]:
    # TensorFlow trains no ranges through this op: nothing flows to their ends.
    _check_alike(gradients, input)
    rank = len(input.shape)
    expected = () if axis == -1 else (input.shape[normal_axis(axis, rank)],)
    if axis < -1 or tuple(input_min.shape) != expected or tuple(input_max.shape) != expected:
        raise ValueError(
            f"axis must be at least -1 and input_min and input_max have the shape {list(expected)}; they are {axis}, "
            f"{list(input_min.shape)} and {list(input_max.shape)}"
        )
    low, high = _aligned(xp, input_min, rank, axis), _aligned(xp, input_max, rank, axis)
    inside = xp.where((input >= low) & (input <= high), gradients, xp.zeros_like(gradients))
    return inside, xp.zeros_like(input_min), xp.zeros_like(input_max)


@there_and_back_gradient.gradient
def _(call: Any, d_inside: Tensor, d_low: Tensor, d_high: Tensor) -> tuple[Tensor | None, ...]:
    _, *range_of = call.inputs
    through, *_ = raw.QuantizeAndDequantizeV4Grad(d_inside, *range_of, axis=call["axis"])
    return through, *(like(tensor, 0) for tensor in range_of)


# ------------------------------------------------------------------------------------------------- quantized dtypes


_QUANTIZED = {dtype.np_dtype: dtype for dtype in SETS["quantized"]}


def _limits(dtype: DType) -> tuple[int, int]:
    found: Any = np.iinfo(dtype.np_dtype)
    return int(found.min), int(found.max)


def _half_range(low: int, high: int) -> np.float32:
    return np.float32((high - low + 1) / 2 if low < 0 else 0)


def _away_from_zero(x: np.ndarray) -> np.ndarray:
    """Rounded to the nearest whole number, of two the one farther from zero."""
    return np.trunc(x + np.copysign(np.float32(0.5), x))


class _FirstStep:
    """The mode MIN_FIRST: the least number is a whole number of steps from zero."""

    def __init__(self, low: np.float32, high: np.float32, dtype: DType) -> None:
        self.least, greatest = _limits(dtype)
        self.greatest = np.float32(greatest)
        if float(self.greatest) > greatest:  # rounded up, past what the dtype can hold
            self.greatest = np.nextafter(self.greatest, np.float32(0))
        steps = float(1 << (8 * dtype.size))
        reach = (float(high) - float(low)) * (steps / (steps - 1))
        self.scale = np.float32(steps / reach) if reach else np.float32(0)
        self.step = np.float32(reach / steps)
        self.low = low

    def quantize(self, x: np.ndarray) -> np.ndarray:
        start = np.round(self.low * self.scale) - np.float32(self.least)
        return np.clip(np.round(x * self.scale) - start, np.float32(self.least), self.greatest)

    def restore(self, q: np.ndarray) -> np.ndarray:
        start = np.round(self.low / self.step) * self.step if self.step else self.low
        return (start - np.float32(self.least) * self.step) + q.astype(np.float32) * self.step


def _saturated(x: np.ndarray, dtype: DType) -> np.ndarray:
    """The whole numbers in a quantized dtype; float32 says the largest int32 as one too many."""
    return np.clip(x.astype(np.float64), *_limits(dtype)).astype(dtype.np_dtype)


def _quantize(
    x: np.ndarray, low: np.float32, high: np.float32, dtype: DType, mode: str, round_mode: str, narrow_range: bool,
    ensure_minimum_range: float,
) -> tuple[np.ndarray, np.float32, np.float32]:  # fmt: skip
    if low > high:
        raise InvalidArgumentError(f"min_range = {low} must not be larger than max_range = {high}")
    least, greatest = _limits(dtype)
    apart = np.maximum(np.float32(1), max(abs(low), abs(high))) * np.float32(ensure_minimum_range)
    low = np.minimum(np.float32(0), low)
    high = np.maximum(np.float32(0), np.maximum(high, low + apart))
    if mode == "MIN_FIRST":
        return _FirstStep(low, high, dtype).quantize(x).astype(dtype.np_dtype), low, high
    if mode == "MIN_COMBINED":
        scale = np.float32((greatest - least) / np.float64(high - low))
        shifted = (np.clip(x, low, high) - low) * scale
        if least < 0:
            return _saturated(_away_from_zero(shifted - _half_range(least, greatest)), dtype), low, high
        return _saturated(np.floor(shifted + np.float32(0.5)), dtype), low, high
    least += narrow_range
    huge = np.finfo(np.float32).max
    scale = min(np.float32(end) / limit if end * limit > 0 else huge for end, limit in ((least, low), (greatest, high)))
    low, high = np.float32(least) / scale, np.float32(greatest) / scale
    scaled = np.clip(x, low, high) * scale
    return _saturated(np.round(scaled) if round_mode == "HALF_TO_EVEN" else _away_from_zero(scaled), dtype), low, high


def _slices(x: np.ndarray, axis: int) -> list[Any]:
    """The indices of the slices that have ranges of their own: all together, or each along an axis."""
    return [...] if axis == -1 else [(slice(None),) * axis + (place,) for place in range(x.shape[axis])]


def _range_per_slice(x: Any, low: Any, high: Any, axis: int) -> list[tuple[np.float32, np.float32]]:
    count = 1 if axis == -1 else x.shape[axis]
    if low.size != count or high.size != count:
        raise ValueError(f"min_range and max_range must have {count} elements; they have {low.size} and {high.size}")
    return list(zip(low.reshape(-1), high.reshape(-1), strict=True))


def _per_slice_dims(input: Tensor, low: Tensor, high: Tensor, axis: int) -> Dims:
    rank = 0 if axis == -1 else 1
    ends = merged(with_rank(low, rank, "min_range"), with_rank(high, rank, "max_range"))
    if axis < -1:
        raise ValueError(f"axis should be at least -1, got {axis}")
    if axis != -1 and input.dims is not None:
        ends = merged(ends, (input.dims[normal_axis(axis, len(input.dims))],))
    return ends


_MODES = "mode: string(MIN_COMBINED|MIN_FIRST|SCALED) = 'MIN_COMBINED'"


def _quantized_dims(input: Tensor, min_range: Tensor, max_range: Tensor, *, axis: int, **attrs: Any) -> list[Dims]:
    ends = _per_slice_dims(input, min_range, max_range, axis)
    return [input.dims, ends, ends]


@op(
    f"QuantizeV2(input: float32, min_range: float32, max_range: float32, *, T: type(quantized), {_MODES}, "
    "round_mode: string(HALF_AWAY_FROM_ZERO|HALF_TO_EVEN) = 'HALF_AWAY_FROM_ZERO', narrow_range: bool = False, "
    "axis: int = -1, ensure_minimum_range: float = 0.01) -> (output: T, output_min: float32, output_max: float32)",
    shape=_quantized_dims,
    host_only=True,
)
def quantize(
    xp: Any, input: np.ndarray, min_range: np.ndarray, max_range: np.ndarray, *, T: DType, mode: str, round_mode: str,
    narrow_range: bool, axis: int, ensure_minimum_range: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    if round_mode == "HALF_TO_EVEN" and mode != "SCALED":
        raise InvalidArgumentError(f"Round mode 'HALF_TO_EVEN' only supported for mode 'SCALED', but mode is {mode!r}")
    if mode == "MIN_FIRST" and axis != -1:
        raise InvalidArgumentError("MIN_FIRST mode is not implemented for Quantize with axis != -1.")
    output = np.empty(input.shape, T.np_dtype)
    ends = np.empty((2, *(() if axis == -1 else (input.shape[axis],))), np.float32)
    ranges = _range_per_slice(input, min_range, max_range, axis)
    for position, (place, (low, high)) in enumerate(zip(_slices(input, axis), ranges, strict=True)):
        output[place], *found = _quantize(
            input[place], low, high, T, mode, round_mode, narrow_range, ensure_minimum_range
        )
        ends[(slice(None), *(() if axis == -1 else (position,)))] = found
    return output, ends[0], ends[1]


def _restored_dims(input: Tensor, min_range: Tensor, max_range: Tensor, *, axis: int, **attrs: Any) -> Dims:
    _per_slice_dims(input, min_range, max_range, axis)
    return input.dims


def _dequantize(q: np.ndarray, low: np.float32, high: np.float32, dtype: DType, mode: str, narrow: bool) -> np.ndarray:
    least, greatest = _limits(dtype)
    if mode == "MIN_FIRST":
        return _FirstStep(low, high, dtype).restore(q)
    if mode == "MIN_COMBINED":
        step = np.float32((high - low) / np.float32(greatest - least))
        return (q.astype(np.float32) + _half_range(least, greatest)) * step + low
    step = high / np.float32(greatest)
    if least < 0:
        step = max(low / np.float32(least + narrow), step)
    return q.astype(np.float32) * step


@op(
    f"Dequantize[T: quantized](input: T, min_range: float32, max_range: float32, *, {_MODES}, "
    "narrow_range: bool = False, axis: int = -1, dtype: type(bfloat16|float32) = float32) -> (output: dtype)",
    shape=_restored_dims,
    host_only=True,
)
def dequantize(
    xp: Any, input: np.ndarray, min_range: np.ndarray, max_range: np.ndarray, *, mode: str, narrow_range: bool,
    axis: int, dtype: DType,
) -> np.ndarray:  # fmt: skip
    if mode == "MIN_FIRST" and axis != -1:
        raise InvalidArgumentError("MIN_FIRST mode is not implemented for Dequantize with axis != -1.")
    if dtype is bfloat16 and mode != "MIN_COMBINED":
        raise InvalidArgumentError(
            f"When output type is bfloat16, only 'MIN_COMBINED' mode is supported, found {mode!r}"
        )
    output = np.empty(input.shape, dtype.np_dtype)
    ranges = _range_per_slice(input, min_range, max_range, axis)
    kind = _QUANTIZED[input.dtype]
    for place, (low, high) in zip(_slices(input, axis), ranges, strict=True):
        output[place] = _dequantize(input[place], low, high, kind, mode, narrow_range)
    return output
