"""The functions of `tf.nn` that pool: what is greatest, least or the mean under each window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.nn.sliding import _flat_to_image, _for_each_axis, _format_of, _padding, with_space_to_batch
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d", "dilation2d", "erosion2d", "fractional_avg_pool",
    "fractional_max_pool", "max_pool", "max_pool1d", "max_pool2d", "max_pool3d", "max_pool_with_argmax", "pool",
]  # fmt: skip


def _pool(
    op: Any,
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None,
    name: str | None,
    dimensions: int,
) -> Tensor:
    layout = _format_of(data_format, dimensions)
    sizes, steps = _for_each_axis(ksize, layout, "ksize"), _for_each_axis(strides, layout, "strides")
    where = _padding(padding)
    input = convert_to_tensor(input)
    if dimensions == 1:
        axis, layout2d = (1, "NHWC") if layout == "NWC" else (2, "NCHW")
        if "explicit_paddings" in where:
            pairs = where["explicit_paddings"]
            where["explicit_paddings"] = [*pairs[: 2 * axis], 0, 0, *pairs[2 * axis :]]
        images = raw.ExpandDims(input, axis)
        sizes, steps = _flat_to_image(sizes, layout), _flat_to_image(steps, layout)
        result = op(images, ksize=sizes, strides=steps, data_format=layout2d, name=name, **where)
        return raw.Squeeze(result, squeeze_dims=[axis])
    return op(input, ksize=sizes, strides=steps, data_format=layout, name=name, **where)


def _dimensions_of(input: Tensor, data_format: str | None) -> int:
    if input.ndim is None and data_format is None:
        raise ValueError("`input` must have a known rank, or `data_format` must be given.")
    dimensions = (len(data_format or "") if input.ndim is None else input.ndim) - 2
    if not 1 <= dimensions <= 3:
        raise ValueError(f"`input` must have rank 3, 4 or 5. Received: input.shape={input.shape}")
    return dimensions


_KINDS = {
    "max": ("the largest element under each window", ("MaxPool", "MaxPool", "MaxPool3D")),
    "avg": ("the mean under each window, padding not counted", ("AvgPool", "AvgPool", "AvgPool3D")),
}
_THINGS = {1: ("sequences", "NWC"), 2: ("images", "NHWC"), 3: ("volumes", "NDHWC")}


def _pooling(kind: str) -> Callable[..., Tensor]:
    """The function that pools in as many dimensions as its input has."""
    what, ops = _KINDS[kind]

    def function(
        input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
    ) -> Tensor:
        input = convert_to_tensor(input)
        dimensions = _dimensions_of(input, data_format)
        op = getattr(raw, ops[dimensions - 1])
        return _pool(op, input, ksize, strides, padding, data_format, name, dimensions)

    explicit = (
        ", or in one or two dimensions a list of a pair\n            `[before, after]` for each dimension of the input"
    )
    function.__name__ = function.__qualname__ = f"{kind}_pool"
    function.__doc__ = f"""Returns {what}, in one, two or three dimensions as the input's rank says.

    Args:
        input: Shaped `[batch] + spatial + [channels]`, or `[batch, channels] + spatial` if `data_format` begins with
            "NC".
        ksize: The windows' size: an int, or an int for each spatial or each dimension of the input.
        strides: From one window to the next: as `ksize`.
        padding: `"SAME"` or `"VALID"`{explicit if kind == "max" else ""}.
        data_format: Channels last by default.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The input is smaller than the windows.
    """
    return function


def _pooling_in(kind: str, dimensions: int) -> Callable[..., Tensor]:
    """The function that pools in a given number of dimensions."""
    what, ops = _KINDS[kind]
    things, layout = _THINGS[dimensions]

    def function(
        input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = layout, name: str | None = None
    ) -> Tensor:
        return _pool(getattr(raw, ops[dimensions - 1]), input, ksize, strides, padding, data_format, name, dimensions)

    function.__name__ = function.__qualname__ = f"{kind}_pool{dimensions}d"
    function.__doc__ = f"Returns {what} of {things}; see `{kind}_pool`."
    return function


max_pool, avg_pool = _pooling("max"), _pooling("avg")
max_pool1d, max_pool2d, max_pool3d = (_pooling_in("max", dimensions) for dimensions in (1, 2, 3))
avg_pool1d, avg_pool2d, avg_pool3d = (_pooling_in("avg", dimensions) for dimensions in (1, 2, 3))


def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Pools in one, two or three dimensions, with windows that may have holes.

    Args:
        input: Shaped `[batch] + spatial + [channels]`, or `[batch, channels] + spatial` if `data_format` begins with
            "NC".
        window_shape: The windows' size, an int for each spatial dimension.
        pooling_type: `"MAX"` or `"AVG"`.
        strides: An int for each spatial dimension; 1 by default.
        padding: `"SAME"` or `"VALID"`.
        data_format: Channels last by default.
        dilations: The distance between a window's elements, an int for each spatial dimension; 1 by default. If one is
            greater than 1, the strides must be 1 and the padding `"VALID"`.
        name: A name for the graph node.

    Raises:
        ValueError: The arguments do not go together.
    """
    if pooling_type not in ("MAX", "AVG"):
        raise ValueError(f"`pooling_type` must be 'MAX' or 'AVG'. Received: pooling_type={pooling_type!r}")
    sizes = [int(size) for size in window_shape]
    steps = [1] * len(sizes) if strides is None else [int(step) for step in strides]
    rates = [1] * len(sizes) if dilations is None else [int(rate) for rate in dilations]
    if not 1 <= len(sizes) <= 3 or not len(sizes) == len(steps) == len(rates):
        raise ValueError(
            "`window_shape`, `strides` and `dilations` must have 1, 2 or 3 elements, one for each spatial dimension. "
            f"Received: {window_shape}, {strides}, {dilations}"
        )
    if max(steps) > 1 and max(rates) > 1:
        raise ValueError(
            f"`strides` > 1 not supported in conjunction with `dilations` > 1. Received: {strides}, {dilations}"
        )
    if max(rates) > 1 and padding == "SAME":
        raise ValueError(
            f"pooling with 'SAME' padding is not implemented for `dilations` > 1. Received: dilations={rates}"
        )
    function = {"MAX": max_pool, "AVG": avg_pool}[pooling_type]

    def pooled(x: Tensor, dimensions: int, padding: Any) -> Tensor:
        return function(x, sizes, steps, padding, data_format, name)

    return with_space_to_batch(input, rates, padding, pooled, filter_shape=sizes, data_format=data_format)


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    output_dtype: Any = dtypes.int64,
    include_batch_in_index: bool = False,
    name: str | None = None,
) -> Any:
    """Returns the largest element under each window of images, and where it is.

    Args:
        input: Shaped `[batch, height, width, channels]`.
        ksize: The windows' size: an int, or a list of 1, 2 or 4 ints.
        strides: From one window to the next: as `ksize`.
        padding: `"SAME"` or `"VALID"`.
        data_format: `"NHWC"`, the only one.
        output_dtype: The dtype of the positions, int32 or int64.
        include_batch_in_index: Whether positions are counted through the whole batch.
        name: A name for the graph node.

    Returns:
        A named tuple of `output` and `argmax`, both shaped as the pooled images. A position is
        `(y * width + x) * channels + channel`, of equal elements that of the first.

    Raises:
        ValueError: `data_format` is another.
    """
    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other than 'NHWC' are not supported. Received: {data_format}")
    return raw.MaxPoolWithArgmax(
        input, ksize=_for_each_axis(ksize, "NHWC", "ksize"), strides=_for_each_axis(strides, "NHWC", "strides"),
        padding=padding, Targmax=output_dtype, include_batch_in_index=include_batch_in_index, name=name,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- morphology


def dilation2d(
    input: Any, filters: Any, strides: Sequence[int], padding: str, data_format: str, dilations: Sequence[int],
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Dilates images: the maximum under each window of the image plus a structuring function of its own per channel.

    Args:
        input: Shaped `[batch, height, width, channels]`, of real numbers.
        filters: Shaped `[height, width, channels]`.
        strides: 4 ints, the first and last of them 1.
        padding: `"SAME"` or `"VALID"`.
        data_format: `"NHWC"`, the only one.
        dilations: 4 ints, the first and last of them 1: the distance between a window's elements.
        name: A name for the graph node.

    Raises:
        ValueError: `data_format` is another.
    """
    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other than 'NHWC' are not supported. Received: {data_format}")
    return raw.Dilation2D(input, filters, strides=list(strides), rates=list(dilations), padding=padding, name=name)


def erosion2d(
    value: Any, filters: Any, strides: Sequence[int], padding: str, data_format: str, dilations: Sequence[int],
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Erodes images: the minimum under each window of the image less the mirrored function; see `dilation2d`."""
    mirrored = raw.ReverseV2(filters, np.array([0, 1], np.int32))
    return raw.Neg(dilation2d(-convert_to_tensor(value), mirrored, strides, padding, data_format, dilations), name=name)


# ------------------------------------------------------------------------------------------------- random windows


def _fractional(kind: str) -> Callable[..., Any]:
    def function(
        value: Any, pooling_ratio: Any, pseudo_random: bool = False, overlapping: bool = False, seed: int = 0,
        name: str | None = None,
    ) -> Any:  # fmt: skip
        from modtf.core.api.random import op_seeds

        ratios = [float(ratio) for ratio in (pooling_ratio if hasattr(pooling_ratio, "__len__") else [pooling_ratio])]
        if len(ratios) == 1:
            ratios = ratios * 2
        if len(ratios) == 2:
            ratios = [1.0, *ratios, 1.0]
        seeds = {"deterministic": True, **op_seeds(seed)} if seed else {}
        return getattr(raw, op)(
            value, pooling_ratio=ratios, pseudo_random=pseudo_random, overlapping=overlapping, name=name, **seeds
        )

    op = f"Fractional{kind.capitalize()}Pool"
    function.__name__ = function.__qualname__ = f"fractional_{kind}_pool"
    function.__doc__ = f"""Pools images by windows of varying size, chosen at random (B. Graham, 2014).

    Args:
        value: Shaped `[batch, height, width, channels]`.
        pooling_ratio: How much smaller the result is: a number, or one each for height and width, or for all 4 axes
            with 1 for the batch and the channels.
        pseudo_random: Whether the windows' sizes vary evenly, rather than in any order.
        overlapping: Whether neighbouring windows share the row or column between them.
        seed: If not 0, the same windows are chosen at each call.
        name: A name for the graph node.

    Returns:
        A named tuple of `output` ({_KINDS[kind][0]}), `row_pooling_sequence` and `col_pooling_sequence`: where the
        windows begin and the last one ends, int64.
    """
    return function


fractional_max_pool, fractional_avg_pool = _fractional("max"), _fractional("avg")
