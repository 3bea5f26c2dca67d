"""Convolutions and their gradients: dense and grouped in two and three dimensions, and depthwise."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from modtf.core.engine import raw
from modtf.core.engine.shape_rules import dims_from_value, merged, with_rank
from modtf.core.engine.vocabulary import Op, register
from modtf.core.ops.narrow_floats import widened
from modtf.core.ops.nn import convolution_kernels as kernels
from modtf.core.ops.nn.windows import Window, check_explicit, counts, lay, whole
from modtf.core.values.shapes import Dims
from modtf.core.values.tensors import Tensor

# ------------------------------------------------------------------------------------------------- geometry


@functools.lru_cache(maxsize=4096)
def convolution_windows(
    input_dims: tuple[int | None, ...],
    filter_dims: tuple[int | None, ...],
    strides: tuple[int, ...],
    padding: str,
    data_format: str,
    dilations: tuple[int, ...],
    explicit_paddings: tuple[int, ...] = (),
) -> tuple[Window, ...]:
    """Returns how a filter lies over the batch axis (trivially) and the spatial axes of an input.

    Args:
        input_dims: The input's sizes, ordered as `data_format` says.
        filter_dims: The filter's sizes, the spatial ones first.
        strides: A stride for each axis of the input.
        padding: `"SAME"`, `"VALID"` or `"EXPLICIT"`.
        data_format: `"NHWC"`, `"NCHW"`, `"NDHWC"` or `"NCDHW"`.
        dilations: A dilation for each axis of the input.
        explicit_paddings: For `"EXPLICIT"`, the padding before and after each axis of the input.

    Raises:
        ValueError: An attribute has the wrong length or value, or the input is too small for the filter.
    """
    rank = len(data_format)
    batch, channels = data_format.index("N"), data_format.index("C")
    for name, values in (("strides", strides), ("dilations", dilations)):
        if len(values) != rank:
            raise ValueError(f"{name} must specify {rank} dimensions ({data_format}), but got {list(values)}")
        if values[batch] != 1 or values[channels] != 1:
            raise ValueError(
                f"{name} in the batch and depth dimensions must be 1, but got {list(values)} for {data_format}"
            )
        if min(values) < 1:
            raise ValueError(f"{name} must be larger than 0, but got {list(values)}")
    check_explicit(padding, explicit_paddings, rank, data_format)
    spatial = [axis for axis in range(rank) if axis not in (batch, channels)]
    return (
        whole(input_dims[batch]),
        *(
            lay(
                input_dims[axis],
                taps_,
                strides[axis],
                dilations[axis],
                padding,
                explicit_paddings[2 * axis : 2 * axis + 2],
            )
            for axis, taps_ in zip(spatial, filter_dims, strict=False)
        ),
    )


def _channels_last(xp: Any, x: Any, data_format: str) -> Any:
    """Returns the array with its channels behind the spatial axes."""
    return x if data_format[-1] == "C" else xp.moveaxis(x, 1, -1)


def _as_format(xp: Any, x: Any, data_format: str) -> Any:
    """Returns a channels-last array ordered as `data_format` says."""
    return x if data_format[-1] == "C" else xp.moveaxis(x, -1, 1)


def _ordered(batch: Any, spatial: tuple[Any, ...], channels: Any, data_format: str) -> tuple[Any, ...]:
    """Returns sizes in the order that `data_format` says."""
    return (batch, *spatial, channels) if data_format[-1] == "C" else (batch, channels, *spatial)


def _sizes(array: np.ndarray) -> tuple[int, ...]:
    """A host input of sizes as a tuple."""
    return tuple(int(size) for size in array)


def _complete_sizes(input_sizes: Any, filter_dims: Any, batch: Any, data_format: str) -> Any:
    """The sizes of an input of which all, or just the spatial ones, are given."""
    if input_sizes is None or len(input_sizes) == len(data_format):
        return input_sizes
    return _ordered(batch, tuple(input_sizes), filter_dims[-2], data_format)


def _check_backprop(windows: tuple[Window, ...], dims: Dims, data_format: str, name: str) -> None:
    """Checks that a gradient has the shape of the output whose gradient it is.

    Raises:
        ValueError: It has not.
    """
    if dims is None:
        return
    spatial = dims[1:-1] if data_format[-1] == "C" else dims[2:]
    for axis, (window, actual) in enumerate(zip(windows, (dims[0], *spatial), strict=True)):
        if window.count is not None and actual is not None and window.count != actual:
            raise ValueError(
                f"{name}: Size of out_backprop doesn't match computed: actual = {actual}, computed = {window.count} "
                f"spatial_dim: {axis} input: {window.size} filter: {window.taps} output: {actual} "
                f"stride: {window.stride} dilation: {window.dilation}"
            )


# ------------------------------------------------------------------------------------------------- the ops


class _Kind(NamedTuple):
    """What tells one family of convolution from another."""

    names: tuple[str, str, str]
    """Of the convolution and of its gradients for the input and for the filter."""
    types: str
    input_sizes: str
    """The dtype of the input's sizes."""
    data_formats: tuple[str, str]
    attrs: str
    """The attributes before `data_format`."""
    depthwise: bool
    convolve: Any
    input_back: Any
    filter_back: Any

    def output_depth(self, depth: int | None, filter_dims: tuple[int | None, ...]) -> int | None:
        """The depth of the output.

        Raises:
            ValueError: The input's depth does not go with the filter's.
        """
        inner, last = filter_dims[-2], filter_dims[-1]
        if self.depthwise:
            if depth is not None and inner is not None and depth != inner:
                raise ValueError(f"input and filter must have the same depth: {depth} vs {inner}")
            known = inner if depth is None else depth
            return None if known is None or last is None else known * last
        if depth is not None and inner is not None:
            if inner == 0 or depth % inner:
                raise ValueError(f"input depth must be evenly divisible by filter depth: {depth} vs {inner}")
            if last is not None and last % (depth // inner):
                raise ValueError(
                    f"output depth must be evenly divisible by number of groups: {last} vs {depth // inner}"
                )
        return last


def _register(kind: _Kind) -> None:
    """Registers a convolution and its two gradients.

    The three are linear in each operand, so that the gradients of any one are the other two.
    """
    forward, back_to_input, back_to_filter = kind.names
    last, rank = kind.data_formats[0], len(kind.data_formats[0])
    attrs = (
        f"*, strides: list(int), {kind.attrs}, data_format: string({'|'.join(kind.data_formats)}) = '{last}', "
        f"dilations: list(int) = {[1] * rank}"
    )
    sizes_dtype = ", Tshape: index = int32" if kind.input_sizes == "Tshape" else ""

    def lie(dims: Any, filter_dims: Any, attrs: dict[str, Any]) -> tuple[Window, ...]:
        for name, given in (("input", dims), ("filter", filter_dims)):
            if len(given) != rank:
                raise ValueError(f"convolution {name} must be {rank}-dimensional: {list(given)}")
        kind.output_depth(dims[attrs["data_format"].index("C")], filter_dims)
        geometry = {name: value for name, value in attrs.items() if name != "use_cudnn_on_gpu"}
        return convolution_windows(tuple(dims), tuple(filter_dims), **geometry)

    def forward_shape(input: Tensor, filter: Tensor, **attrs: Any) -> Dims:
        dims, filter_dims = with_rank(input, rank, "input"), with_rank(filter, rank, "filter")
        data_format = attrs["data_format"]
        windows = lie(dims, filter_dims, attrs)
        depth = kind.output_depth(dims[data_format.index("C")], filter_dims)
        return _ordered(dims[0], counts(windows[1:]), depth, data_format)

    @widened
    def forward_kernel(xp: Any, input: Any, filter: Any, **attrs: Any) -> Any:
        data_format = attrs["data_format"]
        if rank == 4 and 0 in filter.shape and 0 not in input.shape:
            raise ValueError(f"filter must not have axes of length 0; its shape is {list(filter.shape)}")
        windows = lie(input.shape, filter.shape, attrs)
        return _as_format(xp, kind.convolve(xp, _channels_last(xp, input, data_format), filter, windows), data_format)

    def input_shape(input_sizes: Tensor, filter: Tensor, out_backprop: Tensor, **attrs: Any) -> Dims:
        data_format = attrs["data_format"]
        gradient, filter_dims = with_rank(out_backprop, rank, "out_backprop"), with_rank(filter, rank, "filter")
        dims = _complete_sizes(dims_from_value(input_sizes), filter_dims, gradient[0], data_format)
        if dims is None:
            return _ordered(gradient[0], (None,) * (rank - 2), None, data_format)
        _check_backprop(lie(dims, filter_dims, attrs), gradient, data_format, back_to_input)
        return merged(dims, (gradient[0], *(None,) * (rank - 1)))

    @widened
    def input_kernel(xp: Any, input_sizes: np.ndarray, filter: Any, out_backprop: Any, **attrs: Any) -> Any:
        data_format = attrs["data_format"]
        dims = _complete_sizes(_sizes(input_sizes), filter.shape, out_backprop.shape[0], data_format)
        windows = lie(dims, filter.shape, attrs)
        _check_backprop(windows, out_backprop.shape, data_format, back_to_input)
        gradient, depth = _channels_last(xp, out_backprop, data_format), dims[data_format.index("C")]
        return _as_format(xp, kind.input_back(xp, filter, gradient, windows, depth), data_format)

    def filter_shape(input: Tensor, filter_sizes: Tensor, out_backprop: Tensor, **attrs: Any) -> Dims:
        with_rank(input, rank, "input")
        with_rank(out_backprop, rank, "out_backprop")
        return dims_from_value(filter_sizes) or (None,) * rank

    @widened
    def filter_kernel(xp: Any, input: Any, filter_sizes: np.ndarray, out_backprop: Any, **attrs: Any) -> Any:
        data_format, filter_dims = attrs["data_format"], _sizes(filter_sizes)
        if min(filter_dims, default=0) < 0:
            raise ValueError(f"filter_sizes must not be negative: {list(filter_dims)}")
        windows = lie(input.shape, filter_dims, attrs)
        _check_backprop(windows, out_backprop.shape, data_format, back_to_filter)
        channel = data_format.index("C")
        if rank == 5 and filter_dims[-2] != input.shape[channel]:
            raise ValueError(
                f"input and filter_sizes must have the same depth: {input.shape[channel]} vs {filter_dims[-2]}"
            )
        depth, given = kind.output_depth(input.shape[channel], filter_dims), out_backprop.shape[channel]
        if depth != given:
            raise ValueError(f"out_backprop must have the output's depth, {depth}, but has {given}")
        x, gradient = _channels_last(xp, input, data_format), _channels_last(xp, out_backprop, data_format)
        return kind.filter_back(xp, x, gradient, windows, filter_dims)

    convolution = register(
        Op(
            f"{forward}[T: {kind.types}](input: T, filter: T, {attrs}) -> (output: T)",
            kernel=forward_kernel,
            shape=forward_shape,
        )
    )
    to_input = register(
        Op(
            f"{back_to_input}[T: {kind.types}{sizes_dtype}](input_sizes: {kind.input_sizes}, filter: T, "
            f"out_backprop: T, {attrs}) -> (output: T)",
            kernel=input_kernel,
            shape=input_shape,
            host_inputs=("input_sizes",),
        )
    )
    to_filter = register(
        Op(
            f"{back_to_filter}[T: floating](input: T, filter_sizes: int32, out_backprop: T, {attrs}) -> (output: T)",
            kernel=filter_kernel,
            shape=filter_shape,
            host_inputs=("filter_sizes",),
        )
    )

    def same_attrs(call: Any) -> dict[str, Any]:
        return dict(zip(call.op.schema.attr_index, call.attrs, strict=True))

    @convolution.gradient
    def _(call: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        x, filters = call.inputs
        attrs = same_attrs(call)
        return to_input(raw.Shape(x), filters, dy, **attrs), to_filter(x, raw.Shape(filters), dy, **attrs)

    @to_input.gradient
    def _(call: Any, dx: Tensor) -> tuple[None, Tensor, Tensor]:
        _, filters, dy = call.inputs
        attrs = same_attrs(call)
        return None, to_filter(dx, raw.Shape(filters), dy, **attrs), convolution(dx, filters, **attrs)

    @to_filter.gradient
    def _(call: Any, df: Tensor) -> tuple[Tensor, None, Tensor]:
        x, _, dy = call.inputs
        attrs = same_attrs(call)
        return to_input(raw.Shape(x), df, dy, **attrs), None, convolution(x, df, **attrs)


_EXPLICIT = "padding: string(SAME|VALID|EXPLICIT), explicit_paddings: list(int) = []"
_DENSE = (False, kernels.convolve, kernels.input_back, kernels.filter_back)
_register(
    _Kind(
        ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"), "floating|int32", "int32", ("NHWC", "NCHW"),
        f"use_cudnn_on_gpu: bool = True, {_EXPLICIT}", *_DENSE,
    )
)  # fmt: skip
_register(
    _Kind(
        ("Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"), "floating", "Tshape", ("NDHWC", "NCDHW"),
        "padding: string(SAME|VALID)", *_DENSE,
    )
)  # fmt: skip
_register(
    _Kind(
        (
            "DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput", "DepthwiseConv2dNativeBackpropFilter",
        ),
        "floating", "int32", ("NHWC", "NCHW"), _EXPLICIT, True,
        kernels.convolve_depthwise, kernels.depthwise_input_back, kernels.depthwise_filter_back,
    )
)  # fmt: skip
