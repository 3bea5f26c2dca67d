"""What neural networks are made of: convolutions, pooling, normalisation, losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, NUMBERS, Given, i32, i64, some

_WIDE = "float64 float32"

for _name in ("BiasAdd", "BiasAddV1"):
    case(_name, some(2, 2, 3), some(3), dtypes=NUMBERS)
    mistake(_name, some(2, 3), some(2))
case("BiasAdd", some(2, 3, 2, 2), some(3), dtypes=_WIDE, data_format="NCHW")
case("BiasAddGrad", some(2, 2, 3), dtypes=FLOATS)
case("BiasAddGrad", some(2, 3, 2, 2), dtypes=_WIDE, data_format="NCHW")
case("L2Loss", some(2, 3), dtypes=FLOATS)
for _name in ("Softmax", "LogSoftmax"):
    case(_name, some(2, 5, low=-9, high=9), dtypes=FLOATS, tolerance=2)
    case(_name, some(2, 2, 3), dtypes=_WIDE)
    case(_name, some(2, 0), dtypes="float32", smooth=False)
# The labels' gradient is left out: TensorFlow gives one, but no second one.
case("SoftmaxCrossEntropyWithLogits", some(3, 4), some(3, 4, low=0, high=1), dtypes=FLOATS, smooth=False)
mistake("SoftmaxCrossEntropyWithLogits", some(3, 4), some(3, 5))
case("SoftmaxCrossEntropyWithLogits", some(3, 1), some(3, 4, low=0, high=1), dtypes=FLOATS, smooth=False, orders=0)
case("SoftmaxCrossEntropyWithLogits", some(3, 0), some(3, 0), dtypes="float32", smooth=False)
case("SparseSoftmaxCrossEntropyWithLogits", some(3, 4), i64([0, 3, 1]), dtypes=FLOATS, smooth=False)
mistake("SparseSoftmaxCrossEntropyWithLogits", some(3, 4), i64([0, 1]))
mistake("SparseSoftmaxCrossEntropyWithLogits", some(3, 4), i64([0, 1, 4]), told_by="values")

# ------------------------------------------------------------------------------------------------- convolutions

# shape of the image, of the filter, attributes
_CONV2D: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 5, 4, 2), (3, 2, 2, 3), {"strides": [1, 1, 1, 1], "padding": "SAME"}),
    ((1, 6, 5, 2), (3, 3, 2, 2), {"strides": [1, 2, 2, 1], "padding": "VALID"}),
    ((1, 6, 5, 2), (3, 3, 2, 2), {"strides": [1, 2, 2, 1], "padding": "SAME"}),
    ((1, 7, 6, 1), (2, 2, 1, 2), {"strides": [1, 1, 1, 1], "padding": "SAME", "dilations": [1, 2, 2, 1]}),
    (
        (1, 4, 4, 2),
        (3, 3, 2, 2),
        {"strides": [1, 2, 1, 1], "padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 0, 2, 1, 0, 0]},
    ),
    ((1, 4, 4, 4), (2, 2, 2, 4), {"strides": [1, 1, 1, 1], "padding": "VALID"}),  # two groups
    ((2, 4, 3, 3), (1, 1, 3, 2), {"strides": [1, 1, 1, 1], "padding": "VALID"}),
]
_DEPTHWISE: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 5, 4, 2), (3, 2, 2, 2), {"strides": [1, 1, 1, 1], "padding": "SAME"}),
    ((1, 6, 6, 3), (3, 3, 3, 1), {"strides": [1, 2, 2, 1], "padding": "SAME"}),
]
_CONV3D: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((1, 3, 4, 3, 2), (2, 2, 2, 2, 2), {"strides": [1, 1, 1, 1, 1], "padding": "SAME"}),
    ((1, 4, 4, 5, 1), (2, 3, 2, 1, 2), {"strides": [1, 2, 1, 2, 1], "padding": "VALID"}),
]


def _out(size: int, window: int, stride: int, dilation: int, padding: str, explicit: tuple[int, int]) -> int:
    """How many places a window takes along an axis."""
    if padding == "SAME":
        return -(-size // stride)
    return (size + sum(explicit) - (window - 1) * dilation - 1) // stride + 1


def _conv_shape(
    image: tuple[int, ...], window: tuple[int, ...], channels: int, attrs: dict[str, Any]
) -> tuple[int, ...]:
    rank = len(image)
    explicit = attrs.get("explicit_paddings", [0] * (2 * rank))
    dilations = attrs.get("dilations", [1] * rank)
    places = [
        _out(
            image[i],
            window[i - 1],
            attrs["strides"][i],
            dilations[i],
            attrs["padding"],
            tuple(explicit[2 * i : 2 * i + 2]),
        )
        for i in range(1, rank - 1)
    ]
    return (image[0], *places, channels)


def _convolutions(
    name: str, backward: tuple[str, str], table: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]]
) -> None:
    of_filter, of_input = backward
    for index, (image, window, attrs) in enumerate(table):
        channels = window[-1] * (image[-1] if name.startswith("Depthwise") else 1)
        out = some(*_conv_shape(image, window, channels, attrs))
        dtypes = FLOATS if index == 0 else "float64 float32" if index < 3 else "float32 float64"
        case(name, some(*image), some(*window), dtypes=dtypes, tolerance=4, **attrs)
        if "dilations" in attrs or image[-1] != window[-2]:
            continue  # TensorFlow has no such gradients on a CPU; finite differences judge ours of the convolution
        case(of_filter, some(*image), i32(window), out, dtypes=dtypes, tolerance=4, **attrs)
        case(of_input, i32(image), some(*window), out, dtypes=dtypes, tolerance=4, **attrs)


_convolutions("Conv2D", ("Conv2DBackpropFilter", "Conv2DBackpropInput"), _CONV2D)
_convolutions(
    "DepthwiseConv2dNative",
    ("DepthwiseConv2dNativeBackpropFilter", "DepthwiseConv2dNativeBackpropInput"),
    _DEPTHWISE,
)
_convolutions("Conv3D", ("Conv3DBackpropFilterV2", "Conv3DBackpropInputV2"), _CONV3D)
mistake("Conv2D", some(1, 5, 5, 2), some(3, 3, 3, 2), strides=[1, 1, 1, 1], padding="SAME")
mistake("Conv2D", some(5, 5, 2), some(3, 3, 2, 2), strides=[1, 1, 1, 1], padding="SAME")
mistake("DepthwiseConv2dNative", some(1, 5, 5, 2), some(3, 3, 3, 1), strides=[1, 1, 1, 1], padding="SAME")
mistake(
    "DepthwiseConv2dNativeBackpropFilter", some(1, 5, 5, 2), i32([3, 3, 2, 2]), some(1, 5, 5, 1), told_by="arguments",
    strides=[1, 1, 1, 1], padding="SAME",
)  # fmt: skip
mistake(
    "Conv3DBackpropFilterV2", some(1, 3, 3, 3, 2), i32([2, 2, 2, 1, 2]), some(1, 3, 3, 3, 2), told_by="arguments",
    strides=[1, 1, 1, 1, 1], padding="SAME",
)  # fmt: skip

# ------------------------------------------------------------------------------------------------- pooling

_POOL2D: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 4, 5, 2), {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}),
    ((1, 5, 5, 1), {"ksize": [1, 3, 2, 1], "strides": [1, 1, 2, 1], "padding": "VALID"}),
]
_POOL3D: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((1, 3, 4, 4, 2), {"ksize": [1, 2, 2, 2, 1], "strides": [1, 1, 2, 2, 1], "padding": "SAME"}),
]
for _dims, _table in (("", _POOL2D), ("3D", _POOL3D)):
    for _index, (_image, _attrs) in enumerate(_table):
        _places = [
            _out(_image[i], _attrs["ksize"][i], _attrs["strides"][i], 1, _attrs["padding"], (0, 0))
            for i in range(1, len(_image) - 1)
        ]
        _result = (_image[0], *_places, _image[-1])
        _dtypes = "float32 bfloat16" if _dims else FLOATS
        case(f"AvgPool{_dims}", some(*_image), dtypes=_dtypes, **_attrs)
        case(f"AvgPool{_dims}Grad", i32(_image), some(*_result), dtypes=_dtypes, **_attrs)
        _dtypes = _dtypes if _dims else f"{_dtypes} int32"
        case(f"MaxPool{_dims}", some(*_image, low=-9, high=9), dtypes=_dtypes, **_attrs)
mistake("MaxPool", some(4, 5, 2), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")

# The greatest of each window, which the gradients need: of whole windows side by side, a maximum over axes.
_PIXELS = some(1, 4, 4, 2, low=-9, high=9).array("float64", 0)
_VOXELS = some(1, 2, 4, 4, 1, low=-9, high=9).array("float64", 0)
_WINDOWS = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}
_BLOCKS = {"ksize": [1, 2, 2, 2, 1], "strides": [1, 2, 2, 2, 1], "padding": "SAME"}
_GREATEST = _PIXELS.reshape(1, 2, 2, 2, 2, 2).max(axis=(2, 4))
_GREATEST_3D = _VOXELS.reshape(1, 1, 2, 2, 2, 2, 2, 1).max(axis=(2, 4, 6))
case("MaxPoolGrad", Given(_PIXELS), Given(_GREATEST), some(1, 2, 2, 2), dtypes=f"{FLOATS} int32", **_WINDOWS)
case("MaxPoolGradGrad", Given(_PIXELS), Given(_GREATEST), some(1, 4, 4, 2), dtypes="float64 float32", **_WINDOWS)
case("MaxPool3DGrad", Given(_VOXELS), Given(_GREATEST_3D), some(1, 1, 2, 2, 1), dtypes="float32 bfloat16", **_BLOCKS)
case("MaxPool3DGradGrad", Given(_VOXELS), Given(_GREATEST_3D), some(1, 2, 4, 4, 1), dtypes="float32", **_BLOCKS)
case("MaxPool3DGrad", Given(np.ones((1, 2, 2, 2, 1))), Given(np.ones((1, 1, 1, 1, 1))), some(1, 1, 1, 1, 1),
     dtypes="float32 bfloat16", **_BLOCKS)  # fmt: skip

# ------------------------------------------------------------------------------------------------- normalisation

# The reserved outputs are for the gradient alone, and TensorFlow's kernels for CPUs and GPUs put different things there.
_MEAN, _VARIANCE = np.array([0.5, -0.25, 1.0], np.float32), np.array([0.5, 1.0, 2.0], np.float32)
_NONE = np.zeros(0, np.float32)
_IMAGES = some(2, 2, 3, 3)
for _version in ("", "V2", "V3"):
    _name = f"FusedBatchNorm{_version}"
    _scale, _offset = some(3, low=0.5, high=2, dtype="float32"), some(3, dtype="float32")
    _dtypes = "float32 bfloat16" if _version else "float32"
    case(_name, _IMAGES, _scale, _offset, _NONE, _NONE, dtypes=_dtypes, tolerance=4, outputs=3, epsilon=0.01)
    case(_name, _IMAGES, _scale, _offset, _MEAN, _VARIANCE, dtypes=_dtypes, tolerance=4, outputs=3, is_training=False)
    mistake(_name, _IMAGES, some(2), some(2), _NONE, _NONE)
    for _training in (True, False):
        case(
            f"FusedBatchNormGrad{_version}", some(2, 2, 3, 3), _IMAGES, _scale, _MEAN, _VARIANCE,
            *([_NONE] if _version == "V3" else []), dtypes=_dtypes, tolerance=8, outputs=3, is_training=_training,
        )  # fmt: skip
case(  # whose gradients with respect to the mean and the variance are none
    "FusedBatchNormGrad", some(2, 2, 3, 3), _IMAGES, some(3, low=0.5, high=2), some(3), some(3, low=0.5, high=2),
    dtypes="float32", tolerance=8, outputs=3, is_training=False,
)  # fmt: skip
case(
    "FusedBatchNormV3", _IMAGES, some(3), some(3), _MEAN, _VARIANCE, dtypes="float32", tolerance=4, outputs=3,
    exponential_avg_factor=0.25,
)  # fmt: skip
