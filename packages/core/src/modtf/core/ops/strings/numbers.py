"""Numbers as text, text as numbers, and numbers as the bytes that hold them in memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from modtf.core.engine.shape_rules import constant_value, unchanged
from modtf.core.engine.vocabulary import op
from modtf.core.ops.strings.elements import mapped
from modtf.core.values.dtypes import DType, from_numpy
from modtf.core.values.errors import InvalidArgumentError
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- to text


def _check_format(dtype: DType, precision: int, scientific: bool, shortest: bool, fill: str) -> None:
    if dtype.is_integer or dtype.is_bool:
        if scientific or shortest:
            raise InvalidArgumentError(f"scientific and shortest format not supported for datatype {dtype.name}")
        if precision >= 0:
            raise InvalidArgumentError(f"precision not supported for datatype {dtype.name}")
    if scientific and shortest:
        raise InvalidArgumentError("Cannot select both scientific and shortest notation")
    if len(fill) > 1:
        raise InvalidArgumentError(f"Fill string must be one or fewer characters, not {fill!r}")
    if fill not in ("", " ", "+", "-", "0", "#"):
        raise InvalidArgumentError(f'Fill argument not supported: "{fill}". It must be a flag of printf: " +-0#"')


def _float_formatter(flag: str, width: str, precision: str, kind: str) -> Callable[[float], str]:
    """As C's printf, which differs from Python's in that it neither pads infinities with 0 nor hides the sign of NaN."""
    finite = f"%{flag}{width}{precision}{kind}"
    special = f"%{flag.replace('0', '')}{width}f"
    negative_nan = f"%{'-' if flag == '-' else ''}{width}s" % "-nan"

    def formatted(value: float) -> str:
        if value - value == 0:
            return finite % value
        return negative_nan if value != value and np.signbit(value) else special % value

    return formatted


@op(
    "AsString[T: floating|complex|integer|bool|variant|string](input: T, *, precision: int = -1, "
    "scientific: bool = False, shortest: bool = False, width: int = -1, fill: string = '') -> (output: string)",
    shape=unchanged,
    host_only=True,
)
def as_string(
    xp: Any, input: np.ndarray, *, precision: int, scientific: bool, shortest: bool, width: int, fill: str
) -> np.ndarray:
    dtype = from_numpy(input.dtype)
    _check_format(dtype, precision, scientific, shortest, fill)
    columns = str(width) if width >= 0 else ""
    if dtype.is_bool:
        return np.where(input, b"true", b"false").astype(object)
    if input.dtype == object:
        if width <= 0:
            return input
        pad, end = bytes.ljust if fill == "-" else bytes.rjust, precision if precision >= 0 else None
        return mapped(lambda item: pad(item[:end], width), input)
    if dtype.is_integer:
        # C has no sign for unsigned numbers to show.
        pattern = f"%{fill.strip('+ ') if dtype.is_unsigned else fill}{columns}d"
        return mapped(lambda value: (pattern % value).encode(), input)
    kind = "g" if shortest else "e" if scientific else "f"
    text = _float_formatter(fill, columns, f".{precision}" if precision >= 0 else "", kind)
    if dtype.is_complex:
        return mapped(lambda value: f"({text(value.real)},{text(value.imag)})".encode(), input)
    return mapped(lambda value: text(value).encode(), input.astype(np.float64))


as_string.gradient(None)

# ------------------------------------------------------------------------------------------------- from text

_HEXADECIMAL = re.compile(rb"\s*[+-]?0[xX][0-9a-fA-F.]+([pP][+-]?[0-9]+)?\s*")
_NAN = re.compile(rb"\s*[+-]?nan\([0-9A-Za-z_]*\)\s*", re.IGNORECASE)


def _not_a_number(text: bytes) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"StringToNumberOp could not correctly convert string: {text.decode('utf-8', 'replace')}"
    )


def _float(text: bytes) -> float:
    try:
        if b"_" not in text:
            return float(text)
    except ValueError:
        pass
    try:
        if _HEXADECIMAL.fullmatch(text):
            return float.fromhex(text.decode())
    except OverflowError:
        return float("-inf" if b"-" in text else "inf")
    except ValueError:
        pass
    if _NAN.fullmatch(text):
        return float("nan")
    raise _not_a_number(text)


def _exact(text: bytes) -> Fraction:
    digits = text.strip().decode()
    if "x" not in digits.lower():
        return Fraction(digits)
    mantissa, _, exponent = digits.lower().replace("0x", "", 1).partition("p")
    whole, _, behind = mantissa.partition(".")
    return int(whole + behind, 16) * Fraction(2) ** (int(exponent or 0) - 4 * len(behind))


def _rounded_once(doubles: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Returns float32 numbers as rounded from the text, where rounding to float64 first would end on the other side."""
    with np.errstate(all="ignore"):
        singles = doubles.astype(np.float32)
        beyond = np.where(doubles > singles, np.float32(np.inf), np.float32(-np.inf))
        neighbours = np.nextafter(singles, beyond)
        halfway = (singles.astype(np.float64) + neighbours) / 2 == doubles
        halfway &= singles != doubles
    for place in np.flatnonzero(halfway):
        exact, double = _exact(texts[place]), Fraction(float(doubles[place]))
        if exact != double:
            towards = max if exact > double else min
            singles[place] = towards(singles[place], neighbours[place])
    return singles


def _integer(low: int, high: int) -> Callable[[bytes], int]:
    def parse(text: bytes) -> int:
        try:
            value = int(text)
        except ValueError:
            raise _not_a_number(text) from None
        if not low <= value <= high or b"_" in text or (low == 0 and b"-" in text):
            raise _not_a_number(text)
        return value

    return parse


@op(
    "StringToNumber(string_tensor: string, *, "
    "out_type: type(float32|float64|int32|int64|uint32|uint64) = float32) -> (output: out_type)",
    shape=unchanged,
    host_only=True,
)
def string_to_number(xp: Any, string_tensor: np.ndarray, *, out_type: DType) -> np.ndarray:
    if out_type.is_integer:
        return mapped(_integer(int(out_type.min), int(out_type.max)), string_tensor, out_type.np_dtype)
    doubles = mapped(_float, string_tensor, np.float64)
    if out_type.np_dtype == np.float64:
        return doubles
    return _rounded_once(doubles.reshape(-1), string_tensor.reshape(-1)).reshape(doubles.shape)


# ------------------------------------------------------------------------------------------------- bytes in memory

_RAW = "float16|float32|float64|int32|uint16|uint8|int16|int8|int64|bfloat16"


def _elements(strings: list[bytes], shape: tuple[int, ...], out_type: DType, little_endian: bool) -> np.ndarray:
    """The numbers in strings of one length, along a new last axis."""
    dtype = out_type.np_dtype
    content = b"".join(strings)
    part = dtype.itemsize // 2 if out_type.is_complex else dtype.itemsize  # what the order of bytes is about
    if not little_endian and part > 1:
        content = np.frombuffer(content, f"V{part}").reshape(-1, 1).view(np.uint8)[:, ::-1].tobytes()
    if out_type.is_bool:
        content = (np.frombuffer(content, np.uint8) != 0).tobytes()
    length = len(content) // dtype.itemsize // len(strings) if strings else 0
    return np.frombuffer(content, dtype).reshape(*shape, length).copy()


def _with_last_axis(bytes: Tensor, **attrs: Any) -> Dims:
    return None if bytes.dims is None else (*bytes.dims, None)


@op(
    f"DecodeRaw(bytes: string, *, out_type: type({_RAW}|complex64|complex128|bool), "
    "little_endian: bool = True) -> (output: out_type)",
    shape=_with_last_axis,
    host_only=True,
)
def decode_raw(xp: Any, bytes: np.ndarray, *, out_type: DType, little_endian: bool) -> np.ndarray:
    strings = bytes.reshape(-1).tolist()
    for index, item in enumerate(strings):
        if len(item) != len(strings[0]):
            raise InvalidArgumentError(
                "DecodeRaw requires input strings to all be the same size, but element "
                f"{index} has size {len(item)} != {len(strings[0])}"
            )
    if strings and len(strings[0]) % out_type.size:
        raise InvalidArgumentError(
            f"Input to DecodeRaw has length {len(strings[0])} that is not a multiple of {out_type.size}, the size of "
            f"{out_type.name}"
        )
    return _elements(strings, bytes.shape, out_type, little_endian)


def _padded_dims(input_bytes: Tensor, fixed_length: Tensor, *, out_type: DType, little_endian: bool) -> Dims:
    length = constant_value(fixed_length)
    if input_bytes.dims is None:
        return None
    return (*input_bytes.dims, None if length is None else int(length) // out_type.size)


@op(
    f"DecodePaddedRaw(input_bytes: string, fixed_length: int32, *, out_type: type({_RAW}), "
    "little_endian: bool = True) -> (output: out_type)",
    shape=_padded_dims,
    host_only=True,
)
def decode_padded_raw(
    xp: Any, input_bytes: np.ndarray, fixed_length: np.ndarray, *, out_type: DType, little_endian: bool
) -> np.ndarray:
    if fixed_length.ndim:
        raise InvalidArgumentError(f"fixed_length must be scalar, got shape {list(fixed_length.shape)}")
    length = int(fixed_length)
    if length <= 0:
        raise InvalidArgumentError(f"fixed_length ({length}) must be greater than zero")
    if length % out_type.size:
        raise InvalidArgumentError(
            f"fixed_length ({length}) must be a multiple of the size of out_type ({out_type.size})"
        )
    strings = [item[:length].ljust(length, b"\0") for item in input_bytes.reshape(-1).tolist()]
    if not strings:
        return np.zeros((*input_bytes.shape, length // out_type.size), out_type.np_dtype)
    return _elements(strings, input_bytes.shape, out_type, little_endian)
