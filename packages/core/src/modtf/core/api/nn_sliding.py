"""The functions of `tf.nn` that slide windows over their input: convolutions and pooling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.engine import raw
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "atrous_conv2d", "avg_pool", "avg_pool1d", "avg_pool2d", "avg_pool3d", "conv1d", "conv1d_transpose", "conv2d",
    "conv2d_transpose", "conv3d", "conv3d_transpose", "convolution", "depthwise_conv2d", "max_pool", "max_pool1d",
    "max_pool2d", "max_pool3d", "separable_conv2d",
]  # fmt: skip

_FORMATS = {1: ("NWC", "NCW"), 2: ("NHWC", "NCHW"), 3: ("NDHWC", "NCDHW")}


def _format_of(data_format: str | None, dimensions: int) -> str:
    """The layout's full name, channels last by default.

    Raises:
        ValueError: There is no such layout of so many spatial dimensions.
    """
    last, first = _FORMATS[dimensions]
    if data_format is None:
        return last
    if data_format not in (last, first) and not (dimensions == 1 and data_format in _FORMATS[2]):
        raise ValueError(f"`data_format` must be {last!r} or {first!r}. Received: data_format={data_format!r}")
    return first if data_format.startswith("NC") else last


def _for_each_axis(value: Any, data_format: str, name: str) -> list[int]:
    """Spreads a number, one number for each spatial axis, or one for every axis, to one for every axis.

    Raises:
        ValueError: It has another length.
    """
    dimensions = len(data_format) - 2
    if value is None:
        return [1] * len(data_format)
    values = list(value) if hasattr(value, "__len__") else [value]
    if len(values) == len(data_format):
        return values
    if len(values) == 1:
        values = values * dimensions
    if len(values) != dimensions:
        raise ValueError(
            f"{name} should be of length 1, {dimensions} or {dimensions + 2}. "
            f"Received: {name}={value} of length {len(values)}"
        )
    return [1, 1, *values] if data_format.startswith("NC") else [1, *values, 1]


def _padding(padding: Any) -> dict[str, Any]:
    """The attributes that say a padding: by name, or by pairs before and after each axis.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(padding, str):
        return {"padding": padding}
    if isinstance(padding, (list, tuple)) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in padding
    ):
        return {"padding": "EXPLICIT", "explicit_paddings": [int(item) for pair in padding for item in pair]}
    raise ValueError(
        "`padding` must be 'SAME', 'VALID' or a list of pairs [before, after], one for each dimension of the input. "
        f"Received: padding={padding}"
    )


def _over_batches(function: Callable[[Tensor], Tensor], input: Tensor, inner_rank: int) -> Tensor:
    """Calls `function` with all batch dimensions of the input made one, and gives them back to the result."""
    if input.ndim is None or input.ndim == inner_rank + 1:
        return function(input)
    if input.ndim <= inner_rank:
        raise ValueError(f"`input` must have rank at least {inner_rank + 1}. Received: input.shape={input.shape}")
    shape = raw.Shape(input)
    batch = shape[:-inner_rank]
    result = function(raw.Reshape(input, raw.ConcatV2([[-1], shape[-inner_rank:]], 0)))
    return raw.Reshape(result, raw.ConcatV2([batch, raw.Shape(result)[1:]], 0))


# ------------------------------------------------------------------------------------------------- convolutions


def conv2d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolves images with filters (in the strict sense: correlates them; the filters are not turned round).

    Args:
        input: A floating tensor of shape `batch + [height, width, channels]`, or `[batch, channels, height, width]` if
            `data_format` is `"NCHW"`.
        filters: Shaped `[height, width, channels / groups, output channels]`.
        strides: An int, or a list of 1, 2 or 4 ints.
        padding: `"SAME"`, `"VALID"`, or a list of a pair `[before, after]` for each dimension of the input.
        data_format: `"NHWC"` or `"NCHW"`.
        dilations: The distance between a filter's elements: an int, or a list of 1, 2 or 4 ints; 1 by default.
        name: A name for the graph node.

    Returns:
        The output, laid out as the input.

    Raises:
        InvalidArgumentError: The depths do not go together, or the input is smaller than the filter.
    """
    return _convolution(raw.Conv2D, input, filters, strides, _padding(padding), data_format, dilations, name)


def conv1d(
    input: Any,
    filters: Any,
    stride: Any,
    padding: str,
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolves sequences with filters: `conv2d` with a height of 1.

    Args:
        input: A floating tensor of shape `batch + [width, channels]`, or `batch + [channels, width]` for `"NCW"`.
        filters: Shaped `[width, channels / groups, output channels]`.
        stride: An int, or a list of 1 or 3 ints.
        padding: `"SAME"` or `"VALID"`.
        data_format: `"NWC"` or `"NCW"`.
        dilations: An int, or a list of 1 or 3 ints; 1 by default.
        name: A name for the graph node.
    """
    layout = _format_of(data_format, 1)
    axis, layout2d = (-3, "NHWC") if layout == "NWC" else (-2, "NCHW")
    strides, rates = (
        _flat_to_image(_for_each_axis(value, layout, what), layout)
        for value, what in ((stride, "stride"), (dilations, "dilations"))
    )
    images, kernels = raw.ExpandDims(input, axis), raw.ExpandDims(filters, 0)
    result = conv2d(images, kernels, strides, padding, layout2d, rates, name)
    return raw.Squeeze(result, squeeze_dims=[axis])


def _flat_to_image(values: list[int], layout: str) -> list[int]:
    """A number for each axis of sequences as one for each axis of images of height 1."""
    return [values[0], 1, *values[1:]] if layout == "NWC" else [*values[:2], 1, values[2]]


def conv3d(
    input: Any,
    filters: Any,
    strides: Any,
    padding: str,
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolves volumes with filters.

    Args:
        input: A floating tensor of shape `batch + [depth, height, width, channels]`, or for `"NCDHW"` of shape
            `[batch, channels, depth, height, width]`.
        filters: Shaped `[depth, height, width, channels / groups, output channels]`.
        strides: An int, or a list of 1, 3 or 5 ints.
        padding: `"SAME"` or `"VALID"`.
        data_format: `"NDHWC"` or `"NCDHW"`.
        dilations: An int, or a list of 1, 3 or 5 ints; 1 by default.
        name: A name for the graph node.
    """
    return _convolution(raw.Conv3D, input, filters, strides, _padding(padding), data_format, dilations, name)


def _convolution(
    op: Any,
    input: Any,
    filters: Any,
    strides: Any,
    padding: dict[str, Any],
    data_format: str,
    dilations: Any,
    name: Any,
) -> Tensor:
    input = convert_to_tensor(input)
    filters = convert_to_tensor(filters, dtype_hint=input.dtype)
    dimensions = len(op.schema.attrs[op.schema.attr_index["dilations"]].default) - 2
    layout = _format_of(data_format, dimensions)
    attrs = dict(
        strides=_for_each_axis(strides, layout, "strides"),
        dilations=_for_each_axis(dilations, layout, "dilations"),
        data_format=layout,
        **padding,
    )
    return _over_batches(lambda flat: op(flat, filters, name=name, **attrs), input, dimensions + 1)


def convolution(
    input: Any,
    filters: Any,
    strides: Any = None,
    padding: Any = "VALID",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolves in one, two or three dimensions, as the rank of the filters says (3, 4 or 5).

    Args:
        input: Shaped `batch + spatial + [channels]`, or `[batch, channels] + spatial` if `data_format` begins with
            "NC".
        filters: Shaped `spatial + [channels / groups, output channels]`.
        strides: An int, or an int for each spatial dimension; 1 by default.
        padding: `"SAME"`, `"VALID"`, or in two dimensions a list of pairs.
        data_format: Channels last by default.
        dilations: An int, or an int for each spatial dimension; 1 by default.
        name: A name for the graph node.

    Raises:
        ValueError: The filters have another rank.
    """
    filters = convert_to_tensor(filters)
    function = {3: conv1d, 4: conv2d, 5: conv3d}.get(filters.ndim or 0)
    if function is None:
        raise ValueError(f"`filters` must have rank 3, 4 or 5. Received: filters.shape={filters.shape}")
    layout = _format_of(data_format, filters.ndim - 2)
    return function(input, filters, 1 if strides is None else strides, padding, layout, dilations, name)


def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None) -> Tensor:
    """Convolves NHWC images with filters whose elements are `rate` pixels apart: `conv2d` with `dilations=rate`."""
    return conv2d(value, filters, 1, padding, "NHWC", rate, name)


def conv2d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str = "NHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose (the gradient) of `conv2d`, which makes larger images of smaller ones.

    Args:
        input: Shaped `[batch, height, width, channels]`, or `[batch, channels, height, width]` for `"NCHW"`.
        filters: Shaped `[height, width, output channels, channels]`: as for the convolution back.
        output_shape: The output's shape; `conv2d` of it with these arguments must give the shape of `input`.
        strides: An int, or a list of 1, 2 or 4 ints.
        padding: `"SAME"`, `"VALID"` or a list of pairs.
        data_format: `"NHWC"` or `"NCHW"`.
        dilations: An int, or a list of 1, 2 or 4 ints; 1 by default.
        name: A name for the graph node.
    """
    return _transposed(
        raw.Conv2DBackpropInput,
        input,
        filters,
        output_shape,
        strides,
        _padding(padding),
        data_format,
        dilations,
        name,
        2,
    )


def conv1d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv1d`; `conv2d_transpose` with a height of 1.

    Args:
        input: Shaped `[batch, width, channels]`, or `[batch, channels, width]` for `"NCW"`.
        filters: Shaped `[width, output channels, channels]`.
        output_shape: The output's shape, three sizes.
        strides: An int, or a list of 1 or 3 ints.
        padding: `"SAME"` or `"VALID"`.
        data_format: `"NWC"` or `"NCW"`.
        dilations: An int, or a list of 1 or 3 ints; 1 by default.
        name: A name for the graph node.
    """
    layout = _format_of(data_format, 1)
    axis, layout2d = (1, "NHWC") if layout == "NWC" else (2, "NCHW")
    sizes = convert_to_tensor(output_shape)
    strides, rates = (
        _flat_to_image(_for_each_axis(value, layout, what), layout)
        for value, what in ((strides, "strides"), (dilations, "dilations"))
    )
    result = conv2d_transpose(
        raw.ExpandDims(input, axis),
        raw.ExpandDims(filters, 0),
        raw.ConcatV2([sizes[:axis], [1], sizes[axis:]], 0),
        strides,
        padding,
        layout2d,
        rates,
        name,
    )
    return raw.Squeeze(result, squeeze_dims=[axis])


def conv3d_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: str = "SAME",
    data_format: str = "NDHWC",
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `conv3d`; see `conv2d_transpose`."""
    return _transposed(
        raw.Conv3DBackpropInputV2,
        input,
        filters,
        output_shape,
        strides,
        _padding(padding),
        data_format,
        dilations,
        name,
        3,
    )


def _transposed(
    op: Any, input: Any, filters: Any, output_shape: Any, strides: Any, padding: dict[str, Any], data_format: str,
    dilations: Any, name: str | None, dimensions: int,
) -> Tensor:  # fmt: skip
    layout = _format_of(data_format, dimensions)
    return op(
        output_shape,
        filters,
        input,
        strides=_for_each_axis(strides, layout, "strides"),
        dilations=_for_each_axis(dilations, layout, "dilations"),
        data_format=layout,
        name=name,
        **padding,
    )


def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Sequence[int],
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolves each channel with filters of its own.

    Args:
        input: A floating tensor of shape `[batch, height, width, channels]`, or `[batch, channels, height, width]`.
        filter: Shaped `[height, width, channels, multiplier]`.
        strides: 4 ints, one for each dimension of the input.
        padding: `"SAME"`, `"VALID"` or a list of pairs.
        data_format: `"NHWC"` (the default) or `"NCHW"`.
        dilations: 2 ints. If one is greater than 1, the strides must be 1.
        name: A name for the graph node.

    Returns:
        The output with `channels * multiplier` channels, those of one input channel side by side.
    """
    layout = _format_of(data_format, 2)
    input = convert_to_tensor(input)
    filter = convert_to_tensor(filter, dtype_hint=input.dtype)
    where = _padding(padding)
    rates = [1, 1] if dilations is None else [int(rate) for rate in dilations]

    def convolve(x: Tensor, where: dict[str, Any]) -> Tensor:
        return raw.DepthwiseConv2dNative(x, filter, strides=list(strides), data_format=layout, name=name, **where)

    if rates == [1, 1]:
        return convolve(input, where)
    if max(strides) > 1:
        raise ValueError(
            "If a dilation is greater than 1, all strides must be 1. "
            f"Received: dilations={dilations} and strides={strides}"
        )
    return _dilated(convolve, input, filter, where, rates, layout)


def _dilated(
    convolve: Any, x: Tensor, filter: Tensor, padding: dict[str, Any], rates: list[int], layout: str
) -> Tensor:
    """A dilated convolution by space-to-batch, as TensorFlow's CPU kernel needs it."""
    first = layout.index("H")
    spatial = raw.Shape(x)[first : first + 2]
    rate = convert_to_tensor(np.array(rates, np.int32))
    if padding["padding"] == "EXPLICIT":
        pairs = np.reshape(np.array(padding["explicit_paddings"], np.int32), (4, 2))[first : first + 2]
        before, after = (convert_to_tensor(column) for column in pairs.T)
    elif padding["padding"] == "SAME":
        total = (raw.Shape(filter)[:2] - 1) * rate
        before = total // 2
        after = total - before
    else:
        before = after = raw.ZerosLike(rate)
    rest = (-(spatial + before + after)) % rate
    paddings, crops = raw.Pack([before, after + rest], axis=1), raw.Pack([raw.ZerosLike(rest), rest], axis=1)
    if layout == "NCHW":
        nothing = np.zeros((1, 2), np.int32)
        rate = raw.ConcatV2([[1], rate], 0)
        paddings, crops = raw.ConcatV2([nothing, paddings], 0), raw.ConcatV2([nothing, crops], 0)
    gathered = raw.SpaceToBatchND(x, rate, paddings)
    return raw.BatchToSpaceND(convolve(gathered, {"padding": "VALID"}), rate, crops)


def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Sequence[int],
    padding: Any,
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """Convolves each channel with filters of its own, then mixes the channels at each pixel.

    Args:
        input: A floating tensor of shape `[batch, height, width, channels]`, or `[batch, channels, height, width]`.
        depthwise_filter: Shaped `[height, width, channels, multiplier]`.
        pointwise_filter: Shaped `[1, 1, channels * multiplier, output channels]`.
        strides: 4 ints, for the depthwise convolution.
        padding: `"SAME"`, `"VALID"` or a list of pairs.
        data_format: `"NHWC"` (the default) or `"NCHW"`.
        dilations: 2 ints, for the depthwise convolution. If one is greater than 1, the strides must be 1.
        name: A name for the graph node.
    """
    depthwise = depthwise_conv2d(input, depthwise_filter, strides, padding, data_format, dilations)
    return conv2d(depthwise, pointwise_filter, 1, "VALID", _format_of(data_format, 2), None, name)


# ------------------------------------------------------------------------------------------------- pooling


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


def max_pool(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """Returns the largest element under each window, in one, two or three dimensions as the input's rank says.

    Args:
        input: Shaped `[batch] + spatial + [channels]`, or `[batch, channels] + spatial` if `data_format` begins with
            "NC".
        ksize: The windows' size: an int, or an int for each spatial or each dimension of the input.
        strides: From one window to the next: as `ksize`.
        padding: `"SAME"`, `"VALID"`, or in one or two dimensions a list of a pair `[before, after]` for each dimension
            of the input.
        data_format: Channels last by default.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The input is smaller than the windows.
    """
    input = convert_to_tensor(input)
    dimensions = _dimensions_of(input, data_format)
    op = raw.MaxPool3D if dimensions == 3 else raw.MaxPool
    return _pool(op, input, ksize, strides, padding, data_format, name, dimensions)


def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """Returns the largest element under each window of sequences; see `max_pool`."""
    return _pool(raw.MaxPool, input, ksize, strides, padding, data_format, name, 1)


def max_pool2d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """Returns the largest element under each window of images; see `max_pool`."""
    return _pool(raw.MaxPool, input, ksize, strides, padding, data_format, name, 2)


def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """Returns the largest element under each window of volumes; see `max_pool`."""
    return _pool(raw.MaxPool3D, input, ksize, strides, padding, data_format, name, 3)


def avg_pool(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str | None = None, name: str | None = None
) -> Tensor:
    """Returns the mean under each window, padding not counted, in as many dimensions as the input's rank says.

    Args:
        input: Shaped `[batch] + spatial + [channels]`, or `[batch, channels] + spatial` if `data_format` begins with
            "NC".
        ksize: The windows' size: an int, or an int for each spatial or each dimension of the input.
        strides: From one window to the next: as `ksize`.
        padding: `"SAME"` or `"VALID"`.
        data_format: Channels last by default.
        name: A name for the graph node.

    Raises:
        InvalidArgumentError: The input is smaller than the windows.
    """
    input = convert_to_tensor(input)
    dimensions = _dimensions_of(input, data_format)
    op = raw.AvgPool3D if dimensions == 3 else raw.AvgPool
    return _pool(op, input, ksize, strides, padding, data_format, name, dimensions)


def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """Returns the mean under each window of sequences; see `avg_pool`."""
    return _pool(raw.AvgPool, input, ksize, strides, padding, data_format, name, 1)


def avg_pool2d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NHWC", name: str | None = None
) -> Tensor:
    """Returns the mean under each window of images; see `avg_pool`."""
    return _pool(raw.AvgPool, input, ksize, strides, padding, data_format, name, 2)


def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: str, data_format: str = "NDHWC", name: str | None = None
) -> Tensor:
    """Returns the mean under each window of volumes; see `avg_pool`."""
    return _pool(raw.AvgPool3D, input, ksize, strides, padding, data_format, name, 3)
