"""Ops of neural networks that fewer models hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from modtf.core.conformance.cases.table import case, mistake
from modtf.core.conformance.examples import FLOATS, Given, i32, i64, some

_WIDE = "float64 float32"

# ------------------------------------------------------------------------------------------------- pooling

_PIXELS = some(1, 4, 4, 2, low=-9, high=9).array("float64", 0)
_GREATEST = _PIXELS.reshape(1, 2, 2, 2, 2, 2).max(axis=(2, 4))
_TWO = i32([1, 2, 2, 1]), i32([1, 2, 2, 1])
for _padding in ("SAME", "VALID"):
    case("MaxPoolV2", some(2, 4, 5, 2, low=-9, high=9), *_TWO, dtypes=f"{FLOATS} int32", padding=_padding)
case("MaxPoolV2", some(1, 5, 5, 1, low=-9, high=9), i32([1, 3, 2, 1]), i32([1, 1, 2, 1]), dtypes=_WIDE, padding="SAME")
case(
    "MaxPoolGradV2", Given(_PIXELS), Given(_GREATEST), some(1, 2, 2, 2), *_TWO, dtypes=f"{FLOATS} int32", padding="SAME"
)
case("MaxPoolGradGradV2", Given(_PIXELS), Given(_GREATEST), some(1, 4, 4, 2), *_TWO, dtypes=_WIDE, padding="VALID")
mistake("MaxPoolV2", some(4, 5, 2), *_TWO, padding="SAME")

_WINDOWS: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 4, 4, 2), {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}),
    ((2, 5, 4, 2), {"ksize": [1, 3, 2, 1], "strides": [1, 2, 1, 1], "padding": "SAME", "include_batch_in_index": True}),
]
for _shape, _attrs in _WINDOWS:
    case("MaxPoolWithArgmax", some(*_shape, low=-9, high=9), dtypes=f"{FLOATS} int32", orders=1, **_attrs)
    case("MaxPoolWithArgmax", Given(_PIXELS), dtypes="float32", Targmax="int32", **_attrs)
    # Rows of one half of the numbers, then another: as many as there are windows.
    _out: tuple[int, ...] = (2, 2, 2, 2) if _attrs["padding"] == "VALID" else (2, 3, 4, 2)
    _first, _count = (0, 32) if _attrs["padding"] == "VALID" else (0, 80)
    _places = i64((np.arange(np.prod(_out)).reshape(_out) * 5) % _count)
    case("MaxPoolGradWithArgmax", some(*_shape), some(*_out), _places, dtypes="float64 float32 int32", **_attrs)
case("MaxPoolWithArgmax", Given(np.full((1, 3, 3, 1), -np.inf)), dtypes="float32", ksize=[1, 2, 2, 1],
     strides=[1, 2, 2, 1], padding="SAME")  # fmt: skip
mistake("MaxPoolWithArgmax", some(4, 5, 2), **_WINDOWS[0][1])

# ------------------------------------------------------------------------------------------------- normalization

for _attrs in ({}, {"depth_radius": 1, "bias": 2.0, "alpha": 0.5, "beta": 0.75}, {"depth_radius": 9}):
    case("LRN", some(2, 2, 1, 6), dtypes="float32", tolerance=2, **_attrs)
    case("LRNGrad", some(2, 2, 1, 6), some(2, 2, 1, 6), some(2, 2, 1, 6), dtypes="float32", tolerance=4, **_attrs)
mistake("LRN", some(2, 3, 4))

# ------------------------------------------------------------------------------------------------- patches, dilation

case("ExtractImagePatches", some(2, 5, 4, 2), dtypes=f"{FLOATS} int32", ksizes=[1, 3, 2, 1], strides=[1, 2, 1, 1],
     rates=[1, 1, 1, 1], padding="SAME")  # fmt: skip
case("ExtractImagePatches", some(1, 6, 5, 1), dtypes=_WIDE, ksizes=[1, 2, 2, 1], strides=[1, 1, 2, 1],
     rates=[1, 2, 1, 1], padding="VALID")  # fmt: skip
case("ExtractVolumePatches", some(2, 3, 4, 4, 2), dtypes="float64 float32 int32", ksizes=[1, 2, 2, 3, 1],
     strides=[1, 1, 2, 2, 1], padding="SAME")  # fmt: skip
case("ExtractVolumePatches", some(1, 3, 4, 4, 1), dtypes=_WIDE, ksizes=[1, 2, 2, 2, 1], strides=[1, 1, 1, 1, 1],
     padding="VALID")  # fmt: skip
mistake(
    "ExtractImagePatches", some(5, 4, 2), ksizes=[1, 2, 2, 1], strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding="SAME"
)

_DILATIONS: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 5, 4, 2), (3, 2, 2), (2, 3, 4, 2), {"strides": [1, 2, 1, 1], "rates": [1, 1, 1, 1], "padding": "SAME"}),
    ((1, 6, 5, 1), (2, 2, 1), (1, 4, 4, 1), {"strides": [1, 1, 1, 1], "rates": [1, 2, 1, 1], "padding": "VALID"}),
]
for _image, _filter, _out, _attrs in _DILATIONS:
    _operands = some(*_image, low=-9, high=9), some(*_filter)
    case("Dilation2D", *_operands, dtypes="float64 float32 int32", orders=1, **_attrs)
    case("Dilation2DBackpropInput", *_operands, some(*_out), dtypes=_WIDE, **_attrs)
    case("Dilation2DBackpropFilter", *_operands, some(*_out), dtypes=_WIDE, **_attrs)
mistake("Dilation2D", some(1, 5, 5, 2), some(2, 2, 3), strides=[1, 1, 1, 1], rates=[1, 1, 1, 1], padding="SAME")

# ------------------------------------------------------------------------------------------------- bins and ranks

_NUMBERS = Given([[-1, 0, 2, 3], [5, 9, 10, 11]])
case("HistogramFixedWidth", _NUMBERS, Given([0, 10]), i32(5), dtypes="float64 float32 int32 int64")
case("HistogramFixedWidth", Given([0.1, 0.25, 0.3]), Given([0.1, 0.4]), i32(3), dtypes="float32", dtype="int64")
case("HistogramFixedWidth", some(0), Given([0, 1]), i32(2), dtypes="float32")
case("HistogramFixedWidth", Given([0.1, 0.25, 0.3]), Given([0.1, 0.4]), i32(2), dtypes="float32")
mistake("HistogramFixedWidth", _NUMBERS, Given([1, 0]), i32(5), told_by="values")
case("Bucketize", _NUMBERS, dtypes="float64 float32 int32 int64", boundaries=[0.0, 2.5, 10.0])
case("Bucketize", some(2, 3), dtypes="float32", boundaries=[])
mistake("Bucketize", _NUMBERS, told_by="arguments", boundaries=[1.0, 0.0])
case("NthElement", some(2, 5), i32(1), dtypes=f"{FLOATS} int32")
case("NthElement", Given([[3, 1, 3, 2]]), i32(0), dtypes="float32", reverse=True)
case("NthElement", some(2, 5), i32(3), dtypes=_WIDE, reverse=True)
mistake("NthElement", some(2, 5), i32(5))
case("ApproxTopK", some(3, 5), dtypes="float32 bfloat16", k=2)
mistake("ApproxTopK", some(3, 5), k=6)

# ------------------------------------------------------------------------------------------------- sequences of labels

_LABELS = i64([[0, 0], [0, 1], [1, 0], [2, 0], [2, 1]]), i32([1, 1, 0, 2, 0]), i32([5, 3, 4])
_LOGITS = some(5, 3, 4, low=-3, high=3)
# TensorFlow computes float64 with no more digits than float32.
case("CTCLoss", _LOGITS, *_LABELS, dtypes="float64", tolerance=1e5, orders=1, outputs=1)
case("CTCLoss", _LOGITS, *_LABELS, dtypes="float32")
case("CTCLoss", _LOGITS, *_LABELS, dtypes="float32", preprocess_collapse_repeated=True)
case("CTCLoss", _LOGITS, *_LABELS, dtypes="float32", ctc_merge_repeated=False)
case("CTCLoss", some(2, 1, 4), i64([[0, 0], [0, 1], [0, 2]]), i32([1, 2, 0]), i32([2]), dtypes="float32",
     ignore_longer_outputs_than_inputs=True)  # fmt: skip
case("CTCLossV2", _LOGITS, _LABELS[0], i32([1, 1, 3, 2, 3]), _LABELS[2], dtypes="float32")
mistake("CTCLoss", some(2, 1, 4), i64([[0, 0], [0, 1], [0, 2]]), i32([1, 2, 0]), i32([2]), told_by="values")
case("CTCLoss", _LOGITS, _LABELS[0], i32([1, 3, 0, 2, 3]), _LABELS[2], dtypes="float32")
mistake("CTCLoss", _LOGITS, _LABELS[0], i32([3, 1, 0, 2, 0]), _LABELS[2], told_by="values")
mistake("CTCLoss", _LOGITS, _LABELS[0], i32([1, -1, 0, 2, 0]), _LABELS[2], told_by="values")
mistake("CTCLoss", some(5, 3), *_LABELS)
for _options in ({}, {"merge_repeated": True}, {"blank_index": 0}):
    case("CTCGreedyDecoder", _LOGITS, i32([5, 3, 4]), dtypes=_WIDE, **_options)
mistake("CTCGreedyDecoder", some(4, 0, 4), i32([]), told_by="arguments")
mistake("CTCBeamSearchDecoder", _LOGITS, i32([5, 3, 4]), told_by="arguments", beam_width=2, top_paths=3)
case("CTCBeamSearchDecoder", _LOGITS, i32([5, 3, 4]), dtypes="float32", beam_width=8, top_paths=3)
case("CTCBeamSearchDecoder", _LOGITS, i32([5, 3, 4]), dtypes="float32", beam_width=2, top_paths=1,
     merge_repeated=False)  # fmt: skip

_GUESS = i64([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]), Given([1, 2, 3, 4]), i64([2, 2, 2])
_TRUTH = i64([[0, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 2]]), Given([1, 2, 5, 4, 9]), i64([2, 2, 3])
case("EditDistance", *_GUESS, *_TRUTH, dtypes="int64 int32")
case("EditDistance", *_GUESS, *_TRUTH, dtypes="int32", normalize=False)
mistake("EditDistance", *_GUESS, i64([[0, 0]]), Given([1]), i64([1, 1]), dtypes="int32")

# ------------------------------------------------------------------------------------------------- random choices

_CHOICES: list[dict[str, Any]] = [{}, {"pseudo_random": True}, {"overlapping": True}, {"seed2": 3}]
for _kind in ("Max", "Avg"):
    for _number, _attrs in enumerate(_CHOICES):
        _dtypes = "float32" if _number else "float64 float32 int32"
        case(f"Fractional{_kind}Pool", some(2, 7, 6, 2, low=-9, high=9), dtypes=_dtypes, pooling_ratio=[1.0, 1.4, 1.75, 1.0],
             deterministic=True, seed=7, orders=1, smooth=False, **_attrs)  # fmt: skip
    mistake(f"Fractional{_kind}Pool", some(7, 6, 2), pooling_ratio=[1.0, 1.4, 1.75, 1.0])
_IMAGE = some(1, 4, 3, 1, low=-9, high=9).array("float64", 0)
_TOPS = [[_IMAGE[:, :1, :2].max(), _IMAGE[:, :1, 2:].max()], [_IMAGE[:, 1:, :2].max(), _IMAGE[:, 1:, 2:].max()]]
_CUTS = i64([0, 1, 4]), i64([0, 2, 3])
case(
    "FractionalMaxPoolGrad",
    Given(_IMAGE),
    Given(np.reshape(_TOPS, (1, 2, 2, 1))),
    some(1, 2, 2, 1),
    *_CUTS,
    dtypes=_WIDE,
)
case("FractionalAvgPoolGrad", i64([1, 4, 3, 2]), some(1, 2, 2, 2), *_CUTS, dtypes=_WIDE)
case("FractionalAvgPoolGrad", i64([1, 4, 3, 2]), some(1, 2, 2, 2), *_CUTS, dtypes="float32", overlapping=True)

_RIGHT = i64([[1, 3], [0, 7], [9, 2]])
case("ComputeAccidentalHits", _RIGHT, i64([3, 9, 3, 5, 0]), dtypes="float32", num_true=2)
case("ComputeAccidentalHits", _RIGHT, i64([4, 5]), dtypes="float32", num_true=2)
case("AllCandidateSampler", _RIGHT, dtypes="float32", num_true=2, num_sampled=10, unique=True)
case("SobolSample", i32(3), i32(5), i32(0), dtypes="float64 float32", dtype="T")
case("SobolSample", i32(1), i32(3), i32(4), dtypes="float32", dtype="T")

case("IsotonicRegression", Given([[3, 1, 2, 4, 0], [1, 1, 2, 3, 3]]), dtypes="float32", output_dtype="float32")
case("IsotonicRegression", some(3, 6), dtypes="float64 float32", output_dtype="T")
case("IsotonicRegression", Given([1, 3, 2, 0]), dtypes="float32")

case("DataFormatDimMap", i32([[0, -1], [2, 1]]), dtypes="int32")
case("DataFormatDimMap", i64(-2), dtypes="int64", src_format="NCDHW", dst_format="NDHWC")
case("DataFormatVecPermute", i32([1, 5, 6, 3]), dtypes="int32")
case("DataFormatVecPermute", i32([5, 6]), dtypes="int32", src_format="NHWC", dst_format="NCHW")
case("DataFormatVecPermute", i64([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]), dtypes="int64", src_format="NDHWC",
     dst_format="NCDHW")  # fmt: skip
mistake("DataFormatVecPermute", i32([1, 2, 3]), dtypes="int32", told_by="arguments")
