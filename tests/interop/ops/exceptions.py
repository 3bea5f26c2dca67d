"""Where modtf is not compared with TensorFlow, and why. Each rule is as narrow as what it is about.

A rule need not be met in every run: how often TensorFlow's odd cases are drawn depends on the number of examples. The
report at the end says how often each was.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from conditions import (
    another_maximum,
    at_edges,
    beyond_window,
    condition,
    has_complex,
    has_empty,
    has_nan,
    is_ignored,
    is_wild,
    largest,
    malformed,
    malformed_sparse,
    of_other_windows,
    ours_of,
    positive_definite,
    refused_for,
    refused_here,
    wide,
)
from variations import Call

from modtf.core import as_dtype

STATEFUL_HERE = {
    "For": "its body may have effects, which a graph keeps only of stateful ops; TensorFlow's other loops are stateful, too",
    "NoOp": "a node that nobody takes anything from is kept in a graph only if it is stateful",
    "Placeholder": "the arguments of a function are neither merged nor folded",
}
"""Ops that are stateful in modtf and not in TensorFlow."""


COMPUTED_IN_FLOAT32 = "CTCLoss CTCBeamSearchDecoder CropAndResize* Resize* ImageProjectiveTransform*"
"""Ops that TensorFlow computes in float32, wholly or in part, when they are asked for float64."""

SUMMED_IN_BFLOAT16 = "Conv*BackpropFilter* Depthwise*BackpropFilter"
"""Ops of which TensorFlow rounds intermediate sums to bfloat16, where modtf rounds the result alone."""


ROUNDED_TO_FLOAT16 = "LSTMBlockCell BlockLSTM*"
"""Ops of which TensorFlow rounds intermediate values to float16, and so does modtf, in another order."""


def coarseness(call: Call, dtype: np.dtype) -> float:
    """How many times the ordinary tolerance a result of TensorFlow's may be off."""
    if dtype == np.float64 and _named(call.op, COMPUTED_IN_FLOAT32):
        return 1e6
    if as_dtype(dtype).name == "bfloat16" and _named(call.op, SUMMED_IN_BFLOAT16):
        return 8
    if dtype == np.float16 and _named(call.op, ROUNDED_TO_FLOAT16):
        return 8
    return 1


def _named(op: str, patterns: str) -> bool:
    return any(fnmatch.fnmatchcase(op, pattern) for pattern in patterns.split())


class Rule(NamedTuple):
    """Calls that are not compared.

    Attributes:
        ops: Patterns of the ops' names.
        reason: Why.
        applies: Which of the calls.
        concerns: `"call"`, so that TensorFlow is not even called; `"values"`, so that only whether it raises is compared;
            or `"gradients"`.
    """

    ops: str
    reason: str
    applies: Callable[[Call], bool]
    concerns: str = "values"

    def covers(self, call: Call) -> bool:
        """Whether the call is one of those."""
        return _named(call.op, self.ops) and self.applies(call)


RULES = [
    Rule(
        "AvgPoolGrad AvgPool3DGrad",
        "TensorFlow reads beyond the memory of a grad that has not the pooled shape",
        refused_here,
        "call",
    ),
    Rule("Conv3D", "TensorFlow crashes where the window is larger than the input", beyond_window, "call"),
    Rule(
        "ArgMax ArgMin",
        "TensorFlow takes the memory of an int16 dimension for that of a longer integer",
        lambda call: call.inputs["dimension"].dtype == np.int16,
        "call",
    ),
    Rule("Round", "TensorFlow rounds integers to 0", lambda call: call.inputs["x"].dtype.kind == "i"),
    Rule(
        "Erf",
        "TensorFlow gives NaN for large doubles, and 1 for large floats",
        lambda call: (call.inputs["x"].dtype == np.float64 and is_wild(call)) or largest(call) > 1e100,
    ),
    Rule(
        "MaxPool* FractionalMaxPool ClipByValue SegmentMax SegmentMin UnsortedSegmentMax UnsortedSegmentMin",
        "which of NaN and a number Eigen takes for the larger depends on their order",
        has_nan,
    ),
    Rule(
        "Conv* Depthwise*",
        "an infinity times a zero of the padding is NaN in some of the ways to compute a convolution",
        is_wild,
    ),
    Rule(
        "MaxPool*Grad MaxPoolGradV2",
        "TensorFlow looks for the maximum again, rather than at orig_output",
        another_maximum,
    ),
    Rule(
        "Conv* Depthwise*",
        "TensorFlow leaves the memory of a filter's gradient as it was where there is nothing to sum up",
        has_empty,
    ),
    Rule(
        "Conv* Depthwise*",
        "TensorFlow leaves the memory of a filter's gradient as it was where there is nothing to sum up",
        has_empty,
        "gradients",
    ),
    Rule(
        "FusedBatchNorm*",
        "the gradients of nothing's mean and variance are zero divided by zero, which TensorFlow leaves out",
        has_empty,
        "gradients",
    ),
    Rule(
        "FusedBatchNorm FusedBatchNormV2",
        "TensorFlow's kernel takes five axes, which its shape function refuses",
        lambda call: call.inputs["x"].ndim == 5,
        "call",
    ),
    Rule(
        "FusedBatchNorm*",
        "TensorFlow gives NaN for the statistics of nothing even where they are given",
        has_empty,
    ),
    Rule(
        "FusedBatchNormV3",
        "TensorFlow's kernel takes four axes in the order of five, which its shape function refuses",
        lambda call: len(call.attrs.get("data_format", "NHWC")) != call.inputs["x"].ndim,
        "call",
    ),
    Rule(
        "FusedBatchNormGrad*",
        "TensorFlow's kernels refuse formats for GPUs",
        lambda call: call.attrs.get("data_format", "NHWC") not in ("NHWC", "NDHWC"),
        "call",
    ),
    Rule(
        "MaxPool",
        "TensorFlow looks at explicit_paddings only if the padding is EXPLICIT, but for some values",
        lambda call: bool(call.attrs.get("explicit_paddings")) and call.attrs["padding"] != "EXPLICIT",
        "call",
    ),
    Rule(
        "Depthwise*Backprop*",
        "TensorFlow does not look at the dilations, though it has no kernel for others than 1",
        lambda call: "dilations" in call.attrs,
        "call",
    ),
    Rule(
        "TanhGrad SigmoidGrad SqrtGrad RsqrtGrad ReciprocalGrad InvGrad",
        "TensorFlow looks at the number of elements instead of the shape",
        lambda call: (
            call.inputs["y"].shape != call.inputs["dy"].shape and call.inputs["y"].size == call.inputs["dy"].size
        ),
    ),
    Rule(
        "SqrtGrad RsqrtGrad FloorDiv Lgamma Polygamma Zeta",
        "what overflows on the way to a number that can be represented depends on the order of the steps",
        lambda call: largest(call) > 1e30,
    ),
    Rule("ClipByValue", "complex numbers have no order", lambda call: call.inputs["t"].dtype.kind == "c"),
    Rule("LowerBound UpperBound", "NaN has no place in an order", has_nan),
    Rule("CumulativeLogsumexp", "infinities less infinities come at other steps", is_wild),
    Rule(
        "Cholesky* MatrixInverse MatrixSolve* MatrixTriangularSolve SelfAdjointEigV2 Eig Svd Qr Lu LogMatrixDeterminant "
        "MatrixDeterminant MatrixSquareRoot MatrixLogarithm MatrixExponential BatchSvd BatchCholesky "
        "BandedTriangularSolve",
        "what LAPACK and Eigen make of matrices that are not finite is not specified",
        is_wild,
        "call",
    ),
    Rule(
        "Cholesky BatchCholesky",
        "what LAPACK and Eigen make of matrices that are not positive definite is not specified",
        lambda call: not positive_definite(call),
    ),
    Rule(
        "RFFT* IRFFT* FFT* IFFT* SparseSegment*",
        "TensorFlow leaves the memory of results as it was where there is nothing to transform or sum up",
        has_empty,
    ),
    Rule(
        "SparseSegment*",
        "TensorFlow leaves the memory of results as it was where there is nothing to transform or sum up",
        has_empty,
        "gradients",
    ),
    Rule(
        "RFFT* IRFFT*",
        "TensorFlow aborts for transforms of no length",
        lambda call: bool((call.inputs["fft_length"] < 1).any()),
        "call",
    ),
    Rule(
        "Sparse* Serialize*Sparse Set* *SetOperation RaggedBincount RaggedCount* RaggedGather RaggedCross RaggedTensorToSparse",
        "TensorFlow checks indices and splits in some of the ops only, and reads beyond their memory in others",
        lambda call: refused_for(call, "out of bounds", "plits", "rows that are not in", "but only"),
        "call",
    ),
    Rule(
        "SparseAdd SparseAddGrad SparseSparse* SparseCross* SparseSlice* SparseSoftmax SparseConcat "
        "Serialize*Sparse SetSize *SetOperation",
        "what becomes of a sparse tensor whose indices are out of order or repeated, or do not fit its values and shape, is "
        "not specified",
        malformed_sparse,
        "call",
    ),
    Rule(
        "SparseBincount RaggedBincount",
        "TensorFlow looks neither at the number of the weights nor, in sparse and ragged tensors, for negative values",
        lambda call: refused_for(call, "weights must have", "must be non-negative"),
        "call",
    ),
    Rule(
        "RaggedTensorToTensor",
        "TensorFlow reads row partitions of more than one axis, out of order or for more values than there are",
        lambda call: refused_for(call, "must be vectors", "must be sorted", "Final value"),
        "call",
    ),
    Rule(
        "QuantizeV2 Dequantize",
        "TensorFlow's kernels take axes below -1 for -1, which its shape functions refuse",
        lambda call: call.attrs.get("axis", -1) < -1,
        "call",
    ),
    Rule(
        "QuantizeAndDequantizeV3",
        "TensorFlow aborts where the axis is -2",
        lambda call: call.attrs.get("axis", -1) < -1,
        "call",
    ),
    Rule(
        "QuantizeAndDequantizeV4",
        "TensorFlow's kernel takes no ranges by axis, which its shape function and gradient do",
        lambda call: call.attrs.get("axis", -1) != -1,
        "call",
    ),
    Rule(
        "ParseSequenceExample",
        "TensorFlow's kernel takes a scalar, which its shape function refuses",
        lambda call: call.inputs["serialized"].ndim == 0,
        "call",
    ),
    Rule(
        "BandedTriangularSolve",
        "TensorFlow does not count the bands of adjoint matrices, and reads beyond them",
        lambda call: refused_for(call, "bands of matrices"),
        "call",
    ),
    Rule(
        "BandedTriangularSolve",
        "TensorFlow's gradient of a single band lacks an axis, and is not summed up over what was broadcast",
        lambda call: (
            call.inputs["matrix"].shape[-2] == 1 or call.inputs["matrix"].shape[:-2] != call.inputs["rhs"].shape[:-2]
        ),
        "gradients",
    ),
    Rule(
        "MatrixDeterminant MatrixSolveLs MatrixSquareRoot TridiagonalSolve BatchMatrixDeterminant",
        "TensorFlow's gradients of complex matrices lack a conjugate, as finite differences show",
        has_complex,
        "gradients",
    ),
    Rule(
        "MatrixDiagV2 MatrixDiagPartV2 MatrixSetDiagV2",
        "TensorFlow's gradients align the diagonals to the right, though the ops do to the left",
        lambda call: call.inputs["k"].size > 1,
        "gradients",
    ),
    Rule(
        "IsotonicRegression",
        "TensorFlow's gradient has two axes even if the input has not",
        lambda call: call.inputs["input"].ndim != 2,
        "gradients",
    ),
    Rule(
        "Eig",
        "the order of eigenvalues is not specified; Eigen's and LAPACK's differ for complex matrices",
        has_complex,
    ),
    Rule(
        "Eig",
        "the order of eigenvalues is not specified; Eigen's and LAPACK's differ for complex matrices",
        has_complex,
        "gradients",
    ),
    Rule(
        "Qr",
        "the sign of a column is not specified, and another one where Householder's reflection starts from 0",
        lambda call: bool((call.inputs["input"] == 0).any()),
    ),
    Rule(
        "CTCGreedyDecoder",
        "TensorFlow does not look for negative lengths",
        lambda call: refused_for(call, "sequence_length must be"),
        "call",
    ),
    Rule(
        "CTCLoss",
        "TensorFlow sees repeated indices, and modtf those out of bounds: neither sees all that is wrong with labels",
        lambda call: malformed(call.inputs["labels_indices"], call.inputs["labels_values"], None),
        "call",
    ),
    Rule(
        "ScaleAndTranslateGrad",
        "TensorFlow's gradient takes images without pixels, which the op itself refuses",
        has_empty,
        "call",
    ),
    Rule(
        "SparseCountSparseOutput",
        "TensorFlow takes more than two axes, and counts along the first alone",
        lambda call: call.inputs["dense_shape"].size > 2,
        "call",
    ),
    Rule(
        "SparseSlice",
        "TensorFlow does not look for negative starts and sizes",
        lambda call: refused_for(call, "must not be negative"),
        "call",
    ),
    Rule(
        "StringNGrams",
        "TensorFlow does not look at splits where there is nothing to split",
        lambda call: call.inputs["data_splits"].ndim != 1,
        "call",
    ),
    Rule(
        "TridiagonalSolve",
        "by how much a singular system is perturbed is not specified",
        lambda call: bool(call.attrs.get("perturb_singular")),
    ),
    Rule(
        "UnicodeDecode*",
        "TensorFlow aborts where it ignores all that a string holds",
        lambda call: call.attrs.get("errors") == "ignore" and any(map(is_ignored, call.inputs["input"].ravel())),
        "call",
    ),
    Rule(
        "HistogramFixedWidth",
        "on which side of a bin's edge rounding puts a value is not specified",
        at_edges,
    ),
    Rule(
        "CholeskyGrad BatchCholeskyGrad",
        "whether an infinity meets a 0, and so becomes NaN, depends on how the sums are arranged",
        lambda call: bool((np.diagonal(call.inputs["l"], axis1=-2, axis2=-1) == 0).any()),
    ),
    Rule(
        "Fill",
        "TensorFlow's kernel takes a scalar, which its shape function refuses",
        lambda call: call.inputs["dims"].ndim == 0,
        "call",
    ),
    Rule(
        "IsotonicRegression",
        "TensorFlow's kernel takes a scalar, which its shape function refuses",
        lambda call: call.inputs["input"].ndim == 0,
        "call",
    ),
    Rule(
        "DeserializeManySparse",
        "TensorFlow's kernel takes more and fewer axes than two, which its shape function refuses",
        lambda call: call.inputs["serialized_sparse"].ndim != 2,
        "call",
    ),
    Rule(
        "DataFormatDimMap",
        "TensorFlow wraps axes that are too high, and reads beyond its table at those that are too low",
        lambda call: refused_for(call, "Axes must be"),
        "call",
    ),
    Rule(
        "CTCLoss",
        "TensorFlow counts labels that there are no classes for",
        lambda call: call.inputs["inputs"].ndim == 3 and call.inputs["inputs"].shape[2] < 2,
        "call",
    ),
    Rule(
        "RaggedFillEmptyRows",
        "TensorFlow gives row numbers two axes where there are no rows",
        lambda call: not call.inputs["nrows"].any(),
    ),
    Rule(
        "TridiagonalSolve",
        "TensorFlow gives NaN for singular systems of real numbers, but 0 for those of complex ones",
        lambda call: not np.isfinite(ours_of(call)).all(),
    ),
    Rule(
        "MatrixSolveLs MatrixSquareRoot",
        "how far off the result is of a matrix that is as good as singular depends on the order of the steps",
        lambda call: condition(call.arrays[0]) > 30,
    ),
    Rule(
        "MatrixSolveLs MatrixSquareRoot",
        "how far off the result is of a matrix that is as good as singular depends on the order of the steps",
        lambda call: condition(call.arrays[0]) > 30,
        "gradients",
    ),
    Rule(
        "ImageProjectiveTransform*",
        "to which integer an interpolated one is cut off, its last bit decides",
        lambda call: call.inputs["images"].dtype.kind in "iu" and call.attrs["interpolation"] == "BILINEAR",
    ),
    Rule(
        "AvgPool3D",
        "TensorFlow's gradient is wrong where the window is larger than the image, as finite differences show",
        lambda call: max(call.attrs["ksize"]) > min(call.inputs["input"].shape[1:4]),
        "gradients",
    ),
    Rule(
        "Conv3DBackpropFilter*",
        "TensorFlow divides by the sizes of the filter, and crashes if one is 0",
        has_empty,
        "call",
    ),
    Rule(
        "DepthwiseConv2dNative ExtractVolumePatches",
        "TensorFlow does not count the strides and dilations that it takes",
        lambda call: refused_for(call, "must specify", "must hold"),
        "call",
    ),
    Rule(
        "Qr MatrixLogarithm",
        "how far off the result is of a matrix that is as good as singular depends on the order of the steps",
        lambda call: condition(call.arrays[0]) > 1e6,
    ),
    Rule("QuantizeV2", "what integer NaN becomes depends on the processor", has_nan),
    Rule("Empty", "the memory is left as it was", lambda call: not call.attrs.get("init")),
    Rule(
        "BesselY0 BesselY1",
        "TensorFlow's float32 kernel gives NaN at the pole, and its float64 kernel -infinity",
        lambda call: bool((wide(call.inputs["x"]) == 0).any()),
    ),
    Rule(
        "BesselY0 BesselY1",
        "TensorFlow's float32 kernel gives NaN at the pole, and its float64 kernel -infinity",
        lambda call: bool((wide(call.inputs["x"]) == 0).any()),
        "gradients",
    ),
    Rule(
        "Dilation2D*",
        "TensorFlow never takes NaN for the largest, and the smallest number where there is no other",
        is_wild,
    ),
    Rule(
        "Dilation2D*",
        "TensorFlow's gradients take strides and rates below 1, which the op itself refuses",
        lambda call: min((*call.attrs["strides"], *call.attrs["rates"]), default=1) < 1,
        "call",
    ),
    Rule(
        "LRN* Resize*Grad ScaleAndTranslate* CropAndResize* RGBToHSV AdjustSaturation ImageProjectiveTransform* "
        "FusedBatchNorm* CTCLoss QuantizeAndDequantize* FakeQuant*",
        "whether an infinity meets a weight of 0, and so becomes NaN, depends on how the sums are arranged",
        is_wild,
    ),
    Rule(
        "TridiagonalSolve",
        "whether an infinity meets a 0, and so becomes NaN, depends on the order of the steps",
        is_wild,
    ),
    Rule(
        "NonMaxSuppression* NthElement CTCBeamSearchDecoder CTCGreedyDecoder",
        "NaN has no place in an order",
        is_wild,
        "call",
    ),
    Rule(
        "CropAndResizeGrad*",
        "TensorFlow crashes at boxes that are not finite",
        lambda call: not np.isfinite(call.inputs["boxes"]).all(),
        "call",
    ),
    Rule(
        "FusedBatchNorm*",
        "TensorFlow's kernels differ in what they make of a variance that epsilon makes 0 or negative",
        lambda call: call.attrs.get("epsilon", 1e-4) < 0,
    ),
    Rule(
        "FusedBatchNorm*",
        "TensorFlow's kernels differ in what they make of a variance that epsilon makes 0 or negative",
        lambda call: call.attrs.get("epsilon", 1e-4) < 0,
        "gradients",
    ),
    Rule(
        "MaxPoolGradWithArgmax MaxPoolGradGradWithArgmax",
        "TensorFlow aborts unless the inputs belong together, as those of the conformance cases do",
        lambda call: refused_here(call) or of_other_windows(call),
        "call",
    ),
    Rule(
        "Reverse",
        "TensorFlow has no kernel to reverse nothing",
        has_empty,
        "call",
    ),
    Rule(
        "UnravelIndex",
        "TensorFlow does not look for negative indices",
        lambda call: refused_for(call, "out of bound"),
        "call",
    ),
    Rule(
        "RandomIndexShuffle",
        "TensorFlow reads beyond its keys unless the rounds are even and 4 at least",
        lambda call: call.attrs.get("rounds", 4) % 2 == 1 or call.attrs.get("rounds", 4) < 4,
        "call",
    ),
    Rule(
        "StatelessRandomBinomial StatelessRandomPoisson StatelessRandomGamma*",
        "TensorFlow leaves the memory of samples as it was, or never ends, where the parameters are not finite",
        is_wild,
        "call",
    ),
    Rule(
        "Stateless*",
        "TensorFlow has ThreeFry for some of its distributions only",
        lambda call: "alg" in call.inputs and bool((call.inputs["alg"] == 2).any()),
        "call",
    ),
    Rule(
        "RaggedGather",
        "TensorFlow crashes where splits or indices are out of bounds",
        refused_here,
        "call",
    ),
    Rule(
        "FractionalMaxPoolGrad FractionalAvgPoolGrad",
        "TensorFlow crashes unless the inputs belong together, as those of the conformance cases do",
        lambda call: True,
        "call",
    ),
    Rule(
        "Inplace*",
        "TensorFlow takes rows beyond the last modulo their number, or writes beyond the memory",
        refused_here,
        "call",
    ),
    Rule(
        "Mean",
        "TensorFlow's mean of no complex numbers is 0, and that of no others NaN",
        lambda call: call.inputs["input"].dtype.kind == "c" and has_empty(call),
    ),
    Rule(
        "LSTMBlockCell",
        "TensorFlow asks for the sizes of axes before it looks whether there are such, and aborts",
        lambda call: refused_for(call, "dimensions"),
        "call",
    ),
    Rule(
        "LSTMBlockCell",
        "TensorFlow reads beyond the memory of weights of peepholes that are too few",
        lambda call: refused_for(call, "wci must", "wcf must", "wco must"),
        "call",
    ),
    Rule(
        "BlockLSTM*",
        "TensorFlow aborts unless the number of steps is one of those there are",
        lambda call: refused_for(call, "seq_len_max must"),
        "call",
    ),
    Rule(
        "BlockLSTM BlockLSTMV2",
        "TensorFlow leaves the memory of the gates as it was for steps that are not made",
        lambda call: call.inputs["seq_len_max"] < len(call.inputs["x"]),
    ),
    Rule(
        "BlockLSTMV2",
        "TensorFlow's gradient takes the columns of the weights in the order that BlockLSTM has them in",
        lambda call: True,
        "gradients",
    ),
    Rule(
        "BlockLSTMGrad BlockLSTMGradV2",
        "TensorFlow reads and writes beyond the memory of inputs that do not belong together",
        lambda call: refused_for(call, "must be of size", "cs_grad must", "h_grad must"),
        "call",
    ),
    Rule(
        "BlockLSTMGrad BlockLSTMGradV2",
        "TensorFlow leaves the memory of the weights' gradients as it was where there is nothing to sum up",
        has_empty,
    ),
    Rule(
        "BlockLSTM",
        "TensorFlow leaves the memory of the weights' gradients as it was where there is nothing to sum up",
        has_empty,
        "gradients",
    ),
    Rule(
        "TopKV2 TopK",
        "the order is not specified",
        lambda call: call.attrs.get("sorted") is False,
    ),
    Rule(
        "Stateless*",
        "TensorFlow refuses unsigned seeds, which its registry allows",
        lambda call: "seed" in call.inputs and call.inputs["seed"].dtype.kind == "u",
        "call",
    ),
    Rule(
        "Stateless*",
        "TensorFlow reads beyond the memory of a counter that is too short",
        lambda call: "counter" in call.inputs and call.inputs["counter"].size < 2,
        "call",
    ),
    Rule(
        "MaxPool*V2",
        "TensorFlow does not look at the strides over images and channels, which have to be 1",
        lambda call: any(
            call.inputs[name].ndim != 1 or (call.inputs[name][[0, -1]] != 1).any() or (call.inputs[name] < 1).any()
            for name in ("strides", "ksize")
            if name in call.inputs and call.inputs[name].size
        ),
        "call",
    ),
    Rule(
        "MaxPoolWithArgmax MaxPoolGradWithArgmax",
        "TensorFlow does not look at the strides over images and channels, which have to be 1",
        lambda call: any(len(call.attrs[name]) != 4 or call.attrs[name][3] != 1 for name in ("strides", "ksize")),
        "call",
    ),
    Rule(
        "AvgPool* MaxPool*",
        "TensorFlow does not look at the strides over images and channels, which have to be 1",
        lambda call: any(value < 1 for name in ("strides", "ksize") for value in call.attrs.get(name, ())),
        "call",
    ),
    Rule(
        "SoftmaxCrossEntropyWithLogits",
        "TensorFlow does not sum the gradients of what was broadcast",
        lambda call: call.inputs["features"].shape != call.inputs["labels"].shape,
        "gradients",
    ),
]


def rule_for(call: Call, concerns: str) -> Rule | None:
    """The first rule that covers the call."""
    return next((rule for rule in RULES if rule.concerns == concerns and rule.covers(call)), None)
