"""The functions of `tf.nn` that convolve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modtf.core.api.arguments import host
from modtf.core.engine import raw
from modtf.core.values import dtypes
from modtf.core.values.conversion import convert_to_tensor
from modtf.core.values.tensors import Tensor

__all__ = [
    "atrous_conv2d",
    "atrous_conv2d_transpose",
    "conv1d",
    "conv1d_transpose",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "conv_transpose",
    "convolution",
    "depth_to_space",
    "depthwise_conv2d",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "separable_conv2d",
    "space_to_depth",
    "with_space_to_batch",
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


_INPUTS = {
    2: '`batch + [height, width, channels]`, or of shape\n            `[batch, channels, height, width]` for `"NCHW"`',
    3: "`batch + [depth, height, width, channels]`, or of shape\n            "
    '`[batch, channels, depth, height, width]` for `"NCDHW"`',
}
_WINDOWS = {2: "height, width", 3: "depth, height, width"}
_PADDINGS = {2: '`"SAME"`, `"VALID"` or a list of a pair `[before, after]` for each dimension of the input',
             3: '`"SAME"` or `"VALID"`'}  # fmt: skip


def _convolving(dimensions: int, op: str) -> Callable[..., Tensor]:
    """The function that convolves in two or three dimensions."""
    last, first = _FORMATS[dimensions]

    def function(
        input: Any,
        filters: Any,
        strides: Any,
        padding: Any,
        data_format: str = last,
        dilations: Any = None,
        name: str | None = None,
    ) -> Tensor:
        return _convolution(getattr(raw, op), input, filters, strides, _padding(padding), data_format, dilations, name)

    function.__name__ = function.__qualname__ = f"conv{dimensions}d"
    function.__doc__ = f"""Convolves with filters (in the strict sense: correlates; the filters are not turned round).

    Args:
        input: A floating tensor of shape {_INPUTS[dimensions]}.
        filters: Shaped `[{_WINDOWS[dimensions]}, channels / groups, output channels]`.
        strides: An int, or a list of 1, {dimensions} or {dimensions + 2} ints.
        padding: {_PADDINGS[dimensions]}.
        data_format: `"{last}"` or `"{first}"`.
        dilations: The distance between a filter's elements: an int, or a list of 1, {dimensions} or {dimensions + 2} ints; 1 by
            default.
        name: A name for the graph node.

    Returns:
        The output, laid out as the input.

    Raises:
        InvalidArgumentError: The depths do not go together, or the input is smaller than the filter.
    """
    return function


conv2d = _convolving(2, "Conv2D")
conv3d = _convolving(3, "Conv3D")


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


def _transposing(dimensions: int, op: str) -> Callable[..., Tensor]:
    """The function that transposes convolutions in two or three dimensions."""
    last, first = _FORMATS[dimensions]

    def function(
        input: Any,
        filters: Any,
        output_shape: Any,
        strides: Any,
        padding: Any = "SAME",
        data_format: str = last,
        dilations: Any = None,
        name: str | None = None,
    ) -> Tensor:
        layout = _format_of(data_format, dimensions)
        return getattr(raw, op)(
            output_shape,
            filters,
            input,
            strides=_for_each_axis(strides, layout, "strides"),
            dilations=_for_each_axis(dilations, layout, "dilations"),
            data_format=layout,
            name=name,
            **_padding(padding),
        )

    window, forward = _WINDOWS[dimensions], f"conv{dimensions}d"
    function.__name__ = function.__qualname__ = f"{forward}_transpose"
    function.__doc__ = f"""The transpose (the gradient) of `{forward}`, which makes larger tensors of smaller ones.

    Args:
        input: Shaped `[batch, {window}, channels]`, or `[batch, channels, {window}]` for `"{first}"`.
        filters: Shaped `[{window}, output channels, channels]`: as for the convolution back.
        output_shape: The output's shape; `{forward}` of it with these arguments must give the shape of `input`.
        strides: An int, or a list of 1, {dimensions} or {dimensions + 2} ints.
        padding: {_PADDINGS[dimensions]}.
        data_format: `"{last}"` or `"{first}"`.
        dilations: An int, or a list of 1, {dimensions} or {dimensions + 2} ints; 1 by default.
        name: A name for the graph node.
    """
    return function


conv2d_transpose = _transposing(2, "Conv2DBackpropInput")
conv3d_transpose = _transposing(3, "Conv3DBackpropInputV2")


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


def conv_transpose(
    input: Any,
    filters: Any,
    output_shape: Any,
    strides: Any,
    padding: Any = "SAME",
    data_format: str | None = None,
    dilations: Any = None,
    name: str | None = None,
) -> Tensor:
    """The transpose of `convolution`, in as many dimensions as `output_shape` has sizes less two (1, 2 or 3).

    The arguments are those of `conv1d_transpose`, `conv2d_transpose` and `conv3d_transpose`.

    Raises:
        ValueError: `output_shape` has another length.
    """
    sizes = convert_to_tensor(output_shape)
    length = sizes.dims[0] if sizes.dims else None
    function = {3: conv1d_transpose, 4: conv2d_transpose, 5: conv3d_transpose}.get(length or 0)
    if function is None:
        raise ValueError(f"`output_shape` must hold 3, 4 or 5 sizes. Received: output_shape={output_shape}")
    layout = _format_of(data_format, length - 2)  # type: ignore[operator]
    return function(input, filters, sizes, strides, padding, layout, dilations, name)


def atrous_conv2d_transpose(
    value: Any, filters: Any, output_shape: Any, rate: int, padding: str, name: str | None = None
) -> Tensor:
    """The transpose of `atrous_conv2d`: `conv2d_transpose` with strides of 1 and `dilations=rate`."""
    return conv2d_transpose(value, filters, output_shape, 1, padding, "NHWC", rate, name)


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
    around = where["padding"]
    if around == "EXPLICIT":
        around = np.reshape(where["explicit_paddings"], (4, 2)).tolist()
    return with_space_to_batch(
        input,
        rates,
        around,
        lambda x, dimensions, padding: convolve(x, {"padding": padding}),
        filter_shape=raw.Shape(filter)[:2],
        data_format=layout,
    )


def depthwise_conv2d_backprop_input(
    input_sizes: Any, filter: Any, out_backprop: Any, strides: Sequence[int], padding: Any, data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """The gradient of `depthwise_conv2d` with respect to its input.

    Args:
        input_sizes: The input's shape, 4 sizes.
        filter: The filter, shaped `[height, width, channels, multiplier]`.
        out_backprop: The gradient of the output.
        strides: 4 ints, as of the convolution.
        padding: `"SAME"`, `"VALID"` or a list of pairs.
        data_format: `"NHWC"` or `"NCHW"`.
        dilations: 4 ints.
        name: A name for the graph node.
    """
    attrs = dict(strides=list(strides), data_format=data_format, dilations=list(dilations), **_padding(padding))
    return raw.DepthwiseConv2dNativeBackpropInput(host(input_sizes), filter, out_backprop, name=name, **attrs)


def depthwise_conv2d_backprop_filter(
    input: Any, filter_sizes: Any, out_backprop: Any, strides: Sequence[int], padding: Any, data_format: str = "NHWC",
    dilations: Sequence[int] = (1, 1, 1, 1), name: str | None = None,
) -> Tensor:  # fmt: skip
    """The gradient of `depthwise_conv2d` with respect to its filter, of the 4 sizes `filter_sizes`.

    The other arguments are those of `depthwise_conv2d_backprop_input`.
    """
    attrs = dict(strides=list(strides), data_format=data_format, dilations=list(dilations), **_padding(padding))
    return raw.DepthwiseConv2dNativeBackpropFilter(input, host(filter_sizes), out_backprop, name=name, **attrs)


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


# ------------------------------------------------------------------------------------------------- blocks


def space_to_depth(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """Lays the pixels of each block of images along the channels.

    Args:
        input: Shaped `[batch, height, width, channels]`, or `[batch, channels, height, width]`.
        block_size: The blocks' height and width, which divide those of the images.
        data_format: `"NHWC"` or `"NCHW"`.
        name: A name for the graph node.
    """
    return raw.SpaceToDepth(input, block_size=block_size, data_format=data_format, name=name)


def depth_to_space(input: Any, block_size: int, data_format: str = "NHWC", name: str | None = None) -> Tensor:
    """Lays channels out as blocks of pixels: the inverse of `space_to_depth`, with its arguments."""
    return raw.DepthToSpace(input, block_size=block_size, data_format=data_format, name=name)


# ------------------------------------------------------------------------------------------------- dilation by batches


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Works out how far to pad so that blocks divide the sizes.

    Args:
        input_shape: N sizes, int32.
        block_shape: N block sizes, int32.
        base_paddings: The paddings that there are to be at least, before and after: `[N, 2]`; none by default.
        name: Unused; kept for its place.

    Returns:
        The paddings for `tf.space_to_batch` and the crops for `tf.batch_to_space`, both `[N, 2]`. All but the padding
        behind are as given.
    """
    sizes, blocks = convert_to_tensor(host(input_shape)), convert_to_tensor(host(block_shape))
    if base_paddings is None:
        before = after = raw.ZerosLike(sizes)
    else:
        before, after = raw.Unpack(convert_to_tensor(host(base_paddings)), num=2, axis=1)
    rest = raw.FloorMod(-(sizes + before + after), blocks)
    return raw.Pack([before, after + rest], axis=1), raw.Pack([raw.ZerosLike(rest), rest], axis=1)


def with_space_to_batch(
    input: Any,
    dilation_rate: Any,
    padding: Any,
    op: Callable[[Tensor, int, str], Tensor],
    filter_shape: Any = None,
    spatial_dims: Sequence[int] | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Makes an operation that slides windows a dilated one: elements `dilation_rate` apart become batches of their own.

    Args:
        input: A tensor of rank N + 2 or more.
        dilation_rate: N ints of at least 1.
        padding: `"VALID"`, `"SAME"`, or a list of a pair `[before, after]` for each dimension of the input.
        op: From a tensor, the number N and a padding to the result. It is given `padding` if all rates are 1, and
            `"VALID"` of the padded batches otherwise.
        filter_shape: The N sizes of the windows, for `"SAME"`.
        spatial_dims: The N ascending axes that the windows slide over; the first behind the batch by default.
        data_format: If it begins with "NC", the channels are axis 1 and the spatial axes begin behind.

    Raises:
        ValueError: The arguments do not go together.
    """
    x = convert_to_tensor(input)
    rates = [int(rate) for rate in np.asarray(dilation_rate).reshape(-1)]
    if min(rates, default=1) < 1:
        raise ValueError(f"`dilation_rate` must be positive. Received: dilation_rate={dilation_rate}")
    if spatial_dims is None:
        first = 2 if data_format is not None and data_format.startswith("NC") else 1
        spatial_dims = range(first, first + len(rates))
    axes = list(spatial_dims)
    if len(axes) != len(rates) or axes != sorted(set(axes)) or axes[:1] == [0]:
        raise ValueError(f"`spatial_dims` must be {len(rates)} ascending axes from 1 up. Received: {axes}")
    if all(rate == 1 for rate in rates):
        return op(x, len(rates), padding)
    rate = convert_to_tensor(np.array(rates, np.int32))
    if isinstance(padding, str):
        base: Any = raw.Fill([len(rates), 2], 0)
        if padding == "SAME":
            if filter_shape is None:
                raise ValueError("`filter_shape` must be given for the padding 'SAME'.")
            total = (raw.Cast(convert_to_tensor(filter_shape), DstT=dtypes.int32) - 1) * rate
            base = raw.Pack([total // 2, total - total // 2], axis=1)
    else:
        pairs = np.array(padding, np.int32)
        if x.ndim is None or pairs.shape != (x.ndim, 2):
            raise ValueError(f"`padding` must hold a pair for each dimension of the input. Received: padding={padding}")
        base = convert_to_tensor(pairs[axes])
    shape = raw.Shape(x)
    spatial = raw.GatherV2(shape, axes, 0)
    paddings, crops = required_space_to_batch_paddings(spatial, rate, base)
    if axes != list(range(1, len(axes) + 1)):  # the axes between, such as the channels, have blocks of 1
        places = [[axis - 1] for axis in axes]
        rate = raw.TensorScatterUpdate(raw.Fill([axes[-1]], 1), places, rate)
        paddings, crops = (
            raw.TensorScatterUpdate(raw.Fill([axes[-1], 2], 0), places, pairs) for pairs in (paddings, crops)
        )
    return raw.BatchToSpaceND(op(raw.SpaceToBatchND(x, rate, paddings), len(rates), "VALID"), rate, crops)
