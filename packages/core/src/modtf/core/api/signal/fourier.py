"""Discrete Fourier transforms (`tf.signal`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.signal.sizes import length_of, maximum, sizes_of, vector
from modtf.core.engine import raw
from modtf.core.engine.shape_rules import constant_value, dims_from_value, normal_axis
from modtf.core.ops.linalg import fourier as _ops  # noqa: F401 (registers the ops, for which others need not be loaded then)
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.dtypes import DType
from modtf.core.values.tensors import Tensor

__all__ = [
    "fft", "fft2d", "fft3d", "fftnd", "fftshift", "ifft", "ifft2d", "ifft3d", "ifftnd", "ifftshift", "irfft", "irfft2d",
    "irfft3d", "irfftnd", "rfft", "rfft2d", "rfft3d", "rfftnd",
]  # fmt: skip

_WHERE = {1: "the last axis", 2: "the last two axes", 3: "the last three axes"}


def _named(function: Callable[..., Tensor], name: str, doc: str) -> Callable[..., Tensor]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


# ------------------------------------------------------------------------------------------------- complex numbers


def _complex(rank: int, inverse: bool) -> Callable[..., Tensor]:
    suffix = "" if rank == 1 else f"{rank}D"
    op = f"{'I' if inverse else ''}FFT{suffix}"

    def function(input: Any, name: str | None = None) -> Tensor:
        hint = None if hasattr(input, "dtype") else dtypes.complex64
        return getattr(raw, op)(convert_to_tensor(input, dtype_hint=hint), name=name)

    return _named(
        function,
        op.lower(),
        f"""Returns the {"inverse " if inverse else ""}discrete Fourier transform over {_WHERE[rank]}.

    Args:
        input: A complex tensor of rank {rank} or more.
        name: A name for the graph node.

    Returns:
        A tensor of the same shape and dtype{", divided by the number of elements transformed" if inverse else ""}.
    """,
    )


fft, ifft = _complex(1, False), _complex(1, True)
fft2d, ifft2d = _complex(2, False), _complex(2, True)
fft3d, ifft3d = _complex(3, False), _complex(3, True)

# ------------------------------------------------------------------------------------------------- real numbers


def _real_input(input_tensor: Any) -> tuple[Tensor, DType]:
    x = convert_to_tensor(input_tensor, dtype_hint=dtypes.float32)
    if x.dtype not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"RFFT requires tf.float32 or tf.float64 inputs, got: {x.dtype.name}")
    return x, dtypes.complex64 if x.dtype is dtypes.float32 else dtypes.complex128


def _complex_input(input_tensor: Any) -> tuple[Tensor, DType]:
    x = convert_to_tensor(input_tensor, dtype_hint=dtypes.complex64)
    if x.dtype not in (dtypes.complex64, dtypes.complex128):
        raise ValueError(f"IRFFT requires tf.complex64 or tf.complex128 inputs, got: {x.dtype.name}")
    return x, x.dtype.real_dtype


def _lengths(x: Tensor, fft_length: Any, axes: Sequence[int], inverse: bool) -> Any:
    """The lengths over these axes, counted from the back: what is given, or else those of `x`."""
    if fft_length is not None:
        if isinstance(fft_length, (list, tuple)):
            return vector(*fft_length)
        return convert_to_tensor(fft_length, dtype=dtypes.int32)
    sizes = [length_of(x, axis) for axis in axes]
    if inverse and sizes:
        sizes[-1] = maximum(0, 2 * (sizes[-1] - 1))
    return vector(*sizes)


def _known(lengths: Any) -> list[int | None] | None:
    if isinstance(lengths, np.ndarray):
        return [int(length) for length in lengths]
    dims = dims_from_value(lengths)
    return None if dims is None else list(dims)


def _padded(x: Tensor, lengths: Any, axes: Sequence[int], inverse: bool) -> Tensor:
    """The tensor with zeros behind what is shorter than its length."""
    if x.dims is not None and 0 in x.dims:
        return x
    known = _known(lengths)
    if known is not None and len(known) != len(axes):
        return x  # which the op refuses
    lasting = known or [None] * len(axes)
    needed: list[Any] = [lengths[index] if length is None else length for index, length in enumerate(lasting)]
    if inverse and needed:
        needed[-1] = needed[-1] // 2 + 1
    behind: list[Any] = [maximum(0, length - length_of(x, axis)) for axis, length in zip(axes, needed, strict=True)]
    if all(isinstance(item, int) and item == 0 for item in behind):
        return x
    if x.ndim is None:  # the axes are the last
        before = raw.Fill(raw.ExpandDims(raw.Rank(x) - len(axes), np.int32(0)), np.int32(0))
        column = raw.ConcatV2([before, vector(*behind)], np.int32(0))
    else:
        by_axis = dict(zip(axes, behind, strict=True))
        column = convert_to_tensor(vector(*[by_axis.get(axis, 0) for axis in range(-x.ndim, 0)]))
    return raw.Pad(x, raw.Pack([raw.ZerosLike(column), column], axis=1))


def _of_real(rank: int, inverse: bool) -> Callable[..., Tensor]:
    suffix = "" if rank == 1 else f"{rank}D"
    op = f"{'I' if inverse else ''}RFFT{suffix}"
    axes = tuple(range(-rank, 0))

    def function(input_tensor: Any, fft_length: Any = None, name: str | None = None) -> Tensor:
        x, other = (_complex_input if inverse else _real_input)(input_tensor)
        if x.ndim is not None and x.ndim < rank:
            raise ValueError(f"The tensor must have at least rank {rank}, but its shape is {x.shape}.")
        lengths = _lengths(x, fft_length, axes, inverse)
        result = {"Treal" if inverse else "Tcomplex": other}
        return getattr(raw, op)(_padded(x, lengths, axes, inverse), lengths, **result, name=name)

    return _named(
        function,
        op.lower(),
        f"""Returns the {"inverse " if inverse else ""}discrete Fourier transform of real numbers over {_WHERE[rank]}.

    Of their spectrum, which is symmetric, the last axis holds the first half alone: `length // 2 + 1` elements.

    Args:
        input_tensor: {"The spectrum: a complex tensor" if inverse else "A tensor of float32 or float64"} of rank {rank} or more.
        fft_length: {rank} integers, the lengths of the {"result" if inverse else "transform"}; what is longer is cut off,
            what is shorter filled up with zeros. By default {"the last is even, and" if inverse else ""} all is taken.
        name: A name for the graph node.

    Returns:
        {"A tensor of float32 or float64" if inverse else "A complex tensor"}.

    Raises:
        ValueError: The dtype is another, or the rank too low.
    """,
    )


rfft, irfft = _of_real(1, False), _of_real(1, True)
rfft2d, irfft2d = _of_real(2, False), _of_real(2, True)
rfft3d, irfft3d = _of_real(3, False), _of_real(3, True)

# ------------------------------------------------------------------------------------------------- any axes

_NORMS = ("backward", "ortho", "forward")


def _over_axes(real: bool, inverse: bool) -> Callable[..., Tensor]:
    op = f"{'I' if inverse else ''}{'R' if real else ''}FFTND"

    def function(
        input_tensor: Any, fft_length: Any = None, axes: Any = None, norm: str | None = None, name: str | None = None
    ) -> Tensor:
        if norm not in (None, *_NORMS):
            raise ValueError(f"`norm` must be None or one of {', '.join(_NORMS)}, not {norm!r}.")
        result: dict[str, Any] = {}
        if real:
            x, other = (_complex_input if inverse else _real_input)(input_tensor)
            result = {"Treal" if inverse else "Tcomplex": other}
        else:
            x = convert_to_tensor(input_tensor, dtype_hint=dtypes.complex64)
        if x.ndim is None:
            raise ValueError(f"tf.signal.{op.lower()} needs a tensor of known rank; give it one with tf.ensure_shape.")
        chosen = range(x.ndim) if axes is None else np.reshape(_integers(axes), -1).tolist()
        places = [normal_axis(axis, x.ndim) - x.ndim for axis in chosen]
        lengths = _lengths(x, fft_length, places, real and inverse)
        x = _padded(x, lengths, places, real and inverse)
        transformed = getattr(raw, op)(x, lengths, np.array(places, np.int32), **result, name=name)
        return (
            transformed
            if norm in (None, "backward")
            else transformed * _factor(lengths, norm, inverse, transformed.dtype)
        )

    of_what = " of real numbers" if real else ""
    shapes = "halved along the last of the axes" if real and not inverse else "of these lengths"
    return _named(
        function,
        op.lower(),
        f"""Returns the {"inverse " if inverse else ""}discrete Fourier transform{of_what} over some axes.

    Args:
        input_tensor: {"A tensor of float32 or float64" if real and not inverse else "A complex tensor"} of known rank.
        fft_length: As many integers as there are axes: what is longer is cut off, what is shorter filled up with zeros.
        axes: The axes; all of them by default.
        norm: `"backward"` (the default) divides the inverse transform by the number of elements, `"forward"` the other,
            `"ortho"` either by its square root.
        name: A name for the graph node.

    Returns:
        A tensor {shapes}.

    Raises:
        ValueError: `norm` is none of these, the dtype is another, or the rank is unknown.
    """,
    )


def _integers(axes: Any) -> np.ndarray:
    known = constant_value(axes) if isinstance(axes, Tensor) else np.asarray(axes)
    if known is None:
        raise ValueError("`axes` must be known while tracing.")
    return known


def _factor(lengths: Any, norm: str, inverse: bool, dtype: DType) -> Tensor:
    """What makes of a transform that only the inverse divides one with that norm."""
    known = _known(lengths)
    if known is not None and None not in known:
        count: Any = float(math.prod(length for length in known if length is not None))
        factor = count if norm == "forward" else math.sqrt(count)
        return convert_to_tensor(factor if inverse else 1 / factor, dtype=dtype)
    count = raw.Cast(raw.Prod(lengths, np.int32(0)), DstT=dtypes.float64)
    factor = count if norm == "forward" else raw.Sqrt(count)
    return raw.Cast(factor if inverse else raw.Reciprocal(factor), DstT=dtype)


fftnd, ifftnd = _over_axes(False, False), _over_axes(False, True)
rfftnd, irfftnd = _over_axes(True, False), _over_axes(True, True)

# ------------------------------------------------------------------------------------------------- shifting


def _shifted(x: Any, axes: Any, direction: int, name: str | None) -> Tensor:
    tensor = convert_to_tensor(x)
    if axes is None:
        if tensor.ndim is None:
            raise ValueError("Shifting all axes needs a tensor of known rank; give it one with tf.ensure_shape.")
        chosen: Any = np.arange(tensor.ndim, dtype=np.int32)
    else:
        chosen = axes if isinstance(axes, Tensor) else np.asarray(axes, np.int32)
    sizes = sizes_of(tensor)
    if isinstance(sizes, np.ndarray) and isinstance(chosen, np.ndarray):
        shift: Any = direction * (sizes[chosen] // 2)
    else:
        places = raw.FloorMod(convert_to_tensor(chosen), raw.Rank(tensor))
        shift = raw.GatherV2(sizes, places, np.int32(0)) // 2 * direction
    return raw.Roll(tensor, shift, chosen, name=name)


def fftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Returns a spectrum with the frequency zero in the middle rather than at the beginning.

    Args:
        x: A tensor.
        axes: Along which axis, or axes; all of them by default.
        name: A name for the graph node.
    """
    return _shifted(x, axes, 1, name)


def ifftshift(x: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Undoes `fftshift`, with which it differs by one place along axes of odd length; arguments as for that."""
    return _shifted(x, axes, -1, name)
